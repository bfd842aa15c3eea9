/* func/arithmetic.c -- + - * / % and the sign for integers and floating point numbers.
 *
 * Integers are checked without a branch per row: a loop computes with wrap-around and gathers
 * whether anything overflowed; only then a second pass finds the rows and fails them.  The rows
 * that are NULL hold garbage, which may send a batch into the second pass, never into an error.
 *
 * Decimals are in func/arithmetic_decimal.c, dates and intervals in func/arithmetic_temporal.c. */
#include <float.h>
#include <math.h>

#include "func/kernel_loop.h"

typedef bool (*CheckedOp)(int64_t a, int64_t b, int64_t *out);

static bool
add_fits(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_add_overflow(a, b, out);
}

static bool
subtract_fits(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_sub_overflow(a, b, out);
}

static bool
multiply_fits(int64_t a, int64_t b, int64_t *out)
{
	return !__builtin_mul_overflow(a, b, out);
}

/* The second pass: each row again, checked. */
static void
recheck(KernelCall *call, CheckedOp op, char sign)
{
	TypeKind kind = call->out->type->kind;
	int64_t min, max, result;

	type_integer_range(kind, &min, &max);
	KERNEL_EACH_VALID(call, row)
	{
		int64_t a = kernel_int(call, 0, row);
		int64_t b = kernel_int(call, 1, row);

		if (!op(a, b, &result) || result < min || result > max)
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
				    "%lld %c %lld does not fit %s", (long long)a, sign,
				    (long long)b, type_kind_name(kind));
		else
			kernel_set_int(call, row, result);
	}
}

/* `r` is computed modulo 2^64; the expression `over` has its top bit set if r is wrong. */
#define WIDE_KERNEL(name, r, over, op, sign)                                                       \
	static void bigint_##name(KernelCall *call)                                                \
	{                                                                                          \
		uint64_t *restrict z = call->out->data;                                            \
		uint64_t bad = 0;                                                                  \
                                                                                                   \
		BINARY_LOOP(call, uint64_t, uint64_t, {                                            \
			z[i] = r;                                                                  \
			bad |= over;                                                               \
		});                                                                                \
		if (bad >> 63)                                                                     \
			recheck(call, op, sign);                                                   \
	}

/* The result is an INTEGER: of two 32-bit operands nothing can leave 64 bits. */
#define NARROW_KERNEL(name, r, op, sign)                                                           \
	static void integer_##name(KernelCall *call)                                               \
	{                                                                                          \
		uint64_t *restrict z = call->out->data;                                            \
		uint64_t bad = 0;                                                                  \
                                                                                                   \
		BINARY_LOOP(call, uint64_t, uint64_t, {                                            \
			uint64_t v = r;                                                            \
			z[i] = v;                                                                  \
			bad |= v + (UINT64_C(1) << 31);                                            \
		});                                                                                \
		if (bad >> 32)                                                                     \
			recheck(call, op, sign);                                                   \
	}

WIDE_KERNEL(add, a + b, (z[i] ^ a) & (z[i] ^ b), add_fits, '+')
WIDE_KERNEL(subtract, a - b, (a ^ b) & (a ^ z[i]), subtract_fits, '-')
NARROW_KERNEL(add, a + b, add_fits, '+')
NARROW_KERNEL(subtract, a - b, subtract_fits, '-')
NARROW_KERNEL(multiply, a *b, multiply_fits, '*')

static void
bigint_multiply(KernelCall *call)
{
	int64_t *restrict z = call->out->data;
	bool bad = false;

	BINARY_LOOP(call, int64_t, int64_t, {
		int64_t product;
		bad |= __builtin_mul_overflow(a, b, &product);
		z[i] = product;
	});
	if (bad)
		recheck(call, multiply_fits, '*');
}

#define PLAN_INTEGER(name)                                                                         \
	Status plan_integer_##name(Arena *arena, const BoundExpr *call, KernelPlan *plan,          \
				   Error *err)                                                     \
	{                                                                                          \
		(void)arena, (void)err;                                                            \
		plan->kernel = call->type->kind == TYPE_BIGINT ? bigint_##name : integer_##name;   \
		return FERRIS_OK;                                                                  \
	}
PLAN_INTEGER(add)
PLAN_INTEGER(subtract)
PLAN_INTEGER(multiply)

Status
result_integer_wider(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		     Error *err)
{
	TypeKind kind = TYPE_INTEGER;

	(void)arena, (void)err;
	for (uint32_t i = 0; i < count; i++)
		if (args[i]->type->kind > kind)
			kind = args[i]->type->kind;
	*type = &type_simple[kind];
	return FERRIS_OK;
}

static void
fail_zero(KernelCall *call, uint32_t row, int64_t a, char sign)
{
	kernel_fail(call, row, FERRIS_ERR_DIVISION_BY_ZERO, "division by zero: %lld %c 0",
		    (long long)a, sign);
}

/* A divisor that is the same for all rows and can do no harm. */
static bool
harmless_divisor(const Vector *divisor)
{
	if (!divisor->constant || vector_is_null(divisor, 0))
		return false;
	int64_t b = VECTOR_DATA(divisor, const int64_t)[0];
	return b != 0 && b != -1;
}

/* Truncates towards zero. */
void
integer_divide(KernelCall *call)
{
	int64_t *z = call->out->data;
	TypeKind kind = call->out->type->kind;
	int64_t min, max;

	if (harmless_divisor(call->args[1])) {
		const int64_t b = kernel_int(call, 1, 0);
		UNARY_LOOP(call, 0, int64_t, z[i] = a / b);
		return;
	}
	type_integer_range(kind, &min, &max);
	KERNEL_EACH_VALID(call, row)
	{
		int64_t a = kernel_int(call, 0, row);
		int64_t b = kernel_int(call, 1, row);

		if (b == 0)
			fail_zero(call, row, a, '/');
		else if (b == -1 && a == min)
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "%lld / -1 does not fit %s",
				    (long long)a, type_kind_name(kind));
		else
			z[row] = a / b;
	}
}

/* Has the sign of the dividend. */
void
integer_remainder(KernelCall *call)
{
	int64_t *z = call->out->data;

	if (harmless_divisor(call->args[1])) {
		const int64_t b = kernel_int(call, 1, 0);
		UNARY_LOOP(call, 0, int64_t, z[i] = a % b);
		return;
	}
	KERNEL_EACH_VALID(call, row)
	{
		int64_t a = kernel_int(call, 0, row);
		int64_t b = kernel_int(call, 1, row);

		if (b == 0)
			fail_zero(call, row, a, '%');
		else
			z[row] = b == -1 ? 0 : a % b; /* INT64_MIN % -1 traps */
	}
}

void
integer_negate(KernelCall *call)
{
	TypeKind kind = call->out->type->kind;
	int64_t min, max;

	type_integer_range(kind, &min, &max);
	KERNEL_EACH_VALID(call, row)
	{
		int64_t a = kernel_int(call, 0, row);

		if (a == min)
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "-(%lld) does not fit %s",
				    (long long)a, type_kind_name(kind));
		else
			kernel_set_int(call, row, -a);
	}
}

/* ---- floating point ---- */

static bool
is_finite(double v)
{
	return fabs(v) <= DBL_MAX;
}

/* A result that is not finite although the operands are is out of range.  Infinities and NaN that
 * were there before go on by the rules of IEEE 754. */
static void
recheck_double(KernelCall *call, char sign)
{
	KERNEL_EACH_VALID(call, row)
	{
		double a = kernel_real(call, 0, row);
		double b = kernel_real(call, 1, row);

		if (is_finite(a) && is_finite(b) && !is_finite(VECTOR_DATA(call->out, double)[row]))
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
				    "%.17g %c %.17g does not fit DOUBLE", a, sign, b);
	}
}

#define DOUBLE_KERNEL(name, op, sign)                                                              \
	void double_##name(KernelCall *call)                                                       \
	{                                                                                          \
		double *restrict z = call->out->data;                                              \
		uint64_t bad = 0;                                                                  \
                                                                                                   \
		BINARY_LOOP(call, double, double, {                                                \
			z[i] = a op b;                                                             \
			bad |= !(fabs(z[i]) <= DBL_MAX);                                           \
		});                                                                                \
		if (bad)                                                                           \
			recheck_double(call, sign);                                                \
	}
DOUBLE_KERNEL(add, +, '+')
DOUBLE_KERNEL(subtract, -, '-')
DOUBLE_KERNEL(multiply, *, '*')

void
double_divide(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		double a = kernel_real(call, 0, row);
		double b = kernel_real(call, 1, row);

		if (b == 0)
			kernel_fail(call, row, FERRIS_ERR_DIVISION_BY_ZERO,
				    "division by zero: %.17g / 0", a);
		else if (is_finite(a) && is_finite(b) && !is_finite(a / b))
			kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
				    "%.17g / %.17g does not fit DOUBLE", a, b);
		else
			kernel_set_real(call, row, a / b);
	}
}

void
double_remainder(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		double b = kernel_real(call, 1, row);

		if (b == 0)
			kernel_fail(call, row, FERRIS_ERR_DIVISION_BY_ZERO,
				    "division by zero: %.17g %% 0", kernel_real(call, 0, row));
		else
			kernel_set_real(call, row, fmod(kernel_real(call, 0, row), b));
	}
}

void
double_negate(KernelCall *call)
{
	double *restrict z = call->out->data;

	UNARY_LOOP(call, 0, double, z[i] = -a);
}
