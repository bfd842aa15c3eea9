/* state/keyed_internal.h -- what the files of state/keyed.h share: payloads as bytes. */
#pragma once

#include <assert.h>

#include "state/keyed.h"
#include "state/record.h"

#define BIRTH_BYTES sizeof(uint64_t)

static inline void
payload_init(const KeyedFamily *family, char *payload)
{
	if (family->spec.payload->init != NULL)
		family->spec.payload->init(family->spec.owner, payload);
}

static inline void
payload_release(const KeyedFamily *family, char *payload)
{
	if (family->spec.payload->release != NULL)
		family->spec.payload->release(family->spec.owner, payload);
}

static inline void
payload_save(const KeyedFamily *family, const char *payload, Buffer *out)
{
	if (family->spec.payload->save != NULL)
		family->spec.payload->save(family->spec.owner, payload, out);
}

static inline Status
payload_load(const KeyedFamily *family, char *payload, Str bytes, Error *err)
{
	bool loaded = family->spec.payload->load != NULL
			      ? family->spec.payload->load(family->spec.owner, payload, bytes)
			      : bytes.len == 0;

	return loaded ? FERRIS_OK : store_damaged(err);
}

static inline bool
payload_is_empty(const KeyedFamily *family, const char *payload)
{
	return family->spec.payload->is_empty != NULL &&
	       family->spec.payload->is_empty(family->spec.owner, payload);
}

static inline KeyedHead *
head_of(char *payload)
{
	return (KeyedHead *)(void *)payload;
}

/* What the backend and records have of a payload: its birth if it is headed, then its bytes. */
static inline void
payload_write(const KeyedFamily *family, const char *payload, Buffer *out)
{
	if (family->spec.headed)
		record_key_u64(out, ((const KeyedHead *)(const void *)payload)->birth);
	payload_save(family, payload, out);
}

/* Into an empty payload. */
static inline Status
payload_read(const KeyedFamily *family, KeyedState *state, char *payload, Str bytes, Error *err)
{
	RecordReader reader = record_reader(bytes);

	if (!family->spec.headed)
		return payload_load(family, payload, bytes, err);
	uint64_t birth = record_take_key_u64(&reader);
	if (reader.damaged || birth == UINT64_MAX)
		return store_damaged(err);
	head_of(payload)->birth = birth;
	if (state != NULL)
		state->mixed = true;
	if (state != NULL && state->born <= birth)
		state->born = birth + 1;
	return payload_load(family, payload, str_skip(bytes, BIRTH_BYTES), err);
}

static inline void
make_empty(const KeyedFamily *family, char *payload)
{
	memset(payload, 0, family->spec.payload_size);
	payload_init(family, payload);
}

/* Merges saved bytes into a payload. */
static inline Status
merge_bytes(const KeyedFamily *family, char *into, Str bytes, Error *err)
{
	make_empty(family, family->other);
	TRY(payload_load(family, family->other, bytes, err));
	if (family->spec.payload->merge != NULL)
		family->spec.payload->merge(family->spec.owner, into, family->other);
	payload_release(family, family->other);
	return FERRIS_OK;
}

/* What is left of a record. */
static inline Str
rest_of(const RecordReader *reader)
{
	return (Str){reader->next, (uint32_t)(reader->end - reader->next)};
}

/* Calls `each` for every group in memory with its row of keys in family->key behind `prefix` bytes
 * that are there already. */
typedef Status (*KeyedEachGroup)(KeyedFamily *family, KeyedState *state, uint32_t group,
				 void *context, Error *err);
Status keyed_for_each_group(KeyedFamily *family, KeyedState *state, uint32_t from,
			    KeyedEachGroup each, void *context, Error *err);
/* Reads the length and the row of keys; what is left is the payload. */
Status keyed_read_group(RecordReader *reader, Str *keys, Error *err);
/* Whether the group of a row of keys is in memory: what the backend has of it is old. */
Status keyed_look_in_memory(KeyedFamily *family, const KeyedState *state, Str keys, bool *is_here,
			    Error *err);

/* ---- keyed_save.c */

/* Begins the record of a group: the prefix and what identifies the group, its birth or its row of
 * keys -> length of that row, the row; the payload's bytes are to follow. */
void keyed_begin_record(bool parts, Str prefix, Str group, uint64_t birth, Buffer *key,
			Buffer *value);

/* ---- keyed_changes.c: of tracked states ---- */

/* Nothing has changed. */
void keyed_forget_marks(KeyedState *state);
/* Groups that have changed become records that wait. */
void keyed_note_changes(KeyedFamily *family, KeyedState *state);
/* The part of that birth is in the group of the payload now. */
void keyed_note_merged(KeyedFamily *family, KeyedState *state, char *payload, uint64_t birth);
/* All groups of the state go. */
Status keyed_note_gone(KeyedFamily *family, KeyedState *state, Error *err);

static inline bool
keyed_marks(const KeyedFamily *family, const KeyedState *state)
{
	return state->tracked && !family->spec.touched && !family->store->loading;
}
