/* base/base64.h -- base64 (RFC 4648, standard alphabet, padded) in both directions.
 *
 * Owns nothing, allocates nothing.  Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Bytes that base64_encode writes for `len` bytes. */
#define BASE64_ENCODED(len) (((size_t)(len) + 2) / 3 * 4)
/* Bytes that base64_decode writes at most for `len` bytes. */
#define BASE64_DECODED(len) (((size_t)(len) + 3) / 4 * 3)

/* Returns one past the last byte; writes no NUL. */
char *base64_encode(char *out, const char *data, size_t len);
/* False if the text is not base64.  The padding may be left off; what stands in for bits beyond
 * the last byte must be zero, so that each value has one text. */
bool base64_decode(const char *text, size_t len, char *out, size_t *out_len);
