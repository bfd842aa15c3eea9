/* plan/kept_state.h -- what a statement keeps from record to record, described so that the state of
 * one plan can be taken over by another.
 *
 * Two operators whose shapes are equal read each other's records, and mean the same by them: they
 * do the same with the same columns of the same sources.  What happens to the rows on their way to
 * them is not part of it: a filter may have been added below.
 *
 * Threads: any; the plan is only read. */
#pragma once

#include "plan/plan.h"

typedef struct KeptState {
	uint32_t number; /* of the operator in the pipeline: the first part of its records' keys */
	Str title;       /* for people: its line in EXPLAIN */
	Str shape;       /* title, types, sources */
	const PlanNode *node;
} KeptState;

typedef struct KeptStates {
	KeptState *items; /* in the order of their numbers */
	uint32_t count;
} KeptStates;

/* One more, of which nothing is set; good until the next. */
KeptState *kept_states_add(Arena *arena, KeptStates *states);
/* Of the operators that keep anything; all in the arena. */
KeptStates plan_kept_states(Arena *arena, const StatementPlan *plan);
/* What feeds it, as EXPLAIN shows it, without the fields that only others read. */
Str plan_state_input(Arena *arena, const KeptState *state);
/* Equal for plans that do the same with the same state, whatever the text of their SQL was. */
uint64_t plan_identity(Arena *arena, const StatementPlan *plan);

/* For each of `now` the number of the state in `before` that it takes over, or UPGRADE_NONE. */
#define UPGRADE_NONE UINT32_MAX
uint32_t *plan_match_states(Arena *arena, const KeptStates *before, const KeptStates *now);
