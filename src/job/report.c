/* job/report.c -- SHOW JOBS, STATUS, METRICS, WATERMARKS, PARTITIONS, and EXPLAIN ANALYZE. */
#include "job/report.h"

#include "base/clock.h"
#include "connector/values.h"
#include "job/counters.h"
#include "plan/fixed_rows.h"

#define POLL_MS 2

typedef struct Answer {
	const ScriptPlan *plan;
	Running *const *running; /* the plan's items; NULL: not begun */
	FixedRows rows;
} Answer;

typedef void (*AnswerJob)(Answer *answer, uint32_t at);

static Str
status_of(Running *running)
{
	return str_from(running_status_name(running_status(running)));
}

static JobCounters
counters_of(const Answer *answer, uint32_t at)
{
	JobCounters counters = {.lag = -1};

	if (answer->running[at] != NULL)
		running_counters(answer->running[at], &counters);
	return counters;
}

static void
answer_job(Answer *answer, uint32_t at)
{
	const StatementPlan *plan = answer->plan->items[at];

	fixed_text(&answer->rows, plan->name);
	fixed_text(&answer->rows, status_of(answer->running[at]));
	fixed_text(&answer->rows, plan->statement->text);
}

static void
fixed_or_null(FixedRows *rows, int64_t value)
{
	if (value < 0)
		fixed_null(rows);
	else
		fixed_number(rows, value);
}

static void
answer_status(Answer *answer, uint32_t at)
{
	JobCounters counters = counters_of(answer, at);
	FixedRows *rows = &answer->rows;

	fixed_text(rows, answer->plan->items[at]->name);
	fixed_text(rows, status_of(answer->running[at]));
	fixed_number(rows, (int64_t)counters.records_in);
	fixed_number(rows, (int64_t)counters.rows_out);
	fixed_number(rows, (int64_t)counters.filtered);
	fixed_number(rows, (int64_t)counters.late);
	fixed_number(rows, (int64_t)counters.failed);
	fixed_or_null(rows, counters.lag);
}

/* value -1: not known. */
static void
answer_metric(Answer *answer, uint32_t at, Str name, int64_t value)
{
	fixed_text(&answer->rows, answer->plan->items[at]->name);
	fixed_text(&answer->rows, name);
	fixed_or_null(&answer->rows, value);
}

static void
answer_metrics(Answer *answer, uint32_t at)
{
	static const int percents[] = {50, 95, 99};
	const CounterInfo *infos;
	const HistogramInfo *distributions;
	char name[64];

	if (answer->running[at] == NULL)
		return;
	JobCounters counters = counters_of(answer, at);
	size_t count = counter_infos(&infos);
	for (size_t i = 0; i < count; i++)
		answer_metric(answer, at, str_from(infos[i].name),
			      (int64_t)counter_value(&infos[i], &counters));
	count = histogram_infos(&distributions);
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < sizeof percents / sizeof *percents; k++) {
			const HistogramCounts *own = histogram_value(&distributions[i], &counters);

			snprintf(name, sizeof name, "%s_p%d", distributions[i].name, percents[k]);
			answer_metric(answer, at, str_from(name),
				      (int64_t)histogram_quantile(own, percents[k] / 100.0));
		}
	answer_metric(answer, at, STR("records_per_second"),
		      (int64_t)job_records_per_second(&counters));
	answer_metric(answer, at, STR("lag"), counters.lag);
}

/* ---------------------------------------------------------------- event time */

/* The partitions of a statement, job by job. */
typedef struct WatermarkAnswer {
	Answer *answer;
	const StatementPlan *plan;
	uint32_t source;
} WatermarkAnswer;

/* How far the partition that is furthest behind has come, of all that are not idle. */
static int64_t
least_watermark(const Job *job, uint32_t sources)
{
	int64_t least = INT64_MAX;

	for (uint32_t s = 0; s < sources; s++) {
		const SourceTime *time = job_source_time(job, s);

		for (uint32_t i = 0; time->splits != NULL && i < time->split_count; i++)
			if (!time->splits[i].idle && time->splits[i].watermark < least)
				least = time->splits[i].watermark;
	}
	return least;
}

static void
answer_split(Answer *answer, const SourceTime *source, uint32_t split, int64_t least)
{
	int64_t watermark = source->splits[split].watermark;
	int64_t last = source->splits[split].last_ms;
	bool idle = source->splits[split].idle;
	FixedRows *rows = &answer->rows;
	char text[64];
	char *end = text;

	if (watermark == INT64_MIN) {
		fixed_null(rows);
	} else {
		if (source->is_number || !timestamp_in_range(watermark))
			end += snprintf(text, sizeof text, "%lld", (long long)watermark);
		else
			end = timestamp_print(text, watermark);
		fixed_text(rows, (Str){text, (uint32_t)(end - text)});
	}
	fixed_flag(rows, idle);
	fixed_flag(rows, !idle && watermark == least);
	if (last == INT64_MIN)
		fixed_null(rows);
	else
		fixed_number(rows, clock_wall_ms() - (clock_ms() - last));
}

static void
answer_watermarks_of(void *context, const Job *job)
{
	WatermarkAnswer *self = context;
	const StatementPlan *plan = self->plan;
	const SourceTime *source = job_source_time(job, self->source);
	int64_t least = least_watermark(job, plan->scan_count);

	for (uint32_t i = 0; source->splits != NULL && i < source->split_count; i++) {
		fixed_text(&self->answer->rows, plan->name);
		fixed_text(&self->answer->rows, plan->scans[self->source]->scan.endpoint->name);
		fixed_number(&self->answer->rows, job_first_split(job) + i);
		answer_split(self->answer, source, i, least);
	}
}

static void
answer_watermarks(Answer *answer, uint32_t at)
{
	WatermarkAnswer self = {answer, answer->plan->items[at], 0};

	for (; answer->running[at] != NULL && self.source < self.plan->scan_count; self.source++)
		running_each(answer->running[at], answer_watermarks_of, &self);
}

/* All statements that move records, or the one that is asked for. */
static void
answer_jobs(Answer *answer, Str name, AnswerJob visit)
{
	for (uint32_t i = 0; i < answer->plan->count; i++) {
		const StatementPlan *plan = answer->plan->items[i];

		if (name.data != NULL ? str_eq_nocase(plan->name, name) : !plan->waits)
			visit(answer, i);
	}
}

/* A source whose splits do not deliver side by side has one, as far as anybody can tell. */
static Status
answer_partitions(Answer *answer, const PlanNode *scan, const JobSpec *spec, Arena *arena,
		  Error *err)
{
	const Endpoint *endpoint = scan->scan.endpoint;
	const OptionEntry *path = options_find(&endpoint->given, STR("path"));
	Str group = str_format(arena, "%.*s-partitions", STR_ARG(spec->application));
	Source source;

	SourceSpec own = {.scan = scan, .group = group.data, .environment = spec->environment};
	TRY(source_open(&source, &own, arena, err));
	for (uint32_t i = 0; i < source.splits || i == 0; i++) {
		fixed_text(&answer->rows, endpoint->name);
		fixed_number(&answer->rows, i);
		fixed_text(&answer->rows,
			   path != NULL ? path->value
					: str_from(source.connector->split_name(source.reader, i)));
	}
	source_close(&source);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- EXPLAIN ANALYZE */

static void
answer_lines(Answer *answer, Str text)
{
	while (text.len > 0) {
		const char *end = memchr(text.data, '\n', text.len);
		uint32_t len = end != NULL ? (uint32_t)(end - text.data) : text.len;

		fixed_text(&answer->rows, (Str){text.data, len});
		text = str_skip(text, end != NULL ? len + 1 : len);
	}
}

static Status
run_to_end(Running *running, bool (*interrupted)(void *context), void *context, Error *err)
{
	TRY(running_start(running, err));
	while (!running_is_done(running)) {
		if (interrupted != NULL && interrupted(context))
			running_stop(running);
		clock_sleep_ms(POLL_MS);
	}
	return running_wait(running, err);
}

static Status
answer_analysis(Answer *answer, const StatementPlan *plan, const ReportRun *run, Arena *arena,
		Error *err)
{
	Restarts spec = {.spec = run->spec};
	int64_t start = clock_ns();
	JobCounters counters;
	Running *running = NULL;

	spec.spec.plan = plan;
	Status status = running_open(&spec, &running, err);
	if (status == FERRIS_OK)
		status = run_to_end(running, run->interrupted, run->context, err);
	if (status == FERRIS_OK) {
		running_counters(running, &counters);
		answer_lines(answer, plan_explain(arena, plan));
		answer_lines(answer,
			     str_format(arena,
					"    ran %.3f s: %llu in, %llu out, %llu filtered, "
					"%llu aggregated, %llu late, %llu failed, %llu limited",
					(double)(clock_ns() - start) / 1e9,
					(unsigned long long)counters.records_in,
					(unsigned long long)counters.rows_out,
					(unsigned long long)counters.filtered,
					(unsigned long long)counters.aggregated,
					(unsigned long long)counters.late,
					(unsigned long long)counters.failed,
					(unsigned long long)counters.limited));
	}
	running_close(running);
	return status;
}

/* ---------------------------------------------------------------- the choice */

Status
report_answer(const ReportRun *run, const ScriptPlan *plan, Running *const *running, uint32_t at,
	      Arena *arena, Error *err)
{
	const StatementPlan *report = plan->items[at];
	const Schema *record = report->scans[0]->scan.record;
	Answer answer = {.plan = plan, .running = running};
	Status status = FERRIS_OK;

	if (report->report == REPORT_NONE)
		return FERRIS_OK;
	fixed_rows_init(&answer.rows, record->fields, record->count);
	switch (report->report) {
	case REPORT_JOBS:
		answer_jobs(&answer, report->report_name, answer_job);
		break;
	case REPORT_STATUS:
		answer_jobs(&answer, report->report_name, answer_status);
		break;
	case REPORT_METRICS:
		answer_jobs(&answer, report->report_name, answer_metrics);
		break;
	case REPORT_WATERMARKS:
		answer_jobs(&answer, report->report_name, answer_watermarks);
		break;
	case REPORT_PARTITIONS:
		status = answer_partitions(&answer, report->report_source, &run->spec, arena, err);
		break;
	case REPORT_ANALYZE:
		status = answer_analysis(&answer, report->analyzed, run, arena, err);
		break;
	case REPORT_NONE:
		break;
	}
	values_give(report->report_rows, fixed_rows_end(&answer.rows, arena));
	return status;
}
