/* exec/operator.h -- what every operator is: it is pushed batches and pushes them on.
 *
 * One operator, one file, the same functions in the same order: open, push, advance, finish, close,
 * and the class at the end.  The plan node is read-only and shared; the operator holds all state
 * and belongs to one task.  A filter narrows the batch's selection vector; a projection puts its
 * own vectors in the place of the batch's columns while the operators below it run. */
#pragma once

#include "exec/pipeline.h"
#include "func/program.h"
#include "state/record.h"
#include "state/snapshot.h"
#include "state/store.h"

/* Event times are within this of 0, so that the bounds of windows cannot overflow. */
#define EVENT_TIME_LIMIT (INT64_C(1) << 62)

typedef struct Operator Operator;
typedef struct TaskContext TaskContext;

typedef struct OperatorClass {
	const char *name;
	size_t size; /* of the operator's struct */
	Status (*open)(Operator *op, TaskContext *task, Error *err);
	/* The batch has at least one selected row. */
	Status (*push)(Operator *op, Batch *batch, Error *err);
	/* Event time has come to `watermark`: nothing older will come.  NULL: passed on. */
	Status (*advance)(Operator *op, int64_t watermark, Error *err);
	/* The input has ended.  NULL: passed on. */
	Status (*finish)(Operator *op, Error *err);
	void (*close)(Operator *op);
	/* Of a node with several inputs: the same for each of them, in place of the three above. */
	Status (*push_from)(Operator *op, uint32_t input, Batch *batch, Error *err);
	Status (*advance_from)(Operator *op, uint32_t input, int64_t watermark, Error *err);
	Status (*finish_from)(Operator *op, uint32_t input, Error *err);
	/* Nothing has come for a while.  NULL: passed on. */
	Status (*tick)(Operator *op, const Tick *tick, Error *err);
	/* Puts what the operator keeps from chunk to chunk as records (state/snapshot.h); the
	 * first, if there is one for the operator as a whole, has the least key.  NULL: it cannot,
	 * or keeps nothing. */
	Status (*save)(Operator *op, StateWriter *writer, Error *err);
	/* Asked for changes, `save` leaves out what has not changed and says what is gone. */
	bool saves_changes;
	/* One of the records that save put; each comes once, in the order of their keys. */
	Status (*load)(Operator *op, Str key, Str value, Error *err);
	/* Whether several rows may come of one, or others than those that were pushed.  NULL: no.
	 */
	bool (*makes_rows)(const Operator *op);
	bool stateless; /* it keeps nothing from chunk to chunk */
} OperatorClass;

/* First member of every operator. */
struct Operator {
	const OperatorClass *class;
	const PlanNode *plan; /* NULL for the sink */
	Operator *next;       /* NULL for the sink */
	uint64_t rows_in;
};

/* How far the event time of a source has come. */
typedef struct EventTime {
	int64_t watermark; /* INT64_MIN: none yet */
	bool idle;         /* nothing has come for a while: others need not wait for it */
} EventTime;

/* What the operators of one task share. */
struct TaskContext {
	Arena *arena; /* lives as long as the task */
	const StatementPlan *plan;
	uint32_t source;          /* whose chunk it is, or whose operators are being opened */
	const Chunk *chunk;       /* being decoded */
	const Reader *reader;     /* for the names of its splits */
	Output *output;           /* where the sink encodes to */
	bool keyed;               /* the output has keys, headers, timestamps */
	ChunkResult *result;      /* what becomes of the chunk */
	uint32_t splits;          /* that deliver side by side; 0: one at a time */
	uint32_t first_split;     /* their least number */
	EventTime *times;         /* of each source */
	SourceTime *source_times; /* the same and more, for others to see */
	uint32_t source_count;
	bool stop_at_error; /* FailBatch: nothing after the first failed record is put out */
	bool done;          /* a LIMIT inside the query is reached: no more input is needed */
	int64_t last_line;  /* of the record that reached it, in the batch; -1: before all */
	size_t state_limit; /* bytes an operator may keep */
	StateStore *store;  /* where operators keep what does not fit into memory */
	const char *group;  /* for consumer groups of tables that operators read */
	void *environment;  /* for connectors */
	Status (*hand_over)(void *receiver, ChunkResult *result, Error *err); /* or NULL */
	void *receiver;
	Status (*collect)(void *collector, Batch *batch, Error *err); /* instead of a sink */
	void *collector;
};

static inline Status
operator_push(Operator *op, Batch *batch, Error *err)
{
	if (batch->sel_count == 0)
		return FERRIS_OK;
	op->rows_in += batch->sel_count;
	return op->class->push(op, batch, err);
}

/* The operators below see `columns` in the place of the batch's own. */
static inline Status
operator_push_columns(Operator *op, Batch *batch, Vector *columns, uint32_t count, Error *err)
{
	Vector *own = batch->columns;
	uint32_t own_count = batch->column_count;

	batch->columns = columns;
	batch->column_count = count;
	Status status = operator_push(op, batch, err);
	batch->columns = own;
	batch->column_count = own_count;
	return status;
}

static inline Status
operator_advance(Operator *op, int64_t watermark, Error *err)
{
	while (op != NULL && op->class->advance == NULL)
		op = op->next;
	return op != NULL ? op->class->advance(op, watermark, err) : FERRIS_OK;
}

static inline Status
operator_finish(Operator *op, Error *err)
{
	while (op != NULL && op->class->finish == NULL)
		op = op->next;
	return op != NULL ? op->class->finish(op, err) : FERRIS_OK;
}

static inline Status
operator_tick(Operator *op, const Tick *tick, Error *err)
{
	while (op != NULL && op->class->tick == NULL)
		op = op->next;
	return op != NULL ? op->class->tick(op, tick, err) : FERRIS_OK;
}

static inline bool
any_null(const Vector *const *columns, uint32_t count, uint32_t row)
{
	for (uint32_t c = 0; c < count; c++)
		if (vector_is_null(columns[c], row))
			return true;
	return false;
}

/* The node that says what the operator does; of LATE(query), the query's window. */
static inline const PlanNode *
operator_node(const Operator *op)
{
	return op->plan->kind == PLAN_LATE ? op->plan->late.window : op->plan;
}

/* LATE(query): the first `late` selected rows came too late and go on, `timely` others do not. */
static inline Status
operator_push_late(Operator *op, Batch *batch, uint32_t late, uint32_t timely, Error *err)
{
	batch->filtered += timely;
	batch->sel_count = late;
	batch->dense = false;
	return operator_push(op->next, batch, err);
}

/* Results take the place of rows that are in the books already: the operators below see `columns`
 * and rows[0..row_count), and what they filter out does not count. */
Status operator_push_results(Operator *op, Batch *batch, Vector *columns, uint32_t count,
			     const uint16_t *rows, uint32_t row_count, Error *err);

/* The time of a row of `of`, a window or a row.  If it has none the batch gets an error that names
 * the column. */
bool batch_row_time(Batch *batch, const Vector *times, uint16_t row, Str name, const char *of,
		    int64_t *time);

/* Between chunks: when the output has become large, what there is goes on its way. */
Status task_hand_over(TaskContext *task, Error *err);
/* Copies a batch's errors, whose texts die with it, in order of the records. */
void task_keep_errors(TaskContext *task, const Batch *batch);

/* For operators that make several rows of one: pushes `out`, rows of the records of `batch`, and
 * keeps its errors.  If an error stops the task, what came behind it is taken back. */
Status task_push_made(TaskContext *task, Operator *next, Batch *out, Error *err);
/* The same of rows that were made one by one: row i of `out` comes of row rows[i] of `of`;
 * `watermarks` has room for them. */
Status task_push_rows_of(TaskContext *task, Operator *next, const Batch *of, const uint32_t *rows,
			 Batch *out, int64_t *watermarks, Error *err);
/* The same for rows with their kinds, of the records of `of`, or of none if that is NULL; empties
 * `out`. */
Status task_push_changes(TaskContext *task, Operator *next, const Batch *of, Batch *out,
			 const uint8_t *kinds, Error *err);
/* If an error stops the task: deselects the rows behind the first error that the batch has. */
void task_stop_at_error(const TaskContext *task, Batch *batch);

/* Whether nothing more of the chunk is to be put out. */
static inline bool
task_has_stopped(const TaskContext *task)
{
	return task->stop_at_error && task->result->error_count > 0;
}

/* All operators of the pipeline, always in the same order. */
Operator *const *pipeline_operators(const Pipeline *pipeline, uint32_t *count);

StateStore *pipeline_store(Pipeline *pipeline);

/* For OperatorClass.makes_rows. */
bool makes_rows_always(const Operator *op);
/* exec/op_port.c: the end of a branch that is input `index` of the operator `owner`. */
Operator *port_new(Arena *arena, Operator *owner, uint32_t index);

/* exec/op_join.c: whether several rows may come of one. */

extern const OperatorClass union_class;
extern const OperatorClass set_class;
extern const OperatorClass stream_join_class;
extern const OperatorClass table_class;
extern const OperatorClass top_class;
extern const OperatorClass table_join_class;
extern const OperatorClass versioned_join_class;
extern const OperatorClass collect_class;
extern const OperatorClass join_class;
extern const OperatorClass lookup_class;
extern const OperatorClass over_class;
extern const OperatorClass unnest_class;
extern const OperatorClass window_class;
extern const OperatorClass watermark_class;
extern const OperatorClass aggregate_class;
extern const OperatorClass session_class;
extern const OperatorClass distinct_class;
extern const OperatorClass sort_class;
extern const OperatorClass limit_class;
extern const OperatorClass filter_class;
extern const OperatorClass project_class;
extern const OperatorClass sink_class;
