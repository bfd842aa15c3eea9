/* codec/csv_decode.c -- records of a chunk to rows of a batch.
 *
 * A round takes up to CSV_ROUND records:
 *   1. find the bounds of the wanted fields of all records (codec/csv_fast.h);
 *   2. decode the columns that predicates read, one by one, each time keeping only the records
 *      that are still wanted;
 *   3. decode the other columns of what is left, straight into the batch.
 * A record that fails anywhere becomes an error and no row.  If one fails in step 3, the records
 * behind it move up, so the step is done again without it: errors are rare.
 *
 * Threads: a decoder belongs to one task. */
#include "codec/csv_column.h"
#include "codec/csv_select.h"

#include <assert.h>

/* In failed[], beside the numbers of columns. */
#define FAILED_RECORD    UINT16_MAX        /* the record is malformed */
#define FAILED_TOMBSTONE (UINT16_MAX - 1u) /* the message is null */

#define NESTING_MAX 100 /* of JSON in a field */

typedef struct CsvPredicate {
	const DecodePredicate *spec;
	CsvColumn *column;
	Vector *scratch; /* the column's values, row = number of the record in the round */
	bool first;      /* the first predicate that reads the column decodes it */
} CsvPredicate;

typedef struct CsvDecoder {
	Decoder base;
	const DecodeSpec *spec;
	CsvFormat format;
	CsvFastScan *fast; /* NULL: every record needs csv_scan_record */
	bool placed;       /* the slots have their places */
	bool messages;     /* of the chunk: its records have bounds */
	JsonReader json;   /* of columns that hold JSON text */
	CsvScan scan;
	CsvField *fields; /* of one record, room for last_place + 1; in the batch's heap */
	CsvColumn *columns;
	uint32_t column_count;
	CsvPredicate *predicates;
	uint32_t predicate_count;
	bool *is_scratch; /* per column: a predicate decodes it */
	uint16_t sel[CSV_ROUND];
	uint16_t identity[CSV_ROUND];
	uint16_t failed[CSV_ROUND];
} CsvDecoder;

/* ---- open ---- */

static Status
open_columns(CsvDecoder *self, Arena *arena, Error *err)
{
	const DecodeSpec *spec = self->spec;
	TimestampStyle timestamps;

	TRY(timestamp_style_open(&spec->settings[CSV_IN_TIMESTAMP_FORMAT], &timestamps, err));
	self->json.style = timestamps;
	self->json.text.max_depth = NESTING_MAX;
	self->columns = ARENA_ARRAY(arena, CsvColumn, spec->column_count);
	self->column_count = spec->column_count;
	self->scan.slots = ARENA_ARRAY(arena, CsvSlot, spec->column_count);
	for (uint32_t i = 0; i < spec->column_count; i++) {
		const DecodeColumn *column = &spec->columns[i];

		csv_column_open(&self->columns[i], column, i, &self->format, &timestamps,
				&self->json);
		if (schema_find(spec->schema, column->name) < 0)
			return error_set(err, FERRIS_ERR_UNKNOWN_COLUMN,
					 "column '%.*s' is not in the declared schema",
					 STR_ARG(column->name));
	}
	return FERRIS_OK;
}

static Vector *
scratch_vector(Arena *arena, const Type *type)
{
	Vector *vector = ARENA_NEW(arena, Vector);

	vector->type = type;
	vector->form = FORM_VALUE;
	vector->capacity = CSV_ROUND;
	vector->data = arena_zero(arena, physical_size(type_physical(type)) * CSV_ROUND);
	vector->valid = arena_zero(arena, BITMAP_WORDS(CSV_ROUND) * sizeof(uint64_t));
	return vector;
}

static void
open_predicates(CsvDecoder *self, Arena *arena)
{
	const DecodeSpec *spec = self->spec;

	self->predicates = ARENA_ARRAY(arena, CsvPredicate, spec->predicate_count);
	self->predicate_count = spec->predicate_count;
	self->is_scratch = ARENA_ARRAY(arena, bool, spec->column_count);
	for (uint32_t i = 0; i < spec->predicate_count; i++) {
		CsvPredicate *predicate = &self->predicates[i];
		uint32_t column = spec->predicates[i].column;

		assert(spec->columns[column].form == FORM_VALUE);
		predicate->spec = &spec->predicates[i];
		predicate->column = &self->columns[column];
		predicate->first = !self->is_scratch[column];
		self->is_scratch[column] = true;
		for (uint32_t j = 0; j < i; j++)
			if (self->predicates[j].column == predicate->column)
				predicate->scratch = self->predicates[j].scratch;
		if (predicate->scratch == NULL)
			predicate->scratch = scratch_vector(arena, spec->columns[column].type);
	}
}

static CsvFastScan *
choose_fast_scan(const CsvFormat *format, const Setting *simd)
{
	if (format->trim || format->null.len > 0)
		return NULL;
	if (simd->integer == 0 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2"))
		return csv_fast_scan_avx2;
	return csv_fast_scan_portable;
}

Status
csv_decoder_open(const DecodeSpec *spec, Arena *arena, Decoder **out, Error *err)
{
	const Setting *settings = spec->settings;
	CsvDecoder *self = ARENA_NEW(arena, CsvDecoder);

	assert(spec->column_count < FAILED_TOMBSTONE);
	TRY(csv_format_check(&settings[CSV_IN_DELIMITER], &settings[CSV_IN_QUOTE], err));
	self->base.class = &csv_codec;
	self->spec = spec;
	self->format = csv_format_from(settings);
	self->fast = choose_fast_scan(&self->format, &settings[CSV_IN_SIMD]);
	TRY(open_columns(self, arena, err));
	open_predicates(self, arena);
	self->scan.delimiter = self->format.delimiter;
	self->scan.quote = self->format.quote;
	self->scan.ranges = arena_alloc(arena, sizeof(RecordRange) * CSV_ROUND);
	for (uint32_t i = 0; i < spec->column_count; i++)
		self->scan.slots[i].fields = arena_alloc(arena, sizeof(CsvField) * CSV_ROUND);
	for (uint32_t i = 0; i < CSV_ROUND; i++)
		self->identity[i] = (uint16_t)i;
	*out = &self->base;
	return FERRIS_OK;
}

/* ---- places: known when the first chunk comes ---- */

static uint32_t
column_place(const DecodeSpec *spec, uint32_t column)
{
	if (spec->order != NULL && spec->order->count > 0)
		return spec->order->places[column];
	return (uint32_t)schema_find(spec->schema, spec->columns[column].name);
}

/* The slot for `place`, inserted in order; columns of one place share it. */
static uint32_t
add_slot(CsvScan *scan, uint32_t place)
{
	uint32_t at = 0;

	while (at < scan->slot_count && scan->slots[at].place < place)
		at++;
	if (at < scan->slot_count && scan->slots[at].place == place)
		return at;
	CsvSlot fresh = scan->slots[scan->slot_count];
	memmove(&scan->slots[at + 1], &scan->slots[at], sizeof fresh * (scan->slot_count - at));
	fresh.place = place;
	scan->slots[at] = fresh;
	scan->slot_count++;
	return at;
}

static void
place_columns(CsvDecoder *self)
{
	const DecodeSpec *spec = self->spec;
	CsvScan *scan = &self->scan;

	scan->field_count = spec->order != NULL && spec->order->count > 0 ? spec->order->count
									  : spec->schema->count;
	for (uint32_t i = 0; i < self->column_count; i++)
		add_slot(scan, column_place(spec, i));
	for (uint32_t i = 0; i < self->column_count; i++)
		self->columns[i].fields = scan->slots[add_slot(scan, column_place(spec, i))].fields;
	scan->last_place = scan->slot_count > 0 ? scan->slots[scan->slot_count - 1].place : 0;
	self->placed = true;
}

/* ---- step 1: bounds ---- */

static void
keep_fields(CsvDecoder *self, const CsvRecord *record, RecordRange range)
{
	CsvScan *scan = &self->scan;
	uint32_t i = scan->count++;

	scan->ranges[i] = range;
	if (record->problem != CSV_FINE || record->field_count != scan->field_count) {
		self->failed[i] = FAILED_RECORD;
		return;
	}
	for (uint32_t s = 0; s < scan->slot_count; s++)
		scan->slots[s].fields[i] = self->fields[scan->slots[s].place];
}

/* The record at scan->next, whatever it is. */
static void
scan_careful(CsvDecoder *self)
{
	CsvScan *scan = &self->scan;
	size_t start = scan->next;
	CsvRecord record;

	csv_scan_record(&self->format, scan->data, start, scan->len, self->fields,
			scan->last_place + 1, &record);
	scan->next = record.next;
	scan->line += record.lines;
	if (record.end == start && scan->field_count > 1)
		return;
	keep_fields(self, &record,
		    (RecordRange){(uint32_t)start, (uint32_t)(record.end - start),
				  scan->line - record.lines});
}

static void
scan_file(CsvDecoder *self)
{
	CsvScan *scan = &self->scan;

	while (scan->count < scan->room && scan->next < scan->len) {
		if (self->fast != NULL)
			self->fast(scan);
		if (scan->count < scan->room && scan->next < scan->len)
			scan_careful(self);
	}
}

/* A topic's record is one CSV record, with or without a line end. */
static void
scan_message(CsvDecoder *self, const ChunkRecord *message)
{
	CsvScan *scan = &self->scan;
	RecordRange range = {message->offset, message->len, scan->line++};
	CsvRecord record;

	if (message->len == RECORD_NULL) {
		range.len = 0;
		self->failed[scan->count] = FAILED_TOMBSTONE;
		scan->ranges[scan->count++] = range;
		return;
	}
	size_t end = (size_t)message->offset + message->len;
	csv_scan_record(&self->format, scan->data, message->offset, end, self->fields,
			scan->last_place + 1, &record);
	keep_fields(self, &record, range);
	if (record.next < end)
		self->failed[scan->count - 1] = FAILED_RECORD;
}

static void
scan_round(CsvDecoder *self, ChunkCursor *cursor, uint32_t room)
{
	const Chunk *chunk = cursor->chunk;
	CsvScan *scan = &self->scan;

	memset(self->failed, 0, sizeof self->failed);
	scan->data = chunk->data;
	scan->len = chunk->len;
	scan->next = cursor->next;
	scan->line = cursor->line;
	scan->count = 0;
	scan->room = room < CSV_ROUND ? room : CSV_ROUND;
	self->messages = chunk->record_count > 0;
	if (!self->messages)
		scan_file(self);
	else
		while (scan->count < scan->room && cursor->record < chunk->record_count)
			scan_message(self, &chunk->records[cursor->record++]);
	cursor->next = scan->next;
	cursor->line = scan->line;
}

/* ---- step 2: predicates ---- */

/* Drop failed records from the selection. */
static void
drop_failed(const CsvDecoder *self, uint16_t *sel, uint32_t *count)
{
	uint32_t kept = 0;

	for (uint32_t k = 0; k < *count; k++) {
		uint16_t r = sel[k];

		sel[kept] = r;
		kept += self->failed[r] == 0;
	}
	*count = kept;
}

/* Decodes what the predicates read and narrows self->sel; returns how many were filtered. */
static uint32_t
apply_predicates(CsvDecoder *self, CsvRows *rows)
{
	uint32_t filtered = 0;

	for (uint32_t i = 0; i < self->predicate_count && rows->count > 0; i++) {
		const CsvPredicate *predicate = &self->predicates[i];
		uint32_t failed = rows->failed_count;

		if (predicate->first) {
			vector_reset(predicate->scratch);
			rows->rows = self->sel;
			rows->base = 0;
			predicate->column->kernel(predicate->column, rows, predicate->scratch);
			if (rows->failed_count != failed)
				drop_failed(self, self->sel, &rows->count);
		}
		uint32_t kept =
			csv_select(predicate->spec, predicate->scratch, self->sel, rows->count);
		filtered += rows->count - kept;
		rows->count = kept;
	}
	return filtered;
}

/* ---- step 3: the other columns ---- */

static void
make_valid(Vector *vector, uint32_t base, uint32_t count)
{
	for (uint32_t row = base; vector->has_null && row < base + count; row++)
		bitmap_set(vector->valid, row);
}

/* Copy a predicate's column from the scratch vector. */
static void
gather(const Vector *from, const CsvRows *rows, Vector *to)
{
	size_t size = physical_size(type_physical(from->type));
	const char *source = from->data;
	char *target = (char *)to->data + size * rows->base;

	if (size == 8)
		for (uint32_t k = 0; k < rows->count; k++)
			((uint64_t *)to->data)[rows->base + k] =
				((uint64_t *)from->data)[rows->sel[k]];
	else
		for (uint32_t k = 0; k < rows->count; k++)
			memcpy(target + size * k, source + size * rows->sel[k], size);
	/* No NULL can have passed the predicate. */
	make_valid(to, rows->base, rows->count);
}

/* Decodes into the batch; false if a record failed, and the others must be decoded again. */
static bool
decode_columns(CsvDecoder *self, CsvRows *rows, Batch *batch)
{
	for (uint32_t i = 0; i < self->column_count; i++) {
		const CsvColumn *column = &self->columns[i];
		uint32_t failed = rows->failed_count;

		if (self->is_scratch[i] || column->spec->target == DECODE_NO_TARGET)
			continue;
		Vector *out = &batch->columns[column->spec->target];
		make_valid(out, rows->base, rows->count);
		column->kernel(column, rows, out);
		if (rows->failed_count != failed)
			return false;
	}
	return true;
}

static void
gather_columns(CsvDecoder *self, const CsvRows *rows, Batch *batch)
{
	for (uint32_t i = 0; i < self->predicate_count; i++) {
		const CsvPredicate *predicate = &self->predicates[i];
		uint32_t target = predicate->column->spec->target;

		if (predicate->first && target != DECODE_NO_TARGET)
			gather(predicate->scratch, rows, &batch->columns[target]);
	}
}

/* ---- errors ---- */

static void
add_count_error(const CsvDecoder *self, Batch *batch, RecordRange range, uint32_t found)
{
	uint32_t wanted = self->scan.field_count;

	batch_add_error(batch, range, FERRIS_ERR_BAD_RECORD, STR(""),
			"record has %u field%s, expected %u%s", found, found == 1 ? "" : "s",
			wanted, found == 1 ? "; is 'csv.delimiter' right?" : "");
}

static void
add_record_error(CsvDecoder *self, Batch *batch, RecordRange range)
{
	static const char *const problems[] = {
		[CSV_STRAY_QUOTE] = "has a quote but does not begin with one",
		[CSV_TEXT_BEHIND] = "has text behind its closing quote",
		[CSV_UNCLOSED] = "has no closing quote",
		[CSV_TOO_LONG] = "is longer than 1 GiB",
	};
	size_t end = self->messages ? (size_t)range.offset + range.len : self->scan.len;
	CsvRecord record;

	csv_scan_record(&self->format, self->scan.data, range.offset, end, NULL, 0, &record);
	if (record.problem != CSV_FINE) {
		batch_add_error(batch, range, FERRIS_ERR_BAD_RECORD, STR(""), "field %u %s",
				record.problem_field + 1, problems[record.problem]);
	} else if (self->messages && record.next < end) {
		batch_add_error(batch, range, FERRIS_ERR_BAD_RECORD, STR(""),
				"message holds more than one record");
	} else {
		add_count_error(self, batch, range, record.field_count);
	}
}

static void
add_nested_error(CsvDecoder *self, Batch *batch, RecordRange range, const DecodeColumn *spec,
		 Str text)
{
	Vector scratch;

	vector_init(&scratch, spec->type, spec->form, 1);
	bool valid = csv_read_nested(&self->json, text, spec->not_null, &scratch, 0);
	vector_free(&scratch);
	assert(!valid);
	(void)valid;
	batch_add_error(batch, range, self->json.status, spec->name, "%s", self->json.message);
}

static void
add_value_error(CsvDecoder *self, Batch *batch, RecordRange range, uint32_t r)
{
	const CsvColumn *column = &self->columns[self->failed[r] - 1];
	const DecodeColumn *spec = column->spec;
	CsvField field = column->fields[r];
	Value value;

	if (csv_field_is_null(field)) {
		batch_add_error(batch, range, FERRIS_ERR_NOT_NULL, spec->name,
				"NULL in a column that is declared NOT NULL");
		return;
	}
	Str text = csv_field_text(&self->format, self->scan.data, field, &batch->heap);
	if (column->json != NULL) {
		add_nested_error(self, batch, range, spec, text);
		return;
	}
	Status status = text_parse(spec->type, &column->timestamps, text, &batch->heap, &value);
	assert(status != FERRIS_OK);
	Str message = text_error_message(&batch->heap, status, spec->type, text);
	batch_add_error(batch, range, status, spec->name, "%.*s", STR_ARG(message));
}

static void
add_errors(CsvDecoder *self, Batch *batch)
{
	for (uint32_t r = 0; r < self->scan.count; r++) {
		if (self->failed[r] == FAILED_RECORD)
			add_record_error(self, batch, self->scan.ranges[r]);
		else if (self->failed[r] == FAILED_TOMBSTONE && self->spec->skip_null)
			batch->filtered++;
		else if (self->failed[r] == FAILED_TOMBSTONE)
			batch_add_error(batch, self->scan.ranges[r], FERRIS_ERR_BAD_RECORD, STR(""),
					"the record's value is null (a tombstone)");
		else if (self->failed[r] != 0)
			add_value_error(self, batch, self->scan.ranges[r], r);
	}
}

/* ---- the round ---- */

static void
decode_round(CsvDecoder *self, Batch *batch)
{
	CsvScan *scan = &self->scan;
	CsvRows rows = {
		.format = &self->format,
		.data = scan->data,
		.heap = &batch->heap,
		.sel = self->sel,
		.failed = self->failed,
		.count = scan->count,
	};

	memcpy(self->sel, self->identity, sizeof(uint16_t) * scan->count);
	drop_failed(self, self->sel, &rows.count);
	rows.failed_count = scan->count - rows.count;
	batch->records_in += scan->count;
	batch->filtered += apply_predicates(self, &rows);
	rows.rows = self->identity;
	rows.base = batch->row_count;
	while (!decode_columns(self, &rows, batch))
		drop_failed(self, self->sel, &rows.count);
	gather_columns(self, &rows, batch);
	for (uint32_t k = 0; k < rows.count; k++)
		batch->records[rows.base + k] = scan->ranges[self->sel[k]];
	batch->row_count += rows.count;
	if (rows.failed_count > 0)
		add_errors(self, batch);
}

static bool
has_more(const ChunkCursor *cursor)
{
	const Chunk *chunk = cursor->chunk;

	return chunk->record_count > 0 ? cursor->record < chunk->record_count
				       : cursor->next < chunk->len;
}

Status
csv_decode(Decoder *decoder, ChunkCursor *cursor, Batch *batch, Error *err)
{
	CsvDecoder *self = (CsvDecoder *)decoder;

	if (cursor->chunk->len > UINT32_MAX)
		return error_set(err, FERRIS_ERR_RECORD_TOO_LARGE, "a record is larger than 4 GiB");
	if (!self->placed)
		place_columns(self);
	self->json.heap = self->json.text.heap = &batch->heap;
	json_keys_forget(&self->json.text);
	size_t fields = self->scan.last_place + 1;
	self->scan.ends = arena_alloc(&batch->heap, sizeof(uint32_t) * fields);
	self->fields = arena_alloc(&batch->heap, sizeof(CsvField) * fields);
	/* Each record gives at most one row or one error, here or further on. */
	while (has_more(cursor) && batch->row_count + batch->error_count < BATCH_CAPACITY) {
		scan_round(self, cursor, BATCH_CAPACITY - batch->row_count - batch->error_count);
		decode_round(self, batch);
	}
	batch_select_all(batch);
	return FERRIS_OK;
}
