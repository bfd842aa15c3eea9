/* exec/calls.h -- the aggregate calls of an operator: their expressions, their states in a payload.
 *
 * An operator that keeps aggregate states compiles the calls' expressions behind its own, lays the
 * states out behind its own header, and then adds, merges and emits payloads without knowing the
 * functions.
 *
 * Threads: belongs to the operator, thus to one task. */
#pragma once

#include "func/aggregate.h"
#include "func/program.h"

/* A call with the places of its expressions among the program's results. */
typedef struct CallState {
	AggregateRun run;
	uint32_t first_arg;
	uint32_t filter; /* 0: none; else its place + 1 */
	uint32_t order;  /* likewise */
} CallState;

typedef struct CallSet {
	CallState *items;
	uint32_t count;
	AggregateMemory memory; /* what the states hold beside the payloads */
} CallSet;

/* Opens the calls.  `exprs` gets their expressions from place *count on and has room for
 * calls_expr_count of them. */
Status calls_open(CallSet *set, AggregateCall *const *calls, uint32_t call_count, Arena *arena,
		  BoundExpr **exprs, uint32_t *count, Error *err);
uint32_t calls_expr_count(AggregateCall *const *calls, uint32_t call_count);
/* Places the states from `offset` on; returns the end, a multiple of 16. */
size_t calls_lay_out(CallSet *set, size_t offset);

/* The payload's state bytes are zero before. */
void calls_init(const CallSet *set, char *payload);
/* Adds rows->sel of the program's results to rows->groups; rows whose FILTER is not true are left
 * out.  `args` and `order` are set here. */
void calls_add(const CallSet *set, const Vector *const *results, const AggregateRows *rows);
/* Takes rows away again that were added. */
void calls_retract(const CallSet *set, const Vector *const *results, const AggregateRows *rows);
void calls_merge(const CallSet *set, char *into, const char *from);
/* Takes a payload away again that was merged; only if all calls can. */
void calls_unmerge(const CallSet *set, char *into, const char *from);
bool calls_can_unmerge(const CallSet *set);
/* Whether the states are no more than their bytes, and empty when those are zero. */
bool calls_are_plain(const CallSet *set);
/* The results to columns[0..count) at `row`; false, with an error in the batch, if one cannot be
 * computed. */
bool calls_emit(const CallSet *set, const char *payload, Vector *columns, uint32_t row,
		Batch *batch, RecordRange record);
void calls_release(const CallSet *set, char *payload);
/* The states as bytes, and back into empty states; false, and the states empty, if the bytes are
 * not what calls_save wrote. */
void calls_save(const CallSet *set, const char *payload, Buffer *out);
bool calls_load(const CallSet *set, char *payload, Str bytes);
