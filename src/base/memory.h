/* base/memory.h -- the only doors to the process allocator.
 *
 * Out of memory ends the process with a message: restart is safe, because output is committed
 * together with the input position.  What may grow with the data has a budget of its own. */
#pragma once

#include <stddef.h>

void *memory_alloc(size_t size); /* not cleared */
void *memory_zero(size_t size);  /* cleared */
void *memory_resize(void *p, size_t size);
void *memory_aligned(size_t align, size_t size); /* size is rounded up to align */
void memory_free(void *p);
/* Gives what is free back to the system; for after much has been freed. */
void memory_trim(void);
