/* exec/op_union.c -- UNION ALL: the rows of several inputs, as they come.
 *
 * Event time has come as far as it has on the input that is furthest behind; an input that has
 * ended holds nothing back.
 *
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct UnionOp {
	Operator base;
	int64_t *watermarks; /* of each input; INT64_MIN: none yet, INT64_MAX: it has ended */
	uint32_t input_count;
	int64_t current; /* the least of them, as announced */
	int64_t before[BATCH_CAPACITY];
} UnionOp;

static Status
union_open(Operator *op, TaskContext *task, Error *err)
{
	UnionOp *self = (UnionOp *)op;

	(void)err;
	self->input_count = op->plan->input_count;
	self->watermarks = ARENA_ARRAY(task->arena, int64_t, self->input_count);
	for (uint32_t i = 0; i < self->input_count; i++)
		self->watermarks[i] = INT64_MIN;
	self->current = INT64_MIN;
	return FERRIS_OK;
}

/* The least watermark of the inputs other than `input`. */
static int64_t
others_minimum(const UnionOp *self, uint32_t input)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < self->input_count; i++)
		if (i != input && self->watermarks[i] < least)
			least = self->watermarks[i];
	return least;
}

static Status
union_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	UnionOp *self = (UnionOp *)op;
	const int64_t *own = batch->watermarks;
	int64_t others = others_minimum(self, input);

	if (own == NULL)
		return operator_push(op->next, batch, err);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		self->before[row] = own[row] < others ? own[row] : others;
	}
	batch->watermarks = self->before;
	Status status = operator_push(op->next, batch, err);
	batch->watermarks = own;
	return status;
}

static Status
union_advance(Operator *op, uint32_t input, int64_t watermark, Error *err)
{
	UnionOp *self = (UnionOp *)op;

	self->watermarks[input] = watermark;
	int64_t others = others_minimum(self, input);
	int64_t least = watermark < others ? watermark : others;
	if (least <= self->current)
		return FERRIS_OK;
	self->current = least;
	return operator_advance(op->next, least, err);
}

static Status
union_finish(Operator *op, uint32_t input, Error *err)
{
	UnionOp *self = (UnionOp *)op;

	self->watermarks[input] = INT64_MAX;
	if (others_minimum(self, input) == INT64_MAX)
		return operator_finish(op->next, err);
	return union_advance(op, input, INT64_MAX, err);
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
	.close = union_close,
};
