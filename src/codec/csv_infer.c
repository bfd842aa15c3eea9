/* codec/csv_infer.c -- names and types of columns from a sample.
 *
 * A column gets the narrowest type that all its values in the sample have: BIGINT, DECIMAL, DOUBLE
 * (only where a value has an exponent), BOOLEAN (only true and false), DATE, TIMESTAMP, else
 * STRING.  "007" is no number, it would lose its zeros. */
#include "codec/csv_format.h"

#include <assert.h>

#include "base/utf8.h"
#include "codec/text.h"
#include "type/number.h"

/* What the values of a column have been so far. */
typedef struct ColumnGuess {
	bool seen;
	bool boolean, number, date, timestamp;    /* all of them are */
	bool exponent;                            /* one of them has */
	uint32_t integer_digits, fraction_digits; /* at most */
	bool wide;                                /* an integer beyond BIGINT */
} ColumnGuess;

static void
guess_number(ColumnGuess *guess, Str text)
{
	NumberScan scan;
	int64_t value;
	const char *end = text.data + text.len;

	if (number_scan_json(text.data, end, &scan) != end) {
		guess->number = false;
		return;
	}
	if (scan.kind == NUMBER_EXPONENT)
		guess->exponent = true;
	if (scan.integer_digits > guess->integer_digits)
		guess->integer_digits = scan.integer_digits;
	if (scan.fraction_digits > guess->fraction_digits)
		guess->fraction_digits = scan.fraction_digits;
	if (scan.kind == NUMBER_INTEGER && int64_parse(text.data, text.len, &value) != NUMBER_OK)
		guess->wide = true;
}

static void
guess_value(ColumnGuess *guess, Str text)
{
	int64_t micros;
	int32_t days;

	if (!guess->seen)
		*guess = (ColumnGuess){.seen = true,
				       .boolean = true,
				       .number = true,
				       .date = true,
				       .timestamp = true};
	if (guess->boolean)
		guess->boolean =
			str_eq_nocase(text, STR("true")) || str_eq_nocase(text, STR("false"));
	if (guess->number)
		guess_number(guess, text);
	if (guess->date)
		guess->date = date_parse(text.data, text.len, &days) == TEMPORAL_OK;
	if (guess->timestamp)
		guess->timestamp = timestamp_parse(text.data, text.len, &micros) == TEMPORAL_OK;
}

/* DECIMAL(18,s), or DECIMAL(38,s) if the digits of the sample need it. */
static const Type *
guess_decimal(const ColumnGuess *guess, Arena *arena)
{
	uint32_t scale = guess->fraction_digits;
	uint32_t digits = guess->integer_digits + scale;

	if (digits > DECIMAL_MAX_PRECISION)
		return TYPE_OF(STRING);
	return type_decimal(arena,
			    digits <= DECIMAL_MAX_PRECISION_64 ? DECIMAL_MAX_PRECISION_64
							       : DECIMAL_MAX_PRECISION,
			    (int)scale);
}

static const Type *
guess_type(const ColumnGuess *guess, Arena *arena)
{
	if (!guess->seen)
		return TYPE_OF(STRING);
	if (guess->boolean)
		return TYPE_OF(BOOLEAN);
	if (guess->number && guess->exponent)
		return TYPE_OF(DOUBLE);
	if (guess->number && guess->fraction_digits == 0 && !guess->wide)
		return TYPE_OF(BIGINT);
	if (guess->number)
		return guess_decimal(guess, arena);
	if (guess->date)
		return TYPE_OF(DATE);
	if (guess->timestamp)
		return TYPE_OF(TIMESTAMP);
	return TYPE_OF(STRING);
}

/* ---- the sample ---- */

typedef struct Sample {
	const CsvFormat *format;
	const char *data;
	Arena *arena;
	Schema *schema; /* names; count is the number of fields */
	ColumnGuess *guesses;
	CsvField *fields;
} Sample;

static void
guess_record(Sample *sample, const CsvRecord *record)
{
	uint32_t count = sample->schema->count;

	if (record->problem != CSV_FINE || record->field_count != count)
		return; /* an error when it is read; it tells nothing of the types */
	for (uint32_t i = 0; i < count; i++) {
		CsvField field = sample->fields[i];

		if (csv_field_is_null(field))
			continue;
		guess_value(&sample->guesses[i],
			    csv_field_text(sample->format, sample->data, field, sample->arena));
	}
}

/* Names from the first record, or c1, c2, ... */
static Status
name_columns(Sample *sample, const CsvRecord *record, bool header, Error *err)
{
	Schema *schema = sample->schema;

	if (record->problem != CSV_FINE)
		return error_set(err, FERRIS_ERR_NO_SCHEMA,
				 "the first CSV record is malformed at its field %u",
				 record->problem_field + 1);
	schema->count = record->field_count;
	schema->fields = ARENA_ARRAY(sample->arena, Field, schema->count);
	sample->guesses = ARENA_ARRAY(sample->arena, ColumnGuess, schema->count);
	for (uint32_t i = 0; i < schema->count; i++) {
		Str name = str_format(sample->arena, "c%u", i + 1);

		if (header)
			name = csv_field_text(sample->format, sample->data, sample->fields[i],
					      sample->arena);
		if (!utf8_valid(name.data, name.len))
			return error_set(err, FERRIS_ERR_UTF8,
					 "name %u of the CSV header is not valid UTF-8", i + 1);
		for (uint32_t j = 0; j < i; j++)
			if (str_eq(schema->fields[j].name, name))
				return error_set(err, FERRIS_ERR_DUPLICATE_NAME,
						 "the CSV header has '%.*s' twice", STR_ARG(name));
		if (name.len == 0)
			name = str_format(sample->arena, "c%u", i + 1);
		schema->fields[i].name = str_copy(sample->arena, name);
	}
	return FERRIS_OK;
}

/* The record at `start`; the first one names the columns. */
static Status
take_record(Sample *sample, size_t start, size_t end, bool header, size_t *next, Error *err)
{
	CsvRecord record;

	csv_scan_record(sample->format, sample->data, start, end, NULL, 0, &record);
	*next = record.next;
	if (record.end == start)
		return FERRIS_OK; /* an empty line */
	sample->fields = ARENA_ARRAY(sample->arena, CsvField, record.field_count);
	csv_scan_record(sample->format, sample->data, start, end, sample->fields,
			record.field_count, &record);
	if (sample->schema->count == 0) {
		TRY(name_columns(sample, &record, header, err));
		if (header)
			return FERRIS_OK;
	}
	guess_record(sample, &record);
	return FERRIS_OK;
}

static Status
read_sample(Sample *sample, const Chunk *chunk, Error *err)
{
	size_t next;

	for (uint32_t i = 0; i < chunk->record_count; i++) {
		const ChunkRecord *record = &chunk->records[i];

		if (record->len != RECORD_NULL && record->len > 0)
			TRY(take_record(sample, record->offset,
					(size_t)record->offset + record->len, false, &next, err));
	}
	if (chunk->record_count > 0)
		return FERRIS_OK;
	next = csv_skip_start(sample->format, chunk->data, chunk->len, true);
	while (next < chunk->len)
		TRY(take_record(sample, next, chunk->len,
				sample->format->header && sample->schema->count == 0, &next, err));
	return FERRIS_OK;
}

Status
csv_infer(const Setting *settings, const Chunk *chunk, Arena *arena, Schema *schema, Error *err)
{
	CsvFormat format = csv_format_from(settings);
	Sample sample = {.format = &format, .data = chunk->data, .arena = arena, .schema = schema};

	TRY(csv_format_check(&settings[CSV_IN_DELIMITER], &settings[CSV_IN_QUOTE], err));
	*schema = (Schema){0};
	TRY(read_sample(&sample, chunk, err));
	if (schema->count == 0) {
		error_set(err, FERRIS_ERR_NO_SCHEMA, "the CSV sample holds no record");
		return error_hint(err,
				  "declare the columns: CREATE STREAM name (column TYPE, ...)");
	}
	for (uint32_t i = 0; i < schema->count; i++)
		schema->fields[i].type = guess_type(&sample.guesses[i], arena);
	return FERRIS_OK;
}
