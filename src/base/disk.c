/* base/disk.c -- libc's calls, or those of a trial's disk. */
#include "base/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/disk_trial.h"

int
disk_open(Disk *disk, const char *path, int flags, mode_t mode)
{
	return disk == NULL ? open(path, flags, mode) : trial_open(disk, path, flags, mode);
}

ssize_t
disk_write(Disk *disk, int fd, const void *bytes, size_t len)
{
	return disk == NULL ? write(fd, bytes, len) : trial_write(disk, fd, bytes, len, -1);
}

ssize_t
disk_pwrite(Disk *disk, int fd, const void *bytes, size_t len, int64_t at)
{
	return disk == NULL ? pwrite(fd, bytes, len, at) : trial_write(disk, fd, bytes, len, at);
}

int
disk_truncate(Disk *disk, int fd, int64_t len)
{
	return disk == NULL ? ftruncate(fd, len) : trial_truncate(disk, fd, len);
}

int
disk_sync(Disk *disk, int fd)
{
	return disk == NULL ? fdatasync(fd) : trial_sync(disk, fd);
}

int
disk_sync_folder(Disk *disk, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	int result = disk == NULL ? fsync(fd) : trial_sync_folder(disk, fd);
	int code = errno;
	close(fd);
	errno = code;
	return result;
}

int
disk_rename(Disk *disk, const char *from, const char *to)
{
	return disk == NULL ? rename(from, to) : trial_rename(disk, from, to);
}

int
disk_unlink(Disk *disk, const char *path)
{
	return disk == NULL ? unlink(path) : trial_unlink(disk, path);
}

int
disk_make_folder(Disk *disk, const char *path, mode_t mode)
{
	return disk == NULL ? mkdir(path, mode) : trial_make_folder(disk, path, mode);
}
