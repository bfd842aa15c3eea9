/* base/histogram.h -- how often a quantity was how large, in fixed buckets, ten for each decade.
 *
 * The bounds are the same for all, so that histograms of several jobs add up and a metrics server
 * can hold them side by side.  A quantile is its bucket's bound, or the largest value seen: at most
 * a third too high, and right for sizes that people choose (100, 250, 1000, 5000).
 *
 * Threads: one adds, any reads. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HISTOGRAM_BOUNDS  85 /* the last is 5e8 */
#define HISTOGRAM_BUCKETS (HISTOGRAM_BOUNDS + 1)

typedef struct Histogram {
	_Atomic uint64_t buckets[HISTOGRAM_BUCKETS]; /* the last: above all bounds */
	_Atomic uint64_t count, sum;
	_Atomic uint64_t least, most; /* if count > 0 */
} Histogram;

/* As it was at some moment. */
typedef struct HistogramCounts {
	uint64_t buckets[HISTOGRAM_BUCKETS];
	uint64_t count, sum;
	uint64_t least, most;
} HistogramCounts;

/* The largest value that bucket `at` takes; at < HISTOGRAM_BOUNDS. */
uint64_t histogram_bound(uint32_t at);
/* Whether it is 1, 2 or 5 times a power of ten: enough for those who read buckets. */
bool histogram_bound_is_round(uint32_t at);
/* The value was seen `times` times. */
void histogram_add(Histogram *self, uint64_t value, uint64_t times);
void histogram_set(Histogram *self, const HistogramCounts *from);
void histogram_read(const Histogram *self, HistogramCounts *out);

void histogram_counts_add(HistogramCounts *sum, const HistogramCounts *own);
/* What the share `q` (0 to 1) of all does not exceed; 0 if nothing was seen. */
uint64_t histogram_quantile(const HistogramCounts *self, double q);
