/* base/disk.h -- the calls that change files, one by one, so that a trial can put another disk
 * under them.
 *
 * NULL is the real disk, and a call is libc's then.  The disk of a trial (base/disk_trial.h) lets
 * calls fail, and loses what was not synced.  Results and errno are as libc's.
 *
 * Threads: any; the disk of a trial is for one at a time. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct Disk Disk;

int disk_open(Disk *disk, const char *path, int flags, mode_t mode);
ssize_t disk_write(Disk *disk, int fd, const void *bytes, size_t len);
ssize_t disk_pwrite(Disk *disk, int fd, const void *bytes, size_t len, int64_t at);
int disk_truncate(Disk *disk, int fd, int64_t len);
/* The file's bytes and length are on the disk when it returns; its name may not be. */
int disk_sync(Disk *disk, int fd);
/* Which files the folder holds, and under which names, is on the disk when it returns. */
int disk_sync_folder(Disk *disk, const char *path);
int disk_rename(Disk *disk, const char *from, const char *to);
int disk_unlink(Disk *disk, const char *path);
int disk_make_folder(Disk *disk, const char *path, mode_t mode);
