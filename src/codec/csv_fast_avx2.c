/* codec/csv_fast_avx2.c -- the fast scanner with 32-byte vectors; chosen at run time. */
#include "codec/csv_fast.h"

#include <immintrin.h>

#define CSV_TARGET __attribute__((target("avx2,bmi,bmi2,popcnt,lzcnt")))

typedef struct CsvMasks {
	uint64_t delimiter;
	uint64_t newline;
	uint64_t quote;
} CsvMasks;

typedef struct CsvClasses {
	__m256i delimiter;
	__m256i newline;
	__m256i quote;
} CsvClasses;

CSV_TARGET static inline CsvClasses
csv_classes_make(char delimiter, char quote)
{
	return (CsvClasses){_mm256_set1_epi8(delimiter), _mm256_set1_epi8('\n'),
			    _mm256_set1_epi8(quote)};
}

CSV_TARGET static inline uint64_t
equal_bits(__m256i low, __m256i high, __m256i repeated)
{
	uint32_t a = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, repeated));
	uint32_t b = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, repeated));

	return a | (uint64_t)b << 32;
}

CSV_TARGET static inline CsvMasks
csv_classify(const CsvClasses *classes, const char *data)
{
	__m256i low, high;

	memcpy(&low, data, sizeof low);
	memcpy(&high, data + 32, sizeof high);
	return (CsvMasks){equal_bits(low, high, classes->delimiter),
			  equal_bits(low, high, classes->newline),
			  equal_bits(low, high, classes->quote)};
}

#define CSV_FAST_SCAN csv_fast_scan_avx2
#include "codec/csv_fast_impl.h"
