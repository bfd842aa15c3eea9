/* codec/json_infer.c -- a schema from a sample of records.
 *
 * Each value widens what is known of its key.  A number with a fraction is a DECIMAL, never a
 * DOUBLE: only an exponent says that the writer had floating point in mind. */
#include "codec/json_decode.h"

#define DECIMAL_ROOM 18 /* digits of an inferred DECIMAL, as long as they suffice */

/* What has been seen of a key, an element or a field. */
enum {
	SEEN_BOOLEAN = 1,
	SEEN_INTEGER = 2,
	SEEN_FRACTION = 4,
	SEEN_EXPONENT = 8,
	SEEN_TIMESTAMP = 16,
	SEEN_STRING = 32,
	SEEN_ARRAY = 64,
	SEEN_OBJECT = 128,
	SEEN_NUMBERS = SEEN_INTEGER | SEEN_FRACTION | SEEN_EXPONENT,
	SEEN_TEXTS = SEEN_TIMESTAMP | SEEN_STRING,
};

typedef struct Seen Seen;
struct Seen {
	Str name;          /* of a field */
	unsigned kinds;    /* SEEN_* */
	uint32_t whole;    /* most digits before the point */
	uint32_t fraction; /* most digits behind it */
	bool beyond_bigint;
	Seen *element; /* of arrays */
	Seen *fields;  /* of objects: first, in order of appearance */
	Seen *last_field;
	Seen *next;
	uint32_t field_count;
};

typedef struct Sampler {
	JsonText text;
	Arena *arena;
} Sampler;

static Seen *
field_of(Sampler *sampler, Seen *object, Str name)
{
	for (Seen *field = object->fields; field != NULL; field = field->next)
		if (str_eq(field->name, name))
			return field;
	Seen *field = ARENA_NEW(sampler->arena, Seen);
	field->name = str_copy(sampler->arena, name);
	if (object->fields == NULL)
		object->fields = field;
	else
		object->last_field->next = field;
	object->last_field = field;
	object->field_count++;
	return field;
}

static void
see_number(Seen *seen, const char *start, const char *end, const NumberScan *scan)
{
	int64_t value;

	if (scan->kind == NUMBER_EXPONENT) {
		seen->kinds |= SEEN_EXPONENT;
		return;
	}
	seen->kinds |= scan->kind == NUMBER_INTEGER ? SEEN_INTEGER : SEEN_FRACTION;
	if (scan->integer_digits > seen->whole)
		seen->whole = scan->integer_digits;
	if (scan->fraction_digits > seen->fraction)
		seen->fraction = scan->fraction_digits;
	if (scan->kind == NUMBER_INTEGER &&
	    int64_parse(start, (size_t)(end - start), &value) != NUMBER_OK)
		seen->beyond_bigint = true;
}

static void
see_string(Sampler *sampler, Seen *seen, const JsonString *string)
{
	Str text = json_string_text(sampler->arena, string);
	int64_t micros;
	bool timestamp = text.len > 10 /* not a mere date */ &&
			 timestamp_parse(text.data, text.len, &micros) == TEMPORAL_OK;

	seen->kinds |= timestamp ? SEEN_TIMESTAMP : SEEN_STRING;
}

/* The text was checked before: nothing below can fail. */
static const char *see_value(Sampler *sampler, Seen *seen, const char *p);

static const char *
see_array(Sampler *sampler, Seen *seen, const char *p)
{
	const char *end = sampler->text.end;

	seen->kinds |= SEEN_ARRAY;
	if (seen->element == NULL)
		seen->element = ARENA_NEW(sampler->arena, Seen);
	p = json_skip_blanks(p + 1, end);
	while (*p != ']') {
		p = json_skip_blanks(see_value(sampler, seen->element, p), end);
		if (*p == ',')
			p = json_skip_blanks(p + 1, end);
	}
	return p + 1;
}

static const char *
see_object(Sampler *sampler, Seen *seen, const char *p)
{
	const char *end = sampler->text.end;

	seen->kinds |= SEEN_OBJECT;
	p = json_skip_blanks(p + 1, end);
	while (*p != '}') {
		JsonString key;

		p = json_skip_blanks(json_check_string(&sampler->text, p, &key), end);
		Seen *field = field_of(sampler, seen, json_string_text(sampler->arena, &key));
		p = json_skip_blanks(see_value(sampler, field, json_skip_blanks(p + 1, end)), end);
		if (*p == ',')
			p = json_skip_blanks(p + 1, end);
	}
	return p + 1;
}

static const char *
see_value(Sampler *sampler, Seen *seen, const char *p)
{
	JsonString string;
	NumberScan scan;
	const char *end;

	switch (*p) {
	case '{':
		return see_object(sampler, seen, p);
	case '[':
		return see_array(sampler, seen, p);
	case '"':
		end = json_check_string(&sampler->text, p, &string);
		see_string(sampler, seen, &string);
		return end;
	case 't':
	case 'f':
		seen->kinds |= SEEN_BOOLEAN;
		return json_check_word(&sampler->text, p);
	case 'n':
		return json_check_word(&sampler->text, p);
	default:
		end = json_check_number(&sampler->text, p, &scan);
		see_number(seen, p, end, &scan);
		return end;
	}
}

/* ---- types ---- */

static const Type *
number_type(const Seen *seen, Arena *arena)
{
	uint32_t scale = seen->fraction;

	if (seen->kinds & SEEN_EXPONENT)
		return TYPE_OF(DOUBLE);
	if (seen->whole + scale > DECIMAL_MAX_PRECISION)
		return TYPE_OF(STRING); /* keeps every digit */
	if (!(seen->kinds & SEEN_FRACTION))
		return seen->beyond_bigint ? type_decimal(arena, DECIMAL_MAX_PRECISION, 0)
					   : TYPE_OF(BIGINT);
	if (seen->whole + scale <= DECIMAL_ROOM)
		return type_decimal(arena, DECIMAL_ROOM, (int)scale);
	return type_decimal(arena, DECIMAL_MAX_PRECISION, (int)scale);
}

static const Type *
seen_type(const Seen *seen, Arena *arena)
{
	unsigned kinds = seen->kinds;

	if (kinds == 0 || kinds == SEEN_STRING || kinds == SEEN_TEXTS)
		return TYPE_OF(STRING);
	if (kinds == SEEN_BOOLEAN)
		return TYPE_OF(BOOLEAN);
	if (kinds == SEEN_TIMESTAMP)
		return TYPE_OF(TIMESTAMP);
	if ((kinds & ~(unsigned)SEEN_NUMBERS) == 0)
		return number_type(seen, arena);
	if (kinds == SEEN_ARRAY)
		return type_array(arena, seen_type(seen->element, arena));
	if (kinds == SEEN_OBJECT && seen->field_count > 0) {
		Field *fields = ARENA_ARRAY(arena, Field, seen->field_count);
		uint32_t count = 0;

		for (const Seen *field = seen->fields; field != NULL; field = field->next)
			fields[count++] = (Field){field->name, seen_type(field, arena), false};
		return type_struct(arena, fields, count);
	}
	/* Mixed: text takes any scalar as it is; what is nested stays JSON. */
	return kinds & (SEEN_ARRAY | SEEN_OBJECT) ? TYPE_OF(JSON) : TYPE_OF(STRING);
}

/* ---- the sample ---- */

/* A record that is not well-formed teaches nothing; a sample may end in the middle of one. */
static void
see_record(Sampler *sampler, Seen *root, const char *start, const char *end)
{
	const char *p = json_skip_blanks(start, end);

	json_text_start(&sampler->text, end);
	if (p == end || *p != '{')
		return;
	const char *close = json_check_value(&sampler->text, p, 0, false);
	if (close != NULL && json_skip_blanks(close, end) == end)
		see_object(sampler, root, p);
}

static void
see_file(Sampler *sampler, Seen *root, const Chunk *sample, bool values)
{
	const char *p = sample->data;
	const char *end = p + sample->len;

	if (sample->len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0)
		p += 3;
	while (p < end) {
		const char *next;

		if (values) {
			p = json_values_skip(p, end);
			next = p < end ? json_values_next(p, end) : end;
		} else {
			next = memchr(p, '\n', (size_t)(end - p));
			next = next != NULL ? next + 1 : end;
		}
		see_record(sampler, root, p, next);
		p = next;
	}
}

Status
json_infer(const Setting *settings, const Chunk *sample, Arena *arena, Schema *schema, Error *err)
{
	Sampler sampler = {.arena = arena};
	Seen root = {.kinds = 0};

	sampler.text.heap = arena;
	sampler.text.max_depth = (uint32_t)settings[JSON_MAX_DEPTH].integer;
	for (uint32_t i = 0; i < sample->record_count; i++) {
		const char *start = sample->data + sample->records[i].offset;

		if (sample->records[i].len != RECORD_NULL)
			see_record(&sampler, &root, start, start + sample->records[i].len);
	}
	if (sample->record_count == 0)
		see_file(&sampler, &root, sample,
			 settings[JSON_FRAMING].integer == JSON_FRAMING_VALUES);
	if (root.field_count == 0) {
		error_set(
			err, FERRIS_ERR_NO_SCHEMA,
			"no schema could be inferred: the sample holds no JSON object with a key");
		return error_hint(err,
				  "declare the columns, or set 'json.framing' = 'values' if the "
				  "records are not one a line");
	}
	schema->fields = ARENA_ARRAY(arena, Field, root.field_count);
	schema->count = 0;
	for (const Seen *field = root.fields; field != NULL; field = field->next)
		schema->fields[schema->count++] =
			(Field){field->name, seen_type(field, arena), false};
	return FERRIS_OK;
}
