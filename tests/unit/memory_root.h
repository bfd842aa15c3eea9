/* tests/unit/memory_root.h -- a folder with the kernel's files that tell how much memory is in use.
 *
 * Paths are the kernel's; the folder stands in front of them. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory_use.h"

static char memory_root[] = "/tmp/ferris-memory-XXXXXX";

/* Makes the folders too. */
static inline void
put_kernel_file(const char *path, const char *text)
{
	char full[512];

	snprintf(full, sizeof full, "%s%s", memory_root, path);
	for (char *at = full + strlen(memory_root) + 1; (at = strchr(at, '/')) != NULL; at++) {
		*at = '\0';
		mkdir(full, 0755);
		*at = '/';
	}
	FILE *file = fopen(full, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

/* Its lines; NULL: it stays as it is. */
static inline void
put_group_file(const char *group, const char *name, const char *lines)
{
	char path[256], text[256];

	if (lines == NULL)
		return;
	snprintf(path, sizeof path, "/sys/fs/cgroup%s/%s", group, name);
	snprintf(text, sizeof text, "%s\n", lines);
	put_kernel_file(path, text);
}

/* A group of version 2, "" is the root. */
static inline void
put_group(const char *group, const char *limit, const char *used, const char *stat)
{
	put_group_file(group, "memory.max", limit);
	put_group_file(group, "memory.current", used);
	put_group_file(group, "memory.stat", stat);
}

/* The process is in the root group, of which so many per cent are used. */
static inline void
use_percent(int percent)
{
	char used[32];

	snprintf(used, sizeof used, "%d", percent * 10);
	put_kernel_file("/proc/self/cgroup", "0::/\n");
	put_group("", "1000", used, "inactive_file 0");
}

static inline int
remove_memory_root(void **state)
{
	int status = 0;
	pid_t child = fork();

	(void)state;
	if (child == 0) {
		execlp("rm", "rm", "-rf", memory_root, (char *)NULL);
		_exit(1);
	}
	return child < 0 || waitpid(child, &status, 0) < 0 || status != 0;
}

/* An empty one. */
static inline int
make_memory_root(void **state)
{
	(void)state;
	memcpy(memory_root + strlen(memory_root) - 6, "XXXXXX", 6);
	return mkdtemp(memory_root) == NULL;
}

#define MEMORY_TEST(test)                                                                          \
	cmocka_unit_test_setup_teardown(test, make_memory_root, remove_memory_root)
