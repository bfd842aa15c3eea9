/* func/aggregate_sketch.c -- APPROX_COUNT_DISTINCT: HyperLogLog with 2^14 registers.
 *
 * Up to SPARSE_MAX different values are kept as their 64-bit hashes, and counted exactly but for
 * collisions.  Beyond that each hash leaves, in the register its first 14 bits name, how many zero
 * bits follow them at most.  The estimate is Ertl's ("New cardinality estimation algorithms for
 * HyperLogLog sketches", 2017): unbiased over the whole range without tables; the standard error is
 * 0.8 %.  Which form a sketch has depends on the values alone, not on their order. */
#include <math.h>
#include <stdlib.h>

#include "func/aggregate_hash.h"
#include "func/aggregate_state.h"

#define INDEX_BITS    14
#define REGISTERS     (1u << INDEX_BITS)
#define RANK_MAX      (64 - INDEX_BITS + 1)
#define SPARSE_MAX    1024 /* hashes, half of the slots at most */
#define SLOTS_FIRST   16
#define SLOTS_LARGEST (2 * SPARSE_MAX)

typedef struct Sketch {
	uint64_t *slots;    /* hashes, 0 for an empty slot; NULL when dense */
	uint8_t *registers; /* NULL when sparse */
	uint32_t slot_count;
	uint32_t count; /* hashes in slots */
} Sketch;

typedef struct SketchState {
	Sketch *sketch; /* NULL while it is empty */
} SketchState;

Status
sketch_open(AggregateRun *run, Arena *arena, Error *err)
{
	(void)arena, (void)err;
	run->state_size = sizeof(SketchState);
	return FERRIS_OK;
}

static void
add_dense(Sketch *sketch, uint64_t hash)
{
	uint32_t index = (uint32_t)(hash >> (64 - INDEX_BITS));
	/* A bit behind the last one ends the count. */
	uint64_t rest = hash << INDEX_BITS | UINT64_C(1) << (INDEX_BITS - 1);
	uint8_t rank = (uint8_t)(__builtin_clzll(rest) + 1);

	if (sketch->registers[index] < rank)
		sketch->registers[index] = rank;
}

static void
make_dense(const AggregateRun *run, Sketch *sketch)
{
	if (sketch->registers != NULL)
		return;
	sketch->registers = aggregate_alloc(run->memory, REGISTERS);
	for (uint32_t i = 0; i < sketch->slot_count; i++)
		if (sketch->slots[i] != 0)
			add_dense(sketch, sketch->slots[i]);
	aggregate_free(run->memory, sketch->slots, sketch->slot_count * sizeof(uint64_t));
	sketch->slots = NULL;
	sketch->slot_count = 0;
	sketch->count = 0;
}

/* Into a slot; false if it was there. */
static bool
put(uint64_t *slots, uint32_t slot_count, uint64_t hash)
{
	uint32_t i = (uint32_t)hash & (slot_count - 1);

	while (slots[i] != 0 && slots[i] != hash)
		i = (i + 1) & (slot_count - 1);
	bool fresh = slots[i] == 0;
	slots[i] = hash;
	return fresh;
}

static void
grow(const AggregateRun *run, Sketch *sketch)
{
	uint32_t wider = sketch->slot_count > 0 ? sketch->slot_count * 2 : SLOTS_FIRST;
	uint64_t *slots = aggregate_alloc(run->memory, wider * sizeof *slots);

	for (uint32_t i = 0; i < sketch->slot_count; i++)
		if (sketch->slots[i] != 0)
			put(slots, wider, sketch->slots[i]);
	aggregate_free(run->memory, sketch->slots, sketch->slot_count * sizeof *slots);
	sketch->slots = slots;
	sketch->slot_count = wider;
}

static void
add_hash(const AggregateRun *run, SketchState *state, uint64_t hash)
{
	if (state->sketch == NULL)
		state->sketch = aggregate_alloc(run->memory, sizeof *state->sketch);
	Sketch *sketch = state->sketch;
	hash += hash == 0; /* 0 is an empty slot */
	if (sketch->registers != NULL) {
		add_dense(sketch, hash);
		return;
	}
	if (sketch->count * 2 >= sketch->slot_count && sketch->slot_count < SLOTS_LARGEST)
		grow(run, sketch);
	sketch->count += put(sketch->slots, sketch->slot_count, hash);
	if (sketch->count > SPARSE_MAX)
		make_dense(run, sketch);
}

void
sketch_add(const AggregateRun *run, const AggregateRows *rows)
{
	const Vector *v = rows->args[0];
	const char *x = v->data;
	Buffer key;

	if (type_physical(v->type) == PHYSICAL_INT64) {
		AGGREGATE_LOOP(run, rows, v, SketchState,
			       add_hash(run, state, aggregate_hash(x + (size_t)at * 8, 8)));
		return;
	}
	buffer_init(&key, SIZE_MAX);
	AGGREGATE_LOOP(run, rows, v, SketchState, buffer_reset(&key);
		       cell_encode(v, at, true, &key);
		       add_hash(run, state, aggregate_hash(key.data, key.len)));
	buffer_free(&key);
}

/* Into an empty state: an OVER's frame does that for each row. */
static void
copy_sparse(const AggregateRun *run, SketchState *state, const Sketch *other)
{
	size_t size = other->slot_count * sizeof *other->slots;

	state->sketch = aggregate_alloc(run->memory, sizeof *state->sketch);
	*state->sketch = *other;
	state->sketch->slots = aggregate_alloc(run->memory, size);
	memcpy(state->sketch->slots, other->slots, size);
}

void
sketch_merge(const AggregateRun *run, void *into, const void *from)
{
	const Sketch *other = ((const SketchState *)from)->sketch;
	SketchState *state = into;

	if (other == NULL)
		return;
	if (state->sketch == NULL && other->registers == NULL) {
		copy_sparse(run, state, other);
		return;
	}
	if (other->registers == NULL) {
		for (uint32_t i = 0; i < other->slot_count; i++)
			if (other->slots[i] != 0)
				add_hash(run, state, other->slots[i]);
		return;
	}
	if (state->sketch == NULL)
		state->sketch = aggregate_alloc(run->memory, sizeof *state->sketch);
	make_dense(run, state->sketch);
	for (uint32_t i = 0; i < REGISTERS; i++)
		if (state->sketch->registers[i] < other->registers[i])
			state->sketch->registers[i] = other->registers[i];
}

void
sketch_release(const AggregateRun *run, void *state)
{
	SketchState *s = state;

	if (s->sketch == NULL)
		return;
	aggregate_free(run->memory, s->sketch->slots, s->sketch->slot_count * sizeof(uint64_t));
	aggregate_free(run->memory, s->sketch->registers, REGISTERS);
	aggregate_free(run->memory, s->sketch, sizeof *s->sketch);
	s->sketch = NULL;
}

static int
compare_hashes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Hashes in their order, not in that of the slots: what has not changed is saved as the same bytes.
 */
void
sketch_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Sketch *sketch = ((const SketchState *)state)->sketch;

	(void)run;
	if (sketch == NULL)
		return;
	if (sketch->registers != NULL) {
		buffer_append(out, sketch->registers, REGISTERS);
		return;
	}
	uint64_t hashes[SPARSE_MAX];
	uint32_t count = 0;

	for (uint32_t i = 0; i < sketch->slot_count; i++)
		if (sketch->slots[i] != 0)
			hashes[count++] = sketch->slots[i];
	qsort(hashes, count, sizeof *hashes, compare_hashes);
	for (uint32_t i = 0; i < count; i++)
		state_put64(out, hashes[i]);
}

/* REGISTERS bytes are a dense sketch; fewer, as many hashes. */
bool
sketch_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	SketchState *s = state;

	if (len % 8 != 0 || (len > SPARSE_MAX * 8 && len != REGISTERS))
		return false;
	if (len == REGISTERS) {
		for (size_t i = 0; i < REGISTERS; i++)
			if ((uint8_t)data[i] > RANK_MAX)
				return false;
		s->sketch = aggregate_alloc(run->memory, sizeof *s->sketch);
		make_dense(run, s->sketch);
		memcpy(s->sketch->registers, data, REGISTERS);
		return true;
	}
	for (size_t i = 0; i < len; i += 8) {
		uint64_t hash;

		memcpy(&hash, data + i, 8);
		add_hash(run, s, hash);
	}
	return true;
}

/* ---- the estimate ---- */

static double
sigma(double x)
{
	double y = 1;
	double z = x;
	double before;

	if (x == 1)
		return (double)INFINITY;
	do {
		x *= x;
		before = z;
		z += x * y;
		y += y;
	} while (z != before);
	return z;
}

static double
tau(double x)
{
	double y = 1;
	double z = 1 - x;
	double before;

	if (x == 0 || x == 1)
		return 0;
	do {
		x = sqrt(x);
		before = z;
		y *= 0.5;
		z -= (1 - x) * (1 - x) * y;
	} while (z != before);
	return z / 3;
}

static int64_t
estimate(const uint8_t *registers)
{
	uint32_t histogram[RANK_MAX + 1] = {0};
	const double m = REGISTERS;

	for (uint32_t i = 0; i < REGISTERS; i++)
		histogram[registers[i]]++;
	double z = m * tau((m - histogram[RANK_MAX]) / m);
	for (int k = RANK_MAX - 1; k >= 1; k--)
		z = 0.5 * (z + histogram[k]);
	z += m * sigma(histogram[0] / m);
	return llround(m * m / (2 * log(2.0) * z));
}

Status
sketch_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	    Str *message)
{
	const Sketch *sketch = ((const SketchState *)state)->sketch;
	int64_t count = 0;

	(void)run, (void)heap, (void)message;
	if (sketch != NULL)
		count = sketch->registers != NULL ? estimate(sketch->registers) : sketch->count;
	VECTOR_DATA(out, int64_t)[row] = count;
	return FERRIS_OK;
}
