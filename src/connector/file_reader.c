/* connector/file_reader.c -- chunks of whole records, file after file.
 *
 * Files are read with read(2), not mapped: a file that is cut while it is mapped kills the
 * process, and a copy from the page cache is cheaper than the page faults.  Only the record that
 * a chunk cuts is copied a second time, and what goes beyond a batch: to the carry and, by the
 * batch, out of it. */
#include "connector/file_reader.h"

#include <errno.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

#define HEADER_BYTES ((size_t)64 << 10) /* a header may be as long, however small the records */

Status
file_reader_add(FileReader *reader, const char *path, Error *err)
{
	uint32_t block = reader->split_count / SPLIT_BLOCK;

	if (block == SPLIT_BLOCKS)
		return error_set(err, FERRIS_ERR_LIMIT, "'%s' has more than %d files",
				 reader->object, SPLIT_BLOCK * SPLIT_BLOCKS);
	if (reader->blocks[block] == NULL)
		reader->blocks[block] = memory_zero(sizeof(FileSplit) * SPLIT_BLOCK);
	struct stat info;
	FileSplit *split = file_split(reader, reader->split_count++);
	split->size = stat(path, &info) == 0 && S_ISREG(info.st_mode) ? info.st_size : 0;
	reader->unopened_bytes += split->size;
	split->path = path;
	split->input = (FileInput){.path = path, .fd = -1};
	buffer_init(&split->carry, SIZE_MAX);
	file_watch_add(reader, path);
	return FERRIS_OK;
}

static Status
open_split(FileReader *reader, FileSplit *split, Error *err)
{
	if (split->opened)
		return FERRIS_OK;
	TRY(file_input_open(&split->input, split->path, reader->compression, !reader->watch.active,
			    err));
	split->opened = true;
	reader->unopened_bytes -= split->size;
	split->header_done = reader->framing.codec->header == NULL;
	split->position = 0;
	file_origin_resume(reader, split);
	return FERRIS_OK;
}

void
file_split_close(FileSplit *split)
{
	file_input_close(&split->input);
	buffer_free(&split->carry);
	split->done = true;
}

static Status
record_too_large(const FileReader *reader, const FileSplit *split, Error *err)
{
	error_set(err, FERRIS_ERR_RECORD_TOO_LARGE,
		  "record at byte %lld of file '%s' is longer than %zu bytes",
		  (long long)split->position, split->path, reader->max_record);
	return error_hint(err,
			  "raise 'max.record.size' for '%s', or check that 'format' fits the file",
			  reader->object);
}

/* Let the codec check and skip what stands before the first record. */
static Status
skip_header(FileReader *reader, FileSplit *split, Chunk *chunk, bool last, Error *err)
{
	size_t skip = 0;

	Status status = reader->framing.codec->header(reader->framing.spec, chunk->data, chunk->len,
						      last, &skip, err);
	if (status != FERRIS_OK) {
		size_t used = strlen(err->message);
		snprintf(err->message + used, sizeof err->message - used, " (file '%s')",
			 split->path);
		return status;
	}
	if (skip > chunk->len) /* HEADER_INCOMPLETE */
		return FERRIS_OK;
	for (size_t i = 0; i < skip; i++)
		split->skipped_lines += chunk->data[i] == '\n';
	memmove(chunk->data, chunk->data + skip, chunk->len - skip);
	chunk->len -= skip;
	split->position += (int64_t)skip;
	split->header_done = true;
	return FERRIS_OK;
}

/* Bytes of whole records in the chunk, of which the first `framed` are known to be such; 0 if more
 * must be read first. */
static size_t
whole_records(const FileReader *reader, const Chunk *chunk, size_t framed, bool last)
{
	const Framing *framing = &reader->framing;

	if (last || chunk->len == framed)
		return chunk->len;
	return framed + framing->codec->frame(framing->settings, chunk->data + framed,
					      chunk->len - framed, false);
}

/* How many records a chunk may have; 0: any number. */
static uint32_t
record_limit(const FileReader *reader)
{
	uint32_t asked = reader->base.limit_rows;

	if (asked == 0 ||
	    (reader->own_limit && reader->batch_records > 0 && reader->batch_records < asked))
		return reader->batch_records;
	return asked;
}

/* A batch's share of whole records. */
typedef struct Cut {
	size_t len;
	uint32_t records; /* 0: they were not counted */
	bool full;        /* no more would go into it */
} Cut;

/* So many of the whole records as a batch may have. */
static Cut
cut_batch(FileReader *reader, const char *data, size_t whole)
{
	const Framing *framing = &reader->framing;
	uint32_t limit = record_limit(reader);
	size_t most = reader->base.limit_bytes;

	if (limit == 0 && (most == 0 || most >= whole))
		return (Cut){.len = whole};
	Cut cut = {.records = limit};
	cut.len = framing->codec->cut(framing->settings, data, whole, most > 0 ? most : whole,
				      &cut.records);
	cut.full = cut.len < whole || (limit > 0 && cut.records == limit);
	if (cut.records > 0)
		reader->record_bytes = (cut.len + cut.records - 1) / cut.records;
	return cut;
}

/* Leave out what was read in another run: bytes of the chunk, and of the file behind it. */
static Status
skip_to_resume(FileSplit *split, Chunk *chunk, Error *err)
{
	FileInput *input = &split->input;
	size_t skip = (size_t)(split->resume - split->position);

	if (skip > chunk->len && input->regular && input->decompressor == NULL) {
		TRY(file_input_seek(input, split->resume, err));
		skip = chunk->len;
		split->position = split->resume - (int64_t)skip;
	}
	skip = skip < chunk->len ? skip : chunk->len;
	memmove(chunk->data, chunk->data + skip, chunk->len - skip);
	chunk->len -= skip;
	split->position += (int64_t)skip;
	split->skipped_lines = 0; /* they are among the lines of that run */
	return FERRIS_OK;
}

/* The chunk keeps its first `len` bytes, the others wait for the next one; its first `framed` bytes
 * are whole records. */
static void
keep_rest(FileReader *reader, FileSplit *split, Chunk *chunk, size_t len, size_t framed)
{
	file_split_forget(split);
	if (chunk->len > len)
		buffer_append(&split->carry, chunk->data + len, chunk->len - len);
	reader->copied += chunk->len - len;
	split->framed = framed - len;
	chunk->len = len;
}

void
file_split_forget(FileSplit *split)
{
	buffer_reset(&split->carry);
	split->taken = split->framed = 0;
}

void
file_reader_deliver(FileReader *reader, uint32_t index, Chunk *chunk)
{
	FileSplit *split = file_split(reader, index);

	chunk->split = index;
	chunk->skipped_lines = split->skipped_lines;
	split->skipped_lines = 0;
	chunk->position = split->position;
	split->position += (int64_t)chunk->len;
	chunk->next_position = split->position;
	file_origin_note(reader, split);
	if (split->origin != NULL)
		chunk->origin = (Str){(const char *)split->origin, sizeof *split->origin};
	chunk->sequence = reader->sequence++;
	chunk_seal(chunk);
}

/* A chunk grows to exactly this, so that the limit does not depend on where chunks end. */
static size_t
longest(const FileReader *reader, const FileSplit *split)
{
	bool header = !split->header_done; /* is no record */

	return header && reader->max_record < HEADER_BYTES ? HEADER_BYTES : reader->max_record;
}

/* How many files may have something waiting at the same time. */
static uint32_t
open_splits(const FileReader *reader)
{
	if (reader->watch.active || reader->split_count < reader->side_by_side)
		return reader->split_count;
	return reader->side_by_side;
}

/* Bytes of a usual read.  What batches leave of it waits in memory: that of all files together is
 * to be no more than one may read, or little more than the batches. */
static size_t
usual_read(const FileReader *reader)
{
	uint32_t records = record_limit(reader);
	size_t share = reader->read_size / open_splits(reader);
	size_t batch = reader->read_size;

	if (records > 0 && reader->record_bytes > 0 && reader->record_bytes * (records + 4) < batch)
		batch = reader->record_bytes * (records + 4);
	if (reader->base.limit_bytes > 0 && reader->base.limit_bytes < batch)
		batch = reader->base.limit_bytes;
	return batch > share ? batch : share;
}

/* Move what was kept into the chunk and make room for a usual read. */
static size_t
start_chunk(FileReader *reader, FileSplit *split, Chunk *chunk)
{
	size_t room = usual_read(reader);
	size_t kept = file_split_kept(split);

	if (kept >= room) /* a long record comes in small pieces */
		room = kept * 2 < longest(reader, split) ? kept * 2 : longest(reader, split);
	if (room < kept)
		room = kept;
	chunk_reserve(chunk, room);
	file_split_take(reader, split, chunk);
	return room;
}

void
file_split_take(FileReader *reader, FileSplit *split, Chunk *chunk)
{
	size_t kept = file_split_kept(split);

	if (kept > 0)
		memcpy(chunk->data + chunk->len, split->carry.data + split->taken, kept);
	reader->copied += kept;
	chunk->len += kept;
	file_split_forget(split);
}

/* A whole batch of what others have left. */
static bool
deliver_kept(FileReader *reader, uint32_t index, Chunk *chunk)
{
	FileSplit *split = file_split(reader, index);

	if (split->framed == 0)
		return false;
	const char *data = split->carry.data + split->taken;
	Cut cut = cut_batch(reader, data, split->framed);
	if (!cut.full)
		return false;
	memcpy(chunk_reserve(chunk, cut.len), data, cut.len);
	reader->copied += cut.len;
	chunk->len = cut.len;
	chunk->file_records = cut.records;
	split->taken += cut.len;
	split->framed -= cut.len;
	file_reader_deliver(reader, index, chunk);
	return true;
}

/* A batch of the chunk's whole records goes out. */
static void
deliver_read(FileReader *reader, uint32_t index, Chunk *chunk, size_t whole)
{
	Cut cut = cut_batch(reader, chunk->data, whole);

	keep_rest(reader, file_split(reader, index), chunk, cut.len, whole);
	chunk->file_records = cut.records;
	file_reader_deliver(reader, index, chunk);
}

/* The chunk has no room left for the record: makes some. */
static Status
grow_room(const FileReader *reader, const FileSplit *split, Chunk *chunk, size_t *room, Error *err)
{
	size_t most = longest(reader, split);

	if (*room >= most)
		return record_too_large(reader, split, err);
	*room = *room * 2 < most ? *room * 2 : most;
	chunk_reserve(chunk, *room - chunk->len);
	return FERRIS_OK;
}

Status
file_split_read(FileReader *reader, uint32_t index, Chunk *chunk, int timeout_ms,
		ReadResult *result, Error *err)
{
	FileSplit *split = file_split(reader, index);
	InputResult input;
	size_t got;

	TRY(open_split(reader, split, err));
	chunk->file_records = 0;
	*result = READ_DATA;
	if (deliver_kept(reader, index, chunk))
		return FERRIS_OK;
	size_t framed = split->framed;
	size_t room = start_chunk(reader, split, chunk);
	for (;;) {
		Status status =
			file_input_read(&split->input, chunk->data + chunk->len, room - chunk->len,
					chunk->len > 0 ? 0 : timeout_ms, &got, &input, err);
		chunk->len += got;
		if (status != FERRIS_OK) { /* the next call goes on where this one stopped */
			keep_rest(reader, split, chunk, 0, framed);
			return status;
		}
		bool last = input == INPUT_END && !reader->watch.active;
		if (!split->header_done && (chunk->len > 0 || last))
			TRY(skip_header(reader, split, chunk, last, err));
		if (split->header_done && split->position < split->resume)
			TRY(skip_to_resume(split, chunk, err));
		if (split->header_done)
			framed = whole_records(reader, chunk, framed, last);
		if (framed > 0) {
			deliver_read(reader, index, chunk, framed);
			return FERRIS_OK;
		}
		if (input != INPUT_DATA) {
			keep_rest(reader, split, chunk, 0, 0);
			*result = input == INPUT_END ? READ_END : READ_IDLE;
			return FERRIS_OK;
		}
		if (chunk->len == room)
			TRY(grow_room(reader, split, chunk, &room, err));
	}
}

/* The next of the files that are read side by side; each that ends makes room for another one. */
static uint32_t
next_in_turn(const FileReader *reader)
{
	uint32_t first = reader->split_count; /* of the side by side, for when none is behind */
	uint32_t seen = 0;

	for (uint32_t i = reader->current; i < reader->split_count; i++) {
		if (file_split(reader, i)->done)
			continue;
		if (++seen > reader->side_by_side)
			break;
		if (i > reader->turn)
			return i;
		first = i < first ? i : first;
	}
	return first;
}

static Status
read_in_turn(FileReader *reader, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	uint32_t index;

	while ((index = next_in_turn(reader)) < reader->split_count) {
		reader->turn = index;
		TRY(file_split_read(reader, index, chunk, timeout_ms, result, err));
		if (*result != READ_END)
			return FERRIS_OK;
		file_split_close(file_split(reader, index));
		while (reader->current < reader->split_count &&
		       file_split(reader, reader->current)->done)
			reader->current++;
	}
	*result = READ_END;
	return FERRIS_OK;
}

Status
file_reader_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	FileReader *reader = (FileReader *)base;

	if (reader->watch.active)
		return file_watch_read(reader, chunk, timeout_ms, result, err);
	if (reader->side_by_side > 1)
		return read_in_turn(reader, chunk, timeout_ms, result, err);
	for (; reader->current < reader->split_count; reader->current++) {
		TRY(file_split_read(reader, reader->current, chunk, timeout_ms, result, err));
		if (*result != READ_END)
			return FERRIS_OK;
		file_split_close(file_split(reader, reader->current));
	}
	*result = READ_END;
	return FERRIS_OK;
}

Status
file_reader_find(const Setting *settings, Arena *arena, FileList *list, Error *err)
{
	FileQuery query = file_query(settings);
	int64_t interval_ms = settings[FILE_RETRY_INTERVAL].integer;
	int64_t deadline_ms = clock_ms() + settings[FILE_WAIT_TIMEOUT].integer;
	const struct timespec pause = {interval_ms / 1000, interval_ms % 1000 * 1000000};

	for (;;) {
		Status status = file_path_expand(&query, arena, list, err);
		if (status == FERRIS_OK || clock_ms() >= deadline_ms)
			return status;
		nanosleep(&pause, NULL);
	}
}

Status
file_reader_check(const ReaderSpec *spec, Error *err)
{
	if (!spec->settings[FILE_PATH].present) {
		error_set(err, FERRIS_ERR_OPTION_MISSING, "file source '%s' has no 'path'",
			  spec->object);
		return error_hint(err, "add 'path' = 'data.jsonl'; - is standard input");
	}
	return FERRIS_OK;
}

Status
file_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	const Setting *settings = spec->settings;
	FileReader *reader = ARENA_NEW(arena, FileReader);
	FileList list;
	Status status;

	TRY(file_reader_check(spec, err));
	reader->base.class = &file_connector;
	reader->object = spec->object;
	reader->places = spec->places;
	reader->place_count = spec->place_count;
	reader->framing = spec->framing;
	reader->query = file_query(settings);
	reader->compression = (Compression)settings[FILE_COMPRESSION].integer;
	reader->max_record = (size_t)settings[FILE_MAX_RECORD].integer;
	reader->read_size = (size_t)settings[FILE_READ_BUFFER].integer;
	if (reader->read_size > reader->max_record)
		reader->read_size = reader->max_record;
	reader->batch_records = (uint32_t)settings[FILE_BATCH_LINES].integer;
	reader->own_limit = settings[FILE_BATCH_LINES].entry != NULL &&
			    !is_suggestion(settings[FILE_BATCH_LINES].entry);
	reader->side_by_side = (uint32_t)settings[FILE_CONCURRENT].integer;
	reader->turn = UINT32_MAX;
	arena_init(&reader->names, 0);
	file_watch_open(reader, settings);
	status = file_reader_find(settings, &reader->names, &list, err);
	for (uint32_t i = 0; i < list.count && status == FERRIS_OK; i++)
		status = file_reader_add(reader, list.paths[i], err);
	if (status == FERRIS_OK)
		status = file_origin_check_all(reader, err);
	if (status == FERRIS_OK) /* the others are opened when their turn comes */
		status = open_split(reader, file_split(reader, 0), err);
	if (status != FERRIS_OK) {
		file_reader_close(&reader->base);
		return status;
	}
	*out = &reader->base;
	return FERRIS_OK;
}

void
file_reader_close(Reader *base)
{
	FileReader *reader = (FileReader *)base;

	for (uint32_t i = 0; i < reader->split_count; i++)
		file_split_close(file_split(reader, i));
	for (uint32_t i = 0; i < SPLIT_BLOCKS; i++)
		memory_free(reader->blocks[i]);
	file_watch_close(reader);
	arena_free(&reader->names);
}

const char *
file_reader_split_name(const Reader *base, uint32_t index)
{
	const FileReader *reader = (const FileReader *)base;
	const char *path = file_split(reader, index)->path;

	return strcmp(path, "-") == 0 ? "standard input" : path;
}

uint32_t
file_reader_split_count(const Reader *base)
{
	const FileReader *reader = (const FileReader *)base;

	return reader->side_by_side > 1 && !reader->watch.active ? reader->split_count : 0;
}

bool
file_reader_backlog(Reader *base, int timeout_ms, Backlog *out, Error *err)
{
	FileReader *reader = (FileReader *)base;

	return reader->watch.active && file_watch_backlog(reader, timeout_ms, out, err);
}

/* A pipe's lag is not known. */
static bool
split_lag(const FileSplit *split, int64_t *lag)
{
	int64_t size = file_input_size(&split->input);

	if (size > split->input.raw_offset)
		*lag += size - split->input.raw_offset;
	if (split->input.decompressor == NULL)
		*lag += (int64_t)file_split_kept(split);
	return size >= 0;
}

int64_t
file_reader_lag(Reader *base)
{
	FileReader *reader = (FileReader *)base;
	int64_t lag = reader->unopened_bytes;
	uint32_t end = reader->watch.active ? reader->split_count : reader->current + 1;

	if (reader->side_by_side > 1)
		end = reader->split_count;
	for (uint32_t i = reader->watch.active ? 0 : reader->current; i < end; i++) {
		if (i >= reader->split_count)
			break;
		const FileSplit *split = file_split(reader, i);
		if (split->opened && !split->done && !split_lag(split, &lag))
			return -1;
	}
	return lag;
}
