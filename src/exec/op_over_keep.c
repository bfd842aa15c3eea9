/* exec/op_over_keep.c -- OVER: giving back what quiet partitions hold.
 *
 * A partition that gets no more rows still holds the rows of its frame, and these keep blocks of
 * the store that are nearly empty.  When most of the store is such, what is held is copied to new
 * blocks; that costs a fixed part of what was appended since the last time.
 *
 * With EXPIRE AFTER, partitions that event time has left behind are emptied, and when most are
 * empty, the table of partitions is made anew without them. */
#include "base/memory.h"
#include "exec/op_over.h"

#define NO_ROW       UINT32_MAX
#define FORGET_LEAST 1024 /* partitions; fewer are never forgotten */

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
over_compact(OverOp *self)
{
	RowStore fresh;
	Move move = {.from = &self->store, .to = &fresh};

	if (!row_store_is_sparse(&self->store))
		return;
	row_store_init(&fresh, self->store.types, self->store.forms, self->store.column_count);
	move.places = memory_zero(sizeof *move.places * self->store.block_count);
	move.columns = memory_alloc(sizeof *move.columns * (self->store.column_count + 1));
	for (uint32_t g = 0; g < group_table_count(self->groups); g++)
		move_partition(self, &move,
			       (Partition *)(void *)group_table_payload(self->groups, g));
	for (size_t i = self->taken_count; i < self->waiting_count; i++)
		self->waiting[i].ref = move_row(&move, self->waiting[i].ref);
	for (uint32_t b = 0; b < self->store.block_count; b++)
		memory_free(move.places[b]);
	memory_free(move.places);
	memory_free(move.columns);
	row_store_free(&self->store);
	self->store = fresh;
}

/* ---------------------------------------------------------------- partitions */

static bool
is_kept(const Partition *partition)
{
	return partition->total > 0 || partition->awaited;
}

/* Copies the partitions that are kept; the old ones say where they went. */
static Status
copy_kept(OverOp *self, GroupTable *fresh, Vector *keys, Vector **outs, Error *err)
{
	uint32_t total = group_table_count(self->groups);
	uint32_t key_count = self->group_spec.key_count;

	for (uint32_t first = 0; first < total; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		uint32_t kept = 0;
		uint32_t first_new;

		for (uint32_t k = 0; k < key_count; k++) {
			vector_reset(&keys[k]);
			outs[k] = &keys[k];
		}
		group_table_keys(self->groups, first, count, outs);
		for (uint32_t i = 0; i < count; i++)
			if (is_kept((Partition *)(void *)group_table_payload(self->groups,
									     first + i)))
				self->rows[kept++] = (uint16_t)i;
		TRY(group_table_find(fresh, (const Vector *const *)outs, self->rows, kept,
				     self->payloads, &first_new, err));
		for (uint32_t i = 0; i < kept; i++) {
			Partition *old = (Partition *)(void *)group_table_payload(
				self->groups, first + self->rows[i]);

			memcpy(self->payloads[i], old, self->calls.payload_size);
			((Partition *)(void *)self->payloads[i])->awaited = false;
			old->moved = (Partition *)(void *)self->payloads[i];
		}
	}
	return FERRIS_OK;
}

/* The table of partitions without those that are empty. */
static void
forget_empty(OverOp *self)
{
	uint32_t key_count = self->group_spec.key_count;
	GroupTable *fresh = group_table_new(&self->group_spec);
	Vector *keys = memory_zero(sizeof *keys * (key_count + 1));
	Vector **outs = memory_zero(sizeof(Vector *) * (key_count + 1));
	Error ignored; /* what is kept fitted before */

	for (uint32_t k = 0; k < key_count; k++)
		vector_init(&keys[k], self->group_spec.key_types[k], FORM_VALUE, BATCH_CAPACITY);
	for (size_t i = self->out_count; i < self->waiting_count; i++)
		self->waiting[i].partition->awaited = true;
	if (copy_kept(self, fresh, keys, outs, &ignored) == FERRIS_OK) {
		for (size_t i = self->out_count; i < self->waiting_count; i++)
			self->waiting[i].partition = self->waiting[i].partition->moved;
		group_table_destroy(self->groups);
		self->groups = fresh;
	} else {
		group_table_destroy(fresh);
	}
	for (uint32_t k = 0; k < key_count; k++)
		vector_free(&keys[k]);
	memory_free(keys);
	memory_free(outs);
}

void
over_drop_quiet(OverOp *self, int64_t watermark)
{
	uint32_t count = group_table_count(self->groups);
	int64_t limit = self->plan->over.idle_time;
	uint32_t empty = 0;

	/* Once in that time, so that it costs little; a row that came meanwhile found it as new. */
	if (self->idle_slot == NO_SLOT || watermark < INT64_MIN + limit ||
	    watermark - limit < self->swept)
		return;
	self->swept = watermark;
	for (uint32_t g = 0; g < count; g++) {
		Partition *partition = (Partition *)(void *)group_table_payload(self->groups, g);

		if (partition->total > 0 && partition->next == partition->total &&
		    partition->last_time < watermark - limit)
			partition_reset(&self->calls, partition);
		empty += partition->total == 0;
	}
	row_store_drop(&self->store);
	/* Partitions with rows that wait for later ones come out in the order of their birth. */
	if (count > FORGET_LEAST && empty > count / 2 && self->rows_after == 0)
		forget_empty(self);
}
