/* state/row_table.h -- rows that are replaced and dropped: numbered places, column by column.
 *
 * Texts and nested values are not freed one by one: when most of them belong to rows that are gone,
 * row_table_tidy copies the others.  Until then views of replaced values stay valid.
 *
 * Owner: one operator of one task. */
#pragma once

#include "base/buffer.h"
#include "type/vector.h"

#define NO_PLACE UINT32_MAX

typedef struct RowTable {
	const Field *fields;
	uint32_t column_count;
	Vector *columns;
	const Vector **views; /* pointers to them */
	Vector *read;         /* one row that is being read, */
	Vector **reads;       /* and pointers to its columns */
	bool *live;           /* of each place */
	uint32_t *free;       /* places to use again */
	uint32_t free_count;
	uint32_t count; /* places used so far */
	uint32_t capacity;
	uint32_t rows; /* live ones */
	Arena bytes;
	size_t tidy_bytes; /* what was held when it was last tidy */
} RowTable;

/* The fields must live as long as the table. */
void row_table_init(RowTable *table, const Field *fields, uint32_t column_count);
void row_table_free(RowTable *table);
/* Copies row `row` of the columns (VALUE form) to a place: `place`, or a new one if NO_PLACE. */
uint32_t row_table_put(RowTable *table, uint32_t place, const Vector *columns, uint32_t row);
void row_table_drop(RowTable *table, uint32_t place);
/* Frees bytes of rows that are gone; views into the table end here. */
void row_table_tidy(RowTable *table);
/* Forgets all rows and gives their memory back. */
void row_table_clear(RowTable *table);
/* The row as bytes (state/record.h). */
void row_table_write(const RowTable *table, uint32_t place, Buffer *out);
/* Takes a row from its bytes to a new place; returns the end of the bytes, or NULL if they are
 * damaged. */
const char *row_table_read(RowTable *table, const char *bytes, const char *end, uint32_t *place);
size_t row_table_bytes(const RowTable *table);
