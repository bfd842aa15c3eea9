/* plan/tree.c -- walks over the nodes of a plan, and the groups of its sources. */
#include "plan/plan.h"

PlanNode *
plan_leaf(PlanNode *node)
{
	while (node->input != NULL)
		node = node->input;
	return node;
}

static void
collect_scans(PlanNode *root, PlanNode **out, uint32_t *count)
{
	PlanNode *leaf = plan_leaf(root);

	if (leaf->kind == PLAN_SCAN) {
		if (out != NULL)
			out[*count] = leaf;
		++*count;
	}
	for (uint32_t i = 0; i < leaf->input_count; i++)
		collect_scans(leaf->inputs[i], out, count);
}

PlanNode **
plan_scans(Arena *arena, PlanNode *root, uint32_t *count)
{
	PlanNode **out;

	*count = 0;
	collect_scans(root, NULL, count);
	out = ARENA_ARRAY(arena, PlanNode *, *count);
	*count = 0;
	collect_scans(root, out, count);
	return out;
}

bool
plan_has(const PlanNode *node, uint32_t kinds)
{
	for (; node != NULL; node = node->input) {
		if (kinds & PLAN_BIT(node->kind))
			return true;
		for (uint32_t i = 0; i < node->input_count; i++)
			if (plan_has(node->inputs[i], kinds))
				return true;
	}
	return false;
}

bool
plan_is_bounded(const PlanNode *node)
{
	while (node->input != NULL)
		node = node->input;
	if (node->kind == PLAN_SCAN) {
		const Endpoint *endpoint = node->scan.endpoint;

		return endpoint->connector->bounded != NULL &&
		       endpoint->connector->bounded(endpoint->connector_settings);
	}
	for (uint32_t i = 0; i < node->input_count; i++)
		if (!plan_is_bounded(node->inputs[i]))
			return false;
	return true;
}

/* Nodes that put rows into the books and give out others. */
#define KEEPS_STATE                                                                                \
	(PLAN_BIT(PLAN_AGGREGATE) | PLAN_BIT(PLAN_JOIN) | PLAN_BIT(PLAN_STREAM_JOIN) |             \
	 PLAN_BIT(PLAN_VERSIONED_JOIN) | PLAN_BIT(PLAN_TABLE) | PLAN_BIT(PLAN_OVER) |              \
	 PLAN_BIT(PLAN_DISTINCT) | PLAN_BIT(PLAN_SORT) | PLAN_BIT(PLAN_SET))

bool
plan_counts_results(const StatementPlan *plan)
{
	return plan_has(plan->root, KEEPS_STATE | PLAN_BIT(PLAN_UNNEST) | PLAN_BIT(PLAN_WINDOW));
}

bool
plan_is_stateful(const StatementPlan *plan)
{
	const PlanNode *root = plan->root;

	/* The limit of the statement itself is the writer's. */
	return plan_has(root, KEEPS_STATE | PLAN_BIT(PLAN_LATE) | PLAN_BIT(PLAN_LOOKUP)) ||
	       plan_has(root->kind == PLAN_LIMIT ? root->input : root, PLAN_BIT(PLAN_LIMIT));
}

bool
plan_wants_ticks(const StatementPlan *plan)
{
	return plan_has(plan->root, PLAN_BIT(PLAN_WATERMARK));
}

const char *
plan_default_group(Arena *arena, Str application, const StatementPlan *plan)
{
	return str_format(arena, "%.*s-%.*s", STR_ARG(application), STR_ARG(plan->name)).data;
}

const char *
plan_first_group(Arena *arena, Str application, const StatementPlan *plan)
{
	const Endpoint *first = plan->scans[0]->scan.endpoint;
	Str named = first->connector->group != NULL
			    ? first->connector->group(first->connector_settings)
			    : (Str){NULL, 0};

	return named.data != NULL ? str_copy(arena, named).data
				  : plan_default_group(arena, application, plan);
}
