/* codec/csv_column.h -- one column of many records: from field bounds to a vector.
 *
 * A kernel is a loop over one column's fields.  It takes the common forms of its type in a few
 * instructions and leaves the rest to text_parse, so that both give the same values.  A field
 * that is no value of the type marks its record as failed; the decoder makes the message later.
 *
 * Threads: a column belongs to its decoder. */
#pragma once

#include "codec/csv_fast.h"
#include "codec/csv_nested.h"
#include "codec/text.h"

/* The records of a round that are still wanted, and the rows they go to. */
typedef struct CsvRows {
	const CsvFormat *format;
	const char *data; /* of the chunk */
	Arena *heap;
	const uint16_t *sel;  /* numbers of the records in the round */
	const uint16_t *rows; /* row of each of them, counted from base */
	uint32_t base;
	uint32_t count;
	uint16_t *failed; /* of each record of the round: 0, or the column's number + 1 */
	uint32_t failed_count;
} CsvRows;

typedef struct CsvColumn CsvColumn;
typedef void CsvKernel(const CsvColumn *column, CsvRows *rows, Vector *out);

struct CsvColumn {
	const DecodeColumn *spec;
	CsvKernel *kernel;
	const CsvField *fields; /* of the round's records */
	TimestampStyle timestamps;
	uint16_t number;  /* in the spec */
	uint32_t clean;   /* VIEW_CSV_CLEAN, or 0 if the format is not the default one */
	JsonReader *json; /* the decoder's, of a type that is JSON text; else NULL */
	int64_t min, max; /* of an integer type */
};

/* Picks the kernel. */
void csv_column_open(CsvColumn *column, const DecodeColumn *spec, uint32_t number,
		     const CsvFormat *format, const TimestampStyle *timestamps, JsonReader *json);
