/* exec/op_over.c -- OVER: each row with what the rows of its partition say about it.
 *
 * In order of arrival, rows that need no later row get their results in place and go on in their
 * batch.  All other rows are copied to the store and come out as rows of the operator's own:
 *
 *   event time   when the watermark has passed them, in order of time, ties by the further ORDER BY
 *                and then as they arrived.  A frame that ends by time (peers, RANGE ... FOLLOWING)
 *                comes out when the next time is behind it, rows in their order; one that ends some
 *                rows later (LEAD) when its partition has these rows.
 *   sorted       when the input ends, partition by partition in the order of their first rows;
 *                or, above windows of time, at each watermark.
 *
 * The order of the output follows from the rows' times and their order of arrival alone, not from
 * how the input was cut.  A row whose time is below the watermark before it is late: it is counted
 * and left out.
 *
 * Partitions and rows that do not fit into memory go to the backend (op_over_shelf.c) and come back
 * when they are needed.
 *
 * Owns:    the store of rows, the partitions, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "exec/op_over.h"

#include "base/memory.h"

/* ---------------------------------------------------------------- rows out */

void
over_forget_results(OverOp *self)
{
	for (uint32_t i = 0; i < self->calls.count; i++)
		self->calls.runs[i].last = NULL;
	row_store_drop(&self->store);
}

Status
over_flush(OverOp *self, Error *err)
{
	Batch *out = self->out;
	Status status = FERRIS_OK;

	for (uint32_t i = 0; i < self->plan->over.left_count; i++)
		row_store_gather(&self->store, i, self->out_refs, out->row_count, &out->columns[i]);
	if (self->plan->over.numbered)
		row_store_gather(&self->store, self->stored_count, self->out_refs, out->row_count,
				 &out->columns[self->plan->schema.count - 1]);
	out->dense = out->sel_count == out->row_count;
	if (out->sel_count > 0)
		status = operator_push(self->base.next, out, err);
	task_keep_errors(self->task, out);
	over_forget_results(self);
	batch_reset(out);
	out->derived = true;
	out->counted = true;
	return status;
}

/* Whether the partition's next row has all it waits for. */
static bool
is_ready(const OverOp *self, const Partition *partition)
{
	if (partition->next == partition->total)
		return false;
	if (partition->ended)
		return true;
	return partition->total - partition->next > self->rows_after &&
	       (!self->waits_time || partition->next < partition->passed);
}

Status
over_emit_ready(OverOp *self, Partition *partition, Error *err)
{
	while (is_ready(self, partition))
		TRY(over_emit(self, partition, err));
	return FERRIS_OK;
}

Status
over_end_partition(OverOp *self, Partition *partition, Error *err)
{
	partition->ended = true;
	TRY(over_emit_ready(self, partition, err));
	partition_reset(&self->calls, partition);
	return FERRIS_OK;
}

/* All partitions in the order of their births; in memory they are sorted first if they are not. */
static Status
end_partitions(OverOp *self, bool sort, Error *err)
{
	KeyedState *states[] = {&self->partitions};
	Status status = FERRIS_OK;
	KeyedScan scan;
	char *payload;

	TRY(keyed_scan_open(&self->family, states, 1, &scan, err));
	for (;;) {
		status = keyed_scan_next(&scan, NULL, 0, NULL, &payload, err);
		if (status != FERRIS_OK || payload == NULL)
			break;
		if (sort)
			partition_sort(&self->calls, (Partition *)(void *)payload);
		status = over_end_partition(self, (Partition *)(void *)payload, err);
		if (status == FERRIS_OK && over_is_half_full(self, 0))
			status = over_flush(self, err);
		if (status != FERRIS_OK)
			break;
	}
	TRY(keyed_scan_close(&scan, status, err));
	return over_flush(self, err);
}

/* ---------------------------------------------------------------- rows in */

static Str
slot_name(const OverOp *self, uint32_t slot)
{
	return self->exprs[slot]->kind == BOUND_COLUMN ? self->exprs[slot]->name : (Str){"", 0};
}

/* Rows that have a time and are not late go to self->rows; returns how many. */
static uint32_t
keep_timely(OverOp *self, Batch *batch)
{
	const Vector *times = self->results[self->time_slot];
	uint32_t kept = 0;

	self->late_count = 0;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (vector_is_null(times, row)) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL,
					slot_name(self, self->time_slot),
					"NULL as the time of a row");
			continue;
		}
		int64_t watermark =
			batch->watermarks != NULL ? batch->watermarks[row] : self->watermark;
		if (over_slot_time(self, self->time_slot, row) < watermark) {
			if (self->late_only) {
				batch->sel[self->late_count++] = row;
				continue;
			}
			self->task->result->late++;
			self->task->result->results += batch->counted;
			continue;
		}
		self->rows[kept++] = row;
	}
	return kept;
}

size_t
over_bytes(const OverOp *self)
{
	return self->store.bytes + self->calls.row_bytes + self->calls.memory.bytes +
	       self->waiting_capacity * sizeof *self->waiting;
}

/* Without spilling. */
static Status
check_memory(const OverOp *self, Error *err)
{
	if (self->task->store->options.spill ||
	    over_bytes(self) + self->family.budget.used <= self->task->state_limit)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_LIMIT, self->plan->position,
		     "the rows that OVER keeps take more than %zu bytes", self->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or let the frames reach less far");
}

/* The partitions of the rows go to self->payloads, of the first *found of them. */
static Status
find_partitions(OverOp *self, const uint16_t *rows, uint32_t count, uint32_t *found, Error *err)
{
	for (uint32_t k = 0; k < self->plan->over.partition_count; k++)
		self->keys[k] = self->results[self->partition_slots[k]];
	TRY(keyed_find(&self->family, &self->partitions, self->keys, rows, count, self->payloads,
		       found, err));
	return check_memory(self, err);
}

Status
over_expire(OverOp *self, Partition *partition, int64_t time, Error *err)
{
	if (partition->total > 0 && time > partition->last_time &&
	    time - partition->last_time > self->plan->over.idle_time)
		TRY(over_end_partition(self, partition, err));
	if (partition->total == 0)
		keyed_bear_again(&self->partitions, (char *)partition);
	if (partition->total == 0 || time > partition->last_time)
		partition->last_time = time;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- order of arrival */

/* The results take their place beside the columns of the batch. */
static Status
push_results(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t i = 0; i < self->plan->over.left_count; i++)
		self->columns[i] = *self->results[i];
	for (uint32_t i = self->plan->over.left_count; i < self->plan->schema.count; i++)
		self->columns[i] = self->own[i];
	if (self->plan->over.numbered)
		self->columns[self->plan->schema.count - 1] = self->numbers;
	return operator_push_results(self->base.next, batch, self->columns,
				     self->plan->schema.count, rows, count, err);
}

static Status
push_in_place(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	uint32_t kept = 0;

	for (uint32_t i = self->plan->over.left_count; i < self->plan->schema.count; i++)
		vector_reset(&self->own[i]);
	for (uint32_t i = 0; i < count; i++) {
		Partition *partition = (Partition *)(void *)self->payloads[i];
		uint16_t row = rows[i];

		if (self->idle_slot != NO_SLOT &&
		    !vector_is_null(self->results[self->idle_slot], row))
			TRY(over_expire(self, partition, over_slot_time(self, self->idle_slot, row),
					err));
		partition_add(&self->calls, partition, self->refs[i], true);
		if (partition_compute(&self->calls, partition, self->own, row, batch,
				      batch->records[row]))
			self->rows[kept++] = row;
		partition_trim(&self->calls, partition);
	}
	Status status = kept > 0 ? push_results(self, batch, self->rows, kept, err) : FERRIS_OK;
	over_forget_results(self);
	return status;
}

static Status
push_arrival(OverOp *self, const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t i = 0; i < count; i++) {
		Partition *partition = (Partition *)(void *)self->payloads[i];
		uint16_t row = rows[i];

		if (self->idle_slot != NO_SLOT &&
		    !vector_is_null(self->results[self->idle_slot], row))
			TRY(over_expire(self, partition, over_slot_time(self, self->idle_slot, row),
					err));
		partition_add(&self->calls, partition, self->refs[i], true);
		TRY(over_emit_ready(self, partition, err));
	}
	return over_flush(self, err);
}

/* ---------------------------------------------------------------- sorted */

static Status
sort_partitions(OverOp *self, Error *err)
{
	if (self->shelf.runs.backend != NULL)
		TRY(over_shelf_feed(self, err));
	else
		TRY(end_partitions(self, true, err));
	return keyed_clear(&self->family, &self->partitions, err);
}

/* ---------------------------------------------------------------- the operator */

/* Rows whose partitions are in self->payloads. */
static Status
take_found(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	row_store_append(&self->store, self->stored, rows, count, self->refs);
	switch (self->plan->over.mode) {
	case OVER_ARRIVAL:
		return self->in_place ? push_in_place(self, batch, rows, count, err)
				      : push_arrival(self, rows, count, err);
	case OVER_TIME:
		over_wait(self, rows, count);
		return FERRIS_OK;
	case OVER_SORTED:
	case OVER_BATCHES:
	case OVER_TOP: /* op_top.c */
		break;
	}
	for (uint32_t i = 0; i < count; i++)
		partition_add(&self->calls, (Partition *)(void *)self->payloads[i], self->refs[i],
			      false);
	return FERRIS_OK;
}

static Status
take_batch(OverOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t i = 0; i < self->stored_count; i++)
		self->stored[i] = self->results[i];
	for (uint32_t i = 0; self->plan->over.numbered && i < batch->row_count; i++)
		VECTOR_DATA(&self->numbers, int64_t)[i] = self->row_number++;
	for (uint32_t done = 0, found; done < count; done += found) {
		uint32_t wanted = count - done;

		if (keyed_is_spilled(&self->partitions) && wanted > OVER_SLICE)
			wanted = OVER_SLICE;
		TRY(find_partitions(self, rows + done, wanted, &found, err));
		if (found > 0)
			TRY(take_found(self, batch, rows + done, found, err));
		over_compact(self);
		TRY(found < wanted ? over_spill(self, err) : over_spill_if_full(self, err));
	}
	return FERRIS_OK;
}

static Status
over_op_push(Operator *op, Batch *batch, Error *err)
{
	OverOp *self = (OverOp *)op;
	bool counted = batch->counted;
	uint32_t count = batch->sel_count;
	const uint16_t *rows = batch->sel;

	program_run(self->program, batch, NULL, self->results);
	count = batch->sel_count;
	if (self->plan->over.mode == OVER_TIME) {
		count = keep_timely(self, batch);
		rows = self->rows;
	}
	if (self->late_only)
		return operator_push_late(op, batch, self->late_count, count, err);
	if (count == 0)
		return FERRIS_OK;
	if (!counted)
		self->task->result->aggregated += count;
	batch->counted = true;
	Status status = take_batch(self, batch, rows, count, err);
	batch->counted = counted;
	return status;
}

static Status
over_op_advance(Operator *op, int64_t watermark, Error *err)
{
	OverOp *self = (OverOp *)op;

	self->watermark = watermark;
	if (self->late_only)
		return operator_advance(op->next, watermark, err);
	switch (self->plan->over.mode) {
	case OVER_ARRIVAL:
		/* Rows that still wait would be late behind it. */
		return self->in_place ? operator_advance(op->next, watermark, err) : FERRIS_OK;
	case OVER_TIME:
		TRY(over_take_until(self, watermark, false, err));
		TRY(over_flush(self, err));
		TRY(over_drop_quiet(self, watermark, err));
		over_compact(self);
		TRY(over_spill_if_full(self, err));
		if (self->rows_after > 0 || watermark < INT64_MIN + self->delay)
			return FERRIS_OK;
		return operator_advance(op->next, watermark - self->delay, err);
	case OVER_BATCHES:
		TRY(sort_partitions(self, err));
		return operator_advance(op->next, watermark, err);
	case OVER_SORTED:
	case OVER_TOP:
		break;
	}
	return FERRIS_OK;
}

static Status
over_op_finish(Operator *op, Error *err)
{
	OverOp *self = (OverOp *)op;

	switch (self->plan->over.mode) {
	case OVER_TIME:
		TRY(over_take_until(self, INT64_MAX, true, err));
		TRY(end_partitions(self, false, err));
		break;
	case OVER_ARRIVAL:
		TRY(end_partitions(self, false, err));
		break;
	case OVER_SORTED:
	case OVER_BATCHES:
		TRY(sort_partitions(self, err));
		break;
	case OVER_TOP:
		break;
	}
	return operator_finish(op->next, err);
}

static void
over_op_close(Operator *op)
{
	OverOp *self = (OverOp *)op;

	if (self->fed != NULL)
		partition_reset(&self->calls, self->fed);
	keyed_drop(&self->family, &self->partitions);
	keyed_family_free(&self->family);
	over_shelf_free(self);
	row_store_free(&self->store);
	memory_free(self->waiting);
	vector_free(&self->numbers);
	for (uint32_t i = 0; self->own != NULL && i < self->plan->schema.count; i++)
		vector_free(&self->own[i]);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass over_class = {
	.name = "Over",
	.size = sizeof(OverOp),
	.open = over_op_open,
	.push = over_op_push,
	.advance = over_op_advance,
	.finish = over_op_finish,
	.save = over_op_save,
	.saves_changes = true,
	.load = over_op_load,
	.close = over_op_close,
};
