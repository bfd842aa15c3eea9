/* tests/unit/test_raw.c -- raw: whole records in, whole records out. */
#include "csv_testing.h"

extern const CodecClass raw_codec;

static const Field string_field = {STR_INIT("v"), TYPE_OF(STRING), false};
static const Field bytes_field = {STR_INIT("v"), TYPE_OF(BYTES), true};

/* Rows and errors of a chunk, a line each. */
static void
decode_raw(const Field *field, const DecodePredicate *predicates, uint32_t predicate_count,
	   const Chunk *chunk, Buffer *out)
{
	DecodeColumn column = {field->name, field->type, field->not_null, FORM_VALUE, 0};
	Schema schema = {(Field[]){*field}, 1};
	DecodeSpec spec = {.columns = &column,
			   .column_count = 1,
			   .predicates = predicates,
			   .predicate_count = predicate_count,
			   .schema = &schema};
	ChunkCursor cursor = {.chunk = chunk};
	Batch *batch = batch_new(field, NULL, 1);
	Arena arena;
	Decoder *decoder;
	Error err;

	arena_init(&arena, 0);
	assert_int_equal(raw_codec.decoder_open(&spec, &arena, &decoder, &err), FERRIS_OK);
	while (chunk->record_count > 0 ? cursor.record < chunk->record_count
				       : cursor.next < chunk->len) {
		batch_reset(batch);
		assert_int_equal(raw_codec.decode(decoder, &cursor, batch, &err), FERRIS_OK);
		print_batch(out, batch, 0, 0);
		if (predicate_count > 0)
			buffer_printf(out, "filtered %llu\n", (unsigned long long)batch->filtered);
	}
	buffer_append_char(out, '\0');
	batch_destroy(batch);
	arena_free(&arena);
}

static void
assert_raw(const Field *field, const DecodePredicate *predicates, uint32_t predicate_count,
	   Str data, const char *expected)
{
	Chunk *chunk = chunk_of(data.data, data.len);
	Buffer out;

	buffer_init(&out, TEST_LIMIT);
	decode_raw(field, predicates, predicate_count, chunk, &out);
	assert_same_text(out.data, expected);
	buffer_free(&out);
	chunk_destroy(chunk);
}

static void
test_lines(void **state)
{
	(void)state;
	assert_raw(&string_field, NULL, 0, STR("a,\"b\"\n\nc\r\n{}"),
		   "1@0+5|a,\"b\"\n2@6+0|\n3@7+2|c<0d>\n4@10+2|{}\n");
	assert_raw(&string_field, NULL, 0, STR("ok\nx\xFFy\nok\n"),
		   "1@0+2|ok\n2@3+3!UTF8(v) 'x\\xFFy' is not valid UTF-8 at byte 1\n3@7+2|ok\n");
	assert_raw(&bytes_field, NULL, 0, STR("\xFF\n"), "1@0+1|/w==\n");
}

static void
test_predicates(void **state)
{
	const DecodePredicate range[] = {
		{0, COMPARE_GE, {.type = TYPE_OF(STRING), .text = STR("b")}},
		{0, COMPARE_LT, {.type = TYPE_OF(STRING), .text = STR("bz")}},
	};

	(void)state;
	assert_raw(&string_field, range, 2, STR("a\nb\nbb\nbz\nc\n"),
		   "2@2+1|b\n3@4+2|bb\nfiltered 3\n");
}

static void
test_messages(void **state)
{
	Chunk *chunk = chunk_of("one\ntwo", 7);
	Buffer out;

	(void)state;
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 0, .len = 7};
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 3, .len = 0};
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 0, .len = RECORD_NULL};
	buffer_init(&out, TEST_LIMIT);
	decode_raw(&string_field, NULL, 0, chunk, &out);
	assert_same_text(out.data, "1@0+7|one<0a>two\n2@3+0|\n3@0+0|~\n");
	buffer_reset(&out);
	decode_raw(&bytes_field, NULL, 0, chunk, &out);
	assert_same_text(out.data,
			 "1@0+7|b25lCnR3bw==\n2@3+0|\n"
			 "3@0+0!NOT_NULL(v) NULL in a column that is declared NOT NULL\n");
	buffer_free(&out);
	chunk_destroy(chunk);
}

static void
test_frame(void **state)
{
	(void)state;
	assert_int_equal(raw_codec.frame(NULL, "a\nbc", 4, false), 2);
	assert_int_equal(raw_codec.frame(NULL, "a\nbc", 4, true), 4);
	assert_int_equal(raw_codec.frame(NULL, "abc", 3, false), 0);
	assert_int_equal(raw_codec.frame(NULL, "", 0, false), 0);
}

static void
test_full_batches(void **state)
{
	Buffer data, expected;

	(void)state;
	buffer_init(&data, TEST_LIMIT);
	buffer_init(&expected, TEST_LIMIT);
	for (uint32_t i = 0; i < 5000; i++) {
		size_t start = data.len;

		buffer_printf(&data, "line %u", i);
		buffer_printf(&expected, "%u@%zu+%zu|line %u\n", i + 1, start, data.len - start, i);
		buffer_append_char(&data, '\n');
	}
	buffer_append_char(&expected, '\0');
	assert_raw(&string_field, NULL, 0, (Str){data.data, (uint32_t)data.len}, expected.data);
	buffer_free(&data);
	buffer_free(&expected);
}

static void
test_wrong_columns(void **state)
{
	Field fields[] = {string_field, {STR("n"), TYPE_OF(BIGINT), false}};
	DecodeColumn column = {STR("n"), TYPE_OF(BIGINT), false, FORM_VALUE, 0};
	EncodeColumn outputs[] = {{STR("v"), TYPE_OF(STRING), 0}, {STR("n"), TYPE_OF(BIGINT), 1}};
	Schema schema = {fields, 2};
	DecodeSpec spec = {.columns = &column, .column_count = 1, .schema = &schema};
	EncodeSpec encode = {outputs, 2, NULL};
	Decoder *decoder;
	Encoder *encoder;
	Arena arena;
	Error err;

	(void)state;
	arena_init(&arena, 0);
	assert_int_equal(raw_codec.decoder_open(&spec, &arena, &decoder, &err),
			 FERRIS_ERR_NOT_SUPPORTED);
	schema = (Schema){fields + 1, 1};
	assert_int_equal(raw_codec.decoder_open(&spec, &arena, &decoder, &err),
			 FERRIS_ERR_NOT_SUPPORTED);
	assert_string_equal(err.message, "format 'raw' has no column of type BIGINT: 'n'");
	assert_int_equal(raw_codec.encoder_open(&encode, &arena, &encoder, &err),
			 FERRIS_ERR_NOT_SUPPORTED);
	encode = (EncodeSpec){outputs + 1, 1, NULL};
	assert_int_equal(raw_codec.encoder_open(&encode, &arena, &encoder, &err),
			 FERRIS_ERR_NOT_SUPPORTED);
	arena_free(&arena);
}

static void
test_output(void **state)
{
	EncodeColumn column = {STR("v"), TYPE_OF(STRING), 0};
	EncodeSpec spec = {&column, 1, NULL};
	Batch *batch = batch_new(&string_field, NULL, 1);
	StringView *views = batch->columns[0].data;
	Encoder *encoder;
	Output output;
	Arena arena;
	Error err;

	(void)state;
	arena_init(&arena, 0);
	output_init(&output, TEST_LIMIT, false);
	views[0] = (StringView){"a,b", 3, 0};
	views[2] = (StringView){"", 0, 0};
	vector_set_null(&batch->columns[0], 1);
	batch->row_count = 3;
	memset(batch->records, 0, 3 * sizeof *batch->records);
	batch_select_all(batch);
	assert_int_equal(raw_codec.encoder_open(&spec, &arena, &encoder, &err), FERRIS_OK);
	assert_int_equal(raw_codec.encode(encoder, batch, &output, &err), FERRIS_OK);
	assert_int_equal(output.count, 2);
	assert_int_equal(output.ends[0], 4);
	assert_int_equal(output.ends[1], 5);
	assert_memory_equal(output.bytes.data, "a,b\n\n", 5);
	assert_int_equal(batch->sel_count, 2);
	assert_int_equal(batch->sel[1], 2);
	assert_int_equal(batch->error_count, 1);
	output_free(&output);
	batch_destroy(batch);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),        cmocka_unit_test(test_predicates),
		cmocka_unit_test(test_messages),     cmocka_unit_test(test_frame),
		cmocka_unit_test(test_full_batches), cmocka_unit_test(test_wrong_columns),
		cmocka_unit_test(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
