/* base/buffer.h -- a growing run of bytes with a limit given at birth.
 *
 * Hot writers reserve once for a whole batch and then store through a plain pointer:
 *
 *     char *p = buffer_reserve(&buffer, bytes_at_most);
 *     ... p = ... ;
 *     buffer_commit(&buffer, p);
 *
 * Owner: whoever called buffer_init.  Threads: one at a time. */
#pragma once

#include <stdarg.h>

#include "base/str.h"

typedef struct Buffer {
	char *data;
	size_t len;
	size_t capacity;
	size_t limit;  /* capacity never exceeds this */
	bool overflow; /* an append was refused by the limit; stays set until reset */
} Buffer;

void buffer_init(Buffer *buffer, size_t limit);
void buffer_free(Buffer *buffer);
/* Makes room for `size` more bytes and returns where they go, or NULL at the limit. */
char *buffer_grow(Buffer *buffer, size_t size);

static inline char *
buffer_reserve(Buffer *buffer, size_t size)
{
	if (buffer->data != NULL && buffer->capacity - buffer->len >= size)
		return buffer->data + buffer->len;
	return buffer_grow(buffer, size);
}

/* `end` is one past the last byte written into the reserved space. */
static inline void
buffer_commit(Buffer *buffer, const char *end)
{
	buffer->len = (size_t)(end - buffer->data);
}

static inline void
buffer_reset(Buffer *buffer)
{
	buffer->len = 0;
	buffer->overflow = false;
}

/* Appends return false at the limit and then leave the buffer as it was. */
bool buffer_append(Buffer *buffer, const void *data, size_t len);
bool buffer_append_str(Buffer *buffer, Str s);
bool buffer_append_char(Buffer *buffer, char c);
/* As a JSON string, in quotes; the bytes must be UTF-8 for the result to be. */
bool buffer_append_json(Buffer *buffer, Str s);
/* Ends a line that began at `from`: control characters in it, a line end in a name, become '?'. */
void buffer_end_line(Buffer *buffer, size_t from);
bool buffer_printf(Buffer *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
