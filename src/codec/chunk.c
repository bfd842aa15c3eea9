/* codec/chunk.c -- growing and recycling chunks and outputs. */
#include "codec/chunk.h"

#include "base/memory.h"

#define FIRST_RECORDS 2048

Chunk *
chunk_new(size_t capacity)
{
	Chunk *chunk = memory_zero(sizeof *chunk);

	chunk->capacity = capacity;
	chunk->data = memory_alloc(capacity + CHUNK_PADDING);
	return chunk;
}

void
chunk_destroy(Chunk *chunk)
{
	if (chunk == NULL)
		return;
	memory_free(chunk->data);
	memory_free(chunk->records);
	memory_free(chunk);
}

void
chunk_reset(Chunk *chunk)
{
	if (chunk->capacity > CHUNK_CAPACITY) {
		chunk->capacity = CHUNK_CAPACITY;
		chunk->data = memory_resize(chunk->data, CHUNK_CAPACITY + CHUNK_PADDING);
	}
	chunk->len = 0;
	chunk->record_count = 0;
	chunk->skipped_lines = 0;
	chunk->channel = chunk->channels = 0;
	chunk->marked = false;
	chunk->origin = (Str){NULL, 0};
}

char *
chunk_reserve(Chunk *chunk, size_t size)
{
	size_t capacity = chunk->capacity;

	if (capacity - chunk->len < size) {
		while (capacity - chunk->len < size)
			capacity *= 2;
		chunk->data = memory_resize(chunk->data, capacity + CHUNK_PADDING);
		chunk->capacity = capacity;
	}
	return chunk->data + chunk->len;
}

ChunkRecord *
chunk_add_record(Chunk *chunk)
{
	if (chunk->record_count == chunk->record_capacity) {
		chunk->record_capacity =
			chunk->record_capacity > 0 ? chunk->record_capacity * 2 : FIRST_RECORDS;
		chunk->records = memory_resize(chunk->records,
					       sizeof *chunk->records * chunk->record_capacity);
	}
	ChunkRecord *record = &chunk->records[chunk->record_count++];
	*record = (ChunkRecord){0};
	return record;
}

void
chunk_seal(Chunk *chunk)
{
	memset(chunk->data + chunk->len, 0, CHUNK_PADDING);
}

void
output_init(Output *output, size_t limit, bool keyed)
{
	*output = (Output){.keyed = keyed};
	buffer_init(&output->bytes, limit);
	buffer_init(&output->keys, limit);
	buffer_init(&output->headers, limit);
}

void
output_free(Output *output)
{
	buffer_free(&output->bytes);
	buffer_free(&output->keys);
	buffer_free(&output->headers);
	memory_free(output->ends);
	memory_free(output->key_ends);
	memory_free(output->header_ends);
	memory_free(output->timestamps);
}

void
output_reset(Output *output)
{
	buffer_reset(&output->bytes);
	buffer_reset(&output->keys);
	buffer_reset(&output->headers);
	output->count = 0;
}

void
output_reserve(Output *output, uint32_t count)
{
	uint32_t capacity = output->capacity > 0 ? output->capacity : FIRST_RECORDS;

	if (output->capacity - output->count >= count)
		return;
	while (capacity - output->count < count)
		capacity *= 2;
	output->ends = memory_resize(output->ends, sizeof *output->ends * capacity);
	if (output->keyed) {
		output->key_ends =
			memory_resize(output->key_ends, sizeof *output->key_ends * capacity);
		output->header_ends =
			memory_resize(output->header_ends, sizeof *output->header_ends * capacity);
		output->timestamps =
			memory_resize(output->timestamps, sizeof *output->timestamps * capacity);
	}
	output->capacity = capacity;
}

void
output_cut(Output *output, uint32_t count)
{
	if (count >= output->count)
		return;
	output->count = count;
	output->bytes.len = count > 0 ? output->ends[count - 1] : 0;
}

/* Moves what stays to the front: `ends` is relative to the start of the bytes. */
static void
drop_front(Buffer *bytes, uint32_t *ends, uint32_t count, uint32_t total)
{
	uint32_t cut = ends[count - 1] & ~KEY_NULL;

	if (cut > 0)
		memmove(bytes->data, bytes->data + cut, bytes->len - cut);
	bytes->len -= cut;
	for (uint32_t i = count; i < total; i++)
		ends[i - count] = ends[i] - cut;
}

void
output_drop(Output *output, uint32_t count)
{
	uint32_t total = output->count;

	if (count == 0)
		return;
	drop_front(&output->bytes, output->ends, count, total);
	if (output->keyed) {
		drop_front(&output->keys, output->key_ends, count, total);
		drop_front(&output->headers, output->header_ends, count, total);
		memmove(output->timestamps, output->timestamps + count,
			sizeof *output->timestamps * (total - count));
	}
	output->count = total - count;
}

/* Empty is not NULL, also while the buffer has no memory yet. */
static Str
part_of(const Buffer *bytes, uint32_t start, uint32_t end)
{
	return end > start ? (Str){bytes->data + start, end - start} : (Str){"", 0};
}

Str
output_key(const Output *output, uint32_t i)
{
	uint32_t start = i > 0 ? output->key_ends[i - 1] & ~KEY_NULL : 0;

	if (output->key_ends[i] & KEY_NULL)
		return (Str){NULL, 0};
	return part_of(&output->keys, start, output->key_ends[i]);
}

bool
output_is_null(const Output *output, uint32_t i)
{
	return output->keyed && (output->header_ends[i] & VALUE_NULL) != 0;
}

Str
output_headers(const Output *output, uint32_t i)
{
	uint32_t start = i > 0 ? output->header_ends[i - 1] & ~VALUE_NULL : 0;

	return part_of(&output->headers, start, output->header_ends[i] & ~VALUE_NULL);
}
