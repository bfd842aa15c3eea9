/* tests/unit/test_write_policy.c -- when a file has the rows that were written, and when the disk.
 *
 * The clock stands still unless a test puts it forward, and each wait for the disk is noted: both
 * calls of libc are replaced here. */
#include "connector/compress.h"
#include "file_fixture.h"
#include "memory_root.h"

#include <sys/syscall.h>
#include <time.h>

#define ROW_LEN    5 /* four digits and a line end */
#define SYNCS_MAX  64
#define WALL_AHEAD 1000000 /* of the clock that durations are measured with; milliseconds */

static int64_t clock_stands_at; /* milliseconds; 0: it runs */

typedef struct Syncs {
	uint32_t count;
	bool fail;
	ino_t inodes[SYNCS_MAX];
	off_t sizes[SYNCS_MAX]; /* of the file then */
} Syncs;

static Syncs syncs;

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int64_t ms = clock_stands_at + (clock == CLOCK_REALTIME ? WALL_AHEAD : 0);

	if (clock_stands_at == 0)
		return (int)syscall(SYS_clock_gettime, clock, out);
	*out = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	return 0;
}

int
fdatasync(int fd)
{
	struct stat info;

	if (syncs.fail) {
		errno = EIO;
		return -1;
	}
	assert_int_equal(fstat(fd, &info), 0);
	assert_true(syncs.count < SYNCS_MAX);
	syncs.inodes[syncs.count] = info.st_ino;
	syncs.sizes[syncs.count++] = info.st_size;
	return 0;
}

/* Bytes of the file that the disk has. */
static off_t
synced(const char *path)
{
	struct stat info;
	off_t size = 0;

	assert_int_equal(stat(path, &info), 0);
	for (uint32_t i = 0; i < syncs.count; i++)
		if (syncs.inodes[i] == info.st_ino)
			size = syncs.sizes[i];
	return size;
}

typedef struct Sink {
	Fixture f;
	const char *path;
	uint32_t rows; /* taken so far */
} Sink;

/* Name of a file in the folder, then options as name, value, ..., NULL. */
static void
set_up(Sink *sink, const char *name, ...)
{
	va_list args;

	*sink = (Sink){0};
	syncs = (Syncs){0};
	clock_stands_at = 5000;
	va_start(args, name);
	take_options(&sink->f, &file_connector.sink_options, args);
	va_end(args);
	sink->path = arena_copy(&sink->f.arena, in_folder(name), strlen(in_folder(name)) + 1);
	sink->f.settings[FILE_SINK_PATH].present = true;
	sink->f.settings[FILE_SINK_PATH].text = str_from(sink->path);
	sink->f.writer_spec =
		(WriterSpec){.object = "output", .settings = sink->f.settings, .preamble = ""};
}

static void
start(Sink *sink)
{
	assert_int_equal(open_writer(&sink->f), 0);
}

static void
finish(Sink *sink, bool failed)
{
	clock_stands_at = 0;
	assert_int_equal(file_connector.writer_close(sink->f.writer, failed, &sink->f.err), 0);
	tear_down(&sink->f);
}

/* The next rows, which count only if they are taken. */
static Status
try_rows(Sink *sink, uint32_t count)
{
	Output output;

	output_init(&output, SIZE_MAX, false);
	output_reserve(&output, count);
	for (uint32_t i = 0; i < count; i++) {
		buffer_printf(&output.bytes, "%04u\n", (sink->rows + i) % 10000);
		output.ends[output.count++] = (uint32_t)output.bytes.len;
	}
	Status status = file_connector.write(sink->f.writer, &output, &sink->f.err);
	output_free(&output);
	if (status == FERRIS_OK)
		sink->rows += count;
	return status;
}

static void
put_rows(Sink *sink, uint32_t count)
{
	assert_int_equal(try_rows(sink, count), 0);
}

/* The file ends with whole rows, each of them once. */
static void
assert_file_has(const char *path, uint32_t first, uint32_t count)
{
	Buffer data, expected;

	buffer_init(&data, SIZE_MAX);
	buffer_init(&expected, SIZE_MAX);
	get_file(path, &data);
	for (uint32_t i = 0; i < count; i++)
		buffer_printf(&expected, "%04u\n", (first + i) % 10000);
	assert_int_equal(data.len, expected.len);
	if (data.len > 0)
		assert_memory_equal(data.data, expected.data, data.len);
	buffer_free(&data);
	buffer_free(&expected);
}

static void
assert_has(const Sink *sink, uint32_t count)
{
	assert_file_has(sink->path, 0, count);
}

static void
flush(Sink *sink)
{
	assert_int_equal(file_connector.flush(sink->f.writer, &sink->f.err), 0);
}

static int64_t
due(const Sink *sink)
{
	return file_connector.due(sink->f.writer);
}

/* ---- what is collected ---- */

static void
test_rows_are_written_by_the_batch(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "rows", "batch_write_records", "10", NULL);
	start(&sink);
	for (int i = 0; i < 3; i++) {
		put_rows(&sink, 3);
		assert_has(&sink, 0);
	}
	put_rows(&sink, 1);
	assert_has(&sink, 10);
	put_rows(&sink, 9);
	assert_has(&sink, 10);
	put_rows(&sink, 3); /* what comes together is written together */
	assert_has(&sink, 22);
	put_rows(&sink, 9);
	assert_has(&sink, 22);
	flush(&sink); /* an epoch ends */
	assert_has(&sink, 31);
	put_rows(&sink, 9);
	assert_has(&sink, 31);
	put_rows(&sink, 1);
	assert_has(&sink, 41);
	put_rows(&sink, 35);
	assert_has(&sink, 76);
	put_rows(&sink, 1);
	assert_int_equal(syncs.count, 0);
	finish(&sink, false);
	set_up(&sink, "rows", "append", "true", NULL);
	assert_has(&sink, 77);
	tear_down(&sink.f);
}

static void
test_marks_write_what_is_collected(void **state)
{
	WriterMark mark;
	Sink sink;

	(void)state;
	set_up(&sink, "marked", "batch_write_records", "10", "sync_frequency", "15", NULL);
	sink.f.writer_spec.marked = true;
	start(&sink);
	put_rows(&sink, 9);
	assert_has(&sink, 0);
	assert_int_equal(file_connector.mark(sink.f.writer, &mark, &sink.f.err), 0);
	assert_int_equal(mark.length, 9 * ROW_LEN);
	assert_has(&sink, 9);
	assert_int_equal(syncs.count, 1);
	put_rows(&sink, 9);
	assert_has(&sink, 9);
	put_rows(&sink, 1);
	assert_has(&sink, 19);
	put_rows(&sink, 4); /* the disk has the first nine */
	assert_int_equal(syncs.count, 1);
	put_rows(&sink, 1);
	assert_int_equal(syncs.count, 2);
	assert_int_equal(synced(sink.path), 24 * ROW_LEN);
	finish(&sink, false);
}

static void
test_bytes_are_the_other_limit(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "bytes", "batch_write_records", "100", "write_buffer_size", "50", NULL);
	start(&sink);
	for (int i = 0; i < 10; i++)
		put_rows(&sink, 1);
	assert_has(&sink, 0); /* just full */
	put_rows(&sink, 1);
	assert_has(&sink, 11);
	put_rows(&sink, 9);
	assert_has(&sink, 11);
	put_rows(&sink, 20); /* more than ever fits */
	assert_has(&sink, 40);
	finish(&sink, false);
	set_up(&sink, "bytes", "batch_write_records", "3", "write_buffer_size", "50", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_has(&sink, 0);
	put_rows(&sink, 1);
	assert_has(&sink, 3);
	finish(&sink, false);
	set_up(&sink, "bytes", "batch_write_records", "1000000", NULL); /* 1 MB */
	start(&sink);
	put_rows(&sink, (1 << 20) / ROW_LEN);
	assert_has(&sink, 0);
	put_rows(&sink, 1);
	assert_has(&sink, sink.rows);
	finish(&sink, false);
}

static void
test_nothing_is_collected_without_a_word(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "plain", NULL, NULL);
	start(&sink);
	put_rows(&sink, 1);
	assert_has(&sink, 1);
	assert_int_equal(due(&sink), INT64_MAX);
	finish(&sink, false);
	set_up(&sink, "plain", "immediate_flush", "true", "batch_write_records", "100",
	       "write_buffer_size", "1MB", "flush_frequency_ms", "100", NULL);
	start(&sink);
	for (uint32_t i = 1; i < 5; i++) {
		put_rows(&sink, 1);
		assert_has(&sink, i);
		assert_int_equal(due(&sink), INT64_MAX);
	}
	assert_int_equal(syncs.count, 0);
	finish(&sink, false);
	set_up(&sink, "plain", "immediate_flush", "true", "sync", "flush", NULL);
	start(&sink);
	put_rows(&sink, 2);
	put_rows(&sink, 2);
	assert_int_equal(syncs.count, 2); /* each is a flush */
	finish(&sink, false);
}

/* ---- time ---- */

static void
test_collected_rows_are_written_in_time(void **state)
{
	const int64_t begin = 5000 + WALL_AHEAD;
	Sink sink;

	(void)state;
	set_up(&sink, "late", "batch_write_records", "1000", "flush_frequency_ms", "100", NULL);
	start(&sink);
	assert_int_equal(due(&sink), INT64_MAX);
	put_rows(&sink, 1);
	assert_int_equal(due(&sink), begin + 100);
	clock_stands_at += 60;
	put_rows(&sink, 1);
	assert_int_equal(due(&sink), begin + 100); /* of the first of them */
	clock_stands_at += 39;
	put_rows(&sink, 1);
	assert_has(&sink, 0);
	clock_stands_at += 1;
	put_rows(&sink, 1);
	assert_has(&sink, 4);
	assert_int_equal(due(&sink), INT64_MAX);
	clock_stands_at += 500;
	put_rows(&sink, 1);
	assert_has(&sink, 4); /* it has just come */
	assert_int_equal(due(&sink), begin + 700);
	flush(&sink);
	assert_has(&sink, 5);
	assert_int_equal(due(&sink), INT64_MAX);
	finish(&sink, false);
}

static void
test_time_alone_collects(void **state)
{
	const int64_t begin = 5000 + WALL_AHEAD;
	WriterMark mark;
	Sink sink;

	(void)state;
	set_up(&sink, "timed", "flush_frequency_ms", "100", NULL);
	sink.f.writer_spec.marked = true;
	start(&sink);
	assert_int_equal(due(&sink), INT64_MAX);
	put_rows(&sink, 2);
	assert_has(&sink, 0);
	assert_int_equal(due(&sink), begin + 100);
	clock_stands_at += 99;
	put_rows(&sink, 3);
	assert_has(&sink, 0);
	clock_stands_at += 1;
	put_rows(&sink, 1);
	assert_has(&sink, 6);
	assert_int_equal(due(&sink), INT64_MAX);
	put_rows(&sink, 4);
	assert_has(&sink, 6);
	assert_int_equal(file_connector.mark(sink.f.writer, &mark, &sink.f.err), 0);
	assert_int_equal(mark.length, 10 * ROW_LEN);
	assert_has(&sink, 10);
	assert_int_equal(due(&sink), INT64_MAX);
	put_rows(&sink, (1 << 20) / ROW_LEN); /* 1 MB */
	assert_has(&sink, 10);
	put_rows(&sink, 1);
	assert_has(&sink, sink.rows);
	put_rows(&sink, 5);
	finish(&sink, false);
	set_up(&sink, "timed", "append", "true", NULL);
	assert_has(&sink, 10 + (1 << 20) / ROW_LEN + 6);
	tear_down(&sink.f);
}

static void
test_the_earlier_of_two_is_due(void **state)
{
	const int64_t begin = 5000 + WALL_AHEAD;
	Sink sink;

	(void)state;
	set_up(&sink, "due.txt", "write_buffer_size", "1KB", "flush_frequency_ms", "100",
	       "rotate.interval", "130", NULL);
	start(&sink);
	assert_int_equal(due(&sink), INT64_MAX);
	put_rows(&sink, 1);
	assert_int_equal(due(&sink), begin + 100);
	clock_stands_at += 100;
	flush(&sink);
	assert_int_equal(due(&sink), begin + 130);
	clock_stands_at += 10;
	put_rows(&sink, 1);
	assert_int_equal(due(&sink), begin + 130);
	finish(&sink, true);
}

/* ---- waiting for the disk ---- */

static void
test_disk_is_waited_for_by_rows(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "synced", "sync_frequency", "10", NULL);
	start(&sink);
	put_rows(&sink, 25); /* in three pieces */
	assert_has(&sink, 25);
	assert_int_equal(syncs.count, 2);
	assert_int_equal(syncs.sizes[0], 10 * ROW_LEN);
	assert_int_equal(syncs.sizes[1], 20 * ROW_LEN);
	flush(&sink); /* does not wait */
	put_rows(&sink, 4);
	assert_int_equal(syncs.count, 2);
	put_rows(&sink, 1);
	assert_int_equal(syncs.count, 3);
	assert_int_equal(syncs.sizes[2], 30 * ROW_LEN);
	put_rows(&sink, 10); /* exactly */
	assert_int_equal(syncs.count, 4);
	assert_int_equal(syncs.sizes[3], 40 * ROW_LEN);
	put_rows(&sink, 9);
	put_rows(&sink, 2);
	assert_int_equal(syncs.count, 5);
	assert_int_equal(syncs.sizes[4], 50 * ROW_LEN);
	assert_has(&sink, 51);
	finish(&sink, false);
}

static void
test_disk_is_waited_for_at_each_row(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "each", "sync_frequency", "1", "batch_write_records", "100", NULL);
	start(&sink);
	put_rows(&sink, 7);
	assert_int_equal(syncs.count, 7);
	for (uint32_t i = 0; i < 7; i++)
		assert_int_equal(syncs.sizes[i], (i + 1) * ROW_LEN);
	assert_has(&sink, 7);
	finish(&sink, false);
}

/* Rows that are only collected have not been written: they are, before the disk is waited for. */
static void
test_collected_rows_are_synced(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "both", "sync_frequency", "10", "batch_write_records", "4", NULL);
	start(&sink);
	put_rows(&sink, 3);
	assert_has(&sink, 0);
	put_rows(&sink, 1);
	assert_has(&sink, 4);
	put_rows(&sink, 3);
	put_rows(&sink, 3);
	assert_has(&sink, 10);
	assert_int_equal(syncs.count, 1);
	assert_int_equal(syncs.sizes[0], 10 * ROW_LEN);
	put_rows(&sink, 3);
	assert_has(&sink, 10);
	put_rows(&sink, 1);
	assert_has(&sink, 14);
	finish(&sink, false);
}

static void
test_each_write_waits(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "sync", "async_writes", "false", NULL);
	start(&sink);
	for (uint32_t i = 0; i < 4; i++) {
		put_rows(&sink, 3);
		assert_int_equal(syncs.count, i + 1);
		assert_int_equal(syncs.sizes[i], sink.rows * ROW_LEN);
	}
	finish(&sink, false);
	set_up(&sink, "sync", "async_writes", "false", "batch_write_records", "100", NULL);
	start(&sink);
	put_rows(&sink, 3);
	assert_int_equal(syncs.count, 1);
	assert_int_equal(syncs.sizes[0], 3 * ROW_LEN);
	finish(&sink, false);
	set_up(&sink, "sync", "async_writes", "true", NULL);
	start(&sink);
	put_rows(&sink, 3);
	assert_int_equal(syncs.count, 0);
	finish(&sink, false);
}

/* ---- memory ---- */

static const MemoryWatch watch_of_root = {
	.root = memory_root, .target = 0.8, .pressure = 0.9, .interval_ms = 50};

static void
set_up_memory(Sink *sink, const char *above_target, const char *under_pressure)
{
	set_up(sink, "memory", "batch_write_records", "1000", "memory_aware_flushing", above_target,
	       "gc_aware_writing", under_pressure, NULL);
	sink->f.writer_spec.memory = &watch_of_root;
	start(sink);
}

/* One more row while so much memory is in use: does the file have all of them then? */
static void
assert_written_at(Sink *sink, int percent, bool expected)
{
	struct stat info;

	use_percent(percent);
	clock_stands_at += 50;
	put_rows(sink, 1);
	assert_int_equal(stat(sink->path, &info), 0);
	assert_int_equal(info.st_size == sink->rows * ROW_LEN, expected);
}

static void
test_less_is_collected_in_little_memory(void **state)
{
	Sink sink;

	(void)state;
	set_up_memory(&sink, "true", "true");
	assert_written_at(&sink, 79, false);
	assert_written_at(&sink, 80, true);
	assert_written_at(&sink, 85, true);
	assert_written_at(&sink, 79, false);
	assert_written_at(&sink, 95, true);
	assert_has(&sink, 5);
	finish(&sink, false);
	set_up_memory(&sink, "true", "false");
	assert_written_at(&sink, 79, false);
	assert_written_at(&sink, 80, true);
	assert_written_at(&sink, 100, true);
	finish(&sink, false);
	set_up_memory(&sink, "false", "true");
	assert_written_at(&sink, 89, false);
	assert_written_at(&sink, 90, true);
	assert_written_at(&sink, 89, false);
	finish(&sink, false);
	set_up_memory(&sink, "false", "false");
	assert_written_at(&sink, 100, false);
	finish(&sink, false);
}

static void
test_memory_is_looked_at_from_time_to_time(void **state)
{
	Sink sink;

	(void)state;
	set_up_memory(&sink, "true", "true");
	assert_written_at(&sink, 10, false);
	use_percent(85);
	clock_stands_at += 49;
	put_rows(&sink, 1);
	assert_has(&sink, 0);
	clock_stands_at += 1;
	put_rows(&sink, 1);
	assert_has(&sink, 3);
	use_percent(10);
	clock_stands_at += 49;
	put_rows(&sink, 1);
	assert_has(&sink, 4); /* it was little when it was looked at */
	clock_stands_at += 1;
	put_rows(&sink, 1);
	assert_has(&sink, 4);
	finish(&sink, false);
}

static void
test_memory_matters_to_its_strategy_only(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "memory", "batch_write_records", "1000", "memory_aware_flushing", "true",
	       "gc_aware_writing", "true", NULL);
	start(&sink); /* without a watch */
	assert_written_at(&sink, 100, false);
	finish(&sink, false);
}

/* ---- parts ---- */

static void
test_parts_are_written_by_the_batch(void **state)
{
	const char *work = in_folder(".parts-part-000001.txt.inprogress");
	const char *next = in_folder(".parts-part-000002.txt.inprogress");
	Sink sink;

	(void)state;
	set_up(&sink, "parts.txt", "batch_write_records", "3", "rotate.rows", "5", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_file_has(work, 0, 0);
	put_rows(&sink, 1);
	assert_file_has(work, 0, 3);
	put_rows(&sink, 1);
	assert_file_has(work, 0, 3);
	put_rows(&sink, 1); /* full: all of it is written */
	assert_file_has(work, 0, 5);
	put_rows(&sink, 8); /* the rest of a batch, and two parts */
	assert_file_has(next, 5, 5);
	assert_file_has(in_folder(".parts-part-000003.txt.inprogress"), 10, 3);
	assert_int_equal(syncs.count, 0);
	assert_int_equal(file_connector.complete(sink.f.writer, &sink.f.err), 0);
	finish(&sink, false);
	assert_file_has(in_folder("parts-part-000001.txt"), 0, 5);
	assert_file_has(in_folder("parts-part-000002.txt"), 5, 5);
	assert_file_has(in_folder("parts-part-000003.txt"), 10, 3);
}

static void
test_immediate_parts(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "now.txt", "immediate_flush", "true", "write_buffer_size", "1MB",
	       "rotate.rows", "5", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_file_has(in_folder(".now-part-000001.txt.inprogress"), 0, 2);
	put_rows(&sink, 2);
	assert_file_has(in_folder(".now-part-000001.txt.inprogress"), 0, 4);
	finish(&sink, true);
}

/* All rows before are on the disk, also those of a part that was full before. */
static void
test_parts_are_synced(void **state)
{
	const char *first = in_folder(".disk-part-000001.txt.inprogress");
	const char *second = in_folder(".disk-part-000002.txt.inprogress");
	Sink sink;

	(void)state;
	set_up(&sink, "disk.txt", "sync_frequency", "5", "rotate.rows", "3", NULL);
	start(&sink);
	put_rows(&sink, 4);
	put_rows(&sink, 1);
	assert_int_equal(synced(second), 2 * ROW_LEN);
	assert_int_equal(synced(first), 3 * ROW_LEN);
	finish(&sink, true);
	set_up(&sink, "disk.txt", "sync_frequency", "3", "rotate.rows", "3", NULL);
	start(&sink);
	put_rows(&sink, 7);
	assert_int_equal(synced(first), 3 * ROW_LEN);
	assert_int_equal(synced(second), 3 * ROW_LEN);
	finish(&sink, true);
	set_up(&sink, "disk.txt", "async_writes", "false", "rotate.rows", "3", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_int_equal(synced(first), 2 * ROW_LEN);
	put_rows(&sink, 3);
	assert_int_equal(synced(first), 3 * ROW_LEN);
	assert_int_equal(synced(second), 2 * ROW_LEN);
	finish(&sink, true);
	set_up(&sink, "disk.txt", "rotate.rows", "3", NULL); /* nobody asks for it */
	start(&sink);
	put_rows(&sink, 7);
	assert_int_equal(syncs.count, 0);
	finish(&sink, true);
}

static void
test_parts_in_little_memory(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "low.txt", "batch_write_records", "1000", "memory_aware_flushing", "true",
	       "rotate.rows", "5", NULL);
	sink.f.writer_spec.memory = &watch_of_root;
	use_percent(10);
	start(&sink);
	put_rows(&sink, 2);
	assert_file_has(in_folder(".low-part-000001.txt.inprogress"), 0, 0);
	use_percent(85);
	clock_stands_at += 50;
	put_rows(&sink, 2);
	assert_file_has(in_folder(".low-part-000001.txt.inprogress"), 0, 4);
	finish(&sink, true);
}

/* ---- compression ---- */

/* What can be read of the file as it is now. */
static void
assert_unpacks_to(const char *path, Compression compression, uint32_t first, uint32_t count)
{
	char plain[4096];
	const char *reason = "";
	Buffer data;

	buffer_init(&data, SIZE_MAX);
	get_file(path, &data);
	Decompressor *decompressor = decompressor_new(compression);
	CompressPieces pieces = {
		.in = data.data, .in_len = data.len, .out = plain, .out_len = sizeof plain};
	if (data.len > 0)
		assert_true(decompressor_run(decompressor, &pieces, &reason));
	decompressor_destroy(decompressor);
	buffer_free(&data);
	put_file(in_folder("plain"), plain, pieces.out_used);
	assert_file_has(in_folder("plain"), first, count);
}

static void
test_compressed_rows_can_be_read_after_a_batch(void **state)
{
	static const struct {
		const char *name;
		Compression compression;
	} kinds[] = {{"out.gz", COMPRESSION_GZIP},
		     {"out.zst", COMPRESSION_ZSTD},
		     {"out.lz4", COMPRESSION_LZ4}};
	Sink sink;

	(void)state;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		Compression compression = kinds[i].compression;

		set_up(&sink, kinds[i].name, "batch_write_records", "10", NULL);
		start(&sink);
		put_rows(&sink, 9);
		assert_unpacks_to(sink.path, compression, 0, 0);
		put_rows(&sink, 1);
		assert_unpacks_to(sink.path, compression, 0, 10);
		put_rows(&sink, 9);
		assert_unpacks_to(sink.path, compression, 0, 10);
		put_rows(&sink, 16);
		assert_unpacks_to(sink.path, compression, 0, 35);
		put_rows(&sink, 1);
		finish(&sink, false);
		assert_unpacks_to(in_folder(kinds[i].name), compression, 0, 36);
	}
}

static void
test_compressed_rows_are_synced(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "sync.gz", "sync_frequency", "10", NULL);
	start(&sink);
	put_rows(&sink, 25);
	assert_int_equal(syncs.count, 2);
	assert_unpacks_to(sink.path, COMPRESSION_GZIP, 0, 20);
	put_rows(&sink, 5);
	assert_unpacks_to(sink.path, COMPRESSION_GZIP, 0, 30);
	finish(&sink, false);
	set_up(&sink, "sync.gz", "immediate_flush", "true", NULL);
	start(&sink);
	for (uint32_t i = 1; i < 4; i++) {
		put_rows(&sink, 1);
		assert_unpacks_to(sink.path, COMPRESSION_GZIP, 0, i);
	}
	finish(&sink, false);
	set_up(&sink, "sync.gz", "batch_write_records", "3", "rotate.rows", "5", NULL);
	start(&sink);
	put_rows(&sink, 3);
	assert_unpacks_to(in_folder(".sync-part-000001.gz.inprogress"), COMPRESSION_GZIP, 0, 3);
	put_rows(&sink, 5);
	assert_unpacks_to(in_folder(".sync-part-000001.gz.inprogress"), COMPRESSION_GZIP, 0, 5);
	assert_unpacks_to(in_folder(".sync-part-000002.gz.inprogress"), COMPRESSION_GZIP, 5, 3);
	finish(&sink, true);
}

/* ---- failures ---- */

static bool
is_retriable(const Sink *sink)
{
	return (sink->f.err.flags & ERROR_RETRIABLE) != 0;
}

static Status
try_limited(Sink *sink, uint32_t count, rlim_t limit)
{
	struct rlimit before, small;

	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = limit;
	setrlimit(RLIMIT_FSIZE, &small);
	Status status = try_rows(sink, count);
	setrlimit(RLIMIT_FSIZE, &before);
	return status;
}

static void
test_failed_piece(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "failed", "sync_frequency", "2", NULL);
	start(&sink);
	assert_int_equal(try_limited(&sink, 6, 7), FERRIS_ERR_FILE_WRITE);
	assert_true(is_retriable(&sink)); /* the first one: nothing was taken */
	assert_has(&sink, 0);
	put_rows(&sink, 6); /* and none is there twice */
	assert_has(&sink, 6);
	assert_int_equal(syncs.count, 3);
	assert_int_equal(try_limited(&sink, 6, 43), FERRIS_ERR_FILE_WRITE);
	assert_false(is_retriable(&sink)); /* the second one */
	assert_has(&sink, 8);
	assert_int_equal(syncs.count, 4);
	finish(&sink, true);
}

static void
test_disk_that_fails(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "failed", "sync_frequency", "2", NULL);
	start(&sink);
	put_rows(&sink, 1);
	syncs.fail = true;
	assert_int_equal(try_rows(&sink, 1), FERRIS_ERR_FILE_WRITE);
	assert_false(is_retriable(&sink)); /* the file has the row */
	assert_has(&sink, 2);
	finish(&sink, true);
	set_up(&sink, "failed", "async_writes", "false", NULL);
	start(&sink);
	syncs.fail = true;
	assert_int_equal(try_rows(&sink, 3), FERRIS_ERR_FILE_WRITE);
	assert_false(is_retriable(&sink));
	finish(&sink, true);
}

static void
test_failed_write_of_what_was_collected(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "failed", "batch_write_records", "3", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_int_equal(try_limited(&sink, 1, 4), FERRIS_ERR_FILE_WRITE);
	assert_false(is_retriable(&sink)); /* it is among the collected ones */
	assert_has(&sink, 0);
	flush(&sink);
	assert_has(&sink, 3);
	finish(&sink, true);
	set_up(&sink, "failed", "batch_write_records", "100", "write_buffer_size", "10", NULL);
	start(&sink);
	put_rows(&sink, 2);
	assert_int_equal(try_limited(&sink, 1, 4), FERRIS_ERR_FILE_WRITE);
	assert_true(is_retriable(&sink)); /* it is not */
	assert_has(&sink, 0);
	put_rows(&sink, 1);
	assert_has(&sink, 3);
	finish(&sink, true);
}

static void
test_failed_piece_of_parts(void **state)
{
	Sink sink;

	(void)state;
	set_up(&sink, "bad.txt", "sync_frequency", "2", "rotate.rows", "3", NULL);
	start(&sink);
	assert_int_equal(try_limited(&sink, 4, 7), FERRIS_ERR_FILE_WRITE);
	assert_true(is_retriable(&sink));
	assert_file_has(in_folder(".bad-part-000001.txt.inprogress"), 0, 0);
	put_rows(&sink, 2);
	assert_int_equal(try_limited(&sink, 4, 12), FERRIS_ERR_FILE_WRITE); /* the third row */
	assert_true(is_retriable(&sink));
	put_rows(&sink, 1);
	assert_file_has(in_folder(".bad-part-000001.txt.inprogress"), 0, 3);
	assert_int_equal(try_limited(&sink, 4, 7), FERRIS_ERR_FILE_WRITE);
	assert_false(is_retriable(&sink)); /* one row, then a piece of two */
	assert_file_has(in_folder(".bad-part-000002.txt.inprogress"), 3, 1);
	finish(&sink, true);
}

static int
end_tests(void **state)
{
	clock_stands_at = 0;
	return remove_folder(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_are_written_by_the_batch),
		cmocka_unit_test(test_marks_write_what_is_collected),
		cmocka_unit_test(test_bytes_are_the_other_limit),
		cmocka_unit_test(test_nothing_is_collected_without_a_word),
		cmocka_unit_test(test_collected_rows_are_written_in_time),
		cmocka_unit_test(test_time_alone_collects),
		cmocka_unit_test(test_the_earlier_of_two_is_due),
		cmocka_unit_test(test_disk_is_waited_for_by_rows),
		cmocka_unit_test(test_disk_is_waited_for_at_each_row),
		cmocka_unit_test(test_collected_rows_are_synced),
		cmocka_unit_test(test_each_write_waits),
		MEMORY_TEST(test_less_is_collected_in_little_memory),
		MEMORY_TEST(test_memory_is_looked_at_from_time_to_time),
		MEMORY_TEST(test_memory_matters_to_its_strategy_only),
		cmocka_unit_test(test_parts_are_written_by_the_batch),
		cmocka_unit_test(test_immediate_parts),
		cmocka_unit_test(test_parts_are_synced),
		MEMORY_TEST(test_parts_in_little_memory),
		cmocka_unit_test(test_compressed_rows_can_be_read_after_a_batch),
		cmocka_unit_test(test_compressed_rows_are_synced),
		cmocka_unit_test(test_failed_piece),
		cmocka_unit_test(test_disk_that_fails),
		cmocka_unit_test(test_failed_write_of_what_was_collected),
		cmocka_unit_test(test_failed_piece_of_parts),
	};

	return file_tests_begin() ? cmocka_run_group_tests(tests, NULL, end_tests) : 1;
}
