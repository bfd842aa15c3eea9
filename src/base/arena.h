/* base/arena.h -- bump allocation: many small pieces, freed all at once.
 *
 * The program has four memory lifetimes: process, job, batch and state.  The first three are
 * arenas; nothing is allocated per record.  An arena is passed as an argument, there is no
 * current one.  arena_alloc never returns NULL: out of process memory ends the process with a
 * message.  arena_reset keeps the blocks, so a batch arena stops allocating after its first
 * batches.
 *
 * Threads: one arena belongs to one thread at a time. */
#pragma once

#include <stdarg.h>

#include "base/str.h"

typedef struct ArenaBlock ArenaBlock;

typedef struct Arena {
	ArenaBlock *first;   /* all blocks, in order of use */
	ArenaBlock *current; /* the one being filled */
	char *next;          /* free space in `current` */
	char *end;
	size_t block_size; /* size of a new block, bytes */
	size_t bytes;      /* held in blocks */
} Arena;

/* `block_size` 0 means 64 KiB.  The arena allocates nothing until it is used. */
void arena_init(Arena *arena, size_t block_size);
/* Everything allocated from it becomes invalid. */
void arena_free(Arena *arena);
/* The same, but the blocks are kept for reuse. */
void arena_reset(Arena *arena);
/* Bytes held in blocks. */
static inline size_t
arena_bytes(const Arena *arena)
{
	return arena->bytes;
}

void *arena_alloc_slow(Arena *arena, size_t size);

/* `size` bytes aligned to 16, not cleared. */
static inline void *
arena_alloc(Arena *arena, size_t size)
{
	size_t rounded = size > 0 ? (size + 15) & ~(size_t)15 : 16;

	if ((size_t)(arena->end - arena->next) < rounded)
		return arena_alloc_slow(arena, rounded);
	char *p = arena->next;
	arena->next += rounded;
	return p;
}

void *arena_zero(Arena *arena, size_t size);
/* The pieces below are NUL-terminated copies. */
char *arena_copy(Arena *arena, const void *data, size_t len);
Str str_copy(Arena *arena, Str s);
Str str_format(Arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
Str str_vformat(Arena *arena, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

#define ARENA_NEW(arena, Type) ((Type *)arena_zero((arena), sizeof(Type)))
#define ARENA_ARRAY(arena, Type, count)                                                            \
	((Type *)arena_zero((arena), sizeof(Type) * (size_t)(count)))
