/* tests/unit/random_numbers.h -- random numbers that a seed repeats: xorshift64* of Vigna, 2014. */
#pragma once

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static uint64_t random_state;

static inline uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state * UINT64_C(0x2545F4914F6CDD1D) >> 16;
}

static inline uint32_t
below(uint32_t limit)
{
	return (uint32_t)(next_random() % limit);
}

/* TEST_SEED, or the time; prints it. */
static inline void
seed_random(void)
{
	const char *given = getenv("TEST_SEED");
	uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

	printf("TEST_SEED=%llu\n", (unsigned long long)seed);
	random_state = seed * 2 + 1; /* never 0 */
}
