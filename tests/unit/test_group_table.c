/* tests/unit/test_group_table.c -- groups by key against a plain list that is searched from the
 * front.
 *
 * The model spells every key as text with value_text (nested values by their parts), and so shares
 * nothing with the table: no hash, no record.  TEST_SEED=n repeats a run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>

#include "base/memory.h"
#include "state/group_table.h"
#include "state/group_table_test.h"
#include "type/value.h"
#include "random_numbers.h"

#define KEYS_MAX     6
#define MODEL_MAX    20000
#define PAYLOAD_SIZE 32
#define NO_LIMIT     SIZE_MAX

/* ---- the model ---- */

typedef struct Model {
	Arena arena;
	Str keys[MODEL_MAX];
	char *payloads[MODEL_MAX];
	uint64_t rows[MODEL_MAX]; /* how many rows fell into the group */
	uint32_t count;
} Model;

static void spell(Arena *arena, const Vector *vector, uint32_t row, Str *out);

static void
spell_append(Arena *arena, Str *out, Str more)
{
	*out = str_format(arena, "%.*s|%.*s", STR_ARG(*out), STR_ARG(more));
}

static void
spell_list(Arena *arena, const Vector *vector, uint32_t at, Str *out)
{
	ListEntry entry = VECTOR_DATA(vector, const ListEntry)[at];

	spell_append(arena, out, str_format(arena, "[%u", entry.len));
	for (uint32_t c = 0; c < vector->child_count; c++)
		for (uint32_t i = 0; i < entry.len; i++)
			spell(arena, &vector->children[c], entry.offset + i, out);
}

/* A text that is the same for the same value; bytes that are not text are spelled in hex. */
static void
spell(Arena *arena, const Vector *vector, uint32_t row, Str *out)
{
	uint32_t at = vector->constant ? 0 : row;

	if (vector_is_null(vector, row)) {
		spell_append(arena, out, STR("NULL"));
		return;
	}
	switch (type_physical(vector->type)) {
	case PHYSICAL_LIST:
		spell_list(arena, vector, at, out);
		return;
	case PHYSICAL_STRUCT:
		spell_append(arena, out, STR("{"));
		for (uint32_t c = 0; c < vector->child_count; c++)
			spell(arena, &vector->children[c], at, out);
		return;
	case PHYSICAL_DOUBLE: {
		double d = VECTOR_DATA(vector, const double)[at];
		spell_append(arena, out,
			     isnan(d) ? STR("nan") : str_format(arena, "%a", d == 0 ? 0.0 : d));
		return;
	}
	case PHYSICAL_INT64: /* also times outside the range that has a text */
		spell_append(arena, out,
			     str_format(arena, "%lld",
					(long long)VECTOR_DATA(vector, const int64_t)[at]));
		return;
	case PHYSICAL_INTERVAL: {
		Interval v = VECTOR_DATA(vector, const Interval)[at];
		spell_append(
			arena, out,
			str_format(arena, "%d %d %lld", v.months, v.days, (long long)v.micros));
		return;
	}
	default: {
		Value value = value_from_vector(vector, row);
		spell_append(arena, out, value_text(arena, &value));
	}
	}
}

static Str
spell_row(Arena *arena, const Vector *const *keys, uint32_t key_count, uint32_t row)
{
	Str text = STR("");

	for (uint32_t c = 0; c < key_count; c++)
		spell(arena, keys[c], row, &text);
	return text;
}

static int64_t
model_find(const Model *model, Str key)
{
	for (uint32_t i = 0; i < model->count; i++)
		if (str_eq(model->keys[i], key))
			return i;
	return -1;
}

static Model *
model_new(void)
{
	Model *model = memory_zero(sizeof *model);

	arena_init(&model->arena, 0);
	return model;
}

static void
model_clear(Model *model)
{
	arena_reset(&model->arena);
	memset(model->rows, 0, sizeof model->rows);
	model->count = 0;
}

static void
model_destroy(Model *model)
{
	arena_free(&model->arena);
	memory_free(model);
}

/* ---- random values ---- */

static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/* Lengths around every boundary, few different texts of each. */
static StringView
random_text(Arena *arena, uint32_t variety)
{
	static const uint32_t lengths[] = {0,  1,  2,  3,  4,  5,  7,  8,  9,  11,
					   12, 13, 15, 16, 17, 31, 32, 33, 100};
	uint32_t len = lengths[below(sizeof lengths / sizeof lengths[0])];
	char *data = arena_alloc(arena, len);
	uint32_t seed = below(variety);

	memset(data, 'x', len);
	/* Texts that differ in one place: at the front, in the middle, at the end. */
	if (len > 0)
		data[seed % len] = letters[seed % (sizeof letters - 1)];
	return (StringView){data, len, below(4)};
}

static void
random_value(Arena *arena, Vector *vector, uint32_t row, uint32_t variety)
{
	static const double specials[] = {0.0, -0.0, NAN, -NAN, INFINITY, -INFINITY, 1.5, 5e-324};
	Physical physical = type_physical(vector->type);

	if (below(10) == 0) {
		vector_set_null(vector, row);
		return;
	}
	vector_set_valid(vector, row);
	switch (physical) {
	case PHYSICAL_BOOL:
		VECTOR_DATA(vector, uint8_t)[row] = (uint8_t)below(2);
		break;
	case PHYSICAL_INT64:
		VECTOR_DATA(vector, int64_t)
		[row] = below(8) == 0 ? (int64_t)(next_random() << 16)
				      : (int64_t)below(variety) - 5;
		break;
	case PHYSICAL_INT128:
		VECTOR_DATA(vector, Int128)
		[row] = (Int128)((int64_t)below(variety) - 3) * ((Int128)1 << (below(2) * 64));
		break;
	case PHYSICAL_DOUBLE:
		VECTOR_DATA(vector, double)
		[row] = below(2) ? specials[below(8)] : below(variety) * 0.5;
		break;
	case PHYSICAL_VIEW:
		VECTOR_DATA(vector, StringView)[row] = random_text(arena, variety);
		break;
	case PHYSICAL_INTERVAL:
		VECTOR_DATA(vector, Interval)
		[row] = (Interval){(int32_t)below(3) - 1, (int32_t)below(3) - 1,
				   (int64_t)below(variety) - 2};
		break;
	case PHYSICAL_LIST: {
		uint32_t len = below(4);
		uint32_t first = vector_list_append(vector, len);
		VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, len};
		for (uint32_t c = 0; c < vector->child_count; c++)
			for (uint32_t i = 0; i < len; i++)
				random_value(arena, &vector->children[c], first + i, 3);
		break;
	}
	case PHYSICAL_STRUCT:
		for (uint32_t c = 0; c < vector->child_count; c++)
			random_value(arena, &vector->children[c], row, 4);
		break;
	case PHYSICAL_COUNT:
		fail();
	}
}

/* ---- a table beside its model ---- */

typedef struct Pair {
	const Type *types[KEYS_MAX];
	uint32_t key_count;
	GroupTable *table;
	Model *model;
	Vector vectors[KEYS_MAX];
	const Vector *keys[KEYS_MAX];
	Arena batch; /* texts of a batch; freed when it ends */
	uint16_t sel[BATCH_CAPACITY];
	char *payloads[BATCH_CAPACITY];
} Pair;

static void
pair_open(Pair *pair, uint32_t key_count)
{
	pair->key_count = key_count;
	pair->model = model_new();
	arena_init(&pair->batch, 0);
	GroupTableSpec spec = {pair->types, key_count,   PAYLOAD_SIZE, NO_LIMIT,
			       NULL,        below(4000), false};
	pair->table = group_table_new(&spec);
	for (uint32_t c = 0; c < key_count; c++) {
		vector_init(&pair->vectors[c], pair->types[c], FORM_VALUE, BATCH_CAPACITY);
		pair->keys[c] = &pair->vectors[c];
	}
}

static void
pair_close(Pair *pair)
{
	group_table_destroy(pair->table);
	model_destroy(pair->model);
	for (uint32_t c = 0; c < pair->key_count; c++)
		vector_free(&pair->vectors[c]);
	arena_free(&pair->batch);
}

/* Random vectors, some of them constant; a random selection, ascending or not. */
static uint32_t
random_batch(Pair *pair, uint32_t rows, uint32_t variety)
{
	uint32_t count = 0;
	bool ordered = below(2);

	for (uint32_t c = 0; c < pair->key_count; c++) {
		vector_reset(&pair->vectors[c]);
		pair->vectors[c].constant = below(5) == 0;
		for (uint32_t row = 0; row < (pair->vectors[c].constant ? 1 : rows); row++)
			random_value(&pair->batch, &pair->vectors[c], row, variety);
	}
	for (uint32_t row = 0; row < rows; row++)
		if (below(4) > 0)
			pair->sel[count++] = (uint16_t)(ordered ? row : below(rows));
	return count;
}

/* Finds in both and compares. */
static void
check_find(Pair *pair, uint32_t count)
{
	Model *model = pair->model;
	uint32_t first_new, before = model->count;
	Error err;

	assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, count, pair->payloads,
					  &first_new, &err),
			 FERRIS_OK);
	assert_int_equal(first_new, before);
	for (uint32_t k = 0; k < count; k++) {
		Str key = spell_row(&model->arena, pair->keys, pair->key_count, pair->sel[k]);
		int64_t at = model_find(model, key);
		uint64_t *counter = (uint64_t *)(void *)pair->payloads[k];

		if (at < 0) {
			assert_true(model->count < MODEL_MAX);
			at = model->count++;
			model->keys[at] = key;
			model->payloads[at] = pair->payloads[k];
			for (uint32_t i = 0; i < PAYLOAD_SIZE / sizeof *counter; i++)
				assert_int_equal(counter[i], 0);
			counter[1] = (uint64_t)at;
		}
		assert_ptr_equal(pair->payloads[k], model->payloads[at]);
		assert_ptr_equal(group_table_payload(pair->table, (uint32_t)at), pair->payloads[k]);
		assert_int_equal((uintptr_t)pair->payloads[k] % 16, 0);
		model->rows[at]++;
		counter[0]++;
	}
	assert_int_equal(group_table_count(pair->table), model->count);
}

/* Reads all keys back, some at a time, and compares them and the payloads. */
static void
check_keys(Pair *pair)
{
	Model *model = pair->model;
	Vector out[KEYS_MAX], *outs[KEYS_MAX];
	const Vector *keys[KEYS_MAX];
	Arena arena;

	arena_init(&arena, 0);
	for (uint32_t c = 0; c < pair->key_count; c++) {
		vector_init(&out[c], pair->types[c], FORM_VALUE, BATCH_CAPACITY);
		outs[c] = &out[c];
		keys[c] = &out[c];
	}
	for (uint32_t first = 0, count; first < model->count; first += count) {
		count = below(BATCH_CAPACITY) + 1;
		if (count > model->count - first)
			count = model->count - first;
		group_table_keys(pair->table, first, count, outs);
		for (uint32_t i = 0; i < count; i++) {
			Str key = spell_row(&arena, keys, pair->key_count, i);
			const uint64_t *payload =
				(const uint64_t *)(const void *)group_table_payload(pair->table,
										    first + i);

			assert_true(str_eq(key, model->keys[first + i]));
			assert_int_equal(payload[0], model->rows[first + i]);
			assert_int_equal(payload[1], first + i);
			assert_ptr_equal(group_table_get(pair->table, keys, i), payload);
		}
	}
	for (uint32_t c = 0; c < pair->key_count; c++)
		vector_free(&out[c]);
	arena_free(&arena);
}

/* group_table_get and _get_many make nothing, and find what is there. */
static void
check_get(Pair *pair, uint32_t rows)
{
	Model *model = pair->model;
	char *payloads[BATCH_CAPACITY];
	uint16_t sel[BATCH_CAPACITY];

	for (uint32_t row = 0; row < rows; row++)
		sel[row] = (uint16_t)row;
	group_table_get_many(pair->table, pair->keys, sel, rows, payloads);
	for (uint32_t row = 0; row < rows; row++) {
		Str key = spell_row(&model->arena, pair->keys, pair->key_count, row);
		int64_t at = model_find(model, key);

		assert_ptr_equal(group_table_get(pair->table, pair->keys, row),
				 at < 0 ? NULL : model->payloads[at]);
		assert_ptr_equal(payloads[row], at < 0 ? NULL : model->payloads[at]);
	}
	assert_int_equal(group_table_count(pair->table), model->count);
}

/* The bytes of a batch die; the address sanitizer finds out a table that kept a pointer. */
static void
end_batch(Pair *pair)
{
	arena_free(&pair->batch);
}

static void
run_pair(Pair *pair, uint32_t key_count, uint32_t batches, uint32_t rows, uint32_t variety)
{
	pair_open(pair, key_count);
	for (uint32_t i = 0; i < batches; i++) {
		uint32_t count = random_batch(pair, rows, variety);

		if (i % 4 == 3)
			check_get(pair, rows / 4);
		check_find(pair, count);
		end_batch(pair);
	}
	check_keys(pair);
	group_table_clear(pair->table);
	model_clear(pair->model);
	assert_int_equal(group_table_count(pair->table), 0);
	size_t bytes = group_table_bytes(pair->table);
	check_find(pair, random_batch(pair, 4, variety));
	assert_int_equal(group_table_bytes(pair->table), bytes);
	check_keys(pair);
	pair_close(pair);
}

/* ---- tests of every type ---- */

static uint32_t
scalar_types(Arena *arena, const Type **types)
{
	uint32_t count = 0;

	types[count++] = TYPE_OF(BOOLEAN);
	types[count++] = TYPE_OF(BIGINT);
	types[count++] = TYPE_OF(TIMESTAMP);
	types[count++] = type_decimal(arena, 18, 4);
	types[count++] = type_decimal(arena, 38, 9);
	types[count++] = TYPE_OF(DOUBLE);
	types[count++] = TYPE_OF(FLOAT);
	types[count++] = TYPE_OF(STRING);
	types[count++] = TYPE_OF(BYTES);
	types[count++] = TYPE_OF(JSON);
	types[count++] = TYPE_OF(INTERVAL);
	return count;
}

static uint32_t
nested_types(Arena *arena, const Type **types)
{
	Field fields[] = {{STR("a"), TYPE_OF(BIGINT), false},
			  {STR("b"), TYPE_OF(STRING), false},
			  {STR("c"), TYPE_OF(DOUBLE), false}};
	uint32_t count = 0;

	types[count++] = type_array(arena, TYPE_OF(BIGINT));
	types[count++] = type_array(arena, type_array(arena, TYPE_OF(STRING)));
	types[count++] = type_map(arena, TYPE_OF(STRING), TYPE_OF(DOUBLE));
	types[count++] = type_struct(arena, fields, 3);
	types[count++] = type_array(arena, types[3]);
	types[count++] = type_array(arena, type_decimal(arena, 38, 2));
	return count;
}

static void
test_one_column(void **state)
{
	const Type *types[32];
	Arena arena;
	(void)state;

	arena_init(&arena, 0);
	uint32_t count = scalar_types(&arena, types);
	count += nested_types(&arena, types + count);
	for (uint32_t i = 0; i < count; i++) {
		Pair *pair = memory_zero(sizeof *pair);

		pair->types[0] = types[i];
		run_pair(pair, 1, 12, 700, 60);
		memory_free(pair);
	}
	arena_free(&arena);
}

static void
test_many_columns(void **state)
{
	const Type *types[32];
	Arena arena;
	(void)state;

	arena_init(&arena, 0);
	uint32_t count = scalar_types(&arena, types);
	count += nested_types(&arena, types + count);
	for (uint32_t i = 0; i < 40; i++) {
		Pair *pair = memory_zero(sizeof *pair);
		uint32_t key_count = 2 + below(KEYS_MAX - 1);

		for (uint32_t c = 0; c < key_count; c++)
			pair->types[c] = types[below(count)];
		run_pair(pair, key_count, 4, 200, 4);
		memory_free(pair);
	}
	arena_free(&arena);
}

static void
test_no_column(void **state)
{
	Pair *pair = memory_zero(sizeof *pair);
	(void)state;

	pair_open(pair, 0);
	assert_null(group_table_get(pair->table, pair->keys, 0));
	for (uint32_t i = 0; i < 3; i++)
		check_find(pair, random_batch(pair, 2000, 1));
	assert_int_equal(group_table_count(pair->table), 1);
	check_find(pair, 0);
	check_keys(pair);
	pair_close(pair);
	memory_free(pair);
}

/* NULL bits beyond one word. */
static void
test_seventy_columns(void **state)
{
	enum { COUNT = 70, ROWS = 200 };
	static Vector vectors[COUNT];
	const Type *types[COUNT];
	const Vector *keys[COUNT];
	uint16_t sel[ROWS];
	char *payloads[ROWS];
	uint32_t first_new;
	Error err;
	(void)state;

	for (uint32_t c = 0; c < COUNT; c++) {
		types[c] = TYPE_OF(INTEGER);
		vector_init(&vectors[c], types[c], FORM_VALUE, ROWS);
		keys[c] = &vectors[c];
		for (uint32_t row = 0; row < ROWS; row++)
			VECTOR_DATA(keys[c], int64_t)[row] = 0;
	}
	/* Row r has a NULL in column r % 100, if there is such a column: 71 groups. */
	for (uint32_t row = 0; row < ROWS; row++) {
		sel[row] = (uint16_t)row;
		if (row % 100 < COUNT)
			vector_set_null(&vectors[row % 100], row);
	}
	GroupTableSpec spec = {types, COUNT, 16, NO_LIMIT, NULL, 0, false};
	GroupTable *table = group_table_new(&spec);
	assert_int_equal(group_table_find(table, keys, sel, ROWS, payloads, &first_new, &err), 0);
	assert_int_equal(group_table_count(table), COUNT + 1);
	for (uint32_t row = 0; row < ROWS / 2; row++) {
		assert_ptr_equal(payloads[row], payloads[row + 100]);
		assert_ptr_equal(payloads[row],
				 group_table_payload(table, row < COUNT ? row : COUNT));
	}
	group_table_destroy(table);
	for (uint32_t c = 0; c < COUNT; c++)
		vector_free(&vectors[c]);
}

/* ---- collisions ---- */

static void
test_collisions(void **state)
{
	/* All equal; 16 different ones at the end of the table, so that runs go round; at its
	 * start. */
	static const uint32_t masks[] = {0, 0x0000000F, 0xF0000000, 0xFF800000};
	(void)state;

	for (uint32_t i = 0; i < sizeof masks / sizeof masks[0]; i++) {
		Pair *pair = memory_zero(sizeof *pair);

		pair->types[0] = TYPE_OF(STRING);
		pair->types[1] = TYPE_OF(BIGINT);
		pair_open(pair, 2);
		group_table_mask_hashes(pair->table, masks[i]);
		for (uint32_t b = 0; b < 4; b++) {
			check_find(pair, random_batch(pair, 600, 8));
			check_get(pair, 100);
			end_batch(pair);
		}
		check_keys(pair);
		pair_close(pair);
		memory_free(pair);
	}
}

/* ---- texts at the end of memory ---- */

/* A text may end where readable memory ends: nothing behind it is touched, and the bytes around
 * it do not matter. */
static void
test_text_at_end_of_page(void **state)
{
	enum { PAGE = 4096, LENGTHS = 40 };
	Pair *pair = memory_zero(sizeof *pair);
	char *pages =
		mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *born[LENGTHS];
	(void)state;

	assert_true(pages != MAP_FAILED);
	assert_int_equal(mprotect(pages + PAGE, PAGE, PROT_NONE), 0);
	pair->types[0] = TYPE_OF(STRING);
	pair_open(pair, 1);
	/* The texts "ab...", of every length, at every distance from the end, among other bytes. */
	for (uint32_t distance = 0; distance < 40; distance++) {
		for (uint32_t len = 0; len < LENGTHS; len++) {
			char *text = pages + PAGE - distance - len;
			uint32_t first_new;
			Error err;

			memset(pages, (int)(distance + 1), PAGE);
			for (uint32_t i = 0; i < len; i++)
				text[i] = letters[i];
			VECTOR_DATA(&pair->vectors[0], StringView)[0] = (StringView){text, len, 0};
			pair->sel[0] = 0;
			assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, 1,
							  pair->payloads, &first_new, &err),
					 FERRIS_OK);
			if (distance == 0)
				born[len] = pair->payloads[0];
			assert_ptr_equal(pair->payloads[0], born[len]);
		}
	}
	assert_int_equal(group_table_count(pair->table), LENGTHS);
	/* The empty text without an address is the empty text. */
	VECTOR_DATA(&pair->vectors[0], StringView)[0] = (StringView){NULL, 0, 0};
	assert_ptr_equal(group_table_get(pair->table, pair->keys, 0), born[0]);
	pair_close(pair);
	memory_free(pair);
	munmap(pages, 2 * PAGE);
}

/* ---- one number and one text, many groups ---- */

/* Batches of keys first, first + step, ... as numbers or as texts "key-..." of any length. */
static void
number_batch(Pair *pair, uint32_t count, uint32_t first, uint32_t step)
{
	for (uint32_t row = 0; row < count; row++) {
		uint32_t number = first + row * step;

		pair->sel[row] = (uint16_t)row;
		if (pair->types[0]->kind == TYPE_STRING) {
			Str text = str_format(&pair->batch,
					      number % 3 == 0   ? "key-%u"
					      : number % 3 == 1 ? "a longer key %u"
								: "%u",
					      number);
			VECTOR_DATA(&pair->vectors[0], StringView)
			[row] = (StringView){text.data, text.len, 0};
		} else {
			VECTOR_DATA(&pair->vectors[0], int64_t)[row] = number;
		}
	}
}

static void
grow_and_check(const Type *type)
{
	enum { BATCHES = 100, GROUPS = BATCHES * BATCH_CAPACITY };
	char **born = memory_alloc(GROUPS * sizeof *born);
	Pair *pair = memory_zero(sizeof *pair);
	uint32_t first_new;
	Error err;

	pair->types[0] = type;
	pair_open(pair, 1);
	for (uint32_t b = 0; b < BATCHES; b++) {
		number_batch(pair, BATCH_CAPACITY, b * BATCH_CAPACITY, 1);
		assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel,
						  BATCH_CAPACITY, pair->payloads, &first_new, &err),
				 FERRIS_OK);
		assert_int_equal(first_new, b * BATCH_CAPACITY);
		assert_int_equal(group_table_count(pair->table), (b + 1) * BATCH_CAPACITY);
		memcpy(born + b * BATCH_CAPACITY, pair->payloads, sizeof pair->payloads);
		end_batch(pair);
	}
	/* Every hundredth key again, and as many that are not there. */
	for (uint32_t b = 0; b < 2; b++) {
		number_batch(pair, BATCH_CAPACITY, b * GROUPS, 100);
		group_table_get_many(pair->table, pair->keys, pair->sel, BATCH_CAPACITY,
				     pair->payloads);
		for (uint32_t row = 0; row < BATCH_CAPACITY; row++) {
			assert_ptr_equal(group_table_get(pair->table, pair->keys, row),
					 b == 0 ? born[row * 100] : NULL);
			assert_ptr_equal(pair->payloads[row], b == 0 ? born[row * 100] : NULL);
		}
	}
	number_batch(pair, BATCH_CAPACITY, 7, 100);
	assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, BATCH_CAPACITY - 1,
					  pair->payloads, &first_new, &err),
			 FERRIS_OK);
	for (uint32_t row = 0; row + 1 < BATCH_CAPACITY; row++)
		assert_ptr_equal(pair->payloads[row], born[7 + row * 100]);
	assert_int_equal(group_table_count(pair->table), GROUPS);
	for (uint32_t group = 0; group < GROUPS; group++)
		assert_ptr_equal(group_table_payload(pair->table, group), born[group]);
	pair_close(pair);
	memory_free(pair);
	memory_free(born);
}

static void
test_growth(void **state)
{
	(void)state;
	grow_and_check(TYPE_OF(BIGINT));
	grow_and_check(TYPE_OF(STRING));
}

/* ---- the limit ---- */

static void
fill_to_limit(const Type *type, size_t limit)
{
	Pair *pair = memory_zero(sizeof *pair);
	uint32_t first_new, full, batch = 0;
	Status status;
	Error err;

	pair->types[0] = type;
	pair_open(pair, 1);
	group_table_destroy(pair->table);
	GroupTableSpec spec = {pair->types, 1, PAYLOAD_SIZE, limit, NULL, 0, false};
	pair->table = group_table_new(&spec);
	do {
		number_batch(pair, BATCH_CAPACITY, batch++ * BATCH_CAPACITY, 1);
		status = group_table_find(pair->table, pair->keys, pair->sel, BATCH_CAPACITY,
					  pair->payloads, &first_new, &err);
		assert_true(group_table_bytes(pair->table) <= limit);
		end_batch(pair);
	} while (status == FERRIS_OK);
	assert_int_equal(status, FERRIS_ERR_LIMIT);
	assert_non_null(strstr(err.message, "groups"));
	assert_non_null(strstr(err.hint, "'state.memory.limit'"));
	full = group_table_count(pair->table);
	print_message("limit %zu: %u groups of %s\n", limit, full, type_kind_name(type->kind));
	/* The limit is used: a group needs at most 48 + 32 + 14 bytes and 32 of slots. */
	assert_true(full > limit / 200);
	/* What is there is found, and what is not is refused again. */
	for (uint32_t first = 0; first < full; first += BATCH_CAPACITY) {
		uint32_t rows = full - first < BATCH_CAPACITY ? full - first : BATCH_CAPACITY;

		number_batch(pair, rows, first, 1);
		assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, rows,
						  pair->payloads, &first_new, &err),
				 FERRIS_OK);
		for (uint32_t row = 0; row < rows; row++)
			assert_ptr_equal(pair->payloads[row],
					 group_table_payload(pair->table, first + row));
		end_batch(pair);
	}
	assert_int_equal(first_new, full);
	number_batch(pair, 1, 100000000, 1);
	assert_null(group_table_get(pair->table, pair->keys, 0));
	/* After a clear as many groups fit as before. */
	group_table_clear(pair->table);
	for (uint32_t first = 0; first < full; first++) {
		number_batch(pair, 1, first, 1);
		assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, 1,
						  pair->payloads, &first_new, &err),
				 FERRIS_OK);
		end_batch(pair);
	}
	pair_close(pair);
	memory_free(pair);
}

static void
test_limit(void **state)
{
	(void)state;
	fill_to_limit(TYPE_OF(BIGINT), 100000);
	fill_to_limit(TYPE_OF(STRING), 100000);
	fill_to_limit(TYPE_OF(BIGINT), 3000000);
	fill_to_limit(TYPE_OF(STRING), 3000000);
}

/* ---- the same keys in several tables ---- */

/* Numbers of a table's groups in another, which are to be the same as those found before. */
static void
check_match(GroupTable *shared, const Pair *pair, uint32_t first, uint32_t *numbers, Arena *arena)
{
	uint32_t count = group_table_count(pair->table);
	uint32_t before = group_table_count(shared);
	Vector out[KEYS_MAX], *outs[KEYS_MAX];
	const Vector *keys[KEYS_MAX];

	assert_true(group_table_match(shared, pair->table, first, numbers + first));
	for (uint32_t c = 0; c < pair->key_count; c++) {
		vector_init(&out[c], pair->types[c], FORM_VALUE, BATCH_CAPACITY);
		outs[c] = &out[c];
		keys[c] = &out[c];
	}
	for (uint32_t g = 0, rows; g < count; g += rows) {
		rows = count - g < BATCH_CAPACITY ? count - g : BATCH_CAPACITY;
		group_table_keys_of(shared, numbers + g, rows, outs);
		for (uint32_t i = 0; i < rows; i++) {
			Str key = spell_row(arena, keys, pair->key_count, i);

			assert_true(str_eq(key, pair->model->keys[g + i]));
			assert_ptr_equal(group_table_get(shared, keys, i),
					 group_table_payload(shared, numbers[g + i]));
		}
	}
	for (uint32_t g = before; g < group_table_count(shared); g++)
		assert_int_equal(*(uint64_t *)(void *)group_table_payload(shared, g), 0);
	for (uint32_t c = 0; c < pair->key_count; c++)
		vector_free(&out[c]);
}

static void
match_and_check(uint32_t mask)
{
	Pair *pairs = memory_zero(2 * sizeof *pairs);
	const Type *types[] = {TYPE_OF(STRING), TYPE_OF(BIGINT), TYPE_OF(DOUBLE)};
	GroupTable *shared = group_table_new(
		&(GroupTableSpec){types, 3, PAYLOAD_SIZE, NO_LIMIT, NULL, 0, false});
	uint32_t *numbers = memory_alloc(2 * sizeof *numbers * MODEL_MAX);
	Arena arena;

	arena_init(&arena, 0);
	group_table_mask_hashes(shared, mask);
	for (uint32_t p = 0; p < 2; p++) {
		memcpy(pairs[p].types, types, sizeof types);
		pair_open(&pairs[p], 3);
		group_table_mask_hashes(pairs[p].table, mask);
	}
	for (uint32_t b = 0; b < 8; b++) {
		Pair *pair = &pairs[b % 2];
		uint32_t first = group_table_count(pair->table);

		check_find(pair, random_batch(pair, 300, 6));
		end_batch(pair);
		check_match(shared, pair, below(2) ? first : 0, numbers + b % 2 * MODEL_MAX,
			    &arena);
	}
	for (uint32_t p = 0; p < 2; p++)
		pair_close(&pairs[p]);
	group_table_destroy(shared);
	arena_free(&arena);
	memory_free(numbers);
	memory_free(pairs);
}

static void
test_match(void **state)
{
	(void)state;
	match_and_check(UINT32_MAX);
	match_and_check(0xFF800000);
	match_and_check(0x0000000F);
}

/* A table without room for all of another's keys says so, and is whole. */
static void
test_match_at_limit(void **state)
{
	Pair *pair = memory_zero(sizeof *pair);
	uint32_t numbers[BATCH_CAPACITY];
	Error err;
	uint32_t first_new;
	(void)state;

	pair->types[0] = TYPE_OF(STRING);
	pair_open(pair, 1);
	number_batch(pair, BATCH_CAPACITY, 0, 1);
	check_find(pair, BATCH_CAPACITY);
	GroupTable *small = group_table_new(
		&(GroupTableSpec){pair->types, 1, PAYLOAD_SIZE, 60000, NULL, 0, false});
	assert_false(group_table_match(small, pair->table, 0, numbers));
	uint32_t fit = group_table_count(small);
	assert_true(fit > 0 && fit < BATCH_CAPACITY);
	assert_int_equal(group_table_find(small, pair->keys, pair->sel, fit, pair->payloads,
					  &first_new, &err),
			 FERRIS_OK);
	assert_int_equal(first_new, fit);
	end_batch(pair);
	group_table_destroy(small);
	pair_close(pair);
	memory_free(pair);
}

/* A table that may hold nothing says so and does not crash. */
static void
test_no_memory_at_all(void **state)
{
	const Type *types[1] = {TYPE_OF(BIGINT)};
	GroupTableSpec spec = {types, 1, 16, 0, NULL, 0, false};
	GroupTable *table = group_table_new(&spec);
	Vector vector;
	const Vector *keys[1] = {&vector};
	uint16_t sel[1] = {0};
	char *payload;
	uint32_t first_new;
	Error err;
	(void)state;

	vector_init(&vector, types[0], FORM_VALUE, 1);
	VECTOR_DATA(&vector, int64_t)[0] = 1;
	assert_int_equal(group_table_find(table, keys, sel, 1, &payload, &first_new, &err),
			 FERRIS_ERR_LIMIT);
	assert_int_equal(group_table_count(table), 0);
	assert_null(group_table_get(table, keys, 0));
	vector_free(&vector);
	group_table_destroy(table);
	group_table_destroy(NULL);
}

/* Payloads larger than a slab, and none at all. */
static void
test_payload_sizes(void **state)
{
	static const size_t sizes[] = {0, 16, 48, 1008, 200000};
	(void)state;

	for (uint32_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		Pair *pair = memory_zero(sizeof *pair);
		uint32_t first_new;
		Error err;

		pair->types[0] = TYPE_OF(BIGINT);
		pair_open(pair, 1);
		group_table_destroy(pair->table);
		GroupTableSpec spec = {pair->types, 1, sizes[i], NO_LIMIT, NULL, 0, false};
		pair->table = group_table_new(&spec);
		number_batch(pair, 300, 0, 1);
		assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, 300,
						  pair->payloads, &first_new, &err),
				 FERRIS_OK);
		for (uint32_t row = 0; row < 300; row++) {
			for (size_t b = 0; b < sizes[i]; b++)
				assert_int_equal(pair->payloads[row][b], 0);
			memset(pair->payloads[row], (int)row, sizes[i]);
		}
		for (uint32_t row = 0; row < 300; row++)
			assert_ptr_equal(group_table_get(pair->table, pair->keys, row),
					 pair->payloads[row]);
		/* Payloads of a second life are zero again. */
		group_table_clear(pair->table);
		assert_int_equal(group_table_find(pair->table, pair->keys, pair->sel, 300,
						  pair->payloads, &first_new, &err),
				 FERRIS_OK);
		for (uint32_t row = 0; row < 300; row++)
			for (size_t b = 0; b < sizes[i]; b++)
				assert_int_equal(pair->payloads[row][b], 0);
		pair_close(pair);
		memory_free(pair);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_column),
		cmocka_unit_test(test_many_columns),
		cmocka_unit_test(test_no_column),
		cmocka_unit_test(test_seventy_columns),
		cmocka_unit_test(test_collisions),
		cmocka_unit_test(test_text_at_end_of_page),
		cmocka_unit_test(test_match),
		cmocka_unit_test(test_match_at_limit),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_no_memory_at_all),
		cmocka_unit_test(test_payload_sizes),
	};

	seed_random();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
