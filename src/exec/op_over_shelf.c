/* exec/op_over_shelf.c -- OVER: what does not fit into memory.
 *
 * When memory is full everything goes to the backend: the partitions (state/keyed.h), the rows that
 * wait for event time in the order in which they will be taken, the rows in partitions whose frame
 * event time has not passed as a queue, and rows to be sorted as runs, partition by partition.
 *
 * When event time moves on, rows that wait are fetched a batch at a time and merged with those that
 * came since; of equal times those on the shelf came first.  They stay on the shelf until they are
 * taken, so that memory can be given up at any time: what was fetched is fetched again.  Only whole
 * times are fetched, because memory may have rows of the same time; if one time has more rows than
 * a batch, memory's rows go to the shelf too, which has all of them in order.
 *
 * Of the runs one partition after the other is fed to the calls.  If no call needs the end of the
 * partition its rows come out at once, however many they are; else it must fit into memory. */
#include <assert.h>

#include "base/memory.h"
#include "exec/op_over.h"
#include "state/changes.h"

#define TIME_BYTES  (2 * sizeof(uint64_t)) /* the least key of a row that waits */
#define TEXTS_BYTES ((size_t)16 << 10)
#define WAITING     '\3' /* before the keys of records */
#define PASSING     '\4'
#define RUNS        '\5'

/* ---------------------------------------------------------------- buffers */

static Vector *
make_vectors(Arena *arena, const Type *const *types, const VectorForm *forms, uint32_t count,
	     uint32_t capacity, Vector ***outs)
{
	Vector *vectors = ARENA_ARRAY(arena, Vector, count + 1);

	*outs = ARENA_ARRAY(arena, Vector *, count + 1);
	for (uint32_t i = 0; i < count; i++) {
		vector_init(&vectors[i], types[i], forms != NULL ? forms[i] : FORM_VALUE, capacity);
		(*outs)[i] = &vectors[i];
	}
	return vectors;
}

void
over_shelf_init(OverOp *self)
{
	OverShelf *shelf = &self->shelf;
	const RowStore *store = &self->store;
	const KeyedSpec *spec = &self->family.spec;
	Arena *arena = self->task->arena;

	shelf->least = INT64_MAX;
	buffer_init(&shelf->fetched, SIZE_MAX);
	buffer_init(&shelf->key, SIZE_MAX);
	buffer_init(&shelf->value, SIZE_MAX);
	buffer_init(&shelf->pending, SIZE_MAX);
	arena_init(&shelf->texts, TEXTS_BYTES);
	timers_init(&shelf->timers, self->task->store);
	shelf->sel = ARENA_ARRAY(arena, uint16_t, BATCH_CAPACITY);
	for (uint32_t i = 0; i < BATCH_CAPACITY; i++)
		shelf->sel[i] = (uint16_t)i;
	shelf->keys = make_vectors(arena, spec->key_types, NULL, spec->key_count, BATCH_CAPACITY,
				   &shelf->key_outs);
	shelf->rows = make_vectors(arena, store->types, store->forms, store->column_count,
				   BATCH_CAPACITY, &shelf->row_outs);
	shelf->row = make_vectors(arena, store->types, store->forms, store->column_count, 1,
				  &shelf->row_out);
	shelf->row_columns = ARENA_ARRAY(arena, const Vector *, store->column_count + 1);
}

void
over_shelf_free(OverOp *self)
{
	OverShelf *shelf = &self->shelf;

	if (shelf->sel == NULL)
		return;
	for (uint32_t k = 0; k < self->family.spec.key_count; k++)
		vector_free(&shelf->keys[k]);
	for (uint32_t c = 0; c < self->store.column_count; c++) {
		vector_free(&shelf->rows[c]);
		vector_free(&shelf->row[c]);
	}
	timers_free(&shelf->timers);
	buffer_free(&shelf->fetched);
	buffer_free(&shelf->key);
	buffer_free(&shelf->value);
	buffer_free(&shelf->pending);
	arena_free(&shelf->texts);
}

/* ---------------------------------------------------------------- keys */

void
over_write_keys(OverOp *self, const Partition *partition, Buffer *out)
{
	over_reset_keys(self);
	group_table_key(self->partitions.groups, partition->head.group, self->shelf.key_outs, 0);
	record_write_row(out, (const Vector *const *)self->shelf.key_outs,
			 self->family.spec.key_count, 0);
}

void
over_reset_keys(OverOp *self)
{
	for (uint32_t k = 0; k < self->family.spec.key_count; k++)
		vector_reset(&self->shelf.keys[k]);
}

bool
over_read_keys(OverOp *self, RecordReader *reader, uint32_t row)
{
	const char *end = reader->damaged
				  ? NULL
				  : record_read_row(reader->next, reader->end, self->shelf.key_outs,
						    self->family.spec.key_count, row);

	if (end != NULL)
		reader->next = end;
	return end != NULL;
}

/* The row's place by ORDER BY from expression `from` on, then its number. */
static void
write_order(OverOp *self, RowRef ref, uint32_t from)
{
	const OverCalls *calls = &self->calls;
	const RowBlock *block = row_block(&self->store, ref);
	Buffer *key = &self->shelf.key;

	for (uint32_t i = from; self->compares && i < calls->order_count; i++) {
		const OverKey *order = &calls->order_keys[i];

		record_write_sort_key(key, &block->columns[calls->order[i]], ref & ROW_MASK,
				      (SortOrder){order->descending, order->nulls_first});
	}
	if (calls->number_slot != NO_SLOT)
		record_write_sort_key(key, &block->columns[calls->number_slot], ref & ROW_MASK,
				      (SortOrder){0});
	record_key_u64(key, self->shelf.number++);
}

/* ---------------------------------------------------------------- changes */

#define SPACE_BYTES 4 /* at the beginning of a key in the backend */

/* What becomes of the record in shelf->key and, but for one that is gone, shelf->value waits for
 * the next save, if somebody asks for changes. */
static void
note_change(OverOp *self, char prefix, bool gone)
{
	OverShelf *shelf = &self->shelf;
	Str key = {shelf->key.data, (uint32_t)shelf->key.len};
	Str value = {0};

	if (!self->task->store->options.tracks)
		return;
	if (!gone)
		value = (Str){shelf->value.data, (uint32_t)shelf->value.len};
	changes_add(&shelf->pending, (Str){&prefix, 1}, str_skip(key, SPACE_BYTES), value);
}

static Status
put_on_shelf(OverOp *self, const StoreSpace *space, char prefix, Error *err)
{
	note_change(self, prefix, false);
	return store_put(space, &self->shelf.key, &self->shelf.value, err);
}

static Status
take_off_shelf(OverOp *self, const StoreSpace *space, char prefix, Error *err)
{
	note_change(self, prefix, true);
	return store_remove(space, &self->shelf.key, err);
}

/* ---------------------------------------------------------------- to the shelf */

static Status
put_waiting(OverOp *self, const Waiting *row, Error *err)
{
	OverShelf *shelf = &self->shelf;

	TRY(store_open(self->task->store, STORE_LOOKUPS, &shelf->waiting, err));
	store_key(&shelf->waiting, &shelf->key);
	record_key_i64(&shelf->key, row->time);
	write_order(self, row->ref, 1);
	buffer_reset(&shelf->value);
	over_write_keys(self, row->partition, &shelf->value);
	over_write_row(self, row->ref, &shelf->value);
	shelf->left++;
	if (row->time < shelf->least)
		shelf->least = row->time;
	return put_on_shelf(self, &shelf->waiting, WAITING, err);
}

static void
passing_key(OverShelf *shelf, uint64_t number)
{
	store_key(&shelf->passing, &shelf->key);
	record_key_u64(&shelf->key, number);
}

static Status
put_passing(OverOp *self, const Waiting *row, Error *err)
{
	OverShelf *shelf = &self->shelf;

	TRY(store_open(self->task->store, STORE_LOOKUPS, &shelf->passing, err));
	if (shelf->head == shelf->tail)
		shelf->head_time = row->time;
	passing_key(shelf, shelf->tail++);
	buffer_reset(&shelf->value);
	record_u64(&shelf->value, (uint64_t)row->time);
	over_write_keys(self, row->partition, &shelf->value);
	return put_on_shelf(self, &shelf->passing, PASSING, err);
}

/* Rows that were fetched are on the shelf already. */
static Status
shelve_waiting(OverOp *self, Error *err)
{
	OverShelf *shelf = &self->shelf;

	for (size_t i = self->out_count; i < self->taken_count; i++)
		TRY(put_passing(self, &self->waiting[i], err));
	for (size_t i = self->taken_count; i < self->waiting_count; i++) {
		const Waiting *row = &self->waiting[i];

		if (!row->fetched)
			TRY(put_waiting(self, row, err));
		else if (row->time < shelf->least)
			shelf->least = row->time;
		row_store_release(&self->store, row->ref);
	}
	shelf->left += shelf->count;
	shelf->count = 0;
	shelf->cut = false;
	memory_free(self->waiting);
	self->waiting = NULL;
	self->waiting_count = self->waiting_capacity = 0;
	self->out_count = self->taken_count = 0;
	return FERRIS_OK;
}

static Status
shelve_partition(OverOp *self, Partition *partition, Error *err)
{
	OverShelf *shelf = &self->shelf;

	for (uint64_t r = partition->first; r < partition->total; r++) {
		RowRef ref = partition_row(partition, r)->ref;

		store_key(&shelf->runs, &shelf->key);
		record_key_u64(&shelf->key, partition->head.birth);
		write_order(self, ref, 0);
		buffer_reset(&shelf->value);
		over_write_row(self, ref, &shelf->value);
		TRY(put_on_shelf(self, &shelf->runs, RUNS, err));
	}
	over_touch(self, partition);
	partition_reset(&self->calls, partition);
	return FERRIS_OK;
}

/* Rows to be sorted: of their partitions the birth is left. */
static Status
shelve_runs(OverOp *self, Error *err)
{
	const GroupTable *groups = self->partitions.groups;
	uint32_t count = groups != NULL ? group_table_count(groups) : 0;

	if (count > 0)
		TRY(store_open(self->task->store, STORE_SCANS, &self->shelf.runs, err));
	for (uint32_t g = 0; g < count; g++)
		TRY(shelve_partition(self, (Partition *)(void *)group_table_payload(groups, g),
				     err));
	return FERRIS_OK;
}

static Status
size_error(const OverOp *self, const char *what, Error *err)
{
	error_set_at(err, FERRIS_ERR_LIMIT, self->plan->position,
		     "%s that OVER keeps take too much of %zu bytes", what,
		     self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or let the frames reach less far");
}

Status
over_spill(OverOp *self, Error *err)
{
	RowStore old = self->store;
	OverMode mode = self->plan->over.mode;

	if (self->out->row_count > 0)
		TRY(over_flush(self, err));
	self->shelf.oversized = false;
	TRY(shelve_waiting(self, err));
	if (mode == OVER_SORTED || mode == OVER_BATCHES)
		TRY(shelve_runs(self, err));
	TRY(keyed_spill(&self->family, &self->partitions, err));
	over_forget_results(self);
	assert(self->store.holds == 0);
	row_store_free(&self->store);
	row_store_init(&self->store, old.types, old.forms, old.column_count);
	self->shelf.dirty = false;
	TRY(store_commit(self->task->store, err));
	return self->shelf.oversized ? size_error(self, "the rows of one partition", err)
				     : FERRIS_OK;
}

Status
over_spill_if_full(OverOp *self, Error *err)
{
	return keyed_is_full(&self->family, over_bytes(self)) ? over_spill(self, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- rows whose frame has passed */

/* A record of the queue; its keys to `row`, if any. */
static Status
read_passing(OverOp *self, uint64_t number, int64_t *time, int64_t row, Error *err)
{
	OverShelf *shelf = &self->shelf;
	bool found;

	if (shelf->passing.backend == NULL)
		return store_damaged(err);
	passing_key(shelf, number);
	TRY(store_get(&shelf->passing, &shelf->key, &shelf->value, &found, err));
	if (!found)
		return store_damaged(err);
	char *copy = arena_copy(&shelf->texts, shelf->value.data, shelf->value.len);
	RecordReader reader = record_reader((Str){copy, (uint32_t)shelf->value.len});
	*time = (int64_t)record_take_u64(&reader);
	if (row >= 0 && !over_read_keys(self, &reader, (uint32_t)row))
		return store_damaged(err);
	return reader.damaged ? store_damaged(err) : FERRIS_OK;
}

/* The keys of the next rows that come out before a row of that time is taken. */
static Status
read_passed(OverOp *self, int64_t time, uint32_t *count, Error *err)
{
	OverShelf *shelf = &self->shelf;

	arena_reset(&shelf->texts);
	over_reset_keys(self);
	for (*count = 0; *count < OVER_SLICE && over_shelf_passes(self, time); ++*count) {
		TRY(read_passing(self, shelf->head++, &shelf->head_time, *count, err));
		if (shelf->head < shelf->tail)
			TRY(read_passing(self, shelf->head, &shelf->head_time, -1, err));
	}
	shelf->head -= *count;
	return FERRIS_OK;
}

static Status
pass_shelf(OverOp *self, int64_t time, Error *err)
{
	OverShelf *shelf = &self->shelf;
	uint32_t count, found;

	if (shelf->dirty && over_shelf_passes(self, time)) {
		shelf->dirty = false;
		TRY(store_commit(self->task->store, err));
	}
	while (over_shelf_passes(self, time)) {
		TRY(read_passed(self, time, &count, err));
		TRY(keyed_find(&self->family, &self->partitions,
			       (const Vector *const *)shelf->key_outs, shelf->sel, count,
			       self->payloads, &found, err));
		for (uint32_t i = 0; i < found; i++) {
			Partition *partition = (Partition *)(void *)self->payloads[i];

			partition->passed++;
			TRY(over_emit_ready(self, partition, err));
			passing_key(shelf, shelf->head++);
			TRY(take_off_shelf(self, &shelf->passing, PASSING, err));
		}
		if (shelf->head < shelf->tail)
			TRY(read_passing(self, shelf->head, &shelf->head_time, -1, err));
		TRY(found < count ? over_spill(self, err) : over_spill_if_full(self, err));
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- fetching rows that wait */

static bool
is_due(int64_t time, int64_t until, bool end_of_input)
{
	return end_of_input || time < until;
}

static bool
left_is_due(const OverOp *self, int64_t until, bool end_of_input)
{
	return self->shelf.left > 0 && is_due(self->shelf.least, until, end_of_input);
}

/* What a scan for rows that are due has found. */
typedef struct Fetch {
	uint32_t count;
	size_t bytes; /* of the rows */
	bool more;    /* a row is left behind them, */
	int64_t next;
} Fetch;

/* Row fetch->count: its keys and values to the shelf's vectors, its time to self->arrived. */
static Status
read_row(OverOp *self, Fetch *fetch, Str key, Str value, Error *err)
{
	OverShelf *shelf = &self->shelf;
	char *copy = arena_copy(&shelf->texts, value.data, value.len);
	RecordReader reader = record_reader((Str){copy, value.len});

	if (!over_read_keys(self, &reader, fetch->count) ||
	    record_read_row(reader.next, reader.end, shelf->row_outs, self->store.column_count,
			    fetch->count) != reader.end)
		return store_damaged(err);
	self->arrived[fetch->count++] = (Waiting){.time = fetch->next, .fetched = true};
	fetch->bytes += value.len;
	record_u32(&shelf->fetched, key.len);
	buffer_append(&shelf->fetched, key.data, key.len);
	return FERRIS_OK;
}

static Status
scan_rows(OverOp *self, int64_t until, bool end_of_input, StoreScan *scan, Fetch *fetch, Error *err)
{
	Str key, value;

	while (store_next(scan, &key, &value)) {
		RecordReader reader = record_reader(key);

		if (key.len < TIME_BYTES)
			return store_damaged(err);
		fetch->next = record_take_key_i64(&reader);
		fetch->more = fetch->count == BATCH_CAPACITY ||
			      (fetch->count > 0 && over_is_half_full(self, fetch->bytes)) ||
			      !is_due(fetch->next, until, end_of_input);
		if (fetch->more)
			return FERRIS_OK;
		TRY(read_row(self, fetch, key, value, err));
	}
	return FERRIS_OK;
}

static Status
read_rows(OverOp *self, int64_t until, bool end_of_input, Fetch *fetch, Error *err)
{
	OverShelf *shelf = &self->shelf;
	StoreScan scan;

	arena_reset(&shelf->texts);
	buffer_reset(&shelf->fetched);
	shelf->next = 0;
	over_reset_keys(self);
	for (uint32_t c = 0; c < self->store.column_count; c++)
		vector_reset(&shelf->rows[c]);
	store_key(&shelf->waiting, &shelf->key);
	TRY(store_scan(&shelf->waiting, &shelf->key, &scan, err));
	Status status = scan_rows(self, until, end_of_input, &scan, fetch, err);
	TRY(store_scan_close(&scan, status, err));
	return fetch->count > 0 ? FERRIS_OK : store_damaged(err);
}

/* The last time is left if it may have more rows, unless it is the only one. */
static void
cut_back(const OverOp *self, Fetch *fetch)
{
	const Waiting *rows = self->arrived;

	if (fetch->count == 0 || !fetch->more || rows[0].time == fetch->next)
		return;
	while (rows[fetch->count - 1].time == fetch->next)
		fetch->count--;
}

/* The partitions of as many of the rows as there is room for. */
static Status
find_partitions(OverOp *self, Fetch *fetch, Error *err)
{
	OverShelf *shelf = &self->shelf;
	uint32_t done = 0;

	while (done < fetch->count && (done == 0 || !over_is_half_full(self, fetch->bytes))) {
		uint32_t left = fetch->count - done;
		uint32_t wanted = left < OVER_SLICE ? left : OVER_SLICE;
		uint32_t found;

		TRY(keyed_find(&self->family, &self->partitions,
			       (const Vector *const *)shelf->key_outs, shelf->sel + done, wanted,
			       self->payloads + done, &found, err));
		done += found;
		if (found < wanted)
			break;
	}
	if (done < fetch->count)
		*fetch = (Fetch){done, 0, true, self->arrived[done].time};
	return FERRIS_OK;
}

/* The next rows that are due, in between those in memory.  None are fetched if there is no room. */
static Status
fetch_rows(OverOp *self, int64_t until, bool end_of_input, Error *err)
{
	OverShelf *shelf = &self->shelf;
	Fetch fetch = {0};

	TRY(store_commit(self->task->store, err));
	TRY(read_rows(self, until, end_of_input, &fetch, err));
	TRY(find_partitions(self, &fetch, err));
	cut_back(self, &fetch);
	for (uint32_t c = 0; c < self->store.column_count; c++)
		shelf->row_columns[c] = &shelf->rows[c];
	row_store_append(&self->store, shelf->row_columns, shelf->sel, fetch.count, self->refs);
	for (uint32_t i = 0; i < fetch.count; i++) {
		self->arrived[i].partition = (Partition *)(void *)self->payloads[i];
		self->arrived[i].ref = self->refs[i];
	}
	shelf->left -= fetch.count;
	shelf->least = fetch.more ? fetch.next : INT64_MAX;
	shelf->count = fetch.count;
	shelf->cut = fetch.count > 0 && fetch.more && self->arrived[0].time == fetch.next;
	over_merge_arrived(self, fetch.count, true);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- taking rows */

/* Of the rows taken from `first` on, those that were fetched leave the shelf. */
static Status
remove_taken(OverOp *self, size_t first, Error *err)
{
	OverShelf *shelf = &self->shelf;
	uint32_t len;

	for (size_t i = first; i < self->taken_count; i++) {
		if (!self->waiting[i].fetched)
			continue;
		memcpy(&len, shelf->fetched.data + shelf->next, sizeof len);
		store_key(&shelf->waiting, &shelf->key);
		buffer_append(&shelf->key, shelf->fetched.data + shelf->next + sizeof len, len);
		shelf->next += sizeof len + len;
		shelf->count--;
		TRY(take_off_shelf(self, &shelf->waiting, WAITING, err));
	}
	return FERRIS_OK;
}

static Status
take_rows(OverOp *self, int64_t time, bool inclusive, Error *err)
{
	size_t first = self->taken_count;

	TRY(over_take_rows(self, time, inclusive, err));
	return remove_taken(self, first, err);
}

/* What was fetched are the first rows of a time.  Memory's rows of it come behind what is left. */
static Status
take_cut(OverOp *self, Error *err)
{
	size_t behind = self->taken_count + self->shelf.count;
	int64_t time = self->shelf.least;

	if (self->waiting[self->taken_count].time < time)
		return FERRIS_OK; /* rows of the queue come first */
	if (behind < self->waiting_count && self->waiting[behind].time == time)
		return over_spill(self, err);
	return take_rows(self, time, true, err);
}

static Status
take_some(OverOp *self, int64_t until, bool end_of_input, Error *err)
{
	OverShelf *shelf = &self->shelf;

	if (shelf->count == 0 && left_is_due(self, until, end_of_input)) {
		if (over_is_half_full(self, 0))
			TRY(over_spill(self, err));
		TRY(fetch_rows(self, until, end_of_input, err));
		if (shelf->count == 0)
			return over_spill(self, err);
	}
	if (!left_is_due(self, until, end_of_input))
		return take_rows(self, until, end_of_input, err);
	TRY(take_rows(self, shelf->least, false, err));
	return shelf->cut ? take_cut(self, err) : FERRIS_OK;
}

/* The time of the next row in memory or on the shelf. */
static bool
next_time(const OverOp *self, int64_t *time)
{
	bool waits = self->taken_count < self->waiting_count;

	*time = waits ? self->waiting[self->taken_count].time : INT64_MAX;
	if (self->shelf.left > 0 && self->shelf.least < *time)
		*time = self->shelf.least;
	return waits || self->shelf.left > 0;
}

Status
over_shelf_take(OverOp *self, int64_t until, bool end_of_input, Error *err)
{
	int64_t next;

	while (next_time(self, &next) && is_due(next, until, end_of_input)) {
		TRY(pass_shelf(self, next, err));
		TRY(take_some(self, until, end_of_input, err));
		TRY(over_spill_if_full(self, err));
	}
	TRY(pass_shelf(self, until, err));
	return self->waits_time ? over_pass_time(self, until, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- sorted rows */

/* What has come out is given up, and what is left of the rows moves together. */
static Status
make_room(OverOp *self, size_t *held, Error *err)
{
	TRY(over_flush(self, err));
	over_move_rows(self);
	*held = over_bytes(self);
	return *held > self->task->state_limit ? size_error(self, "the rows of one partition", err)
					       : FERRIS_OK;
}

static Status
feed_row(OverOp *self, Str key, Str value, uint64_t *birth, Error *err)
{
	RecordReader place = record_reader(key);
	RecordReader reader = record_reader(value);
	uint64_t of = record_take_key_u64(&place);
	RowRef ref;

	if (of != *birth)
		TRY(over_end_partition(self, self->fed, err));
	*birth = of;
	if (place.damaged || !over_read_row(self, &reader, &ref))
		return store_damaged(err);
	partition_add(&self->calls, self->fed, ref, true);
	if (reader.next != reader.end)
		return store_damaged(err);
	return self->flows ? over_emit_ready(self, self->fed, err) : FERRIS_OK;
}

/* All rows of the runs, in their order. */
static Status
feed_rows(OverOp *self, StoreScan *scan, Error *err)
{
	size_t room = store_memory(self->task->store) / 2;
	uint64_t birth = 0;
	size_t held = 0;
	Str key, value;

	while (store_next(scan, &key, &value)) {
		store_key(&self->shelf.runs, &self->shelf.key);
		buffer_append(&self->shelf.key, key.data, key.len);
		note_change(self, RUNS, true);
		TRY(feed_row(self, key, value, &birth, err));
		if (over_bytes(self) > held + room)
			TRY(make_room(self, &held, err));
	}
	TRY(over_end_partition(self, self->fed, err));
	return over_flush(self, err);
}

Status
over_shelf_feed(OverOp *self, Error *err)
{
	OverShelf *shelf = &self->shelf;
	StoreScan scan;

	TRY(over_spill(self, err));
	store_key(&shelf->runs, &shelf->key);
	TRY(store_scan(&shelf->runs, &shelf->key, &scan, err));
	Status status = feed_rows(self, &scan, err);
	TRY(store_scan_close(&scan, status, err));
	return store_clear(&shelf->runs, err);
}

/* ---------------------------------------------------------------- checkpoints */

static Status
save_space(OverOp *self, const StoreSpace *space, char prefix, StateWriter *writer, Error *err)
{
	OverShelf *shelf = &self->shelf;
	StoreScan scan;
	Str key, value;

	if (space->backend == NULL)
		return FERRIS_OK;
	store_key(space, &shelf->key);
	TRY(store_scan(space, &shelf->key, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && store_next(&scan, &key, &value)) {
		buffer_reset(&shelf->key);
		buffer_append_char(&shelf->key, prefix);
		buffer_append(&shelf->key, key.data, key.len);
		status = writer->put(writer, (Str){shelf->key.data, (uint32_t)shelf->key.len},
				     value, err);
	}
	return store_scan_close(&scan, status, err);
}

/* A record for each of the shelf's. */
Status
over_shelf_save(OverOp *self, StateWriter *writer, Error *err)
{
	if (writer->changes_only)
		return changes_save(&self->shelf.pending, writer, err);
	TRY(save_space(self, &self->shelf.waiting, WAITING, writer, err));
	TRY(save_space(self, &self->shelf.passing, PASSING, writer, err));
	return save_space(self, &self->shelf.runs, RUNS, writer, err);
}

static Status
load_record(OverOp *self, StoreSpace *space, StoreUse use, Str key, Str value, Error *err)
{
	OverShelf *shelf = &self->shelf;

	TRY(store_open(self->task->store, use, space, err));
	store_key(space, &shelf->key);
	buffer_append(&shelf->key, key.data, key.len);
	buffer_reset(&shelf->value);
	buffer_append(&shelf->value, value.data, value.len);
	shelf->dirty = true;
	return store_put(space, &shelf->key, &shelf->value, err);
}

Status
over_shelf_load(OverOp *self, Str key, Str value, Error *err)
{
	OverShelf *shelf = &self->shelf;
	char prefix = key.data[0];
	Str rest = str_skip(key, 1);
	RecordReader reader = record_reader(rest);
	RecordReader content = record_reader(value);

	if (prefix == RUNS)
		return load_record(self, &shelf->runs, STORE_SCANS, rest, value, err);
	if (prefix == WAITING && rest.len >= TIME_BYTES) {
		int64_t time = record_take_key_i64(&reader);

		shelf->left++;
		if (time < shelf->least)
			shelf->least = time;
		return load_record(self, &shelf->waiting, STORE_LOOKUPS, rest, value, err);
	}
	uint64_t number = record_take_key_u64(&reader);
	int64_t time = (int64_t)record_take_u64(&content);
	if (prefix != PASSING || reader.damaged || content.damaged || number < shelf->head ||
	    number >= shelf->tail)
		return store_damaged(err);
	if (number == shelf->head)
		shelf->head_time = time;
	return load_record(self, &shelf->passing, STORE_LOOKUPS, rest, value, err);
}
