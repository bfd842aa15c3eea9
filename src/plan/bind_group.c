/* plan/bind_group.c -- GROUP BY, GROUPING() and aggregates.
 *
 * A grouped query's select list, HAVING and the like are bound in a scope whose columns are those
 * of the aggregate node: the group keys, the window's bounds, and one column per aggregate call.
 * An expression that equals a group key is that column; an aggregate's arguments are bound in the
 * input's scope and the call becomes a column; any other column of the input is an error. */
#include "func/function.h"
#include "plan/bind.h"

struct Grouping {
	Scope *input;
	PlanNode *node; /* the aggregate */
	uint32_t call_capacity;
	bool inside; /* the arguments of an aggregate are being bound */
};

/* ---------------------------------------------------------------- is it grouped? */

static bool
is_aggregate_call(const Expr *expr)
{
	return expr->kind == EXPR_FUNCTION && expr->function.over == NULL &&
	       aggregate_exists(expr->function.name.text);
}

static bool
has_aggregate(const Expr *expr)
{
	return expr_has_call(expr, is_aggregate_call);
}

bool
is_grouped(const Select *select)
{
	if (select->group_count > 0 || select->window.kind != WINDOW_NONE || select->having != NULL)
		return true;
	for (uint32_t i = 0; i < select->item_count; i++)
		if (has_aggregate(select->items[i].expr))
			return true;
	return false;
}

/* ---------------------------------------------------------------- GROUP BY */

/* 1, or an alias of the select list, stands for that item's expression. */
static Status
group_expr(Binder *binder, const Select *select, const Scope *input, const Expr *expr,
	   const Expr **out)
{
	*out = expr;
	if (expr->kind == EXPR_INTEGER) {
		uint32_t ordinal = 0;

		for (uint32_t i = 0; i < expr->literal.len && ordinal < 100000; i++)
			ordinal = ordinal * 10 + (uint32_t)(expr->literal.data[i] - '0');
		if (ordinal < 1 || ordinal > select->item_count)
			return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, expr->position,
					    "GROUP BY %.*s: the select list has %u columns",
					    STR_ARG(expr->literal), select->item_count);
		*out = select->items[ordinal - 1].expr;
		return FERRIS_OK;
	}
	if (expr->kind != EXPR_COLUMN || expr->column.count != 1)
		return FERRIS_OK;
	for (uint32_t i = 0; i < input->count; i++)
		if (str_eq_nocase(input->columns[i].name, expr->column.items[0].text))
			return FERRIS_OK;
	for (uint32_t i = 0; i < select->item_count; i++)
		if (str_eq_nocase(select->items[i].alias.text, expr->column.items[0].text))
			*out = select->items[i].expr;
	return FERRIS_OK;
}

bool
bind_group_column(Binder *binder, const Scope *input, const Select *select, const Expr *item,
		  BoundExpr **out)
{
	Error ignored;
	Binder quiet = *binder;
	Scope scope = *input;
	const Expr *expr;

	quiet.err = &ignored;
	return group_expr(&quiet, select, input, item, &expr) == FERRIS_OK &&
	       bind_expr(&quiet, &scope, expr, out) == FERRIS_OK && (*out)->kind == BOUND_COLUMN;
}

/* Of CUMULATE the start alone says nothing of the window; within grouping sets a bound is a key. */
bool
groups_by_window(Binder *binder, const Select *select)
{
	Error ignored = {0};
	Binder quiet = *binder;
	Scope none = {.what = "GROUP BY"};

	quiet.err = &ignored;
	if (select->from == NULL || select->from->kind != RELATION_FUNCTION)
		return false;
	bool by_end = str_eq_nocase(select->from->function.name.text, STR("CUMULATE"));
	uint32_t partition = table_partition(select->from)->count;
	uint32_t bounds = 0, keys = 0;
	for (uint32_t g = 0; g < select->group_count; g++) {
		const Expr *expr;

		if (select->groups[g].kind != GROUP_EXPR ||
		    group_expr(&quiet, select, &none, select->groups[g].sets[0].items[0], &expr) !=
			    FERRIS_OK)
			continue;
		keys += is_partitioned_by(select->from, expr);
		bounds += expr->kind == EXPR_COLUMN &&
			  window_bound(expr) >= (by_end ? WINDOW_BOUND_END : WINDOW_BOUND_START);
	}
	/* Sessions by PARTITION BY are those of the groups if these have the same keys, and all
	 * rows are in them. */
	return bounds > 0 && (partition == 0 || (partition == keys && select->where == NULL &&
						 bounds + keys == select->group_count));
}

/* Adds the expression to the keys unless it is there; its number goes to *index. */
static Status
put_key(Binder *binder, Grouping *grouping, BoundExpr *key, uint32_t *index)
{
	PlanNode *node = grouping->node;

	for (*index = 0; *index < node->aggregate.key_count; ++*index)
		if (bound_equal(node->aggregate.keys[*index], key))
			return FERRIS_OK;
	if (node->aggregate.key_count == 64)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, key->position,
				    "more than 64 expressions in GROUP BY");
	node->aggregate.keys[node->aggregate.key_count++] = key;
	return FERRIS_OK;
}

static Status
add_key(Binder *binder, Grouping *grouping, const Expr *expr, uint32_t *index)
{
	BoundExpr *key;

	TRY(bind_expr(binder, grouping->input, expr, &key));
	return put_key(binder, grouping, key, index);
}

/* The keys of one written set as a bit mask. */
static Status
bind_set(Binder *binder, Grouping *grouping, const Select *select, const ExprList *list,
	 const WindowPlan *window, uint64_t *mask)
{
	*mask = 0;
	for (uint32_t i = 0; i < list->count; i++) {
		const Expr *expr;
		uint32_t index;

		TRY(group_expr(binder, select, grouping->input, list->items[i], &expr));
		if (window->shape != SHAPE_NONE && !window->of_rows &&
		    ((expr->kind == EXPR_COLUMN && window_bound(expr) != WINDOW_BOUND_NONE) ||
		     is_window_call(expr)))
			continue;
		TRY(add_key(binder, grouping, expr, &index));
		*mask |= UINT64_C(1) << index;
	}
	return FERRIS_OK;
}

/* The masks that one element of GROUP BY stands for. */
static Status
element_masks(Binder *binder, Grouping *grouping, const Select *select, const GroupItem *item,
	      const WindowPlan *window, uint64_t **masks, uint32_t *count)
{
	uint64_t *parts = ARENA_ARRAY(binder->arena, uint64_t, item->set_count + 1);
	uint32_t n = item->set_count;

	for (uint32_t i = 0; i < n; i++)
		TRY(bind_set(binder, grouping, select, &item->sets[i], window, &parts[i]));
	if (item->kind == GROUP_EXPR || item->kind == GROUP_SETS) {
		*masks = parts;
		*count = n;
		return FERRIS_OK;
	}
	if (item->kind == GROUP_CUBE && n > 10)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, item->position,
				    "CUBE of more than 10 elements");
	*count = item->kind == GROUP_ROLLUP ? n + 1 : 1u << n;
	*masks = ARENA_ARRAY(binder->arena, uint64_t, *count);
	for (uint32_t i = 0; i < *count; i++)
		for (uint32_t k = 0; k < n; k++)
			if (item->kind == GROUP_ROLLUP ? k < n - i : !(i >> k & 1))
				(*masks)[i] |= parts[k];
	return FERRIS_OK;
}

/* The elements of GROUP BY multiply: every combination of their sets. */
static Status
bind_groups(Binder *binder, Grouping *grouping, const Select *select, const WindowPlan *window)
{
	PlanNode *node = grouping->node;
	uint64_t *sets = ARENA_ARRAY(binder->arena, uint64_t, 1);
	uint32_t set_count = 1;

	for (uint32_t g = 0; g < select->group_count; g++) {
		uint64_t *masks = NULL;
		uint32_t count = 0;

		TRY(element_masks(binder, grouping, select, &select->groups[g], window, &masks,
				  &count));
		if ((uint64_t)set_count * count > 4096)
			return error_set_at(binder->err, FERRIS_ERR_LIMIT,
					    select->groups[g].position,
					    "more than 4096 grouping sets");
		uint64_t *product = ARENA_ARRAY(binder->arena, uint64_t, set_count * count);
		for (uint32_t i = 0; i < set_count; i++)
			for (uint32_t k = 0; k < count; k++)
				product[i * count + k] = sets[i] | masks[k];
		sets = product;
		set_count *= count;
	}
	/* SESSION(time, gap, key, ...): the keys are in every set. */
	for (uint32_t k = 0; k < select->window.keys.count; k++) {
		uint32_t index;

		TRY(add_key(binder, grouping, select->window.keys.items[k], &index));
		for (uint32_t i = 0; i < set_count; i++)
			sets[i] |= UINT64_C(1) << index;
	}
	node->aggregate.sets = sets;
	node->aggregate.set_count = set_count;
	return FERRIS_OK;
}

static bool
is_grouping_call(const Expr *expr)
{
	return expr->kind == EXPR_FUNCTION && expr->function.over == NULL &&
	       (str_eq_nocase(expr->function.name.text, STR("GROUPING")) ||
		str_eq_nocase(expr->function.name.text, STR("GROUPING_ID")));
}

static bool
has_grouping_call(const Query *query, const Select *select)
{
	bool found = expr_has_call(select->having, is_grouping_call) ||
		     expr_has_call(select->qualify, is_grouping_call);

	for (uint32_t i = 0; i < select->item_count; i++)
		found = found || expr_has_call(select->items[i].expr, is_grouping_call);
	for (uint32_t i = 0; i < query->order.count; i++)
		found = found || expr_has_call(query->order.items[i].expr, is_grouping_call);
	return found;
}

/* A constant for each key, in the same sets: it is NULL in the results of the other sets, where the
 * key's own NULL might be a value. */
static Status
add_markers(Binder *binder, PlanNode *node)
{
	uint32_t count = node->aggregate.key_count;
	Value value = {.type = TYPE_OF(BOOLEAN), .boolean = true};

	if (count > 32)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, node->position,
				    "GROUPING() with more than 32 expressions in GROUP BY");
	for (uint32_t k = 0; k < count; k++) {
		node->aggregate.keys[count + k] =
			bound_constant(binder->arena, value, node->position);
		for (uint32_t s = 0; s < node->aggregate.set_count; s++)
			node->aggregate.sets[s] |= (node->aggregate.sets[s] >> k & 1)
						   << (count + k);
	}
	node->aggregate.key_count = 2 * count;
	node->aggregate.marker_count = count;
	return FERRIS_OK;
}

/* A subquery's groups are apart for each value of what ties it to the outer query. */
static Status
group_by_outer(Binder *binder, Grouping *grouping, Correlation *correlation)
{
	PlanNode *node = grouping->node;

	for (uint32_t i = 0; correlation != NULL && i < correlation->key_count; i++) {
		uint32_t *column = &correlation->columns[i];

		TRY(put_key(binder, grouping, correlation->inner[i], column));
		for (uint32_t s = 0; s < node->aggregate.set_count; s++)
			node->aggregate.sets[s] |= UINT64_C(1) << *column;
	}
	return FERRIS_OK;
}

Status
check_watermark(Binder *binder, const WindowPlan *window, const PlanNode *node)
{
	for (; node != NULL && node->kind != PLAN_WATERMARK; node = node->input)
		for (uint32_t i = 0; i < node->input_count; i++)
			TRY(check_watermark(binder, window, node->inputs[i]));
	if (node == NULL || window->shape == SHAPE_NONE ||
	    node->watermark.expr->type->kind == window->time->type->kind)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_TYPE, window->time->position,
		     "the window's time is %.*s, but the watermark is of type %.*s",
		     STR_ARG(type_text(binder->arena, window->time->type)),
		     STR_ARG(type_text(binder->arena, node->watermark.expr->type)));
	return error_hint(binder->err, "declare WATERMARK FOR the column that the window is over");
}

Status
bind_grouping(Binder *binder, Scope *input, const Query *query, const Select *select,
	      const WindowPlan *window, EmitKind emit, PlanNode *node, Scope *out,
	      PlanNode **aggregate)
{
	Grouping *grouping = ARENA_NEW(binder->arena, Grouping);
	PlanNode *result = ARENA_NEW(binder->arena, PlanNode);

	result->kind = PLAN_AGGREGATE;
	result->input = node;
	result->position = select->group_count > 0 ? select->groups[0].position
						   : select->items[0].expr->position;
	result->aggregate.window = *window;
	result->aggregate.keys = ARENA_ARRAY(binder->arena, BoundExpr *, 64);
	result->aggregate.emit =
		emit == EMIT_FINAL || (emit == EMIT_DEFAULT && window->shape != SHAPE_NONE)
			? EMIT_ONCE_FINAL
			: EMIT_EACH_CHANGE;
	grouping->input = input;
	grouping->node = result;
	TRY(check_watermark(binder, window, node));
	TRY(bind_groups(binder, grouping, select, window));
	TRY(group_by_outer(binder, grouping, input->outer));
	if (result->aggregate.set_count > 1 && has_grouping_call(query, select))
		TRY(add_markers(binder, result));
	*out = *input;
	if (window->shape == SHAPE_SESSION && result->aggregate.emit == EMIT_EACH_CHANGE) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, result->position,
			     "SESSION with EMIT CHANGES cannot run: a session that grows would "
			     "leave its "
			     "shorter self behind");
		return error_hint(binder->err,
				  "leave EMIT CHANGES out: a session comes out when it has ended");
	}
	out->scan = NULL;
	out->grouping = grouping;
	*aggregate = result;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- aggregates */

static uint32_t
window_columns(const PlanNode *node)
{
	return node->aggregate.window.shape != SHAPE_NONE ? 2 : 0;
}

static bool
call_equal(const AggregateCall *a, const AggregateCall *b)
{
	if (a->class != b->class || a->arg_count != b->arg_count || a->distinct != b->distinct ||
	    a->descending != b->descending || (a->filter == NULL) != (b->filter == NULL) ||
	    (a->order == NULL) != (b->order == NULL))
		return false;
	if (a->filter != NULL && !bound_equal(a->filter, b->filter))
		return false;
	if (a->order != NULL && !bound_equal(a->order, b->order))
		return false;
	for (uint32_t i = 0; i < a->arg_count; i++)
		if (!bound_equal(a->args[i], b->args[i]))
			return false;
	return true;
}

/* The number of the call among the node's; equal calls are computed once. */
static uint32_t
add_call(Binder *binder, Grouping *grouping, AggregateCall *call)
{
	PlanNode *node = grouping->node;

	for (uint32_t i = 0; i < node->aggregate.call_count; i++)
		if (call_equal(node->aggregate.calls[i], call))
			return i;
	if (node->aggregate.call_count == grouping->call_capacity) {
		uint32_t capacity = grouping->call_capacity > 0 ? grouping->call_capacity * 2 : 8;
		AggregateCall **calls = ARENA_ARRAY(binder->arena, AggregateCall *, capacity);

		if (node->aggregate.call_count > 0)
			memcpy(calls, node->aggregate.calls,
			       sizeof *calls * node->aggregate.call_count);
		node->aggregate.calls = calls;
		grouping->call_capacity = capacity;
	}
	node->aggregate.calls[node->aggregate.call_count] = call;
	return node->aggregate.call_count++;
}

static Status
bind_modifiers(Binder *binder, Scope *input, const FunctionCall *function, AggregateCall *call)
{
	const OrderList *order =
		function->order.count > 0 ? &function->order : &function->within_group;

	call->distinct = function->distinct;
	if (function->filter != NULL)
		TRY(bind_predicate(binder, input, function->filter, "FILTER", &call->filter));
	if (order->count > 1)
		return error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED,
				    order->items[1].expr->position,
				    "an aggregate can be ordered by one expression");
	if (order->count == 1) {
		call->descending = order->items[0].descending;
		return bind_expr(binder, input, order->items[0].expr, &call->order);
	}
	return FERRIS_OK;
}

static Status
bind_aggregate(Binder *binder, Grouping *grouping, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	Scope input = *grouping->input;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, function->arg_count + 1);
	/* PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY x) means PERCENTILE_CONT(x, 0.5). */
	bool within =
		function->within_group.count == 1 && aggregate_takes_within(function->name.text);
	AggregateCall *call;

	if (within)
		TRY(bind_expr(binder, &input, function->within_group.items[0].expr, &args[0]));
	for (uint32_t i = 0; i < function->arg_count; i++) {
		if (has_aggregate(function->args[i].value))
			return error_set_at(binder->err, FERRIS_ERR_TYPE,
					    function->args[i].value->position,
					    "an aggregate inside an aggregate");
		TRY(bind_expr(binder, &input, function->args[i].value, &args[within + i]));
	}
	TRY(aggregate_bind(binder->arena, function->name.text, args, within + function->arg_count,
			   expr->position, &call, binder->err));
	call->position = expr->position;
	call->text = expr->text;
	TRY(bind_modifiers(binder, &input, function, call));
	if (within) {
		call->order = NULL;
		call->descending = function->within_group.items[0].descending;
	}
	uint32_t column = grouping->node->aggregate.key_count + window_columns(grouping->node) +
			  add_call(binder, grouping, call);
	*out = bound_column(binder->arena, column, call->type, expr->text, expr->position);
	return FERRIS_OK;
}

/* TUMBLE_START(...), window_start, _window_end, ...: a column of the node, if there is a window. */
static Status
bind_window_bound(Binder *binder, Grouping *grouping, const Expr *expr, BoundExpr **out)
{
	const PlanNode *node = grouping->node;
	WindowBound bound = window_bound(expr);

	if (bound == WINDOW_BOUND_NONE || node->aggregate.window.shape == SHAPE_NONE ||
	    node->aggregate.window.of_rows)
		return FERRIS_OK;
	if (expr->kind == EXPR_FUNCTION)
		TRY(check_window_call(binder, grouping->input, &node->aggregate.window, expr));
	*out = bound_column(binder->arena, node->aggregate.key_count + (bound == WINDOW_BOUND_END),
			    node->aggregate.window.time->type, expr->text, expr->position);
	return FERRIS_OK;
}

/* Whether the expression, bound over the input, is a group key. */
static bool
bind_key(Binder *binder, Grouping *grouping, const Expr *expr, BoundExpr **out)
{
	const PlanNode *node = grouping->node;
	Scope input = *grouping->input;
	Error ignored;
	Binder quiet = *binder;
	BoundExpr *bound;

	/* A subquery is never a key: it is bound once, over the groups. */
	input.lookups = NULL;
	if (has_aggregate(expr) || expr->kind == EXPR_STAR)
		return false;
	quiet.err = &ignored;
	if (bind_expr(&quiet, &input, expr, &bound) != FERRIS_OK)
		return false;
	for (uint32_t i = 0; i < node->aggregate.key_count - node->aggregate.marker_count; i++)
		if (bound_equal(node->aggregate.keys[i], bound)) {
			*out = bound_column(binder->arena, i, bound->type, expr->text,
					    expr->position);
			return true;
		}
	return false;
}

/* CASE WHEN the key is not in the set THEN bit ELSE 0 END. */
static Status
grouping_bit(Binder *binder, const PlanNode *node, uint32_t key, int64_t bit, Position at,
	     BoundExpr **out)
{
	uint32_t keys = node->aggregate.key_count - node->aggregate.marker_count;
	BoundExpr *marker =
		bound_column(binder->arena, keys + key, TYPE_OF(BOOLEAN), STR("GROUPING"), at);
	BoundExpr *args[3];

	TRY(function_bind(binder->arena, STR("IS NULL"), &marker, 1, at, &args[0], binder->err));
	for (int i = 0; i < 2; i++) {
		Value value = {.type = TYPE_OF(BIGINT), .int64 = i == 0 ? bit : 0};

		args[1 + i] = bound_constant(binder->arena, value, at);
	}
	*out = bound_node(binder->arena, BOUND_CASE, TYPE_OF(BIGINT), args, 3, at);
	return FERRIS_OK;
}

/* GROUPING(a, b): a number of as many bits, the first the highest; 1: not in the row's set. */
static Status
bind_grouping_call(Binder *binder, Grouping *grouping, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	Value zero = {.type = TYPE_OF(BIGINT)};

	if (function->arg_count < 1 || function->arg_count > 32)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
				    "GROUPING takes 1 to 32 expressions of GROUP BY");
	*out = bound_constant(binder->arena, zero, expr->position);
	for (uint32_t i = 0; i < function->arg_count; i++) {
		const Expr *arg = function->args[i].value;
		BoundExpr *args[2] = {*out, NULL};
		BoundExpr *key;

		if (!bind_key(binder, grouping, arg, &key))
			return error_set_at(
				binder->err, FERRIS_ERR_TYPE, arg->position,
				"GROUPING takes expressions of GROUP BY; '%.*s' is none",
				STR_ARG(arg->text));
		if (grouping->node->aggregate.marker_count == 0)
			continue;
		TRY(grouping_bit(binder, grouping->node, key->column,
				 INT64_C(1) << (function->arg_count - 1 - i), expr->position,
				 &args[1]));
		if (i == 0)
			*out = args[1];
		else
			TRY(function_bind(binder->arena, STR("+"), args, 2, expr->position, out,
					  binder->err));
	}
	return FERRIS_OK;
}

Status
bind_grouped(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	Grouping *grouping = scope->grouping;

	*out = NULL;
	if (is_aggregate_call(expr))
		return bind_aggregate(binder, grouping, expr, out);
	if (is_grouping_call(expr))
		return bind_grouping_call(binder, grouping, expr, out);
	TRY(bind_window_bound(binder, grouping, expr, out));
	if (*out != NULL || bind_key(binder, grouping, expr, out))
		return FERRIS_OK;
	if (expr->kind != EXPR_COLUMN)
		return FERRIS_OK;
	/* An unknown column is reported as such; a known one is not grouped. */
	Scope input = *grouping->input;
	TRY(bind_expr(binder, &input, expr, out));
	error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
		     "'%.*s' is neither in GROUP BY nor inside an aggregate", STR_ARG(expr->text));
	return error_hint(binder->err,
			  "add it to GROUP BY, or say which of the group's values: "
			  "MAX(%.*s), LAST(%.*s)",
			  STR_ARG(expr->text), STR_ARG(expr->text));
}

void
finish_grouping(Binder *binder, Scope *scope)
{
	set_group_schema(binder, scope->grouping->node);
}

void
set_group_schema(Binder *binder, PlanNode *node)
{
	uint32_t keys = node->aggregate.key_count;
	uint32_t first = keys + window_columns(node);
	uint32_t count = first + node->aggregate.call_count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);

	for (uint32_t i = 0; i < keys; i++)
		fields[i] = (Field){.name = bound_text(binder->arena, node->aggregate.keys[i]),
				    .type = node->aggregate.keys[i]->type};
	if (first > keys) {
		fields[keys] = (Field){.name = STR("_window_start"),
				       .type = node->aggregate.window.time->type};
		fields[keys + 1] = (Field){.name = STR("_window_end"),
					   .type = node->aggregate.window.time->type};
	}
	for (uint32_t i = 0; i < node->aggregate.call_count; i++)
		fields[first + i] = (Field){.name = node->aggregate.calls[i]->text,
					    .type = node->aggregate.calls[i]->type};
	node->schema = (Schema){fields, count};
}
