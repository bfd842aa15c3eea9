/* state/scratch_dir.h -- a private folder for files that need not survive the process.
 *
 * Each has a file `lock` that its process holds locked.  A process that is killed leaves its folder
 * behind; the next one that makes a folder beside it removes those whose lock is free.
 *
 * Threads: none of its own. */
#pragma once

#include "base/disk.h"
#include "base/error.h"

typedef struct ScratchDir {
	char path[400];
	int lock; /* of the file `lock`; -1: no folder */
} ScratchDir;

/* Makes the folder and its parents where they are missing.  `disk` NULL: on the real one. */
Status make_folders(Disk *disk, const char *path, Error *err);
/* A new folder in `parent`, which is made if it is missing, parents included. */
Status scratch_dir_open(const char *parent, ScratchDir *out, Error *err);
/* Removes it and the files in it. */
void scratch_dir_close(ScratchDir *dir);
