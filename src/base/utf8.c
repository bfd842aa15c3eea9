/* base/utf8.c -- a decoder by the table of well-formed sequences, and word-wise counting.
 *
 * Most text is ASCII, so every walk first takes 16 bytes at a time while no byte has its top bit
 * set.  Code points are counted as bytes that are not continuation bytes (10xxxxxx). */
#include "base/utf8.h"

#include <string.h>

#define HIGH_BITS UINT64_C(0x8080808080808080)
#define LOW_BITS  UINT64_C(0x0101010101010101)

static inline uint64_t
load_word(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* What may follow a lead byte: how many continuation bytes, and the range of the first one, which
 * is where overlong forms, surrogates and values above U+10FFFF are told apart. */
typedef struct Lead {
	unsigned follow; /* 0: not a lead byte */
	unsigned low;
	unsigned high;
} Lead;

static inline Lead
lead_of(unsigned byte)
{
	if (byte < 0xC2 || byte > 0xF4)
		return (Lead){0, 0, 0};
	if (byte < 0xE0)
		return (Lead){1, 0x80, 0xBF};
	if (byte < 0xF0)
		return (Lead){2, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
	return (Lead){3, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
}

uint32_t
utf8_decode(const char *data, size_t len, size_t *size)
{
	const unsigned char *p = (const unsigned char *)data;
	Lead lead = lead_of(p[0]);

	*size = 1;
	if (p[0] < 0x80)
		return p[0];
	if (lead.follow == 0 || len < 2 || p[1] < lead.low || p[1] > lead.high)
		return UTF8_INVALID;

	uint32_t code_point = (p[0] & (0x3Fu >> lead.follow)) << 6 | (p[1] & 0x3Fu);
	for (unsigned i = 2; i <= lead.follow; i++) {
		if (i >= len || (p[i] & 0xC0) != 0x80) {
			*size = i;
			return UTF8_INVALID;
		}
		code_point = code_point << 6 | (p[i] & 0x3Fu);
	}
	*size = lead.follow + 1;
	return code_point;
}

/* Offset of the first byte at or after `i` that is not ASCII, or len. */
static inline size_t
skip_ascii(const char *data, size_t len, size_t i)
{
	while (len - i >= 16 && ((load_word(data + i) | load_word(data + i + 8)) & HIGH_BITS) == 0)
		i += 16;
	while (i < len && (unsigned char)data[i] < 0x80)
		i++;
	return i;
}

size_t
utf8_valid_prefix(const char *data, size_t len)
{
	size_t i = skip_ascii(data, len, 0);

	while (i < len) {
		size_t size;

		if (utf8_decode(data + i, len - i, &size) == UTF8_INVALID)
			return i;
		i += size;
		/* Text that is not ASCII rarely turns into long ASCII: try one byte first. */
		if (i < len && (unsigned char)data[i] < 0x80)
			i = skip_ascii(data, len, i);
	}
	return len;
}

bool
utf8_valid(const char *data, size_t len)
{
	return utf8_valid_prefix(data, len) == len;
}

bool
utf8_is_ascii(const char *data, size_t len)
{
	return skip_ascii(data, len, 0) == len;
}

size_t
utf8_encode(uint32_t code_point, char *out)
{
	if (code_point < 0x80) {
		out[0] = (char)code_point;
		return 1;
	}
	if (code_point < 0x800) {
		out[0] = (char)(0xC0 | code_point >> 6);
		out[1] = (char)(0x80 | (code_point & 0x3F));
		return 2;
	}
	if (code_point < 0x10000) {
		if (code_point >= 0xD800 && code_point < 0xE000)
			return 0;
		out[0] = (char)(0xE0 | code_point >> 12);
		out[1] = (char)(0x80 | (code_point >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code_point & 0x3F));
		return 3;
	}
	if (code_point > 0x10FFFF)
		return 0;
	out[0] = (char)(0xF0 | code_point >> 18);
	out[1] = (char)(0x80 | (code_point >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code_point >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code_point & 0x3F));
	return 4;
}

static inline bool
is_continuation(char byte)
{
	return ((unsigned char)byte & 0xC0) == 0x80;
}

/* How many of the eight bytes at p start a code point. */
static inline size_t
count_starts(const char *p)
{
	uint64_t word = load_word(p);

	return (size_t)__builtin_popcountll((~word >> 7 | word >> 6) & LOW_BITS);
}

size_t
utf8_count(const char *data, size_t len)
{
	size_t count = 0;
	size_t i = 0;

	for (; len - i >= 8; i += 8)
		count += count_starts(data + i);
	for (; i < len; i++)
		count += !is_continuation(data[i]);
	return count;
}

size_t
utf8_offset(const char *data, size_t len, size_t n)
{
	size_t i = 0;

	while (len - i >= 8) {
		size_t starts = count_starts(data + i);

		if (starts > n)
			break;
		n -= starts;
		i += 8;
	}
	for (; i < len; i++) {
		if (is_continuation(data[i]))
			continue;
		if (n == 0)
			return i;
		n--;
	}
	return len;
}

size_t
utf8_previous(const char *data, size_t at)
{
	size_t lowest = at > UTF8_MAX_BYTES ? at - UTF8_MAX_BYTES : 0;

	do
		at--;
	while (at > lowest && is_continuation(data[at]));
	return at;
}

size_t
utf8_cut(const char *data, size_t len, size_t max)
{
	if (len <= max)
		return len;
	for (size_t back = 0; back < UTF8_MAX_BYTES && back <= max; back++)
		if (!is_continuation(data[max - back]))
			return max - back;
	return max;
}
