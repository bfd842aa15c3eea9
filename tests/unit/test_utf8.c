/* tests/unit/test_utf8.c -- UTF-8 against a reference decoder, all code points, stress cases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/utf8.h"

#define RANDOM_ROUNDS 300000

static uint64_t random_state;

static uint64_t
random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(2685821657736338717);
}

/* The definition, without tables: take the length from the lead byte, compute the value, then ask
 * whether it is allowed and whether its shortest form has that length. */
static size_t
reference_length(const unsigned char *p, size_t len, uint32_t *value)
{
	size_t size = p[0] < 0x80 ? 1 : p[0] >> 5 == 6 ? 2 : p[0] >> 4 == 14 ? 3 : 4;

	if ((size == 4 && p[0] >> 3 != 30) || size > len)
		return 0;
	*value = size == 1 ? p[0] : p[0] & (0x7Fu >> size);
	for (size_t i = 1; i < size; i++) {
		if (p[i] >> 6 != 2)
			return 0;
		*value = *value * 64 + (p[i] & 0x3Fu);
	}
	size_t shortest = *value < 0x80 ? 1 : *value < 0x800 ? 2 : *value < 0x10000 ? 3 : 4;
	if (size != shortest || *value > 0x10FFFF || (*value >= 0xD800 && *value <= 0xDFFF))
		return 0;
	return size;
}

static size_t
reference_prefix(const char *data, size_t len)
{
	uint32_t value;
	size_t i = 0;

	while (i < len) {
		size_t size = reference_length((const unsigned char *)data + i, len - i, &value);

		if (size == 0)
			break;
		i += size;
	}
	return i;
}

static void
test_all_code_points(void **state)
{
	(void)state;
	for (uint32_t c = 0; c <= 0x120000; c++) {
		char text[UTF8_MAX_BYTES];
		size_t size = utf8_encode(c, text);
		size_t decoded = 0;

		if (c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
			assert_int_equal(size, 0);
			continue;
		}
		assert_true(size > 0);
		assert_int_equal(utf8_decode(text, size, &decoded), c);
		assert_int_equal(decoded, size);
		assert_true(utf8_valid(text, size));
		assert_int_equal(utf8_count(text, size), 1);
		assert_int_equal(utf8_previous(text, size), 0);
		if (size > 1)
			assert_false(utf8_valid(text, size - 1));
	}
	assert_int_equal(utf8_encode(UINT32_MAX, (char[4]){0}), 0);
}

/* Every sequence of up to three bytes, and all of four with an interesting start. */
static void
test_all_sequences(void **state)
{
	(void)state;
	for (uint32_t bits = 0; bits < 0x1000000; bits++) {
		char text[4] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits, (char)0x80};
		uint32_t expected = 0;
		size_t size = 0;
		size_t length = reference_length((unsigned char *)text, sizeof text, &expected);
		uint32_t value = utf8_decode(text, sizeof text, &size);

		if (length > 0 ? value != expected || size != length
		               : value != UTF8_INVALID || size == 0 || size > 3)
			fail_msg("%06x", bits);
	}
}

static void
fill(char *data, size_t len)
{
	unsigned kind = (unsigned)random64() % 4;

	for (size_t i = 0; i < len;) {
		char text[UTF8_MAX_BYTES];
		unsigned bits = kind == 0 ? 7 : kind == 1 ? 11 : kind == 2 ? 16 : 21;
		size_t size = utf8_encode((uint32_t)(random64() & ((1u << bits) - 1)), text);

		if (size == 0 || size > len - i)
			size = utf8_encode((uint32_t)(random64() & 0x7F), text);
		memcpy(data + i, text, size);
		i += size;
	}
	/* Half of the texts are damaged in one place. */
	if (len > 0 && random64() & 1)
		data[random64() % len] = (char)random64();
}

static void
test_random_texts(void **state)
{
	(void)state;
	for (int round = 0; round < RANDOM_ROUNDS; round++) {
		size_t len = random64() % 70;
		char *data = malloc(len > 0 ? len : 1); /* exact, for the sanitizer */
		size_t count = 0;

		fill(data, len);
		size_t prefix = reference_prefix(data, len);
		assert_int_equal(utf8_valid_prefix(data, len), prefix);
		assert_int_equal(utf8_valid(data, len), prefix == len);
		for (size_t i = 0; i < len; i++)
			if (((unsigned char)data[i] & 0xC0) != 0x80) {
				assert_int_equal(utf8_offset(data, len, count), i);
				count++;
			}
		assert_int_equal(utf8_count(data, len), count);
		assert_int_equal(utf8_offset(data, len, count), len);
		assert_int_equal(utf8_offset(data, len, count + 100), len);
		if (prefix == len)
			for (size_t max = 0; max <= len; max++) {
				size_t cut = utf8_cut(data, len, max);

				assert_true(cut <= max && cut + UTF8_MAX_BYTES > max);
				assert_true(utf8_valid(data, cut));
			}
		free(data);
	}
}

typedef struct StressCase {
	const char *text;
	bool valid;
	int replacements; /* U+FFFD by maximal subparts (Unicode, chapter 3) */
} StressCase;

/* From Markus Kuhn's decoder stress test, and the examples of the Unicode standard. */
static const StressCase stress_cases[] = {
	{"\xCE\xBA\xE1\xBD\xB9\xCF\x83\xCE\xBC\xCE\xB5", true, 0},
	{"\xC2\x80", true, 0},
	{"\xE0\xA0\x80", true, 0},
	{"\xF0\x90\x80\x80", true, 0},
	{"\x7F", true, 0},
	{"\xDF\xBF", true, 0},
	{"\xEF\xBF\xBF", true, 0},
	{"\xED\x9F\xBF", true, 0},
	{"\xEE\x80\x80", true, 0},
	{"\xEF\xBF\xBD", true, 0},
	{"\xF4\x8F\xBF\xBF", true, 0},
	{"\xF4\x90\x80\x80", false, 4},
	{"\xF8\x88\x80\x80\x80", false, 5},
	{"\xFC\x84\x80\x80\x80\x80", false, 6},
	{"\x80", false, 1},
	{"\xBF", false, 1},
	{"\x80\xBF\x80", false, 3},
	{"\xC0 \xC1 \xDF ", false, 3},
	{"\xE0 \xEF ", false, 2},
	{"\xF0 \xF7 ", false, 2},
	{"\xE0\x80", false, 2},
	{"\xEF\xBF", false, 1},
	{"\xF0\x90\x80", false, 1},
	{"\xF7\xBF\xBF", false, 3},
	{"\xFE\xFE\xFF\xFF", false, 4},
	{"\xC0\xAF", false, 2},
	{"\xE0\x80\xAF", false, 3},
	{"\xF0\x80\x80\xAF", false, 4},
	{"\xC1\xBF", false, 2},
	{"\xE0\x9F\xBF", false, 3},
	{"\xF0\x8F\xBF\xBF", false, 4},
	{"\xED\xA0\x80", false, 3},
	{"\xED\xBF\xBF", false, 3},
	{"\xED\xA0\x80\xED\xB0\x80", false, 6},
	{"a\xF1\x80\x80\xE1\x80\xC2" "b\x80" "c\x80\xBF" "d", false, 6},
	{"0123456789abcdef0123456789abcdef\x80", false, 1},
	{"0123456789abcde\xC3", false, 1},
};

static void
test_stress(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stress_cases / sizeof stress_cases[0]; i++) {
		const char *text = stress_cases[i].text;
		size_t len = strlen(text);
		int replacements = 0;

		for (size_t at = 0, size; at < len; at += size)
			replacements += utf8_decode(text + at, len - at, &size) == UTF8_INVALID;
		assert_int_equal(utf8_valid(text, len), stress_cases[i].valid);
		assert_int_equal(replacements, stress_cases[i].replacements);
	}
	assert_true(utf8_valid("", 0));
	assert_true(utf8_valid("a\0b", 3));
	assert_true(utf8_is_ascii("0123456789abcdef0", 17));
	assert_false(utf8_is_ascii("0123456789abcde\xC3\xA9", 17));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_code_points),
		cmocka_unit_test(test_all_sequences),
		cmocka_unit_test(test_random_texts),
		cmocka_unit_test(test_stress),
	};

	random_state = (uint64_t)time(NULL) * 2 + 1;
	if (getenv("TEST_SEED") != NULL)
		random_state = strtoull(getenv("TEST_SEED"), NULL, 10);
	printf("TEST_SEED=%llu\n", (unsigned long long)random_state);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
