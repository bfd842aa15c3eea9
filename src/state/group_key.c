/* state/group_key.c -- key columns to records and hashes, a column at a time, and back.
 *
 * The hash is wyhash's: multiply 64 x 64 bits to 128 and fold the halves.  Its seeds are fixed;
 * nothing that a query returns depends on it. */
#include "state/group_key.h"

#include <assert.h>
#include <emmintrin.h>

#include "base/memory.h"
#include "type/decimal.h"
#include "type/temporal.h"

#define HASH_SEED UINT64_C(0xA0761D6478BD642F)
#define HASH_WORD UINT64_C(0x9E3779B97F4A7C15)
#define HASH_TEXT UINT64_C(0xE7037ED1A0B428DB)
#define HASH_TAIL UINT64_C(0x8EBC6AF09C88C6E3)
#define HASH_NULL UINT64_C(0x589965CC75374CC3)

/* A text lane. */
typedef struct TextLane {
	uint64_t first;  /* length, and 4 bytes */
	uint64_t second; /* 8 bytes, or a pointer */
} TextLane;

/* One column of the rows being encoded. */
typedef struct ColumnRows {
	const Vector *vector;
	const uint16_t *sel;
	uint32_t row_mask; /* 0 for a constant: every row is row 0 */
	uint32_t count;
	uint64_t *hashes;
	uint64_t *lane;  /* of the first row */
	uint64_t *nulls; /* the word with the column's NULL bit, of the first row */
	uint64_t null_bit;
	uint32_t step; /* words from record to record */
} ColumnRows;

/* ---- layout ---- */

void
key_layout_init(KeyLayout *layout, const Type *const *types, uint32_t count)
{
	*layout = (KeyLayout){.column_count = count};
	layout->columns = memory_zero(sizeof(KeyColumn) * count);
	layout->words = (uint32_t)BITMAP_WORDS(count);
	for (uint32_t i = 0; i < count; i++) {
		Physical physical = type_physical(types[i]);
		bool one = physical == PHYSICAL_BOOL || physical == PHYSICAL_INT64 ||
			   physical == PHYSICAL_DOUBLE;

		layout->columns[i] = (KeyColumn){types[i], physical, layout->words};
		layout->words += one ? 1 : 2;
		layout->has_text |= physical == PHYSICAL_VIEW || physical == PHYSICAL_LIST ||
				    physical == PHYSICAL_STRUCT;
	}
}

void
key_layout_free(KeyLayout *layout)
{
	memory_free(layout->columns);
	*layout = (KeyLayout){0};
}

void
key_scratch_init(KeyScratch *scratch, const KeyLayout *layout)
{
	scratch->words = memory_alloc(sizeof(uint64_t) * layout->words * GROUP_KEY_ROWS);
	buffer_init(&scratch->nested, SIZE_MAX);
	arena_init(&scratch->bytes, 0);
}

void
key_scratch_free(KeyScratch *scratch)
{
	memory_free(scratch->words);
	buffer_free(&scratch->nested);
	arena_free(&scratch->bytes);
}

/* ---- hashing ---- */

static inline uint64_t
mix(uint64_t a, uint64_t b)
{
	Uint128 product = (Uint128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t
load64(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

static inline uint64_t
load32(const char *p)
{
	uint32_t word;

	memcpy(&word, p, sizeof word);
	return word;
}

/* A text longer than GROUP_TEXT_INLINE. */
static uint64_t
hash_long(uint64_t hash, const char *text, uint32_t len)
{
	const char *end = text + len;

	hash ^= len;
	if (len < 16)
		return mix(load64(text) ^ HASH_TAIL, load64(end - 8) ^ hash);
	for (; end - text > 16; text += 16)
		hash = mix(load64(text) ^ HASH_TEXT, load64(text + 8) ^ hash);
	return mix(load64(end - 16) ^ HASH_TAIL, load64(end - 8) ^ hash);
}

/* ---- text lanes ---- */

/* The sanitizer is right that a read beyond the text is not C; on a page that the text is on it is
 * harmless, and it spares a branch on the length, which is chance when symbols differ in length. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WIDE_READS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WIDE_READS 0
#endif
#endif
#ifndef WIDE_READS
#define WIDE_READS 1
#endif

#define WIDE_BYTES 16
#define PAGE_BYTES 4096

static inline bool
wide_read_is_safe(const char *text)
{
	return WIDE_READS && ((uintptr_t)text & (PAGE_BYTES - 1)) <= PAGE_BYTES - WIDE_BYTES;
}

/* A text of 1 to GROUP_TEXT_INLINE bytes, by one load of 16.  (Where an empty text points to there
 * may be no page.) */
static inline TextLane
text_lane_wide(const char *text, uint32_t len)
{
	static const uint8_t keep[2 * WIDE_BYTES] = {255, 255, 255, 255, 255, 255, 255, 255,
						     255, 255, 255, 255, 255, 255, 255, 255};
	__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)text);
	__m128i mask = _mm_loadu_si128((const __m128i *)(const void *)(keep + WIDE_BYTES - len));

	bytes = _mm_and_si128(bytes, mask);
	uint64_t head = (uint64_t)_mm_cvtsi128_si64(bytes);
	uint64_t rest = (uint64_t)_mm_cvtsi128_si64(_mm_srli_si128(bytes, 4));
	return (TextLane){len | head << 32, rest};
}

static inline __attribute__((always_inline)) TextLane
text_lane(const char *text, uint32_t len)
{
	uint64_t head = 0; /* the first 8 bytes */
	uint64_t tail = 0; /* bytes 8..11 */

	if (len > GROUP_TEXT_INLINE)
		return (TextLane){len | load32(text) << 32, (uint64_t)(uintptr_t)text};
	if (__builtin_expect(len > 0 && wide_read_is_safe(text), 1))
		return text_lane_wide(text, len);
	if (len >= 8) {
		head = load64(text);
		/* The last 4 bytes overlap the head; shifting drops what is there already. */
		tail = load32(text + len - 4) >> (8 * (GROUP_TEXT_INLINE - len));
	} else if (len >= 4) {
		head = load32(text) | load32(text + len - 4) << (8 * (len - 4));
	} else if (len > 0) {
		const uint8_t *bytes = (const uint8_t *)text;

		head = bytes[0] | (uint64_t)bytes[len / 2] << (8 * (len / 2)) |
		       (uint64_t)bytes[len - 1] << (8 * (len - 1));
	}
	return (TextLane){len | head << 32, head >> 32 | tail << 32};
}

static inline bool
lane_is_long(const uint64_t *lane)
{
	return (uint32_t)lane[0] > GROUP_TEXT_INLINE;
}

static inline const char *
lane_pointer(const uint64_t *lane)
{
	return (const char *)(uintptr_t)lane[1];
}

static inline Str
lane_text(const uint64_t *lane)
{
	uint32_t len = (uint32_t)lane[0];

	return (Str){lane_is_long(lane) ? lane_pointer(lane) : (const char *)lane + sizeof len,
		     len};
}

static inline uint64_t
hash_text(uint64_t hash, TextLane lane)
{
	uint32_t len = (uint32_t)lane.first;

	if (len > GROUP_TEXT_INLINE)
		return hash_long(hash, (const char *)(uintptr_t)lane.second, len);
	return mix(lane.first ^ hash, lane.second ^ HASH_TEXT);
}

/* ---- rows to records ---- */

static inline bool
row_is_null(const ColumnRows *rows, bool has_null, uint32_t row)
{
	return has_null && !bitmap_get(rows->vector->valid, row);
}

/* The first column finds hash and NULL bits unset. */
static inline uint64_t
start_row(const ColumnRows *rows, uint32_t k, bool first)
{
	if (!first)
		return rows->hashes[k];
	rows->nulls[(size_t)k * rows->step] = 0;
	return HASH_SEED;
}

static inline void
put_null(const ColumnRows *rows, uint32_t k, uint32_t lane_words, bool first)
{
	uint64_t *lane = rows->lane + (size_t)k * rows->step;
	uint64_t hash = start_row(rows, k, first);

	lane[0] = 0;
	if (lane_words > 1)
		lane[1] = 0;
	rows->nulls[(size_t)k * rows->step] |= rows->null_bit;
	rows->hashes[k] = mix(hash ^ HASH_NULL, HASH_WORD);
}

static inline void
put_word(const ColumnRows *rows, uint32_t k, uint64_t word, bool first)
{
	uint64_t hash = start_row(rows, k, first);

	rows->lane[(size_t)k * rows->step] = word;
	rows->hashes[k] = mix(hash ^ word, HASH_WORD);
}

static inline void
put_pair(const ColumnRows *rows, uint32_t k, uint64_t low, uint64_t high, bool first)
{
	uint64_t *lane = rows->lane + (size_t)k * rows->step;
	uint64_t hash = start_row(rows, k, first);

	lane[0] = low;
	lane[1] = high;
	rows->hashes[k] = mix(low ^ hash, high ^ HASH_TEXT);
}

static inline __attribute__((always_inline)) void
put_text(const ColumnRows *rows, uint32_t k, const char *text, uint32_t len, bool first)
{
	uint64_t *lane = rows->lane + (size_t)k * rows->step;
	uint64_t hash = start_row(rows, k, first);
	TextLane value = text_lane(text, len);

	lane[0] = value.first;
	lane[1] = value.second;
	rows->hashes[k] = hash_text(hash, value);
}

/* One loop per physical type, with and without NULLs: PUT handles row `row`, the k-th. */
#define ENCODE_LOOP(lane_words, PUT)                                                               \
	do {                                                                                       \
		for (uint32_t k = 0; k < rows->count; k++) {                                       \
			uint32_t row = rows->sel[k] & rows->row_mask;                              \
			if (row_is_null(rows, has_null, row))                                      \
				put_null(rows, k, lane_words, first);                              \
			else                                                                       \
				PUT;                                                               \
		}                                                                                  \
	} while (0)

static inline void
put_interval(const ColumnRows *rows, uint32_t k, Interval value, bool first)
{
	put_pair(rows, k, (uint32_t)value.months | (uint64_t)(uint32_t)value.days << 32,
		 (uint64_t)value.micros, first);
}

static inline void
put_int128(const ColumnRows *rows, uint32_t k, Uint128 value, bool first)
{
	put_pair(rows, k, (uint64_t)value, (uint64_t)(value >> 64), first);
}

static void
encode_nested(const ColumnRows *rows, KeyScratch *scratch, bool first)
{
	bool has_null = rows->vector->has_null;

	for (uint32_t k = 0; k < rows->count; k++) {
		uint32_t row = rows->sel[k] & rows->row_mask;

		if (row_is_null(rows, has_null, row)) {
			put_null(rows, k, 2, first);
			continue;
		}
		buffer_reset(&scratch->nested);
		group_nested_write(&scratch->nested, rows->vector, row);
		size_t len = scratch->nested.len;
		put_text(rows, k, arena_copy(&scratch->bytes, scratch->nested.data, len),
			 (uint32_t)len, first);
	}
}

static inline __attribute__((always_inline)) void
encode_scalar(const ColumnRows *rows, Physical physical, bool has_null, bool first)
{
	const void *data = rows->vector->data;

	switch (physical) {
	case PHYSICAL_BOOL:
		ENCODE_LOOP(1, put_word(rows, k, ((const uint8_t *)data)[row] != 0, first));
		break;
	case PHYSICAL_INT64:
		ENCODE_LOOP(1, put_word(rows, k, ((const uint64_t *)data)[row], first));
		break;
	case PHYSICAL_INT128:
		ENCODE_LOOP(2, put_int128(rows, k, ((const Uint128 *)data)[row], first));
		break;
	case PHYSICAL_DOUBLE:
		ENCODE_LOOP(1, put_word(rows, k, group_double_bits(((const double *)data)[row]),
					first));
		break;
	case PHYSICAL_VIEW:
		ENCODE_LOOP(2, put_text(rows, k, ((const StringView *)data)[row].data,
					((const StringView *)data)[row].len, first));
		break;
	case PHYSICAL_INTERVAL:
		ENCODE_LOOP(2, put_interval(rows, k, ((const Interval *)data)[row], first));
		break;
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
	case PHYSICAL_COUNT:
		assert(false);
		break;
	}
}

/* Constants choose one of four loops for each physical type. */
static void
encode_column(const ColumnRows *rows, KeyScratch *scratch, Physical physical, bool first)
{
	bool has_null = rows->vector->has_null;

	if (physical == PHYSICAL_LIST || physical == PHYSICAL_STRUCT)
		encode_nested(rows, scratch, first);
	else if (first && !has_null)
		encode_scalar(rows, physical, false, true);
	else if (first)
		encode_scalar(rows, physical, true, true);
	else if (!has_null)
		encode_scalar(rows, physical, false, false);
	else
		encode_scalar(rows, physical, true, false);
}

void
group_key_encode(const KeyLayout *layout, KeyScratch *scratch, const Vector *const *keys,
		 const uint16_t *sel, uint32_t count)
{
	assert(count <= GROUP_KEY_ROWS);
	if (layout->column_count == 0)
		for (uint32_t k = 0; k < count; k++)
			scratch->hashes[k] = HASH_SEED;
	/* NULL bits of the columns after the 64th; the first column clears the first word. */
	for (uint32_t w = 1; w < BITMAP_WORDS(layout->column_count); w++)
		for (uint32_t k = 0; k < count; k++)
			scratch->words[(size_t)k * layout->words + w] = 0;
	arena_reset(&scratch->bytes);
	for (uint32_t c = 0; c < layout->column_count; c++) {
		const KeyColumn *column = &layout->columns[c];
		ColumnRows rows = {.vector = keys[c],
				   .sel = sel,
				   .row_mask = keys[c]->constant ? 0 : UINT16_MAX,
				   .count = count,
				   .hashes = scratch->hashes,
				   .lane = scratch->words + column->lane,
				   .nulls = scratch->words + c / 64,
				   .null_bit = UINT64_C(1) << (c % 64),
				   .step = layout->words};

		assert(keys[c]->form == FORM_VALUE);
		assert(type_physical(keys[c]->type) == column->physical);
		encode_column(&rows, scratch, column->physical, c == 0);
	}
}

/* ---- records ---- */

static bool
column_is_text(const KeyColumn *column)
{
	return column->physical == PHYSICAL_VIEW || column->physical == PHYSICAL_LIST ||
	       column->physical == PHYSICAL_STRUCT;
}

void
group_key_prefetch_texts(const KeyLayout *layout, const KeyScratch *scratch, uint32_t count,
			 char *const *records)
{
	if (!layout->has_text)
		return;
	for (uint32_t c = 0; c < layout->column_count; c++) {
		uint32_t lane = layout->columns[c].lane;

		if (!column_is_text(&layout->columns[c]) || !lane_is_long(scratch->words + lane))
			continue;
		for (uint32_t k = 0; k < count; k++) {
			const uint64_t *record = (const uint64_t *)(const void *)records[k];

			if (record != NULL && lane_is_long(record + lane))
				__builtin_prefetch(lane_pointer(record + lane));
		}
	}
}

bool
group_key_equal_texts(const KeyLayout *layout, const uint64_t *a, const uint64_t *b)
{
	size_t null_words = BITMAP_WORDS(layout->column_count);

	if (memcmp(a, b, null_words * sizeof *a) != 0)
		return false;
	for (uint32_t c = 0; c < layout->column_count; c++) {
		const KeyColumn *column = &layout->columns[c];
		uint32_t lane = column->lane;
		uint32_t next = c + 1 < layout->column_count ? column[1].lane : layout->words;

		if (a[lane] != b[lane])
			return false;
		if (next - lane == 1 || a[lane + 1] == b[lane + 1])
			continue;
		if (!column_is_text(column) || !lane_is_long(a + lane) ||
		    memcmp(lane_pointer(a + lane), lane_pointer(b + lane), (uint32_t)a[lane]) != 0)
			return false;
	}
	return true;
}

bool
group_key_keep(const KeyLayout *layout, const uint64_t *from, uint64_t *to, ByteStore *store)
{
	size_t bytes = 0;
	char *copy = NULL;

	if (layout->words > 0)
		memcpy(to, from, layout->words * sizeof *to);
	if (!layout->has_text)
		return true;
	for (uint32_t c = 0; c < layout->column_count; c++)
		if (column_is_text(&layout->columns[c]) &&
		    lane_is_long(to + layout->columns[c].lane))
			bytes += (uint32_t)to[layout->columns[c].lane];
	if (bytes == 0)
		return true;
	copy = byte_store_take(store, bytes);
	if (copy == NULL)
		return false;
	for (uint32_t c = 0; c < layout->column_count; c++) {
		uint64_t *lane = to + layout->columns[c].lane;

		if (!column_is_text(&layout->columns[c]) || !lane_is_long(lane))
			continue;
		memcpy(copy, lane_pointer(lane), (uint32_t)lane[0]);
		lane[1] = (uint64_t)(uintptr_t)copy;
		copy += (uint32_t)lane[0];
	}
	return true;
}

/* ---- records to vectors ---- */

static void
write_null(Vector *out, uint32_t row)
{
	size_t size = physical_size(type_physical(out->type));

	if (size > 0)
		memset(VECTOR_DATA(out, char) + size * row, 0, size);
	vector_set_null(out, row);
	if (type_physical(out->type) == PHYSICAL_STRUCT)
		for (uint32_t c = 0; c < out->child_count; c++)
			write_null(&out->children[c], row);
}

void
group_key_write(const KeyLayout *layout, uint32_t column, const uint64_t *key, Vector *out,
		uint32_t row)
{
	const uint64_t *lane = key + layout->columns[column].lane;

	assert(out->form == FORM_VALUE && row < out->capacity);
	if (bitmap_get(key, column)) {
		write_null(out, row);
		return;
	}
	vector_set_valid(out, row);
	switch (layout->columns[column].physical) {
	case PHYSICAL_BOOL:
		VECTOR_DATA(out, uint8_t)[row] = (uint8_t)lane[0];
		break;
	case PHYSICAL_INT64:
	case PHYSICAL_DOUBLE:
		VECTOR_DATA(out, uint64_t)[row] = lane[0];
		break;
	case PHYSICAL_INT128:
		VECTOR_DATA(out, Uint128)[row] = (Uint128)lane[1] << 64 | lane[0];
		break;
	case PHYSICAL_VIEW: {
		Str text = lane_text(lane);
		VECTOR_DATA(out, StringView)[row] = (StringView){text.data, text.len, 0};
		break;
	}
	case PHYSICAL_INTERVAL:
		VECTOR_DATA(out, Interval)
		[row] = (Interval){(int32_t)(uint32_t)lane[0], (int32_t)(lane[0] >> 32),
				   (int64_t)lane[1]};
		break;
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT: {
		Str bytes = lane_text(lane);
		group_nested_read(bytes.data, bytes.data + bytes.len, out, row);
		break;
	}
	case PHYSICAL_COUNT:
		assert(false);
		break;
	}
}
