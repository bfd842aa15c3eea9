/* tests/unit/test_kept_rows.c -- queues of events and bags of rows against plain arrays, and their
 * bytes against damage.
 *
 * TEST_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/event_queue.h"
#include "state/row_bag.h"
#include "random_numbers.h"

#define EVENTS 6000
#define VALUES 400

static char dir[64];

/* ---- rows of a number and its text ---- */

static Field fields[2];
static Vector columns[2];
static char text[40];

static void
open_columns(void)
{
	fields[0] = (Field){.name = {"n", 1}, .type = TYPE_OF(BIGINT)};
	fields[1] = (Field){.name = {"s", 1}, .type = TYPE_OF(STRING)};
	for (uint32_t c = 0; c < 2; c++)
		vector_init(&columns[c], fields[c].type, FORM_VALUE, 1);
}

static void
close_columns(void)
{
	for (uint32_t c = 0; c < 2; c++)
		vector_free(&columns[c]);
}

static void
set_row(uint64_t number)
{
	int len = snprintf(text, sizeof text, "the row of number %llu", (unsigned long long)number);

	VECTOR_DATA(&columns[0], int64_t)[0] = (int64_t)number;
	VECTOR_DATA(&columns[1], StringView)[0] = (StringView){text, (uint32_t)len, 0};
}

static void
check_row(const RowTable *rows, uint32_t place, uint64_t number)
{
	set_row(number);
	const StringView *view = &VECTOR_DATA(&rows->columns[1], StringView)[place];

	assert_int_equal(VECTOR_DATA(&rows->columns[0], int64_t)[place], number);
	assert_int_equal(view->len, strlen(text));
	assert_memory_equal(view->data, text, view->len);
}

/* ---- a queue ---- */

typedef struct Fixture {
	StateStore store;
	EventQueue queue;
	RowTable tables[EVENT_TABLES];
	StateBackend *kept; /* what saves of changes add up to */
} Fixture;

static void
fixture_open(Fixture *f, const char *backend)
{
	Str name = {backend, (uint32_t)strlen(backend)};

	*f = (Fixture){0};
	store_init(&f->store, &(StoreOptions){.dir = dir,
					      .backend = backend_named(name),
					      .memory_limit = 1 << 20,
					      .spill = true,
					      .tracks = true});
	event_queue_init(&f->queue, &f->store, STR("x"));
	for (uint32_t t = 0; t < EVENT_TABLES; t++) {
		row_table_init(&f->tables[t], fields, 2);
		f->queue.tables[t] = &f->tables[t];
	}
}

static void
fixture_close(Fixture *f)
{
	Error err = {0};

	event_queue_free(&f->queue, &err);
	for (uint32_t t = 0; t < EVENT_TABLES; t++)
		row_table_free(&f->tables[t]);
	store_free(&f->store);
}

typedef struct Planned {
	int64_t time;
	bool waits;
} Planned;

static void
add_planned(Fixture *f, Planned *planned, uint64_t order, int64_t time)
{
	uint8_t table = (uint8_t)(order % EVENT_TABLES);

	planned[order] = (Planned){time, true};
	set_row(order);
	event_queue_add(&f->queue,
			(Event){.time = time,
				.order = order,
				.place = row_table_put(&f->tables[table], NO_PLACE, columns, 0),
				.table = table,
				.mark = (uint16_t)(order % 7)});
}

/* It is one that waits, as it was planned, and its row goes. */
static void
check_event(Fixture *f, Planned *planned, const Event *event)
{
	assert_true(planned[event->order].waits);
	assert_int_equal(event->time, planned[event->order].time);
	assert_int_equal(event->table, event->order % EVENT_TABLES);
	assert_int_equal(event->mark, event->order % 7);
	check_row(&f->tables[event->table], event->place, event->order);
	row_table_drop(&f->tables[event->table], event->place);
	planned[event->order].waits = false;
}

/* Takes all before `until`, and now and then writes out in between, or adds one again.  False: it
 * has stopped with one that it added again. */
static bool
take_until(Fixture *f, Planned *planned, uint64_t count, int64_t until)
{
	Event last = {.time = INT64_MIN};
	Error err = {0};
	Event event;
	bool got;

	for (;;) {
		assert_int_equal(event_queue_take(&f->queue, until, &event, &got, &err), FERRIS_OK);
		if (!got)
			break;
		assert_true(event.order < count && (event.time < until || until == INT64_MAX));
		assert_true(event.time > last.time ||
			    (event.time == last.time && event.order > last.order));
		bool again = below(50) == 0;
		if (again) {
			event_queue_add(&f->queue, event);
		} else {
			check_event(f, planned, &event);
			last = event;
		}
		if (below(again ? 4 : 500) == 0)
			assert_int_equal(event_queue_spill(&f->queue, &err), FERRIS_OK);
		if (again && below(4) == 0)
			break;
	}
	assert_int_equal(event_queue_rest(&f->queue, &err), FERRIS_OK);
	for (uint64_t i = 0; !got && i < count; i++)
		assert_true(!planned[i].waits || (planned[i].time >= until && until != INT64_MAX));
	return !got;
}

typedef struct Loader {
	StateWriter base;
	Fixture *to;
	uint32_t records;
} Loader;

static Status
load_record(StateWriter *writer, Str key, Str value, Error *err)
{
	Loader *loader = (Loader *)writer;

	loader->records++;
	return event_queue_load(&loader->to->queue, str_skip(key, 1), value, err);
}

typedef struct Changes {
	StateWriter base;
	StateBackend *kept;
	uint32_t records;
} Changes;

static Status
keep_change(StateWriter *writer, Str key, Str value, Error *err)
{
	Changes *changes = (Changes *)writer;
	const BackendClass *class = changes->kept->class;

	changes->records++;
	return value.data != NULL ? class->put(changes->kept, key, value, err)
				  : class->remove(changes->kept, key, err);
}

/* The record is what the changes have of it. */
static Status
check_record(StateWriter *writer, Str key, Str value, Error *err)
{
	Changes *changes = (Changes *)writer;
	bool found;
	Buffer kept;

	buffer_init(&kept, SIZE_MAX);
	assert_int_equal(changes->kept->class->get(changes->kept, key, &kept, &found, err),
			 FERRIS_OK);
	assert_true(found);
	assert_true(str_eq(value, (Str){kept.data, (uint32_t)kept.len}));
	buffer_free(&kept);
	changes->records++;
	return FERRIS_OK;
}

static uint32_t
count_kept(StateBackend *kept)
{
	StateCursor *cursor;
	Str key, value;
	Error err = {0};
	uint32_t count = 0;

	assert_int_equal(kept->class->scan(kept, STR(""), &cursor, &err), FERRIS_OK);
	while (kept->class->cursor_next(cursor, &key, &value))
		count++;
	assert_int_equal(kept->class->cursor_close(cursor, &err), FERRIS_OK);
	return count;
}

/* After one more save of changes they add up to what a whole save puts; asked again, nothing has
 * changed. */
static void
save_changes(Fixture *f)
{
	Changes changes = {.base = {keep_change, true}, .kept = f->kept};
	Changes again = {.base = {keep_change, true}, .kept = f->kept};
	Changes whole = {.base = {check_record, false}, .kept = f->kept};
	Error err = {0};

	assert_int_equal(event_queue_save(&f->queue, &changes.base, &err), FERRIS_OK);
	assert_int_equal(f->kept->class->commit(f->kept, &err), FERRIS_OK);
	assert_int_equal(event_queue_save(&f->queue, &whole.base, &err), FERRIS_OK);
	assert_int_equal(whole.records, f->queue.count + f->queue.spilled);
	assert_int_equal(count_kept(f->kept), whole.records);
	assert_int_equal(event_queue_save(&f->queue, &again.base, &err), FERRIS_OK);
	assert_int_equal(again.records, 0);
}

/* What is saved takes the place of the queue. */
static void
reload(Fixture *f, const char *backend)
{
	Fixture *other = memory_alloc(sizeof *other);
	Loader loader = {.base = {.put = load_record}, .to = other};
	uint64_t count = f->queue.count + f->queue.spilled;
	Error err = {0};

	save_changes(f);
	fixture_open(other, backend);
	other->kept = f->kept;
	assert_int_equal(event_queue_save(&f->queue, &loader.base, &err), FERRIS_OK);
	assert_int_equal(loader.records, count);
	fixture_close(f);
	*f = *other;
	for (uint32_t t = 0; t < EVENT_TABLES; t++)
		f->queue.tables[t] = &f->tables[t];
	f->queue.store = &f->store;
	memory_free(other);
}

static void
check_queue(const char *backend)
{
	Fixture *f = memory_alloc(sizeof *f);
	Planned *planned = memory_zero(sizeof *planned * EVENTS);
	uint64_t count = 0;
	int64_t now = 0;
	Error err = {0};

	fixture_open(f, backend);
	assert_int_equal(backend_memory.open(&(BackendSpec){0}, &f->kept, &err), FERRIS_OK);
	while (count < EVENTS) {
		for (uint32_t i = below(300); i > 0 && count < EVENTS; i--)
			add_planned(f, planned, count++, now + below(1000));
		if (below(3) == 0)
			assert_int_equal(event_queue_spill(&f->queue, &err), FERRIS_OK);
		if (below(4) == 0)
			save_changes(f);
		if (below(6) == 0)
			reload(f, backend);
		now += below(100);
		while (!take_until(f, planned, count, now))
			save_changes(f);
	}
	while (!take_until(f, planned, count, INT64_MAX))
		save_changes(f);
	save_changes(f);
	assert_int_equal(count_kept(f->kept), 0);
	f->kept->class->close(f->kept);
	assert_int_equal(f->tables[0].rows + f->tables[1].rows, 0);
	memory_free(planned);
	fixture_close(f);
	memory_free(f);
}

static void
test_events_come_in_order(void **state)
{
	(void)state;
	check_queue("memory");
	check_queue("rocksdb");
}

/* ---- a bag ---- */

static uint32_t
chain_of(uint32_t value)
{
	return value % 10;
}

/* Every chain has its values, the newest first. */
static void
check_chains(const RowBag *bag, const uint32_t *first, const uint32_t *counts, const uint64_t *ages)
{
	uint32_t seen = 0;
	uint32_t live = 0;

	for (uint32_t chain = 0; chain < 10; chain++) {
		uint64_t age = UINT64_MAX;

		for (uint32_t at = first[chain]; at != 0; seen++) {
			uint32_t value =
				(uint32_t)VECTOR_DATA(&bag->rows.columns[0], int64_t)[at - 1];

			assert_int_equal(chain_of(value), chain);
			check_row(&bag->rows, at - 1, value);
			assert_int_equal(row_bag_entry(bag, at - 1)->count, counts[value]);
			assert_true(ages[value] < age);
			age = ages[value];
			at = row_bag_entry(bag, at - 1)->after;
		}
	}
	for (uint32_t value = 0; value < VALUES; value++)
		live += counts[value] > 0;
	assert_int_equal(seen, live);
}

/* All chains as bytes, and back. */
static void
rewrite_chains(RowBag *bag, uint32_t *first)
{
	Buffer bytes;

	buffer_init(&bytes, SIZE_MAX);
	for (uint32_t chain = 0; chain < 10; chain++)
		row_bag_write_chain(bag, first[chain], &bytes);
	row_bag_clear(bag);
	RecordReader reader = record_reader((Str){bytes.data, (uint32_t)bytes.len});
	for (uint32_t chain = 0; chain < 10; chain++)
		assert_true(row_bag_read_chain(bag, &reader, &first[chain]));
	assert_true(reader.next == reader.end);
	buffer_free(&bytes);
}

static void
test_bags_count_rows(void **state)
{
	static uint32_t counts[VALUES];
	static uint64_t ages[VALUES];
	uint32_t first[10] = {0};
	RowBag bag;

	(void)state;
	row_bag_init(&bag, fields, 2);
	for (uint64_t step = 1; step < 40000; step++) {
		uint32_t value = below(VALUES);
		bool comes = below(1 + (uint32_t)(step / 8000) % 2 * 3) == 0;
		uint64_t hash;

		set_row(value);
		uint32_t place = row_bag_find(&bag, columns, 0, &hash);
		assert_int_equal(place != NO_PLACE, counts[value] > 0);
		if (comes && place == NO_PLACE) {
			place = row_bag_add(&bag, columns, 0, hash, &first[chain_of(value)]);
			ages[value] = step;
		}
		if (comes)
			counts[value] = ++row_bag_entry(&bag, place)->count;
		else if (place != NO_PLACE &&
			 (counts[value] = --row_bag_entry(&bag, place)->count) == 0)
			row_bag_remove(&bag, place, &first[chain_of(value)]);
		if (step % 1000 == 0) {
			row_bag_tidy(&bag);
			check_chains(&bag, first, counts, ages);
		}
		if (step % 3000 == 0)
			rewrite_chains(&bag, first);
	}
	for (uint32_t chain = 0; chain < 10; chain++)
		row_bag_remove_chain(&bag, first[chain]);
	assert_int_equal(bag.rows.rows, 0);
	row_bag_free(&bag);
}

/* ---- damage ---- */

static bool
reads_chain(Str bytes)
{
	RecordReader reader = record_reader(bytes);
	uint32_t first;
	RowBag bag;

	row_bag_init(&bag, fields, 2);
	bool whole = row_bag_read_chain(&bag, &reader, &first) && reader.next == reader.end;
	row_bag_free(&bag);
	return whole;
}

static bool
reads_event(Str key, Str value)
{
	Fixture *f = memory_alloc(sizeof *f);
	Error err = {0};

	fixture_open(f, "memory");
	Status status = event_queue_load(&f->queue, key, value, &err);
	fixture_close(f);
	memory_free(f);
	return status == FERRIS_OK;
}

/* Bytes that end too early are refused; others may mean something else, and do no harm. */
static void
damage(Str key, Str value, bool (*reads)(Str key, Str value))
{
	char *copy = memory_alloc(value.len + 1);

	assert_true(reads(key, value));
	for (uint32_t len = 0; len < value.len; len++) {
		char *cut = memory_alloc(len + 1);

		memcpy(cut, value.data, len);
		assert_false(reads(key, (Str){cut, len}));
		memory_free(cut);
	}
	for (uint32_t i = 0; i < 2000; i++) {
		memcpy(copy, value.data, value.len);
		copy[below(value.len)] ^= (char)(1 << below(8));
		(void)reads(key, (Str){copy, value.len});
	}
	memory_free(copy);
}

static bool
reads_chain_only(Str key, Str value)
{
	(void)key;
	return reads_chain(value);
}

typedef struct Keeper {
	StateWriter base;
	Buffer key;
	Buffer value;
} Keeper;

static Status
keep_record(StateWriter *writer, Str key, Str value, Error *err)
{
	Keeper *keeper = (Keeper *)writer;

	(void)err;
	buffer_append_str(&keeper->key, key);
	buffer_append_str(&keeper->value, value);
	return FERRIS_OK;
}

static void
test_damaged_bytes_are_refused(void **state)
{
	Fixture *f = memory_alloc(sizeof *f);
	Planned planned[1];
	Keeper keeper = {.base = {.put = keep_record}};
	Error err = {0};
	uint32_t first = 0;
	uint64_t hash;
	RowBag bag;

	(void)state;
	buffer_init(&keeper.key, SIZE_MAX);
	buffer_init(&keeper.value, SIZE_MAX);
	fixture_open(f, "memory");
	add_planned(f, planned, 0, 17);
	assert_int_equal(event_queue_save(&f->queue, &keeper.base, &err), FERRIS_OK);
	Str key = str_skip((Str){keeper.key.data, (uint32_t)keeper.key.len}, 1);
	damage(key, (Str){keeper.value.data, (uint32_t)keeper.value.len}, reads_event);
	for (uint32_t len = 0; len < key.len; len++)
		assert_false(reads_event((Str){key.data, len},
					 (Str){keeper.value.data, (uint32_t)keeper.value.len}));
	fixture_close(f);
	memory_free(f);

	row_bag_init(&bag, fields, 2);
	for (uint32_t value = 0; value < 3; value++) {
		set_row(value);
		assert_int_equal(row_bag_find(&bag, columns, 0, &hash), NO_PLACE);
		row_bag_entry(&bag, row_bag_add(&bag, columns, 0, hash, &first))->count = 1;
	}
	buffer_reset(&keeper.value);
	row_bag_write_chain(&bag, first, &keeper.value);
	damage(key, (Str){keeper.value.data, (uint32_t)keeper.value.len}, reads_chain_only);
	row_bag_free(&bag);
	buffer_free(&keeper.key);
	buffer_free(&keeper.value);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events_come_in_order),
		cmocka_unit_test(test_bags_count_rows),
		cmocka_unit_test(test_damaged_bytes_are_refused),
	};
	int failed;

	seed_random();
	snprintf(dir, sizeof dir, "/tmp/ferris-rows-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	open_columns();
	failed = cmocka_run_group_tests_name("kept rows", tests, NULL, NULL);
	close_columns();
	rmdir(dir);
	return failed;
}
