/* exec/op_table_join.c -- STREAM JOIN of inputs whose rows are taken back: tables, results of
 * groups.
 *
 * Both sides are kept as bags of rows: equal rows are one entry with a count.  A row that comes
 * makes pairs with the rows of its key on the other side, one that goes takes them back.  A row
 * that is wanted without a match (LEFT, RIGHT, FULL) is there with NULLs while it has none; SEMI
 * and ANTI put out rows of the left while they have one, or none.  An update is a row that goes and
 * one that comes.
 *
 * A value that is not there any more is forgotten, a key without values too.  Keys that do not fit
 * into memory go to disk with their values (state/keyed.h).  A row meets the values of its key from
 * the newest to the oldest, wherever they have been.
 *
 * Source: incremental view maintenance of joins by counting, Gupta, Mumick and Subrahmanian, 1993.
 *
 * Owns:    the rows of both sides and their keys.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/operator.h"
#include "state/keyed.h"
#include "state/row_bag.h"

#define KEYS_KEY "k" /* the records of keys begin with it; the operator's own is empty */

#define LEFT  0
#define RIGHT 1
#define SLICE 256 /* keys that are looked up at once when each may bring its rows from disk */

/* The payload of a key: the values of each side. */
typedef struct KeyRows {
	uint32_t first[2]; /* of a chain in the side's bag */
	uint64_t unused;
} KeyRows;

typedef struct Side {
	RowBag values;  /* the keys, then the columns that come out */
	uint32_t count; /* of these */
	bool wants_unmatched;
	bool ended;
} Side;

typedef struct TableJoinOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Side sides[2];
	KeyedFamily family;
	KeyedState keys;
	uint64_t live;     /* keys in memory that have values */
	Program *residual; /* over the columns of a pair; or NULL */
	Batch *tested;     /* pairs that the residual is asked about */
	Batch *out;
	uint8_t kinds[BATCH_CAPACITY];
	const Vector **key_columns;
	uint16_t *rows; /* of the batch: those that count */
	char **payloads;
	uint32_t *found; /* values of the other side that a row meets */
	uint32_t found_count;
	uint32_t found_capacity;
} TableJoinOp;

/* ---------------------------------------------------------------- payloads */

static bool
has_no_values(void *owner, const char *payload)
{
	const KeyRows *key = (const KeyRows *)(const void *)payload;

	(void)owner;
	return key->first[LEFT] == 0 && key->first[RIGHT] == 0;
}

static void
save_values(void *owner, const char *payload, Buffer *out)
{
	const TableJoinOp *self = owner;
	const KeyRows *key = (const KeyRows *)(const void *)payload;

	for (int side = LEFT; side <= RIGHT; side++)
		row_bag_write_chain(&self->sides[side].values, key->first[side], out);
}

static bool
load_values(void *owner, char *payload, Str bytes)
{
	TableJoinOp *self = owner;
	KeyRows *key = (KeyRows *)(void *)payload;
	RecordReader reader = record_reader(bytes);
	bool loaded = true;

	for (int side = LEFT; side <= RIGHT && loaded; side++)
		loaded = row_bag_read_chain(&self->sides[side].values, &reader, &key->first[side]);
	self->live += !has_no_values(owner, payload);
	return loaded && reader.next == reader.end;
}

static void
release_values(void *owner, char *payload)
{
	TableJoinOp *self = owner;
	const KeyRows *key = (const KeyRows *)(const void *)payload;

	self->live -= !has_no_values(owner, payload);
	for (int side = LEFT; side <= RIGHT; side++)
		row_bag_remove_chain(&self->sides[side].values, key->first[side]);
}

static const PayloadClass values_payload = {.save = save_values,
					    .load = load_values,
					    .release = release_values,
					    .is_empty = has_no_values};

/* ---------------------------------------------------------------- opening */

static void
open_side(TableJoinOp *self, int side)
{
	const Schema *schema = &self->plan->inputs[side]->schema;
	JoinShape shape = self->plan->stream_join.shape;
	Side *own = &self->sides[side];

	own->count = schema->count - self->plan->stream_join.key_count;
	own->wants_unmatched =
		shape == SHAPE_FULL || shape == (side == LEFT ? SHAPE_LEFT : SHAPE_RIGHT);
	row_bag_init(&own->values, schema->fields, schema->count);
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
	const Type **types = ARENA_ARRAY(task->arena, const Type *, keys + 1);

	self->task = task;
	self->plan = plan;
	for (uint32_t k = 0; k < keys; k++)
		types[k] = plan->inputs[LEFT]->schema.fields[k].type;
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = keys,
				       .payload_size = sizeof(KeyRows),
				       .payload = &values_payload,
				       .owner = self},
			  task->store);
	keyed_track(&self->family, &self->keys, STR(KEYS_KEY));
	open_side(self, LEFT);
	open_side(self, RIGHT);
	open_pairs(self, task);
	self->key_columns = ARENA_ARRAY(task->arena, const Vector *, keys + 1);
	self->rows = ARENA_ARRAY(task->arena, uint16_t, BATCH_CAPACITY);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	if (plan->stream_join.residual == NULL)
		return FERRIS_OK;
	return program_compile(task->arena, &plan->stream_join.residual, 1, &self->residual, err);
}

/* ---------------------------------------------------------------- rows that come out */

static BagEntry *
entry_of(const TableJoinOp *self, int side, uint32_t place)
{
	return row_bag_entry(&self->sides[side].values, place);
}

/* Writes a value of the side (NO_PLACE: NULLs) to a row of the pairs. */
static void
put_side(const TableJoinOp *self, int side, uint32_t place, Batch *pairs, uint32_t to)
{
	const Side *own = &self->sides[side];
	const Vector *values = own->values.rows.columns + self->plan->stream_join.key_count;
	Vector *columns = pairs->columns + (side == LEFT ? 0 : self->sides[LEFT].count);

	for (uint32_t c = 0; c < own->count; c++)
		if (place == NO_PLACE)
			vector_set_null(&columns[c], to);
		else
			vector_copy(&columns[c], to, &values[c], place, NULL);
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

	for (uint32_t at = key->first[!side]; at != 0;) {
		keep_found(self, at - 1);
		at = entry_of(self, !side, at - 1)->after;
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
	uint32_t numbers[2] = {number, NO_PLACE};

	if (side == LEFT)
		return semi == (entry_of(self, LEFT, number)->matches > 0)
			       ? put_change(self, batch, row, numbers, 1, comes, err)
			       : FERRIS_OK;
	for (uint32_t i = 0; i < self->found_count; i++) {
		BagEntry *left = entry_of(self, LEFT, self->found[i]);
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
	BagEntry *entry = entry_of(self, !side, other);
	uint32_t pair[2], alone[2];
	bool wanted = self->sides[!side].wants_unmatched;

	pair[side] = number;
	pair[!side] = other;
	alone[side] = NO_PLACE;
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
	BagEntry *entry = entry_of(self, side, number);
	uint32_t alone[2];

	if (entry->count == 0) {
		entry->matches = 0;
		for (uint32_t i = 0; i < self->found_count; i++)
			entry->matches += entry_of(self, !side, self->found[i])->count;
	}
	entry->count += comes ? 1 : (uint32_t)-1;
	if (is_left_alone(self))
		return change_left(self, side, batch, row, number, comes, err);
	alone[side] = number;
	alone[!side] = NO_PLACE;
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

/* Whether the row can meet something, or is wanted without. */
static bool
counts(const TableJoinOp *self, int side, const Batch *batch, uint16_t row)
{
	return self->sides[side].wants_unmatched ||
	       (side == LEFT && self->plan->stream_join.shape == SHAPE_ANTI) ||
	       !has_null_key(self, batch, row);
}

static uint32_t
select_rows(TableJoinOp *self, int side, Batch *batch)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		bool kept = counts(self, side, batch, batch->sel[i]);

		self->rows[count] = batch->sel[i];
		count += kept;
		batch->filtered += !kept && !batch->counted;
		self->task->result->aggregated += kept && !batch->counted;
	}
	return count;
}

static Status
take_row(TableJoinOp *self, int side, const Batch *batch, uint16_t row, KeyRows *key, Error *err)
{
	RowBag *values = &self->sides[side].values;
	uint8_t kind = batch->kinds != NULL ? batch->kinds[row] : ROW_INSERT;
	bool comes = kind == ROW_INSERT || kind == ROW_UPDATE_AFTER;
	uint64_t hash;
	uint32_t place = row_bag_find(values, batch->columns, row, &hash);

	if (place == NO_PLACE) {
		if (!comes)
			return FERRIS_OK;
		self->live += has_no_values(self, (const char *)key);
		place = row_bag_add(values, batch->columns, row, hash, &key->first[side]);
	}
	self->found_count = 0;
	if (!has_null_key(self, batch, row))
		find_matches(self, side, place, key);
	TRY(change_row(self, side, batch, row, place, comes, err));
	if (entry_of(self, side, place)->count > 0)
		return FERRIS_OK;
	row_bag_remove(values, place, &key->first[side]);
	self->live -= has_no_values(self, (const char *)key);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- memory */

/* `out` must be empty: it has views of the values. */
static Status
write_out(TableJoinOp *self, Error *err)
{
	TRY(keyed_write_out(&self->family, &self->keys, err));
	row_bag_clear(&self->sides[LEFT].values);
	row_bag_clear(&self->sides[RIGHT].values);
	return FERRIS_OK;
}

static Status
keep_within(TableJoinOp *self, const Batch *batch, Error *err)
{
	size_t bytes = row_bag_bytes(&self->sides[LEFT].values) +
		       row_bag_bytes(&self->sides[RIGHT].values);

	if (!keyed_is_full(&self->family, bytes))
		return keyed_check(&self->family, bytes, err);
	TRY(push_out(self, batch, err));
	return write_out(self, err);
}

/* ---------------------------------------------------------------- a batch */

static Status
take_rows(TableJoinOp *self, int side, const Batch *batch, uint32_t total, Error *err)
{
	for (uint32_t done = 0, found; done < total; done += found) {
		uint32_t count = total - done;

		if (keyed_is_spilled(&self->keys) && count > SLICE)
			count = SLICE;
		TRY(keyed_find(&self->family, &self->keys, self->key_columns, self->rows + done,
			       count, self->payloads, &found, err));
		for (uint32_t i = 0; i < found; i++)
			TRY(take_row(self, side, batch, self->rows[done + i],
				     (KeyRows *)(void *)self->payloads[i], err));
		if (found < count) {
			TRY(push_out(self, batch, err));
			TRY(write_out(self, err));
		} else if (done + found < total) {
			TRY(keep_within(self, batch, err));
		}
	}
	return FERRIS_OK;
}

static Status
table_join_push(Operator *op, uint32_t input, Batch *batch, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;

	/* Values that came out were views; they are not needed any more. */
	row_bag_tidy(&self->sides[LEFT].values);
	row_bag_tidy(&self->sides[RIGHT].values);
	TRY(keyed_sweep(&self->family, &self->keys, self->live, err));
	task_stop_at_error(self->task, batch);
	batch_reset(self->out);
	for (uint32_t k = 0; k < self->plan->stream_join.key_count; k++)
		self->key_columns[k] = &batch->columns[k];
	uint32_t count = select_rows(self, (int)input, batch);
	TRY(take_rows(self, (int)input, batch, count, err));
	TRY(push_out(self, batch, err));
	return keep_within(self, batch, err);
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

static Status
table_join_save(Operator *op, StateWriter *writer, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;
	char ended[] = {self->sides[LEFT].ended, self->sides[RIGHT].ended};

	TRY(writer->put(writer, STR(""), (Str){ended, sizeof ended}, err));
	return keyed_save(&self->family, &self->keys, writer, STR(KEYS_KEY), err);
}

static Status
table_join_load(Operator *op, Str key, Str value, Error *err)
{
	TableJoinOp *self = (TableJoinOp *)op;

	if (key.len > 0) {
		TRY(keyed_take_in(&self->family, &self->keys, str_skip(key, 1), value, err));
		return keep_within(self, NULL, err);
	}
	if (value.len != 2)
		return store_damaged(err);
	self->sides[LEFT].ended = value.data[LEFT] != 0;
	self->sides[RIGHT].ended = value.data[RIGHT] != 0;
	return FERRIS_OK;
}

static void
table_join_close(Operator *op)
{
	TableJoinOp *self = (TableJoinOp *)op;

	keyed_drop(&self->family, &self->keys);
	keyed_family_free(&self->family);
	row_bag_free(&self->sides[LEFT].values);
	row_bag_free(&self->sides[RIGHT].values);
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
	.saves_changes = true,
	.load = table_join_load,
	.close = table_join_close,
	.makes_rows = makes_rows_always,
};
