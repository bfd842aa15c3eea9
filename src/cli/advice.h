/* cli/advice.h -- which batch strategy fits what a sample run has measured.
 *
 * Threads: any; it is a pure function. */
#pragma once

#include "plan/batch_strategy.h"

typedef struct Sample {
	uint64_t records;
	double seconds;  /* from the first record to the last look */
	uint32_t slices; /* of a quarter of a second, over which the rate was compared */
	bool ended;      /* the source did, before the time was over */
	double bytes_per_record;
	double records_per_read;
	double variation;  /* of the rate between slices: standard deviation over mean */
	double latency_ms; /* 99 of 100 records were written so long after they were read */
	double memory;     /* of the machine or cgroup in use, 0 to 1; -1: not known */
	bool behind;       /* the source had more than the query could take */
	bool grouped;      /* the query closes windows or groups */
} Sample;

typedef struct Advice {
	bool judged;            /* else the sample says nothing */
	BatchStrategy strategy; /* BATCH_NONE: leave 'batch.strategy' out */
	const char *option;     /* a parameter besides, and its value; or NULL */
	const char *value;
	const char *why;
} Advice;

Advice advise(const Sample *sample);
