/* tests/unit/test_program.c -- compiled expressions on batches: logic, errors, selections, folding.
 *
 * Expected values come from Python's decimal and from SQLite
 * (tests/unit/data/make_func_vectors.py); the property test compares four ways of running the same
 * random expression. */
#include "func_helper.h"

static Fixture fixture;

static void
check(const char *expr, const char *wanted)
{
	const char *got = helper_eval(&fixture, expr);

	if (strcmp(got, wanted) != 0)
		fail_msg("%s\n  gives  %s\n  wanted %s", expr, got, wanted);
}

static void
check_fails(const char *expr, const char *part)
{
	const char *got = helper_eval(&fixture, expr);

	if (strstr(got, part) == NULL)
		fail_msg("%s\n  gives  %s\n  wanted ... %s", expr, got, part);
}

/* ---- three-valued logic ---- */

static const char *const truths[] = {"false", "true", "null"};
static const char *const names[] = {"FALSE", "TRUE", "NULL"};

static void
test_truth_tables(void **state)
{
	static const int and_table[3][3] = {{0, 0, 0}, {0, 1, 2}, {0, 2, 2}};
	static const int or_table[3][3] = {{0, 1, 2}, {1, 1, 1}, {2, 1, 2}};
	static const int not_table[3] = {1, 0, 2};
	static const char *const tests[] = {"IS~TRUE",      "IS~NOT~TRUE", "IS~FALSE",
					    "IS~NOT~FALSE", "IS~UNKNOWN",  "IS~NOT~UNKNOWN",
					    "IS~NULL",      "IS~NOT~NULL"};
	static const int test_table[8][3] = {{0, 1, 0}, {1, 0, 1}, {1, 0, 0}, {0, 1, 1},
					     {0, 0, 1}, {1, 1, 0}, {0, 0, 1}, {1, 1, 0}};
	char expr[200];

	(void)state;
	for (int a = 0; a < 3; a++) {
		snprintf(expr, sizeof expr, "%s NOT/1", truths[a]);
		check(expr, names[not_table[a]]);
		for (int t = 0; t < 8; t++) {
			snprintf(expr, sizeof expr, "%s %s/1", truths[a], tests[t]);
			check(expr, names[test_table[t][a]]);
		}
		for (int b = 0; b < 3; b++) {
			snprintf(expr, sizeof expr, "%s %s and/2", truths[a], truths[b]);
			check(expr, names[and_table[a][b]]);
			snprintf(expr, sizeof expr, "%s %s or/2", truths[a], truths[b]);
			check(expr, names[or_table[a][b]]);
			snprintf(expr, sizeof expr, "%s %s IS~DISTINCT~FROM/2", truths[a],
				 truths[b]);
			check(expr, names[a != b]);
			snprintf(expr, sizeof expr, "%s %s IS~NOT~DISTINCT~FROM/2", truths[a],
				 truths[b]);
			check(expr, names[a == b]);
			for (int c = 0; c < 3; c++) {
				snprintf(expr, sizeof expr, "%s %s %s and/3", truths[a], truths[b],
					 truths[c]);
				check(expr, names[and_table[and_table[a][b]][c]]);
				snprintf(expr, sizeof expr, "%s %s %s or/3", truths[a], truths[b],
					 truths[c]);
				check(expr, names[or_table[or_table[a][b]][c]]);
			}
		}
	}
	check("null 1 2 IN/3", "NULL");
	check("1 2 null IN/3", "NULL");
	check("1 1 null IN/3", "TRUE");
	check("1 2 3 IN/3", "FALSE");
	check("null null IN/2", "NULL");
}

/* ---- limits ---- */

static void
test_integer_limits(void **state)
{
	(void)state;
	check("2147483646 1 +", "2147483647");
	check_fails("2147483647 1 +", "2147483647 + 1 does not fit INTEGER");
	check_fails("-2147483648 1 -", "does not fit INTEGER");
	check_fails("65536 32768 *", "65536 * 32768 does not fit INTEGER");
	check("65536 32767 *", "2147418112");
	check("big:9223372036854775806 1 +", "9223372036854775807");
	check_fails("big:9223372036854775807 1 +", "9223372036854775807 + 1 does not fit BIGINT");
	check_fails("big:-9223372036854775808 1 -", "does not fit BIGINT");
	check_fails("big:4611686018427387904 2 *", "does not fit BIGINT");
	check("big:-4611686018427387904 2 *", "-9223372036854775808");
	check_fails("big:-9223372036854775808 NEG/1",
		    "-(-9223372036854775808) does not fit BIGINT");
	check_fails("-2147483648 NEG/1", "does not fit INTEGER");
	check_fails("big:-9223372036854775808 -1 /", "does not fit BIGINT");
	check_fails("-2147483648 -1 /", "does not fit INTEGER");
	check("big:-9223372036854775808 -1 %", "0");
	check("-7 2 /", "-3");
	check("-7 2 %", "-1");
	check("7 -2 %", "1");
	check_fails("7 0 /", "division by zero: 7 / 0");
	check_fails("7 0 %", "division by zero");
	check("127 cast:TINYINT 127 cast:TINYINT *", "16129"); /* at least INTEGER */
	check_fails("dbl:1 dbl:0 /", "division by zero");
	check_fails("dbl:1e308 10 *", "does not fit DOUBLE");
	check("dbl:NaN dbl:NaN =", "TRUE");
	check("dbl:NaN dbl:Infinity >", "TRUE");
	check("dbl:-0.0 dbl:0.0 =", "TRUE");
	check("1.50 2 *", "3.00");
	check("1.50 dbl:2 *", "3.0");
	check_fails("1.5 0 /", "division by zero: 1.5 / 0");
	check("10 4.0 /", "2.500000");
}

static void
test_temporal(void **state)
{
	(void)state;
	check("ts:2024-01-31T10:00:00Z iv:P1M +", "TIMESTAMP '2024-02-29T10:00:00.000Z'");
	check("ts:2024-03-31T10:00:00Z iv:P1M -", "TIMESTAMP '2024-02-29T10:00:00.000Z'");
	check("iv:PT1S ts:2024-01-31T23:59:59Z +", "TIMESTAMP '2024-02-01T00:00:00.000Z'");
	check("date:2024-02-28 iv:P1D +", "TIMESTAMP '2024-02-29T00:00:00.000Z'");
	check("date:2024-02-28 2 +", "DATE '2024-03-01'");
	check("date:2024-03-01 2 -", "DATE '2024-02-28'");
	check("date:2024-03-01 date:2024-02-28 -", "2");
	check("ts:2024-03-02T01:00:00Z ts:2024-03-01T00:00:00Z -", "INTERVAL 'P1DT1H'");
	check_fails("date:9999-12-31 1 +", "does not fit DATE");
	check_fails("date:9999-12-31 big:-9223372036854775808 -", "does not fit DATE");
	check_fails("ts:0001-01-01T00:00:00Z iv:PT1S -", "does not fit TIMESTAMP");
	check("iv:P1M iv:P1D +", "INTERVAL 'P1M1D'");
	check("iv:P1D 3 *", "INTERVAL 'P3D'");
	check("iv:P30D iv:P1M =", "TRUE");
	check("time:23:30:00 iv:PT1H +", "TIME '00:30:00'");
	check("ts:2024-01-31T10:00:00Z '2024-01-31' >", "TRUE");
	check("'2024-01-31' date:2024-01-31 =", "TRUE");
	check("date:2024-01-31 ts:2024-01-31T00:00:00Z =", "TRUE");
	check_fails("ts:2024-01-31T10:00:00Z 'soon' >", "'soon' cannot be read as TIMESTAMP");
}

static void
test_like(void **state)
{
	(void)state;
	check("'abc' 'a%' LIKE/2", "TRUE");
	check("'abc' 'A%' LIKE/2", "FALSE");
	check("'abc' 'A%' ILIKE/2", "TRUE");
	check("'\u00c9t\u00e9' '\u00e9T_' ILIKE/2", "TRUE");
	check("'\u00e9' '_' LIKE/2", "TRUE");
	check("'\u00e9' '__' LIKE/2", "FALSE");
	check("'10%' '10!%' '!' LIKE/3", "TRUE");
	check("'10x' '10!%' '!' LIKE/3", "FALSE");
	check("'mississippi' '%iss%ip%' LIKE/2", "TRUE");
	check("'mississippi' '%iss%iss%iss%' LIKE/2", "FALSE");
	check("'' '%' LIKE/2", "TRUE");
	check("'' '_' LIKE/2", "FALSE");
	check("null '%' LIKE/2", "NULL");
	check_fails("'a' 'a!' '!' LIKE/3", "ends with its escape character");
	check_fails("'a' 'a' '!!' LIKE/3", "must be one character");
}

/* ---- a batch of rows ---- */

static const Field columns[] = {
	{.name = STR_INIT("a"), .type = TYPE_OF(INTEGER)},
	{.name = STR_INIT("b"), .type = TYPE_OF(INTEGER)},
};

static void
fill(Fixture *f, const int64_t *a, const int64_t *b, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		Value x = integer_value(a[i]);
		Value y = integer_value(b[i]);

		value_to_vector(&x, &f->batch->columns[0], i);
		value_to_vector(&y, &f->batch->columns[1], i);
		f->batch->records[i] = (RecordRange){.offset = i * 10, .len = 10, .line = i};
	}
	f->batch->row_count = count;
	batch_select_all(f->batch);
}

static Program *
compile(Fixture *f, const char *const *texts, uint32_t count)
{
	BoundExpr *exprs[4];
	Program *program;

	for (uint32_t i = 0; i < count; i++) {
		exprs[i] = helper_parse(f, texts[i]);
		if (exprs[i] == NULL)
			fail_msg("%s: %s", texts[i], f->err.message);
	}
	if (program_compile(&f->arena, exprs, count, &program, &f->err) != FERRIS_OK)
		fail_msg("%s", f->err.message);
	return program;
}

/* A row that fails is reported once, with its record and column, and the others go on. */
static void
test_row_errors(void **state)
{
	static const int64_t a[] = {10, 2147483647, 30, 40};
	static const int64_t b[] = {2, 1, 0, 5};
	static const char *const texts[] = {"c0 c1 /", "c0 c1 + 1 + c0 c1 / +"};
	const Str out_names[] = {STR("ratio"), STR("sum")};
	const Vector *results[2];
	Fixture f;

	(void)state;
	fixture_open(&f, columns, 2);
	fill(&f, a, b, 4);
	Program *program = compile(&f, texts, 2);
	for (int again = 0; again < 2; again++) {
		program_run(program, f.batch, out_names, results);
		assert_int_equal(f.batch->sel_count, 2);
		assert_int_equal(f.batch->sel[0], 0);
		assert_int_equal(f.batch->sel[1], 3);
		assert_false(f.batch->dense);
		assert_int_equal(VECTOR_DATA(results[0], int64_t)[3], 8);
		assert_int_equal(VECTOR_DATA(results[1], int64_t)[0], 18);
		assert_int_equal(f.batch->error_count, 2);
		assert_int_equal(f.batch->errors[0].record.line, 1); /* in order of record */
		assert_int_equal(f.batch->errors[0].status, FERRIS_ERR_OUT_OF_RANGE);
		assert_true(str_eq(f.batch->errors[0].column, STR("sum")));
		assert_int_equal(f.batch->errors[1].record.line, 2);
		assert_int_equal(f.batch->errors[1].status, FERRIS_ERR_DIVISION_BY_ZERO);
		assert_true(str_eq(f.batch->errors[1].column, STR("ratio")));
		assert_true(str_eq(f.batch->errors[1].message, STR("division by zero: 30 / 0")));
		batch_reset(f.batch);
		fill(&f, a, b, 4);
	}
	program_free(program);
	fixture_close(&f);
}

/* What a condition guards is computed only where the condition lets it. */
static void
test_short_circuit(void **state)
{
	static const int64_t a[] = {10, 20, 30, 40};
	static const int64_t b[] = {2, 0, 0, 5};
	static const struct {
		const char *text;
		uint32_t errors;
		const char *values[4];
	} cases[] = {
		{"c1 0 <> c0 c1 / -1 case/3", 0, {"5", "-1", "-1", "8"}},
		{"c1 0 <> c0 c1 / 5 = and/2", 0, {"TRUE", "FALSE", "FALSE", "FALSE"}},
		{"c1 0 = c0 c1 / 5 = or/2", 0, {"TRUE", "TRUE", "TRUE", "FALSE"}},
		{"c0 c0 c1 / coalesce/2", 0, {"10", "20", "30", "40"}},
		{"c0 c1 / try/1", 0, {"5", "NULL", "NULL", "8"}},
		{"c0 c1 / try/1 0 coalesce/2", 0, {"5", "0", "0", "8"}},
		{"c0 c1 / 7 coalesce/2", 2, {"5", NULL, NULL, "8"}},
		{"true c0 c1 / 1 = or/2", 0, {"TRUE", "TRUE", "TRUE", "TRUE"}},
		{"c0 c1 / 1 = true or/2", 2, {"TRUE", NULL, NULL, "TRUE"}},
		{"c0 c1 / IS~NULL/1", 2, {"FALSE", NULL, NULL, "FALSE"}},
	};

	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		const Vector *result;
		Fixture f;

		fixture_open(&f, columns, 2);
		fill(&f, a, b, 4);
		Program *program = compile(&f, &cases[k].text, 1);
		program_run(program, f.batch, NULL, &result);
		assert_int_equal(f.batch->error_count, cases[k].errors);
		assert_int_equal(f.batch->sel_count, 4 - cases[k].errors);
		for (uint32_t i = 0; i < f.batch->sel_count; i++) {
			uint32_t row = f.batch->sel[i];
			Value value = value_from_vector(result, row);

			assert_non_null(cases[k].values[row]);
			if (!str_eq(value_text(&f.arena, &value), str_from(cases[k].values[row])))
				fail_msg("%s row %u: %s", cases[k].text, row,
					 value_text(&f.arena, &value).data);
		}
		program_free(program);
		fixture_close(&f);
	}
}

static void
test_filter(void **state)
{
	static const int64_t a[] = {10, 20, 30, 40, 50, 60};
	static const int64_t b[] = {2, 0, 3, 5, 0, 1};
	static const char *const texts[] = {"c0 15 > c0 c1 / 5 > and/2", "c0 60 <"};
	Fixture f;

	(void)state;
	fixture_open(&f, columns, 2);
	fill(&f, a, b, 6);
	Program *program = compile(&f, texts, 2);
	program_filter(program, f.batch);
	/* 10 fails the first conjunct, 20 and 50 divide by zero, 60 fails the last */
	assert_int_equal(f.batch->sel_count, 2);
	assert_int_equal(f.batch->sel[0], 2);
	assert_int_equal(f.batch->sel[1], 3);
	assert_int_equal(f.batch->error_count, 2);
	assert_int_equal(f.batch->filtered, 2);
	program_free(program);
	fixture_close(&f);
}

static void
test_folding(void **state)
{
	static const struct {
		const char *expr, *text;
	} cases[] = {
		{"c0 1 2 + *", "a * 3"},
		{"c0 1 - 2 *", "(a - 1) * 2"},
		{"c0 c1 1 - -", "a - (b - 1)"},
		{"c0 c1 - 1 -", "a - b - 1"},
		{"c0 -1 -", "a - -1"},
		{"c0 NEG/1 NEG/1", "-(-a)"},
		{"c0 0 > true and/2", "a > 0"},
		{"true false and/2 c0 c1 = or/2", "a = b"},
		{"c0 1 = c1 2 = or/2 c0 3 < and/2", "(a = 1 OR b = 2) AND a < 3"},
		{"c0 1 = NOT/1", "NOT a = 1"},
		{"c0 1 = c1 1 0 / case/3", "CASE WHEN a = 1 THEN b ELSE 1 / 0 END"},
		{"false c0 c1 case/3", "b"},
		{"1 0 / try/1 5 coalesce/2", "5"},
		{"c0 1 2 3 IN/4", "a IN (1, 2, 3)"},
		{"c0 cast:STRING 'x' LIKE/2", "CAST(a AS STRING) LIKE 'x'"},
		{"c0 'it''s' ||", "a || 'it''''s'"},
		{"c0 IS~NULL/1 IS~NOT~TRUE/1", "(a IS NULL) IS NOT TRUE"},
		{"c0 cast:DOUBLE null IS~DISTINCT~FROM/2",
		 "CAST(a AS DOUBLE) IS DISTINCT FROM NULL"},
	};
	Fixture f;
	BoundExpr *folded;

	(void)state;
	fixture_open(&f, columns, 2);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BoundExpr *expr = helper_parse(&f, cases[i].expr);

		if (expr == NULL || bound_fold(&f.arena, expr, &folded, &f.err) != FERRIS_OK)
			fail_msg("%s: %s", cases[i].expr, f.err.message);
		if (!str_eq(bound_text(&f.arena, folded), str_from(cases[i].text)))
			fail_msg("%s\n  gives  %s\n  wanted %s", cases[i].expr,
				 bound_text(&f.arena, folded).data, cases[i].text);
	}
	assert_int_equal(bound_fold(&f.arena, helper_parse(&f, "c0 1 0 / +"), &folded, &f.err),
			 FERRIS_ERR_CONSTANT);
	assert_string_equal(f.err.message, "division by zero: 1 / 0");
	fixture_close(&f);
}

/* ---- expected values from elsewhere ---- */

static FILE *
open_data(const char *name)
{
	char path[512];

	snprintf(path, sizeof path, "%s/tests/unit/data/%s", SOURCE_DIR, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	return file;
}

static void
test_decimal_vectors(void **state)
{
	FILE *file = open_data("func_decimal.txt");
	char a[64], b[64], op[4], wanted[64], type_a[32], type_b[32];
	int p1, s1, p2, s2, p, s;
	uint32_t count = 0;

	(void)state;
	while (fscanf(file, "%d %d %63s %3s %d %d %63s %d %d %63s", &p1, &s1, a, op, &p2, &s2, b,
		      &p, &s, wanted) == 10) {
		Fixture f;
		BoundExpr *args[2], *call;
		Value value;

		fixture_open(&f, NULL, 0);
		snprintf(type_a, sizeof type_a, "DECIMAL(%d,%d)", p1, s1);
		snprintf(type_b, sizeof type_b, "DECIMAL(%d,%d)", p2, s2);
		args[0] =
			bound_constant(&f.arena, helper_value(&f.arena, type_a, a), (Position){0});
		args[1] =
			bound_constant(&f.arena, helper_value(&f.arena, type_b, b), (Position){0});
		assert_int_equal(function_bind(&f.arena, str_from(op), args, 2, (Position){0},
					       &call, &f.err),
				 FERRIS_OK);
		assert_int_equal(call->type->precision, p);
		assert_int_equal(call->type->scale, s);
		Status status = bound_evaluate(&f.arena, call, &value, &f.err);
		if (strcmp(wanted, "DIVISION_BY_ZERO") == 0)
			assert_true(status == FERRIS_ERR_CONSTANT &&
				    strstr(f.err.message, "division"));
		else if (strcmp(wanted, "OUT_OF_RANGE") == 0)
			assert_true(status == FERRIS_ERR_CONSTANT && strstr(f.err.message, "fit"));
		else if (status != FERRIS_OK)
			fail_msg("%s %s %s: %s", a, op, b, f.err.message);
		else if (!str_eq(value_text(&f.arena, &value), str_from(wanted)))
			fail_msg("%s %s %s\n  gives  %s\n  wanted %s", a, op, b,
				 value_text(&f.arena, &value).data, wanted);
		fixture_close(&f);
		count++;
	}
	fclose(file);
	assert_true(count > 1000);
}

static const Field sqlite_columns[] = {
	{.name = STR_INIT("c0"), .type = TYPE_OF(BIGINT)},
	{.name = STR_INIT("c1"), .type = TYPE_OF(BIGINT)},
	{.name = STR_INIT("c2"), .type = TYPE_OF(BIGINT)},
	{.name = STR_INIT("c3"), .type = TYPE_OF(STRING)},
	{.name = STR_INIT("c4"), .type = TYPE_OF(STRING)},
};

/* The next field of a line; "\N" is NULL and gives false. */
static bool
next_field(char **line, char **field)
{
	*field = *line;
	*line += strcspn(*line, "|\n");
	if (**line != '\0')
		*(*line)++ = '\0';
	return strcmp(*field, "\\N") != 0;
}

static void
read_rows(Fixture *f, FILE *file, char *line, size_t size)
{
	assert_non_null(fgets(line, (int)size, file));
	uint32_t rows = (uint32_t)strtoul(line, NULL, 10);

	for (uint32_t row = 0; row < rows; row++) {
		char *p = fgets(line, (int)size, file);
		char *field;

		for (uint32_t c = 0; c < 5; c++) {
			Value value = value_null(sqlite_columns[c].type);

			if (next_field(&p, &field) && c < 3)
				value = (Value){.type = TYPE_OF(BIGINT),
						.int64 = strtoll(field, NULL, 10)};
			else if (strcmp(field, "\\N") != 0)
				value = text_value(arena_copy(&f->arena, field, strlen(field)));
			value_to_vector(&value, &f->batch->columns[c], row);
		}
	}
	f->batch->row_count = rows;
}

/* SQLite has no BOOLEAN and no quotes. */
static Str
plain_text(Arena *arena, const Value *value)
{
	if (value->is_null)
		return STR("\\N");
	if (value->type->kind == TYPE_BOOLEAN)
		return value->boolean ? STR("1") : STR("0");
	return value->type->kind == TYPE_STRING ? value->text : value_text(arena, value);
}

static void
test_sqlite_vectors(void **state)
{
	static char line[16384], wanted[16384];
	FILE *file = open_data("func_sqlite.txt");
	uint32_t compared = 0, overflows = 0;
	Fixture f;

	(void)state;
	fixture_open(&f, sqlite_columns, 5);
	read_rows(&f, file, line, sizeof line);
	while (fgets(line, sizeof line, file) != NULL &&
	       fgets(wanted, sizeof wanted, file) != NULL) {
		const char *text = line;
		const Vector *result;
		char *p = wanted;
		char *field;

		line[strcspn(line, "\n")] = '\0';
		Program *program = compile(&f, &text, 1);
		batch_select_all(f.batch);
		f.batch->error_count = 0;
		program_run(program, f.batch, NULL, &result);
		overflows += f.batch->error_count;
		for (uint32_t row = 0, i = 0; row < f.batch->row_count; row++) {
			next_field(&p, &field);
			if (i >= f.batch->sel_count || f.batch->sel[i] != row)
				continue; /* it overflowed, where SQLite goes on with a double */
			i++;
			Value value = value_from_vector(result, row);
			Str got = plain_text(&f.arena, &value);
			if (!str_eq(got, str_from(field)))
				fail_msg("%s, row %u\n  gives  %.*s\n  wanted %s", line, row,
					 STR_ARG(got), field);
			compared++;
		}
		program_free(program);
	}
	fclose(file);
	fixture_close(&f);
	assert_true(compared > 40000);
	assert_true(overflows < compared / 100);
}

/* ---- the same expression in four ways ---- */

static uint64_t seed;

static uint32_t
pick(uint32_t n)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(seed >> 33) % n;
}

#define PROPERTY_COLUMNS 8
static Field property_columns[PROPERTY_COLUMNS];
static Type decimal_narrow = {.kind = TYPE_DECIMAL, .precision = 10, .scale = 2};
static Type decimal_wide = {.kind = TYPE_DECIMAL, .precision = 25, .scale = 6};

static void
property_schema(void)
{
	const Type *types[PROPERTY_COLUMNS] = {TYPE_OF(INTEGER), TYPE_OF(BIGINT),   &decimal_narrow,
					       &decimal_wide,    TYPE_OF(DOUBLE),   TYPE_OF(STRING),
					       TYPE_OF(BOOLEAN), TYPE_OF(TIMESTAMP)};
	static const char *const column_names[] = {"i", "l", "d", "w", "f", "s", "b", "t"};

	for (int i = 0; i < PROPERTY_COLUMNS; i++)
		property_columns[i] = (Field){.name = str_from(column_names[i]), .type = types[i]};
}

static Value
random_value(const Type *type)
{
	static const char *const texts[] = {
		"", "a", "abc", "12", "1.5", "a%c", "\xc3\xa9t\xc3\xa9"};
	Value value = {.type = type};
	int64_t small = (int64_t)pick(7) - 3;

	switch (type->kind) {
	case TYPE_INTEGER:
		value.int64 = pick(8) == 0 ? INT32_MAX - (int64_t)pick(2) : small;
		break;
	case TYPE_BIGINT:
		value.int64 = pick(8) == 0 ? INT64_MIN + (int64_t)pick(2) : small * 1000;
		break;
	case TYPE_DECIMAL:
		if (type->precision > 18)
			value.int128 = (Int128)small * decimal_power128[pick(24)];
		else
			value.int64 = small * decimal_power64[pick(9)];
		break;
	case TYPE_DOUBLE:
		value.real = pick(10) == 0 ? 1e308 : (double)small / 4;
		break;
	case TYPE_STRING:
		value.text = str_from(texts[pick(7)]);
		break;
	case TYPE_BOOLEAN:
		value.boolean = pick(2);
		break;
	default:
		value.int64 = small * MICROS_PER_DAY;
		break;
	}
	return value;
}

static BoundExpr *random_expr(Fixture *f, int depth);

static BoundExpr *
random_leaf(Fixture *f)
{
	uint32_t c = pick(PROPERTY_COLUMNS);

	if (pick(4) == 0) {
		Value value = pick(8) == 0 ? value_null(property_columns[c].type)
					   : random_value(property_columns[c].type);
		return bound_constant(&f->arena, value, (Position){1, 1, 1});
	}
	return bound_column(&f->arena, c, property_columns[c].type, property_columns[c].name,
			    (Position){1, 1, 1});
}

static BoundExpr *
random_call(Fixture *f, int depth)
{
	static const struct {
		const char *name;
		uint32_t args;
	} calls[] = {{"+", 2},
		     {"-", 2},
		     {"*", 2},
		     {"/", 2},
		     {"%", 2},
		     {"=", 2},
		     {"<>", 2},
		     {"<", 2},
		     {"<=", 2},
		     {">", 2},
		     {">=", 2},
		     {"||", 2},
		     {"NEG", 1},
		     {"NOT", 1},
		     {"IS NULL", 1},
		     {"IS NOT NULL", 1},
		     {"IS TRUE", 1},
		     {"IS NOT FALSE", 1},
		     {"IS DISTINCT FROM", 2},
		     {"IS NOT DISTINCT FROM", 2},
		     {"LIKE", 2},
		     {"IN", 4},
		     {"COALESCE", 2},
		     {"IF", 3},
		     {"TRY", 1}};
	BoundExpr *args[4], *out;

	for (int attempt = 0; attempt < 20; attempt++) {
		size_t k = pick(sizeof calls / sizeof calls[0]);

		for (uint32_t i = 0; i < calls[k].args; i++)
			args[i] = random_expr(f, depth - 1);
		if (function_bind(&f->arena, str_from(calls[k].name), args, calls[k].args,
				  (Position){1, 1, 1}, &out, &f->err) == FERRIS_OK)
			return out;
	}
	return random_leaf(f);
}

static BoundExpr *
random_expr(Fixture *f, int depth)
{
	BoundExpr *args[3], *out;

	if (depth <= 0 || pick(5) == 0)
		return random_leaf(f);
	if (pick(6) == 0) {
		static const TypeKind targets[] = {TYPE_INTEGER, TYPE_BIGINT,  TYPE_DOUBLE,
						   TYPE_STRING,  TYPE_BOOLEAN, TYPE_DATE,
						   TYPE_SMALLINT};
		BoundExpr *arg = random_expr(f, depth - 1);

		if (bound_cast(&f->arena, arg, &type_simple[targets[pick(7)]], (CastMode)pick(2),
			       &out, &f->err) == FERRIS_OK)
			return out;
	}
	if (pick(5) == 0) {
		uint32_t n = 2 + pick(2);

		for (uint32_t i = 0; i < n; i++)
			do
				args[i] = random_expr(f, depth - 1);
			while (args[i]->type->kind != TYPE_BOOLEAN);
		return bound_node(&f->arena, pick(2) ? BOUND_AND : BOUND_OR, TYPE_OF(BOOLEAN), args,
				  n, (Position){1, 1, 1});
	}
	return random_call(f, depth);
}

/* The tree with the values of one row in place of the columns. */
static BoundExpr *
substitute(Fixture *f, const BoundExpr *expr, uint32_t row)
{
	if (expr->kind == BOUND_COLUMN)
		return bound_constant(&f->arena,
				      value_from_vector(&f->batch->columns[expr->column], row),
				      expr->position);
	BoundExpr *copy = ARENA_NEW(&f->arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(&f->arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		copy->args[i] = substitute(f, expr->args[i], row);
	return copy;
}

/* What each row gives, as text; NULL where it failed. */
static void
run_rows(Fixture *f, BoundExpr *expr, const char **out)
{
	const Vector *result;
	Program *program;

	memset(out, 0, sizeof *out * BATCH_CAPACITY);
	f->batch->error_count = 0;
	uint32_t before = f->batch->sel_count;
	assert_int_equal(program_compile(&f->arena, &expr, 1, &program, &f->err), FERRIS_OK);
	program_run(program, f->batch, NULL, &result);
	assert_int_equal(before, f->batch->sel_count + f->batch->error_count);
	for (uint32_t i = 0; i < f->batch->sel_count; i++) {
		Value value = value_from_vector(result, f->batch->sel[i]);

		assert_true(type_equal(value.type, expr->type));
		out[f->batch->sel[i]] = value_text(&f->arena, &value).data;
	}
	program_free(program);
}

static bool
same(const char *a, const char *b)
{
	return (a == NULL && b == NULL) || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

#define PROPERTY_ROWS 150

static void
fill_random(Fixture *f)
{
	for (uint32_t c = 0; c < PROPERTY_COLUMNS; c++) {
		bool nulls = pick(3) > 0;

		for (uint32_t row = 0; row < PROPERTY_ROWS; row++) {
			Value value = nulls && pick(4) == 0
					      ? value_null(property_columns[c].type)
					      : random_value(property_columns[c].type);
			value_to_vector(&value, &f->batch->columns[c], row);
		}
	}
	f->batch->row_count = PROPERTY_ROWS;
	memset(f->batch->records, 0, sizeof(RecordRange) * PROPERTY_ROWS);
}

static void
compare_ways(Fixture *f, BoundExpr *expr)
{
	static const char *dense[BATCH_CAPACITY], *other[BATCH_CAPACITY];
	BoundExpr *folded;
	uint32_t selected = 0;

	batch_select_all(f->batch);
	run_rows(f, expr, dense);
	/* some of the rows */
	for (uint32_t row = 0; row < PROPERTY_ROWS; row++)
		if (pick(2))
			f->batch->sel[selected++] = (uint16_t)row;
	uint16_t chosen[BATCH_CAPACITY];
	memcpy(chosen, f->batch->sel, sizeof chosen);
	f->batch->sel_count = selected;
	f->batch->dense = false;
	run_rows(f, expr, other);
	for (uint32_t i = 0; i < selected; i++)
		if (!same(dense[chosen[i]], other[chosen[i]]))
			fail_msg("seed %llu selected: %s row %u: %s, dense %s",
				 (unsigned long long)seed, bound_text(&f->arena, expr).data,
				 chosen[i], other[chosen[i]], dense[chosen[i]]);
	/* folded */
	if (bound_fold(&f->arena, expr, &folded, &f->err) == FERRIS_OK) {
		batch_select_all(f->batch);
		run_rows(f, folded, other);
		for (uint32_t row = 0; row < PROPERTY_ROWS; row++)
			if (!same(dense[row], other[row]))
				fail_msg("folded: %s row %u: %s, not %s",
					 bound_text(&f->arena, expr).data, row, other[row],
					 dense[row]);
	} else {
		assert_int_equal(f->err.status, FERRIS_ERR_CONSTANT);
	}
	/* one row as constants */
	for (int k = 0; k < 3; k++) {
		uint32_t row = pick(PROPERTY_ROWS);
		Value value;
		Status status =
			bound_evaluate(&f->arena, substitute(f, expr, row), &value, &f->err);
		const char *got = status == FERRIS_OK ? value_text(&f->arena, &value).data : NULL;

		assert_true(status == FERRIS_OK || status == FERRIS_ERR_CONSTANT);
		if (!same(dense[row], got))
			fail_msg("constants: %s row %u: %s, not %s",
				 bound_text(&f->arena, expr).data, row, got, dense[row]);
	}
}

static void
test_ways(void **state)
{
	uint32_t failed = 0, total = 0;

	(void)state;
	property_schema();
	seed = (uint64_t)(getenv("TEST_SEED") ? strtoull(getenv("TEST_SEED"), NULL, 10) : 20240229);
	print_message("seed %llu\n", (unsigned long long)seed);
	for (int round = 0; round < 400; round++) {
		Fixture f;

		fixture_open(&f, property_columns, PROPERTY_COLUMNS);
		fill_random(&f);
		for (int k = 0; k < 3; k++)
			compare_ways(&f, random_expr(&f, 1 + (int)pick(4)));
		failed += f.batch->error_count > 0;
		total++;
		fixture_close(&f);
	}
	assert_true(failed > 0 && failed < total);
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
		cmocka_unit_test(test_truth_tables),
		cmocka_unit_test(test_integer_limits),
		cmocka_unit_test(test_temporal),
		cmocka_unit_test(test_like),
		cmocka_unit_test(test_row_errors),
		cmocka_unit_test(test_short_circuit),
		cmocka_unit_test(test_filter),
		cmocka_unit_test(test_folding),
		cmocka_unit_test(test_decimal_vectors),
		cmocka_unit_test(test_sqlite_vectors),
		cmocka_unit_test(test_ways),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
