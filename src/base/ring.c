/* base/ring.c -- a circular array under one mutex.
 *
 * Who waits is woken after the mutex is free: a thread that wakes up on the same core would find it
 * locked and go back to sleep.  (Half the context switches, a tenth of the CPU time of S4.) */
#include "base/ring.h"

#include <errno.h>
#include <time.h>

#include "base/clock.h"
#include "base/memory.h"

void
ring_init(Ring *ring, uint32_t capacity)
{
	pthread_condattr_t attributes;

	*ring = (Ring){.capacity = capacity, .items = memory_zero(sizeof(void *) * capacity)};
	pthread_mutex_init(&ring->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&ring->readable, &attributes);
	pthread_cond_init(&ring->writable, &attributes);
	pthread_condattr_destroy(&attributes);
}

void
ring_free(Ring *ring)
{
	pthread_cond_destroy(&ring->readable);
	pthread_cond_destroy(&ring->writable);
	pthread_mutex_destroy(&ring->mutex);
	memory_free(ring->items);
	ring->items = NULL;
}

RingResult
ring_push_quietly(Ring *ring, void *item)
{
	RingResult result = RING_CLOSED;

	pthread_mutex_lock(&ring->mutex);
	while (ring->count == ring->capacity && !ring->closed)
		pthread_cond_wait(&ring->writable, &ring->mutex);
	if (!ring->closed) {
		ring->items[(ring->head + ring->count) % ring->capacity] = item;
		ring->count++;
		result = RING_OK;
	}
	pthread_mutex_unlock(&ring->mutex);
	return result;
}

RingResult
ring_push(Ring *ring, void *item)
{
	RingResult result = ring_push_quietly(ring, item);

	if (result == RING_OK)
		pthread_cond_signal(&ring->readable);
	return result;
}

bool
ring_is_empty(Ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	bool empty = ring->count == 0;
	pthread_mutex_unlock(&ring->mutex);
	return empty;
}

RingResult
ring_pop(Ring *ring, int timeout_ms, void **item)
{
	struct timespec deadline = clock_deadline(timeout_ms > 0 ? timeout_ms : 0);
	RingResult result = RING_OK;

	pthread_mutex_lock(&ring->mutex);
	while (ring->count == 0 && !ring->closed && result == RING_OK) {
		if (timeout_ms == 0)
			result = RING_TIMEOUT;
		else if (timeout_ms < 0)
			pthread_cond_wait(&ring->readable, &ring->mutex);
		else if (pthread_cond_timedwait(&ring->readable, &ring->mutex, &deadline) ==
			 ETIMEDOUT)
			result = RING_TIMEOUT;
	}
	if (ring->count > 0) {
		*item = ring->items[ring->head];
		ring->head = (ring->head + 1) % ring->capacity;
		ring->count--;
		result = RING_OK;
	} else if (ring->closed) {
		result = RING_CLOSED;
	}
	pthread_mutex_unlock(&ring->mutex);
	if (result == RING_OK)
		pthread_cond_signal(&ring->writable);
	return result;
}

void
ring_close(Ring *ring)
{
	pthread_mutex_lock(&ring->mutex);
	ring->closed = true;
	pthread_cond_broadcast(&ring->readable);
	pthread_cond_broadcast(&ring->writable);
	pthread_mutex_unlock(&ring->mutex);
}
