/* plan/bind_stream_join.c -- joins of two streams: rows that meet within a time.
 *
 * How far apart rows may be comes from WITHIN, or from conditions in ON that compare the event
 * times of both sides: l.t <= r.t, r.t BETWEEN l.t - INTERVAL '5' MINUTE AND l.t, l.t = r.t.  What
 * is no equality and no such condition is checked for each pair.
 *
 * A join without a bound in time keeps every row until the other side ends; where that never
 * happens it is refused, unless 'state.unbounded' = 'allow'. */
#include "func/function.h"
#include "plan/bind_join.h"

#define LEFT  0
#define RIGHT 1

/* Further than any two times are apart: no bound.  10000 years, in microseconds. */
#define NO_BOUND (3652425 * MICROS_PER_DAY)

/* low <= right time - left time <= high */
typedef struct TimeBounds {
	BoundExpr *times[2]; /* over the columns of each side; NULL: not known yet */
	int64_t low;
	int64_t high;
} TimeBounds;

/* ---------------------------------------------------------------- times in ON */

/* A time of one side, and a constant added to it. */
typedef struct ShiftedTime {
	int side;
	const BoundExpr *column; /* over the joined columns */
	int64_t shift;
} ShiftedTime;

static bool
constant_shift(const BoundExpr *expr, const Type *time, int64_t *out)
{
	if (expr->kind != BOUND_CONSTANT || expr->constant.is_null)
		return false;
	if (time->kind == TYPE_BIGINT && type_is_integer(expr->type)) {
		*out = expr->constant.int64;
		return *out > -NO_BOUND && *out < NO_BOUND;
	}
	if (time->kind != TYPE_TIMESTAMP || expr->type->kind != TYPE_INTERVAL)
		return false;
	const Interval *interval = &expr->constant.interval;
	if (interval->months != 0 || interval->days > 3652425 || interval->days < -3652425 ||
	    interval->micros > NO_BOUND || interval->micros < -NO_BOUND)
		return false;
	*out = interval->days * MICROS_PER_DAY + interval->micros;
	return true;
}

/* Whether rows of the side are in order of the column, up to the watermark. */
static bool
is_time_of(const PlanNode *side, const BoundExpr *column, uint32_t index)
{
	if (column->type->kind != TYPE_TIMESTAMP && column->type->kind != TYPE_BIGINT)
		return false;
	return declares_watermark(side) ? is_declared_time(side, index)
					: column->type->kind == TYPE_TIMESTAMP;
}

/* A column and a constant added to it, which may be none. */
static bool
as_shifted_column(const BoundExpr *expr, ShiftedTime *out)
{
	int64_t shift;

	if (expr->kind == BOUND_COLUMN) {
		*out = (ShiftedTime){.column = expr};
		return true;
	}
	if (expr->kind != BOUND_CALL || expr->arg_count != 2)
		return false;
	Str name = function_name(expr->function);
	bool minus = str_eq(name, STR("-"));
	if (!minus && !str_eq(name, STR("+")))
		return false;
	if (as_shifted_column(expr->args[0], out) &&
	    constant_shift(expr->args[1], out->column->type, &shift)) {
		out->shift += minus ? -shift : shift;
		return true;
	}
	if (minus || !as_shifted_column(expr->args[1], out) ||
	    !constant_shift(expr->args[0], out->column->type, &shift))
		return false;
	out->shift += shift;
	return true;
}

static bool
as_shifted_time(const Sides *sides, const BoundExpr *expr, ShiftedTime *out)
{
	uint32_t left = sides->input->schema.count;

	if (!as_shifted_column(expr, out))
		return false;
	out->side = out->column->column < left ? LEFT : RIGHT;
	return out->side == LEFT
		       ? is_time_of(sides->input, out->column, out->column->column)
		       : is_time_of(sides->table, out->column, out->column->column - left);
}

/* The side's time is the same column in all conditions. */
static bool
accept_time(Binder *binder, const Sides *sides, TimeBounds *bounds, const ShiftedTime *time)
{
	uint32_t first = time->side == LEFT ? 0 : sides->input->schema.count;
	BoundExpr **known = &bounds->times[time->side];
	const BoundExpr *column = time->column;

	if (*known == NULL)
		*known = bound_column(binder->arena, column->column - first, column->type,
				      column->name, column->position);
	return (*known)->column == column->column - first;
}

/* Takes `a <op> b` into the bounds if it compares the times of both sides. */
static bool
take_bound(Binder *binder, const Sides *sides, const BoundExpr *conjunct, TimeBounds *bounds)
{
	ShiftedTime a, b;

	if (conjunct->kind != BOUND_CALL || conjunct->arg_count != 2)
		return false;
	Str op = function_name(conjunct->function);
	bool equal = str_eq(op, STR("="));
	bool less = str_eq(op, STR("<")) || str_eq(op, STR("<="));
	bool more = str_eq(op, STR(">")) || str_eq(op, STR(">="));
	if ((!equal && !less && !more) || !as_shifted_time(sides, conjunct->args[0], &a) ||
	    !as_shifted_time(sides, conjunct->args[1], &b) || a.side == b.side ||
	    a.column->type->kind != b.column->type->kind ||
	    !accept_time(binder, sides, bounds, &a) || !accept_time(binder, sides, bounds, &b))
		return false;
	int64_t strict = op.len == 1 && !equal;
	/* right - left against `apart`. */
	int64_t apart = a.side == LEFT ? a.shift - b.shift : b.shift - a.shift;
	bool is_low = equal || less == (a.side == LEFT);
	bool is_high = equal || less == (a.side == RIGHT);
	if (is_low && apart + strict > bounds->low)
		bounds->low = apart + strict;
	if (is_high && apart - strict < bounds->high)
		bounds->high = apart - strict;
	return true;
}

/* The last moment of a window that ends then. */
static Status
last_moment(Binder *binder, BoundExpr *end, BoundExpr **out)
{
	Value unit = {.type = TYPE_OF(INTERVAL), .interval = {0, 0, 1}};

	if (end->type->kind == TYPE_BIGINT)
		unit = (Value){.type = TYPE_OF(BIGINT), .int64 = 1};
	BoundExpr *args[] = {end, bound_constant(binder->arena, unit, end->position)};
	return function_bind(binder->arena, STR("-"), args, 2, end->position, out, binder->err);
}

/* Equal ends of windows are a bound in time. */
static Status
take_windows(Binder *binder, const Sides *sides, BoundExpr *left, BoundExpr *right,
	     TimeBounds *bounds)
{
	if (left->kind != BOUND_COLUMN || right->kind != BOUND_COLUMN)
		return FERRIS_OK;
	PlanNode *windows[] = {find_window_end(sides->input, left->column),
			       find_window_end(sides->table, right->column)};
	if (windows[LEFT] == NULL || windows[RIGHT] == NULL)
		return FERRIS_OK;
	/* The times of the rows that are cut into windows are those of the source. */
	if (windows[LEFT]->kind == PLAN_WINDOW)
		TRY(add_time_watermark(binder, windows[LEFT]->window.plan.time,
				       &windows[LEFT]->input));
	if (windows[RIGHT]->kind == PLAN_WINDOW)
		TRY(add_time_watermark(binder, windows[RIGHT]->window.plan.time,
				       &windows[RIGHT]->input));
	TRY(last_moment(binder, left, &bounds->times[LEFT]));
	TRY(last_moment(binder, right, &bounds->times[RIGHT]));
	bounds->low = 0;
	bounds->high = 0;
	return FERRIS_OK;
}

/* Equal times are a bound as well, if need be with a constant added. */
static Status
take_key(Binder *binder, const Sides *sides, BoundExpr *left, BoundExpr *right, TimeBounds *bounds)
{
	ShiftedTime a, b;

	if (bounds->times[LEFT] != NULL || bounds->times[RIGHT] != NULL)
		return FERRIS_OK;
	if (!as_shifted_column(left, &a) || !as_shifted_column(right, &b) ||
	    a.column->type->kind != b.column->type->kind ||
	    !is_declared_time(sides->input, a.column->column) ||
	    !is_declared_time(sides->table, b.column->column))
		return take_windows(binder, sides, left, right, bounds);
	for (int side = LEFT; side <= RIGHT; side++) {
		const BoundExpr *column = side == LEFT ? a.column : b.column;

		bounds->times[side] = bound_column(binder->arena, column->column, column->type,
						   column->name, column->position);
	}
	bounds->low = a.shift - b.shift;
	bounds->high = bounds->low;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- WITHIN */

/* The time by which WITHIN counts: the declared one, else the broker's. */
static Status
stream_time(Binder *binder, const PlanNode *side, const Scope *scope, Position at, BoundExpr **out)
{
	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (!is_declared_time(side, column->index) &&
		    (declares_watermark(side) || !str_eq_nocase(column->name, STR("_timestamp"))))
			continue;
		*out = bound_column(binder->arena, column->index, column->type, column->name, at);
		return FERRIS_OK;
	}
	error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, at,
		     "WITHIN needs the event time of both sides");
	return error_hint(binder->err, "declare WATERMARK FOR their time columns");
}

static Status
take_within(Binder *binder, const Relation *relation, const Sides *sides, TimeBounds *bounds)
{
	Position at = relation->join.position;
	int64_t before, after;

	TRY(stream_time(binder, sides->input, &sides->input_scope, at, &bounds->times[LEFT]));
	TRY(stream_time(binder, sides->table, &sides->table_scope, at, &bounds->times[RIGHT]));
	if (bounds->times[LEFT]->type->kind != bounds->times[RIGHT]->type->kind)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, at,
				    "the times of the sides are %.*s and %.*s",
				    STR_ARG(type_text(binder->arena, bounds->times[LEFT]->type)),
				    STR_ARG(type_text(binder->arena, bounds->times[RIGHT]->type)));
	const Type *type = bounds->times[LEFT]->type;
	TRY(bind_duration(binder, relation->join.within_before, type, true, &before));
	TRY(bind_duration(binder, relation->join.within_after, type, true, &after));
	bounds->low = -before > bounds->low ? -before : bounds->low;
	bounds->high = after < bounds->high ? after : bounds->high;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the node */

PlanNode *
join_input(Binder *binder, PlanNode *side, BoundExpr *const *keys, uint32_t key_count,
	   BoundExpr *time)
{
	const Schema *schema = &side->schema;
	uint32_t count = key_count + (time != NULL) + schema->count;
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	uint32_t n = 0;

	for (; n < key_count; n++)
		exprs[n] = keys[n];
	if (time != NULL)
		exprs[n++] = time;
	for (uint32_t i = 0; i < n; i++)
		fields[i] = (Field){.name = bound_text(binder->arena, exprs[i]),
				    .type = exprs[i]->type};
	for (uint32_t i = 0; i < schema->count; i++) {
		fields[n] = schema->fields[i];
		exprs[n++] = bound_column(binder->arena, i, schema->fields[i].type,
					  schema->fields[i].name, side->position);
	}
	*project = (PlanNode){.kind = PLAN_PROJECT,
			      .input = side,
			      .position = side->position,
			      .schema = {fields, count}};
	project->project.exprs = exprs;
	project->project.key = ARENA_ARRAY(binder->arena, bool, count);
	return project;
}

void
set_join_schema(Binder *binder, const Sides *sides, PlanNode *node)
{
	JoinShape shape = node->stream_join.shape;
	const Schema *left = &sides->input->schema;
	const Schema *right = &sides->table->schema;
	Field *fields = ARENA_ARRAY(binder->arena, Field, left->count + right->count);
	uint32_t count = 0;

	for (uint32_t i = 0; i < left->count; i++) {
		fields[count] = left->fields[i];
		fields[count++].not_null &= shape != SHAPE_RIGHT && shape != SHAPE_FULL;
	}
	for (uint32_t i = 0; i < right->count && shape != SHAPE_SEMI && shape != SHAPE_ANTI; i++) {
		fields[count] = right->fields[i];
		fields[count++].not_null &= shape == SHAPE_INNER || shape == SHAPE_RIGHT;
	}
	node->schema = (Schema){fields, count};
}

static Status
stream_join_node(Binder *binder, const Relation *relation, Sides *sides, const KeyList *keys,
		 const TimeBounds *bounds, PlanNode **out)
{
	static const JoinShape shapes[] = {
		[JOIN_INNER] = SHAPE_INNER, [JOIN_LEFT] = SHAPE_LEFT,   [JOIN_RIGHT] = SHAPE_RIGHT,
		[JOIN_FULL] = SHAPE_FULL,   [JOIN_CROSS] = SHAPE_INNER, [JOIN_SEMI] = SHAPE_SEMI,
		[JOIN_ANTI] = SHAPE_ANTI,
	};
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	bool timed = bounds->times[LEFT] != NULL && bounds->times[RIGHT] != NULL;
	bool closed = timed && bounds->low > -NO_BOUND && bounds->high < NO_BOUND;

	node->kind = PLAN_STREAM_JOIN;
	node->position = relation->join.position;
	node->stream_join.shape = shapes[relation->join.kind];
	node->stream_join.key_count = keys->count;
	node->stream_join.timed = timed;
	node->stream_join.low = bounds->low;
	node->stream_join.high = bounds->high;
	node->stream_join.left_count = sides->input->schema.count;
	node->stream_join.right_count = sides->table->schema.count;
	node->stream_join.endless =
		!closed && !(plan_is_bounded(sides->input) && plan_is_bounded(sides->table));
	set_join_schema(binder, sides, node);
	if (relation->join.grace != NULL && timed)
		TRY(bind_duration(binder, relation->join.grace, bounds->times[LEFT]->type, true,
				  &node->stream_join.grace));
	if (timed) {
		TRY(add_time_watermark(binder, bounds->times[LEFT], &sides->input));
		TRY(add_time_watermark(binder, bounds->times[RIGHT], &sides->table));
	}
	node->input_count = 2;
	node->inputs = ARENA_ARRAY(binder->arena, PlanNode *, 2);
	node->inputs[LEFT] = join_input(binder, sides->input, keys->input, keys->count,
					timed ? bounds->times[LEFT] : NULL);
	node->inputs[RIGHT] = join_input(binder, sides->table, keys->table, keys->count,
					 timed ? bounds->times[RIGHT] : NULL);
	*out = node;
	return FERRIS_OK;
}

/* Two streams whose sides cannot be a table, or whose rows meet within a time. */
static bool
is_stream_join(const Relation *relation, const Sides *sides, const TimeBounds *bounds)
{
	bool right = plan_is_bounded(sides->table);
	bool left = plan_is_bounded(sides->input);
	JoinKind kind = relation->join.kind;
	bool has_table = kind == JOIN_RIGHT                         ? left
			 : kind == JOIN_INNER || kind == JOIN_CROSS ? left || right
								    : right;

	/* Two tables follow each other's changes. */
	if (plan_has(sides->input, PLAN_BIT(PLAN_TABLE)) &&
	    plan_has(sides->table, PLAN_BIT(PLAN_TABLE)))
		return true;
	if (relation->join.within_before != NULL || kind == JOIN_FULL || !has_table)
		return true;
	return bounds->times[LEFT] != NULL && bounds->times[RIGHT] != NULL &&
	       declares_watermark(sides->input) && declares_watermark(sides->table);
}

/* What the conditions say of the time between rows; `rest` keeps the others. */
static Status
take_bounds(Binder *binder, const Sides *sides, const KeyList *keys, BoundExpr **rest,
	    uint32_t *rest_count, TimeBounds *bounds)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < *rest_count; i++)
		if (!take_bound(binder, sides, rest[i], bounds))
			rest[kept++] = rest[i];
	*rest_count = kept;
	for (uint32_t k = 0; k < keys->count; k++)
		TRY(take_key(binder, sides, keys->input[k], keys->table[k], bounds));
	return FERRIS_OK;
}

Status
bind_semi_join(Binder *binder, const Relation *relation, Sides *sides, BoundExpr *on, bool trial,
	       PlanNode **out)
{
	TimeBounds bounds = {.low = -NO_BOUND, .high = NO_BOUND};
	KeyList keys = {.capacity = 64};
	BoundExpr **rest;
	uint32_t rest_count;

	*out = NULL;
	keys.input = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	keys.table = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	TRY(split_condition(binder, sides, on, &keys, &rest, &rest_count));
	TRY(take_bounds(binder, sides, &keys, rest, &rest_count, &bounds));
	bool closed = bounds.times[LEFT] != NULL && bounds.times[RIGHT] != NULL &&
		      bounds.low > -NO_BOUND && bounds.high < NO_BOUND;
	bool ends = plan_is_bounded(sides->table);
	if (!closed || (ends && (bounds.low == bounds.high || !declares_watermark(sides->input) ||
				 !declares_watermark(sides->table))))
		return FERRIS_OK;
	*out = sides->table;
	if (trial)
		return FERRIS_OK;
	TRY(stream_join_node(binder, relation, sides, &keys, &bounds, out));
	(*out)->stream_join.residual = all_of(binder->arena, rest, rest_count);
	return FERRIS_OK;
}

Status
bind_stream_join(Binder *binder, const Relation *relation, Sides *sides, PlanNode **out,
		 Scope *scope)
{
	TimeBounds bounds = {.low = -NO_BOUND, .high = NO_BOUND};
	KeyList keys = {.capacity = 64};
	BoundExpr **rest = NULL;
	uint32_t rest_count = 0;

	*out = NULL;
	keys.input = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	keys.table = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	if (relation->join.within_before != NULL)
		TRY(take_within(binder, relation, sides, &bounds));
	if (relation->join.on != NULL)
		TRY(bind_on(binder, relation, sides, &keys, &rest, &rest_count));
	TRY(bind_using(binder, &relation->join.using_columns, sides, &keys));
	TRY(take_bounds(binder, sides, &keys, rest, &rest_count, &bounds));
	if (!is_stream_join(relation, sides, &bounds))
		return FERRIS_OK;
	TRY(stream_join_node(binder, relation, sides, &keys, &bounds, out));
	(*out)->stream_join.residual = all_of(binder->arena, rest, rest_count);
	*scope = joined_scope(binder, sides, (*out)->schema.count > sides->input->schema.count);
	scope->time = NULL;
	return FERRIS_OK;
}
