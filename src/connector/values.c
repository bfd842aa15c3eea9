/* connector/values.c -- a source of so many records without content, numbered by their positions.
 *
 * SELECT without FROM and VALUES read it: the planner puts their constants into the Project above.
 */
#include "connector/values.h"

enum { SOURCE_ROWS, SOURCE_OPTION_COUNT };

/* clang-format off */
static const OptionRow source_rows[SOURCE_OPTION_COUNT] = {
	[SOURCE_ROWS] = {.name = "rows", .type = OPTION_INTEGER, .initial = "1", .min = 0,
		.max = 1e9, .doc = "How many records, each of them {}."},
};
/* clang-format on */

typedef struct ValuesReader {
	Reader base;
	int64_t next;
	int64_t rows;
	uint64_t sequence;
} ValuesReader;

static Status
values_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	ValuesReader *reader = ARENA_NEW(arena, ValuesReader);

	(void)err;
	reader->base.class = &values_connector;
	reader->rows = spec->settings[SOURCE_ROWS].integer;
	*out = &reader->base;
	return FERRIS_OK;
}

static Status
values_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	ValuesReader *reader = (ValuesReader *)base;

	(void)timeout_ms;
	(void)err;
	*result = reader->next < reader->rows ? READ_DATA : READ_END;
	chunk->position = reader->next;
	while (reader->next < reader->rows && chunk->len < CHUNK_CAPACITY) {
		ChunkRecord *record = chunk_add_record(chunk);

		memcpy(chunk_reserve(chunk, 2), "{}", 2);
		record->offset = (uint32_t)chunk->len;
		record->len = 2;
		record->key_len = RECORD_NULL;
		record->position = reader->next++;
		record->timestamp_ms = INT64_MIN;
		chunk->len += 2;
	}
	chunk->next_position = reader->next;
	chunk->sequence = reader->sequence++;
	chunk_seal(chunk);
	return FERRIS_OK;
}

static Status
values_commit(Reader *base, const SplitPosition *positions, uint32_t count, Error *err)
{
	(void)base;
	(void)positions;
	(void)count;
	(void)err;
	return FERRIS_OK;
}

static const char *
values_split_name(const Reader *base, uint32_t split)
{
	(void)base;
	(void)split;
	return "VALUES";
}

static void
values_reader_close(Reader *base)
{
	(void)base; /* it owns nothing */
}

static bool
is_bounded(const Setting *settings)
{
	(void)settings;
	return true;
}

const ConnectorClass values_connector = {
	.name = "values",
	.doc = "Records without content: the source of SELECT without FROM and of VALUES.",
	.default_format = "json",
	.source_options = {"values source", source_rows, SOURCE_OPTION_COUNT},
	.bounded = is_bounded,
	.reader_open = values_reader_open,
	.read = values_read,
	.commit = values_commit,
	.split_name = values_split_name,
	.reader_close = values_reader_close,
};
