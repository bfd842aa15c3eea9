/* tests/unit/test_keyed.c -- groups of which the latest is kept, and timers, against plain arrays.
 *
 * A group counts; its payload owns memory, so that a leak or a double release is seen by ASan.
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
#include "state/keyed.h"
#include "state/record.h"
#include "state/timers.h"
#include "random_numbers.h"

#define KEYS  6000
#define STEPS 400

static char dir[64];

/* ---- the payload ---- */

typedef struct Counter {
	KeyedHead head;
	uint64_t *count; /* NULL: empty */
	uint64_t unused;
} Counter;

typedef struct Owner {
	Timers timers;
	bool times;  /* groups that are written out get a timer at the time `count` */
	size_t more; /* bytes that each payload has besides */
} Owner;

static void
counter_save(void *owner, const char *payload, Buffer *out)
{
	record_u64(out, *((const Counter *)(const void *)payload)->count);
	if (((Owner *)owner)->more > 0)
		memset(buffer_reserve(out, ((Owner *)owner)->more), 0, ((Owner *)owner)->more);
	out->len += ((Owner *)owner)->more;
}

static bool
counter_load(void *owner, char *payload, Str bytes)
{
	RecordReader reader = record_reader(bytes);
	Counter *counter = (Counter *)(void *)payload;

	(void)owner;
	counter->count = memory_alloc(sizeof *counter->count);
	*counter->count = record_take_u64(&reader);
	return !reader.damaged && reader.next == reader.end;
}

static void
counter_release(void *owner, char *payload)
{
	(void)owner;
	memory_free(((Counter *)(void *)payload)->count);
}

static bool
counter_is_empty(void *owner, const char *payload)
{
	(void)owner;
	return ((const Counter *)(const void *)payload)->count == NULL;
}

static void
counter_moved(void *owner, char *from, char *to)
{
	(void)owner;
	assert_ptr_equal(((Counter *)(void *)from)->count, ((Counter *)(void *)to)->count);
}

static Status
counter_wrote(void *context, const char *payload, Str keys, Error *err)
{
	Owner *owner = context;
	const Counter *counter = (const Counter *)(const void *)payload;

	if (!owner->times)
		return FERRIS_OK;
	return timers_put(&owner->timers, (int64_t)*counter->count, counter->head.birth, keys, err);
}

static const PayloadClass counter_class = {
	.save = counter_save,
	.load = counter_load,
	.release = counter_release,
	.is_empty = counter_is_empty,
	.moved = counter_moved,
	.wrote = counter_wrote,
};

/* ---- the state and its model ---- */

typedef struct Fixture {
	StateStore store;
	Owner owner;
	KeyedFamily family;
	KeyedState groups;
	const Type *types[2];
	Vector keys[2]; /* a number and its text */
	const Vector *columns[2];
	uint64_t counts[KEYS];
	uint64_t births[KEYS];
	uint64_t born;
} Fixture;

static void
fixture_open(Fixture *f, const char *backend)
{
	Str name = {backend, (uint32_t)strlen(backend)};

	*f = (Fixture){.types = {TYPE_OF(BIGINT), TYPE_OF(STRING)}};
	store_init(&f->store, &(StoreOptions){.dir = dir,
					      .backend = backend_named(name),
					      .memory_limit = 1 << 20,
					      .spill = true});
	timers_init(&f->owner.timers, &f->store);
	keyed_family_init(&f->family,
			  &(KeyedSpec){.key_types = f->types,
				       .key_count = 2,
				       .payload_size = sizeof(Counter),
				       .payload = &counter_class,
				       .owner = &f->owner,
				       .headed = true},
			  &f->store);
	for (uint32_t k = 0; k < 2; k++) {
		vector_init(&f->keys[k], f->types[k], FORM_VALUE, BATCH_CAPACITY);
		f->columns[k] = &f->keys[k];
	}
}

static void
fixture_close(Fixture *f)
{
	keyed_drop(&f->family, &f->groups);
	keyed_family_free(&f->family);
	timers_free(&f->owner.timers);
	for (uint32_t k = 0; k < 2; k++)
		vector_free(&f->keys[k]);
	store_free(&f->store);
}

static void
set_key(Fixture *f, uint32_t row, uint32_t key)
{
	static char texts[BATCH_CAPACITY][24];
	int len = snprintf(texts[row], sizeof texts[row], "key number %u", key);

	VECTOR_DATA(&f->keys[0], int64_t)[row] = key;
	VECTOR_DATA(&f->keys[1], StringView)[row] = (StringView){texts[row], (uint32_t)len, 0};
}

static void
spill(Fixture *f)
{
	Error err = {0};

	assert_int_equal(keyed_write_out(&f->family, &f->groups, &err), FERRIS_OK);
}

/* Counts a key, or empties its group. */
static void
change(Fixture *f, char *payload, uint32_t key, bool remove)
{
	Counter *counter = (Counter *)(void *)payload;

	if (remove) {
		memory_free(counter->count);
		counter->count = NULL;
		f->counts[key] = 0;
		return;
	}
	if (counter->count == NULL) {
		counter->count = memory_zero(sizeof *counter->count);
		keyed_bear_again(&f->groups, payload);
		f->births[key] = ++f->born;
	}
	assert_int_equal(++*counter->count, ++f->counts[key]);
}

static void
change_some(Fixture *f, bool remove)
{
	uint16_t sel[BATCH_CAPACITY];
	uint32_t keys[BATCH_CAPACITY];
	char *payloads[BATCH_CAPACITY];
	uint32_t count = 1 + below(BATCH_CAPACITY);
	Error err = {0};

	for (uint32_t i = 0; i < count; i++) {
		keys[i] = below(KEYS);
		sel[i] = (uint16_t)i;
		set_key(f, i, keys[i]);
	}
	for (uint32_t done = 0, found; done < count; done += found) {
		assert_int_equal(keyed_find(&f->family, &f->groups, f->columns, sel + done,
					    count - done, payloads, &found, &err),
				 FERRIS_OK);
		for (uint32_t i = 0; i < found; i++)
			change(f, payloads[i], keys[done + i], remove);
		if (done + found < count)
			spill(f);
	}
}

static void
check_looks(Fixture *f)
{
	uint16_t sel[BATCH_CAPACITY];
	uint32_t keys[BATCH_CAPACITY];
	char *payloads[BATCH_CAPACITY];
	uint32_t count = 500;
	Error err = {0};

	for (uint32_t i = 0; i < count; i++) {
		keys[i] = below(KEYS);
		sel[i] = (uint16_t)i;
		set_key(f, i, keys[i]);
	}
	for (uint32_t done = 0, found; done < count; done += found) {
		assert_int_equal(keyed_look(&f->family, &f->groups, f->columns, sel + done,
					    count - done, payloads, &found, &err),
				 FERRIS_OK);
		for (uint32_t i = 0; i < found; i++) {
			const Counter *counter = (const Counter *)(void *)payloads[i];
			bool there = counter != NULL && counter->count != NULL;

			assert_int_equal(there ? *counter->count : 0, f->counts[keys[done + i]]);
		}
		if (done + found < count)
			spill(f);
	}
}

static uint64_t
live_keys(const Fixture *f)
{
	uint64_t live = 0;

	for (uint32_t k = 0; k < KEYS; k++)
		live += f->counts[k] > 0;
	return live;
}

/* All groups come once, in the order of their births. */
static void
check_scan(Fixture *f)
{
	KeyedState *states[] = {&f->groups};
	Vector *columns[] = {&f->keys[0], &f->keys[1]};
	uint64_t count = 0;
	uint64_t last = 0;
	KeyedScan scan;
	char *payload;
	Error err = {0};

	assert_int_equal(keyed_scan_open(&f->family, states, 1, &scan, &err), FERRIS_OK);
	for (;; count++) {
		Arena heap;

		arena_init(&heap, 0);
		assert_int_equal(keyed_scan_next(&scan, columns, 0, &heap, &payload, &err),
				 FERRIS_OK);
		if (payload == NULL) {
			arena_free(&heap);
			break;
		}
		uint32_t key = (uint32_t)VECTOR_DATA(&f->keys[0], int64_t)[0];
		assert_int_equal(*((const Counter *)(void *)payload)->count, f->counts[key]);
		assert_true(f->births[key] > last);
		last = f->births[key];
		arena_free(&heap);
	}
	assert_int_equal(keyed_scan_close(&scan, FERRIS_OK, &err), FERRIS_OK);
	assert_int_equal(count, live_keys(f));
}

/* ---- saved and loaded ---- */

typedef struct Loader {
	StateWriter base;
	Fixture *to;
} Loader;

static Status
load_record(StateWriter *writer, Str key, Str value, Error *err)
{
	Fixture *to = ((Loader *)writer)->to;

	return keyed_take_in(&to->family, &to->groups, key, value, err);
}

/* What is visited in the backend, and what a table in memory has, are all groups. */
static uint64_t visited;

static Status
count_visit(void *owner, Str payload, Error *err)
{
	(void)owner;
	(void)err;
	assert_int_equal(payload.len, sizeof(uint64_t));
	visited++;
	return FERRIS_OK;
}

static void
check_visit(Fixture *f)
{
	uint32_t total = f->groups.groups != NULL ? group_table_count(f->groups.groups) : 0;
	uint64_t here = 0;
	Error err = {0};

	visited = 0;
	for (uint32_t g = 0; g < total; g++)
		here += !counter_is_empty(NULL, group_table_payload(f->groups.groups, g));
	assert_int_equal(keyed_visit_spilled(&f->family, &f->groups, count_visit, &err), FERRIS_OK);
	assert_int_equal(visited + here, live_keys(f));
}

static void
check_save(Fixture *f, const char *backend)
{
	Fixture *other = memory_alloc(sizeof *other);
	Loader loader = {.base = {.put = load_record}, .to = other};
	Error err = {0};

	fixture_open(other, backend);
	assert_int_equal(keyed_save(&f->family, &f->groups, &loader.base, STR(""), &err),
			 FERRIS_OK);
	memcpy(other->counts, f->counts, sizeof f->counts);
	memcpy(other->births, f->births, sizeof f->births);
	check_looks(other);
	check_scan(other);
	fixture_close(other);
	memory_free(other);
}

static void
check_all(const char *backend)
{
	Fixture *f = memory_alloc(sizeof *f);
	Error err = {0};

	fixture_open(f, backend);
	for (uint32_t step = 0; step < STEPS; step++) {
		switch (below(8)) {
		case 0:
			spill(f);
			break;
		case 1:
			assert_int_equal(keyed_sweep(&f->family, &f->groups, live_keys(f), &err),
					 FERRIS_OK);
			break;
		case 2:
			check_looks(f);
			break;
		case 3:
		case 4:
			change_some(f, true);
			break;
		default:
			change_some(f, false);
		}
		if (step % 100 == 50)
			check_save(f, backend);
		if (step % 10 == 5)
			check_visit(f);
		if (step % 100 == 99)
			check_scan(f);
	}
	fixture_close(f);
	memory_free(f);
}

static void
test_groups_are_as_the_model_says(void **state)
{
	(void)state;
	check_all("memory");
	check_all("rocksdb");
}

/* Every group that was written out comes back at its time, and none before. */
static void
test_timers_bring_groups_back(void **state)
{
	Fixture *f = memory_alloc(sizeof *f);
	Error err = {0};
	uint64_t seen = 0;

	(void)state;
	fixture_open(f, "rocksdb");
	f->owner.times = true;
	for (uint32_t i = 0; i < 40; i++)
		change_some(f, false);
	spill(f);
	for (int64_t now = 0; seen < live_keys(f); now++) {
		Str keys;

		assert_true(now < 1000);
		for (;;) {
			char *payload;
			bool full;

			assert_int_equal(timers_take(&f->owner.timers, now, &keys, &err),
					 FERRIS_OK);
			if (keys.data == NULL)
				break;
			assert_int_equal(
				keyed_fetch(&f->family, &f->groups, keys, &payload, &full, &err),
				FERRIS_OK);
			assert_false(full);
			/* An older timer of a group that has been counted on says nothing. */
			assert_non_null(payload);
			Counter *counter = (Counter *)(void *)payload;
			assert_true(counter->count == NULL || (int64_t)*counter->count >= now);
			if (counter->count == NULL || (int64_t)*counter->count > now)
				continue;
			memory_free(counter->count);
			counter->count = NULL;
			seen++;
		}
	}
	assert_false(timers_are_due(&f->owner.timers, INT64_MAX - 1));
	fixture_close(f);
	memory_free(f);
}

static void
change_one(Fixture *f)
{
	uint16_t row = 0;
	uint32_t found;
	char *payload;
	Error err = {0};

	set_key(f, 0, 7);
	assert_int_equal(
		keyed_find(&f->family, &f->groups, f->columns, &row, 1, &payload, &found, &err),
		FERRIS_OK);
	change(f, payload, 7, false);
}

/* One that would fill the memory again is refused when it is written. */
static void
test_a_group_has_to_fit(void **state)
{
	const size_t head = 2 * sizeof(uint64_t); /* its birth, its count */
	Error err = {0};

	(void)state;
	for (size_t over = 0; over <= 1; over++) {
		Fixture *f = memory_alloc(sizeof *f);

		fixture_open(f, "memory");
		f->owner.more = f->family.budget.limit - head + over;
		change_one(f);
		assert_int_equal(keyed_write_out(&f->family, &f->groups, &err),
				 over > 0 ? FERRIS_ERR_LIMIT : FERRIS_OK);
		fixture_close(f);
		memory_free(f);
	}
}

/* ---- timers among themselves ---- */

typedef struct Planned {
	int64_t time; /* INT64_MAX: was handed out */
	uint64_t number;
} Planned;

#define PLANNED 20000

static Planned *
first_planned(Planned *planned, uint32_t count)
{
	Planned *first = &planned[0];

	for (uint32_t i = 1; i < count; i++)
		if (planned[i].time < first->time ||
		    (planned[i].time == first->time && planned[i].number < first->number))
			first = &planned[i];
	return first;
}

/* One call in which the clock moves on; a take is now and then followed by new timers. */
static uint32_t
take_until(Timers *timers, StateStore *store, int64_t now, Planned *planned, uint32_t count)
{
	Error err = {0};
	Str keys;

	for (;;) {
		Planned *first = first_planned(planned, count);

		assert_int_equal(timers_take(timers, now, &keys, &err), FERRIS_OK);
		if (keys.data == NULL) {
			assert_true(first->time > now);
			return count;
		}
		assert_int_equal(timers->time, first->time);
		assert_int_equal(timers->number, first->number);
		assert_memory_equal(keys.data, &first->number, sizeof first->number);
		first->time = INT64_MAX;
		for (uint32_t i = below(200) == 0 ? below(300) : 0; i > 0 && count < PLANNED; i--) {
			uint64_t number = count;

			planned[count++] = (Planned){now - 10 + below(300), number};
			assert_int_equal(timers_put(timers, planned[number].time, number,
						    (Str){(const char *)&number, sizeof number},
						    &err),
					 FERRIS_OK);
		}
		assert_int_equal(store_commit(store, &err), FERRIS_OK);
	}
}

static void
check_timers(const char *backend, uint32_t total)
{
	Planned *planned = memory_alloc(sizeof *planned * PLANNED);
	Str name = {backend, (uint32_t)strlen(backend)};
	StateStore store;
	Timers timers;
	Error err = {0};

	store_init(&store, &(StoreOptions){.dir = dir,
					   .backend = backend_named(name),
					   .memory_limit = 1 << 20,
					   .spill = true});
	timers_init(&timers, &store);
	for (uint64_t number = 0; number < total; number++) {
		planned[number] = (Planned){below(1000), number};
		assert_int_equal(timers_put(&timers, planned[number].time, number,
					    (Str){(const char *)&number, sizeof number}, &err),
				 FERRIS_OK);
	}
	assert_int_equal(store_commit(&store, &err), FERRIS_OK);
	for (int64_t now = 0; timers_are_due(&timers, INT64_MAX); now += below(30))
		total = take_until(&timers, &store, now, planned, total);
	assert_int_equal(first_planned(planned, total)->time, INT64_MAX);
	timers_free(&timers);
	store_free(&store);
	memory_free(planned);
}

static void
test_timers_come_in_order(void **state)
{
	(void)state;
	check_timers("memory", 300);
	check_timers("rocksdb", 6000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_groups_are_as_the_model_says),
		cmocka_unit_test(test_timers_bring_groups_back),
		cmocka_unit_test(test_timers_come_in_order),
		cmocka_unit_test(test_a_group_has_to_fit),
	};
	int failed;

	seed_random();
	snprintf(dir, sizeof dir, "/tmp/ferris-keyed-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return 1;
	failed = cmocka_run_group_tests_name("keyed", tests, NULL, NULL);
	rmdir(dir);
	return failed;
}
