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
	self->panes[at] = (Pane){.start = start, .groups = group_table_new(&self->spec)};
	return &self->panes[at];
}

void
pane_drop(AggregateOp *self, uint32_t at)
{
	groups_release(self, self->panes[at].groups);
	group_table_destroy(self->panes[at].groups);
	self->pane_count--;
	memmove(&self->panes[at], &self->panes[at + 1],
		sizeof *self->panes * (self->pane_count - at));
}

/* ---------------------------------------------------------------- windows */

/* Adds a pane's groups to the merged table. */
static Status
merge_pane(AggregateOp *self, const GroupTable *from, Error *err)
{
	uint32_t total = group_table_count(from);
	Batch *out = self->out;
	Vector **keys;
	uint16_t sel[BATCH_CAPACITY];

	for (uint32_t first = 0; first < total; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		uint32_t first_new;

		batch_reset(out);
		keys = groups_key_columns(self);
		group_table_keys(from, first, count, keys);
		for (uint32_t i = 0; i < count; i++)
			sel[i] = (uint16_t)i;
		TRY(group_table_find(self->merged, (const Vector *const *)keys, sel, count,
				     self->payloads, &first_new, err));
		groups_init(self, self->merged, first_new);
		for (uint32_t i = 0; i < count; i++)
			calls_merge(&self->calls, self->payloads[i],
				    group_table_payload(from, first + i));
	}
	return FERRIS_OK;
}

/* The result of a window from the panes inside it. */
static Status
emit_window(AggregateOp *self, Span span, Error *err)
{
	uint32_t first = 0;
	uint32_t inside;

	while (first < self->pane_count && self->panes[first].start < span.start)
		first++;
	for (inside = 0;
	     first + inside < self->pane_count && self->panes[first + inside].start < span.end;)
		inside++;
	if (inside == 0)
		return FERRIS_OK;
	if (inside == 1)
		return groups_emit(self, self->panes[first].groups, span, err);
	if (self->merged == NULL)
		self->merged = group_table_new(&self->spec);
	for (uint32_t p = 0; p < inside; p++)
		TRY(merge_pane(self, self->panes[first + p].groups, err));
	Status status = groups_emit(self, self->merged, span, err);
	groups_release(self, self->merged);
	group_table_clear(self->merged);
	return status;
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
void
panes_drop(AggregateOp *self, int64_t watermark)
{
	const WindowPlan *window = &self->plan->aggregate.window;

	while (self->pane_count > 0) {
		int64_t start = self->panes[0].start;
		int64_t last =
			emits_changes(self) ? start + window->size : window_last_end(self, start);

		if (last > watermark - window->grace)
			return;
		pane_drop(self, 0);
	}
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
	uint32_t same = 0;
	uint32_t others = 0;

	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = rows[i];
		int64_t time = row_time(self, row);
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
		TRY(groups_add_rows(self, pane_find(self, start)->groups, rows, same, dense, err));
		count -= same;
		memcpy(rows, self->rest, sizeof *rows * count);
	}
	return FERRIS_OK;
}

/* One group's result of a window that has come out before. */
static Status
emit_correction(AggregateOp *self, uint16_t row, Span span, Error *err)
{
	Batch *out = self->out;

	if (self->merged == NULL)
		self->merged = group_table_new(&self->spec);
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		uint32_t first;

		groups_set_keys(self, set);
		TRY(group_table_find(self->merged, self->keys, &row, 1, self->payloads, &first,
				     err));
		groups_init(self, self->merged, first);
		for (uint32_t p = 0; p < self->pane_count; p++) {
			const Pane *pane = &self->panes[p];
			char *payload;

			if (pane->start < span.start || pane->start >= span.end)
				continue;
			payload = group_table_get(pane->groups, self->keys, row);
			if (payload != NULL)
				calls_merge(&self->calls, self->payloads[0], payload);
		}
	}
	batch_reset(out);
	Status status = groups_emit(self, self->merged, span, err);
	groups_release(self, self->merged);
	group_table_clear(self->merged);
	return status;
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
		return groups_add_rows(self, self->panes[0].groups, batch->sel, batch->sel_count,
				       batch->dense, err);
	}
	/* Only with grace or several windows can a timely row be behind one of them. */
	if (window->grace > 0 || window->advance < window->size)
		return panes_add_in_order(self, batch, count, err);
	return panes_add(self, self->rows, count, batch->dense && count == batch->sel_count, err);
}
