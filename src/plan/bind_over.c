/* plan/bind_over.c -- window functions: calls with OVER, named windows, QUALIFY.
 *
 * A call is bound in the scope below the windows and becomes a column.  Calls with the same
 * PARTITION BY and ORDER BY share an Over node; different windows are stacked, each passing all
 * columns of the one below.  How many columns there are below is known only when the whole select
 * list is bound, so calls are numbered from OVER_COLUMN and get their place in finish_over.
 *
 * What an endless source cannot answer (the end of a partition, an order that is not that of event
 * time) is refused here, with the position of the call. */
#include "plan/bind_over.h"

#define OVER_COLUMN (UINT32_C(1) << 24)

void
begin_over(Binder *binder, const Select *select, PlanNode *input, Scope *scope)
{
	OverList *list = ARENA_NEW(binder->arena, OverList);

	list->select = select;
	list->input = input;
	list->scope = *scope;
	list->scope.lookups = NULL;
	list->bounded = plan_is_bounded(input);
	scope->over = list;
}

/* ---------------------------------------------------------------- event time */

/* Event time of the rows: declared, or any time of an endless source that declares none. */
static bool
is_event_time(const OverList *list, const BoundExpr *expr)
{
	if (expr->kind != BOUND_COLUMN ||
	    (expr->type->kind != TYPE_TIMESTAMP && expr->type->kind != TYPE_BIGINT))
		return false;
	if (is_declared_time(list->input, expr->column))
		return true;
	for (const PlanNode *node = list->input; node != NULL; node = node->input)
		if (node->kind == PLAN_AGGREGATE || node->kind == PLAN_OVER)
			return false;
	return !list->bounded && !declares_watermark(list->input) &&
	       expr->type->kind == TYPE_TIMESTAMP;
}

/* Whether the group key says which of the windows below a row of results belongs to. */
static bool
is_row_window_key(const PlanNode *aggregate, uint32_t column)
{
	const BoundExpr *key;
	bool end;

	if (!aggregate->aggregate.window.of_rows || column >= aggregate->aggregate.key_count)
		return false;
	key = aggregate->aggregate.keys[column];
	return key->kind == BOUND_COLUMN &&
	       find_row_window(aggregate->input, key->column, &end) != NULL;
}

/* Whether all rows of a partition belong to sessions that end at one time: they come together. */
static bool
is_of_one_end(const OverList *list, const Window *window)
{
	bool end;

	for (uint32_t i = 0; i < window->node.over.partition_count; i++) {
		const BoundExpr *expr = window->node.over.partition[i];
		const PlanNode *rows = expr->kind == BOUND_COLUMN
					       ? find_row_window(list->input, expr->column, &end)
					       : NULL;

		if (rows != NULL && rows->kind == PLAN_UNNEST && end)
			return true;
	}
	return false;
}

/* Whether all rows of a partition belong to one window of time, which the node below closes. */
static bool
is_of_one_window(const OverList *list, const Window *window)
{
	const PlanNode *below = list->input;

	if (is_of_one_end(list, window))
		return true;
	while (below->kind == PLAN_FILTER)
		below = below->input;
	if (below->kind != PLAN_AGGREGATE || below->aggregate.window.shape == SHAPE_NONE ||
	    below->aggregate.emit != EMIT_ONCE_FINAL || below->aggregate.window.grace > 0)
		return false;
	for (uint32_t i = 0; i < window->node.over.partition_count; i++) {
		const BoundExpr *expr = window->node.over.partition[i];

		if (expr->kind == BOUND_COLUMN && expr->column == below->aggregate.key_count + 1)
			return true;
		if (expr->kind == BOUND_COLUMN && is_row_window_key(below, expr->column))
			return true;
		if (expr->kind == BOUND_COLUMN && expr->column == below->aggregate.key_count &&
		    below->aggregate.window.shape == SHAPE_HOP)
			return true;
	}
	return false;
}

/* ---------------------------------------------------------------- windows */

/* The specification with what a named window adds to it. */
static Status
resolve_spec(Binder *binder, const OverList *list, const WindowSpec *spec, uint32_t depth,
	     WindowSpec *out)
{
	const Select *select = list->select;
	WindowSpec base;

	*out = *spec;
	if (spec->base.text.data == NULL)
		return FERRIS_OK;
	for (uint32_t i = 0; i < select->named_window_count; i++) {
		if (!str_eq_nocase(select->named_windows[i].name.text, spec->base.text))
			continue;
		if (depth > select->named_window_count)
			return error_set_at(binder->err, FERRIS_ERR_SYNTAX, spec->base.position,
					    "the window '%.*s' is defined by itself",
					    STR_ARG(spec->base.text));
		TRY(resolve_spec(binder, list, select->named_windows[i].spec, depth + 1, &base));
		if (spec->partition.count > 0 || (spec->order.count > 0 && base.order.count > 0)) {
			error_set_at(
				binder->err, FERRIS_ERR_SYNTAX, spec->position,
				"the window '%.*s' has a PARTITION BY and an ORDER BY of its own",
				STR_ARG(spec->base.text));
			return error_hint(binder->err, "only what it leaves open can be added");
		}
		*out = base;
		out->position = spec->position;
		if (spec->order.count > 0)
			out->order = spec->order;
		if (spec->unit != FRAME_NONE) {
			out->unit = spec->unit;
			out->start = spec->start;
			out->end = spec->end;
		}
		if (spec->buffer_rows != NULL)
			out->buffer_rows = spec->buffer_rows;
		if (spec->expire != EXPIRE_DEFAULT) {
			out->expire = spec->expire;
			out->expire_after = spec->expire_after;
		}
		return FERRIS_OK;
	}
	error_set_at(binder->err, FERRIS_ERR_UNKNOWN_TABLE, spec->base.position, "no window '%.*s'",
		     STR_ARG(spec->base.text));
	return error_hint(binder->err, "define it: WINDOW %.*s AS (PARTITION BY ...)",
			  STR_ARG(spec->base.text));
}

/* Keys must have an order: by which rows are told apart, and sorted. */
static Status
check_key(Binder *binder, const BoundExpr *key, const char *what)
{
	if (key->type->field_count == 0)
		return FERRIS_OK;
	return error_set_at(binder->err, FERRIS_ERR_TYPE, key->position,
			    "%s by %.*s is not possible", what,
			    STR_ARG(type_text(binder->arena, key->type)));
}

static Status
bind_keys(Binder *binder, OverList *list, const WindowSpec *spec, PlanNode *node)
{
	node->over.partition_count = spec->partition.count;
	node->over.partition = ARENA_ARRAY(binder->arena, BoundExpr *, spec->partition.count);
	for (uint32_t i = 0; i < spec->partition.count; i++)
		TRY(bind_expr(binder, &list->scope, spec->partition.items[i],
			      &node->over.partition[i]));
	node->over.order_count = spec->order.count;
	node->over.order = ARENA_ARRAY(binder->arena, OverKey, spec->order.count);
	for (uint32_t i = 0; i < spec->order.count; i++) {
		const OrderItem *item = &spec->order.items[i];
		OverKey *key = &node->over.order[i];

		TRY(bind_expr(binder, &list->scope, item->expr, &key->expr));
		TRY(check_key(binder, key->expr, "ORDER"));
		key->descending = item->descending;
		/* NULL is larger than every value unless it is said otherwise. */
		key->nulls_first = item->nulls == NULLS_ORDER_DEFAULT
					   ? item->descending
					   : item->nulls == NULLS_ORDER_FIRST;
	}
	return FERRIS_OK;
}

/* The time by which inactivity is measured. */
static Status
bind_expire(Binder *binder, OverList *list, const WindowSpec *spec, Window *window)
{
	PlanNode *node = &window->node;
	Scope none = {.what = "a duration"};
	BoundExpr *bound;

	if (spec->expire != EXPIRE_AFTER)
		return FERRIS_OK;
	window->expire = spec->expire_after->position;
	TRY(bind_expr(binder, &none, spec->expire_after, &bound));
	if (bound->kind != BOUND_CONSTANT || bound->type->kind != TYPE_INTERVAL ||
	    bound->constant.is_null || bound->constant.interval.months != 0)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, spec->expire_after->position,
				    "EXPIRE AFTER needs an INTERVAL of days or less");
	Interval interval = bound->constant.interval;
	node->over.idle_time = interval.days * MICROS_PER_DAY + interval.micros;
	for (uint32_t i = 0; i < list->input->schema.count && node->over.idle == NULL; i++)
		if (is_declared_time(list->input, i))
			node->over.idle = bound_column(
				binder->arena, i, list->input->schema.fields[i].type,
				list->input->schema.fields[i].name, spec->expire_after->position);
	if (spec->order.count > 0 && is_event_time(list, node->over.order[0].expr))
		node->over.idle = node->over.order[0].expr;
	if (node->over.idle == NULL) {
		error_set_at(
			binder->err, FERRIS_ERR_NOT_SUPPORTED, spec->expire_after->position,
			"EXPIRE AFTER needs a stream with a WATERMARK: inactivity is measured in "
			"event time");
		return error_hint(binder->err,
				  "declare WATERMARK FOR time AS time - INTERVAL '1' SECOND");
	}
	if (node->over.idle->type->kind == TYPE_BIGINT)
		node->over.idle_time /= MICROS_PER_MILLI;
	return FERRIS_OK;
}

static bool
same_window(const PlanNode *a, const PlanNode *b)
{
	if (a->over.partition_count != b->over.partition_count ||
	    a->over.order_count != b->over.order_count || a->over.idle_time != b->over.idle_time)
		return false;
	for (uint32_t i = 0; i < a->over.partition_count; i++)
		if (!bound_equal(a->over.partition[i], b->over.partition[i]))
			return false;
	for (uint32_t i = 0; i < a->over.order_count; i++)
		if (!bound_equal(a->over.order[i].expr, b->over.order[i].expr) ||
		    a->over.order[i].descending != b->over.order[i].descending ||
		    a->over.order[i].nulls_first != b->over.order[i].nulls_first)
			return false;
	return true;
}

static Status
find_window(Binder *binder, OverList *list, const WindowSpec *spec, Window **out)
{
	Window *window = ARENA_NEW(binder->arena, Window);

	if (spec->emit == EMIT_FINAL)
		return not_yet(binder, spec->position, "EMIT FINAL in a window",
			       "leave it out: each row comes out once, with its result");
	window->position = spec->position;
	window->node.kind = PLAN_OVER;
	window->node.position = spec->position;
	TRY(bind_keys(binder, list, spec, &window->node));
	TRY(bind_expire(binder, list, spec, window));
	for (uint32_t i = 0; i < list->window_count; i++)
		if (same_window(&list->windows[i]->node, &window->node)) {
			*out = list->windows[i];
			return FERRIS_OK;
		}
	if (list->window_count == list->window_capacity) {
		uint32_t capacity = list->window_capacity > 0 ? list->window_capacity * 2 : 4;
		Window **windows = ARENA_ARRAY(binder->arena, Window *, capacity);

		if (list->window_count > 0)
			memcpy(windows, list->windows, sizeof *windows * list->window_count);
		list->windows = windows;
		list->window_capacity = capacity;
	}
	list->windows[list->window_count++] = window;
	*out = window;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- calls */

Status
bind_over(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	OverList *list = scope->over;
	WindowSpec spec;
	Window *window = NULL;
	OverCall call;

	TRY(resolve_spec(binder, list, expr->function.over, 0, &spec));
	TRY(find_window(binder, list, &spec, &window));
	TRY(bind_over_call(binder, list, expr, &window->node, &spec, &call));
	uint32_t count = window->node.over.call_count;
	if (count == window->call_capacity) {
		uint32_t capacity = count > 0 ? count * 2 : 4;
		OverCall *calls = ARENA_ARRAY(binder->arena, OverCall, capacity);
		uint32_t *numbers = ARENA_ARRAY(binder->arena, uint32_t, capacity);

		if (count > 0) {
			memcpy(calls, window->node.over.calls, sizeof *calls * count);
			memcpy(numbers, window->numbers, sizeof *numbers * count);
		}
		window->node.over.calls = calls;
		window->numbers = numbers;
		window->call_capacity = capacity;
	}
	window->node.over.calls[count] = call;
	window->numbers[count] = list->call_count;
	window->node.over.call_count++;
	*out = bound_column(binder->arena, OVER_COLUMN + list->call_count++, call.type, expr->text,
			    expr->position);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- QUALIFY */

Status
bind_select_alias(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	OverList *list = scope->over;

	*out = NULL;
	if (!list->in_qualify || expr->kind != EXPR_COLUMN || expr->column.count != 1)
		return FERRIS_OK;
	Str name = expr->column.items[0].text;
	for (uint32_t i = 0; i < scope->count; i++)
		if (str_eq_nocase(scope->columns[i].name, name))
			return FERRIS_OK;
	for (uint32_t i = 0; i < list->select->item_count; i++) {
		const SelectItem *item = &list->select->items[i];

		if (item->alias.text.data == NULL || !str_eq_nocase(item->alias.text, name))
			continue;
		list->in_qualify = false;
		Status status = bind_expr(binder, scope, item->expr, out);
		list->in_qualify = true;
		return status;
	}
	return FERRIS_OK;
}

Status
bind_qualify(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	*out = NULL;
	if (expr == NULL)
		return FERRIS_OK;
	scope->over->in_qualify = true;
	Status status = bind_predicate(binder, scope, expr, "QUALIFY", out);
	scope->over->in_qualify = false;
	return status;
}

/* ---------------------------------------------------------------- nodes */

/* Whether the call's result needs the end of the partition. */
static bool
needs_whole(const OverCall *call)
{
	switch (call->function) {
	case OVER_PERCENT_RANK:
	case OVER_CUME_DIST:
	case OVER_NTILE:
		return true;
	case OVER_LEAD:
		return call->ignores_nulls;
	case OVER_FIRST_VALUE:
	case OVER_LAST_VALUE:
	case OVER_NTH_VALUE:
	case OVER_AGGREGATE:
		return call->frame.end == FRAME_UNBOUNDED_FOLLOWING ||
		       call->frame.delay == INT64_MAX ||
		       (call->frame.unit == FRAME_GROUPS && call->frame.end == FRAME_FOLLOWING);
	default:
		return false;
	}
}

static Status
refuse_endless(Binder *binder, const Window *window, const OverCall *whole)
{
	if (whole != NULL) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, whole->position,
			     "%.*s needs the end of its partition, and the source never ends",
			     STR_ARG(whole->text));
		return error_hint(binder->err,
				  "give it a frame that ends at CURRENT ROW or a number of rows "
				  "later, or read a bounded source");
	}
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED,
		     window->node.over.order[0].expr->position,
		     "the source never ends: its rows can only be taken in order of event time, "
		     "ascending");
	return error_hint(binder->err,
			  "ORDER BY the column of the stream's WATERMARK, or leave ORDER BY "
			  "out for the order of arrival");
}

/* Of the rows' numbers alone the first may be wanted, which needs no end. */
static bool
is_number_alone(const PlanNode *node)
{
	return node->over.call_count == 1 && !node->over.numbered &&
	       node->over.calls[0].function == OVER_ROW_NUMBER;
}

static Status
choose_mode(Binder *binder, const OverList *list, Window *window)
{
	PlanNode *node = &window->node;
	const OverKey *first = node->over.order_count > 0 ? &node->over.order[0] : NULL;
	const OverCall *whole = NULL;
	bool in_time = first != NULL && !first->descending && is_event_time(list, first->expr);

	for (uint32_t i = 0; i < node->over.call_count && whole == NULL; i++)
		if (needs_whole(&node->over.calls[i]))
			whole = &node->over.calls[i];
	if (whole == NULL && (first == NULL || in_time))
		node->over.mode = first == NULL ? OVER_ARRIVAL : OVER_TIME;
	else if (is_of_one_window(list, window))
		node->over.mode = OVER_BATCHES;
	else if (list->bounded || is_number_alone(node))
		node->over.mode = OVER_SORTED;
	else
		return refuse_endless(binder, window, whole);
	node->over.endless = node->over.mode == OVER_SORTED && !list->bounded;
	if (node->over.idle == NULL)
		return FERRIS_OK;
	for (uint32_t i = 0; i < node->over.call_count; i++)
		if (node->over.calls[i].frame.delay > node->over.idle_time)
			return error_set_at(binder->err, FERRIS_ERR_OPTION_CONFLICT, window->expire,
					    "the frame of %.*s reaches further than EXPIRE AFTER",
					    STR_ARG(node->over.calls[i].text));
	if (node->over.mode == OVER_ARRIVAL || node->over.mode == OVER_TIME)
		return FERRIS_OK;
	return error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, window->expire,
			    "EXPIRE AFTER needs rows in order of event time or of arrival");
}

/* The node passes its input's columns on and adds its calls. */
static PlanNode *
make_node(Binder *binder, Window *window, PlanNode *input)
{
	uint32_t left = input->schema.count;
	uint32_t calls = window->node.over.call_count;
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	Field *fields = ARENA_ARRAY(binder->arena, Field, left + calls + 1);

	*node = window->node;
	node->input = input;
	node->over.left_count = left;
	node->over.left = ARENA_ARRAY(binder->arena, BoundExpr *, left);
	for (uint32_t i = 0; i < left; i++) {
		fields[i] = input->schema.fields[i];
		node->over.left[i] = bound_column(binder->arena, i, fields[i].type, fields[i].name,
						  node->position);
	}
	for (uint32_t i = 0; i < calls; i++)
		fields[left + i] =
			(Field){.name = node->over.calls[i].text, .type = node->over.calls[i].type};
	fields[left + calls] = (Field){.name = STR("_arrival"), .type = TYPE_OF(BIGINT)};
	node->schema = (Schema){fields, left + calls + node->over.numbered};
	return node;
}

/* The windows from the lowest node up: those that leave the rows in their order first.  The lowest
 * numbers the rows, so that ties keep their order of arrival whatever the nodes below did. */
static void
stack_windows(Binder *binder, OverList *list, PlanNode **node, uint32_t *places)
{
	BoundExpr *number = NULL;

	for (OverMode mode = OVER_ARRIVAL; mode <= OVER_BATCHES; mode++)
		for (uint32_t w = 0; w < list->window_count; w++) {
			Window *window = list->windows[w];
			uint32_t first = (*node)->schema.count;

			if (window->node.over.mode != mode)
				continue;
			for (uint32_t i = 0; i < window->node.over.call_count; i++)
				places[window->numbers[i]] = first + i;
			window->node.over.number = number;
			window->node.over.numbered = number == NULL && list->window_count > 1;
			*node = make_node(binder, window, *node);
			if (window->node.over.numbered)
				number = bound_column(binder->arena, (*node)->schema.count - 1,
						      TYPE_OF(BIGINT), STR("_arrival"),
						      window->position);
		}
}

static void
place_column(BoundExpr *expr, void *context)
{
	const uint32_t *places = context;

	if (expr->kind == BOUND_COLUMN && expr->column >= OVER_COLUMN)
		expr->column = places[expr->column - OVER_COLUMN];
}

void
refresh_schemas(PlanNode *node)
{
	if (node->input == NULL || (node->kind != PLAN_FILTER && node->kind != PLAN_WATERMARK))
		return;
	refresh_schemas(node->input);
	node->schema = node->input->schema;
}

Status
finish_over(Binder *binder, Scope *scope, BoundExpr *qualify, PlanNode *project)
{
	OverList *list = scope->over;
	uint32_t *places = ARENA_ARRAY(binder->arena, uint32_t, list->call_count + 1);
	PlanNode *node = project->input;
	const Expr *clause = list->select->qualify;

	if (qualify != NULL && list->call_count == 0) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, clause->position,
			     "QUALIFY without a window function");
		return error_hint(binder->err, "conditions on columns belong in WHERE");
	}
	if (list->call_count == 0)
		return FERRIS_OK;
	refresh_schemas(node);
	for (uint32_t w = 0; w < list->window_count; w++) {
		TRY(choose_mode(binder, list, list->windows[w]));
		if (list->windows[w]->node.over.mode == OVER_TIME)
			TRY(add_time_watermark(binder, list->windows[w]->node.over.order[0].expr,
					       &node));
	}
	stack_windows(binder, list, &node, places);
	for (uint32_t i = 0; i < project->schema.count; i++)
		bound_walk(project->project.exprs[i], place_column, places);
	walk_lookups(scope->lookups, place_column, places);
	if (qualify != NULL) {
		bound_walk(qualify, place_column, places);
		node = filter_over(binder, node, qualify);
	}
	project->input = node;
	return FERRIS_OK;
}
