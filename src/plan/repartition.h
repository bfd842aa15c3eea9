/* plan/repartition.h -- rows that belong together are brought into one partition by a topic.
 *
 *     source -> X_repartition -> topic <group>-X-repartition -> X
 *
 * Where a statement whose state is kept partition by partition (plan/partitioned.h) brings rows
 * together by something else than the key of its source's records, a statement goes in front: it
 * writes the columns that are needed, as JSON, to a topic whose partitions are chosen by what the
 * rows are brought together by.  The statement itself then reads that topic in place of the source;
 * its plan stays as it is. */
#pragma once

#include "plan/plan.h"

/* Changes the scans of the plan, and returns the statements that go in front, one for each scan; in
 * the arena.  FERRIS_ERR_NOT_SUPPORTED if what rows are brought together by is not computed of the
 * record alone. */
Status plan_repartition(Arena *arena, Str application, StatementPlan *plan, StatementPlan **before,
			Error *err);
