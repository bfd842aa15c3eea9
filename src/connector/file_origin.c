/* connector/file_origin.c -- which file a position is of.
 *
 * The position that another run has left is good for the same file only.  A file that ends must be
 * as it was in all: inode, size and time of change.  A watched file grows; it is the same one as
 * long as its inode is, it is not shorter than what was read of it, and it begins with the same
 * bytes (numbers of inodes are used again). */
#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "connector/file_reader.h"

#define HEAD_BYTES ((size_t)256)

static uint64_t
hash_head(int fd, size_t len, size_t *got)
{
	char head[HEAD_BYTES];
	ssize_t n = pread(fd, head, len, 0);

	*got = n > 0 ? (size_t)n : 0;
	return XXH3_64bits(head, *got);
}

static FileOrigin
origin_of(const struct stat *info)
{
	return (FileOrigin){
		.device = info->st_dev,
		.inode = info->st_ino,
		.size = info->st_size,
		.changed_ns = (int64_t)info->st_mtim.tv_sec * 1000000000 + info->st_mtim.tv_nsec,
	};
}

void
file_origin_note(FileReader *reader, FileSplit *split)
{
	const FileOrigin *known = split->origin;
	struct stat info;
	size_t got;

	if (known != NULL && known->inode == split->input.inode &&
	    known->device == split->input.device &&
	    (!reader->watch.active || known->head_len == HEAD_BYTES))
		return;
	if (!split->input.regular || fstat(split->input.fd, &info) != 0)
		return;
	FileOrigin *origin = ARENA_NEW(&reader->names, FileOrigin);
	*origin = origin_of(&info);
	origin->head = hash_head(split->input.fd, HEAD_BYTES, &got);
	origin->head_len = got;
	split->origin = origin;
}

static const SplitPlace *
place_of(const FileReader *reader, const FileSplit *split)
{
	return split_place_find(reader->places, reader->place_count, str_from(split->path));
}

static bool
same_file(const FileReader *reader, const SplitPlace *place, int fd, const struct stat *info)
{
	FileOrigin was, is = origin_of(info);
	size_t got;

	if (place->origin.len != sizeof was)
		return false;
	memcpy(&was, place->origin.data, sizeof was);
	if (was.device != is.device || was.inode != is.inode)
		return false;
	if (!reader->watch.active)
		return was.size == is.size && was.changed_ns == is.changed_ns;
	return was.head_len <= HEAD_BYTES && is.size >= was.size &&
	       hash_head(fd, was.head_len, &got) == was.head && got == was.head_len;
}

static Status
changed(const FileSplit *split, Error *err)
{
	return error_set(err, FERRIS_ERR_FILE_CHANGED,
			 "file '%s' is not as it was when the statement was interrupted while "
			 "reading it",
			 split->path);
}

Status
file_origin_check_all(FileReader *reader, Error *err)
{
	for (uint32_t i = 0; i < reader->split_count && !reader->watch.active; i++) {
		const FileSplit *split = file_split(reader, i);
		const SplitPlace *place = place_of(reader, split);
		struct stat info;

		if (place != NULL &&
		    (stat(split->path, &info) != 0 || !same_file(reader, place, -1, &info)))
			return changed(split, err);
	}
	return FERRIS_OK;
}

/* A file that was rotated since stands beside its successor under another name: it is read to its
 * end first, as it would have been. */
static bool
open_moved(FileReader *reader, FileSplit *split, const SplitPlace *place)
{
	const char *slash = strrchr(split->path, '/');
	Str folder =
		slash != NULL ? (Str){split->path, (uint32_t)(slash + 1 - split->path)} : STR("./");
	DIR *dir = opendir(str_copy(&reader->names, folder).data);
	const struct dirent *entry;
	bool found = false;

	while (dir != NULL && !found && (entry = readdir(dir)) != NULL) {
		FileInput moved;
		struct stat info;
		Error ignored;
		Str path = str_format(&reader->names, "%.*s%s", STR_ARG(folder), entry->d_name);

		if (stat(path.data, &info) != 0 || !S_ISREG(info.st_mode) ||
		    file_input_open(&moved, path.data, split->input.compression, false, &ignored) !=
			    FERRIS_OK)
			continue;
		found = same_file(reader, place, moved.fd, &info) && info.st_size >= place->next;
		if (found) {
			file_input_close(&split->input);
			split->input = moved;
			split->input.path = split->path;
		} else {
			file_input_close(&moved);
		}
	}
	if (dir != NULL)
		closedir(dir);
	return found;
}

void
file_origin_resume(FileReader *reader, FileSplit *split)
{
	const SplitPlace *place = place_of(reader, split);
	struct stat info;

	file_origin_note(reader, split);
	if (place == NULL || split->origin == NULL || fstat(split->input.fd, &info) != 0)
		return;
	if ((same_file(reader, place, split->input.fd, &info) &&
	     (split->input.decompressor != NULL || info.st_size >= place->next)) ||
	    open_moved(reader, split, place)) {
		file_origin_note(reader, split);
		split->resume = place->next;
		return;
	}
	fprintf(stderr,
		"warning: file '%s' has taken the place of the one that was read before; it is "
		"read from its start\n",
		split->path);
}
