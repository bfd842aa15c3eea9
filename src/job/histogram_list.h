/* job/histogram_list.h -- what a job measures the distribution of, one row each.
 *
 * SHOW METRICS tells the quantiles as name_p50, name_p95 and name_p99, /metrics all buckets.
 * HISTOGRAM(name, metric, label, per_second, what it is)
 *   metric      its name in /metrics, behind "ferrisstreams_"; rows of one metric stand together
 *               and differ by the label
 *   per_second  what a value is divided by to be seconds; 0: it is a number of things */
#ifndef HISTOGRAM
#error "define HISTOGRAM(name, metric, label, per_second, doc) before including it"
#endif

HISTOGRAM(batch_size, "batch_size_records", "", 0, "records of a batch that a strategy made")
HISTOGRAM(latency_us, "latency_seconds", "component=\"total\"", 1000000,
	  "from seeing the first record of its batch until the sink has a record's result")
HISTOGRAM(wait_us, "latency_seconds", "component=\"wait\"", 1000000,
	  "of these, in waiting for the batch to fill")
HISTOGRAM(process_us, "latency_seconds", "component=\"process\"", 1000000,
	  "of these, in decoding, operators and encoding")
HISTOGRAM(write_us, "latency_seconds", "component=\"write\"", 1000000,
	  "of these, in handing the result to the sink")

#undef HISTOGRAM
