/* job/runner.c -- open all jobs, start all, wait for all. */
#include "job/runner.h"

#include "base/clock.h"
#include "base/memory.h"

#define POLL_MS            2
#define POLLS_PER_PROGRESS 500

static void
add_counters(JobCounters *sum, const JobCounters *c)
{
	sum->records_in += c->records_in;
	sum->bytes_in += c->bytes_in;
	sum->rows_out += c->rows_out;
	sum->bytes_out += c->bytes_out;
	sum->filtered += c->filtered;
	sum->late += c->late;
	sum->aggregated += c->aggregated;
	sum->results += c->results;
	sum->failed += c->failed;
	sum->dead_letters += c->dead_letters;
	sum->limited += c->limited;
	sum->pool_hits += c->pool_hits;
	sum->pool_misses += c->pool_misses;
	if (c->lag > 0)
		sum->lag += c->lag;
}

static void
sum_counters(Job **jobs, uint32_t count, JobCounters *sum)
{
	*sum = (JobCounters){0};
	for (uint32_t i = 0; i < count; i++) {
		JobCounters counters;

		job_counters(jobs[i], &counters);
		add_counters(sum, &counters);
	}
}

static Status
open_jobs(const RunSpec *spec, Job **jobs, Error *err)
{
	for (uint32_t i = 0; i < spec->plan->count; i++) {
		const StatementPlan *plan = spec->plan->items[i];
		JobSpec job = {
			.plan = plan,
			.application = spec->application,
			.environment = spec->environment,
			.clock_offset_ms = spec->clock_offset_ms,
			.row_limit = plan->is_select ? spec->row_limit : INT64_MAX,
		};

		TRY(job_open(&job, &jobs[i], err));
	}
	for (uint32_t i = 0; i < spec->plan->count; i++)
		TRY(job_start(jobs[i], err));
	return FERRIS_OK;
}

static void
stop_all(Job **jobs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (jobs[i] != NULL)
			job_stop(jobs[i]);
}

/* Poll until every job has ended; the first failure or an interruption stops the others. */
static void
watch_jobs(const RunSpec *spec, Job **jobs, int64_t start)
{
	uint32_t count = spec->plan->count;
	bool stopped = false;

	for (uint64_t poll = 1;; poll++) {
		uint32_t done = 0;

		for (uint32_t i = 0; i < count; i++) {
			bool ended = job_is_done(jobs[i]);

			done += ended;
			if (ended && !stopped && job_failed(jobs[i])) {
				stop_all(jobs, count);
				stopped = true;
			}
		}
		if (done == count)
			return;
		if (!stopped && spec->interrupted != NULL && spec->interrupted(spec->context)) {
			stop_all(jobs, count);
			stopped = true;
		}
		if (poll % POLLS_PER_PROGRESS == 0 && spec->progress != NULL) {
			JobCounters sum;

			sum_counters(jobs, count, &sum);
			spec->progress(spec->context, &sum, (double)(clock_ns() - start) / 1e9);
		}
		clock_sleep_ms(POLL_MS);
	}
}

Status
run_script(const RunSpec *spec, RunSummary *summary, Error *err)
{
	uint32_t count = spec->plan->count;
	Job **jobs = memory_zero(sizeof(Job *) * (count + 1));
	int64_t start = clock_ns();
	Status status;

	*summary = (RunSummary){0};
	status = open_jobs(spec, jobs, err);
	if (status == FERRIS_OK)
		watch_jobs(spec, jobs, start);
	else
		stop_all(jobs, count);
	for (uint32_t i = 0; i < count; i++) {
		Error own;

		if (jobs[i] == NULL)
			continue;
		if (job_wait(jobs[i], &own) == FERRIS_OK)
			continue;
		summary->failed_jobs++;
		if (status == FERRIS_OK) {
			*err = own;
			status = own.status;
		} else {
			error_print(stderr, &own, NULL, NULL);
		}
	}
	if (status == FERRIS_OK || summary->failed_jobs > 0)
		sum_counters(jobs, count, &summary->sum);
	summary->seconds = (double)(clock_ns() - start) / 1e9;
	for (uint32_t i = 0; i < count; i++)
		job_close(jobs[i]);
	memory_free(jobs);
	return status;
}
