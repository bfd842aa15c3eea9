/* exec/op_session_open.c -- open sessions in memory: the lists of keys, the heap by what is due. */
#include "base/memory.h"
#include "exec/op_session.h"

#define BLOCK_BYTES    (64 << 10)
#define BLOCK_SESSIONS 256 /* at most */

struct SessionBlock {
	SessionBlock *next;
	_Alignas(16) char sessions[];
};

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

void
session_settle(SessionOp *self, Session *session)
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
	session_settle(self, session);
}

static void
heap_remove(SessionOp *self, const Session *session)
{
	Session *last = self->heap[--self->open];

	if (last == session)
		return;
	put(self, session->place, last);
	session_settle(self, last);
}

/* ---------------------------------------------------------------- sessions */

size_t
sessions_held(const SessionOp *self)
{
	return self->block_bytes + self->calls.memory.bytes +
	       sizeof *self->heap * self->heap_capacity;
}

static uint32_t
block_sessions(const SessionOp *self)
{
	size_t count = BLOCK_BYTES / self->session_size;

	return count < 1 ? 1 : count < BLOCK_SESSIONS ? (uint32_t)count : BLOCK_SESSIONS;
}

static size_t
bytes_of_block(const SessionOp *self)
{
	return sizeof(SessionBlock) + self->session_size * block_sessions(self);
}

static void
add_block(SessionOp *self)
{
	SessionBlock *block = memory_alloc(bytes_of_block(self));

	block->next = self->blocks;
	self->blocks = block;
	self->block_bytes += bytes_of_block(self);
	for (uint32_t i = block_sessions(self); i-- > 0;) {
		Session *session = (Session *)(void *)(block->sessions + self->session_size * i);

		session->earlier = self->free;
		self->free = session;
	}
}

Session *
session_new(SessionOp *self, SessionKey *key, Session **link, int64_t first, int64_t last,
	    uint64_t birth, bool emitted)
{
	if (self->free == NULL)
		add_block(self);
	Session *session = self->free;

	self->free = session->earlier;
	memset(session, 0, self->session_size);
	calls_init(&self->calls, (char *)session);
	self->live_keys += key->latest == NULL;
	session->key = key;
	session->first = first;
	session->last = last;
	session->birth = birth;
	session->emitted = emitted;
	session->due = due_of(self, session);
	session->earlier = *link;
	*link = session;
	heap_add(self, session);
	return session;
}

/* What may not be written out must fit. */
static Status
check_room(const SessionOp *self, Error *err)
{
	size_t held = sessions_held(self) + self->family.budget.used;
	size_t limit = store_memory(self->task->store);

	if (self->task->store->options.spill ||
	    (held <= limit && bytes_of_block(self) <= limit - held))
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "%u open sessions hold %zu bytes, and the limit of %zu bytes does not allow more",
		  self->open, held, limit);
	return error_hint(err, "raise 'state.memory.limit', let 'state.spill' be true, or shorten "
			       "the gap, the grace or the watermark's delay");
}

Status
session_open_at(SessionOp *self, SessionKey *key, Session **link, int64_t time, uint64_t birth,
		Error *err)
{
	if (self->free == NULL)
		TRY(check_room(self, err));
	session_new(self, key, link, time, time, birth, false);
	self->total++;
	return FERRIS_OK;
}

void
session_drop(SessionOp *self, Session *session)
{
	Session **link = &session->key->latest;

	while (*link != session)
		link = &(*link)->earlier;
	*link = session->earlier;
	self->live_keys -= session->key->latest == NULL;
	self->total--;
	heap_remove(self, session);
	calls_release(&self->calls, (char *)session);
	session->earlier = self->free;
	self->free = session;
}

void
sessions_clear(SessionOp *self)
{
	while (self->blocks != NULL) {
		SessionBlock *block = self->blocks;

		self->blocks = block->next;
		memory_free(block);
	}
	memory_free(self->heap);
	self->heap = NULL;
	self->heap_capacity = 0;
	self->open = 0;
	self->free = NULL;
	self->block_bytes = 0;
	self->live_keys = 0;
}
