/* base/memory_use.h -- how much of the memory that this process may use is in use.
 *
 * That is what its cgroup, or one around it, allows; without a limit, all of the machine's memory.
 * The cache of files does not count: the kernel gives it back.
 *
 * Threads: a watch belongs to one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* 0 to 1, or -1 if it is not known.  `root` is "", or a folder that has "proc" and "sys" in it. */
double memory_use(const char *root);

/* Bytes of this process that are in memory, now and at most so far; -1: not known. */
void memory_resident(int64_t *now, int64_t *peak);

#define MEMORY_NEVER 2.0 /* a share that is not reached */

typedef enum MemoryLevel {
	MEMORY_FREE,
	MEMORY_ABOVE_TARGET,
	MEMORY_PRESSURE,
} MemoryLevel;

/* Looks at it from time to time. */
typedef struct MemoryWatch {
	const char *root;
	double target, pressure; /* shares */
	int64_t interval_ms;
	int64_t next_ms; /* when it is looked at again */
	MemoryLevel level;
} MemoryWatch;

/* Returns whether it was looked at now, and watch->level may be another one. */
bool memory_watch_look(MemoryWatch *watch, int64_t now_ms);
