/* job/running.h -- a statement at work: one job, or one for each of its partitions.
 *
 * Threads: the runner's; job/job.h says what the functions of the same names do. */
#pragma once

#include "job/restart.h"

typedef struct Running Running;

/* How a statement of a script stands; SHOW JOBS and STATUS, and whoever observes a run. */
typedef enum RunningStatus {
	RUNNING_WAITING, /* its turn has not come */
	RUNNING_RUNS,
	RUNNING_FINISHED,
	RUNNING_FAILED,
} RunningStatus;

/* spec->spec is the job's. */
Status running_open(const Restarts *spec, Running **out, Error *err);
Status running_start(Running *running, Error *err);
void running_stop(Running *running);
bool running_is_done(const Running *running);
bool running_failed(Running *running);
/* Counts as ended, with that error. */
void running_abandon(Running *running, const Error *err);
/* It has failed: true if it runs again. */
bool running_restart(Running *running);
Status running_wait(Running *running, Error *err);
void running_close(Running *running);
/* NULL: it was not opened. */
RunningStatus running_status(Running *running);
/* "waiting", "running", "finished", "failed" */
const char *running_status_name(RunningStatus status);
void running_counters(Running *running, JobCounters *out);
/* For each of its jobs that is open. */
void running_each(Running *running, void (*visit)(void *context, const Job *job), void *context);
