/* func/conditional.c -- NULLIF, NVL2, GREATEST and LEAST.
 *
 * IF, IFNULL and COALESCE are no loops: they become CASE and COALESCE nodes (func/scalar_list.h),
 * which evaluate an argument only on the rows that need it. */
#include <math.h>

#include "func/kernel.h"

/* Copies the argument's value; the row is valid there. */
static void
copy_value(KernelCall *call, uint32_t row, uint32_t arg)
{
	const Vector *from = call->args[arg];
	size_t size = physical_size(type_physical(from->type));

	memcpy((char *)call->out->data + row * size,
	       (const char *)from->data + kernel_at(call, arg, row) * size, size);
}

/* An order for every type of a single value; NaN is above all numbers. */
static int
compare_values(const KernelCall *call, uint32_t row, uint32_t a, uint32_t b)
{
	switch (type_physical(call->args[a]->type)) {
	case PHYSICAL_BOOL:
		return kernel_bool(call, a, row) - kernel_bool(call, b, row);
	case PHYSICAL_INT64: {
		int64_t x = kernel_int(call, a, row), y = kernel_int(call, b, row);
		return (x > y) - (x < y);
	}
	case PHYSICAL_INT128: {
		Int128 x = kernel_wide(call, a, row), y = kernel_wide(call, b, row);
		return (x > y) - (x < y);
	}
	case PHYSICAL_DOUBLE: {
		double x = kernel_real(call, a, row), y = kernel_real(call, b, row);
		if (isnan(x) || isnan(y))
			return isnan(x) - isnan(y);
		return (x > y) - (x < y);
	}
	case PHYSICAL_VIEW: {
		Str x = kernel_text(call, a, row), y = kernel_text(call, b, row);
		uint32_t len = x.len < y.len ? x.len : y.len;
		int order = len > 0 ? memcmp(x.data, y.data, len) : 0;
		return order != 0 ? order : (x.len > y.len) - (x.len < y.len);
	}
	case PHYSICAL_INTERVAL:
		return interval_compare(kernel_interval(call, a, row),
		                        kernel_interval(call, b, row));
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT:
		break; /* refused by result_single */
	}
	return 0;
}

/* The type of the last argument; arrays, maps and structs have no order and are not copied here. */
Status
result_single(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	Physical physical = type_physical(args[count - 1]->type);

	(void)arena, (void)err;
	if (physical != PHYSICAL_LIST && physical != PHYSICAL_STRUCT)
		*type = args[count - 1]->type;
	return FERRIS_OK;
}

/* ---- GREATEST, LEAST: NULLs do not count ---- */

static void
extreme_rows(KernelCall *call, int wanted)
{
	KERNEL_EACH_ROW(call, row) {
		uint32_t best = UINT32_MAX;

		for (uint32_t k = 0; k < call->arg_count; k++) {
			if (kernel_is_null(call, k, row))
				continue;
			if (best == UINT32_MAX || compare_values(call, row, k, best) * wanted > 0)
				best = k;
		}
		if (best == UINT32_MAX)
			vector_set_null(call->out, row);
		else
			copy_value(call, row, best);
	}
}

void
conditional_greatest(KernelCall *call)
{
	extreme_rows(call, 1);
}

void
conditional_least(KernelCall *call)
{
	extreme_rows(call, -1);
}

/* ---- NULLIF(a, b) ---- */

void
conditional_nullif(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row) {
		if (kernel_is_null(call, 0, row) ||
		    (!kernel_is_null(call, 1, row) && compare_values(call, row, 0, 1) == 0))
			vector_set_null(call->out, row);
		else
			copy_value(call, row, 0);
	}
}

/* ---- NVL2(x, if_not_null, if_null) ---- */

void
conditional_nvl2(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row) {
		uint32_t arg = kernel_is_null(call, 0, row) ? 2 : 1;

		if (kernel_is_null(call, arg, row))
			vector_set_null(call->out, row);
		else
			copy_value(call, row, arg);
	}
}
