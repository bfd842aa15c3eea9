/* state/row_slab.h -- rows kept in numbered places; a place is free again when its row goes.
 *
 * Unlike those of a row log, rows go in any order.  They lie column by column; their texts and
 * nested values lie in an arena and are copied to a new one when more rows have gone than are left,
 * so that a row costs one more copy at most.
 *
 * Owner: one operator of one task. */
#pragma once

#include "type/vector.h"

#define NO_PLACE UINT32_MAX

typedef struct RowSlab {
	const Field *fields; /* of the rows' columns */
	uint32_t column_count;
	Vector *columns;
	uint32_t *next; /* of a free place: the next free one; of others: PLACE_USED */
	uint32_t first_free;
	uint32_t count; /* places, free or not */
	uint32_t capacity;
	uint32_t rows;
	uint32_t gone;  /* rows that went since the arena was made */
	bool has_bytes; /* some column's values lie in the arena, or in the children of lists */
	Arena bytes;
} RowSlab;

/* The fields must live as long as the slab. */
void row_slab_init(RowSlab *slab, const Field *fields, uint32_t column_count);
void row_slab_free(RowSlab *slab);
/* Copies row `row` of the columns (VALUE form); returns its place. */
uint32_t row_slab_add(RowSlab *slab, const Vector *columns, uint32_t row);
/* What copies of its values point to stays until row_slab_tidy. */
void row_slab_remove(RowSlab *slab, uint32_t place);
/* Lets go of the bytes of rows that went, when they are the most. */
void row_slab_tidy(RowSlab *slab);
size_t row_slab_bytes(const RowSlab *slab);
