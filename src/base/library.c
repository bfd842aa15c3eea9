/* base/library.c -- dlopen and dlsym. */
#include "base/library.h"

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

static void
say_why(char *why, size_t size)
{
	const char *text = dlerror(); /* lint: allow dlerror -- text of this thread's call */

	snprintf(why, size, "%s", text != NULL ? text : "unknown");
}

bool
library_load(const char *file, const LibraryCall *calls, size_t count, char *why, size_t size)
{
	void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL) {
		say_why(why, size);
		return false;
	}
	for (size_t i = 0; i < count; i++) {
		void *address = dlsym(library, calls[i].name);

		if (address == NULL) {
			say_why(why, size);
			return false;
		}
		memcpy(calls[i].pointer, &address, sizeof address);
	}
	return true;
}
