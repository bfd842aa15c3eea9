/* base/library.h -- shared libraries that are loaded when they are first needed.
 *
 * Linked, such a library would cost time and memory in every run, though nearly no run needs it.
 *
 * Threads: any; the caller sees to it that a library is loaded once (pthread_once). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A function of the library, and the pointer that is to be set to it. */
typedef struct LibraryCall {
	const char *name;
	void *pointer;
} LibraryCall;

/* Sets all pointers; false: the file, or a function in it, is missing, and `why` says so.  What was
 * loaded stays as long as the process. */
bool library_load(const char *file, const LibraryCall *calls, size_t count, char *why, size_t size);
