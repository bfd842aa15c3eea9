/* func/nested.h -- what functions of nested values share. */
#pragma once

#include "func/kernel.h"

/* Neither ARRAY, MAP nor STRUCT. */
bool nested_is_single(const Type *type);
/* Copies `count` values with their NULLs; bytes stay where they are. */
void nested_copy(Vector *to, uint32_t to_first, const Vector *from, uint32_t from_first,
		 uint32_t count);
/* Of two values that are not NULL, of one kind or two numbers. */
bool nested_equal(const Vector *a, uint32_t i, const Vector *b, uint32_t j);

static inline ListEntry
nested_list(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const ListEntry)[kernel_at(call, arg, row)];
}
