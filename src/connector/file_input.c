/* connector/file_input.c -- open, wait, read, decompress. */
#include "connector/file_input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"

#define RAW_SIZE ((size_t)128 << 10)

Status
file_open_error(const char *path, int code, Error *err)
{
	char folder[PATH_MAX];

	error_set(err, FERRIS_ERR_FILE_OPEN, "cannot open file '%s'", path);
	error_errno(err, code);
	if (code == EACCES)
		return error_hint(err,
				  "the user of this process needs the right to read the file and "
				  "to pass through its folders");
	if (code == EMFILE || code == ENFILE)
		return error_hint(err, "raise the limit of open files: ulimit -n");
	if (code == ENOENT && path[0] != '/' && getcwd(folder, sizeof folder) != NULL)
		return error_hint(err, "the path is relative to the current folder '%.200s'",
				  folder);
	return error_hint(err,
			  "check 'path'; 'file.wait.timeout' waits for a file that comes later");
}

/* A sink that replaces a file holds an exclusive lock on it (file_output.c).  Reading such a file
 * would see an arbitrary part of it, or feed a statement its own output. */
static Status
refuse_busy_file(int fd, const char *path, Error *err)
{
	if (flock(fd, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_OPEN, "cannot read file '%s': it is being written", path);
	return error_hint(err, "write to another path, or follow the file with 'watch' = 'true'");
}

Status
file_input_open(FileInput *input, const char *path, Compression compression,
		bool exclusive_of_writers, Error *err)
{
	struct stat info;
	bool is_stdin = strcmp(path, "-") == 0;
	int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	*input = (FileInput){.path = path, .fd = fd};
	if (fd < 0)
		return file_open_error(path, errno, err);
	if (fstat(fd, &info) != 0 || S_ISDIR(info.st_mode)) {
		int code = S_ISDIR(info.st_mode) ? EISDIR : errno;
		file_input_close(input);
		return file_open_error(path, code, err);
	}
	input->regular = S_ISREG(info.st_mode);
	input->device = info.st_dev;
	input->inode = info.st_ino;
	if (input->regular && exclusive_of_writers) {
		Status status = refuse_busy_file(fd, path, err);
		if (status != FERRIS_OK) {
			file_input_close(input);
			return status;
		}
	}
	if (input->regular) {
		off_t at = lseek(fd, 0, SEEK_CUR); /* standard input may stand anywhere */
		input->raw_offset = at > 0 ? at : 0;
		posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	}
	return file_input_set_compression(input, compression, err);
}

Status
file_input_set_compression(FileInput *input, Compression compression, Error *err)
{
	input->compression = compression_resolve(compression, str_from(input->path));
	if (input->compression == COMPRESSION_NONE)
		return FERRIS_OK;
	input->decompressor = decompressor_new(input->compression);
	if (input->decompressor == NULL) {
		error_set(err, FERRIS_ERR_SYSTEM, "cannot start %s for file '%s'",
			  compression_name(input->compression), input->path);
		file_input_close(input);
		return err->status;
	}
	input->raw = memory_alloc(RAW_SIZE);
	return FERRIS_OK;
}

void
file_input_close(FileInput *input)
{
	if (input->fd >= 0)
		close(input->fd);
	decompressor_destroy(input->decompressor);
	memory_free(input->raw);
	*input = (FileInput){.path = input->path, .fd = -1};
}

int64_t
file_input_size(const FileInput *input)
{
	struct stat info;

	if (!input->regular || input->fd < 0 || fstat(input->fd, &info) != 0)
		return -1;
	return info.st_size;
}

Status
file_input_seek(FileInput *input, int64_t offset, Error *err)
{
	if (lseek(input->fd, offset, SEEK_SET) < 0) {
		error_set(err, FERRIS_ERR_FILE_READ, "cannot go to byte %lld of file '%s'",
			  (long long)offset, input->path);
		return error_errno(err, errno);
	}
	input->raw_offset = offset;
	return FERRIS_OK;
}

/* Bytes from the descriptor as they are; waits at most timeout_ms for a pipe. */
static Status
read_raw(FileInput *input, char *out, size_t room, int timeout_ms, size_t *got, InputResult *result,
	 Error *err)
{
	struct pollfd ready = {.fd = input->fd, .events = POLLIN};

	*got = 0;
	*result = INPUT_WAIT;
	if (!input->regular && poll(&ready, 1, timeout_ms) <= 0)
		return FERRIS_OK; /* an interrupted wait is no error: the caller looks why */
	ssize_t n = read(input->fd, out, room);
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return FERRIS_OK;
	if (n < 0) {
		error_set(err, FERRIS_ERR_FILE_READ, "cannot read file '%s' at byte %lld",
			  input->path, (long long)input->raw_offset);
		return error_errno(err, errno);
	}
	input->raw_offset += n;
	*got = (size_t)n;
	*result = n > 0 ? INPUT_DATA : INPUT_END;
	return FERRIS_OK;
}

static Status
damaged(const FileInput *input, const char *reason, Error *err)
{
	int64_t at = input->raw_offset - (int64_t)(input->raw_len - input->raw_next);

	error_set(err, FERRIS_ERR_COMPRESSION, "%s file '%s' is damaged at byte %lld: %s",
		  compression_name(input->compression), input->path, (long long)at, reason);
	return error_hint(err, "copy the file again; if it is not %s, say so with 'compression'",
			  compression_name(input->compression));
}

static Status
cut_short(const FileInput *input, Error *err)
{
	error_set(err, FERRIS_ERR_COMPRESSION,
		  "%s file '%s' is cut short: it ends at byte %lld inside compressed data",
		  compression_name(input->compression), input->path, (long long)input->raw_offset);
	return error_hint(err, "copy the file again, or let its writer finish first");
}

/* One step of the decompressor; refills its input when that is empty. */
static Status
read_compressed(FileInput *input, char *out, size_t room, int timeout_ms, size_t *got,
		InputResult *result, Error *err)
{
	const char *reason = "";

	*got = 0;
	if (input->raw_next == input->raw_len && !input->raw_end) {
		input->raw_next = input->raw_len = 0;
		TRY(read_raw(input, input->raw, RAW_SIZE, timeout_ms, &input->raw_len, result,
			     err));
		if (*result == INPUT_WAIT)
			return FERRIS_OK;
		input->raw_end = *result == INPUT_END;
	}
	CompressPieces pieces = {.in = input->raw + input->raw_next,
				 .in_len = input->raw_len - input->raw_next,
				 .out = out,
				 .out_len = room,
				 .between = input->between};
	if (!decompressor_run(input->decompressor, &pieces, &reason))
		return damaged(input, reason, err);
	input->raw_next += pieces.in_used;
	input->between = pieces.between;
	*got = pieces.out_used;
	*result = INPUT_DATA;
	if (!input->raw_end || pieces.out_used > 0 || input->raw_next < input->raw_len)
		return FERRIS_OK;
	*result = INPUT_END;
	return input->between ? FERRIS_OK : cut_short(input, err);
}

Status
file_input_read(FileInput *input, char *out, size_t room, int timeout_ms, size_t *got,
		InputResult *result, Error *err)
{
	size_t n = 0;

	*got = 0;
	*result = INPUT_DATA;
	while (*result == INPUT_DATA && *got < room) {
		if (input->decompressor != NULL)
			TRY(read_compressed(input, out + *got, room - *got, timeout_ms, &n, result,
					    err));
		else
			TRY(read_raw(input, out + *got, room - *got, timeout_ms, &n, result, err));
		*got += n;
		if (n > 0)
			timeout_ms = 0; /* give what has come rather than wait for more */
	}
	return FERRIS_OK;
}
