/* base/clock.h -- the time that durations are measured with, that of the day, and sleeping. */
#pragma once

#include <stdint.h>
#include <time.h>

/* Nanoseconds since some fixed moment; never goes back. */
static inline int64_t
clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Nanoseconds for which this thread has had a processor. */
static inline int64_t
clock_thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static inline int64_t
clock_us(void)
{
	return clock_ns() / 1000;
}

static inline int64_t
clock_ms(void)
{
	return clock_ns() / 1000000;
}

/* Milliseconds since 1970 by the system's clock, which may be set back; for moments that outlive
 * the process. */
static inline int64_t
clock_wall_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void
clock_sleep_us(int64_t us)
{
	struct timespec t = {.tv_sec = us / 1000000, .tv_nsec = us % 1000000 * 1000};

	while (nanosleep(&t, &t) != 0)
		;
}

static inline void
clock_sleep_ms(int64_t ms)
{
	clock_sleep_us(ms * 1000);
}

/* For pthread_cond_timedwait on a condition of CLOCK_MONOTONIC. */
static inline struct timespec
clock_deadline(int timeout_ms)
{
	int64_t at = clock_ns() + (int64_t)timeout_ms * 1000000;

	return (struct timespec){.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000};
}
