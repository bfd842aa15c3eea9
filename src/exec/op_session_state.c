/* exec/op_session_state.c -- sessions as bytes: written out, fetched when they are due, saved.
 *
 * Of a key all sessions go and come back together.  A key that is written out has a timer at what
 * its first session to be due waits for: the same time and birth by which the heap orders those in
 * memory, so sessions come out in one order wherever they were. */
#include "exec/op_session.h"

/* ---------------------------------------------------------------- a key as bytes */

/*     key      number of sessions, then each, the latest first
 *     session  first, last, birth, emitted, length of its states, states */
typedef struct SavedSession {
	int64_t first;
	int64_t last;
	uint64_t birth;
	bool emitted;
	Str states;
} SavedSession;

static void
save_session(const SessionOp *self, const Session *session, Buffer *out)
{
	record_u64(out, (uint64_t)session->first);
	record_u64(out, (uint64_t)session->last);
	record_u64(out, session->birth);
	record_u32(out, session->emitted);
	size_t at = out->len;
	record_u32(out, 0);
	calls_save(&self->calls, (const char *)session, out);
	uint32_t len = (uint32_t)(out->len - at - sizeof len);
	memcpy(out->data + at, &len, sizeof len);
}

static SavedSession
take_session(RecordReader *reader)
{
	SavedSession saved = {.first = (int64_t)record_take_u64(reader)};

	saved.last = (int64_t)record_take_u64(reader);
	saved.birth = record_take_u64(reader);
	uint32_t emitted = record_take_u32(reader);
	saved.emitted = emitted != 0;
	uint32_t len = record_take_u32(reader);
	saved.states = (Str){record_take(reader, len), len};
	reader->damaged = reader->damaged || emitted > 1 || saved.first > saved.last;
	return saved;
}

static void
payload_save(void *owner, const char *payload, Buffer *out)
{
	const SessionKey *key = (const SessionKey *)(const void *)payload;
	uint32_t count = 0;

	for (const Session *session = key->latest; session != NULL; session = session->earlier)
		count++;
	record_u32(out, count);
	for (const Session *session = key->latest; session != NULL; session = session->earlier)
		save_session(owner, session, out);
}

static bool
payload_load(void *owner, char *payload, Str bytes)
{
	SessionOp *self = owner;
	SessionKey *key = (SessionKey *)(void *)payload;
	RecordReader reader = record_reader(bytes);
	uint32_t count = record_take_u32(&reader);
	Session **link = &key->latest;

	for (uint32_t i = 0; i < count; i++) {
		SavedSession saved = take_session(&reader);
		Session *session;

		if (reader.damaged)
			return false;
		session = session_new(self, key, link, saved.first, saved.last, saved.birth,
				      saved.emitted);
		if (!calls_load(&self->calls, (char *)session, saved.states))
			return false;
		link = &session->earlier;
	}
	return count > 0 && !reader.damaged && reader.next == reader.end;
}

/* The sessions' memory goes at once, behind this: sessions_clear. */
static void
payload_release(void *owner, char *payload)
{
	SessionOp *self = owner;
	const SessionKey *key = (const SessionKey *)(void *)payload;

	for (Session *session = key->latest; session != NULL; session = session->earlier)
		calls_release(&self->calls, (char *)session);
}

static bool
payload_is_empty(void *owner, const char *payload)
{
	(void)owner;
	return ((const SessionKey *)(const void *)payload)->latest == NULL;
}

static void
payload_moved(void *owner, char *from, char *to)
{
	SessionKey *key = (SessionKey *)(void *)to;

	(void)owner;
	(void)from;
	for (Session *session = key->latest; session != NULL; session = session->earlier)
		session->key = key;
}

static Status
payload_wrote(void *owner, const char *payload, Str keys, Error *err)
{
	SessionOp *self = owner;
	const SessionKey *key = (const SessionKey *)(const void *)payload;
	int64_t due = INT64_MAX;
	uint64_t birth = 0;

	for (const Session *session = key->latest; session != NULL; session = session->earlier) {
		int64_t its = due_of(self, session);

		if (its > due || (its == due && session->birth > birth))
			continue;
		due = its;
		birth = session->birth;
	}
	return timers_put(&self->timers, due, birth, keys, err);
}

const PayloadClass session_payload = {
	.save = payload_save,
	.load = payload_load,
	.release = payload_release,
	.is_empty = payload_is_empty,
	.moved = payload_moved,
	.wrote = payload_wrote,
};

/* ---------------------------------------------------------------- written out and fetched */

Status
sessions_spill(SessionOp *self, Error *err)
{
	if (self->keys.groups == NULL)
		return FERRIS_OK;
	sessions_add_pending(self);
	TRY(sessions_push_out(self, err)); /* its texts are those of the table */
	TRY(keyed_write_out(&self->family, &self->keys, err));
	sessions_clear(self);
	self->spills++;
	return FERRIS_OK;
}

/* The key's sessions to memory. */
static Status
fetch_key(SessionOp *self, Str keys, Error *err)
{
	char *payload;
	bool full;

	if (sessions_are_full(self))
		TRY(sessions_spill(self, err));
	TRY(keyed_fetch(&self->family, &self->keys, keys, &payload, &full, err));
	if (!full)
		return FERRIS_OK;
	TRY(sessions_spill(self, err));
	return keyed_fetch(&self->family, &self->keys, keys, &payload, &full, err);
}

Status
sessions_close_spilled(SessionOp *self, int64_t watermark, Error *err)
{
	Timers *timers = &self->timers;
	Str keys;

	for (;;) {
		TRY(timers_take(timers, watermark, &keys, err));
		if (keys.data == NULL)
			return FERRIS_OK;
		TRY(sessions_close_here(self, timers->time, timers->number, err));
		TRY(fetch_key(self, keys, err));
	}
}

static Status
see_key(void *owner, Str payload, Error *err)
{
	SessionOp *self = owner;
	RecordReader reader = record_reader(payload);

	for (uint32_t count = record_take_u32(&reader); count > 0 && !reader.damaged; count--) {
		SavedSession saved = take_session(&reader);

		if (saved.first < self->least)
			self->least = saved.first;
	}
	return reader.damaged ? store_damaged(err) : FERRIS_OK;
}

Status
sessions_see_spilled(SessionOp *self, Error *err)
{
	return keyed_visit_spilled(&self->family, &self->keys, see_key, err);
}

/* ---------------------------------------------------------------- saved and loaded */

Status
session_save(Operator *op, StateWriter *writer, Error *err)
{
	SessionOp *self = (SessionOp *)op;
	uint64_t value[] = {(uint64_t)self->watermark, self->sequence, (uint64_t)self->announced,
			    self->looked, self->total};

	TRY(writer->put(writer, STR(""), (Str){(const char *)value, sizeof value}, err));
	return keyed_save(&self->family, &self->keys, writer, SESSION_KEY_PREFIX, err);
}

static Status
load_own(SessionOp *self, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	self->watermark = (int64_t)record_take_u64(&reader);
	self->sequence = record_take_u64(&reader);
	self->announced = (int64_t)record_take_u64(&reader);
	self->looked = record_take_u64(&reader);
	self->total = record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

Status
session_load(Operator *op, Str key, Str value, Error *err)
{
	SessionOp *self = (SessionOp *)op;
	bool full;

	if (key.len == 0)
		return load_own(self, value, err);
	if (key.data[0] != SESSION_KEY_PREFIX.data[0])
		return store_damaged(err);
	key = str_skip(key, SESSION_KEY_PREFIX.len);
	if (sessions_are_full(self))
		TRY(sessions_spill(self, err));
	TRY(keyed_load(&self->family, &self->keys, key, value, &full, err));
	if (!full)
		return FERRIS_OK;
	TRY(sessions_spill(self, err));
	return keyed_load(&self->family, &self->keys, key, value, &full, err);
}
