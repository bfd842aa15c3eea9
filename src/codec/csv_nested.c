/* codec/csv_nested.c -- JSON text in fields. */
#include "codec/csv_nested.h"

#include "codec/json_print.h"

#define PRINTED_MAX ((size_t)1 << 30) /* bytes of one value */

bool
csv_read_nested(JsonReader *reader, Str text, bool not_null, Vector *vector, uint32_t row)
{
	const char *end = text.data + text.len;
	const char *p = json_skip_blanks(text.data, end);

	json_text_start(&reader->text, end);
	p = vector->form == FORM_TEXT ? json_read_text(reader, p, 0, vector, row)
				      : json_read_value(reader, p, 0, vector, row);
	if (p == NULL)
		return false;
	if (json_skip_blanks(p, end) != end)
		return json_fail(reader, FERRIS_ERR_BAD_VALUE, "something follows the JSON value");
	if (not_null && vector_is_null(vector, row))
		return json_fail(reader, FERRIS_ERR_NOT_NULL,
				 "NULL in a column that is declared NOT NULL");
	return true;
}

static StringView
print_row(Buffer *buffer, const TimestampStyle *style, const Vector *vector, uint32_t row,
	  Arena *heap)
{
	JsonPrintError error = {0};

	buffer_reset(buffer);
	if (!json_print_value(buffer, style, vector, row, &error)) {
		const char *what = error.what != NULL ? error.what : "the value is too long";

		return (StringView){what, (uint32_t)strlen(what), CSV_VIEW_FAILED};
	}
	return (StringView){arena_copy(heap, buffer->data, buffer->len), (uint32_t)buffer->len, 0};
}

Vector *
csv_print_nested(const TimestampStyle *style, const Vector *vector, Batch *batch)
{
	Arena *heap = &batch->heap;
	Vector *text = ARENA_NEW(heap, Vector);
	uint32_t capacity = vector->constant ? 1 : batch->row_count;
	Buffer buffer;

	*text = *vector;
	text->form = FORM_TEXT;
	text->data = arena_zero(heap, sizeof(StringView) * capacity);
	buffer_init(&buffer, PRINTED_MAX);
	for (uint32_t k = 0; k < batch->sel_count; k++) {
		uint32_t at = vector->constant ? 0 : batch->sel[k];

		if (!vector_is_null(vector, at))
			VECTOR_DATA(text, StringView)
			[at] = print_row(&buffer, style, vector, at, heap);
		if (vector->constant)
			break;
	}
	buffer_free(&buffer);
	return text;
}
