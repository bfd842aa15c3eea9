/* tests/unit/test_json_paths.c -- the JSON decoder against other readers and against itself:
 * jansson, Python's json, and the three ways it reads a record. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include <jansson.h>

#include "json_harness.h"

/* ---- conformance: what jansson accepts under the same rules ---- */

static uint64_t seed;

static void
random_string(Buffer *out, uint64_t *random)
{
	static const char *const pieces[] = {
		"a",        "B",
		"0",        " ",
		"\\n",      "\\u0041",
		"\\u00e9",  "\\ud83d\\ude00",
		"\xC3\xA9", "\xF0\x9F\x98\x80",
		"\\\"",     "\\\\",
		"/",        "\\ud800",
		"\xFF",     "\t",
		"\\q",      "{",
		"]",        ":",
	};

	buffer_append_char(out, '"');
	for (uint32_t i = harness_below(random, 40); i > 0; i--) {
		bool odd = harness_below(random, 100) == 0;

		buffer_append_str(out, str_from(pieces[harness_below(random, odd ? 20 : 13)]));
	}
	buffer_append_char(out, '"');
}

static void
random_value(Buffer *out, uint64_t *random, int depth)
{
	static const char *const scalars[] = {
		"0",   "-1",   "12345", "1.5",  "-0.25",
		"1e5", "true", "false", "null", "1234567890123",
		"01",  "1.",   "-",     "tru",  "nul",
		"+1",  "",
	};
	uint32_t kind = harness_below(random, depth > 3 ? 2 : 4);

	if (kind == 0) {
		random_string(out, random);
	} else if (kind == 1) {
		bool odd = harness_below(random, 60) == 0;

		buffer_append_str(out, str_from(scalars[harness_below(random, odd ? 17 : 10)]));
	} else {
		uint32_t count = harness_below(random, 4);

		buffer_append_char(out, kind == 2 ? '[' : '{');
		for (uint32_t i = 0; i < count; i++) {
			if (i > 0)
				buffer_append_str(out, STR(", "));
			if (kind == 3)
				buffer_printf(out, "\"%c\" :", 'a' + harness_below(random, 8));
			random_value(out, random, depth + 1);
		}
		buffer_append_char(out, kind == 2 ? ']' : '}');
	}
}

static void
mutate(Buffer *text, uint64_t *random)
{
	static const char odd[] = "{}[]:,\"\\ \t\n\r0123456789.-+eEtfnu\x01\x80\xFF";

	for (uint32_t i = harness_below(random, 3); i > 0 && text->len > 0; i--) {
		uint32_t at = harness_below(random, (uint32_t)text->len);

		switch (harness_below(random, 3)) {
		case 0:
			text->data[at] = odd[harness_below(random, sizeof odd - 1)];
			break;
		case 1:
			memmove(text->data + at, text->data + at + 1, text->len - at - 1);
			text->len--;
			break;
		default:
			if (!buffer_append_char(text, 'x'))
				return;
			memmove(text->data + at + 1, text->data + at, text->len - at - 1);
			text->data[at] = odd[harness_below(random, sizeof odd - 1)];
		}
	}
}

/* jansson's accept or reject of the line as one object without duplicate keys.  Exponents beyond a
 * double's range are its own limit and not the RFC's. */
static void
against_jansson(void **state)
{
	uint64_t random = seed;
	uint32_t accepted = 0;
	Buffer text;

	(void)state;
	buffer_init(&text, 1 << 20);
	for (int i = 0; i < 20000; i++) {
		json_error_t why;
		Harness h;
		Error err;

		buffer_reset(&text);
		buffer_append_str(&text, STR("{\"a\":"));
		random_value(&text, &random, 0);
		buffer_append_str(&text, STR(",\"b\":"));
		random_value(&text, &random, 1);
		buffer_append_char(&text, '}');
		if (i % 2 == 1)
			mutate(&text, &random);
		for (size_t k = 0; k < text.len; k++) /* one record */
			if (text.data[k] == '\n')
				text.data[k] = ' ';
		json_t *theirs = json_loadb(text.data, text.len,
					    JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
		bool ok = theirs != NULL && json_is_object(theirs);
		if (theirs == NULL && json_error_code(&why) == json_error_numeric_overflow) {
			continue;
		}
		harness_init(&h);
		harness_option(&h, "json.validate", "full");
		harness_column(&h, "a", TYPE_OF(STRING), FORM_VALUE, true);
		assert_int_equal(harness_run(&h, PATH_AUTO, text.data, text.len, &err), FERRIS_OK);
		if ((h.row_count == 1) != ok)
			fail_msg("seed %llu: jansson %s (%s), we: %s%s for %.*s",
				 (unsigned long long)seed, ok ? "accepts" : "rejects", why.text,
				 h.rows.data, h.errors.data, (int)text.len, text.data);
		const char *string = ok ? json_string_value(json_object_get(theirs, "a")) : NULL;
		if (string != NULL) {
			StringView view = VECTOR_DATA(&h.batch->columns[0], StringView)[0];
			size_t len = json_string_length(json_object_get(theirs, "a"));

			/* The last decode call found nothing and left the vector alone; the bytes
			 * it pointed to are gone, so only the length can be compared here. */
			assert_int_equal(view.len, len);
		}
		accepted += ok;
		json_decref(theirs);
		harness_free(&h);
	}
	assert_in_range(accepted, 2000, 18000);
	buffer_free(&text);
}

/* ---- one record, three ways ---- */

static void
trade(Buffer *out, uint64_t *random, int i)
{
	static const char *const prices[] = {"%u.%04u", "%u.%02u", "%u.%u", "-%u.%04u", "%u.%05u"};
	bool odd = harness_below(random, 10) == 0;

	uint32_t shape = harness_below(random, 24); /* now and then a key more, fewer, elsewhere */
	buffer_append_str(out, shape == 0 ? STR("{\"x\":[1],") : shape == 1 ? STR("{ ") : STR("{"));
	if (shape != 2)
		buffer_printf(out, "\"trade_id\":%d,", i);
	if (shape != 3)
		buffer_printf(out, "\"symbol\":\"SYM%03u\",", harness_below(random, 1000));
	if (shape == 4)
		buffer_append_str(out, STR("\"quantity\":null,"));
	buffer_append_str(out, STR("\"price\":"));
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	buffer_printf(out, prices[odd ? harness_below(random, 5) : 0], harness_below(random, 10000),
		      harness_below(random, 10000));
#pragma GCC diagnostic pop
	buffer_printf(out, ",\"quantity\":%u,\"side\":\"%s\",\"account\":\"ACC%05u\",",
		      harness_below(random, 1000), harness_below(random, 2) ? "BUY" : "SELL",
		      harness_below(random, 10000));
	buffer_printf(out, "\"%s\":%llu}%s\n", shape == 5 ? "time" : "event_time",
		      1700000000000ULL + harness_below(random, 1000000), shape == 6 ? " \r" : "");
}

static void
trade_spec(Harness *h, int spec)
{
	const Type *price = type_decimal(&h->arena, 18, 4);

	harness_column(h, "trade_id", TYPE_OF(BIGINT), spec % 2 ? FORM_VALUE : FORM_TEXT, true);
	harness_column(h, "symbol", TYPE_OF(STRING), spec % 2 ? FORM_VALUE : FORM_TEXT, true);
	harness_column(h, "price", price, spec % 2 ? FORM_VALUE : FORM_TEXT, true);
	if (spec >= 2) {
		uint32_t number = harness_column(h, "price", price, FORM_VALUE, spec == 3);

		harness_predicate(h, number, COMPARE_GT, (Value){.int64 = 1000000});
		harness_predicate(h, harness_column(h, "side", TYPE_OF(STRING), FORM_VALUE, false),
				  COMPARE_EQ, (Value){.text = STR("BUY")});
		harness_predicate(
			h, harness_column(h, "quantity", TYPE_OF(INTEGER), FORM_VALUE, false),
			COMPARE_NE, (Value){.int64 = 500});
	}
	if (spec == 3)
		harness_column(h, "event_time", TYPE_OF(TIMESTAMP), FORM_VALUE, true);
	if (spec == 4) {
		harness_column(h, "account", TYPE_OF(JSON), FORM_TEXT, true);
		harness_column(h, "event_time", TYPE_OF(TIMESTAMP), FORM_TEXT, true);
		harness_column(h, "quantity", TYPE_OF(DOUBLE), FORM_TEXT, true);
	}
}

/* What two runs wrote down must be equal; what to look at if it is not. */
static void
check_same(const char *got, const char *wanted, const char *input, const char *where)
{
	size_t at = 0;

	while (got[at] != '\0' && got[at] == wanted[at])
		at++;
	if (got[at] == wanted[at])
		return;
	while (at > 0 && got[at - 1] != '\n')
		at--;
	print_error("%s\ngot     %.90s\nwanted  %.90s\nrecord  %.200s\n", where, got + at,
		    wanted + at, input + strtoul(got + at, NULL, 10));
	fail();
}

/* One input by one spec, by all paths. */
static void
compare_paths(const Buffer *text, int spec, bool full, bool topic)
{
	Harness runs[PATH_COUNT];
	char where[128];
	Error err;

	for (HarnessPath path = 0; path < PATH_COUNT; path++) {
		Harness *h = &runs[path];

		harness_init(h);
		h->topic = topic;
		harness_option(h, "json.validate", full ? "full" : "needed");
		trade_spec(h, spec);
		assert_int_equal(harness_run(h, path, text->data, text->len, &err), FERRIS_OK);
		snprintf(where, sizeof where, "seed %llu spec %d full %d topic %d path %d",
			 (unsigned long long)seed, spec, full, topic, path);
		check_same(h->rows.data, runs[0].rows.data, text->data, where);
		check_same(h->errors.data, runs[0].errors.data, text->data, where);
		assert_int_equal(h->filtered, runs[0].filtered);
		assert_int_equal(h->records_in, runs[0].records_in);
	}
	for (HarnessPath path = 0; path < PATH_COUNT; path++)
		harness_free(&runs[path]);
}

static void
same_by_all_paths(void **state)
{
	uint64_t random = seed;
	Buffer text, line;

	(void)state;
	buffer_init(&text, 1 << 20);
	buffer_init(&line, 1 << 20);
	for (int round = 0; round < 300; round++) {
		buffer_reset(&text);
		for (int i = 0; i < 60; i++) {
			buffer_reset(&line);
			trade(&line, &random, i);
			if (harness_below(&random, 3) == 0)
				mutate(&line, &random);
			buffer_append(&text, line.data, line.len);
		}
		for (int spec = 0; spec < 5; spec++)
			for (int mode = 0; mode < 4; mode++)
				compare_paths(&text, spec, mode & 1, mode & 2);
	}
	buffer_free(&line);
	buffer_free(&text);
}

/* ---- Python's json wrote the text, and knows the value ---- */

static void
python_vectors(void **state)
{
	FILE *file = fopen(SOURCE_DIR "/tests/unit/data/json_vectors.txt", "r");
	char line[4096];
	int count = 0;

	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof line, file) != NULL) {
		char *tab = strchr(line, '\t');
		Harness h;
		Error err;
		char kind = line[0];

		if (kind == '#')
			continue;
		assert_non_null(tab);
		char *hex = strchr(tab + 1, '\t');
		assert_non_null(hex);
		size_t len = (size_t)(hex - tab - 1);
		hex++;
		harness_init(&h);
		harness_column(&h, "v", kind == 'S' ? TYPE_OF(STRING) : TYPE_OF(DOUBLE), FORM_VALUE,
			       true);
		assert_int_equal(harness_open(&h, PATH_AUTO, &err), FERRIS_OK);
		Chunk *chunk = chunk_new(len);
		memcpy(chunk->data, tab + 1, len);
		chunk->len = len;
		chunk_seal(chunk);
		ChunkCursor cursor = {.chunk = chunk};
		batch_reset(h.batch);
		assert_int_equal(json_codec.decode(h.decoder, &cursor, h.batch, &err), FERRIS_OK);
		assert_int_equal(h.batch->row_count, 1);
		char got[4096] = "";
		const Vector *vector = &h.batch->columns[0];
		StringView view = {(const char *)vector->data, 8, 0};
		if (kind == 'S')
			view = VECTOR_DATA(vector, StringView)[0];
		for (uint32_t i = 0; i < view.len; i++)
			snprintf(got + 2 * i, 3, "%02x", (unsigned char)view.data[i]);
		hex[strcspn(hex, "\n")] = '\0';
		assert_string_equal(got, hex);
		count++;
		chunk_destroy(chunk);
		harness_free(&h);
	}
	fclose(file);
	assert_in_range(count, 300, 10000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(python_vectors),
		cmocka_unit_test(against_jansson),
		cmocka_unit_test(same_by_all_paths),
	};
	const char *given = getenv("TEST_SEED");

	seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 2 + 1;
	print_message("seed %llu\n", (unsigned long long)seed);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
