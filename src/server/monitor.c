/* server/monitor.c -- copies of states under a mutex, rates from samples of the last seconds. */
#include "server/monitor.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/memory_use.h"

#define SAMPLES       12 /* so rates are those of the last 10 to 12 seconds */
#define SAMPLE_US     1000000
#define MEMORY_SCARCE 0.9

typedef struct Sample {
	uint64_t records, bytes;
} Sample;

/* A statement that moves records. */
typedef struct Watched {
	uint32_t at; /* of the script's */
	StatementState state;
	Sample samples[SAMPLES];
	uint64_t last_records;
	int64_t last_record_ms;
} Watched;

struct Monitor {
	/* set when it is made */
	Str application;
	int64_t begun_us, begun_ms;
	/* under the mutex */
	pthread_mutex_t mutex;
	Watched *jobs;
	uint32_t job_count;
	int64_t sample_us[SAMPLES]; /* when they were taken; 0: not yet */
	uint32_t next_sample;
};

Monitor *
monitor_new(const ScriptPlan *plan, Str application)
{
	Monitor *self = memory_zero(sizeof *self);

	pthread_mutex_init(&self->mutex, NULL);
	self->application = application;
	self->begun_us = clock_us();
	self->begun_ms = clock_wall_ms();
	self->jobs = memory_zero(sizeof(Watched) * (plan->count + 1));
	for (uint32_t i = 0; i < plan->count; i++) {
		if (plan->items[i]->waits)
			continue;
		Watched *job = &self->jobs[self->job_count++];
		job->at = i;
		job->state.plan = plan->items[i];
		job->state.counters.lag = -1;
	}
	return self;
}

void
monitor_free(Monitor *self)
{
	if (self == NULL)
		return;
	pthread_mutex_destroy(&self->mutex);
	memory_free(self->jobs);
	memory_free(self);
}

/* ---------------------------------------------------------------- the runner's */

static void
take_sample(Monitor *self, int64_t now_us)
{
	uint32_t last = (self->next_sample + SAMPLES - 1) % SAMPLES;

	if (self->sample_us[last] != 0 && now_us - self->sample_us[last] < SAMPLE_US)
		return;
	for (uint32_t i = 0; i < self->job_count; i++) {
		const JobCounters *counters = &self->jobs[i].state.counters;

		self->jobs[i].samples[self->next_sample] =
			(Sample){counters->records_in, counters->bytes_in};
	}
	self->sample_us[self->next_sample] = now_us;
	self->next_sample = (self->next_sample + 1) % SAMPLES;
}

void
monitor_observe(void *monitor, const StatementState *states, uint32_t count)
{
	Monitor *self = monitor;

	pthread_mutex_lock(&self->mutex);
	for (uint32_t i = 0; i < self->job_count && self->jobs[i].at < count; i++) {
		Watched *job = &self->jobs[i];

		job->state = states[job->at];
		if (job->state.counters.records_in != job->last_records)
			job->last_record_ms = clock_wall_ms();
		job->last_records = job->state.counters.records_in;
	}
	take_sample(self, clock_us());
	pthread_mutex_unlock(&self->mutex);
}

/* ---------------------------------------------------------------- reading */

/* Since the oldest sample.  A job that goes on from its last epoch counts again from there. */
static Rate
rate_of(const Monitor *self, const Watched *job, int64_t now_us)
{
	uint32_t oldest = self->sample_us[self->next_sample] != 0 ? self->next_sample : 0;
	const Sample *before = &job->samples[oldest];
	const JobCounters *counters = &job->state.counters;
	double seconds = (double)(now_us - self->sample_us[oldest]) / 1e6;

	if (self->sample_us[oldest] == 0 || seconds <= 0 || counters->records_in < before->records)
		return (Rate){0, 0};
	return (Rate){(double)(counters->records_in - before->records) / seconds,
		      (double)(counters->bytes_in - before->bytes) / seconds};
}

static void
copy_jobs(Monitor *self, MonitorView *out)
{
	int64_t now_us = clock_us();

	pthread_mutex_lock(&self->mutex);
	for (uint32_t i = 0; i < self->job_count; i++) {
		const Watched *job = &self->jobs[i];
		JobView *view = &out->jobs[i];

		*view = (JobView){job->state, rate_of(self, job, now_us), job->last_record_ms};
		out->active += job->state.status == RUNNING_RUNS;
		out->rate.records += view->rate.records;
		out->rate.bytes += view->rate.bytes;
		job_counters_add(&out->sum, &job->state.counters);
	}
	pthread_mutex_unlock(&self->mutex);
}

static Problem *
add_problem(MonitorView *view, Health health)
{
	Problem *problem = &view->problems[view->problem_count++];

	problem->health = health;
	if (health > view->health)
		view->health = health;
	return problem;
}

/* A job that failed is a warning, all of them are critical; so is memory that is nearly used up a
 * warning.  A server with nothing to do is healthy. */
static void
judge(MonitorView *view)
{
	uint32_t failed = 0;

	for (uint32_t i = 0; i < view->job_count; i++)
		failed += view->jobs[i].state.status == RUNNING_FAILED;
	for (uint32_t i = 0; i < view->job_count; i++) {
		const StatementState *state = &view->jobs[i].state;

		if (state->status != RUNNING_FAILED)
			continue;
		Problem *problem = add_problem(view, failed == view->job_count ? HEALTH_CRITICAL
									       : HEALTH_WARNING);
		snprintf(problem->text, sizeof problem->text, "job '%.*s' has failed: %.*s",
			 STR_ARG(state->plan->name), PROBLEM_MAX / 2, state->error.message);
	}
	if (view->memory_share > MEMORY_SCARCE)
		snprintf(add_problem(view, HEALTH_WARNING)->text, PROBLEM_MAX,
			 "%.0f %% of the memory that the process may use is in use",
			 100 * view->memory_share);
}

void
monitor_read(Monitor *self, MonitorView *out)
{
	*out = (MonitorView){
		.application = self->application,
		.jobs = memory_zero(sizeof(JobView) * (self->job_count + 1)),
		.job_count = self->job_count,
		.begun_ms = self->begun_ms,
		.uptime_s = (double)(clock_us() - self->begun_us) / 1e6,
		.memory_share = memory_use(""),
		.problems = memory_zero(sizeof(Problem) * (self->job_count + 1)),
	};
	memory_resident(&out->resident_bytes, &out->peak_bytes);
	copy_jobs(self, out);
	judge(out);
}

void
monitor_view_free(MonitorView *view)
{
	memory_free(view->jobs);
	memory_free(view->problems);
}

const char *
monitor_status_word(RunningStatus status)
{
	static const char *const words[] = {
		[RUNNING_WAITING] = "Starting",
		[RUNNING_RUNS] = "Running",
		[RUNNING_FINISHED] = "Stopped",
		[RUNNING_FAILED] = "Failed",
	};

	return words[status];
}

const char *
health_name(Health health)
{
	static const char *const names[] = {
		[HEALTH_HEALTHY] = "Healthy",
		[HEALTH_WARNING] = "Warning",
		[HEALTH_CRITICAL] = "Critical",
	};

	return names[health];
}
