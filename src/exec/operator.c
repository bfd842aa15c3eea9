/* exec/operator.c -- what several operators do in the same way. */
#include "exec/operator.h"

Status
operator_push_results(Operator *op, Batch *batch, Vector *columns, uint32_t count,
		      const uint16_t *rows, uint32_t row_count, Error *err)
{
	uint16_t *sel = batch->sel;
	uint32_t sel_count = batch->sel_count;
	uint64_t filtered = batch->filtered;
	bool dense = batch->dense;
	uint16_t own_sel[BATCH_CAPACITY];

	memcpy(own_sel, rows, sizeof *rows * row_count);
	batch->sel = own_sel;
	batch->sel_count = row_count;
	batch->dense = false;
	Status status = operator_push_columns(op, batch, columns, count, err);
	batch->sel = sel;
	batch->sel_count = sel_count;
	batch->dense = dense;
	batch->filtered = filtered;
	return status;
}

bool
batch_row_time(Batch *batch, const Vector *times, uint16_t row, Str name, const char *of,
	       int64_t *time)
{
	if (vector_is_null(times, row)) {
		batch_add_error(batch, batch->records[row], FERRIS_ERR_NOT_NULL, name,
				"NULL as the time of a %s", of);
		return false;
	}
	*time = VECTOR_DATA(times, const int64_t)[times->constant ? 0 : row];
	if (*time >= -EVENT_TIME_LIMIT && *time <= EVENT_TIME_LIMIT)
		return true;
	batch_add_error(batch, batch->records[row], FERRIS_ERR_OUT_OF_RANGE, name,
			"%lld cannot be the time of a %s", (long long)*time, of);
	return false;
}

Status
task_push_changes(TaskContext *task, Operator *next, const Batch *of, Batch *out,
		  const uint8_t *kinds, Error *err)
{
	if (out->row_count == 0)
		return FERRIS_OK;
	batch_select_all(out);
	out->derived = of == NULL || of->derived;
	out->counted = true;
	out->kinds = kinds;
	Status status = task_push_made(task, next, out, err);
	batch_reset(out);
	return status;
}

Status
task_push_rows_of(TaskContext *task, Operator *next, const Batch *of, const uint32_t *rows,
		  Batch *out, int64_t *watermarks, Error *err)
{
	for (uint32_t i = 0; i < out->row_count; i++)
		out->records[i] = of->records[rows[i]];
	for (uint32_t i = 0; i < out->row_count && of->watermarks != NULL; i++)
		watermarks[i] = of->watermarks[rows[i]];
	out->derived = of->derived;
	out->watermarks = of->watermarks != NULL ? watermarks : NULL;
	out->counted = true;
	return task_push_made(task, next, out, err);
}
