/* state/event_queue.h -- rows that wait for their time: taken in order of time, in memory while
 * they fit, the rest in the task's backend.
 *
 * In memory events are a heap and their rows lie in row tables of the owner.  event_queue_spill
 * writes all of them out; event_queue_take merges those in the backend with those in memory.
 *
 * In the backend: space, time, order -> table, mark, row.
 *
 * Saved for changes, the queue puts events that were not saved yet, and says which of the others
 * have been taken.  An event that is written to the backend, or taken, becomes a record that waits
 * (state/changes.h); so saving never reads the backend.
 *
 * Threads: belongs to one operator of one task. */
#pragma once

#include "state/row_table.h"
#include "state/snapshot.h"
#include "state/store.h"

typedef struct Event {
	int64_t time;
	uint64_t order; /* among those of one time; no two have the same */
	uint32_t place; /* of its row, in */
	uint8_t table;  /* this one of the queue's */
	bool saved;     /* the queue's: it has been put as a change, or was loaded */
	uint16_t mark;  /* the owner's */
} Event;

#define EVENT_TABLES 2

typedef struct EventQueue {
	StateStore *store;
	Str prefix;                     /* of the keys of records */
	RowTable *tables[EVENT_TABLES]; /* the owner's */
	Event *events;                  /* a heap */
	uint32_t count, capacity;

	StoreSpace space;
	uint64_t spilled; /* events in the backend */
	Event least;      /* none of them is before it */
	StoreScan scan;   /* open while events are taken: stands at `least`, */
	Str bytes;        /* which has these */
	Buffer key;
	Buffer value;
	Buffer changes; /* of events that are not in memory any more */
} EventQueue;

/* The keys of its records begin with `prefix`, which must live as long as the queue. */
void event_queue_init(EventQueue *queue, StateStore *store, Str prefix);
/* Rows stay with their tables. */
void event_queue_free(EventQueue *queue, Error *err);
void event_queue_add(EventQueue *queue, Event event);
/* The first event before `until` (INT64_MAX: any); its row is in its table, the caller's now. */
Status event_queue_take(EventQueue *queue, int64_t until, Event *event, bool *got, Error *err);
/* After the last one that is wanted for now. */
Status event_queue_rest(EventQueue *queue, Error *err);
/* Writes all events in memory to the backend and drops their rows. */
Status event_queue_spill(EventQueue *queue, Error *err);

static inline size_t
event_queue_bytes(const EventQueue *queue)
{
	return sizeof *queue->events * queue->capacity;
}

/* A record for each event; if the writer asks for changes and the store tracks them, for those that
 * have come or gone since the last time. */
Status event_queue_save(EventQueue *queue, StateWriter *writer, Error *err);
/* Takes such a record back to memory; `key` is without the prefix. */
Status event_queue_load(EventQueue *queue, Str key, Str value, Error *err);
