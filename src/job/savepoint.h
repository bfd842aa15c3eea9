/* job/savepoint.h -- a named copy of what the statements of a script keep, to start from again.
 *
 *     <folder>/jobs/contents            a journal (state/journal.h), committed last: id, names
 *     <folder>/jobs/<statement>-<number>/journal
 *
 * A statement's records are those of job/recovery.c, and what says to whom they belong:
 *
 *     FF "op" number      the shape of the operator (plan/kept_state.h)
 *     FF "source" number  the name of the source
 *     FF "sink"           what the output is, if the records have marks of it
 *
 * A statement that keeps nothing from run to run is not in it: where it stands its group knows.
 *
 * Threads: one. */
#pragma once

#include "plan/kept_state.h"

typedef struct Savepoint {
	const char *folder;
	Str id;     /* no other has it */
	Str *names; /* of the statements that are in it */
	uint32_t count;
	bool drops; /* what finds no place in the statements is dropped */
} Savepoint;

/* What is made is whole or is no savepoint.  The statements must not be running: a process
 * elsewhere that runs one loses its name to this one, and ends. */
Status savepoint_make(const ScriptPlan *plan, Str application, void *environment,
		      const char *folder, Error *err);
/* FERRIS_ERR_NOT_SUPPORTED if some statement cannot be in one; the two below and above ask too. */
Status savepoint_check(const ScriptPlan *plan, Error *err);
/* Whether there is a whole one. */
Status savepoint_exists(const char *folder, bool *exists, Error *err);
/* FERRIS_ERR_SAVEPOINT if there is none, or if it holds statements that the script does not have
 * and `drops` is false.  Everything in the arena. */
Status savepoint_open(const ScriptPlan *plan, const char *folder, bool drops, Arena *arena,
		      Savepoint *out, Error *err);
/* The folder of the one that the user names: a path, or a name in the folder of state. */
const char *savepoint_folder(const ScriptPlan *plan, const char *name, Arena *arena);
