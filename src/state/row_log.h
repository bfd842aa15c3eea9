/* state/row_log.h -- rows kept for a time, in the order in which they were added, chained by key.
 *
 * Rows lie column by column in segments.  Each has an expiry, in event time; a segment goes as a
 * whole when all of its rows have expired and no older segment is left, so that nothing is freed
 * row by row and a chain from newer to older rows never has a hole.
 *
 * Owner: one operator of one task. */
#pragma once

#include "type/vector.h"

/* Names a row as long as it is kept; 0: none. */
typedef uint64_t RowRef;

#define ROW_NEVER INT64_MAX /* an expiry that does not come */

typedef struct RowSegment {
	Vector *columns;
	/* Of each row: */
	RowRef *older; /* the row of its key before it, or 0 */
	int64_t *times;
	int64_t *expiry;
	uint64_t *numbers;
	bool *marked; /* for its owner */
	uint32_t count;
	int64_t last_expiry;
	int64_t first_open; /* least expiry of the rows that are not marked, or less */
	Arena bytes;        /* of texts and nested values */
} RowSegment;

typedef struct RowLog {
	const Field *fields; /* of the rows' columns */
	uint32_t column_count;
	RowSegment **segments; /* the oldest first */
	uint32_t count, capacity;
	uint64_t first; /* number of segments[0] */
	RowSegment *spare;
	uint64_t rows;
	uint64_t newest;      /* greatest number of a row so far */
	bool is_shuffled;     /* the rows are not in the order of their numbers */
	size_t segment_bytes; /* of a segment without its texts */
	size_t bytes;         /* held by the segments, the spare one apart */
} RowLog;

/* The fields must live as long as the log. */
void row_log_init(RowLog *log, const Field *fields, uint32_t column_count);
void row_log_free(RowLog *log);

/* What a row is kept with. */
typedef struct RowStamp {
	int64_t time;
	int64_t expiry;
	uint64_t number; /* of its arrival; rows that were away come back behind later ones */
	RowRef older;
} RowStamp;

/* Copies row `row` of the columns (VALUE form). */
RowRef row_log_add(RowLog *log, const Vector *columns, uint32_t row, const RowStamp *stamp);
/* Lets segments go whose rows all expire before `time`. */
void row_log_expire(RowLog *log, int64_t time);
/* Lets all rows go. */
void row_log_clear(RowLog *log);

static inline size_t
row_log_bytes(const RowLog *log)
{
	return log->bytes;
}

/* The segment of a row and its place there; NULL if it is 0 or gone. */
static inline RowSegment *
row_log_find(const RowLog *log, RowRef ref, uint32_t *row)
{
	uint64_t number = ref >> 16;

	if (ref == 0 || number - 1 < log->first)
		return NULL;
	*row = (uint32_t)(ref & 0xFFFF);
	return log->segments[number - 1 - log->first];
}
