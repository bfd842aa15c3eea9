/* tests/unit/test_number.c -- numbers as text, against the C library and by round trips. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "type/number.h"

#define RANDOM_ROUNDS 100000

static uint64_t random_state;

static uint64_t
random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

static double
double_of_bits(uint64_t bits)
{
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static uint64_t
bits_of_double(double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof bits);
	return bits;
}

/* ---- integers ---- */

static void
test_integers(void **state)
{
	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		char text[INT64_TEXT_MAX + 1];
		char expected[INT64_TEXT_MAX + 2];
		int64_t v = (int64_t)random64() >> random64() % 64;
		int64_t back = 0;
		size_t len = (size_t)(int64_print(text, v) - text);

		snprintf(expected, sizeof expected, "%" PRId64, v);
		assert_int_equal(len, strlen(expected));
		assert_memory_equal(text, expected, len);
		assert_int_equal(int64_parse(text, len, &back), NUMBER_OK);
		assert_true(back == v);
	}
	/* Around each power of ten the number of digits changes. */
	for (uint64_t power = 1; power < UINT64_C(10000000000000000000); power *= 10)
		for (uint64_t v = power - 1; v <= power + 1; v++) {
			char text[INT64_TEXT_MAX + 1];
			char expected[INT64_TEXT_MAX + 2];

			*uint64_print(text, v) = '\0';
			snprintf(expected, sizeof expected, "%" PRIu64, v);
			assert_string_equal(text, expected);
		}
}

static NumberResult
parse_int(const char *text, int64_t *out)
{
	*out = 77;
	return int64_parse(text, strlen(text), out);
}

static void
test_integer_limits(void **state)
{
	static const char *const wrong[] = {"", "-", "+", "1 ", " 1", "1.0", "1e3", "--1", "0x1",
	                                    "99999999999999999999x"};
	int64_t v;

	(void)state;
	assert_int_equal(parse_int("9223372036854775807", &v), NUMBER_OK);
	assert_true(v == INT64_MAX);
	assert_int_equal(parse_int("-9223372036854775808", &v), NUMBER_OK);
	assert_true(v == INT64_MIN);
	assert_int_equal(parse_int("+000000000000000000000000000012", &v), NUMBER_OK);
	assert_true(v == 12);
	assert_int_equal(parse_int("9223372036854775808", &v), NUMBER_OVERFLOW);
	assert_true(v == 77);
	assert_int_equal(parse_int("-9223372036854775809", &v), NUMBER_OVERFLOW);
	assert_int_equal(parse_int("99999999999999999999", &v), NUMBER_OVERFLOW);
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(parse_int(wrong[i], &v), NUMBER_SYNTAX);
		assert_true(v == 77);
	}
}

/* ---- doubles ---- */

/* The printed text reads back, is as short as it can be, and has the notation promised. */
static void
check_double(double v)
{
	char text[DOUBLE_TEXT_MAX + 1];
	char longer[64];
	double back = 0;
	char *end = double_print(text, v);

	assert_true(end - text <= DOUBLE_TEXT_MAX);
	*end = '\0';
	assert_int_equal(double_parse(text, (size_t)(end - text), &back), NUMBER_OK);
	if (bits_of_double(back) != bits_of_double(v) ||
	    bits_of_double(strtod(text, NULL)) != bits_of_double(v))
		fail_msg("%s is not %a", text, v);

	/* No text with fewer digits reads back: take one digit less. */
	int digits = 0;
	int zeros = 0;
	for (const char *p = text; *p != '\0' && *p != 'e'; p++)
		if (*p >= '0' && *p <= '9' && (digits > 0 || *p != '0')) {
			digits++;
			zeros = *p == '0' ? zeros + 1 : 0;
		}
	digits -= zeros;
	if (digits > 1) {
		snprintf(longer, sizeof longer, "%.*e", digits - 2, v);
		if (strtod(longer, NULL) == v)
			fail_msg("%s could be %s", text, longer);
	}
}

static void
test_double_round_trip(void **state)
{
	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		double v = double_of_bits(random64());

		if (isfinite(v))
			check_double(v);
		check_double((double)(int64_t)(random64() >> random64() % 64) / 100.0);
		check_double((double)(random64() % 1000000) / 10000.0);
	}
	/* Powers of two have a lopsided neighbourhood, subnormals few digits. */
	for (int exponent = -1074; exponent <= 1023; exponent++) {
		check_double(ldexp(1, exponent));
		check_double(nextafter(ldexp(1, exponent), 0));
		check_double(nextafter(ldexp(1, exponent), INFINITY));
	}
}

static void
test_double_parse(void **state)
{
	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		char text[128];
		size_t len = 0;
		unsigned digits = (unsigned)(random64() % 25) + 1;
		unsigned point = (unsigned)(random64() % (digits + 1));
		double v = 0;

		if (random64() & 1)
			text[len++] = '-';
		for (unsigned j = 0; j < digits; j++) {
			if (j == point)
				text[len++] = '.';
			text[len++] = (char)('0' + random64() % 10);
		}
		if (random64() % 3 == 0)
			len += (size_t)snprintf(text + len, 16, "e%d",
			                        (int)(random64() % 700) - 350);
		text[len] = '\0';
		double expected = strtod(text, NULL);
		NumberResult result = double_parse(text, len, &v);
		if (isinf(expected))
			assert_int_equal(result, NUMBER_OVERFLOW);
		else if (result != NUMBER_OK || bits_of_double(v) != bits_of_double(expected))
			fail_msg("%s", text);
	}
}

/* 54-bit integers, halves, quarters, eighths and small multiples: many are ties of 16 to 19 digits,
 * which the fast ways must see. */
static void
test_double_short_ties(void **state)
{
	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		char text[64];
		uint64_t odd = UINT64_C(1) << 53 | (random64() >> 11) | 1;
		int shift = (int)(random64() % 13) - 3;
		double v = 0;
		int len = shift >= 0
			? snprintf(text, sizeof text, "%" PRIu64, odd << shift)
			: snprintf(text, sizeof text, "%" PRIu64 ".%0*d", odd >> -shift, -shift,
			           (int)(odd & ((1u << -shift) - 1)) * (shift == -1   ? 5
			                                                : shift == -2 ? 25
			                                                              : 125));

		assert_int_equal(double_parse(text, (size_t)len, &v), NUMBER_OK);
		if (bits_of_double(v) != bits_of_double(strtod(text, NULL)))
			fail_msg("%s", text);
	}
}

/* Exactly half way between two doubles, with up to 767 digits, and just beside it. */
static void
test_double_ties(void **state)
{
	static char text[2000];

	(void)state;
	for (int i = 0; i < 2000; i++) {
		double low = fabs(double_of_bits(random64()));
		int exponent;
		double v = 0;

		if (!isfinite(low) || low > 1e300)
			continue;
		frexp(low, &exponent);
		int last = exponent - 53 < -1074 ? -1074 : exponent - 53;
		/* The tie low + 2^(last-1) has one bit more than a double. */
		long double tie = (long double)low + ldexpl(1, last - 1);
		int len = snprintf(text, sizeof text - 2, "%.800Le", tie);
		assert_int_equal(double_parse(text, (size_t)len, &v), NUMBER_OK);
		assert_true(v == strtod(text, NULL));
		/* One digit far behind breaks the tie, and zeros after it do not mend it. */
		char *e = strchr(text, 'e');
		memmove(e + 2, e, strlen(e) + 1);
		memcpy(e, "10", 2);
		assert_int_equal(double_parse(text, (size_t)len + 2, &v), NUMBER_OK);
		assert_true(v == nextafter(low, INFINITY));
	}
}

static void
assert_double(double v, const char *expected)
{
	char text[DOUBLE_TEXT_MAX + 1];

	*double_print(text, v) = '\0';
	assert_string_equal(text, expected);
}

static void
test_double_texts(void **state)
{
	(void)state;
	assert_double(0, "0.0");
	assert_double(-0.0, "-0.0");
	assert_double(5, "5.0");
	assert_double(0.1, "0.1");
	assert_double(-123.456, "-123.456");
	assert_double(0.1 + 0.2, "0.30000000000000004");
	assert_double(1e15, "1000000000000000.0");
	assert_double(9007199254740993.0, "9007199254740992.0");
	assert_double(9999999999999998.0, "9999999999999998.0");
	assert_double(1e16, "1e16");
	assert_double(1.5e16, "1.5e16");
	assert_double(0.0001, "0.0001");
	assert_double(0.00001, "1e-5");
	assert_double(1.5e-7, "1.5e-7");
	assert_double(5e-324, "5e-324");
	assert_double(2.2250738585072014e-308, "2.2250738585072014e-308");
	assert_double(1.7976931348623157e308, "1.7976931348623157e308");
	assert_double(9.5367431640625e-7, "9.5367431640625e-7");
	assert_double(5e22, "5e22");
	assert_double(NAN, "NaN");
	assert_double(INFINITY, "Infinity");
	assert_double(-INFINITY, "-Infinity");
}

static NumberResult
parse_double(const char *text, double *out)
{
	*out = 77;
	return double_parse(text, strlen(text), out);
}

static void
test_double_grammar(void **state)
{
	static const char *const wrong[] = {"", "-", ".", "-.", "e5", "1e", "1e+", "1.2.3", " 1",
	                                    "1 ", "0x1p3", "1_000", "nanx", "in", "infinit",
	                                    "1,5", "--1"};
	double v;

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		assert_int_equal(parse_double(wrong[i], &v), NUMBER_SYNTAX);
		assert_true(v == 77);
	}
	assert_int_equal(parse_double("1.", &v), NUMBER_OK);
	assert_true(v == 1);
	assert_int_equal(parse_double("+.5E1", &v), NUMBER_OK);
	assert_true(v == 5);
	assert_int_equal(parse_double("1e309", &v), NUMBER_OVERFLOW);
	assert_true(v == 77);
	assert_int_equal(parse_double("1e99999999999999999999", &v), NUMBER_OVERFLOW);
	assert_int_equal(parse_double("1e-99999999999999999999", &v), NUMBER_OK);
	assert_true(v == 0);
	assert_int_equal(parse_double("-0e99999", &v), NUMBER_OK);
	assert_true(v == 0 && signbit(v));
	assert_int_equal(parse_double("-Infinity", &v), NUMBER_OK);
	assert_true(isinf(v) && v < 0);
	assert_int_equal(parse_double("nan", &v), NUMBER_OK);
	assert_true(isnan(v));
}

static void
test_floats(void **state)
{
	(void)state;
	for (int i = 0; i < RANDOM_ROUNDS; i++) {
		uint32_t bits = (uint32_t)random64();
		char text[DOUBLE_TEXT_MAX + 1];
		float v;
		float back = 0;

		memcpy(&v, &bits, sizeof v);
		if (!isfinite(v))
			continue;
		char *end = float_print(text, v);
		*end = '\0';
		assert_int_equal(float_parse(text, (size_t)(end - text), &back), NUMBER_OK);
		assert_memory_equal(&back, &v, sizeof v);
		assert_true(strtof(text, NULL) == v);
	}
	char text[DOUBLE_TEXT_MAX + 1];
	float v = 77;
	*float_print(text, 0.1f) = '\0';
	assert_string_equal(text, "0.1");
	*float_print(text, 16777216.0f) = '\0';
	assert_string_equal(text, "16777216.0");
	*float_print(text, 1e-45f) = '\0';
	assert_string_equal(text, "1e-45");
	assert_int_equal(float_parse("1e39", 4, &v), NUMBER_OVERFLOW);
	assert_true(v == 77);
	/* Rounded once: as a double first, this would be the tie and go to the even neighbour. */
	assert_int_equal(float_parse("1.00000017881393432617187499", 28, &v), NUMBER_OK);
	assert_true(v == 1.00000011920928955078125f);
}

/* ---- JSON ---- */

static void
test_json_numbers(void **state)
{
	static const struct {
		const char *text;
		int length; /* -1: not a number */
		NumberKind kind;
		unsigned integer;
		unsigned fraction;
		int exponent;
	} cases[] = {
		{"0", 1, NUMBER_INTEGER, 1, 0, 0},        {"-0", 2, NUMBER_INTEGER, 1, 0, 0},
		{"120,", 3, NUMBER_INTEGER, 3, 0, 0},     {"1.50}", 4, NUMBER_DECIMAL, 1, 2, 0},
		{"-12.5e3", 7, NUMBER_EXPONENT, 2, 1, 3}, {"1E-07", 5, NUMBER_EXPONENT, 1, 0, -7},
		{"1e+5", 4, NUMBER_EXPONENT, 1, 0, 5},
		{"1e99999999999", 13, NUMBER_EXPONENT, 1, 0, 1000000},
		{"", -1, 0, 0, 0, 0},     {"-", -1, 0, 0, 0, 0},   {"+1", -1, 0, 0, 0, 0},
		{"01", -1, 0, 0, 0, 0},   {"-01", -1, 0, 0, 0, 0}, {".5", -1, 0, 0, 0, 0},
		{"1.", -1, 0, 0, 0, 0},   {"1.e5", -1, 0, 0, 0, 0}, {"1e", -1, 0, 0, 0, 0},
		{"1e+", -1, 0, 0, 0, 0},  {"NaN", -1, 0, 0, 0, 0}, {"Infinity", -1, 0, 0, 0, 0},
		{"0x10", 1, NUMBER_INTEGER, 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *text = cases[i].text;
		NumberScan scan;
		const char *end = number_scan_json(text, text + strlen(text), &scan);

		if (cases[i].length < 0) {
			assert_null(end);
			continue;
		}
		assert_ptr_equal(end, text + cases[i].length);
		assert_int_equal(scan.kind, cases[i].kind);
		assert_int_equal(scan.negative, text[0] == '-');
		assert_int_equal(scan.integer_digits, cases[i].integer);
		assert_int_equal(scan.fraction_digits, cases[i].fraction);
		assert_int_equal(scan.exponent, cases[i].exponent);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_integers),
		cmocka_unit_test(test_integer_limits),
		cmocka_unit_test(test_double_round_trip),
		cmocka_unit_test(test_double_parse),
		cmocka_unit_test(test_double_short_ties),
		cmocka_unit_test(test_double_ties),
		cmocka_unit_test(test_double_texts),
		cmocka_unit_test(test_double_grammar),
		cmocka_unit_test(test_floats),
		cmocka_unit_test(test_json_numbers),
	};

	random_state = (uint64_t)time(NULL) * 2 + 1;
	if (getenv("TEST_SEED") != NULL)
		random_state = strtoull(getenv("TEST_SEED"), NULL, 10);
	printf("TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
