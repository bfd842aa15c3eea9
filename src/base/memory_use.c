/* base/memory_use.c -- cgroups of version 2 and 1, and /proc/meminfo. */
#include "base/memory_use.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_LIMIT (INT64_C(1) << 60) /* version 1 says so in a number that is no memory's */

/* A kind of memory controller: names of its files, below a cgroup's folder. */
typedef struct Controller {
	const char *folder;
	const char *limit;
	const char *used;
	const char *cache; /* in memory.stat */
} Controller;

static const Controller controllers[] = {
	{"/sys/fs/cgroup", "memory.max", "memory.current", "inactive_file"},
	{"/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes",
	 "total_inactive_file"},
};

/* The number in the line that begins with `name`, or of the whole file; -1: there is none. */
static int64_t
read_number(const char *root, const char *folder, const char *file, const char *name)
{
	char path[PATH_MAX];
	char line[256];
	size_t len = name != NULL ? strlen(name) : 0;
	int64_t number = -1;

	snprintf(path, sizeof path, "%s%s/%s", root, folder, file);
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return -1;
	while (number < 0 && fgets(line, sizeof line, stream) != NULL) {
		char *end;

		if (name != NULL &&
		    (strncmp(line, name, len) != 0 || (line[len] != ' ' && line[len] != ':')))
			continue;
		const char *text = line + len + (name != NULL);
		number = strtoll(text, &end, 10);
		if (end == text)
			number = -1;
		if (name == NULL)
			break;
	}
	fclose(stream);
	return number;
}

/* Used over limit in one cgroup's folder; -1: it has no limit. */
static double
use_of_group(const char *root, const Controller *controller, const char *folder)
{
	int64_t limit = read_number(root, folder, controller->limit, NULL);
	int64_t used = read_number(root, folder, controller->used, NULL);
	int64_t cache = read_number(root, folder, "memory.stat", controller->cache);

	if (limit <= 0 || limit >= NO_LIMIT || used < 0)
		return -1;
	if (cache > 0)
		used = used > cache ? used - cache : 0;
	return (double)used / (double)limit;
}

/* The process's cgroup below the controller's folder: "" if it is the root or not known. */
static void
own_group(const char *root, bool first_version, char *out, size_t size)
{
	char path[PATH_MAX];
	char line[PATH_MAX];

	out[0] = '\0';
	snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
	FILE *stream = fopen(path, "re");
	if (stream == NULL)
		return;
	while (fgets(line, sizeof line, stream) != NULL) {
		char *controllers_of = strchr(line, ':');
		char *name = controllers_of != NULL ? strchr(controllers_of + 1, ':') : NULL;

		if (name == NULL)
			continue;
		*name++ = '\0';
		bool is_memory = first_version ? strstr(controllers_of, "memory") != NULL
					       : controllers_of[1] == '\0';
		if (!is_memory)
			continue;
		name[strcspn(name, "\n")] = '\0';
		snprintf(out, size, "%s", strcmp(name, "/") == 0 ? "" : name);
	}
	fclose(stream);
}

/* The fullest of the process's cgroup and those around it; -1: none has a limit. */
static double
use_of_groups(const char *root, const Controller *controller)
{
	char group[PATH_MAX];
	char folder[2 * PATH_MAX];
	double most = -1;

	own_group(root, controller != &controllers[0], group, sizeof group);
	for (;;) {
		snprintf(folder, sizeof folder, "%s%s", controller->folder, group);
		double use = use_of_group(root, controller, folder);
		most = use > most ? use : most;
		char *slash = strrchr(group, '/');
		if (slash == NULL)
			return most;
		*slash = '\0';
	}
}

double
memory_use(const char *root)
{
	double most = -1;

	for (size_t i = 0; i < sizeof controllers / sizeof *controllers; i++) {
		double use = use_of_groups(root, &controllers[i]);
		most = use > most ? use : most;
	}
	if (most >= 0)
		return most;
	int64_t total = read_number(root, "/proc", "meminfo", "MemTotal");
	int64_t available = read_number(root, "/proc", "meminfo", "MemAvailable");
	return total > 0 && available >= 0 ? 1 - (double)available / (double)total : -1;
}

static int64_t
kilobytes(const char *name)
{
	int64_t number = read_number("", "/proc/self", "status", name);

	return number >= 0 ? number * 1024 : -1;
}

void
memory_resident(int64_t *now, int64_t *peak)
{
	*now = kilobytes("VmRSS");
	*peak = kilobytes("VmHWM");
}

bool
memory_watch_look(MemoryWatch *watch, int64_t now_ms)
{
	if (now_ms < watch->next_ms)
		return false;
	watch->next_ms = now_ms + watch->interval_ms;
	double use = memory_use(watch->root != NULL ? watch->root : "");
	watch->level = use >= watch->pressure ? MEMORY_PRESSURE
		       : use >= watch->target ? MEMORY_ABOVE_TARGET
					      : MEMORY_FREE;
	return true;
}
