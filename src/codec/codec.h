/* codec/codec.h -- bytes to columns and columns to bytes.
 *
 * A codec is one row in codec_list.h: a CodecClass with its options, a decoder and an encoder.
 *
 * Input comes in chunks (codec/chunk.h).  A file's chunk is a run of whole records which the
 * decoder separates itself while it reads them; a topic's chunk has the records' bounds beside it.
 *
 * What the decoder need not read, it does not read: only the columns of the DecodeSpec are
 * decoded, a predicate that fails skips the rest of its record, and a column asked for as TEXT is
 * copied as its canonical text where the input already has that form.
 *
 * A codec knows nothing of Kafka or files, SQL or threads.  One decoder or encoder belongs to one
 * task. */
#pragma once

#include "base/buffer.h"
#include "base/option.h"
#include "codec/chunk.h"
#include "type/batch.h"
#include "type/value.h"

typedef enum CompareOp {
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
} CompareOp;

/* Whether `op` holds between two values of which the first is less (< 0), equal (0) or more. */
static inline bool
compare_holds(CompareOp op, int order)
{
	switch (op) {
	case COMPARE_EQ:
		return order == 0;
	case COMPARE_NE:
		return order != 0;
	case COMPARE_LT:
		return order < 0;
	case COMPARE_LE:
		return order <= 0;
	case COMPARE_GT:
		return order > 0;
	case COMPARE_GE:
		return order >= 0;
	}
	return false;
}

#define DECODE_NO_TARGET  UINT32_MAX
#define HEADER_INCOMPLETE SIZE_MAX

/* One field to decode.  The same name may stand twice, once as VALUE and once as TEXT. */
typedef struct DecodeColumn {
	Str name;
	const Type *type;
	bool not_null; /* NULL or a missing field is an error of the record */
	VectorForm form;
	uint32_t target; /* index in batch->columns, or DECODE_NO_TARGET: read for a predicate only
			  */
} DecodeColumn;

/* column <op> constant; all predicates must be true (NULL is not) or the record is skipped and
 * counted in batch->filtered.  The constant has the column's type exactly, and is not NULL. */
typedef struct DecodePredicate {
	uint32_t column; /* index in DecodeSpec.columns; that column's form is VALUE */
	CompareOp op;
	Value constant;
} DecodePredicate;

/* Where the columns of a DecodeSpec stand in the records of a file with a header.  The plan makes
 * one for each scan, cleared, with room in `places`; the reader's thread fills it in
 * CodecClass.header before the first chunk leaves it, and from then on nobody writes to it; the
 * queue between reader and workers orders the two. */
typedef struct FieldOrder {
	uint32_t *places; /* of each spec->column: its index in a record */
	uint32_t count;   /* fields of a record; 0: no header was read, the schema's order holds */
} FieldOrder;

typedef struct DecodeSpec {
	const DecodeColumn *columns;
	uint32_t column_count;
	const DecodePredicate *predicates;
	uint32_t predicate_count;
	const Schema *schema;    /* all fields of the record in declared order (CSV needs it) */
	FieldOrder *order;       /* NULL: a header must have the schema's order */
	const Setting *settings; /* of the class's decode_options */
	bool null_rows;          /* such a record is a row of NULLs (JSON) */
	bool skip_null;          /* a topic's record whose value is null counts as filtered */
} DecodeSpec;

typedef struct EncodeColumn {
	Str name;
	const Type *type;
	uint32_t source; /* index in batch->columns */
} EncodeColumn;

typedef struct EncodeSpec {
	const EncodeColumn *columns;
	uint32_t column_count;
	const Setting *settings; /* of the class's encode_options */
} EncodeSpec;

typedef struct CodecClass CodecClass;

/* First member of every decoder and encoder. */
typedef struct Decoder {
	const CodecClass *class;
} Decoder;

typedef struct Encoder {
	const CodecClass *class;
} Encoder;

struct CodecClass {
	const char *name;
	const char *doc;
	OptionGroup decode_options;
	OptionGroup encode_options;

	/* Decoder in the arena; the spec must live as long.  NULL: the codec does not decode. */
	Status (*decoder_open)(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err);
	/* Decode from the cursor until the batch is full, the chunk ends, or the batch's error list
	 * is full.  The batch was reset.  Sets row_count, records, records_in, filtered, errors and
	 * the columns, and selects all rows.  Views point into the chunk or the batch's heap. */
	Status (*decode)(Decoder *decoder, ChunkCursor *cursor, Batch *batch, Error *err);
	/* How many leading bytes of data[0..len) are whole records; `last` says that nothing
	 * follows.  Depends on no state: data starts at a record.  0 = more bytes are needed. */
	size_t (*frame)(const Setting *decode_settings, const char *data, size_t len, bool last);
	/* Where the first records of data[0..len) end, which are whole ones: *count of them, 0 for
	 * any number, but no more than are in `most` bytes, and at least one.  Sets *count to how
	 * many they are.  Does not look at many more bytes than it returns.  Beside `frame`. */
	size_t (*cut)(const Setting *decode_settings, const char *data, size_t len, size_t most,
		      uint32_t *count);
	/* How many bytes come before the first record of a file (a CSV header, a BOM); `data` is
	 * the file's first bytes, `last` says that there are no more.  HEADER_INCOMPLETE: more
	 * bytes are needed.  The reader calls it for every file, also when it then seeks to a
	 * position inside it.  For CSV: the header must have every column of the spec; the first
	 * one sets spec->order and those of further files must agree with it.  NULL: none. */
	Status (*header)(const DecodeSpec *spec, const char *data, size_t len, bool last,
			 size_t *skip, Error *err);
	/* Infer fields from a sample that starts at the file's or topic record's first byte. */
	Status (*infer)(const Setting *decode_settings, const Chunk *sample, Arena *arena,
			Schema *schema, Error *err);

	/* Encoder in the arena; the spec's columns and settings must live as long.  NULL: the codec
	 * does not encode. */
	Status (*encoder_open)(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err);
	/* Append one record per selected row to out->bytes, each closed by the record separator
	 * (a line end), and its end to out->ends.  Rows that cannot be encoded (invalid UTF-8, ...)
	 * are added to the batch's errors instead and leave its selection. */
	Status (*encode)(Encoder *encoder, Batch *batch, Output *out, Error *err);
	/* What a file begins with: the CSV header.  NULL: nothing. */
	Status (*preamble)(Encoder *encoder, Buffer *out, Error *err);
};

/* CodecClass.cut where each line is a record. */
size_t codec_cut_lines(const Setting *decode_settings, const char *data, size_t len, size_t most,
		       uint32_t *count);

/* The classes of codec_list.h; returns how many. */
size_t codec_classes(const CodecClass *const **classes);
/* By name in any case, or NULL. */
const CodecClass *codec_find(Str name);
