/* tests/fuzz/fuzz_json.c -- any bytes as JSON records.
 *
 * The first byte chooses columns and options.  The general path, the plain and the wide fast path
 * must give the same rows and errors, and so must the same input cut into chunks. */
#include <stdlib.h>

#include "../unit/json_harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
choose_columns(Harness *h, unsigned choice)
{
	const Type *price = type_decimal(&h->arena, 18, 4);
	bool values = choice & 1;

	harness_column(h, "trade_id", TYPE_OF(BIGINT), values ? FORM_VALUE : FORM_TEXT, true);
	harness_column(h, "symbol", TYPE_OF(STRING), values ? FORM_VALUE : FORM_TEXT, true);
	if (choice & 2)
		harness_predicate(h, harness_column(h, "price", price, FORM_VALUE, false),
				  COMPARE_GT, (Value){.int64 = 5000000});
	harness_column(h, "price", price, values ? FORM_VALUE : FORM_TEXT, true);
	if (choice & 4) {
		Field fields[] = {{STR("x"), TYPE_OF(DOUBLE), false},
				  {STR("y"), type_array(&h->arena, TYPE_OF(TIMESTAMP)), false}};

		harness_column(h, "nested", type_struct(&h->arena, fields, 2),
			       values ? FORM_VALUE : FORM_TEXT, true);
		harness_column(h, "map", type_map(&h->arena, TYPE_OF(STRING), TYPE_OF(JSON)),
			       FORM_VALUE, true);
	}
	harness_column(h, "event_time", TYPE_OF(TIMESTAMP), FORM_VALUE, true);
	if (choice & 8)
		harness_option(h, "json.validate", "full");
	if (choice & 16)
		harness_option(h, "json.framing", "values");
	h->topic = choice & 32;
}

static void
run(Harness *h, unsigned choice, HarnessPath path, size_t chunk_size, const char *text, size_t len)
{
	Error err;

	harness_init(h);
	choose_columns(h, choice);
	h->chunk_size = chunk_size;
	if (harness_run(h, path, text, len, &err) != FERRIS_OK)
		abort();
	if (h->records_in != h->row_count + h->filtered + h->error_count)
		abort();
}

static void
same(const Harness *a, const Harness *b)
{
	if (strcmp(a->rows.data, b->rows.data) != 0 ||
	    strcmp(a->errors.data, b->errors.data) != 0 || a->filtered != b->filtered ||
	    a->records_in != b->records_in) {
		fprintf(stderr, "%s%s-- and --\n%s%s", a->rows.data, a->errors.data, b->rows.data,
			b->errors.data);
		abort();
	}
}

/* Record by record is the same as all at once, and no record is empty. */
static void
check_cut(const Setting *settings, const char *text, size_t len)
{
	size_t whole = json_codec.frame(settings, text, len, false);
	uint32_t all = 0, records = 0, count;

	if (json_codec.cut(settings, text, whole, whole, &all) != whole)
		abort();
	for (size_t at = 0; at < whole; records += count) {
		count = 1;
		size_t end = json_codec.cut(settings, text + at, whole - at, 1, &count);
		if (end == 0 || count > 1 || (count == 0 && at + end < whole))
			abort();
		at += end;
	}
	if (records != all)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0 || size > 1 << 16)
		return 0;
	unsigned choice = data[0];
	const char *text = (const char *)data + 1;
	size_t len = size - 1;
	Harness general, other;

	run(&general, choice, PATH_GENERAL, 0, text, len);
	for (HarnessPath path = PATH_PORTABLE; path < PATH_COUNT; path++) {
		run(&other, choice, path, 0, text, len);
		same(&general, &other);
		harness_free(&other);
	}
	/* A topic's records are cut at the same places only if each is a line of the file too. */
	if ((choice & (16 | 32)) == 0) {
		run(&other, choice, PATH_AUTO, 1 + choice, text, len);
		same(&general, &other);
		harness_free(&other);
	}
	harness_free(&general);

	Harness h;
	Schema schema;
	Error err;
	harness_init(&h);
	Chunk sample = {.data = memory_alloc(len + CHUNK_PADDING), .len = len, .capacity = len};
	memcpy(sample.data, text, len);
	chunk_seal(&sample);
	if (choice & 16)
		harness_option(&h, "json.framing", "values");
	(void)json_codec.infer(harness_settings(&h, &json_codec.decode_options), &sample, &h.arena,
			       &schema, &err);
	check_cut(harness_settings(&h, &json_codec.decode_options), text, len);
	memory_free(sample.data);
	harness_free(&h);
	return 0;
}
