/* exec/scan_columns.c -- system columns, metadata and headers from the chunk's records. */
#include "exec/scan_columns.h"

#include "base/utf8.h"
#include "codec/headers.h"
#include "type/temporal.h"

/* The record of a topic that a row came from, or NULL for a file. */
static const ChunkRecord *
record_of(const Chunk *chunk, const Batch *batch, uint32_t row)
{
	return chunk->record_count > 0 ? &chunk->records[batch->records[row].line] : NULL;
}

static void
set_int(Vector *vector, uint32_t row, int64_t value)
{
	VECTOR_DATA(vector, int64_t)[row] = value;
}

/* Bytes that are not UTF-8 cannot be a STRING: NULL. */
static void
set_text(Vector *vector, uint32_t row, const char *data, uint32_t len)
{
	if (!utf8_valid(data, len))
		vector_set_null(vector, row);
	else
		VECTOR_DATA(vector, StringView)[row] = (StringView){.data = data, .len = len};
}

/* "trades" of the split "trades[3]"; a file's path. */
static Str
topic_name(const TaskContext *task)
{
	Str name = str_from(task->reader->class->split_name(task->reader, task->chunk->split));

	if (task->chunk->record_count > 0 && name.len > 0 && name.data[name.len - 1] == ']') {
		const char *bracket = memrchr(name.data, '[', name.len);

		if (bracket != NULL)
			name.len = (uint32_t)(bracket - name.data);
	}
	return name;
}

static Str
headers_of(const Chunk *chunk, const ChunkRecord *record)
{
	return (Str){chunk->data + record->header_offset, record->header_len};
}

/* The value of the last header of that name; false if there is none, or it is null. */
static bool
find_header(const Chunk *chunk, const ChunkRecord *record, Str name, Str *value)
{
	Str bytes = headers_of(chunk, record);
	Header header;
	bool found = false;

	while (header_next(&bytes, &header))
		if (str_eq(header.name, name)) {
			found = header.value.data != NULL;
			*value = header.value;
		}
	return found;
}

/* All headers as a map, in their order; a name may stand in it more than once. */
static void
set_headers(Vector *vector, uint32_t row, const Chunk *chunk, const ChunkRecord *record)
{
	Str bytes = headers_of(chunk, record);
	uint32_t first = vector->child_len;
	Header header;

	while (header_next(&bytes, &header)) {
		uint32_t at = vector_list_append(vector, 1);

		vector_set_valid(&vector->children[0], at);
		vector_set_valid(&vector->children[1], at);
		set_text(&vector->children[0], at, header.name.data, header.name.len);
		if (header.value.data != NULL)
			set_text(&vector->children[1], at, header.value.data, header.value.len);
		else
			vector_set_null(&vector->children[1], at);
	}
	VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, vector->child_len - first};
}

static void
fill_row(const ScanColumn *column, const Chunk *chunk, const ChunkRecord *record, Str topic,
	 const Batch *batch, Vector *vector, uint32_t row)
{
	Str value;

	switch (column->source) {
	case SCAN_TIMESTAMP:
		if (record == NULL || record->timestamp_ms == INT64_MIN)
			vector_set_null(vector, row);
		else
			set_int(vector, row, record->timestamp_ms * MICROS_PER_MILLI);
		break;
	case SCAN_OFFSET:
		set_int(vector, row,
			record != NULL ? record->position
				       : chunk->position + batch->records[row].offset);
		break;
	case SCAN_PARTITION:
		set_int(vector, row, chunk->split);
		break;
	case SCAN_TOPIC:
		set_text(vector, row, topic.data, topic.len);
		break;
	case SCAN_KEY:
		if (record == NULL || record->key_len == RECORD_NULL)
			vector_set_null(vector, row);
		else
			set_text(vector, row, chunk->data + record->key_offset, record->key_len);
		break;
	case SCAN_HEADER:
		if (record == NULL || !find_header(chunk, record, column->header, &value))
			vector_set_null(vector, row);
		else
			set_text(vector, row, value.data, value.len);
		break;
	case SCAN_DELETED:
		VECTOR_DATA(vector, uint8_t)[row] = record != NULL && record->len == RECORD_NULL;
		break;
	case SCAN_HEADERS:
		if (record == NULL)
			vector_set_null(vector, row);
		else
			set_headers(vector, row, chunk, record);
		break;
	case SCAN_FIELD:
		break;
	}
}

void
fill_scan_columns(const PlanNode *scan, const TaskContext *task, Batch *batch)
{
	for (uint32_t c = 0; c < scan->schema.count; c++) {
		const ScanColumn *column = &scan->scan.columns[c];

		if (column->source == SCAN_FIELD)
			continue;
		Str topic = column->source == SCAN_TOPIC ? topic_name(task) : (Str){NULL, 0};
		for (uint32_t row = 0; row < batch->row_count; row++)
			fill_row(column, task->chunk, record_of(task->chunk, batch, row), topic,
				 batch, &batch->columns[c], row);
	}
}
