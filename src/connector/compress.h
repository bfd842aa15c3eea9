/* connector/compress.h -- gzip, zstd and lz4 as streams.
 *
 * A Decompressor turns compressed pieces into plain ones; several members or frames one after the
 * other are one stream.  It says when it stands between frames, so that its user can tell a
 * complete input from one that was cut short.  A Compressor does the opposite.
 *
 * Owns its codec's state.  Threads: one at a time. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

typedef enum Compression {
	COMPRESSION_AUTO, /* in the order of the option's choices */
	COMPRESSION_NONE,
	COMPRESSION_GZIP,
	COMPRESSION_ZSTD,
	COMPRESSION_LZ4,
	COMPRESSION_COUNT
} Compression;

typedef struct Decompressor Decompressor;
typedef struct Compressor Compressor;

typedef struct CompressPieces {
	const char *in;
	size_t in_len;
	size_t in_used; /* set */
	char *out;
	size_t out_len;
	size_t out_used; /* set */
	bool between;    /* in and out: everything up to in_used is whole frames, at least one */
} CompressPieces;

/* AUTO becomes what the path's ending says, or NONE. */
Compression compression_resolve(Compression chosen, Str path);
const char *compression_name(Compression compression);

/* NULL: the library refuses. */
Decompressor *decompressor_new(Compression compression);
void decompressor_destroy(Decompressor *decompressor);
/* Decompress until the input is used up or the output is full.  False if the input is damaged:
 * then *reason says how. */
bool decompressor_run(Decompressor *decompressor, CompressPieces *pieces, const char **reason);

/* NULL: the library refuses. */
Compressor *compressor_new(Compression compression);
void compressor_destroy(Compressor *compressor);
/* Append the compressed form to `out`; some of it may come later. */
bool compressor_write(Compressor *compressor, const char *data, size_t len, Buffer *out);
/* Everything given so far can be decompressed from what is in `out` after this. */
bool compressor_flush(Compressor *compressor, Buffer *out);
/* Closes the frame. */
bool compressor_finish(Compressor *compressor, Buffer *out);
