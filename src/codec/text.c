/* codec/text.c -- one value of a scalar type from its text, and back. */
#include "codec/text.h"

#include <assert.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "type/number.h"

#define SHORTENED_MAX 64

static const TimestampStyle iso_style = {TIMESTAMP_ISO8601, STR_INIT("")};

/* ---- results of type/ as statuses ---- */

static Status
from_number(NumberResult result)
{
	static const Status statuses[] = {
		[NUMBER_OK] = FERRIS_OK,
		[NUMBER_SYNTAX] = FERRIS_ERR_BAD_VALUE,
		[NUMBER_OVERFLOW] = FERRIS_ERR_OUT_OF_RANGE,
	};
	return statuses[result];
}

static Status
from_decimal(DecimalResult result)
{
	static const Status statuses[] = {
		[DECIMAL_OK] = FERRIS_OK,
		[DECIMAL_SYNTAX] = FERRIS_ERR_BAD_VALUE,
		[DECIMAL_OVERFLOW] = FERRIS_ERR_OUT_OF_RANGE,
		[DECIMAL_LOST_DIGITS] = FERRIS_ERR_DIGIT_LOSS,
		[DECIMAL_DIVISION_BY_ZERO] = FERRIS_ERR_BAD_VALUE,
	};
	return statuses[result];
}

static Status
from_temporal(TemporalResult result)
{
	switch (result) {
	case TEMPORAL_OK:
		return FERRIS_OK;
	case TEMPORAL_RANGE:
		return FERRIS_ERR_OUT_OF_RANGE;
	case TEMPORAL_LOST_DIGITS:
		return FERRIS_ERR_DIGIT_LOSS;
	default:
		return FERRIS_ERR_BAD_VALUE;
	}
}

/* ---- text to value ---- */

static Status
parse_boolean(Str text, bool *out)
{
	static const Str words[] = {
		STR_INIT("false"), STR_INIT("true"), STR_INIT("f"), STR_INIT("t"),
		STR_INIT("no"),    STR_INIT("yes"),  STR_INIT("0"), STR_INIT("1"),
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_eq_nocase(text, words[i])) {
			*out = i & 1;
			return FERRIS_OK;
		}
	return FERRIS_ERR_BAD_VALUE;
}

static Status
parse_integer(const Type *type, Str text, int64_t *out)
{
	int64_t value, min, max;

	TRY(from_number(int64_parse(text.data, text.len, &value)));
	type_integer_range(type->kind, &min, &max);
	if (value < min || value > max)
		return FERRIS_ERR_OUT_OF_RANGE;
	*out = value;
	return FERRIS_OK;
}

/* -digits[.digits]: no ISO 8601 text looks like that. */
static bool
is_plain_number(Str text)
{
	uint32_t i = text.len > 1 && text.data[0] == '-';
	uint32_t points = 0;

	for (; i < text.len; i++) {
		points += text.data[i] == '.';
		if (text.data[i] != '.' && (text.data[i] < '0' || text.data[i] > '9'))
			return false;
	}
	return text.len > 0 && points <= 1;
}

static Status
parse_timestamp(const TimestampStyle *style, Str text, int64_t *out)
{
	if (style->kind == TIMESTAMP_ISO8601 && is_plain_number(text))
		return from_temporal(timestamp_style_read_number(style, text, out));
	return from_temporal(timestamp_style_read_text(style, text, out));
}

static Status
parse_decimal(const Type *type, Str text, Value *out)
{
	if (type->precision <= DECIMAL_MAX_PRECISION_64)
		return from_decimal(decimal_parse64(text.data, text.len, type->precision,
						    type->scale, ROUND_EXACT, &out->int64));
	return from_decimal(decimal_parse(text.data, text.len, type->precision, type->scale,
					  ROUND_EXACT, &out->int128));
}

static Status
parse_real(const Type *type, Str text, double *out)
{
	float narrow;

	if (type->kind == TYPE_DOUBLE)
		return from_number(double_parse(text.data, text.len, out));
	TRY(from_number(float_parse(text.data, text.len, &narrow)));
	*out = (double)narrow;
	return FERRIS_OK;
}

static Status
parse_date(Str text, int64_t *out)
{
	int32_t days;

	TRY(from_temporal(date_parse(text.data, text.len, &days)));
	*out = days;
	return FERRIS_OK;
}

static Status
parse_bytes(Str text, Arena *arena, Str *out)
{
	char *bytes = arena_alloc(arena, BASE64_DECODED(text.len));
	size_t len;

	if (!base64_decode(text.data, text.len, bytes, &len))
		return FERRIS_ERR_BAD_VALUE;
	*out = (Str){bytes, (uint32_t)len};
	return FERRIS_OK;
}

static Status
parse_scalar(const Type *type, const TimestampStyle *style, Str text, Arena *arena, Value *out)
{
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return parse_boolean(text, &out->boolean);
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
	case TYPE_INTEGER:
	case TYPE_BIGINT:
		return parse_integer(type, text, &out->int64);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return parse_real(type, text, &out->real);
	case TYPE_DECIMAL:
		return parse_decimal(type, text, out);
	case TYPE_STRING:
		out->text = text;
		return utf8_valid(text.data, text.len) ? FERRIS_OK : FERRIS_ERR_UTF8;
	case TYPE_JSON:
		out->text = text;
		return FERRIS_OK;
	case TYPE_BYTES:
		return parse_bytes(text, arena, &out->text);
	case TYPE_DATE:
		return parse_date(text, &out->int64);
	case TYPE_TIME:
		return from_temporal(time_parse(text.data, text.len, &out->int64));
	case TYPE_TIMESTAMP:
		return parse_timestamp(style, text, &out->int64);
	case TYPE_INTERVAL:
		return from_temporal(interval_parse_text(text.data, text.len, &out->interval));
	default:
		return FERRIS_ERR_BAD_VALUE;
	}
}

Status
text_parse(const Type *type, const TimestampStyle *style, Str text, Arena *arena, Value *out)
{
	Value value = {.type = type};

	TRY(parse_scalar(type, style != NULL ? style : &iso_style, text, arena, &value));
	*out = value;
	return FERRIS_OK;
}

/* ---- value to text ---- */

static char *
print_boolean(char *out, bool value)
{
	Str text = value ? STR("true") : STR("false");

	memcpy(out, text.data, text.len);
	return out + text.len;
}

char *
text_print(char *out, const Value *value, const TimestampStyle *style)
{
	const Type *type = value->type;

	assert(!value->is_null);
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return print_boolean(out, value->boolean);
	case TYPE_FLOAT:
		return float_print(out, (float)value->real);
	case TYPE_DOUBLE:
		return double_print(out, value->real);
	case TYPE_DECIMAL:
		return type->precision <= DECIMAL_MAX_PRECISION_64
			       ? decimal_print64(out, value->int64, type->scale)
			       : decimal_print128(out, value->int128, type->scale);
	case TYPE_DATE:
		return date_print(out, (int32_t)value->int64);
	case TYPE_TIME:
		return time_print(out, value->int64);
	case TYPE_TIMESTAMP:
		return timestamp_style_print(style != NULL ? style : &iso_style, value->int64, out);
	case TYPE_INTERVAL:
		return interval_print(out, value->interval);
	default:
		assert(type_is_integer(type));
		return int64_print(out, value->int64);
	}
}

Str
text_from_value(Arena *arena, const Value *value, const TimestampStyle *style)
{
	char small[TEXT_PRINT_MAX];
	char *start, *end;

	switch (value->type->kind) {
	case TYPE_STRING:
	case TYPE_JSON:
		return value->text;
	case TYPE_BYTES:
		start = arena_alloc(arena, BASE64_ENCODED(value->text.len));
		end = base64_encode(start, value->text.data, value->text.len);
		return (Str){start, (uint32_t)(end - start)};
	default:
		end = text_print(small, value, style);
		if (end == NULL)
			return (Str){NULL, 0};
		return str_copy(arena, (Str){small, (uint32_t)(end - small)});
	}
}

/* ---- messages ---- */

Str
text_shorten(Arena *arena, Str text)
{
	static const char hex[] = "0123456789ABCDEF";
	char out[SHORTENED_MAX + 16];
	size_t used = 0, i = 0, size;

	while (i < text.len && used < SHORTENED_MAX) {
		unsigned char byte = (unsigned char)text.data[i];
		uint32_t code = utf8_decode(text.data + i, text.len - i, &size);

		if (code == UTF8_INVALID || code < 0x20 || code == 0x7F) {
			out[used++] = '\\';
			out[used++] = 'x';
			out[used++] = hex[byte >> 4];
			out[used++] = hex[byte & 15];
			i++;
			continue;
		}
		memcpy(out + used, text.data + i, size);
		used += size;
		i += size;
	}
	return str_format(arena, "%.*s%s", (int)used, out, i < text.len ? "..." : "");
}

static Str
range_message(Arena *arena, const Type *type, Str shown)
{
	int64_t min, max;

	if (!type_is_integer(type))
		return str_format(arena, "'%.*s' is outside the range of %.*s", STR_ARG(shown),
				  STR_ARG(type_text(arena, type)));
	type_integer_range(type->kind, &min, &max);
	return str_format(arena, "'%.*s' is outside the range of %s, %lld to %lld", STR_ARG(shown),
			  type_kind_name(type->kind), (long long)min, (long long)max);
}

Str
text_error_message(Arena *arena, Status status, const Type *type, Str text)
{
	Str shown = text_shorten(arena, text);
	Str name = type_text(arena, type);

	switch (status) {
	case FERRIS_ERR_OUT_OF_RANGE:
		return range_message(arena, type, shown);
	case FERRIS_ERR_DIGIT_LOSS:
		return str_format(arena, "'%.*s' has more fractional digits than %.*s holds",
				  STR_ARG(shown), STR_ARG(name));
	case FERRIS_ERR_UTF8:
		return str_format(arena, "'%.*s' is not valid UTF-8 at byte %zu", STR_ARG(shown),
				  utf8_valid_prefix(text.data, text.len));
	default:
		return str_format(arena, "'%.*s' is not %s %.*s", STR_ARG(shown), str_article(name),
				  STR_ARG(name));
	}
}
