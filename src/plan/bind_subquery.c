/* plan/bind_subquery.c -- subqueries in expressions: EXISTS, IN, ANY, ALL, a subquery as a value.
 *
 * Each becomes one more column of the rows it stands in: a Lookup node reads the subquery to its
 * end before the input begins, and answers for each row.  Where the subquery depends on the outer
 * row, its WHERE ties it by equality; these conjuncts are taken out and become keys, by which
 * the answers are kept apart:
 *
 *     (SELECT MAX(price) FROM t WHERE t.symbol = o.symbol AND t.price > 0)
 *     query: SELECT symbol, MAX(price) FROM t WHERE price > 0 GROUP BY symbol      key: o.symbol
 *
 * A subquery over an endless source is a join of two streams where it has a bound in time
 * (plan/bind_semi_join.c): any other is refused in check_bounded. */
#include "func/function.h"
#include "plan/bind.h"

#define KEY_MAX   64
#define DEPTH_MAX 8

/* ---------------------------------------------------------------- columns of the outer query */

Status
add_outer_column(Binder *binder, Correlation *correlation, BoundExpr *column, BoundExpr **out)
{
	if (correlation->ref_count == KEY_MAX)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, column->position,
				    "more than %d columns of the outer query in a subquery",
				    KEY_MAX);
	*out = bound_column(binder->arena, OUTER_COLUMN + correlation->ref_count, column->type,
			    column->name, column->position);
	correlation->refs[correlation->ref_count++] = column;
	return FERRIS_OK;
}

typedef enum Side {
	SIDE_NONE = 0,
	SIDE_INNER = 1,
	SIDE_OUTER = 2,
	SIDE_BOTH = 3,
} Side;

static Side
side_of(const BoundExpr *expr)
{
	Side side = SIDE_NONE;

	if (expr->kind == BOUND_COLUMN)
		return expr->column >= OUTER_COLUMN ? SIDE_OUTER : SIDE_INNER;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		side |= side_of(expr->args[i]);
	return side;
}

/* The expression over the outer query's rows. */
static BoundExpr *
over_outer(Arena *arena, const BoundExpr *expr, const Correlation *correlation)
{
	if (expr->kind == BOUND_COLUMN)
		return correlation->refs[expr->column - OUTER_COLUMN];
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);
	*copy = *expr;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		copy->args[i] = over_outer(arena, expr->args[i], correlation);
	return copy;
}

/* Both as one type, in which equal values are equal bytes. */
static Status
unify(Binder *binder, BoundExpr **a, BoundExpr **b, Position at)
{
	const Type *type = type_common(binder->arena, (*a)->type, (*b)->type);

	if (type == NULL && (*a)->kind == BOUND_CONSTANT && (*a)->type->kind == TYPE_STRING)
		type = (*b)->type;
	if (type == NULL && (*b)->kind == BOUND_CONSTANT && (*b)->type->kind == TYPE_STRING)
		type = (*a)->type;
	if (type != NULL && type->kind == TYPE_NULL)
		type = TYPE_OF(STRING);
	if (type == NULL || type->field_count > 0)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, at,
				    "%.*s and %.*s cannot be compared",
				    STR_ARG(type_text(binder->arena, (*a)->type)),
				    STR_ARG(type_text(binder->arena, (*b)->type)));
	TRY(bound_cast(binder->arena, *a, type, CAST_IMPLICIT, a, binder->err));
	return bound_cast(binder->arena, *b, type, CAST_IMPLICIT, b, binder->err);
}

static Status
take_key(Binder *binder, Correlation *correlation, BoundExpr *outer, BoundExpr *inner, Position at)
{
	uint32_t n = correlation->key_count;

	if (n == KEY_MAX)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, at,
				    "more than %d keys tie a subquery", KEY_MAX);
	outer = over_outer(binder->arena, outer, correlation);
	TRY(unify(binder, &outer, &inner, at));
	correlation->outer[n] = outer;
	correlation->inner[n] = inner;
	correlation->key_count++;
	return FERRIS_OK;
}

/* A conjunct that names the outer query: a = b with one side of each, or only the outer one. */
static Status
take_outer_conjunct(Binder *binder, Correlation *correlation, BoundExpr *conjunct)
{
	if (side_of(conjunct) == SIDE_OUTER) {
		Value value = {.type = TYPE_OF(BOOLEAN), .boolean = true};

		return take_key(binder, correlation, conjunct,
				bound_constant(binder->arena, value, conjunct->position),
				conjunct->position);
	}
	if (conjunct->kind == BOUND_CALL && conjunct->arg_count == 2 &&
	    str_eq(function_name(conjunct->function), STR("="))) {
		BoundExpr *a = bound_without_cast(conjunct->args[0]);
		BoundExpr *b = bound_without_cast(conjunct->args[1]);

		if (side_of(a) == SIDE_OUTER && side_of(b) == SIDE_INNER)
			return take_key(binder, correlation, a, b, conjunct->position);
		if (side_of(a) == SIDE_INNER && side_of(b) == SIDE_OUTER)
			return take_key(binder, correlation, b, a, conjunct->position);
	}
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, conjunct->position,
		     "a subquery can be tied to the outer row only by equality: "
		     "column = outer column");
	return error_hint(
		binder->err,
		"join the table (further conditions of an inner JOIN can be any), or "
		"compute both sides of an equality; EXISTS and IN take any condition where "
		"the event times of both streams are bound to each other on both sides");
}

static void
flatten(BoundExpr *expr, BoundExpr **parts, uint32_t *count)
{
	if (expr->kind != BOUND_AND) {
		if (parts != NULL)
			parts[*count] = expr;
		++*count;
		return;
	}
	for (uint32_t i = 0; i < expr->arg_count; i++)
		flatten(expr->args[i], parts, count);
}

Status
take_correlation(Binder *binder, Correlation *correlation, BoundExpr **where)
{
	uint32_t count = 0, kept = 0, n = 0;
	BoundExpr **parts;

	if (correlation->ref_count == 0)
		return FERRIS_OK;
	flatten(*where, NULL, &count);
	parts = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	flatten(*where, parts, &n);
	for (uint32_t i = 0; i < count; i++) {
		if (side_of(parts[i]) & SIDE_OUTER)
			TRY(take_outer_conjunct(binder, correlation, parts[i]));
		else
			parts[kept++] = parts[i];
	}
	*where = kept == 0   ? NULL
		 : kept == 1 ? parts[0]
			     : bound_node(binder->arena, BOUND_AND, TYPE_OF(BOOLEAN), parts, kept,
					  (*where)->position);
	return FERRIS_OK;
}

static bool
is_one(const Expr *expr)
{
	return expr != NULL && expr->kind == EXPR_INTEGER && str_eq(expr->literal, STR("1"));
}

Status
take_limit(Binder *binder, Correlation *correlation, const Query **query)
{
	Query *copy = ARENA_NEW(binder->arena, Query);

	if (correlation->key_count == 0 || ((*query)->limit == NULL && (*query)->offset == NULL))
		return FERRIS_OK;
	if (!is_one((*query)->limit) || (*query)->offset != NULL ||
	    correlation->kind == LOOKUP_ANY) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED,
			     (*query)->limit != NULL ? (*query)->limit->position
						     : (*query)->offset->position,
			     "LIMIT and OFFSET of a subquery that depends on the outer row");
		return error_hint(binder->err,
				  "only a subquery as a value, or EXISTS, can have one: "
				  "LIMIT 1");
	}
	*copy = **query;
	copy->limit = NULL;
	*query = copy;
	correlation->first = true;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the query */

/* The SELECT that the query is, whose WHERE may name the outer query; NULL if it is more. */
static const Select *
select_of(const Query *query)
{
	while (query->body->kind == BODY_QUERY && query->limit == NULL && query->offset == NULL &&
	       query->order.count == 0)
		query = query->body->query;
	return query->body->kind == BODY_SELECT ? &query->body->select : NULL;
}

/* Here a query over a live stream would become a SEMI, ANTI or outer join of two streams. */
static Status
check_bounded(Binder *binder, PlanNode *plan)
{
	PlanNode **scans;
	const PlanNode *scan;
	uint32_t count;

	if (plan_is_bounded(plan))
		return FERRIS_OK;
	scans = plan_scans(binder->arena, plan, &count);
	for (scan = scans[0]; plan_is_bounded(scan);)
		scan = *++scans;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, scan->position,
		     "'%.*s' never ends, and a subquery is read to its end before the statement "
		     "begins",
		     STR_ARG(scan->scan.endpoint->name));
	return error_hint(
		binder->err,
		"read a file, or a topic with 'kafka.bounded' = 'true'; of a stream, "
		"[NOT] EXISTS and [NOT] IN joined by AND in WHERE can say whether a row is "
		"there within a time: s.ts BETWEEN t.ts - INTERVAL '1' HOUR AND t.ts");
}

static Status
bind_inner(Binder *binder, const Scope *scope, const Query *query, Correlation *correlation,
	   PlanNode **out)
{
	const Endpoint *source = binder->source;
	Correlation *around = binder->correlation;
	bool final = binder->final;

	if (++binder->subquery_depth > DEPTH_MAX)
		return error_set_at(binder->err, FERRIS_ERR_NESTING, query->position,
				    "subqueries in expressions deeper than %d", DEPTH_MAX);
	binder->correlation = correlation;
	binder->final = true;
	Status status = bind_nested(binder, scope->ctes, query, out);
	binder->subquery_depth--;
	binder->correlation = around;
	binder->final = final;
	binder->source = source;
	return status == FERRIS_OK ? check_bounded(binder, *out) : status;
}

static PlanNode *
project_over(Binder *binder, PlanNode *input, BoundExpr **exprs, uint32_t count, Position at)
{
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);

	for (uint32_t i = 0; i < count; i++)
		fields[i] = (Field){.name = bound_text(binder->arena, exprs[i]),
				    .type = exprs[i]->type};
	*project = (PlanNode){
		.kind = PLAN_PROJECT, .position = at, .input = input, .schema = {fields, count}};
	project->project.exprs = exprs;
	project->project.key = ARENA_ARRAY(binder->arena, bool, count);
	return project;
}

static BoundExpr *
column_of(Binder *binder, const PlanNode *plan, uint32_t column, Position at)
{
	const Field *field = &plan->schema.fields[column];

	return bound_column(binder->arena, column, field->type, field->name, at);
}

/* The values that the lookup keeps, over the plan's columns; what is compared with them is
 * converted in its args. */
static Status
value_exprs(Binder *binder, Lookup *lookup, const PlanNode *plan, Position at, BoundExpr **out)
{
	Value value = {.type = TYPE_OF(BOOLEAN), .boolean = true};

	for (uint32_t i = 0; i < lookup->value_count; i++) {
		if (lookup->kind == LOOKUP_EXISTS) {
			out[i] = bound_constant(binder->arena, value, at);
			continue;
		}
		out[i] = column_of(binder, plan, i, at);
		if (lookup->kind == LOOKUP_ANY)
			TRY(unify(binder, &lookup->args[lookup->key_count + i], &out[i], at));
	}
	return FERRIS_OK;
}

static Correlation
new_correlation(Binder *binder, Scope *scope, const Lookup *lookup, const Query *query)
{
	Arena *arena = binder->arena;

	return (Correlation){.select = select_of(query),
			     .scope = scope,
			     .kind = lookup->kind,
			     .refs = ARENA_ARRAY(arena, BoundExpr *, KEY_MAX),
			     .outer = ARENA_ARRAY(arena, BoundExpr *, KEY_MAX),
			     .inner = ARENA_ARRAY(arena, BoundExpr *, KEY_MAX),
			     .columns = ARENA_ARRAY(arena, uint32_t, KEY_MAX)};
}

/* Aggregates without GROUP BY have a row for nothing, too: COUNT(*) is 0 there. */
static Status
bind_nothing(Binder *binder, Scope *scope, const Query *query, const Correlation *keys,
	     Lookup *lookup)
{
	const Select *select = keys->select;
	Correlation correlation = new_correlation(binder, scope, lookup, query);
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, lookup->value_count);
	PlanNode *plan;

	if (keys->key_count == 0 || !is_grouped(select) || select->group_count > 0 ||
	    select->window.kind != WINDOW_NONE)
		return FERRIS_OK;
	correlation.empty = true;
	TRY(bind_inner(binder, scope, query, &correlation, &plan));
	TRY(value_exprs(binder, lookup, plan, query->position, exprs));
	lookup->nothing = project_over(binder, plan, exprs, lookup->value_count, query->position);
	return FERRIS_OK;
}

/* Over a partition of the keys' rows they would be, over all rows they are: not the same. */
static Status
refuse_over(Binder *binder, const PlanNode *plan)
{
	for (; plan->input != NULL && plan->kind != PLAN_AGGREGATE; plan = plan->input)
		if (plan->kind == PLAN_OVER) {
			error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, plan->position,
				     "a window function in a subquery that depends on the outer "
				     "row");
			return error_hint(binder->err,
					  "compute it in a query in FROM, PARTITION BY the column "
					  "that ties the subquery");
		}
	return FERRIS_OK;
}

static Status
check_columns(Binder *binder, const Lookup *lookup, const Query *query, uint32_t columns)
{
	if (lookup->kind == LOOKUP_EXISTS || columns == lookup->value_count)
		return FERRIS_OK;
	return error_set_at(binder->err, FERRIS_ERR_COLUMN_COUNT, query->position,
			    "the subquery yields %u columns where %u %s needed", columns,
			    lookup->value_count, lookup->value_count == 1 ? "is" : "are");
}

/* Fills the lookup's query; its args are what is compared (ANY), over the scope. */
static Status
bind_query_of(Binder *binder, Scope *scope, const Query *query, Lookup *lookup)
{
	Correlation keys = new_correlation(binder, scope, lookup, query);
	BoundExpr **compared = lookup->args;
	BoundExpr **exprs;
	PlanNode *plan = NULL;

	TRY(bind_inner(binder, scope, query, &keys, &plan));
	lookup->guarded = keys.having != NULL;
	uint32_t columns = plan->schema.count - keys.key_count - lookup->guarded;
	TRY(check_columns(binder, lookup, query, columns));
	if (keys.key_count > 0)
		TRY(refuse_over(binder, plan));
	lookup->first = keys.first;
	lookup->key_count = keys.key_count;
	uint32_t count = keys.key_count + lookup->value_count;
	lookup->args = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count + 1);
	for (uint32_t k = 0; k < keys.key_count; k++) {
		lookup->args[k] = keys.outer[k];
		exprs[k] = column_of(binder, plan, columns + k, query->position);
	}
	for (uint32_t i = 0; lookup->kind == LOOKUP_ANY && i < lookup->value_count; i++)
		lookup->args[keys.key_count + i] = compared[i];
	TRY(value_exprs(binder, lookup, plan, query->position, exprs + keys.key_count));
	if (lookup->guarded)
		exprs[count++] = column_of(binder, plan, columns + keys.key_count, query->position);
	lookup->query = project_over(binder, plan, exprs, count, query->position);
	if (lookup->kind == LOOKUP_SCALAR)
		lookup->type = exprs[keys.key_count]->type;
	/* Whether there is a row is known after the first. */
	if (lookup->kind == LOOKUP_EXISTS && keys.key_count == 0) {
		PlanNode *limit = ARENA_NEW(binder->arena, PlanNode);

		*limit = *lookup->query;
		limit->kind = PLAN_LIMIT;
		limit->input = lookup->query;
		limit->limit.count = 1;
		limit->limit.offset = 0;
		lookup->query = limit;
	}
	return bind_nothing(binder, scope, query, &keys, lookup);
}

/* ---------------------------------------------------------------- the expression */

/* Its column; negated: NOT of it. */
static Status
add_lookup(Binder *binder, Scope *scope, const Lookup *lookup, bool negated, BoundExpr **out)
{
	LookupList *list = scope->lookups;

	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 4;
		Lookup *items = ARENA_ARRAY(binder->arena, Lookup, capacity);

		if (list->count > 0)
			memcpy(items, list->items, sizeof *items * list->count);
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count] = *lookup;
	*out = bound_column(binder->arena, LOOKUP_COLUMN + list->count++, lookup->type,
			    lookup->text, lookup->position);
	if (!negated)
		return FERRIS_OK;
	return function_bind(binder->arena, STR("NOT"), (BoundExpr *[]){*out}, 1, lookup->position,
			     out, binder->err);
}

/* x op ANY (query): `x` or the parts of (x, y, ...). */
static Status
bind_any_row(Binder *binder, Scope *scope, const Expr *x, const Query *query, Lookup *lookup)
{
	static const char *const ops[] = {
		[COMPARE_EQ] = "=",  [COMPARE_NE] = "<>", [COMPARE_LT] = "<",
		[COMPARE_LE] = "<=", [COMPARE_GT] = ">",  [COMPARE_GE] = ">=",
	};
	bool is_row = x->kind == EXPR_ROW;

	lookup->text = str_format(binder->arena, "%.*s %s ANY (%.*s)", STR_ARG(x->text),
				  ops[lookup->op], STR_ARG(query->text));

	lookup->kind = LOOKUP_ANY;
	lookup->value_count = is_row ? x->list.count : 1;
	lookup->args = ARENA_ARRAY(binder->arena, BoundExpr *, lookup->value_count);
	if (lookup->value_count > KEY_MAX)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, x->position,
				    "more than %d values in a comparison", KEY_MAX);
	if (is_row && lookup->op != COMPARE_EQ) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, x->position,
			     "a row of several values can only be looked for: IN, = ANY, <> ALL");
		return error_hint(binder->err, "compare one value with ANY or ALL");
	}
	for (uint32_t i = 0; i < lookup->value_count; i++)
		TRY(bind_expr(binder, scope, is_row ? x->list.items[i] : x, &lookup->args[i]));
	return FERRIS_OK;
}

/* x op ALL (...) is NOT (x <the contrary> ANY (...)). */
static CompareOp
compare_op(BinaryOp op, bool contrary)
{
	static const CompareOp ops[][2] = {
		[BINARY_EQUAL] = {COMPARE_EQ, COMPARE_NE},
		[BINARY_NOT_EQUAL] = {COMPARE_NE, COMPARE_EQ},
		[BINARY_LESS] = {COMPARE_LT, COMPARE_GE},
		[BINARY_LESS_EQUAL] = {COMPARE_LE, COMPARE_GT},
		[BINARY_GREATER] = {COMPARE_GT, COMPARE_LE},
		[BINARY_GREATER_EQUAL] = {COMPARE_GE, COMPARE_LT},
	};

	return ops[op][contrary];
}

/* x op ANY (array) */
static Status
bind_any_of_array(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	static const Str names[] = {
		[COMPARE_EQ] = STR_INIT("= ANY"), [COMPARE_NE] = STR_INIT("<> ANY"),
		[COMPARE_LT] = STR_INIT("< ANY"), [COMPARE_LE] = STR_INIT("<= ANY"),
		[COMPARE_GT] = STR_INIT("> ANY"), [COMPARE_GE] = STR_INIT(">= ANY"),
	};
	bool all = expr->quantified.all;
	BoundExpr *args[2];

	TRY(bind_expr(binder, scope, expr->quantified.left, &args[0]));
	TRY(bind_expr(binder, scope, expr->quantified.array, &args[1]));
	TRY(function_bind(binder->arena, names[compare_op(expr->quantified.op, all)], args, 2,
			  expr->position, out, binder->err));
	if (!all)
		return FERRIS_OK;
	return function_bind(binder->arena, STR("NOT"), (BoundExpr *[]){*out}, 1, expr->position,
			     out, binder->err);
}

Status
bind_subquery(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	Lookup lookup = {.kind = LOOKUP_EXISTS,
			 .op = COMPARE_EQ,
			 .value_count = 1,
			 .type = TYPE_OF(BOOLEAN),
			 .text = expr->text,
			 .position = expr->position};
	const Query *query = expr->query;
	bool negated = false;

	if (expr->kind == EXPR_QUANTIFIED && expr->quantified.query == NULL)
		return bind_any_of_array(binder, scope, expr, out);
	if (scope->lookups == NULL) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
			     "a subquery cannot stand here");
		return error_hint(binder->err,
				  "it can in WHERE, HAVING, QUALIFY and the select list; else "
				  "compute it in a query in FROM and name its column");
	}
	if (expr->kind == EXPR_IN_QUERY) {
		query = expr->in_query.query;
		negated = expr->in_query.negated;
		TRY(bind_any_row(binder, scope, expr->in_query.operand, query, &lookup));
	} else if (expr->kind == EXPR_QUANTIFIED) {
		query = expr->quantified.query;
		negated = expr->quantified.all;
		lookup.op = compare_op(expr->quantified.op, negated);
		TRY(bind_any_row(binder, scope, expr->quantified.left, query, &lookup));
	} else if (expr->kind == EXPR_SUBQUERY) {
		lookup.kind = LOOKUP_SCALAR;
	}
	TRY(bind_query_of(binder, scope, query, &lookup));
	return add_lookup(binder, scope, &lookup, negated, out);
}

/* ---------------------------------------------------------------- the nodes */

static void
walk_exprs(BoundExpr *const *exprs, uint32_t count, void (*visit)(BoundExpr *, void *),
	   void *context)
{
	for (uint32_t i = 0; i < count; i++)
		if (exprs[i] != NULL)
			bound_walk(exprs[i], visit, context);
}

void
walk_lookups(const LookupList *list, void (*visit)(BoundExpr *expr, void *context), void *context)
{
	for (uint32_t i = 0; list != NULL && i < list->count; i++)
		walk_exprs(list->items[i].args, lookup_arg_count(&list->items[i]), visit, context);
}

static void
walk_node(const PlanNode *node, void (*visit)(BoundExpr *, void *), void *context)
{
	if (node->kind == PLAN_PROJECT)
		walk_exprs(node->project.exprs, node->schema.count, visit, context);
	if (node->kind == PLAN_FILTER)
		walk_exprs(node->filter.conjuncts, node->filter.count, visit, context);
	for (uint32_t i = 0; node->kind == PLAN_AGGREGATE && i < node->aggregate.call_count; i++) {
		AggregateCall *call = node->aggregate.calls[i];
		BoundExpr *others[] = {call->filter, call->order};

		walk_exprs(call->args, call->arg_count, visit, context);
		walk_exprs(others, 2, visit, context);
	}
}

/* Columns of lookups whose place is known. */
typedef struct Places {
	uint32_t *column; /* of each lookup; 0: not yet */
	bool open;        /* one without a place was met */
} Places;

static void
place_column(BoundExpr *expr, void *context)
{
	Places *places = context;

	if (expr->kind != BOUND_COLUMN || expr->column < LOOKUP_COLUMN ||
	    expr->column >= OUTER_COLUMN)
		return;
	uint32_t column = places->column[expr->column - LOOKUP_COLUMN];
	if (column > 0)
		expr->column = column - 1;
	else
		places->open = true;
}

static PlanNode *
lookup_over(Binder *binder, PlanNode *input, uint32_t capacity, Position at)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	uint32_t left = input->schema.count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, left + capacity);

	*node = (PlanNode){
		.kind = PLAN_LOOKUP, .position = at, .input = input, .schema = {fields, left}};
	node->lookup.left_count = left;
	node->lookup.left = ARENA_ARRAY(binder->arena, BoundExpr *, left);
	node->lookup.calls = ARENA_ARRAY(binder->arena, Lookup, capacity);
	for (uint32_t i = 0; i < left; i++) {
		fields[i] = input->schema.fields[i];
		node->lookup.left[i] = column_of(binder, input, i, at);
	}
	return node;
}

/* A node for the lookups whose args are computed by now; those that compare with the answers of
 * others go into the next one. */
static PlanNode *
place_some(Binder *binder, const LookupList *list, PlanNode *input, Places *places)
{
	PlanNode *node = lookup_over(binder, input, list->count, list->items[0].position);
	uint32_t first = node->schema.count;

	for (uint32_t i = 0; i < list->count; i++) {
		const Lookup *lookup = &list->items[i];

		if (places->column[i] > 0)
			continue;
		places->open = false;
		walk_exprs(lookup->args, lookup_arg_count(lookup), place_column, places);
		if (places->open)
			continue;
		node->schema.fields[node->schema.count++] =
			(Field){.name = lookup->text, .type = lookup->type};
		node->lookup.calls[node->lookup.call_count++] = *lookup;
	}
	/* Only now: those of one node cannot see each other. */
	for (uint32_t i = 0, n = 0; i < list->count; i++)
		if (n < node->lookup.call_count &&
		    node->lookup.calls[n].query == list->items[i].query)
			places->column[i] = first + n++ + 1;
	return node;
}

void
place_lookups(Binder *binder, LookupList *list, PlanNode *top, PlanNode *bottom)
{
	Places places = {.column = ARENA_ARRAY(binder->arena, uint32_t, list->count + 1)};
	uint32_t placed = 0;

	if (list->count == 0)
		return;
	refresh_schemas(bottom->input);
	while (placed < list->count) {
		bottom->input = place_some(binder, list, bottom->input, &places);
		placed += bottom->input->lookup.call_count;
	}
	for (PlanNode *node = top;; node = node->input) {
		walk_node(node, place_column, &places);
		if (node->kind == PLAN_FILTER)
			node->schema = bottom->input->schema;
		if (node == bottom)
			return;
	}
}
