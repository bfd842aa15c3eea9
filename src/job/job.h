/* job/job.h -- one statement at work: reader, tasks and writer around bounded rings.
 *
 *     reader thread --filled--> task threads --done--> writer thread
 *           ^                                               |
 *           +--------------------- free <-------------------+
 *
 * What goes round are slots: a chunk of input and what became of it.  There are few of them, so a
 * slow sink stops the reader (backpressure), and memory stays what it was at the start.  The
 * writer takes the slots in the reader's order, whatever the number of tasks: output, row errors,
 * LIMIT and committed positions are those of one task.
 *
 * Threads: a Job is opened, started, waited for and closed by one thread; job_stop and
 * job_counters may be called from any. */
#pragma once

#include <stdatomic.h>

#include "base/histogram.h"
#include "exec/pipeline.h"

typedef struct Job Job;

/* The books balance once the job has ended: what came in, and what groups gave out beside it, is
 * in + results = out + filtered + failed + limited + late + aggregated. */
typedef struct JobCounters {
#define COUNTER(name, metric, label, doc) uint64_t name;
#include "job/counter_list.h"
#define HISTOGRAM(name, metric, label, per_second, doc) HistogramCounts name;
#include "job/histogram_list.h"
	int64_t lag;        /* bytes or records not read yet; -1: not known */
	int64_t elapsed_us; /* at work */
} JobCounters;

typedef struct JobSpec {
	const StatementPlan *plan;
	Str application;   /* part of the consumer group's name */
	void *environment; /* for connectors */
	int64_t row_limit; /* at most so many rows; INT64_MAX: no limit */
	/* Added to the clock by which idle sources are judged; NULL: nothing. */
	const _Atomic int64_t *clock_offset_ms;
	Trial trial;
	uint32_t process;     /* in a trial: of those that run the statement side by side */
	SplitShare share;     /* of a statement whose state is kept split by split: this one's */
	JobCounters counters; /* it goes on counting from there */
	const struct Savepoint *from; /* NULL: from where it was left; lives as long */
} JobSpec;

/* Opens reader and writer and compiles the plan; nothing moves yet. */
Status job_open(const JobSpec *spec, Job **out, Error *err);
Status job_start(Job *job, Error *err);
/* Read nothing more; what has been read is processed, written and committed. */
void job_stop(Job *job);
bool job_is_done(const Job *job);
bool job_failed(Job *job);
/* Exactly-once: the job has ended because an epoch failed; one that is opened anew goes on from the
 * last that became final.  `counters`: as they were then; *progressed: an epoch became final since
 * it was opened. */
bool job_may_restart(Job *job, JobCounters *counters, bool *progressed);
/* A job that could not be opened or started counts as ended, with that error. */
void job_abandon(Job *job, const Error *err);
/* Waits for the end; returns how it went. */
Status job_wait(Job *job, Error *err);
void job_close(Job *job);
/* How far the event time of one of the plan's scans has come; after job_open, until job_close. */
const SourceTime *job_source_time(const Job *job, uint32_t source);
/* The least number of the partitions that it sees. */
uint32_t job_first_split(const Job *job);
void job_counters(Job *job, JobCounters *out);
void job_counters_add(JobCounters *sum, const JobCounters *own);
/* Records read, since it began. */
double job_records_per_second(const JobCounters *counters);

/* How the source of that number is opened; what it points to lives in the arena. */
SourceSpec job_source_spec(const JobSpec *spec, uint32_t source, Arena *arena);
