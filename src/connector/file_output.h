/* connector/file_output.h -- one open file that encoded records are added to.
 *
 * Owns:    its descriptor, compressor and buffer.
 * Threads: one at a time. */
#pragma once

#include "base/buffer.h"
#include "base/disk.h"
#include "connector/compress.h"
#include "connector/connector.h"

typedef enum FileSync {
	FILE_SYNC_NONE,  /* a flush hands the bytes to the kernel */
	FILE_SYNC_FLUSH, /* a flush waits until the disk has them */
} FileSync;

typedef struct FileOutputSpec {
	const char *path;        /* lives as long as the output; "-" is standard output */
	Compression compression; /* not AUTO */
	FileSync sync;
	size_t buffer_size; /* collect small writes up to this size */
	const char *preamble;
	size_t preamble_len;
	bool append;
	bool part;                /* it is new, nobody else's, and whole after each flush */
	Disk *disk;               /* as in WriterSpec */
	bool marked;              /* as in WriterSpec */
	const WriterMark *resume; /* as in WriterSpec; only `length` and `tail` are used */
} FileOutputSpec;

typedef struct FileOutput {
	const char *path; /* for messages */
	Disk *disk;
	int fd; /* -1: not open */
	bool regular;
	FileSync sync;
	bool marked;
	bool frames;        /* the compressor's frame ends with each flush and mark */
	bool named;         /* marked: the folder's entry of the file is on the disk */
	bool framed;        /* something is in the compressor's frame */
	Str preamble;       /* that is still to be written */
	bool begun;         /* marked: it has given a mark */
	int64_t length;     /* marked: of the file */
	int64_t sync_begun; /* marked: up to where the disk has been told to write */
	Compression compression;
	Compressor *compressor; /* NULL: not compressed */
	Buffer pending;         /* compressed bytes, or small writes that are collected */
	size_t buffer_size;     /* collect up to this many */
	int64_t written;        /* bytes that the kernel has */
} FileOutput;

/* After an error it is closed. */
Status file_output_open(FileOutput *self, const FileOutputSpec *spec, Error *err);
/* If it fails, none of the bytes were taken: the caller may try again.  Where that cannot be kept
 * the error is not retriable. */
Status file_output_write(FileOutput *self, const char *data, size_t len, Error *err);
Status file_output_flush(FileOutput *self, Error *err);
/* The same, and it waits until the disk has it. */
Status file_output_sync(FileOutput *self, Error *err);
/* Everything so far is on the disk; sets the mark's `length` and `tail`. */
Status file_output_mark(FileOutput *self, WriterMark *mark, Error *err);
/* The file is complete.  It must still be closed. */
Status file_output_finish(FileOutput *self, Error *err);
/* Without file_output_finish a compressed frame stays open: whoever reads the file sees that it is
 * cut short. */
void file_output_close(FileOutput *self);

/* The error for a file that cannot be made, with errno `code`. */
Status file_create_error(const char *path, int code, Error *err);
/* Makes the names in the folder of `path` safe on the disk.  Returns 0 or an errno code. */
int file_sync_folder(Disk *disk, const char *path);
