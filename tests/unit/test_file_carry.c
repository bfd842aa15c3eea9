/* tests/unit/test_file_carry.c -- small batches out of a large read buffer: what they cost, and
 * what waits in the meantime. */
#include "batch_fixture.h"
#include "codec/csv_format.h"
#include "connector/file_reader.h"

static uint64_t bytes_framed;
static const CodecClass *counted;

/* Where the records of a batch end is found in the batch alone. */
static size_t
count_cut(const Setting *settings, const char *data, size_t len, size_t most, uint32_t *count)
{
	size_t end = counted->cut(settings, data, len, most, count);

	bytes_framed += end;
	return end;
}

static size_t
count_frame(const Setting *settings, const char *data, size_t len, bool last)
{
	bytes_framed += len;
	return counted->frame(settings, data, len, last);
}

/* All of the file is in the buffer after the first read.  Whatever the size of the batches, each
 * byte is copied and looked at a few times. */
static void
assert_cost(const CodecClass *codec, const char *path, Limits limits, const Buffer *data)
{
	CodecClass counting = *codec;
	char lines[24];
	Fixture f;

	counted = codec;
	counting.frame = count_frame;
	counting.cut = count_cut;
	bytes_framed = 0;
	set_up_codec(&f, codec, path, number(lines, limits.records), "1MB");
	file_connector.reader_close(f.reader);
	f.reader_spec.framing.codec = &counting;
	assert_int_equal(open_reader(&f), 0);
	set_limits(&f, limits);
	read_batches(&f, limits, data);
	if (limits.records > 0 && limits.bytes == 0)
		assert_int_equal(f.chunks, (20000 + limits.records - 1) / limits.records);
	assert_true(f.chunks >= 20000 / 50);
	assert_true(bytes_framed <= 4 * data->len);
	assert_true(((FileReader *)f.reader)->copied <= 2 * data->len);
	assert_int_equal(file_connector.lag(f.reader), 0);
	tear_down(&f);
}

static void
test_small_batches_of_a_large_buffer(void **state)
{
	static const Limits limits[] = {{.records = 1}, {.records = 2},
					{.records = 7}, {.bytes = 1},
					{.bytes = 100}, {.records = 50, .bytes = 30}};
	const CodecClass *const codecs[] = {codec_find(STR("json")), &csv_codec,
					    codec_find(STR("raw"))};
	const char *paths[] = {in_folder("small"), in_folder("small.gz")};
	Buffer data;

	(void)state;
	buffer_init(&data, SIZE_MAX);
	for (uint32_t i = 0; i < 20000; i++)
		buffer_printf(&data, "{%05u}\n", i);
	put_file(paths[0], data.data, data.len);
	buffer_append_char(&data, '\0');
	write_file(paths[1], (const char *[]){data.data, NULL}, false);
	data.len--;
	for (uint32_t i = 0; i < 3 * 6 * 2; i++)
		assert_cost(codecs[i % 3], paths[i / 18], limits[i / 3 % 6], &data);
	buffer_free(&data);
}

/* What is left of a read when the limit goes is not read again. */
static void
test_the_limit_goes(void **state)
{
	const char *path = in_folder("goes");
	Fixture f;

	(void)state;
	put_file(path, "1\n2\n3\n4\n5\n6", 11);
	set_up_reader(&f, &lines_codec, "path", path, "read_buffer_size", "9", NULL);
	assert_int_equal(open_reader(&f), 0);
	set_limits(&f, (Limits){.records = 1});
	assert_next(&f, "1\n");
	assert_int_equal(file_connector.lag(f.reader), 9);
	assert_next(&f, "2\n");
	assert_int_equal(file_connector.lag(f.reader), 7);
	set_limits(&f, (Limits){0});
	assert_next(&f, "3\n4\n5\n6");
	assert_int_equal(f.chunk->position, 4);
	assert_int_equal(file_connector.lag(f.reader), 0);
	assert_next(&f, NULL);
	tear_down(&f);
}

/* What waits of all files together is little more than one read. */
static void
test_what_waits_is_bounded(void **state)
{
	Buffer data;
	Fixture f;

	(void)state;
	buffer_init(&data, SIZE_MAX);
	for (uint32_t i = 0; i < 10000; i++)
		buffer_printf(&data, "%05u\n", i);
	mkdir(in_folder("wait"), 0755);
	for (uint32_t i = 0; i < 12; i++) {
		char name[16];

		snprintf(name, sizeof name, "wait/%02u", i);
		put_file(in_folder(name), data.data, data.len);
	}
	for (int i = 0; i < 2; i++) {
		set_up_reader(&f, &lines_codec, "path", in_folder("wait"), "read_buffer_size",
			      "30000", "concurrent_readers", "16", "watch",
			      i == 0 ? "false" : "true", NULL);
		assert_int_equal(open_reader(&f), 0);
		set_limits(&f,
			   i == 0 ? (Limits){.records = 3} : (Limits){.records = 3, .bytes = 15});
		for (uint32_t k = 0; k < 2000; k++) {
			const FileReader *reader = (const FileReader *)f.reader;
			size_t kept = 0;

			assert_true(read_batch(&f, (Limits){0}));
			for (uint32_t n = 0; n < reader->split_count; n++)
				kept += file_split_kept(file_split(reader, n));
			/* How long lines are is not known before the first one. */
			assert_true(kept <= 2 * 30000);
		}
		tear_down(&f);
	}
	buffer_free(&data);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_small_batches_of_a_large_buffer),
		cmocka_unit_test(test_the_limit_goes),
		cmocka_unit_test(test_what_waits_is_bounded),
	};

	return file_tests_begin() ? cmocka_run_group_tests(tests, NULL, remove_folder) : 1;
}
