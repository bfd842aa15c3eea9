/* connector/file_output.c -- one open file that encoded records are added to.
 *
 * Uncompressed records go to the kernel straight from the encoder's buffer.
 *
 * A regular file that is replaced is locked (flock) before it is cut, and stays locked: a reader of
 * the same file holds a shared lock (file_input.c), so no statement can destroy its own input and
 * no two statements replace one file.
 *
 * A marked output says from time to time how much of the file is safe on the disk.  After a crash
 * the file is cut back to the last mark, and written on from there.  A mark stands between whole
 * frames of a compressed file.  Such a file is this output's alone: an open file description lock
 * keeps others off that have marks too, and a file that is longer than what was written is noticed.
 */
#include "connector/file_output.h"

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

#define STDOUT_NAME "standard output"
#define TAIL_BYTES  256                /* of a mark's checksum */
#define SYNC_BYTES  ((int64_t)8 << 20) /* the disk begins to write after so many */

Status
file_create_error(const char *path, int code, Error *err)
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
write_error(const FileOutput *self, int code, Error *err)
{
	/* A status of its own: `... | head` is no failure, the program may end without a word. */
	error_set(err, code == EPIPE ? FERRIS_ERR_BROKEN_PIPE : FERRIS_ERR_FILE_WRITE,
		  "cannot write file '%s' after %lld bytes", self->path, (long long)self->written);
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
write_all(const FileOutput *self, const char *data, size_t len, size_t *done)
{
	*done = 0;
	while (*done < len) {
		ssize_t n = disk_write(self->disk, self->fd, data + *done, len - *done);

		if (n > 0) {
			*done += (size_t)n;
		} else if (n < 0 && errno == EAGAIN) { /* somebody made the pipe non-blocking */
			struct pollfd ready = {.fd = self->fd, .events = POLLOUT};
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
take_back(const FileOutput *self, size_t count)
{
	struct stat info;
	off_t end = self->regular ? lseek(self->fd, 0, SEEK_CUR) : -1;

	if (end < (off_t)count || fstat(self->fd, &info) != 0 || info.st_size != end)
		return false;
	end -= (off_t)count;
	return disk_truncate(self->disk, self->fd, end) == 0 &&
	       lseek(self->fd, end, SEEK_SET) == end;
}

/* Lets the disk write while the next records are made: a mark waits less then. */
static void
begin_sync(FileOutput *self)
{
	int64_t len = self->length - self->sync_begun;

	if (!self->marked || len < SYNC_BYTES)
		return;
	sync_file_range(self->fd, self->sync_begun, len, SYNC_FILE_RANGE_WRITE);
	self->sync_begun = self->length;
}

/* All or nothing, if the file allows it; *done is what has stayed in the file. */
static Status
write_whole(FileOutput *self, const char *data, size_t len, size_t *done, Error *err)
{
	int code = write_all(self, data, len, done);

	if (code != 0 && *done > 0 && take_back(self, *done))
		*done = 0;
	self->written += (int64_t)*done;
	self->length += (int64_t)*done;
	begin_sync(self);
	return code == 0 ? FERRIS_OK : write_error(self, code, err);
}

static Status
write_pending(FileOutput *self, Error *err)
{
	Buffer *pending = &self->pending;
	size_t done;

	if (pending->len == 0)
		return FERRIS_OK;
	Status status = write_whole(self, pending->data, pending->len, &done, err);
	memmove(pending->data, pending->data + done, pending->len - done);
	pending->len -= done;
	return status;
}

static Status
compress_failed(const FileOutput *self, Error *err)
{
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot compress for file '%s'", self->path);
	err->flags = ERROR_FATAL;
	return err->status;
}

static Status
write_bytes(FileOutput *self, const char *data, size_t len, Error *err)
{
	size_t done;

	if (len == 0)
		return FERRIS_OK;
	if (self->compressor != NULL) {
		if (self->pending.len > self->buffer_size)
			TRY(write_pending(self, err));
		self->framed = true;
		return compressor_write(self->compressor, data, len, &self->pending)
			       ? FERRIS_OK
			       : compress_failed(self, err);
	}
	if (self->pending.len + len <= self->buffer_size) {
		buffer_append(&self->pending, data, len);
		return FERRIS_OK;
	}
	TRY(write_pending(self, err));
	Status status = write_whole(self, data, len, &done, err);
	if (status != FERRIS_OK && done > 0)
		err->flags &= ~ERROR_RETRIABLE;
	return status;
}

static Status
write_preamble(FileOutput *self, Error *err)
{
	TRY(write_bytes(self, self->preamble.data, self->preamble.len, err));
	self->preamble.len = 0;
	return FERRIS_OK;
}

Status
file_output_write(FileOutput *self, const char *data, size_t len, Error *err)
{
	if (self->preamble.len > 0)
		TRY(write_preamble(self, err));
	return write_bytes(self, data, len, err);
}

/* ---- marks ---- */

static Status
not_as_it_was(const FileOutput *self, const char *how, Error *err)
{
	return error_set(err, FERRIS_ERR_FILE_CHANGED,
			 "file '%s' is not as the last run has left it: %s", self->path, how);
}

static Status
checksum_tail(const FileOutput *self, int64_t length, uint64_t *out, Error *err)
{
	char tail[TAIL_BYTES];
	size_t len = length < TAIL_BYTES ? (size_t)length : TAIL_BYTES;
	ssize_t got = pread(self->fd, tail, len, length - (off_t)len);

	if (got < 0) {
		error_set(err, FERRIS_ERR_FILE_READ, "cannot read file '%s'", self->path);
		return error_errno(err, errno);
	}
	*out = XXH3_64bits_withSeed(tail, (size_t)got, (uint64_t)length);
	return FERRIS_OK;
}

static Status
cut_back(FileOutput *self, const WriterMark *mark, int64_t size, Error *err)
{
	uint64_t tail;

	if (size < mark->length)
		return not_as_it_was(self, "it is shorter", err);
	TRY(checksum_tail(self, mark->length, &tail, err));
	if (tail != mark->tail)
		return not_as_it_was(self, "it holds something else", err);
	if (disk_truncate(self->disk, self->fd, mark->length) != 0 ||
	    lseek(self->fd, mark->length, SEEK_SET) < 0)
		return file_create_error(self->path, errno, err);
	self->length = self->sync_begun = mark->length;
	return FERRIS_OK;
}

/* Others with marks are kept off, and those that look for it: whoever reads the file may do so. */
static Status
lock_alone(const FileOutput *self, bool part, Error *err)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	if (fcntl(self->fd, F_OFD_SETLK, &lock) == 0 || (errno != EAGAIN && errno != EACCES))
		return FERRIS_OK; /* there are file systems without locks */
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot write file '%s': another statement does",
		  self->path);
	err->flags = 0;
	if (part)
		return error_hint(err, "give each a 'path' of its own");
	return error_hint(err, "write to another path, or set 'delivery.guarantee' = "
			       "'at-least-once' for both: then they may add to one file");
}

static Status
prepare_marked(FileOutput *self, const FileOutputSpec *spec, int64_t size, Error *err)
{
	if (!self->regular)
		return file_create_error(self->path, EINVAL, err);
	if (spec->resume != NULL)
		return cut_back(self, spec->resume, size, err);
	if (spec->append && lseek(self->fd, 0, SEEK_END) < 0)
		return file_create_error(self->path, errno, err);
	self->length = self->sync_begun = spec->append ? size : 0;
	return FERRIS_OK;
}

/* A frame ends with each mark, so that a file that is cut there can be read. */
static Status
end_frame(FileOutput *self, Error *err)
{
	if (self->compressor == NULL || !self->framed)
		return FERRIS_OK;
	bool ended = compressor_finish(self->compressor, &self->pending);
	compressor_destroy(self->compressor);
	self->compressor = compressor_new(self->compression);
	self->framed = false;
	return ended && self->compressor != NULL ? FERRIS_OK : compress_failed(self, err);
}

static Status
check_alone(const FileOutput *self, Error *err)
{
	struct stat info;

	if (fstat(self->fd, &info) == 0 && info.st_size == self->length && info.st_nlink > 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_CHANGED,
		  "file '%s' was changed or removed by somebody else while it was written",
		  self->path);
	return error_hint(err, "keep others away from it, or set 'delivery.guarantee' = "
			       "'at-least-once'");
}

int
file_sync_folder(Disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	snprintf(folder, sizeof folder, "%.*s", slash != NULL ? (int)(slash - path + 1) : 1,
		 slash != NULL ? path : ".");
	return disk_sync_folder(disk, folder) == 0 ? 0 : errno;
}

/* A new file may be gone after a power failure although its bytes are on the disk. */
static Status
sync_name(FileOutput *self, Error *err)
{
	int code = self->named ? 0 : file_sync_folder(self->disk, self->path);

	self->named = code == 0;
	if (code == 0)
		return FERRIS_OK;
	write_error(self, code, err);
	err->flags = 0;
	return err->status;
}

Status
file_output_mark(FileOutput *self, WriterMark *mark, Error *err)
{
	if (self->begun)
		TRY(write_preamble(self, err));
	TRY(end_frame(self, err));
	TRY(write_pending(self, err));
	TRY(check_alone(self, err));
	if (disk_sync(self->disk, self->fd) != 0) {
		write_error(self, errno, err);
		err->flags = 0; /* a second try would succeed without having written */
		return err->status;
	}
	TRY(sync_name(self, err));
	self->sync_begun = self->length;
	self->begun = true;
	mark->length = self->length;
	return checksum_tail(self, mark->length, &mark->tail, err);
}

/* ---- opening ---- */

/* Take the file for writing, and cut it. */
static Status
take_to_replace(FileOutput *self, bool resumed, Error *err)
{
	if (flock(self->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
		error_set(err, FERRIS_ERR_FILE_WRITE,
			  "cannot replace file '%s': it is being read or written", self->path);
		err->flags = 0;
		return error_hint(err, "write to another path, or add to the file with "
				       "'append' = 'true'");
	}
	if (!resumed && disk_truncate(self->disk, self->fd, 0) != 0)
		return file_create_error(self->path, errno, err);
	return FERRIS_OK;
}

static int
open_flags(const FileOutputSpec *spec)
{
	int made = spec->resume != NULL ? 0 : spec->part ? O_CREAT | O_EXCL : O_CREAT;

	if (spec->marked) /* a mark reads what was written */
		return O_RDWR | O_CLOEXEC | made;
	return O_WRONLY | O_CLOEXEC | made | (spec->append ? O_APPEND : 0);
}

static Status
open_failed(const FileOutput *self, const FileOutputSpec *spec, int code, Error *err)
{
	if (code == ENOENT && spec->resume != NULL)
		return not_as_it_was(self, "it is gone", err);
	file_create_error(self->path, code, err);
	return code == EEXIST ? error_hint(err, "another statement writes parts of that name: give "
						"each a 'path' of its own")
			      : err->status;
}

static Status
open_descriptor(FileOutput *self, const FileOutputSpec *spec, bool *empty, Error *err)
{
	bool is_stdout = strcmp(spec->path, "-") == 0;
	struct stat info;

	self->path = is_stdout ? STDOUT_NAME : spec->path;
	self->fd = is_stdout ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0)
			     : disk_open(spec->disk, spec->path, open_flags(spec), 0666);
	if (self->fd < 0 || fstat(self->fd, &info) != 0)
		return open_failed(self, spec, errno, err);
	self->regular = S_ISREG(info.st_mode) && !is_stdout;
	if (self->regular && (spec->marked || spec->part))
		TRY(lock_alone(self, spec->part, err));
	if (self->regular && !spec->append && !spec->part)
		TRY(take_to_replace(self, spec->resume != NULL, err));
	*empty = !self->regular || !spec->append || info.st_size == 0;
	if (!spec->marked)
		return FERRIS_OK;
	TRY(prepare_marked(self, spec, info.st_size, err));
	*empty = self->length == 0;
	return FERRIS_OK;
}

static Status
start_file(FileOutput *self, const FileOutputSpec *spec, Error *err)
{
	bool empty = false;

	if (spec->compression != COMPRESSION_NONE &&
	    (self->compressor = compressor_new(spec->compression)) == NULL)
		return error_set(err, FERRIS_ERR_SYSTEM, "cannot start %s for file '%s'",
				 compression_name(spec->compression), spec->path);
	TRY(open_descriptor(self, spec, &empty, err));
	if (!empty)
		self->preamble.len = 0;
	/* A piece of it that a crash leaves behind what others have written would stay: it comes
	 * behind the first mark. */
	if (!spec->marked || !spec->append || spec->resume != NULL)
		TRY(write_preamble(self, err));
	/* At once: whoever appends to the file next must see that it has a header. */
	return self->compressor == NULL ? write_pending(self, err) : FERRIS_OK;
}

Status
file_output_open(FileOutput *self, const FileOutputSpec *spec, Error *err)
{
	*self = (FileOutput){
		.fd = -1,
		.disk = spec->disk,
		.preamble = {spec->preamble, (uint32_t)spec->preamble_len},
		.sync = spec->sync,
		.marked = spec->marked,
		.frames = spec->marked || spec->part,
		.compression = spec->compression,
		.buffer_size = spec->buffer_size,
	};
	buffer_init(&self->pending, SIZE_MAX);
	Status status = start_file(self, spec, err);
	if (status == FERRIS_OK)
		return FERRIS_OK;
	if (self->fd >= 0 && spec->part && spec->resume == NULL)
		disk_unlink(spec->disk, spec->path); /* so that it can be tried again */
	file_output_close(self);
	return status;
}

static Status
wait_for_disk(FileOutput *self, Error *err)
{
	if (!self->regular || disk_sync(self->disk, self->fd) == 0)
		return FERRIS_OK;
	write_error(self, errno, err);
	err->flags = 0; /* a second try would succeed without having written */
	return err->status;
}

static Status
sync_file(FileOutput *self, Error *err)
{
	return self->sync != FILE_SYNC_NONE ? wait_for_disk(self, err) : FERRIS_OK;
}

static Status
flush_pending(FileOutput *self, Error *err)
{
	if (self->frames)
		TRY(end_frame(self, err));
	else if (self->compressor != NULL && !compressor_flush(self->compressor, &self->pending))
		return compress_failed(self, err);
	return write_pending(self, err);
}

Status
file_output_flush(FileOutput *self, Error *err)
{
	TRY(flush_pending(self, err));
	return sync_file(self, err);
}

Status
file_output_sync(FileOutput *self, Error *err)
{
	TRY(flush_pending(self, err));
	return wait_for_disk(self, err);
}

Status
file_output_finish(FileOutput *self, Error *err)
{
	TRY(write_preamble(self, err));
	bool frame = !self->frames || self->framed || self->length == 0;

	if (self->compressor != NULL && frame &&
	    !compressor_finish(self->compressor, &self->pending))
		return compress_failed(self, err);
	TRY(write_pending(self, err));
	TRY(sync_file(self, err));
	/* Network file systems and quotas report some failures only here. */
	int fd = self->fd;
	self->fd = -1;
	return close(fd) == 0 || errno == EINTR ? FERRIS_OK : write_error(self, errno, err);
}

void
file_output_close(FileOutput *self)
{
	if (self->fd >= 0)
		close(self->fd);
	self->fd = -1;
	compressor_destroy(self->compressor);
	self->compressor = NULL;
	buffer_free(&self->pending);
}
