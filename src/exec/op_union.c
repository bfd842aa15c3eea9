/* exec/op_union.c -- UNION ALL: the rows of several inputs, as they come.
 *
 * Threads: one operator belongs to one task. */
#include "exec/input_times.h"
#include "state/store.h"

typedef struct UnionOp {
	Operator base;
	InputTimes times;
} UnionOp;

static Status
union_open(Operator *op, TaskContext *task, Error *err)
{
	(void)err;
	input_times_init(&((UnionOp *)op)->times, task->arena, op->plan->input_count);
	return FERRIS_OK;
}

static Status
union_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	InputTimes *times = &((UnionOp *)op)->times;

	input_times_enter(times, input, batch);
	Status status = operator_push(op->next, batch, err);
	input_times_leave(times, batch);
	return status;
}

static Status
union_advance(Operator *op, uint32_t input, int64_t watermark, Error *err)
{
	return input_times_advance(&((UnionOp *)op)->times, input, watermark, op->next, err);
}

static Status
union_finish(Operator *op, uint32_t input, Error *err)
{
	return input_times_finish(&((UnionOp *)op)->times, input, op->next, err);
}

static Status
union_save(Operator *op, StateWriter *writer, Error *err)
{
	return input_times_save(&((UnionOp *)op)->times, writer, err);
}

static Status
union_load(Operator *op, Str key, Str value, Error *err)
{
	return key.len != 0 ? store_damaged(err)
			    : input_times_load(&((UnionOp *)op)->times, value, err);
}

static void
union_close(Operator *op)
{
	(void)op;
}

const OperatorClass union_class = {
	.name = "Union",
	.size = sizeof(UnionOp),
	.open = union_open,
	.push_from = union_push,
	.advance_from = union_advance,
	.finish_from = union_finish,
	.save = union_save,
	.saves_changes = true,
	.load = union_load,
	.close = union_close,
};
