/* state/scratch_dir.c -- mkdtemp, flock, and tidying up behind processes that were killed. */
#include "state/scratch_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_BEGINS "spill-"

static Status
dir_error(Error *err, const char *what, const char *path)
{
	int code = errno;

	error_set(err, FERRIS_ERR_STATE, "cannot %s '%s' for state on disk", what, path);
	error_errno(err, code);
	return error_hint(err, "set 'state.dir' to a folder on a disk with room that this user may "
			       "write to");
}

Status
make_folders(Disk *disk, const char *path, Error *err)
{
	char part[400];

	if (strlen(path) >= sizeof part - sizeof NAME_BEGINS - 16)
		return error_set(err, FERRIS_ERR_STATE, "'state.dir' is too long: '%s'", path);
	for (const char *slash = path; slash != NULL;) {
		slash = strchr(slash + 1, '/');
		size_t len = slash != NULL ? (size_t)(slash - path) : strlen(path);

		memcpy(part, path, len);
		part[len] = 0;
		if (disk_make_folder(disk, part, 0700) != 0 && errno != EEXIST)
			return dir_error(err, "make the folder", part);
	}
	return FERRIS_OK;
}

static void
remove_files(const char *path)
{
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (dir != NULL) {
		while ((entry = readdir(dir)) != NULL)
			unlinkat(dirfd(dir), entry->d_name, 0);
		closedir(dir);
	}
	rmdir(path);
}

/* Folders whose process is gone.  One without a lock file is being made or removed by another. */
static void
remove_left_behind(const char *parent)
{
	DIR *dir = opendir(parent);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		char path[700];

		if (strncmp(entry->d_name, NAME_BEGINS, strlen(NAME_BEGINS)) != 0)
			continue;
		snprintf(path, sizeof path, "%s/%s/lock", parent, entry->d_name);
		int lock = open(path, O_RDWR | O_CLOEXEC);
		if (lock < 0)
			continue;
		if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
			path[strlen(path) - strlen("/lock")] = 0;
			remove_files(path);
		}
		close(lock);
	}
	closedir(dir);
}

/* The lock is taken before the file has its name, so that nobody finds it free. */
static Status
make_lock(ScratchDir *dir, Error *err)
{
	char made[420], path[420];

	snprintf(made, sizeof made, "%s/lock.new", dir->path);
	snprintf(path, sizeof path, "%s/lock", dir->path);
	dir->lock = open(made, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (dir->lock < 0 || flock(dir->lock, LOCK_EX | LOCK_NB) != 0 || rename(made, path) != 0)
		return dir_error(err, "lock", path);
	return FERRIS_OK;
}

Status
scratch_dir_open(const char *parent, ScratchDir *out, Error *err)
{
	*out = (ScratchDir){.lock = -1};
	TRY(make_folders(NULL, parent, err));
	remove_left_behind(parent);
	snprintf(out->path, sizeof out->path, "%s/" NAME_BEGINS "XXXXXX", parent);
	if (mkdtemp(out->path) == NULL) {
		snprintf(out->path, sizeof out->path, "%s", parent);
		Status status = dir_error(err, "make a folder in", parent);
		out->path[0] = 0;
		return status;
	}
	return make_lock(out, err);
}

void
scratch_dir_close(ScratchDir *dir)
{
	if (dir->path[0] != 0)
		remove_files(dir->path);
	if (dir->lock >= 0)
		close(dir->lock);
	*dir = (ScratchDir){.lock = -1};
}
