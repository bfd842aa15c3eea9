/* type/temporal_pattern.c -- strftime patterns, for writing and for reading.
 *
 * Three kinds of specifiers: numbers, which are rows of one table that both directions use;
 * abbreviations of other patterns (%F is %Y-%m-%d); and texts, each with its own few lines. */
#include "type/temporal.h"

#include "type/digits.h"
#include "type/number.h"

#define UNSET INT32_MIN
#define YEAR_WIDTH 4  /* of %Y and %G, and of nothing else */
#define PIVOT_YEAR 69 /* %y: 69..99 are 19xx, 00..68 are 20xx, as in POSIX */
#define SECONDS_PER_MINUTE 60
#define SECONDS_PER_HOUR 3600

static const Str month_names[12] = {
	STR_INIT("January"), STR_INIT("February"), STR_INIT("March"), STR_INIT("April"),
	STR_INIT("May"), STR_INIT("June"), STR_INIT("July"), STR_INIT("August"),
	STR_INIT("September"), STR_INIT("October"), STR_INIT("November"), STR_INIT("December"),
};

static const Str day_names[7] = { /* from Sunday */
	STR_INIT("Sunday"), STR_INIT("Monday"), STR_INIT("Tuesday"), STR_INIT("Wednesday"),
	STR_INIT("Thursday"), STR_INIT("Friday"), STR_INIT("Saturday"),
};

#define SHORT_NAME_LENGTH 3

typedef enum Field {
	FIELD_YEAR, FIELD_MONTH, FIELD_DAY, FIELD_HOUR, FIELD_HOUR12, FIELD_MINUTE, FIELD_SECOND,
	FIELD_MICROS, FIELD_MILLIS, FIELD_YEAR2, FIELD_CENTURY, FIELD_DAY_OF_YEAR,
	FIELD_ISO_WEEKDAY, FIELD_WEEKDAY, FIELD_ISO_YEAR, FIELD_ISO_WEEK,
	FIELD_COUNT
} Field;

/* A specifier that is a number. */
typedef struct NumberField {
	char letter;
	uint8_t width;
	char pad;
	int32_t low;
	int32_t high;
} NumberField;

static const NumberField number_fields[FIELD_COUNT] = {
	[FIELD_YEAR] = {'Y', 4, '0', 1, 9999},
	[FIELD_MONTH] = {'m', 2, '0', 1, 12},
	[FIELD_DAY] = {'d', 2, '0', 1, 31},
	[FIELD_HOUR] = {'H', 2, '0', 0, 23},
	[FIELD_HOUR12] = {'I', 2, '0', 1, 12},
	[FIELD_MINUTE] = {'M', 2, '0', 0, 59},
	[FIELD_SECOND] = {'S', 2, '0', 0, 59},
	[FIELD_MICROS] = {'f', 6, '0', 0, 999999},
	[FIELD_MILLIS] = {'L', 3, '0', 0, 999},
	[FIELD_YEAR2] = {'y', 2, '0', 0, 99},
	[FIELD_CENTURY] = {'C', 2, '0', 0, 99},
	[FIELD_DAY_OF_YEAR] = {'j', 3, '0', 1, 366},
	[FIELD_ISO_WEEKDAY] = {'u', 1, '0', 1, 7},
	[FIELD_WEEKDAY] = {'w', 1, '0', 0, 6},
	[FIELD_ISO_YEAR] = {'G', 4, '0', 1, 9999},
	[FIELD_ISO_WEEK] = {'V', 2, '0', 1, 53},
};
/* Days are also written with a blank instead of the zero. */
static const NumberField blank_day = {'e', 2, ' ', 1, 31};

static const char text_letters[] = "aAbBhpZzsnt%";

/* The pattern that a letter abbreviates, or NULL. */
static const char *
expansion(char letter)
{
	switch (letter) {
	case 'T': return "%H:%M:%S";
	case 'D': return "%m/%d/%y";
	case 'F': return "%Y-%m-%d";
	case 'R': return "%H:%M";
	default:  return NULL;
	}
}

static const NumberField *
number_field_find(char letter, Field *field)
{
	if (letter == blank_day.letter) {
		*field = FIELD_DAY;
		return &blank_day;
	}
	for (int i = 0; i < FIELD_COUNT; i++)
		if (number_fields[i].letter == letter) {
			*field = (Field)i;
			return &number_fields[i];
		}
	return NULL;
}

TemporalResult
temporal_pattern_check(const char *pattern, size_t pattern_len, size_t *bad)
{
	Field field;

	for (size_t i = 0; i < pattern_len; i++) {
		if (pattern[i] != '%')
			continue;
		char letter = i + 1 < pattern_len ? pattern[i + 1] : '\0';
		if (letter == '\0' ||
		    (expansion(letter) == NULL && strchr(text_letters, letter) == NULL &&
		     number_field_find(letter, &field) == NULL)) {
			*bad = i;
			return TEMPORAL_PATTERN;
		}
		i++;
	}
	return TEMPORAL_OK;
}

/* ---- writing ---- */

typedef struct Writer {
	char *next;
	char *end;
	bool full;          /* something did not fit */
	int64_t micros;     /* the instant */
	int64_t local;      /* the same, shifted into the zone */
	CivilTime civil;    /* of `local` */
	int32_t offset;     /* seconds */
	Str zone;
} Writer;

static void
write_bytes(Writer *w, const char *data, size_t len)
{
	if ((size_t)(w->end - w->next) < len) {
		w->full = true;
		return;
	}
	if (len > 0)
		memcpy(w->next, data, len);
	w->next += len;
}

static int32_t
field_value(const Writer *w, Field field)
{
	int64_t value = 0;

	switch (field) {
	case FIELD_YEAR:    return w->civil.date.year;
	case FIELD_MONTH:   return w->civil.date.month;
	case FIELD_DAY:     return w->civil.date.day;
	case FIELD_HOUR:    return w->civil.hour;
	case FIELD_HOUR12:  return (w->civil.hour + 11) % 12 + 1;
	case FIELD_MINUTE:  return w->civil.minute;
	case FIELD_SECOND:  return w->civil.second;
	case FIELD_MICROS:  return w->civil.micros;
	case FIELD_MILLIS:  return w->civil.micros / 1000;
	case FIELD_YEAR2:   return w->civil.date.year % 100;
	case FIELD_CENTURY: return w->civil.date.year / 100;
	case FIELD_DAY_OF_YEAR: timestamp_extract(w->local, UNIT_DOY, &value); break;
	case FIELD_ISO_WEEKDAY: timestamp_extract(w->local, UNIT_ISODOW, &value); break;
	case FIELD_WEEKDAY:     timestamp_extract(w->local, UNIT_DOW, &value); break;
	case FIELD_ISO_YEAR:    timestamp_extract(w->local, UNIT_ISOYEAR, &value); break;
	case FIELD_ISO_WEEK:    timestamp_extract(w->local, UNIT_WEEK, &value); break;
	case FIELD_COUNT:       break;
	}
	return (int32_t)value;
}

static void
write_number(Writer *w, const NumberField *info, Field field)
{
	char text[8];

	digits_print(text, (uint64_t)field_value(w, field), info->width);
	if (text[0] == '0' && info->pad == ' ')
		text[0] = ' ';
	write_bytes(w, text, info->width);
}

/* +hhmm */
static void
write_offset(Writer *w)
{
	char text[5];
	unsigned minutes = (unsigned)(w->offset < 0 ? -w->offset : w->offset) / SECONDS_PER_MINUTE;

	text[0] = w->offset < 0 ? '-' : '+';
	digits_put2(digits_put2(text + 1, minutes / 60), minutes % 60);
	write_bytes(w, text, sizeof text);
}

static void
write_text(Writer *w, char letter)
{
	char text[INT64_TEXT_MAX];
	Str month = month_names[w->civil.date.month - 1];
	Str day = day_names[field_value(w, FIELD_WEEKDAY)];

	switch (letter) {
	case 'a': write_bytes(w, day.data, SHORT_NAME_LENGTH); break;
	case 'A': write_bytes(w, day.data, day.len); break;
	case 'b':
	case 'h': write_bytes(w, month.data, SHORT_NAME_LENGTH); break;
	case 'B': write_bytes(w, month.data, month.len); break;
	case 'p': write_bytes(w, w->civil.hour < 12 ? "AM" : "PM", 2); break;
	case 'Z': write_bytes(w, w->zone.data, w->zone.len); break;
	case 'z': write_offset(w); break;
	case 's':
		write_bytes(w, text,
		            (size_t)(int64_print(text, timestamp_to_seconds(w->micros)) - text));
		break;
	case 'n': write_bytes(w, "\n", 1); break;
	case 't': write_bytes(w, "\t", 1); break;
	default:  write_bytes(w, "%", 1); break;
	}
}

/* The pattern has been checked. */
static void
write_pattern(Writer *w, const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		Field field;

		if (pattern[i] != '%') {
			write_bytes(w, pattern + i, 1);
			continue;
		}
		char letter = pattern[++i];
		const char *longer = expansion(letter);
		const NumberField *number = number_field_find(letter, &field);
		if (longer != NULL)
			write_pattern(w, longer, strlen(longer)); /* one level deep */
		else if (number != NULL)
			write_number(w, number, field);
		else
			write_text(w, letter);
	}
}

TemporalResult
timestamp_format(int64_t micros, int32_t offset_seconds, Str zone, const char *pattern,
                 size_t pattern_len, char *out, size_t capacity, size_t *len)
{
	Writer w = {
		.next = out,
		.end = out + capacity,
		.micros = micros,
		.local = micros + offset_seconds * MICROS_PER_SECOND,
		.offset = offset_seconds,
		.zone = zone,
	};
	size_t bad;

	if (temporal_pattern_check(pattern, pattern_len, &bad) != TEMPORAL_OK)
		return TEMPORAL_PATTERN;
	if (!timestamp_in_range(w.local))
		return TEMPORAL_RANGE;
	w.civil = timestamp_to_civil(w.local);
	write_pattern(&w, pattern, pattern_len);
	if (w.full)
		return TEMPORAL_SPACE;
	*len = (size_t)(w.next - out);
	return TEMPORAL_OK;
}

/* ---- reading ---- */

typedef struct Scanner {
	const char *p;
	const char *end;
	int32_t field[FIELD_COUNT]; /* UNSET, or what was read */
	int32_t afternoon;          /* UNSET, 0 for AM, 1 for PM */
	int32_t offset;             /* seconds east of UTC */
	bool has_epoch;
	int64_t epoch;              /* seconds, from %s */
} Scanner;

static inline bool
is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void
scan_blanks(Scanner *s)
{
	while (s->p < s->end && is_blank(*s->p))
		s->p++;
}

static TemporalResult
scan_number(Scanner *s, const NumberField *info, Field field)
{
	int32_t value = 0;
	int count = 0;

	if (info->pad == ' ')
		scan_blanks(s);
	for (; count < info->width && s->p < s->end && digit_is(*s->p); count++)
		value = value * 10 + (*s->p++ - '0');
	/* A year is never abbreviated: 23 is not the year 23. */
	if (count == 0 || (info->width == YEAR_WIDTH && count < YEAR_WIDTH))
		return TEMPORAL_SYNTAX;
	/* Fractions are digits after a point: 5 is half a second. */
	if (field == FIELD_MICROS || field == FIELD_MILLIS)
		for (; count < info->width; count++)
			value *= 10;
	if (value < info->low || value > info->high)
		return TEMPORAL_RANGE;
	s->field[field] = value;
	return TEMPORAL_OK;
}

/* A full name or its first three letters, case ignored; returns its index or -1. */
static int
scan_name(Scanner *s, const Str *names, int count)
{
	uint32_t left = (uint32_t)(s->end - s->p);

	for (int i = 0; i < count; i++) {
		Str full = {s->p, names[i].len};
		Str head = {s->p, SHORT_NAME_LENGTH};

		if (left >= full.len && str_eq_nocase(full, names[i])) {
			s->p += full.len;
			return i;
		}
		if (left >= head.len &&
		    str_eq_nocase(head, (Str){names[i].data, SHORT_NAME_LENGTH})) {
			s->p += head.len;
			return i;
		}
	}
	return -1;
}

/* Z, +hhmm or +hh:mm. */
static TemporalResult
scan_offset(Scanner *s)
{
	int32_t number[4];
	int count = 0;

	if (s->p < s->end && (*s->p | 0x20) == 'z') {
		s->p++;
		return TEMPORAL_OK;
	}
	if (s->p == s->end || (*s->p != '+' && *s->p != '-'))
		return TEMPORAL_SYNTAX;
	bool negative = *s->p++ == '-';
	for (; count < 4 && s->p < s->end; s->p++) {
		if (*s->p == ':' && count == 2)
			continue;
		if (!digit_is(*s->p))
			break;
		number[count++] = *s->p - '0';
	}
	if (count < 4)
		return TEMPORAL_SYNTAX;
	int32_t hours = number[0] * 10 + number[1];
	int32_t minutes = number[2] * 10 + number[3];
	if (hours > 23 || minutes > 59)
		return TEMPORAL_RANGE;
	s->offset = hours * SECONDS_PER_HOUR + minutes * SECONDS_PER_MINUTE;
	if (negative)
		s->offset = -s->offset;
	return TEMPORAL_OK;
}

/* Of abbreviations only those of UTC are read: most others mean several zones. */
static TemporalResult
scan_zone(Scanner *s)
{
	static const Str names[] = {STR_INIT("UTC"), STR_INIT("GMT"), STR_INIT("Z")};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if ((size_t)(s->end - s->p) >= names[i].len &&
		    str_eq_nocase((Str){s->p, names[i].len}, names[i])) {
			s->p += names[i].len;
			return TEMPORAL_OK;
		}
	return TEMPORAL_SYNTAX;
}

static TemporalResult
scan_epoch(Scanner *s)
{
	const char *start = s->p;

	if (s->p < s->end && *s->p == '-')
		s->p++;
	while (s->p < s->end && digit_is(*s->p))
		s->p++;
	s->has_epoch = true;
	switch (int64_parse(start, (size_t)(s->p - start), &s->epoch)) {
	case NUMBER_OK:
		return TEMPORAL_OK;
	case NUMBER_OVERFLOW:
		return TEMPORAL_RANGE;
	case NUMBER_SYNTAX:
		break;
	}
	return TEMPORAL_SYNTAX;
}

static TemporalResult
scan_text(Scanner *s, char letter)
{
	static const Str halves[] = {STR_INIT("AM"), STR_INIT("PM")};
	int name;

	switch (letter) {
	case 'a':
	case 'A':
		return scan_name(s, day_names, 7) >= 0 ? TEMPORAL_OK : TEMPORAL_SYNTAX;
	case 'b':
	case 'B':
	case 'h':
		name = scan_name(s, month_names, 12);
		s->field[FIELD_MONTH] = name + 1;
		return name >= 0 ? TEMPORAL_OK : TEMPORAL_SYNTAX;
	case 'p':
		for (name = 0; name < 2; name++)
			if (s->end - s->p >= 2 &&
			    str_eq_nocase((Str){s->p, 2}, halves[name])) {
				s->p += 2;
				s->afternoon = name;
				return TEMPORAL_OK;
			}
		return TEMPORAL_SYNTAX;
	case 'z':
		return scan_offset(s);
	case 'Z':
		return scan_zone(s);
	case 's':
		return scan_epoch(s);
	case 'n':
	case 't':
		scan_blanks(s);
		return TEMPORAL_OK;
	default:
		if (s->p == s->end || *s->p != '%')
			return TEMPORAL_SYNTAX;
		s->p++;
		return TEMPORAL_OK;
	}
}

static TemporalResult
scan_pattern(Scanner *s, const char *pattern, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		TemporalResult result = TEMPORAL_OK;
		Field field;

		if (is_blank(pattern[i])) {
			scan_blanks(s);
			continue;
		}
		if (pattern[i] != '%') {
			if (s->p == s->end || *s->p != pattern[i])
				return TEMPORAL_SYNTAX;
			s->p++;
			continue;
		}
		char letter = pattern[++i];
		const char *longer = expansion(letter);
		const NumberField *number = number_field_find(letter, &field);
		if (longer != NULL)
			result = scan_pattern(s, longer, strlen(longer));
		else if (number != NULL)
			result = scan_number(s, number, field);
		else
			result = scan_text(s, letter);
		if (result != TEMPORAL_OK)
			return result;
	}
	return TEMPORAL_OK;
}

static inline int32_t
value_or(int32_t value, int32_t other)
{
	return value != UNSET ? value : other;
}

static TemporalResult
resolve_iso_week(const Scanner *s, int32_t *days)
{
	const int32_t *f = s->field;
	int32_t weekday = f[FIELD_WEEKDAY] == 0 ? 7 : value_or(f[FIELD_WEEKDAY], 1);
	int64_t of_fourth = 0;
	int64_t iso_year = 0;
	int32_t fourth = 0; /* 4 January is always in week 1 */

	date_make(f[FIELD_ISO_YEAR], 1, 4, &fourth);
	timestamp_extract(timestamp_from_date(fourth), UNIT_ISODOW, &of_fourth);
	weekday = value_or(f[FIELD_ISO_WEEKDAY], weekday);
	int64_t day = fourth - of_fourth + (value_or(f[FIELD_ISO_WEEK], 1) - 1) * 7 + weekday;
	TemporalResult result = date_add_days(0, day, days);
	if (result != TEMPORAL_OK)
		return result;
	/* Not every year has a week 53. */
	timestamp_extract(timestamp_from_date(*days), UNIT_ISOYEAR, &iso_year);
	return iso_year == f[FIELD_ISO_YEAR] ? TEMPORAL_OK : TEMPORAL_RANGE;
}

/* The day from the fields there are: year and day of year, ISO week date, or year, month, day. */
static TemporalResult
resolve_date(const Scanner *s, int32_t *days)
{
	const int32_t *f = s->field;
	int32_t year = f[FIELD_YEAR];

	if (year == UNSET && f[FIELD_CENTURY] != UNSET)
		year = f[FIELD_CENTURY] * 100 + value_or(f[FIELD_YEAR2], 0);
	if (year == UNSET && f[FIELD_YEAR2] != UNSET)
		year = f[FIELD_YEAR2] + (f[FIELD_YEAR2] < PIVOT_YEAR ? 2000 : 1900);
	if (year == UNSET && f[FIELD_ISO_YEAR] != UNSET)
		return resolve_iso_week(s, days);
	year = value_or(year, 1970);
	if (f[FIELD_DAY_OF_YEAR] != UNSET) {
		if (f[FIELD_DAY_OF_YEAR] > 365 + date_is_leap_year(year))
			return TEMPORAL_RANGE;
		if (date_make(year, 1, 1, days) != TEMPORAL_OK)
			return TEMPORAL_RANGE;
		*days += f[FIELD_DAY_OF_YEAR] - 1;
		return TEMPORAL_OK;
	}
	return date_make(year, value_or(f[FIELD_MONTH], 1), value_or(f[FIELD_DAY], 1), days);
}

TemporalResult
timestamp_scan(const char *text, size_t len, const char *pattern, size_t pattern_len, int64_t *out)
{
	Scanner s = {.p = text, .end = text + len, .afternoon = UNSET};
	size_t bad;
	int32_t days;

	if (temporal_pattern_check(pattern, pattern_len, &bad) != TEMPORAL_OK)
		return TEMPORAL_PATTERN;
	for (int i = 0; i < FIELD_COUNT; i++)
		s.field[i] = UNSET;
	TemporalResult result = scan_pattern(&s, pattern, pattern_len);
	if (result == TEMPORAL_OK && s.p != s.end)
		result = TEMPORAL_SYNTAX;
	if (result == TEMPORAL_OK && !s.has_epoch)
		result = resolve_date(&s, &days);
	if (result != TEMPORAL_OK)
		return result;

	int64_t micros = value_or(s.field[FIELD_MICROS],
	                          value_or(s.field[FIELD_MILLIS], 0) * 1000);
	if (s.has_epoch) {
		result = timestamp_from_seconds(s.epoch, &s.epoch);
		if (result != TEMPORAL_OK)
			return result;
		micros += s.epoch;
	} else {
		int32_t hour = value_or(s.field[FIELD_HOUR], 0);
		int32_t minute = value_or(s.field[FIELD_MINUTE], 0);

		if (s.field[FIELD_HOUR12] != UNSET)
			hour = s.field[FIELD_HOUR12] % 12 + (s.afternoon == 1 ? 12 : 0);
		micros += timestamp_from_date(days) + hour * MICROS_PER_HOUR +
		          minute * MICROS_PER_MINUTE +
		          (value_or(s.field[FIELD_SECOND], 0) - s.offset) * MICROS_PER_SECOND;
	}
	if (!timestamp_in_range(micros))
		return TEMPORAL_RANGE;
	*out = micros;
	return TEMPORAL_OK;
}
