/* tests/unit/test_file_connector.c -- reading, sampling and watching files and pipes. */
#include "file_fixture.h"

static void
test_every_chunk_size_gives_the_same_bytes(void **state)
{
	uint64_t seed = (uint64_t)getpid() * 2654435761u + 1;
	const char *path = in_folder("sizes");
	char size[16];

	(void)state;
	print_message("seed %llu\n", (unsigned long long)seed);
	for (int final = 0; final < 2; final++) {
		Buffer data;

		buffer_init(&data, SIZE_MAX);
		make_lines(&data, 60, &seed, final == 1);
		put_file(path, data.data, data.len);
		for (int n = 1; n < 400; n += n < 70 ? 1 : 37) {
			Fixture f;

			snprintf(size, sizeof size, "%d", n);
			set_up_reader(&f, &lines_codec, "path", path, "read.buffer.size", size,
				      NULL);
			assert_int_equal(open_reader(&f), 0);
			assert_int_equal(read_all(&f), 0);
			assert_int_equal(f.got.len, data.len);
			assert_memory_equal(f.got.data, data.data, data.len);
			assert_true(n > 70 || f.chunks > 3);
			tear_down(&f);
		}
		buffer_free(&data);
	}
}

static void
test_chunks_end_at_records(void **state)
{
	const char *path = in_folder("ends");
	ReadResult result = READ_IDLE;
	Fixture f;

	(void)state;
	put_file(path, "one\ntwo\nthree\nfour", 18);
	set_up_reader(&f, &lines_codec, "path", path, "read.buffer.size", "9", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_once(&f, 0, &result), 0);
	assert_got(&f, "one\ntwo\n");
	assert_int_equal(f.chunk->next_position, 8);
	assert_int_equal(read_once(&f, 0, &result), 0);
	assert_got(&f, "one\ntwo\nthree\n");
	assert_string_equal(file_connector.split_name(f.reader, 0), path);
	assert_int_equal(file_connector.lag(f.reader), 4); /* 14 delivered, of 18 */
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "one\ntwo\nthree\nfour");
	assert_int_equal(file_connector.lag(f.reader), 0);
	tear_down(&f);
}

static void
test_small_files(void **state)
{
	static const char *const texts[] = {"",           "\n",       "x",     "x\n",
					    "a\r\nb\r\n", "a\r\nb\r", "\n\n\n"};
	const char *path = in_folder("small");

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
		put_file(path, texts[i], strlen(texts[i]));
		assert_reads(path, texts[i]);
	}
}

static void
test_record_size_limit_is_exact(void **state)
{
	const char *path = in_folder("limit");
	char line[4000];

	(void)state;
	for (int shift = 0; shift < 300; shift += 17) /* wherever the record begins in a chunk */
		for (int over = 0; over < 2; over++) {
			Fixture f;
			size_t len = 0;

			for (; len < (size_t)shift; len++)
				line[len] = len % 10 == 9 ? '\n' : 'x';
			if (len > 0)
				line[len - 1] = '\n';
			memset(line + len, 'y', 999 + over);
			len += 999 + over;
			line[len++] = '\n';
			put_file(path, line, len);
			set_up_reader(&f, &lines_codec, "path", path, "read.buffer.size", "64",
				      "max.record.size", "1000", NULL);
			assert_int_equal(open_reader(&f), 0);
			Status status = read_all(&f);
			assert_int_equal(status, over ? FERRIS_ERR_RECORD_TOO_LARGE : FERRIS_OK);
			if (over) {
				char where[64];
				snprintf(where, sizeof where, "record at byte %d of file", shift);
				assert_non_null(strstr(f.err.message, where));
			}
			tear_down(&f);
		}
}

static void
test_header_of_every_file(void **state)
{
	Fixture f;
	char size[8];

	(void)state;
	put_file(in_folder("h1.txt"), "head\na\nb\n", 9);
	put_file(in_folder("h2.txt"), "head\nc", 6);
	put_file(in_folder("h3.txt"), "head\n", 5);
	put_file(in_folder("h4.txt"), "", 0);
	for (int n = 1; n < 12; n++) {
		snprintf(size, sizeof size, "%d", n);
		set_up_reader(&f, &headed_codec, "path", in_folder("h?.txt"), "read.buffer.size",
			      size, NULL);
		assert_int_equal(open_reader(&f), 0);
		f.next[0] = f.next[1] = 5;
		assert_int_equal(read_all(&f), 0);
		assert_got(&f, "a\nb\nc");
		assert_int_equal(f.skipped_lines, 2); /* of the two files that have records */
		tear_down(&f);
	}
	put_file(in_folder("h2.txt"), "heat\nc", 6);
	set_up_reader(&f, &headed_codec, "path", in_folder("h?.txt"), NULL);
	f.next[0] = 5;
	assert_int_equal(open_reader(&f), 0);
	ReadResult result = READ_IDLE;
	assert_int_equal(read_once(&f, 0, &result), 0);
	assert_int_equal(read_once(&f, 0, &result), FERRIS_ERR_BAD_RECORD);
	assert_non_null(strstr(f.err.message, "h2.txt"));
	tear_down(&f);
}

static void
test_globs_and_folders(void **state)
{
	(void)state;
	mkdir(in_folder("tree"), 0755);
	mkdir(in_folder("tree/sub"), 0755);
	mkdir(in_folder("tree/sub/deep"), 0755);
	mkdir(in_folder("tree/empty"), 0755);
	put_file(in_folder("tree/b.txt"), "b\n", 2);
	put_file(in_folder("tree/a.txt"), "a\n", 2);
	put_file(in_folder("tree/c.csv"), "c\n", 2);
	put_file(in_folder("tree/.hidden.txt"), "hidden\n", 7);
	put_file(in_folder("tree/sub/d.txt"), "d\n", 2);
	put_file(in_folder("tree/sub/deep/e.txt"), "e\n", 2);
	put_file(in_folder("tree/we[i]rd.log"), "w\n", 2);
	assert_reads(in_folder("tree/*.txt"), "a\nb\n");
	assert_reads(in_folder("tree/?.*"), "a\nb\nc\n");
	assert_reads(in_folder("tree/[bc].*"), "b\nc\n");
	assert_reads(in_folder("tree/**/*.txt"), "a\nb\nd\ne\n");
	assert_reads(in_folder("tree/**/deep/*"), "e\n");
	assert_reads(in_folder("*/sub/d.txt"), "d\n");
	assert_reads(in_folder("tree"), "a\nb\nc\nw\n");
	assert_reads(in_folder("tree/we[i]rd.log"), "w\n"); /* a name that exists is no pattern */
	char uri[300];
	snprintf(uri, sizeof uri, "file://%s", in_folder("tree/a.txt"));
	assert_reads(uri, "a\n");

	Fixture f;
	set_up_reader(&f, &lines_codec, "path", in_folder("tree"), "recursive", "true",
		      "extension_filter", ".txt", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "a\nb\nd\ne\n");
	tear_down(&f);
}

static void
assert_open_fails(const char *path, const char *message)
{
	Fixture f;

	set_up_reader(&f, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&f), FERRIS_ERR_FILE_OPEN);
	assert_non_null(strstr(f.err.message, message));
	assert_non_null(strstr(f.err.message, path));
	assert_true(f.err.hint[0] != '\0');
	tear_down(&f);
}

static void
test_open_errors(void **state)
{
	Fixture f;

	(void)state;
	assert_open_fails(in_folder("missing"), "No such file");
	assert_open_fails(in_folder("missing-*.x"), "no file matches");
	assert_open_fails(in_folder("tree/empty"), "has no files");
	assert_open_fails(in_folder("ends/below"), "Not a directory");
	assert_open_fails("", "empty");
	if (geteuid() != 0) {
		put_file(in_folder("secret"), "x\n", 2);
		chmod(in_folder("secret"), 0);
		assert_open_fails(in_folder("secret"), "Permission denied");
	}
	set_up_reader(&f, &lines_codec, NULL);
	assert_int_equal(open_reader(&f), FERRIS_ERR_OPTION_MISSING);
	tear_down(&f);
}

/* The kernel refuses to read its first page. */
static void
test_read_error(void **state)
{
	ReadResult result;
	Fixture f;

	(void)state;
	set_up_reader(&f, &lines_codec, "path", "/proc/self/mem", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_once(&f, 0, &result), FERRIS_ERR_FILE_READ);
	assert_non_null(strstr(f.err.message, "'/proc/self/mem' at byte 0"));
	assert_true((f.err.flags & ERROR_RETRIABLE) != 0);
	tear_down(&f);
}

static void *
create_later(void *path)
{
	usleep(100000);
	put_file(path, "late\n", 5);
	return NULL;
}

static void
test_wait_for_a_file(void **state)
{
	char path[256];
	pthread_t thread;
	Fixture f;

	(void)state;
	snprintf(path, sizeof path, "%s", in_folder("later"));
	pthread_create(&thread, NULL, create_later, path);
	set_up_reader(&f, &lines_codec, "path", path, "file.wait.timeout", "5s",
		      "file.retry.interval", "10ms", NULL);
	assert_int_equal(open_reader(&f), 0);
	pthread_join(thread, NULL);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "late\n");
	tear_down(&f);
}

/* ---- standard input ---- */

typedef struct Feed {
	int fd;
	const char *const *pieces; /* up to NULL, with a pause between them */
} Feed;

static void *
feed_pieces(void *argument)
{
	const Feed *feed = argument;

	for (const char *const *piece = feed->pieces; *piece != NULL; piece++) {
		if (piece != feed->pieces)
			usleep(60000);
		if (write(feed->fd, *piece, strlen(*piece)) < 0)
			break;
	}
	close(feed->fd);
	return NULL;
}

/* Standard input becomes a pipe that another thread fills; returns the old one. */
static int
feed_stdin(Feed *feed, pthread_t *thread)
{
	int old = dup(STDIN_FILENO);
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	feed->fd = ends[1];
	pthread_create(thread, NULL, feed_pieces, feed);
	return old;
}

static void
restore_stdin(int old, pthread_t thread)
{
	pthread_join(thread, NULL);
	dup2(old, STDIN_FILENO);
	close(old);
}

static void
test_stdin_by_pieces(void **state)
{
	static const char *const pieces[] = {"one\ntw", "o\nthr", "ee\n", "four", NULL};
	Feed feed = {.pieces = pieces};
	ReadResult result;
	pthread_t thread;
	Fixture f;

	(void)state;
	int old = feed_stdin(&feed, &thread);
	set_up_reader(&f, &lines_codec, "path", "-", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_once(&f, TIMEOUT_MS, &result), 0);
	assert_int_equal(result, READ_DATA); /* what is there is given, before the rest comes */
	assert_got(&f, "one\n");
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "one\ntwo\nthree\nfour");
	assert_string_equal(file_connector.split_name(f.reader, 0), "standard input");
	tear_down(&f);
	restore_stdin(old, thread);
}

static void
test_idle_pipe(void **state)
{
	static const char *const pieces[] = {"", "x\n", NULL};
	Feed feed = {.pieces = pieces};
	ReadResult result;
	pthread_t thread;
	Fixture f;

	(void)state;
	int old = feed_stdin(&feed, &thread);
	set_up_reader(&f, &lines_codec, "path", "-", "watch", "true", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_once(&f, 1, &result), 0);
	assert_int_equal(result, READ_IDLE);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "x\n");
	tear_down(&f);
	restore_stdin(old, thread);
}

static void
test_sample_leaves_stdin_as_it_is(void **state)
{
	static const char *const pieces[] = {"on", "e\ntwo\nthr", "ee\n", NULL};
	Feed feed = {.pieces = pieces};
	pthread_t thread;
	Fixture f;

	(void)state;
	int old = feed_stdin(&feed, &thread);
	set_up_reader(&f, &lines_codec, "path", "-", NULL);
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 1000, &f.err), 0);
	assert_true(f.chunk->len >= 8);
	assert_memory_equal(f.chunk->data, "one\ntwo\n", 8);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "one\ntwo\nthree\n");
	tear_down(&f);
	restore_stdin(old, thread);

	/* A redirected file: read from where it stands, twice. */
	put_file(in_folder("redirected"), "skip\na\nb\n", 9);
	old = dup(STDIN_FILENO);
	int fd = open(in_folder("redirected"), O_RDONLY);
	lseek(fd, 5, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);
	set_up_reader(&f, &lines_codec, "path", "-", NULL);
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 1000, &f.err), 0);
	assert_int_equal(f.chunk->len, 4);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, "a\nb\n");
	tear_down(&f);
	dup2(old, STDIN_FILENO);
	close(old);
}

static void
test_samples(void **state)
{
	Fixture f;

	(void)state;
	put_file(in_folder("s1.txt"), "", 0);
	put_file(in_folder("s2.txt"), "head\nlonger line\nx", 18);
	set_up_reader(&f, &headed_codec, "path", in_folder("s?.txt"), NULL);
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 6, &f.err), 0);
	assert_int_equal(f.chunk->len, 5);
	assert_memory_equal(f.chunk->data, "head\n", 5); /* from the first byte, whole records */
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 2, &f.err), 0);
	assert_int_equal(f.chunk->len, 5); /* a longer first record makes room */
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 99, &f.err), 0);
	assert_int_equal(f.chunk->len, 18); /* the last record needs no line end */
	tear_down(&f);
	set_up_reader(&f, &lines_codec, "path", in_folder("s1.txt"), NULL);
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 99, &f.err),
			 FERRIS_ERR_NO_SCHEMA);
	tear_down(&f);
}

/* ---- compression ---- */

static const char *const endings[] = {"gz", "zst", "lz4"};

static void
write_lines(const char *path, const Buffer *data)
{
	Fixture f;

	set_up_writer(&f, "", "path", path, NULL);
	assert_int_equal(open_writer(&f), 0);
	for (size_t at = 0; at < data->len;) {
		size_t part = data->len - at < 10000 ? data->len - at : 10000;
		Output output = {.bytes = {.data = data->data + at, .len = part}};

		assert_int_equal(file_connector.write(f.writer, &output, &f.err), 0);
		at += part;
	}
	assert_int_equal(file_connector.flush(f.writer, &f.err), 0);
	assert_int_equal(file_connector.writer_close(f.writer, false, &f.err), 0);
	tear_down(&f);
}

static void
test_compressed_round_trip(void **state)
{
	uint64_t seed = 7;
	Buffer data;
	char name[32];

	(void)state;
	buffer_init(&data, SIZE_MAX);
	make_lines(&data, 30000, &seed, false);
	for (size_t i = 0; i < 3; i++) {
		Fixture f;

		snprintf(name, sizeof name, "trip.%s", endings[i]);
		write_lines(in_folder(name), &data);
		set_up_reader(&f, &lines_codec, "path", in_folder(name), NULL);
		assert_int_equal(open_reader(&f), 0);
		assert_int_equal(read_all(&f), 0);
		assert_int_equal(f.got.len, data.len);
		assert_memory_equal(f.got.data, data.data, data.len);
		assert_true(f.chunks > 1);
		tear_down(&f);
	}
	buffer_free(&data);
}

/* Frames one after the other are one stream; zeros behind them are padding. */
static void
test_several_frames(void **state)
{
	static const char *const first[] = {"one\ntw", NULL};
	static const char *const second[] = {"o\nthree", NULL};
	char name[32];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		Buffer both;

		buffer_init(&both, SIZE_MAX);
		snprintf(name, sizeof name, "f1.%s", endings[i]);
		write_file(in_folder(name), first, false);
		get_file(in_folder(name), &both);
		snprintf(name, sizeof name, "f2.%s", endings[i]);
		write_file(in_folder(name), second, false);
		get_file(in_folder(name), &both);
		snprintf(name, sizeof name, "both.%s", endings[i]);
		put_file(in_folder(name), both.data, both.len);
		assert_reads(in_folder(name), "one\ntwo\nthree");
		buffer_append(&both, "\0\0\0\0\0\0", 6);
		put_file(in_folder(name), both.data, both.len);
		assert_reads(in_folder(name), "one\ntwo\nthree");
		buffer_free(&both);
	}
}

/* Cut anywhere: an error and never a short result.  A flipped bit: never other bytes. */
static void
test_damaged_compression(void **state)
{
	uint64_t seed = 11;
	Buffer data;
	char name[32];

	(void)state;
	buffer_init(&data, SIZE_MAX);
	make_lines(&data, 40, &seed, true);
	for (size_t i = 0; i < 3; i++) {
		Buffer whole;

		buffer_init(&whole, SIZE_MAX);
		snprintf(name, sizeof name, "damaged.%s", endings[i]);
		write_lines(in_folder(name), &data);
		get_file(in_folder(name), &whole);
		for (size_t cut = 0; cut < whole.len; cut++) {
			Fixture f;

			put_file(in_folder(name), whole.data, cut);
			set_up_reader(&f, &lines_codec, "path", in_folder(name), NULL);
			assert_int_equal(open_reader(&f), 0);
			assert_int_equal(read_all(&f), FERRIS_ERR_COMPRESSION);
			assert_non_null(strstr(f.err.message, name));
			assert_non_null(strstr(f.err.message, "byte"));
			tear_down(&f);
		}
		for (size_t at = 0; at < whole.len; at++) {
			Fixture f;

			whole.data[at] ^= 0x10;
			put_file(in_folder(name), whole.data, whole.len);
			whole.data[at] ^= 0x10;
			set_up_reader(&f, &lines_codec, "path", in_folder(name), NULL);
			assert_int_equal(open_reader(&f), 0);
			if (read_all(&f) == FERRIS_OK) { /* such as the time in gzip's header */
				assert_int_equal(f.got.len, data.len);
				assert_memory_equal(f.got.data, data.data, data.len);
			} else {
				assert_int_equal(f.err.status, FERRIS_ERR_COMPRESSION);
			}
			tear_down(&f);
		}
		buffer_free(&whole);
	}
	buffer_free(&data);
}

/* A run that failed must not leave a file that looks complete. */
static void
test_failed_run_leaves_frame_open(void **state)
{
	static const char *const pieces[] = {"one\n", "two\n", NULL};
	char name[32];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		Fixture f;

		snprintf(name, sizeof name, "failed.%s", endings[i]);
		write_file(in_folder(name), pieces, true);
		set_up_reader(&f, &lines_codec, "path", in_folder(name), NULL);
		assert_int_equal(open_reader(&f), 0);
		assert_int_equal(read_all(&f), FERRIS_ERR_COMPRESSION);
		tear_down(&f);
	}
}

static void
test_sample_of_compressed(void **state)
{
	static const char *const pieces[] = {"one\ntwo\n", NULL};
	Fixture f;

	(void)state;
	write_file(in_folder("sample.gz"), pieces, false);
	set_up_reader(&f, &lines_codec, "path", in_folder("sample.gz"), NULL);
	assert_int_equal(file_connector.sample(&f.reader_spec, &f.arena, f.chunk, 5, &f.err), 0);
	assert_int_equal(f.chunk->len, 4);
	tear_down(&f);
}

/* ---- watching ---- */

static void
test_watch_append(void **state)
{
	const char *path = in_folder("grow");
	ReadResult result;
	Fixture f;

	(void)state;
	put_file(path, "one\ntw", 6);
	set_up_watch(&f, &lines_codec, path);
	read_until(&f, 4);
	assert_int_equal(read_once(&f, 30, &result), 0);
	assert_int_equal(result, READ_IDLE); /* an unfinished line waits */
	append_file(path, "o\n");
	read_until(&f, 8);
	append_file(path, "thr");
	assert_int_equal(read_once(&f, 30, &result), 0);
	assert_int_equal(result, READ_IDLE);
	append_file(path, "ee\nfour\n");
	read_until(&f, 19);
	assert_got(&f, "one\ntwo\nthree\nfour\n");
	tear_down(&f);
}

static void
test_watch_rotation(void **state)
{
	char path[256], old[256];
	ReadResult result;
	Fixture f;

	(void)state;
	snprintf(path, sizeof path, "%s", in_folder("app.log"));
	snprintf(old, sizeof old, "%s", in_folder("app.log.1"));
	put_file(path, "head\none\n", 9);
	set_up_watch(&f, &headed_codec, path);
	f.next[0] = 5;
	read_until(&f, 4);
	rename(path, old);
	append_file(old, "two\nlast"); /* a writer that still has it open */
	assert_int_equal(read_once(&f, 30, &result), 0);
	put_file(path, "head\nthree\n", 11);
	for (int i = 0; f.got.len < 18 && i < 50; i++) {
		assert_int_equal(read_once(&f, 100, &result), 0);
		if (f.next[0] == 17) /* the old file is done; the new one's header is skipped */
			f.next[0] = 5;
	}
	assert_got(&f, "one\ntwo\nlastthree\n");
	tear_down(&f);
}

static void
test_watch_truncation(void **state)
{
	const char *path = in_folder("cut");
	ReadResult result;
	Fixture f;

	(void)state;
	put_file(path, "one\ntwo\npartial", 15);
	set_up_watch(&f, &lines_codec, path);
	read_until(&f, 8);
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(read_once(&f, 30, &result), 0);
	assert_int_equal(result, READ_IDLE);
	append_file(path, "new\n");
	read_until(&f, 12);
	assert_got(&f, "one\ntwo\nnew\n");
	tear_down(&f);
}

static void
test_watch_finds_new_files(void **state)
{
	static const char *const pieces[] = {"zipped", NULL};
	Fixture f;

	(void)state;
	mkdir(in_folder("inbox"), 0755);
	put_file(in_folder("inbox/1"), "one\n", 4);
	set_up_watch(&f, &lines_codec, in_folder("inbox"));
	read_until(&f, 4);
	put_file(in_folder("inbox/2"), "two\n", 4);
	read_until(&f, 8);
	append_file(in_folder("inbox/1"), "more\n");
	read_until(&f, 13);
	write_file(in_folder("zipped.gz"), pieces, false);
	rename(in_folder("zipped.gz"), in_folder("inbox/3.gz"));
	read_until(&f, 19);
	assert_got(&f, "one\ntwo\nmore\nzipped");
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_chunk_size_gives_the_same_bytes),
		cmocka_unit_test(test_chunks_end_at_records),
		cmocka_unit_test(test_small_files),
		cmocka_unit_test(test_record_size_limit_is_exact),
		cmocka_unit_test(test_header_of_every_file),
		cmocka_unit_test(test_globs_and_folders),
		cmocka_unit_test(test_open_errors),
		cmocka_unit_test(test_read_error),
		cmocka_unit_test(test_wait_for_a_file),
		cmocka_unit_test(test_stdin_by_pieces),
		cmocka_unit_test(test_idle_pipe),
		cmocka_unit_test(test_sample_leaves_stdin_as_it_is),
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_compressed_round_trip),
		cmocka_unit_test(test_several_frames),
		cmocka_unit_test(test_damaged_compression),
		cmocka_unit_test(test_failed_run_leaves_frame_open),
		cmocka_unit_test(test_sample_of_compressed),
		cmocka_unit_test(test_watch_append),
		cmocka_unit_test(test_watch_rotation),
		cmocka_unit_test(test_watch_truncation),
		cmocka_unit_test(test_watch_finds_new_files),
	};

	return file_tests_begin() ? cmocka_run_group_tests(tests, NULL, remove_folder) : 1;
}
