/* job/runner.c -- open all statements, start all, wait for all; where SHOW stands, part by part. */
#include "job/runner.h"

#include "base/clock.h"
#include "base/disk_trial.h"
#include "base/memory.h"
#include "job/report.h"

#define POLL_MS            2
#define POLLS_PER_PROGRESS 500
#define SHORT_POLLS        20 /* at first, for what ends at once */
#define SHORT_POLL_US      100

static void
sum_counters(Running **all, uint32_t count, JobCounters *sum)
{
	*sum = (JobCounters){0};
	for (uint32_t i = 0; i < count; i++) {
		JobCounters counters;

		if (all[i] == NULL)
			continue;
		running_counters(all[i], &counters);
		job_counters_add(sum, &counters);
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

/* Opens statements first..end-1, then starts them. */
static Status
open_jobs(const RunSpec *spec, Running **all, uint32_t first, uint32_t end, Error *err)
{
	if (spec->trial.disk != NULL)
		disk_begin(spec->trial.disk);
	for (uint32_t i = first; i < end; i++) {
		Restarts restarts = {.spec = job_spec(spec, spec->plan->items[i]),
				     .interrupted = spec->interrupted,
				     .context = spec->context};
		restarts.spec.process = is_beside(spec, i);
		Status status = running_open(&restarts, &all[i], err);

		if (status != FERRIS_OK && restart_disk_failed(&restarts.spec))
			running_abandon(all[i], err);
		else
			TRY(status);
	}
	for (uint32_t i = first; i < end; i++)
		if (!running_is_done(all[i]))
			TRY(running_start(all[i], err));
	return FERRIS_OK;
}

static void
stop_all(Running **all, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (all[i] != NULL)
			running_stop(all[i]);
}

static bool
is_interrupted(const RunSpec *spec)
{
	return spec->interrupted != NULL && spec->interrupted(spec->context);
}

/* Poll until statements 0..count-1 have ended, or only those that end by themselves; the first
 * failure or an interruption stops all.  Returns whether it came to that. */
static bool
watch_jobs(const RunSpec *spec, Running **running, uint32_t count, bool all, int64_t start)
{
	bool stopped = false;

	for (uint64_t poll = 1;; poll++) {
		uint32_t waiting = 0;

		for (uint32_t i = 0; i < count; i++) {
			bool ended = running_is_done(running[i]);

			if (ended && !stopped && running_failed(running[i]) &&
			    running_restart(running[i]))
				ended = false;
			waiting += !ended && (all || stopped || ends(spec->plan->items[i]));
			if (ended && !stopped && running_failed(running[i])) {
				stop_all(running, count);
				stopped = true;
			}
		}
		if (waiting == 0)
			break;
		if (!stopped && is_interrupted(spec)) {
			stop_all(running, count);
			stopped = true;
		}
		if (poll % POLLS_PER_PROGRESS == 0 && spec->progress != NULL) {
			JobCounters sum;

			sum_counters(running, count, &sum);
			spec->progress(spec->context, &sum, (double)(clock_ns() - start) / 1e9);
		}
		clock_sleep_us(poll < SHORT_POLLS || spec->trial.crash_seed != 0
				       ? SHORT_POLL_US
				       : (int64_t)POLL_MS * 1000);
	}
	return stopped;
}

/* SHOW and its kin part a script: the statements above come first, if they end, then the answer,
 * then the statements below.  What has no SHOW runs side by side, but not in a trial with crashes.
 */
static Status
run_parts(const RunSpec *spec, Running **running, Arena *arena, int64_t start, Error *err)
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
		if (first > 0 && watch_jobs(spec, running, first, false, start))
			return FERRIS_OK;
		report.spec = job_spec(spec, plan->items[first]);
		TRY(report_answer(&report, plan, running, first, arena, err));
		TRY(open_jobs(spec, running, first, end, err));
	}
	watch_jobs(spec, running, plan->count, true, start);
	return FERRIS_OK;
}

Status
run_script(const RunSpec *spec, RunSummary *summary, Error *err)
{
	uint32_t count = spec->plan->count;
	Running **running = memory_zero(sizeof(Running *) * (count + 1));
	int64_t start = clock_ns();
	Arena arena;
	Status status;

	*summary = (RunSummary){0};
	arena_init(&arena, 0);
	status = run_parts(spec, running, &arena, start, err);
	if (status != FERRIS_OK)
		stop_all(running, count);
	for (uint32_t i = 0; i < count; i++) {
		Error own;

		if (running[i] == NULL)
			continue;
		if (running_wait(running[i], &own) == FERRIS_OK)
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
		sum_counters(running, count, &summary->sum);
	summary->seconds = (double)(clock_ns() - start) / 1e9;
	for (uint32_t i = 0; i < count; i++)
		running_close(running[i]);
	memory_free(running);
	arena_free(&arena);
	return status;
}
