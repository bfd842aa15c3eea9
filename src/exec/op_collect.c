/* exec/op_collect.c -- COLLECT: the end of a pipeline whose rows another operator keeps.
 *
 * Owns nothing.  Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct CollectOp {
	Operator base;
	TaskContext *task;
} CollectOp;

static Status
collect_open(Operator *op, TaskContext *task, Error *err)
{
	(void)err;
	((CollectOp *)op)->task = task;
	return FERRIS_OK;
}

static Status
collect_push(Operator *op, Batch *batch, Error *err)
{
	TaskContext *task = ((CollectOp *)op)->task;

	return task->collect(task->collector, batch, err);
}

static void
collect_close(Operator *op)
{
	(void)op;
}

const OperatorClass collect_class = {
	.name = "Collect",
	.size = sizeof(CollectOp),
	.open = collect_open,
	.push = collect_push,
	.stateless = true,
	.close = collect_close,
};
