/* plan/partitioned.h -- state that is kept partition by partition, by 'state.partitioned'. */
#pragma once

#include "plan/plan.h"

/* The error of a statement that asks for it and cannot have it. */
Status plan_refuse_partitions(const StatementPlan *plan, const char *why, const char *mend,
			      Error *err);

/* Sets plan->partitioned where the option asks for it and the statement keeps state; the guarantee
 * is known.  *before: the statements that go in front, by plan/repartition.c.
 * FERRIS_ERR_NOT_SUPPORTED if rows that belong together cannot be brought into one partition. */
Status plan_partitioned(Arena *arena, Str application, StatementPlan *plan, StatementPlan **before,
			uint32_t *before_count, Error *err);
