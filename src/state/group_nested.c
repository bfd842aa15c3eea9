/* state/group_nested.c -- values of ARRAY, MAP and ROW as bytes, and back.
 *
 * A value is a byte (1 = NULL) and, if it is not NULL, its content: scalars in their size, texts
 * with a length before them, lists with a count before their elements, rows field by field.  What
 * is text by its form is written as a text, whatever its type. */
#include <assert.h>

#include "state/group_key.h"
#include "type/decimal.h"
#include "type/temporal.h"

#define NESTED_VALID 0
#define NESTED_NULL  1

static void
append(Buffer *out, const void *data, size_t len)
{
	bool done = buffer_append(out, data, len);

	assert(done); /* the buffer has no limit */
	(void)done;
}

static void
write_list(Buffer *out, const Vector *vector, uint32_t at)
{
	ListEntry entry = VECTOR_DATA(vector, const ListEntry)[at];

	append(out, &entry.len, sizeof entry.len);
	for (uint32_t c = 0; c < vector->child_count; c++)
		for (uint32_t i = 0; i < entry.len; i++)
			group_nested_write(out, &vector->children[c], entry.offset + i);
}

void
group_nested_write(Buffer *out, const Vector *vector, uint32_t row)
{
	uint32_t at = vector->constant ? 0 : row;
	Physical physical = vector_physical(vector);

	if (vector_is_null(vector, row)) {
		buffer_append_char(out, NESTED_NULL);
		return;
	}
	buffer_append_char(out, NESTED_VALID);
	switch (physical) {
	case PHYSICAL_BOOL:
	case PHYSICAL_INT64:
	case PHYSICAL_INT128:
	case PHYSICAL_INTERVAL: {
		size_t size = physical_size(physical);
		append(out, VECTOR_DATA(vector, const char) + size * at, size);
		break;
	}
	case PHYSICAL_DOUBLE: {
		uint64_t bits = group_double_bits(VECTOR_DATA(vector, const double)[at]);
		append(out, &bits, sizeof bits);
		break;
	}
	case PHYSICAL_VIEW: {
		const StringView *view = &VECTOR_DATA(vector, const StringView)[at];
		append(out, &view->len, sizeof view->len);
		if (view->len > 0)
			append(out, view->data, view->len);
		break;
	}
	case PHYSICAL_LIST:
		write_list(out, vector, at);
		break;
	case PHYSICAL_STRUCT:
		for (uint32_t c = 0; c < vector->child_count; c++)
			group_nested_write(out, &vector->children[c], at);
		break;
	case PHYSICAL_COUNT:
		assert(false);
		break;
	}
}

/* A NULL row has NULL fields, so that nobody follows a field's pointer. */
static void
set_null(Vector *vector, uint32_t row)
{
	vector_set_null(vector, row);
	if (vector_physical(vector) == PHYSICAL_STRUCT)
		for (uint32_t c = 0; c < vector->child_count; c++)
			set_null(&vector->children[c], row);
}

/* `size` bytes from *bytes on, which moves behind them; NULL, and *bytes NULL, if there are fewer.
 */
static const char *
take(const char **bytes, const char *end, size_t size)
{
	const char *start = *bytes;

	*bytes = (size_t)(end - start) < size ? NULL : start + size;
	return *bytes != NULL ? start : NULL;
}

static const char *
read_list(const char *bytes, const char *end, Vector *vector, uint32_t row)
{
	uint32_t len;
	const char *count = take(&bytes, end, sizeof len);

	if (count == NULL)
		return NULL;
	memcpy(&len, count, sizeof len);
	if (len > (size_t)(end - bytes)) /* an element has a byte at least */
		return NULL;
	uint32_t first = vector_list_append(vector, len);
	VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, len};
	for (uint32_t c = 0; c < vector->child_count; c++)
		for (uint32_t i = 0; i < len && bytes != NULL; i++)
			bytes = group_nested_read(bytes, end, &vector->children[c], first + i);
	return bytes;
}

static const char *
read_text(const char *bytes, const char *end, Vector *vector, uint32_t row)
{
	uint32_t len;
	const char *count = take(&bytes, end, sizeof len);

	if (count == NULL)
		return NULL;
	memcpy(&len, count, sizeof len);
	const char *text = take(&bytes, end, len);
	if (text == NULL)
		return NULL;
	VECTOR_DATA(vector, StringView)[row] = (StringView){text, len, 0};
	return bytes;
}

static const char *
read_struct(const char *bytes, const char *end, Vector *vector, uint32_t row)
{
	for (uint32_t c = 0; c < vector->child_count && bytes != NULL; c++)
		bytes = group_nested_read(bytes, end, &vector->children[c], row);
	return bytes;
}

const char *
group_nested_read(const char *bytes, const char *end, Vector *vector, uint32_t row)
{
	Physical physical = vector_physical(vector);
	const char *head = take(&bytes, end, 1);
	const char *value;

	if (head == NULL || (unsigned char)*head > NESTED_NULL)
		return NULL;
	if (*head == NESTED_NULL) {
		set_null(vector, row);
		return bytes;
	}
	vector_set_valid(vector, row);
	switch (physical) {
	case PHYSICAL_BOOL:
	case PHYSICAL_INT64:
	case PHYSICAL_INT128:
	case PHYSICAL_DOUBLE:
	case PHYSICAL_INTERVAL: {
		size_t size = physical_size(physical);

		value = take(&bytes, end, size);
		if (value == NULL || (physical == PHYSICAL_BOOL && (unsigned char)*value > 1))
			return NULL;
		memcpy(VECTOR_DATA(vector, char) + size * row, value, size);
		return bytes;
	}
	case PHYSICAL_VIEW:
		return read_text(bytes, end, vector, row);
	case PHYSICAL_LIST:
		return read_list(bytes, end, vector, row);
	case PHYSICAL_STRUCT:
		return read_struct(bytes, end, vector, row);
	case PHYSICAL_COUNT:
		break;
	}
	assert(false);
	return NULL;
}
