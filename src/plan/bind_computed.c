/* plan/bind_computed.c -- columns that a declaration computes: CREATE STREAM t (a INT, b AS a * 2),
 * and those with a DEFAULT for what the record does not say.
 *
 * They are a select list over the scan.  Their expressions see the columns of the record, METADATA
 * and system columns, not each other. */
#include "func/function.h"
#include "plan/bind.h"
#include "plan/rules.h"

static Status
bind_default(Binder *binder, const ColumnDef *column, const Type *type, BoundExpr **out)
{
	Scope none = {.what = "DEFAULT"};

	TRY(bind_expr(binder, &none, column->default_value, out));
	return bound_cast(binder->arena, *out, type, CAST_IMPLICIT, out, binder->err);
}

Status
bind_missing_column(Binder *binder, const Statement *declaration, const Field *field, Position at,
		    BoundExpr **out)
{
	uint32_t count = declaration != NULL ? declaration->create.column_count : 0;

	for (uint32_t i = 0; i < count; i++) {
		const ColumnDef *column = &declaration->create.columns[i];

		if (column->default_value != NULL && str_eq(column->name.text, field->name))
			return bind_default(binder, column, field->type, out);
	}
	*out = bound_constant(binder->arena, value_null(field->type), at);
	return FERRIS_OK;
}

/* The input's columns, COALESCE(column, default) where one is declared. */
static Status
bind_defaults(Binder *binder, const Statement *declaration, const PlanNode *input, BoundExpr **out)
{
	for (uint32_t i = 0; i < input->schema.count; i++) {
		const Field *field = &input->schema.fields[i];

		out[i] = bound_column(binder->arena, i, field->type, field->name, input->position);
	}
	for (uint32_t i = 0; i < declaration->create.column_count; i++) {
		const ColumnDef *column = &declaration->create.columns[i];
		int place = schema_find(&input->schema, column->name.text);
		BoundExpr *args[2];

		if (column->default_value == NULL || place < 0)
			continue;
		args[0] = out[place];
		TRY(bind_default(binder, column, args[0]->type, &args[1]));
		TRY(function_bind(binder->arena, STR("COALESCE"), args, 2, column->position,
				  &out[place], binder->err));
	}
	return FERRIS_OK;
}

/* `columns`: those of the input, and exprs[i]: the column computed at place i, or NULL. */
static Status
bind_column_defs(Binder *binder, const Statement *declaration, PlanNode *input,
		 BoundExpr ***columns, BoundExpr ***exprs)
{
	Scope scope = make_scope(binder, input, declaration->create.name.text);
	uint32_t count = declaration->create.column_count;

	scope.what = "a computed column";
	*exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	for (uint32_t i = 0; i < count; i++) {
		const ColumnDef *column = &declaration->create.columns[i];

		if (column->computed == NULL)
			continue;
		TRY(bind_expr(binder, &scope, column->computed, &(*exprs)[i]));
		if ((*exprs)[i]->type->kind == TYPE_NULL)
			return error_set_at(binder->err, FERRIS_ERR_TYPE, column->position,
					    "the computed column '%.*s' is NULL and has no type",
					    STR_ARG(column->name.text));
	}
	/* HEADER may have given the scan more columns. */
	*columns = ARENA_ARRAY(binder->arena, BoundExpr *, input->schema.count);
	TRY(bind_defaults(binder, declaration, input, *columns));
	for (uint32_t i = 0; i < count; i++)
		if ((*exprs)[i] != NULL)
			(*exprs)[i] = bound_substitute(binder->arena, (*exprs)[i], *columns);
	return FERRIS_OK;
}

static void
add_field(PlanNode *project, const Field *field, BoundExpr *expr)
{
	project->schema.fields[project->schema.count] = *field;
	project->project.exprs[project->schema.count++] = expr;
}

static bool
is_declared(const Schema *schema, Str name)
{
	for (uint32_t i = 0; i < schema->count; i++)
		if (str_eq_nocase(schema->fields[i].name, name))
			return true;
	return false;
}

static Status
project_computed(Binder *binder, const Statement *declaration, PlanNode **root)
{
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	PlanNode *input = *root;
	uint32_t count = declaration->create.column_count;
	BoundExpr **columns = NULL;
	BoundExpr **exprs;

	TRY(bind_column_defs(binder, declaration, input, &columns, &exprs));
	*project = (PlanNode){.kind = PLAN_PROJECT, .position = input->position, .input = input};
	project->schema.fields = ARENA_ARRAY(binder->arena, Field, count + input->schema.count);
	project->project.exprs =
		ARENA_ARRAY(binder->arena, BoundExpr *, count + input->schema.count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, count + input->schema.count);
	project->project.declared = true;
	for (uint32_t i = 0; i < count; i++) {
		const ColumnDef *column = &declaration->create.columns[i];
		Field field = {.name = column->name.text};
		int place = schema_find(&input->schema, column->name.text);

		if (exprs[i] != NULL) {
			field.type = exprs[i]->type;
			add_field(project, &field, exprs[i]);
		} else if (place >= 0) {
			add_field(project, &input->schema.fields[place], columns[place]);
		}
	}
	for (uint32_t i = 0; i < input->schema.count; i++) {
		const Field *field = &input->schema.fields[i];

		if (!is_declared(&project->schema, field->name))
			add_field(project, field, columns[i]);
	}
	*root = project;
	return FERRIS_OK;
}

static bool
computes(const Statement *declaration)
{
	uint32_t count = declaration != NULL ? declaration->create.column_count : 0;

	for (uint32_t i = 0; i < count; i++)
		if (declaration->create.columns[i].computed != NULL ||
		    declaration->create.columns[i].default_value != NULL)
			return true;
	return false;
}

Status
bind_computed(Binder *binder, const CatalogEntry *entry, PlanNode **root)
{
	return computes(entry->statement) ? project_computed(binder, entry->statement, root)
					  : FERRIS_OK;
}

Status
bind_declared_watermark(Binder *binder, PlanNode *scan, const Watermark *watermark, BoundExpr **out)
{
	const Statement *declaration = scan->scan.declaration;
	PlanNode *root = scan;

	if (computes(declaration))
		TRY(project_computed(binder, declaration, &root));
	Scope scope = make_scope(binder, root, scan->scan.endpoint->name);
	TRY(bind_expr(binder, &scope, watermark->expr, out));
	if (root != scan)
		*out = bound_substitute(binder->arena, *out, root->project.exprs);
	return FERRIS_OK;
}
