/* func/compare.h -- the order of two values, one pair at a time. */
#pragma once

#include "type/vector.h"

/* By bytes. */
int text_compare(StringView a, StringView b);
/* -1, 0 or 1; both of one type, neither NULL.  NaN is equal to itself and after all numbers. */
int vector_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);

/* The same as ORDER BY has it: NULLs are equal to each other, first or last. */
static inline int
vector_order(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row, bool descending,
	      bool nulls_first)
{
	bool a_null = vector_is_null(a, a_row);
	bool b_null = vector_is_null(b, b_row);

	if (a_null || b_null)
		return a_null == b_null ? 0 : a_null == nulls_first ? -1 : 1;
	int order = vector_compare(a, a_row, b, b_row);
	return descending ? -order : order;
}
