/* connector/shuffle.h -- the records of a topic that stands between two statements.
 *
 * The first one (plan/repartition.h) has a job for each split of its source.  What such a job
 * writes says of which split it is, so that the second one knows how far each has come:
 *
 *     a row     key: split, of so many splits       value: the row
 *     a mark    key: the same, watermark, idle      no value; one in each partition
 *
 * The partition of a row is chosen by the key that the first statement gives it, which is not
 * written.  All numbers are of the machine's byte order. */
#pragma once

#include <string.h>

#include "connector/connector.h"

typedef struct ShuffleKey {
	uint32_t split;
	uint32_t splits;
	bool is_mark;
	SplitMark mark;
} ShuffleKey;

#define SHUFFLE_ROW_KEY  8
#define SHUFFLE_MARK_KEY 17

static inline Str
shuffle_row_key(SplitShare share, char out[SHUFFLE_ROW_KEY])
{
	memcpy(out, &share.split, 4);
	memcpy(out + 4, &share.count, 4);
	return (Str){out, SHUFFLE_ROW_KEY};
}

static inline Str
shuffle_mark_key(SplitShare share, SplitMark mark, char out[SHUFFLE_MARK_KEY])
{
	shuffle_row_key(share, out);
	memcpy(out + 8, &mark.watermark, 8);
	out[16] = mark.idle;
	return (Str){out, SHUFFLE_MARK_KEY};
}

/* False: it is not such a key. */
static inline bool
shuffle_key_read(Str key, ShuffleKey *out)
{
	if (key.data == NULL || (key.len != SHUFFLE_ROW_KEY && key.len != SHUFFLE_MARK_KEY))
		return false;
	memcpy(&out->split, key.data, 4);
	memcpy(&out->splits, key.data + 4, 4);
	out->is_mark = key.len == SHUFFLE_MARK_KEY;
	if (out->is_mark) {
		memcpy(&out->mark.watermark, key.data + 8, 8);
		out->mark.idle = key.data[16] != 0;
	}
	return out->split < out->splits && out->splits <= SPLITS_MAX;
}

typedef enum ShuffleTaken {
	SHUFFLE_ROW,   /* the record belongs into the chunk */
	SHUFFLE_MARK,  /* the chunk has its mark now, and ends with it */
	SHUFFLE_OTHER, /* it is of another split than the chunk's, and stays where it is */
	SHUFFLE_WRONG, /* it is no such record */
} ShuffleTaken;

/* What a record's key says goes into the chunk; the first one says of which split it is. */
static inline ShuffleTaken
shuffle_take(Chunk *chunk, Str record_key)
{
	ShuffleKey key = {0};

	if (!shuffle_key_read(record_key, &key))
		return SHUFFLE_WRONG;
	if (chunk->channels > 0 && chunk->channel != key.split)
		return SHUFFLE_OTHER;
	chunk->channel = key.split;
	chunk->channels = key.splits;
	chunk->marked = key.is_mark;
	chunk->mark = key.mark.watermark;
	chunk->mark_idle = key.mark.idle;
	return key.is_mark ? SHUFFLE_MARK : SHUFFLE_ROW;
}

/* Which of so many partitions rows of that key go to. */
static inline uint32_t
shuffle_partition(Str key, uint32_t partitions)
{
	return (uint32_t)(str_hash(key) % partitions);
}
