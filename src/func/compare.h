/* func/compare.h -- the order of two values, one pair at a time. */
#pragma once

#include "type/vector.h"

/* By bytes. */
int text_compare(StringView a, StringView b);
/* -1, 0 or 1; both of one type, neither NULL.  NaN is equal to itself and after all numbers. */
int vector_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row);
