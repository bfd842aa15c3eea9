/* server/metric_list.h -- what /metrics tells beside the counters (job/counter_list.h) and the
 * distributions (job/histogram_list.h) of each job.
 *
 * PROCESS(name, kind, value, help)   of the process; `view` is a const MonitorView *
 * JOB(name, kind, value, help)       of each job; `job` is a const JobView *
 *
 * Names stand behind "ferrisstreams_"; a value that is NAN is left out. */
#if !defined PROCESS || !defined JOB
#error "define PROCESS and JOB before including server/metric_list.h"
#endif

PROCESS("queries_total", "counter", view->job_count, "Statements that were started")
PROCESS("jobs_active", "gauge", view->active, "Jobs that run")
PROCESS("records_processed_total", "counter", (double)view->sum.records_in,
	"Records read by all jobs")
PROCESS("bytes_processed_total", "counter", (double)view->sum.bytes_in, "Bytes read by all jobs")
PROCESS("throughput_records_per_second", "gauge", view->rate.records,
	"Records read per second, over the last ten seconds")
PROCESS("throughput_bytes_per_second", "gauge", view->rate.bytes,
	"Bytes read per second, over the last ten seconds")
PROCESS("memory_allocated_bytes", "gauge", known(view->resident_bytes), "Memory of the process")
PROCESS("memory_peak_bytes", "gauge", known(view->peak_bytes), "The most that it has been")
PROCESS("memory_used_ratio", "gauge", view->memory_share < 0 ? NAN : view->memory_share,
	"Of the memory that its cgroup or the machine allows, what is in use")
PROCESS("health_status", "gauge", view->health, "0 healthy, 1 warning, 2 critical")
PROCESS("uptime_seconds", "gauge", view->uptime_s, "Since the server began")

JOB("job_up", "gauge", job->state.status == RUNNING_RUNS, "1 while the job runs")
JOB("job_failed", "gauge", job->state.status == RUNNING_FAILED, "1 if the job has failed")
JOB("query_duration_seconds", "gauge", (double)job->state.counters.elapsed_us / 1e6,
    "How long the job has been at work")
JOB("job_throughput_records_per_second", "gauge", job->rate.records,
    "Records read per second, over the last ten seconds")
JOB("job_lag", "gauge", known(job->state.counters.lag), "Records (of files: bytes) not read yet")

#undef PROCESS
#undef JOB
