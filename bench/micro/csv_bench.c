/* bench/micro/csv_bench.c -- nanoseconds per record for decoding and encoding CSV alone.
 *
 *     csv_bench FILE [repeat]
 *
 * FILE has the trades of bench/native/gen_trades.c with a header.  It is read into chunks first;
 * then the decoder and the encoder run over them `repeat` times without a thread or a system call
 * in between.  The time is user CPU time.  The queries are those of bench/sql: S1 projects, S2 and
 * S3 filter, S4 reads what an aggregate needs, ALL reads every column as a value. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "codec/csv_format.h"

#define COLUMNS_MAX 8

typedef struct Query {
	const char *name;
	uint32_t column_count;
	DecodeColumn columns[COLUMNS_MAX];
	uint32_t predicate_count;
	DecodePredicate predicates[3];
	uint32_t output_count; /* of the first targets; 0: nothing is encoded */
} Query;

typedef struct Input {
	Chunk **chunks;
	uint32_t count;
} Input;

static double
user_ns(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)usage.ru_utime.tv_sec * 1e9 + (double)usage.ru_utime.tv_usec * 1e3;
}

static void
fail(const Error *err)
{
	error_print(stderr, err, NULL, NULL);
	exit(1);
}

static Input
load(const char *path, const DecodeSpec *spec)
{
	FILE *file = fopen(path, "rb");
	Input input = {0};
	Chunk *rest = chunk_new(CHUNK_CAPACITY);
	Error err;
	bool first = true;

	if (file == NULL) {
		perror(path);
		exit(1);
	}
	input.chunks = calloc(100000, sizeof *input.chunks); /* lint: allow calloc -- a benchmark */
	for (;;) {
		Chunk *chunk = rest;
		size_t room = chunk->capacity - chunk->len;
		size_t got = fread(chunk->data + chunk->len, 1, room, file);
		size_t skip = 0;

		chunk->len += got;
		if (chunk->len == 0)
			break;
		if (first && csv_codec.header(spec, chunk->data, chunk->len, false, &skip, &err) !=
				     FERRIS_OK)
			fail(&err);
		first = false;
		memmove(chunk->data, chunk->data + skip, chunk->len - skip);
		chunk->len -= skip;
		size_t whole = csv_codec.frame(spec->settings, chunk->data, chunk->len, got < room);
		rest = chunk_new(CHUNK_CAPACITY);
		memcpy(chunk_reserve(rest, chunk->len - whole), chunk->data + whole,
		       chunk->len - whole);
		rest->len = chunk->len - whole;
		chunk->len = whole;
		chunk_seal(chunk);
		input.chunks[input.count++] = chunk;
	}
	fclose(file);
	return input;
}

static Setting *
settings_of(const OptionGroup *group, Arena *arena, const char *simd)
{
	static OptionEntry entries[1];
	Options given = {entries, 1};
	Setting *settings;
	Error err;

	entries[0] =
		(OptionEntry){.key = STR("csv.simd"), .value = str_from(simd), .origin = "user"};
	if (options_resolve(group, &given, arena, &settings, &err) != FERRIS_OK)
		fail(&err);
	return settings;
}

typedef struct Bench {
	const Query *query;
	Input input;
	Decoder *decoder;
	Encoder *encoder;
	Batch *batch;
	Output output;
	uint64_t records, rows, bytes;
	bool encode;
} Bench;

static void
run_once(Bench *bench)
{
	Error err;

	for (uint32_t i = 0; i < bench->input.count; i++) {
		ChunkCursor cursor = {.chunk = bench->input.chunks[i]};

		while (cursor.next < cursor.chunk->len) {
			batch_reset(bench->batch);
			if (csv_codec.decode(bench->decoder, &cursor, bench->batch, &err) !=
			    FERRIS_OK)
				fail(&err);
			bench->records += bench->batch->records_in;
			bench->rows += bench->batch->row_count;
			if (!bench->encode || bench->query->output_count == 0)
				continue;
			output_reset(&bench->output);
			if (csv_codec.encode(bench->encoder, bench->batch, &bench->output, &err) !=
			    FERRIS_OK)
				fail(&err);
			bench->bytes += bench->output.bytes.len;
		}
	}
}

static void
run(const Query *query, const char *path, const Schema *schema, int repeat, const char *simd)
{
	Arena arena;
	Error err;
	Field fields[COLUMNS_MAX];
	VectorForm forms[COLUMNS_MAX];
	EncodeColumn outputs[COLUMNS_MAX];
	uint32_t targets = 0;

	arena_init(&arena, 0);
	for (uint32_t i = 0; i < query->column_count; i++) {
		if (query->columns[i].target == DECODE_NO_TARGET)
			continue;
		fields[targets] = (Field){query->columns[i].name, query->columns[i].type, false};
		forms[targets] = query->columns[i].form;
		outputs[targets] =
			(EncodeColumn){query->columns[i].name, query->columns[i].type, targets};
		targets++;
	}
	FieldOrder order = {.places = ARENA_ARRAY(&arena, uint32_t, query->column_count)};
	DecodeSpec spec = {query->columns,
			   query->column_count,
			   query->predicates,
			   query->predicate_count,
			   schema,
			   &order,
			   settings_of(&csv_codec.decode_options, &arena, simd)};
	EncodeSpec encode = {outputs, query->output_count,
			     settings_of(&csv_codec.encode_options, &arena, simd)};
	Bench bench = {.query = query, .input = load(path, &spec)};
	bench.batch = batch_new(fields, forms, targets);
	output_init(&bench.output, (size_t)64 << 20, false);
	if (csv_codec.decoder_open(&spec, &arena, &bench.decoder, &err) != FERRIS_OK ||
	    csv_codec.encoder_open(&encode, &arena, &bench.encoder, &err) != FERRIS_OK)
		fail(&err);
	run_once(&bench);
	double best[2] = {1e18, 1e18};
	for (int encoding = 0; encoding < 2; encoding++)
		for (int i = 0; i < repeat; i++) {
			bench.records = bench.rows = bench.bytes = 0;
			bench.encode = encoding == 1;
			double start = user_ns();
			run_once(&bench);
			double each = (user_ns() - start) / (double)bench.records;
			if (each < best[encoding])
				best[encoding] = each;
		}
	printf("%-4s %-8s %8.2f ns/record decode, %8.2f ns/record with encode; %llu of %llu rows, "
	       "%llu bytes out\n",
	       query->name, simd, best[0], best[1], (unsigned long long)bench.rows,
	       (unsigned long long)bench.records, (unsigned long long)bench.bytes);
	fflush(stdout);
	for (uint32_t i = 0; i < bench.input.count; i++)
		chunk_destroy(bench.input.chunks[i]);
	free(bench.input.chunks); /* lint: allow free -- a benchmark */
	batch_destroy(bench.batch);
	output_free(&bench.output);
	arena_free(&arena);
}

int
main(int argc, char **argv)
{
	static const Type decimal = {.kind = TYPE_DECIMAL, .precision = 18, .scale = 4};
	const Type *bigint = TYPE_OF(BIGINT), *string = TYPE_OF(STRING),
		   *integer = TYPE_OF(INTEGER);
	Field fields[] = {
		{STR("trade_id"), bigint, false},
		{STR("symbol"), string, false},
		{STR("price"), &decimal, false},
		{STR("quantity"), integer, false},
		{STR("side"), string, false},
		{STR("account"), string, false},
		{STR("event_time"), TYPE_OF(TIMESTAMP), false},
	};
	Schema schema = {fields, 7};
	const Value v500 = {.type = &decimal, .int64 = 5000000};
	const Value v100 = {.type = &decimal, .int64 = 1000000};
	const Value q500 = {.type = integer, .int64 = 500};
	const Value buy = {.type = string, .text = STR("BUY")};
	const DecodeColumn id = {STR("trade_id"), bigint, false, FORM_TEXT, 0};
	const DecodeColumn symbol = {STR("symbol"), string, false, FORM_TEXT, 1};
	const DecodeColumn price = {STR("price"), &decimal, false, FORM_TEXT, 2};
	const DecodeColumn price_value = {STR("price"), &decimal, false, FORM_VALUE,
					  DECODE_NO_TARGET};
	const DecodeColumn quantity = {STR("quantity"), integer, false, FORM_VALUE,
				       DECODE_NO_TARGET};
	const DecodeColumn side = {STR("side"), string, false, FORM_VALUE, DECODE_NO_TARGET};
	Query queries[] = {
		{"S1", 3, {id, symbol, price}, 0, {{0, COMPARE_EQ, v500}}, 3},
		{"S2", 4, {id, symbol, price, price_value}, 1, {{3, COMPARE_GT, v500}}, 3},
		{"S3",
		 6,
		 {id, symbol, price, price_value, quantity, side},
		 3,
		 {{3, COMPARE_GT, v100}, {4, COMPARE_LT, q500}, {5, COMPARE_EQ, buy}},
		 3},
		{"S4",
		 3,
		 {{STR("symbol"), string, false, FORM_VALUE, 0},
		  {STR("price"), &decimal, false, FORM_VALUE, 1},
		  {STR("quantity"), integer, false, FORM_VALUE, 2}},
		 0,
		 {{0, COMPARE_EQ, v500}},
		 0},
		{"ALL",
		 7,
		 {{STR("trade_id"), bigint, false, FORM_VALUE, 0},
		  {STR("symbol"), string, false, FORM_VALUE, 1},
		  {STR("price"), &decimal, false, FORM_VALUE, 2},
		  {STR("quantity"), integer, false, FORM_VALUE, 3},
		  {STR("side"), string, false, FORM_VALUE, 4},
		  {STR("account"), string, false, FORM_VALUE, 5},
		  {STR("event_time"), TYPE_OF(TIMESTAMP), false, FORM_VALUE, 6}},
		 0,
		 {{0, COMPARE_EQ, v500}},
		 7},
	};

	if (argc < 2) {
		fprintf(stderr, "usage: csv_bench FILE [repeat]\n");
		return 2;
	}
	int repeat = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;
	for (size_t i = 0; i < sizeof queries / sizeof *queries; i++) {
		run(&queries[i], argv[1], &schema, repeat, "auto");
		run(&queries[i], argv[1], &schema, repeat, "portable");
	}
	return 0;
}
