/* exec/input_times.c -- the least watermark of several inputs. */
#include "exec/input_times.h"

#include "state/record.h"
#include "state/store.h"

void
input_times_init(InputTimes *times, Arena *arena, uint32_t count)
{
	times->count = count;
	times->watermarks = ARENA_ARRAY(arena, int64_t, count);
	for (uint32_t i = 0; i < count; i++)
		times->watermarks[i] = INT64_MIN;
	times->current = INT64_MIN;
}

/* The least watermark of the inputs other than `input`. */
static int64_t
others_minimum(const InputTimes *times, uint32_t input)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < times->count; i++)
		if (i != input && times->watermarks[i] < least)
			least = times->watermarks[i];
	return least;
}

void
input_times_enter(InputTimes *times, uint32_t input, Batch *batch)
{
	int64_t others = others_minimum(times, input);

	times->own = batch->watermarks;
	if (times->own == NULL)
		return;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		times->before[row] = times->own[row] < others ? times->own[row] : others;
	}
	batch->watermarks = times->before;
}

void
input_times_leave(const InputTimes *times, Batch *batch)
{
	batch->watermarks = times->own;
}

Status
input_times_advance(InputTimes *times, uint32_t input, int64_t watermark, Operator *next,
		    Error *err)
{
	times->watermarks[input] = watermark;
	int64_t others = others_minimum(times, input);
	int64_t least = watermark < others ? watermark : others;

	if (least <= times->current)
		return FERRIS_OK;
	times->current = least;
	return operator_advance(next, least, err);
}

Status
input_times_finish(InputTimes *times, uint32_t input, Operator *next, Error *err)
{
	times->watermarks[input] = INT64_MAX;
	if (others_minimum(times, input) == INT64_MAX)
		return operator_finish(next, err);
	return input_times_advance(times, input, INT64_MAX, next, err);
}

Status
input_times_save(const InputTimes *times, StateWriter *writer, Error *err)
{
	Buffer value;

	buffer_init(&value, SIZE_MAX);
	record_u64(&value, (uint64_t)times->current);
	for (uint32_t i = 0; i < times->count; i++)
		record_u64(&value, (uint64_t)times->watermarks[i]);
	Status status = writer->put(writer, STR(""), (Str){value.data, (uint32_t)value.len}, err);
	buffer_free(&value);
	return status;
}

Status
input_times_load(InputTimes *times, Str value, Error *err)
{
	RecordReader reader = record_reader(value);

	times->current = (int64_t)record_take_u64(&reader);
	for (uint32_t i = 0; i < times->count; i++)
		times->watermarks[i] = (int64_t)record_take_u64(&reader);
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}
