/* type/wide.h -- unsigned integers of up to 1024 bits, for what decimals need in between.
 *
 * A quotient of decimals is exact before it is rounded once; its numerator may be far beyond 128
 * bits.  These are the slow paths of decimal.c and int256.c and nobody else's.  The capacity holds
 * the largest of them, a variance of 256-bit sums at scale 38; more is a programmer's error.
 *
 * Threads: everything here is pure. */
#pragma once

#include "type/decimal.h"

#define WIDE_WORDS 16

/* Least significant word first; word[len - 1] != 0; words from len on are not defined. */
typedef struct Wide {
	int len;
	uint64_t word[WIDE_WORDS];
} Wide;

void wide_from128(Wide *out, Uint128 v);
void wide_from_words(Wide *out, const uint64_t *words, int count);
bool wide_to128(const Wide *v, Uint128 *out);
int wide_bits(const Wide *v);
int wide_compare(const Wide *a, const Wide *b);
void wide_add(Wide *a, const Wide *b);
/* a >= b. */
void wide_sub(Wide *a, const Wide *b);
void wide_shift_right1(Wide *v);
void wide_mul64(Wide *v, uint64_t factor);
/* `out` is neither of the operands. */
void wide_mul(Wide *out, const Wide *a, const Wide *b);
void wide_mul_power10(Wide *v, int exponent);
/* divisor > 0; `quotient` and `remainder` are distinct from the operands and from each other. */
void wide_divide(const Wide *numerator, const Wide *divisor, Wide *quotient, Wide *remainder);
/* Largest integer whose square is not above v. */
void wide_sqrt(const Wide *v, Wide *out);

/* numerator / divisor with the sign given, rounded, as DECIMAL(precision, any). */
DecimalResult wide_round_quotient(const Wide *numerator, const Wide *divisor, bool negative,
                                  int precision, DecimalRounding rounding, Int128 *out);

/* Is a magnitude with a remainder that is not 0 to be made one larger?  `half` compares the
 * remainder with half the divisor; `odd` is the lowest bit of the truncated magnitude. */
static inline bool
decimal_rounds_away(DecimalRounding rounding, bool negative, bool odd, int half)
{
	switch (rounding) {
	case ROUND_UP:
		return true;
	case ROUND_CEILING:
		return !negative;
	case ROUND_FLOOR:
		return negative;
	case ROUND_HALF_UP:
		return half >= 0;
	case ROUND_HALF_DOWN:
		return half > 0;
	case ROUND_HALF_EVEN:
		return half > 0 || (half == 0 && odd);
	case ROUND_DOWN:
	case ROUND_EXACT:
	case ROUND_COUNT:
		break;
	}
	return false;
}

static inline Uint128
decimal_magnitude(Int128 v)
{
	return v < 0 ? 0 - (Uint128)v : (Uint128)v;
}
