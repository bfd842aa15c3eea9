/* job/writing.c -- the writer's stage: results in the reader's order again, to the sink.
 *
 * It counts, cuts the rows at LIMIT, hands on records that failed and makes epochs final: with
 * exactly-once by the sink's transaction, which holds the positions of the input; else it flushes
 * the sink and offers the reader the positions that are safe. */
#include "base/clock.h"
#include "base/memory.h"
#include "job/job_internal.h"

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

	TRY(job_survives(job, CRASH_WRITE, err));
	do {
		status = job->sink->write(job->writer, output, err);
	} while (status != FERRIS_OK && job_retry(job, err, &attempt));
	TRY(status);
	return job_survives(job, CRASH_WRITE, err);
}

/* From the moment when the first record of its batch was seen to the sink's having it. */
static void
note_latency(Job *job, const Slot *slot, int64_t begin_us)
{
	Batcher *batcher = &job->inputs[slot->source].batcher;
	Counters *counters = &job->counters;
	int64_t now_us = clock_us();
	int64_t latency_us = now_us - slot->read_us + slot->waited_us;
	uint64_t records = slot->result.records_in;

	if (slot->kind != SLOT_CHUNK)
		return;
	histogram_add(&counters->latency_us, (uint64_t)latency_us, records);
	histogram_add(&counters->wait_us, (uint64_t)slot->waited_us, records);
	histogram_add(&counters->process_us, (uint64_t)slot->process_us, records);
	histogram_add(&counters->write_us, (uint64_t)(now_us - begin_us), records);
	if (job->spec.trial.crash_seed == 0) /* a seed decides all, and no clock */
		counters->latency_breaches += batcher_note_latency(batcher, latency_us);
}

static Status
write_slot(Job *job, Slot *slot, Error *err)
{
	bool is_chunk = slot->kind == SLOT_CHUNK;
	SplitState *split =
		split_state(&job->inputs[slot->source], is_chunk ? slot->chunk->split : 0);
	ChunkResult *result = &slot->result;
	int64_t begin_us = clock_us();

	if (is_chunk && !split->seen)
		split->lines = job_resumed_lines(job, slot->source, slot->chunk);
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
	job->counters.batch_spans += result->spans;
	job->counters.limited += result->limited;
	if (job->counts_results)
		job->counters.results += result->output.count - result->straight + result->results;
	if (job->rows_left != INT64_MAX || job->skip_rows > 0)
		apply_limit(job, result);
	if (result->output.count > 0)
		TRY(write_output(job, &result->output, err));
	job->counters.rows_out += result->output.count;
	job->counters.bytes_out += result->output.bytes.len;
	note_latency(job, slot, begin_us);
	TRY(handle_errors(job, slot, split, err));
	job_note_due(job);
	job->dirty = job->dirty || is_chunk || result->output.count > 0 || result->error_count > 0;
	job->inputs[slot->source].end_is_out |= slot->kind == SLOT_END;
	if (!is_chunk)
		return FERRIS_OK;
	split->lines += slot->chunk->skipped_lines + result->lines;
	split->next = slot->chunk->next_position;
	split->origin = slot->chunk->origin;
	split->seen = true;
	split->moved = true;
	return FERRIS_OK;
}

/* Copies the positions of a source up to which everything is out. */
static uint32_t
copy_positions(const Input *input, SplitPosition **out)
{
	uint32_t count = 0;

	*out = memory_resize(*out, sizeof(SplitPosition) * (input->split_count + 1));
	for (uint32_t i = 0; i < input->split_count; i++)
		if (input->splits[i].seen)
			(*out)[count++] = (SplitPosition){i, input->splits[i].next};
	return count;
}

/* Positions that are safe, for the reader's thread to commit. */
static void
offer_positions(Job *job)
{
	pthread_mutex_lock(&job->commit_mutex);
	for (uint32_t i = 0; i < job->source_count; i++) {
		CommitBox *box = &job->inputs[i].commits;

		box->count = copy_positions(&job->inputs[i], &box->positions);
		box->wanted = job->guarantee == GUARANTEE_AT_LEAST_ONCE ||
			      job->recovery == RECOVERY_JOURNAL;
	}
	pthread_mutex_unlock(&job->commit_mutex);
}

/* The sink and the dead letters are flushed. */
static Status
flush_epoch(Job *job, Error *err)
{
	uint32_t attempt = 0;
	Status status;

	TRY(failure_flush(job->failures, err));
	do {
		status = job->sink->flush(job->writer, err);
	} while (status != FERRIS_OK && job_retry(job, err, &attempt));
	return status;
}

/* Output, dead letters and positions become final together.  `done`: nothing is left to go on from.
 */
static Status
commit_transaction(Job *job, bool done, Error *err)
{
	uint32_t inputs = 0;

	TRY(job_put_places(job, done, err));
	TRY(log_copy_sign(job, err));
	for (uint32_t i = 0; i < job->source_count; i++) {
		Input *input = &job->inputs[i];

		if (!input->in_transaction)
			continue;
		uint32_t count = copy_positions(input, &input->final);
		job->epoch_inputs[inputs++] =
			(EpochInput){job->sources[i].reader, input->final, count};
	}
	TRY(job->sink->commit_epoch(job->writer, job->epoch_inputs, inputs, err));
	log_copy_committed(job);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- parts of the output */

void
job_note_due(Job *job)
{
	job->sink_due_ms = job->sink->due != NULL ? job->sink->due(job->writer) : INT64_MAX;
}

static bool
sink_is_due(const Job *job)
{
	return job->sink->due != NULL && job->sink->due(job->writer) <= clock_wall_ms();
}

/* The epoch is final, unless the next run begins anew: then all parts are, at the end. */
static Status
show_parts(Job *job, Error *err)
{
	return job->sink->show != NULL && job->recovery != RECOVERY_ANEW
		       ? job->sink->show(job->writer, err)
		       : FERRIS_OK;
}

/* Whether no later run adds to the part that is not full. */
static bool
last_part_is_complete(const Job *job)
{
	return job->recovery == RECOVERY_NONE || job->all_ended || job->satisfied ||
	       job->rows_left == 0;
}

static Status
complete_output(Job *job, Error *err)
{
	return job->sink->complete != NULL && !job_failed(job) && last_part_is_complete(job)
		       ? job->sink->complete(job->writer, err)
		       : FERRIS_OK;
}

/* ---------------------------------------------------------------- epochs */

static Status
commit_epoch(Job *job, Error *err)
{
	Status status = FERRIS_OK;

	TRY(job_survives(job, CRASH_COMMIT, err));
	switch (job->recovery) {
	case RECOVERY_SINK:
		status = commit_transaction(job, false, err);
		break;
	case RECOVERY_JOURNAL:
		status = job_commit_journal(job, err);
		break;
	case RECOVERY_NONE:
	case RECOVERY_ANEW:
		status = flush_epoch(job, err);
		break;
	}
	TRY(status);
	if (job->recovery != RECOVERY_SINK)
		offer_positions(job);
	if (job->recovery != RECOVERY_ANEW) /* that one counts anew too */
		job_counters(job, &job->final);
	job->dirty = false;
	TRY(job_survives(job, CRASH_COMMITTED, err));
	return show_parts(job, err);
}

/* Behind the rows of the epoch, into all partitions, as rows went to some. */
static Status
put_mark(Job *job, const Slot *slot, Error *err)
{
	if (!job->shuffles ||
	    (slot->mark.watermark == job->mark.watermark && slot->mark.idle == job->mark.idle))
		return FERRIS_OK;
	TRY(job->sink->put_mark(job->writer, slot->mark, err));
	job->mark = slot->mark;
	job->dirty = true;
	return FERRIS_OK;
}

static Status
end_epoch(Job *job, Slot *slot, Error *err)
{
	Input *input = &job->inputs[slot->source];

	if (slot->status != FERRIS_OK) {
		*err = slot->error;
		return slot->status;
	}
	TRY(job_put_changes(job, slot, err));
	TRY(put_mark(job, slot, err));
	if (job->dirty || sink_is_due(job))
		TRY(commit_epoch(job, err));
	job_note_due(job);
	for (uint32_t i = 0; i < input->split_count && slot->releases; i++)
		input->splits[i].seen = false;
	job->epochs++;
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
		if (!job->discard && !job->killed) {
			Status status = slot->kind == SLOT_EPOCH ? end_epoch(job, slot, &err)
								 : write_slot(job, slot, &err);

			if (status != FERRIS_OK) {
				job->discard = true;
				job_fail(job, status, &err);
			}
		}
		ring_push(slot->kind == SLOT_PART ? &job->parts : &job->free, slot);
	}
}

/* Whether all input has been read and will not grow: the next run begins anew. */
static bool
is_done(Job *job)
{
	for (uint32_t i = 0; i < job->source_count; i++)
		if (job->sources[i].connector->commit != NULL)
			return false; /* its group goes on */
	return job->all_ended && !job_failed(job) && plan_is_bounded(job->spec.plan->root);
}

/* The input has ended, and its last epoch is final: the next run begins anew.  That is an epoch of
 * its own, so that one of which no answer comes leaves the places at the input's end, and what
 * follows at once finds nothing to read. */
static void
forget_places(Job *job)
{
	Error err;

	if (commit_transaction(job, true, &err) == FERRIS_OK)
		return;
	fprintf(stderr,
		"warning[FS%04d]: '%.*s' is done, but that could not be noted (%s): when it is run "
		"again it may find nothing new in its input; run it once more then\n",
		error_info(err.status)->number, STR_ARG(job->spec.plan->name), err.message);
}

/* With exactly-once, what a failed job has written is no part of an epoch; what goes with state has
 * become final with the last one. */
static Status
commit_last_epoch(Job *job, bool done, Error *err)
{
	bool kept = job->recovery == RECOVERY_SINK || job->recovery == RECOVERY_JOURNAL;
	bool has_parts = job->sink->complete != NULL;

	if (kept && (job_failed(job) || (job->keeps_state && (job->dirty || !has_parts))))
		return FERRIS_OK;
	TRY(complete_output(job, err));
	if (done && job->recovery == RECOVERY_JOURNAL && !journal_has_epochs(job->journal) &&
	    !sink_is_due(job))
		return FERRIS_OK; /* nothing will ever go on from there */
	if (job->dirty || sink_is_due(job))
		TRY(commit_epoch(job, err));
	if (done && job->recovery == RECOVERY_SINK && job->keeps_records)
		forget_places(job);
	return FERRIS_OK;
}

static void
finish_output(Job *job)
{
	Error err;
	bool done = is_done(job);
	Status status = commit_last_epoch(job, done, &err);

	if (status != FERRIS_OK)
		job_fail(job, status, &err);
	bool failed = job_failed(job);
	status = failure_close(job->failures, failed, &err); /* it may write within the sink's */
	job->failures = NULL;
	if (status != FERRIS_OK)
		job_fail(job, status, &err);
	log_copy_close(job, !failed);
	if (job->log != NULL)
		job->sink->log_close(job->log);
	job->log = NULL;
	status = job->sink->writer_close(job->writer, failed, &err);
	job->writer = NULL;
	if (status == FERRIS_OK && done && !job_failed(job) && job->journal != NULL)
		status = journal_remove(job->journal, &err);
	if (status != FERRIS_OK)
		job_fail(job, status, &err);
	job_close_state(job);
}

void *
writer_main(void *argument)
{
	Job *job = argument;
	void *item;

	while (ring_pop(&job->done, -1, &item) == RING_OK) {
		Slot *slot = item;

		job->pending[slot->sequence % job->slot_count] = slot;
		write_ready(job);
	}
	finish_output(job);
	job->counters.ended_us = clock_us();
	job->finished = true;
	return NULL;
}
