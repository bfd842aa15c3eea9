/* plan/plan.h -- what will be executed: read-only plans of statements.
 *
 * plan_script (plan/planner.c) turns parsed statements into plans: a tree of nodes per query, from
 * the sink at the top to the scan at the bottom.  A plan holds no state that changes while it
 * runs; each task builds its own operators from it (exec/), so a plan can be explained, compared
 * and run twice.  Everything lies in the planner's arena. */
#pragma once

#include "connector/connector.h"
#include "func/aggregate.h"
#include "sql/parser.h"

typedef struct PlanNode PlanNode;

typedef enum PlanKind {
	PLAN_SCAN,        /* records of a source, decoded */
	PLAN_FILTER,      /* rows for which all conjuncts are true */
	PLAN_PROJECT,     /* expressions over the input's columns */
	PLAN_LIMIT,       /* OFFSET and LIMIT in order of arrival */
	PLAN_WATERMARK,   /* event time: how far it has come before each row */
	PLAN_AGGREGATE,   /* groups of rows, of the whole input or of windows of time */
	PLAN_JOIN,        /* rows of the input with the rows of a bounded table */
	PLAN_DISTINCT,    /* rows that were not there before */
	PLAN_SORT,        /* all rows in order, when the input ends */
	PLAN_OVER,        /* window functions: each row with what its partition says about it */
	PLAN_LATE,        /* the rows that come too late for a window, instead of its results */
	PLAN_UNNEST,      /* each row once for every element of its arrays */
	PLAN_WINDOW,      /* each row once for every window that it belongs to */
	PLAN_UNION,       /* the rows of several inputs */
	PLAN_SET,         /* rows that both of two inputs have, or only the first */
	PLAN_STREAM_JOIN, /* rows of two inputs that meet, each kept for the other */
	PLAN_TABLE,       /* records by primary key: a record replaces the one of its key */
	PLAN_LOOKUP,      /* each row with what subqueries in expressions say about it */
	/* rows of the left, each with one row of the right: that of its time */
	PLAN_VERSIONED_JOIN,
} PlanKind;

/* How rows are cut into windows by their time. */
typedef enum WindowShape {
	SHAPE_NONE,     /* one window: everything */
	SHAPE_HOP,      /* every `advance` a window of `size` begins; TUMBLE: advance = size */
	SHAPE_CUMULATE, /* every `size`; results after each `advance` of it */
	SHAPE_SESSION,  /* rows of a key less than `size` apart */
} WindowShape;

/* Times in the unit of the time column: microseconds of a TIMESTAMP, or a BIGINT's own. */
typedef struct WindowPlan {
	WindowShape shape;
	BoundExpr *time; /* over the input's columns */
	int64_t size;    /* SESSION: the gap */
	int64_t advance;
	int64_t offset;
	int64_t grace; /* late rows are taken so long after the window's end */
	bool of_rows;  /* a WINDOW node below has cut them: its bounds are keys of the groups */
} WindowPlan;

/* What a join puts out. */
typedef enum JoinShape {
	SHAPE_INNER,
	SHAPE_LEFT, /* a row of the left without a match comes out with NULLs */
	SHAPE_RIGHT,
	SHAPE_FULL,
	SHAPE_SEMI, /* rows of the left that have a match, once */
	SHAPE_ANTI, /* rows of the left that have none */
} JoinShape;

/* Which row of its key on the right a row of the left gets. */
typedef enum Version {
	VERSION_UP_TO,  /* the newest whose time is not after its own */
	VERSION_BEFORE, /* the newest whose time is before its own */
	VERSION_FROM,   /* the oldest whose time is not before its own */
	VERSION_AFTER,  /* the oldest whose time is after its own */
	VERSION_LATEST, /* the last that has arrived: a table's row */
} Version;

/* A column of an UNNEST node that is not its input's. */
typedef struct UnnestColumn {
	uint32_t array; /* of which array or map; UNNEST_ORDINALITY: the element's number */
	uint32_t child; /* ARRAY: 0; MAP: 0 the key, 1 the value */
	int32_t field;  /* of the STRUCT that the element is; -1: the element itself */
} UnnestColumn;

#define UNNEST_ORDINALITY UINT32_MAX

/* Columns that a WINDOW node adds. */
#define WINDOW_COLUMNS 3

/* When the rows of an OVER node are taken. */
typedef enum OverMode {
	OVER_ARRIVAL, /* as they come */
	OVER_TIME,    /* in order of event time, when the watermark has passed them */
	OVER_SORTED,  /* partition by partition when the input ends */
	OVER_TOP,     /* ROW_NUMBER alone, of which only the first numbers are wanted */
	OVER_BATCHES, /* the same at every watermark: results of windows that have closed */
} OverMode;

typedef enum OverFunction {
	OVER_ROW_NUMBER,
	OVER_RANK,
	OVER_DENSE_RANK,
	OVER_PERCENT_RANK,
	OVER_CUME_DIST,
	OVER_NTILE,
	OVER_LAG,
	OVER_LEAD,
	OVER_FIRST_VALUE,
	OVER_LAST_VALUE,
	OVER_NTH_VALUE,
	OVER_AGGREGATE,
} OverFunction;

/* The rows a call looks at; both ends belong to it. */
typedef struct OverFrame {
	FrameUnit unit;
	FrameBoundKind start;
	FrameBoundKind end;
	int64_t first; /* ROWS, GROUPS: where it starts and ends, from the row on */
	int64_t last;
	BoundExpr *key;  /* RANGE with an offset: the order key, and its bounds for the row */
	BoundExpr *low;  /* or NULL */
	BoundExpr *high; /* or NULL */
	int64_t delay;   /* RANGE over time: it ends so long after the row */
} OverFrame;

typedef struct OverKey {
	BoundExpr *expr;
	bool descending;
	bool nulls_first;
} OverKey;

typedef struct OverCall {
	OverFunction function;
	const Type *type;
	Str text; /* as written */
	Position position;
	BoundExpr *value;         /* of LAG, LEAD, FIRST_VALUE, LAST_VALUE, NTH_VALUE */
	BoundExpr *otherwise;     /* LAG, LEAD: where there is no such row; or NULL */
	int64_t number;           /* LAG, LEAD: rows away; NTILE: tiles; NTH_VALUE: which */
	bool ignores_nulls;       /* only rows whose value is not NULL count */
	AggregateCall *aggregate; /* OVER_AGGREGATE */
	OverFrame frame;
} OverCall;

/* What a subquery in an expression is asked for. */
typedef enum LookupKind {
	LOOKUP_EXISTS, /* is there a row? */
	LOOKUP_ANY,    /* is there a row that the values compare with: IN, op ANY, op ALL */
	LOOKUP_SCALAR, /* the value of its one row, NULL if it has none */
} LookupKind;

/* A subquery: bounded, read before the input begins.  Where it depends on the row, the keys of the
 * row say which of its rows are meant; a NULL among them means none. */
typedef struct Lookup {
	LookupKind kind;
	CompareOp op;      /* ANY */
	bool first;        /* SCALAR: the first of several rows counts; else they are an error */
	bool guarded;      /* one more column says whether the row of its key counts */
	PlanNode *query;   /* its columns: the keys, then the values */
	PlanNode *nothing; /* the values it yields where no row has the keys; NULL: no row */
	BoundExpr **args;  /* over the node's input: the keys, then (ANY) what is compared */
	uint32_t key_count;
	uint32_t value_count;
	const Type *type; /* of the answer */
	Str text;
	Position position;
} Lookup;

static inline uint32_t
lookup_arg_count(const Lookup *lookup)
{
	return lookup->key_count + (lookup->kind == LOOKUP_ANY ? lookup->value_count : 0);
}

/* When a result is put out. */
typedef enum EmitMode {
	EMIT_EACH_CHANGE, /* after each row that changes it */
	EMIT_ONCE_FINAL,  /* once: when the window closes or the input ends */
} EmitMode;

/* What a column of a scan is filled from. */
typedef enum ScanSource {
	SCAN_FIELD,     /* a field of the record */
	SCAN_TIMESTAMP, /* _timestamp: the broker's, NULL from files */
	SCAN_OFFSET,    /* _offset: topic: the broker's; file: byte offset of the record */
	SCAN_PARTITION, /* _partition: of the topic; file: number of the file */
	SCAN_TOPIC,     /* _topic: its name; file: its path */
	SCAN_KEY,       /* _key: the message key */
	SCAN_HEADER,    /* HEADER('name') */
	SCAN_DELETED,   /* whether the record's value is null */
	SCAN_HEADERS,   /* _headers: MAP<STRING, STRING>, NULL from files */
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

typedef enum EndpointRole {
	ROLE_SOURCE,
	ROLE_SINK,
} EndpointRole;

typedef enum BatchStrategy {
	BATCH_NONE,
#define STRATEGY(id, name, doc) BATCH_##id,
#include "plan/batch_strategy_list.h"
	BATCH_STRATEGY_COUNT,
} BatchStrategy;

typedef enum BatchAlignment { BATCH_BY_CLOCK, BATCH_BY_EVENT_TIME } BatchAlignment;

/* What plan/batch_strategy.h makes of the options of batches; a field that the strategy has no
 * parameter for is 0. */
typedef struct BatchPlan {
	BatchStrategy strategy;
	bool disabled;     /* each record is handed on alone */
	Setting *common;   /* batch_options; NULL: no option of batches is given */
	Setting *settings; /* the strategy's */
	int64_t size, initial_size, min_size, max_size; /* records */
	int64_t max_bytes;
	int64_t timeout_ms, window_ms, performance_ms, memory_check_ms, max_latency_ms;
	int64_t alignment; /* a BatchAlignment */
	double factor, memory_target, pressure;
	bool immediate, monitors;
} BatchPlan;

/* Why an option has its value although another one was said or suggested. */
typedef enum DecisionKind {
	DECISION_USER,       /* the user's word stands above the strategy's, or moves a default */
	DECISION_PRECEDENCE, /* of two words of the user, the later or the more exact */
	DECISION_STRATEGY,   /* a suggestion stands above the default */
	DECISION_GUARANTEE,  /* the guarantee stands above a suggestion or a default */
	DECISION_IDLE,       /* what the user says has no effect there */
	DECISION_COUNT,
} DecisionKind;

typedef struct Decision {
	DecisionKind kind;
	Str name;
	Str value;
	const char *origin;
	Str displaced; /* the value that does not count; {NULL, 0}: there was none */
	Str reason;    /* for people */
} Decision;

typedef struct Decisions {
	Decision *items;
	uint32_t count;
	uint32_t capacity;
} Decisions;

/* A source or a sink with its options resolved. */
typedef struct Endpoint {
	Str name;
	const ConnectorClass *connector;
	const CodecClass *codec;
	Setting *common; /* endpoint_options */
	Setting *connector_settings;
	Setting *codec_settings;
	Options given; /* every option that applies to it, those of less weight first */
	BatchPlan batch;
	Decisions decisions;
} Endpoint;

/* The options of its connector and of its codec on that side. */
static inline const OptionGroup *
connector_options(const ConnectorClass *connector, EndpointRole role)
{
	return role == ROLE_SOURCE ? &connector->source_options : &connector->sink_options;
}

static inline const OptionGroup *
codec_options(const CodecClass *codec, EndpointRole role)
{
	return role == ROLE_SOURCE ? &codec->decode_options : &codec->encode_options;
}

struct PlanNode {
	PlanKind kind;
	Position position;
	PlanNode *input;   /* NULL for SCAN and where there are several: */
	PlanNode **inputs; /* of UNION, SET: each a Project, with sources of its own */
	uint32_t input_count;
	Schema schema; /* the columns it yields */
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
			Str time_column;      /* its column */
			bool null_rows;       /* a null value is a row of NULLs: it deletes */
			const Statement *declaration; /* CREATE STREAM ... (...), or NULL */
			bool first; /* a table: the other sources wait until it was read */
			bool shuffled; /* by plan/repartition.c: it reads a topic of its own, whose
					  partitions were chosen by */
			bool *route;   /* these columns, */
			bool route_is_columns; /* and nothing else */
		} scan;
		struct {
			BoundExpr **conjuncts;
			uint32_t count;
		} filter;
		struct {
			BoundExpr **exprs; /* one per field of `schema` */
			bool *key;         /* marked PRIMARY KEY in the select list */
			bool declared;     /* computed columns of a declaration */
		} project;
		struct {
			int64_t count; /* INT64_MAX: no LIMIT */
			int64_t offset;
		} limit;
		struct {
			BoundExpr *expr; /* TIMESTAMP or BIGINT; NULL does not move it */
		} watermark;
		struct {
			BoundExpr **keys; /* the first columns of the schema */
			uint32_t key_count;
			uint32_t marker_count; /* of the keys, last: constants, one for each key
						  before them and in the same sets, by which
						  GROUPING() knows the set */
			uint64_t *sets; /* GROUPING SETS: bit k says that keys[k] is in the set */
			uint32_t set_count;    /* 1: a plain GROUP BY */
			WindowPlan window;     /* unless SHAPE_NONE: then come _window_start and
						  _window_end */
			AggregateCall **calls; /* the last columns of the schema */
			uint32_t call_count;
			EmitMode emit;
			bool retracts; /* rows of the input may be taken back, or results are */
			bool before;   /* with each changed result comes the one it replaces */
		} aggregate;
		struct {
			JoinShape shape;  /* no RIGHT, no FULL */
			PlanNode *right;  /* its first columns are the keys */
			BoundExpr **keys; /* over the input's columns; equal to the right's */
			uint32_t key_count;
			BoundExpr **left; /* the input's columns that come out, first */
			uint32_t left_count;
			uint32_t right_count; /* columns of the right after its keys, last */
			BoundExpr *residual;  /* over those of the left, then the right: rows meet
						 only if it holds; or NULL */
		} join;
		/* STREAM_JOIN and VERSIONED_JOIN.  Each input's columns: the keys, the time if
		 * timed, those that come out. */
		struct {
			JoinShape shape;
			uint32_t key_count;
			bool timed; /* rows meet if low <= right time - left time <= high */
			int64_t low;
			int64_t high;
			int64_t grace;
			uint32_t left_count; /* columns of the left that come out */
			uint32_t right_count;
			BoundExpr *residual; /* over those of the left, then the right; or NULL */
			bool changes;        /* rows of an input are taken back */
			bool endless;        /* no time bounds what an endless input leaves here */
			Version version;     /* of VERSIONED_JOIN */
		} stream_join;
		struct {
			SetOp op;     /* INTERSECT or EXCEPT */
			bool all;     /* as often as they are there */
			bool endless; /* what it keeps grows with the inputs, for ever */
		} set;
		struct {
			OverKey *keys; /* columns of the input */
			uint32_t count;
			int64_t keep; /* so many rows are wanted; INT64_MAX: all */
		} sort;
		struct {
			OverMode mode;
			BoundExpr **left; /* the input's columns that come out, first */
			uint32_t left_count;
			BoundExpr **partition;
			uint32_t partition_count;
			OverKey *order; /* OVER_TIME: the first is the event time */
			uint32_t order_count;
			OverCall *calls; /* the next columns of the schema */
			uint32_t call_count;
			bool numbered; /* and last the rows' numbers in order of arrival, */
			BoundExpr
				*number; /* by which nodes above keep ties in that order; or NULL */
			BoundExpr *idle; /* EXPIRE AFTER: the time that counts; or NULL */
			int64_t idle_time; /* without a row for so long a partition begins anew */
			bool endless; /* SORTED, but the input does not end: refused unless TOP */
			uint64_t top; /* TOP: so many rows of each partition */
			bool number_read; /* TOP: somebody above reads the numbers */
			bool final;       /* TOP: rows come out once, when the input ends */
		} over;
		struct {
			PlanNode *window; /* AGGREGATE or OVER that would count them as late; its
					     expressions read the columns of this node's input */
		} late;
		struct {
			bool outer;       /* a row without elements comes out with NULLs */
			bool sessions;    /* of the rows of sessions: left are their bounds */
			BoundExpr **left; /* the input's columns that come out, first */
			uint32_t left_count;
			BoundExpr **arrays; /* ARRAY or MAP, element by element side by side */
			uint32_t array_count;
			UnnestColumn *columns; /* the last columns of the schema */
			uint32_t column_count;
		} unnest;
		struct {
			WindowPlan plan;     /* HOP or CUMULATE */
			BoundExpr **left;    /* the input's columns that come out, first */
			uint32_t left_count; /* then start, end and the last moment of the window */
		} window;
		struct {
			BoundExpr **left; /* the input's columns that come out: all */
			uint32_t left_count;
			BoundExpr **keys;
			uint32_t key_count;
			BoundExpr *deleted;
			bool final; /* rows come out once, when the input ends */
		} table;
		struct {
			BoundExpr **left; /* the input's columns that come out, first */
			uint32_t left_count;
			Lookup *calls; /* the last columns of the schema */
			uint32_t call_count;
		} lookup;
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
	JOB_COMMIT_ROWS,
	JOB_COMMIT_BYTES,
	JOB_GUARANTEE,
	JOB_USE_TRANSACTIONS,
	JOB_STATE_LIMIT,
	JOB_STATE_UNBOUNDED,
	JOB_STATE_SPILL,
	JOB_STATE_DIR,
	JOB_STATE_DISK,
	JOB_STATE_COPY_INTERVAL,
	JOB_STATE_PARTITIONED,
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

/* How a statement with exactly-once goes on after a crash. */
typedef enum Recovery {
	RECOVERY_NONE,    /* another guarantee */
	RECOVERY_SINK,    /* output, positions and state are in the sink's transactions and log */
	RECOVERY_JOURNAL, /* state/journal.h: positions, state, how much of the output is final */
	RECOVERY_ANEW,    /* it reads all of its input again, and replaces its output */
} Recovery;

typedef enum EndpointOption {
	ENDPOINT_CONNECTOR,
	ENDPOINT_FORMAT,
	ENDPOINT_SAMPLE_BYTES,
	ENDPOINT_WATERMARK_DELAY,
	ENDPOINT_IDLE_TIMEOUT,
	ENDPOINT_VALUE_NULL,
	ENDPOINT_CHANGELOG,
	ENDPOINT_OPTION_COUNT
} EndpointOption;

/* How a sink says that rows replace others or go. */
typedef enum ChangelogMode {
	CHANGELOG_APPEND,   /* it does not: results that change are further rows */
	CHANGELOG_UPSERT,   /* by key: a row replaces the one of its key, a null value deletes it */
	CHANGELOG_RETRACT,  /* a first column _op says +I, -U, +U or -D */
	CHANGELOG_DEBEZIUM, /* JSON objects of before, after and op */
} ChangelogMode;

/* The option groups of all connectors and codecs, with room for one more. */
size_t endpoint_groups(Arena *arena, const OptionGroup ***out);
extern const OptionGroup job_options;
extern const OptionGroup endpoint_options;
/* Whether one of them is of that side: connector and format are of both. */
bool endpoint_option_is_of(uint32_t option, EndpointRole role);

/* An answer that is known only when its turn has come: about the statements above it. */
typedef enum ReportKind {
	REPORT_NONE, /* the statement moves records, or its answer is in the plan */
	REPORT_JOBS,
	REPORT_STATUS,
	REPORT_METRICS,
	REPORT_PARTITIONS,
	REPORT_WATERMARKS,
	REPORT_ANALYZE,
} ReportKind;

/* SET_HEADER, REMOVE_HEADER: what becomes of a header of the records that are written. */
typedef struct SinkHeader {
	Str name;
	bool removed;
	uint32_t column; /* of the root, unless it is removed: its text, NULL for no header */
	Position position;
} SinkHeader;

/* A statement that moves records. */
typedef struct StatementPlan {
	Str name; /* of the stream it creates, or "query_<n>" */
	const Statement *statement;
	PlanNode *root;
	PlanNode **scans; /* what is read while it runs, by plan_scans */
	uint32_t scan_count;
	const Endpoint *sink;         /* of a plain SELECT: the console */
	const Endpoint *dead_letters; /* of SendToDLQ; else NULL */
	bool is_select;               /* a plain SELECT: --limit applies */
	uint32_t *key_columns;        /* output columns that are the record's key, in order */
	uint32_t key_count;           /* 0: the source record's key goes through */
	SinkHeader *headers;          /* each name once; others of the source's go through */
	uint32_t header_count;
	uint32_t header_columns;      /* the root's last columns: headers, not of the record */
	Setting *job;                 /* job_options */
	Guarantee guarantee;          /* by plan/guarantee.c, */
	Decisions decisions;          /* about the options of the job */
	const char *guarantee_reason; /* and why that one; */
	Recovery recovery;            /* and how it is kept */
	bool partitioned; /* each partition of the sources has its own state and event time, and
			     goes with it from process to process */
	bool shuffles;    /* it stands in front of another one: plan/repartition.c */
	bool begins_anew; /* its input ends, its output is replaced: it may read all again */
	bool waits;       /* SHOW and its kin: the statements above come first, if they end */
	ReportKind report;
	Str report_name;                /* of the one statement that is asked for; no data: all */
	const PlanNode *report_source;  /* REPORT_PARTITIONS: the scan */
	Setting *report_rows;           /* where the answer is put, of connector/values.c */
	struct StatementPlan *analyzed; /* REPORT_ANALYZE: the statement to run */
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
	Str select_path;       /* then, of the file; empty: it is none */
	Str default_connector; /* of streams that name none; empty: they must */
	void *environment;     /* passed on to connectors */
	bool offline;          /* infer no schema: explain and check without --live */
} PlanInput;

/* Plans every statement of the script.  Each statement that cannot be planned adds one error to
 * `errors`; the others are planned all the same.  Returns the first error's status. */
Status plan_script(Arena *arena, const PlanInput *input, ScriptPlan **plan, ErrorList *errors);

/* After plan_script: the first of the settings that no statement took is an error of the command
 * line. */
Status plan_check_settings(Arena *arena, const ScriptPlan *script, const Options *settings,
			   Error *err);

/* The same statement, but its rows are forgotten when they are encoded. */
StatementPlan *plan_without_output(Arena *arena, const StatementPlan *plan);

/* ---- plan/tree.c: walks over the nodes of a plan */

/* The first node below that has not one input: a scan, or a node of several inputs. */
PlanNode *plan_leaf(PlanNode *node);
/* All scans that are read side by side, from left to right: not the tables that a join reads before
 * it begins. */
PlanNode **plan_scans(Arena *arena, PlanNode *root, uint32_t *count);
#define PLAN_BIT(kind) (UINT32_C(1) << (kind))
/* Whether the node or one below it, tables apart, is of one of the kinds: PLAN_BIT of each. */
bool plan_has(const PlanNode *node, uint32_t kinds);
/* Whether everything below the node ends by itself. */
bool plan_is_bounded(const PlanNode *node);
/* Whether rows go into state and come out of it as results, in the books of job/job.h. */
bool plan_counts_results(const StatementPlan *plan);
/* Whether the plan keeps state from chunk to chunk: then one pipeline must see them all, in order.
 */
bool plan_is_stateful(const StatementPlan *plan);
/* Whether some operator wants ticks. */
bool plan_wants_ticks(const StatementPlan *plan);

/* The consumer group of the statement's sources if they name none; */
const char *plan_default_group(Arena *arena, Str application, const StatementPlan *plan);
/* and the one by which the brokers know the statement: that of its first source. */
const char *plan_first_group(Arena *arena, Str application, const StatementPlan *plan);

/* Plan text for EXPLAIN, one node a line, indented. */
Str plan_explain(Arena *arena, const StatementPlan *plan);
/* The same with effective options, one JSON object in the form of docs/configuration.md. */
Str plan_explain_json(Arena *arena, const ScriptPlan *plan);
/* Its list of options alone; `all`: libraries' own defaults too. */
void plan_options_json(const StatementPlan *plan, bool all, Buffer *out);
/* One node of plan_explain, without its inputs. */
Str plan_explain_node(Arena *arena, const PlanNode *node);
