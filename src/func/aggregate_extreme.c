/* func/aggregate_extreme.c -- MIN and MAX.
 *
 * The state is the best value so far and whether there is one.  It cannot give rows back: the next
 * best is not known. */
#include "func/aggregate_state.h"

typedef struct Narrow {
	int64_t value;
	uint64_t seen;
} Narrow;

typedef struct Real {
	double value;
	uint64_t seen;
} Real;

typedef struct Extreme {
	Cell value;
	uint64_t seen;
} Extreme;

static const Type *
type_of(const AggregateRun *run)
{
	return run->call->args[0]->type;
}

static Status
extreme_open(AggregateRun *run)
{
	Physical physical = type_physical(type_of(run));
	bool narrow = physical == PHYSICAL_INT64 || physical == PHYSICAL_DOUBLE;

	run->state_size = narrow ? sizeof(Narrow) : sizeof(Extreme);
	return FERRIS_OK;
}

Status
min_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	return extreme_open(run);
}

Status
max_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	return extreme_open(run);
}

/* Is `order`, of a new value to the best one, a reason to take the new one? */
static inline bool
improves(int order, bool largest)
{
	return largest ? order > 0 : order < 0;
}

static void
offer(const AggregateRun *run, Extreme *state, Cell value, bool largest)
{
	if (state->seen && !improves(cell_compare(type_of(run), &value, &state->value), largest))
		return;
	cell_keep(run->memory, type_of(run), &state->value, value);
	state->seen = true;
}

#define TAKE_IF(better)                                                                            \
	bool take = (state->seen == 0) | (better);                                                 \
	state->value = take ? x[at] : state->value;                                                \
	state->seen = true

static void
add_narrow(const AggregateRun *run, const AggregateRows *rows, bool largest)
{
	const Vector *v = rows->args[0];
	const int64_t *x = v->data;

	if (largest)
		AGGREGATE_LOOP(run, rows, v, Narrow, TAKE_IF(x[at] > state->value));
	else
		AGGREGATE_LOOP(run, rows, v, Narrow, TAKE_IF(x[at] < state->value));
}

/* NaN is the largest number. */
static void
add_real(const AggregateRun *run, const AggregateRows *rows, bool largest)
{
	const Vector *v = rows->args[0];
	const double *x = v->data;

	if (largest)
		AGGREGATE_LOOP(run, rows, v, Real,
			       TAKE_IF((x[at] > state->value) | (x[at] != x[at])));
	else
		AGGREGATE_LOOP(run, rows, v, Real,
			       TAKE_IF((x[at] < state->value) |
				       ((state->value != state->value) & (x[at] == x[at]))));
}

static inline void
extreme_add(const AggregateRun *run, const AggregateRows *rows, bool largest)
{
	const Vector *v = rows->args[0];
	Physical physical = type_physical(v->type);

	if (physical == PHYSICAL_INT64)
		add_narrow(run, rows, largest);
	else if (physical == PHYSICAL_DOUBLE)
		add_real(run, rows, largest);
	else
		AGGREGATE_LOOP(run, rows, v, Extreme,
			       offer(run, state, cell_read(v, at, NULL), largest));
}

void
min_add(const AggregateRun *run, const AggregateRows *rows)
{
	extreme_add(run, rows, false);
}

void
max_add(const AggregateRun *run, const AggregateRows *rows)
{
	extreme_add(run, rows, true);
}

/* The value of a state of any of the three forms. */
static Cell
value_of(const AggregateRun *run, const void *state)
{
	Cell cell;

	if (run->state_size == sizeof(Extreme))
		return ((const Extreme *)state)->value;
	memset(&cell, 0, sizeof cell);           /* {0} is its first member; all of it is saved */
	memcpy(&cell, state, sizeof cell.int64); /* the bits, of Narrow or Real */
	return cell;
}

static bool
has_value(const AggregateRun *run, const void *state)
{
	return run->state_size == sizeof(Extreme) ? ((const Extreme *)state)->seen
						  : ((const Narrow *)state)->seen;
}

static void
extreme_merge(const AggregateRun *run, void *into, const void *from, bool largest)
{
	if (!has_value(run, from))
		return;
	Cell value = value_of(run, from);
	if (run->state_size == sizeof(Extreme)) {
		offer(run, into, value, largest);
		return;
	}
	Cell best = value_of(run, into);
	if (!has_value(run, into) || improves(cell_compare(type_of(run), &value, &best), largest))
		memcpy(into, from, run->state_size);
}

void
min_merge(const AggregateRun *run, void *into, const void *from)
{
	extreme_merge(run, into, from, false);
}

void
max_merge(const AggregateRun *run, void *into, const void *from)
{
	extreme_merge(run, into, from, true);
}

Status
extreme_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	     Str *message)
{
	(void)message;
	if (!has_value(run, state))
		return aggregate_emit_null(out, row);
	Cell value = value_of(run, state);
	if (type_physical(type_of(run)) == PHYSICAL_DOUBLE)
		value.real += 0.0; /* of -0.0 and 0.0, whichever came first */
	cell_write(type_of(run), &value, out, row, heap);
	return FERRIS_OK;
}

static void
extreme_release(const AggregateRun *run, void *state)
{
	if (run->state_size == sizeof(Extreme))
		cell_drop(run->memory, type_of(run), &((Extreme *)state)->value);
	memset(state, 0, run->state_size);
}

void
min_release(const AggregateRun *run, void *state)
{
	extreme_release(run, state);
}

void
max_release(const AggregateRun *run, void *state)
{
	extreme_release(run, state);
}

static void
extreme_save(const AggregateRun *run, const void *state, Buffer *out)
{
	Cell value = value_of(run, state);

	state_put64(out, has_value(run, state));
	cell_save(type_of(run), &value, out);
}

static bool
extreme_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	StateReader in = state_reader(data, len);
	uint64_t seen = state_take64(&in);
	Cell value = {0};

	if (!cell_load(run->memory, type_of(run), &value, &in) || !state_done(&in) || seen > 1) {
		cell_drop(run->memory, type_of(run), &value);
		return false;
	}
	if (run->state_size == sizeof(Extreme))
		*(Extreme *)state = (Extreme){value, seen};
	else
		memcpy(state, &(Narrow){value.int64, seen}, sizeof(Narrow));
	return true;
}

void
min_save(const AggregateRun *run, const void *state, Buffer *out)
{
	extreme_save(run, state, out);
}

void
max_save(const AggregateRun *run, const void *state, Buffer *out)
{
	extreme_save(run, state, out);
}

bool
min_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return extreme_load(run, state, data, len);
}

bool
max_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	return extreme_load(run, state, data, len);
}
