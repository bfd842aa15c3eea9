/* job/restore.c -- a statement starts from a savepoint.
 *
 * What the savepoint holds takes the place of what the statement's log or journal held, as an epoch
 * of its own; from then on nothing is special.  The log says which savepoint it was, so that the
 * same command may be repeated after a crash: it goes on from the log then.
 *
 * The operators of a plan that has changed have other numbers: records go to the operator of the
 * same shape (plan/kept_state.h).  What finds none is dropped, if the user said so. */
#include "base/memory.h"
#include "job/job_internal.h"
#include "job/savepoint.h"
#include "state/record.h"
#include "state/store.h"

#define STATES_MAX 65536 /* operators or sources: more of them are damage */

typedef struct Restoring {
	Job *job;
	Journal *journal;
	KeptStates before; /* shapes and numbers */
	uint32_t *target;  /* for each of them: the number now, or UPGRADE_NONE */
	uint32_t *source;  /* for each source before: the one now, or UPGRADE_NONE */
	uint32_t source_count;
	Str output; /* what it was */
	Gathering fresh;
} Restoring;

/* ---------------------------------------------------------------- facts */

static void
take_state(Restoring *self, uint32_t number, Str shape)
{
	Arena *arena = &self->job->arena;
	KeptState *state = kept_states_add(arena, &self->before);
	const char *line = memchr(shape.data, '\n', shape.len);

	state->number = number;
	state->shape = str_copy(arena, shape);
	state->title =
		(Str){state->shape.data, line != NULL ? (uint32_t)(line - shape.data) : shape.len};
}

/* The source of that name. */
static Status
take_source(Restoring *self, uint32_t number, Str name, Error *err)
{
	const StatementPlan *plan = self->job->spec.plan;

	if (number != self->source_count || number >= STATES_MAX)
		return store_damaged(err);
	self->source = memory_resize(self->source, sizeof *self->source * ++self->source_count);
	self->source[number] = UPGRADE_NONE;
	for (uint32_t i = 0; i < plan->scan_count && self->source[number] == UPGRADE_NONE; i++)
		if (str_eq(plan->scans[i]->scan.endpoint->name, name))
			self->source[number] = i;
	if (self->source[number] != UPGRADE_NONE || self->job->spec.from->drops)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_SAVEPOINT,
		  "the savepoint says how far '%.*s' was read, which '%.*s' does not read now",
		  STR_ARG(name), STR_ARG(plan->name));
	return error_hint(err, "keep that source, or say --drop-state");
}

/* Of FF kind number: the number; false: it is of another kind. */
static bool
is_fact(Str key, const char *kind, uint32_t *number)
{
	size_t len = strlen(kind);

	if (key.len != 1 + len + sizeof *number || key.data[0] != SAVEPOINT_FACT[0] ||
	    memcmp(key.data + 1, kind, len) != 0)
		return false;
	memcpy(number, key.data + 1 + len, sizeof *number);
	*number = __builtin_bswap32(*number);
	return true;
}

static Status
take_fact(void *context, Str key, Str value, Error *err)
{
	Restoring *self = context;
	uint32_t number;

	if (is_fact(key, SAVEPOINT_OPERATOR, &number))
		take_state(self, number, value);
	else if (is_fact(key, SAVEPOINT_SOURCE, &number))
		return take_source(self, number, value, err);
	else if (is_fact(key, SAVEPOINT_SINK, &number))
		self->output = str_copy(&self->job->arena, value);
	return FERRIS_OK;
}

/* Who takes over what. */
static Status
match(Restoring *self, Error *err)
{
	Job *job = self->job;
	KeptStates now = plan_kept_states(&job->arena, job->spec.plan);
	uint32_t *matches = plan_match_states(&job->arena, &self->before, &now);

	self->target = ARENA_ARRAY(&job->arena, uint32_t, self->before.count + 1);
	for (uint32_t i = 0; i < self->before.count; i++)
		self->target[i] = UPGRADE_NONE;
	for (uint32_t i = 0; i < now.count && job->keeps_state; i++)
		if (matches[i] != UPGRADE_NONE)
			self->target[matches[i]] = now.items[i].number;
	for (uint32_t i = 0; i < self->before.count && !job->spec.from->drops; i++) {
		if (self->target[i] != UPGRADE_NONE)
			continue;
		error_set(err, FERRIS_ERR_SAVEPOINT,
			  "nothing in '%.*s' can take over the state of: %.*s",
			  STR_ARG(job->spec.plan->name), STR_ARG(self->before.items[i].title));
		return error_hint(err, "`ferris-sql explain upgrade OLD.sql NEW.sql` compares the "
				       "two; --drop-state begins without it");
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- records */

static Status
take_renumbered(Restoring *self, Str key, uint32_t skipped, uint32_t number, Str value, Error *err)
{
	Buffer *out = &self->job->record_key;

	buffer_reset(out);
	buffer_append(out, key.data, skipped);
	record_key_u32(out, number);
	buffer_append_str(out, str_skip(key, skipped + (uint32_t)sizeof number));
	return gathering_take(&self->fresh, (Str){out->data, (uint32_t)out->len}, value, err);
}

static Status
take_place(Restoring *self, Str key, Str value, Error *err)
{
	RecordReader reader = record_reader(str_skip(key, 1));
	uint32_t source = __builtin_bswap32(record_take_u32(&reader));

	if (reader.damaged || source >= self->source_count)
		return store_damaged(err);
	return self->source[source] == UPGRADE_NONE
		       ? FERRIS_OK
		       : take_renumbered(self, key, 1, self->source[source], value, err);
}

static Status
take_of_operator(Restoring *self, Str key, Str value, Error *err)
{
	RecordReader reader = record_reader(key);
	uint32_t number = __builtin_bswap32(record_take_u32(&reader));

	for (uint32_t i = 0; i < self->before.count && !reader.damaged; i++)
		if (self->before.items[i].number == number)
			return self->target[i] == UPGRADE_NONE
				       ? FERRIS_OK
				       : take_renumbered(self, key, 0, self->target[i], value, err);
	return store_damaged(err);
}

static Status
take_record(void *context, Str key, Str value, Error *err)
{
	Restoring *self = context;

	if (key.len == 0)
		return store_damaged(err);
	switch (key.data[0]) {
	case MARK_KEY: /* another output has other marks */
		return str_eq(self->output, job_output(self->job))
			       ? gathering_take(&self->fresh, key, value, err)
			       : FERRIS_OK;
	case PLACE_KEY:
		return take_place(self, key, value, err);
	case '\xFF':
		return FERRIS_OK;
	default:
		return take_of_operator(self, key, value, err);
	}
}

/* ---------------------------------------------------------------- into the log */

static Status
remove_record(void *context, Str key, Str value, Error *err)
{
	(void)value;
	return job_put_record(context, key, (Str){NULL, 0}, err);
}

static Status
put_into_log(void *context, Str key, Str value, Error *err)
{
	return job_put_record(context, key, value, err);
}

/* Last of all: without it a journal that is cut short is nobody's. */
static Status
put_owner(Job *job, Error *err)
{
	job->identified = false;
	TRY(job_identify(job, err));
	job->restored = job->spec.from->id;
	return job_put_record(job, RESTORED_KEY, job->restored, err);
}

/* The ends of sources are not among the gathered records. */
static Status
take_end(void *context, Str key, Str value, Error *err)
{
	Restoring *self = context;
	Job *job = self->job;
	uint32_t number;

	(void)value;
	if (!is_fact(key, SAVEPOINT_ENDED, &number))
		return FERRIS_OK;
	if (number >= self->source_count)
		return store_damaged(err);
	uint32_t source = self->source[number];
	if (source == UPGRADE_NONE)
		return FERRIS_OK;
	job->inputs[source].ended = job->inputs[source].end_is_out = true;
	return job_put_end(job, source, STR(""), err);
}

/* Those of the old records, and then those of the savepoint. */
static Status
replace_ends(Restoring *self, Error *err)
{
	Job *job = self->job;

	for (uint32_t i = 0; i < job->spec.plan->scan_count; i++) {
		Input *input = &job->inputs[i];

		if (input->end_is_put)
			TRY(job_put_end(job, i, (Str){NULL, 0}, err));
		input->ended = input->end_is_out = false;
	}
	return journal_read(self->journal, take_end, self, err);
}

static Status
replace_log(Restoring *self, Error *err)
{
	Job *job = self->job;
	StateBackend *old = job->gathering.records;

	TRY(backend_each(old, STR(""), remove_record, job, err));
	TRY(backend_each(self->fresh.records, STR(""), put_into_log, job, err));
	TRY(replace_ends(self, err));
	TRY(put_owner(job, err));
	return job->sink->commit_epoch(job->writer, NULL, 0, err);
}

static Status
replace_journal(Restoring *self, Error *err)
{
	Job *job = self->job;

	TRY(journal_remove(job->journal, err));
	TRY(journal_put_all(job->journal, self->fresh.records, err));
	TRY(replace_ends(self, err));
	TRY(put_owner(job, err));
	return journal_commit(job->journal, err);
}

static Status
replace(Restoring *self, Error *err)
{
	Job *job = self->job;

	log_copy_discard(job);
	TRY(job->journal != NULL ? replace_journal(self, err) : replace_log(self, err));
	gathering_close(&job->gathering);
	job->gathering = self->fresh;
	self->fresh = (Gathering){0};
	job->foreign = false;
	return FERRIS_OK;
}

static Status
no_place(const Job *job, Error *err)
{
	if (job->spec.from->drops)
		return FERRIS_OK;
	error_set(
		err, FERRIS_ERR_SAVEPOINT,
		"the savepoint holds the state of '%.*s', which keeps nothing from run to run now",
		STR_ARG(job->spec.plan->name));
	return error_hint(err,
			  "EXPLAIN shows its guarantee; --drop-state begins without the state");
}

static Status
restore(Restoring *self, Error *err)
{
	Job *job = self->job;

	TRY(savepoint_journal(job->spec.from->folder,
			      savepoint_name(&job->arena, job->spec.plan->name), &self->journal,
			      err));
	if (!journal_has_epochs(self->journal))
		return FERRIS_OK; /* it kept nothing, or it is new */
	if (!job->keeps_records)
		return no_place(job, err);
	TRY(journal_read(self->journal, take_fact, self, err));
	TRY(match(self, err));
	TRY(job_open_gathering(job, &self->fresh, err));
	TRY(journal_read(self->journal, take_record, self, err));
	TRY(gathering_finish(&self->fresh, err));
	TRY(replace(self, err));
	return FERRIS_OK;
}

Status
job_restore(Job *job, Error *err)
{
	Restoring self = {.job = job};

	/* The same command once more; another query means to begin there again. */
	if (str_eq(job->restored, job->spec.from->id) && !job->foreign)
		return FERRIS_OK;
	Status status = restore(&self, err);
	journal_close(self.journal);
	gathering_close(&self.fresh);
	memory_free(self.source);
	return status;
}
