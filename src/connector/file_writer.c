/* connector/file_writer.c -- encoded records to one file.
 *
 * Uncompressed records go to the kernel straight from the encoder's buffer.
 *
 * A regular file that is replaced is locked (flock) before it is cut, and stays locked: a reader of
 * the same file holds a shared lock (file_input.c), so no statement can destroy its own input and
 * no two statements replace one file.
 *
 * Owns:    its descriptor, compressor and buffer.
 * Threads: one at a time. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connector/compress.h"
#include "connector/file_connector.h"

#define STDOUT_NAME "standard output"

typedef struct FileWriter {
	Writer base;
	const char *path; /* for messages */
	int fd;
	bool regular;
	FileSync sync;
	Compressor *compressor; /* NULL: not compressed */
	Buffer pending;         /* compressed bytes, or small writes that are collected */
	size_t buffer_size;     /* collect up to this many */
	int64_t written;        /* bytes that the kernel has */
} FileWriter;

static Status
create_error(const char *path, int code, Error *err)
{
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot write file '%s'", path);
	error_errno(err, code);
	err->flags = 0; /* the same call will not succeed later */
	if (code == ENOENT)
		return error_hint(err, "create the folder first");
	if (code == EACCES || code == EROFS || code == EPERM)
		return error_hint(err, "the user of this process needs the right to write there");
	if (code == EISDIR)
		return error_hint(err, "'path' of a sink is a file, not a folder");
	return error_hint(err, "check 'path'");
}

static Status
write_error(const FileWriter *writer, int code, Error *err)
{
	/* A status of its own: `... | head` is no failure, the program may end without a word. */
	error_set(err, code == EPIPE ? FERRIS_ERR_BROKEN_PIPE : FERRIS_ERR_FILE_WRITE,
		  "cannot write file '%s' after %lld bytes", writer->path,
		  (long long)writer->written);
	error_errno(err, code);
	if (code == EPIPE)
		return error_hint(err, "the reader of the pipe has closed it");
	if (code == ENOSPC || code == EDQUOT)
		return error_hint(err, "free space on the disk, or write to another one");
	if (code == EFBIG)
		return error_hint(err, "raise the limit of the file size: ulimit -f");
	return err->status;
}

/* Hand all bytes to the kernel.  Returns 0 or an errno code; *done is what it has taken. */
static int
write_all(const FileWriter *writer, const char *data, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		ssize_t n = write(writer->fd, data + *done, len - *done);

		if (n > 0) {
			*done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) { /* somebody made the pipe non-blocking */
			struct pollfd ready = {.fd = writer->fd, .events = POLLOUT};
			poll(&ready, 1, -1);
		} else if (n == 0 || errno != EINTR) {
			return n == 0 ? EIO : errno;
		}
	}
	return 0;
}

/* Take back the last `count` bytes, so that the file ends with a whole record and the same write
 * may be tried again.  Not where others may have appended meanwhile, and not in a pipe. */
static bool
take_back(const FileWriter *writer, size_t count)
{
	struct stat info;
	off_t end = writer->regular ? lseek(writer->fd, 0, SEEK_CUR) : -1;

	if (end < (off_t)count || fstat(writer->fd, &info) != 0 || info.st_size != end)
		return false;
	end -= (off_t)count;
	return ftruncate(writer->fd, end) == 0 && lseek(writer->fd, end, SEEK_SET) == end;
}

/* All or nothing, if the file allows it; *done is what has stayed in the file. */
static Status
write_whole(FileWriter *writer, const char *data, size_t len, size_t *done, Error *err)
{
	int code = write_all(writer, data, len, done);

	if (code != 0 && *done > 0 && take_back(writer, *done))
		*done = 0;
	writer->written += (int64_t)*done;
	return code == 0 ? FERRIS_OK : write_error(writer, code, err);
}

static Status
write_pending(FileWriter *writer, Error *err)
{
	Buffer *pending = &writer->pending;
	size_t done;

	if (pending->len == 0)
		return FERRIS_OK;
	Status status = write_whole(writer, pending->data, pending->len, &done, err);
	memmove(pending->data, pending->data + done, pending->len - done);
	pending->len -= done;
	return status;
}

static Status
compress_failed(const FileWriter *writer, Error *err)
{
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot compress for file '%s'", writer->path);
	err->flags = ERROR_FATAL;
	return err->status;
}

/* If it fails, none of the bytes were taken: the caller may try again.  Where that cannot be kept
 * the error is not retriable. */
static Status
write_bytes(FileWriter *writer, const char *data, size_t len, Error *err)
{
	size_t done;

	if (len == 0)
		return FERRIS_OK;
	if (writer->compressor != NULL) {
		if (writer->pending.len > writer->buffer_size)
			TRY(write_pending(writer, err));
		return compressor_write(writer->compressor, data, len, &writer->pending)
			       ? FERRIS_OK
			       : compress_failed(writer, err);
	}
	if (writer->pending.len + len <= writer->buffer_size) {
		buffer_append(&writer->pending, data, len);
		return FERRIS_OK;
	}
	TRY(write_pending(writer, err));
	Status status = write_whole(writer, data, len, &done, err);
	if (status != FERRIS_OK && done > 0)
		err->flags &= ~ERROR_RETRIABLE;
	return status;
}

/* Take the file for writing; cut it unless it is appended to. */
static Status
prepare_regular(FileWriter *writer, bool append, Error *err)
{
	if (append)
		return FERRIS_OK;
	if (flock(writer->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		error_set(err, FERRIS_ERR_FILE_WRITE,
			  "cannot replace file '%s': it is being read or written", writer->path);
		err->flags = 0;
		return error_hint(err, "write to another path, or add to the file with "
				       "'append' = 'true'");
	}
	if (ftruncate(writer->fd, 0) != 0)
		return create_error(writer->path, errno, err);
	return FERRIS_OK;
}

static Status
open_descriptor(FileWriter *writer, const char *path, bool append, bool *empty, Error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : 0);
	struct stat info;

	writer->path = is_stdout ? STDOUT_NAME : path;
	writer->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0) : open(path, flags, 0666);
	if (writer->fd < 0 || fstat(writer->fd, &info) != 0)
		return create_error(writer->path, errno, err);
	writer->regular = S_ISREG(info.st_mode) && !is_stdout;
	if (writer->regular)
		TRY(prepare_regular(writer, append, err));
	*empty = !writer->regular || !append || info.st_size == 0;
	return FERRIS_OK;
}

static void
free_writer(FileWriter *writer)
{
	if (writer->fd >= 0)
		close(writer->fd);
	writer->fd = -1;
	compressor_destroy(writer->compressor);
	writer->compressor = NULL;
	buffer_free(&writer->pending);
}

static Status
start_file(FileWriter *writer, const WriterSpec *spec, const char *path, bool append, Error *err)
{
	bool empty = false;

	TRY(open_descriptor(writer, path, append, &empty, err));
	if (empty && spec->preamble_len > 0)
		TRY(write_bytes(writer, spec->preamble, spec->preamble_len, err));
	/* At once: whoever appends to the file next must see that it has a header. */
	return writer->compressor == NULL ? write_pending(writer, err) : FERRIS_OK;
}

Status
file_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	const Setting *settings = spec->settings;
	FileWriter *writer = ARENA_NEW(arena, FileWriter);

	if (!settings[FILE_SINK_PATH].present || settings[FILE_SINK_PATH].text.len == 0) {
		error_set(err, FERRIS_ERR_OPTION_MISSING, "file sink '%s' has no 'path'",
			  spec->object);
		return error_hint(err, "add 'path' = 'result.jsonl'; - is standard output");
	}
	writer->base.class = &file_connector;
	writer->fd = -1;
	const char *path = file_path_plain(arena, settings[FILE_SINK_PATH].text);
	Compression compression = compression_resolve(
		(Compression)settings[FILE_SINK_COMPRESSION].integer, str_from(path));
	writer->sync = (FileSync)settings[FILE_SINK_SYNC].integer;
	writer->buffer_size = (size_t)settings[FILE_SINK_WRITE_BUFFER].integer;
	buffer_init(&writer->pending, SIZE_MAX);
	if (compression != COMPRESSION_NONE &&
	    (writer->compressor = compressor_new(compression)) == NULL)
		return error_set(err, FERRIS_ERR_SYSTEM, "cannot start %s for file '%s'",
				 compression_name(compression), path);
	Status status = start_file(writer, spec, path, settings[FILE_SINK_APPEND].flag, err);
	if (status != FERRIS_OK) {
		free_writer(writer);
		return status;
	}
	*out = &writer->base;
	return FERRIS_OK;
}

Status
file_writer_open_stdout(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	FileWriter *writer = ARENA_NEW(arena, FileWriter);

	writer->base.class = &console_connector;
	writer->fd = -1;
	buffer_init(&writer->pending, SIZE_MAX);
	Status status = start_file(writer, spec, "-", false, err);
	if (status != FERRIS_OK) {
		free_writer(writer);
		return status;
	}
	*out = &writer->base;
	return FERRIS_OK;
}

Status
file_writer_write(Writer *base, const Output *output, Error *err)
{
	return write_bytes((FileWriter *)base, output->bytes.data, output->bytes.len, err);
}

static Status
sync_file(FileWriter *writer, Error *err)
{
	if (writer->sync != FILE_SYNC_NONE && writer->regular && fdatasync(writer->fd) != 0)
		return write_error(writer, errno, err);
	return FERRIS_OK;
}

Status
file_writer_flush(Writer *base, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	if (writer->compressor != NULL && !compressor_flush(writer->compressor, &writer->pending))
		return compress_failed(writer, err);
	TRY(write_pending(writer, err));
	return sync_file(writer, err);
}

static Status
finish_file(FileWriter *writer, Error *err)
{
	if (writer->compressor != NULL && !compressor_finish(writer->compressor, &writer->pending))
		return compress_failed(writer, err);
	TRY(write_pending(writer, err));
	TRY(sync_file(writer, err));
	/* Network file systems and quotas report some failures only here. */
	int fd = writer->fd;
	writer->fd = -1;
	return close(fd) == 0 || errno == EINTR ? FERRIS_OK : write_error(writer, errno, err);
}

/* A failed run leaves a compressed frame open: whoever reads the file sees that it is cut short. */
Status
file_writer_close(Writer *base, bool failed, Error *err)
{
	FileWriter *writer = (FileWriter *)base;
	Status status = failed ? FERRIS_OK : finish_file(writer, err);

	free_writer(writer);
	return status;
}
