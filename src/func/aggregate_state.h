/* func/aggregate_state.h -- what the classes of aggregates share; for func/aggregate*.c alone.
 *
 * A family is a set of functions over one kind of state: family_open, family_add, ...; rows of
 * aggregate_list.h that differ only in what they make of the state share a family and have an
 * `emit` of their own.  Bytes of zero are an empty state in all families.
 *
 * Alignment: states need 8 bytes.  So a 128-bit number in a state is two words. */
#pragma once

#include "base/buffer.h"
#include "base/memory.h"
#include "func/aggregate.h"
#include "func/cast.h"
#include "func/compare.h"
#include "type/int256.h"

/* ---- rows ---- */

static inline uint32_t
aggregate_row_at(const AggregateRows *rows, uint32_t k)
{
	return rows->dense ? k : rows->sel[k];
}

static inline void *
aggregate_state_at(const AggregateRun *run, const AggregateRows *rows, uint32_t k)
{
	return rows->groups[rows->one_group ? 0 : k] + run->offset;
}

/* For each row where v is not NULL: BODY sees `at`, the value's place in v's data, and `state`, the
 * group's state as a State *.  The common shapes get loops of their own. */
#define AGGREGATE_LOOP(run, rows, v, State, BODY)                                                  \
	do {                                                                                       \
		const uint32_t n_ = (rows)->count;                                                 \
		const uint16_t *sel_ = (rows)->sel;                                                \
		char *const *groups_ = (rows)->groups;                                             \
		const size_t offset_ = (run)->offset;                                              \
		const uint32_t at_mask_ = (v)->constant ? 0 : UINT32_MAX;                          \
		const uint32_t group_mask_ = (rows)->one_group ? 0 : UINT32_MAX;                   \
		if ((v)->has_null) {                                                               \
			const uint64_t *valid_ = (v)->valid;                                       \
			for (uint32_t k_ = 0; k_ < n_; k_++) {                                     \
				const uint32_t at = aggregate_row_at(rows, k_) & at_mask_;         \
				State *state =                                                     \
					(State *)(void *)(groups_[k_ & group_mask_] + offset_);    \
				if (bitmap_get(valid_, at)) {                                      \
					BODY;                                                      \
				}                                                                  \
			}                                                                          \
		} else if ((rows)->dense && !(v)->constant && !(rows)->one_group) {                \
			for (uint32_t at = 0; at < n_; at++) {                                     \
				State *state = (State *)(void *)(groups_[at] + offset_);           \
				BODY;                                                              \
			}                                                                          \
		} else {                                                                           \
			for (uint32_t k_ = 0; k_ < n_; k_++) {                                     \
				const uint32_t at = ((rows)->dense ? k_ : sel_[k_]) & at_mask_;    \
				State *state =                                                     \
					(State *)(void *)(groups_[k_ & group_mask_] + offset_);    \
				BODY;                                                              \
			}                                                                          \
		}                                                                                  \
	} while (0)

/* ---- 128-bit sums in states ---- */

typedef struct Sum128 {
	uint64_t low, high;
} Sum128;

static inline Uint128
sum128_get(const Sum128 *sum)
{
	return (Uint128)sum->high << 64 | sum->low;
}

static inline void
sum128_set(Sum128 *sum, Uint128 v)
{
	sum->low = (uint64_t)v;
	sum->high = (uint64_t)(v >> 64);
}

/* Wraps, as unsigned numbers do: 2^64 values of 64 bits fit. */
static inline void
sum128_add(Sum128 *sum, Int128 v)
{
	sum128_set(sum, sum128_get(sum) + (Uint128)v);
}

/* A DECIMAL or integer of any width; `at` is its place. */
static inline Int128
aggregate_wide(const Vector *v, uint32_t at)
{
	if (type_physical(v->type) == PHYSICAL_INT128)
		return VECTOR_DATA(v, const Int128)[at];
	return VECTOR_DATA(v, const int64_t)[at];
}

/* The value of an argument that must not depend on the rows; `what` names it in the error. */
Status aggregate_constant(Arena *arena, const AggregateCall *call, uint32_t arg, const char *what,
			  Value *out, Error *err);

/* Puts a class around the call's that gives it each value once; run->call becomes a copy. */
Status aggregate_open_distinct(AggregateRun *run, Arena *arena, Error *err);

/* ---- bytes that a state owns ---- */

void *aggregate_alloc(AggregateMemory *memory, size_t size);
void *aggregate_resize(AggregateMemory *memory, void *p, size_t old_size, size_t size);
void aggregate_free(AggregateMemory *memory, void *p, size_t size);

/* ---- values kept in states ---- */

/* One value of a type: in place, or as bytes that the cell owns or, between calls, borrows.  A
 * nested value is its encoding (cell_encode). */
typedef struct Cell {
	union {
		int64_t int64; /* BOOL and INT64 */
		double real;
		Sum128 int128;
		Interval interval;
		struct {
			char *data;
			uint32_t len;
			uint32_t capacity; /* 0: borrowed */
		} bytes;
	};
} Cell;

/* Whether cells of that type own bytes. */
bool cell_has_bytes(const Type *type);
/* The value of a row that is not NULL; text is borrowed from the vector, the encoding of a nested
 * value from `scratch`. */
Cell cell_read(const Vector *v, uint32_t row, Buffer *scratch);
/* *into, which is all zero or was kept before, becomes an own copy of the value. */
void cell_keep(AggregateMemory *memory, const Type *type, Cell *into, Cell value);
/* Gives the bytes back; the cell is all zero. */
void cell_drop(AggregateMemory *memory, const Type *type, Cell *cell);
/* As ORDER BY sorts; nested values by their encoding. */
int cell_compare(const Type *type, const Cell *a, const Cell *b);
/* To a row of a vector of the type; bytes are copied to the heap. */
void cell_write(const Type *type, const Cell *cell, Vector *out, uint32_t row, Arena *heap);

/* The bytes of a row's value, NULL included.  As a key, equal values have equal bytes: one zero,
 * one NaN. */
void cell_encode(const Vector *v, uint32_t row, bool as_key, Buffer *out);

/* ---- saved states ---- */

typedef struct StateReader {
	const char *next;
	const char *end;
	bool failed;
} StateReader;

static inline StateReader
state_reader(const char *data, size_t len)
{
	const char *start = data != NULL ? data : ""; /* nothing was saved */

	return (StateReader){start, start + len, false};
}

/* The next `size` bytes, or NULL if there are not so many. */
static inline const char *
state_take(StateReader *in, size_t size)
{
	const char *p = in->next;

	if (in->failed || (size_t)(in->end - p) < size) {
		in->failed = true;
		return NULL;
	}
	in->next += size;
	return p;
}

static inline uint64_t
state_take64(StateReader *in)
{
	const char *p = state_take(in, 8);
	uint64_t v = 0;

	if (p != NULL)
		memcpy(&v, p, 8);
	return v;
}

static inline bool
state_done(const StateReader *in)
{
	return !in->failed && in->next == in->end;
}

static inline void
state_put64(Buffer *out, uint64_t v)
{
	buffer_append(out, &v, 8);
}

/* A state without bytes of its own, as it is. */
static inline bool
state_load_plain(void *state, size_t size, const char *data, size_t len)
{
	if (len != size)
		return false;
	memcpy(state, data, size);
	return true;
}

void cell_save(const Type *type, const Cell *cell, Buffer *out);
/* *cell is all zero before. */
bool cell_load(AggregateMemory *memory, const Type *type, Cell *cell, StateReader *in);
/* Reads what cell_encode wrote into a row of `out`. */
bool cell_decode(StateReader *in, Vector *out, uint32_t row, Arena *heap);

/* ---- results ---- */

/* A sum or average as DECIMAL of out's type, or what is wrong with it. */
Status aggregate_emit_decimal(const AggregateRun *run, DecimalResult result, Int128 value,
			      Vector *out, uint32_t row, Arena *heap, Str *message);
/* A number of which no argument was infinite: an infinity is too large for DOUBLE. */
Status aggregate_emit_finite(const AggregateRun *run, double value, Vector *out, uint32_t row,
			     Arena *heap, Str *message);

static inline Status
aggregate_emit_null(Vector *out, uint32_t row)
{
	vector_set_null(out, row);
	return FERRIS_OK;
}

/* ---- the families, from the list ---- */

#define FAMILY_OPEN(family)                                                                        \
	Status family##_open(AggregateRun *run, Arena *arena, Error *err);                         \
	void family##_add(const AggregateRun *run, const AggregateRows *rows);                     \
	void family##_merge(const AggregateRun *run, void *into, const void *from);                \
	void family##_save(const AggregateRun *run, const void *state, Buffer *out);               \
	bool family##_load(const AggregateRun *run, void *state, const char *data, size_t len);
#define FAMILY_RETRACT(family)                                                                     \
	void family##_retract(const AggregateRun *run, const AggregateRows *rows);
#define FAMILY_RELEASE(family) void family##_release(const AggregateRun *run, void *state);

#define FAMILY_UNMERGE(family)                                                                     \
	void family##_unmerge(const AggregateRun *run, void *into, const void *from);

#define DECLARE_PLAIN(family) FAMILY_OPEN(family)
#define DECLARE_SUMS(family)  FAMILY_OPEN(family) FAMILY_RETRACT(family) FAMILY_UNMERGE(family)
#define DECLARE_HEAP(family)  FAMILY_OPEN(family) FAMILY_RELEASE(family)
#define DECLARE_HEAP_RETRACT(family)                                                               \
	FAMILY_OPEN(family) FAMILY_RETRACT(family) FAMILY_RELEASE(family)

#define AGGREGATE(name, arguments, rule, family, kind, emit, flags, signature, doc)                \
	DECLARE_##kind(family) Status emit(const AggregateRun *run, const void *state,             \
					   Vector *out, uint32_t row, Arena *heap, Str *message);  \
	Status rule(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,       \
		    Error *err);
#include "func/aggregate_list.h"
