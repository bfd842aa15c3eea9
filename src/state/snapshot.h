/* state/snapshot.h -- what operators keep as records of key and value, out and in again.
 *
 * An operator's `save` puts records; its `load` gets each of them back.  A record stands for itself
 * and says the whole of what it is about, so that the last one of a key counts: the same records
 * make a snapshot file and a compacted changelog topic.  A writer may ask for changes only.
 *
 * A file is a header, records, and an end:
 *
 *     header   "ferris state", version, the identity of the plan
 *     record   key length + 1, value length, checksum of both, key, value
 *     end      0, number of records, checksum of all checksums
 *
 * Every part is checked when it is read: a file that is cut, damaged, or of another plan is an
 * error, and nothing of it is believed.
 *
 * Threads: a writer or reader belongs to one task. */
#pragma once

#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct StateWriter StateWriter;

struct StateWriter {
	/* Takes one record.  value.data NULL: the key is gone. */
	Status (*put)(StateWriter *writer, Str key, Str value, Error *err);
	/* What has changed since the last time; what is gone is put with value.data NULL.  An
	 * operator that cannot tell puts all that it keeps, and nothing of it may ever go. */
	bool changes_only;
};

/* ---- files ---- */

typedef struct SnapshotWriter {
	StateWriter base;
	FILE *file;
	const char *path; /* for errors */
	uint64_t count;
	uint64_t checksum;
} SnapshotWriter;

/* Writes the header.  The file stays the caller's. */
Status snapshot_begin(SnapshotWriter *writer, FILE *file, const char *path, uint64_t plan,
		      Error *err);
/* Writes the end and flushes; the caller syncs and renames. */
Status snapshot_end(SnapshotWriter *writer, Error *err);

typedef struct SnapshotReader {
	FILE *file;
	const char *path;
	uint64_t count;
	uint64_t checksum;
	Buffer record;
} SnapshotReader;

/* Reads the header; FERRIS_ERR_STATE_DAMAGED if it is not of this plan. */
Status snapshot_open(SnapshotReader *reader, FILE *file, const char *path, uint64_t plan,
		     Error *err);
/* The next record, good until the next call; *got is false behind the last one. */
Status snapshot_next(SnapshotReader *reader, Str *key, Str *value, bool *got, Error *err);
void snapshot_close(SnapshotReader *reader);
