/* codec/scan_padded.h -- looking at 32 bytes of text at once.
 *
 * These functions may read up to 64 bytes from where they are told to look: input chunks have that
 * padding (CHUNK_PADDING).
 *
 * They exist twice.  A file that defines SCAN_AVX2, and is compiled for AVX2 from there on (see
 * json_fast_avx2.c), gets them with 32-byte registers; any other file gets plain C with the same
 * results.  Which of the two runs is chosen when a decoder is opened.
 *
 * Threads: everything here is pure. */
#pragma once

#include "codec/scan.h"

#if defined(SCAN_AVX2)
#include <immintrin.h>
#endif

/* Digits, perhaps a point, and digits: of at most 32 bytes. */
typedef struct ScanNumber {
	uint32_t len;
	uint32_t whole;    /* digits before the point; len if there is none */
	uint32_t fraction; /* digits behind it */
} ScanNumber;

#if defined(SCAN_AVX2)

/* A byte 32 times, in memory.  The compiler would make it anew at each use, by three instructions:
 * decoding took 1.05 times the time. */
typedef struct ScanBytes {
	uint8_t quote[32];
	uint8_t backslash[32];
	uint8_t space[32];
	uint8_t newline[32];
	uint8_t zero[32];
	uint8_t to_top[32];
	uint8_t top_zero[32];
} ScanBytes;

extern const ScanBytes scan_bytes;

#define SCAN_BYTES(name) _mm256_load_si256((const __m256i *)scan_bytes.name)
#define SCAN_HALF(name)  _mm_load_si128((const __m128i *)scan_bytes.name)

/* 16 bytes of 0xFF and 0x00: which bytes of a number lie behind its point. */
static const uint8_t scan_behind[32] = {
	0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,
	0,    0,    0,    0,    0,    0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
	0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
};

/* Shuffles that move the first n bytes to the end and clear the others: start at 16 - n... */
static const uint8_t scan_to_end[32] = {
	0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
	0x80, 0x80, 0x80, 0x80, 0x80, 0,    1,    2,    3,    4,    5,
	6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
};

static inline bool
scan_matches(const char *p, const ScanPrefix *prefix)
{
	__m256i there = _mm256_loadu_si256((const __m256i *)p);
	__m256i wanted = _mm256_loadu_si256((const __m256i *)prefix->bytes);
	uint32_t differ = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(there, wanted));

	return (differ & prefix->mask) == 0;
}

/* The first '"', '\', control character or byte that is not ASCII; at or beyond `end` if there
 * is none before it. */
static inline const char *
scan_string(const char *p, const char *end)
{
	const __m256i quote = SCAN_BYTES(quote);
	const __m256i backslash = SCAN_BYTES(backslash);
	const __m256i space = SCAN_BYTES(space);

	for (; p < end; p += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)p);
		/* As signed bytes, whatever is not ASCII is below a space too. */
		__m256i hit = _mm256_or_si256(_mm256_cmpgt_epi8(space, v),
					      _mm256_or_si256(_mm256_cmpeq_epi8(v, quote),
							      _mm256_cmpeq_epi8(v, backslash)));
		uint32_t mask = (uint32_t)_mm256_movemask_epi8(hit);

		if (mask != 0)
			return p + __builtin_ctz(mask);
	}
	return p;
}

/* The line end at or after p, or `end`. */
static inline const char *
scan_line_end(const char *p, const char *end)
{
	const __m256i newline = SCAN_BYTES(newline);

	for (; p < end; p += 64) {
		__m256i a = _mm256_loadu_si256((const __m256i *)p);
		__m256i b = _mm256_loadu_si256((const __m256i *)(p + 32));
		uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, newline));
		uint64_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, newline));
		uint64_t mask = low | high << 32;

		if (mask != 0) {
			p += __builtin_ctzll(mask);
			return p < end ? p : end;
		}
	}
	return end;
}

/* The same where no line end is expected.  Nothing that follows waits for the answer, which is
 * guessed by a branch; a conditional move made each record wait for the one before: up to 1.5 times
 * the time. */
static inline const char *
scan_line_end_unlikely(const char *p, const char *end)
{
	const __m256i newline = SCAN_BYTES(newline);

	for (; p < end; p += 64) {
		__m256i a = _mm256_loadu_si256((const __m256i *)p);
		__m256i b = _mm256_loadu_si256((const __m256i *)(p + 32));
		uint64_t low = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(a, newline));
		uint64_t high = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(b, newline));
		unsigned left = end - p < 64 ? (unsigned)(end - p) : 64;
		uint64_t mask = _bzhi_u64(low | high << 32, left);

		if (__builtin_expect(mask != 0, 0))
			return p + __builtin_ctzll(mask);
	}
	return end;
}

/* Bit i: byte i is no digit. */
static inline uint32_t
scan_not_digits(const char *p)
{
	__m256i v = _mm256_loadu_si256((const __m256i *)p);
	/* '0' to '9' become 118 to 127, all other bytes something less, as signed ones. */
	__m256i moved = _mm256_add_epi8(v, SCAN_BYTES(to_top));

	return (uint32_t)_mm256_movemask_epi8(_mm256_cmpgt_epi8(SCAN_BYTES(top_zero), moved));
}

static inline uint32_t
scan_digits(const char *p)
{
	return _tzcnt_u32(scan_not_digits(p));
}

static inline ScanNumber
scan_number(const char *p)
{
	uint32_t others = scan_not_digits(p);
	uint32_t whole = _tzcnt_u32(others);

	/* A branch: the numbers of one column mostly have a point or have none. */
	if (p[whole] != '.')
		return (ScanNumber){whole, whole, 0};
	uint32_t len = _tzcnt_u32(_blsr_u32(others));
	return (ScanNumber){len, whole, len - whole - 1};
}

/* Value of 16 decimal digits, as bytes 0..9, the first one highest. */
static inline uint64_t
scan_value16(__m128i digits)
{
	const __m128i ten = _mm_set1_epi16(0x010A);
	const __m128i hundred = _mm_set1_epi32(0x00010064);
	const __m128i myriad = _mm_set1_epi32(0x00012710);
	__m128i pairs = _mm_maddubs_epi16(digits, ten);
	__m128i fours = _mm_madd_epi16(pairs, hundred);
	__m128i packed = _mm_packus_epi32(fours, fours);
	uint64_t eights = (uint64_t)_mm_cvtsi128_si64(_mm_madd_epi16(packed, myriad));

	return (eights & UINT32_MAX) * 100000000 + (eights >> 32);
}

/* The number of `whole` digits, perhaps a point, and `fraction` digits, point left out; at most
 * 16 digits in all. */
static inline uint64_t
scan_value(const char *p, uint32_t whole, uint32_t fraction)
{
	__m128i text = _mm_loadu_si128((const __m128i *)p);

	/* What lies behind the point comes from one byte further on. */
	if (fraction > 0) {
		__m128i moved = _mm_loadu_si128((const __m128i *)(p + 1));
		__m128i behind = _mm_loadu_si128((const __m128i *)(scan_behind + 16 - whole));

		text = _mm_xor_si128(text, _mm_and_si128(_mm_xor_si128(text, moved), behind));
	}
	__m128i digits = _mm_sub_epi8(text, SCAN_HALF(zero));
	__m128i order = _mm_loadu_si128((const __m128i *)(scan_to_end + whole + fraction));
	return scan_value16(_mm_shuffle_epi8(digits, order));
}

#else /* plain C */

static inline bool
scan_matches(const char *p, const ScanPrefix *prefix)
{
	return memcmp(p, prefix->bytes, prefix->len) == 0;
}

static inline const char *
scan_string(const char *p, const char *end)
{
	return scan_special(p, end);
}

static inline const char *
scan_line_end(const char *p, const char *end)
{
	const char *newline = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;

	return newline != NULL ? newline : end;
}

static inline const char *
scan_line_end_unlikely(const char *p, const char *end)
{
	return scan_line_end(p, end);
}

static inline bool
scan_is_digit(char c)
{
	return (unsigned char)(c - '0') <= 9;
}

static inline uint32_t
scan_digits(const char *p)
{
	uint32_t count = 0;

	while (count < 32 && scan_is_digit(p[count]))
		count++;
	return count;
}

static inline ScanNumber
scan_number(const char *p)
{
	uint32_t whole = scan_digits(p);
	uint32_t len = whole + 1;

	if (whole == 32 || p[whole] != '.')
		return (ScanNumber){whole, whole, 0};
	while (len < 32 && scan_is_digit(p[len]))
		len++;
	return (ScanNumber){len, whole, len - whole - 1};
}

static inline uint64_t
scan_value(const char *p, uint32_t whole, uint32_t fraction)
{
	uint64_t value = 0;

	for (uint32_t i = 0; i < whole; i++)
		value = value * 10 + (uint64_t)(p[i] - '0');
	for (uint32_t i = 1; i <= fraction; i++)
		value = value * 10 + (uint64_t)(p[whole + i] - '0');
	return value;
}

#endif
