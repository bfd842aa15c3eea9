/* codec/scan_bytes.c -- the constants of codec/scan_padded.h, out of the compiler's sight. */
#if defined(__x86_64__)

#define SCAN_AVX2
#include "codec/scan_padded.h"

#define FOUR(c) c, c, c, c
#define BYTES(c)                                                                                   \
	{                                                                                          \
		FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c), FOUR(c)             \
	}

const ScanBytes scan_bytes __attribute__((aligned(32))) = {
	.quote = BYTES('"'),
	.backslash = BYTES('\\'),
	.control = BYTES(0x1F),
	.newline = BYTES('\n'),
	.zero = BYTES('0'),
	.nine = BYTES(9),
};

#endif
