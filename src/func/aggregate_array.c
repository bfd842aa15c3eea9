/* func/aggregate_array.c -- ARRAY_AGG and STRING_AGG: all values, in order.
 *
 * Values are kept in the order they came in and sorted when the result is wanted, if ORDER BY or a
 * merge asks for it.  A row that is taken back is the earliest that is like it; in a frame that
 * slides that is the first one. */
#include <stdlib.h>

#include "func/aggregate_entry.h"
#include "func/function.h"

#define FIRST_CAPACITY 4

typedef struct Entries {
	Entry *entry;
	size_t start; /* those before it have been taken back */
	size_t end;
	size_t capacity;
	bool sorted;
} Entries;

typedef struct ArrayState {
	Entries *list; /* NULL while it is empty */
} ArrayState;

static Entries *
need_list(const AggregateRun *run, ArrayState *state)
{
	if (state->list == NULL) {
		state->list = aggregate_alloc(run->memory, sizeof *state->list);
		state->list->sorted = true;
	}
	return state->list;
}

/* Room for one more at the end. */
static void
make_room(const AggregateRun *run, Entries *list)
{
	if (list->end < list->capacity)
		return;
	if (list->start > list->capacity / 2) {
		size_t count = list->end - list->start;

		memmove(list->entry, list->entry + list->start, count * sizeof *list->entry);
		list->start = 0;
		list->end = count;
		return;
	}
	size_t capacity = list->capacity > 0 ? list->capacity * 2 : FIRST_CAPACITY;
	list->entry =
		aggregate_resize(run->memory, list->entry, list->capacity * sizeof *list->entry,
				 capacity * sizeof *list->entry);
	list->capacity = capacity;
}

static void
append(const AggregateRun *run, Entries *list, const Entry *entry)
{
	make_room(run, list);
	Entry *place = &list->entry[list->end];
	*place = (Entry){0};
	entry_keep(run, place, entry);
	if (list->sorted && list->end > list->start)
		list->sorted = entry_compare(run, place - 1, place) <= 0;
	list->end++;
}

static int
compare_entries(const void *a, const void *b, void *run)
{
	return entry_compare(run, a, b);
}

static void
sort(const AggregateRun *run, Entries *list)
{
	AggregateRun copy = *run; /* qsort_r wants it without const */

	if (!list->sorted)
		qsort_r(list->entry + list->start, list->end - list->start, sizeof *list->entry,
			compare_entries, &copy);
	list->sorted = true;
}

typedef struct Joining {
	Str separator;
} Joining;

/* STRING_AGG has a separator, ARRAY_AGG no plan. */
Status
array_open(AggregateRun *run, Arena *arena, Error *err)
{
	Value separator = {0};

	run->state_size = sizeof(ArrayState);
	if (run->call->type->kind == TYPE_ARRAY)
		return FERRIS_OK;
	Joining *plan = ARENA_NEW(arena, Joining);
	plan->separator = STR(",");
	if (run->call->arg_count > 1) {
		TRY(aggregate_constant(arena, run->call, 1, "separator", &separator, err));
		plan->separator = separator.is_null ? STR("") : separator.text;
	}
	run->plan = plan;
	return FERRIS_OK;
}

static void
take_back(const AggregateRun *run, Entries *list, const Entry *entry)
{
	size_t i = list->start;

	while (i < list->end && !entry_equal(run, &list->entry[i], entry))
		i++;
	if (i == list->end)
		return;
	entry_drop(run, &list->entry[i]);
	if (i == list->start) {
		list->start++;
		return;
	}
	memmove(&list->entry[i], &list->entry[i + 1], (list->end - i - 1) * sizeof *list->entry);
	list->end--;
}

static void
array_rows(const AggregateRun *run, const AggregateRows *rows, bool retract)
{
	Buffer value_scratch;
	Buffer order_scratch;

	buffer_init(&value_scratch, SIZE_MAX);
	buffer_init(&order_scratch, SIZE_MAX);
	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t row = aggregate_row_at(rows, k);

		if (vector_is_null(rows->args[0], row))
			continue;
		Entries *list = need_list(run, aggregate_state_at(run, rows, k));
		Entry entry = entry_read(run, rows, row, &value_scratch, &order_scratch);
		if (retract)
			take_back(run, list, &entry);
		else
			append(run, list, &entry);
	}
	buffer_free(&value_scratch);
	buffer_free(&order_scratch);
}

void
array_add(const AggregateRun *run, const AggregateRows *rows)
{
	array_rows(run, rows, false);
}

void
array_retract(const AggregateRun *run, const AggregateRows *rows)
{
	array_rows(run, rows, true);
}

void
array_merge(const AggregateRun *run, void *into, const void *from)
{
	const Entries *other = ((const ArrayState *)from)->list;

	for (size_t i = other != NULL ? other->start : 0; other != NULL && i < other->end; i++)
		append(run, need_list(run, into), &other->entry[i]);
}

void
array_release(const AggregateRun *run, void *state)
{
	ArrayState *s = state;

	if (s->list == NULL)
		return;
	for (size_t i = s->list->start; i < s->list->end; i++)
		entry_drop(run, &s->list->entry[i]);
	aggregate_free(run->memory, s->list->entry, s->list->capacity * sizeof(Entry));
	aggregate_free(run->memory, s->list, sizeof *s->list);
	s->list = NULL;
}

void
array_save(const AggregateRun *run, const void *state, Buffer *out)
{
	const Entries *list = ((const ArrayState *)state)->list;
	size_t count = list != NULL ? list->end - list->start : 0;

	state_put64(out, count);
	for (size_t i = 0; i < count; i++)
		entry_save(run, &list->entry[list->start + i], out);
}

bool
array_load(const AggregateRun *run, void *state, const char *data, size_t len)
{
	StateReader in = state_reader(data, len);
	uint64_t count = state_take64(&in);
	bool good = !in.failed;

	for (uint64_t i = 0; good && i < count; i++) {
		Entry entry = {0};

		good = entry_load(run, &entry, &in);
		if (good)
			append(run, need_list(run, state), &entry);
		entry_drop(run, &entry);
	}
	if (good && state_done(&in))
		return true;
	array_release(run, state);
	return false;
}

/* ---- ARRAY_AGG ---- */

Status
aggregate_result_array(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		       Error *err)
{
	(void)count, (void)err;
	*type = type_array(arena, args[0]->type);
	return FERRIS_OK;
}

Status
array_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	   Str *message)
{
	Entries *list = ((const ArrayState *)state)->list;

	(void)message;
	if (list == NULL || list->start == list->end)
		return aggregate_emit_null(out, row);
	sort(run, list);
	uint32_t count = (uint32_t)(list->end - list->start);
	uint32_t first = vector_list_append(out, count);
	VECTOR_DATA(out, ListEntry)[row] = (ListEntry){first, count};
	for (uint32_t i = 0; i < count; i++)
		cell_write(entry_value_type(run), &list->entry[list->start + i].value,
			   &out->children[0], first + i, heap);
	return FERRIS_OK;
}

/* ---- STRING_AGG ---- */

Status
joined_emit(const AggregateRun *run, const void *state, Vector *out, uint32_t row, Arena *heap,
	    Str *message)
{
	Entries *list = ((const ArrayState *)state)->list;
	Str separator = ((const Joining *)run->plan)->separator;
	size_t size = 0;

	if (list == NULL || list->start == list->end)
		return aggregate_emit_null(out, row);
	sort(run, list);
	for (size_t i = list->start; i < list->end; i++)
		size += list->entry[i].value.bytes.len + (i > list->start ? separator.len : 0);
	if (size > INT32_MAX) {
		*message = str_format(heap, "%.*s makes a text of %zu bytes; the longest is %d",
				      STR_ARG(run->call->name), size, INT32_MAX);
		vector_set_null(out, row);
		return FERRIS_ERR_OUT_OF_RANGE;
	}
	char *text = arena_alloc(heap, size);
	char *p = text;
	for (size_t i = list->start; i < list->end; i++) {
		const Cell *value = &list->entry[i].value;

		if (i > list->start && separator.len > 0) {
			memcpy(p, separator.data, separator.len);
			p += separator.len;
		}
		if (value->bytes.len > 0)
			memcpy(p, value->bytes.data, value->bytes.len);
		p += value->bytes.len;
	}
	VECTOR_DATA(out, StringView)[row] = (StringView){text, (uint32_t)size, 0};
	return FERRIS_OK;
}
