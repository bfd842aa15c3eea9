/* func/cast.c -- which conversions exist, and those between numbers and booleans.
 *
 * Conversions from and to text are in func/cast_text.c.  A value that cannot be converted is a row
 * error (TRY_CAST: NULL).  An explicit cast rounds half up; an implicit one may not lose a digit.
 */
#include "func/cast.h"

#include <float.h>
#include <math.h>

#include "func/cast_value.h"
#include "func/kernel_loop.h"

/* ---- which exist ---- */

static bool
is_temporal(const Type *type)
{
	return type->kind >= TYPE_DATE && type->kind <= TYPE_INTERVAL;
}

static bool
is_simple(const Type *type)
{
	return type->kind == TYPE_BOOLEAN || type_is_numeric(type);
}

static bool
exists_explicit(const Type *from, const Type *to)
{
	if (from->kind == TYPE_STRING)
		return is_simple(to) || is_temporal(to) || to->kind == TYPE_BYTES ||
		       to->kind == TYPE_JSON;
	if (from->kind == TYPE_JSON)
		return is_simple(to) || to->kind == TYPE_STRING;
	if (to->kind == TYPE_STRING)
		return is_simple(from) || is_temporal(from) || from->kind == TYPE_BYTES;
	if (to->kind == TYPE_JSON)
		return from->kind == TYPE_BOOLEAN || type_is_exact(from); /* NaN is not JSON */
	if (type_is_numeric(from) && type_is_numeric(to))
		return true;
	if (from->kind == TYPE_BOOLEAN)
		return type_is_integer(to);
	if (to->kind == TYPE_BOOLEAN)
		return type_is_integer(from);
	if (from->kind == TYPE_TIMESTAMP)
		return to->kind == TYPE_DATE || to->kind == TYPE_TIME;
	return from->kind == TYPE_DATE && to->kind == TYPE_TIMESTAMP;
}

static bool
exists_implicit(const Type *from, const Type *to)
{
	if (type_is_exact(from))
		return type_is_exact(to) || to->kind == TYPE_DOUBLE;
	return (from->kind == TYPE_FLOAT && to->kind == TYPE_DOUBLE) ||
	       (from->kind == TYPE_DATE && to->kind == TYPE_TIMESTAMP) ||
	       (from->kind == TYPE_JSON && to->kind == TYPE_STRING);
}

bool
cast_exists(const Type *from, const Type *to, CastMode mode)
{
	if (type_equal(from, to) || from->kind == TYPE_NULL)
		return true;
	return mode == CAST_IMPLICIT ? exists_implicit(from, to) : exists_explicit(from, to);
}

int
cast_distance(const Type *from, const Type *to)
{
	if (type_equal(from, to))
		return 0;
	if (type_is_integer(from) && type_is_integer(to))
		return to->kind > from->kind ? (int)(to->kind - from->kind) : -1;
	if (type_is_integer(from) && to->kind == TYPE_DECIMAL)
		return type_integer_digits(from->kind) <= to->precision - to->scale ? 5 : -1;
	if (from->kind == TYPE_DECIMAL && to->kind == TYPE_DECIMAL)
		return from->scale <= to->scale &&
				       from->precision - from->scale <= to->precision - to->scale
			       ? 1
			       : -1;
	if (to->kind == TYPE_DOUBLE)
		return from->kind == TYPE_FLOAT     ? 1
		       : from->kind == TYPE_DECIMAL ? 7
		       : type_is_integer(from)      ? 8
						    : -1;
	return exists_implicit(from, to) && !type_is_exact(from) ? 2 : -1;
}

/* ---- failures ---- */

void
cast_fail(KernelCall *call, uint32_t row, CastResult result)
{
	const char *type = type_text(call->heap, call->out->type).data;

	if (call->expr->cast == CAST_TRY) {
		vector_set_null(call->out, row);
		return;
	}
	Value value = value_from_vector(call->args[0], row);
	Str text = value_text(call->heap, &value);
	if (text.len > CAST_SHOWN_MAX)
		text.len = CAST_SHOWN_MAX;
	switch (result) {
	case CAST_OK:
		break;
	case CAST_BAD_TEXT:
		kernel_fail(call, row, FERRIS_ERR_BAD_CAST, "%.*s cannot be read as %s",
			    STR_ARG(text), type);
		break;
	case CAST_RANGE:
		kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "%.*s does not fit %s",
			    STR_ARG(text), type);
		break;
	case CAST_DIGITS:
		kernel_fail(call, row, FERRIS_ERR_DIGIT_LOSS,
			    "%.*s would lose a digit as %s; CAST or ROUND it if that is meant",
			    STR_ARG(text), type);
		break;
	}
}

CastResult
cast_from_decimal_result(DecimalResult result)
{
	switch (result) {
	case DECIMAL_OK:
		return CAST_OK;
	case DECIMAL_OVERFLOW:
		return CAST_RANGE;
	case DECIMAL_LOST_DIGITS:
		return CAST_DIGITS;
	default:
		return CAST_BAD_TEXT;
	}
}

DecimalRounding
cast_rounding(const KernelCall *call)
{
	return call->expr->cast == CAST_IMPLICIT ? ROUND_EXACT : ROUND_HALF_UP;
}

CastResult
cast_check_integer(const Type *type, int64_t v)
{
	int64_t min, max;

	type_integer_range(type->kind, &min, &max);
	return v >= min && v <= max ? CAST_OK : CAST_RANGE;
}

/* ---- numbers ---- */

static void
integer_to_narrower(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = kernel_int(call, 0, row);
		CastResult result = cast_check_integer(call->out->type, v);

		if (result != CAST_OK)
			cast_fail(call, row, result);
		else
			kernel_set_int(call, row, v);
	}
}

static void
integer_to_decimal(KernelCall *call)
{
	const Type *to = call->out->type;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 v;
		DecimalResult result =
			decimal_from_int64(kernel_int(call, 0, row), to->precision, to->scale, &v);

		if (result != DECIMAL_OK)
			cast_fail(call, row, cast_from_decimal_result(result));
		else
			kernel_set_wide(call, row, v);
	}
}

static void
integer_to_double(KernelCall *call)
{
	double *restrict z = call->out->data;

	UNARY_LOOP(call, 0, int64_t, z[i] = (double)a);
}

static void
integer_to_float(KernelCall *call)
{
	double *restrict z = call->out->data;

	UNARY_LOOP(call, 0, int64_t, z[i] = (double)(float)a);
}

static void
decimal_to_decimal(KernelCall *call)
{
	const Type *from = call->args[0]->type;
	const Type *to = call->out->type;
	DecimalRounding rounding = cast_rounding(call);

	KERNEL_EACH_VALID(call, row)
	{
		Int128 v;
		DecimalResult result = decimal_rescale128(kernel_wide(call, 0, row), from->scale,
							  to->precision, to->scale, rounding, &v);

		if (result != DECIMAL_OK)
			cast_fail(call, row, cast_from_decimal_result(result));
		else
			kernel_set_wide(call, row, v);
	}
}

static void
decimal_to_integer(KernelCall *call)
{
	DecimalRounding rounding = cast_rounding(call);
	int scale = call->args[0]->type->scale;

	KERNEL_EACH_VALID(call, row)
	{
		int64_t v = 0;
		CastResult result = cast_from_decimal_result(
			decimal_to_int64(kernel_wide(call, 0, row), scale, rounding, &v));

		if (result == CAST_OK)
			result = cast_check_integer(call->out->type, v);
		if (result != CAST_OK)
			cast_fail(call, row, result);
		else
			kernel_set_int(call, row, v);
	}
}

/* The nearest double, or float, to it. */
static void
decimal_to_real(KernelCall *call)
{
	bool narrow = call->out->type->kind == TYPE_FLOAT;
	int scale = call->args[0]->type->scale;

	KERNEL_EACH_VALID(call, row)
	{
		double v = decimal_to_double(kernel_wide(call, 0, row), scale);

		kernel_set_real(call, row, narrow ? (double)(float)v : v);
	}
}

static void
real_to_decimal(KernelCall *call)
{
	const Type *to = call->out->type;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 v;
		DecimalResult result = decimal_from_double(kernel_real(call, 0, row), to->precision,
							   to->scale, ROUND_HALF_UP, &v);

		if (result != DECIMAL_OK)
			cast_fail(call, row, cast_from_decimal_result(result));
		else
			kernel_set_wide(call, row, v);
	}
}

/* Half away from zero. */
static void
real_to_integer(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		double v = round(kernel_real(call, 0, row));
		CastResult result = CAST_RANGE;

		if (v >= -0x1p63 && v < 0x1p63)
			result = cast_check_integer(call->out->type, (int64_t)v);
		if (result != CAST_OK)
			cast_fail(call, row, result);
		else
			kernel_set_int(call, row, (int64_t)v);
	}
}

static void
double_to_float(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		double v = kernel_real(call, 0, row);
		float narrow;

		if (fabs(v) <= DBL_MAX && (fabs(v) > FLT_MAX) && isinf((float)v)) {
			cast_fail(call, row, CAST_RANGE);
			continue;
		}
		narrow = (float)v;
		kernel_set_real(call, row, narrow);
	}
}

static void
boolean_to_integer(KernelCall *call)
{
	int64_t *restrict z = call->out->data;

	UNARY_LOOP(call, 0, uint8_t, z[i] = a);
}

static void
integer_to_boolean(KernelCall *call)
{
	uint8_t *restrict z = call->out->data;

	UNARY_LOOP(call, 0, int64_t, z[i] = a != 0);
}

/* ---- dates ---- */

static void
date_to_timestamp(KernelCall *call)
{
	int64_t *restrict z = call->out->data;

	UNARY_LOOP(call, 0, uint64_t, z[i] = (int64_t)(a * (uint64_t)MICROS_PER_DAY));
}

static void
timestamp_to_date_kernel(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	kernel_set_int(call, row, timestamp_to_date(kernel_int(call, 0, row)));
}

static void
timestamp_to_time_kernel(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	kernel_set_int(call, row, timestamp_to_time(kernel_int(call, 0, row)));
}

/* All rows of the argument are NULL. */
static void
null_to_any(KernelCall *call)
{
	(void)call;
}

/* ---- planning ---- */

static Kernel
from_integer(const Type *from, const Type *to)
{
	switch (to->kind) {
	case TYPE_DECIMAL:
		/* The same integer, if the type has room for all of its digits. */
		if (to->scale == 0 && type_physical(to) == PHYSICAL_INT64 &&
		    type_integer_digits(from->kind) <= to->precision)
			return NULL;
		return integer_to_decimal;
	case TYPE_FLOAT:
		return integer_to_float;
	case TYPE_DOUBLE:
		return integer_to_double;
	case TYPE_BOOLEAN:
		return integer_to_boolean;
	default:
		return to->kind > from->kind ? NULL : integer_to_narrower;
	}
}

static Kernel
from_decimal(const Type *from, const Type *to)
{
	if (to->kind == TYPE_FLOAT || to->kind == TYPE_DOUBLE)
		return decimal_to_real;
	if (type_is_integer(to))
		return decimal_to_integer;
	if (from->scale == to->scale && from->precision <= to->precision &&
	    type_physical(from) == type_physical(to))
		return NULL;
	return decimal_to_decimal;
}

static Kernel
from_real(const Type *from, const Type *to)
{
	if (to->kind == TYPE_DECIMAL)
		return real_to_decimal;
	if (type_is_integer(to))
		return real_to_integer;
	return from->kind == TYPE_FLOAT ? NULL : double_to_float;
}

Status
cast_plan(Arena *arena, const BoundExpr *cast, KernelPlan *plan, Error *err)
{
	const Type *from = cast->args[0]->type;
	const Type *to = cast->type;

	(void)arena, (void)err;
	if (from->kind == TYPE_NULL)
		plan->kernel = null_to_any;
	else if (type_equal(from, to))
		plan->kernel = NULL;
	else if (from->kind == TYPE_STRING || from->kind == TYPE_JSON)
		plan->kernel = cast_kernel_from_text(from, to);
	else if (to->kind == TYPE_STRING || to->kind == TYPE_JSON)
		plan->kernel = cast_kernel_to_text(from);
	else if (type_is_integer(from))
		plan->kernel = from_integer(from, to);
	else if (from->kind == TYPE_DECIMAL)
		plan->kernel = from_decimal(from, to);
	else if (type_is_approximate(from))
		plan->kernel = from_real(from, to);
	else if (from->kind == TYPE_BOOLEAN)
		plan->kernel = boolean_to_integer;
	else if (from->kind == TYPE_DATE)
		plan->kernel = date_to_timestamp;
	else
		plan->kernel =
			to->kind == TYPE_DATE ? timestamp_to_date_kernel : timestamp_to_time_kernel;
	return FERRIS_OK;
}
