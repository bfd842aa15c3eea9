/* exec/op_over_open.c -- OVER: its expressions, its partitions, and what rows must wait for.
 *
 * Every expression of the node is a slot: first the columns that come out, then what the calls and
 * ORDER BY read; these are stored with the rows.  Keys of partitions are needed only once. */
#include "base/memory.h"
#include "exec/op_over.h"

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
	uint32_t count =
		plan->over.left_count + plan->over.partition_count + plan->over.order_count + 3;

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
	run->merged = arena_zero(task->arena, run->aggregate.state_size);
	return FERRIS_OK;
}

/* Whether no call needs the end of the partition, or of the row's peers. */
static bool
flows_sorted(const OverOp *self)
{
	for (uint32_t i = 0; i < self->calls.count; i++) {
		const OverCall *call = self->calls.runs[i].call;
		bool framed = call->function >= OVER_FIRST_VALUE;

		if ((call->function >= OVER_PERCENT_RANK && call->function <= OVER_NTILE) ||
		    (call->function == OVER_LEAD && call->ignores_nulls) ||
		    (framed && call->frame.end == FRAME_UNBOUNDED_FOLLOWING))
			return false;
	}
	return !self->waits_time;
}

/* What a row waits for before it can come out. */
static void
find_waits(OverOp *self)
{
	const PlanNode *plan = self->plan;

	for (uint32_t i = 0; i < self->calls.count; i++) {
		const OverRun *run = &self->calls.runs[i];
		const OverFrame *frame = &run->call->frame;
		uint64_t after = 0;

		if (run->call->function == OVER_LEAD && !run->call->ignores_nulls)
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

		self->calls.plain = self->calls.plain && !run->framed && !run->call->ignores_nulls;
		if (back > self->calls.history)
			self->calls.history = back;
		self->calls.keeps_nth = self->calls.keeps_nth || (run->framed && run->whole);
	}
	self->flows = flows_sorted(self);
	self->sorts_ties = plan->over.order_count > 1 || plan->over.number != NULL;
	self->compares = self->calls.needs_peers || self->sorts_ties ||
			 plan->over.mode == OVER_SORTED || plan->over.mode == OVER_BATCHES;
	self->in_place = plan->over.mode == OVER_ARRIVAL && self->rows_after == 0;
	self->goes_at_once = self->rows_after == 0 && !self->waits_time && plan->over.idle == NULL;
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
	find_waits(self);
	for (uint32_t i = 0; i < plan->over.order_count && self->compares; i++)
		order[i] = add_slot(self, plan->over.order[i].expr);
	self->calls.order = order;
	self->calls.order_keys = plan->over.order;
	self->calls.order_count = plan->over.order_count;
	self->calls.number_slot = add_slot(self, plan->over.number);
	self->stored_count = self->slot_count;
	self->partition_slots = ARENA_ARRAY(task->arena, uint32_t, plan->over.partition_count);
	for (uint32_t i = 0; i < plan->over.partition_count; i++)
		self->partition_slots[i] = add_slot(self, plan->over.partition[i]);
	self->time_slot =
		plan->over.mode == OVER_TIME ? add_slot(self, plan->over.order[0].expr) : NO_SLOT;
	self->idle_slot = add_slot(self, plan->over.idle);
	self->results = ARENA_ARRAY(task->arena, const Vector *, self->slot_count + 1);
	return program_compile(task->arena, self->exprs, self->slot_count, &self->program, err);
}

/* ---------------------------------------------------------------- opening: the rest */

/* Values, or the text of a column that is only handed on. */
static VectorForm
form_of(const OverOp *self, uint32_t slot)
{
	const PlanNode *node = self->base.plan->input;

	while (node->kind == PLAN_FILTER || node->kind == PLAN_WATERMARK)
		node = node->input;
	if (slot == NO_SLOT || node->kind != PLAN_SCAN || self->exprs[slot]->kind != BOUND_COLUMN)
		return FORM_VALUE;
	return node->scan.columns[self->exprs[slot]->column].form;
}

static void
make_vectors(OverOp *self, TaskContext *task)
{
	const Schema *schema = &self->plan->schema;
	uint32_t left = self->plan->over.left_count;
	VectorForm *forms = ARENA_ARRAY(task->arena, VectorForm, schema->count);

	for (uint32_t i = 0; i < left; i++)
		forms[i] = form_of(self, i);
	for (uint32_t i = 0; i < self->calls.count; i++)
		forms[left + i] = form_of(self, self->calls.runs[i].value);
	self->out = batch_new(schema->fields, forms, schema->count);
	self->out->derived = true;
	self->out->counted = true;
	self->columns = ARENA_ARRAY(task->arena, Vector, schema->count);
	self->own = ARENA_ARRAY(task->arena, Vector, schema->count);
	for (uint32_t i = left; self->in_place && i < schema->count; i++)
		vector_init(&self->own[i], schema->fields[i].type, forms[i], BATCH_CAPACITY);
}

static void
open_partitions(OverOp *self, TaskContext *task)
{
	const PlanNode *plan = self->plan;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, plan->over.partition_count + 1);
	const Type **stored = ARENA_ARRAY(task->arena, const Type *, self->stored_count + 1);
	VectorForm *forms = ARENA_ARRAY(task->arena, VectorForm, self->stored_count + 1);
	size_t size = (sizeof(Partition) + 15) & ~(size_t)15;

	for (uint32_t i = 0; i < self->calls.count; i++) {
		OverRun *run = &self->calls.runs[i];

		run->offset = size;
		size += sizeof(CallState);
		run->aggregate_offset = size;
		size += run->aggregate.state_size;
		size = (size + 15) & ~(size_t)15;
	}
	self->calls.payload_size = size;
	self->fed = arena_zero(task->arena, size);
	self->calls.store = &self->store;
	for (uint32_t i = 0; i < plan->over.partition_count; i++)
		types[i] = plan->over.partition[i]->type;
	for (uint32_t i = 0; i < self->stored_count; i++)
		stored[i] = self->exprs[i]->type;
	stored[self->stored_count] = TYPE_OF(BIGINT);
	for (uint32_t i = 0; i < self->stored_count; i++)
		forms[i] = form_of(self, i);
	row_store_init(&self->store, stored, forms, self->stored_count + plan->over.numbered);
	self->stored = ARENA_ARRAY(task->arena, const Vector *, self->stored_count + 1);
	if (plan->over.numbered)
		vector_init(&self->numbers, TYPE_OF(BIGINT), FORM_VALUE, BATCH_CAPACITY);
	self->stored[self->stored_count] = &self->numbers;
	keyed_family_init(&self->family,
			  &(KeyedSpec){
				  .key_types = types,
				  .key_count = plan->over.partition_count,
				  .payload_size = size,
				  .payload = &over_payload,
				  .owner = self,
				  .headed = true,
			  },
			  task->store);
}

Status
over_op_open(Operator *op, TaskContext *task, Error *err)
{
	OverOp *self = (OverOp *)op;

	self->task = task;
	self->plan = operator_node(op);
	self->late_only = op->plan->kind == PLAN_LATE;
	self->watermark = INT64_MIN;
	self->swept = INT64_MIN;
	TRY(open_slots(self, task, err));
	open_partitions(self, task);
	over_shelf_init(self);
	keyed_track(&self->family, &self->partitions, STR(OVER_PARTITIONS));
	self->keys = ARENA_ARRAY(task->arena, const Vector *, self->plan->over.partition_count + 1);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->refs = ARENA_ARRAY(task->arena, RowRef, BATCH_CAPACITY);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->arrived = ARENA_ARRAY(task->arena, Waiting, BATCH_CAPACITY);
	self->scratch = ARENA_ARRAY(task->arena, Waiting, BATCH_CAPACITY);
	self->sort_keys = ARENA_ARRAY(task->arena, uint64_t, 2 * BATCH_CAPACITY);
	self->out_refs = ARENA_ARRAY(task->arena, RowRef, BATCH_CAPACITY);
	make_vectors(self, task);
	return FERRIS_OK;
}
