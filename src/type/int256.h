/* type/int256.h -- a 256-bit signed accumulator for exact sums of decimals.
 *
 * A sum of 128-bit values cannot overflow it in fewer than 2^128 additions, so adding needs no
 * check, and the result does not depend on the order of the input.  A sum of products can; those
 * functions report it.  The value is stored in two's complement, least significant word first, so
 * it can be saved and loaded as 32 bytes.
 *
 * Owns nothing, allocates nothing.  Threads: everything here is pure. */
#pragma once

#include "type/decimal.h"

typedef struct Int256 {
	uint64_t word[4];
} Int256;

static inline void
int256_add_words(Int256 *sum, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3)
{
	Uint128 t = (Uint128)sum->word[0] + w0;

	sum->word[0] = (uint64_t)t;
	t = (t >> 64) + sum->word[1] + w1;
	sum->word[1] = (uint64_t)t;
	t = (t >> 64) + sum->word[2] + w2;
	sum->word[2] = (uint64_t)t;
	sum->word[3] = (uint64_t)((t >> 64) + sum->word[3] + w3);
}

static inline void
int256_add(Int256 *sum, Int128 v)
{
	Uint128 old = (Uint128)sum->word[1] << 64 | sum->word[0];
	Uint128 low = old + (Uint128)v;
	int over = (low < old) - (v < 0); /* what goes to the upper half: -1, 0 or 1 */

	sum->word[0] = (uint64_t)low;
	sum->word[1] = (uint64_t)(low >> 64);
	/* It is 0 unless the sum changes its sign or outgrows 128 bits. */
	if (__builtin_expect(over != 0, 0)) {
		Uint128 high = ((Uint128)sum->word[3] << 64 | sum->word[2]) + (Uint128)(Int128)over;

		sum->word[2] = (uint64_t)high;
		sum->word[3] = (uint64_t)(high >> 64);
	}
}

static inline void
int256_merge(Int256 *sum, const Int256 *other)
{
	int256_add_words(sum, other->word[0], other->word[1], other->word[2], other->word[3]);
}

static inline bool
int256_is_negative(const Int256 *v)
{
	return v->word[3] >> 63;
}

static inline bool
int256_is_zero(const Int256 *v)
{
	return (v->word[0] | v->word[1] | v->word[2] | v->word[3]) == 0;
}

Int256 int256_from(Int128 v);
Int256 int256_negate(const Int256 *v);
/* The inverses of add and merge, for rows that leave a window. */
void int256_sub(Int256 *sum, Int128 v);
void int256_unmerge(Int256 *sum, const Int256 *other);
/* sum += a * b, or -= ; false, and sum unchanged, if that overflows. */
bool int256_add_product(Int256 *sum, Int128 a, Int128 b);
bool int256_sub_product(Int256 *sum, Int128 a, Int128 b);
int int256_compare(const Int256 *a, const Int256 *b);

/* The sum as DECIMAL(precision, scale) with the scale its values had. */
DecimalResult int256_to_decimal(const Int256 *sum, int precision, Int128 *out);
/* sum / 10^sum_scale / count, rounded once to `scale` digits; count > 0.  AVG. */
DecimalResult int256_average(const Int256 *sum, int sum_scale, int64_t count, int precision,
                             int scale, DecimalRounding rounding, Int128 *out);
/* sum_a / 10^a_scale divided by sum_b / 10^b_scale.  VWAP. */
DecimalResult int256_ratio(const Int256 *a, int a_scale, const Int256 *b, int b_scale,
                           int precision, int scale, DecimalRounding rounding, Int128 *out);
/* Variance from the sum of the values and the sum of their squares (value scale `in_scale`, so
 * the squares have twice that), exact before the one rounding HALF_UP; `divisor` is count or
 * count - 1, and > 0.  int256_deviation is its square root, likewise. */
DecimalResult int256_variance(const Int256 *sum, const Int256 *squares, int in_scale, int64_t count,
                              int64_t divisor, int precision, int scale, Int128 *out);
DecimalResult int256_deviation(const Int256 *sum, const Int256 *squares, int in_scale,
                               int64_t count, int64_t divisor, int precision, int scale,
                               Int128 *out);
/* The nearest double (of the integer; the caller scales). */
double int256_to_double(const Int256 *v);
