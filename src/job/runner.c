/* job/runner.c -- open all jobs, start all, wait for all; where SHOW stands, part by part.
 *
 * A job with exactly-once whose epoch failed is opened anew, and goes on from the last epoch that
 * became final: so the way back from an error is the way that a start takes after a crash. */
#include "job/runner.h"

#include "base/clock.h"
#include "base/disk_trial.h"
#include "base/memory.h"
#include "job/report.h"

#define POLL_MS            2
#define POLLS_PER_PROGRESS 500
#define SHORT_POLLS        20 /* at first, for what ends at once */
#define SHORT_POLL_US      100

#define RESTARTS_MAX     12 /* one after the other, without an epoch between them */
#define RESTART_WAIT_MS  100
#define RESTART_WAIT_MAX 10000

static void
add_counters(JobCounters *sum, const JobCounters *c)
{
#define COUNTER(name, doc) sum->name += c->name;
#include "job/counter_list.h"
	if (c->lag > 0)
		sum->lag += c->lag;
}

static void
sum_counters(Job **jobs, uint32_t count, JobCounters *sum)
{
	*sum = (JobCounters){0};
	for (uint32_t i = 0; i < count; i++) {
		JobCounters counters;

		if (jobs[i] == NULL)
			continue;
		job_counters(jobs[i], &counters);
		add_counters(sum, &counters);
	}
}

/* Whether a statement ends by itself, so that SHOW can wait for it. */
static bool
ends(const StatementPlan *plan)
{
	return plan->root->kind == PLAN_LIMIT || plan_is_bounded(plan->root);
}

/* In a trial a statement that stands there twice runs as two processes, side by side. */
static bool
is_beside(const RunSpec *spec, uint32_t index)
{
	return index > 0 && index < spec->plan->count &&
	       spec->plan->items[index] == spec->plan->items[index - 1];
}

static JobSpec
job_spec(const RunSpec *spec, const StatementPlan *plan)
{
	return (JobSpec){
		.plan = plan,
		.application = spec->application,
		.trial = spec->trial,
		.from = spec->from,
		.environment = spec->environment,
		.clock_offset_ms = spec->clock_offset_ms,
		.row_limit = plan->is_select ? spec->row_limit : INT64_MAX,
	};
}

/* In a trial: whoever started the statement would do so again. */
static bool
disk_failed(const RunSpec *spec)
{
	return spec->trial.disk != NULL && disk_has_failed(spec->trial.disk);
}

/* Opens statements first..end-1, then starts them. */
static Status
open_jobs(const RunSpec *spec, Job **jobs, uint32_t first, uint32_t end, Error *err)
{
	if (spec->trial.disk != NULL)
		disk_begin(spec->trial.disk);
	for (uint32_t i = first; i < end; i++) {
		JobSpec job = job_spec(spec, spec->plan->items[i]);
		job.process = is_beside(spec, i);
		Status status = job_open(&job, &jobs[i], err);

		if (status != FERRIS_OK && disk_failed(spec))
			job_abandon(jobs[i], err);
		else
			TRY(status);
	}
	for (uint32_t i = first; i < end; i++)
		if (!job_is_done(jobs[i]))
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

static bool
is_interrupted(const RunSpec *spec)
{
	return spec->interrupted != NULL && spec->interrupted(spec->context);
}

/* Longer from try to try; false: interrupted. */
static bool
wait_before(const RunSpec *spec, uint32_t attempt)
{
	if (spec->trial.crash_seed != 0)
		return true;
	int64_t wait = attempt < 8 ? RESTART_WAIT_MS << attempt : RESTART_WAIT_MAX;

	if (wait > RESTART_WAIT_MAX)
		wait = RESTART_WAIT_MAX;
	for (int64_t until = clock_ms() + wait; clock_ms() < until; clock_sleep_ms(POLL_MS))
		if (is_interrupted(spec))
			return false;
	return true;
}

static void
say_restart(const JobSpec *job, const Error *err)
{
	if (job->trial.crash_seed != 0)
		return;
	fprintf(stderr,
		"warning[FS%04d]: '%.*s': %s; it goes on from the last epoch that became final\n",
		error_info(err->status)->number, STR_ARG(job->plan->name), err->message);
}

/* Opens a job anew that has failed in a way that allows it.  True: it runs again. */
static bool
restart(const RunSpec *spec, Job **job, uint32_t process, uint32_t *attempts)
{
	JobSpec again = job_spec(spec, job_plan(*job));
	bool progressed;
	Error err;

	if (!job_may_restart(*job, &again.counters, &progressed))
		return false;
	again.process = process;
	*attempts = progressed ? 0 : *attempts;
	job_wait(*job, &err);
	while (*attempts < RESTARTS_MAX) {
		Job *next;

		say_restart(&again, &err);
		if (!wait_before(spec, (*attempts)++))
			return false;
		again.counters.restarts++;
		job_close(*job);
		*job = NULL;
		if (spec->trial.disk != NULL)
			disk_restart(spec->trial.disk);
		Status status = job_open(&again, &next, &err);
		*job = next;
		if (status == FERRIS_OK)
			status = job_start(next, &err);
		if (status == FERRIS_OK)
			return true;
		job_abandon(next, &err);
		if (!(err.flags & (ERROR_RETRIABLE | ERROR_REQUIRES_ABORT)) && !disk_failed(spec))
			return false;
	}
	return false;
}

/* Poll until jobs 0..count-1 have ended, or only those that end by themselves; the first failure or
 * an interruption stops all.  Returns whether it came to that. */
static bool
watch_jobs(const RunSpec *spec, Job **jobs, uint32_t count, bool all, int64_t start)
{
	uint32_t *attempts = memory_zero(sizeof *attempts * (count + 1));
	bool stopped = false;

	for (uint64_t poll = 1;; poll++) {
		uint32_t waiting = 0;

		for (uint32_t i = 0; i < count; i++) {
			bool ended = job_is_done(jobs[i]);

			if (ended && !stopped && job_failed(jobs[i]) &&
			    restart(spec, &jobs[i], is_beside(spec, i), &attempts[i]))
				ended = false;
			waiting += !ended && (all || stopped || ends(spec->plan->items[i]));
			if (ended && !stopped && job_failed(jobs[i])) {
				stop_all(jobs, count);
				stopped = true;
			}
		}
		if (waiting == 0)
			break;
		if (!stopped && is_interrupted(spec)) {
			stop_all(jobs, count);
			stopped = true;
		}
		if (poll % POLLS_PER_PROGRESS == 0 && spec->progress != NULL) {
			JobCounters sum;

			sum_counters(jobs, count, &sum);
			spec->progress(spec->context, &sum, (double)(clock_ns() - start) / 1e9);
		}
		clock_sleep_us(poll < SHORT_POLLS || spec->trial.crash_seed != 0
				       ? SHORT_POLL_US
				       : (int64_t)POLL_MS * 1000);
	}
	memory_free(attempts);
	return stopped;
}

/* SHOW and its kin part a script: the statements above come first, if they end, then the answer,
 * then the statements below.  What has no SHOW runs side by side, but not in a trial with crashes.
 */
static Status
run_parts(const RunSpec *spec, Job **jobs, Arena *arena, int64_t start, Error *err)
{
	const ScriptPlan *plan = spec->plan;
	ReportRun report = {.interrupted = spec->interrupted, .context = spec->context};
	bool in_turn = spec->trial.crash_seed != 0;
	uint32_t end;

	for (uint32_t first = 0; first < plan->count; first = end) {
		end = first + 1;
		while ((!in_turn || is_beside(spec, end)) && !plan->items[first]->waits &&
		       end < plan->count && !plan->items[end]->waits)
			end++;
		if (first > 0 && watch_jobs(spec, jobs, first, false, start))
			return FERRIS_OK;
		report.spec = job_spec(spec, plan->items[first]);
		TRY(report_answer(&report, plan, jobs, first, arena, err));
		TRY(open_jobs(spec, jobs, first, end, err));
	}
	watch_jobs(spec, jobs, plan->count, true, start);
	return FERRIS_OK;
}

Status
run_script(const RunSpec *spec, RunSummary *summary, Error *err)
{
	uint32_t count = spec->plan->count;
	Job **jobs = memory_zero(sizeof(Job *) * (count + 1));
	int64_t start = clock_ns();
	Arena arena;
	Status status;

	*summary = (RunSummary){0};
	arena_init(&arena, 0);
	status = run_parts(spec, jobs, &arena, start, err);
	if (status != FERRIS_OK)
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
	arena_free(&arena);
	return status;
}
