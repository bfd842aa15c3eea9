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
 * Owns:    the rows of both sides and their keys.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "state/group_table.h"
#include "state/record.h"
#include "state/row_log.h"
#include "state/snapshot.h"
#include "state/store.h"

#define LEFT          0
#define RIGHT         1
#define REBUILD_FLOOR 4096 /* keys that are worth forgetting */

/* The payload of a key: the newest row of each side. */
typedef struct KeyRows {
	RowRef newest[2];
} KeyRows;

typedef struct Side {
	RowLog log;      /* columns: the keys, then those that come out */
	uint32_t first;  /* its first column that comes out, in the log */
	uint32_t count;  /* so many */
	Vector *columns; /* of a batch, in the order of the log's */
	bool wants_unmatched;
	int64_t watermark; /* INT64_MIN: none yet, INT64_MAX: it has ended */
} Side;

/* A pair: a place in the log of each side. */
typedef struct Place {
	RowSegment *segment; /* NULL: no row, the columns are NULL */
	uint32_t row;
} Place;

typedef struct StreamJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Side sides[2];
	GroupTable *keys;
	Program *residual; /* over the columns of a pair; or NULL */
	Batch *pairs;      /* being gathered: the left columns, then the right */
	Place places[BATCH_CAPACITY][2];
	int64_t current; /* the watermark as announced */

	const Vector **key_columns;
	uint16_t *rows; /* of the batch: those that can meet something */
	char **payloads;
	RowRef *chain; /* rows of one key, the newest first */
	uint32_t chain_capacity;
} StreamJoinOp;

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

static Status
stream_join_open(Operator *op, TaskContext *task, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	const PlanNode *plan = op->plan;
	JoinShape shape = plan->stream_join.shape;
	uint32_t keys = plan->stream_join.key_count;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, keys + 1);

	self->task = task;
	self->plan = plan;
	self->current = INT64_MIN;
	open_side(self, LEFT, task);
	open_side(self, RIGHT, task);
	self->sides[LEFT].wants_unmatched =
		shape == SHAPE_LEFT || shape == SHAPE_FULL || shape == SHAPE_ANTI;
	self->sides[RIGHT].wants_unmatched = shape == SHAPE_RIGHT || shape == SHAPE_FULL;
	for (uint32_t k = 0; k < keys; k++)
		types[k] = plan->inputs[LEFT]->schema.fields[k].type;
	GroupTableSpec spec = {.key_types = types,
			       .key_count = keys,
			       .payload_size = sizeof(KeyRows),
			       .byte_limit = task->state_limit};
	self->keys = group_table_new(&spec);
	self->pairs = new_pairs(self, task);
	self->key_columns = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
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
	for (uint32_t c = 0; c < side->count; c++) {
		Vector *column = &pairs->columns[first + c];

		if (place->segment != NULL)
			vector_copy(column, to, &place->segment->columns[side->first + c],
				    place->row, NULL);
		else
			vector_set_null(column, to);
	}
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

static void
keep_in_chain(StreamJoinOp *self, uint32_t at, RowRef ref)
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
			keep_in_chain(self, count++, at);
		at = place->segment->older[place->row];
	}
	while (count > 0) {
		places[!side].segment =
			row_log_find(&other->log, self->chain[--count], &places[!side].row);
		TRY(add_pair(self, batch, row, &places[LEFT], &places[RIGHT], err));
	}
	return FERRIS_OK;
}

/* A row of that time and side can meet rows until event time on the other side is later. */
static int64_t
expiry_of(const StreamJoinOp *self, int side, int64_t time)
{
	const PlanNode *plan = self->plan;

	if (!plan->stream_join.timed)
		return ROW_NEVER - 1;
	return time + (side == LEFT ? plan->stream_join.high : -plan->stream_join.low) +
	       plan->stream_join.grace;
}

static Status
keep_and_meet(StreamJoinOp *self, int side, const Batch *batch, uint32_t count, Error *err)
{
	uint32_t keys = self->plan->stream_join.key_count;
	bool timed = self->plan->stream_join.timed;
	Side *own = &self->sides[side];
	const Vector *times = &batch->columns[keys];
	uint32_t first_new;

	for (uint32_t k = 0; k < keys; k++)
		self->key_columns[k] = &batch->columns[k];
	memcpy(own->columns, batch->columns, sizeof(Vector) * keys);
	memcpy(own->columns + keys, batch->columns + keys + timed, sizeof(Vector) * own->count);
	TRY(group_table_find(self->keys, self->key_columns, self->rows, count, self->payloads,
			     &first_new, err));
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];
		KeyRows *key = (KeyRows *)self->payloads[i];
		int64_t time =
			timed ? VECTOR_DATA(times, const int64_t)[times->constant ? 0 : row] : 0;

		key->newest[side] = row_log_add(&own->log, own->columns, row, time,
						expiry_of(self, side, time), key->newest[side]);
		TRY(meet_row(self, side, batch, row, key->newest[side], key, err));
		if (self->task->stop_at_error && self->task->result->error_count > 0)
			return FERRIS_OK;
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
	const Side *own = &self->sides[side];
	uint32_t skipped = own->first + self->plan->stream_join.timed;
	Batch *pairs = self->pairs;
	uint32_t to = pairs->row_count++;
	uint32_t first = side == LEFT ? 0 : self->sides[LEFT].count;
	uint32_t other = side == LEFT ? self->sides[LEFT].count : 0;

	for (uint32_t c = 0; c < own->count; c++)
		vector_copy(&pairs->columns[first + c], to, &batch->columns[skipped + c], row,
			    NULL);
	for (uint32_t c = 0; c < self->sides[!side].count; c++)
		vector_set_null(&pairs->columns[other + c], to);
	pairs->records[to] = batch->records[row];
	if (pairs->row_count < BATCH_CAPACITY)
		return FERRIS_OK;
	batch_select_all(pairs);
	return push_on(self, batch->derived, err);
}

static Status
check_memory(const StreamJoinOp *self, Error *err)
{
	size_t bytes = group_table_bytes(self->keys) + row_log_bytes(&self->sides[LEFT].log) +
		       row_log_bytes(&self->sides[RIGHT].log);

	if (bytes <= self->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "the rows that a join keeps (%llu of the left side, %llu of the right) do not "
		  "fit into %zu bytes",
		  (unsigned long long)self->sides[LEFT].log.rows,
		  (unsigned long long)self->sides[RIGHT].log.rows, self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or let the rows meet within a shorter "
			       "time");
}

static Status expire(StreamJoinOp *self, int side, Error *err);

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
	if (self->pairs->row_count > 0) {
		batch_select_all(self->pairs);
		TRY(push_on(self, batch->derived, err));
	}
	TRY(keep_and_meet(self, side, batch, count, err));
	if (self->sides[!side].watermark == INT64_MAX)
		TRY(expire(self, !side, err));
	return check_memory(self, err);
}

/* ---------------------------------------------------------------- time */

/* Rows that nothing can meet any more and that met nothing. */
static Status
push_expired(StreamJoinOp *self, int side, int64_t time, Error *err)
{
	RowLog *log = &self->sides[side].log;

	for (uint32_t s = 0; s < log->count; s++) {
		RowSegment *segment = log->segments[s];
		int64_t open = INT64_MAX;

		if (segment->first_open >= time)
			continue;
		for (uint32_t row = 0; row < segment->count; row++) {
			Place places[2] = {{0}, {0}};

			if (segment->marked[row])
				continue;
			if (segment->expiry[row] >= time) {
				open = segment->expiry[row] < open ? segment->expiry[row] : open;
				continue;
			}
			segment->marked[row] = true;
			places[side] = (Place){segment, row};
			put_place(&self->sides[LEFT], &places[LEFT], self->pairs, 0,
				  self->pairs->row_count);
			put_place(&self->sides[RIGHT], &places[RIGHT], self->pairs,
				  self->sides[LEFT].count, self->pairs->row_count);
			self->pairs->records[self->pairs->row_count++] = (RecordRange){0};
			if (self->pairs->row_count < BATCH_CAPACITY)
				continue;
			batch_select_all(self->pairs);
			TRY(push_on(self, true, err));
		}
		segment->first_open = open;
	}
	if (self->pairs->row_count == 0)
		return FERRIS_OK;
	batch_select_all(self->pairs);
	return push_on(self, true, err);
}

/* Chains the rows of a side to the keys of a new table. */
static Status
add_keys(StreamJoinOp *self, int side, Error *err)
{
	RowLog *log = &self->sides[side].log;
	uint32_t keys = self->plan->stream_join.key_count;
	uint32_t first_new;

	for (uint32_t row = 0; row < BATCH_CAPACITY; row++)
		self->rows[row] = (uint16_t)row;
	for (uint32_t s = 0; s < log->count; s++) {
		RowSegment *segment = log->segments[s];

		for (uint32_t k = 0; k < keys; k++)
			self->key_columns[k] = &segment->columns[k];
		TRY(group_table_find(self->keys, self->key_columns, self->rows, segment->count,
				     self->payloads, &first_new, err));
		for (uint32_t row = 0; row < segment->count; row++) {
			KeyRows *key = (KeyRows *)self->payloads[row];

			segment->older[row] = key->newest[side];
			key->newest[side] = (log->first + s + 1) << 16 | row;
		}
	}
	return FERRIS_OK;
}

/* Keys whose rows have all gone are forgotten when they are the most. */
static Status
forget_keys(StreamJoinOp *self, Error *err)
{
	uint64_t rows = self->sides[LEFT].log.rows + self->sides[RIGHT].log.rows;

	if (group_table_count(self->keys) < REBUILD_FLOOR ||
	    group_table_count(self->keys) / 4 < rows)
		return FERRIS_OK;
	group_table_clear(self->keys);
	TRY(add_keys(self, LEFT, err));
	return add_keys(self, RIGHT, err);
}

/* Event time on `side` has moved: rows of the other side expire. */
static Status
expire(StreamJoinOp *self, int side, Error *err)
{
	Side *other = &self->sides[!side];
	int64_t time = self->sides[side].watermark;

	batch_reset(self->pairs);
	if (other->wants_unmatched)
		TRY(push_expired(self, !side, time, err));
	row_log_expire(&other->log, time);
	return forget_keys(self, err);
}

static Status
stream_join_advance(Operator *op, uint32_t side, int64_t watermark, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	const PlanNode *plan = self->plan;
	int64_t behind = plan->stream_join.high > -plan->stream_join.low ? plan->stream_join.high
									 : -plan->stream_join.low;
	int64_t other = self->sides[!side].watermark;

	/* Without a bound in time the watermark says nothing of the rows that come out. */
	if (!plan->stream_join.timed && watermark != INT64_MAX)
		return FERRIS_OK;
	self->sides[side].watermark = watermark;
	TRY(expire(self, (int)side, err));
	/* Rows that came when the other side was past them already must be out before this. */
	TRY(expire(self, !side, err));
	int64_t least = watermark < other ? watermark : other;
	if (!plan->stream_join.timed || least == INT64_MAX || least == INT64_MIN)
		return FERRIS_OK;
	least -= (behind > 0 ? behind : 0) + plan->stream_join.grace;
	if (least <= self->current)
		return FERRIS_OK;
	self->current = least;
	return operator_advance(op->next, least, err);
}

static Status
stream_join_finish(Operator *op, uint32_t side, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;

	TRY(stream_join_advance(op, side, INT64_MAX, err));
	if (self->sides[!side].watermark != INT64_MAX)
		return FERRIS_OK;
	return operator_finish(op->next, err);
}

/* ---------------------------------------------------------------- saved and loaded */

/* The operator's own record: how far event time has come. */
static Status
save_times(const StreamJoinOp *self, StateWriter *writer, Buffer *value, Error *err)
{
	buffer_reset(value);
	record_u64(value, (uint64_t)self->current);
	record_u64(value, (uint64_t)self->sides[LEFT].watermark);
	record_u64(value, (uint64_t)self->sides[RIGHT].watermark);
	return writer->put(writer, STR(""), (Str){value->data, (uint32_t)value->len}, err);
}

/* A record for each row: side and number, then time, mark and values. */
static Status
save_side(StreamJoinOp *self, int side, StateWriter *writer, Buffer *key, Buffer *value, Error *err)
{
	const Side *own = &self->sides[side];
	const Vector **vectors =
		ARENA_ARRAY(&self->pairs->heap, const Vector *, own->log.column_count + 1);

	for (uint32_t s = 0; s < own->log.count; s++) {
		const RowSegment *segment = own->log.segments[s];

		for (uint32_t c = 0; c < own->log.column_count; c++)
			vectors[c] = &segment->columns[c];
		for (uint32_t row = 0; row < segment->count; row++) {
			buffer_reset(key);
			record_key_u32(key, (uint32_t)side);
			record_key_u64(key, (own->log.first + s) << 16 | row);
			buffer_reset(value);
			record_u64(value, (uint64_t)segment->times[row]);
			record_u32(value, segment->marked[row]);
			record_write_row(value, vectors, own->log.column_count, row);
			TRY(writer->put(writer, (Str){key->data, (uint32_t)key->len},
					(Str){value->data, (uint32_t)value->len}, err));
		}
	}
	return FERRIS_OK;
}

static Status
stream_join_save(Operator *op, StateWriter *writer, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	Buffer key, value;

	batch_reset(self->pairs);
	buffer_init(&key, SIZE_MAX);
	buffer_init(&value, SIZE_MAX);
	Status status = save_times(self, writer, &value, err);
	for (int side = LEFT; side <= RIGHT && status == FERRIS_OK; side++)
		status = save_side(self, side, writer, &key, &value, err);
	buffer_free(&key);
	buffer_free(&value);
	return status;
}

static Status
load_times(StreamJoinOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	self->current = (int64_t)record_take_u64(&reader);
	self->sides[LEFT].watermark = (int64_t)record_take_u64(&reader);
	self->sides[RIGHT].watermark = (int64_t)record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

static Status
load_row(StreamJoinOp *self, int side, RecordReader *reader, Error *err)
{
	Side *own = &self->sides[side];
	Batch *row = batch_new(own->log.fields, NULL, own->log.column_count);
	Vector **columns = ARENA_ARRAY(&row->heap, Vector *, own->log.column_count + 1);
	int64_t time = (int64_t)record_take_u64(reader);
	uint32_t marked = record_take_u32(reader);
	Status status = FERRIS_OK;
	uint32_t first_new;
	char *payload;

	for (uint32_t c = 0; c < own->log.column_count; c++)
		columns[c] = &row->columns[c];
	if (reader->damaged || record_read_row(reader->next, reader->end, columns,
					       own->log.column_count, 0) != reader->end)
		status = store_damaged(err);
	for (uint32_t k = 0; k < self->plan->stream_join.key_count; k++)
		self->key_columns[k] = columns[k];
	if (status == FERRIS_OK)
		status = group_table_find(self->keys, self->key_columns, (uint16_t[]){0}, 1,
					  &payload, &first_new, err);
	if (status == FERRIS_OK) {
		KeyRows *key = (KeyRows *)payload;
		uint32_t at;

		key->newest[side] = row_log_add(&own->log, row->columns, 0, time,
						expiry_of(self, side, time), key->newest[side]);
		row_log_find(&own->log, key->newest[side], &at)->marked[at] = marked != 0;
	}
	batch_destroy(row);
	return status;
}

static Status
stream_join_load(Operator *op, Str key, Str value, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	RecordReader place = record_reader(key);
	RecordReader reader = record_reader(value);

	if (key.len == 0)
		return load_times(self, value, err);
	uint32_t side = __builtin_bswap32(record_take_u32(&place));
	if (place.damaged || side > RIGHT)
		return store_damaged(err);
	return load_row(self, (int)side, &reader, err);
}

static void
stream_join_close(Operator *op)
{
	StreamJoinOp *self = (StreamJoinOp *)op;

	row_log_free(&self->sides[LEFT].log);
	row_log_free(&self->sides[RIGHT].log);
	group_table_destroy(self->keys);
	batch_destroy(self->pairs);
	program_free(self->residual);
	memory_free(self->chain);
}

const OperatorClass stream_join_class = {
	.name = "StreamJoin",
	.size = sizeof(StreamJoinOp),
	.open = stream_join_open,
	.push_from = stream_join_push,
	.advance_from = stream_join_advance,
	.finish_from = stream_join_finish,
	.save = stream_join_save,
	.load = stream_join_load,
	.close = stream_join_close,
	.makes_rows = makes_rows_always,
};
