/* tests/fuzz/fuzz_snapshot.c -- any bytes as a snapshot, and as the rows that are in one.
 *
 * Checksums keep damage away from rows, so rows are tried on their own: reading must stay within
 * the bytes, and what was read and is written again must be the same bytes. */
#include <stdlib.h>

#include "state/record.h"
#include "state/snapshot.h"

#define COLUMNS 6

static const Field element = {STR_INIT(""), TYPE_OF(STRING), false};
static const Type list = {.kind = TYPE_ARRAY, .field_count = 1, .fields = &element};
static const Type decimal = {.kind = TYPE_DECIMAL, .precision = 38, .scale = 2};
static const Type *const types[COLUMNS] = {TYPE_OF(STRING), TYPE_OF(BIGINT),  &decimal,
					   &list,           TYPE_OF(BOOLEAN), TYPE_OF(INTERVAL)};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_file(const uint8_t *data, size_t size)
{
	SnapshotReader reader;
	Error err;
	Str key, value;
	bool got = false;
	FILE *file = tmpfile();

	if (file == NULL)
		return;
	fwrite(data, 1, size, file);
	rewind(file);
	Status status = snapshot_open(&reader, file, "fuzz", &err);
	while (status == FERRIS_OK && (got || !snapshot_is_over(&reader)))
		status = snapshot_next(&reader, &key, &value, &got, &err);
	snapshot_close(&reader);
	fclose(file);
}

static void
read_row(const char *bytes, size_t size)
{
	Vector columns[COLUMNS];
	Vector *outs[COLUMNS];
	Buffer again;

	for (uint32_t i = 0; i < COLUMNS; i++) {
		vector_init(&columns[i], types[i], FORM_VALUE, 64);
		outs[i] = &columns[i];
	}
	buffer_init(&again, SIZE_MAX);
	const char *end = record_read_row(bytes, bytes + size, outs, COLUMNS, 0);
	if (end != NULL) {
		record_write_row(&again, (const Vector *const *)outs, COLUMNS, 0);
		if (again.len != (size_t)(end - bytes) || memcmp(again.data, bytes, again.len) != 0)
			abort();
	}
	buffer_free(&again);
	for (uint32_t i = 0; i < COLUMNS; i++)
		vector_free(&columns[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] == 0)
		read_file(data + 1, size - 1);
	else
		read_row((const char *)data + 1, size - 1);
	return 0;
}
