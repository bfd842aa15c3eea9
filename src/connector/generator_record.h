/* connector/generator_record.h -- records made from nothing, the same for the same seed.
 *
 * Owns:    nothing beside what its arena holds.
 * Threads: one at a time. */
#pragma once

#include "base/arena.h"
#include "type/type.h"

#define GENERATOR_MAX_FIELDS 16

typedef enum GeneratorStyle {
	GENERATOR_JSON,
	GENERATOR_DELIMITED,
} GeneratorStyle;

typedef struct GeneratorSpec {
	int kind; /* index of the list's kinds */
	GeneratorStyle style;
	char delimiter;
	uint64_t seed;
	uint32_t keys;        /* 0: the kind's own */
	int64_t start_ms;     /* event time of record 0 */
	double step_ms;       /* from event to event; 0: the kind's own */
	uint32_t disorder_ms; /* event times are off by less than this, in both directions */
} GeneratorSpec;

typedef struct GeneratorField GeneratorField;
typedef struct GeneratorPart GeneratorPart;
typedef struct Nexmark Nexmark;

typedef struct Generator {
	GeneratorSpec spec;
	GeneratorPart *parts; /* one per field */
	uint32_t part_count;
	Str tail;          /* behind the last value, with the line end */
	size_t record_max; /* no record is longer */
	uint64_t random;
	uint64_t number; /* of the next record */
	uint64_t event;  /* its number among the events of its suite; else the same */
	uint32_t place;  /* of that event among those of its kind in the suite's round */
	uint32_t keys;
	int64_t time_ms; /* made last */
	int64_t last;    /* number made last, for ABOVE and RESERVE */
	uint32_t station;
	Nexmark *nexmark; /* of the kinds of that suite */
} Generator;

void generator_init(Generator *generator, const GeneratorSpec *spec, Arena *arena);
/* Write the next record with its line end; `out` has room for record_max bytes. */
char *generator_record(Generator *generator, char *out);
/* The names of the fields as the first line of a delimited file. */
Str generator_header(const Generator *generator, Arena *arena);
/* How many records of the kind are among the first events of its suite. */
uint64_t generator_records(int kind, uint64_t events);
/* Whether the kind is one of several streams that belong together. */
bool generator_is_suite(int kind);
void generator_schema(int kind, Arena *arena, Schema *schema);
