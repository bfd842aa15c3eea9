/* tests/unit/test_journal.c -- epochs in a journal: torn, damaged, written anew, taken. */
#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/disk_trial.h"
#include "state/journal.h"

#define EPOCHS 3
#define MEMORY ((size_t)1 << 20)

static char dir[] = "/tmp/ferris-journal-XXXXXX";
static const JournalSpec spec = {.dir = dir, .name = "j", .memory = MEMORY};

static const char *
in_journal(const char *name)
{
	static char path[200];

	snprintf(path, sizeof path, "%s/jobs/j/%s", dir, name);
	return path;
}

static Journal *
open_it(void)
{
	Journal *journal;
	Error err = {0};

	assert_int_equal(journal_open(&spec, &journal, &err), FERRIS_OK);
	return journal;
}

static void
put(Journal *journal, const char *key, unsigned value)
{
	char text[16];
	Error err = {0};

	snprintf(text, sizeof text, "%u", value);
	assert_int_equal(journal_put(journal, str_from(key), str_from(text), &err), FERRIS_OK);
}

static void
commit(Journal *journal)
{
	Error err = {0};

	assert_int_equal(journal_commit(journal, &err), FERRIS_OK);
}

static void
clear(void)
{
	Journal *journal = open_it();
	Error err = {0};

	assert_int_equal(journal_remove(journal, &err), FERRIS_OK);
	journal_close(journal);
	assert_int_not_equal(access(in_journal("."), F_OK), 0);
}

/* What the records say of "epoch", and how many there are of other keys. */
typedef struct Found {
	unsigned epoch;
	unsigned others;
} Found;

static Status
look(void *context, Str key, Str value, Error *err)
{
	Found *found = context;

	(void)err;
	if (!str_eq(key, STR("epoch"))) {
		found->others++;
		return FERRIS_OK;
	}
	found->epoch = 0;
	for (uint32_t i = 0; i < value.len; i++)
		found->epoch = 10 * found->epoch + (unsigned)(value.data[i] - '0');
	return FERRIS_OK;
}

static Found
find(Journal *journal)
{
	Found found = {0, 0};
	Error err = {0};

	assert_int_equal(journal_read(journal, look, &found, &err), FERRIS_OK);
	return found;
}

static size_t
load(const char *name, char *bytes, size_t size)
{
	FILE *file = fopen(in_journal(name), "rb");

	assert_non_null(file);
	size_t len = fread(bytes, 1, size, file);
	fclose(file);
	return len;
}

static void
store(const char *name, const char *bytes, size_t len)
{
	FILE *file = fopen(in_journal(name), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Three epochs; ends[n] is the length of the file after n + 1 of them. */
static size_t
make_epochs(char *bytes, size_t size, size_t ends[EPOCHS])
{
	Journal *journal = open_it();
	struct stat info;

	for (unsigned i = 0; i < EPOCHS; i++) {
		put(journal, "epoch", i + 1);
		put(journal, "other", i);
		commit(journal);
		assert_int_equal(stat(in_journal("journal"), &info), 0);
		ends[i] = (size_t)info.st_size;
	}
	put(journal, "epoch", 99); /* of an epoch that does not come to its end */
	journal_close(journal);
	return load("journal", bytes, size);
}

static unsigned
whole_epochs(const size_t ends[EPOCHS], size_t len)
{
	unsigned count = 0;

	while (count < EPOCHS && ends[count] <= len)
		count++;
	return count;
}

/* The journal is whole up to `len`: it tells of the epochs before, or is refused if there is none,
 * and takes the next one. */
static void
assert_epochs(unsigned epochs, bool removed)
{
	Journal *journal;
	Error err = {0};

	if (epochs == 0 && !removed) {
		assert_int_equal(journal_open(&spec, &journal, &err), FERRIS_ERR_STATE_DAMAGED);
		assert_non_null(strstr(err.hint, "remove the folder"));
		journal_close(journal);
		return;
	}
	journal = open_it();
	assert_int_equal(find(journal).epoch, epochs);
	put(journal, "epoch", epochs + 10);
	commit(journal);
	journal_close(journal);
	journal = open_it();
	assert_int_equal(find(journal).epoch, epochs + 10);
	journal_close(journal);
}

static void
test_cut_at_every_byte(void **state)
{
	char bytes[2000];
	size_t ends[EPOCHS], len = make_epochs(bytes, sizeof bytes, ends);

	(void)state;
	assert_int_equal(len, ends[EPOCHS - 1]);
	for (size_t i = 0; i <= len; i++) {
		store("journal", bytes, i);
		assert_epochs(whole_epochs(ends, i), false);
	}
	store("journal", bytes, len);
	clear();
}

/* What is behind the damage does not count, whatever it is. */
static void
test_every_bit_flipped(void **state)
{
	char bytes[2000];
	size_t ends[EPOCHS], len = make_epochs(bytes, sizeof bytes, ends);

	(void)state;
	for (size_t i = 0; i < len * 8; i++) {
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
		store("journal", bytes, len);
		assert_epochs(whole_epochs(ends, i / 8), false);
		bytes[i / 8] = (char)(bytes[i / 8] ^ 1 << i % 8);
	}
	store("journal", bytes, len);
	clear();
}

static void
test_garbage_behind_the_end(void **state)
{
	char bytes[2000];
	size_t ends[EPOCHS], len = make_epochs(bytes, sizeof bytes, ends);

	(void)state;
	for (size_t i = 1; i < 300; i++) {
		memset(bytes + len, i % 2 == 0 ? 0 : (int)i, i);
		store("journal", bytes, len + i);
		assert_epochs(EPOCHS, false);
	}
	clear();
}

/* Many epochs over few keys: the file does not grow with them, and the one before it is as good. */
static void
test_written_anew(void **state)
{
	static char bytes[1 << 22], old[1 << 22];
	char key[16], value[2000];
	struct stat info;
	Journal *journal = open_it();
	Error err = {0};

	(void)state;
	memset(value, 'v', sizeof value);
	for (unsigned i = 1; i <= 5000; i++) {
		snprintf(key, sizeof key, "k%u", i % 50);
		Str large = {value, sizeof value};
		assert_int_equal(journal_put(journal, str_from(key), large, &err), FERRIS_OK);
		put(journal, "epoch", i);
		commit(journal);
		assert_int_equal(stat(in_journal("journal"), &info), 0);
		assert_in_range(info.st_size, 1, 2 << 20);
	}
	assert_int_equal(find(journal).epoch, 5000);
	journal_close(journal);
	size_t len = load("journal", bytes, sizeof bytes);
	size_t old_len = load("journal.old", old, sizeof old);
	/* Not put in its place in time. */
	unlink(in_journal("journal"));
	journal = open_it();
	unsigned before = find(journal).epoch;
	assert_in_range(before, 4000, 5000);
	journal_close(journal);
	/* Damaged at its beginning, whether it can be read further or not. */
	for (size_t i = 0; i < 200; i++) {
		bytes[i] = (char)(bytes[i] ^ 0x10);
		store("journal", bytes, len);
		store("journal.old", old, old_len);
		journal = open_it();
		assert_int_equal(find(journal).epoch, before);
		journal_close(journal);
		bytes[i] = (char)(bytes[i] ^ 0x10);
	}
	clear();
}

static void
test_one_process_alone(void **state)
{
	Journal *journal = open_it(), *other;
	Error err = {0};

	(void)state;
	assert_int_not_equal(access(in_journal("."), F_OK), 0); /* nothing before the first epoch */
	commit(journal);
	assert_int_equal(journal_open(&spec, &other, &err), FERRIS_ERR_STATE);
	assert_non_null(strstr(err.message, "another process"));
	journal_close(other);
	assert_int_equal(journal_remove(journal, &err), FERRIS_OK);
	other = open_it();
	commit(other);
	/* Who had it and begins again finds it taken. */
	assert_int_equal(journal_commit(journal, &err), FERRIS_ERR_STATE);
	journal_close(journal);
	journal_close(other);
	clear();
}

/* One life of a process: it finds an epoch that is not before the last one of which it was said
 * that it is final, and goes on from there until the disk fails, or for some epochs. */
static unsigned
live(Disk *disk, unsigned final, unsigned *tried)
{
	JournalSpec on_disk = {.dir = dir, .name = "j", .memory = MEMORY, .disk = disk};
	Journal *journal;
	char text[16];
	Error err = {0};

	if (journal_open(&on_disk, &journal, &err) == FERRIS_OK) {
		unsigned epoch = find(journal).epoch;

		assert_true(epoch >= final && epoch <= *tried);
		for (int i = 0; i < 3; i++) {
			snprintf(text, sizeof text, "%u", ++epoch);
			assert_int_equal(journal_put(journal, STR("epoch"), str_from(text), &err),
					 FERRIS_OK);
			*tried = epoch > *tried ? epoch : *tried;
			if (journal_commit(journal, &err) != FERRIS_OK)
				break;
			final = epoch;
		}
	} else {
		assert_true(disk_has_failed(disk));
	}
	journal_close(journal);
	return final;
}

/* Calls that fail and power that goes, in every order. */
static void
test_disks_fail(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 1500; seed++) {
		Disk *disk = disk_new(dir, seed);
		unsigned final = 0, tried = 0;

		for (int i = 0; i < 14; i++) {
			final = live(disk, final, &tried);
			disk_restart(disk);
		}
		disk_destroy(disk);
		clear();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_every_bit_flipped),
		cmocka_unit_test(test_garbage_behind_the_end),
		cmocka_unit_test(test_written_anew),
		cmocka_unit_test(test_one_process_alone),
		cmocka_unit_test(test_disks_fail),
	};

	if (mkdtemp(dir) == NULL)
		return 1;
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	char path[200];
	snprintf(path, sizeof path, "%s/jobs", dir);
	rmdir(path);
	rmdir(dir);
	return failed;
}
