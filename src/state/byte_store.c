/* state/byte_store.c -- blocks in a list, filled one after the other. */
#include "state/byte_store.h"

#include "base/memory.h"

struct ByteBlock {
	ByteBlock *next;
	size_t size; /* bytes behind this header */
	char data[];
};

void
byte_store_init(ByteStore *store, size_t block_size, Budget *budget)
{
	*store = (ByteStore){.block_size = block_size, .budget = budget};
}

void
byte_store_free(ByteStore *store)
{
	for (ByteBlock *block = store->first, *next; block != NULL; block = next) {
		next = block->next;
		store->budget->used -= sizeof *block + block->size;
		memory_free(block);
	}
	byte_store_init(store, store->block_size, store->budget);
}

static void
byte_store_enter(ByteStore *store, ByteBlock *block)
{
	store->current = block;
	store->next = block->data;
	store->end = block->data + block->size;
}

void
byte_store_clear(ByteStore *store)
{
	if (store->first != NULL)
		byte_store_enter(store, store->first);
}

char *
byte_store_take(ByteStore *store, size_t size)
{
	ByteBlock **link = store->current != NULL ? &store->current->next : &store->first;

	if ((size_t)(store->end - store->next) < size || store->current == NULL) {
		/* Blocks left by a clear are used again when they are large enough. */
		if (*link == NULL || (*link)->size < size) {
			size_t bytes = size > store->block_size ? size : store->block_size;

			if (!budget_take(store->budget, sizeof(ByteBlock) + bytes))
				return NULL;
			ByteBlock *block = memory_alloc(sizeof *block + bytes);
			block->size = bytes;
			block->next = *link;
			*link = block;
		}
		byte_store_enter(store, *link);
	}
	char *p = store->next;
	store->next += size;
	return p;
}
