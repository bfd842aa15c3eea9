/* job/runner.c -- open all statements, start all, wait for all; where SHOW stands, part by part. */
#include "job/runner.h"

#include "base/clock.h"
#include "base/disk_trial.h"
#include "base/memory.h"
#include "job/report.h"

#define POLL_MS               2
#define POLLS_PER_PROGRESS    500
#define POLLS_PER_OBSERVATION 25
#define SHORT_POLLS           20 /* at first, for what ends at once */
#define SHORT_POLL_US         100

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

/* Opens statements first..end-1, then starts them.  Where others go on without it, one that cannot
 * begin counts as ended. */
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

		if (status != FERRIS_OK && (spec->stays || restart_disk_failed(&restarts.spec)))
			running_abandon(all[i], err);
		else
			TRY(status);
	}
	for (uint32_t i = first; i < end; i++) {
		Status status = running_is_done(all[i]) ? FERRIS_OK : running_start(all[i], err);

		if (status != FERRIS_OK && spec->stays)
			running_abandon(all[i], err);
		else
			TRY(status);
	}
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

/* ---------------------------------------------------------------- watching */

/* A script at work. */
typedef struct Run {
	const RunSpec *spec;
	Running **running;      /* the plan's items; NULL: not begun */
	StatementState *states; /* of each */
	uint32_t count;
	int64_t start_ns;
} Run;

static void
observe(Run *run)
{
	if (run->spec->observe == NULL)
		return;
	for (uint32_t i = 0; i < run->count; i++) {
		StatementState *state = &run->states[i];

		state->status = running_status(run->running[i]);
		if (run->running[i] != NULL)
			running_counters(run->running[i], &state->counters);
		/* Its error is not known before the job was waited for. */
		if (state->status == RUNNING_FAILED && state->error.status == FERRIS_OK)
			state->status = RUNNING_RUNS;
	}
	run->spec->observe(run->spec->context, run->states, run->count);
}

/* The job has ended with an error; the others go on. */
static void
note_failure(Run *run, uint32_t at)
{
	Error *error = &run->states[at].error;

	if (error->status == FERRIS_OK && running_wait(run->running[at], error) != FERRIS_OK)
		error_print(stderr, error, NULL, NULL);
}

/* What happens while jobs run, at this look. */
static void
report_progress(Run *run, uint64_t poll)
{
	if (poll % POLLS_PER_OBSERVATION == 0)
		observe(run);
	if (poll % POLLS_PER_PROGRESS == 0 && run->spec->progress != NULL) {
		JobCounters sum;

		sum_counters(run->running, run->count, &sum);
		run->spec->progress(run->spec->context, &sum,
				    (double)(clock_ns() - run->start_ns) / 1e9);
	}
}

/* Poll until statements 0..count-1 have ended, or only those that end by themselves; the first
 * failure or an interruption stops all.  Returns whether it came to that. */
static bool
watch_jobs(Run *run, uint32_t count, bool all)
{
	const RunSpec *spec = run->spec;
	Running **running = run->running;
	bool stays = spec->stays && all, stopped = false;

	for (uint64_t poll = 1;; poll++) {
		uint32_t waiting = 0;

		for (uint32_t i = 0; i < count; i++) {
			bool ended = running_is_done(running[i]);

			if (ended && !stopped && running_failed(running[i]) &&
			    running_restart(running[i]))
				ended = false;
			waiting += !ended && (all || stopped || ends(spec->plan->items[i]));
			if (!ended || !running_failed(running[i]))
				continue;
			if (spec->stays) {
				note_failure(run, i);
			} else if (!stopped) {
				stop_all(running, count);
				stopped = true;
			}
		}
		if (waiting == 0 && (!stays || stopped))
			break;
		if (!stopped && is_interrupted(spec)) {
			stop_all(running, count);
			stopped = true;
		}
		report_progress(run, poll);
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
run_parts(Run *run, Arena *arena, Error *err)
{
	const RunSpec *spec = run->spec;
	const ScriptPlan *plan = spec->plan;
	ReportRun report = {.interrupted = spec->interrupted, .context = spec->context};
	bool in_turn = spec->trial.crash_seed != 0;
	uint32_t end;

	for (uint32_t first = 0; first < plan->count; first = end) {
		end = first + 1;
		while ((!in_turn || is_beside(spec, end)) && !plan->items[first]->waits &&
		       end < plan->count && !plan->items[end]->waits)
			end++;
		if (first > 0 && watch_jobs(run, first, false))
			return FERRIS_OK;
		report.spec = job_spec(spec, plan->items[first]);
		TRY(report_answer(&report, plan, run->running, first, arena, err));
		observe(run);
		TRY(open_jobs(spec, run->running, first, end, err));
	}
	watch_jobs(run, plan->count, true);
	return FERRIS_OK;
}

/* Waits for all; the first error is the result, unless there was one before or the run stays. */
static Status
end_run(Run *run, Status status, RunSummary *summary, Error *err)
{
	for (uint32_t i = 0; i < run->count; i++) {
		Error *own = &run->states[i].error;
		bool known = own->status != FERRIS_OK;

		if (run->running[i] == NULL || running_wait(run->running[i], own) == FERRIS_OK)
			continue;
		summary->failed_jobs++;
		if (status == FERRIS_OK && !run->spec->stays) {
			*err = *own;
			status = own->status;
		} else if (!known) {
			error_print(stderr, own, NULL, NULL);
		}
	}
	return status;
}

static void
open_run(const RunSpec *spec, Run *run)
{
	uint32_t count = spec->plan->count;

	*run = (Run){
		.spec = spec,
		.running = memory_zero(sizeof(Running *) * (count + 1)),
		.states = memory_zero(sizeof(StatementState) * (count + 1)),
		.count = count,
		.start_ns = clock_ns(),
	};
	for (uint32_t i = 0; i < count; i++) {
		run->states[i].plan = spec->plan->items[i];
		run->states[i].counters.lag = -1;
	}
}

static void
close_run(Run *run)
{
	for (uint32_t i = 0; i < run->count; i++)
		running_close(run->running[i]);
	memory_free(run->running);
	memory_free(run->states);
}

Status
run_script(const RunSpec *spec, RunSummary *summary, Error *err)
{
	Arena arena;
	Run run;

	*summary = (RunSummary){0};
	open_run(spec, &run);
	arena_init(&arena, 0);
	Status status = run_parts(&run, &arena, err);
	if (status != FERRIS_OK)
		stop_all(run.running, run.count);
	status = end_run(&run, status, summary, err);
	if (status == FERRIS_OK || summary->failed_jobs > 0)
		sum_counters(run.running, run.count, &summary->sum);
	observe(&run);
	summary->seconds = (double)(clock_ns() - run.start_ns) / 1e9;
	close_run(&run);
	arena_free(&arena);
	return status;
}
