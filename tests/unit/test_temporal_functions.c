/* tests/unit/test_temporal_functions.c -- functions of dates, times and intervals, and the clock.
 *
 * Tables of cases, and cases from Python's datetime module (data/make_function_vectors.py). */
#include "function_test.h"

#include <time.h>

static const FunctionCase parts[] = {
	{"EXTRACT", "s:YEAR | t:2023-11-14T22:13:20.049Z", "2023", "BIGINT"},
	{"EXTRACT", "s:millisecond | t:2023-11-14T22:13:20.049Z", "49", NULL},
	{"EXTRACT", "s:EPOCH | t:1969-12-31T23:59:59.5Z", "-1", NULL},
	{"EXTRACT", "s:DAYS | D:2023-11-14", "14", NULL},
	{"EXTRACT", "=s:PARSEC | t:2023-11-14T00:00:00Z", "bind:BAD_ARGUMENT", NULL},
	{"EXTRACT", "s:HOUR | T:22:13:20", "22", NULL},
	{"EXTRACT", "s:MONTH | v:P1Y2M", "2", NULL},
	{"DATE_PART", "s:DAY | v:P3DT5H", "3", NULL},
	{"EXTRACT", "s:YEAR | nt", "NULL", NULL},
	{"EXTRACT", "s:YEAR | i:5", "bind:TYPE", NULL},
	{"YEAR", "D:2024-02-29", "2024", "BIGINT"},
	{"MONTH", "t:2024-02-29T23:59:59.999999Z", "2", NULL},
	{"DAYOFMONTH", "D:2024-02-29", "29", NULL},
	{"DAYOFYEAR", "D:2024-12-31", "366", NULL},
	{"HOUR", "t:1969-12-31T23:30:00Z", "23", NULL},
	{"WEEK", "D:2021-01-03", "53", NULL},
	{"DOW", "D:2021-01-03", "0", NULL},
	{"DAYNAME", "D:2024-02-29", "Thursday", "STRING"},
	{"MONTHNAME", "D:2024-02-29", "February", NULL},
	{"LAST_DAY", "D:2023-02-01", "2023-02-28", "DATE"},
	{"LAST_DAY", "D:9999-12-01", "9999-12-31", NULL},
};

static const FunctionCase arithmetic[] = {
	{"DATE_TRUNC", "s:MONTH | t:2023-11-14T22:13:20.049Z",
	 "2023-11-01T00:00:00.000Z", "TIMESTAMP"},
	{"DATE_TRUNC", "s:quarter | D:2023-11-14", "2023-10-01T00:00:00.000Z", NULL},
	{"DATE_TRUNC", "s:WEEK | t:1969-12-31T00:00:00Z", "1969-12-29T00:00:00.000Z", NULL},
	{"DATE_TRUNC", "=s:EPOCH | t:1969-12-31T00:00:00Z", "bind:BAD_ARGUMENT", NULL},
	{"DATEDIFF", "s:DAY | t:2024-01-01T00:00:00Z | t:2024-01-02T23:59:59Z", "1", "BIGINT"},
	{"DATEDIFF", "s:DAY | D:2024-03-01 | D:2024-02-28", "-2", NULL},
	{"DATEDIFF", "s:MONTH | D:2024-01-31 | D:2024-02-29", "0", NULL},
	{"TIMESTAMPDIFF", "s:YEAR | D:2000-02-29 | D:2024-02-28", "23", NULL},
	{"DATE_ADD", "s:MONTH | i:1 | D:2024-01-31", "2024-02-29T00:00:00.000Z", NULL},
	{"DATEADD", "s:HOUR | i:-1 | t:2024-01-01T00:00:00Z", "2023-12-31T23:00:00.000Z", NULL},
	{"DATE_ADD", "s:YEAR | l:9223372036854775807 | D:2024-01-31", "row:OUT_OF_RANGE", NULL},
	{"DATE_ADD", "t:2024-01-31T12:00:00Z | v:P1MT1H", "2024-02-29T13:00:00.000Z", NULL},
	{"DATE_SUB", "t:2024-03-31T12:00:00Z | v:P1M", "2024-02-29T12:00:00.000Z", NULL},
	{"DATE_SUB", "t:0001-01-01T00:00:00Z | v:P1D", "row:OUT_OF_RANGE", NULL},
	{"MAKE_DATE", "i:2024 | i:2 | i:29", "2024-02-29", "DATE"},
	{"MAKE_DATE", "i:2023 | i:2 | i:29", "row:OUT_OF_RANGE", NULL},
	{"MAKE_DATE", "l:4294969320 | i:2 | i:29", "row:OUT_OF_RANGE", NULL},
};

static const FunctionCase texts[] = {
	{"DATE_FORMAT", "t:2023-11-14T22:13:20.049Z | s:%Y-%m-%d %H:%M:%S",
	 "2023-11-14 22:13:20", NULL},
	{"DATE_FORMAT", "t:2023-11-14T22:13:20.049Z | s:", "", NULL},
	{"DATE_FORMAT", "t:2023-11-14T22:13:20.049Z | =s:%Q", "bind:BAD_ARGUMENT", NULL},
	{"DATE_FORMAT", "D:2023-11-14 | s:%d.%m.%Y", "14.11.2023", NULL},
	{"DATE_FORMAT", "t:2023-11-14T22:13:20Z | s:%H:%M %z %Z | =s:UTC", "22:13 +0000 UTC", NULL},
	{"DATE_FORMAT", "t:2023-11-14T22:13:20Z | s:%F %R | =s:+05:30", "2023-11-15 03:43", NULL},
	{"DATE_FORMAT", "t:2023-07-14T22:13:20Z | s:%F %R %Z | =s:Europe/Berlin",
	 "2023-07-15 00:13 CEST", NULL},
	{"DATE_FORMAT", "t:2023-07-14T22:13:20Z | s:%F | =s:Mars/Phobos",
	 "bind:BAD_ARGUMENT", NULL},
	{"TO_TIMESTAMP", "s:2023-11-14T22:13:20.049Z", "2023-11-14T22:13:20.049Z", "TIMESTAMP"},
	{"TO_TIMESTAMP", "s:2023-11-14 22:13:20+01:00", "2023-11-14T21:13:20.000Z", NULL},
	{"TO_TIMESTAMP", "s:14.11.2023 22h | s:%d.%m.%Y %Hh", "2023-11-14T22:00:00.000Z", NULL},
	{"TO_TIMESTAMP", "s:14.13.2023 | s:%d.%m.%Y", "row:BAD_ARGUMENT", NULL},
	{"TO_TIMESTAMP", "s:yesterday", "row:BAD_ARGUMENT", NULL},
	{"TO_TIMESTAMP", "s:2023 | =s:%Q", "bind:BAD_ARGUMENT", NULL},
	{"TO_DATE", "s:2023-11-14", "2023-11-14", "DATE"},
	{"TO_DATE", "s:1969-12-31T12:00:00Z", "1969-12-31", NULL},
	{"TO_DATE", "s:11/14/23 | s:%m/%d/%y", "2023-11-14", NULL},
	{"TO_DATE", "s:2023-02-30", "row:BAD_ARGUMENT", NULL},
};

static const FunctionCase numbers[] = {
	{"FROM_UNIXTIME", "i:0", "1970-01-01T00:00:00.000Z", "TIMESTAMP"},
	{"TO_TIMESTAMP", "l:1700000000", "2023-11-14T22:13:20.000Z", NULL},
	{"FROM_UNIXTIME", "d:1700000000.049", "2023-11-14T22:13:20.049Z", NULL},
	{"FROM_UNIXTIME", "d:0.0000001", "row:DIGIT_LOSS", NULL},
	{"FROM_UNIXTIME", "f:0.5", "1970-01-01T00:00:00.500Z", NULL},
	{"FROM_UNIXTIME", "f:NaN", "row:OUT_OF_RANGE", NULL},
	{"FROM_UNIXTIME", "l:9223372036854775807", "row:OUT_OF_RANGE", NULL},
	{"FROM_UNIXTIME", "d(38,0):99999999999999999999999999999999999999",
	 "row:OUT_OF_RANGE", NULL},
	{"UNIX_TIMESTAMP", "t:1969-12-31T23:59:59.5Z", "-1", "BIGINT"},
	{"EPOCH_MS", "t:2023-11-14T22:13:20.049Z", "1700000000049", NULL},
	{"TO_EPOCH_MILLIS", "t:1969-12-31T23:59:59.999999Z", "-1", NULL},
	{"EPOCH_US", "t:1970-01-01T00:00:00.000001Z", "1", NULL},
	{"FROM_EPOCH_MILLIS", "l:1700000000049", "2023-11-14T22:13:20.049Z", NULL},
	{"FROM_EPOCH_MICROS", "i:-1", "1969-12-31T23:59:59.999999Z", NULL},
	{"TO_TIMESTAMP_LTZ", "l:1700000000049 | i:3", "2023-11-14T22:13:20.049Z", NULL},
	{"TO_TIMESTAMP_LTZ", "l:1700000000 | i:0", "2023-11-14T22:13:20.000Z", NULL},
	{"TO_TIMESTAMP_LTZ", "l:1700000000 | i:1", "row:BAD_ARGUMENT", NULL},
};

/* clang-format off */
#define TABLE_TEST(table)                                                        \
	static void test_##table(void **state)                                   \
	{                                                                        \
		(void)state;                                                     \
		run_cases(table, sizeof table / sizeof table[0]);                \
	}
/* clang-format on */
TABLE_TEST(parts)
TABLE_TEST(arithmetic)
TABLE_TEST(texts)
TABLE_TEST(numbers)

static void
test_python_vectors(void **state)
{
	(void)state;
	run_case_file(SOURCE_DIR "/tests/unit/data/time_vectors.txt");
}

/* ---- the clock ---- */

static const FunctionCase clocks[] = {
	{"NOW", "", "2023-11-14T22:13:20.049Z", "TIMESTAMP"},
	{"CURRENT_TIMESTAMP", "", "2023-11-14T22:13:20.049Z", NULL},
	{"TIMESTAMP", "", "2023-11-14T22:13:20.049Z", NULL},
	{"CURRENT_DATE", "", "2023-11-14", "DATE"},
	{"CURRENT_TIME", "", "22:13:20.049", "TIME"},
	{"UNIX_TIMESTAMP", "", "1700000000", "BIGINT"},
};

static void
test_fixed_clock(void **state)
{
	(void)state;
	setenv("FERRIS_NOW", "2023-11-14T22:13:20.049Z", 1);
	run_cases(clocks, sizeof clocks / sizeof clocks[0]);
	unsetenv("FERRIS_NOW");
}

static void
test_running_clock(void **state)
{
	Arena arena;
	Error err = {0};
	BoundExpr *now;
	Program *program;
	const Vector *result;

	(void)state;
	arena_init(&arena, 0);
	assert_int_equal(function_bind(&arena, STR("NOW"), NULL, 0, (Position){0}, &now, &err),
	                 FERRIS_OK);
	assert_int_equal(bound_fold(&arena, now, &now, &err), FERRIS_OK);
	assert_int_equal(now->kind, BOUND_CALL); /* volatile: not folded */
	assert_int_equal(program_compile(&arena, &now, 1, &program, &err), FERRIS_OK);
	Batch *batch = batch_new(NULL, NULL, 0);
	batch_reset(batch);
	batch->row_count = 100;
	batch_select_all(batch);
	int64_t before = (int64_t)time(NULL) * MICROS_PER_SECOND - MICROS_PER_SECOND;
	program_run(program, batch, NULL, &result);
	int64_t first = VECTOR_DATA(result, const int64_t)[0];
	assert_true(first >= before && first <= before + 60 * MICROS_PER_SECOND);
	assert_int_equal(VECTOR_DATA(result, const int64_t)[99], first);
	batch_destroy(batch);
	program_free(program);
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_arithmetic),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_python_vectors),
		cmocka_unit_test(test_fixed_clock),
		cmocka_unit_test(test_running_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
