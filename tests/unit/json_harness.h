/* tests/unit/json_harness.h -- decode JSON text by a small spec and write down all that came of it.
 *
 * The record of a run is text: one line per row (its values as JSON, its range in the input) and
 * one per error, in two lists.  Two runs are equal if these texts are equal. */
#pragma once

#include "base/memory.h"
#include "codec/json_decode.h"
#include "codec/json_encode.h"
#include "codec/json_print.h"

#define HARNESS_COLUMNS 16

typedef enum HarnessPath { PATH_GENERAL, PATH_PORTABLE, PATH_AUTO, PATH_COUNT } HarnessPath;

typedef struct Harness {
	Arena arena;
	DecodeColumn columns[HARNESS_COLUMNS];
	uint32_t column_count;
	DecodePredicate predicates[HARNESS_COLUMNS];
	uint32_t predicate_count;
	uint32_t outputs;
	OptionEntry entries[8];
	uint32_t entry_count;
	size_t chunk_size; /* 0: one chunk */
	bool topic;        /* each line of the input is a topic's record */
	Decoder *decoder;
	Batch *batch;
	Buffer rows;
	Buffer errors;
	uint64_t records_in, filtered, row_count, error_count;
} Harness;

static inline void
harness_init(Harness *h)
{
	*h = (Harness){0};
	arena_init(&h->arena, 0);
	buffer_init(&h->rows, SIZE_MAX / 4);
	buffer_init(&h->errors, SIZE_MAX / 4);
}

static inline void
harness_free(Harness *h)
{
	batch_destroy(h->batch);
	buffer_free(&h->rows);
	buffer_free(&h->errors);
	arena_free(&h->arena);
}

static inline uint32_t
harness_column(Harness *h, const char *name, const Type *type, VectorForm form, bool stored)
{
	h->columns[h->column_count] =
		(DecodeColumn){.name = str_from(name),
			       .type = type,
			       .form = form,
			       .target = stored ? h->outputs++ : DECODE_NO_TARGET};
	return h->column_count++;
}

static inline void
harness_predicate(Harness *h, uint32_t column, CompareOp op, Value constant)
{
	constant.type = h->columns[column].type;
	h->predicates[h->predicate_count++] = (DecodePredicate){column, op, constant};
}

static inline void
harness_option(Harness *h, const char *key, const char *value)
{
	h->entries[h->entry_count++] =
		(OptionEntry){.key = str_from(key), .value = str_from(value)};
}

static inline Setting *
harness_settings(Harness *h, const OptionGroup *group)
{
	Options given = {h->entries, h->entry_count};
	Setting *settings;
	Error err;

	if (options_resolve(group, &given, &h->arena, &settings, &err) != FERRIS_OK) {
		fprintf(stderr, "harness: %s\n", err.message);
		return NULL;
	}
	return settings;
}

static inline bool
harness_never(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
	      JsonOutcome *outcome)
{
	(void)decoder, (void)run, (void)start, (void)end, (void)outcome;
	return false;
}

static inline const char *
harness_never_lines(JsonDecoder *decoder, JsonRun *run, const char *next, uint32_t *line)
{
	(void)decoder, (void)run, (void)line;
	return next;
}

static inline Status
harness_open(Harness *h, HarnessPath path, Error *err)
{
	Field fields[HARNESS_COLUMNS];
	VectorForm forms[HARNESS_COLUMNS];
	DecodeSpec *spec = ARENA_NEW(&h->arena, DecodeSpec);

	*spec = (DecodeSpec){.columns = h->columns,
			     .column_count = h->column_count,
			     .predicates = h->predicates,
			     .predicate_count = h->predicate_count};
	if (path == PATH_PORTABLE)
		harness_option(h, "json.simd", "portable");
	spec->settings = harness_settings(h, &json_codec.decode_options);
	h->entry_count -= path == PATH_PORTABLE;
	for (uint32_t i = 0; i < h->column_count; i++)
		if (h->columns[i].target != DECODE_NO_TARGET) {
			fields[h->columns[i].target] =
				(Field){h->columns[i].name, h->columns[i].type, false};
			forms[h->columns[i].target] = h->columns[i].form;
		}
	if (h->batch == NULL)
		h->batch = batch_new(fields, forms, h->outputs);
	TRY(json_codec.decoder_open(spec, &h->arena, &h->decoder, err));
	if (path == PATH_GENERAL) {
		((JsonDecoder *)h->decoder)->fast = harness_never;
		((JsonDecoder *)h->decoder)->fast_lines = harness_never_lines;
	}
	return FERRIS_OK;
}

static inline void
harness_note(Harness *h, const Chunk *chunk, uint32_t first_line)
{
	static const TimestampStyle iso = {.kind = TIMESTAMP_ISO8601};
	Batch *batch = h->batch;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint32_t row = batch->sel[i];
		RecordRange range = batch->records[row];

		buffer_printf(&h->rows,
			      "%lld+%u line %u:", (long long)(chunk->position + range.offset),
			      range.len, first_line + range.line);
		for (uint32_t c = 0; c < h->outputs; c++) {
			JsonPrintError error = {FERRIS_OK, NULL};

			buffer_append_char(&h->rows, ' ');
			if (!json_print_value(&h->rows, &iso, &batch->columns[c], row, &error))
				buffer_printf(&h->rows, "<%s>", error.what);
		}
		buffer_append_char(&h->rows, '\n');
	}
	for (uint32_t i = 0; i < batch->error_count; i++) {
		const RowError *e = &batch->errors[i];

		buffer_printf(&h->errors, "%lld+%u line %u: %s '%.*s' %.*s\n",
			      (long long)(chunk->position + e->record.offset), e->record.len,
			      first_line + e->record.line, error_info(e->status)->name,
			      STR_ARG(e->column), STR_ARG(e->message));
	}
	h->records_in += batch->records_in;
	h->filtered += batch->filtered;
	h->row_count += batch->row_count;
	h->error_count += batch->error_count;
}

/* Where the topic's records are: one a line, "null" is a tombstone. */
static inline void
harness_split_lines(Chunk *chunk)
{
	size_t at = 0;

	while (at < chunk->len) {
		const char *newline = memchr(chunk->data + at, '\n', chunk->len - at);
		size_t end = newline != NULL ? (size_t)(newline - chunk->data) : chunk->len;
		ChunkRecord *record = chunk_add_record(chunk);

		record->offset = (uint32_t)at;
		record->len = (uint32_t)(end - at);
		if (record->len == 4 && memcmp(chunk->data + at, "null", 4) == 0)
			record->len = RECORD_NULL;
		at = end + 1;
	}
}

static inline void
harness_chunk(Harness *h, const char *data, size_t len, int64_t position, uint32_t *line)
{
	Chunk *chunk = chunk_new(len);
	Error err = {0};

	if (len > 0)
		memcpy(chunk_reserve(chunk, len), data, len);
	chunk->len = len;
	chunk->position = position;
	chunk_seal(chunk);
	if (h->topic)
		harness_split_lines(chunk);
	ChunkCursor cursor = {.chunk = chunk};
	for (;;) {
		size_t next = cursor.next;
		uint32_t record = cursor.record;

		batch_reset(h->batch);
		if (json_codec.decode(h->decoder, &cursor, h->batch, &err) != FERRIS_OK)
			fprintf(stderr, "harness: %s\n", err.message);
		harness_note(h, chunk, *line);
		if (cursor.next == next && cursor.record == record)
			break;
	}
	*line += cursor.line;
	chunk_destroy(chunk);
}

/* Decodes the text from its start; what came of it replaces what the harness held. */
static inline Status
harness_run(Harness *h, HarnessPath path, const char *data, size_t len, Error *err)
{
	const Setting *settings;
	uint32_t line = 0;
	size_t at = 0;

	buffer_reset(&h->rows);
	buffer_reset(&h->errors);
	h->records_in = h->filtered = h->row_count = h->error_count = 0;
	TRY(harness_open(h, path, err));
	settings = ((JsonDecoder *)h->decoder)->spec->settings;
	while (at < len) {
		size_t size =
			h->chunk_size > 0 && h->chunk_size < len - at ? h->chunk_size : len - at;
		size_t whole;

		while ((whole = json_codec.frame(settings, data + at, size, at + size == len)) == 0)
			size++;
		harness_chunk(h, data + at, whole, (int64_t)at, &line);
		at += whole;
	}
	buffer_append(&h->rows, "", 1);
	buffer_append(&h->errors, "", 1);
	return FERRIS_OK;
}

/* xorshift64* */
static inline uint64_t
harness_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t
harness_below(uint64_t *state, uint32_t limit)
{
	return (uint32_t)(harness_random(state) >> 33) % limit;
}
