/* plan/rule_prune.c -- the columns that nodes between the scan and the sink hand on: only those
 * that the nodes above them read. */
#include "plan/rule.h"

/* ---------------------------------------------------------------- nodes that hand on columns */

/* Whether the node hands on columns of its input, first among its own. */
bool
passes_columns(const PlanNode *node)
{
	return node->kind == PLAN_JOIN || node->kind == PLAN_OVER || node->kind == PLAN_UNNEST ||
	       node->kind == PLAN_WINDOW || node->kind == PLAN_LOOKUP || node->kind == PLAN_TABLE;
}

BoundExpr **
left_columns(const PlanNode *node)
{
	return node->kind == PLAN_JOIN     ? node->join.left
	       : node->kind == PLAN_UNNEST ? node->unnest.left
	       : node->kind == PLAN_WINDOW ? node->window.left
	       : node->kind == PLAN_LOOKUP ? node->lookup.left
	       : node->kind == PLAN_TABLE  ? node->table.left
					   : node->over.left;
}

uint32_t *
left_column_count(PlanNode *node)
{
	return node->kind == PLAN_JOIN     ? &node->join.left_count
	       : node->kind == PLAN_UNNEST ? &node->unnest.left_count
	       : node->kind == PLAN_WINDOW ? &node->window.left_count
	       : node->kind == PLAN_LOOKUP ? &node->lookup.left_count
	       : node->kind == PLAN_TABLE  ? &node->table.left_count
					   : &node->over.left_count;
}

void
prune_join(Arena *arena, PlanNode *join, PlanNode *const *path, uint32_t depth)
{
	Columns uses = scan_uses(arena, path, depth, join, false);
	uint32_t left = join->join.left_count;
	uint32_t count = left + join->join.right_count;
	uint32_t keys = join->join.key_count;
	bool left_alone = join->schema.count == left;
	PlanNode *table = join->join.right; /* a Project: keys, then the columns */
	uint32_t *wanted = ARENA_ARRAY(arena, uint32_t, count + 1);
	BoundExpr **renumbered = ARENA_ARRAY(arena, BoundExpr *, count + 1);
	Field *fields = ARENA_ARRAY(arena, Field, count + 1);
	uint32_t kept = 0;

	if (join->join.residual != NULL)
		count_columns(join->join.residual, wanted);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t from = keys + i - left;

		if (i == left)
			join->join.left_count = kept;
		if (wanted[i] == 0 && (i >= join->schema.count || uses.values[i] == 0))
			continue;
		fields[kept] = i < join->schema.count ? join->schema.fields[i]
						      : table->schema.fields[from];
		renumbered[i] = bound_column(arena, kept, fields[kept].type, fields[kept].name,
					     join->position);
		if (i < left) {
			join->join.left[kept++] = join->join.left[i];
			continue;
		}
		uint32_t to = keys + kept++ - join->join.left_count;
		table->project.exprs[to] = table->project.exprs[from];
		table->schema.fields[to] = table->schema.fields[from];
	}
	if (left == count)
		join->join.left_count = kept;
	join->join.right_count = kept - join->join.left_count;
	table->schema.count = keys + join->join.right_count;
	if (join->join.residual != NULL)
		join->join.residual = bound_substitute(arena, join->join.residual, renumbered);
	join->schema = (Schema){fields, left_alone ? join->join.left_count : kept};
	renumber(arena, path, depth, join, renumbered);
}

void
prune_left(Arena *arena, PlanNode *node, PlanNode *const *path, uint32_t depth)
{
	Columns uses = scan_uses(arena, path, depth, node, false);
	uint32_t count = node->schema.count;
	BoundExpr **exprs = left_columns(node);
	uint32_t left = *left_column_count(node);
	BoundExpr **renumbered = ARENA_ARRAY(arena, BoundExpr *, count);
	Field *fields = ARENA_ARRAY(arena, Field, count);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i < left && uses.values[i] == 0)
			continue;
		fields[kept] = node->schema.fields[i];
		renumbered[i] = bound_column(arena, kept, fields[kept].type, fields[kept].name,
					     node->position);
		if (i < left)
			exprs[kept] = exprs[i];
		kept++;
	}
	if (node->kind == PLAN_OVER && node->over.mode == OVER_TOP)
		node->over.number_read = uses.values[left] > 0;
	*left_column_count(node) = left - (count - kept);
	node->schema = (Schema){fields, kept};
	renumber(arena, path, depth, node, renumbered);
}

void
prune_unnest(Arena *arena, PlanNode *unnest, PlanNode *const *path, uint32_t depth)
{
	Columns uses = scan_uses(arena, path, depth, unnest, false);
	uint32_t count = unnest->schema.count;
	uint32_t left = unnest->unnest.left_count;
	BoundExpr **renumbered = ARENA_ARRAY(arena, BoundExpr *, count);
	Field *fields = ARENA_ARRAY(arena, Field, count);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (i == left)
			unnest->unnest.left_count = kept;
		if (uses.values[i] == 0)
			continue;
		fields[kept] = unnest->schema.fields[i];
		renumbered[i] = bound_column(arena, kept, fields[kept].type, fields[kept].name,
					     unnest->position);
		if (i < left)
			unnest->unnest.left[kept] = unnest->unnest.left[i];
		else
			unnest->unnest.columns[kept - unnest->unnest.left_count] =
				unnest->unnest.columns[i - left];
		kept++;
	}
	unnest->unnest.column_count = kept - unnest->unnest.left_count;
	unnest->schema = (Schema){fields, kept};
	renumber(arena, path, depth, unnest, renumbered);
}

/* The fields that an Unnest of sessions reads, numbered anew; of none the first is kept. */
static BoundExpr *
used_fields(Arena *arena, PlanNode *unnest, const BoundExpr *row)
{
	BoundExpr *kept = ARENA_NEW(arena, BoundExpr);
	Field *fields = ARENA_ARRAY(arena, Field, row->arg_count);

	*kept = *row;
	kept->args = ARENA_ARRAY(arena, BoundExpr *, row->arg_count);
	kept->arg_count = 0;
	for (uint32_t i = 0; i < unnest->unnest.column_count; i++) {
		UnnestColumn *column = &unnest->unnest.columns[i];

		fields[kept->arg_count] = row->type->fields[column->field];
		kept->args[kept->arg_count] = row->args[column->field];
		column->field = (int32_t)kept->arg_count++;
	}
	if (kept->arg_count == 0) {
		fields[0] = row->type->fields[0];
		kept->args[kept->arg_count++] = row->args[0];
	}
	kept->type = type_struct(arena, fields, kept->arg_count);
	return kept;
}

void
prune_sessions(Arena *arena, PlanNode *unnest)
{
	PlanNode *sessions = unnest->input;
	AggregateCall *call = ARENA_NEW(arena, AggregateCall);
	BoundExpr *array = ARENA_NEW(arena, BoundExpr);

	while (sessions->kind != PLAN_AGGREGATE)
		sessions = sessions->input;
	*call = *sessions->aggregate.calls[0];
	call->args = ARENA_ARRAY(arena, BoundExpr *, 1);
	call->args[0] = used_fields(arena, unnest, sessions->aggregate.calls[0]->args[0]);
	call->type = type_array(arena, call->args[0]->type);
	sessions->aggregate.calls[0] = call;
	*array = *unnest->unnest.arrays[0];
	array->type = call->type;
	unnest->unnest.arrays[0] = array;
	/* A filter between the two has the same fields. */
	sessions->schema.fields[array->column].type = call->type;
}

/* ---------------------------------------------------------------- nodes of several inputs */

bool
is_join_leaf(const PlanNode *node)
{
	return node->kind == PLAN_STREAM_JOIN || node->kind == PLAN_VERSIONED_JOIN;
}

/* Of a Project keep the columns that are used. */
static void
prune_project(Arena *arena, PlanNode *project, const uint32_t *uses)
{
	uint32_t count = project->schema.count;
	BoundExpr **exprs = ARENA_ARRAY(arena, BoundExpr *, count);
	Field *fields = ARENA_ARRAY(arena, Field, count);
	bool *key = ARENA_ARRAY(arena, bool, count);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < count; i++) {
		if (uses[i] == 0)
			continue;
		exprs[kept] = project->project.exprs[i];
		key[kept] = project->project.key[i];
		fields[kept++] = project->schema.fields[i];
	}
	project->project.exprs = exprs;
	project->project.key = key;
	project->schema = (Schema){fields, kept};
}

void
prune_stream_join(Arena *arena, PlanNode *leaf, const Columns *uses, BoundExpr **renumbered)
{
	uint32_t left = leaf->stream_join.left_count;
	uint32_t count = left + leaf->stream_join.right_count;
	uint32_t first = leaf->stream_join.key_count + leaf->stream_join.timed;
	bool left_alone = leaf->schema.count == left;
	uint32_t *wanted = ARENA_ARRAY(arena, uint32_t, count + 1);
	uint32_t *of_side[2] = {ARENA_ARRAY(arena, uint32_t, first + left + 1),
				ARENA_ARRAY(arena, uint32_t, first + count - left + 1)};
	BoundExpr **all = ARENA_ARRAY(arena, BoundExpr *, count + 1);
	Field *fields = ARENA_ARRAY(arena, Field, count + 1);
	uint32_t kept = 0;
	uint32_t kept_left = 0;

	if (leaf->stream_join.residual != NULL)
		count_columns(leaf->stream_join.residual, wanted);
	for (uint32_t i = 0; i < first; i++)
		of_side[0][i] = of_side[1][i] = 1;
	for (uint32_t i = 0; i < count; i++) {
		if (i < leaf->schema.count)
			wanted[i] += uses->values[i] + uses->passes[i];
		of_side[i >= left][first + i - (i < left ? 0 : left)] = wanted[i];
		if (wanted[i] == 0)
			continue;
		const Field *field =
			&leaf->inputs[i >= left]->schema.fields[first + i - (i < left ? 0 : left)];
		all[i] = bound_column(arena, kept, field->type, field->name, leaf->position);
		if (i < leaf->schema.count)
			renumbered[i] = all[i];
		fields[kept++] = i < leaf->schema.count ? leaf->schema.fields[i] : *field;
		kept_left += i < left;
	}
	if (leaf->stream_join.residual != NULL)
		leaf->stream_join.residual =
			bound_substitute(arena, leaf->stream_join.residual, all);
	for (uint32_t s = 0; s < 2; s++) {
		prune_project(arena, leaf->inputs[s], of_side[s]);
		leaf->inputs[s] = plan_push_down(arena, leaf->inputs[s], false);
	}
	leaf->stream_join.left_count = kept_left;
	leaf->stream_join.right_count = kept - kept_left;
	leaf->schema = (Schema){fields, left_alone ? kept_left : kept};
}

void
prune_inputs(Arena *arena, PlanNode *leaf, const Columns *uses, BoundExpr **renumbered)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < leaf->schema.count; i++) {
		const Field *field = &leaf->schema.fields[i];

		uses->values[i] += uses->passes[i];
		if (uses->values[i] > 0)
			renumbered[i] = bound_column(arena, kept++, field->type, field->name,
						     leaf->position);
	}
	for (uint32_t i = 0; i < leaf->input_count; i++) {
		prune_project(arena, leaf->inputs[i], uses->values);
		leaf->inputs[i] = plan_push_down(arena, leaf->inputs[i], false);
	}
	leaf->schema = leaf->inputs[0]->schema;
}
