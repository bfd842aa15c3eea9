/* job/recovery.c -- state that survives: out with each epoch, in again at the start.
 *
 * At the end of an epoch the task puts what has changed in its operators into the slot (the one
 * place where all records before it are in state, and none behind it); the writer puts it into the
 * epoch's transaction.  So the state that is read at the start is that of the committed positions.
 *
 * The first record of all names the plan: state of another query is refused. */
#include "exec/checkpoint.h"
#include "job/job_internal.h"
#include "state/record.h"
#include "state/store.h"

#define GONE UINT32_MAX /* as a value's length */
#define IDENTITY_KEY                                                                               \
	STR("\xFF"                                                                                 \
	    "plan") /* behind those of all operators */
#define ENDED_KEY                                                                                  \
	STR("\xFF"                                                                                 \
	    "ended") /* and a source's index: what comes out at its end is in the state */
#define STATE_FORMAT 1
#define FEW_RECORDS  4096 /* are put in order in memory */

/* ---------------------------------------------------------------- the plan */

static uint64_t
hash_bytes(Str bytes)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325); /* FNV-1a */

	for (uint32_t i = 0; i < bytes.len; i++)
		hash = (hash ^ (unsigned char)bytes.data[i]) * UINT64_C(0x100000001B3);
	return hash;
}

/* What the state is of: the plan as EXPLAIN shows it. */
static uint64_t
plan_identity(Job *job)
{
	return hash_bytes(plan_explain(&job->arena, job->spec.plan)) + STATE_FORMAT;
}

static Status
check_identity(const Job *job, Str value, Error *err)
{
	uint64_t found = 0;

	if (value.len == sizeof found)
		memcpy(&found, value.data, sizeof found);
	if (found == job->identity)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_STATE_DAMAGED,
		  "the state in '%s' is that of another query, or of another version",
		  job->log_name);
	return error_hint(err,
			  "give this query another 'kafka.group.id', so that it begins anew, or "
			  "run the query that the state belongs to");
}

/* ---------------------------------------------------------------- opening */

static Status
open_backend(const Job *job, bool large, StateBackend **out, Error *err)
{
	const Setting *settings = job->spec.plan->job;
	char dir[512];
	const char *given = settings[JOB_STATE_DIR].text.data;
	BackendSpec spec = {.memory = (size_t)settings[JOB_STATE_LIMIT].integer / 4, .scans = true};

	if (!large)
		return backend_memory.open(&spec, out, err);
	if (given != NULL)
		snprintf(dir, sizeof dir, "%.*s", STR_ARG(settings[JOB_STATE_DIR].text));
	spec.dir = given != NULL ? dir : store_default_dir(dir, sizeof dir);
	return backend_rocksdb.open(&spec, out, err);
}

/* The records as they are read: the last of a key counts. */
typedef struct Gathering {
	Job *job;
	StateBackend *records;
	uint64_t count;
	bool large;
	bool identified;
} Gathering;

static Status
move_records(Gathering *gathering, Error *err)
{
	StateBackend *old = gathering->records;
	StateCursor *cursor;
	Str key, value;
	Status status;

	TRY(old->class->commit(old, err));
	TRY(open_backend(gathering->job, true, &gathering->records, err));
	gathering->large = true;
	status = old->class->scan(old, STR(""), &cursor, err);
	if (status == FERRIS_OK) {
		while (status == FERRIS_OK && old->class->cursor_next(cursor, &key, &value))
			status =
				gathering->records->class->put(gathering->records, key, value, err);
		Error ignored;
		old->class->cursor_close(cursor, &ignored);
	}
	old->class->close(old);
	return status;
}

static Status
note_end(Job *job, Str index, Error *err)
{
	RecordReader reader = record_reader(index);
	uint32_t source = record_take_u32(&reader);

	if (reader.damaged || source >= job->source_count)
		return store_damaged(err);
	job->inputs[source].ended = true;
	job->inputs[source].end_is_out = true;
	job->inputs[source].end_is_put = true;
	return FERRIS_OK;
}

static Status
gather(void *context, Str key, Str value, Error *err)
{
	Gathering *gathering = context;

	if (str_eq(key, IDENTITY_KEY)) {
		gathering->identified = true;
		return check_identity(gathering->job, value, err);
	}
	if (str_starts_with(key, ENDED_KEY))
		return note_end(gathering->job, str_skip(key, ENDED_KEY.len), err);
	if (++gathering->count == FEW_RECORDS && !gathering->large)
		TRY(move_records(gathering, err));
	StateBackend *records = gathering->records;
	return value.data == NULL ? records->class->remove(records, key, err)
				  : records->class->put(records, key, value, err);
}

static Status
restore(Job *job, Gathering *gathering, Error *err)
{
	StateBackend *records;

	TRY(job->sink->log_read(job->log, gather, gathering, err));
	records = gathering->records;
	TRY(records->class->commit(records, err));
	if (gathering->count > 0 && !gathering->identified)
		return store_damaged(err);
	job->identified = gathering->identified;
	return pipeline_load_all(job->pipelines[0], records, err);
}

Status
job_open_state(Job *job, Error *err)
{
	Gathering gathering = {.job = job};

	if (job->guarantee != GUARANTEE_EXACTLY_ONCE || !job->stateful)
		return FERRIS_OK;
	if (!pipeline_can_save(job->pipelines[0], true))
		return error_set(err, FERRIS_ERR_NOT_SUPPORTED,
				 "the state of '%.*s' cannot be saved",
				 STR_ARG(job->spec.plan->name));
	job->keeps_state = true;
	job->identity = plan_identity(job);
	job->log_name = str_format(&job->arena, "%s-%.*s-changelog", job->first_group,
				   STR_ARG(job->spec.plan->name))
				.data;
	TRY(job->sink->log_open(job->writer, job->log_name, &job->arena, &job->log, err));
	TRY(open_backend(job, false, &gathering.records, err));
	Status status = restore(job, &gathering, err);
	gathering.records->class->close(gathering.records);
	if (status == FERRIS_OK && pipeline_is_done(job->pipelines[0])) {
		job->satisfied = true;
		job->stop = true;
	}
	return status;
}

void
job_close_state(Job *job)
{
	if (job->log != NULL)
		job->sink->log_close(job->log);
	job->log = NULL;
}

/* ---------------------------------------------------------------- the task's side */

typedef struct ChangeWriter {
	StateWriter base;
	Buffer *out;
} ChangeWriter;

static Status
note_change(StateWriter *base, Str key, Str value, Error *err)
{
	Buffer *out = ((ChangeWriter *)base)->out;

	(void)err;
	record_u32(out, key.len);
	record_u32(out, value.data != NULL ? value.len : GONE);
	buffer_append(out, key.data, key.len);
	if (value.data != NULL)
		buffer_append(out, value.data, value.len);
	return FERRIS_OK;
}

Status
job_save_changes(const Job *job, Pipeline *pipeline, Slot *slot)
{
	ChangeWriter writer = {.base = {note_change, true}, .out = &slot->changes};

	buffer_reset(&slot->changes);
	return job->keeps_state ? pipeline_save(pipeline, &writer.base, &slot->error) : FERRIS_OK;
}

/* ---------------------------------------------------------------- the writer's side */

static Status
put(Job *job, Str key, Str value, Error *err)
{
	TRY(job_survives(job, CRASH_PUT, err));
	TRY(job->sink->log_put(job->log, key, value, err));
	return job_survives(job, CRASH_PUT, err);
}

/* A source that has ended must not end once more when the job is opened anew. */
static Status
put_ends(Job *job, Error *err)
{
	for (uint32_t i = 0; i < job->source_count; i++) {
		Input *input = &job->inputs[i];
		char key[16];

		if (!input->end_is_out || input->end_is_put)
			continue;
		memcpy(key, ENDED_KEY.data, ENDED_KEY.len);
		memcpy(key + ENDED_KEY.len, &i, sizeof i);
		TRY(put(job, (Str){key, ENDED_KEY.len + sizeof i}, STR(""), err));
		input->end_is_put = true;
		job->dirty = true;
	}
	return FERRIS_OK;
}

Status
job_put_changes(Job *job, const Slot *slot, Error *err)
{
	RecordReader reader = record_reader((Str){slot->changes.data, (uint32_t)slot->changes.len});

	if (!job->keeps_state)
		return FERRIS_OK;
	if (!job->identified)
		TRY(put(job, IDENTITY_KEY,
			(Str){(const char *)&job->identity, sizeof job->identity}, err));
	job->identified = true;
	while (reader.next < reader.end) {
		uint32_t key_len = record_take_u32(&reader);
		uint32_t value_len = record_take_u32(&reader);
		bool gone = value_len == GONE;
		Str key = {record_take(&reader, key_len), key_len};
		Str value = {gone ? NULL : record_take(&reader, value_len), gone ? 0 : value_len};

		TRY(put(job, key, value, err));
	}
	return put_ends(job, err);
}
