/* job/counter_list.h -- what a job counts, one row each, in the order of SHOW METRICS.
 *
 * COUNTER(name, what it counts) */
#ifndef COUNTER
#error "define COUNTER(name, doc) before including job/counter_list.h"
#endif

COUNTER(records_in, "records read")
COUNTER(bytes_in, "bytes read")
COUNTER(rows_out, "rows written")
COUNTER(bytes_out, "bytes written")
COUNTER(filtered, "rows that a predicate removed")
COUNTER(late, "rows too late for every window")
COUNTER(aggregated, "rows that went into groups")
COUNTER(results, "rows that groups gave out")
COUNTER(failed, "records that could not be processed")
COUNTER(dead_letters, "of these, in the dead letters")
COUNTER(limited, "rows that LIMIT or OFFSET left out")
COUNTER(pool_hits, "a free slot was at hand")
COUNTER(pool_misses, "the reader had to wait for one")
COUNTER(batches, "that a batch strategy made of what was read")
COUNTER(batch_rows, "records in them")
COUNTER(batch_spans, "TimeWindow by event time: batches of one span, as operators see them")
COUNTER(batches_full, "of these, that had all the records they may have")
COUNTER(batches_grown, "times that a strategy made batches larger")
COUNTER(batches_shrunk, "times that it made them smaller")
COUNTER(latency_breaches, "LowLatency: chunks above max_latency_ms")
COUNTER(config_user, "options where the user's word stands above a strategy's")
COUNTER(config_precedence, "options of which the user said more than one thing")
COUNTER(config_strategy, "options that a batch strategy has set")
COUNTER(config_guarantee, "suggestions that the guarantee withholds")
COUNTER(restarts, "from the last epoch, after one that failed")

#undef COUNTER
