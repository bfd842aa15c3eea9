/* job/counter_list.h -- what a job counts, one row each, in the order of SHOW METRICS.
 *
 * COUNTER(name, metric, label, what it counts)
 *   metric  its name in /metrics, behind "ferrisstreams_"; rows of one metric stand together and
 *           differ by the label */
#ifndef COUNTER
#error "define COUNTER(name, metric, label, doc) before including job/counter_list.h"
#endif

COUNTER(records_in, "job_records_processed_total", "", "records read")
COUNTER(bytes_in, "job_bytes_processed_total", "", "bytes read")
COUNTER(rows_out, "job_rows_written_total", "", "rows written")
COUNTER(bytes_out, "job_bytes_written_total", "", "bytes written")
COUNTER(filtered, "job_rows_filtered_total", "", "rows that a predicate removed")
COUNTER(late, "job_rows_late_total", "", "rows too late for every window")
COUNTER(aggregated, "job_rows_aggregated_total", "", "rows that went into groups")
COUNTER(results, "job_rows_emitted_total", "", "rows that groups gave out")
COUNTER(failed, "job_records_failed_total", "", "records that could not be processed")
COUNTER(dead_letters, "job_dead_letters_total", "", "of these, in the dead letters")
COUNTER(limited, "job_rows_limited_total", "", "rows that LIMIT or OFFSET left out")
COUNTER(pool_hits, "pool_hits_total", "", "a free slot was at hand")
COUNTER(pool_misses, "pool_misses_total", "", "the reader had to wait for one")
COUNTER(batches, "job_batches_total", "", "that a batch strategy made of what was read")
COUNTER(batch_rows, "job_batch_records_total", "", "records in them")
COUNTER(batch_spans, "job_batch_spans_total", "",
	"TimeWindow by event time: batches of one span, as operators see them")
COUNTER(batches_full, "job_batches_full_total", "",
	"of these, that had all the records they may have")
COUNTER(batches_grown, "job_batch_size_changes_total", "direction=\"grown\"",
	"times that a strategy made batches larger")
COUNTER(batches_shrunk, "job_batch_size_changes_total", "direction=\"shrunk\"",
	"times that it made them smaller")
COUNTER(latency_breaches, "job_latency_breaches_total", "",
	"LowLatency: chunks above max_latency_ms")
COUNTER(config_user, "config_decisions_total", "origin=\"user\"",
	"options where the user's word stands above a strategy's or moves a default")
COUNTER(config_precedence, "config_decisions_total", "origin=\"precedence\"",
	"options of which the user said more than one thing")
COUNTER(config_strategy, "config_decisions_total", "origin=\"strategy\"",
	"options that a batch strategy has set")
COUNTER(config_idle, "config_decisions_total", "origin=\"idle\"",
	"options of the user that have no effect where they are")
COUNTER(config_guarantee, "config_decisions_total", "origin=\"guarantee\"",
	"suggestions that the guarantee withholds")
COUNTER(restarts, "job_restarts_total", "", "from the last epoch, after one that failed")

#undef COUNTER
