/* job/partitioned.c -- jobs that come and go with the partitions that a group deals.
 *
 * The dealing thread asks the group and starts and stops a thread for each partition, which opens
 * its job, waits for its end, and opens it anew after an epoch that failed.  A partition that
 * another process has taken over ends its job with FERRIS_ERR_KAFKA_FENCED.  As a rule the group
 * takes it away at the same time; when it does not for a while, it is this process's again. */
#include "job/partitioned.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/memory.h"
#include "job/restart.h"
#include "state/instance.h"

#define DEAL_MS   50 /* so long the group is waited for at once */
#define POLL_MS   20 /* so often a partition's thread looks: there may be many of them */
#define TRIAL_MS  1
#define FENCED_MS 3000 /* longer than a member that lives goes without hearing of its group */
#define JOINS_MAX 12   /* tries, one after the other */
#define JOIN_WAIT 1000

typedef struct Share {
	Partitioned *owner;
	uint32_t split;
	/* the dealing thread's */
	bool runs; /* its thread is there */
	bool over; /* its input has ended */
	pthread_t thread;
	/* between the threads */
	_Atomic bool stops; /* it is to end */
	_Atomic bool ended; /* its thread is about to */
	/* under the owner's mutex */
	Job *job;             /* NULL: none that runs */
	JobCounters counters; /* as they were when there was none */
	/* its own, and the dealing thread's when it has ended */
	Status status;
	Error error; /* if it is not FERRIS_OK */
} Share;

struct Partitioned {
	JobSpec spec;
	Arena arena;
	Instance instance; /* of the processes on this machine */
	Membership *member;
	Arena member_arena;
	Share *shares;
	uint32_t count;
	bool *held;     /* of each partition: the group has dealt it to this process, */
	bool *said;     /* as far as the user was told */
	uint32_t joins; /* tries since the group was last heard of */
	pthread_t dealer;
	bool started;
	_Atomic bool stop;
	_Atomic bool done;
	pthread_mutex_t mutex; /* of the shares' jobs, and of the first failure: */
	Status status;
	Error error;
};

/* ---------------------------------------------------------------- failures */

static void
fail(Partitioned *self, const Error *err)
{
	pthread_mutex_lock(&self->mutex);
	if (self->status == FERRIS_OK) {
		self->status = err->status;
		self->error = *err;
	}
	pthread_mutex_unlock(&self->mutex);
	self->stop = true;
}

bool
partitioned_failed(Partitioned *self)
{
	pthread_mutex_lock(&self->mutex);
	bool failed = self->status != FERRIS_OK;
	pthread_mutex_unlock(&self->mutex);
	return failed;
}

void
partitioned_abandon(Partitioned *self, const Error *err)
{
	fail(self, err);
	self->done = true;
}

/* ---------------------------------------------------------------- one partition */

static bool
share_stops(void *context)
{
	return ((Share *)context)->stops;
}

/* Others see the job while it runs. */
static void
show_job(Share *share, Job *job)
{
	pthread_mutex_lock(&share->owner->mutex);
	if (job == NULL && share->job != NULL)
		job_counters(share->job, &share->counters);
	share->job = job;
	pthread_mutex_unlock(&share->owner->mutex);
}

/* Topics in memory are those of tests, which have no time to lose. */
static void
look_away(const Partitioned *self)
{
	clock_sleep_ms(self->spec.environment != NULL ? TRIAL_MS : POLL_MS);
}

static void
wait_for_end(Share *share, Job *job)
{
	show_job(share, job);
	while (!job_is_done(job)) {
		if (share->stops)
			job_stop(job);
		look_away(share->owner);
	}
	show_job(share, NULL);
}

/* Another process has it: false if the group says so too. */
static bool
is_still_ours(Share *share)
{
	for (int64_t until = clock_ms() + FENCED_MS; clock_ms() < until; clock_sleep_ms(POLL_MS))
		if (share->stops)
			return false;
	return true;
}

/* It has failed: what it did behind its last epoch does not count. */
static void
take_back_counters(Share *share, Job *job)
{
	bool progressed;

	pthread_mutex_lock(&share->owner->mutex);
	job_may_restart(job, &share->counters, &progressed);
	pthread_mutex_unlock(&share->owner->mutex);
}

static Status
open_and_start(const JobSpec *spec, Job **out, Error *err)
{
	TRY(job_open(spec, out, err));
	return job_start(*out, err);
}

/* The first start, and each after another process had it for a moment. */
static bool
begin(Share *share, Restarts *again, Job **job)
{
	Error err;

	job_close(*job);
	*job = NULL;
	again->spec.counters = share->counters;
	if (open_and_start(&again->spec, job, &err) == FERRIS_OK)
		return true;
	job_abandon(*job, &err);
	return job_restart(again, job);
}

static void *
share_main(void *argument)
{
	Share *share = argument;
	Restarts again = {.spec = share->owner->spec, .interrupted = share_stops, .context = share};
	Job *job = NULL;

	again.spec.share = (SplitShare){share->split, share->owner->count};
	again.spec.process = share->split;
	do {
		for (bool runs = begin(share, &again, &job); runs;
		     runs = !share->stops && job_restart(&again, &job))
			wait_for_end(share, job);
		share->status = job_wait(job, &share->error);
		if (share->status != FERRIS_OK)
			take_back_counters(share, job);
	} while (share->status == FERRIS_ERR_KAFKA_FENCED && is_still_ours(share));
	if (share->stops) /* what it did not finish another process does */
		share->status = FERRIS_OK;
	job_close(job);
	share->ended = true;
	return NULL;
}

/* ---------------------------------------------------------------- dealing */

static void
start_share(Partitioned *self, Share *share)
{
	Error err;

	share->stops = share->ended = false;
	int code = pthread_create(&share->thread, NULL, share_main, share);
	share->runs = code == 0;
	if (code == 0)
		return;
	error_set(&err, FERRIS_ERR_SYSTEM, "cannot start a thread");
	error_errno(&err, code);
	fail(self, &err);
}

static void
join_share(Partitioned *self, Share *share)
{
	pthread_join(share->thread, NULL);
	share->runs = false;
	if (share->status != FERRIS_OK)
		fail(self, &share->error);
	else
		share->over = !share->stops;
}

/* Steps of a trial must come one after the other. */
static bool
may_start(const Partitioned *self)
{
	for (uint32_t i = 0; i < self->count && self->spec.trial.crash_seed != 0; i++)
		if (self->shares[i].runs)
			return false;
	return true;
}

/* Returns whether all partitions have come to their end. */
static bool
deal(Partitioned *self)
{
	bool over = true;

	for (uint32_t i = 0; i < self->count; i++) {
		Share *share = &self->shares[i];

		if (share->runs && share->ended)
			join_share(self, share);
		if (share->runs && !self->held[i])
			share->stops = true;
		if (!share->runs && self->held[i] && !share->over && may_start(self) && !self->stop)
			start_share(self, share);
		share->over = share->over && self->held[i];
		over = over && share->over;
	}
	return over;
}

static Status
join_group(Partitioned *self, Error *err)
{
	const StatementPlan *plan = self->spec.plan;
	SourceSpec *specs = ARENA_ARRAY(&self->member_arena, SourceSpec, plan->scan_count);

	for (uint32_t i = 0; i < plan->scan_count; i++) {
		specs[i] = job_source_spec(&self->spec, i, &self->member_arena);
		specs[i].instance = self->instance.name;
	}
	return source_join(specs, plan->scan_count, &self->member_arena, &self->member, err);
}

static void
leave_group(Partitioned *self)
{
	if (self->member != NULL)
		self->member->class->member_leave(self->member);
	self->member = NULL;
	arena_reset(&self->member_arena);
}

/* A new membership may do; what is in work goes on meanwhile. */
static void
join_again(Partitioned *self, Error *err)
{
	Status status = err->status;

	while (status != FERRIS_OK && !self->stop) {
		if (!(err->flags & (ERROR_RETRIABLE | ERROR_REQUIRES_ABORT)) ||
		    self->joins++ == JOINS_MAX) {
			fail(self, err);
			return;
		}
		fprintf(stderr, "warning[FS%04d]: '%.*s': %s; it joins the group again\n",
			error_info(err->status)->number, STR_ARG(self->spec.plan->name),
			err->message);
		leave_group(self);
		clock_sleep_ms(JOIN_WAIT);
		status = join_group(self, err);
	}
}

/* The user hears what this process has: of a statement that others share it is not all. */
static void
say_held(Partitioned *self)
{
	uint32_t count = 0;

	if (memcmp(self->held, self->said, sizeof *self->held * self->count) == 0)
		return;
	memcpy(self->said, self->held, sizeof *self->held * self->count);
	for (uint32_t i = 0; i < self->count; i++)
		count += self->held[i];
	if (self->spec.environment == NULL)
		fprintf(stderr, "'%.*s' has %u of %u partitions in this process\n",
			STR_ARG(self->spec.plan->name), count, self->count);
}

static void *
dealer_main(void *argument)
{
	Partitioned *self = argument;
	bool over = false;
	Error err;

	while (!self->stop && !over) {
		Status status =
			self->member->class->member_poll(self->member, DEAL_MS, self->held, &err);
		if (status == FERRIS_OK)
			self->joins = 0;
		else
			join_again(self, &err);
		say_held(self);
		over = deal(self);
		if (self->spec.environment != NULL) /* there is no group to wait for */
			look_away(self);
	}
	for (uint32_t i = 0; i < self->count; i++)
		self->shares[i].stops = true;
	for (uint32_t i = 0; i < self->count; i++)
		if (self->shares[i].runs)
			join_share(self, &self->shares[i]);
	self->done = true;
	return NULL;
}

/* ---------------------------------------------------------------- from outside */

/* The statement behind finds the topic that this one writes for it. */
static Status
open_shuffle(Partitioned *self, Error *err)
{
	const Endpoint *sink = self->spec.plan->sink;
	WriterSpec spec = {
		.object = str_copy(&self->arena, sink->name).data,
		.settings = sink->connector_settings,
		.given = &sink->given,
		.codec = sink->codec,
		.preamble = "",
		.environment = self->spec.environment,
	};

	return sink->connector->shuffle_open(&spec, self->count, &self->arena, err);
}

static Status
open_group(Partitioned *self, Error *err)
{
	const StatementPlan *plan = self->spec.plan;
	const Str *dir = &plan->job[JOB_STATE_DIR].text;

	TRY(instance_claim(dir->data != NULL ? str_copy(&self->arena, *dir).data : NULL,
			   plan_first_group(&self->arena, self->spec.application, plan),
			   &self->instance, err));
	TRY(join_group(self, err));
	self->count = self->member->splits;
	if (plan->shuffles)
		TRY(open_shuffle(self, err));
	self->held = ARENA_ARRAY(&self->arena, bool, self->count);
	self->said = ARENA_ARRAY(&self->arena, bool, self->count);
	self->shares = ARENA_ARRAY(&self->arena, Share, self->count);
	for (uint32_t i = 0; i < self->count; i++) {
		self->shares[i].owner = self;
		self->shares[i].split = i;
	}
	return FERRIS_OK;
}

Status
partitioned_open(const JobSpec *spec, Partitioned **out, Error *err)
{
	Partitioned *self = *out = memory_zero(sizeof *self);

	self->spec = *spec;
	arena_init(&self->arena, 0);
	arena_init(&self->member_arena, 0);
	pthread_mutex_init(&self->mutex, NULL);
	return open_group(self, err);
}

Status
partitioned_start(Partitioned *self, Error *err)
{
	int code = pthread_create(&self->dealer, NULL, dealer_main, self);

	self->started = code == 0;
	if (code == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_SYSTEM, "cannot start a thread");
	return error_errno(err, code);
}

void
partitioned_stop(Partitioned *self)
{
	self->stop = true;
}

bool
partitioned_is_done(const Partitioned *self)
{
	return self->done;
}

Status
partitioned_wait(Partitioned *self, Error *err)
{
	if (self->started)
		pthread_join(self->dealer, NULL);
	self->started = false;
	if (self->status != FERRIS_OK)
		*err = self->error;
	return self->status;
}

void
partitioned_close(Partitioned *self)
{
	if (self == NULL)
		return;
	leave_group(self);
	instance_release(&self->instance);
	pthread_mutex_destroy(&self->mutex);
	arena_free(&self->member_arena);
	arena_free(&self->arena);
	memory_free(self);
}

void
partitioned_counters(Partitioned *self, JobCounters *out)
{
	*out = (JobCounters){0};
	pthread_mutex_lock(&self->mutex);
	for (uint32_t i = 0; i < self->count; i++) {
		JobCounters own = self->shares[i].counters;

		if (self->shares[i].job != NULL)
			job_counters(self->shares[i].job, &own);
		job_counters_add(out, &own);
	}
	pthread_mutex_unlock(&self->mutex);
}

void
partitioned_each(Partitioned *self, void (*visit)(void *context, const Job *job), void *context)
{
	pthread_mutex_lock(&self->mutex);
	for (uint32_t i = 0; i < self->count; i++)
		if (self->shares[i].job != NULL)
			visit(context, self->shares[i].job);
	pthread_mutex_unlock(&self->mutex);
}
