/* exec/op_aggregate_retract.c -- groups whose rows may be taken back, or whose results must say
 * what they replace.
 *
 * The last call of such a node is a COUNT(*): a group without rows is gone, unless it has no keys.
 * The two halves of an update are one step for a group that both belong to, so that no result
 * between them is ever seen. */
#include "exec/op_aggregate.h"

#include <assert.h>

/* One row's or one update's way into its groups. */
typedef struct Step {
	KeyedState *state;
	uint32_t set;
	Span span;
	const Batch *batch;
	bool standing; /* a group of no keys has a result, with rows or without */
} Step;

static int64_t
rows_of_group(AggregateOp *self, const char *payload)
{
	const AggregateRun *run = &self->calls.items[self->calls.count - 1].run;
	Vector *count = &self->row_count;
	Str message;

	vector_reset(count);
	vector_set_valid(count, 0);
	run->call->class->emit(run, payload + run->offset, count, 0, &self->out->heap, &message);
	return VECTOR_DATA(count, const int64_t)[0];
}

static Status
push_out(AggregateOp *self, const Batch *batch, Error *err)
{
	return task_push_changes(self->task, self->base.next, batch, self->out, self->kinds, err);
}

/* The group's result as it is now, as the next row of the output; false: it cannot be computed. */
static bool
put_result(AggregateOp *self, const Step *step, const char *payload, uint16_t row, RowKind kind)
{
	Batch *out = self->out;
	uint32_t to = out->row_count;
	uint32_t errors = out->error_count;

	for (uint32_t k = 0; k < self->key_count; k++) {
		vector_copy(&out->columns[k], to, self->keys[k], row, &out->heap);
	}
	if (has_window(self))
		groups_set_window(self, out->columns, to, step->span);
	out->records[to] = step->batch->records[row];
	out->counted = true;
	out->derived = step->batch->derived;
	if (!groups_emit_calls(self, payload, out->columns, to, out, out->records[to])) {
		/* What cannot be computed now has been reported when it came about. */
		if (kind == ROW_UPDATE_BEFORE)
			out->error_count = errors;
		return false;
	}
	self->kinds[to] = (uint8_t)kind;
	out->row_count++;
	return true;
}

static void
apply(AggregateOp *self, const Batch *batch, char *payload, uint16_t row)
{
	uint8_t kind = batch->kinds != NULL ? batch->kinds[row] : ROW_INSERT;
	const AggregateRows rows = {.sel = &row,
				    .count = 1,
				    .groups = &payload,
				    .sequence = self->sequence,
				    .one_group = self->table_keys == 0};

	if (kind == ROW_UPDATE_BEFORE || kind == ROW_DELETE)
		calls_retract(&self->calls, self->results, &rows);
	else
		calls_add(&self->calls, self->results, &rows);
}

/* A group's result before and after the rows (one, or the halves of an update). */
static Status
change_group(AggregateOp *self, const Step *step, char *payload, const uint16_t *rows,
	     uint32_t count, Error *err)
{
	bool stays = self->plan->aggregate.sets[step->set] == 0;
	bool was = rows_of_group(self, payload) > 0 || (stays && step->standing);
	uint32_t place = self->out->row_count;
	bool before = was && put_result(self, step, payload, rows[0], ROW_UPDATE_BEFORE);

	for (uint32_t i = 0; i < count; i++)
		apply(self, step->batch, payload, rows[i]);
	if (stays || rows_of_group(self, payload) > 0) {
		if (before && !self->plan->aggregate.before)
			self->out->row_count = place;
		put_result(self, step, payload, rows[count - 1],
			   before ? ROW_UPDATE_AFTER : ROW_INSERT);
	} else if (before) {
		self->kinds[place] = ROW_DELETE;
	}
	return self->out->row_count + 4 > BATCH_CAPACITY ? push_out(self, step->batch, err)
							 : FERRIS_OK;
}

static Status
change_set(AggregateOp *self, const Step *step, const uint16_t *rows, uint32_t count, Error *err)
{
	char *payloads[2];
	uint32_t found;

	TRY(groups_find(self, step->state, step->set, rows, count, &found, err));
	if (found < count) {
		/* Both must be in memory at once. */
		TRY(groups_spill(self, err));
		TRY(groups_find(self, step->state, step->set, rows, count, &found, err));
	}
	memcpy(payloads, self->payloads, sizeof *payloads * count);
	assert(found == count);
	if (count == 2 && payloads[0] == payloads[1])
		return change_group(self, step, payloads[0], rows, 2, err);
	for (uint32_t i = 0; i < count; i++)
		TRY(change_group(self, step, payloads[i], &rows[i], 1, err));
	return FERRIS_OK;
}

/* A row of windows is never taken back (plan/changelog.c): it is one. */
static Status
change_windows_of(AggregateOp *self, const Batch *batch, uint16_t row, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t time = row_time(self, row);
	int64_t watermark = row_watermark(self, batch, row);
	int64_t last = window_last_end(self, time);

	for (int64_t end = window_first_end(self, time); end <= last; end += window->advance) {
		if (watermark != INT64_MIN && end <= watermark - window->grace)
			continue;
		for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
			Step step = {&pane_find(self, end - window->size)->state, set,
				     window_of_end(self, end), batch, false};

			TRY(change_set(self, &step, &row, 1, err));
		}
	}
	return FERRIS_OK;
}

static bool
is_update(const Batch *batch, uint32_t i)
{
	uint16_t row = batch->sel[i];

	return batch->kinds != NULL && i + 1 < batch->sel_count && batch->sel[i + 1] == row + 1 &&
	       batch->kinds[row] == ROW_UPDATE_BEFORE && batch->kinds[row + 1] == ROW_UPDATE_AFTER;
}

static Status
change_everything(AggregateOp *self, const Batch *batch, Error *err)
{
	uint32_t count;

	if (self->pane_count == 0)
		pane_find(self, 0);
	for (uint32_t i = 0; i < batch->sel_count; i += count) {
		count = is_update(batch, i) ? 2 : 1;
		for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
			Step step = {&self->panes[0].state,
				     set,
				     {0, 0},
				     batch,
				     self->sequence > 0 || i > 0};

			TRY(change_set(self, &step, &batch->sel[i], count, err));
		}
	}
	return FERRIS_OK;
}

Status
retract_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err)
{
	batch_reset(self->out);
	if (!has_window(self))
		TRY(change_everything(self, batch, err));
	for (uint32_t i = 0; has_window(self) && i < count; i++)
		TRY(change_windows_of(self, batch, self->rows[i], err));
	return push_out(self, batch, err);
}

Status
retract_keep(AggregateOp *self, Batch *batch, Error *err)
{
	if (self->pane_count == 0)
		pane_find(self, 0);
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		for (uint32_t done = 0, found; done < batch->sel_count; done += found) {
			const uint16_t *sel = batch->sel + done;

			TRY(groups_find(self, &self->panes[0].state, set, sel,
					batch->sel_count - done, &found, err));
			for (uint32_t i = 0; i < found; i++)
				apply(self, batch, self->payloads[i], sel[i]);
			if (done + found < batch->sel_count)
				TRY(groups_spill(self, err));
		}
	}
	return FERRIS_OK;
}

bool
retract_is_gone(AggregateOp *self, const char *payload, uint32_t row)
{
	bool sets = self->table_keys > self->key_count;
	int64_t set = sets ? VECTOR_DATA(&self->set_number, const int64_t)[row] : 0;

	return self->plan->aggregate.sets[set] != 0 && rows_of_group(self, payload) == 0;
}
