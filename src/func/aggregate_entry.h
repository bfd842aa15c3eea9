/* func/aggregate_entry.h -- a value with its place in the order of the rows; for func/aggregate*.c
 * alone.
 *
 * The place is what ORDER BY says, NULLs as the largest, and among equals the number of the row. */
#pragma once

#include "func/aggregate_state.h"

typedef struct Entry {
	Cell value;
	Cell order; /* of a call with ORDER BY */
	uint64_t sequence;
	uint64_t order_null;
} Entry;

/* The value and place of a row whose argument is not NULL; borrowed, as by cell_read. */
Entry entry_read(const AggregateRun *run, const AggregateRows *rows, uint32_t row,
		 Buffer *value_scratch, Buffer *order_scratch);
/* *into, which is all zero or was kept before, becomes an own copy. */
void entry_keep(const AggregateRun *run, Entry *into, const Entry *from);
void entry_drop(const AggregateRun *run, Entry *entry);
/* Which comes first. */
int entry_compare(const AggregateRun *run, const Entry *a, const Entry *b);
/* Whether both are of one value and, with ORDER BY, one place but for the row's number. */
bool entry_equal(const AggregateRun *run, const Entry *a, const Entry *b);
void entry_save(const AggregateRun *run, const Entry *entry, Buffer *out);
/* *entry is all zero before; after a failure it is to be dropped. */
bool entry_load(const AggregateRun *run, Entry *entry, StateReader *in);

static inline const Type *
entry_value_type(const AggregateRun *run)
{
	return run->call->args[0]->type;
}
