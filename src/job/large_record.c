/* job/large_record.c -- records of state that are larger than what a topic takes as one.
 *
 *     FB key              number of parts
 *     FC key, number      a part of the value
 *
 * All of them are in one epoch, as the record would have been.  A key that is large has no record
 * of its own, and one that is not large any more has no parts. */
#include "base/memory.h"
#include "job/job_internal.h"
#include "state/record.h"
#include "state/store.h"

#define HEAD_KEY '\xFB'
#define PART_KEY '\xFC'

/* Half of what brokers take by default. */
#define PART_BYTES ((uint32_t)512 << 10)
/* Of a trial: so small, and so many at most, as they are looked for one by one. */
#define TRIAL_BYTES 24
#define TRIAL_MAX   16
#define TRIAL_KEY   256 /* each part has the whole key */

struct LargeRecord {
	Str key; /* owned */
	uint32_t parts;
};

static LargeRecord *
find(LargeRecords *all, Str key)
{
	for (uint32_t i = 0; i < all->count; i++)
		if (str_eq(all->items[i].key, key))
			return &all->items[i];
	return NULL;
}

static LargeRecord *
add(LargeRecords *all, Str key)
{
	char *copy = memory_alloc(key.len + 1);

	memcpy(copy, key.data, key.len);
	all->items = memory_resize(all->items, sizeof *all->items * (all->count + 1));
	all->items[all->count] = (LargeRecord){.key = {copy, key.len}};
	return &all->items[all->count++];
}

static void
drop(LargeRecords *all, LargeRecord *record)
{
	memory_free((char *)(uintptr_t)record->key.data);
	*record = all->items[--all->count];
}

void
large_records_free(LargeRecords *all)
{
	while (all->count > 0)
		drop(all, &all->items[0]);
	memory_free(all->items);
	buffer_free(&all->key);
	buffer_free(&all->value);
	all->items = NULL;
}

/* ---------------------------------------------------------------- writing */

static Str
head_key(LargeRecords *all, Str key)
{
	char kind = HEAD_KEY;

	buffer_reset(&all->key);
	buffer_append(&all->key, &kind, 1);
	buffer_append_str(&all->key, key);
	return (Str){all->key.data, (uint32_t)all->key.len};
}

static Str
part_key(LargeRecords *all, Str key, uint32_t number)
{
	char kind = PART_KEY;

	buffer_reset(&all->key);
	buffer_append(&all->key, &kind, 1);
	buffer_append_str(&all->key, key);
	record_key_u32(&all->key, number);
	return (Str){all->key.data, (uint32_t)all->key.len};
}

/* Parts first..end-1 are gone. */
static Status
remove_parts(Job *job, Str key, uint32_t first, uint32_t end, Error *err)
{
	for (uint32_t i = first; i < end; i++)
		TRY(job_put_into_log(job, part_key(&job->large, key, i), (Str){NULL, 0}, err));
	return FERRIS_OK;
}

static Status
put_parts(Job *job, Str key, Str value, uint32_t size, Error *err)
{
	LargeRecord *record = find(&job->large, key);
	uint32_t count = (value.len + size - 1) / size;

	if (record == NULL)
		record = add(&job->large, key);
	TRY(remove_parts(job, key, count, record->parts, err));
	record->parts = count;
	TRY(job_put_into_log(job, key, (Str){NULL, 0}, err));
	TRY(job_put_into_log(job, head_key(&job->large, key),
			     (Str){(const char *)&count, sizeof count}, err));
	for (uint32_t i = 0; i < count; i++) {
		Str rest = str_skip(value, i * size);
		Str part = {rest.data, rest.len < size ? rest.len : size};

		TRY(job_put_into_log(job, part_key(&job->large, key, i), part, err));
	}
	return FERRIS_OK;
}

Status
large_record_put(Job *job, Str key, Str value, Error *err)
{
	bool tried = job->spec.trial.crash_seed != 0 && job->large.count < TRIAL_MAX &&
		     key.len < TRIAL_KEY;
	uint32_t size = tried ? TRIAL_BYTES : PART_BYTES;

	if (value.data != NULL && value.len > size)
		return put_parts(job, key, value, size, err);
	LargeRecord *record = job->large.count > 0 ? find(&job->large, key) : NULL;
	if (record != NULL) {
		TRY(job_put_into_log(job, head_key(&job->large, key), (Str){NULL, 0}, err));
		TRY(remove_parts(job, key, 0, record->parts, err));
		drop(&job->large, record);
	}
	return job_put_into_log(job, key, value, err);
}

/* ---------------------------------------------------------------- reading */

static Status
note_head(void *context, Str key, Str value, Error *err)
{
	Job *job = context;
	uint32_t parts;

	if (value.len != sizeof parts)
		return store_damaged(err);
	memcpy(&parts, value.data, sizeof parts);
	add(&job->large, str_skip(key, 1))->parts = parts;
	return FERRIS_OK;
}

static Status
join_parts(Job *job, const LargeRecord *record, Error *err)
{
	StateBackend *records = job->gathering.records;
	Buffer *whole = &job->large.value;
	Buffer part;
	Status status = FERRIS_OK;

	buffer_init(&part, SIZE_MAX);
	buffer_reset(whole);
	for (uint32_t i = 0; i < record->parts && status == FERRIS_OK; i++) {
		bool found;

		status = records->class->get(records, part_key(&job->large, record->key, i), &part,
					     &found, err);
		if (status == FERRIS_OK && !found)
			status = store_damaged(err);
		if (status == FERRIS_OK)
			buffer_append(whole, part.data, part.len);
	}
	buffer_free(&part);
	TRY(status);
	return records->class->put(records, record->key, (Str){whole->data, (uint32_t)whole->len},
				   err);
}

Status
large_records_join(Job *job, Error *err)
{
	StateBackend *records = job->gathering.records;
	char kinds[] = {HEAD_KEY, PART_KEY};

	TRY(backend_each(records, (Str){&kinds[0], 1}, note_head, job, err));
	if (job->large.count == 0)
		return FERRIS_OK;
	for (uint32_t i = 0; i < job->large.count; i++)
		TRY(join_parts(job, &job->large.items[i], err));
	for (size_t i = 0; i < sizeof kinds; i++)
		TRY(records->class->clear(records, (Str){&kinds[i], 1}, err));
	return records->class->commit(records, err);
}
