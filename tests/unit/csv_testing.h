/* tests/unit/csv_testing.h -- what the tests of CSV share: decode any bytes with any columns and
 * print what came out as text, so that two ways of decoding can be compared. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "codec/csv_format.h"
#include "codec/text.h"

#define TEST_COLUMNS_MAX 32
#define TEST_LIMIT       ((size_t)256 << 20)

typedef struct Setup {
	const Field *fields; /* the declared schema */
	uint32_t field_count;
	const char *options[12];           /* key, value, key, value, ..., NULL */
	VectorForm form;                   /* of all columns */
	const DecodePredicate *predicates; /* over columns in schema order */
	uint32_t predicate_count;
	uint32_t cut;    /* bytes to frame a chunk from; 0: all at once */
	uint32_t wanted; /* bits of the columns to decode; 0: all */
	bool topic;      /* each line of the input is a message */
} Setup;

/* A small generator of good quality (splitmix64). */
typedef struct Random {
	uint64_t state;
} Random;

static inline uint64_t
random_next(Random *random)
{
	uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return z ^ z >> 31;
}

static inline uint32_t
random_below(Random *random, uint32_t limit)
{
	return (uint32_t)(random_next(random) % limit);
}

static inline uint64_t
random_seed(void)
{
	const char *given = getenv("FERRIS_TEST_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : 20240607;

	print_message("seed %llu (FERRIS_TEST_SEED)\n", (unsigned long long)seed);
	return seed;
}

static inline Setting *
test_settings(const OptionGroup *group, const char *const *options, Arena *arena)
{
	OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, 16);
	Options given = {entries, 0};
	Setting *settings;
	Error err;

	for (; options[0] != NULL; options += 2)
		entries[given.count++] =
			(OptionEntry){.key = str_from(options[0]), .value = str_from(options[1])};
	if (options_resolve(group, &given, arena, &settings, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	return settings;
}

/* ---- printing ---- */

static inline void
print_view(Buffer *out, const char *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 || c == '|' || c == '~')
			buffer_printf(out, "<%02x>", c);
		else
			buffer_append_char(out, data[i]);
	}
}

static inline void
print_cell(Buffer *out, const Vector *vector, uint32_t row, Arena *arena)
{
	if (vector_is_null(vector, row)) {
		buffer_append_str(out, STR("~"));
		return;
	}
	if (vector->form == FORM_TEXT) {
		StringView view = VECTOR_DATA(vector, const StringView)[row];
		print_view(out, view.data, view.len);
		return;
	}
	Value value = value_from_vector(vector, row);
	Str text = text_from_value(arena, &value, NULL);
	print_view(out, text.data, text.len);
}

/* What the encoder would trust must be true. */
static inline void
check_flags(const Vector *vector, uint32_t row)
{
	if (vector_is_null(vector, row) ||
	    (vector->form == FORM_VALUE && type_physical(vector->type) != PHYSICAL_VIEW))
		return;
	StringView view = VECTOR_DATA(vector, const StringView)[row];
	for (uint32_t i = 0; i < view.len; i++) {
		unsigned char c = (unsigned char)view.data[i];

		if ((view.flags & VIEW_JSON_CLEAN) != 0)
			assert_true(c >= 0x20 && c != '"' && c != '\\');
		if ((view.flags & VIEW_CSV_CLEAN) != 0)
			assert_true(c != ',' && c != '"' && c != '\n' && c != '\r');
	}
	if ((view.flags & VIEW_CSV_CLEAN) != 0) {
		assert_true(view.len > 0);
		assert_true(view.data[0] != ' ' && view.data[0] != '\t');
		assert_true(view.data[view.len - 1] != ' ' && view.data[view.len - 1] != '\t');
	}
}

/* `origin` and `line` are those of the chunk in the input. */
static inline void
print_batch(Buffer *out, const Batch *batch, uint32_t origin, uint32_t line)
{
	Arena arena;

	arena_init(&arena, 0);
	assert_int_equal(batch->sel_count, batch->row_count);
	assert_int_equal(batch->records_in,
			 batch->row_count + batch->error_count + batch->filtered);
	uint32_t row = 0, error = 0;
	while (row < batch->row_count || error < batch->error_count) {
		/* By place in the input, as batches are cut differently. */
		bool is_row = error == batch->error_count ||
			      (row < batch->row_count &&
			       batch->records[row].line < batch->errors[error].record.line);
		RecordRange range = is_row ? batch->records[row] : batch->errors[error].record;

		buffer_printf(out, "%u@%u+%u", line + range.line + 1, origin + range.offset,
			      range.len);
		if (is_row) {
			for (uint32_t c = 0; c < batch->column_count; c++) {
				check_flags(&batch->columns[c], row);
				buffer_append_char(out, '|');
				print_cell(out, &batch->columns[c], row, &arena);
			}
			row++;
		} else {
			const RowError *e = &batch->errors[error++];
			buffer_printf(out, "!%s(%.*s) %.*s", error_info(e->status)->name,
				      STR_ARG(e->column), STR_ARG(e->message));
		}
		buffer_append_char(out, '\n');
	}
	arena_free(&arena);
}

/* ---- decoding ---- */

typedef struct Decoding {
	const Setup *setup;
	Arena arena;
	Schema schema;
	DecodeColumn columns[TEST_COLUMNS_MAX];
	DecodeSpec spec;
	FieldOrder order;
	Decoder *decoder;
	Batch *batch;
} Decoding;

static inline void
decoding_open(Decoding *decoding, const Setup *setup)
{
	Field targets[TEST_COLUMNS_MAX];
	VectorForm forms[TEST_COLUMNS_MAX];
	uint32_t count = 0;
	Error err;

	*decoding = (Decoding){.setup = setup};
	arena_init(&decoding->arena, 0);
	decoding->schema = (Schema){ARENA_ARRAY(&decoding->arena, Field, setup->field_count),
				    setup->field_count};
	for (uint32_t i = 0; i < setup->field_count; i++) {
		const Field *field = &setup->fields[i];

		decoding->schema.fields[i] = *field;
		if (setup->wanted != 0 && (setup->wanted >> i & 1) == 0)
			continue;
		decoding->columns[count] = (DecodeColumn){field->name, field->type, field->not_null,
							  setup->form, count};
		targets[count] = *field;
		forms[count++] = setup->form;
	}
	decoding->order.places = ARENA_ARRAY(&decoding->arena, uint32_t, count);
	decoding->spec = (DecodeSpec){
		.columns = decoding->columns,
		.column_count = count,
		.predicates = setup->predicates,
		.predicate_count = setup->predicate_count,
		.schema = &decoding->schema,
		.order = &decoding->order,
		.settings =
			test_settings(&csv_codec.decode_options, setup->options, &decoding->arena),
	};
	if (csv_codec.decoder_open(&decoding->spec, &decoding->arena, &decoding->decoder, &err) !=
	    FERRIS_OK)
		fail_msg("%s", err.message);
	decoding->batch = batch_new(targets, forms, count);
}

static inline void
decoding_close(Decoding *decoding)
{
	batch_destroy(decoding->batch);
	arena_free(&decoding->arena);
}

/* All rows of a chunk. */
static inline void
decode_chunk(Decoding *decoding, const Chunk *chunk, uint32_t origin, uint32_t *line, Buffer *out)
{
	ChunkCursor cursor = {.chunk = chunk};
	Error err;

	while (chunk->record_count > 0 ? cursor.record < chunk->record_count
				       : cursor.next < chunk->len) {
		batch_reset(decoding->batch);
		if (csv_codec.decode(decoding->decoder, &cursor, decoding->batch, &err) !=
		    FERRIS_OK)
			fail_msg("%s", err.message);
		print_batch(out, decoding->batch, origin, *line);
	}
	*line += cursor.line;
}

static inline Chunk *
chunk_of(const char *data, size_t len)
{
	Chunk *chunk = chunk_new(len > 0 ? len : 1);

	memcpy(chunk_reserve(chunk, len), data, len);
	chunk->len = len;
	chunk_seal(chunk);
	return chunk;
}

static inline void
add_messages(Chunk *chunk)
{
	size_t start = 0;

	while (start < chunk->len) {
		const char *end = memchr(chunk->data + start, '\n', chunk->len - start);
		size_t next = end != NULL ? (size_t)(end - chunk->data) + 1 : chunk->len;
		ChunkRecord *record = chunk_add_record(chunk);

		record->offset = (uint32_t)start;
		record->len = (uint32_t)(next - start);
		start = next;
	}
}

/* A whole file as the reader would hand it over; each chunk is framed from `cut` bytes more. */
static inline void
decode_file(Decoding *decoding, const char *data, size_t len, Buffer *out)
{
	const Setup *setup = decoding->setup;
	size_t step = setup->cut > 0 ? setup->cut : len;
	size_t start = 0;
	uint32_t line = 0;
	Error err;

	if (csv_codec.header(&decoding->spec, data, len, true, &start, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	for (size_t i = 0; i < start; i++)
		line += data[i] == '\n';
	for (size_t size = step; start < len; size += step) {
		bool last = size >= len - start;
		size_t whole = csv_codec.frame(decoding->spec.settings, data + start,
					       last ? len - start : size, last);

		if (whole == 0)
			continue;
		Chunk *chunk = chunk_of(data + start, whole);
		decode_chunk(decoding, chunk, (uint32_t)start, &line, out);
		chunk_destroy(chunk);
		start += whole;
		size = 0;
	}
}

/* What `data` decodes to, as text in out. */
static inline void
decode_all(const Setup *setup, const char *data, size_t len, Buffer *out)
{
	Decoding decoding;
	uint32_t line = 0;

	decoding_open(&decoding, setup);
	if (setup->topic) {
		Chunk *chunk = chunk_of(data, len);

		add_messages(chunk);
		decode_chunk(&decoding, chunk, 0, &line, out);
		chunk_destroy(chunk);
	} else {
		decode_file(&decoding, data, len, out);
	}
	decoding_close(&decoding);
	buffer_append_char(out, '\0');
}

/* Equal, or a failure that shows the first line that is not. */
static inline void
assert_same_text(const char *got, const char *expected)
{
	size_t line = 0, i = 0;

	for (; got[i] == expected[i] && got[i] != '\0'; i++)
		if (got[i] == '\n')
			line = i + 1;
	if (got[i] != expected[i])
		fail_msg("byte %zu:\n  got      %.*s\n  expected %.*s", i,
			 (int)strcspn(got + line, "\n"), got + line,
			 (int)strcspn(expected + line, "\n"), expected + line);
}

static inline void
assert_decodes(const Setup *setup, Str data, const char *expected)
{
	Buffer out;

	buffer_init(&out, TEST_LIMIT);
	decode_all(setup, data.data, data.len, &out);
	assert_same_text(out.data, expected);
	buffer_free(&out);
}
