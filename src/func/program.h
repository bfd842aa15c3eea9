/* func/program.h -- compiled expressions: loops over the vectors of a batch.
 *
 * A Program holds a list of expressions and the vectors they need.  Running it evaluates each on
 * the batch's selected rows.  A row whose evaluation fails (overflow, division by zero, a cast
 * that cannot be) is added to batch->errors and leaves the selection; the other rows go on.
 *
 * Owns: its registers.  Threads: one program belongs to one task; compile one for each. */
#pragma once

#include "func/bound.h"
#include "type/batch.h"

typedef struct Program Program;

/* Compiles `count` expressions; registers are freed by program_free. */
Status program_compile(Arena *arena, BoundExpr *const *exprs, uint32_t count, Program **out,
		       Error *err);
void program_free(Program *program);
/* Evaluates all expressions on the selected rows.  names[i] (may be NULL) is the output column
 * that row errors name.  results[i] afterwards points to the i-th result: one of the batch's own
 * columns, or a register that stays valid until the next run. */
void program_run(Program *program, Batch *batch, const Str *names, const Vector **results);
/* The first expression is a predicate: keep the rows where it is true; counts the others in
 * batch->filtered.  Later expressions are further conjuncts, each seeing only the rows left. */
void program_filter(Program *program, Batch *batch);
