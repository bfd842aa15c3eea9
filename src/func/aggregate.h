/* func/aggregate.h -- aggregate functions: many rows of a group to one value.
 *
 * An aggregate is one row in aggregate_list.h: how it is found by name and argument types, its
 * result type, and a class of functions over states.  A state is a run of bytes whose size is known
 * when the query is planned; it lies in the group's payload (state/group_table.h), and what it
 * needs beyond that (texts, distinct values, sorted samples) it takes from the AggregateMemory and
 * gives back in `release`.
 *
 * Results are exact for integers and decimals and depend neither on the order of the rows nor on
 * how they were cut into batches, except where the function is about order (FIRST, LAST, ARRAY_AGG,
 * STRING_AGG): those follow ORDER BY, then the numbers of the rows.  Sums of doubles are exact too
 * and rounded at the end.  With DISTINCT, the first of equal rows lends its place in the order.
 *
 * All but MIN, MAX, DELTA, FIRST, LAST and APPROX_COUNT_DISTINCT can give rows back (`retract`);
 * ARRAY_AGG and STRING_AGG drop the earliest row that is alike.
 *
 * NULL arguments are skipped (COUNT(*) has none); a group without any value gives NULL, COUNT 0.
 *
 * Threads: states, memory and call belong to one task. */
#pragma once

#include "base/buffer.h"
#include "func/bound.h"
#include "func/kernel.h"
#include "type/batch.h"

typedef struct AggregateClass AggregateClass;

/* A resolved call: the function, its arguments after conversion, and its modifiers. */
typedef struct AggregateCall {
	const AggregateClass *class;
	Str name;
	const Type *type; /* of the result */
	BoundExpr **args; /* evaluated for every row; constants such as a separator included */
	uint32_t arg_count;
	BoundExpr *filter; /* FILTER (WHERE ...), or NULL */
	BoundExpr *order;  /* f(x ORDER BY y), WITHIN GROUP (ORDER BY y), or NULL */
	bool descending;
	bool distinct;
	Position position;
	Str text; /* as written */
} AggregateCall;

/* Where states keep what does not fit into their fixed bytes; counts it for the budget. */
typedef struct AggregateMemory {
	size_t bytes; /* held now */
} AggregateMemory;

/* What one call needs while it runs; made by aggregate_open. */
typedef struct AggregateRun {
	const AggregateCall *call; /* as it runs: with DISTINCT its class is one around the
				    * function's, so use run->call, not another copy */
	size_t state_size; /* bytes, a multiple of 8; states need no more alignment than 8 */
	size_t offset;     /* of the state in a group's payload; set by the caller */
	AggregateMemory *memory;
	void *plan; /* the class's own, in the arena */
} AggregateRun;

/* The rows to add: sel[0..count) of the vectors; groups[k] is the payload of row sel[k]'s group.
 * The two flags are promises that make it faster; false is always right. */
typedef struct AggregateRows {
	const Vector *const *args; /* one per argument; may be constant; VALUE form */
	const Vector *order;       /* of the ORDER BY expression, or NULL */
	const uint16_t *sel;
	uint32_t count;
	char *const *groups;
	uint64_t sequence; /* number, since the query began, of row 0 of the vectors */
	bool dense;        /* sel is 0, 1, ... count-1 and need not be read */
	bool one_group;    /* all rows are of groups[0]; there need be no groups[1] */
} AggregateRows;

struct AggregateClass {
	const char *name;      /* "SUM|TOTAL": the first is canonical */
	const char *arguments; /* pattern, as in scalar_list.h */
	ResultRule result;
	const char *signature;
	const char *doc;
	unsigned flags; /* AGGREGATE_* */

	/* Sets run->state_size and run->plan; checks constant arguments. */
	Status (*open)(AggregateRun *run, Arena *arena, Error *err);
	/* An empty state.  NULL: all bytes zero; so far it is NULL for all of them. */
	void (*init)(const AggregateRun *run, void *state);
	/* Rows whose FILTER is true.  A sum that has no room (overflow beyond 38 digits) fails at
	 * emit, not here. */
	void (*add)(const AggregateRun *run, const AggregateRows *rows);
	/* Takes rows away again that were added (OVER frames, changelogs).  NULL: it cannot. */
	void (*retract)(const AggregateRun *run, const AggregateRows *rows);
	/* into += from; `from` stays as it is.  (FIRST and LAST go by the sequence of rows.) */
	void (*merge)(const AggregateRun *run, void *into, const void *from);
	/* into -= from, which was merged into it before: then `into` is as if it never had been.
	 * NULL: it cannot. */
	void (*unmerge)(const AggregateRun *run, void *into, const void *from);
	/* The result to out's row, which is not NULL before; FERRIS_OK or the status of a row error
	 * with its message.  Its bytes are in the heap and stay good when the state changes. */
	Status (*emit)(const AggregateRun *run, const void *state, Vector *out, uint32_t row,
		       Arena *heap, Str *message);
	/* Gives back what the state took from the memory.  NULL: it took nothing. */
	void (*release)(const AggregateRun *run, void *state);
	/* The state as bytes and back, for checkpoints and spilling.  `load` wants an empty state;
	 * false, and the state empty, if the bytes are not what `save` wrote. */
	void (*save)(const AggregateRun *run, const void *state, Buffer *out);
	bool (*load)(const AggregateRun *run, void *state, const char *data, size_t len);
};

#define AGGREGATE_ORDERED  1u /* the result depends on the order of the rows */
#define AGGREGATE_NO_NULL  2u /* never NULL: COUNT */
#define AGGREGATE_DISTINCT 4u /* counts equal arguments once without being told: COUNT_DISTINCT */
#define AGGREGATE_WITHIN   8u /* f(a) WITHIN GROUP (ORDER BY x) means f(x, a): PERCENTILE_CONT */

/* Whether any aggregate has that name. */
bool aggregate_exists(Str name);
/* Whether the expression of WITHIN GROUP is the function's first argument: the caller puts it in
 * front of the others, sets `descending`, and leaves `order` NULL.  For all other functions WITHIN
 * GROUP (ORDER BY y) is the same as an ORDER BY among the arguments. */
bool aggregate_takes_within(Str name);
/* Chooses the overload and inserts implicit casts.  FERRIS_ERR_UNKNOWN_FUNCTION,
 * FERRIS_ERR_ARGUMENTS, FERRIS_ERR_TYPE as function_bind.  The modifiers are set by the caller. */
Status aggregate_bind(Arena *arena, Str name, BoundExpr *const *args, uint32_t count, Position at,
		      AggregateCall **out, Error *err);
/* Prepares a call; `memory` outlives the run. */
Status aggregate_open(const AggregateCall *call, AggregateMemory *memory, Arena *arena,
		      AggregateRun *out, Error *err);
/* Row i of aggregate_list.h, or NULL at its end; for documentation and tests. */
const AggregateClass *aggregate_row(size_t i);
