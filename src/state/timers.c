/* state/timers.c -- timers in the backend, in order of time. */
#include "state/timers.h"

#include "state/record.h"

#define TIMER_BYTES (2 * sizeof(uint64_t)) /* before the row of keys */
#define TAKEN_MAX   4096

void
timers_init(Timers *timers, StateStore *store)
{
	*timers = (Timers){.store = store, .least = INT64_MAX};
	buffer_init(&timers->key, SIZE_MAX);
	buffer_init(&timers->taken, SIZE_MAX);
}

void
timers_free(Timers *timers)
{
	if (timers->store == NULL)
		return;
	buffer_free(&timers->key);
	buffer_free(&timers->taken);
}

Status
timers_put(Timers *timers, int64_t time, uint64_t number, Str keys, Error *err)
{
	Buffer nothing = {0};

	TRY(store_open(timers->store, STORE_LOOKUPS, &timers->space, err));
	store_key(&timers->space, &timers->key);
	record_key_i64(&timers->key, time);
	record_key_u64(&timers->key, number);
	buffer_append(&timers->key, keys.data, keys.len);
	if (time < timers->least)
		timers->least = time;
	return store_put(&timers->space, &timers->key, &nothing, err);
}

/* Removes a timer and keeps its row of keys. */
static Status
take(Timers *timers, Str timer, Error *err)
{
	if (timer.len < TIMER_BYTES)
		return store_damaged(err);
	Str keys = str_skip(timer, TIMER_BYTES);

	record_u32(&timers->taken, keys.len);
	buffer_append(&timers->taken, keys.data, keys.len);
	store_key(&timers->space, &timers->key);
	buffer_append(&timers->key, timer.data, timer.len);
	return store_remove(&timers->space, &timers->key, err);
}

/* The next timers up to `until`, many at a time: a scan passes over all that were removed. */
static Status
read_due(Timers *timers, int64_t until, Error *err)
{
	uint32_t count = 0;
	StoreScan scan;
	Str key, value;
	Status status = FERRIS_OK;

	buffer_reset(&timers->taken);
	timers->next = 0;
	timers->least = INT64_MAX;
	store_key(&timers->space, &timers->key);
	TRY(store_scan(&timers->space, &timers->key, &scan, err));
	while (status == FERRIS_OK && store_next(&scan, &key, &value)) {
		RecordReader reader = record_reader(key);
		int64_t time = record_take_key_i64(&reader);

		if (time > until || count == TAKEN_MAX) {
			timers->least = time;
			break;
		}
		status = take(timers, key, err);
		count++;
	}
	TRY(store_scan_close(&scan, status, err));
	return store_commit(timers->store, err);
}

Status
timers_take(Timers *timers, int64_t until, Str *keys, Error *err)
{
	uint32_t len;

	*keys = (Str){0};
	if (!timers_are_due(timers, until))
		return FERRIS_OK;
	if (timers->next == timers->taken.len)
		TRY(read_due(timers, until, err));
	if (timers->next == timers->taken.len)
		return FERRIS_OK;
	memcpy(&len, timers->taken.data + timers->next, sizeof len);
	*keys = (Str){timers->taken.data + timers->next + sizeof len, len};
	timers->next += sizeof len + len;
	return FERRIS_OK;
}
