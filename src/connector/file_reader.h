/* connector/file_reader.h -- the reader's state, shared by file_reader.c and file_watch.c.
 *
 * One file is one split.  A record that a chunk cuts is kept in the split's `carry` and begins the
 * next chunk.  So are the records that were read and are beyond the batch: those that follow are
 * cut from the carry where it lies, so that a batch costs what its own bytes do, however many wait.
 *
 * Owns:    its files, their carries, and an arena for names found while it runs.
 * Threads: one; file_reader_split_name may be called by others for a split that they were given. */
#pragma once

#include "connector/file_connector.h"
#include "connector/file_input.h"

#define SPLIT_BLOCK  256
#define SPLIT_BLOCKS 1024

/* Tells a file apart from another one of its name. */
typedef struct FileOrigin {
	uint64_t device, inode;
	int64_t size, changed_ns; /* when it was opened */
	uint64_t head_len, head;  /* checksum of its first bytes */
} FileOrigin;

typedef struct FileSplit {
	const char *path;         /* never changes: other threads ask for it */
	const FileOrigin *origin; /* of the file that is open */
	int64_t resume; /* what is before it was read in another run; 0: it begins at its start */
	FileInput input;
	Buffer carry;           /* read; its first `taken` bytes were delivered since */
	size_t taken;
	size_t framed;          /* behind them: so many bytes are whole records */
	int64_t position;       /* of what comes next, in the plain bytes */
	int64_t size;           /* before it is opened, 0 if it has none; for the lag */
	uint32_t skipped_lines; /* of the header, for the next chunk */
	bool opened;
	bool header_done;
	bool done; /* nothing more will come */
} FileSplit;

typedef struct FileWatch {
	bool active;
	int poll_interval_ms;
	int notify;           /* inotify, or -1: polling alone */
	int64_t next_look_ms; /* when files are looked for and rotation is checked again */
} FileWatch;

typedef struct FileReader {
	Reader base;
	const char *object;
	Framing framing;
	FileQuery query;
	Compression compression;
	size_t read_size; /* of a usual chunk */
	size_t max_record;
	uint32_t batch_records; /* 0: no limit */
	bool own_limit;        /* the user says so: a strategy's limit does not stand above it */
	uint32_t side_by_side; /* so many files are read in turn */
	uint32_t turn;         /* the one of them that was read last */
	size_t record_bytes;   /* about; 0: none was counted yet */
	const SplitPlace *places; /* of the spec */
	uint32_t place_count;
	Arena names; /* and origins */
	/* Blocks never move: another thread may be reading a split's name. */
	FileSplit *blocks[SPLIT_BLOCKS];
	uint32_t split_count;
	uint32_t current;       /* the split that is being read */
	int64_t unopened_bytes; /* of the splits that wait for their turn */
	uint64_t sequence;
	uint64_t copied; /* bytes, into carries and out of them; tests look at it */
	FileWatch watch;
} FileReader;

static inline FileSplit *
file_split(const FileReader *reader, uint32_t index)
{
	return &reader->blocks[index / SPLIT_BLOCK][index % SPLIT_BLOCK];
}

/* Bytes that were read of it and not delivered. */
static inline size_t
file_split_kept(const FileSplit *split)
{
	return split->carry.len - split->taken;
}

/* Is there a path at all? */
Status file_reader_check(const ReaderSpec *spec, Error *err);
/* The list of files; waits for the first as long as 'file.wait.timeout' says. */
Status file_reader_find(const Setting *settings, Arena *arena, FileList *list, Error *err);
/* `path` must live as long as the reader. */
Status file_reader_add(FileReader *reader, const char *path, Error *err);
/* Moves what the split keeps to the end of the chunk, which has room for it. */
void file_split_take(FileReader *reader, FileSplit *split, Chunk *chunk);
/* The split keeps nothing. */
void file_split_forget(FileSplit *split);
/* The chunk's bytes, which are the split's next ones, go out. */
void file_reader_deliver(FileReader *reader, uint32_t index, Chunk *chunk);
/* READ_END: the end of the file as it is now; an unfinished record may wait in the carry. */
Status file_split_read(FileReader *reader, uint32_t index, Chunk *chunk, int timeout_ms,
		       ReadResult *result, Error *err);

/* ---- file_origin.c */

/* Notes which file the split has open, once and again when more of its first bytes have come. */
void file_origin_note(FileReader *reader, FileSplit *split);
/* FERRIS_ERR_FILE_CHANGED: some file is not the one that a place is of. */
Status file_origin_check_all(FileReader *reader, Error *err);
/* Where the split goes on; a watched file that has taken another one's place begins anew, with a
 * warning. */
void file_origin_resume(FileReader *reader, FileSplit *split);

/* Nothing more will be read from it. */
void file_split_close(FileSplit *split);

void file_watch_open(FileReader *reader, const Setting *settings);
void file_watch_close(FileReader *reader);
void file_watch_add(FileReader *reader, const char *path);
/* What the files have grown by since they were read; see ConnectorClass.backlog. */
bool file_watch_backlog(FileReader *reader, int timeout_ms, Backlog *out, Error *err);
/* READ_DATA, or READ_IDLE after timeout_ms. */
Status file_watch_read(FileReader *reader, Chunk *chunk, int timeout_ms, ReadResult *result,
		       Error *err);
