/* plan/bind_window_clause.c -- the window that a query asks for, in each of its spellings: WINDOW
 * TUMBLING(...), TUMBLE(...) in GROUP BY, TABLE(TUMBLE(TABLE t, ...)) in FROM.
 *
 * All become a WindowPlan: a time and constant durations in its unit. */
#include "func/function.h"
#include "plan/bind.h"

/* Names of functions that stand for a window, and what its arguments mean. */
typedef struct WindowFunction {
	Str name;
	WindowShape shape;
	uint32_t durations; /* after the time: size; HOP and CUMULATE: advance, size */
} WindowFunction;

static const WindowFunction window_functions[] = {
	{STR_INIT("TUMBLE"), SHAPE_HOP, 1},        {STR_INIT("TUMBLING"), SHAPE_HOP, 1},
	{STR_INIT("HOP"), SHAPE_HOP, 2},           {STR_INIT("HOPPING"), SHAPE_HOP, 2},
	{STR_INIT("SLIDING"), SHAPE_HOP, 2},       {STR_INIT("SESSION"), SHAPE_SESSION, 1},
	{STR_INIT("CUMULATE"), SHAPE_CUMULATE, 2},
};

static const WindowFunction *
find_window_function(Str name)
{
	for (size_t i = 0; i < sizeof window_functions / sizeof *window_functions; i++)
		if (str_eq_nocase(name, window_functions[i].name))
			return &window_functions[i];
	return NULL;
}

bool
is_window_call(const Expr *expr)
{
	return expr->kind == EXPR_FUNCTION &&
	       find_window_function(expr->function.name.text) != NULL;
}

/* ---------------------------------------------------------------- time and durations */

/* The longest window: 10000 years. */
#define LONGEST (3652425 * MICROS_PER_DAY)

Status
bind_duration(Binder *binder, const Expr *expr, const Type *time, bool zero, int64_t *out)
{
	Scope none = {.what = "a duration"};
	BoundExpr *bound;

	TRY(bind_expr(binder, &none, expr, &bound));
	if (bound->kind != BOUND_CONSTANT || bound->type->kind != TYPE_INTERVAL ||
	    bound->constant.is_null)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
				    "a window needs an INTERVAL constant here");
	Interval interval = bound->constant.interval;
	int64_t micros = -1;

	if (interval.days >= 0 && interval.days <= LONGEST / MICROS_PER_DAY &&
	    interval.micros <= LONGEST)
		micros = interval.days * MICROS_PER_DAY + interval.micros;
	if (interval.months != 0 || micros < 0 || (micros == 0 && !zero) || micros > LONGEST) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "a window cannot be %.*s long", STR_ARG(expr->text));
		return error_hint(binder->err,
				  "days, hours, minutes, seconds and parts of them can be");
	}
	if (time->kind == TYPE_BIGINT && micros % MICROS_PER_MILLI != 0)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
				    "a window over a BIGINT counts whole milliseconds, not %.*s",
				    STR_ARG(expr->text));
	*out = time->kind == TYPE_BIGINT ? micros / MICROS_PER_MILLI : micros;
	return FERRIS_OK;
}

/* The stream's own time: its declared watermark's column, else the broker's timestamp. */
static Status
default_time(Binder *binder, const Scope *input, Position at, BoundExpr **out)
{
	const ScopeColumn *time = input->time;

	for (uint32_t i = 0; time == NULL && i < input->count; i++)
		if (str_eq_nocase(input->columns[i].name, STR("_timestamp")))
			time = &input->columns[i];
	if (time != NULL) {
		*out = bound_column(binder->arena, time->index, time->type, time->name, at);
		return FERRIS_OK;
	}
	error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, at, "the window has no time column");
	return error_hint(binder->err, "name it: TUMBLING(event_time, INTERVAL '1' MINUTE)");
}

static Status
check_time(Binder *binder, BoundExpr *time)
{
	if (time->type->kind == TYPE_TIMESTAMP || time->type->kind == TYPE_BIGINT)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_TYPE, time->position,
		     "a window's time is a TIMESTAMP, not %.*s",
		     STR_ARG(type_text(binder->arena, time->type)));
	return error_hint(binder->err, "or a BIGINT of epoch milliseconds");
}

static Status
check_shape(Binder *binder, const WindowPlan *window, Position at)
{
	if (window->shape == SHAPE_HOP && window->advance > window->size) {
		error_set_at(
			binder->err, FERRIS_ERR_TYPE, at,
			"the window advances by more than its size: rows between would be in none");
		return error_hint(binder->err,
				  "the size comes first in SLIDING(size, advance), last in "
				  "HOP(time, advance, size)");
	}
	if (window->shape == SHAPE_CUMULATE && window->size % window->advance != 0)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, at,
				    "CUMULATE's size must be a multiple of its step");
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the spellings */

/* time, [advance,] size, [offset] as arguments of a function. */
static Status
bind_window_arguments(Binder *binder, Scope *input, const WindowFunction *function,
		      const Expr *const *args, uint32_t count, Position at, WindowPlan *out)
{
	const Type *time;

	if (count < 1 + function->durations || count > 2 + function->durations)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, at,
				    "%.*s takes a time and %u duration%s", STR_ARG(function->name),
				    function->durations, function->durations == 1 ? "" : "s");
	out->shape = function->shape;
	TRY(bind_expr(binder, input, args[0], &out->time));
	TRY(check_time(binder, out->time));
	time = out->time->type;
	TRY(bind_duration(binder, args[function->durations], time, false, &out->size));
	out->advance = out->size;
	if (function->durations == 2)
		TRY(bind_duration(binder, args[1], time, false, &out->advance));
	if (count > 1 + function->durations)
		TRY(bind_duration(binder, args[count - 1], time, true, &out->offset));
	return check_shape(binder, out, at);
}

static Status
bind_window_clause(Binder *binder, Scope *input, const WindowClause *clause, WindowPlan *out)
{
	static const WindowShape shapes[] = {
		[WINDOW_NONE] = SHAPE_NONE,         [WINDOW_TUMBLING] = SHAPE_HOP,
		[WINDOW_SLIDING] = SHAPE_HOP,       [WINDOW_SESSION] = SHAPE_SESSION,
		[WINDOW_CUMULATE] = SHAPE_CUMULATE,
	};

	if (clause->time != NULL)
		TRY(bind_expr(binder, input, clause->time, &out->time));
	else
		TRY(default_time(binder, input, clause->position, &out->time));
	TRY(check_time(binder, out->time));
	out->shape = shapes[clause->kind];
	TRY(bind_duration(binder, clause->size, out->time->type, false, &out->size));
	out->advance = out->size;
	if (clause->advance != NULL)
		TRY(bind_duration(binder, clause->advance, out->time->type, false, &out->advance));
	return check_shape(binder, out, clause->position);
}

/* Where a named argument stands among time, [advance,] size, [offset]; -1: nowhere. */
static int
argument_slot(const WindowFunction *function, Str name)
{
	int last = (int)function->durations;

	if (str_eq_nocase(name, STR("TIMECOL")))
		return 0;
	if (str_eq_nocase(name, function->shape == SHAPE_SESSION ? STR("GAP") : STR("SIZE")))
		return last;
	if (str_eq_nocase(name, STR("OFFSET")))
		return last + 1;
	if (last == 2 &&
	    str_eq_nocase(name, function->shape == SHAPE_CUMULATE ? STR("STEP") : STR("SLIDE")))
		return 1;
	return -1;
}

static Expr *
descriptor_column(Binder *binder, const TableArgument *argument)
{
	Expr *time = ARENA_NEW(binder->arena, Expr);

	time->kind = EXPR_COLUMN;
	time->position = argument->position;
	time->column = argument->columns;
	time->text = argument->columns.items[0].text;
	return time;
}

/* The next argument of TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), ...)) to its place. */
static Status
place_argument(Binder *binder, const WindowFunction *function, const TableArgument *argument,
	       const Expr **args, uint32_t *next)
{
	int slot = (int)*next;

	if (argument->name.text.data != NULL)
		slot = argument_slot(function, argument->name.text);
	if (slot < 0)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, argument->name.position,
				    "%.*s has no argument '%.*s'", STR_ARG(function->name),
				    STR_ARG(argument->name.text));
	if (slot > (int)function->durations + 1 || args[slot] != NULL)
		return error_set_at(
			binder->err, FERRIS_ERR_ARGUMENTS, argument->position,
			"%.*s takes a table, DESCRIPTOR(time) and %u duration%s, each once",
			STR_ARG(function->name), function->durations,
			function->durations == 1 ? "" : "s");
	if (argument->kind == ARGUMENT_DESCRIPTOR && slot == 0 && argument->columns.count == 1)
		args[slot] = descriptor_column(binder, argument);
	else if (argument->kind == ARGUMENT_EXPR && slot > 0)
		args[slot] = argument->expr;
	else
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, argument->position,
				    slot == 0 ? "DESCRIPTOR(time) with one column goes here"
					      : "a duration goes here");
	*next = (uint32_t)slot + 1;
	return FERRIS_OK;
}

/* TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), ...)): the arguments beside the table. */
static Status
bind_window_relation(Binder *binder, Scope *input, const Relation *relation, WindowPlan *out)
{
	const WindowFunction *function = find_window_function(relation->function.name.text);
	const Expr *args[4] = {NULL}; /* time, two durations, offset */
	uint32_t next = 0, count = 0;

	if (function == NULL) {
		error_set_at(binder->err, FERRIS_ERR_UNKNOWN_FUNCTION, relation->position,
			     "unknown table function '%.*s'",
			     STR_ARG(relation->function.name.text));
		return error_hint(binder->err, "windows are TUMBLE, HOP, CUMULATE and SESSION: "
					       "TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), size))");
	}
	TRY(refuse_partition(binder, relation));
	for (uint32_t i = 0; i < relation->function.arg_count; i++) {
		const TableArgument *argument = &relation->function.args[i];

		if (argument->kind != ARGUMENT_TABLE && argument->kind != ARGUMENT_QUERY)
			TRY(place_argument(binder, function, argument, args, &next));
	}
	while (count < 4 && args[count] != NULL)
		count++;
	return bind_window_arguments(binder, input, function, args, count, relation->position, out);
}

/* The window functions among the groups: how many, and the last of them. */
static int
windows_in_groups(const Select *select, const Expr **out)
{
	int count = 0;

	for (uint32_t i = 0; i < select->group_count; i++) {
		const GroupItem *group = &select->groups[i];
		const Expr *expr = group->kind == GROUP_EXPR ? group->sets[0].items[0] : NULL;

		if (expr != NULL && is_window_call(expr)) {
			*out = expr;
			count++;
		}
	}
	return count;
}

/* TUMBLE(time, size) and the like as a call. */
static Status
bind_window_call(Binder *binder, Scope *input, const WindowFunction *function, const Expr *call,
		 WindowPlan *out)
{
	const Expr **args = ARENA_ARRAY(binder->arena, const Expr *, call->function.arg_count + 1);

	for (uint32_t i = 0; i < call->function.arg_count; i++)
		args[i] = call->function.args[i].value;
	return bind_window_arguments(binder, input, function, args, call->function.arg_count,
				     call->position, out);
}

bool
groups_have_window(Binder *binder, const Select *select)
{
	const Expr *call;

	return select->window.kind != WINDOW_NONE || windows_in_groups(select, &call) > 0 ||
	       groups_by_window(binder, select);
}

Status
bind_window(Binder *binder, Scope *input, const Select *select, const Relation *function,
	    WindowPlan *out)
{
	const Expr *call = NULL;
	int ways = windows_in_groups(select, &call) + (select->window.kind != WINDOW_NONE) +
		   (function != NULL);

	*out = (WindowPlan){.shape = SHAPE_NONE};
	if (ways == 0 && select->grace != NULL)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, select->grace->position,
				    "GRACE PERIOD needs a window");
	if (ways == 0)
		return FERRIS_OK;
	if (ways > 1)
		return error_set_at(binder->err, FERRIS_ERR_OPTION_CONFLICT,
				    call != NULL ? call->position : select->window.position,
				    "the query has more than one window");
	if (function != NULL)
		TRY(bind_window_relation(binder, input, function, out));
	else if (call == NULL)
		TRY(bind_window_clause(binder, input, &select->window, out));
	else
		TRY(bind_window_call(binder, input, find_window_function(call->function.name.text),
				     call, out));
	if (select->grace != NULL)
		TRY(bind_duration(binder, select->grace, out->time->type, true, &out->grace));
	return FERRIS_OK;
}

static bool
window_equal(const WindowPlan *a, const WindowPlan *b)
{
	return a->shape == b->shape && a->size == b->size && a->advance == b->advance &&
	       a->offset == b->offset && bound_equal(a->time, b->time);
}

Status
check_window_call(Binder *binder, const Scope *input, const WindowPlan *of_query, const Expr *expr)
{
	Str name = expr->function.name.text;
	const char *underscore = memchr(name.data, '_', name.len);
	const WindowFunction *function =
		find_window_function((Str){name.data, (uint32_t)(underscore - name.data)});
	Scope scope = *input;
	WindowPlan window = {.shape = SHAPE_NONE};

	if (function == NULL || expr->function.arg_count == 0)
		return FERRIS_OK;
	TRY(bind_window_call(binder, &scope, function, expr, &window));
	if (window_equal(&window, of_query))
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
		     "%.*s is not of the query's window", STR_ARG(expr->text));
	return error_hint(binder->err,
			  "give it the arguments of the window, or write _window_start and "
			  "_window_end");
}
