/* func/aggregate_cell.c -- single values that outlive their batch: kept, compared, encoded. */
#include "func/aggregate_state.h"

#include <math.h>

#define CELL_ROOM_MIN 16

/* ---- cells ---- */

bool
cell_has_bytes(const Type *type)
{
	Physical physical = type_physical(type);

	return physical == PHYSICAL_VIEW || physical == PHYSICAL_LIST ||
	       physical == PHYSICAL_STRUCT;
}

Cell
cell_read(const Vector *v, uint32_t row, Buffer *scratch)
{
	uint32_t at = v->constant ? 0 : row;
	Cell cell = {0};

	switch (type_physical(v->type)) {
	case PHYSICAL_BOOL:
		cell.int64 = VECTOR_DATA(v, const uint8_t)[at];
		break;
	case PHYSICAL_INT64:
		cell.int64 = VECTOR_DATA(v, const int64_t)[at];
		break;
	case PHYSICAL_INT128:
		sum128_set(&cell.int128, (Uint128)VECTOR_DATA(v, const Int128)[at]);
		break;
	case PHYSICAL_DOUBLE:
		cell.real = VECTOR_DATA(v, const double)[at];
		break;
	case PHYSICAL_INTERVAL:
		cell.interval = VECTOR_DATA(v, const Interval)[at];
		break;
	case PHYSICAL_VIEW: {
		StringView view = VECTOR_DATA(v, const StringView)[at];
		/* Borrowed: only read until it is kept. */
		memcpy(&cell.bytes.data, &view.data, sizeof view.data);
		cell.bytes.len = view.len;
		break;
	}
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT:
		buffer_reset(scratch);
		cell_encode(v, row, false, scratch);
		cell.bytes.data = scratch->data;
		cell.bytes.len = (uint32_t)scratch->len;
		break;
	}
	return cell;
}

void
cell_keep(AggregateMemory *memory, const Type *type, Cell *into, Cell value)
{
	if (!cell_has_bytes(type)) {
		*into = value;
		return;
	}
	uint32_t len = value.bytes.len;
	if (into->bytes.capacity < len || into->bytes.data == NULL) {
		uint32_t room = len < CELL_ROOM_MIN ? CELL_ROOM_MIN : len;

		aggregate_free(memory, into->bytes.data, into->bytes.capacity);
		into->bytes.data = aggregate_alloc(memory, room);
		into->bytes.capacity = room;
	}
	if (len > 0)
		memcpy(into->bytes.data, value.bytes.data, len);
	into->bytes.len = len;
}

void
cell_drop(AggregateMemory *memory, const Type *type, Cell *cell)
{
	if (cell_has_bytes(type))
		aggregate_free(memory, cell->bytes.data, cell->bytes.capacity);
	*cell = (Cell){0};
}

static int
compare_reals(double a, double b)
{
	if (isnan(a) || isnan(b))
		return isnan(a) - isnan(b);
	return (a > b) - (a < b);
}

/* Of equal lengths, the one with fewer months comes first: so the order is total. */
static int
compare_intervals(Interval a, Interval b)
{
	int order = interval_compare(a, b);

	if (order == 0)
		order = (a.months > b.months) - (a.months < b.months);
	return order != 0 ? order : (a.days > b.days) - (a.days < b.days);
}

int
cell_compare(const Type *type, const Cell *a, const Cell *b)
{
	switch (type_physical(type)) {
	case PHYSICAL_BOOL:
	case PHYSICAL_INT64:
		return (a->int64 > b->int64) - (a->int64 < b->int64);
	case PHYSICAL_INT128: {
		Int128 x = (Int128)sum128_get(&a->int128);
		Int128 y = (Int128)sum128_get(&b->int128);
		return (x > y) - (x < y);
	}
	case PHYSICAL_DOUBLE:
		return compare_reals(a->real, b->real);
	case PHYSICAL_INTERVAL:
		return compare_intervals(a->interval, b->interval);
	default:
		return text_compare((StringView){a->bytes.data, a->bytes.len, 0},
				    (StringView){b->bytes.data, b->bytes.len, 0});
	}
}

void
cell_write(const Type *type, const Cell *cell, Vector *out, uint32_t row, Arena *heap)
{
	switch (type_physical(type)) {
	case PHYSICAL_BOOL:
		VECTOR_DATA(out, uint8_t)[row] = cell->int64 != 0;
		break;
	case PHYSICAL_INT64:
		VECTOR_DATA(out, int64_t)[row] = cell->int64;
		break;
	case PHYSICAL_INT128:
		VECTOR_DATA(out, Int128)[row] = (Int128)sum128_get(&cell->int128);
		break;
	case PHYSICAL_DOUBLE:
		VECTOR_DATA(out, double)[row] = cell->real;
		break;
	case PHYSICAL_INTERVAL:
		VECTOR_DATA(out, Interval)[row] = cell->interval;
		break;
	case PHYSICAL_VIEW: {
		char *data = arena_copy(heap, cell->bytes.data, cell->bytes.len);
		VECTOR_DATA(out, StringView)[row] = (StringView){data, cell->bytes.len, 0};
		break;
	}
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT: {
		StateReader in = state_reader(cell->bytes.data, cell->bytes.len);
		if (!cell_decode(&in, out, row, heap))
			vector_set_null(out, row);
		break;
	}
	}
}

void
cell_save(const Type *type, const Cell *cell, Buffer *out)
{
	if (!cell_has_bytes(type)) {
		buffer_append(out, cell, sizeof *cell);
		return;
	}
	state_put64(out, cell->bytes.len);
	buffer_append(out, cell->bytes.data, cell->bytes.len);
}

bool
cell_load(AggregateMemory *memory, const Type *type, Cell *cell, StateReader *in)
{
	if (!cell_has_bytes(type)) {
		const char *p = state_take(in, sizeof *cell);

		if (p != NULL)
			memcpy(cell, p, sizeof *cell);
		return p != NULL;
	}
	uint64_t len = state_take64(in);
	const char *p = len <= UINT32_MAX ? state_take(in, len) : NULL;
	Cell borrowed = {0};

	if (p == NULL)
		return false;
	memcpy(&borrowed.bytes.data, &p, sizeof p);
	borrowed.bytes.len = (uint32_t)len;
	cell_keep(memory, type, cell, borrowed);
	return true;
}

/* ---- encoded values ---- */

#define TAG_NULL  0
#define TAG_VALUE 1

static void
put32(Buffer *out, uint32_t v)
{
	buffer_append(out, &v, 4);
}

static double
one_zero_one_nan(double v)
{
	return isnan(v) ? (double)NAN : v + 0.0;
}

void
cell_encode(const Vector *v, uint32_t row, bool as_key, Buffer *out)
{
	uint32_t at = v->constant ? 0 : row;

	if (vector_is_null(v, row)) {
		buffer_append_char(out, TAG_NULL);
		return;
	}
	buffer_append_char(out, TAG_VALUE);
	switch (type_physical(v->type)) {
	case PHYSICAL_BOOL:
		buffer_append(out, &VECTOR_DATA(v, const uint8_t)[at], 1);
		break;
	case PHYSICAL_INT64:
		buffer_append(out, &VECTOR_DATA(v, const int64_t)[at], 8);
		break;
	case PHYSICAL_INT128:
		buffer_append(out, &VECTOR_DATA(v, const Int128)[at], 16);
		break;
	case PHYSICAL_DOUBLE: {
		double real = VECTOR_DATA(v, const double)[at];
		if (as_key)
			real = one_zero_one_nan(real);
		buffer_append(out, &real, 8);
		break;
	}
	case PHYSICAL_INTERVAL:
		buffer_append(out, &VECTOR_DATA(v, const Interval)[at], sizeof(Interval));
		break;
	case PHYSICAL_VIEW: {
		StringView view = VECTOR_DATA(v, const StringView)[at];
		put32(out, view.len);
		buffer_append(out, view.data, view.len);
		break;
	}
	case PHYSICAL_LIST: {
		ListEntry list = VECTOR_DATA(v, const ListEntry)[at];
		put32(out, list.len);
		for (uint32_t i = 0; i < list.len; i++)
			for (uint32_t c = 0; c < v->child_count; c++)
				cell_encode(&v->children[c], list.offset + i, as_key, out);
		break;
	}
	case PHYSICAL_STRUCT:
		for (uint32_t c = 0; c < v->child_count; c++)
			cell_encode(&v->children[c], at, as_key, out);
		break;
	case PHYSICAL_COUNT:
		break;
	}
}

static bool
decode_list(StateReader *in, Vector *out, uint32_t row, Arena *heap)
{
	const char *p = state_take(in, 4);
	uint32_t len = 0;

	if (p != NULL)
		memcpy(&len, p, 4);
	/* An element has at least its tag. */
	if (p == NULL || (size_t)(in->end - in->next) < len)
		return false;
	uint32_t first = vector_list_append(out, len);
	VECTOR_DATA(out, ListEntry)[row] = (ListEntry){first, len};
	for (uint32_t i = 0; i < len; i++)
		for (uint32_t c = 0; c < out->child_count; c++)
			if (!cell_decode(in, &out->children[c], first + i, heap))
				return false;
	return true;
}

static bool
decode_text(StateReader *in, Vector *out, uint32_t row, Arena *heap)
{
	const char *p = state_take(in, 4);
	uint32_t len = 0;

	if (p != NULL)
		memcpy(&len, p, 4);
	p = p != NULL ? state_take(in, len) : NULL;
	if (p == NULL)
		return false;
	VECTOR_DATA(out, StringView)[row] = (StringView){arena_copy(heap, p, len), len, 0};
	return true;
}

bool
cell_decode(StateReader *in, Vector *out, uint32_t row, Arena *heap)
{
	Physical physical = type_physical(out->type);
	size_t size = physical_size(physical);
	const char *tag = state_take(in, 1);

	if (tag == NULL || (*tag != TAG_NULL && *tag != TAG_VALUE))
		return false;
	if (*tag == TAG_NULL) {
		vector_set_null(out, row);
		return true;
	}
	vector_set_valid(out, row);
	if (physical == PHYSICAL_VIEW)
		return decode_text(in, out, row, heap);
	if (physical == PHYSICAL_LIST)
		return decode_list(in, out, row, heap);
	if (physical == PHYSICAL_STRUCT) {
		for (uint32_t c = 0; c < out->child_count; c++)
			if (!cell_decode(in, &out->children[c], row, heap))
				return false;
		return true;
	}
	const char *p = state_take(in, size);
	if (p == NULL || (physical == PHYSICAL_BOOL && (unsigned char)*p > 1))
		return false;
	memcpy((char *)out->data + size * row, p, size);
	return true;
}
