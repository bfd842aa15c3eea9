/* plan/rule_filter.c -- conditions on their way down: into the scan, below nodes that hand on
 * columns, into the inputs of a leaf; and ROW_NUMBER() <= n into its node.
 *
 * A predicate does not pass a Watermark: the event time is that of all records. */
#include "plan/rule.h"

#include "func/function.h"

/* ---------------------------------------------------------------- into the scan */

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

void
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

/* ---------------------------------------------------------------- below a node */

void
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

void
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

/* ---------------------------------------------------------------- into the inputs */

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

void
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

void
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
