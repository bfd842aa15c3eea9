/* tests/unit/test_state.c -- backends against each other, snapshots against damage, failing disks.
 *
 * TEST_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/backend.h"
#include "state/scratch_dir.h"
#include "state/snapshot.h"
#include "random_numbers.h"

#define STEPS 3000

static char parent[64];

static uint32_t
folders(void)
{
	DIR *dir = opendir(parent);
	uint32_t count = 0;

	assert_non_null(dir);
	for (const struct dirent *entry; (entry = readdir(dir)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

static StateBackend *
open_backend(const BackendClass *class)
{
	StateBackend *backend;
	Error err = {0};

	assert_int_equal(
		class->open(&(BackendSpec){.dir = parent, .memory = 1 << 20}, &backend, &err),
		FERRIS_OK);
	return backend;
}

/* ---- two backends are given the same, and must answer the same ---- */

static Str
random_key(char *out)
{
	uint32_t len = 1 + below(6);

	out[0] = (char)below(3);
	for (uint32_t i = 1; i < len; i++)
		out[i] = (char)(below(3) == 0 ? 0xFF : below(4));
	return (Str){out, len};
}

static void
same_scan(StateBackend *a, StateBackend *b, Str prefix)
{
	StateCursor *left, *right;
	Str key[2], value[2];
	Error err = {0};

	assert_int_equal(a->class->scan(a, prefix, &left, &err), FERRIS_OK);
	assert_int_equal(b->class->scan(b, prefix, &right, &err), FERRIS_OK);
	for (bool more = true; more;) {
		more = a->class->cursor_next(left, &key[0], &value[0]);
		assert_int_equal(more, b->class->cursor_next(right, &key[1], &value[1]));
		assert_true(!more || (str_eq(key[0], key[1]) && str_eq(value[0], value[1])));
	}
	assert_int_equal(a->class->cursor_close(left, &err), FERRIS_OK);
	assert_int_equal(b->class->cursor_close(right, &err), FERRIS_OK);
}

static void
same_get(StateBackend *a, StateBackend *b, Str key)
{
	Buffer value[2];
	bool found[2];
	Error err = {0};

	buffer_init(&value[0], SIZE_MAX);
	buffer_init(&value[1], SIZE_MAX);
	assert_int_equal(a->class->get(a, key, &value[0], &found[0], &err), FERRIS_OK);
	assert_int_equal(b->class->get(b, key, &value[1], &found[1], &err), FERRIS_OK);
	assert_int_equal(found[0], found[1]);
	assert_int_equal(value[0].len, value[1].len);
	if (value[0].len > 0)
		assert_memory_equal(value[0].data, value[1].data, value[0].len);
	buffer_free(&value[0]);
	buffer_free(&value[1]);
}

static void
change_both(StateBackend *a, StateBackend *b)
{
	uint32_t changes = below(20) == 0 ? 800 : below(30);
	char bytes[8];
	char value[40];
	Error err = {0};

	for (uint32_t i = 0; i < changes; i++) {
		Str key = random_key(bytes);
		uint32_t len = below(sizeof value);

		memset(value, (int)below(256), sizeof value);
		if (below(4) == 0) {
			assert_int_equal(a->class->remove(a, key, &err), FERRIS_OK);
			assert_int_equal(b->class->remove(b, key, &err), FERRIS_OK);
			continue;
		}
		assert_int_equal(a->class->put(a, key, (Str){value, len}, &err), FERRIS_OK);
		assert_int_equal(b->class->put(b, key, (Str){value, len}, &err), FERRIS_OK);
	}
	assert_int_equal(a->class->commit(a, &err), FERRIS_OK);
	assert_int_equal(b->class->commit(b, &err), FERRIS_OK);
}

static void
test_backends_agree(void **state)
{
	StateBackend *a = open_backend(&backend_memory);
	StateBackend *b = open_backend(&backend_rocksdb);
	Error err = {0};
	char bytes[8];

	(void)state;
	for (uint32_t step = 0; step < STEPS; step++) {
		switch (below(8)) {
		case 0: {
			Str prefix = {random_key(bytes).data, 1 + below(2)};
			bytes[1] = 0;
			assert_int_equal(a->class->clear(a, prefix, &err), FERRIS_OK);
			assert_int_equal(b->class->clear(b, prefix, &err), FERRIS_OK);
			break;
		}
		case 1:
			change_both(a, b);
			break;
		case 2:
			same_scan(a, b, (Str){random_key(bytes).data, 1});
			break;
		default:
			same_get(a, b, random_key(bytes));
		}
	}
	assert_int_equal(folders(), 1);
	a->class->close(a);
	b->class->close(b);
	assert_int_equal(folders(), 0);
}

/* ---- a disk without room ---- */

static Status
fill(StateBackend *backend, Error *err)
{
	char value[1000];

	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t key = __builtin_bswap32(i);

		for (size_t k = 0; k < sizeof value; k++)
			value[k] = (char)below(256); /* does not compress */
		Status status = backend->class->put(backend, (Str){(const char *)&key, sizeof key},
						    (Str){value, sizeof value}, err);
		if (status == FERRIS_OK && i % 1000 == 999)
			status = backend->class->commit(backend, err);
		if (status != FERRIS_OK)
			return status;
	}
	return FERRIS_OK;
}

/* The size of a process's files stands for that of the disk. */
static void
test_no_room_is_one_clear_error(void **state)
{
	struct rlimit before, small;
	Error err = {0};
	StateBackend *backend = open_backend(&backend_rocksdb);

	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = before;
	small.rlim_cur = 100000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	Status status = fill(backend, &err);
	setrlimit(RLIMIT_FSIZE, &before);
	backend->class->close(backend);
	assert_int_equal(status, FERRIS_ERR_STATE);
	assert_non_null(strstr(err.message, parent));
	assert_non_null(strstr(err.hint, "state.dir"));
	assert_int_equal(folders(), 0);
}

static void
test_what_a_killed_process_left_goes(void **state)
{
	ScratchDir dir;
	Error err = {0};

	(void)state;
	pid_t child = fork();
	if (child == 0)
		_exit(scratch_dir_open(parent, &dir, &err) == FERRIS_OK ? 0 : 1);
	int how;
	assert_int_equal(waitpid(child, &how, 0), child);
	assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
	assert_int_equal(folders(), 1);
	assert_int_equal(scratch_dir_open(parent, &dir, &err), FERRIS_OK);
	assert_int_equal(folders(), 1);
	ScratchDir second;
	assert_int_equal(scratch_dir_open(parent, &second, &err), FERRIS_OK);
	assert_int_equal(folders(), 2);
	scratch_dir_close(&second);
	scratch_dir_close(&dir);
	assert_int_equal(folders(), 0);
}

/* ---- snapshots ---- */

/* Two sections. */
static size_t
write_snapshot(char *bytes, size_t size)
{
	SnapshotWriter writer;
	Buffer out;
	Error err = {0};

	buffer_init(&out, size);
	snapshot_writer_init(&writer, &out);
	snapshot_write_header(&writer);
	assert_int_equal(writer.base.put(&writer.base, STR("a"), STR("one"), &err), FERRIS_OK);
	snapshot_write_end(&writer);
	assert_int_equal(writer.base.put(&writer.base, STR(""), STR(""), &err), FERRIS_OK);
	assert_int_equal(writer.base.put(&writer.base, STR("b"), (Str){NULL, 0}, &err), FERRIS_OK);
	snapshot_write_end(&writer);
	size_t len = out.len;
	memcpy(bytes, out.data, len);
	buffer_free(&out);
	return len;
}

static Status
read_snapshot(char *bytes, size_t len, uint32_t *records, uint32_t *gone)
{
	FILE *file = fmemopen(bytes, len, "rb");
	SnapshotReader reader;
	Error err = {0};
	Str key, value;
	bool got = true;

	*records = 0;
	*gone = 0;
	Status status = snapshot_open(&reader, file, "s", &err);
	for (int section = 0; status == FERRIS_OK && section < 2; section += !got) {
		status = snapshot_next(&reader, &key, &value, &got, &err);
		*records += status == FERRIS_OK && got;
		*gone += status == FERRIS_OK && got && value.data == NULL;
	}
	if (status == FERRIS_OK && !snapshot_is_over(&reader))
		status = FERRIS_ERR_STATE_DAMAGED;
	snapshot_close(&reader);
	fclose(file);
	return status;
}

static void
test_snapshots_notice_damage(void **state)
{
	char bytes[400] = {0};
	size_t len = write_snapshot(bytes, sizeof bytes);
	uint32_t records, gone;

	(void)state;
	assert_int_equal(read_snapshot(bytes, len, &records, &gone), FERRIS_OK);
	assert_int_equal(records, 3);
	assert_int_equal(gone, 1);
	for (size_t i = 1; i < len; i++)
		assert_int_equal(read_snapshot(bytes, i, &records, &gone),
				 FERRIS_ERR_STATE_DAMAGED);
	assert_int_equal(read_snapshot(bytes, len + 1, &records, &gone), FERRIS_ERR_STATE_DAMAGED);
	for (size_t i = 0; i < len * 8; i++) {
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
		assert_int_equal(read_snapshot(bytes, len, &records, &gone),
				 FERRIS_ERR_STATE_DAMAGED);
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backends_agree),
		cmocka_unit_test(test_no_room_is_one_clear_error),
		cmocka_unit_test(test_what_a_killed_process_left_goes),
		cmocka_unit_test(test_snapshots_notice_damage),
	};

	seed_random();
	snprintf(parent, sizeof parent, "/tmp/ferris-state-XXXXXX");
	if (mkdtemp(parent) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(parent);
	return failed;
}
