/* state/store.h -- what the operators of one task share of their state: limits and a backend.
 *
 * An operator keeps its state in memory until that is full (store_is_full), writes it to the
 * backend and begins anew; what it wrote it reads again when it needs it.  The backend is opened at
 * the first write: a statement that stays within its budget never touches a disk.
 *
 * There are two, opened one by one: of what is read from end to end, and of what is looked up.
 * Everything in them begins with the number of a space, four bytes, that belongs to one owner: a
 * table of groups, a sort.
 *
 * Owns:    the backends.
 * Threads: belongs to one task. */
#pragma once

#include "state/backend.h"

typedef struct StoreOptions {
	const char *dir;             /* NULL: $XDG_STATE_HOME/ferris */
	const BackendClass *backend; /* NULL: rocksdb */
	size_t memory_limit;         /* bytes that one operator may keep */
	uint64_t disk_limit;         /* bytes of the task's files; 0: no limit */
	bool spill;                  /* false: a full operator ends the statement */
	bool always; /* for tests: memory is always full, so that all state takes the long way */
	bool tracks; /* what has changed is known (state/keyed_changes.c) */
} StoreOptions;

/* How it is read. */
typedef enum StoreUse { STORE_SCANS, STORE_LOOKUPS, STORE_USE_COUNT } StoreUse;

typedef struct StateStore {
	StoreOptions options;
	StateBackend *backends[STORE_USE_COUNT]; /* NULL until they are needed */
	uint32_t spaces;                         /* given away */
	bool loading; /* what is put into state now was saved before: it has not changed */
} StateStore;

/* A place of one owner; all fields zero before its first store_open. */
typedef struct StoreSpace {
	StateBackend *backend; /* NULL: nothing was written */
	uint32_t number;
} StoreSpace;

/* $XDG_STATE_HOME/ferris, or what stands for it; returns `out`. */
const char *store_default_dir(char *out, size_t size);
void store_init(StateStore *store, const StoreOptions *options);
void store_free(StateStore *store);

/* What an operator may keep in memory.  With spilling a quarter is the backend's. */
size_t store_memory(const StateStore *store);
/* Whether an operator that holds so many bytes should write them out. */
static inline bool
store_is_full(const StateStore *store, size_t held)
{
	return store->options.spill && (store->options.always || held > store_memory(store));
}

/* Gives a space that has none its number, and opens the backend if it is not open yet. */
Status store_open(StateStore *store, StoreUse use, StoreSpace *space, Error *err);
/* Makes what was put readable; FERRIS_ERR_LIMIT when the files are larger than allowed. */
Status store_commit(StateStore *store, Error *err);
/* Forgets what is in the space; it has no number then. */
Status store_clear(StoreSpace *space, Error *err);

/* Begins a key of the space. */
void store_key(const StoreSpace *space, Buffer *key);

/* The functions of the space's backend, for keys that were begun by store_key. */
static inline Status
store_put(const StoreSpace *space, const Buffer *key, const Buffer *value, Error *err)
{
	return space->backend->class->put(space->backend, (Str){key->data, (uint32_t)key->len},
					  (Str){value->data, (uint32_t)value->len}, err);
}

static inline Status
store_remove(const StoreSpace *space, const Buffer *key, Error *err)
{
	return space->backend->class->remove(space->backend, (Str){key->data, (uint32_t)key->len},
					     err);
}

static inline Status
store_get(const StoreSpace *space, const Buffer *key, Buffer *value, bool *found, Error *err)
{
	return space->backend->class->get(space->backend, (Str){key->data, (uint32_t)key->len},
					  value, found, err);
}

/* A run through the keys that begin with a prefix. */
typedef struct StoreScan {
	const StateBackend *backend;
	StateCursor *cursor; /* NULL: closed */
} StoreScan;

Status store_scan(const StoreSpace *space, const Buffer *prefix, StoreScan *out, Error *err);

/* The key is without the space's number. */
bool store_next(StoreScan *scan, Str *key, Str *value);
/* After `status`, which wins over an error of the scan. */
Status store_scan_close(StoreScan *scan, Status status, Error *err);

/* What was read from the backend is not what was written to it. */
Status store_damaged(Error *err);
