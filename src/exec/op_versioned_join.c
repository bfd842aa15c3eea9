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
 * What does not fit into memory goes to disk: rows that wait for their time in its order
 * (state/event_queue.h), versions with their keys (state/keyed.h).  Only rows of the left that wait
 * for a next version have to fit.
 *
 * Owns:    the waiting rows, the versions and their keys.
 * Threads: one operator belongs to one task. */
#include "exec/op_versioned_join.h"

#include "base/memory.h"
#include "state/changes.h"

#define ORDER_SECOND (UINT64_C(1) << 63) /* behind the other side's rows of the same time */
#define ORDER_MASK   (ORDER_SECOND - 1)

/* ---------------------------------------------------------------- payloads */

static void
save_version(void *owner, const char *payload, Buffer *out)
{
	const VersionedJoinOp *self = owner;
	const KeyState *key = (const KeyState *)(const void *)payload;

	row_table_write(&self->sides[RIGHT].rows, key->current - 1, out);
}

static bool
load_version(void *owner, char *payload, Str bytes)
{
	VersionedJoinOp *self = owner;
	KeyState *key = (KeyState *)(void *)payload;
	const char *end = bytes.data + bytes.len;
	uint32_t place;

	if (row_table_read(&self->sides[RIGHT].rows, bytes.data, end, &place) != end)
		return false;
	key->current = place + 1;
	self->live++;
	return true;
}

static void
release_version(void *owner, char *payload)
{
	VersionedJoinOp *self = owner;
	const KeyState *key = (const KeyState *)(const void *)payload;

	self->live -= !versioned_has_nothing(owner, payload);
	if (key->current != 0)
		row_table_drop(&self->sides[RIGHT].rows, key->current - 1);
}

static const PayloadClass version_payload = {.save = save_version,
					     .load = load_version,
					     .release = release_version,
					     .is_empty = versioned_has_nothing};

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
	row_table_init(&out->rows, fields, schema->count - skipped);
	self->events.tables[side] = &out->rows;
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
	event_queue_init(&self->events, task->store, STR(EVENTS_KEY));
	buffer_init(&self->key, SIZE_MAX);
	buffer_init(&self->value, SIZE_MAX);
	buffer_init(&self->changes, SIZE_MAX);
	open_side(self, LEFT, task);
	open_side(self, RIGHT, task);
	row_table_init(&self->waiting, self->sides[LEFT].rows.fields,
		       self->sides[LEFT].rows.column_count);
	self->run_keys = ARENA_ARRAY(task->arena, Vector, keys + 1);
	for (uint32_t k = 0; k < keys; k++) {
		types[k] = plan->inputs[LEFT]->schema.fields[k].type;
		vector_init(&self->run_keys[k], types[k], FORM_VALUE, SLICE);
	}
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = keys,
				       .payload_size = sizeof(KeyState),
				       .payload = &version_payload,
				       .owner = self,
				       .touched = true},
			  task->store);
	/* Of a key whose rows wait for the next version, only these are saved. */
	if (!versioned_wants_next(self))
		keyed_track(&self->family, &self->keys, STR(VERSIONS_KEY));
	self->out = batch_new(plan->schema.fields, NULL, plan->schema.count);
	self->key_columns = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
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

/* Of one time: versions in order of arrival, so that the last one stays; where the next version is
 * wanted the last one comes first, and finds those that wait.  Which side is first says whether
 * rows of one time meet. */
static uint64_t
order_of(VersionedJoinOp *self, int side)
{
	uint64_t number = self->arrivals++;
	bool right_first = self->version == VERSION_UP_TO || self->version == VERSION_AFTER;

	if (side == RIGHT && versioned_wants_next(self))
		number = ~number & ORDER_MASK;
	return number | ((side == RIGHT) == right_first ? 0 : ORDER_SECOND);
}

/* Whether the row says that the row of its key is no more. */
static bool
ends_version(const Batch *batch, uint16_t row)
{
	return batch->kinds != NULL &&
	       (batch->kinds[row] == ROW_DELETE || batch->kinds[row] == ROW_UPDATE_BEFORE);
}

static void
keep_events(VersionedJoinOp *self, int side, const Batch *batch, uint32_t count)
{
	const Vector *times = &batch->columns[self->key_count];
	Side *own = &self->sides[side];

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];

		event_queue_add(
			&self->events,
			(Event){.time = VECTOR_DATA(times,
						    const int64_t)[times->constant ? 0 : row],
				.order = order_of(self, side),
				.place = row_table_put(&own->rows, NO_PLACE, own->columns, row),
				.table = (uint8_t)side,
				.mark = ends_version(batch, row) ? ENDS_VERSION : 0});
	}
}

/* By arrival: a row of the left goes on with what its key has now. */
static void
put_latest(VersionedJoinOp *self, const Batch *batch, uint16_t row, const KeyState *key)
{
	Batch *out = self->out;
	bool found = key != NULL && key->current != 0;

	if (!found && !self->outer)
		return;
	uint32_t to = out->row_count++;
	for (uint32_t c = 0; c < self->sides[LEFT].count; c++)
		vector_copy(&out->columns[c], to, &batch->columns[self->key_count + c], row, NULL);
	versioned_put_right(self, found ? key->current - 1 : NO_PLACE, to);
	out->records[to] = batch->records[row];
	if (batch->watermarks != NULL)
		self->before[to] = batch->watermarks[row];
}

static Status
push_latest(VersionedJoinOp *self, const Batch *batch, Error *err)
{
	self->out->watermarks = batch->watermarks != NULL ? self->before : NULL;
	return versioned_push_out(self, batch->derived, err);
}

/* By arrival: some rows of a side and the states of their keys. */
static void
take_latest(VersionedJoinOp *self, int side, const Batch *batch, const uint16_t *rows,
	    uint32_t count)
{
	Side *own = &self->sides[side];

	for (uint32_t i = 0; i < count; i++) {
		KeyState *key = (KeyState *)(void *)self->payloads[i];

		if (side == LEFT)
			put_latest(self, batch, rows[i], key);
		else if (ends_version(batch, rows[i]))
			versioned_set_version(self, key, NO_PLACE);
		else
			versioned_set_version(
				self, key,
				row_table_put(&own->rows, NO_PLACE, own->columns, rows[i]));
	}
}

static Status
take_arrivals(VersionedJoinOp *self, int side, const Batch *batch, uint32_t total, Error *err)
{
	batch_reset(self->out);
	for (uint32_t done = 0, found; done < total; done += found) {
		uint32_t count = total - done;

		if (keyed_is_spilled(&self->keys) && count > SLICE)
			count = SLICE;
		TRY((side == RIGHT ? keyed_find : keyed_look)(&self->family, &self->keys,
							      self->key_columns, self->rows + done,
							      count, self->payloads, &found, err));
		take_latest(self, side, batch, self->rows + done, found);
		if (done + found == total)
			break;
		TRY(push_latest(self, batch, err));
		TRY(found < count ? versioned_write_out(self, err)
				  : versioned_keep_within(self, batch->derived, err));
	}
	TRY(push_latest(self, batch, err));
	versioned_tidy(self);
	return keyed_sweep(&self->family, &self->keys, self->live, err);
}

static Status
versioned_join_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;
	int side = (int)input;

	task_stop_at_error(self->task, batch);
	uint32_t count = select_rows(self, side, batch);
	set_columns(self, side, batch);
	if (self->version != VERSION_LATEST)
		keep_events(self, side, batch, count);
	else
		TRY(take_arrivals(self, side, batch, count, err));
	return versioned_keep_within(self, batch->derived, err);
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
	TRY(versioned_take_events(self, err));
	int64_t least = versioned_least_watermark(self);
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

/* ---------------------------------------------------------------- saved and loaded */

static Status
put_pending(VersionedJoinOp *self, StateWriter *writer, uint32_t place, Error *err)
{
	versioned_pending_key(self, &self->pending[place]);
	buffer_reset(&self->value);
	row_table_write(&self->waiting, place, &self->value);
	return writer->put(writer, (Str){self->key.data, (uint32_t)self->key.len},
			   (Str){self->value.data, (uint32_t)self->value.len}, err);
}

static Status
save_pending(VersionedJoinOp *self, StateWriter *writer, Error *err)
{
	bool changes = writer->changes_only && self->task->store->options.tracks;

	if (changes)
		TRY(changes_save(&self->changes, writer, err));
	for (uint32_t at = self->first_pending; at != 0; at = self->pending[at - 1].after) {
		Pending *pending = &self->pending[at - 1];

		if (changes && pending->saved)
			continue;
		TRY(put_pending(self, writer, at - 1, err));
		pending->saved = pending->saved || changes;
	}
	return FERRIS_OK;
}

/* The operator's own record: arrivals and watermarks. */
static Status
save_times(VersionedJoinOp *self, StateWriter *writer, Error *err)
{
	buffer_reset(&self->value);
	record_u64(&self->value, self->arrivals);
	record_u64(&self->value, (uint64_t)self->current);
	record_u64(&self->value, (uint64_t)self->sides[LEFT].watermark);
	record_u64(&self->value, (uint64_t)self->sides[RIGHT].watermark);
	return writer->put(writer, STR(""), (Str){self->value.data, (uint32_t)self->value.len},
			   err);
}

static Status
versioned_join_save(Operator *op, StateWriter *writer, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;

	TRY(save_times(self, writer, err));
	TRY(event_queue_save(&self->events, writer, err));
	return versioned_wants_next(self) ? save_pending(self, writer, err)
					  : keyed_save(&self->family, &self->keys, writer,
						       STR(VERSIONS_KEY), err);
}

static Status
load_times(VersionedJoinOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	self->arrivals = record_take_u64(&reader);
	self->current = (int64_t)record_take_u64(&reader);
	self->sides[LEFT].watermark = (int64_t)record_take_u64(&reader);
	self->sides[RIGHT].watermark = (int64_t)record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

/* They come in the order of time. */
static Status
load_pending(VersionedJoinOp *self, Str key, Str value, Error *err)
{
	RecordReader reader = record_reader(key);
	Event event = {.time = record_take_key_i64(&reader), .saved = true};
	const char *end = value.data + value.len;
	uint16_t row;
	uint32_t place, found;

	event.order = record_take_key_u64(&reader);
	if (reader.damaged || reader.next != reader.end ||
	    row_table_read(&self->waiting, value.data, end, &place) != end)
		return store_damaged(err);
	for (uint32_t k = 0; k < self->key_count; k++) {
		vector_reset(&self->run_keys[k]);
		self->key_columns[k] = &self->run_keys[k];
		vector_copy(&self->run_keys[k], 0, &self->waiting.columns[k], place, NULL);
	}
	row = 0;
	TRY(keyed_find(&self->family, &self->keys, self->key_columns, &row, 1, self->payloads,
		       &found, err));
	if (found == 0)
		return versioned_too_many_wait(self, err);
	versioned_add_pending(self, (KeyState *)(void *)self->payloads[0], place, &event);
	return FERRIS_OK;
}

static Status
versioned_join_load(Operator *op, Str key, Str value, Error *err)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;
	Str rest = key.len > 0 ? str_skip(key, 1) : key;

	if (key.len == 0)
		return load_times(self, value, err);
	if (key.data[0] == EVENTS_KEY[0])
		TRY(event_queue_load(&self->events, rest, value, err));
	else if (key.data[0] == VERSIONS_KEY[0] && !versioned_wants_next(self))
		TRY(keyed_take_in(&self->family, &self->keys, rest, value, err));
	else if (key.data[0] == PENDING_KEY[0] && versioned_wants_next(self))
		TRY(load_pending(self, rest, value, err));
	else
		return store_damaged(err);
	return versioned_keep_within(self, true, err);
}

static void
versioned_join_close(Operator *op)
{
	VersionedJoinOp *self = (VersionedJoinOp *)op;
	Error ignored = {0};

	event_queue_free(&self->events, &ignored);
	keyed_drop(&self->family, &self->keys);
	keyed_family_free(&self->family);
	row_table_free(&self->sides[LEFT].rows);
	row_table_free(&self->sides[RIGHT].rows);
	row_table_free(&self->waiting);
	for (uint32_t k = 0; self->run_keys != NULL && k < self->key_count; k++)
		vector_free(&self->run_keys[k]);
	batch_destroy(self->out);
	memory_free(self->pending);
	buffer_free(&self->key);
	buffer_free(&self->value);
	buffer_free(&self->changes);
}

const OperatorClass versioned_join_class = {
	.name = "VersionedJoin",
	.size = sizeof(VersionedJoinOp),
	.open = versioned_join_open,
	.push_from = versioned_join_push,
	.advance_from = versioned_join_advance,
	.finish_from = versioned_join_finish,
	.save = versioned_join_save,
	.saves_changes = true,
	.load = versioned_join_load,
	.close = versioned_join_close,
	.makes_rows = makes_rows_always,
};
