/* connector/file_path.c -- a path, glob or folder to a list of files.
 *
 * A name that exists is taken as it is, whatever characters it has; only then is it a pattern.
 * In patterns, ** stands for any number of folders.  Names that begin with a dot are not matched,
 * and ** does not follow links, so that it ends. */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "connector/file_connector.h"
#include "connector/file_input.h"

#define MAX_FOLDERS 64
#define MAX_FILES   100000

typedef struct Expansion {
	Arena *arena;
	const char **paths;
	uint32_t count, capacity;
	Str extension;
	bool too_many;
	int failed; /* errno of the first folder that could not be read */
	const char *failed_path;
} Expansion;

const char *
file_path_plain(Arena *arena, Str path)
{
	if (str_starts_with(path, STR("file://")))
		path = str_skip(path, 7);
	return str_copy(arena, path).data;
}

FileQuery
file_query(const Setting *settings)
{
	return (FileQuery){
		.path = settings[FILE_PATH].text,
		.recursive = settings[FILE_RECURSIVE].flag,
		.extension = settings[FILE_EXTENSION].text,
	};
}

static void
add_file(Expansion *expansion, const char *path)
{
	if (expansion->count == expansion->capacity) {
		if (expansion->capacity >= MAX_FILES) {
			expansion->too_many = true;
			return;
		}
		expansion->capacity = expansion->capacity > 0 ? expansion->capacity * 2 : 64;
		expansion->paths = memory_resize(expansion->paths,
						 sizeof *expansion->paths * expansion->capacity);
	}
	expansion->paths[expansion->count++] = path;
}

static const char *
join(Arena *arena, const char *folder, const char *name)
{
	size_t len = strlen(folder);

	if (len == 0)
		return str_format(arena, "%s", name).data;
	return str_format(arena, "%s%s%s", folder, folder[len - 1] == '/' ? "" : "/", name).data;
}

static bool
is_folder(const char *path, bool follow)
{
	struct stat info;

	return (follow ? stat(path, &info) : lstat(path, &info)) == 0 && S_ISDIR(info.st_mode);
}

static DIR *
open_folder(Expansion *expansion, const char *folder)
{
	DIR *dir = opendir(folder[0] != '\0' ? folder : ".");

	if (dir == NULL && expansion->failed == 0) {
		expansion->failed = errno;
		expansion->failed_path = folder;
	}
	return dir;
}

/* All files of a folder, of its subfolders too if `depth` allows. */
static void
add_folder(Expansion *expansion, const char *folder, int depth)
{
	DIR *dir = open_folder(expansion, folder);
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		const char *path = join(expansion->arena, folder, entry->d_name);
		if (!is_folder(path, true)) {
			if (str_ends_with(str_from(path), expansion->extension))
				add_file(expansion, path);
		} else if (depth > 0 && is_folder(path, false)) {
			add_folder(expansion, path, depth - 1);
		}
	}
	closedir(dir);
}

/* Match `pattern`, which is relative to `folder`, one part after the other. */
static void
add_matches(Expansion *expansion, const char *folder, const char *pattern, int depth)
{
	size_t len = strcspn(pattern, "/");
	const char *rest = pattern + len + strspn(pattern + len, "/");
	const char *part = arena_copy(expansion->arena, pattern, len);
	bool any_depth = strcmp(part, "**") == 0;
	const struct dirent *entry;

	if (depth == 0)
		return;
	if (any_depth && *rest == '\0') {
		add_folder(expansion, folder[0] != '\0' ? folder : ".", depth);
		return;
	}
	if (any_depth)
		add_matches(expansion, folder, rest, depth - 1);
	if (strpbrk(part, "*?[") == NULL) { /* also "..", which readdir would give, hidden */
		const char *path = join(expansion->arena, folder, part);
		if (*rest != '\0')
			add_matches(expansion, path, rest, depth - 1);
		else if (!is_folder(path, true) && access(path, F_OK) == 0)
			add_file(expansion, path);
		return;
	}
	DIR *dir = open_folder(expansion, folder);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		const char *path = join(expansion->arena, folder, entry->d_name);
		if (any_depth) {
			if (entry->d_name[0] != '.' && is_folder(path, false))
				add_matches(expansion, path, pattern, depth - 1);
		} else if (fnmatch(part, entry->d_name, FNM_PERIOD) == 0) {
			if (*rest != '\0' && is_folder(path, true))
				add_matches(expansion, path, rest, depth - 1);
			else if (*rest == '\0' && !is_folder(path, true))
				add_file(expansion, path);
		}
	}
	closedir(dir);
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, without doubles (two ways of ** may reach one file), in the arena. */
static void
finish_list(Expansion *expansion, FileList *list)
{
	if (expansion->count > 0)
		qsort(expansion->paths, expansion->count, sizeof *expansion->paths, compare_paths);
	list->paths = ARENA_ARRAY(expansion->arena, const char *, expansion->count);
	list->count = 0;
	for (uint32_t i = 0; i < expansion->count; i++)
		if (i == 0 || strcmp(expansion->paths[i], expansion->paths[i - 1]) != 0)
			list->paths[list->count++] = expansion->paths[i];
	memory_free(expansion->paths);
}

static Status
nothing_found(const Expansion *expansion, const char *path, bool folder, Error *err)
{
	if (expansion->failed != 0 && expansion->failed != ENOENT)
		return file_open_error(expansion->failed_path, expansion->failed, err);
	if (folder) {
		error_set(err, FERRIS_ERR_FILE_OPEN, "folder '%s' has no files%s%.*s", path,
			  expansion->extension.len > 0 ? " that end in " : "",
			  STR_ARG(expansion->extension));
		return error_hint(err, "'recursive' = 'true' looks into subfolders too");
	}
	error_set(err, FERRIS_ERR_FILE_OPEN, "no file matches '%s'", path);
	return error_hint(err,
			  "check 'path'; 'file.wait.timeout' waits for a file that comes later");
}

Status
file_path_expand(const FileQuery *query, Arena *arena, FileList *list, Error *err)
{
	Expansion expansion = {.arena = arena};
	const char *path = file_path_plain(arena, query->path);
	struct stat info;
	bool folder = false;

	*list = (FileList){0};
	if (path[0] == '\0') {
		error_set(err, FERRIS_ERR_FILE_OPEN, "'path' is empty");
		return error_hint(err, "name a file, a glob, a folder, or - for standard input");
	}
	if (strcmp(path, "-") == 0) {
		add_file(&expansion, path);
	} else if (stat(path, &info) == 0) {
		folder = S_ISDIR(info.st_mode);
		expansion.extension = query->extension;
		if (folder)
			add_folder(&expansion, path, query->recursive ? MAX_FOLDERS : 0);
		else
			add_file(&expansion, path);
	} else if (strpbrk(path, "*?[") != NULL) {
		const char *relative = path + strspn(path, "/");
		add_matches(&expansion, relative > path ? "/" : "", relative, MAX_FOLDERS);
	} else {
		return file_open_error(path, errno, err);
	}
	finish_list(&expansion, list);
	if (expansion.too_many)
		return error_set(err, FERRIS_ERR_LIMIT, "'%s' names more than %d files", path,
				 MAX_FILES);
	return list->count > 0 ? FERRIS_OK : nothing_found(&expansion, path, folder, err);
}
