/* exec/op_sink.c -- SINK: encode the selected rows, with key, headers and timestamp if wanted.
 *
 * The key is the PRIMARY KEY column's text; several make a JSON object.  Without a PRIMARY KEY the
 * source record's key goes through; its timestamp and headers do so in any case.
 *
 * Owns:    the encoder and, for a key of several columns, a second one.
 * Threads: one operator belongs to one task. */
#include "codec/text.h"
#include "exec/operator.h"
#include "exec/sink_changes.h"
#include "exec/sink_headers.h"

typedef struct SinkOp {
	Operator base;
	TaskContext *task;
	SinkChanges changes;
	Encoder *encoder;
	Encoder *key_encoder; /* of several key columns */
	Output key_output;
} SinkOp;

static void
encode_columns(Arena *arena, const Schema *schema, const uint32_t *which, uint32_t count,
	       EncodeSpec *spec)
{
	EncodeColumn *columns = ARENA_ARRAY(arena, EncodeColumn, count);

	for (uint32_t i = 0; i < count; i++) {
		uint32_t source = which != NULL ? which[i] : i;

		columns[i] = (EncodeColumn){.name = schema->fields[source].name,
					    .type = schema->fields[source].type,
					    .source = source};
	}
	spec->columns = columns;
	spec->column_count = count;
}

static Status
open_key_encoder(SinkOp *self, TaskContext *task, Error *err)
{
	const StatementPlan *plan = task->plan;
	const CodecClass *json = codec_find(STR("json"));
	EncodeSpec spec = {0};
	Setting *settings;
	Options none = {0};

	TRY(options_resolve(&json->encode_options, &none, task->arena, &settings, err));
	spec.settings = settings;
	encode_columns(task->arena, &plan->root->schema, plan->key_columns, plan->key_count, &spec);
	output_init(&self->key_output, (size_t)1 << 30, false);
	return json->encoder_open(&spec, task->arena, &self->key_encoder, err);
}

static Status
sink_open(Operator *op, TaskContext *task, Error *err)
{
	SinkOp *self = (SinkOp *)op;
	const StatementPlan *plan = task->plan;
	EncodeSpec spec = {.settings = plan->sink->codec_settings};

	self->task = task;
	sink_changes_open(&self->changes, plan, task->arena, &spec);
	TRY(plan->sink->codec->encoder_open(&spec, task->arena, &self->encoder, err));
	return task->keyed && plan->key_count > 1 ? open_key_encoder(self, task, err) : FERRIS_OK;
}

/* ---------------------------------------------------------------- keys */

static void
add_key(Output *output, uint32_t record, Str key)
{
	bool present = key.data != NULL && buffer_append_str(&output->keys, key);

	output->key_ends[record] = (uint32_t)output->keys.len | (present ? 0 : KEY_NULL);
}

/* The text of one key column. */
static void
add_column_keys(const Batch *batch, uint32_t column, Output *output, uint32_t first, Arena *heap)
{
	const Vector *vector = &batch->columns[column];

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint32_t row = vector->constant ? 0 : batch->sel[i];
		Str key = {NULL, 0};

		if (!vector_is_null(vector, row)) {
			if (vector->form == FORM_TEXT ||
			    type_physical(vector->type) == PHYSICAL_VIEW) {
				StringView view = VECTOR_DATA(vector, StringView)[row];

				key = (Str){view.len > 0 ? view.data : "", view.len};
			} else {
				Value value = value_from_vector(vector, row);

				key = text_from_value(heap, &value, NULL);
			}
		}
		add_key(output, first + i, key);
	}
}

/* A JSON object of several key columns. */
static Status
add_object_keys(SinkOp *self, Batch *batch, Output *output, uint32_t first, Error *err)
{
	Output *keys = &self->key_output;
	uint32_t start = 0;

	output_reset(keys);
	TRY(self->key_encoder->class->encode(self->key_encoder, batch, keys, err));
	for (uint32_t i = 0; i < keys->count; i++) {
		add_key(output, first + i,
			(Str){keys->bytes.data + start, keys->ends[i] - start - 1});
		start = keys->ends[i];
	}
	return FERRIS_OK;
}

/* What the source's record carried. */
static void
pass_through(const StatementPlan *plan, const Chunk *chunk, const Batch *batch, Output *output,
	     uint32_t first)
{
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint32_t out = first + i;
		const ChunkRecord *record = NULL;

		if (!batch->derived && chunk->record_count > 0)
			record = &chunk->records[batch->records[batch->sel[i]].line];
		output->timestamps[out] = record != NULL ? record->timestamp_ms : INT64_MIN;
		Str carried = {NULL, 0};
		if (record != NULL)
			carried = (Str){chunk->data + record->header_offset, record->header_len};
		sink_headers_put(plan, batch, batch->sel[i], carried, &output->headers);
		output->header_ends[out] = (uint32_t)output->headers.len;
		if (plan->key_count > 0)
			continue;
		Str key = {NULL, 0};
		if (record != NULL && record->key_len != RECORD_NULL)
			key = (Str){chunk->data + record->key_offset, record->key_len};
		add_key(output, out, key);
	}
}

static Status
add_keys(SinkOp *self, Batch *batch, Output *output, uint32_t first, Error *err)
{
	const StatementPlan *plan = self->task->plan;

	output_reserve(output, 0);
	pass_through(plan, self->task->chunk, batch, output, first);
	if (plan->key_count == 1)
		add_column_keys(batch, plan->key_columns[0], output, first, &batch->heap);
	else if (plan->key_count > 1)
		TRY(add_object_keys(self, batch, output, first, err));
	sink_changes_mark(&self->changes, batch, output, first);
	return FERRIS_OK;
}

static Status
sink_push(Operator *op, Batch *batch, Error *err)
{
	SinkOp *self = (SinkOp *)op;
	Output *output = self->task->output;
	uint32_t first = output->count;

	TRY(sink_changes_encode(&self->changes, self->encoder, batch, output, err));
	self->task->result->straight += batch->counted ? 0 : output->count - first;
	if (self->task->keyed)
		TRY(add_keys(self, batch, output, first, err));
	return task_hand_over(self->task, err);
}

static void
sink_close(Operator *op)
{
	output_free(&((SinkOp *)op)->key_output);
	sink_changes_close(&((SinkOp *)op)->changes);
}

const OperatorClass sink_class = {
	.name = "Sink",
	.size = sizeof(SinkOp),
	.open = sink_open,
	.push = sink_push,
	.stateless = true,
	.close = sink_close,
};

/* The bytes a new file of this sink begins with; used once per statement. */
Status
sink_preamble(const StatementPlan *plan, Arena *arena, Buffer *out, Error *err)
{
	EncodeSpec spec = {.settings = plan->sink->codec_settings};
	SinkChanges changes = {0};
	Encoder *encoder;

	if (plan->sink->codec->preamble == NULL)
		return FERRIS_OK;
	sink_changes_open(&changes, plan, arena, &spec);
	Status status = plan->sink->codec->encoder_open(&spec, arena, &encoder, err);
	if (status == FERRIS_OK)
		status = plan->sink->codec->preamble(encoder, out, err);
	sink_changes_close(&changes);
	return status;
}
