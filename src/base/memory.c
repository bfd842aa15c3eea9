/* base/memory.c -- allocate or end the process with a clear message. */
#include "base/memory.h"

#include <stdio.h>
#include <malloc.h>
#include <stdlib.h>

static void *
checked(void *p, size_t size)
{
	if (p == NULL) {
		fprintf(stderr, "error: out of memory (%zu bytes wanted)\n", size);
		_Exit(3);
	}
	return p;
}

void *
memory_alloc(size_t size)
{
	return checked(malloc(size > 0 ? size : 1), size);
}

void *
memory_zero(size_t size)
{
	return checked(calloc(1, size > 0 ? size : 1), size);
}

void *
memory_resize(void *p, size_t size)
{
	return checked(realloc(p, size > 0 ? size : 1), size);
}

void *
memory_aligned(size_t align, size_t size)
{
	size_t rounded = (size + align - 1) / align * align;

	return checked(aligned_alloc(align, rounded > 0 ? rounded : align), rounded);
}

void
memory_free(void *p)
{
	free(p);
}

void
memory_trim(void)
{
	malloc_trim(0);
}
