/* tests/unit/test_json_decode.c -- the JSON decoder: values by type, whole records, predicates,
 * framing, inference.  Everything goes through each of its three ways to read a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json_harness.h"

/* ---- one value in one column ---- */

typedef struct ValueCase {
	const char *type;  /* as in type_named below */
	const char *json;  /* the value in the record */
	const char *value; /* as JSON, or NULL for an error */
	const char *text;  /* the TEXT form, if it prints otherwise than the value; else NULL */
	Status status;     /* of the error */
} ValueCase;

#define FAILS(type, json, error)                                                                   \
	{                                                                                          \
		type, json, NULL, NULL, FERRIS_ERR_##error                                         \
	}
#define GIVES(type, json, value)                                                                   \
	{                                                                                          \
		type, json, value, NULL, FERRIS_OK                                                 \
	}

static const ValueCase value_cases[] = {
	GIVES("BOOLEAN", "true", "true"),
	GIVES("BOOLEAN", "false", "false"),
	GIVES("BOOLEAN", "null", "null"),
	FAILS("BOOLEAN", "1", BAD_VALUE),
	FAILS("BOOLEAN", "\"true\"", BAD_VALUE),
	FAILS("BOOLEAN", "tru", BAD_RECORD),
	FAILS("BOOLEAN", "truex", BAD_RECORD),
	GIVES("TINYINT", "-128", "-128"),
	GIVES("TINYINT", "127", "127"),
	FAILS("TINYINT", "128", OUT_OF_RANGE),
	FAILS("TINYINT", "-129", OUT_OF_RANGE),
	GIVES("SMALLINT", "32767", "32767"),
	FAILS("SMALLINT", "32768", OUT_OF_RANGE),
	GIVES("INTEGER", "2147483647", "2147483647"),
	GIVES("INTEGER", "-2147483648", "-2147483648"),
	FAILS("INTEGER", "2147483648", OUT_OF_RANGE),
	GIVES("BIGINT", "0", "0"),
	GIVES("BIGINT", "-0", "0"),
	GIVES("BIGINT", "9223372036854775807", "9223372036854775807"),
	GIVES("BIGINT", "-9223372036854775808", "-9223372036854775808"),
	FAILS("BIGINT", "9223372036854775808", OUT_OF_RANGE),
	FAILS("BIGINT", "123456789012345678901234567890123456789012", OUT_OF_RANGE),
	GIVES("BIGINT", "1.0", "1"),
	GIVES("BIGINT", "-1e3", "-1000"),
	GIVES("BIGINT", "12.5e1", "125"),
	FAILS("BIGINT", "1.5", DIGIT_LOSS),
	FAILS("BIGINT", "1e-1", DIGIT_LOSS),
	FAILS("BIGINT", "1e400", OUT_OF_RANGE),
	FAILS("BIGINT", "\"12\"", BAD_VALUE),
	FAILS("BIGINT", "[1]", BAD_VALUE),
	FAILS("BIGINT", "{}", BAD_VALUE),
	FAILS("BIGINT", "01", BAD_RECORD),
	FAILS("BIGINT", "+1", BAD_RECORD),
	FAILS("BIGINT", "-", BAD_RECORD),
	FAILS("BIGINT", "1.", BAD_RECORD),
	FAILS("BIGINT", ".1", BAD_RECORD),
	FAILS("BIGINT", "1e", BAD_RECORD),
	FAILS("BIGINT", "0x10", BAD_RECORD),
	FAILS("BIGINT", "1 2", BAD_RECORD),
	FAILS("BIGINT", "", BAD_RECORD),
	FAILS("BIGINT", "NaN", BAD_RECORD),
	GIVES("DECIMAL(18,4)", "12.5", "12.5000"),
	GIVES("DECIMAL(18,4)", "12.5000", "12.5000"),
	GIVES("DECIMAL(18,4)", "12.50000000000000000000000", "12.5000"),
	GIVES("DECIMAL(18,4)", "-0.00", "0.0000"),
	GIVES("DECIMAL(18,4)", "-0.0000", "0.0000"),
	GIVES("DECIMAL(18,4)", "-0.0001", "-0.0001"),
	GIVES("DECIMAL(18,4)", "7", "7.0000"),
	GIVES("DECIMAL(18,4)", "1e3", "1000.0000"),
	GIVES("DECIMAL(18,4)", "12345E-4", "1.2345"),
	GIVES("DECIMAL(18,4)", "99999999999999.9999", "99999999999999.9999"),
	GIVES("DECIMAL(18,4)", "-99999999999999.9999", "-99999999999999.9999"),
	FAILS("DECIMAL(18,4)", "100000000000000", OUT_OF_RANGE),
	FAILS("DECIMAL(18,4)", "100000000000000.0000", OUT_OF_RANGE),
	FAILS("DECIMAL(18,4)", "1.00001", DIGIT_LOSS),
	GIVES("DECIMAL(18,4)", "\"12.34\"", "12.3400"),
	FAILS("DECIMAL(18,4)", "\"12,34\"", BAD_VALUE),
	FAILS("DECIMAL(18,4)", "\"\"", BAD_VALUE),
	FAILS("DECIMAL(18,4)", "true", BAD_VALUE),
	FAILS("DECIMAL(18,4)", "1.2.3", BAD_RECORD),
	FAILS("DECIMAL(18,4)", "1.0000.1", BAD_RECORD),
	GIVES("DECIMAL(4,4)", "0.1234", "0.1234"),
	FAILS("DECIMAL(4,4)", "1.1234", OUT_OF_RANGE),
	GIVES("DECIMAL(9,0)", "999999999", "999999999"),
	FAILS("DECIMAL(9,0)", "1000000000", OUT_OF_RANGE),
	GIVES("DECIMAL(38,10)", "1234567890123456789012345678.0123456789",
	      "1234567890123456789012345678.0123456789"),
	FAILS("DECIMAL(38,10)", "12345678901234567890123456789", OUT_OF_RANGE),
	FAILS("DECIMAL(38,10)", "0.00000000001", DIGIT_LOSS),
	GIVES("DOUBLE", "0.1", "0.1"),
	GIVES("DOUBLE", "5", "5.0"),
	GIVES("DOUBLE", "1e300", "1e300"),
	GIVES("DOUBLE", "-0.0", "-0.0"),
	GIVES("DOUBLE", "9007199254740993", "9007199254740992.0"),
	GIVES("DOUBLE", "1e-400", "0.0"),
	FAILS("DOUBLE", "1e400", OUT_OF_RANGE),
	FAILS("DOUBLE", "\"1\"", BAD_VALUE),
	GIVES("FLOAT", "0.1", "0.1"),
	GIVES("FLOAT", "16777217", "16777216.0"),
	FAILS("FLOAT", "1e39", OUT_OF_RANGE),
	GIVES("STRING", "\"\"", "\"\""),
	GIVES("STRING", "\"abc\"", "\"abc\""),
	GIVES("STRING", "\"a\\u0041\\n\\\"\\\\\\/\\b\\f\\r\\t\"", "\"aA\\n\\\"\\\\/\\b\\f\\r\\t\""),
	GIVES("STRING", "\"\\u0000\\u001f\"", "\"\\u0000\\u001f\""),
	GIVES("STRING", "\"\\ud83d\\ude00\"", "\"\xF0\x9F\x98\x80\""),
	GIVES("STRING", "\"\\u00e9\\u20AC\"", "\"\xC3\xA9\xE2\x82\xAC\""),
	GIVES("STRING", "\"\xC3\xA9 and more than thirty-two bytes of text \xF0\x9F\x98\x80\"",
	      "\"\xC3\xA9 and more than thirty-two bytes of text \xF0\x9F\x98\x80\""),
	GIVES("STRING", "\"\x7F\"", "\"\x7F\""),
	GIVES("STRING", "12.50", "\"12.50\""),
	GIVES("STRING", "true", "\"true\""),
	GIVES("STRING", "{\"a\": [1, \"x\"]}", "\"{\\\"a\\\": [1, \\\"x\\\"]}\""),
	GIVES("STRING", "null", "null"),
	FAILS("STRING", "\"\\ud83d\"", BAD_VALUE),
	FAILS("STRING", "\"\\ud83dx\\ude00\"", BAD_VALUE),
	FAILS("STRING", "\"\\ude00\"", BAD_VALUE),
	FAILS("STRING", "\"\\ud83d\\u0041\"", BAD_VALUE),
	FAILS("STRING", "\"\\x41\"", BAD_RECORD),
	FAILS("STRING", "\"\\u12g4\"", BAD_RECORD),
	FAILS("STRING", "\"\\u12\"", BAD_RECORD),
	FAILS("STRING", "\"a\tb\"", BAD_RECORD),
	FAILS("STRING", "\"a\x01\"", BAD_RECORD),
	FAILS("STRING", "\"\xFF\"", UTF8),
	FAILS("STRING", "\"\xC0\x80\"", UTF8),
	FAILS("STRING", "\"\xED\xA0\x80\"", UTF8),
	FAILS("STRING", "\"\xE2\x82\"", UTF8),
	FAILS("STRING", "\"\xF4\x90\x80\x80\"", UTF8),
	FAILS("STRING", "[1,]", BAD_RECORD),
	FAILS("STRING", "{\"a\"}", BAD_RECORD),
	GIVES("JSON", "{\"a\": [1, \"x\\u0041\"]}", "{\"a\": [1, \"x\\u0041\"]}"),
	GIVES("JSON", "\"x\"", "\"x\""),
	GIVES("JSON", "1.0e5", "1.0e5"),
	GIVES("JSON", "null", "null"),
	FAILS("JSON", "[01]", BAD_RECORD),
	FAILS("JSON", "[\"\xFF\"]", UTF8),
	GIVES("BYTES", "\"AAEC/w==\"", "\"AAEC/w==\""),
	GIVES("BYTES", "\"AAEC/w\"", "\"AAEC/w==\""),
	GIVES("BYTES", "\"\"", "\"\""),
	FAILS("BYTES", "\"A\"", BAD_VALUE),
	FAILS("BYTES", "\"AB==\"", BAD_VALUE),
	FAILS("BYTES", "\"A*==\"", BAD_VALUE),
	FAILS("BYTES", "7", BAD_VALUE),
	GIVES("DATE", "\"2023-11-14\"", "\"2023-11-14\""),
	FAILS("DATE", "\"2023-02-29\"", OUT_OF_RANGE),
	FAILS("DATE", "19000", BAD_VALUE),
	GIVES("TIME", "\"22:13:20.049\"", "\"22:13:20.049\""),
	FAILS("TIME", "\"noon\"", BAD_VALUE),
	GIVES("TIMESTAMP", "1700000000049", "\"2023-11-14T22:13:20.049Z\""),
	GIVES("TIMESTAMP", "1700000000049.123", "\"2023-11-14T22:13:20.049123Z\""),
	GIVES("TIMESTAMP", "1.7e12", "\"2023-11-14T22:13:20.000Z\""),
	GIVES("TIMESTAMP", "0", "\"1970-01-01T00:00:00.000Z\""),
	GIVES("TIMESTAMP", "-1", "\"1969-12-31T23:59:59.999Z\""),
	GIVES("TIMESTAMP", "\"2023-11-14T22:13:20.049Z\"", "\"2023-11-14T22:13:20.049Z\""),
	GIVES("TIMESTAMP", "\"2023-11-14 23:13:20+01:00\"", "\"2023-11-14T22:13:20.000Z\""),
	FAILS("TIMESTAMP", "1700000000049.1234", DIGIT_LOSS),
	FAILS("TIMESTAMP", "999999999999999", OUT_OF_RANGE),
	FAILS("TIMESTAMP", "99999999999999999999", OUT_OF_RANGE),
	FAILS("TIMESTAMP", "\"yesterday\"", BAD_VALUE),
	FAILS("TIMESTAMP", "false", BAD_VALUE),
	GIVES("INTERVAL", "\"1 day 2 hours\"", "\"P1DT2H\""),
	FAILS("INTERVAL", "\"soon\"", BAD_VALUE),
	GIVES("ARRAY", "[]", "[]"),
	GIVES("ARRAY", "[ 1 , null, 3 ]", "[1,null,3]"),
	GIVES("ARRAY", "null", "null"),
	FAILS("ARRAY", "[1,\"x\"]", BAD_VALUE),
	FAILS("ARRAY", "[1,2", BAD_RECORD),
	FAILS("ARRAY", "[1 2]", BAD_RECORD),
	FAILS("ARRAY", "[1,]", BAD_RECORD),
	FAILS("ARRAY", "{}", BAD_VALUE),
	GIVES("MAP", "{}", "{}"),
	GIVES("MAP", "{\"a\":1.5,\"b\":null,\"a\":2}", "{\"a\":1.50,\"b\":null}"),
	GIVES("MAP", "{\"\\u0061\":1,\"a\":2}", "{\"a\":1.00}"),
	FAILS("MAP", "{\"a\":1.234}", DIGIT_LOSS),
	FAILS("MAP", "[]", BAD_VALUE),
	FAILS("MAP", "{1:2}", BAD_RECORD),
	GIVES("STRUCT", "{\"x\":1,\"y\":[\"p\",\"q\"]}", "{\"x\":1,\"y\":[\"p\",\"q\"]}"),
	GIVES("STRUCT", "{\"y\":null,\"z\":{\"deep\":[1]},\"x\":2,\"x\":3}",
	      "{\"x\":2,\"y\":null}"),
	GIVES("STRUCT", "{}", "{\"x\":null,\"y\":null}"),
	GIVES("STRUCT", "null", "null"),
	FAILS("STRUCT", "{\"x\":\"no\"}", BAD_VALUE),
	FAILS("STRUCT", "{\"z\":01}", BAD_RECORD),
	FAILS("STRUCT", "[]", BAD_VALUE),
};

static const Type *
type_named(Arena *arena, const char *name)
{
	int precision, scale;
	TypeKind kind;

	if (sscanf(name, "DECIMAL(%d,%d)", &precision, &scale) == 2)
		return type_decimal(arena, precision, scale);
	if (strcmp(name, "ARRAY") == 0)
		return type_array(arena, TYPE_OF(INTEGER));
	if (strcmp(name, "MAP") == 0)
		return type_map(arena, TYPE_OF(STRING), type_decimal(arena, 10, 2));
	if (strcmp(name, "STRUCT") == 0) {
		Field fields[] = {{STR("x"), TYPE_OF(BIGINT), false},
				  {STR("y"), type_array(arena, TYPE_OF(STRING)), false}};
		return type_struct(arena, fields, 2);
	}
	assert_true(type_kind_from_name(str_from(name), &kind));
	return &type_simple[kind];
}

/* The value part of the only row. */
static const char *
only_row(const Harness *h)
{
	const char *colon = strstr(h->rows.data, ": ");

	return colon != NULL ? colon + 2 : "";
}

static void
check_value(const ValueCase *c, VectorForm form, HarnessPath path)
{
	Harness h;
	Error err;
	char input[512];
	char expected[512];

	harness_init(&h);
	harness_column(&h, "v", type_named(&h.arena, c->type), form, true);
	/* Twice, so that the fast path gets the second one. */
	int len = snprintf(input, sizeof input, "{\"v\":%s}\n{\"v\":null}\n{\"v\":%s}\n", c->json,
			   c->json);
	assert_int_equal(harness_run(&h, path, input, (size_t)len, &err), FERRIS_OK);
	snprintf(expected, sizeof expected, "%s\n", c->value != NULL ? c->value : "");
	if (c->value != NULL) {
		if (h.error_count != 0)
			fail_msg("%s %s: %s", c->type, c->json, h.errors.data);
		assert_int_equal(h.row_count, 3);
		if (strncmp(only_row(&h), expected, strlen(expected)) != 0)
			fail_msg("%s %s: %s instead of %s", c->type, c->json, h.rows.data,
				 expected);
		const char *third = strstr(h.rows.data, "line 2: ");
		assert_non_null(third);
		assert_string_equal(third + 8, expected);
	} else {
		assert_int_equal(h.records_in, 3);
		if (h.error_count != 2 ||
		    strstr(h.errors.data, error_info(c->status)->name) == NULL)
			fail_msg("%s %s: wanted %s, got %s%s", c->type, c->json,
				 error_info(c->status)->name, h.rows.data, h.errors.data);
	}
	harness_free(&h);
}

static void
values_by_type(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++)
		for (HarnessPath path = 0; path < PATH_COUNT; path++) {
			check_value(&value_cases[i], FORM_VALUE, path);
			check_value(&value_cases[i], FORM_TEXT, path);
		}
}

/* ---- whole records ---- */

typedef struct RecordCase {
	const char *input;
	const char *rows;   /* without ranges; columns a BIGINT, b STRING */
	const char *errors; /* substring, "" for none */
	const char *validate;
} RecordCase;

static const RecordCase record_cases[] = {
	{"{\"a\":1,\"b\":\"x\"}\n", "1 \"x\"\n", "", "needed"},
	{"{\"b\":\"x\",\"a\":1}", "1 \"x\"\n", "", "needed"},
	{" \t{ \"a\" : 1 , \"b\" : \"x\" } \r\n\r\n \n", "1 \"x\"\n", "", "needed"},
	{"{}\n", "null null\n", "", "needed"},
	{"{ }\n", "null null\n", "", "needed"},
	{"{\"c\":{\"a\":9,\"b\":[\"}\"]},\"a\":1}\n", "1 null\n", "", "needed"},
	{"{\"A\":1,\"B\":2}\n", "null null\n", "", "needed"},
	{"{\"\\u0061\":1,\"b\":\"y\"}\n", "1 \"y\"\n", "", "needed"},
	{"{\"a\":1,\"a\":2,\"b\":\"x\"}\n", "1 \"x\"\n", "", "needed"},
	{"{\"a\":1,\"a\":2,\"b\":\"x\"}\n", "", "a key stands twice", "full"},
	{"{\"a\":1,\"\\u0061\":2}\n", "", "a key stands twice", "full"},
	{"{\"a\":1,\"c\":{\"d\":1,\"d\":2}}\n", "", "a key stands twice", "full"},
	{"{\"c\":{\"d\":1,\"d\":2},\"a\":1}\n", "1 null\n", "", "needed"},
	{"{\"c\":01,\"a\":1}\n", "1 null\n", "", "needed"},
	{"{\"c\":01,\"a\":1}\n", "", "BAD_RECORD", "full"},
	{"{\"a\":1,\"b\":\"x\",\"c\":\"\xFF\"}\n", "1 \"x\"\n", "", "needed"},
	{"{\"a\":1,\"b\":\"x\",\"c\":\"\xFF\"}\n", "", "UTF8", "full"},
	{"{\"a\":1,\"b\":\"x\",garbage}\n", "1 \"x\"\n", "", "needed"},
	{"{\"a\":1,\"b\":\"x\",garbage}\n", "", "BAD_RECORD", "full"},
	{"{\"a\":1,\"b\":\"x\"\n{\"a\":2}\n", "2 null\n", "0+14 line 0: BAD_RECORD", "needed"},
	{"{\"a\":1,\"b\":\"x\",\n{\"a\":2}\n", "2 null\n", "must end with '}'", "needed"},
	{"{\"a\":1}}\n", "", "something follows", "needed"},
	{"{\"a\":1} {\"a\":2}\n", "", "something follows", "needed"},
	{"[1]\n", "", "must be a JSON object", "needed"},
	{"nonsense\n", "", "must be a JSON object", "needed"},
	{"{\"a\" 1}\n", "", "expected ':'", "needed"},
	{"{a:1}\n", "", "expected a key", "needed"},
	{"{\"a\":1,}\n", "", "expected a key", "needed"},
	{"{\"a\":}\n", "", "BAD_RECORD 'a'", "needed"},
	{"{\"a\":\"x\",\"b\":1}\n", "", "BAD_VALUE 'a' '\"x\"' is not a BIGINT", "needed"},
	{"{\"a\":1,\"b\":\"x\"}trailing\n", "", "must end with '}'", "needed"},
	{"{\"a\":1,\"c\":\"unclosed}\n", "", "a string has no end", "needed"},
	{"{\"a\":1,\"c\":[[}\n", "", "a value has no end", "needed"},
	{"\xEF\xBB\xBF{\"a\":1}\n", "", "must be a JSON object", "needed"},
};

static void
without_ranges(const char *rows, char *out)
{
	while (*rows != '\0') {
		const char *colon = strstr(rows, ": ");
		const char *newline = strchr(rows, '\n');

		assert_non_null(colon);
		memcpy(out, colon + 2, (size_t)(newline - colon - 1));
		out += newline - colon - 1;
		rows = newline + 1;
	}
	*out = '\0';
}

static void
records(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof record_cases / sizeof *record_cases; i++)
		for (HarnessPath path = 0; path < PATH_COUNT; path++) {
			const RecordCase *c = &record_cases[i];
			char got[256];
			Harness h;
			Error err;

			harness_init(&h);
			harness_option(&h, "json.validate", c->validate);
			harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
			harness_column(&h, "b", TYPE_OF(STRING), FORM_VALUE, true);
			assert_int_equal(harness_run(&h, path, c->input, strlen(c->input), &err),
					 FERRIS_OK);
			without_ranges(h.rows.data, got);
			if (strcmp(got, c->rows) != 0)
				fail_msg("%s: %s (%s)", c->input, got, h.errors.data);
			if (strstr(h.errors.data, c->errors) == NULL ||
			    (c->errors[0] == '\0' && h.error_count > 0))
				fail_msg("%s: errors %s", c->input, h.errors.data);
			assert_int_equal(h.records_in, h.row_count + h.error_count + h.filtered);
			harness_free(&h);
		}
}

static void
not_null_and_ranges(void **state)
{
	static const char input[] = "{\"a\":1}\n\n{\"b\":2}\r\n{\"a\":null}\n{\"a\":22}";
	Harness h;
	Error err;

	(void)state;
	for (HarnessPath path = 0; path < PATH_COUNT; path++) {
		harness_init(&h);
		h.columns[harness_column(&h, "a", TYPE_OF(BIGINT), FORM_TEXT, true)].not_null =
			true;
		assert_int_equal(harness_run(&h, path, input, strlen(input), &err), FERRIS_OK);
		assert_string_equal(h.rows.data, "0+7 line 0: 1\n29+8 line 4: 22\n");
		assert_string_equal(
			h.errors.data,
			"9+7 line 2: NOT_NULL 'a' missing from the record, but the column is NOT "
			"NULL\n"
			"18+10 line 3: NOT_NULL 'a' null in a column that is NOT NULL\n");
		harness_free(&h);
	}
}

static void
message_shows_value(void **state)
{
	static const char input[] = "{\"a\":\"0123456789012345678901234567890123456789012345\"}\n{"
				    "\"a\":\"\\t\xC3\xA9\"}\n";
	Harness h;
	Error err;

	(void)state;
	harness_init(&h);
	harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
	assert_int_equal(harness_run(&h, PATH_AUTO, input, strlen(input), &err), FERRIS_OK);
	assert_string_equal(h.errors.data,
			    "0+54 line 0: BAD_VALUE 'a' "
			    "'\"012345678901234567890123456789012345678...' is not a BIGINT\n"
			    "55+12 line 1: BAD_VALUE 'a' '\"\\t\xC3\xA9\"' is not a BIGINT\n");
	harness_free(&h);
}

/* ---- predicates ---- */

static void
check_predicate(const char *type, const char *json, CompareOp op, Value constant, bool holds)
{
	char input[256];
	Harness h;
	Error err;

	for (HarnessPath path = 0; path < PATH_COUNT; path++)
		for (int stored = 0; stored < 2; stored++) {
			harness_init(&h);
			uint32_t column = harness_column(&h, "v", type_named(&h.arena, type),
							 FORM_VALUE, stored != 0);
			harness_predicate(&h, column, op, constant);
			harness_column(&h, "w", TYPE_OF(BIGINT), FORM_VALUE, true);
			int len = snprintf(input, sizeof input,
					   "{\"w\":1,\"v\":%s,\"x\":1}\n{\"v\":null}\n{\"w\":5}\n"
					   "{\"v\":%s,\"w\":2}\n{\"w\":3,\"v\":%s,\"x\":1}\n",
					   json, json, json);
			assert_int_equal(harness_run(&h, path, input, (size_t)len, &err),
					 FERRIS_OK);
			if (h.row_count != (holds ? 3 : 0) || h.filtered != (holds ? 2 : 5))
				fail_msg("%s %s op %d: %s%s", type, json, op, h.rows.data,
					 h.errors.data);
			assert_int_equal(h.records_in, 5);
			harness_free(&h);
		}
}

static void
predicates(void **state)
{
	static const bool truth[6][3] = {
		/* value <, =, > constant */
		[COMPARE_EQ] = {false, true, false}, [COMPARE_NE] = {true, false, true},
		[COMPARE_LT] = {true, false, false}, [COMPARE_LE] = {true, true, false},
		[COMPARE_GT] = {false, false, true}, [COMPARE_GE] = {false, true, true},
	};

	(void)state;
	for (CompareOp op = COMPARE_EQ; op <= COMPARE_GE; op++) {
		const bool *t = truth[op];

		check_predicate("BIGINT", "6", op, (Value){.int64 = 7}, t[0]);
		check_predicate("BIGINT", "7", op, (Value){.int64 = 7}, t[1]);
		check_predicate("BIGINT", "-8", op, (Value){.int64 = -9}, t[2]);
		check_predicate("BIGINT", "9223372036854775807", op, (Value){.int64 = INT64_MAX},
				t[1]);
		check_predicate("BIGINT", "5", op, (Value){.int64 = INT64_MAX}, t[0]);
		check_predicate("BIGINT", "5", op, (Value){.int64 = INT64_MIN}, t[2]);
		check_predicate("DECIMAL(18,4)", "1.5", op, (Value){.int64 = 15001}, t[0]);
		check_predicate("DECIMAL(18,4)", "1.5000", op, (Value){.int64 = 15000}, t[1]);
		check_predicate("DECIMAL(18,4)", "-1.5", op, (Value){.int64 = -15001}, t[2]);
		check_predicate("DECIMAL(30,2)", "1", op, (Value){.int128 = 101}, t[0]);
		check_predicate("DECIMAL(30,2)", "1", op, (Value){.int128 = 99}, t[2]);
		check_predicate("DOUBLE", "1.5", op, (Value){.real = 1.5}, t[1]);
		check_predicate("DOUBLE", "1.5", op, (Value){.real = 2}, t[0]);
		check_predicate("STRING", "\"abc\"", op, (Value){.text = STR("abc")}, t[1]);
		check_predicate("STRING", "\"ab\"", op, (Value){.text = STR("abc")}, t[0]);
		check_predicate("STRING", "\"b\"", op, (Value){.text = STR("abc")}, t[2]);
		check_predicate("STRING", "\"\\u0061bc\"", op, (Value){.text = STR("abc")}, t[1]);
		check_predicate("STRING", "\"\xC3\xA9\"", op, (Value){.text = STR("z")}, t[2]);
		check_predicate("STRING", "\"\"", op, (Value){.text = STR("")}, t[1]);
		check_predicate("BOOLEAN", "true", op, (Value){.boolean = true}, t[1]);
		check_predicate("BOOLEAN", "false", op, (Value){.boolean = true}, t[0]);
		check_predicate("TIMESTAMP", "1000", op, (Value){.int64 = 1000000}, t[1]);
		check_predicate("TIMESTAMP", "\"1970-01-01T00:00:01Z\"", op,
				(Value){.int64 = 999999}, t[2]);
		check_predicate("DATE", "\"1970-01-02\"", op, (Value){.int64 = 1}, t[1]);
	}
}

/* A record that fails a predicate is not read further, but a selective predicate must not keep the
 * fast path from learning. */
static void
filtered_records_teach(void **state)
{
	Harness h;
	Error err;
	Buffer input;

	(void)state;
	buffer_init(&input, 1 << 20);
	for (int i = 0; i < 100; i++)
		buffer_printf(&input, "{\"a\":%d,\"b\":\"x\",\"c\":\"bad\"}\n", i);
	harness_init(&h);
	harness_predicate(&h, harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, false),
			  COMPARE_LT, (Value){.int64 = 0});
	harness_column(&h, "b", TYPE_OF(STRING), FORM_TEXT, true);
	harness_column(&h, "c", TYPE_OF(BIGINT), FORM_TEXT, true);
	assert_int_equal(harness_run(&h, PATH_AUTO, input.data, input.len, &err), FERRIS_OK);
	assert_int_equal(h.filtered, 100);
	assert_int_equal(h.error_count, 0);
	assert_int_equal(((JsonDecoder *)h.decoder)->templates[0]->count, 3);
	assert_int_equal(((JsonDecoder *)h.decoder)->record, 1);
	harness_free(&h);
	buffer_free(&input);
}

/* ---- chunks, framing ---- */

static void
more_than_a_batch(void **state)
{
	Buffer input;
	Harness h;
	Error err;

	(void)state;
	buffer_init(&input, 1 << 24);
	for (int i = 0; i < 10000; i++)
		buffer_printf(&input, i % 3 == 0 ? "{\"a\":\"%d\"}\n" : "{\"a\":%d}\n", i);
	for (HarnessPath path = 0; path < PATH_COUNT; path++) {
		harness_init(&h);
		harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
		assert_int_equal(harness_run(&h, path, input.data, input.len, &err), FERRIS_OK);
		assert_int_equal(h.records_in, 10000);
		assert_int_equal(h.error_count, 3334);
		assert_int_equal(h.row_count, 6666);
		harness_free(&h);
	}
	buffer_free(&input);
}

static void
topic_records(void **state)
{
	static const char input[] = "{\"a\":1}\nnull\n{\"a\":2}  \n\n{\"a\":3}x\n  {\"b\":3 }";
	Harness h;
	Error err;

	(void)state;
	for (HarnessPath path = 0; path < PATH_COUNT; path++) {
		harness_init(&h);
		h.topic = true;
		harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
		assert_int_equal(harness_run(&h, path, input, strlen(input), &err), FERRIS_OK);
		assert_string_equal(h.rows.data,
				    "0+7 line 0: 1\n13+9 line 2: 2\n33+10 line 5: null\n");
		assert_string_equal(
			h.errors.data,
			"8+0 line 1: BAD_RECORD '' the record's value is null (a tombstone)\n"
			"23+0 line 3: BAD_RECORD '' a record must be a JSON object: the record "
			"ends here\n"
			"24+8 line 4: BAD_RECORD '' a record must end with '}': the record ends "
			"here\n");
		harness_free(&h);
	}
}

static void
values_framing(void **state)
{
	static const char *const inputs[] = {
		"{\"a\":1}{\"a\":2} {\"a\":\n 3\n}\n\n{\"a\":4}",
		"[{\"a\":1},{\"a\":2},\n {\"a\":\n 3\n}\n , {\"a\":4}\n]\n",
		"{\"b\":\"}{\\\"\",\"a\":1}\n{\"a\":2}\n{\"a\":3}\n{\"a\":4}\n",
	};
	char got[256];
	Harness h;
	Error err;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		for (size_t size = 1; size < 40; size++) {
			harness_init(&h);
			h.chunk_size = size;
			harness_option(&h, "json.framing", "values");
			harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
			assert_int_equal(
				harness_run(&h, PATH_AUTO, inputs[i], strlen(inputs[i]), &err),
				FERRIS_OK);
			without_ranges(h.rows.data, got);
			assert_string_equal(got, "1\n2\n3\n4\n");
			assert_string_equal(h.errors.data, "");
			harness_free(&h);
		}
	harness_init(&h);
	harness_option(&h, "json.framing", "values");
	harness_column(&h, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
	static const char bad[] = "12 {\"a\":1}\n\"x\" {\"a\":2} {\"a\":";
	assert_int_equal(harness_run(&h, PATH_AUTO, bad, strlen(bad), &err), FERRIS_OK);
	assert_string_equal(h.rows.data, "3+7 line 0: 1\n15+7 line 1: 2\n");
	assert_int_equal(h.error_count, 3);
	harness_free(&h);
}

static void
chunk_splits(void **state)
{
	static const char input[] = "{\"a\":1,\"b\":\"x\"}\r\n{\"a\":2,\"b\":\"y\"}\n\n{\"a\":"
				    "\"z\"}\n{\"b\":\"w\",\"a\":3}";
	Harness whole, split;
	Error err;

	(void)state;
	harness_init(&whole);
	harness_column(&whole, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
	harness_column(&whole, "b", TYPE_OF(STRING), FORM_TEXT, true);
	assert_int_equal(harness_run(&whole, PATH_AUTO, input, strlen(input), &err), FERRIS_OK);
	assert_int_equal(whole.row_count, 3);
	for (size_t size = 1; size < sizeof input; size++) {
		harness_init(&split);
		split.chunk_size = size;
		harness_column(&split, "a", TYPE_OF(BIGINT), FORM_VALUE, true);
		harness_column(&split, "b", TYPE_OF(STRING), FORM_TEXT, true);
		assert_int_equal(harness_run(&split, PATH_AUTO, input, strlen(input), &err),
				 FERRIS_OK);
		assert_string_equal(split.rows.data, whole.rows.data);
		assert_string_equal(split.errors.data, whole.errors.data);
		harness_free(&split);
	}
	harness_free(&whole);
}

static void
header(void **state)
{
	size_t skip;
	Error err;

	(void)state;
	assert_int_equal(json_codec.header(NULL, "\xEF\xBB\xBF{", 4, false, &skip, &err),
			 FERRIS_OK);
	assert_int_equal(skip, 3);
	assert_int_equal(json_codec.header(NULL, "{\"a\"", 4, false, &skip, &err), FERRIS_OK);
	assert_int_equal(skip, 0);
	assert_int_equal(json_codec.header(NULL, "\xEF", 1, false, &skip, &err), FERRIS_OK);
	assert_true(skip == HEADER_INCOMPLETE);
	assert_int_equal(json_codec.header(NULL, "\xEF", 1, true, &skip, &err), FERRIS_OK);
	assert_int_equal(skip, 0);
	assert_int_equal(json_codec.header(NULL, "", 0, true, &skip, &err), FERRIS_OK);
	assert_int_equal(skip, 0);
}

/* Keys that stand twice are noticed among few keys and among many. */
static void
keys_twice(void **state)
{
	Buffer text;
	Harness h;
	Error err;

	(void)state;
	buffer_init(&text, 1 << 22);
	for (int count = 1; count < 3000; count = count * 3 / 2 + 1)
		for (int twice = 0; twice < 2; twice++) {
			buffer_reset(&text);
			buffer_append_str(&text, STR("{\"o\":{"));
			for (int i = 0; i < count; i++)
				buffer_printf(&text, "\"key%d\":%d,", i, i);
			buffer_printf(&text, "\"%s\":0}}\n", twice ? "ke\\u00790" : "other");
			buffer_append_str(&text, STR("{\"o\":{},\"p\":{\"key0\":1}}\n"));
			harness_init(&h);
			harness_option(&h, "json.validate", "full");
			harness_column(&h, "q", TYPE_OF(BIGINT), FORM_VALUE, true);
			assert_int_equal(harness_run(&h, PATH_AUTO, text.data, text.len, &err),
					 FERRIS_OK);
			assert_int_equal(h.error_count, twice);
			assert_int_equal(h.row_count, 2 - twice);
			harness_free(&h);
		}
	buffer_free(&text);
}

static void
depth_limit(void **state)
{
	Harness h;
	Error err;

	(void)state;
	for (int depth = 8; depth <= 11; depth++) {
		char input[64] = "{\"a\":";

		memset(input + 5, '[', (size_t)depth - 1);
		memset(input + 4 + depth, ']', (size_t)depth - 1);
		strncat(input, "}\n", 3);
		for (int full = 0; full < 2; full++) {
			harness_init(&h);
			harness_option(&h, "json.max.depth", "10");
			harness_option(&h, "json.validate", full ? "full" : "needed");
			harness_column(&h, "a", TYPE_OF(JSON), FORM_VALUE, true);
			assert_int_equal(harness_run(&h, PATH_AUTO, input, strlen(input), &err),
					 FERRIS_OK);
			assert_int_equal(h.row_count, depth <= 10);
			harness_free(&h);
		}
	}
}

static void
timestamp_formats(void **state)
{
	static const char *const cases[][3] = {
		{"epoch_micros", "1700000000049123", "\"2023-11-14T22:13:20.049123Z\""},
		{"epoch_seconds", "1700000000.049", "\"2023-11-14T22:13:20.049Z\""},
		{"epoch_seconds", "\"1700000000\"", "\"2023-11-14T22:13:20.000Z\""},
		{"epoch_millis", "\"2023-11-14T22:13:20Z\"", "\"2023-11-14T22:13:20.000Z\""},
		{"%d.%m.%Y %H:%M", "\"14.11.2023 22:13\"", "\"2023-11-14T22:13:00.000Z\""},
		{"%d.%m.%Y %H:%M", "1700000000000", "\"2023-11-14T22:13:20.000Z\""},
	};
	Harness h;
	Error err;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char input[128];
		char got[128];

		int len = snprintf(input, sizeof input, "{\"t\":%s}\n", cases[i][1]);
		harness_init(&h);
		harness_option(&h, "timestamp.format", cases[i][0]);
		harness_column(&h, "t", TYPE_OF(TIMESTAMP), FORM_VALUE, true);
		assert_int_equal(harness_run(&h, PATH_AUTO, input, (size_t)len, &err), FERRIS_OK);
		if (h.error_count > 0)
			fail_msg("%s", h.errors.data);
		without_ranges(h.rows.data, got);
		got[strlen(got) - 1] = '\0';
		assert_string_equal(got, cases[i][2]);
		harness_free(&h);
	}
	harness_init(&h);
	harness_option(&h, "timestamp.format", "%d %Q");
	harness_column(&h, "t", TYPE_OF(TIMESTAMP), FORM_VALUE, true);
	assert_int_equal(harness_run(&h, PATH_AUTO, "", 0, &err), FERRIS_ERR_OPTION_VALUE);
	harness_free(&h);
}

/* ---- inference ---- */

static void
check_infer(const char *sample, const char *expected, Status status)
{
	Harness h;
	Schema schema = {NULL, 0};
	Error err = {0};
	Buffer got;

	harness_init(&h);
	buffer_init(&got, 4096);
	Chunk *chunk = chunk_new(strlen(sample) + 1);
	chunk->len = strlen(sample);
	memcpy(chunk->data, sample, chunk->len);
	chunk_seal(chunk);
	assert_int_equal(json_codec.infer(harness_settings(&h, &json_codec.decode_options), chunk,
					  &h.arena, &schema, &err),
			 status);
	for (uint32_t i = 0; i < schema.count; i++) {
		Str type = type_text(&h.arena, schema.fields[i].type);

		buffer_printf(&got, "%s%.*s %.*s", i > 0 ? ", " : "",
			      STR_ARG(schema.fields[i].name), STR_ARG(type));
	}
	buffer_append(&got, "", 1);
	assert_string_equal(got.data, expected);
	chunk_destroy(chunk);
	buffer_free(&got);
	harness_free(&h);
}

static void
inference(void **state)
{
	(void)state;
	check_infer("\xEF\xBB\xBF{\"a\":1,\"b\":\"x\"}\n{\"c\":true,\"a\":2}\n",
		    "a BIGINT, b STRING, c BOOLEAN", FERRIS_OK);
	check_infer("{\"p\":1.5}\n{\"p\":100.25}\n{\"p\":3}", "p DECIMAL(18,2)", FERRIS_OK);
	check_infer("{\"p\":1234567890123456.125}\n", "p DECIMAL(38,3)", FERRIS_OK);
	check_infer("{\"p\":1}\n{\"p\":99999999999999999999}\n", "p DECIMAL(38,0)", FERRIS_OK);
	check_infer("{\"p\":1e5}\n{\"p\":1}\n", "p DOUBLE", FERRIS_OK);
	check_infer("{\"p\":1234567890123456789012345678901234567890.5}\n", "p STRING", FERRIS_OK);
	check_infer(
		"{\"t\":\"2023-11-14T22:13:20Z\",\"u\":\"2023-11-14T22:13:20Z\"}\n{\"u\":\"x\"}",
		"t TIMESTAMP, u STRING", FERRIS_OK);
	check_infer("{\"n\":null,\"l\":[1,2.5],\"o\":{\"x\":1,\"y\":[]},\"e\":{}}\n",
		    "n STRING, l ARRAY<DECIMAL(18,1)>, o STRUCT<x BIGINT, y ARRAY<STRING>>, e JSON",
		    FERRIS_OK);
	check_infer("{\"m\":1}\n{\"m\":\"x\"}\n", "m STRING", FERRIS_OK);
	check_infer("{\"m\":1}\n{\"m\":[1]}\n", "m JSON", FERRIS_OK);
	check_infer("{\"a\":1}\n{\"b\":", "a BIGINT", FERRIS_OK);
	check_infer("[1]\nxyz\n", "", FERRIS_ERR_NO_SCHEMA);
	check_infer("", "", FERRIS_ERR_NO_SCHEMA);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_by_type),
		cmocka_unit_test(records),
		cmocka_unit_test(not_null_and_ranges),
		cmocka_unit_test(message_shows_value),
		cmocka_unit_test(predicates),
		cmocka_unit_test(filtered_records_teach),
		cmocka_unit_test(more_than_a_batch),
		cmocka_unit_test(topic_records),
		cmocka_unit_test(values_framing),
		cmocka_unit_test(chunk_splits),
		cmocka_unit_test(header),
		cmocka_unit_test(keys_twice),
		cmocka_unit_test(depth_limit),
		cmocka_unit_test(timestamp_formats),
		cmocka_unit_test(inference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
