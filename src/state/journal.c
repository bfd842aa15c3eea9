/* state/journal.c -- sections appended to a file, and files that take each other's place. */
#include "state/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "state/scratch_dir.h"
#include "state/snapshot.h"
#include "state/store.h"

#define LOCK_TRIES   100
#define WRITE_STEP   ((size_t)1 << 20)
#define REWRITE_FROM ((int64_t)1 << 20) /* a shorter file is not written anew */
#define PART_BYTES   ((size_t)16 << 20) /* of many records that are put at once */
#define TRIAL_FROM   256                /* in a trial */

struct Journal {
	JournalSpec spec;
	char folder[640];
	char path[660]; /* of the file that counts */
	int lock;       /* -1: there is no folder yet */
	int fd;         /* the file that sections go to; -1: none yet */
	int64_t len;    /* of its whole sections */
	int64_t last;   /* where the last of them begins */
	int64_t live;   /* its length when it was last written anew */
	bool failed;
	Buffer section; /* of the epoch that is open */
	SnapshotWriter writer;
};

static Status
failed(Error *err, const char *what, const char *path)
{
	int code = errno;

	error_set(err, FERRIS_ERR_STATE, "cannot %s '%s'", what, path);
	error_errno(err, code);
	err->flags = 0; /* what the disk has now is not known; the next start finds out */
	return error_hint(err, "make room on that disk, or set 'state.dir' to a folder on another, "
			       "and start again: it goes on from the last epoch");
}

static const char *
other_path(const Journal *journal, const char *name, char *out, size_t size)
{
	snprintf(out, size, "%s/%s", journal->folder, name);
	return out;
}

static Status
sync_folder(Disk *disk, const char *folder, Error *err)
{
	return disk_sync_folder(disk, folder) == 0 ? FERRIS_OK
						   : failed(err, "sync the folder", folder);
}

static Status
write_all(Disk *disk, int fd, const char *path, const Buffer *bytes, int64_t at, Error *err)
{
	size_t done = 0;

	while (done < bytes->len) {
		ssize_t n = disk_pwrite(disk, fd, bytes->data + done, bytes->len - done,
					at + (int64_t)done);

		if (n <= 0 && errno != EINTR)
			return failed(err, "write", path);
		done += n > 0 ? (size_t)n : 0;
	}
	return FERRIS_OK;
}

/* The journal's name, that of its folder and that of the folder above are on the disk. */
static Status
sync_folders(const Journal *journal, Error *err)
{
	static const char *const above[] = {"", "/..", "/../.."};
	char path[660];

	for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
		snprintf(path, sizeof path, "%s%s", journal->folder, above[i]);
		TRY(sync_folder(journal->spec.disk, path, err));
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the lock */

static Status
is_busy(const Journal *journal, Error *err)
{
	error_set(err, FERRIS_ERR_STATE, "another process has the journal '%s'", journal->folder);
	err->flags = 0;
	return error_hint(err, "two processes cannot write one output: stop the other one, or "
			       "write to another 'path'");
}

/* A lock that was removed by its owner while this process waited is worth nothing. */
static Status
take_lock(Journal *journal, bool make, Error *err)
{
	char path[660];
	struct stat info;

	other_path(journal, "lock", path, sizeof path);
	for (int i = 0; i < LOCK_TRIES; i++) {
		if (make)
			TRY(make_folders(journal->spec.disk, journal->folder, err));
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 && errno == ENOENT && !make)
			return FERRIS_OK;
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return failed(err, "open", path);
		if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
			close(fd);
			return is_busy(journal, err);
		}
		if (fstat(fd, &info) == 0 && info.st_nlink > 0) {
			journal->lock = fd;
			return FERRIS_OK;
		}
		close(fd);
	}
	return is_busy(journal, err);
}

/* ---------------------------------------------------------------- reading */

/* Where the last whole section ends; the journal's writer goes on from there. */
static Status
read_sections(Journal *journal, SnapshotReader *reader, uint32_t *sections, Error *err)
{
	Str key, value;

	for (*sections = 0; !snapshot_is_over(reader); ++*sections) {
		bool got = true;

		while (got)
			TRY(snapshot_next(reader, &key, &value, &got, err));
		journal->last = *sections > 0 ? journal->len : 0;
		journal->len = ftello(reader->file);
		journal->writer.count = reader->count;
		journal->writer.checksum = reader->checksum;
	}
	return FERRIS_OK;
}

/* FERRIS_ERR_STATE_DAMAGED: not even the first section is whole. */
static Status
check_file(Journal *journal, const char *path, Error *err)
{
	SnapshotReader reader;
	uint32_t sections = 0;
	FILE *file = fopen(path, "rbe");

	if (file == NULL)
		return failed(err, "open", path);
	Status status = snapshot_open(&reader, file, path, err);
	if (status == FERRIS_OK)
		status = read_sections(journal, &reader, &sections, err);
	snapshot_close(&reader);
	fclose(file);
	if (sections > 0 && status == FERRIS_ERR_STATE_DAMAGED)
		return FERRIS_OK;
	if (status != FERRIS_OK || sections > 0)
		return status;
	return error_set(err, FERRIS_ERR_STATE_DAMAGED, "the journal '%s' is empty", path);
}

/* Of the last section it is not known whether it is on the disk: when a sync fails, its bytes may
 * be there to be read, and no later sync writes them.  What is written again is synced with the
 * next section, which is worth nothing without it.  The first one was synced before the file had
 * its name. */
static Status
write_last_again(Journal *journal, Error *err)
{
	size_t len = (size_t)(journal->len - journal->last);

	if (journal->last == 0)
		return FERRIS_OK;
	char *bytes = buffer_reserve(&journal->section, len);
	if (pread(journal->fd, bytes, len, journal->last) != (ssize_t)len)
		return failed(err, "read", journal->path);
	buffer_commit(&journal->section, bytes + len);
	Status status = write_all(journal->spec.disk, journal->fd, journal->path, &journal->section,
				  journal->last, err);
	buffer_reset(&journal->section);
	return status;
}

/* The file before takes the place of one that is damaged, or was not put there in time. */
static Status
fall_back(Journal *journal, const char *old, Error *err)
{
	Error ignored;

	if (access(old, F_OK) != 0 || check_file(journal, old, &ignored) != FERRIS_OK)
		return err->status;
	return disk_rename(journal->spec.disk, old, journal->path) == 0
		       ? FERRIS_OK
		       : failed(err, "rename", old);
}

static Status
find_file(Journal *journal, Error *err)
{
	char old[660];
	bool exists = access(journal->path, F_OK) == 0;

	other_path(journal, "journal.old", old, sizeof old);
	if (!exists && access(old, F_OK) != 0)
		return FERRIS_OK;
	err->status = FERRIS_ERR_STATE_DAMAGED;
	Status status = exists ? check_file(journal, journal->path, err) : err->status;
	if (status == FERRIS_ERR_STATE_DAMAGED)
		status = fall_back(journal, old, err);
	if (status == FERRIS_ERR_STATE_DAMAGED)
		return error_hint(err,
				  "nothing says any more how far the statement had come: remove "
				  "the folder '%s' to begin anew",
				  journal->folder);
	TRY(status);
	/* The process that gave the file its name may not have come so far. */
	TRY(sync_folders(journal, err));
	journal->fd = disk_open(journal->spec.disk, journal->path, O_RDWR | O_CLOEXEC, 0);
	/* What a crash left behind the last whole section. */
	if (journal->fd < 0 || disk_truncate(journal->spec.disk, journal->fd, journal->len) != 0)
		return failed(err, "open", journal->path);
	return write_last_again(journal, err);
}

Status
journal_open(const JournalSpec *spec, Journal **out, Error *err)
{
	Journal *journal = memory_zero(sizeof *journal);
	char standard[512];

	*out = journal;
	journal->lock = journal->fd = -1;
	journal->spec = *spec;
	buffer_init(&journal->section, SIZE_MAX);
	snapshot_writer_init(&journal->writer, &journal->section);
	snprintf(journal->folder, sizeof journal->folder, "%s/jobs",
		 spec->dir != NULL ? spec->dir : store_default_dir(standard, sizeof standard));
	/* Now, so that a folder that cannot be written is no surprise later. */
	TRY(make_folders(spec->disk, journal->folder, err));
	size_t len = strlen(journal->folder);
	snprintf(journal->folder + len, sizeof journal->folder - len, "/%s", spec->name);
	other_path(journal, "journal", journal->path, sizeof journal->path);
	TRY(take_lock(journal, false, err));
	return journal->lock >= 0 ? find_file(journal, err) : FERRIS_OK;
}

void
journal_close(Journal *journal)
{
	if (journal == NULL)
		return;
	if (journal->fd >= 0)
		close(journal->fd);
	if (journal->lock >= 0)
		close(journal->lock);
	buffer_free(&journal->section);
	memory_free(journal);
}

const char *
journal_folder(const Journal *journal)
{
	return journal->folder;
}

bool
journal_has_epochs(const Journal *journal)
{
	return journal->fd >= 0;
}

static Status
visit_sections(const Journal *journal, SnapshotReader *reader, JournalVisit visit, void *context,
	       Error *err)
{
	Str key, value;

	while (ftello(reader->file) < journal->len) {
		bool got = true;

		while (got) {
			TRY(snapshot_next(reader, &key, &value, &got, err));
			if (got)
				TRY(visit(context, key, value, err));
		}
	}
	return FERRIS_OK;
}

Status
journal_read(Journal *journal, JournalVisit visit, void *context, Error *err)
{
	SnapshotReader reader;

	if (journal->fd < 0)
		return FERRIS_OK;
	FILE *file = fopen(journal->path, "rbe");
	if (file == NULL)
		return failed(err, "open", journal->path);
	Status status = snapshot_open(&reader, file, journal->path, err);
	if (status == FERRIS_OK)
		status = visit_sections(journal, &reader, visit, context, err);
	snapshot_close(&reader);
	fclose(file);
	return status;
}

/* ---------------------------------------------------------------- writing */

/* The new file is whole and on the disk: it takes its place. */
static Status
publish(Journal *journal, int fd, const char *fresh, Error *err)
{
	char old[660];

	if (disk_sync(journal->spec.disk, fd) != 0)
		return failed(err, "sync", fresh);
	other_path(journal, "journal.old", old, sizeof old);
	if (journal->fd >= 0 && disk_rename(journal->spec.disk, journal->path, old) != 0)
		return failed(err, "rename", journal->path);
	if (disk_rename(journal->spec.disk, fresh, journal->path) != 0)
		return failed(err, "rename", fresh);
	TRY(sync_folder(journal->spec.disk, journal->folder, err));
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = fd;
	return FERRIS_OK;
}

static Status
open_fresh(const Journal *journal, char *path, size_t size, int *fd, Error *err)
{
	other_path(journal, "journal.new", path, size);
	*fd = disk_open(journal->spec.disk, path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	return *fd >= 0 ? FERRIS_OK : failed(err, "write", path);
}

/* The first epoch: with it the folder comes into being. */
static Status
begin_file(Journal *journal, Error *err)
{
	char fresh[660];
	int fd;

	if (journal->lock < 0)
		TRY(take_lock(journal, true, err));
	TRY(open_fresh(journal, fresh, sizeof fresh, &fd, err));
	Status status = write_all(journal->spec.disk, fd, fresh, &journal->section, 0, err);
	if (status == FERRIS_OK)
		status = publish(journal, fd, fresh, err);
	if (journal->fd != fd)
		close(fd);
	TRY(status);
	TRY(sync_folders(journal, err)); /* they may be new too */
	journal->len = journal->live = (int64_t)journal->section.len;
	return FERRIS_OK;
}

static Status
append_section(Journal *journal, Error *err)
{
	TRY(write_all(journal->spec.disk, journal->fd, journal->path, &journal->section,
		      journal->len, err));
	if (disk_sync(journal->spec.disk, journal->fd) != 0)
		return failed(err, "sync", journal->path);
	journal->len += (int64_t)journal->section.len;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- writing it anew */

static Status
gather(void *context, Str key, Str value, Error *err)
{
	return gathering_take(context, key, value, err);
}

/* Hands over what has come together in the section. */
static Status
drain(Journal *journal, int fd, const char *path, int64_t *len, size_t from, Error *err)
{
	if (journal->section.len < from)
		return FERRIS_OK;
	TRY(write_all(journal->spec.disk, fd, path, &journal->section, *len, err));
	*len += (int64_t)journal->section.len;
	buffer_reset(&journal->section);
	return FERRIS_OK;
}

static Status
write_gathered(Journal *journal, StateBackend *records, int fd, const char *path, int64_t *len,
	       Error *err)
{
	StateCursor *cursor;
	Status status = FERRIS_OK;
	Str key, value;
	Error ignored;

	snapshot_writer_init(&journal->writer, &journal->section);
	snapshot_write_header(&journal->writer);
	TRY(records->class->scan(records, STR(""), &cursor, err));
	while (status == FERRIS_OK && records->class->cursor_next(cursor, &key, &value)) {
		status = journal->writer.base.put(&journal->writer.base, key, value, err);
		if (status == FERRIS_OK)
			status = drain(journal, fd, path, len, WRITE_STEP, err);
	}
	Status end = records->class->cursor_close(cursor, status == FERRIS_OK ? err : &ignored);
	TRY(status == FERRIS_OK ? end : status);
	snapshot_write_end(&journal->writer);
	return drain(journal, fd, path, len, 0, err);
}

static Status
write_anew(Journal *journal, Gathering *gathering, Error *err)
{
	char fresh[660];
	int64_t len = 0;
	int fd;

	TRY(journal_read(journal, gather, gathering, err));
	TRY(gathering_finish(gathering, err));
	TRY(open_fresh(journal, fresh, sizeof fresh, &fd, err));
	Status status = write_gathered(journal, gathering->records, fd, fresh, &len, err);
	if (status == FERRIS_OK)
		status = publish(journal, fd, fresh, err);
	if (journal->fd != fd)
		close(fd);
	TRY(status);
	journal->len = journal->live = len;
	return FERRIS_OK;
}

static Status
rewrite(Journal *journal, Error *err)
{
	Gathering gathering;

	buffer_reset(&journal->section);
	TRY(gathering_open(&gathering, journal->spec.dir, journal->spec.memory, err));
	Status status = write_anew(journal, &gathering, err);
	gathering_close(&gathering);
	return status;
}

Status
journal_put(Journal *journal, Str key, Str value, Error *err)
{
	if (journal->fd < 0 && journal->section.len == 0)
		snapshot_write_header(&journal->writer);
	return journal->writer.base.put(&journal->writer.base, key, value, err);
}

static Status
commit(Journal *journal, Error *err)
{
	if (journal->fd < 0 && journal->section.len == 0)
		snapshot_write_header(&journal->writer);
	snapshot_write_end(&journal->writer);
	TRY(journal->fd < 0 ? begin_file(journal, err) : append_section(journal, err));
	if (journal->len >
	    2 * journal->live + (journal->spec.disk != NULL ? TRIAL_FROM : REWRITE_FROM))
		TRY(rewrite(journal, err));
	buffer_reset(&journal->section);
	return FERRIS_OK;
}

Status
journal_commit(Journal *journal, Error *err)
{
	if (journal->failed)
		return error_set(err, FERRIS_ERR_STATE, "the journal '%s' cannot be written",
				 journal->path);
	Status status = commit(journal, err);
	journal->failed = status != FERRIS_OK;
	return status;
}

static Status
put_one(void *context, Str key, Str value, Error *err)
{
	Journal *journal = context;

	TRY(journal_put(journal, key, value, err));
	return journal->section.len >= PART_BYTES ? journal_commit(journal, err) : FERRIS_OK;
}

Status
journal_put_all(Journal *journal, StateBackend *records, Error *err)
{
	return backend_each(records, STR(""), put_one, journal, err);
}

/* The older file first: it must never be the only one, it would be believed.  Last the one that
 * counts: when it is gone all is done. */
Status
journal_remove(Journal *journal, Error *err)
{
	static const char *const names[] = {"journal.old", "journal.new", "journal"};
	char path[660];

	if (journal->lock < 0)
		return FERRIS_OK;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (disk_unlink(journal->spec.disk,
				other_path(journal, names[i], path, sizeof path)) != 0 &&
		    errno != ENOENT)
			return failed(err, "remove", path);
	if (journal->fd >= 0)
		close(journal->fd);
	journal->fd = -1;
	buffer_reset(&journal->section);
	snapshot_writer_init(&journal->writer, &journal->section);
	unlink(other_path(journal, "lock", path, sizeof path));
	rmdir(journal->folder);
	close(journal->lock);
	journal->lock = -1;
	return FERRIS_OK;
}
