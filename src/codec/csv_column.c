/* codec/csv_column.c -- the kernels that read one column.
 *
 * Loads of 8 and 16 bytes may run past a field: the chunk's padding allows it. */
#include "codec/csv_column.h"

#include <assert.h>
#include <emmintrin.h>

#include "base/utf8.h"

#define ASCII_ZEROS  UINT64_C(0x3030303030303030)
#define HIGH_NIBBLES UINT64_C(0xF0F0F0F0F0F0F0F0)

static void
fail_row(const CsvColumn *column, CsvRows *rows, uint32_t k)
{
	rows->failed[rows->sel[k]] = (uint16_t)(column->number + 1);
	rows->failed_count++;
}

static inline CsvField
field_of(const CsvColumn *column, const CsvRows *rows, uint32_t k)
{
	return column->fields[rows->sel[k]];
}

static inline uint32_t
row_of(const CsvRows *rows, uint32_t k)
{
	return rows->base + rows->rows[k];
}

static void
store_null(const CsvColumn *column, CsvRows *rows, Vector *out, uint32_t k)
{
	if (column->spec->not_null)
		fail_row(column, rows, k);
	else
		vector_set_null(out, row_of(rows, k));
}

/* ---- any type ---- */

static void
store_parsed(const CsvColumn *column, CsvRows *rows, Vector *out, uint32_t k)
{
	CsvField field = field_of(column, rows, k);
	Value value;

	if (csv_field_is_null(field)) {
		store_null(column, rows, out, k);
		return;
	}
	Str text = csv_field_text(rows->format, rows->data, field, rows->heap);
	if (text_parse(column->spec->type, &column->timestamps, text, rows->heap, &value) !=
	    FERRIS_OK)
		fail_row(column, rows, k);
	else
		value_to_vector(&value, out, row_of(rows, k));
}

static void
kernel_parsed(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	for (uint32_t k = 0; k < rows->count; k++)
		store_parsed(column, rows, out, k);
}

/* The canonical text, which is always ISO 8601 for a TIMESTAMP. */
static void
store_canonical(const CsvColumn *column, CsvRows *rows, Vector *out, uint32_t k)
{
	CsvField field = field_of(column, rows, k);
	Value value;

	if (csv_field_is_null(field)) {
		store_null(column, rows, out, k);
		return;
	}
	Str text = csv_field_text(rows->format, rows->data, field, rows->heap);
	if (text_parse(column->spec->type, &column->timestamps, text, rows->heap, &value) !=
	    FERRIS_OK) {
		fail_row(column, rows, k);
		return;
	}
	text = text_from_value(rows->heap, &value, NULL);
	VECTOR_DATA(out, StringView)
	[row_of(rows, k)] = (StringView){text.data, text.len, VIEW_JSON_CLEAN | VIEW_CSV_CLEAN};
}

static void
kernel_canonical(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	for (uint32_t k = 0; k < rows->count; k++)
		store_canonical(column, rows, out, k);
}

/* ---- integers ---- */

/* 1 to 8 digits; false if any byte is something else. */
static inline bool
parse_8_digits(const char *p, uint32_t len, uint64_t *out)
{
	uint64_t w;

	memcpy(&w, p, 8);
	w = w << (64 - 8 * len) | ASCII_ZEROS >> 1 >> (8 * len - 1);
	bool digits = ((w & HIGH_NIBBLES) | ((w + UINT64_C(0x0606060606060606)) & HIGH_NIBBLES) >>
						    4) == UINT64_C(0x3333333333333333);
	w -= ASCII_ZEROS;
	w = w * 10 + (w >> 8);
	*out = ((w & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064) +
		(w >> 16 & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001)) >>
	       32;
	return digits;
}

/* 1 to 16 digits. */
static inline bool
parse_16_digits(const char *p, uint32_t len, uint64_t *out)
{
	uint64_t high, low;

	if (len <= 8)
		return parse_8_digits(p, len, out);
	bool digits = parse_8_digits(p, len - 8, &high);
	digits &= parse_8_digits(p + len - 8, 8, &low);
	*out = high * 100000000 + low;
	return digits;
}

static void
kernel_integer(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	int64_t *values = out->data;

	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);
		const char *p = rows->data + field.start;
		bool negative = p[0] == '-';
		uint32_t len = field.len - negative;
		uint64_t magnitude;

		/* A field of no bytes wraps around when a '-' happens to follow it. */
		if (len - 1 < 16 && parse_16_digits(p + negative, len, &magnitude)) {
			int64_t value = negative ? -(int64_t)magnitude : (int64_t)magnitude;

			if (value >= column->min && value <= column->max)
				values[row_of(rows, k)] = value;
			else
				fail_row(column, rows, k);
		} else {
			store_parsed(column, rows, out, k);
		}
	}
}

/* Epoch milliseconds; text goes to text_parse. */
static void
kernel_timestamp(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	int64_t *values = out->data;

	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);
		uint64_t millis;

		if (field.len - 1 < 16 &&
		    parse_16_digits(rows->data + field.start, field.len, &millis) &&
		    timestamp_from_millis((int64_t)millis, &values[row_of(rows, k)]) == TEMPORAL_OK)
			continue;
		store_parsed(column, rows, out, k);
	}
}

/* ---- decimals of up to 18 digits ---- */

/* 12.3456 with exactly the type's digits behind the point, eight at most. */
static inline bool
parse_plain_decimal(const Type *type, const char *p, uint32_t len, int64_t *out)
{
	bool negative = p[0] == '-';
	uint32_t scale = type->scale;
	uint64_t whole, fraction;

	p += negative;
	len -= negative;
	uint32_t digits = len - 1 - scale;
	if (digits - 1 >= 8 || digits + scale > type->precision || p[digits] != '.')
		return false;
	bool valid = parse_8_digits(p, digits, &whole);
	valid &= parse_8_digits(p + digits + 1, scale, &fraction);
	int64_t value = (int64_t)whole * decimal_power64[scale] + (int64_t)fraction;
	*out = negative ? -value : value;
	return valid;
}

static void
kernel_decimal(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	const Type *type = column->spec->type;
	int64_t *values = out->data;

	assert(type->scale >= 1 && type->scale <= 8);
	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);

		if (field.len - 1 >= 18 ||
		    !parse_plain_decimal(type, rows->data + field.start, field.len,
					 &values[row_of(rows, k)]))
			store_parsed(column, rows, out, k);
	}
}

/* ---- numbers that stay text ---- */

/* Bit i is 0 if byte i of the 16 at `p` is a digit. */
static inline uint32_t
other_than_digits(const char *p)
{
	__m128i v = _mm_sub_epi8(_mm_loadu_si128((const __m128i *)p), _mm_set1_epi8('0'));
	__m128i digits = _mm_cmpeq_epi8(_mm_min_epu8(v, _mm_set1_epi8(9)), v);

	return (uint32_t)_mm_movemask_epi8(digits) ^ 0xFFFF;
}

/* Whether p[0..len) is the integer's canonical text and surely in range. */
static inline bool
is_canonical_integer(const char *p, uint32_t len, uint32_t safe_digits)
{
	bool negative = p[0] == '-';

	p += negative;
	len -= negative;
	if (len - 1 >= safe_digits)
		return false;
	uint32_t others = other_than_digits(p) & ((1u << len) - 1);
	return others == 0 && (p[0] != '0' || (len == 1 && !negative));
}

static void
kernel_integer_text(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	StringView *views = out->data;
	int digits = type_integer_digits(column->spec->type->kind) - 1;
	uint32_t safe_digits = digits < 16 ? (uint32_t)digits : 16;

	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);
		const char *p = rows->data + field.start;

		if (field.len - 1 < 17 && is_canonical_integer(p, field.len, safe_digits))
			views[row_of(rows, k)] =
				(StringView){p, field.len, VIEW_JSON_CLEAN | VIEW_CSV_CLEAN};
		else
			store_canonical(column, rows, out, k);
	}
}

/* "-0.000" is the one canonical shape that is not canonical. */
static inline bool
is_zero(const char *p, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if (p[i] != '0' && p[i] != '.')
			return false;
	return true;
}

static inline bool
is_canonical_decimal(const char *p, uint32_t len, const Type *type)
{
	bool negative = p[0] == '-';

	p += negative;
	len -= negative;
	uint32_t digits = len - 1 - type->scale;
	if (len > 16 || digits - 1 >= 16 || digits + type->scale > type->precision)
		return false;
	uint32_t others = other_than_digits(p) & ((1u << len) - 1);
	return others == 1u << digits && p[digits] == '.' && (p[0] != '0' || digits == 1) &&
	       !(negative && is_zero(p, len));
}

static void
kernel_decimal_text(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	const Type *type = column->spec->type;
	StringView *views = out->data;

	assert(type->scale >= 1);
	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);
		const char *p = rows->data + field.start;

		if (field.len - 1 < 17 && is_canonical_decimal(p, field.len, type))
			views[row_of(rows, k)] =
				(StringView){p, field.len, VIEW_JSON_CLEAN | VIEW_CSV_CLEAN};
		else
			store_canonical(column, rows, out, k);
	}
}

/* ---- strings ---- */

/* Bit i is 1 if byte i of the 16 at `p` is below blank, above ASCII, a quote or a backslash. */
static inline uint32_t
special_bytes(const char *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)p);
	__m128i special = _mm_cmplt_epi8(v, _mm_set1_epi8(' '));

	special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('"')));
	special = _mm_or_si128(special, _mm_cmpeq_epi8(v, _mm_set1_epi8('\\')));
	return (uint32_t)_mm_movemask_epi8(special);
}

static inline bool
has_blank_end(const char *p, uint32_t len)
{
	return p[0] == ' ' || p[len - 1] == ' ' || p[0] == '\t' || p[len - 1] == '\t';
}

static void
store_string(const CsvColumn *column, CsvRows *rows, Vector *out, uint32_t k)
{
	CsvField field = field_of(column, rows, k);
	uint32_t special = 0, flags = 0;

	if (csv_field_is_null(field)) {
		store_null(column, rows, out, k);
		return;
	}
	Str text = csv_field_text(rows->format, rows->data, field, rows->heap);
	for (uint32_t i = 0; i < text.len; i += 16) {
		uint32_t left = text.len - i;
		special |= special_bytes(text.data + i) & (left < 16 ? (1u << left) - 1 : 0xFFFF);
	}
	if (special == 0) {
		flags = VIEW_JSON_CLEAN;
	} else if (!utf8_valid(text.data, text.len)) {
		fail_row(column, rows, k);
		return;
	}
	if ((field.len & CSV_FIELD_VALUE) == 0 && !has_blank_end(text.data, text.len) &&
	    (special == 0 || memchr(text.data, '\r', text.len) == NULL))
		flags |= column->clean;
	VECTOR_DATA(out, StringView)[row_of(rows, k)] = (StringView){text.data, text.len, flags};
}

static void
kernel_string(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	StringView *views = out->data;
	const uint32_t clean = VIEW_JSON_CLEAN | column->clean;

	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);
		const char *p = rows->data + field.start;

		if (field.len - 1 < 16 && (special_bytes(p) & ((1u << field.len) - 1)) == 0 &&
		    p[0] != ' ' && p[field.len - 1] != ' ')
			views[row_of(rows, k)] = (StringView){p, field.len, clean};
		else
			store_string(column, rows, out, k);
	}
}

/* ---- JSON text ---- */

static void
kernel_nested(const CsvColumn *column, CsvRows *rows, Vector *out)
{
	bool not_null = column->spec->not_null;

	for (uint32_t k = 0; k < rows->count; k++) {
		CsvField field = field_of(column, rows, k);

		if (csv_field_is_null(field) && out->form == FORM_VALUE && !not_null) {
			json_set_null(out, row_of(rows, k));
		} else if (csv_field_is_null(field)) {
			store_null(column, rows, out, k);
		} else {
			Str text = csv_field_text(rows->format, rows->data, field, rows->heap);

			if (!csv_read_nested(column->json, text, not_null, out, row_of(rows, k)))
				fail_row(column, rows, k);
		}
	}
}

/* ---- which kernel ---- */

static CsvKernel *
kernel_for_decimal(const Type *type, VectorForm form)
{
	if (form == FORM_TEXT)
		return type->scale >= 1 ? kernel_decimal_text : kernel_canonical;
	if (type->precision <= DECIMAL_MAX_PRECISION_64 && type->scale >= 1 && type->scale <= 8)
		return kernel_decimal;
	return kernel_parsed;
}

static CsvKernel *
kernel_for(const DecodeColumn *spec, const TimestampStyle *timestamps)
{
	bool text = spec->form == FORM_TEXT;

	switch (spec->type->kind) {
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
	case TYPE_INTEGER:
	case TYPE_BIGINT:
		return text ? kernel_integer_text : kernel_integer;
	case TYPE_DECIMAL:
		return kernel_for_decimal(spec->type, spec->form);
	case TYPE_STRING:
		return kernel_string;
	case TYPE_TIMESTAMP:
		if (!text && timestamps->kind == TIMESTAMP_ISO8601)
			return kernel_timestamp;
		return text ? kernel_canonical : kernel_parsed;
	case TYPE_BOOLEAN:
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
	case TYPE_BYTES:
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_INTERVAL:
		return text ? kernel_canonical : kernel_parsed;
	default:
		return kernel_nested;
	}
}

void
csv_column_open(CsvColumn *column, const DecodeColumn *spec, uint32_t number,
		const CsvFormat *format, const TimestampStyle *timestamps, JsonReader *json)
{
	bool is_default = format->delimiter == ',' && format->quote == '"';

	*column = (CsvColumn){
		.spec = spec,
		.kernel = kernel_for(spec, timestamps),
		.timestamps = *timestamps,
		.number = (uint16_t)number,
		.clean = is_default ? VIEW_CSV_CLEAN : 0,
	};
	if (type_is_integer(spec->type))
		type_integer_range(spec->type->kind, &column->min, &column->max);
	if (column->kernel == kernel_nested)
		column->json = json;
}
