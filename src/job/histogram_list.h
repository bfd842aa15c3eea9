/* job/histogram_list.h -- what a job measures the distribution of, one row each.
 *
 * SHOW METRICS tells the quantiles as name_p50, name_p95 and name_p99, /metrics all buckets.
 * HISTOGRAM(name, per_second, what it is): per_second is what a value has to be divided by to be
 * seconds; 0: it is a number of things. */
#ifndef HISTOGRAM
#error "define HISTOGRAM(name, per_second, doc) before including job/histogram_list.h"
#endif

HISTOGRAM(batch_size, 0, "records of a batch that a strategy made")
HISTOGRAM(latency_us, 1000000, "microseconds from reading a record until the sink has its result")
HISTOGRAM(process_us, 1000000, "of these, in decoding, operators and encoding")
HISTOGRAM(write_us, 1000000, "of these, in handing the result to the sink")

#undef HISTOGRAM
