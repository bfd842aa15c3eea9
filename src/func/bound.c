/* func/bound.c -- build and walk bound expressions; which types go together. */
#include "func/bound.h"

#include "func/cast.h"

BoundExpr *
bound_constant(Arena *arena, Value value, Position at)
{
	BoundExpr *expr = ARENA_NEW(arena, BoundExpr);

	expr->kind = BOUND_CONSTANT;
	expr->type = value.type;
	expr->position = at;
	expr->constant = value;
	return expr;
}

BoundExpr *
bound_column(Arena *arena, uint32_t column, const Type *type, Str name, Position at)
{
	BoundExpr *expr = ARENA_NEW(arena, BoundExpr);

	expr->kind = BOUND_COLUMN;
	expr->type = type;
	expr->position = at;
	expr->column = column;
	expr->name = name;
	return expr;
}

BoundExpr *
bound_node(Arena *arena, BoundKind kind, const Type *type, BoundExpr *const *args, uint32_t count,
	   Position at)
{
	BoundExpr *expr = ARENA_NEW(arena, BoundExpr);

	expr->kind = kind;
	expr->type = type;
	expr->position = at;
	expr->args = ARENA_ARRAY(arena, BoundExpr *, count);
	expr->arg_count = count;
	if (count > 0)
		memcpy(expr->args, args, sizeof *args * count);
	return expr;
}

/* A literal string stands for a date, time or interval wherever one is wanted. */
static bool
is_temporal_literal(const BoundExpr *expr, const Type *type)
{
	return expr->kind == BOUND_CONSTANT && expr->type->kind == TYPE_STRING &&
	       type->kind >= TYPE_DATE && type->kind <= TYPE_INTERVAL;
}

Status
bound_cast(Arena *arena, BoundExpr *expr, const Type *type, CastMode mode, BoundExpr **out,
	   Error *err)
{
	if (type_equal(expr->type, type)) {
		*out = expr;
		return FERRIS_OK;
	}
	if (expr->kind == BOUND_CONSTANT && expr->constant.is_null) {
		*out = bound_constant(arena, value_null(type), expr->position);
		return FERRIS_OK;
	}
	if (!cast_exists(expr->type, type, mode) &&
	    !(mode == CAST_IMPLICIT && is_temporal_literal(expr, type))) {
		Str from = type_text(arena, expr->type);
		Str to = type_text(arena, type);

		error_set_at(err, FERRIS_ERR_TYPE, expr->position, "%s cannot be converted to %s%s",
			     from.data, to.data, mode == CAST_IMPLICIT ? " implicitly" : "");
		if (mode == CAST_IMPLICIT && cast_exists(expr->type, type, CAST_EXPLICIT))
			error_hint(err, "write CAST(%s AS %s)", bound_text(arena, expr).data,
				   to.data);
		return err->status;
	}
	BoundExpr *cast = bound_node(arena, BOUND_CAST, type, &expr, 1, expr->position);
	cast->cast = mode;
	*out = cast;
	return FERRIS_OK;
}

/* Digits before the point, and after it, that any value of an exact type fits in. */
static void
exact_digits(const Type *type, int *whole, int *scale)
{
	if (type_is_integer(type)) {
		*whole = type_integer_digits(type->kind);
		*scale = 0;
	} else {
		*whole = type->precision - type->scale;
		*scale = type->scale;
	}
}

static const Type *
common_number(Arena *arena, const Type *a, const Type *b)
{
	int a_whole, a_scale, b_whole, b_scale;

	if (!type_is_exact(a) || !type_is_exact(b))
		return a->kind == TYPE_FLOAT && b->kind == TYPE_FLOAT ? a : TYPE_OF(DOUBLE);
	if (type_is_integer(a) && type_is_integer(b))
		return a->kind > b->kind ? a : b;
	exact_digits(a, &a_whole, &a_scale);
	exact_digits(b, &b_whole, &b_scale);
	int whole = a_whole > b_whole ? a_whole : b_whole;
	int scale = a_scale > b_scale ? a_scale : b_scale;
	/* Beyond 38 digits the scale stays: what does not fit is an error of its row. */
	int precision = whole + scale;
	return type_decimal(arena,
			    precision > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : precision,
			    scale);
}

static bool
is_pair(const Type *a, const Type *b, TypeKind one, TypeKind other)
{
	return (a->kind == one && b->kind == other) || (a->kind == other && b->kind == one);
}

const Type *
type_common(Arena *arena, const Type *a, const Type *b)
{
	if (type_equal(a, b) || b->kind == TYPE_NULL)
		return a;
	if (a->kind == TYPE_NULL)
		return b;
	if (type_is_numeric(a) && type_is_numeric(b))
		return common_number(arena, a, b);
	if (is_pair(a, b, TYPE_DATE, TYPE_TIMESTAMP))
		return TYPE_OF(TIMESTAMP);
	if (is_pair(a, b, TYPE_JSON, TYPE_STRING))
		return TYPE_OF(STRING);
	return NULL;
}

static bool
constant_equal(const Value *a, const Value *b)
{
	if (!type_equal(a->type, b->type) || a->is_null != b->is_null)
		return false;
	if (a->is_null)
		return true;
	switch (type_physical(a->type)) {
	case PHYSICAL_BOOL:
		return a->boolean == b->boolean;
	case PHYSICAL_INT64:
		return a->int64 == b->int64;
	case PHYSICAL_INT128:
		return a->int128 == b->int128;
	case PHYSICAL_DOUBLE:
		return memcmp(&a->real, &b->real, sizeof a->real) == 0;
	case PHYSICAL_VIEW:
		return str_eq(a->text, b->text);
	case PHYSICAL_INTERVAL:
		return memcmp(&a->interval, &b->interval, sizeof a->interval) == 0;
	default:
		return false;
	}
}

bool
bound_equal(const BoundExpr *a, const BoundExpr *b)
{
	if (a->kind != b->kind || !type_equal(a->type, b->type) || a->arg_count != b->arg_count)
		return false;
	if (a->kind == BOUND_CONSTANT)
		return constant_equal(&a->constant, &b->constant);
	if (a->function != b->function || a->column != b->column || a->cast != b->cast)
		return false;
	for (uint32_t i = 0; i < a->arg_count; i++)
		if (!bound_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

BoundExpr *
bound_without_cast(BoundExpr *expr)
{
	while (expr->kind == BOUND_CAST && expr->cast == CAST_IMPLICIT)
		expr = expr->args[0];
	return expr;
}

void
bound_walk(BoundExpr *expr, void (*visit)(BoundExpr *expr, void *context), void *context)
{
	visit(expr, context);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		bound_walk(expr->args[i], visit, context);
}
