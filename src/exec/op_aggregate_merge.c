/* exec/op_aggregate_merge.c -- windows of several panes: the merge of panes in memory.
 *
 * All panes share one table of keys, in which a key is a number.  A pane learns the numbers of its
 * groups once; from then on it is merged into window after window by number, without a key being
 * hashed or compared.  The table's payloads are the window's result.
 *
 * From one window to the next the result is kept where that is exact: panes that are new are merged
 * into it, and those that the next window has no more are taken out, if all aggregates can do that
 * (COUNT, and sums of integers and decimals); so a window costs two panes, however many it has.  A
 * row that comes late into a pane that is merged makes the next window begin anew.
 *
 * The table forgets keys that no pane has by beginning anew too, when they have become many. */
#include "exec/op_aggregate.h"

#include <assert.h>

#include "base/memory.h"

/* So many keys without a pane are kept, and half as many as there are groups in panes. */
#define GONE_MIN 1024

static uint32_t
pane_groups(const Pane *pane)
{
	return pane->state.groups != NULL ? group_table_count(pane->state.groups) : 0;
}

static char *
merged_payload(const PaneMerge *merge, uint32_t number)
{
	return group_table_payload(merge->keys.groups, number);
}

/* ---------------------------------------------------------------- memory */

void
merge_open(AggregateOp *self)
{
	self->merge.slides = calls_can_unmerge(&self->calls);
	self->merge.plain = calls_are_plain(&self->calls);
}

static void
pane_forget_numbers(AggregateOp *self, Pane *pane)
{
	self->family.budget.used -= sizeof *pane->numbers * pane->numbered;
	memory_free(pane->numbers);
	pane->numbers = NULL;
	pane->numbered = 0;
}

bool
merge_forget(AggregateOp *self)
{
	PaneMerge *merge = &self->merge;

	if (merge->keys.groups == NULL)
		return false;
	for (uint32_t p = 0; p < self->pane_count; p++)
		pane_forget_numbers(self, &self->panes[p]);
	keyed_drop(&self->family, &merge->keys);
	self->family.budget.used -= (sizeof *merge->groups + sizeof *merge->order) * merge->room;
	memory_free(merge->groups);
	memory_free(merge->order);
	*merge = (PaneMerge){.slides = merge->slides, .plain = merge->plain};
	return true;
}

/* Room for what is kept of each key. */
static bool
need_room(AggregateOp *self)
{
	PaneMerge *merge = &self->merge;
	uint32_t count = group_table_count(merge->keys.groups);

	if (count <= merge->room)
		return true;
	uint32_t more = count < UINT32_MAX / 2 ? count * 2 - merge->room : count - merge->room;
	if (!budget_take(&self->family.budget,
			 (sizeof *merge->groups + sizeof *merge->order) * (size_t)more))
		return false;
	size_t room = (size_t)merge->room + more;
	merge->groups = memory_resize(merge->groups, sizeof *merge->groups * room);
	merge->order = memory_resize(merge->order, sizeof *merge->order * room);
	memset(merge->groups + merge->room, 0, sizeof *merge->groups * more);
	merge->room += more;
	return true;
}

/* The numbers of a pane's groups; false if there is no room for them. */
static bool
number_groups(AggregateOp *self, Pane *pane)
{
	uint32_t count = pane_groups(pane);
	uint32_t known = pane->numbered;

	if (count == known)
		return true;
	if (!budget_take(&self->family.budget, sizeof *pane->numbers * (count - known)))
		return false;
	pane->numbers = memory_resize(pane->numbers, sizeof *pane->numbers * count);
	pane->numbered = count;
	return keyed_match(&self->family, &self->merge.keys, &pane->state, known,
			   pane->numbers + known) &&
	       need_room(self);
}

/* ---------------------------------------------------------------- panes in and out */

static void
merge_pane(AggregateOp *self, const Pane *pane)
{
	PaneMerge *merge = &self->merge;

	for (uint32_t g = 0; g < pane->numbered; g++) {
		MergedGroup *group = &merge->groups[pane->numbers[g]];
		const char *from = group_table_payload(pane->state.groups, g);
		char *into = merged_payload(merge, pane->numbers[g]);

		merge->live += group->panes == 0;
		if (group->panes++ == 0 && merge->plain)
			memcpy(into, from, self->family.spec.payload_size);
		else
			calls_merge(&self->calls, into, from);
	}
}

/* No pane has the group any more.  Plain payloads are overwritten when they are needed again. */
static void
empty_group(AggregateOp *self, uint32_t number)
{
	char *payload = merged_payload(&self->merge, number);

	self->merge.groups[number].panes = 0;
	self->merge.live--;
	if (self->merge.plain)
		return;
	calls_release(&self->calls, payload);
	memset(payload, 0, self->family.spec.payload_size);
	calls_init(&self->calls, payload);
}

/* The pane is as it was when it was merged. */
static void
take_pane_out(AggregateOp *self, const Pane *pane)
{
	PaneMerge *merge = &self->merge;

	for (uint32_t g = 0; g < pane->numbered; g++) {
		uint32_t number = pane->numbers[g];

		if (--merge->groups[number].panes == 0)
			empty_group(self, number);
		else
			calls_unmerge(&self->calls, merged_payload(merge, number),
				      group_table_payload(pane->state.groups, g));
	}
}

/* Keys keep their numbers. */
static void
begin_anew(AggregateOp *self)
{
	PaneMerge *merge = &self->merge;
	uint32_t count = merge->live > 0 ? group_table_count(merge->keys.groups) : 0;

	for (uint32_t number = 0; number < count; number++)
		if (merge->groups[number].panes > 0)
			empty_group(self, number);
	merge->held = (Span){0, 0};
}

static bool
is_held(const PaneMerge *merge, int64_t start)
{
	return start >= merge->held.start && start < merge->held.end;
}

void
merge_pane_changes(AggregateOp *self, int64_t start)
{
	if (is_held(&self->merge, start))
		begin_anew(self);
}

void
merge_pane_goes(AggregateOp *self, Pane *pane)
{
	if (is_held(&self->merge, pane->start)) {
		if (self->merge.slides)
			take_pane_out(self, pane);
		else
			begin_anew(self);
	}
	pane_forget_numbers(self, pane);
}

/* ---------------------------------------------------------------- windows */

/* Whether what is held can become the merge of these panes. */
static bool
can_go_on(const PaneMerge *merge, Span span)
{
	return is_held(merge, span.start) && span.end >= merge->held.end &&
	       (span.start == merge->held.start || merge->slides);
}

/* Makes `held` the window; false if there is no room. */
static bool
hold_window(AggregateOp *self, Pane *panes, uint32_t count, Span span)
{
	PaneMerge *merge = &self->merge;

	if (!can_go_on(merge, span)) {
		begin_anew(self);
		merge->held = (Span){span.start, span.start};
	}
	for (Pane *pane = self->panes; pane < panes; pane++)
		if (is_held(merge, pane->start))
			take_pane_out(self, pane);
	merge->held.start = span.start;
	for (uint32_t p = 0; p < count; p++) {
		if (panes[p].start < merge->held.end)
			continue;
		if (!number_groups(self, &panes[p]))
			return false;
		merge_pane(self, &panes[p]);
	}
	merge->held.end = span.end;
	return true;
}

/* The window's groups in the order of their first rows, as if it had been one table; returns how
 * many. */
static uint32_t
order_groups(PaneMerge *merge, const Pane *panes, uint32_t count)
{
	uint32_t ordered = 0;

	for (uint32_t p = 0; p < count && ordered < merge->live; p++)
		for (uint32_t g = 0; g < panes[p].numbered; g++) {
			uint32_t number = panes[p].numbers[g];

			merge->order[ordered] = number;
			ordered += !merge->groups[number].ordered;
			merge->groups[number].ordered = true;
			if (ordered == merge->live)
				break;
		}
	for (uint32_t i = 0; i < ordered; i++)
		merge->groups[merge->order[i]].ordered = false;
	assert(ordered == merge->live);
	return ordered;
}

static void
forget_gone_keys(AggregateOp *self)
{
	const GroupTable *keys = self->merge.keys.groups;
	uint64_t groups = 0;

	for (uint32_t p = 0; p < self->pane_count; p++)
		groups += pane_groups(&self->panes[p]);
	if (keys != NULL && group_table_count(keys) > groups + groups / 2 + GONE_MIN)
		merge_forget(self);
}

Status
merge_emit(AggregateOp *self, Pane *panes, uint32_t count, Span span, bool *fits, Error *err)
{
	PaneMerge *merge = &self->merge;

	forget_gone_keys(self);
	*fits = hold_window(self, panes, count, span);
	if (!*fits && merge_forget(self))
		*fits = hold_window(self, panes, count, span);
	if (!*fits) {
		merge_forget(self);
		return FERRIS_OK;
	}
	uint32_t total = order_groups(merge, panes, count);
	Status status = total > 0 ? groups_emit_table(self, merge->keys.groups, merge->order, total,
						      span, err)
				  : FERRIS_OK;
	if (!merge->plain)
		begin_anew(self);
	return status;
}
