/* plan/rules.h -- rewrite a bound plan so that less is read, decoded and computed.
 *
 * 1. A Project over a Project, and a Filter over a Project, are merged where that computes no
 *    expression twice; Filters over each other become one.
 * 2. Conjuncts of the form column <op> constant move into the scan: the decoder skips the rest of
 *    a record that fails one.
 * 3. The scan keeps the columns that somebody reads; an integer or decimal that only goes from the
 *    record to the sink is asked for as TEXT. */
#pragma once

#include "plan/plan.h"

/* A copy of `expr` with each column i replaced by replacements[i]; NULL if one of those is. */
BoundExpr *bound_substitute(Arena *arena, const BoundExpr *expr, BoundExpr *const *replacements);

/* Rewrites in place; expressions are copied, never changed.  Returns the new root.  `encoded`: its
 * rows go straight to an encoder, which takes TEXT. */
PlanNode *plan_push_down(Arena *arena, PlanNode *root, bool encoded);
