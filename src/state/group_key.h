/* state/group_key.h -- the keys of a GroupTable as records of 64-bit words.
 *
 * A record starts with one bit per key column (1 = NULL), then has a lane per column:
 *
 *     BOOL, INT64, DOUBLE   one word; a double is normalised to one NaN and one zero
 *     INT128, INTERVAL      two words; an interval is compared by its three fields as they are
 *     VIEW                  two words: length and the first 12 bytes, zero-filled; or, of a longer
 *                           text, length, its first 4 bytes and a pointer to all of them
 *     LIST, STRUCT          the value's bytes as group_nested_write makes them, held like a text;
 *                           a MAP's entries are compared in the order in which they are
 *
 * The lane of a NULL is zero.  So keys without long texts are equal if their words are, and one
 * comparison serves all types.  Records in scratch point to bytes that die with the batch; a record
 * that is kept gets copies. */
#pragma once

#include "base/buffer.h"
#include "state/byte_store.h"
#include "type/vector.h"

#define GROUP_KEY_ROWS    256 /* rows that one encode handles: its records stay in the L1 cache */
#define GROUP_TEXT_INLINE 12

typedef struct KeyColumn {
	const Type *type;
	Physical physical;
	uint32_t lane; /* first word of its lane */
} KeyColumn;

typedef struct KeyLayout {
	KeyColumn *columns;
	uint32_t column_count;
	uint32_t words; /* of a record */
	bool has_text;  /* words may differ and yet be equal: pointers */
} KeyLayout;

/* The keys of some rows, made by group_key_encode. */
typedef struct KeyScratch {
	uint64_t *words; /* layout->words per row */
	uint64_t hashes[GROUP_KEY_ROWS];
	Buffer nested; /* one nested value being written */
	Arena bytes;   /* nested values of the rows */
} KeyScratch;

void key_layout_init(KeyLayout *layout, const Type *const *types, uint32_t count);
void key_layout_free(KeyLayout *layout);
void key_scratch_init(KeyScratch *scratch, const KeyLayout *layout);
void key_scratch_free(KeyScratch *scratch);

/* Records and hashes of the rows sel[0..count), count <= GROUP_KEY_ROWS. */
void group_key_encode(const KeyLayout *layout, KeyScratch *scratch, const Vector *const *keys,
		      const uint16_t *sel, uint32_t count);
/* Asks for the long texts of kept records (some NULL) that will be compared with the rows; guesses
 * from the first row whether there are any. */
void group_key_prefetch_texts(const KeyLayout *layout, const KeyScratch *scratch, uint32_t count,
			      char *const *records);
/* The same key, though the words differ? */
bool group_key_equal_texts(const KeyLayout *layout, const uint64_t *a, const uint64_t *b);
/* Copies a record of scratch and the bytes it points to; false when the budget is spent. */
bool group_key_keep(const KeyLayout *layout, const uint64_t *from, uint64_t *to, ByteStore *store);
/* Writes column `column` of a kept record to `row` of a vector. */
void group_key_write(const KeyLayout *layout, uint32_t column, const uint64_t *key, Vector *out,
		     uint32_t row);

/* ---- nested values (group_nested.c) ---- */

/* Appends the value at `row`; equal bytes mean equal values of one type. */
void group_nested_write(Buffer *out, const Vector *vector, uint32_t row);
/* Reads it back to `row`; texts stay views of the bytes.  Returns the end of the value, or NULL if
 * the bytes are not what was written; then the row is undefined. */
const char *group_nested_read(const char *bytes, const char *end, Vector *vector, uint32_t row);

/* One NaN, one zero. */
static inline uint64_t
group_double_bits(double value)
{
	uint64_t bits;

	if (value != value)
		return UINT64_C(0x7FF8000000000000);
	value += 0.0; /* -0.0 becomes 0.0 */
	memcpy(&bits, &value, sizeof bits);
	return bits;
}
