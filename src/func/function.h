/* func/function.h -- the scalar functions and operators, found by name and argument types.
 *
 * One row in scalar_list.h per overload: name, argument types, result rule, kernel, flags, a
 * signature and a sentence for docs/functions.md. */
#pragma once

#include "func/bound.h"

/* Builds the call `name(args)` with the implicit casts that the chosen overload needs, or sets
 * FERRIS_ERR_UNKNOWN_FUNCTION (with "did you mean") or FERRIS_ERR_ARGUMENTS / FERRIS_ERR_TYPE
 * (with the signatures there are).  Operators: "+ - * / % || = <> < <= > >=", "NOT", "NEG",
 * "IS NULL", "IS NOT NULL", "IS TRUE", "IS FALSE", "IS UNKNOWN" and their NOT forms,
 * "IS DISTINCT FROM", "IS NOT DISTINCT FROM", "LIKE", "ILIKE" (third argument: escape), "IN". */
Status function_bind(Arena *arena, Str name, BoundExpr *const *args, uint32_t count, Position at,
		     BoundExpr **out, Error *err);
/* Whether any scalar function has that name, whatever its arguments. */
bool function_exists(Str name);
/* Its first name in the list, "+" or "ROUND". */
Str function_name(const ScalarFunction *function);
/* Evaluates every constant part of the expression once; a constant part that always fails is
 * FERRIS_ERR_CONSTANT at its position unless it stands where it may never run (CASE, TRY, ...). */
Status bound_fold(Arena *arena, BoundExpr *expr, BoundExpr **out, Error *err);

/* For documentation, SHOW FUNCTIONS and completion: row i of the list, or NULL at its end. */
typedef struct FunctionDoc {
	const char *name;
	const char *category;  /* math, string, conditional, ... */
	const char *signature; /* "ROUND(x[, digits[, mode]])" */
	const char *doc;
} FunctionDoc;
const FunctionDoc *function_doc(size_t i);

/* The value of an expression without columns; a row error becomes FERRIS_ERR_CONSTANT at its
 * position.  Text is in the arena. */
Status bound_evaluate(Arena *arena, const BoundExpr *expr, Value *out, Error *err);
