/* type/decimal.c -- arithmetic of exact decimals.
 *
 * Each function first tries the native width, where nearly all values are, and falls back to
 * type/wide.h when an intermediate does not fit 128 bits.  Text is in type/decimal_text.c. */
#include "type/decimal.h"

#include <assert.h>

#include "type/wide.h"

#define TEN_TO_18 INT64_C(1000000000000000000)
#define P128(high, low) ((Int128)(high) * TEN_TO_18 + (low))

const int64_t decimal_power64[DECIMAL_PRECISION64_MAX + 1] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	INT64_C(10000000000), INT64_C(100000000000), INT64_C(1000000000000),
	INT64_C(10000000000000), INT64_C(100000000000000), INT64_C(1000000000000000),
	INT64_C(10000000000000000), INT64_C(100000000000000000), TEN_TO_18,
};

const Int128 decimal_power128[DECIMAL_PRECISION_MAX + 1] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000,
	INT64_C(10000000000), INT64_C(100000000000), INT64_C(1000000000000),
	INT64_C(10000000000000), INT64_C(100000000000000), INT64_C(1000000000000000),
	INT64_C(10000000000000000), INT64_C(100000000000000000),
	P128(1, 0), P128(10, 0), P128(100, 0), P128(1000, 0), P128(10000, 0), P128(100000, 0),
	P128(1000000, 0), P128(10000000, 0), P128(100000000, 0), P128(1000000000, 0),
	P128(INT64_C(10000000000), 0), P128(INT64_C(100000000000), 0),
	P128(INT64_C(1000000000000), 0), P128(INT64_C(10000000000000), 0),
	P128(INT64_C(100000000000000), 0), P128(INT64_C(1000000000000000), 0),
	P128(INT64_C(10000000000000000), 0), P128(INT64_C(100000000000000000), 0),
	P128(TEN_TO_18, 0), P128(TEN_TO_18, 0) * 10, P128(TEN_TO_18, 0) * 100,
};

static const char *const rounding_names[ROUND_COUNT] = {
#define ROUNDING(name, meaning) #name,
	DECIMAL_ROUNDING_LIST(ROUNDING)
#undef ROUNDING
};

const char *
decimal_rounding_name(DecimalRounding rounding)
{
	assert(rounding < ROUND_COUNT);
	return rounding_names[rounding];
}

bool
decimal_rounding_find(Str name, DecimalRounding *rounding)
{
	for (int i = ROUND_EXACT + 1; i < ROUND_COUNT; i++)
		if (str_eq_nocase(name, str_from(rounding_names[i]))) {
			*rounding = (DecimalRounding)i;
			return true;
		}
	return false;
}

/* numerator / divisor with a sign, rounded to an integer below 10^precision. */
static inline DecimalResult
round_quotient64(uint64_t numerator, uint64_t divisor, bool negative, int precision,
                 DecimalRounding rounding, int64_t *out)
{
	uint64_t magnitude = numerator / divisor;
	uint64_t rest = numerator % divisor;

	/* Before the digits: a value that is both too large and too fine is too large. */
	if (magnitude >= (uint64_t)decimal_power64[precision])
		return DECIMAL_OVERFLOW;
	if (rest != 0) {
		uint64_t gap = divisor - rest;

		if (rounding == ROUND_EXACT)
			return DECIMAL_LOST_DIGITS;
		magnitude += decimal_rounds_away(rounding, negative, magnitude & 1,
		                                 rest < gap ? -1 : rest > gap);
		if (magnitude >= (uint64_t)decimal_power64[precision])
			return DECIMAL_OVERFLOW;
	}
	*out = negative ? -(int64_t)magnitude : (int64_t)magnitude;
	return DECIMAL_OK;
}

static inline DecimalResult
round_quotient128(Uint128 numerator, Uint128 divisor, bool negative, int precision,
                  DecimalRounding rounding, Int128 *out)
{
	Uint128 magnitude = numerator / divisor;
	Uint128 rest = numerator - magnitude * divisor;

	if (magnitude >= (Uint128)decimal_power128[precision])
		return DECIMAL_OVERFLOW;
	if (rest != 0) {
		Uint128 gap = divisor - rest;

		if (rounding == ROUND_EXACT)
			return DECIMAL_LOST_DIGITS;
		magnitude += decimal_rounds_away(rounding, negative, magnitude & 1,
		                                 rest < gap ? -1 : rest > gap);
		if (magnitude >= (Uint128)decimal_power128[precision])
			return DECIMAL_OVERFLOW;
	}
	*out = negative ? -(Int128)magnitude : (Int128)magnitude;
	return DECIMAL_OK;
}

/* v * 10^exponent if that fits 128 bits unsigned. */
static inline bool
scale_up(Uint128 v, int exponent, Uint128 *out)
{
	return exponent <= DECIMAL_PRECISION_MAX &&
	       !__builtin_mul_overflow(v, (Uint128)decimal_power128[exponent], out);
}

DecimalResult
decimal_mul128(Int128 a, Int128 b, Int128 *out)
{
	Int128 product;

	if (__builtin_mul_overflow(a, b, &product) ||
	    !decimal_fits128(product, DECIMAL_PRECISION_MAX))
		return DECIMAL_OVERFLOW;
	*out = product;
	return DECIMAL_OK;
}

static DecimalResult
div_wide(Int128 a, Int128 b, int shift, int precision, DecimalRounding rounding, Int128 *out)
{
	Wide numerator;
	Wide divisor;

	wide_from128(&numerator, decimal_magnitude(a));
	wide_from128(&divisor, decimal_magnitude(b));
	if (shift >= 0)
		wide_mul_power10(&numerator, shift);
	else
		wide_mul_power10(&divisor, -shift);
	return wide_round_quotient(&numerator, &divisor, (a < 0) != (b < 0), precision, rounding,
	                           out);
}

DecimalResult
decimal_div128(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
               DecimalRounding rounding, Int128 *out)
{
	int shift = scale - a_scale + b_scale;
	Uint128 numerator;

	if (b == 0)
		return DECIMAL_DIVISION_BY_ZERO;
	if (shift < 0 || !scale_up(decimal_magnitude(a), shift, &numerator))
		return div_wide(a, b, shift, precision, rounding, out);
	return round_quotient128(numerator, decimal_magnitude(b), (a < 0) != (b < 0), precision,
	                         rounding, out);
}

DecimalResult
decimal_div64(int64_t a, int a_scale, int64_t b, int b_scale, int precision, int scale,
              DecimalRounding rounding, int64_t *out)
{
	int shift = scale - a_scale + b_scale;
	uint64_t numerator;
	Int128 wide;

	assert(precision <= DECIMAL_PRECISION64_MAX);
	if (b == 0)
		return DECIMAL_DIVISION_BY_ZERO;
	if (shift >= 0 && shift <= DECIMAL_PRECISION64_MAX &&
	    !__builtin_mul_overflow(a < 0 ? 0 - (uint64_t)a : (uint64_t)a,
	                            (uint64_t)decimal_power64[shift], &numerator)) {
		uint64_t divisor = b < 0 ? 0 - (uint64_t)b : (uint64_t)b;

		return round_quotient64(numerator, divisor, (a < 0) != (b < 0), precision, rounding,
		                        out);
	}
	DecimalResult result =
		decimal_div128(a, a_scale, b, b_scale, precision, scale, rounding, &wide);
	if (result == DECIMAL_OK)
		*out = (int64_t)wide;
	return result;
}

/* The remainder of numbers that do not fit 128 bits at one scale. */
static Int128
mod_wide(Int128 a, int a_shift, Int128 b, int b_shift)
{
	Wide numerator;
	Wide divisor;
	Wide quotient;
	Wide remainder;
	Uint128 magnitude = 0;

	wide_from128(&numerator, decimal_magnitude(a));
	wide_from128(&divisor, decimal_magnitude(b));
	wide_mul_power10(&numerator, a_shift);
	wide_mul_power10(&divisor, b_shift);
	wide_divide(&numerator, &divisor, &quotient, &remainder);
	/* One of the shifts is 0: the remainder is below b or not above a, so it fits. */
	bool fits = wide_to128(&remainder, &magnitude);
	assert(fits);
	(void)fits;
	return a < 0 ? -(Int128)magnitude : (Int128)magnitude;
}

DecimalResult
decimal_mod128(Int128 a, int a_scale, Int128 b, int b_scale, Int128 *out)
{
	int scale = a_scale > b_scale ? a_scale : b_scale;
	Uint128 numerator;
	Uint128 divisor;

	if (b == 0)
		return DECIMAL_DIVISION_BY_ZERO;
	if (!scale_up(decimal_magnitude(a), scale - a_scale, &numerator) ||
	    !scale_up(decimal_magnitude(b), scale - b_scale, &divisor)) {
		*out = mod_wide(a, scale - a_scale, b, scale - b_scale);
		return DECIMAL_OK;
	}
	Uint128 magnitude = numerator % divisor;
	*out = a < 0 ? -(Int128)magnitude : (Int128)magnitude;
	return DECIMAL_OK;
}

DecimalResult
decimal_mod64(int64_t a, int a_scale, int64_t b, int b_scale, int64_t *out)
{
	Int128 wide;

	if (a_scale == b_scale && b != 0 && b != -1) {
		*out = a % b;
		return DECIMAL_OK;
	}
	DecimalResult result = decimal_mod128(a, a_scale, b, b_scale, &wide);
	if (result == DECIMAL_OK)
		*out = (int64_t)wide;
	return result;
}

DecimalResult
decimal_rescale64(int64_t v, int from_scale, int precision, int to_scale,
                  DecimalRounding rounding, int64_t *out)
{
	int64_t scaled = v;

	if (to_scale < from_scale) {
		bool negative = v < 0;

		return round_quotient64(negative ? 0 - (uint64_t)v : (uint64_t)v,
		                        (uint64_t)decimal_power64[from_scale - to_scale], negative,
		                        precision, rounding, out);
	}
	if (__builtin_mul_overflow(v, decimal_power64[to_scale - from_scale], &scaled) ||
	    !decimal_fits64(scaled, precision))
		return DECIMAL_OVERFLOW;
	*out = scaled;
	return DECIMAL_OK;
}

DecimalResult
decimal_rescale128(Int128 v, int from_scale, int precision, int to_scale, DecimalRounding rounding,
                   Int128 *out)
{
	Int128 scaled;

	if (to_scale < from_scale)
		return round_quotient128(decimal_magnitude(v),
		                         (Uint128)decimal_power128[from_scale - to_scale], v < 0,
		                         precision, rounding, out);
	if (__builtin_mul_overflow(v, decimal_power128[to_scale - from_scale], &scaled) ||
	    !decimal_fits128(scaled, precision))
		return DECIMAL_OVERFLOW;
	*out = scaled;
	return DECIMAL_OK;
}

int
decimal_compare64(int64_t a, int a_scale, int64_t b, int b_scale)
{
	if (a_scale == b_scale)
		return a < b ? -1 : a > b;
	/* At most 19 and 18 digits: the product fits 128 bits. */
	Int128 left = a;
	Int128 right = b;
	if (a_scale < b_scale)
		left *= decimal_power64[b_scale - a_scale];
	else
		right *= decimal_power64[a_scale - b_scale];
	return left < right ? -1 : left > right;
}

int
decimal_compare128(Int128 a, int a_scale, Int128 b, int b_scale)
{
	Int128 left = a;
	Int128 right = b;

	/* What does not fit 128 bits is larger in magnitude than what does. */
	if (a_scale < b_scale &&
	    __builtin_mul_overflow(a, decimal_power128[b_scale - a_scale], &left))
		return a < 0 ? -1 : 1;
	if (b_scale < a_scale &&
	    __builtin_mul_overflow(b, decimal_power128[a_scale - b_scale], &right))
		return b < 0 ? 1 : -1;
	return left < right ? -1 : left > right;
}

DecimalResult
decimal_from_int64(int64_t v, int precision, int scale, Int128 *out)
{
	return decimal_rescale128(v, 0, precision, scale, ROUND_EXACT, out);
}

DecimalResult
decimal_to_int64(Int128 v, int scale, DecimalRounding rounding, int64_t *out)
{
	Int128 whole;

	DecimalResult result =
		decimal_rescale128(v, scale, DECIMAL_PRECISION_MAX, 0, rounding, &whole);
	if (result != DECIMAL_OK)
		return result;
	if (whole < INT64_MIN || whole > INT64_MAX)
		return DECIMAL_OVERFLOW;
	*out = (int64_t)whole;
	return DECIMAL_OK;
}

static inline int
max_int(int a, int b)
{
	return a > b ? a : b;
}

static inline int
min_int(int a, int b)
{
	return a < b ? a : b;
}

void
decimal_add_type(int p1, int s1, int p2, int s2, int *p, int *s)
{
	*s = max_int(s1, s2);
	*p = min_int(max_int(p1 - s1, p2 - s2) + *s + 1, DECIMAL_PRECISION_MAX);
}

bool
decimal_mul_type(int p1, int s1, int p2, int s2, int *p, int *s)
{
	if (s1 + s2 > DECIMAL_PRECISION_MAX)
		return false;
	*s = s1 + s2;
	*p = min_int(p1 + p2, DECIMAL_PRECISION_MAX);
	return true;
}

void
decimal_div_type(int p1, int s1, int p2, int s2, int *p, int *s)
{
	(void)p2;
	*s = max_int(DECIMAL_DIVISION_SCALE, max_int(s1, s2));
	*p = min_int(p1 - s1 + s2 + *s, DECIMAL_PRECISION_MAX);
}

void
decimal_mod_type(int p1, int s1, int p2, int s2, int *p, int *s)
{
	*s = max_int(s1, s2);
	*p = max_int(min_int(p1 - s1, p2 - s2) + *s, 1);
}
