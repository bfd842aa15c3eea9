/* exec/op_unnest.c -- UNNEST: each row once for every element of its arrays.
 *
 * The elements of several arrays stand side by side; where one is shorter there are NULLs.  A row
 * whose arrays are empty or NULL is left out, or comes out once with NULLs (LEFT JOIN).  For a
 * batch of rows that come out it is first noted which row and which element each is made of, then
 * the columns are copied one by one.  The rows keep the record they come from, and its watermark.
 *
 * Nothing is kept from batch to batch.
 *
 * Owns:    the compiled expressions and the batch of rows that come out.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"

#define NO_ELEMENT UINT32_MAX

typedef struct UnnestOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* the input's columns that come out, then the arrays */
	const Vector **results;

	Batch *out;
	uint32_t *rows;      /* of each row that comes out: the row of the input, */
	int64_t *numbers;    /* its number among the elements, from 1; 0: there is none, */
	uint32_t **elements; /* and for each array the place in its children, or NO_ELEMENT */
	int64_t *watermarks;
} UnnestOp;

static Status
unnest_open(Operator *op, TaskContext *task, Error *err)
{
	UnnestOp *self = (UnnestOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t left = plan->unnest.left_count;
	uint32_t arrays = plan->unnest.array_count;
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, left + arrays);

	self->task = task;
	self->plan = plan;
	self->out = batch_new(plan->schema.fields, NULL, plan->schema.count);
	self->rows = ARENA_ARRAY(task->arena, uint32_t, BATCH_CAPACITY);
	self->numbers = ARENA_ARRAY(task->arena, int64_t, BATCH_CAPACITY);
	self->watermarks = ARENA_ARRAY(task->arena, int64_t, BATCH_CAPACITY);
	self->elements = ARENA_ARRAY(task->arena, uint32_t *, arrays);
	for (uint32_t a = 0; a < arrays; a++)
		self->elements[a] = ARENA_ARRAY(task->arena, uint32_t, BATCH_CAPACITY);
	self->results = ARENA_ARRAY(task->arena, const Vector *, left + arrays);
	if (left > 0)
		memcpy(exprs, plan->unnest.left, sizeof *exprs * left);
	memcpy(exprs + left, plan->unnest.arrays, sizeof *exprs * arrays);
	return program_compile(task->arena, exprs, left + arrays, &self->program, err);
}

/* ---------------------------------------------------------------- a batch of rows */

/* `owner`: the STRUCT whose field `from` is, or NULL; no field of a NULL is anything else. */
static void
gather(Vector *to, const Vector *from, const Vector *owner, const uint32_t *rows, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (rows[i] == NO_ELEMENT || (owner != NULL && vector_is_null(owner, rows[i])))
			vector_set_null(to, i);
		else
			vector_copy(to, i, from, rows[i], NULL);
}

static void
gather_numbers(Vector *to, const int64_t *numbers, uint32_t count)
{
	memcpy(to->data, numbers, sizeof *numbers * count);
	for (uint32_t i = 0; i < count; i++)
		if (numbers[i] == 0)
			vector_set_null(to, i);
}

static void
gather_columns(UnnestOp *self, uint32_t count)
{
	uint32_t left = self->plan->unnest.left_count;
	Vector *columns = self->out->columns;

	for (uint32_t i = 0; i < left; i++)
		vector_gather(&columns[i], self->out->sel, self->results[i], self->rows, count);
	for (uint32_t i = 0; i < self->plan->unnest.column_count; i++) {
		const UnnestColumn *column = &self->plan->unnest.columns[i];

		if (column->array == UNNEST_ORDINALITY) {
			gather_numbers(&columns[left + i], self->numbers, count);
			continue;
		}
		const Vector *element =
			&self->results[left + column->array]->children[column->child];
		bool whole = column->field < 0;
		gather(&columns[left + i], whole ? element : &element->children[column->field],
		       whole ? NULL : element, self->elements[column->array], count);
	}
}

static Status
push_rows(UnnestOp *self, const Batch *batch, uint32_t count, Error *err)
{
	Batch *out = self->out;

	if (count == 0)
		return FERRIS_OK;
	batch_reset(out);
	out->row_count = count;
	batch_select_all(out);
	gather_columns(self, count);
	return task_push_rows_of(self->task, self->base.next, batch, self->rows, out,
				 self->watermarks, err);
}

/* ---------------------------------------------------------------- rows and elements */

static ListEntry
list_at(const Vector *list, uint32_t row)
{
	if (vector_is_null(list, row))
		return (ListEntry){0, 0};
	return VECTOR_DATA(list, const ListEntry)[list->constant ? 0 : row];
}

/* So many rows come of the row. */
static uint32_t
row_count(const UnnestOp *self, uint32_t row)
{
	uint32_t count = 0;

	for (uint32_t a = 0; a < self->plan->unnest.array_count; a++) {
		ListEntry list = list_at(self->results[self->plan->unnest.left_count + a], row);

		count = list.len > count ? list.len : count;
	}
	return count == 0 && self->plan->unnest.outer ? 1 : count;
}

/* Notes element `n` of the row's arrays as row `to` of those that come out. */
static void
note_row(UnnestOp *self, uint32_t row, uint32_t n, uint32_t to)
{
	bool any = false;

	self->rows[to] = row;
	for (uint32_t a = 0; a < self->plan->unnest.array_count; a++) {
		ListEntry list = list_at(self->results[self->plan->unnest.left_count + a], row);

		self->elements[a][to] = n < list.len ? list.offset + n : NO_ELEMENT;
		any = any || n < list.len;
	}
	self->numbers[to] = any ? (int64_t)n + 1 : 0;
}

static Status
unnest_push(Operator *op, Batch *batch, Error *err)
{
	UnnestOp *self = (UnnestOp *)op;
	uint32_t to = 0;

	program_run(self->program, batch, NULL, self->results);
	task_stop_at_error(self->task, batch);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		uint32_t count = row_count(self, row);

		if (count > 0)
			self->task->result->aggregated += !batch->counted;
		else
			batch->filtered += !batch->counted;
		for (uint32_t n = 0; n < count; n++) {
			note_row(self, row, n, to);
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

static void
unnest_close(Operator *op)
{
	UnnestOp *self = (UnnestOp *)op;

	if (self->plan == NULL)
		return;
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass unnest_class = {
	.name = "Unnest",
	.size = sizeof(UnnestOp),
	.open = unnest_open,
	.push = unnest_push,
	.stateless = true,
	.close = unnest_close,
	.makes_rows = makes_rows_always,
};
