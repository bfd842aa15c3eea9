/* plan/changelog.c -- inserts, updates and deletes on their way to the sink.
 *
 * Source: changelog modes as planned by stream SQL systems; the trait "needs the row before" goes
 * down, "takes rows back" comes up. */
#include "plan/changelog.h"

/* What a node above needs to know of changes. */
typedef enum Need {
	NEED_LOG,    /* each new result, as a further row */
	NEED_UPSERT, /* new results by key, and keys that go */
	NEED_ALL,    /* what is replaced too */
} Need;

/* What a node's rows do. */
typedef enum Changes {
	CHANGES_NONE,  /* every row is one more */
	CHANGES_AFTER, /* a row replaces the one of its key */
	CHANGES_ALL,   /* and rows go */
} Changes;

static Status derive(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err);

/* ---------------------------------------------------------------- results once */

/* Nobody above asks for changes, and the input ends: groups come out once. */
static void
make_final(PlanNode *node)
{
	for (; node != NULL; node = node->input) {
		if (node->kind == PLAN_AGGREGATE)
			node->aggregate.emit = EMIT_ONCE_FINAL;
		if (node->kind == PLAN_TABLE)
			node->table.final = true;
		for (uint32_t i = 0; i < node->input_count; i++)
			make_final(node->inputs[i]);
	}
}

/* The input of a node that takes rows one by one and cannot give them back. */
static Status
derive_plain(Arena *arena, PlanNode *node, const char *what, Error *err)
{
	PlanNode *input = node->input;
	Changes changes;

	if (plan_is_bounded(input))
		make_final(input);
	TRY(derive(arena, input, NEED_LOG, &changes, err));
	if (changes == CHANGES_NONE)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
		     "%s cannot take rows back, and its input does", what);
	return error_hint(err, "make the results below final: a window, or a source that ends");
}

/* So many rows of results that do not change any more. */
static Status
derive_limit(Arena *arena, PlanNode *node, Error *err)
{
	Changes changes;
	bool bounded = plan_is_bounded(node->input);

	if (bounded)
		make_final(node->input);
	TRY(derive(arena, node->input, bounded ? NEED_LOG : NEED_ALL, &changes, err));
	if (changes == CHANGES_NONE)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
		     "LIMIT cannot take rows back, and its input does");
	return error_hint(err, "make the results below final: a window, or a source that ends");
}

/* ---------------------------------------------------------------- the first rows */

static Status
refuse_endless(const PlanNode *node, Error *err)
{
	error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, node->over.calls[0].position,
		     "the source never ends: its rows can only be taken in order of event time, "
		     "ascending");
	return error_hint(err,
			  "ORDER BY the column of the stream's WATERMARK, leave ORDER BY out "
			  "for the order of arrival, or keep the first rows of each partition: "
			  "WHERE number <= 10");
}

/* Rows leave the first n when others come before them. */
static Status
derive_top(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err)
{
	node->over.final = need == NEED_LOG && plan_is_bounded(node);
	TRY(derive_plain(arena, node, "a window function", err));
	*out = node->over.final ? CHANGES_NONE : CHANGES_ALL;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- groups */

/* MIN and MAX keep one value and cannot give it back; the first and last of all values can. */
static Status
keep_all_values(Arena *arena, AggregateCall **call, Error *err)
{
	const AggregateCall *from = *call;
	bool last = str_eq_nocase(from->name, STR("MAX"));
	Value fraction = {.type = TYPE_OF(INTEGER), .int64 = last};
	BoundExpr *args[] = {from->args[0], bound_constant(arena, fraction, from->position)};

	TRY(aggregate_bind(arena, STR("PERCENTILE_DISC"), args, 2, from->position, call, err));
	(*call)->filter = from->filter;
	(*call)->distinct = from->distinct;
	(*call)->text = from->text;
	return FERRIS_OK;
}

static Status
make_retractable(Arena *arena, PlanNode *node, Error *err)
{
	for (uint32_t i = 0; i < node->aggregate.call_count; i++) {
		AggregateCall **call = &node->aggregate.calls[i];

		if (str_eq_nocase((*call)->name, STR("MIN")) ||
		    str_eq_nocase((*call)->name, STR("MAX")))
			TRY(keep_all_values(arena, call, err));
		if ((*call)->class->retract != NULL)
			continue;
		error_set_at(err, FERRIS_ERR_CHANGELOG, (*call)->position,
			     "%.*s cannot take rows back, and the rows below change",
			     STR_ARG((*call)->text));
		return error_hint(err, "make the results below final: a window, or EMIT FINAL over "
				       "a source that ends");
	}
	return FERRIS_OK;
}

/* One more call, behind the others: how many rows the group has. */
static Status
add_row_count(Arena *arena, PlanNode *node, Error *err)
{
	uint32_t count = node->aggregate.call_count;
	AggregateCall **calls = ARENA_ARRAY(arena, AggregateCall *, count + 1);
	Field *fields = ARENA_ARRAY(arena, Field, node->schema.count + 1);

	memcpy(calls, node->aggregate.calls, sizeof(AggregateCall *) * count);
	TRY(aggregate_bind(arena, STR("COUNT"), NULL, 0, node->position, &calls[count], err));
	calls[count]->text = STR("COUNT(*)");
	memcpy(fields, node->schema.fields, sizeof *fields * node->schema.count);
	fields[node->schema.count] =
		(Field){.name = STR("_rows"), .type = calls[count]->type, .not_null = true};
	node->aggregate.calls = calls;
	node->aggregate.call_count++;
	node->aggregate.retracts = true;
	node->schema.fields = fields;
	node->schema.count++;
	return FERRIS_OK;
}

static Status
derive_aggregate(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err)
{
	bool windowed = node->aggregate.window.shape != SHAPE_NONE;
	bool final = node->aggregate.emit == EMIT_ONCE_FINAL;
	Changes below;

	TRY(derive(arena, node->input, NEED_ALL, &below, err));
	if (below != CHANGES_NONE && windowed) {
		error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
			     "a window cannot take rows back, and the rows below change");
		return error_hint(err, "put the window below, or make the results below final");
	}
	if (below != CHANGES_NONE)
		TRY(make_retractable(arena, node, err));
	if (windowed && final && node->aggregate.window.grace > 0 && need == NEED_ALL) {
		error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
			     "a window with GRACE PERIOD corrects its results without saying what "
			     "they were");
		return error_hint(err, "leave GRACE PERIOD out, or use EMIT CHANGES");
	}
	node->aggregate.before = need == NEED_ALL && !final;
	if (below != CHANGES_NONE || node->aggregate.before)
		TRY(add_row_count(arena, node, err));
	*out = final                                       ? CHANGES_NONE
	       : node->aggregate.before                    ? CHANGES_ALL
	       : below != CHANGES_NONE && need != NEED_LOG ? CHANGES_ALL
							   : CHANGES_AFTER;
	/* A group may lose its last row; the one of no keys stays. */
	if (!final && below != CHANGES_NONE && node->aggregate.key_count > 0)
		*out = CHANGES_ALL;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- nodes */

/* The rows of a table or a subquery, which are read to their end before. */
static Status
derive_table(Arena *arena, PlanNode *root, Error *err)
{
	Changes changes;

	make_final(root);
	TRY(derive(arena, root, NEED_LOG, &changes, err));
	return FERRIS_OK;
}

static Status
derive_stream_join(PlanNode *node, Changes *out, Error *err)
{
	if (*out == CHANGES_NONE)
		return FERRIS_OK;
	node->stream_join.changes = true;
	*out = CHANGES_ALL;
	if (!node->stream_join.timed)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
		     "a join within a time cannot take rows back, and an input of it does");
	return error_hint(err,
			  "leave the time out: the rows of tables meet whenever they are there");
}

static Status
derive_inputs(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err)
{
	bool join = node->kind == PLAN_STREAM_JOIN;

	*out = CHANGES_NONE;
	/* Pairs of what is there at the end, for those who want no changes. */
	if (join && need == NEED_LOG && plan_is_bounded(node))
		make_final(node);
	for (uint32_t i = 0; i < node->input_count; i++) {
		PlanNode *input = node->inputs[i];
		Changes changes;

		if (node->kind == PLAN_SET && plan_is_bounded(input))
			make_final(input);
		TRY(derive(arena, input, join ? NEED_ALL : need, &changes, err));
		*out = changes > *out ? changes : *out;
	}
	if (join)
		return derive_stream_join(node, out, err);
	if (node->kind == PLAN_UNION || *out == CHANGES_NONE)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
		     "INTERSECT or EXCEPT cannot take rows back, and an input of it does");
	return error_hint(err, "make the results below final: a window, or a source that ends");
}

/* A row of the right that goes is a version no more; one of the left has looked its version up. */
static Status
derive_versions(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err)
{
	Changes right;

	TRY(derive(arena, node->inputs[0], need, out, err));
	TRY(derive(arena, node->inputs[1], NEED_ALL, &right, err));
	if (*out != CHANGES_ALL)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_CHANGELOG, node->position,
		     "a join with the row of a time cannot take rows of its left side back");
	return error_hint(err, "make the results below final: a window, or a source that ends");
}

static Status
derive(Arena *arena, PlanNode *node, Need need, Changes *out, Error *err)
{
	*out = CHANGES_NONE;
	if (node->kind == PLAN_VERSIONED_JOIN)
		return derive_versions(arena, node, need, out, err);
	if (node->input_count > 0)
		return derive_inputs(arena, node, need, out, err);
	switch (node->kind) {
	case PLAN_SCAN:
	case PLAN_UNION:
	case PLAN_SET:
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
		return FERRIS_OK;
	case PLAN_FILTER:
		/* A result that no longer passes goes: that is seen by what it was. */
		return derive(arena, node->input, need == NEED_UPSERT ? NEED_ALL : need, out, err);
	case PLAN_PROJECT:
	case PLAN_WATERMARK:
		return derive(arena, node->input, need, out, err);
	case PLAN_AGGREGATE:
		return derive_aggregate(arena, node, need, out, err);
	case PLAN_JOIN:
		/* Like a filter: a result may have met rows that it meets no more. */
		TRY(derive_table(arena, node->join.right, err));
		return derive(arena, node->input, need == NEED_UPSERT ? NEED_ALL : need, out, err);
	case PLAN_TABLE:
		/* What the table holds at its end, for those who want no changes. */
		if (need == NEED_LOG && plan_is_bounded(node))
			node->table.final = true;
		*out = node->table.final ? CHANGES_NONE : CHANGES_ALL;
		return FERRIS_OK;
	case PLAN_LOOKUP:
		for (uint32_t i = 0; i < node->lookup.call_count; i++)
			TRY(derive_table(arena, node->lookup.calls[i].query, err));
		return derive(arena, node->input, need, out, err);
	case PLAN_DISTINCT:
		return derive_plain(arena, node, "DISTINCT", err);
	case PLAN_SORT:
		return derive_plain(arena, node, "ORDER BY", err);
	case PLAN_OVER:
		if (node->over.mode == OVER_TOP)
			return derive_top(arena, node, need, out, err);
		if (node->over.endless)
			return refuse_endless(node, err);
		return derive_plain(arena, node, "a window function", err);
	case PLAN_UNNEST:
		return derive_plain(arena, node, "UNNEST", err);
	case PLAN_WINDOW:
		return derive_plain(arena, node, "a window", err);
	case PLAN_LATE:
		return derive_plain(arena, node, "LATE", err);
	case PLAN_LIMIT:
		return need == NEED_LOG ? derive(arena, node->input, need, out, err)
					: derive_limit(arena, node, err);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- sinks */

static Status
check_sink(const StatementPlan *plan, Changes changes, Error *err)
{
	const Setting *mode = &plan->sink->common[ENDPOINT_CHANGELOG];

	switch ((ChangelogMode)mode->integer) {
	case CHANGELOG_APPEND:
		if (changes != CHANGES_ALL)
			return FERRIS_OK;
		error_set(err, FERRIS_ERR_CHANGELOG,
			  "rows of this query go again, which '%.*s' cannot say: it takes further "
			  "rows only",
			  STR_ARG(plan->sink->name));
		return error_hint(err, "'changelog.mode' = 'retract' or 'debezium' can, and "
				       "'upsert' where there is a key; or make results final: EMIT "
				       "FINAL over a source that ends, a window");
	case CHANGELOG_UPSERT:
		if (plan->key_count > 0 && plan->sink->connector->keyed_output)
			return FERRIS_OK;
		if (plan->key_count > 0)
			error_set(err, FERRIS_ERR_CHANGELOG,
				  "'upsert' writes keys and null values, which the connector '%s' "
				  "has not",
				  plan->sink->connector->name);
		else
			error_set(err, FERRIS_ERR_CHANGELOG, "'upsert' needs a key");
		error_hint(err, plan->key_count > 0
					? "'changelog.mode' = 'retract' or 'debezium' needs no keys"
					: "mark columns of the select list as PRIMARY KEY, or "
					  "select all keys of the group");
		return option_error(mode, err);
	case CHANGELOG_DEBEZIUM:
		if (strcmp(plan->sink->codec->name, "json") == 0)
			return FERRIS_OK;
		error_set(err, FERRIS_ERR_CHANGELOG, "'debezium' is JSON, not %s",
			  plan->sink->codec->name);
		error_hint(err, "'format' = 'json', or 'changelog.mode' = 'retract'");
		return option_error(mode, err);
	case CHANGELOG_RETRACT:
		break;
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the key of upserts */

typedef struct KeySearch {
	const PlanNode *node;
	bool found;
} KeySearch;

static bool is_of_group(const PlanNode *node, uint32_t column);

static void
search_key(BoundExpr *expr, void *context)
{
	KeySearch *search = context;

	if (expr->kind == BOUND_COLUMN)
		search->found = search->found && is_of_group(search->node, expr->column);
}

/* Whether the column is made of what tells groups apart: an update of a result leaves it alone. */
static bool
is_of_group(const PlanNode *node, uint32_t column)
{
	if (node->kind == PLAN_AGGREGATE)
		return column < node->schema.count - node->aggregate.call_count;
	if (node->kind == PLAN_FILTER)
		return is_of_group(node->input, column);
	if (node->kind != PLAN_PROJECT)
		return false;
	KeySearch search = {node->input, true};
	bound_walk(node->project.exprs[column], search_key, &search);
	return search.found;
}

/* A sink by key needs to know what a result was if that may have had another key. */
static bool
keeps_keys(const StatementPlan *plan)
{
	for (uint32_t i = 0; i < plan->key_count; i++)
		if (!is_of_group(plan->root, plan->key_columns[i]))
			return false;
	return true;
}

Status
plan_changelog(Arena *arena, StatementPlan *plan, Error *err)
{
	static const Need needs[] = {[CHANGELOG_APPEND] = NEED_LOG,
				     [CHANGELOG_UPSERT] = NEED_UPSERT,
				     [CHANGELOG_RETRACT] = NEED_ALL,
				     [CHANGELOG_DEBEZIUM] = NEED_ALL};
	Need need = needs[plan->sink->common[ENDPOINT_CHANGELOG].integer];
	Changes changes;

	if (need == NEED_UPSERT && !keeps_keys(plan))
		need = NEED_ALL;
	TRY(derive(arena, plan->root, need, &changes, err));
	return check_sink(plan, changes, err);
}
