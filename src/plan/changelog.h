/* plan/changelog.h -- which nodes take rows back, and who must know.
 *
 * Most nodes only add rows.  A group with EMIT CHANGES replaces its result; what stands above it
 * must then see the result that is replaced, or the key, depending on what it does with the rows.
 * plan_changelog goes through a plan from the sink down, tells each group what it must put out, and
 * refuses what cannot be right. */
#pragma once

#include "plan/plan.h"

/* After the root and the sink are known. */
Status plan_changelog(Arena *arena, StatementPlan *plan, Error *err);
