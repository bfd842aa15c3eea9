/* codec/scan.h -- looking for bytes in text, 16 at a time.
 *
 * Nothing is read at or beyond `end`, on any CPU.  codec/scan_padded.h has faster relatives for
 * text that has readable bytes behind it.
 *
 * Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SCAN_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SCAN_SANITIZED 1
#endif
#endif
#ifndef SCAN_SANITIZED
#define SCAN_SANITIZED 0
#endif

static inline bool
scan_is_special(unsigned char c)
{
	return c < 0x20 || c >= 0x80 || c == '"' || c == '\\';
}

/* The first byte that is '"', '\', a control character or not ASCII; `end` if there is none. */
static inline const char *
scan_special(const char *p, const char *end)
{
#if defined(__SSE2__)
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');
	const __m128i space = _mm_set1_epi8(0x20);

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		/* As signed bytes, whatever is not ASCII is below a space too. */
		__m128i hit = _mm_or_si128(
			_mm_cmplt_epi8(v, space),
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));
		unsigned mask = (unsigned)_mm_movemask_epi8(hit);

		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && !scan_is_special((unsigned char)*p))
		p++;
	return p;
}

#define SCAN_SHORT 32

/* Whether a text of at most SCAN_SHORT bytes has nothing special. */
static inline bool
scan_short_is_plain(const char *data, size_t len)
{
#if defined(__SSE2__) && !SCAN_SANITIZED
	/* As in scan_copy, what is read behind the text is on its page. */
	if (__builtin_expect(((uintptr_t)data & 4095) <= 4096 - SCAN_SHORT, 1)) {
		const __m128i quote = _mm_set1_epi8('"');
		const __m128i backslash = _mm_set1_epi8('\\');
		const __m128i space = _mm_set1_epi8(0x20);
		uint64_t hits = 0;

		for (int i = 0; i < SCAN_SHORT; i += 16) {
			__m128i v = _mm_loadu_si128((const __m128i *)(data + i));
			__m128i hit = _mm_or_si128(_mm_cmplt_epi8(v, space),
						   _mm_or_si128(_mm_cmpeq_epi8(v, quote),
								_mm_cmpeq_epi8(v, backslash)));

			hits |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << i;
		}
		return (hits & ((UINT64_C(1) << len) - 1)) == 0;
	}
#endif
	return scan_special(data, data + len) == data + len;
}

/* The first '"' or '\', or `end`. */
static inline const char *
scan_quote(const char *p, const char *end)
{
#if defined(__SSE2__)
	const __m128i quote = _mm_set1_epi8('"');
	const __m128i backslash = _mm_set1_epi8('\\');

	for (; end - p >= 16; p += 16) {
		__m128i v = _mm_loadu_si128((const __m128i *)p);
		unsigned mask = (unsigned)_mm_movemask_epi8(
			_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, backslash)));

		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
#endif
	while (p < end && *p != '"' && *p != '\\')
		p++;
	return p;
}

/* The first ASCII byte, or `end`. */
static inline const char *
scan_ascii(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p >= 0x80)
		p++;
	return p;
}

/* Copies `len` bytes to `out`, which has room for 32 more than that. */
static inline char *
scan_copy(char *out, const char *data, size_t len)
{
#if defined(__SSE2__) && !SCAN_SANITIZED
	/* Bytes behind the text on the same page can be read, whoever owns them. */
	if (__builtin_expect(len <= 32 && ((uintptr_t)data & 4095) <= 4096 - 32, 1)) {
		__m128i low = _mm_loadu_si128((const __m128i *)data);

		_mm_storeu_si128((__m128i *)out, low);
		if (len > 16) {
			__m128i high = _mm_loadu_si128((const __m128i *)(data + 16));

			_mm_storeu_si128((__m128i *)(out + 16), high);
		}
		return out + len;
	}
#endif
	if (len > 0)
		memcpy(out, data, len);
	return out + len;
}

#define SCAN_PREFIX 32

/* A text that records repeat, of at most SCAN_PREFIX bytes, padded with zeros. */
typedef struct ScanPrefix {
	char bytes[SCAN_PREFIX];
	uint32_t len;
	uint32_t mask; /* the low `len` bits */
} ScanPrefix;

static inline uint32_t
scan_prefix_mask(uint32_t len)
{
	return len >= 32 ? UINT32_MAX : (UINT32_C(1) << len) - 1;
}
