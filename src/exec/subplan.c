/* exec/subplan.c -- run a bounded plan in a pipeline of its own, with a collector for a sink. */
#include "exec/subplan.h"

#define READ_WAIT_MS 100

typedef struct SubplanRun {
	const Subplan *subplan;
	Source *sources;
	Pipeline *pipeline;
	Chunk *chunk;
	ChunkResult result;
	uint64_t before; /* records of the source's earlier chunks */
} SubplanRun;

static Status
check_records(const SubplanRun *run, const Source *source, Error *err)
{
	if (run->result.error_count == 0)
		return FERRIS_OK;
	const RowError *error = &run->result.errors[0];
	error_set(err, error->status, "table '%s': record %llu: %s%.*s%s%.*s", source->object,
		  (unsigned long long)run->before + error->record.line + 1,
		  error->column.len > 0 ? "column '" : "", STR_ARG(error->column),
		  error->column.len > 0 ? "': " : "", STR_ARG(error->message));
	return error_hint(err, "%s", run->subplan->need);
}

static Status
read_source(SubplanRun *run, uint32_t index, Error *err)
{
	Source *source = &run->sources[index];
	ReadResult got = READ_IDLE;

	run->before = 0;
	while (got != READ_END && !pipeline_is_done(run->pipeline)) {
		chunk_reset(run->chunk);
		TRY(source->connector->read(source->reader, run->chunk, READ_WAIT_MS, &got, err));
		if (got != READ_DATA)
			continue;
		TRY(pipeline_run(run->pipeline, index, run->chunk, &run->result, err));
		TRY(check_records(run, source, err));
		run->before += run->result.lines;
	}
	TRY(pipeline_end(run->pipeline, index, &run->result, err));
	return check_records(run, source, err);
}

static Status
open_sources(SubplanRun *run, const StatementPlan *plan, TaskContext *task, Error *err)
{
	for (uint32_t i = 0; i < plan->scan_count; i++) {
		Str name = plan->scans[i]->scan.endpoint->name;
		Str group = str_format(task->arena, "%s-%.*s", task->group, STR_ARG(name));

		SourceSpec spec = {.scan = plan->scans[i],
				   .group = group.data,
				   .environment = task->environment};
		TRY(source_open(&run->sources[i], &spec, task->arena, err));
	}
	return FERRIS_OK;
}

static Status
run_pipeline(SubplanRun *run, const StatementPlan *plan, TaskContext *task, Error *err)
{
	PipelineSpec spec = {
		.plan = plan,
		.sources = run->sources,
		.stop_at_error = true,
		.group = task->group,
		.environment = task->environment,
		.collect = run->subplan->collect,
		.collector = run->subplan->collector,
	};

	TRY(open_sources(run, plan, task, err));
	TRY(pipeline_open(&spec, &run->pipeline, err));
	for (uint32_t i = 0; i < plan->scan_count; i++)
		TRY(read_source(run, i, err));
	return FERRIS_OK;
}

Status
subplan_run(const Subplan *subplan, TaskContext *task, Error *err)
{
	StatementPlan *plan = ARENA_NEW(task->arena, StatementPlan);
	SubplanRun run = {.subplan = subplan};

	*plan = *task->plan;
	plan->root = subplan->root;
	plan->sink = NULL;
	plan->scans = plan_scans(task->arena, plan->root, &plan->scan_count);
	run.sources = ARENA_ARRAY(task->arena, Source, plan->scan_count);
	run.chunk = chunk_new(CHUNK_CAPACITY);
	chunk_result_init(&run.result, false);
	Status status = run_pipeline(&run, plan, task, err);
	pipeline_close(run.pipeline);
	for (uint32_t i = 0; i < plan->scan_count; i++)
		source_close(&run.sources[i]);
	chunk_result_free(&run.result);
	chunk_destroy(run.chunk);
	return status;
}
