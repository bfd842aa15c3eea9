/* state/keyed.c -- groups in memory and in the backend. */
#include "state/keyed.h"

#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "state/keyed_internal.h"

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
	buffer_init(&family->group, SIZE_MAX);
	buffer_init(&family->pending, SIZE_MAX);
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
	buffer_free(&family->group);
	buffer_free(&family->pending);
	memory_free(family->payload);
	memory_free(family->other);
}

bool
keyed_is_full(const KeyedFamily *family, size_t more)
{
	return store_is_full(family->store, family->budget.used + more);
}

Status
keyed_check(const KeyedFamily *family, size_t more, Error *err)
{
	if (family->store->options.spill || family->budget.used + more <= family->budget.limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT, "what an operator keeps, %zu bytes, does not fit into %zu",
		  family->budget.used + more, family->budget.limit);
	return error_hint(err, "raise 'state.memory.limit', set 'state.spill', or keep fewer rows "
			       "or columns");
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
	family->expected = count;
	group_table_destroy(state->groups);
	state->groups = NULL;
	state->mixed = false;
	family->tables--;
}

static GroupTable *
new_table(KeyedFamily *family)
{
	family->tables++;
	return group_table_new(&(GroupTableSpec){.key_types = family->spec.key_types,
						 .key_count = family->spec.key_count,
						 .payload_size = family->spec.payload_size,
						 .budget = &family->budget,
						 .expected = family->expected,
						 .tailed = family->store->options.tracks});
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
	memory_free(state->changed);
	state->changed = NULL;
}

Status
keyed_clear(KeyedFamily *family, KeyedState *state, Error *err)
{
	StoreSpace space = state->space;
	Status status = state->tracked ? keyed_note_gone(family, state, err) : FERRIS_OK;

	drop_table(family, state);
	state->born = 0;
	state->recorded = false;
	state->space = (StoreSpace){0};
	TRY(status);
	return store_clear(&space, err);
}

/* ---------------------------------------------------------------- bytes of groups */

Status
keyed_for_each_group(KeyedFamily *family, KeyedState *state, uint32_t from, KeyedEachGroup each,
		     void *context, Error *err)
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

/* It would fill the memory again as soon as a row of it comes. */
static Status
too_large(const KeyedFamily *family, Error *err)
{
	error_set(err, FERRIS_ERR_LIMIT,
		  "what is kept of one group, %zu bytes, does not fit into %zu bytes",
		  family->value.len, family->budget.limit);
	return error_hint(err, "raise 'state.memory.limit', or keep fewer rows or columns");
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
	if (!family->spec.parts && family->value.len > family->budget.limit)
		return too_large(family, err);
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
	if (state->tracked)
		keyed_note_changes(family, state);
	store_key(&state->space, &family->key);
	size_t prefix = family->key.len;
	TRY(keyed_for_each_group(family, state, 0, put_group, &prefix, err));
	drop_table(family, state);
	return FERRIS_OK;
}

Status
keyed_write_out(KeyedFamily *family, KeyedState *state, Error *err)
{
	TRY(keyed_spill(family, state, err));
	return keyed_is_spilled(state) ? store_commit(family->store, err) : FERRIS_OK;
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

/* Finds or makes the groups in memory; those from *first on are new there. */
static Status
find_here(KeyedFamily *family, KeyedState *state, const Vector *const *keys, const uint16_t *sel,
	  uint32_t count, char **payloads, uint32_t *found, uint32_t *first, Error *err)
{
	need_table(family, state);
	Status status = group_table_find(state->groups, keys, sel, count, payloads, first, err);
	uint32_t total = group_table_count(state->groups);
	*found = status == FERRIS_OK ? count : group_table_settled(state->groups);
	init_groups(family, state, *first);
	/* An empty table alone in memory: nothing is left to write out. */
	bool alone = total == 0 && family->tables == 1;
	if (status != FERRIS_OK && (!family->store->options.spill || alone))
		return status;
	if (keyed_marks(family, state))
		keyed_mark_changed(family, state, payloads, *found);
	return FERRIS_OK;
}

Status
keyed_find(KeyedFamily *family, KeyedState *state, const Vector *const *keys, const uint16_t *sel,
	   uint32_t count, char **payloads, uint32_t *found, Error *err)
{
	uint32_t first;

	TRY(find_here(family, state, keys, sel, count, payloads, found, &first, err));
	if (!keyed_is_spilled(state) || family->spec.parts ||
	    first == group_table_count(state->groups))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	return keyed_for_each_group(family, state, first, fetch_group, NULL, err);
}

/* The backend's group of the key in family->key, into a new group in memory; *full: no room. */
static Status
bring_in(KeyedFamily *family, KeyedState *state, const Vector *const *keys, uint16_t row,
	 char **payload, bool *full, Error *err)
{
	uint32_t settled, first;
	bool found;

	*payload = NULL;
	TRY(store_get(&state->space, &family->key, &family->value, &found, err));
	if (!found)
		return FERRIS_OK;
	TRY(find_here(family, state, keys, &row, 1, payload, &settled, &first, err));
	*full = settled == 0;
	if (!*full)
		return payload_read(family, state, *payload,
				    (Str){family->value.data, (uint32_t)family->value.len}, err);
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
	if (keyed_marks(family, state))
		keyed_mark_changed(family, state, payloads, count);
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
	if (keyed_marks(family, state))
		keyed_mark_changed(family, state, payload, 1);
	if (*payload != NULL || !keyed_is_spilled(state))
		return FERRIS_OK;
	store_key(&state->space, &family->key);
	buffer_append(&family->key, keys.data, keys.len);
	return bring_in(family, state, columns, 0, payload, full, err);
}

Status
keyed_look_in_memory(KeyedFamily *family, const KeyedState *state, Str keys, bool *is_here,
		     Error *err)
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
					  : keyed_look_in_memory(family, state, key, &is_here, err);
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
	if (state->tracked)
		keyed_note_changes(family, state);
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

bool
keyed_match(KeyedFamily *family, KeyedState *state, const KeyedState *from, uint32_t first,
	    uint32_t *groups)
{
	need_table(family, state);
	uint32_t born = group_table_count(state->groups);
	bool fits = group_table_match(state->groups, from->groups, first, groups);
	init_groups(family, state, born);
	return fits;
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
