/* func/aggregate_sample.c -- MEDIAN, PERCENTILE_CONT, PERCENTILE_DISC: exact, from all values.
 *
 * Values are only appended; rows taken back are appended to a list of their own.  When the result
 * is wanted, what is new is sorted and merged into what was sorted before, and each value taken
 * back strikes out one like it. */
#include <math.h>
#include <stdlib.h>

#include "func/aggregate_state.h"

#define FIRST_CAPACITY 8
#define FRACTION_SCALE DECIMAL_PRECISION64_MAX

typedef struct Values {
	Cell *cell;
	size_t count;
	size_t sorted; /* the first so many are */
	size_t capacity;
} Values;

typedef struct Sample {
	Values added;
	Values removed;
} Sample;

typedef struct SampleState {
	Sample *sample; /* NULL while it is empty */
} SampleState;

/* Fraction = part / whole, 0 to 1. */
typedef struct SamplePlan {
	int64_t part;
	int64_t whole;
} SamplePlan;

static const Type *
type_of(const AggregateRun *run)
{
	return run->call->args[0]->type;
}

/* ---- opening ---- */

/* The exact decimal that the constant is, or that a double prints as. */
static bool
read_fraction(const Value *value, SamplePlan *plan)
{
	Int128 wide = 0;
	DecimalResult result = DECIMAL_OK;

	if (value->is_null)
		return false;
	if (type_is_approximate(value->type))
		result = decimal_from_double(value->real, DECIMAL_MAX_PRECISION, FRACTION_SCALE,
					     ROUND_HALF_UP, &wide);
	else
		result = decimal_rescale128(type_physical(value->type) == PHYSICAL_INT128
						    ? value->int128
						    : value->int64,
					    value->type->scale, DECIMAL_MAX_PRECISION,
					    FRACTION_SCALE, ROUND_HALF_UP, &wide);
	if (result != DECIMAL_OK || wide < 0 || wide > decimal_power64[FRACTION_SCALE])
		return false;
	plan->part = (int64_t)wide;
	plan->whole = decimal_power64[FRACTION_SCALE];
	while (plan->part % 10 == 0 && plan->whole > 1) {
		plan->part /= 10;
		plan->whole /= 10;
	}
	return true;
}

Status
sample_open(AggregateRun *run, Arena *arena, Error *err)
{
	const AggregateCall *call = run->call;
	SamplePlan *plan = ARENA_NEW(arena, SamplePlan);
	Value fraction = {0};

	run->state_size = sizeof(SampleState);
	run->plan = plan;
	*plan = (SamplePlan){1, 2};
	if (call->arg_count == 1)
		return FERRIS_OK;
	TRY(aggregate_constant(arena, call, 1, "fraction", &fraction, err));
	if (read_fraction(&fraction, plan))
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_ARGUMENTS, call->args[1]->position,
		     "the fraction of %.*s must be from 0 to 1, not %s", STR_ARG(call->name),
		     value_text(arena, &fraction).data);
	return error_hint(err, "0.95 is the 95th percentile");
}

/* ---- collecting ---- */

static void
append(const AggregateRun *run, Values *values, Cell cell)
{
	if (values->count == values->capacity) {
		size_t capacity = values->capacity > 0 ? values->capacity * 2 : FIRST_CAPACITY;

		values->cell =
			aggregate_resize(run->memory, values->cell, values->capacity * sizeof(Cell),
					 capacity * sizeof(Cell));
		values->capacity = capacity;
	}
	Cell *place = &values->cell[values->count++];
	*place = (Cell){0};
	cell_keep(run->memory, type_of(run), place, cell);
}

static void
drop_values(const AggregateRun *run, Values *values)
{
	for (size_t i = 0; i < values->count && cell_has_bytes(type_of(run)); i++)
		cell_drop(run->memory, type_of(run), &values->cell[i]);
	aggregate_free(run->memory, values->cell, values->capacity * sizeof(Cell));
	*values = (Values){0};
}

static Sample *
need_sample(const AggregateRun *run, SampleState *state)
{
	if (state->sample == NULL)
		state->sample = aggregate_alloc(run->memory, sizeof *state->sample);
	return state->sample;
}

void
sample_add(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];

	AGGREGATE_LOOP(run, rows, v, SampleState,
		       append(run, &need_sample(run, state)->added, cell_read(v, at, NULL)));
}

static int
compare_cells(const void *a, const void *b, void *type)
{
	return cell_compare(type, a, b);
}

static int
compare_int64(const void *a, const void *b)
{
	int64_t x = ((const Cell *)a)->int64;
	int64_t y = ((const Cell *)b)->int64;

	return (x > y) - (x < y);
}

static void
sort_cells(const AggregateRun *run, Cell *cell, size_t count)
{
	Type type = *type_of(run); /* qsort_r wants it without const */

	if (type_physical(&type) == PHYSICAL_INT64)
		qsort(cell, count, sizeof *cell, compare_int64);
	else
		qsort_r(cell, count, sizeof *cell, compare_cells, &type);
}

/* All of it, by merging the new ones in. */
static void
sort(const AggregateRun *run, Values *values)
{
	size_t old = values->sorted;
	size_t fresh = values->count - old;

	if (fresh == 0)
		return;
	Cell *tail = values->cell + old;
	sort_cells(run, tail, fresh);
	values->sorted = values->count;
	if (old == 0 || cell_compare(type_of(run), tail - 1, tail) <= 0)
		return;
	Cell *copy = memory_alloc(fresh * sizeof *copy);
	memcpy(copy, tail, fresh * sizeof *copy);
	/* From the end: the place for the largest is free. */
	for (size_t to = values->count; fresh > 0; to--) {
		bool from_old = old > 0 && cell_compare(type_of(run), &values->cell[old - 1],
							&copy[fresh - 1]) > 0;
		values->cell[to - 1] = from_old ? values->cell[--old] : copy[--fresh];
	}
	memory_free(copy);
}

/* Strikes out what was taken back; the values are sorted afterwards.  What is not there yet (a
 * state may be merged before its rows are) waits. */
static void
settle(const AggregateRun *run, Sample *sample)
{
	Values *added = &sample->added;
	Values *removed = &sample->removed;
	const Type *type = type_of(run);
	size_t a = 0, kept = 0;
	size_t r = 0, waiting = 0;

	sort(run, added);
	if (removed->count == 0)
		return;
	sort(run, removed);
	while (a < added->count && r < removed->count) {
		int order = cell_compare(type, &added->cell[a], &removed->cell[r]);

		if (order < 0)
			added->cell[kept++] = added->cell[a++];
		else if (order > 0)
			removed->cell[waiting++] = removed->cell[r++];
		else {
			cell_drop(run->memory, type, &added->cell[a++]);
			cell_drop(run->memory, type, &removed->cell[r++]);
		}
	}
	while (a < added->count)
		added->cell[kept++] = added->cell[a++];
	while (r < removed->count)
		removed->cell[waiting++] = removed->cell[r++];
	added->count = added->sorted = kept;
	removed->count = removed->sorted = waiting;
}

void
sample_retract(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];

	AGGREGATE_LOOP(run, rows, v, SampleState, Sample *sample = need_sample(run, state);
		       append(run, &sample->removed, cell_read(v, at, NULL));
		       if (sample->removed.count > FIRST_CAPACITY &&
			   sample->removed.count > sample->added.count / 2) settle(run, sample));
}

void
sample_merge(const AggregateRun *run, void *into, const void *from)
{
	const Sample *other = ((const SampleState *)from)->sample;

	if (other == NULL)
		return;
	Sample *sample = need_sample(run, into);
	for (size_t i = 0; i < other->added.count; i++)
		append(run, &sample->added, other->added.cell[i]);
	for (size_t i = 0; i < other->removed.count; i++)
		append(run, &sample->removed, other->removed.cell[i]);
}

void
sample_release(const AggregateRun *run, void *state)
{
	SampleState *s = state;

	if (s->sample == NULL)
		return;
	drop_values(run, &s->sample->added);
	drop_values(run, &s->sample->removed);
	aggregate_free(run->memory, s->sample, sizeof *s->sample);
	s->sample = NULL;
}

static void
save_values(const AggregateRun *run, const Values *values, Buffer *out)
{
	state_put64(out, values->count);
	for (size_t i = 0; i < values->count; i++)
		cell_save(type_of(run), &values->cell[i], out);
}

void
sample_save(const AggregateRun *run, const void *state, Buffer *out)
{
	Sample *sample = ((const SampleState *)state)->sample;

	if (sample == NULL)
		return;
	settle(run, sample);
	save_values(run, &sample->added, out);
	save_values(run, &sample->removed, out);
}

static bool
load_values(const AggregateRun *run, Values *values, StateReader *in)
{
	uint64_t count = state_take64(in);
	bool good = !in->failed;

	for (uint64_t i = 0; good && i < count; i++) {
		Cell cell = {0};

		good = cell_load(run->memory, type_of(run), &cell, in);
		if (good)
			append(run, values, cell);
		cell_drop(run->memory, type_of(run), &cell);
	}
	return good;
}

bool
sample_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	StateReader in = state_reader(data, len);

	if (len == 0)
		return true;
	Sample *sample = need_sample(run, state);
	if (load_values(run, &sample->added, &in) && load_values(run, &sample->removed, &in) &&
	    state_done(&in))
		return true;
	sample_release(run, state);
	return false;
}

/* ---- results ---- */

/* The values in order, or NULL if there are none. */
static const Values *
settled(const AggregateRun *run, const void *state)
{
	Sample *sample = ((const SampleState *)state)->sample;

	if (sample == NULL)
		return NULL;
	settle(run, sample);
	return sample->added.count > 0 ? &sample->added : NULL;
}

/* The value number `rank` in the order of the call. */
static const Cell *
cell_at(const AggregateRun *run, const Values *values, size_t rank)
{
	return &values->cell[run->call->descending ? values->count - 1 - rank : rank];
}

static Int128
wide_value(const AggregateRun *run, const Cell *cell)
{
	return type_physical(type_of(run)) == PHYSICAL_INT128 ? (Int128)sum128_get(&cell->int128)
							      : cell->int64;
}

/* Between values number floor(r) and floor(r) + 1, where r = fraction * (count - 1). */
Status
percentile_cont_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		     Arena *heap, Str *message)
{
	const SamplePlan *plan = run->plan;
	const Values *values = settled(run, state);

	if (values == NULL)
		return aggregate_emit_null(out, row);
	Uint128 rank = (Uint128)plan->part * (values->count - 1);
	size_t below = (size_t)(rank / (Uint128)plan->whole);
	int64_t rest = (int64_t)(rank % (Uint128)plan->whole);
	const Cell *a = cell_at(run, values, below);
	const Cell *b = rest > 0 ? cell_at(run, values, below + 1) : a;

	if (type_physical(type_of(run)) == PHYSICAL_DOUBLE) {
		double share = (double)rest / (double)plan->whole;
		double value = a->real == b->real ? a->real + 0.0
						  : a->real * (1 - share) + b->real * share;
		VECTOR_DATA(out, double)[row] = value;
		return FERRIS_OK;
	}
	Int256 sum = {{0}};
	Int128 value = 0;
	/* Far from overflow: 38 digits by 18. */
	(void)int256_add_product(&sum, wide_value(run, a), plan->whole - rest);
	(void)int256_add_product(&sum, wide_value(run, b), rest);
	DecimalResult result =
		int256_average(&sum, type_of(run)->scale, plan->whole, out->type->precision,
			       out->type->scale, ROUND_HALF_UP, &value);
	return aggregate_emit_decimal(run, result, value, out, row, heap, message);
}

/* The first value that so large a part of all values is not beyond. */
Status
percentile_disc_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		     Arena *heap, Str *message)
{
	const SamplePlan *plan = run->plan;
	const Values *values = settled(run, state);

	(void)message;
	if (values == NULL)
		return aggregate_emit_null(out, row);
	Uint128 wanted = (Uint128)plan->part * values->count;
	size_t rank = (size_t)((wanted + (Uint128)plan->whole - 1) / (Uint128)plan->whole);
	cell_write(type_of(run), cell_at(run, values, rank > 0 ? rank - 1 : 0), out, row, heap);
	return FERRIS_OK;
}
