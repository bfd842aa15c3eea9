/* codec/json_print.h -- one value of a vector as JSON text.
 *
 * The slow, general printer: nested values, rare types, text that needs escapes.  The encoder's
 * fast columns are in json_encode.c.
 *
 * Threads: everything here is pure. */
#pragma once

#include "base/buffer.h"
#include "codec/timestamp_style.h"
#include "type/vector.h"

/* Why a value has no JSON text. */
typedef struct JsonPrintError {
	Status status; /* FERRIS_OK: none; FERRIS_ERR_LIMIT: the buffer is full */
	const char *what;
} JsonPrintError;

/* Bytes that json_print_string needs at most: every byte as \u00XX, and the quotes. */
#define JSON_STRING_MAX(len) ((size_t)(len)*6 + 2)

/* The string in quotes, escaped; NULL if it is not valid UTF-8.  `out` has room for
 * JSON_STRING_MAX(len) and 32 bytes more. */
char *json_print_string(char *out, const char *data, size_t len);
/* Appends row `row`, NULL as null; false and *error if it has no JSON text. */
bool json_print_value(Buffer *out, const TimestampStyle *style, const Vector *vector, uint32_t row,
		      JsonPrintError *error);
