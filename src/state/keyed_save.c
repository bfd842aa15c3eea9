/* state/keyed_save.c -- groups as records, out and in again. */
#include "state/keyed_internal.h"

typedef struct Save {
	StateWriter *writer;
	Str prefix;
	Buffer key;
	Buffer value;
} Save;

void
keyed_begin_record(bool parts, Str prefix, Str group, uint64_t birth, Buffer *key, Buffer *value)
{
	buffer_reset(key);
	buffer_append_str(key, prefix);
	if (parts)
		record_key_u64(key, birth);
	else
		buffer_append_str(key, group);
	buffer_reset(value);
	record_u32(value, group.len);
	buffer_append_str(value, group);
}

static Status
save_group(Save *save, Str group, uint64_t birth, bool parts, Str payload, Error *err)
{
	keyed_begin_record(parts, save->prefix, group, birth, &save->key, &save->value);
	buffer_append(&save->value, payload.data, payload.len);
	return save->writer->put(save->writer, (Str){save->key.data, (uint32_t)save->key.len},
				 (Str){save->value.data, (uint32_t)save->value.len}, err);
}

static Status
save_in_memory(KeyedFamily *family, KeyedState *state, uint32_t group, void *context, Error *err)
{
	const char *payload = group_table_payload(state->groups, group);

	if (!family->spec.parts && payload_is_empty(family, payload))
		return FERRIS_OK;
	buffer_reset(&family->value);
	payload_write(family, payload, &family->value);
	return save_group(context, (Str){family->key.data, (uint32_t)family->key.len},
			  state->born + group, family->spec.parts,
			  (Str){family->value.data, (uint32_t)family->value.len}, err);
}

/* Of a group that is in memory the backend has an old copy. */
static Status
save_spilled(KeyedFamily *family, KeyedState *state, Str key, Str value, Save *save, Error *err)
{
	uint32_t birth_bytes = family->spec.parts ? BIRTH_BYTES : 0;
	uint64_t birth = 0;

	if (key.len < birth_bytes)
		return store_damaged(err);
	Str group = {key.data, key.len - birth_bytes};
	if (family->spec.parts) {
		memcpy(&birth, group.data + group.len, sizeof birth);
		return save_group(save, group, __builtin_bswap64(birth), true, value, err);
	}
	bool is_here;

	TRY(keyed_look_in_memory(family, state, group, &is_here, err));
	return is_here ? FERRIS_OK : save_group(save, group, 0, false, value, err);
}

static Status
save_all(KeyedFamily *family, KeyedState *state, Save *save, Error *err)
{
	StoreScan scan;
	Str key, value;

	if (keyed_is_spilled(state)) {
		store_key(&state->space, &family->key);
		TRY(store_scan(&state->space, &family->key, &scan, err));
		Status status = FERRIS_OK;
		while (status == FERRIS_OK && store_next(&scan, &key, &value))
			status = save_spilled(family, state, key, value, save, err);
		TRY(store_scan_close(&scan, status, err));
	}
	buffer_reset(&family->key);
	return keyed_for_each_group(family, state, 0, save_in_memory, save, err);
}

Status
keyed_save(KeyedFamily *family, KeyedState *state, StateWriter *writer, Str prefix, Error *err)
{
	Save save = {.writer = writer, .prefix = prefix};

	if (writer->changes_only && state->tracked) {
		keyed_note_changes(family, state);
		return keyed_save_pending(family, writer, err);
	}
	buffer_init(&save.key, SIZE_MAX);
	buffer_init(&save.value, SIZE_MAX);
	Status status = save_all(family, state, &save, err);
	buffer_free(&save.key);
	buffer_free(&save.value);
	return status;
}

/* A part that does not follow the last one in memory keeps its birth in the backend. */
static Status
load_part(KeyedFamily *family, KeyedState *state, uint64_t birth, Str group, Str payload,
	  Error *err)
{
	uint64_t next =
		state->born + (state->groups != NULL ? group_table_count(state->groups) : 0);

	if (birth >= next) {
		TRY(keyed_spill(family, state, err));
		state->born = birth + 1;
	}
	TRY(store_open(family->store, STORE_SCANS, &state->space, err));
	store_key(&state->space, &family->key);
	buffer_append(&family->key, group.data, group.len);
	record_key_u64(&family->key, birth);
	buffer_reset(&family->value);
	buffer_append(&family->value, payload.data, payload.len);
	return store_put(&state->space, &family->key, &family->value, err);
}

/* The group of a record to memory. */
static Status
load_group(KeyedFamily *family, KeyedState *state, Str value, bool *full, Error *err)
{
	RecordReader reader = record_reader(value);
	uint16_t row = 0;
	uint32_t found = 0;
	char *loaded;
	Str keys;

	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_reset(&family->columns[k]);
	TRY(keyed_read_group(&reader, &keys, err));
	if (record_read_row(keys.data, keys.data + keys.len, family->outs, family->spec.key_count,
			    0) != keys.data + keys.len)
		return store_damaged(err);
	uint32_t before = state->groups != NULL ? group_table_count(state->groups) : 0;
	TRY(keyed_find(family, state, (const Vector *const *)family->outs, &row, 1, &loaded, &found,
		       err));
	*full = found == 0;
	if (*full)
		return FERRIS_OK;
	/* A further part of the group becomes one with the first. */
	if (family->spec.parts && state->tracked && group_table_count(state->groups) == before)
		keyed_note_merged(family, state, loaded, state->born + before);
	return family->spec.parts ? merge_bytes(family, loaded, rest_of(&reader), err)
				  : payload_read(family, state, loaded, rest_of(&reader), err);
}

Status
keyed_load(KeyedFamily *family, KeyedState *state, Str key, Str value, bool *full, Error *err)
{
	RecordReader reader = record_reader(value);
	RecordReader number = record_reader(key);
	uint64_t next =
		state->born + (state->groups != NULL ? group_table_count(state->groups) : 0);

	*full = false;
	state->recorded = true;
	if (!family->spec.parts)
		return load_group(family, state, value, full, err);
	uint64_t birth = record_take_key_u64(&number);
	uint32_t len = record_take_u32(&reader);
	const char *group = record_take(&reader, len);
	if (number.damaged || group == NULL || birth == UINT64_MAX)
		return store_damaged(err);
	return birth == next
		       ? load_group(family, state, value, full, err)
		       : load_part(family, state, birth, (Str){group, len}, rest_of(&reader), err);
}

Status
keyed_take_in(KeyedFamily *family, KeyedState *state, Str key, Str value, Error *err)
{
	bool full;

	TRY(keyed_load(family, state, key, value, &full, err));
	if (!full)
		return FERRIS_OK;
	TRY(keyed_write_out(family, state, err));
	return keyed_load(family, state, key, value, &full, err);
}
