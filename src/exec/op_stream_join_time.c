/* exec/op_stream_join_time.c -- event time of a join of streams: rows expire, and those that met
 * nothing come out.
 *
 * What is due at one step of event time comes out in the order of its arrival.  Keys that were
 * written out are fetched for it; if they do not fit, due rows are put aside into a space of the
 * backend where they lie in that order. */
#include "exec/op_stream_join.h"

#include <stdlib.h>

#include "base/memory.h"

/* ---------------------------------------------------------------- due rows */

static void
add_due(StreamJoinOp *self, RowSegment *segment, uint32_t row)
{
	if (self->due_count == self->due_capacity) {
		self->due_capacity = 2 * self->due_capacity + 64;
		self->due = memory_resize(self->due, sizeof *self->due * self->due_capacity);
	}
	self->due[self->due_count++] = (DueRow){segment->numbers[row], {segment, row}};
}

/* The records of these rows' keys are old. */
static void
touch_keys(StreamJoinOp *self, const RowSegment *segment, const uint16_t *rows, uint32_t count)
{
	for (uint32_t k = 0; k < self->plan->stream_join.key_count; k++)
		self->key_columns[k] = &segment->columns[k];
	if (self->keys.groups == NULL)
		return;
	group_table_get_many(self->keys.groups, self->key_columns, rows, count, self->payloads);
	keyed_mark_changed(&self->family, &self->keys, self->payloads, count);
}

static void
touch_due(StreamJoinOp *self, const RowSegment *segment, uint32_t first)
{
	uint16_t rows[BATCH_CAPACITY];
	uint32_t count = 0;

	for (uint32_t i = first; i < self->due_count; i++)
		rows[count++] = (uint16_t)self->due[i].place.row;
	if (count > 0)
		touch_keys(self, segment, rows, count);
}

/* Segments whose rows all expire are about to go. */
static void
touch_expired(StreamJoinOp *self, int side, int64_t time)
{
	const RowLog *log = &self->sides[side].log;
	uint16_t rows[BATCH_CAPACITY];

	for (uint32_t row = 0; row < BATCH_CAPACITY; row++)
		rows[row] = (uint16_t)row;
	for (uint32_t s = 0; s < log->count && log->segments[s]->last_expiry < time; s++)
		touch_keys(self, log->segments[s], rows, log->segments[s]->count);
}

/* Rows of the segment that nothing can meet any more and that met nothing, which they are marked
 * for now. */
static void
take_due(StreamJoinOp *self, RowSegment *segment, int64_t time)
{
	int64_t open = INT64_MAX;
	uint32_t first = self->due_count;

	if (segment->first_open >= time)
		return;
	for (uint32_t row = 0; row < segment->count; row++) {
		if (segment->marked[row])
			continue;
		if (segment->expiry[row] >= time) {
			open = segment->expiry[row] < open ? segment->expiry[row] : open;
			continue;
		}
		segment->marked[row] = true;
		add_due(self, segment, row);
	}
	segment->first_open = open;
	if (self->keys.tracked)
		touch_due(self, segment, first);
}

static int
compare_due(const void *a, const void *b)
{
	uint64_t x = ((const DueRow *)a)->number;
	uint64_t y = ((const DueRow *)b)->number;

	return (x > y) - (x < y);
}

static Status
push_due(StreamJoinOp *self, int side, Error *err)
{
	for (uint32_t i = 0; i < self->due_count; i++) {
		const Place *place = &self->due[i].place;

		stream_join_put_alone(self, side, place->segment->columns + self->sides[side].first,
				      place->row, NULL);
		if (self->pairs->row_count == BATCH_CAPACITY)
			TRY(stream_join_push_alone(self, true, err));
	}
	self->due_count = 0;
	return FERRIS_OK;
}

/* The due rows in memory come out. */
static Status
push_expired(StreamJoinOp *self, int side, int64_t time, Error *err)
{
	RowLog *log = &self->sides[side].log;

	self->due_count = 0;
	for (uint32_t s = 0; s < log->count; s++) {
		take_due(self, log->segments[s], time);
		if (!log->is_shuffled)
			TRY(push_due(self, side, err));
	}
	if (self->due_count > 1)
		qsort(self->due, self->due_count, sizeof *self->due, compare_due);
	TRY(push_due(self, side, err));
	return stream_join_push_alone(self, true, err);
}

/* ---------------------------------------------------------------- aside */

/*     number of arrival -> row */
static Status
put_aside(StreamJoinOp *self, int side, int64_t time, Error *err)
{
	Side *own = &self->sides[side];
	Buffer *key = &self->family.key;

	if (!own->wants_unmatched)
		return FERRIS_OK;
	TRY(store_open(self->task->store, STORE_SCANS, &own->aside, err));
	self->due_count = 0;
	for (uint32_t s = 0; s < own->log.count; s++)
		take_due(self, own->log.segments[s], time);
	for (uint32_t i = 0; i < self->due_count; i++) {
		const DueRow *due = &self->due[i];

		store_key(&own->aside, key);
		record_key_u64(key, due->number);
		buffer_reset(&self->value);
		stream_join_write_row(own, due->place.segment, due->place.row, &self->value);
		TRY(store_put(&own->aside, key, &self->value, err));
	}
	self->due_count = 0;
	return FERRIS_OK;
}

static Status
push_scanned(StreamJoinOp *self, int side, StoreScan *scan, Error *err)
{
	Side *own = &self->sides[side];
	Str key, value;

	while (store_next(scan, &key, &value)) {
		RecordReader reader = record_reader(value);

		if (!stream_join_read_row(own, &reader) || reader.next != reader.end)
			return store_damaged(err);
		stream_join_put_alone(self, side, own->row->columns + own->first, 0,
				      &self->pairs->heap);
		if (self->pairs->row_count == BATCH_CAPACITY)
			TRY(stream_join_push_alone(self, true, err));
	}
	return stream_join_push_alone(self, true, err);
}

/* What was put aside comes out. */
static Status
push_aside(StreamJoinOp *self, int side, Error *err)
{
	Side *own = &self->sides[side];
	StoreScan scan;

	TRY(store_commit(self->task->store, err));
	store_key(&own->aside, &self->family.key);
	TRY(store_scan(&own->aside, &self->family.key, &scan, err));
	TRY(store_scan_close(&scan, push_scanned(self, side, &scan, err), err));
	return store_clear(&own->aside, err);
}

/* ---------------------------------------------------------------- expiry */

static Status
make_room(StreamJoinOp *self, int side, int64_t time, Error *err)
{
	TRY(put_aside(self, side, time, err));
	return stream_join_spill(self, err);
}

/* Keys that were written out and have rows that expire come back to memory, which they must leave
 * again if they do not all fit; then their due rows are aside. */
static Status
fetch_expired(StreamJoinOp *self, int side, int64_t time, Error *err)
{
	Str keys;
	bool full;

	for (;;) {
		TRY(timers_take(&self->sides[side].timers, time - 1, &keys, err));
		if (keys.data == NULL)
			return FERRIS_OK;
		if (stream_join_is_full(self))
			TRY(make_room(self, side, time, err));
		TRY(stream_join_fetch(self, keys, &full, err));
		if (!full)
			continue;
		TRY(make_room(self, side, time, err));
		TRY(stream_join_fetch(self, keys, &full, err));
	}
}

Status
stream_join_expire(StreamJoinOp *self, int side, Error *err)
{
	Side *other = &self->sides[!side];
	int64_t time = self->sides[side].watermark;

	batch_reset(self->pairs);
	if (time == INT64_MIN)
		return FERRIS_OK;
	/* At the end nobody needs the place of rows that go without a word. */
	if ((other->wants_unmatched || time < INT64_MAX) &&
	    timers_are_due(&other->timers, time - 1))
		TRY(fetch_expired(self, !side, time, err));
	if (other->aside.backend != NULL) {
		TRY(put_aside(self, !side, time, err));
		TRY(push_aside(self, !side, err));
	} else if (other->wants_unmatched) {
		TRY(push_expired(self, !side, time, err));
	}
	if (self->keys.tracked)
		touch_expired(self, !side, time);
	row_log_expire(&other->log, time);
	/* A key's rows are looked at one by one, so this waits until three of four are empty. */
	return keyed_sweep(&self->family, &self->keys,
			   2 * (self->sides[LEFT].log.rows + self->sides[RIGHT].log.rows), err);
}

Status
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
	TRY(stream_join_expire(self, (int)side, err));
	/* Rows that came when the other side was past them already must be out before this. */
	TRY(stream_join_expire(self, !side, err));
	if (stream_join_is_full(self))
		TRY(stream_join_spill(self, err));
	int64_t least = watermark < other ? watermark : other;
	if (!plan->stream_join.timed || least == INT64_MAX || least == INT64_MIN)
		return FERRIS_OK;
	least -= (behind > 0 ? behind : 0) + plan->stream_join.grace;
	if (least <= self->current)
		return FERRIS_OK;
	self->current = least;
	return operator_advance(op->next, least, err);
}

Status
stream_join_finish(Operator *op, uint32_t side, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;

	TRY(stream_join_advance(op, side, INT64_MAX, err));
	if (self->sides[!side].watermark != INT64_MAX)
		return FERRIS_OK;
	return operator_finish(op->next, err);
}
