/* exec/op_set.c -- INTERSECT [ALL], EXCEPT [ALL]: rows that both inputs have, or only the left.
 *
 * Each row is counted by its values, apart for each input; NULL equals NULL.  INTERSECT knows at
 * each row whether the other input has one more like it, and puts it out then: no column is
 * copied, the selection vector is narrowed.  EXCEPT knows what the right input does not have when
 * that has ended: what came until then comes out at once, and later rows of the left as they come.
 *
 * Of an input that comes after the end of the other, only those rows are kept that decide about
 * others: none of INTERSECT and EXCEPT ALL, the distinct ones of EXCEPT.  Counts that do not fit
 * into memory are looked up on disk (state/keyed.h).
 *
 * Owns:    the table of counts.
 * Threads: one operator belongs to one task. */
#include "exec/input_times.h"
#include "state/keyed.h"

#define ROWS_KEY "r" /* the records of rows begin with it; the operator's own is empty */

#define LEFT  0
#define RIGHT 1

/* The payload of a row: how often each input had it; of EXCEPT, behind a KeyedHead. */
typedef struct Counts {
	uint64_t of[2];
} Counts;

typedef struct SetOperator {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	InputTimes times;
	bool ended[2];
	size_t head; /* bytes before the counts */
	KeyedFamily family;
	KeyedState rows;
	const Vector **columns;
	Batch *out;   /* what EXCEPT puts out when the right input ends */
	Batch *spare; /* for one row */
	Vector **outs;
	char *payloads[BATCH_CAPACITY];
} SetOperator;

static bool
is_except(const SetOperator *self)
{
	return self->plan->set.op == SET_EXCEPT;
}

/* NULL of NULL. */
static Counts *
counts_of(const SetOperator *self, char *payload)
{
	return payload != NULL ? (Counts *)(void *)(payload + self->head) : NULL;
}

static void
save_counts(void *owner, const char *payload, Buffer *out)
{
	const SetOperator *self = owner;
	const Counts *counts = (const Counts *)(const void *)(payload + self->head);

	record_u64(out, counts->of[LEFT]);
	record_u64(out, counts->of[RIGHT]);
}

static bool
load_counts(void *owner, char *payload, Str bytes)
{
	Counts *counts = counts_of(owner, payload);
	RecordReader reader = record_reader(bytes);

	counts->of[LEFT] = record_take_u64(&reader);
	counts->of[RIGHT] = record_take_u64(&reader);
	return !reader.damaged && reader.next == reader.end;
}

static const PayloadClass counts_payload = {.save = save_counts, .load = load_counts};

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
	self->head = is_except(self) ? sizeof(KeyedHead) : 0;
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = schema->count,
				       .payload_size = self->head + sizeof(Counts),
				       .payload = &counts_payload,
				       .owner = self,
				       .headed = is_except(self)},
			  task->store);
	keyed_track(&self->family, &self->rows, STR(ROWS_KEY));
	self->columns = ARENA_ARRAY(task->arena, const Vector *, schema->count);
	self->outs = ARENA_ARRAY(task->arena, Vector *, schema->count);
	self->out = batch_new(schema->fields, NULL, schema->count);
	self->spare = batch_new(schema->fields, NULL, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		self->outs[i] = &self->out->columns[i];
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- a batch */

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

/* The rows among sel[0..count) that come out, to `kept`, which may be `sel`. */
static Status
count_rows(SetOperator *self, uint32_t side, const uint16_t *sel, uint32_t count, uint16_t *kept,
	   uint32_t *kept_count, Error *err)
{
	bool keeps = keeps_new(self, side);

	for (uint32_t done = 0, found; done < count; done += found) {
		TRY((keeps ? keyed_find : keyed_look)(&self->family, &self->rows, self->columns,
						      sel + done, count - done, self->payloads,
						      &found, err));
		for (uint32_t i = 0; i < found; i++)
			if (comes_out(self, side, counts_of(self, self->payloads[i])))
				kept[(*kept_count)++] = sel[done + i];
		if (done + found < count)
			TRY(keyed_write_out(&self->family, &self->rows, err));
	}
	return FERRIS_OK;
}

static Status
set_push(Operator *op, uint32_t side, Batch *batch, Error *err)
{
	SetOperator *self = (SetOperator *)op;
	uint64_t filtered = batch->filtered;
	bool counted = batch->counted;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < self->plan->schema.count; i++)
		self->columns[i] = &batch->columns[i];
	if (!counted)
		self->task->result->aggregated += batch->sel_count;
	TRY(count_rows(self, side, batch->sel, batch->sel_count, batch->sel, &kept, err));
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	batch->counted = true;
	input_times_enter(&self->times, side, batch);
	Status status = operator_push(op->next, batch, err);
	input_times_leave(&self->times, batch);
	batch->counted = counted;
	batch->filtered = filtered; /* what is left out from here on is in the books already */
	if (status == FERRIS_OK && keyed_is_full(&self->family, 0))
		status = keyed_write_out(&self->family, &self->rows, err);
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

/* How many rows like the group's the left has that the right does not. */
static uint64_t
difference(const SetOperator *self, const Counts *counts)
{
	uint64_t left = counts->of[LEFT];
	uint64_t right = counts->of[RIGHT];

	if (!self->plan->set.all)
		return left > 0 && right == 0;
	return left > right ? left - right : 0;
}

/* The rows go on their way; the last one stays, as the first of those that follow. */
static Status
push_all_but_last(SetOperator *self, Error *err)
{
	uint32_t last = --self->out->row_count;

	batch_reset(self->spare);
	for (uint32_t c = 0; c < self->plan->schema.count; c++)
		vector_copy(&self->spare->columns[c], 0, &self->out->columns[c], last,
			    &self->spare->heap);
	TRY(push_out(self, err));
	for (uint32_t c = 0; c < self->plan->schema.count; c++)
		vector_copy(&self->out->columns[c], 0, &self->spare->columns[c], 0,
			    &self->out->heap);
	self->out->row_count = 1;
	return FERRIS_OK;
}

/* The row that was put behind the others comes out so many times. */
static Status
put_copies(SetOperator *self, uint64_t copies, Error *err)
{
	for (; copies > 0; copies--) {
		uint32_t last = self->out->row_count++;

		if (copies > 1 && self->out->row_count == BATCH_CAPACITY) {
			TRY(push_all_but_last(self, err));
			last = 0;
		}
		for (uint32_t c = 0; c < self->plan->schema.count && copies > 1; c++)
			vector_copy(&self->out->columns[c], last + 1, &self->out->columns[c], last,
				    NULL);
	}
	return self->out->row_count == BATCH_CAPACITY ? push_out(self, err) : FERRIS_OK;
}

static Status
put_differences(SetOperator *self, KeyedScan *scan, Error *err)
{
	char *payload;

	batch_reset(self->out);
	for (;;) {
		TRY(keyed_scan_next(scan, NULL, 0, NULL, &payload, err));
		if (payload == NULL)
			break;
		uint64_t copies = difference(self, counts_of(self, payload));
		if (copies == 0)
			continue;
		TRY(keyed_scan_keys(scan, self->outs, self->out->row_count, &self->out->heap, err));
		TRY(put_copies(self, copies, err));
	}
	return self->out->row_count > 0 ? push_out(self, err) : FERRIS_OK;
}

/* Rows of the left that the right does not have, or not so often, in the order they first came. */
static Status
push_differences(SetOperator *self, Error *err)
{
	KeyedState *states[] = {&self->rows};
	KeyedScan scan;

	TRY(keyed_scan_open(&self->family, states, 1, &scan, err));
	return keyed_scan_close(&scan, put_differences(self, &scan, err), err);
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

/* ---------------------------------------------------------------- saved and loaded */

#define ENDED_KEY "e"

static Status
set_save(Operator *op, StateWriter *writer, Error *err)
{
	SetOperator *self = (SetOperator *)op;
	char ended[] = {self->ended[LEFT], self->ended[RIGHT]};

	TRY(input_times_save(&self->times, writer, err));
	TRY(writer->put(writer, STR(ENDED_KEY), (Str){ended, sizeof ended}, err));
	return keyed_save(&self->family, &self->rows, writer, STR(ROWS_KEY), err);
}

static Status
set_load(Operator *op, Str key, Str value, Error *err)
{
	SetOperator *self = (SetOperator *)op;

	if (key.len == 0)
		return input_times_load(&self->times, value, err);
	if (key.data[0] == ROWS_KEY[0])
		return keyed_take_in(&self->family, &self->rows, str_skip(key, 1), value, err);
	if (!str_eq(key, STR(ENDED_KEY)) || value.len != sizeof self->ended)
		return store_damaged(err);
	for (uint32_t side = LEFT; side <= RIGHT; side++)
		self->ended[side] = value.data[side] != 0;
	return FERRIS_OK;
}

static void
set_close(Operator *op)
{
	SetOperator *self = (SetOperator *)op;

	keyed_drop(&self->family, &self->rows);
	keyed_family_free(&self->family);
	batch_destroy(self->out);
	batch_destroy(self->spare);
}

const OperatorClass set_class = {
	.name = "Set",
	.size = sizeof(SetOperator),
	.open = set_open,
	.push_from = set_push,
	.advance_from = set_advance,
	.finish_from = set_finish,
	.save = set_save,
	.saves_changes = true,
	.load = set_load,
	.close = set_close,
};
