/* plan/bind_select.c -- queries: relations, WHERE, the select list, LIMIT.
 *
 * A query becomes Scan -> Filter -> Project -> Limit.  A subquery, a common table expression and a
 * stream that is defined by a query are bound in place and their nodes go below.  What needs
 * state between records (groups, windows, joins, set operations) is bound in files of its own. */
#include "func/function.h"
#include "plan/bind.h"

struct CteScope {
	const CteScope *outer;
	const Cte *cte;
};

/* ---------------------------------------------------------------- refusals */

Status
not_yet(Binder *binder, Position at, const char *what, const char *instead)
{
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, at, "%s cannot run in this version yet",
		     what);
	return error_hint(binder->err, "%s", instead);
}

static Status
refuse_unsupported(Binder *binder, const Select *select)
{
	if (!is_grouped(select) && select->grace != NULL)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, select->grace->position,
				    "GRACE PERIOD needs a window");
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- sources */

static const struct {
	Str name;
	ScanSource source;
	TypeKind kind;
} system_columns[] = {
	{STR_INIT("_timestamp"), SCAN_TIMESTAMP, TYPE_TIMESTAMP},
	{STR_INIT("_offset"), SCAN_OFFSET, TYPE_BIGINT},
	{STR_INIT("_partition"), SCAN_PARTITION, TYPE_INTEGER},
	{STR_INIT("_topic"), SCAN_TOPIC, TYPE_STRING},
	{STR_INIT("_key"), SCAN_KEY, TYPE_STRING},
	{STR_INIT("_headers"), SCAN_HEADERS, TYPE_MAP},
};

#define SYSTEM_COLUMN_COUNT (sizeof system_columns / sizeof *system_columns)

static bool
is_system_name(Str name)
{
	for (size_t i = 0; i < SYSTEM_COLUMN_COUNT; i++)
		if (str_eq_nocase(name, system_columns[i].name))
			return true;
	return false;
}

static const Type *
system_type(Arena *arena, size_t i)
{
	if (system_columns[i].kind == TYPE_MAP)
		return type_map(arena, TYPE_OF(STRING), TYPE_OF(STRING));
	return &type_simple[system_columns[i].kind];
}

/* A scan yields the record's fields, the declared metadata columns and the system columns. */
static PlanNode *
make_scan(Binder *binder, const CatalogEntry *entry, Position at)
{
	uint32_t fields = entry->schema.count;
	uint32_t count = fields + entry->metadata_count + (uint32_t)SYSTEM_COLUMN_COUNT;
	PlanNode *scan = ARENA_NEW(binder->arena, PlanNode);
	ScanColumn *columns = ARENA_ARRAY(binder->arena, ScanColumn, count);
	Schema *record = ARENA_NEW(binder->arena, Schema);
	uint32_t n = 0;

	for (uint32_t i = 0; i < fields; i++) {
		const Field *field = &entry->schema.fields[i];

		columns[n++] = (ScanColumn){
			.name = field->name, .type = field->type, .not_null = field->not_null};
	}
	for (uint32_t i = 0; i < entry->metadata_count; i++)
		columns[n++] = entry->metadata[i];
	for (size_t i = 0; i < SYSTEM_COLUMN_COUNT; i++)
		if (schema_find(&entry->schema, system_columns[i].name) < 0)
			columns[n++] = (ScanColumn){.name = system_columns[i].name,
						    .type = system_type(binder->arena, i),
						    .source = system_columns[i].source};
	scan->kind = PLAN_SCAN;
	scan->position = at;
	scan->scan.endpoint = entry->source;
	*record = entry->schema; /* another statement may infer another one */
	scan->scan.record = record;
	scan->scan.declaration = entry->statement;
	scan->scan.columns = columns;
	scan->schema.count = n;
	scan->schema.fields = ARENA_ARRAY(binder->arena, Field, n);
	for (uint32_t i = 0; i < n; i++)
		scan->schema.fields[i] =
			(Field){columns[i].name, columns[i].type, columns[i].not_null};
	return scan;
}

/* Whether a statement says something about the source beside its declaration. */
static bool
says_more(const Options *own)
{
	for (uint32_t i = 0; i < own->count; i++)
		if (own->entries[i].key_at.line > 0)
			return true;
	return false;
}

/* The endpoint of a source for this statement: its declaration and what the statement adds to it.
 * The schema is inferred if need be. */
static Status
open_source(Binder *binder, CatalogEntry *entry, bool undeclared, Position at)
{
	Options own =
		options_for(binder->arena, &binder->with, ROLE_SOURCE, entry->name, undeclared);
	Options given = join_options(binder->arena, &entry->options, &own);
	Endpoint *source;

	entry->tried = true;
	TRY(resolve_endpoint(binder, ROLE_SOURCE, entry->name, at, given, &source));
	entry->resolved = true;
	take_declared(source, entry);
	if (entry->schema.count == 0 || (entry->inferred && says_more(&own))) {
		TRY(infer_schema(binder, source, at, &entry->schema));
		entry->inferred = true;
	}
	entry->source = source;
	binder->source = source;
	return FERRIS_OK;
}

/* A source that only the query's WITH or a URI describes. */
static Status
undeclared_source(Binder *binder, const Relation *relation, CatalogEntry **out)
{
	CatalogEntry *entry = ARENA_NEW(binder->arena, CatalogEntry);
	Options probe;

	entry->name = relation->name.text;
	*out = entry;
	if (relation->kind == RELATION_URI) {
		bool first = !binder->source_undeclared;

		binder->source_undeclared = true;
		TRY(uri_options(binder, relation->name.text, relation->position, &entry->options));
		TRY(open_source(binder, entry, first, relation->position));
		return check_unused(binder, &entry->options, "this URI");
	}
	probe = options_for(binder->arena, &binder->with, ROLE_SOURCE, entry->name, true);
	if (options_find(&probe, STR("connector")) == NULL &&
	    options_find(&probe, STR("type")) == NULL &&
	    options_find(&probe, STR("kafka.topic")) == NULL &&
	    options_find(&probe, STR("topic")) == NULL && options_find(&probe, STR("path")) == NULL)
		return catalog_unknown(binder->catalog, relation->name, binder->err);
	binder->source_undeclared = true;
	TRY(open_source(binder, entry, true, relation->position));
	entry->options = entry->source->given; /* for further statements */
	return catalog_add(binder->catalog, binder->arena, entry, false, relation->position,
			   binder->err);
}

static Status
bind_cte(Binder *binder, const CteScope *scope, PlanNode **out)
{
	TRY(bind_nested(binder, scope->outer, scope->cte->query, out));
	return rename_columns(binder, &scope->cte->columns, out);
}

/* DROP asks which queries mention a name. */
static void
add_read(Binder *binder, CatalogEntry *entry)
{
	if (binder->read_count == binder->read_capacity) {
		uint32_t capacity = binder->read_capacity > 0 ? binder->read_capacity * 2 : 8;
		CatalogEntry **reads = ARENA_ARRAY(binder->arena, CatalogEntry *, capacity);

		if (binder->read_count > 0)
			memcpy(reads, binder->reads, sizeof *reads * binder->read_count);
		binder->reads = reads;
		binder->read_capacity = capacity;
	}
	binder->reads[binder->read_count++] = entry;
}

static Status
bind_name(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out)
{
	CatalogEntry *entry = catalog_find(binder->catalog, relation->name.text);

	for (const CteScope *scope = ctes; scope != NULL; scope = scope->outer)
		if (str_eq_nocase(scope->cte->name.text, relation->name.text))
			return bind_cte(binder, scope, out);
	if (relation->kind != RELATION_URI && entry != NULL)
		add_read(binder, entry);
	if (relation->kind == RELATION_URI || entry == NULL) {
		TRY(undeclared_source(binder, relation, &entry));
	} else if (entry->query != NULL) {
		if (entry->expanding)
			return error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED,
					    relation->position, "'%.*s' is defined by itself",
					    STR_ARG(entry->name));
		bool final = binder->final;

		entry->expanding = true;
		binder->views++;
		binder->final = final || entry->final;
		Status status = bind_query(binder, entry->query, out);
		binder->final = final;
		binder->views--;
		entry->expanding = false;
		return status;
	} else {
		TRY(open_source(binder, entry, false, relation->position));
	}
	binder->source = entry->source;
	binder->resumes = binder->resumes || entry->source->connector->commit != NULL;
	*out = make_scan(binder, entry, relation->position);
	TRY(bind_keyed_table(binder, entry, out));
	return bind_computed(binder, entry, out);
}

/* TABLE(TUMBLE(TABLE t, ...)) reads t; the window is bound with the groups. */
static Status
bind_function_table(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
		    Str *qualifier)
{
	for (uint32_t i = 0; i < relation->function.arg_count; i++) {
		const TableArgument *argument = &relation->function.args[i];
		Relation table = {.kind = RELATION_NAME, .position = argument->position};

		if (argument->kind == ARGUMENT_QUERY)
			return bind_nested(binder, ctes, argument->query, out);
		if (argument->kind != ARGUMENT_TABLE)
			continue;
		table.name = argument->table;
		if (relation->alias.text.data == NULL)
			*qualifier = argument->table.text;
		return bind_name(binder, ctes, &table, out);
	}
	error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, relation->position,
		     "a table function needs a table");
	return error_hint(binder->err,
			  "TABLE(TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE))");
}

/* LATE(query): the rows that come too late for the innermost window of the query, as they go into
 * it, in the place of the query's own. */
static Status
late_rows(Binder *binder, Position at, PlanNode **node)
{
	const PlanNode *window = NULL;
	PlanNode *late = ARENA_NEW(binder->arena, PlanNode);

	for (const PlanNode *below = *node; below->input != NULL; below = below->input)
		if ((below->kind == PLAN_AGGREGATE &&
		     below->aggregate.window.shape != SHAPE_NONE) ||
		    (below->kind == PLAN_OVER && below->over.mode == OVER_TIME))
			window = below;
	if (window == NULL) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, at,
			     "no row is too late for a query without windows");
		return error_hint(
			binder->err,
			"LATE needs a query with a WINDOW of time, or with OVER (... ORDER "
			"BY the column of WATERMARK FOR)");
	}
	*late = (PlanNode){.kind = PLAN_LATE,
			   .position = at,
			   .input = window->input,
			   .schema = window->input->schema};
	late->late.window = ARENA_NEW(binder->arena, PlanNode);
	*late->late.window = *window;
	if (window->kind == PLAN_OVER) { /* nobody reads its results */
		late->late.window->over.left_count = 0;
		late->late.window->schema.fields += window->over.left_count;
		late->late.window->schema.count -= window->over.left_count;
	}
	*node = late;
	return FERRIS_OK;
}

static Status
bind_relation(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
	      Str *qualifier)
{
	*qualifier = relation->alias.text.data != NULL ? relation->alias.text : relation->name.text;
	switch (relation->kind) {
	case RELATION_NAME:
	case RELATION_URI:
		return bind_name(binder, ctes, relation, out);
	case RELATION_QUERY:
		*qualifier =
			relation->alias.text.data != NULL ? relation->alias.text : STR("subquery");
		return bind_nested(binder, ctes, relation->query, out);
	case RELATION_JOIN:
		break; /* bind_from */
	case RELATION_LATE:
		*qualifier = relation->alias.text.data != NULL ? relation->alias.text : STR("late");
		TRY(bind_nested(binder, ctes, relation->query, out));
		return late_rows(binder, relation->position, out);
	case RELATION_FUNCTION:
		return bind_function_table(binder, ctes, relation, out, qualifier);
	case RELATION_UNNEST:
		break; /* bind_from */
	}
	return FERRIS_OK;
}

/* A column of the source that is not one of the record: `*` does not include it. */
static bool
is_hidden(const PlanNode *node, uint32_t column)
{
	Str name = node->schema.fields[column].name;

	for (; node->kind != PLAN_SCAN; node = node->input) {
		if (node->kind == PLAN_PROJECT && node->project.declared &&
		    node->project.exprs[column]->kind == BOUND_COLUMN)
			column = node->project.exprs[column]->column;
		else if (node->kind != PLAN_LATE && node->kind != PLAN_WATERMARK &&
			 node->kind != PLAN_FILTER && node->kind != PLAN_TABLE)
			return false;
	}
	return is_system_name(name) && node->scan.columns[column].source != SCAN_FIELD;
}

/* The column that the stream's WATERMARK is for. */
static const ScopeColumn *
declared_time(const Scope *scope, const PlanNode *input)
{
	for (uint32_t i = 0; i < scope->count; i++)
		if (is_declared_time(input, scope->columns[i].index))
			return &scope->columns[i];
	return NULL;
}

Scope
make_scope(Binder *binder, PlanNode *input, Str qualifier)
{
	Scope scope = {0};

	if (input == NULL)
		return scope;
	scope.count = input->schema.count;
	scope.columns = ARENA_ARRAY(binder->arena, ScopeColumn, scope.count);
	scope.scan = input->kind == PLAN_SCAN ? input : NULL;
	for (uint32_t i = 0; i < scope.count; i++)
		scope.columns[i] = (ScopeColumn){
			.qualifier = qualifier,
			.name = input->schema.fields[i].name,
			.type = input->schema.fields[i].type,
			.index = i,
			.hidden = is_hidden(input, i),
		};
	scope.time = declared_time(&scope, input);
	return scope;
}

/* `windows`: those of a table function become columns; else it is only the table. */
static Status
bind_table(Binder *binder, const CteScope *ctes, const Relation *relation, bool windows,
	   PlanNode **out, Scope *scope)
{
	Str qualifier = {"", 0};

	if (relation->kind == RELATION_JOIN)
		return bind_join(binder, ctes, relation, out, scope);
	if (relation->kind == RELATION_UNNEST)
		return bind_unnest(binder, relation, out, scope);
	TRY(bind_relation(binder, ctes, relation, out, &qualifier));
	*scope = make_scope(binder, *out, qualifier);
	if (relation->kind == RELATION_FUNCTION && windows)
		TRY(bind_window_rows(binder, relation, qualifier, out, scope));
	return rename_scope(binder, &relation->column_aliases, scope);
}

Status
bind_from(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
	  Scope *scope)
{
	return bind_table(binder, ctes, relation, true, out, scope);
}

Status
refuse_as_of(Binder *binder, const Relation *relation)
{
	if (relation->as_of == NULL)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, relation->as_of->position,
		     "FOR SYSTEM_TIME AS OF stands on the right of a join");
	return error_hint(binder->err, "FROM orders o JOIN rates FOR SYSTEM_TIME AS OF o.ts r ON "
				       "o.currency = r.currency");
}

/* ---------------------------------------------------------------- the select list */

typedef struct SelectList {
	Field *fields;
	BoundExpr **exprs;
	bool *key;
	uint32_t count;
	uint32_t capacity;
} SelectList;

static Status
add_item(Binder *binder, SelectList *list, Str name, BoundExpr *expr)
{
	Str unique = name;
	Schema sofar = {list->fields, list->count};

	/* Two columns of one name: the second gets a number, so that no key is written twice. */
	for (int n = 2; schema_find(&sofar, unique) >= 0; n++)
		unique = str_format(binder->arena, "%.*s_%d", STR_ARG(name), n);
	if (list->count == list->capacity) {
		uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 16;
		Field *fields = ARENA_ARRAY(binder->arena, Field, capacity);
		BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, capacity);
		bool *key = ARENA_ARRAY(binder->arena, bool, capacity);

		if (list->count > 0) {
			memcpy(fields, list->fields, sizeof *fields * list->count);
			memcpy(exprs, list->exprs, sizeof *exprs * list->count);
			memcpy(key, list->key, sizeof *key * list->count);
		}
		list->fields = fields;
		list->exprs = exprs;
		list->key = key;
		list->capacity = capacity;
	}
	/* A column that is only NULL is text: something must stand in the output's schema. */
	if (expr->type->kind == TYPE_NULL)
		TRY(bound_cast(binder->arena, expr, TYPE_OF(STRING), CAST_IMPLICIT, &expr,
			       binder->err));
	list->fields[list->count] = (Field){.name = unique, .type = expr->type};
	list->exprs[list->count++] = expr;
	return FERRIS_OK;
}

static Status
add_star(Binder *binder, SelectList *list, const Scope *scope, const Expr *star)
{
	const NameList *qualifier = &star->column;
	uint32_t before = list->count;

	if (scope->grouping != NULL) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, star->position,
			     "* cannot be selected from groups");
		return error_hint(binder->err, "name the group's keys and aggregates");
	}

	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (column->hidden ||
		    (qualifier->count > 0
			     ? !str_eq_nocase(column->qualifier, qualifier->items[0].text)
			     : column->shadowed))
			continue;
		TRY(add_item(binder, list, column->name,
			     bound_column(binder->arena, column->index, column->type, column->name,
					  star->position)));
	}
	if (list->count > before)
		return FERRIS_OK;
	if (qualifier->count == 0)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, star->position,
				    "* needs a FROM that has columns");
	return error_set_at(binder->err, FERRIS_ERR_UNKNOWN_TABLE, star->position,
			    "no relation '%.*s' in FROM", STR_ARG(qualifier->items[0].text));
}

/* A subquery's keys stand behind what it selects, and behind them what HAVING says. */
static Status
add_outer_keys(Binder *binder, SelectList *list, const Scope *scope)
{
	const Correlation *outer = scope->outer;

	for (uint32_t i = 0; outer != NULL && i < outer->key_count; i++) {
		BoundExpr *key = outer->inner[i];
		Str name = bound_text(binder->arena, key);

		if (scope->grouping != NULL)
			key = bound_column(binder->arena, outer->columns[i], key->type, name,
					   key->position);
		TRY(add_item(binder, list, name, key));
	}
	if (outer != NULL && outer->having != NULL)
		return add_item(binder, list, STR("_having"), outer->having);
	return FERRIS_OK;
}

/* An expression without alias is named by its text; a plain column by its name. */
static Str
item_name(const SelectItem *item)
{
	const Expr *expr = item->expr;

	if (item->alias.text.data != NULL)
		return item->alias.text;
	if (expr->kind == EXPR_COLUMN)
		return expr->column.items[expr->column.count - 1].text;
	return expr->text;
}

/* What SET_HEADER sets stands behind the columns of the record. */
static Status
add_headers(Binder *binder, const Select *select, SelectList *list, uint32_t *count)
{
	const HeaderList *headers = &binder->headers;

	*count = headers->of == select->items ? header_columns(binder) : 0;
	if (list->count == 0) {
		error_set_at(binder->err, FERRIS_ERR_SYNTAX, select->items[0].expr->position,
			     "the select list has no column");
		return error_hint(binder->err,
				  "SET_HEADER and REMOVE_HEADER are columns only with AS name");
	}
	for (uint32_t i = 0; *count > 0 && i < headers->count; i++) {
		const SinkHeader *header = &headers->items[i];
		Str name = str_format(binder->arena, "header %.*s", STR_ARG(header->name));

		if (!header->removed)
			TRY(add_item(binder, list, name, headers->values[header->column]));
	}
	return FERRIS_OK;
}

static Status
bind_items(Binder *binder, const Query *query, const Select *select, Scope *scope, PlanNode *input,
	   PlanNode **out, Sorting *sorting)
{
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	SelectList list = {0};
	uint32_t headers;

	for (uint32_t i = 0; i < select->item_count; i++) {
		const SelectItem *item = &select->items[i];
		BoundExpr *expr;

		if (item->expr->kind == EXPR_STAR) {
			TRY(add_star(binder, &list, scope, item->expr));
			continue;
		}
		if (is_header_change(item->expr))
			TRY(bind_header_item(binder, scope, select, item, &expr));
		else
			TRY(bind_expr(binder, scope, item->expr, &expr));
		if (expr == NULL)
			continue;
		TRY(add_item(binder, &list, item_name(item), expr));
		list.key[list.count - 1] = item->primary_key;
	}
	TRY(add_headers(binder, select, &list, &headers));
	TRY(add_outer_keys(binder, &list, scope));
	project->kind = PLAN_PROJECT;
	project->input = input;
	project->position = select->items[0].expr->position;
	project->schema = (Schema){list.fields, list.count};
	project->project.exprs = list.exprs;
	project->project.key = list.key;
	*out = project;
	return bind_order(binder, query, select->distinct, scope, project, headers, sorting);
}

/* ---------------------------------------------------------------- grouped queries */

/* HAVING as a filter over the groups. */
PlanNode *
filter_over(Binder *binder, PlanNode *input, BoundExpr *predicate)
{
	PlanNode *filter = ARENA_NEW(binder->arena, PlanNode);

	*filter = (PlanNode){.kind = PLAN_FILTER,
			     .input = input,
			     .position = predicate->position,
			     .schema = input->schema};
	if (predicate->kind == BOUND_AND) {
		filter->filter.conjuncts = predicate->args;
		filter->filter.count = predicate->arg_count;
	} else {
		filter->filter.conjuncts = ARENA_ARRAY(binder->arena, BoundExpr *, 1);
		filter->filter.conjuncts[0] = predicate;
		filter->filter.count = 1;
	}
	return filter;
}

/* The output key of a grouped query is its group key, if all of it is selected. */
static void
mark_group_keys(PlanNode *project, uint32_t visible, uint32_t key_count)
{
	uint32_t found = 0;

	for (uint32_t i = 0; i < visible; i++)
		if (project->project.key[i])
			return;
	for (uint32_t k = 0; k < key_count; k++)
		for (uint32_t i = 0; i < visible; i++)
			if (project->project.exprs[i]->kind == BOUND_COLUMN &&
			    project->project.exprs[i]->column == k) {
				found++;
				break;
			}
	if (found < key_count)
		return;
	for (uint32_t i = 0; i < visible; i++)
		project->project.key[i] = project->project.exprs[i]->kind == BOUND_COLUMN &&
					  project->project.exprs[i]->column < key_count;
}

/* A subquery whose aggregates have a row for every outer row, also where nothing is tied to that:
 * HAVING must not hide which is which, and becomes a column. */
static bool
is_one_group_for_each(const Correlation *outer, const Select *select)
{
	return outer != NULL && outer->key_count > 0 && select->group_count == 0 &&
	       select->window.kind == WINDOW_NONE;
}

static Status
bind_grouped_select(Binder *binder, const Query *query, const Select *select, Scope *scope,
		    PlanNode *node, PlanNode **out, Sorting *sorting)
{
	const Relation *function = groups_by_window(binder, select) && !where_mixes_bounds(select)
					   ? select->from
					   : NULL;
	EmitKind emit = query->emit == EMIT_DEFAULT && binder->final ? EMIT_FINAL : query->emit;
	LookupList of_rows = {0}, of_having = {0}, of_groups = {0};
	BoundExpr *having = NULL;
	BoundExpr *qualify;
	PlanNode *aggregate;
	WindowPlan window;
	Scope groups;

	/* A subquery can be inside an aggregate, not in a key. */
	scope->lookups = NULL;
	TRY(bind_window(binder, scope, select, function, &window));
	if (window.shape != SHAPE_NONE)
		TRY(add_time_watermark(binder, window.time, &node));
	else
		TRY(bind_row_window(binder, scope, select, node, &window));
	TRY(bind_grouping(binder, scope, query, select, &window, emit, node, &groups, &aggregate));
	scope->lookups = &of_rows;
	bool marks = is_one_group_for_each(scope->outer, select);
	groups.lookups = marks ? &of_groups : &of_having;
	if (select->having != NULL)
		TRY(bind_predicate(binder, &groups, select->having, "HAVING", &having));
	if (marks) {
		scope->outer->having = having;
		having = NULL;
	}
	groups.lookups = &of_groups;
	begin_over(binder, select, aggregate, &groups);
	TRY(bind_qualify(binder, &groups, select->qualify, &qualify));
	TRY(bind_items(binder, query, select, &groups, aggregate, out, sorting));
	finish_grouping(binder, &groups);
	mark_group_keys(*out, sorting->named,
			aggregate->aggregate.key_count - aggregate->aggregate.marker_count);
	place_lookups(binder, &of_rows, aggregate, aggregate);
	if (having != NULL) {
		(*out)->input = filter_over(binder, aggregate, having);
		place_lookups(binder, &of_having, (*out)->input, (*out)->input);
	}
	TRY(finish_over(binder, &groups, qualify, *out));
	place_lookups(binder, &of_groups, *out, qualify != NULL ? (*out)->input : *out);
	return FERRIS_OK;
}

static Status
bind_plain_select(Binder *binder, const Query *query, const Select *select, Scope *scope,
		  PlanNode *node, PlanNode **out, Sorting *sorting)
{
	LookupList lookups = {0};
	BoundExpr *qualify;

	scope->lookups = &lookups;
	begin_over(binder, select, node, scope);
	TRY(bind_qualify(binder, scope, select->qualify, &qualify));
	TRY(bind_items(binder, query, select, scope, node, out, sorting));
	TRY(finish_over(binder, scope, qualify, *out));
	place_lookups(binder, &lookups, *out, qualify != NULL ? (*out)->input : *out);
	return FERRIS_OK;
}

/* The query around the select if that is a subquery in an expression; else NULL. */
static Correlation *
outer_of(const Binder *binder, const Select *select)
{
	Correlation *correlation = binder->correlation;

	return correlation != NULL && correlation->select == select ? correlation : NULL;
}

/* WHERE lets no row pass: the source need not even be read. */
static Status
no_rows(Binder *binder, Scope *scope, PlanNode **node)
{
	TRY(bind_no_rows(binder, *node, node));
	scope->scan = scope->scan != NULL ? *node : NULL;
	return FERRIS_OK;
}

/* *filter: what WHERE puts over *node; NULL if it puts nothing. */
static Status
bind_where(Binder *binder, const Select *select, Scope *scope, PlanNode **node, PlanNode **filter)
{
	Correlation *outer = scope->outer;
	BoundExpr *where;

	if (outer != NULL && outer->empty)
		return no_rows(binder, scope, node);
	if (select->where == NULL)
		return FERRIS_OK;
	if (outer != NULL)
		outer->in_where = true;
	TRY(bind_predicate(binder, scope, select->where, "WHERE", &where));
	if (outer != NULL) {
		outer->in_where = false;
		TRY(take_correlation(binder, outer, &where));
	}
	if (where == NULL)
		return FERRIS_OK;
	*node = filter_over(binder, *node, where);
	*filter = *node;
	return FERRIS_OK;
}

static Status
bind_select(Binder *binder, const CteScope *ctes, const Query *query, const Select *select,
	    PlanNode **out)
{
	bool outer = binder->final;
	LookupList lookups = {0};
	PlanNode *node = NULL;
	PlanNode *filter = NULL;
	Sorting sorting;
	Scope scope;

	TRY(refuse_unsupported(binder, select));
	binder->final = outer || query->order.count > 0 || query->emit == EMIT_FINAL;
	if (select->from != NULL) {
		TRY(refuse_as_of(binder, select->from));
		TRY(bind_table(binder, ctes, select->from,
			       !groups_by_window(binder, select) || where_mixes_bounds(select),
			       &node, &scope));
		TRY(subqueries_to_joins(binder, ctes, &scope, &select, &node));
	} else {
		TRY(bind_one_row(binder, query->position, &node, &scope));
	}
	if (query->emit == EMIT_FINAL && !is_grouped(select) && !plan_is_bounded(node)) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, query->emit_position,
			     "EMIT FINAL without a group needs a source that ends");
		return error_hint(binder->err, "leave it out: rows come out as they are");
	}
	scope.ctes = ctes;
	scope.lookups = &lookups;
	scope.outer = outer_of(binder, select);
	TRY(distinct_on_as_qualify(binder, query, &select));
	select = bounds_to_having(binder, &scope, select);
	TRY(bind_where(binder, select, &scope, &node, &filter));
	if (scope.outer != NULL)
		TRY(take_limit(binder, scope.outer, &query));
	if (is_grouped(select))
		TRY(bind_grouped_select(binder, query, select, &scope, node, &node, &sorting));
	else
		TRY(bind_plain_select(binder, query, select, &scope, node, &node, &sorting));
	if (filter != NULL)
		place_lookups(binder, &lookups, filter, filter);
	TRY(finish_order(binder, query, select->distinct, &sorting, &node));
	binder->final = outer;
	*out = node;
	return FERRIS_OK;
}

/* (query), VALUES or a set operation with ORDER BY and LIMIT: a select list of all its columns. */
static Status
bind_whole(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out)
{
	bool outer = binder->final;
	Sorting sorting;

	binder->final = outer || query->order.count > 0 || query->emit == EMIT_FINAL;
	if (query->body->kind == BODY_VALUES)
		TRY(bind_values(binder, query->body, out));
	else if (query->body->kind == BODY_SET)
		TRY(bind_set_operation(binder, ctes, query, out));
	else
		TRY(bind_nested(binder, ctes, query->body->query, out));
	binder->final = outer;
	if (query->limit == NULL && query->offset == NULL && query->order.count == 0)
		return FERRIS_OK;
	Scope scope = make_scope(binder, *out, (Str){"", 0});
	SelectList list = {0};
	Expr star = {.kind = EXPR_STAR, .position = query->position};
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);

	scope.what = "ORDER BY";
	TRY(add_star(binder, &list, &scope, &star));
	*project = (PlanNode){.kind = PLAN_PROJECT, .input = *out, .position = query->position};
	project->schema = (Schema){list.fields, list.count};
	project->project.exprs = list.exprs;
	project->project.key = list.key;
	*out = project;
	TRY(bind_order(binder, query, false, &scope, project, 0, &sorting));
	return finish_order(binder, query, false, &sorting, out);
}

static Status
bind_body(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out)
{
	const QueryBody *body = query->body;

	switch (body->kind) {
	case BODY_SELECT:
		return bind_select(binder, ctes, query, &body->select, out);
	case BODY_QUERY:
	case BODY_VALUES:
	case BODY_SET:
		return bind_whole(binder, ctes, query, out);
	}
	return FERRIS_OK;
}

Status
bind_nested(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out)
{
	CteScope *scopes = ARENA_ARRAY(binder->arena, CteScope, query->cte_count + 1);

	if (query->recursive)
		return not_yet(
			binder, query->position, "WITH RECURSIVE",
			"write out as many levels as there are: a join for each, and UNION ALL");
	for (uint32_t i = 0; i < query->cte_count; i++) {
		scopes[i] = (CteScope){ctes, &query->ctes[i]};
		ctes = &scopes[i];
	}
	return bind_body(binder, ctes, query, out);
}

Status
bind_query(Binder *binder, const Query *query, PlanNode **out)
{
	return bind_nested(binder, NULL, query, out);
}
