/* connector/file_parts.h -- the files of a sink that is written in parts: their names, and what of
 * them lies in the folder.
 *
 *     out.jsonl.gz  ->  out-part-000001.jsonl.gz                 a part that is complete
 *                       .out-part-000002.jsonl.gz.inprogress     one that is not, or not yet final
 *
 * Names that begin with a dot are left out by shells, by patterns and by most programs that read
 * whole folders; the ending keeps others from it. */
#pragma once

#include <limits.h>

#include "base/disk.h"
#include "base/error.h"
#include "base/str.h"

typedef struct FileParts {
	const char *path; /* as the user gave it, for messages */
	Str folder;       /* with its slash; empty: the current one */
	Str stem;
	Str ending; /* with its dot; may be empty */
	Disk *disk; /* NULL: the real one */
} FileParts;

typedef struct FilePart {
	uint64_t number; /* from 1 */
	bool shown;      /* under its final name */
} FilePart;

typedef struct FilePartList {
	FilePart *parts; /* ascending */
	uint32_t count, capacity;
} FilePartList;

typedef enum PartUse { PART_FREE, PART_WRITTEN, PART_READ } PartUse;

/* `path` lives as long. */
FileParts file_parts_of(const char *path);
/* The path of a part, NUL-terminated. */
void file_part_path(const FileParts *parts, FilePart part, char out[PATH_MAX]);
/* All parts in the folder, which must be one that can be written; for file_parts_free. */
Status file_parts_list(const FileParts *parts, FilePartList *list, Error *err);
void file_parts_free(FilePartList *list);
/* What a statement, of this process or another one, does with the part; readers are looked for only
 * if asked: for a moment that keeps new ones off. */
PartUse file_part_use(const FileParts *parts, FilePart part, bool readers);
/* It gets the name that says whether it is complete. */
Status file_part_show(const FileParts *parts, uint64_t number, bool shown, Error *err);
Status file_part_remove(const FileParts *parts, FilePart part, Error *err);
