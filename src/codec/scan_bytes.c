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
	.space = BYTES(' '),
	.newline = BYTES('\n'),
	.zero = BYTES('0'),
	.to_top = BYTES(127 - '9'),
	.top_zero = BYTES(127 - 9),
};

#endif
