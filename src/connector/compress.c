/* connector/compress.c -- gzip by zlib, zstd and lz4 by their own libraries. */
#include "connector/compress.h"

#include <limits.h>
#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/memory.h"

#define GZIP_WINDOW (15 + 16) /* the largest window, with gzip's header and check sum */
#define GZIP_MEMORY 8         /* zlib's default */
#define PIECE       ((size_t)64 << 10)
#define LZ4_BLOCK   ((size_t)512 << 10) /* what a context may hold back, and more */

struct Decompressor {
	Compression compression;
	bool inside; /* a frame has begun and not ended */
	z_stream gzip;
	ZSTD_DCtx *zstd;
	LZ4F_dctx *lz4;
};

struct Compressor {
	Compression compression;
	bool begun; /* LZ4: the frame's header was written */
	z_stream gzip;
	ZSTD_CCtx *zstd;
	LZ4F_cctx *lz4;
};

Compression
compression_resolve(Compression chosen, Str path)
{
	static const struct {
		Str ending;
		Compression compression;
	} endings[] = {
		{STR_INIT(".gz"), COMPRESSION_GZIP},  {STR_INIT(".gzip"), COMPRESSION_GZIP},
		{STR_INIT(".zst"), COMPRESSION_ZSTD}, {STR_INIT(".zstd"), COMPRESSION_ZSTD},
		{STR_INIT(".lz4"), COMPRESSION_LZ4},
	};

	if (chosen != COMPRESSION_AUTO)
		return chosen;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
		if (str_ends_with(path, endings[i].ending))
			return endings[i].compression;
	return COMPRESSION_NONE;
}

const char *
compression_name(Compression compression)
{
	static const char *const names[COMPRESSION_COUNT] = {"auto", "none", "gzip", "zstd", "lz4"};

	return names[compression];
}

Decompressor *
decompressor_new(Compression compression)
{
	Decompressor *self = memory_zero(sizeof *self);
	bool ok = true;

	self->compression = compression;
	if (compression == COMPRESSION_GZIP)
		ok = inflateInit2(&self->gzip, GZIP_WINDOW) == Z_OK;
	else if (compression == COMPRESSION_ZSTD)
		ok = (self->zstd = ZSTD_createDCtx()) != NULL;
	else
		ok = !LZ4F_isError(LZ4F_createDecompressionContext(&self->lz4, LZ4F_VERSION));
	if (!ok) {
		decompressor_destroy(self);
		return NULL;
	}
	return self;
}

void
decompressor_destroy(Decompressor *self)
{
	if (self == NULL)
		return;
	if (self->compression == COMPRESSION_GZIP)
		inflateEnd(&self->gzip);
	ZSTD_freeDCtx(self->zstd);
	LZ4F_freeDecompressionContext(self->lz4);
	memory_free(self);
}

typedef enum FrameResult {
	FRAME_MORE, /* the frame goes on */
	FRAME_END,
	FRAME_DAMAGED,
} FrameResult;

/* The three below decompress a bit of one frame and advance the pieces' in_used and out_used. */

static FrameResult
gzip_step(Decompressor *self, CompressPieces *pieces, const char **reason)
{
	z_stream *gzip = &self->gzip;
	size_t in_left = pieces->in_len - pieces->in_used;
	size_t out_left = pieces->out_len - pieces->out_used;

	gzip->next_in = (z_const Bytef *)(uintptr_t)(pieces->in + pieces->in_used);
	gzip->avail_in = in_left < UINT_MAX ? (uInt)in_left : UINT_MAX;
	gzip->next_out = (Bytef *)pieces->out + pieces->out_used;
	gzip->avail_out = out_left < UINT_MAX ? (uInt)out_left : UINT_MAX;
	int result = inflate(gzip, Z_NO_FLUSH);
	pieces->in_used = (size_t)((const char *)gzip->next_in - pieces->in);
	pieces->out_used = (size_t)((char *)gzip->next_out - pieces->out);
	if (result == Z_OK || result == Z_BUF_ERROR)
		return FRAME_MORE;
	if (result == Z_STREAM_END && inflateReset(gzip) == Z_OK)
		return FRAME_END;
	*reason = gzip->msg != NULL ? gzip->msg : "not gzip data";
	return FRAME_DAMAGED;
}

static FrameResult
zstd_step(Decompressor *self, CompressPieces *pieces, const char **reason)
{
	ZSTD_inBuffer in = {pieces->in, pieces->in_len, pieces->in_used};
	ZSTD_outBuffer out = {pieces->out, pieces->out_len, pieces->out_used};

	size_t result = ZSTD_decompressStream(self->zstd, &out, &in);
	pieces->in_used = in.pos;
	pieces->out_used = out.pos;
	if (!ZSTD_isError(result))
		return result == 0 ? FRAME_END : FRAME_MORE;
	*reason = ZSTD_getErrorName(result);
	return FRAME_DAMAGED;
}

static FrameResult
lz4_step(Decompressor *self, CompressPieces *pieces, const char **reason)
{
	size_t in = pieces->in_len - pieces->in_used;
	size_t out = pieces->out_len - pieces->out_used;

	size_t result = LZ4F_decompress(self->lz4, pieces->out + pieces->out_used, &out,
					pieces->in + pieces->in_used, &in, NULL);
	if (LZ4F_isError(result)) {
		*reason = LZ4F_getErrorName(result);
		return FRAME_DAMAGED;
	}
	pieces->in_used += in;
	pieces->out_used += out;
	return result == 0 ? FRAME_END : FRAME_MORE;
}

static FrameResult
step(Decompressor *self, CompressPieces *pieces, const char **reason)
{
	if (self->compression == COMPRESSION_GZIP)
		return gzip_step(self, pieces, reason);
	if (self->compression == COMPRESSION_ZSTD)
		return zstd_step(self, pieces, reason);
	return lz4_step(self, pieces, reason);
}

bool
decompressor_run(Decompressor *self, CompressPieces *pieces, const char **reason)
{
	pieces->in_used = 0;
	pieces->out_used = 0;
	while (pieces->out_used < pieces->out_len) {
		size_t in_before = pieces->in_used;
		size_t out_before = pieces->out_used;

		if (!self->inside && pieces->in_used == pieces->in_len)
			break;
		if (!self->inside && pieces->between && pieces->in[pieces->in_used] == '\0') {
			pieces->in_used++; /* tapes and tar fill the last block with zeros */
			continue;
		}
		FrameResult result = step(self, pieces, reason);
		if (result == FRAME_DAMAGED)
			return false;
		self->inside = result == FRAME_MORE;
		pieces->between = result == FRAME_END;
		if (pieces->in_used == in_before && pieces->out_used == out_before)
			break;
	}
	return true;
}

Compressor *
compressor_new(Compression compression)
{
	Compressor *self = memory_zero(sizeof *self);
	bool ok = true;

	self->compression = compression;
	if (compression == COMPRESSION_GZIP)
		ok = deflateInit2(&self->gzip, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW,
				  GZIP_MEMORY, Z_DEFAULT_STRATEGY) == Z_OK;
	else if (compression == COMPRESSION_ZSTD)
		ok = (self->zstd = ZSTD_createCCtx()) != NULL &&
		     !ZSTD_isError(ZSTD_CCtx_setParameter(self->zstd, ZSTD_c_checksumFlag, 1));
	else
		ok = !LZ4F_isError(LZ4F_createCompressionContext(&self->lz4, LZ4F_VERSION));
	if (!ok) {
		compressor_destroy(self);
		return NULL;
	}
	return self;
}

void
compressor_destroy(Compressor *self)
{
	if (self == NULL)
		return;
	if (self->compression == COMPRESSION_GZIP)
		deflateEnd(&self->gzip);
	ZSTD_freeCCtx(self->zstd);
	LZ4F_freeCompressionContext(self->lz4);
	memory_free(self);
}

typedef enum CompressStep {
	STEP_WRITE,
	STEP_FLUSH,
	STEP_FINISH,
} CompressStep;

static bool
gzip_compress(Compressor *self, const char *data, size_t len, CompressStep goal, Buffer *out)
{
	static const int modes[] = {Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH};
	z_stream *gzip = &self->gzip;
	int result;

	do {
		uInt part = len < PIECE ? (uInt)len : (uInt)PIECE;
		bool last = part == len;

		gzip->next_in = (z_const Bytef *)(uintptr_t)data;
		gzip->avail_in = part;
		do {
			char *room = buffer_reserve(out, PIECE);
			if (room == NULL)
				return false;
			gzip->next_out = (Bytef *)room;
			gzip->avail_out = (uInt)PIECE;
			result = deflate(gzip, last ? modes[goal] : Z_NO_FLUSH);
			if (result == Z_STREAM_ERROR)
				return false;
			buffer_commit(out, (char *)gzip->next_out);
		} while (gzip->avail_out == 0);
		data += part;
		len -= part;
	} while (len > 0);
	return goal != STEP_FINISH || result == Z_STREAM_END;
}

static bool
zstd_compress(Compressor *self, const char *data, size_t len, CompressStep goal, Buffer *out)
{
	static const ZSTD_EndDirective modes[] = {ZSTD_e_continue, ZSTD_e_flush, ZSTD_e_end};
	ZSTD_inBuffer in = {data, len, 0};
	size_t left;

	do {
		char *room = buffer_reserve(out, PIECE);
		if (room == NULL)
			return false;
		ZSTD_outBuffer piece = {room, PIECE, 0};
		left = ZSTD_compressStream2(self->zstd, &piece, &in, modes[goal]);
		if (ZSTD_isError(left))
			return false;
		out->len += piece.pos;
	} while (goal == STEP_WRITE ? in.pos < in.size : left > 0);
	return true;
}

static bool
lz4_begin(Compressor *self, Buffer *out)
{
	LZ4F_preferences_t preferences = {0};
	char *room = buffer_reserve(out, LZ4F_HEADER_SIZE_MAX);

	if (self->begun)
		return true;
	if (room == NULL)
		return false;
	preferences.frameInfo.contentChecksumFlag = LZ4F_contentChecksumEnabled;
	preferences.frameInfo.blockSizeID = LZ4F_max256KB;
	size_t n = LZ4F_compressBegin(self->lz4, room, LZ4F_HEADER_SIZE_MAX, &preferences);
	if (LZ4F_isError(n))
		return false;
	out->len += n;
	self->begun = true;
	return true;
}

static bool
lz4_compress(Compressor *self, const char *data, size_t len, CompressStep goal, Buffer *out)
{
	size_t n;

	if (!lz4_begin(self, out))
		return false;
	while (len > 0) {
		size_t part = len < PIECE ? len : PIECE;
		size_t bound = LZ4F_compressBound(PIECE, NULL) + LZ4_BLOCK;
		char *room = buffer_reserve(out, bound);

		if (room == NULL)
			return false;
		n = LZ4F_compressUpdate(self->lz4, room, bound, data, part, NULL);
		if (LZ4F_isError(n))
			return false;
		out->len += n;
		data += part;
		len -= part;
	}
	if (goal == STEP_WRITE)
		return true;
	size_t bound = LZ4F_compressBound(0, NULL) + LZ4_BLOCK;
	char *room = buffer_reserve(out, bound);
	if (room == NULL)
		return false;
	n = goal == STEP_FLUSH ? LZ4F_flush(self->lz4, room, bound, NULL)
			       : LZ4F_compressEnd(self->lz4, room, bound, NULL);
	if (LZ4F_isError(n))
		return false;
	out->len += n;
	return true;
}

static bool
run_compressor(Compressor *self, const char *data, size_t len, CompressStep goal, Buffer *out)
{
	if (self->compression == COMPRESSION_GZIP)
		return gzip_compress(self, data, len, goal, out);
	if (self->compression == COMPRESSION_ZSTD)
		return zstd_compress(self, data, len, goal, out);
	return lz4_compress(self, data, len, goal, out);
}

bool
compressor_write(Compressor *self, const char *data, size_t len, Buffer *out)
{
	return len == 0 || run_compressor(self, data, len, STEP_WRITE, out);
}

bool
compressor_flush(Compressor *self, Buffer *out)
{
	return run_compressor(self, "", 0, STEP_FLUSH, out);
}

bool
compressor_finish(Compressor *self, Buffer *out)
{
	return run_compressor(self, "", 0, STEP_FINISH, out);
}
