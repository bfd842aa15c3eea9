/* state/row_log.c -- segments of rows. */
#include "state/row_log.h"

#include "base/memory.h"

void
row_log_init(RowLog *log, const Field *fields, uint32_t column_count)
{
	size_t row = sizeof(RowRef) + 2 * sizeof(int64_t) + sizeof(uint64_t) + sizeof(bool);

	for (uint32_t c = 0; c < column_count; c++)
		row += physical_size(type_physical(fields[c].type));
	*log = (RowLog){.fields = fields,
			.column_count = column_count,
			.segment_bytes = row * BATCH_CAPACITY};
}

static RowSegment *
segment_new(const RowLog *log)
{
	RowSegment *segment = memory_zero(sizeof *segment);

	segment->columns = memory_zero(sizeof(Vector) * (log->column_count + 1));
	for (uint32_t c = 0; c < log->column_count; c++)
		vector_init(&segment->columns[c], log->fields[c].type, FORM_VALUE, BATCH_CAPACITY);
	segment->older = memory_alloc(sizeof *segment->older * BATCH_CAPACITY);
	segment->times = memory_alloc(sizeof *segment->times * BATCH_CAPACITY);
	segment->expiry = memory_alloc(sizeof *segment->expiry * BATCH_CAPACITY);
	segment->numbers = memory_alloc(sizeof *segment->numbers * BATCH_CAPACITY);
	segment->marked = memory_alloc(sizeof *segment->marked * BATCH_CAPACITY);
	arena_init(&segment->bytes, 0);
	return segment;
}

static void
segment_free(const RowLog *log, RowSegment *segment)
{
	if (segment == NULL)
		return;
	for (uint32_t c = 0; c < log->column_count; c++)
		vector_free(&segment->columns[c]);
	memory_free(segment->columns);
	memory_free(segment->older);
	memory_free(segment->times);
	memory_free(segment->expiry);
	memory_free(segment->numbers);
	memory_free(segment->marked);
	arena_free(&segment->bytes);
	memory_free(segment);
}

static void
segment_reset(const RowLog *log, RowSegment *segment)
{
	for (uint32_t c = 0; c < log->column_count; c++)
		vector_reset(&segment->columns[c]);
	arena_reset(&segment->bytes);
	segment->count = 0;
	segment->last_expiry = INT64_MIN;
	segment->first_open = INT64_MAX;
}

void
row_log_free(RowLog *log)
{
	for (uint32_t i = 0; i < log->count; i++)
		segment_free(log, log->segments[i]);
	segment_free(log, log->spare);
	memory_free(log->segments);
	*log = (RowLog){0};
}

static RowSegment *
add_segment(RowLog *log)
{
	RowSegment *segment = log->spare != NULL ? log->spare : segment_new(log);

	log->spare = NULL;
	segment_reset(log, segment);
	if (log->count == log->capacity) {
		log->capacity = 2 * log->capacity + 8;
		log->segments = memory_resize(log->segments, sizeof *log->segments * log->capacity);
	}
	log->segments[log->count++] = segment;
	log->bytes += log->segment_bytes + arena_bytes(&segment->bytes);
	return segment;
}

RowRef
row_log_add(RowLog *log, const Vector *columns, uint32_t row, const RowStamp *stamp)
{
	RowSegment *segment = log->count > 0 ? log->segments[log->count - 1] : NULL;

	if (segment == NULL || segment->count == BATCH_CAPACITY)
		segment = add_segment(log);
	size_t before = arena_bytes(&segment->bytes);
	uint32_t to = segment->count++;
	for (uint32_t c = 0; c < log->column_count; c++)
		vector_copy(&segment->columns[c], to, &columns[c], row, &segment->bytes);
	log->bytes += arena_bytes(&segment->bytes) - before;
	segment->older[to] = stamp->older;
	segment->times[to] = stamp->time;
	segment->expiry[to] = stamp->expiry;
	segment->numbers[to] = stamp->number;
	segment->marked[to] = false;
	if (stamp->expiry > segment->last_expiry)
		segment->last_expiry = stamp->expiry;
	if (stamp->expiry < segment->first_open)
		segment->first_open = stamp->expiry;
	log->is_shuffled = log->is_shuffled || stamp->number < log->newest;
	if (stamp->number > log->newest)
		log->newest = stamp->number;
	log->rows++;
	return (log->first + log->count) << 16 | to;
}

/* The oldest segments go, so many. */
static void
drop_segments(RowLog *log, uint32_t gone)
{
	for (uint32_t i = 0; i < gone; i++) {
		RowSegment *segment = log->segments[i];

		log->rows -= segment->count;
		log->bytes -= log->segment_bytes + arena_bytes(&segment->bytes);
		segment_free(log, log->spare);
		log->spare = segment;
	}
	if (gone == 0)
		return;
	memmove(log->segments, log->segments + gone, sizeof *log->segments * (log->count - gone));
	log->count -= gone;
	log->first += gone;
	if (log->count > 0)
		return;
	log->is_shuffled = false;
	log->newest = 0;
}

void
row_log_expire(RowLog *log, int64_t time)
{
	uint32_t gone = 0;

	while (gone < log->count && log->segments[gone]->last_expiry < time)
		gone++;
	drop_segments(log, gone);
}

void
row_log_clear(RowLog *log)
{
	drop_segments(log, log->count);
}
