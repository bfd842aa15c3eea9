/* bench/micro/func_bench.c -- nanoseconds per row of the kernels that money queries live on.
 *
 * The first table is the question of financial precision: what does exact cost, compared with
 * double?  All of it is measured through program_run on batches of 2048 rows, the last column
 * through program_filter.
 *
 *     gcc -O2 ... bench/micro/func_bench.c; ./func_bench [milliseconds per line] */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "func/function.h"
#include "func/program.h"
#include "type/value.h"

enum {
	COLUMN_PRICE,
	COLUMN_QUANTITY,
	COLUMN_BIG,
	COLUMN_SMALL,
	COLUMN_DOUBLE,
	COLUMN_WIDE,
	COLUMN_SIDE,
	COLUMN_COUNT
};

typedef struct Bench {
	Arena arena;
	Batch *batch;
	Field columns[COLUMN_COUNT];
	double budget; /* seconds per line */
} Bench;

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void
check(Status status, const Error *err)
{
	if (status == FERRIS_OK)
		return;
	error_print(stderr, err, NULL, NULL);
	exit(1);
}

static void
fill(Bench *bench)
{
	uint64_t seed = 42;

	for (uint32_t row = 0; row < BATCH_CAPACITY; row++) {
		seed = seed * UINT64_C(6364136223846793005) + 1;
		int64_t r = (int64_t)(seed >> 40);
		Vector *c = bench->batch->columns;

		VECTOR_DATA(&c[COLUMN_PRICE], int64_t)[row] = r % 10000000; /* 0 .. 1000.0000 */
		VECTOR_DATA(&c[COLUMN_QUANTITY], int64_t)[row] = r % 1000;
		VECTOR_DATA(&c[COLUMN_BIG], int64_t)[row] = r;
		VECTOR_DATA(&c[COLUMN_SMALL], int64_t)[row] = r % 100000;
		VECTOR_DATA(&c[COLUMN_DOUBLE], double)[row] = (double)(r % 10000000) / 10000;
		VECTOR_DATA(&c[COLUMN_WIDE], Int128)[row] = r % 10000000;
		VECTOR_DATA(&c[COLUMN_SIDE], StringView)
		[row] = r & 1 ? (StringView){"BUY", 3, 0} : (StringView){"SELL", 4, 0};
		bench->batch->records[row] = (RecordRange){0};
	}
	bench->batch->row_count = BATCH_CAPACITY;
	batch_select_all(bench->batch);
}

static BoundExpr *
column(Bench *bench, uint32_t index)
{
	return bound_column(&bench->arena, index, bench->columns[index].type,
			    bench->columns[index].name, (Position){0});
}

static BoundExpr *
call(Bench *bench, const char *name, BoundExpr *a, BoundExpr *b)
{
	BoundExpr *args[2] = {a, b};
	BoundExpr *out = NULL;
	Error err = {0};

	check(function_bind(&bench->arena, str_from(name), args, 2, (Position){0}, &out, &err),
	      &err);
	check(bound_fold(&bench->arena, out, &out, &err), &err);
	return out;
}

/* Best of the batches, nanoseconds per row. */
static double
time_run(Bench *bench, BoundExpr *expr, bool filter)
{
	const Vector *result;
	Program *program;
	Error err = {0};
	double best = 1e9;
	double end = now() + bench->budget;

	check(program_compile(&bench->arena, &expr, 1, &program, &err), &err);
	while (now() < end) {
		double start, spent;

		arena_reset(&bench->batch->heap);
		batch_select_all(bench->batch);
		start = now();
		for (int i = 0; i < 16; i++)
			if (!filter) {
				program_run(program, bench->batch, NULL, &result);
			} else {
				bench->batch->sel_count = BATCH_CAPACITY;
				bench->batch->dense = true;
				program_filter(program, bench->batch);
			}
		spent = (now() - start) * 1e9 / (16.0 * BATCH_CAPACITY);
		best = spent < best ? spent : best;
	}
	program_free(program);
	return best;
}

static void
line(Bench *bench, const char *what, BoundExpr *expr)
{
	printf("%-34s %-32s %-14s %6.2f ns/row\n", what, bound_text(&bench->arena, expr).data,
	       type_text(&bench->arena, expr->type).data, time_run(bench, expr, false));
}

static void
filter_line(Bench *bench, const char *what, BoundExpr *expr)
{
	printf("%-34s %-32s %6.2f ns/row, as a filter %6.2f\n", what,
	       bound_text(&bench->arena, expr).data, time_run(bench, expr, false),
	       time_run(bench, expr, true));
}

static BoundExpr *
decimal(Bench *bench, int64_t v, int precision, int scale)
{
	return bound_constant(
		&bench->arena,
		(Value){.type = type_decimal(&bench->arena, precision, scale), .int64 = v},
		(Position){0});
}

static BoundExpr *
text(Bench *bench, const char *s)
{
	return bound_constant(&bench->arena, (Value){.type = TYPE_OF(STRING), .text = str_from(s)},
			      (Position){0});
}

int
main(int argc, char **argv)
{
	Bench bench = {.budget = (argc > 1 ? strtod(argv[1], NULL) : 100) / 1000};

	arena_init(&bench.arena, 0);
	const Type *types[COLUMN_COUNT] = {type_decimal(&bench.arena, 18, 4),
					   TYPE_OF(INTEGER),
					   TYPE_OF(BIGINT),
					   type_decimal(&bench.arena, 9, 2),
					   TYPE_OF(DOUBLE),
					   type_decimal(&bench.arena, 30, 4),
					   TYPE_OF(STRING)};
	static const char *const names[COLUMN_COUNT] = {"price", "quantity", "big", "small",
							"real",  "wide",     "side"};
	for (int i = 0; i < COLUMN_COUNT; i++)
		bench.columns[i] = (Field){.name = str_from(names[i]), .type = types[i]};
	bench.batch = batch_new(bench.columns, NULL, COLUMN_COUNT);
	batch_reset(bench.batch);
	fill(&bench);

	BoundExpr *c[COLUMN_COUNT];
	for (uint32_t i = 0; i < COLUMN_COUNT; i++)
		c[i] = column(&bench, i);
	printf("financial precision: one product, 2048 rows\n");
	line(&bench, "double", call(&bench, "*", c[COLUMN_DOUBLE], c[COLUMN_DOUBLE]));
	line(&bench, "int64 decimal (cannot overflow)",
	     call(&bench, "*", c[COLUMN_SMALL], c[COLUMN_SMALL]));
	line(&bench, "int64, overflow checked",
	     call(&bench, "*", c[COLUMN_BIG], c[COLUMN_QUANTITY]));
	line(&bench, "int32, range checked",
	     call(&bench, "*", c[COLUMN_QUANTITY], c[COLUMN_QUANTITY]));
	line(&bench, "int64 x int64 to int128 decimal",
	     call(&bench, "*", c[COLUMN_PRICE], c[COLUMN_QUANTITY]));
	line(&bench, "int128 decimal, checked",
	     call(&bench, "*", c[COLUMN_WIDE], c[COLUMN_QUANTITY]));
	printf("\nsums and quotients\n");
	line(&bench, "int64, overflow checked",
	     call(&bench, "+", c[COLUMN_BIG], c[COLUMN_QUANTITY]));
	line(&bench, "decimal", call(&bench, "+", c[COLUMN_SMALL], decimal(&bench, 150, 3, 2)));
	line(&bench, "decimal / decimal",
	     call(&bench, "/", c[COLUMN_PRICE], decimal(&bench, 30000, 5, 4)));
	printf("\ncomparisons\n");
	filter_line(&bench, "decimal with a constant",
		    call(&bench, ">", c[COLUMN_PRICE], decimal(&bench, 500, 3, 0)));
	filter_line(&bench, "int64", call(&bench, "<", c[COLUMN_QUANTITY], c[COLUMN_BIG]));
	filter_line(&bench, "decimals of other scales",
		    call(&bench, "<", c[COLUMN_PRICE], c[COLUMN_SMALL]));
	filter_line(&bench, "double", call(&bench, "<", c[COLUMN_DOUBLE], c[COLUMN_DOUBLE]));
	filter_line(&bench, "text with a constant",
		    call(&bench, "=", c[COLUMN_SIDE], text(&bench, "BUY")));
	filter_line(&bench, "text LIKE", call(&bench, "LIKE", c[COLUMN_SIDE], text(&bench, "B%")));
	batch_destroy(bench.batch);
	arena_free(&bench.arena);
	return 0;
}
