/* exec/pipeline.h -- one task's way for a chunk: decode, operators, encode.
 *
 *     chunk bytes -> decoder -> batch -> [Filter] -> [Project] -> ... -> Sink -> output bytes
 *
 * pipeline_run is called once per chunk and has no threads of its own; job/ runs one pipeline per
 * task.  Chunks may be run by different pipelines in any order: nothing is remembered from one
 * chunk to the next.
 *
 * Threads: one pipeline belongs to one task; the plan is shared and read-only. */
#pragma once

#include "exec/source.h"

/* What became of a chunk.  Owned by the caller, reused from chunk to chunk. */
typedef struct ChunkResult {
	Output output;
	uint64_t records_in;   /* records read */
	uint64_t filtered;     /* rows that a predicate removed */
	uint64_t late;         /* rows too late for every window */
	uint64_t aggregated;   /* rows that went into groups */
	uint64_t results;      /* rows that state gave out and that did not reach the output */
	uint64_t straight;     /* rows that reached the output and that no state gave out */
	uint64_t spans;        /* batches of one span of event time */
	uint64_t limited;      /* rows that a LIMIT or OFFSET inside the query left out */
	uint32_t lines;        /* lines or records consumed */
	RowError *errors;      /* in the arena, in order of the records */
	uint32_t *rows_before; /* for each error, the rows of the output that its record comes
				  behind */
	uint32_t error_count;
	uint32_t error_capacity;
	Arena arena;
} ChunkResult;

#define TICK_ACTIVE INT64_MAX

/* Word from a source that has delivered nothing for a while. */
typedef struct Tick {
	int64_t now_ms;
	const int64_t *idle_since; /* of each split: its last record came then, and it has been at
				      its end too long; TICK_ACTIVE: it is not idle */
	uint32_t split_count;
	const Chunk *mark; /* not that, but what the mark of this chunk says; or NULL */
} Tick;

/* What tests ask of a statement that no user would. */
typedef struct Trial {
	bool spill;  /* all state goes to a backend after each batch, and comes back from there */
	bool reload; /* after each chunk the pipeline is saved, and a new one loaded in its place */
	/* Not 0: statements run one after the other and step by step, so that the seed decides all;
	 * those that are exactly-once are killed at some of the steps, and start again. */
	uint64_t crash_seed;
	Disk *disk; /* then: of those that are exactly-once; NULL: the real one */
} Trial;

/* How far the event time of a source has come, for others to see; its task writes it. */
typedef struct SplitTime {
	_Atomic int64_t watermark; /* of this split alone; INT64_MIN: none yet */
	_Atomic int64_t last_ms;   /* clock_ms() when its last rows came; INT64_MIN: none yet */
	_Atomic bool idle;
} SplitTime;

typedef struct SourceTime {
	SplitTime *splits; /* those that deliver side by side, or one for all; NULL: it has no
			      watermark */
	uint32_t split_count;
	bool is_number; /* the time is a BIGINT */
} SourceTime;

typedef struct PipelineSpec {
	const StatementPlan *plan;
	Source *sources;    /* opened, one for each of the plan's scans */
	bool stop_at_error; /* FailBatch: nothing after the first failed record is put out */
	const char *group;  /* for consumer groups of tables that operators read */
	void *environment;  /* for connectors */
	bool tracks;        /* what changes in its state will be asked for */
	uint32_t shares;    /* it has the memory of one of so many; 0: all */
	Trial trial;
	/* What state gives out between chunks may be more than a result should hold: takes what
	 * there is so far and leaves an empty one.  NULL: it must hold all. */
	Status (*hand_over)(void *receiver, ChunkResult *result, Error *err);
	void *receiver;
	/* Takes the rows instead of the plan's sink; NULL: the sink does. */
	Status (*collect)(void *collector, Batch *batch, Error *err);
	void *collector;
} PipelineSpec;

typedef struct Pipeline Pipeline;

void chunk_result_init(ChunkResult *result, bool keyed);
void chunk_result_free(ChunkResult *result);

Status pipeline_open(const PipelineSpec *spec, Pipeline **out, Error *err);
void pipeline_close(Pipeline *pipeline);
/* Decodes the whole chunk of the source (or up to the first failed record) into `result`, which is
 * emptied first.  Messages and column names in the errors stay valid until the next use of
 * `result`. */
Status pipeline_run(Pipeline *pipeline, uint32_t source, const Chunk *chunk, ChunkResult *result,
		    Error *err);
/* The source has been silent; what the clock closes comes out. */
Status pipeline_tick(Pipeline *pipeline, uint32_t source, const Tick *tick, ChunkResult *result,
		     Error *err);
/* The source has ended: what nothing holds back any more comes out. */
Status pipeline_end(Pipeline *pipeline, uint32_t source, ChunkResult *result, Error *err);
/* A LIMIT inside the query is reached: nothing that is still to be read can change the result. */
bool pipeline_is_done(const Pipeline *pipeline);
/* Of one of the plan's scans; for any thread while the pipeline is open. */
const SourceTime *pipeline_source_time(const Pipeline *pipeline, uint32_t source);
/* The bytes a new file of the sink begins with. */
Status sink_preamble(const StatementPlan *plan, Arena *arena, Buffer *out, Error *err);
