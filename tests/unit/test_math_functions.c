/* tests/unit/test_math_functions.c -- functions of numbers, and the conditional and nested ones.
 *
 * Tables of cases, and exact rounding in all seven modes against Python's decimal module
 * (data/make_function_vectors.py). */
#include "function_test.h"

#include <math.h>

static const FunctionCase rounding[] = {
	{"ROUND", "d:1.005 | =i:2", "1.01", "DECIMAL(4,2)"},
	{"ROUND", "d:-1.005 | =i:2", "-1.01", "DECIMAL(4,2)"},
	{"ROUND", "d:2.5", "3", "DECIMAL(2,0)"},
	{"ROUND", "d:9.9", "10", "DECIMAL(2,0)"},
	{"ROUND", "d:1.5 | =i:4", "1.5000", "DECIMAL(5,4)"},
	{"ROUND", "d(38,10):9999999999999999999999999999.9999999999 | =i:2",
	 "10000000000000000000000000000.00", "DECIMAL(31,2)"},
	{"ROUND", "d(38,0):99999999999999999999999999999999999999 | =i:-1", "row:OUT_OF_RANGE",
	 "DECIMAL(38,0)"},
	{"ROUND", "d(2,0):95 | =i:-1", "100", "DECIMAL(3,0)"},
	{"ROUND", "d(2,0):95 | =i:-9", "0", NULL},
	{"ROUND", "d(2,0):95 | =i:-2 | s:UP", "100", NULL},
	{"ROUND", "d(2,0):95 | =i:-3 | s:UP", "row:OUT_OF_RANGE", NULL},
	{"ROUND", "d(2,1):0.1 | =l:-9223372036854775808 | s:DOWN", "0", NULL},
	{"ROUND", "d(2,1):0.1 | =l:9223372036854775807", "0.1000000000000000000000000000000000000",
	 NULL},
	{"ROUND", "d:0.1 | =i:0 | =s:half_even", "0", NULL},
	{"ROUND", "d:0.5 | =i:0 | =s:HALF_EVEN", "0", NULL},
	{"ROUND", "d:1.5 | =i:0 | =s:HALF_EVEN", "2", NULL},
	{"ROUND", "d:1.5 | =i:0 | =s:NEAREST", "bind:BAD_ARGUMENT", NULL},
	{"ROUND", "d:1.5 | =i:0 | =s:EXACT", "bind:BAD_ARGUMENT", NULL},
	{"ROUND", "d:1.5 | ni", "NULL", NULL},
	{"ROUND", "d:1.5 | =i:0 | ns", "NULL", NULL},
	{"ROUND", "s:1.5", "bind:TYPE", NULL},
	{"ROUND", "i:15 | i:-1", "20", "INTEGER"},
	{"ROUND", "i:14 | i:-1", "10", NULL},
	{"ROUND", "i:-15 | i:-1", "-20", NULL},
	{"ROUND", "i:7 | i:3", "7", NULL},
	{"ROUND", "y:127 | i:-1", "row:OUT_OF_RANGE", "TINYINT"},
	{"ROUND", "l:9223372036854775807 | i:-1", "row:OUT_OF_RANGE", "BIGINT"},
	{"ROUND", "l:-9223372036854775808 | i:-1 | s:DOWN", "-9223372036854775800", NULL},
	{"ROUND", "f:1.005 | i:2", "1.01", "DOUBLE"},
	{"ROUND", "f:2.5", "3.0", NULL},
	{"ROUND", "f:-2.5", "-3.0", NULL},
	{"ROUND", "f:0.49999999999999994", "0.0", NULL},
	{"ROUND", "f:2.5 | i:0 | s:HALF_EVEN", "2.0", NULL},
	{"ROUND", "f:1e300 | i:2", "1e300", NULL},
	{"ROUND", "f:NaN | i:2", "NaN", NULL},
	{"ROUND", "f:Infinity | i:2", "Infinity", NULL},
	{"ROUND", "f:1.7976931348623157e308 | i:-308", "row:OUT_OF_RANGE", NULL},
	{"ROUND", "f:1.7976931348623157e308 | i:-309", "0.0", NULL},
	{"ROUND", "f:1e300 | i:-300", "1e300", NULL},
	{"ROUND", "f:149.99999999999997 | i:-2", "100.0", NULL},
	{"ROUND", "f:150 | i:-2", "200.0", NULL},
	{"ROUND", "f:150.00000000000003 | i:-2 | s:HALF_DOWN", "200.0", NULL},
	{"ROUND", "f:1e-300 | i:5 | s:UP", "1e-5", NULL},
	{"TRUNC", "d:1.999 | =i:2", "1.99", "DECIMAL(4,2)"},
	{"TRUNCATE", "d:-1.999", "-1", NULL},
	{"TRUNC", "f:-1.999 | i:1", "-1.9", NULL},
	{"TRUNC", "i:1999 | i:-2", "1900", NULL},
	{"CEIL", "d:1.0001", "2", "DECIMAL(2,0)"},
	{"CEILING", "d:-1.9", "-1", NULL},
	{"CEIL", "f:1.2", "2.0", NULL},
	{"CEIL", "i:3", "3", "INTEGER"},
	{"CEIL", "d(4,4):0.0001", "1", "DECIMAL(1,0)"},
	{"FLOOR", "d:-0.0001", "-1", NULL},
	{"FLOOR", "d(38,1):-9999999999999999999999999999999999999.9",
	 "-10000000000000000000000000000000000000", "DECIMAL(38,0)"},
	{"FLOOR", "f:-1.2", "-2.0", NULL},
	{"ABS", "i:-5", "5", "INTEGER"},
	{"ABS", "y:-128", "row:OUT_OF_RANGE", NULL},
	{"ABS", "l:-9223372036854775808", "row:OUT_OF_RANGE", NULL},
	{"ABS", "d:-1.50", "1.50", "DECIMAL(3,2)"},
	{"ABS", "d(38,0):-99999999999999999999999999999999999999",
	 "99999999999999999999999999999999999999", NULL},
	{"ABS", "f:-1.5", "1.5", NULL},
	{"ABS", "n", "NULL", NULL},
	{"SIGN", "d:-0.01", "-1", "INTEGER"},
	{"SIGN", "i:0", "0", NULL},
	{"SIGN", "f:-2.5", "-1.0", "DOUBLE"},
	{"SIGN", "f:NaN", "NaN", NULL},
};

static const FunctionCase reals[] = {
	{"SQRT", "i:16", "4.0", "DOUBLE"},
	{"SQRT", "d:2.25", "1.5", NULL},
	{"SQRT", "f:-1", "row:BAD_ARGUMENT", NULL},
	{"SQRT", "f:NaN", "NaN", NULL},
	{"SQRT", "f:-0.0", "-0.0", NULL},
	{"CBRT", "f:-27", "-3.0", NULL},
	{"POWER", "i:2 | i:10", "1024.0", NULL},
	{"POW", "f:4 | d:0.5", "2.0", NULL},
	{"POWER", "i:0 | i:-1", "row:BAD_ARGUMENT", NULL},
	{"POWER", "i:-8 | f:0.5", "row:BAD_ARGUMENT", NULL},
	{"POWER", "i:-2 | i:3", "-8.0", NULL},
	{"POWER", "i:10 | i:400", "row:OUT_OF_RANGE", NULL},
	{"POWER", "i:0 | i:0", "1.0", NULL},
	{"EXP", "i:0", "1.0", NULL},
	{"EXP", "i:1000", "row:OUT_OF_RANGE", NULL},
	{"EXP", "i:-1000", "0.0", NULL},
	{"EXP", "f:Infinity", "Infinity", NULL},
	{"LN", "i:1", "0.0", NULL},
	{"LN", "i:0", "row:BAD_ARGUMENT", NULL},
	{"LN", "f:-1", "row:BAD_ARGUMENT", NULL},
	{"LOG", "i:1000", "3.0", NULL},
	{"LOG", "i:2 | i:1024", "10.0", NULL},
	{"LOG", "i:1 | i:5", "row:BAD_ARGUMENT", NULL},
	{"LOG", "i:-2 | i:5", "row:BAD_ARGUMENT", NULL},
	{"LOG", "i:2 | i:0", "row:BAD_ARGUMENT", NULL},
	{"LOG10", "d:0.01", "-2.0", NULL},
	{"LOG2", "i:8", "3.0", NULL},
	{"PI", "", "3.141592653589793", NULL},
	{"SIN", "i:0", "0.0", NULL},
	{"COS", "i:0", "1.0", NULL},
	{"TAN", "f:0.5", "0.5463024898437905", NULL},
	{"COT", "i:0", "row:BAD_ARGUMENT", NULL},
	{"SIN", "f:Infinity", "row:BAD_ARGUMENT", NULL},
	{"ASIN", "i:1", "1.5707963267948966", NULL},
	{"ASIN", "f:1.5", "row:BAD_ARGUMENT", NULL},
	{"ACOS", "i:-2", "row:BAD_ARGUMENT", NULL},
	{"ACOS", "i:1", "0.0", NULL},
	{"ATAN", "i:1", "0.7853981633974483", NULL},
	{"ATAN2", "i:1 | i:-1", "2.356194490192345", NULL},
	{"SINH", "i:0", "0.0", NULL},
	{"COSH", "i:1000", "row:OUT_OF_RANGE", NULL},
	{"TANH", "i:1000", "1.0", NULL},
	{"DEGREES", "f:3.141592653589793", "180.0", NULL},
	{"DEGREES", "f:1e308", "row:OUT_OF_RANGE", NULL},
	{"RADIANS", "i:180", "3.141592653589793", NULL},
	{"MOD", "i:-7 | i:3", "-1", "INTEGER"},
	{"MOD", "d:7.50 | d:2", "1.50", NULL},
	{"MOD", "f:7.5 | i:2", "1.5", "DOUBLE"},
	{"MOD", "i:1 | i:0", "row:DIVISION_BY_ZERO", NULL},
	{"WIDTH_BUCKET", "d:5.35 | d:0.024 | d:10.06 | i:5", "3", "BIGINT"},
	{"WIDTH_BUCKET", "i:-1 | i:0 | i:10 | i:5", "0", NULL},
	{"WIDTH_BUCKET", "i:10 | i:0 | i:10 | i:5", "6", NULL},
	{"WIDTH_BUCKET", "i:1 | i:10 | i:0 | i:5", "5", NULL},
	{"WIDTH_BUCKET", "i:1 | i:0 | i:0 | i:5", "row:BAD_ARGUMENT", NULL},
	{"WIDTH_BUCKET", "i:1 | i:0 | i:1 | i:0", "row:BAD_ARGUMENT", NULL},
	{"WIDTH_BUCKET", "f:0 | f:-1.7e308 | f:1.7e308 | i:2", "2", NULL},
	{"BITAND", "i:12 | i:10", "8", "BIGINT"},
	{"BITOR", "i:12 | i:10", "14", NULL},
	{"BITXOR", "i:12 | i:10", "6", NULL},
	{"BITNOT", "i:0", "-1", NULL},
	{"BIT_COUNT", "i:-1", "64", NULL},
	{"SHIFT_LEFT", "i:1 | i:62", "4611686018427387904", NULL},
	{"SHIFT_LEFT", "i:1 | i:64", "0", NULL},
	{"SHIFT_RIGHT", "i:-8 | i:1", "-4", NULL},
	{"SHIFT_RIGHT", "i:-8 | l:1000", "-1", NULL},
	{"SHIFT_LEFT", "i:1 | i:-1", "row:BAD_ARGUMENT", NULL},
};

static const FunctionCase conditionals[] = {
	{"GREATEST", "i:1 | i:3 | i:2", "3", "INTEGER"},
	{"GREATEST", "i:1 | d:2.5 | l:2", "2.5", NULL},
	{"GREATEST", "i:1 | f:2.5", "2.5", "DOUBLE"},
	{"GREATEST", "i:1 | ni | i:0", "1", NULL},
	{"GREATEST", "ni | ni", "NULL", NULL},
	{"GREATEST", "s:a | s:ab | s:B", "ab", NULL},
	{"GREATEST", "f:1 | f:NaN", "NaN", NULL},
	{"LEAST", "f:1 | f:NaN", "1.0", NULL},
	{"LEAST", "s:b | s:a | s:aa", "a", NULL},
	{"LEAST", "d(20,2):5.00 | d(38,2):-7.25", "-7.25", NULL},
	{"LEAST", "b:true | b:false", "false", NULL},
	{"LEAST", "t:2024-01-02T00:00:00Z | t:2024-01-01T00:00:00Z", "2024-01-01T00:00:00.000Z",
	 NULL},
	{"GREATEST", "v:P1M | v:P31D", "P31D", NULL},
	{"GREATEST", "i:1 | b:true", "bind:TYPE", NULL},
	{"GREATEST", "a:1,2 | a:2,3", "bind:TYPE", NULL},
	{"NULLIF", "i:1 | i:1", "NULL", NULL},
	{"NULLIF", "i:1 | i:2", "1", NULL},
	{"NULLIF", "i:1 | ni", "1", NULL},
	{"NULLIF", "s:a | s:a", "NULL", NULL},
	{"NULLIF", "d:1.0 | d:1.00", "NULL", NULL},
	{"NVL2", "i:1 | s:a | s:b", "a", NULL},
	{"NVL2", "n | s:a | s:b", "b", NULL},
	{"NVL2", "ni | s:a | ns", "NULL", NULL},
	{"IF", "b:true | i:1 | i:2", "1", NULL},
	{"IIF", "b:false | i:1 | d:2.5", "2.5", NULL},
	{"IF", "nb | i:1 | i:2", "2", NULL},
	{"IFNULL", "ni | i:2", "2", NULL},
	{"NVL", "i:1 | i:2", "1", NULL},
};

static const FunctionCase nested[] = {
	{"ARRAY", "i:1 | ni | i:3", "[1,NULL,3]", "ARRAY<INTEGER>"},
	{"ARRAY", "s:a | s:b", "[a,b]", "ARRAY<STRING>"},
	{"ARRAY_LENGTH", "a:1,2,NULL", "3", "BIGINT"},
	{"CARDINALITY", "a:1", "1", NULL},
	{"ARRAY_CONTAINS", "a:1,2,3 | i:2", "true", "BOOLEAN"},
	{"ARRAY_CONTAINS", "a:1,NULL,3 | i:2", "false", NULL},
	{"ARRAY_CONTAINS", "a:1,2 | d:2.0", "true", NULL},
	{"ARRAY_CONTAINS", "a:1,2 | f:2", "true", NULL},
	{"ARRAY_CONTAINS", "as:x,yy | s:yy", "true", NULL},
	{"ARRAY_CONTAINS", "as:x,yy | s:y", "false", NULL},
	{"ARRAY_CONTAINS", "as:x | i:1", "bind:TYPE", NULL},
	{"ARRAY_POSITION", "a:5,6,7 | i:7", "3", NULL},
	{"ARRAY_POSITION", "a:5 | i:7", "0", NULL},
	{"ELEMENT_AT", "a:5,6,7 | i:2", "6", "INTEGER"},
	{"ELEMENT_AT", "a:5,6,7 | i:-1", "7", NULL},
	{"ELEMENT_AT", "a:5,6,7 | i:0", "NULL", NULL},
	{"ELEMENT_AT", "a:5,6,7 | l:9223372036854775807", "NULL", NULL},
	{"ELEMENT_AT", "a:5,NULL | i:2", "NULL", NULL},
	{"ELEMENT_AT", "as:x,y | i:2", "y", "STRING"},
};

/* clang-format off */
#define TABLE_TEST(table)                                                        \
	static void test_##table(void **state)                                   \
	{                                                                        \
		(void)state;                                                     \
		run_cases(table, sizeof table / sizeof table[0]);                \
	}
/* clang-format on */
TABLE_TEST(rounding)
TABLE_TEST(reals)
TABLE_TEST(conditionals)
TABLE_TEST(nested)

/* Digits that differ from row to row leave the scale as it is; constant ones set it. */
static void
test_digits_per_row(void **state)
{
	static const FunctionCase c = {"ROUND", "d:1.005 | i:2", "1.010", "DECIMAL(5,3)"};
	static const FunctionCase carry = {"ROUND", "d:9.995 | i:2", "10.000", "DECIMAL(5,3)"};
	Arena arena;

	(void)state;
	arena_init(&arena, 0);
	assert_true(run_columns(&arena, &c, false));
	assert_true(run_columns(&arena, &carry, true));
	arena_free(&arena);
}

static void
test_python_vectors(void **state)
{
	(void)state;
	run_case_file(SOURCE_DIR "/tests/unit/data/math_vectors.txt");
}

/* MAP columns: {k1: 1, k2: NULL}, {}, NULL and {k2: 7}. */
static void
test_maps(void **state)
{
	Arena arena;
	Error err = {0};
	static const char *const want[][4] = {
		{"[k1,k2]", "[]", "NULL", "[k2]"},
		{"[1,NULL]", "[]", "NULL", "[7]"},
		{"2", "0", "NULL", "1"},
		{"NULL", "NULL", "NULL", "7"},
	};
	static const char *const names[] = {"MAP_KEYS", "MAP_VALUES", "CARDINALITY", "ELEMENT_AT"};

	(void)state;
	arena_init(&arena, 0);
	const Type *type = type_map(&arena, TYPE_OF(STRING), TYPE_OF(BIGINT));
	Field field = {.name = STR("m"), .type = type};
	Batch *batch = batch_new(&field, NULL, 1);
	batch_reset(batch);
	Vector *map = &batch->columns[0];
	uint32_t first = vector_list_append(map, 3);
	StringView *keys = VECTOR_DATA(&map->children[0], StringView);
	int64_t *values = VECTOR_DATA(&map->children[1], int64_t);
	keys[first] = (StringView){"k1", 2, 0};
	keys[first + 1] = keys[first + 2] = (StringView){"k2", 2, 0};
	values[first] = 1;
	values[first + 2] = 7;
	vector_set_null(&map->children[1], first + 1);
	ListEntry *lists = VECTOR_DATA(map, ListEntry);
	lists[0] = (ListEntry){first, 2};
	lists[1] = (ListEntry){first, 0};
	lists[3] = (ListEntry){first + 2, 1};
	vector_set_null(map, 2);
	batch->row_count = 4;
	batch_select_all(batch);

	BoundExpr *calls[4];
	for (uint32_t i = 0; i < 4; i++) {
		Value key = {.type = TYPE_OF(STRING), .text = STR("k2")};
		BoundExpr *args[] = {bound_column(&arena, 0, type, STR("m"), (Position){0}),
		                     bound_constant(&arena, key, (Position){0})};
		assert_int_equal(function_bind(&arena, str_from(names[i]), args, i == 3 ? 2 : 1,
		                               (Position){0}, &calls[i], &err), FERRIS_OK);
	}
	Program *program;
	const Vector *results[4];
	assert_int_equal(program_compile(&arena, calls, 4, &program, &err), FERRIS_OK);
	for (int run = 0; run < 2; run++) {
		program_run(program, batch, NULL, results);
		for (uint32_t i = 0; i < 4; i++)
			for (uint32_t r = 0; r < 4; r++) {
				Buffer text;
				buffer_init(&text, 4096);
				print_value(&text, results[i], r);
				buffer_append_char(&text, '\0');
				assert_string_equal(text.data, want[i][r]);
				buffer_free(&text);
			}
	}
	program_free(program);
	batch_destroy(batch);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_digits_per_row),
		cmocka_unit_test(test_reals),
		cmocka_unit_test(test_conditionals),
		cmocka_unit_test(test_nested),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_python_vectors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
