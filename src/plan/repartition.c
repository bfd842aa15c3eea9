/* plan/repartition.c -- one statement becomes two, with a topic between them. */
#include "plan/repartition.h"

#include "func/function.h"
#include "func/kernel.h"
#include "plan/batch_strategy.h"
#include "plan/partitioned.h"
#include "plan/rule.h"

/* By what the rows of a node are brought together: expressions over its columns. */
typedef struct Route {
	BoundExpr **exprs;
	uint32_t count;
	bool loose; /* fewer of them will do: rows that are equal in all are equal in some */
} Route;

typedef struct Repartitioning {
	Arena *arena;
	StatementPlan *plan;
	const char *group; /* of the statement as it was */
	Route *routes;     /* of each scan */
	Route *first;      /* of each scan: what its rows must fulfil to move the watermark, */
	Route *filters;    /* and to be of any use */
	BoundExpr **times; /* of each scan: its watermark, over its columns; NULL: it has none */
	uint32_t scan;     /* the one whose turn it is */
	Error *err;
} Repartitioning;

/* ---------------------------------------------------------------- from an operator down to a scan
 */

/* Whether it may be another value in the statement in front than in the one behind. */
static bool
is_volatile(const BoundExpr *expr)
{
	if (expr->kind == BOUND_CALL && (expr->function->flags & SCALAR_VOLATILE))
		return true;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		if (is_volatile(expr->args[i]))
			return true;
	return false;
}

static BoundExpr *
column_of(Repartitioning *self, const PlanNode *node, uint32_t column)
{
	const Field *field = &node->schema.fields[column];

	return bound_column(self->arena, column, field->type, field->name, node->position);
}

static Status
not_of_the_record(Repartitioning *self, const PlanNode *node)
{
	Str name = plan_explain_node(self->arena, node);
	const char *end = memchr(name.data, '\n', name.len);

	if (end != NULL)
		name.len = (uint32_t)(end - name.data);
	Str why = str_format(self->arena, "what its rows are brought together by is made by: %.*s",
			     STR_ARG(name));
	return plan_refuse_partitions(
		self->plan, why.data,
		"write the rows of that part to a topic by a statement of its own", self->err);
}

/* A table's key is that of the record also where the record deletes it. */
static BoundExpr *
table_column(const PlanNode *table, uint32_t column)
{
	const BoundExpr *left = table->table.left[column];

	for (uint32_t k = 0; k < table->table.key_count; k++) {
		BoundExpr *key = table->table.keys[k];

		if (key->kind == BOUND_CASE && key->arg_count == 3 &&
		    key->args[2]->kind == BOUND_COLUMN && left->kind == BOUND_COLUMN &&
		    key->args[2]->column == left->column)
			return key;
	}
	return table->table.left[column];
}

/* What the columns of a node are over its input; NULL: it makes them itself. */
static BoundExpr **
columns_below(Repartitioning *self, PlanNode *node)
{
	BoundExpr **out = ARENA_ARRAY(self->arena, BoundExpr *, node->schema.count + 1);

	for (uint32_t i = 0; i < node->schema.count; i++) {
		if (!makes_columns(node))
			out[i] = column_of(self, node->input, i);
		else if (node->kind == PLAN_PROJECT)
			out[i] = node->project.exprs[i];
		else if (node->kind == PLAN_TABLE && i < node->table.left_count)
			out[i] = table_column(node, i);
		else if (passes_columns(node) && i < *left_column_count(node))
			out[i] = left_columns(node)[i];
	}
	return out;
}

static Status
translate(Repartitioning *self, PlanNode *node, const Route *route, Route *out)
{
	BoundExpr **below = columns_below(self, node);

	*out = (Route){ARENA_ARRAY(self->arena, BoundExpr *, route->count + 1), 0, route->loose};
	for (uint32_t i = 0; i < route->count; i++) {
		BoundExpr *expr = bound_substitute(self->arena, route->exprs[i], below);

		if (expr != NULL && !is_volatile(expr))
			out->exprs[out->count++] = expr;
		else if (!route->loose)
			return not_of_the_record(self, node);
	}
	return out->count > 0 || route->count == 0 || node->kind == PLAN_WINDOW
		       ? FERRIS_OK
		       : not_of_the_record(self, node);
}

/* The first `count` columns of a node. */
static Route
first_columns(Repartitioning *self, const PlanNode *node, uint32_t count)
{
	Route route = {ARENA_ARRAY(self->arena, BoundExpr *, count + 1), count, false};

	for (uint32_t i = 0; i < count; i++)
		route.exprs[i] = column_of(self, node, i);
	return route;
}

/* By what the node brings the rows of its input together; false: it does not. */
static bool
own_route(Repartitioning *self, const PlanNode *node, Route *out)
{
	switch (node->kind) {
	case PLAN_AGGREGATE:
		*out = (Route){node->aggregate.keys,
			       node->aggregate.key_count - node->aggregate.marker_count, true};
		return true;
	case PLAN_OVER:
		*out = (Route){node->over.partition, node->over.partition_count, true};
		return true;
	case PLAN_DISTINCT:
		*out = first_columns(self, node->input, node->input->schema.count);
		out->loose = true;
		return true;
	case PLAN_TABLE: /* all records of a key, to know which one is the last */
		*out = (Route){node->table.keys, node->table.key_count, false};
		return true;
	default:
		return false;
	}
}

/* What is known of a node from those above it, over its columns. */
typedef struct Above {
	const Route *route;     /* NULL: nothing above brings rows together */
	BoundExpr *const *time; /* NULL: no Watermark yet */
	Route first;            /* conditions below the Watermark, */
	Route filters;          /* and above it */
} Above;

static Status route_node(Repartitioning *self, PlanNode *node, Above above);

/* Each input by its first columns, or by what comes from above. */
static Status
route_inputs(Repartitioning *self, PlanNode *node, const Route *route)
{
	bool joins = node->kind == PLAN_STREAM_JOIN || node->kind == PLAN_VERSIONED_JOIN;
	uint32_t keys = joins ? node->stream_join.key_count : node->schema.count;

	for (uint32_t i = 0; i < node->input_count; i++) {
		Route own = node->kind == PLAN_UNION && route != NULL
				    ? *route
				    : first_columns(self, node->inputs[i], keys);
		bool routed = node->kind != PLAN_UNION || route != NULL;

		TRY(route_node(self, node->inputs[i], (Above){.route = routed ? &own : NULL}));
	}
	return FERRIS_OK;
}

static Status
route_scan(Repartitioning *self, const PlanNode *scan, const Above *above)
{
	if (above->route == NULL)
		return not_of_the_record(self, scan);
	self->routes[self->scan] = *above->route;
	self->first[self->scan] = above->first;
	self->filters[self->scan] = above->filters;
	self->times[self->scan++] = above->time != NULL ? *above->time : NULL;
	return FERRIS_OK;
}

/* One that changes from call to call may hold in front and not behind: then it only lets through,
 * if the watermark hangs on it (`all`). */
static void
add_filters(Repartitioning *self, const PlanNode *filter, bool all, Route *to)
{
	BoundExpr **exprs = ARENA_ARRAY(self->arena, BoundExpr *, to->count + filter->filter.count);

	if (to->count > 0)
		memcpy(exprs, to->exprs, sizeof(BoundExpr *) * to->count);
	for (uint32_t i = 0; i < filter->filter.count; i++)
		if (all || !is_volatile(filter->filter.conjuncts[i]))
			exprs[to->count++] = filter->filter.conjuncts[i];
	to->exprs = exprs;
}

/* Those that are not of the record alone are left to the statement behind. */
static void
translate_filters(Repartitioning *self, PlanNode *node, Route *filters)
{
	BoundExpr **below = columns_below(self, node);
	uint32_t kept = 0;

	for (uint32_t i = 0; i < filters->count; i++) {
		BoundExpr *expr = bound_substitute(self->arena, filters->exprs[i], below);

		if (expr != NULL)
			filters->exprs[kept++] = expr;
	}
	filters->count = kept;
}

/* Rows that others stand for are of use though they fulfil nothing. */
static bool
is_row_by_row(const PlanNode *node)
{
	return node->kind == PLAN_PROJECT || node->kind == PLAN_FILTER ||
	       node->kind == PLAN_WATERMARK;
}

static Status
route_node(Repartitioning *self, PlanNode *node, Above above)
{
	Route own, below, time;

	if (node->kind == PLAN_SCAN)
		return route_scan(self, node, &above);
	if (node->input == NULL)
		return route_inputs(self, node, above.route);
	if (node->kind == PLAN_FILTER)
		add_filters(self, node, above.time != NULL,
			    above.time != NULL ? &above.first : &above.filters);
	else if (!is_row_by_row(node))
		above.filters.count = 0;
	translate_filters(self, node, &above.filters);
	uint32_t needed = above.first.count;
	translate_filters(self, node, &above.first);
	if (above.first.count < needed)
		return not_of_the_record(self, node);
	if (node->kind == PLAN_WATERMARK) {
		above.time = &node->watermark.expr;
	} else if (above.time != NULL) {
		Route one = {(BoundExpr *[]){*above.time}, 1, false};

		TRY(translate(self, node, &one, &time));
		above.time = time.exprs;
	}
	if (own_route(self, node, &own)) {
		for (uint32_t i = 0; i < own.count; i++)
			if (is_volatile(own.exprs[i]) ||
			    type_is_nested(own.exprs[i]->type)) /* it has no text */
				return not_of_the_record(self, node);
		above.filters.count = 0;
		above.route = &own;
	} else if (above.route != NULL) {
		TRY(translate(self, node, above.route, &below));
		above.route = &below;
	}
	return route_node(self, node->input, above);
}

/* ---------------------------------------------------------------- the text that decides */

static Status
call(Repartitioning *self, const char *name, BoundExpr **args, uint32_t count, BoundExpr **out)
{
	return function_bind(self->arena, str_from(name), args, count, args[0]->position, out,
			     self->err);
}

static BoundExpr *
text_constant(Repartitioning *self, Str text, Position at)
{
	return bound_constant(self->arena, (Value){.type = TYPE_OF(STRING), .text = text}, at);
}

/* Equal values give equal texts; others may do so too.  0.0 and -0.0 are equal. */
static Status
text_of(Repartitioning *self, BoundExpr *expr, BoundExpr **out)
{
	if (type_is_approximate(expr->type)) {
		Value zero = {.type = TYPE_OF(DOUBLE)};
		BoundExpr *sum[] = {expr, bound_constant(self->arena, zero, expr->position)};

		TRY(call(self, "+", sum, 2, &expr));
	}
	TRY(bound_cast(self->arena, expr, TYPE_OF(STRING), CAST_EXPLICIT, &expr, self->err));
	BoundExpr *args[] = {expr, text_constant(self, STR(""), expr->position)};
	*out = bound_node(self->arena, BOUND_COALESCE, TYPE_OF(STRING), args, 2, expr->position);
	return FERRIS_OK;
}

static Status
routing_text(Repartitioning *self, const Route *route, Position at, BoundExpr **out)
{
	*out = text_constant(self, STR(""), at);
	for (uint32_t i = 0; i < route->count; i++) {
		BoundExpr *pair[] = {*out, text_constant(self, STR("|"), at)};

		if (i > 0)
			TRY(call(self, "||", pair, 2, &pair[0]));
		TRY(text_of(self, route->exprs[i], &pair[1]));
		if (i == 0)
			*out = pair[1];
		else
			TRY(call(self, "||", pair, 2, out));
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the topic between them */

static void
add_option(Options *options, const char *key, Str value)
{
	options->entries[options->count++] =
		(OptionEntry){.key = str_from(key), .value = value, .origin = ORIGIN_DEFAULT};
}

/* All that the source is said to be, but for topic, group and format: the last word counts. */
static Options
topic_options(Repartitioning *self, const Endpoint *source, Str topic, Str group)
{
	const ConnectorClass *class = source->connector;
	Options words = users_options(self->arena, &source->given);
	Options out = {.entries = ARENA_ARRAY(self->arena, OptionEntry, words.count + 8),
		       .count = words.count};

	memcpy(out.entries, words.entries, sizeof *out.entries * words.count);
	add_option(&out, class->topic_option, topic);
	if (class->group_option != NULL && group.len > 0)
		add_option(&out, class->group_option, group);
	add_option(&out, "timestamp.format", STR("epoch_micros"));
	return out;
}

static Status
topic_endpoint(Repartitioning *self, Str name, const Endpoint *source, bool reads, Str topic,
	       Str group, Endpoint **out)
{
	Endpoint *endpoint = ARENA_NEW(self->arena, Endpoint);
	const ConnectorClass *class = source->connector;
	const CodecClass *json = codec_find(STR("json"));

	*endpoint = *source;
	endpoint->name = name;
	endpoint->codec = json;
	endpoint->given = topic_options(self, source, topic, group);
	endpoint->batch = (BatchPlan){0};
	endpoint->decisions = (Decisions){0};
	TRY(options_resolve(reads ? &class->source_options : &class->sink_options, &endpoint->given,
			    self->arena, &endpoint->connector_settings, self->err));
	TRY(options_resolve(reads ? &json->decode_options : &json->encode_options, &endpoint->given,
			    self->arena, &endpoint->codec_settings, self->err));
	if (!reads) {
		Options none = {0};

		TRY(options_resolve(&endpoint_options, &none, self->arena, &endpoint->common,
				    self->err));
	}
	*out = endpoint;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the statement in front */

static void
count_all(const Route *route, uint32_t *uses)
{
	for (uint32_t i = 0; i < route->count; i++)
		count_columns(route->exprs[i], uses);
}

/* How often the statement in front looks into each column. */
static uint32_t *
uses_in_front(Repartitioning *self, const PlanNode *scan, uint32_t index)
{
	uint32_t *uses = ARENA_ARRAY(self->arena, uint32_t, scan->schema.count + 1);

	count_all(&self->routes[index], uses);
	count_all(&self->first[index], uses);
	count_all(&self->filters[index], uses);
	if (self->times[index] != NULL)
		count_columns(self->times[index], uses);
	return uses;
}

static bool
is_compared(const PlanNode *scan, uint32_t decoded)
{
	for (uint32_t i = 0; i < scan->scan.predicate_count; i++)
		if (scan->scan.predicates[i].column == decoded)
			return true;
	return false;
}

/* Exact numbers that only go from the source to the topic stay the text that they are. */
static void
pass_as_text(Repartitioning *self, PlanNode *scan, uint32_t index)
{
	uint32_t columns = scan->schema.count;
	uint32_t decoded = scan->scan.decode_count;
	ScanColumn *own = ARENA_ARRAY(self->arena, ScanColumn, columns + 1);
	DecodeColumn *decode = ARENA_ARRAY(self->arena, DecodeColumn, decoded + 1);
	const uint32_t *uses = uses_in_front(self, scan, index);

	memcpy(own, scan->scan.columns, sizeof *own * columns);
	if (decoded > 0)
		memcpy(decode, scan->scan.decode, sizeof *decode * decoded);
	for (uint32_t d = 0; d < decoded; d++) {
		uint32_t target = decode[d].target;

		if (target == DECODE_NO_TARGET || !type_is_exact(decode[d].type) ||
		    is_compared(scan, d) || uses[target] > 0)
			continue;
		decode[d].form = own[target].form = FORM_TEXT;
	}
	scan->scan.columns = own;
	scan->scan.decode = decode;
}

/* With the columns of its input. */
static PlanNode *
node_over(Repartitioning *self, PlanKind kind, PlanNode *input)
{
	PlanNode *node = ARENA_NEW(self->arena, PlanNode);

	*node = (PlanNode){
		.kind = kind, .position = input->position, .input = input, .schema = input->schema};
	return node;
}

static PlanNode *
watermark_over(Repartitioning *self, PlanNode *input, BoundExpr *expr)
{
	if (expr == NULL)
		return input;
	PlanNode *node = node_over(self, PLAN_WATERMARK, input);
	node->watermark.expr = expr;
	return node;
}

static PlanNode *
conditions_over(Repartitioning *self, PlanNode *input, const Route *conditions)
{
	if (conditions->count == 0)
		return input;
	PlanNode *node = node_over(self, PLAN_FILTER, input);
	node->filter.conjuncts = conditions->exprs;
	node->filter.count = conditions->count;
	return node;
}

/* The scan's columns, and the text. */
static Status
project_over(Repartitioning *self, PlanNode *input, const Route *route, PlanNode **out)
{
	PlanNode *node = node_over(self, PLAN_PROJECT, input);
	uint32_t count = input->schema.count;
	Field *fields = ARENA_ARRAY(self->arena, Field, count + 1);

	node->schema = (Schema){fields, count + 1};
	node->project.exprs = ARENA_ARRAY(self->arena, BoundExpr *, count + 1);
	node->project.key = ARENA_ARRAY(self->arena, bool, count + 1);
	node->project.key[count] = true;
	for (uint32_t i = 0; i < count; i++) {
		fields[i] = input->schema.fields[i];
		node->project.exprs[i] = column_of(self, input, i);
	}
	fields[count] = (Field){.name = STR("route"), .type = TYPE_OF(STRING)};
	*out = node;
	return routing_text(self, route, input->position, &node->project.exprs[count]);
}

static Status
make_front(Repartitioning *self, uint32_t index, Str name, const Endpoint *sink, StatementPlan *out)
{
	PlanNode *scan = ARENA_NEW(self->arena, PlanNode);
	PlanNode *input = scan;

	*scan = *self->plan->scans[index];
	pass_as_text(self, scan, index);
	input = conditions_over(self, input, &self->first[index]);
	input = watermark_over(self, input, self->times[index]);
	input = conditions_over(self, input, &self->filters[index]);
	*out = *self->plan;
	out->name = name;
	TRY(project_over(self, input, &self->routes[index], &out->root));
	out->scans = ARENA_ARRAY(self->arena, PlanNode *, 1);
	out->scans[0] = scan;
	out->scan_count = 1;
	out->sink = sink;
	out->is_select = false;
	out->key_columns = ARENA_ARRAY(self->arena, uint32_t, 1);
	out->key_columns[0] = out->root->schema.count - 1;
	out->key_count = 1;
	out->headers = NULL;
	out->header_count = 0;
	out->header_columns = 1; /* the text is not of the record */
	out->partitioned = true;
	out->shuffles = true;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the statement behind */

/* It reads the same columns from the topic. */
static void
read_topic(Repartitioning *self, PlanNode *scan, const Endpoint *source)
{
	uint32_t count = scan->schema.count;
	ScanColumn *columns = ARENA_ARRAY(self->arena, ScanColumn, count + 1);
	Schema *record = ARENA_NEW(self->arena, Schema);

	*record = scan->schema;
	scan->scan.decode = ARENA_ARRAY(self->arena, DecodeColumn, count + 1);
	scan->scan.decode_count = 0;
	for (uint32_t i = 0; i < count; i++) {
		columns[i] = (ScanColumn){.name = scan->scan.columns[i].name,
					  .type = scan->scan.columns[i].type,
					  .form = scan->scan.columns[i].form,
					  .used = true};
		scan->scan.decode[scan->scan.decode_count++] =
			(DecodeColumn){.name = columns[i].name,
				       .type = columns[i].type,
				       .form = columns[i].form,
				       .target = i};
	}
	scan->scan.columns = columns;
	scan->scan.record = record;
	scan->scan.endpoint = source;
	scan->scan.predicates = NULL;
	scan->scan.predicate_exprs = NULL;
	scan->scan.predicate_count = 0;
	scan->scan.null_rows = false;
	scan->scan.shuffled = true;
}

/* The column that a part of the route is: itself, or a table's key. */
static const BoundExpr *
route_column(const BoundExpr *expr)
{
	return expr->kind == BOUND_CASE && expr->arg_count == 3 ? expr->args[2] : expr;
}

/* So that plan_partitioned knows what the rows of a partition have in common. */
static void
note_route(Repartitioning *self, PlanNode *scan, const Route *route)
{
	scan->scan.route = ARENA_ARRAY(self->arena, bool, scan->schema.count + 1);
	scan->scan.route_is_columns = true;
	for (uint32_t i = 0; i < route->count; i++) {
		const BoundExpr *column = route_column(route->exprs[i]);

		if (column->kind == BOUND_COLUMN)
			scan->scan.route[column->column] = true;
		else
			scan->scan.route_is_columns = false;
	}
}

static Status
part(Repartitioning *self, uint32_t index, StatementPlan *front)
{
	PlanNode *scan = self->plan->scans[index];
	const Endpoint *source = scan->scan.endpoint;
	const char *number = index > 0 ? str_format(self->arena, "-%u", index + 1).data : "";
	Str name = str_format(self->arena, "%.*s_repartition%s", STR_ARG(self->plan->name),
			      index > 0 ? str_format(self->arena, "_%u", index + 1).data : "");
	Str topic = str_format(self->arena, "%s-%.*s-repartition%s", self->group,
			       STR_ARG(self->plan->name), number);
	Str group = str_format(self->arena, "%s-%.*s%s", self->group, STR_ARG(self->plan->name),
			       number);
	Endpoint *sink, *read;

	TRY(topic_endpoint(self, name, source, false, topic, (Str){NULL, 0}, &sink));
	TRY(topic_endpoint(self, name, source, true, topic, group, &read));
	TRY(make_front(self, index, name, sink, front));
	read_topic(self, scan, read);
	note_route(self, scan, &self->routes[index]);
	return FERRIS_OK;
}

/* What a join reads to its present end before the rest is not known to be all of it when it comes
 * through a topic. */
static Status
check_tables(Repartitioning *self)
{
	const StatementPlan *plan = self->plan;

	for (uint32_t i = 0; i < plan->scan_count; i++) {
		if (!plan->scans[i]->scan.first)
			continue;
		Str why =
			str_format(self->arena,
				   "rows would have to go through a topic to meet the table '%.*s'",
				   STR_ARG(plan->scans[i]->scan.endpoint->name));
		return plan_refuse_partitions(
			plan, why.data,
			"write the rows to a topic by the table's key first, with as many "
			"partitions as the table's: CREATE STREAM ... AS SELECT k PRIMARY KEY, ...",
			self->err);
	}
	return FERRIS_OK;
}

Status
plan_repartition(Arena *arena, Str application, StatementPlan *plan, StatementPlan **before,
		 Error *err)
{
	Repartitioning self = {
		.arena = arena,
		.plan = plan,
		.routes = ARENA_ARRAY(arena, Route, plan->scan_count),
		.first = ARENA_ARRAY(arena, Route, plan->scan_count),
		.filters = ARENA_ARRAY(arena, Route, plan->scan_count),
		.times = ARENA_ARRAY(arena, BoundExpr *, plan->scan_count),
		.err = err,
	};

	TRY(check_tables(&self));
	self.group = plan_first_group(arena, application, plan);
	*before = ARENA_ARRAY(arena, StatementPlan, plan->scan_count);
	TRY(route_node(&self, plan->root, (Above){0}));
	for (uint32_t i = 0; i < plan->scan_count; i++)
		TRY(part(&self, i, &(*before)[i]));
	return FERRIS_OK;
}
