/* plan/bind_versioned_join.c -- joins that give each row of the left one row of the right.
 *
 * ASOF JOIN: of the rows of its key the one whose time is nearest, on the side that a comparison of
 * the times in ON names.  FOR SYSTEM_TIME AS OF l.t: the right is a table whose rows are versions;
 * the one that was valid at that time.  FOR SYSTEM_TIME AS OF PROCTIME(), and the plain join of a
 * stream with a table that does not end and has a PRIMARY KEY: the row that is there when the row
 * of the stream comes; the table is read to its present end before the stream begins.
 *
 * Further conditions filter the rows of an inner join. */
#include "func/function.h"
#include "plan/bind_join.h"

#define LEFT  0
#define RIGHT 1

/* What ON and USING say. */
typedef struct Condition {
	KeyList keys;
	BoundExpr **rest;
	uint32_t rest_count;
	BoundExpr *times[2]; /* over the columns of each side */
	Version version;
} Condition;

/* ---------------------------------------------------------------- tables that change */

/* The declaration of a table with a primary key, if the side is just that table. */
static const CatalogEntry *
keyed_table(const Binder *binder, const PlanNode *side)
{
	if (side->kind == PLAN_TABLE)
		side = side->input;
	if (side->kind != PLAN_SCAN || side->scan.declaration == NULL ||
	    side->scan.declaration->create.object != OBJECT_TABLE)
		return NULL;
	const CatalogEntry *entry = catalog_find(binder->catalog, side->scan.endpoint->name);
	return entry != NULL && entry->statement == side->scan.declaration &&
			       entry->primary_key_count > 0
		       ? entry
		       : NULL;
}

static bool
changes(const Binder *binder, const PlanNode *side)
{
	return keyed_table(binder, side) != NULL && !plan_is_bounded(side);
}

static bool
is_proctime(const Expr *expr)
{
	return expr->kind == EXPR_FUNCTION && expr->function.arg_count == 0 &&
	       str_eq_nocase(expr->function.name.text, STR("PROCTIME"));
}

bool
wants_versions(const Relation *join)
{
	const Expr *as_of = join->join.right->as_of;

	return join->join.asof || (as_of != NULL && !is_proctime(as_of));
}

/* ---------------------------------------------------------------- times */

static bool
is_time(const PlanNode *side, const BoundExpr *column, uint32_t index)
{
	if (column->type->kind != TYPE_TIMESTAMP && column->type->kind != TYPE_BIGINT)
		return false;
	return !declares_watermark(side) || is_declared_time(side, index);
}

/* The side's time, over its own columns; NULL if the expression over both sides is none. */
static BoundExpr *
time_of_side(Binder *binder, const Sides *sides, const BoundExpr *expr, int *side)
{
	uint32_t left = sides->input->schema.count;

	if (expr->kind != BOUND_COLUMN)
		return NULL;
	*side = expr->column < left ? LEFT : RIGHT;
	uint32_t index = expr->column - (*side == LEFT ? 0 : left);
	if (!is_time(*side == LEFT ? sides->input : sides->table, expr, index))
		return NULL;
	return bound_column(binder->arena, index, expr->type, expr->name, expr->position);
}

/* Takes `a <op> b` if it compares the times of both sides. */
static bool
take_time(Binder *binder, const Sides *sides, const BoundExpr *conjunct, Condition *on)
{
	static const struct {
		const char *op;
		Version version;  /* left <op> right */
		Version mirrored; /* right <op> left */
	} versions[] = {
		{">=", VERSION_UP_TO, VERSION_FROM},
		{">", VERSION_BEFORE, VERSION_AFTER},
		{"<=", VERSION_FROM, VERSION_UP_TO},
		{"<", VERSION_AFTER, VERSION_BEFORE},
	};
	int side, other;

	if (conjunct->kind != BOUND_CALL || conjunct->arg_count != 2 || on->times[LEFT] != NULL)
		return false;
	BoundExpr *first = time_of_side(binder, sides, conjunct->args[0], &side);
	BoundExpr *second = time_of_side(binder, sides, conjunct->args[1], &other);
	if (first == NULL || second == NULL || side == other ||
	    first->type->kind != second->type->kind)
		return false;
	for (size_t i = 0; i < sizeof versions / sizeof *versions; i++) {
		if (!str_eq(function_name(conjunct->function), str_from(versions[i].op)))
			continue;
		on->version = side == LEFT ? versions[i].version : versions[i].mirrored;
		on->times[side] = first;
		on->times[other] = second;
		return true;
	}
	return false;
}

static Status
no_time(Binder *binder, Position at, const char *what)
{
	error_set_at(binder->err, FERRIS_ERR_TYPE, at, "%s", what);
	return error_hint(binder->err,
			  "a time is a column of type TIMESTAMP or BIGINT, that of WATERMARK FOR "
			  "where a stream declares one; both of one type");
}

/* The table's versions are those of its declared time. */
static Status
table_time(Binder *binder, const Sides *sides, Position at, BoundExpr **out)
{
	const Scope *scope = &sides->table_scope;

	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (!is_declared_time(sides->table, column->index))
			continue;
		*out = bound_column(binder->arena, column->index, column->type, column->name, at);
		return FERRIS_OK;
	}
	error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN, at,
		     "FOR SYSTEM_TIME AS OF needs the time of the table's rows");
	return error_hint(binder->err, "declare WATERMARK FOR its time column");
}

/* FOR SYSTEM_TIME AS OF l.t */
static Status
take_system_time(Binder *binder, const Relation *relation, Sides *sides, Condition *on)
{
	const Expr *as_of = relation->join.right->as_of;
	BoundExpr *time;

	if (is_proctime(as_of)) {
		on->version = VERSION_LATEST;
		return FERRIS_OK;
	}
	TRY(bind_expr(binder, &sides->input_scope, as_of, &time));
	if (time->kind != BOUND_COLUMN || !is_time(sides->input, time, time->column))
		return no_time(binder, as_of->position,
			       "FOR SYSTEM_TIME AS OF takes the time of the left side");
	on->times[LEFT] = time;
	on->version = VERSION_UP_TO;
	TRY(table_time(binder, sides, as_of->position, &on->times[RIGHT]));
	if (time->type->kind != on->times[RIGHT]->type->kind)
		return no_time(binder, as_of->position, "the times of the sides differ in type");
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- conditions */

/* ASOF ... USING (a, t): the last column is the time, l.t >= r.t. */
static Status
take_using_time(Binder *binder, const Relation *relation, const Sides *sides, NameList *names,
		Condition *on)
{
	KeyList time = {.capacity = 1};
	NameList last;

	*names = relation->join.using_columns;
	if (!relation->join.asof || names->count == 0)
		return FERRIS_OK;
	names->count--;
	last = (NameList){.items = names->items + names->count, .count = 1};
	time.input = ARENA_ARRAY(binder->arena, BoundExpr *, 1);
	time.table = ARENA_ARRAY(binder->arena, BoundExpr *, 1);
	TRY(bind_using(binder, &last, sides, &time));
	on->times[LEFT] = time.input[0];
	on->times[RIGHT] = time.table[0];
	on->version = VERSION_UP_TO;
	if (time.input[0]->kind != BOUND_COLUMN || time.table[0]->kind != BOUND_COLUMN ||
	    !is_time(sides->input, time.input[0], time.input[0]->column) ||
	    !is_time(sides->table, time.table[0], time.table[0]->column))
		return no_time(binder, last.items[0].position,
			       "the last column of USING is the time of an ASOF join");
	return FERRIS_OK;
}

static Status
bind_condition(Binder *binder, const Relation *relation, const Sides *sides, Condition *on)
{
	NameList names;
	uint32_t kept = 0;

	on->keys.capacity = 64;
	on->keys.input = ARENA_ARRAY(binder->arena, BoundExpr *, on->keys.capacity);
	on->keys.table = ARENA_ARRAY(binder->arena, BoundExpr *, on->keys.capacity);
	if (relation->join.on != NULL)
		TRY(bind_on(binder, relation, sides, &on->keys, &on->rest, &on->rest_count));
	TRY(take_using_time(binder, relation, sides, &names, on));
	TRY(bind_using(binder, &names, sides, &on->keys));
	for (uint32_t i = 0; i < on->rest_count; i++)
		if (!relation->join.asof || !take_time(binder, sides, on->rest[i], on))
			on->rest[kept++] = on->rest[i];
	on->rest_count = kept;
	if (relation->join.asof && on->times[LEFT] == NULL)
		return no_time(
			binder, relation->join.position,
			"an ASOF join compares the times of both sides: ON l.key = r.key AND "
			"l.ts >= r.ts");
	return FERRIS_OK;
}

/* The versions of a table are those of its primary key; what else must be equal is checked in the
 * version that was found. */
static Status
keep_primary_key(Binder *binder, const Relation *relation, const Sides *sides, Condition *on)
{
	const CatalogEntry *table = keyed_table(binder, sides->table);
	KeyList *keys = &on->keys;
	uint32_t found = 0;

	for (uint32_t p = 0; table != NULL && p < table->primary_key_count; p++)
		for (uint32_t k = found; k < keys->count; k++) {
			if (keys->table[k]->kind != BOUND_COLUMN ||
			    keys->table[k]->column != (uint32_t)table->primary_key[p])
				continue;
			BoundExpr *input = keys->input[k];
			BoundExpr *column = keys->table[k];

			keys->input[k] = keys->input[found];
			keys->table[k] = keys->table[found];
			keys->input[found] = input;
			keys->table[found++] = column;
			break;
		}
	if (table != NULL ? found == table->primary_key_count && keys->count == found
			  : keys->count > 0)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, relation->join.position,
		     table != NULL ? "the join must equate the PRIMARY KEY of '%.*s', and nothing "
				     "else of it"
				   : "the join needs an equality of the sides: the key of the rows",
		     table != NULL ? (int)table->name.len : 0,
		     table != NULL ? table->name.data : "");
	return error_hint(binder->err, "ON l.key = r.key; further conditions stand in WHERE");
}

/* ---------------------------------------------------------------- the node */

static Status
check_kind(Binder *binder, const Relation *relation)
{
	JoinKind kind = relation->join.kind;

	if (relation->join.within_before != NULL)
		return error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, relation->join.position,
				    "WITHIN does not go together with ASOF or a table's row");
	if (kind == JOIN_INNER || kind == JOIN_LEFT)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, relation->join.position,
		     "a join that gives each row one row of the right is INNER or LEFT");
	return error_hint(binder->err, "the side whose rows are looked up is written on the right");
}

static Status
versioned_join_node(Binder *binder, const Relation *relation, Sides *sides, const Condition *on,
		    bool outer, PlanNode **out)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	bool timed = on->version != VERSION_LATEST;

	node->kind = PLAN_VERSIONED_JOIN;
	node->position = relation->join.position;
	node->stream_join.shape = outer ? SHAPE_LEFT : SHAPE_INNER;
	node->stream_join.version = on->version;
	node->stream_join.key_count = on->keys.count;
	node->stream_join.timed = timed;
	node->stream_join.left_count = sides->input->schema.count;
	node->stream_join.right_count = sides->table->schema.count;
	set_join_schema(binder, sides, node);
	if (timed) {
		TRY(add_time_watermark(binder, on->times[LEFT], &sides->input));
		TRY(add_time_watermark(binder, on->times[RIGHT], &sides->table));
	} else {
		uint32_t count;
		PlanNode **scans = plan_scans(binder->arena, sides->table, &count);

		for (uint32_t i = 0; i < count; i++)
			scans[i]->scan.first = true;
	}
	node->input_count = 2;
	node->inputs = ARENA_ARRAY(binder->arena, PlanNode *, 2);
	node->inputs[LEFT] =
		join_input(binder, sides->input, on->keys.input, on->keys.count, on->times[LEFT]);
	node->inputs[RIGHT] =
		join_input(binder, sides->table, on->keys.table, on->keys.count, on->times[RIGHT]);
	*out = node;
	return FERRIS_OK;
}

/* What is no key: the filter of an inner join. */
static Status
add_rest(Binder *binder, const Condition *on, PlanNode **out)
{
	BoundExpr *rest = all_of(binder->arena, on->rest, on->rest_count);

	if (rest == NULL)
		return FERRIS_OK;
	if ((*out)->stream_join.shape == SHAPE_INNER) {
		*out = filter_over(binder, *out, rest);
		return FERRIS_OK;
	}
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, on->rest[0]->position,
		     "a LEFT join that gives each row one row of the right takes no further "
		     "condition");
	return error_hint(binder->err, "test the columns of the row that was found in the select "
				       "list, by CASE, or in WHERE");
}

/* Of a stream and a table that changes the table is the right one, unless both are. */
static bool
turn(Binder *binder, const Relation *relation, Sides *sides)
{
	JoinKind kind = relation->join.kind;
	bool left = changes(binder, sides->input);
	bool right = changes(binder, sides->table);

	if (relation->join.within_before != NULL || left == right)
		return false;
	if (right)
		return kind == JOIN_INNER || kind == JOIN_LEFT;
	if (kind != JOIN_INNER && kind != JOIN_RIGHT)
		return false;
	*sides = (Sides){.input = sides->table,
			 .table = sides->input,
			 .input_scope = sides->table_scope,
			 .table_scope = sides->input_scope,
			 .turned = true};
	return true;
}

Status
bind_versioned_join(Binder *binder, const Relation *relation, Sides *sides, PlanNode **out,
		    Scope *scope)
{
	Condition on = {.version = VERSION_LATEST};
	bool named = relation->join.asof || relation->join.right->as_of != NULL;
	bool outer = relation->join.kind == JOIN_LEFT || relation->join.kind == JOIN_RIGHT;

	*out = NULL;
	if (!named && !turn(binder, relation, sides))
		return FERRIS_OK;
	if (named)
		TRY(check_kind(binder, relation));
	if (relation->join.asof && relation->join.right->as_of != NULL)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, relation->join.position,
				    "ASOF together with FOR SYSTEM_TIME AS OF");
	if (!relation->join.asof && named)
		TRY(take_system_time(binder, relation, sides, &on));
	TRY(bind_condition(binder, relation, sides, &on));
	if (!relation->join.asof)
		TRY(keep_primary_key(binder, relation, sides, &on));
	TRY(versioned_join_node(binder, relation, sides, &on, outer, out));
	*scope = joined_scope(binder, sides, true);
	return add_rest(binder, &on, out);
}
