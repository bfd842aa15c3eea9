/* func/predicate.c -- NOT, IS NULL, IS TRUE and their kin, IN. */
#include <stdlib.h>

#include "func/compare.h"
#include "func/kernel_loop.h"

void
boolean_not(KernelCall *call)
{
	uint8_t *restrict z = call->out->data;

	UNARY_LOOP(call, 0, uint8_t, z[i] = (uint8_t)(a ^ 1));
}

void
any_is_null(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
	kernel_set_bool(call, row, kernel_is_null(call, 0, row));
}

void
any_is_not_null(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
	kernel_set_bool(call, row, !kernel_is_null(call, 0, row));
}

static void
is_truth(KernelCall *call, bool wanted, bool negated)
{
	KERNEL_EACH_ROW(call, row)
	{
		bool is = !kernel_is_null(call, 0, row) && kernel_bool(call, 0, row) == wanted;

		kernel_set_bool(call, row, is != negated);
	}
}

void
boolean_is_true(KernelCall *call)
{
	is_truth(call, true, false);
}

void
boolean_is_not_true(KernelCall *call)
{
	is_truth(call, true, true);
}

void
boolean_is_false(KernelCall *call)
{
	is_truth(call, false, false);
}

void
boolean_is_not_false(KernelCall *call)
{
	is_truth(call, false, true);
}

/* ---- IN ---- */

#define LINEAR_MAX 8 /* up to here a walk over the list beats a search */

typedef struct InState {
	uint32_t count; /* members that are not NULL */
	bool has_null;
	int64_t *integers; /* sorted */
	StringView *texts; /* sorted */
} InState;

/* x IN (...) is NULL if x is, and if it is not found but a member is NULL. */
static void
set_found(KernelCall *call, uint32_t row, bool found, bool null_member)
{
	kernel_set_bool(call, row, found);
	if (!found && null_member)
		vector_set_null(call->out, row);
}

static int
integer_order(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a;
	int64_t y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int
text_order(const void *a, const void *b)
{
	return text_compare(*(const StringView *)a, *(const StringView *)b);
}

static bool
integer_member(const InState *state, int64_t v)
{
	if (state->count <= LINEAR_MAX) {
		bool found = false;

		for (uint32_t k = 0; k < state->count; k++)
			found |= state->integers[k] == v;
		return found;
	}
	return bsearch(&v, state->integers, state->count, sizeof v, integer_order) != NULL;
}

static bool
text_member(const InState *state, StringView v)
{
	if (state->count <= LINEAR_MAX) {
		for (uint32_t k = 0; k < state->count; k++)
			if (state->texts[k].len == v.len && text_compare(state->texts[k], v) == 0)
				return true;
		return false;
	}
	return bsearch(&v, state->texts, state->count, sizeof v, text_order) != NULL;
}

static void
in_integers(KernelCall *call)
{
	const InState *state = call->state;

	KERNEL_EACH_ROW(call, row)
	{
		if (kernel_is_null(call, 0, row))
			vector_set_null(call->out, row);
		else
			set_found(call, row, integer_member(state, kernel_int(call, 0, row)),
				  state->has_null);
	}
}

static void
in_texts(KernelCall *call)
{
	const InState *state = call->state;

	KERNEL_EACH_ROW(call, row)
	{
		if (kernel_is_null(call, 0, row))
			vector_set_null(call->out, row);
		else
			set_found(call, row, text_member(state, kernel_view(call, 0, row)),
				  state->has_null);
	}
}

/* The members are computed for each row, or of a type without a list of its own. */
static void
in_any(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
	{
		bool found = false;
		bool null_member = false;

		if (kernel_is_null(call, 0, row)) {
			vector_set_null(call->out, row);
			continue;
		}
		for (uint32_t k = 1; k < call->arg_count && !found; k++)
			if (kernel_is_null(call, k, row))
				null_member = true;
			else
				found = vector_compare(call->args[0], row, call->args[k], row) == 0;
		set_found(call, row, found, null_member);
	}
}

/* Collects the members; false if one is not a constant. */
static bool
collect_members(Arena *arena, const BoundExpr *call, InState *state)
{
	bool integers = type_physical(call->args[0]->type) == PHYSICAL_INT64;

	if (integers)
		state->integers = ARENA_ARRAY(arena, int64_t, call->arg_count);
	else
		state->texts = ARENA_ARRAY(arena, StringView, call->arg_count);
	for (uint32_t i = 1; i < call->arg_count; i++) {
		const Value *value = &call->args[i]->constant;

		if (call->args[i]->kind != BOUND_CONSTANT)
			return false;
		if (value->is_null)
			state->has_null = true;
		else if (integers)
			state->integers[state->count++] = value->int64;
		else
			state->texts[state->count++] =
				(StringView){value->text.data, value->text.len, 0};
	}
	if (integers)
		qsort(state->integers, state->count, sizeof(int64_t), integer_order);
	else
		qsort(state->texts, state->count, sizeof(StringView), text_order);
	return true;
}

Status
plan_in(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	Physical physical = type_physical(call->args[0]->type);
	InState *state = ARENA_NEW(arena, InState);

	(void)err;
	plan->kernel = in_any;
	if ((physical == PHYSICAL_INT64 || physical == PHYSICAL_VIEW) &&
	    collect_members(arena, call, state)) {
		plan->kernel = physical == PHYSICAL_INT64 ? in_integers : in_texts;
		plan->state = state;
	}
	return FERRIS_OK;
}
