/* job/reading.c -- the reader's stage: records from the sources into slots, turn and turn about.
 *
 * Beside records the tasks get the word that a source is idle or has ended, in one order with them,
 * and at each commit interval an epoch: what is before it becomes final together.  This thread
 * alone reads, so it also commits the positions that the writer offers. */
#include "base/clock.h"
#include "base/memory.h"
#include "job/job_internal.h"

#define READ_TIMEOUT_MS  50
#define TICK_INTERVAL_MS 50
#define BATCH_WAIT_MS    5 /* at once, for a batch to fill */

Status
job_commit_positions(Job *job, Error *err)
{
	Status status = FERRIS_OK;

	pthread_mutex_lock(&job->commit_mutex);
	for (uint32_t i = 0; i < job->source_count && status == FERRIS_OK; i++) {
		const Source *source = &job->sources[i];
		CommitBox *box = &job->inputs[i].commits;

		/* What groups hold is in memory alone: after a crash their input must be read
		 * again. */
		if (box->wanted && source->connector->commit != NULL &&
		    (!job->stateful || job->keeps_state))
			status = source->connector->commit(source->reader, box->positions,
							   box->count, err);
		box->wanted = false;
	}
	pthread_mutex_unlock(&job->commit_mutex);
	return status;
}

static Slot *
wait_for_slot(Job *job, Error *err)
{
	void *slot;

	while (!job->stop) {
		if (job_commit_positions(job, err) != FERRIS_OK) {
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

/* NULL: the job is to stop. */
static Slot *
take_free_slot(Job *job, Error *err)
{
	void *slot = job->at_hand;

	if (slot == NULL && ring_pop(&job->free, 0, &slot) == RING_OK)
		job->counters.pool_hits++;
	if (slot == NULL)
		slot = wait_for_slot(job, err);
	bool stops = job->stop;
	job->at_hand = stops ? slot : NULL;
	return stops ? NULL : slot;
}

/* Although the job stops. */
static Slot *
take_last_slot(Job *job)
{
	void *slot = job->at_hand;

	job->at_hand = NULL;
	return slot != NULL || ring_pop(&job->free, -1, &slot) == RING_OK ? slot : NULL;
}

static void
hand_over(Job *job, Slot *slot, SlotKind kind, uint32_t source)
{
	if (kind != SLOT_CHUNK)
		chunk_reset(slot->chunk);
	slot->kind = kind;
	slot->read_us = clock_us();
	slot->source = source;
	slot->sequence = job->read_count++;
	job->epoch_slots = kind == SLOT_EPOCH ? 0 : job->epoch_slots + 1;
	ring_push(&job->filled, slot);
}

/* ---------------------------------------------------------------- epochs */

static void
begin_epoch(Job *job)
{
	job->next_epoch_ms = clock_ms() + job->spec.plan->job[JOB_COMMIT_INTERVAL].integer;
	job->epoch_bytes = 0;
	job->epoch_begin = job->counters.records_in;
}

/* An epoch ends here. */
static void
end_epoch(Job *job, Slot *slot, uint32_t source, bool releases)
{
	slot->releases = releases;
	job->epoch_count++;
	begin_epoch(job);
	hand_over(job, slot, SLOT_EPOCH, source);
}

/* Whether it wants an epoch although nothing was read. */
static bool
sink_waits(const Job *job)
{
	int64_t due = job->sink_due_ms;

	return due != INT64_MAX && clock_wall_ms() >= due;
}

static bool
is_due(const Job *job)
{
	int64_t rows = job->spec.plan->job[JOB_COMMIT_ROWS].integer;
	int64_t bytes = job->spec.plan->job[JOB_COMMIT_BYTES].integer;

	if (job->spec.trial.crash_seed != 0)
		return job->epoch_slots >= job_trial_epoch(job);
	if (clock_ms() >= job->next_epoch_ms)
		return job->epoch_slots > 0 || sink_waits(job);
	return (bytes > 0 && job->epoch_bytes >= bytes) ||
	       (rows > 0 && job->counters.records_in - job->epoch_begin >= (uint64_t)rows);
}

/* Not sooner than the interval after the last one; what comes after a pause need not wait. */
static void
maybe_end_epoch(Job *job, Error *err)
{
	Slot *slot = is_due(job) ? take_free_slot(job, err) : NULL;

	if (slot != NULL)
		end_epoch(job, slot, 0, false);
}

/* The job comes to its end: what is in state and in the output becomes final together. */
static void
end_last_epoch(Job *job)
{
	bool wanted = (job->keeps_state || job->shuffles) && job->epoch_slots > 0 && !job->killed;
	Slot *slot = wanted ? take_last_slot(job) : NULL;

	if (slot != NULL)
		end_epoch(job, slot, 0, false);
}

/* How long a read may wait: not beyond the epoch's end. */
static int
read_timeout(const Job *job)
{
	int64_t left = job->next_epoch_ms - clock_ms();

	if (job->epoch_slots == 0 || left > READ_TIMEOUT_MS)
		return READ_TIMEOUT_MS;
	return left > 0 ? (int)left : 0;
}

/* Splits go to another reader: what was read of them becomes final first. */
static bool
release_splits(Job *job, uint32_t index, Slot *slot, Error *err)
{
	const Source *source = &job->sources[index];

	end_epoch(job, slot, index, true);
	while (job->epochs < job->epoch_count && !job->stop)
		clock_sleep_ms(1);
	if (job->stop)
		return false;
	Status status = job_commit_positions(job, err);
	if (status == FERRIS_OK)
		status = source->connector->release(source->reader, err);
	if (status != FERRIS_OK)
		job_fail(job, status, err);
	return status == FERRIS_OK;
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
	} while (status != FERRIS_OK && job_retry(job, err, &attempt));
	return status;
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
	uint32_t first = source->first_split;
	int64_t now = job_clock(job);
	bool any = false;

	if (!job->wants_ticks || input->idle_timeout == 0 || now < input->next_tick)
		return;
	input->next_tick = now + TICK_INTERVAL_MS;
	for (uint32_t i = 0; i < count && !any; i++)
		any = now - *last_data(input, first + i) >= input->idle_timeout;
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
		int64_t last = *last_data(input, first + i);
		bool drained = source->connector->split_drained != NULL
				       ? source->connector->split_drained(source->reader, first + i)
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

/* At-most-once: what is read is committed before anything becomes of it. */
static Status
commit_read(Job *job, uint32_t index, const Chunk *chunk, Error *err)
{
	const Source *source = &job->sources[index];
	SplitPosition position = {chunk->split, chunk->next_position};

	if (job->guarantee != GUARANTEE_AT_MOST_ONCE || source->connector->commit == NULL)
		return FERRIS_OK;
	return source->connector->commit(source->reader, &position, 1, err);
}

/* What was read goes to the tasks; a slot that is not needed stays at hand. */
static void
hand_over_read(Job *job, uint32_t index, Slot *slot, ReadResult result)
{
	Input *input = &job->inputs[index];

	input->ended = result == READ_END;
	if (result == READ_DATA) {
		if (job->wants_ticks)
			*last_data(input, slot->chunk->split) = job_clock(job);
		job->epoch_bytes += (int64_t)slot->chunk->len;
		hand_over(job, slot, SLOT_CHUNK, index);
	} else if (result == READ_END && job->stateful) {
		hand_over(job, slot, SLOT_END, index);
	} else {
		job->at_hand = slot;
	}
}

/* Whether the next batch of the source is to be read now; else it has waited a little.  *idle:
 * there is nothing to read. */
static bool
batch_is_ready(Job *job, uint32_t index, int timeout_ms, bool *idle, Error *err)
{
	Source *source = &job->sources[index];
	Batcher *batcher = &job->inputs[index].batcher;
	Backlog backlog = {0};
	bool known = batcher_wants_backlog(batcher) && source->connector->backlog != NULL &&
		     source->connector->backlog(source->reader, timeout_ms, &backlog, err);
	int64_t wait =
		batcher_wait(batcher, known ? &backlog : NULL, job_clock(job), clock_wall_ms());

	source->reader->limit_rows = batcher_rows(batcher);
	source->reader->limit_bytes = batcher_bytes(batcher);
	if (wait > 0 && backlog.rows > 0 && timeout_ms > 0)
		clock_sleep_ms(wait < BATCH_WAIT_MS ? wait : BATCH_WAIT_MS);
	*idle = backlog.rows == 0;
	return wait == 0;
}

static void
note_batch(Job *job, uint32_t index, const Chunk *chunk, ReadResult result)
{
	Batcher *batcher = &job->inputs[index].batcher;
	bool data = result == READ_DATA;

	if (batcher->plan.common == NULL)
		return;
	BatchCounts before = batcher->counts;
	uint64_t rows = data ? chunk->record_count + chunk->file_records : 0;
	batcher_note_read(batcher, data && rows == 0 ? 1 : rows, data ? chunk->len : 0,
			  job_clock(job));
	job->counters.batches += batcher->counts.batches - before.batches;
	job->counters.batch_rows += batcher->counts.batch_rows - before.batch_rows;
	if (batcher->counts.batches > before.batches)
		histogram_add(&job->counters.batch_size,
			      batcher->counts.batch_rows - before.batch_rows, 1);
	job->counters.batches_full += batcher->counts.full - before.full;
	job->counters.batches_grown += batcher->counts.grown - before.grown;
	job->counters.batches_shrunk += batcher->counts.shrunk - before.shrunk;
}

/* One read of one source.  Returns whether records came. */
static bool
read_source(Job *job, uint32_t index, int timeout_ms, Error *err)
{
	ReadResult result = READ_IDLE;
	Slot *slot = take_free_slot(job, err);
	bool idle;

	if (slot == NULL || job_crashes(job, CRASH_READ))
		return false;
	Status status = job_commit_positions(job, err);
	if (status == FERRIS_OK && !batch_is_ready(job, index, timeout_ms, &idle, err)) {
		job->at_hand = slot;
		if (idle)
			maybe_tick(job, index, true, err);
		return false;
	}
	slot->waited_us = batcher_waited(&job->inputs[index].batcher, job_clock(job)) * 1000;
	if (status == FERRIS_OK)
		status = read_chunk(job, index, slot->chunk, timeout_ms, &result, err);
	if (status == FERRIS_OK)
		note_batch(job, index, slot->chunk, result);
	if (status == FERRIS_OK && result == READ_DATA)
		status = commit_read(job, index, slot->chunk, err);
	if (status != FERRIS_OK) {
		job->at_hand = slot;
		job_fail(job, status, err);
		return false;
	}
	if (job_crashes(job, CRASH_READ))
		return false;
	if (result == READ_REVOKED) {
		release_splits(job, index, slot, err);
		return true;
	}
	hand_over_read(job, index, slot, result);
	if (result != READ_END)
		maybe_tick(job, index, result == READ_IDLE, err);
	reading_order_has_read(&job->order, index, result);
	return result == READ_DATA;
}

/* What the state says of a source that ended before the job was opened anew.  Returns how many are
 * left. */
static uint32_t
skip_ended(Job *job)
{
	uint32_t active = job->source_count;

	for (uint32_t i = 0; i < job->source_count; i++) {
		if (!job->inputs[i].ended)
			continue;
		reading_order_has_read(&job->order, i, READ_END);
		active--;
	}
	return active;
}

/* Turn and turn about; when none has records, wait a little for each. */
static void
read_all(Job *job)
{
	uint32_t active = skip_ended(job);
	bool waits = job->source_count == 1;
	Error err;

	while (!job->stop && active > 0) {
		int timeout = waits ? read_timeout(job) / (int)active : 0;
		bool any = false;

		for (uint32_t i = 0; i < job->source_count && !job->stop; i++) {
			if (job->inputs[i].ended || reading_order_waits(&job->order, i))
				continue;
			any = read_source(job, i, timeout, &err) || any;
			active -= job->inputs[i].ended;
		}
		if (!job->stop)
			maybe_end_epoch(job, &err);
		update_lag(job);
		waits = active <= 1 || !any;
	}
	/* The rest of the input is not needed: what state holds comes out. */
	for (uint32_t i = 0; i < job->source_count && job->satisfied && job->stateful; i++) {
		if (job->inputs[i].ended || job->killed)
			continue;
		job->inputs[i].ended = true;
		hand_over(job, take_last_slot(job), SLOT_END, i);
	}
	job->all_ended = active == 0;
}

void *
reader_main(void *argument)
{
	Job *job = argument;
	Error err;

	/* What is done before the first interval is over needs no epoch. */
	if (job->recovery == RECOVERY_JOURNAL)
		begin_epoch(job);
	read_all(job);
	end_last_epoch(job);
	ring_close(&job->filled);
	/* Kafka wants to be asked while the rest is on its way out; a trial has no time to lose. */
	while (!job->finished && job->spec.trial.crash_seed == 0) {
		if (job_commit_positions(job, &err) != FERRIS_OK) {
			job_fail(job, err.status, &err);
			break;
		}
		clock_sleep_ms(1);
	}
	return NULL;
}
