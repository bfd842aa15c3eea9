/* plan/bind_distinct_on.c -- DISTINCT ON (a, b): the first row of each group.
 *
 * Which is the first says ORDER BY, without it the order of arrival: the select is bound as if it
 * had QUALIFY ROW_NUMBER() OVER (PARTITION BY a, b ORDER BY ...) = 1. */
#include "plan/bind.h"

/* The item of the select list that has the name; NULL: none has. */
static Expr *
item_named(const Select *select, const Expr *expr)
{
	if (expr->kind != EXPR_COLUMN || expr->column.count != 1)
		return NULL;
	for (uint32_t i = 0; i < select->item_count; i++) {
		const SelectItem *item = &select->items[i];

		if (item->alias.text.data != NULL &&
		    str_eq_nocase(item->alias.text, expr->column.items[0].text))
			return item->expr;
	}
	return NULL;
}

/* In ORDER BY and DISTINCT ON, a number or an alias stands for an item of the select list. */
static Status
item_of(Binder *binder, const Select *select, Expr *expr, Expr **out)
{
	uint32_t number = 0;

	*out = item_named(select, expr);
	if (*out != NULL)
		return FERRIS_OK;
	*out = expr;
	if (expr->kind != EXPR_INTEGER)
		return FERRIS_OK;
	for (uint32_t i = 0; i < expr->literal.len && number <= select->item_count; i++)
		number = number * 10 + (uint32_t)(expr->literal.data[i] - '0');
	if (number < 1 || number > select->item_count)
		return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, expr->position,
				    "%.*s: the select list has %u items", STR_ARG(expr->literal),
				    select->item_count);
	for (uint32_t i = 0; i < number; i++) {
		if (select->items[i].expr->kind != EXPR_STAR)
			continue;
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
			     "a number behind * does not say which column is meant");
		return error_hint(binder->err, "name the column");
	}
	*out = select->items[number - 1].expr;
	return FERRIS_OK;
}

/* ROW_NUMBER() OVER (PARTITION BY <distinct_on> ORDER BY <order>) */
static Status
row_number(Binder *binder, const OrderList *order, const Select *select, Expr **out)
{
	const ExprList *on = &select->distinct_on;
	WindowSpec *over = ARENA_NEW(binder->arena, WindowSpec);
	Position at = on->items[0]->position;

	over->position = at;
	over->partition.items = ARENA_ARRAY(binder->arena, Expr *, on->count);
	over->partition.count = on->count;
	for (uint32_t i = 0; i < on->count; i++)
		TRY(item_of(binder, select, on->items[i], &over->partition.items[i]));
	over->order.items = ARENA_ARRAY(binder->arena, OrderItem, order->count);
	over->order.count = order->count;
	for (uint32_t i = 0; i < order->count; i++) {
		over->order.items[i] = order->items[i];
		TRY(item_of(binder, select, order->items[i].expr, &over->order.items[i].expr));
	}
	*out = ARENA_NEW(binder->arena, Expr);
	(*out)->kind = EXPR_FUNCTION;
	(*out)->position = at;
	(*out)->text = STR("ROW_NUMBER()");
	(*out)->function.name = (Name){.text = STR("ROW_NUMBER"), .position = at};
	(*out)->function.over = over;
	return FERRIS_OK;
}

Status
distinct_on_as_qualify(Binder *binder, const Query *query, const Select **select)
{
	const Select *from = *select;
	Position at;
	Select *copy;
	Expr *one, *first;

	if (from->distinct_on.count == 0)
		return FERRIS_OK;
	at = from->distinct_on.items[0]->position;
	if (from->qualify != NULL) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, from->qualify->position,
			     "QUALIFY and DISTINCT ON both say which rows stay");
		return error_hint(binder->err, "put the one that comes first into a subquery");
	}
	one = ARENA_NEW(binder->arena, Expr);
	*one = (Expr){.kind = EXPR_INTEGER, .position = at, .text = STR("1"), .literal = STR("1")};
	first = ARENA_NEW(binder->arena, Expr);
	first->kind = EXPR_BINARY;
	first->position = at;
	first->text = STR("DISTINCT ON");
	first->binary.op = BINARY_EQUAL;
	first->binary.op_position = at;
	first->binary.right = one;
	TRY(row_number(binder, &query->order, from, &first->binary.left));
	copy = ARENA_NEW(binder->arena, Select);
	*copy = *from;
	copy->distinct = false;
	copy->distinct_on = (ExprList){0};
	copy->qualify = first;
	*select = copy;
	return FERRIS_OK;
}
