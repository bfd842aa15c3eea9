/* state/gathering.c -- a backend that grows up. */
#include "state/gathering.h"

#include "state/store.h"

#define FEW_RECORDS 4096 /* are put in order in memory */

static Status
open_backend(const Gathering *gathering, bool large, StateBackend **out, Error *err)
{
	char dir[512];
	BackendSpec spec = {.memory = gathering->memory, .scans = true};

	if (!large)
		return backend_memory.open(&spec, out, err);
	spec.dir = gathering->dir != NULL ? gathering->dir : store_default_dir(dir, sizeof dir);
	return backend_rocksdb.open(&spec, out, err);
}

Status
gathering_open(Gathering *gathering, const char *dir, size_t memory, Error *err)
{
	*gathering = (Gathering){.dir = dir, .memory = memory};
	return open_backend(gathering, false, &gathering->records, err);
}

static Status
put_into(void *fresh, Str key, Str value, Error *err)
{
	StateBackend *to = fresh;

	return to->class->put(to, key, value, err);
}

static Status
move_records(Gathering *gathering, Error *err)
{
	StateBackend *old = gathering->records;
	StateBackend *fresh;

	TRY(old->class->commit(old, err));
	TRY(open_backend(gathering, true, &fresh, err));
	gathering->records = fresh;
	gathering->large = true;
	Status status = backend_each(old, STR(""), put_into, fresh, err);
	old->class->close(old);
	return status;
}

Status
gathering_take(Gathering *gathering, Str key, Str value, Error *err)
{
	if (++gathering->count == FEW_RECORDS && !gathering->large)
		TRY(move_records(gathering, err));
	StateBackend *records = gathering->records;
	return value.data == NULL ? records->class->remove(records, key, err)
				  : records->class->put(records, key, value, err);
}

Status
gathering_finish(Gathering *gathering, Error *err)
{
	return gathering->records->class->commit(gathering->records, err);
}

Status
gathering_is_empty(const Gathering *gathering, bool *empty, Error *err)
{
	const BackendClass *class = gathering->records->class;
	StateCursor *cursor;
	Str key, value;

	TRY(class->scan(gathering->records, STR(""), &cursor, err));
	*empty = !class->cursor_next(cursor, &key, &value);
	return class->cursor_close(cursor, err);
}

void
gathering_close(Gathering *gathering)
{
	if (gathering->records != NULL)
		gathering->records->class->close(gathering->records);
	gathering->records = NULL;
}
