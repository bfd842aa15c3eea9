/* state/row_table.c -- places, tidying up, rows as bytes. */
#include "state/row_table.h"

#include "base/memory.h"
#include "state/record.h"

#define FIRST_PLACES 256
#define TIDY_FLOOR   ((size_t)1 << 20)

/* ---------------------------------------------------------------- columns */

static void
make_columns(RowTable *table, uint32_t capacity)
{
	table->columns = memory_zero(sizeof(Vector) * (table->column_count + 1));
	for (uint32_t c = 0; c < table->column_count; c++) {
		vector_init(&table->columns[c], table->fields[c].type, FORM_VALUE, capacity);
		table->views[c] = &table->columns[c];
	}
	table->capacity = capacity;
	arena_init(&table->bytes, 0);
}

static void
free_columns(RowTable *table)
{
	for (uint32_t c = 0; c < table->column_count; c++)
		vector_free(&table->columns[c]);
	memory_free(table->columns);
	arena_free(&table->bytes);
}

static void
make_places(RowTable *table)
{
	make_columns(table, FIRST_PLACES);
	table->live = memory_alloc(sizeof *table->live * FIRST_PLACES);
	table->free = memory_alloc(sizeof *table->free * FIRST_PLACES);
	table->count = table->free_count = table->rows = 0;
	table->tidy_bytes = 0;
}

static void
free_places(RowTable *table)
{
	free_columns(table);
	memory_free(table->live);
	memory_free(table->free);
}

void
row_table_init(RowTable *table, const Field *fields, uint32_t column_count)
{
	*table = (RowTable){.fields = fields, .column_count = column_count};
	table->views = memory_alloc(sizeof *table->views * (column_count + 1));
	table->read = memory_zero(sizeof *table->read * (column_count + 1));
	table->reads = memory_alloc(sizeof *table->reads * (column_count + 1));
	for (uint32_t c = 0; c < column_count; c++) {
		vector_init(&table->read[c], fields[c].type, FORM_VALUE, 1);
		table->reads[c] = &table->read[c];
	}
	make_places(table);
}

void
row_table_free(RowTable *table)
{
	if (table->columns == NULL)
		return;
	free_places(table);
	for (uint32_t c = 0; c < table->column_count; c++)
		vector_free(&table->read[c]);
	memory_free(table->views);
	memory_free(table->read);
	memory_free(table->reads);
	*table = (RowTable){0};
}

void
row_table_clear(RowTable *table)
{
	free_places(table);
	make_places(table);
}

/* ---------------------------------------------------------------- places */

static uint32_t
take_place(RowTable *table)
{
	table->rows++;
	if (table->free_count > 0)
		return table->free[--table->free_count];
	if (table->count == table->capacity) {
		table->capacity *= 2;
		for (uint32_t c = 0; c < table->column_count; c++)
			vector_reserve(&table->columns[c], table->capacity);
		table->live = memory_resize(table->live, sizeof *table->live * table->capacity);
		table->free = memory_resize(table->free, sizeof *table->free * table->capacity);
	}
	return table->count++;
}

uint32_t
row_table_put(RowTable *table, uint32_t place, const Vector *columns, uint32_t row)
{
	uint32_t to = place != NO_PLACE ? place : take_place(table);

	for (uint32_t c = 0; c < table->column_count; c++)
		vector_copy(&table->columns[c], to, &columns[c], row, &table->bytes);
	table->live[to] = true;
	return to;
}

void
row_table_drop(RowTable *table, uint32_t place)
{
	table->live[place] = false;
	table->free[table->free_count++] = place;
	table->rows--;
}

/* ---------------------------------------------------------------- bytes held */

static size_t
vector_bytes(const Vector *vector)
{
	size_t bytes = physical_size(type_physical(vector->type)) * vector->capacity;

	for (uint32_t i = 0; i < vector->child_count; i++)
		bytes += vector_bytes(&vector->children[i]);
	return bytes;
}

/* What texts and nested values take beside their columns. */
static size_t
loose_bytes(const RowTable *table)
{
	size_t bytes = arena_bytes(&table->bytes);

	for (uint32_t c = 0; c < table->column_count; c++)
		for (uint32_t i = 0; i < table->columns[c].child_count; i++)
			bytes += vector_bytes(&table->columns[c].children[i]);
	return bytes;
}

void
row_table_tidy(RowTable *table)
{
	RowTable old = *table;

	if (loose_bytes(table) < 2 * table->tidy_bytes + TIDY_FLOOR)
		return;
	make_columns(table, table->capacity);
	for (uint32_t place = 0; place < table->count; place++)
		if (table->live[place])
			row_table_put(table, place, old.columns, place);
	free_columns(&old);
	table->tidy_bytes = loose_bytes(table);
}

size_t
row_table_bytes(const RowTable *table)
{
	size_t row = sizeof(uint32_t) + sizeof(bool);

	for (uint32_t c = 0; c < table->column_count; c++)
		row += physical_size(type_physical(table->fields[c].type));
	return row * table->capacity + loose_bytes(table);
}

/* ---------------------------------------------------------------- rows as bytes */

void
row_table_write(const RowTable *table, uint32_t place, Buffer *out)
{
	record_write_row(out, table->views, table->column_count, place);
}

const char *
row_table_read(RowTable *table, const char *bytes, const char *end, uint32_t *place)
{
	for (uint32_t c = 0; c < table->column_count; c++)
		vector_reset(&table->read[c]);
	const char *next = record_read_row(bytes, end, table->reads, table->column_count, 0);
	if (next != NULL)
		*place = row_table_put(table, NO_PLACE, table->read, 0);
	return next;
}
