/* tests/fuzz/fuzz_functions.c -- every scalar function with arbitrary arguments.
 *
 * The first byte chooses the row of the list, the next ones the kinds and values of the arguments,
 * constant or columns.  Nothing may crash, hang, or give text that is not inside its buffers. */
#include "func/function.h"
#include "func/kernel.h"
#include "func/program.h"

#define ARGS_MAX 5

typedef struct Input {
	const uint8_t *at;
	size_t left;
} Input;

static uint64_t
take(Input *in, size_t bytes)
{
	uint64_t v = 0;

	for (; bytes > 0 && in->left > 0; bytes--, in->left--)
		v = v << 8 | *in->at++;
	return v;
}

static Value
take_text(Input *in, TypeKind kind)
{
	size_t len = take(in, 1) * (take(in, 1) % 4 + 1);

	len = len < in->left ? len : in->left;
	Value value = {.type = &type_simple[kind], .text = {(const char *)in->at, (uint32_t)len}};
	in->at += len;
	in->left -= len;
	return value;
}

static int64_t
take_int(Input *in, int64_t min, int64_t max)
{
	int64_t v = take(in, 1) % 3 == 0 ? (int64_t)take(in, 8) : (int8_t)take(in, 1);

	return v < min ? min : v > max ? max : v;
}

static Value
take_value(Arena *arena, Input *in)
{
	Value value = {0};
	double real;
	uint64_t bits;

	switch (take(in, 1) % 12) {
	case 0:
		return value_null(TYPE_OF(STRING));
	case 1:
		return value_null(TYPE_OF(BIGINT));
	case 2:
		bits = take(in, 8);
		memcpy(&real, &bits, sizeof real);
		return (Value){.type = TYPE_OF(DOUBLE), .real = real};
	case 3:
		value.type = type_decimal(arena, (int)(take(in, 1) % 20 + 19),
		                          (int)(take(in, 1) % 20));
		value.int128 = take_int(in, INT64_MIN, INT64_MAX);
		value.int128 *= (int64_t)(take(in, 1) + 1);
		if (!decimal_fits128(value.int128, value.type->precision))
			value.int128 = 5;
		return value;
	case 4:
		value.type = type_decimal(arena, 18, (int)(take(in, 1) % 19));
		value.int64 = take_int(in, -decimal_power64[18] + 1, decimal_power64[18] - 1);
		return value;
	case 5:
		value.type = TYPE_OF(TIMESTAMP);
		value.int64 = take_int(in, TIMESTAMP_MIN, TIMESTAMP_MAX);
		return value;
	case 6:
		value.type = TYPE_OF(DATE);
		value.int64 = take_int(in, DATE_MIN, DATE_MAX);
		return value;
	case 7:
		value.type = TYPE_OF(INTERVAL);
		value.interval = (Interval){(int32_t)take_int(in, INT32_MIN, INT32_MAX),
		                            (int32_t)take_int(in, INT32_MIN, INT32_MAX),
		                            take_int(in, INT64_MIN, INT64_MAX)};
		return value;
	case 8:
		value.type = TYPE_OF(BIGINT);
		value.int64 = take_int(in, INT64_MIN, INT64_MAX);
		return value;
	case 9:
		return take_text(in, TYPE_BYTES);
	default:
		return take_text(in, TYPE_STRING);
	}
}

/* Reads every byte of the result, so that the sanitizer sees what lies outside. */
static uint64_t
touch(const Vector *v, uint32_t row)
{
	uint64_t sum = 0;

	if (vector_is_null(v, row) || type_physical(v->type) != PHYSICAL_VIEW)
		return 0;
	StringView view = VECTOR_DATA(v, const StringView)[v->constant ? 0 : row];
	for (uint32_t i = 0; i < view.len; i++)
		sum += (uint8_t)view.data[i];
	return sum;
}

static void
run(Arena *arena, BoundExpr *call, const Field *fields, const Value *values, uint32_t columns)
{
	Program *program;
	const Vector *result;
	Error err = {0};
	volatile uint64_t sum;

	if (program_compile(arena, &call, 1, &program, &err) != FERRIS_OK)
		return;
	Batch *batch = batch_new(fields, NULL, columns);
	batch_reset(batch);
	batch->row_count = 2;
	for (uint32_t r = 0; r < 2; r++) {
		batch->records[r] = (RecordRange){0};
		for (uint32_t k = 0; k < columns; k++)
			value_to_vector(&values[k], &batch->columns[k], r);
	}
	batch_select_all(batch);
	program_run(program, batch, NULL, &result);
	for (uint32_t i = 0; i < batch->sel_count; i++)
		sum = touch(result, batch->sel[i]);
	(void)sum;
	batch_destroy(batch);
	program_free(program);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	Input in = {data, size};
	Arena arena;
	Value values[ARGS_MAX];
	Field fields[ARGS_MAX];
	BoundExpr *args[ARGS_MAX];
	BoundExpr *call;
	Error err = {0};
	uint32_t columns = 0;
	const ScalarFunction *row = function_row(take(&in, 2) % 512);

	if (row == NULL)
		return 0;
	arena_init(&arena, 0);
	uint32_t count = (uint32_t)take(&in, 1) % ARGS_MAX + 1;
	for (uint32_t i = 0; i < count; i++) {
		Value value = take_value(&arena, &in);
		if (take(&in, 1) % 2 == 0) {
			args[i] = bound_constant(&arena, value, (Position){0});
			continue;
		}
		fields[columns] = (Field){.name = STR("c"), .type = value.type};
		values[columns] = value;
		args[i] = bound_column(&arena, columns, value.type, STR("c"), (Position){0});
		columns++;
	}
	if (function_bind(&arena, function_name(row), args, count, (Position){0}, &call, &err) ==
	    FERRIS_OK)
		run(&arena, call, fields, values, columns);
	arena_free(&arena);
	return 0;
}
