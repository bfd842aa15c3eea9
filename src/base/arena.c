/* base/arena.c -- blocks in a list, filled one after the other. */
#include "base/arena.h"

#include <stdio.h>

#include "base/memory.h"

struct ArenaBlock {
	ArenaBlock *next;
	size_t size; /* bytes behind this header */
	_Alignas(16) char data[];
};

#define DEFAULT_BLOCK_SIZE ((size_t)64 << 10)

void
arena_init(Arena *arena, size_t block_size)
{
	*arena = (Arena){.block_size = block_size > 0 ? block_size : DEFAULT_BLOCK_SIZE};
}

void
arena_free(Arena *arena)
{
	for (ArenaBlock *block = arena->first, *next; block != NULL; block = next) {
		next = block->next;
		memory_free(block);
	}
	arena_init(arena, arena->block_size);
}

static void
arena_enter(Arena *arena, ArenaBlock *block)
{
	arena->current = block;
	arena->next = block->data;
	arena->end = block->data + block->size;
}

void
arena_reset(Arena *arena)
{
	if (arena->first != NULL)
		arena_enter(arena, arena->first);
}

void *
arena_alloc_slow(Arena *arena, size_t size)
{
	ArenaBlock **link = arena->current != NULL ? &arena->current->next : &arena->first;

	/* Blocks left by a reset are used again when they are large enough. */
	if (*link == NULL || (*link)->size < size) {
		size_t bytes = size > arena->block_size ? size : arena->block_size;
		ArenaBlock *block = memory_alloc(sizeof *block + bytes);

		block->size = bytes;
		block->next = *link;
		*link = block;
		arena->bytes += bytes;
	}
	arena_enter(arena, *link);
	char *p = arena->next;
	arena->next += size;
	return p;
}

void *
arena_zero(Arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

char *
arena_copy(Arena *arena, const void *data, size_t len)
{
	char *copy = arena_alloc(arena, len + 1);

	if (len > 0)
		memcpy(copy, data, len);
	copy[len] = '\0';
	return copy;
}

Str
str_copy(Arena *arena, Str s)
{
	return (Str){arena_copy(arena, s.data, s.len), s.len};
}

Str
str_vformat(Arena *arena, const char *format, va_list args)
{
	va_list again;

	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	char *text = arena_alloc(arena, (size_t)len + 1);
	vsnprintf(text, (size_t)len + 1, format, args);
	return (Str){text, (uint32_t)len};
}

Str
str_format(Arena *arena, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	Str s = str_vformat(arena, format, args);
	va_end(args);
	return s;
}
