/* exec/op_aggregate_groups.c -- rows to their groups' states, and groups to rows of results. */
#include "exec/op_aggregate.h"

#include "base/memory.h"

/* ---------------------------------------------------------------- adding */

/* Adds rows to the states of their groups in self->payloads. */
void
groups_add(AggregateOp *self, const uint16_t *sel, uint32_t count, bool dense)
{
	calls_add(&self->calls, self->results,
		  &(AggregateRows){.sel = sel,
				   .count = count,
				   .groups = self->payloads,
				   .sequence = self->sequence,
				   .dense = dense,
				   .one_group = self->table_keys == 0});
}

/* The key vectors of a grouping set: keys outside of it are NULL. */
void
groups_set_keys(AggregateOp *self, uint32_t set)
{
	uint64_t mask = self->plan->aggregate.sets[set];

	for (uint32_t k = 0; k < self->key_count; k++)
		self->keys[k] = mask >> k & 1 ? self->results[k] : &self->nulls[k];
	if (self->table_keys == self->key_count)
		return;
	vector_reset(&self->set_number);
	self->set_number.constant = true;
	VECTOR_DATA(&self->set_number, int64_t)[0] = set;
	self->keys[self->key_count] = &self->set_number;
}

/* The groups of the rows, made if they are new, go to self->payloads. */
Status
groups_find(AggregateOp *self, KeyedState *state, uint32_t set, const uint16_t *sel, uint32_t count,
	    uint32_t *found, Error *err)
{
	groups_set_keys(self, set);
	Status status = keyed_find(&self->family, state, self->keys, sel, count, self->payloads,
				   found, err);
	/* Room that the merge of panes has is needed more here. */
	if ((status == FERRIS_OK && *found == count) || !merge_forget(self))
		return status;
	return keyed_find(&self->family, state, self->keys, sel, count, self->payloads, found, err);
}

Status
groups_spill(AggregateOp *self, Error *err)
{
	bool spilled = false;

	merge_forget(self);
	for (uint32_t p = 0; p < self->pane_count; p++) {
		TRY(keyed_spill(&self->family, &self->panes[p].state, err));
		spilled = spilled || keyed_is_spilled(&self->panes[p].state);
	}
	return spilled ? store_commit(self->task->store, err) : FERRIS_OK;
}

Status
groups_add_rows(AggregateOp *self, KeyedState *state, const uint16_t *sel, uint32_t count,
		bool dense, Error *err)
{
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		for (uint32_t done = 0, found; done < count; done += found) {
			TRY(groups_find(self, state, set, sel + done, count - done, &found, err));
			groups_add(self, sel + done, found, dense && found == count);
			if (done + found < count)
				TRY(groups_spill(self, err));
		}
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- payloads */

static void
payload_init(void *owner, char *payload)
{
	calls_init(&((AggregateOp *)owner)->calls, payload);
}

static void
payload_save(void *owner, const char *payload, Buffer *out)
{
	calls_save(&((AggregateOp *)owner)->calls, payload, out);
}

static bool
payload_load(void *owner, char *payload, Str bytes)
{
	return calls_load(&((AggregateOp *)owner)->calls, payload, bytes);
}

static void
payload_merge(void *owner, char *into, const char *from)
{
	calls_merge(&((AggregateOp *)owner)->calls, into, from);
}

static void
payload_release(void *owner, char *payload)
{
	calls_release(&((AggregateOp *)owner)->calls, payload);
}

static const PayloadClass payload_class = {
	.init = payload_init,
	.save = payload_save,
	.load = payload_load,
	.merge = payload_merge,
	.release = payload_release,
};

/* Without a call for each group that would do nothing. */
static const PayloadClass plain_payload_class = {
	.save = payload_save,
	.load = payload_load,
	.merge = payload_merge,
};

const PayloadClass *
groups_payload_class(const AggregateOp *self)
{
	return calls_are_plain(&self->calls) ? &plain_payload_class : &payload_class;
}

/* ---------------------------------------------------------------- results */

void
groups_set_window(const AggregateOp *self, Vector *columns, uint32_t row, Span span)
{
	VECTOR_DATA(&columns[self->key_count], int64_t)[row] = span.start;
	VECTOR_DATA(&columns[self->key_count + 1], int64_t)[row] = span.end;
}

/* A group's aggregates to a row; one that cannot be computed is an error of the row. */
bool
groups_emit_calls(AggregateOp *self, const char *payload, Vector *columns, uint32_t row,
		  Batch *batch, RecordRange record)
{
	uint32_t first = self->plan->schema.count - self->calls.count;

	return calls_emit(&self->calls, payload, &columns[first], row, batch, record);
}

void
groups_begin_results(AggregateOp *self)
{
	batch_reset(self->out);
	self->out->derived = true;
	self->out->counted = true;
}

Status
groups_push_results(AggregateOp *self, Error *err)
{
	Batch *out = self->out;

	out->dense = false;
	Status status = operator_push(self->base.next, out, err);
	task_keep_errors(self->task, out);
	return status;
}

/* Where the keys of groups are written: the columns of the batch of results. */
Vector **
groups_key_columns(AggregateOp *self)
{
	Vector **keys = ARENA_ARRAY(&self->out->heap, Vector *, self->table_keys + 1);

	for (uint32_t k = 0; k < self->key_count; k++)
		keys[k] = &self->out->columns[k];
	vector_reset(&self->set_number);
	keys[self->key_count] = &self->set_number;
	return keys;
}

/* The keys of groups first .. first+count-1 of the order, to rows 0.. of the output. */
static void
write_keys(AggregateOp *self, const GroupTable *groups, const uint32_t *order, uint32_t first,
	   uint32_t count)
{
	Vector **keys = groups_key_columns(self);

	if (order != NULL)
		group_table_keys_of(groups, order + first, count, keys);
	else
		group_table_keys(groups, first, count, keys);
}

/* The groups of several grouping sets, set after set: in the table, and in an order of its groups,
 * they stand as batches of rows brought them. */
static uint32_t *
order_by_set(AggregateOp *self, const GroupTable *groups, const uint32_t *order, uint32_t total)
{
	uint32_t sets = self->plan->aggregate.set_count;
	uint32_t *out, *set_of, *next;

	out = memory_alloc(sizeof *out * ((size_t)total * 2 + sets + 1));
	set_of = out + total;
	next = set_of + total;
	memset(next, 0, sizeof *next * (sets + 1));
	for (uint32_t first = 0, count; first < total; first += count) {
		batch_reset(self->out);
		count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		write_keys(self, groups, order, first, count);
		for (uint32_t i = 0; i < count; i++) {
			set_of[first + i] = (uint32_t)VECTOR_DATA(&self->set_number, int64_t)[i];
			next[set_of[first + i] + 1]++;
		}
	}
	for (uint32_t set = 1; set < sets; set++)
		next[set] += next[set - 1];
	for (uint32_t i = 0; i < total; i++)
		out[next[set_of[i]]++] = order != NULL ? order[i] : i;
	return out;
}

/* The results of the group whose key is in row `row` of the output; none if it has gone. */
static void
put_group(AggregateOp *self, const char *payload, uint32_t row)
{
	Batch *out = self->out;

	if (self->plan->aggregate.retracts && retract_is_gone(self, payload, row))
		return;
	if (groups_emit_calls(self, payload, out->columns, row, out, (RecordRange){0}))
		out->sel[out->sel_count++] = (uint16_t)row;
}

/* `count` groups from number `first` of the order on as rows. */
static Status
emit_some(AggregateOp *self, const GroupTable *groups, const uint32_t *order, uint32_t first,
	  uint32_t count, Span span, Error *err)
{
	Batch *out = self->out;

	groups_begin_results(self);
	out->row_count = count;
	write_keys(self, groups, order, first, count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t group = order != NULL ? order[first + i] : first + i;

		if (has_window(self))
			groups_set_window(self, out->columns, i, span);
		put_group(self, group_table_payload(groups, group), i);
	}
	return groups_push_results(self, err);
}

Status
groups_emit_table(AggregateOp *self, const GroupTable *groups, const uint32_t *order,
		  uint32_t total, Span span, Error *err)
{
	bool sets = self->plan->aggregate.set_count > 1;
	uint32_t *by_set = sets ? order_by_set(self, groups, order, total) : NULL;
	Status status = FERRIS_OK;

	for (uint32_t first = 0; first < total && status == FERRIS_OK; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;

		status = emit_some(self, groups, sets ? by_set : order, first, count, span, err);
	}
	memory_free(by_set);
	return status;
}

/* Up to a batch of groups from a scan; *more is false behind the last one. */
static Status
emit_scanned(AggregateOp *self, KeyedScan *scan, Span span, bool *more, Error *err)
{
	Batch *out = self->out;
	Vector **keys;
	char *payload;

	groups_begin_results(self);
	keys = groups_key_columns(self);
	for (uint32_t i = 0; i < BATCH_CAPACITY; i++) {
		TRY(keyed_scan_next(scan, keys, i, &out->heap, &payload, err));
		*more = payload != NULL;
		if (!*more)
			break;
		out->row_count = i + 1;
		if (has_window(self))
			groups_set_window(self, out->columns, i, span);
		put_group(self, payload, i);
	}
	return groups_push_results(self, err);
}

static Status
emit_spilled(AggregateOp *self, KeyedState *const *states, uint32_t count, Span span, Error *err)
{
	KeyedScan scan;
	bool more = true;

	TRY(keyed_scan_open(&self->family, states, count, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && more)
		status = emit_scanned(self, &scan, span, &more, err);
	return keyed_scan_close(&scan, status, err);
}

Status
groups_emit(AggregateOp *self, KeyedState *const *states, uint32_t count, Span span, Error *err)
{
	if (count > 1 || keyed_is_spilled(states[0]))
		return emit_spilled(self, states, count, span, err);
	const GroupTable *groups = states[0]->groups;
	return groups != NULL
		       ? groups_emit_table(self, groups, NULL, group_table_count(groups), span, err)
		       : FERRIS_OK;
}
