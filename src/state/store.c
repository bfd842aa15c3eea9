/* state/store.c -- opening the backend when it is needed, and its limits. */
#include "state/store.h"

#include <stdlib.h>

#include "base/memory.h"
#include "state/record.h"

#define SPACE_BYTES 4

void
store_init(StateStore *store, const StoreOptions *options)
{
	*store = (StateStore){.options = *options};
	if (store->options.backend == NULL)
		store->options.backend = &backend_rocksdb;
}

void
store_free(StateStore *store)
{
	for (int use = 0; use < STORE_USE_COUNT; use++) {
		if (store->backends[use] != NULL)
			store->backends[use]->class->close(store->backends[use]);
		store->backends[use] = NULL;
	}
}

size_t
store_memory(const StateStore *store)
{
	size_t limit = store->options.memory_limit;

	return store->options.spill ? limit - limit / 4 : limit;
}

/* Where the XDG base directory specification puts what programs keep from run to run. */
const char *
store_default_dir(char *out, size_t size)
{
	const char *state = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (state != NULL && state[0] == '/')
		snprintf(out, size, "%s/ferris", state);
	else if (home != NULL && home[0] == '/')
		snprintf(out, size, "%s/.local/state/ferris", home);
	else
		snprintf(out, size, "/var/tmp/ferris");
	return out;
}

Status
store_open(StateStore *store, StoreUse use, StoreSpace *space, Error *err)
{
	char dir[512];
	BackendSpec spec = {.dir = store->options.dir,
			    .memory = store->options.memory_limit / 4,
			    .scans = use == STORE_SCANS};

	if (space->backend != NULL)
		return FERRIS_OK;
	if (spec.dir == NULL)
		spec.dir = store_default_dir(dir, sizeof dir);
	if (store->backends[use] == NULL)
		TRY(store->options.backend->open(&spec, &store->backends[use], err));
	*space = (StoreSpace){store->backends[use], store->spaces++};
	return FERRIS_OK;
}

Status
store_commit(StateStore *store, Error *err)
{
	uint64_t limit = store->options.disk_limit;
	uint64_t bytes = 0;

	for (int use = 0; use < STORE_USE_COUNT; use++) {
		StateBackend *backend = store->backends[use];

		if (backend == NULL)
			continue;
		TRY(backend->class->commit(backend, err));
		bytes += limit > 0 ? backend->class->bytes(backend) : 0;
	}
	if (!store->options.always)
		memory_trim(); /* else what the tables gave back stays with the process */
	if (bytes <= limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT,
		  "state on disk holds %llu bytes, and the limit is %llu bytes",
		  (unsigned long long)bytes, (unsigned long long)limit);
	return error_hint(err, "raise 'state.disk.limit' or 'state.memory.limit', or keep less: "
			       "fewer groups, a shorter window");
}

Status
store_clear(StoreSpace *space, Error *err)
{
	StateBackend *backend = space->backend;
	uint32_t prefix = __builtin_bswap32(space->number);

	*space = (StoreSpace){0};
	if (backend == NULL)
		return FERRIS_OK;
	return backend->class->clear(backend, (Str){(const char *)&prefix, SPACE_BYTES}, err);
}

void
store_key(const StoreSpace *space, Buffer *key)
{
	buffer_reset(key);
	record_key_u32(key, space->number);
}

Status
store_scan(const StoreSpace *space, const Buffer *prefix, StoreScan *out, Error *err)
{
	out->backend = space->backend;
	out->cursor = NULL;
	return space->backend->class->scan(
		space->backend, (Str){prefix->data, (uint32_t)prefix->len}, &out->cursor, err);
}

bool
store_next(StoreScan *scan, Str *key, Str *value)
{
	if (!scan->backend->class->cursor_next(scan->cursor, key, value))
		return false;
	*key = str_skip(*key, SPACE_BYTES);
	return true;
}

Status
store_scan_close(StoreScan *scan, Status status, Error *err)
{
	StateCursor *cursor = scan->cursor;
	Error ignored;

	scan->cursor = NULL;
	if (cursor == NULL)
		return status;
	Status closed =
		scan->backend->class->cursor_close(cursor, status == FERRIS_OK ? err : &ignored);
	return status != FERRIS_OK ? status : closed;
}

Status
store_damaged(Error *err)
{
	error_set(err, FERRIS_ERR_STATE_DAMAGED, "state on disk is not what was written there");
	return error_hint(err, "look for faults of the disk under 'state.dir'");
}
