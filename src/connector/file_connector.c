/* connector/file_connector.c -- files, folders and pipes: the class and its options. */
#include "connector/file_connector.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "connector/file_parts.h"

#define COMPRESSIONS "auto|none|gzip|zstd|lz4"

/* clang-format off */
static const OptionRow source_rows[FILE_SOURCE_OPTION_COUNT] = {
	[FILE_PATH] = {.name = "path", .type = OPTION_STRING,
		.doc = "A file, a glob (* ? [a-z] **), a folder, or - for standard input."},
	[FILE_WATCH] = {.name = "watch", .type = OPTION_BOOLEAN, .initial = "false",
		.aliases = "watching|watch_for_changes",
		.doc = "Follow the files as they grow, are rotated or cut; the source never ends."},
	[FILE_POLL_INTERVAL] = {.name = "poll_interval_ms", .type = OPTION_DURATION,
		.initial = "100", .min = 1, .max = 3600e3,
		.aliases = "polling_interval|poll_interval|poll.interval|polling_interval_ms"
			"|file.poll_interval_ms",
		.doc = "How often a watched file is looked at when the system reports no change."},
	[FILE_COMPRESSION] = {.name = "compression", .type = OPTION_CHOICE, .initial = "auto",
		.choices = COMPRESSIONS,
		.doc = "auto goes by the name's ending: .gz, .zst, .lz4."},
	[FILE_READ_BUFFER] = {.name = "read_buffer_size", .type = OPTION_SIZE,
		.initial = "512KB", .min = 1, .max = 64 << 20,
		.aliases = "file.read_buffer_size|read.buffer.size|buffer_size",
		.doc = "Bytes read at once; a longer record makes room for itself."},
	[FILE_BATCH_LINES] = {.name = "batch_read_lines", .type = OPTION_INTEGER,
		.initial = "0", .min = 0, .max = 1e6, .aliases = "file.batch_read_lines",
		.doc = "So many records go on at once at most, be they lines or not; 0: as many as "
		       "were read at once."},
	[FILE_CONCURRENT] = {.name = "concurrent_readers", .type = OPTION_INTEGER,
		.initial = "1", .min = 1, .max = 64, .aliases = "file.concurrent_readers",
		.doc = "How many of several files are read side by side, in turn; a watched source "
		       "reads all of them so."},
	[FILE_WINDOW_PROCESSING] = {.name = "window_processing", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.window_processing",
		.doc = "TimeWindow: whether a watched file is read span by span."},
	[FILE_ADAPTIVE_READING] = {.name = "adaptive_reading", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.adaptive_reading",
		.doc = "AdaptiveSize: whether the size of batches follows what is measured."},
	[FILE_MEMORY_MONITORING] = {.name = "memory_monitoring", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.memory_monitoring",
		.doc = "MemoryBased: whether the size of batches follows target_memory_usage."},
	[FILE_GC_READING] = {.name = "gc_aware_reading", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.gc_aware_reading",
		.doc = "MemoryBased: whether batches become small at gc_pressure_threshold."},
	[FILE_LOW_LATENCY] = {.name = "low_latency_mode", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.low_latency_mode",
		.doc = "LowLatency: whether the file is read in batches of batch_size."},
	[FILE_MAX_RECORD] = {.name = "max.record.size", .type = OPTION_SIZE, .initial = "16MB",
		.min = 1, .max = 1 << 30,
		.doc = "A longer record ends the statement with an error."},
	[FILE_RECURSIVE] = {.name = "recursive", .type = OPTION_BOOLEAN, .initial = "false",
		.doc = "A folder's files include those of its subfolders."},
	[FILE_EXTENSION] = {.name = "extension_filter", .type = OPTION_STRING, .initial = "",
		.doc = "Of a folder, only files whose names end in this, such as .csv."},
	[FILE_WAIT_TIMEOUT] = {.name = "file.wait.timeout", .type = OPTION_DURATION,
		.initial = "0", .min = 0, .max = 86400e3,
		.doc = "How long to wait at the start for a file that is not there yet."},
	[FILE_RETRY_INTERVAL] = {.name = "file.retry.interval", .type = OPTION_DURATION,
		.initial = "200", .min = 1, .max = 3600e3,
		.doc = "How often to look for such a file."},
};

static const OptionRow sink_rows[FILE_SINK_OPTION_COUNT] = {
	[FILE_SINK_PATH] = {.name = "path", .type = OPTION_STRING,
		.doc = "The file to write, or - for standard output."},
	[FILE_SINK_APPEND] = {.name = "append", .type = OPTION_BOOLEAN, .initial = "false",
		.aliases = "append_if_exists",
		.doc = "Keep what the file holds and write behind it; otherwise it is replaced. "
		       "Over a Kafka source, which goes on where the last run stopped, true "
		       "unless given."},
	[FILE_SINK_COMPRESSION] = {.name = "compression", .type = OPTION_CHOICE,
		.initial = "auto", .choices = COMPRESSIONS,
		.doc = "auto goes by the name's ending: .gz, .zst, .lz4."},
	[FILE_SINK_SYNC] = {.name = "sync", .type = OPTION_CHOICE, .initial = "none",
		.choices = "none|flush",
		.doc = "flush waits at every flush until the disk has the data."},
	[FILE_SINK_WRITE_BUFFER] = {.name = "write_buffer_size", .type = OPTION_SIZE,
		.initial = "0", .min = 0, .max = 64 << 20,
		.aliases = "file.write_buffer_size|write.buffer.size|buffer_size_bytes",
		.doc = "Collect small writes up to this size; 0 writes every batch at once, unless "
		       "batch_write_records or flush_frequency_ms is given."},
	[FILE_SINK_BATCH_RECORDS] = {.name = "batch_write_records", .type = OPTION_INTEGER,
		.initial = "0", .min = 0, .max = 1e6, .aliases = "file.batch_write_records",
		.doc = "Collect so many rows before they are written, or as many bytes as "
		       "write_buffer_size (1MB if that is 0); an epoch's end writes them sooner. "
		       "0: rows are not counted."},
	[FILE_SINK_SYNC_ROWS] = {.name = "sync_frequency", .type = OPTION_INTEGER,
		.initial = "0", .min = 0, .max = 9e15, .aliases = "file.sync_frequency",
		.doc = "Wait for the disk whenever so many rows have been written; 0: as 'sync' "
		       "and the epochs say."},
	[FILE_SINK_FLUSH_MS] = {.name = "flush_frequency_ms", .type = OPTION_DURATION,
		.initial = "0", .min = 0, .max = 3600e3, .aliases = "file.flush_frequency_ms",
		.doc = "Collect rows for so long at most, or as many as batch_write_records and "
		       "write_buffer_size (1MB if that is 0) say; an epoch's end writes them "
		       "sooner. 0: no matter how long."},
	[FILE_SINK_ASYNC] = {.name = "async_writes", .type = OPTION_BOOLEAN, .initial = "true",
		.aliases = "file.async_writes",
		.doc = "If not, each write waits until the disk has it."},
	[FILE_SINK_IMMEDIATE] = {.name = "immediate_flush", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.immediate_flush",
		.doc = "Nothing is collected, whatever the other options say."},
	[FILE_SINK_MEMORY_FLUSH] = {.name = "memory_aware_flushing", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.memory_aware_flushing",
		.doc = "MemoryBased: nothing is collected above target_memory_usage."},
	[FILE_SINK_GC_WRITING] = {.name = "gc_aware_writing", .type = OPTION_BOOLEAN,
		.initial = "false", .aliases = "file.gc_aware_writing",
		.doc = "MemoryBased: nothing is collected above gc_pressure_threshold."},
	[FILE_SINK_ROTATE_SIZE] = {.name = "rotate.size", .type = OPTION_SIZE, .initial = "0",
		.min = 0, .max = 0x1p50, .aliases = "max_file_size_bytes|max_file_size",
		.doc = "Write parts of at most so many bytes before compression: for out.jsonl "
		       "out-part-000001.jsonl and so on; 0: no limit."},
	[FILE_SINK_ROTATE_ROWS] = {.name = "rotate.rows", .type = OPTION_INTEGER, .initial = "0",
		.min = 0, .max = 9e15, .aliases = "max_records_per_file",
		.doc = "Write parts of so many rows; 0: no limit."},
	[FILE_SINK_ROTATE_INTERVAL] = {.name = "rotate.interval", .type = OPTION_DURATION,
		.initial = "0", .min = 0, .max = 366 * 86400e3,
		.aliases = "rotation_interval_ms|rotation_interval",
		.doc = "Write parts, each complete so long after its first row; 0: no limit."},
};
/* clang-format on */

static bool
is_bounded(const Setting *settings)
{
	return !settings[FILE_WATCH].flag;
}

/* Whether the path leads to something that is neither a file nor a folder. */
static bool
is_special(Str path)
{
	char plain[PATH_MAX];
	struct stat info;

	if (str_starts_with(path, STR("file://")))
		path = str_skip(path, 7);
	snprintf(plain, sizeof plain, "%.*s", STR_ARG(path));
	return str_eq(path, STR("-")) || str_starts_with(path, STR("/dev/")) ||
	       (stat(plain, &info) == 0 && !S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode));
}

static const char *
no_place(const Setting *settings)
{
	return settings[FILE_PATH].present && is_special(settings[FILE_PATH].text)
		       ? "a source is a pipe, which cannot be read again"
		       : NULL;
}

static void
weakness(const Setting *settings, const Options *given, Promise promise, Weakness *out)
{
	(void)given;
	*out = (Weakness){0};
	if (promise == PROMISE_EXACTLY_ONCE && settings[FILE_SINK_PATH].present &&
	    is_special(settings[FILE_SINK_PATH].text))
		out->why = "what was written to a pipe or terminal cannot be taken back";
}

const Setting *
file_sink_rotation(const Setting *settings)
{
	for (FileSinkOption i = FILE_SINK_ROTATE_SIZE; i <= FILE_SINK_ROTATE_INTERVAL; i++)
		if (settings[i].integer > 0)
			return &settings[i];
	return NULL;
}

static Status
check_sink(const Setting *settings, Error *err)
{
	const Setting *rotation = file_sink_rotation(settings);
	const Setting *path = &settings[FILE_SINK_PATH];

	if (rotation == NULL || !path->present || !is_special(path->text))
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_CONFLICT,
		  "'%.*s' divides files into parts, but the sink's 'path' = '%.*s' is a pipe, a "
		  "device or a terminal",
		  STR_ARG(rotation->entry->key), STR_ARG(path->text));
	error_hint(err, "leave it out, or give 'path' the name of a file");
	return option_error(rotation, err);
}

static bool
replaces(const Setting *settings)
{
	return !settings[FILE_SINK_APPEND].flag;
}

/* The absolute path, by whatever way the folder was named. */
static Str
absolute_path(const Setting *settings, Arena *arena)
{
	const char *path = file_path_plain(arena, settings[FILE_SINK_PATH].text);
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	Str folder = {slash != NULL ? path : ".", slash != NULL ? (uint32_t)(slash - path) : 1};
	char real[PATH_MAX];

	if (folder.len == 0)
		folder = STR("/");
	if (realpath(str_copy(arena, folder).data, real) == NULL)
		return str_from(path);
	return str_format(arena, "%s/%s", strcmp(real, "/") == 0 ? "" : real, name);
}

/* A file and its parts are two places: a statement that is to write the other one begins there. */
static Str
target(const Setting *settings, Arena *arena)
{
	Str path = absolute_path(settings, arena);
	char part[PATH_MAX];

	if (file_sink_rotation(settings) == NULL)
		return path;
	FileParts parts = file_parts_of(str_copy(arena, path).data);
	file_part_path(&parts, (FilePart){0, true}, part);
	return str_copy(arena, str_from(part));
}

const ConnectorClass file_connector = {
	.name = "file",
	.doc = "Files, folders and pipes of records.",
	.source_options = {"file source", source_rows, FILE_SOURCE_OPTION_COUNT},
	.sink_options = {"file sink", sink_rows, FILE_SINK_OPTION_COUNT},
	.bounded = is_bounded,
	.no_place = no_place,
	.reader_open = file_reader_open,
	.read = file_reader_read,
	.split_name = file_reader_split_name,
	.lag = file_reader_lag,
	.split_count = file_reader_split_count,
	.backlog = file_reader_backlog,
	.reader_close = file_reader_close,
	.sample = file_reader_sample,
	.writer_open = file_writer_open,
	.write = file_writer_write,
	.flush = file_writer_flush,
	.sink_check = check_sink,
	.weakness = weakness,
	.replaces = replaces,
	.target = target,
	.alone = file_sink_rotation,
	.due = file_writer_due,
	.complete = file_writer_complete,
	.show = file_writer_show,
	.mark = file_writer_mark,
	.writer_close = file_writer_close,
};
