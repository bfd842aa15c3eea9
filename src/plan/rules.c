/* plan/rules.c -- the rules in their order: merge nodes, push conditions down, prune columns. */
#include "plan/rules.h"

#include "plan/rule.h"

static void
push_down_lookup(Arena *arena, Lookup *lookup)
{
	lookup->query = plan_push_down(arena, lookup->query, false);
	if (lookup->nothing != NULL)
		lookup->nothing = plan_push_down(arena, lookup->nothing, false);
}

/* From the top, so that a node asks the one below it only for what it needs itself. */
static void
push_into_nodes(Arena *arena, PlanNode **root)
{
	for (PlanNode **link = root; (*link)->input != NULL; link = &(*link)->input) {
		PlanNode *node = *link;
		PlanNode **path;

		if (node->kind == PLAN_FILTER && passes_columns(node->input) &&
		    node->input->kind != PLAN_OVER && node->input->kind != PLAN_TABLE)
			push_below(arena, link);
		if (node->kind == PLAN_FILTER && node->input->kind == PLAN_OVER)
			keep_top(link);
		node = *link;
		if (!passes_columns(node))
			continue;
		uint32_t depth = scan_path(arena, *root, node, &path);
		if (node->kind == PLAN_UNNEST)
			prune_unnest(arena, node, path, depth);
		else if (node->kind == PLAN_JOIN)
			prune_join(arena, node, path, depth);
		else
			prune_left(arena, node, path, depth);
		if (node->kind == PLAN_UNNEST && node->unnest.sessions)
			prune_sessions(arena, node);
		if (node->kind == PLAN_JOIN)
			node->join.right = plan_push_down(arena, node->join.right, false);
		for (uint32_t i = 0; node->kind == PLAN_LOOKUP && i < node->lookup.call_count; i++)
			push_down_lookup(arena, &node->lookup.calls[i]);
	}
}

PlanNode *
plan_push_down(Arena *arena, PlanNode *root, bool encoded)
{
	PlanNode **link = &root;
	PlanNode *scan;

	root = merge_nodes(arena, root);
	push_into_nodes(arena, &root);
	scan = plan_leaf(root);
	while ((*link)->input != NULL && (*link)->input != scan)
		link = &(*link)->input;
	if ((*link)->kind == PLAN_FILTER && (scan->kind == PLAN_UNION || scan->kind == PLAN_SET)) {
		push_below_union(arena, link);
	} else if ((*link)->kind == PLAN_FILTER && is_join_leaf(scan)) {
		push_below_stream_join(arena, link);
	} else if ((*link)->kind == PLAN_FILTER) {
		push_predicates(arena, *link, scan);
		if ((*link)->filter.count == 0)
			*link = scan;
	}

	PlanNode **path;
	uint32_t depth = scan_path(arena, root, scan, &path);
	const PlanNode *top = root->kind == PLAN_LIMIT ? root->input : root;
	bool to_sink = encoded && depth > 0 && path[depth - 1] == top;
	Columns uses = scan_uses(arena, path, depth, scan, to_sink);
	BoundExpr **renumbered = ARENA_ARRAY(arena, BoundExpr *, scan->schema.count);

	if (encoded && depth > 0 && path[depth - 1]->kind == PLAN_OVER &&
	    path[depth - 1]->over.mode != OVER_TOP && top->kind == PLAN_PROJECT &&
	    top->input == path[depth - 1])
		pass_through_over(arena, path[depth - 1], top, &uses);
	if (needs_all(path, depth) || scan->kind == PLAN_SET)
		for (uint32_t i = 0; i < scan->schema.count; i++)
			uses.values[i]++;
	if (scan->kind == PLAN_SCAN)
		prune_scan(arena, scan, &uses, renumbered);
	else if (is_join_leaf(scan))
		prune_stream_join(arena, scan, &uses, renumbered);
	else
		prune_inputs(arena, scan, &uses, renumbered);
	renumber(arena, path, depth, scan, renumbered);
	return root;
}
