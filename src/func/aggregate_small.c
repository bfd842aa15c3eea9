/* func/aggregate_small.c -- BOOL_AND, BOOL_OR and DELTA. */
#include <math.h>

#include "func/aggregate_state.h"

/* ---- BOOL_AND, BOOL_OR ---- */

typedef struct Truths {
	int64_t trues;
	int64_t falses;
} Truths;

Status
truth_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(Truths);
	return FERRIS_OK;
}

static void
truth_rows(const AggregateRun *run, const AggregateRows *rows, int64_t step)
{
	const Vector *v = rows->args[0];
	const uint8_t *x = v->data;

	AGGREGATE_LOOP(run, rows, v, Truths, state->trues += x[at] ? step : 0;
		       state->falses += x[at] ? 0 : step);
}

void
truth_add(const AggregateRun *run, const AggregateRows *rows)
{
	truth_rows(run, rows, 1);
}

void
truth_retract(const AggregateRun *run, const AggregateRows *rows)
{
	truth_rows(run, rows, -1);
}

void
truth_merge(const AggregateRun *run, void *into, const void *from)
{
	Truths *a = into;
	const Truths *b = from;

	(void)run;
	a->trues += b->trues;
	a->falses += b->falses;
}

void
truth_unmerge(const AggregateRun *run, void *into, const void *from)
{
	Truths *a = into;
	const Truths *b = from;

	(void)run;
	a->trues -= b->trues;
	a->falses -= b->falses;
}

void
truth_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
truth_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}

Status
bool_and_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	      Str *message)
{
	const Truths *s = state;

	(void)run, (void)heap, (void)message;
	if (s->trues + s->falses == 0)
		return aggregate_emit_null(out, row);
	VECTOR_DATA(out, uint8_t)[row] = s->falses == 0;
	return FERRIS_OK;
}

Status
bool_or_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	     Str *message)
{
	const Truths *s = state;

	(void)run, (void)heap, (void)message;
	if (s->trues + s->falses == 0)
		return aggregate_emit_null(out, row);
	VECTOR_DATA(out, uint8_t)[row] = s->trues > 0;
	return FERRIS_OK;
}

/* ---- DELTA ---- */

typedef struct Range {
	Cell low;
	Cell high;
	uint64_t seen;
} Range;

Status
aggregate_result_delta(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		       Error *err)
{
	const Type *given = args[0]->type;
	int precision = given->precision < DECIMAL_MAX_PRECISION ? given->precision + 1
								 : DECIMAL_MAX_PRECISION;

	(void)count, (void)err;
	*type = given->kind == TYPE_DECIMAL ? type_decimal(arena, precision, given->scale)
		: type_is_integer(given)    ? TYPE_OF(BIGINT)
					    : TYPE_OF(DOUBLE);
	return FERRIS_OK;
}

Status
range_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(Range);
	return FERRIS_OK;
}

static inline void
range_one(const Type *type, Range *state, const Cell *low, const Cell *high)
{
	if (!state->seen || cell_compare(type, low, &state->low) < 0)
		state->low = *low;
	if (!state->seen || cell_compare(type, high, &state->high) > 0)
		state->high = *high;
	state->seen = true;
}

void
range_add(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];

	AGGREGATE_LOOP(run, rows, v, Range, Cell cell = cell_read(v, at, NULL);
		       range_one(v->type, state, &cell, &cell));
}

void
range_merge(const AggregateRun *run, void *into, const void *from)
{
	const Range *b = from;

	if (b->seen)
		range_one(run->call->args[0]->type, into, &b->low, &b->high);
}

void
range_save(const AggregateRun *run, const void *state, Buffer *out)
{
	buffer_append(out, state, run->state_size);
}

bool
range_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return state_load_plain(state, run->state_size, data, len);
}

static Status
delta_out_of_range(const AggregateRun *run, Vector *out, uint32_t row, Arena *heap, Str *message)
{
	Str what = run->call->text.len > 0 ? run->call->text : run->call->name;

	*message = str_format(heap, "%.*s does not fit %s", STR_ARG(what),
			      type_text(heap, out->type).data);
	vector_set_null(out, row);
	return FERRIS_ERR_OUT_OF_RANGE;
}

Status
delta_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	   Str *message)
{
	const Range *s = state;
	Int128 wide = 0;
	int64_t narrow = 0;
	Physical from = type_physical(run->call->args[0]->type);

	if (!s->seen)
		return aggregate_emit_null(out, row);
	if (from == PHYSICAL_DOUBLE) {
		double delta = s->high.real - s->low.real;
		if (isinf(s->high.real) && isinf(s->low.real))
			delta = s->high.real == s->low.real ? 0 : delta;
		if (isinf(delta) && !isinf(s->high.real) && !isinf(s->low.real))
			return delta_out_of_range(run, out, row, heap, message);
		VECTOR_DATA(out, double)[row] = delta;
		return FERRIS_OK;
	}
	/* Two numbers of 38 digits may be further apart than 128 bits reach. */
	Int128 high = from == PHYSICAL_INT128 ? (Int128)sum128_get(&s->high.int128) : s->high.int64;
	Int128 low = from == PHYSICAL_INT128 ? (Int128)sum128_get(&s->low.int128) : s->low.int64;
	bool lost = __builtin_sub_overflow(high, low, &wide);
	if (out->type->kind == TYPE_DECIMAL)
		lost |= !decimal_fits128(wide, out->type->precision);
	else
		lost |= wide > INT64_MAX;
	if (lost)
		return delta_out_of_range(run, out, row, heap, message);
	narrow = (int64_t)wide;
	if (type_physical(out->type) == PHYSICAL_INT128)
		VECTOR_DATA(out, Int128)[row] = wide;
	else
		VECTOR_DATA(out, int64_t)[row] = narrow;
	return FERRIS_OK;
}
