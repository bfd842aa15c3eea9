/* exec/op_aggregate.c -- AGGREGATE: groups of rows, of everything or of windows of time.
 *
 * EMIT FINAL.  Rows are added to their group's aggregate states.  Without a window the groups come
 * out when the input ends.  Windows of one shape share panes: a pane is as long as the greatest
 * common divisor of size and advance, every row is added to one pane, and a window's result is the
 * merge of its panes (a tumbling window is its own pane).  A window comes out when the watermark
 * passes its end; its panes go when no window needs them.
 *
 * EMIT CHANGES.  After each row its group's new result takes the row's place, so the output does
 * not depend on how the input was cut.  A row of several windows or grouping sets comes out once
 * for each.  Windows are then kept whole, without panes.
 *
 * Late rows.  A row is late when the watermark before it has passed the end (and grace) of every
 * window it belongs to: it is counted and left out.  Within the grace it corrects windows that have
 * come out already, and the corrected result of its group comes out again.  LATE(query) is this
 * operator too: the late rows go on, the others are left out.
 *
 * Groups come out in the order of their first row, grouping set after grouping set; windows in the
 * order of their ends.
 *
 * Source: panes as in Li et al., "No pane, no gain", SIGMOD Record 2005.
 *
 * Owns:    panes, their groups and states, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "exec/op_aggregate.h"

#include "base/memory.h"

/* ---------------------------------------------------------------- opening */

static int64_t
greatest_common_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

static Status
compile(AggregateOp *self, TaskContext *task, Error *err)
{
	const PlanNode *plan = self->plan;
	uint32_t count = calls_expr_count(plan->aggregate.calls, plan->aggregate.call_count);
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, self->key_count + 1 + count);

	count = 0;
	for (uint32_t i = 0; i < self->key_count; i++)
		exprs[count++] = plan->aggregate.keys[i];
	self->time = count;
	if (has_window(self))
		exprs[count++] = plan->aggregate.window.time;
	TRY(calls_open(&self->calls, plan->aggregate.calls, plan->aggregate.call_count, task->arena,
		       exprs, &count, err));
	self->results = ARENA_ARRAY(task->arena, const Vector *, count + 1);
	return program_compile(task->arena, exprs, count, &self->program, err);
}

static void
lay_out_states(AggregateOp *self, TaskContext *task)
{
	const Type **types = ARENA_ARRAY(task->arena, const Type *, self->table_keys + 1);

	for (uint32_t i = 0; i < self->key_count; i++)
		types[i] = self->plan->aggregate.keys[i]->type;
	if (self->table_keys > self->key_count)
		types[self->key_count] = TYPE_OF(INTEGER);
	KeyedSpec spec = {
		.key_types = types,
		.key_count = self->table_keys,
		.payload_size = calls_lay_out(&self->calls, 0),
		.payload = groups_payload_class(self),
		.owner = self,
		.parts = !emits_changes(self),
		.ranked = self->table_keys > self->key_count,
	};
	keyed_family_init(&self->family, &spec, task->store);
	self->correction = arena_alloc(task->arena, spec.payload_size);
	merge_open(self);
}

static void
make_vectors(AggregateOp *self, TaskContext *task)
{
	const Schema *schema = &self->plan->schema;

	self->keys = ARENA_ARRAY(task->arena, const Vector *, self->table_keys + 1);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->rest = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->nulls = ARENA_ARRAY(task->arena, Vector, self->key_count + 1);
	for (uint32_t i = 0; i < self->key_count; i++) {
		vector_init(&self->nulls[i], self->plan->aggregate.keys[i]->type, FORM_VALUE, 64);
		self->nulls[i].constant = true;
		vector_set_null(&self->nulls[i], 0);
	}
	vector_init(&self->set_number, TYPE_OF(INTEGER), FORM_VALUE, BATCH_CAPACITY);
	self->out = batch_new(schema->fields, NULL, schema->count);
	if (self->plan->aggregate.retracts) {
		vector_init(&self->row_count, TYPE_OF(BIGINT), FORM_VALUE, 64);
		self->kinds = ARENA_ARRAY(task->arena, uint8_t, BATCH_CAPACITY);
	}
	if (!emits_changes(self))
		return;
	self->columns = ARENA_ARRAY(task->arena, Vector, schema->count);
	self->own = ARENA_ARRAY(task->arena, Vector, schema->count);
	for (uint32_t i = self->key_count; i < schema->count; i++)
		vector_init(&self->own[i], schema->fields[i].type, FORM_VALUE, BATCH_CAPACITY);
}

static Status
aggregate_op_open(Operator *op, TaskContext *task, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;
	const WindowPlan *window = &operator_node(op)->aggregate.window;

	self->task = task;
	self->plan = operator_node(op);
	self->late_only = op->plan->kind == PLAN_LATE;
	self->key_count = self->plan->aggregate.key_count;
	self->table_keys = self->key_count + (self->plan->aggregate.set_count > 1);
	self->watermark = INT64_MIN;
	self->emitted_end = INT64_MIN;
	TRY(compile(self, task, err));
	lay_out_states(self, task);
	make_vectors(self, task);
	if (!has_window(self))
		return FERRIS_OK;
	if (window->shape == SHAPE_SESSION)
		return error_set_at(err, FERRIS_ERR_NOT_SUPPORTED, op->plan->position,
				    "SESSION windows cannot run in this version yet");
	self->pane_length = emits_changes(self)
				    ? window->advance
				    : greatest_common_divisor(window->size, window->advance);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the operator */

static Str
times_name(const AggregateOp *self)
{
	const BoundExpr *time = self->plan->aggregate.window.time;

	return time->kind == BOUND_COLUMN ? time->name : (Str){"", 0};
}

/* Looks through the times at once; true when every row has one and none is late, as in most
 * batches. (S5 takes 0.95 of the time, with panes_add and panes_push, which use the bounds too.) */
static bool
all_timely(AggregateOp *self, const Batch *batch)
{
	const Vector *times = self->results[self->time];
	const int64_t *time_of = times->data;
	int64_t grace = self->plan->aggregate.window.grace;
	BatchTimes bounds = {true, INT64_MAX, INT64_MIN, self->watermark};

	self->times.known = false;
	if (times->has_null || times->constant)
		return false;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		int64_t time = time_of[batch->sel[i]];

		bounds.least = time < bounds.least ? time : bounds.least;
		bounds.most = time > bounds.most ? time : bounds.most;
	}
	for (uint32_t i = 0; batch->watermarks != NULL && i < batch->sel_count; i++) {
		int64_t before = batch->watermarks[batch->sel[i]];

		bounds.watermark = before > bounds.watermark ? before : bounds.watermark;
	}
	if (bounds.least < -EVENT_TIME_LIMIT || bounds.most > EVENT_TIME_LIMIT ||
	    (bounds.watermark != INT64_MIN &&
	     window_last_end(self, bounds.least) <= bounds.watermark - grace))
		return false;
	self->times = bounds;
	return true;
}

/* Rows that have a time and are not late go to self->rows; returns how many. */
static uint32_t
keep_timely(AggregateOp *self, Batch *batch)
{
	int64_t grace = self->plan->aggregate.window.grace;
	const Vector *times = self->results[self->time];
	uint32_t kept = 0;

	self->late_count = 0;
	if (all_timely(self, batch)) {
		memcpy(self->rows, batch->sel, sizeof *self->rows * batch->sel_count);
		return batch->sel_count;
	}
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		int64_t time;

		if (!batch_row_time(batch, times, row, times_name(self), "window", &time))
			continue;
		/* A window ends behind its rows: only rows behind the watermark need a look. */
		int64_t watermark = row_watermark(self, batch, row);
		if (watermark != INT64_MIN && time < watermark - grace &&
		    window_last_end(self, time) <= watermark - grace) {
			if (self->late_only) {
				batch->sel[self->late_count++] = row;
				continue;
			}
			self->task->result->late++;
			self->task->result->results += batch->counted;
			continue;
		}
		self->rows[kept++] = row;
	}
	return kept;
}

/* Whether it is time to write out; the merge of panes goes first. */
static bool
is_full(AggregateOp *self)
{
	return keyed_is_full(&self->family, self->calls.memory.bytes) &&
	       (!merge_forget(self) || keyed_is_full(&self->family, self->calls.memory.bytes));
}

static Status
aggregate_op_push(Operator *op, Batch *batch, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;
	bool counted = batch->counted;
	uint32_t count;
	Status status;

	program_run(self->program, batch, NULL, self->results);
	if (batch->sel_count == 0)
		return FERRIS_OK;
	count = has_window(self) ? keep_timely(self, batch) : batch->sel_count;
	if (self->late_only)
		return operator_push_late(op, batch, self->late_count, count, err);
	if (!counted)
		self->task->result->aggregated += count;
	batch->counted = true;
	if (self->plan->aggregate.retracts)
		status = emits_changes(self) ? retract_push(self, batch, count, err)
					     : retract_keep(self, batch, err);
	else
		status = emits_changes(self) ? changes_push(self, batch, count, err)
					     : panes_push(self, batch, count, err);
	batch->counted = counted;
	self->sequence += batch->row_count;
	if (status == FERRIS_OK && is_full(self))
		status = groups_spill(self, err);
	return status;
}

/* No result to come is of a window that begins before. */
static int64_t
results_watermark(const AggregateOp *self, int64_t watermark)
{
	int64_t behind = self->plan->aggregate.window.size + self->plan->aggregate.window.grace;

	return watermark > INT64_MIN + behind ? watermark - behind : INT64_MIN;
}

static Status
aggregate_op_advance(Operator *op, int64_t watermark, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;

	self->watermark = watermark;
	if (has_window(self) && !self->late_only) {
		if (!emits_changes(self))
			TRY(panes_emit_ended(self, watermark, err));
		TRY(panes_drop(self, watermark, err));
		watermark = results_watermark(self, watermark);
	}
	return operator_advance(op->next, watermark, err);
}

/* Without keys there is a group, even of no rows. */
static Status
find_empty_groups(AggregateOp *self, KeyedState *state, Error *err)
{
	uint32_t found;

	if (keyed_is_spilled(state) ||
	    (state->groups != NULL && group_table_count(state->groups) > 0))
		return FERRIS_OK;
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
		if (self->plan->aggregate.sets[set] == 0)
			TRY(groups_find(self, state, set, (uint16_t[]){0}, 1, &found, err));
	return FERRIS_OK;
}

static Status
aggregate_op_finish(Operator *op, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;

	if (self->late_only)
		return operator_finish(op->next, err);
	if (!emits_changes(self) && has_window(self)) {
		TRY(panes_emit_ended(self, INT64_MAX - 1, err));
	} else if (!emits_changes(self)) {
		if (self->pane_count == 0)
			pane_find(self, 0);
		KeyedState *state = &self->panes[0].state;
		TRY(find_empty_groups(self, state, err));
		TRY(groups_emit(self, &state, 1, (Span){0, 0}, err));
	}
	return operator_finish(op->next, err);
}

/* One record for the operator, then the groups of each pane behind its start. */
static Status
aggregate_op_save(Operator *op, StateWriter *writer, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;
	int64_t value[3] = {self->watermark, self->emitted_end, (int64_t)self->sequence};

	TRY(writer->put(writer, STR(""), (Str){(const char *)value, sizeof value}, err));
	for (uint32_t p = 0; p < self->pane_count; p++) {
		PaneKey key = pane_key(self->panes[p].start);

		TRY(keyed_save(&self->family, &self->panes[p].state, writer,
			       (Str){key.bytes, sizeof key.bytes}, err));
	}
	return keyed_save_pending(&self->family, writer, err);
}

static Status
aggregate_op_load(Operator *op, Str key, Str value, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;
	RecordReader reader = record_reader(key);

	if (key.len > 0) {
		int64_t start = record_take_key_i64(&reader);

		bool full;

		if (reader.damaged)
			return store_damaged(err);
		key = str_skip(key, sizeof start);
		KeyedState *state = &pane_find(self, start)->state;
		TRY(keyed_load(&self->family, state, key, value, &full, err));
		if (!full)
			return FERRIS_OK;
		TRY(groups_spill(self, err));
		return keyed_load(&self->family, state, key, value, &full, err);
	}
	reader = record_reader(value);
	self->watermark = (int64_t)record_take_u64(&reader);
	self->emitted_end = (int64_t)record_take_u64(&reader);
	self->sequence = record_take_u64(&reader);
	return reader.damaged ? store_damaged(err) : FERRIS_OK;
}

static void
aggregate_op_close(Operator *op)
{
	AggregateOp *self = (AggregateOp *)op;

	merge_forget(self);
	for (uint32_t p = 0; p < self->pane_count; p++)
		keyed_drop(&self->family, &self->panes[p].state);
	memory_free(self->panes);
	keyed_family_free(&self->family);
	for (uint32_t i = 0; i < self->key_count && self->nulls != NULL; i++)
		vector_free(&self->nulls[i]);
	vector_free(&self->set_number);
	vector_free(&self->row_count);
	for (uint32_t i = self->key_count; self->own != NULL && i < self->plan->schema.count; i++)
		vector_free(&self->own[i]);
	batch_destroy(self->out);
	program_free(self->program);
}

static bool
aggregate_makes_rows(const Operator *op)
{
	return op->plan->kind == PLAN_AGGREGATE && op->plan->aggregate.retracts;
}

const OperatorClass aggregate_class = {
	.name = "Aggregate",
	.size = sizeof(AggregateOp),
	.open = aggregate_op_open,
	.push = aggregate_op_push,
	.advance = aggregate_op_advance,
	.finish = aggregate_op_finish,
	.save = aggregate_op_save,
	.saves_changes = true,
	.load = aggregate_op_load,
	.close = aggregate_op_close,
	.makes_rows = aggregate_makes_rows,
};
