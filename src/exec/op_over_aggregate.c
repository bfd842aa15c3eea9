/* exec/op_over_aggregate.c -- OVER: aggregates over a frame that moves on.
 *
 * The two ends of a frame only go forward from row to row, so each row enters an aggregate once and
 * leaves it once, if the aggregate can take rows away again.
 *
 * One that cannot (MIN, MAX, DELTA, FIRST, LAST, APPROX_COUNT_DISTINCT) is a queue of two stacks
 * (Tangwongsan, Hirzel, Schneider: Low-latency sliding-window aggregation in worst-case constant
 * time, DEBS 2017): the frame is cut at `middle`.  The payload's state has the rows from there on
 * and takes those that enter.  For the rows before it, the front has states from a row to `middle`,
 * made from the back; a result is the merge of the front's state for the first row and the
 * payload's.  When all rows of the front have left, the payload's become the front.  To hold less,
 * the front has a state for every 64th row, and those of the 64 rows that leave next.  So a row is
 * added three times and two states are merged for it, however long the frame is.
 *
 * In a frame of fewer than 16 rows, adding all of them again when one has left costs less.  With
 * DISTINCT it is done always: a state there is as long as its frame.
 *
 * MAX(price) OVER (PARTITION BY symbol ORDER BY ts ROWS n PRECEDING), a million rows of 20 symbols,
 * user CPU seconds of the whole statement; before: all rows added again.
 *
 *     n         7     15     31     63    127   1000  10000
 *     before  0.23   0.27   0.31   0.43   0.72   3.82
 *     now     0.23   0.25   0.23   0.24   0.23   0.23   0.26 */
#include "base/memory.h"
#include "exec/op_over.h"

#define BLOCK 64 /* rows */
#define SHORT 16 /* rows */

struct OverFront {
	uint64_t base;   /* its first row, and */
	uint64_t middle; /* one past its last */
	uint64_t block;  /* the number of the block whose rows have states */
	uint64_t capacity;
	uint64_t states[]; /* of the block's rows, then of the blocks: 0 to `capacity` */
};

/* ---------------------------------------------------------------- one state */

static bool
passes_filter(const OverRun *run, const RowBlock *block, uint32_t row)
{
	const Vector *filter;

	if (run->filter == NO_SLOT)
		return true;
	filter = &block->columns[run->filter];
	return !vector_is_null(filter, row) && VECTOR_DATA(filter, uint8_t)[row];
}

/* Adds rows [from, to) to the state, or takes them away; those of one block together. */
static void
change_state(const OverCalls *calls, const OverRun *run, const Partition *partition, char *state,
	     uint64_t from, uint64_t to, bool retract)
{
	const AggregateClass *class = run->aggregate.call->class;
	uint16_t sel[BATCH_CAPACITY];
	AggregateRows rows = {
		.args = run->arg_vectors, .sel = sel, .groups = &state, .one_group = true};

	while (from < to) {
		RowRef first = partition_row(partition, from)->ref;
		RowBlock *block = row_block(calls->store, first);
		uint64_t start = from;

		rows.count = 0;
		for (; from < to && rows.count < BATCH_CAPACITY; from++) {
			RowRef ref = partition_row(partition, from)->ref;

			if (ref >> ROW_BITS != first >> ROW_BITS || (run->ordered && from > start))
				break;
			if (passes_filter(run, block, ref & ROW_MASK))
				sel[rows.count++] = (uint16_t)(ref & ROW_MASK);
		}
		if (rows.count == 0)
			continue;
		for (uint32_t a = 0; a < run->aggregate.call->arg_count; a++)
			run->arg_vectors[a] = &block->columns[run->args[a]];
		rows.order = run->order != NO_SLOT ? &block->columns[run->order] : NULL;
		rows.sequence =
			start - (first & ROW_MASK); /* so that the row's number is its sequence */
		if (retract)
			class->retract(&run->aggregate, &rows);
		else
			class->add(&run->aggregate, &rows);
	}
}

static void
empty_state(const OverRun *run, void *state)
{
	const AggregateClass *class = run->aggregate.call->class;

	if (class->release != NULL)
		class->release(&run->aggregate, state);
	memset(state, 0, run->aggregate.state_size);
	if (class->init != NULL)
		class->init(&run->aggregate, state);
}

static char *
own_state(const OverRun *run, Partition *partition)
{
	return (char *)partition + run->aggregate_offset;
}

/* ---------------------------------------------------------------- the front */

static char *
front_state(const OverRun *run, OverFront *front, uint64_t i)
{
	return (char *)front->states + i * run->aggregate.state_size;
}

static bool
has_front(const CallState *state, uint64_t start)
{
	return state->front != NULL && start < state->front->middle;
}

static void
drop_front(OverCalls *calls, const OverRun *run, CallState *state)
{
	if (state->front == NULL)
		return;
	for (uint64_t i = 0; i < state->front->capacity; i++)
		empty_state(run, front_state(run, state->front, i));
	calls->row_bytes -=
		sizeof *state->front + run->aggregate.state_size * state->front->capacity;
	memory_free(state->front);
	state->front = NULL;
}

/* One that has room for so many states; what it had may be lost. */
static OverFront *
make_front(OverCalls *calls, const OverRun *run, CallState *state, uint64_t capacity)
{
	size_t size = sizeof *state->front + run->aggregate.state_size * capacity;

	if (state->front != NULL && state->front->capacity >= capacity)
		return state->front;
	drop_front(calls, run, state);
	state->front = memory_zero(size);
	state->front->capacity = capacity;
	calls->row_bytes += size;
	return state->front;
}

/* States from the front's number `at` on, of the rows from `first`, `first` + `step`, ... to the
 * front's middle; `rest` has those from `end` on. */
static void
fill_front(const OverCalls *calls, const OverRun *run, const Partition *partition, uint64_t at,
	   uint64_t first, uint64_t end, uint64_t step, const char *rest)
{
	OverFront *front = call_state(partition, run)->front;

	for (uint64_t i = (end - first + step - 1) / step; i-- > 0;) {
		char *state = front_state(run, front, at + i);
		uint64_t from = first + i * step;
		uint64_t to = end - from < step ? end : from + step;

		empty_state(run, state);
		if (rest != NULL)
			run->aggregate.call->class->merge(&run->aggregate, state, rest);
		change_state(calls, run, partition, state, from, to, false);
		rest = state;
	}
}

/* The rows of the block in which the frame begins now. */
static void
enter_block(const OverCalls *calls, const OverRun *run, const Partition *partition, uint64_t start)
{
	OverFront *front = call_state(partition, run)->front;
	uint64_t block = (start - front->base) / BLOCK;
	uint64_t first = front->base + block * BLOCK;
	bool last = front->middle - first <= BLOCK;

	front->block = block;
	fill_front(calls, run, partition, start - first, start,
		   last ? front->middle : first + BLOCK, 1,
		   last ? NULL : front_state(run, front, BLOCK + block + 1));
}

/* The rows [start, middle) become the front. */
static void
turn_front(OverCalls *calls, const OverRun *run, Partition *partition, uint64_t start,
	   uint64_t middle)
{
	uint64_t blocks = (middle - start + BLOCK - 1) / BLOCK;
	OverFront *front = make_front(calls, run, call_state(partition, run), BLOCK + blocks);

	front->base = start;
	front->middle = middle;
	fill_front(calls, run, partition, BLOCK, start, middle, BLOCK, NULL);
	enter_block(calls, run, partition, start);
}

/* Rows have left that the aggregate cannot take away. */
static void
leave_rows(OverCalls *calls, const OverRun *run, Partition *partition, uint64_t start)
{
	CallState *state = call_state(partition, run);

	if (has_front(state, start)) {
		if ((start - state->front->base) / BLOCK != state->front->block)
			enter_block(calls, run, partition, start);
		return;
	}
	empty_state(run, own_state(run, partition));
	if (state->end >= start + SHORT && !run->aggregate.call->distinct)
		turn_front(calls, run, partition, start, state->end);
	else
		state->end = start;
}

/* ---------------------------------------------------------------- a row's frame */

static void
move_frame(OverCalls *calls, const OverRun *run, Partition *partition, uint64_t start, uint64_t end)
{
	CallState *state = call_state(partition, run);
	char *own = own_state(run, partition);
	uint64_t leave = start < state->end ? start : state->end;

	if (leave > state->start && run->aggregate.call->class->retract == NULL) {
		leave_rows(calls, run, partition, start);
	} else if (leave > state->start && leave == state->end) {
		empty_state(run, own);
	} else if (leave > state->start) {
		change_state(calls, run, partition, own, state->start, leave, true);
	}
	if (state->end < start)
		state->end = start;
	change_state(calls, run, partition, own, state->end, end, false);
	state->start = start;
	state->end = end;
}

Status
over_aggregate_move(OverCalls *calls, const OverRun *run, Partition *partition, uint64_t start,
		    uint64_t end, Vector *out, uint32_t row, Arena *heap, Str *message)
{
	const AggregateRun *aggregate = &run->aggregate;
	const AggregateClass *class = aggregate->call->class;
	CallState *state = call_state(partition, run);
	char *own = own_state(run, partition);

	move_frame(calls, run, partition, start, end);
	if (!has_front(state, start))
		return class->emit(aggregate, own, out, row, heap, message);
	uint64_t place = (start - state->front->base) % BLOCK;
	class->merge(aggregate, run->merged, front_state(run, state->front, place));
	class->merge(aggregate, run->merged, own);
	Status status = class->emit(aggregate, run->merged, out, row, heap, message);
	empty_state(run, run->merged);
	return status;
}

void
over_aggregate_rebuild(const OverCalls *calls, const OverRun *run, Partition *partition)
{
	const CallState *state = call_state(partition, run);

	change_state(calls, run, partition, own_state(run, partition), state->start, state->end,
		     false);
}

void
over_aggregate_release(OverCalls *calls, const OverRun *run, Partition *partition)
{
	drop_front(calls, run, call_state(partition, run));
	empty_state(run, own_state(run, partition));
}
