/* plan/infer.c -- the columns of a source that declares none, from a sample of its data. */
#include <ctype.h>

#include "plan/bind.h"

/* A name for what has only an address: "trades" of 'kafka://host:9092/trades' and 'trades.json'. */
static Str
name_of_place(Arena *arena, Str place)
{
	const char *slash = memrchr(place.data, '/', place.len);
	Str name = slash != NULL ? str_skip(place, (uint32_t)(slash - place.data) + 1) : place;
	uint32_t len = 0;

	while (len < name.len && (isalnum((unsigned char)name.data[len]) || name.data[len] == '_' ||
				  name.data[len] == '-'))
		len++;
	if (len == 0 || name.data[0] == '-' || isdigit((unsigned char)name.data[0]))
		return STR("records");
	char *copy = arena_copy(arena, name.data, len);
	for (uint32_t i = 0; i < len; i++)
		if (copy[i] == '-')
			copy[i] = '_';
	return (Str){copy, len};
}

static Status
no_schema(Binder *binder, const Endpoint *endpoint, Position at, const char *why)
{
	error_set_at(binder->err, FERRIS_ERR_NO_SCHEMA, at, "'%.*s' declares no columns and %s",
		     STR_ARG(endpoint->name), why);
	return error_hint(binder->err,
			  "declare them: CREATE STREAM %.*s (name TYPE, ...) WITH (...)",
			  STR_ARG(name_of_place(binder->arena, endpoint->name)));
}

static Status
infer_from_sample(Binder *binder, const Endpoint *endpoint, Position at, const ReaderSpec *spec,
		  Chunk *sample, Schema *out)
{
	Error *err = binder->err;
	size_t bytes = (size_t)endpoint->common[ENDPOINT_SAMPLE_BYTES].integer;
	Status status = endpoint->connector->sample(spec, binder->arena, sample, bytes, err);

	if (status == FERRIS_OK && sample->len == 0 && sample->record_count == 0)
		return no_schema(binder, endpoint, at, "there is no data yet to infer them from");
	if (status == FERRIS_OK)
		status = endpoint->codec->infer(endpoint->codec_settings, sample, binder->arena,
						out, err);
	if (status != FERRIS_OK && err->position.line == 0)
		err->position = at;
	return status;
}

Status
infer_schema(Binder *binder, const Endpoint *endpoint, Position at, Schema *out)
{
	ReaderSpec spec = {
		.object = str_copy(binder->arena, endpoint->name).data,
		.settings = endpoint->connector_settings,
		.given = &endpoint->given,
		.framing = {.codec = endpoint->codec, .settings = endpoint->codec_settings},
		.group = "ferris-schema",
		.environment = binder->input->environment,
	};

	if (endpoint->connector->schema != NULL)
		return endpoint->connector->schema(&spec, binder->arena, out, binder->err);
	if (endpoint->connector->sample == NULL || endpoint->codec->infer == NULL)
		return no_schema(binder, endpoint, at, "they cannot be inferred here");
	if (binder->input->offline && str_eq(str_from(endpoint->connector->name), STR("kafka")))
		return no_schema(binder, endpoint, at, "this command asks no broker");

	Chunk *sample = chunk_new(CHUNK_CAPACITY);
	Status status = infer_from_sample(binder, endpoint, at, &spec, sample, out);
	chunk_destroy(sample);
	return status;
}
