/* func/aggregate_hash.h -- a hash of bytes for the sets and sketches of aggregates.
 *
 * Saved sketches hold hashes, so it must give the same on every machine and in every version. */
#pragma once

#include "type/decimal.h"

static inline uint64_t
hash_mix(uint64_t a, uint64_t b)
{
	Uint128 product = (Uint128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
aggregate_hash(const char *data, size_t len)
{
	const uint64_t k0 = UINT64_C(0x9E3779B97F4A7C15);
	const uint64_t k1 = UINT64_C(0xD6E8FEB86659FD93);
	uint64_t hash = k0 ^ len;
	uint64_t word;

	for (; len >= 8; data += 8, len -= 8) {
		memcpy(&word, data, 8);
		hash = hash_mix(hash ^ word, k1) + k0;
	}
	word = 0;
	if (len > 0)
		memcpy(&word, data, len);
	hash = hash_mix(hash ^ word, k1);
	return hash_mix(hash ^ k1, k0);
}
