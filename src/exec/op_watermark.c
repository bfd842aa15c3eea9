/* exec/op_watermark.c -- WATERMARK: how far event time has come, before each row.
 *
 * Each split (partition) has its own running maximum of the watermark expression; the watermark is
 * the least of those of the splits that deliver side by side, and never goes back.  It is known for
 * every row, not only for every batch: whether a row is late does not depend on how the input was
 * cut.  Rows downstream are told by batch->watermarks, operators by advance after the batch.
 *
 * A split that has delivered nothing yet holds the watermark back.  NULL does not move it.
 *
 * Owns:    the compiled expression and the splits' maxima.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"

typedef struct WatermarkOp {
	Operator base;
	TaskContext *task;
	Program *program;
	int64_t *splits;      /* maximum of each split seen */
	uint32_t split_count;
	int64_t current;      /* the watermark; INT64_MIN: none yet */
	int64_t before[BATCH_CAPACITY];
} WatermarkOp;

static Status
watermark_open(Operator *op, TaskContext *task, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;

	self->task = task;
	self->current = INT64_MIN;
	return program_compile(task->arena, &op->plan->watermark.expr, 1, &self->program, err);
}

static void
reserve_splits(WatermarkOp *self, uint32_t count)
{
	if (count <= self->split_count)
		return;
	self->splits = memory_resize(self->splits, sizeof *self->splits * count);
	for (uint32_t i = self->split_count; i < count; i++)
		self->splits[i] = INT64_MIN;
	self->split_count = count;
}

/* The least maximum of the other splits that deliver side by side. */
static int64_t
others_minimum(const WatermarkOp *self, uint32_t split)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < self->task->splits; i++)
		if (i != split && self->splits[i] < least)
			least = self->splits[i];
	return least;
}

static Status
watermark_push(Operator *op, Batch *batch, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;
	uint32_t split = self->task->chunk->split;
	const Vector *times;

	reserve_splits(self, split + 1 > self->task->splits ? split + 1 : self->task->splits);
	int64_t others = others_minimum(self, split);
	int64_t maximum = self->splits[split];
	int64_t current = self->current;

	program_run(self->program, batch, NULL, &times);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		self->before[row] = current;
		if (vector_is_null(times, row))
			continue;
		int64_t time = VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
		if (time > maximum) {
			maximum = time < -EVENT_TIME_LIMIT  ? -EVENT_TIME_LIMIT
			          : time > EVENT_TIME_LIMIT ? EVENT_TIME_LIMIT
			                                    : time;
			int64_t least = maximum < others ? maximum : others;
			if (least > current)
				current = least;
		}
	}
	self->splits[split] = maximum;
	batch->watermarks = self->before;
	TRY(operator_push(op->next, batch, err));
	batch->watermarks = NULL;
	if (current == self->current)
		return FERRIS_OK;
	self->current = current;
	return operator_advance(op->next, current, err);
}

/* Watermarks of operators before it mean nothing here: it makes its own. */
static Status
watermark_advance(Operator *op, int64_t watermark, Error *err)
{
	(void)op;
	(void)watermark;
	(void)err;
	return FERRIS_OK;
}

static void
watermark_close(Operator *op)
{
	WatermarkOp *self = (WatermarkOp *)op;

	program_free(self->program);
	memory_free(self->splits);
}

const OperatorClass watermark_class = {
	.name = "Watermark",
	.size = sizeof(WatermarkOp),
	.open = watermark_open,
	.push = watermark_push,
	.advance = watermark_advance,
	.close = watermark_close,
};
