/* exec/op_session.h -- what the files of the Session operator share.
 *
 *     op_session.c        the operator: rows to their sessions, sessions to rows of results
 *     op_session_open.c   open sessions: the lists of keys, the heap by what is due
 *     op_session_state.c  sessions as bytes: written out, fetched when they are due, saved
 *
 * Threads: everything belongs to one operator of one task. */
#pragma once

#include "exec/calls.h"
#include "exec/operator.h"
#include "state/keyed.h"
#include "state/timers.h"

#define SESSION_KEY_PREFIX STR("k") /* of the records of keys; the operator's own has none */

typedef struct Session Session;
typedef struct SessionBlock SessionBlock;

/* A key's payload. */
typedef struct SessionKey {
	KeyedHead head;
	Session *latest; /* NULL: no session is open */
	uint64_t unused;
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
	int64_t least;     /* while it is being found out */

	KeyedFamily family;
	KeyedState keys;
	Timers timers;      /* of keys that are written out: their next session to be due */
	uint64_t spills;    /* so often all was written out: what pointed to it is void */
	uint64_t total;     /* open sessions, written out or not */
	uint32_t live_keys; /* in memory, with a session */

	SessionBlock *blocks;
	Session *free;
	size_t session_size;
	size_t block_bytes;
	Session **heap; /* of those in memory */
	uint32_t open;
	uint32_t heap_capacity;

	uint16_t pending_rows[BATCH_CAPACITY]; /* to be added to their session */
	char *pending[BATCH_CAPACITY];
	uint32_t pending_count;

	Vector *nulls; /* a constant NULL of each key's type, for grouping sets */
	Vector set_number;
	const Vector **row_keys;
	char **payloads; /* of some rows' keys, grouping set after grouping set */
	Vector **out_keys;
	Batch *out;
} SessionOp;

/* ---- times ---- */

static inline int64_t
add_time(int64_t time, int64_t span)
{
	int64_t sum;

	return __builtin_add_overflow(time, span, &sum) ? INT64_MAX : sum;
}

static inline int64_t
end_of(const SessionOp *self, const Session *session)
{
	return add_time(session->last, self->gap);
}

/* When the session comes out, or goes.  That is before the end of the input. */
static inline int64_t
due_of(const SessionOp *self, const Session *session)
{
	int64_t due = add_time(end_of(self, session), session->emitted ? self->grace : 0);

	return due < INT64_MAX ? due : INT64_MAX - 1;
}

/* ---- open sessions (op_session_open.c) ---- */

/* Bytes held beside keys and payloads. */
size_t sessions_held(const SessionOp *self);
/* A session of one time with an empty state, put into the key's list at *link. */
Session *session_new(SessionOp *self, SessionKey *key, Session **link, int64_t first, int64_t last,
		     uint64_t birth, bool emitted);
/* The same for a row that opens it; FERRIS_ERR_LIMIT when there is no room. */
Status session_open_at(SessionOp *self, SessionKey *key, Session **link, int64_t time,
		       uint64_t birth, Error *err);
void session_drop(SessionOp *self, Session *session);
/* Moves the session to where it belongs in the heap after its due or birth changed. */
void session_settle(SessionOp *self, Session *session);
/* Forgets all of them at once; what their states hold has been given back. */
void sessions_clear(SessionOp *self);

/* ---- rows and results (op_session.c) ---- */

/* The rows that wait go into their sessions. */
void sessions_add_pending(SessionOp *self);
Status sessions_push_out(SessionOp *self, Error *err);
/* What in memory is due before that time, or then with a birth up to `birth`: what has ended comes
 * out, what has outlived its grace goes. */
Status sessions_close_here(SessionOp *self, int64_t time, uint64_t birth, Error *err);

/* ---- written out (op_session_state.c) ---- */

extern const PayloadClass session_payload;

static inline bool
sessions_are_full(const SessionOp *self)
{
	return keyed_is_full(&self->family, sessions_held(self));
}

/* Everything to the backend. */
Status sessions_spill(SessionOp *self, Error *err);
/* Brings the keys back of which a session is due, and closes in order what is due, there or here.
 */
Status sessions_close_spilled(SessionOp *self, int64_t watermark, Error *err);
/* Makes self->least no later than the first row of any session that is written out. */
Status sessions_see_spilled(SessionOp *self, Error *err);
Status session_save(Operator *op, StateWriter *writer, Error *err);
Status session_load(Operator *op, Str key, Str value, Error *err);
