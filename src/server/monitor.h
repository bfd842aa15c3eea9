/* server/monitor.h -- what a run shows to those who ask over HTTP.
 *
 * The runner's thread puts down how its statements stand, many times a second; a request reads a
 * copy of that.  So nobody who asks can hold up a job, and nothing of a job is read while it
 * changes.
 *
 * Threads: monitor_observe is the runner's; monitor_read may be called from any. */
#pragma once

#include "job/runner.h"

#define PROBLEM_MAX 320

typedef struct Monitor Monitor;

typedef enum Health { HEALTH_HEALTHY, HEALTH_WARNING, HEALTH_CRITICAL } Health;

/* What keeps it from being healthy. */
typedef struct Problem {
	Health health;
	char text[PROBLEM_MAX];
} Problem;

/* Over the last seconds, or since the start if that is less. */
typedef struct Rate {
	double records; /* read, per second */
	double bytes;
} Rate;

typedef struct JobView {
	StatementState state;
	Rate rate;
	int64_t last_record_ms; /* when records last came, of the day; 0: none yet */
} JobView;

/* How all stands at one moment. */
typedef struct MonitorView {
	Str application;
	JobView *jobs; /* statements that move records */
	uint32_t job_count;
	uint32_t active; /* of them, running */
	JobCounters sum;
	Rate rate;
	int64_t begun_ms; /* of the day */
	double uptime_s;
	int64_t resident_bytes, peak_bytes; /* -1: not known */
	double memory_share;                /* of what the process may use; -1: not known */
	Health health;
	Problem *problems;
	uint32_t problem_count;
} MonitorView;

/* plan: stays as long as the monitor. */
Monitor *monitor_new(const ScriptPlan *plan, Str application);
void monitor_free(Monitor *monitor);
/* As RunSpec's observe. */
void monitor_observe(void *monitor, const StatementState *states, uint32_t count);
/* The caller frees it. */
void monitor_read(Monitor *monitor, MonitorView *out);
void monitor_view_free(MonitorView *view);
/* "Starting", "Running", "Stopped", "Failed": the words of the REST API. */
const char *monitor_status_word(RunningStatus status);
/* "Healthy", "Warning", "Critical" */
const char *health_name(Health health);
