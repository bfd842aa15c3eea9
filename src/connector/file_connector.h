/* connector/file_connector.h -- inside of the file connector: options, and what its parts offer.
 *
 *   file_connector.c  the class and its options
 *   file_path.c       a path, glob or folder to a list of files
 *   file_input.c      one open file as a stream of plain bytes
 *   file_reader.c     chunks of whole records, file after file
 *   file_sample.c     the first records, for schema inference
 *   file_watch.c      following files that grow, are rotated or cut
 *   file_origin.c     which file a position is of
 *   file_writer.c     encoded records to one file, or to parts one after the other
 *   file_rotation.c   when a part is full, and what becomes of it
 *   file_parts.c      the names of parts
 *   file_output.c     one open file that records are added to
 *
 * Nobody outside of these and console.c includes it. */
#pragma once

#include "connector/connector.h"

extern const ConnectorClass file_connector;
extern const ConnectorClass console_connector;

typedef enum FileSourceOption {
	FILE_PATH,
	FILE_WATCH,
	FILE_POLL_INTERVAL,
	FILE_COMPRESSION,
	FILE_READ_BUFFER,
	FILE_BATCH_LINES,
	FILE_CONCURRENT,
	FILE_WINDOW_PROCESSING, /* these say whether a batch strategy acts here, */
	FILE_ADAPTIVE_READING,  /* which is for the job to ask */
	FILE_MEMORY_MONITORING,
	FILE_GC_READING,
	FILE_LOW_LATENCY,
	FILE_MAX_RECORD,
	FILE_RECURSIVE,
	FILE_EXTENSION,
	FILE_WAIT_TIMEOUT,
	FILE_RETRY_INTERVAL,
	FILE_SOURCE_OPTION_COUNT
} FileSourceOption;

typedef enum FileSinkOption {
	FILE_SINK_PATH,
	FILE_SINK_APPEND,
	FILE_SINK_COMPRESSION,
	FILE_SINK_SYNC,
	FILE_SINK_WRITE_BUFFER,
	FILE_SINK_BATCH_RECORDS,
	FILE_SINK_SYNC_ROWS,
	FILE_SINK_FLUSH_MS,
	FILE_SINK_ASYNC,
	FILE_SINK_IMMEDIATE,
	FILE_SINK_MEMORY_FLUSH,
	FILE_SINK_GC_WRITING,
	FILE_SINK_ROTATE_SIZE,
	FILE_SINK_ROTATE_ROWS,
	FILE_SINK_ROTATE_INTERVAL,
	FILE_SINK_OPTION_COUNT
} FileSinkOption;

typedef struct FileList {
	const char **paths; /* NUL-terminated, ascending by name */
	uint32_t count;
} FileList;

typedef struct FileQuery {
	Str path; /* as the user wrote it */
	bool recursive;
	Str extension; /* only names that end in it; empty: all */
} FileQuery;

/* The path without its 'file://'; NUL-terminated, in the arena. */
const char *file_path_plain(Arena *arena, Str path);
/* The files that the query names, at least one.  "-" is standard input. */
Status file_path_expand(const FileQuery *query, Arena *arena, FileList *list, Error *err);
FileQuery file_query(const Setting *settings);
/* The first setting that asks for parts, or NULL. */
const Setting *file_sink_rotation(const Setting *sink_settings);

Status file_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err);
Status file_reader_read(Reader *reader, Chunk *chunk, int timeout_ms, ReadResult *result,
			Error *err);
const char *file_reader_split_name(const Reader *reader, uint32_t split);
int64_t file_reader_lag(Reader *reader);
uint32_t file_reader_split_count(const Reader *reader);
bool file_reader_backlog(Reader *reader, int timeout_ms, Backlog *out, Error *err);
void file_reader_close(Reader *reader);
Status file_reader_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes,
			  Error *err);

Status file_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err);
Status file_writer_write(Writer *writer, const Output *output, Error *err);
Status file_writer_flush(Writer *writer, Error *err);
Status file_writer_mark(Writer *writer, WriterMark *mark, Error *err);
int64_t file_writer_due(const Writer *writer);
Status file_writer_complete(Writer *writer, Error *err);
Status file_writer_show(Writer *writer, Error *err);
Status file_writer_close(Writer *writer, bool failed, Error *err);
/* A writer on standard output: what the console connector is. */
Status file_writer_open_stdout(const WriterSpec *spec, Arena *arena, Writer **out, Error *err);
