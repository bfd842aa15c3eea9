/* type/vector.c -- allocation and growth of vectors. */
#include "type/vector.h"

#include <assert.h>

#include "base/memory.h"

#define VECTOR_ALIGN        64
#define LIST_FIRST_CAPACITY 256

static size_t
value_size(const Vector *vector)
{
	return physical_size(vector_physical(vector));
}

void
vector_init(Vector *vector, const Type *type, VectorForm form, uint32_t capacity)
{
	*vector = (Vector){.type = type, .form = form, .capacity = capacity};
	vector->data = memory_aligned(VECTOR_ALIGN, value_size(vector) * capacity);
	vector->valid = memory_aligned(VECTOR_ALIGN, BITMAP_WORDS(capacity) * sizeof(uint64_t));
	if (form == FORM_TEXT || type->field_count == 0)
		return;
	bool is_list = type_physical(type) == PHYSICAL_LIST;
	vector->child_count = type->field_count;
	vector->children = memory_zero(sizeof(Vector) * type->field_count);
	for (uint32_t i = 0; i < type->field_count; i++)
		vector_init(&vector->children[i], type->fields[i].type, FORM_VALUE,
			    is_list ? LIST_FIRST_CAPACITY : capacity);
}

void
vector_free(Vector *vector)
{
	for (uint32_t i = 0; i < vector->child_count; i++)
		vector_free(&vector->children[i]);
	memory_free(vector->children);
	memory_free(vector->valid);
	memory_free(vector->data);
	*vector = (Vector){0};
}

void
vector_reset(Vector *vector)
{
	vector->has_null = false;
	vector->constant = false;
	vector->child_len = 0;
	for (uint32_t i = 0; i < vector->child_count; i++)
		vector_reset(&vector->children[i]);
}

void
vector_reserve(Vector *vector, uint32_t rows)
{
	uint32_t capacity = vector->capacity > 0 ? vector->capacity : 64;

	if (rows <= vector->capacity)
		return;
	while (capacity < rows)
		capacity *= 2;
	size_t size = value_size(vector);
	void *data = memory_aligned(VECTOR_ALIGN, size * capacity);
	uint64_t *valid = memory_aligned(VECTOR_ALIGN, BITMAP_WORDS(capacity) * sizeof(uint64_t));

	memcpy(data, vector->data, size * vector->capacity);
	bitmap_fill(valid, capacity, true);
	if (vector->has_null)
		memcpy(valid, vector->valid, BITMAP_WORDS(vector->capacity) * sizeof(uint64_t));
	memory_free(vector->data);
	memory_free(vector->valid);
	vector->data = data;
	vector->valid = valid;
	vector->capacity = capacity;
	if (vector->form == FORM_VALUE && type_physical(vector->type) == PHYSICAL_STRUCT)
		for (uint32_t i = 0; i < vector->child_count; i++)
			vector_reserve(&vector->children[i], rows);
}

uint32_t
vector_list_append(Vector *vector, uint32_t count)
{
	uint32_t first = vector->child_len;

	assert(type_physical(vector->type) == PHYSICAL_LIST);
	for (uint32_t i = 0; i < vector->child_count; i++)
		vector_reserve(&vector->children[i], first + count);
	vector->child_len = first + count;
	return first;
}

static void
copy_list(Vector *to, uint32_t to_row, const Vector *from, uint32_t from_row, Arena *bytes)
{
	ListEntry entry = VECTOR_DATA(from, ListEntry)[from_row];
	uint32_t first = vector_list_append(to, entry.len);

	VECTOR_DATA(to, ListEntry)[to_row] = (ListEntry){first, entry.len};
	for (uint32_t c = 0; c < to->child_count; c++)
		for (uint32_t i = 0; i < entry.len; i++)
			vector_copy(&to->children[c], first + i, &from->children[c],
				    entry.offset + i, bytes);
}

void
vector_copy(Vector *to, uint32_t to_row, const Vector *from, uint32_t from_row, Arena *bytes)
{
	Physical physical = type_physical(from->type);
	size_t size = physical_size(physical);

	assert(to->form == FORM_VALUE && from->form == FORM_VALUE && to_row < to->capacity);
	if (from->constant)
		from_row = 0;
	if (vector_is_null(from, from_row)) {
		vector_set_null(to, to_row);
		return;
	}
	vector_set_valid(to, to_row);
	if (physical == PHYSICAL_LIST) {
		copy_list(to, to_row, from, from_row, bytes);
		return;
	}
	for (uint32_t c = 0; physical == PHYSICAL_STRUCT && c < to->child_count; c++)
		vector_copy(&to->children[c], to_row, &from->children[c], from_row, bytes);
	memcpy((char *)to->data + size * to_row, (const char *)from->data + size * from_row, size);
	if (physical == PHYSICAL_VIEW && bytes != NULL) {
		StringView *view = &VECTOR_DATA(to, StringView)[to_row];

		view->data = arena_copy(bytes, view->data, view->len);
	}
}

/* One loop for each size of a value, so that a copy is a load and a store. */
#define GATHER_LOOP(CType)                                                                         \
	for (uint32_t k = 0; k < count; k++)                                                       \
	VECTOR_DATA(to, CType)[to_rows[k]] = VECTOR_DATA(from, CType)[from_rows[k]]

void
vector_gather(Vector *to, const uint16_t *to_rows, const Vector *from, const uint32_t *from_rows,
	      uint32_t count)
{
	bool simple = !from->has_null && !to->has_null && !from->constant && to->child_count == 0;
	size_t size = physical_size(type_physical(from->type));

	if (simple && size == sizeof(uint64_t)) {
		GATHER_LOOP(uint64_t);
	} else if (simple && size == sizeof(StringView)) {
		GATHER_LOOP(StringView);
	} else {
		for (uint32_t k = 0; k < count; k++)
			vector_copy(to, to_rows[k], from, from_rows[k], NULL);
	}
}

void
vector_first_null(Vector *vector)
{
	bitmap_fill(vector->valid, vector->capacity, true);
	vector->has_null = true;
}
