/* base/utf8.h -- checking and walking UTF-8 (RFC 3629).
 *
 * Valid means: no overlong form, no surrogate, nothing above U+10FFFF, nothing cut short.
 * The functions under "valid text" may give a meaningless, but never an unsafe, answer for text
 * that was not checked: none reads outside data[0 .. len).
 *
 * Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX_BYTES   4
#define UTF8_INVALID     UINT32_MAX
#define UTF8_REPLACEMENT 0xFFFDu

bool utf8_valid(const char *data, size_t len);
/* Bytes of the longest valid prefix: len if all is valid. */
size_t utf8_valid_prefix(const char *data, size_t len);

/* Decode the code point at data[0]; *size is the number of bytes it takes.  If it is invalid:
 * UTF8_INVALID, and *size is the length of the maximal subpart (>= 1), the number of bytes to
 * replace by one U+FFFD.  len > 0. */
uint32_t utf8_decode(const char *data, size_t len, size_t *size);
/* Writes 1 to 4 bytes and returns how many; 0, and nothing written, for a surrogate or a value
 * above U+10FFFF. */
size_t utf8_encode(uint32_t code_point, char *out);

/* ---- valid text ---- */

/* Number of code points. */
size_t utf8_count(const char *data, size_t len);
/* Byte offset of code point n (0-based), or len if there are not more than n. */
size_t utf8_offset(const char *data, size_t len, size_t n);
/* Byte offset of the start of the code point that ends before offset `at` (0 < at <= len). */
size_t utf8_previous(const char *data, size_t at);
/* The number of bytes <= max at which text can be cut without splitting a code point. */
size_t utf8_cut(const char *data, size_t len, size_t max);
bool utf8_is_ascii(const char *data, size_t len);
