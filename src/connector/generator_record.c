/* connector/generator_record.c -- make the values of a record and print them. */
#include "connector/generator_record.h"

#include "connector/generator_make.h"
#include "type/number.h"

/* clang-format off */
enum {
#define KIND(kind, name, keys, first, share, of, step, doc) KIND_##kind,
#include "connector/generator_list.h"
	KIND_COUNT
};

typedef struct Kind {
	uint32_t keys;
	uint32_t first, share, of; /* its events in each round of a suite */
	uint32_t step_us;
} Kind;

static const Kind kinds[KIND_COUNT] = {
#define KIND(kind, name, keys, first, share, of, step, doc) {keys, first, share, of, step},
#include "connector/generator_list.h"
};
/* clang-format on */

/* clang-format off */
static const GeneratorField fields[] = {
#define FIELD(kind, name, type, precision, scale, make, text, low, count, digits) \
	{KIND_##kind, STR_INIT(name), TYPE_##type, precision, scale, MAKE_##make, text, low, \
	 count, digits},
#include "connector/generator_list.h"
};

typedef struct Station {
	Str name;
	int mean; /* tenths of a degree */
} Station;

static const Station stations[] = {
#define STATION(name, mean) {STR_INIT(name), mean},
#include "connector/generator_list.h"
};
/* clang-format on */
#define STATION_COUNT ((uint32_t)(sizeof stations / sizeof *stations))

struct GeneratorPart {
	const GeneratorField *field;
	Str before;       /* quotes, names and delimiters in front of the value */
	Str text;         /* of KEY and CODE */
	const Str *words; /* of WORD */
	uint32_t count;   /* of different numbers, keys or words */
	uint32_t unit;    /* 10 to the power of the scale */
	int digits;
};

/* A number in at least `digits` digits. */
static char *
put_padded(char *out, uint32_t number, int digits)
{
	uint64_t limit = 1;

	for (int i = 0; i < digits; i++)
		limit *= 10;
	return number < limit ? digits_print(out, number, digits) : uint64_print(out, number);
}

static char *
put_decimal(char *out, int64_t value, const GeneratorPart *part)
{
	uint64_t magnitude = value < 0 ? (uint64_t)-value : (uint64_t)value;

	if (value < 0)
		*out++ = '-';
	if (part->unit == 1)
		return uint64_print(out, magnitude);
	out = uint64_print(out, magnitude / part->unit);
	*out++ = '.';
	return digits_print(out, magnitude % part->unit, part->field->scale);
}

static char *
put_station(Generator *generator, char *out, uint32_t count)
{
	uint32_t number = random_below(generator, count);

	generator->station = number % STATION_COUNT;
	out = put(out, stations[generator->station].name);
	if (number < STATION_COUNT)
		return out;
	*out++ = ' ';
	return uint64_print(out, number / STATION_COUNT + 1);
}

/* The sum of three even distributions is close enough to a bell: 10 degrees of deviation. */
static int64_t
make_temperature(Generator *generator)
{
	int64_t tenths = stations[generator->station].mean;

	for (int i = 0; i < 3; i++)
		tenths += (int64_t)random_below(generator, 201) - 100;
	return tenths < -999 ? -999 : tenths > 999 ? 999 : tenths;
}

static int64_t
make_time(Generator *generator)
{
	const GeneratorSpec *spec = &generator->spec;
	int64_t time_ms = spec->start_ms + (int64_t)((double)generator->event * spec->step_ms);

	if (spec->disorder_ms > 0)
		time_ms +=
			(int64_t)random_below(generator, spec->disorder_ms * 2) - spec->disorder_ms;
	return generator->time_ms = time_ms;
}

static char *
put_value(Generator *generator, const GeneratorPart *part, char *out)
{
	const GeneratorField *field = part->field;
	uint64_t key;

	switch (field->make) {
	case MAKE_SEQUENCE:
		return int64_print(out, field->low + (int64_t)generator->number);
	case MAKE_KEY:
		key = random_below(generator, part->count);
		return put_padded(put(out, part->text), (uint32_t)(key * key / part->count),
				  part->digits);
	case MAKE_CODE:
		return put_padded(put(out, part->text), random_below(generator, part->count),
				  part->digits);
	case MAKE_NUMBER:
		generator->last = field->low + random_below(generator, part->count);
		return put_decimal(out, generator->last, part);
	case MAKE_ABOVE:
		generator->last += field->low + random_below(generator, part->count);
		return put_decimal(out, generator->last, part);
	case MAKE_WORD:
		return put(out, part->words[random_below(generator, part->count)]);
	case MAKE_TIME:
		return int64_print(out, make_time(generator));
	case MAKE_STATION:
		return put_station(generator, out, part->count);
	case MAKE_TEMPERATURE:
		return put_decimal(out, make_temperature(generator), part);
	default:
		break;
	}
	return nexmark_value(generator, field, out);
}

char *
generator_record(Generator *generator, char *out)
{
	for (uint32_t i = 0; i < generator->part_count; i++) {
		const GeneratorPart *part = &generator->parts[i];

		out = put_value(generator, part, put(out, part->before));
	}
	generator->number++;
	generator->event++;
	if (++generator->place == kinds[generator->spec.kind].share) {
		generator->place = 0;
		generator->event +=
			kinds[generator->spec.kind].of - kinds[generator->spec.kind].share;
	}
	return put(out, generator->tail);
}

uint64_t
generator_records(int kind, uint64_t events)
{
	const Kind *of = &kinds[kind];
	uint64_t rest = events % of->of;

	rest = rest < of->first ? 0 : rest - of->first;
	return events / of->of * of->share + (rest < of->share ? rest : of->share);
}

bool
generator_is_suite(int kind)
{
	return kinds[kind].of > 1;
}

/* The words of WORD's text. */
static void
split_words(GeneratorPart *part, const char *text, Arena *arena)
{
	Str *words = ARENA_ARRAY(arena, Str, strlen(text));

	part->count = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, "|");

		words[part->count++] = (Str){text, (uint32_t)len};
		text += len + (text[len] == '|');
	}
	part->words = words;
}

static bool
is_quoted(const GeneratorField *field)
{
	return field->type == TYPE_STRING;
}

/* What stands between the value of `previous` (NULL: none) and that of `field`. */
static Str
text_between(const Generator *generator, const GeneratorField *previous,
	     const GeneratorField *field, Arena *arena)
{
	if (generator->spec.style == GENERATOR_DELIMITED)
		return previous == NULL ? STR("")
					: str_format(arena, "%c", generator->spec.delimiter);
	return str_format(
		arena, "%s%s\"%.*s\":%s", previous != NULL && is_quoted(previous) ? "\"" : "",
		previous != NULL ? "," : "{", STR_ARG(field->name), is_quoted(field) ? "\"" : "");
}

static void
init_part(Generator *generator, GeneratorPart *part, const GeneratorField *field, Arena *arena)
{
	part->field = field;
	part->text = str_from(field->text);
	part->digits = field->digits;
	part->count = field->count;
	part->unit = 1;
	for (int i = 0; i < field->scale; i++)
		part->unit *= 10;
	if (field->make == MAKE_KEY || field->make == MAKE_STATION)
		part->count = generator->keys;
	if (field->make == MAKE_WORD)
		split_words(part, field->text, arena);
}

#define VALUE_MAX 96 /* bytes of the longest value that is not PROSE or FILLER: an address */

static size_t
value_max(const GeneratorField *field)
{
	bool is_long = field->make == MAKE_PROSE || field->make == MAKE_FILLER;

	return VALUE_MAX + (is_long ? (size_t)field->low + field->count : 0);
}

void
generator_init(Generator *generator, const GeneratorSpec *spec, Arena *arena)
{
	const GeneratorField *previous = NULL;
	const Kind *kind = &kinds[spec->kind];

	*generator = (Generator){
		.spec = *spec,
		.random = random_of(spec->seed),
		.event = kind->first,
		.keys = spec->keys > 0 ? spec->keys : kind->keys,
	};
	if (spec->step_ms == 0)
		generator->spec.step_ms = kind->step_us / 1000.0;
	if (generator_is_suite(spec->kind)) {
		/* The streams of a suite have nothing in common but what their ids say. */
		generator->random = random_of(generator->random + (uint64_t)spec->kind);
		nexmark_init(generator, arena);
	}
	generator->parts = ARENA_ARRAY(arena, GeneratorPart, GENERATOR_MAX_FIELDS);
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		if (fields[i].kind != spec->kind)
			continue;
		GeneratorPart *part = &generator->parts[generator->part_count++];
		init_part(generator, part, &fields[i], arena);
		part->before = text_between(generator, previous, &fields[i], arena);
		generator->record_max += part->before.len + value_max(&fields[i]);
		previous = &fields[i];
	}
	generator->tail = STR("\n");
	if (spec->style == GENERATOR_JSON)
		generator->tail = is_quoted(previous) ? STR("\"}\n") : STR("}\n");
	generator->record_max += generator->tail.len;
}

Str
generator_header(const Generator *generator, Arena *arena)
{
	Str header = STR("");

	for (uint32_t i = 0; i < generator->part_count; i++)
		header = str_format(arena, "%.*s%.*s%.*s", STR_ARG(header), i > 0 ? 1 : 0,
				    &generator->spec.delimiter,
				    STR_ARG(generator->parts[i].field->name));
	return str_format(arena, "%.*s\n", STR_ARG(header));
}

void
generator_schema(int kind, Arena *arena, Schema *schema)
{
	*schema = (Schema){ARENA_ARRAY(arena, Field, GENERATOR_MAX_FIELDS), 0};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
		const GeneratorField *from = &fields[i];

		if (from->kind != kind)
			continue;
		schema->fields[schema->count++] = (Field){
			.name = from->name,
			.type = from->type == TYPE_DECIMAL
					? type_decimal(arena, from->precision, from->scale)
					: &type_simple[from->type],
			.not_null = true,
		};
	}
}
