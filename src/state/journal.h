/* state/journal.h -- the epochs of a statement whose sink keeps no log of its own.
 *
 *     <dir>/jobs/<name>/journal       a section of records (state/snapshot.h) for each epoch
 *     <dir>/jobs/<name>/journal.old   the one before it
 *     <dir>/jobs/<name>/journal.new   one that is being written
 *     <dir>/jobs/<name>/lock
 *
 * An epoch is final when journal_commit has returned: its section is whole and on the disk.  What a
 * crash leaves behind the last whole section is ignored, and so is what is behind damage: an
 * earlier epoch is as good a place to go on from.  A file gets its name when it is whole, so one
 * whose first section cannot be read was damaged later: then the one before it counts, and without
 * one it is an error.
 *
 * Of a key the last record counts.  When a file is more than twice as long as what counts in it, it
 * is written anew, as one section.
 *
 * Nothing but <dir>/jobs is on the disk before the first epoch and after journal_remove.
 *
 * Threads: one at a time. */
#pragma once

#include "base/disk.h"
#include "state/gathering.h"

typedef struct Journal Journal;

typedef Status (*JournalVisit)(void *context, Str key, Str value, Error *err);

typedef struct JournalSpec {
	const char *dir; /* NULL: the default folder for state */
	const char *name;
	size_t memory; /* what writing it anew may use */
	Disk *disk;    /* NULL: the real one */
} JournalSpec;

/* Takes the journal of that name, which one process has alone.  The spec's texts live as long. */
Status journal_open(const JournalSpec *spec, Journal **out, Error *err);
void journal_close(Journal *journal);
/* Where it is, for messages. */
const char *journal_folder(const Journal *journal);
/* Whether some epoch is final. */
bool journal_has_epochs(const Journal *journal);
/* The records of all final epochs in the order in which they were put. */
Status journal_read(Journal *journal, JournalVisit visit, void *context, Error *err);
/* Into the epoch that is open.  value.data NULL: the key is gone. */
Status journal_put(Journal *journal, Str key, Str value, Error *err);
/* All records of a backend, in final epochs of some megabytes each; the last one stays open. */
Status journal_put_all(Journal *journal, StateBackend *records, Error *err);
/* Makes the epoch final.  After an error the journal takes no more. */
Status journal_commit(Journal *journal, Error *err);
/* As if it had never been.  When the power fails soon it may be there again, as it was. */
Status journal_remove(Journal *journal, Error *err);
