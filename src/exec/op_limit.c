/* exec/op_limit.c -- LIMIT and OFFSET inside a query, in order of arrival.
 *
 * The limit of a whole statement is applied by the job's writer; this one stands below other nodes
 * and sees all rows because such a statement runs as one task.  When the last row has passed, the
 * task is told that it needs no more input, unless other sources than those below are read as well.
 *
 * Owns:    two counts and whether it has ended the input.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct LimitOp {
	Operator base;
	TaskContext *task;
	int64_t skip;
	int64_t left;
	bool done;       /* the last row that counts has passed, and has ended the input */
	bool ends_input; /* all sources are below: after the last row nothing is needed any more */
} LimitOp;

static uint32_t
count_scans(const PlanNode *node)
{
	uint32_t count = 0;

	while (node->input != NULL)
		node = node->input;
	for (uint32_t i = 0; i < node->input_count; i++)
		count += count_scans(node->inputs[i]);
	return node->kind == PLAN_SCAN ? 1 : count;
}

static Status
limit_open(Operator *op, TaskContext *task, Error *err)
{
	LimitOp *self = (LimitOp *)op;

	(void)err;
	self->task = task;
	self->skip = op->plan->limit.offset;
	self->left = op->plan->limit.count;
	self->ends_input = count_scans(op->plan) == task->source_count;
	return FERRIS_OK;
}

static Status
limit_push(Operator *op, Batch *batch, Error *err)
{
	LimitOp *self = (LimitOp *)op;
	uint32_t count = batch->sel_count;
	uint32_t first = self->skip < count ? (uint32_t)self->skip : count;
	uint32_t passed = self->left < count - first ? (uint32_t)self->left : count - first;

	self->skip -= first;
	self->left -= passed;
	if (!batch->counted)
		self->task->result->limited += count - passed;
	/* Rows of an operator's making come after input that has been read for them. */
	if (self->left == 0 && self->ends_input && !batch->derived && !self->task->done) {
		self->task->done = true;
		self->done = true;
		self->task->last_line =
			passed > 0 ? (int64_t)batch->records[batch->sel[first + passed - 1]].line
				   : -1;
	}
	if (passed < count) {
		memmove(batch->sel, batch->sel + first, sizeof *batch->sel * passed);
		batch->sel_count = passed;
		batch->dense = false;
	}
	return operator_push(op->next, batch, err);
}

/* One record: what is still to be skipped and to be passed, and whether more input is needed. */
static Status
limit_save(Operator *op, StateWriter *writer, Error *err)
{
	LimitOp *self = (LimitOp *)op;
	int64_t value[3] = {self->skip, self->left, self->done};

	return writer->put(writer, STR(""), (Str){(const char *)value, sizeof value}, err);
}

static Status
limit_load(Operator *op, Str key, Str value, Error *err)
{
	LimitOp *self = (LimitOp *)op;
	RecordReader reader = record_reader(value);

	self->skip = (int64_t)record_take_u64(&reader);
	self->left = (int64_t)record_take_u64(&reader);
	self->done = record_take_u64(&reader) != 0;
	self->task->done = self->task->done || self->done;
	return key.len != 0 || reader.damaged || self->skip < 0 || self->left < 0
		       ? store_damaged(err)
		       : FERRIS_OK;
}

static void
limit_close(Operator *op)
{
	(void)op;
}

const OperatorClass limit_class = {
	.name = "Limit",
	.size = sizeof(LimitOp),
	.open = limit_open,
	.push = limit_push,
	.save = limit_save,
	.saves_changes = true,
	.load = limit_load,
	.close = limit_close,
};
