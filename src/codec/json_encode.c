/* codec/json_encode.c -- batches to lines of JSON.
 *
 * A row is written through a plain pointer: its name pieces (`,"symbol":`) are rendered when the
 * encoder is opened, and there is always room for a row of short values.  A long text makes room
 * for itself and for the rest of its row.
 *
 * Threads: an encoder belongs to one task. */
#include "codec/json_encode.h"

#include "codec/json_decode.h"
#include "codec/json_print.h"
#include "codec/scan.h"
#include "type/decimal.h"

#define SHORT_TEXT 32  /* bytes of text that every row has room for in each column */
#define VALUE_ROOM 128 /* the longest number, or a short text and its copying room */

/* How a column of the batch at hand is printed. */
typedef enum PrintKind {
	PRINT_COPY, /* text that needs no quotes */
	PRINT_STRING,
	PRINT_INTEGER,
	PRINT_DECIMAL, /* of up to 18 digits */
	PRINT_LONG_DECIMAL,
	PRINT_INSTANT, /* TIMESTAMP as ISO 8601 */
	PRINT_ANY,     /* by json_print.c */
} PrintKind;

typedef struct OutColumn {
	const EncodeColumn *spec;
	const char *piece; /* `{"a":` or `,"b":`; padded so that 32 bytes may be read */
	uint32_t piece_len;
	PrintKind kind; /* of this batch, as is what follows */
	const Vector *vector;
	uint32_t row_mask; /* 0 for a constant vector */
	int scale;
	InstantText instant;
} OutColumn;

typedef struct JsonEncoder {
	Encoder base;
	TimestampStyle style;
	OutColumn *columns;
	uint32_t column_count;
	size_t row_room; /* bytes of a row whose texts are short */
} JsonEncoder;

/* The output while a batch is being written. */
typedef struct Writing {
	Buffer *bytes;
	char *p;
	char *limit;
} Writing;

static Status
open_column(OutColumn *column, const EncodeColumn *spec, bool first, Arena *arena, Error *err)
{
	size_t room = JSON_STRING_MAX(spec->name.len) + 64;
	char *piece = arena_zero(arena, room);

	column->spec = spec;
	piece[0] = first ? '{' : ',';
	char *end = json_print_string(piece + 1, spec->name.data, spec->name.len);
	if (end == NULL)
		return error_set(err, FERRIS_ERR_UTF8,
				 "the name of an output column is not valid UTF-8");
	*end++ = ':';
	memset(end, 0, (size_t)(piece + room - end));
	column->piece = piece;
	column->piece_len = (uint32_t)(end - piece);
	return FERRIS_OK;
}

Status
json_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err)
{
	JsonEncoder *encoder = ARENA_NEW(arena, JsonEncoder);

	encoder->base.class = &json_codec;
	encoder->column_count = spec->column_count;
	encoder->columns = ARENA_ARRAY(arena, OutColumn, spec->column_count);
	encoder->row_room = VALUE_ROOM;
	TRY(timestamp_style_open(&spec->settings[JSON_OUT_TIMESTAMP_FORMAT], &encoder->style, err));
	for (uint32_t i = 0; i < spec->column_count; i++) {
		TRY(open_column(&encoder->columns[i], &spec->columns[i], i == 0, arena, err));
		encoder->row_room += encoder->columns[i].piece_len + VALUE_ROOM;
	}
	*out = &encoder->base;
	return FERRIS_OK;
}

static PrintKind
print_kind(const Vector *vector, const TimestampStyle *style)
{
	const Type *type = vector->type;
	bool iso = type->kind == TYPE_TIMESTAMP && style->kind == TIMESTAMP_ISO8601;

	if (type->kind == TYPE_STRING || (iso && vector->form == FORM_TEXT))
		return PRINT_STRING;
	if (iso)
		return PRINT_INSTANT;
	if (vector->form == FORM_TEXT)
		return type_is_numeric(type) || type->kind == TYPE_BOOLEAN ? PRINT_COPY : PRINT_ANY;
	if (type_is_integer(type))
		return PRINT_INTEGER;
	if (type->kind == TYPE_DECIMAL)
		return type_physical(type) == PHYSICAL_INT64 ? PRINT_DECIMAL : PRINT_LONG_DECIMAL;
	return PRINT_ANY;
}

/* ---- writing ---- */

/* Room for `size` more bytes; false at the buffer's limit. */
static bool
writing_reserve(Writing *writing, size_t size)
{
	buffer_commit(writing->bytes, writing->p);
	char *p = buffer_reserve(writing->bytes, size);

	if (p == NULL)
		return false;
	writing->p = p;
	writing->limit = writing->bytes->data + writing->bytes->capacity;
	return true;
}

static inline size_t
writing_room(const Writing *writing)
{
	return (size_t)(writing->limit - writing->p);
}

static bool
write_any(const JsonEncoder *encoder, Writing *writing, const OutColumn *column, uint32_t row,
	  JsonPrintError *error)
{
	buffer_commit(writing->bytes, writing->p);
	if (!json_print_value(writing->bytes, &encoder->style, column->vector, row, error))
		return false;
	writing->p = writing->bytes->data + writing->bytes->len;
	writing->limit = writing->bytes->data + writing->bytes->capacity;
	if (writing_room(writing) >= encoder->row_room ||
	    writing_reserve(writing, encoder->row_room))
		return true;
	*error = (JsonPrintError){FERRIS_ERR_LIMIT, "the output buffer is full"};
	return false;
}

/* A text that is longer than every row has room for, or may need escapes. */
static bool
write_long(const JsonEncoder *encoder, Writing *writing, StringView view, bool quoted,
	   JsonPrintError *error)
{
	if (!writing_reserve(writing, JSON_STRING_MAX(view.len) + encoder->row_room)) {
		*error = (JsonPrintError){FERRIS_ERR_LIMIT, "the output buffer is full"};
		return false;
	}
	if (!quoted) {
		memcpy(writing->p, view.data, view.len);
		writing->p += view.len;
		return true;
	}
	char *end = json_print_string(writing->p, view.data, view.len);
	if (end == NULL) {
		*error = (JsonPrintError){FERRIS_ERR_UTF8, "the text is not valid UTF-8"};
		return false;
	}
	writing->p = end;
	return true;
}

static inline char *
write_piece(char *p, const OutColumn *column)
{
	memcpy(p, column->piece, 32);
	if (__builtin_expect(column->piece_len > 32, 0))
		memcpy(p, column->piece, column->piece_len);
	return p + column->piece_len;
}

/* One value behind its name; false: it has no JSON text. */
static inline bool
write_value(const JsonEncoder *encoder, Writing *writing, OutColumn *column, uint32_t row,
	    JsonPrintError *error)
{
	uint32_t at = row & column->row_mask;
	char *p = write_piece(writing->p, column);
	StringView view;

	if (vector_is_null(column->vector, row)) {
		memcpy(p, "null", 4);
		writing->p = p + 4;
		return true;
	}
	switch (column->kind) {
	case PRINT_COPY:
		view = VECTOR_DATA(column->vector, StringView)[at];
		if (__builtin_expect(view.len > SHORT_TEXT, 0)) {
			writing->p = p;
			return write_long(encoder, writing, view, false, error);
		}
		writing->p = scan_copy(p, view.data, view.len);
		return true;
	case PRINT_STRING:
		view = VECTOR_DATA(column->vector, StringView)[at];
		if (__builtin_expect(view.len > SHORT_TEXT, 0) ||
		    (!(view.flags & VIEW_JSON_CLEAN) &&
		     !scan_short_is_plain(view.data, view.len))) {
			writing->p = p;
			return write_long(encoder, writing, view, true, error);
		}
		*p++ = '"';
		p = scan_copy(p, view.data, view.len);
		*p++ = '"';
		writing->p = p;
		return true;
	case PRINT_INTEGER:
		writing->p = int64_print(p, VECTOR_DATA(column->vector, int64_t)[at]);
		return true;
	case PRINT_DECIMAL:
		writing->p =
			decimal_print64(p, VECTOR_DATA(column->vector, int64_t)[at], column->scale);
		return true;
	case PRINT_LONG_DECIMAL:
		writing->p =
			decimal_print128(p, VECTOR_DATA(column->vector, Int128)[at], column->scale);
		return true;
	case PRINT_INSTANT: {
		int64_t micros = VECTOR_DATA(column->vector, int64_t)[at];

		if (!timestamp_in_range(micros))
			break; /* the general printer says why not */
		*p++ = '"';
		p = instant_print(p, &column->instant, micros);
		*p++ = '"';
		writing->p = p;
		return true;
	}
	default:
		break;
	}
	writing->p = p;
	return write_any(encoder, writing, column, row, error);
}

/* ---- encode ---- */

static void
start_batch(JsonEncoder *encoder, const Batch *batch)
{
	for (uint32_t i = 0; i < encoder->column_count; i++) {
		OutColumn *column = &encoder->columns[i];

		column->vector = &batch->columns[column->spec->source];
		column->kind = print_kind(column->vector, &encoder->style);
		column->row_mask = column->vector->constant ? 0 : UINT32_MAX;
		column->scale = column->vector->type->scale;
	}
}

/* One record; false: the row has no JSON text, *at says which column's. */
static inline bool
write_row(const JsonEncoder *encoder, Writing *writing, uint32_t row, uint32_t *at,
	  JsonPrintError *error)
{
	for (uint32_t i = 0; i < encoder->column_count; i++)
		if (!write_value(encoder, writing, &encoder->columns[i], row, error)) {
			*at = i;
			return false;
		}
	if (encoder->column_count == 0)
		*writing->p++ = '{';
	memcpy(writing->p, "}\n", 2);
	writing->p += 2;
	return true;
}

static Status
fail_row(const JsonEncoder *encoder, Batch *batch, uint32_t row, uint32_t at,
	 const JsonPrintError *error, Error *err)
{
	if (error->status == FERRIS_ERR_LIMIT || batch->error_count >= BATCH_CAPACITY)
		return error_set(err, FERRIS_ERR_LIMIT, "cannot encode a row as JSON: %s",
				 error->status == FERRIS_ERR_LIMIT ? error->what
								   : "too many rows failed");
	batch_add_error(batch, batch->records[row], error->status, encoder->columns[at].spec->name,
			"%s", error->what);
	return FERRIS_OK;
}

Status
json_encode(Encoder *base, Batch *batch, Output *out, Error *err)
{
	JsonEncoder *encoder = (JsonEncoder *)base;
	Writing writing = {.bytes = &out->bytes};
	uint32_t kept = 0;
	uint32_t at = 0;

	start_batch(encoder, batch);
	output_reserve(out, batch->sel_count);
	writing.p = out->bytes.data != NULL ? out->bytes.data + out->bytes.len : NULL;
	writing.limit = out->bytes.data != NULL ? out->bytes.data + out->bytes.capacity : NULL;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		JsonPrintError error = {FERRIS_OK, NULL};

		if (__builtin_expect(writing_room(&writing) < encoder->row_room, 0) &&
		    !writing_reserve(&writing, encoder->row_room))
			return error_set(err, FERRIS_ERR_LIMIT,
					 "cannot encode a row as JSON: the output buffer is full");
		size_t start = (size_t)(writing.p - out->bytes.data);
		if (write_row(encoder, &writing, row, &at, &error)) {
			out->ends[out->count++] = (uint32_t)(writing.p - out->bytes.data);
			batch->sel[kept++] = row;
		} else {
			writing.p = out->bytes.data + start;
			writing.limit = out->bytes.data + out->bytes.capacity;
			TRY(fail_row(encoder, batch, row, at, &error, err));
		}
	}
	if (writing.p != NULL)
		buffer_commit(&out->bytes, writing.p);
	if (kept < batch->sel_count) {
		batch->sel_count = kept;
		batch->dense = false;
	}
	return FERRIS_OK;
}
