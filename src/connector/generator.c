/* connector/generator.c -- a source of made-up records: as many, as fast and as seeded as asked.
 *
 * The pace is that of a schedule: event i is due at start + i / rate.  The reader sleeps until
 * records are due and gives all that are, so the rate is exact over time and nothing spins.  Who
 * falls more than a second behind does not catch up on the rest. */
#include <errno.h>
#include <time.h>

#include "connector/connector.h"
#include "connector/generator_record.h"
#include "type/temporal.h"

extern const ConnectorClass generator_connector;

#define DEFAULT_START "2023-11-14T22:13:20Z"
#define NANOS         1000000000
#define TICK_NANOS    1000000 /* high rates deliver what is due in this time together */

typedef enum GeneratorOption {
	GENERATOR_KIND,
	GENERATOR_ROWS,
	GENERATOR_RATE,
	GENERATOR_SEED,
	GENERATOR_START,
	GENERATOR_DISORDER,
	GENERATOR_KEYS,
	GENERATOR_OPTION_COUNT
} GeneratorOption;

/* "|trades|orders|..." */
static const char kind_choices[] =
#define KIND(kind, name, keys, first, share, of, step, doc) "|" name
#include "connector/generator_list.h"
	;

/* clang-format off */
static const OptionRow source_rows[GENERATOR_OPTION_COUNT] = {
	[GENERATOR_KIND] = {.name = "kind", .type = OPTION_CHOICE, .initial = "trades",
		.choices = kind_choices + 1, .doc = "What the records are about."},
	[GENERATOR_ROWS] = {.name = "rows", .type = OPTION_INTEGER, .initial = "0", .min = 0,
		.max = 9e15, .aliases = "records|max_records",
		.doc = "How many records, with a suite's kind events of the whole suite; 0 never "
		       "ends."},
	[GENERATOR_RATE] = {.name = "rate", .type = OPTION_FLOAT, .initial = "0", .min = 0,
		.max = 1e9, .aliases = "rows_per_second|records_per_second",
		.doc = "Records (or events of the suite) per second; 0 is as fast as they are "
		       "taken."},
	[GENERATOR_SEED] = {.name = "seed", .type = OPTION_INTEGER, .initial = "42", .min = 0,
		.max = 9e15, .doc = "The same seed gives the same records."},
	[GENERATOR_START] = {.name = "start", .type = OPTION_STRING, .initial = DEFAULT_START,
		.doc = "Event time of the first record: a timestamp, epoch milliseconds, or now."},
	[GENERATOR_DISORDER] = {.name = "disorder", .type = OPTION_DURATION, .min = 0,
		.max = 86400e3,
		.doc = "Event times are early or late by less than this; if it is not given, by "
		       "100ms, those of a suite not at all."},
	[GENERATOR_KEYS] = {.name = "keys", .type = OPTION_INTEGER, .initial = "0", .min = 0,
		.max = 4e9,
		.doc = "Number of different symbols, customers, devices, stations or active "
		       "people; 0: as usual."},
};
/* clang-format on */

typedef struct GeneratorReader {
	Reader base;
	const char *object;
	Generator generator;
	uint64_t rows; /* UINT64_MAX: no end */
	double rate;   /* of the suite's events; 0: no pace */
	int64_t began; /* nanoseconds, when event 0 was due; 0: not yet begun */
	uint64_t sequence;
} GeneratorReader;

static int64_t
clock_nanos(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NANOS + now.tv_nsec;
}

static Status
parse_start(const Setting *setting, int64_t *start_ms, Error *err)
{
	int64_t micros;

	if (str_eq_nocase(setting->text, STR("now"))) {
		*start_ms = clock_nanos(CLOCK_REALTIME) / 1000000;
		return FERRIS_OK;
	}
	if (timestamp_parse_millis(setting->text.data, setting->text.len, &micros) == TEMPORAL_OK ||
	    timestamp_parse(setting->text.data, setting->text.len, &micros) == TEMPORAL_OK) {
		*start_ms = timestamp_to_millis(micros);
		return FERRIS_OK;
	}
	error_set(err, FERRIS_ERR_OPTION_VALUE, "option 'start' cannot be '%.*s'",
		  STR_ARG(setting->text));
	error_hint(err, "write a timestamp like " DEFAULT_START ", epoch milliseconds, or now");
	return option_error(setting, err);
}

/* The codec's setting of that name, or NULL. */
static const Setting *
codec_setting(const Framing *framing, const char *name)
{
	const OptionGroup *group = &framing->codec->decode_options;

	for (uint32_t i = 0; i < group->count && framing->settings != NULL; i++)
		if (strcmp(group->rows[i].name, name) == 0)
			return &framing->settings[i];
	return NULL;
}

/* The records take the form of the stream's format. */
static Status
choose_style(const ReaderSpec *spec, GeneratorSpec *out, Error *err)
{
	Str codec = str_from(spec->framing.codec->name);
	Str kind = spec->settings[GENERATOR_KIND].text;
	const Setting *delimiter = codec_setting(&spec->framing, "csv.delimiter");

	out->style = GENERATOR_JSON;
	out->delimiter = ',';
	if (str_eq(codec, STR("json")))
		return FERRIS_OK;
	if (str_eq(codec, STR("raw"))) { /* a line of the challenge's file, or of JSON */
		out->style = str_eq(kind, STR("stations")) ? GENERATOR_DELIMITED : GENERATOR_JSON;
		out->delimiter = ';';
		return FERRIS_OK;
	}
	if (!str_eq(codec, STR("csv"))) {
		error_set(err, FERRIS_ERR_OPTION_VALUE,
			  "the generator '%s' cannot make records of format '%.*s'", spec->object,
			  STR_ARG(codec));
		return error_hint(err, "choose 'format' = 'json', 'csv' or 'raw'");
	}
	out->style = GENERATOR_DELIMITED;
	if (delimiter != NULL && delimiter->present)
		out->delimiter = delimiter->text.data[0];
	if (strchr(",;|\t", out->delimiter) != NULL)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_OPTION_VALUE,
		  "the generator '%s' cannot delimit its fields with '%c'", spec->object,
		  out->delimiter);
	error_hint(err, "choose ',', ';', '|' or a tab");
	return option_error(delimiter, err);
}

static Status
make_generator(const ReaderSpec *spec, Arena *arena, Generator *generator, Error *err)
{
	const Setting *settings = spec->settings;
	double rate = settings[GENERATOR_RATE].real;
	const Setting *disorder = &settings[GENERATOR_DISORDER];
	GeneratorSpec wanted = {
		.kind = (int)settings[GENERATOR_KIND].integer,
		.seed = (uint64_t)settings[GENERATOR_SEED].integer,
		.keys = (uint32_t)settings[GENERATOR_KEYS].integer,
		.step_ms = rate > 0 ? 1000 / rate : 0,
		.disorder_ms = (uint32_t)disorder->integer,
	};

	if (!disorder->present)
		wanted.disorder_ms = generator_is_suite(wanted.kind) ? 0 : 100;
	TRY(choose_style(spec, &wanted, err));
	TRY(parse_start(&settings[GENERATOR_START], &wanted.start_ms, err));
	generator_init(generator, &wanted, arena);
	return FERRIS_OK;
}

static Status
generator_reader_open(const ReaderSpec *spec, Arena *arena, Reader **out, Error *err)
{
	GeneratorReader *reader = ARENA_NEW(arena, GeneratorReader);
	const Framing *framing = &spec->framing;
	size_t skip;

	reader->base.class = &generator_connector;
	reader->object = str_copy(arena, str_from(spec->object)).data;
	reader->rows = UINT64_MAX;
	if (spec->settings[GENERATOR_ROWS].integer > 0)
		reader->rows = generator_records((int)spec->settings[GENERATOR_KIND].integer,
						 (uint64_t)spec->settings[GENERATOR_ROWS].integer);
	reader->rate = spec->settings[GENERATOR_RATE].real;
	TRY(make_generator(spec, arena, &reader->generator, err));
	/* Not in the chunks: it only tells the codec the order of the fields. */
	if (reader->generator.spec.style == GENERATOR_DELIMITED && framing->codec->header != NULL) {
		Str header = generator_header(&reader->generator, arena);
		TRY(framing->codec->header(framing->spec, header.data, header.len, false, &skip,
					   err));
	}
	*out = &reader->base;
	return FERRIS_OK;
}

/* How many records are due now, with a sleep of at most timeout_ms if there are none. */
static uint64_t
wait_until_due(GeneratorReader *reader, int timeout_ms)
{
	const Generator *generator = &reader->generator;
	double period = NANOS / reader->rate;
	int64_t now = clock_nanos(CLOCK_MONOTONIC);

	if (reader->began == 0)
		reader->began = now;
	int64_t deadline = now + (int64_t)timeout_ms * 1000000;
	int64_t next = reader->began + (int64_t)((double)generator->event * period);
	if (now - next > NANOS) { /* too slow a consumer: forgive all but a second */
		reader->began += now - next - NANOS;
		next = now - NANOS;
	}
	if (period < TICK_NANOS)
		next += TICK_NANOS;
	if (now < next) {
		int64_t until = next < deadline ? next : deadline;
		struct timespec at = {until / NANOS, until % NANOS};

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
		now = clock_nanos(CLOCK_MONOTONIC);
	}
	if (now < next)
		return 0; /* the timeout, or a signal */
	uint64_t due = generator_records(generator->spec.kind,
					 (uint64_t)((double)(now - reader->began) / period) + 1);
	return due > generator->number ? due - generator->number : 0;
}

/* Behind which no record may begin. */
static const char *
last_place(const GeneratorReader *reader, const Chunk *chunk)
{
	size_t record = reader->generator.record_max;
	size_t room = reader->base.limit_bytes;

	if (room == 0 || room > chunk->capacity)
		room = chunk->capacity;
	return chunk->data + (room > record ? room - record : 0);
}

static Status
generator_read(Reader *base, Chunk *chunk, int timeout_ms, ReadResult *result, Error *err)
{
	GeneratorReader *reader = (GeneratorReader *)base;
	Generator *generator = &reader->generator;
	uint64_t count = reader->rows - generator->number;

	(void)err;
	*result = READ_END;
	if (count == 0)
		return FERRIS_OK;
	if (reader->rate > 0) {
		uint64_t due = wait_until_due(reader, timeout_ms);
		count = due < count ? due : count;
	}
	*result = READ_IDLE;
	if (count == 0)
		return FERRIS_OK;
	char *out = chunk_reserve(chunk, generator->record_max);
	const char *last = last_place(reader, chunk);
	if (base->limit_rows > 0 && base->limit_rows < count)
		count = base->limit_rows;
	uint64_t wanted = count;
	chunk->position = (int64_t)generator->number;
	for (; count > 0 && out <= last; count--)
		out = generator_record(generator, out);
	chunk->file_records = (uint32_t)(wanted - count);
	chunk->len = (size_t)(out - chunk->data);
	chunk->next_position = (int64_t)generator->number;
	chunk->split = 0;
	chunk->sequence = reader->sequence++;
	chunk_seal(chunk);
	*result = READ_DATA;
	return FERRIS_OK;
}

static const char *
generator_split_name(const Reader *base, uint32_t split)
{
	(void)split;
	return ((const GeneratorReader *)base)->object;
}

static int64_t
generator_lag(Reader *base)
{
	GeneratorReader *reader = (GeneratorReader *)base;

	return reader->rows == UINT64_MAX ? -1 : (int64_t)(reader->rows - reader->generator.number);
}

static void
generator_reader_close(Reader *base)
{
	(void)base; /* it owns nothing */
}

static Status
generator_reader_schema(const ReaderSpec *spec, Arena *arena, Schema *schema, Error *err)
{
	(void)err;
	generator_schema((int)spec->settings[GENERATOR_KIND].integer, arena, schema);
	return FERRIS_OK;
}

static Status
generator_sample(const ReaderSpec *spec, Arena *arena, Chunk *chunk, size_t bytes, Error *err)
{
	const Setting *header_setting = codec_setting(&spec->framing, "csv.header");
	Generator generator;

	TRY(make_generator(spec, arena, &generator, err));
	chunk_reset(chunk);
	if (header_setting != NULL && header_setting->flag) {
		Str header = generator_header(&generator, arena);
		memcpy(chunk_reserve(chunk, header.len), header.data, header.len);
		chunk->len = header.len;
	}
	do {
		char *out = chunk_reserve(chunk, generator.record_max);
		chunk->len = (size_t)(generator_record(&generator, out) - chunk->data);
	} while (chunk->len < bytes);
	chunk_seal(chunk);
	return FERRIS_OK;
}

static bool
is_bounded(const Setting *settings)
{
	return settings[GENERATOR_ROWS].integer > 0;
}

const ConnectorClass generator_connector = {
	.name = "generator",
	.doc = "Made-up records for trying things out.",
	.default_format = "json",
	.source_options = {"generator source", source_rows, GENERATOR_OPTION_COUNT},
	.bounded = is_bounded,
	.reader_open = generator_reader_open,
	.read = generator_read,
	.split_name = generator_split_name,
	.lag = generator_lag,
	.reader_close = generator_reader_close,
	.sample = generator_sample,
	.schema = generator_reader_schema,
};
