/* type/number.c -- text of integers and floating point numbers.
 *
 * Reading a double: with at most 2^53 in its digits and a power of ten up to 22 both are exact
 * doubles, so one multiplication or division is correctly rounded (Clinger).  All other texts are
 * brought into a plain form of bounded length and given to strtod_l in the "C" locale, which is
 * correctly rounded.  newlocale() for "C" hands out a constant object: no lock, no allocation.
 *
 * Writing a double: a decimal of at most 15 digits is tried first; every such decimal is the
 * shortest text of the double next to it.  What needs more digits is printed with 15, 16 and 17
 * until it reads back. */
#include "type/number.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "type/digits.h"

#define EXACT_MANTISSA (UINT64_C(1) << 53)
#define EXACT_POWER 22
#define SAFE_INTEGER_DIGITS 18 /* always fit 63 bits */
#define MANTISSA_DIGITS 19    /* always fit 64 bits */
#define SLOW_DIGITS 800       /* > 767, after which a digit only matters by being there */
#define EXPONENT_LIMIT INT64_C(1000000000000)
#define SCAN_EXPONENT_LIMIT 1000000
#define PLAIN_POINT_MIN (-3)  /* 0.0001 */
#define PLAIN_POINT_MAX 16    /* below 1e16 */

static const double power10_double[EXACT_POWER + 1] = {
	1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
};

static const uint64_t power10_uint[20] = {
	UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000),
	UINT64_C(100000), UINT64_C(1000000), UINT64_C(10000000), UINT64_C(100000000),
	UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
	UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000),
	UINT64_C(1000000000000000), UINT64_C(10000000000000000), UINT64_C(100000000000000000),
	UINT64_C(1000000000000000000), UINT64_C(10000000000000000000),
};

const char digits_pairs[201] =
	"0001020304050607080910111213141516171819"
	"2021222324252627282930313233343536373839"
	"4041424344454647484950515253545556575859"
	"6061626364656667686970717273747576777879"
	"8081828384858687888990919293949596979899";

/* ---- integers ---- */

/* Any number of digits: leading zeros, or too many. */
static NumberResult
parse_long_integer(const char *p, const char *end, bool negative, int64_t *out)
{
	uint64_t limit = (uint64_t)INT64_MAX + negative;
	uint64_t value = 0;
	bool overflow = false;

	for (; p < end; p++) {
		if (!digit_is(*p))
			return NUMBER_SYNTAX;
		unsigned digit = (unsigned)(*p - '0');
		overflow |= value > (limit - digit) / 10;
		value = value * 10 + digit;
	}
	if (overflow)
		return NUMBER_OVERFLOW;
	*out = (int64_t)(negative ? 0 - value : value);
	return NUMBER_OK;
}

NumberResult
int64_parse(const char *text, size_t len, int64_t *out)
{
	const char *p = text;
	const char *end = text + len;
	bool negative = len > 0 && *p == '-';
	uint64_t value = 0;

	if (len > 0 && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return NUMBER_SYNTAX;
	if (end - p > SAFE_INTEGER_DIGITS)
		return parse_long_integer(p, end, negative, out);
	for (; end - p >= 8; p += 8) {
		uint64_t digits = digits_load(p) ^ DIGITS_ASCII_ZEROS;

		if (!digits_all(digits))
			return NUMBER_SYNTAX;
		value = value * 100000000 + digits_join(digits);
	}
	for (; p < end; p++) {
		if (!digit_is(*p))
			return NUMBER_SYNTAX;
		value = value * 10 + (uint64_t)(*p - '0');
	}
	*out = negative ? -(int64_t)value : (int64_t)value;
	return NUMBER_OK;
}

/* Decimal digits of v; 1 for 0. */
static inline int
count_digits(uint64_t v)
{
	/* 1233 / 4096 is just above log10(2), so the guess is right or one too large. */
	int guess = ((64 - __builtin_clzll(v | 1)) * 1233) >> 12;

	return guess + (guess == 0 || v >= power10_uint[guess]);
}

char *
digits_print(char *out, uint64_t v, int count)
{
	char *p = out + count;

	while (p - out >= 2) {
		p -= 2;
		memcpy(p, digits_pairs + v % 100 * 2, 2);
		v /= 100;
	}
	if (p > out)
		*out = (char)('0' + v % 10);
	return out + count;
}

char *
uint64_print(char *out, uint64_t v)
{
	return digits_print(out, v, count_digits(v));
}

char *
int64_print(char *out, int64_t v)
{
	if (v >= 0)
		return uint64_print(out, (uint64_t)v);
	*out = '-';
	return uint64_print(out + 1, 0 - (uint64_t)v);
}

/* ---- reading floating point ---- */

/* A text taken apart: the value is 0.d1d2d3... with `digit_count` digits from `digits` (a point may
 * lie among them) times 10^(exponent + digit_count). */
typedef struct FloatText {
	bool negative;
	const char *digits;   /* the first digit that is not 0 */
	const char *end;      /* one past the last digit */
	int64_t digit_count;  /* digits between the two */
	uint64_t mantissa;    /* these digits, if there are at most MANTISSA_DIGITS */
	int64_t exponent;     /* of the last digit */
} FloatText;

/* [e [sign] digits] at the end of a number; false if there is anything else. */
static bool
scan_exponent(const char *p, const char *end, int64_t *exponent)
{
	int64_t value = 0;

	*exponent = 0;
	if (p == end)
		return true;
	if ((*p | 0x20) != 'e')
		return false;
	p++;
	bool negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	if (p == end)
		return false;
	for (; p < end; p++) {
		if (!digit_is(*p))
			return false;
		if (value < EXPONENT_LIMIT)
			value = value * 10 + (*p - '0');
	}
	*exponent = negative ? -value : value;
	return true;
}

static bool
scan_float(const char *p, const char *end, FloatText *f)
{
	int64_t fraction = 0;
	bool any = false;
	bool point = false;

	*f = (FloatText){.negative = p < end && *p == '-'};
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (; p < end; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (!digit_is(*p))
			break;
		any = true;
		fraction += point;
		if (f->digit_count == 0 && *p == '0')
			continue;
		if (f->digit_count++ == 0)
			f->digits = p;
		if (f->digit_count <= MANTISSA_DIGITS)
			f->mantissa = f->mantissa * 10 + (uint64_t)(*p - '0');
	}
	f->end = p;
	if (!any || !scan_exponent(p, end, &f->exponent))
		return false;
	f->exponent -= fraction;
	return true;
}

/* Write the number as digits and an exponent, without sign or point, into `out`.  Digits beyond
 * SLOW_DIGITS only decide ties: if one of them is not 0, a 1 stands for them all. */
static void
float_text_normalize(const FloatText *f, char out[static SLOW_DIGITS + 32])
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
	int64_t exponent = f->exponent + (f->digit_count - kept);
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

NumberResult
double_parse(const char *text, size_t len, double *out)
{
	char plain[SLOW_DIGITS + 32];
	FloatText f;
	double value;

	if (!scan_float(text, text + len, &f))
		return parse_special(text, len, out) ? NUMBER_OK : NUMBER_SYNTAX;
	if (f.digit_count == 0) {
		value = 0;
	} else if (f.digit_count <= MANTISSA_DIGITS && f.mantissa <= EXACT_MANTISSA &&
	           f.exponent >= -EXACT_POWER && f.exponent <= EXACT_POWER) {
		value = (double)f.mantissa;
		if (f.exponent < 0)
			value /= power10_double[-f.exponent];
		else
			value *= power10_double[f.exponent];
	} else {
		locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

		float_text_normalize(&f, plain);
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
	FloatText f;
	double special;
	float value = 0;

	if (!scan_float(text, text + len, &f)) {
		if (!parse_special(text, len, &special))
			return NUMBER_SYNTAX;
		*out = (float)special;
		return NUMBER_OK;
	}
	if (f.digit_count > 0) {
		locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);

		float_text_normalize(&f, plain);
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
	int count = count_digits(digits);
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
	out = digits_print(out, digits / power10_uint[-exponent], point);
	*out++ = '.';
	return digits_print(out, digits % power10_uint[-exponent], -exponent);
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
reads_back(uint64_t digits, int exponent, double v, bool is_float)
{
	char text[64];
	char *end = uint64_print(text, digits);
	double as_double;
	float as_float;

	*end++ = 'e';
	end = int64_print(end, exponent);
	size_t len = (size_t)(end - text);
	if (is_float)
		return float_parse(text, len, &as_float) == NUMBER_OK && as_float == (float)v;
	return double_parse(text, len, &as_double) == NUMBER_OK && as_double == v;
}

/* v > 0, finite.  `first` digits are known to be too few or just enough, `last` always suffice. */
static char *
print_shortest(char *out, double v, int first, int last, bool is_float)
{
	uint64_t digits = 0;
	int exponent = 0;

	for (int count = first; count <= last; count++) {
		round_to_digits(v, count, &digits, &exponent);
		if (reads_back(digits, exponent, v, is_float))
			break;
		/* Above a power of two there is more room than below: the nearest decimal may be
		 * just outside below while the next one above is inside. */
		if (reads_back(digits + 1, exponent, v, is_float)) {
			digits++;
			break;
		}
	}
	return print_decimal(out, digits, exponent);
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
	return print_shortest(out, v, v < 2.2250738585072014e-308 ? 1 : 15, 17, false);
}

char *
float_print(char *out, float v)
{
	char *end = print_sign_or_special(&out, v);

	if (end != NULL)
		return end;
	v = fabsf(v);
	return print_shortest(out, v, v < 1.1754943508222875e-38 ? 1 : 6, 9, true);
}

/* ---- JSON ---- */

static inline const char *
skip_digits(const char *p, const char *end)
{
	while (p < end && digit_is(*p))
		p++;
	return p;
}

const char *
number_scan_json(const char *text, const char *end, NumberScan *scan)
{
	const char *p = text;

	*scan = (NumberScan){.kind = NUMBER_INTEGER, .negative = p < end && *p == '-'};
	p += scan->negative;
	const char *start = p;
	p = skip_digits(p, end);
	if (p == start || (*start == '0' && p - start > 1))
		return NULL;
	scan->integer_digits = (uint32_t)(p - start);

	if (p < end && *p == '.') {
		start = ++p;
		p = skip_digits(p, end);
		if (p == start)
			return NULL;
		scan->kind = NUMBER_DECIMAL;
		scan->fraction_digits = (uint32_t)(p - start);
	}
	if (p < end && (*p | 0x20) == 'e') {
		bool negative = false;
		int32_t exponent = 0;

		p++;
		if (p < end && (*p == '-' || *p == '+'))
			negative = *p++ == '-';
		start = p;
		for (; p < end && digit_is(*p); p++)
			if (exponent < SCAN_EXPONENT_LIMIT)
				exponent = exponent * 10 + (*p - '0');
		if (p == start)
			return NULL;
		if (exponent > SCAN_EXPONENT_LIMIT)
			exponent = SCAN_EXPONENT_LIMIT;
		scan->kind = NUMBER_EXPONENT;
		scan->exponent = negative ? -exponent : exponent;
	}
	return p;
}
