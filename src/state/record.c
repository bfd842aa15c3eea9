/* state/record.c -- rows and sort keys as bytes. */
#include "state/record.h"

#include "state/group_key.h"
#include "type/decimal.h"
#include "type/temporal.h"

void
record_write_row(Buffer *out, const Vector *const *columns, uint32_t count, uint32_t row)
{
	for (uint32_t c = 0; c < count; c++)
		group_nested_write(out, columns[c], row);
}

const char *
record_read_row(const char *bytes, const char *end, Vector *const *columns, uint32_t count,
		uint32_t row)
{
	for (uint32_t c = 0; c < count && bytes != NULL; c++)
		bytes = group_nested_read(bytes, end, columns[c], row);
	return bytes;
}

/* ---- sort keys ---- */

static void
put_int128(Buffer *out, Int128 value)
{
	record_key_u64(out, (uint64_t)((Uint128)value >> 64) ^ UINT64_C(1) << 63);
	record_key_u64(out, (uint64_t)(Uint128)value);
}

/* Negative numbers have all bits turned, so that larger ones come later. */
static void
put_double(Buffer *out, double value)
{
	uint64_t bits = group_double_bits(value);

	record_key_u64(out, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63);
}

/* A zero byte inside is followed by FF, the end by 00. */
static void
put_text(Buffer *out, StringView text)
{
	const char *next = text.data;
	const char *end = text.data + text.len;

	while (next < end) {
		const char *zero = memchr(next, 0, (size_t)(end - next));
		const char *stop = zero != NULL ? zero + 1 : end;

		buffer_append(out, next, (size_t)(stop - next));
		if (zero != NULL)
			buffer_append_char(out, (char)0xFF);
		next = stop;
	}
	buffer_append(out, "\0\0", 2);
}

static void
put_value(Buffer *out, const Vector *vector, uint32_t at)
{
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		buffer_append_char(out, (char)VECTOR_DATA(vector, const uint8_t)[at]);
		break;
	case PHYSICAL_INT64:
		record_key_i64(out, VECTOR_DATA(vector, const int64_t)[at]);
		break;
	case PHYSICAL_INT128:
		put_int128(out, VECTOR_DATA(vector, const Int128)[at]);
		break;
	case PHYSICAL_DOUBLE:
		put_double(out, VECTOR_DATA(vector, const double)[at]);
		break;
	case PHYSICAL_VIEW:
		put_text(out, VECTOR_DATA(vector, const StringView)[at]);
		break;
	case PHYSICAL_INTERVAL: {
		Interval v = VECTOR_DATA(vector, const Interval)[at];

		/* As interval_compare: a month has 30 days, a day 24 hours. */
		put_int128(out, ((Int128)v.months * 30 + v.days) * MICROS_PER_DAY + v.micros);
		break;
	}
	default: /* the binder has refused it */
		break;
	}
}

void
record_write_sort_key(Buffer *out, const Vector *vector, uint32_t row, SortOrder order)
{
	bool is_null = vector_is_null(vector, row);
	size_t start;

	buffer_append_char(out, (char)(is_null ? (order.nulls_first ? 0 : 2) : 1));
	start = out->len;
	if (!is_null)
		put_value(out, vector, vector->constant ? 0 : row);
	if (order.descending)
		for (size_t i = start; i < out->len; i++)
			out->data[i] = (char)~out->data[i];
}
