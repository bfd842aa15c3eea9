/* func/cast_text.c -- casts from and to STRING, JSON and BYTES.
 *
 * Text becomes a number, date or time by the parsers of type/, blanks around it ignored.  What they
 * print is the canonical text, the same that JSON and CSV output shows. */
#include "base/utf8.h"
#include "codec/json_text.h"
#include "func/cast_value.h"
#include "type/number.h"

#define TEXT_CLEAN (VIEW_JSON_CLEAN | VIEW_CSV_CLEAN)

/* ---- from text ---- */

static CastResult
from_number_result(NumberResult result)
{
	return result == NUMBER_OK         ? CAST_OK
	       : result == NUMBER_OVERFLOW ? CAST_RANGE
					   : CAST_BAD_TEXT;
}

static CastResult
from_temporal_result(TemporalResult result)
{
	switch (result) {
	case TEMPORAL_OK:
		return CAST_OK;
	case TEMPORAL_RANGE:
		return CAST_RANGE;
	case TEMPORAL_LOST_DIGITS:
		return CAST_DIGITS;
	default:
		return CAST_BAD_TEXT;
	}
}

static CastResult
read_boolean(KernelCall *call, uint32_t row, Str text)
{
	static const struct {
		Str word;
		bool value;
	} words[] = {
		{STR_INIT("true"), true}, {STR_INIT("false"), false}, {STR_INIT("t"), true},
		{STR_INIT("f"), false},   {STR_INIT("yes"), true},    {STR_INIT("no"), false},
		{STR_INIT("y"), true},    {STR_INIT("n"), false},     {STR_INIT("on"), true},
		{STR_INIT("off"), false}, {STR_INIT("1"), true},      {STR_INIT("0"), false},
	};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (str_eq_nocase(words[i].word, text)) {
			kernel_set_bool(call, row, words[i].value);
			return CAST_OK;
		}
	return CAST_BAD_TEXT;
}

static CastResult
read_integer(KernelCall *call, uint32_t row, Str text)
{
	int64_t v = 0;
	CastResult result = from_number_result(int64_parse(text.data, text.len, &v));

	if (result == CAST_OK)
		result = cast_check_integer(call->out->type, v);
	if (result == CAST_OK)
		kernel_set_int(call, row, v);
	return result;
}

static CastResult
read_decimal(KernelCall *call, uint32_t row, Str text)
{
	const Type *type = call->out->type;
	Int128 v;
	DecimalResult result = decimal_parse(text.data, text.len, type->precision, type->scale,
					     cast_rounding(call), &v);

	if (result == DECIMAL_OK)
		kernel_set_wide(call, row, v);
	return cast_from_decimal_result(result);
}

static CastResult
read_double(KernelCall *call, uint32_t row, Str text)
{
	return from_number_result(
		double_parse(text.data, text.len, &VECTOR_DATA(call->out, double)[row]));
}

static CastResult
read_float(KernelCall *call, uint32_t row, Str text)
{
	float v = 0;
	NumberResult result = float_parse(text.data, text.len, &v);

	kernel_set_real(call, row, v);
	return from_number_result(result);
}

static CastResult
read_date(KernelCall *call, uint32_t row, Str text)
{
	int32_t days = 0;
	TemporalResult result = date_parse(text.data, text.len, &days);

	kernel_set_int(call, row, days);
	return from_temporal_result(result);
}

static CastResult
read_time(KernelCall *call, uint32_t row, Str text)
{
	return from_temporal_result(
		time_parse(text.data, text.len, &VECTOR_DATA(call->out, int64_t)[row]));
}

static CastResult
read_timestamp(KernelCall *call, uint32_t row, Str text)
{
	return from_temporal_result(
		timestamp_parse(text.data, text.len, &VECTOR_DATA(call->out, int64_t)[row]));
}

static CastResult
read_interval(KernelCall *call, uint32_t row, Str text)
{
	return from_temporal_result(
		interval_parse_text(text.data, text.len, &VECTOR_DATA(call->out, Interval)[row]));
}

#define FROM_TEXT_KERNEL(name)                                                                     \
	static void text_to_##name(KernelCall *call)                                               \
	{                                                                                          \
		KERNEL_EACH_VALID(call, row)                                                       \
		{                                                                                  \
			CastResult result =                                                        \
				read_##name(call, row, str_trim(kernel_text(call, 0, row)));       \
                                                                                                   \
			if (result != CAST_OK)                                                     \
				cast_fail(call, row, result);                                      \
		}                                                                                  \
	}
FROM_TEXT_KERNEL(boolean)
FROM_TEXT_KERNEL(integer)
FROM_TEXT_KERNEL(decimal)
FROM_TEXT_KERNEL(double)
FROM_TEXT_KERNEL(float)
FROM_TEXT_KERNEL(date)
FROM_TEXT_KERNEL(time)
FROM_TEXT_KERNEL(timestamp)
FROM_TEXT_KERNEL(interval)

#define JSON_DEPTH_MAX 128

static bool
is_json(StringView view, Arena *heap)
{
	JsonText text = {.max_depth = JSON_DEPTH_MAX, .heap = heap};
	const char *end = view.data + view.len;

	json_text_start(&text, end);
	const char *p = json_skip_blanks(view.data, end);
	if (p == end)
		return false;
	p = json_check_value(&text, p, 0, false);
	return p != NULL && json_skip_blanks(p, end) == end;
}

/* Whether it is JSON is checked, the text stays as it is. */
static void
text_to_json(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		StringView view = kernel_view(call, 0, row);

		if (is_json(view, call->heap))
			kernel_set_view(call, row, view.data, view.len, view.flags);
		else
			cast_fail(call, row, CAST_BAD_TEXT);
	}
}

Kernel
cast_kernel_from_text(const Type *from, const Type *to)
{
	switch (to->kind) {
	case TYPE_BOOLEAN:
		return text_to_boolean;
	case TYPE_DECIMAL:
		return text_to_decimal;
	case TYPE_FLOAT:
		return text_to_float;
	case TYPE_DOUBLE:
		return text_to_double;
	case TYPE_DATE:
		return text_to_date;
	case TYPE_TIME:
		return text_to_time;
	case TYPE_TIMESTAMP:
		return text_to_timestamp;
	case TYPE_INTERVAL:
		return text_to_interval;
	case TYPE_JSON:
		return text_to_json;
	case TYPE_STRING: /* from JSON */
	case TYPE_BYTES:
		(void)from;
		return NULL;
	default:
		return text_to_integer;
	}
}

/* ---- to text ---- */

/* PRINT writes the value of `row` at p and leaves p behind it; at most `max` bytes. */
#define TO_TEXT_KERNEL(name, max, PRINT)                                                           \
	static void name##_to_text(KernelCall *call)                                               \
	{                                                                                          \
		char *p = kernel_bytes(call, (size_t)call->count * (max));                         \
                                                                                                   \
		KERNEL_EACH_VALID(call, row)                                                       \
		{                                                                                  \
			char *start = p;                                                           \
			p = PRINT;                                                                 \
			kernel_set_view(call, row, start, (size_t)(p - start), TEXT_CLEAN);        \
		}                                                                                  \
	}
TO_TEXT_KERNEL(integer, INT64_TEXT_MAX, int64_print(p, kernel_int(call, 0, row)))
TO_TEXT_KERNEL(decimal64, DECIMAL_TEXT_MAX,
	       decimal_print64(p, kernel_int(call, 0, row), call->args[0]->type->scale))
TO_TEXT_KERNEL(decimal128, DECIMAL_TEXT_MAX,
	       decimal_print128(p, kernel_wide(call, 0, row), call->args[0]->type->scale))
TO_TEXT_KERNEL(float, DOUBLE_TEXT_MAX, float_print(p, (float)kernel_real(call, 0, row)))
TO_TEXT_KERNEL(double, DOUBLE_TEXT_MAX, double_print(p, kernel_real(call, 0, row)))
TO_TEXT_KERNEL(date, DATE_TEXT_MAX, date_print(p, (int32_t)kernel_int(call, 0, row)))
TO_TEXT_KERNEL(time, TIME_TEXT_MAX, time_print(p, kernel_int(call, 0, row)))
TO_TEXT_KERNEL(timestamp, TIMESTAMP_TEXT_MAX, timestamp_print(p, kernel_int(call, 0, row)))
TO_TEXT_KERNEL(interval, INTERVAL_TEXT_MAX, interval_print(p, kernel_interval(call, 0, row)))

static void
boolean_to_text(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		bool v = kernel_bool(call, 0, row);

		kernel_set_view(call, row, v ? "true" : "false", v ? 4 : 5, TEXT_CLEAN);
	}
}

static void
bytes_to_text(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		StringView view = kernel_view(call, 0, row);

		if (utf8_valid(view.data, view.len))
			kernel_set_view(call, row, view.data, view.len, view.flags);
		else
			cast_fail(call, row, CAST_BAD_TEXT);
	}
}

Kernel
cast_kernel_to_text(const Type *from)
{
	switch (from->kind) {
	case TYPE_BOOLEAN:
		return boolean_to_text;
	case TYPE_DECIMAL:
		return type_physical(from) == PHYSICAL_INT128 ? decimal128_to_text
							      : decimal64_to_text;
	case TYPE_FLOAT:
		return float_to_text;
	case TYPE_DOUBLE:
		return double_to_text;
	case TYPE_DATE:
		return date_to_text;
	case TYPE_TIME:
		return time_to_text;
	case TYPE_TIMESTAMP:
		return timestamp_to_text;
	case TYPE_INTERVAL:
		return interval_to_text;
	case TYPE_BYTES:
		return bytes_to_text;
	default:
		return integer_to_text;
	}
}
