/* func/aggregate_spread.c -- variance, deviation and weighted mean of integers and decimals.
 *
 * Sums of values and of products are integers, so the results are exact before their one rounding.
 * Products of 64-bit values take 192 bits, those of 128-bit values 320: no number of rows overflows
 * them, and rows can be taken away again.  A sum that does not come back into 256 bits has no
 * result that fits. */
#include "func/aggregate_state.h"

#define NARROW_PRODUCT 3
#define WIDE_PRODUCT   5

/* words += v * 2^0, or -=; v is a number of 128 bits with its sign. */
static inline void
words_add(uint64_t *words, int count, Int128 v)
{
	uint64_t sign = v < 0 ? UINT64_MAX : 0;
	Uint128 t = (Uint128)words[0] + (uint64_t)v;

	words[0] = (uint64_t)t;
	t = (t >> 64) + words[1] + (uint64_t)((Uint128)v >> 64);
	words[1] = (uint64_t)t;
	for (int i = 2; i < count; i++) {
		t = (t >> 64) + words[i] + sign;
		words[i] = (uint64_t)t;
	}
}

static void
words_merge(uint64_t *into, const uint64_t *from, int count)
{
	Uint128 t = 0;

	for (int i = 0; i < count; i++) {
		t = (t >> 64) + into[i] + from[i];
		into[i] = (uint64_t)t;
	}
}

static void
words_unmerge(uint64_t *into, const uint64_t *from, int count)
{
	uint64_t borrow = 0;

	for (int i = 0; i < count; i++) {
		Uint128 t = (Uint128)into[i] - from[i] - borrow;

		into[i] = (uint64_t)t;
		borrow = (uint64_t)(t >> 64) & 1;
	}
}

/* words += or -= a * b, of WIDE_PRODUCT words. */
static void
words_add_product(uint64_t *words, Int128 a, Int128 b, bool retract)
{
	Int256 product = {{0}};
	uint64_t part[WIDE_PRODUCT];

	/* A product of two Int128 always fits 256 bits. */
	if (retract)
		(void)int256_sub_product(&product, a, b);
	else
		(void)int256_add_product(&product, a, b);
	memcpy(part, product.word, sizeof product.word);
	part[WIDE_PRODUCT - 1] = int256_is_negative(&product) ? UINT64_MAX : 0;
	words_merge(words, part, WIDE_PRODUCT);
}

/* False if the number does not fit 256 bits. */
static bool
words_get(const uint64_t *words, int count, Int256 *out)
{
	uint64_t sign = words[count - 1] >> 63 ? UINT64_MAX : 0;

	for (int i = 0; i < 4; i++)
		out->word[i] = i < count ? words[i] : sign;
	return count <= 4 || (words[4] == sign && (words[3] >> 63) == (sign & 1));
}

/* ---- variance and deviation ---- */

typedef struct NarrowSpread {
	Sum128 sum;
	uint64_t squares[NARROW_PRODUCT];
	int64_t count;
} NarrowSpread;

typedef struct WideSpread {
	Int256 sum;
	uint64_t squares[WIDE_PRODUCT];
	int64_t count;
} WideSpread;

static bool
is_wide(const AggregateRun *run)
{
	return type_physical(run->call->args[0]->type) == PHYSICAL_INT128;
}

Status
spread_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = is_wide(run) ? sizeof(WideSpread) : sizeof(NarrowSpread);
	return FERRIS_OK;
}

static inline void
narrow_add(NarrowSpread *state, int64_t x)
{
	sum128_add(&state->sum, x);
	words_add(state->squares, NARROW_PRODUCT, (Int128)x * x);
	state->count++;
}

static inline void
narrow_retract(NarrowSpread *state, int64_t x)
{
	sum128_add(&state->sum, -(Int128)x);
	words_add(state->squares, NARROW_PRODUCT, -((Int128)x * x));
	state->count--;
}

static void
wide_add(WideSpread *state, Int128 x)
{
	int256_add(&state->sum, x);
	words_add_product(state->squares, x, x, false);
	state->count++;
}

static void
wide_retract(WideSpread *state, Int128 x)
{
	int256_sub(&state->sum, x);
	words_add_product(state->squares, x, x, true);
	state->count--;
}

void
spread_add(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const int64_t *narrow = v->data;
	const Int128 *wide = v->data;

	if (is_wide(run))
		AGGREGATE_LOOP(run, rows, v, WideSpread, wide_add(state, wide[at]));
	else
		AGGREGATE_LOOP(run, rows, v, NarrowSpread, narrow_add(state, narrow[at]));
}

void
spread_retract(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const int64_t *narrow = v->data;
	const Int128 *wide = v->data;

	if (is_wide(run))
		AGGREGATE_LOOP(run, rows, v, WideSpread, wide_retract(state, wide[at]));
	else
		AGGREGATE_LOOP(run, rows, v, NarrowSpread, narrow_retract(state, narrow[at]));
}

void
spread_merge(const AggregateRun *run, void *into, const void *from)
{
	if (is_wide(run)) {
		WideSpread *a = into;
		const WideSpread *b = from;
		int256_merge(&a->sum, &b->sum);
		words_merge(a->squares, b->squares, WIDE_PRODUCT);
		a->count += b->count;
	} else {
		NarrowSpread *a = into;
		const NarrowSpread *b = from;
		sum128_set(&a->sum, sum128_get(&a->sum) + sum128_get(&b->sum));
		words_merge(a->squares, b->squares, NARROW_PRODUCT);
		a->count += b->count;
	}
}

void
spread_unmerge(const AggregateRun *run, void *into, const void *from)
{
	if (is_wide(run)) {
		WideSpread *a = into;
		const WideSpread *b = from;
		int256_unmerge(&a->sum, &b->sum);
		words_unmerge(a->squares, b->squares, WIDE_PRODUCT);
		a->count -= b->count;
	} else {
		NarrowSpread *a = into;
		const NarrowSpread *b = from;
		sum128_set(&a->sum, sum128_get(&a->sum) - sum128_get(&b->sum));
		words_unmerge(a->squares, b->squares, NARROW_PRODUCT);
		a->count -= b->count;
	}
}

void
spread_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
spread_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}

typedef DecimalResult (*SpreadResult)(const Int256 *sum, const Int256 *squares, int in_scale,
				      int64_t count, int64_t divisor, int precision, int scale,
				      Int128 *out);

/* `sample`: divided by count - 1. */
static Status
emit_spread(const AggregateRun *run, const void *state, SpreadResult result, bool sample,
	    Vector *out, uint32_t row, Arena *heap, Str *message)
{
	Int256 sum;
	Int256 squares;
	Int128 value = 0;
	int64_t count;
	bool fits;
	DecimalResult status = DECIMAL_OVERFLOW;

	if (is_wide(run)) {
		const WideSpread *s = state;
		sum = s->sum;
		count = s->count;
		fits = words_get(s->squares, WIDE_PRODUCT, &squares);
	} else {
		const NarrowSpread *s = state;
		sum = int256_from((Int128)sum128_get(&s->sum));
		count = s->count;
		fits = words_get(s->squares, NARROW_PRODUCT, &squares);
	}
	if (count <= sample)
		return aggregate_emit_null(out, row);
	if (fits)
		status = result(&sum, &squares, run->call->args[0]->type->scale, count,
				count - sample, out->type->precision, out->type->scale, &value);
	return aggregate_emit_decimal(run, status, value, out, row, heap, message);
}

Status
variance_sample_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		     Arena *heap, Str *message)
{
	return emit_spread(run, state, int256_variance, true, out, row, heap, message);
}

Status
variance_whole_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		    Arena *heap, Str *message)
{
	return emit_spread(run, state, int256_variance, false, out, row, heap, message);
}

Status
deviation_sample_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		      Arena *heap, Str *message)
{
	return emit_spread(run, state, int256_deviation, true, out, row, heap, message);
}

Status
deviation_whole_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		     Arena *heap, Str *message)
{
	return emit_spread(run, state, int256_deviation, false, out, row, heap, message);
}

/* ---- VWAP ---- */

typedef struct Weighted {
	uint64_t products[WIDE_PRODUCT]; /* of values and weights */
	Int256 weights;
	int64_t count;
} Weighted;

Status
weighted_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(Weighted);
	return FERRIS_OK;
}

/* Both arguments are of 64 bits. */
static inline void
weighted_narrow(Weighted *state, int64_t value, int64_t weight, bool retract)
{
	Int128 product = (Int128)value * weight;

	words_add(state->products, WIDE_PRODUCT, retract ? -product : product);
	int256_add(&state->weights, retract ? -(Int128)weight : weight);
	state->count += retract ? -1 : 1;
}

static void
weighted_wide(Weighted *state, Int128 value, Int128 weight, bool retract)
{
	words_add_product(state->products, value, weight, retract);
	if (retract)
		int256_sub(&state->weights, weight);
	else
		int256_add(&state->weights, weight);
	state->count += retract ? -1 : 1;
}

/* Two columns of 64 bits without NULLs, which is what prices and quantities are. */
static void
weighted_plain(const AggregateRun *run, const AggregateRows *rows)
{
	const int64_t *value = rows->args[0]->data;
	const int64_t *weight = rows->args[1]->data;
	const uint32_t group_mask = rows->one_group ? 0 : UINT32_MAX;

	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t at = rows->dense ? k : rows->sel[k];
		Weighted *state = (Weighted *)(void *)(rows->groups[k & group_mask] + run->offset);

		weighted_narrow(state, value[at], weight[at], false);
	}
}

static void
weighted_rows(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	const Vector *value = rows->args[0];
	const Vector *weight = rows->args[1];
	bool narrow = type_physical(value->type) == PHYSICAL_INT64 &&
		      type_physical(weight->type) == PHYSICAL_INT64;
	bool plain = narrow && !value->has_null && !weight->has_null && !value->constant &&
		     !weight->constant;
	uint32_t value_mask = value->constant ? 0 : UINT32_MAX;
	uint32_t weight_mask = weight->constant ? 0 : UINT32_MAX;

	if (plain && !retract) {
		weighted_plain(run, rows);
		return;
	}
	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t at = aggregate_row_at(rows, k);
		Weighted *state = aggregate_state_at(run, rows, k);

		if (vector_is_null(value, at) || vector_is_null(weight, at))
			continue;
		if (narrow)
			weighted_narrow(state, VECTOR_DATA(value, int64_t)[at & value_mask],
					VECTOR_DATA(weight, int64_t)[at & weight_mask], retract);
		else
			weighted_wide(state, aggregate_wide(value, at & value_mask),
				      aggregate_wide(weight, at & weight_mask), retract);
	}
}

void
weighted_add(const AggregateRun *run, const AggregateRows *rows)
{
	weighted_rows(run, rows, false);
}

void
weighted_retract(const AggregateRun *run, const AggregateRows *rows)
{
	weighted_rows(run, rows, true);
}

void
weighted_merge(const AggregateRun *run, void *into, const void *from)
{
	Weighted *a = into;
	const Weighted *b = from;

	(void)run;
	words_merge(a->products, b->products, WIDE_PRODUCT);
	int256_merge(&a->weights, &b->weights);
	a->count += b->count;
}

void
weighted_unmerge(const AggregateRun *run, void *into, const void *from)
{
	Weighted *a = into;
	const Weighted *b = from;

	(void)run;
	words_unmerge(a->products, b->products, WIDE_PRODUCT);
	int256_unmerge(&a->weights, &b->weights);
	a->count -= b->count;
}

void
weighted_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
weighted_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}

Status
vwap_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	  Str *message)
{
	const Weighted *s = state;
	int value_scale = run->call->args[0]->type->scale;
	int weight_scale = run->call->args[1]->type->scale;
	Int256 products;
	Int128 value = 0;
	DecimalResult result = DECIMAL_OVERFLOW;

	if (s->count == 0)
		return aggregate_emit_null(out, row);
	if (words_get(s->products, WIDE_PRODUCT, &products))
		result = int256_ratio(&products, value_scale + weight_scale, &s->weights,
				      weight_scale, out->type->precision, out->type->scale,
				      ROUND_HALF_UP, &value);
	return aggregate_emit_decimal(run, result, value, out, row, heap, message);
}
