/* type/temporal_text.c -- ISO 8601 dates, times and timestamps, read and written.
 *
 * The readers walk a Cursor: each piece is taken off the front or the whole text is refused. */
#include "type/temporal.h"

#include "type/digits.h"
#include "type/number.h"

#define FRACTION_DIGITS_MAX 9
#define CANONICAL_LENGTH 24
#define MILLIS_DIGITS 13 /* epoch milliseconds from 2001 to 2286 */

typedef struct Cursor {
	const char *p;
	const char *end;
} Cursor;

/* Exactly `count` digits. */
static inline bool
take_number(Cursor *c, int count, int32_t *out)
{
	int32_t value = 0;

	if (c->end - c->p < count)
		return false;
	for (int i = 0; i < count; i++) {
		if (!digit_is(c->p[i]))
			return false;
		value = value * 10 + (c->p[i] - '0');
	}
	c->p += count;
	*out = value;
	return true;
}

static inline bool
take_char(Cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static inline TemporalResult
take_date(Cursor *c, int32_t *days)
{
	int32_t year;
	int32_t month;
	int32_t day;

	if (!take_number(c, 4, &year) || !take_char(c, '-') || !take_number(c, 2, &month) ||
	    !take_char(c, '-') || !take_number(c, 2, &day))
		return TEMPORAL_SYNTAX;
	return date_make(year, month, day, days);
}

/* The digits after the point, as microseconds. */
static TemporalResult
take_fraction(Cursor *c, int32_t *micros)
{
	int32_t value = 0;
	int count = 0;
	bool lost = false;

	for (; c->p < c->end && digit_is(*c->p); c->p++, count++) {
		if (count < 6)
			value = value * 10 + (*c->p - '0');
		else
			lost |= *c->p != '0';
	}
	if (count == 0 || count > FRACTION_DIGITS_MAX)
		return TEMPORAL_SYNTAX;
	for (; count < 6; count++)
		value *= 10;
	*micros = value;
	return lost ? TEMPORAL_LOST_DIGITS : TEMPORAL_OK;
}

/* A time with lost digits is read to its end, so that a syntax error after it is reported first. */
static inline TemporalResult
take_time(Cursor *c, int64_t *micros)
{
	TemporalResult result = TEMPORAL_OK;
	int32_t hour;
	int32_t minute;
	int32_t second = 0;
	int32_t fraction = 0;

	if (!take_number(c, 2, &hour) || !take_char(c, ':') || !take_number(c, 2, &minute))
		return TEMPORAL_SYNTAX;
	if (take_char(c, ':')) {
		if (!take_number(c, 2, &second))
			return TEMPORAL_SYNTAX;
		if (take_char(c, '.'))
			result = take_fraction(c, &fraction);
	}
	if (result == TEMPORAL_SYNTAX)
		return result;
	if (hour > 23 || minute > 59 || second > 59)
		return TEMPORAL_RANGE;
	*micros = hour * MICROS_PER_HOUR + minute * MICROS_PER_MINUTE +
	          second * MICROS_PER_SECOND + fraction;
	return result;
}

/* Nothing, Z, +hh, +hhmm or +hh:mm. */
static inline TemporalResult
take_zone(Cursor *c, int64_t *offset)
{
	int32_t hours;
	int32_t minutes = 0;

	*offset = 0;
	if (c->p == c->end || take_char(c, 'Z') || take_char(c, 'z'))
		return TEMPORAL_OK;
	bool negative = *c->p == '-';
	if ((!take_char(c, '+') && !take_char(c, '-')) || !take_number(c, 2, &hours))
		return TEMPORAL_SYNTAX;
	if (c->p < c->end) {
		take_char(c, ':');
		if (!take_number(c, 2, &minutes))
			return TEMPORAL_SYNTAX;
	}
	if (hours > 23 || minutes > 59)
		return TEMPORAL_RANGE;
	*offset = hours * MICROS_PER_HOUR + minutes * MICROS_PER_MINUTE;
	if (negative)
		*offset = -*offset;
	return TEMPORAL_OK;
}

TemporalResult
date_parse(const char *text, size_t len, int32_t *out)
{
	Cursor c = {text, text + len};
	int32_t days;
	TemporalResult result = take_date(&c, &days);

	if (result != TEMPORAL_OK)
		return result;
	if (c.p != c.end)
		return TEMPORAL_SYNTAX;
	*out = days;
	return TEMPORAL_OK;
}

TemporalResult
time_parse(const char *text, size_t len, int64_t *out)
{
	Cursor c = {text, text + len};
	int64_t micros;
	TemporalResult result = take_time(&c, &micros);

	if (result != TEMPORAL_OK && result != TEMPORAL_LOST_DIGITS)
		return result;
	if (c.p != c.end)
		return TEMPORAL_SYNTAX;
	if (result == TEMPORAL_OK)
		*out = micros;
	return result;
}

/* The value of the two digits at bytes `at` and `at` + 1 of a word. */
static inline int32_t
pair_at(uint64_t values, int at)
{
	return (int32_t)((values * 10 + (values >> 8)) >> at * 8 & 0xFF);
}

/* 2023-11-14T22:13:20.049Z, the form that timestamp_print writes, in three words.  False if the
 * text is another one or a field is out of range; the general way finds out what is wrong. */
static bool
parse_canonical(const char *text, int64_t *out)
{
	/* Of a digit its value is left, of a separator 0 if it is the right one. */
	uint64_t date = digits_load(text) ^ digits_load("0000-00-");
	uint64_t hour = digits_load(text + 8) ^ digits_load("00T00:00");
	uint64_t second = digits_load(text + 16) ^ digits_load(":00.000Z");
	uint64_t separators = (date & UINT64_C(0xFF0000FF00000000)) |
	                      (hour & UINT64_C(0x0000FF0000FF0000)) |
	                      (second & UINT64_C(0xFF000000FF0000FF));
	CivilTime civil;

	if (separators != 0 || !digits_all(date) || !digits_all(hour) || !digits_all(second))
		return false;
	civil.date.year = pair_at(date, 0) * 100 + pair_at(date, 2);
	civil.date.month = pair_at(date, 5);
	civil.date.day = pair_at(hour, 0);
	civil.hour = pair_at(hour, 3);
	civil.minute = pair_at(hour, 6);
	civil.second = pair_at(second, 1);
	civil.micros = (pair_at(second, 4) * 10 + (int32_t)(second >> 48 & 0xFF)) * 1000;
	return timestamp_make(&civil, out) == TEMPORAL_OK;
}

TemporalResult
timestamp_parse(const char *text, size_t len, int64_t *out)
{
	if (len == CANONICAL_LENGTH && parse_canonical(text, out))
		return TEMPORAL_OK;
	Cursor c = {text, text + len};
	int32_t days;
	int64_t time = 0;
	int64_t offset = 0;
	TemporalResult lost = TEMPORAL_OK;
	TemporalResult result = take_date(&c, &days);

	if (result != TEMPORAL_OK)
		return result;
	if (c.p < c.end) {
		if (!take_char(&c, 'T') && !take_char(&c, ' ') && !take_char(&c, 't'))
			return TEMPORAL_SYNTAX;
		lost = take_time(&c, &time);
		if (lost != TEMPORAL_OK && lost != TEMPORAL_LOST_DIGITS)
			return lost;
		result = take_zone(&c, &offset);
		if (result != TEMPORAL_OK)
			return result;
	}
	if (c.p != c.end)
		return TEMPORAL_SYNTAX;
	int64_t micros = timestamp_from_date(days) + time - offset;
	if (!timestamp_in_range(micros))
		return TEMPORAL_RANGE;
	if (lost == TEMPORAL_OK)
		*out = micros;
	return lost;
}

TemporalResult
timestamp_parse_millis(const char *text, size_t len, int64_t *out)
{
	int64_t millis;

	if (len == MILLIS_DIGITS) {
		/* 5 + 8 digits; the first word's other three are shifted out. */
		uint64_t high = (digits_load(text) ^ DIGITS_ASCII_ZEROS) << 24;
		uint64_t low = digits_load(text + MILLIS_DIGITS - 8) ^ DIGITS_ASCII_ZEROS;

		if (digits_all(high) && digits_all(low)) {
			*out = (int64_t)(digits_join(high) * 100000000 + digits_join(low)) *
			       MICROS_PER_MILLI;
			return TEMPORAL_OK;
		}
	}
	switch (int64_parse(text, len, &millis)) {
	case NUMBER_OK:
		return timestamp_from_millis(millis, out);
	case NUMBER_OVERFLOW:
		return TEMPORAL_RANGE;
	case NUMBER_SYNTAX:
		break;
	}
	return TEMPORAL_SYNTAX;
}

/* ---- out ---- */

char *
date_print(char *out, int32_t days)
{
	CivilDate civil = date_to_civil(days);

	out = digits_put2(out, (unsigned)civil.year / 100);
	out = digits_put2(out, (unsigned)civil.year % 100);
	*out++ = '-';
	out = digits_put2(out, (unsigned)civil.month);
	*out++ = '-';
	return digits_put2(out, (unsigned)civil.day);
}

/* `micros` of a second: three digits if that is enough, else six. */
static inline char *
print_fraction(char *out, unsigned micros)
{
	unsigned millis = micros / 1000;
	unsigned rest = micros % 1000;

	*out++ = '.';
	*out++ = (char)('0' + millis / 100);
	out = digits_put2(out, millis % 100);
	if (rest == 0)
		return out;
	*out++ = (char)('0' + rest / 100);
	return digits_put2(out, rest % 100);
}

static inline char *
print_time(char *out, int64_t micros, bool always_fraction)
{
	unsigned seconds = (unsigned)((uint64_t)micros / (uint64_t)MICROS_PER_SECOND);
	unsigned fraction = (unsigned)(micros - seconds * MICROS_PER_SECOND);

	out = digits_put2(out, seconds / 3600);
	*out++ = ':';
	out = digits_put2(out, seconds / 60 % 60);
	*out++ = ':';
	out = digits_put2(out, seconds % 60);
	return always_fraction || fraction != 0 ? print_fraction(out, fraction) : out;
}

char *
time_print(char *out, int64_t micros)
{
	return print_time(out, micros, false);
}

char *
timestamp_print(char *out, int64_t micros)
{
	/* In range, so it can be counted from the first day without a sign. */
	uint64_t since_first = (uint64_t)(micros - TIMESTAMP_MIN);
	uint64_t day = since_first / (uint64_t)MICROS_PER_DAY;

	out = date_print(out, DATE_MIN + (int32_t)day);
	*out++ = 'T';
	out = print_time(out, (int64_t)(since_first - day * (uint64_t)MICROS_PER_DAY), true);
	*out++ = 'Z';
	return out;
}
