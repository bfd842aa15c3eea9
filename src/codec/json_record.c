/* codec/json_record.c -- the general path: one record, key by key, and the template it teaches. */
#include "codec/json_decode.h"

#include <assert.h>

/* ---- predicates ---- */

static int
view_compare(StringView view, Str text)
{
	uint32_t len = view.len < text.len ? view.len : text.len;
	int order = len > 0 ? memcmp(view.data, text.data, len) : 0;

	return order != 0 ? order : (view.len > text.len) - (view.len < text.len);
}

#define ORDER(a, b) (((a) > (b)) - ((a) < (b)))

static int
value_compare(const Vector *vector, uint32_t row, const Value *constant)
{
	switch (type_physical(vector->type)) {
	case PHYSICAL_BOOL:
		return ORDER(VECTOR_DATA(vector, uint8_t)[row], (uint8_t)constant->boolean);
	case PHYSICAL_INT64:
		return ORDER(VECTOR_DATA(vector, int64_t)[row], constant->int64);
	case PHYSICAL_INT128:
		return ORDER(VECTOR_DATA(vector, Int128)[row], constant->int128);
	case PHYSICAL_DOUBLE:
		return ORDER(VECTOR_DATA(vector, double)[row], constant->real);
	case PHYSICAL_VIEW:
		return view_compare(VECTOR_DATA(vector, StringView)[row], constant->text);
	case PHYSICAL_INTERVAL:
		return interval_compare(VECTOR_DATA(vector, Interval)[row], constant->interval);
	default:
		assert(vector->type->field_count == 0); /* decoder_open refuses these */
		return 0;
	}
}

bool
json_column_passes(const JsonColumn *column, uint32_t row)
{
	if (column->predicate_count > 0 && vector_is_null(column->vector, row))
		return false;
	for (uint32_t i = 0; i < column->predicate_count; i++) {
		const DecodePredicate *predicate = &column->predicates[i];

		if (!compare_holds(predicate->op,
				   value_compare(column->vector, row, &predicate->constant)))
			return false;
	}
	return true;
}

/* ---- one value ---- */

const char *
json_field_read(JsonDecoder *decoder, JsonRun *run, const JsonField *field, const char *p,
		bool *passes)
{
	const char *next = NULL;

	*passes = true;
	for (uint32_t i = 0; i < field->column_count; i++) {
		JsonColumn *column = field->columns[i];
		uint32_t row = column->stored ? run->row : 0;

		if (column->spec->form == FORM_TEXT)
			next = json_read_text(&decoder->reader, p, 1, column->vector, row);
		else
			next = json_read_value(&decoder->reader, p, 1, column->vector, row);
		decoder->column = column->spec->name;
		if (next == NULL)
			return NULL;
		if (column->spec->not_null && vector_is_null(column->vector, row)) {
			json_fail(&decoder->reader, FERRIS_ERR_NOT_NULL,
				  "null in a column that is NOT NULL");
			return NULL;
		}
		if (!json_column_passes(column, row)) {
			*passes = false;
			return next;
		}
	}
	return next;
}

/* ---- learning ---- */

static void
learn_step(JsonDecoder *decoder, const char *from, const char *value, const JsonField *field)
{
	JsonTemplate *template = decoder->learning;
	size_t len = (size_t)(value - from);

	if (!decoder->can_learn)
		return;
	if (len > SCAN_PREFIX || template->count == JSON_MAX_STEPS) {
		decoder->can_learn = false;
		return;
	}
	JsonStep *step = &template->steps[template->count++];
	memset(&step->prefix, 0, sizeof step->prefix);
	memcpy(step->prefix.bytes, from, len);
	step->prefix.len = (uint32_t)len;
	step->prefix.mask = scan_prefix_mask(step->prefix.len);
	step->field = field;
	step->action = field != NULL ? field->action : JSON_READ_SKIP;
	template->simple &= step->action != JSON_READ_ANY;
}

static bool
same_template(const JsonTemplate *a, const JsonTemplate *b)
{
	if (a->count != b->count || a->closed != b->closed)
		return false;
	for (uint32_t i = 0; i < a->count; i++)
		if (a->steps[i].prefix.len != b->steps[i].prefix.len ||
		    memcmp(a->steps[i].prefix.bytes, b->steps[i].prefix.bytes, SCAN_PREFIX) != 0)
			return false;
	return true;
}

/* Further records are expected to look like this one; the shape used longest ago is forgotten. */
static void
learn_done(JsonDecoder *decoder, bool closed)
{
	JsonTemplate *learned = decoder->learning;
	uint32_t place = 0;

	if (!decoder->can_learn || learned->count == 0)
		return;
	learned->closed = closed;
	while (place < decoder->template_count &&
	       !same_template(decoder->templates[place], learned))
		place++;
	if (place == decoder->template_count && place < JSON_MAX_TEMPLATES)
		decoder->template_count++;
	else if (place == JSON_MAX_TEMPLATES)
		place--;
	decoder->learning = decoder->templates[place];
	memmove(&decoder->templates[1], &decoder->templates[0], place * sizeof learned);
	decoder->templates[0] = learned;
}

/* ---- one record ---- */

typedef struct Walk {
	JsonDecoder *decoder;
	JsonRun *run;
	const char *end;
	const char *from;    /* end of the last value, for the template */
	uint32_t next_field; /* most likely the next one */
	uint32_t missing;    /* wanted fields not seen yet */
	bool filtered;       /* a predicate was false: only walking on to learn */
} Walk;

/* The walk cannot go on.  A record that is filtered anyway is not looked at further. */
static JsonOutcome
walk_fault(Walk *walk, const char *at, const char *what)
{
	JsonText *text = &walk->decoder->reader.text;

	if (walk->filtered)
		return JSON_ROW_FILTERED;
	if (at != NULL) {
		text->status = FERRIS_ERR_BAD_RECORD;
		text->fault = what;
		text->fault_at = at;
	}
	walk->decoder->column = (Str){"", 0};
	json_fail_text(&walk->decoder->reader);
	return JSON_ROW_FAILED;
}

bool
json_frame_closed(const char *start, const char *end)
{
	while (end > start && json_is_blank(end[-1]))
		end--;
	return end > start && end[-1] == '}';
}

static JsonField *
find_field(Walk *walk, Str key)
{
	JsonDecoder *decoder = walk->decoder;

	for (uint32_t i = 0; i < decoder->field_count; i++) {
		uint32_t index = walk->next_field + i;

		if (index >= decoder->field_count)
			index -= decoder->field_count;
		JsonField *field = &decoder->fields[index];
		if (str_eq(field->name, key)) {
			walk->next_field = index + 1 < decoder->field_count ? index + 1 : 0;
			return field;
		}
	}
	return NULL;
}

/* The key at p; *value is set to the place of its value.  NULL: the walk is over, see *outcome. */
static bool
walk_key(Walk *walk, const char *p, Str *key, const char **value, JsonOutcome *outcome)
{
	JsonText *text = &walk->decoder->reader.text;
	const char *close = p < walk->end && *p == '"' ? json_skip_string(p + 1, walk->end) : NULL;

	if (close == NULL) {
		*outcome = walk_fault(walk, p, "expected a key in quotes");
		return false;
	}
	*key = (Str){p + 1, (uint32_t)(close - p) - 2};
	if (memchr(key->data, '\\', key->len) != NULL) {
		JsonString string;

		if (json_check_string(text, p, &string) == NULL) {
			*outcome = walk_fault(walk, NULL, NULL);
			return false;
		}
		*key = json_string_text(walk->decoder->reader.heap, &string);
	}
	p = json_skip_blanks(close, walk->end);
	if (p >= walk->end || *p != ':') {
		*outcome = walk_fault(walk, p, "expected ':' after a key");
		return false;
	}
	*value = json_skip_blanks(p + 1, walk->end);
	return true;
}

/* Columns whose key is not in the record are NULL. */
static JsonOutcome
walk_missing(Walk *walk)
{
	JsonDecoder *decoder = walk->decoder;

	for (uint32_t f = 0; f < decoder->field_count; f++) {
		const JsonField *field = &decoder->fields[f];

		if (field->seen == decoder->record)
			continue;
		for (uint32_t i = 0; i < field->column_count; i++) {
			JsonColumn *column = field->columns[i];

			if (column->spec->not_null) {
				decoder->column = column->spec->name;
				json_fail(&decoder->reader, FERRIS_ERR_NOT_NULL,
					  "missing from the record, but the column is NOT NULL");
				return JSON_ROW_FAILED;
			}
			if (column->predicate_count > 0)
				return JSON_ROW_FILTERED;
			if (column->stored) {
				JsonTemplate *template = decoder->learning;

				json_set_null(column->vector, walk->run->row);
				template->nulls[template->null_count++] = column;
			}
		}
	}
	learn_done(decoder, true);
	return JSON_ROW_KEPT;
}

/* The value of a key: into its columns, or skipped. */
static const char *
walk_value(Walk *walk, JsonField *field, const char *p, JsonOutcome *outcome)
{
	JsonDecoder *decoder = walk->decoder;
	bool passes = true;

	if (field == NULL || field->seen == decoder->record) {
		learn_step(decoder, walk->from, p, NULL);
		p = json_skip_value(&decoder->reader.text, p);
		if (p == NULL)
			*outcome = walk_fault(walk, NULL, NULL);
		return p;
	}
	learn_step(decoder, walk->from, p, field);
	field->seen = decoder->record;
	walk->missing--;
	if (walk->filtered) {
		p = json_skip_value(&decoder->reader.text, p);
		if (p == NULL)
			*outcome = JSON_ROW_FILTERED;
		return p;
	}
	p = json_field_read(decoder, walk->run, field, p, &passes);
	walk->filtered = !passes;
	if (p == NULL)
		*outcome = JSON_ROW_FAILED;
	return p;
}

JsonOutcome
json_record_read(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end)
{
	Walk walk = {decoder, run, end, start, 0, decoder->field_count, false};
	const char *p = json_skip_blanks(start, end);
	JsonOutcome outcome = JSON_ROW_FAILED;
	JsonField *field;
	Str key;

	json_text_start(&decoder->reader.text, end);
	decoder->record++;
	decoder->learning->count = 0;
	decoder->learning->simple = true;
	decoder->learning->null_count = 0;
	decoder->can_learn = true;
	if (p >= end || *p != '{')
		return walk_fault(&walk, p, "a record must be a JSON object");
	if (!json_frame_closed(start, end))
		return walk_fault(&walk, end, "a record must end with '}'");
	if (decoder->field_count == 0 && !decoder->full)
		return JSON_ROW_KEPT;
	p = json_skip_blanks(p + 1, end);
	bool closed = p < end && *p == '}';
	if (closed)
		p = json_skip_blanks(p + 1, end);
	while (!closed) {
		if (!walk_key(&walk, p, &key, &p, &outcome))
			return outcome;
		field = find_field(&walk, key);
		p = walk_value(&walk, field, p, &outcome);
		if (p == NULL)
			return outcome;
		walk.from = p;
		p = json_skip_blanks(p, end);
		if (p >= end || (*p != ',' && *p != '}'))
			return walk_fault(&walk, p, "expected ',' or '}' after a value");
		closed = *p == '}';
		if (walk.missing == 0 && !decoder->full) {
			learn_done(decoder, false);
			return walk.filtered ? JSON_ROW_FILTERED : JSON_ROW_KEPT;
		}
		if (walk.filtered && !decoder->can_learn)
			return JSON_ROW_FILTERED;
		p = json_skip_blanks(p + 1, end);
	}
	if (p < end)
		return walk_fault(&walk, p, "something follows the object");
	if (walk.filtered) {
		if (walk.missing == 0)
			learn_done(decoder, true);
		return JSON_ROW_FILTERED;
	}
	return walk_missing(&walk);
}
