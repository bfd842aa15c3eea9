/* job/reading_order.h -- tables that are read to their present end before the other sources begin.
 *
 * Threads: the job's reader. */
#pragma once

#include "exec/source.h"

typedef struct TableRead {
	bool comes_first; /* a table that was not read to its present end yet */
	bool *drained;    /* of each of its splits: it has been at its end */
	uint32_t split_count;
} TableRead;

typedef struct ReadingOrder {
	const Source *sources;
	TableRead *reads; /* of each source */
	uint32_t count;
} ReadingOrder;

/* The sources are open, and live as long. */
void reading_order_init(ReadingOrder *order, const Source *sources, uint32_t count, Arena *arena);
/* Whether the source is to wait for tables. */
bool reading_order_waits(const ReadingOrder *order, uint32_t source);
/* After each read of the source. */
void reading_order_has_read(ReadingOrder *order, uint32_t source, ReadResult result);
