/* type/number.c -- text of integers, and JSON's grammar of numbers. */
#include "type/number.h"

#include "type/digits.h"

#define SAFE_INTEGER_DIGITS 18 /* always fit 63 bits */
#define SCAN_EXPONENT_LIMIT 1000000

const uint64_t digits_power10[20] = {
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

int
digits_count(uint64_t v)
{
	/* 1233 / 4096 is just above log10(2), so the guess is right or one too large. */
	int guess = ((64 - __builtin_clzll(v | 1)) * 1233) >> 12;

	return guess + (guess == 0 || v >= digits_power10[guess]);
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
	return digits_print(out, v, digits_count(v));
}

char *
int64_print(char *out, int64_t v)
{
	if (v >= 0)
		return uint64_print(out, (uint64_t)v);
	*out = '-';
	return uint64_print(out + 1, 0 - (uint64_t)v);
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
