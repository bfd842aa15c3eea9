/* state/changes.h -- records that wait for the next save of changes (state/snapshot.h).
 *
 * What leaves memory between two saves is written as a record at once and waits here; so does the
 * word that a record is gone.  They go out in the order in which they came: of one key the last
 * counts.
 *
 * Threads: belongs to one operator of one task. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"
#include "state/snapshot.h"

/* The key is both parts, one after the other; value.data NULL: it is gone. */
void changes_add(Buffer *changes, Str prefix, Str key, Str value);
/* Puts all of them and empties the buffer. */
Status changes_save(Buffer *changes, StateWriter *writer, Error *err);
