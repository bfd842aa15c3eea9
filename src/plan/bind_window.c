/* plan/bind_window.c -- windows as columns: TABLE(TUMBLE(TABLE t, ...)) without a group.
 *
 * The rows of the table come out once for each of their windows, with its bounds; those of SESSION
 * when it has ended (plan/bind_session.c).  A query above that groups by these bounds makes groups
 * that end with their windows: it becomes a windowed aggregate again, although the windows were cut
 * below. */
#include "func/function.h"
#include "plan/bind.h"

/* ---------------------------------------------------------------- rows with their windows */

static const Str bound_names[WINDOW_COLUMNS] = {STR_INIT("window_start"), STR_INIT("window_end"),
						STR_INIT("window_time")};

/* The visible columns from number `first` on, and _window_start and _window_end as other names. */
static void
add_bounds(Binder *binder, uint32_t first, const Type *type, Str qualifier, Scope *scope)
{
	static const struct {
		Str name;
		uint32_t bound;
		bool hidden;
	} names[] = {
		{STR_INIT("window_start"), 0, false}, {STR_INIT("window_end"), 1, false},
		{STR_INIT("window_time"), 2, false},  {STR_INIT("_window_start"), 0, true},
		{STR_INIT("_window_end"), 1, true},
	};
	size_t count = sizeof names / sizeof *names;
	ScopeColumn *columns = ARENA_ARRAY(binder->arena, ScopeColumn, scope->count + count);

	memcpy(columns, scope->columns, sizeof *columns * scope->count);
	for (size_t i = 0; i < count; i++)
		columns[scope->count++] = (ScopeColumn){
			.qualifier = qualifier,
			.name = names[i].name,
			.type = type,
			.index = first + names[i].bound,
			.hidden = names[i].hidden,
		};
	scope->columns = columns;
	/* HEADER('k') would widen a scan behind the node's back. */
	scope->scan = NULL;
}

/* Each row with the bounds that follow from its time. */
static void
put_window(Binder *binder, const Relation *relation, const WindowPlan *window, const Field *bounds,
	   PlanNode **root)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	const Schema *input = &(*root)->schema;
	Field *fields = ARENA_ARRAY(binder->arena, Field, input->count + WINDOW_COLUMNS);

	*node = (PlanNode){.kind = PLAN_WINDOW, .position = relation->position, .input = *root};
	node->window.plan = *window;
	node->window.left = ARENA_ARRAY(binder->arena, BoundExpr *, input->count);
	node->window.left_count = input->count;
	for (uint32_t i = 0; i < input->count; i++) {
		fields[i] = input->fields[i];
		node->window.left[i] = bound_column(binder->arena, i, fields[i].type,
						    fields[i].name, relation->position);
	}
	memcpy(fields + input->count, bounds, sizeof *fields * WINDOW_COLUMNS);
	node->schema = (Schema){fields, input->count + WINDOW_COLUMNS};
	*root = node;
}

Status
bind_window_rows(Binder *binder, const Relation *relation, Str qualifier, PlanNode **root,
		 Scope *scope)
{
	const Select none = {0};
	WindowPlan window;
	Field bounds[WINDOW_COLUMNS];

	scope->what = "DESCRIPTOR";
	TRY(bind_window(binder, scope, &none, relation, &window));
	for (uint32_t i = 0; i < WINDOW_COLUMNS; i++)
		bounds[i] = (Field){.name = bound_names[i], .type = window.time->type};
	if (window.shape == SHAPE_SESSION)
		TRY(bind_session_rows(binder, scope, relation, &window, bounds, root));
	else
		put_window(binder, relation, &window, bounds, root);
	add_bounds(binder, (*root)->schema.count - WINDOW_COLUMNS, window.time->type, qualifier,
		   scope);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- groups of such rows */

/* Whether the column is one of the bounds that the node gives its rows. */
static bool
is_row_bound(const PlanNode *node, uint32_t column)
{
	if (node->kind == PLAN_UNNEST)
		return node->unnest.sessions && column < node->unnest.left_count;
	return node->kind == PLAN_WINDOW && column >= node->window.left_count;
}

PlanNode *
find_row_window(PlanNode *node, uint32_t column, bool *end)
{
	while (!is_row_bound(node, column))
		if (!column_below(&node, &column))
			return NULL;
	if (node->kind == PLAN_UNNEST) {
		*end = column == 1;
		return node;
	}
	*end = column == node->window.left_count + 1;
	/* With CUMULATE the start does not say which window it is. */
	if (!*end &&
	    (column != node->window.left_count || node->window.plan.shape == SHAPE_CUMULATE))
		return NULL;
	return node;
}

/* Windows as long as those below are apart, each ending where one of them does: a row, by its time
 * bound - shift, falls into the one that ends with its own. */
static Status
window_of_rows(Binder *binder, const WindowPlan *rows, BoundExpr *bound, bool end, WindowPlan *out)
{
	const Type *type = bound->type;
	int64_t shift = end ? rows->advance : rows->advance - rows->size;
	Value value = {.type = TYPE_OF(INTERVAL), .interval = {0, 0, shift}};

	if (type->kind == TYPE_BIGINT)
		value = (Value){.type = TYPE_OF(BIGINT), .int64 = shift};
	BoundExpr *args[] = {bound, bound_constant(binder->arena, value, bound->position)};
	*out = (WindowPlan){.shape = SHAPE_HOP,
			    .size = rows->advance,
			    .advance = rows->advance,
			    .offset = (rows->offset + rows->size) % rows->advance,
			    .of_rows = true};
	return function_bind(binder->arena, STR("-"), args, 2, bound->position, &out->time,
			     binder->err);
}

Status
bind_row_window(Binder *binder, Scope *scope, const Select *select, PlanNode *node, WindowPlan *out)
{
	/* No session comes out any more whose bound is the moment that the watermark has passed. */
	static const WindowPlan moment = {.size = 1, .advance = 1};
	PlanNode *window = NULL;
	BoundExpr *bound = NULL;
	bool end = false;

	for (uint32_t i = 0; i < select->group_count && !end; i++) {
		const GroupItem *item = &select->groups[i];
		BoundExpr *expr;
		bool is_end;

		if (item->kind != GROUP_EXPR || item->sets[0].count != 1 ||
		    !bind_group_column(binder, scope, select, item->sets[0].items[0], &expr))
			continue;
		PlanNode *found = find_row_window(node, expr->column, &is_end);
		if (found == NULL)
			continue;
		window = found;
		bound = expr;
		end = is_end;
	}
	if (window == NULL)
		return FERRIS_OK;
	if (window->kind == PLAN_UNNEST)
		return window_of_rows(binder, &moment, bound, end, out);
	TRY(add_time_watermark(binder, window->window.plan.time, &window->input));
	return window_of_rows(binder, &window->window.plan, bound, end, out);
}
