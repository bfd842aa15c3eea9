/* codec/json_read.h -- one JSON value into a vector, by the vector's type.
 *
 * What is read is checked: grammar, escapes, UTF-8, range, digits.  A value that does not fit is
 * noted in the JsonReader, and the record it belongs to becomes a row error.
 *
 * Threads: a JsonReader belongs to one decoder. */
#pragma once

#include "codec/json_text.h"
#include "codec/timestamp_style.h"
#include "type/vector.h"

typedef struct JsonReader {
	JsonText text;
	Arena *heap; /* of the batch */
	TimestampStyle style;
	Status status; /* of the error */
	char message[400];
} JsonReader;

/* Why a record fails; returns false. */
bool json_fail(JsonReader *reader, Status status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* The same from the fault that a json_check_* or json_skip_* function has noted. */
bool json_fail_text(JsonReader *reader);

/* Reads the value at `p` into row `row` of a VALUE vector, which has room for it; null makes it
 * NULL.  `depth` is the number of arrays and objects around it.  Returns one past the value, or
 * NULL after json_fail. */
const char *json_read_value(JsonReader *reader, const char *p, uint32_t depth, Vector *vector,
			    uint32_t row);
/* The same for a TEXT vector: the value's canonical text. */
const char *json_read_text(JsonReader *reader, const char *p, uint32_t depth, Vector *vector,
			   uint32_t row);
/* NULL, and for a STRUCT in all its fields too. */
void json_set_null(Vector *vector, uint32_t row);
