/* func/nested_make.c -- ARRAY, STRUCT and MAP values from their parts.
 *
 * A MAP has no NULL among its keys and none twice: such a row is an error. */
#include "func/nested.h"

#define KEYS_MAX 4096 /* of a map that is made: each key is compared with those before it */

/* Whether argument i is of the type of argument i - step; the binder has cast them. */
static bool
are_alike(BoundExpr *const *args, uint32_t count, uint32_t step)
{
	for (uint32_t i = step; i < count; i++)
		if (!type_equal(args[i]->type, args[i - step]->type))
			return false;
	return true;
}

/* ---- ARRAY(a, b, ...) ---- */

Status
result_array(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)err;
	if (count > 0 && are_alike(args, count, 1))
		*type = type_array(arena, args[0]->type);
	return FERRIS_OK;
}

void
nested_array(KernelCall *call)
{
	KERNEL_EACH_ROW(call, row)
	{
		uint32_t first = vector_list_append(call->out, call->arg_count);

		for (uint32_t k = 0; k < call->arg_count; k++)
			nested_copy(&call->out->children[0], first + k, call->args[k],
				    kernel_at(call, k, row), 1);
		VECTOR_DATA(call->out, ListEntry)[row] = (ListEntry){first, call->arg_count};
	}
}

/* ---- STRUCT(a, b, ...): the binder names the fields ---- */

Status
result_struct(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	Field *fields = ARENA_ARRAY(arena, Field, count);

	(void)err;
	for (uint32_t i = 0; i < count; i++)
		fields[i] = (Field){.name = str_format(arena, "f%u", i + 1), .type = args[i]->type};
	*type = type_struct(arena, fields, count);
	return FERRIS_OK;
}

void
nested_struct(KernelCall *call)
{
	for (uint32_t k = 0; k < call->arg_count; k++)
		KERNEL_EACH_ROW(call, row)
		{
			nested_copy(&call->out->children[k], row, call->args[k],
				    kernel_at(call, k, row), 1);
		}
}

/* ---- MAP(key, value, ...), MAP_FROM_ARRAYS(keys, values) ---- */

Status
result_map(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)err;
	if (count % 2 == 0 && are_alike(args, count, 2) && nested_is_single(args[0]->type))
		*type = type_map(arena, args[0]->type, args[1]->type);
	return FERRIS_OK;
}

Status
result_map_of(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	const Type *key = args[0]->type->fields[0].type;

	(void)count, (void)err;
	if (nested_is_single(key))
		*type = type_map(arena, key, args[1]->type->fields[0].type);
	return FERRIS_OK;
}

/* Whether the `count` entries of the map from `first` on have keys; else the row fails. */
static bool
check_keys(KernelCall *call, uint32_t row, uint32_t first, uint32_t count)
{
	const Vector *keys = &call->out->children[0];

	if (count > KEYS_MAX) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			    "a MAP of %u keys: at most %d can be made", count, KEYS_MAX);
		return false;
	}
	for (uint32_t i = first; i < first + count; i++) {
		if (vector_is_null(keys, i)) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "a key of the MAP is NULL");
			return false;
		}
		for (uint32_t j = first; j < i; j++)
			if (nested_equal(keys, i, keys, j)) {
				kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
					    "keys %u and %u of the MAP are equal", j - first + 1,
					    i - first + 1);
				return false;
			}
	}
	return true;
}

void
nested_map(KernelCall *call)
{
	Vector *sides = call->out->children;
	uint32_t count = call->arg_count / 2;

	KERNEL_EACH_ROW(call, row)
	{
		uint32_t first = vector_list_append(call->out, count);

		for (uint32_t k = 0; k < call->arg_count; k++)
			nested_copy(&sides[k % 2], first + k / 2, call->args[k],
				    kernel_at(call, k, row), 1);
		if (check_keys(call, row, first, count))
			VECTOR_DATA(call->out, ListEntry)[row] = (ListEntry){first, count};
	}
}

void
nested_map_of(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		ListEntry keys = nested_list(call, 0, row);
		ListEntry values = nested_list(call, 1, row);

		if (keys.len != values.len) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
				    "MAP_FROM_ARRAYS of %u keys and %u values", keys.len,
				    values.len);
			continue;
		}
		uint32_t first = vector_list_append(call->out, keys.len);
		nested_copy(&call->out->children[0], first, &call->args[0]->children[0],
			    keys.offset, keys.len);
		nested_copy(&call->out->children[1], first, &call->args[1]->children[0],
			    values.offset, values.len);
		if (check_keys(call, row, first, keys.len))
			VECTOR_DATA(call->out, ListEntry)[row] = (ListEntry){first, keys.len};
	}
}
