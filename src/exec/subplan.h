/* exec/subplan.h -- a bounded plan inside a statement: read to its end before the input begins.
 *
 * The table of a join and the query of a subquery are plans with a source of their own.  Whatever
 * keeps their rows opens first, so they are complete when the first record of the input comes.
 *
 * Threads: it runs in the task that opens the operator. */
#pragma once

#include "exec/operator.h"

typedef struct Subplan {
	PlanNode *root;
	const char *need; /* the hint of a record that failed: who needs it */
	/* Takes the rows; they die when it returns. */
	Status (*collect)(void *collector, Batch *batch, Error *err);
	void *collector;
} Subplan;

/* Opens the plan's source and a pipeline of its own, and reads it to its end.  A record that cannot
 * be decoded or computed fails it: an answer from half a table would be a wrong one. */
Status subplan_run(const Subplan *subplan, TaskContext *task, Error *err);
