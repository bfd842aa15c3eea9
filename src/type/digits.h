/* type/digits.h -- eight ASCII digits at a time, for the parsers and printers of type/.
 *
 * A word holds eight characters with the first in its lowest byte (little-endian, as loaded).
 * Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define DIGITS_ASCII_ZEROS UINT64_C(0x3030303030303030)
#define DIGITS_HIGH_BITS UINT64_C(0x8080808080808080)

static inline bool
digit_is(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static inline uint64_t
digits_load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* Are all eight bytes 0..9 (values, not characters)? */
static inline bool
digits_all(uint64_t values)
{
	/* 10 + 0x76 has the high bit; what carries into its neighbour has it as well. */
	return (((values + UINT64_C(0x7676767676767676)) | values) & DIGITS_HIGH_BITS) == 0;
}

/* Eight digit values to a number: pairs, then fours, then eight. */
static inline uint64_t
digits_join(uint64_t values)
{
	const uint64_t mask = UINT64_C(0x000000FF000000FF);

	values = values * 10 + (values >> 8);
	return ((values & mask) * UINT64_C(0x000F424000000064) +
	        (values >> 16 & mask) * UINT64_C(0x0000271000000001)) >> 32;
}

/* 10^0 .. 10^19. */
extern const uint64_t digits_power10[20];
/* Decimal digits of v; 1 for 0. */
int digits_count(uint64_t v);

/* "00" "01" .. "99". */
extern const char digits_pairs[201];

/* Two digits of v (0..99). */
static inline char *
digits_put2(char *out, unsigned v)
{
	memcpy(out, digits_pairs + 2 * v, 2);
	return out + 2;
}
