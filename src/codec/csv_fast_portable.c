/* codec/csv_fast_portable.c -- the fast scanner in plain C, eight bytes at a time. */
#include "codec/csv_fast.h"

#define LOW_BITS  UINT64_C(0x0101010101010101)
#define LOW_SEVEN UINT64_C(0x7F7F7F7F7F7F7F7F)

typedef struct CsvMasks {
	uint64_t delimiter;
	uint64_t newline;
	uint64_t quote;
} CsvMasks;

/* Each byte repeated eight times. */
typedef struct CsvClasses {
	uint64_t delimiter;
	uint64_t newline;
	uint64_t quote;
} CsvClasses;

static inline CsvClasses
csv_classes_make(char delimiter, char quote)
{
	return (CsvClasses){LOW_BITS * (unsigned char)delimiter, LOW_BITS * '\n',
			    LOW_BITS * (unsigned char)quote};
}

/* Bit i of the result: byte i of `word` equals that of `repeated`. */
static inline uint64_t
equal_bits(uint64_t word, uint64_t repeated)
{
	uint64_t x = word ^ repeated;
	/* The top bit of each byte that is zero, without carries between bytes. */
	uint64_t zero = ~(((x & LOW_SEVEN) + LOW_SEVEN) | x | LOW_SEVEN);

	return (zero >> 7) * UINT64_C(0x0102040810204080) >> 56;
}

static inline CsvMasks
csv_classify(const CsvClasses *classes, const char *data)
{
	CsvMasks masks = {0, 0, 0};

	for (int i = 0; i < 64; i += 8) {
		uint64_t word;

		memcpy(&word, data + i, 8);
		masks.delimiter |= equal_bits(word, classes->delimiter) << i;
		masks.newline |= equal_bits(word, classes->newline) << i;
		masks.quote |= equal_bits(word, classes->quote) << i;
	}
	return masks;
}

#define CSV_TARGET
#define CSV_FAST_SCAN csv_fast_scan_portable
#include "codec/csv_fast_impl.h"
