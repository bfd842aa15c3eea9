/* plan/catalog.c -- names, declared columns, declared types. */
#include "plan/catalog.h"

#include "type/number.h"

#define FIRST_CAPACITY 16

CatalogEntry *
catalog_find(const Catalog *catalog, Str name)
{
	for (uint32_t i = 0; i < catalog->count; i++)
		if (str_eq_nocase(catalog->entries[i]->name, name))
			return catalog->entries[i];
	return NULL;
}

Status
catalog_add(Catalog *catalog, Arena *arena, CatalogEntry *entry, bool replace, Position at,
	    Error *err)
{
	for (uint32_t i = 0; i < catalog->count; i++) {
		if (!str_eq_nocase(catalog->entries[i]->name, entry->name))
			continue;
		if (replace) {
			catalog->entries[i] = entry;
			return FERRIS_OK;
		}
		error_set_at(err, FERRIS_ERR_DUPLICATE_NAME, at, "'%.*s' is declared twice",
			     STR_ARG(entry->name));
		return error_hint(err, "choose another name, or write CREATE OR REPLACE");
	}
	if (catalog->count == catalog->capacity) {
		uint32_t capacity = catalog->capacity > 0 ? catalog->capacity * 2 : FIRST_CAPACITY;
		CatalogEntry **entries = ARENA_ARRAY(arena, CatalogEntry *, capacity);

		if (catalog->count > 0)
			memcpy(entries, catalog->entries, sizeof *entries * catalog->count);
		catalog->entries = entries;
		catalog->capacity = capacity;
	}
	catalog->entries[catalog->count++] = entry;
	return FERRIS_OK;
}

void
catalog_remove(Catalog *catalog, const CatalogEntry *entry)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < catalog->count; i++)
		if (catalog->entries[i] != entry)
			catalog->entries[kept++] = catalog->entries[i];
	catalog->count = kept;
}

Status
catalog_unknown(const Catalog *catalog, Name name, Error *err)
{
	error_set_at(err, FERRIS_ERR_UNKNOWN_TABLE, name.position, "unknown stream or table '%.*s'",
		     STR_ARG(name.text));
	for (uint32_t i = 0; i < catalog->count; i++) {
		Str near = str_nearest(name.text, &catalog->entries[i]->name, 1);

		if (near.data != NULL)
			return error_hint(err, "did you mean '%.*s'?", STR_ARG(near));
	}
	return error_hint(
		err,
		"declare it with CREATE STREAM %.*s (...) WITH ('connector' = ...), or name "
		"its topic or path in the query's WITH",
		STR_ARG(name.text));
}

/* ---------------------------------------------------------------- types */

static Status
type_number(const TypeName *name, uint32_t i, int *out, Error *err)
{
	int64_t number;

	if (int64_parse(name->numbers[i].data, name->numbers[i].len, &number) != NUMBER_OK ||
	    number > 65535)
		return error_set_at(err, FERRIS_ERR_UNKNOWN_TYPE, name->position,
				    "'%.*s' is not a usable length", STR_ARG(name->numbers[i]));
	*out = (int)number;
	return FERRIS_OK;
}

static Status
resolve_decimal(Arena *arena, const TypeName *name, const Type **out, Error *err)
{
	int precision = DECIMAL_MAX_PRECISION;
	int scale = 0;

	if (name->number_count > 0)
		TRY(type_number(name, 0, &precision, err));
	if (name->number_count > 1)
		TRY(type_number(name, 1, &scale, err));
	if (precision < 1 || precision > DECIMAL_MAX_PRECISION || scale > precision) {
		error_set_at(err, FERRIS_ERR_UNKNOWN_TYPE, name->position, "no such decimal: %.*s",
			     STR_ARG(name->text));
		return error_hint(
			err, "DECIMAL(p, s) has p from 1 to %d digits, s of them behind the point",
			DECIMAL_MAX_PRECISION);
	}
	*out = type_decimal(arena, precision, scale);
	return FERRIS_OK;
}

static Status
resolve_struct(Arena *arena, const TypeName *name, const Type **out, Error *err)
{
	Field *fields = ARENA_ARRAY(arena, Field, name->field_count);

	for (uint32_t i = 0; i < name->field_count; i++) {
		fields[i].name = name->fields[i].name.text;
		fields[i].not_null = name->fields[i].not_null;
		TRY(resolve_type(arena, name->fields[i].type, &fields[i].type, err));
	}
	*out = type_struct(arena, fields, name->field_count);
	return FERRIS_OK;
}

static Status
unknown_type(const TypeName *name, Error *err)
{
	const Str *names;
	size_t count = type_names(&names);
	Str near = str_nearest(name->name.text, names, count);

	error_set_at(err, FERRIS_ERR_UNKNOWN_TYPE, name->position, "unknown type '%.*s'",
		     STR_ARG(name->name.text));
	if (near.data != NULL)
		return error_hint(err, "did you mean %.*s?", STR_ARG(near));
	return error_hint(err, "docs/sql.md lists the types");
}

Status
resolve_type(Arena *arena, const TypeName *name, const Type **out, Error *err)
{
	const Type *args[2] = {NULL, NULL};
	Str text = name->name.text;
	TypeKind kind;

	/* An instant in UTC, however the zone is spelt. */
	if (str_starts_with(text, STR("TIMESTAMP WITH")) || str_starts_with(text, STR("TIME WITH")))
		text = str_starts_with(text, STR("TIMESTAMP")) ? STR("TIMESTAMP") : STR("TIME");
	if (!type_kind_from_name(text, &kind))
		return unknown_type(name, err);
	if (kind == TYPE_DECIMAL)
		return resolve_decimal(arena, name, out, err);
	if (kind == TYPE_STRUCT)
		return resolve_struct(arena, name, out, err);
	if (kind == TYPE_ARRAY || kind == TYPE_MAP) {
		uint32_t wanted = kind == TYPE_ARRAY ? 1 : 2;

		if (name->arg_count != wanted)
			return error_set_at(err, FERRIS_ERR_UNKNOWN_TYPE, name->position,
					    "%s needs %u element type%s", type_kind_name(kind),
					    wanted, wanted == 1 ? "" : "s");
		for (uint32_t i = 0; i < wanted; i++)
			TRY(resolve_type(arena, name->args[i], &args[i], err));
		*out = kind == TYPE_ARRAY ? type_array(arena, args[0])
					  : type_map(arena, args[0], args[1]);
		return FERRIS_OK;
	}
	*out = &type_simple[kind];
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- columns */

/* METADATA FROM 'key': the spellings of Flink, and our own system columns. */
static const struct {
	Str key;
	ScanSource source;
	TypeKind kind;
} metadata_keys[] = {
	{STR_INIT("timestamp"), SCAN_TIMESTAMP, TYPE_TIMESTAMP},
	{STR_INIT("offset"), SCAN_OFFSET, TYPE_BIGINT},
	{STR_INIT("partition"), SCAN_PARTITION, TYPE_INTEGER},
	{STR_INIT("topic"), SCAN_TOPIC, TYPE_STRING},
	{STR_INIT("key"), SCAN_KEY, TYPE_STRING},
};

static Status
add_metadata(CatalogEntry *entry, const ColumnDef *column, const Type *type, Error *err)
{
	Str key = column->metadata_key.data != NULL ? column->metadata_key : column->name.text;

	for (size_t i = 0; i < sizeof metadata_keys / sizeof *metadata_keys; i++) {
		if (!str_eq_nocase(key, metadata_keys[i].key))
			continue;
		if (type->kind != metadata_keys[i].kind)
			return error_set_at(err, FERRIS_ERR_TYPE, column->position,
					    "metadata '%.*s' has type %s", STR_ARG(key),
					    type_kind_name(metadata_keys[i].kind));
		entry->metadata[entry->metadata_count++] = (ScanColumn){
			.name = column->name.text, .type = type, .source = metadata_keys[i].source};
		return FERRIS_OK;
	}
	error_set_at(err, FERRIS_ERR_UNKNOWN_COLUMN, column->position, "unknown metadata '%.*s'",
		     STR_ARG(key));
	return error_hint(err, "there is: timestamp, offset, partition, topic, key");
}

static Status
add_primary_key(CatalogEntry *entry, Name name, Error *err)
{
	int column = schema_find(&entry->schema, name.text);

	if (column < 0)
		return error_set_at(err, FERRIS_ERR_UNKNOWN_COLUMN, name.position,
				    "PRIMARY KEY names unknown column '%.*s'", STR_ARG(name.text));
	entry->primary_key[entry->primary_key_count++] = column;
	return FERRIS_OK;
}

static Status
declared_twice(const ColumnDef *column, Error *err)
{
	return error_set_at(err, FERRIS_ERR_DUPLICATE_NAME, column->position,
			    "column '%.*s' is declared twice", STR_ARG(column->name.text));
}

Status
resolve_columns(Arena *arena, const Statement *create, CatalogEntry *entry, Error *err)
{
	uint32_t count = create->create.column_count;

	entry->schema.fields = ARENA_ARRAY(arena, Field, count);
	entry->metadata = ARENA_ARRAY(arena, ScanColumn, count);
	entry->computed = ARENA_ARRAY(arena, const ColumnDef *, count);
	entry->primary_key = ARENA_ARRAY(arena, int, count + create->create.primary_key.count);
	for (uint32_t i = 0; i < count; i++) {
		const ColumnDef *column = &create->create.columns[i];
		const Type *type;

		if (schema_find(&entry->schema, column->name.text) >= 0)
			return declared_twice(column, err);
		for (uint32_t k = 0; k < entry->computed_count; k++)
			if (str_eq_nocase(entry->computed[k]->name.text, column->name.text))
				return declared_twice(column, err);
		if (column->computed != NULL) {
			entry->computed[entry->computed_count++] = column;
			continue;
		}
		TRY(resolve_type(arena, column->type, &type, err));
		if (column->metadata) {
			TRY(add_metadata(entry, column, type, err));
			continue;
		}
		entry->schema.fields[entry->schema.count++] = (Field){
			.name = column->name.text,
			.type = type,
			.not_null = column->not_null || column->primary_key,
		};
		if (column->primary_key)
			TRY(add_primary_key(entry, column->name, err));
	}
	for (uint32_t i = 0; i < create->create.primary_key.count; i++)
		TRY(add_primary_key(entry, create->create.primary_key.items[i], err));
	return FERRIS_OK;
}
