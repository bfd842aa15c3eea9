/* state/byte_store.h -- bytes that live until all are forgotten, counted against a budget.
 *
 * An arena (base/arena.h) grows without asking; state grows with the data, so each block is taken
 * from a Budget first.  Bytes are packed without alignment and never move.
 *
 * Owner: one table of one task. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* What a table may hold, and holds. */
typedef struct Budget {
	size_t limit;
	size_t used;
} Budget;

static inline bool
budget_take(Budget *budget, size_t bytes)
{
	if (budget->used > budget->limit || bytes > budget->limit - budget->used)
		return false;
	budget->used += bytes;
	return true;
}

typedef struct ByteBlock ByteBlock;

typedef struct ByteStore {
	ByteBlock *first;   /* all blocks, in order of use */
	ByteBlock *current; /* the one being filled, or NULL */
	char *next;         /* free space in `current` */
	char *end;
	size_t block_size; /* of a new block, bytes */
	Budget *budget;
} ByteStore;

void byte_store_init(ByteStore *store, size_t block_size, Budget *budget);
void byte_store_free(ByteStore *store);
/* Forget the bytes, keep the blocks. */
void byte_store_clear(ByteStore *store);
/* `size` bytes, or NULL when the budget does not allow them. */
char *byte_store_take(ByteStore *store, size_t size);
