/* tests/unit/test_cast.c -- conversions between all types, their limits and their errors. */
#include "func_helper.h"

static Fixture fixture;

static void
check(const char *expr, const char *wanted)
{
	const char *got = helper_eval(&fixture, expr);

	if (strcmp(got, wanted) != 0)
		fail_msg("%s\n  gives  %s\n  wanted %s", expr, got, wanted);
}

/* The failure's words, whatever comes before them. */
static void
check_fails(const char *expr, const char *part)
{
	const char *got = helper_eval(&fixture, expr);

	if (strstr(got, part) == NULL)
		fail_msg("%s\n  gives  %s\n  wanted ... %s", expr, got, part);
}

static void
test_integers(void **state)
{
	(void)state;
	check("127 cast:TINYINT", "127");
	check("-128 cast:TINYINT", "-128");
	check_fails("128 cast:TINYINT", "128 does not fit TINYINT");
	check_fails("-129 cast:TINYINT", "-129 does not fit TINYINT");
	check_fails("32768 cast:SMALLINT", "32768 does not fit SMALLINT");
	check("2147483648 cast:BIGINT", "2147483648");
	check_fails("2147483648 cast:INTEGER", "2147483648 does not fit INTEGER");
	check("2147483648 trycast:INTEGER", "NULL");
	check("9223372036854775807 cast:DOUBLE", "9.223372036854776e18");
	check("2 cast:BOOLEAN", "TRUE");
	check("0 cast:BOOLEAN", "FALSE");
	check("true cast:BIGINT", "1");
	check("300 cast:DECIMAL(5,2)", "300.00");
	check_fails("1000 cast:DECIMAL(5,2)", "1000 does not fit DECIMAL(5,2)");
	check("1000 trycast:DECIMAL(5,2)", "NULL");
	check("-42 cast:STRING", "'-42'");
	check("-42 cast:JSON", "JSON '-42'");
	check("null cast:INTEGER", "NULL");
	check("16777217 cast:FLOAT", "16777216.0");
}

static void
test_decimals(void **state)
{
	(void)state;
	check("2.50 cast:INTEGER", "3");
	check("-2.50 cast:INTEGER", "-3");
	check("2.49 cast:INTEGER", "2");
	check_fails("2.50 implicit:INTEGER", "would lose a digit");
	check("2.00 implicit:INTEGER", "2");
	check("1.005 cast:DECIMAL(5,2)", "1.01");
	check("-1.005 cast:DECIMAL(5,2)", "-1.01");
	check_fails("1.005 implicit:DECIMAL(5,2)", "1.005 would lose a digit as DECIMAL(5,2)");
	check("1.500 implicit:DECIMAL(5,2)", "1.50");
	check_fails("999.995 cast:DECIMAL(5,2)", "999.995 does not fit DECIMAL(5,2)");
	check("0.1 cast:DOUBLE", "0.1");
	check("12345678901234567890.12 cast:DOUBLE", "1.2345678901234567e19");
	check("12345678901234567890.12 cast:DECIMAL(38,4)", "12345678901234567890.1200");
	check("12345678901234567890.12 cast:STRING", "'12345678901234567890.12'");
	check_fails("12345678901234567890.12 cast:BIGINT", "does not fit BIGINT");
	check("12.50 cast:STRING", "'12.50'");
	check("-0.05 cast:STRING", "'-0.05'");
}

static void
test_doubles(void **state)
{
	(void)state;
	check("dbl:0.1 cast:DECIMAL(10,4)", "0.1000");
	check("dbl:1.005 cast:DECIMAL(10,2)", "1.01"); /* its shortest text is 1.005 */
	check("dbl:2.5 cast:INTEGER", "3");
	check("dbl:-2.5 cast:INTEGER", "-3");
	check_fails("dbl:1e19 cast:BIGINT", "does not fit BIGINT");
	check_fails("dbl:9223372036854775808 cast:BIGINT", "does not fit BIGINT");
	check("dbl:-9223372036854775808 cast:BIGINT", "-9223372036854775808");
	check_fails("dbl:NaN cast:INTEGER", "does not fit INTEGER");
	check_fails("dbl:NaN cast:DECIMAL(10,2)", "cannot be read as DECIMAL(10,2)");
	check_fails("dbl:1e39 cast:DECIMAL(38,0)", "does not fit DECIMAL(38,0)");
	check_fails("dbl:1e300 cast:FLOAT", "does not fit FLOAT");
	check("dbl:1e300 trycast:FLOAT", "NULL");
	check("dbl:0.1 cast:FLOAT", "0.1");
	check("dbl:0.1 cast:FLOAT cast:DOUBLE", "0.10000000149011612");
	check("dbl:1e20 cast:STRING", "'1e20'");
	assert_null(helper_parse(&fixture, "dbl:1 implicit:DECIMAL(10,2)"));
	assert_non_null(strstr(fixture.err.hint, "CAST(1.0 AS DECIMAL(10,2))"));
}

static void
test_text(void **state)
{
	(void)state;
	check("'~42~' cast:INTEGER", "42");
	check_fails("'42x' cast:INTEGER", "'42x' cannot be read as INTEGER");
	check_fails("'4.2' cast:INTEGER", "'4.2' cannot be read as INTEGER");
	check_fails("'' cast:INTEGER", "'' cannot be read as INTEGER");
	check("'' trycast:INTEGER", "NULL");
	check_fails("'99999999999999999999' cast:BIGINT", "does not fit BIGINT");
	check("'1.005' cast:DECIMAL(5,2)", "1.01");
	check("'1e3' cast:DECIMAL(6,2)", "1000.00");
	check_fails("'abc' cast:DECIMAL(5,2)", "'abc' cannot be read as DECIMAL(5,2)");
	check("'TRUE' cast:BOOLEAN", "TRUE");
	check("'off' cast:BOOLEAN", "FALSE");
	check_fails("'maybe' cast:BOOLEAN", "'maybe' cannot be read as BOOLEAN");
	check("'1.5e3' cast:DOUBLE", "1500.0");
	check_fails("'1e999' cast:DOUBLE", "does not fit DOUBLE");
	check("'{\"a\":[1,2]}' cast:JSON", "JSON '{\"a\":[1,2]}'");
	check_fails("'{\"a\":[1,2}' cast:JSON", "cannot be read as JSON");
	check_fails("'1~2' cast:JSON", "cannot be read as JSON");
	check("'ab' cast:BYTES", "X'6162'");
	check("'ab' cast:BYTES cast:STRING", "'ab'");
}

static void
test_temporal(void **state)
{
	(void)state;
	check("'2024-02-29' cast:DATE", "DATE '2024-02-29'");
	check_fails("'2023-02-29' cast:DATE", "'2023-02-29' does not fit DATE");
	check_fails("'yesterday' cast:DATE", "'yesterday' cannot be read as DATE");
	check("date:2024-02-29 cast:TIMESTAMP", "TIMESTAMP '2024-02-29T00:00:00.000Z'");
	check("date:0001-01-01 cast:TIMESTAMP", "TIMESTAMP '0001-01-01T00:00:00.000Z'");
	check("ts:2024-02-29T23:59:59.5Z cast:DATE", "DATE '2024-02-29'");
	check("ts:1969-12-31T23:59:59Z cast:DATE", "DATE '1969-12-31'");
	check("ts:2024-02-29T23:59:59.5Z cast:TIME", "TIME '23:59:59.500'");
	check("ts:2024-02-29T23:59:59.5Z cast:STRING", "'2024-02-29T23:59:59.500Z'");
	check("'12:34' cast:TIME", "TIME '12:34:00'");
	check("iv:P1Y2M cast:STRING", "'P1Y2M'");
	check("date:2024-02-29 cast:STRING", "'2024-02-29'");
	check_fails("5 cast:TIMESTAMP", "INTEGER cannot be converted to TIMESTAMP");
	check_fails("date:2024-02-29 cast:TIME", "bind TYPE");
}

/* Every pair: if it exists it can be planned and run; else it is refused. */
static void
test_every_pair(void **state)
{
	static const char *const samples[][2] = {
		{"BOOLEAN", "true"},    {"TINYINT", "1"},       {"SMALLINT", "1"},
		{"INTEGER", "1"},       {"BIGINT", "1"},        {"FLOAT", "1"},
		{"DOUBLE", "1"},        {"DECIMAL(10,2)", "1"}, {"DECIMAL(30,5)", "1"},
		{"STRING", "1"},        {"BYTES", "1"},         {"JSON", "1"},
		{"DATE", "2024-01-31"}, {"TIME", "10:00:00"},   {"TIMESTAMP", "2024-01-31"},
		{"INTERVAL", "P1D"},
	};
	uint32_t done = 0;

	(void)state;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
		for (size_t k = 0; k < sizeof samples / sizeof samples[0]; k++)
			for (CastMode mode = CAST_EXPLICIT; mode <= CAST_IMPLICIT; mode++) {
				Value value = i == 9 ? text_value("1")
						     : helper_value(&fixture.arena, samples[i][0],
								    samples[i][1]);
				BoundExpr *from =
					bound_constant(&fixture.arena, value, (Position){0});
				const Type *to = helper_type(&fixture.arena, samples[k][0]);
				BoundExpr *cast;
				Value out;

				if (bound_cast(&fixture.arena, from, to, mode, &cast,
					       &fixture.err) != FERRIS_OK) {
					assert_int_equal(fixture.err.status, FERRIS_ERR_TYPE);
					continue;
				}
				Status status =
					bound_evaluate(&fixture.arena, cast, &out, &fixture.err);
				assert_true(status == FERRIS_OK || status == FERRIS_ERR_CONSTANT);
				assert_true(status != FERRIS_OK || type_equal(out.type, to));
				done++;
			}
	assert_true(done > 200);
}

static int
setup(void **state)
{
	(void)state;
	fixture_open(&fixture, NULL, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	fixture_close(&fixture);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers), cmocka_unit_test(test_decimals),
		cmocka_unit_test(test_doubles),  cmocka_unit_test(test_text),
		cmocka_unit_test(test_temporal), cmocka_unit_test(test_every_pair),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
