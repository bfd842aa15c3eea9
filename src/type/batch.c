/* type/batch.c -- allocate, reset, select. */
#include "type/batch.h"

#include <assert.h>

#include "base/memory.h"

#define HEAP_BLOCK ((size_t)64 << 10)

Batch *
batch_new(const Field *columns, const VectorForm *forms, uint32_t count)
{
	Batch *batch = memory_zero(sizeof *batch);

	batch->column_count = count;
	batch->columns = memory_zero(sizeof(Vector) * count);
	for (uint32_t i = 0; i < count; i++)
		vector_init(&batch->columns[i], columns[i].type,
			    forms != NULL ? forms[i] : FORM_VALUE, BATCH_CAPACITY);
	batch->sel = memory_aligned(64, sizeof *batch->sel * BATCH_CAPACITY);
	batch->records = memory_alloc(sizeof *batch->records * BATCH_CAPACITY);
	batch->errors = memory_alloc(sizeof *batch->errors * BATCH_CAPACITY);
	arena_init(&batch->heap, HEAP_BLOCK);
	return batch;
}

void
batch_destroy(Batch *batch)
{
	if (batch == NULL)
		return;
	for (uint32_t i = 0; i < batch->column_count; i++)
		vector_free(&batch->columns[i]);
	memory_free(batch->columns);
	memory_free(batch->sel);
	memory_free(batch->records);
	memory_free(batch->errors);
	arena_free(&batch->heap);
	memory_free(batch);
}

void
batch_reset(Batch *batch)
{
	for (uint32_t i = 0; i < batch->column_count; i++)
		vector_reset(&batch->columns[i]);
	batch->row_count = 0;
	batch->sel_count = 0;
	batch->dense = true;
	batch->error_count = 0;
	batch->records_in = 0;
	batch->filtered = 0;
	batch->watermarks = NULL;
	batch->kinds = NULL;
	batch->derived = false;
	batch->counted = false;
	batch->now = 0;
	arena_reset(&batch->heap);
}

void
batch_select_all(Batch *batch)
{
	assert(batch->row_count <= BATCH_CAPACITY);
	for (uint32_t i = 0; i < batch->row_count; i++)
		batch->sel[i] = (uint16_t)i;
	batch->sel_count = batch->row_count;
	batch->dense = true;
}

void
batch_pair_kinds(const Batch *batch, uint8_t *kinds)
{
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		uint8_t kind = batch->kinds[row];
		bool before = i > 0 && batch->sel[i - 1] == row - 1 &&
			      batch->kinds[row - 1] == ROW_UPDATE_BEFORE;
		bool after = i + 1 < batch->sel_count && batch->sel[i + 1] == row + 1 &&
			     batch->kinds[row + 1] == ROW_UPDATE_AFTER;

		if (kind == ROW_UPDATE_BEFORE && !after)
			kind = ROW_DELETE;
		if (kind == ROW_UPDATE_AFTER && !before)
			kind = ROW_INSERT;
		kinds[row] = kind;
	}
}

void
batch_add_error(Batch *batch, RecordRange record, Status status, Str column, const char *format,
		...)
{
	va_list args;

	assert(batch->error_count < BATCH_CAPACITY);
	va_start(args, format);
	Str message = str_vformat(&batch->heap, format, args);
	va_end(args);
	batch->errors[batch->error_count++] = (RowError){
		.record = record,
		.status = status,
		.column = column,
		.message = message,
		.derived = batch->derived,
		.counted = batch->counted,
	};
}
