/* func/temporal_fn.c -- functions of dates, times, timestamps and intervals, and the clock.
 *
 * The calendar is that of type/temporal.h, in UTC.  A unit, pattern or zone that is constant is
 * looked up when the query is planned, so a misspelt one is an error with a position.
 *
 * The clock is read once per batch, whatever asks for it.  The environment variable FERRIS_NOW, a
 * timestamp, fixes it when the query is planned: for tests. */
#include <stdlib.h>
#include <time.h>

#include "func/text.h"
#include "type/timezone.h"

/* ---- the clock ---- */

typedef struct ClockPlan {
	bool fixed;
	int64_t micros;
} ClockPlan;

static int64_t
clock_now(const KernelCall *call)
{
	const ClockPlan *plan = call->state;
	struct timespec now;

	if (plan->fixed)
		return plan->micros;
	if (*call->now == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		*call->now = now.tv_sec * MICROS_PER_SECOND + now.tv_nsec / 1000;
	}
	return *call->now;
}

static Status
plan_clock(Arena *arena, const BoundExpr *call, Kernel kernel, KernelPlan *plan, Error *err)
{
	ClockPlan *state = ARENA_NEW(arena, ClockPlan);
	const char *text = getenv("FERRIS_NOW");

	if (text != NULL) {
		if (timestamp_parse(text, strlen(text), &state->micros) != TEMPORAL_OK)
			return error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->position,
					    "FERRIS_NOW is '%s', which is not a timestamp", text);
		state->fixed = true;
	}
	plan->kernel = kernel;
	plan->state = state;
	return FERRIS_OK;
}

static void
now_rows(KernelCall *call)
{
	int64_t now = clock_now(call);

	KERNEL_EACH_ROW(call, row)
	kernel_set_int(call, row, now);
}

static void
current_date_rows(KernelCall *call)
{
	int32_t today = timestamp_to_date(clock_now(call));

	KERNEL_EACH_ROW(call, row)
	kernel_set_int(call, row, today);
}

static void
current_time_rows(KernelCall *call)
{
	int64_t now = timestamp_to_time(clock_now(call));

	KERNEL_EACH_ROW(call, row)
	kernel_set_int(call, row, now);
}

static void
unix_now_rows(KernelCall *call)
{
	int64_t now = timestamp_to_seconds(clock_now(call));

	KERNEL_EACH_ROW(call, row)
	kernel_set_int(call, row, now);
}

Status
plan_now(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_clock(arena, call, now_rows, plan, err);
}

Status
plan_current_date(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_clock(arena, call, current_date_rows, plan, err);
}

Status
plan_current_time(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_clock(arena, call, current_time_rows, plan, err);
}

Status
plan_unix_now(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_clock(arena, call, unix_now_rows, plan, err);
}

/* ---- units ---- */

typedef struct UnitPlan {
	TemporalUnit unit;
	unsigned uses;
	bool per_row; /* the unit is in an argument that is not constant */
} UnitPlan;

/* "SECOND, MINUTE, ..." of the units with these uses. */
static Status
unknown_unit(Error *err, Position at, Str name, unsigned uses)
{
	char list[256] = "";
	size_t used = 0;

	for (int unit = 0; unit < UNIT_COUNT; unit++) {
		TemporalUnit found;
		const char *text = temporal_unit_name((TemporalUnit)unit);
		if (temporal_unit_find(str_from(text), uses, &found) &&
		    used + strlen(text) + 3 < sizeof list)
			used += (size_t)snprintf(list + used, sizeof list - used, "%s%s",
						 used > 0 ? ", " : "", text);
	}
	error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, at, "unknown unit '%.*s'",
		     (int)(name.len < 40 ? name.len : 40), name.data);
	return error_hint(err, "the units are %s", list);
}

static Status
plan_unit(Arena *arena, const BoundExpr *call, unsigned uses, Kernel kernel, KernelPlan *plan,
	  Error *err)
{
	UnitPlan *state = ARENA_NEW(arena, UnitPlan);
	const Value *name = kernel_constant(call, 0);

	*state = (UnitPlan){.uses = uses, .per_row = name == NULL};
	if (name != NULL && !temporal_unit_find(name->text, uses, &state->unit))
		return unknown_unit(err, call->args[0]->position, name->text, uses);
	plan->kernel = kernel;
	plan->state = state;
	return FERRIS_OK;
}

static bool
row_unit(KernelCall *call, uint32_t row, TemporalUnit *unit)
{
	const UnitPlan *plan = call->state;

	*unit = plan->unit;
	if (!plan->per_row)
		return true;
	Str name = kernel_text(call, 0, row);
	if (temporal_unit_find(name, plan->uses, unit))
		return true;
	kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "unknown unit '%.*s'",
		    (int)(name.len < 40 ? name.len : 40), name.data);
	return false;
}

/* Stores an INT64 result, or fails the row.  `v` is a pointer because it is filled while the
 * arguments are evaluated. */
static inline void
set_temporal(KernelCall *call, uint32_t row, TemporalResult result, const int64_t *v)
{
	char what[KERNEL_WHAT_MAX];

	if (__builtin_expect(result == TEMPORAL_OK, 1))
		kernel_set_int(call, row, *v);
	else
		kernel_fail_temporal(call, row, result, kernel_what(call, what));
}

/* ---- EXTRACT(unit, x), YEAR(x), MONTH(x), ... ---- */

static void
extract_timestamp_rows(KernelCall *call)
{
	uint32_t last = call->arg_count - 1; /* YEAR(x) has no unit argument */
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		if (row_unit(call, row, &unit))
			set_temporal(call, row,
				     timestamp_extract(kernel_int(call, last, row), unit, &v), &v);
	}
}

/* A time of day has the fields below a day. */
static void
extract_time_rows(KernelCall *call)
{
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		if (!row_unit(call, row, &unit))
			continue;
		TemporalResult result = TEMPORAL_UNIT;
		if (unit <= UNIT_HOUR)
			result = timestamp_extract(kernel_int(call, 1, row), unit, &v);
		set_temporal(call, row, result, &v);
	}
}

static void
extract_interval_rows(KernelCall *call)
{
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		if (row_unit(call, row, &unit))
			set_temporal(call, row,
				     interval_extract(kernel_interval(call, 1, row), unit, &v), &v);
	}
}

Status
plan_extract(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	switch (call->args[1]->type->kind) {
	case TYPE_TIME:
		return plan_unit(arena, call, UNIT_EXTRACT, extract_time_rows, plan, err);
	case TYPE_INTERVAL:
		return plan_unit(arena, call, UNIT_EXTRACT, extract_interval_rows, plan, err);
	default:
		return plan_unit(arena, call, UNIT_EXTRACT, extract_timestamp_rows, plan, err);
	}
}

/* The function's own name is the unit. */
Status
plan_part(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	UnitPlan *state = ARENA_NEW(arena, UnitPlan);
	Str unit = function_name(call->function);

	state->uses = UNIT_EXTRACT;
	if (!temporal_unit_find(unit, UNIT_EXTRACT, &state->unit))
		return unknown_unit(err, call->position, unit, UNIT_EXTRACT);
	plan->kernel = extract_timestamp_rows;
	plan->state = state;
	return FERRIS_OK;
}

/* ---- DATE_TRUNC(unit, ts), DATEDIFF(unit, a, b), DATE_ADD(unit, n, ts) ---- */

static void
date_trunc_rows(KernelCall *call)
{
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		if (row_unit(call, row, &unit))
			set_temporal(call, row,
				     timestamp_truncate(kernel_int(call, 1, row), unit, &v), &v);
	}
}

Status
plan_date_trunc(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_unit(arena, call, UNIT_TRUNCATE, date_trunc_rows, plan, err);
}

static void
datediff_rows(KernelCall *call)
{
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		if (row_unit(call, row, &unit))
			set_temporal(call, row,
				     timestamp_diff(kernel_int(call, 1, row),
						    kernel_int(call, 2, row), unit, &v),
				     &v);
	}
}

Status
plan_datediff(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_unit(arena, call, UNIT_DIFF, datediff_rows, plan, err);
}

static void
date_add_unit_rows(KernelCall *call)
{
	TemporalUnit unit;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;
		Interval interval;

		if (!row_unit(call, row, &unit))
			continue;
		TemporalResult result =
			interval_from_unit(kernel_int(call, 1, row), unit, &interval);
		if (result == TEMPORAL_OK)
			result = timestamp_add(kernel_int(call, 2, row), interval, &v);
		set_temporal(call, row, result, &v);
	}
}

Status
plan_date_add_unit(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_unit(arena, call, UNIT_INTERVAL, date_add_unit_rows, plan, err);
}

void
temporal_add(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		set_temporal(
			call, row,
			timestamp_add(kernel_int(call, 0, row), kernel_interval(call, 1, row), &v),
			&v);
	}
}

void
temporal_sub(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		set_temporal(
			call, row,
			timestamp_sub(kernel_int(call, 0, row), kernel_interval(call, 1, row), &v),
			&v);
	}
}

/* ---- numbers to timestamps and back ---- */

void
temporal_from_seconds(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		set_temporal(call, row, timestamp_from_seconds(kernel_int(call, 0, row), &v), &v);
	}
}

/* Seconds with a fraction as microseconds. */
static void
set_from_micros(KernelCall *call, uint32_t row, DecimalResult converted, Int128 micros)
{
	TemporalResult result = TEMPORAL_RANGE;
	int64_t v = 0;

	if (converted == DECIMAL_LOST_DIGITS)
		result = TEMPORAL_LOST_DIGITS;
	else if (converted == DECIMAL_OK && micros >= INT64_MIN && micros <= INT64_MAX)
		result = timestamp_from_micros((int64_t)micros, &v);
	set_temporal(call, row, result, &v);
}

void
temporal_from_seconds_decimal(KernelCall *call)
{
	int scale = call->args[0]->type->scale;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 micros = 0;
		DecimalResult result =
			decimal_rescale128(kernel_wide(call, 0, row), scale, DECIMAL_PRECISION_MAX,
					   6, ROUND_EXACT, &micros);

		set_from_micros(call, row, result, micros);
	}
}

void
temporal_from_seconds_double(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		Int128 micros = 0;
		DecimalResult result =
			decimal_from_double(kernel_real(call, 0, row), DECIMAL_PRECISION_MAX, 6,
					    ROUND_HALF_UP, &micros);

		set_from_micros(call, row, result, micros);
	}
}

void
temporal_from_millis(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		set_temporal(call, row, timestamp_from_millis(kernel_int(call, 0, row), &v), &v);
	}
}

void
temporal_from_micros(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;

		set_temporal(call, row, timestamp_from_micros(kernel_int(call, 0, row), &v), &v);
	}
}

/* TO_TIMESTAMP_LTZ(n, precision): n counts seconds (0), milliseconds (3), ... */
void
temporal_from_precision(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t n = kernel_int(call, 0, row);
		int64_t precision = kernel_int(call, 1, row);
		int64_t v = 0;
		TemporalResult result;

		switch (precision) {
		case 0:
			result = timestamp_from_seconds(n, &v);
			break;
		case 3:
			result = timestamp_from_millis(n, &v);
			break;
		case 6:
			result = timestamp_from_micros(n, &v);
			break;
		case 9:
			result = timestamp_from_nanos(n, &v);
			break;
		default:
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
				    "TO_TIMESTAMP_LTZ with precision %lld: it must be 0 (seconds), "
				    "3, 6 or 9",
				    (long long)precision);
			continue;
		}
		set_temporal(call, row, result, &v);
	}
}

void
temporal_to_seconds(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	kernel_set_int(call, row, timestamp_to_seconds(kernel_int(call, 0, row)));
}

void
temporal_to_millis(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	kernel_set_int(call, row, timestamp_to_millis(kernel_int(call, 0, row)));
}

void
temporal_to_micros(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
	kernel_set_int(call, row, kernel_int(call, 0, row));
}

/* ---- strftime patterns ---- */

typedef struct PatternPlan {
	const TimeZone *zone; /* or NULL: UTC */
} PatternPlan;

/* The pattern is argument 1, the zone (if any) argument 2; a constant pattern is checked. */
static Status
plan_pattern(Arena *arena, const BoundExpr *call, Kernel kernel, KernelPlan *plan, Error *err)
{
	PatternPlan *state = ARENA_NEW(arena, PatternPlan);
	const Value *pattern = kernel_constant(call, 1);
	size_t bad = 0;

	if (pattern != NULL &&
	    temporal_pattern_check(pattern->text.data, pattern->text.len, &bad) != TEMPORAL_OK) {
		error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[1]->position,
			     "'%.*s' is not a pattern that can be used here",
			     (int)(pattern->text.len - bad < 2 ? pattern->text.len - bad : 2),
			     pattern->text.data + bad);
		return error_hint(err, "a pattern is written as for strftime, as '%%Y-%%m-%%d "
				       "%%H:%%M:%%S'; a percent sign itself is %%%%");
	}
	if (call->arg_count > 2) {
		const Value *zone = kernel_constant(call, 2);
		TimeZone *opened;
		if (zone == NULL)
			return error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[2]->position,
					    "the time zone must be a constant, as 'Europe/Berlin'");
		if (timezone_open(arena, zone->text, &opened, err) != FERRIS_OK) {
			err->position = call->args[2]->position;
			return err->status;
		}
		state->zone = opened;
	}
	plan->kernel = kernel;
	plan->state = state;
	return FERRIS_OK;
}

static void
format_row(KernelCall *call, uint32_t row, const TimeZone *zone, Str pattern)
{
	int64_t micros = kernel_int(call, 0, row);
	char small[256];
	char *out = small;
	size_t len = 0;
	Str name = STR("UTC");
	int32_t offset = zone != NULL ? timezone_offset(zone, micros, &name) : 0;

	TemporalResult result = timestamp_format(micros, offset, name, pattern.data, pattern.len,
						 out, sizeof small, &len);
	if (result == TEMPORAL_SPACE) {
		/* No two bytes of a pattern become more than 64. */
		size_t room = (size_t)pattern.len * 32 + 64;
		out = text_room(call, row, room);
		if (out == NULL)
			return;
		result = timestamp_format(micros, offset, name, pattern.data, pattern.len, out,
					  room, &len);
	}
	if (result != TEMPORAL_OK) {
		kernel_fail_temporal(call, row, result, "DATE_FORMAT");
		return;
	}
	if (out == small)
		out = memcpy(kernel_bytes(call, len > 0 ? len : 1), small, len);
	kernel_set_view(call, row, out, len, 0);
}

static void
date_format_rows(KernelCall *call)
{
	const PatternPlan *plan = call->state;

	KERNEL_EACH_VALID(call, row)
	format_row(call, row, plan->zone, kernel_text(call, 1, row));
}

Status
plan_date_format(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_pattern(arena, call, date_format_rows, plan, err);
}

void
temporal_day_name(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	format_row(call, row, NULL, STR("%A"));
}

void
temporal_month_name(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	format_row(call, row, NULL, STR("%B"));
}

/* ---- text to timestamps and dates ---- */

static void
fail_scan(KernelCall *call, uint32_t row, TemporalResult result, Str text)
{
	Str name = kernel_name(call);
	const char *what = "is not of the form wanted";

	if (result == TEMPORAL_RANGE)
		what = "has a field out of range";
	else if (result == TEMPORAL_LOST_DIGITS)
		what = "has a fraction finer than a microsecond";
	else if (result == TEMPORAL_PATTERN)
		what = "cannot be read, because the pattern is not one of strftime";
	kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "%.*s: '%.*s' %s", STR_ARG(name),
		    (int)(text.len < 60 ? text.len : 60), text.data, what);
}

static bool
scan_row(KernelCall *call, uint32_t row, int64_t *micros)
{
	Str text = kernel_text(call, 0, row);
	TemporalResult result;

	if (call->arg_count > 1) {
		Str pattern = kernel_text(call, 1, row);
		result = timestamp_scan(text.data, text.len, pattern.data, pattern.len, micros);
	} else {
		result = timestamp_parse(text.data, text.len, micros);
	}
	if (result != TEMPORAL_OK)
		fail_scan(call, row, result, text);
	return result == TEMPORAL_OK;
}

static void
to_timestamp_rows(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t micros;

		if (scan_row(call, row, &micros))
			kernel_set_int(call, row, micros);
	}
}

static void
to_date_rows(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t micros;

		if (scan_row(call, row, &micros))
			kernel_set_int(call, row, timestamp_to_date(micros));
	}
}

Status
plan_to_timestamp(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_pattern(arena, call, to_timestamp_rows, plan, err);
}

Status
plan_to_date(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_pattern(arena, call, to_date_rows, plan, err);
}

/* ---- dates ---- */

static bool
fits_int32(int64_t v)
{
	return v >= INT32_MIN && v <= INT32_MAX;
}

void
temporal_make_date(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t year = kernel_int(call, 0, row);
		int64_t month = kernel_int(call, 1, row);
		int64_t day = kernel_int(call, 2, row);
		int32_t date = 0;
		TemporalResult result = TEMPORAL_RANGE;

		if (fits_int32(year) && fits_int32(month) && fits_int32(day))
			result = date_make((int32_t)year, (int32_t)month, (int32_t)day, &date);
		int64_t v = date;
		set_temporal(call, row, result, &v);
	}
}

void
temporal_last_day(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		CivilDate date = date_to_civil((int32_t)kernel_int(call, 0, row));

		date.day = date_days_in_month(date.year, date.month);
		kernel_set_int(call, row, date_from_civil(date));
	}
}
