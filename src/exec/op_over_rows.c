/* exec/op_over_rows.c -- rows that wait for their turn or belong to an open frame.
 *
 * Rows are appended column by column to blocks of one batch's size; texts are packed behind each
 * other in the block's arena.  A block counts the holds on its rows and is used again when there is
 * none left, so a stream's rows pass through a few blocks without any allocation.  Rows never move;
 * when old rows of quiet partitions keep many nearly empty blocks, the operator copies what is left
 * (row_store_is_sparse). */
#include "base/memory.h"
#include "exec/op_over.h"

#define TEXT_BLOCK   ((size_t)16 << 10)
#define SPARSE_LEAST 32 /* blocks; fewer are never sparse */
#define SPARSE_SHARE 8

void
row_store_init(RowStore *store, const Type **types, const VectorForm *forms, uint32_t column_count)
{
	*store = (RowStore){.types = types, .forms = forms, .column_count = column_count};
}

static void
free_block(const RowStore *store, RowBlock *block)
{
	for (uint32_t c = 0; c < store->column_count; c++)
		vector_free(&block->columns[c]);
	memory_free(block->columns);
	arena_free(&block->texts);
	memory_free(block);
}

void
row_store_free(RowStore *store)
{
	for (uint32_t b = 0; b < store->block_count; b++)
		free_block(store, store->blocks[b]);
	memory_free(store->blocks);
	memory_free(store->free_blocks);
	memory_free(store->dropped);
	*store = (RowStore){0};
}

/* ---------------------------------------------------------------- blocks */

static void
empty_block(RowStore *store, RowBlock *block)
{
	for (uint32_t c = 0; c < store->column_count; c++)
		vector_reset(&block->columns[c]);
	arena_reset(&block->texts);
	block->count = 0;
}

static RowBlock *
new_block(RowStore *store)
{
	RowBlock *block = memory_zero(sizeof *block);

	block->columns = memory_zero(sizeof *block->columns * (store->column_count + 1));
	for (uint32_t c = 0; c < store->column_count; c++) {
		vector_init(&block->columns[c], store->types[c], store->forms[c], BATCH_CAPACITY);
		store->bytes += physical_size(vector_physical(&block->columns[c])) * BATCH_CAPACITY;
	}
	arena_init(&block->texts, TEXT_BLOCK);
	return block;
}

/* A block with room becomes the current one. */
static void
next_block(RowStore *store)
{
	if (store->free_count > 0) {
		store->current_number = store->free_blocks[--store->free_count];
		store->current = store->blocks[store->current_number];
		return;
	}
	if (store->block_count == store->capacity) {
		store->capacity = store->capacity > 0 ? store->capacity * 2 : 16;
		store->blocks =
			memory_resize(store->blocks, sizeof *store->blocks * store->capacity);
		store->free_blocks = memory_resize(store->free_blocks,
						   sizeof *store->free_blocks * store->capacity);
	}
	store->current_number = store->block_count;
	store->current = new_block(store);
	store->blocks[store->block_count++] = store->current;
}

static void
count_texts(RowStore *store, RowBlock *block)
{
	size_t bytes = arena_bytes(&block->texts);

	store->bytes += bytes - block->text_bytes;
	block->text_bytes = bytes;
}

/* ---------------------------------------------------------------- copying in */

static void
append_nulls(Vector *to, uint32_t at, const Vector *from, const uint16_t *sel, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (vector_is_null(from, sel[i]))
			vector_set_null(to, at + i);
}

/* Most texts are short: two words that overlap. */
static inline void
copy_bytes(char *to, const char *from, uint32_t len)
{
	uint64_t first, last;
	uint32_t low, high;

	if (len > 2 * sizeof first) {
		memcpy(to, from, len);
	} else if (len >= sizeof first) {
		memcpy(&first, from, sizeof first);
		memcpy(&last, from + len - sizeof last, sizeof last);
		memcpy(to, &first, sizeof first);
		memcpy(to + len - sizeof last, &last, sizeof last);
	} else if (len >= sizeof low) {
		memcpy(&low, from, sizeof low);
		memcpy(&high, from + len - sizeof high, sizeof high);
		memcpy(to, &low, sizeof low);
		memcpy(to + len - sizeof high, &high, sizeof high);
	} else {
		for (uint32_t i = 0; i < len; i++)
			to[i] = from[i];
	}
}

static void
append_texts(Vector *to, uint32_t at, const Vector *from, const uint16_t *sel, uint32_t count,
	     Arena *texts)
{
	const StringView *views = from->data;
	StringView *out = VECTOR_DATA(to, StringView) + at;
	uint32_t mask = from->constant ? 0 : UINT32_MAX;
	size_t total = 0;

	for (uint32_t i = 0; i < count; i++) {
		out[i] = vector_is_null(from, sel[i]) ? (StringView){0} : views[sel[i] & mask];
		total += out[i].len;
	}
	char *bytes = arena_alloc(texts, total);
	for (uint32_t i = 0; i < count; i++) {
		copy_bytes(bytes, out[i].data, out[i].len);
		out[i].data = bytes;
		bytes += out[i].len;
	}
}

static void
append_column(Vector *to, uint32_t at, const Vector *from, const uint16_t *sel, uint32_t count,
	      Arena *texts)
{
	Physical physical = vector_physical(from);
	size_t size = physical_size(physical);
	uint32_t mask = from->constant ? 0 : UINT32_MAX;

	if (physical == PHYSICAL_LIST || physical == PHYSICAL_STRUCT) {
		for (uint32_t i = 0; i < count; i++)
			vector_copy(to, at + i, from, sel[i], texts);
		return;
	}
	if (from->has_null)
		append_nulls(to, at, from, sel, count);
	if (physical == PHYSICAL_VIEW) {
		append_texts(to, at, from, sel, count, texts);
	} else if (size == sizeof(int64_t)) {
		const int64_t *in = from->data;
		int64_t *out = VECTOR_DATA(to, int64_t) + at;

		for (uint32_t i = 0; i < count; i++)
			out[i] = in[sel[i] & mask];
	} else {
		char *out = (char *)to->data + size * at;

		for (uint32_t i = 0; i < count; i++)
			memcpy(out + size * i, (const char *)from->data + size * (sel[i] & mask),
			       size);
	}
}

void
row_store_append(RowStore *store, const Vector *const *columns, const uint16_t *sel, uint32_t count,
		 RowRef *refs)
{
	while (count > 0) {
		if (store->current == NULL || store->current->count == BATCH_CAPACITY)
			next_block(store);
		RowBlock *block = store->current;
		uint32_t room = BATCH_CAPACITY - block->count;
		uint32_t some = count < room ? count : room;

		for (uint32_t c = 0; c < store->column_count; c++)
			append_column(&block->columns[c], block->count, columns[c], sel, some,
				      &block->texts);
		for (uint32_t i = 0; i < some; i++)
			refs[i] = store->current_number << ROW_BITS | (block->count + i);
		block->count += some;
		block->holds += some;
		store->holds += some;
		count_texts(store, block);
		sel += some;
		refs += some;
		count -= some;
	}
}

/* ---------------------------------------------------------------- copying out */

static void
gather_plain(const RowStore *store, uint32_t column, const RowRef *refs, uint32_t count,
	     Vector *out)
{
	size_t size = physical_size(vector_physical(out));

	for (uint32_t i = 0; i < count; i++) {
		const Vector *from = &row_block(store, refs[i])->columns[column];
		uint32_t row = refs[i] & ROW_MASK;

		if (vector_is_null(from, row))
			vector_set_null(out, i);
		memcpy((char *)out->data + size * i, (const char *)from->data + size * row, size);
	}
}

/* The same of 16 bytes, which need no call. */
static void
gather_wide(const RowStore *store, uint32_t column, const RowRef *refs, uint32_t count, Vector *out)
{
	StringView *to = out->data;

	for (uint32_t i = 0; i < count; i++) {
		const Vector *from = &row_block(store, refs[i])->columns[column];

		if (vector_is_null(from, refs[i] & ROW_MASK))
			vector_set_null(out, i);
		to[i] = VECTOR_DATA(from, StringView)[refs[i] & ROW_MASK];
	}
}

void
row_store_gather(const RowStore *store, uint32_t column, const RowRef *refs, uint32_t count,
		 Vector *out)
{
	Physical physical = vector_physical(out);

	if (physical == PHYSICAL_LIST || physical == PHYSICAL_STRUCT) {
		for (uint32_t i = 0; i < count; i++)
			vector_copy(out, i, &row_block(store, refs[i])->columns[column],
				    refs[i] & ROW_MASK, NULL);
		return;
	}
	if (physical_size(physical) == sizeof(StringView)) {
		gather_wide(store, column, refs, count, out);
		return;
	}
	if (physical_size(physical) != sizeof(int64_t)) {
		gather_plain(store, column, refs, count, out);
		return;
	}
	int64_t *to = out->data;
	for (uint32_t i = 0; i < count; i++) {
		const Vector *from = &row_block(store, refs[i])->columns[column];

		to[i] = VECTOR_DATA(from, int64_t)[refs[i] & ROW_MASK];
		if (vector_is_null(from, refs[i] & ROW_MASK))
			vector_set_null(out, i);
	}
}

/* ---------------------------------------------------------------- holds */

void
row_store_grow_dropped(RowStore *store)
{
	store->dropped_capacity =
		store->dropped_capacity > 0 ? store->dropped_capacity * 2 : 2 * BATCH_CAPACITY;
	store->dropped =
		memory_resize(store->dropped, sizeof *store->dropped * store->dropped_capacity);
}

void
row_store_drop(RowStore *store)
{
	store->holds -= store->dropped_count;
	for (uint32_t i = 0; i < store->dropped_count; i++) {
		RowBlock *block = row_block(store, store->dropped[i]);

		if (--block->holds > 0)
			continue;
		empty_block(store, block);
		if (block != store->current)
			store->free_blocks[store->free_count++] = store->dropped[i] >> ROW_BITS;
	}
	store->dropped_count = 0;
}

bool
row_store_is_sparse(const RowStore *store)
{
	uint64_t used = store->block_count - store->free_count;

	return used > SPARSE_LEAST && used * BATCH_CAPACITY / SPARSE_SHARE > store->holds;
}
