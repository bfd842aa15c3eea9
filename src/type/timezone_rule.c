/* type/timezone_rule.c -- parse a POSIX TZ string and apply it to an instant. */
#include "type/timezone_rule.h"

#include "type/digits.h"
#include "type/temporal.h"

#define SECONDS_PER_DAY 86400
#define SECONDS_PER_HOUR 3600
#define OFFSET_HOURS_MAX 24
#define TIME_HOURS_MAX 167 /* RFC 8536 allows a week to both sides */
#define DEFAULT_TIME (2 * SECONDS_PER_HOUR)
#define NAME_MIN 3
#define LAST_WEEK 5

typedef struct Cursor {
	const char *p;
	const char *end;
} Cursor;

static bool
take_char(Cursor *c, char wanted)
{
	if (c->p == c->end || *c->p != wanted)
		return false;
	c->p++;
	return true;
}

static bool
take_number(Cursor *c, int32_t low, int32_t high, int32_t *out)
{
	const char *start = c->p;

	*out = 0;
	for (; c->p < c->end && digit_is(*c->p) && c->p - start < 4; c->p++)
		*out = *out * 10 + (*c->p - '0');
	return c->p > start && *out >= low && *out <= high;
}

/* Letters, or anything between < and >. */
static bool
take_name(Cursor *c, Str *name)
{
	bool quoted = take_char(c, '<');
	const char *start = c->p;

	while (c->p < c->end &&
	       (quoted ? *c->p != '>' : (unsigned char)((*c->p | 0x20) - 'a') < 26))
		c->p++;
	*name = (Str){start, (uint32_t)(c->p - start)};
	return name->len >= NAME_MIN && (!quoted || take_char(c, '>'));
}

/* [sign] hh[:mm[:ss]] */
static bool
take_time(Cursor *c, int32_t hours_max, int32_t *seconds)
{
	bool negative = take_char(c, '-');
	int32_t hours;
	int32_t minutes = 0;
	int32_t rest = 0;

	if (!negative)
		take_char(c, '+');
	if (!take_number(c, 0, hours_max, &hours))
		return false;
	if (take_char(c, ':') && !take_number(c, 0, 59, &minutes))
		return false;
	if (take_char(c, ':') && !take_number(c, 0, 59, &rest))
		return false;
	*seconds = hours * SECONDS_PER_HOUR + minutes * 60 + rest;
	if (negative)
		*seconds = -*seconds;
	return true;
}

static bool
take_day(Cursor *c, RuleDay *day)
{
	day->time = DEFAULT_TIME;
	if (take_char(c, 'M')) {
		day->kind = RULE_DAY_WEEK;
		if (!take_number(c, 1, 12, &day->month) || !take_char(c, '.') ||
		    !take_number(c, 1, LAST_WEEK, &day->week) || !take_char(c, '.') ||
		    !take_number(c, 0, 6, &day->day))
			return false;
	} else if (take_char(c, 'J')) {
		day->kind = RULE_DAY_JULIAN;
		if (!take_number(c, 1, 365, &day->day))
			return false;
	} else {
		day->kind = RULE_DAY_ZERO;
		if (!take_number(c, 0, 365, &day->day))
			return false;
	}
	return !take_char(c, '/') || take_time(c, TIME_HOURS_MAX, &day->time);
}

bool
zone_rule_parse(Str text, ZoneRule *rule)
{
	Cursor c = {text.data, text.data + text.len};
	int32_t west;

	*rule = (ZoneRule){0};
	/* POSIX counts offsets to the west. */
	if (!take_name(&c, &rule->standard) || !take_time(&c, OFFSET_HOURS_MAX, &west))
		return false;
	rule->standard_offset = -west;
	if (c.p == c.end)
		return true;
	rule->has_daylight = true;
	rule->daylight_offset = rule->standard_offset + SECONDS_PER_HOUR;
	if (!take_name(&c, &rule->daylight))
		return false;
	if (c.p < c.end && *c.p != ',') {
		if (!take_time(&c, OFFSET_HOURS_MAX, &west))
			return false;
		rule->daylight_offset = -west;
	}
	return take_char(&c, ',') && take_day(&c, &rule->start) && take_char(&c, ',') &&
	       take_day(&c, &rule->end) && c.p == c.end;
}

/* The local midnight a rule's day starts with, in days. */
static int32_t
rule_day_in(const RuleDay *rule, int32_t year)
{
	int32_t first = date_from_civil((CivilDate){year, 1, 1});

	switch (rule->kind) {
	case RULE_DAY_JULIAN:
		/* Day 60 is 1 March in every year. */
		return first + rule->day - 1 + (rule->day >= 60 && date_is_leap_year(year));
	case RULE_DAY_ZERO:
		return first + rule->day;
	case RULE_DAY_WEEK:
		break;
	}
	first = date_from_civil((CivilDate){year, rule->month, 1});
	int32_t sunday_based = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int32_t day = (rule->day - sunday_based + 7) % 7 + (rule->week - 1) * 7;
	if (day >= date_days_in_month(year, rule->month))
		day -= 7; /* there is no fifth one */
	return first + day;
}

/* The year of an instant at an offset; the nearest year there is if it is outside the calendar. */
static int32_t
year_of(int64_t seconds, int32_t offset)
{
	const int64_t first = (int64_t)DATE_MIN * SECONDS_PER_DAY;
	const int64_t last = (int64_t)DATE_MAX * SECONDS_PER_DAY;

	if (seconds < first - offset)
		return 1;
	if (seconds > last - offset)
		return 9999;
	return timestamp_to_civil((seconds + offset) * MICROS_PER_SECOND).date.year;
}

int32_t
zone_rule_offset(const ZoneRule *rule, int64_t seconds, Str *abbreviation)
{
	bool daylight = false;

	if (rule->has_daylight) {
		int32_t year = year_of(seconds, rule->standard_offset);
		int64_t start = (int64_t)rule_day_in(&rule->start, year) * SECONDS_PER_DAY +
		                rule->start.time - rule->standard_offset;
		int64_t end = (int64_t)rule_day_in(&rule->end, year) * SECONDS_PER_DAY +
		              rule->end.time - rule->daylight_offset;

		/* In the south daylight saving time spans the turn of the year. */
		daylight = start < end ? seconds >= start && seconds < end
		                       : seconds >= start || seconds < end;
	}
	*abbreviation = daylight ? rule->daylight : rule->standard;
	return daylight ? rule->daylight_offset : rule->standard_offset;
}
