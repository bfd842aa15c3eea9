/* exec/op_watermark.c -- WATERMARK: how far event time has come, before each row.
 *
 * Each split (partition) has its own running maximum of the watermark expression; the watermark is
 * the least of those of the splits that deliver side by side, and never goes back.  It is known for
 * every row, not only for every batch: whether a row is late does not depend on how the input was
 * cut.  Rows downstream are told by batch->watermarks, operators by advance after the batch.
 *
 * A split that has delivered nothing yet holds the watermark back.  NULL does not move it.
 *
 * Idle.  A split that has been at its end for 'watermark.idle.timeout' holds nothing back until it
 * delivers again.  When all of a source are idle, the source follows the statement's other sources;
 * when those are idle too, or there are none, its watermark goes on with the clock from where its
 * last record left it.
 *
 * A topic that another statement writes for this one (plan/repartition.h) holds the records of
 * several splits of that statement's source, its channels: each has its own maximum, and marks tell
 * of rows that went to other partitions, and of channels that are idle.
 *
 * Owns:    the compiled expression and the splits' maxima.
 * Threads: one operator belongs to one task. */
#include "base/clock.h"
#include "base/memory.h"
#include "exec/operator.h"
#include "plan/batch_strategy.h"

typedef struct Split {
	int64_t maximum; /* INT64_MIN: nothing came yet */
	bool idle;
} Split;

typedef struct WatermarkOp {
	Operator base;
	TaskContext *task;
	uint32_t source;
	Program *program;
	int64_t unit; /* of the time, per millisecond */
	Split *splits;
	uint32_t split_count;
	uint32_t side_by_side; /* of these, the first so many hold each other back */
	bool channels;   /* they are the channels of a shuffled topic, known from its records */
	int64_t current; /* the watermark; INT64_MIN: none yet */
	int64_t before[BATCH_CAPACITY];
	int64_t span;      /* a batch has rows of one span of event time; 0: of any */
	int64_t span_seen; /* that of the last row */
	uint16_t sel[BATCH_CAPACITY];
} WatermarkOp;

/* What SHOW WATERMARKS sees. */
static void
open_shown(WatermarkOp *self, const PlanNode *plan)
{
	SourceTime *shown = &self->task->source_times[self->source];

	shown->is_number = plan->watermark.expr->type->kind == TYPE_BIGINT;
	shown->split_count = self->side_by_side > 0 ? self->side_by_side : 1;
	shown->splits = ARENA_ARRAY(self->task->arena, SplitTime, shown->split_count);
	for (uint32_t i = 0; i < shown->split_count; i++) {
		shown->splits[i].watermark = INT64_MIN;
		shown->splits[i].last_ms = INT64_MIN;
	}
}

static void
show_split(WatermarkOp *self, uint32_t split)
{
	SourceTime *shown = &self->task->source_times[self->source];
	bool known = split < shown->split_count && !self->channels;
	SplitTime *time = &shown->splits[known ? split : 0];

	time->watermark = self->side_by_side > 0 && !self->channels ? self->splits[split].maximum
								    : self->current;
	time->last_ms = clock_ms();
	time->idle = false;
}

static Status
watermark_open(Operator *op, TaskContext *task, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;

	self->task = task;
	self->source = task->source;
	self->side_by_side = task->splits;
	self->channels = task->plan->scans[task->source]->scan.shuffled;
	self->unit = op->plan->watermark.expr->type->kind == TYPE_BIGINT ? 1 : MICROS_PER_MILLI;
	self->current = INT64_MIN;
	const Endpoint *endpoint = task->plan->scans[task->source]->scan.endpoint;
	if (batch_is_by_event_time(endpoint))
		self->span = endpoint->batch.window_ms * self->unit;
	open_shown(self, op->plan);
	task->times[task->source].idle = false;
	return program_compile(task->arena, &op->plan->watermark.expr, 1, &self->program, err);
}

static void
reserve_splits(WatermarkOp *self, uint32_t count)
{
	if (count <= self->split_count)
		return;
	self->splits = memory_resize(self->splits, sizeof *self->splits * count);
	for (uint32_t i = self->split_count; i < count; i++)
		self->splits[i] = (Split){.maximum = INT64_MIN};
	self->split_count = count;
}

/* The least maximum of the other splits that deliver side by side and are not idle. */
static int64_t
others_minimum(const WatermarkOp *self, uint32_t split)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < self->side_by_side; i++)
		if (i != split && !self->splits[i].idle && self->splits[i].maximum < least)
			least = self->splits[i].maximum;
	return least;
}

static Status
announce(WatermarkOp *self, int64_t watermark, Error *err)
{
	if (watermark <= self->current)
		return FERRIS_OK;
	self->current = watermark;
	self->task->times[self->source].watermark = watermark;
	return operator_advance(self->base.next, watermark, err);
}

/* The one that the chunk is of. */
static uint32_t
enter_split(WatermarkOp *self, const Chunk *chunk)
{
	uint32_t split = self->channels ? chunk->channel : chunk->split - self->task->first_split;

	if (self->channels)
		self->side_by_side = chunk->channels;
	reserve_splits(self, split + 1 > self->side_by_side ? split + 1 : self->side_by_side);
	return split;
}

/* The span of event time that the row is in; a row without a time is in that of the one before. */
static int64_t
span_of(const WatermarkOp *self, const Vector *times, uint16_t row)
{
	if (vector_is_null(times, row))
		return self->span_seen;
	int64_t time = VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
	return time / self->span - (time % self->span < 0);
}

/* The rows go on by runs of one span: for an operator a run is a batch. */
static Status
push_spans(WatermarkOp *self, Batch *batch, const Vector *times, Error *err)
{
	uint32_t count = batch->sel_count;
	uint32_t done = 0;

	memcpy(self->sel, batch->sel, sizeof *self->sel * count);
	while (done < count) {
		uint32_t end = done;

		self->span_seen = span_of(self, times, self->sel[done]);
		while (end < count && span_of(self, times, self->sel[end]) == self->span_seen)
			end++;
		batch->dense = batch->dense && end - done == count;
		batch->sel_count = end - done;
		memcpy(batch->sel, self->sel + done, sizeof *batch->sel * (end - done));
		TRY(operator_push(self->base.next, batch, err));
		self->task->result->spans++;
		done = end;
	}
	return FERRIS_OK;
}

static Status
watermark_push(Operator *op, Batch *batch, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;
	uint32_t split = enter_split(self, self->task->chunk);
	const Vector *times;

	self->splits[split].idle = false;
	self->task->times[self->source].idle = false;
	int64_t others = others_minimum(self, split);
	int64_t maximum = self->splits[split].maximum;
	int64_t current = self->current;

	program_run(self->program, batch, NULL, &times);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		self->before[row] = current;
		if (vector_is_null(times, row))
			continue;
		int64_t time = VECTOR_DATA(times, int64_t)[times->constant ? 0 : row];
		if (time > maximum) {
			maximum = time < -EVENT_TIME_LIMIT  ? -EVENT_TIME_LIMIT
				  : time > EVENT_TIME_LIMIT ? EVENT_TIME_LIMIT
							    : time;
			int64_t least = maximum < others ? maximum : others;
			if (least > current)
				current = least;
		}
	}
	self->splits[split].maximum = maximum;
	batch->watermarks = self->before;
	TRY(self->span > 0 ? push_spans(self, batch, times, err)
			   : operator_push(op->next, batch, err));
	batch->watermarks = NULL;
	TRY(announce(self, current, err));
	show_split(self, split);
	return FERRIS_OK;
}

/* All splits are idle: the time that the clock has brought since the last record of the split that
 * came furthest. */
static int64_t
by_the_clock(const WatermarkOp *self, const Tick *tick)
{
	uint32_t count = self->channels ? self->split_count : tick->split_count;
	int64_t furthest = INT64_MIN;

	for (uint32_t i = 0; i < self->split_count && i < count; i++) {
		const Split *split = &self->splits[i];
		int64_t since = tick->idle_since[self->channels ? 0 : i];

		if (split->maximum == INT64_MIN)
			continue;
		int64_t time = split->maximum + (tick->now_ms - since) * self->unit;
		if (time > furthest)
			furthest = time < EVENT_TIME_LIMIT ? time : EVENT_TIME_LIMIT;
	}
	return furthest;
}

/* The least watermark of the statement's sources that are not idle; INT64_MAX: all are. */
static int64_t
of_other_sources(const WatermarkOp *self)
{
	int64_t least = INT64_MAX;

	for (uint32_t i = 0; i < self->task->source_count; i++)
		if (!self->task->times[i].idle && self->task->times[i].watermark < least)
			least = self->task->times[i].watermark;
	return least;
}

/* Of each split whether it is idle; returns whether all are. */
static bool
note_idle(WatermarkOp *self, const Tick *tick)
{
	SourceTime *shown = &self->task->source_times[self->source];
	bool all = true;

	reserve_splits(self, tick->split_count);
	for (uint32_t i = 0; i < tick->split_count; i++) {
		self->splits[i].idle = tick->idle_since[i] != TICK_ACTIVE;
		all = all && self->splits[i].idle;
		if (i < shown->split_count)
			shown->splits[i].idle = self->splits[i].idle;
	}
	return all;
}

static bool
all_channels_idle(const WatermarkOp *self)
{
	for (uint32_t i = 0; i < self->side_by_side; i++)
		if (!self->splits[i].idle)
			return false;
	return self->side_by_side > 0;
}

/* A mark of one of the channels. */
static Status
take_mark(WatermarkOp *self, const Chunk *chunk, Error *err)
{
	uint32_t number = enter_split(self, chunk);
	Split *split = &self->splits[number];

	if (chunk->mark > split->maximum)
		split->maximum = chunk->mark;
	split->idle = chunk->mark_idle;
	bool all_idle = all_channels_idle(self);
	self->task->times[self->source].idle = all_idle;
	if (all_idle)
		return FERRIS_OK; /* others, or the clock, say how time goes on */
	TRY(announce(self, others_minimum(self, UINT32_MAX), err));
	show_split(self, chunk->channel);
	return FERRIS_OK;
}

static Status
watermark_tick(Operator *op, const Tick *tick, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;

	if (tick->mark != NULL)
		return take_mark(self, tick->mark, err);
	bool all_idle = self->channels
				? all_channels_idle(self) && tick->idle_since[0] != TICK_ACTIVE
				: note_idle(self, tick);
	self->task->times[self->source].idle = all_idle;
	if (!all_idle)
		return self->channels ? FERRIS_OK
				      : announce(self, others_minimum(self, UINT32_MAX), err);
	int64_t others = of_other_sources(self);
	return announce(self, others != INT64_MAX ? others : by_the_clock(self, tick), err);
}

/* Watermarks of operators before it mean nothing here: it makes its own. */
static Status
watermark_advance(Operator *op, int64_t watermark, Error *err)
{
	(void)op;
	(void)watermark;
	(void)err;
	return FERRIS_OK;
}

/* One record: the watermark, then each split's maximum and whether it is idle. */
static Status
watermark_save(Operator *op, StateWriter *writer, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;
	Buffer value;

	buffer_init(&value, SIZE_MAX);
	record_u64(&value, (uint64_t)self->current);
	record_u32(&value, self->split_count);
	for (uint32_t i = 0; i < self->split_count; i++) {
		record_u64(&value, (uint64_t)self->splits[i].maximum);
		record_u32(&value, self->splits[i].idle);
	}
	Status status = writer->put(writer, STR(""), (Str){value.data, (uint32_t)value.len}, err);
	buffer_free(&value);
	return status;
}

static Status
watermark_load(Operator *op, Str key, Str value, Error *err)
{
	WatermarkOp *self = (WatermarkOp *)op;
	RecordReader reader = record_reader(value);
	bool all_idle = true;

	self->current = (int64_t)record_take_u64(&reader);
	uint32_t count = record_take_u32(&reader);
	if (key.len != 0 || count != (size_t)(reader.end - reader.next) / 12)
		return store_damaged(err);
	reserve_splits(self, count);
	if (self->channels)
		self->side_by_side = count;
	for (uint32_t i = 0; i < count; i++) {
		self->splits[i].maximum = (int64_t)record_take_u64(&reader);
		self->splits[i].idle = record_take_u32(&reader) != 0;
		all_idle = all_idle && self->splits[i].idle;
	}
	self->task->times[self->source] = (EventTime){self->current, count > 0 && all_idle};
	return reader.damaged || reader.next != reader.end ? store_damaged(err) : FERRIS_OK;
}

static void
watermark_close(Operator *op)
{
	WatermarkOp *self = (WatermarkOp *)op;

	program_free(self->program);
	memory_free(self->splits);
}

const OperatorClass watermark_class = {
	.name = "Watermark",
	.size = sizeof(WatermarkOp),
	.open = watermark_open,
	.push = watermark_push,
	.advance = watermark_advance,
	.tick = watermark_tick,
	.save = watermark_save,
	.saves_changes = true,
	.load = watermark_load,
	.close = watermark_close,
};
