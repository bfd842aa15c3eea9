/* plan/show.c -- SHOW: what is declared, known and set at this place of the script. */
#include "func/function.h"
#include "plan/bind.h"
#include "plan/effective.h"
#include "plan/header_calls.h"

typedef struct ShowRow ShowRow;
typedef struct Showing {
	Binder *binder;
	const ScriptPlan *plan;
	const Statement *statement;
	Report *report;
	FixedRows rows;
} Showing;

#define TEXT(name)                                                                                 \
	{                                                                                          \
		STR_INIT(name), TYPE_OF(STRING), false                                             \
	}
#define NUMBER(name)                                                                               \
	{                                                                                          \
		STR_INIT(name), TYPE_OF(BIGINT), false                                             \
	}

static const Field stream_fields[] = {TEXT("name"), TEXT("defined_by"), TEXT("connector"),
				      TEXT("format"), TEXT("place")};
static const Field topic_fields[] = {TEXT("topic"), TEXT("stream"), TEXT("brokers")};
static const Field function_fields[] = {TEXT("name"), TEXT("kind"), TEXT("signature"),
					TEXT("description")};
static const Field option_fields[] = {TEXT("option"), TEXT("value"), TEXT("origin")};
static const Field config_fields[] = {TEXT("scope"),      TEXT("option"), TEXT("value"),
				      TEXT("origin"),     TEXT("type"),   TEXT("values"),
				      TEXT("description")};
static const Field job_fields[] = {TEXT("name"), TEXT("status"), TEXT("statement")};
static const Field status_fields[] = {TEXT("name"),       TEXT("status"),     NUMBER("records_in"),
				      NUMBER("rows_out"), NUMBER("filtered"), NUMBER("late"),
				      NUMBER("failed"),   NUMBER("lag")};
static const Field metric_fields[] = {TEXT("name"), TEXT("metric"), NUMBER("value")};
static const Field watermark_fields[] = {TEXT("name"),
					 TEXT("source"),
					 NUMBER("partition"),
					 TEXT("watermark"),
					 {STR_INIT("idle"), TYPE_OF(BOOLEAN), false},
					 {STR_INIT("holds_back"), TYPE_OF(BOOLEAN), false},
					 {STR_INIT("last_record"), TYPE_OF(TIMESTAMP), false}};
static const Field partition_fields[] = {TEXT("stream"), NUMBER("partition"), TEXT("place")};

/* ---------------------------------------------------------------- streams */

Endpoint *
catalog_endpoint(Binder *binder, const CatalogEntry *entry, EndpointRole role)
{
	Options own =
		options_for(binder->arena, &binder->input->settings, role, entry->name, false);
	Options given = join_options(binder->arena, &entry->options, &own);
	Endpoint *endpoint;
	Error ignored;
	Binder quiet = *binder;

	quiet.err = &ignored;
	if (entry->query != NULL || resolve_endpoint(&quiet, role, entry->name, (Position){0},
						     given, &endpoint) != FERRIS_OK)
		return NULL;
	return endpoint;
}

static Endpoint *
either_endpoint(Binder *binder, const CatalogEntry *entry)
{
	Endpoint *source = catalog_endpoint(binder, entry, ROLE_SOURCE);

	return source != NULL ? source : catalog_endpoint(binder, entry, ROLE_SINK);
}

/* The value of the first of these options that the connector has, or that is given. */
static Str
option_value(const Endpoint *endpoint, const char *const *names)
{
	const OptionGroup *group = &endpoint->connector->source_options;

	if (endpoint->connector->reader_open == NULL)
		group = &endpoint->connector->sink_options;
	for (; *names != NULL; names++) {
		const OptionEntry *entry = options_find(&endpoint->given, str_from(*names));

		if (entry != NULL)
			return entry->value;
		for (uint32_t i = 0; i < group->count; i++)
			if (strcmp(group->rows[i].name, *names) == 0 &&
			    group->rows[i].initial != NULL)
				return str_from(group->rows[i].initial);
	}
	return (Str){NULL, 0};
}

static Status
show_streams(Showing *showing)
{
	static const char *const places[] = {"kafka.topic", "topic", "path", "kind", NULL};
	const Catalog *catalog = showing->binder->catalog;
	bool tables = showing->statement->show.kind == SHOW_TABLES;

	for (uint32_t i = 0; i < catalog->count; i++) {
		const CatalogEntry *entry = catalog->entries[i];
		bool is_table =
			entry->statement != NULL && entry->statement->create.object == OBJECT_TABLE;

		if (is_table != tables)
			continue;
		const Endpoint *endpoint = either_endpoint(showing->binder, entry);

		fixed_text(&showing->rows, entry->name);
		fixed_text(&showing->rows, entry->query != NULL       ? STR("a query")
					   : entry->statement != NULL ? STR("a declaration")
								      : STR("its use"));
		if (endpoint == NULL) {
			fixed_null(&showing->rows);
			fixed_null(&showing->rows);
			fixed_null(&showing->rows);
			continue;
		}
		fixed_text(&showing->rows, str_from(endpoint->connector->name));
		fixed_text(&showing->rows, str_from(endpoint->codec->name));
		fixed_text(&showing->rows, option_value(endpoint, places));
	}
	return FERRIS_OK;
}

static void
show_topic(Showing *showing, const Endpoint *endpoint)
{
	static const char *const topics[] = {"kafka.topic", "topic", NULL};
	static const char *const brokers[] = {"kafka.bootstrap.servers", "bootstrap.servers",
					      "brokers", NULL};

	if (endpoint == NULL || strcmp(endpoint->connector->name, "kafka") != 0)
		return;
	fixed_text(&showing->rows, option_value(endpoint, topics));
	fixed_text(&showing->rows, endpoint->name);
	fixed_text(&showing->rows, option_value(endpoint, brokers));
}

/* Of the declared streams, and of the statements above that write or read one by a URI. */
static Status
show_topics(Showing *showing)
{
	const Catalog *catalog = showing->binder->catalog;

	for (uint32_t i = 0; i < catalog->count; i++)
		show_topic(showing, either_endpoint(showing->binder, catalog->entries[i]));
	for (uint32_t i = 0; i < showing->plan->count; i++) {
		const Endpoint *sink = showing->plan->items[i]->sink;
		const CatalogEntry *entry = catalog_find(catalog, sink->name);

		if (entry == NULL || entry->query != NULL)
			show_topic(showing, sink);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- functions */

/* "SUM" of "SUM|TOTAL". */
static Str
first_name(const char *names)
{
	const char *end = strchr(names, '|');

	return end != NULL ? (Str){names, (uint32_t)(end - names)} : str_from(names);
}

static void
show_function(Showing *showing, Str name, const char *kind, const char *signature, const char *doc)
{
	fixed_text(&showing->rows, name);
	fixed_text(&showing->rows, str_from(kind));
	fixed_text(&showing->rows, str_from(signature));
	fixed_text(&showing->rows, str_from(doc));
}

/* Overloads of one signature are one function. */
static Status
show_functions(Showing *showing)
{
	const FunctionDoc *function;
	const AggregateClass *aggregate;
	const char *last = "";

	for (size_t i = 0; (function = function_doc(i)) != NULL; i++) {
		if (strcmp(function->category, "operators") == 0 ||
		    strcmp(function->signature, last) == 0)
			continue;
		last = function->signature;
		show_function(showing, first_name(function->name), function->category,
			      function->signature, function->doc);
	}
	for (size_t i = 0; (function = header_call_doc(i)) != NULL; i++)
		show_function(showing, first_name(function->name), function->category,
			      function->signature, function->doc);
	last = "";
	for (size_t i = 0; (aggregate = aggregate_row(i)) != NULL; i++) {
		if (strcmp(aggregate->signature, last) == 0)
			continue;
		last = aggregate->signature;
		show_function(showing, first_name(aggregate->name), "aggregate",
			      aggregate->signature, aggregate->doc);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- options */

static const StatementPlan *
find_plan(const ScriptPlan *plan, Str name)
{
	for (uint32_t i = 0; i < plan->count; i++)
		if (str_eq_nocase(plan->items[i]->name, name))
			return plan->items[i];
	return NULL;
}

static Status
unknown_job(Showing *showing)
{
	const Name *name = &showing->statement->show.name;
	Arena *arena = showing->binder->arena;
	Str names = {"", 0};

	for (uint32_t i = 0; i < showing->plan->count; i++)
		if (!showing->plan->items[i]->waits)
			names = str_format(arena, "%.*s%s%.*s", STR_ARG(names),
					   names.len > 0 ? ", " : "",
					   STR_ARG(showing->plan->items[i]->name));
	error_set_at(showing->binder->err, FERRIS_ERR_UNKNOWN_TABLE, name->position,
		     "no statement above is named '%.*s'", STR_ARG(name->text));
	if (names.len == 0)
		return error_hint(showing->binder->err, "there is none that moves records");
	return error_hint(showing->binder->err, "there is: %.*s", STR_ARG(names));
}

static void
show_property(void *context, const EffectiveOption *option)
{
	Showing *showing = context;

	fixed_text(&showing->rows, option->name);
	fixed_text(&showing->rows, option->value);
	fixed_text(&showing->rows, str_from(option->origin));
}

static void
show_setting(void *context, const EffectiveOption *option)
{
	Showing *showing = context;

	char values[256] = "";

	if (option->row != NULL)
		option_print_values(option->row, values, sizeof values);
	fixed_text(&showing->rows, str_from(option->scope));
	show_property(showing, option);
	fixed_text(&showing->rows,
		   str_from(option->row != NULL ? option_type_name(option->row->type) : "text"));
	fixed_text(&showing->rows, values[0] != '\0' ? str_from(values) : (Str){NULL, 0});
	fixed_text(&showing->rows, option->doc != NULL ? str_from(option->doc) : (Str){NULL, 0});
}

/* The stream's options as a source or a sink.  An error if they do not make one. */
static Status
visit_stream(Showing *showing, EndpointRole role, EffectiveVisit visit)
{
	Binder *binder = showing->binder;
	const Name *name = &showing->statement->show.name;
	const CatalogEntry *entry = catalog_find(binder->catalog, name->text);

	if (entry == NULL)
		return catalog_unknown(binder->catalog, *name, binder->err);
	const Endpoint *endpoint = catalog_endpoint(binder, entry, role);
	if (endpoint == NULL && entry->query != NULL) {
		const StatementPlan *plan = find_plan(showing->plan, name->text);

		endpoint = plan != NULL ? plan->sink : NULL;
		role = ROLE_SINK;
	}
	if (endpoint != NULL)
		effective_endpoint(endpoint, role == ROLE_SOURCE ? "source" : "sink", visit,
				   showing);
	else if (entry->query == NULL)
		return error_set_at(binder->err, FERRIS_ERR_OPTION_MISSING, name->position,
				    "'%.*s' cannot be %s as it is declared", STR_ARG(name->text),
				    role == ROLE_SOURCE ? "read" : "written");
	return FERRIS_OK;
}

static Status
show_properties(Showing *showing)
{
	const Name *type = &showing->statement->show.type;
	const StatementPlan *plan = find_plan(showing->plan, showing->statement->show.name.text);

	if (str_eq_nocase(type->text, STR("STREAM")) || str_eq_nocase(type->text, STR("TABLE")) ||
	    str_eq_nocase(type->text, STR("SOURCE")))
		return visit_stream(showing, ROLE_SOURCE, show_property);
	if (str_eq_nocase(type->text, STR("SINK")))
		return visit_stream(showing, ROLE_SINK, show_property);
	if (!str_eq_nocase(type->text, STR("JOB")) && !str_eq_nocase(type->text, STR("QUERY"))) {
		error_set_at(showing->binder->err, FERRIS_ERR_SYNTAX, type->position,
			     "nothing of the kind '%.*s' has properties", STR_ARG(type->text));
		return error_hint(showing->binder->err,
				  "write SHOW PROPERTIES STREAM, TABLE, SOURCE, SINK or JOB and "
				  "a name");
	}
	if (plan == NULL)
		return unknown_job(showing);
	effective_job(plan, show_property, showing);
	return FERRIS_OK;
}

/* What an option is for a statement that says nothing about it. */
static void
show_group(Showing *showing, const OptionGroup *group)
{
	Binder *binder = showing->binder;
	const Options *settings = &binder->input->settings;
	Options given = with_session(binder, ROLE_SOURCE, (Str){"", 0}, settings);

	for (uint32_t i = 0; i < group->count; i++) {
		const OptionRow *row = &group->rows[i];
		OptionGroup one = {group->name, row, 1};
		EffectiveOption option = {.scope = group->name,
					  .name = str_from(row->name),
					  .origin = ORIGIN_DEFAULT,
					  .doc = row->doc,
					  .row = row};
		Setting *setting;
		Error ignored;

		if (options_resolve(&one, &given, binder->arena, &setting, &ignored) == FERRIS_OK &&
		    setting->present) {
			option.value = setting->text;
			option.origin = setting->origin;
		}
		show_setting(showing, &option);
	}
}

static Status
show_config(Showing *showing)
{
	const Name *name = &showing->statement->show.name;
	const StatementPlan *plan = find_plan(showing->plan, name->text);
	const OptionGroup **groups;

	if (name->text.data == NULL) {
		size_t count = endpoint_groups(showing->binder->arena, &groups);

		show_group(showing, &job_options);
		for (size_t i = 0; i < count; i++)
			show_group(showing, groups[i]);
		return FERRIS_OK;
	}
	if (plan == NULL)
		return visit_stream(showing, ROLE_SOURCE, show_setting);
	effective_statement(plan, false, show_setting, showing);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- what runs */

static Status
show_running(Showing *showing)
{
	showing->report->name = showing->statement->show.name.text;
	if (showing->report->name.data != NULL &&
	    find_plan(showing->plan, showing->report->name) == NULL)
		return unknown_job(showing);
	return FERRIS_OK;
}

static Status
show_partitions(Showing *showing)
{
	Binder *binder = showing->binder;
	Relation stream = {.kind = RELATION_NAME,
			   .name = showing->statement->show.name,
			   .position = showing->statement->show.name.position};
	PlanNode *node;
	Scope scope;

	TRY(bind_from(binder, NULL, &stream, &node, &scope));
	if (node->kind != PLAN_SCAN) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, stream.position,
			     "'%.*s' is a query; it has no partitions", STR_ARG(stream.name.text));
		return error_hint(binder->err, "ask for the stream that it reads");
	}
	showing->report->source = node;
	return FERRIS_OK;
}

static Status
show_versions(Showing *showing)
{
	error_set_at(showing->binder->err, FERRIS_ERR_NOT_SUPPORTED, showing->statement->position,
		     "SHOW VERSIONS needs a server that keeps jobs");
	return error_hint(showing->binder->err, "a script runs one version of each statement");
}

/* ---------------------------------------------------------------- the choice */

static Status
show_schema(Showing *showing)
{
	Statement describe = {.kind = STATEMENT_DESCRIBE,
			      .position = showing->statement->position,
			      .describe = {.name = showing->statement->show.name}};

	return describe_report(showing->binder, &describe, showing->report);
}

struct ShowRow {
	const Field *fields;
	uint32_t field_count;
	Status (*show)(Showing *showing);
	ReportKind kind;
};

#define FIELDS(array) array, sizeof array / sizeof *array

static const ShowRow shows[] = {
	[SHOW_STREAMS] = {FIELDS(stream_fields), show_streams, REPORT_NONE},
	[SHOW_TABLES] = {FIELDS(stream_fields), show_streams, REPORT_NONE},
	[SHOW_TOPICS] = {FIELDS(topic_fields), show_topics, REPORT_NONE},
	[SHOW_FUNCTIONS] = {FIELDS(function_fields), show_functions, REPORT_NONE},
	[SHOW_JOBS] = {FIELDS(job_fields), show_running, REPORT_JOBS},
	[SHOW_STATUS] = {FIELDS(status_fields), show_running, REPORT_STATUS},
	[SHOW_VERSIONS] = {FIELDS(job_fields), show_versions, REPORT_NONE},
	[SHOW_METRICS] = {FIELDS(metric_fields), show_running, REPORT_METRICS},
	[SHOW_SCHEMA] = {NULL, 0, show_schema, REPORT_NONE},
	[SHOW_PROPERTIES] = {FIELDS(option_fields), show_properties, REPORT_NONE},
	[SHOW_PARTITIONS] = {FIELDS(partition_fields), show_partitions, REPORT_PARTITIONS},
	[SHOW_WATERMARKS] = {FIELDS(watermark_fields), show_running, REPORT_WATERMARKS},
	[SHOW_CONFIG] = {FIELDS(config_fields), show_config, REPORT_NONE},
};

Status
show_report(Binder *binder, const ScriptPlan *plan, const Statement *statement, Report *out)
{
	const ShowRow *row = &shows[statement->show.kind];
	Showing showing = {.binder = binder, .plan = plan, .statement = statement, .report = out};

	*out = (Report){.fields = row->fields, .field_count = row->field_count, .kind = row->kind};
	if (row->fields == NULL)
		return row->show(&showing);
	fixed_rows_init(&showing.rows, row->fields, row->field_count);
	Status status = row->show(&showing);
	out->records = fixed_rows_end(&showing.rows, binder->arena);
	return status;
}
