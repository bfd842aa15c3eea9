/* func/aggregate_real.h -- exact sums of doubles; for func/aggregate*.c alone.
 *
 * A sum is a fixed-point number in two's complement, wide enough that the usual values land in it
 * whole: nothing is rounded until the end, so the result does not depend on the order of the rows
 * and rows can be taken away again.  Values outside the window (below 1e-22, above 1e19), NaN and
 * the infinities go into a RealFar, which a state gets when it needs one.
 *
 * SINGLE windows hold doubles: 256 bits from 2^-128.  PRODUCT windows hold products of two doubles:
 * 384 bits from 2^-192.  Both leave 63 bits for the number of rows. */
#pragma once

#include "func/aggregate_state.h"

#define SINGLE_WORDS  4
#define SINGLE_LOW    (-128)
#define PRODUCT_WORDS 6
#define PRODUCT_LOW   (-192)
/* Everything: the smallest product is 2^-2148, the largest below 2^2048. */
#define FAR_WORDS 68
#define FAR_LOW   (-2176)
#define BIG_WORDS 144

typedef struct RealFar {
	int64_t nan, plus, minus; /* how many there are of NaN and the infinities */
	uint64_t words[][FAR_WORDS];
} RealFar;

typedef enum RealKind {
	REAL_SINGLE,
	REAL_PRODUCT,
} RealKind;

/* |value| = mantissa * 2^exponent; a zero has mantissa 0. */
typedef struct RealParts {
	Uint128 mantissa;
	int exponent;
	bool negative;
} RealParts;

/* An integer times 2^(64 * low): what sums become at the end. */
typedef struct Big {
	bool negative;
	int low;
	int len; /* words in use; the highest is not 0 */
	uint64_t word[BIG_WORDS];
} Big;

/* A nearest double in [0.5, 1), or 0, times 2^exponent. */
typedef struct Scaled {
	double mantissa;
	int exponent;
} Scaled;

static inline size_t
real_far_size(int sums)
{
	return sizeof(RealFar) + sizeof(uint64_t) * FAR_WORDS * (size_t)sums;
}

/* Whether it is a number; v's parts. */
bool real_split(double v, RealParts *out);
RealParts real_multiply(RealParts a, RealParts b);
/* words += value, or -= if `retract`; false, and nothing changed, if it does not fit the window. */
bool real_window_add(uint64_t *words, int count, int low, RealParts value, bool retract);
/* Two's complement addition. */
void real_words_add(uint64_t *into, const uint64_t *from, int count);
/* The whole of a sum: its window and, if there is one, its part of the far sums. */
void real_total(const uint64_t *words, RealKind kind, const uint64_t *far, Big *out);

/* Makes *far for that many sums if there is none. */
RealFar *real_far_need(AggregateMemory *memory, RealFar **far, int sums);
void real_far_drop(AggregateMemory *memory, RealFar **far, int sums);
void real_far_merge(AggregateMemory *memory, RealFar **into, const RealFar *from, int sums);
/* Counts a NaN or infinity, or takes it away. */
void real_far_special(RealFar *far, double v, int64_t step);
void real_far_save(const RealFar *far, int sums, Buffer *out);
bool real_far_load(AggregateMemory *memory, RealFar **far, int sums, StateReader *in);

/* `out` is none of the operands. */
void big_multiply(Big *out, const Big *a, const Big *b);
void big_multiply64(Big *v, uint64_t factor);
/* out = a - b */
void big_subtract(Big *out, const Big *a, const Big *b);
Scaled big_scaled(const Big *v);
double scaled_value(Scaled v);
/* a / b; b is not 0. */
Scaled scaled_divide(Scaled a, Scaled b);
Scaled scaled_multiply(Scaled a, Scaled b);
Scaled scaled_sqrt(Scaled v);
