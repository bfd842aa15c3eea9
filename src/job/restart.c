/* job/restart.c -- opening a job anew. */
#include "job/restart.h"

#include "base/clock.h"
#include "base/disk_trial.h"

#define RESTARTS_MAX     12
#define RESTART_WAIT_MS  100
#define RESTART_WAIT_MAX 10000
#define POLL_MS          2

bool
restart_disk_failed(const JobSpec *spec)
{
	return spec->trial.disk != NULL && disk_has_failed(spec->trial.disk);
}

/* Longer from try to try; false: interrupted. */
static bool
wait_before(const Restarts *self)
{
	if (self->spec.trial.crash_seed != 0)
		return true;
	int64_t wait = self->attempts < 8 ? RESTART_WAIT_MS << self->attempts : RESTART_WAIT_MAX;

	if (wait > RESTART_WAIT_MAX)
		wait = RESTART_WAIT_MAX;
	for (int64_t until = clock_ms() + wait; clock_ms() < until; clock_sleep_ms(POLL_MS))
		if (self->interrupted != NULL && self->interrupted(self->context))
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

bool
job_restart(Restarts *self, Job **job)
{
	bool progressed;
	Error err;

	if (!job_may_restart(*job, &self->spec.counters, &progressed))
		return false;
	self->attempts = progressed ? 0 : self->attempts;
	job_wait(*job, &err);
	while (self->attempts < RESTARTS_MAX) {
		Job *next;

		say_restart(&self->spec, &err);
		if (!wait_before(self))
			return false;
		self->attempts++;
		self->spec.counters.restarts++;
		job_close(*job);
		*job = NULL;
		if (self->spec.trial.disk != NULL)
			disk_restart(self->spec.trial.disk);
		Status status = job_open(&self->spec, &next, &err);
		*job = next;
		if (status == FERRIS_OK)
			status = job_start(next, &err);
		if (status == FERRIS_OK)
			return true;
		job_abandon(next, &err);
		if (!(err.flags & (ERROR_RETRIABLE | ERROR_REQUIRES_ABORT)) &&
		    !restart_disk_failed(&self->spec))
			return false;
	}
	return false;
}
