/* exec/sink_changes.c -- changelog modes of sinks. */
#include "exec/sink_changes.h"

#include "func/compare.h"

#define BEFORE 0
#define AFTER  1
#define OP     2

/* ---------------------------------------------------------------- opening */

static void
plain_columns(const Schema *schema, EncodeColumn *columns)
{
	for (uint32_t i = 0; i < schema->count; i++)
		columns[i] = (EncodeColumn){
			.name = schema->fields[i].name,
			.type = schema->fields[i].type,
			.source = i,
		};
}

static void
open_retract(SinkChanges *self, const Schema *schema, Arena *arena, EncodeColumn *columns)
{
	columns[0] = (EncodeColumn){
		.name = STR("_op"), .type = TYPE_OF(STRING), .source = schema->count};
	plain_columns(schema, columns + 1);
	self->columns = ARENA_ARRAY(arena, Vector, schema->count + 1);
	vector_init(&self->op, TYPE_OF(STRING), FORM_VALUE, BATCH_CAPACITY);
}

static void
open_debezium(SinkChanges *self, const Schema *schema, Arena *arena, EncodeColumn *columns)
{
	static const Str names[] = {STR_INIT("before"), STR_INIT("after"), STR_INIT("op")};
	const Type *row = type_struct(arena, schema->fields, schema->count);
	Field *fields = ARENA_ARRAY(arena, Field, 3);

	for (uint32_t i = 0; i < 3; i++) {
		fields[i] = (Field){.name = names[i], .type = i == OP ? TYPE_OF(STRING) : row};
		columns[i] = (EncodeColumn){fields[i].name, fields[i].type, i};
	}
	self->envelopes = batch_new(fields, NULL, 3);
}

void
sink_changes_open(SinkChanges *self, const StatementPlan *plan, Arena *arena, EncodeSpec *spec)
{
	const Schema record = {plan->root->schema.fields,
			       plan->root->schema.count - plan->header_columns};
	const Schema *schema = &record;
	EncodeColumn *columns = ARENA_ARRAY(arena, EncodeColumn, schema->count + 3);

	self->mode = (ChangelogMode)plan->sink->common[ENDPOINT_CHANGELOG].integer;
	self->column_count = schema->count;
	self->key_columns = plan->key_columns;
	self->key_count = plan->key_count;
	spec->columns = columns;
	spec->column_count = schema->count;
	switch (self->mode) {
	case CHANGELOG_APPEND:
	case CHANGELOG_UPSERT:
		plain_columns(schema, columns);
		break;
	case CHANGELOG_RETRACT:
		open_retract(self, schema, arena, columns);
		spec->column_count = schema->count + 1;
		break;
	case CHANGELOG_DEBEZIUM:
		open_debezium(self, schema, arena, columns);
		spec->column_count = 3;
		break;
	}
}

void
sink_changes_close(SinkChanges *self)
{
	vector_free(&self->op);
	batch_destroy(self->envelopes);
}

/* ---------------------------------------------------------------- upsert */

/* Records of the rows sel[first..count) that are values. */
static Status
encode_values(Encoder *encoder, Batch *batch, uint32_t first, uint32_t count, Output *output,
	      Error *err)
{
	uint16_t *sel = batch->sel;
	uint32_t total = batch->sel_count;
	bool dense = batch->dense;

	if (count == first)
		return FERRIS_OK;
	batch->sel = sel + first;
	batch->sel_count = count - first;
	batch->dense = dense && first == 0;
	Status status = encoder->class->encode(encoder, batch, output, err);
	batch->sel = sel;
	batch->sel_count = total;
	batch->dense = dense;
	return status;
}

static bool
have_one_key(const SinkChanges *self, const Batch *batch, uint16_t a, uint16_t b)
{
	for (uint32_t k = 0; k < self->key_count; k++) {
		const Vector *key = &batch->columns[self->key_columns[k]];

		if (key->constant)
			continue;
		bool null = vector_is_null(key, a);
		if (null != vector_is_null(key, b) ||
		    (!null && vector_compare(key, a, key, b) != 0))
			return false;
	}
	return true;
}

/* An update that gives a row another key leaves nothing at the old one. */
static void
delete_old_keys(SinkChanges *self, const Batch *batch)
{
	for (uint32_t i = 0; i + 1 < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		if (self->kinds[row] == ROW_UPDATE_BEFORE &&
		    !have_one_key(self, batch, row, batch->sel[i + 1]))
			self->kinds[row] = ROW_DELETE;
	}
}

static Status
encode_upsert(SinkChanges *self, Encoder *encoder, Batch *batch, Output *output, Error *err)
{
	uint32_t kept = 0;
	uint32_t first = 0;

	delete_old_keys(self, batch);
	for (uint32_t i = 0; i < batch->sel_count; i++)
		if (self->kinds[batch->sel[i]] != ROW_UPDATE_BEFORE)
			batch->sel[kept++] = batch->sel[i];
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	output_reserve(output, kept);
	for (uint32_t i = 0; i < kept; i++) {
		if (self->kinds[batch->sel[i]] != ROW_DELETE)
			continue;
		TRY(encode_values(encoder, batch, first, i, output, err));
		buffer_append_char(&output->bytes, '\n');
		output->ends[output->count++] = (uint32_t)output->bytes.len;
		first = i + 1;
	}
	return encode_values(encoder, batch, first, kept, output, err);
}

void
sink_changes_mark(const SinkChanges *self, const Batch *batch, Output *output, uint32_t first)
{
	for (uint32_t i = 0; self->mode == CHANGELOG_UPSERT && i < batch->sel_count; i++)
		if (self->kinds[batch->sel[i]] == ROW_DELETE)
			output->header_ends[first + i] |= VALUE_NULL;
}

/* ---------------------------------------------------------------- retract */

static void
put_text(Vector *vector, uint32_t row, const char *text)
{
	VECTOR_DATA(vector, StringView)
	[row] = (StringView){.data = text, .len = (uint32_t)strlen(text)};
}

static Status
encode_retract(SinkChanges *self, Encoder *encoder, Batch *batch, Output *output, Error *err)
{
	static const char *const names[] = {[ROW_INSERT] = "+I",
					    [ROW_UPDATE_BEFORE] = "-U",
					    [ROW_UPDATE_AFTER] = "+U",
					    [ROW_DELETE] = "-D"};
	Vector *columns = batch->columns;
	uint32_t count = batch->column_count;

	vector_reset(&self->op);
	for (uint32_t i = 0; i < batch->sel_count; i++)
		put_text(&self->op, batch->sel[i], names[self->kinds[batch->sel[i]]]);
	memcpy(self->columns, columns, sizeof *columns * self->column_count);
	self->columns[self->column_count] = self->op;
	batch->columns = self->columns;
	batch->column_count = self->column_count + 1;
	Status status = encoder->class->encode(encoder, batch, output, err);
	batch->columns = columns;
	batch->column_count = count;
	return status;
}

/* ---------------------------------------------------------------- debezium */

static void
put_row(const SinkChanges *self, const Batch *batch, uint32_t side, uint32_t to, int32_t row)
{
	Vector *target = &self->envelopes->columns[side];

	if (row < 0) {
		vector_set_null(target, to);
		return;
	}
	vector_set_valid(target, to);
	for (uint32_t c = 0; c < self->column_count; c++) {
		vector_copy(&target->children[c], to, &batch->columns[c], (uint32_t)row, NULL);
	}
}

/* The two halves of an update are one envelope; its key is that of the row after. */
static Status
encode_debezium(SinkChanges *self, Encoder *encoder, Batch *batch, Output *output, Error *err)
{
	static const char *const names[] = {[ROW_INSERT] = "c",
					    [ROW_UPDATE_BEFORE] = "u",
					    [ROW_UPDATE_AFTER] = "u",
					    [ROW_DELETE] = "d"};
	Batch *out = self->envelopes;
	uint32_t kept = 0;

	batch_reset(out);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		uint8_t kind = self->kinds[row];
		bool goes = kind == ROW_UPDATE_BEFORE || kind == ROW_DELETE;

		put_row(self, batch, BEFORE, kept, goes ? (int32_t)row : -1);
		if (kind == ROW_UPDATE_BEFORE)
			row = batch->sel[++i];
		put_row(self, batch, AFTER, kept, kind == ROW_DELETE ? -1 : (int32_t)row);
		put_text(&out->columns[OP], kept, names[kind]);
		batch->sel[kept++] = row;
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
	out->row_count = kept;
	batch_select_all(out);
	return encoder->class->encode(encoder, out, output, err);
}

/* ---------------------------------------------------------------- all modes */

Status
sink_changes_encode(SinkChanges *self, Encoder *encoder, Batch *batch, Output *output, Error *err)
{
	if (self->mode == CHANGELOG_APPEND)
		return encoder->class->encode(encoder, batch, output, err);
	if (batch->kinds != NULL)
		batch_pair_kinds(batch, self->kinds);
	else
		memset(self->kinds, ROW_INSERT, sizeof self->kinds);
	switch (self->mode) {
	case CHANGELOG_UPSERT:
		return encode_upsert(self, encoder, batch, output, err);
	case CHANGELOG_RETRACT:
		return encode_retract(self, encoder, batch, output, err);
	case CHANGELOG_DEBEZIUM:
		return encode_debezium(self, encoder, batch, output, err);
	case CHANGELOG_APPEND:
		break;
	}
	return FERRIS_OK;
}
