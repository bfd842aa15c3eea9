/* type/value.c -- between single values and rows of vectors, and values as text. */
#include "type/value.h"

#include <assert.h>

#include "type/number.h"

Value
value_from_vector(const Vector *vector, uint32_t row)
{
	Value value = {.type = vector->type};
	uint32_t at = vector->constant ? 0 : row;

	assert(vector->form == FORM_VALUE);
	if (vector_is_null(vector, row))
		return value_null(vector->type);
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		value.boolean = VECTOR_DATA(vector, const uint8_t)[at];
		break;
	case PHYSICAL_INT64:
		value.int64 = VECTOR_DATA(vector, const int64_t)[at];
		break;
	case PHYSICAL_INT128:
		value.int128 = VECTOR_DATA(vector, const Int128)[at];
		break;
	case PHYSICAL_DOUBLE:
		value.real = VECTOR_DATA(vector, const double)[at];
		break;
	case PHYSICAL_VIEW: {
		StringView view = VECTOR_DATA(vector, const StringView)[at];
		value.text = (Str){view.data, view.len};
		break;
	}
	case PHYSICAL_INTERVAL:
		value.interval = VECTOR_DATA(vector, const Interval)[at];
		break;
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT:
		assert(false && "a Value holds scalars only");
		break;
	}
	return value;
}

void
value_to_vector(const Value *value, Vector *vector, uint32_t row)
{
	assert(row < vector->capacity);
	if (value->is_null) {
		vector_set_null(vector, row);
		return;
	}
	vector_set_valid(vector, row);
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		VECTOR_DATA(vector, uint8_t)[row] = value->boolean;
		break;
	case PHYSICAL_INT64:
		VECTOR_DATA(vector, int64_t)[row] = value->int64;
		break;
	case PHYSICAL_INT128:
		VECTOR_DATA(vector, Int128)[row] = value->int128;
		break;
	case PHYSICAL_DOUBLE:
		VECTOR_DATA(vector, double)[row] = value->real;
		break;
	case PHYSICAL_VIEW:
		VECTOR_DATA(vector, StringView)
		[row] = (StringView){value->text.data, value->text.len, 0};
		break;
	case PHYSICAL_INTERVAL:
		VECTOR_DATA(vector, Interval)[row] = value->interval;
		break;
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT:
		assert(false && "a Value holds scalars only");
		break;
	}
}

/* 'it''s' */
static Str
quoted(Arena *arena, Str text)
{
	char *out = arena_alloc(arena, (size_t)text.len * 2 + 3);
	char *p = out;

	*p++ = '\'';
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.data[i] == '\'')
			*p++ = '\'';
		*p++ = text.data[i];
	}
	*p++ = '\'';
	*p = '\0';
	return (Str){out, (uint32_t)(p - out)};
}

static Str
hex(Arena *arena, Str bytes)
{
	static const char digits[] = "0123456789ABCDEF";
	char *out = arena_alloc(arena, (size_t)bytes.len * 2 + 4);
	char *p = out;

	*p++ = 'X';
	*p++ = '\'';
	for (uint32_t i = 0; i < bytes.len; i++) {
		uint8_t byte = (uint8_t)bytes.data[i];
		*p++ = digits[byte >> 4];
		*p++ = digits[byte & 15];
	}
	*p++ = '\'';
	*p = '\0';
	return (Str){out, (uint32_t)(p - out)};
}

Str
value_text(Arena *arena, const Value *value)
{
	char digits[INTERVAL_TEXT_MAX];
	const char *kind = type_kind_name(value->type->kind);
	char *end = digits;

	if (value->is_null)
		return STR("NULL");
	switch (value->type->kind) {
	case TYPE_BOOLEAN:
		return value->boolean ? STR("TRUE") : STR("FALSE");
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
	case TYPE_INTEGER:
	case TYPE_BIGINT:
		end = int64_print(digits, value->int64);
		break;
	case TYPE_FLOAT:
		end = float_print(digits, (float)value->real);
		break;
	case TYPE_DOUBLE:
		end = double_print(digits, value->real);
		break;
	case TYPE_DECIMAL:
		if (type_physical(value->type) == PHYSICAL_INT128)
			end = decimal_print128(digits, value->int128, value->type->scale);
		else
			end = decimal_print64(digits, value->int64, value->type->scale);
		break;
	case TYPE_STRING:
		return quoted(arena, value->text);
	case TYPE_JSON:
		return str_format(arena, "JSON %.*s", STR_ARG(quoted(arena, value->text)));
	case TYPE_BYTES:
		return hex(arena, value->text);
	case TYPE_DATE:
		end = date_print(digits, (int32_t)value->int64);
		return str_format(arena, "%s '%.*s'", kind, (int)(end - digits), digits);
	case TYPE_TIME:
		end = time_print(digits, value->int64);
		return str_format(arena, "%s '%.*s'", kind, (int)(end - digits), digits);
	case TYPE_TIMESTAMP:
		end = timestamp_print(digits, value->int64);
		return str_format(arena, "%s '%.*s'", kind, (int)(end - digits), digits);
	case TYPE_INTERVAL:
		end = interval_print(digits, value->interval);
		return str_format(arena, "%s '%.*s'", kind, (int)(end - digits), digits);
	default:
		return str_format(arena, "(%s)", kind);
	}
	return str_copy(arena, (Str){digits, (uint32_t)(end - digits)});
}
