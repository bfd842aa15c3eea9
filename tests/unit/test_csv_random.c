/* tests/unit/test_csv_random.c -- CSV against other readers and against itself.
 *
 * Against Python's csv module (tests/unit/data/csv_vectors.txt), against a reader that goes byte by
 * byte through any text, malformed text included, and decode(encode(x)) = x. */
#include "csv_testing.h"

#include <stdio.h>

static Field text_fields[TEST_COLUMNS_MAX];
static char names[TEST_COLUMNS_MAX][8];

static void
make_text_fields(void)
{
	for (uint32_t i = 0; i < TEST_COLUMNS_MAX; i++) {
		snprintf(names[i], sizeof names[i], "c%u", i + 1);
		text_fields[i] = (Field){str_from(names[i]), TYPE_OF(STRING), false};
	}
}

/* ---- Python ---- */

static int
hex_digit(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* The bytes of a run of hex digits; *p goes behind it. */
static Str
read_hex(Arena *arena, const char **p)
{
	size_t len = strspn(*p, "0123456789abcdef");
	char *bytes = arena_alloc(arena, len / 2 + 1);

	for (size_t i = 0; i < len / 2; i++)
		bytes[i] = (char)(hex_digit((*p)[2 * i]) << 4 | hex_digit((*p)[2 * i + 1]));
	*p += len;
	return (Str){bytes, (uint32_t)(len / 2)};
}

static void
test_python(void **state)
{
	FILE *file = fopen(SOURCE_DIR "/tests/unit/data/csv_vectors.txt", "r");
	char *line = NULL;
	size_t capacity = 0;
	int count = 0;
	Arena arena;

	(void)state;
	assert_non_null(file);
	arena_init(&arena, 0);
	while (getline(&line, &capacity, file) > 0) {
		const char *p = line;
		Str input = read_hex(&arena, &p);
		uint32_t columns = (uint32_t)strtoul(p, NULL, 10);
		Buffer got, expected;

		p = strchr(p + 1, ' ') + 1;
		buffer_init(&expected, TEST_LIMIT);
		while (*p != '\n') {
			for (uint32_t c = 0; c < columns; c++) {
				Str field = read_hex(&arena, &p);

				buffer_append_char(&expected, '|');
				print_view(&expected, field.data, field.len);
				p += *p != '\n';
			}
			buffer_append_char(&expected, '\n');
		}
		buffer_append_char(&expected, '\0');
		for (uint32_t variant = 0; variant < 4; variant++) {
			Setup setup = {.fields = text_fields,
				       .field_count = columns,
				       .options = {"csv.header", "false", "csv.simd",
						   (variant & 1) != 0 ? "auto" : "portable", NULL},
				       .cut = (variant & 2) != 0 ? 7 : 0};
			uint32_t kept = 0;

			buffer_init(&got, TEST_LIMIT);
			decode_all(&setup, input.data, input.len, &got);
			/* Leave the places out, and NULL is an empty field to Python. */
			bool place = true;
			for (size_t i = 0; i < got.len; i++) {
				char c = got.data[i];

				place = place && c != '|' && c != '!' && c != '\0';
				if (!place && c != '~')
					got.data[kept++] = c;
				place |= c == '\n';
			}
			assert_same_text(got.data, expected.data);
			buffer_free(&got);
		}
		buffer_free(&expected);
		count++;
	}
	assert_int_equal(count, 400);
	free(line); /* lint: allow free -- of getline */
	fclose(file);
	arena_free(&arena);
}

/* ---- a reader that goes byte by byte ---- */

typedef enum ReaderState {
	AT_FIELD, /* nothing of the field seen */
	PLAIN,
	QUOTED,
	CLOSED,    /* behind a closing quote, or between two of a doubled one */
	CLOSED_CR, /* a CR behind a closing quote */
	BEHIND,    /* text behind a closing quote */
} ReaderState;

typedef struct Simple {
	Buffer *out;
	const char *data;
	size_t len;
	uint32_t columns;
	Buffer record; /* its fields as print_batch prints them */
	Buffer field;
	ReaderState state;
	uint32_t count, line, first_line, faulty;
	const char *fault;
	size_t start;
} Simple;

static void
simple_fault(Simple *s, const char *fault)
{
	if (s->fault == NULL) {
		s->fault = fault;
		s->faulty = s->count + 1;
	}
}

static void
simple_end_field(Simple *s)
{
	bool quoted = s->state >= QUOTED;

	buffer_append_char(&s->record, '|');
	if (!quoted && s->field.len == 0)
		buffer_append_char(&s->record, '~');
	else
		print_view(&s->record, s->field.data, (uint32_t)s->field.len);
	buffer_reset(&s->field);
	s->state = AT_FIELD;
	s->count++;
}

/* `end` is where the record's bytes end, `next` the next record begins. */
static void
simple_end_record(Simple *s, size_t end, size_t next)
{
	bool cr = end > s->start && s->data[end - 1] == '\r' && s->state != QUOTED;

	if (s->state == QUOTED)
		simple_fault(s, "has no closing quote");
	if (cr) {
		end--;
		if (s->state == PLAIN)
			s->field.len--;
	}
	if (s->field.len == 0 && s->state == PLAIN)
		s->state = AT_FIELD;
	simple_end_field(s);
	buffer_append_char(&s->record, '\0');
	bool empty = end == s->start && s->columns > 1;
	if (!empty)
		buffer_printf(s->out, "%u@%zu+%zu", s->first_line + 1, s->start, end - s->start);
	if (!empty && s->fault != NULL)
		buffer_printf(s->out, "!BAD_RECORD() field %u %s\n", s->faulty, s->fault);
	else if (!empty && s->count != s->columns)
		buffer_printf(s->out, "!BAD_RECORD() record has %u field%s, expected %u%s\n",
			      s->count, s->count == 1 ? "" : "s", s->columns,
			      s->count == 1 ? "; is 'csv.delimiter' right?" : "");
	else if (!empty)
		buffer_printf(s->out, "%s\n", s->record.data);
	buffer_reset(&s->record);
	s->start = next;
	s->count = 0;
	s->fault = NULL;
	s->first_line = s->line;
}

static void
simple_byte(Simple *s, size_t i)
{
	char c = s->data[i];

	if (c == '\n') {
		s->line++;
		if (s->state != QUOTED) {
			simple_end_record(s, i, i + 1);
			return;
		}
	}
	switch (s->state) {
	case QUOTED:
		if (c == '"')
			s->state = CLOSED;
		else
			buffer_append_char(&s->field, c);
		return;
	case CLOSED:
		if (c == '"') {
			buffer_append_char(&s->field, c);
			s->state = QUOTED;
			return;
		}
		break;
	case CLOSED_CR:
		simple_fault(s, "has text behind its closing quote");
		s->state = BEHIND;
		break;
	default:
		break;
	}
	if (c == ',') {
		simple_end_field(s);
	} else if (s->state == AT_FIELD && c == '"') {
		s->state = QUOTED;
	} else if (s->state == CLOSED && c == '\r') {
		s->state = CLOSED_CR;
	} else if (s->state >= CLOSED) {
		simple_fault(s, "has text behind its closing quote");
		s->state = BEHIND;
	} else {
		if (c == '"')
			simple_fault(s, "has a quote but does not begin with one");
		buffer_append_char(&s->field, c);
		s->state = PLAIN;
	}
}

/* What decode_all should print for STRING columns that hold ASCII. */
static void
simple_read(Buffer *out, const char *data, size_t len, uint32_t columns)
{
	Simple s = {.out = out, .data = data, .len = len, .columns = columns};

	buffer_init(&s.record, TEST_LIMIT);
	buffer_init(&s.field, TEST_LIMIT);
	for (size_t i = 0; i < len; i++)
		simple_byte(&s, i);
	if (s.start < len)
		simple_end_record(&s, len, len);
	buffer_append_char(out, '\0');
	buffer_free(&s.record);
	buffer_free(&s.field);
}

static size_t
random_text(Random *random, char *out, size_t len)
{
	static const char *const alphabets[] = {"ab,\"\n\r", "a,,,,\n", "abcdefgh,\n", "\"\",\n",
						"aaaaa,\r\n"};
	const char *alphabet = alphabets[random_below(random, 5)];
	size_t choices = strlen(alphabet);

	for (size_t i = 0; i < len; i++)
		out[i] = random_below(random, 200) == 0
				 ? '"'
				 : alphabet[random_below(random, (uint32_t)choices)];
	return len;
}

/* Mostly good records with the right number of fields, some bytes changed. */
static size_t
random_records(Random *random, char *out, size_t capacity, uint32_t columns)
{
	size_t len = 0;
	uint32_t longest = random_below(random, 4) == 0 ? 80 : 12;
	bool quotes = random_below(random, 2) == 0;

	do {
		for (uint32_t c = 0; c < columns; c++) {
			uint32_t size = random_below(random, longest + 1);
			bool quoted = quotes && random_below(random, 4) == 0;

			if (quoted)
				out[len++] = '"';
			for (uint32_t i = 0; i < size; i++)
				out[len++] = quoted && i % 5 == 4
						     ? ",\n"[i % 2]
						     : "abcdefgh7 "[random_below(random, 10)];
			if (quoted)
				out[len++] = '"';
			out[len++] = ',';
		}
		out[len - 1] = '\n';
		if (random_below(random, 8) == 0) {
			out[len - 1] = '\r';
			out[len++] = '\n';
		}
	} while (len + columns * (longest + 4) + 2 < capacity);
	for (uint32_t changes = random_below(random, 4); changes > 0; changes--)
		out[random_below(random, (uint32_t)len)] = ",\"\n\rx"[random_below(random, 5)];
	return len - random_below(random, 2);
}

static void
test_any_text(void **state)
{
	Random random = {random_seed()};
	static char text[6000];

	(void)state;
	for (int round = 0; round < 3000; round++) {
		uint32_t columns = 1 + random_below(&random, 8);
		size_t len = random_below(&random, 2) == 0
				     ? random_text(&random, text, random_below(&random, 600))
				     : random_records(&random, text,
						      200 + random_below(&random, 5000), columns);
		Buffer expected;

		buffer_init(&expected, TEST_LIMIT);
		simple_read(&expected, text, len, columns);
		for (uint32_t variant = 0; variant < 4; variant++) {
			Setup setup = {.fields = text_fields,
				       .field_count = columns,
				       .options = {"csv.header", "false", "csv.simd",
						   (variant & 1) != 0 ? "auto" : "portable", NULL},
				       .form = (variant & 2) != 0 ? FORM_TEXT : FORM_VALUE,
				       .cut = random_below(&random, 2) *
					      random_below(&random, 300)};

			assert_decodes(&setup, (Str){text, (uint32_t)len}, expected.data);
		}
		buffer_free(&expected);
	}
}

/* frame() is the last line end outside quotes, for every prefix. */
static void
test_framing(void **state)
{
	Random random = {random_seed() + 1};
	static char text[400];
	const char *const none[] = {NULL};
	Arena arena;

	(void)state;
	arena_init(&arena, 0);
	Setting *settings = test_settings(&csv_codec.decode_options, none, &arena);
	CsvFormat format = csv_format_from(settings);
	for (int round = 0; round < 2000; round++) {
		size_t len = random_text(&random, text, 1 + random_below(&random, 300));

		for (size_t prefix = 1; prefix <= len; prefix += 1 + random_below(&random, 20)) {
			size_t p = 0, wanted = 0;

			while (p < prefix) {
				CsvRecord record;

				csv_scan_record(&format, text, p, prefix, NULL, 0, &record);
				p = record.next;
				if (record.ended)
					wanted = p;
			}
			assert_int_equal(csv_codec.frame(settings, text, prefix, false), wanted);
			assert_int_equal(csv_codec.frame(settings, text, prefix, true), prefix);
		}
	}
	arena_free(&arena);
}

/* cut() of one record ends where the record does. */
static void
test_cutting(void **state)
{
	Random random = {random_seed() + 2};
	static char text[400];
	const char *const trim[] = {"csv.trim", "true", NULL};
	Arena arena;

	(void)state;
	arena_init(&arena, 0);
	for (int round = 0; round < 4000; round++) {
		Setting *settings = test_settings(&csv_codec.decode_options,
						  round % 2 == 0 ? trim : trim + 2, &arena);
		CsvFormat format = csv_format_from(settings);
		size_t len = random_text(&random, text, 1 + random_below(&random, 300));
		uint32_t records = 0, limit = 1 + (uint32_t)random_below(&random, 20), count;
		size_t some = 0, most = 1 + random_below(&random, 300), fit = 0;

		for (size_t p = 0; p < len; records++) {
			CsvRecord record;

			csv_scan_record(&format, text, p, len, NULL, 0, &record);
			count = 1;
			assert_int_equal(csv_codec.cut(settings, text + p, len - p, len, &count) +
						 p,
					 record.next);
			assert_int_equal(count, 1);
			p = record.next;
			some = records < limit ? p : some;
			fit = records == 0 || p <= most ? p : fit;
		}
		count = limit;
		assert_int_equal(csv_codec.cut(settings, text, len, len, &count), some);
		assert_int_equal(count, records < limit ? records : limit);
		count = 0;
		assert_int_equal(csv_codec.cut(settings, text, len, len, &count), len);
		assert_int_equal(count, records);
		count = 0;
		assert_int_equal(csv_codec.cut(settings, text, len, most, &count), fit);
	}
	arena_free(&arena);
}

/* ---- decode(encode(x)) = x ---- */

static const Type decimals[] = {
	{.kind = TYPE_DECIMAL, .precision = 18, .scale = 4},
	{.kind = TYPE_DECIMAL, .precision = 18, .scale = 0},
	{.kind = TYPE_DECIMAL, .precision = 16, .scale = 16},
	{.kind = TYPE_DECIMAL, .precision = 38, .scale = 12},
	{.kind = TYPE_DECIMAL, .precision = 9, .scale = 2},
};

static const Type *
random_type(Random *random)
{
	static const TypeKind kinds[] = {
		TYPE_BOOLEAN, TYPE_TINYINT, TYPE_SMALLINT,  TYPE_INTEGER, TYPE_BIGINT,
		TYPE_FLOAT,   TYPE_DOUBLE,  TYPE_STRING,    TYPE_STRING,  TYPE_BYTES,
		TYPE_DATE,    TYPE_TIME,    TYPE_TIMESTAMP,
	};
	uint32_t choice = random_below(random, 18);

	return choice < 5 ? &decimals[choice] : &type_simple[kinds[choice - 5]];
}

/* Small, large or anything. */
static int64_t
random_int64(Random *random, int64_t min, int64_t max)
{
	uint64_t span = (uint64_t)max - (uint64_t)min;
	uint64_t any = random_next(random) >> random_below(random, 64);

	switch (random_below(random, 8)) {
	case 0:
		return min;
	case 1:
		return max;
	default:
		return span == UINT64_MAX ? (int64_t)any
					  : (int64_t)((uint64_t)min + any % (span + 1));
	}
}

static Str
random_string(Random *random, Arena *arena, bool text)
{
	static const char *const pieces[] = {
		"a", "\"", ",",    "\n",       "\r\n",
		" ", "\t", "NULL", "\xC3\xA9", ";",
		"'", "0",  "-",    "\\",       "long piece of plain text",
		"|"};
	Str out = {"", 0};

	for (uint32_t i = random_below(random, 6); i > 0; i--)
		out = text ? str_format(arena, "%.*s%s", STR_ARG(out),
					pieces[random_below(random, 16)])
			   : str_format(arena, "%.*s%c", STR_ARG(out),
					1 + (int)random_below(random, 255));
	return out;
}

static Value
random_value(Random *random, const Type *type, Arena *arena)
{
	Value value = {.type = type, .is_null = random_below(random, 5) == 0};
	int64_t min = INT64_MIN, max = INT64_MAX;

	switch (type->kind) {
	case TYPE_BOOLEAN:
		value.boolean = random_below(random, 2) == 0;
		break;
	case TYPE_DECIMAL:
		max = type->precision > 18 ? decimal_power64[18]
					   : decimal_power64[type->precision] - 1;
		value.int64 = random_int64(random, -max, max);
		if (type->precision > 18)
			value.int128 = (Int128)value.int64 * random_int64(random, 0, max) * 10;
		break;
	case TYPE_FLOAT:
		value.real = (double)(float)((double)random_int64(random, min, max) / 1e9);
		break;
	case TYPE_DOUBLE:
		value.real = (double)random_int64(random, min, max) / 1e7;
		break;
	case TYPE_STRING:
	case TYPE_BYTES:
		value.text = random_string(random, arena, type->kind == TYPE_STRING);
		break;
	case TYPE_DATE:
		value.int64 = random_int64(random, DATE_MIN, DATE_MAX);
		break;
	case TYPE_TIME:
		value.int64 = random_int64(random, 0, MICROS_PER_DAY - 1);
		break;
	case TYPE_TIMESTAMP:
		value.int64 = random_int64(random, TIMESTAMP_MIN, TIMESTAMP_MAX);
		break;
	default:
		type_integer_range(type->kind, &min, &max);
		value.int64 = random_int64(random, min, max);
	}
	return value;
}

typedef struct Style {
	const char *decode[9], *encode[9];
} Style;

static const Style styles[] = {
	{{NULL}, {NULL}},
	{{"csv.delimiter", ";", "csv.null", "NULL", NULL},
	 {"csv.delimiter", ";", "csv.null", "NULL", NULL}},
	{{"csv.delimiter", "-", "csv.quote", "'", NULL},
	 {"csv.delimiter", "-", "csv.quote", "'", NULL}},
	{{"csv.delimiter", "0", "csv.null", "1", NULL},
	 {"csv.delimiter", "0", "csv.null", "1", NULL}},
	{{NULL}, {"csv.line.end", "crlf", NULL}},
	{{"csv.trim", "true", NULL}, {NULL}},
	{{"timestamp.format", "epoch_micros", NULL}, {"timestamp.format", "epoch_micros", NULL}},
	{{"timestamp.format", "epoch_seconds", NULL}, {"timestamp.format", "epoch_seconds", NULL}},
	{{"timestamp.format", "%Y,%m,%d \"%T.%f\"", NULL},
	 {"timestamp.format", "%Y,%m,%d \"%T.%f\"", NULL}},
};

static void
encode_batch(const Field *fields, uint32_t count, const Style *style, Batch *batch, Output *output)
{
	EncodeColumn columns[TEST_COLUMNS_MAX];
	Arena arena;
	Encoder *encoder;
	Error err;

	arena_init(&arena, 0);
	for (uint32_t i = 0; i < count; i++)
		columns[i] = (EncodeColumn){fields[i].name, fields[i].type, i};
	EncodeSpec spec = {columns, count,
			   test_settings(&csv_codec.encode_options, style->encode, &arena)};
	if (csv_codec.encoder_open(&spec, &arena, &encoder, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	output_init(output, TEST_LIMIT, false);
	assert_int_equal(csv_codec.preamble(encoder, &output->bytes, &err), FERRIS_OK);
	assert_int_equal(csv_codec.encode(encoder, batch, output, &err), FERRIS_OK);
	assert_int_equal(batch->error_count, 0);
	assert_int_equal(output->count, batch->sel_count);
	arena_free(&arena);
}

/* The rows without their places. */
static void
print_rows(Buffer *out, const Batch *batch)
{
	Arena arena;

	arena_init(&arena, 0);
	for (uint32_t k = 0; k < batch->sel_count; k++) {
		for (uint32_t c = 0; c < batch->column_count; c++) {
			buffer_append_char(out, '|');
			print_cell(out, &batch->columns[c], batch->sel[k], &arena);
		}
		buffer_append_char(out, '\n');
	}
	buffer_append_char(out, '\0');
	arena_free(&arena);
}

static Batch *
random_batch(Random *random, const Field *fields, uint32_t count)
{
	Batch *batch = batch_new(fields, NULL, count);

	batch->row_count = 1 + random_below(random, 40);
	for (uint32_t c = 0; c < count; c++) {
		bool constant = random_below(random, 10) == 0;

		for (uint32_t row = 0; row < (constant ? 1 : batch->row_count); row++) {
			Value value = random_value(random, fields[c].type, &batch->heap);
			value_to_vector(&value, &batch->columns[c], row);
		}
		batch->columns[c].constant = constant;
	}
	batch_select_all(batch);
	if (random_below(random, 2) == 0) {
		batch->dense = false;
		batch->sel_count = 0;
		for (uint32_t row = 0; row < batch->row_count; row += 1 + random_below(random, 3))
			batch->sel[batch->sel_count++] = (uint16_t)row;
	}
	return batch;
}

/* Decodes `output` as `form`, and prints the rows. */
static void
decode_output(const Field *fields, uint32_t count, const Style *style, const Output *output,
	      VectorForm form, Buffer *out)
{
	Setup setup = {.fields = fields, .field_count = count, .form = form};
	Decoding decoding;
	size_t skip;
	Error err;

	memcpy(setup.options, style->decode, sizeof style->decode);
	decoding_open(&decoding, &setup);
	if (csv_codec.header(&decoding.spec, output->bytes.data, output->bytes.len, true, &skip,
			     &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	Chunk *chunk = chunk_of(output->bytes.data + skip, output->bytes.len - skip);
	ChunkCursor cursor = {.chunk = chunk};
	assert_int_equal(csv_codec.decode(decoding.decoder, &cursor, decoding.batch, &err),
			 FERRIS_OK);
	assert_int_equal(decoding.batch->error_count, 0);
	assert_int_equal(cursor.next, chunk->len);
	print_rows(out, decoding.batch);
	chunk_destroy(chunk);
	decoding_close(&decoding);
}

static void
test_round_trip(void **state)
{
	Random random = {random_seed() + 2};

	(void)state;
	for (int round = 0; round < 1500; round++) {
		Field fields[8];
		uint32_t count = 1 + random_below(&random, 8);
		const Style *style = &styles[random_below(&random, sizeof styles / sizeof *styles)];
		Output output;
		Buffer expected, value, text;

		for (uint32_t i = 0; i < count; i++)
			fields[i] = (Field){text_fields[i].name, random_type(&random), false};
		Batch *batch = random_batch(&random, fields, count);
		encode_batch(fields, count, style, batch, &output);
		buffer_init(&expected, TEST_LIMIT);
		buffer_init(&value, TEST_LIMIT);
		buffer_init(&text, TEST_LIMIT);
		print_rows(&expected, batch);
		decode_output(fields, count, style, &output, FORM_VALUE, &value);
		assert_same_text(value.data, expected.data);
		decode_output(fields, count, style, &output, FORM_TEXT, &text);
		assert_same_text(text.data, expected.data);
		buffer_free(&expected);
		buffer_free(&value);
		buffer_free(&text);
		output_free(&output);
		batch_destroy(batch);
	}
}

/* ---- predicates ---- */

static int
compare_values(const Value *a, const Value *b)
{
	switch (type_physical(a->type)) {
	case PHYSICAL_BOOL:
		return a->boolean - b->boolean;
	case PHYSICAL_INT64:
		return (a->int64 > b->int64) - (a->int64 < b->int64);
	case PHYSICAL_INT128:
		return (a->int128 > b->int128) - (a->int128 < b->int128);
	case PHYSICAL_DOUBLE:
		return (a->real > b->real) - (a->real < b->real);
	default: {
		uint32_t len = a->text.len < b->text.len ? a->text.len : b->text.len;
		int order = memcmp(a->text.data, b->text.data, len);

		return order != 0 ? order
				  : (a->text.len > b->text.len) - (a->text.len < b->text.len);
	}
	}
}

static bool
passes(const DecodePredicate *predicate, const Batch *batch, uint32_t row)
{
	Value value = value_from_vector(&batch->columns[predicate->column], row);
	int order = value.is_null ? 0 : compare_values(&value, &predicate->constant);
	const bool truths[] = {
		[COMPARE_EQ] = order == 0,
		[COMPARE_NE] = order != 0,
		[COMPARE_LT] = order<0, [COMPARE_LE] = order <= 0, [COMPARE_GT] = order> 0,
		[COMPARE_GE] = order >= 0,
	};

	return !value.is_null && truths[predicate->op];
}

/* What predicates keep while decoding is what they keep afterwards. */
static void
test_predicates(void **state)
{
	Random random = {random_seed() + 3};

	(void)state;
	for (int round = 0; round < 1000; round++) {
		Field fields[5];
		DecodePredicate predicates[3];
		uint32_t count = 1 + random_below(&random, 5), kept = 0;
		Output output;
		Buffer expected, got;

		for (uint32_t i = 0; i < count; i++)
			fields[i] = (Field){text_fields[i].name, random_type(&random), false};
		Batch *batch = random_batch(&random, fields, count);
		encode_batch(fields, count, &styles[0], batch, &output);
		Setup setup = {.fields = fields,
			       .field_count = count,
			       .predicates = predicates,
			       .predicate_count = 1 + random_below(&random, 3)};
		for (uint32_t i = 0; i < setup.predicate_count; i++) {
			DecodePredicate *predicate = &predicates[i];
			uint32_t column = random_below(&random, count);
			uint32_t row = batch->sel[random_below(&random, batch->sel_count)];

			*predicate =
				(DecodePredicate){column, (CompareOp)random_below(&random, 6),
						  value_from_vector(&batch->columns[column], row)};
			while (predicate->constant.is_null)
				predicate->constant =
					random_value(&random, fields[column].type, &batch->heap);
		}
		for (uint32_t k = 0; k < batch->sel_count; k++) {
			bool all = true;

			for (uint32_t i = 0; i < setup.predicate_count; i++)
				all &= passes(&predicates[i], batch, batch->sel[k]);
			batch->sel[kept] = batch->sel[k];
			kept += all;
		}
		uint64_t records = batch->sel_count;
		batch->sel_count = kept;
		buffer_init(&expected, TEST_LIMIT);
		buffer_init(&got, TEST_LIMIT);
		print_rows(&expected, batch);

		Decoding decoding;
		size_t skip;
		Error err;
		decoding_open(&decoding, &setup);
		assert_int_equal(csv_codec.header(&decoding.spec, output.bytes.data,
						  output.bytes.len, true, &skip, &err),
				 FERRIS_OK);
		Chunk *chunk = chunk_of(output.bytes.data + skip, output.bytes.len - skip);
		ChunkCursor cursor = {.chunk = chunk};
		assert_int_equal(csv_codec.decode(decoding.decoder, &cursor, decoding.batch, &err),
				 FERRIS_OK);
		assert_int_equal(decoding.batch->records_in, records);
		assert_int_equal(decoding.batch->filtered, records - kept);
		print_rows(&got, decoding.batch);
		assert_same_text(got.data, expected.data);
		decoding_close(&decoding);
		chunk_destroy(chunk);
		buffer_free(&expected);
		buffer_free(&got);
		output_free(&output);
		batch_destroy(batch);
	}
}

/* ---- many records, many errors ---- */

static void
test_full_batches(void **state)
{
	const Field fields[] = {{STR("n"), TYPE_OF(BIGINT), false},
				{STR("s"), TYPE_OF(STRING), false}};
	const uint32_t counts[] = {1, 511, 512, 513, 2047, 2048, 2049, 10000};
	Buffer input, expected, got;

	(void)state;
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		for (uint32_t bad = 0; bad < 3; bad++) {
			Setup setup = {.fields = fields,
				       .field_count = 2,
				       .options = {"csv.header", "false", NULL}};

			buffer_init(&input, TEST_LIMIT);
			buffer_init(&expected, TEST_LIMIT);
			buffer_init(&got, TEST_LIMIT);
			for (uint32_t n = 0; n < counts[i]; n++) {
				bool fails = bad == 2 || (bad == 1 && n % 3 == 0);
				size_t start = input.len;

				buffer_printf(&input, fails ? "x%u,s" : "%u,s", n);
				buffer_printf(&expected, "%u@%zu+%zu", n + 1, start,
					      input.len - start);
				buffer_printf(&expected,
					      fails ? "!BAD_VALUE(n) 'x%u' is not a BIGINT\n"
						    : "|%u|s\n",
					      n);
				buffer_append_char(&input, '\n');
			}
			buffer_append_char(&expected, '\0');
			decode_all(&setup, input.data, input.len, &got);
			assert_same_text(got.data, expected.data);
			buffer_free(&input);
			buffer_free(&expected);
			buffer_free(&got);
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_python),       cmocka_unit_test(test_any_text),
		cmocka_unit_test(test_framing),      cmocka_unit_test(test_cutting),
		cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_predicates),
		cmocka_unit_test(test_full_batches),
	};

	make_text_fields();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
