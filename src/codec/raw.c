/* codec/raw.c -- records that are not parsed: a line of a file or the value of a message is the
 * one column, STRING or BYTES, byte for byte.
 *
 * A file's record ends at LF; a CR before it belongs to the record.  A value with a line end in it
 * is one message of a topic, but comes back from a file as two records.
 *
 * Threads: a decoder or encoder belongs to one task. */
#include "codec/codec.h"

#include <assert.h>

#include "base/utf8.h"
#include "codec/text.h"

extern const CodecClass raw_codec;

typedef struct RawDecoder {
	Decoder base;
	const DecodeSpec *spec;
} RawDecoder;

typedef struct RawEncoder {
	Encoder base;
	EncodeColumn column;
} RawEncoder;

static bool
is_raw_type(const Type *type)
{
	return type->kind == TYPE_STRING || type->kind == TYPE_BYTES;
}

static Status
column_error(uint32_t count, Error *err)
{
	error_set(err, FERRIS_ERR_NOT_SUPPORTED,
		  "format 'raw' has one column of type STRING or BYTES, not %u columns", count);
	return error_hint(err, "declare one column, or use 'format' = 'json' or 'csv'");
}

static Status
type_error(Str name, const Type *type, Arena *arena, Error *err)
{
	Str text = type_text(arena, type);

	error_set(err, FERRIS_ERR_NOT_SUPPORTED, "format 'raw' has no column of type %.*s: '%.*s'",
		  STR_ARG(text), STR_ARG(name));
	return error_hint(err, "declare it as STRING or BYTES and CAST it in the query");
}

/* ---- decoding ---- */

static Status
raw_decoder_open(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err)
{
	RawDecoder *self = ARENA_NEW(arena, RawDecoder);

	if (spec->schema != NULL && spec->schema->count != 1)
		return column_error(spec->schema->count, err);
	for (uint32_t i = 0; i < spec->column_count; i++) {
		const DecodeColumn *column = &spec->columns[i];

		if (!is_raw_type(column->type))
			return type_error(column->name, column->type, arena, err);
		if (column->type->kind == TYPE_BYTES && column->form == FORM_TEXT)
			return error_set(err, FERRIS_ERR_NOT_SUPPORTED,
					 "column '%.*s' of raw BYTES has no text form",
					 STR_ARG(column->name));
	}
	self->base.class = &raw_codec;
	self->spec = spec;
	*out = &self->base;
	return FERRIS_OK;
}

/* The next record of a file or a topic; false for a null message. */
static bool
next_record(ChunkCursor *cursor, RecordRange *range)
{
	const Chunk *chunk = cursor->chunk;

	if (chunk->record_count > 0) {
		const ChunkRecord *record = &chunk->records[cursor->record++];
		bool is_null = record->len == RECORD_NULL;

		*range = (RecordRange){record->offset, is_null ? 0 : record->len, cursor->line++};
		return !is_null;
	}
	const char *start = chunk->data + cursor->next;
	const char *end = memchr(start, '\n', chunk->len - cursor->next);
	size_t len = end != NULL ? (size_t)(end - start) : chunk->len - cursor->next;
	*range = (RecordRange){(uint32_t)cursor->next, (uint32_t)len, cursor->line++};
	cursor->next += len + (end != NULL);
	return true;
}

static bool
passes(const DecodeSpec *spec, Str text, bool is_null)
{
	for (uint32_t i = 0; i < spec->predicate_count; i++) {
		const DecodePredicate *predicate = &spec->predicates[i];
		int order = str_compare(text, predicate->constant.text);
		const bool truths[] = {
			[COMPARE_EQ] = order == 0,
			[COMPARE_NE] = order != 0,
			[COMPARE_LT] = order<0, [COMPARE_LE] = order <= 0, [COMPARE_GT] = order> 0,
			[COMPARE_GE] = order >= 0,
		};

		if (is_null || !truths[predicate->op])
			return false;
	}
	return true;
}

/* The column at fault for this record, or NULL. */
static const DecodeColumn *
find_fault(const DecodeSpec *spec, Str text, bool is_null, Status *status)
{
	for (uint32_t i = 0; i < spec->column_count; i++) {
		const DecodeColumn *column = &spec->columns[i];

		*status = is_null && column->not_null ? FERRIS_ERR_NOT_NULL : FERRIS_OK;
		if (!is_null && column->type->kind == TYPE_STRING &&
		    !utf8_valid(text.data, text.len))
			*status = FERRIS_ERR_UTF8;
		if (*status != FERRIS_OK)
			return column;
	}
	return NULL;
}

static void
add_error(Batch *batch, RecordRange range, Status status, const DecodeColumn *column, Str text)
{
	Str message = status == FERRIS_ERR_NOT_NULL
			      ? STR("NULL in a column that is declared NOT NULL")
			      : text_error_message(&batch->heap, status, column->type, text);

	batch_add_error(batch, range, status, column->name, "%.*s", STR_ARG(message));
}

static void
add_row(const DecodeSpec *spec, Batch *batch, RecordRange range, Str text, bool is_null)
{
	uint32_t row = batch->row_count++;

	batch->records[row] = range;
	for (uint32_t i = 0; i < spec->column_count; i++) {
		if (spec->columns[i].target == DECODE_NO_TARGET)
			continue;
		Vector *vector = &batch->columns[spec->columns[i].target];
		VECTOR_DATA(vector, StringView)[row] = (StringView){text.data, text.len, 0};
		if (is_null)
			vector_set_null(vector, row);
		else
			vector_set_valid(vector, row);
	}
}

static Status
raw_decode(Decoder *decoder, ChunkCursor *cursor, Batch *batch, Error *err)
{
	const DecodeSpec *spec = ((RawDecoder *)decoder)->spec;
	const Chunk *chunk = cursor->chunk;

	if (chunk->len > UINT32_MAX)
		return error_set(err, FERRIS_ERR_RECORD_TOO_LARGE, "a record is larger than 4 GiB");
	while (batch->row_count + batch->error_count < BATCH_CAPACITY) {
		RecordRange range;
		Status status;

		if (chunk->record_count > 0 ? cursor->record == chunk->record_count
					    : cursor->next == chunk->len)
			break;
		bool is_null = !next_record(cursor, &range);
		if (is_null && spec->skip_null) {
			batch->records_in++;
			batch->filtered++;
			continue;
		}
		Str text = {chunk->data + range.offset, range.len};
		const DecodeColumn *fault = find_fault(spec, text, is_null, &status);
		batch->records_in++;
		if (fault != NULL)
			add_error(batch, range, status, fault, text);
		else if (passes(spec, text, is_null))
			add_row(spec, batch, range, text, is_null);
		else
			batch->filtered++;
	}
	batch_select_all(batch);
	return FERRIS_OK;
}

static size_t
raw_frame(const Setting *settings, const char *data, size_t len, bool last)
{
	(void)settings;
	if (last || len == 0)
		return len;
	const char *end = memrchr(data, '\n', len);
	return end != NULL ? (size_t)(end - data) + 1 : 0;
}

static Status
raw_infer(const Setting *settings, const Chunk *sample, Arena *arena, Schema *schema, Error *err)
{
	(void)settings;
	(void)sample;
	(void)err;
	schema->fields = ARENA_ARRAY(arena, Field, 1);
	schema->fields[0] = (Field){STR("value"), TYPE_OF(STRING), false};
	schema->count = 1;
	return FERRIS_OK;
}

/* ---- encoding ---- */

static Status
raw_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err)
{
	RawEncoder *self = ARENA_NEW(arena, RawEncoder);

	if (spec->column_count != 1)
		return column_error(spec->column_count, err);
	if (!is_raw_type(spec->columns[0].type))
		return type_error(spec->columns[0].name, spec->columns[0].type, arena, err);
	self->base.class = &raw_codec;
	self->column = spec->columns[0];
	*out = &self->base;
	return FERRIS_OK;
}

static Status
raw_encode(Encoder *encoder, Batch *batch, Output *out, Error *err)
{
	const EncodeColumn *column = &((RawEncoder *)encoder)->column;
	const Vector *vector = &batch->columns[column->source];
	const StringView *views = vector->data;

	assert(vector->form == FORM_VALUE || column->type->kind == TYPE_STRING);
	output_reserve(out, batch->sel_count);
	uint32_t kept = 0;
	for (uint32_t k = 0; k < batch->sel_count; k++) {
		uint16_t row = batch->sel[k];

		if (vector_is_null(vector, row)) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_BAD_VALUE,
					column->name, "NULL has no raw form");
			continue;
		}
		StringView view = views[vector->constant ? 0 : row];
		char *p = buffer_reserve(&out->bytes, (size_t)view.len + 1);
		if (p == NULL)
			return error_set(err, FERRIS_ERR_LIMIT,
					 "the output buffer is full at %zu bytes",
					 out->bytes.limit);
		memcpy(p, view.data, view.len);
		p[view.len] = '\n';
		buffer_commit(&out->bytes, p + view.len + 1);
		out->ends[out->count++] = (uint32_t)out->bytes.len;
		batch->sel[kept++] = row;
	}
	batch->dense &= kept == batch->sel_count;
	batch->sel_count = kept;
	return FERRIS_OK;
}

const CodecClass raw_codec = {
	.name = "raw",
	.doc = "The whole record as one STRING or BYTES column.",
	.decode_options = {"raw", NULL, 0},
	.encode_options = {"raw", NULL, 0},
	.decoder_open = raw_decoder_open,
	.decode = raw_decode,
	.frame = raw_frame,
	.cut = codec_cut_lines,
	.infer = raw_infer,
	.encoder_open = raw_encoder_open,
	.encode = raw_encode,
};
