/* plan/bind_values.c -- rows that the statement itself gives: SELECT without FROM, VALUES; names
 * for the columns of a relation.
 *
 * The scan below yields as many records without content as there are rows (connector/values.c).
 * VALUES is a Project over it whose columns choose among the rows' expressions by _offset, the
 * record's number. */
#include "connector/values.h"
#include "func/function.h"
#include "plan/bind.h"

/* Its endpoint; the options are not the user's to give. */
static Status
values_endpoint(Binder *binder, uint32_t rows, Endpoint **out)
{
	Endpoint *endpoint = ARENA_NEW(binder->arena, Endpoint);
	Arena *arena = binder->arena;

	endpoint->name = STR("VALUES");
	endpoint->connector = &values_connector;
	endpoint->codec = codec_find(STR("json"));
	endpoint->given.entries = ARENA_ARRAY(arena, OptionEntry, 1);
	endpoint->given.entries[endpoint->given.count++] =
		(OptionEntry){.key = STR("rows"),
			      .value = str_format(arena, "%u", rows),
			      .origin = ORIGIN_DEFAULT};
	TRY(options_resolve(&endpoint_options, &endpoint->given, arena, &endpoint->common,
			    binder->err));
	TRY(options_resolve(&endpoint->connector->source_options, &endpoint->given, arena,
			    &endpoint->connector_settings, binder->err));
	*out = endpoint;
	return options_resolve(&endpoint->codec->decode_options, &endpoint->given, arena,
			       &endpoint->codec_settings, binder->err);
}

static Status
scan_rows(Binder *binder, uint32_t rows, Position at, PlanNode **out)
{
	PlanNode *scan = ARENA_NEW(binder->arena, PlanNode);
	Endpoint *endpoint;

	TRY(values_endpoint(binder, rows, &endpoint));
	scan->kind = PLAN_SCAN;
	scan->position = at;
	scan->scan.endpoint = endpoint;
	scan->scan.record = ARENA_NEW(binder->arena, Schema);
	scan->scan.columns = ARENA_ARRAY(binder->arena, ScanColumn, 1);
	scan->scan.columns[0] = (ScanColumn){
		.name = STR("_offset"), .type = TYPE_OF(BIGINT), .source = SCAN_OFFSET};
	scan->schema = (Schema){ARENA_ARRAY(binder->arena, Field, 1), 1};
	scan->schema.fields[0] = (Field){.name = STR("_offset"), .type = TYPE_OF(BIGINT)};
	*out = scan;
	return FERRIS_OK;
}

Status
bind_fixed_rows(Binder *binder, Str name, const Field *fields, uint32_t count, Str records,
		Position at, PlanNode **out)
{
	PlanNode *scan, *project = ARENA_NEW(binder->arena, PlanNode);
	Schema *record = ARENA_NEW(binder->arena, Schema);
	Endpoint *endpoint;

	TRY(scan_rows(binder, 0, at, &scan));
	TRY(values_endpoint(binder, 0, &endpoint));
	endpoint->name = name;
	values_give(endpoint->connector_settings, records);
	record->fields = ARENA_ARRAY(binder->arena, Field, count);
	memcpy(record->fields, fields, sizeof *fields * count);
	record->count = count;
	scan->scan.endpoint = endpoint;
	scan->scan.record = record;
	scan->schema = *record;
	scan->scan.columns = ARENA_ARRAY(binder->arena, ScanColumn, count);
	*project = (PlanNode){.kind = PLAN_PROJECT, .position = at, .input = scan};
	project->schema = *record;
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, count);
	for (uint32_t i = 0; i < count; i++) {
		scan->scan.columns[i].name = fields[i].name;
		scan->scan.columns[i].type = fields[i].type;
		project->project.exprs[i] =
			bound_column(binder->arena, i, fields[i].type, fields[i].name, at);
	}
	*out = project;
	return FERRIS_OK;
}

Status
bind_one_row(Binder *binder, Position at, PlanNode **out, Scope *scope)
{
	*scope = (Scope){.what = "a SELECT without FROM"};
	return scan_rows(binder, 1, at, out);
}

Status
bind_no_rows(Binder *binder, const PlanNode *like, PlanNode **out)
{
	const Schema *schema = &like->schema;

	TRY(scan_rows(binder, 0, like->position, out));
	(*out)->schema = *schema;
	(*out)->scan.record = schema;
	(*out)->scan.columns = ARENA_ARRAY(binder->arena, ScanColumn, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		(*out)->scan.columns[i] = (ScanColumn){.name = schema->fields[i].name,
						       .type = schema->fields[i].type};
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- VALUES */

/* The rows' expressions of a column in its common type; exprs[r * columns + column]. */
static Status
unify_column(Binder *binder, const QueryBody *body, BoundExpr **exprs, uint32_t columns,
	     uint32_t column)
{
	uint32_t rows = body->values.count;
	const Type *type = exprs[column]->type;

	for (uint32_t r = 1; r < rows; r++) {
		const BoundExpr *expr = exprs[r * columns + column];
		const Type *common = type_common(binder->arena, type, expr->type);

		if (common == NULL)
			return error_set_at(
				binder->err, FERRIS_ERR_TYPE, expr->position,
				"column %u of VALUES is %.*s in the rows before and %.*s here",
				column + 1, STR_ARG(type_text(binder->arena, type)),
				STR_ARG(type_text(binder->arena, expr->type)));
		type = common;
	}
	if (type->kind == TYPE_NULL)
		type = TYPE_OF(STRING);
	for (uint32_t r = 0; r < rows; r++)
		TRY(bound_cast(binder->arena, exprs[r * columns + column], type, CAST_IMPLICIT,
			       &exprs[r * columns + column], binder->err));
	return FERRIS_OK;
}

/* CASE _offset WHEN 0 THEN the first row's ... ELSE the last row's. */
static Status
choose_row(Binder *binder, const QueryBody *body, BoundExpr *const *exprs, uint32_t columns,
	   uint32_t column, BoundExpr **out)
{
	uint32_t rows = body->values.count;
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, 2 * rows);
	const BoundExpr *first = exprs[column];
	uint32_t count = 0;

	*out = exprs[column];
	if (rows == 1)
		return FERRIS_OK;
	for (uint32_t r = 0; r + 1 < rows; r++) {
		Value number = {.type = TYPE_OF(BIGINT), .int64 = r};
		BoundExpr *pair[] = {bound_column(binder->arena, 0, TYPE_OF(BIGINT), STR("_offset"),
						  first->position),
				     bound_constant(binder->arena, number, first->position)};

		TRY(function_bind(binder->arena, STR("="), pair, 2, first->position, &args[count++],
				  binder->err));
		args[count++] = exprs[r * columns + column];
	}
	args[count++] = exprs[(rows - 1) * columns + column];
	*out = bound_node(binder->arena, BOUND_CASE, first->type, args, count, first->position);
	return FERRIS_OK;
}

Status
bind_values(Binder *binder, const QueryBody *body, PlanNode **out)
{
	Scope none = {.what = "VALUES"};
	uint32_t columns = body->values.rows[0].count;
	BoundExpr **exprs =
		ARENA_ARRAY(binder->arena, BoundExpr *, (size_t)columns * body->values.count);
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	Field *fields = ARENA_ARRAY(binder->arena, Field, columns);

	for (uint32_t r = 0; r < body->values.count; r++) {
		const ExprList *row = &body->values.rows[r];

		if (row->count != columns)
			return error_set_at(binder->err, FERRIS_ERR_COLUMN_COUNT,
					    row->items[0]->position,
					    "row %u of VALUES has %u columns, the first has %u",
					    r + 1, row->count, columns);
		for (uint32_t c = 0; c < columns; c++)
			TRY(bind_expr(binder, &none, row->items[c], &exprs[r * columns + c]));
	}
	project->kind = PLAN_PROJECT;
	project->position = body->position;
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, columns);
	project->project.key = ARENA_ARRAY(binder->arena, bool, columns);
	for (uint32_t c = 0; c < columns; c++) {
		TRY(unify_column(binder, body, exprs, columns, c));
		TRY(choose_row(binder, body, exprs, columns, c, &project->project.exprs[c]));
		fields[c] = (Field){.name = str_format(binder->arena, "column%u", c + 1),
				    .type = exprs[c]->type};
	}
	project->schema = (Schema){fields, columns};
	*out = project;
	return scan_rows(binder, body->values.count, body->position, &project->input);
}

/* ---------------------------------------------------------------- t(a, b) */

Status
check_names(Binder *binder, const NameList *names, uint32_t count)
{
	if (names->count == 0)
		return FERRIS_OK;
	if (names->count != count)
		return error_set_at(binder->err, FERRIS_ERR_COLUMN_COUNT, names->items[0].position,
				    "%u names for %u columns", names->count, count);
	for (uint32_t i = 0; i < count; i++)
		for (uint32_t k = 0; k < i; k++)
			if (str_eq_nocase(names->items[i].text, names->items[k].text))
				return error_set_at(binder->err, FERRIS_ERR_DUPLICATE_NAME,
						    names->items[i].position,
						    "two columns are named '%.*s'",
						    STR_ARG(names->items[i].text));
	return FERRIS_OK;
}

Status
rename_columns(Binder *binder, const NameList *names, PlanNode **node)
{
	PlanNode *input = *node;
	uint32_t count = input->schema.count;
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);

	if (names->count == 0)
		return FERRIS_OK;
	TRY(check_names(binder, names, count));
	*project = (PlanNode){
		.kind = PLAN_PROJECT, .position = names->items[0].position, .input = input};
	project->schema = (Schema){ARENA_ARRAY(binder->arena, Field, count), count};
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, count);
	for (uint32_t i = 0; i < count; i++) {
		project->schema.fields[i] =
			(Field){.name = names->items[i].text, .type = input->schema.fields[i].type};
		project->project.exprs[i] =
			bound_column(binder->arena, i, input->schema.fields[i].type,
				     input->schema.fields[i].name, names->items[i].position);
	}
	*node = project;
	return FERRIS_OK;
}

Status
rename_scope(Binder *binder, const NameList *names, Scope *scope)
{
	uint32_t visible = 0;
	uint32_t next = 0;

	for (uint32_t i = 0; i < scope->count; i++)
		visible += !scope->columns[i].hidden;
	TRY(check_names(binder, names, visible));
	for (uint32_t i = 0; names->count > 0 && i < scope->count; i++)
		if (!scope->columns[i].hidden)
			scope->columns[i].name = names->items[next++].text;
	return FERRIS_OK;
}
