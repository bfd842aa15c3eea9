/* plan/partitioned.c -- whether each partition of a statement's sources can be worked on by itself.
 *
 * The brokers put records of one key into one partition.  So the rows that an operator brings
 * together are in one partition if what it brings them together by holds the record's key: `_key`,
 * or all columns that the declaration of the stream calls its PRIMARY KEY.  Columns are followed
 * from each operator down to the scans; what a row computes of a key is not the key any more. */
#include "plan/partitioned.h"

#include "base/memory.h"
#include "plan/repartition.h"
#include "plan/rule.h"

/* Columns that a node yields; one bool for each. */
typedef struct ColumnSet {
	bool *has;
	uint32_t count;
} ColumnSet;

static bool holds_key(PlanNode *node, const ColumnSet *columns);

static ColumnSet
columns_of(const PlanNode *node)
{
	return (ColumnSet){memory_zero(node->schema.count + 1), node->schema.count};
}

/* The column that an expression is, if it is one. */
static void
add_expr(ColumnSet *out, const BoundExpr *expr)
{
	if (expr->kind == BOUND_COLUMN && expr->column < out->count)
		out->has[expr->column] = true;
}

/* ---------------------------------------------------------------- scans */

static bool
is_primary(const Statement *create, Str column)
{
	for (uint32_t i = 0; i < create->create.column_count; i++)
		if (create->create.columns[i].primary_key &&
		    str_eq_nocase(create->create.columns[i].name.text, column))
			return true;
	for (uint32_t i = 0; i < create->create.primary_key.count; i++)
		if (str_eq_nocase(create->create.primary_key.items[i].text, column))
			return true;
	return false;
}

static uint32_t
primary_count(const Statement *create)
{
	uint32_t count = create->create.primary_key.count;

	for (uint32_t i = 0; i < create->create.column_count; i++)
		count += create->create.columns[i].primary_key;
	return count;
}

static bool
holds_route(const PlanNode *scan, const ColumnSet *columns)
{
	for (uint32_t i = 0; i < columns->count; i++)
		if (scan->scan.route[i] && !columns->has[i])
			return false;
	return scan->scan.route_is_columns;
}

static bool
scan_holds_key(const PlanNode *scan, const ColumnSet *columns)
{
	if (scan->scan.shuffled)
		return holds_route(scan, columns);
	const Statement *declaration = scan->scan.declaration;
	uint32_t found = 0;

	for (uint32_t i = 0; i < columns->count; i++) {
		const ScanColumn *column = &scan->scan.columns[i];

		if (columns->has[i] && column->source == SCAN_KEY)
			return true;
		found += columns->has[i] && column->source == SCAN_FIELD && declaration != NULL &&
			 is_primary(declaration, column->name);
	}
	return found > 0 && found == primary_count(declaration);
}

/* ---------------------------------------------------------------- from a node to its input */

/* `columns` of the node, of which the first `count` are these expressions over its input. */
static bool
input_holds_key(PlanNode *node, const ColumnSet *columns, BoundExpr *const *exprs, uint32_t count)
{
	ColumnSet below = columns_of(node->input);

	for (uint32_t i = 0; i < count && i < columns->count; i++)
		if (columns->has[i])
			add_expr(&below, exprs[i]);
	bool holds = holds_key(node->input, &below);
	memory_free(below.has);
	return holds;
}

/* The columns that come out of one side of a join. */
static bool
side_holds_key(const PlanNode *node, uint32_t side, const ColumnSet *columns)
{
	PlanNode *input = node->inputs[side];
	uint32_t first = side == 0 ? 0 : node->stream_join.left_count;
	uint32_t count = side == 0 ? node->stream_join.left_count : node->stream_join.right_count;
	uint32_t skipped = node->stream_join.key_count + node->stream_join.timed;
	ColumnSet below = columns_of(input);

	for (uint32_t i = 0; i < count && first + i < columns->count; i++)
		if (columns->has[first + i] && skipped + i < below.count)
			below.has[skipped + i] = true;
	bool holds = holds_key(input, &below);
	memory_free(below.has);
	return holds;
}

/* A side whose rows may be missing says nothing of a row's partition. */
static bool
join_holds_key(PlanNode *node, const ColumnSet *columns)
{
	JoinShape shape = node->stream_join.shape;

	return (shape != SHAPE_RIGHT && shape != SHAPE_FULL && side_holds_key(node, 0, columns)) ||
	       ((shape == SHAPE_INNER || shape == SHAPE_RIGHT) && side_holds_key(node, 1, columns));
}

static bool
all_hold_key(PlanNode *node, const ColumnSet *columns)
{
	for (uint32_t i = 0; i < node->input_count; i++)
		if (!holds_key(node->inputs[i], columns))
			return false;
	return true;
}

/* Whether rows that are equal in these columns come from one partition. */
static bool
holds_key(PlanNode *node, const ColumnSet *columns)
{
	switch (node->kind) {
	case PLAN_SCAN:
		return scan_holds_key(node, columns);
	case PLAN_FILTER:
	case PLAN_LIMIT:
	case PLAN_WATERMARK:
	case PLAN_DISTINCT:
	case PLAN_SORT:
	case PLAN_LATE:
		return holds_key(node->input, columns);
	case PLAN_PROJECT:
		return input_holds_key(node, columns, node->project.exprs, node->schema.count);
	case PLAN_AGGREGATE:
		return input_holds_key(node, columns, node->aggregate.keys,
				       node->aggregate.key_count);
	case PLAN_JOIN:
	case PLAN_OVER:
	case PLAN_UNNEST:
	case PLAN_WINDOW:
	case PLAN_TABLE:
	case PLAN_LOOKUP:
		return input_holds_key(node, columns, left_columns(node), *left_column_count(node));
	case PLAN_UNION:
	case PLAN_SET:
		return all_hold_key(node, columns);
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
		return join_holds_key(node, columns);
	}
	return false;
}

/* ---------------------------------------------------------------- what operators bring together */

/* Rows that are equal in these expressions over the node's input. */
static bool
exprs_hold_key(const PlanNode *node, BoundExpr *const *exprs, uint32_t count, uint64_t chosen)
{
	ColumnSet columns = columns_of(node->input);

	for (uint32_t i = 0; i < count; i++)
		if (i >= 64 || (chosen >> i & 1))
			add_expr(&columns, exprs[i]);
	bool holds = holds_key(node->input, &columns);
	memory_free(columns.has);
	return holds;
}

/* The group of all rows is there before the first of them: in no partition more than in others. */
static bool
is_whole_input(const PlanNode *node)
{
	return node->kind == PLAN_AGGREGATE && node->aggregate.key_count == 0 &&
	       node->aggregate.window.shape == SHAPE_NONE;
}

static bool
groups_hold_key(const PlanNode *node)
{
	bool holds = node->aggregate.key_count > 0;

	for (uint32_t i = 0; i < node->aggregate.set_count && holds; i++)
		holds = exprs_hold_key(node, node->aggregate.keys, node->aggregate.key_count,
				       node->aggregate.set_count > 1 ? node->aggregate.sets[i]
								     : UINT64_MAX);
	return holds;
}

/* Rows of several inputs that are equal in the first `count` columns of each: one of them must be
 * the whole key in all inputs, as equal keys of several columns may be written in several ways. */
static bool
inputs_hold_key(const PlanNode *node, uint32_t count)
{
	bool found = false;

	for (uint32_t i = 0; i < count && !found; i++) {
		found = true;
		for (uint32_t k = 0; k < node->input_count && found; k++) {
			ColumnSet columns = columns_of(node->inputs[k]);

			columns.has[i] = true;
			found = holds_key(node->inputs[k], &columns);
			memory_free(columns.has);
		}
	}
	return found;
}

static bool
row_holds_key(const PlanNode *node)
{
	ColumnSet columns = columns_of(node->input);

	memset(columns.has, true, columns.count);
	bool holds = holds_key(node->input, &columns);
	memory_free(columns.has);
	return holds;
}

/* Why the rows that the node brings together may be in several partitions; NULL: they are not. */
static const char *
obstacle_of(const PlanNode *node)
{
	switch (node->kind) {
	case PLAN_AGGREGATE:
		return groups_hold_key(node) ? NULL : "a group is of rows of several partitions";
	case PLAN_DISTINCT:
		return row_holds_key(node) ? NULL : "equal rows may be in several partitions";
	case PLAN_OVER:
		return exprs_hold_key(node, node->over.partition, node->over.partition_count,
				      UINT64_MAX)
			       ? NULL
			       : "PARTITION BY of OVER brings rows of several partitions together";
	case PLAN_SORT:
		return "ORDER BY is of the rows of all partitions";
	case PLAN_LIMIT:
		return "LIMIT counts the rows of all partitions";
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
		return inputs_hold_key(node, node->stream_join.key_count)
			       ? NULL
			       : "the join's rows may be in different partitions";
	case PLAN_SET:
		return inputs_hold_key(node, node->schema.count)
			       ? NULL
			       : "equal rows may be in different partitions";
	case PLAN_SCAN:
	case PLAN_FILTER:
	case PLAN_PROJECT:
	case PLAN_WATERMARK:
	case PLAN_JOIN:
	case PLAN_LATE:
	case PLAN_UNNEST:
	case PLAN_WINDOW:
	case PLAN_UNION:
	case PLAN_TABLE: /* its key is the record's */
	case PLAN_LOOKUP:
		break;
	}
	return NULL;
}

#define BRINGS_TOGETHER                                                                            \
	(PLAN_BIT(PLAN_AGGREGATE) | PLAN_BIT(PLAN_DISTINCT) | PLAN_BIT(PLAN_OVER) |                \
	 PLAN_BIT(PLAN_STREAM_JOIN) | PLAN_BIT(PLAN_VERSIONED_JOIN) | PLAN_BIT(PLAN_SET) |         \
	 PLAN_BIT(PLAN_TABLE))

static bool
is_lowest(const PlanNode *node)
{
	if (node->input != NULL)
		return !plan_has(node->input, BRINGS_TOGETHER);
	for (uint32_t i = 0; i < node->input_count; i++)
		if (plan_has(node->inputs[i], BRINGS_TOGETHER))
			return false;
	return true;
}

/* Whether the rows came to their partitions for the sake of this node. */
static bool
is_routed_to(const PlanNode *node)
{
	const PlanNode *leaf = node;

	if (!(PLAN_BIT(node->kind) & BRINGS_TOGETHER) || !is_lowest(node))
		return false;
	while (leaf->kind != PLAN_SCAN)
		leaf = leaf->input != NULL ? leaf->input : leaf->inputs[0];
	return leaf->scan.shuffled && !is_whole_input(node) &&
	       !(node->kind == PLAN_AGGREGATE && node->aggregate.set_count > 1);
}

static const char *
find_obstacle(const PlanNode *node)
{
	const char *why = NULL;

	for (; node != NULL && why == NULL; node = node->input) {
		why = is_routed_to(node) ? NULL : obstacle_of(node);
		for (uint32_t i = 0; i < node->input_count && why == NULL; i++)
			why = find_obstacle(node->inputs[i]);
	}
	return why;
}

/* ---------------------------------------------------------------- the statement */

Status
plan_refuse_partitions(const StatementPlan *plan, const char *why, const char *mend, Error *err)
{
	error_set(err, FERRIS_ERR_NOT_SUPPORTED,
		  "the state of '%.*s' cannot be kept partition by partition: %s",
		  STR_ARG(plan->name), why);
	error_hint(err, "%s", mend);
	return option_error(&plan->job[JOB_STATE_PARTITIONED], err);
}

static bool
sources_can(const StatementPlan *plan)
{
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const ConnectorClass *source = plan->scans[i]->scan.endpoint->connector;

		if (source->join == NULL || source != plan->sink->connector)
			return false;
	}
	return true;
}

Status
plan_partitioned(Arena *arena, Str application, StatementPlan *plan, StatementPlan **before,
		 uint32_t *before_count, Error *err)
{
	*before_count = 0;
	if (!plan->job[JOB_STATE_PARTITIONED].flag || !plan_is_stateful(plan))
		return FERRIS_OK;
	if (plan->recovery != RECOVERY_SINK || !sources_can(plan))
		return plan_refuse_partitions(
			plan, "only exactly-once from topic to topic keeps it so",
			"leave 'state.partitioned' out, or read and write topics of one "
			"cluster",
			err);
	plan->partitioned = true;
	if (find_obstacle(plan->root) == NULL)
		return FERRIS_OK;
	TRY(plan_repartition(arena, application, plan, before, err));
	*before_count = plan->scan_count;
	const char *why = find_obstacle(plan->root);
	if (why == NULL)
		return FERRIS_OK;
	return plan_refuse_partitions(
		plan, why,
		"write the rows to a topic by the key that is needed first: CREATE STREAM ... "
		"AS SELECT k PRIMARY KEY, ... WITH (...)",
		err);
}
