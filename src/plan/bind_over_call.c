/* plan/bind_over_call.c -- window functions: a call and its arguments.
 *
 * What is not in the list below is an aggregate. */
#include "func/function.h"
#include "plan/bind_over.h"

/* What the functions take. */
typedef struct FunctionForm {
	Str name;
	OverFunction function;
	uint32_t min, max;
	const char *signature;
} FunctionForm;

static const FunctionForm forms[] = {
	{STR_INIT("ROW_NUMBER"), OVER_ROW_NUMBER, 0, 0, "ROW_NUMBER()"},
	{STR_INIT("RANK"), OVER_RANK, 0, 0, "RANK()"},
	{STR_INIT("DENSE_RANK"), OVER_DENSE_RANK, 0, 0, "DENSE_RANK()"},
	{STR_INIT("PERCENT_RANK"), OVER_PERCENT_RANK, 0, 0, "PERCENT_RANK()"},
	{STR_INIT("CUME_DIST"), OVER_CUME_DIST, 0, 0, "CUME_DIST()"},
	{STR_INIT("NTILE"), OVER_NTILE, 1, 1, "NTILE(tiles)"},
	{STR_INIT("LAG"), OVER_LAG, 1, 3, "LAG(x[, rows[, default]])"},
	{STR_INIT("LEAD"), OVER_LEAD, 1, 3, "LEAD(x[, rows[, default]])"},
	{STR_INIT("FIRST_VALUE"), OVER_FIRST_VALUE, 1, 1, "FIRST_VALUE(x)"},
	{STR_INIT("LAST_VALUE"), OVER_LAST_VALUE, 1, 1, "LAST_VALUE(x)"},
	{STR_INIT("NTH_VALUE"), OVER_NTH_VALUE, 2, 2, "NTH_VALUE(x, n)"},
};

static const FunctionForm *
find_form(Str name)
{
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
		if (str_eq_nocase(name, forms[i].name))
			return &forms[i];
	return NULL;
}

static Status
refuse_modifiers(Binder *binder, const Expr *expr, const FunctionForm *form)
{
	const FunctionCall *function = &expr->function;

	if (function->star || function->distinct || function->filter != NULL ||
	    function->order.count > 0 || function->within_group.count > 0)
		return error_set_at(
			binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
			"%.*s is no aggregate: it takes no *, DISTINCT, ORDER BY or FILTER",
			STR_ARG(form->name));
	if (function->arg_count < form->min || function->arg_count > form->max) {
		error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
			     "%.*s cannot take %u argument%s", STR_ARG(form->name),
			     function->arg_count, function->arg_count == 1 ? "" : "s");
		return error_hint(binder->err, "it is called as %s", form->signature);
	}
	if (function->nulls == NULLS_DEFAULT || form->function >= OVER_LAG)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
		     "%.*s has no value that could be NULL", STR_ARG(form->name));
	return error_hint(binder->err, "IGNORE NULLS and RESPECT NULLS are for LAG, LEAD, "
				       "FIRST_VALUE, LAST_VALUE and NTH_VALUE");
}

/* LAG's and LEAD's value and default have one type. */
static Status
bind_default(Binder *binder, OverList *list, const Expr *expr, OverCall *call)
{
	BoundExpr *otherwise;

	TRY(bind_expr(binder, &list->scope, expr, &otherwise));
	const Type *type = type_common(binder->arena, call->value->type, otherwise->type);
	if (type == NULL)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
				    "the default is %.*s, the value %.*s",
				    STR_ARG(type_text(binder->arena, otherwise->type)),
				    STR_ARG(type_text(binder->arena, call->value->type)));
	TRY(bound_cast(binder->arena, call->value, type, CAST_IMPLICIT, &call->value, binder->err));
	return bound_cast(binder->arena, otherwise, type, CAST_IMPLICIT, &call->otherwise,
			  binder->err);
}

static Status
bind_value_call(Binder *binder, OverList *list, const Expr *expr, OverCall *call)
{
	const FunctionCall *function = &expr->function;
	const Argument *args = function->args;
	bool away = call->function == OVER_LAG || call->function == OVER_LEAD;

	TRY(bind_expr(binder, &list->scope, args[0].value, &call->value));
	if (call->value->type->kind == TYPE_NULL)
		TRY(bound_cast(binder->arena, call->value, TYPE_OF(STRING), CAST_IMPLICIT,
			       &call->value, binder->err));
	call->number = 1;
	if (function->arg_count > 1)
		TRY(bind_over_number(binder, args[1].value, away ? "the distance" : "NTH_VALUE",
				     !away, &call->number));
	if (call->number > UINT32_MAX)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, args[1].value->position,
				    "more than %u rows away", UINT32_MAX);
	if (function->arg_count > 2)
		TRY(bind_default(binder, list, args[2].value, call));
	/* The row itself is no row away, whatever its value. */
	call->ignores_nulls = function->nulls == NULLS_IGNORE && call->number > 0;
	call->type = call->value->type;
	return FERRIS_OK;
}

/* A function of the list above. */
static Status
bind_form(Binder *binder, OverList *list, const Expr *expr, const FunctionForm *form,
	  OverCall *call)
{
	TRY(refuse_modifiers(binder, expr, form));
	call->function = form->function;
	switch (form->function) {
	case OVER_PERCENT_RANK:
	case OVER_CUME_DIST:
		call->type = TYPE_OF(DOUBLE);
		return FERRIS_OK;
	case OVER_NTILE:
		call->type = TYPE_OF(BIGINT);
		return bind_over_number(binder, expr->function.args[0].value, "NTILE", 1,
					&call->number);
	case OVER_ROW_NUMBER:
	case OVER_RANK:
	case OVER_DENSE_RANK:
		call->type = TYPE_OF(BIGINT);
		return FERRIS_OK;
	default:
		return bind_value_call(binder, list, expr, call);
	}
}

/* LAST_VALUE that ignores NULLs is the aggregate LAST. */
static Status
bind_over_aggregate(Binder *binder, OverList *list, const Expr *expr, OverCall *call)
{
	const FunctionCall *function = &expr->function;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, function->arg_count + 1);
	bool within =
		function->within_group.count == 1 && aggregate_takes_within(function->name.text);
	const OrderList *order =
		function->order.count > 0 ? &function->order : &function->within_group;
	AggregateCall *aggregate;

	if (!aggregate_exists(function->name.text)) {
		error_set_at(binder->err, FERRIS_ERR_UNKNOWN_FUNCTION, expr->position,
			     "%.*s is neither a window function nor an aggregate",
			     STR_ARG(function->name.text));
		return error_hint(binder->err, "OVER needs one of them: ROW_NUMBER, LAG, SUM, ...");
	}
	if (order->count > 1)
		return error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED,
				    order->items[1].expr->position,
				    "an aggregate can be ordered by one expression");
	if (within)
		TRY(bind_expr(binder, &list->scope, function->within_group.items[0].expr,
			      &args[0]));
	for (uint32_t i = 0; i < function->arg_count; i++)
		TRY(bind_expr(binder, &list->scope, function->args[i].value, &args[within + i]));
	TRY(aggregate_bind(binder->arena, function->name.text, args, within + function->arg_count,
			   expr->position, &aggregate, binder->err));
	aggregate->text = expr->text;
	aggregate->distinct = function->distinct;
	if (order->count == 1)
		aggregate->descending = order->items[0].descending;
	if (order->count == 1 && !within)
		TRY(bind_expr(binder, &list->scope, order->items[0].expr, &aggregate->order));
	if (function->filter != NULL)
		TRY(bind_predicate(binder, &list->scope, function->filter, "FILTER",
				   &aggregate->filter));
	call->function = OVER_AGGREGATE;
	call->aggregate = aggregate;
	call->type = aggregate->type;
	return FERRIS_OK;
}

/* The first row of a frame that surely has the row itself need not wait for the frame's end. */
static void
shorten_frame(OverCall *call)
{
	OverFrame *frame = &call->frame;

	if (call->function == OVER_FIRST_VALUE && !call->ignores_nulls &&
	    frame->start == FRAME_UNBOUNDED_PRECEDING && frame->end >= FRAME_CURRENT_ROW)
		*frame = (OverFrame){.unit = FRAME_ROWS,
				     .start = FRAME_UNBOUNDED_PRECEDING,
				     .end = FRAME_CURRENT_ROW};
}

Status
bind_over_call(Binder *binder, OverList *list, const Expr *expr, const PlanNode *node,
	       const WindowSpec *spec, OverCall *call)
{
	const FunctionForm *form = find_form(expr->function.name.text);
	bool last = form != NULL && expr->function.nulls == NULLS_IGNORE &&
		    form->function == OVER_LAST_VALUE;

	*call = (OverCall){.text = expr->text, .position = expr->position};
	if (form != NULL && !last)
		TRY(bind_form(binder, list, expr, form, call));
	else
		TRY(bind_over_aggregate(binder, list, expr, call));
	TRY(bind_over_frame(binder, list, node, spec, &call->frame));
	shorten_frame(call);
	if (spec->buffer_rows != NULL && call->function == OVER_LAG && !call->ignores_nulls &&
	    call->number > -call->frame.first)
		return error_set_at(binder->err, FERRIS_ERR_OPTION_CONFLICT, expr->position,
				    "LAG looks %lld rows back, the buffer holds %lld",
				    (long long)call->number, (long long)(1 - call->frame.first));
	return FERRIS_OK;
}
