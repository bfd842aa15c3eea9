/* state/backend_memory.c -- a sorted array of keys in memory: the simplest right backend.
 *
 * For tests: it needs no folder, and a put moves half of the array.  Values of changes that are
 * gathered are not seen before the commit, as with the others.
 *
 * Owns: copies of all keys and values. */
#include "base/memory.h"
#include "state/backend.h"

typedef struct Entry {
	char *data; /* key, then value */
	uint32_t key_len;
	uint32_t value_len;
} Entry;

typedef struct Entries {
	Entry *items;
	size_t count;
	size_t capacity;
} Entries;

typedef struct MemoryBackend {
	StateBackend base;
	Entries entries;
	Entries changes; /* in order of arrival; value_len UINT32_MAX: removed */
} MemoryBackend;

struct StateCursor {
	const MemoryBackend *backend;
	char *last; /* the key that came out last, or the prefix */
	uint32_t last_len;
	uint32_t prefix_len;
	uint32_t capacity;
	bool started;
};

#define REMOVED UINT32_MAX

static Status
memory_open(const BackendSpec *spec, StateBackend **out, Error *err)
{
	MemoryBackend *self = memory_zero(sizeof *self);

	(void)spec;
	(void)err;
	self->base.class = &backend_memory;
	*out = &self->base;
	return FERRIS_OK;
}

static void
entries_free(Entries *entries)
{
	for (size_t i = 0; i < entries->count; i++)
		memory_free(entries->items[i].data);
	memory_free(entries->items);
}

static void
memory_close(StateBackend *backend)
{
	MemoryBackend *self = (MemoryBackend *)backend;

	entries_free(&self->entries);
	entries_free(&self->changes);
	memory_free(self);
}

static int
compare_keys(Str a, Str b)
{
	int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* The place of the first key that is not below `key`. */
static size_t
find(const Entries *entries, Str key)
{
	size_t low = 0;
	size_t high = entries->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const Entry *entry = &entries->items[middle];

		if (compare_keys((Str){entry->data, entry->key_len}, key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
is_at(const Entries *entries, size_t at, Str key)
{
	return at < entries->count &&
	       str_eq((Str){entries->items[at].data, entries->items[at].key_len}, key);
}

static void
insert(Entries *entries, size_t at, Entry entry)
{
	if (entries->count == entries->capacity) {
		entries->capacity = entries->capacity > 0 ? entries->capacity * 2 : 64;
		entries->items =
			memory_resize(entries->items, sizeof *entries->items * entries->capacity);
	}
	memmove(&entries->items[at + 1], &entries->items[at],
		sizeof *entries->items * (entries->count - at));
	entries->items[at] = entry;
	entries->count++;
}

static void
take_out(Entries *entries, size_t at)
{
	memory_free(entries->items[at].data);
	entries->count--;
	memmove(&entries->items[at], &entries->items[at + 1],
		sizeof *entries->items * (entries->count - at));
}

static Status
memory_put(StateBackend *backend, Str key, Str value, Error *err)
{
	MemoryBackend *self = (MemoryBackend *)backend;
	Entry entry = {memory_alloc((size_t)key.len + value.len + 1), key.len, value.len};

	(void)err;
	memcpy(entry.data, key.data, key.len);
	if (value.len > 0)
		memcpy(entry.data + key.len, value.data, value.len);
	insert(&self->changes, self->changes.count, entry);
	return FERRIS_OK;
}

static Status
memory_remove(StateBackend *backend, Str key, Error *err)
{
	MemoryBackend *self = (MemoryBackend *)backend;

	TRY(memory_put(backend, key, (Str){NULL, 0}, err));
	self->changes.items[self->changes.count - 1].value_len = REMOVED;
	return FERRIS_OK;
}

static Status
memory_commit(StateBackend *backend, Error *err)
{
	MemoryBackend *self = (MemoryBackend *)backend;

	(void)err;
	for (size_t i = 0; i < self->changes.count; i++) {
		Entry entry = self->changes.items[i];
		Str key = {entry.data, entry.key_len};
		size_t at = find(&self->entries, key);

		if (is_at(&self->entries, at, key))
			take_out(&self->entries, at);
		if (entry.value_len == REMOVED)
			memory_free(entry.data);
		else
			insert(&self->entries, at, entry);
	}
	self->changes.count = 0;
	return FERRIS_OK;
}

static Status
memory_get(StateBackend *backend, Str key, Buffer *value, bool *found, Error *err)
{
	const MemoryBackend *self = (const MemoryBackend *)backend;
	size_t at = find(&self->entries, key);

	(void)err;
	buffer_reset(value);
	*found = is_at(&self->entries, at, key);
	if (*found) {
		const Entry *entry = &self->entries.items[at];
		buffer_append(value, entry->data + entry->key_len, entry->value_len);
	}
	return FERRIS_OK;
}

static Status
memory_clear(StateBackend *backend, Str prefix, Error *err)
{
	Entries *entries = &((MemoryBackend *)backend)->entries;
	size_t first = find(entries, prefix);
	size_t next = first;

	(void)err;
	while (next < entries->count && entries->items[next].key_len >= prefix.len &&
	       memcmp(entries->items[next].data, prefix.data, prefix.len) == 0)
		memory_free(entries->items[next++].data);
	if (next > first)
		memmove(&entries->items[first], &entries->items[next],
			sizeof *entries->items * (entries->count - next));
	entries->count -= next - first;
	return FERRIS_OK;
}

/* ---- cursors ---- */

static void
remember(StateCursor *cursor, Str key)
{
	/* Also an empty key has a place. */
	if (key.len >= cursor->capacity) {
		cursor->capacity = key.len + 1;
		cursor->last = memory_resize(cursor->last, cursor->capacity);
	}
	memcpy(cursor->last, key.data, key.len);
	cursor->last_len = key.len;
}

static Status
memory_scan(StateBackend *backend, Str prefix, StateCursor **out, Error *err)
{
	TRY(memory_commit(backend, err));
	StateCursor *cursor = memory_zero(sizeof *cursor);
	cursor->backend = (const MemoryBackend *)backend;
	remember(cursor, prefix);
	cursor->prefix_len = prefix.len;
	*out = cursor;
	return FERRIS_OK;
}

/* Looks for its place again: the array may have changed. */
static bool
memory_cursor_next(StateCursor *cursor, Str *key, Str *value)
{
	const Entries *entries = &cursor->backend->entries;
	Str last = {cursor->last, cursor->last_len};
	size_t at = find(entries, last);

	if (cursor->started && is_at(entries, at, last))
		at++;
	if (at == entries->count || entries->items[at].key_len < cursor->prefix_len ||
	    memcmp(entries->items[at].data, cursor->last, cursor->prefix_len) != 0)
		return false;
	const Entry *entry = &entries->items[at];
	cursor->started = true;
	*key = (Str){entry->data, entry->key_len};
	*value = (Str){entry->data + entry->key_len, entry->value_len};
	remember(cursor, *key);
	return true;
}

static Status
memory_cursor_close(StateCursor *cursor, Error *err)
{
	(void)err;
	memory_free(cursor->last);
	memory_free(cursor);
	return FERRIS_OK;
}

static uint64_t
memory_bytes(const StateBackend *backend)
{
	(void)backend;
	return 0;
}

const BackendClass backend_memory = {
	.name = "memory",
	.doc = "A sorted array, for tests.",
	.open = memory_open,
	.close = memory_close,
	.put = memory_put,
	.remove = memory_remove,
	.commit = memory_commit,
	.get = memory_get,
	.clear = memory_clear,
	.scan = memory_scan,
	.cursor_next = memory_cursor_next,
	.cursor_close = memory_cursor_close,
	.bytes = memory_bytes,
};
