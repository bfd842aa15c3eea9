/* plan/bind_table.c -- tables over topics: a record replaces the one of its primary key.
 *
 * A null value deletes its key, which is then read from the record's key: the text of the one key
 * column, or a JSON object of several. */
#include "func/function.h"
#include "plan/bind.h"

/* One more column of the scan: whether the record's value is null. */
static BoundExpr *
add_deleted(Binder *binder, PlanNode *scan)
{
	uint32_t count = scan->schema.count;
	ScanColumn *columns = ARENA_ARRAY(binder->arena, ScanColumn, count + 1);
	Field *fields = ARENA_ARRAY(binder->arena, Field, count + 1);

	memcpy(columns, scan->scan.columns, sizeof *columns * count);
	memcpy(fields, scan->schema.fields, sizeof *fields * count);
	columns[count] = (ScanColumn){
		.name = STR("_deleted"), .type = TYPE_OF(BOOLEAN), .source = SCAN_DELETED};
	fields[count] = (Field){.name = STR("_deleted"), .type = TYPE_OF(BOOLEAN)};
	/* A row that deletes has NULL in every field; the Table looks at the others. */
	for (uint32_t i = 0; i < count; i++)
		columns[i].not_null = false;
	scan->scan.columns = columns;
	scan->scan.null_rows = true;
	scan->schema = (Schema){fields, count + 1};
	return bound_column(binder->arena, count, TYPE_OF(BOOLEAN), STR("_deleted"),
			    scan->position);
}

/* The key column's value in the record's key. */
static Status
key_of_record(Binder *binder, const PlanNode *scan, const Field *field, bool alone, BoundExpr **out)
{
	int column = schema_find(&scan->schema, STR("_key"));
	BoundExpr *key = bound_column(binder->arena, (uint32_t)column, TYPE_OF(STRING), STR("_key"),
				      scan->position);

	if (!alone) {
		Str path = str_format(binder->arena, "$.%.*s", STR_ARG(field->name));
		Value value = {.type = TYPE_OF(STRING), .text = path};
		BoundExpr *args[] = {key, bound_constant(binder->arena, value, scan->position)};

		TRY(function_bind(binder->arena, STR("JSON_VALUE"), args, 2, scan->position, &key,
				  binder->err));
	}
	return bound_cast(binder->arena, key, field->type, CAST_EXPLICIT, out, binder->err);
}

/* CASE WHEN _deleted THEN the record's key ELSE the column END */
static Status
key_expr(Binder *binder, const PlanNode *scan, uint32_t column, bool alone, BoundExpr *deleted,
	 BoundExpr **out)
{
	const Field *field = &scan->schema.fields[column];
	BoundExpr **args = ARENA_ARRAY(binder->arena, BoundExpr *, 3);

	args[0] = deleted;
	TRY(key_of_record(binder, scan, field, alone, &args[1]));
	args[2] = bound_column(binder->arena, column, field->type, field->name, scan->position);
	*out = bound_node(binder->arena, BOUND_CASE, field->type, args, 3, scan->position);
	return FERRIS_OK;
}

Status
bind_keyed_table(Binder *binder, const CatalogEntry *entry, PlanNode **root)
{
	PlanNode *scan = *root;
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	uint32_t count = scan->schema.count;
	uint32_t keys = entry->primary_key_count;

	if (binder->versions || entry->statement == NULL || keys == 0 ||
	    entry->statement->create.object != OBJECT_TABLE ||
	    !entry->source->connector->keyed_output)
		return FERRIS_OK;
	*node = (PlanNode){.kind = PLAN_TABLE,
			   .position = scan->position,
			   .input = scan,
			   .schema = {ARENA_ARRAY(binder->arena, Field, count), count}};
	memcpy(node->schema.fields, scan->schema.fields, sizeof(Field) * count);
	node->table.deleted = add_deleted(binder, scan);
	node->table.keys = ARENA_ARRAY(binder->arena, BoundExpr *, keys);
	node->table.key_count = keys;
	for (uint32_t k = 0; k < keys; k++)
		TRY(key_expr(binder, scan, (uint32_t)entry->primary_key[k], keys == 1,
			     node->table.deleted, &node->table.keys[k]));
	node->table.left = ARENA_ARRAY(binder->arena, BoundExpr *, count);
	node->table.left_count = count;
	for (uint32_t i = 0; i < count; i++)
		node->table.left[i] = bound_column(binder->arena, i, scan->schema.fields[i].type,
						   scan->schema.fields[i].name, scan->position);
	*root = node;
	return FERRIS_OK;
}
