/* connector/file_watch.c -- following files that grow, are rotated or cut.
 *
 * inotify only wakes the reader; what has happened is found out by looking, so that a change
 * which inotify does not report (a network file system) is found at the next poll interval.
 *
 *   grown     the bytes behind the last position are read; an unfinished line waits for its end
 *   rotated   the path leads to another inode: the old file is read to its end, then the new one
 *   cut       the file is shorter than what was read: it is read from its start, with a warning
 *   new       a file that a glob or folder now also names is added as a split */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "connector/file_reader.h"

void
file_watch_open(FileReader *reader, const Setting *settings)
{
	FileWatch *watch = &reader->watch;

	/* A pipe on standard input ends with its writer, watched or not. */
	watch->active = settings[FILE_WATCH].flag && !str_eq(reader->query.path, STR("-"));
	watch->poll_interval_ms = (int)settings[FILE_POLL_INTERVAL].integer;
	watch->notify = watch->active ? inotify_init1(IN_NONBLOCK | IN_CLOEXEC) : -1;
}

void
file_watch_close(FileReader *reader)
{
	if (reader->watch.notify >= 0)
		close(reader->watch.notify);
	reader->watch.notify = -1;
}

void
file_watch_add(FileReader *reader, const char *path)
{
	if (reader->watch.notify >= 0) /* if it fails, polling does it */
		inotify_add_watch(reader->watch.notify, path,
				  IN_MODIFY | IN_MOVE_SELF | IN_DELETE_SELF | IN_ATTRIB);
}

/* Sleep until something happens to a file, or a poll interval, or timeout_ms. */
static void
wait_for_change(FileWatch *watch, int timeout_ms)
{
	int wait_ms = timeout_ms < watch->poll_interval_ms ? timeout_ms : watch->poll_interval_ms;
	struct pollfd ready = {.fd = watch->notify, .events = POLLIN};
	char events[4096];

	if (poll(&ready, 1, wait_ms) > 0) /* a negative fd is ignored: it only sleeps */
		while (read(watch->notify, events, sizeof events) > 0)
			;
}

/* Read the split's file again from its first byte. */
static void
start_over(FileReader *reader, FileSplit *split)
{
	file_split_forget(split);
	split->position = 0;
	split->resume = 0;
	split->skipped_lines = 0;
	split->header_done = reader->framing.codec->header == NULL;
}

/* The last record of a file to which nothing is added any more needs no line end. */
static bool
deliver_rest(FileReader *reader, uint32_t index, Chunk *chunk)
{
	FileSplit *split = file_split(reader, index);

	if (file_split_kept(split) == 0)
		return false;
	chunk_reserve(chunk, file_split_kept(split));
	file_split_take(reader, split, chunk);
	file_reader_deliver(reader, index, chunk);
	return true;
}

/* A compressed file is read once: nobody appends to it while it is followed. */
static void
finish_compressed(FileReader *reader, uint32_t index, Chunk *chunk, ReadResult *result)
{
	*result = READ_DATA;
	if (deliver_rest(reader, index, chunk))
		return;
	file_split_close(file_split(reader, index));
	*result = READ_IDLE;
}

/* The path leads to another file: finish the old one, then go on with the new one. */
static Status
follow_rotation(FileReader *reader, uint32_t index, Chunk *chunk, ReadResult *result, Error *err)
{
	FileSplit *split = file_split(reader, index);
	FileInput fresh;

	*result = READ_END; /* look again at once */
	if (file_input_size(&split->input) > split->input.raw_offset)
		return FERRIS_OK; /* it was written to until just now */
	if (deliver_rest(reader, index, chunk)) {
		*result = READ_DATA;
		return FERRIS_OK;
	}
	Status status = file_input_open(&fresh, split->path, reader->compression, false, err);
	if (status != FERRIS_OK) {
		*result = READ_IDLE;
		return access(split->path, F_OK) != 0 ? FERRIS_OK : status;
	}
	file_input_close(&split->input);
	split->input = fresh;
	start_over(reader, split);
	file_watch_add(reader, split->path);
	return FERRIS_OK;
}

/* The split's file has been read to its end.  Is it still the one at the path, and as long? */
static Status
check_file(FileReader *reader, uint32_t index, Chunk *chunk, ReadResult *result, Error *err)
{
	FileSplit *split = file_split(reader, index);
	FileInput *input = &split->input;
	struct stat info;

	*result = READ_IDLE;
	if (input->decompressor != NULL)
		finish_compressed(reader, index, chunk, result);
	if (input->decompressor != NULL || !input->regular || stat(input->path, &info) != 0)
		return FERRIS_OK; /* also: moved away, and its successor has not come yet */
	if (info.st_ino != input->inode || info.st_dev != input->device)
		return follow_rotation(reader, index, chunk, result, err);
	if (info.st_size < input->raw_offset) {
		fprintf(stderr,
			"warning: file '%s' was cut from %lld to %lld bytes while it was "
			"followed; it is read again from its start\n",
			input->path, (long long)input->raw_offset, (long long)info.st_size);
		TRY(file_input_seek(input, 0, err));
		start_over(reader, split);
		*result = READ_END;
	}
	return FERRIS_OK;
}

static int
compare_path(const void *key, const void *element)
{
	return strcmp(key, *(const char *const *)element);
}

/* Files that the glob or folder did not name before. */
static Status
find_new_files(FileReader *reader, Error *err)
{
	FileList list;
	Error ignored;
	Arena scratch;
	Status status = FERRIS_OK;

	arena_init(&scratch, 0);
	if (file_path_expand(&reader->query, &scratch, &list, &ignored) != FERRIS_OK)
		list.count = 0; /* all are gone for the moment */
	bool *known = ARENA_ARRAY(&scratch, bool, list.count);
	for (uint32_t i = 0; i < reader->split_count && list.count > 0; i++) {
		const char **found = bsearch(file_split(reader, i)->path, list.paths, list.count,
					     sizeof *list.paths, compare_path);
		if (found != NULL)
			known[found - list.paths] = true;
	}
	for (uint32_t i = 0; i < list.count && status == FERRIS_OK; i++)
		if (!known[i])
			status = file_reader_add(
				reader, str_copy(&reader->names, str_from(list.paths[i])).data,
				err);
	arena_free(&scratch);
	return status;
}

/* One look at every split, beginning behind the one that was read last. */
static Status
look_at_all(FileReader *reader, Chunk *chunk, ReadResult *result, Error *err)
{
	for (uint32_t i = 0; i < reader->split_count; i++) {
		uint32_t index = (reader->current + 1 + i) % reader->split_count;
		FileSplit *split = file_split(reader, index);

		if (split->done || (!split->opened && access(split->path, F_OK) != 0))
			continue;
		do {
			TRY(file_split_read(reader, index, chunk, 0, result, err));
			if (*result == READ_END)
				TRY(check_file(reader, index, chunk, result, err));
		} while (*result == READ_END);
		if (*result == READ_DATA) {
			reader->current = index;
			return FERRIS_OK;
		}
	}
	*result = READ_IDLE;
	return FERRIS_OK;
}

Status
file_watch_read(FileReader *reader, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	int64_t deadline_ms = clock_ms() + timeout_ms;

	for (;;) {
		TRY(look_at_all(reader, chunk, result, err));
		int64_t now_ms = clock_ms();
		if (*result == READ_DATA || now_ms >= deadline_ms)
			return FERRIS_OK;
		wait_for_change(&reader->watch, (int)(deadline_ms - now_ms));
		if (now_ms >= reader->watch.next_look_ms) {
			TRY(find_new_files(reader, err));
			reader->watch.next_look_ms = now_ms + reader->watch.poll_interval_ms;
		}
	}
}

/* Something that a read must see to: a new file, one that was cut or has taken another's place. */
static bool
has_changed(const FileSplit *split)
{
	const FileInput *input = &split->input;
	struct stat info;

	if (!split->opened)
		return access(split->path, F_OK) == 0;
	return stat(split->path, &info) == 0 &&
	       (info.st_ino != input->inode || info.st_dev != input->device ||
		info.st_size < input->raw_offset);
}

static void
measure(const FileReader *reader, Backlog *out)
{
	*out = (Backlog){0};
	for (uint32_t i = 0; i < reader->split_count; i++) {
		const FileSplit *split = file_split(reader, i);

		if (split->done)
			continue;
		if (has_changed(split) || split->input.decompressor != NULL)
			out->full = true;
		int64_t size = split->opened ? file_input_size(&split->input) : 0;
		if (size > split->input.raw_offset)
			out->bytes += (uint64_t)(size - split->input.raw_offset);
		out->bytes += file_split_kept(split);
	}
	/* Before the first record was seen, nobody knows how long they are. */
	out->full |= out->bytes > 0 && reader->record_bytes == 0;
	/* A record that is shorter than the others is one too. */
	out->rows = reader->record_bytes > 0
			    ? (out->bytes + reader->record_bytes - 1) / reader->record_bytes
			    : out->bytes > 0;
}

bool
file_watch_backlog(FileReader *reader, int timeout_ms, Backlog *out, Error *err)
{
	int64_t now_ms = clock_ms();

	if (now_ms >= reader->watch.next_look_ms) {
		if (find_new_files(reader, err) != FERRIS_OK)
			return false; /* reading says so */
		reader->watch.next_look_ms = now_ms + reader->watch.poll_interval_ms;
	}
	measure(reader, out);
	if (out->rows > 0 || out->full || timeout_ms == 0)
		return true;
	wait_for_change(&reader->watch, timeout_ms);
	measure(reader, out);
	return true;
}
