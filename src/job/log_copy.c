/* job/log_copy.c -- a copy on the local disk of the log that a statement's state is in.
 *
 * The log of a statement to a topic is a topic; to read a large one again at every start is slow.
 * A journal (state/journal.h) beside it holds the same records, and
 *
 *     FF "copy"   log's number, a position of the log, the time
 *
 * which says that all records before that position are in it (those behind it may be too).  A start
 * reads the journal, and then the log from the position on: of a key the last record counts, so
 * what comes twice does no harm.
 *
 * The position is asked for between two epochs, and used when the next one is final.  In each
 * stretch of the log between two such positions stands the log's number once: so what is read
 * behind the position shows that it is the same log still, and not another of that name.  A copy is
 * not used when it is so old that the log may have forgotten which keys are gone.
 *
 * The copy is a convenience: what goes wrong with it is a warning, and the log is read instead.
 *
 * Threads: the writer's, or the main thread before it starts and after it has ended; a thread of
 * its own writes the journal. */
#include <errno.h>
#include <pthread.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/memory.h"
#include "job/job_internal.h"
#include "state/changes.h"
#include "state/record.h"

#define COPY_KEY                                                                                   \
	STR("\xFF"                                                                                 \
	    "copy")
#define PART_BYTES  ((size_t)16 << 20) /* so much at a time */
#define AHEAD_BYTES ((size_t)64 << 20) /* of changes, before the log waits for its copy */

/* What the journal says of itself. */
typedef struct CopyMark {
	uint64_t log_id;
	int64_t position;
	int64_t written_ms;
} CopyMark;

struct LogCopy {
	Journal *journal;
	Buffer changes;  /* since the last part */
	CopyMark mark;   /* of the next one */
	bool marked;     /* mark.position is known, */
	bool signed_;    /* and the log's number stands behind it */
	int64_t next_ms; /* when it is to be written */
	int64_t interval;
	bool usable; /* the journal is open */
	bool kept;   /* it is in step with the log */
	/* the writing thread */
	bool has_thread;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	Buffer part; /* under the mutex: what it writes, */
	CopyMark part_mark;
	bool busy; /* until this is false */
	bool ends;
	Status status; /* of the last part */
	Error error;
};

/* ---------------------------------------------------------------- the writing thread */

typedef struct PartWriter {
	StateWriter base;
	Journal *journal;
} PartWriter;

static Status
put_part(StateWriter *base, Str key, Str value, Error *err)
{
	return journal_put(((PartWriter *)base)->journal, key, value, err);
}

static Status
write_part(LogCopy *copy, Error *err)
{
	PartWriter writer = {{put_part, true}, copy->journal};

	TRY(changes_save(&copy->part, &writer.base, err));
	copy->part_mark.written_ms = clock_wall_ms();
	TRY(journal_put(copy->journal, COPY_KEY,
			(Str){(const char *)&copy->part_mark, sizeof copy->part_mark}, err));
	return journal_commit(copy->journal, err);
}

static void *
copy_main(void *argument)
{
	LogCopy *copy = argument;

	pthread_mutex_lock(&copy->mutex);
	while (!copy->ends || copy->busy) {
		if (!copy->busy) {
			pthread_cond_wait(&copy->changed, &copy->mutex);
			continue;
		}
		pthread_mutex_unlock(&copy->mutex);
		Status status = write_part(copy, &copy->error);
		pthread_mutex_lock(&copy->mutex);
		copy->status = status;
		copy->busy = false;
		pthread_cond_signal(&copy->changed);
	}
	pthread_mutex_unlock(&copy->mutex);
	return NULL;
}

static void
give_up(LogCopy *copy, const Error *err)
{
	fprintf(stderr,
		"warning[FS%04d]: %s; the copy of the state on the local disk is not brought up to "
		"date, a start will read the topic\n",
		error_info(err->status)->number, err->message);
	copy->kept = false;
	buffer_reset(&copy->changes);
}

/* Whether the last part is written; `waits`: it is when this returns. */
static bool
is_idle(LogCopy *copy, bool waits)
{
	pthread_mutex_lock(&copy->mutex);
	while (copy->busy && waits)
		pthread_cond_wait(&copy->changed, &copy->mutex);
	bool idle = !copy->busy;
	pthread_mutex_unlock(&copy->mutex);
	if (idle && copy->kept && copy->status != FERRIS_OK)
		give_up(copy, &copy->error);
	return idle;
}

/* The thread is idle. */
static void
hand_over(LogCopy *copy)
{
	Buffer empty = copy->part;

	copy->part = copy->changes;
	copy->changes = empty;
	copy->part_mark = copy->mark;
	if (!copy->has_thread) {
		copy->status = write_part(copy, &copy->error);
		return;
	}
	pthread_mutex_lock(&copy->mutex);
	copy->busy = true;
	pthread_cond_signal(&copy->changed);
	pthread_mutex_unlock(&copy->mutex);
}

/* ---------------------------------------------------------------- opening, closing */

static LogCopy *
copy_new(const Job *job)
{
	LogCopy *copy = memory_zero(sizeof *copy);

	copy->interval = job->spec.plan->job[JOB_STATE_COPY_INTERVAL].integer;
	buffer_init(&copy->changes, SIZE_MAX);
	buffer_init(&copy->part, SIZE_MAX);
	pthread_mutex_init(&copy->mutex, NULL);
	pthread_cond_init(&copy->changed, NULL);
	return copy;
}

static void
copy_free(LogCopy *copy)
{
	if (copy->has_thread) {
		pthread_mutex_lock(&copy->mutex);
		copy->ends = true;
		pthread_cond_signal(&copy->changed);
		pthread_mutex_unlock(&copy->mutex);
		pthread_join(copy->thread, NULL);
	}
	journal_close(copy->journal);
	pthread_cond_destroy(&copy->changed);
	pthread_mutex_destroy(&copy->mutex);
	buffer_free(&copy->changes);
	buffer_free(&copy->part);
	memory_free(copy);
}

/* One that is damaged is made anew. */
static Status
open_journal(Job *job, LogCopy *copy, Error *err)
{
	JournalSpec spec = {
		.dir = job->state_dir,
		.name = str_format(&job->arena, "%s-copy", job->log_part).data,
		.memory = job_reading_memory(job),
		.disk = job->disk,
	};
	Status status = journal_open(&spec, &copy->journal, err);

	if (status == FERRIS_ERR_STATE_DAMAGED) {
		TRY(journal_remove(copy->journal, err));
		journal_close(copy->journal);
		status = journal_open(&spec, &copy->journal, err);
	}
	copy->usable = status == FERRIS_OK;
	return status;
}

void
log_copy_close(Job *job, bool whole)
{
	LogCopy *copy = job->copy;

	if (copy == NULL)
		return;
	if (is_idle(copy, true) && whole && copy->kept && copy->signed_) {
		hand_over(copy);
		is_idle(copy, true);
	}
	copy_free(copy);
	job->copy = NULL;
}

/* ---------------------------------------------------------------- reading */

static Status
find_mark(void *context, Str key, Str value, Error *err)
{
	(void)err;
	if (str_eq(key, COPY_KEY) && value.len == sizeof(CopyMark))
		memcpy(context, value.data, sizeof(CopyMark));
	return FERRIS_OK;
}

typedef struct CopyReading {
	Job *job;
	JournalVisit visit;
	LogCopy *copy;
	uint64_t copied; /* records of the copy, */
	uint64_t read;   /* and of the log */
} CopyReading;

static Status
visit_copied(void *context, Str key, Str value, Error *err)
{
	CopyReading *self = context;

	if (str_eq(key, COPY_KEY))
		return FERRIS_OK;
	self->copied++;
	return self->visit(self->job, key, value, err);
}

/* What a copy does not have is put into it. */
static Status
visit_read(void *context, Str key, Str value, Error *err)
{
	CopyReading *self = context;

	self->read++;
	log_copy_put(self->copy, key, value);
	return self->visit(self->job, key, value, err);
}

/* As if nothing had been read. */
static Status
forget(CopyReading *self, Error *err)
{
	Job *job = self->job;

	self->copied = self->read = 0;
	for (uint32_t i = 0; i < job->spec.plan->scan_count; i++)
		job->inputs[i].ended = job->inputs[i].end_is_out = job->inputs[i].end_is_put =
			false;
	job->identified = job->foreign = false;
	job->restored = (Str){NULL, 0};
	job->log_id = 0;
	gathering_close(&job->gathering);
	return job_open_gathering(job, &job->gathering, err);
}

/* `*used`: what was read is the state of the log. */
static Status
read_copy(CopyReading *self, bool *used, Error *err)
{
	Job *job = self->job;
	LogCopy *copy = self->copy;
	CopyMark mark = {0};

	*used = false;
	if (!journal_has_epochs(copy->journal))
		return FERRIS_OK;
	TRY(journal_read(copy->journal, find_mark, &mark, err));
	int64_t age = clock_wall_ms() - mark.written_ms;
	if (mark.log_id == 0 || age < 0 || age > job->log->keeps_ms / 2)
		return FERRIS_OK;
	TRY(journal_read(copy->journal, visit_copied, self, err));
	job->log_id = 0; /* it must be read again */
	copy->kept = true;
	TRY(job->sink->log_read(job->log, mark.position, visit_read, self, err));
	*used = job->log_id == mark.log_id;
	return FERRIS_OK;
}

/* Not every trial: each life of a process would copy all of its state. */
static bool
wants_copy(const Job *job)
{
	return job->spec.plan->job[JOB_STATE_COPY_INTERVAL].integer > 0 &&
	       job->spec.trial.crash_seed % 4 == 0;
}

Status
job_read_log(Job *job, JournalVisit visit, Error *err)
{
	CopyReading reading = {.job = job, .visit = visit};
	int64_t begin = clock_ms();
	bool used = false;
	Error own;

	if (wants_copy(job)) {
		LogCopy *copy = reading.copy = job->copy = copy_new(job);

		Status status = open_journal(job, copy, &own);
		if (status == FERRIS_OK)
			status = read_copy(&reading, &used, &own);
		if (status == FERRIS_ERR_STATE_DAMAGED) /* or it is of another query */
			status = journal_remove(copy->journal, &own);
		if (status != FERRIS_OK)
			give_up(copy, &own);
		copy->kept = used;
		if (!used)
			buffer_reset(&copy->changes);
	}
	if (!used) {
		if (reading.copied + reading.read > 0)
			TRY(forget(&reading, err));
		TRY(job->sink->log_read(job->log, LOG_BEGIN, visit_read, &reading, err));
	}
	if (reading.copied + reading.read > 0 && job->spec.trial.crash_seed == 0)
		fprintf(stderr,
			"'%.*s' goes on: %llu records of state from the copy on this disk, %llu "
			"from topic '%s', in %lld ms\n",
			STR_ARG(job->spec.plan->name), (unsigned long long)reading.copied,
			(unsigned long long)reading.read, job->log_part,
			(long long)(clock_ms() - begin));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- keeping */

static Status
copy_facts(Job *job, Journal *journal, Error *err)
{
	Str identity = {(const char *)&job->identity, sizeof job->identity};

	if (job->identified)
		TRY(journal_put(journal, IDENTITY_KEY, identity, err));
	if (job->restored.data != NULL)
		TRY(journal_put(journal, RESTORED_KEY, job->restored, err));
	for (uint32_t i = 0; i < job->spec.plan->scan_count; i++) {
		char key[ENDED_KEY_MAX];

		if (job->inputs[i].end_is_put)
			TRY(journal_put(journal, job_ended_key(i, key), STR(""), err));
	}
	return FERRIS_OK;
}

/* Of what was read, or restored; not believed before its first mark. */
static Status
copy_all(Job *job, Error *err)
{
	LogCopy *copy = job->copy;

	TRY(journal_remove(copy->journal, err));
	TRY(journal_put_all(copy->journal, job->gathering.records, err));
	TRY(copy_facts(job, copy->journal, err));
	return journal_commit(copy->journal, err);
}

/* Where the next part begins. */
static void
mark_position(Job *job)
{
	LogCopy *copy = job->copy;
	Error err;

	copy->signed_ = false;
	copy->next_ms = clock_ms() + copy->interval;
	copy->mark.log_id = job->log_id;
	copy->marked = job->sink->log_end(job->log, &copy->mark.position, &err) == FERRIS_OK;
}

static Status
name_log(Job *job, Error *err)
{
	if (job->log_id != 0)
		return FERRIS_OK;
	if (getrandom(&job->log_id, sizeof job->log_id, 0) == sizeof job->log_id)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_SYSTEM, "cannot get a random number");
	return error_errno(err, errno);
}

void
log_copy_begin(Job *job)
{
	LogCopy *copy = job->copy;
	Status status = FERRIS_OK;
	Error err;

	if (copy == NULL || !copy->usable)
		return;
	if (!copy->kept)
		status = copy_all(job, &err);
	if (status == FERRIS_OK)
		status = name_log(job, &err);
	copy->kept = status == FERRIS_OK;
	if (!copy->kept) {
		give_up(copy, &err);
		return;
	}
	mark_position(job);
	/* A trial's steps come one after the other. */
	copy->has_thread = job->spec.trial.crash_seed == 0 &&
			   pthread_create(&copy->thread, NULL, copy_main, copy) == 0;
}

void
log_copy_discard(Job *job)
{
	if (job->copy == NULL)
		return;
	job->copy->kept = false;
	buffer_reset(&job->copy->changes);
}

void
log_copy_put(LogCopy *copy, Str key, Str value)
{
	if (copy != NULL && copy->kept)
		changes_add(&copy->changes, STR(""), key, value);
}

Status
log_copy_sign(Job *job, Error *err)
{
	LogCopy *copy = job->copy;

	if (copy == NULL || !copy->kept || !copy->marked || copy->signed_)
		return FERRIS_OK;
	copy->signed_ = true;
	return job_put_record(job, LOG_ID_KEY,
			      (Str){(const char *)&job->log_id, sizeof job->log_id}, err);
}

void
log_copy_committed(Job *job)
{
	LogCopy *copy = job->copy;

	if (copy == NULL || !copy->kept)
		return;
	if (!copy->marked) {
		mark_position(job);
		return;
	}
	bool due = clock_ms() >= copy->next_ms || copy->changes.len >= PART_BYTES ||
		   (job->spec.trial.crash_seed != 0 && job->epochs % 4 == 0);
	if (!copy->signed_ || !due || !is_idle(copy, copy->changes.len >= AHEAD_BYTES) ||
	    !copy->kept)
		return;
	hand_over(copy);
	mark_position(job);
}
