/* bench/micro/aggregate_bench.c -- nanoseconds per row of `add`, by aggregate and type.
 *
 * Batches of 2048 rows go to 1, 1000 and 100000 groups; states of 1000 groups are in the cache next
 * to the core.  The last column is one group that is promised to be one, as without GROUP BY.
 *
 *     gcc -O2 ... bench/micro/aggregate_bench.c; ./aggregate_bench [milliseconds per figure] */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "func/aggregate.h"

#define GROUPS_MAX 100000

typedef struct Bench {
	Arena arena;
	Vector vectors[2];
	AggregateRun run;
	AggregateMemory memory;
	char *states;
	uint16_t sel[BATCH_CAPACITY];
	char *groups[BATCH_CAPACITY];
	uint64_t seed;
	int64_t budget; /* ns per figure */
} Bench;

static uint32_t
pick(Bench *bench, uint32_t below)
{
	bench->seed = bench->seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)((bench->seed >> 33) % below);
}

static void
fill(Bench *bench, Vector *v, const Type *type)
{
	static char texts[1000][8];

	vector_init(v, type, FORM_VALUE, BATCH_CAPACITY);
	for (uint32_t i = 0; i < BATCH_CAPACITY; i++) {
		int64_t number = pick(bench, 10000000);

		switch (type_physical(type)) {
		case PHYSICAL_INT128:
			VECTOR_DATA(v, Int128)[i] = number;
			break;
		case PHYSICAL_DOUBLE:
			VECTOR_DATA(v, double)[i] = (double)number / 10000;
			break;
		case PHYSICAL_VIEW: {
			char *text = texts[number % 1000];
			snprintf(text, 8, "S%d", (int)(number % 1000));
			VECTOR_DATA(v, StringView)
			[i] = (StringView){text, (uint32_t)strlen(text), 0};
			break;
		}
		default:
			VECTOR_DATA(v, int64_t)[i] = number;
		}
		bench->sel[i] = (uint16_t)i;
	}
}

/* ns per row; the states grow as those of a long query do. */
static double
measure(Bench *bench, uint32_t groups, bool promised)
{
	const Vector *args[] = {&bench->vectors[0], &bench->vectors[1]};
	AggregateRows rows = {.args = args,
			      .sel = bench->sel,
			      .count = BATCH_CAPACITY,
			      .groups = bench->groups,
			      .dense = true,
			      .one_group = promised};
	const AggregateClass *class = bench->run.call->class;
	size_t size = bench->run.state_size;
	int64_t done = 0;
	int64_t best = INT64_MAX;

	bench->states = memory_zero(size * groups);
	for (uint32_t i = 0; i < BATCH_CAPACITY; i++)
		bench->groups[i] = bench->states + size * pick(bench, groups);
	while (done < bench->budget) {
		int64_t start = clock_ns();
		for (int i = 0; i < 20; i++)
			class->add(&bench->run, &rows);
		int64_t spent = clock_ns() - start;
		best = spent < best ? spent : best;
		done += spent;
	}
	for (uint32_t i = 0; i < groups && class->release != NULL; i++)
		class->release(&bench->run, bench->states + size * i);
	memory_free(bench->states);
	return (double)best / (20.0 * BATCH_CAPACITY);
}

static void
line(Bench *bench, const char *name, const Type *type, uint32_t args, bool distinct)
{
	BoundExpr *exprs[2];
	AggregateCall *call;
	Error err = {0};

	for (uint32_t i = 0; i < args; i++) {
		exprs[i] = bound_column(&bench->arena, i, type, STR("x"), (Position){0});
		fill(bench, &bench->vectors[i], type);
	}
	if (aggregate_bind(&bench->arena, str_from(name), exprs, args, (Position){0}, &call,
			   &err) != FERRIS_OK) {
		error_print(stderr, &err, NULL, NULL);
		exit(1);
	}
	call->distinct = distinct;
	if (aggregate_open(call, &bench->memory, &bench->arena, &bench->run, &err) != FERRIS_OK)
		exit(1);
	printf("%-22s %-8s %-14s %5zu", name, distinct ? "DISTINCT" : "",
	       args > 0 ? type_text(&bench->arena, type).data : "*", bench->run.state_size);
	printf(" %8.2f %8.2f", measure(bench, 1, false), measure(bench, 1000, false));
	printf(" %8.2f %8.2f\n", measure(bench, GROUPS_MAX, false), measure(bench, 1, true));
	for (uint32_t i = 0; i < args; i++)
		vector_free(&bench->vectors[i]);
}

int
main(int argc, char **argv)
{
	static Bench bench;
	const Type *price;
	const Type *wide;

	bench.budget = (argc > 1 ? strtol(argv[1], NULL, 10) : 50) * INT64_C(1000000);
	bench.seed = 42;
	arena_init(&bench.arena, 0);
	price = type_decimal(&bench.arena, 18, 4);
	wide = type_decimal(&bench.arena, 38, 4);
	printf("ns per row of add                             bytes  1 group     1000   100000     "
	       "one\n");
	line(&bench, "COUNT", price, 0, false);
	line(&bench, "COUNT", price, 1, false);
	line(&bench, "SUM", price, 1, false);
	line(&bench, "SUM", wide, 1, false);
	line(&bench, "SUM", TYPE_OF(DOUBLE), 1, false);
	line(&bench, "AVG", price, 1, false);
	line(&bench, "MIN", price, 1, false);
	line(&bench, "MAX", TYPE_OF(DOUBLE), 1, false);
	line(&bench, "MAX", TYPE_OF(STRING), 1, false);
	line(&bench, "STDDEV", price, 1, false);
	line(&bench, "STDDEV", TYPE_OF(DOUBLE), 1, false);
	line(&bench, "VWAP", price, 2, false);
	line(&bench, "CORR", TYPE_OF(DOUBLE), 2, false);
	line(&bench, "LAST", price, 1, false);
	line(&bench, "COUNT", price, 1, true);
	line(&bench, "APPROX_COUNT_DISTINCT", price, 1, false);
	arena_free(&bench.arena);
	return 0;
}
