/* connector/file_sample.c -- the first records of a source, without taking them from it.
 *
 * A file is opened, read and closed.  Standard input cannot be read twice: if it is a file its
 * offset is put back, if it is a pipe its bytes are duplicated with tee(2) and stay in it. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "connector/file_reader.h"

#define SETTLE_MS                                                                                  \
	20 /* a pipe that gave records and then nothing for so long is sampled as it is            \
	    */

static Status
not_repeatable(const ReaderSpec *spec, Error *err)
{
	error_set(err, FERRIS_ERR_NO_SCHEMA,
		  "the columns of '%s' cannot be found out: its input can be read only once",
		  spec->object);
	return error_hint(err, "declare the columns in CREATE STREAM");
}

/* Cut the chunk behind its last whole record; false if it holds none. */
static bool
cut_to_records(const ReaderSpec *spec, Chunk *chunk, bool last)
{
	const Framing *framing = &spec->framing;

	size_t whole = framing->codec->frame(framing->settings, chunk->data, chunk->len, last);
	chunk->len = last ? chunk->len : whole;
	return chunk->len > 0;
}

/* Up to `bytes`, or more if the first record is longer. */
static Status
sample_input(const ReaderSpec *spec, FileInput *input, Chunk *chunk, size_t bytes, bool partial,
	     Error *err)
{
	size_t max_record = (size_t)spec->settings[FILE_MAX_RECORD].integer;
	InputResult result = INPUT_DATA;

	for (;;) {
		size_t len = chunk->len;
		size_t got;

		chunk_reserve(chunk, bytes - len);
		Status status = file_input_read(input, chunk->data + len, bytes - len, -1, &got,
						&result, err);
		chunk->len = len + got;
		/* What was peeked of a compressed pipe ends anywhere. */
		if (status == FERRIS_ERR_COMPRESSION && partial && result == INPUT_END)
			status = FERRIS_OK;
		TRY(status);
		len = chunk->len;
		if (len < bytes && result != INPUT_END)
			continue;
		if (cut_to_records(spec, chunk, result == INPUT_END && !partial) || len == 0 ||
		    result == INPUT_END || bytes >= max_record)
			break;
		chunk->len = len;
		bytes = bytes * 2 < max_record ? bytes * 2 : max_record;
	}
	return FERRIS_OK;
}

/* A pipe of our own that holds a copy of what standard input's pipe holds now; -1: it is none. */
static int
copy_of_pipe(size_t *held)
{
	int ends[2];
	int size = fcntl(STDIN_FILENO, F_GETPIPE_SZ);

	if (size < 0 || pipe2(ends, O_CLOEXEC) != 0)
		return -1;
	fcntl(ends[1], F_SETPIPE_SZ, size);
	ssize_t n = tee(STDIN_FILENO, ends[1], (size_t)size, SPLICE_F_NONBLOCK);
	close(ends[1]);
	*held = n > 0 ? (size_t)n : 0;
	return ends[0];
}

static Status
sample_pipe_once(const ReaderSpec *spec, Chunk *chunk, size_t bytes, bool last, size_t *held,
		 Error *err)
{
	FileInput input = {.path = "-", .fd = copy_of_pipe(held)};
	Compression chosen = (Compression)spec->settings[FILE_COMPRESSION].integer;

	if (input.fd < 0)
		return not_repeatable(spec, err);
	TRY(file_input_set_compression(&input, chosen, err));
	chunk->len = 0;
	Status status = sample_input(spec, &input, chunk, bytes, !last, err);
	file_input_close(&input);
	return status;
}

/* Wait until the pipe holds `bytes`, is full, has been closed, or rests after a record. */
static Status
sample_pipe(const ReaderSpec *spec, Chunk *chunk, size_t bytes, Error *err)
{
	struct pollfd ready = {.fd = STDIN_FILENO, .events = POLLIN};
	size_t held = 0;

	for (;;) {
		size_t before = held;

		if (poll(&ready, 1, -1) < 0)
			return error_set(err, FERRIS_ERR_INTERRUPTED,
					 "stopped while waiting for input");
		bool last = (ready.revents & POLLHUP) != 0;
		TRY(sample_pipe_once(spec, chunk, bytes, last, &held, err));
		bool full = (int)held + 4096 > fcntl(STDIN_FILENO, F_GETPIPE_SZ);
		if (last || full || held >= bytes || (chunk->len > 0 && held == before))
			return FERRIS_OK;
		if (poll(NULL, 0, SETTLE_MS) < 0)
			return error_set(err, FERRIS_ERR_INTERRUPTED,
					 "stopped while waiting for input");
	}
}

static Status
sample_file(const ReaderSpec *spec, const char *path, Chunk *chunk, size_t bytes, Error *err)
{
	FileInput input;
	bool is_stdin = strcmp(path, "-") == 0;
	Status status;

	TRY(file_input_open(&input, path, (Compression)spec->settings[FILE_COMPRESSION].integer,
			    false, err));
	if (input.regular) {
		int64_t start = input.raw_offset;
		status = sample_input(spec, &input, chunk, bytes, false, err);
		if (is_stdin && lseek(input.fd, start, SEEK_SET) < 0 && status == FERRIS_OK)
			status = not_repeatable(spec, err);
	} else if (is_stdin) {
		status = sample_pipe(spec, chunk, bytes, err);
	} else {
		status = not_repeatable(spec, err);
	}
	file_input_close(&input);
	return status;
}

Status
file_reader_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err)
{
	FileList list;

	TRY(file_reader_check(spec, err));
	TRY(file_reader_find(spec->settings, arena, &list, err));
	chunk_reset(chunk);
	for (uint32_t i = 0; i < list.count && chunk->len == 0; i++)
		TRY(sample_file(spec, list.paths[i], chunk, bytes > 0 ? bytes : 1, err));
	if (chunk->len == 0) {
		error_set(err, FERRIS_ERR_NO_SCHEMA,
			  "the columns of '%s' cannot be found out: '%s' is "
			  "empty",
			  spec->object, list.paths[0]);
		return error_hint(err, "declare the columns in CREATE STREAM");
	}
	chunk_seal(chunk);
	return FERRIS_OK;
}
