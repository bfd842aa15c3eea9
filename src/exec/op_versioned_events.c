/* exec/op_versioned_events.c -- VERSIONED JOIN: rows that wait are taken in order of time. */
#include "base/memory.h"
#include "exec/op_versioned_join.h"
#include "state/changes.h"

/* ---------------------------------------------------------------- rows that come out */

Status
versioned_push_out(VersionedJoinOp *self, bool derived, Error *err)
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

void
versioned_put_right(VersionedJoinOp *self, uint32_t place, uint32_t to)
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
put_out(VersionedJoinOp *self, RowTable *rows, uint32_t left, uint32_t right, Error *err)
{
	Batch *out = self->out;

	if (right != NO_PLACE || self->outer) {
		uint32_t to = out->row_count++;

		for (uint32_t c = 0; c < self->sides[LEFT].count; c++)
			vector_copy(&out->columns[c], to, &rows->columns[self->key_count + c], left,
				    NULL);
		versioned_put_right(self, right, to);
		out->records[to] = (RecordRange){0};
	}
	row_table_drop(rows, left);
	return out->row_count == BATCH_CAPACITY ? versioned_push_out(self, true, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- waiting for the next version */

void
versioned_add_pending(VersionedJoinOp *self, KeyState *key, uint32_t place, const Event *event)
{
	uint32_t number = place + 1;

	if (place >= self->pending_capacity) {
		self->pending_capacity = self->waiting.capacity;
		self->pending = memory_resize(self->pending,
					      sizeof *self->pending * self->pending_capacity);
	}
	self->live += versioned_has_nothing(self, (const char *)key);
	self->pending[place] =
		(Pending){.before = self->last_pending,
			  .saved = event->saved,
			  .time = event->time,
			  .order = event->order};
	if (self->last_pending != 0)
		self->pending[self->last_pending - 1].after = number;
	else
		self->first_pending = number;
	self->last_pending = number;
	if (key->last_pending != 0)
		self->pending[key->last_pending - 1].next_of_key = number;
	else
		key->first_pending = number;
	key->last_pending = number;
}

void
versioned_pending_key(VersionedJoinOp *self, const Pending *pending)
{
	buffer_reset(&self->key);
	buffer_append_str(&self->key, STR(PENDING_KEY));
	record_key_i64(&self->key, pending->time);
	record_key_u64(&self->key, pending->order);
}

static void
remove_pending(VersionedJoinOp *self, uint32_t place)
{
	const Pending *pending = &self->pending[place];

	if (pending->saved && self->task->store->options.tracks) {
		versioned_pending_key(self, pending);
		changes_add(&self->changes, STR(""),
			    (Str){self->key.data, (uint32_t)self->key.len}, (Str){0});
	}
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
	self->live -= key->first_pending != 0;
	while (key->first_pending != 0) {
		uint32_t place = key->first_pending - 1;

		key->first_pending = self->pending[place].next_of_key;
		remove_pending(self, place);
		TRY(put_out(self, &self->waiting, place, right, err));
	}
	key->last_pending = 0;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- taking events */

void
versioned_set_version(VersionedJoinOp *self, KeyState *key, uint32_t place)
{
	keyed_touch(&self->family, &self->keys, (char *)key);
	self->live -= key->current != 0;
	if (key->current != 0)
		row_table_drop(&self->sides[RIGHT].rows, key->current - 1);
	key->current = place == NO_PLACE ? 0 : place + 1;
	self->live += key->current != 0;
}

/* `key` is NULL if the row has none. */
static Status
take_left(VersionedJoinOp *self, const Event *event, KeyState *key, Error *err)
{
	RowTable *rows = &self->sides[LEFT].rows;

	if (key == NULL || !versioned_wants_next(self))
		return put_out(self, rows, event->place,
			       key != NULL && key->current != 0 ? key->current - 1 : NO_PLACE, err);
	uint32_t place = row_table_put(&self->waiting, NO_PLACE, rows->columns, event->place);
	row_table_drop(rows, event->place);
	versioned_add_pending(self, key, place, event);
	return FERRIS_OK;
}

static Status
take_right(VersionedJoinOp *self, const Event *event, KeyState *key, Error *err)
{
	RowTable *rows = &self->sides[RIGHT].rows;
	bool ends = event->mark == ENDS_VERSION;

	if (!versioned_wants_next(self)) {
		versioned_set_version(self, key, ends ? NO_PLACE : event->place);
		if (ends)
			row_table_drop(rows, event->place);
		return FERRIS_OK;
	}
	if (!ends)
		TRY(meet_pending(self, key, event->place, err));
	row_table_drop(rows, event->place);
	return FERRIS_OK;
}

/* The keys of the run's rows side by side; those that have one are selected.  Returns how many. */
static uint32_t
gather_keys(VersionedJoinOp *self, uint32_t count)
{
	uint32_t with_key = 0;

	for (uint32_t k = 0; k < self->key_count; k++) {
		vector_reset(&self->run_keys[k]);
		self->key_columns[k] = &self->run_keys[k];
	}
	for (uint32_t i = 0; i < count; i++) {
		const Event *event = &self->run[i];

		for (uint32_t k = 0; k < self->key_count; k++)
			vector_copy(&self->run_keys[k], i,
				    &self->sides[event->table].rows.columns[k], event->place, NULL);
		if (event->table == RIGHT || !any_null(self->key_columns, self->key_count, i))
			self->rows[with_key++] = (uint16_t)i;
	}
	return with_key;
}

/* Takes the first events of the run, as many as there is room for their keys. */
static Status
take_run(VersionedJoinOp *self, uint32_t count, uint32_t *taken, Error *err)
{
	uint32_t with_key = gather_keys(self, count);
	uint32_t found;
	uint32_t next = 0;

	TRY(keyed_find(&self->family, &self->keys, self->key_columns, self->rows, with_key,
		       self->payloads, &found, err));
	for (*taken = 0; *taken < count; ++*taken) {
		const Event *event = &self->run[*taken];
		KeyState *key = NULL;

		if (next < with_key && self->rows[next] == *taken) {
			if (next == found)
				return FERRIS_OK;
			key = (KeyState *)(void *)self->payloads[next++];
		}
		TRY(event->table == LEFT ? take_left(self, event, key, err)
					 : take_right(self, event, key, err));
	}
	return FERRIS_OK;
}

int64_t
versioned_least_watermark(const VersionedJoinOp *self)
{
	int64_t left = self->sides[LEFT].watermark;
	int64_t right = self->sides[RIGHT].watermark;

	return left < right ? left : right;
}

/* ---------------------------------------------------------------- memory */

/* Rows of the left that wait for a next version. */
static size_t
waiting_bytes(const VersionedJoinOp *self)
{
	return row_table_bytes(&self->waiting) + sizeof(Pending) * self->pending_capacity;
}

Status
versioned_too_many_wait(const VersionedJoinOp *self, Error *err)
{
	error_set(err, FERRIS_ERR_LIMIT,
		  "the %u rows of a join that wait for a next version do not fit into %zu bytes",
		  self->waiting.rows, store_memory(self->task->store));
	return error_hint(err, "raise 'state.memory.limit', or read fewer columns");
}

Status
versioned_write_out(VersionedJoinOp *self, Error *err)
{
	TRY(event_queue_spill(&self->events, err));
	if (!versioned_wants_next(self))
		TRY(keyed_write_out(&self->family, &self->keys, err));
	row_table_clear(&self->sides[LEFT].rows);
	row_table_clear(&self->sides[RIGHT].rows);
	size_t bytes = self->family.budget.used + waiting_bytes(self);
	return bytes <= store_memory(self->task->store) ? FERRIS_OK
							: versioned_too_many_wait(self, err);
}

Status
versioned_keep_within(VersionedJoinOp *self, bool derived, Error *err)
{
	size_t bytes = row_table_bytes(&self->sides[LEFT].rows) +
		       row_table_bytes(&self->sides[RIGHT].rows) + waiting_bytes(self) +
		       event_queue_bytes(&self->events);

	if (!keyed_is_full(&self->family, bytes)) {
		Status status = keyed_check(&self->family, bytes, err);

		return status == FERRIS_OK
			       ? status
			       : error_hint(err, "raise 'state.memory.limit', or declare WATERMARK "
						 "FOR the times of both sides, so that rows need "
						 "not wait for the end");
	}
	TRY(versioned_push_out(self, derived, err));
	return versioned_write_out(self, err);
}

void
versioned_tidy(VersionedJoinOp *self)
{
	row_table_tidy(&self->sides[LEFT].rows);
	row_table_tidy(&self->sides[RIGHT].rows);
	row_table_tidy(&self->waiting);
}

/* ---------------------------------------------------------------- event time */

/* Those of the run that were not taken wait again. */
static Status
make_room(VersionedJoinOp *self, uint32_t taken, uint32_t count, Error *err)
{
	/* Keys of rows that wait for a next version stay. */
	if (taken == 0 && versioned_wants_next(self))
		return versioned_too_many_wait(self, err);
	for (uint32_t i = taken; i < count; i++)
		event_queue_add(&self->events, self->run[i]);
	TRY(versioned_push_out(self, true, err));
	return versioned_write_out(self, err);
}

/* What came from there and went is let go of. */
static Status
go_on_from_disk(VersionedJoinOp *self, Error *err)
{
	TRY(versioned_push_out(self, true, err));
	versioned_tidy(self);
	return versioned_keep_within(self, true, err);
}

static Status
take_due(VersionedJoinOp *self, int64_t time, Error *err)
{
	for (;;) {
		uint32_t count = 0;
		uint32_t taken = 0;
		bool got = true;

		while (count < SLICE && got) {
			TRY(event_queue_take(&self->events, time, &self->run[count], &got, err));
			count += got;
		}
		if (count == 0)
			return FERRIS_OK;
		TRY(take_run(self, count, &taken, err));
		if (taken < count)
			TRY(make_room(self, taken, count, err));
		else if (self->events.spilled > 0 || keyed_is_spilled(&self->keys))
			TRY(go_on_from_disk(self, err));
	}
}

/* There is no next version any more. */
static Status
give_up_pending(VersionedJoinOp *self, Error *err)
{
	while (self->first_pending != 0) {
		uint32_t place = self->first_pending - 1;

		remove_pending(self, place);
		TRY(put_out(self, &self->waiting, place, NO_PLACE, err));
	}
	return FERRIS_OK;
}

Status
versioned_take_events(VersionedJoinOp *self, Error *err)
{
	int64_t time = versioned_least_watermark(self);

	batch_reset(self->out);
	TRY(take_due(self, time, err));
	TRY(event_queue_rest(&self->events, err));
	if (time == INT64_MAX)
		TRY(give_up_pending(self, err));
	TRY(versioned_push_out(self, true, err));
	versioned_tidy(self);
	return keyed_sweep(&self->family, &self->keys, self->live, err);
}
