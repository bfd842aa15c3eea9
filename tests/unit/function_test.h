/* tests/unit/function_test.h -- tables of calls of scalar functions with their expected results.
 *
 * A case is a name, its arguments as text and the result as text:
 *
 *     {"SUBSTRING", "s:hello | i:2 | i:3", "ell", NULL}
 *
 * Arguments are separated by " | ": i:1 INTEGER, l:1 BIGINT, y:1 TINYINT, d:1.50 DECIMAL(3,2),
 * d(18,4):1.5, f:0.5 DOUBLE, s:text STRING (with \n, \t, \\, \| and \xHH), x:00FF BYTES,
 * b:true BOOLEAN, D:2023-11-14 DATE, T:12:00 TIME, t:2023-11-14T00:00:00Z TIMESTAMP,
 * v:P1D INTERVAL, a:1,2,NULL ARRAY<INTEGER>, as:x,y ARRAY<STRING>, n NULL, and ns, ni, nd, nf, nt:
 * NULL of that type.  A leading = keeps an argument constant where the others are columns.
 *
 * The result is the value's text; NULL; row:NAME for a row that fails with FERRIS_ERR_NAME; or
 * bind:NAME for a call that is refused when it is bound or planned.  A type, if given, is that of
 * the result.
 *
 * Every case runs three times: with constants, folded; with columns, on all rows; and with columns
 * on some of the rows, between rows whose arguments are NULL.  All must give the same. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "func/function.h"
#include "func/kernel.h"
#include "func/program.h"
#include "type/number.h"

#define CASE_ARGS_MAX 8
#define CASE_ROWS 7

typedef struct FunctionCase {
	const char *name;
	const char *args;
	const char *want;
	const char *type; /* or NULL */
} FunctionCase;

/* ---- results as text ---- */

static inline void
print_hex(Buffer *out, Str bytes)
{
	for (uint32_t i = 0; i < bytes.len; i++)
		buffer_printf(out, "%02X", (unsigned char)bytes.data[i]);
}

static inline void
print_value(Buffer *out, const Vector *v, uint32_t row)
{
	char text[128];
	char *end = text;
	uint32_t at = v->constant ? 0 : row;

	if (vector_is_null(v, row)) {
		buffer_append_str(out, STR("NULL"));
		return;
	}
	if (v->type->kind == TYPE_ARRAY) {
		ListEntry list = VECTOR_DATA(v, const ListEntry)[at];
		buffer_append_char(out, '[');
		for (uint32_t i = 0; i < list.len; i++) {
			if (i > 0)
				buffer_append_char(out, ',');
			print_value(out, &v->children[0], list.offset + i);
		}
		buffer_append_char(out, ']');
		return;
	}
	Value value = value_from_vector(v, row);
	switch (v->type->kind) {
	case TYPE_BOOLEAN:
		buffer_append_str(out, value.boolean ? STR("true") : STR("false"));
		break;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		end = double_print(text, value.real);
		break;
	case TYPE_DECIMAL:
		end = type_physical(v->type) == PHYSICAL_INT128
		              ? decimal_print128(text, value.int128, v->type->scale)
		              : decimal_print64(text, value.int64, v->type->scale);
		break;
	case TYPE_STRING:
	case TYPE_JSON:
		if (value.text.len > 0)
			buffer_append_str(out, value.text);
		break;
	case TYPE_BYTES:
		print_hex(out, value.text);
		break;
	case TYPE_DATE:
		end = date_print(text, (int32_t)value.int64);
		break;
	case TYPE_TIME:
		end = time_print(text, value.int64);
		break;
	case TYPE_TIMESTAMP:
		end = timestamp_print(text, value.int64);
		break;
	case TYPE_INTERVAL:
		end = interval_print(text, value.interval);
		break;
	default:
		end = int64_print(text, value.int64);
	}
	if (end > text)
		buffer_append(out, text, (size_t)(end - text));
}

/* ---- arguments from text ---- */

static inline Str
unescape(Arena *arena, Str s)
{
	char *out = arena_alloc(arena, s.len + 1);
	uint32_t used = 0;

	for (uint32_t i = 0; i < s.len; i++) {
		if (s.data[i] != '\\' || i + 1 == s.len) {
			out[used++] = s.data[i];
			continue;
		}
		char c = s.data[++i];
		if (c == 'x') {
			char digits[3] = {s.data[i + 1], s.data[i + 2], '\0'};
			out[used++] = (char)strtoul(digits, NULL, 16);
			i += 2;
		} else {
			out[used++] = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
	}
	return (Str){out, used};
}

static inline Value
parse_decimal_argument(Arena *arena, Str tag, Str text)
{
	int precision = 0, scale = 0;
	bool point = false;

	if (tag.len > 1) {
		assert_int_equal(sscanf(tag.data, "d(%d,%d)", &precision, &scale), 2);
	} else {
		for (uint32_t i = 0; i < text.len; i++) {
			point |= text.data[i] == '.';
			precision += text.data[i] >= '0' && text.data[i] <= '9';
			scale += point && text.data[i] != '.';
		}
	}
	Value value = {.type = type_decimal(arena, precision, scale)};
	Int128 v;
	assert_int_equal(decimal_parse(text.data, text.len, precision, scale, ROUND_EXACT, &v), 0);
	if (type_physical(value.type) == PHYSICAL_INT128)
		value.int128 = v;
	else
		value.int64 = (int64_t)v;
	return value;
}

static inline Value
parse_scalar_argument(Arena *arena, Str tag, Str text)
{
	Value value = {0};
	int result = 0;
	int32_t date = 0;

	switch (tag.data[0]) {
	case 'i':
	case 'l':
	case 'y':
		value.type = tag.data[0] == 'i' ? TYPE_OF(INTEGER)
		             : tag.data[0] == 'l' ? TYPE_OF(BIGINT) : TYPE_OF(TINYINT);
		result = int64_parse(text.data, text.len, &value.int64);
		break;
	case 'd':
		return parse_decimal_argument(arena, tag, text);
	case 'f':
		value.type = TYPE_OF(DOUBLE);
		result = double_parse(text.data, text.len, &value.real);
		break;
	case 's':
		value.type = TYPE_OF(STRING);
		value.text = unescape(arena, text);
		break;
	case 'x': {
		char *bytes = arena_alloc(arena, text.len / 2 + 1);
		for (uint32_t i = 0; i + 1 < text.len; i += 2) {
			char digits[3] = {text.data[i], text.data[i + 1], '\0'};
			bytes[i / 2] = (char)strtoul(digits, NULL, 16);
		}
		value.type = TYPE_OF(BYTES);
		value.text = (Str){bytes, text.len / 2};
		break;
	}
	case 'b':
		value.type = TYPE_OF(BOOLEAN);
		value.boolean = text.data[0] == 't';
		break;
	case 'D':
		value.type = TYPE_OF(DATE);
		result = date_parse(text.data, text.len, &date);
		value.int64 = date;
		break;
	case 'T':
		value.type = TYPE_OF(TIME);
		result = time_parse(text.data, text.len, &value.int64);
		break;
	case 't':
		value.type = TYPE_OF(TIMESTAMP);
		result = timestamp_parse(text.data, text.len, &value.int64);
		break;
	case 'v':
		value.type = TYPE_OF(INTERVAL);
		result = interval_parse_text(text.data, text.len, &value.interval);
		break;
	default:
		fail_msg("no such kind of argument: %.*s", STR_ARG(tag));
	}
	if (result != 0)
		fail_msg("not a value: %.*s:%.*s", STR_ARG(tag), STR_ARG(text));
	return value;
}

static inline const Type *
null_type(Str text)
{
	switch (text.len > 1 ? text.data[1] : 0) {
	case 's': return TYPE_OF(STRING);
	case 'i': return TYPE_OF(INTEGER);
	case 'f': return TYPE_OF(DOUBLE);
	case 't': return TYPE_OF(TIMESTAMP);
	case 'b': return TYPE_OF(BOOLEAN);
	default: return TYPE_OF(NULL);
	}
}

/* One argument; a column of the batch if `column` is not UINT32_MAX and it may be one. */
typedef struct CaseArgs {
	BoundExpr *exprs[CASE_ARGS_MAX];
	Value values[CASE_ARGS_MAX]; /* of the columns */
	Field fields[CASE_ARGS_MAX];
	uint32_t count;
	uint32_t columns;
} CaseArgs;

static inline BoundExpr *
parse_array_argument(Arena *arena, Str tag, Str text)
{
	BoundExpr *elements[64];
	BoundExpr *array;
	uint32_t count = 0;
	Error err = {0};

	while (text.len > 0) {
		const char *comma = memchr(text.data, ',', text.len);
		Str one = {text.data, comma != NULL ? (uint32_t)(comma - text.data) : text.len};
		const Type *type = tag.len > 1 ? TYPE_OF(STRING) : TYPE_OF(INTEGER);
		Value value = value_null(type);
		if (!str_eq(one, STR("NULL")))
			value = parse_scalar_argument(arena, tag.len > 1 ? STR("s") : STR("i"),
			                              one);
		elements[count++] = bound_constant(arena, value, (Position){0});
		text = str_skip(text, one.len + (comma != NULL));
	}
	if (function_bind(arena, STR("ARRAY"), elements, count, (Position){0}, &array, &err) !=
	    FERRIS_OK)
		fail_msg("%s", err.message);
	return array;
}

static inline void
parse_argument(Arena *arena, Str text, bool columns, CaseArgs *args)
{
	uint32_t i = args->count++;
	bool constant = text.data[0] == '=';

	text = str_skip(text, constant);
	const char *colon = memchr(text.data, ':', text.len);
	if (text.data[0] == 'a') {
		Str tag = {text.data, (uint32_t)(colon - text.data)};
		args->exprs[i] = parse_array_argument(arena, tag, str_skip(text, tag.len + 1));
		return;
	}
	Value value;
	if (text.data[0] == 'n') {
		value = value_null(null_type(text));
	} else {
		assert_non_null(colon);
		Str tag = {text.data, (uint32_t)(colon - text.data)};
		value = parse_scalar_argument(arena, tag, str_skip(text, tag.len + 1));
	}
	if (constant || !columns || value.type->kind == TYPE_NULL) {
		args->exprs[i] = bound_constant(arena, value, (Position){1, i + 1, 1});
		return;
	}
	uint32_t column = args->columns++;
	args->values[column] = value;
	args->fields[column] = (Field){.name = STR("c"), .type = value.type};
	args->exprs[i] = bound_column(arena, column, value.type, STR("c"), (Position){1, i + 1, 1});
}

static inline CaseArgs
parse_arguments(Arena *arena, const char *text, bool columns)
{
	CaseArgs args = {0};

	while (*text != '\0') {
		const char *end = strstr(text, " | ");
		size_t len = end != NULL ? (size_t)(end - text) : strlen(text);
		assert_true(args.count < CASE_ARGS_MAX);
		parse_argument(arena, (Str){text, (uint32_t)len}, columns, &args);
		text += len + (end != NULL ? 3 : 0);
	}
	return args;
}

/* ---- running a case ---- */

static inline bool
report(const FunctionCase *c, const char *mode, const char *got)
{
	if (strcmp(c->want, got) == 0)
		return true;
	printf("%s(%s), %s: got %s, not %s\n", c->name, c->args, mode, got, c->want);
	return false;
}

static inline bool
report_error(const FunctionCase *c, const char *mode, const char *kind, const Error *err)
{
	char got[700];

	snprintf(got, sizeof got, "%s:%s", kind, error_info(err->status)->name);
	if (strcmp(c->want, got) == 0) {
		assert_true(err->message[0] != '\0');
		return true;
	}
	printf("%s(%s), %s: got %s (%s), not %s\n", c->name, c->args, mode, got, err->message,
	       c->want);
	return false;
}

/* Column values in the rows of `used`; all other rows are NULL (odd) or whatever was there. */
static inline Batch *
case_batch(const CaseArgs *args, bool sparse)
{
	Batch *batch = batch_new(args->fields, NULL, args->columns);

	batch_reset(batch);
	batch->row_count = CASE_ROWS;
	for (uint32_t r = 0; r < CASE_ROWS; r++) {
		batch->records[r] = (RecordRange){0};
		for (uint32_t k = 0; k < args->columns; k++) {
			Value value = args->values[k];
			if (sparse && r % 3 == 1)
				value = value_null(value.type);
			value_to_vector(&value, &batch->columns[k], r);
		}
	}
	batch_select_all(batch);
	if (sparse) { /* rows 0 1 3 4 6 */
		batch->sel_count = 0;
		for (uint16_t r = 0; r < CASE_ROWS; r++)
			if (r % 3 != 2)
				batch->sel[batch->sel_count++] = r;
		batch->dense = false;
	}
	return batch;
}

static inline bool
check_rows(const FunctionCase *c, const CaseArgs *args, const Batch *batch, const Vector *result,
           bool sparse, bool strict)
{
	const char *mode = sparse ? "some rows" : "all rows";
	Buffer text;
	bool good = true;
	bool fails = strncmp(c->want, "row:", 4) == 0;

	buffer_init(&text, 1 << 26);
	for (uint32_t r = 0; r < CASE_ROWS && good; r++) {
		bool nulls = sparse && r % 3 == 1 && args->columns > 0;
		if ((sparse && r % 3 == 2) || (nulls && !strict))
			continue;
		if (fails && !nulls) /* rows that failed are not selected any more */
			continue;
		buffer_reset(&text);
		print_value(&text, result, r);
		buffer_append_char(&text, '\0');
		if (nulls) {
			good = strcmp(text.data, "NULL") == 0;
			if (!good)
				printf("%s(%s): NULL arguments give %s\n", c->name, c->args,
				       text.data);
		} else {
			good = report(c, mode, text.data);
		}
	}
	buffer_free(&text);
	for (uint32_t i = 0; i < batch->error_count && good; i++) {
		Error err = {.status = batch->errors[i].status};
		snprintf(err.message, sizeof err.message, "%.*s",
		         STR_ARG(batch->errors[i].message));
		good = report_error(c, mode, "row", &err);
	}
	if (good && fails && batch->error_count == 0) {
		printf("%s(%s), %s: no row failed, not %s\n", c->name, c->args, mode, c->want);
		good = false;
	}
	return good;
}

/* Binds, or reports; *done says that there is nothing to run. */
static inline bool
bind_case(Arena *arena, const FunctionCase *c, CaseArgs *args, BoundExpr **out, bool *done)
{
	Error err = {0};

	*done = true;
	if (function_bind(arena, str_from(c->name), args->exprs, args->count, (Position){1, 1, 1},
	                  out, &err) != FERRIS_OK)
		return report_error(c, "bind", "bind", &err);
	if (c->type != NULL && strcmp(type_text(arena, (*out)->type).data, c->type) != 0) {
		printf("%s(%s): the type is %s, not %s\n", c->name, c->args,
		       type_text(arena, (*out)->type).data, c->type);
		return false;
	}
	*done = false;
	return true;
}

static inline bool
run_columns(Arena *arena, const FunctionCase *c, bool sparse)
{
	CaseArgs args = parse_arguments(arena, c->args, true);
	BoundExpr *expr;
	bool done;
	Error err = {0};
	Program *program;
	const Vector *result;

	bool bound = bind_case(arena, c, &args, &expr, &done);
	if (done)
		return bound;
	if (program_compile(arena, &expr, 1, &program, &err) != FERRIS_OK)
		return report_error(c, "columns", "bind", &err);
	Batch *batch = case_batch(&args, sparse);
	bool strict = expr->kind == BOUND_CALL && (expr->function->flags & SCALAR_STRICT);
	bool good = true;
	/* Twice: nothing of the first run may be left in the registers. */
	for (int run = 0; run < 2 && good; run++) {
		program_run(program, batch, NULL, &result);
		good = check_rows(c, &args, batch, result, sparse, strict);
		batch->error_count = 0;
		batch_destroy(batch);
		batch = case_batch(&args, sparse);
	}
	batch_destroy(batch);
	program_free(program);
	return good;
}

static inline bool
run_constants(Arena *arena, const FunctionCase *c)
{
	CaseArgs args = parse_arguments(arena, c->args, false);
	BoundExpr *expr;
	bool done;
	Error err = {0};

	bool bound = bind_case(arena, c, &args, &expr, &done);
	if (done)
		return bound;
	if (bound_fold(arena, expr, &expr, &err) != FERRIS_OK) {
		if (err.status != FERRIS_ERR_CONSTANT)
			return report_error(c, "constants", "bind", &err);
		if (strncmp(c->want, "row:", 4) == 0)
			return true;
		printf("%s(%s), constants: failed: %s\n", c->name, c->args, err.message);
		return false;
	}
	if (expr->kind != BOUND_CONSTANT)
		return true; /* arrays are not folded */
	Vector vector;
	Buffer text;
	vector_init(&vector, expr->type, FORM_VALUE, 1);
	value_to_vector(&expr->constant, &vector, 0);
	buffer_init(&text, 1 << 26);
	print_value(&text, &vector, 0);
	buffer_append_char(&text, '\0');
	bool good = report(c, "constants", text.data);
	buffer_free(&text);
	vector_free(&vector);
	return good;
}

static inline bool
run_case(const FunctionCase *c)
{
	Arena arena;
	bool good;

	arena_init(&arena, 0);
	good = run_constants(&arena, c);
	good = run_columns(&arena, c, false) && good;
	good = run_columns(&arena, c, true) && good;
	arena_free(&arena);
	return good;
}

static inline void
run_cases(const FunctionCase *cases, size_t count)
{
	int failed = 0;

	for (size_t i = 0; i < count; i++)
		failed += !run_case(&cases[i]);
	assert_int_equal(failed, 0);
}

/* A file of cases: name, arguments, result and type (or nothing), separated by tabs. */
static inline void
run_case_file(const char *path)
{
	char line[4096];
	int failed = 0, done = 0;
	FILE *in = fopen(path, "r");

	if (in == NULL)
		fail_msg("cannot read %s", path);
	while (fgets(line, sizeof line, in) != NULL) {
		char *fields[4] = {line};
		size_t count = 1;
		line[strcspn(line, "\n")] = '\0';
		if (line[0] == '#' || line[0] == '\0')
			continue;
		for (char *p = line; count < 4 && (p = strchr(p, '\t')) != NULL; count++) {
			*p++ = '\0';
			fields[count] = p;
		}
		assert_true(count >= 3);
		FunctionCase c = {fields[0], fields[1], fields[2], fields[3]};
		failed += !run_case(&c);
		done++;
	}
	fclose(in);
	printf("%d cases of %s\n", done, path);
	assert_true(done > 0);
	assert_int_equal(failed, 0);
}
