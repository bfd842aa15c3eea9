/* exec/op_stream_join_state.c -- the rows of a join of streams as bytes: written out, fetched,
 * saved.
 *
 * Of a key the rows of both sides go and come back together, in the order of their arrival; what
 * has expired stays behind.  A key that is written out has a timer for each side: when the first
 * row comes out that is wanted without a match, or when the last row may be forgotten. */
#include "exec/op_stream_join.h"

/* ---------------------------------------------------------------- a key as bytes */

/*     key  for each side: number of rows, then each, the oldest first
 *     row  number of arrival, time, mark, columns of the log */

void
stream_join_write_row(Side *side, const RowSegment *segment, uint32_t row, Buffer *out)
{
	for (uint32_t c = 0; c < side->log.column_count; c++)
		side->written[c] = &segment->columns[c];
	record_write_row(out, side->written, side->log.column_count, row);
}

bool
stream_join_read_row(Side *side, RecordReader *reader)
{
	for (uint32_t c = 0; c < side->log.column_count; c++)
		vector_reset(side->row_columns[c]);
	const char *end = record_read_row(reader->next, reader->end, side->row_columns,
					  side->log.column_count, 0);
	if (end == NULL)
		return false;
	reader->next = end;
	return true;
}

/* The key's rows of a side that are kept go to self->chain, the newest first. */
static uint32_t
gather_kept(StreamJoinOp *self, int side, const KeyRows *key)
{
	const RowLog *log = &self->sides[side].log;
	uint32_t count = 0;
	uint32_t row;

	for (RowRef at = key->newest[side]; at != 0;) {
		const RowSegment *segment = row_log_find(log, at, &row);

		if (segment == NULL)
			break;
		if (is_kept(self, side, segment, row))
			stream_join_chain(self, count++, at);
		at = segment->older[row];
	}
	return count;
}

static void
payload_save(void *owner, const char *payload, Buffer *out)
{
	StreamJoinOp *self = owner;

	for (int side = LEFT; side <= RIGHT; side++) {
		Side *own = &self->sides[side];
		uint32_t count = gather_kept(self, side, (const KeyRows *)(const void *)payload);
		uint32_t row;

		record_u32(out, count);
		while (count > 0) {
			const RowSegment *segment =
				row_log_find(&own->log, self->chain[--count], &row);

			record_u64(out, segment->numbers[row]);
			record_u64(out, (uint64_t)segment->times[row]);
			record_u32(out, segment->marked[row]);
			stream_join_write_row(own, segment, row, out);
		}
	}
}

static bool
load_row(StreamJoinOp *self, int side, KeyRows *key, RecordReader *reader)
{
	Side *own = &self->sides[side];
	RowStamp stamp = {.number = record_take_u64(reader), .older = key->newest[side]};
	uint32_t at;

	stamp.time = (int64_t)record_take_u64(reader);
	stamp.expiry = stream_join_expiry(self, side, stamp.time);
	uint32_t marked = record_take_u32(reader);
	if (reader->damaged || marked > 1 || stamp.time < -EVENT_TIME_LIMIT ||
	    stamp.time > EVENT_TIME_LIMIT || !stream_join_read_row(own, reader))
		return false;
	/* It has expired meanwhile.  (A record that is loaded is what was saved, until it is
	 * touched.) */
	if (stamp.expiry < self->sides[!side].watermark && (marked || !own->wants_unmatched) &&
	    !self->task->store->loading)
		return true;
	key->newest[side] = row_log_add(&own->log, own->row->columns, 0, &stamp);
	row_log_find(&own->log, key->newest[side], &at)->marked[at] = marked != 0;
	return true;
}

static bool
payload_load(void *owner, char *payload, Str bytes)
{
	RecordReader reader = record_reader(bytes);

	for (int side = LEFT; side <= RIGHT; side++)
		for (uint32_t count = record_take_u32(&reader); count > 0; count--)
			if (!load_row(owner, side, (KeyRows *)(void *)payload, &reader))
				return false;
	return !reader.damaged && reader.next == reader.end;
}

static bool
payload_is_empty(void *owner, const char *payload)
{
	const StreamJoinOp *self = owner;
	const KeyRows *key = (const KeyRows *)(const void *)payload;

	for (int side = LEFT; side <= RIGHT; side++) {
		uint32_t row;

		for (RowRef at = key->newest[side]; at != 0;) {
			const RowSegment *segment = row_log_find(&self->sides[side].log, at, &row);

			if (segment == NULL)
				break;
			if (is_kept(self, side, segment, row))
				return false;
			at = segment->older[row];
		}
	}
	return true;
}

/* When the key's rows of a side must be looked at again; INT64_MAX: never. */
static int64_t
next_expiry(StreamJoinOp *self, int side, const KeyRows *key)
{
	const Side *own = &self->sides[side];
	int64_t first = INT64_MAX;
	int64_t last = INT64_MIN;
	uint32_t row;

	for (uint32_t count = gather_kept(self, side, key); count > 0; count--) {
		const RowSegment *segment = row_log_find(&own->log, self->chain[count - 1], &row);
		int64_t expiry = segment->expiry[row];

		if (!segment->marked[row] && expiry < first)
			first = expiry;
		if (expiry > last)
			last = expiry;
	}
	if (own->wants_unmatched && first < INT64_MAX)
		return first;
	return last != INT64_MIN && self->plan->stream_join.timed ? last : INT64_MAX;
}

static Status
payload_wrote(void *owner, const char *payload, Str keys, Error *err)
{
	StreamJoinOp *self = owner;

	for (int side = LEFT; side <= RIGHT; side++) {
		int64_t expiry = next_expiry(self, side, (const KeyRows *)(const void *)payload);

		if (expiry < INT64_MAX)
			TRY(timers_put(&self->sides[side].timers, expiry, 0, keys, err));
	}
	return FERRIS_OK;
}

const PayloadClass stream_join_payload = {
	.save = payload_save,
	.load = payload_load,
	.is_empty = payload_is_empty,
	.wrote = payload_wrote,
};

/* ---------------------------------------------------------------- written out and fetched */

size_t
stream_join_held(const StreamJoinOp *self)
{
	return row_log_bytes(&self->sides[LEFT].log) + row_log_bytes(&self->sides[RIGHT].log);
}

/* Without an equality all rows are of one key. */
Status
stream_join_check_memory(const StreamJoinOp *self, Error *err)
{
	size_t held = stream_join_held(self) + self->family.budget.used;

	if (held <= store_memory(self->task->store) ||
	    (self->task->store->options.spill && self->plan->stream_join.key_count > 0))
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "the rows that a join keeps (%llu of the left side, %llu of the right) do not "
		  "fit into %zu bytes",
		  (unsigned long long)self->sides[LEFT].log.rows,
		  (unsigned long long)self->sides[RIGHT].log.rows, store_memory(self->task->store));
	return error_hint(err, "raise 'state.memory.limit', or let the rows meet within a shorter "
			       "time");
}

/* All rows are of keys that are written; others have expired. */
Status
stream_join_spill(StreamJoinOp *self, Error *err)
{
	TRY(stream_join_check_memory(self, err));
	TRY(keyed_write_out(&self->family, &self->keys, err));
	row_log_clear(&self->sides[LEFT].log);
	row_log_clear(&self->sides[RIGHT].log);
	return FERRIS_OK;
}

Status
stream_join_fetch(StreamJoinOp *self, Str keys, bool *full, Error *err)
{
	char *payload;

	return keyed_fetch(&self->family, &self->keys, keys, &payload, full, err);
}

/* ---------------------------------------------------------------- saved and loaded */

Status
stream_join_save(Operator *op, StateWriter *writer, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	uint64_t value[] = {(uint64_t)self->current, (uint64_t)self->sides[LEFT].watermark,
			    (uint64_t)self->sides[RIGHT].watermark, self->arrivals};

	TRY(writer->put(writer, STR(""), (Str){(const char *)value, sizeof value}, err));
	return keyed_save(&self->family, &self->keys, writer, JOIN_KEY_PREFIX, err);
}

static Status
load_own(StreamJoinOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	self->current = (int64_t)record_take_u64(&reader);
	self->sides[LEFT].watermark = (int64_t)record_take_u64(&reader);
	self->sides[RIGHT].watermark = (int64_t)record_take_u64(&reader);
	self->arrivals = record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

Status
stream_join_load(Operator *op, Str key, Str value, Error *err)
{
	StreamJoinOp *self = (StreamJoinOp *)op;
	bool full;

	if (key.len == 0)
		return load_own(self, value, err);
	if (key.data[0] != JOIN_KEY_PREFIX.data[0])
		return store_damaged(err);
	key = str_skip(key, JOIN_KEY_PREFIX.len);
	if (stream_join_is_full(self))
		TRY(stream_join_spill(self, err));
	TRY(keyed_load(&self->family, &self->keys, key, value, &full, err));
	if (!full)
		return FERRIS_OK;
	TRY(stream_join_spill(self, err));
	return keyed_load(&self->family, &self->keys, key, value, &full, err);
}
