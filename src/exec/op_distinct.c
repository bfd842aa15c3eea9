/* exec/op_distinct.c -- DISTINCT: rows that were not there before.
 *
 * A row comes out at once if none equal to it came before; NULL equals NULL.  No column is copied,
 * the selection vector is narrowed.  What is kept are the rows that came out; those that do not
 * fit into memory are looked up on disk (state/keyed.h).
 *
 * Owns:    the table of rows seen.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"
#include "state/keyed.h"

#define SEEN_BYTES 16 /* the smallest payload */

typedef struct DistinctOp {
	Operator base;
	TaskContext *task;
	KeyedFamily family;
	KeyedState seen;
	const Vector **keys;
	char *payloads[BATCH_CAPACITY];
} DistinctOp;

/* A row on disk has come out. */
static bool
load_seen(void *owner, char *payload, Str bytes)
{
	(void)owner;
	*payload = 1;
	return bytes.len == 0;
}

static const PayloadClass seen_payload = {.load = load_seen};

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
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = schema->count,
				       .payload_size = SEEN_BYTES,
				       .payload = &seen_payload},
			  task->store);
	keyed_track(&self->family, &self->seen, STR(""));
	return FERRIS_OK;
}

/* The new ones among the batch's selected rows stay selected. */
static Status
keep_new(DistinctOp *self, Batch *batch, Error *err)
{
	uint32_t kept = 0;

	for (uint32_t done = 0, found; done < batch->sel_count; done += found) {
		TRY(keyed_find(&self->family, &self->seen, self->keys, batch->sel + done,
			       batch->sel_count - done, self->payloads, &found, err));
		for (uint32_t i = 0; i < found; i++) {
			if (*self->payloads[i] != 0)
				continue;
			*self->payloads[i] = 1;
			batch->sel[kept++] = batch->sel[done + i];
		}
		if (done + found < batch->sel_count)
			TRY(keyed_write_out(&self->family, &self->seen, err));
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	return FERRIS_OK;
}

static Status
distinct_push(Operator *op, Batch *batch, Error *err)
{
	DistinctOp *self = (DistinctOp *)op;
	uint64_t filtered = batch->filtered;
	bool counted = batch->counted;

	for (uint32_t i = 0; i < op->plan->schema.count; i++)
		self->keys[i] = &batch->columns[i];
	if (!counted)
		self->task->result->aggregated += batch->sel_count;
	TRY(keep_new(self, batch, err));
	batch->counted = true;
	Status status = operator_push(op->next, batch, err);
	batch->counted = counted;
	batch->filtered = filtered; /* what is left out from here on is in the books already */
	if (status == FERRIS_OK && keyed_is_full(&self->family, 0))
		status = keyed_write_out(&self->family, &self->seen, err);
	return status;
}

static Status
distinct_save(Operator *op, StateWriter *writer, Error *err)
{
	DistinctOp *self = (DistinctOp *)op;

	return keyed_save(&self->family, &self->seen, writer, STR(""), err);
}

static Status
distinct_load(Operator *op, Str key, Str value, Error *err)
{
	DistinctOp *self = (DistinctOp *)op;

	return keyed_take_in(&self->family, &self->seen, key, value, err);
}

static void
distinct_close(Operator *op)
{
	DistinctOp *self = (DistinctOp *)op;

	keyed_drop(&self->family, &self->seen);
	keyed_family_free(&self->family);
}

const OperatorClass distinct_class = {
	.name = "Distinct",
	.size = sizeof(DistinctOp),
	.open = distinct_open,
	.push = distinct_push,
	.save = distinct_save,
	.saves_changes = true,
	.load = distinct_load,
	.close = distinct_close,
};
