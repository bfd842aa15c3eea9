/* exec/op_filter.c -- FILTER: keep the rows for which every conjunct is true.
 *
 * No column data is copied; program_filter narrows the selection vector, conjunct by conjunct.
 * SQL's third truth value counts as false here: a NULL predicate drops the row.
 *
 * Of an update one half may be left: then it is an insert or a delete.
 *
 * Owns:    the compiled conjuncts.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct FilterOp {
	Operator base;
	Program *conjuncts;
	uint8_t kinds[BATCH_CAPACITY];
} FilterOp;

static Status
filter_open(Operator *op, TaskContext *task, Error *err)
{
	FilterOp *self = (FilterOp *)op;

	return program_compile(task->arena, op->plan->filter.conjuncts, op->plan->filter.count,
			       &self->conjuncts, err);
}

static Status
filter_push(Operator *op, Batch *batch, Error *err)
{
	FilterOp *self = (FilterOp *)op;

	const uint8_t *kinds = batch->kinds;

	program_filter(self->conjuncts, batch);
	if (kinds == NULL)
		return operator_push(op->next, batch, err);
	batch_pair_kinds(batch, self->kinds);
	batch->kinds = self->kinds;
	Status status = operator_push(op->next, batch, err);
	batch->kinds = kinds;
	return status;
}

static void
filter_close(Operator *op)
{
	program_free(((FilterOp *)op)->conjuncts);
}

const OperatorClass filter_class = {
	.name = "Filter",
	.size = sizeof(FilterOp),
	.open = filter_open,
	.push = filter_push,
	.stateless = true,
	.close = filter_close,
};
