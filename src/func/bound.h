/* func/bound.h -- expressions after name and type resolution.
 *
 * The binder (plan/) turns the parser's tree into these; program_compile (func/program.h) turns
 * them into loops over vectors.  Operators are functions with the operator as their name, so
 * that there is one list of everything that can be called (func/scalar_list.h).  What must not
 * evaluate all of its arguments on all rows (AND, OR, CASE, COALESCE, TRY) is a kind of its own.
 *
 * Immutable once built; lives in the plan's arena. */
#pragma once

#include "type/value.h"

typedef struct ScalarFunction ScalarFunction;
typedef struct BoundExpr BoundExpr;

typedef enum BoundKind {
	BOUND_CONSTANT,
	BOUND_COLUMN, /* a column of the input batch */
	BOUND_CALL,   /* function(args): every argument on every selected row */
	BOUND_CAST,   /* args[0] to the type */
	BOUND_AND,    /* args: the right ones only on rows that the left ones leave open */
	BOUND_OR,
	BOUND_CASE,     /* args: condition, result, condition, result, ..., default */
	BOUND_COALESCE, /* args: each only on rows that are still NULL */
	BOUND_TRY,      /* args[0]; a row error becomes NULL */
	BOUND_FIELD,    /* field number `column` of the STRUCT args[0] */
} BoundKind;

typedef enum CastMode {
	CAST_EXPLICIT, /* CAST: decimals round HALF_UP; what cannot be converted is a row error */
	CAST_TRY,      /* TRY_CAST: the same, but NULL instead of the error */
	CAST_IMPLICIT, /* assignment and argument conversion: a lost digit is a row error */
} CastMode;

struct BoundExpr {
	BoundKind kind;
	const Type *type;
	Position position;              /* in the SQL, for error messages */
	Value constant;                 /* CONSTANT */
	uint32_t column;                /* COLUMN: index in the batch; FIELD: index in the struct */
	Str name;                       /* COLUMN, FIELD: for messages */
	const ScalarFunction *function; /* CALL */
	CastMode cast;                  /* CAST */
	BoundExpr **args;
	uint32_t arg_count;
};

BoundExpr *bound_constant(Arena *arena, Value value, Position at);
BoundExpr *bound_column(Arena *arena, uint32_t column, const Type *type, Str name, Position at);
/* A node of another kind; args are copied. */
BoundExpr *bound_node(Arena *arena, BoundKind kind, const Type *type, BoundExpr *const *args,
		      uint32_t count, Position at);
/* expr itself if it has the type already.  FERRIS_ERR_TYPE if no conversion exists in that mode:
 * implicit ones go integer -> wider integer -> DECIMAL -> DOUBLE, DATE -> TIMESTAMP, FLOAT ->
 * DOUBLE, JSON -> STRING, NULL -> anything, a string literal -> date, time or interval, and (for
 * INSERT) also narrowing between exact numbers with a check per row. */
Status bound_cast(Arena *arena, BoundExpr *expr, const Type *type, CastMode mode, BoundExpr **out,
		  Error *err);
/* The type to which both can be converted implicitly, or NULL. */
const Type *type_common(Arena *arena, const Type *a, const Type *b);
/* Calls `visit` for every node, parents first. */
void bound_walk(BoundExpr *expr, void (*visit)(BoundExpr *expr, void *context), void *context);
/* Whether two expressions over the same columns are the same. */
bool bound_equal(const BoundExpr *a, const BoundExpr *b);
/* Without the conversions that a comparison needed; keys get their own. */
BoundExpr *bound_without_cast(BoundExpr *expr);
/* As SQL, for EXPLAIN: "price * quantity", "CAST(price AS DOUBLE)". */
Str bound_text(Arena *arena, const BoundExpr *expr);
