/* exec/op_join.c -- JOIN: rows of the input with the rows of a bounded table.
 *
 * The table is read and kept when the operator opens, before the input begins: its rows lie column
 * by column, and rows of one key are chained in their order.  A row of the input comes out once for
 * each row of the table that has its key (INNER, LEFT), or once (SEMI, ANTI).  NULL equals nothing.
 *
 * A table whose keys are all different is looked up in place: the input's own vectors go on, and
 * the table's values are put beside them.  Otherwise, and where a further condition decides whether
 * rows meet, the pairs are gathered; they keep the records they came from.
 *
 * Owns:    the table's rows and keys.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/subplan.h"
#include "state/group_table.h"

#define NO_ROW     UINT32_MAX
#define FIRST_ROWS 1024

/* The payload of a key: the first and last of its rows. */
typedef struct RowChain {
	uint32_t first; /* number + 1; 0: none yet */
	uint32_t last;
	uint64_t unused;
} RowChain;

typedef struct JoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* keys, then the columns of the input that come out */
	const Vector **results;
	Program *residual; /* over the columns of a pair; or NULL */

	GroupTable *keys;
	Vector *rows;   /* the table's columns, one vector each */
	uint32_t *next; /* the next row with the same key, or NO_ROW */
	uint32_t row_count;
	uint32_t row_capacity;
	bool unique; /* no key has two rows */
	Arena bytes; /* of the table's texts */

	char **payloads;     /* of the selected rows' keys */
	uint32_t *numbers;   /* rows of the table that were found; of the gathered pairs */
	Vector *columns;     /* take the place of the batch's */
	Vector *found;       /* the table's values at the input's rows */
	Batch *out;          /* gathered pairs: the left columns, then the right */
	int64_t *watermarks; /* of the gathered rows */
	uint8_t kinds[BATCH_CAPACITY];
	bool met; /* the row whose pairs are gathered has met one, or has failed */
} JoinOp;

/* ---------------------------------------------------------------- the table */

static void
grow_rows(JoinOp *self)
{
	uint32_t capacity = self->row_capacity > 0 ? self->row_capacity * 2 : FIRST_ROWS;

	self->next = memory_resize(self->next, sizeof *self->next * capacity);
	for (uint32_t c = 0; c < self->plan->join.right_count; c++)
		vector_reserve(&self->rows[c], capacity);
	self->row_capacity = capacity;
}

static Status
keep_row(JoinOp *self, const Batch *batch, const Vector *const *keys, uint16_t row, Error *err)
{
	uint32_t key_count = self->plan->join.key_count;
	uint32_t first_new;
	char *payload;

	if (any_null(keys, key_count, row))
		return FERRIS_OK;
	TRY(group_table_find(self->keys, keys, &row, 1, &payload, &first_new, err));
	if (self->row_count == self->row_capacity)
		grow_rows(self);
	uint32_t number = self->row_count++;
	RowChain *chain = (RowChain *)payload;
	if (chain->first == 0) {
		chain->first = number + 1;
	} else {
		self->next[chain->last] = number;
		self->unique = false;
	}
	chain->last = number;
	self->next[number] = NO_ROW;
	for (uint32_t c = 0; c < self->plan->join.right_count; c++)
		vector_copy(&self->rows[c], number, &batch->columns[key_count + c], row,
			    &self->bytes);
	if (group_table_bytes(self->keys) + arena_bytes(&self->bytes) > self->task->state_limit) {
		error_set(err, FERRIS_ERR_LIMIT,
			  "the table of the join does not fit into %zu bytes",
			  self->task->state_limit);
		return error_hint(err, "raise 'state.memory.limit', or keep fewer columns of it");
	}
	return FERRIS_OK;
}

/* The rows of the table's pipeline come here instead of to a sink. */
static Status
keep_batch(void *context, Batch *batch, Error *err)
{
	JoinOp *self = context;
	const Vector *keys[64];

	for (uint32_t k = 0; k < self->plan->join.key_count; k++)
		keys[k] = &batch->columns[k];
	for (uint32_t i = 0; i < batch->sel_count; i++)
		TRY(keep_row(self, batch, keys, batch->sel[i], err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- opening */

static Batch *
new_pairs(const PlanNode *plan, TaskContext *task)
{
	uint32_t left = plan->join.left_count;
	uint32_t count = left + plan->join.right_count;
	Field *fields = ARENA_ARRAY(task->arena, Field, count + 1);

	memcpy(fields, plan->schema.fields, sizeof *fields * left);
	memcpy(fields + left, plan->join.right->schema.fields + plan->join.key_count,
	       sizeof *fields * plan->join.right_count);
	return batch_new(fields, NULL, count);
}

static void
make_vectors(JoinOp *self, TaskContext *task)
{
	const PlanNode *plan = self->plan;
	const Type **types = ARENA_ARRAY(task->arena, const Type *, plan->join.key_count + 1);
	uint32_t right = plan->join.right_count;

	for (uint32_t k = 0; k < plan->join.key_count; k++)
		types[k] = plan->join.right->schema.fields[k].type;
	GroupTableSpec spec = {.key_types = types,
			       .key_count = plan->join.key_count,
			       .payload_size = sizeof(RowChain),
			       .byte_limit = task->state_limit};
	self->keys = group_table_new(&spec);
	self->rows = ARENA_ARRAY(task->arena, Vector, right + 1);
	self->found = ARENA_ARRAY(task->arena, Vector, right + 1);
	for (uint32_t c = 0; c < right; c++) {
		const Type *type = plan->join.right->schema.fields[plan->join.key_count + c].type;

		vector_init(&self->rows[c], type, FORM_VALUE, 64);
		vector_init(&self->found[c], type, FORM_VALUE, BATCH_CAPACITY);
	}
	self->columns = ARENA_ARRAY(task->arena, Vector, plan->schema.count + 1);
	self->out = new_pairs(plan, task);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->numbers = ARENA_ARRAY(task->arena, uint32_t, BATCH_CAPACITY);
	self->watermarks = ARENA_ARRAY(task->arena, int64_t, BATCH_CAPACITY);
}

static Status
join_open(Operator *op, TaskContext *task, Error *err)
{
	JoinOp *self = (JoinOp *)op;
	uint32_t count = op->plan->join.key_count + op->plan->join.left_count;
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, count + 1);

	self->task = task;
	self->plan = op->plan;
	self->unique = true;
	arena_init(&self->bytes, 0);
	make_vectors(self, task);
	memcpy(exprs, op->plan->join.keys, sizeof *exprs * op->plan->join.key_count);
	memcpy(exprs + op->plan->join.key_count, op->plan->join.left,
	       sizeof *exprs * op->plan->join.left_count);
	self->results = ARENA_ARRAY(task->arena, const Vector *, count + 1);
	TRY(program_compile(task->arena, exprs, count, &self->program, err));
	if (op->plan->join.residual != NULL)
		TRY(program_compile(task->arena, &op->plan->join.residual, 1, &self->residual,
				    err));
	Subplan table = {.root = op->plan->join.right,
			 .need = "a join needs every row of its table: correct the record",
			 .collect = keep_batch,
			 .collector = self};
	return subplan_run(&table, task, err);
}

/* ---------------------------------------------------------------- in place */

/* The table's payloads of the selected rows, or NULL.  Nobody has a key with a NULL in it: such
 * rows of the table were not kept. */
static void
find_chains(JoinOp *self, const Batch *batch)
{
	group_table_get_many(self->keys, self->results, batch->sel, batch->sel_count,
			     self->payloads);
}

/* The first row of a chain, or NO_ROW. */
static uint32_t
chain_first(const char *payload)
{
	return payload != NULL ? ((const RowChain *)payload)->first - 1 : NO_ROW;
}

/* The batch's own vectors go on with the table's values beside them. */
static Status
push_in_place(JoinOp *self, Batch *batch, const uint16_t *sel, uint32_t count, Error *err)
{
	const PlanNode *plan = self->plan;

	for (uint32_t i = 0; i < plan->join.left_count; i++)
		self->columns[i] = *self->results[plan->join.key_count + i];
	for (uint32_t c = 0; c < plan->join.right_count; c++)
		self->columns[plan->join.left_count + c] = self->found[c];
	uint64_t filtered = batch->filtered;
	bool counted = batch->counted;

	if (!counted) {
		filtered += batch->sel_count - count;
		self->task->result->aggregated += count;
	}
	if (sel != batch->sel)
		memcpy(batch->sel, sel, sizeof *sel * count);
	batch->dense = batch->dense && count == batch->sel_count;
	batch->sel_count = count;
	batch->counted = true;
	Status status = operator_push_columns(self->base.next, batch, self->columns,
					      plan->schema.count, err);
	batch->counted = counted;
	batch->filtered = filtered;
	return status;
}

/* Sorts the selected rows by whether the table has their key; returns how many have. */
static uint32_t
part_rows(JoinOp *self, const Batch *batch, uint16_t *matched, uint16_t *unmatched)
{
	uint32_t count = 0;
	uint32_t missed = 0;

	/* Both are written and one is kept: which one is chance. */
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		bool matches = self->payloads[i] != NULL;

		matched[count] = batch->sel[i];
		unmatched[missed] = batch->sel[i];
		self->numbers[count] = chain_first(self->payloads[i]);
		count += matches;
		missed += !matches;
	}
	return count;
}

static Status
look_up(JoinOp *self, Batch *batch, Error *err)
{
	const PlanNode *plan = self->plan;
	uint16_t matched[BATCH_CAPACITY];
	uint16_t unmatched[BATCH_CAPACITY];

	find_chains(self, batch);
	uint32_t count = part_rows(self, batch, matched, unmatched);
	uint32_t missed = batch->sel_count - count;
	for (uint32_t c = 0; c < plan->join.right_count; c++) {
		vector_reset(&self->found[c]);
		vector_gather(&self->found[c], matched, &self->rows[c], self->numbers, count);
		if (plan->join.shape != SHAPE_LEFT)
			continue;
		for (uint32_t i = 0; i < missed; i++)
			vector_set_null(&self->found[c], unmatched[i]);
	}
	if (plan->join.shape == SHAPE_LEFT)
		return push_in_place(self, batch, batch->sel, batch->sel_count, err);
	if (plan->join.shape == SHAPE_ANTI)
		return push_in_place(self, batch, unmatched, missed, err);
	return push_in_place(self, batch, matched, count, err);
}

/* ---------------------------------------------------------------- gathered */

static bool
wants_unmatched(const JoinOp *self)
{
	JoinShape shape = self->plan->join.shape;

	return shape == SHAPE_LEFT || shape == SHAPE_ANTI;
}

/* Whether the pair of which the condition is `truth` comes out. */
static bool
pair_comes_out(JoinOp *self, const Vector *truth, uint32_t pair)
{
	JoinShape shape = self->plan->join.shape;
	uint32_t at = truth->constant ? 0 : pair;
	bool met = self->met;

	if (vector_is_null(truth, at) || !VECTOR_DATA(truth, const uint8_t)[at])
		return false;
	self->met = true;
	return shape != SHAPE_ANTI && (shape != SHAPE_SEMI || !met);
}

/* Of the gathered pairs, selects those that come out.  Behind the pairs of a row stands one without
 * a row of the table: its turn is when none of them has met. */
static void
select_met(JoinOp *self)
{
	Batch *out = self->out;
	uint16_t selected[BATCH_CAPACITY];
	const Vector *truth;
	uint32_t pairs = 0;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < out->row_count; i++)
		if (self->numbers[i] != NO_ROW)
			out->sel[pairs++] = (uint16_t)i;
	out->sel_count = pairs;
	out->dense = pairs == out->row_count;
	if (pairs > 0)
		program_run(self->residual, out, NULL, &truth);
	for (uint32_t i = 0, at = 0; i < out->row_count; i++) {
		bool comes = false;

		if (self->numbers[i] == NO_ROW) {
			comes = !self->met && wants_unmatched(self);
			self->met = false;
		} else if (at < out->sel_count && out->sel[at] == i) {
			comes = pair_comes_out(self, truth, i);
			at++;
		} else {
			self->met = true; /* a row that fails is not one that meets nothing */
		}
		if (comes)
			selected[kept++] = (uint16_t)i;
	}
	memcpy(out->sel, selected, sizeof *selected * kept);
	out->sel_count = kept;
	out->dense = kept == out->row_count;
}

static Status
push_gathered(JoinOp *self, const Batch *batch, Error *err)
{
	Batch *out = self->out;
	uint32_t columns = out->column_count;

	if (out->row_count == 0)
		return FERRIS_OK;
	out->derived = batch->derived;
	out->watermarks = batch->watermarks != NULL ? self->watermarks : NULL;
	out->kinds = batch->kinds != NULL ? self->kinds : NULL;
	out->counted = true;
	batch_select_all(out);
	if (self->residual != NULL)
		select_met(self);
	out->column_count = self->plan->schema.count;
	Status status = task_push_made(self->task, self->base.next, out, err);
	out->column_count = columns;
	batch_reset(out);
	return status;
}

static void
gather_row(JoinOp *self, const Batch *batch, uint32_t row, uint32_t number)
{
	const PlanNode *plan = self->plan;
	Batch *out = self->out;
	uint32_t to = out->row_count++;

	for (uint32_t i = 0; i < plan->join.left_count; i++)
		vector_copy(&out->columns[i], to, self->results[plan->join.key_count + i], row,
			    NULL);
	for (uint32_t c = 0; c < plan->join.right_count; c++)
		if (number != NO_ROW)
			vector_copy(&out->columns[plan->join.left_count + c], to, &self->rows[c],
				    number, NULL);
		else
			vector_set_null(&out->columns[plan->join.left_count + c], to);
	self->numbers[to] = number;
	out->records[to] = batch->records[row];
	/* The halves of an update are apart: one row goes, another comes. */
	if (batch->kinds != NULL)
		self->kinds[to] = batch->kinds[row] == ROW_UPDATE_BEFORE  ? ROW_DELETE
				  : batch->kinds[row] == ROW_UPDATE_AFTER ? ROW_INSERT
									  : batch->kinds[row];
	if (batch->watermarks != NULL)
		self->watermarks[to] = batch->watermarks[row];
}

static Status
add_pair(JoinOp *self, const Batch *batch, uint32_t row, uint32_t number, Error *err)
{
	gather_row(self, batch, row, number);
	return self->out->row_count == BATCH_CAPACITY ? push_gathered(self, batch, err) : FERRIS_OK;
}

/* Rows with several matches: each match is a row of the output. */
static Status
gather(JoinOp *self, Batch *batch, Error *err)
{
	task_stop_at_error(self->task, batch);
	batch_reset(self->out);
	self->met = false;
	find_chains(self, batch);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		uint32_t number = chain_first(self->payloads[i]);
		bool ends = number == NO_ROW || self->residual != NULL;

		if (task_has_stopped(self->task))
			return FERRIS_OK;
		if (number == NO_ROW && !wants_unmatched(self)) {
			batch->filtered += !batch->counted;
			continue;
		}
		self->task->result->aggregated += !batch->counted;
		for (; number != NO_ROW; number = self->next[number])
			TRY(add_pair(self, batch, row, number, err));
		if (ends)
			TRY(add_pair(self, batch, row, NO_ROW, err));
	}
	return task_has_stopped(self->task) ? FERRIS_OK : push_gathered(self, batch, err);
}

/* Whether rows come out in place: one of a row, or none. */
static bool
is_in_place(const JoinOp *self)
{
	JoinShape shape = self->plan->join.shape;

	return self->residual == NULL &&
	       (self->unique || shape == SHAPE_SEMI || shape == SHAPE_ANTI);
}

static bool
join_makes_rows(const Operator *op)
{
	return !is_in_place((const JoinOp *)op);
}

static Status
join_push(Operator *op, Batch *batch, Error *err)
{
	JoinOp *self = (JoinOp *)op;

	program_run(self->program, batch, NULL, self->results);
	return is_in_place(self) ? look_up(self, batch, err) : gather(self, batch, err);
}

static void
join_close(Operator *op)
{
	JoinOp *self = (JoinOp *)op;

	if (self->plan == NULL)
		return;
	for (uint32_t c = 0; c < self->plan->join.right_count; c++) {
		vector_free(&self->rows[c]);
		vector_free(&self->found[c]);
	}
	group_table_destroy(self->keys);
	memory_free(self->next);
	arena_free(&self->bytes);
	batch_destroy(self->out);
	program_free(self->program);
	program_free(self->residual);
}

const OperatorClass join_class = {
	.name = "Join",
	.size = sizeof(JoinOp),
	.open = join_open,
	.push = join_push,
	.close = join_close,
	.makes_rows = join_makes_rows,
	.stateless = true, /* its table is read when it opens */
};
