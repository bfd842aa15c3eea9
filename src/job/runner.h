/* job/runner.h -- run the statements of a script side by side until the last has ended.
 *
 * Threads: one; the jobs have their own. */
#pragma once

#include "job/job.h"

typedef struct RunSpec {
	const ScriptPlan *plan;
	Str application;
	void *environment;
	const _Atomic int64_t *clock_offset_ms; /* as JobSpec's */
	int64_t row_limit;                      /* of plain SELECTs; INT64_MAX: none */
	Trial trial;
	const struct Savepoint
		*from; /* what all statements start from; NULL: where they were left */
	/* Asked several times a second; true ends the run by draining every job. */
	bool (*interrupted)(void *context);
	/* Called about every second with the sum over all jobs; may be NULL. */
	void (*progress)(void *context, const JobCounters *sum, double seconds);
	void *context;
} RunSpec;

typedef struct RunSummary {
	JobCounters sum;
	double seconds;
	uint32_t failed_jobs;
} RunSummary;

/* The first failing job stops the others; its error is the result.  Further errors are printed. */
Status run_script(const RunSpec *spec, RunSummary *summary, Error *err);
