/* base/ring.h -- a bounded queue of pointers between threads, with blocking ends.
 *
 * The pipeline's stages pass whole chunks (about two thousand records) through it, so a mutex and
 * two conditions cost some nanoseconds a record and give what spinning cannot: a stage without
 * work sleeps.  Any number of threads may push and pop. */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Ring {
	pthread_mutex_t mutex;
	pthread_cond_t readable;
	pthread_cond_t writable;
	void **items;
	uint32_t capacity;
	uint32_t head; /* of the oldest item */
	uint32_t count;
	bool closed;
} Ring;

typedef enum RingResult {
	RING_OK,
	RING_TIMEOUT,
	RING_CLOSED, /* push: closed; pop: closed and empty */
} RingResult;

void ring_init(Ring *ring, uint32_t capacity);
void ring_free(Ring *ring);
/* Waits while the ring is full. */
RingResult ring_push(Ring *ring, void *item);
/* Wakes nobody who waits for it: another push must follow. */
RingResult ring_push_quietly(Ring *ring, void *item);
bool ring_is_empty(Ring *ring);
/* Waits while it is empty, at most timeout_ms; -1 waits without end. */
RingResult ring_pop(Ring *ring, int timeout_ms, void **item);
/* Nothing more can be pushed; what is inside can still be popped. */
void ring_close(Ring *ring);
