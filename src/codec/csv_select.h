/* codec/csv_select.h -- the predicates of a DecodeSpec over a column of a round.
 *
 * Threads: everything here is pure. */
#pragma once

#include "codec/codec.h"

/* Keep those of sel[0..count) for which `vector` <op> constant is true, in order; return how
 * many.  NULL is not true.  Text views must allow a load of 8 bytes. */
uint32_t csv_select(const DecodePredicate *predicate, const Vector *vector, uint16_t *sel,
		    uint32_t count);
