/* job/restart.h -- a job whose epoch failed is opened anew, and goes on from the last epoch that
 * became final: so the way back from an error is the way that a start takes after a crash.
 *
 * Threads: the one that opened the job. */
#pragma once

#include "job/job.h"

typedef struct Restarts {
	JobSpec spec;      /* of the first start; its counters go on */
	uint32_t attempts; /* one after the other, without an epoch between them */
	/* Asked while it waits; true: no more tries. */
	bool (*interrupted)(void *context);
	void *context;
} Restarts;

/* Whether a disk of a trial has failed: whoever started the statement would do so again. */
bool restart_disk_failed(const JobSpec *spec);
/* Opens and starts a job in place of one that has failed in a way that allows it.  True: it runs
 * again.  False: *job has failed for good. */
bool job_restart(Restarts *self, Job **job);
