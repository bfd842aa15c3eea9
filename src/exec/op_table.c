/* exec/op_table.c -- TABLE: records by primary key, as a changelog.
 *
 * The first record of a key is an insert; the next takes the old row back and puts the new one in
 * its place; a null value deletes.  For those who want no changes the rows come out once, when the
 * input ends, in the order in which their keys first came.
 *
 * Owns:    the row of each key.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "state/group_table.h"
#include "state/record.h"
#include "state/row_table.h"
#include "state/snapshot.h"
#include "state/store.h"

/* The payload of a key. */
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
	GroupTable *keys;
	RowTable rows;
	char **payloads;
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
	int64_t watermarks[BATCH_CAPACITY];
} TableOp;

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
	GroupTableSpec spec = {.key_types = types,
			       .key_count = keys,
			       .payload_size = sizeof(KeyPlace),
			       .byte_limit = task->state_limit};
	self->keys = group_table_new(&spec);
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
take_row(TableOp *self, Batch *batch, uint16_t row, KeyPlace *key, bool deleted)
{
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
	key->place = row_table_put(&self->rows, place, self->columns, row) + 1;
}

static Status
check_memory(const TableOp *self, Error *err)
{
	if (group_table_bytes(self->keys) + row_table_bytes(&self->rows) <= self->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT, "the table's %u rows do not fit into %zu bytes",
		  self->rows.rows, self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or read fewer columns of it");
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

static Status
table_push(Operator *op, Batch *batch, Error *err)
{
	TableOp *self = (TableOp *)op;
	uint32_t keys = self->plan->table.key_count;
	uint32_t first_new;

	/* Values that came out of the table were views; they are not needed any more. */
	row_table_tidy(&self->rows);
	program_run(self->program, batch, NULL, self->results);
	task_stop_at_error(self->task, batch);
	keep_whole(self, batch);
	for (uint32_t c = 0; c < self->plan->table.left_count; c++)
		self->columns[c] = *self->results[keys + 1 + c];
	TRY(group_table_find(self->keys, self->results, batch->sel, batch->sel_count,
			     self->payloads, &first_new, err));
	batch_reset(self->out);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		take_row(self, batch, row, (KeyPlace *)self->payloads[i], deletes(self, row));
		if (self->out->row_count + 2 > BATCH_CAPACITY)
			TRY(push_out(self, batch, err));
	}
	TRY(push_out(self, batch, err));
	return check_memory(self, err);
}

static Status
table_finish(Operator *op, Error *err)
{
	TableOp *self = (TableOp *)op;
	uint32_t count = self->plan->table.final ? group_table_count(self->keys) : 0;

	batch_reset(self->out);
	for (uint32_t g = 0; g < count; g++) {
		const KeyPlace *key = (const KeyPlace *)group_table_payload(self->keys, g);

		if (key->place == 0)
			continue;
		uint32_t to = put_row(self, self->rows.columns, key->place - 1, ROW_INSERT);
		self->out->records[to] = (RecordRange){0};
		if (self->out->row_count == BATCH_CAPACITY)
			TRY(push_out(self, NULL, err));
	}
	TRY(push_out(self, NULL, err));
	return operator_finish(op->next, err);
}

/* ---------------------------------------------------------------- saved and loaded */

/* A record for each key, by its number: its values, then the row's. */
static Status
save_row(TableOp *self, uint32_t group, Batch *row, StateWriter *writer, Error *err)
{
	const KeyPlace *key = (const KeyPlace *)group_table_payload(self->keys, group);
	uint32_t keys = self->plan->table.key_count;
	uint32_t left = self->plan->table.left_count;
	const Vector **vectors = ARENA_ARRAY(&row->heap, const Vector *, keys + left + 1);
	Vector **columns = ARENA_ARRAY(&row->heap, Vector *, keys + 1);
	Buffer number, value;

	if (key->place == 0)
		return FERRIS_OK;
	for (uint32_t k = 0; k < keys; k++)
		vectors[k] = columns[k] = &row->columns[k];
	for (uint32_t c = 0; c < left; c++)
		vectors[keys + c] = &self->rows.columns[c];
	buffer_init(&number, SIZE_MAX);
	buffer_init(&value, SIZE_MAX);
	record_key_u64(&number, group);
	group_table_key(self->keys, group, columns, 0);
	record_write_row(&value, vectors, keys, 0);
	record_write_row(&value, vectors + keys, left, key->place - 1);
	Status status = writer->put(writer, (Str){number.data, (uint32_t)number.len},
				    (Str){value.data, (uint32_t)value.len}, err);
	buffer_free(&number);
	buffer_free(&value);
	return status;
}

/* One row of the key columns, then of those that come out. */
static Batch *
new_row(const TableOp *self)
{
	uint32_t keys = self->plan->table.key_count;
	uint32_t left = self->plan->table.left_count;
	Field *fields = memory_zero(sizeof *fields * (keys + left));

	for (uint32_t k = 0; k < keys; k++)
		fields[k].type = self->plan->table.keys[k]->type;
	memcpy(fields + keys, self->plan->schema.fields, sizeof *fields * left);
	Batch *row = batch_new(fields, NULL, keys + left);
	memory_free(fields);
	return row;
}

static Status
table_save(Operator *op, StateWriter *writer, Error *err)
{
	TableOp *self = (TableOp *)op;
	Batch *row = new_row(self);
	Status status = FERRIS_OK;

	for (uint32_t g = 0; g < group_table_count(self->keys) && status == FERRIS_OK; g++) {
		batch_reset(row);
		status = save_row(self, g, row, writer, err);
	}
	batch_destroy(row);
	return status;
}

static Status
table_load(Operator *op, Str key, Str value, Error *err)
{
	TableOp *self = (TableOp *)op;
	uint32_t keys = self->plan->table.key_count;
	uint32_t left = self->plan->table.left_count;
	Batch *row = new_row(self);
	Vector **columns = ARENA_ARRAY(&row->heap, Vector *, keys + left);
	const char *end = value.data + value.len;
	uint32_t first_new;
	char *payload;

	(void)key;
	for (uint32_t c = 0; c < keys + left; c++)
		columns[c] = &row->columns[c];
	for (uint32_t k = 0; k < keys; k++)
		self->results[k] = columns[k];
	const char *next = record_read_row(value.data, end, columns, keys, 0);
	Status status = FERRIS_OK;
	if (next == NULL || record_read_row(next, end, columns + keys, left, 0) != end)
		status = store_damaged(err);
	if (status == FERRIS_OK)
		status = group_table_find(self->keys, self->results, (uint16_t[]){0}, 1, &payload,
					  &first_new, err);
	if (status == FERRIS_OK)
		((KeyPlace *)payload)->place =
			row_table_put(&self->rows, NO_PLACE, row->columns + keys, 0) + 1;
	batch_destroy(row);
	return status;
}

static void
table_close(Operator *op)
{
	TableOp *self = (TableOp *)op;

	group_table_destroy(self->keys);
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
	.load = table_load,
	.close = table_close,
	.makes_rows = makes_rows_always,
};
