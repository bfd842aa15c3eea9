/* codec/csv_encode.c -- rows of a batch to CSV records.
 *
 * A field is quoted only where it must be: it holds the delimiter, a quote or a line end, begins or
 * ends with a blank, or is a text that would read as NULL.  Room for the whole batch is reserved
 * before the first row; then rows are written through a plain pointer.  Views that the decoder
 * has marked VIEW_CSV_CLEAN, and numbers, are copied without being looked at.
 *
 * Threads: an encoder belongs to one task. */
#include "codec/csv_format.h"

#include <assert.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "codec/csv_nested.h"
#include "codec/text.h"
#include "type/number.h"

/* How a column of the batch at hand is written. */
typedef enum FieldWriter {
	WRITE_CLEAN, /* views that need no quotes; no NULL */
	WRITE_VIEW,  /* views */
	WRITE_INTEGER,
	WRITE_DECIMAL, /* of 64 bits */
	WRITE_LONG_DECIMAL,
	WRITE_INSTANT, /* TIMESTAMP as ISO 8601 */
	WRITE_PRINTED, /* text_print, needs no quotes */
	WRITE_CHECKED, /* text_print, may need quotes */
	WRITE_BYTES,
} FieldWriter;

typedef struct CsvOutColumn {
	const EncodeColumn *spec;
	/* of the batch at hand */
	const Vector *vector;
	FieldWriter writer;
	InstantText instant;
} CsvOutColumn;

typedef struct CsvEncoder {
	Encoder base;
	char delimiter;
	char quote;
	bool is_default; /* delimiter, quote and null are */
	bool crlf;
	bool header;
	Str null;
	TimestampStyle timestamps;
	CsvOutColumn *columns;
	uint32_t column_count;
	Status status;  /* of the row at hand */
	uint32_t fault; /* its column */
} CsvEncoder;

Status
csv_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err)
{
	const Setting *settings = spec->settings;
	CsvEncoder *self = ARENA_NEW(arena, CsvEncoder);

	self->base.class = &csv_codec;
	TRY(csv_format_check(&settings[CSV_OUT_DELIMITER], &settings[CSV_OUT_QUOTE], err));
	TRY(timestamp_style_open(&settings[CSV_OUT_TIMESTAMP_FORMAT], &self->timestamps, err));
	self->delimiter = settings[CSV_OUT_DELIMITER].text.data[0];
	self->quote = settings[CSV_OUT_QUOTE].text.data[0];
	self->null = settings[CSV_OUT_NULL].text;
	self->crlf = settings[CSV_OUT_LINE_END].integer == 1;
	self->header = settings[CSV_OUT_HEADER].flag;
	self->is_default = self->delimiter == ',' && self->quote == '"' && self->null.len == 0;
	self->columns = ARENA_ARRAY(arena, CsvOutColumn, spec->column_count);
	self->column_count = spec->column_count;
	for (uint32_t i = 0; i < spec->column_count; i++)
		self->columns[i].spec = &spec->columns[i];
	*out = &self->base;
	return FERRIS_OK;
}

/* ---- text ---- */

static bool
needs_quotes(const CsvEncoder *self, const char *data, uint32_t len)
{
	if (str_eq((Str){data, len}, self->null) || len == 0)
		return true;
	if (data[0] == ' ' || data[0] == '\t' || data[len - 1] == ' ' || data[len - 1] == '\t')
		return true;
	for (uint32_t i = 0; i < len; i++)
		if (data[i] == self->delimiter || data[i] == self->quote || data[i] == '\n' ||
		    data[i] == '\r')
			return true;
	return false;
}

static char *
write_quoted(const CsvEncoder *self, char *p, const char *data, uint32_t len)
{
	*p++ = self->quote;
	for (uint32_t i = 0; i < len; i++) {
		*p++ = data[i];
		if (data[i] == self->quote)
			*p++ = self->quote;
	}
	*p++ = self->quote;
	return p;
}

static char *
write_text(const CsvEncoder *self, char *p, const char *data, uint32_t len)
{
	if (needs_quotes(self, data, len))
		return write_quoted(self, p, data, len);
	memcpy(p, data, len);
	return p + len;
}

/* A call of memcpy costs more than such a short field. */
static inline char *
copy_short(char *p, const char *data, uint32_t len)
{
	if (len >= 8 && len <= 16) {
		memcpy(p, data, 8);
		memcpy(p + len - 8, data + len - 8, 8);
	} else if (len >= 4 && len < 8) {
		memcpy(p, data, 4);
		memcpy(p + len - 4, data + len - 4, 4);
	} else if (len > 0 && len < 4) {
		p[0] = data[0];
		p[len >> 1] = data[len >> 1];
		p[len - 1] = data[len - 1];
	} else if (len > 0) {
		memcpy(p, data, len);
	}
	return p + len;
}

static char *
write_null(const CsvEncoder *self, char *p)
{
	memcpy(p, self->null.data, self->null.len);
	return p + self->null.len;
}

/* ---- fields ---- */

static char *
fail_field(CsvEncoder *self, const CsvOutColumn *column, Status status, char *p)
{
	if (self->status == FERRIS_OK) {
		self->status = status;
		self->fault = (uint32_t)(column - self->columns);
	}
	return p;
}

static char *
write_view(CsvEncoder *self, const CsvOutColumn *column, StringView view, char *p)
{
	if (self->is_default && (view.flags & VIEW_CSV_CLEAN) != 0 && view.len > 0)
		return copy_short(p, view.data, view.len);
	if ((view.flags & CSV_VIEW_FAILED) != 0)
		return fail_field(self, column, FERRIS_ERR_BAD_VALUE, p);
	if ((view.flags & (VIEW_CSV_CLEAN | VIEW_JSON_CLEAN)) == 0 &&
	    !utf8_valid(view.data, view.len))
		return fail_field(self, column, FERRIS_ERR_UTF8, p);
	return write_text(self, p, view.data, view.len);
}

static char *
write_bytes(const CsvEncoder *self, char *p, StringView view)
{
	/* Base64 may hold an unusual delimiter or quote, or spell the text of NULL: it is made
	 * behind the room that its quoted form takes. */
	char *made = p + 2 * BASE64_ENCODED(view.len) + 2;
	char *end = base64_encode(made, view.data, view.len);

	return write_text(self, p, made, (uint32_t)(end - made));
}

static char *
write_printed(CsvEncoder *self, const CsvOutColumn *column, uint32_t row, char *p)
{
	Value value = value_from_vector(column->vector, row);
	char text[TEXT_PRINT_MAX];

	if (column->writer == WRITE_PRINTED)
		return text_print(p, &value, &self->timestamps);
	char *end = text_print(text, &value, &self->timestamps);
	if (end == NULL)
		return fail_field(self, column, FERRIS_ERR_BAD_VALUE, p);
	return write_text(self, p, text, (uint32_t)(end - text));
}

static inline char *
write_field(CsvEncoder *self, CsvOutColumn *column, uint32_t row, char *p)
{
	const Vector *vector = column->vector;
	uint32_t at = vector->constant ? 0 : row;

	if (vector->has_null && !bitmap_get(vector->valid, at))
		return write_null(self, p);
	switch (column->writer) {
	case WRITE_CLEAN: {
		StringView view = VECTOR_DATA(vector, const StringView)[at];
		return copy_short(p, view.data, view.len);
	}
	case WRITE_VIEW:
		return write_view(self, column, VECTOR_DATA(vector, const StringView)[at], p);
	case WRITE_INTEGER:
		return int64_print(p, VECTOR_DATA(vector, const int64_t)[at]);
	case WRITE_DECIMAL:
		return decimal_print64(p, VECTOR_DATA(vector, const int64_t)[at],
				       vector->type->scale);
	case WRITE_LONG_DECIMAL:
		return decimal_print128(p, VECTOR_DATA(vector, const Int128)[at],
					vector->type->scale);
	case WRITE_INSTANT: {
		int64_t micros = VECTOR_DATA(vector, const int64_t)[at];
		if (!timestamp_in_range(micros))
			return write_printed(self, column, row, p);
		return instant_print(p, &column->instant, micros);
	}
	case WRITE_BYTES:
		return write_bytes(self, p, VECTOR_DATA(vector, const StringView)[at]);
	case WRITE_PRINTED:
	case WRITE_CHECKED:
		return write_printed(self, column, row, p);
	}
	return p;
}

/* ---- the batch ---- */

/* Bytes that the views of the selected rows need at most, quotes included; and whether all of
 * them can be copied as they are. */
static size_t
measure_views(CsvOutColumn *column, const Batch *batch, bool is_default)
{
	const Vector *vector = column->vector;
	const StringView *views = vector->data;
	uint32_t clean = VIEW_CSV_CLEAN;
	size_t total = 0;

	for (uint32_t k = 0; k < batch->sel_count; k++) {
		uint32_t at = vector->constant ? 0 : batch->sel[k];

		if (vector->has_null && !bitmap_get(vector->valid, at))
			continue;
		total += views[at].len;
		clean &= views[at].len > 0 ? views[at].flags : 0;
	}
	if (column->writer == WRITE_BYTES)
		return 4 * (total / 3 * 4 + 4 * (size_t)batch->sel_count);
	column->writer = is_default && clean != 0 ? WRITE_CLEAN : WRITE_VIEW;
	return column->writer == WRITE_CLEAN ? total : 2 * total;
}

static FieldWriter
choose_writer(const CsvEncoder *self, const Vector *vector)
{
	if (vector->form == FORM_TEXT)
		return WRITE_VIEW;
	switch (vector->type->kind) {
	case TYPE_STRING:
	case TYPE_JSON:
		return WRITE_VIEW;
	case TYPE_BYTES:
		return WRITE_BYTES;
	case TYPE_TIMESTAMP:
		if (self->timestamps.kind == TIMESTAMP_PATTERN)
			return WRITE_CHECKED;
		break;
	case TYPE_INTERVAL:
		return WRITE_CHECKED;
	default:
		break;
	}
	if (!self->is_default)
		return WRITE_CHECKED;
	if (type_is_integer(vector->type))
		return WRITE_INTEGER;
	if (vector->type->kind == TYPE_DECIMAL)
		return type_physical(vector->type) == PHYSICAL_INT64 ? WRITE_DECIMAL
								     : WRITE_LONG_DECIMAL;
	if (vector->type->kind == TYPE_TIMESTAMP && self->timestamps.kind == TIMESTAMP_ISO8601)
		return WRITE_INSTANT;
	return WRITE_PRINTED;
}

/* Bytes that one value needs at most, without quotes. */
static size_t
printed_max(const CsvEncoder *self, const Type *type)
{
	switch (type->kind) {
	case TYPE_DECIMAL:
		return DECIMAL_TEXT_MAX;
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return DOUBLE_TEXT_MAX;
	case TYPE_INTERVAL:
		return INTERVAL_TEXT_MAX;
	case TYPE_TIMESTAMP:
		return self->timestamps.kind == TIMESTAMP_PATTERN ? TEXT_PRINT_MAX
								  : TIMESTAMP_TEXT_MAX + 1;
	default:
		return INT64_TEXT_MAX;
	}
}

/* The vector, or the JSON text of its nested values. */
static const Vector *
as_flat(const CsvEncoder *self, const Vector *vector, Batch *batch)
{
	Physical physical = type_physical(vector->type);

	if (vector->form == FORM_TEXT || (physical != PHYSICAL_LIST && physical != PHYSICAL_STRUCT))
		return vector;
	return csv_print_nested(&self->timestamps, vector, batch);
}

/* Chooses each column's writer; returns the bytes that the batch needs at most. */
static size_t
prepare_columns(CsvEncoder *self, Batch *batch)
{
	size_t per_row = 2; /* CR LF */
	size_t views = 0;

	for (uint32_t i = 0; i < self->column_count; i++) {
		CsvOutColumn *column = &self->columns[i];

		column->vector = as_flat(self, &batch->columns[column->spec->source], batch);
		column->writer = choose_writer(self, column->vector);
		per_row += self->null.len + 3; /* delimiter, quotes */
		if (column->writer == WRITE_VIEW || column->writer == WRITE_BYTES)
			views += measure_views(column, batch, self->is_default);
		else
			per_row += (column->writer == WRITE_CHECKED ? 2 : 1) *
				   printed_max(self, column->vector->type);
	}
	return per_row * batch->sel_count + views + CHUNK_PADDING;
}

static void
report_row(CsvEncoder *self, Batch *batch, uint32_t row)
{
	const CsvOutColumn *column = &self->columns[self->fault];
	Str name = column->spec->name;
	Status status = self->status;

	self->status = FERRIS_OK;
	if (column->writer == WRITE_CHECKED) {
		batch_add_error(batch, batch->records[row], status, name,
				"'timestamp.format' makes a text of more than %d bytes",
				TEXT_PRINT_MAX);
		return;
	}
	uint32_t at = column->vector->constant ? 0 : row;
	StringView view = VECTOR_DATA(column->vector, const StringView)[at];
	Str text = {view.data, view.len};
	if ((view.flags & CSV_VIEW_FAILED) == 0)
		text = text_error_message(&batch->heap, status, column->spec->type, text);
	batch_add_error(batch, batch->records[row], status, name, "%.*s", STR_ARG(text));
}

static char *
write_row(CsvEncoder *self, uint32_t row, char *p)
{
	for (uint32_t i = 0; i < self->column_count; i++) {
		p = write_field(self, &self->columns[i], row, p);
		*p++ = self->delimiter;
	}
	p--;
	if (self->crlf)
		*p++ = '\r';
	*p++ = '\n';
	return p;
}

Status
csv_encode(Encoder *encoder, Batch *batch, Output *out, Error *err)
{
	CsvEncoder *self = (CsvEncoder *)encoder;

	assert(self->column_count > 0);
	char *p = buffer_reserve(&out->bytes, prepare_columns(self, batch));
	if (p == NULL)
		return error_set(err, FERRIS_ERR_LIMIT, "the output buffer is full at %zu bytes",
				 out->bytes.limit);
	output_reserve(out, batch->sel_count);
	uint32_t kept = 0;
	for (uint32_t k = 0; k < batch->sel_count; k++) {
		uint16_t row = batch->sel[k];
		char *end = write_row(self, row, p);

		if (self->status != FERRIS_OK) {
			report_row(self, batch, row);
			continue;
		}
		p = end;
		out->ends[out->count++] = (uint32_t)(p - out->bytes.data);
		batch->sel[kept++] = row;
	}
	buffer_commit(&out->bytes, p);
	batch->dense &= kept == batch->sel_count;
	batch->sel_count = kept;
	return FERRIS_OK;
}

Status
csv_preamble(Encoder *encoder, Buffer *out, Error *err)
{
	CsvEncoder *self = (CsvEncoder *)encoder;
	size_t size = 2;

	if (!self->header)
		return FERRIS_OK;
	for (uint32_t i = 0; i < self->column_count; i++)
		size += 2 * (size_t)self->columns[i].spec->name.len + 3;
	char *p = buffer_reserve(out, size);
	if (p == NULL)
		return error_set(err, FERRIS_ERR_LIMIT, "the output buffer is full at %zu bytes",
				 out->limit);
	for (uint32_t i = 0; i < self->column_count; i++) {
		Str name = self->columns[i].spec->name;

		p = write_text(self, p, name.data, name.len);
		*p++ = i + 1 < self->column_count ? self->delimiter : self->crlf ? '\r' : '\n';
	}
	if (self->crlf)
		*p++ = '\n';
	buffer_commit(out, p);
	return FERRIS_OK;
}
