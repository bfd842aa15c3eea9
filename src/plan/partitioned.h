/* plan/partitioned.h -- state that is kept partition by partition, by 'state.partitioned'. */
#pragma once

#include "plan/plan.h"

/* Sets plan->partitioned where the option asks for it and the statement keeps state; the guarantee
 * is known.  FERRIS_ERR_NOT_SUPPORTED if rows that belong together may lie in several partitions.
 */
Status plan_partitioned(StatementPlan *plan, Error *err);
