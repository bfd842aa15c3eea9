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
pipeline_can_save(const Pipeline *pipeline, bool changes)
{
	uint32_t count;
	Operator *const *operators = pipeline_operators(pipeline, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!operators[i]->class->stateless &&
		    (operators[i]->class->save == NULL ||
		     (changes && !operators[i]->class->saves_changes)))
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
	StateStore *store = pipeline_store(pipeline);
	store->loading = true;
	Status status = operators[number]->class->load(operators[number],
						       str_skip(key, sizeof(uint32_t)), value, err);
	store->loading = false;
	return status;
}

static Status
load_record(void *pipeline, Str key, Str value, Error *err)
{
	return pipeline_load(pipeline, key, value, err);
}

Status
pipeline_load_all(Pipeline *pipeline, StateBackend *records, Error *err)
{
	return backend_each(records, STR(""), load_record, pipeline, err);
}

/* ---- reloading ---- */

/* Puts records into a backend. */
typedef struct BackendWriter {
	StateWriter base;
	StateBackend *backend;
} BackendWriter;

static Status
backend_put(StateWriter *base, Str key, Str value, Error *err)
{
	StateBackend *backend = ((BackendWriter *)base)->backend;

	return value.data == NULL ? backend->class->remove(backend, key, err)
				  : backend->class->put(backend, key, value, err);
}

static Status
save_to(Pipeline *pipeline, StateBackend *backend, bool changes, Error *err)
{
	BackendWriter writer = {.base = {backend_put, changes}, .backend = backend};

	TRY(pipeline_save(pipeline, &writer.base, err));
	return backend->class->commit(backend, err);
}

static Status
differ(Str key, Str other, const char *what, Error *err)
{
	char text[3 * 40 + 1] = "";
	Str shown = key.data != NULL ? key : other;

	for (uint32_t i = 0; i < shown.len && i < 40; i++)
		snprintf(text + (size_t)3 * i, 4, "%02x ", (unsigned char)shown.data[i]);
	return error_set(err, FERRIS_ERR_STATE, "what was saved as changes %s the record %s", what,
			 text);
}

/* Whether two backends hold the same. */
static Status
compare(StateBackend *changes, StateBackend *whole, Error *err)
{
	StateCursor *a, *b;
	Str key_a, key_b, value_a, value_b;
	Status status = FERRIS_OK;
	Error ignored;

	TRY(changes->class->scan(changes, STR(""), &a, err));
	TRY(whole->class->scan(whole, STR(""), &b, err));
	while (status == FERRIS_OK) {
		bool more_a = changes->class->cursor_next(a, &key_a, &value_a);
		bool more_b = whole->class->cursor_next(b, &key_b, &value_b);

		if (!more_a && !more_b)
			break;
		if (!more_b || (more_a && str_compare(key_a, key_b) < 0))
			status = differ(key_a, key_a, "still has", err);
		else if (!more_a || str_compare(key_a, key_b) > 0)
			status = differ(key_b, key_b, "lacks", err);
		else if (!str_eq(value_a, value_b))
			status = differ(key_a, key_b, "has an old value of", err);
	}
	changes->class->cursor_close(a, &ignored);
	whole->class->cursor_close(b, &ignored);
	return status;
}

static Status
open_memory(StateBackend **backend, Error *err)
{
	return backend_memory.open(&(BackendSpec){0}, backend, err);
}

Status
pipeline_reload(const PipelineSpec *spec, Pipeline **pipeline, StateBackend **records, Error *err)
{
	bool changes = pipeline_can_save(*pipeline, true);
	StateBackend *whole;

	if (!pipeline_can_save(*pipeline, false))
		return FERRIS_OK;
	TRY(open_memory(&whole, err));
	Status status = save_to(*pipeline, whole, false, err);
	if (status == FERRIS_OK && changes && *records == NULL)
		status = open_memory(records, err);
	if (status == FERRIS_OK && changes)
		status = save_to(*pipeline, *records, true, err);
	if (status == FERRIS_OK && changes)
		status = compare(*records, whole, err);
	if (status == FERRIS_OK) {
		pipeline_close(*pipeline);
		*pipeline = NULL;
		status = pipeline_open(spec, pipeline, err);
	}
	if (status == FERRIS_OK)
		status = pipeline_load_all(*pipeline, whole, err);
	whole->class->close(whole);
	return status;
}
