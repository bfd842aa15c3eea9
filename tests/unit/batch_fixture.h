/* tests/unit/batch_fixture.h -- reads of a file in chunks of so many records or bytes. */
#pragma once

#include "file_fixture.h"

/* What a read of batches is checked against; 0: no limit. */
typedef struct Limits {
	uint32_t records; /* they are lines, but for some codecs */
	size_t bytes;
} Limits;

static inline size_t
count_lines(const char *data, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += data[i] == '\n';
	return count + (len > 0 && data[len - 1] != '\n');
}

/* Without the last line. */
static inline size_t
all_but_one(const Chunk *chunk)
{
	const char *end = chunk->len > 1 ? memrchr(chunk->data, '\n', chunk->len - 1) : NULL;

	return end != NULL ? (size_t)(end - chunk->data) + 1 : 0;
}

/* One read of a file of lines; returns false at the end. */
static inline bool
read_batch(Fixture *f, Limits limits)
{
	ReadResult result;

	assert_int_equal(read_once(f, TIMEOUT_MS, &result), 0);
	if (result == READ_END)
		return false;
	assert_int_equal(result, READ_DATA);
	size_t lines = count_lines(f->chunk->data, f->chunk->len);
	assert_int_equal(f->chunk->next_position - f->chunk->position, f->chunk->len);
	if (limits.records > 0) {
		assert_true(lines <= limits.records);
		assert_int_equal(f->chunk->file_records, lines);
	}
	if (limits.bytes > 0 && f->chunk->len > limits.bytes)
		assert_int_equal(all_but_one(f->chunk), 0); /* one that is longer */
	return true;
}

static inline void
set_limits(Fixture *f, Limits limits)
{
	f->reader->limit_rows = limits.records;
	f->reader->limit_bytes = limits.bytes;
}

static inline void
read_batches(Fixture *f, Limits limits, const Buffer *expected)
{
	while (read_batch(f, limits))
		;
	assert_int_equal(f->got.len, expected->len);
	if (expected->len > 0)
		assert_memory_equal(f->got.data, expected->data, expected->len);
}

static inline const char *
number(char *text, uint64_t value)
{
	snprintf(text, 24, "%llu", (unsigned long long)value);
	return text;
}

static inline void
assert_next(Fixture *f, const char *text)
{
	ReadResult result;

	assert_int_equal(read_once(f, TIMEOUT_MS, &result), 0);
	if (text == NULL) {
		assert_int_equal(result, READ_END);
		return;
	}
	assert_int_equal(result, READ_DATA);
	assert_int_equal(f->chunk->len, strlen(text));
	assert_memory_equal(f->chunk->data, text, strlen(text));
}

static inline void
set_up_codec(Fixture *f, const CodecClass *codec, const char *path, const char *lines,
	     const char *size)
{
	static OptionEntry entries[] = {
		{.key = STR_INIT("csv.header"), .value = STR_INIT("false")},
		{.key = STR_INIT("json.framing"), .value = STR_INIT("values")}};
	Options options = {entries, 2};
	Setting *settings;

	set_up_reader(f, codec, "path", path, "batch_read_lines", lines, "read_buffer_size", size,
		      NULL);
	assert_int_equal(
		options_resolve(&codec->decode_options, &options, &f->arena, &settings, &f->err),
		0);
	DecodeSpec *spec = ARENA_NEW(&f->arena, DecodeSpec);
	spec->settings = settings;
	spec->schema = ARENA_NEW(&f->arena, Schema);
	f->reader_spec.framing = (Framing){.codec = codec, .settings = settings, .spec = spec};
	assert_int_equal(open_reader(f), 0);
}
