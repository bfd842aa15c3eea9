/* connector/file_rotation.h -- records to parts of a limited size, number of rows or age, one after
 * the other.
 *
 * Owns:    the open part.
 * Threads: one at a time. */
#pragma once

#include "connector/file_output.h"
#include "connector/file_parts.h"

typedef struct FileRotation {
	FileParts parts;
	FileOutputSpec spec; /* of each part, but for path and resume */
	uint64_t size_limit; /* 0: none; so are the two below */
	uint64_t row_limit;
	int64_t interval_ms;
	bool syncs; /* the disk has a part when it is full */

	FileOutput output;
	char path[PATH_MAX]; /* of the open part */
	bool open;           /* a part is begun with its first row */
	uint64_t part;       /* the open one, or the next */
	uint64_t shown;      /* parts before have their final names */
	uint64_t rows;       /* in the open part */
	uint64_t bytes;      /* in it, before compression */
	int64_t begun_ms;
	int lock;      /* of the last part, until the next one is begun; -1: none */
	bool complete; /* nothing more will be written */
} FileRotation;

/* What is in the folder goes, stays or is cut back, as `resume` (of WriterSpec) and `append` say.
 */
Status file_rotation_open(FileRotation *self, bool append, const WriterMark *resume, Error *err);
/* As in ConnectorClass; `count` records from `first` on. */
Status file_rotation_write(FileRotation *self, const Output *output, uint32_t first, uint32_t count,
			   Error *err);
/* The open part is on the disk. */
Status file_rotation_sync(FileRotation *self, Error *err);
Status file_rotation_flush(FileRotation *self, Error *err);
Status file_rotation_mark(FileRotation *self, WriterMark *mark, Error *err);
int64_t file_rotation_due(const FileRotation *self);
Status file_rotation_complete(FileRotation *self, Error *err);
Status file_rotation_show(FileRotation *self, Error *err);
Status file_rotation_close(FileRotation *self, bool failed, Error *err);
