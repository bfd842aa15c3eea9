/* type/batch.h -- up to 2048 rows of vectors with a selection vector.
 *
 * A filter copies no column data, it narrows `sel`.  Every operator reads rows sel[0..sel_count).
 *
 * The batch knows for each row which bytes of the input it came from (`records`), so that a row
 * which fails anywhere on its way can be reported, or sent to the dead letters, byte for byte.
 *
 * Owner: the pipeline's batch pool.  Threads: whoever holds the pointer. */
#pragma once

#include "type/vector.h"

/* Where a row's record lies in the input chunk. */
typedef struct RecordRange {
	uint32_t offset; /* first byte in the chunk */
	uint32_t len;    /* bytes, without the line end */
	uint32_t line;   /* lines (file) or records (topic) before it in the chunk */
} RecordRange;

/* A record that could not be decoded, or a row whose expression failed. */
typedef struct RowError {
	RecordRange record;
	Status status;
	Str column;   /* input or output column at fault, may be empty; in plan memory or heap */
	Str message;  /* in the batch's heap */
	bool derived; /* of a row that an operator made: there is no record */
	bool counted; /* the row's record is in the books already */
} RowError;

/* What a row does to the relation that the rows so far make up.  The two of an update stand next to
 * each other, before and after. */
typedef enum RowKind {
	ROW_INSERT,
	ROW_UPDATE_BEFORE, /* the row that is replaced, as it was */
	ROW_UPDATE_AFTER,
	ROW_DELETE,
} RowKind;

typedef struct Batch {
	uint32_t row_count; /* rows that hold data */
	uint32_t sel_count; /* rows that are selected */
	uint16_t *sel;      /* their numbers, ascending; room for BATCH_CAPACITY */
	bool dense;         /* sel is 0, 1, ... row_count-1: loops may ignore it */

	Vector *columns;
	uint32_t column_count;

	RecordRange *records; /* of each row */
	RowError *errors;     /* in order of record within one stage; room for BATCH_CAPACITY */
	uint32_t error_count;
	uint64_t records_in; /* records consumed from the input for this batch */
	uint64_t filtered;   /* of these, rows a predicate has removed so far */

	bool derived;         /* rows of an operator's own making: `records` says nothing */
	bool counted;         /* an operator that keeps state has put the rows into the books */
	const uint8_t *kinds; /* by row: RowKind; NULL: all rows are inserted */
	const int64_t *watermarks; /* by row: the event time before it; NULL: as last announced */

	int64_t now; /* the clock's microseconds as NOW() gives them; 0: not read yet */

	Arena heap; /* bytes made on the way: unescaped strings, results, messages */
} Batch;

/* `columns` describes each column; forms may be NULL (all VALUE). */
Batch *batch_new(const Field *columns, const VectorForm *forms, uint32_t count);
void batch_destroy(Batch *batch);
/* Empties it for reuse. */
void batch_reset(Batch *batch);
/* Selects rows 0..row_count-1. */
void batch_select_all(Batch *batch);
/* An update of which a filter has left one half is an insert or a delete: writes the kinds of the
 * selected rows to `kinds` (room for BATCH_CAPACITY). */
void batch_pair_kinds(const Batch *batch, uint8_t *kinds);
/* Appends a failed record; one line per record, the message is formatted into the heap.  At most
 * BATCH_CAPACITY errors fit; a decoder stops filling the batch before that. */
void batch_add_error(Batch *batch, RecordRange record, Status status, Str column,
		     const char *format, ...) __attribute__((format(printf, 5, 6)));
