/* base/histogram.c -- fixed buckets; see base/histogram.h. */
#include "base/histogram.h"

#include <math.h>

static const uint32_t steps[] = {1, 2, 5};

uint64_t
histogram_bound(uint32_t at)
{
	uint64_t bound = steps[at % 3];

	for (uint32_t i = 0; i < at / 3; i++)
		bound *= 10;
	return bound;
}

void
histogram_add(Histogram *self, uint64_t value, uint64_t times)
{
	uint64_t decade = 1;
	uint32_t at = 0;

	while (at < HISTOGRAM_BOUNDS && value > steps[at % 3] * decade)
		if (++at % 3 == 0)
			decade *= 10;
	if (self->count == 0 || value < self->least)
		self->least = value;
	if (value > self->most)
		self->most = value;
	self->buckets[at] += times;
	self->sum += value * times;
	self->count += times;
}

void
histogram_set(Histogram *self, const HistogramCounts *from)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		self->buckets[i] = from->buckets[i];
	self->count = from->count;
	self->sum = from->sum;
	self->least = from->least;
	self->most = from->most;
}

void
histogram_read(const Histogram *self, HistogramCounts *out)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		out->buckets[i] = self->buckets[i];
	out->count = self->count;
	out->sum = self->sum;
	out->least = self->least;
	out->most = self->most;
}

void
histogram_counts_add(HistogramCounts *sum, const HistogramCounts *own)
{
	if (own->count == 0)
		return;
	if (sum->count == 0 || own->least < sum->least)
		sum->least = own->least;
	if (own->most > sum->most)
		sum->most = own->most;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
		sum->buckets[i] += own->buckets[i];
	sum->count += own->count;
	sum->sum += own->sum;
}

/* A straight line through the bucket, or through the part of it where values were seen. */
static uint64_t
within_bucket(const HistogramCounts *self, uint32_t at, double share)
{
	uint64_t low = at > 0 ? histogram_bound(at - 1) : 0;
	uint64_t high = at < HISTOGRAM_BOUNDS ? histogram_bound(at) : self->most;

	low = low < self->least ? self->least : low;
	high = high > self->most ? self->most : high;
	return high > low ? low + (uint64_t)ceil((double)(high - low) * share) : high;
}

uint64_t
histogram_quantile(const HistogramCounts *self, double q)
{
	double wanted = q * (double)self->count, below = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
		double inside = (double)self->buckets[i];

		if (inside > 0 && below + inside >= wanted)
			return within_bucket(self, i, (wanted - below) / inside);
		below += inside;
	}
	return self->most;
}
