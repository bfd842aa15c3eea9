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

#define REAL_EXPONENT_BIAS    1075 /* of a mantissa taken as an integer of 53 bits */
#define REAL_EXPONENT_SPECIAL 0x7ff

/* Whether it is a number; v's parts. */
static inline bool
real_split(double v, RealParts *out)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	int biased = (int)(bits >> 52) & REAL_EXPONENT_SPECIAL;
	uint64_t mantissa = bits & ((UINT64_C(1) << 52) - 1);
	if (biased == REAL_EXPONENT_SPECIAL)
		return false;
	out->negative = bits >> 63;
	out->mantissa = biased > 0 ? mantissa | UINT64_C(1) << 52 : mantissa;
	out->exponent = (biased > 0 ? biased : 1) - REAL_EXPONENT_BIAS;
	return true;
}

static inline RealParts
real_multiply(RealParts a, RealParts b)
{
	/* Each has 53 bits. */
	Uint128 mantissa = (Uint128)(uint64_t)a.mantissa * (uint64_t)b.mantissa;

	return (RealParts){mantissa, a.exponent + b.exponent, a.negative != b.negative};
}

/* words += or -= part * 2^(64 * at), with the carry to the end. */
static inline void
real_add_part(uint64_t *words, int count, int at, const uint64_t part[3], bool negative)
{
	uint64_t carry = negative; /* a - b is a + ~b + 1 */

	const uint64_t flip = negative ? UINT64_MAX : 0;
	int i = at;
	for (int k = 0; k < 3 && i < count; i++, k++) {
		Uint128 sum = (Uint128)words[i] + (part[k] ^ flip) + carry;

		words[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
	/* Beyond the part, + 0 without a carry and - 0 with one change nothing. */
	for (; i < count && carry != negative; i++) {
		Uint128 sum = (Uint128)words[i] + flip + carry;

		words[i] = (uint64_t)sum;
		carry = (uint64_t)(sum >> 64);
	}
}

static inline int
real_bits(Uint128 v)
{
	uint64_t high = (uint64_t)(v >> 64);

	return high != 0 ? 128 - __builtin_clzll(high)
	       : v != 0  ? 64 - __builtin_clzll((uint64_t)v)
			 : 0;
}

/* words += value, or -= if `retract`; false, and nothing changed, if it does not fit the window. */
static inline __attribute__((always_inline)) bool
real_window_add(uint64_t *words, int count, int low, RealParts value, bool retract)
{
	int shift = value.exponent - low;

	if (value.mantissa == 0)
		return true;
	if (shift < 0 || shift + real_bits(value.mantissa) > 64 * (count - 1))
		return false;
	unsigned bit = (unsigned)shift % 64;
	Uint128 lower = value.mantissa << bit;
	uint64_t part[3] = {(uint64_t)lower, (uint64_t)(lower >> 64),
			    bit > 0 ? (uint64_t)(value.mantissa >> (128 - bit)) : 0};
	real_add_part(words, count, (int)((unsigned)shift / 64), part, value.negative != retract);
	return true;
}

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
