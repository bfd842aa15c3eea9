/* base/base64.c -- three bytes to four characters and back. */
#include "base/base64.h"

#include <stdint.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_encode(char *out, const char *data, size_t len)
{
	const unsigned char *in = (const unsigned char *)data;

	for (; len >= 3; len -= 3, in += 3) {
		uint32_t bits = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];

		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = alphabet[bits >> 6 & 63];
		*out++ = alphabet[bits & 63];
	}
	if (len == 0)
		return out;
	uint32_t bits = (uint32_t)in[0] << 16 | (len == 2 ? (uint32_t)in[1] << 8 : 0);
	*out++ = alphabet[bits >> 18];
	*out++ = alphabet[bits >> 12 & 63];
	*out++ = len == 2 ? alphabet[bits >> 6 & 63] : '=';
	*out++ = '=';
	return out;
}

/* The six bits of a character, or -1. */
static int
sextet(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
base64_decode(const char *text, size_t len, char *out, size_t *out_len)
{
	char *start = out;
	uint32_t bits = 0;
	unsigned held = 0; /* bits not yet written */

	if (len % 4 == 0)
		for (int i = 0; i < 2 && len > 0 && text[len - 1] == '='; i++)
			len--;
	if (len % 4 == 1)
		return false;
	for (size_t i = 0; i < len; i++) {
		int six = sextet(text[i]);

		if (six < 0)
			return false;
		bits = bits << 6 | (uint32_t)six;
		held += 6;
		if (held >= 8) {
			held -= 8;
			*out++ = (char)(bits >> held);
			bits &= (1u << held) - 1;
		}
	}
	*out_len = (size_t)(out - start);
	return bits == 0;
}
