/* job/runner.h -- run the statements of a script side by side until the last has ended.
 *
 * Threads: one; the jobs have their own. */
#pragma once

#include "job/running.h"

/* How a statement of the script stands. */
typedef struct StatementState {
	const StatementPlan *plan;
	RunningStatus status;
	Error error; /* if it has failed */
	JobCounters counters;
} StatementState;

typedef struct RunSpec {
	const ScriptPlan *plan;
	Str application;
	void *environment;
	const _Atomic int64_t *clock_offset_ms; /* as JobSpec's */
	int64_t row_limit;                      /* of plain SELECTs; INT64_MAX: none */
	Trial trial;
	const struct Savepoint
		*from; /* what all statements start from; NULL: where they were left */
	/* A server's: a job that fails stops no other one, and the run goes on until it is
	 * interrupted. */
	bool stays;
	/* Asked several times a second; true ends the run by draining every job. */
	bool (*interrupted)(void *context);
	/* Called many times a second, and at the end, with all statements; may be NULL. */
	void (*observe)(void *context, const StatementState *states, uint32_t count);
	/* Called about every second with the sum over all jobs; may be NULL. */
	void (*progress)(void *context, const JobCounters *sum, double seconds);
	void *context;
} RunSpec;

typedef struct RunSummary {
	JobCounters sum;
	double seconds;
	uint32_t failed_jobs;
} RunSummary;

/* The first failing job stops the others, and its error is the result; further errors are printed.
 * One that stays prints all errors, and is well. */
Status run_script(const RunSpec *spec, RunSummary *summary, Error *err);
