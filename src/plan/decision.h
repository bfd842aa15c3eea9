/* plan/decision.h -- why an option has its value although another one was said, suggested or is the
 * default.
 *
 * A list belongs to an endpoint or to a job; each decision is told once when the statement begins,
 * counted, and stands as a reason beside the option.
 *
 * Threads: planning has one. */
#pragma once

#include "plan/plan.h"

void decisions_add(Arena *arena, Decisions *list, Decision decision);
/* The last one about the option, or NULL. */
const Decision *decisions_find(const Decisions *list, Str name);
/* A list of its own, before one is changed that another endpoint has too. */
Decisions decisions_copy(Arena *arena, const Decisions *list);

/* Whether two names are the same option. */
typedef bool (*SameOption)(void *context, Str a, Str b);
/* Under which name it is shown. */
typedef Str (*ShownName)(void *context, Str key);
/* Notes where the user says more than one thing about an option, those of less weight first. */
void decisions_note_precedence(Arena *arena, const Options *given, SameOption same, ShownName shown,
			       void *context, Decisions *list);
