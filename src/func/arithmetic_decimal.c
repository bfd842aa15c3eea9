/* func/arithmetic_decimal.c -- + - * / % and the sign for DECIMAL, alone or with integers.
 *
 * An integer operand is read as it is, as a DECIMAL(digits, 0); a literal has just the digits it
 * is written with, so that price * 2 stays short.  The result types (type/decimal.h) are wide
 * enough for any value of the operand types as long as 38 digits suffice: for operands in 64 bits
 * they always do, and those loops need no check at all.  Operands in 128 bits are checked. */
#include "func/kernel_loop.h"

typedef struct DecimalState {
	int a_scale, b_scale;
	int precision, scale; /* of the result */
	Int128 a_factor;      /* to bring the operands of a sum to one scale */
	Int128 b_factor;
} DecimalState;

/* Precision and scale of an exact operand. */
static void
operand_digits(const BoundExpr *arg, int *precision, int *scale)
{
	if (arg->type->kind == TYPE_DECIMAL) {
		*precision = arg->type->precision;
		*scale = arg->type->scale;
		return;
	}
	*precision = type_integer_digits(arg->type->kind);
	*scale = 0;
	if (arg->kind == BOUND_CONSTANT && !arg->constant.is_null) {
		*precision = 1;
		while (*precision <= DECIMAL_PRECISION64_MAX &&
		       !decimal_fits64(arg->constant.int64, *precision))
			(*precision)++;
	}
}

typedef void (*TypeRule)(int p1, int s1, int p2, int s2, int *p, int *s);

static void
result_by(TypeRule rule, Arena *arena, BoundExpr *const *args, const Type **type)
{
	int p1, s1, p2, s2, p, s;

	operand_digits(args[0], &p1, &s1);
	operand_digits(args[1], &p2, &s2);
	rule(p1, s1, p2, s2, &p, &s);
	*type = type_decimal(arena, p, s);
}

Status
result_decimal_add(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		   Error *err)
{
	(void)count, (void)err;
	result_by(decimal_add_type, arena, args, type);
	return FERRIS_OK;
}

Status
result_decimal_multiply(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
			Error *err)
{
	int p1, s1, p2, s2, p, s;

	(void)count;
	operand_digits(args[0], &p1, &s1);
	operand_digits(args[1], &p2, &s2);
	if (!decimal_mul_type(p1, s1, p2, s2, &p, &s)) {
		error_set(
			err, FERRIS_ERR_TYPE,
			"the product would have %d digits after the point; at most 38 can be kept",
			s1 + s2);
		return error_hint(err,
				  "CAST an operand to a DECIMAL with fewer digits after the point");
	}
	*type = type_decimal(arena, p, s);
	return FERRIS_OK;
}

Status
result_decimal_divide(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		      Error *err)
{
	(void)count, (void)err;
	result_by(decimal_div_type, arena, args, type);
	return FERRIS_OK;
}

Status
result_decimal_remainder(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
			 Error *err)
{
	(void)count, (void)err;
	result_by(decimal_mod_type, arena, args, type);
	return FERRIS_OK;
}

/* ---- failures ---- */

static Str
operand_text(KernelCall *call, uint32_t arg, uint32_t row)
{
	Value value = value_from_vector(call->args[arg], row);

	return value_text(call->heap, &value);
}

static void
fail_binary(KernelCall *call, uint32_t row, DecimalResult result, const char *sign)
{
	Str a = operand_text(call, 0, row);
	Str b = operand_text(call, 1, row);

	if (result == DECIMAL_DIVISION_BY_ZERO)
		kernel_fail(call, row, FERRIS_ERR_DIVISION_BY_ZERO,
			    "division by zero: %.*s %s %.*s", STR_ARG(a), sign, STR_ARG(b));
	else
		kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "%.*s %s %.*s does not fit %s",
			    STR_ARG(a), sign, STR_ARG(b),
			    type_text(call->heap, call->out->type).data);
}

/* ---- sums ---- */

#define SUM64_KERNEL(name, op)                                                                     \
	static void sum64_##name(KernelCall *call)                                                 \
	{                                                                                          \
		const DecimalState *state = call->state;                                           \
		const uint64_t fa = (uint64_t)state->a_factor;                                     \
		const uint64_t fb = (uint64_t)state->b_factor;                                     \
		uint64_t *restrict z = call->out->data;                                            \
                                                                                                   \
		if (fa == 1 && fb == 1)                                                            \
			BINARY_LOOP(call, uint64_t, uint64_t, z[i] = a op b);                      \
		else                                                                               \
			BINARY_LOOP(call, uint64_t, uint64_t, z[i] = a * fa op b * fb);            \
	}                                                                                          \
                                                                                                   \
	static void sum64_to128_##name(KernelCall *call)                                           \
	{                                                                                          \
		const DecimalState *state = call->state;                                           \
		const Int128 fa = (int64_t)state->a_factor;                                        \
		const Int128 fb = (int64_t)state->b_factor;                                        \
		Int128 *restrict z = call->out->data;                                              \
                                                                                                   \
		BINARY_LOOP(call, int64_t, int64_t, z[i] = a * fa op b * fb);                      \
	}                                                                                          \
                                                                                                   \
	static void sum128_##name(KernelCall *call)                                                \
	{                                                                                          \
		const DecimalState *state = call->state;                                           \
                                                                                                   \
		KERNEL_EACH_VALID(call, row)                                                       \
		{                                                                                  \
			Int128 a, b, r;                                                            \
                                                                                                   \
			if (__builtin_mul_overflow(kernel_wide(call, 0, row), state->a_factor,     \
						   &a) ||                                          \
			    __builtin_mul_overflow(kernel_wide(call, 1, row), state->b_factor,     \
						   &b) ||                                          \
			    decimal_##name##128(a, b, &r) != DECIMAL_OK ||                         \
			    !decimal_fits128(r, state->precision))                                 \
				fail_binary(call, row, DECIMAL_OVERFLOW, #op);                     \
			else                                                                       \
				kernel_set_wide(call, row, r);                                     \
		}                                                                                  \
	}
SUM64_KERNEL(add, +)
SUM64_KERNEL(sub, -)

/* ---- products ---- */

static void
product64(KernelCall *call)
{
	uint64_t *restrict z = call->out->data;

	BINARY_LOOP(call, uint64_t, uint64_t, z[i] = a * b);
}

static void
product64_to128(KernelCall *call)
{
	Int128 *restrict z = call->out->data;

	BINARY_LOOP(call, int64_t, int64_t, z[i] = (Int128)a * b);
}

static void
product128(KernelCall *call)
{
	const DecimalState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 r;

		if (decimal_mul128(kernel_wide(call, 0, row), kernel_wide(call, 1, row), &r) !=
			    DECIMAL_OK ||
		    !decimal_fits128(r, state->precision))
			fail_binary(call, row, DECIMAL_OVERFLOW, "*");
		else
			kernel_set_wide(call, row, r);
	}
}

/* ---- quotients and remainders ---- */

static void
quotient64(KernelCall *call)
{
	const DecimalState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	{
		DecimalResult result = decimal_div64(kernel_int(call, 0, row), state->a_scale,
						     kernel_int(call, 1, row), state->b_scale,
						     state->precision, state->scale, ROUND_HALF_UP,
						     &VECTOR_DATA(call->out, int64_t)[row]);

		if (result != DECIMAL_OK)
			fail_binary(call, row, result, "/");
	}
}

static void
quotient128(KernelCall *call)
{
	const DecimalState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 r;
		DecimalResult result = decimal_div128(
			kernel_wide(call, 0, row), state->a_scale, kernel_wide(call, 1, row),
			state->b_scale, state->precision, state->scale, ROUND_HALF_UP, &r);

		if (result != DECIMAL_OK)
			fail_binary(call, row, result, "/");
		else
			kernel_set_wide(call, row, r);
	}
}

static void
remainder128(KernelCall *call)
{
	const DecimalState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	{
		Int128 r;
		DecimalResult result =
			decimal_mod128(kernel_wide(call, 0, row), state->a_scale,
				       kernel_wide(call, 1, row), state->b_scale, &r);

		if (result != DECIMAL_OK)
			fail_binary(call, row, result, "%");
		else
			kernel_set_wide(call, row, r);
	}
}

void
decimal_negate(KernelCall *call)
{
	if (type_physical(call->out->type) == PHYSICAL_INT64) {
		uint64_t *restrict z = call->out->data;
		UNARY_LOOP(call, 0, uint64_t, z[i] = 0 - a);
	} else {
		Uint128 *restrict z = call->out->data;
		UNARY_LOOP(call, 0, Uint128, z[i] = 0 - a);
	}
}

/* ---- planning ---- */

static DecimalState *
decimal_state(Arena *arena, const BoundExpr *call)
{
	DecimalState *state = ARENA_NEW(arena, DecimalState);
	int precision;

	operand_digits(call->args[0], &precision, &state->a_scale);
	operand_digits(call->args[1], &precision, &state->b_scale);
	state->precision = call->type->precision;
	state->scale = call->type->scale;
	state->a_factor = state->b_factor = 1;
	return state;
}

static bool
is_narrow(const BoundExpr *expr)
{
	return type_physical(expr->type) == PHYSICAL_INT64;
}

/* Which of three kernels: 64-bit operands and result, 64-bit operands, all else. */
static Kernel
by_width(const BoundExpr *call, Kernel narrow, Kernel widening, Kernel wide)
{
	if (!is_narrow(call->args[0]) || !is_narrow(call->args[1]))
		return wide;
	return is_narrow(call) ? narrow : widening;
}

static void
plan_sum(Arena *arena, const BoundExpr *call, KernelPlan *plan, Kernel narrow, Kernel widening,
	 Kernel wide)
{
	DecimalState *state = decimal_state(arena, call);

	state->a_factor = decimal_power128[state->scale - state->a_scale];
	state->b_factor = decimal_power128[state->scale - state->b_scale];
	plan->state = state;
	plan->kernel = by_width(call, narrow, widening, wide);
}

Status
plan_decimal_add(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	plan_sum(arena, call, plan, sum64_add, sum64_to128_add, sum128_add);
	return FERRIS_OK;
}

Status
plan_decimal_subtract(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	plan_sum(arena, call, plan, sum64_sub, sum64_to128_sub, sum128_sub);
	return FERRIS_OK;
}

Status
plan_decimal_multiply(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	plan->state = decimal_state(arena, call);
	plan->kernel = by_width(call, product64, product64_to128, product128);
	return FERRIS_OK;
}

Status
plan_decimal_divide(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	plan->state = decimal_state(arena, call);
	plan->kernel = by_width(call, quotient64, quotient128, quotient128);
	return FERRIS_OK;
}

Status
plan_decimal_remainder(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	plan->state = decimal_state(arena, call);
	plan->kernel = remainder128;
	return FERRIS_OK;
}
