/* connector/values.c -- a source of records that the statement itself brings along.
 *
 * Either so many without content, numbered by their positions: SELECT without FROM and VALUES read
 * it, and the planner puts their constants into the Project above.  Or JSON records, one a line, as
 * SHOW and its kin give them.
 *
 * As a sink it takes records and forgets them: EXPLAIN ANALYZE writes there. */
#include "connector/values.h"

enum { SOURCE_ROWS, SOURCE_RECORDS, SOURCE_OPTION_COUNT };

/* clang-format off */
static const OptionRow source_rows[SOURCE_OPTION_COUNT] = {
	[SOURCE_ROWS] = {.name = "rows", .type = OPTION_INTEGER, .initial = "1", .min = 0,
		.max = 1e9, .doc = "How many records, each of them {}."},
	[SOURCE_RECORDS] = {.name = "records", .type = OPTION_STRING,
		.doc = "The records instead, one a line."},
};
/* clang-format on */

typedef struct ValuesReader {
	Reader base;
	int64_t next;
	int64_t rows;
	Str records; /* those not read yet */
	bool given;
	uint64_t sequence;
} ValuesReader;

static Status
values_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	ValuesReader *reader = ARENA_NEW(arena, ValuesReader);

	(void)err;
	reader->base.class = &values_connector;
	reader->rows = spec->settings[SOURCE_ROWS].integer;
	reader->records = spec->settings[SOURCE_RECORDS].text;
	reader->given = spec->settings[SOURCE_RECORDS].present;
	*out = &reader->base;
	return FERRIS_OK;
}

static bool
has_more(const ValuesReader *reader)
{
	return reader->given ? reader->records.len > 0 : reader->next < reader->rows;
}

static Str
next_record(ValuesReader *reader)
{
	if (!reader->given)
		return STR("{}");
	const char *end = memchr(reader->records.data, '\n', reader->records.len);
	uint32_t len = end != NULL ? (uint32_t)(end - reader->records.data) : reader->records.len;
	Str record = {reader->records.data, len};

	reader->records = str_skip(reader->records, end != NULL ? len + 1 : len);
	return record;
}

static Status
values_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	ValuesReader *reader = (ValuesReader *)base;

	(void)timeout_ms;
	(void)err;
	*result = has_more(reader) ? READ_DATA : READ_END;
	chunk->position = reader->next;
	while (has_more(reader) && chunk->len < CHUNK_CAPACITY) {
		ChunkRecord *record = chunk_add_record(chunk);
		Str text = next_record(reader);

		memcpy(chunk_reserve(chunk, text.len), text.data, text.len);
		record->offset = (uint32_t)chunk->len;
		record->len = text.len;
		record->key_len = RECORD_NULL;
		record->position = reader->next++;
		record->timestamp_ms = INT64_MIN;
		chunk->len += text.len;
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

void
values_give(Setting *settings, Str records)
{
	settings[SOURCE_RECORDS].text = records;
	settings[SOURCE_RECORDS].present = true;
}

/* ---------------------------------------------------------------- forgetting */

static Status
values_writer_open(const WriterSpec *spec, Arena *arena, Writer **out, Error *err)
{
	Writer *writer = ARENA_NEW(arena, Writer);

	(void)spec;
	(void)err;
	writer->class = &values_connector;
	*out = writer;
	return FERRIS_OK;
}

static Status
values_write(Writer *writer, const Output *output, Error *err)
{
	(void)writer;
	(void)output;
	(void)err;
	return FERRIS_OK;
}

static Status
values_flush(Writer *writer, Error *err)
{
	(void)writer;
	(void)err;
	return FERRIS_OK;
}

static Status
values_writer_close(Writer *writer, bool failed, Error *err)
{
	(void)writer;
	(void)failed;
	(void)err;
	return FERRIS_OK;
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
	.writer_open = values_writer_open,
	.write = values_write,
	.flush = values_flush,
	.writer_close = values_writer_close,
};
