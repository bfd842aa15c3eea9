/* exec/checkpoint.c -- records of operators, numbered. */
#include "exec/checkpoint.h"

#include <stdlib.h>

#include "exec/operator.h"
#include "state/record.h"

/* Puts the operator's number before each key. */
typedef struct NumberingWriter {
	StateWriter base;
	StateWriter *to;
	uint32_t number;
	Buffer key;
} NumberingWriter;

static Status
numbering_put(StateWriter *base, Str key, Str value, Error *err)
{
	NumberingWriter *self = (NumberingWriter *)base;

	buffer_reset(&self->key);
	record_key_u32(&self->key, self->number);
	buffer_append(&self->key, key.data, key.len);
	return self->to->put(self->to, (Str){self->key.data, (uint32_t)self->key.len}, value, err);
}

bool
pipeline_can_save(const Pipeline *pipeline)
{
	uint32_t count;
	Operator *const *operators = pipeline_operators(pipeline, &count);

	for (uint32_t i = 0; i < count; i++)
		if (operators[i]->class->save == NULL && !operators[i]->class->stateless)
			return false;
	return true;
}

Status
pipeline_save(Pipeline *pipeline, StateWriter *writer, Error *err)
{
	NumberingWriter numbering = {.base = {numbering_put, writer->changes_only}, .to = writer};
	uint32_t count;
	Operator *const *operators = pipeline_operators(pipeline, &count);
	Status status = FERRIS_OK;

	buffer_init(&numbering.key, SIZE_MAX);
	for (uint32_t i = 0; i < count && status == FERRIS_OK; i++) {
		numbering.number = i;
		if (operators[i]->class->save != NULL)
			status = operators[i]->class->save(operators[i], &numbering.base, err);
	}
	buffer_free(&numbering.key);
	return status;
}

Status
pipeline_load(Pipeline *pipeline, Str key, Str value, Error *err)
{
	RecordReader reader = record_reader(key);
	uint32_t count;
	Operator *const *operators = pipeline_operators(pipeline, &count);
	uint32_t number = __builtin_bswap32(record_take_u32(&reader));

	if (reader.damaged || number >= count || operators[number]->class->load == NULL ||
	    value.data == NULL)
		return store_damaged(err);
	return operators[number]->class->load(operators[number], str_skip(key, sizeof(uint32_t)),
					      value, err);
}

/* ---- reloading ---- */

static Status
load_all(Pipeline *pipeline, FILE *file, Error *err)
{
	SnapshotReader reader;
	Str key, value;
	bool got = true;
	Status status = snapshot_open(&reader, file, "in memory", 0, err);

	while (status == FERRIS_OK && got) {
		status = snapshot_next(&reader, &key, &value, &got, err);
		if (status == FERRIS_OK && got)
			status = pipeline_load(pipeline, key, value, err);
	}
	snapshot_close(&reader);
	return status;
}

static Status
save_all(Pipeline *pipeline, FILE *file, Error *err)
{
	SnapshotWriter writer;

	TRY(snapshot_begin(&writer, file, "in memory", 0, err));
	TRY(pipeline_save(pipeline, &writer.base, err));
	return snapshot_end(&writer, err);
}

Status
pipeline_reload(const PipelineSpec *spec, Pipeline **pipeline, Error *err)
{
	if (!pipeline_can_save(*pipeline))
		return FERRIS_OK;
	FILE *file = tmpfile();
	Status status;

	if (file == NULL)
		return error_set(err, FERRIS_ERR_STATE, "cannot make a temporary file");
	status = save_all(*pipeline, file, err);
	if (status == FERRIS_OK) {
		rewind(file);
		pipeline_close(*pipeline);
		*pipeline = NULL;
		status = pipeline_open(spec, pipeline, err);
	}
	if (status == FERRIS_OK)
		status = load_all(*pipeline, file, err);
	fclose(file);
	return status;
}
