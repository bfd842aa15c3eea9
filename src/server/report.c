/* server/report.c -- /report: what a person wants to know of a run, and /report.json for programs.
 *
 * It tells of each job the books, the latency, what its batch strategy does, and every option that
 * is in effect with where it comes from. */
#include "connector/connector.h"
#include "job/counters.h"
#include "plan/batch_strategy.h"
#include "plan/effective.h"
#include "server/route.h"

static double
megabytes(int64_t bytes)
{
	return (double)bytes / (1 << 20);
}

/* ---------------------------------------------------------------- text */

static void
print_libraries(Buffer *out)
{
	const ConnectorClass *const *classes;
	size_t count = connector_classes(&classes);
	char library[64];

	for (size_t i = 0; i < count; i++) {
		if (classes[i]->library == NULL)
			continue;
		classes[i]->library(library, sizeof library);
		buffer_printf(out, "Library: %s\n", library);
	}
}

static void
print_problems(const MonitorView *view, Buffer *out, const char *title, Health health)
{
	buffer_printf(out, "\n%s:\n", title);
	bool any = false;
	for (uint32_t i = 0; i < view->problem_count; i++) {
		if (view->problems[i].health != health)
			continue;
		size_t line = out->len;
		buffer_printf(out, "  - %s", view->problems[i].text);
		buffer_end_line(out, line);
		any = true;
	}
	if (!any)
		buffer_append_str(out, STR("  none\n"));
}

static void
print_latency(Buffer *out, const char *name, const HistogramCounts *counts)
{
	buffer_printf(out, "    %s: p50 %.1f ms, p95 %.1f ms, p99 %.1f ms, at most %.1f ms\n", name,
		      (double)histogram_quantile(counts, 0.5) / 1000,
		      (double)histogram_quantile(counts, 0.95) / 1000,
		      (double)histogram_quantile(counts, 0.99) / 1000, (double)counts->most / 1000);
}

/* What the strategies of the sources made of the input; the job counts all sources together. */
static void
print_batches(Buffer *out, const StatementPlan *plan, const JobCounters *counters)
{
	const HistogramCounts *size = &counters->batch_size;
	size_t line = out->len;
	bool any = false;

	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const Endpoint *source = plan->scans[i]->scan.endpoint;

		if (source->batch.common == NULL)
			continue;
		buffer_printf(out, "%ssource '%.*s', strategy %s", any ? "; " : "    ",
			      STR_ARG(source->name), batch_strategy_name(source->batch.strategy));
		any = true;
	}
	if (!any)
		return;
	buffer_printf(out,
		      ": %llu batches of p50 %llu, p95 %llu, p99 %llu records; %llu full, grown "
		      "%llu times, shrunk %llu times",
		      (unsigned long long)counters->batches,
		      (unsigned long long)histogram_quantile(size, 0.5),
		      (unsigned long long)histogram_quantile(size, 0.95),
		      (unsigned long long)histogram_quantile(size, 0.99),
		      (unsigned long long)counters->batches_full,
		      (unsigned long long)counters->batches_grown,
		      (unsigned long long)counters->batches_shrunk);
	buffer_end_line(out, line);
}

static void
print_books(Buffer *out, const JobCounters *counters)
{
	buffer_printf(out,
		      "    books: in %llu + results %llu = out %llu + filtered %llu + aggregated "
		      "%llu + late %llu + failed %llu + limited %llu\n",
		      (unsigned long long)counters->records_in,
		      (unsigned long long)counters->results, (unsigned long long)counters->rows_out,
		      (unsigned long long)counters->filtered,
		      (unsigned long long)counters->aggregated, (unsigned long long)counters->late,
		      (unsigned long long)counters->failed, (unsigned long long)counters->limited);
}

static void
print_job(Buffer *out, const JobView *job)
{
	const StatementState *state = &job->state;
	const JobCounters *counters = &state->counters;

	size_t line = out->len;

	buffer_printf(out, "  - %.*s: %s (records: %llu, rps: %.1f)", STR_ARG(state->plan->name),
		      monitor_status_word(state->status), (unsigned long long)counters->records_in,
		      job->rate.records);
	buffer_end_line(out, line);
	if (state->status == RUNNING_FAILED) {
		line = out->len;
		buffer_printf(out, "    error[FS%04d]: %s", error_info(state->error.status)->number,
			      state->error.message);
		buffer_end_line(out, line);
	}
	print_books(out, counters);
	print_latency(out, "latency", &counters->latency_us);
	buffer_printf(out, "    throughput: %.1f records/s since it began\n",
		      job_records_per_second(counters));
	print_batches(out, state->plan, counters);
	if (counters->lag >= 0)
		buffer_printf(out, "    lag: %lld\n", (long long)counters->lag);
}

/* One line: what it is, where it comes from, and why if another value was said. */
static void
print_option(void *context, const EffectiveOption *option)
{
	Buffer *out = context;

	Str name = effective_bare_name(option);
	size_t line = out->len;

	buffer_printf(out, "    %s '%.*s': %.*s = '%.*s' (%s)", option->scope,
		      STR_ARG(option->object), STR_ARG(name), STR_ARG(option->value),
		      option->origin);
	if (option->reason.data != NULL)
		buffer_printf(out, ": %.*s", STR_ARG(option->reason));
	buffer_end_line(out, line);
}

int
route_report(const MonitorView *view, Buffer *out)
{
	buffer_append_str(out, STR("=== FerrisStreams Performance Report ===\n"));
	size_t line = out->len;
	buffer_printf(out, "Application: %.*s", STR_ARG(view->application));
	buffer_end_line(out, line);
	buffer_printf(out, "Status: %s\nUptime: %.2f hours\n", health_name(view->health),
		      view->uptime_s / 3600);
	print_libraries(out);
	buffer_printf(out,
		      "\nOverall Metrics:\n  Total Queries: %u\n  Total Records: %llu\n  Memory "
		      "Usage: %.1f MB (at most %.1f MB)\n",
		      view->job_count, (unsigned long long)view->sum.records_in,
		      megabytes(view->resident_bytes), megabytes(view->peak_bytes));
	buffer_printf(out,
		      "\nRecent Performance (Last 10 Seconds):\n  Records: %.1f per second\n  "
		      "Bytes: %.1f per second\n",
		      view->rate.records, view->rate.bytes);
	print_problems(view, out, "Health Issues", HEALTH_CRITICAL);
	print_problems(view, out, "Warnings", HEALTH_WARNING);
	buffer_printf(out, "\n=== Job Information ===\nActive Jobs: %u\n", view->active);
	for (uint32_t i = 0; i < view->job_count; i++)
		print_job(out, &view->jobs[i]);
	buffer_append_str(out, STR("\n=== Configuration ===\n"));
	for (uint32_t i = 0; i < view->job_count; i++) {
		const StatementPlan *plan = view->jobs[i].state.plan;

		line = out->len;
		buffer_printf(out, "  - %.*s", STR_ARG(plan->name));
		buffer_end_line(out, line);
		effective_statement(plan, false, print_option, out);
	}
	return 200;
}

/* ---------------------------------------------------------------- JSON */

static void
print_job_json(Buffer *out, const JobView *job)
{
	const StatementState *state = &job->state;
	const CounterInfo *counters;
	const HistogramInfo *histograms;
	size_t counter_count = counter_infos(&counters);
	size_t histogram_count = histogram_infos(&histograms);

	buffer_append_str(out, STR("{\"name\":"));
	buffer_append_json(out, state->plan->name);
	buffer_printf(out, ",\"status\":\"%s\"", monitor_status_word(state->status));
	if (state->status == RUNNING_FAILED) {
		buffer_append_str(out, STR(",\"error\":"));
		buffer_append_json(out, str_from(state->error.message));
	}
	buffer_printf(out, ",\"records_per_second\":%.15g,\"counters\":{", job->rate.records);
	for (size_t i = 0; i < counter_count; i++)
		buffer_printf(out, "%s\"%s\":%llu", i > 0 ? "," : "", counters[i].name,
			      (unsigned long long)counter_value(&counters[i], &state->counters));
	buffer_append_str(out, STR("},\"distributions\":{"));
	for (size_t i = 0; i < histogram_count; i++) {
		const HistogramCounts *counts = histogram_value(&histograms[i], &state->counters);

		buffer_printf(out, "%s\"%s\":{\"count\":%llu,\"p50\":%llu,\"p95\":%llu,",
			      i > 0 ? "," : "", histograms[i].name,
			      (unsigned long long)counts->count,
			      (unsigned long long)histogram_quantile(counts, 0.5),
			      (unsigned long long)histogram_quantile(counts, 0.95));
		buffer_printf(out, "\"p99\":%llu,\"max\":%llu}",
			      (unsigned long long)histogram_quantile(counts, 0.99),
			      (unsigned long long)counts->most);
	}
	buffer_append_str(out, STR("},\"options\":"));
	plan_options_json(state->plan, true, out);
	buffer_append_char(out, '}');
}

int
route_report_json(const MonitorView *view, Buffer *out)
{
	buffer_append_str(out, STR("{\"application\":"));
	buffer_append_json(out, view->application);
	buffer_printf(out, ",\"status\":\"%s\",\"uptime_seconds\":%.15g,",
		      health_name(view->health), view->uptime_s);
	buffer_printf(out, "\"memory_bytes\":%lld,\"peak_memory_bytes\":%lld,\"jobs\":[",
		      (long long)view->resident_bytes, (long long)view->peak_bytes);
	for (uint32_t i = 0; i < view->job_count; i++) {
		buffer_append_str(out, i > 0 ? STR(",") : STR(""));
		print_job_json(out, &view->jobs[i]);
	}
	buffer_append_str(out, STR("]}\n"));
	return 200;
}
