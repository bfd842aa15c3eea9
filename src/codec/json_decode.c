/* codec/json_decode.c -- opening a decoder, and the loops over the records of a chunk. */
#include "codec/json_decode.h"

#include <assert.h>

/* ---- opening ---- */

static bool
is_lane64(const Type *type)
{
	return type_physical(type) == PHYSICAL_INT64;
}

/* Predicates on a 64-bit lane become one range, unless one of them is <>. */
static void
merge_range(JsonColumn *column)
{
	column->low = INT64_MIN;
	column->high = INT64_MAX;
	column->in_range = is_lane64(column->spec->type);
	for (uint32_t i = 0; i < column->predicate_count; i++) {
		int64_t c = column->predicates[i].constant.int64;
		CompareOp op = column->predicates[i].op;
		bool none = (op == COMPARE_LT && c == INT64_MIN) ||
			    (op == COMPARE_GT && c == INT64_MAX);

		if (op == COMPARE_NE || none) {
			column->in_range = false;
			return;
		}
		int64_t low = op == COMPARE_GT                       ? c + 1
			      : op == COMPARE_GE || op == COMPARE_EQ ? c
								     : INT64_MIN;
		int64_t high = op == COMPARE_LT                       ? c - 1
			       : op == COMPARE_LE || op == COMPARE_EQ ? c
								      : INT64_MAX;
		column->low = low > column->low ? low : column->low;
		column->high = high < column->high ? high : column->high;
	}
}

/* = on a STRING becomes one comparison with the raw bytes and the quote behind them. */
static void
prepare_equality(JsonColumn *column)
{
	Str text =
		column->predicate_count == 1 ? column->predicates[0].constant.text : (Str){NULL, 0};

	if (column->spec->type->kind != TYPE_STRING || column->predicate_count != 1 ||
	    column->predicates[0].op != COMPARE_EQ || text.len + 1 > SCAN_PREFIX)
		return;
	column->is_equality = true;
	memcpy(column->equal.bytes, text.data, text.len);
	column->equal.bytes[text.len] = '"';
	column->equal.len = text.len + 1;
	column->equal.mask = scan_prefix_mask(column->equal.len);
}

static Status
open_column(JsonColumn *column, const DecodeSpec *spec, uint32_t index, Arena *arena, Error *err)
{
	const DecodeColumn *wanted = &spec->columns[index];
	DecodePredicate *predicates = ARENA_ARRAY(arena, DecodePredicate, spec->predicate_count);

	for (uint32_t i = 0; i < spec->predicate_count; i++)
		if (spec->predicates[i].column == index)
			predicates[column->predicate_count++] = spec->predicates[i];
	column->spec = wanted;
	column->predicates = predicates;
	column->stored = wanted->target != DECODE_NO_TARGET;
	if (column->predicate_count > 0 && wanted->form != FORM_VALUE)
		return error_set(err, FERRIS_ERR_NOT_SUPPORTED,
				 "a predicate needs column '%.*s' as a value",
				 STR_ARG(wanted->name));
	if (wanted->type->field_count > 0 && (column->predicate_count > 0 || !column->stored))
		return error_set(err, FERRIS_ERR_NOT_SUPPORTED,
				 "column '%.*s' is nested: the JSON decoder cannot compare it",
				 STR_ARG(wanted->name));
	merge_range(column);
	prepare_equality(column);
	column->scratch = (Vector){
		.type = wanted->type,
		.form = wanted->form,
		.capacity = 1,
		.data = &column->scratch_data,
		.valid = &column->scratch_valid,
	};
	column->vector = &column->scratch;
	return FERRIS_OK;
}

/* What the fast path may do with a field that is wanted at most once as VALUE and once as TEXT. */
static void
choose_action(JsonField *field, const TimestampStyle *style)
{
	const Type *type = field->columns[0]->spec->type;

	field->action = JSON_READ_ANY;
	for (uint32_t i = 0; i < field->column_count; i++) {
		JsonColumn *column = field->columns[i];
		JsonColumn **place = column->spec->form == FORM_TEXT ? &field->text : &field->value;

		if (*place != NULL || !type_equal(column->spec->type, type))
			return;
		*place = column;
	}
	if (type_is_integer(type)) {
		field->action = JSON_READ_INTEGER;
		field->max_whole = (uint32_t)type_integer_digits(type->kind) - 1;
	} else if (type->kind == TYPE_DECIMAL && type->precision <= DECIMAL_MAX_PRECISION_64 &&
		   type->scale < type->precision) {
		field->action = JSON_READ_DECIMAL;
		field->scale = type->scale;
		field->max_whole = (uint32_t)(type->precision - type->scale);
	} else if (type->kind == TYPE_STRING) {
		field->action = JSON_READ_STRING;
	} else if (type->kind == TYPE_TIMESTAMP &&
		   (style->kind == TIMESTAMP_ISO8601 || style->kind == TIMESTAMP_EPOCH_MILLIS)) {
		field->action = JSON_READ_MILLIS;
		field->max_whole = 14;
	}
}

/* Wanted columns by key; those with predicates first in each. */
static void
open_fields(JsonDecoder *decoder, Arena *arena)
{
	decoder->fields = ARENA_ARRAY(arena, JsonField, decoder->column_count);
	for (uint32_t i = 0; i < decoder->column_count; i++) {
		Str name = decoder->columns[i].spec->name;
		uint32_t f = 0;

		while (f < decoder->field_count && !str_eq(decoder->fields[f].name, name))
			f++;
		if (f < decoder->field_count)
			continue;
		JsonField *field = &decoder->fields[decoder->field_count++];
		field->name = name;
		field->columns = ARENA_ARRAY(arena, JsonColumn *, decoder->column_count);
		for (int with = 1; with >= 0; with--)
			for (uint32_t c = i; c < decoder->column_count; c++)
				if (str_eq(decoder->columns[c].spec->name, name) &&
				    (decoder->columns[c].predicate_count > 0) == with)
					field->columns[field->column_count++] =
						&decoder->columns[c];
		choose_action(field, &decoder->reader.style);
	}
}

Status
json_decoder_open(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err)
{
	JsonDecoder *decoder = ARENA_NEW(arena, JsonDecoder);
	const Setting *settings = spec->settings;

	decoder->base.class = &json_codec;
	decoder->spec = spec;
	decoder->column_count = spec->column_count;
	decoder->columns = ARENA_ARRAY(arena, JsonColumn, spec->column_count);
	decoder->full = settings[JSON_VALIDATE].integer == JSON_VALIDATE_FULL;
	decoder->values = settings[JSON_FRAMING].integer == JSON_FRAMING_VALUES;
	decoder->null_rows = spec->null_rows;
	decoder->skip_null = spec->skip_null;
	decoder->reader.text.max_depth = (uint32_t)settings[JSON_MAX_DEPTH].integer;
	decoder->patient = decoder->full;
	TRY(timestamp_style_open(&settings[JSON_TIMESTAMP_FORMAT], &decoder->reader.style, err));
	for (uint32_t i = 0; i < spec->column_count; i++)
		TRY(open_column(&decoder->columns[i], spec, i, arena, err));
	open_fields(decoder, arena);
	for (uint32_t i = 0; i <= JSON_MAX_TEMPLATES; i++) {
		JsonTemplate *template = ARENA_NEW(arena, JsonTemplate);

		template->nulls = ARENA_ARRAY(arena, JsonColumn *, spec->column_count);
		*(i < JSON_MAX_TEMPLATES ? &decoder->templates[i] : &decoder->learning) = template;
	}
	bool wide = settings[JSON_SIMD].integer == JSON_SIMD_AUTO && json_fast_has_avx2();
	decoder->fast = wide ? json_fast_avx2 : json_fast_portable;
	decoder->fast_lines = wide ? json_fast_lines_avx2 : json_fast_lines_portable;
	*out = &decoder->base;
	return FERRIS_OK;
}

/* ---- the loops ---- */

static bool
run_full(const JsonRun *run)
{
	/* Later stages may fail a row too, and each needs its place among the errors. */
	return run->row + run->batch->error_count >= BATCH_CAPACITY;
}

static void
add_error(JsonDecoder *decoder, JsonRun *run, RecordRange range)
{
	batch_add_error(run->batch, range, decoder->reader.status, decoder->column, "%s",
			decoder->reader.message);
}

static void
take_outcome(JsonDecoder *decoder, JsonRun *run, RecordRange range, JsonOutcome outcome)
{
	run->batch->records_in++;
	if (outcome == JSON_ROW_KEPT)
		run->batch->records[run->row++] = range;
	else if (outcome == JSON_ROW_FILTERED)
		run->batch->filtered++;
	else
		add_error(decoder, run, range);
}

/* Every byte of the record, before any of it is used. */
static bool
validate(JsonDecoder *decoder, const char *start, const char *end)
{
	JsonText *text = &decoder->reader.text;
	const char *p = json_skip_blanks(start, end);

	json_text_start(text, end);
	decoder->column = (Str){"", 0};
	if (p >= end || *p != '{')
		return true; /* the general path says it better */
	p = json_check_value(text, p, 0, true);
	if (p == NULL)
		return json_fail_text(&decoder->reader);
	p = json_skip_blanks(p, end);
	if (p == end)
		return true;
	text->status = FERRIS_ERR_BAD_RECORD;
	text->fault = "something follows the object";
	text->fault_at = p;
	return json_fail_text(&decoder->reader);
}

/* By the general path. */
static JsonOutcome
read_slowly(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end)
{
	if (decoder->full && !validate(decoder, start, end))
		return JSON_ROW_FAILED;
	return json_record_read(decoder, run, start, end);
}

/* One record whose end is known. */
static void
read_record(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end, uint32_t line)
{
	RecordRange range = {(uint32_t)(start - run->base), (uint32_t)(end - start), line};
	JsonOutcome outcome;

	if (!decoder->fast(decoder, run, start, end, &outcome))
		outcome = read_slowly(decoder, run, start, end);
	take_outcome(decoder, run, range, outcome);
}

/* A line that the fast path was not sure of; a blank one is no record. */
static void
read_line(JsonDecoder *decoder, JsonRun *run, const char *start, const char *end, uint32_t line)
{
	if (end > start && end[-1] == '\r')
		end--;
	if (json_skip_blanks(start, end) == end)
		return;
	RecordRange range = {(uint32_t)(start - run->base), (uint32_t)(end - start), line};
	take_outcome(decoder, run, range, read_slowly(decoder, run, start, end));
}

static void
decode_lines(JsonDecoder *decoder, JsonRun *run, ChunkCursor *cursor)
{
	const char *next = run->base + cursor->next;

	while (next < run->end && !run_full(run)) {
		next = decoder->fast_lines(decoder, run, next, &cursor->line);
		if (next >= run->end || run_full(run))
			break;
		const char *end = memchr(next, '\n', (size_t)(run->end - next));
		if (end == NULL)
			end = run->end;
		read_line(decoder, run, next, end, cursor->line);
		cursor->line++;
		next = end < run->end ? end + 1 : end;
	}
	cursor->next = (size_t)(next - run->base);
}

static uint32_t
count_lines(const char *p, const char *end)
{
	uint32_t count = 0;

	for (; p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL; p++)
		count++;
	return count;
}

static void
decode_values(JsonDecoder *decoder, JsonRun *run, ChunkCursor *cursor)
{
	const char *next = run->base + cursor->next;

	while (!run_full(run)) {
		const char *start = json_values_skip(next, run->end);

		cursor->line += count_lines(next, start);
		next = start;
		if (start >= run->end)
			break;
		next = json_values_next(start, run->end);
		read_record(decoder, run, start, next, cursor->line);
		cursor->line += count_lines(start, next);
	}
	cursor->next = (size_t)(next - run->base);
}

/* A null value has no fields. */
static void
read_null(JsonDecoder *decoder, JsonRun *run, const ChunkRecord *record, uint32_t line)
{
	static const char empty[2 + CHUNK_PADDING] = "{}";

	take_outcome(decoder, run, (RecordRange){record->offset, 0, line},
		     read_slowly(decoder, run, empty, empty + 2));
}

static void
decode_topic(JsonDecoder *decoder, JsonRun *run, ChunkCursor *cursor)
{
	const Chunk *chunk = cursor->chunk;

	for (; cursor->record < chunk->record_count && !run_full(run); cursor->record++) {
		const ChunkRecord *record = &chunk->records[cursor->record];
		const char *start = run->base + record->offset;

		if (record->len == RECORD_NULL && decoder->null_rows) {
			read_null(decoder, run, record, cursor->line);
		} else if (record->len == RECORD_NULL && decoder->skip_null) {
			run->batch->records_in++;
			run->batch->filtered++;
		} else if (record->len == RECORD_NULL) {
			decoder->column = (Str){"", 0};
			json_fail(&decoder->reader, FERRIS_ERR_BAD_RECORD,
				  "the record's value is null (a tombstone)");
			take_outcome(decoder, run, (RecordRange){record->offset, 0, cursor->line},
				     JSON_ROW_FAILED);
		} else {
			read_record(decoder, run, start, start + record->len, cursor->line);
		}
		cursor->line++;
	}
}

Status
json_decode(Decoder *base, ChunkCursor *cursor, Batch *batch, Error *err)
{
	JsonDecoder *decoder = (JsonDecoder *)base;
	const Chunk *chunk = cursor->chunk;
	JsonRun run = {batch, chunk->data, chunk->data + chunk->len, 0};

	(void)err;
	assert(batch->row_count == 0);
	decoder->reader.heap = &batch->heap;
	decoder->reader.text.heap = &batch->heap;
	json_keys_forget(&decoder->reader.text);
	for (uint32_t i = 0; i < decoder->column_count; i++) {
		JsonColumn *column = &decoder->columns[i];

		if (column->stored)
			column->vector = &batch->columns[column->spec->target];
	}
	if (chunk->record_count > 0)
		decode_topic(decoder, &run, cursor);
	else if (decoder->values)
		decode_values(decoder, &run, cursor);
	else
		decode_lines(decoder, &run, cursor);
	batch->row_count = run.row;
	batch_select_all(batch);
	return FERRIS_OK;
}
