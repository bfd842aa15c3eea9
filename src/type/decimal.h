/* type/decimal.h -- exact decimals: an integer whose scale is held elsewhere, in the type.
 *
 * DECIMAL(p, s) is v / 10^s with |v| < 10^p.  It is stored in 64 bits when p <= 18 and in 128 bits
 * to 38 digits.  Digits go from text to integer and back without ever passing through a double.
 * A result that does not fit, or a digit that would be lost without anybody having asked for
 * rounding, is reported and never stored.  On any result but DECIMAL_OK *out is left as it was.
 *
 * Functions that end in 64 take and give 64-bit values, the others 128-bit ones.  The checked
 * 64-bit add, sub and mul report what does not fit 64 bits (a result type of p <= 18 has no
 * such case); all others report |v| >= 10^p of the precision they are given, or >= 10^38.
 *
 * Owns nothing, allocates nothing.  Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

#define DECIMAL_PRECISION64_MAX 18
#define DECIMAL_PRECISION_MAX 38
#define DECIMAL_DIVISION_SCALE 6 /* a quotient has at least that many fractional digits */
#define DECIMAL_TEXT_MAX 48      /* sign, 39 digits, point, leading zero; rounded up */

typedef enum DecimalResult {
	DECIMAL_OK = 0,
	DECIMAL_SYNTAX,           /* the text is not a number */
	DECIMAL_OVERFLOW,         /* more digits before the point than the type has */
	DECIMAL_LOST_DIGITS,      /* digits beyond the scale that are not zero */
	DECIMAL_DIVISION_BY_ZERO,
} DecimalResult;

/* ROUNDING(name, meaning); EXACT is the absence of rounding: DECIMAL_LOST_DIGITS instead. */
#define DECIMAL_ROUNDING_LIST(ROUNDING)                             \
	ROUNDING(EXACT, "no digit may be lost")                     \
	ROUNDING(UP, "away from zero")                              \
	ROUNDING(DOWN, "towards zero")                              \
	ROUNDING(CEILING, "towards plus infinity")                  \
	ROUNDING(FLOOR, "towards minus infinity")                   \
	ROUNDING(HALF_UP, "to the nearest, ties away from zero")    \
	ROUNDING(HALF_DOWN, "to the nearest, ties towards zero")    \
	ROUNDING(HALF_EVEN, "to the nearest, ties to the even digit")

typedef enum DecimalRounding {
#define ROUNDING(name, meaning) ROUND_##name,
	DECIMAL_ROUNDING_LIST(ROUNDING)
#undef ROUNDING
	ROUND_COUNT
} DecimalRounding;

/* "HALF_UP" of ROUND_HALF_UP. */
const char *decimal_rounding_name(DecimalRounding rounding);
/* The inverse, case ignored; EXACT is not a name that SQL can say.  False if unknown. */
bool decimal_rounding_find(Str name, DecimalRounding *rounding);

/* 10^0 .. 10^18 and 10^0 .. 10^38. */
extern const int64_t decimal_power64[DECIMAL_PRECISION64_MAX + 1];
extern const Int128 decimal_power128[DECIMAL_PRECISION_MAX + 1];

/* ---- text ---- */

/* [sign] digits [. digits] [e [sign] digits], with at least one digit before or after the point;
 * no blanks.  The whole text must be the number. */
DecimalResult decimal_parse(const char *text, size_t len, int precision, int scale,
                            DecimalRounding rounding, Int128 *out);
/* The same for precision <= 18.  Reads only text[0 .. len). */
DecimalResult decimal_parse64(const char *text, size_t len, int precision, int scale,
                              DecimalRounding rounding, int64_t *out);
/* Exactly `scale` fractional digits, never an exponent, never minus zero; not NUL-terminated.
 * Returns one past the last byte; at most DECIMAL_TEXT_MAX bytes.  Any 64-bit / 128-bit value. */
char *decimal_print64(char *out, int64_t v, int scale);
char *decimal_print128(char *out, Int128 v, int scale);

/* ---- range ---- */

static inline bool
decimal_fits64(int64_t v, int precision)
{
	return v < decimal_power64[precision] && v > -decimal_power64[precision];
}

static inline bool
decimal_fits128(Int128 v, int precision)
{
	return v < decimal_power128[precision] && v > -decimal_power128[precision];
}

/* ---- arithmetic; add and sub want operands of one scale ---- */

static inline DecimalResult
decimal_add64(int64_t a, int64_t b, int64_t *out)
{
	int64_t sum;

	if (__builtin_add_overflow(a, b, &sum))
		return DECIMAL_OVERFLOW;
	*out = sum;
	return DECIMAL_OK;
}

static inline DecimalResult
decimal_sub64(int64_t a, int64_t b, int64_t *out)
{
	int64_t difference;

	if (__builtin_sub_overflow(a, b, &difference))
		return DECIMAL_OVERFLOW;
	*out = difference;
	return DECIMAL_OK;
}

/* Exact; the result's scale is the sum of the scales. */
static inline DecimalResult
decimal_mul64(int64_t a, int64_t b, int64_t *out)
{
	int64_t product;

	if (__builtin_mul_overflow(a, b, &product))
		return DECIMAL_OVERFLOW;
	*out = product;
	return DECIMAL_OK;
}

static inline DecimalResult
decimal_add128(Int128 a, Int128 b, Int128 *out)
{
	Int128 sum;

	if (__builtin_add_overflow(a, b, &sum) || !decimal_fits128(sum, DECIMAL_PRECISION_MAX))
		return DECIMAL_OVERFLOW;
	*out = sum;
	return DECIMAL_OK;
}

static inline DecimalResult
decimal_sub128(Int128 a, Int128 b, Int128 *out)
{
	Int128 difference;

	if (__builtin_sub_overflow(a, b, &difference) ||
	    !decimal_fits128(difference, DECIMAL_PRECISION_MAX))
		return DECIMAL_OVERFLOW;
	*out = difference;
	return DECIMAL_OK;
}

DecimalResult decimal_mul128(Int128 a, Int128 b, Int128 *out);

/* a / 10^a_scale divided by b / 10^b_scale, rounded once from the exact quotient to `scale`
 * digits. */
DecimalResult decimal_div64(int64_t a, int a_scale, int64_t b, int b_scale, int precision,
                            int scale, DecimalRounding rounding, int64_t *out);
DecimalResult decimal_div128(Int128 a, int a_scale, Int128 b, int b_scale, int precision, int scale,
                             DecimalRounding rounding, Int128 *out);
/* Remainder with the sign of a, scale max(a_scale, b_scale); never overflows 38 digits. */
DecimalResult decimal_mod64(int64_t a, int a_scale, int64_t b, int b_scale, int64_t *out);
DecimalResult decimal_mod128(Int128 a, int a_scale, Int128 b, int b_scale, Int128 *out);

/* To another scale; |result| < 10^precision or DECIMAL_OVERFLOW. */
DecimalResult decimal_rescale64(int64_t v, int from_scale, int precision, int to_scale,
                                DecimalRounding rounding, int64_t *out);
DecimalResult decimal_rescale128(Int128 v, int from_scale, int precision, int to_scale,
                                 DecimalRounding rounding, Int128 *out);

/* -1, 0 or 1; scales may differ, no overflow. */
int decimal_compare64(int64_t a, int a_scale, int64_t b, int b_scale);
int decimal_compare128(Int128 a, int a_scale, Int128 b, int b_scale);

/* ---- other numbers ---- */

DecimalResult decimal_from_int64(int64_t v, int precision, int scale, Int128 *out);
/* DECIMAL_OVERFLOW if the rounded value does not fit 64 bits. */
DecimalResult decimal_to_int64(Int128 v, int scale, DecimalRounding rounding, int64_t *out);
/* The nearest double.  For explicit casts and statistics only. */
double decimal_to_double(Int128 v, int scale);
/* Through the shortest text that reads back as v, then rounded: 0.1 is 0.1.  NaN and the
 * infinities are DECIMAL_SYNTAX. */
DecimalResult decimal_from_double(double v, int precision, int scale, DecimalRounding rounding,
                                  Int128 *out);

/* ---- result types ---- */

/* scale max(s1, s2), one more digit before the point than the longer operand, at most 38. */
void decimal_add_type(int p1, int s1, int p2, int s2, int *p, int *s);
/* p1 + p2 (at most 38), s1 + s2.  False if s1 + s2 > 38: the exact product has no type. */
bool decimal_mul_type(int p1, int s1, int p2, int s2, int *p, int *s);
/* scale max(6, s1, s2), precision p1 - s1 + s2 + scale, at most 38. */
void decimal_div_type(int p1, int s1, int p2, int s2, int *p, int *s);
/* scale max(s1, s2), precision min(p1 - s1, p2 - s2) + scale. */
void decimal_mod_type(int p1, int s1, int p2, int s2, int *p, int *s);
