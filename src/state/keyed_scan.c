/* state/keyed_scan.c -- all groups of some states in order, and parts that are merged. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state/keyed_internal.h"

/* One state's parts, in the order of their keys. */
typedef struct Source {
	StoreScan scan;
	bool live;
	Str group; /* row of keys */
	Str birth;
	Str payload;
} Source;

typedef struct Merge {
	KeyedFamily *family;
	Source *sources;
	uint32_t count;
	const StoreSpace *space; /* where the groups go */
	Buffer group;            /* being merged */
	Buffer bytes;            /* its payload, while it has one part */
	bool merged;             /* no: its payload is in family->payload */
} Merge;

static Status
advance_source(Source *source, Error *err)
{
	Str key;

	source->live = store_next(&source->scan, &key, &source->payload);
	if (!source->live)
		return FERRIS_OK;
	if (key.len < BIRTH_BYTES)
		return store_damaged(err);
	source->group = (Str){key.data, (uint32_t)(key.len - BIRTH_BYTES)};
	source->birth = (Str){key.data + key.len - BIRTH_BYTES, BIRTH_BYTES};
	return FERRIS_OK;
}

static Source *
least_source(const Merge *merge)
{
	Source *least = NULL;

	for (uint32_t i = 0; i < merge->count; i++) {
		Source *source = &merge->sources[i];

		if (source->live && (least == NULL || str_compare(source->group, least->group) < 0))
			least = source;
	}
	return least;
}

/* The key under which the group comes out: rank, state, birth of its first part. */
static void
order_group(Merge *merge, const Source *source)
{
	Buffer *key = &merge->family->key;
	int64_t rank = 0;

	if (merge->family->spec.ranked && source->group.len >= sizeof rank)
		memcpy(&rank, source->group.data + source->group.len - sizeof rank, sizeof rank);
	store_key(merge->space, key);
	record_key_i64(key, rank);
	record_key_u32(key, (uint32_t)(source - merge->sources));
	buffer_append(key, source->birth.data, source->birth.len);
}

/* All further parts of the group. */
static Status
merge_parts(Merge *merge, Error *err)
{
	KeyedFamily *family = merge->family;

	for (uint32_t i = 0; i < merge->count; i++) {
		Source *source = &merge->sources[i];

		while (source->live &&
		       str_compare(source->group,
				   (Str){merge->group.data, (uint32_t)merge->group.len}) == 0) {
			if (!merge->merged) {
				make_empty(family, family->payload);
				merge->merged = true;
				TRY(payload_load(
					family, family->payload,
					(Str){merge->bytes.data, (uint32_t)merge->bytes.len}, err));
			}
			TRY(merge_bytes(family, family->payload, source->payload, err));
			TRY(advance_source(source, err));
		}
	}
	return FERRIS_OK;
}

/* The group of the least source goes to the space of groups in order. */
static Status
merge_group(Merge *merge, Source *source, Error *err)
{
	KeyedFamily *family = merge->family;

	order_group(merge, source);
	buffer_reset(&merge->group);
	buffer_append(&merge->group, source->group.data, source->group.len);
	buffer_reset(&merge->bytes);
	buffer_append(&merge->bytes, source->payload.data, source->payload.len);
	merge->merged = false;
	TRY(advance_source(source, err));
	Status status = merge_parts(merge, err);
	buffer_reset(&family->value);
	record_u32(&family->value, (uint32_t)merge->group.len);
	buffer_append(&family->value, merge->group.data, merge->group.len);
	if (!merge->merged)
		buffer_append(&family->value, merge->bytes.data, merge->bytes.len);
	else if (status == FERRIS_OK)
		payload_save(family, family->payload, &family->value);
	if (merge->merged)
		payload_release(family, family->payload);
	TRY(status);
	return store_put(merge->space, &family->key, &family->value, err);
}

static Status
merge_all(Merge *merge, KeyedState *const *states, Error *err)
{
	KeyedFamily *family = merge->family;

	for (uint32_t i = 0; i < merge->count; i++) {
		if (!keyed_is_spilled(states[i]))
			continue;
		store_key(&states[i]->space, &family->key);
		TRY(store_scan(&states[i]->space, &family->key, &merge->sources[i].scan, err));
		TRY(advance_source(&merge->sources[i], err));
	}
	for (Source *source; (source = least_source(merge)) != NULL;)
		TRY(merge_group(merge, source, err));
	return FERRIS_OK;
}

static Status
merge_states(KeyedFamily *family, KeyedState *const *states, uint32_t count,
	     const StoreSpace *space, Error *err)
{
	Merge merge = {.family = family, .count = count, .space = space};

	merge.sources = memory_zero(sizeof *merge.sources * count);
	buffer_init(&merge.group, SIZE_MAX);
	buffer_init(&merge.bytes, SIZE_MAX);
	Status status = merge_all(&merge, states, err);
	for (uint32_t i = 0; i < count; i++)
		status = store_scan_close(&merge.sources[i].scan, status, err);
	memory_free(merge.sources);
	buffer_free(&merge.group);
	buffer_free(&merge.bytes);
	return status;
}

/* Headed groups of the backend, which are whole, to the space of groups in order. */
static Status
order_headed(KeyedFamily *family, const KeyedState *state, uint32_t number, const StoreSpace *space,
	     Error *err)
{
	StoreScan scan;
	Str key, value;

	if (!keyed_is_spilled(state))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	TRY(store_scan(&state->space, &family->key, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && store_next(&scan, &key, &value)) {
		if (value.len < BIRTH_BYTES) {
			status = store_damaged(err);
			break;
		}
		store_key(space, &family->key);
		record_key_u32(&family->key, number);
		buffer_append(&family->key, value.data, BIRTH_BYTES);
		buffer_reset(&family->value);
		record_u32(&family->value, key.len);
		buffer_append(&family->value, key.data, key.len);
		buffer_append(&family->value, value.data, value.len);
		status = store_put(space, &family->key, &family->value, err);
	}
	return store_scan_close(&scan, status, err);
}

static int
compare_births(const void *a, const void *b)
{
	uint64_t x = ((const KeyedHead *)a)->birth;
	uint64_t y = ((const KeyedHead *)b)->birth;

	return (x > y) - (x < y);
}

/* Headed groups that are all in memory. */
static void
scan_in_memory(const KeyedState *state, KeyedScan *out)
{
	out->in_memory = true;
	out->groups = state->groups;
	out->count = state->groups != NULL ? group_table_count(state->groups) : 0;
	if (!state->mixed)
		return;
	out->order = memory_alloc(sizeof *out->order * (out->count + 1));
	bool sorted = true;
	for (uint32_t g = 0; g < out->count; g++) {
		out->order[g] = *head_of(group_table_payload(state->groups, g));
		sorted = sorted && (g == 0 || out->order[g - 1].birth < out->order[g].birth);
	}
	if (!sorted)
		qsort(out->order, out->count, sizeof *out->order, compare_births);
}

Status
keyed_scan_open(KeyedFamily *family, KeyedState *const *states, uint32_t count, KeyedScan *out,
		Error *err)
{
	assert(family->spec.parts || family->spec.headed);
	*out = (KeyedScan){.family = family};
	if (family->spec.headed && count == 1 && !keyed_is_spilled(states[0])) {
		scan_in_memory(states[0], out);
		return FERRIS_OK;
	}
	TRY(store_open(family->store, STORE_SCANS, &out->space, err));
	for (uint32_t i = 0; i < count; i++)
		TRY(keyed_spill(family, states[i], err));
	TRY(store_commit(family->store, err));
	if (family->spec.parts)
		TRY(merge_states(family, states, count, &out->space, err));
	for (uint32_t i = 0; i < count && family->spec.headed; i++)
		TRY(order_headed(family, states[i], i, &out->space, err));
	TRY(store_commit(family->store, err));
	store_key(&out->space, &family->key);
	return store_scan(&out->space, &family->key, &out->scan, err);
}

Status
keyed_read_group(RecordReader *reader, Str *keys, Error *err)
{
	keys->len = record_take_u32(reader);
	keys->data = record_take(reader, keys->len);
	return keys->data == NULL ? store_damaged(err) : FERRIS_OK;
}

static void
release_held(KeyedScan *scan)
{
	if (scan->holds)
		payload_release(scan->family, scan->family->payload);
	scan->holds = false;
}

/* The next group in memory that is not empty; else NULL. */
static char *
next_in_memory(KeyedScan *scan)
{
	while (scan->next < scan->count) {
		uint32_t at = scan->next++;

		scan->group = scan->order != NULL ? scan->order[at].group : at;
		char *payload = group_table_payload(scan->groups, scan->group);
		if (!payload_is_empty(scan->family, payload))
			return payload;
	}
	return NULL;
}

/* The next one of the backend, to family->payload. */
static Status
next_in_store(KeyedScan *scan, char **payload, Error *err)
{
	KeyedFamily *family = scan->family;
	Str key, value;

	if (!store_next(&scan->scan, &key, &value))
		return FERRIS_OK;
	RecordReader reader = record_reader(value);
	TRY(keyed_read_group(&reader, &scan->keys, err));
	make_empty(family, family->payload);
	scan->holds = true;
	*payload = family->payload;
	return payload_read(family, NULL, family->payload, rest_of(&reader), err);
}

Status
keyed_scan_next(KeyedScan *scan, Vector *const *columns, uint32_t row, Arena *heap, char **payload,
		Error *err)
{
	*payload = NULL;
	release_held(scan);
	if (scan->in_memory)
		*payload = next_in_memory(scan);
	else
		TRY(next_in_store(scan, payload, err));
	return *payload != NULL && columns != NULL ? keyed_scan_keys(scan, columns, row, heap, err)
						   : FERRIS_OK;
}

Status
keyed_scan_keys(const KeyedScan *scan, Vector *const *columns, uint32_t row, Arena *heap,
		Error *err)
{
	if (scan->in_memory) {
		group_table_key(scan->groups, scan->group, columns, row);
		return FERRIS_OK;
	}
	const char *bytes = arena_copy(heap, scan->keys.data, scan->keys.len);
	const char *end = bytes + scan->keys.len;
	return record_read_row(bytes, end, columns, scan->family->spec.key_count, row) == end
		       ? FERRIS_OK
		       : store_damaged(err);
}

Status
keyed_scan_close(KeyedScan *scan, Status status, Error *err)
{
	Error ignored;

	release_held(scan);
	memory_free(scan->order);
	scan->order = NULL;
	if (scan->in_memory)
		return status;
	status = store_scan_close(&scan->scan, status, err);
	Status cleared = store_clear(&scan->space, status == FERRIS_OK ? err : &ignored);
	return status != FERRIS_OK ? status : cleared;
}
