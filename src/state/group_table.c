/* state/group_table.c -- open addressing over records that never move.
 *
 * A group is a record (state/group_key.h) followed by its payload, in a slab; group g lies at place
 * g % slab_groups of slab g / slab_groups.  The hash table holds 64-bit slots: 32 bits of the hash
 * and the group's number + 1, or 0.  The slot of a hash is given by its highest bits and the next
 * free one after it, so that a table is doubled by one pass in order, without touching a key.
 *
 * A batch is handled GROUP_KEY_ROWS rows at a time, in three passes: encode and hash the keys; find
 * each row's candidate by its hash; compare.  The memory that a pass needs has been asked for by
 * the one before, so the misses of many rows overlap.  Rows that the fast passes do not settle (new
 * groups, hashes that are equal by chance) go the slow way, one by one. */
#include "state/group_table.h"

#include <assert.h>

#include "base/memory.h"
#include "state/group_key.h"
#include "state/group_table_test.h"

#define SLOT_BITS_MIN   8
#define SLOT_BITS_MAX   32
#define SLOT_BITS_SMALL 14 /* 128 KB: up to here a quarter is used, then half */
#define SLAB_BYTES_MAX  ((size_t)64 << 10)
#define SLAB_BYTES_MIN  ((size_t)4 << 10)
#define SLAB_SHARE      64 /* one slab is at most this part of the limit, if it can be */
#define SLAB_ALIGN      64
#define PREFETCH_AHEAD  16
#define HASH_BITS       32
#define HASHES_AT_ONCE  (1u << SLOT_BITS_MIN)

struct GroupTable {
	KeyLayout layout;
	KeyScratch *scratch;

	uint64_t *slots;
	uint32_t slot_bits; /* 2^slot_bits slots */
	uint32_t hash_mask; /* all bits, except in tests */

	char **slabs;
	uint32_t slab_count;
	uint32_t slab_capacity; /* of the array of slabs */
	uint32_t slab_shift;    /* 2^slab_shift groups in a slab */
	size_t key_bytes;       /* from a record to its payload */
	size_t stride;          /* from group to group */
	size_t payload_size;    /* with the tail */
	bool tailed;

	uint32_t count;
	uint32_t settled; /* rows of the last search, when it failed */
	ByteStore texts;
	Budget own; /* without a shared one */
	Budget *budget;
	size_t held; /* of the budget, without texts */
};

/* ---- birth and end ---- */

GroupTable *
group_table_new(const GroupTableSpec *spec)
{
	GroupTable *table = memory_zero(sizeof *table);
	size_t slab_bytes =
		(spec->budget != NULL ? spec->budget->limit : spec->byte_limit) / SLAB_SHARE;

	assert(spec->payload_size % 16 == 0);
	key_layout_init(&table->layout, spec->key_types, spec->key_count);
	table->scratch = memory_alloc(sizeof *table->scratch);
	key_scratch_init(table->scratch, &table->layout);
	table->key_bytes = (table->layout.words * sizeof(uint64_t) + 15) & ~(size_t)15;
	table->tailed = spec->tailed;
	table->payload_size = spec->payload_size + (spec->tailed ? sizeof(GroupTail) : 0);
	table->stride = table->key_bytes + table->payload_size;
	if (table->stride == 0)
		table->stride = 16;
	if (slab_bytes > SLAB_BYTES_MAX)
		slab_bytes = SLAB_BYTES_MAX;
	if (slab_bytes < SLAB_BYTES_MIN)
		slab_bytes = SLAB_BYTES_MIN;
	while (table->stride << (table->slab_shift + 1) <= slab_bytes)
		table->slab_shift++;
	table->slot_bits = SLOT_BITS_MIN;
	/* A pane's table lives for hundreds of groups: half of the time of making them would be
	 * growing step by step.  The slots are at most as many bytes as a slab. */
	while (spec->expected > UINT64_C(1) << table->slot_bits >> 2 &&
	       sizeof(uint64_t) << (table->slot_bits + 1) <= slab_bytes)
		table->slot_bits++;
	table->slots = memory_zero(sizeof(uint64_t) << table->slot_bits);
	table->hash_mask = UINT32_MAX;
	table->own.limit = spec->byte_limit;
	table->budget = spec->budget != NULL ? spec->budget : &table->own;
	table->held = sizeof *table + sizeof *table->scratch +
		      sizeof(uint64_t) * table->layout.words * GROUP_KEY_ROWS +
		      (sizeof(uint64_t) << table->slot_bits);
	table->budget->used += table->held;
	byte_store_init(&table->texts, slab_bytes, table->budget);
	return table;
}

void
group_table_destroy(GroupTable *table)
{
	if (table == NULL)
		return;
	for (uint32_t i = 0; i < table->slab_count; i++)
		memory_free(table->slabs[i]);
	memory_free(table->slabs);
	memory_free(table->slots);
	byte_store_free(&table->texts);
	table->budget->used -= table->held;
	key_scratch_free(table->scratch);
	memory_free(table->scratch);
	key_layout_free(&table->layout);
	memory_free(table);
}

void
group_table_clear(GroupTable *table)
{
	if (table->count > 0)
		memset(table->slots, 0, sizeof(uint64_t) << table->slot_bits);
	table->count = 0;
	byte_store_clear(&table->texts);
}

void
group_table_mask_hashes(GroupTable *table, uint32_t mask)
{
	assert(table->count == 0);
	table->hash_mask = mask;
}

/* ---- slots and records ---- */

static inline uint64_t *
group_record(const GroupTable *table, uint32_t group)
{
	char *slab = table->slabs[group >> table->slab_shift];
	size_t place = group & ((UINT32_C(1) << table->slab_shift) - 1);

	return (uint64_t *)(void *)(slab + place * table->stride);
}

static inline uint64_t
slot_make(uint32_t hash, uint32_t group)
{
	return (uint64_t)hash << HASH_BITS | (group + 1);
}

static inline uint32_t
slot_hash(uint64_t slot)
{
	return (uint32_t)(slot >> HASH_BITS);
}

static inline uint32_t
slot_group(uint64_t slot)
{
	return (uint32_t)slot - 1;
}

static inline uint32_t
row_hash(const GroupTable *table, uint32_t k)
{
	return (uint32_t)(table->scratch->hashes[k] >> HASH_BITS) & table->hash_mask;
}

/* Where the search for a hash begins. */
static inline size_t
slot_start(const GroupTable *table, uint32_t hash)
{
	return hash >> (HASH_BITS - table->slot_bits);
}

/* The first four words without a loop: `words` is mostly known when this is compiled. */
static inline __attribute__((always_inline)) bool
words_equal(const uint64_t *a, const uint64_t *b, uint32_t words)
{
	uint64_t difference = 0;

	if (words > 0)
		difference = a[0] ^ b[0];
	if (words > 1)
		difference |= a[1] ^ b[1];
	if (words > 2)
		difference |= a[2] ^ b[2];
	if (words > 3)
		difference |= a[3] ^ b[3];
	for (uint32_t i = 4; i < words; i++)
		difference |= a[i] ^ b[i];
	return difference == 0;
}

static inline __attribute__((always_inline)) bool
key_equal(const KeyLayout *layout, const uint64_t *a, const uint64_t *b, uint32_t words)
{
	return words_equal(a, b, words) ||
	       (layout->has_text && group_key_equal_texts(layout, a, b));
}

/* The key of row k, in scratch. */
static inline const uint64_t *
row_key(const GroupTable *table, uint32_t k)
{
	return table->scratch->words + (size_t)k * table->layout.words;
}

/* The slot of a key's group, or the free slot where it belongs. */
static size_t
find_slot(const GroupTable *table, uint32_t hash, const uint64_t *key)
{
	const KeyLayout *layout = &table->layout;
	size_t mask = ((size_t)1 << table->slot_bits) - 1;
	size_t at = slot_start(table, hash);

	for (; table->slots[at] != 0; at = (at + 1) & mask) {
		uint64_t slot = table->slots[at];

		if (slot_hash(slot) == hash &&
		    key_equal(layout, group_record(table, slot_group(slot)), key, layout->words))
			break;
	}
	return at;
}

/* ---- growth ---- */

static bool
take(GroupTable *table, size_t bytes)
{
	bool taken = budget_take(table->budget, bytes);

	table->held += taken ? bytes : 0;
	return taken;
}

/* Twice the slots.  Slots are in the order of their hashes, but for the end of the table, where a
 * run may have gone on at the start: taken in order they are written in order. */
static bool
grow_slots(GroupTable *table)
{
	size_t old_count = (size_t)1 << table->slot_bits;
	size_t mask = old_count * 2 - 1;
	uint64_t *old = table->slots;

	if (table->slot_bits == SLOT_BITS_MAX || !take(table, old_count * sizeof(uint64_t)))
		return false;
	table->slots = memory_zero(old_count * 2 * sizeof(uint64_t));
	table->slot_bits++;
	for (size_t i = 0; i < old_count; i++) {
		if (old[i] == 0)
			continue;
		size_t at = slot_start(table, slot_hash(old[i]));
		while (table->slots[at] != 0)
			at = (at + 1) & mask;
		table->slots[at] = old[i];
	}
	memory_free(old);
	return true;
}

static bool
add_slab(GroupTable *table)
{
	size_t bytes = table->stride << table->slab_shift;

	if (table->slab_count == table->slab_capacity) {
		uint32_t capacity = table->slab_capacity > 0 ? table->slab_capacity * 2 : 8;

		if (!take(table, (capacity - table->slab_capacity) * sizeof *table->slabs))
			return false;
		table->slabs = memory_resize(table->slabs, capacity * sizeof *table->slabs);
		table->slab_capacity = capacity;
	}
	if (!take(table, bytes))
		return false;
	table->slabs[table->slab_count++] = memory_aligned(SLAB_ALIGN, bytes);
	return true;
}

static Status
limit_error(const GroupTable *table, Error *err)
{
	if (table->count >= UINT32_MAX - 1)
		return error_set(err, FERRIS_ERR_LIMIT,
				 "a table of groups holds %u groups, more "
				 "cannot be numbered",
				 table->count);
	error_set(err, FERRIS_ERR_LIMIT,
		  "%u groups hold %zu bytes, and the limit of %zu bytes does not allow one more",
		  table->count, table->budget->used, table->budget->limit);
	return error_hint(err, "raise 'state.memory.limit', or group by keys with fewer values or "
			       "by a shorter window");
}

/* Makes a key's group and returns its payload, or NULL at the limit; then nothing has changed. */
static char *
new_group(GroupTable *table, uint32_t hash, const uint64_t *key, size_t at)
{
	uint64_t slots = UINT64_C(1) << table->slot_bits;
	uint32_t group = table->count;

	if (group >= UINT32_MAX - 1)
		return NULL;
	/* Without memory to grow the table may fill to 15/16. */
	uint64_t best = table->slot_bits <= SLOT_BITS_SMALL ? slots / 4 : slots / 2;
	if (group + 1 > best) {
		if (grow_slots(table))
			at = find_slot(table, hash, key);
		else if (((uint64_t)group + 1) * 16 > slots * 15)
			return NULL;
	}
	if (group >> table->slab_shift == table->slab_count && !add_slab(table))
		return NULL;
	uint64_t *record = group_record(table, group);
	if (!group_key_keep(&table->layout, key, record, &table->texts))
		return NULL;
	char *payload = (char *)record + table->key_bytes;
	memset(payload, 0, table->payload_size);
	if (table->tailed)
		((GroupTail *)(void *)(payload + table->payload_size))[-1].group = group;
	table->slots[at] = slot_make(hash, group);
	table->count++;
	return payload;
}

/* ---- finding ---- */

/* The slow way: probe, compare and make in one. */
static Status
settle_row(GroupTable *table, uint32_t k, char **payload, Error *err)
{
	uint32_t hash = row_hash(table, k);
	size_t at = find_slot(table, hash, row_key(table, k));
	uint64_t slot = table->slots[at];

	*payload = slot != 0 ? (char *)group_record(table, slot_group(slot)) + table->key_bytes
			     : new_group(table, hash, row_key(table, k), at);
	return *payload != NULL ? FERRIS_OK : limit_error(table, err);
}

/* candidates[k] becomes the record whose hash is row k's, or NULL.  The first two slots are looked
 * at without a branch: where a hash lies is chance, and a wrong guess costs more than a load. */
static inline __attribute__((always_inline)) void
find_candidates(const GroupTable *table, uint32_t count, char **candidates, bool large)
{
	const uint64_t *slots = table->slots;
	const uint64_t *hashes = table->scratch->hashes;
	uint32_t hash_mask = table->hash_mask;
	uint32_t shift = HASH_BITS - table->slot_bits;
	size_t mask = ((size_t)1 << table->slot_bits) - 1;

	for (uint32_t k = 0; k < count; k++) {
		uint32_t hash = (uint32_t)(hashes[k] >> HASH_BITS) & hash_mask;
		size_t at = hash >> shift;
		size_t next = (at + 1) & mask;

		if (large && k + PREFETCH_AHEAD < count)
			__builtin_prefetch(
				&slots[slot_start(table, row_hash(table, k + PREFETCH_AHEAD))]);
		uint64_t slot = slot_hash(slots[at]) == hash ? slots[at] : slots[next];
		while (__builtin_expect(slot_hash(slot) != hash && slot != 0, 0)) {
			next = (next + 1) & mask;
			slot = slots[next];
		}
		char *record = NULL;
		if (__builtin_expect(slot_hash(slot) == hash && slot != 0, 1)) {
			record = (char *)group_record(table, slot_group(slot));
			if (large)
				__builtin_prefetch(record);
		}
		candidates[k] = record;
	}
}

/* Candidates with the row's key become payloads; the other rows are settled one by one. */
static inline __attribute__((always_inline)) Status
compare_candidates(GroupTable *table, uint32_t words, uint32_t count, char **payloads, Error *err)
{
	const KeyLayout *layout = &table->layout;
	const uint64_t *key = table->scratch->words;

	for (uint32_t k = 0; k < count; k++, key += words) {
		const uint64_t *record = (const uint64_t *)(const void *)payloads[k];

		if (record != NULL && key_equal(layout, record, key, words))
			payloads[k] += table->key_bytes;
		else if (settle_row(table, k, &payloads[k], err) != FERRIS_OK) {
			table->settled = k;
			return err->status;
		}
	}
	return FERRIS_OK;
}

/* Encodes the rows' keys and finds their candidates. */
static void
start_rows(const GroupTable *table, const Vector *const *keys, const uint16_t *sel, uint32_t count,
	   char **candidates)
{
	group_key_encode(&table->layout, table->scratch, keys, sel, count);
	if (table->slot_bits <= SLOT_BITS_SMALL)
		find_candidates(table, count, candidates, false);
	else
		find_candidates(table, count, candidates, true);
	group_key_prefetch_texts(&table->layout, table->scratch, count, candidates);
}

static Status
find_rows(GroupTable *table, const Vector *const *keys, const uint16_t *sel, uint32_t count,
	  char **payloads, Error *err)
{
	start_rows(table, keys, sel, count, payloads);
	switch (table->layout.words) {
	case 2: /* one number */
		return compare_candidates(table, 2, count, payloads, err);
	case 3: /* one text, or two numbers */
		return compare_candidates(table, 3, count, payloads, err);
	case 4: /* a window and a text */
		return compare_candidates(table, 4, count, payloads, err);
	default:
		return compare_candidates(table, table->layout.words, count, payloads, err);
	}
}

Status
group_table_find(GroupTable *table, const Vector *const *keys, const uint16_t *sel, uint32_t count,
		 char **payloads, uint32_t *first_new, Error *err)
{
	bool constant = true;

	*first_new = table->count;
	if (count == 0)
		return FERRIS_OK;
	for (uint32_t c = 0; c < table->layout.column_count; c++)
		constant &= keys[c]->constant;
	if (constant) {
		TRY(find_rows(table, keys, sel, 1, payloads, err));
		for (uint32_t k = 1; k < count; k++)
			payloads[k] = payloads[0];
		return FERRIS_OK;
	}
	for (uint32_t done = 0; done < count; done += GROUP_KEY_ROWS) {
		uint32_t rows = count - done < GROUP_KEY_ROWS ? count - done : GROUP_KEY_ROWS;
		Status status = find_rows(table, keys, sel + done, rows, payloads + done, err);

		if (status != FERRIS_OK) {
			table->settled += done;
			return status;
		}
	}
	return FERRIS_OK;
}

uint32_t
group_table_settled(const GroupTable *table)
{
	return table->settled;
}

/* The payload of row k's group, or NULL. */
static char *
existing_payload(const GroupTable *table, uint32_t k)
{
	uint64_t slot = table->slots[find_slot(table, row_hash(table, k), row_key(table, k))];

	return slot != 0 ? (char *)group_record(table, slot_group(slot)) + table->key_bytes : NULL;
}

char *
group_table_get(const GroupTable *table, const Vector *const *keys, uint32_t row)
{
	uint16_t sel = (uint16_t)row;

	group_key_encode(&table->layout, table->scratch, keys, &sel, 1);
	return existing_payload(table, 0);
}

/* A row without a candidate has no group: nothing in the table has its hash. */
static void
get_rows(const GroupTable *table, const Vector *const *keys, const uint16_t *sel, uint32_t count,
	 char **payloads)
{
	const KeyLayout *layout = &table->layout;
	const uint64_t *key = table->scratch->words;

	start_rows(table, keys, sel, count, payloads);
	for (uint32_t k = 0; k < count; k++, key += layout->words) {
		const uint64_t *record = (const uint64_t *)(const void *)payloads[k];

		if (record == NULL)
			continue;
		if (__builtin_expect(key_equal(layout, record, key, layout->words), 1))
			payloads[k] += table->key_bytes;
		else
			payloads[k] = existing_payload(table, k);
	}
}

void
group_table_get_many(const GroupTable *table, const Vector *const *keys, const uint16_t *sel,
		     uint32_t count, char **payloads)
{
	for (uint32_t done = 0; done < count; done += GROUP_KEY_ROWS) {
		uint32_t rows = count - done < GROUP_KEY_ROWS ? count - done : GROUP_KEY_ROWS;

		get_rows(table, keys, sel + done, rows, payloads + done);
	}
}

/* ---- the same keys in two tables ---- */

/* The group of a key that another table keeps; false at the limit. */
static bool
match_key(GroupTable *table, uint32_t hash, const uint64_t *key, uint32_t *group)
{
	size_t at = find_slot(table, hash, key);
	uint64_t slot = table->slots[at];

	*group = slot != 0 ? slot_group(slot) : table->count;
	return slot != 0 || new_group(table, hash, key, at) != NULL;
}

/* The hashes of the groups first ..: each is in the group's slot only.  Which slots are free is
 * chance, so the others are gathered without a branch. */
static void
read_hashes(const GroupTable *table, uint32_t first, uint32_t *hashes)
{
	size_t slots = (size_t)1 << table->slot_bits;
	uint64_t taken[HASHES_AT_ONCE];

	for (size_t done = 0; done < slots; done += HASHES_AT_ONCE) {
		uint32_t count = 0;

		for (size_t at = done; at < done + HASHES_AT_ONCE; at++) {
			taken[count] = table->slots[at];
			count += table->slots[at] != 0;
		}
		for (uint32_t i = 0; i < count; i++)
			if (slot_group(taken[i]) >= first)
				hashes[slot_group(taken[i]) - first] = slot_hash(taken[i]);
	}
}

bool
group_table_match(GroupTable *table, const GroupTable *from, uint32_t first, uint32_t *groups)
{
	uint32_t count = from->count - first;

	assert(table->layout.words == from->layout.words && table->hash_mask == from->hash_mask);
	read_hashes(from, first, groups);
	for (uint32_t k = 0; k < count; k++) {
		if (k + PREFETCH_AHEAD < count)
			__builtin_prefetch(
				&table->slots[slot_start(table, groups[k + PREFETCH_AHEAD])]);
		if (!match_key(table, groups[k], group_record(from, first + k), &groups[k]))
			return false;
	}
	return true;
}

/* ---- reading ---- */

uint32_t
group_table_count(const GroupTable *table)
{
	return table->count;
}

char *
group_table_payload(const GroupTable *table, uint32_t group)
{
	assert(group < table->count);
	return (char *)group_record(table, group) + table->key_bytes;
}

void
group_table_keys(const GroupTable *table, uint32_t first, uint32_t count, Vector *const *out)
{
	assert(first + count <= table->count);
	for (uint32_t c = 0; c < table->layout.column_count; c++) {
		vector_reset(out[c]);
		for (uint32_t i = 0; i < count; i++)
			group_key_write(&table->layout, c, group_record(table, first + i), out[c],
					i);
	}
}

void
group_table_keys_of(const GroupTable *table, const uint32_t *groups, uint32_t count,
		    Vector *const *out)
{
	for (uint32_t c = 0; c < table->layout.column_count; c++) {
		vector_reset(out[c]);
		for (uint32_t i = 0; i < count; i++)
			group_key_write(&table->layout, c, group_record(table, groups[i]), out[c],
					i);
	}
}

void
group_table_key(const GroupTable *table, uint32_t group, Vector *const *out, uint32_t row)
{
	assert(group < table->count);
	for (uint32_t c = 0; c < table->layout.column_count; c++)
		group_key_write(&table->layout, c, group_record(table, group), out[c], row);
}

size_t
group_table_bytes(const GroupTable *table)
{
	return table->budget->used;
}
