/* job/batching.h -- how the reader's thread takes records in batches, as a strategy says.
 *
 * The source itself is what gathers: the reader waits before it reads, so nothing lies between.
 * A batch is what is then read without another wait; it may be several chunks, as each is of one
 * split.  What comes out does not depend on where batches end.
 *
 * Threads: the reader's, but for batcher_note_latency, which is the writer's. */
#pragma once

#include <stdatomic.h>

#include "base/memory_use.h"
#include "plan/plan.h"

/* What SHOW METRICS tells. */
typedef struct BatchCounts {
	uint64_t batches, batch_rows, full, grown, shrunk;
} BatchCounts;

typedef struct Batcher {
	BatchPlan plan; /* strategy BATCH_NONE: it does nothing */
	bool waits;     /* for batches to fill; a source that could not be waited for does not */
	/* the batch */
	uint64_t size;       /* records of the next one at most, as it is now; 0: no limit */
	uint64_t rows;       /* read of this one */
	uint64_t bytes;      /* likewise */
	bool open;           /* it is being read */
	int64_t waits_since; /* when the first record of the next one was seen; -1: there is none */
	/* AdaptiveSize: what was measured since */
	int64_t window_begin;
	uint64_t window_rows, window_batches, window_full;
	_Atomic int64_t latency_us, latencies; /* the sum, and of how many chunks */
	double throughput; /* of the window before, in records per millisecond; 0: none yet */
	double latency;    /* likewise, a chunk's in microseconds; 0: none was noted */
	bool shrinks;      /* the last step did */
	MemoryWatch memory;
	_Atomic int64_t worst_us; /* LowLatency: since the reader asked last */
	int64_t calm_since;       /* when the last breach was */
	BatchCounts counts;
} Batcher;

void batcher_open(Batcher *self, const Endpoint *endpoint, int64_t now_ms);
/* Whether the reader is to ask for the source's backlog before it reads. */
bool batcher_wants_backlog(const Batcher *self);
/* How many milliseconds to wait, 0: read now.  `backlog` is NULL if the source has none; wall_ms
 * is the time of day. */
int64_t batcher_wait(Batcher *self, const Backlog *backlog, int64_t now_ms, int64_t wall_ms);
/* How many milliseconds the first record of the next or open batch has waited. */
int64_t batcher_waited(const Batcher *self, int64_t now_ms);
/* How much the next read may take; 0: no limit. */
uint32_t batcher_rows(const Batcher *self);
size_t batcher_bytes(const Batcher *self);
/* A read took so many; rows 0: there was nothing more. */
void batcher_note_read(Batcher *self, uint64_t rows, uint64_t bytes, int64_t now_ms);
/* A chunk that was read so long ago has been written.  Returns whether that is more than it may
 * be. */
bool batcher_note_latency(Batcher *self, int64_t latency_us);
