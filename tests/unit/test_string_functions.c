/* tests/unit/test_string_functions.c -- functions of text and regular expressions.
 *
 * Tables of cases; cases made by Python (data/make_function_vectors.py) and by PostgreSQL
 * (data/make_postgres_vectors.py); and SUBSTRING, LEFT, RIGHT, LPAD, REVERSE and POSITION against
 * naive references over random UTF-8. */
#include "function_test.h"

#include <time.h>

#include "base/utf8.h"

static const FunctionCase measures[] = {
	{"LENGTH", "s:hello", "5", "BIGINT"},
	{"LENGTH", "s:", "0", NULL},
	{"LENGTH", "s:héllo→😀", "7", NULL},
	{"LEN", "s:héllo", "5", NULL},
	{"CHAR_LENGTH", "s:😀", "1", NULL},
	{"LENGTH", "x:00FF01", "3", NULL},
	{"LENGTH", "ns", "NULL", NULL},
	{"LENGTH", "n", "NULL", NULL},
	{"LENGTH", "i:5", "bind:TYPE", NULL},
	{"LENGTH", "s:a | s:b", "bind:ARGUMENTS", NULL},
	{"LENGHT", "s:a", "bind:UNKNOWN_FUNCTION", NULL},
	{"OCTET_LENGTH", "s:héllo→😀", "13", NULL},
	{"OCTET_LENGTH", "x:00FF", "2", NULL},
	{"BIT_LENGTH", "s:é", "16", NULL},
	{"ASCII", "s:A", "65", "INTEGER"},
	{"ASCII", "s:😀x", "128512", NULL},
	{"ASCII", "s:", "0", NULL},
	{"CHR", "i:65", "A", "STRING"},
	{"CHR", "l:128512", "😀", NULL},
	{"CHR", "i:0", "row:BAD_ARGUMENT", NULL},
	{"CHR", "i:-1", "row:BAD_ARGUMENT", NULL},
	{"CHR", "i:55296", "row:BAD_ARGUMENT", NULL},
	{"CHR", "l:9223372036854775807", "row:BAD_ARGUMENT", NULL},
};

static const FunctionCase parts[] = {
	{"SUBSTRING", "s:hello | i:2", "ello", "STRING"},
	{"SUBSTRING", "s:hello | i:2 | i:3", "ell", NULL},
	{"SUBSTR", "s:hello | i:1 | i:0", "", NULL},
	{"SUBSTRING", "s:hello | i:0 | i:3", "he", NULL},
	{"SUBSTRING", "s:hello | i:-1 | i:3", "h", NULL},
	{"SUBSTRING", "s:hello | i:-5 | i:3", "", NULL},
	{"SUBSTRING", "s:hello | i:-5", "hello", NULL},
	{"SUBSTRING", "s:hello | i:6 | i:3", "", NULL},
	{"SUBSTRING", "s:hello | i:4 | l:9223372036854775807", "lo", NULL},
	{"SUBSTRING", "s:hello | l:-9223372036854775808 | l:9223372036854775807", "", NULL},
	{"SUBSTRING", "s:hello | l:9223372036854775807 | i:1", "", NULL},
	{"SUBSTRING", "s:hello | i:2 | i:-1", "row:BAD_ARGUMENT", NULL},
	{"SUBSTRING", "s:aé→😀z | i:3 | i:2", "→😀", NULL},
	{"SUBSTRING", "s:hello | ni", "NULL", NULL},
	{"SUBSTRING", "ns | i:1 | i:-1", "NULL", NULL},
	{"LEFT", "s:héllo | i:2", "hé", NULL},
	{"LEFT", "s:héllo | i:-2", "hél", NULL},
	{"LEFT", "s:héllo | i:0", "", NULL},
	{"LEFT", "s:héllo | l:9223372036854775807", "héllo", NULL},
	{"LEFT", "s:héllo | l:-9223372036854775808", "", NULL},
	{"RIGHT", "s:héllo | i:4", "éllo", NULL},
	{"RIGHT", "s:héllo | i:-2", "llo", NULL},
	{"RIGHT", "s:héllo | i:0", "", NULL},
	{"RIGHT", "s:héllo | l:9223372036854775807", "héllo", NULL},
	{"RIGHT", "s:héllo | l:-9223372036854775808", "", NULL},
	{"TRIM", "s:  a b  ", "a b", NULL},
	{"TRIM", "s:\\t a ", "\t a", NULL},
	{"TRIM", "s:   ", "", NULL},
	{"TRIM", "s:xxayx | s:xy", "a", NULL},
	{"TRIM", "s:xxayx | s:", "xxayx", NULL},
	{"TRIM", "s:→→a→😀 | s:😀→", "a", NULL},
	{"TRIM", "s:éa | s:\\xC3", "éa", NULL},
	{"TRIM", "s:xax | ns", "NULL", NULL},
	{"LTRIM", "s:  a  ", "a  ", NULL},
	{"LTRIM", "s:001.0 | s:0", "1.0", NULL},
	{"RTRIM", "s:  a  ", "  a", NULL},
	{"RTRIM", "s:1.500 | s:0", "1.5", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:2", "b", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:3", "c", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:4", "", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:-1", "c", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:-3", "a", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:-4", "", NULL},
	{"SPLIT_PART", "s:a,b,c | s:, | i:0", "row:BAD_ARGUMENT", NULL},
	{"SPLIT_PART", "s:a--b---c | s:-- | i:3", "-c", NULL},
	{"SPLIT_PART", "s:abc | s: | i:1", "abc", NULL},
	{"SPLIT_PART", "s:abc | s: | i:2", "", NULL},
	{"SPLIT_PART", "s: | s:, | i:1", "", NULL},
	{"SPLIT_PART", "s:a,b | s:, | l:-9223372036854775808", "", NULL},
	{"SPLIT", "s:a,b,,c | s:,", "[a,b,,c]", "ARRAY<STRING>"},
	{"SPLIT", "s: | s:,", "[]", NULL},
	{"SPLIT", "s:aé→ | s:", "[a,é,→]", NULL},
	{"SPLIT", "s:abc | s:xyz", "[abc]", NULL},
	{"SPLIT", "ns | s:,", "NULL", NULL},
};

static const FunctionCase searches[] = {
	{"POSITION", "s:l | s:hello", "3", "BIGINT"},
	{"POSITION", "s:l | s:hello | i:4", "4", NULL},
	{"POSITION", "s:l | s:hello | i:5", "0", NULL},
	{"POSITION", "s:l | s:hello | i:50", "0", NULL},
	{"POSITION", "s:l | s:hello | i:0", "row:BAD_ARGUMENT", NULL},
	{"POSITION", "s: | s:hello", "1", NULL},
	{"POSITION", "s: | s:hello | i:6", "6", NULL},
	{"POSITION", "s: | s:hello | i:7", "0", NULL},
	{"POSITION", "s:😀 | s:→é😀", "3", NULL},
	{"POSITION", "s:x | s:", "0", NULL},
	{"STRPOS", "s:hello | s:lo", "4", NULL},
	{"INSTR", "s:hello | s:z", "0", NULL},
	{"STARTS_WITH", "s:hello | s:he", "true", "BOOLEAN"},
	{"STARTS_WITH", "s:he | s:hello", "false", NULL},
	{"STARTS_WITH", "s:he | s:", "true", NULL},
	{"ENDS_WITH", "s:hello | s:llo", "true", NULL},
	{"ENDS_WITH", "s:hello | s:hel", "false", NULL},
	{"CONTAINS", "s:hello | s:ell", "true", NULL},
	{"CONTAINS", "s:hello | s:", "true", NULL},
	{"CONTAINS", "s: | s:a", "false", NULL},
	{"CONTAINS", "s:a | ns", "NULL", NULL},
};

static const FunctionCase makers[] = {
	{"UPPER", "s:straße ÿ ǆ ꭰ", "STRAßE Ÿ Ǆ Ꭰ", NULL},
	{"UPPER", "s:hello world, 0123456789 abcdefghijklmnopqrstuvwxyz@[`{",
	 "HELLO WORLD, 0123456789 ABCDEFGHIJKLMNOPQRSTUVWXYZ@[`{", NULL},
	{"LOWER", "s:ÀÉÎ ΑΒΓ ЖЩ", "àéî αβγ жщ", NULL},
	{"LOWER", "s:ABC@[`{Z", "abc@[`{z", NULL},
	{"UPPER", "s:", "", NULL},
	{"UPPER", "s:a\\xFFb", "A\xFF" "B", NULL},
	{"INITCAP", "s:hello wORLD o'neil 3rd", "Hello World O'Neil 3rd", NULL},
	{"INITCAP", "s:éa été", "Éa Été", NULL},
	{"REVERSE", "s:aé→😀", "😀→éa", NULL},
	{"REVERSE", "s:", "", NULL},
	{"REPEAT", "s:ab | i:3", "ababab", NULL},
	{"REPEAT", "s:ab | i:0", "", NULL},
	{"REPEAT", "s:ab | i:-1", "", NULL},
	{"REPEAT", "s: | l:9223372036854775807", "", NULL},
	{"REPEAT", "s:ab | l:9223372036854775807", "row:BAD_ARGUMENT", NULL},
	{"REPEAT", "s:ab | i:8388609", "row:BAD_ARGUMENT", NULL},
	{"LPAD", "s:7 | i:3 | s:0", "007", NULL},
	{"LPAD", "s:abc | i:2", "ab", NULL},
	{"LPAD", "s:é | i:4", "   é", NULL},
	{"LPAD", "s:x | i:6 | s:→😀", "→😀→😀→x", NULL},
	{"LPAD", "s:x | i:5 | s:", "x", NULL},
	{"LPAD", "s:x | i:-5", "", NULL},
	{"LPAD", "s:x | l:9223372036854775807", "row:BAD_ARGUMENT", NULL},
	{"RPAD", "s:x | i:6 | s:ab", "xababa", NULL},
	{"RPAD", "s:xyz | i:2", "xy", NULL},
	{"RPAD", "s:x | i:20000000", "row:BAD_ARGUMENT", NULL},
	{"REPLACE", "s:banana | s:an | s:AN", "bANANa", NULL},
	{"REPLACE", "s:banana | s:a | s:", "bnn", NULL},
	{"REPLACE", "s:banana | s: | s:x", "banana", NULL},
	{"REPLACE", "s:aaa | s:aa | s:b", "ba", NULL},
	{"REPLACE", "s: | s:a | s:b", "", NULL},
	{"TRANSLATE", "s:12345 | s:143 | s:ax", "a2x5", NULL},
	{"TRANSLATE", "s:aé→ | s:é→ | s:→é", "a→é", NULL},
	{"CONCAT", "s:a | s:b | s:c", "abc", NULL},
	{"CONCAT", "s:a | ns | s:c", "ac", NULL},
	{"CONCAT", "n", "", NULL},
	{"CONCAT", "s:a | i:1 | b:true | d:1.50", "a1true1.50", NULL},
	{"CONCAT", "", "bind:ARGUMENTS", NULL},
	{"CONCAT_WS", "s:, | s:a | ns | s:b | i:3", "a,b,3", NULL},
	{"CONCAT_WS", "s:, | ns | ns", "", NULL},
	{"CONCAT_WS", "ns | s:a", "NULL", NULL},
	{"CONCAT_WS", "s:,", "", NULL},
};

static const FunctionCase codings[] = {
	{"HEX", "s:é!", "C3A921", NULL},
	{"HEX", "x:00ff", "00FF", NULL},
	{"HEX", "i:0", "0", NULL},
	{"HEX", "i:255", "FF", NULL},
	{"HEX", "i:16", "10", NULL},
	{"HEX", "i:-1", "FFFFFFFFFFFFFFFF", NULL},
	{"UNHEX", "s:c3A921", "C3A921", "BYTES"},
	{"UNHEX", "s:", "", NULL},
	{"UNHEX", "s:c", "row:BAD_ARGUMENT", NULL},
	{"UNHEX", "s:zz", "row:BAD_ARGUMENT", NULL},
	{"TO_BASE64", "s:", "", NULL},
	{"TO_BASE64", "s:f", "Zg==", NULL},
	{"TO_BASE64", "s:fo", "Zm8=", NULL},
	{"TO_BASE64", "s:foo", "Zm9v", NULL},
	{"TO_BASE64", "x:FBFF", "+/8=", NULL},
	{"FROM_BASE64", "s:Zm9v", "666F6F", NULL},
	{"FROM_BASE64", "s:Zm8=", "666F", NULL},
	{"FROM_BASE64", "s:Zm8", "666F", NULL},
	{"FROM_BASE64", "s:Zg==", "66", NULL},
	{"FROM_BASE64", "s:Zm9v\\nZg==", "666F6F66", NULL},
	{"FROM_BASE64", "s:Z", "row:BAD_ARGUMENT", NULL},
	{"FROM_BASE64", "s:Zg=", "row:BAD_ARGUMENT", NULL},
	{"FROM_BASE64", "s:Zg==Zg==", "row:BAD_ARGUMENT", NULL},
	{"FROM_BASE64", "s:Z!==", "row:BAD_ARGUMENT", NULL},
	{"HASH", "s:", "-1166397803181037274", NULL},
	{"HASH", "i:7", "-3510274804107466857", NULL},
	{"HASH", "s:7", "-3510274804107466857", NULL},
};

static const FunctionCase regexps[] = {
	{"REGEXP", "s:hello | s:l+", "true", "BOOLEAN"},
	{"REGEXP_LIKE", "s:hello | s:^l", "false", NULL},
	{"REGEXP_LIKE", "s:HELLO | s:hel | s:i", "true", NULL},
	{"REGEXP_LIKE", "s:ÉT | s:ét | s:i", "true", NULL},
	{"REGEXP_LIKE", "s:a\\nb | s:^b", "false", NULL},
	{"REGEXP_LIKE", "s:a\\nb | s:^b | s:m", "true", NULL},
	{"REGEXP_LIKE", "s:a\\nb | s:a.b | s:s", "true", NULL},
	{"REGEXP_LIKE", "s:→ | s:^.$", "true", NULL},
	{"REGEXP_LIKE", "s: | s:", "true", NULL},
	{"REGEXP_LIKE", "ns | s:a", "NULL", NULL},
	{"REGEXP_LIKE", "s:a | =s:(", "bind:BAD_ARGUMENT", NULL},
	{"REGEXP_LIKE", "s:a | =s:a | =s:q", "bind:BAD_ARGUMENT", NULL},
	{"REGEXP_LIKE", "s:a\\xFF | s:a", "row:UTF8", NULL},
	{"REGEXP_LIKE", "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab | s:(a+)+$",
	 "row:BAD_ARGUMENT", NULL},
	{"REGEXP_LIKE", "s:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab | =s:^(a|aa)+$",
	 "row:BAD_ARGUMENT", NULL},
	{"REGEXP_COUNT", "s:banana | s:an", "2", "BIGINT"},
	{"REGEXP_COUNT", "s:banana | s:", "7", NULL},
	{"REGEXP_COUNT", "s:→→ | s:", "3", NULL},
	{"REGEXP_EXTRACT", "s:order-123-x | s:[0-9]+", "123", NULL},
	{"REGEXP_EXTRACT", "s:k=v | s:(\\w+)=(\\w+) | i:2", "NULL", NULL},
	{"REGEXP_EXTRACT", "s:k=v | s:(\\\\w+)=(\\\\w+) | i:2", "v", NULL},
	{"REGEXP_EXTRACT", "s:abc | s:x", "NULL", NULL},
	{"REGEXP_EXTRACT", "s:abc | s:(x)?b | i:1", "NULL", NULL},
	{"REGEXP_EXTRACT", "s:abc | s:b | i:1", "row:BAD_ARGUMENT", NULL},
	{"REGEXP_EXTRACT", "s:abc | s:b | i:-1", "row:BAD_ARGUMENT", NULL},
	{"REGEXP_REPLACE", "s:banana | s:an | s:X", "bXana", NULL},
	{"REGEXP_REPLACE", "s:banana | s:an | s:X | s:g", "bXXa", NULL},
	{"REGEXP_REPLACE", "s:John Smith | s:(\\\\w+) (\\\\w+) | s:\\\\2, \\\\1",
	 "Smith, John", NULL},
	{"REGEXP_REPLACE", "s:abc | s:b | s:[\\\\&\\\\\\\\]", "a[b\\]c", NULL},
	{"REGEXP_REPLACE", "s:abc | s:b | s:\\\\9$1", "a$1c", NULL},
	{"REGEXP_REPLACE", "s:abc | s:x | s:y | s:g", "abc", NULL},
	{"REGEXP_REPLACE", "s:axb | s:x* | s:- | s:g", "-a--b-", NULL},
	{"REGEXP_REPLACE", "s: | s:^ | s:x | s:g", "x", NULL},
	{"REGEXP_REPLACE", "s:a | s:a | s:b | s:gz", "row:BAD_ARGUMENT", NULL},
};

static const FunctionCase jsons[] = {
	{"JSON_VALUE", "s:{\"a\":{\"b\":[1,2.50,\"x\"]}} | s:$.a.b[1]", "2.50", "STRING"},
	{"JSON_VALUE", "s: [ true , {\"k k\" : \"\\\\u00e9\\\\n\"} ]  | s:$[1].\"k k\"",
	 "é\n", NULL},
	{"JSON_VALUE", "s:{\"a\":true} | s:a", "true", NULL},
	{"JSON_VALUE", "s:{\"a\":null} | s:$.a", "NULL", NULL},
	{"JSON_VALUE", "s:{\"a\":[1]} | s:$.a", "NULL", NULL},
	{"JSON_VALUE", "s:{\"a\":1} | s:$.b", "NULL", NULL},
	{"JSON_VALUE", "s:{\"a\":1,\"a\":2} | s:$['a']", "1", NULL},
	{"JSON_VALUE", "s:[1,2] | s:$[2]", "NULL", NULL},
	{"JSON_VALUE", "s:[] | s:$[0]", "NULL", NULL},
	{"JSON_VALUE", "s:{} | s:$.a", "NULL", NULL},
	{"JSON_VALUE", "s:[1,2] | s:$.a", "NULL", NULL},
	{"JSON_VALUE", "s:7 | s:$", "7", NULL},
	{"JSON_VALUE", "s:7 | s:$.a", "NULL", NULL},
	{"JSON_VALUE", "s:{\"a\":1 | s:$.a", "row:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s:{\"a\":1} x | s:$.a", "row:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s: | s:$.a", "row:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s:{} | =s:$.", "bind:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s:{} | =s:$.a[*]", "bind:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s:{} | =s:$[99999999999]", "bind:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "s:{} | =s:$['a", "bind:BAD_ARGUMENT", NULL},
	{"JSON_VALUE", "ns | s:$", "NULL", NULL},
	{"JSON_QUERY", "s:{\"a\": [1, {\"b\":2}] } | s:$.a", "[1, {\"b\":2}]", "JSON"},
	{"JSON_QUERY", "s:{\"a\":1} | s:$.a", "NULL", NULL},
	{"JSON_EXTRACT", "s:{\"a\":\"x\"} | s:$.a", "\"x\"", "JSON"},
	{"JSON_EXTRACT", "s:{\"a\":null} | s:$.a", "null", NULL},
	{"JSON_EXTRACT", "s:{\"a\":null} | s:$.b", "NULL", NULL},
	{"JSON_EXISTS", "s:{\"a\":null} | s:$.a", "true", "BOOLEAN"},
	{"JSON_EXISTS", "s:{\"a\":null} | s:$.a.b", "false", NULL},
};

/* clang-format off */
#define TABLE_TEST(table)                                                        \
	static void test_##table(void **state)                                   \
	{                                                                        \
		(void)state;                                                     \
		run_cases(table, sizeof table / sizeof table[0]);                \
	}
/* clang-format on */
TABLE_TEST(measures)
TABLE_TEST(parts)
TABLE_TEST(searches)
TABLE_TEST(makers)
TABLE_TEST(codings)
TABLE_TEST(jsons)

/* A flag that is a constant is refused when planned, one from a column fails the row. */
static void
test_regexps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof regexps / sizeof regexps[0]; i++) {
		FunctionCase c = regexps[i];
		Arena arena;

		arena_init(&arena, 0);
		bool good = run_columns(&arena, &c, false) && run_columns(&arena, &c, true);
		/* What fails for each row fails already when planned if it is constant. */
		if (strncmp(c.want, "row:BAD", 7) != 0)
			good = run_constants(&arena, &c) && good;
		arena_free(&arena);
		assert_true(good);
	}
}

static void
test_python_vectors(void **state)
{
	(void)state;
	run_case_file(SOURCE_DIR "/tests/unit/data/string_vectors.txt");
}

/* Functions of all kinds, not of text alone. */
static void
test_postgres_vectors(void **state)
{
	(void)state;
	run_case_file(SOURCE_DIR "/tests/unit/data/postgres_vectors.txt");
}

/* ---- case mapping never outgrows its room ---- */

static void
test_every_code_point(void **state)
{
	(void)state;
	Arena arena;
	const char *names[] = {"UPPER", "LOWER", "INITCAP"};

	arena_init(&arena, 0);
	for (uint32_t from = 0x20; from < 0x110000; from += 0x4000) {
		char *text = arena_alloc(&arena, 0x10000);
		size_t len = 0;
		for (uint32_t c = from; c < from + 0x4000; c++)
			len += utf8_encode(c, text + len);
		Value value = {.type = TYPE_OF(STRING), .text = {text, (uint32_t)len}};
		for (int i = 0; i < 3; i++) {
			BoundExpr *arg = bound_constant(&arena, value, (Position){0});
			BoundExpr *call;
			Error err = {0};
			assert_int_equal(function_bind(&arena, str_from(names[i]), &arg, 1,
			                               (Position){0}, &call, &err), FERRIS_OK);
			assert_int_equal(bound_fold(&arena, call, &call, &err), FERRIS_OK);
			Str out = call->constant.text;
			assert_true(utf8_valid(out.data, out.len));
			assert_int_equal(utf8_count(out.data, out.len), utf8_count(text, len));
			assert_true(out.len <= len + len / 2);
		}
		arena_reset(&arena);
	}
	arena_free(&arena);
}

/* ---- random UTF-8 against naive references on arrays of code points ---- */

static uint64_t seed;

static uint64_t
random_next(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

typedef struct CodePoints {
	uint32_t at[64];
	int64_t count;
} CodePoints;

static CodePoints
random_code_points(int64_t max)
{
	static const uint32_t few[] = {'a',    'b',     ' ',      0xE9, 0x2192,
	                               0x1F600, 0x10FFFF, 0x7FF, 0x800};
	CodePoints points = {.count = (int64_t)(random_next() % (uint64_t)(max + 1))};

	for (int64_t i = 0; i < points.count; i++)
		points.at[i] = few[random_next() % (sizeof few / sizeof few[0])];
	return points;
}

static Str
encode(Arena *arena, const CodePoints *points, int64_t begin, int64_t end)
{
	char *out = arena_alloc(arena, 64 * 4);
	size_t len = 0;

	for (int64_t i = begin; i < end; i++)
		len += utf8_encode(points->at[i], out + len);
	return (Str){out, (uint32_t)len};
}

static int64_t
random_index(void)
{
	switch (random_next() % 12) {
	case 0: return INT64_MAX - (int64_t)(random_next() % 3);
	case 1: return INT64_MIN + (int64_t)(random_next() % 3);
	default: return (int64_t)(random_next() % 41) - 20;
	}
}

static bool
call_and_compare(Arena *arena, const char *name, const Value *values, uint32_t count, Str want)
{
	BoundExpr *args[4];
	BoundExpr *call;
	Error err = {0};

	for (uint32_t i = 0; i < count; i++)
		args[i] = bound_constant(arena, values[i], (Position){0});
	if (function_bind(arena, str_from(name), args, count, (Position){0}, &call, &err) ||
	    bound_fold(arena, call, &call, &err)) {
		printf("%s: %s\n", name, err.message);
		return false;
	}
	Str got = call->constant.text;
	if (call->type->kind == TYPE_BIGINT)
		got = str_format(arena, "%lld", (long long)call->constant.int64);
	if (!str_eq(got, want))
		printf("%s: got '%.*s', not '%.*s'\n", name, STR_ARG(got), STR_ARG(want));
	return str_eq(got, want);
}

static Value
text_value(Str text)
{
	return (Value){.type = TYPE_OF(STRING), .text = text};
}

static Value
int_value(int64_t v)
{
	return (Value){.type = TYPE_OF(BIGINT), .int64 = v};
}

/* The characters i (from 1) with start <= i < start + count. */
static bool
check_substring(Arena *arena, const CodePoints *s)
{
	int64_t start = random_index();
	int64_t count = random_index();
	CodePoints want = {0};

	if (count < 0)
		count = -(count + 1);
	for (int64_t i = 1; i <= s->count; i++)
		if (i >= start && (Int128)i < (Int128)start + count)
			want.at[want.count++] = s->at[i - 1];
	Value values[] = {text_value(encode(arena, s, 0, s->count)), int_value(start),
	                  int_value(count)};
	return call_and_compare(arena, "SUBSTRING", values, 3, encode(arena, &want, 0, want.count));
}

static int64_t
clamp(Int128 v, int64_t max)
{
	return v < 0 ? 0 : v > max ? max : (int64_t)v;
}

static bool
check_left_right(Arena *arena, const CodePoints *s)
{
	int64_t n = random_index();
	int64_t kept = clamp(n >= 0 ? (Int128)n : (Int128)s->count + n, s->count);
	Value values[] = {text_value(encode(arena, s, 0, s->count)), int_value(n)};

	return call_and_compare(arena, "LEFT", values, 2, encode(arena, s, 0, kept)) &&
	       call_and_compare(arena, "RIGHT", values, 2,
	                        encode(arena, s, s->count - kept, s->count));
}

static bool
check_reverse_and_pad(Arena *arena, const CodePoints *s)
{
	CodePoints reversed = {.count = s->count};
	CodePoints padded = {0};
	CodePoints fill = random_code_points(5);
	int64_t width = (int64_t)(random_next() % 50);
	Value values[] = {text_value(encode(arena, s, 0, s->count)), int_value(width),
	                  text_value(encode(arena, &fill, 0, fill.count))};

	for (int64_t i = 0; i < s->count; i++)
		reversed.at[s->count - 1 - i] = s->at[i];
	while (fill.count > 0 && padded.count < width - s->count) {
		padded.at[padded.count] = fill.at[padded.count % fill.count];
		padded.count++;
	}
	for (int64_t i = 0; i < s->count && padded.count < width; i++)
		padded.at[padded.count++] = s->at[i];
	return call_and_compare(arena, "REVERSE", values, 1,
	                        encode(arena, &reversed, 0, reversed.count)) &&
	       call_and_compare(arena, "LPAD", values, 3, encode(arena, &padded, 0, padded.count));
}

static bool
check_position(Arena *arena, const CodePoints *s)
{
	CodePoints part = random_code_points(2);
	int64_t from = 1 + (int64_t)(random_next() % 24);
	int64_t found = 0;

	for (int64_t i = from - 1; i + part.count <= s->count && found == 0; i++)
		if (memcmp(s->at + i, part.at, (size_t)part.count * sizeof part.at[0]) == 0)
			found = i + 1;
	Value values[] = {text_value(encode(arena, &part, 0, part.count)),
	                  text_value(encode(arena, s, 0, s->count)), int_value(from)};
	return call_and_compare(arena, "POSITION", values, 3,
	                        str_format(arena, "%lld", (long long)found));
}

static void
test_random_text(void **state)
{
	Arena arena;

	(void)state;
	seed = (uint64_t)time(NULL) * 2654435761u | 1;
	printf("seed %llu\n", (unsigned long long)seed);
	arena_init(&arena, 0);
	for (int i = 0; i < 1500; i++) {
		CodePoints s = random_code_points(20);
		assert_true(check_substring(&arena, &s));
		assert_true(check_left_right(&arena, &s));
		assert_true(check_reverse_and_pad(&arena, &s));
		assert_true(check_position(&arena, &s));
		arena_reset(&arena);
	}
	arena_free(&arena);
}

/* ---- what is known of a text stays known only where it is still true ---- */

static uint32_t
flags_of(const char *name, const char *text, uint32_t flags, int64_t first, int64_t second)
{
	Arena arena;
	Error err = {0};
	Field field = {.name = STR("c"), .type = TYPE_OF(STRING)};
	BoundExpr *call;
	Program *program;
	const Vector *result;

	arena_init(&arena, 0);
	BoundExpr *args[] = {bound_column(&arena, 0, TYPE_OF(STRING), STR("c"), (Position){0}),
	                     bound_constant(&arena, int_value(first), (Position){0}),
	                     bound_constant(&arena, int_value(second), (Position){0})};
	uint32_t count = strcmp(name, "UPPER") == 0 ? 1 : strcmp(name, "SUBSTRING") == 0 ? 3 : 2;
	assert_int_equal(function_bind(&arena, str_from(name), args, count, (Position){0}, &call,
	                               &err), FERRIS_OK);
	assert_int_equal(program_compile(&arena, &call, 1, &program, &err), FERRIS_OK);
	Batch *batch = batch_new(&field, NULL, 1);
	batch_reset(batch);
	batch->row_count = 1;
	VECTOR_DATA(&batch->columns[0], StringView)[0] =
		(StringView){text, (uint32_t)strlen(text), flags};
	batch_select_all(batch);
	program_run(program, batch, NULL, &result);
	uint32_t got = VECTOR_DATA(result, const StringView)[0].flags;
	batch_destroy(batch);
	program_free(program);
	arena_free(&arena);
	return got;
}

static void
test_view_flags(void **state)
{
	const uint32_t clean = VIEW_JSON_CLEAN | VIEW_CSV_CLEAN;

	(void)state;
	assert_int_equal(flags_of("SUBSTRING", "hello", clean, 2, 2), clean);
	assert_int_equal(flags_of("SUBSTRING", "hello", 0, 2, 2), 0);
	assert_int_equal(flags_of("SUBSTRING", "hello", clean, 9, 2), VIEW_JSON_CLEAN);
	assert_int_equal(flags_of("LEFT", "hello", clean, 0, 0), VIEW_JSON_CLEAN);
	assert_int_equal(flags_of("UPPER", "hello", clean, 0, 0), clean);
	assert_int_equal(flags_of("REPEAT", "hello", clean, 2, 0), clean);
	assert_int_equal(flags_of("REPEAT", "hello", clean, 0, 0), VIEW_JSON_CLEAN);
	assert_int_equal(flags_of("LPAD", "hello", clean, 9, 0), 0);
}

/* ---- a long text cannot hang the engine ---- */

static void
test_long_regexp(void **state)
{
	Arena arena;
	Error err = {0};
	BoundExpr *call;
	size_t len = 4u << 20;

	(void)state;
	arena_init(&arena, 0);
	char *text = arena_alloc(&arena, len);
	memset(text, 'a', len);
	text[len - 1] = 'c';
	struct { const char *pattern; bool fails; } cases[] = {
		{"c", false}, {"a*b", true}, {"b", false}, {"(a*)*b", true}, {"^a*c$", false},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		Value values[] = {text_value((Str){text, (uint32_t)len}),
		                  text_value(str_from(cases[i].pattern))};
		BoundExpr *args[] = {bound_constant(&arena, values[0], (Position){0}),
		                     bound_constant(&arena, values[1], (Position){0})};
		assert_int_equal(function_bind(&arena, STR("REGEXP"), args, 2, (Position){0}, &call,
		                               &err), FERRIS_OK);
		time_t begin = time(NULL);
		Program *program;
		const Vector *result;
		assert_int_equal(program_compile(&arena, &call, 1, &program, &err), FERRIS_OK);
		Batch *batch = batch_new(NULL, NULL, 0);
		batch_reset(batch);
		batch->row_count = 1;
		batch->records[0] = (RecordRange){0};
		batch_select_all(batch);
		program_run(program, batch, NULL, &result);
		assert_int_equal(batch->error_count, cases[i].fails);
		batch_destroy(batch);
		program_free(program);
		assert_true(time(NULL) - begin < 60);
	}
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_measures),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_searches),
		cmocka_unit_test(test_makers),
		cmocka_unit_test(test_codings),
		cmocka_unit_test(test_jsons),
		cmocka_unit_test(test_regexps),
		cmocka_unit_test(test_python_vectors),
		cmocka_unit_test(test_postgres_vectors),
		cmocka_unit_test(test_every_code_point),
		cmocka_unit_test(test_random_text),
		cmocka_unit_test(test_view_flags),
		cmocka_unit_test(test_long_regexp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
