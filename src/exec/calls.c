/* exec/calls.c -- aggregate calls over payloads. */
#include "exec/calls.h"

#include "state/record.h"

uint32_t
calls_expr_count(AggregateCall *const *calls, uint32_t call_count)
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < call_count; i++)
		count += calls[i]->arg_count + 2;
	return count;
}

Status
calls_open(CallSet *set, AggregateCall *const *calls, uint32_t call_count, Arena *arena,
	   BoundExpr **exprs, uint32_t *count, Error *err)
{
	set->items = ARENA_ARRAY(arena, CallState, call_count);
	for (uint32_t i = 0; i < call_count; i++) {
		CallState *call = &set->items[i];

		TRY(aggregate_open(calls[i], &set->memory, arena, &call->run, err));
		set->count++;
		call->first_arg = *count;
		for (uint32_t a = 0; a < calls[i]->arg_count; a++)
			exprs[(*count)++] = calls[i]->args[a];
		if (calls[i]->filter != NULL) {
			exprs[(*count)++] = calls[i]->filter;
			call->filter = *count;
		}
		if (calls[i]->order != NULL) {
			exprs[(*count)++] = calls[i]->order;
			call->order = *count;
		}
	}
	return FERRIS_OK;
}

size_t
calls_lay_out(CallSet *set, size_t offset)
{
	for (uint32_t i = 0; i < set->count; i++) {
		set->items[i].run.offset = offset;
		offset += set->items[i].run.state_size;
	}
	return (offset + 15) & ~(size_t)15;
}

void
calls_init(const CallSet *set, char *payload)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;

		if (run->call->class->init != NULL)
			run->call->class->init(run, payload + run->offset);
	}
}

typedef void AggregateStep(const AggregateRun *run, const AggregateRows *rows);

static void
step_filtered(const CallState *call, AggregateStep *step, const Vector *filter,
	      const AggregateRows *rows)
{
	AggregateRows kept = *rows;
	uint16_t sel[BATCH_CAPACITY];
	char *groups[BATCH_CAPACITY];

	kept.sel = sel;
	kept.groups = groups;
	kept.dense = false;
	kept.count = 0;
	for (uint32_t i = 0; i < rows->count; i++) {
		uint16_t row = rows->sel[i];

		if (vector_is_null(filter, row) ||
		    !VECTOR_DATA(filter, const uint8_t)[filter->constant ? 0 : row])
			continue;
		sel[kept.count] = row;
		groups[kept.count++] = rows->groups[i];
	}
	if (kept.count > 0)
		step(&call->run, &kept);
}

static void
step_call(const CallState *call, AggregateStep *step, const Vector *const *results,
	  const AggregateRows *rows)
{
	AggregateRows own = *rows;

	own.args = &results[call->first_arg];
	own.order = call->order > 0 ? results[call->order - 1] : NULL;
	if (call->filter > 0)
		step_filtered(call, step, results[call->filter - 1], &own);
	else
		step(&call->run, &own);
}

void
calls_add(const CallSet *set, const Vector *const *results, const AggregateRows *rows)
{
	for (uint32_t i = 0; i < set->count; i++)
		step_call(&set->items[i], set->items[i].run.call->class->add, results, rows);
}

void
calls_retract(const CallSet *set, const Vector *const *results, const AggregateRows *rows)
{
	for (uint32_t i = 0; i < set->count; i++)
		step_call(&set->items[i], set->items[i].run.call->class->retract, results, rows);
}

void
calls_merge(const CallSet *set, char *into, const char *from)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;

		run->call->class->merge(run, into + run->offset, from + run->offset);
	}
}

void
calls_unmerge(const CallSet *set, char *into, const char *from)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;

		run->call->class->unmerge(run, into + run->offset, from + run->offset);
	}
}

bool
calls_can_unmerge(const CallSet *set)
{
	bool can = true;

	for (uint32_t i = 0; i < set->count; i++)
		can = can && set->items[i].run.call->class->unmerge != NULL;
	return can;
}

bool
calls_are_plain(const CallSet *set)
{
	bool plain = true;

	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateClass *class = set->items[i].run.call->class;

		plain = plain && class->init == NULL && class->release == NULL;
	}
	return plain;
}

bool
calls_emit(const CallSet *set, const char *payload, Vector *columns, uint32_t row, Batch *batch,
	   RecordRange record)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;
		Str message = {NULL, 0};

		vector_set_valid(&columns[i], row);
		Status status = run->call->class->emit(run, payload + run->offset, &columns[i], row,
						       &batch->heap, &message);
		if (status == FERRIS_OK)
			continue;
		batch_add_error(batch, record, status, run->call->text, "%.*s", STR_ARG(message));
		return false;
	}
	return true;
}

void
calls_release(const CallSet *set, char *payload)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;

		if (run->call->class->release != NULL)
			run->call->class->release(run, payload + run->offset);
	}
}

/* Each state behind its length. */
void
calls_save(const CallSet *set, const char *payload, Buffer *out)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;
		size_t at = out->len;

		record_u32(out, 0);
		run->call->class->save(run, payload + run->offset, out);
		uint32_t len = (uint32_t)(out->len - at - sizeof len);
		memcpy(out->data + at, &len, sizeof len);
	}
}

static bool
load_states(const CallSet *set, char *payload, RecordReader *reader, uint32_t *loaded)
{
	for (uint32_t i = 0; i < set->count; i++) {
		const AggregateRun *run = &set->items[i].run;
		uint32_t len = record_take_u32(reader);
		const char *bytes = record_take(reader, len);

		if (bytes == NULL ||
		    !run->call->class->load(run, payload + run->offset, bytes, len))
			return false;
		*loaded = i + 1;
	}
	return reader->next == reader->end;
}

bool
calls_load(const CallSet *set, char *payload, Str bytes)
{
	RecordReader reader = record_reader(bytes);
	uint32_t loaded = 0;

	if (load_states(set, payload, &reader, &loaded))
		return true;
	for (uint32_t i = 0; i < loaded; i++) {
		const AggregateRun *run = &set->items[i].run;

		if (run->call->class->release != NULL)
			run->call->class->release(run, payload + run->offset);
		memset(payload + run->offset, 0, run->state_size);
	}
	return false;
}
