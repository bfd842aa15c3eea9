/* tests/unit/test_csv.c -- CSV case by case: grammar, types, headers, errors, inference, output. */
#include "csv_testing.h"

#include <math.h>

static const Type decimal_18_4 = {.kind = TYPE_DECIMAL, .precision = 18, .scale = 4};
static const Type decimal_38_10 = {.kind = TYPE_DECIMAL, .precision = 38, .scale = 10};
static const Type decimal_5_0 = {.kind = TYPE_DECIMAL, .precision = 5, .scale = 0};

#define FIELD(name, type)                                                                          \
	{                                                                                          \
		STR_INIT(name), (type), false                                                      \
	}

static const Field strings[] = {
	FIELD("a", TYPE_OF(STRING)),
	FIELD("b", TYPE_OF(STRING)),
	FIELD("c", TYPE_OF(STRING)),
};

typedef struct Case {
	Str input;
	const char *expected;
} Case;

#define NO_HEADER "csv.header", "false"

/* Three columns, each case with both scanners and with all cuts into chunks. */
static void
test_grammar(void **state)
{
	static const Case cases[] = {
		{STR_INIT("a,b,c\n"), "1@0+5|a|b|c\n"},
		{STR_INIT("a,b,c"), "1@0+5|a|b|c\n"},
		{STR_INIT("a,b,c\r\nd,e,f\r\n"), "1@0+5|a|b|c\n2@7+5|d|e|f\n"},
		{STR_INIT("a,b,c\r\nd,e,f\n"), "1@0+5|a|b|c\n2@7+5|d|e|f\n"},
		{STR_INIT(",,\n"), "1@0+2|~|~|~\n"},
		{STR_INIT("\"\",\"\",\"\"\n"), "1@0+8|||\n"},
		{STR_INIT("\"a\",\"b\",\"c\"\n"), "1@0+11|a|b|c\n"},
		{STR_INIT("\"a\",\"b\",\"c\"\r\n"), "1@0+11|a|b|c\n"},
		{STR_INIT("\"a\",\"b\",\"c\""), "1@0+11|a|b|c\n"},
		{STR_INIT("\"a,a\",b,c\n"), "1@0+9|a,a|b|c\n"},
		{STR_INIT("\"a\nb\",b,c\nd,e,f\n"), "1@0+9|a<0a>b|b|c\n3@10+5|d|e|f\n"},
		{STR_INIT("\"a\r\nb\",b,c\r\nd,e,f"), "1@0+10|a<0d><0a>b|b|c\n3@12+5|d|e|f\n"},
		{STR_INIT("\"a\"\"b\",\"\"\"\",\"\"\"x\"\"\"\n"), "1@0+19|a\"b|\"|\"x\"\n"},
		{STR_INIT(" a, b ,\" c \"\n"), "1@0+12| a| b | c \n"},
		{STR_INIT("a,b,c\n\n\r\nd,e,f\n"), "1@0+5|a|b|c\n4@9+5|d|e|f\n"},
		{STR_INIT("a\rb,\r,c\n"), "1@0+7|a<0d>b|<0d>|c\n"},
		{STR_INIT("a,b,\r\n"), "1@0+4|a|b|~\n"},
		{STR_INIT("\xC3\xA9,\xE2\x82\xAC,\xF0\x9F\x98\x80\n"),
		 "1@0+11|\xC3\xA9|\xE2\x82\xAC|\xF0\x9F\x98\x80\n"},
		{STR_INIT(""), ""},
		{STR_INIT("\n"), ""},
	};
	static const char *const scanners[] = {"auto", "portable"};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int s = 0; s < 2; s++)
			for (uint32_t cut = 0; cut <= cases[i].input.len; cut++) {
				Setup setup = {strings,
					       3,
					       {NO_HEADER, "csv.simd", scanners[s], NULL},
					       .cut = cut};

				assert_decodes(&setup, cases[i].input, cases[i].expected);
				setup.form = FORM_TEXT;
				assert_decodes(&setup, cases[i].input, cases[i].expected);
			}
}

static void
test_malformed_records(void **state)
{
	static const Case cases[] = {
		{STR_INIT("a,b\nd,e,f\n"),
		 "1@0+3!BAD_RECORD() record has 2 fields, expected 3\n2@4+5|d|e|f\n"},
		{STR_INIT("a\nd,e,f\n"), "1@0+1!BAD_RECORD() record has 1 field, expected 3; "
					 "is 'csv.delimiter' right?\n2@2+5|d|e|f\n"},
		{STR_INIT("a,b,c,\n"), "1@0+6!BAD_RECORD() record has 4 fields, expected 3\n"},
		{STR_INIT("a\"b,b,c\nd,e,f\n"), "1@0+7!BAD_RECORD() field 1 has a quote but does "
						"not begin with one\n2@8+5|d|e|f\n"},
		{STR_INIT("a, \"b\",c\nd,e,f\n"), "1@0+8!BAD_RECORD() field 2 has a quote but does "
						  "not begin with one\n2@9+5|d|e|f\n"},
		{STR_INIT("a,\"b\"x,c\nd,e,f\n"),
		 "1@0+8!BAD_RECORD() field 2 has text behind its closing quote\n2@9+5|d|e|f\n"},
		{STR_INIT("a,\"b\" \"x,c\nd,e,f\n"),
		 "1@0+10!BAD_RECORD() field 2 has text behind its closing quote\n2@11+5|d|e|f\n"},
		{STR_INIT("d,e,f\na,b,\"c\nd,e,f\n"),
		 "1@0+5|d|e|f\n2@6+13!BAD_RECORD() field 3 has no closing quote\n"},
		{STR_INIT("a,\xFF\xFE,c\n"),
		 "1@0+6!UTF8(b) '\\xFF\\xFE' is not valid UTF-8 at byte 0\n"},
		{STR_INIT("a,x\xC3,c\n"), "1@0+6!UTF8(b) 'x\\xC3' is not valid UTF-8 at byte 1\n"},
		{STR_INIT("a,\"\xED\xA0\x80\",c\n"),
		 "1@0+9!UTF8(b) '\\xED\\xA0\\x80' is not valid UTF-8 at byte 0\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (uint32_t cut = 0; cut <= cases[i].input.len; cut++) {
			Setup setup = {strings, 3, {NO_HEADER, NULL}, .cut = cut};

			assert_decodes(&setup, cases[i].input, cases[i].expected);
		}
}

static void
test_one_column(void **state)
{
	Setup setup = {.fields = strings, .field_count = 1, .options = {NO_HEADER, NULL}};

	(void)state;
	assert_decodes(&setup, STR("a\n\n\"\"\n\r\nb"),
		       "1@0+1|a\n2@2+0|~\n3@3+2|\n4@6+0|~\n5@8+1|b\n");
}

/* Fields and records longer than any scanner's window. */
static void
test_long_records(void **state)
{
	static char input[3 * 1000 + 8];
	char expected[sizeof input + 64];
	Setup setup = {.fields = strings, .field_count = 3, .options = {NO_HEADER, NULL}};

	(void)state;
	for (uint32_t len = 1; len < 1000; len += 7) {
		memset(input, 'x', len);
		input[len] = ',';
		memset(input + len + 1, 'y', len);
		input[2 * len + 1] = ',';
		memset(input + 2 * len + 2, 'z', len);
		input[3 * len + 2] = '\n';
		snprintf(expected, sizeof expected, "1@0+%u|%.*s|%.*s|%.*s\n", 3 * len + 2,
			 (int)len, input, (int)len, input + len + 1, (int)len, input + 2 * len + 2);
		assert_decodes(&setup, (Str){input, 3 * len + 3}, expected);
	}
}

static void
test_options(void **state)
{
	static const struct {
		const char *options[7];
		Case c;
	} cases[] = {
		{{NO_HEADER, "csv.delimiter", ";"},
		 {STR_INIT("a;b,b;\"c;c\"\n"), "1@0+11|a|b,b|c;c\n"}},
		{{NO_HEADER, "delimiter", "\\t"}, {STR_INIT("a\t\tc\n"), "1@0+4|a|~|c\n"}},
		{{NO_HEADER, "csv.quote", "'"},
		 {STR_INIT("'a,''a',b,\"c\n"), "1@0+12|a,'a|b|\"c\n"}},
		{{NO_HEADER, "csv.null", "NULL"},
		 {STR_INIT("NULL,,\"NULL\"\n"), "1@0+12|~||NULL\n"}},
		{{NO_HEADER, "csv.trim", "true"},
		 {STR_INIT(" a ,\t\"b,\"\" \"\t, \r\n"), "1@0+15|a|b,\" |~\n"}},
		{{NO_HEADER, "csv.trim", "true", "csv.delimiter", "\\t"},
		 {STR_INIT(" a \t\tc"), "1@0+6|a|~|c\n"}},
		{{NO_HEADER, "csv.skip.lines", "2"},
		 {STR_INIT("# \"x\n#\na,b,c\n"), "3@7+5|a|b|c\n"}},
		{{"csv.skip.lines", "1"}, {STR_INIT("#\nc,a,b\n1,2,3\n"), "3@8+5|2|3|1\n"}},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Setup setup = {.fields = strings, .field_count = 3};

		memcpy(setup.options, cases[i].options, sizeof cases[i].options);
		assert_decodes(&setup, cases[i].c.input, cases[i].c.expected);
	}
}

static void
test_option_errors(void **state)
{
	static const char *const bad[][5] = {
		{"csv.quote", ",", NULL},         {"csv.delimiter", "\"", NULL},
		{"csv.delimiter", "\n", NULL},    {"timestamp.format", "iso", NULL},
		{"timestamp.format", "%Q", NULL},
	};
	Arena arena;
	Schema schema = {NULL, 0};

	(void)state;
	arena_init(&arena, 0);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		DecodeSpec spec = {
			.schema = &schema,
			.settings = test_settings(&csv_codec.decode_options, bad[i], &arena)};
		Decoder *decoder;
		Error err = {0};

		assert_int_not_equal(csv_codec.decoder_open(&spec, &arena, &decoder, &err),
				     FERRIS_OK);
		assert_true(err.message[0] != '\0');
	}
	arena_free(&arena);
}

/* ---- types ---- */

typedef struct ValueCase {
	const Type *type;
	const char *text;
	const char *expected; /* canonical text, or the error */
} ValueCase;

static const ValueCase value_cases[] = {
	{TYPE_OF(BOOLEAN), "true", "true"},
	{TYPE_OF(BOOLEAN), "FALSE", "false"},
	{TYPE_OF(BOOLEAN), "1", "true"},
	{TYPE_OF(BOOLEAN), "no", "false"},
	{TYPE_OF(BOOLEAN), "2", "!BAD_VALUE '2' is not a BOOLEAN"},
	{TYPE_OF(TINYINT), "127", "127"},
	{TYPE_OF(TINYINT), "-128", "-128"},
	{TYPE_OF(TINYINT), "128",
	 "!OUT_OF_RANGE '128' is outside the range of TINYINT, -128 to 127"},
	{TYPE_OF(SMALLINT), "-32769",
	 "!OUT_OF_RANGE '-32769' is outside the range of SMALLINT, -32768 to 32767"},
	{TYPE_OF(INTEGER), "2147483647", "2147483647"},
	{TYPE_OF(INTEGER), "2147483648",
	 "!OUT_OF_RANGE '2147483648' is outside the range of INTEGER, "
	 "-2147483648 to 2147483647"},
	{TYPE_OF(BIGINT), "9223372036854775807", "9223372036854775807"},
	{TYPE_OF(BIGINT), "-9223372036854775808", "-9223372036854775808"},
	{TYPE_OF(BIGINT), "9223372036854775808",
	 "!OUT_OF_RANGE '9223372036854775808' is outside the range of BIGINT, "
	 "-9223372036854775808 to 9223372036854775807"},
	{TYPE_OF(BIGINT), "+007", "7"},
	{TYPE_OF(BIGINT), "-0", "0"},
	{TYPE_OF(BIGINT), "0", "0"},
	{TYPE_OF(BIGINT), "1234567890123456", "1234567890123456"},
	{TYPE_OF(BIGINT), "12345678901234567", "12345678901234567"},
	{TYPE_OF(BIGINT), "1.0", "!BAD_VALUE '1.0' is not a BIGINT"},
	{TYPE_OF(BIGINT), " 1", "!BAD_VALUE ' 1' is not a BIGINT"},
	{TYPE_OF(BIGINT), "-", "!BAD_VALUE '-' is not a BIGINT"},
	{TYPE_OF(BIGINT), "12a4", "!BAD_VALUE '12a4' is not a BIGINT"},
	{TYPE_OF(BIGINT), "1234567:", "!BAD_VALUE '1234567:' is not a BIGINT"},
	{&decimal_18_4, "12.3456", "12.3456"},
	{&decimal_18_4, "-0.0001", "-0.0001"},
	{&decimal_18_4, "-0.0000", "0.0000"},
	{&decimal_18_4, "500", "500.0000"},
	{&decimal_18_4, "+1.5", "1.5000"},
	{&decimal_18_4, ".5", "0.5000"},
	{&decimal_18_4, "5.", "5.0000"},
	{&decimal_18_4, "007.2500", "7.2500"},
	{&decimal_18_4, "1e3", "1000.0000"},
	{&decimal_18_4, "1.50000", "1.5000"},
	{&decimal_18_4, "12345678.1234", "12345678.1234"},
	{&decimal_18_4, "123456789.1234", "123456789.1234"},
	{&decimal_18_4, "99999999999999.9999", "99999999999999.9999"},
	{&decimal_18_4, "100000000000000.0000",
	 "!OUT_OF_RANGE '100000000000000.0000' is outside the range of DECIMAL(18,4)"},
	{&decimal_18_4, "1.00005",
	 "!DIGIT_LOSS '1.00005' has more fractional digits than DECIMAL(18,4) holds"},
	{&decimal_18_4, "1,5", "!BAD_VALUE '1,5' is not a DECIMAL(18,4)"},
	{&decimal_18_4, "1.2.3456", "!BAD_VALUE '1.2.3456' is not a DECIMAL(18,4)"},
	{&decimal_18_4, "--1.2345", "!BAD_VALUE '--1.2345' is not a DECIMAL(18,4)"},
	{&decimal_38_10, "1234567890123456789012345678.0123456789",
	 "1234567890123456789012345678.0123456789"},
	{&decimal_38_10, "-1.5", "-1.5000000000"},
	{&decimal_5_0, "99999", "99999"},
	{&decimal_5_0, "1e5", "!OUT_OF_RANGE '1e5' is outside the range of DECIMAL(5,0)"},
	{TYPE_OF(DOUBLE), "1e400", "!OUT_OF_RANGE '1e400' is outside the range of DOUBLE"},
	{TYPE_OF(DOUBLE), "0.1", "0.1"},
	{TYPE_OF(DOUBLE), "5", "5.0"},
	{TYPE_OF(DOUBLE), "NaN", "NaN"},
	{TYPE_OF(DOUBLE), "0x10", "!BAD_VALUE '0x10' is not a DOUBLE"},
	{TYPE_OF(FLOAT), "0.1", "0.1"},
	{TYPE_OF(BYTES), "AAEC/w==", "AAEC/w=="},
	{TYPE_OF(BYTES), "A", "!BAD_VALUE 'A' is not a BYTES"},
	{TYPE_OF(DATE), "2023-11-14", "2023-11-14"},
	{TYPE_OF(DATE), "2023-02-29", "!OUT_OF_RANGE '2023-02-29' is outside the range of DATE"},
	{TYPE_OF(TIME), "22:13:20.049", "22:13:20.049"},
	{TYPE_OF(TIME), "24:00", "!OUT_OF_RANGE '24:00' is outside the range of TIME"},
	{TYPE_OF(TIMESTAMP), "1700000000049", "2023-11-14T22:13:20.049Z"},
	{TYPE_OF(TIMESTAMP), "-1", "1969-12-31T23:59:59.999Z"},
	{TYPE_OF(TIMESTAMP), "1.5", "1970-01-01T00:00:00.001500Z"},
	{TYPE_OF(TIMESTAMP), "2023-11-14T22:13:20.049Z", "2023-11-14T22:13:20.049Z"},
	{TYPE_OF(TIMESTAMP), "2023-11-14 23:13:20+01:00", "2023-11-14T22:13:20.000Z"},
	{TYPE_OF(TIMESTAMP), "yesterday", "!BAD_VALUE 'yesterday' is not a TIMESTAMP"},
	{TYPE_OF(TIMESTAMP), "9999999999999999",
	 "!OUT_OF_RANGE '9999999999999999' is outside the range of TIMESTAMP"},
	{TYPE_OF(INTERVAL), "P1Y2M3DT4H5M6.5S", "P1Y2M3DT4H5M6.5S"},
	{TYPE_OF(INTERVAL), "1 day", "P1D"},
};

/* Every value as VALUE and as TEXT, plain and quoted, by both scanners, short and long records. */
static void
test_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof value_cases / sizeof *value_cases; i++)
		for (uint32_t variant = 0; variant < 16; variant++) {
			const ValueCase *c = &value_cases[i];
			bool quoted = (variant & 2) != 0 || strchr(c->text, ',') != NULL;
			const char *tail = (variant & 8) != 0
						   ? "long enough for the fast scanner which "
						     "needs 64 bytes from the record on"
						   : "";
			const Field fields[] = {{STR("v"), c->type, false},
						{STR("tail"), TYPE_OF(STRING), false}};
			Setup setup = {fields,
				       2,
				       {NO_HEADER, "csv.simd",
					(variant & 4) != 0 ? "auto" : "portable", NULL},
				       .form = (variant & 1) != 0 ? FORM_TEXT : FORM_VALUE,
				       .wanted = 1};
			const char *mark = quoted ? "\"" : "";
			char input[256], expected[256];

			int len = snprintf(input, sizeof input, "%s%s%s,%s\n%s", mark, c->text,
					   mark, tail, (variant & 8) != 0 ? "\n\n" : "");
			int record = (int)(strchr(input, '\n') - input);
			if (c->expected[0] == '!') {
				const char *message = strchr(c->expected, ' ');

				snprintf(expected, sizeof expected, "1@0+%d%.*s(v)%s\n", record,
					 (int)(message - c->expected), c->expected, message);
			} else {
				snprintf(expected, sizeof expected, "1@0+%d|%s\n", record,
					 c->expected);
			}
			assert_decodes(&setup, (Str){input, (uint32_t)len}, expected);
		}
}

static void
test_timestamp_formats(void **state)
{
	static const struct {
		const char *format;
		const char *text;
		const char *expected;
	} cases[] = {
		{"epoch_millis", "1700000000049", "2023-11-14T22:13:20.049Z"},
		{"epoch_micros", "1700000000049123", "2023-11-14T22:13:20.049123Z"},
		{"epoch_seconds", "1700000000", "2023-11-14T22:13:20.000Z"},
		{"epoch_seconds", "1700000000.049", "2023-11-14T22:13:20.049Z"},
		{"%d.%m.%Y %H:%M", "14.11.2023 22:13", "2023-11-14T22:13:00.000Z"},
	};
	const Field field = {STR("t"), TYPE_OF(TIMESTAMP), false};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		for (int form = 0; form < 2; form++) {
			Setup setup = {&field,
				       1,
				       {NO_HEADER, "timestamp.format", cases[i].format, NULL},
				       .form = form ? FORM_TEXT : FORM_VALUE};
			char expected[80];

			snprintf(expected, sizeof expected, "1@0+%zu|%s\n", strlen(cases[i].text),
				 cases[i].expected);
			assert_decodes(&setup, str_from(cases[i].text), expected);
		}
}

static void
test_null_and_not_null(void **state)
{
	const Field fields[] = {{STR("a"), TYPE_OF(BIGINT), true},
				FIELD("b", TYPE_OF(BIGINT)),
				{STR("c"), TYPE_OF(STRING), true}};
	Setup setup = {.fields = fields, .field_count = 3, .options = {NO_HEADER, NULL}};

	(void)state;
	assert_decodes(&setup, STR("1,,x\n,2,x\n3,4,\n5,6,\"\"\n7,\"\",x\n"),
		       "1@0+4|1|~|x\n"
		       "2@5+4!NOT_NULL(a) NULL in a column that is declared NOT NULL\n"
		       "3@10+4!NOT_NULL(c) NULL in a column that is declared NOT NULL\n"
		       "4@15+6|5|6|\n"
		       "5@22+6!BAD_VALUE(b) '' is not a BIGINT\n");
}

/* JSON text in a field; as text it is canonical. */
static void
test_nested_types(void **state)
{
	const char *input = "1,\"[1, 2]\",\"{\"\"a\"\":1,\"\"b\"\":null}\"\n"
			    "2,[],\n"
			    "3,\"[1,x]\",\n"
			    "4,[1] 2,\n"
			    "5,,\"{\"\"a\"\":1.5}\"\n"
			    "6,null,[1]\n";
	Arena arena;

	(void)state;
	arena_init(&arena, 0);
	const Field parts[] = {FIELD("a", TYPE_OF(BIGINT)), FIELD("b", TYPE_OF(STRING))};
	const Field fields[] = {
		FIELD("n", TYPE_OF(BIGINT)),
		{STR("list"), type_array(&arena, TYPE_OF(BIGINT)), false},
		{STR("row"), type_struct(&arena, parts, 2), false},
	};
	Setup setup = {.fields = fields,
		       .field_count = 3,
		       .options = {NO_HEADER, NULL},
		       .form = FORM_TEXT};
	Buffer out;

	buffer_init(&out, TEST_LIMIT);
	decode_all(&setup, input, strlen(input), &out);
	const char *expected[] = {"1@0+33|1|[1,2]|{\"a\":1,\"b\":null}\n2@34+5|2|[]|~\n",
				  "3@40+10!BAD_",
				  "(list)",
				  "4@51+8!BAD_VALUE(list) ",
				  "5@60+16!",
				  "(row)",
				  "6@77+10!BAD_VALUE(row)"};
	const char *p = out.data;
	for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
		const char *found = strstr(p, expected[i]);

		if (found == NULL)
			fail_msg("no '%s' in\n%s", expected[i], p);
		p = found + strlen(expected[i]);
	}
	buffer_free(&out);
	arena_free(&arena);
}

/* VALUE vectors of nested types are written as JSON text and come back. */
static void
test_nested_round_trip(void **state)
{
	Str input = STR("\"[\"\"a\"\",null,\"\"\xC3\xA9\"\"]\",\"{\"\"k\"\":1.50}\",\"{\"\"x\"\":["
			"1, 2]}\"\n"
			",{},true\n");
	const char *const none[] = {NO_HEADER, NULL};
	Arena arena;
	Error err;
	Encoder *encoder;
	Output output;

	(void)state;
	arena_init(&arena, 0);
	const Type *decimal = type_decimal(&arena, 9, 2);
	const Field fields[] = {
		{STR("list"), type_array(&arena, TYPE_OF(STRING)), false},
		{STR("map"), type_map(&arena, TYPE_OF(STRING), decimal), false},
		FIELD("json", TYPE_OF(JSON)),
	};
	const EncodeColumn columns[] = {{STR("list"), fields[0].type, 0},
					{STR("map"), fields[1].type, 1},
					{STR("json"), fields[2].type, 2}};
	EncodeSpec spec = {columns, 3, test_settings(&csv_codec.encode_options, none, &arena)};
	Setup setup = {.fields = fields, .field_count = 3, .options = {NO_HEADER, NULL}};
	Decoding decoding;
	Chunk *chunk = chunk_of(input.data, input.len);
	ChunkCursor cursor = {.chunk = chunk};

	decoding_open(&decoding, &setup);
	output_init(&output, TEST_LIMIT, false);
	assert_int_equal(csv_codec.decode(decoding.decoder, &cursor, decoding.batch, &err),
			 FERRIS_OK);
	assert_int_equal(decoding.batch->row_count, 2);
	assert_int_equal(csv_codec.encoder_open(&spec, &arena, &encoder, &err), FERRIS_OK);
	assert_int_equal(csv_codec.encode(encoder, decoding.batch, &output, &err), FERRIS_OK);
	buffer_append_char(&output.bytes, '\0');
	assert_same_text(output.bytes.data, "\"[\"\"a\"\",null,\"\"\xC3\xA9\"\"]\",\"{\"\"k\"\":1."
					    "50}\",\"{\"\"x\"\":[1, 2]}\"\n"
					    ",{},true\n");
	output_free(&output);
	decoding_close(&decoding);
	chunk_destroy(chunk);
	arena_free(&arena);
}

/* NaN equals itself and is larger than any other number. */
static void
test_nan_predicates(void **state)
{
	static const struct {
		CompareOp op;
		double constant;
		const char *expected;
	} cases[] = {
		{COMPARE_GT, (double)INFINITY, "1@0+3|NaN\n"},
		{COMPARE_GE, 1.0, "1@0+3|NaN\n2@4+1|1.0\n3@6+8|Infinity\n"},
		{COMPARE_LE, 1.0, "2@4+1|1.0\n"},
		{COMPARE_EQ, (double)NAN, "1@0+3|NaN\n"},
		{COMPARE_LT, (double)NAN, "2@4+1|1.0\n3@6+8|Infinity\n"},
		{COMPARE_GT, (double)NAN, ""},
	};
	const Field field = FIELD("x", TYPE_OF(DOUBLE));

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		DecodePredicate predicate = {
			0, cases[i].op, {.type = TYPE_OF(DOUBLE), .real = cases[i].constant}};
		Setup setup = {.fields = &field,
			       .field_count = 1,
			       .options = {NO_HEADER, NULL},
			       .predicates = &predicate,
			       .predicate_count = 1};

		assert_decodes(&setup, STR("NaN\n1\nInfinity\n"), cases[i].expected);
	}
}

/* ---- headers ---- */

static void
test_header_order(void **state)
{
	static const Case cases[] = {
		{STR_INIT("a,b,c\n1,2,3\n"), "2@6+5|1|2|3\n"},
		{STR_INIT("c,b,a\n1,2,3\n"), "2@6+5|3|2|1\n"},
		{STR_INIT("x,c,\"a\",y,B\r\n1,2,3,4,5\r\n"), "2@13+9|3|5|2\n"},
		{STR_INIT("\xEF\xBB\xBF\"b\",c,a\n1,2,3\n"), "2@11+5|3|1|2\n"},
		{STR_INIT("\"a\",\"b\",\"c\"\n"), ""},
		{STR_INIT("b,a,c"), ""},
		{STR_INIT(""), ""},
		{STR_INIT("b,a,c,\"x\ny\"\n1,2,3,4\n1,2,3\n"),
		 "3@12+7|2|1|3\n4@20+5!BAD_RECORD() record has 3 fields, expected 4\n"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		Setup setup = {.fields = strings, .field_count = 3, .options = {NULL}};
		assert_decodes(&setup, cases[i].input, cases[i].expected);
	}
	Setup some = {strings, 3, {NULL}, .wanted = 2};
	assert_decodes(&some, STR("b,z\n1,2\n"), "2@4+3|1\n");
}

/* What header() says to the files in turn. */
static Status
read_headers(const char *const *files, size_t count, bool with_order, size_t *skip, Error *err)
{
	Setup setup = {.fields = strings, .field_count = 3, .options = {NULL}};
	Decoding decoding;
	Status status = FERRIS_OK;

	decoding_open(&decoding, &setup);
	if (!with_order)
		decoding.spec.order = NULL;
	for (size_t i = 0; i < count && status == FERRIS_OK; i++)
		status = csv_codec.header(&decoding.spec, files[i], strlen(files[i]), true, skip,
					  err);
	decoding_close(&decoding);
	return status;
}

static void
test_header_errors(void **state)
{
	static const struct {
		const char *files[2];
		bool order;
		const char *message, *hint;
	} cases[] = {
		{{"a,bb,c\n"},
		 true,
		 "the CSV header has no column 'b'; it has: a, bb, c",
		 "did you mean 'bb'?"},
		{{"1,2,3\n"}, true, "the CSV header has no column 'a'; it has: 1, 2, 3", NULL},
		{{"a,b,c,b\n"}, true, "the CSV header has 2 columns named 'b'", ""},
		{{"a,b,\"c\n"}, true, "the CSV header is malformed at its field 3", ""},
		{{"a,b,c\n", "a,c,b\n"},
		 true,
		 "column 'b' is field 3 of this CSV header, but field 2 of the first file's header",
		 NULL},
		{{"a,b,c\n", "a,b,c,d\n"},
		 true,
		 "this CSV header has 4 columns, but the first file's header has 3",
		 NULL},
		{{"b,a,c\n"},
		 false,
		 "column 'a' is field 2 of this CSV header, but field 1 of the declared schema",
		 NULL},
	};
	Error err;
	size_t skip;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		err = (Error){0};
		size_t count = cases[i].files[1] != NULL ? 2 : 1;

		assert_int_not_equal(
			read_headers(cases[i].files, count, cases[i].order, &skip, &err),
			FERRIS_OK);
		assert_string_equal(err.message, cases[i].message);
		if (cases[i].hint != NULL)
			assert_string_equal(err.hint, cases[i].hint);
	}
	const char *const same[] = {"c,a,b\n1,2,3\n", "c,a,b\n4,5,6\n"};
	assert_int_equal(read_headers(same, 2, true, &skip, &err), FERRIS_OK);
	assert_int_equal(skip, 6);
}

static void
test_header_incomplete(void **state)
{
	const char *file = "\xEF\xBB\xBF# one\na,\"b\",c\r\n1,2,3\n";
	Setup setup = {
		.fields = strings, .field_count = 3, .options = {"csv.skip.lines", "1", NULL}};
	Decoding decoding;
	Error err;
	size_t skip;

	(void)state;
	decoding_open(&decoding, &setup);
	for (size_t len = 0; len < 20; len++) {
		char *part =
			test_malloc(len + 1); /* lint: allow test_malloc -- finds reads behind it */

		memcpy(part, file, len);
		assert_int_equal(csv_codec.header(&decoding.spec, part, len, false, &skip, &err),
				 FERRIS_OK);
		assert_true(skip == (len < 18 ? HEADER_INCOMPLETE : 18));
		test_free(part);
	}
	decoding_close(&decoding);
}

/* ---- topics ---- */

static void
test_topic(void **state)
{
	Setup setup = {strings, 3, {NULL}, .topic = true};

	(void)state;
	/* A header is a matter of files: every message is a record. */
	assert_decodes(&setup, STR("a,b,c\nd,\"e\",\r\nx,y"),
		       "1@0+6|a|b|c\n2@6+8|d|e|~\n"
		       "3@14+3!BAD_RECORD() record has 2 fields, expected 3\n");
}

static void
test_topic_null_and_several(void **state)
{
	Setup setup = {.fields = strings, .field_count = 3, .options = {NULL}};
	Str data = STR("a,b,c\nd,e,f\n");
	Decoding decoding;
	Chunk *chunk = chunk_of(data.data, data.len);
	Buffer out;
	uint32_t line = 0;

	(void)state;
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 0, .len = RECORD_NULL};
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 0, .len = 12};
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 6, .len = 5};
	*chunk_add_record(chunk) = (ChunkRecord){.offset = 6, .len = 0};
	buffer_init(&out, TEST_LIMIT);
	decoding_open(&decoding, &setup);
	decode_chunk(&decoding, chunk, 0, &line, &out);
	buffer_append_char(&out, '\0');
	assert_string_equal(out.data,
			    "1@0+0!BAD_RECORD() the record's value is null (a tombstone)\n"
			    "2@0+12!BAD_RECORD() message holds more than one record\n"
			    "3@6+5|d|e|f\n"
			    "4@6+0!BAD_RECORD() record has 1 field, expected 3; "
			    "is 'csv.delimiter' right?\n");
	decoding_close(&decoding);
	buffer_free(&out);
	chunk_destroy(chunk);
}

/* ---- inference ---- */

static void
assert_infers(const char *const *options, const char *data, const char *expected)
{
	Arena arena;
	Error err = {0};
	Schema schema;
	Chunk *chunk = chunk_of(data, strlen(data));
	Str list = {"", 0};

	arena_init(&arena, 0);
	Setting *settings = test_settings(&csv_codec.decode_options, options, &arena);
	if (csv_codec.infer(settings, chunk, &arena, &schema, &err) != FERRIS_OK)
		list = str_from(err.message);
	else
		for (uint32_t i = 0; i < schema.count; i++) {
			Str type = type_text(&arena, schema.fields[i].type);

			list = str_format(&arena, "%.*s%s%.*s %.*s", STR_ARG(list),
					  i > 0 ? ", " : "", STR_ARG(schema.fields[i].name),
					  STR_ARG(type));
		}
	assert_string_equal(list.data, expected);
	arena_free(&arena);
	chunk_destroy(chunk);
}

static void
test_inference(void **state)
{
	static const char *const header[] = {NULL};
	static const char *const none[] = {"csv.header", "false", NULL};

	(void)state;
	assert_infers(header, "id,price,name\n1,1.5,x\n-20,10.25,\n",
		      "id BIGINT, price DECIMAL(18,2), "
		      "name STRING");
	assert_infers(none, "1,0\n0,1\n", "c1 BIGINT, c2 BIGINT");
	assert_infers(none, "true,False\nfalse,1\n", "c1 BOOLEAN, c2 STRING");
	assert_infers(none, "007,1e3,1.5e1\n8,2,0.1\n", "c1 STRING, c2 DOUBLE, c3 DOUBLE");
	assert_infers(none, "2023-11-14,2023-11-14T22:13:20Z,12:00\n",
		      "c1 DATE, c2 TIMESTAMP, c3 STRING");
	assert_infers(none, "2023-11-14\n2023-11-14 10:00:00\n", "c1 TIMESTAMP");
	assert_infers(none, ",\n,1\n", "c1 STRING, c2 BIGINT");
	assert_infers(none, "12345678901234567.89,9223372036854775808\n",
		      "c1 DECIMAL(38,2), c2 DECIMAL(38,0)");
	assert_infers(none, "+1,\" 1\",--1\n", "c1 STRING, c2 STRING, c3 STRING");
	assert_infers(none, "\"a\nb\",\"1\"\nbroken\n\"x\",2\n", "c1 STRING, c2 BIGINT");
	assert_infers(header, "\xEF\xBB\xBF\"a b\",,c\n1,2,3\n", "a b BIGINT, c2 BIGINT, c BIGINT");
	assert_infers(header, "a,a\n1,2\n", "the CSV header has 'a' twice");
	assert_infers(header, "", "the CSV sample holds no record");
}

/* ---- output ---- */

static void
assert_encodes(const char *const *options, const Field *fields, uint32_t count, const Value *values,
	       const char *expected)
{
	Arena arena;
	Error err = {0};
	Encoder *encoder;
	EncodeColumn columns[TEST_COLUMNS_MAX];
	Output output;
	Batch *batch = batch_new(fields, NULL, count);

	arena_init(&arena, 0);
	output_init(&output, TEST_LIMIT, false);
	for (uint32_t i = 0; i < count; i++) {
		columns[i] = (EncodeColumn){fields[i].name, fields[i].type, i};
		value_to_vector(&values[i], &batch->columns[i], 0);
	}
	batch->row_count = 1;
	batch->records[0] = (RecordRange){0};
	batch_select_all(batch);
	EncodeSpec spec = {columns, count,
			   test_settings(&csv_codec.encode_options, options, &arena)};
	if (csv_codec.encoder_open(&spec, &arena, &encoder, &err) != FERRIS_OK)
		fail_msg("%s", err.message);
	assert_int_equal(csv_codec.preamble(encoder, &output.bytes, &err), FERRIS_OK);
	assert_int_equal(csv_codec.encode(encoder, batch, &output, &err), FERRIS_OK);
	assert_int_equal(batch->sel_count, output.count);
	if (batch->error_count > 0)
		buffer_append_str(&output.bytes, batch->errors[0].message);
	buffer_append_char(&output.bytes, '\0');
	assert_string_equal(output.bytes.data, expected);
	output_free(&output);
	batch_destroy(batch);
	arena_free(&arena);
}

static Value
text_value(const char *text)
{
	return (Value){.type = TYPE_OF(STRING), .text = str_from(text)};
}

static void
test_output(void **state)
{
	static const char *const none[] = {NULL};
	static const char *const bare[] = {
		"csv.header", "false", "csv.delimiter", ";", "csv.line.end", "crlf", "csv.null",
		"-",          NULL};
	const Field texts[] = {FIELD("a", TYPE_OF(STRING)), FIELD("b,\"c\"", TYPE_OF(STRING)),
			       FIELD("", TYPE_OF(STRING))};
	const Field numbers[] = {FIELD("d", &decimal_18_4), FIELD("e", TYPE_OF(DOUBLE)),
				 FIELD("t", TYPE_OF(TIMESTAMP)), FIELD("x", TYPE_OF(BYTES))};

	(void)state;
	assert_encodes(none, texts, 3,
		       (Value[]){text_value("x"), text_value(""), value_null(TYPE_OF(STRING))},
		       "a,\"b,\"\"c\"\"\",\"\"\nx,\"\",\n");
	assert_encodes(none, texts, 3,
		       (Value[]){text_value("a,b"), text_value("q\"q"), text_value("l\nl")},
		       "a,\"b,\"\"c\"\"\",\"\"\n\"a,b\",\"q\"\"q\",\"l\nl\"\n");
	assert_encodes(none, texts, 3,
		       (Value[]){text_value(" x"), text_value("x\t"), text_value("x\r")},
		       "a,\"b,\"\"c\"\"\",\"\"\n\" x\",\"x\t\",\"x\r\"\n");
	assert_encodes(bare, texts, 3,
		       (Value[]){text_value("a,b;c"), text_value("-"), value_null(TYPE_OF(STRING))},
		       "\"a,b;c\";\"-\";-\r\n");
	assert_encodes(bare, texts, 2, (Value[]){text_value(""), text_value("\xFF")},
		       "'\\xFF' is not valid UTF-8 at byte 0");
	Value values[] = {{.type = &decimal_18_4, .int64 = -5},
			  {.type = TYPE_OF(DOUBLE), .real = 0.1},
			  {.type = TYPE_OF(TIMESTAMP), .int64 = 1700000000049000},
			  {.type = TYPE_OF(BYTES), .text = STR("\x00\x01\xFF")}};
	assert_encodes(none, numbers, 4, values,
		       "d,e,t,x\n-0.0005,0.1,2023-11-14T22:13:20.049Z,AAH/\n");
	static const char *const dashes[] = {"csv.delimiter", "-", "timestamp.format", "%d-%m,%Y",
					     NULL};
	assert_encodes(dashes, numbers, 4, values,
		       "d-e-t-x\n\"-0.0005\"-0.1-\"14-11,2023\"-AAH/\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grammar),
		cmocka_unit_test(test_malformed_records),
		cmocka_unit_test(test_one_column),
		cmocka_unit_test(test_long_records),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_option_errors),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_timestamp_formats),
		cmocka_unit_test(test_null_and_not_null),
		cmocka_unit_test(test_nan_predicates),
		cmocka_unit_test(test_nested_types),
		cmocka_unit_test(test_nested_round_trip),
		cmocka_unit_test(test_header_order),
		cmocka_unit_test(test_header_errors),
		cmocka_unit_test(test_header_incomplete),
		cmocka_unit_test(test_topic),
		cmocka_unit_test(test_topic_null_and_several),
		cmocka_unit_test(test_inference),
		cmocka_unit_test(test_output),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
