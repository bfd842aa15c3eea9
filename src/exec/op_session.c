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
 *
 * Owns:    sessions, keys, the compiled expressions.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/calls.h"
#include "exec/operator.h"
#include "state/group_table.h"

#define BLOCK_SESSIONS 256
#define DEAD_KEYS      4096 /* so few are never cleaned up */

typedef struct Session Session;

/* A key's payload. */
typedef struct SessionKey {
	Session *latest;
	uint32_t group; /* its number in the table */
	uint32_t unused;
} SessionKey;

struct Session {
	SessionKey *key;
	Session *earlier; /* of the same key; in the free list: the next one */
	int64_t first;    /* time of its rows */
	int64_t last;
	int64_t due;    /* in the heap; what it waits for may be later */
	uint64_t birth; /* number of its first row to arrive; no two have the same */
	uint32_t place; /* in the heap */
	bool emitted;   /* it came out and is kept for its grace */
};

#define SESSION_HEADER ((sizeof(Session) + 15) & ~(size_t)15)

typedef struct SessionBlock SessionBlock;
struct SessionBlock {
	SessionBlock *next;
	_Alignas(16) char sessions[];
};

typedef struct SessionOp {
	Operator base;
	TaskContext *task;
	const PlanNode *plan;
	Program *program; /* keys, time, the calls' expressions */
	const Vector **results;
	CallSet calls;
	uint32_t key_count;  /* of GROUP BY: the time's place among the results */
	uint32_t table_keys; /* with the number of the grouping set */
	int64_t gap;
	int64_t grace;
	bool late_only;    /* LATE(query): the late rows go on, nothing else comes out */
	int64_t watermark; /* as announced; INT64_MIN: none */
	uint64_t sequence; /* rows seen */
	bool announces;    /* an operator further on wants to know the watermark */
	int64_t announced; /* no session to come out begins before */
	uint64_t looked;   /* `sequence` when that was found out */

	GroupTableSpec spec;
	GroupTable *keys;
	uint32_t live_keys; /* with a session */
	SessionBlock *blocks;
	Session *free;
	size_t session_size;
	size_t block_bytes;
	Session **heap;
	uint32_t open;
	uint32_t heap_capacity;

	uint16_t pending_rows[BATCH_CAPACITY]; /* to be added to their session */
	char *pending[BATCH_CAPACITY];
	uint32_t pending_count;

	Vector *nulls; /* a constant NULL of each key's type, for grouping sets */
	Vector set_number;
	const Vector **row_keys;
	char *payloads[BATCH_CAPACITY];
	Vector **out_keys;
	Batch *out;
} SessionOp;

/* ---------------------------------------------------------------- times */

static int64_t
add_time(int64_t time, int64_t span)
{
	int64_t sum;

	return __builtin_add_overflow(time, span, &sum) ? INT64_MAX : sum;
}

static int64_t
subtract_time(int64_t time, int64_t span)
{
	int64_t difference;

	return __builtin_sub_overflow(time, span, &difference) ? INT64_MIN : difference;
}

static int64_t
end_of(const SessionOp *self, const Session *session)
{
	return add_time(session->last, self->gap);
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
	self->spec = (GroupTableSpec){.key_types = types,
				      .key_count = self->table_keys,
				      .payload_size = sizeof(SessionKey),
				      .byte_limit = task->state_limit};
	self->keys = group_table_new(&self->spec);
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

/* ---------------------------------------------------------------- the heap */

static bool
is_before(const Session *a, const Session *b)
{
	return a->due != b->due ? a->due < b->due : a->birth < b->birth;
}

static void
put(SessionOp *self, uint32_t place, Session *session)
{
	self->heap[place] = session;
	session->place = place;
}

/* Moves the session to where it belongs after its due or birth changed. */
static void
settle(SessionOp *self, Session *session)
{
	uint32_t at = session->place;

	while (at > 0 && is_before(session, self->heap[(at - 1) / 2])) {
		put(self, at, self->heap[(at - 1) / 2]);
		at = (at - 1) / 2;
	}
	for (uint32_t child; (child = 2 * at + 1) < self->open; at = child) {
		if (child + 1 < self->open && is_before(self->heap[child + 1], self->heap[child]))
			child++;
		if (!is_before(self->heap[child], session))
			break;
		put(self, at, self->heap[child]);
	}
	put(self, at, session);
}

static void
heap_add(SessionOp *self, Session *session)
{
	if (self->open == self->heap_capacity) {
		self->heap_capacity = self->heap_capacity > 0 ? self->heap_capacity * 2 : 64;
		self->heap = memory_resize(self->heap, sizeof *self->heap * self->heap_capacity);
	}
	put(self, self->open++, session);
	settle(self, session);
}

static void
heap_remove(SessionOp *self, const Session *session)
{
	Session *last = self->heap[--self->open];

	if (last == session)
		return;
	put(self, session->place, last);
	settle(self, last);
}

/* ---------------------------------------------------------------- sessions */

static Status
add_block(SessionOp *self, Error *err)
{
	size_t bytes = sizeof(SessionBlock) + self->session_size * BLOCK_SESSIONS;
	size_t held = self->block_bytes + self->calls.memory.bytes + group_table_bytes(self->keys);

	if (held > self->spec.byte_limit || bytes > self->spec.byte_limit - held) {
		error_set(err, FERRIS_ERR_LIMIT,
			  "%u open sessions hold %zu bytes, and the limit of %zu bytes does not "
			  "allow "
			  "more",
			  self->open, held, self->spec.byte_limit);
		return error_hint(err,
				  "raise 'state.memory.limit', or shorten the gap, the grace or "
				  "the watermark's delay");
	}
	SessionBlock *block = memory_alloc(bytes);
	block->next = self->blocks;
	self->blocks = block;
	self->block_bytes += bytes;
	for (uint32_t i = BLOCK_SESSIONS; i-- > 0;) {
		Session *session = (Session *)(void *)(block->sessions + self->session_size * i);

		session->earlier = self->free;
		self->free = session;
	}
	return FERRIS_OK;
}

/* A session of one time, put into the key's list at *link. */
static Status
open_session(SessionOp *self, SessionKey *key, Session **link, int64_t time, uint64_t birth,
	     Error *err)
{
	if (self->free == NULL)
		TRY(add_block(self, err));
	Session *session = self->free;

	self->free = session->earlier;
	memset(session, 0, self->session_size);
	calls_init(&self->calls, (char *)session);
	self->live_keys += key->latest == NULL;
	session->key = key;
	session->first = time;
	session->last = time;
	session->due = end_of(self, session);
	session->birth = birth;
	session->earlier = *link;
	*link = session;
	heap_add(self, session);
	return FERRIS_OK;
}

static void
drop_session(SessionOp *self, Session *session)
{
	Session **link = &session->key->latest;

	while (*link != session)
		link = &(*link)->earlier;
	*link = session->earlier;
	self->live_keys -= session->key->latest == NULL;
	heap_remove(self, session);
	calls_release(&self->calls, (char *)session);
	session->earlier = self->free;
	self->free = session;
}

/* ---------------------------------------------------------------- results */

static void
add_pending(SessionOp *self)
{
	AggregateRows rows = {.sel = self->pending_rows,
			      .count = self->pending_count,
			      .groups = self->pending,
			      .sequence = self->sequence};

	if (self->pending_count > 0 && !self->late_only)
		calls_add(&self->calls, self->results, &rows);
	self->pending_count = 0;
}

static Status
push_out(SessionOp *self, Error *err)
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
	group_table_key(self->keys, session->key->group, self->out_keys, row);
	VECTOR_DATA(&out->columns[self->key_count], int64_t)[row] = session->first;
	VECTOR_DATA(&out->columns[self->key_count + 1], int64_t)[row] = end_of(self, session);
	if (calls_emit(&self->calls, (const char *)session, &out->columns[self->key_count + 2], row,
		       out, (RecordRange){0}))
		out->sel[out->sel_count++] = (uint16_t)row;
	return out->row_count == BATCH_CAPACITY ? push_out(self, err) : FERRIS_OK;
}

static void
keep_for_grace(SessionOp *self, Session *session)
{
	session->emitted = true;
	session->due = add_time(end_of(self, session), self->grace);
	settle(self, session);
}

/* What has ended by that time comes out; what has outlived its grace goes. */
static Status
close_until(SessionOp *self, int64_t watermark, Error *err)
{
	if (self->open == 0 || self->heap[0]->due > watermark)
		return FERRIS_OK;
	add_pending(self);
	while (self->open > 0 && self->heap[0]->due <= watermark) {
		Session *session = self->heap[0];
		int64_t due = add_time(end_of(self, session), session->emitted ? self->grace : 0);

		if (due > session->due) {
			session->due = due;
			settle(self, session);
			continue;
		}
		if (!session->emitted)
			TRY(emit(self, session, err));
		if (session->emitted || self->grace == 0)
			drop_session(self, session);
		else
			keep_for_grace(self, session);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- keys */

/* The keys that have a session go to a new table. */
static Status
forget_dead_keys(SessionOp *self, Error *err)
{
	uint32_t total = group_table_count(self->keys);
	GroupTable *kept;

	if (total - self->live_keys < DEAD_KEYS || total - self->live_keys < self->live_keys)
		return FERRIS_OK;
	kept = group_table_new(&self->spec);
	for (uint32_t first = 0; first < total; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;
		uint16_t sel[BATCH_CAPACITY];
		uint32_t live = 0;
		uint32_t group;

		for (uint32_t i = 0; i < count; i++) {
			const SessionKey *key =
				(const void *)group_table_payload(self->keys, first + i);

			if (key->latest != NULL)
				sel[live++] = (uint16_t)i;
		}
		group_table_keys(self->keys, first, count, self->out_keys);
		for (uint32_t k = 0; k < self->table_keys; k++)
			self->row_keys[k] = self->out_keys[k];
		Status status = group_table_find(kept, self->row_keys, sel, live, self->payloads,
						 &group, err);
		if (status != FERRIS_OK) {
			group_table_destroy(kept);
			return status;
		}
		for (uint32_t i = 0; i < live; i++) {
			SessionKey *to = (SessionKey *)(void *)self->payloads[i];

			*to = *(SessionKey *)(void *)group_table_payload(self->keys,
									 first + sel[i]);
			to->group = group + i;
			for (Session *session = to->latest; session != NULL;
			     session = session->earlier)
				session->key = to;
		}
	}
	for (uint32_t k = 0; k < self->table_keys; k++)
		vector_reset(self->out_keys[k]);
	group_table_destroy(self->keys);
	self->keys = kept;
	return FERRIS_OK;
}

/* The keys of the rows in a grouping set go to self->payloads. */
static Status
find_keys(SessionOp *self, uint32_t set, const uint16_t *sel, uint32_t count, Error *err)
{
	uint64_t mask = self->plan->aggregate.sets[set];
	Vector number = self->set_number;
	uint32_t first_new;
	int64_t value = set;

	for (uint32_t k = 0; k < self->key_count; k++)
		self->row_keys[k] = mask >> k & 1 ? self->results[k] : &self->nulls[k];
	number.constant = true;
	number.has_null = false;
	number.data = &value;
	self->row_keys[self->key_count] = &number;
	Status status = group_table_find(self->keys, self->row_keys, sel, count, self->payloads,
					 &first_new, err);
	for (uint32_t g = first_new; g < group_table_count(self->keys); g++)
		((SessionKey *)(void *)group_table_payload(self->keys, g))->group = g;
	return status;
}

/* ---------------------------------------------------------------- rows */

static void
merge_earlier(SessionOp *self, Session *session)
{
	Session *earlier = session->earlier;

	add_pending(self);
	calls_merge(&self->calls, (char *)session, (const char *)earlier);
	session->first = earlier->first;
	if (earlier->birth < session->birth) {
		session->birth = earlier->birth;
		settle(self, session);
	}
	drop_session(self, earlier);
}

/* A session that had ended before the row joined it: it comes out anew, now or at its end. */
static Status
correct(SessionOp *self, Session *session, int64_t watermark, Error *err)
{
	int64_t end = end_of(self, session);

	if (self->grace == 0 || watermark == INT64_MIN)
		return FERRIS_OK;
	if (end <= watermark) {
		add_pending(self);
		TRY(emit(self, session, err));
		keep_for_grace(self, session);
	} else if (session->emitted) {
		session->emitted = false;
		session->due = end;
		settle(self, session);
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
		TRY(open_session(self, key, link, time, birth, err));
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
		add_pending(self);
	return correct(self, session, watermark, err);
}

/* A row in every grouping set. */
static Status
add_to_sets(SessionOp *self, const Batch *batch, uint32_t i, int64_t time, int64_t watermark,
	    bool *taken, Error *err)
{
	uint32_t set_count = self->plan->aggregate.set_count;
	uint16_t row = batch->sel[i];
	uint64_t birth = (self->sequence + row) * set_count;

	if (set_count == 1)
		return add_row(self, (SessionKey *)(void *)self->payloads[i], row, time, watermark,
			       birth, taken, err);
	for (uint32_t set = 0; set < set_count; set++) {
		TRY(find_keys(self, set, &row, 1, err));
		TRY(add_row(self, (SessionKey *)(void *)self->payloads[0], row, time, watermark,
			    birth + set, taken, err));
	}
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

static Status
session_push(Operator *op, Batch *batch, Error *err)
{
	SessionOp *self = (SessionOp *)op;
	ChunkResult *result = self->task->result;
	uint32_t late = 0;
	uint32_t timely = 0;

	program_run(self->program, batch, NULL, self->results);
	if (batch->sel_count == 0)
		return FERRIS_OK;
	const Vector *times = self->results[self->key_count];
	if (self->plan->aggregate.set_count == 1)
		TRY(find_keys(self, 0, batch->sel, batch->sel_count, err));
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
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
		TRY(add_to_sets(self, batch, i, time, watermark, &taken, err));
		timely += taken;
		if (self->late_only) {
			batch->sel[late] = row;
			late += !taken;
		} else if (!taken) {
			result->late++;
			result->results += batch->counted;
		} else if (!batch->counted) {
			result->aggregated++;
		}
	}
	add_pending(self);
	self->sequence += batch->row_count;
	return self->late_only ? operator_push_late(op, batch, late, timely, err)
			       : push_out(self, err);
}

/* ---------------------------------------------------------------- the operator */

/* Sessions are as long as their rows make them: the first open one holds the watermark back.  All
 * are looked at after as many rows as there are sessions; until then the last answer holds. */
static int64_t
results_watermark(SessionOp *self)
{
	int64_t least = subtract_time(subtract_time(self->watermark, self->gap), self->grace);

	if (self->sequence - self->looked < self->open)
		return self->announced;
	for (uint32_t i = 0; i < self->open; i++)
		if (self->heap[i]->first < least)
			least = self->heap[i]->first;
	self->looked = self->sequence;
	if (least > self->announced)
		self->announced = least;
	return self->announced;
}

static Status
session_advance(Operator *op, int64_t watermark, Error *err)
{
	SessionOp *self = (SessionOp *)op;

	self->watermark = watermark;
	TRY(close_until(self, watermark, err));
	TRY(push_out(self, err));
	TRY(forget_dead_keys(self, err));
	if (self->late_only)
		return operator_advance(op->next, watermark, err);
	return self->announces ? operator_advance(op->next, results_watermark(self), err)
			       : FERRIS_OK;
}

static Status
session_finish(Operator *op, Error *err)
{
	SessionOp *self = (SessionOp *)op;

	TRY(close_until(self, INT64_MAX, err));
	TRY(push_out(self, err));
	return operator_finish(op->next, err);
}

static void
session_close(Operator *op)
{
	SessionOp *self = (SessionOp *)op;

	while (self->open > 0)
		drop_session(self, self->heap[self->open - 1]);
	while (self->blocks != NULL) {
		SessionBlock *block = self->blocks;

		self->blocks = block->next;
		memory_free(block);
	}
	memory_free(self->heap);
	if (self->keys != NULL)
		group_table_destroy(self->keys);
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
	.close = session_close,
};
