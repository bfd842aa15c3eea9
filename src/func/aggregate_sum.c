/* func/aggregate_sum.c -- COUNT, and SUM and AVG of integers and decimals.
 *
 * Sums are integers at the scale of the argument: 128 bits for 64-bit values, 256 bits for 128-bit
 * ones, neither of which can overflow.  Whether a sum fits its type is asked when it is emitted, so
 * rows that take it out of range and back do no harm. */
#include "func/aggregate_state.h"

/* ---- COUNT ---- */

Status
count_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(int64_t);
	return FERRIS_OK;
}

static bool
any_argument_null(const AggregateCall *call, const AggregateRows *rows, uint32_t row)
{
	for (uint32_t i = 0; i < call->arg_count; i++)
		if (vector_is_null(rows->args[i], row))
			return true;
	return false;
}

static void
count_rows(const AggregateRun *run, const AggregateRows *rows, int64_t step)
{
	const AggregateCall *call = run->call;
	bool nulls = false;

	for (uint32_t i = 0; i < call->arg_count; i++)
		nulls |= rows->args[i]->has_null;
	if (rows->count == 0)
		return;
	if (nulls) {
		for (uint32_t k = 0; k < rows->count; k++) {
			int64_t *state = aggregate_state_at(run, rows, k);
			uint32_t row = aggregate_row_at(rows, k);
			*state += any_argument_null(call, rows, row) ? 0 : step;
		}
	} else if (rows->one_group) {
		int64_t *state = aggregate_state_at(run, rows, 0);
		*state += step * (int64_t)rows->count;
	} else {
		char *const *groups = rows->groups;
		const size_t offset = run->offset;
		for (uint32_t k = 0; k < rows->count; k++)
			*(int64_t *)(void *)(groups[k] + offset) += step;
	}
}

void
count_add(const AggregateRun *run, const AggregateRows *rows)
{
	count_rows(run, rows, 1);
}

void
count_retract(const AggregateRun *run, const AggregateRows *rows)
{
	count_rows(run, rows, -1);
}

void
count_merge(const AggregateRun *run, void *into, const void *from)
{
	(void)run;
	*(int64_t *)into += *(const int64_t *)from;
}

void
count_unmerge(const AggregateRun *run, void *into, const void *from)
{
	(void)run;
	*(int64_t *)into -= *(const int64_t *)from;
}

Status
count_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	   Str *message)
{
	(void)run, (void)heap, (void)message;
	VECTOR_DATA(out, int64_t)[row] = *(const int64_t *)state;
	return FERRIS_OK;
}

void
count_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
count_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}

/* ---- SUM and AVG ---- */

typedef struct NarrowSum {
	Sum128 sum;
	int64_t count;
} NarrowSum;

typedef struct WideSum {
	Int256 sum;
	int64_t count;
} WideSum;

static bool
is_wide(const AggregateRun *run)
{
	return type_physical(run->call->args[0]->type) == PHYSICAL_INT128;
}

Status
sum_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = is_wide(run) ? sizeof(WideSum) : sizeof(NarrowSum);
	return FERRIS_OK;
}

static void
sum_wide(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	const Vector *v = rows->args[0];
	const Int128 *x = v->data;

	if (retract)
		AGGREGATE_LOOP(run, rows, v, WideSum, int256_sub(&state->sum, x[at]);
			       state->count--);
	else
		AGGREGATE_LOOP(run, rows, v, WideSum, int256_add(&state->sum, x[at]);
			       state->count++);
}

/* All rows are of one group and none is NULL. */
static void
sum_one_group(NarrowSum *state, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const int64_t *x = v->data;
	Int128 sum = 0;

	if (v->constant)
		sum = (Int128)x[0] * rows->count;
	else if (rows->dense)
		for (uint32_t k = 0; k < rows->count; k++)
			sum += x[k];
	else
		for (uint32_t k = 0; k < rows->count; k++)
			sum += x[rows->sel[k]];
	sum128_add(&state->sum, sum);
	state->count += rows->count;
}

void
sum_add(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const int64_t *x = v->data;

	if (is_wide(run))
		sum_wide(run, rows, false);
	else if (rows->one_group && !v->has_null && rows->count > 0)
		sum_one_group(aggregate_state_at(run, rows, 0), rows);
	else
		AGGREGATE_LOOP(run, rows, v, NarrowSum, sum128_add(&state->sum, x[at]);
			       state->count++);
}

void
sum_retract(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const int64_t *x = v->data;

	if (is_wide(run))
		sum_wide(run, rows, true);
	else
		AGGREGATE_LOOP(run, rows, v, NarrowSum, sum128_add(&state->sum, -(Int128)x[at]);
			       state->count--);
}

void
sum_merge(const AggregateRun *run, void *into, const void *from)
{
	if (is_wide(run)) {
		WideSum *a = into;
		const WideSum *b = from;
		int256_merge(&a->sum, &b->sum);
		a->count += b->count;
	} else {
		NarrowSum *a = into;
		const NarrowSum *b = from;
		sum128_set(&a->sum, sum128_get(&a->sum) + sum128_get(&b->sum));
		a->count += b->count;
	}
}

void
sum_unmerge(const AggregateRun *run, void *into, const void *from)
{
	if (is_wide(run)) {
		WideSum *a = into;
		const WideSum *b = from;
		int256_unmerge(&a->sum, &b->sum);
		a->count -= b->count;
	} else {
		NarrowSum *a = into;
		const NarrowSum *b = from;
		sum128_set(&a->sum, sum128_get(&a->sum) - sum128_get(&b->sum));
		a->count -= b->count;
	}
}

static int64_t
sum_count(const AggregateRun *run, const void *state)
{
	return is_wide(run) ? ((const WideSum *)state)->count : ((const NarrowSum *)state)->count;
}

static Int128
narrow_sum(const void *state)
{
	return (Int128)sum128_get(&((const NarrowSum *)state)->sum);
}

/* The sum whatever its width. */
static Int256
sum_get(const AggregateRun *run, const void *state)
{
	return is_wide(run) ? ((const WideSum *)state)->sum : int256_from(narrow_sum(state));
}

/* The sum as a decimal. */
static DecimalResult
sum_result(const AggregateRun *run, const void *state, int precision, Int128 *out)
{
	if (is_wide(run))
		return int256_to_decimal(&((const WideSum *)state)->sum, precision, out);
	*out = narrow_sum(state);
	return decimal_fits128(*out, precision) ? DECIMAL_OK : DECIMAL_OVERFLOW;
}

Status
sum_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	 Str *message)
{
	Int128 value = 0;

	if (sum_count(run, state) == 0)
		return aggregate_emit_null(out, row);
	DecimalResult result = sum_result(run, state, out->type->precision, &value);
	return aggregate_emit_decimal(run, result, value, out, row, heap, message);
}

/* The average of sums of 64 bits without numbers of 256; false if it needs them. */
static bool
average_narrow(Int128 sum, int64_t count, int shift, Int128 *out)
{
	if (sum > INT64_MAX || sum < -INT64_MAX || shift > DECIMAL_PRECISION64_MAX)
		return false;
	Uint128 magnitude = (Uint128)(sum < 0 ? -sum : sum) * (Uint128)decimal_power64[shift];
	Uint128 quotient, rest;

	if (magnitude <= UINT64_MAX) { /* mostly, and a division of 64 bits is short */
		quotient = (uint64_t)magnitude / (uint64_t)count;
		rest = (uint64_t)magnitude % (uint64_t)count;
	} else {
		quotient = magnitude / (Uint128)count;
		rest = magnitude % (Uint128)count;
	}
	quotient += rest * 2 >= (Uint128)count;
	*out = sum < 0 ? -(Int128)quotient : (Int128)quotient;
	return decimal_fits128(*out, DECIMAL_PRECISION_MAX);
}

Status
average_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	     Str *message)
{
	Int128 value = 0;
	int scale = run->call->args[0]->type->scale;
	int64_t count = sum_count(run, state);

	if (count == 0)
		return aggregate_emit_null(out, row);
	if (!is_wide(run) &&
	    average_narrow(narrow_sum(state), count, out->type->scale - scale, &value))
		return aggregate_emit_decimal(run, DECIMAL_OK, value, out, row, heap, message);
	Int256 sum = sum_get(run, state);
	DecimalResult result = int256_average(&sum, scale, count, out->type->precision,
					      out->type->scale, ROUND_HALF_UP, &value);
	return aggregate_emit_decimal(run, result, value, out, row, heap, message);
}

void
sum_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
sum_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}
