/* exec/op_stream_join.c -- STREAM JOIN: the rows of two streams that meet, each kept for the other.
 *
 * A row is kept until event time on the other side has passed every row that it could meet; without
 * a bound in time, until the other side ends.  When a row comes, it meets those of the other side
 * that were there before it, so each pair comes out once, when its later row arrives.  NULL equals
 * nothing.
 *
 * A row that is wanted without a match (LEFT, RIGHT, FULL, ANTI) comes out when it expires.  A row
 * older than its own side's watermark (less the grace) is late: it is counted and left out, so the
 * answer does not depend on how the sides were interleaved.
 *
 * Downstream, event time is as far as it is on the side that is behind, less the width of the
 * interval: a pair's older row may be so much older than the watermark.
 *
 * Source: the symmetric hash join of Wilschut and Apers, "Dataflow query execution in a parallel
 * main-memory environment", 1991; expiry as in interval joins of stream systems.
 *
 * What does not fit into memory is written out, all rows of a key together
 * (op_stream_join_state.c).
 *
 * Owns:    the rows of both sides and their keys.
 * Threads: one operator belongs to one task. */
#include "exec/op_stream_join.h"

#include "base/memory.h"

#define SPILLED_ROWS 64 /* so many look for their keys at once when these may be written out */

/* ---------------------------------------------------------------- opening */

static void
open_side(StreamJoinOp *self, int side, TaskContext *task)
{
	const PlanNode *plan = self->plan;
	const Schema *schema = &plan->inputs[side]->schema;
	uint32_t keys = plan->stream_join.key_count;
	uint32_t skipped = plan->stream_join.timed; /* the time is kept apart */
	Side *out = &self->sides[side];
	Field *fields = ARENA_ARRAY(task->arena, Field, schema->count);

	memcpy(fields, schema->fields, sizeof *fields * keys);
	memcpy(fields + keys, schema->fields + keys + skipped,
	       sizeof *fields * (schema->count - keys - skipped));
	row_log_init(&out->log, fields, schema->count - skipped);
	out->first = keys;
	out->count = schema->count - keys - skipped;
	out->columns = ARENA_ARRAY(task->arena, Vector, schema->count);
	out->watermark = INT64_MIN;
	timers_init(&out->timers, task->store);
	out->row = batch_new(fields, NULL, out->log.column_count);
	out->row_columns = ARENA_ARRAY(task->arena, Vector *, out->log.column_count + 1);
	out->written = ARENA_ARRAY(task->arena, const Vector *, out->log.column_count + 1);
	for (uint32_t c = 0; c < out->log.column_count; c++)
		out->row_columns[c] = &out->row->columns[c];
}

static Batch *
new_pairs(const StreamJoinOp *self, TaskContext *task)
{
	const Side *left = &self->sides[LEFT];
	const Side *right = &self->sides[RIGHT];
	Field *fields = ARENA_ARRAY(task->arena, Field, left->count + right->count + 1);

	memcpy(fields, left->log.fields + left->first, sizeof *fields * left->count);
	memcpy(fields + left->count, right->log.fields + right->first,
	       sizeof *fields * right->count);
	return batch_new(fields, NULL, left->count + right->count);
}

static void
open_keys(StreamJoinOp *self, TaskContext *task)
{
	uint32_t keys = self->plan->stream_join.key_count;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, keys + 1);

	for (uint32_t k = 0; k < keys; k++)
		types[k] = self->plan->inputs[LEFT]->schema.fields[k].type;
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = keys,
				       .payload_size = sizeof(KeyRows),
				       .payload = &stream_join_payload,
				       .owner = self},
			  task->store);
	keyed_track(&self->family, &self->keys, JOIN_KEY_PREFIX);
	self->key_columns = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
}

static Status
stream_join_open(Operator *op, TaskContext *task, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	const PlanNode *plan = op->plan;
	JoinShape shape = plan->stream_join.shape;

	self->task = task;
	self->plan = plan;
	self->current = INT64_MIN;
	buffer_init(&self->value, SIZE_MAX);
	open_side(self, LEFT, task);
	open_side(self, RIGHT, task);
	self->sides[LEFT].wants_unmatched =
		shape == SHAPE_LEFT || shape == SHAPE_FULL || shape == SHAPE_ANTI;
	self->sides[RIGHT].wants_unmatched = shape == SHAPE_RIGHT || shape == SHAPE_FULL;
	open_keys(self, task);
	self->pairs = new_pairs(self, task);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	if (plan->stream_join.residual == NULL)
		return FERRIS_OK;
	return program_compile(task->arena, &plan->stream_join.residual, 1, &self->residual, err);
}

/* ---------------------------------------------------------------- pairs */

static void
put_place(const Side *side, const Place *place, Batch *pairs, uint32_t first, uint32_t to)
{
	for (uint32_t c = 0; c < side->count; c++)
		vector_copy(&pairs->columns[first + c], to,
			    &place->segment->columns[side->first + c], place->row, NULL);
}

void
stream_join_put_alone(StreamJoinOp *self, int side, const Vector *columns, uint32_t row,
		      Arena *heap)
{
	Batch *pairs = self->pairs;
	uint32_t to = pairs->row_count++;
	uint32_t first = side == LEFT ? 0 : self->sides[LEFT].count;
	uint32_t other = side == LEFT ? self->sides[LEFT].count : 0;

	for (uint32_t c = 0; c < self->sides[side].count; c++)
		vector_copy(&pairs->columns[first + c], to, &columns[c], row, heap);
	for (uint32_t c = 0; c < self->sides[!side].count; c++)
		vector_set_null(&pairs->columns[other + c], to);
	pairs->records[to] = (RecordRange){0};
}

/* SEMI, ANTI: of the pairs that hold, those whose left row comes out: none, or its first. */
static void
keep_first_matches(StreamJoinOp *self)
{
	Batch *pairs = self->pairs;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < pairs->sel_count; i++) {
		uint16_t pair = pairs->sel[i];
		const Place *left = &self->places[pair][LEFT];
		bool *marked = &left->segment->marked[left->row];

		if (!*marked && self->plan->stream_join.shape == SHAPE_SEMI)
			pairs->sel[kept++] = pair;
		*marked = true;
	}
	pairs->sel_count = kept;
	pairs->dense = false;
}

static void
mark_matched(StreamJoinOp *self)
{
	for (uint32_t i = 0; i < self->pairs->sel_count; i++)
		for (int side = LEFT; side <= RIGHT; side++) {
			const Place *place = &self->places[self->pairs->sel[i]][side];

			place->segment->marked[place->row] = true;
		}
}

static bool
puts_out_left_alone(const StreamJoinOp *self)
{
	JoinShape shape = self->plan->stream_join.shape;

	return shape == SHAPE_SEMI || shape == SHAPE_ANTI;
}

/* Rows go on; `derived`: they are not of the batch being pushed. */
static Status
push_on(StreamJoinOp *self, bool derived, Error *err)
{
	Batch *pairs = self->pairs;
	uint32_t columns = pairs->column_count;
	Status status = FERRIS_OK;

	pairs->derived = derived;
	pairs->counted = true;
	pairs->column_count = self->plan->schema.count;
	if (pairs->sel_count > 0 || pairs->error_count > 0)
		status = task_push_made(self->task, self->base.next, pairs, err);
	pairs->column_count = columns;
	batch_reset(pairs);
	return status;
}

Status
stream_join_push_alone(StreamJoinOp *self, bool derived, Error *err)
{
	if (self->pairs->row_count == 0)
		return FERRIS_OK;
	batch_select_all(self->pairs);
	return push_on(self, derived, err);
}

/* The pairs gathered so far: those for which the rest of the condition holds have met. */
static Status
push_pairs(StreamJoinOp *self, bool derived, Error *err)
{
	Batch *pairs = self->pairs;

	if (pairs->row_count == 0)
		return FERRIS_OK;
	batch_select_all(pairs);
	pairs->derived = derived;
	pairs->counted = true;
	if (self->residual != NULL)
		program_filter(self->residual, pairs);
	if (puts_out_left_alone(self))
		keep_first_matches(self);
	else if (self->sides[LEFT].wants_unmatched || self->sides[RIGHT].wants_unmatched)
		mark_matched(self);
	return push_on(self, derived, err);
}

static Status
add_pair(StreamJoinOp *self, const Batch *batch, uint32_t row, const Place *left,
	 const Place *right, Error *err)
{
	uint32_t to = self->pairs->row_count++;

	put_place(&self->sides[LEFT], left, self->pairs, 0, to);
	put_place(&self->sides[RIGHT], right, self->pairs, self->sides[LEFT].count, to);
	self->places[to][LEFT] = *left;
	self->places[to][RIGHT] = *right;
	self->pairs->records[to] = batch->records[row];
	return self->pairs->row_count == BATCH_CAPACITY ? push_pairs(self, batch->derived, err)
							: FERRIS_OK;
}

/* ---------------------------------------------------------------- meeting */

static bool
are_in_time(const StreamJoinOp *self, int64_t left, int64_t right)
{
	return !self->plan->stream_join.timed || (right - left >= self->plan->stream_join.low &&
						  right - left <= self->plan->stream_join.high);
}

void
stream_join_chain(StreamJoinOp *self, uint32_t at, RowRef ref)
{
	if (at == self->chain_capacity) {
		self->chain_capacity = 2 * self->chain_capacity + 64;
		self->chain = memory_resize(self->chain, sizeof(RowRef) * self->chain_capacity);
	}
	self->chain[at] = ref;
}

/* Row `row` of the batch, kept as `ref` on `side`, with the rows of its key on the other. */
static Status
meet_row(StreamJoinOp *self, int side, const Batch *batch, uint32_t row, RowRef ref,
	 const KeyRows *key, Error *err)
{
	const Side *other = &self->sides[!side];
	Place places[2];
	uint32_t count = 0;

	places[side].segment = row_log_find(&self->sides[side].log, ref, &places[side].row);
	int64_t time = places[side].segment->times[places[side].row];
	for (RowRef at = key->newest[!side]; at != 0;) {
		Place *place = &places[!side];

		place->segment = row_log_find(&other->log, at, &place->row);
		if (place->segment == NULL)
			break;
		int64_t its = place->segment->times[place->row];
		if (are_in_time(self, side == LEFT ? time : its, side == LEFT ? its : time))
			stream_join_chain(self, count++, at);
		at = place->segment->older[place->row];
	}
	while (count > 0) {
		places[!side].segment =
			row_log_find(&other->log, self->chain[--count], &places[!side].row);
		TRY(add_pair(self, batch, row, &places[LEFT], &places[RIGHT], err));
	}
	return FERRIS_OK;
}

int64_t
stream_join_expiry(const StreamJoinOp *self, int side, int64_t time)
{
	const PlanNode *plan = self->plan;

	if (!plan->stream_join.timed)
		return ROW_NEVER - 1;
	return time + (side == LEFT ? plan->stream_join.high : -plan->stream_join.low) +
	       plan->stream_join.grace;
}

/* Rows of the batch whose keys have been found: each is kept, and meets the others. */
static Status
meet_found(StreamJoinOp *self, int side, const Batch *batch, const uint16_t *rows, uint32_t count,
	   Error *err)
{
	bool timed = self->plan->stream_join.timed;
	Side *own = &self->sides[side];
	const Vector *times = &batch->columns[self->plan->stream_join.key_count];

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];
		KeyRows *key = (KeyRows *)self->payloads[i];
		int64_t time =
			timed ? VECTOR_DATA(times, const int64_t)[times->constant ? 0 : row] : 0;

		key->newest[side] =
			row_log_add(&own->log, own->columns, row,
				    &(RowStamp){.time = time,
						.expiry = stream_join_expiry(self, side, time),
						.number = self->arrivals++,
						.older = key->newest[side]});
		TRY(meet_row(self, side, batch, row, key->newest[side], key, err));
		if (task_has_stopped(self->task))
			return FERRIS_OK;
	}
	return FERRIS_OK;
}

/* Rows self->rows[0..count) of the batch. */
static Status
keep_and_meet(StreamJoinOp *self, int side, const Batch *batch, uint32_t count, Error *err)
{
	uint32_t keys = self->plan->stream_join.key_count;
	Side *own = &self->sides[side];

	for (uint32_t k = 0; k < keys; k++)
		self->key_columns[k] = &batch->columns[k];
	memcpy(own->columns, batch->columns, sizeof(Vector) * keys);
	memcpy(own->columns + keys, batch->columns + keys + self->plan->stream_join.timed,
	       sizeof(Vector) * own->count);
	for (uint32_t done = 0, found; done < count; done += found) {
		uint32_t some = count - done;

		/* What these bring in from the backend must fit too. */
		if (keyed_is_spilled(&self->keys) && some > SPILLED_ROWS)
			some = SPILLED_ROWS;
		TRY(keyed_find(&self->family, &self->keys, self->key_columns, self->rows + done,
			       some, self->payloads, &found, err));
		TRY(meet_found(self, side, batch, self->rows + done, found, err));
		if (task_has_stopped(self->task))
			return FERRIS_OK;
		if (found > 0 && !stream_join_is_full(self))
			continue;
		TRY(push_pairs(self, batch->derived, err));
		TRY(stream_join_spill(self, err));
	}
	return push_pairs(self, batch->derived, err);
}

/* ---------------------------------------------------------------- a batch */

static Str
time_name(const StreamJoinOp *self, int side)
{
	return self->plan->inputs[side]->schema.fields[self->plan->stream_join.key_count].name;
}

/* Whether the row has a time, and comes in time.  *failed: it has none, which is an error. */
static bool
is_timely(StreamJoinOp *self, int side, Batch *batch, uint16_t row, bool *failed)
{
	const Vector *times = &batch->columns[self->plan->stream_join.key_count];
	int64_t time;

	*failed = false;
	if (!self->plan->stream_join.timed)
		return true;
	*failed = !batch_row_time(batch, times, row, time_name(self, side), "row", &time);
	if (*failed)
		return false;
	int64_t watermark =
		batch->watermarks != NULL ? batch->watermarks[row] : self->sides[side].watermark;
	if (watermark == INT64_MIN || time >= watermark - self->plan->stream_join.grace)
		return true;
	self->task->result->late += !batch->counted;
	return false;
}

static bool
has_null_key(const StreamJoinOp *self, const Batch *batch, uint32_t row)
{
	for (uint32_t k = 0; k < self->plan->stream_join.key_count; k++)
		if (vector_is_null(&batch->columns[k], row))
			return true;
	return false;
}

/* A row whose key is NULL meets nothing: it comes out at once, or not at all. */
static Status
pass_unmatched(StreamJoinOp *self, int side, const Batch *batch, uint16_t row, Error *err)
{
	uint32_t skipped = self->sides[side].first + self->plan->stream_join.timed;

	stream_join_put_alone(self, side, batch->columns + skipped, row, NULL);
	self->pairs->records[self->pairs->row_count - 1] = batch->records[row];
	return self->pairs->row_count < BATCH_CAPACITY
		       ? FERRIS_OK
		       : stream_join_push_alone(self, batch->derived, err);
}

static Status
stream_join_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	int side = (int)input;
	uint32_t count = 0;

	task_stop_at_error(self->task, batch);
	batch_reset(self->pairs);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		bool failed;
		if (!is_timely(self, side, batch, row, &failed)) {
			if (self->task->stop_at_error && failed)
				break;
			continue;
		}
		bool lost = has_null_key(self, batch, row);
		if (lost && !self->sides[side].wants_unmatched) {
			batch->filtered += !batch->counted;
			continue;
		}
		self->task->result->aggregated += !batch->counted;
		if (lost)
			TRY(pass_unmatched(self, side, batch, row, err));
		else
			self->rows[count++] = row;
	}
	TRY(stream_join_push_alone(self, batch->derived, err));
	TRY(keep_and_meet(self, side, batch, count, err));
	if (self->sides[!side].watermark == INT64_MAX)
		TRY(stream_join_expire(self, !side, err));
	return stream_join_check_memory(self, err);
}

static void
stream_join_close(Operator *op)
{
	StreamJoinOp *self = (StreamJoinOp *)op;

	keyed_drop(&self->family, &self->keys);
	keyed_family_free(&self->family);
	for (int side = LEFT; side <= RIGHT; side++) {
		row_log_free(&self->sides[side].log);
		timers_free(&self->sides[side].timers);
		batch_destroy(self->sides[side].row);
	}
	batch_destroy(self->pairs);
	program_free(self->residual);
	memory_free(self->chain);
	memory_free(self->due);
	buffer_free(&self->value);
}

const OperatorClass stream_join_class = {
	.name = "StreamJoin",
	.size = sizeof(StreamJoinOp),
	.open = stream_join_open,
	.push_from = stream_join_push,
	.advance_from = stream_join_advance,
	.finish_from = stream_join_finish,
	.save = stream_join_save,
	.saves_changes = true,
	.load = stream_join_load,
	.close = stream_join_close,
	.makes_rows = makes_rows_always,
};
