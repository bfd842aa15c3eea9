/* exec/op_over.c -- OVER: each row with what the rows of its partition say about it.
 *
 * In order of arrival, rows that need no later row get their results in place and go on in their
 * batch.  All other rows are copied to the store and come out as rows of the operator's own:
 *
 *   event time   when the watermark has passed them, in order of time, ties by the further ORDER BY
 *                and then as they arrived.  A frame that ends by time (peers, RANGE ... FOLLOWING)
 *                comes out when the next time is behind it, rows in their order; one that ends some
 *                rows later (LEAD) when its partition has these rows.
 *   sorted       when the input ends, partition by partition in the order of their first rows;
 *                or, above windows of time, at each watermark.
 *
 * The order of the output follows from the rows' times and their order of arrival alone, not from
 * how the input was cut.  A row whose time is below the watermark before it is late: it is counted
 * and left out.
 *
 * Owns:    the store of rows, the partitions, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/op_over.h"

/* A row that waits for event time. */
typedef struct Waiting {
	int64_t time;
	Partition *partition;
	RowRef ref;
} Waiting;

#define RADIX_BITS 11
#define RADIX_SIZE (1u << RADIX_BITS)

typedef struct OverOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program;
	BoundExpr **exprs; /* the slots: first those that are stored */
	uint32_t slot_count;
	uint32_t stored_count;
	const Vector **results;
	const Vector **stored; /* of them, and the numbers */
	Vector numbers;        /* of the rows, if nodes above want them */
	int64_t row_number;
	uint32_t *partition_slots;
	uint32_t time_slot;
	uint32_t idle_slot;

	RowStore store;
	OverCalls calls;
	GroupTable *groups;
	const Vector **keys;
	char **payloads; /* of the batch's rows */
	RowRef *refs;
	uint16_t *rows;
	int64_t watermark; /* as announced */

	uint64_t rows_after; /* a row comes out when so many more are there */
	bool waits_time;     /* and when the time has passed it by `delay` */
	int64_t delay;
	bool sorts_ties;
	bool in_place;
	Waiting *waiting; /* in order; [0, out) have come out, [out, taken) are in their partitions */
	size_t waiting_count, waiting_capacity;
	size_t out_count, taken_count;
	Waiting *arrived; /* of one batch */
	Waiting *scratch;
	uint64_t *sort_keys;

	Batch *out;
	RowRef *out_refs;
	Vector *columns; /* in place: take the place of the batch's */
	Vector *own;     /* the calls' results */
} OverOp;

/* ---------------------------------------------------------------- opening: slots */

/* The slot of an expression; a column has one only. */
static uint32_t
add_slot(OverOp *self, BoundExpr *expr)
{
	if (expr == NULL)
		return NO_SLOT;
	for (uint32_t i = 0; i < self->slot_count && expr->kind == BOUND_COLUMN; i++)
		if (self->exprs[i]->kind == BOUND_COLUMN && self->exprs[i]->column == expr->column)
			return i;
	self->exprs[self->slot_count] = expr;
	return self->slot_count++;
}

static uint32_t
most_slots(const PlanNode *plan)
{
	uint32_t count = plan->over.left_count + plan->over.partition_count + plan->over.order_count + 3;

	for (uint32_t i = 0; i < plan->over.call_count; i++) {
		const AggregateCall *aggregate = plan->over.calls[i].aggregate;

		count += 5 + (aggregate != NULL ? aggregate->arg_count + 2 : 0);
	}
	return count;
}

static Status
open_run(OverOp *self, TaskContext *task, const OverCall *call, OverRun *run, Error *err)
{
	const AggregateCall *aggregate = call->aggregate;
	const OverKey *key = self->plan->over.order;

	run->call = call;
	run->value = add_slot(self, call->value);
	run->is_plain64 = call->value != NULL && type_physical(call->type) == PHYSICAL_INT64;
	run->otherwise = add_slot(self, call->otherwise);
	run->key = add_slot(self, call->frame.key);
	run->low = add_slot(self, call->frame.low);
	run->high = add_slot(self, call->frame.high);
	run->filter = run->order = NO_SLOT;
	run->framed = call->function >= OVER_FIRST_VALUE;
	run->whole = call->frame.start == FRAME_UNBOUNDED_PRECEDING;
	if (call->frame.key != NULL) {
		run->descending = key->descending;
		run->nulls_first = key->nulls_first;
	}
	if (aggregate == NULL)
		return FERRIS_OK;
	run->filter = add_slot(self, aggregate->filter);
	run->order = add_slot(self, aggregate->order);
	run->args = ARENA_ARRAY(task->arena, uint32_t, aggregate->arg_count);
	run->arg_vectors = ARENA_ARRAY(task->arena, const Vector *, aggregate->arg_count);
	for (uint32_t a = 0; a < aggregate->arg_count; a++)
		run->args[a] = add_slot(self, aggregate->args[a]);
	TRY(aggregate_open(aggregate, &self->calls.memory, task->arena, &run->aggregate, err));
	run->ordered = run->aggregate.call->class->flags & AGGREGATE_ORDERED;
	return FERRIS_OK;
}

static Status
open_slots(OverOp *self, TaskContext *task, Error *err)
{
	const PlanNode *plan = self->plan;
	uint32_t *order = ARENA_ARRAY(task->arena, uint32_t, plan->over.order_count);

	self->exprs = ARENA_ARRAY(task->arena, BoundExpr *, most_slots(plan));
	for (uint32_t i = 0; i < plan->over.left_count; i++)
		self->exprs[self->slot_count++] = plan->over.left[i];
	self->calls.runs = ARENA_ARRAY(task->arena, OverRun, plan->over.call_count);
	self->calls.count = plan->over.call_count;
	for (uint32_t i = 0; i < plan->over.call_count; i++) {
		self->calls.runs[i].column = plan->over.left_count + i;
		TRY(open_run(self, task, &plan->over.calls[i], &self->calls.runs[i], err));
	}
	for (uint32_t i = 0; i < plan->over.order_count; i++)
		order[i] = add_slot(self, plan->over.order[i].expr);
	self->calls.order = order;
	self->calls.order_keys = plan->over.order;
	self->calls.order_count = plan->over.order_count;
	self->calls.number_slot = add_slot(self, plan->over.number);
	self->stored_count = self->slot_count;
	self->partition_slots = ARENA_ARRAY(task->arena, uint32_t, plan->over.partition_count);
	for (uint32_t i = 0; i < plan->over.partition_count; i++)
		self->partition_slots[i] = add_slot(self, plan->over.partition[i]);
	self->time_slot = plan->over.mode == OVER_TIME ? order[0] : NO_SLOT;
	self->idle_slot = add_slot(self, plan->over.idle);
	self->results = ARENA_ARRAY(task->arena, const Vector *, self->slot_count + 1);
	return program_compile(task->arena, self->exprs, self->slot_count, &self->program, err);
}

/* ---------------------------------------------------------------- opening: the rest */

/* What a row waits for before it can come out. */
static void
find_waits(OverOp *self)
{
	for (uint32_t i = 0; i < self->calls.count; i++) {
		const OverRun *run = &self->calls.runs[i];
		const OverFrame *frame = &run->call->frame;
		uint64_t after = 0;

		if (run->call->function == OVER_LEAD)
			after = (uint64_t)run->call->number;
		if (run->framed && frame->unit == FRAME_ROWS && frame->end == FRAME_FOLLOWING)
			after = (uint64_t)frame->last;
		if (after > self->rows_after)
			self->rows_after = after;
		if (run->framed && frame->unit != FRAME_ROWS) {
			self->waits_time = true;
			if (frame->delay > self->delay)
				self->delay = frame->delay;
		}
		if ((run->framed && frame->unit != FRAME_ROWS) ||
		    (run->call->function >= OVER_RANK && run->call->function <= OVER_CUME_DIST))
			self->calls.needs_peers = true;
	}
	self->calls.plain = true;
	for (uint32_t i = 0; i < self->calls.count; i++) {
		const OverRun *run = &self->calls.runs[i];
		uint64_t back = run->call->function == OVER_LAG ? (uint64_t)run->call->number : 0;

		self->calls.plain = self->calls.plain && !run->framed;
		if (back > self->calls.history)
			self->calls.history = back;
		self->calls.keeps_nth = self->calls.keeps_nth || (run->framed && run->whole);
	}
	self->sorts_ties = self->calls.order_count > 1 || self->calls.number_slot != NO_SLOT;
	self->in_place = self->plan->over.mode == OVER_ARRIVAL && self->rows_after == 0;
}

static void
open_partitions(OverOp *self, TaskContext *task)
{
	const PlanNode *plan = self->plan;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, plan->over.partition_count + 1);
	const Type **stored = ARENA_ARRAY(task->arena, const Type *, self->stored_count + 1);
	size_t size = (sizeof(Partition) + 15) & ~(size_t)15;

	for (uint32_t i = 0; i < self->calls.count; i++) {
		OverRun *run = &self->calls.runs[i];

		run->offset = size;
		size += sizeof(CallState);
		run->aggregate.offset = size;
		size += run->aggregate.state_size;
		size = (size + 15) & ~(size_t)15;
	}
	self->calls.payload_size = size;
	self->calls.store = &self->store;
	for (uint32_t i = 0; i < plan->over.partition_count; i++)
		types[i] = plan->over.partition[i]->type;
	for (uint32_t i = 0; i < self->stored_count; i++)
		stored[i] = self->exprs[i]->type;
	stored[self->stored_count] = TYPE_OF(BIGINT);
	row_store_init(&self->store, stored, self->stored_count + plan->over.numbered);
	self->stored = ARENA_ARRAY(task->arena, const Vector *, self->stored_count + 1);
	if (plan->over.numbered)
		vector_init(&self->numbers, TYPE_OF(BIGINT), FORM_VALUE, BATCH_CAPACITY);
	self->stored[self->stored_count] = &self->numbers;
	self->groups = group_table_new(&(GroupTableSpec){
		.key_types = types,
		.key_count = plan->over.partition_count,
		.payload_size = size,
		.byte_limit = task->state_limit,
	});
}

static Status
over_op_open(Operator *op, TaskContext *task, Error *err)
{
	OverOp *self = (OverOp *)op;
	const Schema *schema = &op->plan->schema;

	self->task = task;
	self->plan = op->plan;
	self->watermark = INT64_MIN;
	TRY(open_slots(self, task, err));
	find_waits(self);
	open_partitions(self, task);
	self->keys = ARENA_ARRAY(task->arena, const Vector *, op->plan->over.partition_count + 1);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->refs = ARENA_ARRAY(task->arena, RowRef, BATCH_CAPACITY);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->arrived = ARENA_ARRAY(task->arena, Waiting, BATCH_CAPACITY);
	self->scratch = ARENA_ARRAY(task->arena, Waiting, BATCH_CAPACITY);
	self->sort_keys = ARENA_ARRAY(task->arena, uint64_t, 2 * BATCH_CAPACITY);
	self->out_refs = ARENA_ARRAY(task->arena, RowRef, BATCH_CAPACITY);
	self->out = batch_new(schema->fields, NULL, schema->count);
	self->out->derived = true;
	self->out->counted = true;
	self->columns = ARENA_ARRAY(task->arena, Vector, schema->count);
	self->own = ARENA_ARRAY(task->arena, Vector, schema->count);
	for (uint32_t i = op->plan->over.left_count; self->in_place && i < schema->count; i++)
		vector_init(&self->own[i], schema->fields[i].type, FORM_VALUE, BATCH_CAPACITY);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- rows out */

/* Results in the output batch may have been taken from rows that are given up: only now. */
static void
forget_results(OverOp *self)
{
	for (uint32_t i = 0; i < self->calls.count; i++)
		self->calls.runs[i].last = NULL;
	row_store_drop(&self->store);
}

static Status
flush_out(OverOp *self, Error *err)
{
	Batch *out = self->out;
	Status status = FERRIS_OK;

	for (uint32_t i = 0; i < self->plan->over.left_count; i++)
		row_store_gather(&self->store, i, self->out_refs, out->row_count, &out->columns[i]);
	if (self->plan->over.numbered)
		row_store_gather(&self->store, self->stored_count, self->out_refs, out->row_count,
		                 &out->columns[self->plan->schema.count - 1]);
	out->dense = out->sel_count == out->row_count;
	if (out->sel_count > 0)
		status = operator_push(self->base.next, out, err);
	task_keep_errors(self->task, out);
	forget_results(self);
	batch_reset(out);
	out->derived = true;
	out->counted = true;
	return status;
}

/* Whether the partition's next row has all it waits for. */
static bool
is_ready(const OverOp *self, const Partition *partition)
{
	if (partition->next == partition->total)
		return false;
	if (partition->ended)
		return true;
	return partition->total - partition->next > self->rows_after &&
	       (!self->waits_time || partition->next < partition->passed);
}

static Status
emit_ready(OverOp *self, Partition *partition, Error *err)
{
	Batch *out = self->out;

	while (is_ready(self, partition)) {
		uint32_t row = out->row_count++;

		self->out_refs[row] = partition_row(partition, partition->next)->ref;
		if (partition_compute(&self->calls, partition, out->columns, row, out, (RecordRange){0}))
			out->sel[out->sel_count++] = (uint16_t)row;
		partition_trim(&self->calls, partition);
		if (out->row_count == BATCH_CAPACITY)
			TRY(flush_out(self, err));
	}
	return FERRIS_OK;
}

/* There will be no further row: what is left comes out, and the partition is as new. */
static Status
end_partition(OverOp *self, Partition *partition, Error *err)
{
	partition->ended = true;
	TRY(emit_ready(self, partition, err));
	partition_reset(&self->calls, partition);
	return FERRIS_OK;
}

static Status
end_partitions(OverOp *self, Error *err)
{
	uint32_t count = group_table_count(self->groups);

	for (uint32_t g = 0; g < count; g++)
		TRY(end_partition(self, (Partition *)(void *)group_table_payload(self->groups, g), err));
	return flush_out(self, err);
}

/* ---------------------------------------------------------------- rows in */

static int64_t
slot_time(const OverOp *self, uint32_t slot, uint32_t row)
{
	const Vector *times = self->results[slot];

	return VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
}

static Str
slot_name(const OverOp *self, uint32_t slot)
{
	return self->exprs[slot]->kind == BOUND_COLUMN ? self->exprs[slot]->name : (Str){"", 0};
}

/* Rows that have a time and are not late go to self->rows; returns how many. */
static uint32_t
keep_timely(OverOp *self, Batch *batch)
{
	const Vector *times = self->results[self->time_slot];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (vector_is_null(times, row)) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL,
			                slot_name(self, self->time_slot), "NULL as the time of a row");
			continue;
		}
		int64_t watermark = batch->watermarks != NULL ? batch->watermarks[row] : self->watermark;
		if (slot_time(self, self->time_slot, row) < watermark) {
			self->task->result->late++;
			self->task->result->results += batch->counted;
			continue;
		}
		self->rows[kept++] = row;
	}
	return kept;
}

static Status
check_memory(const OverOp *self, Error *err)
{
	size_t bytes = self->store.bytes + self->calls.row_bytes + self->calls.memory.bytes +
	               self->waiting_capacity * sizeof *self->waiting + group_table_bytes(self->groups);

	if (bytes <= self->task->state_limit)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_LIMIT, self->plan->position,
	             "the rows that OVER keeps take more than %zu bytes", self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or let the frames reach less far");
}

/* The partitions of the rows go to self->payloads. */
static Status
find_partitions(OverOp *self, const uint16_t *rows, uint32_t count, Error *err)
{
	uint32_t first;

	for (uint32_t k = 0; k < self->plan->over.partition_count; k++)
		self->keys[k] = self->results[self->partition_slots[k]];
	TRY(group_table_find(self->groups, self->keys, rows, count, self->payloads, &first, err));
	for (uint32_t c = 0; c < self->calls.count; c++) {
		const AggregateRun *run = &self->calls.runs[c].aggregate;

		if (run->call == NULL || run->call->class->init == NULL)
			continue;
		for (uint32_t g = first; g < group_table_count(self->groups); g++)
			run->call->class->init(run, group_table_payload(self->groups, g) + run->offset);
	}
	return check_memory(self, err);
}

/* EXPIRE AFTER: a partition without a row for so long begins anew. */
static Status
expire(OverOp *self, Partition *partition, int64_t time, Error *err)
{
	if (partition->total > 0 && time > partition->last_time &&
	    time - partition->last_time > self->plan->over.idle_time)
		TRY(end_partition(self, partition, err));
	if (partition->total == 0 || time > partition->last_time)
		partition->last_time = time;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- order of arrival */

/* The results take their place beside the columns of the batch. */
static Status
push_results(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	Vector *columns = batch->columns;
	uint16_t *sel = batch->sel;
	uint32_t column_count = batch->column_count;
	uint32_t sel_count = batch->sel_count;
	uint64_t filtered = batch->filtered;
	bool dense = batch->dense;
	uint16_t own_sel[BATCH_CAPACITY];

	for (uint32_t i = 0; i < self->plan->over.left_count; i++)
		self->columns[i] = *self->results[i];
	for (uint32_t i = self->plan->over.left_count; i < self->plan->schema.count; i++)
		self->columns[i] = self->own[i];
	if (self->plan->over.numbered)
		self->columns[self->plan->schema.count - 1] = self->numbers;
	memcpy(own_sel, rows, sizeof *rows * count);
	batch->columns = self->columns;
	batch->column_count = self->plan->schema.count;
	batch->sel = own_sel;
	batch->sel_count = count;
	batch->dense = false;
	Status status = operator_push(self->base.next, batch, err);
	batch->columns = columns;
	batch->column_count = column_count;
	batch->sel = sel;
	batch->sel_count = sel_count;
	batch->dense = dense;
	batch->filtered = filtered; /* what QUALIFY leaves out is in the books already */
	return status;
}

static Status
push_in_place(OverOp *self, Batch *batch, Error *err)
{
	uint32_t kept = 0;

	for (uint32_t i = self->plan->over.left_count; i < self->plan->schema.count; i++)
		vector_reset(&self->own[i]);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		Partition *partition = (Partition *)(void *)self->payloads[i];
		uint16_t row = batch->sel[i];

		if (self->idle_slot != NO_SLOT && !vector_is_null(self->results[self->idle_slot], row))
			TRY(expire(self, partition, slot_time(self, self->idle_slot, row), err));
		partition_add(&self->calls, partition, self->refs[i], true);
		if (partition_compute(&self->calls, partition, self->own, row, batch, batch->records[row]))
			self->rows[kept++] = row;
		partition_trim(&self->calls, partition);
	}
	Status status = kept > 0 ? push_results(self, batch, self->rows, kept, err) : FERRIS_OK;
	forget_results(self);
	return status;
}

static Status
push_arrival(OverOp *self, Batch *batch, Error *err)
{
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		Partition *partition = (Partition *)(void *)self->payloads[i];
		uint16_t row = batch->sel[i];

		if (self->idle_slot != NO_SLOT && !vector_is_null(self->results[self->idle_slot], row))
			TRY(expire(self, partition, slot_time(self, self->idle_slot, row), err));
		partition_add(&self->calls, partition, self->refs[i], true);
		TRY(emit_ready(self, partition, err));
	}
	return flush_out(self, err);
}

/* ---------------------------------------------------------------- order of time */

static void
swap_arrived(OverOp *self)
{
	Waiting *swap = self->arrived;

	self->arrived = self->scratch;
	self->scratch = swap;
}

static void
merge_sort_arrived(OverOp *self, uint32_t count)
{
	for (uint32_t width = 1; width < count; width *= 2) {
		for (uint32_t at = 0; at < count; at += 2 * width) {
			uint32_t middle = at + width < count ? at + width : count;
			uint32_t end = middle + width < count ? middle + width : count;
			uint32_t a = at, b = middle;

			for (uint32_t i = at; i < end; i++) {
				bool second = a == middle ||
				              (b < end && self->arrived[b].time < self->arrived[a].time);

				self->scratch[i] = self->arrived[second ? b++ : a++];
			}
		}
		swap_arrived(self);
	}
}

/* Orders self->arrived by time, equal times as they came: least digit first, on the times alone with
 * the rows' numbers in their low bits.  Times too far apart for that are merged. */
static void
sort_arrived(OverOp *self, uint32_t count)
{
	uint64_t *from = self->sort_keys;
	uint64_t *to = self->sort_keys + BATCH_CAPACITY;
	int64_t least = INT64_MAX;
	uint64_t range = 0;
	bool sorted = true;

	for (uint32_t i = 0; i < count; i++) {
		sorted = sorted && (i == 0 || self->arrived[i - 1].time <= self->arrived[i].time);
		least = self->arrived[i].time < least ? self->arrived[i].time : least;
	}
	if (sorted)
		return;
	for (uint32_t i = 0; i < count; i++) {
		uint64_t time = (uint64_t)self->arrived[i].time - (uint64_t)least;

		range |= time;
		from[i] = time << ROW_BITS | i;
	}
	if (range >> (64 - ROW_BITS) > 0) {
		merge_sort_arrived(self, count);
		return;
	}
	for (uint32_t shift = ROW_BITS; shift < 64 && range >> (shift - ROW_BITS) > 0;
	     shift += RADIX_BITS) {
		uint16_t places[RADIX_SIZE] = {0};
		uint16_t sum = 0;

		for (uint32_t i = 0; i < count; i++)
			places[from[i] >> shift & (RADIX_SIZE - 1)]++;
		for (uint32_t d = 0; d < RADIX_SIZE; d++) {
			uint16_t here = places[d];

			places[d] = sum;
			sum = (uint16_t)(sum + here);
		}
		for (uint32_t i = 0; i < count; i++)
			to[places[from[i] >> shift & (RADIX_SIZE - 1)]++] = from[i];
		uint64_t *swap = from;
		from = to;
		to = swap;
	}
	for (uint32_t i = 0; i < count; i++)
		self->scratch[i] = self->arrived[from[i] & ROW_MASK];
	swap_arrived(self);
}

static void
reserve_waiting(OverOp *self, uint32_t count)
{
	size_t wanted = self->waiting_count + count;

	if (wanted <= self->waiting_capacity)
		return;
	if (self->out_count >= wanted / 2) {
		self->waiting_count -= self->out_count;
		self->taken_count -= self->out_count;
		memmove(self->waiting, self->waiting + self->out_count,
		        sizeof *self->waiting * self->waiting_count);
		self->out_count = 0;
		if (self->waiting_count + count <= self->waiting_capacity)
			return;
	}
	self->waiting_capacity = wanted * 2;
	self->waiting = memory_resize(self->waiting, sizeof *self->waiting * self->waiting_capacity);
}

/* Merges the arrived rows into those that wait, from the end: as far as the disorder reaches. */
static void
merge_arrived(OverOp *self, uint32_t count)
{
	reserve_waiting(self, count);
	size_t old = self->waiting_count;
	size_t at = old + count;

	self->waiting_count = at;
	while (count > 0) {
		if (old > self->taken_count && self->waiting[old - 1].time > self->arrived[count - 1].time)
			self->waiting[--at] = self->waiting[--old];
		else
			self->waiting[--at] = self->arrived[--count];
	}
}

static void
push_time(OverOp *self, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		self->arrived[i] = (Waiting){
			.time = slot_time(self, self->time_slot, self->rows[i]),
			.partition = (Partition *)(void *)self->payloads[i],
			.ref = self->refs[i],
		};
	sort_arrived(self, count);
	merge_arrived(self, count);
}

/* Rows whose frame ends before that time come out, in their order. */
static Status
pass_time(OverOp *self, int64_t time, Error *err)
{
	while (self->out_count < self->taken_count) {
		const Waiting *row = &self->waiting[self->out_count];
		int64_t end;

		if (__builtin_add_overflow(row->time, self->delay, &end))
			end = INT64_MAX;
		if (end >= time)
			return FERRIS_OK;
		self->out_count++;
		row->partition->passed++;
		TRY(emit_ready(self, row->partition, err));
	}
	return FERRIS_OK;
}

/* Rows of one time in the order of the further ORDER BY. */
static void
sort_ties(OverOp *self, size_t first, size_t end)
{
	for (size_t i = first + 1; i < end; i++) {
		Waiting row = self->waiting[i];
		size_t at = i;

		while (at > first &&
		       over_compare_rows(&self->calls, row.ref, self->waiting[at - 1].ref) < 0) {
			self->waiting[at] = self->waiting[at - 1];
			at--;
		}
		self->waiting[at] = row;
	}
}

static Status
take_row(OverOp *self, const Waiting *row, Error *err)
{
	if (self->waits_time)
		TRY(pass_time(self, row->time, err));
	if (self->idle_slot != NO_SLOT)
		TRY(expire(self, row->partition, row->time, err));
	partition_add(&self->calls, row->partition, row->ref, true);
	self->taken_count++;
	if (!self->waits_time)
		self->out_count = self->taken_count;
	return emit_ready(self, row->partition, err);
}

/* Everything before that time goes to its partition; at the end of the input, everything. */
static Status
take_until(OverOp *self, int64_t time, bool end_of_input, Error *err)
{
	while (self->taken_count < self->waiting_count &&
	       (end_of_input || self->waiting[self->taken_count].time < time)) {
		size_t end = self->taken_count + 1;

		while (self->sorts_ties && end < self->waiting_count &&
		       self->waiting[end].time == self->waiting[self->taken_count].time)
			end++;
		sort_ties(self, self->taken_count, end);
		while (self->taken_count < end)
			TRY(take_row(self, &self->waiting[self->taken_count], err));
	}
	if (self->waits_time)
		TRY(pass_time(self, time, err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- sorted */

static Status
sort_partitions(OverOp *self, Error *err)
{
	uint32_t count = group_table_count(self->groups);

	for (uint32_t g = 0; g < count; g++) {
		Partition *partition = (Partition *)(void *)group_table_payload(self->groups, g);

		if (partition->total == 0)
			continue;
		partition_sort(&self->calls, partition);
		TRY(end_partition(self, partition, err));
	}
	TRY(flush_out(self, err));
	group_table_clear(self->groups);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the operator */

static Status
take_batch(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	TRY(find_partitions(self, rows, count, err));
	for (uint32_t i = 0; i < self->stored_count; i++)
		self->stored[i] = self->results[i];
	for (uint32_t i = 0; self->plan->over.numbered && i < batch->row_count; i++)
		VECTOR_DATA(&self->numbers, int64_t)[i] = self->row_number++;
	row_store_append(&self->store, self->stored, rows, count, self->refs);
	switch (self->plan->over.mode) {
	case OVER_ARRIVAL:
		return self->in_place ? push_in_place(self, batch, err) : push_arrival(self, batch, err);
	case OVER_TIME:
		push_time(self, count);
		return FERRIS_OK;
	case OVER_SORTED:
	case OVER_BATCHES:
		break;
	}
	for (uint32_t i = 0; i < count; i++)
		partition_add(&self->calls, (Partition *)(void *)self->payloads[i], self->refs[i], false);
	return FERRIS_OK;
}

static Status
over_op_push(Operator *op, Batch *batch, Error *err)
{
	OverOp *self = (OverOp *)op;
	bool counted = batch->counted;
	uint32_t count = batch->sel_count;
	const uint16_t *rows = batch->sel;

	program_run(self->program, batch, NULL, self->results);
	count = batch->sel_count;
	if (self->plan->over.mode == OVER_TIME) {
		count = keep_timely(self, batch);
		rows = self->rows;
	}
	if (count == 0)
		return FERRIS_OK;
	if (!counted)
		self->task->result->aggregated += count;
	batch->counted = true;
	Status status = take_batch(self, batch, rows, count, err);
	batch->counted = counted;
	return status;
}

static Status
over_op_advance(Operator *op, int64_t watermark, Error *err)
{
	OverOp *self = (OverOp *)op;

	self->watermark = watermark;
	switch (self->plan->over.mode) {
	case OVER_ARRIVAL:
		/* Rows that still wait would be late behind it. */
		return self->in_place ? operator_advance(op->next, watermark, err) : FERRIS_OK;
	case OVER_TIME:
		TRY(take_until(self, watermark, false, err));
		TRY(flush_out(self, err));
		if (self->rows_after > 0 || watermark < INT64_MIN + self->delay)
			return FERRIS_OK;
		return operator_advance(op->next, watermark - self->delay, err);
	case OVER_BATCHES:
		TRY(sort_partitions(self, err));
		return operator_advance(op->next, watermark, err);
	case OVER_SORTED:
		break;
	}
	return FERRIS_OK;
}

static Status
over_op_finish(Operator *op, Error *err)
{
	OverOp *self = (OverOp *)op;

	switch (self->plan->over.mode) {
	case OVER_TIME:
		TRY(take_until(self, INT64_MAX, true, err));
		TRY(end_partitions(self, err));
		break;
	case OVER_ARRIVAL:
		TRY(end_partitions(self, err));
		break;
	case OVER_SORTED:
	case OVER_BATCHES:
		TRY(sort_partitions(self, err));
		break;
	}
	return operator_finish(op->next, err);
}

static void
over_op_close(Operator *op)
{
	OverOp *self = (OverOp *)op;

	if (self->groups != NULL)
		for (uint32_t g = 0; g < group_table_count(self->groups); g++)
			partition_reset(&self->calls,
			                (Partition *)(void *)group_table_payload(self->groups, g));
	group_table_destroy(self->groups);
	row_store_free(&self->store);
	memory_free(self->waiting);
	vector_free(&self->numbers);
	for (uint32_t i = 0; self->own != NULL && i < self->plan->schema.count; i++)
		vector_free(&self->own[i]);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass over_class = {
	.name = "Over",
	.size = sizeof(OverOp),
	.open = over_op_open,
	.push = over_op_push,
	.advance = over_op_advance,
	.finish = over_op_finish,
	.close = over_op_close,
};
