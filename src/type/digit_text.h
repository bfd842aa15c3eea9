/* type/digit_text.h -- the text of a number with point and exponent, taken apart.
 *
 * Decimals and floating point numbers share this grammar:
 * [sign] digits [. digits] [e [sign] digits], with at least one digit before or after the point.
 *
 * Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DIGIT_TEXT_EXACT 19 /* so many digits always fit 64 bits */

/* The value is d1d2d3..dn * 10^exponent, where d1 is the first digit that is not 0. */
typedef struct DigitText {
	bool negative;
	const char *digits; /* d1; a '.' may lie among the digits */
	const char *end;    /* one past dn */
	int64_t count;      /* n, 0 if the number is zero */
	uint64_t mantissa;  /* the digits as a number, if there are at most DIGIT_TEXT_EXACT */
	int64_t exponent;
} DigitText;

/* False if the whole text is not such a number.  `out` points into the text. */
bool digit_text_scan(const char *text, size_t len, DigitText *out);
