/* cli/advice.c -- the rules, of which the first that holds decides; docs/performance.md has what
 * each strategy was measured to do.
 *
 * Without a strategy the engine reads what there is: nothing waits, and when there is much it is
 * read in large pieces.  So a strategy needs a reason that was measured, and the last rule is
 * none. */
#include "cli/advice.h"

#define SECONDS_MIN  1.0   /* of a sample: less is the start of the run, not the rate */
#define SLICES_MIN   3     /* fewer tell nothing of how even the rate is */
#define MEMORY_TIGHT 0.7   /* of the memory in use: little is left for batches */
#define UNEVEN       0.5   /* the rate's variation */
#define LATE_MS      100   /* what LowLatency allows by default */
#define LATENCY_RATE 50000 /* records/s that batches of ten can take, with room to spare */
#define FEW_RECORDS  100   /* of a read: waking up for it costs more than the records do */

static double
rate_of(const Sample *s)
{
	return s->seconds > 0 ? (double)s->records / s->seconds : 0;
}

static bool
is_too_short(const Sample *s)
{
	return s->seconds < SECONDS_MIN || s->slices < SLICES_MIN;
}

static bool
ended_too_soon(const Sample *s)
{
	return s->ended && is_too_short(s);
}

static bool
is_tight(const Sample *s)
{
	return s->memory >= MEMORY_TIGHT;
}

static bool
is_uneven(const Sample *s)
{
	return s->variation >= UNEVEN;
}

static bool
is_behind_unevenly(const Sample *s)
{
	return s->behind && is_uneven(s);
}

static bool
is_behind_and_late(const Sample *s)
{
	return s->behind && s->latency_ms >= LATE_MS;
}

static bool
is_behind(const Sample *s)
{
	return s->behind;
}

static bool
is_grouped(const Sample *s)
{
	return s->grouped;
}

static bool
is_slow_and_late(const Sample *s)
{
	return s->latency_ms >= LATE_MS && rate_of(s) <= LATENCY_RATE;
}

static bool
is_fast_in_small_reads(const Sample *s)
{
	return rate_of(s) > LATENCY_RATE && s->records_per_read < FEW_RECORDS;
}

static bool
always(const Sample *s)
{
	(void)s;
	return true;
}

static const struct {
	bool (*holds)(const Sample *sample);
	Advice advice;
} rules[] = {
	{ended_too_soon,
	 {false, BATCH_NONE, NULL, NULL,
	  "too short a sample to judge: the source ended; give it one that lasts some seconds"}},
	{is_too_short,
	 {false, BATCH_NONE, NULL, NULL,
	  "too short a sample to judge: a second of records is the least; raise --seconds"}},
	{is_tight,
	 {true, BATCH_MEMORY, NULL, NULL,
	  "little memory is left: batches that shrink with it keep the process alive"}},
	{is_behind_unevenly,
	 {true, BATCH_ADAPTIVE, NULL, NULL,
	  "the source has more than the query takes, at an uneven rate: the size that is fastest "
	  "has to be found, and found again"}},
	{is_behind_and_late,
	 {true, BATCH_ADAPTIVE, NULL, NULL,
	  "the source has more than the query takes, and records wait long behind what is read at "
	  "once: the least size that is as fast has to be found"}},
	{is_behind,
	 {true, BATCH_NONE, NULL, NULL,
	  "the source always has more, and without a strategy as much as possible is read at "
	  "once, with no wait: nothing asks for one"}},
	{is_uneven,
	 {true, BATCH_ADAPTIVE, NULL, NULL,
	  "records come in bursts: small batches between them, large ones in them"}},
	{is_grouped,
	 {true, BATCH_WINDOW, "batch.window_duration_ms", "1000",
	  "results come when windows close: reading once a second costs less and delays them "
	  "little"}},
	{is_slow_and_late,
	 {true, BATCH_LATENCY, NULL, NULL,
	  "records come evenly, and slowly enough for small batches, and yet are late: with "
	  "small ones none waits for others"}},
	{is_fast_in_small_reads,
	 {true, BATCH_FIXED, NULL, NULL,
	  "records come evenly and fast, few to a read: batches fill in no time, and cost less "
	  "than so many reads"}},
	{always,
	 {true, BATCH_NONE, NULL, NULL,
	  "records come evenly, the query keeps up and none waits: nothing asks for a strategy"}},
};

Advice
advise(const Sample *sample)
{
	size_t i = 0;

	while (!rules[i].holds(sample))
		i++;
	return rules[i].advice;
}
