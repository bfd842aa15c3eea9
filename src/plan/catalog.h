/* plan/catalog.h -- the streams and tables that a script declares, by name.
 *
 * An entry is either declared with columns and a connector, or defined by a query (CREATE STREAM
 * ... AS).  Reading the latter expands its query in place, as a view: each reader runs it for
 * itself.  Threads: built and read by the planner alone. */
#pragma once

#include "plan/plan.h"

typedef struct CatalogEntry {
	Str name;
	const Statement *statement; /* the CREATE, or NULL for a source named only in a query */
	Schema schema;              /* fields of the record; count 0 until inferred */
	ScanColumn *metadata;       /* METADATA columns of the declaration */
	uint32_t metadata_count;
	const ColumnDef **computed; /* columns that are not in the record: name AS expr */
	uint32_t computed_count;
	int *primary_key; /* indices into schema */
	uint32_t primary_key_count;
	const Query *query;          /* defined by a query */
	Options options;             /* of its own WITH, expanded */
	Endpoint *source;            /* as the last statement that read it resolved it */
	bool inferred;               /* the schema comes from the data */
	struct CatalogEntry **reads; /* names that its query mentions */
	uint32_t read_count;
	bool tried;     /* some statement used it: an error in it has been reported */
	bool resolved;  /* a use took the options it understands */
	bool expanding; /* its query is being bound: a cycle if met again */
	bool final;     /* a TABLE of sources that end: who reads it reads its final results */
} CatalogEntry;

struct Catalog {
	CatalogEntry **entries;
	uint32_t count;
	uint32_t capacity;
};

/* By name, ASCII case ignored, or NULL. */
CatalogEntry *catalog_find(const Catalog *catalog, Str name);
/* An error if the name is taken, unless `replace`. */
Status catalog_add(Catalog *catalog, Arena *arena, CatalogEntry *entry, bool replace, Position at,
		   Error *err);
/* Takes the name out; its entry stays as it is. */
void catalog_remove(Catalog *catalog, const CatalogEntry *entry);
/* FERRIS_ERR_UNKNOWN_TABLE with the nearest name. */
Status catalog_unknown(const Catalog *catalog, Name name, Error *err);

/* A type as written to a type. */
Status resolve_type(Arena *arena, const TypeName *name, const Type **out, Error *err);
/* A CREATE's columns to an entry's schema, metadata columns and primary key. */
Status resolve_columns(Arena *arena, const Statement *create, CatalogEntry *entry, Error *err);
