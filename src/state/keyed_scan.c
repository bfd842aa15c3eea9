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

static int
compare_groups(Str a, Str b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static Source *
least_source(const Merge *merge)
{
	Source *least = NULL;

	for (uint32_t i = 0; i < merge->count; i++) {
		Source *source = &merge->sources[i];

		if (source->live &&
		    (least == NULL || compare_groups(source->group, least->group) < 0))
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
		       compare_groups(source->group,
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
compare_births(const void *a, const void *b, void *groups)
{
	uint64_t x = head_of(group_table_payload(groups, *(const uint32_t *)a))->birth;
	uint64_t y = head_of(group_table_payload(groups, *(const uint32_t *)b))->birth;

	return (x > y) - (x < y);
}

/* Headed groups that are all in memory. */
static void
scan_in_memory(KeyedFamily *family, const KeyedState *state, KeyedScan *out)
{
	uint32_t total = state->groups != NULL ? group_table_count(state->groups) : 0;

	uint64_t last = 0;
	bool sorted = true;

	out->order = memory_alloc(sizeof *out->order * (total + 1));
	out->groups = state->groups;
	for (uint32_t g = 0; g < total; g++) {
		char *payload = group_table_payload(state->groups, g);

		if (payload_is_empty(family, payload))
			continue;
		out->order[out->count++] = g;
		sorted = sorted && head_of(payload)->birth >= last;
		last = head_of(payload)->birth;
	}
	if (!sorted)
		qsort_r(out->order, out->count, sizeof *out->order, compare_births, state->groups);
}

Status
keyed_scan_open(KeyedFamily *family, KeyedState *const *states, uint32_t count, KeyedScan *out,
		Error *err)
{
	assert(family->spec.parts || family->spec.headed);
	*out = (KeyedScan){.family = family};
	if (family->spec.headed && count == 1 && !keyed_is_spilled(states[0])) {
		scan_in_memory(family, states[0], out);
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
keyed_read_group(RecordReader *reader, const KeyedFamily *family, Vector *const *columns,
		 uint32_t row, Arena *heap, Error *err)
{
	uint32_t len = record_take_u32(reader);
	const char *bytes = record_take(reader, len);

	if (bytes == NULL)
		return store_damaged(err);
	if (columns == NULL)
		return FERRIS_OK;
	const char *copy = heap != NULL ? arena_copy(heap, bytes, len) : bytes;
	return record_read_row(copy, copy + len, columns, family->spec.key_count, row) == copy + len
		       ? FERRIS_OK
		       : store_damaged(err);
}

static void
release_held(KeyedScan *scan)
{
	if (scan->holds)
		payload_release(scan->family, scan->family->payload);
	scan->holds = false;
}

Status
keyed_scan_next(KeyedScan *scan, Vector *const *columns, uint32_t row, Arena *heap, char **payload,
		Error *err)
{
	KeyedFamily *family = scan->family;
	Str key, value;

	*payload = NULL;
	release_held(scan);
	if (scan->order != NULL) {
		if (scan->next == scan->count)
			return FERRIS_OK;
		if (columns != NULL)
			group_table_key(scan->groups, scan->order[scan->next], columns, row);
		*payload = group_table_payload(scan->groups, scan->order[scan->next++]);
		return FERRIS_OK;
	}
	if (!store_next(&scan->scan, &key, &value))
		return FERRIS_OK;
	RecordReader reader = record_reader(value);
	TRY(keyed_read_group(&reader, family, columns, row, heap, err));
	make_empty(family, family->payload);
	TRY(payload_read(family, NULL, family->payload, rest_of(&reader), err));
	scan->holds = true;
	*payload = family->payload;
	return FERRIS_OK;
}

Status
keyed_scan_close(KeyedScan *scan, Error *err)
{
	release_held(scan);
	if (scan->order != NULL) {
		memory_free(scan->order);
		scan->order = NULL;
		return FERRIS_OK;
	}
	TRY(store_scan_close(&scan->scan, FERRIS_OK, err));
	return store_clear(&scan->space, err);
}
