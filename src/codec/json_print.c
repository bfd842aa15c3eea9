/* codec/json_print.c -- values as JSON text. */
#include "codec/json_print.h"

#include <math.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "codec/json_text.h"
#include "codec/scan.h"
#include "type/decimal.h"

#define SCALAR_MAX 96 /* numbers, dates, intervals, quotes */

static const char hex[] = "0123456789abcdef";

static char *
print_escape(char *out, unsigned char c)
{
	static const char names[] = "btn\0fr"; /* of \b (8) to \r (13); \v (11) has none */

	*out++ = '\\';
	if (c == '"' || c == '\\') {
		*out++ = (char)c;
	} else if (c >= 8 && c <= 13 && c != 11) {
		*out++ = names[c - 8];
	} else {
		memcpy(out, "u00", 3);
		out[3] = hex[c >> 4];
		out[4] = hex[c & 15];
		out += 5;
	}
	return out;
}

char *
json_print_string(char *out, const char *data, size_t len)
{
	const char *p = data;
	const char *end = data + len;

	*out++ = '"';
	while (p < end) {
		const char *special = scan_special(p, end);

		out = scan_copy(out, p, (size_t)(special - p));
		p = special;
		if (p == end)
			break;
		if ((unsigned char)*p < 0x80) {
			out = print_escape(out, (unsigned char)*p++);
			continue;
		}
		const char *ascii = scan_ascii(p, end);
		if (!utf8_valid(p, (size_t)(ascii - p)))
			return NULL;
		out = scan_copy(out, p, (size_t)(ascii - p));
		p = ascii;
	}
	*out++ = '"';
	return out;
}

static bool
print_fault(JsonPrintError *error, Status status, const char *what)
{
	error->status = status;
	error->what = what;
	return false;
}

static bool
full(JsonPrintError *error)
{
	return print_fault(error, FERRIS_ERR_LIMIT, "the output buffer is full");
}

static bool
append(Buffer *out, const char *data, size_t len, JsonPrintError *error)
{
	return buffer_append(out, data, len) || full(error);
}

static bool
append_string(Buffer *out, const char *data, size_t len, JsonPrintError *error)
{
	char *p = buffer_reserve(out, JSON_STRING_MAX(len) + 32);

	if (p == NULL)
		return full(error);
	p = json_print_string(p, data, len);
	if (p == NULL)
		return print_fault(error, FERRIS_ERR_UTF8, "the text is not valid UTF-8");
	buffer_commit(out, p);
	return true;
}

/* JSON goes out as it is, on one line: a line end can only stand between its tokens. */
static bool
append_json(Buffer *out, StringView view, JsonPrintError *error)
{
	JsonText text = {.end = view.data + view.len, .max_depth = 1000};
	const char *p = json_skip_blanks(view.data, text.end);
	size_t start = out->len;

	p = json_check_value(&text, p, 0, false);
	if (p == NULL || json_skip_blanks(p, text.end) != text.end)
		return print_fault(error, FERRIS_ERR_BAD_VALUE, "the text is not valid JSON");
	if (!append(out, view.data, view.len, error))
		return false;
	for (size_t i = start; i < out->len; i++)
		if (out->data[i] == '\n' || out->data[i] == '\r')
			out->data[i] = ' ';
	return true;
}

static bool
append_bytes(Buffer *out, StringView view, JsonPrintError *error)
{
	char *p = buffer_reserve(out, BASE64_ENCODED(view.len) + 2);

	if (p == NULL)
		return full(error);
	*p++ = '"';
	p = base64_encode(p, view.data, view.len);
	*p++ = '"';
	buffer_commit(out, p);
	return true;
}

static bool
append_timestamp(Buffer *out, const TimestampStyle *style, int64_t micros, JsonPrintError *error)
{
	char text[TIMESTAMP_STYLE_MAX];

	if (!timestamp_in_range(micros))
		return print_fault(error, FERRIS_ERR_OUT_OF_RANGE, "the timestamp is out of range");
	char *end = timestamp_style_print(style, micros, text);
	if (end == NULL)
		return print_fault(error, FERRIS_ERR_BAD_VALUE,
				   "'timestamp.format' makes too long a text");
	if (timestamp_style_is_number(style))
		return append(out, text, (size_t)(end - text), error);
	return append_string(out, text, (size_t)(end - text), error);
}

static bool
append_double(Buffer *out, const Type *type, double value, JsonPrintError *error)
{
	char text[DOUBLE_TEXT_MAX];

	if (!isfinite(value))
		return print_fault(error, FERRIS_ERR_BAD_VALUE,
				   "JSON has no number for NaN and infinity");
	char *end = type->kind == TYPE_FLOAT ? float_print(text, (float)value)
					     : double_print(text, value);
	return append(out, text, (size_t)(end - text), error);
}

static bool
append_fixed(Buffer *out, const Vector *vector, uint32_t row, JsonPrintError *error)
{
	char *start = buffer_reserve(out, SCALAR_MAX);
	char *p = start;
	const Type *type = vector->type;

	if (p == NULL)
		return full(error);
	switch (type->kind) {
	case TYPE_BOOLEAN: {
		bool value = VECTOR_DATA(vector, uint8_t)[row] != 0;

		memcpy(p, value ? "true" : "false", 5);
		p += value ? 4 : 5;
		break;
	}
	case TYPE_DECIMAL:
		if (type_physical(type) == PHYSICAL_INT64)
			p = decimal_print64(p, VECTOR_DATA(vector, int64_t)[row], type->scale);
		else
			p = decimal_print128(p, VECTOR_DATA(vector, Int128)[row], type->scale);
		break;
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_INTERVAL:
		*p++ = '"';
		if (type->kind == TYPE_DATE)
			p = date_print(p, (int32_t)VECTOR_DATA(vector, int64_t)[row]);
		else if (type->kind == TYPE_TIME)
			p = time_print(p, VECTOR_DATA(vector, int64_t)[row]);
		else
			p = interval_print(p, VECTOR_DATA(vector, Interval)[row]);
		*p++ = '"';
		break;
	default:
		p = int64_print(p, VECTOR_DATA(vector, int64_t)[row]);
	}
	buffer_commit(out, p);
	return true;
}

/* ---- arrays and objects ---- */

static bool
append_array(Buffer *out, const TimestampStyle *style, const Vector *vector, uint32_t row,
	     JsonPrintError *error)
{
	ListEntry list = VECTOR_DATA(vector, ListEntry)[row];

	if (!append(out, "[", 1, error))
		return false;
	for (uint32_t i = 0; i < list.len; i++) {
		if (i > 0 && !append(out, ",", 1, error))
			return false;
		if (!json_print_value(out, style, &vector->children[0], list.offset + i, error))
			return false;
	}
	return append(out, "]", 1, error);
}

/* The key of a MAP: any scalar, in quotes. */
static bool
append_key(Buffer *out, const TimestampStyle *style, const Vector *keys, uint32_t row,
	   JsonPrintError *error)
{
	size_t start = out->len;

	if (vector_is_null(keys, row))
		return print_fault(error, FERRIS_ERR_BAD_VALUE, "JSON has no null keys");
	if (!json_print_value(out, style, keys, row, error))
		return false;
	if (out->data[start] == '"')
		return true;
	if (!append(out, "\"\"", 2, error))
		return false;
	memmove(out->data + start + 1, out->data + start, out->len - start - 2);
	out->data[start] = '"';
	return true;
}

static bool
append_map(Buffer *out, const TimestampStyle *style, const Vector *vector, uint32_t row,
	   JsonPrintError *error)
{
	ListEntry list = VECTOR_DATA(vector, ListEntry)[row];

	if (!append(out, "{", 1, error))
		return false;
	for (uint32_t i = 0; i < list.len; i++) {
		if (i > 0 && !append(out, ",", 1, error))
			return false;
		if (!append_key(out, style, &vector->children[0], list.offset + i, error) ||
		    !append(out, ":", 1, error) ||
		    !json_print_value(out, style, &vector->children[1], list.offset + i, error))
			return false;
	}
	return append(out, "}", 1, error);
}

static bool
append_struct(Buffer *out, const TimestampStyle *style, const Vector *vector, uint32_t row,
	      JsonPrintError *error)
{
	const Type *type = vector->type;

	if (!append(out, "{", 1, error))
		return false;
	for (uint32_t i = 0; i < type->field_count; i++) {
		Str name = type->fields[i].name;

		if (i > 0 && !append(out, ",", 1, error))
			return false;
		if (!append_string(out, name.data, name.len, error) ||
		    !append(out, ":", 1, error) ||
		    !json_print_value(out, style, &vector->children[i], row, error))
			return false;
	}
	return append(out, "}", 1, error);
}

/* ---- TEXT form ---- */

static bool
append_text(Buffer *out, const TimestampStyle *style, const Type *type, StringView view,
	    JsonPrintError *error)
{
	int64_t micros;

	if (type->field_count > 0 || type->kind == TYPE_JSON)
		return append_json(out, view, error);
	if (type_is_numeric(type) || type->kind == TYPE_BOOLEAN)
		return append(out, view.data, view.len, error);
	/* The text of a timestamp is ISO 8601, whatever the output wants. */
	if (type->kind == TYPE_TIMESTAMP && style->kind != TIMESTAMP_ISO8601 &&
	    timestamp_parse(view.data, view.len, &micros) == TEMPORAL_OK)
		return append_timestamp(out, style, micros, error);
	return append_string(out, view.data, view.len, error);
}

bool
json_print_value(Buffer *out, const TimestampStyle *style, const Vector *vector, uint32_t row,
		 JsonPrintError *error)
{
	const Type *type = vector->type;

	if (type->kind == TYPE_NULL || vector_is_null(vector, row))
		return append(out, "null", 4, error);
	if (vector->constant)
		row = 0;
	if (vector->form == FORM_TEXT)
		return append_text(out, style, type, VECTOR_DATA(vector, StringView)[row], error);
	switch (type->kind) {
	case TYPE_STRING: {
		StringView view = VECTOR_DATA(vector, StringView)[row];

		return append_string(out, view.data, view.len, error);
	}
	case TYPE_JSON:
		return append_json(out, VECTOR_DATA(vector, StringView)[row], error);
	case TYPE_BYTES:
		return append_bytes(out, VECTOR_DATA(vector, StringView)[row], error);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return append_double(out, type, VECTOR_DATA(vector, double)[row], error);
	case TYPE_TIMESTAMP:
		return append_timestamp(out, style, VECTOR_DATA(vector, int64_t)[row], error);
	case TYPE_ARRAY:
		return append_array(out, style, vector, row, error);
	case TYPE_MAP:
		return append_map(out, style, vector, row, error);
	case TYPE_STRUCT:
		return append_struct(out, style, vector, row, error);
	default:
		return append_fixed(out, vector, row, error);
	}
}
