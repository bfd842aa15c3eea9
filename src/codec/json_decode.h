/* codec/json_decode.h -- the inside of the JSON decoder, shared by its general and its fast path.
 *
 * The general path (json_record.c) walks a record key by key and is always right.  While it walks
 * it notes a template: the bytes between one value and the next, as far as the last column that is
 * wanted.  The fast path (json_fast_impl.h) assumes that the next record repeats the template, and
 * reads nothing but the values in between; whatever it does not expect it leaves to the general
 * path, from the record's first byte.  So a row never depends on which path made it.
 *
 * Under 'json.validate' = 'full' the general path checks every byte first, and templates go on to
 * the record's end: what repeats a record that was checked, with values that are checked, is as
 * well-formed as that one and has no key twice.
 *
 * Threads: a decoder belongs to one task. */
#pragma once

#include "codec/codec.h"
#include "codec/json_read.h"
#include "codec/scan.h"

typedef enum JsonDecodeOption {
	JSON_VALIDATE,
	JSON_FRAMING,
	JSON_MAX_DEPTH,
	JSON_SIMD,
	JSON_TIMESTAMP_FORMAT,
	JSON_DECODE_OPTION_COUNT
} JsonDecodeOption;

/* Indexes of the choices. */
enum { JSON_VALIDATE_NEEDED, JSON_VALIDATE_FULL };
enum { JSON_FRAMING_LINES, JSON_FRAMING_VALUES };
enum { JSON_SIMD_AUTO, JSON_SIMD_PORTABLE };

#define JSON_MAX_STEPS     64
#define JSON_MAX_TEMPLATES 4 /* shapes of records that are remembered */

extern const CodecClass json_codec;

/* One wanted column: a DecodeColumn and where its values go. */
typedef struct JsonColumn {
	const DecodeColumn *spec;
	const DecodePredicate *predicates;
	uint32_t predicate_count;
	Vector *vector; /* in the batch being filled, or &scratch */
	bool stored; /* false: only for the predicates, row 0 of scratch is used again and again */
	bool is_equality; /* the one predicate is = on a short STRING */
	ScanPrefix equal; /* the constant and a closing quote */
	bool in_range;    /* the predicates are low <= value <= high, of a 64-bit lane */
	int64_t low, high;
	Vector scratch;
	uint64_t scratch_valid;
	union {
		int64_t int64;
		Int128 int128;
		StringView view;
	} scratch_data;
} JsonColumn;

/* How the fast path reads a field. */
typedef enum JsonAction {
	JSON_READ_SKIP, /* nobody wants it */
	JSON_READ_ANY,  /* by json_read.c */
	JSON_READ_INTEGER,
	JSON_READ_DECIMAL, /* of up to 18 digits */
	JSON_READ_STRING,
	JSON_READ_MILLIS, /* TIMESTAMP as epoch milliseconds */
} JsonAction;

/* One key that is wanted, once or several times. */
typedef struct JsonField {
	Str name;
	JsonColumn **columns; /* those with predicates first */
	uint32_t column_count;
	JsonAction action;  /* if not JSON_READ_ANY: */
	JsonColumn *value;  /* the one VALUE column, or NULL */
	JsonColumn *text;   /* the one TEXT column, or NULL */
	uint32_t max_whole; /* digits before the point that are surely in range */
	uint32_t scale;
	uint64_t seen; /* serial number of the record it was last seen in */
} JsonField;

typedef struct JsonStep {
	ScanPrefix prefix;      /* from the end of the last value to the start of this one */
	const JsonField *field; /* NULL: skip the value */
	JsonAction action;
} JsonStep;

/* The shape of a record, as far as the last wanted column. */
typedef struct JsonTemplate {
	uint32_t count;
	bool simple; /* no step is JSON_READ_ANY */
	bool closed; /* the object ends behind the last step, without these columns: */
	JsonColumn **nulls;
	uint32_t null_count;
	JsonStep steps[JSON_MAX_STEPS];
} JsonTemplate;

typedef struct JsonDecoder JsonDecoder;

typedef enum JsonOutcome {
	JSON_ROW_KEPT,
	JSON_ROW_FILTERED,
	JSON_ROW_FAILED, /* reader.status, reader.message and `column` say why */
} JsonOutcome;

/* What a decode call is filling. */
typedef struct JsonRun {
	Batch *batch;
	const char *base; /* chunk->data */
	const char *end;  /* one past its last byte */
	uint32_t row;     /* to be filled next */
} JsonRun;

/* Fast path for one record, [start, end); false: not sure, ask the general path. */
typedef bool (*JsonFast)(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
			 JsonOutcome *outcome);
/* Records of a file from `next` on, one a line, as long as the fast path is sure of them; returns
 * where the next one starts. */
typedef const char *(*JsonFastLines)(JsonDecoder *decoder, JsonRun *run, const char *next,
				     uint32_t *line);

struct JsonDecoder {
	Decoder base;
	const DecodeSpec *spec;
	JsonReader reader;
	bool full;      /* validate every byte */
	bool values;    /* framing */
	bool null_rows; /* a record that is null is a row of NULLs */
	bool skip_null; /* a record that is null counts as filtered */
	JsonColumn *columns;
	uint32_t column_count;
	JsonField *fields;
	uint32_t field_count;
	uint64_t record; /* serial number */
	Str column;      /* at fault */
	JsonFast fast;
	JsonFastLines fast_lines;
	JsonTemplate *templates[JSON_MAX_TEMPLATES]; /* the one that fitted last comes first */
	uint32_t template_count;
	JsonTemplate *learning; /* what the general path is noting */
	const char *slow_end;   /* see json_fast_impl.h */
	bool slow_passes;
	size_t line_skip; /* bytes in which lines have had no line end so far */
	bool patient;     /* read a record to its end though a predicate failed: no branch */
	bool can_learn;   /* the record at hand fits a template so far */
};

Status json_decoder_open(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err);
Status json_decode(Decoder *decoder, ChunkCursor *cursor, Batch *batch, Error *err);

/* The general path: [start, end) is the record. */
JsonOutcome json_record_read(JsonDecoder *decoder, JsonRun *run, const char *start,
			     const char *end);
/* All predicates of the column hold for the value at `row` of its vector. */
bool json_column_passes(const JsonColumn *column, uint32_t row);
/* One value into all columns of the field; returns one past the value, or NULL after an error.
 * *passes tells whether the predicates hold. */
const char *json_field_read(JsonDecoder *decoder, JsonRun *run, const JsonField *field,
			    const char *p, bool *passes);
/* The last byte of [start, end) that is no blank is '}'. */
bool json_frame_closed(const char *start, const char *end);

/* One past the object or whatever else starts at p in 'values' framing. */
const char *json_values_next(const char *p, const char *end);
/* The object at p ends at `end`. */
bool json_values_closed(const char *p, const char *end);
/* Where the next record starts, after blanks, commas and the brackets of a top-level array. */
const char *json_values_skip(const char *p, const char *end);
size_t json_frame(const Setting *settings, const char *data, size_t len, bool last);
size_t json_cut(const Setting *settings, const char *data, size_t len, size_t most,
		uint32_t *count);
Status json_header(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
		   Error *err);
Status json_infer(const Setting *settings, const Chunk *sample, Arena *arena, Schema *schema,
		  Error *err);

bool json_fast_avx2(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
		    JsonOutcome *outcome);
const char *json_fast_lines_avx2(JsonDecoder *decoder, JsonRun *run, const char *next,
				 uint32_t *line);
bool json_fast_portable(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end,
			JsonOutcome *outcome);
const char *json_fast_lines_portable(JsonDecoder *decoder, JsonRun *run, const char *next,
				     uint32_t *line);
/* False on CPUs that cannot run json_fast_avx2. */
bool json_fast_has_avx2(void);
