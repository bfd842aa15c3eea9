/* plan/check.c -- what can be known to go wrong before a plan runs: calls whose loop cannot be
 * chosen, state that would grow for ever. */
#include "func/function.h"
#include "func/program.h"
#include "plan/bind.h"

/* ---------------------------------------------------------------- calls */

/* Some faults show only when a call's loop is chosen: a pattern that is none, an unknown unit. */
static Status
check_exprs(Arena *arena, BoundExpr *const *exprs, uint32_t count, Error *err)
{
	Program *program = NULL;
	Status status = program_compile(arena, exprs, count, &program, err);

	program_free(program);
	return status;
}

static Status
check_aggregate(Arena *arena, const PlanNode *node, Error *err)
{
	AggregateMemory memory = {0};

	TRY(check_exprs(arena, node->aggregate.keys, node->aggregate.key_count, err));
	for (uint32_t i = 0; i < node->aggregate.call_count; i++) {
		const AggregateCall *call = node->aggregate.calls[i];
		AggregateRun run;

		TRY(check_exprs(arena, call->args, call->arg_count, err));
		TRY(aggregate_open(call, &memory, arena, &run, err));
	}
	return FERRIS_OK;
}

static Status
check_over(Arena *arena, const PlanNode *node, Error *err)
{
	AggregateMemory memory = {0};

	TRY(check_exprs(arena, node->over.partition, node->over.partition_count, err));
	for (uint32_t i = 0; i < node->over.order_count; i++)
		TRY(check_exprs(arena, &node->over.order[i].expr, 1, err));
	for (uint32_t i = 0; i < node->over.call_count; i++) {
		const OverCall *call = &node->over.calls[i];
		AggregateRun run;

		if (call->value != NULL)
			TRY(check_exprs(arena, (BoundExpr *const[]){call->value}, 1, err));
		if (call->otherwise != NULL)
			TRY(check_exprs(arena, (BoundExpr *const[]){call->otherwise}, 1, err));
		if (call->aggregate == NULL)
			continue;
		TRY(check_exprs(arena, call->aggregate->args, call->aggregate->arg_count, err));
		TRY(aggregate_open(call->aggregate, &memory, arena, &run, err));
	}
	return FERRIS_OK;
}

static Status
check_programs(Arena *arena, const PlanNode *node, Error *err)
{
	for (; node != NULL; node = node->input) {
		for (uint32_t i = 0; i < node->input_count; i++)
			TRY(check_programs(arena, node->inputs[i], err));
		if (node->kind == PLAN_FILTER)
			TRY(check_exprs(arena, node->filter.conjuncts, node->filter.count, err));
		if (node->kind == PLAN_PROJECT)
			TRY(check_exprs(arena, node->project.exprs, node->schema.count, err));
		if (node->kind == PLAN_AGGREGATE)
			TRY(check_aggregate(arena, node, err));
		if (node->kind == PLAN_OVER)
			TRY(check_over(arena, node, err));
		if (node->kind == PLAN_LATE && node->late.window->kind == PLAN_AGGREGATE)
			TRY(check_aggregate(arena, node->late.window, err));
		if (node->kind == PLAN_LATE && node->late.window->kind == PLAN_OVER)
			TRY(check_over(arena, node->late.window, err));
		if (node->kind == PLAN_WINDOW)
			TRY(check_exprs(arena, (BoundExpr *const[]){node->window.plan.time}, 1,
					err));
		if (node->kind == PLAN_UNNEST)
			TRY(check_exprs(arena, node->unnest.arrays, node->unnest.array_count, err));
		if (node->kind == PLAN_TABLE)
			TRY(check_exprs(arena, node->table.keys, node->table.key_count, err));
		if (node->kind == PLAN_STREAM_JOIN && node->stream_join.residual != NULL)
			TRY(check_exprs(arena, &node->stream_join.residual, 1, err));
		for (uint32_t i = 0; node->kind == PLAN_LOOKUP && i < node->lookup.call_count;
		     i++) {
			const Lookup *call = &node->lookup.calls[i];

			TRY(check_exprs(arena, call->args, lookup_arg_count(call), err));
			TRY(check_programs(arena, call->query, err));
		}
		if (node->kind == PLAN_JOIN) {
			TRY(check_exprs(arena, node->join.keys, node->join.key_count, err));
			if (node->join.residual != NULL)
				TRY(check_exprs(arena, &node->join.residual, 1, err));
			TRY(check_programs(arena, node->join.right, err));
		}
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- state */

static Status
endless_state(const PlanNode *node, Error *err)
{
	bool is_join = node->kind == PLAN_STREAM_JOIN;

	error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, node->position,
		     is_join ? "this join of two streams would keep every row for ever: no time "
			       "bounds it"
			     : "every row that is not there yet would be kept for ever: an input "
			       "does not end");
	if (is_join)
		return error_hint(err, "say how far apart rows meet: WITHIN 1 HOUR, or ON ... AND "
				       "r.t BETWEEN l.t - INTERVAL '1' HOUR AND l.t; or take it "
				       "as it is: 'state.unbounded' = 'allow'");
	return error_hint(err, "read sources that end, or take it as it is: 'state.unbounded' = "
			       "'allow'");
}

/* Tables hold a row of each key, however long they run. */
static bool
holds_tables(const PlanNode *join)
{
	return plan_has(join->inputs[0], PLAN_BIT(PLAN_TABLE)) &&
	       plan_has(join->inputs[1], PLAN_BIT(PLAN_TABLE));
}

/* State that grows for ever is there only if it was asked for. */
static Status
check_state(const PlanNode *node, Error *err)
{
	for (; node != NULL; node = node->input) {
		bool endless = (node->kind == PLAN_STREAM_JOIN && node->stream_join.endless &&
				!holds_tables(node)) ||
			       (node->kind == PLAN_SET && node->set.endless);

		for (uint32_t i = 0; i < node->input_count; i++)
			TRY(check_state(node->inputs[i], err));
		if (endless)
			return endless_state(node, err);
	}
	return FERRIS_OK;
}

/* A statement that reads a topic twice reads it as two members of two groups: with one group id for
 * both, each would get a part of the partitions. */
static Status
check_groups(const StatementPlan *plan, Error *err)
{
	for (uint32_t i = 0; i < plan->scan_count; i++)
		for (uint32_t k = 0; k < i; k++) {
			const Endpoint *a = plan->scans[i]->scan.endpoint;
			const Endpoint *b = plan->scans[k]->scan.endpoint;

			if (!str_eq(a->name, b->name) ||
			    options_find(&a->given, STR("kafka.group.id")) == NULL)
				continue;
			error_set_at(err, FERRIS_ERR_OPTION_CONFLICT, plan->scans[i]->position,
				     "'%.*s' is read twice, with one 'kafka.group.id' for both",
				     STR_ARG(a->name));
			return error_hint(err, "leave 'kafka.group.id' out: each gets a group of "
					       "its own");
		}
	return FERRIS_OK;
}

Status
check_plan(Arena *arena, const StatementPlan *plan, Error *err)
{
	if (plan->job[JOB_STATE_UNBOUNDED].integer == 0)
		TRY(check_state(plan->root, err));
	TRY(check_groups(plan, err));
	return check_programs(arena, plan->root, err);
}
