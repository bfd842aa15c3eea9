/* tests/unit/func_helper.h -- small batches and expressions for the tests of func/.
 *
 * Expressions are written in postfix notation, one word per node: "c0 c1 + 5 <".
 *   c3       column 3 of the batch           5  -7       INTEGER
 *   1.50     DECIMAL                         'text'      STRING (no blanks inside; ~ is a blank)
 *   null true false                          date:2024-01-31 ts:2024-01-31T10:00:00Z iv:P1D
 *   NAME/n   call with n arguments           + - * / % = <> < <= > >= ||  with two
 *   and/n or/n case/n coalesce/n try/1       cast:TYPE trycast:TYPE implicit:TYPE */
#pragma once

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "func/function.h"
#include "func/kernel.h"
#include "func/program.h"
#include "type/number.h"

typedef struct Fixture {
	Arena arena;
	Error err;
	Batch *batch;
	const Field *columns;
	uint32_t column_count;
} Fixture;

#define STACK_MAX 256
#define WORD_MAX  128

static inline void
fixture_open(Fixture *f, const Field *columns, uint32_t count)
{
	*f = (Fixture){.columns = columns, .column_count = count};
	arena_init(&f->arena, 0);
	f->batch = batch_new(columns, NULL, count);
	batch_reset(f->batch);
}

static inline void
fixture_close(Fixture *f)
{
	batch_destroy(f->batch);
	arena_free(&f->arena);
}

static inline Value
integer_value(int64_t v)
{
	return (Value){.type = TYPE_OF(INTEGER), .int64 = v};
}

static inline Value
text_value(const char *text)
{
	return (Value){.type = TYPE_OF(STRING), .text = str_from(text)};
}

static inline const Type *
helper_type(Arena *arena, const char *name)
{
	int precision = 18, scale = 0;
	TypeKind kind;

	if (strncmp(name, "DECIMAL(", 8) == 0) {
		sscanf(name, "DECIMAL(%d,%d)", &precision, &scale);
		return type_decimal(arena, precision, scale);
	}
	assert_true(type_kind_from_name(str_from(name), &kind));
	return &type_simple[kind];
}

/* CAST('text' AS type) computed: how literals of any type come to be. */
static inline Value
helper_value(Arena *arena, const char *type, const char *text)
{
	Error err = {0};
	Value value = {0};
	BoundExpr *constant = bound_constant(
		arena, text_value(arena_copy(arena, text, strlen(text))), (Position){0});
	BoundExpr *cast;

	assert_int_equal(
		bound_cast(arena, constant, helper_type(arena, type), CAST_EXPLICIT, &cast, &err),
		FERRIS_OK);
	if (bound_evaluate(arena, cast, &value, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	return value;
}

static inline bool
helper_literal(Fixture *f, const char *word, Value *value)
{
	size_t len = strlen(word);

	if (strcmp(word, "null") == 0)
		*value = value_null(TYPE_OF(NULL));
	else if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		*value = (Value){.type = TYPE_OF(BOOLEAN), .boolean = word[0] == 't'};
	else if (strncmp(word, "date:", 5) == 0)
		*value = helper_value(&f->arena, "DATE", word + 5);
	else if (strncmp(word, "time:", 5) == 0)
		*value = helper_value(&f->arena, "TIME", word + 5);
	else if (strncmp(word, "ts:", 3) == 0)
		*value = helper_value(&f->arena, "TIMESTAMP", word + 3);
	else if (strncmp(word, "iv:", 3) == 0)
		*value = helper_value(&f->arena, "INTERVAL", word + 3);
	else if (strncmp(word, "dbl:", 4) == 0)
		*value = helper_value(&f->arena, "DOUBLE", word + 4);
	else if (strncmp(word, "big:", 4) == 0)
		*value = helper_value(&f->arena, "BIGINT", word + 4);
	else if (word[0] == '\'') {
		char *text = arena_copy(&f->arena, word + 1, len - 2);

		for (char *p = text; *p != '\0'; p++)
			*p = *p == '~' ? ' ' : *p;
		*value = text_value(text);
	} else if (isdigit((unsigned char)word[0]) ||
		   (word[0] == '-' && isdigit((unsigned char)word[1]))) {
		const char *point = strchr(word, '.');

		if (point == NULL) {
			*value = integer_value(strtoll(word, NULL, 10));
			if (value->int64 > INT32_MAX || value->int64 < INT32_MIN)
				value->type = TYPE_OF(BIGINT);
			return true;
		}
		char type[32];
		snprintf(type, sizeof type, "DECIMAL(%d,%d)", (int)len - 1 - (word[0] == '-'),
			 (int)strlen(point + 1));
		*value = helper_value(&f->arena, type, word);
	} else {
		return false;
	}
	return true;
}

/* Applies one operator word to the stack; a bind error is returned. */
static inline Status
helper_apply(Fixture *f, const char *word, BoundExpr **stack, uint32_t *depth)
{
	char name[WORD_MAX];
	uint32_t n = 2;
	const char *slash = strlen(word) > 1 ? strrchr(word, '/') : NULL;
	BoundExpr *out = NULL;

	snprintf(name, sizeof name, "%s", word);
	if (slash != NULL) {
		n = (uint32_t)strtoul(slash + 1, NULL, 10);
		name[slash - word] = '\0';
	}
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '~' ? ' ' : *p;
	const char *cast = strstr(word, "cast:");
	if (cast != NULL || strncmp(word, "implicit:", 9) == 0) {
		CastMode mode = word[0] == 't'   ? CAST_TRY
				: word[0] == 'i' ? CAST_IMPLICIT
						 : CAST_EXPLICIT;

		return bound_cast(&f->arena, stack[*depth - 1],
				  helper_type(&f->arena, strchr(word, ':') + 1), mode,
				  &stack[*depth - 1], &f->err);
	}
	assert_true(*depth >= n);
	BoundExpr **args = stack + (*depth - n);
	const struct {
		const char *name;
		BoundKind kind;
	} kinds[] = {{"and", BOUND_AND},
		     {"or", BOUND_OR},
		     {"case", BOUND_CASE},
		     {"coalesce", BOUND_COALESCE},
		     {"try", BOUND_TRY}};
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
		if (strcmp(name, kinds[i].name) != 0)
			continue;
		const Type *type = kinds[i].kind <= BOUND_OR     ? TYPE_OF(BOOLEAN)
				   : kinds[i].kind == BOUND_CASE ? args[1]->type
								 : args[0]->type;
		bool is_case = kinds[i].kind == BOUND_CASE;
		for (uint32_t k = 0; k < n; k++)
			if (kinds[i].kind <= BOUND_OR || (is_case && k % 2 == 0 && k + 1 < n))
				TRY(bound_cast(&f->arena, args[k], TYPE_OF(BOOLEAN), CAST_IMPLICIT,
					       &args[k], &f->err));
			else if ((type = type_common(&f->arena, type, args[k]->type)) == NULL)
				return error_set(&f->err, FERRIS_ERR_TYPE, "no common type");
		for (uint32_t k = 0; k < n; k++)
			if (kinds[i].kind > BOUND_OR && !(is_case && k % 2 == 0 && k + 1 < n))
				TRY(bound_cast(&f->arena, args[k], type, CAST_IMPLICIT, &args[k],
					       &f->err));
		out = bound_node(&f->arena, kinds[i].kind, type, args, n, (Position){1, 1, 1});
	}
	if (out == NULL)
		TRY(function_bind(&f->arena, str_from(name), args, n, (Position){1, 1, 1}, &out,
				  &f->err));
	*depth -= n;
	stack[(*depth)++] = out;
	return FERRIS_OK;
}

/* The expression, or NULL and f->err. */
static inline BoundExpr *
helper_parse(Fixture *f, const char *text)
{
	BoundExpr *stack[STACK_MAX];
	uint32_t depth = 0;

	while (*text != '\0') {
		char word[WORD_MAX];
		size_t len = strcspn(text, " ");
		Value value;

		assert_true(len < sizeof word && depth < STACK_MAX);
		memcpy(word, text, len);
		word[len] = '\0';
		text += len + (text[len] == ' ');
		if (word[0] == 'c' && isdigit((unsigned char)word[1]) &&
		    word[strcspn(word, "/")] == '\0') {
			uint32_t column = (uint32_t)strtoul(word + 1, NULL, 10);

			assert_true(column < f->column_count);
			stack[depth++] = bound_column(&f->arena, column, f->columns[column].type,
						      f->columns[column].name, (Position){1, 1, 1});
		} else if (helper_literal(f, word, &value)) {
			stack[depth++] = bound_constant(&f->arena, value, (Position){1, 1, 1});
		} else if (helper_apply(f, word, stack, &depth) != FERRIS_OK) {
			return NULL;
		}
	}
	assert_int_equal(depth, 1);
	return stack[0];
}

/* The value of a constant expression as text, "error FS2004: ..." if it fails. */
static inline const char *
helper_eval(Fixture *f, const char *text)
{
	BoundExpr *expr = helper_parse(f, text);
	Value value;

	if (expr == NULL)
		return str_format(&f->arena, "bind %s: %s", error_info(f->err.status)->name,
				  f->err.message)
			.data;
	if (bound_evaluate(&f->arena, expr, &value, &f->err) != FERRIS_OK)
		return str_format(&f->arena, "%s: %s", error_info(f->err.status)->name,
				  f->err.message)
			.data;
	return value_text(&f->arena, &value).data;
}
