/* tests/unit/vectors.h -- files of expected results: one case a line, tab-separated fields.
 *
 * The first field names the check; vectors_run calls it with the others.  "~" is an empty field.
 * A check returns false if the code under test disagrees; the line is then printed. */
#pragma once

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define VECTOR_FIELDS_MAX 12
#define VECTOR_LINE_MAX 8192

typedef struct VectorCheck {
	const char *name;
	int fields; /* without the name */
	bool (*run)(char **fields);
} VectorCheck;

/* Returns the number of failures, or -1 if the file cannot be read or has an unknown line. */
static inline int
vectors_run(const char *path, const VectorCheck *checks, size_t check_count, int *done)
{
	static char line[VECTOR_LINE_MAX];
	static char copy[VECTOR_LINE_MAX];
	static char empty[1];
	FILE *in = fopen(path, "r");
	int failed = 0;

	*done = 0;
	if (in == NULL)
		return -1;
	while (failed >= 0 && fgets(line, sizeof line, in) != NULL) {
		char *fields[VECTOR_FIELDS_MAX];
		int count = 0;
		const VectorCheck *check = NULL;

		if (line[0] == '#')
			continue;
		line[strcspn(line, "\n")] = '\0';
		memcpy(copy, line, sizeof copy);
		for (char *p = line; p != NULL && count < VECTOR_FIELDS_MAX; count++) {
			fields[count] = p;
			p = strchr(p, '\t');
			if (p != NULL)
				*p++ = '\0';
			if (strcmp(fields[count], "~") == 0)
				fields[count] = empty;
		}
		for (size_t i = 0; i < check_count; i++)
			if (strcmp(checks[i].name, fields[0]) == 0 && checks[i].fields == count - 1)
				check = &checks[i];
		if (check == NULL) {
			printf("no check for: %s\n", copy);
			failed = -1;
		} else if (!check->run(fields + 1)) {
			printf("failed: %s\n", copy);
			failed++;
		}
		(*done)++;
	}
	fclose(in);
	return failed;
}
