/* type/int256.c -- what is done with a sum once it is complete: averages, ratios, variances.
 *
 * Each result is one exact fraction of integers (type/wide.h), rounded once. */
#include "type/int256.h"

#include <assert.h>
#include <math.h>

#include "type/wide.h"

Int256
int256_from(Int128 v)
{
	uint64_t sign = v < 0 ? UINT64_MAX : 0;

	return (Int256){{(uint64_t)v, (uint64_t)((Uint128)v >> 64), sign, sign}};
}

Int256
int256_negate(const Int256 *v)
{
	Int256 out = {{~v->word[0], ~v->word[1], ~v->word[2], ~v->word[3]}};

	int256_add_words(&out, 1, 0, 0, 0);
	return out;
}

void
int256_sub(Int256 *sum, Int128 v)
{
	Int256 wide = int256_from(v);

	int256_unmerge(sum, &wide);
}

void
int256_unmerge(Int256 *sum, const Int256 *other)
{
	Int256 negative = int256_negate(other);

	int256_merge(sum, &negative);
}

int
int256_compare(const Int256 *a, const Int256 *b)
{
	int64_t a_top = (int64_t)a->word[3];
	int64_t b_top = (int64_t)b->word[3];

	if (a_top != b_top)
		return a_top < b_top ? -1 : 1;
	for (int i = 2; i >= 0; i--)
		if (a->word[i] != b->word[i])
			return a->word[i] < b->word[i] ? -1 : 1;
	return 0;
}

static Int256
multiply(Int128 a, Int128 b)
{
	Uint128 x = decimal_magnitude(a);
	Uint128 y = decimal_magnitude(b);
	uint64_t x0 = (uint64_t)x;
	uint64_t x1 = (uint64_t)(x >> 64);
	uint64_t y0 = (uint64_t)y;
	uint64_t y1 = (uint64_t)(y >> 64);
	Uint128 low = (Uint128)x0 * y0;
	Uint128 mid1 = (Uint128)x0 * y1;
	Uint128 mid2 = (Uint128)x1 * y0;
	Uint128 high = (Uint128)x1 * y1;
	Int256 product = {{(uint64_t)low, (uint64_t)(low >> 64), (uint64_t)high,
	                   (uint64_t)(high >> 64)}};

	int256_add_words(&product, 0, (uint64_t)mid1, (uint64_t)(mid1 >> 64), 0);
	int256_add_words(&product, 0, (uint64_t)mid2, (uint64_t)(mid2 >> 64), 0);
	return (a < 0) != (b < 0) ? int256_negate(&product) : product;
}

/* The product is at most 2^254, so only the sum can overflow, and only with operands of one
 * sign. */
static bool
merge_checked(Int256 *sum, const Int256 *product)
{
	Int256 total = *sum;
	bool same_sign = int256_is_negative(sum) == int256_is_negative(product);

	int256_merge(&total, product);
	if (same_sign && int256_is_negative(&total) != int256_is_negative(sum))
		return false;
	*sum = total;
	return true;
}

bool
int256_add_product(Int256 *sum, Int128 a, Int128 b)
{
	Int256 product = multiply(a, b);

	return merge_checked(sum, &product);
}

bool
int256_sub_product(Int256 *sum, Int128 a, Int128 b)
{
	Int256 product = multiply(a, b);

	product = int256_negate(&product);
	return merge_checked(sum, &product);
}

/* The magnitude as a Wide; returns whether v is negative.  The magnitude of -2^255 fits too. */
static bool
magnitude_of(const Int256 *v, Wide *out)
{
	bool negative = int256_is_negative(v);
	Int256 positive = negative ? int256_negate(v) : *v;

	wide_from_words(out, positive.word, 4);
	return negative;
}

DecimalResult
int256_to_decimal(const Int256 *sum, int precision, Int128 *out)
{
	Wide wide;
	Uint128 magnitude;
	bool negative = magnitude_of(sum, &wide);

	if (!wide_to128(&wide, &magnitude) || magnitude >= (Uint128)decimal_power128[precision])
		return DECIMAL_OVERFLOW;
	*out = negative ? -(Int128)magnitude : (Int128)magnitude;
	return DECIMAL_OK;
}

/* a / b * 10^shift, rounded. */
static DecimalResult
round_fraction(Wide *a, Wide *b, int shift, bool negative, int precision, DecimalRounding rounding,
               Int128 *out)
{
	if (shift >= 0)
		wide_mul_power10(a, shift);
	else
		wide_mul_power10(b, -shift);
	return wide_round_quotient(a, b, negative, precision, rounding, out);
}

DecimalResult
int256_average(const Int256 *sum, int sum_scale, int64_t count, int precision, int scale,
               DecimalRounding rounding, Int128 *out)
{
	Wide numerator;
	Wide divisor;
	bool negative = magnitude_of(sum, &numerator);

	assert(count > 0);
	wide_from128(&divisor, (Uint128)count);
	return round_fraction(&numerator, &divisor, scale - sum_scale, negative, precision,
	                      rounding, out);
}

DecimalResult
int256_ratio(const Int256 *a, int a_scale, const Int256 *b, int b_scale, int precision, int scale,
             DecimalRounding rounding, Int128 *out)
{
	Wide numerator;
	Wide divisor;
	bool a_negative = magnitude_of(a, &numerator);
	bool b_negative = magnitude_of(b, &divisor);

	if (divisor.len == 0)
		return DECIMAL_DIVISION_BY_ZERO;
	return round_fraction(&numerator, &divisor, scale - a_scale + b_scale,
	                      a_negative != b_negative, precision, rounding, out);
}

/* Variance = (count * squares - sum^2) / (count * divisor), at twice the scale of the values. */
static void
variance_fraction(const Int256 *sum, const Int256 *squares, int64_t count, int64_t divisor,
                  Wide *numerator, Wide *denominator)
{
	Wide magnitude;
	Wide square;

	assert(count > 0 && divisor > 0);
	magnitude_of(sum, &magnitude);
	wide_mul(&square, &magnitude, &magnitude);
	bool negative = magnitude_of(squares, numerator);
	wide_mul64(numerator, (uint64_t)count);
	/* Holds for the sums of any values (Cauchy and Schwarz). */
	assert(!negative && wide_compare(numerator, &square) >= 0);
	(void)negative;
	wide_sub(numerator, &square);
	wide_from128(denominator, (Uint128)count * (Uint128)divisor);
}

DecimalResult
int256_variance(const Int256 *sum, const Int256 *squares, int in_scale, int64_t count,
                int64_t divisor, int precision, int scale, Int128 *out)
{
	Wide numerator;
	Wide denominator;

	variance_fraction(sum, squares, count, divisor, &numerator, &denominator);
	return round_fraction(&numerator, &denominator, scale - 2 * in_scale, false, precision,
	                      ROUND_HALF_UP, out);
}

DecimalResult
int256_deviation(const Int256 *sum, const Int256 *squares, int in_scale, int64_t count,
                 int64_t divisor, int precision, int scale, Int128 *out)
{
	Wide numerator;
	Wide denominator;
	Wide quotient;
	Wide remainder;
	Uint128 root;

	/* With s the exact root at the result's scale: floor(s + 1/2) is
	 * floor((floor(2s) + 1) / 2), and floor(2s) is the integer root of floor(4 s^2).  So
	 * nothing is rounded on the way. */
	variance_fraction(sum, squares, count, divisor, &numerator, &denominator);
	wide_mul64(&numerator, 4);
	if (scale >= in_scale)
		wide_mul_power10(&numerator, 2 * (scale - in_scale));
	else
		wide_mul_power10(&denominator, 2 * (in_scale - scale));
	wide_divide(&numerator, &denominator, &quotient, &remainder);
	wide_sqrt(&quotient, &remainder);
	if (!wide_to128(&remainder, &root))
		return DECIMAL_OVERFLOW;
	root = root / 2 + (root & 1);
	if (root >= (Uint128)decimal_power128[precision])
		return DECIMAL_OVERFLOW;
	*out = (Int128)root;
	return DECIMAL_OK;
}

double
int256_to_double(const Int256 *v)
{
	Wide wide;
	bool negative = magnitude_of(v, &wide);
	uint64_t top = 0;
	int shift = wide_bits(&wide) - 64;

	if (shift <= 0) {
		top = wide.len > 0 ? wide.word[0] : 0;
		shift = 0;
	} else {
		int word = shift / 64;
		int bit = shift % 64;
		bool rest = (wide.word[word] & ((UINT64_C(1) << bit) - 1)) != 0;

		for (int i = 0; i < word; i++)
			rest |= wide.word[i] != 0;
		top = wide.word[word] >> bit;
		if (bit > 0)
			top |= wide.word[word + 1] << (64 - bit);
		/* Far below the 53 bits of a double, this only says which side of a tie it is. */
		top |= rest;
	}
	double magnitude = ldexp((double)top, shift);
	return negative ? -magnitude : magnitude;
}
