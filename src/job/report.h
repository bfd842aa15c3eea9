/* job/report.h -- answers about the statements of a script that are known only when it runs.
 *
 * Threads: the runner's. */
#pragma once

#include "job/running.h"

typedef struct ReportRun {
	JobSpec spec; /* of a statement that EXPLAIN ANALYZE runs, but for its plan */
	bool (*interrupted)(void *context);
	void *context;
} ReportRun;

/* Puts the answer of the plan's item `at` into it, if it waits for one; it is not open yet.
 * `running`: the items; the text lies in the arena. */
Status report_answer(const ReportRun *run, const ScriptPlan *plan, Running *const *running,
		     uint32_t at, Arena *arena, Error *err);
