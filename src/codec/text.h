/* codec/text.h -- values as text and text as values: CSV fields, keys, options, casts.
 *
 * Reading is strict: the whole text must be the value, without blanks around it, and a number
 * keeps every digit or is refused.  Writing is canonical: what it writes, it reads back as the
 * same value, and two equal values have one text.
 *
 * A conversion that fails is a fault of the data: it returns the status for the row's error and
 * leaves *out as it was; text_error_message says it in words.
 *
 * Owns nothing; unescaped bytes go to the arena given.  Threads: everything here is pure. */
#pragma once

#include "codec/timestamp_style.h"
#include "type/value.h"

/* Room that text_print needs, whatever the value. */
#define TEXT_PRINT_MAX TIMESTAMP_STYLE_MAX

/* The value of a scalar type but NULL; `style` NULL is ISO 8601.  Text of a STRING is not copied
 * and must be valid UTF-8; BYTES are decoded from base64 into `arena`; JSON is taken as it is.
 * ARRAY, MAP and STRUCT are BAD_VALUE. */
Status text_parse(const Type *type, const TimestampStyle *style, Str text, Arena *arena,
		  Value *out);
/* Text of any scalar type but STRING, BYTES, JSON and NULL, written to out[0..TEXT_PRINT_MAX).
 * Returns one past its last byte, or NULL if a timestamp pattern makes a longer text. */
char *text_print(char *out, const Value *value, const TimestampStyle *style);
/* The text of any scalar value that is not NULL, in the arena where it must be made; {NULL, 0}
 * where text_print fails. */
Str text_from_value(Arena *arena, const Value *value, const TimestampStyle *style);

/* 'abc' is not a BIGINT: why text_parse gave `status`, in one line without the column. */
Str text_error_message(Arena *arena, Status status, const Type *type, Str text);
/* `text` as it may stand in a message: at most 64 bytes, no control characters, valid UTF-8. */
Str text_shorten(Arena *arena, Str text);
