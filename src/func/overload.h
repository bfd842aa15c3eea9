/* func/overload.h -- which row of a list of functions a call means.
 *
 * Scalar functions (scalar_list.h) and aggregates (aggregate_list.h) are chosen alike: by name,
 * by the pattern of their arguments, and of the rows that fit by the least conversion. */
#pragma once

#include "func/kernel.h"

typedef struct Overload {
	const char *name;      /* "CEIL|CEILING": the first is the canonical one */
	const char *arguments; /* the pattern, see scalar_list.h */
	ResultRule result;
	const char *signature;
	bool is_operator; /* has a syntax of its own; cannot be called by name in SQL */
} Overload;

typedef struct OverloadList OverloadList;
struct OverloadList {
	Overload (*row)(size_t i);
	size_t count;
	const OverloadList *also; /* further names for "did you mean", or NULL */
};

typedef struct OverloadCall {
	size_t row;       /* in the list */
	BoundExpr **args; /* with the casts that the row needs */
	const Type *type; /* of the result */
} OverloadCall;

extern const OverloadList function_overloads;
extern const OverloadList aggregate_overloads;

/* FERRIS_ERR_UNKNOWN_FUNCTION, FERRIS_ERR_ARGUMENTS or FERRIS_ERR_TYPE as function_bind. */
Status overload_resolve(Arena *arena, const OverloadList *list, Str name, BoundExpr *const *args,
			uint32_t count, Position at, OverloadCall *out, Error *err);
/* Whether any row that is not an operator has the name. */
bool overload_exists(const OverloadList *list, Str name);
/* The next name of "CEIL|CEILING" at *list, which moves on; "||" is itself a name. */
bool overload_next_name(const char **list, Str *name);
Str overload_first_name(const char *names);
