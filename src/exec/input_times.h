/* exec/input_times.h -- how far event time has come where several inputs meet: as far as on the
 * input that is furthest behind.  An input that has ended holds nothing back.
 *
 * Threads: belongs to one operator of one task. */
#pragma once

#include "exec/operator.h"
#include "state/snapshot.h"

typedef struct InputTimes {
	int64_t *watermarks; /* of each input; INT64_MIN: none yet, INT64_MAX: it has ended */
	uint32_t count;
	int64_t current; /* the least of them, as announced */
	const int64_t *own;
	int64_t before[BATCH_CAPACITY];
} InputTimes;

void input_times_init(InputTimes *times, Arena *arena, uint32_t count);
/* While the rows of a batch of `input` go on they have the watermarks of all inputs. */
void input_times_enter(InputTimes *times, uint32_t input, Batch *batch);
void input_times_leave(const InputTimes *times, Batch *batch);
/* Notes the watermark of an input, and tells `next` if the least of all has moved. */
Status input_times_advance(InputTimes *times, uint32_t input, int64_t watermark, Operator *next,
			   Error *err);
/* The input has ended, and perhaps it was the last. */
Status input_times_finish(InputTimes *times, uint32_t input, Operator *next, Error *err);
/* One record, of key "": for an operator's save and load. */
Status input_times_save(const InputTimes *times, StateWriter *writer, Error *err);
Status input_times_load(InputTimes *times, Str value, Error *err);
