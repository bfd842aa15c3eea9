/* tests/unit/test_function.c -- the list of functions itself, and how a call finds its row.
 *
 * Everything here is driven by func/scalar_list.h: a new row is tested for its arity, its NULLs and
 * its documentation without a line in this file. */
#include "func_helper.h"

static Fixture fixture;

#define ARGS_MAX 8
#define VARIANTS 8

/* Arguments that fit a word of a pattern; several, because functions want more than a type. */
static BoundExpr *
sample(Str word, uint32_t variant)
{
	static const struct {
		const char *word;
		const char *values[VARIANTS];
	} samples[] = {
		{"BOOLEAN", {"true", "false"}},
		{"INTEGER", {"1", "2", "16", "0"}},
		{"BIGINT", {"big:3", "big:1"}},
		{"DOUBLE", {"dbl:0.5", "dbl:1", "dbl:2"}},
		{"DECIMAL", {"1.50", "2.00"}},
		{"EXACT", {"1.50", "2.00"}},
		{"NUMBER", {"2", "1.50"}},
		{"STRING", {"'a'", "'DAY'", "'2024'", "'61'", "'%Y'", "'i'", "'DOWN'", "'UTC'"}},
		{"TEXT", {"'a'", "12"}},
		{"ANY", {"1", "'a'", "1.50"}},
		{"T", {"1", "2"}},
		{"BYTES", {"'ab' cast:BYTES", "'c' cast:BYTES"}},
		{"JSON", {"'{\"a\":1}' cast:JSON", "'[1]' cast:JSON"}},
		{"DATE", {"date:2024-01-31"}},
		{"TIME", {"time:10:00:00"}},
		{"TIMESTAMP", {"ts:2024-01-31T10:00:00Z"}},
		{"INTERVAL", {"iv:P1D"}},
		{"ARRAY", {"1 2 ARRAY/2"}},
	};

	if (str_eq(word, STR("MAP")))
		return bound_constant(
			&fixture.arena,
			value_null(type_map(&fixture.arena, TYPE_OF(STRING), TYPE_OF(INTEGER))),
			(Position){1, 1, 1});
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		if (!str_eq(word, str_from(samples[i].word)))
			continue;
		uint32_t count = 1;
		while (count < VARIANTS && samples[i].values[count] != NULL)
			count++;
		BoundExpr *expr = helper_parse(&fixture, samples[i].values[variant % count]);
		assert_non_null(expr);
		return expr;
	}
	fail_msg("no sample for the word %.*s", STR_ARG(word));
	return NULL;
}

typedef struct Pattern {
	Str words[ARGS_MAX];
	uint32_t min, max;
	bool open; /* any number more */
} Pattern;

static Pattern
parse_pattern(const char *text)
{
	Pattern pattern = {.min = 0};

	while (*(text += strspn(text, " ")) != '\0') {
		uint32_t len = (uint32_t)strcspn(text, " ");
		char mark = text[len - 1];
		bool marked = mark == '?' || mark == '*' || mark == '+';

		assert_true(pattern.max < ARGS_MAX);
		pattern.words[pattern.max++] = (Str){text, len - marked};
		if (mark != '?' && mark != '*')
			pattern.min = pattern.max;
		pattern.open |= mark == '*' || mark == '+';
		text += len;
	}
	return pattern;
}

static Str
first_name(const ScalarFunction *row)
{
	return function_name(row);
}

static Status
call(Str name, BoundExpr **args, uint32_t count, BoundExpr **out)
{
	return function_bind(&fixture.arena, name, args, count, (Position){1, 1, 1}, out,
			     &fixture.err);
}

/* A call of the row that can be planned, trying the samples in turn; NULL if there is none. */
static BoundExpr *
sample_call(const ScalarFunction *row, const Pattern *pattern, uint32_t count, BoundExpr **args)
{
	for (uint32_t attempt = 0; attempt < VARIANTS * VARIANTS * VARIANTS * VARIANTS; attempt++) {
		BoundExpr *out;
		Program *program;
		uint32_t digits = attempt;

		for (uint32_t i = 0; i < count; i++) {
			args[i] = sample(pattern->words[i], digits % VARIANTS);
			digits /= VARIANTS;
		}
		if (call(first_name(row), args, count, &out) != FERRIS_OK)
			continue;
		if (program_compile(&fixture.arena, &out, 1, &program, &fixture.err) != FERRIS_OK)
			continue;
		program_free(program);
		return out;
	}
	return NULL;
}

static bool
is_null_result(BoundExpr *expr)
{
	const Vector *result;
	Program *program;
	bool null;

	assert_int_equal(program_compile(&fixture.arena, &expr, 1, &program, &fixture.err),
			 FERRIS_OK);
	Batch *batch = batch_new(NULL, NULL, 0);
	batch_reset(batch);
	batch->row_count = 3;
	memset(batch->records, 0, 3 * sizeof(RecordRange));
	batch_select_all(batch);
	program_run(program, batch, NULL, &result);
	assert_int_equal(batch->error_count, 0);
	null = vector_is_null(result, 0) && vector_is_null(result, 2);
	batch_destroy(batch);
	program_free(program);
	return null;
}

/* NULL for one argument after the other: what is STRICT gives NULL, whatever the rest. */
static uint32_t
check_strict(const ScalarFunction *row, BoundExpr **args, uint32_t count)
{
	uint32_t checked = 0;

	for (uint32_t k = 0; k < count; k++) {
		BoundExpr *with_null[ARGS_MAX], *out;
		Program *program;

		memcpy(with_null, args, sizeof with_null);
		with_null[k] = bound_constant(&fixture.arena, value_null(args[k]->type),
					      (Position){1, 1, 1});
		if (call(first_name(row), with_null, count, &out) != FERRIS_OK)
			fail_msg("%s with NULL: %s", row->name, fixture.err.message);
		if (out->kind != BOUND_CALL || !(out->function->flags & SCALAR_STRICT))
			continue;
		if (program_compile(&fixture.arena, &out, 1, &program, &fixture.err) != FERRIS_OK)
			continue; /* it must be a constant that is known */
		program_free(program);
		if (!is_null_result(out))
			fail_msg("%s is STRICT, but argument %u NULL gives a value", row->name,
				 k + 1);
		checked++;
	}
	return checked;
}

static void
test_every_row(void **state)
{
	uint32_t rows = 0, checked = 0;
	const ScalarFunction *row;

	(void)state;
	for (size_t i = 0; (row = function_row(i)) != NULL; i++, rows++) {
		Pattern pattern = parse_pattern(row->arguments);
		BoundExpr *args[ARGS_MAX];

		for (uint32_t count = pattern.min; count <= pattern.max; count++) {
			/* What is repeated there is a key and its value. */
			if (strcmp(row->name, "MAP") == 0 && count % 2 != 0)
				continue;
			BoundExpr *out = sample_call(row, &pattern, count, args);

			if (out == NULL)
				fail_msg("%s(%s) with %u arguments: %s", row->name, row->arguments,
					 count, fixture.err.message);
			assert_non_null(out->type);
			assert_true(bound_text(&fixture.arena, out).len > 0);
			checked += check_strict(row, args, count);
		}
	}
	assert_true(rows > 150 && checked > 150);
	print_message("%u rows, %u strict arguments\n", rows, checked);
}

/* One argument too few, or too many, is refused with the signature, unless another row takes it. */
static void
test_every_arity(void **state)
{
	uint32_t refused = 0;
	const ScalarFunction *row;

	(void)state;
	for (size_t i = 0; (row = function_row(i)) != NULL; i++) {
		Pattern pattern = parse_pattern(row->arguments);
		BoundExpr *args[ARGS_MAX + 1], *out;
		uint32_t counts[2] = {pattern.min > 0 ? pattern.min - 1 : UINT32_MAX,
				      pattern.open ? UINT32_MAX : pattern.max + 1};

		for (uint32_t k = 0; k <= pattern.max; k++)
			args[k] = sample(k < pattern.max ? pattern.words[k] : STR("STRING"), 0);
		for (int k = 0; k < 2; k++) {
			if (counts[k] == UINT32_MAX ||
			    call(first_name(row), args, counts[k], &out) == FERRIS_OK)
				continue;
			assert_true(fixture.err.status == FERRIS_ERR_ARGUMENTS ||
				    fixture.err.status == FERRIS_ERR_TYPE);
			if (fixture.err.status == FERRIS_ERR_ARGUMENTS &&
			    fixture.err.hint[0] == '\0')
				fail_msg("%s: no hint for %u arguments", row->name, counts[k]);
			refused++;
		}
	}
	assert_true(refused > 100);
}

static void
test_documentation(void **state)
{
	const FunctionDoc *doc;
	size_t count = 0;

	(void)state;
	for (; (doc = function_doc(count)) != NULL; count++) {
		const ScalarFunction *row = function_row(count);
		Str name = first_name(row);

		assert_non_null(row);
		assert_true(strlen(doc->doc) > 3 && doc->doc[strlen(doc->doc) - 1] == '.');
		assert_true(strlen(doc->category) > 0 && strlen(doc->signature) > 0);
		if (row->flags & SCALAR_OPERATOR) {
			assert_false(function_exists(name));
			continue;
		}
		assert_true(function_exists(name));
		if (strncasecmp(doc->signature, name.data, name.len) != 0 &&
		    strstr(row->name, doc->signature) == NULL &&
		    strchr(doc->signature, '(') == NULL)
			fail_msg("%s: signature %s", row->name, doc->signature);
		for (const char *p = row->name; *p != '\0'; p++)
			assert_false(*p >= 'a' && *p <= 'z');
	}
	assert_null(function_row(count));
}

static void
test_names_and_errors(void **state)
{
	BoundExpr *args[3], *out;

	(void)state;
	args[0] = helper_parse(&fixture, "1");
	args[1] = helper_parse(&fixture, "'x'");
	args[2] = helper_parse(&fixture, "date:2024-01-31");
	assert_int_equal(call(STR("coalese"), args, 1, &out), FERRIS_ERR_UNKNOWN_FUNCTION);
	assert_string_equal(fixture.err.message, "unknown function 'coalese'");
	assert_string_equal(fixture.err.hint, "did you mean 'COALESCE'?");
	assert_int_equal(fixture.err.position.line, 1);
	args[0] = helper_parse(&fixture, "true");
	assert_int_equal(call(STR("+"), args, 2, &out), FERRIS_ERR_TYPE);
	assert_string_equal(fixture.err.message,
			    "the operator + does not exist for BOOLEAN, STRING");
	args[0] = helper_parse(&fixture, "1");
	assert_int_equal(call(STR("if"), args, 2, &out), FERRIS_ERR_ARGUMENTS);
	assert_string_equal(fixture.err.hint, "it is called as IF(condition, a, b)");
	assert_int_equal(call(STR("coalesce"), args, 2, &out), FERRIS_ERR_TYPE);
	assert_non_null(
		strstr(fixture.err.message, "coalesce does not exist for (INTEGER, STRING)"));
	assert_int_equal(call(STR("Coalesce"), args, 1, &out), FERRIS_OK);
	assert_int_equal(out->kind, BOUND_COALESCE);
	assert_int_equal(call(STR("||"), args, 2, &out), FERRIS_OK);
	assert_string_equal(bound_text(&fixture.arena, out).data, "1 || 'x'");
}

/* The row that needs the least conversion. */
static void
test_overloads(void **state)
{
	static const struct {
		const char *expr, *type;
	} cases[] = {
		{"1 2 +", "INTEGER"},
		{"1 big:2 +", "BIGINT"},
		{"1 1.5 +", "DECIMAL(3,1)"},
		{"1.5 dbl:1 +", "DOUBLE"},
		{"1 dbl:1 +", "DOUBLE"},
		{"1 1.5 *", "DECIMAL(3,1)"},
		{"null 1 +", "INTEGER"},
		{"null 1.5 +", "DECIMAL(20,1)"},
		{"null null +", "INTEGER"},
		{"date:2024-01-31 1 +", "DATE"},
		{"date:2024-01-31 iv:P1D +", "TIMESTAMP"},
		{"date:2024-01-31 date:2024-01-31 -", "INTEGER"},
		{"date:2024-01-31 ts:2024-01-31 -", "INTERVAL"},
		{"1 1.5 =", "BOOLEAN"},
		{"1 null =", "BOOLEAN"},
		{"1 1.50 coalesce/2", "DECIMAL(12,2)"},
		{"true 1 dbl:2 IF/3", "DOUBLE"},
		{"1 big:9223372036854775807 +", "BIGINT"},
		{"'a' 1.5 ||", "STRING"},
		{"ts:2024-01-31 '2024-01-31' =", "BOOLEAN"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		BoundExpr *expr = helper_parse(&fixture, cases[i].expr);

		if (expr == NULL)
			fail_msg("%s: %s", cases[i].expr, fixture.err.message);
		if (!str_eq(type_text(&fixture.arena, expr->type), str_from(cases[i].type)))
			fail_msg("%s is %s, not %s", cases[i].expr,
				 type_text(&fixture.arena, expr->type).data, cases[i].type);
	}
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
		cmocka_unit_test(test_every_row),     cmocka_unit_test(test_every_arity),
		cmocka_unit_test(test_documentation), cmocka_unit_test(test_names_and_errors),
		cmocka_unit_test(test_overloads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
