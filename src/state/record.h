/* state/record.h -- state as bytes: rows, sort keys and numbers; one form for what is spilled, for
 * snapshots and for changelogs.
 *
 *     row        the columns one after the other, as group_nested_write writes them: equal bytes
 *                mean equal rows, and no row is the beginning of another one of its types
 *     sort key   bytes whose order under memcmp is the order of the values
 *     number     8 or 4 bytes: in keys the highest byte first, in values the lowest first
 *
 * Readers check every length: damaged bytes are an answer, not a crash.
 *
 * Threads: none of its own. */
#pragma once

#include "base/buffer.h"
#include "type/vector.h"

/* ---- rows ---- */

void record_write_row(Buffer *out, const Vector *const *columns, uint32_t count, uint32_t row);
/* Reads what record_write_row wrote to `row` of the columns; texts stay views of the bytes.
 * Returns the end of the row, or NULL if the bytes are damaged. */
const char *record_read_row(const char *bytes, const char *end, Vector *const *columns,
			    uint32_t count, uint32_t row);

/* ---- sort keys ---- */

typedef struct SortOrder {
	bool descending;
	bool nulls_first;
} SortOrder;

/* Appends the value at `row` so that memcmp compares as SQL does. */
void record_write_sort_key(Buffer *out, const Vector *vector, uint32_t row, SortOrder order);

/* ---- numbers ---- */

static inline void
record_key_u32(Buffer *out, uint32_t value)
{
	uint32_t swapped = __builtin_bswap32(value);

	buffer_append(out, &swapped, sizeof swapped);
}

static inline void
record_key_u64(Buffer *out, uint64_t value)
{
	uint64_t swapped = __builtin_bswap64(value);

	buffer_append(out, &swapped, sizeof swapped);
}

/* Negative numbers come before positive ones. */
static inline void
record_key_i64(Buffer *out, int64_t value)
{
	record_key_u64(out, (uint64_t)value ^ UINT64_C(1) << 63);
}

static inline void
record_u32(Buffer *out, uint32_t value)
{
	buffer_append(out, &value, sizeof value);
}

static inline void
record_u64(Buffer *out, uint64_t value)
{
	buffer_append(out, &value, sizeof value);
}

/* What is left of a record; each read takes from the front. */
typedef struct RecordReader {
	const char *next;
	const char *end;
	bool damaged; /* a read went beyond the end; it and all later ones gave zero */
} RecordReader;

static inline RecordReader
record_reader(Str bytes)
{
	return (RecordReader){bytes.data, bytes.len > 0 ? bytes.data + bytes.len : bytes.data,
			      false};
}

/* `size` bytes, or NULL. */
static inline const char *
record_take(RecordReader *reader, size_t size)
{
	const char *bytes = reader->next;

	if (reader->damaged || (size_t)(reader->end - reader->next) < size) {
		reader->damaged = true;
		return NULL;
	}
	reader->next += size;
	return bytes;
}

static inline uint32_t
record_take_u32(RecordReader *reader)
{
	const char *bytes = record_take(reader, sizeof(uint32_t));
	uint32_t value = 0;

	if (bytes != NULL)
		memcpy(&value, bytes, sizeof value);
	return value;
}

static inline uint64_t
record_take_u64(RecordReader *reader)
{
	const char *bytes = record_take(reader, sizeof(uint64_t));
	uint64_t value = 0;

	if (bytes != NULL)
		memcpy(&value, bytes, sizeof value);
	return value;
}

static inline uint64_t
record_take_key_u64(RecordReader *reader)
{
	return __builtin_bswap64(record_take_u64(reader));
}

static inline int64_t
record_take_key_i64(RecordReader *reader)
{
	return (int64_t)(record_take_key_u64(reader) ^ UINT64_C(1) << 63);
}
