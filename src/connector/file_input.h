/* connector/file_input.h -- one open file, pipe or terminal as a stream of plain bytes.
 *
 * Owns:    the descriptor and the decompressor.
 * Threads: one at a time. */
#pragma once

#include <sys/types.h>

#include "base/error.h"
#include "connector/compress.h"

typedef enum InputResult {
	INPUT_DATA, /* the room is full, or all that has come so far was given */
	INPUT_WAIT, /* a pipe: nothing has come within the timeout */
	INPUT_END,  /* the end of the file as it is now */
} InputResult;

typedef struct FileInput {
	const char *path;   /* of the caller */
	int fd;             /* -1: not open */
	bool regular;       /* a plain file: never waits, has a size */
	int64_t raw_offset; /* bytes taken from the descriptor */
	dev_t device;
	ino_t inode;
	Compression compression;
	Decompressor *decompressor; /* NULL: not compressed */
	char *raw;                  /* compressed bytes */
	size_t raw_next, raw_len;
	bool raw_end; /* the descriptor has no more */
	bool between; /* the decompressor stands between frames */
} FileInput;

/* `exclusive_of_writers`: refuse a file that a sink is replacing at this moment. */
Status file_input_open(FileInput *input, const char *path, Compression compression,
		       bool exclusive_of_writers, Error *err);
/* For an input whose fd and path were set by hand. */
Status file_input_set_compression(FileInput *input, Compression compression, Error *err);
void file_input_close(FileInput *input);
/* Up to `room` bytes; *got may be > 0 with any result.  Waits at most timeout_ms for the first. */
Status file_input_read(FileInput *input, char *out, size_t room, int timeout_ms, size_t *got,
		       InputResult *result, Error *err);
/* The size now, or -1. */
int64_t file_input_size(const FileInput *input);
/* Go on at a byte of a plain file. */
Status file_input_seek(FileInput *input, int64_t offset, Error *err);
/* The error for a path that cannot be opened, with errno `code`. */
Status file_open_error(const char *path, int code, Error *err);
