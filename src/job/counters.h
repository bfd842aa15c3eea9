/* job/counters.h -- what a job counts and measures, as rows: for those who print all of it.
 *
 * Threads: any. */
#pragma once

#include "job/job.h"

/* A row of job/counter_list.h. */
typedef struct CounterInfo {
	const char *name;
	const char *metric;
	const char *label; /* "" if it has none */
	const char *doc;
	size_t offset; /* in JobCounters */
} CounterInfo;

/* A row of job/histogram_list.h. */
typedef struct HistogramInfo {
	const char *name;
	const char *metric;
	const char *label; /* "" if it has none */
	double per_second; /* 0: the values are counts */
	const char *doc;
	size_t offset; /* in JobCounters */
} HistogramInfo;

/* All of them, in the order of their lists; return how many. */
size_t counter_infos(const CounterInfo **out);
size_t histogram_infos(const HistogramInfo **out);
uint64_t counter_value(const CounterInfo *info, const JobCounters *counters);
const HistogramCounts *histogram_value(const HistogramInfo *info, const JobCounters *counters);
