/* plan/tree.c -- walks over the nodes of a plan. */
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
plan_any(const PlanNode *node, bool (*test)(const PlanNode *node))
{
	for (; node != NULL; node = node->input) {
		if (test(node))
			return true;
		for (uint32_t i = 0; i < node->input_count; i++)
			if (plan_any(node->inputs[i], test))
				return true;
	}
	return false;
}

static bool
is_endless_scan(const PlanNode *node)
{
	if (node->kind != PLAN_SCAN)
		return false;
	const Endpoint *endpoint = node->scan.endpoint;
	return endpoint->connector->bounded == NULL ||
	       !endpoint->connector->bounded(endpoint->connector_settings);
}

bool
plan_is_bounded(const PlanNode *node)
{
	return !plan_any(node, is_endless_scan);
}

bool
plan_is_table(const PlanNode *node)
{
	return node->kind == PLAN_TABLE;
}
