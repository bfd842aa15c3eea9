/* tests/fuzz/fuzz_csv.c -- any bytes as a CSV file.
 *
 * The first byte chooses options.  Besides not crashing: the AVX2 and the portable scanner must
 * give the same rows and errors, the books must balance, and the rows that were read, written and
 * read again must be the same. */
#include <stdlib.h>

#include "codec/csv_format.h"

#define COLUMNS 6
#define LIMIT   ((size_t)64 << 20)

static const Type decimal = {.kind = TYPE_DECIMAL, .precision = 18, .scale = 2};
static const Field fields[COLUMNS] = {
	{STR_INIT("a"), TYPE_OF(STRING), false}, {STR_INIT("b"), TYPE_OF(BIGINT), false},
	{STR_INIT("c"), &decimal, false},        {STR_INIT("d"), TYPE_OF(TIMESTAMP), false},
	{STR_INIT("e"), TYPE_OF(DOUBLE), false}, {STR_INIT("f"), TYPE_OF(BYTES), false},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool truth)
{
	if (!truth)
		abort();
}

static Setting *
resolve(const OptionGroup *group, uint8_t choice, const char *simd, Arena *arena)
{
	OptionEntry *entries = ARENA_ARRAY(arena, OptionEntry, 8);
	Options given = {entries, 0};
	Setting *settings;
	Error err;

	entries[given.count++] = (OptionEntry){.key = STR("csv.simd"), .value = str_from(simd)};
	entries[given.count++] = (OptionEntry){
		.key = STR("csv.header"), .value = (choice & 1) != 0 ? STR("true") : STR("false")};
	if ((choice & 2) != 0)
		entries[given.count++] =
			(OptionEntry){.key = STR("csv.delimiter"), .value = STR(";")};
	if ((choice & 4) != 0)
		entries[given.count++] =
			(OptionEntry){.key = STR("csv.null"), .value = STR("NULL")};
	if ((choice & 8) != 0)
		entries[given.count++] =
			(OptionEntry){.key = STR("csv.trim"), .value = STR("true")};
	check(options_resolve(group, &given, arena, &settings, &err) == FERRIS_OK);
	return settings;
}

/* Decode all of `chunk`; append what the rows are, in CSV, and the errors to out. */
static void
decode_all(const DecodeSpec *spec, const EncodeSpec *encode, VectorForm form, const Chunk *chunk,
	   Output *out, Buffer *errors)
{
	VectorForm forms[COLUMNS];
	ChunkCursor cursor = {.chunk = chunk};
	Arena arena;
	Decoder *decoder;
	Encoder *encoder;
	Error err;

	for (uint32_t i = 0; i < COLUMNS; i++)
		forms[i] = form;
	arena_init(&arena, 0);
	Batch *batch = batch_new(fields, forms, COLUMNS);
	check(csv_codec.decoder_open(spec, &arena, &decoder, &err) == FERRIS_OK);
	check(csv_codec.encoder_open(encode, &arena, &encoder, &err) == FERRIS_OK);
	while (cursor.next < chunk->len) {
		batch_reset(batch);
		check(csv_codec.decode(decoder, &cursor, batch, &err) == FERRIS_OK);
		check(batch->records_in == batch->row_count + batch->error_count);
		for (uint32_t i = 0; i < batch->error_count; i++) {
			const RowError *e = &batch->errors[i];

			check((size_t)e->record.offset + e->record.len <= chunk->len);
			buffer_printf(errors, "%u %d %.*s\n", e->record.line, (int)e->status,
				      STR_ARG(e->message));
		}
		uint32_t failed = batch->error_count;
		check(csv_codec.encode(encoder, batch, out, &err) == FERRIS_OK);
		check(batch->error_count == failed);
	}
	batch_destroy(batch);
	arena_free(&arena);
}

static Chunk *
chunk_of(const char *data, size_t len)
{
	Chunk *chunk = chunk_new(len + 1);

	if (len > 0)
		memcpy(chunk->data, data, len);
	chunk->len = len;
	chunk_seal(chunk);
	return chunk;
}

static void
check_same(const Output *a, const Output *b)
{
	check(a->count == b->count && a->bytes.len == b->bytes.len);
	check(a->bytes.len == 0 || memcmp(a->bytes.data, b->bytes.data, a->bytes.len) == 0);
}

static void
decode_three_ways(const Chunk *chunk, uint8_t choice, const DecodeSpec *specs,
		  const EncodeSpec *encode)
{
	Output outputs[3];
	Buffer errors[3];

	for (int i = 0; i < 3; i++) {
		output_init(&outputs[i], LIMIT, false);
		buffer_init(&errors[i], LIMIT);
		decode_all(&specs[i], encode, i == 1 ? FORM_TEXT : FORM_VALUE, chunk, &outputs[i],
			   &errors[i]);
		check_same(&outputs[0], &outputs[i]);
		check(errors[0].len == errors[i].len);
		check(errors[0].len == 0 ||
		      memcmp(errors[0].data, errors[i].data, errors[0].len) == 0);
	}
	/* What was written comes back as the same rows. */
	Output again;
	Buffer none;
	Chunk *second = chunk_of(outputs[0].bytes.data, outputs[0].bytes.len);
	output_init(&again, LIMIT, false);
	buffer_init(&none, LIMIT);
	decode_all(&specs[(choice & 16) != 0 ? 2 : 0], encode, FORM_VALUE, second, &again, &none);
	check(none.len == 0);
	check_same(&outputs[0], &again);
	chunk_destroy(second);
	output_free(&again);
	buffer_free(&none);
	for (int i = 0; i < 3; i++) {
		output_free(&outputs[i]);
		buffer_free(&errors[i]);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	DecodeColumn columns[2][COLUMNS];
	EncodeColumn outputs[COLUMNS];
	uint32_t places[COLUMNS];
	Field copy[COLUMNS];
	Schema schema = {copy, COLUMNS}, inferred;
	Arena arena;
	Error err;
	size_t skip;

	if (size == 0 || size > 1 << 16)
		return 0;
	uint8_t choice = data[0];
	const char *text = (const char *)data + 1;
	size_t len = size - 1;
	arena_init(&arena, 0);
	memcpy(copy, fields, sizeof copy);
	for (uint32_t i = 0; i < COLUMNS; i++) {
		columns[0][i] =
			(DecodeColumn){fields[i].name, fields[i].type, false, FORM_VALUE, i};
		columns[1][i] = columns[0][i];
		columns[1][i].form = FORM_TEXT;
		outputs[i] = (EncodeColumn){fields[i].name, fields[i].type, i};
	}
	FieldOrder order = {places, 0};
	const char *const simd[] = {"auto", "auto", "portable"};
	DecodeSpec specs[3];
	for (int i = 0; i < 3; i++)
		specs[i] = (DecodeSpec){
			.columns = columns[i == 1],
			.column_count = COLUMNS,
			.schema = &schema,
			.order = &order,
			.settings = resolve(&csv_codec.decode_options, choice, simd[i], &arena)};
	EncodeSpec encode = {outputs, COLUMNS,
			     resolve(&csv_codec.encode_options, choice, "auto", &arena)};
	size_t whole = csv_codec.frame(specs[0].settings, text, len, false);
	check(whole <= len && (whole == 0 || text[whole - 1] == '\n'));
	for (size_t at = 0, records = 0; at < whole; records++) {
		CsvFormat format = csv_format_from(specs[0].settings);
		CsvRecord record;
		uint32_t count = 1;

		if (records == 0 && len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
			break; /* which frame looks behind */
		csv_scan_record(&format, text, at, len, NULL, 0, &record);
		at += csv_codec.cut(specs[0].settings, text + at, whole - at, whole, &count);
		check(count == 1 && at == record.next);
	}
	Chunk *sample = chunk_of(text, len);
	(void)!csv_codec.infer(specs[0].settings, sample, &arena, &inferred, &err);
	chunk_destroy(sample);
	if (csv_codec.header(&specs[0], text, len, true, &skip, &err) == FERRIS_OK) {
		check(skip <= len);
		/* The second pass reads what was written: in the schema's order. */
		order.count = 0;
		Chunk *chunk = chunk_of(text + skip, len - skip);
		decode_three_ways(chunk, choice, specs, &encode);
		chunk_destroy(chunk);
	}
	arena_free(&arena);
	return 0;
}
