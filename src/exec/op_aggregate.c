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
 * come out already, and the corrected result of its group comes out again.
 *
 * Groups come out in the order of their first row, grouping set after grouping set; windows in the
 * order of their ends.
 *
 * Source: panes as in Li et al., "No pane, no gain", SIGMOD Record 2005.
 *
 * Owns:    panes, their groups and states, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/calls.h"
#include "exec/operator.h"
#include "state/group_table.h"

/* A window's bounds: start <= time < end. */
typedef struct Span {
	int64_t start;
	int64_t end;
} Span;

/* The rows of [start, start + length), or everything. */
typedef struct Pane {
	int64_t start;
	GroupTable *groups;
} Pane;

typedef struct AggregateOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* keys, time, arguments, filters, orders */
	const Vector **results;
	uint32_t time; /* its place */
	CallSet calls;
	uint32_t key_count;  /* of GROUP BY */
	uint32_t table_keys; /* with the number of the grouping set */
	GroupTableSpec spec;
	uint64_t sequence; /* rows seen */

	Pane *panes; /* in order of start; one without windows */
	uint32_t pane_count;
	uint32_t pane_capacity;
	int64_t pane_length;
	int64_t watermark;   /* as announced */
	int64_t emitted_end; /* windows that end here or earlier have come out, if they had rows */
	GroupTable *merged;  /* of a window's panes */

	Vector *nulls; /* a constant NULL of each key's type, for grouping sets */
	Vector set_number;
	const Vector **keys; /* for one grouping set */
	char **payloads;
	uint16_t *rows; /* of one pane */
	uint16_t *rest;
	Batch *out;      /* results that are no input rows */
	Vector *columns; /* EMIT CHANGES: take the place of the batch's */
	Vector *own;     /* window bounds and aggregates of these columns */
} AggregateOp;

static bool
has_window(const AggregateOp *self)
{
	return self->plan->aggregate.window.shape != SHAPE_NONE;
}

static bool
emits_changes(const AggregateOp *self)
{
	return self->plan->aggregate.emit == EMIT_EACH_CHANGE;
}

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

/* The greatest multiple of `step` from `offset` that is not above `time`. */
static int64_t
align_down(int64_t time, int64_t offset, int64_t step)
{
	int64_t rest = (time - offset) % step;

	return time - (rest < 0 ? rest + step : rest);
}

/* ---------------------------------------------------------------- opening */

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
	self->spec = (GroupTableSpec){
		.key_types = types,
		.key_count = self->table_keys,
		.payload_size = calls_lay_out(&self->calls, 0),
		.byte_limit = task->state_limit,
	};
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
	const WindowPlan *window = &op->plan->aggregate.window;

	self->task = task;
	self->plan = op->plan;
	self->key_count = op->plan->aggregate.key_count;
	self->table_keys = self->key_count + (op->plan->aggregate.set_count > 1);
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

/* ---------------------------------------------------------------- panes */

static Pane *
find_pane(AggregateOp *self, int64_t start)
{
	uint32_t at = self->pane_count;

	while (at > 0 && self->panes[at - 1].start >= start) {
		at--;
		if (self->panes[at].start == start)
			return &self->panes[at];
	}
	if (self->pane_count == self->pane_capacity) {
		self->pane_capacity = self->pane_capacity > 0 ? self->pane_capacity * 2 : 8;
		self->panes = memory_resize(self->panes, sizeof *self->panes * self->pane_capacity);
	}
	memmove(&self->panes[at + 1], &self->panes[at],
		sizeof *self->panes * (self->pane_count - at));
	self->pane_count++;
	self->panes[at] = (Pane){.start = start, .groups = group_table_new(&self->spec)};
	return &self->panes[at];
}

static void
release_groups(AggregateOp *self, GroupTable *groups)
{
	uint32_t count = group_table_count(groups);

	for (uint32_t g = 0; g < count; g++)
		calls_release(&self->calls, group_table_payload(groups, g));
}

static void
drop_pane(AggregateOp *self, uint32_t at)
{
	release_groups(self, self->panes[at].groups);
	group_table_destroy(self->panes[at].groups);
	self->pane_count--;
	memmove(&self->panes[at], &self->panes[at + 1],
		sizeof *self->panes * (self->pane_count - at));
}

/* ---------------------------------------------------------------- adding */

static void
init_groups(AggregateOp *self, GroupTable *groups, uint32_t first)
{
	uint32_t count = group_table_count(groups);

	for (uint32_t g = first; g < count; g++)
		calls_init(&self->calls, group_table_payload(groups, g));
}

/* Adds rows to the states of their groups in self->payloads. */
static void
add_to_groups(AggregateOp *self, const uint16_t *sel, uint32_t count, bool dense)
{
	calls_add(&self->calls, self->results,
		  &(AggregateRows){.sel = sel,
				   .count = count,
				   .groups = self->payloads,
				   .sequence = self->sequence,
				   .dense = dense,
				   .one_group = self->table_keys == 0});
}

/* The key vectors of a grouping set: keys outside of it are NULL. */
static void
set_keys(AggregateOp *self, uint32_t set)
{
	uint64_t mask = self->plan->aggregate.sets[set];

	for (uint32_t k = 0; k < self->key_count; k++)
		self->keys[k] = mask >> k & 1 ? self->results[k] : &self->nulls[k];
	if (self->table_keys == self->key_count)
		return;
	vector_reset(&self->set_number);
	self->set_number.constant = true;
	VECTOR_DATA(&self->set_number, int64_t)[0] = set;
	self->keys[self->key_count] = &self->set_number;
}

/* The groups of the rows, made if they are new, go to self->payloads. */
static Status
find_groups(AggregateOp *self, GroupTable *groups, uint32_t set, const uint16_t *sel,
	    uint32_t count, Error *err)
{
	uint32_t first;

	set_keys(self, set);
	Status status =
		group_table_find(groups, self->keys, sel, count, self->payloads, &first, err);
	init_groups(self, groups, first);
	return status;
}

static Status
add_rows(AggregateOp *self, GroupTable *groups, const uint16_t *sel, uint32_t count, bool dense,
	 Error *err)
{
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		TRY(find_groups(self, groups, set, sel, count, err));
		add_to_groups(self, sel, count, dense);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- results */

static void
set_window(const AggregateOp *self, Vector *columns, uint32_t row, Span span)
{
	VECTOR_DATA(&columns[self->key_count], int64_t)[row] = span.start;
	VECTOR_DATA(&columns[self->key_count + 1], int64_t)[row] = span.end;
}

/* A group's aggregates to a row; one that cannot be computed is an error of the row. */
static bool
emit_calls(AggregateOp *self, const char *payload, Vector *columns, uint32_t row, Batch *batch,
	   RecordRange record)
{
	uint32_t first = self->plan->schema.count - self->calls.count;

	return calls_emit(&self->calls, payload, &columns[first], row, batch, record);
}

static Status
push_results(AggregateOp *self, Error *err)
{
	Batch *out = self->out;

	out->dense = false;
	Status status = operator_push(self->base.next, out, err);
	task_keep_errors(self->task, out);
	return status;
}

/* Where the keys of groups are written: the columns of the batch of results. */
static Vector **
key_columns(AggregateOp *self)
{
	Vector **keys = ARENA_ARRAY(&self->out->heap, Vector *, self->table_keys + 1);

	for (uint32_t k = 0; k < self->key_count; k++)
		keys[k] = &self->out->columns[k];
	vector_reset(&self->set_number);
	keys[self->key_count] = &self->set_number;
	return keys;
}

/* The groups of several grouping sets, set after set: in the table they stand in the order in which
 * batches of rows brought them.  NULL for one set. */
static uint32_t *
order_by_set(AggregateOp *self, const GroupTable *groups, uint32_t total)
{
	uint32_t sets = self->plan->aggregate.set_count;
	uint32_t *order, *set_of, *next;

	if (sets == 1)
		return NULL;
	order = memory_alloc(sizeof *order * ((size_t)total * 2 + sets + 1));
	set_of = order + total;
	next = set_of + total;
	memset(next, 0, sizeof *next * (sets + 1));
	for (uint32_t first = 0, count; first < total; first += count) {
		batch_reset(self->out);
		count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		group_table_keys(groups, first, count, key_columns(self));
		for (uint32_t i = 0; i < count; i++) {
			set_of[first + i] = (uint32_t)VECTOR_DATA(&self->set_number, int64_t)[i];
			next[set_of[first + i] + 1]++;
		}
	}
	for (uint32_t set = 1; set < sets; set++)
		next[set] += next[set - 1];
	for (uint32_t g = 0; g < total; g++)
		order[next[set_of[g]]++] = g;
	return order;
}

/* `count` groups from number `first` of the order on as rows. */
static Status
emit_some(AggregateOp *self, const GroupTable *groups, const uint32_t *order, uint32_t first,
	  uint32_t count, Span span, Error *err)
{
	Batch *out = self->out;
	Vector **keys;

	batch_reset(out);
	out->derived = true;
	out->counted = true;
	out->row_count = count;
	keys = key_columns(self);
	if (order == NULL)
		group_table_keys(groups, first, count, keys);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t group = order != NULL ? order[first + i] : first + i;

		if (order != NULL)
			group_table_key(groups, group, keys, i);
		if (has_window(self))
			set_window(self, out->columns, i, span);
		if (emit_calls(self, group_table_payload(groups, group), out->columns, i, out,
			       (RecordRange){0}))
			out->sel[out->sel_count++] = (uint16_t)i;
	}
	return push_results(self, err);
}

/* Groups of a table as rows of their own, in batches. */
static Status
emit_groups(AggregateOp *self, const GroupTable *groups, Span span, Error *err)
{
	uint32_t total = group_table_count(groups);
	uint32_t *order = order_by_set(self, groups, total);
	Status status = FERRIS_OK;

	for (uint32_t first = 0; first < total && status == FERRIS_OK; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;

		status = emit_some(self, groups, order, first, count, span, err);
	}
	memory_free(order);
	return status;
}

/* ---------------------------------------------------------------- windows, FINAL */

/* Adds a pane's groups to the merged table. */
static Status
merge_pane(AggregateOp *self, const GroupTable *from, Error *err)
{
	uint32_t total = group_table_count(from);
	Batch *out = self->out;
	Vector **keys;
	uint16_t sel[BATCH_CAPACITY];

	for (uint32_t first = 0; first < total; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		uint32_t first_new;

		batch_reset(out);
		keys = key_columns(self);
		group_table_keys(from, first, count, keys);
		for (uint32_t i = 0; i < count; i++)
			sel[i] = (uint16_t)i;
		TRY(group_table_find(self->merged, (const Vector *const *)keys, sel, count,
				     self->payloads, &first_new, err));
		init_groups(self, self->merged, first_new);
		for (uint32_t i = 0; i < count; i++)
			calls_merge(&self->calls, self->payloads[i],
				    group_table_payload(from, first + i));
	}
	return FERRIS_OK;
}

/* The result of a window from the panes inside it. */
static Status
emit_window(AggregateOp *self, Span span, Error *err)
{
	uint32_t first = 0;
	uint32_t inside;

	while (first < self->pane_count && self->panes[first].start < span.start)
		first++;
	for (inside = 0;
	     first + inside < self->pane_count && self->panes[first + inside].start < span.end;)
		inside++;
	if (inside == 0)
		return FERRIS_OK;
	if (inside == 1)
		return emit_groups(self, self->panes[first].groups, span, err);
	if (self->merged == NULL)
		self->merged = group_table_new(&self->spec);
	for (uint32_t p = 0; p < inside; p++)
		TRY(merge_pane(self, self->panes[first + p].groups, err));
	Status status = emit_groups(self, self->merged, span, err);
	release_groups(self, self->merged);
	group_table_clear(self->merged);
	return status;
}

/* End of the first window that a row of that time belongs to. */
static int64_t
first_end(const AggregateOp *self, int64_t time)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	return align_down(time, window->offset + window->size, window->advance) + window->advance;
}

/* End of the last window that a row of that time belongs to. */
static int64_t
last_end(const AggregateOp *self, int64_t time)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t step = window->shape == SHAPE_CUMULATE ? window->size : window->advance;

	return align_down(time, window->offset, step) + window->size;
}

/* The one window that ends there. */
static Span
window_of_end(const AggregateOp *self, int64_t end)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	if (window->shape == SHAPE_CUMULATE)
		return (Span){align_down(end - 1, window->offset, window->size), end};
	return (Span){end - window->size, end};
}

/* The first window end after `after` that has something to show, or INT64_MAX. */
static int64_t
next_window_end(const AggregateOp *self, int64_t after)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	for (uint32_t p = 0; p < self->pane_count; p++) {
		int64_t end = first_end(self, self->panes[p].start);

		if (end <= after)
			end = align_down(after, end, window->advance) + window->advance;
		if (end <= last_end(self, self->panes[p].start))
			return end;
	}
	return INT64_MAX;
}

/* Panes whose last window has ended, and its grace. */
static void
drop_panes(AggregateOp *self, int64_t watermark)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	while (self->pane_count > 0) {
		int64_t start = self->panes[0].start;
		int64_t last = emits_changes(self) ? start + window->size : last_end(self, start);

		if (last > watermark - window->grace)
			return;
		drop_pane(self, 0);
	}
}

/* Everything whose end the watermark has passed comes out, in order of the ends. */
static Status
emit_ended(AggregateOp *self, int64_t watermark, Error *err)
{
	for (;;) {
		int64_t end = next_window_end(self, self->emitted_end);

		if (end == INT64_MAX || end > watermark)
			break;
		TRY(emit_window(self, window_of_end(self, end), err));
		self->emitted_end = end;
	}
	if (watermark > self->emitted_end)
		self->emitted_end = watermark;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- rows by pane */

static int64_t
row_time(const AggregateOp *self, uint32_t row)
{
	const Vector *times = self->results[self->time];

	return VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
}

static int64_t
row_watermark(const AggregateOp *self, const Batch *batch, uint32_t row)
{
	return batch->watermarks != NULL ? batch->watermarks[row] : self->watermark;
}

static Str
times_name(const AggregateOp *self)
{
	const BoundExpr *time = self->plan->aggregate.window.time;

	return time->kind == BOUND_COLUMN ? time->name : (Str){"", 0};
}

/* Rows that have a time and are not late go to self->rows; returns how many. */
static uint32_t
keep_timely(AggregateOp *self, Batch *batch)
{
	int64_t grace = self->plan->aggregate.window.grace;
	const Vector *times = self->results[self->time];
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (vector_is_null(times, row)) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL,
					times_name(self), "NULL as the time of a window");
			continue;
		}
		int64_t time = row_time(self, row);
		if (time < -EVENT_TIME_LIMIT || time > EVENT_TIME_LIMIT) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_OUT_OF_RANGE,
					times_name(self), "%lld cannot be the time of a window",
					(long long)time);
			continue;
		}
		/* A window ends behind its rows: only rows behind the watermark need a look. */
		int64_t watermark = row_watermark(self, batch, row);
		if (watermark != INT64_MIN && time < watermark - grace &&
		    last_end(self, time) <= watermark - grace) {
			self->task->result->late++;
			self->task->result->results += batch->counted;
			continue;
		}
		self->rows[kept++] = row;
	}
	return kept;
}

/* Splits off the rows that are not within [start, end); returns how many are. */
static uint32_t
split_rows(AggregateOp *self, uint16_t *rows, uint32_t count, int64_t start, int64_t end)
{
	uint32_t same = 0;
	uint32_t others = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];
		int64_t time = row_time(self, row);
		bool inside = time >= start && time < end;

		self->rest[others] = row;
		rows[same] = row;
		same += inside;
		others += !inside;
	}
	return same;
}

/* Adds rows pane by pane: each pass takes the rows of the first one's pane.  `dense`: they are rows
 * 0, 1, ... count - 1. */
static Status
add_by_pane(AggregateOp *self, uint16_t *rows, uint32_t count, bool dense, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	while (count > 0) {
		int64_t time = row_time(self, rows[0]);
		int64_t start = align_down(time, window->offset, self->pane_length);
		uint32_t same = split_rows(self, rows, count, start, start + self->pane_length);

		dense = dense && same == count;
		TRY(add_rows(self, find_pane(self, start)->groups, rows, same, dense, err));
		count -= same;
		memcpy(rows, self->rest, sizeof *rows * count);
	}
	return FERRIS_OK;
}

/* One group's result of a window that has come out before. */
static Status
emit_correction(AggregateOp *self, uint16_t row, Span span, Error *err)
{
	Batch *out = self->out;

	if (self->merged == NULL)
		self->merged = group_table_new(&self->spec);
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		uint32_t first;

		set_keys(self, set);
		TRY(group_table_find(self->merged, self->keys, &row, 1, self->payloads, &first,
				     err));
		init_groups(self, self->merged, first);
		for (uint32_t p = 0; p < self->pane_count; p++) {
			const Pane *pane = &self->panes[p];
			char *payload;

			if (pane->start < span.start || pane->start >= span.end)
				continue;
			payload = group_table_get(pane->groups, self->keys, row);
			if (payload != NULL)
				calls_merge(&self->calls, self->payloads[0], payload);
		}
	}
	batch_reset(out);
	Status status = emit_groups(self, self->merged, span, err);
	release_groups(self, self->merged);
	group_table_clear(self->merged);
	return status;
}

/* A row for whose first windows the watermark has come: they come out without it, and within the
 * grace they are corrected. */
static Status
add_behind(AggregateOp *self, uint16_t row, int64_t watermark, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t time = row_time(self, row);

	TRY(emit_ended(self, watermark, err));
	TRY(add_by_pane(self, &row, 1, false, err));
	int64_t last = last_end(self, time);
	for (int64_t end = first_end(self, time); end <= last && end <= self->emitted_end;
	     end += window->advance)
		if (end > watermark - window->grace)
			TRY(emit_correction(self, row, window_of_end(self, end), err));
	return FERRIS_OK;
}

/* Rows in their order; those behind the watermark are taken one by one, so that windows that have
 * ended do not depend on how the input was cut. */
static Status
add_in_order(AggregateOp *self, const Batch *batch, uint32_t count, Error *err)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];
		int64_t watermark = row_watermark(self, batch, row);

		if (watermark == INT64_MIN || row_time(self, row) >= watermark ||
		    first_end(self, row_time(self, row)) > watermark)
			continue;
		TRY(add_by_pane(self, self->rows + from, i - from, false, err));
		TRY(add_behind(self, row, watermark, err));
		from = i + 1;
	}
	return add_by_pane(self, self->rows + from, count - from,
			   batch->dense && from == 0 && count == batch->sel_count, err);
}

/* Rows with windows are self->rows[0..count). */
static Status
push_final(AggregateOp *self, Batch *batch, uint32_t count, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	if (!has_window(self)) {
		if (self->pane_count == 0)
			find_pane(self, 0);
		return add_rows(self, self->panes[0].groups, batch->sel, batch->sel_count,
				batch->dense, err);
	}
	/* Only with grace or several windows can a timely row be behind one of them. */
	if (window->grace > 0 || window->advance < window->size)
		return add_in_order(self, batch, count, err);
	return add_by_pane(self, self->rows, count, batch->dense && count == batch->sel_count, err);
}

/* ---------------------------------------------------------------- CHANGES */

/* The group's result takes the row's place in the batch. */
static Status
push_change(AggregateOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	Vector *columns = batch->columns;
	uint16_t *sel = batch->sel;
	uint32_t column_count = batch->column_count;
	uint32_t sel_count = batch->sel_count;
	uint64_t filtered = batch->filtered;
	bool dense = batch->dense;
	uint16_t own_sel[BATCH_CAPACITY];

	for (uint32_t k = 0; k < self->key_count; k++)
		self->columns[k] = *self->keys[k];
	for (uint32_t i = self->key_count; i < self->plan->schema.count; i++)
		self->columns[i] = self->own[i];
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
	batch->filtered = filtered; /* what HAVING leaves out is in the books already */
	return status;
}

/* Adds the rows one after the other and puts each one's result into its own row. */
static Status
change_rows(AggregateOp *self, Batch *batch, GroupTable *groups, uint32_t set, Span span,
	    const uint16_t *rows, uint32_t count, Error *err)
{
	char **payloads = ARENA_ARRAY(&batch->heap, char *, count);
	uint16_t *kept = ARENA_ARRAY(&batch->heap, uint16_t, count);
	uint32_t kept_count = 0;

	TRY(find_groups(self, groups, set, rows, count, err));
	memcpy(payloads, self->payloads, sizeof *payloads * count);
	for (uint32_t i = self->key_count; i < self->plan->schema.count; i++)
		vector_reset(&self->own[i]);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];

		self->payloads[0] = payloads[i];
		add_to_groups(self, &row, 1, false);
		if (has_window(self))
			set_window(self, self->own, row, span);
		if (emit_calls(self, payloads[i], self->own, row, batch, batch->records[row]))
			kept[kept_count++] = row;
	}
	return kept_count > 0 ? push_change(self, batch, kept, kept_count, err) : FERRIS_OK;
}

/* A row of several windows: one result for each, the earliest window first.  A window's pane is
 * found by where it would begin if it had its full size. */
static Status
change_windows(AggregateOp *self, Batch *batch, uint16_t row, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t time = row_time(self, row);
	int64_t watermark = row_watermark(self, batch, row);
	int64_t last = last_end(self, time);

	for (int64_t end = first_end(self, time); end <= last; end += window->advance) {
		if (watermark != INT64_MIN && end <= watermark - window->grace)
			continue;
		for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
			TRY(change_rows(self, batch, find_pane(self, end - window->size)->groups,
					set, window_of_end(self, end), &row, 1, err));
	}
	return FERRIS_OK;
}

static Status
push_changes(AggregateOp *self, Batch *batch, uint32_t count, Error *err)
{
	if (!has_window(self)) {
		if (self->pane_count == 0)
			find_pane(self, 0);
		if (self->plan->aggregate.set_count == 1)
			return change_rows(self, batch, self->panes[0].groups, 0, (Span){0, 0},
					   batch->sel, batch->sel_count, err);
		for (uint32_t i = 0; i < batch->sel_count; i++)
			for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
				TRY(change_rows(self, batch, self->panes[0].groups, set,
						(Span){0, 0}, &batch->sel[i], 1, err));
		return FERRIS_OK;
	}
	for (uint32_t i = 0; i < count; i++)
		TRY(change_windows(self, batch, self->rows[i], err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the operator */

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
	if (!counted)
		self->task->result->aggregated += count;
	batch->counted = true;
	status = emits_changes(self) ? push_changes(self, batch, count, err)
				     : push_final(self, batch, count, err);
	batch->counted = counted;
	self->sequence += batch->row_count;
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
	if (has_window(self)) {
		if (!emits_changes(self))
			TRY(emit_ended(self, watermark, err));
		drop_panes(self, watermark);
		watermark = results_watermark(self, watermark);
	}
	return operator_advance(op->next, watermark, err);
}

/* Without keys there is a group, even of no rows. */
static Status
find_empty_groups(AggregateOp *self, GroupTable *groups, Error *err)
{
	if (group_table_count(groups) > 0)
		return FERRIS_OK;
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
		if (self->plan->aggregate.sets[set] == 0)
			TRY(find_groups(self, groups, set, (uint16_t[]){0}, 1, err));
	return FERRIS_OK;
}

static Status
aggregate_op_finish(Operator *op, Error *err)
{
	AggregateOp *self = (AggregateOp *)op;

	if (!emits_changes(self) && has_window(self)) {
		TRY(emit_ended(self, INT64_MAX - 1, err));
	} else if (!emits_changes(self)) {
		if (self->pane_count == 0)
			find_pane(self, 0);
		TRY(find_empty_groups(self, self->panes[0].groups, err));
		TRY(emit_groups(self, self->panes[0].groups, (Span){0, 0}, err));
	}
	return operator_finish(op->next, err);
}

static void
aggregate_op_close(Operator *op)
{
	AggregateOp *self = (AggregateOp *)op;

	while (self->pane_count > 0)
		drop_pane(self, self->pane_count - 1);
	memory_free(self->panes);
	if (self->merged != NULL)
		group_table_destroy(self->merged);
	for (uint32_t i = 0; i < self->key_count && self->nulls != NULL; i++)
		vector_free(&self->nulls[i]);
	vector_free(&self->set_number);
	for (uint32_t i = self->key_count; self->own != NULL && i < self->plan->schema.count; i++)
		vector_free(&self->own[i]);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass aggregate_class = {
	.name = "Aggregate",
	.size = sizeof(AggregateOp),
	.open = aggregate_op_open,
	.push = aggregate_op_push,
	.advance = aggregate_op_advance,
	.finish = aggregate_op_finish,
	.close = aggregate_op_close,
};
