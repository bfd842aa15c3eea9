/* job/counters.c -- the lists of counters and distributions as tables. */
#include "job/counters.h"

#include <stddef.h>

static const CounterInfo counters[] = {
#define COUNTER(name, metric, label, doc) {#name, metric, label, doc, offsetof(JobCounters, name)},
#include "job/counter_list.h"
};

static const HistogramInfo histograms[] = {
#define HISTOGRAM(name, metric, label, per_second, doc)                                            \
	{#name, metric, label, per_second, doc, offsetof(JobCounters, name)},
#include "job/histogram_list.h"
};

size_t
counter_infos(const CounterInfo **out)
{
	*out = counters;
	return sizeof counters / sizeof *counters;
}

size_t
histogram_infos(const HistogramInfo **out)
{
	*out = histograms;
	return sizeof histograms / sizeof *histograms;
}

uint64_t
counter_value(const CounterInfo *info, const JobCounters *from)
{
	const uint64_t *value = (const void *)((const char *)from + info->offset);

	return *value;
}

const HistogramCounts *
histogram_value(const HistogramInfo *info, const JobCounters *from)
{
	return (const void *)((const char *)from + info->offset);
}
