/* job/batching.c -- FixedSize, TimeWindow, AdaptiveSize, MemoryBased, LowLatency.
 *
 * AdaptiveSize climbs.  A step up has to pay: throughput must not fall, and unless it rises
 * clearly, latency must not rise clearly more.  Where the query is slower than its source, records
 * wait behind whole batches, so latency rises with the size, and throughput only as long as what a
 * batch costs of its own is worth sparing.  A step down is good as long as throughput does not
 * fall: what it gains in latency costs nothing then.  So the size comes to rest near the least one
 * that is fast, where it moves between neighbours. */
#include "job/batching.h"

#include <math.h>

#include "plan/batch_strategy.h"

#define STEP          1.5  /* MemoryBased: by what a batch grows and shrinks */
#define NOT_WORSE     0.97 /* of the throughput before: noise */
#define CLEARLY       1.1  /* what is more than so much more is no noise */
#define AT_ONCE_US    1000 /* nobody waits: what is below counts as that */
#define BUSY_SIZE_MAX 4096 /* LowLatency: of a batch while records are late */
#define CALM_MS       1000 /* then: so long without a breach, and batches are small again */

/* ---------------------------------------------------------------- opening */

/* Whether the connector's own option lets the strategy act; one without the option always does. */
static bool
is_on(const Endpoint *endpoint, const char *option)
{
	const Setting *setting = endpoint_setting(endpoint, ROLE_SOURCE, option);

	return setting == NULL || setting->flag;
}

static void
open_memory(Batcher *self, const Endpoint *endpoint)
{
	self->memory = (MemoryWatch){
		.target = is_on(endpoint, "memory_monitoring") ? self->plan.memory_target
							       : MEMORY_NEVER,
		.pressure =
			is_on(endpoint, "gc_aware_reading") ? self->plan.pressure : MEMORY_NEVER,
		.interval_ms = self->plan.memory_check_ms,
	};
	self->size = (uint64_t)self->plan.max_size;
}

void
batcher_open(Batcher *self, const Endpoint *endpoint, int64_t now_ms)
{
	*self = (Batcher){.plan = endpoint->batch, .waits_since = -1, .window_begin = now_ms};
	if (self->plan.disabled) {
		self->size = 1;
		return;
	}
	switch (self->plan.strategy) {
	case BATCH_FIXED:
		self->size = (uint64_t)self->plan.size;
		self->waits = true;
		break;
	case BATCH_WINDOW:
		self->size = (uint64_t)self->plan.max_size;
		self->waits = self->plan.alignment == BATCH_BY_CLOCK &&
			      is_on(endpoint, "window_processing");
		break;
	case BATCH_ADAPTIVE:
		self->size = (uint64_t)self->plan.initial_size;
		if (!is_on(endpoint, "adaptive_reading"))
			self->plan.min_size = self->plan.max_size = self->plan.initial_size;
		break;
	case BATCH_MEMORY:
		open_memory(self, endpoint);
		break;
	case BATCH_LATENCY:
		self->size = is_on(endpoint, "low_latency_mode") ? (uint64_t)self->plan.size : 0;
		self->waits = !self->plan.immediate && self->size > 0;
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------- waiting */

bool
batcher_wants_backlog(const Batcher *self)
{
	return self->waits && !self->open;
}

static int64_t
wait_until(int64_t then, int64_t now)
{
	return then > now ? then - now : 0;
}

/* How long the records that have come wait for others. */
static int64_t
wait_for_more(const Batcher *self, int64_t now_ms, int64_t wall_ms)
{
	int64_t waited = now_ms - self->waits_since;

	switch (self->plan.strategy) {
	case BATCH_FIXED:
		return wait_until(self->plan.timeout_ms, waited);
	case BATCH_WINDOW: {
		/* Spans begin with 1970.  The first record was seen in one; that one must be over.
		 */
		int64_t begin = wall_ms - waited;
		int64_t end = (begin / self->plan.window_ms + 1) * self->plan.window_ms;
		return wait_until(end, wall_ms);
	}
	case BATCH_LATENCY:
		return wait_until(self->plan.max_latency_ms / 2, waited);
	default:
		return 0;
	}
}

/* Whether so much is a whole batch. */
static bool
is_full(const Batcher *self, uint64_t rows, uint64_t bytes)
{
	return rows >= self->size ||
	       (self->plan.max_bytes > 0 && bytes >= (uint64_t)self->plan.max_bytes);
}

int64_t
batcher_wait(Batcher *self, const Backlog *backlog, int64_t now_ms, int64_t wall_ms)
{
	if (self->open || !self->waits || backlog == NULL)
		return 0;
	if (backlog->rows == 0 && !backlog->full) {
		self->waits_since = -1;
		return 1;
	}
	if (backlog->full || is_full(self, backlog->rows, backlog->bytes))
		return 0;
	if (self->waits_since < 0)
		self->waits_since = now_ms;
	return wait_for_more(self, now_ms, wall_ms);
}

int64_t
batcher_waited(const Batcher *self, int64_t now_ms)
{
	return self->waits_since >= 0 ? now_ms - self->waits_since : 0;
}

/* ---------------------------------------------------------------- sizes */

static uint64_t
between(double size, int64_t least, int64_t most)
{
	return size < (double)least  ? (uint64_t)least
	       : size > (double)most ? (uint64_t)most
				     : (uint64_t)(size + 0.5);
}

static void
resize(Batcher *self, double size)
{
	uint64_t before = self->size;

	self->size = between(size, self->plan.min_size, self->plan.max_size);
	self->counts.grown += self->size > before;
	self->counts.shrunk += self->size < before;
}

/* By at least one record. */
static double
one_step(const Batcher *self)
{
	double size = (double)self->size, factor = self->plan.factor;

	return self->shrinks ? fmin(size / factor, size - 1) : fmax(size * factor, size + 1);
}

/* Of a chunk in this window; 0: none was written. */
static double
take_latency(Batcher *self)
{
	double sum = (double)atomic_exchange(&self->latency_us, 0);
	double count = (double)atomic_exchange(&self->latencies, 0);

	return count > 0 ? fmax(sum / count, AT_ONCE_US) : 0;
}

/* Whether records wait for what a step up has brought. */
static bool
is_dearer(const Batcher *self, double throughput, double latency)
{
	double gain = throughput / self->throughput;

	return self->latency > 0 && gain < CLEARLY && latency / self->latency > gain * CLEARLY;
}

/* Batches that do not fill need not be that large; others climb.  The least ones try whether larger
 * ones have become worth while. */
static void
adapt(Batcher *self, int64_t now_ms)
{
	int64_t span = now_ms - self->window_begin;

	if (span < self->plan.performance_ms || self->window_batches == 0)
		return;
	double throughput = (double)self->window_rows / (double)span;
	double latency = take_latency(self);
	bool in_demand = self->window_full * 2 >= self->window_batches;

	if (!in_demand)
		self->shrinks = true;
	else if (self->throughput == 0)
		self->shrinks = false;
	else if (throughput < self->throughput * NOT_WORSE)
		self->shrinks = !self->shrinks;
	else if (self->shrinks)
		self->shrinks = self->size > (uint64_t)self->plan.min_size;
	else
		self->shrinks = is_dearer(self, throughput, latency);
	self->throughput = in_demand ? throughput : 0;
	self->latency = in_demand ? latency : 0;
	resize(self, one_step(self));
	self->window_begin = now_ms;
	self->window_rows = self->window_batches = self->window_full = 0;
}

static void
fit_memory(Batcher *self, int64_t now_ms)
{
	if (!memory_watch_look(&self->memory, now_ms))
		return;
	if (self->memory.level == MEMORY_PRESSURE)
		resize(self, (double)self->plan.min_size);
	else if (self->memory.level == MEMORY_ABOVE_TARGET)
		resize(self, (double)self->size / STEP);
	else
		resize(self, (double)self->size * STEP);
}

/* Records that come faster than small batches can take them are late one and all. */
static void
catch_up(Batcher *self, int64_t now_ms)
{
	int64_t worst = atomic_exchange(&self->worst_us, 0);
	uint64_t least = (uint64_t)self->plan.size;

	if (!self->plan.monitors || self->size == 0)
		return;
	if (worst > self->plan.max_latency_ms * 1000) {
		self->calm_since = now_ms;
		if (self->size * 2 <= BUSY_SIZE_MAX) {
			self->size *= 2;
			self->counts.grown++;
		}
	} else if (self->size > least && now_ms - self->calm_since >= CALM_MS) {
		self->size = self->size / 2 > least ? self->size / 2 : least;
		self->calm_since = now_ms;
		self->counts.shrunk++;
	}
}

static void
follow(Batcher *self, int64_t now_ms)
{
	switch (self->plan.strategy) {
	case BATCH_ADAPTIVE:
		adapt(self, now_ms);
		break;
	case BATCH_MEMORY:
		fit_memory(self, now_ms);
		break;
	case BATCH_LATENCY:
		catch_up(self, now_ms);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------- reading */

uint32_t
batcher_rows(const Batcher *self)
{
	return self->size > self->rows ? (uint32_t)(self->size - self->rows) : 0;
}

size_t
batcher_bytes(const Batcher *self)
{
	uint64_t most = (uint64_t)self->plan.max_bytes;

	return most > self->bytes ? (size_t)(most - self->bytes) : 0;
}

static void
end_batch(Batcher *self, int64_t now_ms)
{
	bool full = is_full(self, self->rows, self->bytes);

	self->counts.batches++;
	self->counts.batch_rows += self->rows;
	self->counts.full += full;
	self->window_batches++;
	self->window_rows += self->rows;
	self->window_full += full;
	self->open = false;
	self->rows = self->bytes = 0;
	self->waits_since = -1;
	if (!self->plan.disabled)
		follow(self, now_ms);
}

void
batcher_note_read(Batcher *self, uint64_t rows, uint64_t bytes, int64_t now_ms)
{
	if (self->plan.common == NULL)
		return;
	if (!self->open && rows == 0)
		self->waits_since = -1; /* what has come is no whole record yet */
	self->open = self->open || rows > 0;
	self->rows += rows;
	self->bytes += bytes;
	bool full = is_full(self, self->rows, self->bytes);
	if (self->open && (rows == 0 || (self->size > 0 && full)))
		end_batch(self, now_ms);
}

bool
batcher_note_latency(Batcher *self, int64_t latency_us)
{
	int64_t worst = self->worst_us;

	if (self->plan.strategy == BATCH_ADAPTIVE) {
		self->latency_us += latency_us;
		self->latencies++;
	}
	if (self->plan.strategy != BATCH_LATENCY)
		return false;
	while (latency_us > worst &&
	       !atomic_compare_exchange_weak(&self->worst_us, &worst, latency_us))
		;
	return self->plan.monitors && latency_us > self->plan.max_latency_ms * 1000;
}
