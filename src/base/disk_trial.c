/* base/disk_trial.c -- real files, what of them is on the disk, and what is left without power. */
#include "base/disk_trial.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/memory.h"

#define LIVES_MAX 10 /* then nothing fails any more */

typedef struct Range {
	int64_t from, to;
} Range;

typedef struct TrialFile {
	dev_t device;
	ino_t inode;
	int fd;         /* its own: to read and tear it, whoever has it open besides */
	Buffer durable; /* what is on the disk */
	Range *written; /* since then */
	uint32_t written_count, written_capacity;
} TrialFile;

typedef enum ChangeKind { CHANGE_CREATED, CHANGE_RENAMED, CHANGE_REMOVED } ChangeKind;

/* A name that is not on the disk as it is now. */
typedef struct Change {
	ChangeKind kind;
	ino_t folder;
	const char *path; /* of what was created or removed, or its new name */
	const char *from; /* renamed: the old name */
	const char *kept; /* another name of the file that had this path before; NULL: none */
} Change;

struct Disk {
	const char *folder;
	uint64_t random;
	Arena arena; /* names */
	TrialFile *files;
	uint32_t file_count, file_capacity;
	Change *changes; /* in order */
	uint32_t change_count, change_capacity;
	uint32_t kept_count; /* names given to what is to be kept */
	uint32_t lives;      /* of the statement */
	uint64_t calls, at;  /* in this life; the one that fails, 0: none */
	bool dies;           /* it is the last one */
	bool dead;
	bool unheard; /* it is carried out, but nobody hears of it */
	bool has_failed;
	DiskCounters counters;
};

/* ---------------------------------------------------------------- chance */

/* 0..limit-1; splitmix64 of Steele, Lea and Flood, 2014. */
static uint64_t
draw(Disk *disk, uint64_t limit)
{
	uint64_t z = disk->random += UINT64_C(0x9E3779B97F4A7C15);

	z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
	return (z ^ z >> 31) % limit;
}

/* Chooses the call that fails. */
static void
begin_life(Disk *disk)
{
	bool safe = disk->lives >= LIVES_MAX || draw(disk, 3) == 0;

	disk->calls = 0;
	disk->at = safe ? 0 : 1 + draw(disk, UINT64_C(4) << draw(disk, 5));
	disk->dies = draw(disk, 2) == 0;
	disk->dead = disk->unheard = disk->has_failed = false;
}

/* Whether the call fails, and is not carried out. */
static bool
is_refused(Disk *disk)
{
	if (!disk->dead && ++disk->calls != disk->at)
		return false;
	errno = EIO;
	if (disk->dead)
		return true;
	disk->has_failed = true;
	disk->counters.failed++;
	disk->dead = disk->dies;
	disk->unheard = disk->dies && draw(disk, 2) == 0;
	if (draw(disk, 2) == 0)
		errno = ENOSPC;
	return !disk->unheard;
}

static int
heard(Disk *disk, int result)
{
	if (!disk->unheard)
		return result;
	disk->unheard = false;
	errno = EIO;
	return -1;
}

/* ---------------------------------------------------------------- bytes */

static void
load(int fd, Buffer *out, int64_t from, int64_t to)
{
	while (from < to) {
		ssize_t n = pread(fd, out->data + from, (size_t)(to - from), from);

		if (n <= 0)
			return;
		from += n;
	}
}

/* As long as the file is; what is new is zeros. */
static int64_t
fit_length(const TrialFile *file, Buffer *out)
{
	struct stat info = {0};

	fstat(file->fd, &info);
	size_t len = (size_t)info.st_size;
	if (len > out->len) {
		char *more = buffer_reserve(out, len - out->len);

		memset(more, 0, len - out->len);
	}
	out->len = len;
	return info.st_size;
}

static TrialFile *
find_file(Disk *disk, int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return NULL;
	for (uint32_t i = 0; i < disk->file_count; i++)
		if (disk->files[i].inode == info.st_ino && disk->files[i].device == info.st_dev)
			return &disk->files[i];
	return NULL;
}

/* What a file holds that is opened for the first time is on the disk. */
static void
add_file(Disk *disk, int fd)
{
	struct stat info;
	char path[64];

	if (find_file(disk, fd) != NULL || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode))
		return;
	if (disk->file_count == disk->file_capacity) {
		disk->file_capacity = disk->file_capacity * 2 + 8;
		disk->files = memory_resize(disk->files, sizeof *disk->files * disk->file_capacity);
	}
	TrialFile *file = &disk->files[disk->file_count++];
	/* A description of its own, which holds none of the process's locks. */
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	*file = (TrialFile){
		.device = info.st_dev, .inode = info.st_ino, .fd = open(path, O_RDWR | O_CLOEXEC)};
	buffer_init(&file->durable, SIZE_MAX);
	load(file->fd, &file->durable, 0, fit_length(file, &file->durable));
}

static void
note_written(TrialFile *file, int64_t from, int64_t len)
{
	if (file->written_count == file->written_capacity) {
		file->written_capacity = file->written_capacity * 2 + 8;
		file->written = memory_resize(file->written,
					      sizeof *file->written * file->written_capacity);
	}
	file->written[file->written_count++] = (Range){from, from + len};
}

/* ---------------------------------------------------------------- names */

static ino_t
folder_of(Disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct stat info = {0};

	Str folder = {path, slash != NULL ? (uint32_t)(slash - path + 1) : 0};
	if (stat(folder.len > 0 ? str_copy(&disk->arena, folder).data : ".", &info) != 0)
		return 0;
	return info.st_ino;
}

/* A name out of the way. */
static const char *
new_name(Disk *disk)
{
	return str_format(&disk->arena, "%s/.disk-%u", disk->folder, disk->kept_count++).data;
}

/* Before a name goes: another one of the same file; NULL: there is no file. */
static const char *
keep(Disk *disk, const char *path)
{
	const char *kept = new_name(disk);

	return link(path, kept) == 0 ? kept : NULL;
}

static void
note_change(Disk *disk, ChangeKind kind, const char *path, const char *from, const char *kept)
{
	if (disk->change_count == disk->change_capacity) {
		disk->change_capacity = disk->change_capacity * 2 + 8;
		disk->changes =
			memory_resize(disk->changes, sizeof *disk->changes * disk->change_capacity);
	}
	disk->changes[disk->change_count++] = (Change){
		.kind = kind,
		.folder = folder_of(disk, path),
		.path = str_copy(&disk->arena, str_from(path)).data,
		.from = from != NULL ? str_copy(&disk->arena, str_from(from)).data : NULL,
		.kept = kept,
	};
}

/* It is on the disk as it is: of a folder, or of all (0). */
static void
settle_names(Disk *disk, ino_t folder)
{
	uint32_t left = 0;

	for (uint32_t i = 0; i < disk->change_count; i++) {
		Change change = disk->changes[i];

		if (folder != 0 && change.folder != folder)
			disk->changes[left++] = change;
		else if (change.kept != NULL)
			unlink(change.kept);
	}
	disk->change_count = left;
}

static void
undo(Disk *disk, const Change *change)
{
	switch (change->kind) {
	case CHANGE_CREATED: /* a folder goes with all that is in it */
		rename(change->path, new_name(disk));
		break;
	case CHANGE_RENAMED:
		rename(change->path, change->from);
		break;
	case CHANGE_REMOVED:
		break;
	}
	if (change->kept != NULL)
		rename(change->kept, change->path);
}

/* ---------------------------------------------------------------- without power */

/* The sectors that were written come out of `now`, or they do not. */
static void
tear_sectors(Disk *disk, const TrialFile *file, const Buffer *now, Buffer *torn)
{
	size_t sector = (size_t)1 << draw(disk, 10);
	uint64_t chance = draw(disk, 5); /* of 4 */

	for (size_t at = 0; at < torn->len; at += sector) {
		if (draw(disk, 4) >= chance)
			continue;
		for (uint32_t i = 0; i < file->written_count; i++) {
			size_t from = (size_t)file->written[i].from,
			       to = (size_t)file->written[i].to;

			from = from > at ? from : at;
			to = to < at + sector ? to : at + sector;
			to = to < torn->len ? to : torn->len;
			to = to < now->len ? to : now->len;
			if (from < to)
				memcpy(torn->data + from, now->data + from, to - from);
		}
	}
}

static size_t
choose_length(Disk *disk, size_t old, size_t now)
{
	size_t least = old < now ? old : now, most = old < now ? now : old;

	switch (draw(disk, 3)) {
	case 0:
		return old;
	case 1:
		return now;
	default:
		return least + draw(disk, most - least + 1);
	}
}

static void
store(const TrialFile *file, const Buffer *bytes)
{
	size_t done = 0;

	while (done < bytes->len) {
		ssize_t n = pwrite(file->fd, bytes->data + done, bytes->len - done, (off_t)done);

		if (n <= 0)
			break;
		done += (size_t)n;
	}
	if (ftruncate(file->fd, (off_t)bytes->len) != 0)
		perror("disk_trial");
}

/* What is left of a file; from now on that is what is on the disk. */
static void
tear(Disk *disk, TrialFile *file)
{
	Buffer now;
	Buffer *torn = &file->durable;

	buffer_init(&now, SIZE_MAX);
	load(file->fd, &now, 0, fit_length(file, &now));
	size_t old = torn->len, len = choose_length(disk, old, now.len);
	if (len > old)
		memset(buffer_reserve(torn, len - old), 0, len - old);
	torn->len = len;
	tear_sectors(disk, file, &now, torn);
	file->written_count = 0;
	if (len != now.len || (len > 0 && memcmp(torn->data, now.data, len) != 0)) {
		disk->counters.torn++;
		store(file, torn);
	}
	buffer_free(&now);
}

static void
lose_power(Disk *disk)
{
	uint64_t kept = draw(disk, 2) == 0 ? 0 : draw(disk, disk->change_count + 1);

	disk->counters.power += disk->file_count > 0;
	while (disk->change_count > kept)
		undo(disk, &disk->changes[--disk->change_count]);
	settle_names(disk, 0);
	for (uint32_t i = 0; i < disk->file_count; i++)
		tear(disk, &disk->files[i]);
}

/* ---------------------------------------------------------------- for the trial */

Disk *
disk_new(const char *folder, uint64_t seed)
{
	Disk *disk = memory_zero(sizeof *disk);

	disk->folder = folder;
	disk->random = seed;
	arena_init(&disk->arena, 0);
	begin_life(disk);
	return disk;
}

static void
settle(Disk *disk)
{
	settle_names(disk, 0);
	for (uint32_t i = 0; i < disk->file_count; i++) {
		TrialFile *file = &disk->files[i];

		close(file->fd);
		buffer_free(&file->durable);
		memory_free(file->written);
	}
	disk->file_count = 0;
}

void
disk_destroy(Disk *disk)
{
	if (disk == NULL)
		return;
	settle(disk);
	memory_free(disk->files);
	memory_free(disk->changes);
	arena_free(&disk->arena);
	memory_free(disk);
}

void
disk_begin(Disk *disk)
{
	settle(disk);
	disk->lives = 0;
	begin_life(disk);
}

void
disk_restart(Disk *disk)
{
	if (draw(disk, 3) != 0)
		lose_power(disk);
	disk->lives++;
	begin_life(disk);
}

bool
disk_has_failed(const Disk *disk)
{
	return disk->has_failed;
}

DiskCounters
disk_counters(const Disk *disk)
{
	return disk->counters;
}

/* ---------------------------------------------------------------- calls */

int
trial_open(Disk *disk, const char *path, int flags, mode_t mode)
{
	bool existed = access(path, F_OK) == 0;

	if (is_refused(disk))
		return -1;
	/* What is cut off is still on the disk. */
	int fd = open(path, flags & ~O_TRUNC, mode);
	if (fd < 0)
		return heard(disk, fd);
	add_file(disk, fd);
	if (!existed)
		note_change(disk, CHANGE_CREATED, path, NULL, NULL);
	if ((flags & O_TRUNC) != 0 && ftruncate(fd, 0) != 0)
		disk->unheard = true;
	if (disk->unheard)
		close(fd);
	return heard(disk, fd);
}

/* A write that fails has written a part: it says so, and the next one fails. */
ssize_t
trial_write(Disk *disk, int fd, const void *bytes, size_t len, int64_t at)
{
	bool was_dead = disk->dead;
	bool refused = is_refused(disk);
	int code = errno;
	TrialFile *file = find_file(disk, fd);
	struct stat info;

	if (was_dead || (refused && len == 0))
		return -1;
	size_t part = refused ? draw(disk, len) : len;
	int64_t from = at >= 0 ? at : lseek(fd, 0, SEEK_CUR);
	if (at < 0 && (fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &info) == 0)
		from = info.st_size;
	ssize_t n = at >= 0 ? pwrite(fd, bytes, part, at) : write(fd, bytes, part);
	if (n > 0 && file != NULL)
		note_written(file, from, n);
	if (!refused)
		return heard(disk, 0) == 0 ? n : -1;
	if (disk->dead || n <= 0) {
		errno = code;
		return -1;
	}
	disk->at++;
	return n;
}

int
trial_truncate(Disk *disk, int fd, int64_t len)
{
	return is_refused(disk) ? -1 : heard(disk, ftruncate(fd, len));
}

int
trial_sync(Disk *disk, int fd)
{
	TrialFile *file = find_file(disk, fd);
	bool refused = is_refused(disk);
	bool forgets = refused && !disk->dead && draw(disk, 2) == 0;

	if (file != NULL && !refused) {
		int64_t len = fit_length(file, &file->durable);

		for (uint32_t i = 0; i < file->written_count; i++) {
			const Range *range = &file->written[i];

			load(file->fd, &file->durable, range->from,
			     range->to < len ? range->to : len);
		}
	}
	if (file != NULL && (!refused || forgets))
		file->written_count = 0;
	return refused ? -1 : heard(disk, 0);
}

int
trial_sync_folder(Disk *disk, int fd)
{
	struct stat info;

	if (is_refused(disk))
		return -1;
	if (fstat(fd, &info) == 0)
		settle_names(disk, info.st_ino);
	return heard(disk, 0);
}

int
trial_rename(Disk *disk, const char *from, const char *to)
{
	if (is_refused(disk))
		return -1;
	const char *kept = keep(disk, to);
	int result = rename(from, to);
	if (result == 0)
		note_change(disk, CHANGE_RENAMED, to, from, kept);
	return heard(disk, result);
}

/* When it is carried out somebody hears of it: a statement is done then, and would begin anew. */
int
trial_unlink(Disk *disk, const char *path)
{
	if (is_refused(disk) || disk->unheard)
		return heard(disk, -1);
	const char *kept = keep(disk, path);
	int result = unlink(path);
	int code = errno;
	if (result == 0)
		note_change(disk, CHANGE_REMOVED, path, NULL, kept);
	errno = code;
	return result;
}

int
trial_make_folder(Disk *disk, const char *path, mode_t mode)
{
	if (access(path, F_OK) == 0) {
		errno = EEXIST;
		return -1;
	}
	if (is_refused(disk))
		return -1;
	int result = mkdir(path, mode);
	if (result == 0)
		note_change(disk, CHANGE_CREATED, path, NULL, NULL);
	return heard(disk, result);
}
