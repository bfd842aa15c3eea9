/* test_parser.c -- the SQL parser: what it accepts, what it refuses and how it says so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/memory.h"
#include "sql/lexer.h"
#include "sql/parser.h"
#include "sql/print.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define BUFFER_LIMIT ((size_t)64 << 20)

static Arena arena;

static int
setup(void **state)
{
	(void)state;
	arena_init(&arena, 0);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static Statement *
parse(const char *text)
{
	Statement *statement;
	Error err;

	if (sql_parse_statement(&arena, str_from(text), &statement, &err) != FERRIS_OK)
		fail_msg("%s\nline %u, column %u: %s", text, err.position.line, err.position.column,
			 err.message);
	return statement;
}

static Expr *
parse_expression(const char *text)
{
	Expr *expr;
	Error err;

	if (sql_parse_expression(&arena, str_from(text), &expr, &err) != FERRIS_OK)
		fail_msg("%s\nline %u, column %u: %s", text, err.position.line, err.position.column,
			 err.message);
	return expr;
}

static Str
print(const Statement *statement)
{
	Buffer out;

	buffer_init(&out, BUFFER_LIMIT);
	sql_print_statement(&out, statement);
	Str text = str_copy(&arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return text;
}

static void
assert_str(Str actual, const char *expected)
{
	assert_string_equal(str_copy(&arena, actual).data, expected);
}

static Str
read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = arena_alloc(&arena, 1 << 18);

	assert_non_null(file);
	size_t len = fread(text, 1, 1 << 18, file);
	fclose(file);
	return (Str){text, (uint32_t)len};
}

static char *
str_copy_text(Str text)
{
	return arena_copy(&arena, text.data, text.len);
}

/* ---------------------------------------------------------------- tables */

/* The next line that is neither a remark nor empty; NULL at the end, or at an empty line if `same`
 * group is asked for. */
static char *
next_line(char **rest, bool same)
{
	for (;;) {
		char *line = *rest;
		char *end = strchr(line, '\n');

		if (end == NULL)
			return NULL;
		if (line == end && same)
			return NULL;
		*end = '\0';
		*rest = end + 1;
		if (line != end && line[0] != '#')
			return line;
	}
}

/* \n becomes a new line. */
static char *
unescape(char *text)
{
	char *out = text;

	for (char *in = text; *in != '\0'; in++) {
		bool newline = in[0] == '\\' && in[1] == 'n';

		*out++ = newline ? '\n' : *in;
		in += newline;
	}
	*out = '\0';
	return text;
}

static void
test_accepted(void **state)
{
	char *rest = str_copy_text(read_file(SOURCE_DIR "/tests/unit/data/parser_accepted.txt"));
	unsigned count = 0;

	(void)state;
	for (char *text; (text = next_line(&rest, false)) != NULL; count++) {
		const char *printed = next_line(&rest, true);

		assert_non_null(printed);
		Str once = print(parse(unescape(text)));
		assert_str(once, printed);
		assert_str(print(parse(once.data)), printed);
	}
	assert_true(count >= 100);
}

static void
test_refused(void **state)
{
	char *rest = str_copy_text(read_file(SOURCE_DIR "/tests/unit/data/parser_refused.txt"));
	unsigned count = 0;

	(void)state;
	for (char *text; (text = next_line(&rest, false)) != NULL; count++) {
		const char *wanted = next_line(&rest, true);
		const char *hint = next_line(&rest, true);
		char message[600];
		Statement *statement;
		Error err;

		if (sql_parse_statement(&arena, str_from(unescape(text)), &statement, &err) ==
		    FERRIS_OK)
			fail_msg("accepted: %s", text);
		snprintf(message, sizeof message, "%u:%u+%u %s", err.position.line,
			 err.position.column, err.position.length, err.message);
		assert_string_equal(message, wanted);
		assert_string_equal(err.hint, hint != NULL ? hint + 2 : "");
	}
	assert_true(count >= 90);
}

static void
test_documents(void **state)
{
	static const struct {
		const char *path;
		uint32_t statements;
	} files[] = {
		{SOURCE_DIR "/tests/fuzz/corpus/sql/guide.sql", 8},
		{SOURCE_DIR "/tests/fuzz/corpus/sql/design.sql", 5},
		{SOURCE_DIR "/tests/fuzz/corpus/sql/all.sql", 3},
		{SOURCE_DIR "/tests/fuzz/corpus/sql/statements.sql", 27},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(files); i++) {
		Script *script;
		ErrorList errors;

		sql_parse_script(&arena, str_from(files[i].path), read_file(files[i].path), &script,
				 &errors);
		if (errors.count > 0)
			fail_msg("%s:%u:%u: %s", files[i].path, errors.items[0].position.line,
				 errors.items[0].position.column, errors.items[0].message);
		assert_int_equal(script->statement_count, files[i].statements);
	}
}

/* ---------------------------------------------------------------- the tree */

static void
test_expression_text(void **state)
{
	const Select *select =
		&parse("SELECT SUM(price * quantity), (a +\n b), -x, t . a, COUNT( * ) FROM t")
			 ->query->body->select;

	(void)state;
	assert_str(select->items[0].expr->text, "SUM(price * quantity)");
	assert_str(select->items[1].expr->text, "(a +\n b)");
	assert_str(select->items[2].expr->text, "-x");
	assert_str(select->items[3].expr->text, "t . a");
	assert_str(select->items[4].expr->text, "COUNT( * )");
	assert_int_equal(select->items[2].expr->position.line, 2);
	assert_int_equal(select->items[2].expr->position.column, 6);
	assert_int_equal(select->items[2].expr->position.length, 2);
	assert_int_equal(select->items[3].expr->column.count, 2);
}

static void
test_binary_position(void **state)
{
	const Expr *expr = parse_expression("price  *  quantity + 1");

	(void)state;
	assert_int_equal(expr->kind, EXPR_BINARY);
	assert_int_equal(expr->binary.op, BINARY_ADD);
	assert_int_equal(expr->binary.op_position.column, 20);
	assert_int_equal(expr->position.length, 22);
	assert_int_equal(expr->binary.left->binary.op, BINARY_MULTIPLY);
	assert_int_equal(expr->binary.left->position.length, 18);
	assert_int_equal(expr->depth, 3);
}

static void
test_names(void **state)
{
	const Expr *expr = parse_expression("Trades.\"Order\"");

	(void)state;
	assert_str(expr->column.items[0].text, "Trades");
	assert_false(expr->column.items[0].quoted);
	assert_str(expr->column.items[1].text, "Order");
	assert_true(expr->column.items[1].quoted);
	assert_str(parse_expression("'it''s'")->literal, "it's");
	assert_str(parse_expression("`a``b`")->column.items[0].text, "a`b");
}

static void
test_intervals(void **state)
{
	static const struct {
		const char *text;
		int64_t months, days, micros;
	} cases[] = {
		{"INTERVAL '5' MINUTE", 0, 0, 300000000},
		{"5m", 0, 0, 300000000},
		{"1.5h", 0, 0, 5400000000},
		{".5s", 0, 0, 500000},
		{"250ms", 0, 0, 250000},
		{"7us", 0, 0, 7},
		{"3000ns", 0, 0, 3},
		{"2w", 0, 14, 0},
		{"INTERVAL 3 QUARTERS", 9, 0, 0},
		{"INTERVAL '-1.5' YEAR", -18, 0, 0},
		{"INTERVAL -'1 day -2 hours'", 0, -1, 7200000000},
		{"INTERVAL '2 mon 3 d 04:05:06.000007'", 2, 3, 14706000007},
		{"INTERVAL '1-2' YEAR TO MONTH", 14, 0, 0},
		{"INTERVAL '1 02:03:04' DAY TO SECOND", 0, 1, 7384000000},
		{"INTERVAL '1h30m'", 0, 0, 5400000000},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const Expr *expr = parse_expression(cases[i].text);

		assert_int_equal(expr->kind, EXPR_INTERVAL);
		assert_int_equal(expr->interval.months, cases[i].months);
		assert_int_equal(expr->interval.days, cases[i].days);
		assert_int_equal(expr->interval.micros, cases[i].micros);
	}
}

/* Whose is WITH (...) behind a relation? */
static void
test_trailing_options(void **state)
{
	const Query *query;

	(void)state;
	query = parse("SELECT * FROM t WITH ('a' = 'b')")->query;
	assert_int_equal(query->options.count, 1);
	assert_int_equal(query->body->select.from->options.count, 0);
	query = parse("SELECT * FROM t WITH ('a' = 'b') WHERE x WITH ('c' = 'd', 'e' = 5)")->query;
	assert_int_equal(query->options.count, 2);
	assert_str(query->options.items[1].value, "5");
	assert_int_equal(query->options.items[1].kind, WITH_NUMBER);
	assert_int_equal(query->body->select.from->options.count, 1);
	query = parse("SELECT * FROM t JOIN u ON a = b\nWITH ('a' = 'b')")->query;
	assert_int_equal(query->options.count, 1);
	assert_int_equal(query->options.items[0].key_position.line, 2);
	assert_int_equal(query->options.items[0].key_position.column, 7);
	assert_int_equal(query->options.items[0].value_position.column, 13);
	query = parse("SELECT * FROM (SELECT * FROM t WITH ('a' = 'b')) AS s")->query;
	assert_int_equal(query->options.count, 0);
	assert_int_equal(query->body->select.from->query->body->select.from->options.count, 1);
}

static void
test_window_seconds(void **state)
{
	const Select *select =
		&parse("SELECT a FROM t WINDOW SLIDING(ts, 60, 1.5)")->query->body->select;

	(void)state;
	assert_int_equal(select->window.kind, WINDOW_SLIDING);
	assert_int_equal(select->window.time->kind, EXPR_COLUMN);
	assert_int_equal(select->window.size->interval.micros, 60000000);
	assert_int_equal(select->window.advance->interval.micros, 1500000);
}

/* ---------------------------------------------------------------- scripts */

static void
test_script_annotations(void **state)
{
	const char *text = "-- SQL Application: demo\n"
			   "-- Version: 1.2\n"
			   "-- just prose: not data\n"
			   "-- @job_mode: simple\n"
			   "\n"
			   "-- Name: first job\n"
			   "-- Property: a=b\n"
			   "-- @metric: trades_total\n"
			   "SELECT 1 -- @ignored: here\n"
			   ";\n"
			   "/* -- Name: no */\n"
			   "-- @batch_size: 100\n"
			   "\n"
			   "SELECT 2;\n"
			   "-- Author: me\n";
	Script *script;
	ErrorList errors;

	(void)state;
	assert_int_equal(sql_parse_script(&arena, STR("x.sql"), str_from(text), &script, &errors),
			 FERRIS_OK);
	assert_int_equal(script->statement_count, 2);
	assert_int_equal(script->metadata.count, 4);
	assert_str(script->metadata.items[0].key, "SQL Application");
	assert_str(script->metadata.items[0].value, "demo");
	assert_str(script->metadata.items[2].key, "@job_mode");
	assert_str(script->metadata.items[3].value, "me");
	const AnnotationList *first = &script->statements[0]->annotations;
	assert_int_equal(first->count, 3);
	assert_str(first->items[0].value, "first job");
	assert_str(first->items[1].value, "a=b");
	assert_str(first->items[2].key, "@metric");
	assert_int_equal(first->items[2].position.line, 8);
	assert_int_equal(script->statements[1]->annotations.count, 1);
	assert_str(script->statements[1]->annotations.items[0].value, "100");
	assert_str(script->statements[0]->text, "SELECT 1");
}

static void
test_script_errors(void **state)
{
	const char *text = ";;SELECT 1; SELECT FROM; SELECT 2;\nSELCT ';'; SELECT 3";
	Script *script;
	ErrorList errors;

	(void)state;
	assert_int_equal(sql_parse_script(&arena, STR("x.sql"), str_from(text), &script, &errors),
			 FERRIS_ERR_SYNTAX);
	assert_int_equal(script->statement_count, 3);
	assert_int_equal(errors.count, 2);
	assert_int_equal(errors.items[0].position.line, 1);
	assert_int_equal(errors.items[0].position.column, 20);
	assert_int_equal(errors.items[1].position.line, 2);
	assert_int_equal(errors.items[1].position.column, 1);
}

/* A file of rubbish does not fill the memory with errors. */
static void
test_script_error_limit(void **state)
{
	Buffer text;
	Script *script;
	ErrorList errors;

	(void)state;
	buffer_init(&text, BUFFER_LIMIT);
	for (int i = 0; i < 100000; i++)
		buffer_append(&text, "x;", 2);
	sql_parse_script(&arena, STR("x"), (Str){text.data, (uint32_t)text.len}, &script, &errors);
	assert_int_equal(errors.count, 100);
	buffer_free(&text);
}

/* ---------------------------------------------------------------- bytes */

static void
assert_refused(const char *text, size_t len, uint32_t line, uint32_t column, const char *message)
{
	Statement *statement;
	Error err;
	Str str = {text, (uint32_t)len};

	assert_int_equal(sql_parse_statement(&arena, str, &statement, &err), FERRIS_ERR_LEX);
	assert_string_equal(err.message, message);
	assert_int_equal(err.position.line, line);
	assert_int_equal(err.position.column, column);
}

#define ASSERT_REFUSED(text, line, column, message)                                                \
	assert_refused(text, sizeof(text) - 1, line, column, message)

static void
test_bad_bytes(void **state)
{
	(void)state;
	ASSERT_REFUSED("SELECT \0", 1, 8, "NUL byte in the SQL");
	ASSERT_REFUSED("SELECT 'a\0b'", 1, 10, "NUL byte in the SQL");
	ASSERT_REFUSED("SELECT 1\n -- \0", 2, 5, "NUL byte in the SQL");
	ASSERT_REFUSED("SELECT 'a\xFF'", 1, 10, "bytes that are not valid UTF-8");
	ASSERT_REFUSED("SELECT \"\xC3\"", 1, 9, "bytes that are not valid UTF-8");
	ASSERT_REFUSED("SELECT a\xC0\xAF", 1, 9, "bytes that are not valid UTF-8");
	ASSERT_REFUSED("SELECT /* \xED\xA0\x80 */ 1", 1, 11, "bytes that are not valid UTF-8");
	ASSERT_REFUSED("SELECT \x01", 1, 8, "control character 0x01 in the SQL");
	parse("\xEF\xBB\xBFSELECT größe, 'ü€😀' FROM \"täble\"");
}

static void
test_keyword_table(void **state)
{
	(void)state;
	for (unsigned k = 1; k < KEYWORD_COUNT; k++)
		assert_int_equal(keyword_find(keyword_name((Keyword)k)), k);
	assert_int_equal(keyword_find(STR("select")), KEYWORD_SELECT);
	assert_int_equal(keyword_find(STR("selec")), KEYWORD_NONE);
	assert_int_equal(keyword_find(STR("selects")), KEYWORD_NONE);
	assert_int_equal(keyword_find(STR("zzz")), KEYWORD_NONE);
	assert_int_equal(keyword_find(STR("")), KEYWORD_NONE);
}

/* ---------------------------------------------------------------- size */

/* `prefix`, `unit` repeated, `suffix` */
static Str
repeat(const char *prefix, const char *unit, unsigned count, const char *suffix)
{
	Buffer out;

	buffer_init(&out, BUFFER_LIMIT);
	if (prefix[0] != '\0')
		buffer_append_str(&out, str_from(prefix));
	for (unsigned i = 0; i < count; i++)
		buffer_append_str(&out, str_from(unit));
	buffer_append_str(&out, str_from(suffix));
	Str text = str_copy(&arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return text;
}

static void
test_nesting(void **state)
{
	static const struct {
		const char *prefix, *unit, *suffix;
	} cases[] = {
		{"SELECT ", "(", "1"},
		{"SELECT ", "NOT ", "a"},
		{"SELECT ", "- ", "a"},
		{"SELECT 1", " + 1", ""},
		{"SELECT a", "::INT", ""},
		{"SELECT a", "[1]", ""},
		{"SELECT f(a)", ".b", ""},
		{"SELECT a", " IS NULL", ""},
		{"SELECT ", "(SELECT ", "1"},
		{"SELECT * FROM ", "(SELECT * FROM ", "t"},
		{"SELECT * FROM ", "(", "t"},
		{"SELECT * FROM t", " CROSS JOIN t", ""},
		{"SELECT * FROM t", ", t", ""},
		{"SELECT 1", " UNION SELECT 1", ""},
		{"SELECT ", "CASE WHEN ", "a"},
		{"SELECT ", "f(", "a"},
		{"SELECT ", "ARRAY[", "a"},
		{"SELECT ", "CAST(", "a"},
		{"CREATE STREAM s (a ", "ARRAY<", "INT"},
		{"CREATE STREAM s (a INT", "[]", ")"},
		{"CREATE STREAM s (a ", "STRUCT<a ", "INT"},
		{"", "EXPLAIN ", "SELECT 1"},
		{"", "(", "SELECT 1"},
		{"WITH a AS ", "(WITH a AS ", ""},
		{"SELECT sum(x) OVER (ORDER BY ", "sum(x) OVER (ORDER BY ", "a"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = repeat(cases[i].prefix, cases[i].unit, 100000, cases[i].suffix);
		Statement *statement;
		Error err;

		if (sql_parse_statement(&arena, text, &statement, &err) != FERRIS_ERR_NESTING)
			fail_msg("'%s' repeated is not refused for its nesting", cases[i].unit);
		assert_true(err.hint[0] != '\0');
	}
}

/* What is long, but flat, has no limit. */
static void
test_long_lists(void **state)
{
	static const struct {
		const char *prefix, *unit, *suffix;
	} cases[] = {
		{"SELECT a", " AND a", ""},
		{"SELECT a", " OR a", ""},
		{"SELECT a IN (1", ", 1", ")"},
		{"SELECT 1", ", 1", ""},
		{"SELECT CASE ", "WHEN a THEN b ", "END"},
		{"VALUES (1)", ", (1)", ""},
		{"SELECT 'a", "''", "'"},
		{"SELECT 1", " -- x\n", ""},
		{"SELECT 1", " /* x */", ""},
		{"SELECT a", ".b", ""},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		Str text = repeat(cases[i].prefix, cases[i].unit, 100000, cases[i].suffix);

		print(parse(text.data));
	}
}

static void
test_depth_within_limit(void **state)
{
	/* The query is the level above its expressions. */
	Statement *statement = parse(repeat("SELECT 1", " + 1", SQL_MAX_DEPTH - 2, "").data);

	(void)state;
	assert_int_equal(statement->query->depth, SQL_MAX_DEPTH);
	assert_int_equal(statement->query->body->select.items[0].expr->depth, SQL_MAX_DEPTH - 1);
	assert_int_equal(parse_expression("(SELECT a + b + c)")->depth, 5);
}

/* A statement cut off at any byte, and with any one byte changed: an error or a tree, no crash. */
static void
test_truncation_and_damage(void **state)
{
	static const char *const files[] = {
		SOURCE_DIR "/tests/fuzz/corpus/sql/all.sql",
		SOURCE_DIR "/tests/fuzz/corpus/sql/statements.sql",
	};
	static const char bytes[] = {'\0', '\'', '"', '(', ')', '\xFF', '.', '5', ' '};
	Arena scratch;

	(void)state;
	arena_init(&scratch, 0);
	for (size_t f = 0; f < COUNT(files); f++) {
		Str text = read_file(files[f]);
		char *copy = memory_alloc(text.len);
		Script *script;
		ErrorList errors;

		for (uint32_t i = 0; i < text.len; i++) {
			/* an exact copy, so that reading behind the end is noticed */
			char *cut = memory_alloc(i + 1);
			memcpy(cut, text.data, i);
			sql_parse_script(&scratch, STR("cut"), (Str){cut, i}, &script, &errors);
			memory_free(cut);
			memcpy(copy, text.data, text.len);
			copy[i] = bytes[i % sizeof bytes];
			sql_parse_script(&scratch, STR("damaged"), (Str){copy, text.len}, &script,
					 &errors);
			arena_reset(&scratch);
		}
		memory_free(copy);
	}
	arena_free(&scratch);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_expression_text),
		cmocka_unit_test(test_binary_position),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_trailing_options),
		cmocka_unit_test(test_window_seconds),
		cmocka_unit_test(test_script_annotations),
		cmocka_unit_test(test_script_errors),
		cmocka_unit_test(test_script_error_limit),
		cmocka_unit_test(test_bad_bytes),
		cmocka_unit_test(test_keyword_table),
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_long_lists),
		cmocka_unit_test(test_depth_within_limit),
		cmocka_unit_test(test_truncation_and_damage),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
