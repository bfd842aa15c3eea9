/* exec/op_aggregate.h -- what the files of the Aggregate operator share.
 *
 *     op_aggregate.c         the operator: rows in, results out
 *     op_aggregate_groups.c  rows to their groups, groups to rows of results
 *     op_aggregate_panes.c   EMIT FINAL: panes of rows, windows that come out of them
 *     op_aggregate_merge.c   windows of several panes
 *     op_aggregate_changes.c EMIT CHANGES: each row becomes its group's new result
 *     op_aggregate_retract.c changelogs: rows taken back, results that say what they replace
 *
 * Threads: everything belongs to one operator of one task. */
#pragma once

#include "exec/calls.h"
#include "exec/operator.h"
#include "exec/window.h"
#include "state/keyed.h"

/* A window's bounds: start <= time < end. */
typedef struct Span {
	int64_t start;
	int64_t end;
} Span;

/* The rows of [start, start + length), or everything. */
typedef struct Pane {
	int64_t start;
	KeyedState state;
	uint32_t *numbers; /* of its first groups, in the PaneMerge; NULL: none */
	uint32_t numbered; /* so many */
} Pane;

/* What is kept of a key that panes share. */
typedef struct MergedGroup {
	uint32_t panes; /* how many of those held have it */
	bool ordered;   /* while the window's groups are put in order */
} MergedGroup;

/* The merge of the panes in memory that begin within `held`. */
typedef struct PaneMerge {
	KeyedState keys;     /* of these and other panes, and some that have gone; the number of a
			      * group is that of its key, its payload the merge of all of them */
	MergedGroup *groups; /* by number */
	uint32_t *order;     /* numbers, in the order of the window's first rows */
	uint32_t room;       /* of both */
	uint32_t live;       /* keys that panes held have */
	Span held;
	bool slides; /* panes can be taken out */
	bool plain;  /* payloads are no more than their bytes */
} PaneMerge;

/* How the records of a pane's groups begin. */
typedef struct PaneKey {
	char bytes[sizeof(int64_t)];
} PaneKey;

static inline PaneKey
pane_key(int64_t start)
{
	uint64_t ordered = __builtin_bswap64((uint64_t)start ^ UINT64_C(1) << 63);
	PaneKey key;

	memcpy(key.bytes, &ordered, sizeof key.bytes);
	return key;
}

/* Bounds of a batch's rows with windows; where not known they say nothing. */
typedef struct BatchTimes {
	bool known;
	int64_t least;
	int64_t most;
	int64_t watermark; /* the most before any of the rows */
} BatchTimes;

typedef struct AggregateOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* keys, time, arguments, filters, orders */
	const Vector **results;
	uint32_t time; /* its place */
	CallSet calls;
	uint32_t key_count;  /* of GROUP BY */
	uint32_t table_keys; /* with the number of the grouping set */
	KeyedFamily family;  /* of the panes and of their merge */
	uint64_t sequence;   /* rows seen */

	Pane *panes; /* in order of start; one without windows */
	uint32_t pane_count;
	uint32_t pane_capacity;
	int64_t pane_length;
	int64_t watermark;   /* as announced */
	int64_t emitted_end; /* windows that end here or earlier have come out, if they had rows */
	PaneMerge merge;
	char *correction; /* a payload */

	Vector *nulls; /* a constant NULL of each key's type, for grouping sets */
	Vector set_number;
	const Vector **keys; /* for one grouping set */
	char **payloads;
	BatchTimes times;
	uint16_t *rows; /* of one pane */
	uint16_t *rest;
	bool late_only;      /* LATE(query) */
	uint32_t late_count; /* then so many of the batch's selected rows are late, the first */
	Batch *out;          /* results that are no input rows */
	Vector *columns;     /* EMIT CHANGES: take the place of the batch's */
	Vector *own;         /* window bounds and aggregates of these columns */
	Vector row_count;    /* retracts: one group's, for a look */
	uint8_t *kinds;      /* of the rows of `out` */
} AggregateOp;

static inline bool
has_window(const AggregateOp *self)
{
	return self->plan->aggregate.window.shape != SHAPE_NONE;
}

static inline bool
emits_changes(const AggregateOp *self)
{
	return self->plan->aggregate.emit == EMIT_EACH_CHANGE;
}

/* ---- windows ---- */

/* End of the first window that a row of that time belongs to. */
static inline int64_t
window_first_end(const AggregateOp *self, int64_t time)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	return window_align(time, window->offset + window->size, window->advance) + window->advance;
}

/* End of the last window that a row of that time belongs to. */
static inline int64_t
window_last_end(const AggregateOp *self, int64_t time)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t step = window->shape == SHAPE_CUMULATE ? window->size : window->advance;

	return window_align(time, window->offset, step) + window->size;
}

/* The one window that ends there. */
static inline Span
window_of_end(const AggregateOp *self, int64_t end)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	if (window->shape == SHAPE_CUMULATE)
		return (Span){window_align(end - 1, window->offset, window->size), end};
	return (Span){end - window->size, end};
}

/* ---- rows ---- */

static inline int64_t
row_time(const AggregateOp *self, uint32_t row)
{
	const Vector *times = self->results[self->time];

	return VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
}

static inline int64_t
row_watermark(const AggregateOp *self, const Batch *batch, uint32_t row)
{
	return batch->watermarks != NULL ? batch->watermarks[row] : self->watermark;
}

/* ---- groups (op_aggregate_groups.c) ---- */

/* Adds rows to the states of their groups in self->payloads. */
void groups_add(AggregateOp *self, const uint16_t *sel, uint32_t count, bool dense);
/* The key vectors of a grouping set: keys outside of it are NULL. */
void groups_set_keys(AggregateOp *self, uint32_t set);
/* The groups of rows sel[0..*found), made if they are new, go to self->payloads; with *found less
 * than count the groups must be written out before the other rows come. */
Status groups_find(AggregateOp *self, KeyedState *state, uint32_t set, const uint16_t *sel,
		   uint32_t count, uint32_t *found, Error *err);
/* Rows to all grouping sets. */
Status groups_add_rows(AggregateOp *self, KeyedState *state, const uint16_t *sel, uint32_t count,
		       bool dense, Error *err);
/* Writes all groups of all panes to the backend. */
Status groups_spill(AggregateOp *self, Error *err);
void groups_set_window(const AggregateOp *self, Vector *columns, uint32_t row, Span span);
/* A group's aggregates to a row; one that cannot be computed is an error of the row. */
bool groups_emit_calls(AggregateOp *self, const char *payload, Vector *columns, uint32_t row,
		       Batch *batch, RecordRange record);
/* Empties the batch of results. */
void groups_begin_results(AggregateOp *self);
Status groups_push_results(AggregateOp *self, Error *err);
/* Where the keys of groups are written: the columns of the batch of results. */
Vector **groups_key_columns(AggregateOp *self);
/* The groups of a table as rows of their own, in batches: all of them, or those of `order`. */
Status groups_emit_table(AggregateOp *self, const GroupTable *groups, const uint32_t *order,
			 uint32_t total, Span span, Error *err);
/* The same of some states; if they are several, or spilled, from the backend. */
Status groups_emit(AggregateOp *self, KeyedState *const *states, uint32_t count, Span span,
		   Error *err);
/* What a payload is. */
const PayloadClass *groups_payload_class(const AggregateOp *self);

/* ---- panes (op_aggregate_panes.c) ---- */

/* The pane that starts there, made if it is new. */
Pane *pane_find(AggregateOp *self, int64_t start);
Status pane_drop(AggregateOp *self, uint32_t at, Error *err);
/* Panes whose last window has ended, and its grace. */
Status panes_drop(AggregateOp *self, int64_t watermark, Error *err);
/* Everything whose end the watermark has passed comes out, in order of the ends. */
Status panes_emit_ended(AggregateOp *self, int64_t watermark, Error *err);
/* Rows to their panes; those with windows are self->rows[0..count). */
Status panes_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err);

/* ---- windows of several panes (op_aggregate_merge.c) ---- */

void merge_open(AggregateOp *self);
/* The result of the window from its panes, which are in memory; *fits is false, and nothing has
 * come out, if there is no room for it. */
Status merge_emit(AggregateOp *self, Pane *panes, uint32_t count, Span span, bool *fits,
		  Error *err);
/* Rows are about to be added to the pane that begins there. */
void merge_pane_changes(AggregateOp *self, int64_t start);
/* The pane is about to be dropped. */
void merge_pane_goes(AggregateOp *self, Pane *pane);
/* Gives back all memory, as when panes are written out; false: there was none. */
bool merge_forget(AggregateOp *self);

/* ---- changes (op_aggregate_changes.c) ---- */

/* Each row becomes the new result of its group; those with windows are self->rows[0..count). */
Status changes_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err);

/* ---- rows taken back (op_aggregate_retract.c) ---- */

/* EMIT CHANGES: results before and after each row; those with windows are self->rows[0..count). */
Status retract_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err);
/* EMIT FINAL: adds the rows, or takes them back. */
Status retract_keep(AggregateOp *self, Batch *batch, Error *err);
/* Whether the group, whose key is in row `row` of the key columns, has lost all of its rows. */
bool retract_is_gone(AggregateOp *self, const char *payload, uint32_t row);
