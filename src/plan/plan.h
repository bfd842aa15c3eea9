/* plan/plan.h -- what will be executed: read-only plans of statements.
 *
 * plan_script (plan/planner.c) turns parsed statements into plans: a tree of nodes per query, from
 * the sink at the top to the scan at the bottom.  A plan holds no state that changes while it
 * runs; each task builds its own operators from it (exec/), so a plan can be explained, compared
 * and run twice.  Everything lies in the planner's arena. */
#pragma once

#include "connector/connector.h"
#include "func/bound.h"
#include "sql/parser.h"

typedef struct PlanNode PlanNode;

typedef enum PlanKind {
	PLAN_SCAN,    /* records of a source, decoded */
	PLAN_FILTER,  /* rows for which all conjuncts are true */
	PLAN_PROJECT, /* expressions over the input's columns */
	PLAN_LIMIT,   /* OFFSET and LIMIT in order of arrival */
} PlanKind;

/* What a column of a scan is filled from. */
typedef enum ScanSource {
	SCAN_FIELD,     /* a field of the record */
	SCAN_TIMESTAMP, /* _timestamp: the broker's, NULL from files */
	SCAN_OFFSET,    /* _offset: topic: the broker's; file: byte offset of the record */
	SCAN_PARTITION, /* _partition: of the topic; file: number of the file */
	SCAN_TOPIC,     /* _topic: its name; file: its path */
	SCAN_KEY,       /* _key: the message key */
	SCAN_HEADER,    /* HEADER('name') */
} ScanSource;

typedef struct ScanColumn {
	Str name;
	const Type *type;
	bool not_null;
	ScanSource source;
	Str header;      /* SCAN_HEADER */
	VectorForm form; /* TEXT: only passed through to the sink */
	bool used;       /* some expression or the sink reads it */
} ScanColumn;

/* A source or a sink with its options resolved. */
typedef struct Endpoint {
	Str name;
	const ConnectorClass *connector;
	const CodecClass *codec;
	Setting *common; /* endpoint_options */
	Setting *connector_settings;
	Setting *codec_settings;
	Options given; /* every option that applies to it */
} Endpoint;

struct PlanNode {
	PlanKind kind;
	Position position;
	PlanNode *input; /* NULL for SCAN */
	Schema schema;   /* the columns it yields */
	union {
		struct {
			const Endpoint *endpoint;
			const Schema *record; /* all fields of the record, in declared order */
			ScanColumn *columns;  /* one per field of `schema` */
			DecodeColumn *decode; /* filled by plan_push_down; targets index `schema` */
			uint32_t decode_count;
			DecodePredicate *predicates;
			BoundExpr **predicate_exprs; /* the same as SQL, for EXPLAIN */
			uint32_t predicate_count;
		} scan;
		struct {
			BoundExpr **conjuncts;
			uint32_t count;
		} filter;
		struct {
			BoundExpr **exprs; /* one per field of `schema` */
			bool *key;         /* marked PRIMARY KEY in the select list */
		} project;
		struct {
			int64_t count; /* INT64_MAX: no LIMIT */
			int64_t offset;
		} limit;
	};
};

/* Settings that belong to a statement as a whole: the rows of job_options, by this index. */
typedef enum JobOption {
	JOB_PARALLELISM,
	JOB_FAILURE_STRATEGY,
	JOB_DLQ_PATH,
	JOB_DLQ_TOPIC,
	JOB_MAX_RETRIES,
	JOB_RETRY_BACKOFF,
	JOB_COMMIT_INTERVAL,
	JOB_GUARANTEE,
	JOB_OPTION_COUNT
} JobOption;

typedef enum FailureStrategy {
	FAILURE_FAIL_BATCH,
	FAILURE_LOG_AND_CONTINUE,
	FAILURE_SEND_TO_DLQ,
	FAILURE_RETRY_WITH_BACKOFF,
} FailureStrategy;

typedef enum Guarantee {
	GUARANTEE_EXACTLY_ONCE,
	GUARANTEE_AT_LEAST_ONCE,
	GUARANTEE_AT_MOST_ONCE,
} Guarantee;

typedef enum EndpointOption {
	ENDPOINT_CONNECTOR,
	ENDPOINT_FORMAT,
	ENDPOINT_SAMPLE_BYTES,
	ENDPOINT_OPTION_COUNT
} EndpointOption;

extern const OptionGroup job_options;
extern const OptionGroup endpoint_options;

/* A statement that moves records. */
typedef struct StatementPlan {
	Str name; /* of the stream it creates, or "query_<n>" */
	const Statement *statement;
	PlanNode *root;
	const Endpoint *sink;         /* of a plain SELECT: the console */
	const Endpoint *dead_letters; /* of SendToDLQ; else NULL */
	bool is_select;               /* a plain SELECT: --limit applies */
	uint32_t *key_columns;        /* output columns that are the record's key, in order */
	uint32_t key_count;           /* 0: the source record's key goes through */
	Setting *job;                 /* job_options */
} StatementPlan;

typedef struct Catalog Catalog;

typedef struct ScriptPlan {
	StatementPlan **items;
	uint32_t count;
	Catalog *catalog;
} ScriptPlan;

typedef struct PlanInput {
	const Script *script;
	Str application;       /* for consumer groups: from -- SQL Application: or the file name */
	Options settings;      /* --set of the command line */
	Str output_format;     /* codec for the rows of a plain SELECT: "table", "json", "csv" */
	Str select_connector;  /* where those rows go; empty: the console */
	Str default_connector; /* of streams that name none; empty: they must */
	void *environment;     /* passed on to connectors */
	bool offline;          /* infer no schema: explain and check without --live */
} PlanInput;

/* Plans every statement of the script.  Each statement that cannot be planned adds one error to
 * `errors`; the others are planned all the same.  Returns the first error's status. */
Status plan_script(Arena *arena, const PlanInput *input, ScriptPlan **plan, ErrorList *errors);

/* Plan text for EXPLAIN, one node a line, indented. */
Str plan_explain(Arena *arena, const StatementPlan *plan);
/* The same with effective options, one JSON object in the form of docs/configuration.md. */
Str plan_explain_json(Arena *arena, const ScriptPlan *plan);
