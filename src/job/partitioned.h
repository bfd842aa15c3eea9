/* job/partitioned.h -- a statement whose state is kept partition by partition.
 *
 * A group of processes shares the partitions of its sources.  For each that the group deals to this
 * process a job runs, with a reader, state, event time and transactions of its own, under a name
 * that is the partition's: whoever opens it keeps out who had it before, as a start after a crash
 * does.  So the group only says who should have what; that nothing comes twice does not hang on
 * when a process hears of it.
 *
 * Threads: those of job/job.h's functions of the same name; a thread deals, and each partition has
 * one beside those of its job. */
#pragma once

#include "job/job.h"

typedef struct Partitioned Partitioned;

/* Joins the group. */
Status partitioned_open(const JobSpec *spec, Partitioned **out, Error *err);
Status partitioned_start(Partitioned *self, Error *err);
void partitioned_stop(Partitioned *self);
bool partitioned_is_done(const Partitioned *self);
bool partitioned_failed(Partitioned *self);
/* It counts as ended, with that error. */
void partitioned_abandon(Partitioned *self, const Error *err);
Status partitioned_wait(Partitioned *self, Error *err);
void partitioned_close(Partitioned *self);
/* The sum of the partitions that this process has had. */
void partitioned_counters(Partitioned *self, JobCounters *out);
/* For each partition that is in work now; the job stays until `visit` returns. */
void partitioned_each(Partitioned *self, void (*visit)(void *context, const Job *job),
		      void *context);
