/* plan/bind_session.c -- SESSION as columns: TABLE(SESSION(TABLE t PARTITION BY k, ...)) without a
 * group.
 *
 * A session's bounds are known when it has ended, so its rows are kept until then:
 *
 *     Aggregate by k SESSION(ts, gap): ARRAY_AGG(STRUCT(<all columns>) ORDER BY ts)
 *     Unnest     the session's bounds, and the columns of each row
 *     Project    the columns in their order, then window_start, window_end, window_time
 *
 * What nobody reads of the rows is not kept: plan/rule_prune.c. */
#include "func/function.h"
#include "plan/bind.h"

/* ---------------------------------------------------------------- PARTITION BY */

const ExprList *
table_partition(const Relation *relation)
{
	static const ExprList none;

	for (uint32_t i = 0; i < relation->function.arg_count; i++)
		if (relation->function.args[i].partition.count > 0)
			return &relation->function.args[i].partition;
	return &none;
}

static Str
last_name(const Expr *expr)
{
	return expr->kind == EXPR_COLUMN ? expr->column.items[expr->column.count - 1].text
					 : (Str){"", 0};
}

bool
is_partitioned_by(const Relation *relation, const Expr *expr)
{
	const ExprList *partition = table_partition(relation);
	Str name = last_name(expr);

	for (uint32_t i = 0; i < partition->count; i++)
		if (name.len > 0 && str_eq_nocase(name, last_name(partition->items[i])))
			return true;
	return false;
}

Status
refuse_partition(Binder *binder, const Relation *relation)
{
	const ExprList *partition = table_partition(relation);

	if (partition->count == 0 || str_eq_nocase(relation->function.name.text, STR("SESSION")))
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, partition->items[0]->position,
		     "the windows of %.*s are the same for all rows: it takes no PARTITION BY",
		     STR_ARG(relation->function.name.text));
	return error_hint(binder->err, "leave it out; GROUP BY makes groups within a window");
}

static Status
bind_partition(Binder *binder, Scope *scope, const Relation *relation, PlanNode *node)
{
	const ExprList *partition = table_partition(relation);

	if (partition->count > 64)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, partition->items[64]->position,
				    "more than 64 columns in PARTITION BY");
	scope->what = "PARTITION BY";
	node->aggregate.keys = ARENA_ARRAY(binder->arena, BoundExpr *, partition->count);
	node->aggregate.sets = ARENA_ARRAY(binder->arena, uint64_t, 1);
	node->aggregate.set_count = 1;
	for (uint32_t i = 0; i < partition->count; i++) {
		BoundExpr **key = &node->aggregate.keys[i];

		TRY(bind_expr(binder, scope, partition->items[i], key));
		if ((*key)->kind != BOUND_COLUMN)
			return error_set_at(binder->err, FERRIS_ERR_TYPE,
					    partition->items[i]->position,
					    "PARTITION BY of a table takes its columns");
		node->aggregate.sets[0] |= UINT64_C(1) << i;
		node->aggregate.key_count++;
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- nodes */

static BoundExpr *
column_of(Binder *binder, const PlanNode *node, uint32_t column)
{
	const Field *field = &node->schema.fields[column];

	return bound_column(binder->arena, column, field->type, field->name, node->position);
}

/* ARRAY_AGG(STRUCT(<the input's columns>) ORDER BY time) */
static Status
collect_rows(Binder *binder, const PlanNode *input, BoundExpr *time, AggregateCall **out)
{
	uint32_t count = input->schema.count;
	BoundExpr **columns = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	BoundExpr *row;

	for (uint32_t i = 0; i < count; i++)
		columns[i] = column_of(binder, input, i);
	TRY(function_bind(binder->arena, STR("STRUCT"), columns, count, time->position, &row,
			  binder->err));
	row->type = type_struct(binder->arena, input->schema.fields, count);
	TRY(aggregate_bind(binder->arena, STR("ARRAY_AGG"), &row, 1, time->position, out,
			   binder->err));
	(*out)->text = STR("rows");
	(*out)->position = time->position;
	(*out)->order = time;
	return FERRIS_OK;
}

static Status
make_sessions(Binder *binder, Scope *scope, const Relation *relation, const WindowPlan *window,
	      PlanNode *input, PlanNode **out)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);

	*node = (PlanNode){.kind = PLAN_AGGREGATE, .position = relation->position, .input = input};
	node->aggregate.window = *window;
	node->aggregate.emit = EMIT_ONCE_FINAL;
	node->aggregate.calls = ARENA_ARRAY(binder->arena, AggregateCall *, 1);
	node->aggregate.call_count = 1;
	TRY(check_watermark(binder, window, input));
	TRY(bind_partition(binder, scope, relation, node));
	TRY(collect_rows(binder, input, window->time, &node->aggregate.calls[0]));
	set_group_schema(binder, node);
	*out = node;
	return FERRIS_OK;
}

/* The bounds of the session, then the columns of its rows. */
static PlanNode *
take_apart(Binder *binder, PlanNode *sessions, const Schema *rows)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	uint32_t start = sessions->aggregate.key_count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, 2 + rows->count);

	*node = (PlanNode){.kind = PLAN_UNNEST, .position = sessions->position, .input = sessions};
	node->unnest.sessions = true;
	node->unnest.left = ARENA_ARRAY(binder->arena, BoundExpr *, 2);
	node->unnest.left_count = 2;
	for (uint32_t i = 0; i < 2; i++) {
		fields[i] = sessions->schema.fields[start + i];
		node->unnest.left[i] = column_of(binder, sessions, start + i);
	}
	node->unnest.arrays = ARENA_ARRAY(binder->arena, BoundExpr *, 1);
	node->unnest.arrays[0] = column_of(binder, sessions, start + 2);
	node->unnest.array_count = 1;
	node->unnest.columns = ARENA_ARRAY(binder->arena, UnnestColumn, rows->count);
	node->unnest.column_count = rows->count;
	for (uint32_t i = 0; i < rows->count; i++) {
		fields[2 + i] = rows->fields[i];
		node->unnest.columns[i] = (UnnestColumn){.field = (int32_t)i};
	}
	node->schema = (Schema){fields, 2 + rows->count};
	return node;
}

/* The last moment of the session, a millisecond before its end. */
static Status
last_moment(Binder *binder, BoundExpr *end, BoundExpr **out)
{
	Value value = {.type = TYPE_OF(INTERVAL), .interval = {0, 0, MICROS_PER_MILLI}};

	if (end->type->kind == TYPE_BIGINT)
		value = (Value){.type = TYPE_OF(BIGINT), .int64 = 1};
	BoundExpr *args[] = {end, bound_constant(binder->arena, value, end->position)};
	return function_bind(binder->arena, STR("-"), args, 2, end->position, out, binder->err);
}

static Status
put_in_order(Binder *binder, PlanNode *rows, const Field *bounds, PlanNode **out)
{
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	uint32_t count = rows->schema.count - 2;
	Field *fields = ARENA_ARRAY(binder->arena, Field, count + WINDOW_COLUMNS);
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count + WINDOW_COLUMNS);

	for (uint32_t i = 0; i < count; i++) {
		fields[i] = rows->schema.fields[2 + i];
		exprs[i] = column_of(binder, rows, 2 + i);
	}
	exprs[count] = column_of(binder, rows, 0);
	exprs[count + 1] = column_of(binder, rows, 1);
	TRY(last_moment(binder, exprs[count + 1], &exprs[count + 2]));
	memcpy(fields + count, bounds, sizeof *fields * WINDOW_COLUMNS);
	*node = (PlanNode){.kind = PLAN_PROJECT, .position = rows->position, .input = rows};
	node->project.exprs = exprs;
	node->project.key = ARENA_ARRAY(binder->arena, bool, count + WINDOW_COLUMNS);
	node->schema = (Schema){fields, count + WINDOW_COLUMNS};
	*out = node;
	return FERRIS_OK;
}

Status
bind_session_rows(Binder *binder, Scope *scope, const Relation *relation, const WindowPlan *window,
		  const Field *bounds, PlanNode **root)
{
	PlanNode *sessions;

	TRY(add_time_watermark(binder, window->time, root));
	const Schema rows = (*root)->schema;
	TRY(make_sessions(binder, scope, relation, window, *root, &sessions));
	return put_in_order(binder, take_apart(binder, sessions, &rows), bounds, root);
}
