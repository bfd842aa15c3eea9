/* exec/op_over_state.c -- OVER: partitions and all the rest as bytes, and back.
 *
 *     partition  its numbers; the rows it keeps, each behind the number of its peers; then for each
 *                call that looks at a frame or for values: where these are, the row it keeps from
 *                the partition's start, and its aggregate's state if that has rows that are no
 *                longer there.  Any other state is made again from the rows.
 *
 * The records of the operator: the times and counters; under OVER_PARTITIONS the partitions; under
 * ROWS the rows that wait in memory, numbered in their order, which are always put all; the rest is
 * that of the shelf. */
#include "base/memory.h"
#include "exec/op_over.h"

#define ROWS '\2' /* those of the shelf are greater: op_over_shelf.c */

/* ---------------------------------------------------------------- rows */

void
over_write_row(OverOp *self, RowRef ref, Buffer *out)
{
	const RowBlock *block = row_block(&self->store, ref);

	for (uint32_t c = 0; c < self->store.column_count; c++)
		self->shelf.row_columns[c] = &block->columns[c];
	record_write_row(out, self->shelf.row_columns, self->store.column_count, ref & ROW_MASK);
}

bool
over_read_row(OverOp *self, RecordReader *reader, RowRef *ref)
{
	static const uint16_t first = 0;
	const char *end;

	for (uint32_t c = 0; c < self->store.column_count; c++) {
		vector_reset(&self->shelf.row[c]);
		self->shelf.row_columns[c] = &self->shelf.row[c];
	}
	if (reader->damaged)
		return false;
	end = record_read_row(reader->next, reader->end, self->shelf.row_out,
			      self->store.column_count, 0);
	if (end == NULL)
		return false;
	reader->next = end;
	row_store_append(&self->store, self->shelf.row_columns, &first, 1, ref);
	return true;
}

/* ---------------------------------------------------------------- partitions */

/* Whether the call keeps anything from row to row that ROW_NUMBER or LAG do not. */
static bool
has_state(const OverRun *run)
{
	return run->framed || run->call->ignores_nulls || run->call->function == OVER_CUME_DIST;
}

/* Whether the aggregate's state has rows that the partition does not keep. */
static bool
saves_aggregate(const OverRun *run)
{
	return run->call->function == OVER_AGGREGATE && run->whole;
}

static void
save_call(OverOp *self, const Partition *partition, const OverRun *run, Buffer *out)
{
	const CallState *state = call_state(partition, run);

	record_u64(out, state->start);
	record_u64(out, state->end);
	record_u64(out, state->scanned);
	record_u64(out, state->found);
	record_u32(out, state->has_nth);
	if (state->has_nth)
		over_write_row(self, state->nth, out);
	if (!saves_aggregate(run))
		return;
	size_t at = out->len;
	record_u32(out, 0);
	run->aggregate.call->class->save(&run->aggregate,
					 (const char *)partition + run->aggregate_offset, out);
	uint32_t len = (uint32_t)(out->len - at - sizeof len);
	memcpy(out->data + at, &len, sizeof len);
}

static void
save_partition(void *owner, const char *payload, Buffer *out)
{
	const Partition *partition = (const Partition *)(const void *)payload;
	OverOp *self = owner;
	size_t start = out->len;

	record_u64(out, partition->first);
	record_u64(out, partition->total);
	record_u64(out, partition->next);
	record_u64(out, partition->passed);
	record_u64(out, partition->rank_row);
	record_u64(out, partition->rank);
	record_u32(out, partition->rank_peers);
	record_u32(out, partition->last_peers);
	record_u64(out, (uint64_t)partition->last_time);
	for (uint64_t r = partition->first; r < partition->total; r++) {
		record_u32(out, partition_row(partition, r)->peers);
		over_write_row(self, partition_row(partition, r)->ref, out);
	}
	for (uint32_t c = 0; c < self->calls.count; c++)
		if (has_state(&self->calls.runs[c]))
			save_call(self, partition, &self->calls.runs[c], out);
	if (out->len - start > store_memory(self->task->store) / 2)
		self->shelf.oversized = true;
}

static void
load_numbers(Partition *partition, RecordReader *reader)
{
	partition->first = record_take_u64(reader);
	partition->total = record_take_u64(reader);
	partition->next = record_take_u64(reader);
	partition->passed = record_take_u64(reader);
	partition->rank_row = record_take_u64(reader);
	partition->rank = record_take_u64(reader);
	partition->rank_peers = record_take_u32(reader);
	partition->last_peers = record_take_u32(reader);
	partition->last_time = (int64_t)record_take_u64(reader);
}

/* A row has the number of its peers at least, so the bytes bound how many there are. */
static bool
load_rows(OverOp *self, Partition *partition, RecordReader *reader)
{
	uint64_t total = partition->total;
	uint64_t bytes = (uint64_t)(reader->end - reader->next);
	bool possible = partition->first <= partition->next && partition->next <= total &&
			partition->passed <= total &&
			total - partition->first <= bytes / sizeof(uint32_t);

	partition->total = partition->first;
	if (reader->damaged || !possible)
		return false;
	partition_reserve(&self->calls, partition, total - partition->first);
	while (partition->total < total) {
		OverRow row = {.peers = record_take_u32(reader)};

		if (!over_read_row(self, reader, &row.ref))
			return false;
		*partition_row(partition, partition->total++) = row;
	}
	return true;
}

static bool
load_call(OverOp *self, Partition *partition, const OverRun *run, RecordReader *reader)
{
	CallState *state = call_state(partition, run);

	state->start = record_take_u64(reader);
	state->end = record_take_u64(reader);
	state->scanned = record_take_u64(reader);
	state->found = record_take_u64(reader);
	if (record_take_u32(reader) != 0) {
		if (!over_read_row(self, reader, &state->nth))
			return false;
		state->has_nth = true;
	}
	if (!saves_aggregate(run))
		return !reader->damaged;
	uint32_t len = record_take_u32(reader);
	const char *bytes = record_take(reader, len);
	return bytes != NULL &&
	       run->aggregate.call->class->load(
		       &run->aggregate, (char *)partition + run->aggregate_offset, bytes, len);
}

static bool
load_calls(OverOp *self, Partition *partition, RecordReader *reader)
{
	for (uint32_t c = 0; c < self->calls.count; c++)
		if (has_state(&self->calls.runs[c]) &&
		    !load_call(self, partition, &self->calls.runs[c], reader))
			return false;
	if (reader->next != reader->end ||
	    !partition_is_sound(&self->calls, partition,
				self->plan->over.mode == OVER_ARRIVAL ||
					self->plan->over.mode == OVER_TIME))
		return false;
	for (uint32_t c = 0; c < self->calls.count; c++) {
		const OverRun *run = &self->calls.runs[c];

		if (run->call->function == OVER_AGGREGATE && !saves_aggregate(run))
			over_aggregate_rebuild(&self->calls, run, partition);
	}
	return true;
}

static bool
load_partition(void *owner, char *payload, Str bytes)
{
	Partition *partition = (Partition *)(void *)payload;
	RecordReader reader = record_reader(bytes);
	OverOp *self = owner;

	load_numbers(partition, &reader);
	if (load_rows(self, partition, &reader) && load_calls(self, partition, &reader))
		return true;
	partition_reset(&self->calls, partition);
	return false;
}

static void
init_partition(void *owner, char *payload)
{
	const OverOp *self = owner;

	partition_init(&self->calls, (Partition *)(void *)payload);
}

static void
release_partition(void *owner, char *payload)
{
	OverOp *self = owner;

	partition_reset(&self->calls, (Partition *)(void *)payload);
}

/* Without EXPIRE AFTER a partition stays, and so does its place among all. */
static bool
partition_is_empty(void *owner, const char *payload)
{
	const Partition *partition = (const Partition *)(const void *)payload;
	const OverOp *self = owner;

	return self->idle_slot != NO_SLOT && partition->total == 0 && !partition->awaited;
}

static void
move_partition(void *owner, char *from, char *to)
{
	over_moved(owner, (Partition *)(void *)from, (Partition *)(void *)to);
}

static Status
wrote_partition(void *owner, const char *payload, Str keys, Error *err)
{
	const Partition *partition = (const Partition *)(const void *)payload;
	OverOp *self = owner;

	if (self->idle_slot == NO_SLOT || partition->next < partition->total)
		return FERRIS_OK;
	return timers_put(&self->shelf.timers, partition->last_time, partition->head.birth, keys,
			  err);
}

const PayloadClass over_payload = {
	.init = init_partition,
	.save = save_partition,
	.load = load_partition,
	.release = release_partition,
	.is_empty = partition_is_empty,
	.moved = move_partition,
	.wrote = wrote_partition,
};

/* ---------------------------------------------------------------- the operator */

static Status
put_record(OverOp *self, StateWriter *writer, Error *err)
{
	const Buffer *key = &self->shelf.key;
	const Buffer *value = &self->shelf.value;

	return writer->put(writer, (Str){key->data, (uint32_t)key->len},
			   (Str){value->data, (uint32_t)value->len}, err);
}

static Status
save_counters(OverOp *self, StateWriter *writer, Error *err)
{
	buffer_reset(&self->shelf.key);
	buffer_reset(&self->shelf.value);
	record_u64(&self->shelf.value, (uint64_t)self->watermark);
	record_u64(&self->shelf.value, (uint64_t)self->swept);
	record_u64(&self->shelf.value, (uint64_t)self->row_number);
	record_u64(&self->shelf.value, self->partitions.born);
	record_u64(&self->shelf.value, self->shelf.number);
	record_u64(&self->shelf.value, self->shelf.head);
	record_u64(&self->shelf.value, self->shelf.tail);
	return put_record(self, writer, err);
}

static Status
load_counters(OverOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	self->watermark = (int64_t)record_take_u64(&reader);
	self->swept = (int64_t)record_take_u64(&reader);
	self->row_number = (int64_t)record_take_u64(&reader);
	self->partitions.born = record_take_u64(&reader);
	self->shelf.number = record_take_u64(&reader);
	self->shelf.head = record_take_u64(&reader);
	self->shelf.tail = record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end || self->shelf.head > self->shelf.tail
		       ? store_damaged(err)
		       : FERRIS_OK;
}

static void
waiting_key(OverOp *self, uint64_t number)
{
	buffer_reset(&self->shelf.key);
	buffer_append_char(&self->shelf.key, ROWS);
	record_key_u64(&self->shelf.key, number);
}

/* Records of more rows, as there were the last time, are gone. */
static Status
forget_waiting(OverOp *self, uint64_t count, StateWriter *writer, Error *err)
{
	const Buffer *key = &self->shelf.key;

	for (uint64_t number = count; number < self->saved_count; number++) {
		waiting_key(self, number);
		TRY(writer->put(writer, (Str){key->data, (uint32_t)key->len}, (Str){0}, err));
	}
	self->saved_count = count;
	return FERRIS_OK;
}

/* Those that are in their partitions and have not come out, then those that wait; what the shelf
 * has is not among them.  Number -> whether it is in its partition, time, keys, row. */
static Status
save_waiting(OverOp *self, StateWriter *writer, Error *err)
{
	uint64_t count = 0;

	for (size_t i = self->out_count; i < self->waiting_count; i++) {
		const Waiting *row = &self->waiting[i];
		bool taken = i < self->taken_count;

		if (row->fetched && !taken)
			continue;
		waiting_key(self, count++);
		buffer_reset(&self->shelf.value);
		record_u32(&self->shelf.value, taken);
		record_u64(&self->shelf.value, (uint64_t)row->time);
		over_write_keys(self, row->partition, &self->shelf.value);
		if (!taken)
			over_write_row(self, row->ref, &self->shelf.value);
		TRY(put_record(self, writer, err));
	}
	return writer->changes_only ? forget_waiting(self, count, writer, err) : FERRIS_OK;
}

/* The partition of the row of keys, which is taken from the record; NULL: there is no room. */
static Status
find_partition(OverOp *self, RecordReader *reader, Partition **partition, Error *err)
{
	static const uint16_t first = 0;
	RecordReader keys = *reader;
	char *payload;
	uint32_t found;

	*partition = NULL;
	over_reset_keys(self);
	if (!over_read_keys(self, &keys, 0))
		return store_damaged(err);
	TRY(keyed_find(&self->family, &self->partitions,
		       (const Vector *const *)self->shelf.key_outs, &first, 1, &payload, &found,
		       err));
	if (found == 0)
		return FERRIS_OK;
	*partition = (Partition *)(void *)payload;
	*reader = keys;
	return FERRIS_OK;
}

static Status
load_waiting(OverOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);
	Waiting row = {0};
	bool taken = record_take_u32(&reader) != 0;

	row.time = (int64_t)record_take_u64(&reader);
	TRY(find_partition(self, &reader, &row.partition, err));
	if (row.partition == NULL) {
		TRY(over_spill(self, err));
		TRY(find_partition(self, &reader, &row.partition, err));
	}
	if (row.partition == NULL || (taken && self->taken_count < self->waiting_count) ||
	    (!taken && !over_read_row(self, &reader, &row.ref)) || reader.next != reader.end)
		return store_damaged(err);
	self->arrived[0] = row;
	over_merge_arrived(self, 1, false);
	self->taken_count += taken;
	self->saved_count++;
	return FERRIS_OK;
}

Status
over_op_save(Operator *op, StateWriter *writer, Error *err)
{
	OverOp *self = (OverOp *)op;

	TRY(save_counters(self, writer, err));
	TRY(keyed_save(&self->family, &self->partitions, writer, STR(OVER_PARTITIONS), err));
	TRY(save_waiting(self, writer, err));
	return over_shelf_save(self, writer, err);
}

static Status
load_partition_record(OverOp *self, Str key, Str value, Error *err)
{
	bool full;

	TRY(keyed_load(&self->family, &self->partitions, key, value, &full, err));
	if (!full)
		return FERRIS_OK;
	TRY(over_spill(self, err));
	return keyed_load(&self->family, &self->partitions, key, value, &full, err);
}

Status
over_op_load(Operator *op, Str key, Str value, Error *err)
{
	OverOp *self = (OverOp *)op;

	if (key.len == 0)
		return load_counters(self, value, err);
	if (key.data[0] == OVER_PARTITIONS[0])
		TRY(load_partition_record(self, str_skip(key, 1), value, err));
	else if (key.data[0] == ROWS)
		TRY(load_waiting(self, value, err));
	else
		return over_shelf_load(self, key, value, err);
	return over_spill_if_full(self, err);
}
