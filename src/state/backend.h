/* state/backend.h -- where state goes that does not fit into memory: an ordered map of bytes.
 *
 * A backend is one row of backend_list.h: `memory` for tests, `rocksdb` for work.  It is opened
 * when the first byte is spilled (state/store.h) and forgets everything when it is closed: what
 * must survive the process is written by checkpoints, not by a backend.
 *
 * put and remove gather changes; `get` sees them after `commit`, a scan sees those made before it.
 * Of one key the last change counts.
 *
 * Threads: a backend belongs to one task. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef struct BackendClass BackendClass;

/* First member of every backend. */
typedef struct StateBackend {
	const BackendClass *class;
} StateBackend;

typedef struct StateCursor StateCursor;

typedef struct BackendSpec {
	const char *dir; /* its files go into a new folder in there; created if missing */
	size_t memory;   /* bytes of memory that it may use */
	bool scans;      /* it is read from end to end, not by single keys */
} BackendSpec;

struct BackendClass {
	const char *name;
	const char *doc;
	Status (*open)(const BackendSpec *spec, StateBackend **out, Error *err);
	/* Removes its files. */
	void (*close)(StateBackend *backend);
	Status (*put)(StateBackend *backend, Str key, Str value, Error *err);
	Status (*remove)(StateBackend *backend, Str key, Error *err);
	Status (*commit)(StateBackend *backend, Error *err);
	/* The value takes the place of what was in `value`. */
	Status (*get)(StateBackend *backend, Str key, Buffer *value, bool *found, Error *err);
	/* Forgets all keys that begin with `prefix`, which is not empty. */
	Status (*clear)(StateBackend *backend, Str prefix, Error *err);
	/* All keys that begin with `prefix`, in order.  Changes to these keys while it is open may
	 * be seen or not. */
	Status (*scan)(StateBackend *backend, Str prefix, StateCursor **out, Error *err);
	/* False at the end, and after an error, which cursor_close gives.  Key and value are good
	 * until the next call. */
	bool (*cursor_next)(StateCursor *cursor, Str *key, Str *value);
	Status (*cursor_close)(StateCursor *cursor, Error *err);
	/* Bytes on disk. */
	uint64_t (*bytes)(const StateBackend *backend);
};

typedef Status (*BackendVisit)(void *context, Str key, Str value, Error *err);
/* Calls `visit` for the keys that begin with `prefix`, in order, until it fails. */
Status backend_each(StateBackend *backend, Str prefix, BackendVisit visit, void *context,
		    Error *err);

#define BACKEND(name) extern const BackendClass backend_##name;
#include "state/backend_list.h"

/* Row i of backend_list.h, or NULL at its end. */
const BackendClass *backend_row(size_t i);
/* NULL: none has that name. */
const BackendClass *backend_named(Str name);
