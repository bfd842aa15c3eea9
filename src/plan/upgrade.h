/* plan/upgrade.h -- what a changed script keeps of the state of the one before.
 *
 * Threads: any; the plans are only read. */
#pragma once

#include "plan/plan.h"

/* Text, or one JSON object, in the arena.  `*loses`: some state finds no place in `now`. */
Str plan_explain_upgrade(Arena *arena, const ScriptPlan *before, const ScriptPlan *now, bool json,
			 bool *loses);
