/* exec/op_over_calls.c -- a row's window functions, from the rows of its partition.
 *
 * A partition keeps the rows that some frame still needs.  The two ends of a frame only go forward
 * from row to row.  A frame that begins with the partition loses no row. */
#include "base/memory.h"
#include "exec/op_over.h"
#include "func/compare.h"

#define ROWS_FIRST 4

/* ---------------------------------------------------------------- order */

int
over_compare(const OverCalls *calls, RowRef a, RowRef b)
{
	for (uint32_t i = 0; i < calls->order_count; i++) {
		uint32_t slot = calls->order[i];
		int order = vector_order(&row_block(calls->store, a)->columns[slot], a & ROW_MASK,
					 &row_block(calls->store, b)->columns[slot], b & ROW_MASK,
					 calls->order_keys[i].descending,
					 calls->order_keys[i].nulls_first);

		if (order != 0)
			return order;
	}
	return 0;
}

int
over_compare_rows(const OverCalls *calls, RowRef a, RowRef b)
{
	int order = over_compare(calls, a, b);

	if (order != 0 || calls->number_slot == NO_SLOT)
		return order;
	int64_t x = VECTOR_DATA(&row_block(calls->store, a)->columns[calls->number_slot],
				int64_t)[a & ROW_MASK];
	int64_t y = VECTOR_DATA(&row_block(calls->store, b)->columns[calls->number_slot],
				int64_t)[b & ROW_MASK];
	return (x > y) - (x < y);
}

/* ---------------------------------------------------------------- rows of a partition */

static void
grow(OverCalls *calls, Partition *partition)
{
	uint32_t capacity = partition->capacity > 0 ? partition->capacity * 2 : ROWS_FIRST;
	OverRow *rows = memory_alloc(sizeof *rows * capacity);

	for (uint64_t r = partition->first; r < partition->total; r++)
		rows[r & (capacity - 1)] = *partition_row(partition, r);
	memory_free(partition->rows);
	calls->row_bytes += sizeof *rows * (capacity - partition->capacity);
	partition->rows = rows;
	partition->capacity = capacity;
}

void
partition_reserve(OverCalls *calls, Partition *partition, uint64_t count)
{
	while (partition->capacity < count)
		grow(calls, partition);
}

/* Whether it keeps a row from the partition's start. */
static bool
keeps_nth(const OverRun *run)
{
	return run->whole &&
	       (run->call->function == OVER_NTH_VALUE || run->call->function == OVER_FIRST_VALUE);
}

/* NTH_VALUE over a frame that begins with the partition keeps its row. */
static void
keep_nth(OverCalls *calls, Partition *partition, RowRef ref)
{
	for (uint32_t c = 0; c < calls->count; c++) {
		const OverRun *run = &calls->runs[c];

		if (!keeps_nth(run) || run->call->ignores_nulls ||
		    partition->total != (uint64_t)run->call->number)
			continue;
		CallState *state = call_state(partition, run);
		state->nth = ref;
		state->has_nth = true;
		row_store_hold(calls->store, ref);
	}
}

static void
set_peers(OverCalls *calls, Partition *partition, uint64_t row)
{
	OverRow *at = partition_row(partition, row);

	if (row > 0 && over_compare(calls, partition_row(partition, row - 1)->ref, at->ref) != 0)
		partition->last_peers++;
	at->peers = partition->last_peers;
}

void
partition_add_slow(OverCalls *calls, Partition *partition, RowRef ref, bool sorted)
{
	if (partition->total - partition->first == partition->capacity)
		grow(calls, partition);
	uint64_t row = partition->total++;
	*partition_row(partition, row) = (OverRow){.ref = ref};
	if (!sorted)
		return;
	if (calls->needs_peers)
		set_peers(calls, partition, row);
	if (calls->keeps_nth)
		keep_nth(calls, partition, ref);
}

static void
merge_rows(const OverCalls *calls, const OverRow *a, uint64_t a_count, const OverRow *b,
	   uint64_t b_count, OverRow *out)
{
	while (a_count > 0 && b_count > 0) {
		bool second = over_compare_rows(calls, b->ref, a->ref) < 0;

		*out++ = second ? *b++ : *a++;
		a_count -= !second;
		b_count -= second;
	}
	memcpy(out, a_count > 0 ? a : b, sizeof *out * (a_count + b_count));
}

/* By merging, so that peers keep their order. */
void
partition_sort(OverCalls *calls, Partition *partition)
{
	uint64_t count = partition->total;
	OverRow *from = partition->rows;
	OverRow *to = memory_alloc(sizeof *to * (partition->capacity + 1));

	bool sorts = calls->order_count > 0 || calls->number_slot != NO_SLOT;

	for (uint64_t width = 1; width < count && sorts; width *= 2) {
		for (uint64_t at = 0; at < count; at += 2 * width) {
			uint64_t a = count - at < width ? count - at : width;
			uint64_t b = count - at - a < width ? count - at - a : width;

			merge_rows(calls, from + at, a, from + at + a, b, to + at);
		}
		OverRow *swap = from;
		from = to;
		to = swap;
	}
	partition->rows = from;
	memory_free(to);
	partition->last_peers = 0;
	for (uint64_t r = 0; r < count; r++) {
		if (calls->needs_peers)
			set_peers(calls, partition, r);
		partition->total = r + 1;
		keep_nth(calls, partition, partition_row(partition, r)->ref);
	}
}

/* The oldest row that a call needs for the rows to come. */
static uint64_t
needed_from(const Partition *partition, const OverRun *run)
{
	const CallState *state = call_state(partition, run);
	uint64_t next = partition->next;
	uint64_t away = (uint64_t)run->call->number;

	switch (run->call->function) {
	case OVER_LAG:
		if (run->call->ignores_nulls)
			return state->found > 0 ? state->start : next;
		return next > away ? next - away : 0;
	case OVER_AGGREGATE:
		return run->whole ? state->end : state->start;
	case OVER_LAST_VALUE:
		return !run->whole ? state->start : state->end > 0 ? state->end - 1 : 0;
	case OVER_FIRST_VALUE:
	case OVER_NTH_VALUE:
		return run->whole ? state->end : state->start;
	default:
		return next;
	}
}

/* The oldest row that some call needs. */
static uint64_t
kept_from(const OverCalls *calls, const Partition *partition)
{
	uint64_t keep = partition->next;

	if (calls->plain)
		keep = keep > calls->history ? keep - calls->history : 0;
	for (uint32_t c = 0; c < calls->count && !calls->plain; c++) {
		uint64_t from = needed_from(partition, &calls->runs[c]);

		if (from < keep)
			keep = from;
	}
	/* The next row is compared with the last one. */
	if (calls->needs_peers && keep == partition->total && keep > 0)
		keep--;
	return keep;
}

void
partition_trim_frames(OverCalls *calls, Partition *partition)
{
	uint64_t keep = kept_from(calls, partition);

	for (; partition->first < keep; partition->first++)
		row_store_release(calls->store, partition_row(partition, partition->first)->ref);
}

/* A call's state from bytes: a frame within the rows, no more values than are wanted, and a row
 * from the partition's start that is there as soon as it can be. */
static bool
state_is_sound(const Partition *partition, const OverRun *run, bool sorted)
{
	const CallState *state = call_state(partition, run);
	uint64_t wanted = (uint64_t)run->call->number;
	bool built = run->call->function == OVER_AGGREGATE && !run->whole;

	if (state->start > partition->total || state->end > partition->total ||
	    state->scanned > partition->total)
		return false;
	if (built && state->start < state->end && state->start < partition->first)
		return false;
	if (run->call->ignores_nulls && state->found > wanted)
		return false;
	if (!keeps_nth(run))
		return !state->has_nth;
	if (run->call->ignores_nulls)
		return state->has_nth == (state->found == wanted);
	return !sorted || state->has_nth == (partition->total >= wanted);
}

bool
partition_is_sound(const OverCalls *calls, const Partition *partition, bool sorted)
{
	for (uint32_t c = 0; c < calls->count; c++)
		if (!state_is_sound(partition, &calls->runs[c], sorted))
			return false;
	return partition->first <= kept_from(calls, partition);
}

void
partition_init(const OverCalls *calls, Partition *partition)
{
	for (uint32_t c = 0; c < calls->count; c++) {
		const AggregateRun *run = &calls->runs[c].aggregate;

		if (run->call != NULL && run->call->class->init != NULL)
			run->call->class->init(run,
					       (char *)partition + calls->runs[c].aggregate_offset);
	}
}

void
partition_reset(OverCalls *calls, Partition *partition)
{
	KeyedHead head = partition->head;

	for (uint64_t r = partition->first; r < partition->total; r++)
		row_store_release(calls->store, partition_row(partition, r)->ref);
	for (uint32_t c = 0; c < calls->count; c++) {
		const OverRun *run = &calls->runs[c];
		CallState *state = call_state(partition, run);

		if (state->has_nth)
			row_store_release(calls->store, state->nth);
		if (run->call->function == OVER_AGGREGATE)
			over_aggregate_release(calls, run, partition);
		calls->runs[c].last = NULL;
	}
	calls->row_bytes -= sizeof *partition->rows * partition->capacity;
	memory_free(partition->rows);
	memset(partition, 0, calls->payload_size);
	partition->head = head;
	partition_init(calls, partition);
}

/* ---------------------------------------------------------------- frames */

static uint64_t
offset_row(uint64_t row, int64_t offset, uint64_t total)
{
	if (offset < 0)
		return row > (uint64_t)-offset ? row - (uint64_t)-offset : 0;
	return total - row > (uint64_t)offset ? row + (uint64_t)offset : total;
}

/* Compares the key of another row with this row's bound of the frame. */
static int
compare_bound(const OverCalls *calls, const OverRun *run, RowRef other, RowRef row, uint32_t bound)
{
	return vector_order(&row_block(calls->store, other)->columns[run->key], other & ROW_MASK,
			    &row_block(calls->store, row)->columns[bound], row & ROW_MASK,
			    run->descending, run->nulls_first);
}

/* Peers from the row's own on; the difference is right though the numbers wrap. */
static int32_t
peers_from(const Partition *partition, uint64_t other, uint64_t row)
{
	return (int32_t)(partition_row(partition, other)->peers -
			 partition_row(partition, row)->peers);
}

static uint64_t
frame_start(const OverCalls *calls, const OverRun *run, const Partition *partition, uint64_t row,
	    uint64_t from)
{
	const OverFrame *frame = &run->call->frame;
	RowRef ref = partition_row(partition, row)->ref;

	if (frame->start == FRAME_UNBOUNDED_PRECEDING)
		return 0;
	if (frame->unit == FRAME_ROWS)
		return offset_row(row, frame->first, partition->total);
	if (run->low != NO_SLOT)
		while (from < partition->total &&
		       compare_bound(calls, run, partition_row(partition, from)->ref, ref,
				     run->low) < 0)
			from++;
	else
		while (from < partition->total && peers_from(partition, from, row) < frame->first)
			from++;
	return from;
}

/* One past the last row. */
static uint64_t
frame_end(const OverCalls *calls, const OverRun *run, const Partition *partition, uint64_t row,
	  uint64_t from)
{
	const OverFrame *frame = &run->call->frame;
	RowRef ref = partition_row(partition, row)->ref;

	if (frame->end == FRAME_UNBOUNDED_FOLLOWING)
		return partition->total;
	if (frame->unit == FRAME_ROWS) {
		if (frame->last < 0 && row < (uint64_t)-frame->last)
			return 0;
		uint64_t last = offset_row(row, frame->last, partition->total);
		return last < partition->total ? last + 1 : partition->total;
	}
	if (run->high != NO_SLOT)
		while (from < partition->total &&
		       compare_bound(calls, run, partition_row(partition, from)->ref, ref,
				     run->high) <= 0)
			from++;
	else
		while (from < partition->total && peers_from(partition, from, row) <= frame->last)
			from++;
	return from;
}

/* ---------------------------------------------------------------- aggregates */

static bool
emit_aggregate(OverCalls *calls, OverRun *run, Partition *partition, Vector *out, uint32_t row,
	       Batch *batch, RecordRange record)
{
	CallState *state = call_state(partition, run);
	uint64_t row_number = partition->next;
	uint64_t start = frame_start(calls, run, partition, row_number, state->start);
	uint64_t end = frame_end(calls, run, partition, row_number, state->end);
	Str message = {NULL, 0};

	if (end < start)
		end = start;
	if (run->last == partition && run->last_start == start && run->last_end == end) {
		vector_copy(out, row, out, run->last_row, NULL);
		return true;
	}
	vector_set_valid(out, row);
	Status status = over_aggregate_move(calls, run, partition, start, end, out, row,
					    &batch->heap, &message);
	if (status != FERRIS_OK) {
		batch_add_error(batch, record, status, run->call->text, "%.*s", STR_ARG(message));
		return false;
	}
	run->last = partition;
	run->last_start = start;
	run->last_end = end;
	run->last_row = row;
	return true;
}

/* ---------------------------------------------------------------- values */

static void
copy_text(const Vector *from, uint32_t from_row, Vector *out, uint32_t row)
{
	if (vector_is_null(from, from_row)) {
		vector_set_null(out, row);
		return;
	}
	vector_set_valid(out, row);
	VECTOR_DATA(out, StringView)[row] = VECTOR_DATA(from, const StringView)[from_row];
}

static void
copy_value(const OverCalls *calls, const OverRun *run, uint32_t slot, RowRef ref, Vector *out,
	   uint32_t row)
{
	const Vector *from = &row_block(calls->store, ref)->columns[slot];

	if (from->form == FORM_TEXT)
		copy_text(from, ref & ROW_MASK, out, row);
	else if (from->has_null || out->has_null || !run->is_plain64)
		vector_copy(out, row, from, ref & ROW_MASK, NULL);
	else
		VECTOR_DATA(out, int64_t)[row] = VECTOR_DATA(from, int64_t)[ref & ROW_MASK];
}

/* LAG and LEAD. */
static void
emit_neighbour(const OverCalls *calls, const OverRun *run, const Partition *partition, Vector *out,
	       uint32_t row)
{
	uint64_t away = (uint64_t)run->call->number;
	uint64_t here = partition->next;
	bool lag = run->call->function == OVER_LAG;
	bool exists = lag ? here >= away : partition->total - here > away;

	if (exists)
		copy_value(calls, run, run->value,
			   partition_row(partition, lag ? here - away : here + away)->ref, out,
			   row);
	else if (run->otherwise != NO_SLOT)
		copy_value(calls, run, run->otherwise, partition_row(partition, here)->ref, out,
			   row);
	else
		vector_set_null(out, row);
}

static void
emit_framed_value(const OverCalls *calls, const OverRun *run, Partition *partition, Vector *out,
		  uint32_t row)
{
	CallState *state = call_state(partition, run);
	uint64_t nth = (uint64_t)run->call->number - 1;

	state->start = frame_start(calls, run, partition, partition->next, state->start);
	state->end = frame_end(calls, run, partition, partition->next, state->end);
	if (state->end < state->start)
		state->end = state->start;
	uint64_t count = state->end - state->start;
	if (run->call->function == OVER_LAST_VALUE)
		nth = count - 1; /* of no rows: beyond any count */
	if (nth >= count)
		vector_set_null(out, row);
	else if (run->whole && run->call->function != OVER_LAST_VALUE)
		copy_value(calls, run, run->value, state->nth, out, row);
	else
		copy_value(calls, run, run->value,
			   partition_row(partition, state->start + nth)->ref, out, row);
}

/* ---------------------------------------------------------------- IGNORE NULLS */

static bool
has_value(const OverCalls *calls, const OverRun *run, const Partition *partition, uint64_t row)
{
	RowRef ref = partition_row(partition, row)->ref;

	return !vector_is_null(&row_block(calls->store, ref)->columns[run->value], ref & ROW_MASK);
}

static void
emit_value_or_default(const OverCalls *calls, const OverRun *run, const Partition *partition,
		      bool exists, uint64_t at, Vector *out, uint32_t row)
{
	if (exists)
		copy_value(calls, run, run->value, partition_row(partition, at)->ref, out, row);
	else if (run->otherwise != NO_SLOT)
		copy_value(calls, run, run->otherwise,
			   partition_row(partition, partition->next)->ref, out, row);
	else
		vector_set_null(out, row);
}

/* The values wanted lie in [start, next), the first of them at start. */
static void
emit_lag_of_values(const OverCalls *calls, const OverRun *run, Partition *partition, Vector *out,
		   uint32_t row)
{
	CallState *state = call_state(partition, run);
	uint64_t wanted = (uint64_t)run->call->number;
	uint64_t here = partition->next;

	emit_value_or_default(calls, run, partition, state->found == wanted, state->start, out,
			      row);
	if (!has_value(calls, run, partition, here))
		return;
	if (state->found == 0)
		state->start = here;
	if (state->found++ < wanted)
		return;
	do
		state->start++;
	while (!has_value(calls, run, partition, state->start));
	state->found = wanted;
}

/* The values found lie in (next, scanned), the last of them at start. */
static void
emit_lead_of_values(const OverCalls *calls, const OverRun *run, Partition *partition, Vector *out,
		    uint32_t row)
{
	CallState *state = call_state(partition, run);
	uint64_t wanted = (uint64_t)run->call->number;
	uint64_t here = partition->next;

	if (state->scanned <= here)
		state->scanned = here + 1;
	else if (has_value(calls, run, partition, here))
		state->found--;
	for (; state->found < wanted && state->scanned < partition->total; state->scanned++)
		if (has_value(calls, run, partition, state->scanned)) {
			state->found++;
			state->start = state->scanned;
		}
	emit_value_or_default(calls, run, partition, state->found == wanted, state->start, out,
			      row);
}

/* FIRST_VALUE and NTH_VALUE: the values found lie in [start, scanned); once they are as many as are
 * wanted, the last of them right before scanned. */
static void
emit_nth_of_values(const OverCalls *calls, const OverRun *run, Partition *partition, Vector *out,
		   uint32_t row)
{
	CallState *state = call_state(partition, run);
	uint64_t wanted = (uint64_t)run->call->number;
	uint64_t start = frame_start(calls, run, partition, partition->next, state->start);
	uint64_t end = frame_end(calls, run, partition, partition->next, state->end);

	for (; state->start < start && state->start < state->scanned; state->start++)
		state->found -= has_value(calls, run, partition, state->start);
	state->start = start;
	state->end = end < start ? start : end;
	if (state->scanned < start)
		state->scanned = start;
	for (; state->found < wanted && state->scanned < state->end; state->scanned++)
		state->found += has_value(calls, run, partition, state->scanned);
	if (state->found < wanted) {
		vector_set_null(out, row);
		return;
	}
	if (run->whole && !state->has_nth) {
		state->nth = partition_row(partition, state->scanned - 1)->ref;
		state->has_nth = true;
		row_store_hold(calls->store, state->nth);
	}
	copy_value(calls, run, run->value,
		   run->whole ? state->nth : partition_row(partition, state->scanned - 1)->ref, out,
		   row);
}

static void
emit_of_values(const OverCalls *calls, const OverRun *run, Partition *partition, Vector *out,
	       uint32_t row)
{
	if (run->call->function == OVER_LAG)
		emit_lag_of_values(calls, run, partition, out, row);
	else if (run->call->function == OVER_LEAD)
		emit_lead_of_values(calls, run, partition, out, row);
	else
		emit_nth_of_values(calls, run, partition, out, row);
}

/* ---------------------------------------------------------------- ranks */

static void
follow_rank(Partition *partition)
{
	uint32_t peers = partition_row(partition, partition->next)->peers;

	if (partition->rank > 0 && peers == partition->rank_peers)
		return;
	partition->rank++;
	partition->rank_row = partition->next;
	partition->rank_peers = peers;
}

/* The first n % tiles tiles have a row more. */
static int64_t
tile_of(uint64_t row, uint64_t total, uint64_t tiles)
{
	uint64_t size = total / tiles;
	uint64_t larger = total % tiles;

	if (row < larger * (size + 1))
		return (int64_t)(row / (size + 1) + 1);
	return (int64_t)(larger + (row - larger * (size + 1)) / size + 1);
}

static double
distribution(const Partition *partition, CallState *state)
{
	if (state->end <= partition->next)
		state->end = partition->next;
	while (state->end < partition->total &&
	       peers_from(partition, state->end, partition->next) <= 0)
		state->end++;
	return (double)state->end / (double)partition->total;
}

static double
percent_rank(const Partition *partition)
{
	return partition->total > 1 ? (double)partition->rank_row / (double)(partition->total - 1)
				    : 0;
}

bool
partition_compute(OverCalls *calls, Partition *partition, Vector *columns, uint32_t row,
		  Batch *batch, RecordRange record)
{
	bool good = true;

	if (calls->needs_peers)
		follow_rank(partition);
	for (uint32_t c = 0; c < calls->count && good; c++) {
		OverRun *run = &calls->runs[c];
		Vector *out = &columns[run->column];

		switch (run->call->function) {
		case OVER_ROW_NUMBER:
			VECTOR_DATA(out, int64_t)[row] = (int64_t)partition->next + 1;
			break;
		case OVER_RANK:
			VECTOR_DATA(out, int64_t)[row] = (int64_t)partition->rank_row + 1;
			break;
		case OVER_DENSE_RANK:
			VECTOR_DATA(out, int64_t)[row] = (int64_t)partition->rank;
			break;
		case OVER_PERCENT_RANK:
			VECTOR_DATA(out, double)[row] = percent_rank(partition);
			break;
		case OVER_CUME_DIST:
			VECTOR_DATA(out, double)
			[row] = distribution(partition, call_state(partition, run));
			break;
		case OVER_NTILE:
			VECTOR_DATA(out, int64_t)
			[row] = tile_of(partition->next, partition->total,
					(uint64_t)run->call->number);
			break;
		case OVER_LAG:
		case OVER_LEAD:
			if (run->call->ignores_nulls)
				emit_of_values(calls, run, partition, out, row);
			else
				emit_neighbour(calls, run, partition, out, row);
			break;
		case OVER_FIRST_VALUE:
		case OVER_LAST_VALUE:
		case OVER_NTH_VALUE:
			if (run->call->ignores_nulls)
				emit_of_values(calls, run, partition, out, row);
			else
				emit_framed_value(calls, run, partition, out, row);
			break;
		case OVER_AGGREGATE:
			good = emit_aggregate(calls, run, partition, out, row, batch, record);
			break;
		}
	}
	partition->next++;
	return good;
}
