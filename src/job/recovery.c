/* job/recovery.c -- what survives: out with each epoch, in again at the start.
 *
 * Records of key and value go where epochs become final: into the log of the sink, within its
 * transactions, or into a journal beside a sink that has none.
 *
 *     operator's number, ...   state: what has changed since the last epoch
 *     FD                       journal: how much of the output and dead letters is final
 *     FE source, split         where a source stands: for topics the group's positions follow
 *     FF "plan"                the plan: records of another query are refused
 *     FF "ended" source        what comes out at the source's end is in the state
 *     FB, FC                   a record that is too large for a log; job/large_record.c
 *     FF "log"                 a number by which a copy of a log knows it; job/log_copy.c
 *     FF "savepoint"           the one that all of it came from at first; job/restore.c
 *
 * At the end of an epoch the task puts what has changed in its operators into the slot (the one
 * place where all records before it are in state, and none behind it); the writer puts it into the
 * epoch.  So the state that is read at the start is that of the positions that are read with it.
 *
 * A journal of input that has ended is removed, and so are the places in a log: the same statement
 * then begins anew. */
#include <stdlib.h>

#include "base/memory.h"
#include "exec/checkpoint.h"
#include "job/job_internal.h"
#include "plan/kept_state.h"
#include "state/changes.h"
#include "state/record.h"
#include "state/store.h"

#define ENDED_KEY                                                                                  \
	STR("\xFF"                                                                                 \
	    "ended")
#define MARK_FORMAT 1   /* with parts */
#define NAME_SHOWN  100 /* of the output's, in that of its journal */

/* ---------------------------------------------------------------- the plan */

static Status
of_another_query(const Job *job, Error *err)
{
	error_set(err, FERRIS_ERR_STATE_DAMAGED,
		  "the state in '%s' is that of another query, or of another version",
		  job->log_name);
	if (job->journal != NULL)
		return error_hint(err, "run the query that it belongs to, or remove that folder to "
				       "begin anew");
	if (job->has_foreign_input)
		return error_hint(err, "run the query that was interrupted to its end, into the "
				       "topic that it wrote, or give this application another "
				       "name, so that it begins anew");
	return error_hint(err, "give this query another 'kafka.group.id', so that it begins anew, "
			       "or run the query that the state belongs to");
}

static bool
is_identity(const Job *job, Str value)
{
	return value.len == sizeof job->identity &&
	       memcmp(&job->identity, value.data, value.len) == 0;
}

/* ---------------------------------------------------------------- places */

static int
compare_places(const void *a, const void *b)
{
	return str_compare(((const SplitPlace *)a)->split, ((const SplitPlace *)b)->split);
}

/* Records of the kind, as the source's places; they come in order. */
static Status
take_place(void *context, Str key, Str value, Error *err)
{
	Job *job = context;
	RecordReader reader = record_reader(str_skip(key, 1));
	uint32_t source = __builtin_bswap32(record_take_u32(&reader));
	Str name = {reader.next, (uint32_t)(reader.end - reader.next)};
	RecordReader fields = record_reader(value);
	int64_t next = (int64_t)record_take_u64(&fields);
	uint64_t lines = record_take_u64(&fields);
	Str origin = {fields.next, (uint32_t)(fields.end - fields.next)};

	if (reader.damaged || fields.damaged || source >= job->spec.plan->scan_count)
		return store_damaged(err);
	Input *input = &job->inputs[source];
	uint32_t n = input->place_count++;
	if ((n & (n - 1)) == 0) { /* full at each power of two */
		input->places = memory_resize(input->places, sizeof *input->places * 2 * (n + 1));
		input->place_lines =
			memory_resize(input->place_lines, sizeof *input->place_lines * 2 * (n + 1));
	}
	input->places[n] = (SplitPlace){.split = str_copy(&job->arena, name),
					.next = next,
					.origin = str_copy(&job->arena, origin)};
	input->place_lines[n] = lines;
	return n == 0 || compare_places(&input->places[n - 1], &input->places[n]) < 0
		       ? FERRIS_OK
		       : store_damaged(err);
}

static void
forget_places(Job *job)
{
	for (uint32_t i = 0; i < job->spec.plan->scan_count; i++)
		job->inputs[i].place_count = 0;
}

uint64_t
job_resumed_lines(const Job *job, uint32_t index, const Chunk *chunk)
{
	const Input *input = &job->inputs[index];
	const Source *source = &job->sources[index];

	if (input->place_count == 0)
		return 0;
	const SplitPlace *place = split_place_find(
		input->places, input->place_count,
		str_from(source->connector->split_name(source->reader, chunk->split)));
	/* A file that has taken the place of the one before has lines of its own. */
	return place != NULL && chunk->position >= place->next
		       ? input->place_lines[place - input->places]
		       : 0;
}

/* ---------------------------------------------------------------- opening */

static Status
take_mark(void *context, Str key, Str value, Error *err)
{
	Job *job = context;
	uint32_t owner = key.len == 2 ? (unsigned char)key.data[1] : MARK_COUNT;

	if (owner >= MARK_COUNT || value.len != sizeof(WriterMark))
		return store_damaged(err);
	memcpy(&job->marks[owner], value.data, sizeof(WriterMark));
	job->has_marks = true;
	return FERRIS_OK;
}

/* Takes what is not an operator's out of the records. */
static Status
sort_out(Job *job, Error *err)
{
	StateBackend *records = job->gathering.records;

	TRY(backend_each(records, STR("\xFD"), take_mark, job, err));
	TRY(backend_each(records, STR("\xFE"), take_place, job, err));
	TRY(records->class->clear(records, STR("\xFD"), err));
	TRY(records->class->clear(records, STR("\xFE"), err));
	return records->class->commit(records, err);
}

static Status
note_end(Job *job, Str index, Error *err)
{
	RecordReader reader = record_reader(index);
	uint32_t source = record_take_u32(&reader);

	if (reader.damaged || source >= job->spec.plan->scan_count)
		return store_damaged(err);
	job->inputs[source].ended = true;
	job->inputs[source].end_is_out = true;
	job->inputs[source].end_is_put = true;
	return FERRIS_OK;
}

static Status
gather(void *context, Str key, Str value, Error *err)
{
	Job *job = context;

	if (str_starts_with(key, ENDED_KEY))
		return note_end(job, str_skip(key, ENDED_KEY.len), err);
	if (str_eq(key, LOG_ID_KEY)) {
		if (value.len == sizeof job->log_id)
			memcpy(&job->log_id, value.data, sizeof job->log_id);
		return FERRIS_OK;
	}
	if (str_eq(key, RESTORED_KEY)) {
		job->restored = str_copy(&job->arena, value);
		return FERRIS_OK;
	}
	if (!str_eq(key, IDENTITY_KEY))
		return gathering_take(&job->gathering, key, value, err);
	job->foreign = value.data != NULL && !is_identity(job, value);
	job->identified = value.data != NULL;
	return FERRIS_OK;
}

size_t
job_reading_memory(const Job *job)
{
	size_t memory = (size_t)job->spec.plan->job[JOB_STATE_LIMIT].integer / 4;

	return job->spec.share.count > 0 ? memory / job->spec.share.count : memory;
}

Status
job_open_gathering(const Job *job, Gathering *out, Error *err)
{
	return gathering_open(out, job->state_dir, job_reading_memory(job), err);
}

Str
job_output(Job *job)
{
	const Endpoint *sink = job->spec.plan->sink;

	return job->log != NULL ? job->log->output
				: sink->connector->target(sink->connector_settings, &job->arena);
}

/* One journal for each output: whoever writes it has the journal. */
static Status
open_journal(Job *job, Error *err)
{
	Str target = job_output(job);
	const char *slash = memrchr(target.data, '/', target.len);
	Str name = slash != NULL ? str_skip(target, (uint32_t)(slash + 1 - target.data)) : target;

	if (name.len > NAME_SHOWN)
		name.len = NAME_SHOWN;
	job->log_name = str_format(&job->arena, "%.*s-%016llx", STR_ARG(name),
				   (unsigned long long)str_hash(target))
				.data;
	JournalSpec spec = {
		.dir = job->state_dir,
		.name = job->log_name,
		.memory = job_reading_memory(job),
		.disk = job->disk,
	};
	TRY(journal_open(&spec, &job->journal, err));
	job->log_name = journal_folder(job->journal);
	job->identity += MARK_FORMAT;
	if (job->first_group != NULL) /* positions are the group's */
		job->identity += str_hash(str_from(job->first_group));
	return journal_read(job->journal, gather, job, err);
}

static Status
open_log(Job *job, Error *err)
{
	job->log_name = str_format(&job->arena, "%s-%.*s-changelog", job->first_group,
				   STR_ARG(job->spec.plan->name))
				.data;
	job->log_part = job->spec.share.count == 0 ? job->log_name
						   : str_format(&job->arena, "%s-%u", job->log_name,
								job->spec.share.split)
							     .data;
	TRY(job->sink->log_open(job->writer, job->log_name, &job->arena, &job->log, err));
	if (job->has_foreign_input) /* another topic would miss the rows before those places */
		job->identity += str_hash(job_output(job));
	return job_read_log(job, gather, err);
}

Status
job_begin_anew(Job *job, Error *err)
{
	fprintf(stderr, "warning: '%.*s' was interrupted before, and %s since: it begins anew\n",
		STR_ARG(job->spec.plan->name),
		err->status == FERRIS_ERR_FILE_CHANGED ? "its input has changed"
						       : "the query has changed");
	forget_places(job);
	job->has_marks = false;
	job->identified = false;
	gathering_close(&job->gathering);
	TRY(job_open_gathering(job, &job->gathering, err));
	TRY(gathering_finish(&job->gathering, err));
	return journal_remove(job->journal, err);
}

Status
job_read_records(Job *job, Error *err)
{
	if (!job->keeps_records)
		return FERRIS_OK;
	job->identity = plan_identity(&job->arena, job->spec.plan);
	TRY(job_open_gathering(job, &job->gathering, err));
	TRY(job->recovery == RECOVERY_JOURNAL ? open_journal(job, err) : open_log(job, err));
	TRY(gathering_finish(&job->gathering, err));
	return job->log != NULL ? large_records_join(job, err) : FERRIS_OK;
}

Status
job_check_owner(Job *job, Error *err)
{
	bool empty;

	if (job->foreign)
		return of_another_query(job, err);
	TRY(gathering_is_empty(&job->gathering, &empty, err));
	return empty || job->identified ? FERRIS_OK : store_damaged(err);
}

Status
job_take_records(Job *job, Error *err)
{
	if (job->spec.from != NULL)
		TRY(job_restore(job, err));
	if (!job->keeps_records)
		return FERRIS_OK;
	Status status = job_check_owner(job, err);
	if (job->foreign && job->journal != NULL && job->spec.plan->begins_anew)
		status = job_begin_anew(job, err);
	TRY(status);
	log_copy_begin(job);
	return sort_out(job, err);
}

Status
job_load_state(Job *job, Error *err)
{
	Status status = FERRIS_OK;

	if (!job->keeps_records)
		return FERRIS_OK;
	if (job->keeps_state && !pipeline_can_save(job->pipelines[0], true))
		status = error_set(err, FERRIS_ERR_NOT_SUPPORTED,
				   "the state of '%.*s' cannot be saved",
				   STR_ARG(job->spec.plan->name));
	else if (job->keeps_state)
		status = pipeline_load_all(job->pipelines[0], job->gathering.records, err);
	gathering_close(&job->gathering);
	if (status == FERRIS_OK && job->keeps_state && pipeline_is_done(job->pipelines[0])) {
		job->satisfied = true;
		job->stop = true;
	}
	return status;
}

const WriterMark *
job_resume_mark(const Job *job, MarkOwner owner)
{
	return job->has_marks ? &job->marks[owner] : NULL;
}

/* Rows that a run before its first epoch adds behind others could not be told from them. */
Status
job_begin_epochs(Job *job, Error *err)
{
	const Endpoint *sink = job->spec.plan->sink;
	bool alone = sink->connector->replaces != NULL &&
		     sink->connector->replaces(sink->connector_settings);

	if (job->journal == NULL || job->has_marks ||
	    (alone && job->spec.plan->dead_letters == NULL))
		return FERRIS_OK;
	return job_commit_journal(job, err);
}

void
job_close_state(Job *job)
{
	log_copy_close(job, false);
	if (job->log != NULL)
		job->sink->log_close(job->log);
	job->log = NULL;
	journal_close(job->journal);
	job->journal = NULL;
	gathering_close(&job->gathering);
}

/* ---------------------------------------------------------------- the task's side */

typedef struct ChangeWriter {
	StateWriter base;
	Buffer *out;
} ChangeWriter;

static Status
note_change(StateWriter *base, Str key, Str value, Error *err)
{
	(void)err;
	changes_add(((ChangeWriter *)base)->out, STR(""), key, value);
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

Status
job_put_into_log(Job *job, Str key, Str value, Error *err)
{
	TRY(job->sink->log_put(job->log, key, value, err));
	log_copy_put(job->copy, key, value);
	return FERRIS_OK;
}

Status
job_put_record(Job *job, Str key, Str value, Error *err)
{
	TRY(job_survives(job, CRASH_PUT, err));
	TRY(job->journal != NULL ? journal_put(job->journal, key, value, err)
				 : large_record_put(job, key, value, err));
	return job_survives(job, CRASH_PUT, err);
}

Status
job_identify(Job *job, Error *err)
{
	if (job->identified)
		return FERRIS_OK;
	job->identified = true;
	return job_put_record(job, IDENTITY_KEY,
			      (Str){(const char *)&job->identity, sizeof job->identity}, err);
}

Str
job_ended_key(uint32_t source, char *out)
{
	memcpy(out, ENDED_KEY.data, ENDED_KEY.len);
	memcpy(out + ENDED_KEY.len, &source, sizeof source);
	return (Str){out, ENDED_KEY.len + sizeof source};
}

Status
job_put_end(Job *job, uint32_t source, Str value, Error *err)
{
	char key[ENDED_KEY_MAX];

	TRY(job_put_record(job, job_ended_key(source, key), value, err));
	job->inputs[source].end_is_put = value.data != NULL;
	return FERRIS_OK;
}

/* A source that has ended must not end once more when the job is opened anew. */
static Status
put_ends(Job *job, Error *err)
{
	for (uint32_t i = 0; i < job->source_count; i++) {
		Input *input = &job->inputs[i];

		if (!input->end_is_out || input->end_is_put)
			continue;
		TRY(job_put_end(job, i, STR(""), err));
		job->dirty = true;
	}
	return FERRIS_OK;
}

typedef struct RecordWriter {
	StateWriter base;
	Job *job;
} RecordWriter;

static Status
put_change(StateWriter *base, Str key, Str value, Error *err)
{
	return job_put_record(((RecordWriter *)base)->job, key, value, err);
}

Status
job_put_changes(Job *job, Slot *slot, Error *err)
{
	RecordWriter writer = {.base = {put_change, true}, .job = job};

	if (!job->keeps_state)
		return FERRIS_OK;
	TRY(job_identify(job, err));
	job->dirty = job->dirty || slot->changes.len > 0;
	TRY(changes_save(&slot->changes, &writer.base, err));
	return put_ends(job, err);
}

/* `place` NULL: the split has none. */
static Status
put_place(Job *job, uint32_t source, Str split, const SplitState *place, Error *err)
{
	Buffer *key = &job->record_key, *value = &job->record_value;
	char kind = PLACE_KEY;

	buffer_reset(key);
	buffer_reset(value);
	buffer_append(key, &kind, 1);
	record_key_u32(key, source);
	buffer_append_str(key, split);
	if (place != NULL) {
		record_u64(value, (uint64_t)place->next);
		record_u64(value, place->lines);
		buffer_append_str(value, place->origin);
	}
	return job_put_record(job, (Str){key->data, (uint32_t)key->len},
			      (Str){place != NULL ? value->data : NULL, (uint32_t)value->len}, err);
}

static Status
put_places_of(Job *job, uint32_t index, bool done, Error *err)
{
	const Source *source = &job->sources[index];
	Input *input = &job->inputs[index];

	for (uint32_t i = 0; i < input->place_count && done; i++)
		TRY(put_place(job, index, input->places[i].split, NULL, err));
	for (uint32_t i = 0; i < input->split_count; i++) {
		SplitState *split = &input->splits[i];

		if (!split->seen || (!split->moved && !done))
			continue;
		Str name = str_from(source->connector->split_name(source->reader, i));
		TRY(put_place(job, index, name, done ? NULL : split, err));
		split->moved = false;
	}
	return FERRIS_OK;
}

Status
job_put_places(Job *job, bool done, Error *err)
{
	if (!job->keeps_records)
		return FERRIS_OK;
	TRY(job_identify(job, err));
	for (uint32_t i = 0; i < job->source_count; i++)
		TRY(put_places_of(job, i, done, err));
	/* Another query may have the place then. */
	return done ? job_put_record(job, IDENTITY_KEY, (Str){NULL, 0}, err) : FERRIS_OK;
}

/* Output and dead letters are on the disk before the epoch says so. */
Status
job_commit_journal(Job *job, Error *err)
{
	bool letters = job->spec.plan->dead_letters != NULL;

	TRY(job_put_places(job, false, err));
	TRY(job->sink->mark(job->writer, &job->marks[MARK_OUTPUT], err));
	if (letters)
		TRY(failure_mark(job->failures, &job->marks[MARK_DEAD_LETTERS], err));
	for (MarkOwner owner = 0; owner < (letters ? MARK_COUNT : MARK_DEAD_LETTERS); owner++) {
		char key[2] = {MARK_KEY, (char)owner};

		TRY(journal_put(job->journal, (Str){key, sizeof key},
				(Str){(const char *)&job->marks[owner], sizeof(WriterMark)}, err));
	}
	return journal_commit(job->journal, err);
}
