/* state/backend.c -- the list of backends, and what all of them can do. */
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

Status
backend_each(StateBackend *backend, Str prefix, BackendVisit visit, void *context, Error *err)
{
	StateCursor *cursor;
	Status status = FERRIS_OK;
	Str key, value;
	Error ignored;

	TRY(backend->class->scan(backend, prefix, &cursor, err));
	while (status == FERRIS_OK && backend->class->cursor_next(cursor, &key, &value))
		status = visit(context, key, value, err);
	Status closed = backend->class->cursor_close(cursor, status == FERRIS_OK ? err : &ignored);
	return status != FERRIS_OK ? status : closed;
}
