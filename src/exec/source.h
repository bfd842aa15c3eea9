/* exec/source.h -- a scan at work: its reader, and what a pipeline must know of it.
 *
 * Threads: opened before those that read it start; the reader belongs to one thread. */
#pragma once

#include "plan/plan.h"

typedef struct Source {
	const PlanNode *scan;
	const ConnectorClass *connector;
	const char *object; /* its name, for messages */
	Reader *reader;
	FieldOrder order;     /* of a file with a header; filled by the reader */
	uint32_t splits;      /* that deliver side by side; 0: one at a time */
	uint32_t first_split; /* the least number of them */
} Source;

typedef struct SourceSpec {
	const PlanNode *scan;
	const char *group;        /* of consumers */
	const char *instance;     /* this process among those of the group; or NULL */
	bool keeps_place;         /* as in ReaderSpec */
	bool whole;               /* likewise */
	const SplitPlace *places; /* likewise */
	uint32_t place_count;
	bool only_places;
	SplitShare share;
	void *environment;
} SourceSpec;

/* Opens the reader; bytes of long life come from the arena. */
Status source_open(Source *source, const SourceSpec *spec, Arena *arena, Error *err);
void source_close(Source *source);
/* Joins the group whose processes share the splits of these sources. */
Status source_join(const SourceSpec *specs, uint32_t count, Arena *arena, Membership **out,
		   Error *err);
/* What the codec needs to know of the scan: fills `spec` from it. */
void source_decode_spec(Source *source, DecodeSpec *spec);
