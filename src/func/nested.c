/* func/nested.c -- functions of ARRAY and MAP values; what makes them is in nested_make.c. */
#include "func/nested.h"

#include <math.h>

#include "func/compare.h"

bool
nested_is_single(const Type *type)
{
	Physical physical = type_physical(type);

	return physical != PHYSICAL_LIST && physical != PHYSICAL_STRUCT;
}

void
nested_copy(Vector *to, uint32_t to_first, const Vector *from, uint32_t from_first,
              uint32_t count)
{
	size_t size = physical_size(type_physical(from->type));

	if (!nested_is_single(from->type)) {
		for (uint32_t i = 0; i < count; i++)
			vector_copy(to, to_first + i, from, from_first + i, NULL);
		return;
	}
	memcpy((char *)to->data + to_first * size, (const char *)from->data + from_first * size,
	       count * size);
	for (uint32_t i = 0; i < count; i++) {
		if (vector_is_null(from, from_first + i))
			vector_set_null(to, to_first + i);
		else
			vector_set_valid(to, to_first + i);
	}
}

void
nested_length(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_int(call, row, nested_list(call, 0, row).len);
}

/* ---- comparing an element with an argument ---- */

/* Can `a` and `b` be compared value by value? */
static bool
is_comparable(const Type *a, const Type *b)
{
	if (!nested_is_single(a) || !nested_is_single(b))
		return false;
	return a->kind == b->kind || (type_is_numeric(a) && type_is_numeric(b));
}

static Int128
exact_at(const Vector *v, uint32_t at)
{
	return type_physical(v->type) == PHYSICAL_INT128 ? VECTOR_DATA(v, const Int128)[at]
	                                                 : VECTOR_DATA(v, const int64_t)[at];
}

static int
scale_of(const Type *type)
{
	return type->kind == TYPE_DECIMAL ? type->scale : 0;
}

static double
real_at(const Vector *v, uint32_t at)
{
	return type_is_approximate(v->type) ? VECTOR_DATA(v, const double)[at]
	                                    : decimal_to_double(exact_at(v, at), scale_of(v->type));
}

/* NaN is the largest number and equal to itself. */
static int
real_order(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b) == 0 ? 0 : isnan(a) ? 1 : -1;
	return (a > b) - (a < b);
}

static int
order_of(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

/* -1, 0 or 1, of two values that are not NULL, of one kind or two numbers. */
static int
nested_order(const Vector *a, uint32_t i, const Vector *b, uint32_t j)
{
	if (type_is_exact(a->type) && type_is_exact(b->type))
		return decimal_compare128(exact_at(a, i), scale_of(a->type), exact_at(b, j),
					  scale_of(b->type));
	if (type_is_numeric(a->type))
		return real_order(real_at(a, i), real_at(b, j));
	switch (type_physical(a->type)) {
	case PHYSICAL_BOOL:
		return order_of(VECTOR_DATA(a, const uint8_t)[i],
				VECTOR_DATA(b, const uint8_t)[j]);
	case PHYSICAL_INT64:
		return order_of(VECTOR_DATA(a, const int64_t)[i],
				VECTOR_DATA(b, const int64_t)[j]);
	case PHYSICAL_VIEW:
		return text_compare(VECTOR_DATA(a, const StringView)[i],
				    VECTOR_DATA(b, const StringView)[j]);
	case PHYSICAL_INTERVAL:
		return interval_compare(VECTOR_DATA(a, const Interval)[i],
					VECTOR_DATA(b, const Interval)[j]);
	default:
		return -1; /* refused by the result rules */
	}
}

bool
nested_equal(const Vector *a, uint32_t i, const Vector *b, uint32_t j)
{
	return nested_order(a, i, b, j) == 0;
}

/* Index of the first element of the list that equals the argument, or -1; *saw_null if an element
 * before it is NULL. */
static int64_t
find_element(const KernelCall *call, uint32_t row, const Vector *elements, uint32_t arg,
             bool *saw_null)
{
	ListEntry list = nested_list(call, 0, row);
	uint32_t wanted = kernel_at(call, arg, row);

	*saw_null = false;
	for (uint32_t i = 0; i < list.len; i++) {
		if (vector_is_null(elements, list.offset + i))
			*saw_null = true;
		else if (nested_equal(elements, list.offset + i, call->args[arg], wanted))
			return i;
	}
	return -1;
}

/* ---- ARRAY_CONTAINS(array, x), ARRAY_POSITION(array, x) ---- */

Status
result_contains(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	if (is_comparable(args[0]->type->fields[0].type, args[1]->type))
		*type = TYPE_OF(BOOLEAN);
	return FERRIS_OK;
}

Status
result_position(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	if (is_comparable(args[0]->type->fields[0].type, args[1]->type))
		*type = TYPE_OF(BIGINT);
	return FERRIS_OK;
}

void
nested_contains(KernelCall *call)
{
	bool saw_null;

	KERNEL_EACH_VALID(call, row)
		kernel_set_bool(call, row,
		                find_element(call, row, &call->args[0]->children[0], 1,
		                             &saw_null) >= 0);
}

void
nested_position(KernelCall *call)
{
	bool saw_null;

	KERNEL_EACH_VALID(call, row)
		kernel_set_int(call, row,
		               find_element(call, row, &call->args[0]->children[0], 1,
		                            &saw_null) + 1);
}

/* ---- x = ANY (array) and its kin ---- */

Status
result_any_of(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	if (is_comparable(args[1]->type->fields[0].type, args[0]->type))
		*type = TYPE_OF(BOOLEAN);
	return FERRIS_OK;
}

/* Orders of x and an element that are wanted. */
typedef struct Wanted {
	bool less, equal, greater;
} Wanted;

/* TRUE if an element is wanted, NULL if none is but one might be, else FALSE. */
static void
any_of(KernelCall *call, Wanted wanted)
{
	KERNEL_EACH_ROW(call, row) {
		bool unknown = kernel_is_null(call, 1, row);
		ListEntry list = unknown ? (ListEntry){0, 0} : nested_list(call, 1, row);
		const Vector *elements = &call->args[1]->children[0];
		bool found = false;

		if (list.len > 0 && kernel_is_null(call, 0, row)) {
			unknown = true;
			list.len = 0;
		}
		for (uint32_t i = 0; i < list.len && !found; i++) {
			if (vector_is_null(elements, list.offset + i)) {
				unknown = true;
				continue;
			}
			int order = nested_order(call->args[0], kernel_at(call, 0, row), elements,
						 list.offset + i);
			found = order < 0    ? wanted.less
				: order == 0 ? wanted.equal
					     : wanted.greater;
		}
		if (unknown && !found)
			vector_set_null(call->out, row);
		else
			kernel_set_bool(call, row, found);
	}
}

#define ANY_OF(name, less, equal, greater)                                                         \
	void nested_any_##name(KernelCall *call)                                                   \
	{                                                                                          \
		any_of(call, (Wanted){less, equal, greater});                                      \
	}

ANY_OF(equal, false, true, false)
ANY_OF(unequal, true, false, true)
ANY_OF(less, true, false, false)
ANY_OF(less_equal, true, true, false)
ANY_OF(greater, false, false, true)
ANY_OF(greater_equal, false, true, true)

/* ---- ELEMENT_AT(array, n), ELEMENT_AT(map, key) ---- */

Status
result_element(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	*type = args[0]->type->fields[0].type;
	return FERRIS_OK;
}

Status
result_map_value(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
                 Error *err)
{
	const Field *fields = args[0]->type->fields;

	(void)arena, (void)count, (void)err;
	if (is_comparable(fields[0].type, args[1]->type))
		*type = fields[1].type;
	return FERRIS_OK;
}

/* Counted from 1, or from the end by a negative number; NULL where there is no element. */
void
nested_element(KernelCall *call)
{
	const Vector *elements = &call->args[0]->children[0];

	KERNEL_EACH_VALID(call, row) {
		ListEntry list = nested_list(call, 0, row);
		int64_t n = kernel_int(call, 1, row);

		if (n < 0)
			n += (int64_t)list.len + 1;
		if (n < 1 || n > list.len)
			vector_set_null(call->out, row);
		else
			nested_copy(call->out, row, elements, list.offset + (uint32_t)(n - 1), 1);
	}
}

void
nested_map_value(KernelCall *call)
{
	const Vector *map = call->args[0];
	bool saw_null;

	KERNEL_EACH_VALID(call, row) {
		int64_t i = find_element(call, row, &map->children[0], 1, &saw_null);

		if (i < 0)
			vector_set_null(call->out, row);
		else
			nested_copy(call->out, row, &map->children[1],
			              nested_list(call, 0, row).offset + (uint32_t)i, 1);
	}
}

/* ---- MAP_KEYS, MAP_VALUES ---- */

static Status
result_side(Arena *arena, BoundExpr *const *args, uint32_t side, const Type **type)
{
	*type = type_array(arena, args[0]->type->fields[side].type);
	return FERRIS_OK;
}

Status
result_map_keys(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)count, (void)err;
	return result_side(arena, args, 0, type);
}

Status
result_map_values(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
                  Error *err)
{
	(void)count, (void)err;
	return result_side(arena, args, 1, type);
}

static void
map_side_rows(KernelCall *call, uint32_t side)
{
	KERNEL_EACH_VALID(call, row) {
		ListEntry list = nested_list(call, 0, row);
		uint32_t first = vector_list_append(call->out, list.len);

		nested_copy(&call->out->children[0], first, &call->args[0]->children[side],
		              list.offset, list.len);
		VECTOR_DATA(call->out, ListEntry)[row] = (ListEntry){first, list.len};
	}
}

void
nested_map_keys(KernelCall *call)
{
	map_side_rows(call, 0);
}

void
nested_map_values(KernelCall *call)
{
	map_side_rows(call, 1);
}
