/* tests/unit/test_json_encode.c -- the JSON encoder: text of each type, escapes, failing rows, and
 * decode(encode(x)) = x over random batches. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <jansson.h>

#include "json_harness.h"

typedef struct Bench {
	Arena arena;
	Batch *batch;
	Encoder *encoder;
	Output out;
	EncodeColumn columns[HARNESS_COLUMNS];
	uint32_t column_count;
} Bench;

static void
bench_open(Bench *b, const Field *fields, const VectorForm *forms, uint32_t count,
	   const char *style, size_t limit)
{
	OptionEntry entry = {.key = STR("timestamp.format"), .value = str_from(style)};
	Options given = {&entry, 1};
	EncodeSpec *spec;
	Setting *settings;
	Error err;

	*b = (Bench){0};
	arena_init(&b->arena, 0);
	b->batch = batch_new(fields, forms, count);
	batch_reset(b->batch);
	spec = ARENA_NEW(&b->arena, EncodeSpec);
	for (uint32_t i = 0; i < count; i++)
		b->columns[i] = (EncodeColumn){fields[i].name, fields[i].type, i};
	assert_int_equal(
		options_resolve(&json_codec.encode_options, &given, &b->arena, &settings, &err),
		FERRIS_OK);
	*spec = (EncodeSpec){b->columns, count, settings};
	assert_int_equal(json_codec.encoder_open(spec, &b->arena, &b->encoder, &err), FERRIS_OK);
	output_init(&b->out, limit, false);
}

static void
bench_close(Bench *b)
{
	output_free(&b->out);
	batch_destroy(b->batch);
	arena_free(&b->arena);
}

static void
bench_rows(Bench *b, uint32_t rows)
{
	b->batch->row_count = rows;
	for (uint32_t i = 0; i < rows; i++)
		b->batch->records[i] = (RecordRange){i * 10, 9, i};
	batch_select_all(b->batch);
}

static Status
bench_encode(Bench *b)
{
	Error err;

	return json_codec.encode(b->encoder, b->batch, &b->out, &err);
}

/* The one value of a one-column batch as the encoder writes it; "" if the row fails. */
static void
check_one(Bench *b, const char *expected, Status status)
{
	char line[1024];

	bench_rows(b, 1);
	b->batch->error_count = 0;
	output_reset(&b->out);
	assert_int_equal(bench_encode(b), FERRIS_OK);
	if (status != FERRIS_OK) {
		assert_int_equal(b->out.count, 0);
		assert_int_equal(b->out.bytes.len, 0);
		assert_int_equal(b->batch->error_count, 1);
		assert_int_equal(b->batch->errors[0].status, status);
		assert_int_equal(b->batch->errors[0].record.len, 9);
		assert_int_equal(b->batch->sel_count, 0);
		return;
	}
	if (b->batch->error_count > 0)
		fail_msg("%.*s", STR_ARG(b->batch->errors[0].message));
	int len = snprintf(line, sizeof line, "{\"v\":%s}\n", expected);
	assert_int_equal(b->out.count, 1);
	assert_int_equal(b->out.ends[0], b->out.bytes.len);
	if (b->out.bytes.len != (size_t)len || memcmp(b->out.bytes.data, line, (size_t)len) != 0)
		fail_msg("%.*s instead of %s", (int)b->out.bytes.len, b->out.bytes.data, line);
}

static void
check_text(const Type *type, VectorForm form, const char *style, const char *text, uint32_t len,
	   const char *expected, Status status)
{
	Field field = {STR("v"), type, false};
	Bench b;

	for (unsigned clean = 0; clean < 2; clean++) {
		bool is_clean = true;

		for (uint32_t i = 0; i < len; i++)
			is_clean &= text[i] >= 0x20 && text[i] != '"' && text[i] != '\\';
		if (clean && !is_clean)
			continue;
		/* Exactly as long as it is: nothing behind it may matter. */
		char *copy = memory_alloc(len);
		memcpy(copy, text, len);
		bench_open(&b, &field, &form, 1, style, SIZE_MAX / 4);
		VECTOR_DATA(b.batch->columns, StringView)
		[0] = (StringView){copy, len, clean ? VIEW_JSON_CLEAN : 0};
		check_one(&b, expected, status);
		bench_close(&b);
		memory_free(copy);
	}
}

#define TEXT_IS(kind, form, text, expected)                                                        \
	check_text(TYPE_OF(kind), form, "iso8601", text, sizeof(text) - 1, expected, FERRIS_OK)
#define TEXT_FAILS(kind, form, text, error)                                                        \
	check_text(TYPE_OF(kind), form, "iso8601", text, sizeof(text) - 1, "", FERRIS_ERR_##error)

static void
texts(void **state)
{
	(void)state;
	for (VectorForm form = FORM_VALUE; form <= FORM_TEXT; form++) {
		TEXT_IS(STRING, form, "", "\"\"");
		TEXT_IS(STRING, form, "abc", "\"abc\"");
		TEXT_IS(STRING, form, "exactly sixteen.", "\"exactly sixteen.\"");
		TEXT_IS(STRING, form, "exactly thirty-two bytes, really",
			"\"exactly thirty-two bytes, really\"");
		TEXT_IS(STRING, form, "more than exactly thirty-two bytes, really",
			"\"more than exactly thirty-two bytes, really\"");
		TEXT_IS(STRING, form, "a\"b\\c/d", "\"a\\\"b\\\\c/d\"");
		TEXT_IS(STRING, form, "\b\f\n\r\t\v\x01\x1f\x7f",
			"\"\\b\\f\\n\\r\\t\\u000b\\u0001\\u001f\x7f\"");
		check_text(TYPE_OF(STRING), form, "iso8601", "\0", 1, "\"\\u0000\"", FERRIS_OK);
		TEXT_IS(STRING, form, "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x",
			"\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80x\"");
		TEXT_FAILS(STRING, form, "abc\xFF", UTF8);
		TEXT_FAILS(STRING, form, "\xED\xA0\x80", UTF8);
		TEXT_FAILS(STRING, form, "a long text with its fault at the very end \xC3", UTF8);
		TEXT_IS(JSON, form, "{\"a\": [1, 2]}", "{\"a\": [1, 2]}");
		TEXT_IS(JSON, form, "{\n\"a\":\r\n1}", "{ \"a\":  1}");
		TEXT_FAILS(JSON, form, "{\"a\":}", BAD_VALUE);
		TEXT_FAILS(JSON, form, "1 2", BAD_VALUE);
		TEXT_FAILS(JSON, form, "", BAD_VALUE);
	}
	TEXT_IS(BYTES, FORM_VALUE, "", "\"\"");
	TEXT_IS(BYTES, FORM_VALUE, "\x01", "\"AQ==\"");
	TEXT_IS(BYTES, FORM_VALUE, "\xFF\xFE", "\"//4=\"");
	TEXT_IS(BYTES, FORM_VALUE, "abc", "\"YWJj\"");
	TEXT_IS(BIGINT, FORM_TEXT, "-12", "-12");
	TEXT_IS(DOUBLE, FORM_TEXT, "0.1", "0.1");
	TEXT_IS(BOOLEAN, FORM_TEXT, "true", "true");
	TEXT_IS(DATE, FORM_TEXT, "2023-11-14", "\"2023-11-14\"");
	TEXT_IS(INTERVAL, FORM_TEXT, "P1D", "\"P1D\"");
	TEXT_IS(TIMESTAMP, FORM_TEXT, "2023-11-14T22:13:20.049Z", "\"2023-11-14T22:13:20.049Z\"");
	check_text(TYPE_OF(TIMESTAMP), FORM_TEXT, "epoch_millis", "2023-11-14T22:13:20.049Z", 24,
		   "1700000000049", FERRIS_OK);
}

static void
check_int64(const Type *type, const char *style, int64_t value, const char *expected, Status status)
{
	Field field = {STR("v"), type, false};
	Bench b;

	bench_open(&b, &field, NULL, 1, style, SIZE_MAX / 4);
	VECTOR_DATA(b.batch->columns, int64_t)[0] = value;
	check_one(&b, expected, status);
	vector_set_null(&b.batch->columns[0], 0);
	check_one(&b, "null", FERRIS_OK);
	bench_close(&b);
}

static void
numbers(void **state)
{
	Arena arena;

	(void)state;
	arena_init(&arena, 0);
	check_int64(TYPE_OF(BIGINT), "iso8601", INT64_MIN, "-9223372036854775808", FERRIS_OK);
	check_int64(TYPE_OF(BIGINT), "iso8601", INT64_MAX, "9223372036854775807", FERRIS_OK);
	check_int64(TYPE_OF(TINYINT), "iso8601", 0, "0", FERRIS_OK);
	check_int64(type_decimal(&arena, 18, 4), "iso8601", 125000, "12.5000", FERRIS_OK);
	check_int64(type_decimal(&arena, 18, 4), "iso8601", -1, "-0.0001", FERRIS_OK);
	check_int64(type_decimal(&arena, 18, 18), "iso8601", -999999999999999999,
		    "-0.999999999999999999", FERRIS_OK);
	check_int64(type_decimal(&arena, 5, 0), "iso8601", 7, "7", FERRIS_OK);
	check_int64(TYPE_OF(DATE), "iso8601", 19675, "\"2023-11-14\"", FERRIS_OK);
	check_int64(TYPE_OF(TIME), "iso8601", 80000049000, "\"22:13:20.049\"", FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "iso8601", 1700000000049000, "\"2023-11-14T22:13:20.049Z\"",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_millis", 1700000000049000, "1700000000049",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_millis", 1700000000049001, "1700000000049.001",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_millis", -1000, "-1", FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_micros", 1700000000049001, "1700000000049001",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_seconds", 1700000000000000, "1700000000", FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "epoch_seconds", 1700000000049000, "1700000000.049000",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "%H:%M \"%d\"", 1700000000049000, "\"22:13 \\\"14\\\"\"",
		    FERRIS_OK);
	check_int64(TYPE_OF(TIMESTAMP), "iso8601", INT64_MAX, "", FERRIS_ERR_OUT_OF_RANGE);
	arena_free(&arena);
}

static void
doubles(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{0.1, "0.1"},       {-0.0, "-0.0"}, {5, "5.0"},       {1e300, "1e300"},
		{5e-324, "5e-324"}, {NAN, NULL},    {INFINITY, NULL}, {-INFINITY, NULL},
	};
	Field field = {STR("v"), TYPE_OF(DOUBLE), false};
	Bench b;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bench_open(&b, &field, NULL, 1, "iso8601", SIZE_MAX / 4);
		VECTOR_DATA(b.batch->columns, double)[0] = cases[i].value;
		check_one(&b, cases[i].text,
			  cases[i].text != NULL ? FERRIS_OK : FERRIS_ERR_BAD_VALUE);
		bench_close(&b);
	}
}

/* Rows that fail leave no byte behind and leave the selection; constants and selections hold. */
static void
rows_and_selection(void **state)
{
	Field fields[] = {{STR("id"), TYPE_OF(BIGINT), false},
			  {STR("na\"me"), TYPE_OF(STRING), false},
			  {STR("one"), TYPE_OF(BOOLEAN), false}};
	Bench b;

	(void)state;
	bench_open(&b, fields, NULL, 3, "iso8601", SIZE_MAX / 4);
	for (uint32_t i = 0; i < 5; i++) {
		VECTOR_DATA(&b.batch->columns[0], int64_t)[i] = i;
		VECTOR_DATA(&b.batch->columns[1], StringView)
		[i] = (StringView){i == 2 ? "\xFF" : "x", 1, 0};
	}
	VECTOR_DATA(&b.batch->columns[2], uint8_t)[0] = 1;
	b.batch->columns[2].constant = true;
	bench_rows(&b, 5);
	memmove(b.batch->sel, b.batch->sel + 1, 4 * sizeof *b.batch->sel); /* without row 0 */
	b.batch->sel_count = 4;
	b.batch->dense = false;
	assert_int_equal(bench_encode(&b), FERRIS_OK);
	buffer_append(&b.out.bytes, "", 1);
	assert_string_equal(b.out.bytes.data, "{\"id\":1,\"na\\\"me\":\"x\",\"one\":true}\n"
					      "{\"id\":3,\"na\\\"me\":\"x\",\"one\":true}\n"
					      "{\"id\":4,\"na\\\"me\":\"x\",\"one\":true}\n");
	assert_int_equal(b.out.count, 3);
	assert_int_equal(b.out.ends[0], 33);
	assert_int_equal(b.batch->sel_count, 3);
	assert_int_equal(b.batch->sel[1], 3);
	assert_int_equal(b.batch->error_count, 1);
	assert_int_equal(b.batch->errors[0].record.offset, 20);
	assert_int_equal(b.batch->errors[0].status, FERRIS_ERR_UTF8);
	assert_true(str_eq(b.batch->errors[0].column, STR("na\"me")));
	bench_close(&b);
}

static void
limit_is_an_error(void **state)
{
	Field field = {STR("v"), TYPE_OF(STRING), false};
	Bench b;

	(void)state;
	bench_open(&b, &field, NULL, 1, "iso8601", 4000);
	for (uint32_t i = 0; i < 1000; i++)
		VECTOR_DATA(&b.batch->columns[0], StringView)
		[i] = (StringView){"0123456789", 10, 0};
	bench_rows(&b, 1000);
	assert_int_equal(bench_encode(&b), FERRIS_ERR_LIMIT);
	bench_close(&b);
}

static void
no_columns(void **state)
{
	Bench b;

	(void)state;
	bench_open(&b, NULL, NULL, 0, "iso8601", SIZE_MAX / 4);
	bench_rows(&b, 2);
	assert_int_equal(bench_encode(&b), FERRIS_OK);
	assert_int_equal(b.out.bytes.len, 6);
	assert_memory_equal(b.out.bytes.data, "{}\n{}\n", 6);
	bench_close(&b);
}

/* ---- decode(encode(x)) = x ---- */

static uint64_t seed;

static const char *const words[] = {
	"",
	"a",
	"BUY",
	"quote\"backslash\\",
	"line\nend",
	"\xC3\xA9t\xC3\xA9",
	"\xF0\x9F\x98\x80",
	"a text of more than thirty-two bytes, with \ttab",
	"\x01\x02",
	"null",
	"{\"a\":1}",
};

static StringView
random_view(uint64_t *random)
{
	const char *word = words[harness_below(random, sizeof words / sizeof *words)];

	return (StringView){word, (uint32_t)strlen(word), 0};
}

static Int128
random_wide(uint64_t *random, int precision)
{
	Int128 value = (Int128)(harness_random(random) >> 1) * (Int128)harness_random(random);

	return value % decimal_power128[precision] * (harness_below(random, 2) ? 1 : -1);
}

static void random_fill(Vector *vector, uint32_t row, uint64_t *random);

static void
random_list(Vector *vector, uint32_t row, uint64_t *random)
{
	uint32_t len = harness_below(random, 4);
	uint32_t first = vector_list_append(vector, len);

	VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, len};
	for (uint32_t i = 0; i < len; i++) {
		if (vector->type->kind == TYPE_MAP) { /* keys differ and are not NULL */
			VECTOR_DATA(&vector->children[0], StringView)
			[first + i] = (StringView){words[i + 1], (uint32_t)strlen(words[i + 1]), 0};
			vector_set_valid(&vector->children[0], first + i);
			random_fill(&vector->children[1], first + i, random);
		} else {
			random_fill(&vector->children[0], first + i, random);
		}
	}
}

static void
random_fill(Vector *vector, uint32_t row, uint64_t *random)
{
	const Type *type = vector->type;
	int64_t min, max;

	if (harness_below(random, 8) == 0) {
		json_set_null(vector, row);
		return;
	}
	vector_set_valid(vector, row);
	switch (type->kind) {
	case TYPE_BOOLEAN:
		VECTOR_DATA(vector, uint8_t)[row] = (uint8_t)harness_below(random, 2);
		break;
	case TYPE_DOUBLE: {
		uint64_t bits = harness_random(random);
		double value;

		memcpy(&value, &bits, sizeof value);
		VECTOR_DATA(vector, double)[row] = isfinite(value) ? value : 0.1;
		break;
	}
	case TYPE_FLOAT:
		VECTOR_DATA(vector, double)[row] = (double)((float)harness_random(random) / 3);
		break;
	case TYPE_DECIMAL:
		if (type_physical(type) == PHYSICAL_INT128)
			VECTOR_DATA(vector, Int128)[row] = random_wide(random, type->precision);
		else
			VECTOR_DATA(vector, int64_t)
			[row] = (int64_t)random_wide(random, type->precision);
		break;
	case TYPE_STRING:
	case TYPE_BYTES:
		VECTOR_DATA(vector, StringView)[row] = random_view(random);
		break;
	case TYPE_JSON:
		VECTOR_DATA(vector, StringView)[row] = (StringView){"{\"k\": [1]}", 10, 0};
		break;
	case TYPE_DATE:
		VECTOR_DATA(vector, int64_t)
		[row] = DATE_MIN + (int64_t)harness_below(random, DATE_MAX - DATE_MIN);
		break;
	case TYPE_TIME:
		VECTOR_DATA(vector, int64_t)
		[row] = (int64_t)(harness_random(random) % (uint64_t)MICROS_PER_DAY);
		break;
	case TYPE_TIMESTAMP:
		VECTOR_DATA(vector, int64_t)
		[row] = TIMESTAMP_MIN + (int64_t)(harness_random(random) %
						  (uint64_t)(TIMESTAMP_MAX - TIMESTAMP_MIN));
		break;
	case TYPE_INTERVAL:
		VECTOR_DATA(vector, Interval)
		[row] = (Interval){(int32_t)harness_below(random, 100),
				   (int32_t)harness_below(random, 100),
				   (int64_t)harness_below(random, 1000000000)};
		break;
	case TYPE_ARRAY:
	case TYPE_MAP:
		random_list(vector, row, random);
		break;
	case TYPE_STRUCT:
		for (uint32_t i = 0; i < vector->child_count; i++)
			random_fill(&vector->children[i], row, random);
		break;
	default:
		type_integer_range(type->kind, &min, &max);
		VECTOR_DATA(vector, int64_t)
		[row] = type->kind == TYPE_BIGINT ? (int64_t)harness_random(random)
						  : min + (int64_t)(harness_random(random) %
								    (uint64_t)(max - min + 1));
	}
}

static uint32_t
all_types(Arena *arena, Field *fields)
{
	const Type *types[] = {
		TYPE_OF(BOOLEAN),
		TYPE_OF(TINYINT),
		TYPE_OF(INTEGER),
		TYPE_OF(BIGINT),
		TYPE_OF(FLOAT),
		TYPE_OF(DOUBLE),
		type_decimal(arena, 18, 4),
		type_decimal(arena, 38, 12),
		TYPE_OF(STRING),
		TYPE_OF(BYTES),
		TYPE_OF(DATE),
		TYPE_OF(TIME),
		TYPE_OF(TIMESTAMP),
		TYPE_OF(INTERVAL),
		NULL,
		TYPE_OF(JSON),
	};
	Field inner[] = {{STR("x"), TYPE_OF(BIGINT), false},
			 {STR("y \\"), type_map(arena, TYPE_OF(STRING), TYPE_OF(DATE)), false}};
	uint32_t count = sizeof types / sizeof *types;

	types[14] = type_array(arena, type_struct(arena, inner, 2));
	for (uint32_t i = 0; i < count; i++)
		fields[i] = (Field){str_format(arena, "c%u", i), types[i], false};
	return count;
}

/* Encode, decode as VALUE and as TEXT, encode that: the bytes must not change. */
static void
round_trip(void **state)
{
	static const char *const styles[] = {"iso8601", "epoch_millis", "epoch_micros",
					     "epoch_seconds"};
	uint64_t random = seed;

	(void)state;
	for (int round = 0; round < 200; round++) {
		const char *style = styles[round % 4];
		Field fields[HARNESS_COLUMNS];
		VectorForm forms[HARNESS_COLUMNS];
		Bench b, again;
		Harness h;
		Error err;

		harness_init(&h);
		uint32_t count = all_types(&h.arena, fields);
		bench_open(&b, fields, NULL, count, style, SIZE_MAX / 4);
		uint32_t rows = 1 + harness_below(&random, 50);
		for (uint32_t r = 0; r < rows; r++)
			for (uint32_t c = 0; c < count; c++)
				random_fill(&b.batch->columns[c], r, &random);
		bench_rows(&b, rows);
		assert_int_equal(bench_encode(&b), FERRIS_OK);
		assert_int_equal(b.out.count, rows);
		json_error_t why;
		for (uint32_t r = 0, start = 0; r < rows; start = b.out.ends[r++]) {
			json_t *json = json_loadb(b.out.bytes.data + start, b.out.ends[r] - start,
						  JSON_REJECT_DUPLICATES, &why);
			if (json == NULL)
				fail_msg("jansson: %s: %.*s", why.text,
					 (int)(b.out.ends[r] - start), b.out.bytes.data + start);
			json_decref(json);
		}
		for (uint32_t c = 0; c < count; c++) {
			forms[c] = harness_below(&random, 2) ? FORM_TEXT : FORM_VALUE;
			harness_column(&h, fields[c].name.data, fields[c].type, forms[c], true);
		}
		harness_option(&h, "timestamp.format", style);
		harness_option(&h, "json.validate", round % 2 ? "full" : "needed");
		assert_int_equal(harness_open(&h, PATH_AUTO, &err), FERRIS_OK);
		Chunk *chunk = chunk_new(b.out.bytes.len);
		memcpy(chunk->data, b.out.bytes.data, b.out.bytes.len);
		chunk->len = b.out.bytes.len;
		chunk_seal(chunk);
		ChunkCursor cursor = {.chunk = chunk};
		bench_open(&again, fields, forms, count, style, SIZE_MAX / 4);
		batch_destroy(again.batch);
		again.batch = h.batch;
		h.batch = NULL;
		batch_reset(again.batch);
		assert_int_equal(json_codec.decode(h.decoder, &cursor, again.batch, &err),
				 FERRIS_OK);
		if (again.batch->error_count > 0)
			fail_msg("seed %llu: %.*s", (unsigned long long)seed,
				 STR_ARG(again.batch->errors[0].message));
		assert_int_equal(again.batch->row_count, rows);
		assert_int_equal(bench_encode(&again), FERRIS_OK);
		assert_int_equal(again.out.bytes.len, b.out.bytes.len);
		assert_memory_equal(again.out.bytes.data, b.out.bytes.data, b.out.bytes.len);
		/* And the values themselves, where the vectors can be compared. */
		for (uint32_t c = 0; c < 8; c++)
			for (uint32_t r = 0; r < rows && forms[c] == FORM_VALUE; r++) {
				Vector *x = &b.batch->columns[c], *y = &again.batch->columns[c];
				size_t size = physical_size(type_physical(x->type));

				assert_int_equal(vector_is_null(x, r), vector_is_null(y, r));
				if (!vector_is_null(x, r))
					assert_memory_equal((char *)x->data + r * size,
							    (char *)y->data + r * size, size);
			}
		chunk_destroy(chunk);
		bench_close(&again);
		bench_close(&b);
		harness_free(&h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(numbers),
		cmocka_unit_test(doubles),
		cmocka_unit_test(rows_and_selection),
		cmocka_unit_test(limit_is_an_error),
		cmocka_unit_test(no_columns),
		cmocka_unit_test(round_trip),
	};
	const char *given = getenv("TEST_SEED");

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2 + 1;
	print_message("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
