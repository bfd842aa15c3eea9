/* plan/rule_merge.c -- Project and Filter nodes that follow each other become one, where that
 * computes nothing twice. */
#include "plan/rule.h"

static bool
is_trivial(const BoundExpr *expr)
{
	return expr->kind == BOUND_COLUMN || expr->kind == BOUND_CONSTANT;
}

/* Whether replacing the project's columns in expressions that use them so often computes nothing
 * twice. */
static bool
can_inline(const PlanNode *project, const uint32_t *uses)
{
	for (uint32_t i = 0; i < project->schema.count; i++)
		if (uses[i] > 1 && !is_trivial(project->project.exprs[i]))
			return false;
	return true;
}

static bool
only_trivial(const PlanNode *project, const uint32_t *uses)
{
	for (uint32_t i = 0; i < project->schema.count; i++)
		if (uses[i] > 0 && !is_trivial(project->project.exprs[i]))
			return false;
	return true;
}

/* Filter over Project -> Project over Filter. */
static PlanNode *
sink_filter(Arena *arena, PlanNode *filter)
{
	PlanNode *project = filter->input;
	uint32_t *uses = uses_of(arena, filter->filter.conjuncts, filter->filter.count,
				 project->schema.count);

	if (!only_trivial(project, uses))
		return filter;
	substitute_all(arena, &filter->filter.conjuncts, filter->filter.count,
		       project->project.exprs);
	filter->input = project->input;
	filter->schema = project->input->schema;
	project->input = filter;
	return project;
}

void
join_filters(Arena *arena, PlanNode *filter)
{
	PlanNode *inner = filter->input;
	uint32_t count = inner->filter.count + filter->filter.count;
	BoundExpr **conjuncts = ARENA_ARRAY(arena, BoundExpr *, count);

	memcpy(conjuncts, inner->filter.conjuncts, sizeof *conjuncts * inner->filter.count);
	memcpy(conjuncts + inner->filter.count, filter->filter.conjuncts,
	       sizeof *conjuncts * filter->filter.count);
	filter->filter.conjuncts = conjuncts;
	filter->filter.count = count;
	filter->input = inner->input;
}

PlanNode *
merge_nodes(Arena *arena, PlanNode *node)
{
	if (node->input == NULL)
		return node;
	node->input = merge_nodes(arena, node->input);
	if (node->kind == PLAN_FILTER && node->input->kind == PLAN_PROJECT) {
		PlanNode *top = sink_filter(arena, node);

		if (top != node) {
			top->input = merge_nodes(arena, top->input);
			return top;
		}
	}
	if (node->kind == PLAN_FILTER && node->input->kind == PLAN_FILTER)
		join_filters(arena, node);
	if (node->kind == PLAN_PROJECT && node->input->kind == PLAN_PROJECT) {
		PlanNode *inner = node->input;
		uint32_t *uses = uses_of(arena, node->project.exprs, node->schema.count,
					 inner->schema.count);

		if (can_inline(inner, uses)) {
			substitute_all(arena, &node->project.exprs, node->schema.count,
				       inner->project.exprs);
			node->input = inner->input;
		}
	}
	return node;
}
