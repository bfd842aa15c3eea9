/* plan/rules.c -- merging nodes, pushing predicates and projections into the scan.
 *
 * A predicate does not pass a Watermark: the event time is that of all records. */
#include "plan/rules.h"

#include "func/function.h"
#include "plan/slots.h"

/* ---------------------------------------------------------------- expressions */

BoundExpr *
bound_substitute(Arena *arena, const BoundExpr *expr, BoundExpr *const *replacements)
{
	if (expr->kind == BOUND_COLUMN)
		return replacements[expr->column];
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++) {
		copy->args[i] = bound_substitute(arena, expr->args[i], replacements);
		if (copy->args[i] == NULL)
			return NULL;
	}
	return copy;
}

static void
substitute_all(Arena *arena, BoundExpr ***exprs, uint32_t count, BoundExpr *const *replacements)
{
	BoundExpr **copies = ARENA_ARRAY(arena, BoundExpr *, count);

	for (uint32_t i = 0; i < count; i++)
		copies[i] = bound_substitute(arena, (*exprs)[i], replacements);
	*exprs = copies;
}

static void
count_columns(const BoundExpr *expr, uint32_t *uses)
{
	if (expr->kind == BOUND_COLUMN)
		uses[expr->column]++;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		count_columns(expr->args[i], uses);
}

static uint32_t *
uses_of(Arena *arena, BoundExpr *const *exprs, uint32_t count, uint32_t columns)
{
	uint32_t *uses = ARENA_ARRAY(arena, uint32_t, columns + 1);

	for (uint32_t i = 0; i < count; i++)
		count_columns(exprs[i], uses);
	return uses;
}

static bool
is_trivial(const BoundExpr *expr)
{
	return expr->kind == BOUND_COLUMN || expr->kind == BOUND_CONSTANT;
}

/* ---------------------------------------------------------------- merging */

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

/* Filter over Filter -> one Filter; the inner conjuncts run first. */
static void
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

/* Merge from the scan upwards, so that each node meets an input that is merged already. */
static PlanNode *
merge(Arena *arena, PlanNode *node)
{
	if (node->input == NULL)
		return node;
	node->input = merge(arena, node->input);
	if (node->kind == PLAN_FILTER && node->input->kind == PLAN_PROJECT) {
		PlanNode *top = sink_filter(arena, node);

		if (top != node) {
			top->input = merge(arena, top->input);
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

/* ---------------------------------------------------------------- predicates */

static const struct {
	Str name;
	CompareOp op;
	CompareOp mirrored; /* constant <op> column */
} comparisons[] = {
	{STR_INIT("="), COMPARE_EQ, COMPARE_EQ}, {STR_INIT("<>"), COMPARE_NE, COMPARE_NE},
	{STR_INIT("<"), COMPARE_LT, COMPARE_GT}, {STR_INIT("<="), COMPARE_LE, COMPARE_GE},
	{STR_INIT(">"), COMPARE_GT, COMPARE_LT}, {STR_INIT(">="), COMPARE_GE, COMPARE_LE},
};

/* The column below conversions that change no value: between exact numbers, to a wider one. */
static const BoundExpr *
widened_column(const BoundExpr *expr)
{
	while (expr->kind == BOUND_CAST && expr->cast == CAST_IMPLICIT &&
	       type_is_exact(expr->type) && type_is_exact(expr->args[0]->type)) {
		const Type *from = expr->args[0]->type;
		const Type *to = expr->type;
		int from_digits = from->kind == TYPE_DECIMAL ? from->precision - from->scale
							     : type_integer_digits(from->kind);
		int to_digits = to->kind == TYPE_DECIMAL ? to->precision - to->scale
							 : type_integer_digits(to->kind);

		if (to_digits < from_digits || to->scale < from->scale)
			break;
		expr = expr->args[0];
	}
	return expr->kind == BOUND_COLUMN ? expr : NULL;
}

static Int128
exact_value(const Value *value)
{
	return type_physical(value->type) == PHYSICAL_INT128 ? value->int128 : value->int64;
}

/* An exact constant as a value of the exact type `to`, if that loses nothing. */
static bool
exact_as(const Value *from, const Type *to, Value *out)
{
	Int128 number;
	int64_t min, max;

	if (decimal_rescale128(exact_value(from), from->type->scale, DECIMAL_MAX_PRECISION,
			       to->scale, ROUND_EXACT, &number) != DECIMAL_OK)
		return false;
	*out = (Value){.type = to};
	if (type_physical(to) == PHYSICAL_INT128) {
		out->int128 = number;
		return decimal_fits128(number, to->precision);
	}
	if (number != (int64_t)number)
		return false;
	out->int64 = (int64_t)number;
	if (to->kind == TYPE_DECIMAL)
		return decimal_fits64(out->int64, to->precision);
	type_integer_range(to->kind, &min, &max);
	return out->int64 >= min && out->int64 <= max;
}

static bool
constant_as(const Value *from, const Type *to, Value *out)
{
	if (from->is_null)
		return false;
	if (type_is_exact(from->type) && type_is_exact(to))
		return exact_as(from, to, out);
	*out = *from;
	return type_equal(from->type, to) && to->field_count == 0 && to->kind != TYPE_INTERVAL &&
	       to->kind != TYPE_JSON && to->kind != TYPE_BYTES;
}

/* `conjunct` as column <op> constant on a field of the scan's records. */
static bool
as_predicate(const PlanNode *scan, const BoundExpr *conjunct, uint32_t *column, CompareOp *op,
	     Value *constant)
{
	if (conjunct->kind == BOUND_COLUMN && conjunct->type->kind == TYPE_BOOLEAN) {
		*column = conjunct->column;
		*op = COMPARE_EQ;
		*constant = (Value){.type = TYPE_OF(BOOLEAN), .boolean = true};
		return scan->scan.columns[*column].source == SCAN_FIELD;
	}
	if (conjunct->kind != BOUND_CALL || conjunct->arg_count != 2)
		return false;
	Str name = function_name(conjunct->function);
	for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
		if (!str_eq(name, comparisons[i].name))
			continue;
		bool mirrored = conjunct->args[0]->kind == BOUND_CONSTANT;
		const BoundExpr *field = widened_column(conjunct->args[mirrored]);
		const BoundExpr *value = conjunct->args[!mirrored];

		if (field == NULL || value->kind != BOUND_CONSTANT ||
		    scan->scan.columns[field->column].source != SCAN_FIELD)
			return false;
		*column = field->column;
		*op = mirrored ? comparisons[i].mirrored : comparisons[i].op;
		return constant_as(&value->constant, field->type, constant);
	}
	return false;
}

/* Move what the decoder can decide from the filter into the scan. */
static void
push_predicates(Arena *arena, PlanNode *filter, PlanNode *scan)
{
	uint32_t kept = 0;

	scan->scan.predicates = ARENA_ARRAY(arena, DecodePredicate, filter->filter.count);
	scan->scan.predicate_exprs = ARENA_ARRAY(arena, BoundExpr *, filter->filter.count);
	for (uint32_t i = 0; i < filter->filter.count; i++) {
		BoundExpr *conjunct = filter->filter.conjuncts[i];
		DecodePredicate *predicate = &scan->scan.predicates[scan->scan.predicate_count];

		if (!as_predicate(scan, conjunct, &predicate->column, &predicate->op,
				  &predicate->constant)) {
			filter->filter.conjuncts[kept++] = conjunct;
			continue;
		}
		scan->scan.predicate_exprs[scan->scan.predicate_count++] = conjunct;
	}
	filter->filter.count = kept;
}

/* ---------------------------------------------------------------- columns */

static bool
passes_as_text(const ScanColumn *column)
{
	return column->source == SCAN_FIELD && type_is_exact(column->type);
}

typedef struct Columns {
	uint32_t *values; /* how often an expression reads it */
	uint32_t *passes; /* how often it goes to the sink as it is */
} Columns;

/* Whether the node yields columns of its own rather than its input's. */
static bool
makes_columns(const PlanNode *node)
{
	return node->kind == PLAN_PROJECT || node->kind == PLAN_AGGREGATE ||
	       node->kind == PLAN_JOIN || node->kind == PLAN_OVER || node->kind == PLAN_UNNEST ||
	       node->kind == PLAN_WINDOW || node->kind == PLAN_LOOKUP || node->kind == PLAN_TABLE;
}

/* How the nodes of the path, from the scan up, use the scan's columns. */
static Columns
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

static void
pass_as_text(const BoundExpr *expr, Columns *uses)
{
	if (expr->kind != BOUND_COLUMN)
		return;
	uses->values[expr->column]--;
	uses->passes[expr->column]++;
}

/* What an Over node only hands on, or takes from another row, and the select list above it only
 * gives to the sink, nobody reads. */
static void
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

/* The nodes of the path read the columns of `node` under their new numbers. */
static void
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

/* Keep the columns in use, renumber them, and write the decoder's list. */
static void
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

/* ---------------------------------------------------------------- joins, UNNEST, windows, lookups
 */

/* Whether the node hands on columns of its input, first among its own. */
static bool
passes_columns(const PlanNode *node)
{
	return node->kind == PLAN_JOIN || node->kind == PLAN_OVER || node->kind == PLAN_UNNEST ||
	       node->kind == PLAN_WINDOW || node->kind == PLAN_LOOKUP || node->kind == PLAN_TABLE;
}

static BoundExpr **
left_columns(const PlanNode *node)
{
	return node->kind == PLAN_JOIN     ? node->join.left
	       : node->kind == PLAN_UNNEST ? node->unnest.left
	       : node->kind == PLAN_WINDOW ? node->window.left
	       : node->kind == PLAN_LOOKUP ? node->lookup.left
	       : node->kind == PLAN_TABLE  ? node->table.left
					   : node->over.left;
}

static uint32_t *
left_column_count(PlanNode *node)
{
	return node->kind == PLAN_JOIN     ? &node->join.left_count
	       : node->kind == PLAN_UNNEST ? &node->unnest.left_count
	       : node->kind == PLAN_WINDOW ? &node->window.left_count
	       : node->kind == PLAN_LOOKUP ? &node->lookup.left_count
	       : node->kind == PLAN_TABLE  ? &node->table.left_count
					   : &node->over.left_count;
}

/* A filter over such a node but Over: conjuncts that read only the input's columns go below
 * it.
 */
static void
push_below(Arena *arena, PlanNode **link)
{
	PlanNode *filter = *link;
	PlanNode *join = filter->input;
	BoundExpr **left = left_columns(join);
	uint32_t left_count = *left_column_count(join);
	PlanNode *below = ARENA_NEW(arena, PlanNode);
	uint32_t kept = 0;

	*below = (PlanNode){.kind = PLAN_FILTER,
			    .position = filter->position,
			    .input = join->input,
			    .schema = join->input->schema};
	below->filter.conjuncts = ARENA_ARRAY(arena, BoundExpr *, filter->filter.count);
	for (uint32_t i = 0; i < filter->filter.count; i++) {
		BoundExpr *conjunct = filter->filter.conjuncts[i];
		uint32_t *uses = uses_of(arena, &conjunct, 1, join->schema.count);
		bool reads_table = false;

		for (uint32_t c = left_count; c < join->schema.count; c++)
			reads_table = reads_table || uses[c] > 0;
		if (reads_table)
			filter->filter.conjuncts[kept++] = conjunct;
		else
			below->filter.conjuncts[below->filter.count++] =
				bound_substitute(arena, conjunct, left);
	}
	filter->filter.count = kept;
	if (below->filter.count > 0) {
		join->input = below;
		if (below->input->kind == PLAN_FILTER)
			join_filters(arena, below);
	}
	if (kept == 0)
		*link = join;
}

/* Keep the columns of a join that its own condition and the nodes above it read; path[0..depth)
 * reads them. */
static void
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

/* Keep the columns that an Over, Window or Lookup node passes on and the nodes above it read. */
static void
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

/* Keep the columns of an Unnest node that the nodes above it read. */
static void
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

/* The nodes that read the scan's columns, from the scan up: through the first that makes its own.
 */
static uint32_t
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

/* Whether all columns are read, whatever the expressions of the path say. */
static bool
needs_all(PlanNode *const *path, uint32_t depth)
{
	for (uint32_t d = 0; d < depth; d++)
		if (path[d]->kind == PLAN_DISTINCT)
			return true;
	return depth == 0 || !makes_columns(path[depth - 1]);
}

static PlanNode *push_down(Arena *arena, PlanNode *root, bool encoded);

static void
push_down_lookup(Arena *arena, Lookup *lookup)
{
	lookup->query = push_down(arena, lookup->query, false);
	if (lookup->nothing != NULL)
		lookup->nothing = push_down(arena, lookup->nothing, false);
}

/* From the top, so that a node asks the one below it only for what it needs itself. */
static bool
is_column(const BoundExpr *expr, uint32_t column)
{
	while (expr->kind == BOUND_CAST && expr->cast == CAST_IMPLICIT)
		expr = expr->args[0];
	return expr->kind == BOUND_COLUMN && expr->column == column;
}

/* Of `column <= n`, `column < n`, `column = 1` the greatest number that passes; 0: it is another
 * condition. */
static uint64_t
greatest_number(const BoundExpr *expr, uint32_t column)
{
	if (expr->kind != BOUND_CALL || expr->arg_count != 2 || !is_column(expr->args[0], column))
		return 0;
	const BoundExpr *number = expr->args[1];
	Str op = function_name(expr->function);
	if (number->kind != BOUND_CONSTANT || number->constant.is_null ||
	    !type_is_integer(number->type) || number->constant.int64 < 1 ||
	    number->constant.int64 > UINT32_MAX / 2)
		return 0;
	uint64_t value = (uint64_t)number->constant.int64;
	if (str_eq(op, STR("<=")) || (str_eq(op, STR("=")) && value == 1))
		return value;
	return str_eq(op, STR("<")) ? value - 1 : 0;
}

/* Of rows numbered by ROW_NUMBER alone the filter above lets the first n pass: no more are kept. */
static void
keep_top(PlanNode **link)
{
	PlanNode *filter = *link;
	PlanNode *over = filter->input;
	uint32_t kept = 0;

	if (over->over.mode != OVER_SORTED || over->over.call_count != 1 || over->over.numbered ||
	    over->over.calls[0].function != OVER_ROW_NUMBER)
		return;
	for (uint32_t i = 0; i < filter->filter.count; i++) {
		BoundExpr *conjunct = filter->filter.conjuncts[i];
		uint64_t top = greatest_number(conjunct, over->over.left_count);

		if (top == 0) {
			filter->filter.conjuncts[kept++] = conjunct;
			continue;
		}
		if (over->over.mode != OVER_TOP || top < over->over.top)
			over->over.top = top;
		over->over.mode = OVER_TOP;
	}
	filter->filter.count = kept;
	if (kept == 0)
		*link = over;
}

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
		if (node->kind == PLAN_JOIN)
			node->join.right = push_down(arena, node->join.right, false);
		for (uint32_t i = 0; node->kind == PLAN_LOOKUP && i < node->lookup.call_count; i++)
			push_down_lookup(arena, &node->lookup.calls[i]);
	}
}

/* ---------------------------------------------------------------- several inputs */

/* The node with a Project on top that hands on all columns. */
static PlanNode *
project_over(Arena *arena, PlanNode *input)
{
	PlanNode *project = ARENA_NEW(arena, PlanNode);
	uint32_t count = input->schema.count;

	if (input->kind == PLAN_PROJECT)
		return input;
	*project = (PlanNode){.kind = PLAN_PROJECT, .input = input, .position = input->position};
	project->schema = (Schema){ARENA_ARRAY(arena, Field, count), count};
	project->project.exprs = ARENA_ARRAY(arena, BoundExpr *, count);
	project->project.key = ARENA_ARRAY(arena, bool, count);
	for (uint32_t i = 0; i < count; i++) {
		project->schema.fields[i] = input->schema.fields[i];
		project->project.exprs[i] =
			bound_column(arena, i, input->schema.fields[i].type,
				     input->schema.fields[i].name, input->position);
	}
	return project;
}

/* A filter over a union goes into each of its inputs; so it does over INTERSECT and EXCEPT, whose
 * rows are equal in all columns. */
static void
push_below_union(Arena *arena, PlanNode **link)
{
	PlanNode *filter = *link;
	PlanNode *leaf = filter->input;

	for (uint32_t i = 0; i < leaf->input_count; i++) {
		PlanNode *project = leaf->inputs[i];
		PlanNode *below = ARENA_NEW(arena, PlanNode);

		*below = (PlanNode){.kind = PLAN_FILTER,
				    .position = filter->position,
				    .input = project,
				    .schema = project->schema};
		below->filter.count = filter->filter.count;
		below->filter.conjuncts = ARENA_ARRAY(arena, BoundExpr *, filter->filter.count);
		memcpy(below->filter.conjuncts, filter->filter.conjuncts,
		       sizeof(BoundExpr *) * filter->filter.count);
		leaf->inputs[i] = project_over(arena, below);
	}
	*link = leaf;
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

static bool
is_join_leaf(const PlanNode *node)
{
	return node->kind == PLAN_STREAM_JOIN || node->kind == PLAN_VERSIONED_JOIN;
}

/* A filter over a join of two streams: what reads one side alone goes to that side, unless rows of
 * it come out with NULLs, or which of its rows comes out depends on all of them. */
static void
push_below_stream_join(Arena *arena, PlanNode **link)
{
	PlanNode *filter = *link;
	PlanNode *leaf = filter->input;
	JoinShape shape = leaf->stream_join.shape;
	bool versioned = leaf->kind == PLAN_VERSIONED_JOIN;
	uint32_t first = leaf->stream_join.key_count + leaf->stream_join.timed;
	uint32_t left = leaf->stream_join.left_count;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < filter->filter.count; i++) {
		BoundExpr *conjunct = filter->filter.conjuncts[i];
		uint32_t *uses = uses_of(arena, &conjunct, 1, leaf->schema.count);
		BoundExpr **below = ARENA_ARRAY(arena, BoundExpr *, leaf->schema.count);
		bool reads[2] = {false, false};

		for (uint32_t c = 0; c < leaf->schema.count; c++) {
			const Field *field = &leaf->schema.fields[c];

			reads[c >= left] = reads[c >= left] || uses[c] > 0;
			below[c] = bound_column(arena, first + c - (c < left ? 0 : left),
						field->type, field->name, leaf->position);
		}
		bool goes_left = reads[0] && !reads[1] && shape != SHAPE_RIGHT;
		bool goes_right = reads[1] && !reads[0] && shape != SHAPE_LEFT && !versioned;
		if (shape == SHAPE_FULL || (!goes_left && !goes_right)) {
			filter->filter.conjuncts[kept++] = conjunct;
			continue;
		}
		PlanNode **input = &leaf->inputs[goes_right];
		PlanNode *node = ARENA_NEW(arena, PlanNode);

		*node = (PlanNode){.kind = PLAN_FILTER,
				   .position = filter->position,
				   .input = *input,
				   .schema = (*input)->schema};
		node->filter.conjuncts = ARENA_ARRAY(arena, BoundExpr *, 1);
		node->filter.conjuncts[0] = bound_substitute(arena, conjunct, below);
		node->filter.count = 1;
		*input = project_over(arena, node);
	}
	filter->filter.count = kept;
	if (kept == 0)
		*link = leaf;
}

/* The columns that come out, and those that the rest of the condition reads. */
static void
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
		leaf->inputs[s] = push_down(arena, leaf->inputs[s], false);
	}
	leaf->stream_join.left_count = kept_left;
	leaf->stream_join.right_count = kept - kept_left;
	leaf->schema = (Schema){fields, left_alone ? kept_left : kept};
}

/* Each input yields only the columns that the nodes above the leaf read. */
static void
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
		leaf->inputs[i] = push_down(arena, leaf->inputs[i], false);
	}
	leaf->schema = leaf->inputs[0]->schema;
}

/* `encoded`: the root's rows go to a sink's encoder, which takes TEXT. */
static PlanNode *
push_down(Arena *arena, PlanNode *root, bool encoded)
{
	PlanNode **link = &root;
	PlanNode *scan;

	root = merge(arena, root);
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

PlanNode *
plan_push_down(Arena *arena, PlanNode *root, bool encoded)
{
	return push_down(arena, root, encoded);
}
