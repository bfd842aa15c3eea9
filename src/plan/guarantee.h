/* plan/guarantee.h -- what a crash may do to the output of a statement. */
#pragma once

#include "plan/plan.h"

/* Sets plan->guarantee, and the setting where the user gave none; scans, sink and dead letters are
 * known. */
Status plan_guarantee(Arena *arena, StatementPlan *plan, Error *err);
/* Then, with all statements of the script: those that write one file cannot take back what is
 * theirs of it. */
Status plan_guarantee_apart(Arena *arena, const ScriptPlan *script, Error *err);
