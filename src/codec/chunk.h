/* codec/chunk.h -- a run of input bytes on its way in, and of output bytes on its way out.
 *
 * A Chunk is filled by a reader, decoded by a worker and goes back to the pool when the last batch
 * that points into it has been written.  Its bytes are contiguous and followed by CHUNK_PADDING
 * readable bytes, so that scanners may load 64 bytes anywhere.  Messages of a topic are copied
 * into a chunk, about 5 ns each beside the microsecond that librdkafka spends on one: then every
 * decoder reads one kind of memory, and no message is pinned. */
#pragma once

#include "base/buffer.h"
#include "base/str.h"

#define CHUNK_PADDING  64
#define CHUNK_CAPACITY ((size_t)512 << 10) /* usual size; a longer record makes a larger chunk */

#define RECORD_NULL UINT32_MAX

/* A record of a topic. */
typedef struct ChunkRecord {
	uint32_t offset; /* of the value in the chunk's data */
	uint32_t len;    /* RECORD_NULL: the value is null (a tombstone) */
	uint32_t key_offset;
	uint32_t key_len;       /* RECORD_NULL: no key */
	uint32_t header_offset; /* headers: u32 name length, name, u32 value length, value, ... */
	uint32_t header_len;
	int64_t position;     /* the broker's offset */
	int64_t timestamp_ms; /* the broker's timestamp; INT64_MIN: none */
} ChunkRecord;

typedef struct Chunk {
	char *data;
	size_t len;
	size_t capacity; /* without the padding */
	ChunkRecord
		*records; /* record_count > 0: a topic's records; else the codec separates them */
	uint32_t record_count;
	uint32_t record_capacity;
	uint32_t split;        /* which file, partition or generator task it comes from */
	int64_t position;      /* file: byte offset of data[0]; topic: offset of the first record */
	int64_t next_position; /* where reading goes on after this chunk */
	Str origin; /* tells the split apart from one that takes its place; bytes of the reader's */
	uint64_t sequence;      /* order in which the reader delivered it, from 0 */
	uint32_t file_records;  /* else: that it was made or cut of; 0: they were not counted */
	uint32_t skipped_lines; /* lines of the file before data[0] that no chunk has: its header */
	/* of a topic between two statements (connector/shuffle.h): */
	uint32_t channel;  /* the split of the first one's source that the records come from, */
	uint32_t channels; /* of so many; 0: it is no such topic */
	bool marked;       /* behind them it says of that split: */
	int64_t mark;      /* its watermark; INT64_MIN: none yet */
	bool mark_idle;
} Chunk;

/* How far a chunk has been decoded. */
typedef struct ChunkCursor {
	const Chunk *chunk;
	size_t next;     /* byte (file) of the next record */
	uint32_t record; /* index (topic) of the next record */
	uint32_t line;   /* lines (file) or records (topic) consumed */
} ChunkCursor;

/* Encoded records on their way to a writer. */
typedef struct Output {
	Buffer bytes;   /* the records, each with its separator */
	uint32_t *ends; /* end of each record in bytes, separator included */
	uint32_t count;
	uint32_t capacity;     /* of ends */
	bool keyed;            /* the writer wants what follows; each array is as long as ends */
	Buffer keys;           /* of the records, one after the other */
	uint32_t *key_ends;    /* end of each key in keys, with KEY_NULL if there is none */
	Buffer headers;        /* of the records, in the form of ChunkRecord */
	uint32_t *header_ends; /* end of each record's, with VALUE_NULL if it has no value */
	int64_t *timestamps;   /* milliseconds; INT64_MIN: the writer's clock */
} Output;

#define KEY_NULL   (UINT32_C(1) << 31) /* flags beside the ends */
#define VALUE_NULL (UINT32_C(1) << 31)

Chunk *chunk_new(size_t capacity);
void chunk_destroy(Chunk *chunk);
/* Empties it for reuse; a chunk that had to grow beyond CHUNK_CAPACITY shrinks back. */
void chunk_reset(Chunk *chunk);
/* Room for `size` more bytes (and the padding), keeping what is there. */
char *chunk_reserve(Chunk *chunk, size_t size);
/* One more record, cleared. */
ChunkRecord *chunk_add_record(Chunk *chunk);
/* Zero the padding behind the last byte; a reader calls it when the chunk is full. */
void chunk_seal(Chunk *chunk);

/* `keyed`: with keys, headers and timestamps. */
void output_init(Output *output, size_t limit, bool keyed);
void output_free(Output *output);
void output_reset(Output *output);
/* Room for `count` more records in the arrays. */
void output_reserve(Output *output, uint32_t count);
/* Keep the first `count` records. */
void output_cut(Output *output, uint32_t count);
/* Leave out the first `count` records. */
void output_drop(Output *output, uint32_t count);
/* The key of record i; data is NULL if it has none. */
Str output_key(const Output *output, uint32_t i);
/* Whether it has no value (a tombstone); only its separator is in the bytes. */
bool output_is_null(const Output *output, uint32_t i);
/* Its headers, empty if it has none. */
Str output_headers(const Output *output, uint32_t i);
