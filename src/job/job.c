/* job/job.c -- the threads of a statement and what they hand to each other. */
#include "job/job.h"

#include <pthread.h>

#include "base/clock.h"
#include "base/memory.h"
#include "exec/checkpoint.h"
#include "base/ring.h"
#include "job/failure.h"
#include "job/reading_order.h"

#define READ_TIMEOUT_MS      50
#define TICK_INTERVAL_MS     50
#define RETRY_BACKOFF_MAX_MS 60000

typedef enum SlotKind {
	SLOT_CHUNK, /* records */
	SLOT_TICK,  /* the source has been silent */
	SLOT_END,   /* the source has ended */
} SlotKind;

/* A chunk on its way, or word of a source, and what became of it. */
typedef struct Slot {
	SlotKind kind;
	uint32_t source; /* of job->inputs */
	Chunk *chunk;
	Tick tick;
	int64_t *idle_since; /* what tick points to */
	uint32_t idle_capacity;
	uint64_t sequence;
	ChunkResult result;
	Status status;
	Error error; /* if status is not FERRIS_OK */
} Slot;

/* Where a split stands, as far as the writer has come. */
typedef struct SplitState {
	int64_t next;
	uint64_t lines;
	bool seen;
} SplitState;

typedef struct Counters {
	_Atomic uint64_t records_in, bytes_in, rows_out, bytes_out, filtered, failed, dead_letters;
	_Atomic uint64_t limited, late, aggregated, results, pool_hits, pool_misses;
	_Atomic int64_t lag;
} Counters;

/* Positions that the writer has made safe, for the reader's thread to commit. */
typedef struct CommitBox {
	SplitPosition *positions;
	uint32_t count;
	bool wanted;
} CommitBox;

/* One of the statement's sources. */
typedef struct Input {
	/* the reader's thread */
	bool ended;
	int64_t idle_timeout;
	int64_t *last_data; /* of each split: when its last record came */
	uint32_t last_count;
	int64_t started;
	int64_t next_tick;
	/* the writer's */
	SplitState *splits;
	uint32_t split_count;
	/* both */
	CommitBox commits; /* under job->commit_mutex */
} Input;

struct Job {
	JobSpec spec;
	Arena arena;
	const char *group; /* of consumers */
	Source *sources;
	Input *inputs; /* of each source */
	uint32_t source_count;
	ReadingOrder order;
	const ConnectorClass *sink;
	Writer *writer;
	FailureHandler *failures;

	Slot *slots;
	uint32_t slot_count;
	Ring free, filled, done;
	Pipeline **pipelines;
	uint32_t task_count;

	pthread_t reader_thread, writer_thread;
	pthread_t *task_threads;
	uint32_t tasks_started;
	bool writer_started, reader_started; /* what is to be joined */
	_Atomic uint32_t tasks_left;
	_Atomic bool stop;
	_Atomic bool finished;

	/* writer stage */
	Slot **pending; /* by sequence modulo slot_count */
	uint64_t next_sequence;
	bool counts_results; /* rows come out of state */
	bool stateful;       /* one task sees all chunks, in order */
	bool wants_ticks;
	uint64_t read_count;    /* slots handed to the tasks */
	_Atomic bool satisfied; /* a LIMIT inside the query needs no more input */
	int64_t skip_rows;      /* OFFSET */
	int64_t rows_left;      /* LIMIT */
	bool dirty;             /* written since the last commit */
	bool discard;           /* failed or LIMIT reached: let the rest pass unread */

	pthread_mutex_t commit_mutex;
	pthread_mutex_t error_mutex;
	Status status;
	Error error;
	Counters counters;
};

typedef struct TaskStart {
	Job *job;
	uint32_t index;
} TaskStart;

/* ---------------------------------------------------------------- errors */

/* The first failure is the job's; everything then comes to an end. */
static void
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

/* RetryWithBackoff: wait before the next try, or say that there is none. */
static bool
retry(Job *job, const Error *err, uint32_t *attempt)
{
	const Setting *settings = job->spec.plan->job;

	if (settings[JOB_FAILURE_STRATEGY].integer != FAILURE_RETRY_WITH_BACKOFF ||
	    !(err->flags & ERROR_RETRIABLE) ||
	    *attempt >= (uint64_t)settings[JOB_MAX_RETRIES].integer)
		return false;
	int64_t wait = settings[JOB_RETRY_BACKOFF].integer << (*attempt < 16 ? *attempt : 16);
	if (wait > RETRY_BACKOFF_MAX_MS)
		wait = RETRY_BACKOFF_MAX_MS;
	fprintf(stderr, "warning[FS%04d]: %s; trying again in %lld ms\n",
		error_info(err->status)->number, err->message, (long long)wait);
	for (int64_t until = clock_ms() + wait; clock_ms() < until && !job->stop;)
		clock_sleep_ms(10);
	++*attempt;
	return !job->stop;
}

/* ---------------------------------------------------------------- reader */

static Status
commit_positions(Job *job, Error *err)
{
	Status status = FERRIS_OK;

	pthread_mutex_lock(&job->commit_mutex);
	for (uint32_t i = 0; i < job->source_count && status == FERRIS_OK; i++) {
		const Source *source = &job->sources[i];
		CommitBox *box = &job->inputs[i].commits;

		/* What groups hold is in memory alone: after a crash their input must be read
		 * again. */
		if (box->wanted && source->connector->commit != NULL && !job->stateful)
			status = source->connector->commit(source->reader, box->positions,
							   box->count, err);
		box->wanted = false;
	}
	pthread_mutex_unlock(&job->commit_mutex);
	return status;
}

/* NULL: the job is to stop. */
static Slot *
take_free_slot(Job *job, Error *err)
{
	void *slot;

	if (ring_pop(&job->free, 0, &slot) == RING_OK) {
		job->counters.pool_hits++;
		return slot;
	}
	while (!job->stop) {
		if (commit_positions(job, err) != FERRIS_OK) {
			job_fail(job, err->status, err);
			return NULL;
		}
		if (ring_pop(&job->free, READ_TIMEOUT_MS, &slot) == RING_OK) {
			job->counters.pool_misses++;
			return slot;
		}
	}
	return NULL;
}

static void
hand_over(Job *job, Slot *slot, SlotKind kind, uint32_t source)
{
	if (kind != SLOT_CHUNK)
		chunk_reset(slot->chunk);
	slot->kind = kind;
	slot->source = source;
	slot->sequence = job->read_count++;
	ring_push(&job->filled, slot);
}

static Status
read_chunk(Job *job, uint32_t index, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	const Source *source = &job->sources[index];
	uint32_t attempt = 0;
	Status status;

	do {
		chunk_reset(chunk);
		status = source->connector->read(source->reader, chunk, timeout_ms, result, err);
	} while (status != FERRIS_OK && retry(job, err, &attempt));
	return status;
}

static int64_t
job_clock(const Job *job)
{
	return clock_ms() + (job->spec.clock_offset_ms != NULL ? *job->spec.clock_offset_ms : 0);
}

/* When the split's last record came; before the first: when the job began. */
static int64_t *
last_data(Input *input, uint32_t split)
{
	if (split >= input->last_count) {
		uint32_t count = split + 16;

		input->last_data = memory_resize(input->last_data, sizeof(int64_t) * count);
		while (input->last_count < count)
			input->last_data[input->last_count++] = input->started;
	}
	return &input->last_data[split];
}

/* Tells the operators of splits that have been at their ends too long. */
static void
maybe_tick(Job *job, uint32_t index, bool is_idle, Error *err)
{
	Input *input = &job->inputs[index];
	const Source *source = &job->sources[index];
	uint32_t count = source->splits > 0 ? source->splits : 1;
	int64_t now = job_clock(job);
	bool any = false;

	if (!job->wants_ticks || input->idle_timeout == 0 || now < input->next_tick)
		return;
	input->next_tick = now + TICK_INTERVAL_MS;
	for (uint32_t i = 0; i < count && !any; i++)
		any = now - *last_data(input, i) >= input->idle_timeout;
	if (!any)
		return;
	Slot *slot = take_free_slot(job, err);
	if (slot == NULL)
		return;
	if (count > slot->idle_capacity) {
		slot->idle_since = memory_resize(slot->idle_since, sizeof(int64_t) * count);
		slot->idle_capacity = count;
	}
	for (uint32_t i = 0; i < count; i++) {
		int64_t last = *last_data(input, i);
		bool drained = source->connector->split_drained != NULL
				       ? source->connector->split_drained(source->reader, i)
				       : is_idle;

		slot->idle_since[i] =
			drained && now - last >= input->idle_timeout ? last : TICK_ACTIVE;
	}
	slot->tick = (Tick){.now_ms = now, .idle_since = slot->idle_since, .split_count = count};
	hand_over(job, slot, SLOT_TICK, index);
}

static void
update_lag(Job *job)
{
	int64_t lag = 0;

	for (uint32_t i = 0; i < job->source_count; i++) {
		if (job->sources[i].connector->lag == NULL)
			return;
		int64_t one = job->sources[i].connector->lag(job->sources[i].reader);
		if (one < 0)
			return;
		lag += one;
	}
	job->counters.lag = lag;
}

/* One read of one source.  Returns whether records came. */
static bool
read_source(Job *job, uint32_t index, Slot **slot, int timeout_ms, Error *err)
{
	Input *input = &job->inputs[index];
	ReadResult result = READ_IDLE;

	if (*slot == NULL)
		*slot = take_free_slot(job, err);
	if (*slot == NULL)
		return false;
	Status status = commit_positions(job, err);
	if (status == FERRIS_OK)
		status = read_chunk(job, index, (*slot)->chunk, timeout_ms, &result, err);
	if (status != FERRIS_OK) {
		job_fail(job, status, err);
		return false;
	}
	input->ended = result == READ_END;
	if (result == READ_DATA) {
		if (job->wants_ticks)
			*last_data(input, (*slot)->chunk->split) = job_clock(job);
		hand_over(job, *slot, SLOT_CHUNK, index);
	} else if (result == READ_END && job->stateful) {
		hand_over(job, *slot, SLOT_END, index);
	}
	if (result == READ_DATA || (result == READ_END && job->stateful))
		*slot = NULL;
	if (result != READ_END)
		maybe_tick(job, index, result == READ_IDLE, err);
	reading_order_has_read(&job->order, index, result);
	return result == READ_DATA;
}

/* Turn and turn about; when none has records, wait a little for each. */
static void
read_all(Job *job)
{
	uint32_t active = job->source_count;
	Slot *slot = NULL;
	bool waits = job->source_count == 1;
	Error err;

	while (!job->stop && active > 0) {
		int timeout = waits ? READ_TIMEOUT_MS / (int)active : 0;
		bool any = false;

		for (uint32_t i = 0; i < job->source_count && !job->stop; i++) {
			if (job->inputs[i].ended || reading_order_waits(&job->order, i))
				continue;
			any = read_source(job, i, &slot, timeout, &err) || any;
			active -= job->inputs[i].ended;
		}
		update_lag(job);
		waits = active <= 1 || !any;
	}
	/* The rest of the input is not needed: what state holds comes out. */
	for (uint32_t i = 0; i < job->source_count && job->satisfied && job->stateful; i++) {
		void *item;

		if (job->inputs[i].ended)
			continue;
		if (slot == NULL && ring_pop(&job->free, -1, &item) == RING_OK)
			slot = item;
		hand_over(job, slot, SLOT_END, i);
		slot = NULL;
	}
}

static void *
reader_main(void *argument)
{
	Job *job = argument;
	Error err;

	read_all(job);
	ring_close(&job->filled);
	/* Kafka wants to be asked while the rest is on its way out. */
	while (!job->finished) {
		if (commit_positions(job, &err) != FERRIS_OK) {
			job_fail(job, err.status, &err);
			break;
		}
		clock_sleep_ms(1);
	}
	return NULL;
}

/* ---------------------------------------------------------------- tasks */

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
	return pipeline_reload(&spec, pipeline, &slot->error);
}

static Status
run_slot(Pipeline *pipeline, Slot *slot)
{
	switch (slot->kind) {
	case SLOT_TICK:
		return pipeline_tick(pipeline, slot->source, &slot->tick, &slot->result,
				     &slot->error);
	case SLOT_END:
		return pipeline_end(pipeline, slot->source, &slot->result, &slot->error);
	case SLOT_CHUNK:
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

		slot->status = run_slot(*pipeline, slot);
		if (pipeline_is_done(*pipeline)) {
			job->satisfied = true;
			job->stop = true;
		} else {
			slot->status = try_reload(job, pipeline, slot);
		}
		ring_push(&job->done, slot);
	}
	if (atomic_fetch_sub(&job->tasks_left, 1) == 1)
		ring_close(&job->done);
	return NULL;
}

/* ---------------------------------------------------------------- writer */

static SplitState *
split_state(Input *input, uint32_t split)
{
	if (split >= input->split_count) {
		uint32_t count = split + 16;

		input->splits = memory_resize(input->splits, sizeof *input->splits * count);
		memset(input->splits + input->split_count, 0,
		       sizeof *input->splits * (count - input->split_count));
		input->split_count = count;
	}
	return &input->splits[split];
}

static Status
handle_errors(Job *job, const Slot *slot, const SplitState *split, Error *err)
{
	const Source *source = &job->sources[slot->source];

	for (uint32_t i = 0; i < slot->result.error_count; i++) {
		FailedRecord record = {
			.chunk = slot->chunk,
			.error = &slot->result.errors[i],
			.split_name =
				source->connector->split_name(source->reader, slot->chunk->split),
			.line = split->lines + slot->chunk->skipped_lines +
				slot->result.errors[i].record.line + 1,
		};

		job->counters.failed++;
		job->counters.results += slot->result.errors[i].counted;
		TRY(failure_record(job->failures, &record, err));
		job->counters.dead_letters = failure_dead_letters(job->failures);
	}
	return FERRIS_OK;
}

/* OFFSET and LIMIT, in the order of the input.  A failed record behind the last row counts as not
 * read, as it would had it come in a later chunk. */
static void
apply_limit(Job *job, ChunkResult *result)
{
	Output *output = &result->output;
	uint32_t count = output->count;
	uint32_t skip = job->skip_rows < count ? (uint32_t)job->skip_rows : count;

	job->skip_rows -= skip;
	output_drop(output, skip);
	if (output->count >= job->rows_left) {
		output_cut(output, (uint32_t)job->rows_left);
		job->discard = true;
		job->stop = true;
		while (result->error_count > 0 &&
		       result->rows_before[result->error_count - 1] >= skip + output->count) {
			result->error_count--;
			job->counters.limited++;
		}
	}
	job->rows_left -= output->count;
	job->counters.limited += count - output->count;
}

static Status
write_output(Job *job, const Output *output, Error *err)
{
	uint32_t attempt = 0;
	Status status;

	do {
		status = job->sink->write(job->writer, output, err);
	} while (status != FERRIS_OK && retry(job, err, &attempt));
	return status;
}

static Status
write_slot(Job *job, Slot *slot, Error *err)
{
	bool is_chunk = slot->kind == SLOT_CHUNK;
	SplitState *split =
		split_state(&job->inputs[slot->source], is_chunk ? slot->chunk->split : 0);
	ChunkResult *result = &slot->result;

	/* The file was rotated or cut: its lines count from the start again. */
	if (is_chunk && split->seen && slot->chunk->position < split->next)
		split->lines = 0;

	if (slot->status != FERRIS_OK) {
		*err = slot->error;
		return slot->status;
	}
	job->counters.records_in += result->records_in;
	job->counters.bytes_in += is_chunk ? slot->chunk->len : 0;
	job->counters.filtered += result->filtered;
	job->counters.late += result->late;
	job->counters.aggregated += result->aggregated;
	job->counters.limited += result->limited;
	if (job->counts_results)
		job->counters.results += result->output.count + result->results;
	if (job->rows_left != INT64_MAX || job->skip_rows > 0)
		apply_limit(job, result);
	if (result->output.count > 0)
		TRY(write_output(job, &result->output, err));
	job->counters.rows_out += result->output.count;
	job->counters.bytes_out += result->output.bytes.len;
	TRY(handle_errors(job, slot, split, err));
	job->dirty = job->dirty || is_chunk || result->output.count > 0 || result->error_count > 0;
	if (!is_chunk)
		return FERRIS_OK;
	split->lines += slot->chunk->skipped_lines + result->lines;
	split->next = slot->chunk->next_position;
	split->seen = true;
	return FERRIS_OK;
}

/* The positions of a source up to which everything is out. */
static void
offer_positions(Input *input)
{
	CommitBox *box = &input->commits;

	box->count = 0;
	box->positions =
		memory_resize(box->positions, sizeof(SplitPosition) * (input->split_count + 1));
	for (uint32_t i = 0; i < input->split_count; i++)
		if (input->splits[i].seen)
			box->positions[box->count++] = (SplitPosition){i, input->splits[i].next};
	box->wanted = true;
}

/* Flush the sink, then tell the reader's thread which positions are safe. */
static Status
commit_epoch(Job *job, Error *err)
{
	uint32_t attempt = 0;
	Status status;

	if (!job->dirty)
		return FERRIS_OK;
	TRY(failure_flush(job->failures, err));
	do {
		status = job->sink->flush(job->writer, err);
	} while (status != FERRIS_OK && retry(job, err, &attempt));
	TRY(status);
	pthread_mutex_lock(&job->commit_mutex);
	for (uint32_t i = 0; i < job->source_count; i++)
		offer_positions(&job->inputs[i]);
	pthread_mutex_unlock(&job->commit_mutex);
	job->dirty = false;
	return FERRIS_OK;
}

/* Everything whose turn it is. */
static void
write_ready(Job *job)
{
	Slot **place;
	Error err;

	while (*(place = &job->pending[job->next_sequence % job->slot_count]) != NULL) {
		Slot *slot = *place;

		*place = NULL;
		job->next_sequence++;
		if (!job->discard) {
			Status status = write_slot(job, slot, &err);

			if (status != FERRIS_OK) {
				job->discard = true;
				job_fail(job, status, &err);
			}
		}
		ring_push(&job->free, slot);
	}
}

static void
finish_output(Job *job)
{
	Status status;
	Error err;

	status = commit_epoch(job, &err);
	if (status != FERRIS_OK)
		job_fail(job, status, &err);
	bool failed = job_failed(job);
	status = job->sink->writer_close(job->writer, failed, &err);
	job->writer = NULL;
	if (status != FERRIS_OK)
		job_fail(job, status, &err);
	status = failure_close(job->failures, failed, &err);
	job->failures = NULL;
	if (status != FERRIS_OK)
		job_fail(job, status, &err);
}

static void *
writer_main(void *argument)
{
	Job *job = argument;
	int64_t interval = job->spec.plan->job[JOB_COMMIT_INTERVAL].integer;
	int64_t next_commit = clock_ms() + interval;
	RingResult result;
	Error err;

	do {
		void *item = NULL;
		int64_t wait = next_commit - clock_ms();

		result = ring_pop(&job->done, wait > 0 ? (int)wait : 0, &item);
		if (result == RING_OK) {
			Slot *slot = item;

			job->pending[slot->sequence % job->slot_count] = slot;
			write_ready(job);
		}
		if (clock_ms() >= next_commit) {
			next_commit = clock_ms() + interval;
			Status status = job->discard ? FERRIS_OK : commit_epoch(job, &err);

			if (status != FERRIS_OK) {
				job->discard = true;
				job_fail(job, status, &err);
			}
		}
	} while (result != RING_CLOSED);
	finish_output(job);
	job->finished = true;
	return NULL;
}

/* ---------------------------------------------------------------- opening */

/* Two readers of one topic must not share its partitions. */
static const char *
group_of(Job *job, uint32_t index)
{
	const StatementPlan *plan = job->spec.plan;
	uint32_t before = 0;

	for (uint32_t i = 0; i < index; i++)
		before += str_eq(plan->scans[i]->scan.endpoint->name,
				 plan->scans[index]->scan.endpoint->name);
	return before == 0 ? job->group
			   : str_format(&job->arena, "%s-%u", job->group, before + 1).data;
}

static Status
open_sources(Job *job, Error *err)
{
	const StatementPlan *plan = job->spec.plan;

	job->sources = ARENA_ARRAY(&job->arena, Source, plan->scan_count);
	job->inputs = ARENA_ARRAY(&job->arena, Input, plan->scan_count);
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *endpoint = plan->scans[i]->scan.endpoint;

		job->source_count++;
		job->inputs[i].started = job_clock(job);
		job->inputs[i].idle_timeout = endpoint->common[ENDPOINT_IDLE_TIMEOUT].integer;
		TRY(source_open(&job->sources[i], plan->scans[i], group_of(job, i),
				job->spec.environment, &job->arena, err));
	}
	reading_order_init(&job->order, job->sources, job->source_count, &job->arena);
	return FERRIS_OK;
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
	};
	buffer_free(&preamble);
	job->sink = plan->sink->connector;
	if (status == FERRIS_OK)
		status = job->sink->writer_open(&spec, &job->arena, &job->writer, err);
	return status;
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
	job->slot_count = 2 * job->task_count + 2;
	job->slots = ARENA_ARRAY(&job->arena, Slot, job->slot_count);
	job->pending = ARENA_ARRAY(&job->arena, Slot *, job->slot_count);
	ring_init(&job->free, job->slot_count);
	ring_init(&job->filled, job->slot_count);
	ring_init(&job->done, job->slot_count);
	for (uint32_t i = 0; i < job->slot_count; i++) {
		job->slots[i].chunk = chunk_new(CHUNK_CAPACITY);
		chunk_result_init(&job->slots[i].result, job->sink->keyed_output);
		ring_push(&job->free, &job->slots[i]);
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

Status
job_open(const JobSpec *spec, Job **out, Error *err)
{
	Job *job = memory_zero(sizeof *job);

	*out = job;
	job->spec = *spec;
	arena_init(&job->arena, 0);
	pthread_mutex_init(&job->error_mutex, NULL);
	pthread_mutex_init(&job->commit_mutex, NULL);
	job->counters.lag = -1;
	job->stateful = plan_is_stateful(spec->plan);
	job->counts_results = plan_counts_results(spec->plan);
	job->wants_ticks = plan_wants_ticks(spec->plan);
	job->group = str_format(&job->arena, "%.*s-%.*s", STR_ARG(spec->application),
				STR_ARG(spec->plan->name))
			     .data;
	job->task_count = job->stateful ? 1 : (uint32_t)spec->plan->job[JOB_PARALLELISM].integer;
	set_limits(job);
	TRY(open_sources(job, err));
	TRY(open_tasks(job, err));
	TRY(open_writer(job, err));
	TRY(failure_open(spec->plan, spec->environment, &job->arena, &job->failures, err));
	make_slots(job);
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

Status
job_wait(Job *job, Error *err)
{
	if (job->reader_started) {
		join_threads(job);
		/* The output is safe; its positions have not been committed yet. */
		if (commit_positions(job, err) != FERRIS_OK)
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
	if (job->writer != NULL && job->sink->writer_close(job->writer, true, &err) != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	if (job->failures != NULL && failure_close(job->failures, true, &err) != FERRIS_OK)
		error_print(stderr, &err, NULL, NULL);
	for (uint32_t i = 0; i < job->task_count && job->pipelines != NULL; i++)
		pipeline_close(job->pipelines[i]);
	if (job->slots != NULL) {
		for (uint32_t i = 0; i < job->slot_count; i++) {
			chunk_destroy(job->slots[i].chunk);
			memory_free(job->slots[i].idle_since);
			chunk_result_free(&job->slots[i].result);
		}
		ring_free(&job->free);
		ring_free(&job->filled);
		ring_free(&job->done);
	}
	pthread_mutex_destroy(&job->error_mutex);
	for (uint32_t i = 0; i < job->source_count; i++) {
		source_close(&job->sources[i]);
		memory_free(job->inputs[i].commits.positions);
		memory_free(job->inputs[i].splits);
		memory_free(job->inputs[i].last_data);
	}
	pthread_mutex_destroy(&job->commit_mutex);
	arena_free(&job->arena);
	memory_free(job);
}

void
job_counters(Job *job, JobCounters *out)
{
	const Counters *c = &job->counters;

	*out = (JobCounters){
		.records_in = c->records_in,
		.bytes_in = c->bytes_in,
		.rows_out = c->rows_out,
		.bytes_out = c->bytes_out,
		.filtered = c->filtered,
		.late = c->late,
		.aggregated = c->aggregated,
		.results = c->results,
		.failed = c->failed,
		.dead_letters = c->dead_letters,
		.limited = c->limited,
		.pool_hits = c->pool_hits,
		.pool_misses = c->pool_misses,
		.lag = c->lag,
	};
}

const SourceTime *
job_source_time(const Job *job, uint32_t source)
{
	/* A statement with event time runs as one task. */
	return pipeline_source_time(job->pipelines[0], source);
}

const StatementPlan *
job_plan(const Job *job)
{
	return job->spec.plan;
}
