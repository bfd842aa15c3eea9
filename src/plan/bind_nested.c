/* plan/bind_nested.c -- what makes MAP and STRUCT values: STRUCT(...), ROW(...), (a, b), MAP[...];
 * and rows that are compared part by part.
 *
 * A field is called as it is named, else as the column it comes from, else f1, f2, ... by its
 * place.  The keys of a map are brought to one type, and so are its values. */
#include "func/function.h"
#include "plan/bind.h"

/* What has no type yet becomes text. */
static Status
give_type(Binder *binder, BoundExpr **value)
{
	if ((*value)->type->kind != TYPE_NULL)
		return FERRIS_OK;
	return bound_cast(binder->arena, *value, TYPE_OF(STRING), CAST_IMPLICIT, value,
			  binder->err);
}

/* ---------------------------------------------------------------- STRUCT */

static Str
field_name(Binder *binder, const Expr *value, uint32_t place)
{
	if (value->kind == EXPR_COLUMN)
		return value->column.items[value->column.count - 1].text;
	if (value->kind == EXPR_FIELD)
		return value->field.name.text;
	return str_format(binder->arena, "f%u", place + 1);
}

static Status
bind_struct(Binder *binder, const Str *names, BoundExpr **values, uint32_t count, const Expr *expr,
	    BoundExpr **out)
{
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);

	for (uint32_t i = 0; i < count; i++) {
		TRY(give_type(binder, &values[i]));
		fields[i] = (Field){.name = names[i], .type = values[i]->type};
		for (uint32_t j = 0; j < i; j++) {
			if (!str_eq_nocase(names[i], names[j]))
				continue;
			error_set_at(binder->err, FERRIS_ERR_AMBIGUOUS, expr->position,
				     "the struct has two fields '%.*s'", STR_ARG(names[i]));
			return error_hint(binder->err,
					  "name them: STRUCT(x AS name, y AS other_name)");
		}
	}
	TRY(function_bind(binder->arena, STR("STRUCT"), values, count, expr->position, out,
			  binder->err));
	(*out)->type = type_struct(binder->arena, fields, count);
	return FERRIS_OK;
}

/* ROW(a, b), (a, b) */
static Status
bind_row(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	uint32_t count = expr->list.count;
	Str *names = ARENA_ARRAY(binder->arena, Str, count);
	BoundExpr **values = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	for (uint32_t i = 0; i < count; i++) {
		TRY(bind_any(binder, scope, expr->list.items[i], &values[i]));
		names[i] = field_name(binder, expr->list.items[i], i);
	}
	return bind_struct(binder, names, values, count, expr, out);
}

/* STRUCT(a AS x, y => b, c) */
static Status
bind_struct_call(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	uint32_t count = function->arg_count;
	Str *names = ARENA_ARRAY(binder->arena, Str, count);
	BoundExpr **values = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	for (uint32_t i = 0; i < count; i++) {
		const Argument *arg = &function->args[i];

		TRY(bind_any(binder, scope, arg->value, &values[i]));
		names[i] = arg->name.text.data != NULL ? arg->name.text
						       : field_name(binder, arg->value, i);
	}
	return bind_struct(binder, names, values, count, expr, out);
}

static Status
no_names(Binder *binder, const FunctionCall *function)
{
	for (uint32_t i = 0; i < function->arg_count; i++)
		if (function->args[i].name.text.data != NULL)
			return error_set_at(
				binder->err, FERRIS_ERR_ARGUMENTS, function->args[i].name.position,
				"%.*s takes no named arguments", STR_ARG(function->name.text));
	return FERRIS_OK;
}

/* NAMED_STRUCT('x', a, 'y', b) */
static Status
bind_named_struct(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	uint32_t count = function->arg_count / 2;
	Str *names = ARENA_ARRAY(binder->arena, Str, count);
	BoundExpr **values = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	TRY(no_names(binder, function));
	if (function->arg_count % 2 != 0)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
				    "NAMED_STRUCT takes names and values: 'x', a, 'y', b");
	for (uint32_t i = 0; i < count; i++) {
		const Expr *name = function->args[2 * i].value;

		if (name->kind != EXPR_STRING)
			return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, name->position,
					    "the name of a field must be a text constant");
		names[i] = name->literal;
		TRY(bind_any(binder, scope, function->args[2 * i + 1].value, &values[i]));
	}
	return bind_struct(binder, names, values, count, expr, out);
}

/* ---------------------------------------------------------------- MAP */

/* Brings args[first], args[first + 2], ... to one type. */
static Status
unify_side(Binder *binder, BoundExpr **args, uint32_t count, uint32_t first)
{
	const Type *type = TYPE_OF(NULL);

	for (uint32_t i = first; i < count; i += 2) {
		const Type *common = type_common(binder->arena, type, args[i]->type);

		if (common == NULL)
			return error_set_at(binder->err, FERRIS_ERR_TYPE, args[i]->position,
					    "the %s of a MAP cannot be %.*s here and %.*s before",
					    first == 0 ? "keys" : "values",
					    STR_ARG(type_text(binder->arena, args[i]->type)),
					    STR_ARG(type_text(binder->arena, type)));
		type = common;
	}
	if (type->kind == TYPE_NULL)
		type = TYPE_OF(STRING);
	for (uint32_t i = first; i < count; i += 2)
		TRY(bound_cast(binder->arena, args[i], type, CAST_IMPLICIT, &args[i], binder->err));
	return FERRIS_OK;
}

/* MAP[key, value, ...], MAP(key, value, ...) */
static Status
bind_map(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	uint32_t count = function->arg_count;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	TRY(no_names(binder, function));
	if (count == 0) {
		error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
			     "a MAP without entries has no type");
		return error_hint(binder->err, "write NULL where there is no map");
	}
	for (uint32_t i = 0; i < count; i++)
		TRY(bind_any(binder, scope, function->args[i].value, &args[i]));
	TRY(unify_side(binder, args, count, 0));
	TRY(unify_side(binder, args, count, 1));
	return function_bind(binder->arena, STR("MAP"), args, count, expr->position, out,
			     binder->err);
}

bool
is_constructor(Str name)
{
	return str_eq_nocase(name, STR("MAP")) || str_eq_nocase(name, STR("STRUCT")) ||
	       str_eq_nocase(name, STR("NAMED_STRUCT"));
}

Status
bind_constructor(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	if (expr->kind == EXPR_ROW)
		return bind_row(binder, scope, expr, out);
	if (str_eq_nocase(expr->function.name.text, STR("MAP")))
		return bind_map(binder, scope, expr, out);
	if (str_eq_nocase(expr->function.name.text, STR("STRUCT")))
		return bind_struct_call(binder, scope, expr, out);
	return bind_named_struct(binder, scope, expr, out);
}

/* ---------------------------------------------------------------- comparing rows */

/* (a, b) = (c, d) */
static Status
bind_row_equal(Binder *binder, Scope *scope, const Expr *left, const Expr *right, BoundExpr **out)
{
	uint32_t count = left->list.count;
	BoundExpr **parts = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	if (right->kind != EXPR_ROW || right->list.count != count)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, right->position,
				    "a row of %u values is compared with another of as many",
				    count);
	for (uint32_t i = 0; i < count; i++) {
		BoundExpr *sides[2];

		TRY(bind_any(binder, scope, left->list.items[i], &sides[0]));
		TRY(bind_any(binder, scope, right->list.items[i], &sides[1]));
		TRY(function_bind(binder->arena, STR("="), sides, 2, left->position, &parts[i],
				  binder->err));
	}
	*out = count == 1 ? parts[0]
			  : bound_node(binder->arena, BOUND_AND, TYPE_OF(BOOLEAN), parts, count,
				       left->position);
	return FERRIS_OK;
}

Status
bind_row_compare(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	BoundExpr *equal;

	if (expr->binary.op != BINARY_EQUAL && expr->binary.op != BINARY_NOT_EQUAL) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "rows of several values are compared with = and <> only");
		return error_hint(binder->err, "compare their parts one by one");
	}
	TRY(bind_row_equal(binder, scope, expr->binary.left, expr->binary.right, out));
	if (expr->binary.op == BINARY_EQUAL)
		return FERRIS_OK;
	equal = *out;
	return function_bind(binder->arena, STR("NOT"), &equal, 1, expr->position, out,
			     binder->err);
}

/* (a, b) IN ((c, d), ...) */
Status
bind_row_in(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const ExprList *list = &expr->in_list.list;
	BoundExpr **ways = ARENA_ARRAY(binder->arena, BoundExpr *, list->count);

	for (uint32_t i = 0; i < list->count; i++)
		TRY(bind_row_equal(binder, scope, expr->in_list.operand, list->items[i], &ways[i]));
	*out = list->count == 1 ? ways[0]
				: bound_node(binder->arena, BOUND_OR, TYPE_OF(BOOLEAN), ways,
					     list->count, expr->position);
	return FERRIS_OK;
}
