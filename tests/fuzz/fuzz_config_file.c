/* tests/fuzz/fuzz_config_file.c -- any bytes as a YAML file of options.
 *
 * Besides not crashing: it is read or refused with a message, and what it says has names and
 * values. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan/config_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool truth)
{
	if (!truth)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = memfd_create("config", MFD_CLOEXEC);
	bool used = false;
	char path[64];
	Arena arena;
	Error err = {0};

	/* Files that it extends would be those of the machine. */
	if (fd < 0 || memmem(data, size, "extends", 7) != NULL ||
	    write(fd, data, size) != (ssize_t)size) {
		close(fd);
		return 0;
	}
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	arena_init(&arena, 0);
	OptionEntry named = {.key = STR("t.config_file"),
			     .value = str_from(path),
			     .origin = "user",
			     .used = &used};
	Options list = {&named, 1};
	Status status = config_files_expand(&arena, &list, &err);
	check(used);
	check((status == FERRIS_OK) == (err.message[0] == '\0'));
	for (uint32_t i = 0; status == FERRIS_OK && i < list.count; i++) {
		const OptionEntry *entry = &list.entries[i];

		check(str_starts_with(entry->key, STR("t.")) && entry->value.data != NULL &&
		      entry->place != NULL);
	}
	arena_free(&arena);
	close(fd);
	return 0;
}
