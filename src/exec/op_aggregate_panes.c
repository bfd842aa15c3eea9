/* exec/op_aggregate_panes.c -- EMIT FINAL: rows to panes, and windows out of panes.
 *
 * A window's result is the merge of its panes; it comes out when the watermark passes its end, and
 * its panes go when no window needs them. */
#include "exec/op_aggregate.h"

#include "base/memory.h"

/* ---------------------------------------------------------------- panes */

Pane *
pane_find(AggregateOp *self, int64_t start)
{
	uint32_t at = self->pane_count;

	while (at > 0 && self->panes[at - 1].start >= start) {
		at--;
		if (self->panes[at].start == start)
			return &self->panes[at];
	}
	if (self->pane_count == self->pane_capacity) {
		self->pane_capacity = self->pane_capacity > 0 ? self->pane_capacity * 2 : 8;
		self->panes = memory_resize(self->panes, sizeof *self->panes * self->pane_capacity);
	}
	memmove(&self->panes[at + 1], &self->panes[at],
		sizeof *self->panes * (self->pane_count - at));
	self->pane_count++;
	self->panes[at] = (Pane){.start = start};
	PaneKey key = pane_key(start);
	keyed_track(&self->family, &self->panes[at].state, (Str){key.bytes, sizeof key.bytes});
	return &self->panes[at];
}

Status
pane_drop(AggregateOp *self, uint32_t at, Error *err)
{
	merge_pane_goes(self, &self->panes[at]);
	Status status = keyed_clear(&self->family, &self->panes[at].state, err);

	keyed_drop(&self->family, &self->panes[at].state);
	self->pane_count--;
	memmove(&self->panes[at], &self->panes[at + 1],
		sizeof *self->panes * (self->pane_count - at));
	return status;
}

/* ---------------------------------------------------------------- windows */

/* The window's panes as they are in the backend; those in memory go there. */
static Status
emit_spilled(AggregateOp *self, Pane *panes, uint32_t count, Span span, Error *err)
{
	KeyedState **states = memory_alloc(sizeof(KeyedState *) * count);

	merge_forget(self);
	for (uint32_t p = 0; p < count; p++)
		states[p] = &panes[p].state;
	Status status = groups_emit(self, states, count, span, err);
	memory_free(states);
	return status;
}

static Status
emit_window(AggregateOp *self, Span span, Error *err)
{
	Pane *panes = self->panes;
	const Pane *end = panes + self->pane_count;
	uint32_t count = 0;
	bool in_memory = true;

	while (panes < end && panes->start < span.start)
		panes++;
	for (; panes + count < end && panes[count].start < span.end; count++)
		in_memory = in_memory && !keyed_is_spilled(&panes[count].state);
	if (count == 0)
		return FERRIS_OK;
	if (in_memory && count == 1)
		return groups_emit(self, (KeyedState *[]){&panes->state}, 1, span, err);
	if (in_memory)
		TRY(merge_emit(self, panes, count, span, &in_memory, err));
	return in_memory ? FERRIS_OK : emit_spilled(self, panes, count, span, err);
}

/* The first window end after `after` that has something to show, or INT64_MAX. */
static int64_t
next_window_end(const AggregateOp *self, int64_t after)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	for (uint32_t p = 0; p < self->pane_count; p++) {
		int64_t end = window_first_end(self, self->panes[p].start);

		if (end <= after)
			end = window_align(after, end, window->advance) + window->advance;
		if (end <= window_last_end(self, self->panes[p].start))
			return end;
	}
	return INT64_MAX;
}

/* Panes whose last window has ended, and its grace. */
Status
panes_drop(AggregateOp *self, int64_t watermark, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	while (self->pane_count > 0) {
		int64_t start = self->panes[0].start;
		int64_t last =
			emits_changes(self) ? start + window->size : window_last_end(self, start);

		if (last > watermark - window->grace)
			return FERRIS_OK;
		TRY(pane_drop(self, 0, err));
	}
	return FERRIS_OK;
}

/* Everything whose end the watermark has passed comes out, in order of the ends. */
Status
panes_emit_ended(AggregateOp *self, int64_t watermark, Error *err)
{
	for (;;) {
		int64_t end = next_window_end(self, self->emitted_end);

		if (end == INT64_MAX || end > watermark)
			break;
		TRY(emit_window(self, window_of_end(self, end), err));
		self->emitted_end = end;
	}
	if (watermark > self->emitted_end)
		self->emitted_end = watermark;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- rows by pane */

/* Splits off the rows that are not within [start, end); returns how many are. */
static uint32_t
split_rows(AggregateOp *self, uint16_t *rows, uint32_t count, int64_t start, int64_t end)
{
	const Vector *times = self->results[self->time];
	const int64_t *time_of = times->data;
	uint32_t mask = times->constant ? 0 : UINT32_MAX;
	uint32_t same = 0;
	uint32_t others = 0;

	if (self->times.known && self->times.least >= start && self->times.most < end)
		return count;
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];
		int64_t time = time_of[row & mask];
		bool inside = time >= start && time < end;

		self->rest[others] = row;
		rows[same] = row;
		same += inside;
		others += !inside;
	}
	return same;
}

/* Adds rows pane by pane: each pass takes the rows of the first one's pane.  `dense`: they are rows
 * 0, 1, ... count - 1. */
static Status
panes_add(AggregateOp *self, uint16_t *rows, uint32_t count, bool dense, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	while (count > 0) {
		int64_t time = row_time(self, rows[0]);
		int64_t start = window_align(time, window->offset, self->pane_length);
		uint32_t same = split_rows(self, rows, count, start, start + self->pane_length);

		dense = dense && same == count;
		merge_pane_changes(self, start);
		TRY(groups_add_rows(self, &pane_find(self, start)->state, rows, same, dense, err));
		count -= same;
		memcpy(rows, self->rest, sizeof *rows * count);
	}
	return FERRIS_OK;
}

/* The row's group in a window that has come out before, of one grouping set, to a row of results.
 */
static Status
correct_group(AggregateOp *self, uint16_t row, uint32_t set, Span span, Error *err)
{
	Batch *out = self->out;
	char *payload = self->correction;

	groups_set_keys(self, set);
	memset(payload, 0, self->family.spec.payload_size);
	calls_init(&self->calls, payload);
	Status status = FERRIS_OK;
	for (uint32_t p = 0; p < self->pane_count && status == FERRIS_OK; p++) {
		Pane *pane = &self->panes[p];

		if (pane->start >= span.start && pane->start < span.end)
			status = keyed_collect(&self->family, &pane->state, self->keys, row,
					       payload, err);
	}
	for (uint32_t k = 0; k < self->key_count; k++)
		vector_copy(&out->columns[k], set, self->keys[k], row, &out->heap);
	groups_set_window(self, out->columns, set, span);
	if (status == FERRIS_OK &&
	    groups_emit_calls(self, payload, out->columns, set, out, (RecordRange){0}))
		out->sel[out->sel_count++] = (uint16_t)set;
	calls_release(&self->calls, payload);
	return status;
}

static Status
emit_correction(AggregateOp *self, uint16_t row, Span span, Error *err)
{
	uint32_t sets = self->plan->aggregate.set_count;

	groups_begin_results(self);
	self->out->row_count = sets;
	for (uint32_t set = 0; set < sets; set++)
		TRY(correct_group(self, row, set, span, err));
	return groups_push_results(self, err);
}

/* A row for whose first windows the watermark has come: they come out without it, and within the
 * grace they are corrected. */
static Status
add_behind(AggregateOp *self, uint16_t row, int64_t watermark, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;
	int64_t time = row_time(self, row);

	TRY(panes_emit_ended(self, watermark, err));
	TRY(panes_add(self, &row, 1, false, err));
	int64_t last = window_last_end(self, time);
	for (int64_t end = window_first_end(self, time); end <= last && end <= self->emitted_end;
	     end += window->advance)
		if (end > watermark - window->grace)
			TRY(emit_correction(self, row, window_of_end(self, end), err));
	return FERRIS_OK;
}

/* Rows in their order; those behind the watermark are taken one by one, so that windows that have
 * ended do not depend on how the input was cut. */
static Status
panes_add_in_order(AggregateOp *self, const Batch *batch, uint32_t count, Error *err)
{
	uint32_t from = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = self->rows[i];
		int64_t watermark = row_watermark(self, batch, row);

		if (watermark == INT64_MIN || row_time(self, row) >= watermark ||
		    window_first_end(self, row_time(self, row)) > watermark)
			continue;
		TRY(panes_add(self, self->rows + from, i - from, false, err));
		TRY(add_behind(self, row, watermark, err));
		from = i + 1;
	}
	return panes_add(self, self->rows + from, count - from,
			 batch->dense && from == 0 && count == batch->sel_count, err);
}

/* Rows with windows are self->rows[0..count). */
Status
panes_push(AggregateOp *self, Batch *batch, uint32_t count, Error *err)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	if (!has_window(self)) {
		if (self->pane_count == 0)
			pane_find(self, 0);
		return groups_add_rows(self, &self->panes[0].state, batch->sel, batch->sel_count,
				       batch->dense, err);
	}
	/* Only with grace or several windows can a timely row be behind one of them. */
	bool ahead = self->times.known &&
		     window_first_end(self, self->times.least) > self->times.watermark;
	if ((window->grace > 0 || window->advance < window->size) && !ahead)
		return panes_add_in_order(self, batch, count, err);
	return panes_add(self, self->rows, count, batch->dense && count == batch->sel_count, err);
}
