/* exec/op_distinct.c -- DISTINCT: rows that were not there before.
 *
 * A row comes out at once if none equal to it came before; NULL equals NULL.  No column is copied,
 * the selection vector is narrowed.  What is kept are the rows that came out, within the limit of
 * state.
 *
 * Owns:    the table of rows seen.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"
#include "state/group_table.h"

#define SEEN_BYTES 16 /* the smallest payload */

typedef struct DistinctOp {
	Operator base;
	TaskContext *task;
	GroupTable *seen;
	const Vector **keys;
	char *payloads[BATCH_CAPACITY];
} DistinctOp;

static Status
distinct_open(Operator *op, TaskContext *task, Error *err)
{
	DistinctOp *self = (DistinctOp *)op;
	const Schema *schema = &op->plan->schema;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, schema->count);

	(void)err;
	self->task = task;
	self->keys = ARENA_ARRAY(task->arena, const Vector *, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		types[i] = schema->fields[i].type;
	self->seen = group_table_new(&(GroupTableSpec){.key_types = types,
						       .key_count = schema->count,
						       .payload_size = SEEN_BYTES,
						       .byte_limit = task->state_limit});
	return FERRIS_OK;
}

static Status
distinct_push(Operator *op, Batch *batch, Error *err)
{
	DistinctOp *self = (DistinctOp *)op;
	uint64_t filtered = batch->filtered;
	bool counted = batch->counted;
	uint32_t first_new;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < op->plan->schema.count; i++)
		self->keys[i] = &batch->columns[i];
	TRY(group_table_find(self->seen, self->keys, batch->sel, batch->sel_count, self->payloads,
			     &first_new, err));
	if (!counted)
		self->task->result->aggregated += batch->sel_count;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (*self->payloads[i] != 0)
			continue;
		*self->payloads[i] = 1;
		batch->sel[kept++] = row;
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	batch->counted = true;
	Status status = operator_push(op->next, batch, err);
	batch->counted = counted;
	batch->filtered = filtered; /* what is left out from here on is in the books already */
	return status;
}

static void
distinct_close(Operator *op)
{
	group_table_destroy(((DistinctOp *)op)->seen);
}

const OperatorClass distinct_class = {
	.name = "Distinct",
	.size = sizeof(DistinctOp),
	.open = distinct_open,
	.push = distinct_push,
	.close = distinct_close,
};
