/* plan/planner.c -- statements of a script to plans, in the order of the text.
 *
 * A stream must be declared before the statement that reads it.  A CREATE ... AS whose sink is not
 * named is a stream inside the process (a view) unless it reads Kafka: then it writes the topic
 * of its own name on the same brokers. */
#include "connector/values.h"
#include "func/function.h"
#include "func/program.h"
#include "plan/bind.h"
#include "plan/changelog.h"
#include "plan/rules.h"

typedef struct Planner {
	Arena *arena;
	const PlanInput *input;
	ScriptPlan *plan;
	uint32_t capacity;
	uint32_t query_count;    /* SELECTs so far, for their names */
	CatalogEntry **declared; /* in the order of the text, also those that were replaced */
	uint32_t declared_count;
	Options session; /* SET, up to here */
	ErrorList *errors;
} Planner;

/* ---------------------------------------------------------------- sinks */

/* Whether an option says where records are. */
static bool
is_place(Str key)
{
	static const Str keys[] = {STR_INIT("connector"), STR_INIT("type"), STR_INIT("kafka.topic"),
				   STR_INIT("topic"), STR_INIT("path")};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (str_eq_nocase(key, keys[i]))
			return true;
	return false;
}

static bool
names_a_place(const Options *options)
{
	for (uint32_t i = 0; i < options->count; i++)
		if (is_place(options->entries[i].key))
			return true;
	return false;
}

static void
append_entry(Options *options, OptionEntry entry)
{
	options->entries[options->count++] = entry;
}

/* The sink's own options, with what it takes over from a Kafka source it does not name. */
static Options
kafka_twin(Binder *binder, const Options *own, Str name)
{
	const Options *source = &binder->source->given;
	Options out = {
		.entries = ARENA_ARRAY(binder->arena, OptionEntry, own->count + source->count + 3)};

	for (uint32_t i = 0; i < source->count; i++)
		if (str_starts_with(source->entries[i].key, STR("kafka.")) &&
		    !str_eq_nocase(source->entries[i].key, STR("kafka.topic")) &&
		    !str_eq_nocase(source->entries[i].key, STR("kafka.group.id")))
			append_entry(&out, source->entries[i]);
	append_entry(
		&out,
		(OptionEntry){.key = STR("connector"), .value = STR("kafka"), .origin = "default"});
	append_entry(&out,
		     (OptionEntry){.key = STR("kafka.topic"), .value = name, .origin = "default"});
	append_entry(&out, (OptionEntry){.key = STR("format"),
					 .value = str_from(binder->source->codec->name),
					 .origin = "default"});
	for (uint32_t i = 0; i < own->count; i++)
		append_entry(&out, own->entries[i]);
	return out;
}

static bool
uses(const Endpoint *endpoint, Str connector)
{
	return endpoint != NULL && str_eq(str_from(endpoint->connector->name), connector);
}

static bool
is_kafka(const Endpoint *endpoint)
{
	return uses(endpoint, STR("kafka"));
}

/* Whoever reads on where the last run stopped must not replace what that run wrote. */
static Status
resolve_sink(Binder *binder, Str name, Position at, Options given, Endpoint **out)
{
	Options all = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, given.count + 1)};

	if (binder->resumes)
		append_entry(&all, (OptionEntry){.key = STR("append"),
						 .value = STR("true"),
						 .origin = "default"});
	for (uint32_t i = 0; i < given.count; i++)
		append_entry(&all, given.entries[i]);
	return resolve_endpoint(binder, ROLE_SINK, name, at, all, out);
}

/* The sink of CREATE ... AS; *out is NULL for a stream inside the process. */
static Status
create_sink(Binder *binder, Str name, Position at, Endpoint **out)
{
	Options own = options_for(binder->arena, &binder->with, ROLE_SINK, name,
				  !binder->source_undeclared);

	*out = NULL;
	if (!names_a_place(&own) && binder->input->default_connector.len == 0) {
		if (!is_kafka(binder->source))
			return FERRIS_OK;
		own = kafka_twin(binder, &own, name);
	}
	return resolve_sink(binder, name, at, own, out);
}

/* A plain SELECT cannot choose its sink: say how to. */
static Status
refuse_places(Binder *binder, Str sink)
{
	for (uint32_t i = 0; i < binder->with.count; i++) {
		const OptionEntry *entry = &binder->with.entries[i];
		bool user = entry->key_at.line > 0;
		Str key = sink_option_name(entry->key, sink);

		if (key.data == NULL && (!user || binder->source_undeclared))
			continue;
		if (key.data == NULL)
			key = entry->key;
		bool format = str_eq_nocase(key, STR("format"));
		if (!format && !is_place(key))
			continue;
		error_set_at(binder->err, FERRIS_ERR_UNKNOWN_OPTION, entry->key_at,
			     "the rows of a plain SELECT go to the console, not to a '%.*s'",
			     STR_ARG(entry->key));
		if (!user)
			binder->err->flags |= ERROR_COMMAND_LINE;
		if (format)
			return error_hint(binder->err, "--output chooses how they are written");
		return error_hint(binder->err,
				  "write INSERT INTO 'out.jsonl' SELECT ..., or CREATE STREAM name "
				  "AS SELECT ... WITH ('%.*s' = ...)",
				  STR_ARG(entry->key));
	}
	return FERRIS_OK;
}

/* Where the rows of a plain SELECT go: the console, unless the caller says otherwise. */
static Status
select_sink(Binder *binder, Endpoint **out)
{
	const PlanInput *input = binder->input;
	bool console = input->select_connector.len == 0;
	Str name = console ? STR("console") : binder->statement_name;
	Options own = options_for(binder->arena, &binder->with, ROLE_SINK, name,
				  !binder->source_undeclared);
	Options given = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, own.count + 2)};

	TRY(refuse_places(binder, name));
	for (uint32_t i = 0; i < own.count; i++)
		append_entry(&given, own.entries[i]);
	append_entry(&given,
		     (OptionEntry){.key = STR("connector"),
				   .value = console ? STR("console") : input->select_connector,
				   .origin = "default"});
	append_entry(&given, (OptionEntry){.key = STR("format"),
					   .value = input->output_format,
					   .origin = "default"});
	return resolve_endpoint(binder, ROLE_SINK, name, (Position){0}, given, out);
}

/* ---------------------------------------------------------------- INSERT */

/* The expression of the query's column if it is a constant, else NULL. */
static BoundExpr *
constant_column(const PlanNode *node, uint32_t column)
{
	while (node->kind == PLAN_LIMIT)
		node = node->input;
	if (node->kind != PLAN_PROJECT || node->project.exprs[column]->kind != BOUND_CONSTANT)
		return NULL;
	return node->project.exprs[column];
}

/* One column as the target's type.  A constant that does not fit fails here, not in every row. */
static Status
assign_column(Binder *binder, const PlanNode *input, uint32_t column, const Type *type, Position at,
	      BoundExpr **out)
{
	const Field *from = &input->schema.fields[column];
	BoundExpr *value = constant_column(input, column);

	if (value == NULL)
		return bound_cast(binder->arena,
				  bound_column(binder->arena, column, from->type, from->name, at),
				  type, CAST_IMPLICIT, out, binder->err);
	TRY(bound_cast(binder->arena, value, type, CAST_IMPLICIT, out, binder->err));
	return bound_fold(binder->arena, *out, out, binder->err);
}

/* Convert the query's columns to the target's, by position or by the column list. */
static Status
assign_columns(Binder *binder, const CatalogEntry *target, const NameList *names, Position at,
	       PlanNode **node)
{
	PlanNode *input = *node;
	const Schema *schema = &target->schema;
	uint32_t given = input->schema.count;
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);

	if (schema->count == 0)
		return FERRIS_OK;
	if (given != (names->count > 0 ? names->count : schema->count)) {
		error_set_at(binder->err, FERRIS_ERR_COLUMN_COUNT, at,
			     "the query yields %u columns, '%.*s' takes %u", given,
			     STR_ARG(target->name),
			     names->count > 0 ? names->count : schema->count);
		return error_hint(binder->err, "name them: INSERT INTO %.*s (a, b, ...) SELECT ...",
				  STR_ARG(target->name));
	}
	*project =
		(PlanNode){.kind = PLAN_PROJECT, .input = input, .position = at, .schema = *schema};
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, schema->count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		project->project.exprs[i] =
			bound_constant(binder->arena, value_null(schema->fields[i].type), at);
	for (uint32_t i = 0; i < given; i++) {
		int to = names->count > 0 ? schema_find(schema, names->items[i].text) : (int)i;

		if (to < 0)
			return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN,
					    names->items[i].position, "'%.*s' has no column '%.*s'",
					    STR_ARG(target->name), STR_ARG(names->items[i].text));
		TRY(assign_column(binder, input, i, schema->fields[to].type, at,
				  &project->project.exprs[to]));
	}
	for (uint32_t k = 0; k < target->primary_key_count; k++)
		project->project.key[target->primary_key[k]] = true;
	*node = project;
	return FERRIS_OK;
}

static Status
insert_sink(Binder *binder, const Target *target, const NameList *names, PlanNode **node,
	    Endpoint **out)
{
	Position at = target->name.position;
	CatalogEntry *entry =
		target->is_uri ? NULL : catalog_find(binder->catalog, target->name.text);
	Options own = options_for(binder->arena, &binder->with, ROLE_SINK, target->name.text,
				  !binder->source_undeclared);
	Options given = {0};

	if (target->is_uri) {
		TRY(uri_options(binder, target->name.text, at, &given));
	} else if (entry == NULL && !names_a_place(&own)) {
		return catalog_unknown(binder->catalog, target->name, binder->err);
	} else if (entry != NULL) {
		if (entry->query != NULL)
			return error_set_at(
				binder->err, FERRIS_ERR_NOT_SUPPORTED, at,
				"'%.*s' is defined by a query; rows cannot be inserted into it",
				STR_ARG(entry->name));
		given = entry->options;
		TRY(assign_columns(binder, entry, names, at, node));
	}
	if (entry != NULL)
		entry->tried = true;
	Options all = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, given.count + own.count)};
	for (uint32_t i = 0; i < given.count; i++)
		append_entry(&all, given.entries[i]);
	for (uint32_t i = 0; i < own.count; i++)
		append_entry(&all, own.entries[i]);
	TRY(resolve_sink(binder, target->name.text, at, all, out));
	if (entry != NULL)
		entry->resolved = true;
	return target->is_uri ? check_unused(binder, &given, "this URI") : FERRIS_OK;
}

/* ---------------------------------------------------------------- statements */

/* The columns marked as key in the topmost Project. */
static void
set_key(Arena *arena, StatementPlan *plan, const PlanNode *root)
{
	const PlanNode *project = root;

	while (project->input != NULL && project->kind != PLAN_PROJECT)
		project = project->input;
	if (project->kind != PLAN_PROJECT)
		return;
	plan->key_columns = ARENA_ARRAY(arena, uint32_t, project->schema.count);
	for (uint32_t i = 0; i < project->schema.count; i++)
		if (project->project.key[i])
			plan->key_columns[plan->key_count++] = i;
}

static void
add_plan(Planner *planner, StatementPlan *plan)
{
	ScriptPlan *script = planner->plan;

	if (script->count == planner->capacity) {
		planner->capacity = planner->capacity > 0 ? planner->capacity * 2 : 16;
		StatementPlan **items =
			ARENA_ARRAY(planner->arena, StatementPlan *, planner->capacity);

		if (script->count > 0)
			memcpy(items, script->items, sizeof *items * script->count);
		script->items = items;
	}
	script->items[script->count++] = plan;
}

/* Where SendToDLQ writes: a file that is appended to, or a topic on the brokers in use. */
static Status
dead_letter_sink(Binder *binder, StatementPlan *plan)
{
	const Setting *path = &plan->job[JOB_DLQ_PATH];
	const Setting *topic = &plan->job[JOB_DLQ_TOPIC];
	const Endpoint *kafka = is_kafka(binder->source) ? binder->source : plan->sink;
	Options given = {0};
	Endpoint *sink;

	if (plan->job[JOB_FAILURE_STRATEGY].integer != FAILURE_SEND_TO_DLQ)
		return FERRIS_OK;
	if (path->present == topic->present) {
		error_set(binder->err,
			  path->present ? FERRIS_ERR_OPTION_CONFLICT : FERRIS_ERR_OPTION_MISSING,
			  path->present ? "dead letters go to a file or to a topic, not both"
					: "SendToDLQ needs a place for the dead letters");
		error_hint(binder->err,
			   "write one of 'dlq.path' = 'dead.jsonl', 'dlq.topic' = '...'");
		return option_error(&plan->job[JOB_FAILURE_STRATEGY], binder->err);
	}
	given.entries = ARENA_ARRAY(binder->arena, OptionEntry, kafka->given.count + 4);
	if (topic->present) {
		if (!is_kafka(kafka)) {
			error_set(
				binder->err, FERRIS_ERR_OPTION_CONFLICT,
				"'dlq.topic' needs a Kafka source or sink, whose brokers it uses");
			error_hint(binder->err, "write the dead letters to a file: 'dlq.path'");
			return option_error(topic, binder->err);
		}
		for (uint32_t i = 0; i < kafka->given.count; i++)
			if (str_starts_with(kafka->given.entries[i].key, STR("kafka.")))
				append_entry(&given, kafka->given.entries[i]);
		append_entry(&given, (OptionEntry){.key = STR("connector"), .value = STR("kafka")});
		append_entry(&given,
			     (OptionEntry){.key = STR("kafka.topic"), .value = topic->text});
	} else {
		append_entry(&given, (OptionEntry){.key = STR("connector"), .value = STR("file")});
		append_entry(&given, (OptionEntry){.key = STR("path"), .value = path->text});
		append_entry(&given, (OptionEntry){.key = STR("append"), .value = STR("true")});
	}
	append_entry(&given, (OptionEntry){.key = STR("format"), .value = STR("raw")});
	TRY(resolve_endpoint(binder, ROLE_SINK, STR("dead letters"), (Position){0}, given, &sink));
	plan->dead_letters = sink;
	return FERRIS_OK;
}

/* Some faults show only when a call's loop is chosen: a pattern that is none, an unknown unit. */
static Status
check_exprs(Arena *arena, BoundExpr *const *exprs, uint32_t count, Error *err)
{
	Program *program = NULL;
	Status status = program_compile(arena, exprs, count, &program, err);

	program_free(program);
	return status;
}

static Status
check_aggregate(Arena *arena, const PlanNode *node, Error *err)
{
	AggregateMemory memory = {0};

	TRY(check_exprs(arena, node->aggregate.keys, node->aggregate.key_count, err));
	for (uint32_t i = 0; i < node->aggregate.call_count; i++) {
		const AggregateCall *call = node->aggregate.calls[i];
		AggregateRun run;

		TRY(check_exprs(arena, call->args, call->arg_count, err));
		TRY(aggregate_open(call, &memory, arena, &run, err));
	}
	return FERRIS_OK;
}

static Status
check_over(Arena *arena, const PlanNode *node, Error *err)
{
	AggregateMemory memory = {0};

	TRY(check_exprs(arena, node->over.partition, node->over.partition_count, err));
	for (uint32_t i = 0; i < node->over.order_count; i++)
		TRY(check_exprs(arena, &node->over.order[i].expr, 1, err));
	for (uint32_t i = 0; i < node->over.call_count; i++) {
		const OverCall *call = &node->over.calls[i];
		AggregateRun run;

		if (call->value != NULL)
			TRY(check_exprs(arena, (BoundExpr *const[]){call->value}, 1, err));
		if (call->otherwise != NULL)
			TRY(check_exprs(arena, (BoundExpr *const[]){call->otherwise}, 1, err));
		if (call->aggregate == NULL)
			continue;
		TRY(check_exprs(arena, call->aggregate->args, call->aggregate->arg_count, err));
		TRY(aggregate_open(call->aggregate, &memory, arena, &run, err));
	}
	return FERRIS_OK;
}

static Status
check_programs(Arena *arena, const PlanNode *node, Error *err)
{
	for (; node != NULL; node = node->input) {
		for (uint32_t i = 0; i < node->input_count; i++)
			TRY(check_programs(arena, node->inputs[i], err));
		if (node->kind == PLAN_FILTER)
			TRY(check_exprs(arena, node->filter.conjuncts, node->filter.count, err));
		if (node->kind == PLAN_PROJECT)
			TRY(check_exprs(arena, node->project.exprs, node->schema.count, err));
		if (node->kind == PLAN_AGGREGATE)
			TRY(check_aggregate(arena, node, err));
		if (node->kind == PLAN_OVER)
			TRY(check_over(arena, node, err));
		if (node->kind == PLAN_LATE && node->late.window->kind == PLAN_AGGREGATE)
			TRY(check_aggregate(arena, node->late.window, err));
		if (node->kind == PLAN_LATE && node->late.window->kind == PLAN_OVER)
			TRY(check_over(arena, node->late.window, err));
		if (node->kind == PLAN_WINDOW)
			TRY(check_exprs(arena, (BoundExpr *const[]){node->window.plan.time}, 1,
					err));
		if (node->kind == PLAN_UNNEST)
			TRY(check_exprs(arena, node->unnest.arrays, node->unnest.array_count, err));
		if (node->kind == PLAN_TABLE)
			TRY(check_exprs(arena, node->table.keys, node->table.key_count, err));
		if (node->kind == PLAN_STREAM_JOIN && node->stream_join.residual != NULL)
			TRY(check_exprs(arena, &node->stream_join.residual, 1, err));
		for (uint32_t i = 0; node->kind == PLAN_LOOKUP && i < node->lookup.call_count;
		     i++) {
			const Lookup *call = &node->lookup.calls[i];

			TRY(check_exprs(arena, call->args, lookup_arg_count(call), err));
			TRY(check_programs(arena, call->query, err));
		}
		if (node->kind == PLAN_JOIN) {
			TRY(check_exprs(arena, node->join.keys, node->join.key_count, err));
			if (node->join.residual != NULL)
				TRY(check_exprs(arena, &node->join.residual, 1, err));
			TRY(check_programs(arena, node->join.right, err));
		}
	}
	return FERRIS_OK;
}

static Status
endless_state(const PlanNode *node, Error *err)
{
	bool is_join = node->kind == PLAN_STREAM_JOIN;

	error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, node->position,
		     is_join ? "this join of two streams would keep every row for ever: no time "
			       "bounds it"
			     : "every row that is not there yet would be kept for ever: an input "
			       "does not end");
	if (is_join)
		return error_hint(err, "say how far apart rows meet: WITHIN 1 HOUR, or ON ... AND "
				       "r.t BETWEEN l.t - INTERVAL '1' HOUR AND l.t; or take it "
				       "as it is: 'state.unbounded' = 'allow'");
	return error_hint(err, "read sources that end, or take it as it is: 'state.unbounded' = "
			       "'allow'");
}

static bool
is_table(const PlanNode *node)
{
	return node->kind == PLAN_TABLE;
}

/* Tables hold a row of each key, however long they run. */
static bool
holds_tables(const PlanNode *join)
{
	return plan_any(join->inputs[0], is_table) && plan_any(join->inputs[1], is_table);
}

/* State that grows for ever is there only if it was asked for. */
static Status
check_state(const StatementPlan *plan, const PlanNode *node, Error *err)
{
	for (; node != NULL; node = node->input) {
		bool endless = (node->kind == PLAN_STREAM_JOIN && node->stream_join.endless &&
				!holds_tables(node)) ||
			       (node->kind == PLAN_SET && node->set.endless);

		for (uint32_t i = 0; i < node->input_count; i++)
			TRY(check_state(plan, node->inputs[i], err));
		if (endless && plan->job[JOB_STATE_UNBOUNDED].integer == 0)
			return endless_state(node, err);
	}
	return FERRIS_OK;
}

static Status
finish_plan(Planner *planner, Binder *binder, const Statement *statement, Str name, PlanNode *root,
	    const Endpoint *sink)
{
	StatementPlan *plan = ARENA_NEW(planner->arena, StatementPlan);

	plan->name = name;
	plan->statement = statement;
	plan->sink = sink;
	Options with = with_session(binder, ROLE_SOURCE, (Str){"", 0}, &binder->with);
	TRY(options_resolve(&job_options, &with, planner->arena, &plan->job, binder->err));
	if (plan->job[JOB_GUARANTEE].integer != GUARANTEE_AT_LEAST_ONCE) {
		error_set(binder->err, FERRIS_ERR_NOT_SUPPORTED,
			  "this version cannot deliver %.*s yet",
			  STR_ARG(plan->job[JOB_GUARANTEE].text));
		error_hint(binder->err, "it delivers at-least-once");
		return option_error(&plan->job[JOB_GUARANTEE], binder->err);
	}
	plan->is_select = statement->kind == STATEMENT_QUERY
				  ? statement->query->into.name.text.data == NULL
				  : statement->kind == STATEMENT_SHOW ||
					    statement->kind == STATEMENT_DESCRIBE ||
					    statement->kind == STATEMENT_EXPLAIN;
	TRY(dead_letter_sink(binder, plan));
	set_key(planner->arena, plan, root);
	plan->root = plan_push_down(planner->arena, root,
				    sink->common[ENDPOINT_CHANGELOG].integer != CHANGELOG_DEBEZIUM);
	TRY(plan_changelog(planner->arena, plan, binder->err));
	TRY(check_state(plan, plan->root, binder->err));
	plan->scans = plan_scans(planner->arena, plan->root, &plan->scan_count);
	TRY(check_programs(planner->arena, plan->root, binder->err));
	TRY(check_unused(binder, &binder->with, "this statement"));
	add_plan(planner, plan);
	return FERRIS_OK;
}

static Binder
new_binder(Planner *planner, Str name, Error *err)
{
	return (Binder){.arena = planner->arena,
			.input = planner->input,
			.catalog = planner->plan->catalog,
			.session = &planner->session,
			.statement_name = name,
			.err = err};
}

/* Both WITH lists of CREATE ... WITH (...) AS SELECT ... WITH (...). */
static WithList
both_lists(Arena *arena, const WithList *a, const WithList *b)
{
	WithList out = {.count = a->count + b->count,
			.position = b->count > 0 ? b->position : a->position};

	out.items = ARENA_ARRAY(arena, WithOption, out.count);
	if (a->count > 0)
		memcpy(out.items, a->items, sizeof *out.items * a->count);
	if (b->count > 0)
		memcpy(out.items + a->count, b->items, sizeof *out.items * b->count);
	return out;
}

static Status
plan_declaration(Planner *planner, const Statement *statement, Error *err)
{
	CatalogEntry *entry = ARENA_NEW(planner->arena, CatalogEntry);
	Binder binder = new_binder(planner, statement->create.name.text, err);
	static const PlanInput no_settings;
	Binder own = binder;

	if (statement->create.if_not_exists &&
	    catalog_find(planner->plan->catalog, statement->create.name.text) != NULL)
		return FERRIS_OK;
	entry->name = statement->create.name.text;
	entry->statement = statement;
	TRY(resolve_columns(planner->arena, statement, entry, err));
	own.input =
		&no_settings; /* the command line's settings come with the statement that reads */
	TRY(with_options(&own, &statement->create.options, &entry->options));
	TRY(catalog_add(planner->plan->catalog, planner->arena, entry, statement->create.or_replace,
			statement->create.name.position, err));
	/* It is declared all the same, or each statement that reads it were an error too. */
	entry->tried = true;
	TRY(check_declared_options(&binder, &entry->options));
	entry->tried = false;
	planner->declared[planner->declared_count++] = entry;
	return FERRIS_OK;
}

static Status
plan_create(Planner *planner, const Statement *statement, Error *err)
{
	Arena *arena = planner->arena;
	Str name = statement->create.name.text;
	Binder binder = new_binder(planner, name, err);
	WithList with =
		both_lists(arena, &statement->create.options, &statement->create.query->options);
	CatalogEntry *entry = ARENA_NEW(arena, CatalogEntry);
	Endpoint *sink;
	PlanNode *root;

	if (statement->create.if_not_exists && catalog_find(planner->plan->catalog, name) != NULL)
		return FERRIS_OK;
	if (statement->create.query->into.name.text.data != NULL)
		return error_set_at(err, FERRIS_ERR_NOT_SUPPORTED,
				    statement->create.query->into.name.position,
				    "CREATE ... AS names its target itself; INTO is one too many");
	entry->name = name;
	entry->statement = statement;
	entry->query = statement->create.query;
	TRY(with_options(&binder, &with, &binder.with));
	TRY(bind_query(&binder, statement->create.query, &root));
	if (statement->create.column_count > 0) {
		CatalogEntry declared = {.name = name};

		TRY(resolve_columns(arena, statement, &declared, err));
		TRY(assign_columns(&binder, &declared, &(NameList){0},
				   statement->create.name.position, &root));
	}
	TRY(catalog_add(planner->plan->catalog, arena, entry, statement->create.or_replace,
			statement->create.name.position, err));
	TRY(create_sink(&binder, name, statement->create.name.position, &sink));
	entry->reads = binder.reads;
	entry->read_count = binder.read_count;
	if (sink == NULL)
		return check_unused(&binder, &binder.with, "a stream inside the process");
	return finish_plan(planner, &binder, statement, name, root, sink);
}

static Status
plan_insert(Planner *planner, const Statement *statement, const Query *query, const Target *target,
	    const NameList *columns, Error *err)
{
	Str name = str_format(planner->arena, "insert_into_%.*s_%u", STR_ARG(target->name.text),
			      planner->plan->count + 1);
	Binder binder = new_binder(planner, name, err);
	Endpoint *sink;
	PlanNode *root;

	TRY(with_options(&binder, &query->options, &binder.with));
	TRY(bind_query(&binder, query, &root));
	TRY(insert_sink(&binder, target, columns, &root, &sink));
	return finish_plan(planner, &binder, statement, name, root, sink);
}

static Status
plan_query(Planner *planner, const Statement *statement, const Query *query, Error *err)
{
	Str name = str_format(planner->arena, "query_%u", ++planner->query_count);
	Binder binder = new_binder(planner, name, err);
	Endpoint *sink;
	PlanNode *root;

	if (query->into.name.text.data != NULL)
		return plan_insert(planner, statement, query, &query->into, &(NameList){0}, err);
	TRY(with_options(&binder, &query->options, &binder.with));
	TRY(bind_query(&binder, query, &root));
	TRY(select_sink(&binder, &sink));
	return finish_plan(planner, &binder, statement, name, root, sink);
}

/* ---------------------------------------------------------------- SHOW, DESCRIBE, EXPLAIN */

/* An answer is the rows of a source inside the process; they go where those of a SELECT go. */
static Status
plan_report(Planner *planner, Binder *binder, const Statement *statement, const Report *report,
	    const char *what)
{
	bool like = statement->kind == STATEMENT_SHOW && statement->show.pattern.data != NULL;
	Position at = statement->position;
	PlanNode *root;
	Endpoint *sink;

	TRY(bind_fixed_rows(binder, str_from(what), report->fields, report->field_count,
			    report->records, at, &root));
	PlanNode *scan = root->input;
	if (like) {
		uint32_t column = statement->show.kind == SHOW_CONFIG ||
				  statement->show.kind == SHOW_METRICS; /* not the scope */
		const Field *name = &report->fields[column];
		Value pattern = {.type = TYPE_OF(STRING), .text = statement->show.pattern};
		BoundExpr *args[] = {
			bound_column(planner->arena, column, name->type, name->name, at),
			bound_constant(planner->arena, pattern, at)};
		BoundExpr *predicate;

		TRY(function_bind(planner->arena, STR("LIKE"), args, 2, at, &predicate,
				  binder->err));
		root->input = filter_over(binder, scan, predicate);
	}
	TRY(with_options(binder, &(WithList){0}, &binder->with));
	TRY(select_sink(binder, &sink));
	TRY(finish_plan(planner, binder, statement, binder->statement_name, root, sink));
	StatementPlan *plan = planner->plan->items[planner->plan->count - 1];
	plan->waits = true;
	plan->report = report->kind;
	plan->report_name = report->name;
	plan->report_source = report->source;
	plan->report_rows = scan->scan.endpoint->connector_settings;
	return FERRIS_OK;
}

static Status
plan_show(Planner *planner, const Statement *statement, Error *err)
{
	Str name = str_format(planner->arena, "query_%u", ++planner->query_count);
	Binder binder = new_binder(planner, name, err);
	Report report;

	if (statement->kind == STATEMENT_DESCRIBE) {
		TRY(describe_report(&binder, statement, &report));
		return plan_report(planner, &binder, statement, &report, "DESCRIBE");
	}
	TRY(show_report(&binder, planner->plan, statement, &report));
	return plan_report(planner, &binder, statement, &report, "SHOW");
}

static Status plan_statement(Planner *planner, const Statement *statement, Error *err);

/* Plans a statement as if it stood here, and takes back what that changed; *out is NULL if it moves
 * no records. */
static Status
plan_for_explain(Planner *planner, const Statement *statement, StatementPlan **out, Error *err)
{
	Catalog *catalog = planner->plan->catalog;
	Catalog before = *catalog;
	uint32_t count = planner->plan->count;
	uint32_t queries = planner->query_count;
	uint32_t declared = planner->declared_count;
	Options session = planner->session;

	catalog->entries = ARENA_ARRAY(planner->arena, CatalogEntry *, before.count + 1);
	if (before.count > 0)
		memcpy(catalog->entries, before.entries, sizeof *before.entries * before.count);
	catalog->capacity = before.count + 1;
	Status status = plan_statement(planner, statement, err);
	*out = planner->plan->count > count ? planner->plan->items[count] : NULL;
	*catalog = before;
	planner->plan->count = count;
	planner->query_count = queries;
	planner->declared_count = declared;
	planner->session = session;
	return status;
}

static void
explain_lines(FixedRows *rows, Str text)
{
	while (text.len > 0) {
		const char *end = memchr(text.data, '\n', text.len);
		uint32_t len = end != NULL ? (uint32_t)(end - text.data) : text.len;

		fixed_text(rows, (Str){text.data, len});
		text = str_skip(text, end != NULL ? len + 1 : len);
	}
}

/* EXPLAIN ANALYZE runs the statement: it must be one that runs, and end. */
static Status
check_analyze(const StatementPlan *plan, const Statement *statement, Error *err)
{
	Position at = statement->explain.statement->position;

	if (plan == NULL || plan->waits) {
		error_set_at(err, FERRIS_ERR_TYPE, at, "this statement moves no records");
		return error_hint(err, "EXPLAIN ANALYZE runs a SELECT, an INSERT or a CREATE ... "
				       "AS SELECT with a place to write to");
	}
	if (plan->root->kind == PLAN_LIMIT || plan_is_bounded(plan->root))
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_TYPE, at,
		     "EXPLAIN ANALYZE would never end: a source is endless");
	return error_hint(err, "add a LIMIT, or leave ANALYZE out");
}

/* The same statement, but the rows of a plain SELECT are forgotten when they are encoded. */
static StatementPlan *
without_output(Arena *arena, const StatementPlan *plan)
{
	StatementPlan *copy = ARENA_NEW(arena, StatementPlan);
	Endpoint *sink = ARENA_NEW(arena, Endpoint);

	*copy = *plan;
	*sink = *plan->sink;
	sink->connector = &values_connector;
	if (plan->is_select)
		copy->sink = sink;
	return copy;
}

static Status
plan_explain_statement(Planner *planner, const Statement *statement, Error *err)
{
	static const Field fields[] = {{STR_INIT("plan"), TYPE_OF(STRING), false}};
	Report report = {.fields = fields, .field_count = 1};
	StatementPlan *explained;
	FixedRows rows;

	TRY(plan_for_explain(planner, statement->explain.statement, &explained, err));
	if (statement->explain.analyze) {
		TRY(check_analyze(explained, statement, err));
		report.kind = REPORT_ANALYZE;
	}
	fixed_rows_init(&rows, fields, 1);
	explain_lines(&rows, explained != NULL ? plan_explain(planner->arena, explained)
					       : STR("no records move by this statement itself"));
	report.records = fixed_rows_end(&rows, planner->arena);
	Str name = str_format(planner->arena, "query_%u", ++planner->query_count);
	Binder binder = new_binder(planner, name, err);
	TRY(plan_report(planner, &binder, statement, &report, "EXPLAIN"));
	if (report.kind == REPORT_ANALYZE)
		planner->plan->items[planner->plan->count - 1]->analyzed =
			without_output(planner->arena, explained);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- DROP */

/* Queries of other streams that mention the name, as a list; empty if there is none. */
static Str
dependents(const Planner *planner, const CatalogEntry *entry)
{
	const Catalog *catalog = planner->plan->catalog;
	Str names = {"", 0};

	for (uint32_t i = 0; i < catalog->count; i++)
		for (uint32_t k = 0; k < catalog->entries[i]->read_count; k++)
			if (catalog->entries[i]->reads[k] == entry) {
				names = str_format(planner->arena, "%.*s%s'%.*s'", STR_ARG(names),
						   names.len > 0 ? ", " : "",
						   STR_ARG(catalog->entries[i]->name));
				break;
			}
	return names;
}

static Status
drop(Planner *planner, const Statement *statement, Error *err)
{
	const Name *name = &statement->drop.name;
	CatalogEntry *entry = catalog_find(planner->plan->catalog, name->text);

	if (statement->drop.object == OBJECT_JOB) {
		error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, statement->position,
			     "DROP JOB needs a server that keeps jobs");
		return error_hint(err, "in a script a statement ends with its source");
	}
	if (entry == NULL)
		return statement->drop.if_exists
			       ? FERRIS_OK
			       : catalog_unknown(planner->plan->catalog, *name, err);
	bool is_table = entry->statement != NULL && entry->statement->create.object == OBJECT_TABLE;
	if (is_table != (statement->drop.object == OBJECT_TABLE)) {
		error_set_at(err, FERRIS_ERR_TYPE, name->position, "'%.*s' is a %s",
			     STR_ARG(entry->name), is_table ? "table" : "stream");
		return error_hint(err, "write DROP %s %.*s", is_table ? "TABLE" : "STREAM",
				  STR_ARG(entry->name));
	}
	Str names = dependents(planner, entry);
	if (names.len > 0) {
		error_set_at(err, FERRIS_ERR_DEPENDENT, name->position,
			     "'%.*s' is read by the query of %.*s", STR_ARG(entry->name),
			     STR_ARG(names));
		return error_hint(err, "drop %.*s first", STR_ARG(names));
	}
	catalog_remove(planner->plan->catalog, entry);
	return FERRIS_OK;
}

static Status
set(Planner *planner, const Statement *statement, Error *err)
{
	Binder binder = new_binder(planner, (Str){"", 0}, err);

	if (statement->kind == STATEMENT_SET)
		return session_set(&binder, &statement->set.option, &planner->session);
	return session_unset(&binder, statement->unset.key, statement->unset.key_position,
			     &planner->session);
}

static Status
plan_statement(Planner *planner, const Statement *statement, Error *err)
{
	switch (statement->kind) {
	case STATEMENT_CREATE:
		return statement->create.query != NULL ? plan_create(planner, statement, err)
						       : plan_declaration(planner, statement, err);
	case STATEMENT_INSERT:
		return plan_insert(planner, statement, statement->insert.query,
				   &statement->insert.target, &statement->insert.columns, err);
	case STATEMENT_QUERY:
		return plan_query(planner, statement, statement->query, err);
	case STATEMENT_SHOW:
	case STATEMENT_DESCRIBE:
		return plan_show(planner, statement, err);
	case STATEMENT_EXPLAIN:
		return plan_explain_statement(planner, statement, err);
	case STATEMENT_DROP:
		return drop(planner, statement, err);
	case STATEMENT_SET:
	case STATEMENT_UNSET:
		return set(planner, statement, err);
	case STATEMENT_START:
	case STATEMENT_DEPLOY:
		if (statement->job.statement != NULL)
			return plan_statement(planner, statement->job.statement, err);
		break;
	default:
		break;
	}
	if (statement->kind == STATEMENT_UPDATE || statement->kind == STATEMENT_DELETE) {
		error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, statement->position,
			     "this statement cannot be executed yet");
		return error_hint(err, "there is no table whose rows could be changed; INSERT INTO "
				       "adds rows");
	}
	error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, statement->position,
		     "statements about jobs need a server that keeps them");
	return error_hint(err, "in a script START JOB x AS ... runs its statement, which ends with "
			       "its source");
}

/* Keep the error that lies in the list's next place, with a place in the text. */
static void
keep_error(ErrorList *errors, Position at)
{
	Error *err = &errors->items[errors->count++];

	if (err->position.line == 0 && !(err->flags & ERROR_COMMAND_LINE))
		err->position = at;
}

Status
plan_script(Arena *arena, const PlanInput *input, ScriptPlan **plan, ErrorList *errors)
{
	Planner planner = {.arena = arena, .input = input, .errors = errors};
	const Script *script = input->script;
	Status first = FERRIS_OK;

	planner.plan = ARENA_NEW(arena, ScriptPlan);
	planner.plan->catalog = ARENA_NEW(arena, Catalog);
	planner.declared = ARENA_ARRAY(arena, CatalogEntry *, script->statement_count);
	errors->items = ARENA_ARRAY(arena, Error, script->statement_count + 1);
	errors->count = 0;
	for (uint32_t i = 0; i < script->statement_count; i++) {
		Error *err = &errors->items[errors->count];
		Status status = plan_statement(&planner, script->statements[i], err);

		if (status == FERRIS_OK)
			continue;
		keep_error(errors, script->statements[i]->position);
		if (first == FERRIS_OK)
			first = status;
	}
	/* A declaration has at most one error: the list has room. */
	for (uint32_t i = 0; i < planner.declared_count; i++) {
		CatalogEntry *entry = planner.declared[i];
		Binder binder = new_binder(&planner, entry->name, &errors->items[errors->count]);
		Status status = check_declaration(&binder, entry);

		if (status == FERRIS_OK)
			continue;
		keep_error(errors, entry->statement->create.name.position);
		if (first == FERRIS_OK)
			first = status;
	}
	*plan = planner.plan;
	return first;
}
