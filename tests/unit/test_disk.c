/* tests/unit/test_disk.c -- the disk of trials: what was synced is there, and nothing else need be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_trial.h"

#define SEEDS     400
#define BYTES_MAX 256

static char folder[] = "/tmp/ferris-disk-XXXXXX";

static const char *
in_folder(const char *name)
{
	static char paths[4][200];
	static int turn;
	char *path = paths[turn++ % 4];

	snprintf(path, sizeof paths[0], "%s/%s", folder, name);
	return path;
}

static int
remove_one(const char *path, const struct stat *info, int type, struct FTW *place)
{
	(void)info, (void)type;
	return place->level > 0 ? remove(path) : 0;
}

/* A disk that lets no call fail before the first restart. */
static Disk *
begin(uint64_t seed)
{
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	Disk *disk = disk_new(folder, seed);
	for (int i = 0; i < 10; i++) /* so often it may */
		disk_restart(disk);
	return disk;
}

static int
create(Disk *disk, const char *name)
{
	int fd = disk_open(disk, in_folder(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void
put(Disk *disk, int fd, const char *text)
{
	assert_int_equal(disk_write(disk, fd, text, strlen(text)), strlen(text));
}

/* The length, or -1: there is no such file. */
static ssize_t
get(const char *name, char *bytes)
{
	int fd = open(in_folder(name), O_RDONLY);

	memset(bytes, 0, BYTES_MAX);
	if (fd < 0)
		return -1;
	ssize_t len = read(fd, bytes, BYTES_MAX - 1);
	close(fd);
	return len;
}

/* How many of the seeds saw what. */
typedef struct Seen {
	uint32_t whole, nothing, torn;
} Seen;

static void
test_bytes_that_were_not_synced(void **state)
{
	Seen seen = {0, 0, 0};
	char bytes[BYTES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		Disk *disk = begin(seed);
		int fd = create(disk, "a");

		put(disk, fd, "synced");
		assert_int_equal(disk_sync(disk, fd), 0);
		assert_int_equal(disk_sync_folder(disk, folder), 0);
		put(disk, fd, "and what is behind it");
		close(fd);
		disk_restart(disk);
		ssize_t len = get("a", bytes);
		assert_true(len >= 6);
		assert_memory_equal(bytes, "synced", 6);
		seen.whole += strcmp(bytes, "syncedand what is behind it") == 0;
		seen.nothing += len == 6;
		seen.torn += len > 6 && strcmp(bytes, "syncedand what is behind it") != 0;
		disk_destroy(disk);
	}
	assert_true(seen.whole > SEEDS / 5 && seen.nothing > SEEDS / 10 && seen.torn > SEEDS / 5);
}

/* A file that was cut and written on: what was there before may come back. */
static void
test_bytes_that_were_cut_off(void **state)
{
	Seen seen = {0, 0, 0};
	char bytes[BYTES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		Disk *disk = begin(seed);
		int fd = create(disk, "a");

		put(disk, fd, "0123456789");
		assert_int_equal(disk_sync(disk, fd), 0);
		assert_int_equal(disk_sync_folder(disk, folder), 0);
		assert_int_equal(disk_truncate(disk, fd, 4), 0);
		assert_int_equal(disk_pwrite(disk, fd, "ab", 2, 4), 2);
		close(fd);
		disk_restart(disk);
		get("a", bytes);
		assert_memory_equal(bytes, "0123", 4);
		seen.whole += strcmp(bytes, "0123ab") == 0;
		seen.nothing += strcmp(bytes, "0123456789") == 0;
		seen.torn += strcmp(bytes, "0123ab6789") == 0;
		disk_destroy(disk);
	}
	assert_true(seen.whole > 0 && seen.nothing > 0 && seen.torn > 0);
}

static void
test_names_that_were_not_synced(void **state)
{
	Seen seen = {0, 0, 0};
	char bytes[BYTES_MAX], fresh[BYTES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		Disk *disk = begin(seed);
		int fd = create(disk, "a");

		put(disk, fd, "old");
		assert_int_equal(disk_sync(disk, fd), 0);
		close(fd);
		assert_int_equal(disk_sync_folder(disk, folder), 0);
		fd = create(disk, "b");
		put(disk, fd, "new");
		assert_int_equal(disk_sync(disk, fd), 0);
		close(fd);
		assert_int_equal(disk_rename(disk, in_folder("b"), in_folder("a")), 0);
		disk_restart(disk);
		ssize_t len = get("b", fresh);
		get("a", bytes);
		if (strcmp(bytes, "new") == 0) {
			seen.whole++;
			assert_int_equal(len, -1);
		} else {
			assert_string_equal(bytes, "old");
			seen.nothing += len < 0;
			seen.torn += strcmp(fresh, "new") == 0;
		}
		disk_destroy(disk);
	}
	assert_true(seen.whole > 0 && seen.nothing > 0 && seen.torn > 0);
	assert_int_equal(seen.whole + seen.nothing + seen.torn, SEEDS);
}

/* A folder that is not on the disk takes with it what is; what was removed may come back. */
static void
test_folders_and_what_was_removed(void **state)
{
	Seen seen = {0, 0, 0};
	char bytes[BYTES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		Disk *disk = begin(seed);

		assert_int_equal(disk_make_folder(disk, in_folder("d"), 0700), 0);
		int fd = create(disk, "d/a");
		put(disk, fd, "a");
		assert_int_equal(disk_sync(disk, fd), 0);
		close(fd);
		assert_int_equal(disk_sync_folder(disk, in_folder("d")), 0);
		if (seed % 2 == 0)
			assert_int_equal(disk_sync_folder(disk, folder), 0);
		disk_restart(disk);
		bool there = get("d/a", bytes) == 1;
		seen.nothing += !there;
		assert_true(there || seed % 2 != 0);
		if (there)
			assert_int_equal(disk_unlink(disk, in_folder("d/a")), 0);
		disk_restart(disk);
		seen.whole += there && get("d/a", bytes) == 1;
		disk_destroy(disk);
	}
	assert_true(seen.whole > 0 && seen.nothing > 0);
}

/* Sooner or later each call fails; the last one of a life carries out a part, or all of it. */
static void
test_calls_fail(void **state)
{
	uint32_t refused = 0, parts = 0, forgotten = 0;
	char bytes[BYTES_MAX];

	(void)state;
	for (uint64_t seed = 1; seed <= 10 * SEEDS; seed++) {
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
		Disk *disk = disk_new(folder, seed);
		int fd = open(in_folder("a"), O_RDWR | O_CREAT, 0600);

		close(fd);
		fd = disk_open(disk, in_folder("a"), O_RDWR, 0600);
		ssize_t done = fd >= 0 ? disk_write(disk, fd, "01234567", 8) : -1;
		ssize_t len = get("a", bytes);
		refused += done < 0;
		parts += len > 0 && len < 8;
		assert_true(done < 0 || done == len);
		if (done == 8 && disk_sync(disk, fd) != 0) {
			assert_true(disk_has_failed(disk));
			/* A second sync says that all is well, and it is not. */
			bool again = disk_sync(disk, fd) == 0;
			close(fd);
			disk_restart(disk);
			get("a", bytes);
			forgotten += again && strcmp(bytes, "01234567") != 0;
		} else if (fd >= 0) {
			close(fd);
		}
		disk_destroy(disk);
	}
	assert_true(refused > 0);
	assert_true(parts > 0);
	assert_true(forgotten > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bytes_that_were_not_synced),
		cmocka_unit_test(test_bytes_that_were_cut_off),
		cmocka_unit_test(test_names_that_were_not_synced),
		cmocka_unit_test(test_folders_and_what_was_removed),
		cmocka_unit_test(test_calls_fail),
	};

	if (mkdtemp(folder) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	return rmdir(folder) != 0 || failed != 0;
}
