/* job/running.c -- whichever of the two a statement is. */
#include "job/running.h"

#include "base/memory.h"
#include "job/partitioned.h"

struct Running {
	Restarts restarts;
	Job *job;
	Partitioned *parts; /* instead; it opens its jobs anew itself */
};

Status
running_open(const Restarts *spec, Running **out, Error *err)
{
	Running *running = *out = memory_zero(sizeof *running);

	running->restarts = *spec;
	return spec->spec.plan->partitioned ? partitioned_open(&spec->spec, &running->parts, err)
					    : job_open(&spec->spec, &running->job, err);
}

/* `of`: the endpoint; {NULL, 0}: the job itself. */
static void
say(const StatementPlan *plan, const char *what, Str of, const Decisions *decisions)
{
	for (uint32_t i = 0; i < decisions->count; i++) {
		const Decision *decision = &decisions->items[i];
		Buffer line;

		buffer_init(&line, SIZE_MAX);
		buffer_printf(&line, "config: %.*s, %s", STR_ARG(plan->name), what);
		if (of.data != NULL)
			buffer_printf(&line, " '%.*s'", STR_ARG(of));
		buffer_printf(&line, ": %.*s = '%.*s' (%s): %.*s", STR_ARG(decision->name),
			      STR_ARG(decision->value), decision->origin,
			      STR_ARG(decision->reason));
		buffer_end_line(&line, 0);
		fwrite(line.data, 1, line.len, stderr);
		buffer_free(&line);
	}
}

/* Each once, however often the jobs are opened. */
static void
say_decisions(const StatementPlan *plan)
{
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *source = plan->scans[i]->scan.endpoint;

		say(plan, "source", source->name, &source->decisions);
	}
	say(plan, "sink", plan->sink->name, &plan->sink->decisions);
	say(plan, "job", (Str){NULL, 0}, &plan->decisions);
}

Status
running_start(Running *running, Error *err)
{
	if (running->restarts.spec.trial.crash_seed == 0)
		say_decisions(running->restarts.spec.plan);
	return running->parts != NULL ? partitioned_start(running->parts, err)
				      : job_start(running->job, err);
}

void
running_stop(Running *running)
{
	if (running->parts != NULL)
		partitioned_stop(running->parts);
	else
		job_stop(running->job);
}

bool
running_is_done(const Running *running)
{
	return running->parts != NULL ? partitioned_is_done(running->parts)
				      : job_is_done(running->job);
}

bool
running_failed(Running *running)
{
	return running->parts != NULL ? partitioned_failed(running->parts)
				      : job_failed(running->job);
}

void
running_abandon(Running *running, const Error *err)
{
	if (running->parts != NULL)
		partitioned_abandon(running->parts, err);
	else
		job_abandon(running->job, err);
}

bool
running_restart(Running *running)
{
	return running->parts == NULL && job_restart(&running->restarts, &running->job);
}

Status
running_wait(Running *running, Error *err)
{
	return running->parts != NULL ? partitioned_wait(running->parts, err)
				      : job_wait(running->job, err);
}

void
running_close(Running *running)
{
	if (running == NULL)
		return;
	partitioned_close(running->parts);
	job_close(running->job);
	memory_free(running);
}

RunningStatus
running_status(Running *running)
{
	if (running == NULL)
		return RUNNING_WAITING;
	if (running_failed(running))
		return RUNNING_FAILED;
	return running_is_done(running) ? RUNNING_FINISHED : RUNNING_RUNS;
}

const char *
running_status_name(RunningStatus status)
{
	static const char *const names[] = {
		[RUNNING_WAITING] = "waiting",
		[RUNNING_RUNS] = "running",
		[RUNNING_FINISHED] = "finished",
		[RUNNING_FAILED] = "failed",
	};

	return names[status];
}

void
running_counters(Running *running, JobCounters *out)
{
	if (running->parts != NULL)
		partitioned_counters(running->parts, out);
	else
		job_counters(running->job, out);
}

void
running_each(Running *running, void (*visit)(void *context, const Job *job), void *context)
{
	if (running->parts != NULL)
		partitioned_each(running->parts, visit, context);
	else
		visit(context, running->job);
}
