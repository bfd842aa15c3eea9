/* state/backend.c -- the list of backends. */
#include "state/backend.h"

static const BackendClass *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "state/backend_list.h"
};

const BackendClass *
backend_row(size_t i)
{
	return i < sizeof backends / sizeof *backends ? backends[i] : NULL;
}

const BackendClass *
backend_named(Str name)
{
	for (size_t i = 0; i < sizeof backends / sizeof *backends; i++)
		if (str_eq(name, str_from(backends[i]->name)))
			return backends[i];
	return NULL;
}
