/* state/backend_rocksdb.c -- spilled state in RocksDB.
 *
 * The library is loaded when the first statement spills, not when the program starts: linked, its
 * 11 MB cost 4 ms and 9 MB of memory in every run (7 ms and 20 MB against 3 ms and 11 MB), and
 * nearly no run needs them.
 *
 * What is here need not survive the process.  So there is no log and no fsync; the folder is
 * removed at the end, or by the next process (state/scratch_dir.h).  Blocks are compressed with
 * LZ4, checked by their checksums when they are read, and found by Bloom filters.
 *
 * State comes in large pieces.  One that is gathered is sorted here and becomes a file at once,
 * without passing RocksDB's table in memory and its flush: 5 million groups take 11 s of the
 * task and as much of a thread behind it, instead of 105.  Few changes go the usual way.  What is
 * read from end to end has no filters, and its files are merged when there are very many.
 *
 * Memory is that of the changes gathered, one write buffer, and the block cache, which holds
 * indexes and filters too.
 *
 * Owns:    the database and its folder.
 * Threads: a backend belongs to one task; RocksDB's own threads write and merge files. */
#include <assert.h>
#include <pthread.h>
#include <rocksdb/c.h>
#include <stdlib.h>

#include "base/library.h"
#include "base/memory.h"
#include "state/backend.h"
#include "state/scratch_dir.h"

#define GATHER_MIN       ((size_t)256 << 10)
#define GATHER_MAX       ((size_t)64 << 20)
#define FEW_CHANGES      512 /* go through RocksDB's table in memory */
#define WRITE_BUFFER     ((size_t)1 << 20)
#define SCAN_FILES       64 /* so many sorted files are merged into one */
#define LOOKUP_FILES     8
#define CLEAR_PREFIX_MAX 64

/* ---------------------------------------------------------------- the library */

/* The functions, once for the process; read-only after pthread_once. */
static struct RocksdbCalls {
#define ROCKSDB(name) __typeof__(&rocksdb_##name) name;
#include "state/rocksdb_list.h"
	bool loaded;
	char why[200];
} rocksdb;

static pthread_once_t load_once = PTHREAD_ONCE_INIT;

static void
load_library(void)
{
	const LibraryCall calls[] = {
#define ROCKSDB(name) {"rocksdb_" #name, &rocksdb.name},
#include "state/rocksdb_list.h"
	};

	rocksdb.loaded = library_load(ROCKSDB_LIBRARY, calls, sizeof calls / sizeof *calls,
				      rocksdb.why, sizeof rocksdb.why);
}

/* ---------------------------------------------------------------- opening */

#define REMOVED UINT32_MAX /* as a value's length */

/* A key and value that are gathered. */
typedef struct Change {
	size_t at; /* of the key; the value follows it */
	uint32_t key_len;
	uint32_t value_len;
} Change;

typedef struct RocksdbBackend {
	StateBackend base;
	ScratchDir dir;
	rocksdb_t *db;
	rocksdb_options_t *options;
	rocksdb_writebatch_t *batch;
	Buffer gathered; /* keys and values */
	Change *changes;
	uint32_t change_count;
	uint32_t change_capacity;
	size_t gather_limit;
	uint64_t files; /* made here */
	rocksdb_writeoptions_t *write_options;
	rocksdb_readoptions_t *read_options; /* of single keys */
	rocksdb_readoptions_t *scan_options; /* leave the cache alone */
} RocksdbBackend;

struct StateCursor {
	const RocksdbBackend *backend;
	rocksdb_iterator_t *iterator;
	bool started;
	uint32_t prefix_len;
	char prefix[];
};

/* Takes RocksDB's message, if there is one, as an error of its own. */
static Status
check(const RocksdbBackend *self, char *message, Error *err)
{
	if (message == NULL)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_STATE, "state on disk in '%s': %.200s", self->dir.path, message);
	rocksdb.free(message);
	return error_hint(err,
			  "make room on that disk, set 'state.dir' to a folder on another one, "
			  "or raise 'state.memory.limit'");
}

static Status
open_database(RocksdbBackend *self, const BackendSpec *spec, Error *err)
{
	rocksdb_options_t *initial = rocksdb.options_create();
	char text[900];
	char *message = NULL;

	self->options = rocksdb.options_create();
	snprintf(text, sizeof text,
		 "create_if_missing=true;paranoid_checks=true;write_buffer_size=%zu;"
		 "max_write_buffer_number=2;compression=kLZ4Compression;max_background_jobs=2;"
		 "compaction_style=kCompactionStyleUniversal;"
		 "level0_file_num_compaction_trigger=%d;level0_slowdown_writes_trigger=1000000;"
		 "level0_stop_writes_trigger=1000000;"
		 "max_open_files=512;info_log_level=FATAL_LEVEL;keep_log_file_num=1;"
		 "stats_dump_period_sec=0;stats_persist_period_sec=0;"
		 "block_based_table_factory={filter_policy=%s;block_cache=%zu;"
		 "cache_index_and_filter_blocks=true;block_size=8192;format_version=5;"
		 "index_type=kTwoLevelIndexSearch;partition_filters=true;"
		 "max_auto_readahead_size=32768}",
		 WRITE_BUFFER, spec->scans ? SCAN_FILES : LOOKUP_FILES,
		 spec->scans ? "nullptr" : "bloomfilter:10:false", spec->memory / 4);
	rocksdb.get_options_from_string(initial, text, self->options, &message);
	if (message == NULL)
		self->db = rocksdb.open(self->options, self->dir.path, &message);
	rocksdb.options_destroy(initial);
	return check(self, message, err);
}

static Status
rocksdb_backend_open(const BackendSpec *spec, StateBackend **out, Error *err)
{
	pthread_once(&load_once, load_library);
	if (!rocksdb.loaded) {
		error_set(err, FERRIS_ERR_STATE,
			  "state does not fit into memory, and RocksDB "
			  "cannot be loaded: %s",
			  rocksdb.why);
		return error_hint(err, "install RocksDB's library (" ROCKSDB_LIBRARY "), or raise "
				       "'state.memory.limit'");
	}
	RocksdbBackend *self = memory_zero(sizeof *self);

	self->base.class = &backend_rocksdb;
	Status status = scratch_dir_open(spec->dir, &self->dir, err);

	if (status == FERRIS_OK)
		status = open_database(self, spec, err);
	if (status != FERRIS_OK) {
		if (self->options != NULL)
			rocksdb.options_destroy(self->options);
		scratch_dir_close(&self->dir);
		memory_free(self);
		return status;
	}
	self->gather_limit = spec->memory / 2;
	if (self->gather_limit < GATHER_MIN)
		self->gather_limit = GATHER_MIN;
	if (self->gather_limit > GATHER_MAX)
		self->gather_limit = GATHER_MAX;
	buffer_init(&self->gathered, SIZE_MAX);
	self->batch = rocksdb.writebatch_create();
	self->write_options = rocksdb.writeoptions_create();
	rocksdb.writeoptions_disable_WAL(self->write_options, 1);
	self->read_options = rocksdb.readoptions_create();
	self->scan_options = rocksdb.readoptions_create();
	rocksdb.readoptions_set_fill_cache(self->scan_options, 0);
	*out = &self->base;
	return FERRIS_OK;
}

static void
rocksdb_backend_close(StateBackend *backend)
{
	RocksdbBackend *self = (RocksdbBackend *)backend;

	rocksdb.readoptions_destroy(self->read_options);
	rocksdb.readoptions_destroy(self->scan_options);
	rocksdb.writeoptions_destroy(self->write_options);
	rocksdb.writebatch_destroy(self->batch);
	rocksdb.close(self->db);
	rocksdb.options_destroy(self->options);
	buffer_free(&self->gathered);
	memory_free(self->changes);
	scratch_dir_close(&self->dir);
	memory_free(self);
}

/* ---------------------------------------------------------------- changes */

static Str
change_key(const RocksdbBackend *self, const Change *change)
{
	return (Str){self->gathered.data + change->at, change->key_len};
}

static Str
change_value(const RocksdbBackend *self, const Change *change)
{
	return (Str){self->gathered.data + change->at + change->key_len, change->value_len};
}

static Status
write_batch(RocksdbBackend *self, Error *err)
{
	char *message = NULL;

	for (uint32_t i = 0; i < self->change_count; i++) {
		const Change *change = &self->changes[i];
		Str key = change_key(self, change);
		Str value = change_value(self, change);

		if (change->value_len == REMOVED)
			rocksdb.writebatch_delete(self->batch, key.data, key.len);
		else
			rocksdb.writebatch_put(self->batch, key.data, key.len, value.data,
					       value.len);
	}
	rocksdb.write(self->db, self->write_options, self->batch, &message);
	rocksdb.writebatch_clear(self->batch);
	return check(self, message, err);
}

/* By key; of one key in order of arrival. */
static int
compare_changes(const void *left, const void *right, void *context)
{
	const Change *a = left;
	const Change *b = right;
	const char *bytes = ((const RocksdbBackend *)context)->gathered.data;
	uint32_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(bytes + a->at, bytes + b->at, len);

	if (order != 0)
		return order;
	if (a->key_len != b->key_len)
		return a->key_len < b->key_len ? -1 : 1;
	return a->at < b->at ? -1 : 1;
}

static void
fill_file(const RocksdbBackend *self, rocksdb_sstfilewriter_t *writer, char **message)
{
	for (uint32_t i = 0; i < self->change_count && *message == NULL; i++) {
		const Change *change = &self->changes[i];
		Str key = change_key(self, change);
		Str value = change_value(self, change);

		if (i + 1 < self->change_count && str_eq(key, change_key(self, change + 1)))
			continue; /* a later change of the key follows */
		if (change->value_len == REMOVED)
			rocksdb.sstfilewriter_delete(writer, key.data, key.len, message);
		else
			rocksdb.sstfilewriter_put(writer, key.data, key.len, value.data, value.len,
						  message);
	}
	if (*message == NULL)
		rocksdb.sstfilewriter_finish(writer, message);
}

static Status
write_file(RocksdbBackend *self, Error *err)
{
	char path[sizeof self->dir.path + 40];
	const char *paths[] = {path};
	char *message = NULL;
	rocksdb_envoptions_t *env = rocksdb.envoptions_create();
	rocksdb_ingestexternalfileoptions_t *ingest = rocksdb.ingestexternalfileoptions_create();
	rocksdb_sstfilewriter_t *writer = rocksdb.sstfilewriter_create(env, self->options);

	qsort_r(self->changes, self->change_count, sizeof *self->changes, compare_changes, self);
	snprintf(path, sizeof path, "%s/run-%llu", self->dir.path,
		 (unsigned long long)self->files++);
	rocksdb.sstfilewriter_open(writer, path, &message);
	if (message == NULL)
		fill_file(self, writer, &message);
	rocksdb.ingestexternalfileoptions_set_move_files(ingest, 1);
	if (message == NULL)
		rocksdb.ingest_external_file(self->db, paths, 1, ingest, &message);
	rocksdb.sstfilewriter_destroy(writer);
	rocksdb.ingestexternalfileoptions_destroy(ingest);
	rocksdb.envoptions_destroy(env);
	return check(self, message, err);
}

static Status
rocksdb_backend_commit(StateBackend *backend, Error *err)
{
	RocksdbBackend *self = (RocksdbBackend *)backend;

	if (self->change_count == 0)
		return FERRIS_OK;
	Status status =
		self->change_count <= FEW_CHANGES ? write_batch(self, err) : write_file(self, err);
	self->change_count = 0;
	buffer_reset(&self->gathered);
	return status;
}

static Status
gather(RocksdbBackend *self, Str key, Str value, uint32_t value_len, Error *err)
{
	if (self->change_count == self->change_capacity) {
		self->change_capacity = self->change_capacity > 0 ? self->change_capacity * 2 : 256;
		self->changes =
			memory_resize(self->changes, sizeof *self->changes * self->change_capacity);
	}
	self->changes[self->change_count++] = (Change){self->gathered.len, key.len, value_len};
	buffer_append(&self->gathered, key.data, key.len);
	buffer_append(&self->gathered, value.data, value.len);
	size_t held = self->gathered.len + sizeof(Change) * self->change_count;
	return held >= self->gather_limit ? rocksdb_backend_commit(&self->base, err) : FERRIS_OK;
}

static Status
rocksdb_backend_put(StateBackend *backend, Str key, Str value, Error *err)
{
	return gather((RocksdbBackend *)backend, key, value, value.len, err);
}

static Status
rocksdb_backend_remove(StateBackend *backend, Str key, Error *err)
{
	return gather((RocksdbBackend *)backend, key, (Str){"", 0}, REMOVED, err);
}

/* Whole files go at once, the rest is marked as deleted. */
static Status
rocksdb_backend_clear(StateBackend *backend, Str prefix, Error *err)
{
	RocksdbBackend *self = (RocksdbBackend *)backend;
	char limit[CLEAR_PREFIX_MAX];
	uint32_t len = prefix.len;
	char *message = NULL;

	assert(len <= sizeof limit);
	TRY(rocksdb_backend_commit(backend, err));
	memcpy(limit, prefix.data, len);
	while (len > 0 && (unsigned char)limit[len - 1] == 0xFF)
		len--;
	if (len == 0)
		return error_set(err, FERRIS_ERR_STATE, "a prefix without an end");
	limit[len - 1] = (char)((unsigned char)limit[len - 1] + 1);
	rocksdb.delete_file_in_range(self->db, prefix.data, prefix.len, limit, len, &message);
	TRY(check(self, message, err));
	rocksdb.writebatch_delete_range(self->batch, prefix.data, prefix.len, limit, len);
	return write_batch(self, err);
}

/* ---------------------------------------------------------------- reading */

static Status
rocksdb_backend_get(StateBackend *backend, Str key, Buffer *value, bool *found, Error *err)
{
	RocksdbBackend *self = (RocksdbBackend *)backend;
	char *message = NULL;
	rocksdb_pinnableslice_t *slice =
		rocksdb.get_pinned(self->db, self->read_options, key.data, key.len, &message);

	buffer_reset(value);
	*found = slice != NULL;
	if (slice != NULL) {
		size_t len;
		const char *bytes = rocksdb.pinnableslice_value(slice, &len);

		buffer_append(value, bytes, len);
		rocksdb.pinnableslice_destroy(slice);
	}
	return check(self, message, err);
}

static Status
rocksdb_backend_scan(StateBackend *backend, Str prefix, StateCursor **out, Error *err)
{
	const RocksdbBackend *self = (const RocksdbBackend *)backend;

	TRY(rocksdb_backend_commit(backend, err));
	StateCursor *cursor = memory_zero(sizeof *cursor + prefix.len);
	cursor->backend = self;
	cursor->iterator = rocksdb.create_iterator(self->db, self->scan_options);
	memcpy(cursor->prefix, prefix.data, prefix.len);
	cursor->prefix_len = prefix.len;
	*out = cursor;
	return FERRIS_OK;
}

static bool
rocksdb_cursor_next(StateCursor *cursor, Str *key, Str *value)
{
	size_t key_len, value_len;

	if (cursor->started)
		rocksdb.iter_next(cursor->iterator);
	else
		rocksdb.iter_seek(cursor->iterator, cursor->prefix, cursor->prefix_len);
	cursor->started = true;
	if (!rocksdb.iter_valid(cursor->iterator))
		return false;
	key->data = rocksdb.iter_key(cursor->iterator, &key_len);
	value->data = rocksdb.iter_value(cursor->iterator, &value_len);
	key->len = (uint32_t)key_len;
	value->len = (uint32_t)value_len;
	return key_len >= cursor->prefix_len &&
	       memcmp(key->data, cursor->prefix, cursor->prefix_len) == 0;
}

static Status
rocksdb_cursor_close(StateCursor *cursor, Error *err)
{
	const RocksdbBackend *backend = cursor->backend;
	char *message = NULL;

	rocksdb.iter_get_error(cursor->iterator, &message);
	rocksdb.iter_destroy(cursor->iterator);
	memory_free(cursor);
	return check(backend, message, err);
}

static uint64_t
rocksdb_backend_bytes(const StateBackend *backend)
{
	const RocksdbBackend *self = (const RocksdbBackend *)backend;
	uint64_t files = 0;
	uint64_t tables = 0; /* that will be files */

	rocksdb.property_int(self->db, "rocksdb.total-sst-files-size", &files);
	rocksdb.property_int(self->db, "rocksdb.cur-size-all-mem-tables", &tables);
	return files + tables;
}

const BackendClass backend_rocksdb = {
	.name = "rocksdb",
	.doc = "RocksDB in a folder of its own under 'state.dir'.",
	.open = rocksdb_backend_open,
	.close = rocksdb_backend_close,
	.put = rocksdb_backend_put,
	.remove = rocksdb_backend_remove,
	.commit = rocksdb_backend_commit,
	.get = rocksdb_backend_get,
	.clear = rocksdb_backend_clear,
	.scan = rocksdb_backend_scan,
	.cursor_next = rocksdb_cursor_next,
	.cursor_close = rocksdb_cursor_close,
	.bytes = rocksdb_backend_bytes,
};
