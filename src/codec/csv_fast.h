/* codec/csv_fast.h -- finding the fields of many plain records quickly.
 *
 * The decoder works in rounds of CSV_ROUND records: first all field bounds, then column by
 * column the values.  The fast scanner does the first half for records without quotes: it sorts
 * 64 bytes at a time into bit masks of delimiters, line ends and quotes, counts the fields with
 * one popcount, and takes only the bounds that are wanted.  At any other record (a quote, the wrong
 * number of fields, the last bytes of a chunk) it stops, and csv_scan_record does that one.
 *
 * The same code (csv_fast_impl.h) is compiled for AVX2 and for any processor. */
#pragma once

#include "codec/csv_format.h"

#define CSV_ROUND 512 /* bounds of a round and the bytes they point to stay in the first caches */

/* A field that some column wants. */
typedef struct CsvSlot {
	uint32_t place;   /* in the record */
	CsvField *fields; /* of the round's records; CSV_ROUND of them */
} CsvSlot;

typedef struct CsvScan {
	/* of the decoder */
	char delimiter;
	char quote;
	uint32_t field_count; /* of every record */
	uint32_t last_place;  /* the last slot's */
	uint32_t slot_count;
	CsvSlot *slots;      /* by ascending place */
	uint32_t *ends;      /* room for last_place + 1 */
	RecordRange *ranges; /* of the round's records; CSV_ROUND of them */
	/* of the chunk */
	const char *data;
	size_t len;
	size_t next; /* where the next record begins */
	uint32_t line;
	/* of the round */
	uint32_t count; /* records found */
	uint32_t room;  /* at most CSV_ROUND */
} CsvScan;

/* Adds plain records to the round until it is full or a record is not plain. */
typedef void CsvFastScan(CsvScan *scan);

CsvFastScan csv_fast_scan_avx2;
CsvFastScan csv_fast_scan_portable;
