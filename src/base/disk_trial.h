/* base/disk_trial.h -- a disk that fails, and a machine that loses its power, as a seed says.
 *
 * Files are real ones in the trial's folder, so that whoever reads them sees what a process would
 * see.  Beside each the disk keeps what is on it: the bytes as they were at the last sync, and the
 * names as they were when their folder was synced.  When the power goes, each sector that was
 * written since may be there or not, or hold zeros where the file had none; the length is the old
 * one, the new one or between; and of the names that were made, changed and removed since, only the
 * first so many.
 *
 * In each life of the process at most one call fails, or is the last one: what comes behind fails
 * until disk_restart.  A sync that fails may have lost what it was to write for ever, though it can
 * still be read.
 *
 * Threads: one at a time. */
#pragma once

#include <stdbool.h>

#include "base/disk.h"

/* `folder` holds all files that go through it, and lives as long. */
Disk *disk_new(const char *folder, uint64_t seed);
void disk_destroy(Disk *disk);
/* A statement begins: what was written before has come to the disk meanwhile. */
void disk_begin(Disk *disk);
/* The process is gone, perhaps with the power, and another one begins. */
void disk_restart(Disk *disk);
/* Whether a call has failed in this life. */
bool disk_has_failed(const Disk *disk);

typedef struct DiskCounters {
	uint64_t failed; /* calls */
	uint64_t power;  /* times that it went while there were files */
	uint64_t torn;   /* files that were not as they had been written then */
} DiskCounters;

DiskCounters disk_counters(const Disk *disk);

/* What base/disk.h calls. */
int trial_open(Disk *disk, const char *path, int flags, mode_t mode);
/* `at` -1: where the descriptor stands. */
ssize_t trial_write(Disk *disk, int fd, const void *bytes, size_t len, int64_t at);
int trial_truncate(Disk *disk, int fd, int64_t len);
int trial_sync(Disk *disk, int fd);
int trial_sync_folder(Disk *disk, int fd);
int trial_rename(Disk *disk, const char *from, const char *to);
int trial_unlink(Disk *disk, const char *path);
int trial_make_folder(Disk *disk, const char *path, mode_t mode);
