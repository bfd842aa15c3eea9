/* base/histogram.c -- fixed buckets; see base/histogram.h. */
#include "base/histogram.h"

#define DECADE(u)                                                                                  \
	10 * (u), 12 * (u), 15 * (u), 20 * (u), 25 * (u), 30 * (u), 40 * (u), 50 * (u), 60 * (u),  \
		80 * (u)

static const uint64_t bounds[HISTOGRAM_BOUNDS] = {1,
						  2,
						  3,
						  4,
						  5,
						  6,
						  8, /* whole numbers */
						  DECADE(1),
						  DECADE(10),
						  DECADE(100),
						  DECADE(1000),
						  DECADE(10000),
						  DECADE(100000),
						  DECADE(1000000),
						  100000000,
						  120000000,
						  150000000,
						  200000000,
						  250000000,
						  300000000,
						  400000000,
						  500000000};

uint64_t
histogram_bound(uint32_t at)
{
	return bounds[at];
}

bool
histogram_bound_is_round(uint32_t at)
{
	uint64_t first = bounds[at];

	while (first % 10 == 0)
		first /= 10;
	return first == 1 || first == 2 || first == 5;
}

/* The first bucket that takes the value. */
static uint32_t
bucket_of(uint64_t value)
{
	uint32_t low = 0, high = HISTOGRAM_BOUNDS;

	while (low < high) {
		uint32_t middle = (low + high) / 2;

		if (value > bounds[middle])
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

void
histogram_add(Histogram *self, uint64_t value, uint64_t times)
{
	if (self->count == 0 || value < self->least)
		self->least = value;
	if (value > self->most)
		self->most = value;
	self->buckets[bucket_of(value)] += times;
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

uint64_t
histogram_quantile(const HistogramCounts *self, double q)
{
	double wanted = q * (double)self->count, below = 0;

	for (uint32_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		below += (double)self->buckets[i];
		if (self->buckets[i] > 0 && below >= wanted)
			return bounds[i] < self->most ? bounds[i] : self->most;
	}
	return self->most;
}
