/* func/cast_value.h -- what func/cast.c and func/cast_text.c share. */
#pragma once

#include "func/kernel.h"

#define CAST_SHOWN_MAX 80 /* bytes of a value in a message */

typedef enum CastResult {
	CAST_OK,
	CAST_BAD_TEXT, /* the text is not of the type's form */
	CAST_RANGE,    /* outside the type's range */
	CAST_DIGITS,   /* a digit would be lost and nobody asked for rounding */
} CastResult;

/* Fails the row, or makes it NULL for TRY_CAST. */
void cast_fail(KernelCall *call, uint32_t row, CastResult result);
CastResult cast_from_decimal_result(DecimalResult result);
/* HALF_UP if the SQL says CAST, EXACT for an implicit conversion. */
DecimalRounding cast_rounding(const KernelCall *call);
CastResult cast_check_integer(const Type *type, int64_t v);

/* The kernel from STRING or JSON, NULL if the bytes serve as they are. */
Kernel cast_kernel_from_text(const Type *from, const Type *to);
/* The kernel to STRING or JSON. */
Kernel cast_kernel_to_text(const Type *from);
