/* plan/bind_order.c -- DISTINCT, ORDER BY, OFFSET and LIMIT: what is done to the rows of a select
 * list.
 *
 * ORDER BY names a column of the select list by number or by name, or is an expression over the
 * input's columns or, failing that, over the select list's.  What the select list lacks is added to
 * its Project as a hidden column and taken off again behind the Sort:
 *
 *     Project (with hidden columns) -> Distinct -> Sort -> Project (without) -> Limit */
#include "func/function.h"
#include "plan/bind.h"

/* ---------------------------------------------------------------- ORDER BY */

static BoundExpr *
output_column(Binder *binder, const PlanNode *project, uint32_t column, Position at)
{
	const Field *field = &project->schema.fields[column];

	return bound_column(binder->arena, column, field->type, field->name, at);
}

/* A copy in which each column of the select list is replaced by its expression. */
static BoundExpr *
over_input(Arena *arena, const BoundExpr *expr, BoundExpr *const *replacements)
{
	if (expr->kind == BOUND_COLUMN && replacements != NULL)
		return over_input(arena, replacements[expr->column], NULL);
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		copy->args[i] = over_input(arena, expr->args[i], replacements);
	return copy;
}

static Status
bind_ordinal(Binder *binder, const Expr *expr, uint32_t named, uint32_t *column)
{
	uint32_t ordinal = 0;

	for (uint32_t i = 0; i < expr->literal.len && ordinal < 100000; i++)
		ordinal = ordinal * 10 + (uint32_t)(expr->literal.data[i] - '0');
	if (ordinal < 1 || ordinal > named)
		return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, expr->position,
				    "ORDER BY %.*s: the select list has %u columns",
				    STR_ARG(expr->literal), named);
	*column = ordinal - 1;
	return FERRIS_OK;
}

/* Binds over the input's columns, else over the select list's; the first's error is told. */
static Status
bind_sort_expr(Binder *binder, Scope *scope, const PlanNode *project, uint32_t named,
	       const Expr *expr, BoundExpr **out)
{
	Scope output = {.count = named, .what = "ORDER BY"};
	Error ignored;
	Binder quiet = *binder;
	Status status = bind_expr(binder, scope, expr, out);

	if (status == FERRIS_OK)
		return FERRIS_OK;
	output.columns = ARENA_ARRAY(binder->arena, ScopeColumn, named);
	for (uint32_t i = 0; i < named; i++)
		output.columns[i] = (ScopeColumn){.name = project->schema.fields[i].name,
						  .type = project->schema.fields[i].type,
						  .index = i};
	quiet.err = &ignored;
	if (bind_expr(&quiet, &output, expr, out) != FERRIS_OK)
		return status;
	*out = over_input(binder->arena, *out, project->project.exprs);
	return FERRIS_OK;
}

static void
add_hidden(Binder *binder, PlanNode *project, BoundExpr *expr, Str text)
{
	uint32_t count = project->schema.count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, count + 1);
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count + 1);
	bool *key = ARENA_ARRAY(binder->arena, bool, count + 1);

	memcpy(fields, project->schema.fields, sizeof *fields * count);
	memcpy(exprs, project->project.exprs, sizeof *exprs * count);
	memcpy(key, project->project.key, sizeof *key * count);
	fields[count] = (Field){.name = text, .type = expr->type};
	exprs[count] = expr;
	project->schema = (Schema){fields, count + 1};
	project->project.exprs = exprs;
	project->project.key = key;
}

/* The column of the project that the item sorts by. */
static Status
bind_sort_column(Binder *binder, Scope *scope, PlanNode *project, uint32_t named, bool distinct,
		 const Expr *expr, uint32_t *column)
{
	BoundExpr *bound;

	if (expr->kind == EXPR_INTEGER)
		return bind_ordinal(binder, expr, named, column);
	if (expr->kind == EXPR_COLUMN && expr->column.count == 1)
		for (*column = 0; *column < named; ++*column)
			if (str_eq_nocase(project->schema.fields[*column].name,
					  expr->column.items[0].text))
				return FERRIS_OK;
	TRY(bind_sort_expr(binder, scope, project, named, expr, &bound));
	if (bound->type->kind == TYPE_NULL)
		TRY(bound_cast(binder->arena, bound, TYPE_OF(STRING), CAST_IMPLICIT, &bound,
			       binder->err));
	for (*column = 0; *column < project->schema.count; ++*column)
		if (bound_equal(project->project.exprs[*column], bound))
			return FERRIS_OK;
	if (distinct) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "SELECT DISTINCT is ordered by columns of its select list only");
		return error_hint(binder->err, "add %.*s to the select list", STR_ARG(expr->text));
	}
	add_hidden(binder, project, bound, expr->text);
	return FERRIS_OK;
}

/* Lists, maps and rows have no order. */
static Status
check_sortable(Binder *binder, BoundExpr *column, const Expr *expr)
{
	BoundExpr *pair[] = {column, column};
	BoundExpr *ignored;
	Error reason;

	if (type_physical(column->type) != PHYSICAL_LIST &&
	    type_physical(column->type) != PHYSICAL_STRUCT &&
	    function_bind(binder->arena, STR("<"), pair, 2, expr->position, &ignored, &reason) ==
		    FERRIS_OK)
		return FERRIS_OK;
	return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position, "%.*s has no order",
			    STR_ARG(type_text(binder->arena, column->type)));
}

Status
bind_order(Binder *binder, const Query *query, bool distinct, Scope *scope, PlanNode *project,
	   uint32_t headers, Sorting *out)
{
	*out = (Sorting){.visible = project->schema.count,
			 .named = project->schema.count - headers};
	out->keys = ARENA_ARRAY(binder->arena, OverKey, query->order.count);
	if (query->order.count > 0 && query->emit == EMIT_CHANGES) {
		error_set_at(binder->err, FERRIS_ERR_OPTION_CONFLICT,
			     query->order.items[0].expr->position,
			     "ORDER BY waits for the last row, EMIT CHANGES for none");
		return error_hint(binder->err, "leave one of them out");
	}
	for (uint32_t i = 0; i < query->order.count; i++) {
		const OrderItem *item = &query->order.items[i];
		uint32_t column = 0;

		TRY(bind_sort_column(binder, scope, project, out->named, distinct, item->expr,
				     &column));
		BoundExpr *expr = output_column(binder, project, column, item->expr->position);
		TRY(check_sortable(binder, expr, item->expr));
		out->keys[out->count++] = (OverKey){
			.expr = expr,
			.descending = item->descending,
			.nulls_first = item->nulls == NULLS_ORDER_DEFAULT
					       ? item->descending
					       : item->nulls == NULLS_ORDER_FIRST,
		};
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- LIMIT */

static Status
bind_count(Binder *binder, const Expr *expr, const char *what, int64_t *out)
{
	Scope none = {.what = what};
	BoundExpr *bound;

	if (expr == NULL)
		return FERRIS_OK;
	TRY(bind_expr(binder, &none, expr, &bound));
	if (bound->kind != BOUND_CONSTANT || !type_is_integer(bound->type) ||
	    bound->constant.is_null || bound->constant.int64 < 0)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
				    "%s needs a whole number from 0", what);
	*out = bound->constant.int64;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- nodes */

static PlanNode *
node_over(Binder *binder, PlanKind kind, PlanNode *input, Position at)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);

	*node = (PlanNode){.kind = kind, .position = at, .input = input, .schema = input->schema};
	return node;
}

static Status
add_sort(Binder *binder, const Query *query, const Sorting *sorting, const PlanNode *limit,
	 PlanNode **node)
{
	Position at = query->order.items[0].expr->position;

	if (!plan_is_bounded(*node)) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, at,
			     "ORDER BY needs the last row, and the source never ends");
		return error_hint(binder->err,
				  "read a bounded source ('kafka.bounded' = 'true', a file), or "
				  "number the rows: ROW_NUMBER() OVER (...) with QUALIFY");
	}
	*node = node_over(binder, PLAN_SORT, *node, at);
	(*node)->sort.keys = sorting->keys;
	(*node)->sort.count = sorting->count;
	if (__builtin_add_overflow(limit->limit.count, limit->limit.offset, &(*node)->sort.keep))
		(*node)->sort.keep = INT64_MAX;
	return FERRIS_OK;
}

/* The first columns alone. */
static void
drop_hidden(Binder *binder, const PlanNode *project, uint32_t visible, PlanNode **node)
{
	PlanNode *top = node_over(binder, PLAN_PROJECT, *node, project->position);

	top->schema.count = visible;
	top->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, visible);
	top->project.key = project->project.key;
	for (uint32_t i = 0; i < visible; i++)
		top->project.exprs[i] = output_column(binder, *node, i, project->position);
	*node = top;
}

Status
finish_order(Binder *binder, const Query *query, bool distinct, const Sorting *sorting,
	     PlanNode **node)
{
	const PlanNode *project = *node;
	PlanNode limit = {.kind = PLAN_LIMIT, .limit = {.count = INT64_MAX}};

	TRY(bind_count(binder, query->limit, "LIMIT", &limit.limit.count));
	TRY(bind_count(binder, query->offset, "OFFSET", &limit.limit.offset));
	if (distinct)
		*node = node_over(binder, PLAN_DISTINCT, *node, query->position);
	if (sorting->count > 0)
		TRY(add_sort(binder, query, sorting, &limit, node));
	if (project->schema.count > sorting->visible)
		drop_hidden(binder, project, sorting->visible, node);
	if (query->limit == NULL && query->offset == NULL)
		return FERRIS_OK;
	*node = node_over(binder, PLAN_LIMIT, *node,
			  query->limit != NULL ? query->limit->position : query->offset->position);
	(*node)->limit.count = limit.limit.count;
	(*node)->limit.offset = limit.limit.offset;
	return FERRIS_OK;
}
