/* exec/op_table.c -- TABLE: records by primary key, as a changelog.
 *
 * The first record of a key is an insert; the next takes the old row back and puts the new one in
 * its place; a null value deletes.  For those who want no changes the rows come out once, when the
 * input ends, in the order in which their keys came; one that came back comes last.
 *
 * A key that has no row is forgotten.  Rows that do not fit into memory go to disk with their keys
 * (state/keyed.h).
 *
 * Owns:    the row of each key.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"
#include "state/keyed.h"
#include "state/row_table.h"

#define SLICE 256 /* keys that are looked up at once when each may bring its row from disk */

/* The payload of a key; where rows come out at the end, behind a KeyedHead. */
typedef struct KeyPlace {
	uint32_t place; /* + 1; 0: there is no row */
	uint32_t unused[3];
} KeyPlace;

typedef struct TableOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* keys, deleted, the columns that come out */
	const Vector **results;
	Vector *columns; /* those of a batch that are kept */
	size_t head;     /* bytes before a payload's KeyPlace */
	KeyedFamily family;
	KeyedState keys;
	RowTable rows;
	char **payloads;
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
	int64_t watermarks[BATCH_CAPACITY];
} TableOp;

/* ---------------------------------------------------------------- payloads */

static KeyPlace *
place_of(const TableOp *self, char *payload)
{
	return (KeyPlace *)(void *)(payload + self->head);
}

static uint32_t
saved_place(const TableOp *self, const char *payload)
{
	return ((const KeyPlace *)(const void *)(payload + self->head))->place;
}

static bool
has_no_row(void *owner, const char *payload)
{
	return saved_place(owner, payload) == 0;
}

static void
save_row(void *owner, const char *payload, Buffer *out)
{
	row_table_write(&((TableOp *)owner)->rows, saved_place(owner, payload) - 1, out);
}

static bool
load_row(void *owner, char *payload, Str bytes)
{
	TableOp *self = owner;
	const char *end = bytes.data + bytes.len;
	uint32_t place;

	if (row_table_read(&self->rows, bytes.data, end, &place) != end)
		return false;
	place_of(self, payload)->place = place + 1;
	return true;
}

static void
release_row(void *owner, char *payload)
{
	uint32_t place = saved_place(owner, payload);

	if (place != 0)
		row_table_drop(&((TableOp *)owner)->rows, place - 1);
}

static const PayloadClass row_payload = {
	.save = save_row, .load = load_row, .release = release_row, .is_empty = has_no_row};

static Status
table_open(Operator *op, TaskContext *task, Error *err)
{
	TableOp *self = (TableOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t keys = plan->table.key_count;
	uint32_t left = plan->table.left_count;
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, keys + 1 + left);
	const Type **types = ARENA_ARRAY(task->arena, const Type *, keys);

	self->task = task;
	self->plan = plan;
	for (uint32_t k = 0; k < keys; k++) {
		exprs[k] = plan->table.keys[k];
		types[k] = exprs[k]->type;
	}
	exprs[keys] = plan->table.deleted;
	memcpy(exprs + keys + 1, plan->table.left, sizeof *exprs * left);
	self->head = plan->table.final ? sizeof(KeyedHead) : 0;
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = keys,
				       .payload_size = self->head + sizeof(KeyPlace),
				       .payload = &row_payload,
				       .owner = self,
				       .headed = plan->table.final},
			  task->store);
	keyed_track(&self->family, &self->keys, STR(""));
	row_table_init(&self->rows, plan->schema.fields, left);
	self->results = ARENA_ARRAY(task->arena, const Vector *, keys + 1 + left);
	self->columns = ARENA_ARRAY(task->arena, Vector, left + 1);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->out = batch_new(plan->schema.fields, NULL, left);
	return program_compile(task->arena, exprs, keys + 1 + left, &self->program, err);
}

/* ---------------------------------------------------------------- rows that come out */

/* `batch`: whose records the rows are of; NULL: they are the table's at the end. */
static Status
push_out(TableOp *self, const Batch *batch, Error *err)
{
	bool timed = batch != NULL && batch->watermarks != NULL;

	self->out->watermarks = timed ? self->watermarks : NULL;
	return task_push_changes(self->task, self->base.next, batch, self->out,
				 batch != NULL ? self->kinds : NULL, err);
}

static uint32_t
put_row(TableOp *self, const Vector *from, uint32_t row, RowKind kind)
{
	uint32_t to = self->out->row_count++;

	for (uint32_t c = 0; c < self->plan->table.left_count; c++)
		vector_copy(&self->out->columns[c], to, &from[c], row, NULL);
	self->kinds[to] = (uint8_t)kind;
	return to;
}

static void
put_change(TableOp *self, const Batch *batch, uint16_t record, const Vector *from, uint32_t row,
	   RowKind kind)
{
	uint32_t to = put_row(self, from, row, kind);

	self->out->records[to] = batch->records[record];
	if (batch->watermarks != NULL)
		self->watermarks[to] = batch->watermarks[record];
}

/* ---------------------------------------------------------------- records */

/* A column that must have a value, or the key, is NULL: an error of the row. */
static bool
is_whole(TableOp *self, Batch *batch, uint16_t row, bool deleted)
{
	uint32_t keys = self->plan->table.key_count;

	for (uint32_t k = 0; k < keys; k++)
		if (vector_is_null(self->results[k], row)) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL,
					(Str){"", 0}, "NULL in the primary key");
			return false;
		}
	for (uint32_t c = 0; c < self->plan->table.left_count && !deleted; c++) {
		const Field *field = &self->plan->schema.fields[c];

		if (!field->not_null || !vector_is_null(self->results[keys + 1 + c], row))
			continue;
		batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL, field->name,
				"null in a column that is NOT NULL");
		return false;
	}
	return true;
}

static void
take_row(TableOp *self, Batch *batch, uint16_t row, char *payload, bool deleted)
{
	KeyPlace *key = place_of(self, payload);
	bool emits = !self->plan->table.final;
	uint32_t place = key->place > 0 ? key->place - 1 : NO_PLACE;

	if (deleted && place == NO_PLACE) {
		batch->filtered += !batch->counted;
		return;
	}
	self->task->result->aggregated += !batch->counted;
	if (place != NO_PLACE && emits)
		put_change(self, batch, row, self->rows.columns, place,
			   deleted ? ROW_DELETE : ROW_UPDATE_BEFORE);
	if (deleted) {
		row_table_drop(&self->rows, place);
		key->place = 0;
		return;
	}
	if (emits)
		put_change(self, batch, row, self->columns, row,
			   place != NO_PLACE ? ROW_UPDATE_AFTER : ROW_INSERT);
	if (!emits && place == NO_PLACE)
		keyed_bear_again(&self->keys, payload);
	key->place = row_table_put(&self->rows, place, self->columns, row) + 1;
}

static bool
deletes(const TableOp *self, uint16_t row)
{
	const Vector *deleted = self->results[self->plan->table.key_count];

	return VECTOR_DATA(deleted, const uint8_t)[row] != 0;
}

/* Leaves the rows selected that can be taken. */
static void
keep_whole(TableOp *self, Batch *batch)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (is_whole(self, batch, row, deletes(self, row)))
			batch->sel[kept++] = row;
		else if (self->task->stop_at_error)
			break;
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
}

/* ---------------------------------------------------------------- memory */

/* `out` must be empty: it has views of the rows. */
static Status
write_out(TableOp *self, Error *err)
{
	TRY(keyed_write_out(&self->family, &self->keys, err));
	row_table_clear(&self->rows);
	return FERRIS_OK;
}

static Status
keep_within(TableOp *self, const Batch *batch, Error *err)
{
	size_t bytes = row_table_bytes(&self->rows);

	if (!keyed_is_full(&self->family, bytes))
		return keyed_check(&self->family, bytes, err);
	TRY(push_out(self, batch, err));
	return write_out(self, err);
}

/* ---------------------------------------------------------------- a batch */

static Status
take_found(TableOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		take_row(self, batch, rows[i], self->payloads[i], deletes(self, rows[i]));
		if (self->out->row_count + 2 > BATCH_CAPACITY)
			TRY(push_out(self, batch, err));
	}
	return FERRIS_OK;
}

static Status
take_rows(TableOp *self, Batch *batch, Error *err)
{
	for (uint32_t done = 0, found; done < batch->sel_count; done += found) {
		uint32_t count = batch->sel_count - done;

		if (keyed_is_spilled(&self->keys) && count > SLICE)
			count = SLICE;
		TRY(keyed_find(&self->family, &self->keys, self->results, batch->sel + done, count,
			       self->payloads, &found, err));
		TRY(take_found(self, batch, batch->sel + done, found, err));
		if (found < count) {
			TRY(push_out(self, batch, err));
			TRY(write_out(self, err));
		} else if (done + found < batch->sel_count) {
			TRY(keep_within(self, batch, err));
		}
	}
	return FERRIS_OK;
}

static Status
table_push(Operator *op, Batch *batch, Error *err)
{
	TableOp *self = (TableOp *)op;
	uint32_t keys = self->plan->table.key_count;

	/* Values that came out of the table were views; they are not needed any more. */
	row_table_tidy(&self->rows);
	TRY(keyed_sweep(&self->family, &self->keys, self->rows.rows, err));
	program_run(self->program, batch, NULL, self->results);
	task_stop_at_error(self->task, batch);
	keep_whole(self, batch);
	for (uint32_t c = 0; c < self->plan->table.left_count; c++)
		self->columns[c] = *self->results[keys + 1 + c];
	batch_reset(self->out);
	TRY(take_rows(self, batch, err));
	TRY(push_out(self, batch, err));
	return keep_within(self, batch, err);
}

/* ---------------------------------------------------------------- the end */

static Status
put_all(TableOp *self, KeyedScan *scan, Error *err)
{
	char *payload;

	batch_reset(self->out);
	for (;;) {
		TRY(keyed_scan_next(scan, NULL, 0, NULL, &payload, err));
		if (payload == NULL)
			return push_out(self, NULL, err);
		uint32_t to = put_row(self, self->rows.columns, place_of(self, payload)->place - 1,
				      ROW_INSERT);
		self->out->records[to] = (RecordRange){0};
		if (self->out->row_count < BATCH_CAPACITY)
			continue;
		TRY(push_out(self, NULL, err));
		row_table_tidy(&self->rows);
	}
}

static Status
table_finish(Operator *op, Error *err)
{
	TableOp *self = (TableOp *)op;
	KeyedState *states[] = {&self->keys};
	KeyedScan scan;

	if (!self->plan->table.final)
		return operator_finish(op->next, err);
	TRY(keyed_scan_open(&self->family, states, 1, &scan, err));
	TRY(keyed_scan_close(&scan, put_all(self, &scan, err), err));
	return operator_finish(op->next, err);
}

/* ---------------------------------------------------------------- saved and loaded */

static Status
table_save(Operator *op, StateWriter *writer, Error *err)
{
	TableOp *self = (TableOp *)op;

	return keyed_save(&self->family, &self->keys, writer, STR(""), err);
}

static Status
table_load(Operator *op, Str key, Str value, Error *err)
{
	TableOp *self = (TableOp *)op;

	TRY(keyed_take_in(&self->family, &self->keys, key, value, err));
	return keep_within(self, NULL, err);
}

static void
table_close(Operator *op)
{
	TableOp *self = (TableOp *)op;

	keyed_drop(&self->family, &self->keys);
	keyed_family_free(&self->family);
	row_table_free(&self->rows);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass table_class = {
	.name = "Table",
	.size = sizeof(TableOp),
	.open = table_open,
	.push = table_push,
	.finish = table_finish,
	.save = table_save,
	.saves_changes = true,
	.load = table_load,
	.close = table_close,
	.makes_rows = makes_rows_always,
};
