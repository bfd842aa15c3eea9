/* exec/op_top.c -- TOP: of each partition the first n rows in an order, numbered.
 *
 * It stands for ROW_NUMBER() OVER (PARTITION BY ... ORDER BY ...) <= n: no more than n rows of each
 * partition are kept.  Rows that are equal in the order keep their order of arrival.
 *
 * Where changes are wanted, a row that comes among the first takes the last one out and moves those
 * behind it by one: a delete, updates of numbers from the last on (if somebody reads them), an
 * insert.  In this order each change leaves the result right by row and by number.  Otherwise the
 * rows come out when the input ends, partition by partition.
 *
 * Owns:    the first rows of each partition.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "func/compare.h"
#include "state/group_table.h"
#include "state/record.h"
#include "state/row_table.h"
#include "state/snapshot.h"
#include "state/store.h"

/* The payload of a partition: the places of its first rows, in order. */
typedef struct TopList {
	uint32_t *places;
	uint32_t count;
	uint32_t capacity;
} TopList;

typedef struct TopOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* partition, order, the columns that come out */
	const Vector **results;
	Vector *columns; /* order, then those that come out: as rows are kept */
	GroupTable *partitions;
	RowTable rows;
	size_t list_bytes;
	char **payloads;
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
} TopOp;

static Status
top_open(Operator *op, TaskContext *task, Error *err)
{
	TopOp *self = (TopOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t parts = plan->over.partition_count;
	uint32_t keys = plan->over.order_count;
	uint32_t left = plan->over.left_count;
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, parts + keys + left + 1);
	const Type **types = ARENA_ARRAY(task->arena, const Type *, parts + 1);
	Field *fields = ARENA_ARRAY(task->arena, Field, keys + left + 1);

	self->task = task;
	self->plan = plan;
	for (uint32_t i = 0; i < parts; i++) {
		exprs[i] = plan->over.partition[i];
		types[i] = exprs[i]->type;
	}
	for (uint32_t i = 0; i < keys; i++) {
		exprs[parts + i] = plan->over.order[i].expr;
		fields[i].type = exprs[parts + i]->type;
	}
	for (uint32_t i = 0; i < left; i++) {
		exprs[parts + keys + i] = plan->over.left[i];
		fields[keys + i] = plan->schema.fields[i];
	}
	GroupTableSpec spec = {.key_types = types,
			       .key_count = parts,
			       .payload_size = sizeof(TopList),
			       .byte_limit = task->state_limit};
	self->partitions = group_table_new(&spec);
	row_table_init(&self->rows, fields, keys + left);
	self->results = ARENA_ARRAY(task->arena, const Vector *, parts + keys + left + 1);
	self->columns = ARENA_ARRAY(task->arena, Vector, keys + left + 1);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	self->out = batch_new(plan->schema.fields, NULL, plan->schema.count);
	return program_compile(task->arena, exprs, parts + keys + left, &self->program, err);
}

/* ---------------------------------------------------------------- rows that come out */

/* `batch`: whose records the rows are of; NULL: they come at the end. */
static Status
push_out(TopOp *self, const Batch *batch, Error *err)
{
	return task_push_changes(self->task, self->base.next, batch, self->out,
				 batch != NULL ? self->kinds : NULL, err);
}

static Status
put_row(TopOp *self, const Batch *batch, RecordRange record, uint32_t place, uint32_t number,
	RowKind kind, Error *err)
{
	uint32_t to = self->out->row_count++;
	uint32_t left = self->plan->over.left_count;
	const Vector *kept = self->rows.columns + self->plan->over.order_count;

	for (uint32_t c = 0; c < left; c++)
		vector_copy(&self->out->columns[c], to, &kept[c], place, NULL);
	VECTOR_DATA(&self->out->columns[left], int64_t)[to] = number + 1;
	self->kinds[to] = (uint8_t)kind;
	self->out->records[to] = record;
	return self->out->row_count == BATCH_CAPACITY ? push_out(self, batch, err) : FERRIS_OK;
}

/* The row at `at` of the list is new; `gone` has left it (NO_PLACE: none has). */
static Status
put_changes(TopOp *self, const Batch *batch, uint16_t row, const TopList *list, uint32_t at,
	    uint32_t gone, Error *err)
{
	RecordRange record = batch->records[row];

	if (gone != NO_PLACE)
		TRY(put_row(self, batch, record, gone, list->count - 1, ROW_DELETE, err));
	for (uint32_t i = list->count; self->plan->over.number_read && i > at + 1; i--) {
		/* The two halves of an update must not be parted. */
		if (self->out->row_count + 2 > BATCH_CAPACITY)
			TRY(push_out(self, batch, err));
		TRY(put_row(self, batch, record, list->places[i - 1], i - 2, ROW_UPDATE_BEFORE,
			    err));
		TRY(put_row(self, batch, record, list->places[i - 1], i - 1, ROW_UPDATE_AFTER,
			    err));
	}
	return put_row(self, batch, record, list->places[at], at, ROW_INSERT, err);
}

/* ---------------------------------------------------------------- rows that come in */

/* Whether the batch's row comes before the one that is kept there. */
static bool
comes_before(const TopOp *self, uint16_t row, uint32_t place)
{
	for (uint32_t i = 0; i < self->plan->over.order_count; i++) {
		const OverKey *key = &self->plan->over.order[i];
		const Vector *mine = &self->columns[i];
		int order = vector_order(mine, mine->constant ? 0 : row, &self->rows.columns[i],
					 place, key->descending, key->nulls_first);

		if (order != 0)
			return order < 0;
	}
	return false;
}

/* Its place in the list: behind all that do not come after it. */
static uint32_t
find_place(const TopOp *self, const TopList *list, uint16_t row)
{
	uint32_t low = 0;
	uint32_t high = list->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (comes_before(self, row, list->places[middle]))
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

static void
grow_list(TopOp *self, TopList *list)
{
	uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 2;

	self->list_bytes += sizeof(uint32_t) * (capacity - list->capacity);
	list->places = memory_resize(list->places, sizeof(uint32_t) * capacity);
	list->capacity = capacity;
}

static Status
take_row(TopOp *self, const Batch *batch, uint16_t row, TopList *list, Error *err)
{
	uint32_t at = find_place(self, list, row);
	uint32_t gone = NO_PLACE;

	if (at >= self->plan->over.top)
		return FERRIS_OK;
	if (list->count == self->plan->over.top)
		gone = list->places[--list->count];
	else if (list->count == list->capacity)
		grow_list(self, list);
	memmove(list->places + at + 1, list->places + at, sizeof(uint32_t) * (list->count - at));
	list->places[at] = row_table_put(&self->rows, NO_PLACE, self->columns, row);
	list->count++;
	if (!self->plan->over.final)
		TRY(put_changes(self, batch, row, list, at, gone, err));
	if (gone != NO_PLACE)
		row_table_drop(&self->rows, gone);
	return FERRIS_OK;
}

static Status
check_memory(const TopOp *self, Error *err)
{
	size_t bytes = group_table_bytes(self->partitions) + row_table_bytes(&self->rows) +
		       self->list_bytes;

	if (bytes <= self->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "the first %llu rows of %u partitions do not fit into %zu bytes",
		  (unsigned long long)self->plan->over.top, group_table_count(self->partitions),
		  self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or keep fewer rows or columns");
}

static Status
top_push(Operator *op, Batch *batch, Error *err)
{
	TopOp *self = (TopOp *)op;
	uint32_t parts = self->plan->over.partition_count;
	uint32_t kept = self->plan->over.order_count + self->plan->over.left_count;
	uint32_t first_new;

	/* Values that came out of the table were views; they are not needed any more. */
	row_table_tidy(&self->rows);
	program_run(self->program, batch, NULL, self->results);
	task_stop_at_error(self->task, batch);
	for (uint32_t c = 0; c < kept; c++)
		self->columns[c] = *self->results[parts + c];
	TRY(group_table_find(self->partitions, self->results, batch->sel, batch->sel_count,
			     self->payloads, &first_new, err));
	if (!batch->counted)
		self->task->result->aggregated += batch->sel_count;
	batch_reset(self->out);
	for (uint32_t i = 0; i < batch->sel_count; i++)
		TRY(take_row(self, batch, batch->sel[i], (TopList *)self->payloads[i], err));
	TRY(push_out(self, batch, err));
	return check_memory(self, err);
}

static Status
top_finish(Operator *op, Error *err)
{
	TopOp *self = (TopOp *)op;
	uint32_t count = self->plan->over.final ? group_table_count(self->partitions) : 0;

	batch_reset(self->out);
	for (uint32_t g = 0; g < count; g++) {
		const TopList *list = (const TopList *)group_table_payload(self->partitions, g);

		for (uint32_t i = 0; i < list->count; i++)
			TRY(put_row(self, NULL, (RecordRange){0}, list->places[i], i, ROW_INSERT,
				    err));
	}
	TRY(push_out(self, NULL, err));
	return operator_finish(op->next, err);
}

/* ---------------------------------------------------------------- saved and loaded */

/* The columns of a partition's key and of a kept row, in one batch of one row. */
static Batch *
new_row(const TopOp *self, Vector ***columns)
{
	uint32_t parts = self->plan->over.partition_count;
	uint32_t count = parts + self->rows.column_count;
	Field *fields = memory_zero(sizeof *fields * (count + 1));

	for (uint32_t i = 0; i < parts; i++)
		fields[i].type = self->plan->over.partition[i]->type;
	memcpy(fields + parts, self->rows.fields, sizeof *fields * self->rows.column_count);
	Batch *row = batch_new(fields, NULL, count);
	memory_free(fields);
	*columns = ARENA_ARRAY(&row->heap, Vector *, count + 1);
	for (uint32_t c = 0; c < count; c++)
		(*columns)[c] = &row->columns[c];
	return row;
}

/* A record for each row: the numbers of its partition and its place, then both their values. */
static Status
save_rows(TopOp *self, uint32_t group, StateWriter *writer, Buffer *key, Buffer *value, Error *err)
{
	const TopList *list = (const TopList *)group_table_payload(self->partitions, group);
	uint32_t parts = self->plan->over.partition_count;
	Status status = FERRIS_OK;
	Vector **columns;
	Batch *row = new_row(self, &columns);

	group_table_key(self->partitions, group, columns, 0);
	for (uint32_t i = 0; i < list->count && status == FERRIS_OK; i++) {
		buffer_reset(key);
		record_key_u32(key, group);
		record_key_u32(key, i);
		buffer_reset(value);
		record_write_row(value, (const Vector *const *)columns, parts, 0);
		for (uint32_t c = 0; c < self->rows.column_count; c++)
			vector_copy(columns[parts + c], 0, &self->rows.columns[c], list->places[i],
				    NULL);
		record_write_row(value, (const Vector *const *)columns + parts,
				 self->rows.column_count, 0);
		status = writer->put(writer, (Str){key->data, (uint32_t)key->len},
				     (Str){value->data, (uint32_t)value->len}, err);
	}
	batch_destroy(row);
	return status;
}

static Status
top_save(Operator *op, StateWriter *writer, Error *err)
{
	TopOp *self = (TopOp *)op;
	Status status = FERRIS_OK;
	Buffer key, value;

	buffer_init(&key, SIZE_MAX);
	buffer_init(&value, SIZE_MAX);
	for (uint32_t g = 0; g < group_table_count(self->partitions) && status == FERRIS_OK; g++)
		status = save_rows(self, g, writer, &key, &value, err);
	buffer_free(&key);
	buffer_free(&value);
	return status;
}

static Status
top_load(Operator *op, Str key, Str value, Error *err)
{
	TopOp *self = (TopOp *)op;
	uint32_t parts = self->plan->over.partition_count;
	const char *end = value.data + value.len;
	uint32_t first_new;
	char *payload;
	Vector **columns;
	Batch *row = new_row(self, &columns);

	(void)key; /* rows come in the order of their numbers */
	const char *next = record_read_row(value.data, end, columns, parts, 0);
	Status status = FERRIS_OK;
	if (next == NULL ||
	    record_read_row(next, end, columns + parts, self->rows.column_count, 0) != end)
		status = store_damaged(err);
	for (uint32_t i = 0; i < parts; i++)
		self->results[i] = columns[i];
	if (status == FERRIS_OK)
		status = group_table_find(self->partitions, self->results, (uint16_t[]){0}, 1,
					  &payload, &first_new, err);
	if (status == FERRIS_OK) {
		TopList *list = (TopList *)payload;

		if (list->count == list->capacity)
			grow_list(self, list);
		list->places[list->count++] =
			row_table_put(&self->rows, NO_PLACE, row->columns + parts, 0);
	}
	batch_destroy(row);
	return status;
}

static void
top_close(Operator *op)
{
	TopOp *self = (TopOp *)op;

	for (uint32_t g = 0; self->partitions != NULL && g < group_table_count(self->partitions);
	     g++)
		memory_free(((TopList *)group_table_payload(self->partitions, g))->places);
	group_table_destroy(self->partitions);
	row_table_free(&self->rows);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass top_class = {
	.name = "Top",
	.size = sizeof(TopOp),
	.open = top_open,
	.push = top_push,
	.finish = top_finish,
	.save = top_save,
	.load = top_load,
	.close = top_close,
	.makes_rows = makes_rows_always,
};
