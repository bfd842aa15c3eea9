/* exec/op_set.c -- INTERSECT [ALL], EXCEPT [ALL]: rows that both inputs have, or only the left.
 *
 * Each row is counted by its values, apart for each input; NULL equals NULL.  INTERSECT knows at
 * each row whether the other input has one more like it, and puts it out then: no column is
 * copied, the selection vector is narrowed.  EXCEPT knows what the right input does not have when
 * that has ended: what came until then comes out at once, and later rows of the left as they come.
 *
 * Of an input that comes after the end of the other, only those rows are kept that decide about
 * others: none of INTERSECT and EXCEPT ALL, the distinct ones of EXCEPT.
 *
 * Owns:    the table of counts.
 * Threads: one operator belongs to one task. */
#include "exec/input_times.h"
#include "state/group_table.h"

#define LEFT  0
#define RIGHT 1

/* The payload of a row: how often each input had it. */
typedef struct Counts {
	uint64_t of[2];
} Counts;

typedef struct SetOperator {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	InputTimes times;
	bool ended[2];
	GroupTable *rows;
	const Vector **columns;
	Batch *out; /* what EXCEPT puts out when the right input ends */
	Vector **outs;
	char *payloads[BATCH_CAPACITY];
} SetOperator;

static Status
set_open(Operator *op, TaskContext *task, Error *err)
{
	SetOperator *self = (SetOperator *)op;
	const Schema *schema = &op->plan->schema;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, schema->count);

	(void)err;
	self->task = task;
	self->plan = op->plan;
	input_times_init(&self->times, task->arena, 2);
	for (uint32_t i = 0; i < schema->count; i++)
		types[i] = schema->fields[i].type;
	self->rows = group_table_new(&(GroupTableSpec){.key_types = types,
						       .key_count = schema->count,
						       .payload_size = sizeof(Counts),
						       .byte_limit = task->state_limit});
	self->columns = ARENA_ARRAY(task->arena, const Vector *, schema->count);
	self->outs = ARENA_ARRAY(task->arena, Vector *, schema->count);
	self->out = batch_new(schema->fields, NULL, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		self->outs[i] = &self->out->columns[i];
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- a batch */

static bool
is_except(const SetOperator *self)
{
	return self->plan->set.op == SET_EXCEPT;
}

/* Whether rows of the side that were not there before are to be kept. */
static bool
keeps_new(const SetOperator *self, uint32_t side)
{
	if (!self->ended[!side])
		return true;
	return is_except(self) && !self->plan->set.all && side == LEFT;
}

/* One more row of the side; `counts` is NULL for one that nobody had and that is not kept. */
static bool
comes_out(const SetOperator *self, uint32_t side, Counts *counts)
{
	bool all = self->plan->set.all;

	if (counts == NULL)
		return is_except(self) && side == LEFT;
	uint64_t own = ++counts->of[side];
	uint64_t others = counts->of[!side];
	if (!is_except(self))
		return all ? own <= others : own == 1 && others > 0;
	if (side == RIGHT || !self->ended[RIGHT])
		return false;
	return all ? own > others : own == 1 && others == 0;
}

static Status
find_counts(SetOperator *self, uint32_t side, const Batch *batch, Error *err)
{
	uint32_t first_new;

	for (uint32_t i = 0; i < self->plan->schema.count; i++)
		self->columns[i] = &batch->columns[i];
	if (keeps_new(self, side))
		return group_table_find(self->rows, self->columns, batch->sel, batch->sel_count,
					self->payloads, &first_new, err);
	group_table_get_many(self->rows, self->columns, batch->sel, batch->sel_count,
			     self->payloads);
	return FERRIS_OK;
}

static Status
set_push(Operator *op, uint32_t side, Batch *batch, Error *err)
{
	SetOperator *self = (SetOperator *)op;
	uint64_t filtered = batch->filtered;
	bool counted = batch->counted;
	uint32_t kept = 0;

	TRY(find_counts(self, side, batch, err));
	if (!counted)
		self->task->result->aggregated += batch->sel_count;
	for (uint32_t i = 0; i < batch->sel_count; i++)
		if (comes_out(self, side, (Counts *)self->payloads[i]))
			batch->sel[kept++] = batch->sel[i];
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	batch->counted = true;
	input_times_enter(&self->times, side, batch);
	Status status = operator_push(op->next, batch, err);
	input_times_leave(&self->times, batch);
	batch->counted = counted;
	batch->filtered = filtered; /* what is left out from here on is in the books already */
	return status;
}

/* ---------------------------------------------------------------- the end of the right input */

static Status
push_out(SetOperator *self, Error *err)
{
	batch_select_all(self->out);
	self->out->derived = true;
	self->out->counted = true;
	Status status = operator_push(self->base.next, self->out, err);
	task_keep_errors(self->task, self->out);
	batch_reset(self->out);
	return status;
}

/* Rows of the left that the right does not have, or not so often, in the order they first came. */
static Status
push_differences(SetOperator *self, Error *err)
{
	batch_reset(self->out);
	for (uint32_t group = 0; group < group_table_count(self->rows); group++) {
		const Counts *counts = (const Counts *)group_table_payload(self->rows, group);
		uint64_t left = counts->of[LEFT];
		uint64_t right = counts->of[RIGHT];
		uint64_t copies = left > right ? left - right : 0;

		if (!self->plan->set.all)
			copies = left > 0 && right == 0;
		for (; copies > 0; copies--) {
			group_table_key(self->rows, group, self->outs, self->out->row_count++);
			if (self->out->row_count == BATCH_CAPACITY)
				TRY(push_out(self, err));
		}
	}
	return self->out->row_count > 0 ? push_out(self, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- time */

/* EXCEPT holds event time back until it knows what comes out. */
static Status
set_advance(Operator *op, uint32_t side, int64_t watermark, Error *err)
{
	SetOperator *self = (SetOperator *)op;

	if (is_except(self) && side == RIGHT)
		return FERRIS_OK;
	return input_times_advance(&self->times, side, watermark, op->next, err);
}

static Status
set_finish(Operator *op, uint32_t side, Error *err)
{
	SetOperator *self = (SetOperator *)op;

	self->ended[side] = true;
	if (is_except(self) && side == RIGHT)
		TRY(push_differences(self, err));
	return input_times_finish(&self->times, side, op->next, err);
}

static void
set_close(Operator *op)
{
	SetOperator *self = (SetOperator *)op;

	group_table_destroy(self->rows);
	batch_destroy(self->out);
}

const OperatorClass set_class = {
	.name = "Set",
	.size = sizeof(SetOperator),
	.open = set_open,
	.push_from = set_push,
	.advance_from = set_advance,
	.finish_from = set_finish,
	.close = set_close,
};
