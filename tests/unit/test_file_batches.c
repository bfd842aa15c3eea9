/* tests/unit/test_file_batches.c -- chunks of so many lines or bytes, files read side by side, and
 * what a watched file has grown by. */
#include "batch_fixture.h"
#include "codec/csv_format.h"

typedef struct Record {
	size_t end; /* where it ends in the file */
} Record;

/* ---- lines ---- */

static void
test_chunks_of_so_many_lines(void **state)
{
	static const uint32_t lines[] = {1, 2, 3, 7, 100, 100000};
	static const size_t buffers[] = {1, 5, 64, 512 << 10};
	const char *path = in_folder("lines");
	uint64_t seed = 20261128;
	char a[24], b[24];
	Buffer data;
	Fixture f;

	(void)state;
	for (uint32_t i = 0; i < 6 * 4 * 2; i++) {
		Limits limits = {.records = lines[i / 2 % 6]};
		size_t size = buffers[i / 12];

		buffer_init(&data, SIZE_MAX);
		make_lines(&data, 200, &seed, i % 2 == 0);
		put_file(path, data.data, data.len);
		set_up_reader(&f, &lines_codec, "path", path, "batch_read_lines",
			      number(a, limits.records), "read_buffer_size", number(b, size), NULL);
		assert_int_equal(open_reader(&f), 0);
		read_batches(&f, limits, &data);
		if (size > data.len) /* then the lines alone decide */
			assert_int_equal(f.chunks,
					 (count_lines(data.data, data.len) - 1) / limits.records +
						 1);
		tear_down(&f);
		buffer_free(&data);
	}
}

static void
test_without_limit_nothing_is_cut(void **state)
{
	const char *path = in_folder("whole");
	Fixture f;

	(void)state;
	put_file(path, "a\nb\nc\nd", 7);
	set_up_reader(&f, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(read_all(&f), 0);
	assert_int_equal(f.chunks, 1);
	assert_int_equal(f.chunk->file_records, 0);
	assert_got(&f, "a\nb\nc\nd");
	tear_down(&f);
}

static void
test_limits_change_from_read_to_read(void **state)
{
	const char *path = in_folder("changing");
	Fixture f;

	(void)state;
	put_file(path, "1\n22\n333\n4\n5\n6\n7\n8\n9", 20);
	set_up_reader(&f, &lines_codec, "path", path, NULL);
	assert_int_equal(open_reader(&f), 0);
	set_limits(&f, (Limits){.records = 2});
	assert_next(&f, "1\n22\n");
	assert_int_equal(f.chunk->file_records, 2);
	assert_int_equal(f.chunk->position, 0);
	set_limits(&f, (Limits){.records = 1});
	assert_next(&f, "333\n");
	assert_int_equal(f.chunk->position, 5);
	assert_int_equal(f.chunk->next_position, 9);
	set_limits(&f, (Limits){.records = 3, .bytes = 5});
	assert_next(&f, "4\n5\n");
	assert_int_equal(f.chunk->file_records, 2);
	set_limits(&f, (Limits){.records = 3, .bytes = 6});
	assert_next(&f, "6\n7\n8\n");
	set_limits(&f, (Limits){.records = 3, .bytes = 6});
	assert_next(&f, "9");
	assert_int_equal(f.chunk->file_records, 1);
	assert_next(&f, NULL);
	tear_down(&f);
}

static void
test_limit_of_bytes(void **state)
{
	static const size_t bytes[] = {1, 2, 10, 50, 1000, 1 << 20};
	const char *path = in_folder("bytes");
	uint64_t seed = 7;
	char text[24];
	Buffer data;
	Fixture f;

	(void)state;
	for (uint32_t i = 0; i < 6 * 2 * 2; i++) {
		Limits limits = {.bytes = bytes[i % 6], .records = i % 12 < 6 ? 0 : 5};
		size_t size = i < 12 ? 64 : 512 << 10;

		buffer_init(&data, SIZE_MAX);
		make_lines(&data, 200, &seed, i % 2 == 0);
		put_file(path, data.data, data.len);
		set_up_reader(&f, &lines_codec, "path", path, "read_buffer_size",
			      number(text, size), NULL);
		assert_int_equal(open_reader(&f), 0);
		set_limits(&f, limits);
		read_batches(&f, limits, &data);
		assert_true(f.chunks >= data.len / (limits.bytes > 302 ? limits.bytes : 302));
		tear_down(&f);
		buffer_free(&data);
	}
}

/* Lines of `lines`, if it is the user's or a strategy's word, and the strategy's limit. */
static void
assert_lines(const char *lines, const char *origin, uint32_t limit, uint32_t expected)
{
	const char *path = in_folder("own");
	Fixture f;

	put_file(path, "1\n2\n3\n4\n5\n6\n7\n8\n9\n", 18);
	set_up_reader(&f, &lines_codec, "path", path, "batch_read_lines", lines, NULL);
	f.entries[1].origin = origin;
	assert_int_equal(open_reader(&f), 0);
	f.reader->limit_rows = limit;
	assert_true(read_batch(&f, (Limits){0}));
	assert_int_equal(count_lines(f.chunk->data, f.chunk->len), expected);
	tear_down(&f);
}

static void
test_the_users_word_stands_above_a_strategy(void **state)
{
	(void)state;
	assert_lines("3", "user", 5, 3);
	assert_lines("3", NULL, 5, 3);
	assert_lines("3", ORIGIN_STRATEGY, 5, 5); /* the strategy knows better by now */
	assert_lines("5", "user", 3, 3);          /* it is the most */
	assert_lines("5", ORIGIN_STRATEGY, 3, 3);
	assert_lines("3", "user", 0, 3);
	assert_lines("3", ORIGIN_STRATEGY, 0, 3);
	assert_lines("0", "user", 4, 4);
	assert_lines("0", "user", 0, 9);
}

/* ---- records that are longer than a line ---- */

/* Random records, most of them of several lines; notes where each ends. */
static void
make_csv(Buffer *out, Record *records, uint32_t count, uint64_t *seed)
{
	static const char *const fields[] = {"1",
					     "word",
					     "\"a,b\"",
					     "\"two\nlines\"",
					     "\"\n\"",
					     "\"he said \"\"no\"\"\"",
					     "\"\"\"\n\n\"",
					     "\"x\r\ny\"",
					     ""};

	for (uint32_t i = 0; i < count; i++) {
		buffer_append(out, "r", 1);
		for (uint64_t k = next_random(seed) % 4; k > 0; k--)
			buffer_printf(out, ",%s", fields[next_random(seed) % 9]);
		records[i].end = out->len;
		if (next_random(seed) % 2 == 0)
			buffer_append(out, "\r", 1);
		buffer_append(out, "\n", 1);
	}
}

/* Objects of one line or several. */
static void
make_json(Buffer *out, Record *records, uint32_t count, uint64_t *seed)
{
	for (uint32_t i = 0; i < count; i++) {
		buffer_append(out, "{", 1);
		for (uint64_t k = next_random(seed) % 4; k > 0; k--)
			buffer_printf(out, "\n\t\"%s\": {},", k % 2 == 0 ? "{" : "}");
		buffer_append(out, "\"z\":1}", 6);
		records[i].end = out->len;
		buffer_append(out, "\n", 1);
	}
}

static void
set_up_csv(Fixture *f, const char *path, const char *lines, const char *size)
{
	set_up_codec(f, &csv_codec, path, lines, size);
}

/* All that was read, without the line end. */
static size_t
end_of_records(const Buffer *got)
{
	size_t end = got->len;

	while (end > 0 && (got->data[end - 1] == '\n' || got->data[end - 1] == '\r'))
		end--;
	return end;
}

/* Each chunk ends where a record does, and has more than the limit only if its first record does.
 */
static void
read_records(Fixture *f, Limits limits, const Record *records, uint32_t count)
{
	uint32_t next = 0;
	ReadResult result;

	while (read_once(f, TIMEOUT_MS, &result) == 0 && result == READ_DATA) {
		size_t end = end_of_records(&f->got);
		uint32_t first = next;

		while (next < count && records[next].end <= end)
			next++;
		assert_true(next == 0 || records[next - 1].end == end);
		if (f->reader_spec.framing.codec == &csv_codec)
			assert_int_equal(f->got.data[f->got.len - 1], '\n');
		assert_true(next - first <= 1 || limits.bytes == 0 ||
			    f->chunk->len <= limits.bytes);
		if (limits.records > 0) {
			assert_true(next - first <= limits.records);
			assert_int_equal(f->chunk->file_records, next - first);
		}
	}
	assert_int_equal(result, READ_END);
	assert_int_equal(next, count);
}

static void
assert_stay_whole(const CodecClass *codec, const Buffer *data, const Record *records,
		  uint32_t count)
{
	static const uint32_t lines[] = {1, 2, 3, 5, 50};
	static const char *const buffers[] = {"1", "16", "300", "512KB"};
	const char *path = in_folder("records");
	char text[24];
	Fixture f;

	put_file(path, data->data, data->len);
	for (uint32_t i = 0; i < 5 * 4 * 2; i++) {
		Limits limits = {.records = lines[i % 5], .bytes = i % 2 == 0 ? 0 : 20};

		set_up_codec(&f, codec, path, number(text, limits.records), buffers[i / 10]);
		f.reader->limit_bytes = limits.bytes;
		read_records(&f, limits, records, count);
		assert_int_equal(f.got.len, data->len);
		assert_memory_equal(f.got.data, data->data, data->len);
		tear_down(&f);
		set_up_codec(&f, codec, path, "0", buffers[i / 10]);
		set_limits(&f, (Limits){.bytes = i + 1});
		read_records(&f, (Limits){.bytes = i + 1}, records, count);
		assert_memory_equal(f.got.data, data->data, data->len);
		tear_down(&f);
	}
}

static void
test_records_with_line_ends_stay_whole(void **state)
{
	uint64_t seed = 4711;
	Record records[150];
	Buffer data;

	(void)state;
	for (int i = 0; i < 4; i++) {
		buffer_init(&data, SIZE_MAX);
		make_csv(&data, records, 150, &seed);
		assert_stay_whole(&csv_codec, &data, records, 150);
		buffer_reset(&data);
		make_json(&data, records, 150, &seed);
		assert_stay_whole(codec_find(STR("json")), &data, records, 150);
		buffer_free(&data);
	}
}

static void
test_records_are_counted_not_lines(void **state)
{
	const char *path = in_folder("count.csv");
	Fixture f;

	(void)state;
	put_file(path, "1\n2\n3\n\"4\n4\n4\"\n5\n", 16);
	set_up_csv(&f, path, "5", "1KB");
	assert_next(&f, "1\n2\n3\n\"4\n4\n4\"\n5\n");
	assert_int_equal(f.chunk->file_records, 5);
	assert_next(&f, NULL);
	tear_down(&f);
	set_up_csv(&f, path, "2", "1KB");
	assert_next(&f, "1\n2\n");
	assert_next(&f, "3\n\"4\n4\n4\"\n");
	assert_int_equal(f.chunk->file_records, 2);
	assert_next(&f, "5\n");
	assert_int_equal(f.chunk->file_records, 1);
	assert_next(&f, NULL);
	tear_down(&f);
}

/* A JSON value is a record, wherever lines end. */
static void
test_values_without_line_ends(void **state)
{
	const char *path = in_folder("values.json");
	const char *text = "[{\"a\":1}, {\"b\":\"}\\n{\"},{},7 {\n\"c\":[{}]\n} ,\n{}]";
	Fixture f;

	(void)state;
	put_file(path, text, strlen(text));
	set_up_codec(&f, codec_find(STR("json")), path, "2", "1KB");
	assert_next(&f, "[{\"a\":1}, {\"b\":\"}\\n{\"},");
	assert_int_equal(f.chunk->file_records, 2);
	assert_next(&f, "{},7 "); /* which is no object, but a record */
	assert_int_equal(f.chunk->file_records, 2);
	assert_next(&f, "{\n\"c\":[{}]\n} ,\n{}]");
	assert_int_equal(f.chunk->file_records, 2);
	assert_next(&f, NULL);
	tear_down(&f);
	for (uint32_t size = 1; size < 60; size++) {
		char number_of_bytes[24];

		set_up_codec(&f, codec_find(STR("json")), path, "1", number(number_of_bytes, size));
		f.reader->limit_bytes = size % 3 * 7;
		for (uint32_t records = 0; records < 6; records += f.chunk->file_records) {
			ReadResult result;

			assert_int_equal(read_once(&f, TIMEOUT_MS, &result), 0);
			assert_int_equal(result, READ_DATA);
			assert_true(f.chunk->file_records <= 1);
		}
		assert_int_equal(read_all(&f), 0);
		assert_got(&f, text);
		tear_down(&f);
	}
}

/* A record of many lines that is read in small batches: to look at it anew behind each line would
 * take minutes. */
static void
test_record_of_very_many_lines(void **state)
{
	const char *path = in_folder("many.csv");
	Buffer data;
	Fixture f;

	(void)state;
	buffer_init(&data, SIZE_MAX);
	buffer_append(&data, "1\n\"", 3);
	for (uint32_t i = 0; i < 4000000; i++)
		buffer_append(&data, "\n", 1);
	buffer_append(&data, "\"\n3\n4\n", 6);
	put_file(path, data.data, data.len);
	set_up_csv(&f, path, "1", "8MB");
	assert_next(&f, "1\n");
	ReadResult result;
	assert_int_equal(read_once(&f, TIMEOUT_MS, &result), 0);
	assert_int_equal(f.chunk->len, 4000003);
	assert_int_equal(f.chunk->file_records, 1);
	assert_next(&f, "3\n");
	assert_next(&f, "4\n");
	assert_next(&f, NULL);
	assert_memory_equal(f.got.data, data.data, data.len);
	tear_down(&f);
	buffer_free(&data);
}

/* Where a quote is never closed the file's end is the record's. */
static void
test_unclosed_quote(void **state)
{
	const char *path = in_folder("open.csv");
	Fixture f;

	(void)state;
	put_file(path, "1\n\"2\n3\n4", 8);
	set_up_csv(&f, path, "1", "2");
	assert_next(&f, "1\n");
	assert_next(&f, "\"2\n3\n4");
	assert_next(&f, NULL);
	tear_down(&f);
}

/* ---- headers, long records, compression ---- */

static void
test_header_is_in_no_batch(void **state)
{
	const char *path = in_folder("headed");
	Fixture f;

	(void)state;
	put_file(path, "head\n1\n2\n3\n", 11);
	for (int size = 1; size < 20; size += 6) {
		char text[24];

		set_up_reader(&f, &headed_codec, "path", path, "batch_read_lines", "2",
			      "read_buffer_size", number(text, (uint64_t)size), NULL);
		assert_int_equal(open_reader(&f), 0);
		f.next[0] = 5;
		while (read_batch(&f, (Limits){.records = 2}))
			if (f.chunks == 1) {
				assert_int_equal(f.chunk->position, 5);
				assert_int_equal(f.chunk->skipped_lines, 1);
			}
		assert_got(&f, "1\n2\n3\n");
		assert_int_equal(f.skipped_lines, 1);
		assert_int_equal(f.next[0], 11);
		if (size > 11)
			assert_int_equal(f.chunks, 2);
		tear_down(&f);
	}
}

static void
test_records_longer_than_the_buffer(void **state)
{
	const char *path = in_folder("long");
	Buffer data;
	Fixture f;

	(void)state;
	buffer_init(&data, SIZE_MAX);
	for (uint32_t i = 0; i < 20; i++) {
		for (uint32_t k = 0; k < (i % 3 == 0 ? 5000 : i); k++)
			buffer_append_char(&data, (char)('a' + i));
		buffer_append_char(&data, '\n');
	}
	put_file(path, data.data, data.len);
	for (uint32_t lines = 1; lines <= 4; lines++) {
		char text[24];

		set_up_reader(&f, &lines_codec, "path", path, "read_buffer_size", "16",
			      "batch_read_lines", number(text, lines), NULL);
		assert_int_equal(open_reader(&f), 0);
		read_batches(&f, (Limits){.records = lines}, &data);
		tear_down(&f);
	}
	buffer_free(&data);
}

static void
test_too_large_a_record_behind_batches(void **state)
{
	const char *path = in_folder("toolong");
	Fixture f;
	ReadResult result;

	(void)state;
	put_file(path, "1\n2\n3\n4567890\n12345678\n9\n", 25);
	set_up_reader(&f, &lines_codec, "path", path, "max.record.size", "8", "batch_read_lines",
		      "1", NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_next(&f, "1\n");
	assert_next(&f, "2\n");
	assert_next(&f, "3\n");
	assert_next(&f, "4567890\n"); /* just so long */
	assert_int_equal(read_once(&f, TIMEOUT_MS, &result), FERRIS_ERR_RECORD_TOO_LARGE);
	assert_non_null(strstr(f.err.message, "at byte 14 "));
	tear_down(&f);
}

static void
test_batches_of_a_compressed_file(void **state)
{
	const char *path = in_folder("lines.gz");
	const char *pieces[] = {NULL, NULL};
	uint64_t seed = 99;
	Buffer data;
	Fixture f;

	(void)state;
	buffer_init(&data, SIZE_MAX);
	make_lines(&data, 500, &seed, true);
	buffer_append_char(&data, '\0');
	pieces[0] = data.data;
	write_file(path, pieces, false);
	data.len--;
	for (int i = 0; i < 2; i++) {
		set_up_reader(&f, &lines_codec, "path", path, "batch_read_lines", "7",
			      "read_buffer_size", i == 0 ? "32" : "1MB", NULL);
		assert_int_equal(open_reader(&f), 0);
		read_batches(&f, (Limits){.records = 7}, &data);
		assert_true(f.chunks >= 72);
		tear_down(&f);
	}
	buffer_free(&data);
}

/* ---- files side by side ---- */

static void
put_lines(const char *name, char line, uint32_t count)
{
	Buffer data;

	buffer_init(&data, SIZE_MAX);
	for (uint32_t i = 0; i < count; i++) {
		buffer_append_char(&data, line);
		buffer_append_char(&data, '\n');
	}
	put_file(in_folder(name), data.data, data.len);
	buffer_free(&data);
}

static void
make_files(const char *name, uint32_t a, uint32_t b, uint32_t c)
{
	char path[64];

	mkdir(in_folder(name), 0755);
	snprintf(path, sizeof path, "%s/a", name);
	put_lines(path, 'a', a);
	snprintf(path, sizeof path, "%s/b", name);
	put_lines(path, 'b', b);
	snprintf(path, sizeof path, "%s/c", name);
	put_lines(path, 'c', c);
}

static void
assert_order(const char *name, const char *readers, const char *lines, uint32_t splits,
	     const char *expected)
{
	Fixture f;

	set_up_reader(&f, &lines_codec, "path", in_folder(name), "concurrent_readers", readers,
		      "batch_read_lines", lines, NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_int_equal(file_connector.split_count(f.reader), splits);
	int64_t lag = file_connector.lag(f.reader);
	assert_int_equal(lag, strlen(expected));
	assert_int_equal(read_all(&f), 0);
	assert_got(&f, expected);
	assert_int_equal(file_connector.lag(f.reader), 0);
	tear_down(&f);
}

static void
test_files_are_read_in_turn(void **state)
{
	(void)state;
	make_files("side", 3, 4, 2);
	assert_order("side", "1", "1", 0, "a\na\na\nb\nb\nb\nb\nc\nc\n");
	/* The third one begins when the first one has ended. */
	assert_order("side", "2", "1", 3, "a\nb\na\nb\na\nb\nb\nc\nc\n");
	assert_order("side", "3", "1", 3, "a\nb\nc\na\nb\nc\na\nb\nb\n");
	assert_order("side", "64", "1", 3, "a\nb\nc\na\nb\nc\na\nb\nb\n");
	assert_order("side", "2", "2", 3, "a\na\nb\nb\na\nb\nb\nc\nc\n");
	make_files("side", 1, 0, 2); /* an empty one among them */
	assert_order("side", "2", "1", 3, "a\nc\nc\n");
	make_files("side", 0, 0, 0);
	assert_order("side", "2", "1", 3, "");
}

static void
test_files_in_turn_lose_nothing(void **state)
{
	uint64_t seed = 31;
	Buffer data[3], got[3];
	ReadResult result;
	Fixture f;

	(void)state;
	mkdir(in_folder("turn"), 0755);
	for (uint32_t i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof name, "turn/%u", i);
		buffer_init(&data[i], SIZE_MAX);
		buffer_init(&got[i], SIZE_MAX);
		make_lines(&data[i], 100 + 200 * i, &seed, i != 1);
		put_file(in_folder(name), data[i].data, data[i].len);
	}
	set_up_reader(&f, &lines_codec, "path", in_folder("turn"), "concurrent_readers", "2",
		      "batch_read_lines", "5", "read_buffer_size", "100", NULL);
	assert_int_equal(open_reader(&f), 0);
	for (;;) {
		assert_int_equal(read_once(&f, TIMEOUT_MS, &result), 0);
		if (result == READ_END)
			break;
		uint32_t split = f.chunk->split;
		assert_int_equal(f.chunk->position, got[split].len);
		buffer_append(&got[split], f.chunk->data, f.chunk->len);
		assert_true(split < 2 || got[0].len == data[0].len || got[1].len == data[1].len);
	}
	assert_int_equal(read_once(&f, TIMEOUT_MS, &result), 0);
	assert_int_equal(result, READ_END); /* and again */
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(got[i].len, data[i].len);
		assert_memory_equal(got[i].data, data[i].data, data[i].len);
		buffer_free(&data[i]);
		buffer_free(&got[i]);
	}
	tear_down(&f);
}

static void
test_headers_of_files_in_turn(void **state)
{
	Fixture f;

	(void)state;
	mkdir(in_folder("heads"), 0755);
	put_file(in_folder("heads/a"), "head\n1\n2\n", 9);
	put_file(in_folder("heads/b"), "head\n", 5);
	put_file(in_folder("heads/c"), "head\n3\n", 7);
	set_up_reader(&f, &headed_codec, "path", in_folder("heads"), "concurrent_readers", "3",
		      "batch_read_lines", "1", NULL);
	assert_int_equal(open_reader(&f), 0);
	f.next[0] = f.next[2] = 5;
	assert_next(&f, "1\n");
	assert_next(&f, "3\n");
	assert_next(&f, "2\n");
	assert_next(&f, NULL);
	tear_down(&f);
}

/* ---- the backlog of what is watched ---- */

static Backlog
backlog_of(Fixture *f)
{
	Backlog backlog = {.rows = 77, .bytes = 77, .full = true};

	assert_true(file_connector.backlog(f->reader, 0, &backlog, &f->err));
	return backlog;
}

static void
test_backlog_of_a_file_that_ends(void **state)
{
	Backlog backlog;
	Fixture f;

	(void)state;
	put_file(in_folder("ends"), "1\n2\n", 4);
	set_up_reader(&f, &lines_codec, "path", in_folder("ends"), NULL);
	assert_int_equal(open_reader(&f), 0);
	assert_false(file_connector.backlog(f.reader, 0, &backlog, &f.err));
	tear_down(&f);
}

static void
set_up_backlog(Fixture *f, const char *path)
{
	set_up_reader(f, &lines_codec, "path", path, "watch", "true", "poll_interval_ms", "10",
		      NULL);
	assert_int_equal(open_reader(f), 0);
	f->reader->limit_rows = 100;
}

static void
test_backlog_of_a_file_that_grows(void **state)
{
	const char *path = in_folder("grows");
	Fixture f;

	(void)state;
	put_file(path, "", 0);
	set_up_backlog(&f, path);
	assert_int_equal(backlog_of(&f).rows, 0);
	assert_int_equal(backlog_of(&f).bytes, 0);
	assert_false(backlog_of(&f).full);
	append_file(path, "12345\n");
	assert_true(backlog_of(&f).full); /* nobody knows yet how long lines are */
	assert_int_equal(backlog_of(&f).bytes, 6);
	read_until(&f, 6);
	assert_int_equal(backlog_of(&f).rows, 0);
	assert_int_equal(backlog_of(&f).bytes, 0);
	assert_false(backlog_of(&f).full);
	append_file(path, "23456\n"); /* one like those before */
	assert_int_equal(backlog_of(&f).rows, 1);
	assert_int_equal(backlog_of(&f).bytes, 6);
	assert_false(backlog_of(&f).full);
	for (int i = 0; i < 99; i++)
		append_file(path, "34567\n");
	assert_int_equal(backlog_of(&f).rows, 100);
	assert_int_equal(backlog_of(&f).bytes, 600);
	read_until(&f, 606);
	assert_int_equal(backlog_of(&f).rows, 0);
	append_file(path, "x\n"); /* a short one counts, or it would wait for ever */
	assert_true(backlog_of(&f).rows > 0);
	tear_down(&f);
}

/* What was read from the file, but not yet delivered, is in the backlog too. */
static void
test_backlog_has_what_is_kept(void **state)
{
	const char *path = in_folder("kept");
	Fixture f;

	(void)state;
	put_file(path, "11\n22\n33\n44\n55\n66\n7", 19);
	set_up_backlog(&f, path);
	f.reader->limit_rows = 2;
	assert_next(&f, "11\n22\n");
	assert_int_equal(backlog_of(&f).bytes, 13);
	assert_true(backlog_of(&f).rows >= 4 && backlog_of(&f).rows <= 5);
	assert_next(&f, "33\n44\n");
	assert_next(&f, "55\n66\n");
	assert_int_equal(backlog_of(&f).bytes, 1);
	append_file(path, "7\n");
	assert_int_equal(backlog_of(&f).bytes, 3);
	assert_int_equal(backlog_of(&f).rows, 1);
	assert_next(&f, "77\n");
	assert_int_equal(backlog_of(&f).bytes, 0);
	tear_down(&f);
}

/* A new file, one that was cut, and one that has taken another's place must not wait. */
static void
test_backlog_is_full_after_changes(void **state)
{
	const char *path = in_folder("log/a");
	Fixture f;

	(void)state;
	mkdir(in_folder("log"), 0755);
	put_file(path, "1111\n2222\n", 10);
	set_up_backlog(&f, in_folder("log"));
	read_until(&f, 10);
	assert_false(backlog_of(&f).full);
	put_file(in_folder("log/b"), "3333\n", 5);
	for (int i = 0; i < 200 && !backlog_of(&f).full; i++)
		usleep(2000);
	assert_true(backlog_of(&f).full);
	read_until(&f, 15);
	assert_false(backlog_of(&f).full);
	assert_int_equal(truncate(path, 0), 0);
	assert_true(backlog_of(&f).full);
	append_file(path, "4\n");
	read_until(&f, 17);
	assert_false(backlog_of(&f).full);
	assert_int_equal(backlog_of(&f).rows, 0);
	assert_int_equal(rename(in_folder("log/b"), in_folder("old")), 0);
	put_file(in_folder("log/b"), "5\n", 2);
	assert_true(backlog_of(&f).full);
	read_until(&f, 19);
	assert_false(backlog_of(&f).full);
	assert_got(&f, "1111\n2222\n3333\n4\n5\n");
	tear_down(&f);
}

static void *
append_soon(void *path)
{
	usleep(20000);
	append_file(path, "later\n");
	return NULL;
}

static void
test_backlog_waits_for_anything(void **state)
{
	char *path = (char[300]){0};
	pthread_t thread;
	Backlog backlog;
	Fixture f;

	(void)state;
	snprintf(path, 300, "%s", in_folder("awaited"));
	put_file(path, "first\n", 6);
	set_up_backlog(&f, path);
	read_until(&f, 6);
	pthread_create(&thread, NULL, append_soon, path);
	int i = 0;
	do { /* each is a poll interval at most */
		assert_true(file_connector.backlog(f.reader, 1000, &backlog, &f.err));
	} while (backlog.rows == 0 && i++ < 1000);
	pthread_join(thread, NULL);
	assert_int_equal(backlog.rows, 1);
	assert_int_equal(backlog.bytes, 6);
	tear_down(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chunks_of_so_many_lines),
		cmocka_unit_test(test_without_limit_nothing_is_cut),
		cmocka_unit_test(test_limits_change_from_read_to_read),
		cmocka_unit_test(test_limit_of_bytes),
		cmocka_unit_test(test_the_users_word_stands_above_a_strategy),
		cmocka_unit_test(test_records_with_line_ends_stay_whole),
		cmocka_unit_test(test_records_are_counted_not_lines),
		cmocka_unit_test(test_values_without_line_ends),
		cmocka_unit_test(test_record_of_very_many_lines),
		cmocka_unit_test(test_unclosed_quote),
		cmocka_unit_test(test_header_is_in_no_batch),
		cmocka_unit_test(test_records_longer_than_the_buffer),
		cmocka_unit_test(test_too_large_a_record_behind_batches),
		cmocka_unit_test(test_batches_of_a_compressed_file),
		cmocka_unit_test(test_files_are_read_in_turn),
		cmocka_unit_test(test_files_in_turn_lose_nothing),
		cmocka_unit_test(test_headers_of_files_in_turn),
		cmocka_unit_test(test_backlog_of_a_file_that_ends),
		cmocka_unit_test(test_backlog_of_a_file_that_grows),
		cmocka_unit_test(test_backlog_has_what_is_kept),
		cmocka_unit_test(test_backlog_is_full_after_changes),
		cmocka_unit_test(test_backlog_waits_for_anything),
	};

	return file_tests_begin() ? cmocka_run_group_tests(tests, NULL, remove_folder) : 1;
}
