/* job/failure.h -- what happens to a record that cannot be processed.
 *
 *   FailBatch        the job stops with an error that names the record
 *   LogAndContinue   one line on stderr (the first ones), a count always
 *   SendToDLQ        the record goes to the dead letters, byte for byte, with its provenance
 *   RetryWithBackoff as FailBatch: trying again does not mend a record, only the environment
 *
 * Dead letters in a topic have the original value, key and headers, and the provenance in further
 * headers; in a file each is a JSON object on a line of its own.
 *
 * Threads: the job's writer stage. */
#pragma once

#include "exec/pipeline.h"

typedef struct FailureHandler FailureHandler;

typedef struct FailedRecord {
	const Chunk *chunk;
	const RowError *error;
	const char *split_name;
	uint64_t line; /* file: 1-based line of the record */
} FailedRecord;

typedef struct FailureSpec {
	const StatementPlan *plan;
	void *environment;
	Writer *within;           /* the writer in whose epochs the dead letters are; or NULL */
	bool marked;              /* as in WriterSpec */
	const WriterMark *resume; /* likewise */
	Disk *disk;               /* likewise */
} FailureSpec;

Status failure_open(const FailureSpec *spec, Arena *arena, FailureHandler **out, Error *err);
/* FERRIS_OK: counted, go on.  Otherwise the job ends with `err`. */
Status failure_record(FailureHandler *handler, const FailedRecord *record, Error *err);
/* Dead letters so far are safe when this returns. */
Status failure_flush(FailureHandler *handler, Error *err);
/* Dead letters so far are safe, and the mark says how many. */
Status failure_mark(FailureHandler *handler, WriterMark *mark, Error *err);
Status failure_close(FailureHandler *handler, bool failed, Error *err);
uint64_t failure_dead_letters(const FailureHandler *handler);
