/* exec/sink_changes.h -- how rows that replace others or go are written ('changelog.mode').
 *
 *     append    {"k":"x","n":2}                    every row; what it replaces is not said
 *     upsert    {"k":"x","n":2}                    by key; a row that goes is a null value
 *     retract   {"_op":"+U","k":"x","n":2}         +I, -U, +U, -D
 *     debezium  {"before":{...},"after":{...},"op":"u"}   c, u, d
 *
 * Threads: belongs to the sink of one task. */
#pragma once

#include "exec/operator.h"

typedef struct SinkChanges {
	ChangelogMode mode;
	uint32_t column_count; /* of the plan's rows */
	const uint32_t *key_columns;
	uint32_t key_count;
	Vector *columns;  /* RETRACT: the batch's and `op` */
	Vector op;        /* by row */
	Batch *envelopes; /* DEBEZIUM: before, after, op */
	uint8_t kinds[BATCH_CAPACITY];
} SinkChanges;

/* Fills the columns to encode. */
void sink_changes_open(SinkChanges *self, const StatementPlan *plan, Arena *arena,
		       EncodeSpec *spec);
void sink_changes_close(SinkChanges *self);
/* Encodes the rows.  Afterwards the batch's selected rows are those that the records are of, in
 * order; keys are taken from them. */
Status sink_changes_encode(SinkChanges *self, Encoder *encoder, Batch *batch, Output *output,
			   Error *err);
/* UPSERT: marks the records of rows that go as null, when keys and headers are written. */
void sink_changes_mark(const SinkChanges *self, const Batch *batch, Output *output, uint32_t first);
