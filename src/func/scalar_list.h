/* func/scalar_list.h -- every scalar function and operator, one row per overload.
 *
 * SCALAR(name, arguments, result, kernel, flags, category, signature, doc)
 * SCALAR_PLAN(name, arguments, result, planner, flags, category, signature, doc)
 * SCALAR_NODE(name, arguments, result, kind, category, signature, doc)
 *
 *   name       in SQL, in capitals; further names after '|'
 *   arguments  one word per argument, separated by blanks:
 *                BOOLEAN BIGINT DOUBLE STRING ...  that type; the argument is converted to it if
 *                               that can be done implicitly (func/bound.h)
 *                INTEGER        any integer type as it is (all are held in the same 64-bit lane)
 *                DECIMAL        a DECIMAL as it is; integers become DECIMAL(digits, 0)
 *                EXACT          an integer or DECIMAL as it is
 *                NUMBER         any number as it is
 *                TEXT           STRING; any other scalar is cast to STRING
 *                ANY            anything as it is
 *                T              all arguments marked T are converted to their common type
 *                ARRAY MAP STRUCT  any type of that kind as it is
 *              a word followed by ? may be left out (so may those after it); the last word
 *              followed by * stands for any number of arguments, by + for at least one
 *   result     rule that gives the result type: result_<name> of func/kernel.h or a function of
 *              the file that holds the kernel
 *   kernel     the loop;  planner: chooses the loop when the query is planned (func/kernel.h);
 *              kind: the call becomes a node of that BoundKind instead (func/bound.h)
 *   flags      SCALAR_STRICT, SCALAR_VOLATILE, SCALAR_FALLIBLE, SCALAR_OPERATOR
 *   category   chapter in docs/functions.md
 *   signature  as documented and as shown in errors;  doc: one sentence
 *
 * Of the rows that fit, the one that needs the least conversion wins; of equals, the first. */
#ifndef SCALAR
#error "define SCALAR, SCALAR_PLAN and SCALAR_NODE before including func/scalar_list.h"
#endif

#define STRICT SCALAR_STRICT
#define FALLIBLE SCALAR_FALLIBLE
#define VOLATILE SCALAR_VOLATILE
#define OPERATOR SCALAR_OPERATOR

/* ---- func/arithmetic.c ---- */
SCALAR_PLAN("+", "INTEGER INTEGER", result_integer_wider, plan_integer_add,
            STRICT | FALLIBLE | OPERATOR, "operators", "a + b",
            "Sum; an integer that does not fit the result type is an error.")

/* ---- func/string.c: LENGTH, UPPER, SUBSTRING, ... ---- */

/* ---- func/math.c: ABS, ROUND, ... ---- */

/* ---- func/temporal_fn.c: EXTRACT, DATE_TRUNC, ... ---- */

/* ---- func/conditional.c: NULLIF, LEAST, GREATEST, ... ---- */

#undef STRICT
#undef FALLIBLE
#undef VOLATILE
#undef OPERATOR
#undef SCALAR
#undef SCALAR_PLAN
#undef SCALAR_NODE
