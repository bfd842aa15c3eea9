/* exec/op_stream_join.h -- what the files of the StreamJoin operator share.
 *
 *     op_stream_join.c        the operator: rows in, pairs out
 *     op_stream_join_time.c   event time: rows expire, those that met nothing come out
 *     op_stream_join_state.c  rows as bytes: written out, fetched, saved
 *
 * Threads: everything belongs to one operator of one task. */
#pragma once

#include "exec/operator.h"
#include "state/keyed.h"
#include "state/record.h"
#include "state/row_log.h"
#include "state/timers.h"

#define LEFT  0
#define RIGHT 1

#define JOIN_KEY_PREFIX STR("k") /* of the records of keys; the operator's own has none */

/* The payload of a key: the newest row of each side. */
typedef struct KeyRows {
	RowRef newest[2];
} KeyRows;

typedef struct Side {
	RowLog log;      /* columns: the keys, then those that come out */
	uint32_t first;  /* its first column that comes out, in the log */
	uint32_t count;  /* so many */
	Vector *columns; /* of a batch, in the order of the log's */
	bool wants_unmatched;
	int64_t watermark; /* INT64_MIN: none yet, INT64_MAX: it has ended */

	Timers timers;          /* of keys that are written out: when rows of this side expire */
	Batch *row;             /* one that is read from bytes, in the order of the log's columns */
	Vector **row_columns;   /* pointers to its columns */
	const Vector **written; /* columns of a segment whose rows are written */
	StoreSpace aside;       /* rows that expired and wait for others that came before them */
} Side;

/* A pair: a place in the log of each side. */
typedef struct Place {
	RowSegment *segment; /* NULL: no row, the columns are NULL */
	uint32_t row;
} Place;

/* A row that is to come out alone. */
typedef struct DueRow {
	uint64_t number;
	Place place;
} DueRow;

typedef struct StreamJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Side sides[2];
	KeyedFamily family;
	KeyedState keys;
	uint64_t arrivals; /* rows that have been kept */
	Program *residual; /* over the columns of a pair; or NULL */
	Batch *pairs;      /* being gathered: the left columns, then the right */
	Place places[BATCH_CAPACITY][2];
	int64_t current; /* the watermark as announced */

	const Vector **key_columns;
	uint16_t *rows; /* of the batch: those that can meet something */
	char **payloads;
	RowRef *chain; /* rows of one key, the newest first */
	uint32_t chain_capacity;
	DueRow *due;
	uint32_t due_count, due_capacity;
	Buffer value;
} StreamJoinOp;

/* Whether anything may still come of a row that is kept. */
static inline bool
is_live(const StreamJoinOp *self, int side, const RowSegment *segment, uint32_t row)
{
	return segment->expiry[row] >= self->sides[!side].watermark ||
	       (self->sides[side].wants_unmatched && !segment->marked[row]);
}

/* Whether a row goes with its key to bytes.  A record may change only when its key is touched, so
 * where changes are tracked a row goes when its segment does. */
static inline bool
is_kept(const StreamJoinOp *self, int side, const RowSegment *segment, uint32_t row)
{
	return self->keys.tracked || is_live(self, side, segment, row);
}

/* ---- rows and pairs (op_stream_join.c) ---- */

/* A row of that time and side can meet rows until event time on the other side is later. */
int64_t stream_join_expiry(const StreamJoinOp *self, int side, int64_t time);
void stream_join_chain(StreamJoinOp *self, uint32_t at, RowRef ref);
/* A row that met nothing goes to the gathered ones: `columns` are those that come out; bytes that
 * their views point to are copied to `heap`, if there is one. */
void stream_join_put_alone(StreamJoinOp *self, int side, const Vector *columns, uint32_t row,
			   Arena *heap);
/* The gathered rows go on, all of them; `derived`: they are not of the batch being pushed. */
Status stream_join_push_alone(StreamJoinOp *self, bool derived, Error *err);

/* ---- event time (op_stream_join_time.c) ---- */

/* Event time on `side` has moved: rows of the other side expire. */
Status stream_join_expire(StreamJoinOp *self, int side, Error *err);
Status stream_join_advance(Operator *op, uint32_t side, int64_t watermark, Error *err);
Status stream_join_finish(Operator *op, uint32_t side, Error *err);

/* ---- written out (op_stream_join_state.c) ---- */

extern const PayloadClass stream_join_payload;

size_t stream_join_held(const StreamJoinOp *self);

static inline bool
stream_join_is_full(const StreamJoinOp *self)
{
	return keyed_is_full(&self->family, stream_join_held(self));
}

/* Everything to the backend; no pair may be on its way. */
Status stream_join_spill(StreamJoinOp *self, Error *err);
/* What cannot be parted, or may not be written out, must fit. */
Status stream_join_check_memory(const StreamJoinOp *self, Error *err);
/* The rows of a key to memory, if there is room. */
Status stream_join_fetch(StreamJoinOp *self, Str keys, bool *full, Error *err);
/* The row of a log as bytes, and back to side->row. */
void stream_join_write_row(Side *side, const RowSegment *segment, uint32_t row, Buffer *out);
bool stream_join_read_row(Side *side, RecordReader *reader);
Status stream_join_save(Operator *op, StateWriter *writer, Error *err);
Status stream_join_load(Operator *op, Str key, Str value, Error *err);
