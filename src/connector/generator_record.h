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
	double step_ms;       /* from record to record */
	uint32_t disorder_ms; /* event times are off by less than this, in both directions */
} GeneratorSpec;

typedef struct GeneratorField GeneratorField;
typedef struct GeneratorPart GeneratorPart;

typedef struct Generator {
	GeneratorSpec spec;
	GeneratorPart *parts; /* one per field */
	uint32_t part_count;
	Str tail;          /* behind the last value, with the line end */
	size_t record_max; /* no record is longer */
	uint64_t random;
	uint64_t number; /* of the next record */
	int64_t last;    /* number made last, for ABOVE */
	uint32_t station;
} Generator;

void generator_init(Generator *generator, const GeneratorSpec *spec, Arena *arena);
/* Write the next record with its line end; `out` has room for record_max bytes. */
char *generator_record(Generator *generator, char *out);
/* The names of the fields as the first line of a delimited file. */
Str generator_header(const Generator *generator, Arena *arena);
void generator_schema(int kind, Arena *arena, Schema *schema);
