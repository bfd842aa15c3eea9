/* state/keyed.c -- groups in memory and in the backend. */
#include "state/keyed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state/record.h"

#define BIRTH_BYTES sizeof(uint64_t)

/* ---------------------------------------------------------------- payloads */

static void
payload_init(const KeyedFamily *family, char *payload)
{
	if (family->spec.payload->init != NULL)
		family->spec.payload->init(family->spec.owner, payload);
}

static void
payload_release(const KeyedFamily *family, char *payload)
{
	if (family->spec.payload->release != NULL)
		family->spec.payload->release(family->spec.owner, payload);
}

static void
payload_save(const KeyedFamily *family, const char *payload, Buffer *out)
{
	if (family->spec.payload->save != NULL)
		family->spec.payload->save(family->spec.owner, payload, out);
}

static Status
payload_load(const KeyedFamily *family, char *payload, Str bytes, Error *err)
{
	bool loaded = family->spec.payload->load != NULL
			      ? family->spec.payload->load(family->spec.owner, payload, bytes)
			      : bytes.len == 0;

	return loaded ? FERRIS_OK : store_damaged(err);
}

static bool
payload_is_empty(const KeyedFamily *family, const char *payload)
{
	return family->spec.payload->is_empty != NULL &&
	       family->spec.payload->is_empty(family->spec.owner, payload);
}

static KeyedHead *
head_of(char *payload)
{
	return (KeyedHead *)(void *)payload;
}

/* What the backend and records have of a payload: its birth if it is headed, then its bytes. */
static void
payload_write(const KeyedFamily *family, const char *payload, Buffer *out)
{
	if (family->spec.headed)
		record_key_u64(out, ((const KeyedHead *)(const void *)payload)->birth);
	payload_save(family, payload, out);
}

/* Into an empty payload. */
static Status
payload_read(const KeyedFamily *family, KeyedState *state, char *payload, Str bytes, Error *err)
{
	RecordReader reader = record_reader(bytes);

	if (!family->spec.headed)
		return payload_load(family, payload, bytes, err);
	uint64_t birth = record_take_key_u64(&reader);
	if (reader.damaged || birth == UINT64_MAX)
		return store_damaged(err);
	head_of(payload)->birth = birth;
	if (state != NULL && state->born <= birth)
		state->born = birth + 1;
	return payload_load(family, payload, str_skip(bytes, BIRTH_BYTES), err);
}

static void
make_empty(const KeyedFamily *family, char *payload)
{
	memset(payload, 0, family->spec.payload_size);
	payload_init(family, payload);
}

/* Merges saved bytes into a payload. */
static Status
merge_bytes(const KeyedFamily *family, char *into, Str bytes, Error *err)
{
	make_empty(family, family->other);
	TRY(payload_load(family, family->other, bytes, err));
	if (family->spec.payload->merge != NULL)
		family->spec.payload->merge(family->spec.owner, into, family->other);
	payload_release(family, family->other);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the family */

void
keyed_family_init(KeyedFamily *family, const KeyedSpec *spec, StateStore *store)
{
	assert(!spec->parts || !spec->headed);
	*family = (KeyedFamily){.spec = *spec, .store = store};
	family->budget.limit = store_memory(store);
	family->columns = memory_alloc(sizeof *family->columns * (spec->key_count + 1));
	family->outs = memory_alloc(sizeof *family->outs * (spec->key_count + 1));
	for (uint32_t k = 0; k < spec->key_count; k++) {
		vector_init(&family->columns[k], spec->key_types[k], FORM_VALUE, BATCH_CAPACITY);
		family->outs[k] = &family->columns[k];
	}
	buffer_init(&family->key, SIZE_MAX);
	buffer_init(&family->value, SIZE_MAX);
	family->payload = memory_alloc(spec->payload_size + 16);
	family->other = memory_alloc(spec->payload_size + 16);
}

void
keyed_family_free(KeyedFamily *family)
{
	if (family->store == NULL)
		return;
	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_free(&family->columns[k]);
	memory_free(family->columns);
	memory_free(family->outs);
	buffer_free(&family->key);
	buffer_free(&family->value);
	memory_free(family->payload);
	memory_free(family->other);
}

bool
keyed_is_full(const KeyedFamily *family, size_t more)
{
	return store_is_full(family->store, family->budget.used + more);
}

/* ---------------------------------------------------------------- tables */

static void
drop_table(KeyedFamily *family, KeyedState *state)
{
	if (state->groups == NULL)
		return;
	uint32_t count = group_table_count(state->groups);
	for (uint32_t g = 0; family->spec.payload->release != NULL && g < count; g++)
		payload_release(family, group_table_payload(state->groups, g));
	if (!family->spec.headed)
		state->born += count;
	group_table_destroy(state->groups);
	state->groups = NULL;
	family->tables--;
}

static GroupTable *
new_table(KeyedFamily *family)
{
	family->tables++;
	return group_table_new(&(GroupTableSpec){.key_types = family->spec.key_types,
						 .key_count = family->spec.key_count,
						 .payload_size = family->spec.payload_size,
						 .budget = &family->budget});
}

static void
need_table(KeyedFamily *family, KeyedState *state)
{
	if (state->groups == NULL)
		state->groups = new_table(family);
}

/* Groups that are new in memory. */
static void
init_groups(const KeyedFamily *family, KeyedState *state, uint32_t first)
{
	uint32_t total = group_table_count(state->groups);

	if (family->spec.payload->init == NULL && !family->spec.headed)
		return;
	for (uint32_t g = first; g < total; g++) {
		char *payload = group_table_payload(state->groups, g);

		payload_init(family, payload);
		if (family->spec.headed)
			*head_of(payload) = (KeyedHead){.birth = state->born++, .group = g};
	}
}

void
keyed_drop(KeyedFamily *family, KeyedState *state)
{
	drop_table(family, state);
}

Status
keyed_clear(KeyedFamily *family, KeyedState *state, Error *err)
{
	drop_table(family, state);
	state->born = 0;
	return store_clear(&state->space, err);
}

/* ---------------------------------------------------------------- bytes of groups */

/* Calls `each` for every group in memory with its row of keys in family->key behind `prefix` bytes
 * that are there already. */
typedef Status (*EachGroup)(KeyedFamily *family, KeyedState *state, uint32_t group, void *context,
			    Error *err);

static Status
for_each_group(KeyedFamily *family, KeyedState *state, uint32_t from, EachGroup each, void *context,
	       Error *err)
{
	uint32_t total = state->groups != NULL ? group_table_count(state->groups) : 0;
	size_t prefix = family->key.len;

	for (uint32_t first = from; first < total; first += BATCH_CAPACITY) {
		uint32_t count = total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY;

		group_table_keys(state->groups, first, count, family->outs);
		for (uint32_t i = 0; i < count; i++) {
			family->key.len = prefix;
			record_write_row(&family->key, (const Vector *const *)family->outs,
					 family->spec.key_count, i);
			TRY(each(family, state, first + i, context, err));
		}
	}
	return FERRIS_OK;
}

static Status
put_group(KeyedFamily *family, KeyedState *state, uint32_t group, void *context, Error *err)
{
	const char *payload = group_table_payload(state->groups, group);
	size_t *prefix = context;

	if (family->spec.parts)
		record_key_u64(&family->key, state->born + group);
	else if (payload_is_empty(family, payload))
		return store_remove(&state->space, &family->key, err);
	buffer_reset(&family->value);
	payload_write(family, payload, &family->value);
	TRY(store_put(&state->space, &family->key, &family->value, err));
	if (family->spec.payload->wrote == NULL)
		return FERRIS_OK;
	Str keys = {family->key.data + *prefix, (uint32_t)(family->key.len - *prefix)};
	return family->spec.payload->wrote(family->spec.owner, payload, keys, err);
}

Status
keyed_spill(KeyedFamily *family, KeyedState *state, Error *err)
{
	if (state->groups == NULL || group_table_count(state->groups) == 0) {
		drop_table(family, state);
		return FERRIS_OK;
	}
	TRY(store_open(family->store, family->spec.parts ? STORE_SCANS : STORE_LOOKUPS,
		       &state->space, err));
	store_key(&state->space, &family->key);
	size_t prefix = family->key.len;
	TRY(for_each_group(family, state, 0, put_group, &prefix, err));
	drop_table(family, state);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- finding */

/* A group that is new in memory may be in the backend. */
static Status
fetch_group(KeyedFamily *family, KeyedState *state, uint32_t group, void *context, Error *err)
{
	bool found;

	(void)context;
	TRY(store_get(&state->space, &family->key, &family->value, &found, err));
	if (!found)
		return FERRIS_OK;
	return payload_read(family, state, group_table_payload(state->groups, group),
			    (Str){family->value.data, (uint32_t)family->value.len}, err);
}

Status
keyed_find(KeyedFamily *family, KeyedState *state, const Vector *const *keys, const uint16_t *sel,
	   uint32_t count, char **payloads, uint32_t *found, Error *err)
{
	uint32_t first;

	need_table(family, state);
	Status status = group_table_find(state->groups, keys, sel, count, payloads, &first, err);
	uint32_t total = group_table_count(state->groups);
	*found = status == FERRIS_OK ? count : group_table_settled(state->groups);
	init_groups(family, state, first);
	/* An empty table alone in memory: nothing is left to write out. */
	bool alone = total == 0 && family->tables == 1;
	if (status != FERRIS_OK && (!family->store->options.spill || alone))
		return status;
	if (!keyed_is_spilled(state) || family->spec.parts || first == total)
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	return for_each_group(family, state, first, fetch_group, NULL, err);
}

/* The backend's group of the key in family->key, into a new group in memory; *full: no room. */
static Status
bring_in(KeyedFamily *family, KeyedState *state, const Vector *const *keys, uint16_t row,
	 char **payload, bool *full, Error *err)
{
	uint32_t settled;
	bool found;

	*payload = NULL;
	TRY(store_get(&state->space, &family->key, &family->value, &found, err));
	if (!found)
		return FERRIS_OK;
	TRY(keyed_find(family, state, keys, &row, 1, payload, &settled, err));
	*full = settled == 0;
	if (*full)
		*payload = NULL;
	return FERRIS_OK;
}

Status
keyed_look(KeyedFamily *family, KeyedState *state, const Vector *const *keys, const uint16_t *sel,
	   uint32_t count, char **payloads, uint32_t *found, Error *err)
{
	bool full = false;

	assert(!family->spec.parts);
	*found = count;
	if (state->groups != NULL)
		group_table_get_many(state->groups, keys, sel, count, payloads);
	else
		memset(payloads, 0, sizeof *payloads * count);
	for (uint32_t i = 0; i < count && keyed_is_spilled(state); i++) {
		if (payloads[i] != NULL)
			continue;
		/* A row before this one may have brought it in. */
		if (state->groups != NULL)
			payloads[i] = group_table_get(state->groups, keys, sel[i]);
		if (payloads[i] != NULL)
			continue;
		store_key(&state->space, &family->key);
		record_write_row(&family->key, keys, family->spec.key_count, sel[i]);
		TRY(bring_in(family, state, keys, sel[i], &payloads[i], &full, err));
		if (full) {
			*found = i;
			return FERRIS_OK;
		}
	}
	return FERRIS_OK;
}

Status
keyed_fetch(KeyedFamily *family, KeyedState *state, Str keys, char **payload, bool *full,
	    Error *err)
{
	const Vector *const *columns = (const Vector *const *)family->outs;

	assert(!family->spec.parts);
	*payload = NULL;
	*full = false;
	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_reset(&family->columns[k]);
	if (record_read_row(keys.data, keys.data + keys.len, family->outs, family->spec.key_count,
			    0) != keys.data + keys.len)
		return store_damaged(err);
	if (state->groups != NULL)
		*payload = group_table_get(state->groups, columns, 0);
	if (*payload != NULL || !keyed_is_spilled(state))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	buffer_append(&family->key, keys.data, keys.len);
	return bring_in(family, state, columns, 0, payload, full, err);
}

/* Whether the group of a row of keys is in memory: what the backend has of it is old. */
static Status
look_in_memory(KeyedFamily *family, const KeyedState *state, Str keys, bool *is_here, Error *err)
{
	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_reset(&family->columns[k]);
	if (record_read_row(keys.data, keys.data + keys.len, family->outs, family->spec.key_count,
			    0) != keys.data + keys.len)
		return store_damaged(err);
	*is_here = state->groups != NULL &&
		   group_table_get(state->groups, (const Vector *const *)family->outs, 0) != NULL;
	return FERRIS_OK;
}

Status
keyed_visit_spilled(KeyedFamily *family, KeyedState *state, KeyedVisit visit, Error *err)
{
	uint32_t head = family->spec.headed ? BIRTH_BYTES : 0;
	Status status = FERRIS_OK;
	StoreScan scan;
	Str key, value;

	assert(!family->spec.parts);
	if (!keyed_is_spilled(state))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	TRY(store_scan(&state->space, &family->key, &scan, err));
	while (status == FERRIS_OK && store_next(&scan, &key, &value)) {
		bool is_here = false;

		status = value.len < head ? store_damaged(err)
					  : look_in_memory(family, state, key, &is_here, err);
		if (status == FERRIS_OK && !is_here)
			status = visit(family->spec.owner, str_skip(value, head), err);
	}
	return store_scan_close(&scan, status, err);
}

/* ---------------------------------------------------------------- forgetting */

#define SWEEP_FLOOR 4096 /* groups; so few are never swept */

/* Groups first .. first + count - 1 that are not empty, to the new table. */
static Status
move_groups(KeyedFamily *family, const KeyedState *from, KeyedState *to, uint32_t first,
	    uint32_t count, Error *err)
{
	uint16_t sel[BATCH_CAPACITY];
	char *payloads[BATCH_CAPACITY];
	uint32_t live = 0;
	uint32_t next;

	for (uint32_t i = 0; i < count; i++)
		if (!payload_is_empty(family, group_table_payload(from->groups, first + i)))
			sel[live++] = (uint16_t)i;
	group_table_keys(from->groups, first, count, family->outs);
	TRY(group_table_find(to->groups, (const Vector *const *)family->outs, sel, live, payloads,
			     &next, err));
	for (uint32_t i = 0; i < live; i++) {
		char *old = group_table_payload(from->groups, first + sel[i]);

		memcpy(payloads[i], old, family->spec.payload_size);
		if (family->spec.headed)
			head_of(payloads[i])->group = next + i;
		if (family->spec.payload->moved != NULL)
			family->spec.payload->moved(family->spec.owner, old, payloads[i]);
	}
	return FERRIS_OK;
}

Status
keyed_sweep(KeyedFamily *family, KeyedState *state, uint64_t live, Error *err)
{
	uint32_t total = state->groups != NULL ? group_table_count(state->groups) : 0;
	size_t limit = family->budget.limit;
	KeyedState swept = {0};
	Status status = FERRIS_OK;

	assert(!family->spec.parts);
	if (total < SWEEP_FLOOR || total / 2 < live)
		return FERRIS_OK;
	/* In the backend an old copy of an empty group would come back. */
	if (keyed_is_spilled(state))
		return FERRIS_OK;
	family->budget.limit = SIZE_MAX; /* for a moment both tables are there */
	swept.groups = new_table(family);
	for (uint32_t first = 0; first < total && status == FERRIS_OK; first += BATCH_CAPACITY)
		status = move_groups(
			family, state, &swept, first,
			total - first < BATCH_CAPACITY ? total - first : BATCH_CAPACITY, err);
	for (uint32_t g = 0; g < total && family->spec.payload->release != NULL; g++) {
		char *payload = group_table_payload(state->groups, g);

		if (payload_is_empty(family, payload))
			payload_release(family, payload);
	}
	group_table_destroy(state->groups);
	family->tables--;
	state->groups = swept.groups;
	family->budget.limit = limit;
	return status;
}

Status
keyed_collect(KeyedFamily *family, KeyedState *state, const Vector *const *keys, uint32_t row,
	      char *into, Error *err)
{
	char *payload = state->groups != NULL ? group_table_get(state->groups, keys, row) : NULL;
	StoreScan scan;
	Str key, value;

	if (payload != NULL && family->spec.payload->merge != NULL)
		family->spec.payload->merge(family->spec.owner, into, payload);
	if (!keyed_is_spilled(state))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	record_write_row(&family->key, keys, family->spec.key_count, row);
	TRY(store_scan(&state->space, &family->key, &scan, err));
	Status status = FERRIS_OK;
	while (status == FERRIS_OK && store_next(&scan, &key, &value))
		status = merge_bytes(family, into, value, err);
	return store_scan_close(&scan, status, err);
}

/* ---------------------------------------------------------------- all groups in order */

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

	out->order = memory_alloc(sizeof *out->order * (total + 1));
	out->groups = state->groups;
	for (uint32_t g = 0; g < total; g++)
		if (!payload_is_empty(family, group_table_payload(state->groups, g)))
			out->order[out->count++] = g;
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

/* Reads the length and the row of keys; what is left is the payload. */
static Status
read_group(RecordReader *reader, const KeyedFamily *family, Vector *const *columns, uint32_t row,
	   Arena *heap, Error *err)
{
	uint32_t len = record_take_u32(reader);
	const char *bytes = record_take(reader, len);

	if (bytes == NULL)
		return store_damaged(err);
	const char *copy = heap != NULL ? arena_copy(heap, bytes, len) : bytes;
	return record_read_row(copy, copy + len, columns, family->spec.key_count, row) == copy + len
		       ? FERRIS_OK
		       : store_damaged(err);
}

static Str
rest_of(const RecordReader *reader)
{
	return (Str){reader->next, (uint32_t)(reader->end - reader->next)};
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
		group_table_key(scan->groups, scan->order[scan->next], columns, row);
		*payload = group_table_payload(scan->groups, scan->order[scan->next++]);
		return FERRIS_OK;
	}
	if (!store_next(&scan->scan, &key, &value))
		return FERRIS_OK;
	RecordReader reader = record_reader(value);
	TRY(read_group(&reader, family, columns, row, heap, err));
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

/* ---------------------------------------------------------------- checkpoints */

typedef struct Save {
	StateWriter *writer;
	Str prefix;
	Buffer key;
	Buffer value;
} Save;

/* A record: the prefix and what identifies the group -> length of its keys, keys, payload. */
static Status
save_group(Save *save, Str group, uint64_t birth, bool parts, Str payload, Error *err)
{
	buffer_reset(&save->key);
	buffer_append(&save->key, save->prefix.data, save->prefix.len);
	if (parts)
		record_key_u64(&save->key, birth);
	else
		buffer_append(&save->key, group.data, group.len);
	buffer_reset(&save->value);
	record_u32(&save->value, group.len);
	buffer_append(&save->value, group.data, group.len);
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

	TRY(look_in_memory(family, state, group, &is_here, err));
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
	return for_each_group(family, state, 0, save_in_memory, save, err);
}

Status
keyed_save(KeyedFamily *family, KeyedState *state, StateWriter *writer, Str prefix, Error *err)
{
	Save save = {.writer = writer, .prefix = prefix};

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

	for (uint32_t k = 0; k < family->spec.key_count; k++)
		vector_reset(&family->columns[k]);
	TRY(read_group(&reader, family, family->outs, 0, NULL, err));
	TRY(keyed_find(family, state, (const Vector *const *)family->outs, &row, 1, &loaded, &found,
		       err));
	*full = found == 0;
	if (*full)
		return FERRIS_OK;
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
