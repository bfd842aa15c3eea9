/* connector/file_rotation.c -- when a part is full, and what becomes of it.
 *
 * Where rows or bytes decide, they alone do: a part is full when it has its rows, or before the row
 * that would make it too large, wherever an epoch ends.  So the mark counts what is in the part
 * that is not full, and a run that goes on from it cuts the same parts.
 *
 * A part that is full keeps the name of one in work until the caller says that its rows are final
 * (file_rotation_show).  So under a final name nothing is ever written again, and after a crash the
 * parts before that of the mark are shown, what is behind the mark goes.
 *
 * No two statements write the parts of one path: the last part, full or not, is locked until the
 * next one is; a part is made only where there is none of its number. */
#include "connector/file_rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"

/* ---- one part after the other ---- */

static void
release_lock(FileRotation *self)
{
	if (self->lock >= 0)
		close(self->lock);
	self->lock = -1;
}

static void
name_part(FileRotation *self)
{
	file_part_path(&self->parts, (FilePart){self->part, false}, self->path);
	self->spec.path = self->path;
}

static Status
begin_part(FileRotation *self, Error *err)
{
	struct stat info;

	file_part_path(&self->parts, (FilePart){self->part, true}, self->path);
	if (lstat(self->path, &info) == 0) {
		file_create_error(self->path, EEXIST, err);
		return error_hint(err, "somebody else has made it while this statement ran: give "
				       "each a 'path' of its own");
	}
	name_part(self);
	TRY(file_output_open(&self->output, &self->spec, err));
	release_lock(self);
	self->open = true;
	self->rows = 0;
	self->bytes = self->spec.preamble_len;
	self->begun_ms = clock_wall_ms();
	return FERRIS_OK;
}

/* The part is full.  Up to the last step it may be tried again. */
static Status
end_part(FileRotation *self, Error *err)
{
	WriterMark unused;

	TRY(self->spec.marked ? file_output_mark(&self->output, &unused, err)
	    : self->syncs     ? file_output_sync(&self->output, err)
			      : file_output_flush(&self->output, err));
	release_lock(self);
	self->lock = fcntl(self->output.fd, F_DUPFD_CLOEXEC, 0);
	TRY(file_output_finish(&self->output, err));
	file_output_close(&self->output);
	self->open = false;
	self->part++;
	self->rows = self->bytes = 0;
	return FERRIS_OK;
}

static bool
is_full(const FileRotation *self)
{
	return (self->row_limit > 0 && self->rows >= self->row_limit) ||
	       (self->size_limit > 0 && self->bytes >= self->size_limit);
}

static Status
end_old_part(FileRotation *self, Error *err)
{
	bool old = self->open && self->interval_ms > 0 &&
		   clock_wall_ms() - self->begun_ms >= self->interval_ms;

	return old ? end_part(self, err) : FERRIS_OK;
}

/* Where the record begins in the output's bytes. */
static size_t
start_of(const Output *output, uint32_t record)
{
	return record > 0 ? output->ends[record - 1] : 0;
}

/* How many records from `first` on have room in the part; a part takes one in any case. */
static uint32_t
count_fitting(const FileRotation *self, const Output *output, uint32_t first, uint32_t end)
{
	bool empty = !self->open || self->rows == 0;
	uint64_t rows = self->open ? self->rows : 0;
	uint64_t bytes = self->open ? self->bytes : self->spec.preamble_len;

	if (self->row_limit > 0) {
		uint64_t room = self->row_limit > rows ? self->row_limit - rows : 0;

		end = room < end - first ? first + (uint32_t)room : end;
	}
	if (self->size_limit > 0) {
		uint32_t least = first, most = end; /* binary search for the last one that fits */

		while (least < most) {
			uint32_t middle = least + (most - least + 1) / 2;
			uint64_t len = output->ends[middle - 1] - start_of(output, first);

			if (bytes + len <= self->size_limit)
				least = middle;
			else
				most = middle - 1;
		}
		end = least;
	}
	return empty && end == first ? 1 : end - first;
}

static Status
add_records(FileRotation *self, const Output *output, uint32_t first, uint32_t count, Error *err)
{
	size_t start = start_of(output, first);
	size_t len = output->ends[first + count - 1] - start;

	if (!self->open)
		TRY(begin_part(self, err));
	TRY(file_output_write(&self->output, output->bytes.data + start, len, err));
	self->rows += count;
	self->bytes += len;
	return FERRIS_OK;
}

Status
file_rotation_write(FileRotation *self, const Output *output, uint32_t first, uint32_t count,
		    Error *err)
{
	Status status = end_old_part(self, err);
	uint32_t end = first + count;
	uint32_t done = first;

	while (status == FERRIS_OK && done < end) {
		uint32_t fitting = count_fitting(self, output, done, end);

		if (fitting > 0)
			status = add_records(self, output, done, fitting, err);
		if (status == FERRIS_OK)
			done += fitting;
		if (status == FERRIS_OK && (fitting == 0 || is_full(self)))
			status = end_part(self, err);
	}
	if (status != FERRIS_OK && done > first)
		err->flags &= ~ERROR_RETRIABLE; /* some records would come twice */
	return status;
}

/* ---- epochs ---- */

Status
file_rotation_flush(FileRotation *self, Error *err)
{
	TRY(end_old_part(self, err));
	return self->open ? file_output_flush(&self->output, err) : FERRIS_OK;
}

Status
file_rotation_sync(FileRotation *self, Error *err)
{
	return self->open ? file_output_sync(&self->output, err) : FERRIS_OK;
}

Status
file_rotation_mark(FileRotation *self, WriterMark *mark, Error *err)
{
	TRY(end_old_part(self, err));
	*mark = (WriterMark){.part = self->part};
	if (!self->open)
		return FERRIS_OK;
	TRY(file_output_mark(&self->output, mark, err));
	mark->rows = self->rows;
	mark->bytes = self->bytes;
	mark->begun_ms = self->begun_ms;
	return FERRIS_OK;
}

int64_t
file_rotation_due(const FileRotation *self)
{
	if (self->complete && self->shown < self->part)
		return 0;
	return self->open && self->interval_ms > 0 ? self->begun_ms + self->interval_ms : INT64_MAX;
}

Status
file_rotation_complete(FileRotation *self, Error *err)
{
	if (self->open)
		TRY(end_part(self, err));
	self->complete = true;
	return FERRIS_OK;
}

Status
file_rotation_show(FileRotation *self, Error *err)
{
	for (; self->shown < self->part; self->shown++)
		TRY(file_part_show(&self->parts, self->shown, true, err));
	return FERRIS_OK;
}

/* The names are safe before the caller forgets where it stood. */
static Status
show_all(FileRotation *self, Error *err)
{
	TRY(file_rotation_show(self, err));
	int code = self->spec.marked || self->spec.sync == FILE_SYNC_FLUSH
			   ? file_sync_folder(self->parts.disk, self->parts.path)
			   : 0;
	if (code == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot write the folder of '%s'", self->parts.path);
	error_errno(err, code);
	err->flags = 0;
	return err->status;
}

Status
file_rotation_close(FileRotation *self, bool failed, Error *err)
{
	Status status = FERRIS_OK;

	if (!failed && self->complete && self->part > 1)
		status = show_all(self, err);
	if (self->open)
		file_output_close(&self->output);
	self->open = false;
	release_lock(self);
	return status;
}

/* ---- what the run before has left ---- */

/* Another writer has the last part, or one in work; readers matter where parts are to go. */
static Status
check_free(const FileRotation *self, const FilePartList *list, bool replaced, Error *err)
{
	for (uint32_t i = 0; i < list->count; i++) {
		bool matters = replaced || !list->parts[i].shown || i == list->count - 1;
		PartUse use =
			matters ? file_part_use(&self->parts, list->parts[i], replaced) : PART_FREE;

		if (use == PART_FREE)
			continue;
		error_set(err, FERRIS_ERR_FILE_WRITE, "cannot write parts of '%s': %s",
			  self->parts.path,
			  use == PART_WRITTEN ? "another statement does"
					      : "one that is there already is being read");
		err->flags = 0;
		return error_hint(err, use == PART_WRITTEN
					       ? "give each a 'path' of its own"
					       : "write to another path, or behind the parts that "
						 "are there with 'append' = 'true'");
	}
	return FERRIS_OK;
}

static Status
begin_anew(FileRotation *self, const FilePartList *list, Error *err)
{
	TRY(check_free(self, list, true, err));
	for (uint32_t i = 0; i < list->count; i++)
		TRY(file_part_remove(&self->parts, list->parts[i], err));
	return FERRIS_OK;
}

/* What a run that was killed has left in work is complete as it is: nobody will go on with it. */
static Status
begin_behind(FileRotation *self, const FilePartList *list, Error *err)
{
	TRY(check_free(self, list, false, err));
	for (uint32_t i = 0; i < list->count; i++)
		if (!list->parts[i].shown)
			TRY(file_part_show(&self->parts, list->parts[i].number, true, err));
	if (list->count > 0)
		self->part = list->parts[list->count - 1].number + 1;
	return FERRIS_OK;
}

/* The part of the mark, which an older journal may find shown already. */
static Status
reopen_part(FileRotation *self, const FilePartList *list, const WriterMark *mark, Error *err)
{
	bool shown = false, hidden = false;

	for (uint32_t i = 0; i < list->count; i++) {
		bool own = list->parts[i].number == mark->part;

		shown = shown || (own && list->parts[i].shown);
		hidden = hidden || (own && !list->parts[i].shown);
	}
	if (shown && !hidden)
		TRY(file_part_show(&self->parts, mark->part, false, err));
	name_part(self);
	self->spec.resume = mark;
	Status status = file_output_open(&self->output, &self->spec, err);
	self->spec.resume = NULL;
	TRY(status);
	self->open = true;
	self->rows = mark->rows;
	self->bytes = mark->bytes;
	self->begun_ms = mark->begun_ms;
	return FERRIS_OK;
}

/* Nothing goes before the part of the mark was found to be as it must. */
static Status
go_on(FileRotation *self, const FilePartList *list, const WriterMark *mark, Error *err)
{
	self->part = mark->part;
	if (mark->length > 0)
		TRY(reopen_part(self, list, mark, err));
	for (uint32_t i = 0; i < list->count; i++) {
		FilePart part = list->parts[i];

		if (part.number > mark->part || (part.number == mark->part && mark->length == 0))
			TRY(file_part_remove(&self->parts, part, err));
		else if (part.number < mark->part && !part.shown)
			TRY(file_part_show(&self->parts, part.number, true, err));
	}
	return FERRIS_OK;
}

Status
file_rotation_open(FileRotation *self, bool append, const WriterMark *resume, Error *err)
{
	struct stat info;
	FilePartList list;

	self->part = 1;
	self->lock = -1;
	if (stat(self->parts.path, &info) == 0 && S_ISDIR(info.st_mode))
		return file_create_error(self->parts.path, EISDIR, err);
	TRY(file_parts_list(&self->parts, &list, err));
	Status status = resume != NULL ? go_on(self, &list, resume, err)
			: append       ? begin_behind(self, &list, err)
				       : begin_anew(self, &list, err);
	file_parts_free(&list);
	if (status == FERRIS_OK) {
		self->shown = self->part;
		return FERRIS_OK;
	}
	if (self->open)
		file_output_close(&self->output);
	self->open = false;
	return status;
}
