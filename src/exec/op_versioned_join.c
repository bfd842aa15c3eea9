/* exec/op_versioned_join.c -- VERSIONED JOIN: rows of the left, each with one row of the right.
 *
 * By time (ASOF JOIN, FOR SYSTEM_TIME AS OF): rows of both sides wait until the watermark of both
 * has passed them, and are then taken in order of time, as one sequence.  A row of the right
 * becomes the version of its key and takes the place of the one before it; a row of the left comes
 * out with the version that its key has at that moment.  So no more than one version of each key is
 * kept besides the rows that wait, and neither the order of arrival nor how the sides were
 * interleaved shows in the answer.  Where the next row of the right is wanted instead, rows of the
 * left wait on for it, chained by key.
 *
 * Of versions of one time the one that arrived last counts.  A row older than its own side's
 * watermark is late: it is counted and left out.
 *
 * By arrival (a stream with a table that changes): the last row of each key is kept, and rows of
 * the left pass at once.
 *
 * A row of the right that is taken back, or goes before an update, ends the version of its key.
 *
 * Owns:    the waiting rows, the versions and their keys.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "state/group_table.h"
#include "state/row_slab.h"

#define LEFT  0
#define RIGHT 1

#define ORDER_SECOND (UINT64_C(1) << 63) /* behind the other side's rows of the same time */
#define ORDER_MASK   (ORDER_SECOND - 1)

/* The payload of a key.  Places + 1, so that 0 is none. */
typedef struct KeyState {
	uint32_t current;       /* of the right: its version */
	uint32_t first_pending; /* of the left: rows that wait for the next version */
	uint32_t last_pending;
	uint32_t unused;
} KeyState;

/* A row that waits for its time. */
typedef struct Event {
	int64_t time;
	uint64_t order; /* among those of one time */
	KeyState *key;  /* NULL: a row of the left that looks for it when it is taken */
	uint32_t place; /* NO_PLACE: the key has no version from then on */
	uint32_t side;
} Event;

/* A row of the left that waits for the next version of its key. */
typedef struct Pending {
	uint32_t next_of_key;   /* places + 1 */
	uint32_t before, after; /* of all that wait, in order of time */
	int64_t time;
} Pending;

typedef struct Side {
	RowSlab rows;      /* columns: the keys, then those that come out */
	uint32_t count;    /* columns that come out */
	Vector *columns;   /* of a batch, in the order of the slab's */
	int64_t watermark; /* INT64_MIN: none yet, INT64_MAX: it has ended */
} Side;

typedef struct VersionedJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	uint32_t key_count;
	Version version;
	bool outer; /* a row of the left without a version comes out with NULLs */
	Side sides[2];
	GroupTable *keys;
	Event *events; /* a heap */
	uint32_t event_count, event_capacity;
	uint64_t arrivals;
	Pending *pending; /* by place of the left */
	uint32_t pending_capacity;
	uint32_t first_pending, last_pending; /* places + 1 */
	int64_t current;                      /* the watermark as announced */

	Batch *out; /* rows that come out: the left columns, then the right */
	int64_t before[BATCH_CAPACITY];
	const Vector **key_columns;
	const Vector **slab_keys; /* the left's */
	uint16_t *rows;           /* of the batch: those that count */
	char **payloads;
} VersionedJoinOp;

/* ---------------------------------------------------------------- opening */

static void
open_side(VersionedJoinOp *self, int side, TaskContext *task)
{
	const Schema *schema = &self->plan->inputs[side]->schema;
	uint32_t keys = self->key_count;
	uint32_t skipped = self->plan->stream_join.timed; /* the time is kept in the event */
	Side *out = &self->sides[side];
	Field *fields = ARENA_ARRAY(task->arena, Field, schema->count + 1);

	memcpy(fields, schema->fields, sizeof *fields * keys);
	memcpy(fields + keys, schema->fields + keys + skipped,
	       sizeof *fields * (schema->count - keys - skipped));
	row_slab_init(&out->rows, fields, schema->count - skipped);
	out->count = schema->count - keys - skipped;
	out->columns = ARENA_ARRAY(task->arena, Vector, schema->count + 1);
	out->watermark = INT64_MIN;
}

static Status
versioned_join_open(Operator *op, TaskContext *task, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t keys = plan->stream_join.key_count;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, keys + 1);

	(void)err;
	self->task = task;
	self->plan = plan;
	self->key_count = keys;
	self->version = plan->stream_join.version;
	self->outer = plan->stream_join.shape == SHAPE_LEFT;
	self->current = INT64_MIN;
	open_side(self, LEFT, task);
	open_side(self, RIGHT, task);
	for (uint32_t k = 0; k < keys; k++)
		types[k] = plan->inputs[LEFT]->schema.fields[k].type;
	GroupTableSpec spec = {.key_types = types,
			       .key_count = keys,
			       .payload_size = sizeof(KeyState),
			       .byte_limit = task->state_limit};
	self->keys = group_table_new(&spec);
	self->out = batch_new(plan->schema.fields, NULL, plan->schema.count);
	self->key_columns = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
	self->slab_keys = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	return FERRIS_OK;
}

/* Whether rows of the left wait for a version that comes after them. */
static bool
wants_next(const VersionedJoinOp *self)
{
	return self->version == VERSION_FROM || self->version == VERSION_AFTER;
}

/* ---------------------------------------------------------------- rows that come out */

static Status
push_out(VersionedJoinOp *self, bool derived, Error *err)
{
	Batch *out = self->out;
	Status status = FERRIS_OK;

	batch_select_all(out);
	out->derived = derived;
	out->counted = true;
	if (out->sel_count > 0)
		status = task_push_made(self->task, self->base.next, out, err);
	batch_reset(out);
	return status;
}

static void
put_right(VersionedJoinOp *self, uint32_t place, uint32_t to)
{
	const Side *right = &self->sides[RIGHT];
	Vector *columns = self->out->columns + self->sides[LEFT].count;

	for (uint32_t c = 0; c < right->count; c++)
		if (place != NO_PLACE)
			vector_copy(&columns[c], to, &right->rows.columns[self->key_count + c],
				    place, NULL);
		else
			vector_set_null(&columns[c], to);
}

/* A row of the left that has waited, with one of the right or none; the left's goes. */
static Status
put_out(VersionedJoinOp *self, uint32_t left, uint32_t right, Error *err)
{
	Side *side = &self->sides[LEFT];
	Batch *out = self->out;

	if (right != NO_PLACE || self->outer) {
		uint32_t to = out->row_count++;

		for (uint32_t c = 0; c < side->count; c++)
			vector_copy(&out->columns[c], to, &side->rows.columns[self->key_count + c],
				    left, NULL);
		put_right(self, right, to);
		out->records[to] = (RecordRange){0};
	}
	row_slab_remove(&side->rows, left);
	return out->row_count == BATCH_CAPACITY ? push_out(self, true, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- events in order of time */

static bool
comes_before(const Event *a, const Event *b)
{
	return a->time != b->time ? a->time < b->time : a->order < b->order;
}

static void
add_event(VersionedJoinOp *self, Event event)
{
	uint32_t at = self->event_count++;

	if (at == self->event_capacity) {
		self->event_capacity = 2 * self->event_capacity + 256;
		self->events =
			memory_resize(self->events, sizeof *self->events * self->event_capacity);
	}
	for (; at > 0 && comes_before(&event, &self->events[(at - 1) / 2]); at = (at - 1) / 2)
		self->events[at] = self->events[(at - 1) / 2];
	self->events[at] = event;
}

static Event
take_event(VersionedJoinOp *self)
{
	Event *events = self->events;
	Event first = events[0];
	Event last = events[--self->event_count];
	uint32_t at = 0;

	for (uint32_t child = 1; child < self->event_count; child = 2 * at + 1) {
		if (child + 1 < self->event_count &&
		    comes_before(&events[child + 1], &events[child]))
			child++;
		if (!comes_before(&events[child], &last))
			break;
		events[at] = events[child];
		at = child;
	}
	events[at] = last;
	return first;
}

/* Of one time: versions in order of arrival, so that the last one stays; where the next version is
 * wanted the last one comes first, and finds those that wait.  Which side is first says whether
 * rows of one time meet. */
static uint64_t
order_of(VersionedJoinOp *self, int side)
{
	uint64_t number = self->arrivals++;
	bool right_first = self->version == VERSION_UP_TO || self->version == VERSION_AFTER;

	if (side == RIGHT && wants_next(self))
		number = ~number & ORDER_MASK;
	return number | ((side == RIGHT) == right_first ? 0 : ORDER_SECOND);
}

/* ---------------------------------------------------------------- waiting for the next version */

static void
add_pending(VersionedJoinOp *self, const Event *event)
{
	uint32_t number = event->place + 1;

	if (event->place >= self->pending_capacity) {
		self->pending_capacity = self->sides[LEFT].rows.capacity;
		self->pending = memory_resize(self->pending,
					      sizeof *self->pending * self->pending_capacity);
	}
	self->pending[event->place] = (Pending){.before = self->last_pending, .time = event->time};
	if (self->last_pending != 0)
		self->pending[self->last_pending - 1].after = number;
	else
		self->first_pending = number;
	self->last_pending = number;
	if (event->key->last_pending != 0)
		self->pending[event->key->last_pending - 1].next_of_key = number;
	else
		event->key->first_pending = number;
	event->key->last_pending = number;
}

static void
remove_pending(VersionedJoinOp *self, uint32_t place)
{
	const Pending *pending = &self->pending[place];

	if (pending->before != 0)
		self->pending[pending->before - 1].after = pending->after;
	else
		self->first_pending = pending->after;
	if (pending->after != 0)
		self->pending[pending->after - 1].before = pending->before;
	else
		self->last_pending = pending->before;
}

/* The key's rows that wait come out with this version. */
static Status
meet_pending(VersionedJoinOp *self, KeyState *key, uint32_t right, Error *err)
{
	while (key->first_pending != 0) {
		uint32_t place = key->first_pending - 1;

		key->first_pending = self->pending[place].next_of_key;
		remove_pending(self, place);
		TRY(put_out(self, place, right, err));
	}
	key->last_pending = 0;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- taking events */

static void
set_version(VersionedJoinOp *self, KeyState *key, uint32_t place)
{
	if (key->current != 0)
		row_slab_remove(&self->sides[RIGHT].rows, key->current - 1);
	key->current = place == NO_PLACE ? 0 : place + 1;
}

static Status
take_left(VersionedJoinOp *self, const Event *event, Error *err)
{
	RowSlab *rows = &self->sides[LEFT].rows;
	const KeyState *key = NULL;

	if (event->key != NULL) {
		add_pending(self, event);
		return FERRIS_OK;
	}
	for (uint32_t k = 0; k < self->key_count; k++)
		self->slab_keys[k] = &rows->columns[k];
	if (!wants_next(self) && !any_null(self->slab_keys, self->key_count, event->place))
		key = (KeyState *)group_table_get(self->keys, self->slab_keys, event->place);
	return put_out(self, event->place,
		       key != NULL && key->current != 0 ? key->current - 1 : NO_PLACE, err);
}

static Status
take_right(VersionedJoinOp *self, const Event *event, Error *err)
{
	if (!wants_next(self)) {
		set_version(self, event->key, event->place);
		return FERRIS_OK;
	}
	if (event->place == NO_PLACE)
		return FERRIS_OK;
	TRY(meet_pending(self, event->key, event->place, err));
	row_slab_remove(&self->sides[RIGHT].rows, event->place);
	return FERRIS_OK;
}

static int64_t
least_watermark(const VersionedJoinOp *self)
{
	int64_t left = self->sides[LEFT].watermark;
	int64_t right = self->sides[RIGHT].watermark;

	return left < right ? left : right;
}

/* Rows before the watermark of both sides: nothing can come any more that belongs before them. */
static Status
take_events(VersionedJoinOp *self, Error *err)
{
	int64_t time = least_watermark(self);

	batch_reset(self->out);
	while (self->event_count > 0 && (self->events[0].time < time || time == INT64_MAX)) {
		Event event = take_event(self);

		TRY(event.side == LEFT ? take_left(self, &event, err)
				       : take_right(self, &event, err));
	}
	/* There is no next version any more. */
	while (time == INT64_MAX && self->first_pending != 0) {
		uint32_t place = self->first_pending - 1;

		remove_pending(self, place);
		TRY(put_out(self, place, NO_PLACE, err));
	}
	TRY(push_out(self, true, err));
	row_slab_tidy(&self->sides[LEFT].rows);
	row_slab_tidy(&self->sides[RIGHT].rows);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- a batch */

static Str
time_name(const VersionedJoinOp *self, int side)
{
	return self->plan->inputs[side]->schema.fields[self->key_count].name;
}

/* Whether the row has a time, and comes in time. */
static bool
is_timely(const VersionedJoinOp *self, int side, Batch *batch, uint16_t row)
{
	const Vector *times = &batch->columns[self->key_count];
	int64_t time;

	if (!self->plan->stream_join.timed)
		return true;
	if (!batch_row_time(batch, times, row, time_name(self, side), "row", &time))
		return false;
	int64_t watermark =
		batch->watermarks != NULL ? batch->watermarks[row] : self->sides[side].watermark;
	if (watermark == INT64_MIN || time >= watermark)
		return true;
	self->task->result->late += !batch->counted;
	return false;
}

/* The rows that count: they have a time and come in time; with a key, unless they are of the left
 * and come out without. */
static uint32_t
select_rows(VersionedJoinOp *self, int side, Batch *batch)
{
	uint32_t count = 0;

	for (uint32_t k = 0; k < self->key_count; k++)
		self->key_columns[k] = &batch->columns[k];
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (!is_timely(self, side, batch, row)) {
			if (self->task->stop_at_error && batch->error_count > 0)
				break;
			continue;
		}
		if ((side == RIGHT || !self->outer) &&
		    any_null(self->key_columns, self->key_count, row)) {
			batch->filtered += !batch->counted;
			continue;
		}
		self->task->result->aggregated += !batch->counted;
		self->rows[count++] = row;
	}
	return count;
}

/* The keys' states for the rows; made only where something will be kept there. */
static Status
find_keys(VersionedJoinOp *self, int side, uint32_t count, Error *err)
{
	uint32_t first_new;

	if (side == RIGHT || wants_next(self))
		return group_table_find(self->keys, self->key_columns, self->rows, count,
					self->payloads, &first_new, err);
	if (self->version == VERSION_LATEST)
		group_table_get_many(self->keys, self->key_columns, self->rows, count,
				     self->payloads);
	else
		memset(self->payloads, 0, sizeof *self->payloads * count);
	return FERRIS_OK;
}

/* The batch's columns as the side's rows have them. */
static void
set_columns(VersionedJoinOp *self, int side, const Batch *batch)
{
	Side *own = &self->sides[side];
	uint32_t skipped = self->key_count + self->plan->stream_join.timed;

	memcpy(own->columns, batch->columns, sizeof(Vector) * self->key_count);
	memcpy(own->columns + self->key_count, batch->columns + skipped,
	       sizeof(Vector) * own->count);
}

/* The row, kept; or none, if it says that the row of its key is no more. */
static uint32_t
keep_row(Side *own, const Batch *batch, uint16_t row)
{
	if (batch->kinds != NULL &&
	    (batch->kinds[row] == ROW_DELETE || batch->kinds[row] == ROW_UPDATE_BEFORE))
		return NO_PLACE;
	return row_slab_add(&own->rows, own->columns, row);
}

static void
keep_events(VersionedJoinOp *self, int side, const Batch *batch, uint32_t count)
{
	const Vector *times = &batch->columns[self->key_count];
	Side *own = &self->sides[side];

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];
		KeyState *key = (KeyState *)self->payloads[i];

		if (side == LEFT && any_null(self->key_columns, self->key_count, row))
			key = NULL;
		add_event(self, (Event){.time = VECTOR_DATA(
						times, const int64_t)[times->constant ? 0 : row],
					.order = order_of(self, side),
					.key = key,
					.place = keep_row(own, batch, row),
					.side = (uint32_t)side});
	}
}

/* By arrival: rows of the left go on with what their keys have now. */
static Status
look_up(VersionedJoinOp *self, const Batch *batch, uint32_t count, Error *err)
{
	Batch *out = self->out;

	batch_reset(out);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];
		const KeyState *key = (KeyState *)self->payloads[i];
		bool found = key != NULL && key->current != 0;

		if (!found && !self->outer)
			continue;
		uint32_t to = out->row_count++;
		for (uint32_t c = 0; c < self->sides[LEFT].count; c++)
			vector_copy(&out->columns[c], to, &batch->columns[self->key_count + c], row,
				    NULL);
		put_right(self, found ? key->current - 1 : NO_PLACE, to);
		out->records[to] = batch->records[row];
		if (batch->watermarks != NULL)
			self->before[to] = batch->watermarks[row];
	}
	out->watermarks = batch->watermarks != NULL ? self->before : NULL;
	Status status = push_out(self, batch->derived, err);
	out->watermarks = NULL;
	return status;
}

static Status
check_memory(const VersionedJoinOp *self, Error *err)
{
	size_t bytes = group_table_bytes(self->keys) + row_slab_bytes(&self->sides[LEFT].rows) +
		       row_slab_bytes(&self->sides[RIGHT].rows) +
		       sizeof(Event) * self->event_capacity +
		       sizeof(Pending) * self->pending_capacity;

	if (bytes <= self->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "the rows that a join keeps (%u of the left side, %u of the right) do not fit "
		  "into %zu bytes",
		  self->sides[LEFT].rows.rows, self->sides[RIGHT].rows.rows,
		  self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or declare WATERMARK FOR the times of "
			       "both sides, so that rows need not wait for the end");
}

static Status
versioned_join_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;
	int side = (int)input;
	Side *own = &self->sides[side];

	task_stop_at_error(self->task, batch);
	uint32_t count = select_rows(self, side, batch);
	TRY(find_keys(self, side, count, err));
	set_columns(self, side, batch);
	if (self->version != VERSION_LATEST) {
		keep_events(self, side, batch, count);
		return check_memory(self, err);
	}
	if (side == LEFT)
		return look_up(self, batch, count, err);
	for (uint32_t i = 0; i < count; i++)
		set_version(self, (KeyState *)self->payloads[i],
			    keep_row(own, batch, self->rows[i]));
	row_slab_tidy(&self->sides[RIGHT].rows);
	return check_memory(self, err);
}

/* ---------------------------------------------------------------- time */

static Status
versioned_join_advance(Operator *op, uint32_t side, int64_t watermark, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;

	self->sides[side].watermark = watermark;
	if (self->version == VERSION_LATEST)
		return side == LEFT && watermark != INT64_MAX
			       ? operator_advance(op->next, watermark, err)
			       : FERRIS_OK;
	TRY(take_events(self, err));
	int64_t least = least_watermark(self);
	if (self->first_pending != 0 && self->pending[self->first_pending - 1].time < least)
		least = self->pending[self->first_pending - 1].time;
	if (least <= self->current || least == INT64_MAX)
		return FERRIS_OK;
	self->current = least;
	return operator_advance(op->next, least, err);
}

static Status
versioned_join_finish(Operator *op, uint32_t side, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;

	TRY(versioned_join_advance(op, side, INT64_MAX, err));
	return self->sides[!side].watermark == INT64_MAX ? operator_finish(op->next, err)
							 : FERRIS_OK;
}

static void
versioned_join_close(Operator *op)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;

	row_slab_free(&self->sides[LEFT].rows);
	row_slab_free(&self->sides[RIGHT].rows);
	group_table_destroy(self->keys);
	batch_destroy(self->out);
	memory_free(self->events);
	memory_free(self->pending);
}

const OperatorClass versioned_join_class = {
	.name = "VersionedJoin",
	.size = sizeof(VersionedJoinOp),
	.open = versioned_join_open,
	.push_from = versioned_join_push,
	.advance_from = versioned_join_advance,
	.finish_from = versioned_join_finish,
	.close = versioned_join_close,
	.makes_rows = makes_rows_always,
};
