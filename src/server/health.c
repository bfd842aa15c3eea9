/* server/health.c -- /health and /jobs: how the process and its jobs are, as JSON. */
#include "server/route.h"
#include "type/temporal.h"

static void
print_number(Buffer *out, const char *name, double value)
{
	buffer_printf(out, "\"%s\":%.15g", name, value);
}

static double
milliseconds(const HistogramCounts *counts, double q)
{
	return (double)histogram_quantile(counts, q) / 1000;
}

static void
print_problems(const MonitorView *view, Buffer *out, const char *name, Health health)
{
	bool any = false;

	buffer_printf(out, "\"%s\":[", name);
	for (uint32_t i = 0; i < view->problem_count; i++) {
		if (view->problems[i].health != health)
			continue;
		buffer_append_str(out, any ? STR(",") : STR(""));
		buffer_append_json(out, str_from(view->problems[i].text));
		any = true;
	}
	buffer_append_char(out, ']');
}

/* Critical is no answer that a load balancer or a supervisor should take for well. */
int
route_health(const MonitorView *view, Buffer *out)
{
	const HistogramCounts *latency = &view->sum.latency_us;

	buffer_printf(out, "{\"status\":\"%s\",", health_name(view->health));
	print_problems(view, out, "issues", HEALTH_CRITICAL);
	buffer_append_char(out, ',');
	print_problems(view, out, "warnings", HEALTH_WARNING);
	buffer_append_str(out, STR(",\"metrics\":{\"memory\":{"));
	print_number(out, "allocated_bytes", (double)view->resident_bytes);
	buffer_append_char(out, ',');
	print_number(out, "peak_memory_bytes", (double)view->peak_bytes);
	buffer_append_char(out, ',');
	print_number(out, "used_ratio", view->memory_share);
	buffer_append_str(out, STR("},\"throughput\":{"));
	print_number(out, "records_per_second", view->rate.records);
	buffer_append_char(out, ',');
	print_number(out, "bytes_per_second", view->rate.bytes);
	buffer_append_char(out, ',');
	print_number(out, "p50_latency_ms", milliseconds(latency, 0.5));
	buffer_append_char(out, ',');
	print_number(out, "p95_latency_ms", milliseconds(latency, 0.95));
	buffer_append_char(out, ',');
	print_number(out, "p99_latency_ms", milliseconds(latency, 0.99));
	buffer_printf(out, "},\"total_queries\":%u,\"total_records\":%llu},", view->job_count,
		      (unsigned long long)view->sum.records_in);
	print_number(out, "uptime_seconds", view->uptime_s);
	buffer_printf(out, ",\"job_count\":%u}\n", view->active);
	return view->health == HEALTH_CRITICAL ? 503 : 200;
}

/* ---------------------------------------------------------------- jobs */

static void
print_moment(Buffer *out, int64_t wall_ms)
{
	char text[64];
	char *end = timestamp_print(text, wall_ms * 1000);

	buffer_printf(out, "\"%.*s\"", (int)(end - text), text);
}

static void
print_status(Buffer *out, const StatementState *state)
{
	if (state->status != RUNNING_FAILED) {
		buffer_printf(out, "\"%s\"", monitor_status_word(state->status));
		return;
	}
	buffer_append_str(out, STR("{\"Failed\":"));
	buffer_append_json(out, str_from(state->error.message));
	buffer_append_char(out, '}');
}

int
route_jobs(const MonitorView *view, Buffer *out)
{
	buffer_append_char(out, '[');
	for (uint32_t i = 0; i < view->job_count; i++) {
		const JobView *job = &view->jobs[i];
		const JobCounters *counters = &job->state.counters;

		buffer_append_str(out, i > 0 ? STR(",{\"name\":") : STR("{\"name\":"));
		buffer_append_json(out, job->state.plan->name);
		buffer_append_str(out, STR(",\"topic\":"));
		buffer_append_json(out, job->state.plan->sink->name);
		buffer_append_str(out, STR(",\"status\":"));
		print_status(out, &job->state);
		buffer_append_str(out, STR(",\"created_at\":"));
		print_moment(out, view->begun_ms);
		buffer_printf(out, ",\"metrics\":{\"records_processed\":%llu,",
			      (unsigned long long)counters->records_in);
		print_number(out, "records_per_second", job->rate.records);
		buffer_printf(out, ",\"rows_written\":%llu,\"last_record_time\":",
			      (unsigned long long)counters->rows_out);
		if (job->last_record_ms > 0)
			print_moment(out, job->last_record_ms);
		else
			buffer_append_str(out, STR("null"));
		buffer_printf(out, ",\"errors\":%llu}}", (unsigned long long)counters->failed);
	}
	buffer_append_str(out, STR("]\n"));
	return 200;
}
