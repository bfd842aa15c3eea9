/* exec/op_window.c -- WINDOW: each row with the bounds of its window; with HOP and CUMULATE once
 * for every window that it belongs to, in the order of their ends.
 *
 * A row of TUMBLE has one window: its vectors go on with the bounds beside them.  Otherwise the
 * rows that come out are gathered; they keep the record they come from, and its watermark.
 *
 * Nothing is kept from batch to batch.
 *
 * Owns:    the compiled expressions and the vectors of what comes out.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "exec/window.h"

typedef struct WindowOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* the input's columns that come out, then the time */
	const Vector **results;
	int64_t millisecond; /* in the unit of the time */

	Vector *columns; /* TUMBLE: take the place of the batch's */
	Vector bounds[WINDOW_COLUMNS];
	Batch *out;     /* HOP, CUMULATE: the gathered rows */
	uint32_t *rows; /* of the input, of which they are */
	int64_t *watermarks;
} WindowOp;

static Status
window_open(Operator *op, TaskContext *task, Error *err)
{
	WindowOp *self = (WindowOp *)op;
	const PlanNode *plan = op->plan;
	const Type *type = plan->window.plan.time->type;
	uint32_t left = plan->window.left_count;
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, left + 1);

	self->task = task;
	self->plan = plan;
	self->millisecond = type->kind == TYPE_BIGINT ? 1 : MICROS_PER_MILLI;
	for (uint32_t i = 0; i < WINDOW_COLUMNS; i++)
		vector_init(&self->bounds[i], type, FORM_VALUE, BATCH_CAPACITY);
	self->columns = ARENA_ARRAY(task->arena, Vector, plan->schema.count);
	self->out = batch_new(plan->schema.fields, NULL, plan->schema.count);
	self->rows = ARENA_ARRAY(task->arena, uint32_t, BATCH_CAPACITY);
	self->watermarks = ARENA_ARRAY(task->arena, int64_t, BATCH_CAPACITY);
	self->results = ARENA_ARRAY(task->arena, const Vector *, left + 1);
	if (left > 0)
		memcpy(exprs, plan->window.left, sizeof *exprs * left);
	exprs[left] = plan->window.plan.time;
	return program_compile(task->arena, exprs, left + 1, &self->program, err);
}

/* ---------------------------------------------------------------- the windows of a time */

typedef struct Windows {
	int64_t start, end; /* of the first */
	int64_t start_step, end_step;
	int64_t count;
} Windows;

static Windows
windows_of(const WindowPlan *window, int64_t time)
{
	if (window->shape == SHAPE_CUMULATE) {
		int64_t start = window_align(time, window->offset, window->size);
		int64_t passed = (time - start) / window->advance;

		return (Windows){start, start + (passed + 1) * window->advance, 0, window->advance,
				 window->size / window->advance - passed};
	}
	int64_t last = window_align(time, window->offset, window->advance);
	/* Those that begin there or before and end behind the time. */
	int64_t count = (last + window->size - time + window->advance - 1) / window->advance;
	int64_t start = last - (count - 1) * window->advance;

	return (Windows){start, start + window->size, window->advance, window->advance, count};
}

static void
put_bounds(const WindowOp *self, Vector *to, uint32_t row, int64_t start, int64_t end)
{
	VECTOR_DATA(&to[0], int64_t)[row] = start;
	VECTOR_DATA(&to[1], int64_t)[row] = end;
	VECTOR_DATA(&to[2], int64_t)[row] = end - self->millisecond;
}

/* Leaves the rows that have a time; the others are errors. */
static void
check_times(WindowOp *self, Batch *batch, const Vector *times)
{
	const BoundExpr *expr = self->plan->window.plan.time;
	Str name = expr->kind == BOUND_COLUMN ? expr->name : (Str){"", 0};
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		int64_t time;

		if (batch_row_time(batch, times, row, name, "window", &time))
			batch->sel[kept++] = row;
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
}

/* ---------------------------------------------------------------- in place */

static Status
push_in_place(WindowOp *self, Batch *batch, const Vector *times, Error *err)
{
	uint32_t left = self->plan->window.left_count;
	bool counted = batch->counted;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		int64_t time = VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
		Windows windows = windows_of(&self->plan->window.plan, time);

		put_bounds(self, self->bounds, row, windows.start, windows.end);
	}
	for (uint32_t i = 0; i < left; i++)
		self->columns[i] = *self->results[i];
	for (uint32_t i = 0; i < WINDOW_COLUMNS; i++)
		self->columns[left + i] = self->bounds[i];
	batch->counted = true;
	uint64_t filtered = batch->filtered;
	if (!counted)
		self->task->result->aggregated += batch->sel_count;
	Status status = operator_push_columns(self->base.next, batch, self->columns,
					      self->plan->schema.count, err);
	batch->counted = counted;
	batch->filtered = filtered;
	return status;
}

/* ---------------------------------------------------------------- gathered */

static Status
push_rows(WindowOp *self, const Batch *batch, uint32_t count, Error *err)
{
	Batch *out = self->out;

	if (count == 0)
		return FERRIS_OK;
	out->row_count = count;
	batch_select_all(out);
	for (uint32_t i = 0; i < self->plan->window.left_count; i++)
		vector_gather(&out->columns[i], out->sel, self->results[i], self->rows, count);
	Status status = task_push_rows_of(self->task, self->base.next, batch, self->rows, out,
					  self->watermarks, err);
	batch_reset(out);
	return status;
}

static Status
push_gathered(WindowOp *self, Batch *batch, const Vector *times, Error *err)
{
	Vector *bounds = &self->out->columns[self->plan->window.left_count];
	uint32_t to = 0;

	task_stop_at_error(self->task, batch);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		int64_t time = VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
		Windows windows = windows_of(&self->plan->window.plan, time);

		self->task->result->aggregated += !batch->counted;
		for (int64_t n = 0; n < windows.count; n++) {
			self->rows[to] = row;
			put_bounds(self, bounds, to, windows.start + n * windows.start_step,
				   windows.end + n * windows.end_step);
			if (++to < BATCH_CAPACITY)
				continue;
			TRY(push_rows(self, batch, to, err));
			to = 0;
			if (task_has_stopped(self->task))
				return FERRIS_OK;
		}
	}
	return push_rows(self, batch, to, err);
}

static Status
window_push(Operator *op, Batch *batch, Error *err)
{
	WindowOp *self = (WindowOp *)op;

	program_run(self->program, batch, NULL, self->results);
	const Vector *times = self->results[self->plan->window.left_count];
	check_times(self, batch, times);
	if (window_is_single(&self->plan->window.plan))
		return push_in_place(self, batch, times, err);
	return push_gathered(self, batch, times, err);
}

static void
window_close(Operator *op)
{
	WindowOp *self = (WindowOp *)op;

	if (self->plan == NULL)
		return;
	for (uint32_t i = 0; i < WINDOW_COLUMNS; i++)
		vector_free(&self->bounds[i]);
	batch_destroy(self->out);
	program_free(self->program);
}

static bool
window_makes_rows(const Operator *op)
{
	return !window_is_single(&op->plan->window.plan);
}

const OperatorClass window_class = {
	.name = "Window",
	.size = sizeof(WindowOp),
	.open = window_open,
	.push = window_push,
	.close = window_close,
	.makes_rows = window_makes_rows,
	.stateless = true,
};
