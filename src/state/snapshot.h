/* state/snapshot.h -- what operators keep as records of key and value, out and in again.
 *
 * An operator's `save` puts records; its `load` gets each of them back.  A record stands for itself
 * and says the whole of what it is about, so that the last one of a key counts: the same records
 * make a snapshot file and a compacted changelog topic.  A writer may ask for changes only.
 *
 * A file is a header and sections of records, each with its end:
 *
 *     header   "ferris state", version
 *     record   key length + 1, value length, checksum of both, key, value
 *     end      0, number of records, checksum of all checksums, both from the file's beginning
 *
 * Every part is checked when it is read, and an end stands for all that is before it: what is cut
 * or damaged is an error, and nothing of its section is believed.
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
	Buffer *out;
	uint64_t count;
	uint64_t checksum;
} SnapshotWriter;

/* What is put is appended to `out`; its caller writes it to the file. */
void snapshot_writer_init(SnapshotWriter *writer, Buffer *out);
void snapshot_write_header(SnapshotWriter *writer);
/* Ends a section. */
void snapshot_write_end(SnapshotWriter *writer);

typedef struct SnapshotReader {
	FILE *file;
	const char *path;
	uint64_t count;
	uint64_t checksum;
	Buffer record;
} SnapshotReader;

/* Reads the header; FERRIS_ERR_STATE_DAMAGED if it is none. */
Status snapshot_open(SnapshotReader *reader, FILE *file, const char *path, Error *err);
/* The next record, good until the next call; *got is false at the end of a section. */
Status snapshot_next(SnapshotReader *reader, Str *key, Str *value, bool *got, Error *err);
/* Whether the file ends here, behind a section. */
bool snapshot_is_over(SnapshotReader *reader);
void snapshot_close(SnapshotReader *reader);
