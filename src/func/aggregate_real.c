/* func/aggregate_real.c -- SUM and AVG of doubles, exact before the one rounding. */
#include "func/aggregate_real.h"

#include <math.h>

typedef struct RealSum {
	uint64_t words[SINGLE_WORDS];
	int64_t count;
	RealFar *far;
} RealSum;

Status
real_sum_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(RealSum);
	return FERRIS_OK;
}

/* What does not fit the window. */
static __attribute__((noinline)) void
sum_far(const AggregateRun *run, RealSum *state, double v, bool retract)
{
	RealParts parts;

	if (!real_split(v, &parts))
		real_far_special(real_far_need(run->memory, &state->far, 1), v, retract ? -1 : 1);
	else if (!real_window_add(state->words, SINGLE_WORDS, SINGLE_LOW, parts, retract))
		real_window_add(real_far_need(run->memory, &state->far, 1)->words[0], FAR_WORDS,
				FAR_LOW, parts, retract);
}

#define EXPONENT_LOW  (1075 + SINGLE_LOW) /* biased, of a value whose last bit is the window's */
#define EXPONENT_SPAN (64 * (SINGLE_WORDS - 1) - 53)

/* The same as sum_far for the values that fit, which are nearly all. */
static inline void
sum_one(const AggregateRun *run, RealSum *state, double v, bool retract)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	unsigned shift = (unsigned)(bits >> 52 & 0x7ff) - EXPONENT_LOW;
	state->count += retract ? -1 : 1;
	if (shift > EXPONENT_SPAN) {
		sum_far(run, state, v, retract);
		return;
	}
	uint64_t mantissa = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1) << 52;
	Int128 part = (Int128)((Uint128)mantissa << (shift % 64));
	if ((bits >> 63) != retract)
		part = -part;
	uint64_t sign = part < 0 ? UINT64_MAX : 0;
	unsigned at = shift / 64; /* 0, 1 or 2 */
	uint64_t *w = state->words + at;
	Uint128 t = (Uint128)w[0] + (uint64_t)part;
	w[0] = (uint64_t)t;
	t = (t >> 64) + w[1] + (uint64_t)((Uint128)part >> 64);
	w[1] = (uint64_t)t;
	uint64_t carry = sign + (uint64_t)(t >> 64);
	for (unsigned i = 2; i < SINGLE_WORDS - at && carry != 0; i++) {
		/* carry is 1 or -1 */
		w[i] += carry;
		carry = carry == 1 ? w[i] == 0 : w[i] == UINT64_MAX ? UINT64_MAX : 0;
	}
}

static void
sum_rows(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	const Vector *v = rows->args[0];
	const double *x = v->data;

	if (retract)
		AGGREGATE_LOOP(run, rows, v, RealSum, sum_one(run, state, x[at], true));
	else
		AGGREGATE_LOOP(run, rows, v, RealSum, sum_one(run, state, x[at], false));
}

void
real_sum_add(const AggregateRun *run, const AggregateRows *rows)
{
	sum_rows(run, rows, false);
}

void
real_sum_retract(const AggregateRun *run, const AggregateRows *rows)
{
	sum_rows(run, rows, true);
}

void
real_sum_merge(const AggregateRun *run, void *into, const void *from)
{
	RealSum *a = into;
	const RealSum *b = from;

	real_words_add(a->words, b->words, SINGLE_WORDS);
	a->count += b->count;
	real_far_merge(run->memory, &a->far, b->far, 1);
}

/* What NaN and the infinities among the values make of a sum; false if there are none. */
static bool
special_sum(const RealFar *far, double *out)
{
	if (far == NULL || (far->nan | far->plus | far->minus) == 0)
		return false;
	if (far->nan > 0 || (far->plus > 0 && far->minus > 0))
		*out = (double)NAN;
	else
		*out = far->plus > 0 ? (double)INFINITY : -(double)INFINITY;
	return true;
}

static Scaled
sum_scaled(const RealSum *state)
{
	Big total;

	real_total(state->words, REAL_SINGLE, state->far != NULL ? state->far->words[0] : NULL,
		   &total);
	return big_scaled(&total);
}

Status
real_sum_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	      Str *message)
{
	const RealSum *sum = state;
	double value;

	if (sum->count == 0)
		return aggregate_emit_null(out, row);
	if (special_sum(sum->far, &value)) {
		VECTOR_DATA(out, double)[row] = value;
		return FERRIS_OK;
	}
	value = scaled_value(sum_scaled(sum));
	return aggregate_emit_finite(run, value, out, row, heap, message);
}

Status
real_average_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		  Arena *heap, Str *message)
{
	const RealSum *sum = state;
	double value;

	if (sum->count == 0)
		return aggregate_emit_null(out, row);
	if (special_sum(sum->far, &value)) {
		VECTOR_DATA(out, double)[row] = value;
		return FERRIS_OK;
	}
	Scaled count = {(double)sum->count, 0};
	value = scaled_value(scaled_divide(sum_scaled(sum), count));
	return aggregate_emit_finite(run, value, out, row, heap, message);
}

void
real_sum_release(const AggregateRun *run, void *state)
{
	RealSum *sum = state;

	real_far_drop(run->memory, &sum->far, 1);
	*sum = (RealSum){0};
}

void
real_sum_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const RealSum *sum = state;

	(void)run;
	buffer_append(out, sum->words, sizeof sum->words);
	state_put64(out, (uint64_t)sum->count);
	real_far_save(sum->far, 1, out);
}

bool
real_sum_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	RealSum *sum = state;
	StateReader in = state_reader(data, len);
	const char *words = state_take(&in, sizeof sum->words);

	if (words != NULL)
		memcpy(sum->words, words, sizeof sum->words);
	sum->count = (int64_t)state_take64(&in);
	if (real_far_load(run->memory, &sum->far, 1, &in) && state_done(&in))
		return true;
	real_sum_release(run, state);
	return false;
}
