/* codec/timestamp_style.h -- the option 'timestamp.format': how text formats write instants.
 *
 * 'iso8601' (default), 'epoch_millis', 'epoch_micros', 'epoch_seconds', or a strftime pattern.
 * A bare number is read in the unit of the style, milliseconds if the style names none; a fraction
 * is read exactly down to the microsecond.
 *
 * Owner: the pattern lies in the setting.  Threads: read only. */
#pragma once

#include <string.h>

#include "base/error.h"
#include "base/option.h"
#include "type/temporal.h"

#define TIMESTAMP_STYLE_MAX 256 /* bytes that timestamp_style_print writes at most */

/* The row for a codec's option groups. */
#define TIMESTAMP_STYLE_OPTION(verb)                                                               \
	{                                                                                          \
		.name = "timestamp.format", .type = OPTION_STRING, .initial = "iso8601",           \
		.doc = "How timestamps are " verb ": iso8601, epoch_millis, epoch_micros, "        \
		       "epoch_seconds, or a strftime pattern such as '%Y-%m-%d %H:%M:%S'."         \
	}

typedef enum TimestampStyleKind {
	TIMESTAMP_ISO8601,
	TIMESTAMP_EPOCH_MILLIS,
	TIMESTAMP_EPOCH_MICROS,
	TIMESTAMP_EPOCH_SECONDS,
	TIMESTAMP_PATTERN,
} TimestampStyleKind;

typedef struct TimestampStyle {
	TimestampStyleKind kind;
	Str pattern;
} TimestampStyle;

/* A pattern that does not exist is an error at the option's place. */
Status timestamp_style_open(const Setting *setting, TimestampStyle *style, Error *err);
/* A number in the style's unit.  The whole text must be the number. */
TemporalResult timestamp_style_read_number(const TimestampStyle *style, Str text, int64_t *micros);
/* Text that is not a bare number: by the pattern, else ISO 8601; an epoch style also reads a
 * number written as text. */
TemporalResult timestamp_style_read_text(const TimestampStyle *style, Str text, int64_t *micros);
/* True if the style prints a number, which JSON does not quote. */
bool timestamp_style_is_number(const TimestampStyle *style);
/* Returns one past the last byte, or NULL if the pattern's text is too long. */
char *timestamp_style_print(const TimestampStyle *style, int64_t micros, char *out);

#define INSTANT_ROOM 32 /* bytes that instant_print may write */

/* The last instant printed as ISO 8601, and its text: all rows of a window have the same.  All
 * fields zero: none. */
typedef struct InstantText {
	int64_t micros;
	uint32_t len;
	char text[INSTANT_ROOM];
} InstantText;

/* The instant is in range.  Returns one past the last byte. */
static inline char *
instant_print(char *out, InstantText *last, int64_t micros)
{
	if (micros != last->micros || last->len == 0) {
		last->micros = micros;
		last->len = (uint32_t)(timestamp_print(last->text, micros) - last->text);
	}
	memcpy(out, last->text, INSTANT_ROOM);
	return out + last->len;
}
