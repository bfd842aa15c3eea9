/* state/row_bag.h -- rows by value: equal rows are one entry with a count.
 *
 * Entries are chained by their owner's keys: a chain begins at a place + 1 that the owner keeps (0:
 * it is empty), and its newest entry comes first.  An entry is found by a hash of its row's bytes.
 *
 * Owner: one operator of one task. */
#pragma once

#include "state/record.h"
#include "state/row_table.h"

typedef struct BagEntry {
	uint64_t hash;
	uint32_t count;         /* equal rows that are there */
	uint32_t matches;       /* rows of another bag that they meet: the owner's */
	uint32_t before, after; /* in its chain: places + 1 */
} BagEntry;

typedef struct RowBag {
	RowTable rows;
	BagEntry *entries; /* by place */
	uint32_t entry_capacity;
	uint32_t *slots; /* places + 1, by hash; 0: free */
	uint32_t slot_count;
	const Vector **views; /* of the row that is looked for */
	Buffer wanted;
	Buffer kept;
} RowBag;

/* The fields must live as long as the bag. */
void row_bag_init(RowBag *bag, const Field *fields, uint32_t column_count);
void row_bag_free(RowBag *bag);
/* The place of the entry that equals a row of the columns (VALUE form), or NO_PLACE; its hash is
 * for row_bag_add. */
uint32_t row_bag_find(RowBag *bag, const Vector *columns, uint32_t row, uint64_t *hash);
/* An entry of count 0, for a row that was not found. */
uint32_t row_bag_add(RowBag *bag, const Vector *columns, uint32_t row, uint64_t hash,
		     uint32_t *first);
/* What copies of its values point to stays until row_bag_tidy. */
void row_bag_remove(RowBag *bag, uint32_t place, uint32_t *first);
void row_bag_remove_chain(RowBag *bag, uint32_t first);

static inline BagEntry *
row_bag_entry(const RowBag *bag, uint32_t place)
{
	return &bag->entries[place];
}

/* A chain as bytes, and back as a new one; false if they are damaged: what was read is a chain. */
void row_bag_write_chain(const RowBag *bag, uint32_t first, Buffer *out);
bool row_bag_read_chain(RowBag *bag, RecordReader *reader, uint32_t *first);

static inline void
row_bag_tidy(RowBag *bag)
{
	row_table_tidy(&bag->rows);
}

/* Forgets everything and gives the memory back. */
void row_bag_clear(RowBag *bag);
size_t row_bag_bytes(const RowBag *bag);
