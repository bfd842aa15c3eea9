/* func/fold.c -- compute what does not depend on the row, once, when the query is planned.
 *
 * A part without columns and without volatile functions is replaced by its value.  If it fails, the
 * query is wrong -- unless the part stands where it may never run (behind AND, in a CASE branch, in
 * TRY): then it stays as it is and fails, or not, for the rows that reach it. */
#include "func/function.h"
#include "func/kernel.h"
#include "func/program.h"

static void
see_if_varies(BoundExpr *expr, void *context)
{
	bool *varies = context;

	if (expr->kind == BOUND_COLUMN)
		*varies = true;
	if (expr->kind == BOUND_CALL && expr->function->flags & SCALAR_VOLATILE)
		*varies = true;
}

/* The value itself outlives the batch it was computed in. */
static Value
keep_value(Arena *arena, const Vector *vector, const Type *type)
{
	Value value = value_from_vector(vector, 0);

	value.type = type;
	if (!value.is_null && type_physical(type) == PHYSICAL_VIEW)
		value.text = str_copy(arena, value.text);
	return value;
}

Status
bound_evaluate(Arena *arena, const BoundExpr *expr, Value *out, Error *err)
{
	BoundExpr copy = *expr;
	BoundExpr *root = &copy;
	const Vector *result;
	Program *program;

	TRY(program_compile(arena, &root, 1, &program, err));
	Batch *batch = batch_new(NULL, NULL, 0);
	batch_reset(batch);
	batch->row_count = 1;
	batch->records[0] = (RecordRange){0};
	batch_select_all(batch);
	program_run(program, batch, NULL, &result);
	Status status = FERRIS_OK;
	if (batch->error_count > 0) {
		status = error_set_at(err, FERRIS_ERR_CONSTANT, expr->position, "%.*s",
				      STR_ARG(batch->errors[0].message));
		error_label(err, "this fails for every row");
	} else {
		*out = keep_value(arena, result, expr->type);
	}
	batch_destroy(batch);
	program_free(program);
	return status;
}

/* Whether argument i may stay uncomputed although the node itself is computed. */
static bool
may_never_run(const BoundExpr *expr, uint32_t i)
{
	switch (expr->kind) {
	case BOUND_AND:
	case BOUND_OR:
	case BOUND_CASE:
	case BOUND_COALESCE:
		return i > 0;
	case BOUND_TRY:
		return true;
	default:
		return false;
	}
}

static bool
is_boolean_constant(const BoundExpr *expr, bool value)
{
	return expr->kind == BOUND_CONSTANT && !expr->constant.is_null &&
	       expr->constant.boolean == value;
}

/* Drops the operands that cannot change the result: TRUE of AND, FALSE of OR; what follows one
 * that decides is never reached. */
static BoundExpr *
fold_logic(Arena *arena, BoundExpr *expr)
{
	bool neutral = expr->kind == BOUND_AND;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < expr->arg_count; i++) {
		if (is_boolean_constant(expr->args[i], neutral))
			continue;
		expr->args[kept++] = expr->args[i];
		if (is_boolean_constant(expr->args[kept - 1], !neutral))
			break;
	}
	expr->arg_count = kept;
	if (kept == 0)
		return bound_constant(arena, (Value){.type = expr->type, .boolean = neutral},
				      expr->position);
	return kept == 1 ? expr->args[0] : expr;
}

/* Drops branches whose condition is never true, and all behind one that always is. */
static BoundExpr *
fold_case(BoundExpr *expr)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
		const BoundExpr *condition = expr->args[i];

		if (is_boolean_constant(condition, true)) {
			expr->args[kept++] = expr->args[i + 1];
			expr->arg_count = kept;
			return kept == 1 ? expr->args[0] : expr;
		}
		if (condition->kind == BOUND_CONSTANT)
			continue;
		expr->args[kept++] = expr->args[i];
		expr->args[kept++] = expr->args[i + 1];
	}
	expr->args[kept++] = expr->args[expr->arg_count - 1];
	expr->arg_count = kept;
	return kept == 1 ? expr->args[0] : expr;
}

static Status
fold(Arena *arena, BoundExpr *expr, bool sure, BoundExpr **out, Error *err)
{
	bool varies = false;
	Value value;

	*out = expr;
	if (expr->kind == BOUND_CONSTANT || expr->kind == BOUND_COLUMN)
		return FERRIS_OK;
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		TRY(fold(arena, expr->args[i], sure && !may_never_run(expr, i), &copy->args[i],
			 err));
	bound_walk(copy, see_if_varies, &varies);
	if (!varies && !type_is_nested(expr->type)) {
		Status status = bound_evaluate(arena, copy, &value, err);

		if (status == FERRIS_OK) {
			*out = bound_constant(arena, value, expr->position);
			return FERRIS_OK;
		}
		if (sure || status != FERRIS_ERR_CONSTANT)
			return status;
		*err = (Error){0};
	} else if (copy->kind == BOUND_AND || copy->kind == BOUND_OR) {
		*out = fold_logic(arena, copy);
		return FERRIS_OK;
	} else if (copy->kind == BOUND_CASE) {
		*out = fold_case(copy);
		return FERRIS_OK;
	}
	*out = copy;
	return FERRIS_OK;
}

Status
bound_fold(Arena *arena, BoundExpr *expr, BoundExpr **out, Error *err)
{
	return fold(arena, expr, true, out, err);
}
