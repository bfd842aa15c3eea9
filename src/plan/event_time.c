/* plan/event_time.c -- which columns are event time, and where the watermark comes from. */
#include "func/function.h"
#include "plan/batch_strategy.h"
#include "plan/bind.h"
#include "plan/rules.h"

/* ---------------------------------------------------------------- which column */

static const Watermark *
declared_watermark(const PlanNode *scan)
{
	const Statement *declaration = scan->scan.declaration;

	if (declaration == NULL || declaration->create.watermark.column.text.data == NULL)
		return NULL;
	return &declaration->create.watermark;
}

/* The expression over the node's input that makes the column; NULL if it is made otherwise. */
static BoundExpr *
made_from(const PlanNode *node, uint32_t column)
{
	switch (node->kind) {
	case PLAN_PROJECT:
		return node->project.exprs[column];
	case PLAN_JOIN:
		return column < node->join.left_count ? node->join.left[column] : NULL;
	case PLAN_UNNEST:
		return column < node->unnest.left_count ? node->unnest.left[column] : NULL;
	case PLAN_WINDOW:
		return column < node->window.left_count ? node->window.left[column] : NULL;
	case PLAN_TABLE:
		return node->table.left[column];
	case PLAN_LOOKUP:
		return column < node->lookup.left_count ? node->lookup.left[column] : NULL;
	case PLAN_OVER:
		return column < node->over.left_count ? node->over.left[column] : NULL;
	default:
		return NULL;
	}
}

/* Whether the node hands on its input's columns as they are. */
static bool
keeps_columns(const PlanNode *node)
{
	return node->kind == PLAN_FILTER || node->kind == PLAN_WATERMARK ||
	       node->kind == PLAN_LIMIT || node->kind == PLAN_LATE;
}

/* Only rows in order of time keep to the watermark. */
static bool
breaks_order(const PlanNode *node)
{
	return node->kind == PLAN_OVER &&
	       (node->over.mode == OVER_SORTED || node->over.mode == OVER_BATCHES ||
		node->over.mode == OVER_TOP);
}

bool
column_below(PlanNode **node, uint32_t *column)
{
	const BoundExpr *expr = made_from(*node, *column);

	if (breaks_order(*node))
		return false;
	if (!keeps_columns(*node)) {
		if (expr == NULL || expr->kind != BOUND_COLUMN)
			return false;
		*column = expr->column;
	}
	*node = (*node)->input;
	return true;
}

PlanNode *
find_window_end(PlanNode *node, uint32_t column)
{
	for (;;) {
		if (node->kind == PLAN_WINDOW && column >= node->window.left_count)
			return column == node->window.left_count + 1 ? node : NULL;
		if (node->kind == PLAN_AGGREGATE)
			return node->aggregate.window.shape != SHAPE_NONE &&
					       node->aggregate.window.grace == 0 &&
					       node->aggregate.emit == EMIT_ONCE_FINAL &&
					       column == node->aggregate.key_count + 1
				       ? node
				       : NULL;
		if (node->input == NULL || !column_below(&node, &column))
			return NULL;
	}
}

/* A time of a side whose rows all come with their own values. */
static bool
is_time_of_join(const PlanNode *node, uint32_t column)
{
	JoinShape shape = node->stream_join.shape;
	bool left = column < node->stream_join.left_count;
	uint32_t first = node->stream_join.key_count + node->stream_join.timed;

	if (!node->stream_join.timed || shape == SHAPE_FULL ||
	    shape == (left ? SHAPE_RIGHT : SHAPE_LEFT))
		return false;
	return left ? is_declared_time(node->inputs[0], first + column)
		    : is_declared_time(node->inputs[1],
				       first + column - node->stream_join.left_count);
}

/* Rows come out in order of the left's time; those of the right may be of any age. */
static bool
is_time_of_versions(const PlanNode *node, uint32_t column)
{
	uint32_t first = node->stream_join.key_count + node->stream_join.timed;

	return column < node->stream_join.left_count &&
	       is_declared_time(node->inputs[0], first + column);
}

/* A column that the declaration computes may be its time. */
static bool
is_computed_time(const PlanNode *project, uint32_t column)
{
	const Watermark *watermark = declared_watermark(project->input);

	return watermark != NULL &&
	       str_eq_nocase(project->schema.fields[column].name, watermark->column.text);
}

bool
is_declared_time(const PlanNode *node, uint32_t column)
{
	if (node->kind == PLAN_SCAN) {
		const Watermark *watermark = declared_watermark(node);

		return watermark != NULL && node->scan.columns[column].source == SCAN_FIELD &&
		       str_eq_nocase(node->schema.fields[column].name, watermark->column.text);
	}
	if (node->kind == PLAN_UNION || node->kind == PLAN_SET) {
		for (uint32_t i = 0; i < node->input_count; i++)
			if (!is_declared_time(node->inputs[i], column))
				return false;
		return true;
	}
	if (node->kind == PLAN_STREAM_JOIN)
		return is_time_of_join(node, column);
	if (node->kind == PLAN_VERSIONED_JOIN)
		return is_time_of_versions(node, column);
	if (breaks_order(node))
		return false;
	if (keeps_columns(node))
		return is_declared_time(node->input, column);
	const BoundExpr *expr = made_from(node, column);
	if (expr != NULL && expr->kind != BOUND_COLUMN && node->kind == PLAN_PROJECT &&
	    node->project.declared && node->input->kind == PLAN_SCAN)
		return is_computed_time(node, column);
	return expr != NULL && expr->kind == BOUND_COLUMN &&
	       is_declared_time(node->input, expr->column);
}

bool
declares_watermark(const PlanNode *node)
{
	while (node->input != NULL)
		node = node->input;
	if (node->kind == PLAN_SCAN)
		return declared_watermark(node) != NULL;
	if (node->kind == PLAN_VERSIONED_JOIN)
		return declares_watermark(node->inputs[0]);
	for (uint32_t i = 0; i < node->input_count; i++)
		if (!declares_watermark(node->inputs[i]))
			return false;
	return true;
}

/* ---------------------------------------------------------------- watermarks */

static Status
put_declared(Binder *binder, PlanNode **link)
{
	PlanNode *scan = *link;
	const Watermark *watermark = declared_watermark(scan);
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);

	*node = (PlanNode){.kind = PLAN_WATERMARK,
			   .position = watermark->position,
			   .input = scan,
			   .schema = scan->schema};
	*link = node;
	TRY(bind_declared_watermark(binder, scan, watermark, &node->watermark.expr));
	node->schema = scan->schema; /* HEADER may have widened it */
	return FERRIS_OK;
}

/* An endless source without a declared watermark: its time column less 'watermark.delay'. */
static Status
put_implied(Binder *binder, BoundExpr *time, PlanNode **root)
{
	const Endpoint *endpoint = plan_leaf(*root)->scan.endpoint;
	int64_t delay = endpoint->common[ENDPOINT_WATERMARK_DELAY].integer;
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	Value value = {.type = TYPE_OF(INTERVAL), .interval = {0, 0, delay * MICROS_PER_MILLI}};

	if (plan_is_bounded(*root))
		return FERRIS_OK;
	if (time->type->kind == TYPE_BIGINT)
		value = (Value){.type = TYPE_OF(BIGINT), .int64 = delay};
	BoundExpr *args[] = {time, bound_constant(binder->arena, value, time->position)};
	*node = (PlanNode){.kind = PLAN_WATERMARK,
			   .position = time->position,
			   .input = *root,
			   .schema = (*root)->schema};
	*root = node;
	return function_bind(binder->arena, STR("-"), args, 2, time->position,
			     &node->watermark.expr, binder->err);
}

/* `time`, over the columns of `root`, as an expression over those of its leaf; NULL if it is made
 * of something that a node between them computes from many rows. */
static BoundExpr *
time_of_leaf(Binder *binder, const PlanNode *root, BoundExpr *time)
{
	for (const PlanNode *node = root; node->input != NULL; node = node->input) {
		BoundExpr **exprs;

		if (keeps_columns(node))
			continue;
		exprs = ARENA_ARRAY(binder->arena, BoundExpr *, node->schema.count);
		for (uint32_t i = 0; i < node->schema.count; i++)
			exprs[i] = made_from(node, i);
		time = bound_substitute(binder->arena, time, exprs);
		if (time == NULL)
			return NULL;
	}
	return time;
}

/* The time of the rows that look up what is there now is that of the left. */
static Status
add_to_left(Binder *binder, PlanNode *join, BoundExpr *time)
{
	PlanNode *project = join->inputs[0];
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, join->schema.count);
	uint32_t first = join->stream_join.key_count;

	for (uint32_t i = 0; i < join->stream_join.left_count; i++)
		exprs[i] = project->project.exprs[first + i];
	BoundExpr *own = bound_substitute(binder->arena, time, exprs);
	if (own != NULL)
		return add_time_watermark(binder, own, &project->input);
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, time->position,
		     "the window's time is one of the table");
	return error_hint(binder->err, "name the time of the stream that looks its rows up");
}

static Status
add_to_inputs(Binder *binder, BoundExpr *time, PlanNode *root)
{
	PlanNode *leaf = plan_leaf(root);
	bool same_columns = leaf->kind == PLAN_UNION || leaf->kind == PLAN_SET;

	/* What ends closes its windows at its end. */
	if (!same_columns && plan_is_bounded(root))
		return FERRIS_OK;
	bool latest =
		leaf->kind == PLAN_VERSIONED_JOIN && leaf->stream_join.version == VERSION_LATEST;
	BoundExpr *below = same_columns || latest ? time_of_leaf(binder, root, time) : NULL;

	if (below == NULL) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, time->position,
			     "the window's time is not a time of the streams below it");
		return error_hint(binder->err, "name a column that all of them have");
	}
	if (latest)
		return add_to_left(binder, leaf, below);
	for (uint32_t i = 0; i < leaf->input_count; i++) {
		PlanNode *project = leaf->inputs[i];
		BoundExpr *own = bound_substitute(binder->arena, below, project->project.exprs);

		TRY(add_time_watermark(binder, own, &project->input));
	}
	return FERRIS_OK;
}

Status
add_time_watermark(Binder *binder, BoundExpr *time, PlanNode **root)
{
	PlanNode **link = root;

	if (plan_has(*root, PLAN_BIT(PLAN_WATERMARK)))
		return FERRIS_OK;
	while ((*link)->input != NULL)
		link = &(*link)->input;
	if ((*link)->kind != PLAN_SCAN)
		return add_to_inputs(binder, time, *root);
	return declared_watermark(*link) != NULL ? put_declared(binder, link)
						 : put_implied(binder, time, root);
}

Status
add_batch_watermarks(Binder *binder, PlanNode **root)
{
	PlanNode *node = *root;

	if (node->kind == PLAN_SCAN) {
		bool declared = declared_watermark(node) != NULL;

		TRY(batch_check_time(node->scan.endpoint, declared, binder->err));
		return declared && batch_is_by_event_time(node->scan.endpoint)
			       ? put_declared(binder, root)
			       : FERRIS_OK;
	}
	for (uint32_t i = 0; i < node->input_count; i++)
		TRY(add_batch_watermarks(binder, &node->inputs[i]));
	bool has_it = node->kind == PLAN_WATERMARK && node->input != NULL &&
		      node->input->kind == PLAN_SCAN;
	if (has_it)
		return batch_check_time(node->input->scan.endpoint, true, binder->err);
	return node->input != NULL ? add_batch_watermarks(binder, &node->input) : FERRIS_OK;
}
