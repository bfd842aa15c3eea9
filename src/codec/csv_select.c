/* codec/csv_select.c -- column <op> constant, a loop for each layout and operator. */
#include "codec/csv_select.h"

#include <assert.h>
#include <math.h>

/* Keep the records of sel[0..count) for which `truth` holds; return how many.  Branch-free: at
 * selectivity one half a branch would mispredict. */
#define SELECT(truth)                                                                              \
	for (uint32_t k = 0; k < count; k++) {                                                     \
		uint16_t r = sel[k];                                                               \
		sel[kept] = r;                                                                     \
		kept += (truth);                                                                   \
	}                                                                                          \
	break

#define SELECT_BY_OP(a, b)                                                                         \
	switch (op) {                                                                              \
	case COMPARE_EQ:                                                                           \
		SELECT((a) == (b));                                                                \
	case COMPARE_NE:                                                                           \
		SELECT((a) != (b));                                                                \
	case COMPARE_LT:                                                                           \
		SELECT((a) < (b));                                                                 \
	case COMPARE_LE:                                                                           \
		SELECT((a) <= (b));                                                                \
	case COMPARE_GT:                                                                           \
		SELECT((a) > (b));                                                                 \
	case COMPARE_GE:                                                                           \
		SELECT((a) >= (b));                                                                \
	}                                                                                          \
	return kept

static uint32_t
select_int64(CompareOp op, const int64_t *values, int64_t constant, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	SELECT_BY_OP(values[r], constant);
}

static uint32_t
select_int128(CompareOp op, const Int128 *values, Int128 constant, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	SELECT_BY_OP(values[r], constant);
}

static inline int
nan_rank(double v)
{
	return isnan(v) ? 1 : 0;
}

static uint32_t
select_double(CompareOp op, const double *values, double constant, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	/* NaN equals itself and is larger than any other number, as in func/compare.c. */
	if (isnan(constant)) {
		SELECT_BY_OP(nan_rank(values[r]), nan_rank(constant));
	}
	switch (op) {
	case COMPARE_GT:
		SELECT(!(values[r] <= constant));
	case COMPARE_GE:
		SELECT(!(values[r] < constant));
	default:
		SELECT_BY_OP(values[r], constant);
	}
	return kept;
}

static uint32_t
select_bool(CompareOp op, const uint8_t *values, bool constant, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	SELECT_BY_OP(values[r], (uint8_t)constant);
}

static uint32_t
select_interval(CompareOp op, const Interval *values, Interval constant, uint16_t *sel,
		uint32_t count)
{
	uint32_t kept = 0;

	SELECT_BY_OP(interval_compare(values[r], constant), 0);
}

/* Equality with a constant of at most 8 bytes is one comparison of words. */
static uint32_t
select_short_text(const StringView *values, Str constant, uint16_t *sel, uint32_t count)
{
	const uint64_t mask = constant.len > 0 ? UINT64_MAX >> (64 - 8 * constant.len) : 0;
	uint64_t wanted = 0;
	uint32_t kept = 0;

	memcpy(&wanted, constant.data, constant.len);
	for (uint32_t k = 0; k < count; k++) {
		uint16_t r = sel[k];
		uint64_t word;

		memcpy(&word, values[r].data, 8); /* the chunk and csv_field_text have padding */
		sel[kept] = r;
		kept += values[r].len == constant.len && ((word ^ wanted) & mask) == 0;
	}
	return kept;
}

static uint32_t
select_text(CompareOp op, const StringView *values, Str constant, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < count; k++) {
		uint16_t r = sel[k];

		sel[kept] = r;
		kept += compare_holds(op,
				      str_compare((Str){values[r].data, values[r].len}, constant));
	}
	return kept;
}

static uint32_t
drop_nulls(const Vector *vector, uint16_t *sel, uint32_t count)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < count; k++) {
		uint16_t r = sel[k];

		sel[kept] = r;
		kept += bitmap_get(vector->valid, r);
	}
	return kept;
}

uint32_t
csv_select(const DecodePredicate *predicate, const Vector *vector, uint16_t *sel, uint32_t count)
{
	const Value *constant = &predicate->constant;
	CompareOp op = predicate->op;

	if (vector->has_null)
		count = drop_nulls(vector, sel, count);
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		return select_bool(op, vector->data, constant->boolean, sel, count);
	case PHYSICAL_INT64:
		return select_int64(op, vector->data, constant->int64, sel, count);
	case PHYSICAL_INT128:
		return select_int128(op, vector->data, constant->int128, sel, count);
	case PHYSICAL_DOUBLE:
		return select_double(op, vector->data, constant->real, sel, count);
	case PHYSICAL_INTERVAL:
		return select_interval(op, vector->data, constant->interval, sel, count);
	default:
		assert(type_physical(vector->type) == PHYSICAL_VIEW);
		if (op == COMPARE_EQ && constant->text.len <= 8 &&
		    vector->type->kind == TYPE_STRING)
			return select_short_text(vector->data, constant->text, sel, count);
		return select_text(op, vector->data, constant->text, sel, count);
	}
}
