/* state/row_slab.c -- places of rows. */
#include "state/row_slab.h"

#include "base/memory.h"

#define FIRST_CAPACITY 256
#define TIDY_FLOOR     4096 /* rows that are worth a new arena */
#define PLACE_USED     (UINT32_MAX - 1)

static bool
lies_elsewhere(const Type *type)
{
	Physical physical = type_physical(type);

	if (physical == PHYSICAL_VIEW || physical == PHYSICAL_LIST)
		return true;
	for (uint32_t i = 0; i < type->field_count; i++)
		if (lies_elsewhere(type->fields[i].type))
			return true;
	return false;
}

static Vector *
new_columns(const RowSlab *slab, uint32_t capacity)
{
	Vector *columns = memory_zero(sizeof(Vector) * (slab->column_count + 1));

	for (uint32_t c = 0; c < slab->column_count; c++)
		vector_init(&columns[c], slab->fields[c].type, FORM_VALUE, capacity);
	return columns;
}

static void
free_columns(const RowSlab *slab, Vector *columns)
{
	for (uint32_t c = 0; c < slab->column_count; c++)
		vector_free(&columns[c]);
	memory_free(columns);
}

void
row_slab_init(RowSlab *slab, const Field *fields, uint32_t column_count)
{
	*slab = (RowSlab){.fields = fields, .column_count = column_count, .first_free = NO_PLACE};
	slab->capacity = FIRST_CAPACITY;
	slab->columns = new_columns(slab, slab->capacity);
	slab->next = memory_alloc(sizeof *slab->next * slab->capacity);
	for (uint32_t c = 0; c < column_count; c++)
		slab->has_bytes = slab->has_bytes || lies_elsewhere(fields[c].type);
	arena_init(&slab->bytes, 0);
}

void
row_slab_free(RowSlab *slab)
{
	if (slab->columns != NULL)
		free_columns(slab, slab->columns);
	memory_free(slab->next);
	arena_free(&slab->bytes);
	*slab = (RowSlab){0};
}

static uint32_t
take_place(RowSlab *slab)
{
	uint32_t place = slab->first_free;

	if (place != NO_PLACE) {
		slab->first_free = slab->next[place];
		return place;
	}
	if (slab->count == slab->capacity) {
		slab->capacity *= 2;
		slab->next = memory_resize(slab->next, sizeof *slab->next * slab->capacity);
		for (uint32_t c = 0; c < slab->column_count; c++)
			vector_reserve(&slab->columns[c], slab->capacity);
	}
	return slab->count++;
}

uint32_t
row_slab_add(RowSlab *slab, const Vector *columns, uint32_t row)
{
	uint32_t place = take_place(slab);

	for (uint32_t c = 0; c < slab->column_count; c++)
		vector_copy(&slab->columns[c], place, &columns[c], row, &slab->bytes);
	slab->next[place] = PLACE_USED;
	slab->rows++;
	return place;
}

void
row_slab_remove(RowSlab *slab, uint32_t place)
{
	slab->next[place] = slab->first_free;
	slab->first_free = place;
	slab->rows--;
	slab->gone++;
}

void
row_slab_tidy(RowSlab *slab)
{
	Arena bytes;

	if (!slab->has_bytes || slab->gone < TIDY_FLOOR || slab->gone < slab->rows)
		return;
	Vector *columns = new_columns(slab, slab->capacity);
	arena_init(&bytes, 0);
	for (uint32_t place = 0; place < slab->count; place++)
		for (uint32_t c = 0; c < slab->column_count && slab->next[place] == PLACE_USED; c++)
			vector_copy(&columns[c], place, &slab->columns[c], place, &bytes);
	free_columns(slab, slab->columns);
	arena_free(&slab->bytes);
	slab->columns = columns;
	slab->bytes = bytes;
	slab->gone = 0;
}

static size_t
vector_bytes(const Vector *vector)
{
	size_t bytes = physical_size(type_physical(vector->type)) * vector->capacity;

	for (uint32_t i = 0; i < vector->child_count; i++)
		bytes += vector_bytes(&vector->children[i]);
	return bytes;
}

size_t
row_slab_bytes(const RowSlab *slab)
{
	size_t bytes = sizeof *slab->next * slab->capacity + arena_bytes(&slab->bytes);

	for (uint32_t c = 0; c < slab->column_count; c++)
		bytes += vector_bytes(&slab->columns[c]);
	return bytes;
}
