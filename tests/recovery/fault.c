/* tests/recovery/fault.c -- a library that is loaded before libc's: it lets the n-th call that
 * changes a file fail, or kills the process there.
 *
 *     LD_PRELOAD=.../libfault.so FERRIS_FAULT=fail:7:/tmp/x     the 7th call below /tmp/x fails
 *                                FERRIS_FAULT=kill:7:/tmp/x     SIGKILL before it
 *                                FERRIS_FAULT=half:7:/tmp/x     a write stops in the middle,
 * SIGKILL
 *
 * Calls of which the descriptor or path lies in that folder are counted, in all threads together.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

static _Atomic unsigned calls;

static int
in_folder(const char *path, const char *folder)
{
	char real[PATH_MAX];

	if (path[0] != '/' && getcwd(real, sizeof real) != NULL)
		path = real; /* names in the current folder */
	return strncmp(path, folder, strlen(folder)) == 0;
}

/* 'f' or 'h' if this is the call, else 0.  Of other calls than writes there is no half. */
static char
is_due(int fd, const char *path, bool writes)
{
	const char *spec = getenv("FERRIS_FAULT");
	char link[64], target[PATH_MAX];
	char *folder;

	if (spec == NULL || strlen(spec) < 8)
		return 0;
	unsigned long wanted = strtoul(spec + 5, &folder, 10);
	if (path == NULL) {
		snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
		ssize_t len = readlink(link, target, sizeof target - 1);
		target[len > 0 ? len : 0] = 0;
		path = target;
	}
	if (!in_folder(path, folder + 1) || ++calls != wanted)
		return 0;
	if (spec[0] == 'k' || (spec[0] == 'h' && !writes))
		raise(SIGKILL);
	errno = EIO;
	return spec[0];
}

static void *
next(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

EXPORT ssize_t
write(int fd, const void *bytes, size_t len)
{
	ssize_t (*real)(int, const void *, size_t) =
		(ssize_t(*)(int, const void *, size_t))next("write");
	char due = is_due(fd, NULL, true);

	if (due == 'h') {
		real(fd, bytes, len / 2);
		raise(SIGKILL);
	}
	return due != 0 ? -1 : real(fd, bytes, len);
}

EXPORT ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t at)
{
	ssize_t (*real)(int, const void *, size_t, off_t) =
		(ssize_t(*)(int, const void *, size_t, off_t))next("pwrite");
	char due = is_due(fd, NULL, true);

	if (due == 'h') {
		real(fd, bytes, len / 2, at);
		raise(SIGKILL);
	}
	return due != 0 ? -1 : real(fd, bytes, len, at);
}

/* Of calls that open a file only those count that may make one. */
EXPORT int
open(const char *path, int flags, ...)
{
	int (*real)(const char *, int, ...) = (int (*)(const char *, int, ...))next("open");
	va_list arguments;

	if ((flags & (O_CREAT | O_TMPFILE)) == 0)
		return real(path, flags);
	va_start(arguments, flags);
	mode_t mode = va_arg(arguments, mode_t);
	va_end(arguments);
	return is_due(-1, path, false) != 0 ? -1 : real(path, flags, mode);
}

EXPORT int
fsync(int fd)
{
	return is_due(fd, NULL, false) != 0 ? -1 : ((int (*)(int))next("fsync"))(fd);
}

EXPORT int
fdatasync(int fd)
{
	return is_due(fd, NULL, false) != 0 ? -1 : ((int (*)(int))next("fdatasync"))(fd);
}

EXPORT int
ftruncate(int fd, off_t len)
{
	return is_due(fd, NULL, false) != 0 ? -1
					    : ((int (*)(int, off_t))next("ftruncate"))(fd, len);
}

EXPORT int
rename(const char *from, const char *to)
{
	int (*real)(const char *, const char *) =
		(int (*)(const char *, const char *))next("rename");

	return is_due(-1, from, false) != 0 ? -1 : real(from, to);
}

EXPORT int
unlink(const char *path)
{
	return is_due(-1, path, false) != 0 ? -1 : ((int (*)(const char *))next("unlink"))(path);
}

EXPORT int
mkdir(const char *path, mode_t mode)
{
	return is_due(-1, path, false) != 0
		       ? -1
		       : ((int (*)(const char *, mode_t))next("mkdir"))(path, mode);
}
