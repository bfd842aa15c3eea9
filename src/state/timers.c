/* state/timers.c -- timers in the backend, in order of time. */
#include "state/timers.h"

#include "state/record.h"

#define TIMER_BYTES (2 * sizeof(uint64_t)) /* before the row of keys */
#define AHEAD_MAX   4096                   /* timers, */
#define AHEAD_BYTES (256 << 10)            /* or so many bytes, whichever comes first */

void
timers_init(Timers *timers, StateStore *store)
{
	*timers = (Timers){.store = store, .least = INT64_MAX, .rest = INT64_MAX};
	buffer_init(&timers->key, SIZE_MAX);
	buffer_init(&timers->ahead, SIZE_MAX);
}

void
timers_free(Timers *timers)
{
	if (timers->store == NULL)
		return;
	buffer_free(&timers->key);
	buffer_free(&timers->ahead);
}

static bool
has_ahead(const Timers *timers)
{
	return timers->next < timers->ahead.len;
}

static Status
put(Timers *timers, int64_t time, uint64_t number, Str keys, Error *err)
{
	Buffer nothing = {0};

	store_key(&timers->space, &timers->key);
	record_key_i64(&timers->key, time);
	record_key_u64(&timers->key, number);
	buffer_append(&timers->key, keys.data, keys.len);
	if (time < timers->rest)
		timers->rest = time;
	return store_put(&timers->space, &timers->key, &nothing, err);
}

Status
timers_put(Timers *timers, int64_t time, uint64_t number, Str keys, Error *err)
{
	TRY(store_open(timers->store, STORE_LOOKUPS, &timers->space, err));
	if (time < timers->least)
		timers->least = time;
	if (has_ahead(timers) && time <= timers->last)
		timers->is_mixed = true;
	return put(timers, time, number, keys, err);
}

/* Takes the next of those that were read ahead. */
static Str
take_ahead(Timers *timers, int64_t *time, uint64_t *number)
{
	RecordReader reader = record_reader((Str){timers->ahead.data + timers->next,
						  (uint32_t)(timers->ahead.len - timers->next)});

	*time = (int64_t)record_take_u64(&reader);
	*number = record_take_u64(&reader);
	uint32_t len = record_take_u32(&reader);
	const char *keys = record_take(&reader, len);
	timers->next = (size_t)(reader.next - timers->ahead.data);
	return (Str){keys, len};
}

/* Those that were read ahead go back among the others. */
static Status
put_back(Timers *timers, Error *err)
{
	int64_t time;
	uint64_t number;

	while (has_ahead(timers)) {
		Str keys = take_ahead(timers, &time, &number);

		TRY(put(timers, time, number, keys, err));
	}
	timers->is_mixed = false;
	return store_commit(timers->store, err);
}

/* Removes a timer and keeps it in memory. */
static Status
keep_ahead(Timers *timers, Str timer, int64_t time, Error *err)
{
	RecordReader reader = record_reader(str_skip(timer, sizeof time));

	if (timer.len < TIMER_BYTES)
		return store_damaged(err);
	Str keys = str_skip(timer, TIMER_BYTES);
	record_u64(&timers->ahead, (uint64_t)time);
	record_u64(&timers->ahead, record_take_key_u64(&reader));
	record_u32(&timers->ahead, keys.len);
	buffer_append(&timers->ahead, keys.data, keys.len);
	timers->last = time;
	store_key(&timers->space, &timers->key);
	buffer_append(&timers->key, timer.data, timer.len);
	return store_remove(&timers->space, &timers->key, err);
}

/* The next timers, many at a time: a scan passes over all that were removed. */
static Status
read_ahead(Timers *timers, Error *err)
{
	uint32_t count = 0;
	StoreScan scan;
	Str key, value;
	Status status = FERRIS_OK;

	buffer_reset(&timers->ahead);
	timers->next = 0;
	timers->rest = INT64_MAX;
	store_key(&timers->space, &timers->key);
	TRY(store_scan(&timers->space, &timers->key, &scan, err));
	while (status == FERRIS_OK && store_next(&scan, &key, &value)) {
		RecordReader reader = record_reader(key);
		int64_t time = record_take_key_i64(&reader);

		if (count++ == AHEAD_MAX || timers->ahead.len > AHEAD_BYTES) {
			timers->rest = time;
			break;
		}
		status = keep_ahead(timers, key, time, err);
	}
	TRY(store_scan_close(&scan, status, err));
	return store_commit(timers->store, err);
}

/* Time of the next timer, or a time before it. */
static int64_t
next_time(const Timers *timers)
{
	int64_t time = timers->rest;

	if (has_ahead(timers))
		memcpy(&time, timers->ahead.data + timers->next, sizeof time);
	return time;
}

Status
timers_take(Timers *timers, int64_t until, Str *keys, Error *err)
{
	*keys = (Str){0};
	if (!timers_are_due(timers, until))
		return FERRIS_OK;
	if (timers->is_mixed)
		TRY(put_back(timers, err));
	if (!has_ahead(timers))
		TRY(read_ahead(timers, err));
	timers->least = next_time(timers);
	if (!has_ahead(timers) || timers->least > until)
		return FERRIS_OK;
	*keys = take_ahead(timers, &timers->time, &timers->number);
	timers->least = next_time(timers);
	return FERRIS_OK;
}
