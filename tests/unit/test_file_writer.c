/* tests/unit/test_file_writer.c -- writing to files, full disks, pipes and standard output. */
#include "connector/file_parts.h"
#include "file_fixture.h"

static Status
write_text(Fixture *f, const char *text)
{
	Output output = {
		.bytes = {.data = arena_copy(&f->arena, text, strlen(text)), .len = strlen(text)}};

	return file_connector.write(f->writer, &output, &f->err);
}

static void
assert_holds(const char *path, const char *text)
{
	Buffer data;

	buffer_init(&data, SIZE_MAX);
	get_file(path, &data);
	assert_int_equal(data.len, strlen(text));
	if (data.len > 0)
		assert_memory_equal(data.data, text, data.len);
	buffer_free(&data);
}

static void
write_with(const char *path, const char *append, const char *buffer, const char *text)
{
	Fixture f;

	set_up_writer(&f, "head\n", "path", path, "append", append, "write.buffer.size", buffer,
		      "sync", "flush", NULL);
	assert_int_equal(open_writer(&f), 0);
	for (; *text != '\0'; text += 2)
		assert_int_equal(write_text(&f, (char[]){text[0], text[1], '\0'}), 0);
	assert_int_equal(file_connector.flush(f.writer, &f.err), 0);
	assert_int_equal(file_connector.writer_close(f.writer, false, &f.err), 0);
	tear_down(&f);
}

static void
test_append_and_preamble(void **state)
{
	const char *path = in_folder("out");

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *buffer = i == 0 ? "0" : i == 1 ? "3" : "100";

		unlink(path);
		write_with(path, "true", buffer, "a\n"); /* new: preamble */
		assert_holds(path, "head\na\n");
		write_with(path, "true", buffer, "b\nc\n"); /* not again */
		assert_holds(path, "head\na\nb\nc\n");
		write_with(path, "false", buffer, "d\ne\nf\n"); /* replaced */
		assert_holds(path, "head\nd\ne\nf\n");
		write_with(path, "false", buffer, ""); /* no rows: the header alone */
		assert_holds(path, "head\n");
	}
}

static void
test_buffered_write_is_seen_after_flush(void **state)
{
	const char *path = in_folder("buffered");
	Fixture f;

	(void)state;
	set_up_writer(&f, "", "path", path, "write.buffer.size", "1MB", NULL);
	assert_int_equal(open_writer(&f), 0);
	assert_int_equal(write_text(&f, "x\n"), 0);
	assert_holds(path, "");
	assert_int_equal(file_connector.flush(f.writer, &f.err), 0);
	assert_holds(path, "x\n");
	assert_int_equal(file_connector.writer_close(f.writer, false, &f.err), 0);
	tear_down(&f);
}

/* Two statements that append to one new file: one header, and whole records of both. */
static void
test_two_appenders(void **state)
{
	const char *path = in_folder("shared");
	Fixture a, b;

	(void)state;
	set_up_writer(&a, "head\n", "path", path, "append", "true", "write.buffer.size", "10",
		      NULL);
	set_up_writer(&b, "head\n", "path", path, "append", "true", NULL);
	assert_int_equal(open_writer(&a), 0);
	assert_int_equal(open_writer(&b), 0);
	assert_int_equal(write_text(&a, "a1\n"), 0);
	assert_int_equal(write_text(&b, "b1\n"), 0);
	assert_int_equal(file_connector.flush(a.writer, &a.err), 0);
	assert_int_equal(write_text(&b, "b2\n"), 0);
	assert_int_equal(file_connector.writer_close(a.writer, false, &a.err), 0);
	assert_int_equal(file_connector.writer_close(b.writer, false, &b.err), 0);
	assert_holds(path, "head\nb1\na1\nb2\n");
	tear_down(&a);
	tear_down(&b);
}

static void
assert_create_fails(const char *path, Status expected, const char *message)
{
	Fixture f;

	set_up_writer(&f, "", "path", path, NULL);
	assert_int_equal(open_writer(&f), expected);
	assert_non_null(strstr(f.err.message, message));
	assert_true(f.err.hint[0] != '\0');
	tear_down(&f);
}

static void
test_write_errors(void **state)
{
	Fixture f;

	(void)state;
	assert_create_fails(in_folder("no/such/folder"), FERRIS_ERR_FILE_WRITE, "No such file");
	assert_create_fails(folder, FERRIS_ERR_FILE_WRITE, "Is a directory");
	assert_create_fails("", FERRIS_ERR_OPTION_MISSING, "no 'path'");
	if (geteuid() != 0) {
		put_file(in_folder("readonly"), "", 0);
		chmod(in_folder("readonly"), 0444);
		assert_create_fails(in_folder("readonly"), FERRIS_ERR_FILE_WRITE, "denied");
	}
	set_up_writer(&f, "", "path", "/dev/full", NULL);
	assert_int_equal(open_writer(&f), 0);
	assert_int_equal(write_text(&f, "x\n"), FERRIS_ERR_FILE_WRITE);
	assert_non_null(strstr(f.err.message, "'/dev/full' after 0 bytes: No space left"));
	assert_true((f.err.flags & ERROR_RETRIABLE) != 0);
	assert_int_equal(file_connector.writer_close(f.writer, true, &f.err), 0);
	tear_down(&f);
	/* What is buffered fails at the latest when the file is closed. */
	set_up_writer(&f, "", "path", "/dev/full", "write.buffer.size", "1KB", NULL);
	assert_int_equal(open_writer(&f), 0);
	assert_int_equal(write_text(&f, "x\n"), 0);
	assert_int_equal(file_connector.writer_close(f.writer, false, &f.err),
			 FERRIS_ERR_FILE_WRITE);
	tear_down(&f);
}

static void
test_short_write_at_the_size_limit(void **state)
{
	struct rlimit before, small;
	Fixture f;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = 5;
	set_up_writer(&f, "", "path", in_folder("limited"), NULL);
	assert_int_equal(open_writer(&f), 0);
	setrlimit(RLIMIT_FSIZE, &small);
	Status status = write_text(&f, "12345678\n");
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(status, FERRIS_ERR_FILE_WRITE);
	assert_non_null(strstr(f.err.message, "after 0 bytes"));
	assert_true((f.err.flags & ERROR_RETRIABLE) != 0);
	assert_holds(in_folder("limited"), "");            /* no half record stays */
	assert_int_equal(write_text(&f, "12345678\n"), 0); /* and none is there twice */
	assert_holds(in_folder("limited"), "12345678\n");
	assert_int_equal(file_connector.writer_close(f.writer, true, &f.err), 0);
	tear_down(&f);
}

/* ---- parts ---- */

static void
assert_part_names(const char *path, const char *shown, const char *in_work)
{
	FileParts parts = file_parts_of(path);
	char found[PATH_MAX];

	file_part_path(&parts, (FilePart){1, true}, found);
	assert_string_equal(found, shown);
	file_part_path(&parts, (FilePart){1234567, false}, found);
	assert_string_equal(found, in_work);
}

static void
test_names_of_parts(void **state)
{
	(void)state;
	assert_part_names("out.jsonl", "out-part-000001.jsonl",
			  ".out-part-1234567.jsonl.inprogress");
	assert_part_names("a.b/v1.out.csv.zst", "a.b/v1.out-part-000001.csv.zst",
			  "a.b/.v1.out-part-1234567.csv.zst.inprogress");
	assert_part_names("/out", "/out-part-000001", "/.out-part-1234567.inprogress");
	assert_part_names("out.gz", "out-part-000001.gz", ".out-part-1234567.gz.inprogress");
	assert_part_names(".out", ".out-part-000001", "..out-part-1234567.inprogress");
}

/* Records of one byte and a line end, or of the length that is given for the last one. */
static Status
write_records(Fixture *f, uint32_t count, size_t last)
{
	Output output = {.count = count, .ends = ARENA_ARRAY(&f->arena, uint32_t, count)};
	Buffer *bytes = &output.bytes;

	bytes->data = arena_zero(&f->arena, count * 2 + last);
	for (uint32_t i = 0; i < count; i++) {
		size_t len = i == count - 1 ? last : 1;

		memset(bytes->data + bytes->len, 'a', len);
		bytes->len += len;
		bytes->data[bytes->len++] = '\n';
		output.ends[i] = (uint32_t)bytes->len;
	}
	return file_connector.write(f->writer, &output, &f->err);
}

static Status
write_limited(Fixture *f, uint32_t count, size_t last, rlim_t limit)
{
	struct rlimit before, small;

	getrlimit(RLIMIT_FSIZE, &before);
	small = before;
	small.rlim_cur = limit;
	setrlimit(RLIMIT_FSIZE, &small);
	Status status = write_records(f, count, last);
	setrlimit(RLIMIT_FSIZE, &before);
	return status;
}

/* A write that fails may be tried again if nothing of it was taken. */
static void
test_failed_writes_to_parts(void **state)
{
	Fixture f;

	(void)state;
	set_up_writer(&f, "", "path", in_folder("parts"), "rotate.rows", "2", NULL);
	assert_int_equal(open_writer(&f), 0);
	assert_int_equal(write_limited(&f, 2, 9, 5), FERRIS_ERR_FILE_WRITE);
	assert_true((f.err.flags & ERROR_RETRIABLE) != 0);
	assert_int_equal(write_records(&f, 2, 9), 0);
	assert_int_equal(file_connector.show(f.writer, &f.err), 0);
	assert_holds(in_folder("parts-part-000001"), "a\naaaaaaaaa\n");
	assert_int_equal(write_limited(&f, 3, 9, 5), FERRIS_ERR_FILE_WRITE);
	assert_false((f.err.flags & ERROR_RETRIABLE) != 0); /* part 2 has two of the records */
	assert_int_equal(file_connector.writer_close(f.writer, true, &f.err), 0);
	assert_holds(in_folder(".parts-part-000002.inprogress"), "a\na\n");
	tear_down(&f);
}

/* Reading a part keeps the next run from removing it. */
static void
test_part_that_is_read_is_not_removed(void **state)
{
	const char *path = in_folder("read-part-000001");
	Fixture in, out;

	(void)state;
	put_file(path, "precious\n", 9);
	set_up_reader(&in, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&in), 0);
	set_up_writer(&out, "", "path", in_folder("read"), "rotate.size", "1KB", NULL);
	assert_int_equal(open_writer(&out), FERRIS_ERR_FILE_WRITE);
	assert_non_null(strstr(out.err.message, "is being read"));
	assert_holds(path, "precious\n");
	tear_down(&in);
	assert_int_equal(open_writer(&out), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(file_connector.writer_close(out.writer, false, &out.err), 0);
	tear_down(&out);
}

/* Standard output becomes the write end of a pipe; returns the old one. */
static int
pipe_stdout(int *read_end)
{
	int old = dup(STDOUT_FILENO);
	int ends[2];

	fflush(stdout);
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDOUT_FILENO);
	close(ends[1]);
	*read_end = ends[0];
	return old;
}

static void
test_broken_pipe(void **state)
{
	int read_end;
	Fixture f;

	(void)state;
	set_up_writer(&f, "", "path", "-", NULL);
	int old = pipe_stdout(&read_end);
	Status opened = open_writer(&f);
	close(read_end);
	Status written = write_text(&f, "x\n");
	Status closed = file_connector.writer_close(f.writer, true, &f.err);
	dup2(old, STDOUT_FILENO);
	close(old);
	assert_int_equal(opened, 0);
	assert_int_equal(written, FERRIS_ERR_BROKEN_PIPE);
	assert_int_equal(closed, 0);
	assert_non_null(strstr(f.err.message, "Broken pipe"));
	assert_int_equal(f.err.flags, ERROR_FATAL);
	tear_down(&f);
}

static void *
drain_slowly(void *argument)
{
	static char piece[1000];
	size_t total = 0;
	ssize_t n;

	while ((n = read(*(int *)argument, piece, sizeof piece)) > 0) {
		total += (size_t)n;
		if (total % 7 == 0)
			usleep(100);
	}
	return (void *)total;
}

static void
test_console_on_a_nonblocking_pipe(void **state)
{
	char line[1024];
	pthread_t thread;
	int read_end;
	Fixture f;
	void *total;

	(void)state;
	memset(line, 'x', sizeof line - 2);
	line[sizeof line - 2] = '\n';
	line[sizeof line - 1] = '\0';
	set_up_writer(&f, "head\n", NULL);
	int old = pipe_stdout(&read_end);
	fcntl(STDOUT_FILENO, F_SETFL, O_NONBLOCK | O_WRONLY);
	pthread_create(&thread, NULL, drain_slowly, &read_end);
	Status status = console_connector.writer_open(&f.writer_spec, &f.arena, &f.writer, &f.err);
	for (int i = 0; i < 500 && status == FERRIS_OK; i++)
		status = write_text(&f, line);
	if (status == FERRIS_OK)
		status = console_connector.flush(f.writer, &f.err);
	if (status == FERRIS_OK)
		status = console_connector.writer_close(f.writer, false, &f.err);
	dup2(old, STDOUT_FILENO);
	close(old);
	pthread_join(thread, &total);
	close(read_end);
	assert_int_equal(status, 0);
	assert_int_equal((size_t)total, 5 + 500 * (sizeof line - 1));
	tear_down(&f);
}

/* ---- a statement must not destroy its own input ---- */

static void
test_input_is_not_replaced(void **state)
{
	const char *path = in_folder("own");
	Fixture in, out;

	(void)state;
	put_file(path, "precious\n", 9);
	set_up_reader(&in, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&in), 0);
	set_up_writer(&out, "", "path", path, NULL);
	assert_int_equal(open_writer(&out), FERRIS_ERR_FILE_WRITE);
	assert_holds(path, "precious\n");
	tear_down(&out);
	tear_down(&in);

	set_up_writer(&out, "", "path", path, NULL); /* nobody reads it any more */
	assert_int_equal(open_writer(&out), 0);
	set_up_reader(&in, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&in), FERRIS_ERR_FILE_OPEN);
	assert_non_null(strstr(in.err.message, "being written"));
	tear_down(&in);
	set_up_watch(&in, &lines_codec, path); /* following it is fine */
	assert_int_equal(write_text(&out, "new\n"), 0);
	read_until(&in, 4);
	assert_got(&in, "new\n");
	tear_down(&in);
	assert_int_equal(file_connector.writer_close(out.writer, false, &out.err), 0);
	tear_down(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_append_and_preamble),
		cmocka_unit_test(test_buffered_write_is_seen_after_flush),
		cmocka_unit_test(test_two_appenders),
		cmocka_unit_test(test_write_errors),
		cmocka_unit_test(test_short_write_at_the_size_limit),
		cmocka_unit_test(test_names_of_parts),
		cmocka_unit_test(test_failed_writes_to_parts),
		cmocka_unit_test(test_part_that_is_read_is_not_removed),
		cmocka_unit_test(test_broken_pipe),
		cmocka_unit_test(test_console_on_a_nonblocking_pipe),
		cmocka_unit_test(test_input_is_not_replaced),
	};

	return file_tests_begin() ? cmocka_run_group_tests(tests, NULL, remove_folder) : 1;
}
