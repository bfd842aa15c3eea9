/* codec/json_fast_avx2.c -- the fast path for CPUs with AVX2, BMI and BMI2.
 *
 * Everything after the attribute is compiled for these CPUs and is called only on them. */
#include "codec/json_decode.h"
#include "type/decimal.h"

#if defined(__x86_64__)

#include <immintrin.h>

#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,bmi,bmi2"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,bmi,bmi2")
#endif

#define SCAN_AVX2
#include "codec/scan_padded.h"

#define FAST(name) name##_avx2
#include "codec/json_fast_impl.h"

#if defined(__clang__)
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif

bool
json_fast_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
	       __builtin_cpu_supports("bmi2");
}

#else /* no such CPU: never called */

bool
json_fast_has_avx2(void)
{
	return false;
}

bool
json_fast_avx2(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
	       JsonOutcome *outcome)
{
	return json_fast_portable(decoder, run, start, end, outcome);
}

const char *
json_fast_lines_avx2(JsonDecoder *decoder, JsonRun *run, const char *next, uint32_t *line)
{
	return json_fast_lines_portable(decoder, run, next, line);
}

#endif
