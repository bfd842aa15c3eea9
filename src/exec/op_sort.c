/* exec/op_sort.c -- SORT: all rows in order when the input ends; with LIMIT only the first ones.
 *
 * A row is kept as bytes: its sort keys written so that their order is that of memcmp, then its
 * columns.  Equal keys stay in order of arrival.  With a LIMIT the rows kept form a heap with the
 * last one on top, and a row that sorts behind it is not kept at all: memory is that of LIMIT +
 * OFFSET rows, whatever the input.
 *
 * Event time does not pass: the rows come after all of it.
 *
 * Owns:    the rows.
 * Threads: one operator belongs to one task. */
#include <stdlib.h>

#include "base/memory.h"
#include "exec/operator.h"
#include "state/group_key.h"

#define BLOCK_BYTES ((size_t)64 << 10)

typedef struct SortRow {
	uint64_t prefix;   /* the key's first bytes */
	uint64_t sequence; /* of arrival */
	char *data;        /* key, then columns */
	uint32_t key_len;
	uint32_t capacity; /* of data; 0: in the store */
} SortRow;

typedef struct SortOp {
	Operator base;
	TaskContext *task;
	uint64_t keep; /* rows; UINT64_MAX: all */
	uint64_t sequence;
	SortRow *rows; /* a heap when `keep` rows are there */
	size_t count;
	size_t capacity;
	Budget budget;
	ByteStore store; /* of rows that stay; those of a heap have memory of their own */
	Buffer scratch;
	Batch *out;
} SortOp;

/* ---------------------------------------------------------------- keys */

static void
put_big_endian(Buffer *out, uint64_t value)
{
	uint64_t swapped = __builtin_bswap64(value);

	buffer_append(out, &swapped, sizeof swapped);
}

static void
put_int128(Buffer *out, Int128 value)
{
	put_big_endian(out, (uint64_t)((Uint128)value >> 64) ^ UINT64_C(1) << 63);
	put_big_endian(out, (uint64_t)(Uint128)value);
}

/* Negative numbers have all bits turned, so that larger ones come later. */
static void
put_double(Buffer *out, double value)
{
	uint64_t bits = group_double_bits(value);

	put_big_endian(out, bits >> 63 ? ~bits : bits | UINT64_C(1) << 63);
}

/* A zero byte inside is followed by FF, the end by 00. */
static void
put_text(Buffer *out, StringView text)
{
	const char *next = text.data;
	const char *end = text.data + text.len;

	while (next < end) {
		const char *zero = memchr(next, 0, (size_t)(end - next));
		const char *stop = zero != NULL ? zero + 1 : end;

		buffer_append(out, next, (size_t)(stop - next));
		if (zero != NULL)
			buffer_append_char(out, (char)0xFF);
		next = stop;
	}
	buffer_append(out, "\0\0", 2);
}

static void
put_value(Buffer *out, const Vector *vector, uint32_t at)
{
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		buffer_append_char(out, (char)VECTOR_DATA(vector, const uint8_t)[at]);
		break;
	case PHYSICAL_INT64:
		put_big_endian(out, (uint64_t)VECTOR_DATA(vector, const int64_t)[at] ^
					    UINT64_C(1) << 63);
		break;
	case PHYSICAL_INT128:
		put_int128(out, VECTOR_DATA(vector, const Int128)[at]);
		break;
	case PHYSICAL_DOUBLE:
		put_double(out, VECTOR_DATA(vector, const double)[at]);
		break;
	case PHYSICAL_VIEW:
		put_text(out, VECTOR_DATA(vector, const StringView)[at]);
		break;
	case PHYSICAL_INTERVAL: {
		Interval v = VECTOR_DATA(vector, const Interval)[at];

		/* As interval_compare: a month has 30 days, a day 24 hours. */
		put_int128(out, ((Int128)v.months * 30 + v.days) * MICROS_PER_DAY + v.micros);
		break;
	}
	default: /* the binder has refused it */
		break;
	}
}

static void
put_key(Buffer *out, const OverKey *key, const Batch *batch, uint16_t row)
{
	const Vector *vector = &batch->columns[key->expr->column];
	bool is_null = vector_is_null(vector, row);
	size_t start;

	buffer_append_char(out, (char)(is_null ? (key->nulls_first ? 0 : 2) : 1));
	start = out->len;
	if (!is_null)
		put_value(out, vector, vector->constant ? 0 : row);
	if (key->descending)
		for (size_t i = start; i < out->len; i++)
			out->data[i] = (char)~out->data[i];
}

/* The scratch holds the row's key afterwards. */
static SortRow
make_key(SortOp *self, const Batch *batch, uint16_t row)
{
	const PlanNode *plan = self->base.plan;
	unsigned char first[8] = {0};

	self->scratch.len = 0;
	for (uint32_t k = 0; k < plan->sort.count; k++)
		put_key(&self->scratch, &plan->sort.keys[k], batch, row);
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

/* The row behind its key in the scratch, and all of it to `into`, whose bytes are used again. */
static Status
store_row(SortOp *self, const Batch *batch, uint16_t row, const SortRow *key, SortRow *into,
	  Error *err)
{
	for (uint32_t i = 0; i < self->base.plan->schema.count; i++)
		group_nested_write(&self->scratch, &batch->columns[i], row);
	if (self->scratch.len > UINT32_MAX)
		return limit_error(self, err);
	TRY(take_bytes(self, into, err));
	into->prefix = key->prefix;
	into->sequence = key->sequence;
	into->key_len = key->key_len;
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

static Status
keep_row(SortOp *self, const Batch *batch, uint16_t row, Error *err)
{
	SortRow key = make_key(self, batch, row);

	if (self->count < self->keep) {
		TRY(reserve_rows(self, err));
		self->rows[self->count] = (SortRow){0};
		TRY(store_row(self, batch, row, &key, &self->rows[self->count], err));
		self->count++;
		if (self->count == self->keep)
			for (size_t i = self->count / 2; i-- > 0;)
				sift_down(self, i);
		return FERRIS_OK;
	}
	if (self->keep == 0 || compare_rows(&key, &self->rows[0]) > 0)
		return FERRIS_OK;
	TRY(store_row(self, batch, row, &key, &self->rows[0], err));
	sift_down(self, 0);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the operator */

static Status
sort_open(Operator *op, TaskContext *task, Error *err)
{
	SortOp *self = (SortOp *)op;

	(void)err;
	self->task = task;
	self->keep = op->plan->sort.keep == INT64_MAX ? UINT64_MAX : (uint64_t)op->plan->sort.keep;
	self->budget.limit = task->state_limit;
	byte_store_init(&self->store, BLOCK_BYTES, &self->budget);
	buffer_init(&self->scratch, SIZE_MAX);
	self->out = batch_new(op->plan->schema.fields, NULL, op->plan->schema.count);
	return FERRIS_OK;
}

static Status
sort_push(Operator *op, Batch *batch, Error *err)
{
	SortOp *self = (SortOp *)op;

	for (uint32_t i = 0; i < batch->sel_count; i++)
		TRY(keep_row(self, batch, batch->sel[i], err));
	if (!batch->counted)
		self->task->result->aggregated += batch->sel_count;
	return FERRIS_OK;
}

static Status
sort_advance(Operator *op, int64_t watermark, Error *err)
{
	(void)op;
	(void)watermark;
	(void)err;
	return FERRIS_OK;
}

static Status
sort_finish(Operator *op, Error *err)
{
	SortOp *self = (SortOp *)op;
	Batch *out = self->out;

	if (self->count > 0)
		qsort(self->rows, self->count, sizeof *self->rows, compare_rows);
	for (size_t first = 0; first < self->count; first += out->row_count) {
		size_t left = self->count - first;

		batch_reset(out);
		out->derived = true;
		out->counted = true;
		out->row_count = left < BATCH_CAPACITY ? (uint32_t)left : BATCH_CAPACITY;
		for (uint32_t i = 0; i < out->row_count; i++) {
			const SortRow *row = &self->rows[first + i];
			const char *bytes = row->data + row->key_len;

			for (uint32_t c = 0; c < out->column_count; c++)
				bytes = group_nested_read(bytes, &out->columns[c], i);
		}
		batch_select_all(out);
		TRY(operator_push(op->next, out, err));
		task_keep_errors(self->task, out);
	}
	return operator_finish(op->next, err);
}

static void
sort_close(Operator *op)
{
	SortOp *self = (SortOp *)op;

	for (size_t i = 0; i < self->count; i++)
		if (self->rows[i].capacity > 0)
			memory_free(self->rows[i].data);
	memory_free(self->rows);
	if (self->store.budget != NULL)
		byte_store_free(&self->store);
	buffer_free(&self->scratch);
	batch_destroy(self->out);
}

const OperatorClass sort_class = {
	.name = "Sort",
	.size = sizeof(SortOp),
	.open = sort_open,
	.push = sort_push,
	.advance = sort_advance,
	.finish = sort_finish,
	.close = sort_close,
};
