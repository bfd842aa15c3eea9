/* job/crash.c -- trials: a statement is killed between two steps, as a process would be.
 *
 * Nothing is flushed or committed behind the kill; the runner opens the statement anew, from what
 * is final.  The seed decides by the statement's name, how often it has started and how often the
 * step was come to.  So a seed repeats a run exactly, as long as the threads take turns: a trial
 * has one slot, which goes round. */
#include "job/job_internal.h"

#define CRASHES_MAX 10 /* then it may run to its end */
#define RARITIES    6  /* a step in 2, 4, ... 64 */

static uint64_t
mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
	return hash ^ hash >> 29;
}

/* A number that depends on the seed, the statement, its process, the start and what is given. */
static uint64_t
draw(const Job *job, uint64_t a, uint64_t b)
{
	Str name = job->spec.plan->name;
	uint64_t hash = mix(job->spec.trial.crash_seed + job->spec.process, job->counters.restarts);

	for (uint32_t i = 0; i < name.len; i++)
		hash = mix(hash, (unsigned char)name.data[i]);
	return mix(mix(mix(hash, a), b), 0) >> 16;
}

Status
job_survives(Job *job, CrashStep step, Error *err)
{
	uint64_t seed = job->spec.trial.crash_seed;

	if (seed == 0 || job->guarantee != GUARANTEE_EXACTLY_ONCE ||
	    job->counters.restarts >= CRASHES_MAX || (!job->opened && step != CRASH_OPEN))
		return FERRIS_OK;
	uint64_t call = job->crash_calls[step]++;
	/* Nothing was read yet, and it may be another process's turn. */
	if (step == CRASH_READ && call == 0)
		return FERRIS_OK;
	uint64_t rarity = UINT64_C(2) << mix(seed, CRASH_STEPS) % RARITIES;
	if (draw(job, step, call) % rarity != 0)
		return FERRIS_OK;
	job->killed = true;
	error_set(err, FERRIS_ERR_KAFKA_EPOCH, "killed by the trial at its step %d", (int)step);
	job_fail(job, err->status, err);
	return err->status;
}

bool
job_crashes(Job *job, CrashStep step)
{
	Error err;

	return job_survives(job, step, &err) != FERRIS_OK;
}

uint64_t
job_trial_epoch(const Job *job)
{
	return 1 + draw(job, CRASH_STEPS, job->epoch_count) % 4;
}
