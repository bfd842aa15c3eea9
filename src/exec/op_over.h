/* exec/op_over.h -- what the files of the Over operator share: stored rows, partitions, calls.
 *
 *     op_over.c       the operator: rows in, rows out
 *     op_over_open.c  its expressions, and what rows must wait for
 *     op_over_time.c  rows in order of event time
 *     op_over_keep.c  giving back what quiet partitions hold
 *     op_over_calls.c a row's window functions: frames, values, ranks
 *     op_over_aggregate.c aggregates over a frame that moves on
 *     op_over_rows.c  the store of rows that wait or belong to an open frame
 *     op_over_state.c partitions and all the rest as bytes, and back
 *     op_over_shelf.c what does not fit into memory: rows that wait, rows to be sorted
 *
 * Threads: everything belongs to one operator of one task. */
#pragma once

#include "exec/operator.h"
#include "state/keyed.h"
#include "state/timers.h"

/* ---- stored rows ---- */

/* A row of the store: the number of its block and its place in it. */
typedef uint32_t RowRef;

#define ROW_BITS 11
#define ROW_MASK (BATCH_CAPACITY - 1)

_Static_assert(BATCH_CAPACITY == 1 << ROW_BITS, "a block holds a batch");

/* Rows side by side, with their texts.  It is used again when nothing holds any of its rows. */
typedef struct RowBlock {
	Vector *columns;
	Arena texts;
	size_t text_bytes; /* of the arena, as counted */
	uint32_t count;    /* rows filled in */
	uint32_t holds;
} RowBlock;

typedef struct RowStore {
	const Type **types;
	const VectorForm *forms;
	uint32_t column_count;
	RowBlock **blocks;
	uint32_t block_count;
	uint32_t *free_blocks;
	uint32_t free_count;
	uint32_t capacity; /* of both arrays */
	RowBlock *current; /* being filled, or NULL */
	uint32_t current_number;
	RowRef *dropped; /* holds to give back when the output has gone */
	uint32_t dropped_count;
	uint32_t dropped_capacity;
	uint64_t holds;
	size_t bytes;
} RowStore;

void row_store_init(RowStore *store, const Type **types, const VectorForm *forms,
		    uint32_t column_count);
void row_store_free(RowStore *store);
/* Copies rows sel[0..count) of the vectors; each is held once. */
void row_store_append(RowStore *store, const Vector *const *columns, const uint16_t *sel,
		      uint32_t count, RowRef *refs);
/* Rows to rows 0.. of a vector; texts stay where they are. */
void row_store_gather(const RowStore *store, uint32_t column, const RowRef *refs, uint32_t count,
		      Vector *out);
void row_store_grow_dropped(RowStore *store);
/* Gives back one hold of the row, but not before row_store_drop: what came out of the row may still
 * be on its way. */
static inline void
row_store_release(RowStore *store, RowRef ref)
{
	if (store->dropped_count == store->dropped_capacity)
		row_store_grow_dropped(store);
	store->dropped[store->dropped_count++] = ref;
}

void row_store_drop(RowStore *store);
/* Whether most rows in memory are held by nobody. */
bool row_store_is_sparse(const RowStore *store);

static inline RowBlock *
row_block(const RowStore *store, RowRef ref)
{
	return store->blocks[ref >> ROW_BITS];
}

static inline void
row_store_hold(RowStore *store, RowRef ref)
{
	row_block(store, ref)->holds++;
	store->holds++;
}

/* ---- partitions ---- */

/* A row of a partition that some frame may still need. */
typedef struct OverRow {
	RowRef ref;
	uint32_t peers; /* number of its group of peers; wraps */
} OverRow;

/* Payload of a partition (state/keyed.h), before the states of the calls.  Rows are numbered
 * from 0; row r lies at rows[r & (capacity - 1)]. */
typedef struct Partition {
	KeyedHead head;
	OverRow *rows;
	uint32_t capacity;      /* a power of two, or 0 */
	uint32_t last_peers;    /* of the last row */
	uint64_t first;         /* the oldest row kept */
	uint64_t total;         /* rows so far */
	uint64_t next;          /* the next row to come out */
	uint64_t passed;        /* rows whose frame event time has passed */
	uint64_t rank_row;      /* the first of the peers that came out last, and */
	uint64_t rank;          /* how many groups of peers came out */
	uint32_t rank_peers;    /* their number */
	bool ended;             /* there will be no further row */
	bool awaited;           /* while empty ones are forgotten: rows wait for it, */
	uint32_t first_waiting; /* the first of them, in a chain (op_over_keep.c) */
	int64_t last_time;      /* EXPIRE AFTER */
} Partition;

typedef struct OverFront OverFront;

/* A call's state in a partition. */
typedef struct CallState {
	uint64_t start; /* the frame's rows, as of the last row; they are in the aggregate, */
	uint64_t end;
	OverFront *front; /* but for the oldest, whose results are here; or NULL */
	uint64_t scanned; /* IGNORE NULLS: how far it was looked for values, and */
	uint64_t found;   /* how many there are, at most as many as are wanted */
	RowRef nth;       /* NTH_VALUE from the partition's start: that row, once it is there */
	bool has_nth;
} CallState;

#define NO_SLOT UINT32_MAX

/* A call as it runs.  A slot is the number of an expression among the operator's. */
typedef struct OverRun {
	const OverCall *call;
	AggregateRun aggregate;  /* takes the states themselves: its offset is 0 */
	size_t aggregate_offset; /* of the state in the payload */
	void *merged;            /* a state, empty between two rows */
	size_t offset;           /* of its CallState in the payload */
	uint32_t column;         /* of the output */
	uint32_t value;
	bool is_plain64; /* the value is 64 bits wide */
	uint32_t otherwise;
	uint32_t key, low, high; /* of a RANGE frame */
	uint32_t filter, order;
	uint32_t *args;
	const Vector **arg_vectors;
	bool framed;     /* the function looks at its frame */
	bool whole;      /* the frame begins with the partition: nothing leaves it */
	bool ordered;    /* rows must be added one by one, in their order */
	bool descending; /* of the RANGE's key */
	bool nulls_first;
	/* The last result in the output batch, which is the next one's if the frame is the same. */
	const Partition *last;
	uint64_t last_start, last_end;
	uint32_t last_row;
} OverRun;

typedef struct OverCalls {
	RowStore *store;
	OverRun *runs;
	uint32_t count;
	AggregateMemory memory;
	const uint32_t *order; /* slots of the ORDER BY */
	const OverKey *order_keys;
	uint32_t order_count;
	uint32_t number_slot; /* numbers by which ties are ordered; or NO_SLOT */
	bool needs_peers;     /* some call or frame asks which rows are peers */
	bool keeps_nth;       /* some call keeps a row from the partition's start */
	bool plain;           /* all calls need the `history` last rows and no frame */
	uint64_t history;
	size_t payload_size;
	size_t row_bytes; /* of the partitions' rows and fronts */
} OverCalls;

static inline OverRow *
partition_row(const Partition *partition, uint64_t row)
{
	return &partition->rows[row & (partition->capacity - 1)];
}

static inline CallState *
call_state(const Partition *partition, const OverRun *run)
{
	return (CallState *)(void *)((char *)(uintptr_t)partition + run->offset);
}

/* From the rows of the last frame to those of [start, end); their result to the row of `out`. */
Status over_aggregate_move(OverCalls *calls, const OverRun *run, Partition *partition,
			   uint64_t start, uint64_t end, Vector *out, uint32_t row, Arena *heap,
			   Str *message);
/* Adds the rows of the frame to the empty state. */
void over_aggregate_rebuild(const OverCalls *calls, const OverRun *run, Partition *partition);
/* Gives back what the call holds in the partition. */
void over_aggregate_release(OverCalls *calls, const OverRun *run, Partition *partition);
/* Adds the row at the end and takes over its hold; `sorted`: it comes in the order of ORDER BY. */
void partition_add_slow(OverCalls *calls, Partition *partition, RowRef ref, bool sorted);
/* Sorts all rows by ORDER BY, peers in the order in which they were added. */
void partition_sort(OverCalls *calls, Partition *partition);
/* The calls' results for row `next` to a row of the output columns; false with an error added to
 * the batch if one cannot be computed.  `next` goes on. */
bool partition_compute(OverCalls *calls, Partition *partition, Vector *columns, uint32_t row,
		       Batch *batch, RecordRange record);
/* Gives up rows that no frame needs any more. */
void partition_trim_frames(OverCalls *calls, Partition *partition);
/* The partition's fields are zero.  Its calls' states are as before the first row. */
void partition_init(const OverCalls *calls, Partition *partition);
/* Whether frames and counters fit the rows that are there: else they are not what was saved.
 * `sorted`: the rows were added in the order of ORDER BY. */
bool partition_is_sound(const OverCalls *calls, const Partition *partition, bool sorted);
/* Room for so many rows in a partition that has none. */
void partition_reserve(OverCalls *calls, Partition *partition, uint64_t count);
/* As if no row had been there. */
void partition_reset(OverCalls *calls, Partition *partition);
static inline void
partition_add(OverCalls *calls, Partition *partition, RowRef ref, bool sorted)
{
	if (calls->needs_peers || calls->keeps_nth ||
	    partition->total - partition->first == partition->capacity)
		partition_add_slow(calls, partition, ref, sorted);
	else
		*partition_row(partition, partition->total++) = (OverRow){.ref = ref};
}

static inline void
partition_trim(OverCalls *calls, Partition *partition)
{
	if (!calls->plain || calls->needs_peers)
		partition_trim_frames(calls, partition);
	else
		while (partition->next - partition->first > calls->history)
			row_store_release(calls->store,
					  partition_row(partition, partition->first++)->ref);
}

/* Order of two stored rows by ORDER BY: 0 if they are peers. */
int over_compare(const OverCalls *calls, RowRef a, RowRef b);
/* Order of two stored rows, peers by their numbers if they have any. */
int over_compare_rows(const OverCalls *calls, RowRef a, RowRef b);

/* ---- the operator ---- */

/* A row that waits for event time. */
typedef struct Waiting {
	int64_t time;
	Partition *partition;
	RowRef ref;
	bool fetched; /* from the shelf, where it stays until it is taken */
} Waiting;

/* What does not fit into memory (op_over_shelf.c), beside the partitions, in the backend:
 *
 *     waiting  time, further ORDER BY, number -> row of keys, row
 *     passing  number -> time, row of keys
 *     runs     birth of the partition, ORDER BY, number -> row */
typedef struct OverShelf {
	StoreSpace waiting;  /* rows that wait for event time */
	uint64_t left;       /* of them, not fetched yet; */
	int64_t least;       /* none of these is before it */
	uint64_t number;     /* of the next row that is put there, or to the runs */
	Buffer fetched;      /* keys of the rows that were fetched, with lengths; */
	size_t next;         /* bytes of it: of those that were taken */
	uint32_t count;      /* fetched and not taken */
	bool cut;            /* they are all of the time `least`, of which more are left */
	StoreSpace passing;  /* rows in their partitions which event time has not passed */
	uint64_t head, tail; /* their numbers */
	int64_t head_time;
	StoreSpace runs; /* rows to be sorted */
	Timers timers;   /* EXPIRE AFTER: when partitions on the shelf may be quiet */
	bool oversized;  /* one partition is too large to come back */
	bool dirty;      /* something was put there that is not committed */
	Buffer key, value;
	Buffer pending; /* what has changed since it was last put as records */
	Arena texts;
	uint16_t *sel; /* 0, 1, ... */
	Vector *keys;  /* a batch of keys, and of stored rows */
	Vector **key_outs;
	Vector *rows;
	Vector **row_outs;
	Vector *row; /* one, for what is read meanwhile */
	Vector **row_out;
	const Vector **row_columns; /* of the store's block */
} OverShelf;

typedef struct OverOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program;
	BoundExpr **exprs; /* the slots: first those that are stored */
	uint32_t slot_count;
	uint32_t stored_count;
	const Vector **results;
	const Vector **stored; /* of them, and the numbers */
	Vector numbers;        /* of the rows, if nodes above want them */
	int64_t row_number;
	uint32_t *partition_slots;
	uint32_t time_slot;
	uint32_t idle_slot;

	RowStore store;
	OverCalls calls;
	KeyedFamily family;
	KeyedState partitions;
	OverShelf shelf;
	Partition *fed; /* made of rows of the runs */
	int64_t swept;  /* event time of the last look for quiet partitions */
	const Vector **keys;
	char **payloads; /* of the batch's rows */
	RowRef *refs;
	uint16_t *rows;
	int64_t watermark; /* as announced */

	uint64_t rows_after; /* a row comes out when so many more are there */
	bool waits_time;     /* and when the time has passed it by `delay` */
	int64_t delay;
	bool sorts_ties;
	bool compares;       /* rows are compared by ORDER BY */
	bool goes_at_once;   /* in order of time a row waits for nothing else */
	bool late_only;      /* LATE(query): the late rows go on, nothing else comes out */
	uint32_t late_count; /* then so many of the batch's selected rows are late, the first */
	bool in_place;
	bool flows;       /* sorted rows come out without the partition's end being known */
	Waiting *waiting; /* in order; [0, out) have come out, [out, taken) are in their partitions
			   */
	size_t waiting_count, waiting_capacity;
	size_t out_count, taken_count;
	uint64_t saved_count; /* records of waiting rows that were put or loaded last */
	uint32_t *chain; /* of rows that wait for one partition; only while empty ones are forgotten
			  */
	Waiting *arrived; /* of one batch */
	Waiting *scratch;
	uint64_t *sort_keys;

	Batch *out;
	RowRef *out_refs;
	Vector *columns; /* in place: take the place of the batch's */
	Vector *own;     /* the calls' results */
} OverOp;

Status over_op_open(Operator *op, TaskContext *task, Error *err);
/* Puts out the partition's rows that have all they wait for. */
Status over_emit_ready(OverOp *self, Partition *partition, Error *err);
Status over_flush(OverOp *self, Error *err);
/* There will be no further row: what is left comes out, and the partition is as new. */
Status over_end_partition(OverOp *self, Partition *partition, Error *err);
/* Bytes held beside keys and payloads. */
size_t over_bytes(const OverOp *self);
/* Results in the output batch may have been taken from rows that are given up: only now. */
void over_forget_results(OverOp *self);
/* Puts the partition's next row out. */
static inline Status
over_emit(OverOp *self, Partition *partition, Error *err)
{
	Batch *out = self->out;
	uint32_t row = out->row_count++;

	self->out_refs[row] = partition_row(partition, partition->next)->ref;
	if (partition_compute(&self->calls, partition, out->columns, row, out, (RecordRange){0}))
		out->sel[out->sel_count++] = (uint16_t)row;
	partition_trim(&self->calls, partition);
	return out->row_count < BATCH_CAPACITY ? FERRIS_OK : over_flush(self, err);
}

/* It changes though it was not looked for. */
static inline void
over_touch(OverOp *self, Partition *partition)
{
	keyed_touch(&self->family, &self->partitions, (char *)partition);
}

/* EXPIRE AFTER: a partition without a row for so long begins anew. */
Status over_expire(OverOp *self, Partition *partition, int64_t time, Error *err);

static inline int64_t
over_slot_time(const OverOp *self, uint32_t slot, uint32_t row)
{
	const Vector *times = self->results[slot];

	return VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
}

/* ---- rows in order of event time (op_over_time.c) ---- */

/* Rows of the batch, with their partitions and references, begin to wait. */
void over_wait(OverOp *self, const uint16_t *rows, uint32_t count);
/* The arrived rows, which are in order, go between those that wait; `before`: of one time, before
 * those. */
void over_merge_arrived(OverOp *self, uint32_t count, bool before);
/* Rows before that time, or of it if `inclusive`, go to their partitions, unless one on the shelf
 * must come out first. */
Status over_take_rows(OverOp *self, int64_t time, bool inclusive, Error *err);
/* Rows whose frame ends before that time come out, in their order. */
Status over_pass_time(OverOp *self, int64_t time, Error *err);
/* When the frame of a row of that time has ended. */
static inline int64_t
over_frame_end(const OverOp *self, int64_t time)
{
	int64_t end;

	return __builtin_add_overflow(time, self->delay, &end) ? INT64_MAX : end;
}

/* Everything before that time goes to its partition; at the end of the input, everything. */
Status over_take_until(OverOp *self, int64_t time, bool end_of_input, Error *err);

/* ---- op_over_keep.c ---- */

/* What is held is copied together.  No results may be on their way. */
void over_move_rows(OverOp *self);
/* The same when most blocks are nearly empty. */
void over_compact(OverOp *self);
/* Partitions that have been quiet for longer than EXPIRE AFTER allows give back what they hold. */
Status over_drop_quiet(OverOp *self, int64_t watermark, Error *err);
/* keyed_sweep has moved a partition for which rows wait. */
void over_moved(OverOp *self, const Partition *from, Partition *to);

/* ---- op_over_state.c ---- */

#define OVER_PARTITIONS "\1" /* before the keys of their records */

extern const PayloadClass over_payload;

Status over_op_save(Operator *op, StateWriter *writer, Error *err);
Status over_op_load(Operator *op, Str key, Str value, Error *err);
void over_write_row(OverOp *self, RowRef ref, Buffer *out);
/* A row as it was written, to the store; false if it was not. */
bool over_read_row(OverOp *self, RecordReader *reader, RowRef *ref);

/* ---- op_over_shelf.c ---- */

/* Rows whose partitions are looked for together when some are on the shelf: each may bring the rows
 * of its frame. */
#define OVER_SLICE 256u

void over_shelf_init(OverOp *self);
void over_shelf_free(OverOp *self);
/* The partition's row of keys, and back to the shelf's keys; false if it is none. */
void over_write_keys(OverOp *self, const Partition *partition, Buffer *out);
void over_reset_keys(OverOp *self);
bool over_read_keys(OverOp *self, RecordReader *reader, uint32_t row);
static inline bool
over_is_shelved(const OverOp *self)
{
	return self->shelf.left > 0 || self->shelf.count > 0 || self->shelf.head < self->shelf.tail;
}

/* Whether a row on the shelf comes out before a row of that time is taken. */
static inline bool
over_shelf_passes(const OverOp *self, int64_t time)
{
	return self->shelf.head < self->shelf.tail &&
	       over_frame_end(self, self->shelf.head_time) < time;
}

/* What is brought back leaves room for what it brings with it. */
static inline bool
over_is_half_full(const OverOp *self, size_t more)
{
	size_t held = self->family.budget.used + over_bytes(self) + more;

	return held > store_memory(self->task->store) / 2;
}

/* Everything goes to the backend.  No results may be on their way. */
Status over_spill(OverOp *self, Error *err);
/* The same when memory is full. */
Status over_spill_if_full(OverOp *self, Error *err);
/* over_take_until when rows are on the shelf. */
Status over_shelf_take(OverOp *self, int64_t time, bool end_of_input, Error *err);
/* Sorted partitions come out of the runs, one after the other. */
Status over_shelf_feed(OverOp *self, Error *err);
Status over_shelf_save(OverOp *self, StateWriter *writer, Error *err);
Status over_shelf_load(OverOp *self, Str key, Str value, Error *err);
