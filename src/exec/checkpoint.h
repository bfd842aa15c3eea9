/* exec/checkpoint.h -- what a pipeline's operators keep, out and in again.
 *
 * A pipeline is saved between two chunks.  Its records (state/snapshot.h) go to a file, to a
 * changelog, or to both; a new pipeline of the same plan that loads them goes on as the old one
 * would have.  An operator's records begin with its number in the pipeline.
 *
 * Threads: called by the pipeline's task. */
#pragma once

#include "exec/pipeline.h"
#include "state/backend.h"
#include "state/snapshot.h"

/* Whether every operator can be saved, or keeps nothing; `changes`: and can tell what has changed.
 */
bool pipeline_can_save(const Pipeline *pipeline, bool changes);
/* All records of all operators, or, if the writer asks for that, what has changed since the last
 * time. */
Status pipeline_save(Pipeline *pipeline, StateWriter *writer, Error *err);
/* One record, into a pipeline that has seen no input.  Each key comes once, in order. */
Status pipeline_load(Pipeline *pipeline, Str key, Str value, Error *err);
/* All records that a backend has. */
Status pipeline_load_all(Pipeline *pipeline, StateBackend *records, Error *err);

/* For tests, which must not see a difference: puts a new pipeline, loaded from what was saved, in
 * the place of this one.  `records` collects what has changed from call to call (NULL before the
 * first), and must then be what a whole save would put.  A pipeline that cannot be saved stays. */
Status pipeline_reload(const PipelineSpec *spec, Pipeline **pipeline, StateBackend **records,
		       Error *err);
