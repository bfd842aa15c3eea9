/* exec/op_aggregate_changes.c -- EMIT CHANGES: after each row its group's new result takes the
 * row's place. */
#include "exec/op_aggregate.h"

/* The group's result takes the row's place in the batch. */
static Status
push_change(AggregateOp *self, Batch *batch, const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t k = 0; k < self->key_count; k++)
		self->columns[k] = *self->keys[k];
	for (uint32_t i = self->key_count; i < self->plan->schema.count; i++)
		self->columns[i] = self->own[i];
	return operator_push_results(self->base.next, batch, self->columns,
				     self->plan->schema.count, rows, count, err);
}

/* Adds the rows, whose groups are in self->payloads, one after the other and puts each one's result
 * into its own row. */
static Status
change_found(AggregateOp *self, Batch *batch, Span span, const uint16_t *rows, uint32_t count,
	     Error *err)
{
	char **payloads = ARENA_ARRAY(&batch->heap, char *, count);
	uint16_t *kept = ARENA_ARRAY(&batch->heap, uint16_t, count);
	uint32_t kept_count = 0;

	memcpy(payloads, self->payloads, sizeof *payloads * count);
	for (uint32_t i = self->key_count; i < self->plan->schema.count; i++)
		vector_reset(&self->own[i]);
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];

		self->payloads[0] = payloads[i];
		groups_add(self, &row, 1, false);
		if (has_window(self))
			groups_set_window(self, self->own, row, span);
		if (groups_emit_calls(self, payloads[i], self->own, row, batch,
				      batch->records[row]))
			kept[kept_count++] = row;
	}
	return kept_count > 0 ? push_change(self, batch, kept, kept_count, err) : FERRIS_OK;
}

static Status
change_rows(AggregateOp *self, Batch *batch, KeyedState *state, uint32_t set, Span span,
	    const uint16_t *rows, uint32_t count, Error *err)
{
	for (uint32_t done = 0, found; done < count; done += found) {
		TRY(groups_find(self, state, set, rows + done, count - done, &found, err));
		if (found > 0)
			TRY(change_found(self, batch, span, rows + done, found, err));
		if (done + found < count)
			TRY(groups_spill(self, err));
	}
	return FERRIS_OK;
}

/* A row of several windows: one result for each, the earliest window first.  A window's pane is
 * found by where it would begin if it had its full size. */
static Status
change_windows(AggregateOp *self, Batch *batch, uint16_t row, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t time = row_time(self, row);
	int64_t watermark = row_watermark(self, batch, row);
	int64_t last = window_last_end(self, time);

	for (int64_t end = window_first_end(self, time); end <= last; end += window->advance) {
		if (watermark != INT64_MIN && end <= watermark - window->grace)
			continue;
		for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
			TRY(change_rows(self, batch, &pane_find(self, end - window->size)->state,
					set, window_of_end(self, end), &row, 1, err));
	}
	return FERRIS_OK;
}

Status
changes_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err)
{
	if (!has_window(self)) {
		if (self->pane_count == 0)
			pane_find(self, 0);
		if (self->plan->aggregate.set_count == 1)
			return change_rows(self, batch, &self->panes[0].state, 0, (Span){0, 0},
					   batch->sel, batch->sel_count, err);
		for (uint32_t i = 0; i < batch->sel_count; i++)
			for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++)
				TRY(change_rows(self, batch, &self->panes[0].state, set,
						(Span){0, 0}, &batch->sel[i], 1, err));
		return FERRIS_OK;
	}
	for (uint32_t i = 0; i < count; i++)
		TRY(change_windows(self, batch, self->rows[i], err));
	return FERRIS_OK;
}
