/* func/math.c -- functions of floating point numbers and integers.
 *
 * An argument outside a function's domain (SQRT(-1), LN(0)) and a finite argument with an infinite
 * result are row errors; NaN and infinities that come in go through.  Rounding, and everything
 * exact about decimals, is in func/math_round.c. */
#include <math.h>

#include "func/kernel.h"

/* Stores a result computed from `finite` arguments, unless it overflowed. */
static inline void
set_finite(KernelCall *call, uint32_t row, double v, bool finite, const char *name)
{
	if (__builtin_expect(finite && !isfinite(v), 0))
		kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE,
		            "the result of %s is larger than a DOUBLE can hold", name);
	else
		kernel_set_real(call, row, v);
}

/* The C library's result for 27 is not 3. */
static double
cube_root(double x)
{
	double root = cbrt(x);
	double whole = rint(root);

	return whole * whole * whole == x ? whole : root;
}

/* ---- functions of one DOUBLE ---- */

/* REAL(kernel, name, valid, expr, domain): `valid` and `expr` use x; NaN is never invalid. */
#define REAL_LIST(REAL)                                                                    \
	REAL(math_sqrt, "SQRT", !(x < 0), sqrt(x), "not negative")                         \
	REAL(math_cbrt, "CBRT", true, cube_root(x), "")                                         \
	REAL(math_exp, "EXP", true, exp(x), "")                                            \
	REAL(math_ln, "LN", !(x <= 0), log(x), "positive")                                 \
	REAL(math_log10, "LOG10", !(x <= 0), log10(x), "positive")                         \
	REAL(math_log2, "LOG2", !(x <= 0), log2(x), "positive")                            \
	REAL(math_sin, "SIN", !isinf(x), sin(x), "finite")                                 \
	REAL(math_cos, "COS", !isinf(x), cos(x), "finite")                                 \
	REAL(math_tan, "TAN", !isinf(x), tan(x), "finite")                                 \
	REAL(math_cot, "COT", !isinf(x) && x != 0, 1 / tan(x), "finite and not 0")         \
	REAL(math_asin, "ASIN", !(x < -1) && !(x > 1), asin(x), "between -1 and 1")        \
	REAL(math_acos, "ACOS", !(x < -1) && !(x > 1), acos(x), "between -1 and 1")        \
	REAL(math_atan, "ATAN", true, atan(x), "")                                         \
	REAL(math_sinh, "SINH", true, sinh(x), "")                                         \
	REAL(math_cosh, "COSH", true, cosh(x), "")                                         \
	REAL(math_tanh, "TANH", true, tanh(x), "")                                         \
	REAL(math_degrees, "DEGREES", true, x * (180.0 / M_PI), "")                        \
	REAL(math_radians, "RADIANS", true, x * (M_PI / 180.0), "")

#define REAL(kernel, name, valid, expr, domain)                                            \
	void kernel(KernelCall *call)                                                      \
	{                                                                                  \
		KERNEL_EACH_VALID(call, row) {                                             \
			double x = kernel_real(call, 0, row);                              \
			if (valid)                                                         \
				set_finite(call, row, expr, isfinite(x), name);            \
			else                                                               \
				kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,            \
				            name " of %g: the argument must be " domain, x); \
		}                                                                          \
	}
REAL_LIST(REAL)
#undef REAL

void
math_pi(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
		kernel_set_real(call, row, M_PI);
}

/* ---- functions of two DOUBLEs ---- */

void
math_power(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		double x = kernel_real(call, 0, row);
		double y = kernel_real(call, 1, row);

		if (x == 0 && y < 0)
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "POWER of 0 to the negative exponent %g", y);
		else if (x < 0 && isfinite(x) && isfinite(y) && y != trunc(y))
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "POWER of the negative number %g to %g, which is not whole", x,
			            y);
		else
			set_finite(call, row, pow(x, y), isfinite(x) && isfinite(y), "POWER");
	}
}

/* LOG(base, x) */
void
math_log_base(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		double base = kernel_real(call, 0, row);
		double x = kernel_real(call, 1, row);

		if (base <= 0 || base == 1)
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "LOG to base %g: the base must be positive and not 1", base);
		else if (x <= 0)
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "LOG of %g: the argument must be positive", x);
		else if (base == 10)
			kernel_set_real(call, row, log10(x)); /* exact where it can be */
		else if (base == 2)
			kernel_set_real(call, row, log2(x));
		else
			set_finite(call, row, log(x) / log(base), isfinite(x), "LOG");
	}
}

void
math_atan2(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
		kernel_set_real(call, row,
		                atan2(kernel_real(call, 0, row), kernel_real(call, 1, row)));
}

void
math_abs_double(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
		kernel_set_real(call, row, fabs(kernel_real(call, 0, row)));
}

/* -1, 0, 1; of NaN NaN. */
void
math_sign_double(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row) {
		double x = kernel_real(call, 0, row);

		kernel_set_real(call, row, isnan(x) ? x : (double)((x > 0) - (x < 0)));
	}
}

/* ---- WIDTH_BUCKET(x, low, high, count) ---- */

static void
width_bucket_row(KernelCall *call, uint32_t row)
{
	double x = kernel_real(call, 0, row);
	double low = kernel_real(call, 1, row);
	double high = kernel_real(call, 2, row);
	int64_t count = kernel_int(call, 3, row);
	const char *wrong = NULL;

	if (count <= 0 || count > INT32_MAX)
		wrong = "the number of buckets must be between 1 and 2147483647";
	else if (isnan(x) || !isfinite(low) || !isfinite(high))
		wrong = "the bounds must be finite and the argument a number";
	else if (low == high)
		wrong = "the bounds must differ";
	if (wrong != NULL) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "WIDTH_BUCKET: %s", wrong);
		return;
	}
	/* Bounds may be given downwards: then the buckets count from the high end. */
	bool before = low < high ? x < low : x > low;
	bool beyond = low < high ? x >= high : x <= high;
	int64_t bucket;
	if (before) {
		bucket = 0;
	} else if (beyond) {
		bucket = count + 1;
	} else {
		/* Halves, so that the width of the widest range does not overflow. */
		double share = (x / 2 - low / 2) / (high / 2 - low / 2);
		bucket = (int64_t)(share * (double)count) + 1;
		if (bucket > count)
			bucket = count;
	}
	kernel_set_int(call, row, bucket);
}

void
math_width_bucket(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		width_bucket_row(call, row);
}

/* ---- bits of BIGINT ---- */

#define BITS(kernel, expr)                                      \
	void kernel(KernelCall *call)                           \
	{                                                       \
		KERNEL_EACH_ROW(call, row) {                    \
			int64_t a = kernel_int(call, 0, row);   \
			int64_t b = kernel_int(call, 1, row);   \
			kernel_set_int(call, row, expr);        \
		}                                               \
	}
BITS(math_bit_and, a & b)
BITS(math_bit_or, a | b)
BITS(math_bit_xor, a ^ b)
#undef BITS

void
math_bit_not(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
		kernel_set_int(call, row, ~kernel_int(call, 0, row));
}

void
math_bit_count(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
		kernel_set_int(call, row, __builtin_popcountll((uint64_t)kernel_int(call, 0, row)));
}

static void
shift_row(KernelCall *call, uint32_t row, bool left)
{
	int64_t v = kernel_int(call, 0, row);
	int64_t n = kernel_int(call, 1, row);

	if (n < 0)
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
		            "a shift by the negative number %lld", (long long)n);
	else if (left)
		kernel_set_int(call, row, n > 63 ? 0 : (int64_t)((uint64_t)v << n));
	else
		kernel_set_int(call, row, v >> (n > 63 ? 63 : n));
}

void
math_shift_left(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		shift_row(call, row, true);
}

void
math_shift_right(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		shift_row(call, row, false);
}
