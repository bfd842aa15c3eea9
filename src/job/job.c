/* job/job.c -- a statement that runs: its threads, its tasks, its opening and its end.
 *
 * reader (job/reading.c) -> tasks (here) -> writer (job/writing.c); job/job_internal.h says which
 * thread owns what. */
#include "job/job.h"

#include "base/clock.h"
#include "base/disk_trial.h"
#include "base/memory.h"
#include "exec/checkpoint.h"
#include "job/job_internal.h"

#define RETRY_BACKOFF_MAX_MS 60000

typedef struct TaskStart {
	Job *job;
	uint32_t index;
} TaskStart;

/* ---------------------------------------------------------------- errors */

void
job_fail(Job *job, Status status, const Error *err)
{
	pthread_mutex_lock(&job->error_mutex);
	if (job->status == FERRIS_OK) {
		job->status = status;
		job->error = *err;
	}
	pthread_mutex_unlock(&job->error_mutex);
	job->stop = true;
}

bool
job_failed(Job *job)
{
	pthread_mutex_lock(&job->error_mutex);
	bool failed = job->status != FERRIS_OK;
	pthread_mutex_unlock(&job->error_mutex);
	return failed;
}

bool
job_may_restart(Job *job, JobCounters *counters, bool *progressed)
{
	pthread_mutex_lock(&job->error_mutex);
	bool may = job->guarantee == GUARANTEE_EXACTLY_ONCE && job->status != FERRIS_OK &&
		   ((job->error.flags & ERROR_REQUIRES_ABORT) ||
		    (job->disk != NULL && disk_has_failed(job->disk)));
	pthread_mutex_unlock(&job->error_mutex);
	/* One that begins anew counts anew. */
	*counters = job->recovery == RECOVERY_ANEW ? job->spec.counters : job->final;
	*progressed = job->epochs > 0;
	return may;
}

bool
job_retry(Job *job, const Error *err, uint32_t *attempt)
{
	const Setting *settings = job->spec.plan->job;

	if (settings[JOB_FAILURE_STRATEGY].integer != FAILURE_RETRY_WITH_BACKOFF ||
	    !(err->flags & ERROR_RETRIABLE) ||
	    *attempt >= (uint64_t)settings[JOB_MAX_RETRIES].integer)
		return false;
	int64_t wait = settings[JOB_RETRY_BACKOFF].integer << (*attempt < 16 ? *attempt : 16);
	if (wait > RETRY_BACKOFF_MAX_MS)
		wait = RETRY_BACKOFF_MAX_MS;
	/* Less up to a quarter by chance: those that failed together do not come back together. */
	wait -= (int64_t)((uint64_t)clock_ns() / 1000 % 1000) * (wait / 4) / 1000;
	fprintf(stderr, "warning[FS%04d]: %s; trying again in %lld ms\n",
		error_info(err->status)->number, err->message, (long long)wait);
	for (int64_t until = clock_ms() + wait; clock_ms() < until && !job->stop;)
		clock_sleep_ms(10);
	++*attempt;
	return !job->stop;
}

int64_t
job_clock(const Job *job)
{
	bool simulated = job->spec.trial.crash_seed != 0;

	return (simulated ? 0 : clock_ms()) +
	       (job->spec.clock_offset_ms != NULL ? *job->spec.clock_offset_ms : 0);
}

/* ---------------------------------------------------------------- tasks */

/* Every other chunk of which nothing is to be written does not wake the writer, and so neither the
 * reader, when the task goes on to another one: it takes two at a time.  (Half the context switches
 * of S5, 2 % of its CPU time, 3 % of its time.) */
static bool
may_wait(Job *job, const Slot *slot)
{
	const ChunkResult *result = &slot->result;

	return job->task_count == 1 && slot->kind == SLOT_CHUNK && slot->sequence % 2 == 0 &&
	       slot->status == FERRIS_OK && result->output.count == 0 && result->error_count == 0 &&
	       !ring_is_empty(&job->filled);
}

/* The order of the writer's work: the reader's, and in a stateful job the task's. */
static void
push_done(Job *job, Slot *slot)
{
	if (job->stateful)
		slot->sequence = job->done_count++;
	if (may_wait(job, slot))
		ring_push_quietly(&job->done, slot);
	else
		ring_push(&job->done, slot);
}

/* What there is of a large output goes to the writer in a slot of its own. */
static Status
hand_over_part(void *receiver, ChunkResult *result, Error *err)
{
	Job *job = receiver;
	void *item;

	(void)err;
	ring_pop(&job->parts, -1, &item);
	Slot *part = item;
	ChunkResult empty = part->result;

	part->result = *result;
	*result = empty;
	part->kind = SLOT_PART;
	part->source = 0;
	part->status = FERRIS_OK;
	push_done(job, part);
	return FERRIS_OK;
}

static PipelineSpec
pipeline_spec(Job *job)
{
	const StatementPlan *plan = job->spec.plan;
	int64_t strategy = plan->job[JOB_FAILURE_STRATEGY].integer;

	return (PipelineSpec){
		.plan = plan,
		.sources = job->sources,
		.group = job->group,
		.environment = job->spec.environment,
		.trial = job->spec.trial,
		.hand_over = job->stateful ? hand_over_part : NULL,
		.receiver = job,
		.tracks = job->keeps_state,
		.shares = job->spec.share.count,
		.stop_at_error =
			strategy == FAILURE_FAIL_BATCH || strategy == FAILURE_RETRY_WITH_BACKOFF,
	};
}

/* As a restart between two chunks would. */
static Status
try_reload(Job *job, Pipeline **pipeline, Slot *slot)
{
	PipelineSpec spec = pipeline_spec(job);

	if (!job->spec.trial.reload || slot->kind != SLOT_CHUNK || slot->status != FERRIS_OK)
		return slot->status;
	return pipeline_reload(&spec, pipeline, &job->trial_records, &slot->error);
}

/* How far the one source of a statement that shuffles has come. */
static SplitMark
mark_of(const Pipeline *pipeline)
{
	const SourceTime *time = pipeline_source_time(pipeline, 0);

	return time->splits == NULL ? (SplitMark){INT64_MIN, false}
				    : (SplitMark){time->splits[0].watermark, time->splits[0].idle};
}

static Status
run_slot(const Job *job, Pipeline *pipeline, Slot *slot)
{
	switch (slot->kind) {
	case SLOT_TICK:
		return pipeline_tick(pipeline, slot->source, &slot->tick, &slot->result,
				     &slot->error);
	case SLOT_END:
		return pipeline_end(pipeline, slot->source, &slot->result, &slot->error);
	case SLOT_EPOCH:
		if (job->shuffles)
			slot->mark = mark_of(pipeline);
		return job_save_changes(job, pipeline, slot);
	case SLOT_CHUNK:
	case SLOT_PART:
		break;
	}
	return pipeline_run(pipeline, slot->source, slot->chunk, &slot->result, &slot->error);
}

static void *
task_main(void *argument)
{
	TaskStart *start = argument;
	Job *job = start->job;
	Pipeline **pipeline = &job->pipelines[start->index];
	void *item;

	while (ring_pop(&job->filled, -1, &item) == RING_OK) {
		Slot *slot = item;

		int64_t begin_us = clock_us();

		if (!job_crashes(job, CRASH_TASK))
			slot->status = run_slot(job, *pipeline, slot);
		slot->process_us = clock_us() - begin_us;
		if (job->killed || job_crashes(job, CRASH_TASK)) {
			push_done(job, slot);
			continue;
		}
		if (pipeline_is_done(*pipeline)) {
			job->satisfied = true;
			job->stop = true;
		} else {
			slot->status = try_reload(job, pipeline, slot);
		}
		push_done(job, slot);
	}
	if (atomic_fetch_sub(&job->tasks_left, 1) == 1)
		ring_close(&job->done);
	return NULL;
}

/* ---------------------------------------------------------------- opening */

/* Two readers of one topic must not share its partitions, and two of a group would stop each other
 * when they join it: each further source has a group of its own. */
static const char *
group_of(const JobSpec *spec, uint32_t index, Arena *arena)
{
	const char *group = plan_default_group(arena, spec->application, spec->plan);
	Str name = spec->plan->scans[index]->scan.endpoint->name;

	return index == 0 ? group
			  : str_format(arena, "%s-%.*s-%u", group, STR_ARG(name), index + 1).data;
}

/* How the statement goes on after a crash, and what it keeps for that. */
static void
settle_recovery(Job *job)
{
	const StatementPlan *plan = job->spec.plan;
	const Str *dir = &plan->job[JOB_STATE_DIR].text;
	bool within = plan->recovery == RECOVERY_SINK;
	bool beside = plan->recovery == RECOVERY_JOURNAL;

	job->state_dir = dir->data != NULL ? str_copy(&job->arena, *dir).data : NULL;
	job->recovery = plan->recovery;
	job->inputs = ARENA_ARRAY(&job->arena, Input, plan->scan_count);
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const ConnectorClass *source = plan->scans[i]->scan.endpoint->connector;

		job->inputs[i].in_transaction = within && source == plan->sink->connector;
		job->has_foreign_input =
			job->has_foreign_input || (within && source != plan->sink->connector);
	}
	job->keeps_state = (within || beside) && job->stateful;
	job->keeps_records = job->keeps_state || beside || job->has_foreign_input;
}

/* Whether the statement is in a consumer group, or writes transactions. */
static bool
is_known_to_brokers(const Job *job)
{
	const StatementPlan *plan = job->spec.plan;
	bool known = job->recovery == RECOVERY_SINK;

	for (uint32_t i = 0; i < plan->scan_count; i++)
		known = known || (job->recovery == RECOVERY_JOURNAL &&
				  plan->scans[i]->scan.endpoint->connector->group != NULL);
	return known;
}

/* Members of consumer groups, and transactions, are known by it. */
static Status
claim_instance(Job *job, Error *err)
{
	const StatementPlan *plan = job->spec.plan;

	if (!is_known_to_brokers(job))
		return FERRIS_OK;
	job->first_group = plan_first_group(&job->arena, job->spec.application, plan);
	if (job->spec.share.count > 0) { /* whoever is dealt the split takes it over */
		job->name = str_format(&job->arena, "%s-%.*s-%u", job->first_group,
				       STR_ARG(plan->name), job->spec.share.split)
				    .data;
		return FERRIS_OK;
	}
	TRY(instance_claim(job->state_dir, job->first_group, &job->instance, err));
	job->name = job->instance.name;
	if (!job->keeps_records)
		return FERRIS_OK;
	/* Its state is one: whoever takes the name takes it over, on whatever machine. */
	job->name = str_format(&job->arena, "%s-%.*s", job->first_group, STR_ARG(plan->name)).data;
	if (job->instance.number == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_NOT_SUPPORTED,
		  "another process on this machine reads in the group '%s', and what '%.*s' keeps "
		  "from run to run one process must have alone",
		  job->first_group, STR_ARG(plan->name));
	return error_hint(err,
			  "stop the other one, or give this one another 'kafka.group.id'; "
			  "'state.partitioned' = 'true' shares the state where the keys are the "
			  "topic's");
}

/* Readers of one group must differ, also those of one statement. */
static const char *
instance_of(Job *job, uint32_t index)
{
	if (job->name == NULL || index == 0 || job->spec.share.count > 0)
		return job->spec.share.count > 0 ? NULL : job->name;
	return str_format(&job->arena, "%s-%u", job->name, index + 1).data;
}

SourceSpec
job_source_spec(const JobSpec *spec, uint32_t source, Arena *arena)
{
	return (SourceSpec){.scan = spec->plan->scans[source],
			    .group = group_of(spec, source, arena),
			    .share = spec->share,
			    .environment = spec->environment};
}

static void
count_decisions(Job *job, const Decisions *decisions)
{
	_Atomic uint64_t *counters[DECISION_COUNT] = {
		[DECISION_USER] = &job->counters.config_user,
		[DECISION_PRECEDENCE] = &job->counters.config_precedence,
		[DECISION_STRATEGY] = &job->counters.config_strategy,
		[DECISION_GUARANTEE] = &job->counters.config_guarantee,
		[DECISION_IDLE] = &job->counters.config_idle,
	};

	for (uint32_t i = 0; i < decisions->count; i++)
		++*counters[decisions->items[i].kind];
}

static Status
open_sources(Job *job, Error *err)
{
	const StatementPlan *plan = job->spec.plan;

	job->sources = ARENA_ARRAY(&job->arena, Source, plan->scan_count);
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *endpoint = plan->scans[i]->scan.endpoint;

		job->source_count++;
		job->inputs[i].started = job_clock(job);
		batcher_open(&job->inputs[i].batcher, endpoint, job_clock(job));
		count_decisions(job, &endpoint->decisions);
		job->inputs[i].idle_timeout = endpoint->common[ENDPOINT_IDLE_TIMEOUT].integer;
		SourceSpec spec = job_source_spec(&job->spec, i, &job->arena);
		spec.instance = instance_of(job, i);
		spec.keeps_place = spec.whole = job->stateful || job->keeps_records;
		spec.places = job->inputs[i].places;
		spec.place_count = job->inputs[i].place_count;
		spec.only_places = job->restored.data != NULL;
		TRY(source_open(&job->sources[i], &spec, &job->arena, err));
	}
	reading_order_init(&job->order, job->sources, job->source_count, &job->arena);
	return FERRIS_OK;
}

static Status
say_how_to_begin_anew(const Job *job, Status status, Error *err)
{
	return status != FERRIS_ERR_FILE_CHANGED
		       ? status
		       : error_hint(err, "put it back, or remove the folder '%s' to begin anew",
				    journal_folder(job->journal));
}

/* Input that is not what it was is read from its start, where that does no harm. */
static Status
open_resumed_sources(Job *job, Error *err)
{
	Status status = open_sources(job, err);

	if (status == FERRIS_ERR_FILE_CHANGED && job->log != NULL)
		return error_hint(err, "put it back as it was, or begin anew under another name: "
				       "-- SQL Application: ...");
	if (status != FERRIS_ERR_FILE_CHANGED || !job->spec.plan->begins_anew)
		return say_how_to_begin_anew(job, status, err);
	for (uint32_t i = 0; i < job->source_count; i++)
		source_close(&job->sources[i]);
	job->source_count = 0;
	TRY(job_begin_anew(job, err));
	return open_sources(job, err);
}

static Status
open_failures(Job *job, Error *err)
{
	FailureSpec spec = {
		.plan = job->spec.plan,
		.environment = job->spec.environment,
		.within = job->recovery == RECOVERY_SINK ? job->writer : NULL,
		.marked = job->recovery == RECOVERY_JOURNAL,
		.resume = job_resume_mark(job, MARK_DEAD_LETTERS),
		.disk = job->disk,
	};

	return say_how_to_begin_anew(job, failure_open(&spec, &job->arena, &job->failures, err),
				     err);
}

static Status
open_writer(Job *job, Error *err)
{
	const StatementPlan *plan = job->spec.plan;
	Buffer preamble;

	buffer_init(&preamble, (size_t)1 << 24);
	Status status = sink_preamble(plan, &job->arena, &preamble, err);
	WriterSpec spec = {
		.object = str_copy(&job->arena, plan->sink->name).data,
		.settings = plan->sink->connector_settings,
		.given = &plan->sink->given,
		.codec = plan->sink->codec,
		.preamble = arena_copy(&job->arena, preamble.data, preamble.len),
		.preamble_len = preamble.len,
		.environment = job->spec.environment,
		.transaction = job->recovery == RECOVERY_SINK ? job->name : NULL,
		.marked = job->recovery == RECOVERY_JOURNAL,
		.resume = job_resume_mark(job, MARK_OUTPUT),
		.disk = job->disk,
		.share = job->spec.share,
		.shuffles = job->shuffles,
	};
	buffer_free(&preamble);
	const BatchPlan *batch = &plan->sink->batch;
	MemoryWatch memory = {.target = batch->memory_target,
			      .pressure = batch->pressure,
			      .interval_ms = batch->memory_check_ms};
	if (batch->strategy == BATCH_MEMORY && !batch->disabled)
		spec.memory = &memory;
	count_decisions(job, &plan->sink->decisions);
	count_decisions(job, &plan->decisions);
	if (status == FERRIS_OK)
		status = job->sink->writer_open(&spec, &job->arena, &job->writer, err);
	return say_how_to_begin_anew(job, status, err);
}

/* A transaction that this process left open when it was killed ends before positions are asked for;
 * a sink without transactions is touched last. */
Status
job_open_records(Job *job, Error *err)
{
	TRY(claim_instance(job, err));
	if (job->recovery == RECOVERY_SINK)
		TRY(open_writer(job, err));
	return job_read_records(job, err);
}

static Status
open_ends(Job *job, Error *err)
{
	TRY(job_open_records(job, err));
	TRY(job_take_records(job, err));
	TRY(open_resumed_sources(job, err));
	for (uint32_t i = 0; i < job->source_count; i++)
		if (job->inputs[i].in_transaction)
			TRY(job->sink->takes_positions(job->writer, job->sources[i].reader, err));
	job->epoch_inputs = ARENA_ARRAY(&job->arena, EpochInput, job->source_count + 1);
	return FERRIS_OK;
}

static Status
open_tasks(Job *job, Error *err)
{
	PipelineSpec spec = pipeline_spec(job);

	job->pipelines = ARENA_ARRAY(&job->arena, Pipeline *, job->task_count);
	for (uint32_t i = 0; i < job->task_count; i++)
		TRY(pipeline_open(&spec, &job->pipelines[i], err));
	return FERRIS_OK;
}

/* Two slots for each task and two for the ends: all stages can be at work at once. */
static void
make_slots(Job *job)
{
	uint32_t usual = job->spec.trial.crash_seed != 0 ? 1 : 2 * job->task_count + 2;

	job->slot_count = usual + PART_SLOTS;
	job->slots = ARENA_ARRAY(&job->arena, Slot, job->slot_count);
	job->pending = ARENA_ARRAY(&job->arena, Slot *, job->slot_count);
	ring_init(&job->free, usual);
	ring_init(&job->parts, PART_SLOTS);
	ring_init(&job->filled, usual);
	ring_init(&job->done, job->slot_count);
	for (uint32_t i = 0; i < job->slot_count; i++) {
		job->slots[i].chunk = chunk_new(CHUNK_CAPACITY);
		chunk_result_init(&job->slots[i].result, job->sink->keyed_output);
		buffer_init(&job->slots[i].changes, SIZE_MAX);
		ring_push(i < usual ? &job->free : &job->parts, &job->slots[i]);
	}
}

static void
set_limits(Job *job)
{
	const PlanNode *root = job->spec.plan->root;

	job->rows_left = job->spec.row_limit;
	if (root->kind != PLAN_LIMIT)
		return;
	job->skip_rows = root->limit.offset;
	if (root->limit.count < job->rows_left)
		job->rows_left = root->limit.count;
}

static void
set_counters(Counters *counters, const JobCounters *from)
{
#define COUNTER(name, metric, label, doc) counters->name = from->name;
#include "job/counter_list.h"
#define HISTOGRAM(name, metric, label, per_second, doc) histogram_set(&counters->name, &from->name);
#include "job/histogram_list.h"
	counters->lag = -1;
}

/* A trial may kill it here when it has run before. */
static Status
load_state(Job *job, Error *err)
{
	bool again = job->spec.counters.restarts > 0;

	if (again)
		TRY(job_survives(job, CRASH_OPEN, err));
	TRY(job_load_state(job, err));
	return again ? job_survives(job, CRASH_OPEN, err) : FERRIS_OK;
}

Job *
job_new(const JobSpec *spec)
{
	Job *job = memory_zero(sizeof *job);

	job->spec = *spec;
	arena_init(&job->arena, 0);
	pthread_mutex_init(&job->error_mutex, NULL);
	pthread_mutex_init(&job->commit_mutex, NULL);
	buffer_init(&job->record_key, SIZE_MAX);
	buffer_init(&job->record_value, SIZE_MAX);
	buffer_init(&job->large.key, SIZE_MAX);
	buffer_init(&job->large.value, SIZE_MAX);
	set_counters(&job->counters, &spec->counters);
	job->final = spec->counters;
	job->stateful = plan_is_stateful(spec->plan);
	job->counts_results = plan_counts_results(spec->plan);
	job->wants_ticks = plan_wants_ticks(spec->plan);
	settle_recovery(job);
	job->group = plan_default_group(&job->arena, spec->application, spec->plan);
	job->shuffles = spec->plan->shuffles;
	job->mark = (SplitMark){INT64_MIN, false};
	job->task_count = job->stateful || job->shuffles
				  ? 1
				  : (uint32_t)spec->plan->job[JOB_PARALLELISM].integer;
	set_limits(job);
	job->guarantee = spec->plan->guarantee;
	job->sink = spec->plan->sink->connector;
	job->disk = job->guarantee == GUARANTEE_EXACTLY_ONCE ? spec->trial.disk : NULL;
	return job;
}

Status
job_open(const JobSpec *spec, Job **out, Error *err)
{
	Job *job = *out = job_new(spec);

	TRY(open_ends(job, err));
	TRY(open_tasks(job, err));
	if (job->writer == NULL)
		TRY(open_writer(job, err));
	TRY(open_failures(job, err));
	TRY(load_state(job, err));
	TRY(job_begin_epochs(job, err));
	job_note_due(job);
	make_slots(job);
	job->opened = true;
	return FERRIS_OK;
}

static Status
start_thread(pthread_t *thread, void *(*run)(void *), void *argument, Error *err)
{
	int code = pthread_create(thread, NULL, run, argument);

	if (code != 0) {
		error_set(err, FERRIS_ERR_SYSTEM, "cannot start a thread");
		return error_errno(err, code);
	}
	return FERRIS_OK;
}

static void
join_threads(Job *job)
{
	if (job->reader_started)
		pthread_join(job->reader_thread, NULL);
	for (uint32_t i = 0; i < job->tasks_started; i++)
		pthread_join(job->task_threads[i], NULL);
	if (job->writer_started)
		pthread_join(job->writer_thread, NULL);
	job->reader_started = false;
	job->tasks_started = 0;
	job->writer_started = false;
}

static Status
start_threads(Job *job, TaskStart *starts, Error *err)
{
	TRY(start_thread(&job->writer_thread, writer_main, job, err));
	job->writer_started = true;
	for (uint32_t i = 0; i < job->task_count; i++) {
		starts[i] = (TaskStart){job, i};
		TRY(start_thread(&job->task_threads[i], task_main, &starts[i], err));
		job->tasks_started++;
	}
	TRY(start_thread(&job->reader_thread, reader_main, job, err));
	job->reader_started = true;
	return FERRIS_OK;
}

/* A thread could not be started: those that run find no work and end. */
static void
end_started(Job *job, const Error *err)
{
	uint32_t missing = job->task_count - job->tasks_started;

	job_fail(job, err->status, err);
	ring_close(&job->filled);
	if (missing > 0 && atomic_fetch_sub(&job->tasks_left, missing) == missing)
		ring_close(&job->done);
	join_threads(job);
	job->status = FERRIS_OK; /* the caller has the error; job_wait need not say it again */
}

Status
job_start(Job *job, Error *err)
{
	TaskStart *starts = ARENA_ARRAY(&job->arena, TaskStart, job->task_count);

	job->counters.begun_us = clock_us();
	job->task_threads = ARENA_ARRAY(&job->arena, pthread_t, job->task_count);
	job->tasks_left = job->task_count;
	if (job->rows_left == 0) {
		job->stop = true;
		job->discard = true;
	}
	Status status = start_threads(job, starts, err);
	if (status != FERRIS_OK)
		end_started(job, err);
	return status;
}

/* ---------------------------------------------------------------- ending */

void
job_stop(Job *job)
{
	job->stop = true;
}

bool
job_is_done(const Job *job)
{
	return job->finished;
}

void
job_abandon(Job *job, const Error *err)
{
	job->status = err->status;
	job->error = *err;
	job->finished = true;
}

Status
job_wait(Job *job, Error *err)
{
	if (job->reader_started) {
		join_threads(job);
		/* The output is safe; its positions have not been committed yet. */
		if (job_commit_positions(job, err) != FERRIS_OK)
			job_fail(job, err->status, err);
	}
	if (job->status != FERRIS_OK)
		*err = job->error;
	return job->status;
}

void
job_close(Job *job)
{
	Error err;

	if (job == NULL)
		return;
	job_close_state(job);
	large_records_free(&job->large);
	if (job->failures != NULL && failure_close(job->failures, true, &err) != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	if (job->writer != NULL && job->sink->writer_close(job->writer, true, &err) != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	for (uint32_t i = 0; i < job->task_count && job->pipelines != NULL; i++)
		pipeline_close(job->pipelines[i]);
	if (job->slots != NULL) {
		for (uint32_t i = 0; i < job->slot_count; i++) {
			chunk_destroy(job->slots[i].chunk);
			memory_free(job->slots[i].idle_since);
			chunk_result_free(&job->slots[i].result);
			buffer_free(&job->slots[i].changes);
		}
		ring_free(&job->free);
		ring_free(&job->parts);
		ring_free(&job->filled);
		ring_free(&job->done);
	}
	pthread_mutex_destroy(&job->error_mutex);
	for (uint32_t i = 0; i < job->source_count; i++) {
		source_close(&job->sources[i]);
		memory_free(job->inputs[i].commits.positions);
		memory_free(job->inputs[i].splits);
		memory_free(job->inputs[i].final);
		memory_free(job->inputs[i].places);
		memory_free(job->inputs[i].place_lines);
		memory_free(job->inputs[i].last_data);
	}
	buffer_free(&job->record_key);
	buffer_free(&job->record_value);
	instance_release(&job->instance);
	if (job->trial_records != NULL)
		job->trial_records->class->close(job->trial_records);
	pthread_mutex_destroy(&job->commit_mutex);
	arena_free(&job->arena);
	memory_free(job);
}

void
job_counters(Job *job, JobCounters *out)
{
	const Counters *c = &job->counters;

#define COUNTER(name, metric, label, doc) out->name = c->name;
#include "job/counter_list.h"
#define HISTOGRAM(name, metric, label, per_second, doc) histogram_read(&c->name, &out->name);
#include "job/histogram_list.h"
	out->lag = c->lag;
	out->elapsed_us = job->spec.counters.elapsed_us;
	if (c->begun_us > 0)
		out->elapsed_us += (c->ended_us > 0 ? c->ended_us : clock_us()) - c->begun_us;
}

void
job_counters_add(JobCounters *sum, const JobCounters *own)
{
#define COUNTER(name, metric, label, doc) sum->name += own->name;
#include "job/counter_list.h"
#define HISTOGRAM(name, metric, label, per_second, doc)                                            \
	histogram_counts_add(&sum->name, &own->name);
#include "job/histogram_list.h"
	if (own->lag > 0)
		sum->lag += own->lag;
	if (own->elapsed_us > sum->elapsed_us)
		sum->elapsed_us = own->elapsed_us;
}

double
job_records_per_second(const JobCounters *counters)
{
	return counters->elapsed_us > 0
		       ? (double)counters->records_in * 1e6 / (double)counters->elapsed_us
		       : 0;
}

const SourceTime *
job_source_time(const Job *job, uint32_t source)
{
	/* A statement with event time runs as one task. */
	return pipeline_source_time(job->pipelines[0], source);
}

uint32_t
job_first_split(const Job *job)
{
	return job->spec.share.count > 0 ? job->spec.share.split : 0;
}
