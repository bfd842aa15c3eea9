/* plan/rule_columns.c -- the columns that a scan must decode.
 *
 * Only those that somebody reads; an exact number that only goes from the record to the sink is
 * asked for as TEXT. */
#include "plan/rule.h"

#include "plan/slots.h"

/* ---------------------------------------------------------------- who reads which column */

bool
makes_columns(const PlanNode *node)
{
	return node->kind == PLAN_PROJECT || node->kind == PLAN_AGGREGATE ||
	       node->kind == PLAN_JOIN || node->kind == PLAN_OVER || node->kind == PLAN_UNNEST ||
	       node->kind == PLAN_WINDOW || node->kind == PLAN_LOOKUP || node->kind == PLAN_TABLE;
}

uint32_t
scan_path(Arena *arena, PlanNode *root, const PlanNode *scan, PlanNode ***path)
{
	uint32_t depth = 0;
	uint32_t first = 0;
	uint32_t at;

	for (PlanNode *node = root; node != scan; node = node->input)
		depth++;
	*path = ARENA_ARRAY(arena, PlanNode *, depth + 1);
	at = depth;
	for (PlanNode *node = root; node != scan; node = node->input)
		(*path)[--at] = node;
	while (first < depth && !makes_columns((*path)[first]))
		first++;
	return first < depth ? first + 1 : depth;
}

bool
needs_all(PlanNode *const *path, uint32_t depth)
{
	for (uint32_t d = 0; d < depth; d++)
		if (path[d]->kind == PLAN_DISTINCT)
			return true;
	return depth == 0 || !makes_columns(path[depth - 1]);
}

Columns
scan_uses(Arena *arena, PlanNode *const *path, uint32_t depth, const PlanNode *scan, bool to_sink)
{
	Columns uses = {ARENA_ARRAY(arena, uint32_t, scan->schema.count + 1),
			ARENA_ARRAY(arena, uint32_t, scan->schema.count + 1)};

	for (uint32_t d = 0; d < depth; d++) {
		Slots slots = slots_of(arena, path[d]);
		bool passes = path[d]->kind == PLAN_PROJECT && to_sink;

		for (uint32_t i = 0; i < slots.count; i++) {
			const BoundExpr *expr = *slots.items[i];

			if (passes && expr->kind == BOUND_COLUMN)
				uses.passes[expr->column]++;
			else
				count_columns(expr, uses.values);
		}
	}
	return uses;
}

void
renumber(Arena *arena, PlanNode *const *path, uint32_t depth, const PlanNode *node,
	 BoundExpr *const *renumbered)
{
	for (uint32_t d = 0; d < depth; d++) {
		Slots slots = slots_of(arena, path[d]);

		for (uint32_t i = 0; i < slots.count; i++)
			*slots.items[i] = bound_substitute(arena, *slots.items[i], renumbered);
		if (!makes_columns(path[d]))
			path[d]->schema = node->schema;
	}
}

/* ---------------------------------------------------------------- text */

static bool
passes_as_text(const ScanColumn *column)
{
	return column->source == SCAN_FIELD && type_is_exact(column->type);
}

static void
pass_as_text(const BoundExpr *expr, Columns *uses)
{
	if (expr->kind != BOUND_COLUMN)
		return;
	uses->values[expr->column]--;
	uses->passes[expr->column]++;
}

void
pass_through_over(Arena *arena, const PlanNode *over, const PlanNode *project, Columns *uses)
{
	uint32_t *reads = ARENA_ARRAY(arena, uint32_t, over->schema.count + 1);

	for (uint32_t i = 0; i < project->schema.count; i++)
		if (project->project.exprs[i]->kind != BOUND_COLUMN)
			count_columns(project->project.exprs[i], reads);
	for (uint32_t i = 0; i < over->over.left_count; i++)
		if (reads[i] == 0)
			pass_as_text(over->over.left[i], uses);
	for (uint32_t i = 0; i < over->over.call_count; i++) {
		const OverCall *call = &over->over.calls[i];

		if (call->value != NULL && call->otherwise == NULL &&
		    reads[over->over.left_count + i] == 0)
			pass_as_text(call->value, uses);
	}
}

/* ---------------------------------------------------------------- the scan */

void
prune_scan(Arena *arena, PlanNode *scan, const Columns *uses, BoundExpr **renumbered)
{
	uint32_t count = scan->schema.count;
	ScanColumn *columns = ARENA_ARRAY(arena, ScanColumn, count);
	Field *fields = ARENA_ARRAY(arena, Field, count);
	uint32_t kept = 0;

	scan->scan.decode = ARENA_ARRAY(arena, DecodeColumn, count + scan->scan.predicate_count);
	for (uint32_t i = 0; i < count; i++) {
		ScanColumn *column = &columns[kept];

		if (uses->values[i] + uses->passes[i] == 0)
			continue;
		*column = scan->scan.columns[i];
		column->used = true;
		column->form =
			uses->values[i] == 0 && passes_as_text(column) ? FORM_TEXT : FORM_VALUE;
		fields[kept] = scan->schema.fields[i];
		renumbered[i] =
			bound_column(arena, kept, column->type, column->name, scan->position);
		if (column->source == SCAN_FIELD)
			scan->scan.decode[scan->scan.decode_count++] = (DecodeColumn){
				.name = column->name,
				.type = column->type,
				.not_null = column->not_null,
				.form = column->form,
				.target = kept,
			};
		kept++;
	}
	for (uint32_t p = 0; p < scan->scan.predicate_count; p++) {
		const ScanColumn *column = &scan->scan.columns[scan->scan.predicates[p].column];
		uint32_t d = 0;

		while (d < scan->scan.decode_count &&
		       (scan->scan.decode[d].form != FORM_VALUE ||
			!str_eq(scan->scan.decode[d].name, column->name)))
			d++;
		if (d == scan->scan.decode_count)
			scan->scan.decode[scan->scan.decode_count++] = (DecodeColumn){
				.name = column->name,
				.type = column->type,
				.not_null = column->not_null,
				.target = DECODE_NO_TARGET,
			};
		scan->scan.predicates[p].column = d;
	}
	scan->scan.columns = columns;
	scan->schema = (Schema){fields, kept};
}
