/* exec/checkpoint.h -- what a pipeline's operators keep, out and in again.
 *
 * A pipeline is saved between two chunks.  Its records (state/snapshot.h) go to a file, to a
 * changelog, or to both; a new pipeline of the same plan that loads them goes on as the old one
 * would have.  An operator's records begin with its number in the pipeline.
 *
 * Threads: called by the pipeline's task. */
#pragma once

#include "exec/pipeline.h"
#include "state/snapshot.h"

/* Whether every operator can be saved, or keeps nothing. */
bool pipeline_can_save(const Pipeline *pipeline);
/* All records of all operators. */
Status pipeline_save(Pipeline *pipeline, StateWriter *writer, Error *err);
/* One record, into a pipeline that has seen no input.  Each key comes once, in the order in which
 * they were saved or in that of the keys. */
Status pipeline_load(Pipeline *pipeline, Str key, Str value, Error *err);

/* Saves the pipeline to a snapshot in memory and puts a new one, loaded from it, in its place: for
 * tests, which must not see a difference.  One that cannot be saved stays. */
Status pipeline_reload(const PipelineSpec *spec, Pipeline **pipeline, Error *err);
