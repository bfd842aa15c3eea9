/* tests/unit/test_aggregate.c -- every aggregate against Python's exact numbers.
 *
 * A line of data/aggregate_vectors.txt is one group of rows and its result.  It must come out
 * whichever way the rows arrive: all at once, cut into batches among rows of other groups, one by
 * one in any order, as states that are merged, with rows added and taken back, and through saved
 * bytes.  Afterwards no memory is held. */
#include "function_test.h"
#include "vectors.h"

#include "func/aggregate.h"

#define ROWS_MAX 512
#define GROUPS   3
#define MINE     1 /* the group whose result is checked */

static uint64_t seed = 20241124;

static uint32_t
pick(uint32_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((seed >> 33) % below);
}

/* A call and its rows. */
typedef struct Trial {
	Arena arena;
	AggregateCall *call;
	AggregateMemory memory;
	AggregateRun run;
	uint32_t columns; /* arguments, then the ORDER BY expression */
	const Type *types[CASE_ARGS_MAX];
	bool constant[CASE_ARGS_MAX];
	Value value[CASE_ARGS_MAX][ROWS_MAX]; /* in the types of the call */
	uint32_t rows;
	/* One batch. */
	Vector vectors[CASE_ARGS_MAX];
	const Vector *args[CASE_ARGS_MAX];
	char *states[GROUPS];
	uint32_t batch_rows;
	uint16_t sel[BATCH_CAPACITY];
	char *groups[BATCH_CAPACITY];
	uint32_t sel_count;
} Trial;

/* ---- reading a line ---- */

static Value
convert(Arena *arena, Value value, const Type *type)
{
	Error err = {0};
	BoundExpr *expr = bound_constant(arena, value, (Position){0});
	Value out = {0};

	if (bound_cast(arena, expr, type, CAST_EXPLICIT, &expr, &err) != FERRIS_OK ||
	    bound_evaluate(arena, expr, &out, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	return out;
}

/* The next piece of *text up to a separator. */
static bool
next_piece(Str *text, char separator, Str *piece)
{
	if (text->data == NULL)
		return false;
	const char *end = memchr(text->data, separator, text->len);
	*piece = (Str){text->data, end != NULL ? (uint32_t)(end - text->data) : text->len};
	*text = end != NULL ? str_skip(*text, piece->len + 1) : (Str){NULL, 0};
	return true;
}

typedef struct Column {
	Str tag;
	Value constant;
	bool is_constant;
	const Type *type;
} Column;

/* A value of some kind gives the type of a column. */
static const Type *
tag_type(Arena *arena, Str tag)
{
	int precision, scale;

	switch (tag.data[0]) {
	case 'i':
		return TYPE_OF(INTEGER);
	case 'l':
		return TYPE_OF(BIGINT);
	case 'f':
		return TYPE_OF(DOUBLE);
	case 's':
		return TYPE_OF(STRING);
	case 'x':
		return TYPE_OF(BYTES);
	case 'b':
		return TYPE_OF(BOOLEAN);
	case 'D':
		return TYPE_OF(DATE);
	case 'T':
		return TYPE_OF(TIME);
	case 't':
		return TYPE_OF(TIMESTAMP);
	case 'v':
		return TYPE_OF(INTERVAL);
	default:
		assert_int_equal(sscanf(tag.data, "d(%d,%d)", &precision, &scale), 2);
		return type_decimal(arena, precision, scale);
	}
}

static uint32_t
read_columns(Arena *arena, Str text, Column *columns)
{
	uint32_t count = 0;
	Str piece;

	while (next_piece(&text, '|', &piece)) {
		Column *c = &columns[count++];

		*c = (Column){.tag = piece, .is_constant = piece.data[0] == '='};
		if (c->is_constant) {
			const char *colon = memchr(piece.data, ':', piece.len);
			Str tag = {piece.data + 1, (uint32_t)(colon - piece.data - 1)};
			c->constant =
				parse_scalar_argument(arena, tag, str_skip(piece, tag.len + 2));
			c->type = c->constant.type;
		} else {
			c->type = tag_type(arena, piece);
		}
	}
	return count;
}

static void
read_row(Trial *t, const Column *columns, Str text)
{
	for (uint32_t i = 0; i < t->columns; i++) {
		Value value = columns[i].constant;
		Str piece;

		if (!columns[i].is_constant) {
			assert_true(next_piece(&text, '|', &piece));
			value = str_eq(piece, STR("\\N"))
					? value_null(columns[i].type)
					: parse_scalar_argument(&t->arena, columns[i].tag, piece);
		}
		t->value[i][t->rows] = convert(&t->arena, value, t->types[i]);
	}
	t->rows++;
}

/* Binds the call and reads the rows; false if it is refused. */
static bool
trial_open(Trial *t, char **fields)
{
	Column columns[CASE_ARGS_MAX];
	BoundExpr *args[CASE_ARGS_MAX];
	Error err = {0};
	Str rows = {fields[3][0] != '\0' ? fields[3] : NULL, (uint32_t)strlen(fields[3])};
	Str row;
	bool ordered = strstr(fields[1], "order") != NULL;

	arena_init(&t->arena, 0);
	t->columns = read_columns(&t->arena, str_from(fields[2]), columns);
	for (uint32_t i = 0; i < t->columns; i++)
		args[i] = columns[i].is_constant
				  ? bound_constant(&t->arena, columns[i].constant, (Position){0})
				  : bound_column(&t->arena, i, columns[i].type, STR("x"),
						 (Position){1, 1, 1});
	if (aggregate_bind(&t->arena, str_from(fields[0]), args, t->columns - ordered,
			   (Position){1, 1, 1}, &t->call, &err) != FERRIS_OK) {
		printf("%s\n", err.message);
		return false;
	}
	t->call->distinct = strstr(fields[1], "distinct") != NULL;
	t->call->descending = strstr(fields[1], "desc") != NULL;
	t->call->order = ordered ? args[t->columns - 1] : NULL;
	for (uint32_t i = 0; i < t->columns; i++) {
		t->types[i] = i < t->call->arg_count ? t->call->args[i]->type : columns[i].type;
		t->constant[i] = columns[i].is_constant;
		vector_init(&t->vectors[i], t->types[i], FORM_VALUE, BATCH_CAPACITY);
		t->args[i] = &t->vectors[i];
	}
	while (next_piece(&rows, ';', &row))
		read_row(t, columns, row);
	if (aggregate_open(t->call, &t->memory, &t->arena, &t->run, &err) != FERRIS_OK) {
		printf("%s\n", err.message);
		return false;
	}
	t->run.offset = 8;
	for (int g = 0; g < GROUPS; g++)
		t->states[g] = arena_zero(&t->arena, t->run.offset + t->run.state_size);
	return true;
}

static void
trial_close(Trial *t)
{
	for (uint32_t i = 0; i < t->columns; i++)
		vector_free(&t->vectors[i]);
	arena_free(&t->arena);
}

/* ---- feeding rows ---- */

static void
batch_reset_rows(Trial *t)
{
	for (uint32_t i = 0; i < t->columns; i++)
		vector_reset(&t->vectors[i]);
	t->batch_rows = 0;
	t->sel_count = 0;
}

/* Puts source row `r` at the next row of the batch, for that group. */
static void
batch_put(Trial *t, uint32_t r, int group)
{
	uint32_t row = t->batch_rows++;

	for (uint32_t i = 0; i < t->columns; i++) {
		if (t->constant[i]) {
			value_to_vector(&t->value[i][r], &t->vectors[i], 0);
			t->vectors[i].constant = true;
		} else {
			value_to_vector(&t->value[i][r], &t->vectors[i], row);
		}
	}
	t->sel[t->sel_count] = (uint16_t)row;
	t->groups[t->sel_count++] = t->states[group];
}

static AggregateRows
batch_rows(Trial *t, uint64_t sequence)
{
	return (AggregateRows){
		.args = t->args,
		.order = t->call->order != NULL ? t->args[t->columns - 1] : NULL,
		.sel = t->sel,
		.count = t->sel_count,
		.groups = t->groups,
		.sequence = sequence,
	};
}

/* One row with its number. */
static void
feed_one(Trial *t, uint32_t r, int group, uint64_t sequence, bool retract)
{
	batch_reset_rows(t);
	batch_put(t, r, group);
	AggregateRows rows = batch_rows(t, sequence);
	rows.one_group = pick(2);
	if (retract)
		t->run.call->class->retract(&t->run, &rows);
	else
		t->run.call->class->add(&t->run, &rows);
}

static void
feed_whole(Trial *t)
{
	batch_reset_rows(t);
	for (uint32_t r = 0; r < t->rows; r++)
		batch_put(t, r, MINE);
	AggregateRows rows = batch_rows(t, 0);
	rows.one_group = true;
	rows.dense = true;
	rows.sel = NULL;
	if (t->rows > 0)
		t->run.call->class->add(&t->run, &rows);
}

/* In order, in batches of any length, with gaps and rows of other groups between. */
static void
feed_batches(Trial *t)
{
	uint64_t sequence = 0;

	for (uint32_t r = 0; r < t->rows;) {
		batch_reset_rows(t);
		bool gaps = pick(2);
		for (uint32_t n = 1 + pick(9); n > 0 && r < t->rows; n--, r++) {
			while (pick(3) == 0)
				batch_put(t, pick(t->rows), pick(2) ? MINE - 1 : MINE + 1);
			if (gaps && pick(3) == 0) {
				batch_put(t, pick(t->rows), MINE);
				t->sel_count--; /* a row that a filter has dropped */
			}
			batch_put(t, r, MINE);
		}
		AggregateRows rows = batch_rows(t, sequence);
		rows.dense = t->sel_count == t->batch_rows && pick(2);
		t->run.call->class->add(&t->run, &rows);
		sequence += t->batch_rows;
	}
}

static void
shuffle(uint32_t *order, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		order[i] = i;
	for (uint32_t i = count; i > 1; i--) {
		uint32_t k = pick(i);
		uint32_t t = order[i - 1];
		order[i - 1] = order[k];
		order[k] = t;
	}
}

/* One by one in any order, each with the number it has. */
static void
feed_shuffled(Trial *t)
{
	uint32_t order[ROWS_MAX];

	shuffle(order, t->rows);
	for (uint32_t i = 0; i < t->rows; i++)
		feed_one(t, order[i], MINE, order[i], false);
}

/* Cut over all groups, then merged into one. */
static void
feed_merged(Trial *t)
{
	const AggregateClass *class = t->run.call->class;
	size_t offset = t->run.offset;

	for (uint32_t r = 0; r < t->rows; r++)
		feed_one(t, r, (int)pick(GROUPS), r, false);
	if (pick(2)) {
		class->merge(&t->run, t->states[MINE] + offset, t->states[0] + offset);
		class->merge(&t->run, t->states[MINE] + offset, t->states[2] + offset);
	} else {
		class->merge(&t->run, t->states[2] + offset, t->states[0] + offset);
		class->merge(&t->run, t->states[MINE] + offset, t->states[2] + offset);
	}
}

/* Other rows come first and are taken back in between or at the end. */
static void
feed_retracted(Trial *t)
{
	uint32_t extra[16];
	uint32_t count = t->rows > 0 ? pick(16) : 0;
	uint32_t back = 0;

	for (uint32_t i = 0; i < count; i++) {
		extra[i] = pick(t->rows);
		feed_one(t, extra[i], MINE, i, false);
	}
	for (uint32_t r = 0; r < t->rows; r++) {
		feed_one(t, r, MINE, 100 + r, false);
		if (back < count && pick(4) == 0) {
			feed_one(t, extra[back], MINE, back, true);
			back++;
		}
	}
	for (; back < count; back++)
		feed_one(t, extra[back], MINE, back, true);
}

/* All groups are merged into one, in which there are other rows too, and those are taken out. */
static void
feed_unmerged(Trial *t)
{
	const AggregateClass *class = t->run.call->class;
	size_t offset = t->run.offset;
	uint32_t extra = t->rows > 0 ? pick(16) : 0;

	for (uint32_t i = 0; i < extra; i++)
		feed_one(t, pick(t->rows), 0, i, false);
	for (uint32_t r = 0; r < t->rows; r++)
		feed_one(t, r, pick(2) ? MINE : 2, r, false);
	class->merge(&t->run, t->states[2] + offset, t->states[0] + offset);
	class->merge(&t->run, t->states[MINE] + offset, t->states[2] + offset);
	class->unmerge(&t->run, t->states[MINE] + offset, t->states[0] + offset);
}

/* ---- results ---- */

static void
release_all(Trial *t)
{
	for (int g = 0; g < GROUPS; g++) {
		if (t->run.call->class->release != NULL)
			t->run.call->class->release(&t->run, t->states[g] + t->run.offset);
		memset(t->states[g], 0, t->run.offset + t->run.state_size);
	}
	assert_int_equal(t->memory.bytes, 0);
}

static void
emit_text(Trial *t, Buffer *out)
{
	Vector result;
	Str message = {NULL, 0};

	buffer_reset(out);
	vector_init(&result, t->call->type, FORM_VALUE, 4);
	Status status = t->run.call->class->emit(&t->run, t->states[MINE] + t->run.offset, &result,
						 2, &t->arena, &message);
	if (status != FERRIS_OK) {
		assert_true(message.len > 0);
		buffer_printf(out, "row:%s", error_info(status)->name);
	} else {
		print_value(out, &result, 2);
	}
	buffer_append_char(out, '\0');
	vector_free(&result);
}

/* Saves, damages, loads and saves again. */
static void
through_bytes(Trial *t)
{
	const AggregateClass *class = t->run.call->class;
	char *state = t->states[MINE] + t->run.offset;
	char *other = t->states[MINE + 1] + t->run.offset;
	Buffer bytes;

	buffer_init(&bytes, SIZE_MAX);
	if (class->release != NULL)
		class->release(&t->run, other);
	memset(other, 0, t->run.state_size);
	class->save(&t->run, state, &bytes);
	for (int i = 0; i < 4 && bytes.len > 0; i++) {
		/* Cut short in a block of its own, so that reading beyond it is seen. */
		size_t len = pick((uint32_t)bytes.len);
		char *cut = memcpy(malloc(len + 1), bytes.data, len);
		if (i % 2 == 1 && len > 0)
			cut[pick((uint32_t)len)] ^= (char)(1 << pick(8));
		size_t before = t->memory.bytes;
		if (!class->load(&t->run, other, cut, len))
			assert_int_equal(t->memory.bytes, before);
		else if (class->release != NULL)
			class->release(&t->run, other);
		memset(other, 0, t->run.state_size);
		free(cut);
	}
	if (class->release != NULL)
		class->release(&t->run, state);
	memset(state, 0, t->run.state_size);
	assert_true(class->load(&t->run, state, bytes.data, bytes.len));
	buffer_free(&bytes);
}

typedef void (*Feed)(Trial *t);

static const struct {
	const char *name;
	Feed feed;
	bool retracts;
	bool saves;
	bool unmerges;
} ways[] = {
	{"whole", feed_whole, false, false, false},
	{"batches", feed_batches, false, false, false},
	{"shuffled", feed_shuffled, false, false, false},
	{"merged", feed_merged, false, false, false},
	{"retracted", feed_retracted, true, false, false},
	{"saved", feed_batches, false, true, false},
	{"merged and saved", feed_merged, false, true, false},
	{"unmerged", feed_unmerged, false, false, true},
};

/* Which of equal values came first is part of the result, and then only their order decides. */
static bool
depends_on_first(const Trial *t)
{
	return (t->run.call->class->flags & AGGREGATE_ORDERED) && t->call->distinct;
}

static bool
run_aggregate(char **fields)
{
	static Trial trial;
	Trial *t = &trial;
	Buffer got;
	bool good = true;

	memset(t, 0, sizeof *t);
	if (!trial_open(t, fields))
		return false;
	Str type = type_text(&t->arena, t->call->type);
	if (fields[5][0] != '\0' && !str_eq(type, str_from(fields[5]))) {
		printf("type: %.*s\n", STR_ARG(type));
		good = false;
	}
	buffer_init(&got, SIZE_MAX);
	for (size_t i = 0; i < sizeof ways / sizeof ways[0] && good; i++) {
		bool reorders = ways[i].feed != feed_whole && ways[i].feed != feed_batches;

		if ((ways[i].retracts && t->run.call->class->retract == NULL) ||
		    (ways[i].unmerges && t->run.call->class->unmerge == NULL) ||
		    (reorders && depends_on_first(t)))
			continue;
		ways[i].feed(t);
		if (ways[i].saves)
			through_bytes(t);
		emit_text(t, &got);
		if (strcmp(got.data, fields[4]) != 0) {
			printf("%s: %s\n", ways[i].name, got.data);
			good = false;
		}
		release_all(t);
	}
	buffer_free(&got);
	trial_close(t);
	return good;
}

static void
test_vectors(void **state)
{
	const VectorCheck checks[] = {{"agg", 6, run_aggregate}};
	int done;

	(void)state;
	printf("seed %llu\n", (unsigned long long)seed);
	int failed =
		vectors_run(SOURCE_DIR "/tests/unit/data/aggregate_vectors.txt", checks, 1, &done);
	printf("%d cases\n", done);
	assert_int_equal(failed, 0);
	assert_true(done > 2000);
}

/* ---- more than fits a line ---- */

/* Opens a call of one column; the trial has no rows of its own. */
static void
open_column(Trial *t, const char *name, const Type *type, bool distinct)
{
	Error err = {0};

	memset(t, 0, sizeof *t);
	arena_init(&t->arena, 0);
	BoundExpr *arg = bound_column(&t->arena, 0, type, STR("x"), (Position){1, 1, 1});
	assert_int_equal(aggregate_bind(&t->arena, str_from(name), &arg, 1, (Position){1, 1, 1},
					&t->call, &err),
			 FERRIS_OK);
	t->call->distinct = distinct;
	assert_int_equal(aggregate_open(t->call, &t->memory, &t->arena, &t->run, &err), FERRIS_OK);
	t->columns = 1;
	vector_init(&t->vectors[0], t->call->args[0]->type, FORM_VALUE, BATCH_CAPACITY);
	t->args[0] = &t->vectors[0];
	for (int g = 0; g < GROUPS; g++)
		t->states[g] = arena_zero(&t->arena, t->run.state_size);
	for (uint32_t k = 0; k < BATCH_CAPACITY; k++)
		t->groups[k] = t->states[MINE];
}

/* Adds first, first + step, ... as BIGINT. */
static void
add_numbers(Trial *t, int64_t first, int64_t step, uint32_t count)
{
	int64_t *data = t->vectors[0].data;

	for (uint32_t done = 0; done < count;) {
		uint32_t n = count - done < BATCH_CAPACITY ? count - done : BATCH_CAPACITY;

		for (uint32_t i = 0; i < n; i++)
			data[i] = first + step * (done + i);
		AggregateRows rows = {.args = t->args,
				      .count = n,
				      .groups = t->groups,
				      .sequence = done,
				      .dense = true,
				      .one_group = pick(2)};
		t->run.call->class->add(&t->run, &rows);
		done += n;
	}
}

static int64_t
emit_int64(Trial *t, int group)
{
	Vector out;
	Str message;

	vector_init(&out, t->call->type, FORM_VALUE, 1);
	assert_int_equal(
		t->run.call->class->emit(&t->run, t->states[group], &out, 0, &t->arena, &message),
		FERRIS_OK);
	int64_t v = VECTOR_DATA(&out, int64_t)[0];
	vector_free(&out);
	return v;
}

static void
test_sketch_accuracy(void **state)
{
	static const uint32_t counts[] = {1000, 1024, 1025, 3000, 10000, 100000, 1000000};
	static Trial t;

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		open_column(&t, "APPROX_COUNT_DISTINCT", TYPE_OF(BIGINT), false);
		add_numbers(&t, 7, 12345, counts[i]);
		add_numbers(&t, 7, 12345, counts[i] / 2); /* again: changes nothing */
		double got = (double)emit_int64(&t, MINE);
		double error = got / counts[i] - 1;
		printf("%u: %.0f (%+.2f %%)\n", counts[i], got, 100 * error);
		if (counts[i] <= 1024)
			assert_int_equal((int64_t)got, counts[i]);
		assert_true(error < 0.024 && error > -0.024); /* three standard errors */
		/* Halves that overlap, merged, are the same sketch. */
		for (uint32_t k = 0; k < BATCH_CAPACITY; k++)
			t.groups[k] = t.states[0];
		add_numbers(&t, 7, 12345, counts[i] / 3 * 2);
		for (uint32_t k = 0; k < BATCH_CAPACITY; k++)
			t.groups[k] = t.states[2];
		uint32_t from = counts[i] / 2;
		add_numbers(&t, 7 + 12345 * (int64_t)from, 12345, counts[i] - from);
		t.run.call->class->merge(&t.run, t.states[2], t.states[0]);
		assert_int_equal(emit_int64(&t, 2), (int64_t)got);
		release_all(&t);
		trial_close(&t);
	}
}

static void
test_many_distinct(void **state)
{
	static Trial t;

	(void)state;
	open_column(&t, "COUNT", TYPE_OF(BIGINT), true);
	add_numbers(&t, -5000, 3, 100000);
	add_numbers(&t, -5000, 3, 100000);
	assert_int_equal(emit_int64(&t, MINE), 100000);
	assert_true(t.memory.bytes > 100000 * 8);
	release_all(&t);
	trial_close(&t);
}

/* ARRAY_AGG, FIRST and COUNT(DISTINCT) of arrays. */
static void
test_nested(void **state)
{
	static const char *const names[] = {"ARRAY_AGG", "FIRST", "LAST", "COUNT_DISTINCT",
					    "ARRAY_AGG"};
	static const char *const want[] = {"[[],[0],[0,1],[],[0],[0,1]]", "[]", "[0,1]", "3",
					   "[[],[0],[0,1]]"};
	static Trial t;
	Buffer got;

	(void)state;
	buffer_init(&got, SIZE_MAX);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		Arena types;
		arena_init(&types, 0);
		open_column(&t, names[i], type_array(&types, TYPE_OF(BIGINT)), i == 4);
		Vector *v = &t.vectors[0];
		for (uint32_t row = 0; row < 6; row++) {
			uint32_t first = vector_list_append(v, row % 3);
			VECTOR_DATA(v, ListEntry)[row] = (ListEntry){first, row % 3};
			for (uint32_t k = 0; k < row % 3; k++)
				VECTOR_DATA(&v->children[0], int64_t)[first + k] = k;
		}
		AggregateRows rows = {
			.args = t.args, .count = 6, .groups = t.groups, .dense = true};
		t.run.call->class->add(&t.run, &rows);
		through_bytes(&t);
		emit_text(&t, &got);
		assert_string_equal(got.data, want[i]);
		release_all(&t);
		trial_close(&t);
		arena_free(&types);
	}
	buffer_free(&got);
}

/* ---- the list ---- */

static void
test_refusals(void **state)
{
	static const struct {
		const char *name, *args;
		Status want; /* of bind or open */
	} cases[] = {
		{"SUM", "s:x", FERRIS_ERR_TYPE},
		{"SUM", "i:1 | i:2", FERRIS_ERR_ARGUMENTS},
		{"SUM", "", FERRIS_ERR_ARGUMENTS},
		{"AVG", "b:true", FERRIS_ERR_TYPE},
		{"SUMM", "i:1", FERRIS_ERR_UNKNOWN_FUNCTION},
		{"UPPER", "s:x", FERRIS_ERR_UNKNOWN_FUNCTION},
		{"MAX", "a:1,2", FERRIS_ERR_TYPE},
		{"BOOL_AND", "i:1", FERRIS_ERR_TYPE},
		{"PERCENTILE_CONT", "i:1 | =d:1.5", FERRIS_ERR_ARGUMENTS},
		{"PERCENTILE_CONT", "i:1 | =d:-0.1", FERRIS_ERR_ARGUMENTS},
		{"PERCENTILE_CONT", "i:1 | =f:NaN", FERRIS_ERR_ARGUMENTS},
		{"PERCENTILE_CONT", "i:1 | d:0.5", FERRIS_ERR_ARGUMENTS},
		{"PERCENTILE_CONT", "s:x | =d:0.5", FERRIS_ERR_TYPE},
		{"STRING_AGG", "s:x | s:y", FERRIS_ERR_ARGUMENTS},
		{"CORR", "i:1", FERRIS_ERR_ARGUMENTS},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		Arena arena;
		AggregateMemory memory = {0};
		AggregateCall *call;
		AggregateRun run;
		Error err = {0};

		arena_init(&arena, 0);
		CaseArgs args = parse_arguments(&arena, cases[i].args, true);
		Status got = aggregate_bind(&arena, str_from(cases[i].name), args.exprs, args.count,
					    (Position){3, 7, 1}, &call, &err);
		if (got == FERRIS_OK)
			got = aggregate_open(call, &memory, &arena, &run, &err);
		if (got != cases[i].want)
			fail_msg("%s(%s): %s", cases[i].name, cases[i].args, err.message);
		assert_int_not_equal(err.position.line, 0);
		assert_true(err.hint[0] != '\0');
		assert_int_equal(memory.bytes, 0);
		arena_free(&arena);
	}
}

/* Each row is documented and can be called by all of its names. */
static void
test_list(void **state)
{
	static char page[1 << 20];
	const AggregateClass *row;
	FILE *in = fopen(SOURCE_DIR "/docs/functions.md", "r");

	(void)state;
	assert_non_null(in);
	page[fread(page, 1, sizeof page - 1, in)] = '\0';
	fclose(in);
	for (size_t i = 0; (row = aggregate_row(i)) != NULL; i++) {
		char call[256];

		snprintf(call, sizeof call, "| `%s` |", row->signature);
		if (strstr(page, call) == NULL || strstr(page, row->doc) == NULL)
			fail_msg("not in docs/functions.md, run ./dev docs: %s", row->signature);
		assert_int_equal(row->doc[strlen(row->doc) - 1], '.');
		assert_true(row->add != NULL && row->merge != NULL && row->emit != NULL &&
			    row->save != NULL && row->load != NULL);
		for (const char *p = row->name; *p != '\0'; p += strcspn(p, "|"), p += *p == '|') {
			Str name = {p, (uint32_t)strcspn(p, "|")};

			assert_true(aggregate_exists(name));
			assert_false(function_exists(name));
			assert_int_equal(aggregate_takes_within(name),
					 (row->flags & AGGREGATE_WITHIN) != 0);
		}
	}
	assert_false(aggregate_exists(STR("UPPER")));
	assert_true(aggregate_exists(STR("vwap")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_vectors),       cmocka_unit_test(test_sketch_accuracy),
		cmocka_unit_test(test_many_distinct), cmocka_unit_test(test_nested),
		cmocka_unit_test(test_refusals),      cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
