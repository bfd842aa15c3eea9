/* tests/unit/test_generator.c -- generated records: the same for the same seed, in range, in time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <time.h>

#include "base/memory.h"
#include "connector/connector.h"

extern const ConnectorClass generator_connector;

#define MAX_OPTIONS 8

static const CodecClass json = {.name = "json"};
static const CodecClass csv = {.name = "csv"};
static const CodecClass raw = {.name = "raw"};
static const CodecClass avro = {.name = "avro"};

typedef struct Fixture {
	Arena arena;
	OptionEntry entries[MAX_OPTIONS];
	Options options;
	ReaderSpec spec;
	Reader *reader;
	Error err;
} Fixture;

static void
set_up(Fixture *f, const CodecClass *codec, ...)
{
	Setting *settings;
	const char *name;
	va_list args;

	*f = (Fixture){0};
	arena_init(&f->arena, 0);
	f->options.entries = f->entries;
	va_start(args, codec);
	while ((name = va_arg(args, const char *)) != NULL)
		f->entries[f->options.count++] = (OptionEntry){
			.key = str_from(name), .value = str_from(va_arg(args, const char *))};
	va_end(args);
	assert_int_equal(options_resolve(&generator_connector.source_options, &f->options,
					 &f->arena, &settings, &f->err),
			 0);
	f->spec = (ReaderSpec){.object = "made", .settings = settings, .framing = {.codec = codec}};
}

static void
open_it(Fixture *f)
{
	assert_int_equal(generator_connector.reader_open(&f->spec, &f->arena, &f->reader, &f->err),
			 0);
}

/* All records, with chunks of that capacity. */
static void
read_all(Fixture *f, size_t capacity, Buffer *out)
{
	Chunk *chunk = chunk_new(capacity);
	ReadResult result = READ_IDLE;
	int64_t next = 0;
	uint64_t sequence = 0;

	buffer_init(out, SIZE_MAX);
	for (;;) {
		chunk_reset(chunk);
		assert_int_equal(generator_connector.read(f->reader, chunk, 1000, &result, &f->err),
				 0);
		if (result == READ_END)
			break;
		if (result == READ_IDLE)
			continue;
		assert_int_equal(chunk->position, next);
		assert_int_equal(chunk->sequence, sequence++);
		assert_int_equal(chunk->data[chunk->len - 1], '\n');
		next = chunk->next_position;
		buffer_append(out, chunk->data, chunk->len);
	}
	buffer_append_char(out, '\0');
	chunk_destroy(chunk);
}

static void
tear_down(Fixture *f, Buffer *out)
{
	if (f->reader != NULL)
		generator_connector.reader_close(f->reader);
	arena_free(&f->arena);
	if (out != NULL)
		buffer_free(out);
}

static void
test_same_bytes_whatever_the_chunks(void **state)
{
	static const char *const kinds[] = {
		"trades",   "orders",         "market_data",     "iot",
		"stations", "nexmark_person", "nexmark_auction", "nexmark_bid"};
	static const size_t capacities[] = {1, 700, 5000, CHUNK_CAPACITY};

	(void)state;
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		Buffer first = {0};

		for (size_t c = 0; c < sizeof capacities / sizeof *capacities; c++) {
			Fixture f;
			Buffer out;

			set_up(&f, &json, "kind", kinds[k], "rows", "5000", NULL);
			open_it(&f);
			read_all(&f, capacities[c], &out);
			if (c == 0) {
				first = out;
				tear_down(&f, NULL);
				continue;
			}
			assert_int_equal(out.len, first.len);
			assert_memory_equal(out.data, first.data, out.len);
			tear_down(&f, &out);
		}
		buffer_free(&first);
	}
}

/* The bytes are a promise: whoever compares two versions compares the same input. */
static void
test_the_first_trades(void **state)
{
	Fixture f;
	Buffer out;

	(void)state;
	set_up(&f, &json, "rows", "2", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	assert_string_equal(out.data, "{\"trade_id\":0,\"symbol\":\"SYM037\",\"price\":563.0691,"
				      "\"quantity\":487,\"side\":\"SELL\",\"account\":\"ACC08036\","
				      "\"event_time\":1700000000016}\n"
				      "{\"trade_id\":1,\"symbol\":\"SYM091\",\"price\":795.5694,"
				      "\"quantity\":945,\"side\":\"BUY\",\"account\":\"ACC03280\","
				      "\"event_time\":1700000000000}\n");
	tear_down(&f, &out);
	set_up(&f, &csv, "rows", "2", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	assert_string_equal(out.data, "0,SYM037,563.0691,487,SELL,ACC08036,1700000000016\n"
				      "1,SYM091,795.5694,945,BUY,ACC03280,1700000000000\n");
	tear_down(&f, &out);
}

static void
test_another_seed_gives_other_records(void **state)
{
	Fixture a, b;
	Buffer first, second;

	(void)state;
	set_up(&a, &json, "rows", "1", "seed", "42", NULL);
	set_up(&b, &json, "rows", "1", "seed", "43", NULL);
	open_it(&a);
	open_it(&b);
	read_all(&a, CHUNK_CAPACITY, &first);
	read_all(&b, CHUNK_CAPACITY, &second);
	assert_string_not_equal(first.data, second.data);
	tear_down(&a, &first);
	tear_down(&b, &second);
}

static void
test_trades_are_in_range(void **state)
{
	uint64_t buys = 0, symbols_low = 0;
	int64_t earliest = 0, latest = 0;
	Fixture f;
	Buffer out;
	long rows = 0;

	(void)state;
	set_up(&f, &json, "rows", "20000", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	for (const char *line = out.data; *line != '\0'; line = strchr(line, '\n') + 1, rows++) {
		long long id, time_ms;
		int symbol, whole, fraction, fraction_at, fraction_end, quantity, account, used = 0;
		char side[8];

		int n = sscanf(line,
			       "{\"trade_id\":%lld,\"symbol\":\"SYM%3d\",\"price\":%d.%n%d%n,"
			       "\"quantity\":%d,\"side\":\"%4[A-Z]\",\"account\":\"ACC%5d\","
			       "\"event_time\":%lld}\n%n",
			       &id, &symbol, &whole, &fraction_at, &fraction, &fraction_end,
			       &quantity, side, &account, &time_ms, &used);
		assert_int_equal(n, 8);
		assert_ptr_equal(line + used, strchr(line, '\n') + 1);
		assert_int_equal(id, rows);
		assert_in_range(symbol, 0, 999);
		assert_int_equal(fraction_end - fraction_at, 4);
		assert_in_range(whole * 10000 + fraction, 10000, 9999999);
		assert_in_range(quantity, 1, 1000);
		assert_true(strcmp(side, "BUY") == 0 || strcmp(side, "SELL") == 0);
		assert_in_range(account, 0, 9999);
		int64_t off = time_ms - (1700000000000 + rows / 2);
		assert_true(off >= -100 && off < 100);
		earliest = off < earliest ? off : earliest;
		latest = off > latest ? off : latest;
		buys += side[0] == 'B';
		symbols_low += symbol < 250;
	}
	assert_int_equal(rows, 20000);
	assert_int_equal(earliest, -100);
	assert_int_equal(latest, 99);
	assert_in_range(buys, 9500, 10500);
	assert_in_range(symbols_low, 9500,
			10500); /* the square: half of them are below a quarter */
	tear_down(&f, &out);
}

/* A suite's `rows` are events: the streams share them as each 50 say, also in a round cut short. */
static void
test_streams_of_a_suite_share_its_events(void **state)
{
	static const struct {
		const char *kind, *rows;
		int records;
	} cases[] = {
		{"nexmark_person", "1", 1},     {"nexmark_auction", "1", 0},
		{"nexmark_auction", "3", 2},    {"nexmark_bid", "4", 0},
		{"nexmark_bid", "5", 1},        {"nexmark_person", "1050", 21},
		{"nexmark_person", "1051", 22}, {"nexmark_auction", "1052", 64},
		{"nexmark_bid", "1050", 966},   {"nexmark_bid", "1060", 972},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		int records = 0;
		Fixture f;
		Buffer out;

		set_up(&f, &json, "kind", cases[i].kind, "rows", cases[i].rows, NULL);
		open_it(&f);
		assert_int_equal(generator_connector.lag(f.reader), cases[i].records);
		read_all(&f, CHUNK_CAPACITY, &out);
		for (const char *at = out.data; *at != '\0'; at++)
			records += *at == '\n';
		assert_int_equal(records, cases[i].records);
		tear_down(&f, &out);
	}
}

static void
test_the_first_bids(void **state)
{
	Fixture f;
	Buffer out;

	(void)state;
	set_up(&f, &csv, "kind", "nexmark_bid", "rows", "6", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	assert_string_equal(
		out.data,
		"1000,1010,7076,Facebook,"
		"https://www.nexmark.com/djea/cm_l/vrah/item.htm?query=1,1700000000000,"
		"caczrgxjaufdqwixijoclhrdexvflrdibvcxcicmqasttftubkkiyduqsbctucqz\n"
		"1002,1001,149,channel-9462,"
		"https://www.nexmark.com/eeo/cpmm/oil/item.htm?query=1&channel_id=665116013,"
		"1700000000000,"
		"dfmiwixllubauxeztiafednsqxoaiwvamsmguliqifwzdftlytylwuptspcojhsptrtnfikmf\n");
	tear_down(&f, &out);
}

/* Ids that exist or soon will, prices over six powers of ten, half of the bids by the hot keys. */
static void
test_bids_are_in_range(void **state)
{
	long rows = 0, hot_auctions = 0, hot_bidders = 0, hot_channels = 0, below_1000 = 0;
	Fixture f;
	Buffer out;

	(void)state;
	set_up(&f, &csv, "kind", "nexmark_bid", "rows", "100000", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	for (char *line = out.data, *end; *line != '\0'; line = end + 1, rows++) {
		long auction, bidder, price, time_ms, event = rows / 46 * 50 + 4 + rows % 46;
		long last_auction = event / 50 * 3 + 2, last_person = event / 50;
		char channel[16], url[96], extra[96], rest;

		/* strchr and sscanf would measure all that follows. */
		end = memchr(line, '\n', (size_t)(out.data + out.len - line));
		*end = '\0';
		int n = sscanf(line, "%ld,%ld,%ld,%15[^,],%95[^,],%ld,%95[a-z]%c", &auction,
			       &bidder, &price, channel, url, &time_ms, extra, &rest);
		assert_int_equal(n, 7);
		assert_true(auction >= 1000 && auction <= 1000 + last_auction + 10);
		assert_true(auction >= 1000 + last_auction - 102);
		assert_true(bidder >= 1000 && bidder <= 1000 + last_person + 10);
		assert_true(bidder >= 1000 + last_person - 1000);
		assert_in_range(price, 100, 100000000);
		assert_in_range(strlen(extra), 54, 81);
		assert_int_equal(time_ms, 1700000000000 + event / 10);
		assert_memory_equal(url, "https://www.nexmark.com/", 24);
		hot_auctions += auction == 1000 + last_auction / 100 * 100;
		hot_bidders += bidder == 1000 + last_person / 100 * 100 + 1;
		hot_channels += strncmp(channel, "channel-", 8) != 0;
		below_1000 += price < 1000;
	}
	assert_int_equal(rows, 92000);
	assert_in_range(hot_auctions, rows * 49 / 100, rows * 52 / 100);
	assert_in_range(hot_bidders, rows * 74 / 100, rows * 76 / 100);
	assert_in_range(hot_channels, rows * 49 / 100, rows * 51 / 100);
	assert_in_range(below_1000, rows * 16 / 100, rows * 17 / 100);
	tear_down(&f, &out);
}

static void
test_a_suite_at_a_rate(void **state)
{
	Fixture f;
	Buffer out;

	(void)state;
	set_up(&f, &csv, "kind", "nexmark_person", "rows", "151", "rate", "1000", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	const char *line = out.data;
	for (int i = 0; i < 4; i++, line = strchr(line, '\n') + 1) {
		long id, time_ms;

		assert_int_equal(
			sscanf(line, "%ld,%*[^,],%*[^,],%*[^,],%*[^,],%*[^,],%ld", &id, &time_ms),
			2);
		assert_int_equal(id, 1000 + i);
		assert_int_equal(time_ms, 1700000000000 + i * 50);
	}
	assert_int_equal(*line, '\0');
	tear_down(&f, &out);
}

static void
test_start_and_disorder(void **state)
{
	Fixture f;
	Buffer out;
	int64_t time_ms = 0;

	(void)state;
	set_up(&f, &csv, "rows", "5", "disorder", "0", "rate", "1000", "start",
	       "2024-01-01T00:00:00Z", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	const char *line = out.data;
	for (int i = 0; i < 5; i++, line = strchr(line, '\n') + 1) {
		const char *comma = memrchr(line, ',', (size_t)(strchr(line, '\n') - line));
		assert_int_equal(sscanf(comma, ",%ld", &time_ms), 1);
		assert_int_equal(time_ms, 1704067200000 + i); /* event time follows the rate */
	}
	tear_down(&f, &out);
	set_up(&f, &csv, "rows", "1", "disorder", "0", "start", "123456", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	assert_non_null(strstr(out.data, ",123456\n"));
	tear_down(&f, &out);
	set_up(&f, &csv, "rows", "1", "disorder", "0", "start", "now", NULL);
	int64_t before_ms = (int64_t)time(NULL) * 1000;
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	assert_int_equal(sscanf(strrchr(out.data, ','), ",%ld", &time_ms), 1);
	assert_true(time_ms >= before_ms && time_ms < before_ms + 60000);
	tear_down(&f, &out);
}

static void
test_keys(void **state)
{
	Fixture f;
	Buffer out;

	(void)state;
	set_up(&f, &raw, "kind", "stations", "rows", "500", "keys", "2", NULL);
	open_it(&f);
	read_all(&f, CHUNK_CAPACITY, &out);
	for (const char *line = out.data; *line != '\0'; line = strchr(line, '\n') + 1)
		assert_true(strncmp(line, "Abha;", 5) == 0 || strncmp(line, "Abidjan;", 8) == 0);
	tear_down(&f, &out);
}

static double
seconds_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Record i comes at i / rate: neither earlier nor, but for a busy machine, much later. */
static void
test_rate(void **state)
{
	static const struct {
		const char *rate, *rows;
		double seconds;
	} cases[] = {{"20", "6", 0.25}, {"1000", "301", 0.3}, {"500000", "150001", 0.3}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Fixture f;
		Buffer out;

		set_up(&f, &json, "rate", cases[i].rate, "rows", cases[i].rows, NULL);
		open_it(&f);
		double began = seconds_now();
		double cpu = cpu_seconds();
		read_all(&f, CHUNK_CAPACITY, &out);
		double took = seconds_now() - began;
		assert_true(took >= cases[i].seconds - 0.005);
		assert_true(took < cases[i].seconds + 2);
		if (i == 0) /* waits asleep */
			assert_true(cpu_seconds() - cpu < 0.1);
		tear_down(&f, &out);
	}
}

static void
test_timeout_of_a_slow_rate(void **state)
{
	Chunk *chunk = chunk_new(CHUNK_CAPACITY);
	ReadResult result;
	Fixture f;

	(void)state;
	set_up(&f, &json, "rate", "0.01", NULL);
	open_it(&f);
	assert_int_equal(generator_connector.read(f.reader, chunk, 20, &result, &f.err), 0);
	assert_int_equal(result, READ_DATA); /* the first is due at once */
	chunk_reset(chunk);
	double began = seconds_now();
	assert_int_equal(generator_connector.read(f.reader, chunk, 20, &result, &f.err), 0);
	assert_int_equal(result, READ_IDLE);
	assert_true(seconds_now() - began >= 0.019);
	assert_int_equal(generator_connector.lag(f.reader), -1);
	chunk_destroy(chunk);
	tear_down(&f, NULL);
}

static void
test_schema_and_sample(void **state)
{
	Chunk *chunk = chunk_new(CHUNK_CAPACITY);
	Schema schema;
	Fixture f;

	(void)state;
	set_up(&f, &json, NULL);
	assert_int_equal(generator_connector.schema(&f.spec, &f.arena, &schema, &f.err), 0);
	assert_int_equal(schema.count, 7);
	assert_true(str_eq(schema.fields[2].name, STR("price")));
	assert_true(type_equal(schema.fields[2].type, type_decimal(&f.arena, 18, 4)));
	assert_true(type_equal(schema.fields[6].type, TYPE_OF(TIMESTAMP)));
	assert_int_equal(generator_connector.sample(&f.spec, &f.arena, chunk, 500, &f.err), 0);
	assert_true(chunk->len >= 500 && chunk->data[chunk->len - 1] == '\n');
	chunk_destroy(chunk);
	tear_down(&f, NULL);
}

static Status
note_header(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
	    Error *err)
{
	static const char expected[] = "station,temperature\n";

	(void)spec;
	(void)last;
	*skip = len;
	if (len != sizeof expected - 1 || memcmp(data, expected, len) != 0)
		return error_set(err, FERRIS_ERR_BAD_RECORD, "not the header");
	return FERRIS_OK;
}

static void
test_csv_tells_the_order_of_the_fields(void **state)
{
	const CodecClass headed = {.name = "csv", .header = note_header};
	Fixture f;

	(void)state;
	set_up(&f, &headed, "kind", "stations", NULL);
	open_it(&f);
	tear_down(&f, NULL);
	set_up(&f, &headed, "kind", "iot", NULL);
	assert_int_equal(generator_connector.reader_open(&f.spec, &f.arena, &f.reader, &f.err),
			 FERRIS_ERR_BAD_RECORD);
	tear_down(&f, NULL);
}

static void
test_bad_options(void **state)
{
	Fixture f;

	(void)state;
	set_up(&f, &json, "start", "yesterday", NULL);
	assert_int_equal(generator_connector.reader_open(&f.spec, &f.arena, &f.reader, &f.err),
			 FERRIS_ERR_OPTION_VALUE);
	assert_non_null(strstr(f.err.message, "'yesterday'"));
	tear_down(&f, NULL);
	set_up(&f, &avro, NULL);
	assert_int_equal(generator_connector.reader_open(&f.spec, &f.arena, &f.reader, &f.err),
			 FERRIS_ERR_OPTION_VALUE);
	assert_non_null(strstr(f.err.message, "avro"));
	tear_down(&f, NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_bytes_whatever_the_chunks),
		cmocka_unit_test(test_the_first_trades),
		cmocka_unit_test(test_another_seed_gives_other_records),
		cmocka_unit_test(test_trades_are_in_range),
		cmocka_unit_test(test_streams_of_a_suite_share_its_events),
		cmocka_unit_test(test_the_first_bids),
		cmocka_unit_test(test_bids_are_in_range),
		cmocka_unit_test(test_a_suite_at_a_rate),
		cmocka_unit_test(test_start_and_disorder),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_rate),
		cmocka_unit_test(test_timeout_of_a_slow_rate),
		cmocka_unit_test(test_schema_and_sample),
		cmocka_unit_test(test_csv_tells_the_order_of_the_fields),
		cmocka_unit_test(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
