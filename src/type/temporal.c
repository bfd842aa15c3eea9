/* type/temporal.c -- the calendar and arithmetic on instants.
 *
 * Days are counted in years that start on 1 March, so that the leap day is a year's last day and
 * the length of every month but the last is given by one linear formula (Hinnant's civil days). */
#include "type/temporal.h"

#include <assert.h>

#define DAYS_PER_ERA 146097       /* 400 years */
#define MARCH_TO_DECEMBER 306     /* days */
#define DAYS_TO_EPOCH 719468      /* 0000-03-01 to 1970-01-01 */
#define EPOCH_WEEKDAY 3           /* 1970-01-01 is a Thursday, counted from Monday = 0 */
#define MONTHS_PER_YEAR 12

typedef struct UnitInfo {
	const char *name;
	int32_t months;
	int64_t micros;
	unsigned uses;
} UnitInfo;

static const UnitInfo units[UNIT_COUNT] = {
#define UNIT(name, months, micros, uses) {#name, months, micros, uses},
#include "type/temporal_unit_list.h"
};

static inline int64_t
floor_divide(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool
temporal_unit_find(Str name, unsigned uses, TemporalUnit *unit)
{
	for (int i = 0; i < UNIT_COUNT; i++) {
		Str known = str_from(units[i].name);
		Str singular = name;

		if (name.len == known.len + 1 && (name.data[known.len] | 0x20) == 's')
			singular.len--;
		if ((units[i].uses & uses) == uses && str_eq_nocase(singular, known)) {
			*unit = (TemporalUnit)i;
			return true;
		}
	}
	/* CENTURIES is the one irregular plural. */
	if (str_eq_nocase(name, STR("CENTURIES")) && (units[UNIT_CENTURY].uses & uses) == uses) {
		*unit = UNIT_CENTURY;
		return true;
	}
	return false;
}

const char *
temporal_unit_name(TemporalUnit unit)
{
	assert(unit < UNIT_COUNT);
	return units[unit].name;
}

/* ---- calendar ---- */

bool
date_is_leap_year(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t
date_days_in_month(int32_t year, int32_t month)
{
	static const int8_t days[13] = {0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month] + (month == 2 && date_is_leap_year(year));
}

int32_t
date_from_civil(CivilDate civil)
{
	uint32_t year = (uint32_t)(civil.year - (civil.month <= 2));
	uint32_t month = (uint32_t)(civil.month + (civil.month > 2 ? -3 : 9));
	uint32_t era = year / 400;
	uint32_t year_of_era = year - era * 400;
	uint32_t day_of_year = (153 * month + 2) / 5 + (uint32_t)civil.day - 1;
	uint32_t day_of_era =
		year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return (int32_t)(era * DAYS_PER_ERA + day_of_era) - DAYS_TO_EPOCH;
}

/* By Neri and Schneider: divisions become multiplications with a shift.  Correct for all days from
 * DATE_MIN to DATE_MAX, of which the unit test tries each. */
CivilDate
date_to_civil(int32_t days)
{
	uint32_t quarter_days = 4 * (uint32_t)(days + DAYS_TO_EPOCH) + 3;
	uint32_t century = quarter_days / DAYS_PER_ERA;
	uint32_t in_century = quarter_days % DAYS_PER_ERA | 3;
	uint64_t scaled = UINT64_C(2939745) * in_century; /* 2^32 * 4 / 1461 */
	uint32_t year = century * 100 + (uint32_t)(scaled >> 32);
	uint32_t day_of_year = (uint32_t)scaled / 2939745 / 4;
	uint32_t month_day = 2141 * day_of_year + 197913; /* months of 30.61 days, from March */
	uint32_t month = month_day >> 16;
	uint32_t day = (month_day & 0xFFFF) / 2141 + 1;

	if (day_of_year >= MARCH_TO_DECEMBER) {
		year++;
		month -= 12;
	}
	return (CivilDate){(int32_t)year, (int32_t)month, (int32_t)day};
}

TemporalResult
date_make(int32_t year, int32_t month, int32_t day, int32_t *out)
{
	if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > date_days_in_month(year, month))
		return TEMPORAL_RANGE;
	*out = date_from_civil((CivilDate){year, month, day});
	return TEMPORAL_OK;
}

int32_t
timestamp_to_date(int64_t micros)
{
	return (int32_t)floor_divide(micros, MICROS_PER_DAY);
}

int64_t
timestamp_to_time(int64_t micros)
{
	return micros - floor_divide(micros, MICROS_PER_DAY) * MICROS_PER_DAY;
}

int64_t
timestamp_from_date(int32_t days)
{
	return days * MICROS_PER_DAY;
}

CivilTime
timestamp_to_civil(int64_t micros)
{
	int32_t days = timestamp_to_date(micros);
	int64_t time = micros - timestamp_from_date(days);
	int32_t seconds = (int32_t)(time / MICROS_PER_SECOND);

	return (CivilTime){
		.date = date_to_civil(days),
		.hour = seconds / 3600,
		.minute = seconds / 60 % 60,
		.second = seconds % 60,
		.micros = (int32_t)(time - seconds * MICROS_PER_SECOND),
	};
}

TemporalResult
timestamp_make(const CivilTime *civil, int64_t *out)
{
	int32_t days;

	if (civil->hour < 0 || civil->hour > 23 || civil->minute < 0 || civil->minute > 59 ||
	    civil->second < 0 || civil->second > 59 || civil->micros < 0 || civil->micros > 999999)
		return TEMPORAL_RANGE;
	TemporalResult result =
		date_make(civil->date.year, civil->date.month, civil->date.day, &days);
	if (result != TEMPORAL_OK)
		return result;
	*out = timestamp_from_date(days) + civil->hour * MICROS_PER_HOUR +
	       civil->minute * MICROS_PER_MINUTE + civil->second * MICROS_PER_SECOND +
	       civil->micros;
	return TEMPORAL_OK;
}

/* ---- epoch numbers ---- */

static TemporalResult
from_epoch(int64_t count, int64_t micros_per_unit, int64_t *out)
{
	int64_t micros;

	if (__builtin_mul_overflow(count, micros_per_unit, &micros) || !timestamp_in_range(micros))
		return TEMPORAL_RANGE;
	*out = micros;
	return TEMPORAL_OK;
}

TemporalResult
timestamp_from_seconds(int64_t seconds, int64_t *out)
{
	return from_epoch(seconds, MICROS_PER_SECOND, out);
}

TemporalResult
timestamp_from_millis(int64_t millis, int64_t *out)
{
	return from_epoch(millis, MICROS_PER_MILLI, out);
}

TemporalResult
timestamp_from_micros(int64_t micros, int64_t *out)
{
	return from_epoch(micros, 1, out);
}

TemporalResult
timestamp_from_nanos(int64_t nanos, int64_t *out)
{
	if (nanos % 1000 != 0)
		return TEMPORAL_LOST_DIGITS;
	return from_epoch(nanos / 1000, 1, out);
}

int64_t
timestamp_to_seconds(int64_t micros)
{
	return floor_divide(micros, MICROS_PER_SECOND);
}

int64_t
timestamp_to_millis(int64_t micros)
{
	return floor_divide(micros, MICROS_PER_MILLI);
}

TemporalResult
timestamp_to_nanos(int64_t micros, int64_t *out)
{
	int64_t nanos;

	if (__builtin_mul_overflow(micros, INT64_C(1000), &nanos))
		return TEMPORAL_RANGE;
	*out = nanos;
	return TEMPORAL_OK;
}

/* ---- arithmetic ---- */

TemporalResult
date_add_days(int32_t days, int64_t count, int32_t *out)
{
	int64_t sum;

	if (__builtin_add_overflow((int64_t)days, count, &sum) || sum < DATE_MIN || sum > DATE_MAX)
		return TEMPORAL_RANGE;
	*out = (int32_t)sum;
	return TEMPORAL_OK;
}

TemporalResult
date_add_months(int32_t days, int64_t months, int32_t *out)
{
	CivilDate civil = date_to_civil(days);
	int64_t index = civil.year * MONTHS_PER_YEAR + civil.month - 1;

	if (__builtin_add_overflow(index, months, &index) || index < MONTHS_PER_YEAR ||
	    index >= 10000 * MONTHS_PER_YEAR)
		return TEMPORAL_RANGE;
	civil.year = (int32_t)(index / MONTHS_PER_YEAR);
	civil.month = (int32_t)(index % MONTHS_PER_YEAR) + 1;
	int32_t last = date_days_in_month(civil.year, civil.month);
	if (civil.day > last)
		civil.day = last;
	*out = date_from_civil(civil);
	return TEMPORAL_OK;
}

TemporalResult
timestamp_add(int64_t micros, Interval interval, int64_t *out)
{
	int64_t sum = micros;

	if (interval.months != 0 || interval.days != 0) {
		int32_t days = timestamp_to_date(micros);
		int64_t time = micros - timestamp_from_date(days);

		if (interval.months != 0 &&
		    date_add_months(days, interval.months, &days) != TEMPORAL_OK)
			return TEMPORAL_RANGE;
		if (date_add_days(days, interval.days, &days) != TEMPORAL_OK)
			return TEMPORAL_RANGE;
		sum = timestamp_from_date(days) + time;
	}
	if (__builtin_add_overflow(sum, interval.micros, &sum) || !timestamp_in_range(sum))
		return TEMPORAL_RANGE;
	*out = sum;
	return TEMPORAL_OK;
}

TemporalResult
timestamp_sub(int64_t micros, Interval interval, int64_t *out)
{
	Interval negative;

	if (interval_negate(interval, &negative) != TEMPORAL_OK)
		return TEMPORAL_RANGE;
	return timestamp_add(micros, negative, out);
}

/* Days since a Monday. */
static int32_t
weekday(int32_t days)
{
	int32_t w = (days + EPOCH_WEEKDAY) % 7;

	return w < 0 ? w + 7 : w;
}

/* The first month of the unit that holds year and month, as a count of months from year 0. */
static int32_t
first_month(int32_t year, int32_t month, TemporalUnit unit)
{
	if (unit == UNIT_CENTURY)
		return ((year - 1) / 100 * 100 + 1) * MONTHS_PER_YEAR;
	int32_t index = year * MONTHS_PER_YEAR + month - 1;
	return index - index % units[unit].months;
}

TemporalResult
timestamp_truncate(int64_t micros, TemporalUnit unit, int64_t *out)
{
	int32_t days = timestamp_to_date(micros);

	if (unit >= UNIT_COUNT || (units[unit].uses & UNIT_TRUNCATE) == 0)
		return TEMPORAL_UNIT;
	if (unit == UNIT_WEEK) {
		*out = timestamp_from_date(days - weekday(days));
	} else if (units[unit].months == 0) {
		*out = floor_divide(micros, units[unit].micros) * units[unit].micros;
	} else {
		CivilDate civil = date_to_civil(days);
		int32_t index = first_month(civil.year, civil.month, unit);

		if (index < MONTHS_PER_YEAR)
			return TEMPORAL_RANGE; /* the first decade starts in a year 0 */
		*out = timestamp_from_date(date_from_civil((CivilDate){
			index / MONTHS_PER_YEAR, index % MONTHS_PER_YEAR + 1, 1}));
	}
	return TEMPORAL_OK;
}


TemporalResult
timestamp_diff(int64_t start, int64_t end, TemporalUnit unit, int64_t *out)
{
	if (unit >= UNIT_COUNT || (units[unit].uses & UNIT_DIFF) == 0)
		return TEMPORAL_UNIT;
	if (unit == UNIT_NANOSECOND)
		return timestamp_to_nanos(end - start, out);
	if (units[unit].months == 0) {
		*out = (end - start) / units[unit].micros;
		return TEMPORAL_OK;
	}
	CivilDate a = date_to_civil(timestamp_to_date(start));
	CivilDate b = date_to_civil(timestamp_to_date(end));
	int64_t a_rest = a.day * MICROS_PER_DAY + timestamp_to_time(start);
	int64_t b_rest = b.day * MICROS_PER_DAY + timestamp_to_time(end);
	int32_t months = (b.year - a.year) * MONTHS_PER_YEAR + b.month - a.month;

	/* A month that has begun but is not over does not count. */
	if (months > 0 && b_rest < a_rest)
		months--;
	if (months < 0 && b_rest > a_rest)
		months++;
	*out = months / units[unit].months;
	return TEMPORAL_OK;
}

/* The number of the unit that holds the instant, counted from anywhere. */
static int64_t
unit_index(int64_t micros, TemporalUnit unit)
{
	int32_t days = timestamp_to_date(micros);

	if (unit == UNIT_WEEK)
		return floor_divide((int64_t)days + EPOCH_WEEKDAY, 7);
	if (units[unit].months == 0)
		return floor_divide(micros, units[unit].micros);
	CivilDate civil = date_to_civil(days);
	if (unit == UNIT_CENTURY)
		return (civil.year - 1) / 100;
	return (civil.year * MONTHS_PER_YEAR + civil.month - 1) / units[unit].months;
}

TemporalResult
timestamp_boundaries(int64_t start, int64_t end, TemporalUnit unit, int64_t *out)
{
	if (unit >= UNIT_COUNT || (units[unit].uses & UNIT_DIFF) == 0)
		return TEMPORAL_UNIT;
	if (unit == UNIT_NANOSECOND)
		return timestamp_to_nanos(end - start, out);
	*out = unit_index(end, unit) - unit_index(start, unit);
	return TEMPORAL_OK;
}

static int32_t
day_of_year(int32_t days, int32_t year)
{
	return days - date_from_civil((CivilDate){year, 1, 1}) + 1;
}

TemporalResult
timestamp_extract(int64_t micros, TemporalUnit unit, int64_t *out)
{
	CivilTime t = timestamp_to_civil(micros);
	int32_t days = timestamp_to_date(micros);
	/* An ISO week belongs to the year of its Thursday. */
	int32_t thursday = days - weekday(days) + 3;

	switch (unit) {
	case UNIT_NANOSECOND:  *out = t.micros * INT64_C(1000); break;
	case UNIT_MICROSECOND: *out = t.micros; break;
	case UNIT_MILLISECOND: *out = t.micros / 1000; break;
	case UNIT_SECOND:      *out = t.second; break;
	case UNIT_MINUTE:      *out = t.minute; break;
	case UNIT_HOUR:        *out = t.hour; break;
	case UNIT_DAY:         *out = t.date.day; break;
	case UNIT_WEEK:
		*out = (day_of_year(thursday, date_to_civil(thursday).year) - 1) / 7 + 1;
		break;
	case UNIT_MONTH:       *out = t.date.month; break;
	case UNIT_QUARTER:     *out = (t.date.month + 2) / 3; break;
	case UNIT_YEAR:        *out = t.date.year; break;
	case UNIT_DECADE:      *out = t.date.year / 10; break;
	case UNIT_CENTURY:     *out = (t.date.year + 99) / 100; break;
	case UNIT_DOW:         *out = (weekday(days) + 1) % 7; break;
	case UNIT_ISODOW:      *out = weekday(days) + 1; break;
	case UNIT_DOY:         *out = day_of_year(days, t.date.year); break;
	case UNIT_ISOYEAR:     *out = date_to_civil(thursday).year; break;
	case UNIT_EPOCH:       *out = timestamp_to_seconds(micros); break;
	case UNIT_COUNT:
	default:
		return TEMPORAL_UNIT;
	}
	return TEMPORAL_OK;
}
