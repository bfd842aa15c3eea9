/* exec/op_table_join.c -- STREAM JOIN of inputs whose rows are taken back: tables, results of
 * groups.
 *
 * Both sides are kept as bags of rows: equal rows are one entry with a count.  A row that comes
 * makes pairs with the rows of its key on the other side, one that goes takes them back.  A row
 * that is wanted without a match (LEFT, RIGHT, FULL) is there with NULLs while it has none; SEMI
 * and ANTI put out rows of the left while they have one, or none.  An update is a row that goes and
 * one that comes.
 *
 * Source: incremental view maintenance of joins by counting, Gupta, Mumick and Subrahmanian, 1993.
 *
 * Owns:    the rows of both sides and their keys.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "state/group_table.h"
#include "state/record.h"
#include "state/snapshot.h"
#include "state/store.h"

#define LEFT          0
#define RIGHT         1
#define NO_ROW        UINT32_MAX
#define REBUILD_FLOOR 4096

/* The payload of a row's value. */
typedef struct Entry {
	uint32_t count;   /* equal rows that are there */
	uint32_t matches; /* rows of the other side that they meet */
	uint32_t next;    /* number + 1 of the next value of its key */
	uint32_t number;  /* + 1 */
} Entry;

/* The payload of a key: number + 1 of the first value of each side. */
typedef struct KeyRows {
	uint32_t first[2];
	uint64_t unused;
} KeyRows;

typedef struct Side {
	GroupTable *rows; /* by value: the keys, then the columns that come out */
	const Type **types;
	uint32_t column_count; /* all of them */
	uint32_t count;        /* those that come out, last */
	bool wants_unmatched;
	bool ended;
	uint64_t live; /* values whose count is not 0 */
	Vector **out;  /* where a row is written: scratch for the keys, then columns of a pair */
} Side;

typedef struct TableJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Side sides[2];
	GroupTable *keys;
	const Type **key_types;
	Vector *scratch;   /* keys that nobody reads */
	Program *residual; /* over the columns of a pair; or NULL */
	Batch *tested;     /* pairs that the residual is asked about */
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
	const Vector **vectors;
	uint32_t *found; /* values of the other side that a row meets */
	uint32_t found_count;
	uint32_t found_capacity;
} TableJoinOp;

/* ---------------------------------------------------------------- opening */

static GroupTable *
new_table(const TableJoinOp *self, const Type *const *types, uint32_t count, size_t payload)
{
	GroupTableSpec spec = {.key_types = types,
			       .key_count = count,
			       .payload_size = payload,
			       .byte_limit = self->task->state_limit};

	return group_table_new(&spec);
}

static void
open_side(TableJoinOp *self, int side, TaskContext *task)
{
	const Schema *schema = &self->plan->inputs[side]->schema;
	uint32_t keys = self->plan->stream_join.key_count;
	JoinShape shape = self->plan->stream_join.shape;
	Side *own = &self->sides[side];

	own->column_count = schema->count;
	own->count = schema->count - keys;
	own->types = ARENA_ARRAY(task->arena, const Type *, schema->count + 1);
	for (uint32_t c = 0; c < schema->count; c++)
		own->types[c] = schema->fields[c].type;
	own->wants_unmatched =
		shape == SHAPE_FULL || shape == (side == LEFT ? SHAPE_LEFT : SHAPE_RIGHT);
	own->rows = new_table(self, own->types, schema->count, sizeof(Entry));
	own->out = ARENA_ARRAY(task->arena, Vector *, schema->count + 1);
	for (uint32_t k = 0; k < keys; k++)
		own->out[k] = &self->scratch[k];
}

static void
open_pairs(TableJoinOp *self, TaskContext *task)
{
	uint32_t keys = self->plan->stream_join.key_count;
	uint32_t left = self->sides[LEFT].count;
	uint32_t count = left + self->sides[RIGHT].count;
	Field *fields = ARENA_ARRAY(task->arena, Field, count + 1);

	for (uint32_t c = 0; c < count; c++)
		fields[c] = self->plan->inputs[c >= left]
				    ->schema.fields[keys + c - (c < left ? 0 : left)];
	self->out = batch_new(fields, NULL, count);
	self->tested = batch_new(fields, NULL, count);
}

static Status
table_join_open(Operator *op, TaskContext *task, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t keys = plan->stream_join.key_count;
	uint32_t widest = plan->inputs[LEFT]->schema.count > plan->inputs[RIGHT]->schema.count
				  ? plan->inputs[LEFT]->schema.count
				  : plan->inputs[RIGHT]->schema.count;

	self->task = task;
	self->plan = plan;
	self->scratch = ARENA_ARRAY(task->arena, Vector, keys + 1);
	self->key_types = ARENA_ARRAY(task->arena, const Type *, keys + 1);
	for (uint32_t k = 0; k < keys; k++) {
		self->key_types[k] = plan->inputs[LEFT]->schema.fields[k].type;
		vector_init(&self->scratch[k], self->key_types[k], FORM_VALUE, BATCH_CAPACITY);
	}
	open_side(self, LEFT, task);
	open_side(self, RIGHT, task);
	self->keys = new_table(self, self->key_types, keys, sizeof(KeyRows));
	open_pairs(self, task);
	self->vectors = ARENA_ARRAY(task->arena, const Vector *, widest + 1);
	if (plan->stream_join.residual == NULL)
		return FERRIS_OK;
	return program_compile(task->arena, &plan->stream_join.residual, 1, &self->residual, err);
}

/* ---------------------------------------------------------------- rows that come out */

static Entry *
entry_of(const TableJoinOp *self, int side, uint32_t number)
{
	return (Entry *)group_table_payload(self->sides[side].rows, number);
}

/* Writes a value of the side (NO_ROW: NULLs) to a row of the pairs. */
static void
put_side(TableJoinOp *self, int side, uint32_t number, Batch *pairs, uint32_t to)
{
	Side *own = &self->sides[side];
	uint32_t first = side == LEFT ? 0 : self->sides[LEFT].count;
	uint32_t keys = own->column_count - own->count;

	for (uint32_t c = 0; c < own->count; c++) {
		own->out[keys + c] = &pairs->columns[first + c];
		if (number == NO_ROW)
			vector_set_null(&pairs->columns[first + c], to);
		else
			vector_set_valid(&pairs->columns[first + c], to);
	}
	if (number != NO_ROW)
		group_table_key(own->rows, number, own->out, to);
}

static Status
push_out(TableJoinOp *self, const Batch *batch, Error *err)
{
	Batch *out = self->out;
	uint32_t columns = out->column_count;

	out->column_count = self->plan->schema.count;
	Status status =
		task_push_changes(self->task, self->base.next, batch, out, self->kinds, err);
	out->column_count = columns;
	batch_reset(out); /* also the columns that do not come out */
	return status;
}

/* One change of the result, so many times. */
static Status
put_change(TableJoinOp *self, const Batch *batch, uint16_t row, const uint32_t *numbers,
	   uint32_t times, bool comes, Error *err)
{
	for (; times > 0; times--) {
		uint32_t to = self->out->row_count++;

		put_side(self, LEFT, numbers[LEFT], self->out, to);
		put_side(self, RIGHT, numbers[RIGHT], self->out, to);
		self->kinds[to] = comes ? ROW_INSERT : ROW_DELETE;
		self->out->records[to] = batch->records[row];
		if (self->out->row_count == BATCH_CAPACITY)
			TRY(push_out(self, batch, err));
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- what a row meets */

static void
keep_found(TableJoinOp *self, uint32_t number)
{
	if (self->found_count == self->found_capacity) {
		self->found_capacity = 2 * self->found_capacity + 64;
		self->found = memory_resize(self->found, sizeof(uint32_t) * self->found_capacity);
	}
	self->found[self->found_count++] = number;
}

/* Of the values found from `first` on, those for which the rest of the condition holds. */
static void
test_found(TableJoinOp *self, int side, uint32_t number, uint32_t first)
{
	Batch *pairs = self->tested;
	uint32_t count = self->found_count - first;

	if (self->residual == NULL || count == 0)
		return;
	batch_reset(pairs);
	for (uint32_t i = 0; i < count; i++) {
		put_side(self, side, number, pairs, i);
		put_side(self, !side, self->found[first + i], pairs, i);
		pairs->records[i] = (RecordRange){0};
	}
	pairs->row_count = count;
	batch_select_all(pairs);
	pairs->derived = true;
	pairs->counted = true;
	program_filter(self->residual, pairs);
	task_keep_errors(self->task, pairs);
	for (uint32_t i = 0; i < pairs->sel_count; i++)
		self->found[first + i] = self->found[first + pairs->sel[i]];
	self->found_count = first + pairs->sel_count;
}

static void
find_matches(TableJoinOp *self, int side, uint32_t number, const KeyRows *key)
{
	uint32_t first = 0;

	self->found_count = 0;
	for (uint32_t at = key->first[!side]; at != 0;) {
		const Entry *entry = entry_of(self, !side, at - 1);

		if (entry->count > 0)
			keep_found(self, at - 1);
		at = entry->next;
		if (self->found_count - first < BATCH_CAPACITY && at != 0)
			continue;
		test_found(self, side, number, first);
		first = self->found_count;
	}
}

/* ---------------------------------------------------------------- changes */

static bool
is_left_alone(const TableJoinOp *self)
{
	JoinShape shape = self->plan->stream_join.shape;

	return shape == SHAPE_SEMI || shape == SHAPE_ANTI;
}

/* SEMI, ANTI: the rows of the left that are there because of their matches, or in spite of them. */
static Status
change_left(TableJoinOp *self, int side, const Batch *batch, uint16_t row, uint32_t number,
	    bool comes, Error *err)
{
	bool semi = self->plan->stream_join.shape == SHAPE_SEMI;
	uint32_t numbers[2] = {number, NO_ROW};

	if (side == LEFT)
		return semi == (entry_of(self, LEFT, number)->matches > 0)
			       ? put_change(self, batch, row, numbers, 1, comes, err)
			       : FERRIS_OK;
	for (uint32_t i = 0; i < self->found_count; i++) {
		Entry *left = entry_of(self, LEFT, self->found[i]);
		bool before = left->matches > 0;

		left->matches += comes ? 1 : (uint32_t)-1;
		numbers[LEFT] = self->found[i];
		if (before != (left->matches > 0))
			TRY(put_change(self, batch, row, numbers, left->count, comes == semi, err));
	}
	return FERRIS_OK;
}

/* A value of the other side that the row meets: the pair, and its place without a match. */
static Status
change_pair(TableJoinOp *self, int side, const Batch *batch, uint16_t row, uint32_t number,
	    uint32_t other, bool comes, Error *err)
{
	Entry *entry = entry_of(self, !side, other);
	uint32_t pair[2], alone[2];
	bool wanted = self->sides[!side].wants_unmatched;

	pair[side] = number;
	pair[!side] = other;
	alone[side] = NO_ROW;
	alone[!side] = other;
	if (comes && wanted && entry->matches == 0)
		TRY(put_change(self, batch, row, alone, entry->count, false, err));
	TRY(put_change(self, batch, row, pair, entry->count, comes, err));
	entry->matches += comes ? 1 : (uint32_t)-1;
	if (!comes && wanted && entry->matches == 0)
		TRY(put_change(self, batch, row, alone, entry->count, true, err));
	return FERRIS_OK;
}

static Status
change_row(TableJoinOp *self, int side, const Batch *batch, uint16_t row, uint32_t number,
	   bool comes, Error *err)
{
	Entry *entry = entry_of(self, side, number);
	uint32_t alone[2];

	if (entry->count == 0) {
		entry->matches = 0;
		for (uint32_t i = 0; i < self->found_count; i++)
			entry->matches += entry_of(self, !side, self->found[i])->count;
	}
	self->sides[side].live += comes && entry->count == 0;
	entry->count += comes ? 1 : (uint32_t)-1;
	self->sides[side].live -= !comes && entry->count == 0;
	if (is_left_alone(self))
		return change_left(self, side, batch, row, number, comes, err);
	alone[side] = number;
	alone[!side] = NO_ROW;
	if (self->sides[side].wants_unmatched && entry->matches == 0)
		return put_change(self, batch, row, alone, 1, comes, err);
	for (uint32_t i = 0; i < self->found_count; i++)
		TRY(change_pair(self, side, batch, row, number, self->found[i], comes, err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- a batch */

static bool
has_null_key(const TableJoinOp *self, const Batch *batch, uint32_t row)
{
	for (uint32_t k = 0; k < self->plan->stream_join.key_count; k++)
		if (vector_is_null(&batch->columns[k], row))
			return true;
	return false;
}

/* The value of the row among those of its side, put into the chain of its key if it is new. */
static Status
find_value(TableJoinOp *self, int side, uint16_t row, KeyRows **key, uint32_t *number, Error *err)
{
	Side *own = &self->sides[side];
	uint32_t first_new;
	char *payload;

	TRY(group_table_find(self->keys, self->vectors, &row, 1, &payload, &first_new, err));
	*key = (KeyRows *)payload;
	TRY(group_table_find(own->rows, self->vectors, &row, 1, &payload, &first_new, err));
	Entry *entry = (Entry *)payload;
	if (entry->number == 0) {
		entry->number = group_table_count(own->rows);
		entry->next = (*key)->first[side];
		(*key)->first[side] = entry->number;
	}
	*number = entry->number - 1;
	return FERRIS_OK;
}

static Status
take_row(TableJoinOp *self, int side, Batch *batch, uint16_t row, Error *err)
{
	uint8_t kind = batch->kinds != NULL ? batch->kinds[row] : ROW_INSERT;
	bool comes = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
	bool lost = has_null_key(self, batch, row);
	bool wanted = self->sides[side].wants_unmatched ||
		      (side == LEFT && self->plan->stream_join.shape == SHAPE_ANTI);
	KeyRows *key;
	uint32_t number;

	if (lost && !wanted) {
		batch->filtered += !batch->counted;
		return FERRIS_OK;
	}
	TRY(find_value(self, side, row, &key, &number, err));
	self->task->result->aggregated += !batch->counted;
	if (!comes && entry_of(self, side, number)->count == 0)
		return FERRIS_OK;
	self->found_count = 0;
	if (!lost)
		find_matches(self, side, number, key);
	return change_row(self, side, batch, row, number, comes, err);
}

static Status
check_memory(const TableJoinOp *self, Error *err)
{
	size_t bytes = group_table_bytes(self->keys) + group_table_bytes(self->sides[LEFT].rows) +
		       group_table_bytes(self->sides[RIGHT].rows);

	if (bytes <= self->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "the rows of both sides of a join do not fit into %zu "
		  "bytes",
		  self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or read fewer columns");
}

/* Puts the values that are there into new tables when most are not. */
static Status
forget_values(TableJoinOp *self, Error *err)
{
	GroupTable *old_keys = self->keys;
	uint64_t values = 0;
	uint64_t live = 0;

	for (int side = LEFT; side <= RIGHT; side++) {
		values += group_table_count(self->sides[side].rows);
		live += self->sides[side].live;
	}
	if (values < REBUILD_FLOOR || values / 2 < live)
		return FERRIS_OK;
	self->keys = new_table(self, self->key_types, self->plan->stream_join.key_count,
			       sizeof(KeyRows));
	Status status = FERRIS_OK;
	for (int side = LEFT; side <= RIGHT; side++) {
		Side *own = &self->sides[side];
		GroupTable *old = own->rows;

		own->rows = new_table(self, own->types, own->column_count, sizeof(Entry));
		for (uint32_t g = 0; g < group_table_count(old) && status == FERRIS_OK; g++) {
			const Entry *entry = (const Entry *)group_table_payload(old, g);
			KeyRows *key;
			uint32_t number;

			if (entry->count == 0)
				continue;
			batch_reset(self->tested);
			for (uint32_t c = 0; c < own->count; c++)
				own->out[own->column_count - own->count + c] =
					&self->tested->columns
						 [c + (side == LEFT ? 0 : self->sides[LEFT].count)];
			group_table_key(old, g, own->out, 0);
			for (uint32_t c = 0; c < own->column_count; c++)
				self->vectors[c] = own->out[c];
			status = find_value(self, side, 0, &key, &number, err);
			if (status == FERRIS_OK) {
				entry_of(self, side, number)->count = entry->count;
				entry_of(self, side, number)->matches = entry->matches;
			}
		}
		group_table_destroy(old);
	}
	group_table_destroy(old_keys);
	return status;
}

static Status
table_join_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;
	int side = (int)input;

	TRY(forget_values(self, err));
	task_stop_at_error(self->task, batch);
	batch_reset(self->out);
	for (uint32_t c = 0; c < self->sides[side].column_count; c++)
		self->vectors[c] = &batch->columns[c];
	for (uint32_t i = 0; i < batch->sel_count; i++)
		TRY(take_row(self, side, batch, batch->sel[i], err));
	TRY(push_out(self, batch, err));
	return check_memory(self, err);
}

/* Rows of any age may come out: the watermark says nothing of them. */
static Status
table_join_advance(Operator *op, uint32_t side, int64_t watermark, Error *err)
{
	(void)op;
	(void)side;
	(void)watermark;
	(void)err;
	return FERRIS_OK;
}

static Status
table_join_finish(Operator *op, uint32_t side, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;

	self->sides[side].ended = true;
	return self->sides[!side].ended ? operator_finish(op->next, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- saved and loaded */

static Batch *
new_row(const TableJoinOp *self, int side, Vector ***columns)
{
	const Side *own = &self->sides[side];
	Batch *row = batch_new(self->plan->inputs[side]->schema.fields, NULL, own->column_count);

	*columns = ARENA_ARRAY(&row->heap, Vector *, own->column_count + 1);
	for (uint32_t c = 0; c < own->column_count; c++)
		(*columns)[c] = &row->columns[c];
	return row;
}

/* A record for each value that is there: side and number, then counts and values. */
static Status
save_value(TableJoinOp *self, int side, uint32_t number, StateWriter *writer, Error *err)
{
	const Entry *entry = entry_of(self, side, number);
	Vector **columns;
	Buffer key, value;

	if (entry->count == 0)
		return FERRIS_OK;
	Batch *row = new_row(self, side, &columns);
	group_table_key(self->sides[side].rows, number, columns, 0);
	buffer_init(&key, SIZE_MAX);
	buffer_init(&value, SIZE_MAX);
	record_key_u32(&key, (uint32_t)side + 1);
	record_key_u32(&key, number);
	record_u32(&value, entry->count);
	record_u32(&value, entry->matches);
	record_write_row(&value, (const Vector *const *)columns, self->sides[side].column_count, 0);
	Status status = writer->put(writer, (Str){key.data, (uint32_t)key.len},
				    (Str){value.data, (uint32_t)value.len}, err);
	buffer_free(&key);
	buffer_free(&value);
	batch_destroy(row);
	return status;
}

static Status
table_join_save(Operator *op, StateWriter *writer, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;
	char ended[] = {self->sides[LEFT].ended, self->sides[RIGHT].ended};

	TRY(writer->put(writer, STR(""), (Str){ended, sizeof ended}, err));
	for (int side = LEFT; side <= RIGHT; side++)
		for (uint32_t n = 0; n < group_table_count(self->sides[side].rows); n++)
			TRY(save_value(self, side, n, writer, err));
	return FERRIS_OK;
}

static Status
load_value(TableJoinOp *self, int side, RecordReader *reader, Error *err)
{
	uint32_t count = record_take_u32(reader);
	uint32_t matches = record_take_u32(reader);
	uint32_t width = self->sides[side].column_count;
	Vector **columns;
	KeyRows *key;
	uint32_t number;
	Batch *row = new_row(self, side, &columns);
	Status status = FERRIS_OK;

	if (reader->damaged || count == 0 ||
	    record_read_row(reader->next, reader->end, columns, width, 0) != reader->end)
		status = store_damaged(err);
	for (uint32_t c = 0; c < width; c++)
		self->vectors[c] = columns[c];
	if (status == FERRIS_OK)
		status = find_value(self, side, 0, &key, &number, err);
	if (status == FERRIS_OK) {
		entry_of(self, side, number)->count = count;
		entry_of(self, side, number)->matches = matches;
		self->sides[side].live++;
	}
	batch_destroy(row);
	return status;
}

static Status
table_join_load(Operator *op, Str key, Str value, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;
	RecordReader place = record_reader(key);
	RecordReader reader = record_reader(value);

	if (key.len == 0) {
		if (value.len != 2)
			return store_damaged(err);
		self->sides[LEFT].ended = value.data[LEFT] != 0;
		self->sides[RIGHT].ended = value.data[RIGHT] != 0;
		return FERRIS_OK;
	}
	uint32_t side = __builtin_bswap32(record_take_u32(&place)) - 1;
	if (place.damaged || side > RIGHT)
		return store_damaged(err);
	return load_value(self, (int)side, &reader, err);
}

static void
table_join_close(Operator *op)
{
	TableJoinOp *self = (TableJoinOp *)op;

	for (uint32_t k = 0; self->scratch != NULL && k < self->plan->stream_join.key_count; k++)
		vector_free(&self->scratch[k]);
	group_table_destroy(self->sides[LEFT].rows);
	group_table_destroy(self->sides[RIGHT].rows);
	group_table_destroy(self->keys);
	batch_destroy(self->out);
	batch_destroy(self->tested);
	program_free(self->residual);
	memory_free(self->found);
}

const OperatorClass table_join_class = {
	.name = "TableJoin",
	.size = sizeof(TableJoinOp),
	.open = table_join_open,
	.push_from = table_join_push,
	.advance_from = table_join_advance,
	.finish_from = table_join_finish,
	.save = table_join_save,
	.load = table_join_load,
	.close = table_join_close,
	.makes_rows = makes_rows_always,
};
