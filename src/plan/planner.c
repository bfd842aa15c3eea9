/* plan/planner.c -- statements of a script to plans, in the order of the text.
 *
 * A stream must be declared before the statement that reads it. */
#include "connector/values.h"
#include "func/function.h"
#include "plan/bind.h"
#include "plan/changelog.h"
#include "plan/config_file.h"
#include "plan/decision.h"
#include "plan/guarantee.h"
#include "plan/partitioned.h"
#include "plan/replay.h"
#include "plan/rules.h"
#include "sql/parser.h"

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

static bool
same_job_option(void *context, Str a, Str b)
{
	const OptionRow *row = option_row(&job_options, a);

	(void)context;
	return row != NULL && row == option_row(&job_options, b);
}

static Str
shown_job_option(void *context, Str key)
{
	(void)context;
	return str_from(option_row(&job_options, key)->name);
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
	decisions_note_precedence(planner->arena, &with, same_job_option, shown_job_option, NULL,
				  &plan->decisions);
	plan->is_select = statement->kind == STATEMENT_QUERY
				  ? statement->query->into.name.text.data == NULL
				  : statement->kind == STATEMENT_SHOW ||
					    statement->kind == STATEMENT_DESCRIBE ||
					    statement->kind == STATEMENT_EXPLAIN;
	TRY(take_headers(binder, plan, root));
	TRY(dead_letter_sink(binder, plan));
	set_key(planner->arena, plan, root);
	TRY(add_batch_watermarks(binder, &root));
	plan->root = plan_push_down(planner->arena, root,
				    sink->common[ENDPOINT_CHANGELOG].integer != CHANGELOG_DEBEZIUM);
	TRY(plan_changelog(planner->arena, plan, binder->err));
	plan->scans = plan_scans(planner->arena, plan->root, &plan->scan_count);
	TRY(check_plan(planner->arena, plan, binder->err));
	TRY(plan_guarantee(planner->arena, plan, binder->err));
	StatementPlan *before;
	uint32_t before_count;
	TRY(plan_partitioned(planner->arena, planner->input->application, plan, &before,
			     &before_count, binder->err));
	TRY(check_unused(binder, &binder->with, "this statement"));
	for (uint32_t i = 0; i < before_count; i++)
		add_plan(planner, &before[i]);
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
	begin_headers(&binder, statement->create.query);
	TRY(bind_query(&binder, statement->create.query, &root));
	entry->final = statement->create.object == OBJECT_TABLE && plan_is_bounded(root);
	if (statement->create.column_count > 0) {
		CatalogEntry declared = {.name = name};

		TRY(resolve_columns(arena, statement, &declared, err));
		if (declared.computed_count > 0)
			return error_set_at(err, FERRIS_ERR_TYPE, declared.computed[0]->position,
					    "a column that the query gives is not computed");
		TRY(assign_columns(&binder, &declared, &(NameList){0},
				   statement->create.name.position, &root));
	}
	TRY(catalog_add(planner->plan->catalog, arena, entry, statement->create.or_replace,
			statement->create.name.position, err));
	TRY(create_sink(&binder, name, statement->create.name.position, &sink));
	entry->reads = binder.reads;
	entry->read_count = binder.read_count;
	if (sink == NULL) {
		TRY(refuse_headers(&binder, "a stream inside the process"));
		return check_unused(&binder, &binder.with, "a stream inside the process");
	}
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
	begin_headers(&binder, query);
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
	begin_headers(&binder, query);
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
	*out = planner->plan->count > count ? planner->plan->items[planner->plan->count - 1] : NULL;
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

StatementPlan *
plan_without_output(Arena *arena, const StatementPlan *plan)
{
	StatementPlan *copy = ARENA_NEW(arena, StatementPlan);
	Endpoint *sink = ARENA_NEW(arena, Endpoint);

	*copy = *plan;
	*sink = *plan->sink;
	sink->connector = &values_connector;
	sink->batch = (BatchPlan){0};
	sink->decisions = (Decisions){0};
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
			explained->is_select ? plan_without_output(planner->arena, explained)
					     : explained;
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

/* What the text that it stands for has of errors is about the statement. */
static Status
plan_replay(Planner *planner, const Statement *statement, Error *err)
{
	ErrorList errors;
	Script *script;
	Str text;

	TRY(replay_text(planner->arena, statement, planner->plan->catalog, &text, err));
	Status status = sql_parse_script(planner->arena, STR("REPLAY DLQ"), text, &script, &errors);
	if (status != FERRIS_OK) {
		*err = errors.items[0];
		err->position = statement->position;
		return status;
	}
	for (uint32_t i = 0; i < script->statement_count && status == FERRIS_OK; i++)
		status = plan_statement(planner, script->statements[i], err);
	if (status != FERRIS_OK)
		err->position = statement->position;
	return status;
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
	case STATEMENT_REPLAY:
		return plan_replay(planner, statement, err);
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

/* Whether an earlier statement has met the same error of the command line. */
static bool
is_told(const ErrorList *errors, const Error *err)
{
	for (uint32_t i = 0; i < errors->count; i++) {
		const Error *told = &errors->items[i];

		if (told->status == err->status && (told->flags & ERROR_COMMAND_LINE) != 0 &&
		    strcmp(told->message, err->message) == 0 &&
		    strcmp(told->label, err->label) == 0 && strcmp(told->hint, err->hint) == 0)
			return true;
	}
	return false;
}

/* Keep the error that lies in the list's next place, with a place in the text.  What is wrong with
 * --set is wrong for each stream that takes it, and said once. */
static void
keep_error(ErrorList *errors, Position at)
{
	Error *err = &errors->items[errors->count];

	if ((err->flags & ERROR_COMMAND_LINE) == 0 && err->position.line == 0)
		err->position = at;
	else if ((err->flags & ERROR_COMMAND_LINE) != 0 && is_told(errors, err))
		return;
	errors->count++;
}

/* "-- Property: name=value" is as SET in front of what it is about. */
static Status
take_properties(Planner *planner, const AnnotationList *notes, Error *err)
{
	for (uint32_t i = 0; i < notes->count; i++) {
		const Annotation *note = &notes->items[i];
		Binder binder = new_binder(planner, (Str){"", 0}, err);

		if (!str_eq_nocase(note->key, STR("Property")))
			continue;
		const char *equals = memchr(note->value.data, '=', note->value.len);
		if (equals == NULL) {
			error_set_at(err, FERRIS_ERR_OPTION_VALUE, note->position,
				     "'%.*s' is no property", STR_ARG(note->value));
			return error_hint(err, "write -- Property: name=value");
		}
		uint32_t name = (uint32_t)(equals - note->value.data);
		WithOption option = {
			.key = str_trim((Str){note->value.data, name}),
			.value = str_trim(str_skip(note->value, name + 1)),
			.key_position = note->position,
			.value_position = note->position,
		};
		TRY(session_set(&binder, &option, &planner->session));
	}
	return FERRIS_OK;
}

static Status
plan_one(Planner *planner, const Statement *statement, Error *err)
{
	Options before = planner->session;
	bool sets = statement->kind == STATEMENT_SET || statement->kind == STATEMENT_UNSET;

	if (!sets)
		TRY(take_properties(planner, &statement->annotations, err));
	Status status = plan_statement(planner, statement, err);
	if (!sets)
		planner->session = before;
	return status;
}

/* What the files of --set say must be some statement's business. */
static Status
check_config_files(Planner *planner, const Options *settings)
{
	ErrorList *errors = planner->errors;
	Options of_files = {.entries = ARENA_ARRAY(planner->arena, OptionEntry, settings->count)};

	for (uint32_t i = 0; i < settings->count; i++)
		if (settings->entries[i].place != NULL)
			of_files.entries[of_files.count++] = settings->entries[i];
	Status status = plan_check_settings(planner->arena, planner->plan, &of_files,
					    &errors->items[errors->count]);
	errors->count += status != FERRIS_OK;
	return status;
}

/* The settings with the environment's values, and with what the files say that they name. */
static Status
expand_settings(Arena *arena, Options *settings, Error *err)
{
	Options out = join_options(arena, settings, &(Options){0});

	for (uint32_t i = 0; i < out.count; i++)
		TRY(options_expand(arena, out.entries[i].value, (Position){0},
				   &out.entries[i].value, err));
	*settings = out;
	return config_files_expand(arena, settings, err);
}

Status
plan_script(Arena *arena, const PlanInput *input, ScriptPlan **plan, ErrorList *errors)
{
	PlanInput expanded = *input;
	Planner planner = {.arena = arena, .input = &expanded, .errors = errors};
	const Script *script = input->script;
	Status first = FERRIS_OK;

	planner.plan = ARENA_NEW(arena, ScriptPlan);
	planner.plan->catalog = ARENA_NEW(arena, Catalog);
	planner.declared = ARENA_ARRAY(arena, CatalogEntry *, script->statement_count);
	errors->items = ARENA_ARRAY(arena, Error, script->statement_count + 1);
	errors->count = 0;
	*plan = planner.plan;
	first = expand_settings(arena, &expanded.settings, &errors->items[0]);
	if (first != FERRIS_OK) {
		errors->items[errors->count++].flags |= ERROR_COMMAND_LINE;
		return first;
	}
	first = take_properties(&planner, &script->metadata, &errors->items[0]);
	if (first != FERRIS_OK) {
		errors->count++;
		return first;
	}
	for (uint32_t i = 0; i < script->statement_count; i++) {
		Error *err = &errors->items[errors->count];
		Status status = plan_one(&planner, script->statements[i], err);

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
	if (first == FERRIS_OK)
		first = check_config_files(&planner, &expanded.settings);
	if (first == FERRIS_OK) {
		first = plan_guarantee_apart(arena, planner.plan, &errors->items[errors->count]);
		if (first != FERRIS_OK)
			keep_error(errors, (Position){0});
	}
	return first;
}
