/* exec/pipeline.c -- build the operators of a plan and push chunks through them. */
#include "exec/pipeline.h"

#include "base/memory.h"
#include "exec/operator.h"
#include "exec/scan_columns.h"

#define OUTPUT_LIMIT ((size_t)1 << 30)

struct Pipeline {
	Arena arena;
	TaskContext task;
	const PlanNode *scan;
	DecodeSpec decode;
	Decoder *decoder;
	Batch *batch;
	Operator *first;
};

void
chunk_result_init(ChunkResult *result, bool keyed)
{
	*result = (ChunkResult){0};
	output_init(&result->output, OUTPUT_LIMIT, keyed);
	arena_init(&result->arena, (size_t)16 << 10);
}

void
chunk_result_free(ChunkResult *result)
{
	output_free(&result->output);
	arena_free(&result->arena);
}

const PlanNode *
plan_scan(const StatementPlan *plan)
{
	const PlanNode *node = plan->root;

	while (node->input != NULL)
		node = node->input;
	return node;
}

void
pipeline_decode_spec(const StatementPlan *plan, FieldOrder *order, DecodeSpec *spec)
{
	const PlanNode *scan = plan_scan(plan);

	*spec = (DecodeSpec){
		.columns = scan->scan.decode,
		.column_count = scan->scan.decode_count,
		.predicates = scan->scan.predicates,
		.predicate_count = scan->scan.predicate_count,
		.schema = scan->scan.record,
		.settings = scan->scan.endpoint->codec_settings,
		.skip_null = scan->scan.endpoint->common[ENDPOINT_VALUE_NULL].integer != 0,
		.order = order,
	};
}

/* ---------------------------------------------------------------- building */

static const OperatorClass *
class_of(const PlanNode *node)
{
	switch (node->kind) {
	case PLAN_FILTER:
		return &filter_class;
	case PLAN_PROJECT:
		return &project_class;
	case PLAN_WATERMARK:
		return &watermark_class;
	case PLAN_LATE:
		return class_of(node->late.window);
	case PLAN_AGGREGATE:
		return node->aggregate.window.shape == SHAPE_SESSION ? &session_class
								     : &aggregate_class;
	case PLAN_JOIN:
		return &join_class;
	case PLAN_OVER:
		return &over_class;
	case PLAN_UNNEST:
		return &unnest_class;
	case PLAN_DISTINCT:
		return &distinct_class;
	case PLAN_SORT:
		return &sort_class;
	case PLAN_LIMIT:
		return &limit_class;
	case PLAN_SCAN:
		break;
	}
	return NULL;
}

static bool
keeps_state(const PlanNode *node)
{
	return node->kind == PLAN_AGGREGATE || node->kind == PLAN_JOIN || node->kind == PLAN_OVER ||
	       node->kind == PLAN_DISTINCT || node->kind == PLAN_SORT;
}

bool
plan_counts_results(const StatementPlan *plan)
{
	for (const PlanNode *node = plan->root; node != NULL; node = node->input)
		if (keeps_state(node) || node->kind == PLAN_UNNEST)
			return true;
	return false;
}

bool
plan_is_stateful(const StatementPlan *plan)
{
	for (const PlanNode *node = plan->root; node != NULL; node = node->input)
		if (keeps_state(node) || (node->kind == PLAN_LIMIT && node != plan->root) ||
		    node->kind == PLAN_LATE)
			return true;
	return false;
}

static Status
add_operator(Pipeline *pipeline, const OperatorClass *class, const PlanNode *plan, Error *err)
{
	Operator *op = arena_zero(&pipeline->arena, class->size);

	op->class = class;
	op->plan = plan;
	op->next = pipeline->first;
	pipeline->first = op;
	return class->open(op, &pipeline->task, err);
}

/* From the sink down to the scan, so that each operator finds its next one. */
static Status
build_operators(Pipeline *pipeline, Error *err)
{
	const PlanNode *node = pipeline->task.plan->root;

	TRY(add_operator(pipeline, pipeline->task.collect != NULL ? &collect_class : &sink_class,
			 NULL, err));
	/* A statement's own LIMIT is applied by the writer, to what all tasks put out. */
	if (node->kind == PLAN_LIMIT && pipeline->task.collect == NULL)
		node = node->input;
	for (; node->kind != PLAN_SCAN; node = node->input)
		TRY(add_operator(pipeline, class_of(node), node, err));
	return FERRIS_OK;
}

static Batch *
new_batch(const PlanNode *scan)
{
	VectorForm forms[64];
	VectorForm *all = forms;
	uint32_t count = scan->schema.count;

	if (count > sizeof forms / sizeof *forms)
		all = memory_alloc(sizeof *all * count);
	for (uint32_t i = 0; i < count; i++)
		all[i] = scan->scan.columns[i].form;
	Batch *batch = batch_new(scan->schema.fields, all, count);
	if (all != forms)
		memory_free(all);
	return batch;
}

Status
pipeline_open(const PipelineSpec *spec, Pipeline **out, Error *err)
{
	Pipeline *pipeline = memory_zero(sizeof *pipeline);

	*out = pipeline;
	arena_init(&pipeline->arena, 0);
	pipeline->scan = plan_scan(spec->plan);
	pipeline->task = (TaskContext){
		.arena = &pipeline->arena,
		.plan = spec->plan,
		.reader = spec->reader,
		.keyed = spec->collect == NULL && spec->plan->sink->connector->keyed_output,
		.group = spec->group,
		.environment = spec->environment,
		.collect = spec->collect,
		.collector = spec->collector,
		.splits = spec->splits,
		.stop_at_error = spec->stop_at_error,
		.state_limit = (size_t)spec->plan->job[JOB_STATE_LIMIT].integer};
	pipeline->batch = new_batch(pipeline->scan);
	pipeline_decode_spec(spec->plan, spec->order, &pipeline->decode);
	TRY(pipeline->scan->scan.endpoint->codec->decoder_open(&pipeline->decode, &pipeline->arena,
							       &pipeline->decoder, err));
	return build_operators(pipeline, err);
}

void
pipeline_close(Pipeline *pipeline)
{
	if (pipeline == NULL)
		return;
	for (Operator *op = pipeline->first; op != NULL; op = op->next)
		op->class->close(op);
	batch_destroy(pipeline->batch);
	arena_free(&pipeline->arena);
	memory_free(pipeline);
}

/* ---------------------------------------------------------------- running */

static void
result_reset(ChunkResult *result)
{
	output_reset(&result->output);
	arena_reset(&result->arena);
	result->records_in = 0;
	result->filtered = 0;
	result->late = 0;
	result->aggregated = 0;
	result->results = 0;
	result->limited = 0;
	result->lines = 0;
	result->errors = NULL;
	result->rows_before = NULL;
	result->error_count = 0;
	result->error_capacity = 0;
}

/* How many of the selected rows come from records before that line; they are in its order. */
static uint32_t
rows_before_line(const Batch *batch, uint32_t line)
{
	uint32_t low = 0;
	uint32_t high = batch->sel_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (batch->records[batch->sel[middle]].line < line)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
reserve_errors(ChunkResult *result, uint32_t wanted)
{
	uint32_t capacity = wanted > 16 ? wanted * 2 : 16;

	if (wanted <= result->error_capacity)
		return;
	RowError *errors = ARENA_ARRAY(&result->arena, RowError, capacity);
	uint32_t *rows_before = ARENA_ARRAY(&result->arena, uint32_t, capacity);
	if (result->error_count > 0) {
		memcpy(errors, result->errors, sizeof *errors * result->error_count);
		memcpy(rows_before, result->rows_before, sizeof *rows_before * result->error_count);
	}
	result->errors = errors;
	result->rows_before = rows_before;
	result->error_capacity = capacity;
}

/* Whether an error of a record comes before the one at the end of the list. */
static bool
comes_before(const RowError *error, const RowError *last)
{
	return !error->derived && !last->derived && last->record.line > error->record.line;
}

/* `first`: the rows of output that stood before this batch's. */
static void
keep_errors(ChunkResult *result, const Batch *batch, uint32_t first)
{
	reserve_errors(result, result->error_count + batch->error_count);
	for (uint32_t i = 0; i < batch->error_count; i++) {
		RowError error = batch->errors[i];
		uint32_t at = result->error_count++;
		uint32_t rows = first + rows_before_line(batch, error.record.line);

		if (error.derived || rows > result->output.count)
			rows = result->output.count;
		error.column = str_copy(&result->arena, error.column);
		error.message = str_copy(&result->arena, error.message);
		/* Stages report one after the other; insertion keeps the order of the records. */
		while (at > 0 && comes_before(&error, &result->errors[at - 1])) {
			result->errors[at] = result->errors[at - 1];
			result->rows_before[at] = result->rows_before[at - 1];
			at--;
		}
		result->errors[at] = error;
		result->rows_before[at] = rows;
	}
}

void
task_keep_errors(TaskContext *task, const Batch *batch)
{
	keep_errors(task->result, batch, task->result->output.count);
}

static uint32_t
first_error_line(const Batch *batch)
{
	uint32_t line = UINT32_MAX;

	for (uint32_t i = 0; i < batch->error_count; i++)
		if (batch->errors[i].record.line < line)
			line = batch->errors[i].record.line;
	return line;
}

/* FailBatch: take back the rows of this batch that follow its first failed record. */
static void
cut_after_error(const Batch *batch, Output *output, uint32_t first)
{
	output_cut(output, first + rows_before_line(batch, first_error_line(batch)));
}

void
task_stop_at_error(const TaskContext *task, Batch *batch)
{
	if (!task->stop_at_error || batch->error_count == 0 || batch->derived)
		return;
	uint32_t count = rows_before_line(batch, first_error_line(batch));
	batch->dense = batch->dense && count == batch->sel_count;
	batch->sel_count = count;
}

/* Whether an operator from `op` on makes several rows of one: then the rows of the output are not
 * those that a batch has selected. */
static bool
makes_rows(const Operator *op)
{
	for (; op != NULL; op = op->next)
		if (op->class == &unnest_class)
			return true;
	return false;
}

Status
task_push_made(TaskContext *task, Operator *next, Batch *out, Error *err)
{
	Output *output = &task->result->output;
	uint32_t first = output->count;
	bool made = makes_rows(next);

	if (!made)
		output_reserve(output, out->sel_count);
	TRY(operator_push(next, out, err));
	if (out->error_count == 0)
		return FERRIS_OK;
	if (task->stop_at_error && !made && !out->derived)
		cut_after_error(out, output, first);
	keep_errors(task->result, out, made ? output->count : first);
	return FERRIS_OK;
}

/* Records behind the one that reached a LIMIT count as not read, as they would in a later chunk. */
static void
forget_errors_behind_limit(const TaskContext *task, Batch *batch)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->error_count; i++)
		if (batch->errors[i].derived ||
		    (int64_t)batch->errors[i].record.line <= task->last_line)
			batch->errors[kept++] = batch->errors[i];
	task->result->limited += batch->error_count - kept;
	batch->error_count = kept;
}

Status
pipeline_run(Pipeline *pipeline, const Chunk *chunk, ChunkResult *result, Error *err)
{
	ChunkCursor cursor = {.chunk = chunk};
	Batch *batch = pipeline->batch;
	bool made = makes_rows(pipeline->first);

	result_reset(result);
	pipeline->task.chunk = chunk;
	pipeline->task.output = &result->output;
	pipeline->task.result = result;
	while (pipeline->task.done       ? false
	       : chunk->record_count > 0 ? cursor.record < chunk->record_count
					 : cursor.next < chunk->len) {
		uint32_t first = result->output.count;

		batch_reset(batch);
		TRY(pipeline->decoder->class->decode(pipeline->decoder, &cursor, batch, err));
		fill_scan_columns(pipeline->scan, &pipeline->task, batch);
		output_reserve(&result->output, batch->sel_count);
		TRY(operator_push(pipeline->first, batch, err));
		if (pipeline->task.done)
			forget_errors_behind_limit(&pipeline->task, batch);
		result->records_in += batch->records_in;
		result->filtered += batch->filtered;
		if (batch->error_count > 0 && pipeline->task.stop_at_error && !made)
			cut_after_error(batch, &result->output, first);
		keep_errors(result, batch, made ? result->output.count : first);
		if (result->error_count > 0 && pipeline->task.stop_at_error)
			break;
	}
	result->lines = cursor.line;
	return FERRIS_OK;
}

bool
pipeline_is_done(const Pipeline *pipeline)
{
	return pipeline->task.done;
}

Status
pipeline_finish(Pipeline *pipeline, ChunkResult *result, Error *err)
{
	result_reset(result);
	pipeline->task.output = &result->output;
	pipeline->task.result = result;
	return operator_finish(pipeline->first, err);
}
