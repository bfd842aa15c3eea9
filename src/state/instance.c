/* state/instance.c -- numbered lock files. */
#include "state/instance.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "state/scratch_dir.h"
#include "state/store.h"

#define INSTANCES_MAX 1000

/* What brokers and file systems take in a name. */
static void
copy_plain(char *out, size_t size, const char *text)
{
	size_t len = 0;

	for (; text[len] != 0 && len + 1 < size; len++)
		out[len] = isalnum((unsigned char)text[len]) || strchr("._-", text[len]) != NULL
				   ? text[len]
				   : '_';
	out[len] = 0;
}

static Status
cannot_lock(Error *err, const char *path, int code)
{
	error_set(err, FERRIS_ERR_STATE, "cannot lock '%s'", path);
	error_errno(err, code);
	return error_hint(err, "set 'state.dir' to a folder that this user may write to");
}

Status
instance_claim(const char *dir, const char *name, Instance *out, Error *err)
{
	char plain[120], host[64] = "host", folder[512], path[700];

	*out = (Instance){0};
	copy_plain(plain, sizeof plain, name);
	gethostname(host, sizeof host - 1);
	copy_plain(host, sizeof host, host);
	if (dir == NULL)
		dir = store_default_dir(path, sizeof path);
	snprintf(folder, sizeof folder, "%s/instances", dir);
	TRY(make_folders(NULL, folder, err));
	for (unsigned n = 0; n < INSTANCES_MAX; n++) {
		snprintf(path, sizeof path, "%s/%s.%u", folder, plain, n);
		int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (lock < 0)
			return cannot_lock(err, path, errno);
		if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
			out->lock = lock;
			out->number = n;
			snprintf(out->name, sizeof out->name, "%s-%s-%u", plain, host, n);
			return FERRIS_OK;
		}
		close(lock);
	}
	return error_set(err, FERRIS_ERR_STATE, "%u processes run this statement on this machine",
			 INSTANCES_MAX);
}

void
instance_release(Instance *instance)
{
	if (instance->lock > 0)
		close(instance->lock);
	instance->lock = 0;
}
