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
 * Partitions that do not fit into memory go to disk with their rows (state/keyed.h).
 *
 * Owns:    the first rows of each partition.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "func/compare.h"
#include "state/keyed.h"
#include "state/row_table.h"

#define SLICE 256 /* partitions that are looked up at once when each may bring rows from disk */

/* The payload of a partition: the places of its first rows, in order.  Where rows come out at the
 * end, behind a KeyedHead. */
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
	size_t head;     /* bytes before a payload's TopList */
	KeyedFamily family;
	KeyedState partitions;
	RowTable rows;
	size_t list_bytes;
	char **payloads;
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
} TopOp;

/* ---------------------------------------------------------------- payloads */

static TopList *
list_of(const TopOp *self, char *payload)
{
	return (TopList *)(void *)(payload + self->head);
}

static const TopList *
saved_list(const TopOp *self, const char *payload)
{
	return (const TopList *)(const void *)(payload + self->head);
}

static void
grow_list(TopOp *self, TopList *list)
{
	uint32_t capacity = list->capacity > 0 ? list->capacity * 2 : 2;

	self->list_bytes += sizeof(uint32_t) * (capacity - list->capacity);
	list->places = memory_resize(list->places, sizeof(uint32_t) * capacity);
	list->capacity = capacity;
}

static bool
has_no_rows(void *owner, const char *payload)
{
	return saved_list(owner, payload)->count == 0;
}

static void
save_list(void *owner, const char *payload, Buffer *out)
{
	const TopOp *self = owner;
	const TopList *list = saved_list(self, payload);

	record_u32(out, list->count);
	for (uint32_t i = 0; i < list->count; i++)
		row_table_write(&self->rows, list->places[i], out);
}

static bool
load_list(void *owner, char *payload, Str bytes)
{
	TopOp *self = owner;
	TopList *list = list_of(self, payload);
	RecordReader reader = record_reader(bytes);
	uint32_t count = record_take_u32(&reader);

	if (count > self->plan->over.top)
		return false;
	for (uint32_t i = 0; i < count && reader.next != NULL; i++) {
		if (list->count == list->capacity)
			grow_list(self, list);
		reader.next = row_table_read(&self->rows, reader.next, reader.end,
					     &list->places[list->count]);
		list->count += reader.next != NULL;
	}
	return !reader.damaged && reader.next == reader.end;
}

static void
release_list(void *owner, char *payload)
{
	TopOp *self = owner;
	TopList *list = list_of(self, payload);

	for (uint32_t i = 0; i < list->count; i++)
		row_table_drop(&self->rows, list->places[i]);
	self->list_bytes -= sizeof(uint32_t) * list->capacity;
	memory_free(list->places);
}

static const PayloadClass list_payload = {
	.save = save_list, .load = load_list, .release = release_list, .is_empty = has_no_rows};

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
	self->head = plan->over.final ? sizeof(KeyedHead) : 0;
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = parts,
				       .payload_size = self->head + sizeof(TopList),
				       .payload = &list_payload,
				       .owner = self,
				       .headed = plan->over.final},
			  task->store);
	keyed_track(&self->family, &self->partitions, STR(""));
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

/* ---------------------------------------------------------------- memory */

/* `out` must be empty: it has views of the rows. */
static Status
write_out(TopOp *self, Error *err)
{
	TRY(keyed_write_out(&self->family, &self->partitions, err));
	row_table_clear(&self->rows);
	return FERRIS_OK;
}

static Status
keep_within(TopOp *self, const Batch *batch, Error *err)
{
	size_t bytes = row_table_bytes(&self->rows) + self->list_bytes;

	if (!keyed_is_full(&self->family, bytes))
		return keyed_check(&self->family, bytes, err);
	TRY(push_out(self, batch, err));
	return write_out(self, err);
}

/* ---------------------------------------------------------------- a batch */

static Status
take_rows(TopOp *self, const Batch *batch, Error *err)
{
	for (uint32_t done = 0, found; done < batch->sel_count; done += found) {
		uint32_t count = batch->sel_count - done;

		if (keyed_is_spilled(&self->partitions) && count > SLICE)
			count = SLICE;
		TRY(keyed_find(&self->family, &self->partitions, self->results, batch->sel + done,
			       count, self->payloads, &found, err));
		for (uint32_t i = 0; i < found; i++)
			TRY(take_row(self, batch, batch->sel[done + i],
				     list_of(self, self->payloads[i]), err));
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
top_push(Operator *op, Batch *batch, Error *err)
{
	TopOp *self = (TopOp *)op;
	uint32_t parts = self->plan->over.partition_count;
	uint32_t kept = self->plan->over.order_count + self->plan->over.left_count;

	/* Values that came out of the table were views; they are not needed any more. */
	row_table_tidy(&self->rows);
	program_run(self->program, batch, NULL, self->results);
	task_stop_at_error(self->task, batch);
	for (uint32_t c = 0; c < kept; c++)
		self->columns[c] = *self->results[parts + c];
	if (!batch->counted)
		self->task->result->aggregated += batch->sel_count;
	batch_reset(self->out);
	TRY(take_rows(self, batch, err));
	TRY(push_out(self, batch, err));
	return keep_within(self, batch, err);
}

/* ---------------------------------------------------------------- the end */

static Status
put_all(TopOp *self, KeyedScan *scan, Error *err)
{
	char *payload;

	batch_reset(self->out);
	for (;;) {
		TRY(keyed_scan_next(scan, NULL, 0, NULL, &payload, err));
		if (payload == NULL)
			return push_out(self, NULL, err);
		const TopList *list = list_of(self, payload);
		if (self->out->row_count + list->count > BATCH_CAPACITY) {
			TRY(push_out(self, NULL, err));
			row_table_tidy(&self->rows);
		}
		for (uint32_t i = 0; i < list->count; i++)
			TRY(put_row(self, NULL, (RecordRange){0}, list->places[i], i, ROW_INSERT,
				    err));
	}
}

static Status
top_finish(Operator *op, Error *err)
{
	TopOp *self = (TopOp *)op;
	KeyedState *states[] = {&self->partitions};
	KeyedScan scan;

	if (!self->plan->over.final)
		return operator_finish(op->next, err);
	TRY(keyed_scan_open(&self->family, states, 1, &scan, err));
	TRY(keyed_scan_close(&scan, put_all(self, &scan, err), err));
	return operator_finish(op->next, err);
}

/* ---------------------------------------------------------------- saved and loaded */

static Status
top_save(Operator *op, StateWriter *writer, Error *err)
{
	TopOp *self = (TopOp *)op;

	return keyed_save(&self->family, &self->partitions, writer, STR(""), err);
}

static Status
top_load(Operator *op, Str key, Str value, Error *err)
{
	TopOp *self = (TopOp *)op;

	TRY(keyed_take_in(&self->family, &self->partitions, key, value, err));
	return keep_within(self, NULL, err);
}

static void
top_close(Operator *op)
{
	TopOp *self = (TopOp *)op;

	keyed_drop(&self->family, &self->partitions);
	keyed_family_free(&self->family);
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
	.saves_changes = true,
	.load = top_load,
	.close = top_close,
	.makes_rows = makes_rows_always,
};
