/* state/keyed_changes.c -- which groups have changed since they were last put as records.
 *
 * A group that is found to be changed is marked and noted once between two saves: one compare and,
 * the first time, one store a row.  Groups that leave memory (spilled, cleared, moved) are written
 * as records at once and wait in family->pending for the next save: a record says the whole of its
 * group, so of several of one key the last counts. */
#include "base/memory.h"
#include "state/changes.h"
#include "state/keyed_internal.h"

void
keyed_track(KeyedFamily *family, KeyedState *state, Str prefix)
{
	assert(prefix.len <= KEYED_PREFIX_MAX);
	memcpy(state->prefix, prefix.data, prefix.len);
	state->prefix_len = prefix.len;
	state->tracked = family->store->options.tracks;
	state->mark = 1;
}

/* ---------------------------------------------------------------- marks */

static GroupTail *
tail_of(const KeyedFamily *family, char *payload)
{
	return (GroupTail *)(void *)(payload + family->spec.payload_size);
}

void
keyed_mark_changed(KeyedFamily *family, KeyedState *state, char *const *payloads, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		if (payloads[i] == NULL)
			continue;
		GroupTail *tail = tail_of(family, payloads[i]);
		if (tail->mark == state->mark)
			continue;
		tail->mark = state->mark;
		if (state->changed_count == state->changed_capacity) {
			state->changed_capacity = 2 * state->changed_capacity + 64;
			state->changed = memory_resize(state->changed,
						       sizeof(uint32_t) * state->changed_capacity);
		}
		state->changed[state->changed_count++] = tail->group;
	}
}

void
keyed_forget_marks(KeyedState *state)
{
	state->changed_count = 0;
	state->mark++;
}

/* ---------------------------------------------------------------- records that wait */

static void
put_pending(KeyedFamily *family, const Buffer *key, const Buffer *value)
{
	Str bytes = {0};

	if (value != NULL)
		bytes = (Str){value->data, (uint32_t)value->len};
	changes_add(&family->pending, STR(""), (Str){key->data, (uint32_t)key->len}, bytes);
}

/* The row of keys of a group in memory, to family->key, behind what is there. */
static void
append_keys(KeyedFamily *family, const KeyedState *state, uint32_t group, Buffer *out)
{
	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_reset(&family->columns[k]);
	group_table_key(state->groups, group, family->outs, 0);
	record_write_row(out, (const Vector *const *)family->outs, family->spec.key_count, 0);
}

static void
begin_key(KeyedFamily *family, const KeyedState *state)
{
	buffer_reset(&family->key);
	buffer_append(&family->key, state->prefix, state->prefix_len);
}

static void
note_group(KeyedFamily *family, const KeyedState *state, uint32_t group)
{
	const char *payload = group_table_payload(state->groups, group);

	buffer_reset(&family->group);
	append_keys(family, state, group, &family->group);
	keyed_begin_record(family->spec.parts, (Str){state->prefix, state->prefix_len},
			   (Str){family->group.data, (uint32_t)family->group.len},
			   state->born + group, &family->key, &family->value);
	if (!family->spec.parts && payload_is_empty(family, payload)) {
		put_pending(family, &family->key, NULL);
		return;
	}
	payload_write(family, payload, &family->value);
	put_pending(family, &family->key, &family->value);
}

void
keyed_note_changes(KeyedFamily *family, KeyedState *state)
{
	for (uint32_t i = 0; i < state->changed_count; i++)
		note_group(family, state, state->changed[i]);
	state->recorded = state->recorded || state->changed_count > 0;
	keyed_forget_marks(state);
}

void
keyed_note_merged(KeyedFamily *family, KeyedState *state, char *payload, uint64_t birth)
{
	keyed_mark_changed(family, state, &payload, 1);
	begin_key(family, state);
	record_key_u64(&family->key, birth);
	put_pending(family, &family->key, NULL);
}

/* ---------------------------------------------------------------- all groups go */

static void
note_parts_gone(KeyedFamily *family, const KeyedState *state)
{
	uint64_t end = state->born + (state->groups != NULL ? group_table_count(state->groups) : 0);

	for (uint64_t birth = 0; birth < end; birth++) {
		begin_key(family, state);
		record_key_u64(&family->key, birth);
		put_pending(family, &family->key, NULL);
	}
}

static Status
note_spilled_gone(KeyedFamily *family, const KeyedState *state, Error *err)
{
	StoreScan scan;
	Str key, value;

	store_key(&state->space, &family->key);
	TRY(store_scan(&state->space, &family->key, &scan, err));
	while (store_next(&scan, &key, &value)) {
		begin_key(family, state);
		buffer_append(&family->key, key.data, key.len);
		put_pending(family, &family->key, NULL);
	}
	return store_scan_close(&scan, FERRIS_OK, err);
}

Status
keyed_note_gone(KeyedFamily *family, KeyedState *state, Error *err)
{
	uint32_t count = state->groups != NULL ? group_table_count(state->groups) : 0;

	keyed_forget_marks(state);
	if (!state->recorded)
		return FERRIS_OK;
	if (family->spec.parts) {
		note_parts_gone(family, state);
		return FERRIS_OK;
	}
	for (uint32_t g = 0; g < count; g++) {
		begin_key(family, state);
		append_keys(family, state, g, &family->key);
		put_pending(family, &family->key, NULL);
	}
	return keyed_is_spilled(state) ? note_spilled_gone(family, state, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- out */

Status
keyed_save_pending(KeyedFamily *family, StateWriter *writer, Error *err)
{
	return writer->changes_only ? changes_save(&family->pending, writer, err) : FERRIS_OK;
}
