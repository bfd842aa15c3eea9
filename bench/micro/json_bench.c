/* bench/micro/json_bench.c -- nanoseconds per record of the JSON codec alone, on trades.
 *
 *     cc -O2 -march=x86-64-v2 -std=gnu17 -D_GNU_SOURCE -Isrc bench/micro/json_bench.c
 * -Lbuild/release \ -lferris ... -o json_bench json_bench trades.jsonl [spec] [auto|portable]
 * [needed|full]
 *
 * Prints CPU time of decoding and of encoding, for S1, S2, S3 and more (docs/design, speed).  A
 * chunk is copied before it is timed, as a reader would have done. */
#include <stdio.h>
#include <time.h>

#include "base/memory.h"
#include "codec/json_decode.h"
#include "codec/json_encode.h"

#define MAX_COLUMNS 8

typedef struct Spec {
	const char *name;
	DecodeColumn columns[MAX_COLUMNS];
	uint32_t column_count;
	DecodePredicate predicates[MAX_COLUMNS];
	uint32_t predicate_count;
	uint32_t outputs; /* targets 0..outputs-1 */
} Spec;

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static uint32_t
make_specs(Spec *specs, Arena *arena)
{
	const Type *price = type_decimal(arena, 18, 4);
	const DecodeColumn id = {STR("trade_id"), TYPE_OF(BIGINT), false, FORM_TEXT, 0};
	const DecodeColumn symbol = {STR("symbol"), TYPE_OF(STRING), false, FORM_TEXT, 1};
	const DecodeColumn text = {STR("price"), price, false, FORM_TEXT, 2};
	const DecodeColumn number = {STR("price"), price, false, FORM_VALUE, DECODE_NO_TARGET};
	const DecodeColumn quantity = {STR("quantity"), TYPE_OF(INTEGER), false, FORM_VALUE,
				       DECODE_NO_TARGET};
	const DecodeColumn side = {STR("side"), TYPE_OF(STRING), false, FORM_VALUE,
				   DECODE_NO_TARGET};
	DecodeColumn value[] = {id, symbol, number, quantity};

	for (uint32_t i = 0; i < 4; i++) {
		value[i].form = FORM_VALUE;
		value[i].target = i;
	}
	specs[0] = (Spec){
		.name = "S1", .columns = {id, symbol, text}, .column_count = 3, .outputs = 3};
	specs[1] = (Spec){.name = "S2",
			  .columns = {id, symbol, text, number},
			  .column_count = 4,
			  .predicates = {{3, COMPARE_GT, {.type = price, .int64 = 5000000}}},
			  .predicate_count = 1,
			  .outputs = 3};
	specs[2] = (Spec){
		.name = "S3",
		.columns = {id, symbol, text, number, quantity, side},
		.column_count = 6,
		.predicates = {{3, COMPARE_GT, {.type = price, .int64 = 1000000}},
			       {4, COMPARE_LT, {.type = TYPE_OF(INTEGER), .int64 = 500}},
			       {5, COMPARE_EQ, {.type = TYPE_OF(STRING), .text = STR("BUY")}}},
		.predicate_count = 3,
		.outputs = 3};
	specs[3] = (Spec){.name = "S4 values",
			  .columns = {value[1], value[2], value[3]},
			  .column_count = 3,
			  .outputs = 3};
	for (uint32_t i = 0; i < 3; i++)
		specs[3].columns[i].target = i;
	specs[4] =
		(Spec){.name = "S5 values+time",
		       .columns = {value[1],
				   value[2],
				   value[3],
				   {STR("event_time"), TYPE_OF(TIMESTAMP), false, FORM_VALUE, 3}},
		       .column_count = 4,
		       .outputs = 4};
	for (uint32_t i = 0; i < 3; i++)
		specs[4].columns[i].target = i;
	specs[5] = (Spec){.name = "count only", .outputs = 0};
	return 6;
}

static Setting *
settings_of(const OptionGroup *group, const char *simd, const char *validate, Arena *arena)
{
	OptionEntry entries[2] = {{.key = STR("json.simd"), .value = str_from(simd)},
				  {.key = STR("json.validate"), .value = str_from(validate)}};
	Options given = {entries, 2};
	Setting *settings;
	Error err;

	if (options_resolve(group, &given, arena, &settings, &err) != FERRIS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return NULL;
	}
	return settings;
}

static void
run_spec(const Spec *spec, Chunk *chunks, uint32_t chunk_count, const char *simd,
	 const char *validate, Arena *arena)
{
	Field fields[MAX_COLUMNS];
	VectorForm forms[MAX_COLUMNS];
	EncodeColumn out_columns[MAX_COLUMNS];
	Setting *in = settings_of(&json_codec.decode_options, simd, validate, arena);
	Setting *out = settings_of(&json_codec.encode_options, simd, validate, arena);
	DecodeSpec decode = {.columns = spec->columns,
			     .column_count = spec->column_count,
			     .predicates = spec->predicates,
			     .predicate_count = spec->predicate_count,
			     .settings = in};
	EncodeSpec encode = {
		.columns = out_columns, .column_count = spec->outputs, .settings = out};
	Decoder *decoder;
	Encoder *encoder;
	Output output;
	Error err;
	uint64_t records = 0, rows = 0, errors = 0, bytes = 0;
	double decode_time = 0, encode_time = 0;

	for (uint32_t i = 0; i < spec->column_count; i++) {
		const DecodeColumn *column = &spec->columns[i];

		if (column->target == DECODE_NO_TARGET)
			continue;
		fields[column->target] = (Field){column->name, column->type, false};
		forms[column->target] = column->form;
		out_columns[column->target] =
			(EncodeColumn){column->name, column->type, column->target};
	}
	Chunk hot = *chunk_new(CHUNK_CAPACITY);
	Batch *batch = batch_new(fields, forms, spec->outputs);
	output_init(&output, (size_t)1 << 30, false);
	if (json_codec.decoder_open(&decode, arena, &decoder, &err) != FERRIS_OK ||
	    json_codec.encoder_open(&encode, arena, &encoder, &err) != FERRIS_OK) {
		fprintf(stderr, "%s\n", err.message);
		return;
	}
	for (int round = 0; round < 2; round++)
		for (uint32_t c = 0; c < chunk_count; c++) {
			ChunkCursor cursor = {.chunk = &hot};

			memcpy(hot.data, chunks[c].data, chunks[c].len);
			hot.len = chunks[c].len;
			chunk_seal(&hot);
			output_reset(&output);
			double start = now();
			while (cursor.next < chunks[c].len) {
				batch_reset(batch);
				json_codec.decode(decoder, &cursor, batch, &err);
				records += batch->records_in;
				rows += batch->row_count;
				errors += batch->error_count;
				if (round == 1 && spec->outputs > 0)
					json_codec.encode(encoder, batch, &output, &err);
			}
			bytes += output.bytes.len;
			*(round == 0 ? &decode_time : &encode_time) += now() - start;
		}
	encode_time -= decode_time;
	records /= 2;
	printf("%-15s %-8s %-6s decode %6.1f ns  encode %6.1f ns  of %lu records, %lu rows, "
	       "%lu errors, %lu bytes out\n",
	       spec->name, simd, validate, decode_time * 1e9 / (double)records,
	       encode_time * 1e9 / (double)records, (unsigned long)records, (unsigned long)rows / 2,
	       (unsigned long)errors / 2, (unsigned long)bytes);
	output_free(&output);
	batch_destroy(batch);
}

int
main(int argc, char **argv)
{
	const char *only = argc > 2 ? argv[2] : "";
	const char *simd = argc > 3 ? argv[3] : "auto";
	const char *validate = argc > 4 ? argv[4] : "needed";
	size_t piece = CHUNK_CAPACITY;
	Spec specs[8];
	Arena arena;

	FILE *file = argc > 1 ? fopen(argv[1], "r") : NULL;
	if (file == NULL) {
		fprintf(stderr,
			"usage: json_bench FILE [S1|S2|...] [auto|portable] [needed|full]\n");
		return 2;
	}
	fseek(file, 0, SEEK_END);
	size_t len = (size_t)ftell(file);
	rewind(file);
	char *data = memory_zero(len + CHUNK_PADDING);
	if (fread(data, 1, len, file) != len)
		return 3;
	fclose(file);
	Chunk *chunks = memory_zero(sizeof *chunks * (len / piece * 2 + 2));
	uint32_t count = 0;
	for (size_t at = 0; at < len;) {
		size_t end = at + piece < len ? at + piece : len;

		while (data[end - 1] != '\n')
			end--;
		chunks[count++] = (Chunk){.data = data + at, .len = end - at, .capacity = end - at};
		at = end;
	}
	arena_init(&arena, 0);
	uint32_t spec_count = make_specs(specs, &arena);
	for (uint32_t i = 0; i < spec_count; i++)
		if (strncmp(specs[i].name, only, strlen(only)) == 0)
			run_spec(&specs[i], chunks, count, simd, validate, &arena);
	arena_free(&arena);
	memory_free(chunks);
	memory_free(data);
	return 0;
}
