/* exec/pipeline.c -- build the operators of a plan and push chunks through them. */
#include "exec/pipeline.h"

#include "base/memory.h"
#include "exec/operator.h"
#include "exec/scan_columns.h"
#include "exec/window.h"

#define OUTPUT_LIMIT    ((size_t)1 << 30)
#define HAND_OVER_BYTES ((size_t)1 << 20)
#define SHARE_MIN       ((size_t)1 << 20) /* of memory, what the option may be at least */

/* Where the chunks of a scan go in. */
typedef struct Branch {
	Source *source;
	DecodeSpec decode;
	Decoder *decoder;
	Batch *batch;
	Operator *first;
} Branch;

struct Pipeline {
	Arena arena;
	TaskContext task;
	StateStore store;
	Branch *branches; /* one for each of the plan's scans */
	uint32_t branch_count;
	Operator **operators; /* all of them */
	uint32_t operator_count;
	uint32_t operator_capacity;
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
		return node->over.mode == OVER_TOP ? &top_class : &over_class;
	case PLAN_UNNEST:
		return &unnest_class;
	case PLAN_WINDOW:
		return &window_class;
	case PLAN_TABLE:
		return &table_class;
	case PLAN_LOOKUP:
		return &lookup_class;
	case PLAN_DISTINCT:
		return &distinct_class;
	case PLAN_SORT:
		return &sort_class;
	case PLAN_LIMIT:
		return &limit_class;
	case PLAN_UNION:
		return &union_class;
	case PLAN_SET:
		return &set_class;
	case PLAN_STREAM_JOIN:
		return node->stream_join.changes ? &table_join_class : &stream_join_class;
	case PLAN_VERSIONED_JOIN:
		return &versioned_join_class;
	case PLAN_SCAN:
		break;
	}
	return NULL;
}

static void
keep_operator(Pipeline *pipeline, Operator *op)
{
	if (pipeline->operator_count == pipeline->operator_capacity) {
		uint32_t capacity = 2 * pipeline->operator_capacity + 16;

		pipeline->operators =
			memory_resize(pipeline->operators, sizeof(Operator *) * capacity);
		pipeline->operator_capacity = capacity;
	}
	pipeline->operators[pipeline->operator_count++] = op;
}

static Status
add_operator(Pipeline *pipeline, const OperatorClass *class, const PlanNode *plan, Operator **next,
	     Error *err)
{
	Operator *op = arena_zero(&pipeline->arena, class->size);

	op->class = class;
	op->plan = plan;
	op->next = *next;
	*next = op;
	keep_operator(pipeline, op);
	return class->open(op, &pipeline->task, err);
}

/* The source whose operators are opened, or whose chunk is run. */
static Branch *
enter_branch(Pipeline *pipeline, uint32_t index)
{
	Branch *branch = &pipeline->branches[index];

	pipeline->task.source = index;
	pipeline->task.reader = branch->source->reader;
	pipeline->task.splits = branch->source->splits;
	pipeline->task.first_split = branch->source->first_split;
	return branch;
}

/* From `next` down to the scans, so that each operator finds its next one; `*branch` counts the
 * scans from left to right. */
static Status
build_operators(Pipeline *pipeline, const PlanNode *node, Operator *next, uint32_t *branch,
		Error *err)
{
	enter_branch(pipeline, *branch);
	for (; node->input != NULL; node = node->input)
		TRY(add_operator(pipeline, class_of(node), node, &next, err));
	if (node->kind == PLAN_SCAN) {
		pipeline->branches[(*branch)++].first = next;
		return FERRIS_OK;
	}
	TRY(add_operator(pipeline, class_of(node), node, &next, err));
	for (uint32_t i = 0; i < node->input_count; i++)
		TRY(build_operators(pipeline, node->inputs[i], port_new(&pipeline->arena, next, i),
				    branch, err));
	return FERRIS_OK;
}

static Status
build_all(Pipeline *pipeline, Error *err)
{
	const PlanNode *node = pipeline->task.plan->root;
	bool collects = pipeline->task.collect != NULL;
	Operator *last = NULL;
	uint32_t branch = 0;

	TRY(add_operator(pipeline, collects ? &collect_class : &sink_class, NULL, &last, err));
	/* A statement's own LIMIT is applied by the writer, to what all tasks put out. */
	if (node->kind == PLAN_LIMIT && !collects)
		node = node->input;
	return build_operators(pipeline, node, last, &branch, err);
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

static Status
open_branch(Branch *branch, Source *source, Arena *arena, Error *err)
{
	branch->source = source;
	branch->batch = new_batch(source->scan);
	source_decode_spec(source, &branch->decode);
	return source->scan->scan.endpoint->codec->decoder_open(&branch->decode, arena,
								&branch->decoder, err);
}

static void
init_store(Pipeline *pipeline, const PipelineSpec *spec)
{
	const Setting *job = spec->plan->job;
	const char *dir = NULL;
	uint32_t shares = spec->shares > 0 ? spec->shares : 1;
	size_t limit = (size_t)job[JOB_STATE_LIMIT].integer / shares;

	if (job[JOB_STATE_DIR].text.data != NULL)
		dir = str_copy(&pipeline->arena, job[JOB_STATE_DIR].text).data;
	store_init(&pipeline->store,
		   &(StoreOptions){.dir = dir,
				   .backend = spec->trial.spill && dir == NULL ? &backend_memory
									       : NULL,
				   .memory_limit = limit > SHARE_MIN ? limit : SHARE_MIN,
				   .disk_limit = (uint64_t)job[JOB_STATE_DISK].integer / shares,
				   .spill = job[JOB_STATE_SPILL].flag,
				   .always = spec->trial.spill,
				   .tracks = spec->tracks || spec->trial.reload});
}

Status
pipeline_open(const PipelineSpec *spec, Pipeline **out, Error *err)
{
	Pipeline *pipeline = memory_zero(sizeof *pipeline);
	uint32_t count = spec->plan->scan_count;

	*out = pipeline;
	arena_init(&pipeline->arena, 0);
	pipeline->branches = ARENA_ARRAY(&pipeline->arena, Branch, count);
	init_store(pipeline, spec);
	pipeline->task = (TaskContext){
		.arena = &pipeline->arena,
		.plan = spec->plan,
		.keyed = spec->collect == NULL && spec->plan->sink->connector->keyed_output,
		.group = spec->group,
		.environment = spec->environment,
		.collect = spec->collect,
		.collector = spec->collector,
		.hand_over = spec->hand_over,
		.receiver = spec->receiver,
		.times = ARENA_ARRAY(&pipeline->arena, EventTime, count),
		.source_times = ARENA_ARRAY(&pipeline->arena, SourceTime, count),
		.source_count = count,
		.stop_at_error = spec->stop_at_error,
		.state_limit = pipeline->store.options.memory_limit,
		.store = &pipeline->store};
	for (uint32_t i = 0; i < count; i++) {
		pipeline->branch_count++;
		/* Nobody waits for a source without a Watermark. */
		pipeline->task.times[i] = (EventTime){.watermark = INT64_MIN, .idle = true};
		TRY(open_branch(&pipeline->branches[i], &spec->sources[i], &pipeline->arena, err));
	}
	return build_all(pipeline, err);
}

void
pipeline_close(Pipeline *pipeline)
{
	if (pipeline == NULL)
		return;
	for (uint32_t i = 0; i < pipeline->operator_count; i++)
		pipeline->operators[i]->class->close(pipeline->operators[i]);
	store_free(&pipeline->store);
	for (uint32_t i = 0; i < pipeline->branch_count; i++)
		batch_destroy(pipeline->branches[i].batch);
	memory_free(pipeline->operators);
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
	result->straight = 0;
	result->spans = 0;
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

bool
makes_rows_always(const Operator *op)
{
	(void)op;
	return true;
}

/* Whether an operator from `op` on makes several rows of one: then the rows of the output are not
 * those that a batch has selected. */
static bool
makes_rows(const Operator *op)
{
	for (; op != NULL; op = op->next)
		if (op->class->makes_rows != NULL && op->class->makes_rows(op))
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
task_hand_over(TaskContext *task, Error *err)
{
	/* While a chunk is run its rows and errors are counted from the result's beginning. */
	if (task->hand_over == NULL || task->chunk != NULL ||
	    task->output->bytes.len < HAND_OVER_BYTES)
		return FERRIS_OK;
	TRY(task->hand_over(task->receiver, task->result, err));
	result_reset(task->result);
	return FERRIS_OK;
}

static Branch *
begin_run(Pipeline *pipeline, uint32_t source, const Chunk *chunk, ChunkResult *result)
{
	result_reset(result);
	pipeline->task.chunk = chunk;
	pipeline->task.output = &result->output;
	pipeline->task.result = result;
	return enter_branch(pipeline, source);
}

Status
pipeline_run(Pipeline *pipeline, uint32_t source, const Chunk *chunk, ChunkResult *result,
	     Error *err)
{
	ChunkCursor cursor = {.chunk = chunk};
	Branch *branch = begin_run(pipeline, source, chunk, result);
	Batch *batch = branch->batch;
	bool stops = pipeline->task.stop_at_error;
	bool made = makes_rows(branch->first);

	while (pipeline->task.done       ? false
	       : chunk->record_count > 0 ? cursor.record < chunk->record_count
					 : cursor.next < chunk->len) {
		uint32_t first = result->output.count;

		batch_reset(batch);
		TRY(branch->decoder->class->decode(branch->decoder, &cursor, batch, err));
		fill_scan_columns(branch->source->scan, &pipeline->task, batch);
		output_reserve(&result->output, batch->sel_count);
		TRY(operator_push(branch->first, batch, err));
		if (pipeline->task.done)
			forget_errors_behind_limit(&pipeline->task, batch);
		result->records_in += batch->records_in;
		result->filtered += batch->filtered;
		if (batch->error_count > 0 && stops && !made)
			cut_after_error(batch, &result->output, first);
		keep_errors(result, batch, made ? result->output.count : first);
		if (result->error_count > 0 && stops)
			break;
	}
	result->lines = cursor.line;
	return chunk->marked && !pipeline->task.done
		       ? operator_tick(branch->first, &(Tick){.mark = chunk}, err)
		       : FERRIS_OK;
}

Status
pipeline_tick(Pipeline *pipeline, uint32_t source, const Tick *tick, ChunkResult *result,
	      Error *err)
{
	Branch *branch = begin_run(pipeline, source, NULL, result);

	return operator_tick(branch->first, tick, err);
}

Status
pipeline_end(Pipeline *pipeline, uint32_t source, ChunkResult *result, Error *err)
{
	Branch *branch = begin_run(pipeline, source, NULL, result);

	return operator_finish(branch->first, err);
}

const SourceTime *
pipeline_source_time(const Pipeline *pipeline, uint32_t source)
{
	return &pipeline->task.source_times[source];
}

bool
pipeline_is_done(const Pipeline *pipeline)
{
	return pipeline->task.done;
}

Operator *const *
pipeline_operators(const Pipeline *pipeline, uint32_t *count)
{
	*count = pipeline->operator_count;
	return pipeline->operators;
}

StateStore *
pipeline_store(Pipeline *pipeline)
{
	return &pipeline->store;
}
