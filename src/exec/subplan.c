/* exec/subplan.c -- run a bounded plan in a pipeline of its own, with a collector for a sink. */
#include "exec/subplan.h"

#define READ_WAIT_MS 100

static Status
record_error(const Subplan *subplan, const ChunkResult *result, const char *name, Error *err)
{
	const RowError *error = &result->errors[0];

	error_set(err, error->status, "table '%s': record %u: %s%.*s%s%.*s", name,
		  error->record.line + 1, error->column.len > 0 ? "column '" : "",
		  STR_ARG(error->column), error->column.len > 0 ? "': " : "",
		  STR_ARG(error->message));
	return error_hint(err, "%s", subplan->need);
}

static Status
read_to_end(const Subplan *subplan, Pipeline *pipeline, const ReaderSpec *source,
	    const ConnectorClass *connector, Reader *reader, Error *err)
{
	Chunk *chunk = chunk_new(CHUNK_CAPACITY);
	ReadResult got = READ_IDLE;
	Status status = FERRIS_OK;
	ChunkResult result;

	chunk_result_init(&result, false);
	while (status == FERRIS_OK && got != READ_END && !pipeline_is_done(pipeline)) {
		chunk_reset(chunk);
		status = connector->read(reader, chunk, READ_WAIT_MS, &got, err);
		if (status == FERRIS_OK && got == READ_DATA)
			status = pipeline_run(pipeline, chunk, &result, err);
		if (status == FERRIS_OK && result.error_count > 0)
			status = record_error(subplan, &result, source->object, err);
	}
	if (status == FERRIS_OK)
		status = pipeline_finish(pipeline, &result, err);
	if (status == FERRIS_OK && result.error_count > 0)
		status = record_error(subplan, &result, source->object, err);
	chunk_result_free(&result);
	chunk_destroy(chunk);
	return status;
}

Status
subplan_run(const Subplan *subplan, TaskContext *task, Error *err)
{
	StatementPlan *plan = ARENA_NEW(task->arena, StatementPlan);
	DecodeSpec *decode = ARENA_NEW(task->arena, DecodeSpec);
	FieldOrder *order = ARENA_NEW(task->arena, FieldOrder);
	Pipeline *pipeline = NULL;
	Reader *reader = NULL;

	*plan = *task->plan;
	plan->root = subplan->root;
	plan->sink = NULL;
	const Endpoint *endpoint = plan_scan(plan)->scan.endpoint;
	order->places = ARENA_ARRAY(task->arena, uint32_t, plan_scan(plan)->scan.decode_count + 1);
	pipeline_decode_spec(plan, order, decode);
	ReaderSpec source = {
		.object = str_copy(task->arena, endpoint->name).data,
		.settings = endpoint->connector_settings,
		.given = &endpoint->given,
		.framing = {endpoint->codec, endpoint->codec_settings, decode},
		.group = str_format(task->arena, "%s-%.*s", task->group, STR_ARG(endpoint->name))
				 .data,
		.environment = task->environment,
	};
	Status status = endpoint->connector->reader_open(&source, task->arena, &reader, err);
	PipelineSpec spec = {
		.plan = plan,
		.order = order,
		.reader = reader,
		.stop_at_error = true,
		.group = task->group,
		.environment = task->environment,
		.collect = subplan->collect,
		.collector = subplan->collector,
	};

	if (status == FERRIS_OK)
		status = pipeline_open(&spec, &pipeline, err);
	if (status == FERRIS_OK)
		status = read_to_end(subplan, pipeline, &source, endpoint->connector, reader, err);
	pipeline_close(pipeline);
	if (reader != NULL)
		endpoint->connector->reader_close(reader);
	return status;
}
