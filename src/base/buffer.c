/* base/buffer.c -- growth by doubling up to the limit. */
#include "base/buffer.h"

#include <stdio.h>

#include "base/memory.h"

#define FIRST_CAPACITY 256

void
buffer_init(Buffer *buffer, size_t limit)
{
	*buffer = (Buffer){.limit = limit};
}

void
buffer_free(Buffer *buffer)
{
	memory_free(buffer->data);
	buffer_init(buffer, buffer->limit);
}

char *
buffer_grow(Buffer *buffer, size_t size)
{
	size_t capacity = buffer->capacity > 0 ? buffer->capacity : FIRST_CAPACITY;

	if (buffer->limit - buffer->len < size) {
		buffer->overflow = true;
		return NULL;
	}
	while (capacity - buffer->len < size)
		capacity *= 2;
	if (capacity > buffer->limit)
		capacity = buffer->limit;
	buffer->data = memory_resize(buffer->data, capacity);
	buffer->capacity = capacity;
	return buffer->data + buffer->len;
}

bool
buffer_append(Buffer *buffer, const void *data, size_t len)
{
	char *p = buffer_reserve(buffer, len);

	if (p == NULL)
		return len == 0;
	if (len > 0)
		memcpy(p, data, len);
	buffer->len += len;
	return true;
}

bool
buffer_append_str(Buffer *buffer, Str s)
{
	return buffer_append(buffer, s.data, s.len);
}

bool
buffer_append_char(Buffer *buffer, char c)
{
	return buffer_append(buffer, &c, 1);
}

bool
buffer_append_json(Buffer *buffer, Str s)
{
	buffer_append_char(buffer, '"');
	for (uint32_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];

		if (c == '"' || c == '\\')
			buffer_printf(buffer, "\\%c", c);
		else if (c < 0x20)
			buffer_printf(buffer, "\\u%04x", c);
		else
			buffer_append_char(buffer, (char)c);
	}
	return buffer_append_char(buffer, '"');
}

void
buffer_end_line(Buffer *buffer, size_t from)
{
	for (size_t i = from; i < buffer->len; i++)
		if ((unsigned char)buffer->data[i] < ' ' || buffer->data[i] == 0x7f)
			buffer->data[i] = '?';
	buffer_append_char(buffer, '\n');
}

bool
buffer_printf(Buffer *buffer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	char *p = buffer_reserve(buffer, (size_t)len + 1);
	if (p == NULL)
		return false;
	va_start(args, format);
	vsnprintf(p, (size_t)len + 1, format, args);
	va_end(args);
	buffer->len += (size_t)len;
	return true;
}
