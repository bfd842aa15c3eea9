/* exec/op_versioned_join.h -- what the two files of VERSIONED JOIN share: the operator, and how its
 * rows are taken in order of time (op_versioned_events.c). */
#pragma once

#include "exec/operator.h"
#include "state/event_queue.h"
#include "state/keyed.h"
#include "state/row_table.h"

#define LEFT  0
#define RIGHT 1
#define SLICE 256 /* keys that are looked up at once */

#define EVENTS_KEY   "e" /* the records of events begin with it, */
#define VERSIONS_KEY "k" /* those of versions, */
#define PENDING_KEY  "p" /* and those of rows that wait for a next one */

#define ENDS_VERSION 1 /* mark of an event: the key has no version from then on */

/* The payload of a key.  Places + 1, so that 0 is none. */
typedef struct KeyState {
	uint32_t current;       /* of the right: its version */
	uint32_t first_pending; /* rows that wait for the next version */
	uint32_t last_pending;
	uint32_t unused;
} KeyState;

/* A row of the left that waits for the next version of its key. */
typedef struct Pending {
	uint32_t next_of_key;   /* places + 1 */
	uint32_t before, after; /* of all that wait, in order of time */
	bool saved;             /* it has been put as a change, or was loaded */
	int64_t time;
	uint64_t order;
} Pending;

typedef struct Side {
	RowTable rows;     /* columns: the keys, then those that come out */
	uint32_t count;    /* columns that come out */
	Vector *columns;   /* of a batch, in the order of the table's */
	int64_t watermark; /* INT64_MIN: none yet, INT64_MAX: it has ended */
} Side;

typedef struct VersionedJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	uint32_t key_count;
	Version version;
	bool outer; /* a row of the left without a version comes out with NULLs */
	Side sides[2];
	KeyedFamily family;
	KeyedState keys;
	uint64_t live; /* keys in memory that are not empty */
	EventQueue events;
	uint64_t arrivals;
	RowTable waiting; /* rows of the left that wait for a next version */
	Pending *pending; /* by their place */
	uint32_t pending_capacity;
	uint32_t first_pending, last_pending; /* places + 1 */
	Buffer key, value;                    /* of a record */
	Buffer changes;                       /* of rows that wait no more (state/changes.h) */
	int64_t current;                      /* the watermark as announced */

	Batch *out; /* rows that come out: the left columns, then the right */
	int64_t before[BATCH_CAPACITY];
	const Vector **key_columns; /* of the batch, or of the run */
	Vector *run_keys;           /* of events that are taken together */
	Event run[SLICE];
	uint16_t *rows; /* of the batch: those that count */
	char **payloads;
} VersionedJoinOp;

/* Whether rows of the left wait for a version that comes after them. */
static inline bool
versioned_wants_next(const VersionedJoinOp *self)
{
	return self->version == VERSION_FROM || self->version == VERSION_AFTER;
}

/* Whether the key's state says nothing; PayloadClass.is_empty. */
static inline bool
versioned_has_nothing(void *owner, const char *payload)
{
	const KeyState *key = (const KeyState *)(const void *)payload;

	(void)owner;
	return key->current == 0 && key->first_pending == 0;
}

/* The key of the record of a row that waits, to self->key. */
void versioned_pending_key(VersionedJoinOp *self, const Pending *pending);
/* NO_PLACE: there is none any more. */
void versioned_set_version(VersionedJoinOp *self, KeyState *key, uint32_t place);
/* The columns of a row of the right (NO_PLACE: NULLs), to a row that comes out. */
void versioned_put_right(VersionedJoinOp *self, uint32_t place, uint32_t to);
Status versioned_push_out(VersionedJoinOp *self, bool derived, Error *err);
/* The row at `place` of `waiting` has the event's time; it comes behind all others. */
void versioned_add_pending(VersionedJoinOp *self, KeyState *key, uint32_t place,
			   const Event *event);
int64_t versioned_least_watermark(const VersionedJoinOp *self);
/* Rows before the watermark of both sides: nothing can come any more that belongs before them. */
Status versioned_take_events(VersionedJoinOp *self, Error *err);

/* Writes everything to disk but for what waits for a next version.  `out` must be empty: it has
 * views of the rows. */
Status versioned_write_out(VersionedJoinOp *self, Error *err);
/* The same when it is time for it; puts out what there is before. */
Status versioned_keep_within(VersionedJoinOp *self, bool derived, Error *err);
Status versioned_too_many_wait(const VersionedJoinOp *self, Error *err);
/* Lets go of bytes of rows that went; `out` must be empty. */
void versioned_tidy(VersionedJoinOp *self);
