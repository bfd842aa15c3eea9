/* codec/table.c -- rows as a table for people to read; it is written only.
 *
 *     trade_id     | symbol           | price
 *     -------------+------------------+-----------------
 *                1 | SYM262           |        550.5515
 *
 * The rows of a stream have no end, so a column's width comes from its name and type and not from
 * the values; a longer value pushes its line to the right.  Numbers stand to the right.
 *
 * Owns nothing; the encoder lies in the arena.  Threads: one encoder belongs to one task. */
#include "codec/codec.h"
#include "codec/text.h"

#define TEXT_WIDTH 16
#define WIDTH_MAX  24

typedef struct TableColumn {
	const EncodeColumn *spec;
	uint32_t width;
	bool right;
} TableColumn;

typedef struct TableEncoder {
	Encoder base;
	TableColumn *columns;
	uint32_t column_count;
} TableEncoder;

static uint32_t
type_width(const Type *type)
{
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return 5;
	case TYPE_TINYINT:
	case TYPE_SMALLINT:
		return 6;
	case TYPE_INTEGER:
		return 11;
	case TYPE_BIGINT:
		return 12;
	case TYPE_DECIMAL:
		return type->precision + 2u < TEXT_WIDTH ? type->precision + 2u : TEXT_WIDTH;
	case TYPE_DATE:
		return DATE_TEXT_MAX;
	case TYPE_TIME:
		return TIME_TEXT_MAX;
	case TYPE_TIMESTAMP:
		return WIDTH_MAX;
	default:
		return TEXT_WIDTH;
	}
}

extern const CodecClass table_codec;

static Status
table_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err)
{
	TableEncoder *encoder = ARENA_NEW(arena, TableEncoder);

	(void)err;
	encoder->base.class = &table_codec;
	encoder->column_count = spec->column_count;
	encoder->columns = ARENA_ARRAY(arena, TableColumn, spec->column_count);
	for (uint32_t i = 0; i < spec->column_count; i++) {
		const EncodeColumn *column = &spec->columns[i];
		uint32_t width = type_width(column->type);

		encoder->columns[i] = (TableColumn){
			.spec = column,
			.width = column->name.len > width ? column->name.len : width,
			.right = type_is_numeric(column->type),
		};
	}
	*out = &encoder->base;
	return FERRIS_OK;
}

/* Characters, not bytes. */
static uint32_t
text_width(Str text)
{
	uint32_t width = 0;

	for (uint32_t i = 0; i < text.len; i++)
		width += ((unsigned char)text.data[i] & 0xC0) != 0x80;
	return width;
}

static void
append_padding(Buffer *out, uint32_t used, uint32_t width, char fill)
{
	for (; used < width; used++)
		buffer_append_char(out, fill);
}

static void
append_cell(Buffer *out, const TableColumn *column, Str text, bool last)
{
	uint32_t used = text_width(text);

	if (column->right)
		append_padding(out, used, column->width, ' ');
	buffer_append_str(out, text);
	if (!column->right && !last)
		append_padding(out, used, column->width, ' ');
	buffer_append_str(out, last ? STR("\n") : STR(" | "));
}

static Str
cell_text(const Vector *vector, uint32_t row, Arena *heap)
{
	if (vector->constant)
		row = 0;
	if (vector_is_null(vector, row))
		return STR("NULL");
	if (vector->form == FORM_TEXT || type_physical(vector->type) == PHYSICAL_VIEW) {
		StringView view = VECTOR_DATA(vector, StringView)[row];

		return (Str){view.data, view.len};
	}
	if (vector->type->field_count > 0)
		return str_format(heap, "<%s>", type_kind_name(vector->type->kind));
	Value value = value_from_vector(vector, row);
	return text_from_value(heap, &value, NULL);
}

static Status
table_encode(Encoder *base, Batch *batch, Output *out, Error *err)
{
	TableEncoder *encoder = (TableEncoder *)base;

	(void)err;
	output_reserve(out, batch->sel_count);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		for (uint32_t c = 0; c < encoder->column_count; c++) {
			const TableColumn *column = &encoder->columns[c];
			Str text = cell_text(&batch->columns[column->spec->source], batch->sel[i],
					     &batch->heap);

			append_cell(&out->bytes, column, text, c + 1 == encoder->column_count);
		}
		out->ends[out->count++] = (uint32_t)out->bytes.len;
	}
	return FERRIS_OK;
}

static Status
table_preamble(Encoder *base, Buffer *out, Error *err)
{
	TableEncoder *encoder = (TableEncoder *)base;

	(void)err;
	for (uint32_t c = 0; c < encoder->column_count; c++) {
		TableColumn column = encoder->columns[c];

		column.right = false;
		append_cell(out, &column, column.spec->name, c + 1 == encoder->column_count);
	}
	for (uint32_t c = 0; c < encoder->column_count; c++) {
		append_padding(out, 0, encoder->columns[c].width + (c > 0), '-');
		buffer_append_str(out, c + 1 == encoder->column_count ? STR("\n") : STR("-+"));
	}
	return FERRIS_OK;
}

const CodecClass table_codec = {
	.name = "table",
	.doc = "Rows as a table for people to read; only written.",
	.encoder_open = table_encoder_open,
	.encode = table_encode,
	.preamble = table_preamble,
};
