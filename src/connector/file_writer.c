/* connector/file_writer.c -- encoded records to one file, or to parts one after the other.
 *
 * Owns:    the open file.
 * Threads: one at a time. */
#include "base/clock.h"
#include "connector/file_connector.h"
#include "connector/file_rotation.h"

#define COLLECT_BYTES ((size_t)1 << 20) /* at most, where the user gives rows or a time only */

/* When collected rows are written, and when the disk is waited for. */
typedef struct WritePolicy {
	uint64_t batch_rows; /* written when there are so many; 0: rows are not counted */
	uint64_t sync_rows;  /* the disk has every so many; 0: as epochs say */
	int64_t flush_ms;    /* written after so long; 0: no matter how long */
	bool waits_each;     /* for the disk, at each write */
	bool immediate;      /* nothing is collected */
	bool collects;       /* something may be */
	bool by_memory;      /* less is collected when there is little */
	MemoryWatch memory;
} WritePolicy;

typedef struct FileWriter {
	Writer base;
	FileOutput output;      /* without rotation */
	FileRotation *rotation; /* else NULL */
	WritePolicy policy;
	uint64_t collected;   /* rows since the last write */
	uint64_t unsynced;    /* rows since the disk was waited for */
	int64_t collected_ms; /* when the first of them came, by clock_wall_ms */
} FileWriter;

static WritePolicy
write_policy(const WriterSpec *spec)
{
	const Setting *settings = spec->settings;
	WritePolicy policy = {
		.batch_rows = (uint64_t)settings[FILE_SINK_BATCH_RECORDS].integer,
		.sync_rows = (uint64_t)settings[FILE_SINK_SYNC_ROWS].integer,
		.flush_ms = settings[FILE_SINK_FLUSH_MS].integer,
		.waits_each = !settings[FILE_SINK_ASYNC].flag,
		.immediate = settings[FILE_SINK_IMMEDIATE].flag,
	};
	bool above_target = settings[FILE_SINK_MEMORY_FLUSH].flag;
	bool under_pressure = settings[FILE_SINK_GC_WRITING].flag;

	policy.collects = !policy.immediate && (policy.batch_rows > 0 || policy.flush_ms > 0 ||
						settings[FILE_SINK_WRITE_BUFFER].integer > 0);
	policy.by_memory = spec->memory != NULL && (above_target || under_pressure);
	if (policy.by_memory) {
		policy.memory = *spec->memory;
		if (!above_target)
			policy.memory.target = MEMORY_NEVER;
		if (!under_pressure)
			policy.memory.pressure = MEMORY_NEVER;
	}
	return policy;
}

static size_t
collect_bytes(const WriterSpec *spec, const WritePolicy *policy)
{
	size_t given = (size_t)spec->settings[FILE_SINK_WRITE_BUFFER].integer;

	if (!policy->collects)
		return 0;
	return given > 0 ? given : COLLECT_BYTES;
}

static FileOutputSpec
output_spec(const WriterSpec *spec, const WritePolicy *policy, const char *path)
{
	const Setting *settings = spec->settings;

	return (FileOutputSpec){
		.path = path,
		.compression = compression_resolve(
			(Compression)settings[FILE_SINK_COMPRESSION].integer, str_from(path)),
		.sync = (FileSync)settings[FILE_SINK_SYNC].integer,
		.buffer_size = collect_bytes(spec, policy),
		.preamble = spec->preamble,
		.preamble_len = spec->preamble_len,
		.append = settings[FILE_SINK_APPEND].flag,
		.disk = spec->disk,
		.marked = spec->marked,
		.resume = spec->resume,
	};
}

static Status
open_rotation(FileWriter *writer, const WriterSpec *spec, FileOutputSpec output, Arena *arena,
	      Error *err)
{
	const Setting *settings = spec->settings;
	FileRotation *rotation = ARENA_NEW(arena, FileRotation);

	rotation->parts = file_parts_of(output.path);
	rotation->parts.disk = spec->disk;
	rotation->size_limit = (uint64_t)settings[FILE_SINK_ROTATE_SIZE].integer;
	rotation->row_limit = (uint64_t)settings[FILE_SINK_ROTATE_ROWS].integer;
	rotation->interval_ms = settings[FILE_SINK_ROTATE_INTERVAL].integer;
	rotation->syncs = writer->policy.waits_each || writer->policy.sync_rows > 0;
	rotation->spec = output;
	rotation->spec.append = false; /* a part is new */
	rotation->spec.part = true;
	rotation->spec.resume = NULL;
	writer->rotation = rotation;
	return file_rotation_open(rotation, output.append, spec->resume, err);
}

Status
file_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	const Setting *settings = spec->settings;
	FileWriter *writer = ARENA_NEW(arena, FileWriter);

	if (!settings[FILE_SINK_PATH].present || settings[FILE_SINK_PATH].text.len == 0) {
		error_set(err, FERRIS_ERR_OPTION_MISSING, "file sink '%s' has no 'path'",
			  spec->object);
		return error_hint(err, "add 'path' = 'result.jsonl'; - is standard output");
	}
	writer->base.class = &file_connector;
	writer->policy = write_policy(spec);
	FileOutputSpec output = output_spec(spec, &writer->policy,
					    file_path_plain(arena, settings[FILE_SINK_PATH].text));
	TRY(file_sink_rotation(settings) != NULL ? open_rotation(writer, spec, output, arena, err)
						 : file_output_open(&writer->output, &output, err));
	*out = &writer->base;
	return FERRIS_OK;
}

Status
file_writer_open_stdout(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	FileWriter *writer = ARENA_NEW(arena, FileWriter);
	FileOutputSpec output = {
		.path = "-",
		.compression = COMPRESSION_NONE,
		.preamble = spec->preamble,
		.preamble_len = spec->preamble_len,
	};

	writer->base.class = &console_connector;
	TRY(file_output_open(&writer->output, &output, err));
	*out = &writer->base;
	return FERRIS_OK;
}

static Status
write_rows(FileWriter *writer, const Output *output, uint32_t first, uint32_t count, Error *err)
{
	if (writer->rotation != NULL)
		return file_rotation_write(writer->rotation, output, first, count, err);
	if (count == output->count) /* also what is no rows: a table's frame */
		return file_output_write(&writer->output, output->bytes.data, output->bytes.len,
					 err);
	size_t start = first > 0 ? output->ends[first - 1] : 0;
	return file_output_write(&writer->output, output->bytes.data + start,
				 output->ends[first + count - 1] - start, err);
}

/* How many of the rows from `first` on go before the disk must be waited for. */
static uint32_t
rows_before_sync(const FileWriter *writer, uint32_t left)
{
	uint64_t limit = writer->policy.sync_rows;

	if (limit == 0 || writer->unsynced + left <= limit)
		return left;
	return (uint32_t)(limit - writer->unsynced);
}

/* Whether what is collected is to be written now. */
static bool
is_enough(FileWriter *writer)
{
	WritePolicy *policy = &writer->policy;

	if (policy->immediate)
		return true;
	if (policy->by_memory) {
		memory_watch_look(&policy->memory, clock_ms());
		if (policy->memory.level != MEMORY_FREE)
			return true;
	}
	return (policy->batch_rows > 0 && writer->collected >= policy->batch_rows) ||
	       (policy->flush_ms > 0 && clock_wall_ms() - writer->collected_ms >= policy->flush_ms);
}

static Status
sync_rows(FileWriter *writer, Error *err)
{
	writer->collected = writer->unsynced = 0;
	return writer->rotation != NULL ? file_rotation_sync(writer->rotation, err)
					: file_output_sync(&writer->output, err);
}

/* What the policy asks for behind some rows. */
static Status
follow_policy(FileWriter *writer, uint32_t rows, Error *err)
{
	const WritePolicy *policy = &writer->policy;

	writer->unsynced += rows;
	if (policy->waits_each || (policy->sync_rows > 0 && writer->unsynced >= policy->sync_rows))
		return sync_rows(writer, err);
	if (policy->collects && writer->collected == 0)
		writer->collected_ms = clock_wall_ms();
	if (policy->collects)
		writer->collected += rows;
	if (!policy->collects && !policy->immediate)
		return FERRIS_OK;
	return is_enough(writer) ? file_writer_flush(&writer->base, err) : FERRIS_OK;
}

Status
file_writer_write(Writer *base, const Output *output, Error *err)
{
	FileWriter *writer = (FileWriter *)base;
	uint32_t done = 0;

	do {
		uint32_t count = rows_before_sync(writer, output->count - done);
		Status status = write_rows(writer, output, done, count, err);

		if (status == FERRIS_OK) {
			done += count;
			status = follow_policy(writer, count, err);
		}
		if (status != FERRIS_OK) {
			if (done > 0)
				err->flags &= ~ERROR_RETRIABLE; /* some rows would come twice */
			return status;
		}
	} while (done < output->count);
	return FERRIS_OK;
}

Status
file_writer_flush(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	writer->collected = 0;
	return writer->rotation != NULL ? file_rotation_flush(writer->rotation, err)
					: file_output_flush(&writer->output, err);
}

Status
file_writer_mark(Writer *base, WriterMark *mark, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	writer->collected = writer->unsynced = 0;
	if (writer->rotation != NULL)
		return file_rotation_mark(writer->rotation, mark, err);
	*mark = (WriterMark){0};
	return file_output_mark(&writer->output, mark, err);
}

int64_t
file_writer_due(const Writer *base)
{
	const FileWriter *writer = (const FileWriter *)base;
	int64_t due = writer->rotation != NULL ? file_rotation_due(writer->rotation) : INT64_MAX;
	int64_t flush_ms = writer->policy.flush_ms;

	if (flush_ms > 0 && writer->collected > 0 && writer->collected_ms + flush_ms < due)
		due = writer->collected_ms + flush_ms;
	return due;
}

Status
file_writer_complete(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_complete(writer->rotation, err) : FERRIS_OK;
}

Status
file_writer_show(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	return writer->rotation != NULL ? file_rotation_show(writer->rotation, err) : FERRIS_OK;
}

Status
file_writer_close(Writer *base, bool failed, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	if (writer->rotation != NULL)
		return file_rotation_close(writer->rotation, failed, err);
	Status status = failed ? FERRIS_OK : file_output_finish(&writer->output, err);
	file_output_close(&writer->output);
	return status;
}
