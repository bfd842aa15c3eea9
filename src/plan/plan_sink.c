/* plan/plan_sink.c -- where the rows of a statement go: its sink, and its dead letters.
 *
 * A CREATE ... AS whose sink is not named is a stream inside the process (a view) unless it reads
 * Kafka: then it writes the topic of its own name on the same brokers.  A plain SELECT writes to
 * the console. */
#include "func/function.h"
#include "plan/batch_strategy.h"
#include "plan/bind.h"

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
append(Options *options, const char *key, Str value)
{
	options->entries[options->count++] =
		(OptionEntry){.key = str_from(key), .value = value, .origin = ORIGIN_DEFAULT};
}

/* The sink's own options, with what it takes over from a Kafka source it does not name. */
static Options
kafka_twin(Binder *binder, const Options *own, Str name)
{
	Options source = users_options(binder->arena, &binder->source->given);
	Options out = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, source.count + 3)};

	for (uint32_t i = 0; i < source.count; i++)
		if (str_starts_with(source.entries[i].key, STR("kafka.")) &&
		    !str_eq_nocase(source.entries[i].key, STR("kafka.topic")) &&
		    !str_eq_nocase(source.entries[i].key, STR("kafka.group.id")))
			out.entries[out.count++] = source.entries[i];
	append(&out, "connector", STR("kafka"));
	append(&out, "kafka.topic", name);
	append(&out, "format", str_from(binder->source->codec->name));
	return join_options(binder->arena, &out, own);
}

static bool
is_kafka(const Endpoint *endpoint)
{
	return endpoint != NULL && str_eq(str_from(endpoint->connector->name), STR("kafka"));
}

/* Whoever reads on where the last run stopped must not replace what that run wrote. */
static Status
resolve_sink(Binder *binder, Str name, Position at, Options given, Endpoint **out)
{
	Options all = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, 1)};

	binder->sink_name = name;
	if (binder->resumes)
		append(&all, "append", STR("true"));
	all = join_options(binder->arena, &all, &given);
	return resolve_endpoint(binder, ROLE_SINK, name, at, all, out);
}

Status
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
		Str key = option_addressed_to(entry->key, ROLE_SINK, sink);

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

Status
select_sink(Binder *binder, Endpoint **out)
{
	const PlanInput *input = binder->input;
	bool console = input->select_connector.len == 0;
	Str name = console ? STR("console") : binder->statement_name;
	Options own = options_for(binder->arena, &binder->with, ROLE_SINK, name,
				  !binder->source_undeclared);
	Options given = {.entries = ARENA_ARRAY(binder->arena, OptionEntry, 3)};

	binder->sink_name = name;
	TRY(refuse_places(binder, name));
	append(&given, "connector", console ? STR("console") : input->select_connector);
	append(&given, "format", input->output_format);
	if (input->select_path.len > 0)
		append(&given, "path", input->select_path);
	given = join_options(binder->arena, &own, &given);
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

/* The target's columns, and behind them those of the query that are headers. */
static Schema
with_headers(Arena *arena, const Schema *target, const Schema *query, uint32_t headers)
{
	uint32_t count = target->count;
	Field *fields = ARENA_ARRAY(arena, Field, count + headers);

	memcpy(fields, target->fields, sizeof *fields * count);
	if (headers > 0)
		memcpy(fields + count, query->fields + query->count - headers,
		       sizeof *fields * headers);
	return (Schema){fields, count + headers};
}

Status
assign_columns(Binder *binder, const CatalogEntry *target, const NameList *names, Position at,
	       PlanNode **node)
{
	PlanNode *input = *node;
	const Schema *schema = &target->schema;
	uint32_t headers = header_columns(binder);
	uint32_t given = input->schema.count - headers;
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
	*project = (PlanNode){.kind = PLAN_PROJECT, .input = input, .position = at};
	project->schema = with_headers(binder->arena, schema, &input->schema, headers);
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, project->schema.count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, project->schema.count);
	for (uint32_t i = 0; i < schema->count; i++)
		TRY(bind_missing_column(binder, target->statement, &schema->fields[i], at,
					&project->project.exprs[i]));
	for (uint32_t i = 0; i < given; i++) {
		int to = names->count > 0 ? schema_find(schema, names->items[i].text) : (int)i;

		if (to < 0)
			return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_COLUMN,
					    names->items[i].position, "'%.*s' has no column '%.*s'",
					    STR_ARG(target->name), STR_ARG(names->items[i].text));
		TRY(assign_column(binder, input, i, schema->fields[to].type, at,
				  &project->project.exprs[to]));
	}
	for (uint32_t i = 0; i < headers; i++) {
		const Field *field = &input->schema.fields[given + i];

		project->project.exprs[schema->count + i] =
			bound_column(binder->arena, given + i, field->type, field->name, at);
	}
	for (uint32_t k = 0; k < target->primary_key_count; k++)
		project->project.key[target->primary_key[k]] = true;
	*node = project;
	return FERRIS_OK;
}

Status
insert_sink(Binder *binder, const Target *target, const NameList *names, PlanNode **node,
	    Endpoint **out)
{
	Position at = target->name.position;
	CatalogEntry *entry =
		target->is_uri ? NULL : catalog_find(binder->catalog, target->name.text);
	Options own = options_for(binder->arena, &binder->with, ROLE_SINK, target->name.text,
				  !binder->source_undeclared);
	Options given = {0};
	Options of_uri = {0};

	if (target->is_uri) {
		TRY(uri_options(binder, target->name.text, at, &of_uri));
		given = of_uri;
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
	given = join_options(binder->arena, &given, &own);
	TRY(resolve_sink(binder, target->name.text, at, given, out));
	if (entry != NULL) {
		entry->resolved = true;
		take_declared(*out, entry);
	}
	return target->is_uri ? check_unused(binder, &of_uri, "this URI") : FERRIS_OK;
}

/* ---------------------------------------------------------------- dead letters */

Status
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
	Options words = users_options(binder->arena, &kafka->given);
	given.entries = ARENA_ARRAY(binder->arena, OptionEntry, words.count + 4);
	if (topic->present) {
		if (!is_kafka(kafka)) {
			error_set(
				binder->err, FERRIS_ERR_OPTION_CONFLICT,
				"'dlq.topic' needs a Kafka source or sink, whose brokers it uses");
			error_hint(binder->err, "write the dead letters to a file: 'dlq.path'");
			return option_error(topic, binder->err);
		}
		for (uint32_t i = 0; i < words.count; i++)
			if (str_starts_with(words.entries[i].key, STR("kafka.")))
				given.entries[given.count++] = words.entries[i];
		append(&given, "connector", STR("kafka"));
		append(&given, "kafka.topic", topic->text);
	} else {
		append(&given, "connector", STR("file"));
		append(&given, "path", path->text);
		append(&given, "append", STR("true"));
	}
	append(&given, "format", STR("raw"));
	TRY(resolve_endpoint(binder, ROLE_SINK, STR("dead letters"), (Position){0}, given, &sink));
	plan->dead_letters = sink;
	return FERRIS_OK;
}
