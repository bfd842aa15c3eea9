/* exec/op_union.c -- UNION ALL: the rows of several inputs, as they come.
 *
 * Threads: one operator belongs to one task. */
#include "exec/input_times.h"

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

/* One record: the watermark announced, then that of each input. */
static Status
union_save(Operator *op, StateWriter *writer, Error *err)
{
	UnionOp *self = (UnionOp *)op;
	Buffer value;

	buffer_init(&value, SIZE_MAX);
	record_u64(&value, (uint64_t)self->times.current);
	for (uint32_t i = 0; i < self->times.count; i++)
		record_u64(&value, (uint64_t)self->times.watermarks[i]);
	Status status = writer->put(writer, STR(""), (Str){value.data, (uint32_t)value.len}, err);
	buffer_free(&value);
	return status;
}

static Status
union_load(Operator *op, Str key, Str value, Error *err)
{
	UnionOp *self = (UnionOp *)op;
	RecordReader reader = record_reader(value);

	self->times.current = (int64_t)record_take_u64(&reader);
	for (uint32_t i = 0; i < self->times.count; i++)
		self->times.watermarks[i] = (int64_t)record_take_u64(&reader);
	return key.len != 0 || reader.damaged || reader.next != reader.end ? store_damaged(err)
									   : FERRIS_OK;
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
	.load = union_load,
	.close = union_close,
};
