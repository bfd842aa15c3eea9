/* plan/window_where.c -- WHERE on the bounds of the query's own window.
 *
 * All rows of a group have the same window, so a condition on its bounds alone chooses groups: it
 * goes to HAVING.  One that compares a bound with something of the row needs the windows as
 * columns of the rows (plan/bind_window.c). */
#include "plan/bind.h"

WindowBound
window_bound(const Expr *expr)
{
	static const Str names[][2] = {
		{STR_INIT("window_start"), STR_INIT("window_end")},
		{STR_INIT("_window_start"), STR_INIT("_window_end")},
		{STR_INIT("TUMBLE_START"), STR_INIT("TUMBLE_END")},
		{STR_INIT("HOP_START"), STR_INIT("HOP_END")},
		{STR_INIT("SESSION_START"), STR_INIT("SESSION_END")},
		{STR_INIT("CUMULATE_START"), STR_INIT("CUMULATE_END")},
	};
	bool call = expr->kind == EXPR_FUNCTION;
	Str name = {NULL, 0};

	if (call)
		name = expr->function.name.text;
	else if (expr->kind == EXPR_COLUMN)
		name = expr->column.items[expr->column.count - 1].text;
	for (size_t i = 0; i < sizeof names / sizeof *names && name.data != NULL; i++)
		for (int end = 0; end < 2; end++)
			if (str_eq_nocase(name, names[i][end]) && (i == 0 || call == (i >= 2)))
				return end ? WINDOW_BOUND_END : WINDOW_BOUND_START;
	return WINDOW_BOUND_NONE;
}

static bool
is_window_bound(const Expr *expr)
{
	return window_bound(expr) != WINDOW_BOUND_NONE;
}

ExprList
conjuncts_of(Expr **where)
{
	if ((*where)->kind == EXPR_AND)
		return (*where)->list;
	return (ExprList){.items = where, .count = 1};
}

static bool
is_column_of_row(const Expr *expr)
{
	return expr->kind == EXPR_COLUMN && !is_window_bound(expr);
}

bool
where_mixes_bounds(const Select *select)
{
	Expr *where = select->where;

	if (where == NULL)
		return false;
	ExprList list = conjuncts_of(&where);
	for (uint32_t i = 0; i < list.count; i++)
		if (expr_has_call(list.items[i], is_window_bound) &&
		    expr_has_call(list.items[i], is_column_of_row))
			return true;
	return false;
}

/* A column of FROM may have the name of a bound. */
static bool
means_columns(Binder *binder, const Scope *scope, const Expr *expr)
{
	Error ignored = {0};
	Binder quiet = *binder;
	Scope rows = *scope;
	BoundExpr *bound;

	quiet.err = &ignored;
	rows.lookups = NULL;
	return bind_expr(&quiet, &rows, expr, &bound) == FERRIS_OK;
}

Expr *
joined_conditions(Binder *binder, const ExprList *list, const Expr *like)
{
	Expr *and;

	if (list->count < 2)
		return list->count == 1 ? list->items[0] : NULL;
	and = ARENA_NEW(binder->arena, Expr);
	*and = *like;
	and->kind = EXPR_AND;
	and->list = *list;
	return and;
}

const Select *
bounds_to_having(Binder *binder, const Scope *scope, const Select *select)
{
	Expr *where = select->where;

	if (where == NULL || !expr_has_call(where, is_window_bound) ||
	    !groups_have_window(binder, select))
		return select;
	ExprList all = conjuncts_of(&where);
	ExprList rows = {.items = ARENA_ARRAY(binder->arena, Expr *, all.count + 1)};
	ExprList groups = {.items = ARENA_ARRAY(binder->arena, Expr *, all.count + 1)};
	for (uint32_t i = 0; i < all.count; i++) {
		Expr *condition = all.items[i];
		bool of_groups = expr_has_call(condition, is_window_bound) &&
				 !means_columns(binder, scope, condition);
		ExprList *list = of_groups ? &groups : &rows;

		list->items[list->count++] = condition;
	}
	if (groups.count == 0)
		return select;
	if (select->having != NULL)
		groups.items[groups.count++] = select->having;
	Select *moved = ARENA_NEW(binder->arena, Select);
	*moved = *select;
	moved->where = joined_conditions(binder, &rows, where);
	moved->having = joined_conditions(binder, &groups, where);
	return moved;
}
