/* plan/bind_expr.c -- expressions: names to columns, operators to functions, types checked.
 *
 * Every operator is a function of func/scalar_list.h under its own spelling; only what must not
 * evaluate all of its arguments on all rows is built here as a kind of its own. */
#include "func/function.h"
#include "plan/bind.h"
#include "type/number.h"

/* ---------------------------------------------------------------- literals */

static Status
literal_error(Binder *binder, const Expr *expr, const char *why)
{
	return error_set_at(binder->err, FERRIS_ERR_NUMBER_LITERAL, expr->position, "%.*s: %s",
			    STR_ARG(expr->text), why);
}

static Status
bind_decimal(Binder *binder, const Expr *expr, bool negative, BoundExpr **out)
{
	Str digits = expr->literal;
	const char *point = memchr(digits.data, '.', digits.len);
	int scale = point != NULL ? (int)(digits.data + digits.len - point) - 1 : 0;
	Value value;

	while (digits.len > 1 && digits.data[0] == '0')
		digits = str_skip(digits, 1);
	int precision = (int)digits.len - (point != NULL);
	if (precision < scale)
		precision = scale;
	if (precision < 1)
		precision = 1;
	if (precision > DECIMAL_MAX_PRECISION)
		return literal_error(binder, expr, "more than 38 digits");
	value = (Value){.type = type_decimal(binder->arena, precision, scale)};
	Int128 number = 0;
	if (decimal_parse(digits.data, digits.len, precision, scale, ROUND_EXACT, &number) !=
	    DECIMAL_OK)
		return literal_error(binder, expr, "not a number");
	if (negative)
		number = -number;
	if (precision <= DECIMAL_MAX_PRECISION_64)
		value.int64 = (int64_t)number;
	else
		value.int128 = number;
	*out = bound_constant(binder->arena, value, expr->position);
	return FERRIS_OK;
}

static Status
bind_integer(Binder *binder, const Expr *expr, bool negative, BoundExpr **out)
{
	Str text = negative ? str_format(binder->arena, "-%.*s", STR_ARG(expr->literal))
			    : expr->literal;
	int64_t number;

	if (int64_parse(text.data, text.len, &number) != NUMBER_OK)
		return bind_decimal(binder, expr, negative, out);
	bool narrow = number >= INT32_MIN && number <= INT32_MAX;
	Value value = {.type = narrow ? TYPE_OF(INTEGER) : TYPE_OF(BIGINT), .int64 = number};
	*out = bound_constant(binder->arena, value, expr->position);
	return FERRIS_OK;
}

static Status
bind_double(Binder *binder, const Expr *expr, bool negative, BoundExpr **out)
{
	Value value = {.type = TYPE_OF(DOUBLE)};

	if (double_parse(expr->literal.data, expr->literal.len, &value.real) != NUMBER_OK)
		return literal_error(binder, expr, "not a number that DOUBLE can hold");
	if (negative)
		value.real = -value.real;
	*out = bound_constant(binder->arena, value, expr->position);
	return FERRIS_OK;
}

static Status
bind_number(Binder *binder, const Expr *expr, bool negative, BoundExpr **out)
{
	if (expr->kind == EXPR_INTEGER)
		return bind_integer(binder, expr, negative, out);
	if (expr->kind == EXPR_DECIMAL)
		return bind_decimal(binder, expr, negative, out);
	return bind_double(binder, expr, negative, out);
}

static bool
is_number(const Expr *expr)
{
	return expr->kind == EXPR_INTEGER || expr->kind == EXPR_DECIMAL ||
	       expr->kind == EXPR_DOUBLE;
}

static Status
bind_typed(Binder *binder, const Expr *expr, BoundExpr **out)
{
	Str text = expr->typed.value;
	TemporalResult result;
	Value value = {0};
	int32_t days = 0;

	switch (expr->typed.kind) {
	case TYPED_DATE:
		value.type = TYPE_OF(DATE);
		result = date_parse(text.data, text.len, &days);
		value.int64 = days;
		break;
	case TYPED_TIME:
		value.type = TYPE_OF(TIME);
		result = time_parse(text.data, text.len, &value.int64);
		break;
	default:
		value.type = TYPE_OF(TIMESTAMP);
		result = timestamp_parse(text.data, text.len, &value.int64);
		break;
	}
	if (result != TEMPORAL_OK) {
		error_set_at(binder->err, FERRIS_ERR_CONSTANT, expr->typed.position,
			     "'%.*s' is not a %s", STR_ARG(text), type_kind_name(value.type->kind));
		return error_hint(binder->err, "write it as ISO 8601: 2023-11-14, 22:13:20, "
					       "2023-11-14 22:13:20.049");
	}
	*out = bound_constant(binder->arena, value, expr->position);
	return FERRIS_OK;
}

static Status
bind_interval(Binder *binder, const Expr *expr, BoundExpr **out)
{
	const IntervalValue *given = &expr->interval;

	if (given->months != (int32_t)given->months || given->days != (int32_t)given->days)
		return literal_error(binder, expr, "the interval is too long");
	Value value = {.type = TYPE_OF(INTERVAL),
		       .interval = {(int32_t)given->months, (int32_t)given->days, given->micros}};
	*out = bound_constant(binder->arena, value, expr->position);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- columns */

Status
unknown_column(Binder *binder, const Scope *scope, const Name *name)
{
	Error *err = binder->err;
	Str near = {NULL, 0};
	Str list = {"", 0};
	Str relation = {NULL, 0};

	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (near.data == NULL)
			near = str_nearest(name->text, &column->name, 1);
		if (column->hidden || column->shadowed)
			continue;
		relation = column->qualifier;
		if (list.len < 160)
			list = str_format(binder->arena, "%.*s%s%.*s", STR_ARG(list),
					  list.len > 0 ? ", " : "", STR_ARG(column->name));
		else if (!str_ends_with(list, STR(", ...")))
			list = str_format(binder->arena, "%.*s, ...", STR_ARG(list));
	}
	error_set_at(err, FERRIS_ERR_UNKNOWN_COLUMN, name->position, "unknown column '%.*s'",
		     STR_ARG(name->text));
	if (list.len > 0)
		error_label(err, "%.*s has: %.*s",
			    STR_ARG(relation.data != NULL ? relation : STR("the input")),
			    STR_ARG(list));
	if (near.data != NULL)
		return error_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	if (name->quoted)
		return error_hint(err, "double quotes are for names; text is written '%.*s'",
				  STR_ARG(name->text));
	if (scope->count == 0)
		return error_hint(err, "the query has no FROM; text is written in single quotes");
	return err->status;
}

/* The one column with that name (and qualifier, if given); NULL if there is none. */
static Status
find_column(Binder *binder, const Scope *scope, const Name *qualifier, const Name *name,
	    const ScopeColumn **out)
{
	*out = NULL;
	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (!str_eq_nocase(column->name, name->text))
			continue;
		if (qualifier != NULL ? !str_eq_nocase(column->qualifier, qualifier->text)
				      : column->shadowed)
			continue;
		/* An exact match in case beats one that differs in case. */
		if (*out != NULL && str_eq((*out)->name, name->text) &&
		    !str_eq(column->name, name->text))
			continue;
		if (*out != NULL && str_eq((*out)->name, column->name)) {
			error_set_at(binder->err, FERRIS_ERR_AMBIGUOUS, name->position,
				     "column '%.*s' is ambiguous", STR_ARG(name->text));
			return error_hint(binder->err, "write %.*s.%.*s or %.*s.%.*s",
					  STR_ARG((*out)->qualifier), STR_ARG(name->text),
					  STR_ARG(column->qualifier), STR_ARG(name->text));
		}
		*out = column;
	}
	return FERRIS_OK;
}

static bool
has_relation(const Scope *scope, Str name)
{
	for (uint32_t i = 0; i < scope->count; i++)
		if (str_eq_nocase(scope->columns[i].qualifier, name))
			return true;
	return false;
}

/* What stands before the dot is neither a relation nor a column. */
static Status
unknown_relation(Binder *binder, const Scope *scope, const Name *name)
{
	error_set_at(binder->err, FERRIS_ERR_UNKNOWN_TABLE, name->position,
		     "no relation '%.*s' in FROM", STR_ARG(name->text));
	for (uint32_t i = 0; i < scope->count; i++) {
		const Str candidates[] = {scope->columns[i].qualifier, scope->columns[i].name};
		Str near = str_nearest(name->text, candidates, 2);

		if (near.data != NULL)
			return error_hint(binder->err, "did you mean '%.*s'?", STR_ARG(near));
	}
	return binder->err->status;
}

static Status
bind_struct_field(Binder *binder, BoundExpr *base, const Name *name, BoundExpr **out)
{
	const Type *type = base->type;
	Schema fields = {.count = type->field_count};

	if (type->kind != TYPE_STRUCT) {
		error_set_at(
			binder->err, FERRIS_ERR_TYPE, name->position,
			"'%.*s' is not a field: what stands before the dot is %.*s, not a STRUCT",
			STR_ARG(name->text), STR_ARG(type_text(binder->arena, type)));
		return binder->err->status;
	}
	fields.fields = ARENA_ARRAY(binder->arena, Field, type->field_count);
	memcpy(fields.fields, type->fields, sizeof(Field) * type->field_count);
	int index = schema_find(&fields, name->text);
	if (index < 0)
		return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, name->position,
				    "no field '%.*s' in %.*s", STR_ARG(name->text),
				    STR_ARG(type_text(binder->arena, type)));
	*out = bound_node(binder->arena, BOUND_FIELD, fields.fields[index].type, &base, 1,
			  name->position);
	(*out)->column = (uint32_t)index;
	(*out)->name = fields.fields[index].name;
	return FERRIS_OK;
}

/* Whether the name is a column of the scope itself. */
static Status
is_column_of(Binder *binder, const Scope *scope, const NameList *parts, bool *out)
{
	const ScopeColumn *column = NULL;

	if (parts->count > 1)
		TRY(find_column(binder, scope, &parts->items[0], &parts->items[1], &column));
	if (column == NULL)
		TRY(find_column(binder, scope, NULL, &parts->items[0], &column));
	*out = column != NULL;
	return FERRIS_OK;
}

/* A column that the subquery does not have but the query around it; *out is NULL if it is neither.
 */
static Status
bind_outer(Binder *binder, Correlation *correlation, const Expr *expr, BoundExpr **out)
{
	Scope outer = *correlation->scope;
	bool found;

	*out = NULL;
	outer.outer = NULL;
	TRY(is_column_of(binder, &outer, &expr->column, &found));
	if (!found)
		return FERRIS_OK;
	if (!correlation->in_where) {
		error_set_at(
			binder->err, FERRIS_ERR_NOT_SUPPORTED, expr->position,
			"'%.*s' is a column of the outer query: it can stand only in the WHERE "
			"of the subquery",
			STR_ARG(expr->text));
		return error_hint(binder->err, "compare it there: WHERE column = %.*s",
				  STR_ARG(expr->text));
	}
	TRY(bind_any(binder, &outer, expr, out));
	return add_outer_column(binder, correlation, *out, out);
}

static Status
bind_column(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const NameList *parts = &expr->column;
	const ScopeColumn *column = NULL;
	uint32_t used = 1;

	if (parts->count > 1) {
		TRY(find_column(binder, scope, &parts->items[0], &parts->items[1], &column));
		used = 2;
	}
	if (column == NULL) {
		TRY(find_column(binder, scope, NULL, &parts->items[0], &column));
		used = 1;
	}
	if (column == NULL && scope->outer != NULL) {
		TRY(bind_outer(binder, scope->outer, expr, out));
		if (*out != NULL)
			return FERRIS_OK;
	}
	if (column == NULL && parts->count > 1 && !has_relation(scope, parts->items[0].text))
		return unknown_relation(binder, scope, &parts->items[0]);
	if (column == NULL)
		return unknown_column(binder, scope, &parts->items[parts->count > 1 ? 1 : 0]);
	*out = bound_column(binder->arena, column->index, column->type, column->name,
			    expr->position);
	for (; used < parts->count; used++)
		TRY(bind_struct_field(binder, *out, &parts->items[used], out));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- operators */

static const Str binary_names[] = {
	[BINARY_ADD] = STR_INIT("+"),
	[BINARY_SUBTRACT] = STR_INIT("-"),
	[BINARY_MULTIPLY] = STR_INIT("*"),
	[BINARY_DIVIDE] = STR_INIT("/"),
	[BINARY_REMAINDER] = STR_INIT("%"),
	[BINARY_CONCAT] = STR_INIT("||"),
	[BINARY_EQUAL] = STR_INIT("="),
	[BINARY_NOT_EQUAL] = STR_INIT("<>"),
	[BINARY_LESS] = STR_INIT("<"),
	[BINARY_LESS_EQUAL] = STR_INIT("<="),
	[BINARY_GREATER] = STR_INIT(">"),
	[BINARY_GREATER_EQUAL] = STR_INIT(">="),
	[BINARY_DISTINCT] = STR_INIT("IS DISTINCT FROM"),
	[BINARY_NOT_DISTINCT] = STR_INIT("IS NOT DISTINCT FROM"),
};

static const Str is_names[][2] = {
	[IS_NULL] = {STR_INIT("IS NULL"), STR_INIT("IS NOT NULL")},
	[IS_TRUE] = {STR_INIT("IS TRUE"), STR_INIT("IS NOT TRUE")},
	[IS_FALSE] = {STR_INIT("IS FALSE"), STR_INIT("IS NOT FALSE")},
	[IS_UNKNOWN] = {STR_INIT("IS UNKNOWN"), STR_INIT("IS NOT UNKNOWN")},
};

static Status
call(Binder *binder, Str name, BoundExpr *const *args, uint32_t count, const Expr *expr,
     BoundExpr **out)
{
	return function_bind(binder->arena, name, args, count, expr->position, out, binder->err);
}

static Status
negate_if(Binder *binder, bool negated, const Expr *expr, BoundExpr **out)
{
	BoundExpr *operand = *out;

	return negated ? call(binder, STR("NOT"), &operand, 1, expr, out) : FERRIS_OK;
}

static Status
bind_all(Binder *binder, Scope *scope, const ExprList *list, BoundExpr ***out)
{
	*out = ARENA_ARRAY(binder->arena, BoundExpr *, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		TRY(bind_any(binder, scope, list->items[i], &(*out)[i]));
	return FERRIS_OK;
}

static Status
as_boolean(Binder *binder, BoundExpr *expr, const char *what, BoundExpr **out)
{
	if (expr->type->kind != TYPE_BOOLEAN && expr->type->kind != TYPE_NULL) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "%s needs a BOOLEAN, this is %.*s", what,
			     STR_ARG(type_text(binder->arena, expr->type)));
		return error_hint(binder->err, "compare it with something: x = ..., x IS NOT NULL");
	}
	return bound_cast(binder->arena, expr, TYPE_OF(BOOLEAN), CAST_IMPLICIT, out, binder->err);
}

static Status
bind_logic(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	BoundExpr **args;

	TRY(bind_all(binder, scope, &expr->list, &args));
	for (uint32_t i = 0; i < expr->list.count; i++)
		TRY(as_boolean(binder, args[i], expr->kind == EXPR_AND ? "AND" : "OR", &args[i]));
	*out = bound_node(binder->arena, expr->kind == EXPR_AND ? BOUND_AND : BOUND_OR,
			  TYPE_OF(BOOLEAN), args, expr->list.count, expr->position);
	return FERRIS_OK;
}

static Status
bind_unary(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const Expr *operand = expr->unary.operand;
	BoundExpr *arg;

	if (expr->unary.op == UNARY_MINUS && is_number(operand))
		return bind_number(binder, operand, true, out);
	TRY(bind_any(binder, scope, operand, &arg));
	if (expr->unary.op == UNARY_NOT) {
		TRY(as_boolean(binder, arg, "NOT", &arg));
		return call(binder, STR("NOT"), &arg, 1, expr, out);
	}
	if (expr->unary.op == UNARY_MINUS)
		return call(binder, STR("NEG"), &arg, 1, expr, out);
	if (!type_is_numeric(arg->type) && arg->type->kind != TYPE_INTERVAL)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
				    "cannot take + of %.*s",
				    STR_ARG(type_text(binder->arena, arg->type)));
	*out = arg;
	return FERRIS_OK;
}

static Status
bind_range(Binder *binder, BoundExpr *x, BoundExpr *low, BoundExpr *high, const Expr *expr,
	   BoundExpr **out)
{
	BoundExpr *bounds[2];

	TRY(call(binder, STR(">="), (BoundExpr *[]){x, low}, 2, expr, &bounds[0]));
	TRY(call(binder, STR("<="), (BoundExpr *[]){x, high}, 2, expr, &bounds[1]));
	*out = bound_node(binder->arena, BOUND_AND, TYPE_OF(BOOLEAN), bounds, 2, expr->position);
	return FERRIS_OK;
}

static Status
bind_between(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	BoundExpr *x, *low, *high, *ways[2];

	TRY(bind_any(binder, scope, expr->between.operand, &x));
	TRY(bind_any(binder, scope, expr->between.low, &low));
	TRY(bind_any(binder, scope, expr->between.high, &high));
	TRY(bind_range(binder, x, low, high, expr, &ways[0]));
	*out = ways[0];
	if (expr->between.symmetric) {
		TRY(bind_range(binder, x, high, low, expr, &ways[1]));
		*out = bound_node(binder->arena, BOUND_OR, TYPE_OF(BOOLEAN), ways, 2,
				  expr->position);
	}
	return negate_if(binder, expr->between.negated, expr, out);
}

static Status
bind_in_list(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	uint32_t count = expr->in_list.list.count + 1;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	if (expr->in_list.operand->kind == EXPR_ROW) {
		TRY(bind_row_in(binder, scope, expr, out));
		return negate_if(binder, expr->in_list.negated, expr, out);
	}
	TRY(bind_any(binder, scope, expr->in_list.operand, &args[0]));
	for (uint32_t i = 1; i < count; i++)
		TRY(bind_any(binder, scope, expr->in_list.list.items[i - 1], &args[i]));
	TRY(call(binder, STR("IN"), args, count, expr, out));
	return negate_if(binder, expr->in_list.negated, expr, out);
}

static Status
bind_like(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	static const Str names[] = {
		[LIKE_LIKE] = STR_INIT("LIKE"),
		[LIKE_ILIKE] = STR_INIT("ILIKE"),
		[LIKE_SIMILAR] = STR_INIT("SIMILAR TO"),
		[LIKE_REGEXP] = STR_INIT("REGEXP"),
	};
	BoundExpr *args[3];
	uint32_t count = 2;

	TRY(bind_any(binder, scope, expr->like.operand, &args[0]));
	TRY(bind_any(binder, scope, expr->like.pattern, &args[1]));
	if (expr->like.escape != NULL)
		TRY(bind_any(binder, scope, expr->like.escape, &args[count++]));
	TRY(call(binder, names[expr->like.kind], args, count, expr, out));
	return negate_if(binder, expr->like.negated, expr, out);
}

/* ---------------------------------------------------------------- CASE */

/* Of CASE's arguments (condition, result, ..., default), whether args[i] is a result. */
static bool
is_result(uint32_t i, uint32_t count)
{
	return i % 2 == 1 || i == count - 1;
}

/* Convert the results to one type. */
static Status
unify_results(Binder *binder, BoundExpr **args, uint32_t count, const Type **type)
{
	*type = TYPE_OF(NULL);
	for (uint32_t i = 0; i < count; i++) {
		if (!is_result(i, count))
			continue;
		const Type *common = type_common(binder->arena, *type, args[i]->type);
		if (common == NULL)
			return error_set_at(binder->err, FERRIS_ERR_TYPE, args[i]->position,
					    "CASE cannot give %.*s here and %.*s elsewhere",
					    STR_ARG(type_text(binder->arena, args[i]->type)),
					    STR_ARG(type_text(binder->arena, *type)));
		*type = common;
	}
	for (uint32_t i = 0; i < count; i++)
		if (is_result(i, count))
			TRY(bound_cast(binder->arena, args[i], *type, CAST_IMPLICIT, &args[i],
				       binder->err));
	return FERRIS_OK;
}

static Status
bind_case(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	uint32_t whens = expr->case_when.when_count;
	uint32_t count = whens * 2 + 1;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	BoundExpr *operand = NULL;
	const Type *type;

	if (expr->case_when.operand != NULL)
		TRY(bind_any(binder, scope, expr->case_when.operand, &operand));
	for (uint32_t i = 0; i < whens; i++) {
		const CaseWhen *when = &expr->case_when.whens[i];
		BoundExpr *test;

		TRY(bind_any(binder, scope, when->when, &test));
		if (operand != NULL)
			TRY(call(binder, STR("="), (BoundExpr *[]){operand, test}, 2, when->when,
				 &test));
		TRY(as_boolean(binder, test, "WHEN", &args[2 * i]));
		TRY(bind_any(binder, scope, when->then, &args[2 * i + 1]));
	}
	if (expr->case_when.otherwise != NULL)
		TRY(bind_any(binder, scope, expr->case_when.otherwise, &args[count - 1]));
	else
		args[count - 1] =
			bound_constant(binder->arena, value_null(TYPE_OF(NULL)), expr->position);
	TRY(unify_results(binder, args, count, &type));
	*out = bound_node(binder->arena, BOUND_CASE, type, args, count, expr->position);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- functions */

/* Functions that are neither aggregates nor scalar: they need OVER or a window. */
static const Str window_functions[] = {
	STR_INIT("LAG"),          STR_INIT("LEAD"),       STR_INIT("ROW_NUMBER"),
	STR_INIT("RANK"),         STR_INIT("DENSE_RANK"), STR_INIT("NTH_VALUE"),
	STR_INIT("PERCENT_RANK"), STR_INIT("CUME_DIST"),  STR_INIT("NTILE"),
	STR_INIT("TUMBLE_START"), STR_INIT("TUMBLE_END"), STR_INIT("HOP_START"),
	STR_INIT("HOP_END"),      STR_INIT("TUMBLE"),     STR_INIT("HOP"),
	STR_INIT("SESSION"),      STR_INIT("CUMULATE"),
};

static bool
is_window_function(const FunctionCall *function)
{
	if (function->over != NULL)
		return true;
	for (size_t i = 0; i < sizeof window_functions / sizeof *window_functions; i++)
		if (str_eq_nocase(function->name.text, window_functions[i]))
			return !function_exists(function->name.text);
	return false;
}

/* An aggregate or window function where none can be. */
static Status
refuse_function(Binder *binder, const Expr *expr)
{
	const FunctionCall *function = &expr->function;

	if (function->over != NULL) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "%.*s with OVER cannot stand here", STR_ARG(function->name.text));
		return error_hint(binder->err, "window functions belong in the select list or in "
					       "QUALIFY; a subquery can name their results");
	}
	if (aggregate_exists(function->name.text)) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "the aggregate %.*s cannot stand here", STR_ARG(function->name.text));
		return error_hint(binder->err, "aggregates belong in the select list or in HAVING");
	}
	if (is_window_function(function)) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "%.*s needs a window: OVER (...), or one in GROUP BY",
			     STR_ARG(function->name.text));
		return error_hint(binder->err, "GROUP BY TUMBLE(time, INTERVAL '1' MINUTE)");
	}
	return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, expr->position,
			    "%.*s is no aggregate: it takes no *, DISTINCT, ORDER BY or FILTER",
			    STR_ARG(function->name.text));
}

static Status
bind_function(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const FunctionCall *function = &expr->function;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, function->arg_count);
	uint32_t count = function->arg_count;
	Str name = function->name.text;

	if (is_constructor(name))
		return bind_constructor(binder, scope, expr, out);
	TRY(bind_header_call(binder, scope, expr, out));
	if (*out != NULL)
		return FERRIS_OK;
	if (function->over != NULL && scope->over != NULL)
		return bind_over(binder, scope, expr, out);
	if (is_window_function(function) || function->star || function->distinct ||
	    function->filter != NULL || function->order.count > 0 ||
	    function->within_group.count > 0 || (aggregate_exists(name) && !function_exists(name)))
		return refuse_function(binder, expr);
	for (uint32_t i = 0; i < count; i++) {
		if (function->args[i].name.text.data != NULL)
			return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS,
					    function->args[i].name.position,
					    "%.*s takes no named arguments", STR_ARG(name));
		TRY(bind_any(binder, scope, function->args[i].value, &args[i]));
	}
	return call(binder, name, args, count, expr, out);
}

/* ---------------------------------------------------------------- the rest */

static Status
bind_cast_expr(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	const Type *type;
	BoundExpr *operand;

	TRY(bind_any(binder, scope, expr->cast.operand, &operand));
	TRY(resolve_type(binder->arena, expr->cast.type, &type, binder->err));
	Status status = bound_cast(binder->arena, operand, type,
				   expr->cast.is_try ? CAST_TRY : CAST_EXPLICIT, out, binder->err);
	if (status != FERRIS_OK && binder->err->position.line == 0)
		binder->err->position = expr->position;
	return status;
}

static Status
bind_list_call(Binder *binder, Scope *scope, Str name, const ExprList *list, const Expr *expr,
	       BoundExpr **out)
{
	BoundExpr **args;

	TRY(bind_all(binder, scope, list, &args));
	return call(binder, name, args, list->count, expr, out);
}

static Status
bind_pair(Binder *binder, Scope *scope, Str name, const Expr *a, const Expr *b, const Expr *expr,
	  BoundExpr **out)
{
	BoundExpr *args[2];

	TRY(bind_any(binder, scope, a, &args[0]));
	TRY(bind_any(binder, scope, b, &args[1]));
	return call(binder, name, args, 2, expr, out);
}

static Status
bind_is(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	BoundExpr *operand;

	TRY(bind_any(binder, scope, expr->is.operand, &operand));
	return call(binder, is_names[expr->is.test][expr->is.negated], &operand, 1, expr, out);
}

static Status
refuse_star(Binder *binder, const Expr *expr)
{
	error_set_at(binder->err, FERRIS_ERR_SYNTAX, expr->position, "* cannot be used here");
	return error_hint(binder->err, "name the columns");
}

/* Of NULL, TRUE, FALSE, 'text'. */
static Value
literal_value(const Expr *expr)
{
	if (expr->kind == EXPR_BOOLEAN)
		return (Value){.type = TYPE_OF(BOOLEAN), .boolean = expr->boolean};
	if (expr->kind == EXPR_STRING)
		return (Value){.type = TYPE_OF(STRING), .text = expr->literal};
	return value_null(TYPE_OF(NULL));
}

/* What the expression is in this scope: a column of the select list, a group's; NULL if neither. */
static Status
bind_made(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	*out = NULL;
	if (scope->over != NULL)
		TRY(bind_select_alias(binder, scope, expr, out));
	if (*out == NULL && scope->grouping != NULL)
		TRY(bind_grouped(binder, scope, expr, out));
	return FERRIS_OK;
}

Status
bind_any(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	Arena *arena = binder->arena;
	BoundExpr *operand;

	TRY(bind_made(binder, scope, expr, out));
	if (*out != NULL)
		return FERRIS_OK;
	switch (expr->kind) {
	case EXPR_NULL:
	case EXPR_BOOLEAN:
	case EXPR_STRING:
		*out = bound_constant(arena, literal_value(expr), expr->position);
		return FERRIS_OK;
	case EXPR_INTEGER:
	case EXPR_DECIMAL:
	case EXPR_DOUBLE:
		return bind_number(binder, expr, false, out);
	case EXPR_INTERVAL:
		return bind_interval(binder, expr, out);
	case EXPR_TYPED:
		return bind_typed(binder, expr, out);
	case EXPR_COLUMN:
		return bind_column(binder, scope, expr, out);
	case EXPR_UNARY:
		return bind_unary(binder, scope, expr, out);
	case EXPR_BINARY:
		if (expr->binary.left->kind == EXPR_ROW && expr->binary.right->kind == EXPR_ROW)
			return bind_row_compare(binder, scope, expr, out);
		return bind_pair(binder, scope, binary_names[expr->binary.op], expr->binary.left,
				 expr->binary.right, expr, out);
	case EXPR_AND:
	case EXPR_OR:
		return bind_logic(binder, scope, expr, out);
	case EXPR_IS:
		return bind_is(binder, scope, expr, out);
	case EXPR_BETWEEN:
		return bind_between(binder, scope, expr, out);
	case EXPR_IN_LIST:
		return bind_in_list(binder, scope, expr, out);
	case EXPR_LIKE:
		return bind_like(binder, scope, expr, out);
	case EXPR_CASE:
		return bind_case(binder, scope, expr, out);
	case EXPR_CAST:
		return bind_cast_expr(binder, scope, expr, out);
	case EXPR_TRY:
		TRY(bind_any(binder, scope, expr->operand, &operand));
		*out = bound_node(arena, BOUND_TRY, operand->type, &operand, 1, expr->position);
		return FERRIS_OK;
	case EXPR_FUNCTION:
		return bind_function(binder, scope, expr, out);
	case EXPR_ARRAY:
		return bind_list_call(binder, scope, STR("ARRAY"), &expr->list, expr, out);
	case EXPR_ROW:
		return bind_constructor(binder, scope, expr, out);
	case EXPR_SUBSCRIPT:
		return bind_pair(binder, scope, STR("ELEMENT_AT"), expr->subscript.operand,
				 expr->subscript.index, expr, out);
	case EXPR_FIELD:
		TRY(bind_any(binder, scope, expr->field.operand, &operand));
		return bind_struct_field(binder, operand, &expr->field.name, out);
	case EXPR_STAR:
		return refuse_star(binder, expr);
	case EXPR_EXISTS:
	case EXPR_SUBQUERY:
	case EXPR_IN_QUERY:
	case EXPR_QUANTIFIED:
		return bind_subquery(binder, scope, expr, out);
	}
	return FERRIS_OK;
}

Status
bind_expr(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out)
{
	BoundExpr *bound;

	TRY(bind_any(binder, scope, expr, &bound));
	return bound_fold(binder->arena, bound, out, binder->err);
}

Status
bind_predicate(Binder *binder, Scope *scope, const Expr *expr, const char *what, BoundExpr **out)
{
	BoundExpr *bound;

	TRY(bind_any(binder, scope, expr, &bound));
	TRY(as_boolean(binder, bound, what, &bound));
	return bound_fold(binder->arena, bound, out, binder->err);
}
