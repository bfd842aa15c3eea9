/* state/gathering.h -- records of which the last of a key counts: a log as it is read.
 *
 * A few are put in order in memory, many in files.
 *
 * Owns:    a backend.
 * Threads: belongs to one. */
#pragma once

#include "state/backend.h"

typedef struct Gathering {
	StateBackend *records; /* NULL: closed */
	const char *dir;       /* NULL: the default folder */
	size_t memory;         /* bytes that it may use */
	uint64_t count;        /* records that were taken */
	bool large;
} Gathering;

Status gathering_open(Gathering *gathering, const char *dir, size_t memory, Error *err);
/* value.data NULL: the key is gone. */
Status gathering_take(Gathering *gathering, Str key, Str value, Error *err);
/* All of them can be read now. */
Status gathering_finish(Gathering *gathering, Error *err);
/* Whether no key has a value; after gathering_finish. */
Status gathering_is_empty(const Gathering *gathering, bool *empty, Error *err);
void gathering_close(Gathering *gathering);
