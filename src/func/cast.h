/* func/cast.h -- which types convert to which, and the kernels that do it. */
#pragma once

#include "func/kernel.h"

/* Whether a conversion exists in that mode, for some values at least. */
bool cast_exists(const Type *from, const Type *to, CastMode mode);
/* Implicit conversions that lose nothing whatever the value: how far it is from `from` to `to`
 * (0 = the same type), or -1 if there is none.  For choosing among overloads. */
int cast_distance(const Type *from, const Type *to);
/* A planner for BOUND_CAST nodes.  plan->kernel stays NULL if the value is the same in both types:
 * then the argument's data serves as the result's. */
Status cast_plan(Arena *arena, const BoundExpr *cast, KernelPlan *plan, Error *err);
