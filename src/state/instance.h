/* state/instance.h -- which of the processes on this machine that run the same statement this is.
 *
 * Each takes the least number that no other holds; it is free again when the process ends, however
 * it ends.  So a process that was killed and started again has the name it had before, by which
 * brokers know that it is the same (static membership, transactions), and its own folder of state.
 *
 *     <state.dir>/instances/<name>.<number>     a lock file
 *
 * Threads: none of its own. */
#pragma once

#include "base/error.h"

typedef struct Instance {
	int lock; /* the file; 0: none */
	unsigned number;
	char name[200]; /* "<name>-<host>-<number>" with no other characters than [A-Za-z0-9._-] */
} Instance;

/* `dir` NULL: the default folder for state. */
Status instance_claim(const char *dir, const char *name, Instance *out, Error *err);
void instance_release(Instance *instance);
