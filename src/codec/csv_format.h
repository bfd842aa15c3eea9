/* codec/csv_format.h -- what a CSV file looks like, and where its records and fields end.
 *
 * The grammar is RFC 4180's: a field whose first byte is a quote ends at the next quote that is
 * not doubled, and may hold delimiters and line ends; any other field ends at a delimiter or a
 * line end, LF or CR LF.  A quote inside an unquoted field and text behind a closing quote are
 * errors of the record, which still ends where an unquoted field would: a stray quote spoils one
 * line and not the rest of the file.  An empty line is no record where a record has more than
 * one field.
 *
 * csv_scan_record is the grammar; csv_frame, csv_cut and the fast scanner (codec/csv_fast.h) find
 * the same ends in less time.
 *
 * Threads: everything here is pure. */
#pragma once

#include "codec/codec.h"

/* Index in DecodeSpec.settings. */
typedef enum CsvDecodeOption {
	CSV_IN_HEADER,
	CSV_IN_DELIMITER,
	CSV_IN_QUOTE,
	CSV_IN_NULL,
	CSV_IN_TRIM,
	CSV_IN_SKIP_LINES,
	CSV_IN_TIMESTAMP_FORMAT,
	CSV_IN_SIMD,
	CSV_IN_COUNT
} CsvDecodeOption;

/* Index in EncodeSpec.settings. */
typedef enum CsvEncodeOption {
	CSV_OUT_HEADER,
	CSV_OUT_DELIMITER,
	CSV_OUT_QUOTE,
	CSV_OUT_NULL,
	CSV_OUT_LINE_END,
	CSV_OUT_TIMESTAMP_FORMAT,
	CSV_OUT_COUNT
} CsvEncodeOption;

extern const CodecClass csv_codec;
extern const OptionRow csv_decode_rows[CSV_IN_COUNT];
extern const OptionRow csv_encode_rows[CSV_OUT_COUNT];

typedef struct CsvFormat {
	char delimiter;
	char quote;
	bool trim; /* blanks around fields and around their quotes are not part of them */
	bool header;
	uint64_t skip_lines;
	Str null; /* an unquoted field of this text is NULL */
} CsvFormat;

/* No checks, see csv_format_check. */
CsvFormat csv_format_from(const Setting *decode_settings);
/* Delimiter and quote must differ and be no part of a line end. */
Status csv_format_check(const Setting *delimiter, const Setting *quote, Error *err);

/* A field in the chunk.  `len` without flags: unquoted, and 0 is NULL. */
typedef struct CsvField {
	uint32_t start;
	uint32_t len;
} CsvField;

#define CSV_FIELD_VALUE                                                                            \
	0x80000000u /* was quoted (start and len without the quotes), or is empty                  \
		       and not NULL */
#define CSV_FIELD_ESCAPED 0x40000000u /* holds doubled quotes; with CSV_FIELD_VALUE */
#define CSV_FIELD_LEN     0x3FFFFFFFu

static inline bool
csv_field_is_null(CsvField field)
{
	return field.len == 0;
}

static inline uint32_t
csv_field_len(CsvField field)
{
	return field.len & CSV_FIELD_LEN;
}

typedef enum CsvProblem {
	CSV_FINE,
	CSV_STRAY_QUOTE, /* in an unquoted field */
	CSV_TEXT_BEHIND, /* text between a closing quote and the next delimiter */
	CSV_UNCLOSED,    /* the data ends inside quotes */
	CSV_TOO_LONG,    /* a field of 1 GiB or more */
} CsvProblem;

typedef struct CsvRecord {
	size_t end;  /* one past the record's last byte, before the line end */
	size_t next; /* where the next record begins */
	uint32_t field_count;
	uint32_t lines; /* line ends in [start, next) */
	bool ended;     /* by a line end; false: by the end of the data */
	CsvProblem problem;
	uint32_t problem_field;
} CsvRecord;

/* Scan the record at data[start], start < len; fields[0..room) get its first fields. */
void csv_scan_record(const CsvFormat *format, const char *data, size_t start, size_t len,
		     CsvField *fields, uint32_t room, CsvRecord *record);
/* A field's text: in the chunk, or with its doubled quotes resolved in the arena.  Loads of 64
 * bytes from its start are allowed. */
Str csv_field_text(const CsvFormat *format, const char *data, CsvField field, Arena *arena);
/* CodecClass.frame. */
size_t csv_frame(const Setting *decode_settings, const char *data, size_t len, bool last);
/* CodecClass.cut. */
size_t csv_cut(const Setting *decode_settings, const char *data, size_t len, size_t most,
	       uint32_t *count);
/* Bytes of a byte order mark and csv.skip.lines at a file's start; HEADER_INCOMPLETE if they are
 * not all there. */
size_t csv_skip_start(const CsvFormat *format, const char *data, size_t len, bool last);
/* CodecClass.header. */
Status csv_header(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
		  Error *err);
/* CodecClass.infer. */
Status csv_infer(const Setting *decode_settings, const Chunk *sample, Arena *arena, Schema *schema,
		 Error *err);
/* Decoding and encoding, see CodecClass. */
Status csv_decoder_open(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err);
Status csv_decode(Decoder *decoder, ChunkCursor *cursor, Batch *batch, Error *err);
Status csv_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err);
Status csv_encode(Encoder *encoder, Batch *batch, Output *out, Error *err);
Status csv_preamble(Encoder *encoder, Buffer *out, Error *err);
