/* server/metrics.c -- /metrics: Prometheus' text format 0.0.4.
 *
 * Source of the format: prometheus.io, "Exposition formats". */
#include <math.h>

#include "job/counters.h"
#include "plan/batch_strategy.h"
#include "server/route.h"

#define PREFIX "ferrisstreams_"

static double
known(int64_t value)
{
	return value >= 0 ? (double)value : NAN;
}

static void
print_head(Buffer *out, const char *name, const char *kind, const char *help)
{
	buffer_printf(out, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name,
		      kind);
}

/* A label's text: backslash, quote and line end are escaped. */
static void
print_text(Buffer *out, Str text)
{
	for (uint32_t i = 0; i < text.len; i++) {
		char c = text.data[i];

		if (c == '\\' || c == '"')
			buffer_append_char(out, '\\');
		if (c == '\n')
			buffer_append_str(out, STR("\\n"));
		else
			buffer_append_char(out, c);
	}
}

/* {job="...",more}; `more` may be "". */
static void
print_labels(Buffer *out, const JobView *job, const char *more)
{
	buffer_append_str(out, STR("{job=\""));
	print_text(out, job->state.plan->name);
	buffer_printf(out, "\"%s%s}", *more != '\0' ? "," : "", more);
}

/* ---------------------------------------------------------------- counters */

/* A metric of several rows says what each of them is. */
static void
print_counter_head(Buffer *out, const CounterInfo *info, const CounterInfo *end)
{
	buffer_printf(out, "# HELP " PREFIX "%s %s", info->metric, info->doc);
	for (const CounterInfo *more = info + 1; more < end; more++)
		if (strcmp(more->metric, info->metric) == 0)
			buffer_printf(out, "; %s: %s", more->label, more->doc);
	buffer_printf(out, "\n# TYPE " PREFIX "%s counter\n", info->metric);
}

static void
print_counters(const MonitorView *view, Buffer *out)
{
	const CounterInfo *infos;
	size_t count = counter_infos(&infos);

	for (size_t i = 0; i < count; i++) {
		const CounterInfo *info = &infos[i];

		if (i == 0 || strcmp(info->metric, info[-1].metric) != 0)
			print_counter_head(out, info, infos + count);
		for (uint32_t k = 0; k < view->job_count; k++) {
			const JobView *job = &view->jobs[k];

			buffer_printf(out, PREFIX "%s", info->metric);
			print_labels(out, job, info->label);
			buffer_printf(
				out, " %llu\n",
				(unsigned long long)counter_value(info, &job->state.counters));
		}
	}
}

/* ---------------------------------------------------------------- gauges */

static void
print_value(Buffer *out, double value)
{
	buffer_printf(out, " %.15g\n", value);
}

static void
print_processwide(const MonitorView *view, Buffer *out)
{
	const struct {
		const char *name, *kind, *help;
		double value;
	} rows[] = {
#define PROCESS(name, kind, value, help) {name, kind, help, value},
#define JOB(name, kind, value, help)
#include "server/metric_list.h"
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (isnan(rows[i].value))
			continue;
		print_head(out, rows[i].name, rows[i].kind, rows[i].help);
		buffer_printf(out, PREFIX "%s", rows[i].name);
		print_value(out, rows[i].value);
	}
}

static void
print_job_value(Buffer *out, const char *name, const JobView *job, double value)
{
	if (isnan(value))
		return;
	buffer_printf(out, PREFIX "%s", name);
	print_labels(out, job, "");
	print_value(out, value);
}

static void
print_each_job(const MonitorView *view, Buffer *out)
{
#define PROCESS(name, kind, value, help)
#define JOB(name, kind, value, help)                                                               \
	print_head(out, name, kind, help);                                                         \
	for (uint32_t i = 0; i < view->job_count; i++) {                                           \
		const JobView *job = &view->jobs[i];                                               \
		print_job_value(out, name, job, value);                                            \
	}
#include "server/metric_list.h"
}

/* ---------------------------------------------------------------- distributions */

/* That of the job's sources; "several" if they have different ones. */
static const char *
strategy_of(const StatementPlan *plan)
{
	const char *found = NULL;

	for (uint32_t i = 0; i < plan->scan_count; i++) {
		const BatchPlan *batch = &plan->scans[i]->scan.endpoint->batch;
		const char *own =
			batch->common != NULL ? batch_strategy_name(batch->strategy) : "none";

		if (found != NULL && strcmp(found, own) != 0)
			return "several";
		found = own;
	}
	return found != NULL ? found : "none";
}

static void
print_series(Buffer *out, const HistogramInfo *row, const JobView *job, const char *part,
	     const char *bound)
{
	buffer_printf(out, PREFIX "%s%s{job=\"", row->metric, part);
	print_text(out, job->state.plan->name);
	buffer_append_char(out, '"');
	if (*row->label != '\0')
		buffer_printf(out, ",%s", row->label);
	buffer_printf(out, ",strategy=\"%s\"", strategy_of(job->state.plan));
	if (*bound != '\0')
		buffer_printf(out, ",le=\"%s\"", bound);
	buffer_append_char(out, '}');
}

static void
print_histogram(Buffer *out, const HistogramInfo *row, const JobView *job)
{
	const HistogramCounts *counts = histogram_value(row, &job->state.counters);
	double unit = row->per_second > 0 ? row->per_second : 1;
	uint64_t below = 0;
	char bound[32];

	for (uint32_t i = 0; i < HISTOGRAM_BOUNDS; i++) {
		below += counts->buckets[i];
		if (!histogram_bound_is_round(i))
			continue;
		snprintf(bound, sizeof bound, "%.9g", (double)histogram_bound(i) / unit);
		print_series(out, row, job, "_bucket", bound);
		buffer_printf(out, " %llu\n", (unsigned long long)below);
	}
	below += counts->buckets[HISTOGRAM_BOUNDS];
	print_series(out, row, job, "_bucket", "+Inf");
	buffer_printf(out, " %llu\n", (unsigned long long)below);
	print_series(out, row, job, "_sum", "");
	print_value(out, (double)counts->sum / unit);
	print_series(out, row, job, "_count", "");
	buffer_printf(out, " %llu\n", (unsigned long long)below);
}

static void
print_histograms(const MonitorView *view, Buffer *out)
{
	const HistogramInfo *infos;
	size_t count = histogram_infos(&infos);

	for (size_t i = 0; i < count; i++) {
		const HistogramInfo *row = &infos[i];

		if (i == 0 || strcmp(row->metric, row[-1].metric) != 0)
			print_head(out, row->metric, "histogram", row->doc);
		for (uint32_t k = 0; k < view->job_count; k++)
			print_histogram(out, row, &view->jobs[k]);
	}
}

int
route_metrics(const MonitorView *view, Buffer *out)
{
	print_processwide(view, out);
	print_each_job(view, out);
	print_counters(view, out);
	print_histograms(view, out);
	return 200;
}
