/* base/bitmap.h -- bits in 64-bit words; bit i of a validity bitmap is 1 if row i is not NULL. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define BITMAP_WORDS(bits) (((size_t)(bits) + 63) / 64)

static inline bool
bitmap_get(const uint64_t *words, uint32_t bit)
{
	return words[bit >> 6] >> (bit & 63) & 1;
}

static inline void
bitmap_set(uint64_t *words, uint32_t bit)
{
	words[bit >> 6] |= UINT64_C(1) << (bit & 63);
}

static inline void
bitmap_clear(uint64_t *words, uint32_t bit)
{
	words[bit >> 6] &= ~(UINT64_C(1) << (bit & 63));
}

static inline void
bitmap_fill(uint64_t *words, uint32_t bits, bool value)
{
	memset(words, value ? 0xFF : 0, BITMAP_WORDS(bits) * sizeof(uint64_t));
}
