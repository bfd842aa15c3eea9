/* func/aggregate_first.c -- FIRST and LAST, and the places that rows have in their order. */
#include "func/aggregate_entry.h"

/* ---- entries ---- */

Entry
entry_read(const AggregateRun *run, const AggregateRows *rows, uint32_t row, Buffer *value_scratch,
	   Buffer *order_scratch)
{
	Entry entry = {.value = cell_read(rows->args[0], row, value_scratch),
		       .sequence = rows->sequence + row};

	if (run->call->order == NULL)
		return entry;
	entry.order_null = vector_is_null(rows->order, row);
	if (!entry.order_null)
		entry.order = cell_read(rows->order, row, order_scratch);
	return entry;
}

void
entry_keep(const AggregateRun *run, Entry *into, const Entry *from)
{
	cell_keep(run->memory, entry_value_type(run), &into->value, from->value);
	if (run->call->order != NULL && !from->order_null)
		cell_keep(run->memory, run->call->order->type, &into->order, from->order);
	into->sequence = from->sequence;
	into->order_null = from->order_null;
}

void
entry_drop(const AggregateRun *run, Entry *entry)
{
	cell_drop(run->memory, entry_value_type(run), &entry->value);
	if (run->call->order != NULL)
		cell_drop(run->memory, run->call->order->type, &entry->order);
}

static int
order_compare(const AggregateRun *run, const Entry *a, const Entry *b)
{
	int order = 0;

	if (run->call->order == NULL)
		return 0;
	if (a->order_null || b->order_null)
		order = (int)a->order_null - (int)b->order_null;
	else
		order = cell_compare(run->call->order->type, &a->order, &b->order);
	return run->call->descending ? -order : order;
}

int
entry_compare(const AggregateRun *run, const Entry *a, const Entry *b)
{
	int order = order_compare(run, a, b);

	return order != 0 ? order : (a->sequence > b->sequence) - (a->sequence < b->sequence);
}

bool
entry_equal(const AggregateRun *run, const Entry *a, const Entry *b)
{
	return cell_compare(entry_value_type(run), &a->value, &b->value) == 0 &&
	       order_compare(run, a, b) == 0;
}

void
entry_save(const AggregateRun *run, const Entry *entry, Buffer *out)
{
	cell_save(entry_value_type(run), &entry->value, out);
	state_put64(out, entry->sequence);
	state_put64(out, entry->order_null);
	if (run->call->order != NULL)
		cell_save(run->call->order->type, &entry->order, out);
}

bool
entry_load(const AggregateRun *run, Entry *entry, StateReader *in)
{
	if (!cell_load(run->memory, entry_value_type(run), &entry->value, in))
		return false;
	entry->sequence = state_take64(in);
	entry->order_null = state_take64(in);
	if (in->failed || entry->order_null > 1)
		return false;
	return run->call->order == NULL ||
	       cell_load(run->memory, run->call->order->type, &entry->order, in);
}

/* ---- FIRST and LAST ---- */

typedef struct Outermost {
	Entry entry;
	uint64_t seen;
} Outermost;

static void
offer(const AggregateRun *run, Outermost *state, const Entry *entry, bool last)
{
	if (state->seen) {
		int order = entry_compare(run, entry, &state->entry);
		if (last ? order < 0 : order >= 0)
			return;
	}
	entry_keep(run, &state->entry, entry);
	state->seen = true;
}

/* Without ORDER BY, and a value that needs no bytes: the row's number alone decides. */
static inline void
offer_fixed(Outermost *state, const Vector *v, uint32_t at, uint64_t sequence, bool last)
{
	if (state->seen &&
	    (last ? sequence < state->entry.sequence : sequence >= state->entry.sequence))
		return;
	state->entry.value = cell_read(v, at, NULL);
	state->entry.sequence = sequence;
	state->seen = true;
}

static void
outermost_add(const AggregateRun *run, const AggregateRows *rows, bool last)
{
	const Vector *v = rows->args[0];
	Buffer value_scratch;
	Buffer order_scratch;

	if (run->call->order == NULL && !cell_has_bytes(v->type) && !v->constant) {
		AGGREGATE_LOOP(run, rows, v, Outermost,
			       offer_fixed(state, v, at, rows->sequence + at, last));
		return;
	}
	buffer_init(&value_scratch, SIZE_MAX);
	buffer_init(&order_scratch, SIZE_MAX);
	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t row = aggregate_row_at(rows, k);

		if (vector_is_null(v, row))
			continue;
		Entry entry = entry_read(run, rows, row, &value_scratch, &order_scratch);
		offer(run, aggregate_state_at(run, rows, k), &entry, last);
	}
	buffer_free(&value_scratch);
	buffer_free(&order_scratch);
}

static void
outermost_merge(const AggregateRun *run, void *into, const void *from, bool last)
{
	const Outermost *other = from;

	if (other->seen)
		offer(run, into, &other->entry, last);
}

static void
outermost_release(const AggregateRun *run, void *state)
{
	Outermost *s = state;

	entry_drop(run, &s->entry);
	*s = (Outermost){0};
}

static void
outermost_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Outermost *s = state;

	state_put64(out, s->seen);
	if (s->seen)
		entry_save(run, &s->entry, out);
}

static bool
outermost_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	Outermost *s = state;
	StateReader in = state_reader(data, len);

	s->seen = state_take64(&in);
	if (s->seen <= 1 && (!s->seen || entry_load(run, &s->entry, &in)) && state_done(&in))
		return true;
	outermost_release(run, state);
	return false;
}

Status
outermost_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	       Str *message)
{
	const Outermost *s = state;

	(void)message;
	if (!s->seen)
		return aggregate_emit_null(out, row);
	cell_write(entry_value_type(run), &s->entry.value, out, row, heap);
	return FERRIS_OK;
}

#define OUTERMOST(family, last)                                                                    \
	Status family##_open(AggregateRun *run, Arena *arena, Error *err)                          \
	{                                                                                          \
		(void)arena, (void)err;                                                            \
		run->state_size = sizeof(Outermost);                                               \
		return FERRIS_OK;                                                                  \
	}                                                                                          \
	void family##_add(const AggregateRun *run, const AggregateRows *rows)                      \
	{                                                                                          \
		outermost_add(run, rows, last);                                                    \
	}                                                                                          \
	void family##_merge(const AggregateRun *run, void *into, const void *from)                 \
	{                                                                                          \
		outermost_merge(run, into, from, last);                                            \
	}                                                                                          \
	void family##_release(const AggregateRun *run, void *state)                                \
	{                                                                                          \
		outermost_release(run, state);                                                     \
	}                                                                                          \
	void family##_save(const AggregateRun *run, const void *state, Buffer *out)                \
	{                                                                                          \
		outermost_save(run, state, out);                                                   \
	}                                                                                          \
	bool family##_load(const AggregateRun *run, void *state, const char *data, size_t len)     \
	{                                                                                          \
		return outermost_load(run, state, data, len);                                      \
	}
OUTERMOST(first, false)
OUTERMOST(last, true)
