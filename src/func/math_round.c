/* func/math_round.c -- ROUND, TRUNC, CEIL, FLOOR, ABS and SIGN.
 *
 * Decimals and integers are rounded digit by digit and never pass through a double.  With a
 * constant number of digits the result is a DECIMAL of that scale: ROUND(1.005, 2) is 1.01 as
 * DECIMAL(4,2).  Doubles are rounded as the shortest decimal text that reads back as the same
 * number, so ROUND(1.005e0, 2) is 1.01 too. */
#include <math.h>

#include "func/function.h"
#include "func/text.h"
#include "type/wide.h"

#define DIGITS_LIMIT 400 /* more digits than any number has, on either side of the point */

/* ---- result types ---- */

static int
exact_precision(const Type *type)
{
	return type->kind == TYPE_DECIMAL ? type->precision : type_integer_digits(type->kind);
}

static int
exact_scale(const Type *type)
{
	return type->kind == TYPE_DECIMAL ? type->scale : 0;
}

static int64_t
clamp_digits(int64_t n)
{
	return n < -DIGITS_LIMIT ? -DIGITS_LIMIT : n > DIGITS_LIMIT ? DIGITS_LIMIT : n;
}

/* The value of an argument that does not depend on the row, as in -2 (a minus and a number). */
static bool
constant_digits(Arena *arena, BoundExpr *arg, int64_t *digits)
{
	Error ignored = {0};
	BoundExpr *folded = arg;

	if (arg->kind != BOUND_CONSTANT && bound_fold(arena, arg, &folded, &ignored) != FERRIS_OK)
		return false;
	if (folded->kind != BOUND_CONSTANT || folded->constant.is_null)
		return false;
	*digits = clamp_digits(folded->constant.int64);
	return true;
}

/* DECIMAL of `digits` fractional digits; one more before the point, as 9.99 becomes 10.0. */
static const Type *
rounded_type(Arena *arena, const Type *type, int64_t digits)
{
	int scale = exact_scale(type);
	int whole = exact_precision(type) - scale;
	int wanted = DECIMAL_MAX_PRECISION;

	if (digits < DECIMAL_MAX_PRECISION)
		wanted = digits < 0 ? 0 : (int)digits;
	if (digits >= scale) {
		/* More digits than there are: zeros, as far as they fit. */
		if (wanted > DECIMAL_MAX_PRECISION - whole)
			wanted = DECIMAL_MAX_PRECISION - whole;
		int precision = whole + wanted;
		return type_decimal(arena, precision > 0 ? precision : 1, wanted);
	}
	int precision = whole + 1 + wanted;
	return type_decimal(arena,
	                    precision > DECIMAL_MAX_PRECISION ? DECIMAL_MAX_PRECISION : precision,
	                    wanted);
}

/* ROUND and TRUNC of integers stay integers; of decimals see rounded_type; if the number of digits
 * differs from row to row the scale stays, with a digit more before the point. */
Status
result_rounded(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	const Type *from = args[0]->type;
	int64_t digits = 0;

	(void)err;
	if (type_is_integer(from))
		*type = from;
	else if (count < 2 || constant_digits(arena, args[1], &digits))
		*type = rounded_type(arena, from, digits);
	else
		*type = type_decimal(arena, from->precision < DECIMAL_MAX_PRECISION
		                                    ? from->precision + 1
		                                    : DECIMAL_MAX_PRECISION,
		                     from->scale);
	return FERRIS_OK;
}

/* CEIL and FLOOR. */
Status
result_whole(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)count, (void)err;
	*type = type_is_integer(args[0]->type) ? args[0]->type
	                                       : rounded_type(arena, args[0]->type, 0);
	return FERRIS_OK;
}

/* ---- rounding one exact number ---- */

/* v / 10^scale rounded to `digits` (may be negative) and held at scale out_scale. */
static DecimalResult
round_exact(Int128 v, int scale, int64_t digits, DecimalRounding mode, int precision, int out_scale,
            Int128 *out)
{
	Int128 rounded = v;
	int held = digits < 0 ? 0 : digits < scale ? (int)digits : scale;

	if (digits < scale) {
		int64_t drop = scale - digits;
		if (drop <= DECIMAL_PRECISION_MAX) {
			DecimalResult result = decimal_rescale128(
				v, (int)drop, DECIMAL_PRECISION_MAX, 0, mode, &rounded);
			if (result != DECIMAL_OK)
				return result;
		} else { /* all digits go, and they are less than a half */
			bool away = v != 0 && decimal_rounds_away(mode, v < 0, false, -1);
			rounded = away ? (v < 0 ? -1 : 1) : 0;
		}
	}
	if (digits < 0 && rounded != 0) {
		if (-digits > DECIMAL_PRECISION_MAX ||
		    __builtin_mul_overflow(rounded, decimal_power128[-digits], &rounded))
			return DECIMAL_OVERFLOW;
	}
	return decimal_rescale128(rounded, held, precision, out_scale, ROUND_EXACT, out);
}

/* ---- rounding a double ---- */

static double
round_whole(double v, DecimalRounding mode)
{
	double whole = trunc(v);
	double rest = fabs(v - whole); /* exact */

	switch (mode) {
	case ROUND_UP:
		return rest > 0 ? whole + copysign(1, v) : whole;
	case ROUND_CEILING:
		return ceil(v);
	case ROUND_FLOOR:
		return floor(v);
	case ROUND_HALF_UP:
		return rest >= 0.5 ? whole + copysign(1, v) : whole;
	case ROUND_HALF_DOWN:
		return rest > 0.5 ? whole + copysign(1, v) : whole;
	case ROUND_HALF_EVEN:
		if (rest == 0.5)
			return fmod(whole, 2) == 0 ? whole : whole + copysign(1, v);
		return rest > 0.5 ? whole + copysign(1, v) : whole;
	case ROUND_DOWN:
	case ROUND_EXACT:
	case ROUND_COUNT:
		break;
	}
	return whole;
}

/* digits < 0; false if the result is too large. */
static bool
round_tens(double v, int64_t digits, DecimalRounding mode, double *out)
{
	if (fabs(v) < 1e37 && digits >= -DECIMAL_PRECISION_MAX) {
		/* The whole part with one more digit, which tells whether there is a fraction. */
		double whole = trunc(v);
		Int128 sticky = (Int128)whole * 10 + (v > whole) - (v < whole);
		Int128 rounded;

		if (round_exact(sticky, 1, digits, mode, DECIMAL_PRECISION_MAX, 0, &rounded) ==
		    DECIMAL_OK) {
			*out = decimal_to_double(rounded, 0);
			return true;
		}
	}
	double unit = pow(10, (double)-digits);
	/* No double is half of a unit that is not a double itself. */
	double units = isinf(unit) ? copysign(v == 0 ? 0 : 0.25, v) : v / unit;
	*out = round_whole(units, mode);
	if (*out != 0)
		*out *= unit;
	return isfinite(*out);
}

/* False if the result is too large for a DOUBLE. */
static bool
round_double(double v, int64_t digits, DecimalRounding mode, double *out)
{
	Int128 wide;

	*out = v;
	if (!isfinite(v))
		return true;
	if (digits < 0)
		return round_tens(v, digits, mode, out);
	if (digits == 0) {
		*out = round_whole(v, mode);
		return true;
	}
	/* Beyond 2^53 there is no fraction; and 17 digits tell every double from its neighbours. */
	if (fabs(v) >= 9007199254740992.0 || digits > DECIMAL_PRECISION_MAX)
		return true;
	if (decimal_from_double(v, DECIMAL_PRECISION_MAX, (int)digits, mode, &wide) == DECIMAL_OK)
		*out = decimal_to_double(wide, (int)digits);
	return true;
}

/* ---- ROUND(x [, digits [, mode]]) and TRUNC(x [, digits]) ---- */

typedef struct RoundPlan {
	DecimalRounding mode;
	bool per_row; /* the mode is in an argument that is not constant */
} RoundPlan;

#define ROUNDING_NAMES "UP, DOWN, CEILING, FLOOR, HALF_UP, HALF_DOWN, HALF_EVEN"

static bool
row_mode(KernelCall *call, uint32_t row, DecimalRounding *mode)
{
	const RoundPlan *plan = call->state;

	*mode = plan->mode;
	if (!plan->per_row)
		return true;
	Str name = kernel_text(call, 2, row);
	if (decimal_rounding_find(name, mode))
		return true;
	kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
	            "'%.*s' is not a way of rounding; there are " ROUNDING_NAMES,
	            (int)(name.len < 40 ? name.len : 40), name.data);
	return false;
}

/* Decimals in 64 bits with the digits that the result type has: the usual case. */
static inline DecimalResult
round_row64(const KernelCall *call, uint32_t row, int scale, DecimalRounding mode, int64_t *out)
{
	const Type *to = call->out->type;

	return decimal_rescale64(kernel_int(call, 0, row), scale, to->precision, to->scale, mode,
	                         out);
}

static void
round_exact_rows(KernelCall *call)
{
	const Type *from = call->args[0]->type;
	const Type *to = call->out->type;
	int scale = exact_scale(from);
	bool in64 = from->kind == TYPE_DECIMAL && type_physical(from) == PHYSICAL_INT64 &&
	            type_physical(to) == PHYSICAL_INT64;
	char what[KERNEL_WHAT_MAX];
	DecimalRounding mode;

	KERNEL_EACH_VALID(call, row) {
		int64_t digits = call->arg_count > 1 ? clamp_digits(kernel_int(call, 1, row)) : 0;
		Int128 v;

		if (!row_mode(call, row, &mode))
			continue;
		DecimalResult result;
		if (in64 && digits == to->scale && digits <= scale) {
			int64_t v64 = 0;
			result = round_row64(call, row, scale, mode, &v64);
			v = v64;
		} else {
			result = round_exact(kernel_wide(call, 0, row), scale, digits, mode,
			                     exact_precision(to), exact_scale(to), &v);
		}
		if (result == DECIMAL_OK && type_is_integer(to)) {
			int64_t min, max;
			type_integer_range(to->kind, &min, &max);
			if (v < min || v > max)
				result = DECIMAL_OVERFLOW;
		}
		if (result != DECIMAL_OK)
			kernel_fail_decimal(call, row, result, kernel_what(call, what));
		else
			kernel_set_wide(call, row, v);
	}
}

static void
round_double_rows(KernelCall *call)
{
	char what[KERNEL_WHAT_MAX];
	DecimalRounding mode;

	KERNEL_EACH_VALID(call, row) {
		int64_t digits = call->arg_count > 1 ? clamp_digits(kernel_int(call, 1, row)) : 0;
		double v;

		if (!row_mode(call, row, &mode))
			continue;
		if (round_double(kernel_real(call, 0, row), digits, mode, &v))
			kernel_set_real(call, row, v);
		else
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
			            "the result of %s is larger than a DOUBLE can hold",
			            kernel_what(call, what));
	}
}

static Status
plan_rounding(Arena *arena, const BoundExpr *call, DecimalRounding mode, KernelPlan *plan,
              Error *err)
{
	RoundPlan *state = ARENA_NEW(arena, RoundPlan);
	const Value *name = kernel_constant(call, 2);

	*state = (RoundPlan){.mode = mode, .per_row = call->arg_count > 2 && name == NULL};
	if (name != NULL && !decimal_rounding_find(name->text, &state->mode)) {
		error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[2]->position,
		             "'%.*s' is not a way of rounding",
		             (int)(name->text.len < 40 ? name->text.len : 40), name->text.data);
		return error_hint(err, "there are " ROUNDING_NAMES);
	}
	plan->state = state;
	plan->kernel = type_is_exact(call->args[0]->type) ? round_exact_rows : round_double_rows;
	return FERRIS_OK;
}

Status
plan_round(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_rounding(arena, call, ROUND_HALF_UP, plan, err);
}

Status
plan_trunc(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_rounding(arena, call, ROUND_DOWN, plan, err);
}

Status
plan_ceil(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_rounding(arena, call, ROUND_CEILING, plan, err);
}

Status
plan_floor(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_rounding(arena, call, ROUND_FLOOR, plan, err);
}

/* ---- ABS and SIGN of exact numbers ---- */

void
math_abs_exact(KernelCall *call)
{
	const Type *type = call->out->type;
	int64_t min = 0, max = INT64_MAX;

	if (type_is_integer(type))
		type_integer_range(type->kind, &min, &max);
	KERNEL_EACH_VALID(call, row) {
		Int128 v = kernel_wide(call, 0, row);

		if (v < 0)
			v = -v;
		if (type_is_integer(type) && v > max)
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
			            "ABS of %lld does not fit %s", (long long)min,
			            type_kind_name(type->kind));
		else
			kernel_set_wide(call, row, v);
	}
}

void
math_sign_exact(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Int128 v = kernel_wide(call, 0, row);

		kernel_set_int(call, row, (v > 0) - (v < 0));
	}
}
