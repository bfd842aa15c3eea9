/* func/aggregate_moments.c -- variance, correlation and regression of doubles.
 *
 * All of them are fractions of exact sums of values and of products; numerator and denominator are
 * computed exactly and rounded to doubles once, so nothing cancels, whatever the data's offset. */
#include "func/aggregate_real.h"

#include <math.h>

/* ---- one argument: VARIANCE, STDDEV; with a weight: VWAP ---- */

typedef struct Moments {
	uint64_t single[SINGLE_WORDS];   /* sum of values, or of weights */
	uint64_t product[PRODUCT_WORDS]; /* sum of squares, or of weighted values */
	int64_t count;
	RealFar *far;
} Moments;

enum { MOMENT_SINGLE, MOMENT_PRODUCT, MOMENT_COUNT };

/* `words` += value, where the far sum number `sum` takes what does not fit. */
static inline __attribute__((always_inline)) void
add_parts(const AggregateRun *run, uint64_t *words, RealKind kind, RealFar **far, int sum, int sums,
	  RealParts value, bool retract)
{
	int count = kind == REAL_SINGLE ? SINGLE_WORDS : PRODUCT_WORDS;
	int low = kind == REAL_SINGLE ? SINGLE_LOW : PRODUCT_LOW;

	if (!real_window_add(words, count, low, value, retract))
		real_window_add(real_far_need(run->memory, far, sums)->words[sum], FAR_WORDS,
				FAR_LOW, value, retract);
}

static void
moments_one(const AggregateRun *run, Moments *state, double single, double factor, bool retract)
{
	RealParts a;
	RealParts b;
	RealFar **far = &state->far;

	state->count += retract ? -1 : 1;
	if (!real_split(single, &a) || !real_split(factor, &b)) {
		double special = isfinite(single) ? factor : single;
		real_far_special(real_far_need(run->memory, far, MOMENT_COUNT), special,
				 retract ? -1 : 1);
		return;
	}
	add_parts(run, state->single, REAL_SINGLE, far, MOMENT_SINGLE, MOMENT_COUNT, a, retract);
	add_parts(run, state->product, REAL_PRODUCT, far, MOMENT_PRODUCT, MOMENT_COUNT,
		  real_multiply(a, b), retract);
}

/* Whether the numbers of both arguments are there. */
static bool
pair_at(const AggregateRows *rows, uint32_t row, double *a, double *b)
{
	const Vector *x = rows->args[0];
	const Vector *y = rows->args[1];

	if (vector_is_null(x, row) || vector_is_null(y, row))
		return false;
	*a = VECTOR_DATA(x, const double)[x->constant ? 0 : row];
	*b = VECTOR_DATA(y, const double)[y->constant ? 0 : row];
	return true;
}

static void
moments_rows(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	const Vector *v = rows->args[0];
	const double *x = v->data;

	if (run->call->arg_count == 1) {
		AGGREGATE_LOOP(run, rows, v, Moments,
			       moments_one(run, state, x[at], x[at], retract));
		return;
	}
	for (uint32_t k = 0; k < rows->count; k++) {
		double value;
		double weight;

		if (pair_at(rows, aggregate_row_at(rows, k), &value, &weight))
			moments_one(run, aggregate_state_at(run, rows, k), weight, value, retract);
	}
}

Status
moments_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(Moments);
	return FERRIS_OK;
}

void
moments_add(const AggregateRun *run, const AggregateRows *rows)
{
	moments_rows(run, rows, false);
}

void
moments_retract(const AggregateRun *run, const AggregateRows *rows)
{
	moments_rows(run, rows, true);
}

void
moments_merge(const AggregateRun *run, void *into, const void *from)
{
	Moments *a = into;
	const Moments *b = from;

	real_words_add(a->single, b->single, SINGLE_WORDS);
	real_words_add(a->product, b->product, PRODUCT_WORDS);
	a->count += b->count;
	real_far_merge(run->memory, &a->far, b->far, MOMENT_COUNT);
}

void
moments_release(const AggregateRun *run, void *state)
{
	Moments *s = state;

	real_far_drop(run->memory, &s->far, MOMENT_COUNT);
	*s = (Moments){0};
}

void
moments_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Moments *s = state;

	(void)run;
	buffer_append(out, s, offsetof(Moments, far));
	real_far_save(s->far, MOMENT_COUNT, out);
}

bool
moments_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	Moments *s = state;
	StateReader in = state_reader(data, len);
	const char *p = state_take(&in, offsetof(Moments, far));

	if (p != NULL)
		memcpy(s, p, offsetof(Moments, far));
	if (real_far_load(run->memory, &s->far, MOMENT_COUNT, &in) && state_done(&in))
		return true;
	moments_release(run, state);
	return false;
}

static bool
has_special(const RealFar *far)
{
	return far != NULL && (far->nan | far->plus | far->minus) != 0;
}

static const uint64_t *
far_words(const RealFar *far, int sum)
{
	return far != NULL ? far->words[sum] : NULL;
}

/* out = n * product - a * b: the numerators of variances and covariances, times n. */
static void
centred(const Big *product, const Big *a, const Big *b, int64_t n, Big *out)
{
	Big left = *product;
	Big right;

	big_multiply64(&left, (uint64_t)n);
	big_multiply(&right, a, b);
	big_subtract(out, &left, &right);
}

/* The variance divides by count, or by count - 1 of a sample. */
static Status
emit_spread(const AggregateRun *run, const void *state, bool sample, bool root, Vector *out,
	    uint32_t row, Arena *heap, Str *message)
{
	const Moments *s = state;
	Big sum;
	Big squares;
	Big numerator;

	if (s->count <= sample)
		return aggregate_emit_null(out, row);
	if (has_special(s->far)) {
		VECTOR_DATA(out, double)[row] = (double)NAN;
		return FERRIS_OK;
	}
	real_total(s->single, REAL_SINGLE, far_words(s->far, MOMENT_SINGLE), &sum);
	real_total(s->product, REAL_PRODUCT, far_words(s->far, MOMENT_PRODUCT), &squares);
	centred(&squares, &sum, &sum, s->count, &numerator);
	Scaled count = {(double)s->count, 0};
	Scaled divisor = {(double)(s->count - sample), 0};
	Scaled variance = scaled_divide(scaled_divide(big_scaled(&numerator), count), divisor);
	double value = scaled_value(root ? scaled_sqrt(variance) : variance);
	return aggregate_emit_finite(run, value, out, row, heap, message);
}

Status
real_variance_sample_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
			  Arena *heap, Str *message)
{
	return emit_spread(run, state, true, false, out, row, heap, message);
}

Status
real_variance_whole_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
			 Arena *heap, Str *message)
{
	return emit_spread(run, state, false, false, out, row, heap, message);
}

Status
real_deviation_sample_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
			   Arena *heap, Str *message)
{
	return emit_spread(run, state, true, true, out, row, heap, message);
}

Status
real_deviation_whole_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
			  Arena *heap, Str *message)
{
	return emit_spread(run, state, false, true, out, row, heap, message);
}

Status
real_vwap_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	       Str *message)
{
	const Moments *s = state;
	Big weights;
	Big values;

	if (s->count == 0)
		return aggregate_emit_null(out, row);
	if (has_special(s->far)) {
		VECTOR_DATA(out, double)[row] = (double)NAN;
		return FERRIS_OK;
	}
	real_total(s->single, REAL_SINGLE, far_words(s->far, MOMENT_SINGLE), &weights);
	real_total(s->product, REAL_PRODUCT, far_words(s->far, MOMENT_PRODUCT), &values);
	if (weights.len == 0)
		return aggregate_emit_decimal(run, DECIMAL_DIVISION_BY_ZERO, 0, out, row, heap,
					      message);
	Scaled value = scaled_divide(big_scaled(&values), big_scaled(&weights));
	return aggregate_emit_finite(run, scaled_value(value), out, row, heap, message);
}

/* ---- two arguments: correlation and regression ---- */

/* The first argument is y, the dependent one, as in REGR_SLOPE(y, x). */
typedef struct Pairs {
	uint64_t y[SINGLE_WORDS];
	uint64_t x[SINGLE_WORDS];
	uint64_t yy[PRODUCT_WORDS];
	uint64_t xx[PRODUCT_WORDS];
	uint64_t xy[PRODUCT_WORDS];
	int64_t count;
	RealFar *far;
} Pairs;

enum { PAIR_Y, PAIR_X, PAIR_YY, PAIR_XX, PAIR_XY, PAIR_COUNT };

Status
pairs_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(Pairs);
	return FERRIS_OK;
}

static void
pairs_one(const AggregateRun *run, Pairs *state, double y, double x, bool retract)
{
	RealParts a;
	RealParts b;
	RealFar **far = &state->far;

	state->count += retract ? -1 : 1;
	if (!real_split(y, &a) || !real_split(x, &b)) {
		real_far_special(real_far_need(run->memory, far, PAIR_COUNT), isfinite(y) ? x : y,
				 retract ? -1 : 1);
		return;
	}
	add_parts(run, state->y, REAL_SINGLE, far, PAIR_Y, PAIR_COUNT, a, retract);
	add_parts(run, state->x, REAL_SINGLE, far, PAIR_X, PAIR_COUNT, b, retract);
	add_parts(run, state->yy, REAL_PRODUCT, far, PAIR_YY, PAIR_COUNT, real_multiply(a, a),
		  retract);
	add_parts(run, state->xx, REAL_PRODUCT, far, PAIR_XX, PAIR_COUNT, real_multiply(b, b),
		  retract);
	add_parts(run, state->xy, REAL_PRODUCT, far, PAIR_XY, PAIR_COUNT, real_multiply(a, b),
		  retract);
}

static void
pairs_rows(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	for (uint32_t k = 0; k < rows->count; k++) {
		double y;
		double x;

		if (pair_at(rows, aggregate_row_at(rows, k), &y, &x))
			pairs_one(run, aggregate_state_at(run, rows, k), y, x, retract);
	}
}

void
pairs_add(const AggregateRun *run, const AggregateRows *rows)
{
	pairs_rows(run, rows, false);
}

void
pairs_retract(const AggregateRun *run, const AggregateRows *rows)
{
	pairs_rows(run, rows, true);
}

void
pairs_merge(const AggregateRun *run, void *into, const void *from)
{
	Pairs *a = into;
	const Pairs *b = from;

	real_words_add(a->y, b->y, SINGLE_WORDS);
	real_words_add(a->x, b->x, SINGLE_WORDS);
	real_words_add(a->yy, b->yy, PRODUCT_WORDS);
	real_words_add(a->xx, b->xx, PRODUCT_WORDS);
	real_words_add(a->xy, b->xy, PRODUCT_WORDS);
	a->count += b->count;
	real_far_merge(run->memory, &a->far, b->far, PAIR_COUNT);
}

void
pairs_release(const AggregateRun *run, void *state)
{
	Pairs *s = state;

	real_far_drop(run->memory, &s->far, PAIR_COUNT);
	*s = (Pairs){0};
}

void
pairs_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Pairs *s = state;

	(void)run;
	buffer_append(out, s, offsetof(Pairs, far));
	real_far_save(s->far, PAIR_COUNT, out);
}

bool
pairs_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	Pairs *s = state;
	StateReader in = state_reader(data, len);
	const char *p = state_take(&in, offsetof(Pairs, far));

	if (p != NULL)
		memcpy(s, p, offsetof(Pairs, far));
	if (real_far_load(run->memory, &s->far, PAIR_COUNT, &in) && state_done(&in))
		return true;
	pairs_release(run, state);
	return false;
}

/* The sums at the end, and what is made of them; nested so that each is computed once. */
typedef struct PairTotals {
	double count;
	Big y, x, yy, xx, xy;
	Scaled dyy, dxx, dxy; /* n * yy - y * y and so on */
} PairTotals;

static void
total_pairs(const Pairs *s, PairTotals *t)
{
	Big difference;

	t->count = (double)s->count;
	real_total(s->y, REAL_SINGLE, far_words(s->far, PAIR_Y), &t->y);
	real_total(s->x, REAL_SINGLE, far_words(s->far, PAIR_X), &t->x);
	real_total(s->yy, REAL_PRODUCT, far_words(s->far, PAIR_YY), &t->yy);
	real_total(s->xx, REAL_PRODUCT, far_words(s->far, PAIR_XX), &t->xx);
	real_total(s->xy, REAL_PRODUCT, far_words(s->far, PAIR_XY), &t->xy);
	centred(&t->yy, &t->y, &t->y, s->count, &difference);
	t->dyy = big_scaled(&difference);
	centred(&t->xx, &t->x, &t->x, s->count, &difference);
	t->dxx = big_scaled(&difference);
	centred(&t->xy, &t->x, &t->y, s->count, &difference);
	t->dxy = big_scaled(&difference);
}

typedef enum PairResult {
	PAIR_CORR,
	PAIR_COVAR_POP,
	PAIR_COVAR_SAMP,
	PAIR_SLOPE,
	PAIR_INTERCEPT,
	PAIR_R2,
} PairResult;

/* (y * xx - x * xy) / dxx */
static Scaled
intercept(const PairTotals *t)
{
	Big left;
	Big right;
	Big numerator;

	big_multiply(&left, &t->y, &t->xx);
	big_multiply(&right, &t->x, &t->xy);
	big_subtract(&numerator, &left, &right);
	return scaled_divide(big_scaled(&numerator), t->dxx);
}

static Scaled
pair_value(const PairTotals *t, PairResult result)
{
	Scaled count = {t->count, 0};
	Scaled one_less = {t->count - 1, 0};

	switch (result) {
	case PAIR_CORR:
		return scaled_divide(t->dxy, scaled_sqrt(scaled_multiply(t->dxx, t->dyy)));
	case PAIR_COVAR_POP:
		return scaled_divide(scaled_divide(t->dxy, count), count);
	case PAIR_COVAR_SAMP:
		return scaled_divide(scaled_divide(t->dxy, count), one_less);
	case PAIR_SLOPE:
		return scaled_divide(t->dxy, t->dxx);
	case PAIR_INTERCEPT:
		return intercept(t);
	case PAIR_R2:
		break;
	}
	if (t->dyy.mantissa == 0)
		return (Scaled){1, 0};
	return scaled_divide(scaled_multiply(t->dxy, t->dxy), scaled_multiply(t->dxx, t->dyy));
}

static Status
emit_pair(const AggregateRun *run, const void *state, PairResult result, Vector *out, uint32_t row,
	  Arena *heap, Str *message)
{
	const Pairs *s = state;
	PairTotals t;

	if (s->count <= (result == PAIR_COVAR_SAMP))
		return aggregate_emit_null(out, row);
	if (has_special(s->far)) {
		VECTOR_DATA(out, double)[row] = (double)NAN;
		return FERRIS_OK;
	}
	total_pairs(s, &t);
	bool covariance = result == PAIR_COVAR_POP || result == PAIR_COVAR_SAMP;
	if (!covariance && (t.dxx.mantissa == 0 || (result == PAIR_CORR && t.dyy.mantissa == 0)))
		return aggregate_emit_null(out, row);
	double value = scaled_value(pair_value(&t, result));
	if (result == PAIR_CORR || result == PAIR_R2)
		value = fmin(fmax(value, -1), 1); /* one rounding may step over */
	return aggregate_emit_finite(run, value, out, row, heap, message);
}

#define PAIR_EMIT(name, result)                                                                    \
	Status name##_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,  \
			   Arena *heap, Str *message)                                              \
	{                                                                                          \
		return emit_pair(run, state, result, out, row, heap, message);                     \
	}
PAIR_EMIT(corr, PAIR_CORR)
PAIR_EMIT(covar_pop, PAIR_COVAR_POP)
PAIR_EMIT(covar_samp, PAIR_COVAR_SAMP)
PAIR_EMIT(regr_slope, PAIR_SLOPE)
PAIR_EMIT(regr_intercept, PAIR_INTERCEPT)
PAIR_EMIT(regr_r2, PAIR_R2)
