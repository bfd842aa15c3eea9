/* type/interval.c -- intervals: their texts and their arithmetic.
 *
 * All texts come down to a Quantity, a decimal number with a unit, which is added to the interval
 * exactly: what is finer than a microsecond, or half a month, is reported. */
#include "type/temporal.h"

#include "type/decimal.h"
#include "type/digits.h"
#include "type/number.h"

#define QUANTITY_DIGITS 18
#define MONTHS_PER_YEAR 12
#define DAYS_PER_MONTH 30 /* when intervals are compared, as the SQL standard says */

/* digits / 10^places units. */
typedef struct Quantity {
	bool negative;
	int64_t digits;
	int places;
} Quantity;

typedef struct Shorthand {
	const char *name;
	TemporalUnit unit;
} Shorthand;

static const Shorthand shorthands[] = {
	{"ns", UNIT_NANOSECOND}, {"us", UNIT_MICROSECOND}, {"ms", UNIT_MILLISECOND},
	{"s", UNIT_SECOND},      {"sec", UNIT_SECOND},     {"m", UNIT_MINUTE},
	{"min", UNIT_MINUTE},    {"h", UNIT_HOUR},         {"d", UNIT_DAY},
	{"w", UNIT_WEEK},
};

static const struct {
	int32_t months;
	int64_t micros;
} unit_length[UNIT_COUNT] = {
#define UNIT(name, months, micros, uses) {months, micros},
#include "type/temporal_unit_list.h"
};

/* ---- arithmetic ---- */

TemporalResult
interval_add(Interval a, Interval b, Interval *out)
{
	Interval sum;

	if (__builtin_add_overflow(a.months, b.months, &sum.months) ||
	    __builtin_add_overflow(a.days, b.days, &sum.days) ||
	    __builtin_add_overflow(a.micros, b.micros, &sum.micros))
		return TEMPORAL_RANGE;
	*out = sum;
	return TEMPORAL_OK;
}

TemporalResult
interval_multiply(Interval v, int64_t factor, Interval *out)
{
	Interval product;

	if (__builtin_mul_overflow(v.months, factor, &product.months) ||
	    __builtin_mul_overflow(v.days, factor, &product.days) ||
	    __builtin_mul_overflow(v.micros, factor, &product.micros))
		return TEMPORAL_RANGE;
	*out = product;
	return TEMPORAL_OK;
}

TemporalResult
interval_negate(Interval v, Interval *out)
{
	return interval_multiply(v, -1, out);
}

int
interval_compare(Interval a, Interval b)
{
	Int128 left = ((Int128)a.months * DAYS_PER_MONTH + a.days) * MICROS_PER_DAY + a.micros;
	Int128 right = ((Int128)b.months * DAYS_PER_MONTH + b.days) * MICROS_PER_DAY + b.micros;

	return left < right ? -1 : left > right;
}

TemporalResult
interval_to_micros(Interval v, int64_t *out)
{
	int64_t micros;

	if (v.months != 0 ||
	    __builtin_mul_overflow((int64_t)v.days, MICROS_PER_DAY, &micros) ||
	    __builtin_add_overflow(micros, v.micros, &micros))
		return TEMPORAL_RANGE;
	*out = micros;
	return TEMPORAL_OK;
}

/* *sum += quantity * unit.  Whole days and weeks stay days if `keep_days`. */
static TemporalResult
add_quantity(Interval *sum, Quantity q, TemporalUnit unit, bool keep_days)
{
	Int128 scale = decimal_power64[q.places];
	Int128 amount = q.negative ? -(Int128)q.digits : q.digits;
	Interval part = {0, 0, 0};

	if (unit_length[unit].months > 0) {
		amount *= unit_length[unit].months;
		if (amount % scale != 0)
			return TEMPORAL_LOST_DIGITS;
		amount /= scale;
		if (amount < INT32_MIN || amount > INT32_MAX)
			return TEMPORAL_RANGE;
		part.months = (int32_t)amount;
		return interval_add(*sum, part, sum);
	}
	if (unit == UNIT_NANOSECOND)
		scale *= 1000;
	else
		amount *= unit_length[unit].micros;
	if (amount % scale != 0)
		return TEMPORAL_LOST_DIGITS;
	amount /= scale;
	if (keep_days && (unit == UNIT_DAY || unit == UNIT_WEEK)) {
		Int128 days = amount / MICROS_PER_DAY;

		if (days < INT32_MIN || days > INT32_MAX)
			return TEMPORAL_RANGE;
		part.days = (int32_t)days;
		amount %= MICROS_PER_DAY;
	}
	if (amount < INT64_MIN || amount > INT64_MAX)
		return TEMPORAL_RANGE;
	part.micros = (int64_t)amount;
	return interval_add(*sum, part, sum);
}

TemporalResult
interval_from_unit(int64_t count, TemporalUnit unit, Interval *out)
{
	Interval sum = {0, 0, 0};
	uint64_t magnitude = count < 0 ? 0 - (uint64_t)count : (uint64_t)count;

	if (unit > UNIT_CENTURY)
		return TEMPORAL_UNIT;
	if (magnitude > INT64_MAX)
		return TEMPORAL_RANGE;
	TemporalResult result =
		add_quantity(&sum, (Quantity){count < 0, (int64_t)magnitude, 0}, unit, true);
	if (result == TEMPORAL_OK)
		*out = sum;
	return result;
}

TemporalResult
interval_extract(Interval v, TemporalUnit unit, int64_t *out)
{
	int64_t fraction = v.micros % MICROS_PER_SECOND;

	switch (unit) {
	case UNIT_NANOSECOND:  *out = fraction * 1000; break;
	case UNIT_MICROSECOND: *out = fraction; break;
	case UNIT_MILLISECOND: *out = fraction / 1000; break;
	case UNIT_SECOND:      *out = v.micros / MICROS_PER_SECOND % 60; break;
	case UNIT_MINUTE:      *out = v.micros / MICROS_PER_MINUTE % 60; break;
	case UNIT_HOUR:        *out = v.micros / MICROS_PER_HOUR; break;
	case UNIT_DAY:         *out = v.days; break;
	case UNIT_WEEK:        *out = v.days / 7; break;
	case UNIT_MONTH:       *out = v.months % MONTHS_PER_YEAR; break;
	case UNIT_QUARTER:     *out = v.months % MONTHS_PER_YEAR / 3; break;
	case UNIT_YEAR:        *out = v.months / MONTHS_PER_YEAR; break;
	case UNIT_DECADE:      *out = v.months / (10 * MONTHS_PER_YEAR); break;
	case UNIT_CENTURY:     *out = v.months / (100 * MONTHS_PER_YEAR); break;
	default:
		return TEMPORAL_UNIT;
	}
	return TEMPORAL_OK;
}

/* ---- reading ---- */

static inline void
skip_blanks(const char **p, const char *end)
{
	while (*p < end && (**p == ' ' || **p == '\t'))
		(*p)++;
}

/* digits [. digits].  TEMPORAL_RANGE if there are more than QUANTITY_DIGITS. */
static TemporalResult
take_quantity(const char **p, const char *end, Quantity *q)
{
	const char *start = *p;
	int count = 0;
	bool point = false;

	q->digits = 0;
	q->places = 0;
	for (; *p < end; (*p)++) {
		if (**p == '.' && !point && *p > start) {
			point = true;
			continue;
		}
		if (!digit_is(**p))
			break;
		if (++count > QUANTITY_DIGITS)
			return TEMPORAL_RANGE;
		q->digits = q->digits * 10 + (**p - '0');
		q->places += point;
	}
	return count == 0 || (*p)[-1] == '.' ? TEMPORAL_SYNTAX : TEMPORAL_OK;
}

/* The letters at *p as a unit or its shorthand. */
static TemporalResult
take_unit(const char **p, const char *end, TemporalUnit *unit)
{
	const char *start = *p;

	while (*p < end && ((unsigned char)((**p | 0x20) - 'a') < 26))
		(*p)++;
	Str word = {start, (uint32_t)(*p - start)};
	for (size_t i = 0; i < sizeof shorthands / sizeof shorthands[0]; i++)
		if (str_eq_nocase(word, str_from(shorthands[i].name))) {
			*unit = shorthands[i].unit;
			return TEMPORAL_OK;
		}
	if (word.len == 0)
		return TEMPORAL_SYNTAX;
	return temporal_unit_find(word, UNIT_INTERVAL, unit) ? TEMPORAL_OK : TEMPORAL_UNIT;
}

/* Quantities in a row, "1h30m" or "1 day 2 hours"; a bare number is seconds. */
static TemporalResult
parse_quantities(const char *p, const char *end, bool may_be_negative, bool keep_days,
                 Interval *sum)
{
	int count = 0;

	for (skip_blanks(&p, end); p < end; skip_blanks(&p, end), count++) {
		Quantity q = {.negative = may_be_negative && *p == '-'};
		TemporalUnit unit = UNIT_SECOND;

		if (may_be_negative && (*p == '-' || *p == '+'))
			p++;
		TemporalResult result = take_quantity(&p, end, &q);
		if (result != TEMPORAL_OK)
			return result;
		skip_blanks(&p, end);
		if (p < end || count > 0)
			result = take_unit(&p, end, &unit);
		if (result == TEMPORAL_OK)
			result = add_quantity(sum, q, unit, keep_days);
		if (result != TEMPORAL_OK)
			return result;
	}
	return count > 0 ? TEMPORAL_OK : TEMPORAL_SYNTAX;
}

TemporalResult
duration_parse(const char *text, size_t len, int64_t *micros)
{
	Interval sum = {0, 0, 0};
	TemporalResult result = parse_quantities(text, text + len, false, false, &sum);

	if (result != TEMPORAL_OK)
		return result;
	if (sum.months != 0)
		return TEMPORAL_UNIT; /* a month has no fixed length */
	*micros = sum.micros;
	return TEMPORAL_OK;
}

/* What follows the P of an ISO 8601 duration. */
static TemporalResult
parse_iso(const char *p, const char *end, bool negative, Interval *sum)
{
	static const char designators[] = "YMWDHMS";
	static const TemporalUnit designated[] = {UNIT_YEAR, UNIT_MONTH, UNIT_WEEK,  UNIT_DAY,
	                                          UNIT_HOUR, UNIT_MINUTE, UNIT_SECOND};
	size_t next = 0; /* designators come in this order, each at most once */
	bool time = false;
	bool after_t = false;
	int count = 0;

	for (; p < end; count++) {
		Quantity q = {.negative = negative};

		if ((*p | 0x20) == 't' && !time) {
			time = true;
			after_t = true;
			next = 4;
			p++;
			if (p == end)
				break;
		}
		if (*p == '-' || *p == '+') {
			q.negative = (*p == '-') != negative;
			p++;
		}
		TemporalResult result = take_quantity(&p, end, &q);
		if (result != TEMPORAL_OK)
			return result;
		if (p == end)
			return TEMPORAL_SYNTAX;
		size_t last = time ? 7 : 4;
		while (next < last && designators[next] != (char)(*p & ~0x20))
			next++;
		if (next == last || (q.places > 0 && designated[next] != UNIT_SECOND))
			return TEMPORAL_SYNTAX;
		result = add_quantity(sum, q, designated[next], true);
		if (result != TEMPORAL_OK)
			return result;
		next++;
		p++;
		after_t = false;
	}
	return count > 0 && !after_t ? TEMPORAL_OK : TEMPORAL_SYNTAX;
}

TemporalResult
interval_parse_text(const char *text, size_t len, Interval *out)
{
	const char *p = text;
	const char *end = text + len;
	Interval sum = {0, 0, 0};
	TemporalResult result;

	skip_blanks(&p, end);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	bool negative = p < end && *p == '-';
	const char *iso = p + (p < end && (*p == '-' || *p == '+'));
	if (iso < end && (*iso | 0x20) == 'p')
		result = parse_iso(iso + 1, end, negative, &sum);
	else
		result = parse_quantities(p, end, true, true, &sum);
	if (result == TEMPORAL_OK)
		*out = sum;
	return result;
}

/* ---- SQL literals ---- */

/* A field of a literal with several: its unit, what stands before it, its largest value unless it
 * is the first. */
typedef struct LiteralField {
	TemporalUnit unit;
	char separator;
	int64_t limit;
} LiteralField;

static const LiteralField literal_fields[] = {
	{UNIT_YEAR, 0, 0},    {UNIT_MONTH, '-', 11}, {UNIT_DAY, 0, 0},
	{UNIT_HOUR, ' ', 23}, {UNIT_MINUTE, ':', 59}, {UNIT_SECOND, ':', 59},
};
#define LITERAL_FIELDS (int)(sizeof literal_fields / sizeof literal_fields[0])
#define FIRST_DAY_FIELD 2

static int
literal_field_find(TemporalUnit unit)
{
	for (int i = 0; i < LITERAL_FIELDS; i++)
		if (literal_fields[i].unit == unit)
			return i;
	return -1;
}

TemporalResult
interval_parse(const char *text, size_t len, TemporalUnit from, TemporalUnit to, Interval *out)
{
	const char *p = text;
	const char *end = text + len;
	Interval sum = {0, 0, 0};
	int first = literal_field_find(from);
	int last = literal_field_find(to);

	if (from > UNIT_CENTURY || to > UNIT_CENTURY)
		return TEMPORAL_UNIT;
	if (from != to && (first < 0 || last <= first ||
	                   (first < FIRST_DAY_FIELD) != (last < FIRST_DAY_FIELD)))
		return TEMPORAL_UNIT;
	skip_blanks(&p, end);
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	bool negative = p < end && *p == '-';
	if (p < end && (*p == '-' || *p == '+'))
		p++;
	for (int i = first;; i++) {
		Quantity q = {.negative = negative};
		TemporalUnit unit = from == to ? from : literal_fields[i].unit;

		if (i > first) {
			if (p == end || *p != literal_fields[i].separator)
				return TEMPORAL_SYNTAX;
			p++;
		}
		TemporalResult result = take_quantity(&p, end, &q);
		q.negative = negative;
		if (result != TEMPORAL_OK)
			return result;
		if (q.places > 0 && unit != to)
			return TEMPORAL_SYNTAX;
		if (q.places > 0 && from != to && unit != UNIT_SECOND)
			return TEMPORAL_SYNTAX;
		if (i > first && q.digits / decimal_power64[q.places] > literal_fields[i].limit)
			return TEMPORAL_RANGE;
		result = add_quantity(&sum, q, unit, true);
		if (result != TEMPORAL_OK)
			return result;
		if (unit == to)
			break;
	}
	if (p != end)
		return TEMPORAL_SYNTAX;
	*out = sum;
	return TEMPORAL_OK;
}

/* ---- writing ---- */

static char *
print_part(char *out, int64_t value, char designator)
{
	if (value == 0)
		return out;
	out = int64_print(out, value);
	*out++ = designator;
	return out;
}

static char *
print_seconds(char *out, int64_t micros)
{
	uint64_t magnitude = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
	uint64_t fraction = magnitude % (uint64_t)MICROS_PER_SECOND;
	int places = 6;

	if (micros < 0)
		*out++ = '-';
	out = uint64_print(out, magnitude / (uint64_t)MICROS_PER_SECOND);
	if (fraction > 0) {
		while (fraction % 10 == 0) {
			fraction /= 10;
			places--;
		}
		*out++ = '.';
		out = digits_print(out, fraction, places);
	}
	*out++ = 'S';
	return out;
}

char *
interval_print(char *out, Interval v)
{
	bool nothing = v.months == 0 && v.days == 0 && v.micros == 0;

	*out++ = 'P';
	out = print_part(out, v.months / MONTHS_PER_YEAR, 'Y');
	out = print_part(out, v.months % MONTHS_PER_YEAR, 'M');
	out = print_part(out, v.days, 'D');
	if (v.micros == 0 && !nothing)
		return out;
	*out++ = 'T';
	out = print_part(out, v.micros / MICROS_PER_HOUR, 'H');
	out = print_part(out, v.micros / MICROS_PER_MINUTE % 60, 'M');
	if (nothing || v.micros % MICROS_PER_MINUTE != 0)
		out = print_seconds(out, v.micros % MICROS_PER_MINUTE);
	return out;
}
