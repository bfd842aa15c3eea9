/* func/aggregate_distinct.c -- f(DISTINCT x): any aggregate, each value once.
 *
 * The state is a set of the values seen, each with how often, in front of the function's own state.
 * A value reaches the function when it comes in first, and is taken back from it when the last one
 * like it goes.  Two rows are alike if all arguments are; the first of them lends its place in the
 * order. */
#include <assert.h>
#include <stdlib.h>

#include "base/memory.h"
#include "func/aggregate_hash.h"
#include "func/aggregate_state.h"

#define SLOTS_FIRST 16

/* One value: the encoded arguments, then the encoded ORDER BY expression. */
typedef struct Member {
	uint64_t hash;
	int64_t count;
	uint64_t sequence;
	uint32_t key_len;
	uint32_t len;
	char bytes[];
} Member;

typedef struct Set {
	Member **slots; /* linear probing, at most three quarters full */
	uint32_t slot_count;
	uint32_t count;
} Set;

typedef struct DistinctPlan {
	AggregateRun inner;
} DistinctPlan;

/* ---- the set ---- */

static size_t
member_size(const Member *member)
{
	return sizeof *member + member->len;
}

static uint32_t
home(const Set *set, uint64_t hash)
{
	return (uint32_t)(hash >> 32) & (set->slot_count - 1);
}

/* The slot of that key, or the empty one where it belongs. */
static uint32_t
find_slot(const Set *set, uint64_t hash, const char *key, uint32_t key_len)
{
	uint32_t i = home(set, hash);

	for (; set->slots[i] != NULL; i = (i + 1) & (set->slot_count - 1)) {
		const Member *m = set->slots[i];

		if (m->hash == hash && m->key_len == key_len && memcmp(m->bytes, key, key_len) == 0)
			break;
	}
	return i;
}

static void
grow(AggregateMemory *memory, Set *set)
{
	Set wider = *set;

	wider.slot_count = set->slot_count > 0 ? set->slot_count * 2 : SLOTS_FIRST;
	wider.slots = aggregate_alloc(memory, wider.slot_count * sizeof *wider.slots);
	for (uint32_t i = 0; i < set->slot_count; i++)
		if (set->slots[i] != NULL) {
			uint32_t at = home(&wider, set->slots[i]->hash);

			while (wider.slots[at] != NULL)
				at = (at + 1) & (wider.slot_count - 1);
			wider.slots[at] = set->slots[i];
		}
	aggregate_free(memory, set->slots, set->slot_count * sizeof *set->slots);
	*set = wider;
}

/* The member of that key, made with count 0 if there is none. */
static Member *
set_member(AggregateMemory *memory, Set *set, const char *bytes, uint32_t key_len, uint32_t len,
	   uint64_t sequence)
{
	uint64_t hash = aggregate_hash(bytes, key_len);

	if (set->slot_count == 0 || set->count >= set->slot_count / 4 * 3)
		grow(memory, set);
	uint32_t at = find_slot(set, hash, bytes, key_len);
	if (set->slots[at] != NULL)
		return set->slots[at];
	Member *member = aggregate_alloc(memory, sizeof *member + len);
	member->hash = hash;
	member->sequence = sequence;
	member->key_len = key_len;
	member->len = len;
	memcpy(member->bytes, bytes, len);
	set->slots[at] = member;
	set->count++;
	return member;
}

/* Closes the gap, so that no probe ends early. */
static void
set_remove(AggregateMemory *memory, Set *set, uint32_t at)
{
	uint32_t mask = set->slot_count - 1;
	uint32_t gap = at;

	aggregate_free(memory, set->slots[at], member_size(set->slots[at]));
	for (uint32_t i = (at + 1) & mask; set->slots[i] != NULL; i = (i + 1) & mask) {
		uint32_t from_home = (i - home(set, set->slots[i]->hash)) & mask;

		if (from_home >= ((i - gap) & mask)) {
			set->slots[gap] = set->slots[i];
			gap = i;
		}
	}
	set->slots[gap] = NULL;
	set->count--;
}

/* ---- the class ---- */

/* The inner run, whose state lies behind the set. */
static AggregateRun
inner_run(const AggregateRun *run)
{
	AggregateRun inner = ((const DistinctPlan *)run->plan)->inner;

	inner.offset = run->offset + sizeof(Set);
	return inner;
}

static void *
inner_state(const void *state)
{
	return (char *)(uintptr_t)state + sizeof(Set);
}

/* Encodes the arguments and the place; returns the length of the arguments. */
static uint32_t
encode_row(const AggregateRun *run, const AggregateRows *rows, uint32_t row, Buffer *out)
{
	buffer_reset(out);
	for (uint32_t i = 0; i < run->call->arg_count; i++)
		cell_encode(rows->args[i], row, true, out);
	uint32_t key_len = (uint32_t)out->len;
	if (run->call->order != NULL)
		cell_encode(rows->order, row, false, out);
	return key_len;
}

/* The rows that made a value come or go, on their way to the inner class. */
typedef struct Forward {
	uint32_t count;
	uint16_t sel[BATCH_CAPACITY];
	char *groups[BATCH_CAPACITY];
} Forward;

static AggregateRows
forwarded(const AggregateRows *rows, const Forward *forward)
{
	AggregateRows out = *rows;

	out.sel = forward->sel;
	out.groups = forward->groups;
	out.count = forward->count;
	out.dense = false;
	out.one_group = false;
	return out;
}

static void
forward_row(Forward *forward, const AggregateRows *rows, uint32_t k)
{
	forward->sel[forward->count] = (uint16_t)aggregate_row_at(rows, k);
	forward->groups[forward->count] = rows->groups[rows->one_group ? 0 : k];
	forward->count++;
}

static void
distinct_add(const AggregateRun *run, const AggregateRows *rows)
{
	AggregateRun inner = inner_run(run);
	Forward forward = {.count = 0};
	Buffer scratch;

	assert(rows->count <= BATCH_CAPACITY);
	buffer_init(&scratch, SIZE_MAX);
	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t row = aggregate_row_at(rows, k);
		uint32_t key_len = encode_row(run, rows, row, &scratch);
		Member *member =
			set_member(run->memory, aggregate_state_at(run, rows, k), scratch.data,
				   key_len, (uint32_t)scratch.len, rows->sequence + row);

		if (member->count++ == 0)
			forward_row(&forward, rows, k);
	}
	buffer_free(&scratch);
	AggregateRows fresh = forwarded(rows, &forward);
	if (forward.count > 0)
		inner.call->class->add(&inner, &fresh);
}

static void
distinct_retract(const AggregateRun *run, const AggregateRows *rows)
{
	AggregateRun inner = inner_run(run);
	Forward forward = {.count = 0};
	Buffer scratch;

	assert(rows->count <= BATCH_CAPACITY);
	buffer_init(&scratch, SIZE_MAX);
	for (uint32_t k = 0; k < rows->count; k++) {
		Set *set = aggregate_state_at(run, rows, k);
		uint32_t key_len = encode_row(run, rows, aggregate_row_at(rows, k), &scratch);

		if (set->count == 0)
			continue;
		uint32_t at = find_slot(set, aggregate_hash(scratch.data, key_len), scratch.data,
					key_len);
		if (set->slots[at] == NULL || --set->slots[at]->count > 0)
			continue;
		set_remove(run->memory, set, at);
		forward_row(&forward, rows, k);
	}
	buffer_free(&scratch);
	AggregateRows gone = forwarded(rows, &forward);
	if (forward.count > 0)
		inner.call->class->retract(&inner, &gone);
}

/* One row of vectors to hand members to the inner class. */
typedef struct Replay {
	Vector *args;
	const Vector **arg_pointers;
	Vector order;
	Arena arena; /* of the arrays above */
	Arena heap;  /* of one row */
} Replay;

static void
replay_open(const AggregateRun *run, Replay *replay)
{
	const AggregateCall *call = run->call;

	arena_init(&replay->arena, 0);
	arena_init(&replay->heap, 0);
	replay->args = ARENA_ARRAY(&replay->arena, Vector, call->arg_count);
	replay->arg_pointers = ARENA_ARRAY(&replay->arena, const Vector *, call->arg_count);
	for (uint32_t i = 0; i < call->arg_count; i++) {
		vector_init(&replay->args[i], call->args[i]->type, FORM_VALUE, 1);
		replay->arg_pointers[i] = &replay->args[i];
	}
	if (call->order != NULL)
		vector_init(&replay->order, call->order->type, FORM_VALUE, 1);
}

static void
replay_close(const AggregateRun *run, Replay *replay)
{
	for (uint32_t i = 0; i < run->call->arg_count; i++)
		vector_free(&replay->args[i]);
	if (run->call->order != NULL)
		vector_free(&replay->order);
	arena_free(&replay->arena);
	arena_free(&replay->heap);
}

/* Adds a member's value to the inner state. */
static bool
replay_member(const AggregateRun *run, Replay *replay, void *state, const Member *member)
{
	AggregateRun inner = ((const DistinctPlan *)run->plan)->inner;
	StateReader in = state_reader(member->bytes, member->len);
	char *group = inner_state(state);
	uint16_t sel = 0;
	AggregateRows rows = {.args = replay->arg_pointers,
			      .order = &replay->order,
			      .sel = &sel,
			      .count = 1,
			      .groups = &group,
			      .sequence = member->sequence,
			      .dense = true,
			      .one_group = true};

	arena_reset(&replay->heap);
	for (uint32_t i = 0; i < run->call->arg_count; i++) {
		vector_reset(&replay->args[i]);
		if (!cell_decode(&in, &replay->args[i], 0, &replay->heap))
			return false;
	}
	if (run->call->order != NULL) {
		vector_reset(&replay->order);
		if (!cell_decode(&in, &replay->order, 0, &replay->heap))
			return false;
	}
	inner.offset = 0;
	inner.call->class->add(&inner, &rows);
	return state_done(&in);
}

static void
distinct_merge(const AggregateRun *run, void *into, const void *from)
{
	const Set *other = from;
	Replay replay;

	replay_open(run, &replay);
	for (uint32_t i = 0; i < other->slot_count; i++) {
		const Member *given = other->slots[i];

		if (given == NULL)
			continue;
		Member *member = set_member(run->memory, into, given->bytes, given->key_len,
					    given->len, given->sequence);
		if (member->count == 0)
			replay_member(run, &replay, into, member);
		member->count += given->count;
	}
	replay_close(run, &replay);
}

static Status
distinct_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	      Str *message)
{
	AggregateRun inner = inner_run(run);

	return inner.call->class->emit(&inner, inner_state(state), out, row, heap, message);
}

static void
distinct_release(const AggregateRun *run, void *state)
{
	AggregateRun inner = inner_run(run);
	Set *set = state;

	for (uint32_t i = 0; i < set->slot_count; i++)
		if (set->slots[i] != NULL)
			aggregate_free(run->memory, set->slots[i], member_size(set->slots[i]));
	aggregate_free(run->memory, set->slots, set->slot_count * sizeof *set->slots);
	if (inner.call->class->release != NULL)
		inner.call->class->release(&inner, inner_state(state));
	memset(state, 0, run->state_size);
}

/* Members that came in with one row are told apart by their bytes. */
static int
compare_members(const void *a, const void *b)
{
	const Member *x = *(const Member *const *)a;
	const Member *y = *(const Member *const *)b;

	if (x->sequence != y->sequence)
		return x->sequence < y->sequence ? -1 : 1;
	return str_compare((Str){x->bytes, x->len}, (Str){y->bytes, y->len});
}

/* The members; the inner state is made from them again.  In an order of their own, not in that of
 * the slots, which tells how the set grew: what has not changed is saved as the same bytes. */
static void
distinct_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Set *set = state;
	const Member **members = memory_alloc(sizeof *members * (set->count + 1));
	uint32_t count = 0;

	(void)run;
	for (uint32_t i = 0; i < set->slot_count; i++)
		if (set->slots[i] != NULL)
			members[count++] = set->slots[i];
	qsort(members, count, sizeof *members, compare_members);
	state_put64(out, set->count);
	for (uint32_t i = 0; i < count; i++) {
		state_put64(out, (uint64_t)members[i]->count);
		state_put64(out, members[i]->sequence);
		state_put64(out, members[i]->key_len);
		state_put64(out, members[i]->len);
		buffer_append(out, members[i]->bytes, members[i]->len);
	}
	memory_free(members);
}

static bool
load_member(const AggregateRun *run, Replay *replay, void *state, StateReader *in)
{
	int64_t count = (int64_t)state_take64(in);
	uint64_t sequence = state_take64(in);
	uint64_t key_len = state_take64(in);
	uint64_t len = state_take64(in);
	const char *bytes = len <= UINT32_MAX ? state_take(in, len) : NULL;

	if (bytes == NULL || key_len > len || count <= 0)
		return false;
	Member *member =
		set_member(run->memory, state, bytes, (uint32_t)key_len, (uint32_t)len, sequence);
	if (member->count != 0)
		return false;
	member->count = count;
	return replay_member(run, replay, state, member);
}

static bool
distinct_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	StateReader in = state_reader(data, len);
	uint64_t count = state_take64(&in);
	bool good = !in.failed;
	Replay replay;

	replay_open(run, &replay);
	for (uint64_t i = 0; good && i < count; i++)
		good = load_member(run, &replay, state, &in);
	replay_close(run, &replay);
	if (good && state_done(&in))
		return true;
	distinct_release(run, state);
	return false;
}

Status
aggregate_open_distinct(AggregateRun *run, Arena *arena, Error *err)
{
	DistinctPlan *plan = ARENA_NEW(arena, DistinctPlan);
	AggregateClass *class = ARENA_NEW(arena, AggregateClass);
	AggregateCall *call = ARENA_NEW(arena, AggregateCall);

	plan->inner = *run;
	TRY(run->call->class->open(&plan->inner, arena, err));
	*class = *run->call->class;
	class->add = distinct_add;
	class->retract = run->call->class->retract != NULL ? distinct_retract : NULL;
	class->merge = distinct_merge;
	class->unmerge = NULL;
	class->emit = distinct_emit;
	class->release = distinct_release;
	class->save = distinct_save;
	class->load = distinct_load;
	*call = *run->call;
	call->class = class;
	run->call = call;
	run->plan = plan;
	run->state_size = sizeof(Set) + plan->inner.state_size;
	return FERRIS_OK;
}
