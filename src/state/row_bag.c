/* state/row_bag.c -- entries by hash, with linear probing, and their chains. */
#include "state/row_bag.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/memory.h"

#define FIRST_SLOTS 512

static void
make_slots(RowBag *bag, uint32_t count)
{
	bag->slots = memory_zero(sizeof *bag->slots * count);
	bag->slot_count = count;
}

void
row_bag_init(RowBag *bag, const Field *fields, uint32_t column_count)
{
	*bag = (RowBag){0};
	row_table_init(&bag->rows, fields, column_count);
	make_slots(bag, FIRST_SLOTS);
	bag->views = memory_alloc(sizeof *bag->views * (column_count + 1));
	buffer_init(&bag->wanted, SIZE_MAX);
	buffer_init(&bag->kept, SIZE_MAX);
}

void
row_bag_free(RowBag *bag)
{
	if (bag->slots == NULL)
		return;
	row_table_free(&bag->rows);
	memory_free(bag->entries);
	memory_free(bag->slots);
	memory_free(bag->views);
	buffer_free(&bag->wanted);
	buffer_free(&bag->kept);
	*bag = (RowBag){0};
}

void
row_bag_clear(RowBag *bag)
{
	row_table_clear(&bag->rows);
	memory_free(bag->entries);
	bag->entries = NULL;
	bag->entry_capacity = 0;
	memory_free(bag->slots);
	make_slots(bag, FIRST_SLOTS);
}

size_t
row_bag_bytes(const RowBag *bag)
{
	return row_table_bytes(&bag->rows) + sizeof *bag->entries * bag->entry_capacity +
	       sizeof *bag->slots * bag->slot_count;
}

/* ---------------------------------------------------------------- slots */

static void
fill_slot(RowBag *bag, uint32_t place)
{
	uint32_t mask = bag->slot_count - 1;
	uint32_t slot = (uint32_t)bag->entries[place].hash & mask;

	while (bag->slots[slot] != 0)
		slot = (slot + 1) & mask;
	bag->slots[slot] = place + 1;
}

/* At most half of the slots are used. */
static void
grow_slots(RowBag *bag)
{
	uint32_t *old = bag->slots;
	uint32_t count = bag->slot_count;

	if (bag->rows.rows <= count / 2)
		return;
	make_slots(bag, 2 * count);
	for (uint32_t i = 0; i < count; i++)
		if (old[i] != 0)
			fill_slot(bag, old[i] - 1);
	memory_free(old);
}

/* Entries behind the free slot move up if they belong before it. */
static void
free_slot(RowBag *bag, uint32_t place)
{
	uint32_t mask = bag->slot_count - 1;
	uint32_t hole = (uint32_t)bag->entries[place].hash & mask;

	while (bag->slots[hole] != place + 1)
		hole = (hole + 1) & mask;
	for (uint32_t slot = (hole + 1) & mask; bag->slots[slot] != 0; slot = (slot + 1) & mask) {
		uint32_t home = (uint32_t)bag->entries[bag->slots[slot] - 1].hash & mask;

		if (((slot - home) & mask) < ((slot - hole) & mask))
			continue;
		bag->slots[hole] = bag->slots[slot];
		hole = slot;
	}
	bag->slots[hole] = 0;
}

/* ---------------------------------------------------------------- entries */

static uint64_t
hash_of(const char *bytes, size_t len)
{
	return XXH3_64bits(bytes, len);
}

static bool
is_wanted(RowBag *bag, uint32_t place, uint64_t hash)
{
	if (bag->entries[place].hash != hash)
		return false;
	buffer_reset(&bag->kept);
	row_table_write(&bag->rows, place, &bag->kept);
	return bag->kept.len == bag->wanted.len &&
	       memcmp(bag->kept.data, bag->wanted.data, bag->kept.len) == 0;
}

uint32_t
row_bag_find(RowBag *bag, const Vector *columns, uint32_t row, uint64_t *hash)
{
	uint32_t mask = bag->slot_count - 1;

	for (uint32_t c = 0; c < bag->rows.column_count; c++)
		bag->views[c] = &columns[c];
	buffer_reset(&bag->wanted);
	record_write_row(&bag->wanted, bag->views, bag->rows.column_count, row);
	*hash = hash_of(bag->wanted.data, bag->wanted.len);
	for (uint32_t slot = (uint32_t)*hash & mask; bag->slots[slot] != 0;
	     slot = (slot + 1) & mask)
		if (is_wanted(bag, bag->slots[slot] - 1, *hash))
			return bag->slots[slot] - 1;
	return NO_PLACE;
}

/* The row is there; its entry comes behind `before` (0: first) in the chain. */
static void
enter(RowBag *bag, uint32_t place, uint64_t hash, uint32_t before, uint32_t *first)
{
	if (place >= bag->entry_capacity) {
		bag->entry_capacity = bag->rows.capacity;
		bag->entries =
			memory_resize(bag->entries, sizeof *bag->entries * bag->entry_capacity);
	}
	uint32_t *link = before != 0 ? &bag->entries[before - 1].after : first;
	bag->entries[place] = (BagEntry){.hash = hash, .before = before, .after = *link};
	if (*link != 0)
		bag->entries[*link - 1].before = place + 1;
	*link = place + 1;
	grow_slots(bag);
	fill_slot(bag, place);
}

uint32_t
row_bag_add(RowBag *bag, const Vector *columns, uint32_t row, uint64_t hash, uint32_t *first)
{
	uint32_t place = row_table_put(&bag->rows, NO_PLACE, columns, row);

	enter(bag, place, hash, 0, first);
	return place;
}

void
row_bag_remove(RowBag *bag, uint32_t place, uint32_t *first)
{
	const BagEntry *entry = &bag->entries[place];

	free_slot(bag, place);
	if (entry->before != 0)
		bag->entries[entry->before - 1].after = entry->after;
	else
		*first = entry->after;
	if (entry->after != 0)
		bag->entries[entry->after - 1].before = entry->before;
	row_table_drop(&bag->rows, place);
}

void
row_bag_remove_chain(RowBag *bag, uint32_t first)
{
	while (first != 0)
		row_bag_remove(bag, first - 1, &first);
}

/* ---------------------------------------------------------------- chains as bytes */

/* How many; of each its counts and its row. */
void
row_bag_write_chain(const RowBag *bag, uint32_t first, Buffer *out)
{
	size_t start = out->len;
	uint32_t count = 0;

	record_u32(out, 0);
	for (uint32_t at = first; at != 0; at = bag->entries[at - 1].after, count++) {
		record_u32(out, bag->entries[at - 1].count);
		record_u32(out, bag->entries[at - 1].matches);
		row_table_write(&bag->rows, at - 1, out);
	}
	memcpy(out->data + start, &count, sizeof count);
}

bool
row_bag_read_chain(RowBag *bag, RecordReader *reader, uint32_t *first)
{
	uint32_t total = record_take_u32(reader);
	uint32_t last = 0;

	*first = 0;
	for (uint32_t i = 0; i < total && !reader->damaged; i++) {
		uint32_t count = record_take_u32(reader);
		uint32_t matches = record_take_u32(reader);
		uint32_t place;

		if (reader->damaged || count == 0)
			return false;
		const char *end = row_table_read(&bag->rows, reader->next, reader->end, &place);
		if (end == NULL)
			return false;
		enter(bag, place, hash_of(reader->next, (size_t)(end - reader->next)), last, first);
		bag->entries[place].count = count;
		bag->entries[place].matches = matches;
		reader->next = end;
		last = place + 1;
	}
	return !reader->damaged;
}
