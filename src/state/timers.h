/* state/timers.h -- when groups that were written out are due.
 *
 * In memory an owner knows by a heap or a list what event time makes due.  Of groups in the
 * backend (state/keyed.h, PayloadClass.wrote) a timer stands for each: the time, a number that
 * orders timers of one time, and the group's row of keys.  When its time has come the owner fetches
 * the group and goes on in memory.  A group may come back to memory before: its timer then stays
 * and says nothing.
 *
 * In the backend: space, time, number, row of keys -> nothing.
 *
 * Threads: belongs to one operator of one task. */
#pragma once

#include "state/store.h"

typedef struct Timers {
	StateStore *store;
	StoreSpace space;
	int64_t least; /* no timer in the backend is before it; INT64_MAX: there is none */
	Buffer key;
	Buffer taken; /* rows of keys that were read and are not handed out yet, with lengths */
	size_t next;  /* of them */
} Timers;

void timers_init(Timers *timers, StateStore *store);
void timers_free(Timers *timers);
/* store_commit follows before timers_take. */
Status timers_put(Timers *timers, int64_t time, uint64_t number, Str keys, Error *err);

static inline bool
timers_are_due(const Timers *timers, int64_t until)
{
	return timers->next < timers->taken.len ||
	       (timers->least <= until && timers->least != INT64_MAX);
}

/* Takes the timers up to `until`, or some more, one a call in order of time: keys->data is NULL
 * when there is none left; else the row of keys is good until the next call. */
Status timers_take(Timers *timers, int64_t until, Str *keys, Error *err);
