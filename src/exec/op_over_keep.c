/* exec/op_over_keep.c -- OVER: giving back what quiet partitions hold.
 *
 * A partition that gets no more rows still holds the rows of its frame, and these keep blocks of
 * the store that are nearly empty.  When most of the store is such, what is held is copied to new
 * blocks; that costs a fixed part of what was appended since the last time.
 *
 * With EXPIRE AFTER, partitions that event time has left behind are emptied, and when most are
 * empty, they are forgotten.  Those on the shelf come to memory for that: a timer says when. */
#include "base/memory.h"
#include "exec/op_over.h"

#define NO_ROW UINT32_MAX

/* ---------------------------------------------------------------- the store */

typedef struct Move {
	RowStore *from;
	RowStore *to;
	RowRef **places; /* by block and row of `from`: where the row went, or NO_ROW */
	const Vector **columns;
} Move;

static RowRef
move_row(Move *move, RowRef ref)
{
	RowRef *places = move->places[ref >> ROW_BITS];
	uint16_t row = (uint16_t)(ref & ROW_MASK);

	if (places == NULL) {
		places = memory_alloc(sizeof *places * BATCH_CAPACITY);
		memset(places, 0xFF, sizeof *places * BATCH_CAPACITY);
		move->places[ref >> ROW_BITS] = places;
	}
	if (places[row] != NO_ROW) {
		row_store_hold(move->to, places[row]);
		return places[row];
	}
	for (uint32_t c = 0; c < move->from->column_count; c++)
		move->columns[c] = &row_block(move->from, ref)->columns[c];
	row_store_append(move->to, move->columns, &row, 1, &places[row]);
	return places[row];
}

static void
move_partition(const OverOp *self, Move *move, Partition *partition)
{
	for (uint64_t r = partition->first; r < partition->total; r++) {
		OverRow *row = partition_row(partition, r);

		row->ref = move_row(move, row->ref);
	}
	for (uint32_t c = 0; c < self->calls.count; c++) {
		CallState *state =
			(CallState *)(void *)((char *)partition + self->calls.runs[c].offset);

		if (state->has_nth)
			state->nth = move_row(move, state->nth);
	}
}

void
over_move_rows(OverOp *self)
{
	const GroupTable *groups = self->partitions.groups;
	RowStore fresh;
	Move move = {.from = &self->store, .to = &fresh};

	row_store_init(&fresh, self->store.types, self->store.forms, self->store.column_count);
	move.places = memory_zero(sizeof *move.places * self->store.block_count);
	move.columns = memory_alloc(sizeof *move.columns * (self->store.column_count + 1));
	for (uint32_t g = 0; groups != NULL && g < group_table_count(groups); g++)
		move_partition(self, &move, (Partition *)(void *)group_table_payload(groups, g));
	move_partition(self, &move, self->fed);
	for (size_t i = self->taken_count; i < self->waiting_count; i++)
		self->waiting[i].ref = move_row(&move, self->waiting[i].ref);
	for (uint32_t b = 0; b < self->store.block_count; b++)
		memory_free(move.places[b]);
	memory_free(move.places);
	memory_free(move.columns);
	row_store_free(&self->store);
	self->store = fresh;
}

void
over_compact(OverOp *self)
{
	if (row_store_is_sparse(&self->store))
		over_move_rows(self);
}

/* ---------------------------------------------------------------- partitions */

#define NO_WAITING UINT32_MAX

void
over_moved(OverOp *self, const Partition *from, Partition *to)
{
	(void)from;
	for (uint32_t i = to->first_waiting; to->awaited && i != NO_WAITING; i = self->chain[i])
		self->waiting[i].partition = to;
	to->awaited = false;
}

/* Forgets empty partitions, but for those for which rows wait: these rows are chained. */
static Status
forget_empty(OverOp *self, uint64_t live, Error *err)
{
	self->chain = memory_alloc(sizeof *self->chain * (self->waiting_count + 1));
	for (size_t i = self->out_count; i < self->waiting_count; i++) {
		Partition *partition = self->waiting[i].partition;

		self->chain[i] = partition->awaited ? partition->first_waiting : NO_WAITING;
		partition->awaited = true;
		partition->first_waiting = (uint32_t)i;
	}
	Status status = keyed_sweep(&self->family, &self->partitions, live, err);
	for (size_t i = self->out_count; i < self->waiting_count; i++)
		self->waiting[i].partition->awaited = false;
	memory_free(self->chain);
	self->chain = NULL;
	return status;
}

static bool
is_quiet(const Partition *partition, int64_t limit)
{
	return partition->total > 0 && partition->next == partition->total &&
	       partition->last_time < limit;
}

/* Quiet partitions of the shelf come to memory. */
static Status
fetch_quiet(OverOp *self, int64_t limit, Error *err)
{
	char *payload;
	bool full;
	Str keys;

	for (;;) {
		TRY(timers_take(&self->shelf.timers, limit - 1, &keys, err));
		if (keys.data == NULL)
			return FERRIS_OK;
		TRY(keyed_fetch(&self->family, &self->partitions, keys, &payload, &full, err));
		if (full) {
			TRY(over_spill(self, err));
			TRY(keyed_fetch(&self->family, &self->partitions, keys, &payload, &full,
					err));
		}
		if (payload != NULL && is_quiet((Partition *)(void *)payload, limit))
			partition_reset(&self->calls, (Partition *)(void *)payload);
	}
}

static void
empty_quiet(OverOp *self, int64_t limit, uint64_t *live)
{
	const GroupTable *groups = self->partitions.groups;
	uint32_t count = groups != NULL ? group_table_count(groups) : 0;

	*live = 0;
	for (uint32_t g = 0; g < count; g++) {
		Partition *partition = (Partition *)(void *)group_table_payload(groups, g);

		if (is_quiet(partition, limit)) {
			over_touch(self, partition);
			partition_reset(&self->calls, partition);
		}
		*live += partition->total > 0;
	}
}

Status
over_drop_quiet(OverOp *self, int64_t watermark, Error *err)
{
	int64_t idle = self->plan->over.idle_time;
	uint64_t live;

	/* Once in that time, so that it costs little; a row that came meanwhile found it as new. */
	if (self->idle_slot == NO_SLOT || watermark < INT64_MIN + idle ||
	    watermark - idle < self->swept)
		return FERRIS_OK;
	self->swept = watermark;
	TRY(fetch_quiet(self, watermark - idle, err));
	empty_quiet(self, watermark - idle, &live);
	row_store_drop(&self->store);
	return forget_empty(self, live, err);
}
