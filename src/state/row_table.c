/* state/row_table.c -- places, and tidying up. */
#include "state/row_table.h"

#include "base/memory.h"

#define FIRST_PLACES 256
#define TIDY_FLOOR   ((size_t)1 << 20)

static void
make_columns(RowTable *table, uint32_t capacity)
{
	table->columns = memory_zero(sizeof(Vector) * (table->column_count + 1));
	for (uint32_t c = 0; c < table->column_count; c++)
		vector_init(&table->columns[c], table->fields[c].type, FORM_VALUE, capacity);
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

void
row_table_init(RowTable *table, const Field *fields, uint32_t column_count)
{
	*table = (RowTable){
		.fields = fields, .column_count = column_count, .capacity = FIRST_PLACES};
	make_columns(table, FIRST_PLACES);
	table->live = memory_alloc(sizeof *table->live * FIRST_PLACES);
	table->free = memory_alloc(sizeof *table->free * FIRST_PLACES);
}

void
row_table_free(RowTable *table)
{
	if (table->columns == NULL)
		return;
	free_columns(table);
	memory_free(table->live);
	memory_free(table->free);
	*table = (RowTable){0};
}

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

void
row_table_tidy(RowTable *table)
{
	RowTable old = *table;

	if (arena_bytes(&table->bytes) < 2 * table->tidy_bytes + TIDY_FLOOR)
		return;
	make_columns(table, table->capacity);
	for (uint32_t place = 0; place < table->count; place++)
		if (table->live[place])
			row_table_put(table, place, old.columns, place);
	free_columns(&old);
	table->tidy_bytes = arena_bytes(&table->bytes);
}

size_t
row_table_bytes(const RowTable *table)
{
	size_t row = sizeof(uint32_t) + sizeof(bool);

	for (uint32_t c = 0; c < table->column_count; c++)
		row += physical_size(type_physical(table->fields[c].type));
	return row * table->capacity + arena_bytes(&table->bytes);
}
