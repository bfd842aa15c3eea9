/* type/temporal.h -- dates, times, timestamps and intervals: calendar, arithmetic and text.
 *
 * TIMESTAMP is an int64 of microseconds since 1970-01-01T00:00:00Z, an instant; DATE is an int32 of
 * days since then; TIME is an int64 of microseconds since midnight.  The calendar is the proleptic
 * Gregorian one, years 0001 to 9999, days of 86400 seconds.  Whatever would leave that range is
 * reported and never stored.  On any result but TEMPORAL_OK *out is left as it was.
 * Calendar fields are those of UTC; type/timezone.h shifts an instant into a zone and back.
 *
 * Owns nothing, allocates nothing.  Threads: everything here is pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

#define MICROS_PER_MILLI INT64_C(1000)
#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_MINUTE INT64_C(60000000)
#define MICROS_PER_HOUR INT64_C(3600000000)
#define MICROS_PER_DAY INT64_C(86400000000)

#define DATE_MIN (-719162)                       /* 0001-01-01 */
#define DATE_MAX 2932896                         /* 9999-12-31 */
#define TIMESTAMP_MIN (DATE_MIN * MICROS_PER_DAY)
#define TIMESTAMP_MAX ((DATE_MAX + 1) * MICROS_PER_DAY - 1)

#define DATE_TEXT_MAX 10      /* 2023-11-14 */
#define TIME_TEXT_MAX 15      /* 22:13:20.049123 */
#define TIMESTAMP_TEXT_MAX 27 /* 2023-11-14T22:13:20.049123Z */
#define INTERVAL_TEXT_MAX 64  /* P-178956970Y-8M-2147483648DT-2562047788H-0M-54.775808S */

typedef enum TemporalResult {
	TEMPORAL_OK = 0,
	TEMPORAL_SYNTAX,      /* the text is not of the form wanted */
	TEMPORAL_RANGE,       /* a field (month 13) or the result is out of range */
	TEMPORAL_LOST_DIGITS, /* a fraction finer than a microsecond that is not zero */
	TEMPORAL_PATTERN,     /* a strftime pattern that does not exist */
	TEMPORAL_UNIT,        /* the unit does not exist or cannot be used for this */
	TEMPORAL_SPACE,       /* the formatted text does not fit the room given */
} TemporalResult;

/* Months, days and microseconds are kept apart: their lengths differ from case to case. */
typedef struct Interval {
	int32_t months;
	int32_t days;
	int64_t micros;
} Interval;

typedef struct CivilDate {
	int32_t year;  /* 1..9999 */
	int32_t month; /* 1..12 */
	int32_t day;   /* 1..31 */
} CivilDate;

typedef struct CivilTime {
	CivilDate date;
	int32_t hour;
	int32_t minute;
	int32_t second;
	int32_t micros; /* 0..999999 */
} CivilTime;

/* What a unit may be used for. */
#define UNIT_EXTRACT 1u
#define UNIT_TRUNCATE 2u
#define UNIT_DIFF 4u
#define UNIT_INTERVAL 8u

typedef enum TemporalUnit {
#define UNIT(name, months, micros, uses) UNIT_##name,
#include "type/temporal_unit_list.h"
	UNIT_COUNT
} TemporalUnit;

/* "MINUTE", "minutes": case ignored, a plural S accepted.  False if there is no such unit with all
 * of `uses`. */
bool temporal_unit_find(Str name, unsigned uses, TemporalUnit *unit);
const char *temporal_unit_name(TemporalUnit unit);

/* ---- calendar ---- */

bool date_is_leap_year(int32_t year);
int32_t date_days_in_month(int32_t year, int32_t month);
/* No check: fields must be in range. */
int32_t date_from_civil(CivilDate civil);
CivilDate date_to_civil(int32_t days);
/* Checked: TEMPORAL_RANGE for 31 April. */
TemporalResult date_make(int32_t year, int32_t month, int32_t day, int32_t *out);
CivilTime timestamp_to_civil(int64_t micros);
TemporalResult timestamp_make(const CivilTime *civil, int64_t *out);
/* The day an instant falls on, rounded towards the past; and the time of that day. */
int32_t timestamp_to_date(int64_t micros);
int64_t timestamp_to_time(int64_t micros);
int64_t timestamp_from_date(int32_t days);

static inline bool
timestamp_in_range(int64_t micros)
{
	return micros >= TIMESTAMP_MIN && micros <= TIMESTAMP_MAX;
}

/* ---- epoch numbers ---- */

TemporalResult timestamp_from_seconds(int64_t seconds, int64_t *out);
TemporalResult timestamp_from_millis(int64_t millis, int64_t *out);
TemporalResult timestamp_from_micros(int64_t micros, int64_t *out);
/* TEMPORAL_LOST_DIGITS if it is not a whole number of microseconds. */
TemporalResult timestamp_from_nanos(int64_t nanos, int64_t *out);
/* The text of an integer of epoch milliseconds; 13 digits are the fast path. */
TemporalResult timestamp_parse_millis(const char *text, size_t len, int64_t *out);
/* Rounded towards the past. */
int64_t timestamp_to_seconds(int64_t micros);
int64_t timestamp_to_millis(int64_t micros);
TemporalResult timestamp_to_nanos(int64_t micros, int64_t *out);

/* ---- ISO 8601 text; all of the text must be read ---- */

TemporalResult date_parse(const char *text, size_t len, int32_t *out);
/* hh:mm[:ss[.fraction]]; 24:00 is not a time of day. */
TemporalResult time_parse(const char *text, size_t len, int64_t *out);
/* date [('T' | 't' | ' ') time [zone]], zone = 'Z' | 'z' | +hh | +hhmm | +hh:mm (and -); without a
 * zone it is UTC.  A fraction has 1 to 9 digits. */
TemporalResult timestamp_parse(const char *text, size_t len, int64_t *out);

/* Each returns one past the last byte, writes no NUL, and wants a value in range. */
char *date_print(char *out, int32_t days);
/* 22:13:20, with .mmm or .uuuuuu if there is a fraction. */
char *time_print(char *out, int64_t micros);
/* 2023-11-14T22:13:20.049Z: always milliseconds, microseconds if there are any. */
char *timestamp_print(char *out, int64_t micros);

/* ---- intervals ---- */

/* The text of INTERVAL '<text>' <from> [TO <to>]: '5' MINUTE, '1.5' SECOND, '1-2' YEAR TO MONTH,
 * '1 02:03:04.5' DAY TO SECOND, '-1:30' HOUR TO MINUTE.  from == to for a single unit. */
TemporalResult interval_parse(const char *text, size_t len, TemporalUnit from, TemporalUnit to,
                              Interval *out);
/* A duration as written in options and window sizes: 5m 30s 1h 2d 1w 100ms 7us 9000ns, several in
 * a row (1h30m), a bare number is seconds.  Days are 24 hours; nothing but micros is set. */
TemporalResult duration_parse(const char *text, size_t len, int64_t *micros);
/* Any text an interval prints as, ISO 8601 (P1Y2M3DT4H5M6.5S), the shorthand of durations, or
 * '<number> <unit>' pairs ("1 day 2 hours"). */
TemporalResult interval_parse_text(const char *text, size_t len, Interval *out);
/* ISO 8601: P1Y2M3DT4H5M6.5S, PT0S; parts may be negative one by one: P-1M. */
char *interval_print(char *out, Interval interval);
TemporalResult interval_from_unit(int64_t count, TemporalUnit unit, Interval *out);
TemporalResult interval_add(Interval a, Interval b, Interval *out);
TemporalResult interval_negate(Interval v, Interval *out);
TemporalResult interval_multiply(Interval v, int64_t factor, Interval *out);
/* With a month as 30 days and a day as 24 hours, as the SQL standard compares. */
int interval_compare(Interval a, Interval b);
/* Its length in microseconds with a day as 24 hours; TEMPORAL_RANGE if it has months. */
TemporalResult interval_to_micros(Interval v, int64_t *out);

/* ---- arithmetic ---- */

/* Months first (a day past the end of the month becomes its last), then days, then micros. */
TemporalResult timestamp_add(int64_t micros, Interval interval, int64_t *out);
TemporalResult timestamp_sub(int64_t micros, Interval interval, int64_t *out);
TemporalResult date_add_months(int32_t days, int64_t months, int32_t *out);
TemporalResult date_add_days(int32_t days, int64_t count, int32_t *out);
/* The start of the unit that holds the instant; WEEK starts on Monday, CENTURY in year 1. */
TemporalResult timestamp_truncate(int64_t micros, TemporalUnit unit, int64_t *out);
/* Whole units from `start` to `end`, negative if end is earlier. */
TemporalResult timestamp_diff(int64_t start, int64_t end, TemporalUnit unit, int64_t *out);
/* Unit boundaries crossed from `start` to `end`: 23:59 to 00:01 is one day. */
TemporalResult timestamp_boundaries(int64_t start, int64_t end, TemporalUnit unit, int64_t *out);
/* One field.  SECOND is 0..59; MILLISECOND, MICROSECOND and NANOSECOND are the fraction of the
 * second; DOW is 0 (Sunday) .. 6, ISODOW 1 (Monday) .. 7, WEEK the ISO week, EPOCH whole seconds
 * rounded towards the past. */
TemporalResult timestamp_extract(int64_t micros, TemporalUnit unit, int64_t *out);
/* The same for an interval: its own fields, as in 1 year 2 months; EPOCH is TEMPORAL_UNIT. */
TemporalResult interval_extract(Interval interval, TemporalUnit unit, int64_t *out);

/* ---- strftime patterns ---- */

/* %Y %m %d %e %H %I %M %S %p %f (microseconds) %L (milliseconds) %y %C %j %b %h %B %a %A %u %w
 * %G %V %Z %z %s %T %D %F %R %n %t %%; names are English.  Returns TEMPORAL_PATTERN if there is
 * any other one, and then *bad is its byte offset. */
TemporalResult temporal_pattern_check(const char *pattern, size_t pattern_len, size_t *bad);
/* `offset_seconds` is the zone's distance from UTC and `zone` its abbreviation, for %z and %Z and
 * to shift the fields; 0 and "UTC" for none. */
TemporalResult timestamp_format(int64_t micros, int32_t offset_seconds, Str zone,
                                const char *pattern, size_t pattern_len, char *out,
                                size_t capacity, size_t *len);
/* The inverse.  Fields that the pattern does not name are those of 1970-01-01T00:00:00Z; a weekday
 * is read and not checked; blanks in the pattern match any number of blanks. */
TemporalResult timestamp_scan(const char *text, size_t len, const char *pattern,
                              size_t pattern_len, int64_t *out);
