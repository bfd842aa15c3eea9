/* connector/file_parts.c -- the names of a sink's parts, and what of them lies in the folder. */
#include "connector/file_parts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "connector/compress.h"
#include "connector/file_output.h"

#define INFIX      STR("-part-")
#define IN_WORK    STR(".inprogress")
#define DIGITS_MIN 6
#define DIGITS_MAX 18

/* The name's last ending, where it has one that is not all of it. */
static Str
last_ending(Str name)
{
	const char *dot = name.len > 0 ? memrchr(name.data, '.', name.len) : NULL;

	return dot != NULL && dot > name.data ? str_skip(name, (uint32_t)(dot - name.data))
					      : (Str){name.data + name.len, 0};
}

FileParts
file_parts_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	Str name = str_from(slash != NULL ? slash + 1 : path);
	Str ending = last_ending(name);

	/* out.jsonl.gz: what is compressed has its own ending before. */
	if (compression_resolve(COMPRESSION_AUTO, ending) != COMPRESSION_NONE) {
		Str inner = last_ending((Str){name.data, name.len - ending.len});

		ending = (Str){inner.data, inner.len + ending.len};
	}
	return (FileParts){
		.path = path,
		.folder = {path, (uint32_t)(name.data - path)},
		.stem = {name.data, name.len - ending.len},
		.ending = ending,
	};
}

void
file_part_path(const FileParts *parts, FilePart part, char out[PATH_MAX])
{
	snprintf(out, PATH_MAX, "%.*s%s%.*s%.*s%0*llu%.*s%.*s", STR_ARG(parts->folder),
		 part.shown ? "" : ".", STR_ARG(parts->stem), STR_ARG(INFIX), DIGITS_MIN,
		 (unsigned long long)part.number, STR_ARG(parts->ending),
		 part.shown ? 0 : (int)IN_WORK.len, IN_WORK.data);
}

/* ---- the folder ---- */

static bool
cut_prefix(Str *text, Str prefix)
{
	if (!str_starts_with(*text, prefix))
		return false;
	*text = str_skip(*text, prefix.len);
	return true;
}

static bool
cut_suffix(Str *text, Str suffix)
{
	if (!str_ends_with(*text, suffix))
		return false;
	text->len -= suffix.len;
	return true;
}

/* Whether the name is one of a part, exactly as file_part_path writes it. */
static bool
parse_name(const FileParts *parts, Str name, bool shown, FilePart *part)
{
	*part = (FilePart){.shown = shown};
	if (!shown && (!cut_prefix(&name, STR(".")) || !cut_suffix(&name, IN_WORK)))
		return false;
	if (!cut_prefix(&name, parts->stem) || !cut_prefix(&name, INFIX) ||
	    !cut_suffix(&name, parts->ending) || name.len < DIGITS_MIN || name.len > DIGITS_MAX ||
	    (name.len > DIGITS_MIN && name.data[0] == '0'))
		return false;
	for (uint32_t i = 0; i < name.len; i++) {
		if (name.data[i] < '0' || name.data[i] > '9')
			return false;
		part->number = part->number * 10 + (uint64_t)(name.data[i] - '0');
	}
	return part->number > 0;
}

static bool
is_plain_file(const FileParts *parts, FilePart part)
{
	char path[PATH_MAX];
	struct stat info;

	file_part_path(parts, part, path);
	return lstat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static int
compare_parts(const void *a, const void *b)
{
	const FilePart *x = a, *y = b;

	return x->number != y->number ? (x->number > y->number) - (x->number < y->number)
				      : (int)x->shown - (int)y->shown;
}

Status
file_parts_list(const FileParts *parts, FilePartList *list, Error *err)
{
	char folder[PATH_MAX];
	const struct dirent *entry;
	FilePart part;

	*list = (FilePartList){0};
	snprintf(folder, sizeof folder, "%.*s", parts->folder.len > 0 ? (int)parts->folder.len : 1,
		 parts->folder.len > 0 ? parts->folder.data : ".");
	DIR *dir = access(folder, W_OK | X_OK) == 0 ? opendir(folder) : NULL;
	if (dir == NULL)
		return file_create_error(parts->path, errno, err);
	while ((entry = readdir(dir)) != NULL) {
		Str name = str_from(entry->d_name);

		if ((!parse_name(parts, name, false, &part) &&
		     !parse_name(parts, name, true, &part)) ||
		    !is_plain_file(parts, part))
			continue;
		if (list->count == list->capacity) {
			list->capacity = list->capacity * 2 + 16;
			list->parts =
				memory_resize(list->parts, sizeof *list->parts * list->capacity);
		}
		list->parts[list->count++] = part;
	}
	closedir(dir);
	if (list->count > 0)
		qsort(list->parts, list->count, sizeof *list->parts, compare_parts);
	return FERRIS_OK;
}

void
file_parts_free(FilePartList *list)
{
	memory_free(list->parts);
	*list = (FilePartList){0};
}

PartUse
file_part_use(const FileParts *parts, FilePart part, bool readers)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	PartUse use = PART_FREE;
	char path[PATH_MAX];

	file_part_path(parts, part, path);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return PART_FREE;
	if (fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK)
		use = PART_WRITTEN;
	else if (readers && flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		use = PART_READ;
	close(fd);
	return use;
}

Status
file_part_show(const FileParts *parts, uint64_t number, bool shown, Error *err)
{
	char from[PATH_MAX], to[PATH_MAX];

	file_part_path(parts, (FilePart){number, !shown}, from);
	file_part_path(parts, (FilePart){number, shown}, to);
	if (disk_rename(parts->disk, from, to) == 0)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot rename file '%s' to '%s'", from, to);
	error_errno(err, errno);
	err->flags = 0;
	return error_hint(err, "keep others away from the parts that are written; the process "
			       "needs the right to rename them");
}

Status
file_part_remove(const FileParts *parts, FilePart part, Error *err)
{
	char path[PATH_MAX];

	file_part_path(parts, part, path);
	if (disk_unlink(parts->disk, path) == 0 || errno == ENOENT)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_FILE_WRITE, "cannot remove file '%s'", path);
	error_errno(err, errno);
	err->flags = 0;
	return error_hint(err, "it is a part of the run before; the process needs the right to "
			       "remove it");
}
