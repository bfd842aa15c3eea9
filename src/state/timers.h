/* state/timers.h -- when groups that were written out are due.
 *
 * In memory an owner knows by a heap or a list what event time makes due.  Of groups in the
 * backend (state/keyed.h, PayloadClass.wrote) a timer stands for each: the time, a number that
 * orders timers of one time, and the group's row of keys.  When its time has come the owner fetches
 * the group and goes on in memory.  A group may come back to memory before: its timer then stays
 * and says nothing.
 *
 * Event time often moves in small steps, so the next timers are read ahead, due or not.
 *
 * In the backend: space, time, number, row of keys -> nothing.
 *
 * Threads: belongs to one operator of one task. */
#pragma once

#include "state/store.h"

typedef struct Timers {
	StateStore *store;
	StoreSpace space;
	int64_t least;   /* no timer is before it; INT64_MAX: there is none */
	int64_t time;    /* of the timer that was handed out last, */
	uint64_t number; /* and its number */

	Buffer key;
	Buffer ahead;  /* what was read and is not handed out yet: time, number, length, keys */
	size_t next;   /* of them */
	int64_t last;  /* time of the last one */
	int64_t rest;  /* no timer in the backend is before it */
	bool is_mixed; /* one was put that comes before the last one */
} Timers;

void timers_init(Timers *timers, StateStore *store);
void timers_free(Timers *timers);
/* A time of INT64_MAX never comes.  store_commit follows before timers_take. */
Status timers_put(Timers *timers, int64_t time, uint64_t number, Str keys, Error *err);

static inline bool
timers_are_due(const Timers *timers, int64_t until)
{
	return timers->least <= until && timers->least != INT64_MAX;
}

/* Takes the timers up to `until`, one a call in order of time, then of numbers: keys->data is NULL
 * when there is none left; else the row of keys is good until the next call, and timers->time and
 * timers->number say when it was due.  Timers may be put in between. */
Status timers_take(Timers *timers, int64_t until, Str *keys, Error *err);
