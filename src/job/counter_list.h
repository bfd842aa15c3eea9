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
COUNTER(restarts, "from the last epoch, after one that failed")

#undef COUNTER
