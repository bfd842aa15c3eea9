/* func/function.c -- find the function or operator that a call means (func/overload.h). */
#include "func/function.h"

#include "func/overload.h"

static const ScalarFunction functions[] = {
#define SCALAR(name, arguments, result, kernel, flags, category, signature, doc)                   \
	{name, arguments, result, kernel, NULL, -1, flags, category, signature, doc},
#define SCALAR_PLAN(name, arguments, result, planner, flags, category, signature, doc)             \
	{name, arguments, result, NULL, planner, -1, flags, category, signature, doc},
#define SCALAR_NODE(name, arguments, result, kind, category, signature, doc)                       \
	{name, arguments, result, NULL, NULL, kind, 0, category, signature, doc},
#include "func/scalar_list.h"
};
#define FUNCTION_COUNT (sizeof functions / sizeof functions[0])

static Overload
function_overload(size_t i)
{
	const ScalarFunction *f = &functions[i];

	return (Overload){f->name, f->arguments, f->result, f->signature,
			  (f->flags & SCALAR_OPERATOR) != 0};
}

const OverloadList function_overloads = {function_overload, FUNCTION_COUNT, &aggregate_overloads};

Str
function_name(const ScalarFunction *function)
{
	return overload_first_name(function->name);
}

bool
function_exists(Str name)
{
	return overload_exists(&function_overloads, name);
}

const FunctionDoc *
function_doc(size_t i)
{
	static const FunctionDoc docs[] = {
#define SCALAR(name, arguments, result, kernel, flags, category, signature, doc)                   \
	{name, category, signature, doc},
#define SCALAR_PLAN(name, arguments, result, planner, flags, category, signature, doc)             \
	{name, category, signature, doc},
#define SCALAR_NODE(name, arguments, result, kind, category, signature, doc)                       \
	{name, category, signature, doc},
#include "func/scalar_list.h"
	};

	return i < FUNCTION_COUNT ? &docs[i] : NULL;
}

const ScalarFunction *
function_row(size_t i)
{
	return i < FUNCTION_COUNT ? &functions[i] : NULL;
}

Status
function_bind(Arena *arena, Str name, BoundExpr *const *args, uint32_t count, Position at,
	      BoundExpr **out, Error *err)
{
	OverloadCall call;

	TRY(overload_resolve(arena, &function_overloads, name, args, count, at, &call, err));
	const ScalarFunction *function = &functions[call.row];
	BoundKind kind = function->node < 0 ? BOUND_CALL : (BoundKind)function->node;
	*out = bound_node(arena, kind, call.type, call.args, count, at);
	(*out)->function = kind == BOUND_CALL ? function : NULL;
	return FERRIS_OK;
}

/* ---- shared result rules ---- */

#define RESULT(name, kind)                                                                         \
	Status result_##name(Arena *arena, BoundExpr *const *args, uint32_t count,                 \
			     const Type **type, Error *err)                                        \
	{                                                                                          \
		(void)arena, (void)args, (void)count, (void)err;                                   \
		*type = TYPE_OF(kind);                                                             \
		return FERRIS_OK;                                                                  \
	}
SHARED_RESULT_LIST(RESULT)
#undef RESULT

Status
result_first(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	*type = args[0]->type;
	return FERRIS_OK;
}

Status
result_second(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)count, (void)err;
	*type = args[1]->type;
	return FERRIS_OK;
}

Status
result_last(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type, Error *err)
{
	(void)arena, (void)err;
	*type = args[count - 1]->type;
	return FERRIS_OK;
}
