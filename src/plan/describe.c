/* plan/describe.c -- DESCRIBE: the columns of a stream, and how it was declared. */
#include "plan/bind.h"
#include "plan/effective.h"

#define TEXT(name)                                                                                 \
	{                                                                                          \
		STR_INIT(name), TYPE_OF(STRING), false                                             \
	}
#define FLAG(name)                                                                                 \
	{                                                                                          \
		STR_INIT(name), TYPE_OF(BOOLEAN), false                                            \
	}

static const Field column_fields[] = {TEXT("column"), TEXT("type"), FLAG("nullable"),
				      FLAG("key"),    TEXT("from"), TEXT("watermark")};
static const Field extended_fields[] = {TEXT("about"), TEXT("name"), TEXT("value"), TEXT("origin")};

/* A column, and what the declaration says of it. */
typedef struct Described {
	Str name;
	Str type;
	bool not_null;
	bool key;
	Str from;      /* METADATA FROM; no data: a field of the record */
	Str watermark; /* WATERMARK FOR it AS ...; no data: none */
	Str computed;  /* AS ...; no data: it is read */
} Described;

typedef struct Describing {
	Binder *binder;
	const CatalogEntry *entry;
	FixedRows rows;
} Describing;

/* ---------------------------------------------------------------- columns */

static void
show_column(Describing *describing, const Described *column)
{
	FixedRows *rows = &describing->rows;

	fixed_text(rows, column->name);
	fixed_text(rows, column->type);
	fixed_flag(rows, !column->not_null);
	fixed_flag(rows, column->key);
	fixed_text(rows, column->computed.data != NULL ? column->computed : column->from);
	fixed_text(rows, column->watermark);
}

static void
extend_column(Describing *describing, const Described *column)
{
	Arena *arena = describing->binder->arena;
	FixedRows *rows = &describing->rows;
	Str value =
		str_format(arena, "%.*s%s%.*s%s%s%s%.*s%s", STR_ARG(column->type),
			   column->computed.data != NULL ? " " : "", STR_ARG(column->computed),
			   column->not_null ? " NOT NULL" : "", column->key ? " PRIMARY KEY" : "",
			   column->from.data != NULL ? " METADATA FROM '" : "",
			   STR_ARG(column->from), column->from.data != NULL ? "'" : "");

	fixed_text(rows, STR("column"));
	fixed_text(rows, column->name);
	fixed_text(rows, value);
	fixed_null(rows);
	if (column->watermark.data == NULL)
		return;
	fixed_text(rows, STR("watermark"));
	fixed_text(rows, column->name);
	fixed_text(rows, column->watermark);
	fixed_null(rows);
}

typedef void (*ColumnVisit)(Describing *describing, const Described *column);

static Str
watermark_of(const Statement *declaration, Str column)
{
	if (declaration == NULL || declaration->create.watermark.column.text.data == NULL ||
	    !str_eq_nocase(declaration->create.watermark.column.text, column))
		return (Str){NULL, 0};
	return declaration->create.watermark.expr->text;
}

static bool
is_key(const CatalogEntry *entry, uint32_t field)
{
	for (uint32_t k = 0; k < entry->primary_key_count; k++)
		if (entry->primary_key[k] == (int)field)
			return true;
	return false;
}

static Str
metadata_key(const CatalogEntry *entry, Str name)
{
	const Statement *declaration = entry->statement;

	for (uint32_t i = 0; i < declaration->create.column_count; i++) {
		const ColumnDef *column = &declaration->create.columns[i];

		if (str_eq_nocase(column->name.text, name))
			return column->metadata_key.data != NULL ? column->metadata_key
								 : column->name.text;
	}
	return name;
}

static void
visit_computed(Describing *describing, ColumnVisit visit)
{
	const CatalogEntry *entry = describing->entry;
	Arena *arena = describing->binder->arena;
	uint32_t fields = entry->schema.count;
	Binder quiet = *describing->binder;
	Scope scope = {.columns = ARENA_ARRAY(arena, ScopeColumn, fields + entry->metadata_count),
		       .count = fields + entry->metadata_count};
	Error ignored;

	quiet.err = &ignored;
	for (uint32_t i = 0; i < scope.count; i++) {
		bool field = i < fields;
		const ScanColumn *metadata = field ? NULL : &entry->metadata[i - fields];

		scope.columns[i] =
			(ScopeColumn){.name = field ? entry->schema.fields[i].name : metadata->name,
				      .type = field ? entry->schema.fields[i].type : metadata->type,
				      .index = i};
	}
	for (uint32_t i = 0; i < entry->computed_count; i++) {
		const ColumnDef *def = entry->computed[i];
		BoundExpr *expr;
		Described column = {
			.name = def->name.text,
			.computed = str_format(arena, "AS %.*s", STR_ARG(def->computed->text)),
			.watermark = watermark_of(entry->statement, def->name.text)};

		/* One that reads a system column has its type only where it is read. */
		if (bind_expr(&quiet, &scope, def->computed, &expr) == FERRIS_OK)
			column.type = type_text(arena, expr->type);
		visit(describing, &column);
	}
}

static void
visit_declared(Describing *describing, ColumnVisit visit)
{
	const CatalogEntry *entry = describing->entry;
	Arena *arena = describing->binder->arena;

	for (uint32_t i = 0; i < entry->schema.count; i++) {
		const Field *field = &entry->schema.fields[i];
		Described column = {.name = field->name,
				    .type = type_text(arena, field->type),
				    .not_null = field->not_null,
				    .key = is_key(entry, i),
				    .watermark = watermark_of(entry->statement, field->name)};

		visit(describing, &column);
	}
	for (uint32_t i = 0; i < entry->metadata_count; i++) {
		const ScanColumn *metadata = &entry->metadata[i];
		Described column = {.name = metadata->name,
				    .type = type_text(arena, metadata->type),
				    .from = metadata_key(entry, metadata->name),
				    .watermark = watermark_of(entry->statement, metadata->name)};

		visit(describing, &column);
	}
	visit_computed(describing, visit);
}

/* The columns of a query, those of its topmost select list marked as the key. */
static void
visit_query(Describing *describing, const PlanNode *root, ColumnVisit visit)
{
	const PlanNode *project = root;

	while (project->kind != PLAN_PROJECT && project->input != NULL)
		project = project->input;
	for (uint32_t i = 0; i < root->schema.count; i++) {
		const Field *field = &root->schema.fields[i];
		bool key = project->kind == PLAN_PROJECT && i < project->schema.count &&
			   project->project.key[i];

		visit(describing,
		      &(Described){.name = field->name,
				   .type = type_text(describing->binder->arena, field->type),
				   .not_null = field->not_null,
				   .key = key});
	}
}

static Status
visit_columns(Describing *describing, const Name *name, ColumnVisit visit)
{
	Relation stream = {.kind = RELATION_NAME, .name = *name, .position = name->position};
	const CatalogEntry *entry = describing->entry;
	PlanNode *node = NULL;
	Scope scope;

	/* A view must be bound, and columns that are not declared must be looked for. */
	if (entry->query != NULL || entry->schema.count == 0)
		TRY(bind_from(describing->binder, NULL, &stream, &node, &scope));
	if (entry->query != NULL)
		visit_query(describing, node, visit);
	else
		visit_declared(describing, visit);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- EXTENDED */

static void
extend(Describing *describing, const char *about, Str name, Str value, const char *origin)
{
	fixed_text(&describing->rows, str_from(about));
	fixed_text(&describing->rows, name);
	fixed_text(&describing->rows, value);
	fixed_text(&describing->rows, origin != NULL ? str_from(origin) : (Str){NULL, 0});
}

static void
extend_option(void *context, const EffectiveOption *option)
{
	extend(context, "option", option->name, option->value, option->origin);
}

static void
extend_entry(Describing *describing)
{
	const CatalogEntry *entry = describing->entry;
	const Endpoint *endpoint = catalog_endpoint(describing->binder, entry, ROLE_SOURCE);
	const char *scope = "source";

	if (entry->query != NULL) {
		extend(describing, "query", entry->name, entry->query->text, NULL);
		return;
	}
	if (endpoint == NULL) {
		endpoint = catalog_endpoint(describing->binder, entry, ROLE_SINK);
		scope = "sink";
	}
	if (endpoint != NULL)
		effective_endpoint(endpoint, scope, extend_option, describing);
}

Status
describe_report(Binder *binder, const Statement *statement, Report *out)
{
	const Name *name = &statement->describe.name;
	bool extended = statement->describe.extended;
	Describing describing = {.binder = binder};

	*out = (Report){.fields = column_fields,
			.field_count = sizeof column_fields / sizeof *column_fields};
	if (extended) {
		out->fields = extended_fields;
		out->field_count = sizeof extended_fields / sizeof *extended_fields;
	}
	describing.entry = catalog_find(binder->catalog, name->text);
	if (describing.entry == NULL)
		return catalog_unknown(binder->catalog, *name, binder->err);
	fixed_rows_init(&describing.rows, out->fields, out->field_count);
	Status status = visit_columns(&describing, name, extended ? extend_column : show_column);
	if (status == FERRIS_OK && extended)
		extend_entry(&describing);
	out->records = fixed_rows_end(&describing.rows, binder->arena);
	return status;
}
