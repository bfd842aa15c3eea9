/* state/keyed.h -- groups by key, in memory while they fit, the rest in the task's backend.
 *
 * A KeyedState is one table of groups: a window's pane, or all of a query's groups.  Those of one
 * operator are a family: they have the same keys and payloads and share a budget.  When the budget
 * is spent the operator writes all of the family out (keyed_spill) and goes on with empty tables.
 * What a group has become of then is one of two things:
 *
 *     latest   The group is read again when a row of it comes, and the backend's copy is replaced
 *              when it is written out again.  Rows that need their group's whole state take this.
 *     parts    The row begins a new part of the group; parts are merged when the group is asked
 *              for.  Writing needs no reading, so this is for results that come at the end.
 *
 * In the backend:  latest  space, row of keys                -> payload
 *                  parts   space, row of keys, birth         -> payload
 *
 * A part's birth is its number among all groups of its state, so that groups come out in the order
 * of their first rows whether they were written out or not.  Groups of which the latest is kept
 * have a birth if their payloads have a KeyedHead.
 *
 * A group whose payload says that it is empty is as good as none: it is not written out, not saved,
 * and keyed_sweep forgets it.
 *
 * Owns:    the tables, keys and payloads of the family.
 * Threads: belongs to one operator of one task. */
#pragma once

#include "state/group_table.h"
#include "state/snapshot.h"
#include "state/store.h"

/* What a payload is.  `owner` is the spec's; functions that are NULL do nothing. */
typedef struct PayloadClass {
	/* An empty payload; all bytes are zero before. */
	void (*init)(void *owner, char *payload);
	void (*save)(void *owner, const char *payload, Buffer *out);
	/* Into an empty payload; false if the bytes are not what save wrote. */
	bool (*load)(void *owner, char *payload, Str bytes);
	void (*merge)(void *owner, char *into, const char *from);
	/* Gives back what the payload holds beside its bytes. */
	void (*release)(void *owner, char *payload);
	/* Whether nothing is in it any more. */
	bool (*is_empty)(void *owner, const char *payload);
	/* keyed_sweep has moved the payload; `from` is forgotten without being released. */
	void (*moved)(void *owner, char *from, char *to);
	/* The payload of that row of keys was written to the backend and is about to be released:
	 * for an owner that must know when to fetch it again (state/timers.h). */
	Status (*wrote)(void *owner, const char *payload, Str keys, Error *err);
} PayloadClass;

/* With `headed`, the first member of a payload; kept by the functions below. */
typedef struct KeyedHead {
	uint64_t birth; /* number among all groups of the state; the owner may give it a new one */
	uint32_t group; /* in state->groups */
	uint32_t unused;
} KeyedHead;

typedef struct KeyedSpec {
	const Type *const *key_types;
	uint32_t key_count;
	size_t payload_size; /* a multiple of 16 */
	const PayloadClass *payload;
	void *owner;
	bool parts;
	bool headed;  /* payloads begin with a KeyedHead; not with `parts` */
	bool touched; /* of what is found most is only read: only keyed_touch says what changes */
	bool ranked;  /* groups come out in the order of their last key, an INTEGER, then of births
		       */
} KeyedSpec;

typedef struct KeyedFamily {
	KeyedSpec spec;
	StateStore *store;
	Budget budget;     /* of all tables */
	uint32_t tables;   /* in memory */
	uint32_t expected; /* groups of the next table: as many as the last one had */
	Vector *columns;   /* one per key */
	Vector **outs;     /* pointers to them */
	Buffer key;
	Buffer value;
	char *payload;
	char *other;
	Buffer group;   /* a row of keys */
	Buffer pending; /* changes of groups that have left memory, as records */
} KeyedFamily;

#define KEYED_PREFIX_MAX 16

typedef struct KeyedState {
	GroupTable *groups; /* NULL: none in memory */
	uint64_t born;      /* groups that tables before this one had; headed: the next birth */
	bool mixed;         /* births are not in the order of the groups in memory */
	StoreSpace space;   /* with a backend: groups are there */
	/* keyed_track */
	bool tracked;
	bool recorded;     /* something of it has been put or loaded */
	uint32_t mark;     /* of the groups that have changed since they were last put, */
	uint32_t *changed; /* and their numbers */
	uint32_t changed_count, changed_capacity;
	uint32_t prefix_len;
	char prefix[KEYED_PREFIX_MAX];
} KeyedState;

static inline bool
keyed_is_spilled(const KeyedState *state)
{
	return state->space.backend != NULL;
}

void keyed_family_init(KeyedFamily *family, const KeyedSpec *spec, StateStore *store);
void keyed_family_free(KeyedFamily *family);
/* Whether it is time to write out; `more`: bytes held beside keys and payloads. */
bool keyed_is_full(const KeyedFamily *family, size_t more);

/* FERRIS_ERR_LIMIT when so much is held and nothing may be written out. */
Status keyed_check(const KeyedFamily *family, size_t more, Error *err);

/* All fields zero is an empty state; it is again after keyed_clear. */
Status keyed_clear(KeyedFamily *family, KeyedState *state, Error *err);

/* At the end of the task: what is in the backend goes with it. */
void keyed_drop(KeyedFamily *family, KeyedState *state);

/* As group_table_find, for rows sel[0..*found): at the limit *found is less than count, and the
 * caller writes the family out and asks for the rest.  FERRIS_ERR_LIMIT only when that is of no
 * use. */
Status keyed_find(KeyedFamily *family, KeyedState *state, const Vector *const *keys,
		  const uint16_t *sel, uint32_t count, char **payloads, uint32_t *found,
		  Error *err);
/* The same without making groups: the payload is NULL where there is none.  Not with `parts`. */
Status keyed_look(KeyedFamily *family, KeyedState *state, const Vector *const *keys,
		  const uint16_t *sel, uint32_t count, char **payloads, uint32_t *found,
		  Error *err);
/* The payload of a row of keys as bytes (PayloadClass.wrote), NULL if there is none; *full: it is
 * in the backend, and there is no room for it.  Not with `parts`. */
Status keyed_fetch(KeyedFamily *family, KeyedState *state, Str keys, char **payload, bool *full,
		   Error *err);
/* The group was empty and is as new: it comes behind all others. */
static inline void
keyed_bear_again(KeyedState *state, char *payload)
{
	((KeyedHead *)(void *)payload)->birth = state->born++;
	state->mixed = true;
}

/* Forgets empty groups in memory when they are the most; `live`: how many are not.  Payloads
 * move. */
Status keyed_sweep(KeyedFamily *family, KeyedState *state, uint64_t live, Error *err);
/* Calls `visit` with the saved bytes of each group that is in the backend and not in memory.  Not
 * with `parts`. */
typedef Status (*KeyedVisit)(void *owner, Str payload, Error *err);
Status keyed_visit_spilled(KeyedFamily *family, KeyedState *state, KeyedVisit visit, Error *err);
/* As group_table_match, of two states in memory. */
bool keyed_match(KeyedFamily *family, KeyedState *state, const KeyedState *from, uint32_t first,
		 uint32_t *groups);
/* Merges the group of a row, if there is one, into a payload. */
Status keyed_collect(KeyedFamily *family, KeyedState *state, const Vector *const *keys,
		     uint32_t row, char *into, Error *err);
/* Writes all groups in memory to the backend; payloads become invalid.  store_commit follows.
 * FERRIS_ERR_LIMIT if the latest of one group alone is larger than the budget. */
Status keyed_spill(KeyedFamily *family, KeyedState *state, Error *err);
/* Both, for a family of one state. */
Status keyed_write_out(KeyedFamily *family, KeyedState *state, Error *err);

/* ---- all groups of some states, in order: with `parts` or `headed` ---- */

typedef struct KeyedScan {
	KeyedFamily *family;
	StoreScan scan;
	StoreSpace space;   /* of the groups in order */
	bool holds;         /* family->payload, and */
	Str keys;           /* its row of keys */
	bool in_memory;     /* headed, nothing is written out: */
	GroupTable *groups; /* the groups, and */
	KeyedHead *order;   /* their heads by birth; NULL: they are in that order */
	uint32_t next, count;
	uint32_t group; /* that came last */
} KeyedScan;

/* Groups come by state, then by birth; empty ones do not.  With `parts`, what is in memory is
 * written out and the same keys in several states are one group.  The states must not change
 * meanwhile. */
Status keyed_scan_open(KeyedFamily *family, KeyedState *const *states, uint32_t count,
		       KeyedScan *out, Error *err);
/* The next group: keys to `row` of the columns (NULL: not yet), their bytes to the heap, and its
 * payload, which is good until the next call; *payload is NULL at the end. */
Status keyed_scan_next(KeyedScan *scan, Vector *const *columns, uint32_t row, Arena *heap,
		       char **payload, Error *err);
/* The keys of the group that came last. */
Status keyed_scan_keys(const KeyedScan *scan, Vector *const *columns, uint32_t row, Arena *heap,
		       Error *err);
/* After `status`, which wins over an error of the scan. */
Status keyed_scan_close(KeyedScan *scan, Status status, Error *err);

/* ---- checkpoints ---- */

/* For the functions here: these payloads (NULL: none) may have changed. */
void keyed_mark_changed(KeyedFamily *family, KeyedState *state, char *const *payloads,
			uint32_t count);
/* Before the state has a group: what changes in it will be known, if the store tracks changes, and
 * its records begin with `prefix` (at most KEYED_PREFIX_MAX bytes), the one that keyed_save gets.
 */
void keyed_track(KeyedFamily *family, KeyedState *state, Str prefix);
/* The payload changes though it was not asked for by keyed_find, keyed_look or keyed_fetch since
 * the last save; or the family is `touched`. */
static inline void
keyed_touch(KeyedFamily *family, KeyedState *state, char *payload)
{
	if (state->tracked)
		keyed_mark_changed(family, state, &payload, 1);
}
/* Every group, or part of one, as a record whose key begins with `prefix`; of a tracked state that
 * is asked for changes, those that have changed, and what is gone of all states of the family. */
Status keyed_save(KeyedFamily *family, KeyedState *state, StateWriter *writer, Str prefix,
		  Error *err);
/* What is gone of all states of the family; for families that may have no state. */
Status keyed_save_pending(KeyedFamily *family, StateWriter *writer, Error *err);
/* Takes a record of keyed_save; `key` is without the prefix.  *full: there was no room; the caller
 * writes the family out and tries again. */
Status keyed_load(KeyedFamily *family, KeyedState *state, Str key, Str value, bool *full,
		  Error *err);
/* The same for a family of one state, which is written out when there is no room. */
Status keyed_take_in(KeyedFamily *family, KeyedState *state, Str key, Str value, Error *err);
