/* type/decimal_text.c -- decimals from text digits and back.
 *
 * The fast way in takes up to 16 bytes as two 64-bit words: the first eight and the last eight.
 * Digits before the point are shifted to the top of the first word, digits after it are already
 * at the top of the last one, and each word becomes a number with three multiplications.
 * All other texts go the general way, which counts digits first and then knows exactly which of
 * them are kept. */
#include "type/decimal.h"

#include <math.h>
#include <string.h>

#include "type/digit_text.h"
#include "type/digits.h"
#include "type/number.h"
#include "type/wide.h"

#define ASCII_POINTS UINT64_C(0x2E2E2E2E2E2E2E2E)
#define LOW_BITS UINT64_C(0x0101010101010101)
#define FAST_BYTES 16
#define NO_POINT 8
#define TEN_TO_19 UINT64_C(10000000000000000000)
#define CHUNK_DIGITS 19
#define PRINT_DIGITS (2 * CHUNK_DIGITS + 1)

/* ---- the general way ---- */

/* Take `kept` leading digits into *value and compare what follows with half a unit: *half is -1,
 * 0 or 1, and the result is whether anything at all follows.  kept <= 38. */
static bool
take_digits(const DigitText *t, int64_t kept, Uint128 *value, int *half)
{
	bool rest = false;
	int64_t seen = 0;

	*half = -1;
	*value = t->mantissa;
	if (t->count <= kept && t->count <= DIGIT_TEXT_EXACT)
		return false;
	*value = 0;
	for (const char *p = t->digits; p < t->end; p++) {
		if (*p == '.')
			continue;
		unsigned digit = (unsigned)(*p - '0');
		if (seen < kept) {
			*value = *value * 10 + digit;
		} else if (seen == kept && kept >= 0) {
			*half = digit < 5 ? -1 : digit > 5;
			rest = digit != 0;
		} else if (digit != 0) {
			if (*half == 0)
				*half = 1;
			rest = true;
		}
		seen++;
	}
	return rest;
}

DecimalResult
decimal_parse(const char *text, size_t len, int precision, int scale, DecimalRounding rounding,
              Int128 *out)
{
	DigitText t;
	Uint128 value;
	int half;

	if (!digit_text_scan(text, len, &t))
		return DECIMAL_SYNTAX;
	if (t.count == 0) {
		*out = 0;
		return DECIMAL_OK;
	}
	int64_t kept = t.count + t.exponent + scale; /* digits the result has */
	if (kept > precision)
		return DECIMAL_OVERFLOW;
	if (kept < 0)
		kept = -1;
	bool rest = take_digits(&t, kept, &value, &half);
	if (kept > t.count)
		value *= (Uint128)decimal_power128[kept - t.count];
	if (rest) {
		if (rounding == ROUND_EXACT)
			return DECIMAL_LOST_DIGITS;
		value += decimal_rounds_away(rounding, t.negative, value & 1, half);
		if (value >= (Uint128)decimal_power128[precision])
			return DECIMAL_OVERFLOW;
	}
	*out = t.negative ? -(Int128)value : (Int128)value;
	return DECIMAL_OK;
}

/* ---- the fast way ---- */

/* The first len (1..8) bytes at p, the rest 0, without reading past them. */
static inline uint64_t
load_bytes(const char *p, size_t len)
{
	if (len >= 8)
		return digits_load(p);
	if (len >= 4) {
		uint32_t first;
		uint32_t last;

		memcpy(&first, p, sizeof first);
		memcpy(&last, p + len - 4, sizeof last);
		return first | (uint64_t)last << (len - 4) * 8;
	}
	return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[len / 2] << len / 2 * 8 |
	       (uint64_t)(unsigned char)p[len - 1] << (len - 1) * 8;
}

/* Index of the first '.' among the eight bytes, or NO_POINT. */
static inline size_t
find_point(uint64_t word)
{
	uint64_t x = word ^ ASCII_POINTS;
	uint64_t zeros = (x - LOW_BITS) & ~x & DIGITS_HIGH_BITS;

	return zeros == 0 ? NO_POINT : (size_t)__builtin_ctzll(zeros) / 8;
}

static DecimalResult
parse64_general(const char *text, size_t len, int precision, int scale, DecimalRounding rounding,
                int64_t *out)
{
	Int128 wide;
	DecimalResult result = decimal_parse(text, len, precision, scale, rounding, &wide);

	if (result == DECIMAL_OK)
		*out = (int64_t)wide;
	return result;
}

/* Split [p, p + len), 1 <= len <= 16, at its point: both parts as digit values at the top of their
 * words.  False if a part is longer than a word. */
static inline bool
split_digits(const char *p, size_t len, uint64_t *whole, uint64_t *fraction, size_t *places)
{
	uint64_t first = load_bytes(p, len);
	uint64_t last = len >= 8 ? digits_load(p + len - 8) : first << (8 - len) * 8;
	size_t point = find_point(first);

	if (point == NO_POINT) {
		size_t later = find_point(last);

		if (later == NO_POINT)
			point = len;
		else
			point = len - 8 + later;
	}
	if (point > 8 || (point < len && len - point - 1 > 8))
		return false;
	*places = point < len ? len - point - 1 : 0;
	*whole = point == 0 ? 0 : (first ^ DIGITS_ASCII_ZEROS) << (8 - point) * 8;
	*fraction = 0;
	if (*places > 0) {
		unsigned unused = (unsigned)(8 - *places) * 8;

		*fraction = (last ^ DIGITS_ASCII_ZEROS) >> unused << unused;
	}
	return point + *places > 0;
}

DecimalResult
decimal_parse64(const char *text, size_t len, int precision, int scale, DecimalRounding rounding,
                int64_t *out)
{
	const char *p = text;
	size_t n = len;
	uint64_t whole;
	uint64_t fraction;
	size_t places;

	if (n > 0 && (*p == '-' || *p == '+')) {
		p++;
		n--;
	}
	if (n - 1 >= FAST_BYTES || !split_digits(p, n, &whole, &fraction, &places) ||
	    !digits_all(whole) || !digits_all(fraction) || (int)places > scale)
		return parse64_general(text, len, precision, scale, rounding, out);
	whole = digits_join(whole);
	if (whole >= (uint64_t)decimal_power64[precision - scale])
		return DECIMAL_OVERFLOW;
	int64_t value = (int64_t)(whole * (uint64_t)decimal_power64[scale]);
	value += (int64_t)(digits_join(fraction) * (uint64_t)decimal_power64[scale - (int)places]);
	*out = text[0] == '-' ? -value : value;
	return DECIMAL_OK;
}

/* ---- out ---- */

char *
decimal_print64(char *out, int64_t v, int scale)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;

	if (scale > DECIMAL_PRECISION64_MAX)
		return decimal_print128(out, v, scale);
	if (v < 0)
		*out++ = '-';
	if (scale == 0)
		return uint64_print(out, magnitude);
	uint64_t unit = (uint64_t)decimal_power64[scale];
	out = uint64_print(out, magnitude / unit);
	*out++ = '.';
	return digits_print(out, magnitude % unit, scale);
}

char *
decimal_print128(char *out, Int128 v, int scale)
{
	char digits[PRINT_DIGITS];
	Uint128 magnitude = decimal_magnitude(v);

	if (v >= INT64_MIN && v <= INT64_MAX && scale <= DECIMAL_PRECISION64_MAX)
		return decimal_print64(out, (int64_t)v, scale);
	uint64_t low = (uint64_t)(magnitude % TEN_TO_19);
	magnitude /= TEN_TO_19;
	digits[0] = (char)('0' + (int)(magnitude / TEN_TO_19));
	digits_print(digits + 1, (uint64_t)(magnitude % TEN_TO_19), CHUNK_DIGITS);
	digits_print(digits + 1 + CHUNK_DIGITS, low, CHUNK_DIGITS);

	int first = 0;
	int point = PRINT_DIGITS - scale;
	while (first < point - 1 && digits[first] == '0')
		first++;
	if (v < 0)
		*out++ = '-';
	memcpy(out, digits + first, (size_t)(point - first));
	out += point - first;
	if (scale > 0) {
		*out++ = '.';
		memcpy(out, digits + point, (size_t)scale);
		out += scale;
	}
	return out;
}

/* ---- doubles ---- */

double
decimal_to_double(Int128 v, int scale)
{
	const int64_t exact = INT64_C(1) << 53;
	char text[DECIMAL_TEXT_MAX];
	double value = 0;

	/* Both are exact doubles, so the division is rounded once. */
	if (v >= -exact && v <= exact && scale <= DECIMAL_PRECISION64_MAX)
		return (double)(int64_t)v / (double)decimal_power64[scale];
	double_parse(text, (size_t)(decimal_print128(text, v, scale) - text), &value);
	return value;
}

DecimalResult
decimal_from_double(double v, int precision, int scale, DecimalRounding rounding, Int128 *out)
{
	char text[DOUBLE_TEXT_MAX];

	if (!isfinite(v))
		return DECIMAL_SYNTAX;
	return decimal_parse(text, (size_t)(double_print(text, v) - text), precision, scale,
	                     rounding, out);
}
