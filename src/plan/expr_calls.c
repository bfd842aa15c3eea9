/* plan/expr_calls.c -- looking for calls and columns in what the parser made. */
#include "plan/bind.h"

static bool
list_has_call(const ExprList *list, CallTest test)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (expr_has_call(list->items[i], test))
			return true;
	return false;
}

static bool
function_has_call(const Expr *expr, CallTest test)
{
	if (test(expr))
		return true;
	for (uint32_t i = 0; i < expr->function.arg_count; i++)
		if (expr_has_call(expr->function.args[i].value, test))
			return true;
	const WindowSpec *over = expr->function.over;
	if (over == NULL)
		return false;
	for (uint32_t i = 0; i < over->order.count; i++)
		if (expr_has_call(over->order.items[i].expr, test))
			return true;
	return list_has_call(&over->partition, test);
}

static bool
case_has_call(const Expr *expr, CallTest test)
{
	if (expr_has_call(expr->case_when.operand, test) ||
	    expr_has_call(expr->case_when.otherwise, test))
		return true;
	for (uint32_t i = 0; i < expr->case_when.when_count; i++)
		if (expr_has_call(expr->case_when.whens[i].when, test) ||
		    expr_has_call(expr->case_when.whens[i].then, test))
			return true;
	return false;
}

bool
expr_has_call(const Expr *expr, CallTest test)
{
	if (expr == NULL)
		return false;
	switch (expr->kind) {
	case EXPR_COLUMN:
		return test(expr);
	case EXPR_FUNCTION:
		return function_has_call(expr, test);
	case EXPR_UNARY:
		return expr_has_call(expr->unary.operand, test);
	case EXPR_BINARY:
		return expr_has_call(expr->binary.left, test) ||
		       expr_has_call(expr->binary.right, test);
	case EXPR_AND:
	case EXPR_OR:
	case EXPR_ARRAY:
	case EXPR_ROW:
		return list_has_call(&expr->list, test);
	case EXPR_IS:
		return expr_has_call(expr->is.operand, test);
	case EXPR_BETWEEN:
		return expr_has_call(expr->between.operand, test) ||
		       expr_has_call(expr->between.low, test) ||
		       expr_has_call(expr->between.high, test);
	case EXPR_IN_LIST:
		return expr_has_call(expr->in_list.operand, test) ||
		       list_has_call(&expr->in_list.list, test);
	case EXPR_IN_QUERY:
		return expr_has_call(expr->in_query.operand, test);
	case EXPR_QUANTIFIED:
		return expr_has_call(expr->quantified.left, test) ||
		       expr_has_call(expr->quantified.array, test);
	case EXPR_LIKE:
		return expr_has_call(expr->like.operand, test) ||
		       expr_has_call(expr->like.pattern, test);
	case EXPR_CASE:
		return case_has_call(expr, test);
	case EXPR_CAST:
		return expr_has_call(expr->cast.operand, test);
	case EXPR_TRY:
		return expr_has_call(expr->operand, test);
	case EXPR_SUBSCRIPT:
		return expr_has_call(expr->subscript.operand, test) ||
		       expr_has_call(expr->subscript.index, test);
	case EXPR_FIELD:
		return expr_has_call(expr->field.operand, test);
	default:
		return false;
	}
}
