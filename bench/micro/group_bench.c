/* bench/micro/group_bench.c -- nanoseconds per row of finding the group of a key.
 *
 *     group_bench [milliseconds per line]
 *
 * Batches of 2048 rows; keys are drawn at random from the groups, and are all made before the clock
 * starts.  The payload has 32 bytes (a count and a sum).  "find" is group_table_find alone, "add"
 * also adds to the payload of every row; "new" is the first pass, in which the groups are made in
 * order of their number.  A target that is missed is marked with '!'. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/memory.h"
#include "state/group_table.h"
#include "type/value.h"

#define PAYLOAD_SIZE 32
#define BATCHES_MAX  512
#define BATCHES_FEW  16 /* in an engine the keys of a batch have just been made: they are in cache \
			 */
#define FEW_GROUPS  10000
#define COLUMNS_MAX 2

typedef enum Shape {
	SHAPE_NUMBER,
	SHAPE_TEXT,
	SHAPE_LONG_TEXT,
	SHAPE_WINDOW_TEXT,
	SHAPE_TWO_TEXTS,
} Shape;

typedef struct Case {
	const char *name;
	Shape shape;
	uint32_t groups;
	double target; /* ns per row, 0: none */
} Case;

static const Case cases[] = {
	{"one number", SHAPE_NUMBER, 10, 0},
	{"one number", SHAPE_NUMBER, 1000, 0},
	{"one number", SHAPE_NUMBER, 100000, 0},
	{"one number", SHAPE_NUMBER, 1000000, 30},
	{"text SYM123", SHAPE_TEXT, 10, 0},
	{"text SYM123", SHAPE_TEXT, 1000, 6},
	{"text SYM123", SHAPE_TEXT, 100000, 0},
	{"text SYM123", SHAPE_TEXT, 1000000, 45},
	{"text of 36 bytes", SHAPE_LONG_TEXT, 1000, 0},
	{"text of 36 bytes", SHAPE_LONG_TEXT, 1000000, 0},
	{"window, SYM123", SHAPE_WINDOW_TEXT, 1000, 0},
	{"window, SYM123", SHAPE_WINDOW_TEXT, 100000, 0},
	{"SYM123, side", SHAPE_TWO_TEXTS, 2000, 0},
};

typedef struct Bench {
	const Case *spec;
	const Type *types[COLUMNS_MAX];
	uint32_t column_count;
	uint32_t batches; /* of keys that are ready */
	GroupTable *table;
	Vector *vectors; /* batches x column_count */
	Arena texts;
	uint16_t sel[BATCH_CAPACITY];
	char *payloads[BATCH_CAPACITY];
} Bench;

static double
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t
next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static void
put_text(Vector *vector, uint32_t row, Str text)
{
	VECTOR_DATA(vector, StringView)[row] = (StringView){text.data, text.len, 0};
}

static void
put_key(Bench *bench, Vector *columns, uint32_t row, uint32_t group)
{
	switch (bench->spec->shape) {
	case SHAPE_NUMBER:
		VECTOR_DATA(&columns[0], int64_t)[row] = (int64_t)group * 7 + 1000000;
		break;
	case SHAPE_TEXT:
		put_text(&columns[0], row, str_format(&bench->texts, "SYM%u", group));
		break;
	case SHAPE_LONG_TEXT:
		put_text(&columns[0], row,
			 str_format(&bench->texts, "%08x-0000-4000-8000-%012x", group, group * 31));
		break;
	case SHAPE_WINDOW_TEXT:
		VECTOR_DATA(&columns[0], int64_t)
		[row] = INT64_C(1700000000000000) + (int64_t)(group & 7) * 60000000;
		put_text(&columns[1], row, str_format(&bench->texts, "SYM%u", group >> 3));
		break;
	case SHAPE_TWO_TEXTS:
		put_text(&columns[0], row, str_format(&bench->texts, "SYM%u", group >> 1));
		put_text(&columns[1], row, group & 1 ? STR("BUY") : STR("SELL"));
		break;
	}
}

static void
open_bench(Bench *bench, const Case *spec)
{
	*bench = (Bench){.spec = spec};
	bench->types[0] = spec->shape == SHAPE_NUMBER || spec->shape == SHAPE_WINDOW_TEXT
				  ? TYPE_OF(BIGINT)
				  : TYPE_OF(STRING);
	bench->types[1] = TYPE_OF(STRING);
	bench->column_count = spec->shape >= SHAPE_WINDOW_TEXT ? 2 : 1;
	bench->batches = spec->groups > FEW_GROUPS ? BATCHES_MAX : BATCHES_FEW;
	arena_init(&bench->texts, (size_t)1 << 20);
	bench->vectors = memory_zero(sizeof(Vector) * bench->batches * bench->column_count);
	for (uint32_t i = 0; i < bench->batches * bench->column_count; i++)
		vector_init(&bench->vectors[i], bench->types[i % bench->column_count], FORM_VALUE,
			    BATCH_CAPACITY);
	for (uint32_t i = 0; i < BATCH_CAPACITY; i++)
		bench->sel[i] = (uint16_t)i;
	GroupTableSpec table = {bench->types, bench->column_count, PAYLOAD_SIZE, SIZE_MAX};
	bench->table = group_table_new(&table);
}

static void
close_bench(Bench *bench)
{
	for (uint32_t i = 0; i < bench->batches * bench->column_count; i++)
		vector_free(&bench->vectors[i]);
	memory_free(bench->vectors);
	arena_free(&bench->texts);
	group_table_destroy(bench->table);
}

static void
fill_batches(Bench *bench, uint32_t first, bool in_order)
{
	arena_reset(&bench->texts);
	for (uint32_t b = 0; b < bench->batches; b++)
		for (uint32_t row = 0; row < BATCH_CAPACITY; row++) {
			uint32_t group = in_order ? first + b * BATCH_CAPACITY + row
						  : (uint32_t)next_random();

			put_key(bench, &bench->vectors[b * bench->column_count], row,
				group % bench->spec->groups);
		}
}

/* Nanoseconds for all batches. */
static double
run_batches(Bench *bench, bool add)
{
	const Vector *keys[COLUMNS_MAX];
	double start = now_ns();
	uint32_t first_new;
	Error err;

	for (uint32_t b = 0; b < bench->batches; b++) {
		for (uint32_t c = 0; c < bench->column_count; c++)
			keys[c] = &bench->vectors[b * bench->column_count + c];
		if (group_table_find(bench->table, keys, bench->sel, BATCH_CAPACITY,
				     bench->payloads, &first_new, &err) != FERRIS_OK) {
			error_print(stderr, &err, NULL, NULL);
			exit(1);
		}
		for (uint32_t k = 0; add && k < BATCH_CAPACITY; k++) {
			int64_t *sums = (int64_t *)(void *)bench->payloads[k];

			sums[0]++;
			sums[1] += k;
		}
	}
	return now_ns() - start;
}

static void
run_case(const Case *spec, double budget)
{
	double first = 0, best[2] = {1e18, 1e18};
	Bench bench;

	open_bench(&bench, spec);
	double rows = (double)bench.batches * BATCH_CAPACITY;
	for (uint32_t group = 0; group < spec->groups; group += bench.batches * BATCH_CAPACITY) {
		fill_batches(&bench, group, true);
		first += run_batches(&bench, false);
	}
	if (group_table_count(bench.table) != spec->groups) {
		fprintf(stderr, "%u groups instead of %u\n", group_table_count(bench.table),
			spec->groups);
		exit(1);
	}
	fill_batches(&bench, 0, false);
	for (int add = 0; add < 2; add++)
		for (double spent = 0; spent < budget;) {
			double took = run_batches(&bench, add);

			spent += took;
			if (took / rows < best[add])
				best[add] = took / rows;
		}
	printf("%-18s %8u groups %8.2f find %8.2f add %8.2f new  %6.1f MB", spec->name,
	       spec->groups, best[0], best[1], first / rows,
	       (double)group_table_bytes(bench.table) / 1e6);
	if (spec->target > 0)
		printf("   target %2.0f %s", spec->target, best[0] <= spec->target ? "ok" : "!");
	printf("\n");
	fflush(stdout);
	close_bench(&bench);
}

int
main(int argc, char **argv)
{
	double budget = (argc > 1 ? strtod(argv[1], NULL) : 500) * 1e6;

	printf("ns per row\n");
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		run_case(&cases[i], budget);
	return 0;
}
