/* type/float_text.c -- floating point numbers from text and back.
 *
 * Reading a double.  With at most 2^53 in its digits and a power of ten up to 22 both are exact
 * doubles, so one multiplication or division is correctly rounded (Clinger).  Up to 19 digits the
 * product with the first 128 bits of the power of ten nearly always tells how to round (Eisel and
 * Lemire).  All other texts are brought into a plain form of bounded length and given to strtod_l
 * in the "C" locale, which is correctly rounded.  newlocale() for "C" hands out a constant object:
 * no lock, no allocation.
 *
 * Writing a double.  A decimal of at most 15 digits is tried first; every such decimal is the
 * shortest text of the double next to it.  All others are found from the same table: the two ends
 * of the interval that reads back as v, scaled to integers (Giulietti's Schubfach).  A float is
 * printed with 6 to 9 digits until it reads back. */
#include "type/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "type/decimal.h"
#include "type/digit_text.h"
#include "type/digits.h"

#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER 22
#define SLOW_DIGITS 800       /* > 767, after which a digit only matters by being there */
#define PLAIN_POINT_MIN (-3)  /* 0.0001 */
#define PLAIN_POINT_MAX 16    /* below 1e16 */
#define FRACTION_BITS 52
#define EXPONENT_BIAS 1023
#define EXPONENT_ALL_ONES 0x7FF
#define POWER10_MIN (-342)
#define POWER10_MAX 324
#define POWER10_EXACT_MAX 55
#define EXACT_QUOTIENT_MIN (-27)

/* The first 128 bits of 10^k, rounded down. */
static const struct {
	uint64_t high;
	uint64_t low;
} power10_bits[POWER10_MAX - POWER10_MIN + 1] = {
#define POWER10(k, high, low) [(k) - POWER10_MIN] = {high, low},
#include "type/power10_list.h"
};

static const double power10_double[EXACT_POWER + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

/* ---- reading floating point ---- */

/* Write the number as digits and an exponent, without sign or point, into `out`.  Digits beyond
 * SLOW_DIGITS only decide ties: if one of them is not 0, a 1 stands for them all. */
static void
normalize(const DigitText *f, char out[static SLOW_DIGITS + 32])
{
	int64_t count = 0;
	int64_t kept = 0;
	bool rest = false;

	for (const char *p = f->digits; p < f->end; p++) {
		if (*p == '.')
			continue;
		if (count++ < SLOW_DIGITS)
			out[kept++] = *p;
		else
			rest |= *p != '0';
	}
	int64_t exponent = f->exponent + (f->count - kept);
	if (rest) {
		out[kept++] = '1';
		exponent--;
	}
	if (exponent > 99999)
		exponent = 99999;
	if (exponent < -99999)
		exponent = -99999;
	out[kept++] = 'e';
	*int64_print(out + kept, exponent) = '\0';
}

/* "nan", "inf", "infinity" with a sign, in any case. */
static bool
parse_special(const char *text, size_t len, double *out)
{
	bool negative = len > 0 && text[0] == '-';

	if (len > 0 && (text[0] == '-' || text[0] == '+')) {
		text++;
		len--;
	}
	if ((len == 3 && strncasecmp(text, "inf", 3) == 0) ||
	    (len == 8 && strncasecmp(text, "infinity", 8) == 0)) {
		*out = negative ? -INFINITY : INFINITY;
		return true;
	}
	if (len == 3 && strncasecmp(text, "nan", 3) == 0) {
		*out = NAN;
		return true;
	}
	return false;
}

/* mantissa * 10^exponent, mantissa > 0, if 128 bits of the power decide how to round and the result
 * is a normal number.  Eisel and Lemire: the low word of the power is only needed if the bits below
 * the mantissa of the first product are all ones. */
static bool
multiply_power10(uint64_t mantissa, int64_t exponent, double *out)
{
	if (exponent < POWER10_MIN || exponent > POWER10_MAX)
		return false;
	uint64_t high = power10_bits[exponent - POWER10_MIN].high;
	uint64_t low = power10_bits[exponent - POWER10_MIN].low;
	/* Where 5^-exponent fits 64 bits, quotients can be exact; then the power is rounded up, so
	 * that the product is not below them (as in the authors' proof). */
	if (exponent >= EXACT_QUOTIENT_MIN && exponent < 0)
		low++;
	int zeros = __builtin_clzll(mantissa);

	mantissa <<= zeros;
	Uint128 product = (Uint128)mantissa * high;
	if ((product >> 64 & 0x1FF) == 0x1FF)
		product += (Uint128)mantissa * low >> 64;
	uint64_t top = (uint64_t)(product >> 64);
	uint64_t bottom = (uint64_t)product;
	if (bottom == UINT64_MAX && (exponent < EXACT_QUOTIENT_MIN || exponent > POWER10_EXACT_MAX))
		return false;

	int upper = (int)(top >> 63);
	int shift = upper + 64 - FRACTION_BITS - 3;
	uint64_t digits = top >> shift;
	/* 217706 / 2^16 is log2(10), near enough for every exponent here. */
	int64_t power = ((217706 * exponent) >> 16) + 63 + upper - zeros + EXPONENT_BIAS;
	if (power <= 0 || power >= EXPONENT_ALL_ONES - 1)
		return false;
	/* Only small powers can give an exact tie: then the even neighbour. */
	if (bottom <= 1 && exponent >= -4 && exponent <= 23 && (digits & 3) == 1 &&
	    digits << shift == top)
		digits &= ~UINT64_C(1);
	digits = (digits + (digits & 1)) >> 1;
	if (digits >> (FRACTION_BITS + 1) != 0) {
		digits >>= 1;
		power++;
	}
	uint64_t bits = (digits & ((UINT64_C(1) << FRACTION_BITS) - 1)) |
	                (uint64_t)power << FRACTION_BITS;
	memcpy(out, &bits, sizeof *out);
	return true;
}

NumberResult
double_parse(const char *text, size_t len, double *out)
{
	char plain[SLOW_DIGITS + 32];
	DigitText f;
	double value;

	if (!digit_text_scan(text, len, &f))
		return parse_special(text, len, out) ? NUMBER_OK : NUMBER_SYNTAX;
	if (f.count == 0) {
		value = 0;
	} else if (f.count <= DIGIT_TEXT_EXACT && f.mantissa <= EXACT_MANTISSA &&
	           f.exponent >= -EXACT_POWER && f.exponent <= EXACT_POWER) {
		value = (double)f.mantissa;
		if (f.exponent < 0)
			value /= power10_double[-f.exponent];
		else
			value *= power10_double[f.exponent];
	} else if (f.count > DIGIT_TEXT_EXACT ||
	           !multiply_power10(f.mantissa, f.exponent, &value)) {
		locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

		normalize(&f, plain);
		value = strtod_l(plain, NULL, c_locale);
		freelocale(c_locale);
		if (isinf(value))
			return NUMBER_OVERFLOW;
	}
	*out = f.negative ? -value : value;
	return NUMBER_OK;
}

NumberResult
float_parse(const char *text, size_t len, float *out)
{
	char plain[SLOW_DIGITS + 32];
	DigitText f;
	double special;
	float value = 0;

	if (!digit_text_scan(text, len, &f)) {
		if (!parse_special(text, len, &special))
			return NUMBER_SYNTAX;
		*out = (float)special;
		return NUMBER_OK;
	}
	if (f.count > 0) {
		locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

		normalize(&f, plain);
		value = strtof_l(plain, NULL, c_locale);
		freelocale(c_locale);
		if (isinf(value))
			return NUMBER_OVERFLOW;
	}
	*out = f.negative ? -value : value;
	return NUMBER_OK;
}

/* ---- writing floating point ---- */

/* Write digits * 10^exponent in the notation number.h describes; digits > 0. */
static char *
print_decimal(char *out, uint64_t digits, int exponent)
{
	while (digits % 10 == 0) {
		digits /= 10;
		exponent++;
	}
	int count = digits_count(digits);
	int point = count + exponent; /* the value is 0.<digits> * 10^point */

	if (point < PLAIN_POINT_MIN || point > PLAIN_POINT_MAX) {
		digits_print(out + 1, digits, count);
		out[0] = out[1];
		out[1] = '.';
		out += count > 1 ? count + 1 : 1;
		*out++ = 'e';
		return int64_print(out, point - 1);
	}
	if (point <= 0) {
		memcpy(out, "0.000", 5);
		return digits_print(out + 2 - point, digits, count);
	}
	if (exponent >= 0) {
		out = digits_print(out, digits, count);
		memset(out, '0', (size_t)exponent);
		out += exponent;
		*out++ = '.';
		*out++ = '0';
		return out;
	}
	out = digits_print(out, digits / digits_power10[-exponent], point);
	*out++ = '.';
	return digits_print(out, digits % digits_power10[-exponent], -exponent);
}

/* Digits and exponent of v (> 0, finite) rounded to `count` digits. */
static void
round_to_digits(double v, int count, uint64_t *digits, int *exponent)
{
	char text[64];

	snprintf(text, sizeof text, "%.*e", count - 1, v);
	/* The point is the locale's and may be of several bytes: skip what is no digit. */
	const char *e = strchr(text, 'e');
	*digits = 0;
	for (const char *p = text; p < e; p++)
		if (digit_is(*p))
			*digits = *digits * 10 + (uint64_t)(*p - '0');
	*exponent = (int)strtol(e + 1, NULL, 10) - (count - 1);
}

static bool
reads_back(uint64_t digits, int exponent, float v)
{
	char text[64];
	char *end = uint64_print(text, digits);
	float back;

	*end++ = 'e';
	end = int64_print(end, exponent);
	return float_parse(text, (size_t)(end - text), &back) == NUMBER_OK && back == v;
}

/* v > 0, finite.  `first` digits are known to be too few or just enough; nine always suffice. */
static char *
print_shortest_float(char *out, float v, int first)
{
	uint64_t digits = 0;
	int exponent = 0;

	for (int count = first; count <= 9; count++) {
		round_to_digits(v, count, &digits, &exponent);
		if (reads_back(digits, exponent, v))
			break;
		/* Above a power of two there is more room than below: the nearest decimal may be
		 * just outside below while the next one above is inside. */
		if (reads_back(digits + 1, exponent, v)) {
			digits++;
			break;
		}
	}
	return print_decimal(out, digits, exponent);
}

/* How v compares with multiples of a power of ten: cp * g / 2^128, where any rest makes the result
 * odd, so that it is on the right side of every even number. */
static inline uint64_t
multiply_to_odd(Uint128 g, uint64_t cp)
{
	Uint128 x = (Uint128)(uint64_t)g * cp;
	Uint128 y = (Uint128)(uint64_t)(g >> 64) * cp + (uint64_t)(x >> 64);

	return (uint64_t)(y >> 64) | ((uint64_t)y > 1);
}

/* v > 0, finite.  Schubfach: with v = c * 2^q and k so that an interval of 10^k lies inside the one
 * that reads back as v, the shortest decimal is one of two multiples of 10^(k+1) or two of 10^k.
 * All numbers are kept four times as large, for the ends of the interval. */
static char *
print_schubfach(char *out, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
	int biased = (int)(bits >> FRACTION_BITS);
	uint64_t c = biased > 0 ? fraction | UINT64_C(1) << FRACTION_BITS : fraction;
	int q = (biased > 0 ? biased : 1) - EXPONENT_BIAS - FRACTION_BITS;
	bool odd = c & 1;                              /* then the ends read back as others */
	bool lopsided = fraction == 0 && biased > 1;   /* the number below is nearer */

	int k = (q * 1262611 - (lopsided ? 524031 : 0)) >> 22;  /* floor of log10 */
	int h = q + ((-k * 1741647) >> 19) + 1;                 /* floor of log2 */
	Uint128 g = (Uint128)power10_bits[-k - POWER10_MIN].high << 64 |
	            power10_bits[-k - POWER10_MIN].low;
	if (-k < 0 || -k > POWER10_EXACT_MAX)
		g++; /* rounded up, as the proof wants it */
	uint64_t low = multiply_to_odd(g, (4 * c - 2 + lopsided) << h) + odd;
	uint64_t middle = multiply_to_odd(g, 4 * c << h);
	uint64_t high = multiply_to_odd(g, (4 * c + 2) << h) - odd;

	uint64_t s = middle / 4;
	uint64_t tens = s / 10;
	bool below = low <= 40 * tens;
	bool above = 40 * tens + 40 <= high;
	if (s >= 10 && below != above)
		return print_decimal(out, tens + above, k + 1);
	below = low <= 4 * s;
	above = 4 * s + 4 <= high;
	if (below != above)
		return print_decimal(out, s + above, k);
	bool up = middle > 4 * s + 2 || (middle == 4 * s + 2 && (s & 1));
	return print_decimal(out, s + up, k);
}

/* Numbers that a short decimal stands for, which is nearly all that people write; NULL for others.
 * v > 0. */
static char *
print_short_decimal(char *out, double v)
{
	if (v >= 1e15 || v < 1e-5)
		return NULL;
	for (int places = 0; places <= EXACT_POWER; places++) {
		double scaled = v * power10_double[places];

		if (scaled >= 1e15)
			return NULL;
		uint64_t digits = (uint64_t)(scaled + 0.5);
		if ((double)digits / power10_double[places] == v)
			return print_decimal(out, digits, -places);
	}
	return NULL;
}

/* Writes the sign, and all of it if v is zero or not finite; returns NULL if digits must follow. */
static char *
print_sign_or_special(char **out, double v)
{
	if (isnan(v))
		return (char *)memcpy(*out, "NaN", 3) + 3;
	if (signbit(v))
		*(*out)++ = '-';
	if (isinf(v))
		return (char *)memcpy(*out, "Infinity", 8) + 8;
	if (v == 0)
		return (char *)memcpy(*out, "0.0", 3) + 3;
	return NULL;
}

char *
double_print(char *out, double v)
{
	char *end = print_sign_or_special(&out, v);

	if (end != NULL)
		return end;
	v = fabs(v);
	end = print_short_decimal(out, v);
	if (end != NULL)
		return end;
	return print_schubfach(out, v);
}

char *
float_print(char *out, float v)
{
	char *end = print_sign_or_special(&out, v);

	if (end != NULL)
		return end;
	v = fabsf(v);
	return print_shortest_float(out, v, v < 1.1754943508222875e-38f ? 1 : 6);
}
