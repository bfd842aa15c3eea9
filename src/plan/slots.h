/* plan/slots.h -- the places of the expressions of a node, for rules that rewrite them. */
#pragma once

#include "plan/plan.h"

/* They read the columns of the node's input. */
typedef struct Slots {
	BoundExpr ***items;
	uint32_t count;
} Slots;

Slots slots_of(Arena *arena, PlanNode *node);
