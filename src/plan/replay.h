/* plan/replay.h -- REPLAY DLQ as the statements that it stands for. */
#pragma once

#include "plan/plan.h"

/* Their text; errors are at places of the statement. */
Status replay_text(Arena *arena, const Statement *statement, const Catalog *catalog, Str *text,
		   Error *err);
