/* connector/generator_make.h -- the inside of the generator: fields, and chance.
 *
 * Threads: one generator is used by one thread at a time. */
#pragma once

#include <string.h>

#include "connector/generator_record.h"

/* What each does is said in generator_list.h. */
typedef enum Make {
	MAKE_SEQUENCE,
	MAKE_KEY,
	MAKE_CODE,
	MAKE_NUMBER,
	MAKE_ABOVE,
	MAKE_WORD,
	MAKE_TIME,
	MAKE_STATION,
	MAKE_TEMPERATURE,
	/* from here on generator_nexmark.c */
	MAKE_PRICE,
	MAKE_RESERVE,
	MAKE_SELLER,
	MAKE_AUCTION,
	MAKE_BIDDER,
	MAKE_EXPIRY,
	MAKE_NAME,
	MAKE_EMAIL,
	MAKE_CARD,
	MAKE_CHANNEL,
	MAKE_URL,
	MAKE_PROSE,
	MAKE_FILLER,
} Make;

struct GeneratorField {
	int kind;
	Str name;
	TypeKind type;
	int precision, scale;
	Make make;
	const char *text;
	int64_t low;
	uint32_t count;
	int digits;
};

/* xorshift64*: one multiplication, and the upper half is good. */
static inline uint64_t
next_random64(Generator *generator)
{
	uint64_t x = generator->random;

	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	generator->random = x;
	return x * UINT64_C(2685821657736338717);
}

static inline uint32_t
next_random(Generator *generator)
{
	return (uint32_t)(next_random64(generator) >> 32);
}

/* 0 <= result < count, without a division. */
static inline uint32_t
random_below(Generator *generator, uint32_t count)
{
	return (uint32_t)(((uint64_t)next_random(generator) * count) >> 32);
}

/* splitmix64: near numbers give results that have nothing in common; never 0. */
static inline uint64_t
random_of(uint64_t number)
{
	uint64_t x = number + UINT64_C(0x9E3779B97F4A7C15);

	x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
	x ^= x >> 31;
	return x != 0 ? x : 1;
}

static inline char *
put(char *out, Str s)
{
	memcpy(out, s.data, s.len);
	return out + s.len;
}

/* generator_nexmark.c: what all of the suite's records need, and the values of its own makes. */
void nexmark_init(Generator *generator, Arena *arena);
char *nexmark_value(Generator *generator, const GeneratorField *field, char *out);
