/* func/arithmetic_temporal.c -- sums and differences of dates, times, timestamps and intervals. */
#include "func/kernel_loop.h"

static Str
operand_text(KernelCall *call, uint32_t arg, uint32_t row)
{
	Value value = value_from_vector(call->args[arg], row);

	return value_text(call->heap, &value);
}

static void
fail_range(KernelCall *call, uint32_t row, const char *sign)
{
	kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "%.*s %s %.*s does not fit %s",
		    STR_ARG(operand_text(call, 0, row)), sign, STR_ARG(operand_text(call, 1, row)),
		    type_kind_name(call->out->type->kind));
}

/* Timestamps moved by a constant without months and days, as watermarks are; false, and nothing
 * done that counts, if that is not what the call is or a row leaves the range. */
static bool
shift_timestamps(KernelCall *call, bool back)
{
	const Vector *by = call->args[1];
	int64_t *out = VECTOR_DATA(call->out, int64_t);
	bool outside = false;

	if (!by->constant || vector_is_null(by, 0))
		return false;
	Interval interval = VECTOR_DATA(by, Interval)[0];
	if (interval.months != 0 || interval.days != 0 || interval.micros < -TIMESTAMP_MAX ||
	    interval.micros > TIMESTAMP_MAX)
		return false;
	/* NULL rows hold anything; unsigned, they wrap. */
	uint64_t micros = (uint64_t)(back ? -interval.micros : interval.micros);
	UNARY_LOOP(call, 0, int64_t, {
		int64_t moved = (int64_t)((uint64_t)a + micros);

		out[i] = moved;
		outside |= moved < TIMESTAMP_MIN || moved > TIMESTAMP_MAX;
	});
	return !outside;
}

void
timestamp_plus_interval(KernelCall *call)
{
	if (shift_timestamps(call, false))
		return;
	KERNEL_EACH_VALID(call, row)
	if (timestamp_add(kernel_int(call, 0, row), kernel_interval(call, 1, row),
			  &VECTOR_DATA(call->out, int64_t)[row]) != TEMPORAL_OK)
		fail_range(call, row, "+");
}

void
interval_plus_timestamp(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	if (timestamp_add(kernel_int(call, 1, row), kernel_interval(call, 0, row),
			  &VECTOR_DATA(call->out, int64_t)[row]) != TEMPORAL_OK)
		fail_range(call, row, "+");
}

void
timestamp_minus_interval(KernelCall *call)
{
	if (shift_timestamps(call, true))
		return;
	KERNEL_EACH_VALID(call, row)
	if (timestamp_sub(kernel_int(call, 0, row), kernel_interval(call, 1, row),
			  &VECTOR_DATA(call->out, int64_t)[row]) != TEMPORAL_OK)
		fail_range(call, row, "-");
}

/* Days of 24 hours and the rest, as PostgreSQL counts it. */
void
timestamp_minus_timestamp(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t micros = kernel_int(call, 0, row) - kernel_int(call, 1, row);

		kernel_set_interval(call, row,
				    (Interval){
					    .days = (int32_t)(micros / MICROS_PER_DAY),
					    .micros = micros % MICROS_PER_DAY,
				    });
	}
}

static void
shift_date(KernelCall *call, uint32_t date, uint32_t days, bool back)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t count = kernel_int(call, days, row);
		int32_t shifted;

		if ((back && __builtin_sub_overflow(0, count, &count)) ||
		    date_add_days((int32_t)kernel_int(call, date, row), count, &shifted) !=
			    TEMPORAL_OK)
			fail_range(call, row, back ? "-" : "+");
		else
			kernel_set_int(call, row, shifted);
	}
}

void
date_plus_days(KernelCall *call)
{
	shift_date(call, 0, 1, false);
}

void
days_plus_date(KernelCall *call)
{
	shift_date(call, 1, 0, false);
}

void
date_minus_days(KernelCall *call)
{
	shift_date(call, 0, 1, true);
}

void
date_minus_date(KernelCall *call)
{
	uint64_t *restrict z = call->out->data;

	BINARY_LOOP(call, uint64_t, uint64_t, z[i] = a - b);
}

/* The time of day after so many microseconds; it goes round at midnight, so days do not count. */
static void
shift_time(KernelCall *call, uint32_t time, uint32_t interval, bool back)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t micros = kernel_interval(call, interval, row).micros % MICROS_PER_DAY;
		int64_t at = kernel_int(call, time, row) + (back ? -micros : micros);

		kernel_set_int(call, row, (at % MICROS_PER_DAY + MICROS_PER_DAY) % MICROS_PER_DAY);
	}
}

void
time_plus_interval(KernelCall *call)
{
	shift_time(call, 0, 1, false);
}

void
time_minus_interval(KernelCall *call)
{
	shift_time(call, 0, 1, true);
}

void
time_minus_time(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	kernel_set_interval(
		call, row,
		(Interval){.micros = kernel_int(call, 0, row) - kernel_int(call, 1, row)});
}

void
interval_plus_interval(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	if (interval_add(kernel_interval(call, 0, row), kernel_interval(call, 1, row),
			 &VECTOR_DATA(call->out, Interval)[row]) != TEMPORAL_OK)
		fail_range(call, row, "+");
}

void
interval_minus_interval(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		Interval negative;

		if (interval_negate(kernel_interval(call, 1, row), &negative) != TEMPORAL_OK ||
		    interval_add(kernel_interval(call, 0, row), negative,
				 &VECTOR_DATA(call->out, Interval)[row]) != TEMPORAL_OK)
			fail_range(call, row, "-");
	}
}

static void
multiply(KernelCall *call, uint32_t interval, uint32_t factor)
{
	KERNEL_EACH_VALID(call, row)
	if (interval_multiply(kernel_interval(call, interval, row), kernel_int(call, factor, row),
			      &VECTOR_DATA(call->out, Interval)[row]) != TEMPORAL_OK)
		fail_range(call, row, "*");
}

void
interval_times_integer(KernelCall *call)
{
	multiply(call, 0, 1);
}

void
integer_times_interval(KernelCall *call)
{
	multiply(call, 1, 0);
}

void
interval_negative(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	if (interval_negate(kernel_interval(call, 0, row),
			    &VECTOR_DATA(call->out, Interval)[row]) != TEMPORAL_OK)
		kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "-%.*s does not fit INTERVAL",
			    STR_ARG(operand_text(call, 0, row)));
}
