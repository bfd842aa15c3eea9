/* exec/op_session.c -- SESSION: groups whose windows are runs of rows less than a gap apart.
 *
 * Each key has its open sessions in a list, the latest first, so that rows in order of time find
 * theirs at once.  A row joins the session that it is less than the gap away from, and merges two
 * if it lies between them; else it opens one.  A session comes out when the watermark passes its
 * end (last time + gap).  A row that can join no open session and whose own session would have
 * ended is late.  Within the grace a session is kept after it came out; a row that joins it then
 * corrects it: it comes out again at once, or at its new end if that is still to come.
 *
 * Sessions wait in a heap by end and, of one end, by their first row to arrive.  An end that moves
 * back is noticed when the session's turn comes.  The watermark before each row decides what is
 * open, so the result does not depend on how the input was cut.  Keys without an open session are
 * forgotten when there are many: state is bounded by what is open, work by rows, not by the past.
 * What does not fit into memory is written out (op_session_state.c).
 *
 * Owns:    sessions, keys, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "exec/op_session.h"

#define SPILLED_ROWS 64 /* so many look for their keys at once when these may be written out */

/* ---------------------------------------------------------------- times */

static int64_t
subtract_time(int64_t time, int64_t span)
{
	int64_t difference;

	return __builtin_sub_overflow(time, span, &difference) ? INT64_MIN : difference;
}

/* Whether `later`, if it is, comes less than the gap after `earlier`. */
static bool
is_near(int64_t earlier, int64_t later, int64_t gap)
{
	return later < earlier || (uint64_t)later - (uint64_t)earlier < (uint64_t)gap;
}

/* ---------------------------------------------------------------- opening */

static Status
compile(SessionOp *self, TaskContext *task, Error *err)
{
	const PlanNode *plan = self->plan;
	uint32_t count = 0;
	BoundExpr **exprs = ARENA_ARRAY(
		task->arena, BoundExpr *,
		self->key_count + 1 +
			calls_expr_count(plan->aggregate.calls, plan->aggregate.call_count));

	while (count < self->key_count) {
		exprs[count] = plan->aggregate.keys[count];
		count++;
	}
	exprs[count++] = plan->aggregate.window.time;
	TRY(calls_open(&self->calls, plan->aggregate.calls, plan->aggregate.call_count, task->arena,
		       exprs, &count, err));
	self->session_size = calls_lay_out(&self->calls, SESSION_HEADER);
	self->results = ARENA_ARRAY(task->arena, const Vector *, count);
	return program_compile(task->arena, exprs, count, &self->program, err);
}

static void
open_keys(SessionOp *self, TaskContext *task)
{
	const Type **types = ARENA_ARRAY(task->arena, const Type *, self->table_keys + 1);

	uint32_t sets = self->plan->aggregate.set_count;

	self->payloads =
		ARENA_ARRAY(task->arena, char *, sets > BATCH_CAPACITY ? sets : BATCH_CAPACITY);
	self->row_keys = ARENA_ARRAY(task->arena, const Vector *, self->table_keys + 1);
	self->out_keys = ARENA_ARRAY(task->arena, Vector *, self->table_keys + 1);
	self->nulls = ARENA_ARRAY(task->arena, Vector, self->key_count + 1);
	for (uint32_t k = 0; k < self->key_count; k++) {
		types[k] = self->plan->aggregate.keys[k]->type;
		vector_init(&self->nulls[k], types[k], FORM_VALUE, 64);
		self->nulls[k].constant = true;
		vector_set_null(&self->nulls[k], 0);
		self->out_keys[k] = &self->out->columns[k];
	}
	vector_init(&self->set_number, TYPE_OF(INTEGER), FORM_VALUE, BATCH_CAPACITY);
	if (self->table_keys > self->key_count) {
		types[self->key_count] = TYPE_OF(INTEGER);
		self->out_keys[self->key_count] = &self->set_number;
	}
	keyed_family_init(&self->family,
			  &(KeyedSpec){.key_types = types,
				       .key_count = self->table_keys,
				       .payload_size = sizeof(SessionKey),
				       .payload = &session_payload,
				       .owner = self,
				       .headed = true},
			  task->store);
	keyed_track(&self->family, &self->keys, SESSION_KEY_PREFIX);
	timers_init(&self->timers, task->store);
}

static Status
session_open(Operator *op, TaskContext *task, Error *err)
{
	SessionOp *self = (SessionOp *)op;

	self->task = task;
	self->plan = operator_node(op);
	self->late_only = op->plan->kind == PLAN_LATE;
	self->key_count = self->plan->aggregate.key_count;
	self->table_keys = self->key_count + (self->plan->aggregate.set_count > 1);
	self->gap = self->plan->aggregate.window.size;
	self->grace = self->plan->aggregate.window.grace;
	self->watermark = INT64_MIN;
	self->announced = INT64_MIN;
	for (const Operator *next = op->next; next != NULL; next = next->next)
		self->announces = self->announces || next->class->advance != NULL;
	self->out = batch_new(self->plan->schema.fields, NULL, self->plan->schema.count);
	batch_reset(self->out);
	open_keys(self, task);
	return compile(self, task, err);
}

/* ---------------------------------------------------------------- results */

void
sessions_add_pending(SessionOp *self)
{
	AggregateRows rows = {.sel = self->pending_rows,
			      .count = self->pending_count,
			      .groups = self->pending,
			      .sequence = self->sequence};

	if (self->pending_count > 0 && !self->late_only)
		calls_add(&self->calls, self->results, &rows);
	self->pending_count = 0;
}

Status
sessions_push_out(SessionOp *self, Error *err)
{
	Batch *out = self->out;
	Status status = FERRIS_OK;

	if (out->row_count == 0)
		return FERRIS_OK;
	out->dense = false;
	status = operator_push(self->base.next, out, err);
	task_keep_errors(self->task, out);
	batch_reset(out);
	vector_reset(&self->set_number);
	return status;
}

static Status
emit(SessionOp *self, const Session *session, Error *err)
{
	Batch *out = self->out;
	uint32_t row;

	if (self->late_only)
		return FERRIS_OK;
	row = out->row_count++;
	out->derived = true;
	out->counted = true;
	vector_reset(&self->set_number);
	group_table_key(self->keys.groups, session->key->head.group, self->out_keys, row);
	VECTOR_DATA(&out->columns[self->key_count], int64_t)[row] = session->first;
	VECTOR_DATA(&out->columns[self->key_count + 1], int64_t)[row] = end_of(self, session);
	if (calls_emit(&self->calls, (const char *)session, &out->columns[self->key_count + 2], row,
		       out, (RecordRange){0}))
		out->sel[out->sel_count++] = (uint16_t)row;
	return out->row_count == BATCH_CAPACITY ? sessions_push_out(self, err) : FERRIS_OK;
}

static void
keep_for_grace(SessionOp *self, Session *session)
{
	session->emitted = true;
	session->due = due_of(self, session);
	session_settle(self, session);
}

static bool
has_due(const SessionOp *self, int64_t time, uint64_t birth)
{
	return self->open > 0 && (self->heap[0]->due < time ||
				  (self->heap[0]->due == time && self->heap[0]->birth <= birth));
}

Status
sessions_close_here(SessionOp *self, int64_t time, uint64_t birth, Error *err)
{
	if (has_due(self, time, birth))
		sessions_add_pending(self);
	while (has_due(self, time, birth)) {
		Session *session = self->heap[0];
		int64_t due = due_of(self, session);

		if (due > session->due) {
			session->due = due;
			session_settle(self, session);
			continue;
		}
		keyed_touch(&self->family, &self->keys, (char *)session->key);
		if (!session->emitted)
			TRY(emit(self, session, err));
		if (session->emitted || self->grace == 0)
			session_drop(self, session);
		else
			keep_for_grace(self, session);
	}
	return FERRIS_OK;
}

/* What has ended by that time comes out; what has outlived its grace goes. */
static Status
close_until(SessionOp *self, int64_t watermark, Error *err)
{
	if (timers_are_due(&self->timers, watermark))
		TRY(sessions_close_spilled(self, watermark, err));
	return sessions_close_here(self, watermark, UINT64_MAX, err);
}

/* ---------------------------------------------------------------- keys */

/* The keys of rows sel[0..*found) in a grouping set go to payloads; with *found less than count all
 * must be written out before the other rows come. */
static Status
find_in_set(SessionOp *self, uint32_t set, const uint16_t *sel, uint32_t count, char **payloads,
	    uint32_t *found, Error *err)
{
	uint64_t mask = self->plan->aggregate.sets[set];
	Vector number = self->set_number;
	int64_t value = set;

	for (uint32_t k = 0; k < self->key_count; k++)
		self->row_keys[k] = mask >> k & 1 ? self->results[k] : &self->nulls[k];
	number.constant = true;
	number.has_null = false;
	number.data = &value;
	self->row_keys[self->key_count] = &number;
	return keyed_find(&self->family, &self->keys, self->row_keys, sel, count, payloads, found,
			  err);
}

/* The same in all grouping sets; those of the next set are `count` further on. */
static Status
find_keys(SessionOp *self, const uint16_t *sel, uint32_t count, uint32_t *found, Error *err)
{
	uint32_t set_count = self->plan->aggregate.set_count;

	*found = count;
	for (uint32_t set = 0; set < set_count && *found > 0; set++)
		TRY(find_in_set(self, set, sel, *found, self->payloads + (size_t)set * count, found,
				err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- rows */

static void
merge_earlier(SessionOp *self, Session *session)
{
	Session *earlier = session->earlier;

	sessions_add_pending(self);
	calls_merge(&self->calls, (char *)session, (const char *)earlier);
	session->first = earlier->first;
	if (earlier->birth < session->birth) {
		session->birth = earlier->birth;
		session_settle(self, session);
	}
	session_drop(self, earlier);
}

/* A session that had ended before the row joined it: it comes out anew, now or at its end. */
static Status
correct(SessionOp *self, Session *session, int64_t watermark, Error *err)
{
	int64_t end = end_of(self, session);

	if (self->grace == 0 || watermark == INT64_MIN)
		return FERRIS_OK;
	if (end <= watermark) {
		sessions_add_pending(self);
		TRY(emit(self, session, err));
		keep_for_grace(self, session);
	} else if (session->emitted) {
		session->emitted = false;
		session->due = due_of(self, session);
		session_settle(self, session);
	}
	return FERRIS_OK;
}

/* Adds a row to the key's session; *taken stays false if it is late. */
static Status
add_row(SessionOp *self, SessionKey *key, uint16_t row, int64_t time, int64_t watermark,
	uint64_t birth, bool *taken, Error *err)
{
	Session **link = &key->latest;

	while (*link != NULL && !is_near(time, (*link)->first, self->gap))
		link = &(*link)->earlier;
	if (*link == NULL || !is_near((*link)->last, time, self->gap)) {
		int64_t end = add_time(add_time(time, self->gap), self->grace);

		if (watermark != INT64_MIN && end <= watermark)
			return FERRIS_OK;
		TRY(session_open_at(self, key, link, time, birth, err));
	}
	Session *session = *link;
	*taken = true;
	if (time < session->first)
		session->first = time;
	if (time > session->last)
		session->last = time;
	if (session->earlier != NULL && is_near(session->earlier->last, time, self->gap))
		merge_earlier(self, session);
	self->pending_rows[self->pending_count] = row;
	self->pending[self->pending_count++] = (char *)session;
	if (self->pending_count == BATCH_CAPACITY)
		sessions_add_pending(self);
	return correct(self, session, watermark, err);
}

/* A row in every grouping set: its keys are `stride` apart. */
static Status
add_to_sets(SessionOp *self, char **keys, uint32_t stride, uint16_t row, int64_t time,
	    int64_t watermark, bool *taken, Error *err)
{
	uint32_t set_count = self->plan->aggregate.set_count;
	uint64_t birth = (self->sequence + row) * set_count;

	for (uint32_t set = 0; set < set_count; set++)
		TRY(add_row(self, (SessionKey *)(void *)keys[(size_t)set * stride], row, time,
			    watermark, birth + set, taken, err));
	return FERRIS_OK;
}

static void
report_no_time(const SessionOp *self, Batch *batch, uint16_t row)
{
	const BoundExpr *time = self->plan->aggregate.window.time;

	batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL,
			time->kind == BOUND_COLUMN ? time->name : (Str){"", 0},
			"NULL as the time of a window");
}

/* What becomes of a batch's rows. */
typedef struct Tally {
	uint32_t late;
	uint32_t timely;
} Tally;

static void
count_row(SessionOp *self, Batch *batch, uint16_t row, bool taken, Tally *tally)
{
	ChunkResult *result = self->task->result;

	tally->timely += taken;
	if (self->late_only) {
		batch->sel[tally->late] = row;
		tally->late += !taken;
	} else if (!taken) {
		result->late++;
		result->results += batch->counted;
	} else if (!batch->counted) {
		result->aggregated++;
	}
}

static Status
no_room(const SessionOp *self, Error *err)
{
	error_set(err, FERRIS_ERR_LIMIT,
		  "the %u grouping sets of one row do not fit into the limit of %zu bytes",
		  self->plan->aggregate.set_count, store_memory(self->task->store));
	return error_hint(err, "raise 'state.memory.limit', or group by fewer sets");
}

/* Rows sel[0..count), whose keys have been found; *used: so many of them.  The others' keys were
 * written out meanwhile. */
static Status
add_found(SessionOp *self, Batch *batch, const uint16_t *sel, uint32_t count, uint32_t stride,
	  Tally *tally, uint32_t *used, Error *err)
{
	const Vector *times = self->results[self->key_count];
	uint64_t spills = self->spills;

	for (*used = 0; *used < count; ++*used) {
		uint16_t row = sel[*used];
		int64_t watermark =
			batch->watermarks != NULL ? batch->watermarks[row] : self->watermark;
		bool taken = false;

		if (vector_is_null(times, row)) {
			report_no_time(self, batch, row);
			continue;
		}
		int64_t time = VECTOR_DATA(times, const int64_t)[times->constant ? 0 : row];
		if (watermark != INT64_MIN)
			TRY(close_until(self, watermark, err));
		if (self->spills != spills)
			return FERRIS_OK;
		TRY(add_to_sets(self, self->payloads + *used, stride, row, time, watermark, &taken,
				err));
		count_row(self, batch, row, taken, tally);
	}
	return FERRIS_OK;
}

/* So many rows look for their keys at once: what these bring in from the backend must fit too. */
static uint32_t
rows_at_once(const SessionOp *self, uint32_t left)
{
	uint32_t most = keyed_is_spilled(&self->keys) ? SPILLED_ROWS : BATCH_CAPACITY;

	most /= self->plan->aggregate.set_count;
	return most < 1 ? 1 : most < left ? most : left;
}

static Status
add_rows(SessionOp *self, Batch *batch, Tally *tally, Error *err)
{
	uint32_t most = BATCH_CAPACITY;

	for (uint32_t done = 0, used; done < batch->sel_count; done += used) {
		uint32_t count = rows_at_once(self, batch->sel_count - done);
		bool was_empty = self->keys.groups == NULL;
		uint32_t found;

		count = count < most ? count : most;
		TRY(find_keys(self, batch->sel + done, count, &found, err));
		if (found == 0 && count == 1 && was_empty)
			return no_room(self, err);
		TRY(add_found(self, batch, batch->sel + done, found, count, tally, &used, err));
		if (found == 0 || sessions_are_full(self))
			TRY(sessions_spill(self, err));
		if (found == 0)
			most = 1;
	}
	return FERRIS_OK;
}

static Status
session_push(Operator *op, Batch *batch, Error *err)
{
	SessionOp *self = (SessionOp *)op;
	Tally tally = {0};

	program_run(self->program, batch, NULL, self->results);
	if (batch->sel_count == 0)
		return FERRIS_OK;
	TRY(add_rows(self, batch, &tally, err));
	sessions_add_pending(self);
	self->sequence += batch->row_count;
	return self->late_only ? operator_push_late(op, batch, tally.late, tally.timely, err)
			       : sessions_push_out(self, err);
}

/* ---------------------------------------------------------------- the operator */

/* Sessions are as long as their rows make them: the first open one holds the watermark back.  All
 * are looked at after as many rows as there are sessions; until then the last answer holds. */
static Status
results_watermark(SessionOp *self, int64_t *announced, Error *err)
{
	*announced = self->announced;
	if (self->sequence - self->looked < self->total)
		return FERRIS_OK;
	self->least = subtract_time(subtract_time(self->watermark, self->gap), self->grace);
	for (uint32_t i = 0; i < self->open; i++)
		if (self->heap[i]->first < self->least)
			self->least = self->heap[i]->first;
	TRY(sessions_see_spilled(self, err));
	self->looked = self->sequence;
	if (self->least > self->announced)
		self->announced = self->least;
	*announced = self->announced;
	return FERRIS_OK;
}

static Status
session_advance(Operator *op, int64_t watermark, Error *err)
{
	SessionOp *self = (SessionOp *)op;

	self->watermark = watermark;
	TRY(close_until(self, watermark, err));
	TRY(sessions_push_out(self, err));
	TRY(keyed_sweep(&self->family, &self->keys, self->live_keys, err));
	if (sessions_are_full(self))
		TRY(sessions_spill(self, err));
	if (!self->late_only && !self->announces)
		return FERRIS_OK;
	if (!self->late_only)
		TRY(results_watermark(self, &watermark, err));
	return operator_advance(op->next, watermark, err);
}

static Status
session_finish(Operator *op, Error *err)
{
	SessionOp *self = (SessionOp *)op;

	TRY(close_until(self, INT64_MAX, err));
	TRY(sessions_push_out(self, err));
	return operator_finish(op->next, err);
}

static void
session_close(Operator *op)
{
	SessionOp *self = (SessionOp *)op;

	keyed_drop(&self->family, &self->keys);
	keyed_family_free(&self->family);
	timers_free(&self->timers);
	sessions_clear(self);
	for (uint32_t k = 0; k < self->key_count && self->nulls != NULL; k++)
		vector_free(&self->nulls[k]);
	vector_free(&self->set_number);
	batch_destroy(self->out);
	program_free(self->program);
}

const OperatorClass session_class = {
	.name = "Session",
	.size = sizeof(SessionOp),
	.open = session_open,
	.push = session_push,
	.advance = session_advance,
	.finish = session_finish,
	.save = session_save,
	.saves_changes = true,
	.load = session_load,
	.close = session_close,
};
