/* codec/csv_nested.h -- columns that CSV holds as JSON text in a field: ARRAY, MAP, STRUCT, JSON.
 *
 * Threads: a JsonReader belongs to one decoder. */
#pragma once

#include "codec/json_read.h"
#include "type/batch.h"

/* The value into row `row` of a VALUE or TEXT vector; false if `text` is no value of its type, or
 * null and `not_null`: then reader->status and reader->message say why. */
bool csv_read_nested(JsonReader *reader, Str text, bool not_null, Vector *vector, uint32_t row);
/* A TEXT vector in the batch's heap with the JSON text of the selected rows.  A value that has no
 * JSON text gives a view with CSV_VIEW_FAILED, which holds the reason. */
Vector *csv_print_nested(const TimestampStyle *style, const Vector *vector, Batch *batch);

#define CSV_VIEW_FAILED 0x80000000u /* beside VIEW_* */
