/* plan/rule_exprs.c -- expressions over other columns, and which columns expressions read. */
#include "plan/rule.h"

BoundExpr *
bound_substitute(Arena *arena, const BoundExpr *expr, BoundExpr *const *replacements)
{
	if (expr->kind == BOUND_COLUMN)
		return replacements[expr->column];
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++) {
		copy->args[i] = bound_substitute(arena, expr->args[i], replacements);
		if (copy->args[i] == NULL)
			return NULL;
	}
	return copy;
}

void
substitute_all(Arena *arena, BoundExpr ***exprs, uint32_t count, BoundExpr *const *replacements)
{
	BoundExpr **copies = ARENA_ARRAY(arena, BoundExpr *, count);

	for (uint32_t i = 0; i < count; i++)
		copies[i] = bound_substitute(arena, (*exprs)[i], replacements);
	*exprs = copies;
}

void
count_columns(const BoundExpr *expr, uint32_t *uses)
{
	if (expr->kind == BOUND_COLUMN)
		uses[expr->column]++;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		count_columns(expr->args[i], uses);
}

uint32_t *
uses_of(Arena *arena, BoundExpr *const *exprs, uint32_t count, uint32_t columns)
{
	uint32_t *uses = ARENA_ARRAY(arena, uint32_t, columns + 1);

	for (uint32_t i = 0; i < count; i++)
		count_columns(exprs[i], uses);
	return uses;
}
