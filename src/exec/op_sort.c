/* exec/op_sort.c -- SORT: all rows in order when the input ends; with LIMIT only the first ones.
 *
 * A row is kept as bytes: its sort keys written so that their order is that of memcmp, then its
 * columns.  Equal keys stay in order of arrival.  With a LIMIT the rows kept form a heap with the
 * last one on top, and a row that sorts behind it is not kept at all: memory is that of LIMIT +
 * OFFSET rows, whatever the input.
 *
 * Rows that do not fit into memory go to the backend (state/store.h), where they lie in the order
 * of their keys and numbers; at the end all rows are there and are read from it.
 *
 * Event time does not pass: the rows come after all of it.
 *
 * Owns:    the rows.
 * Threads: one operator belongs to one task. */
#include <stdlib.h>

#include "base/memory.h"
#include "exec/operator.h"
#include "state/byte_store.h"
#include "state/changes.h"
#include "state/record.h"

#define BLOCK_BYTES ((size_t)64 << 10)

typedef struct SortRow {
	uint64_t prefix;   /* the key's first bytes */
	uint64_t sequence; /* of arrival */
	char *data;        /* key, then columns */
	uint32_t len;      /* of both */
	uint32_t key_len;
	uint32_t capacity; /* of data; 0: in the store */
	bool saved;        /* it has been put as a change, or was loaded */
} SortRow;

typedef struct SortOp {
	Operator base;
	TaskContext *task;
	uint64_t keep; /* rows; UINT64_MAX: all */
	uint64_t sequence;
	uint64_t wanted;        /* rows that come out */
	StoreSpace space;       /* with a backend: rows are there, and no heap is kept */
	const Vector **columns; /* of a batch */
	Vector **outs;
	SortRow *rows; /* a heap when `keep` rows are there */
	size_t count;
	size_t capacity;
	Budget budget;
	ByteStore store; /* of rows that stay; those of a heap have memory of their own */
	Buffer scratch;
	Buffer value;   /* of a record */
	Buffer changes; /* of rows that are not in memory any more (state/changes.h) */
	Batch *out;
} SortOp;

/* ---------------------------------------------------------------- keys */

/* The scratch holds the row's key afterwards. */
static SortRow
make_key(SortOp *self, const Batch *batch, uint16_t row)
{
	const PlanNode *plan = self->base.plan;
	unsigned char first[8] = {0};

	self->scratch.len = 0;
	for (uint32_t k = 0; k < plan->sort.count; k++) {
		const OverKey *key = &plan->sort.keys[k];

		record_write_sort_key(&self->scratch, &batch->columns[key->expr->column], row,
				      (SortOrder){key->descending, key->nulls_first});
	}
	memcpy(first, self->scratch.data, self->scratch.len < 8 ? self->scratch.len : 8);
	SortRow out = {.sequence = self->sequence++,
		       .data = self->scratch.data,
		       .key_len = (uint32_t)self->scratch.len};
	memcpy(&out.prefix, first, sizeof out.prefix);
	out.prefix = __builtin_bswap64(out.prefix);
	return out;
}

static int
compare_rows(const void *left, const void *right)
{
	const SortRow *a = left;
	const SortRow *b = right;

	if (a->prefix != b->prefix)
		return a->prefix < b->prefix ? -1 : 1;
	uint32_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->data, b->data, len);
	if (order != 0)
		return order;
	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	return a->sequence < b->sequence ? -1 : 1;
}

/* ---------------------------------------------------------------- keeping rows */

static Status
limit_error(const SortOp *self, Error *err)
{
	error_set(err, FERRIS_ERR_LIMIT,
		  "%zu rows to be sorted hold %zu bytes, and the limit of %zu bytes does not allow "
		  "one "
		  "more",
		  self->count, self->budget.used, self->budget.limit);
	return error_hint(err,
			  "raise 'state.memory.limit', or add a LIMIT: only its rows are kept");
}

static Status
reserve_rows(SortOp *self, Error *err)
{
	size_t capacity = self->capacity > 0 ? self->capacity * 2 : 64;

	if (self->count < self->capacity)
		return FERRIS_OK;
	if (!budget_take(&self->budget, sizeof *self->rows * (capacity - self->capacity)))
		return limit_error(self, err);
	self->rows = memory_resize(self->rows, sizeof *self->rows * capacity);
	self->capacity = capacity;
	return FERRIS_OK;
}

/* Bytes for the scratch's content at row->data. */
static Status
take_bytes(SortOp *self, SortRow *row, Error *err)
{
	size_t size = self->scratch.len;

	if (self->keep == UINT64_MAX) {
		row->data = byte_store_take(&self->store, size);
	} else if (row->capacity < size) {
		if (!budget_take(&self->budget, size - row->capacity))
			return limit_error(self, err);
		memory_free(row->data);
		row->data = memory_alloc(size);
		row->capacity = (uint32_t)size;
	}
	if (row->data == NULL)
		return limit_error(self, err);
	memcpy(row->data, self->scratch.data, size);
	return FERRIS_OK;
}

/* The key of a row's record. */
static Str
record_key(const uint64_t *swapped)
{
	return (Str){(const char *)swapped, sizeof *swapped};
}

/* The value of a row's record, to self->value: length of its key, key, columns. */
static Str
record_value(SortOp *self, Str key, Str columns)
{
	buffer_reset(&self->value);
	record_u32(&self->value, key.len);
	buffer_append_str(&self->value, key);
	buffer_append_str(&self->value, columns);
	return (Str){self->value.data, (uint32_t)self->value.len};
}

static Str
value_of_row(SortOp *self, const SortRow *row)
{
	return record_value(self, (Str){row->data, row->key_len},
			    (Str){row->data + row->key_len, row->len - row->key_len});
}

/* Another row takes the place of one; if there is no room for it, it stays after all. */
static void
note_gone(SortOp *self, SortRow *row)
{
	uint64_t number = __builtin_bswap64(row->sequence);

	if (row->saved && self->task->store->options.tracks)
		changes_add(&self->changes, STR(""), record_key(&number), (Str){0});
	row->saved = false;
}

/* The row goes to the backend. */
static void
note_spilled(SortOp *self, const SortRow *row)
{
	uint64_t number = __builtin_bswap64(row->sequence);

	if (!row->saved && self->task->store->options.tracks)
		changes_add(&self->changes, STR(""), record_key(&number), value_of_row(self, row));
}

/* The row behind its key in the scratch, and all of it to `into`, whose bytes are used again. */
static Status
store_row(SortOp *self, const Batch *batch, uint16_t row, const SortRow *key, SortRow *into,
	  Error *err)
{
	record_write_row(&self->scratch, self->columns, batch->column_count, row);
	if (self->scratch.len > UINT32_MAX)
		return limit_error(self, err);
	TRY(take_bytes(self, into, err));
	into->prefix = key->prefix;
	into->sequence = key->sequence;
	into->key_len = key->key_len;
	into->len = (uint32_t)self->scratch.len;
	return FERRIS_OK;
}

/* Moves a row down the heap: the last in order is on top. */
static void
sift_down(SortOp *self, size_t at)
{
	SortRow row = self->rows[at];

	for (size_t child; (child = 2 * at + 1) < self->count; at = child) {
		if (child + 1 < self->count &&
		    compare_rows(&self->rows[child + 1], &self->rows[child]) > 0)
			child++;
		if (compare_rows(&self->rows[child], &row) < 0)
			break;
		self->rows[at] = self->rows[child];
	}
	self->rows[at] = row;
}

static void
make_heap(SortOp *self)
{
	for (size_t i = self->count / 2; i-- > 0;)
		sift_down(self, i);
}

static Status
keep_row(SortOp *self, const Batch *batch, uint16_t row, Error *err)
{
	SortRow key = make_key(self, batch, row);

	if (self->keep == UINT64_MAX || self->count < self->keep) {
		TRY(reserve_rows(self, err));
		self->rows[self->count] = (SortRow){0};
		TRY(store_row(self, batch, row, &key, &self->rows[self->count], err));
		self->count++;
		if (self->count == self->keep)
			make_heap(self);
		return FERRIS_OK;
	}
	if (self->keep == 0 || compare_rows(&key, &self->rows[0]) > 0)
		return FERRIS_OK;
	note_gone(self, &self->rows[0]);
	TRY(store_row(self, batch, row, &key, &self->rows[0], err));
	sift_down(self, 0);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- on disk */

static void
forget_rows(SortOp *self)
{
	for (size_t i = 0; i < self->count; i++)
		if (self->rows[i].capacity > 0) {
			self->budget.used -= self->rows[i].capacity;
			memory_free(self->rows[i].data);
		}
	self->count = 0;
	byte_store_free(&self->store);
}

/* All rows in memory to the backend, under their keys and numbers. */
static Status
spill_rows(SortOp *self, Error *err)
{
	StateStore *store = self->task->store;
	Buffer key, value;

	TRY(store_open(store, STORE_SCANS, &self->space, err));
	self->keep = UINT64_MAX;
	buffer_init(&key, SIZE_MAX);
	buffer_init(&value, SIZE_MAX);
	Status status = FERRIS_OK;
	for (size_t i = 0; i < self->count && status == FERRIS_OK; i++) {
		const SortRow *row = &self->rows[i];

		store_key(&self->space, &key);
		buffer_append(&key, row->data, row->key_len);
		record_key_u64(&key, row->sequence);
		buffer_reset(&value);
		buffer_append(&value, row->data + row->key_len, row->len - row->key_len);
		status = store_put(&self->space, &key, &value, err);
		note_spilled(self, row);
	}
	buffer_free(&key);
	buffer_free(&value);
	forget_rows(self);
	return status == FERRIS_OK ? store_commit(store, err) : status;
}

/* ---------------------------------------------------------------- the operator */

static Status
sort_open(Operator *op, TaskContext *task, Error *err)
{
	SortOp *self = (SortOp *)op;
	uint32_t columns = op->plan->schema.count;

	(void)err;
	self->task = task;
	self->wanted =
		op->plan->sort.keep == INT64_MAX ? UINT64_MAX : (uint64_t)op->plan->sort.keep;
	self->keep = self->wanted;
	self->budget.limit = store_memory(task->store);
	byte_store_init(&self->store, BLOCK_BYTES, &self->budget);
	buffer_init(&self->scratch, SIZE_MAX);
	buffer_init(&self->value, SIZE_MAX);
	buffer_init(&self->changes, SIZE_MAX);
	self->out = batch_new(op->plan->schema.fields, NULL, columns);
	self->columns = ARENA_ARRAY(task->arena, const Vector *, columns);
	self->outs = ARENA_ARRAY(task->arena, Vector *, columns);
	for (uint32_t i = 0; i < columns; i++)
		self->outs[i] = &self->out->columns[i];
	return FERRIS_OK;
}

static Status
sort_push(Operator *op, Batch *batch, Error *err)
{
	SortOp *self = (SortOp *)op;

	for (uint32_t i = 0; i < batch->column_count; i++)
		self->columns[i] = &batch->columns[i];
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		Status status = keep_row(self, batch, batch->sel[i], err);

		if (status == FERRIS_ERR_LIMIT && self->task->store->options.spill &&
		    self->count > 0) {
			TRY(spill_rows(self, err));
			status = keep_row(self, batch, batch->sel[i], err);
		}
		TRY(status);
	}
	if (!batch->counted)
		self->task->result->aggregated += batch->sel_count;
	return self->count > 0 && store_is_full(self->task->store, self->budget.used)
		       ? spill_rows(self, err)
		       : FERRIS_OK;
}

static Status
sort_advance(Operator *op, int64_t watermark, Error *err)
{
	(void)op;
	(void)watermark;
	(void)err;
	return FERRIS_OK;
}

static void
begin_out(Batch *out)
{
	batch_reset(out);
	out->derived = true;
	out->counted = true;
}

static Status
push_out(SortOp *self, Error *err)
{
	batch_select_all(self->out);
	TRY(operator_push(self->base.next, self->out, err));
	task_keep_errors(self->task, self->out);
	return FERRIS_OK;
}

static Status
emit_rows(SortOp *self, Error *err)
{
	Batch *out = self->out;

	if (self->count > 0)
		qsort(self->rows, self->count, sizeof *self->rows, compare_rows);
	for (size_t first = 0; first < self->count; first += out->row_count) {
		size_t left = self->count - first;

		begin_out(out);
		out->row_count = left < BATCH_CAPACITY ? (uint32_t)left : BATCH_CAPACITY;
		for (uint32_t i = 0; i < out->row_count; i++) {
			const SortRow *row = &self->rows[first + i];

			record_read_row(row->data + row->key_len, row->data + row->len, self->outs,
					out->column_count, i);
		}
		TRY(push_out(self, err));
	}
	return FERRIS_OK;
}

/* The next rows of the backend, up to a batch of them; *left counts those that may still come. */
static Status
emit_some(SortOp *self, StoreScan *scan, uint64_t *left, bool *more, Error *err)
{
	Batch *out = self->out;
	Str key, value;

	begin_out(out);
	*more = true;
	while (out->row_count < BATCH_CAPACITY) {
		*more = *left > 0 && store_next(scan, &key, &value);
		if (!*more)
			break;
		const char *bytes = arena_copy(&out->heap, value.data, value.len);
		if (record_read_row(bytes, bytes + value.len, self->outs, out->column_count,
				    out->row_count) != bytes + value.len)
			return store_damaged(err);
		out->row_count++;
		*left -= 1;
	}
	return out->row_count > 0 ? push_out(self, err) : FERRIS_OK;
}

static Status
emit_spilled(SortOp *self, Error *err)
{
	uint64_t left = self->wanted;
	bool more = true;
	StoreScan scan;

	TRY(spill_rows(self, err));
	store_key(&self->space, &self->scratch);
	TRY(store_scan(&self->space, &self->scratch, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && more)
		status = emit_some(self, &scan, &left, &more, err);
	return store_scan_close(&scan, status, err);
}

static Status
sort_finish(Operator *op, Error *err)
{
	SortOp *self = (SortOp *)op;

	TRY(self->space.backend != NULL ? emit_spilled(self, err) : emit_rows(self, err));
	return operator_finish(op->next, err);
}

/* A row as it was saved, at the end of the rows. */
static Status
load_row(SortOp *self, const RecordReader *reader, uint32_t key_len, uint64_t sequence, Error *err)
{
	SortRow row = {.sequence = sequence, .key_len = key_len, .saved = true};
	unsigned char first[8] = {0};

	buffer_reset(&self->scratch);
	buffer_append(&self->scratch, reader->next, (size_t)(reader->end - reader->next));
	TRY(reserve_rows(self, err));
	TRY(take_bytes(self, &row, err));
	row.len = (uint32_t)self->scratch.len;
	memcpy(first, row.data, key_len < 8 ? key_len : 8);
	memcpy(&row.prefix, first, sizeof row.prefix);
	row.prefix = __builtin_bswap64(row.prefix);
	self->rows[self->count++] = row;
	if (self->count == self->keep)
		make_heap(self);
	return FERRIS_OK;
}

static Status
save_spilled(SortOp *self, StateWriter *writer, Error *err)
{
	StoreScan scan;
	Str key, columns;

	store_key(&self->space, &self->scratch);
	TRY(store_scan(&self->space, &self->scratch, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && store_next(&scan, &key, &columns)) {
		uint64_t sequence;

		if (key.len < sizeof sequence) {
			status = store_damaged(err);
			break;
		}
		key.len -= (uint32_t)sizeof sequence;
		memcpy(&sequence, key.data + key.len, sizeof sequence);
		status = writer->put(writer, record_key(&sequence),
				     record_value(self, key, columns), err);
	}
	return store_scan_close(&scan, status, err);
}

/* A record for each row: its number -> length of its key, key, columns. */
static Status
sort_save(Operator *op, StateWriter *writer, Error *err)
{
	SortOp *self = (SortOp *)op;
	bool changes = writer->changes_only && self->task->store->options.tracks;

	if (changes)
		TRY(changes_save(&self->changes, writer, err));
	for (size_t i = 0; i < self->count; i++) {
		SortRow *row = &self->rows[i];
		uint64_t number = __builtin_bswap64(row->sequence);

		if (changes && row->saved)
			continue;
		TRY(writer->put(writer, record_key(&number), value_of_row(self, row), err));
		row->saved = row->saved || changes;
	}
	return self->space.backend != NULL && !changes ? save_spilled(self, writer, err)
						       : FERRIS_OK;
}

static Status
sort_load(Operator *op, Str key, Str value, Error *err)
{
	SortOp *self = (SortOp *)op;
	RecordReader number = record_reader(key);
	RecordReader reader = record_reader(value);
	uint64_t sequence = record_take_key_u64(&number);
	uint32_t key_len = record_take_u32(&reader);

	if (number.damaged || reader.damaged || key_len > (size_t)(reader.end - reader.next))
		return store_damaged(err);
	if (self->sequence <= sequence)
		self->sequence = sequence + 1;
	Status status = load_row(self, &reader, key_len, sequence, err);
	if (status != FERRIS_ERR_LIMIT || !self->task->store->options.spill || self->count == 0)
		return status;
	TRY(spill_rows(self, err));
	return load_row(self, &reader, key_len, sequence, err);
}

static void
sort_close(Operator *op)
{
	SortOp *self = (SortOp *)op;

	if (self->store.budget != NULL)
		forget_rows(self);
	memory_free(self->rows);
	buffer_free(&self->scratch);
	buffer_free(&self->value);
	buffer_free(&self->changes);
	batch_destroy(self->out);
}

const OperatorClass sort_class = {
	.name = "Sort",
	.size = sizeof(SortOp),
	.open = sort_open,
	.push = sort_push,
	.advance = sort_advance,
	.finish = sort_finish,
	.save = sort_save,
	.saves_changes = true,
	.load = sort_load,
	.close = sort_close,
};
