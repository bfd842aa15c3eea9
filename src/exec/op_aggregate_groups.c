/* exec/op_aggregate_groups.c -- rows to their groups' states, and groups to rows of results. */
#include "exec/op_aggregate.h"

#include "base/memory.h"

/* ---------------------------------------------------------------- adding */

void
groups_init(AggregateOp *self, GroupTable *groups, uint32_t first)
{
	uint32_t count = group_table_count(groups);

	for (uint32_t g = first; g < count; g++)
		calls_init(&self->calls, group_table_payload(groups, g));
}

void
groups_release(AggregateOp *self, GroupTable *groups)
{
	uint32_t count = group_table_count(groups);

	for (uint32_t g = 0; g < count; g++)
		calls_release(&self->calls, group_table_payload(groups, g));
}

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
groups_find(AggregateOp *self, GroupTable *groups, uint32_t set, const uint16_t *sel,
	    uint32_t count, Error *err)
{
	uint32_t first;

	groups_set_keys(self, set);
	Status status =
		group_table_find(groups, self->keys, sel, count, self->payloads, &first, err);
	groups_init(self, groups, first);
	return status;
}

Status
groups_add_rows(AggregateOp *self, GroupTable *groups, const uint16_t *sel, uint32_t count,
		bool dense, Error *err)
{
	for (uint32_t set = 0; set < self->plan->aggregate.set_count; set++) {
		TRY(groups_find(self, groups, set, sel, count, err));
		groups_add(self, sel, count, dense);
	}
	return FERRIS_OK;
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

static Status
push_results(AggregateOp *self, Error *err)
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

/* The groups of several grouping sets, set after set: in the table they stand in the order in which
 * batches of rows brought them.  NULL for one set. */
static uint32_t *
order_by_set(AggregateOp *self, const GroupTable *groups, uint32_t total)
{
	uint32_t sets = self->plan->aggregate.set_count;
	uint32_t *order, *set_of, *next;

	if (sets == 1)
		return NULL;
	order = memory_alloc(sizeof *order * ((size_t)total * 2 + sets + 1));
	set_of = order + total;
	next = set_of + total;
	memset(next, 0, sizeof *next * (sets + 1));
	for (uint32_t first = 0, count; first < total; first += count) {
		batch_reset(self->out);
		count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		group_table_keys(groups, first, count, groups_key_columns(self));
		for (uint32_t i = 0; i < count; i++) {
			set_of[first + i] = (uint32_t)VECTOR_DATA(&self->set_number, int64_t)[i];
			next[set_of[first + i] + 1]++;
		}
	}
	for (uint32_t set = 1; set < sets; set++)
		next[set] += next[set - 1];
	for (uint32_t g = 0; g < total; g++)
		order[next[set_of[g]]++] = g;
	return order;
}

/* `count` groups from number `first` of the order on as rows. */
static Status
emit_some(AggregateOp *self, const GroupTable *groups, const uint32_t *order, uint32_t first,
	  uint32_t count, Span span, Error *err)
{
	Batch *out = self->out;
	Vector **keys;

	batch_reset(out);
	out->derived = true;
	out->counted = true;
	out->row_count = count;
	keys = groups_key_columns(self);
	if (order == NULL)
		group_table_keys(groups, first, count, keys);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t group = order != NULL ? order[first + i] : first + i;

		if (order != NULL)
			group_table_key(groups, group, keys, i);
		if (has_window(self))
			groups_set_window(self, out->columns, i, span);
		if (groups_emit_calls(self, group_table_payload(groups, group), out->columns, i,
				      out, (RecordRange){0}))
			out->sel[out->sel_count++] = (uint16_t)i;
	}
	return push_results(self, err);
}

/* Groups of a table as rows of their own, in batches. */
Status
groups_emit(AggregateOp *self, const GroupTable *groups, Span span, Error *err)
{
	uint32_t total = group_table_count(groups);
	uint32_t *order = order_by_set(self, groups, total);
	Status status = FERRIS_OK;

	for (uint32_t first = 0; first < total && status == FERRIS_OK; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;

		status = emit_some(self, groups, order, first, count, span, err);
	}
	memory_free(order);
	return status;
}
