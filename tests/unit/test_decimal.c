/* tests/unit/test_decimal.c -- decimals against Python's, and laws on random values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "type/decimal.h"
#include "type/int256.h"
#include "type/wide.h"
#include "vectors.h"

#define VECTORS SOURCE_DIR "/tests/unit/data/decimal_vectors.txt"
#define LAW_ROUNDS 100000
#define VALUES_MAX 32

static uint64_t random_state;

/* xorshift64* */
static uint64_t
random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* |v| < 10^digits, all lengths alike. */
static Int128
random_value(int digits)
{
	int length = (int)(random64() % (unsigned)digits) + 1;
	Uint128 v = ((Uint128)random64() << 64 | random64()) % (Uint128)decimal_power128[length];

	return random64() & 1 ? -(Int128)v : (Int128)v;
}

/* ---- the fields of vectors ---- */

static Int128
read128(const char *text)
{
	bool negative = *text == '-';
	Uint128 v = 0;

	for (text += negative; *text >= '0' && *text <= '9'; text++)
		v = v * 10 + (Uint128)(*text - '0');
	return negative ? (Int128)(0 - v) : (Int128)v;
}

static int
read_values(const char *text, Int128 *values)
{
	int count = 0;

	for (const char *p = text; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		values[count++] = read128(p);
	}
	return count;
}

static DecimalRounding
read_rounding(const char *text)
{
	for (int i = 0; i < ROUND_COUNT; i++)
		if (strcmp(text, decimal_rounding_name((DecimalRounding)i)) == 0)
			return (DecimalRounding)i;
	abort();
}

static bool
is_as_expected(const char *expected, DecimalResult result, Int128 value)
{
	static const char *const names[] = {"OK", "SYNTAX", "OVERFLOW", "LOST_DIGITS",
	                                    "DIVISION_BY_ZERO"};

	if (result != DECIMAL_OK)
		return value == -77 && strcmp(expected, names[result]) == 0; /* left as it was */
	return (*expected == '-' || (*expected >= '0' && *expected <= '9')) &&
	       read128(expected) == value;
}

static bool
fits(Int128 v)
{
	return decimal_fits128(v, DECIMAL_PRECISION64_MAX);
}

static bool
check_parse(char **f)
{
	/* An exact-size copy, so that the sanitizer sees any read past its end. */
	size_t len = strlen(f[0]);
	char *text = malloc(len + 1);
	int precision = atoi(f[1]);
	int scale = atoi(f[2]);
	DecimalRounding rounding = read_rounding(f[3]);
	Int128 v = -77;
	int64_t v64 = -77;

	text = realloc(memcpy(text, f[0], len), len > 0 ? len : 1);
	DecimalResult result = decimal_parse(text, len, precision, scale, rounding, &v);
	bool right = is_as_expected(f[4], result, v);
	if (precision <= DECIMAL_PRECISION64_MAX) {
		result = decimal_parse64(text, len, precision, scale, rounding, &v64);
		right &= is_as_expected(f[4], result, v64);
	}
	free(text);
	return right;
}

static bool
check_print(char **f)
{
	char text[DECIMAL_TEXT_MAX];
	Int128 v = read128(f[0]);
	int scale = atoi(f[1]);
	size_t len = (size_t)(decimal_print128(text, v, scale) - text);
	bool right = len == strlen(f[2]) && memcmp(text, f[2], len) == 0;

	if (v >= INT64_MIN && v <= INT64_MAX) {
		len = (size_t)(decimal_print64(text, (int64_t)v, scale) - text);
		right &= len == strlen(f[2]) && memcmp(text, f[2], len) == 0;
	}
	return right;
}

static bool
check_div(char **f)
{
	Int128 a = read128(f[0]);
	Int128 b = read128(f[2]);
	int a_scale = atoi(f[1]);
	int b_scale = atoi(f[3]);
	int precision = atoi(f[4]);
	int scale = atoi(f[5]);
	DecimalRounding rounding = read_rounding(f[6]);
	Int128 v = -77;
	int64_t v64 = -77;
	DecimalResult result =
		decimal_div128(a, a_scale, b, b_scale, precision, scale, rounding, &v);
	bool right = is_as_expected(f[7], result, v);

	if (fits(a) && fits(b) && precision <= DECIMAL_PRECISION64_MAX) {
		result = decimal_div64((int64_t)a, a_scale, (int64_t)b, b_scale, precision, scale,
		                       rounding, &v64);
		right &= is_as_expected(f[7], result, v64);
	}
	return right;
}

static bool
check_mod(char **f)
{
	Int128 a = read128(f[0]);
	Int128 b = read128(f[2]);
	int a_scale = atoi(f[1]);
	int b_scale = atoi(f[3]);
	Int128 v = -77;
	int64_t v64 = -77;
	DecimalResult result = decimal_mod128(a, a_scale, b, b_scale, &v);
	bool right = is_as_expected(f[4], result, v);

	if (fits(a) && fits(b) && a_scale <= 18 && b_scale <= 18) {
		result = decimal_mod64((int64_t)a, a_scale, (int64_t)b, b_scale, &v64);
		right &= is_as_expected(f[4], result, v64);
	}
	return right;
}

static bool
check_operation(char **f, DecimalResult (*operation)(Int128, Int128, Int128 *),
                DecimalResult (*operation64)(int64_t, int64_t, int64_t *))
{
	Int128 a = read128(f[0]);
	Int128 b = read128(f[1]);
	Int128 expected = read128(f[2]);
	Int128 v = -77;
	int64_t v64 = -77;
	DecimalResult result = operation(a, b, &v);
	bool right = is_as_expected(f[2], result, v);

	if (fits(a) && fits(b)) {
		result = operation64((int64_t)a, (int64_t)b, &v64);
		if (expected >= INT64_MIN && expected <= INT64_MAX)
			right &= result == DECIMAL_OK && v64 == expected;
		else
			right &= result == DECIMAL_OVERFLOW && v64 == -77;
	}
	return right;
}

static bool
check_add(char **f)
{
	return check_operation(f, decimal_add128, decimal_add64);
}

static bool
check_sub(char **f)
{
	return check_operation(f, decimal_sub128, decimal_sub64);
}

static bool
check_mul(char **f)
{
	return check_operation(f, decimal_mul128, decimal_mul64);
}

static bool
check_rescale(char **f)
{
	Int128 in = read128(f[0]);
	int from = atoi(f[1]);
	int precision = atoi(f[2]);
	int to = atoi(f[3]);
	DecimalRounding rounding = read_rounding(f[4]);
	Int128 v = -77;
	int64_t v64 = -77;
	DecimalResult result = decimal_rescale128(in, from, precision, to, rounding, &v);
	bool right = is_as_expected(f[5], result, v);

	if (fits(in) && from <= 18 && precision <= 18) {
		result = decimal_rescale64((int64_t)in, from, precision, to, rounding, &v64);
		right &= is_as_expected(f[5], result, v64);
	}
	return right;
}

static bool
check_compare(char **f)
{
	Int128 a = read128(f[0]);
	Int128 b = read128(f[2]);
	int a_scale = atoi(f[1]);
	int b_scale = atoi(f[3]);
	int expected = atoi(f[4]);
	bool right = decimal_compare128(a, a_scale, b, b_scale) == expected &&
	             decimal_compare128(b, b_scale, a, a_scale) == -expected;

	if (fits(a) && fits(b) && a_scale <= 18 && b_scale <= 18)
		right &= decimal_compare64((int64_t)a, a_scale, (int64_t)b, b_scale) == expected;
	return right;
}

static bool
check_to_double(char **f)
{
	return decimal_to_double(read128(f[0]), atoi(f[1])) == strtod(f[2], NULL);
}

static bool
check_from_double(char **f)
{
	Int128 v = -77;
	DecimalResult result = decimal_from_double(strtod(f[0], NULL), atoi(f[1]), atoi(f[2]),
	                                           read_rounding(f[3]), &v);

	return is_as_expected(f[4], result, v);
}

static Int256
sum_of(const char *text, int *count)
{
	Int128 values[VALUES_MAX];
	Int256 sum = {{0}};

	*count = read_values(text, values);
	for (int i = 0; i < *count; i++)
		int256_add(&sum, values[i]);
	return sum;
}

static Int256
products_of(const char *a_text, const char *b_text)
{
	Int128 a[VALUES_MAX];
	Int128 b[VALUES_MAX];
	Int256 sum = {{0}};
	int count = read_values(a_text, a);

	read_values(b_text, b);
	for (int i = 0; i < count; i++)
		if (!int256_add_product(&sum, a[i], b[i]))
			abort();
	return sum;
}

static bool
check_sum(char **f)
{
	int count;
	Int256 sum = sum_of(f[0], &count);
	Int128 v = -77;
	DecimalResult result = int256_to_decimal(&sum, atoi(f[1]), &v);

	return is_as_expected(f[2], result, v);
}

static bool
check_average(char **f)
{
	int count;
	Int256 sum = sum_of(f[0], &count);
	Int128 v = -77;
	DecimalResult result = int256_average(&sum, atoi(f[1]), count, atoi(f[2]), atoi(f[3]),
	                                      read_rounding(f[4]), &v);

	return is_as_expected(f[5], result, v);
}

static bool
check_ratio(char **f)
{
	int count;
	int scale = atoi(f[2]);
	Int256 products = products_of(f[0], f[1]);
	Int256 weights = sum_of(f[1], &count);
	Int128 v = -77;
	DecimalResult result = int256_ratio(&products, 2 * scale, &weights, scale, atoi(f[3]),
	                                    atoi(f[4]), read_rounding(f[5]), &v);

	return is_as_expected(f[6], result, v);
}

static bool
check_variance(char **f)
{
	int count;
	Int256 sum = sum_of(f[0], &count);
	Int256 squares = products_of(f[0], f[0]);
	Int128 v = -77;
	DecimalResult result = int256_variance(&sum, &squares, atoi(f[1]), count, atoi(f[2]),
	                                       atoi(f[3]), atoi(f[4]), &v);

	return is_as_expected(f[5], result, v);
}

static bool
check_deviation(char **f)
{
	int count;
	Int256 sum = sum_of(f[0], &count);
	Int256 squares = products_of(f[0], f[0]);
	Int128 v = -77;
	DecimalResult result = int256_deviation(&sum, &squares, atoi(f[1]), count, atoi(f[2]),
	                                        atoi(f[3]), atoi(f[4]), &v);

	return is_as_expected(f[5], result, v);
}

static void
test_vectors(void **state)
{
	static const VectorCheck checks[] = {
		{"parse", 5, check_parse},       {"print", 3, check_print},
		{"div", 8, check_div},           {"mod", 5, check_mod},
		{"add", 3, check_add},           {"sub", 3, check_sub},
		{"mul", 3, check_mul},           {"rescale", 6, check_rescale},
		{"compare", 5, check_compare},   {"to_double", 3, check_to_double},
		{"from_double", 5, check_from_double},
		{"sum", 3, check_sum},           {"average", 6, check_average},
		{"ratio", 7, check_ratio},       {"variance", 6, check_variance},
		{"deviation", 6, check_deviation},
	};
	int done;

	(void)state;
	assert_int_equal(vectors_run(VECTORS, checks, sizeof checks / sizeof checks[0], &done), 0);
	printf("%d vectors\n", done);
	assert_true(done > 5000);
}

/* ---- laws ---- */

static void
test_print_and_parse(void **state)
{
	char text[DECIMAL_TEXT_MAX];

	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		int scale = (int)(random64() % 39);
		Int128 v = random_value(38);
		Int128 back = 0;
		char *end = decimal_print128(text, v, scale);

		assert_true(end - text <= DECIMAL_TEXT_MAX);
		assert_int_equal(decimal_parse(text, (size_t)(end - text), 38, scale, ROUND_EXACT,
		                               &back), DECIMAL_OK);
		assert_true(back == v);
	}
	for (int i = 0; i < LAW_ROUNDS; i++) {
		int scale = (int)(random64() % 19);
		int64_t v = (int64_t)random_value(18);
		int64_t back = 0;
		Int128 wide = 0;
		size_t len = (size_t)(decimal_print64(text, v, scale) - text);

		assert_int_equal(decimal_parse64(text, len, 18, scale, ROUND_EXACT, &back),
		                 DECIMAL_OK);
		assert_int_equal(back, v);
		assert_int_equal(decimal_parse(text, len, 18, scale, ROUND_EXACT, &wide),
		                 DECIMAL_OK);
		assert_true(wide == v);
	}
}

/* Any short text of these characters: both parsers agree, with each other and about rubbish. */
static void
test_parsers_agree(void **state)
{
	static const char alphabet[] = "0123456789059.-+e/:";

	(void)state;
	for (int i = 0; i < 4 * LAW_ROUNDS; i++) {
		size_t len = random64() % 19;
		char *text = malloc(len + 1);
		int scale = (int)(random64() % 10);
		unsigned letters = random64() & 1 ? sizeof alphabet - 1 : 13;
		DecimalRounding rounding = (DecimalRounding)(random64() % ROUND_COUNT);
		Int128 wide = -1;
		int64_t v = -1;

		text = realloc(text, len > 0 ? len : 1);
		for (size_t j = 0; j < len; j++)
			text[j] = alphabet[random64() % letters];
		assert_int_equal(decimal_parse(text, len, 14, scale, rounding, &wide),
		                 decimal_parse64(text, len, 14, scale, rounding, &v));
		assert_true(wide == v);
		free(text);
	}
}

static void
test_arithmetic_laws(void **state)
{
	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		Int128 a = random_value(38);
		Int128 b = random_value(38);
		Int128 sum;
		Int128 back;
		Int128 quotient;
		Int128 rest;
		Int128 product;

		if (decimal_add128(a, b, &sum) == DECIMAL_OK) {
			assert_int_equal(decimal_sub128(sum, b, &back), DECIMAL_OK);
			assert_true(back == a);
		}
		if (b == 0)
			continue;
		/* a = (a / b) * b + a % b */
		assert_int_equal(decimal_div128(a, 0, b, 0, 38, 0, ROUND_DOWN, &quotient),
		                 DECIMAL_OK);
		assert_int_equal(decimal_mod128(a, 0, b, 0, &rest), DECIMAL_OK);
		assert_int_equal(decimal_mul128(quotient, b, &product), DECIMAL_OK);
		assert_true(product + rest == a);
		/* (a * b) / b = a, exactly */
		if (decimal_mul128(a, b, &product) == DECIMAL_OK) {
			assert_int_equal(decimal_div128(product, 7, b, 3, 38, 4, ROUND_EXACT,
			                                &back), DECIMAL_OK);
			assert_true(back == a);
		}
	}
}

/* What is added in one order, taken away in another and merged from parts is the same sum. */
static void
test_sum_laws(void **state)
{
	(void)state;
	for (int i = 0; i < LAW_ROUNDS / 10; i++) {
		Int128 values[VALUES_MAX];
		Int256 forward = {{0}};
		Int256 backward = {{0}};
		Int256 parts[2] = {{{0}}, {{0}}};

		for (int j = 0; j < VALUES_MAX; j++) {
			values[j] = random_value(38);
			int256_add(&forward, values[j]);
			int256_add(&parts[random64() & 1], values[j]);
		}
		for (int j = VALUES_MAX - 1; j >= 0; j--)
			int256_add(&backward, values[j]);
		int256_merge(&parts[0], &parts[1]);
		assert_int_equal(int256_compare(&forward, &backward), 0);
		assert_int_equal(int256_compare(&forward, &parts[0]), 0);
		int256_unmerge(&parts[0], &parts[1]);
		int256_merge(&parts[0], &parts[1]);
		for (int j = 0; j < VALUES_MAX; j++)
			int256_sub(&forward, values[j]);
		assert_true(int256_is_zero(&forward));
		assert_true(int256_add_product(&forward, values[0], values[1]));
		assert_true(int256_sub_product(&forward, values[1], values[0]));
		assert_true(int256_is_zero(&forward));
	}
}

static void
test_sum_limits(void **state)
{
	const Int128 largest = decimal_power128[38] - 1;
	Int256 sum = {{0}};
	Int256 before;
	Int128 v = -77;
	int added = 0;

	(void)state;
	/* 2^255 / 10^76 = 5.79: the sixth product does not fit and leaves the sum alone. */
	while (int256_add_product(&sum, largest, largest))
		added++;
	assert_int_equal(added, 5);
	before = sum;
	assert_false(int256_add_product(&sum, -largest, -largest));
	assert_int_equal(int256_compare(&sum, &before), 0);
	assert_true(int256_sub_product(&sum, largest, largest));
	assert_int_equal(int256_to_decimal(&sum, 38, &v), DECIMAL_OVERFLOW);
	assert_true(v == -77);
	assert_true(int256_to_double(&sum) == 4e76);

	sum = int256_from(-5);
	assert_true(int256_to_double(&sum) == -5.0);
	/* 2^100 + 2^47 is half way between two doubles; one more is not. */
	sum = int256_from(((Int128)1 << 100) + ((Int128)1 << 47));
	assert_true(int256_to_double(&sum) == ldexp(1, 100));
	int256_add(&sum, 1);
	assert_true(int256_to_double(&sum) == ldexp(1, 100) + ldexp(1, 48));
}

/* Words at the edges, where an estimated quotient word is too large by one. */
static void
random_wide(Wide *v, int words)
{
	static const uint64_t edges[] = {0, 1, UINT64_MAX, UINT64_MAX - 1, UINT64_C(1) << 63,
	                                 (UINT64_C(1) << 63) - 1, (UINT64_C(1) << 63) + 1};
	uint64_t word[WIDE_WORDS];

	for (int i = 0; i < words; i++)
		word[i] = random64() % 8 == 0 ? random64() : edges[random64() % 7];
	wide_from_words(v, word, words);
}

static void
test_wide_division(void **state)
{
	(void)state;
	for (int i = 0; i < LAW_ROUNDS; i++) {
		Wide numerator;
		Wide divisor;
		Wide quotient;
		Wide remainder;
		Wide back;

		random_wide(&numerator, (int)(random64() % 8));
		random_wide(&divisor, (int)(random64() % 4) + 1);
		if (divisor.len == 0)
			continue;
		wide_divide(&numerator, &divisor, &quotient, &remainder);
		assert_true(wide_compare(&remainder, &divisor) < 0);
		wide_mul(&back, &quotient, &divisor);
		wide_add(&back, &remainder);
		assert_int_equal(wide_compare(&back, &numerator), 0);

		wide_sqrt(&numerator, &quotient);
		wide_mul(&back, &quotient, &quotient);
		assert_true(wide_compare(&back, &numerator) <= 0);
		wide_from128(&remainder, 1);
		wide_add(&quotient, &remainder);
		wide_mul(&back, &quotient, &quotient);
		assert_true(wide_compare(&back, &numerator) > 0);
	}
}

static void
test_types(void **state)
{
	int p;
	int s;

	(void)state;
	decimal_add_type(18, 4, 10, 2, &p, &s);
	assert_int_equal(p, 19);
	assert_int_equal(s, 4);
	decimal_add_type(38, 0, 38, 10, &p, &s);
	assert_int_equal(p, 38);
	assert_int_equal(s, 10);
	assert_true(decimal_mul_type(18, 4, 10, 0, &p, &s));
	assert_int_equal(p, 28);
	assert_int_equal(s, 4);
	assert_true(decimal_mul_type(30, 19, 30, 19, &p, &s));
	assert_int_equal(p, 38);
	assert_int_equal(s, 38);
	assert_false(decimal_mul_type(38, 20, 38, 19, &p, &s));
	decimal_div_type(10, 2, 5, 1, &p, &s);
	assert_int_equal(p, 15);
	assert_int_equal(s, 6);
	decimal_div_type(18, 8, 38, 30, &p, &s);
	assert_int_equal(p, 38);
	assert_int_equal(s, 30);
	decimal_mod_type(10, 2, 5, 3, &p, &s);
	assert_int_equal(p, 5);
	assert_int_equal(s, 3);
}

static void
test_conversions(void **state)
{
	DecimalRounding rounding;
	int64_t v64 = -77;
	Int128 v = -77;

	(void)state;
	assert_int_equal(decimal_from_int64(INT64_MIN, 38, 10, &v), DECIMAL_OK);
	assert_true(v == (Int128)INT64_MIN * decimal_power64[10]);
	assert_int_equal(decimal_from_int64(100, 4, 2, &v), DECIMAL_OVERFLOW);
	assert_int_equal(decimal_to_int64(-25, 1, ROUND_HALF_UP, &v64), DECIMAL_OK);
	assert_int_equal(v64, -3);
	assert_int_equal(decimal_to_int64((Int128)INT64_MAX + 1, 0, ROUND_EXACT, &v64),
	                 DECIMAL_OVERFLOW);
	assert_int_equal(decimal_from_double(NAN, 38, 2, ROUND_HALF_UP, &v), DECIMAL_SYNTAX);
	assert_int_equal(decimal_from_double(-INFINITY, 38, 2, ROUND_HALF_UP, &v), DECIMAL_SYNTAX);
	assert_int_equal(decimal_from_double(1.005, 38, 2, ROUND_HALF_UP, &v), DECIMAL_OK);
	assert_true(v == 101);
	assert_true(decimal_rounding_find(STR("half_even"), &rounding));
	assert_int_equal(rounding, ROUND_HALF_EVEN);
	assert_false(decimal_rounding_find(STR("EXACT"), &rounding));
	assert_true(decimal_fits64(999, 3) && decimal_fits64(-999, 3));
	assert_false(decimal_fits64(1000, 3) || decimal_fits64(-1000, 3));
	assert_int_equal(decimal_mod64(INT64_MIN, 0, -1, 0, &v64), DECIMAL_OK);
	assert_int_equal(v64, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_print_and_parse),
		cmocka_unit_test(test_parsers_agree),
		cmocka_unit_test(test_arithmetic_laws),
		cmocka_unit_test(test_sum_laws),
		cmocka_unit_test(test_sum_limits),
		cmocka_unit_test(test_wide_division),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_conversions),
	};

	random_state = (uint64_t)time(NULL) * 2 + 1;
	if (getenv("TEST_SEED") != NULL)
		random_state = strtoull(getenv("TEST_SEED"), NULL, 10);
	printf("TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
