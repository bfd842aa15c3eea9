/* connector/file_writer.c -- encoded records to one file.
 *
 * Uncompressed records go to the kernel straight from the encoder's buffer.
 *
 * A regular file that is replaced is locked (flock) before it is cut, and stays locked: a reader of
 * the same file holds a shared lock (file_input.c), so no statement can destroy its own input and
 * no two statements replace one file.
 *
 * A writer with marks (WriterSpec.marked) says from time to time how much of the file is safe on
 * the disk.  After a crash the file is cut back to the last mark, and written on from there.  A
 * mark stands between whole frames of a compressed file.  Such a file is this writer's alone: an
 * open file description lock keeps others off that have marks too, and a file that is longer than
 * what was written is noticed.
 *
 * Owns:    its descriptor, compressor and buffer.
 * Threads: one at a time. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "connector/compress.h"
#include "connector/file_connector.h"

#define STDOUT_NAME "standard output"
#define TAIL_BYTES  256                /* of a mark's checksum */
#define SYNC_BYTES  ((int64_t)8 << 20) /* the disk begins to write after so many */

typedef struct FileWriter {
	Writer base;
	const char *path; /* for messages */
	int fd;
	bool regular;
	FileSync sync;
	bool marked;
	bool named;         /* marked: the folder's entry of the file is on the disk */
	bool framed;        /* something is in the compressor's frame */
	int64_t length;     /* marked: of the file */
	int64_t sync_begun; /* marked: up to where the disk has been told to write */
	Compression compression;
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

/* Lets the disk write while the next records are made: a mark waits less then. */
static void
begin_sync(FileWriter *writer)
{
	int64_t len = writer->length - writer->sync_begun;

	if (!writer->marked || len < SYNC_BYTES)
		return;
	sync_file_range(writer->fd, writer->sync_begun, len, SYNC_FILE_RANGE_WRITE);
	writer->sync_begun = writer->length;
}

/* All or nothing, if the file allows it; *done is what has stayed in the file. */
static Status
write_whole(FileWriter *writer, const char *data, size_t len, size_t *done, Error *err)
{
	int code = write_all(writer, data, len, done);

	if (code != 0 && *done > 0 && take_back(writer, *done))
		*done = 0;
	writer->written += (int64_t)*done;
	writer->length += (int64_t)*done;
	begin_sync(writer);
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
		writer->framed = true;
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

/* ---- marks ---- */

static Status
not_as_it_was(const FileWriter *writer, const char *how, Error *err)
{
	return error_set(err, FERRIS_ERR_FILE_CHANGED,
			 "file '%s' is not as the last run has left it: %s", writer->path, how);
}

static Status
checksum_tail(const FileWriter *writer, int64_t length, uint64_t *out, Error *err)
{
	char tail[TAIL_BYTES];
	size_t len = length < TAIL_BYTES ? (size_t)length : TAIL_BYTES;
	ssize_t got = pread(writer->fd, tail, len, length - (off_t)len);

	if (got < 0) {
		error_set(err, FERRIS_ERR_FILE_READ, "cannot read file '%s'", writer->path);
		return error_errno(err, errno);
	}
	*out = XXH3_64bits_withSeed(tail, (size_t)got, (uint64_t)length);
	return FERRIS_OK;
}

static Status
cut_back(FileWriter *writer, const WriterMark *mark, int64_t size, Error *err)
{
	uint64_t tail;

	if (size < mark->length)
		return not_as_it_was(writer, "it is shorter", err);
	TRY(checksum_tail(writer, mark->length, &tail, err));
	if (tail != mark->tail)
		return not_as_it_was(writer, "it holds something else", err);
	if (ftruncate(writer->fd, mark->length) != 0 ||
	    lseek(writer->fd, mark->length, SEEK_SET) < 0)
		return create_error(writer->path, errno, err);
	writer->length = writer->sync_begun = mark->length;
	return FERRIS_OK;
}

/* Only others with marks are kept off: whoever reads the file may do so. */
static Status
lock_alone(const FileWriter *writer, Error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(writer->fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
		return FERRIS_OK; /* there are file systems without locks */
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot write file '%s': another statement does",
		  writer->path);
	err->flags = 0;
	return error_hint(err, "write to another path, or set 'delivery.guarantee' = "
			       "'at-least-once' for both: then they may add to one file");
}

static Status
prepare_marked(FileWriter *writer, const WriterSpec *spec, bool append, int64_t size, Error *err)
{
	if (!writer->regular)
		return create_error(writer->path, EINVAL, err);
	if (spec->resume != NULL)
		return cut_back(writer, spec->resume, size, err);
	if (append && lseek(writer->fd, 0, SEEK_END) < 0)
		return create_error(writer->path, errno, err);
	writer->length = writer->sync_begun = append ? size : 0;
	return FERRIS_OK;
}

/* A frame ends with each mark, so that a file that is cut there can be read. */
static Status
end_frame(FileWriter *writer, Error *err)
{
	if (writer->compressor == NULL || !writer->framed)
		return FERRIS_OK;
	bool ended = compressor_finish(writer->compressor, &writer->pending);
	compressor_destroy(writer->compressor);
	writer->compressor = compressor_new(writer->compression);
	writer->framed = false;
	return ended && writer->compressor != NULL ? FERRIS_OK : compress_failed(writer, err);
}

static Status
check_alone(const FileWriter *writer, Error *err)
{
	struct stat info;

	if (fstat(writer->fd, &info) == 0 && info.st_size == writer->length && info.st_nlink > 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_CHANGED,
		  "file '%s' was changed or removed by somebody else while it was written",
		  writer->path);
	return error_hint(err, "keep others away from it, or set 'delivery.guarantee' = "
			       "'at-least-once'");
}

/* A new file may be gone after a power failure although its bytes are on the disk. */
static Status
sync_name(FileWriter *writer, Error *err)
{
	const char *slash = strrchr(writer->path, '/');
	char folder[PATH_MAX];

	if (writer->named)
		return FERRIS_OK;
	snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - writer->path + 1) : 1,
		 slash != NULL ? writer->path : ".");
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int code = fd < 0 || fsync(fd) != 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	writer->named = code == 0;
	if (code == 0)
		return FERRIS_OK;
	write_error(writer, code, err);
	err->flags = 0;
	return err->status;
}

Status
file_writer_mark(Writer *base, WriterMark *mark, Error *err)
{
	FileWriter *writer = (FileWriter *)base;

	TRY(end_frame(writer, err));
	TRY(write_pending(writer, err));
	TRY(check_alone(writer, err));
	if (fdatasync(writer->fd) != 0) {
		write_error(writer, errno, err);
		err->flags = 0; /* a second try would succeed without having written */
		return err->status;
	}
	TRY(sync_name(writer, err));
	writer->sync_begun = writer->length;
	mark->length = writer->length;
	return checksum_tail(writer, mark->length, &mark->tail, err);
}

/* ---- opening ---- */

/* Take the file for writing; cut it unless it is appended to. */
static Status
prepare_regular(FileWriter *writer, bool append, bool resumed, Error *err)
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
	if (!resumed && ftruncate(writer->fd, 0) != 0)
		return create_error(writer->path, errno, err);
	return FERRIS_OK;
}

static int
open_flags(const WriterSpec *spec, bool append)
{
	if (spec->marked) /* a mark reads what was written */
		return O_RDWR | O_CLOEXEC | (spec->resume == NULL ? O_CREAT : 0);
	return O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : 0);
}

static Status
open_descriptor(FileWriter *writer, const WriterSpec *spec, const char *path, bool append,
		bool *empty, Error *err)
{
	bool is_stdout = strcmp(path, "-") == 0;
	struct stat info;

	writer->path = is_stdout ? STDOUT_NAME : path;
	writer->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			       : open(path, open_flags(spec, append), 0666);
	if (writer->fd < 0 && errno == ENOENT && spec->resume != NULL)
		return not_as_it_was(writer, "it is gone", err);
	if (writer->fd < 0 || fstat(writer->fd, &info) != 0)
		return create_error(writer->path, errno, err);
	writer->regular = S_ISREG(info.st_mode) && !is_stdout;
	if (writer->regular && writer->marked)
		TRY(lock_alone(writer, err));
	if (writer->regular)
		TRY(prepare_regular(writer, append, spec->resume != NULL, err));
	*empty = !writer->regular || !append || info.st_size == 0;
	if (!writer->marked)
		return FERRIS_OK;
	TRY(prepare_marked(writer, spec, append, info.st_size, err));
	*empty = writer->length == 0;
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

	TRY(open_descriptor(writer, spec, path, append, &empty, err));
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
	writer->compression = compression;
	writer->marked = spec->marked;
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
	bool frame = !writer->marked || writer->framed || writer->length == 0;

	if (writer->compressor != NULL && frame &&
	    !compressor_finish(writer->compressor, &writer->pending))
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
