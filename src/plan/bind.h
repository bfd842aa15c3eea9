/* plan/bind.h -- names and types: from the parser's trees to bound expressions and plan nodes.
 *
 * bind_query (plan/bind_select.c) builds the nodes of a query, bind_expr (plan/bind_expr.c) the
 * expressions in it.  Both report the first error with its position in the SQL. */
#pragma once

#include "plan/catalog.h"
#include "plan/fixed_rows.h"

/* A column that an expression may name. */
typedef struct ScopeColumn {
	Str qualifier; /* alias or name of its relation */
	Str name;
	const Type *type;
	uint32_t index; /* in the input node's schema */
	bool hidden;    /* a system column: not part of * */
	bool shadowed;  /* USING has made one of it and another: found by its qualifier only */
} ScopeColumn;

typedef struct Grouping Grouping;
typedef struct OverList OverList;
typedef struct Correlation Correlation;
/* Common table expressions in scope, innermost first. */
typedef struct CteScope CteScope;

/* Subqueries of expressions: each is a column, whose place is known when the nodes below are. */
typedef struct LookupList {
	Lookup *items;
	uint32_t count;
	uint32_t capacity;
} LookupList;

typedef struct Scope {
	ScopeColumn *columns;
	uint32_t count;
	PlanNode *scan; /* the input if it is a scan: HEADER('k') adds columns to it; else NULL */
	const ScopeColumn *time; /* that of the stream's WATERMARK; NULL: none, or not known */
	Grouping *grouping;      /* of a grouped query's select list, HAVING, ...; else NULL */
	OverList *over;          /* where window functions may stand; else NULL */
	LookupList *lookups;     /* where subqueries may stand; else NULL */
	Correlation *outer;      /* in a subquery: the query around it; else NULL */
	const CteScope *ctes;    /* what a subquery may read */
	const char *what;        /* "WHERE", "the select list": for messages */
} Scope;

/* The headers that the statement's own select list sets. */
typedef struct HeaderList {
	const SelectItem *of; /* the items of that list; NULL: none may */
	SinkHeader *items;    /* columns: numbers among `values` */
	uint32_t count;
	BoundExpr **values;
	uint32_t value_count;
} HeaderList;

typedef struct Binder {
	Arena *arena;
	const PlanInput *input;
	Catalog *catalog;
	Options with; /* the statement's trailing WITH and --set, expanded */
	Str statement_name;
	bool final; /* a query around this one waits for the end: groups come out once */
	bool source_undeclared; /* a source took the unprefixed connector options of `with` */
	const Options *session; /* what SET gave: it counts less than every WITH */
	CatalogEntry **reads;   /* declared names that the query mentions, for DROP */
	uint32_t read_count;
	uint32_t read_capacity;
	const Endpoint *source; /* the last source bound: a default for the sink */
	bool versions; /* the table being bound is wanted with all its versions, as a stream */
	Str sink_name; /* of the sink, once it is looked for */
	bool resumes;  /* some source goes on where the last run stopped */
	HeaderList headers;
	uint32_t views; /* streams whose queries are being bound in place */
	Correlation *correlation; /* of the subquery that is being bound; else NULL */
	uint32_t subquery_depth;
	Error *err;
} Binder;

/* The expression with every name and type resolved and constants folded. */
Status bind_expr(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* The same before constants are folded: for parts of an expression. */
Status bind_any(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* MAP, STRUCT and NAMED_STRUCT, whose arguments are bound in their own way. */
bool is_constructor(Str name);
/* A call of one of these, or a row in parentheses. */
Status bind_constructor(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* (a, b) = (c, d) and <>; (a, b) IN ((c, d), ...) without its NOT. */
Status bind_row_compare(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
Status bind_row_in(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* The same, and it must be BOOLEAN; `what` is "WHERE", "ON", ... */
Status bind_predicate(Binder *binder, Scope *scope, const Expr *expr, const char *what,
		      BoundExpr **out);
/* A query's nodes, without a sink. */
Status bind_query(Binder *binder, const Query *query, PlanNode **out);
/* Names in `schema` as an error hint: "trades has: trade_id, symbol, ...". */
Status unknown_column(Binder *binder, const Scope *scope, const Name *name);

/* ---- plan/bind_select.c, plan/bind_join.c */

/* A query inside another. */
Status bind_nested(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out);
/* What stands in FROM: its nodes and the columns that can be named. */
Status bind_from(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
		 Scope *scope);
/* FOR SYSTEM_TIME AS OF where nothing says what joins the table. */
Status refuse_as_of(Binder *binder, const Relation *relation);
Status bind_join(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
		 Scope *scope);
/* A query's nodes where the common table expressions can be named. */
Status bind_nested(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out);
/* The columns of the node under their names. */
Scope make_scope(Binder *binder, PlanNode *input, Str qualifier);
/* The rows of `input` for which the predicate is true. */
PlanNode *filter_over(Binder *binder, PlanNode *input, BoundExpr *predicate);
/* FERRIS_ERR_NOT_SUPPORTED for something that the grammar has and this version has not; `instead`
 * is what does the same. */
Status not_yet(Binder *binder, Position at, const char *what, const char *instead);

/* ---- plan/expr_calls.c */

/* Whether a call or a column in the expression passes the test, outside of subqueries. */
typedef bool (*CallTest)(const Expr *expr);
bool expr_has_call(const Expr *expr, CallTest test);

/* ---- plan/bind_header.c */

/* From now on the select list of the query may set headers of what the statement writes. */
void begin_headers(Binder *binder, const Query *query);
/* HEADER('k'), HAS_HEADER('k'), HEADER_KEYS(); *out is NULL if it is another call. */
Status bind_header_call(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* SET_HEADER(...) or REMOVE_HEADER(...). */
bool is_header_change(const Expr *expr);
/* The same as an item of a select list.  *out is what the column of its alias holds; NULL: it has
 * none, and no column. */
Status bind_header_item(Binder *binder, Scope *scope, const Select *select, const SelectItem *item,
			BoundExpr **out);
/* How many columns behind the record's own the plan's root has for headers. */
uint32_t header_columns(const Binder *binder);
/* The headers for the plan of that root; an error if its sink has none. */
Status take_headers(Binder *binder, StatementPlan *plan, const PlanNode *root);
/* A stream inside the process has no headers either. */
Status refuse_headers(Binder *binder, const char *where);

/* ---- plan/bind_computed.c */

/* The stream's columns with those that its declaration computes, in declared order. */
Status bind_computed(Binder *binder, const CatalogEntry *entry, PlanNode **root);
/* What a column holds that INSERT does not name: its DEFAULT, or NULL. */
Status bind_missing_column(Binder *binder, const Statement *declaration, const Field *field,
			   Position at, BoundExpr **out);
/* The expression of the declaration's WATERMARK over the columns of the scan. */
Status bind_declared_watermark(Binder *binder, PlanNode *scan, const Watermark *watermark,
			       BoundExpr **out);

/* ---- plan/window_where.c */

typedef enum WindowBound { WINDOW_BOUND_NONE, WINDOW_BOUND_START, WINDOW_BOUND_END } WindowBound;

/* What the name means where there is a window: window_start, _window_end, TUMBLE_END(...). */
WindowBound window_bound(const Expr *expr);

/* Whether WHERE compares the bounds of the window of FROM with columns of the rows: then they are
 * needed as columns. */
bool where_mixes_bounds(const Select *select);
/* The conditions that WHERE joins by AND. */
ExprList conjuncts_of(Expr **where);
/* The conditions joined by AND, in the place of `like`; NULL if there are none. */
Expr *joined_conditions(Binder *binder, const ExprList *list, const Expr *like);
/* The select with what WHERE says of its window's bounds in HAVING: it chooses groups. */
const Select *bounds_to_having(Binder *binder, const Scope *scope, const Select *select);

/* ---- plan/bind_group.c */

/* Whether the query groups: GROUP BY, a window, or an aggregate somewhere. */
bool is_grouped(const Select *select);
/* FROM is a table function of windows and GROUP BY names a bound of them: the groups are the
 * windows'. Else the windows are columns of the rows. */
bool groups_by_window(Binder *binder, const Select *select);
/* Binds GROUP BY over `input` and makes the aggregate node over `node`; expressions bound in the
 * returned scope see its groups, and add the aggregates they mention to the node. */
Status bind_grouping(Binder *binder, Scope *input, const Query *query, const Select *select,
		     const WindowPlan *window, EmitKind emit, PlanNode *node, Scope *out,
		     PlanNode **aggregate);
/* While binding in a grouped scope: *out is set if the expression is a group key, a window's bound
 * or an aggregate; NULL if it must be looked into. */
Status bind_grouped(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* Fixes the node's schema after everything was bound. */
void finish_grouping(Binder *binder, Scope *scope);
/* Keys, bounds of the window, calls. */
void set_group_schema(Binder *binder, PlanNode *node);
/* Event time and the window's time count in one unit. */
Status check_watermark(Binder *binder, const WindowPlan *window, const PlanNode *node);
/* The item of GROUP BY over `input`; false if it is not simply a column. */
bool bind_group_column(Binder *binder, const Scope *input, const Select *select, const Expr *item,
		       BoundExpr **out);

/* ---- plan/bind_window_clause.c */

/* Whether the query has a window of its own. */
bool groups_have_window(Binder *binder, const Select *select);
/* The window that the query asks for by WINDOW, by a function in GROUP BY or in FROM; its time and
 * durations are bound over `input`.  SHAPE_NONE if there is none. */
Status bind_window(Binder *binder, Scope *input, const Select *select, const Relation *function,
		   WindowPlan *out);
/* A duration constant in the unit of a time column: microseconds, or milliseconds of a BIGINT;
 * `zero`: it may be 0. */
Status bind_duration(Binder *binder, const Expr *expr, const Type *time, bool zero, int64_t *out);
/* TUMBLE(...) and the like: a call that stands for a window. */
bool is_window_call(const Expr *expr);
/* TUMBLE_START(time, size) must mean the query's window; the call is bound over `input`. */
Status check_window_call(Binder *binder, const Scope *input, const WindowPlan *of_query,
			 const Expr *expr);

/* ---- plan/event_time.c */

/* Whether the column is the time that its stream declares a watermark for. */
bool is_declared_time(const PlanNode *node, uint32_t column);
/* The same column of the node below, if it is handed on as it is and in order of event time. */
bool column_below(PlanNode **node, uint32_t *column);
/* Whether every stream below declares a watermark. */
bool declares_watermark(const PlanNode *node);
/* The node that makes windows of which the column is the end; no row comes for a window when the
 * watermark has passed its end.  NULL if the column is none. */
PlanNode *find_window_end(PlanNode *node, uint32_t column);
/* Puts a Watermark over each scan below *root that has none: the one that its stream declares, or,
 * of an endless source, `time` (over the columns of *root) less 'watermark.delay'. */
Status add_time_watermark(Binder *binder, BoundExpr *time, PlanNode **root);
/* Over each scan that is read in batches of event time, if it has none yet; an error if its stream
 * declares none. */
Status add_batch_watermarks(Binder *binder, PlanNode **root);

/* ---- plan/bind_table.c */

/* Puts a Table over the scan of a declared table with a primary key whose source has keys and null
 * values; leaves others as they are. */
Status bind_keyed_table(Binder *binder, const CatalogEntry *entry, PlanNode **root);

/* ---- plan/bind_set.c */

/* plan/bind_distinct_on.c: DISTINCT ON as a QUALIFY; the select stays as it is without. */
Status distinct_on_as_qualify(Binder *binder, const Query *query, const Select **select);

/* UNION, INTERSECT, EXCEPT of two queries. */
Status bind_set_operation(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out);

/* ---- plan/bind_window.c */

/* Puts the rows' windows over *root, whose columns are in the scope: TABLE(TUMBLE(TABLE t, ...)).
 */
Status bind_window_rows(Binder *binder, const Relation *relation, Str qualifier, PlanNode **root,
			Scope *scope);
/* If GROUP BY names the bounds of such windows: the window of the groups. */
Status bind_row_window(Binder *binder, Scope *scope, const Select *select, PlanNode *node,
		       WindowPlan *out);
/* The node that gives rows their windows (WINDOW, or the UNNEST of sessions) of which the column is
 * the end, or a start that says as much; or NULL. */
PlanNode *find_row_window(PlanNode *node, uint32_t column, bool *end);

/* ---- plan/bind_session.c */

/* Puts the rows of sessions over *root, whose columns are in the scope, with the three `bounds`
 * behind them. */
Status bind_session_rows(Binder *binder, Scope *scope, const Relation *relation,
			 const WindowPlan *window, const Field *bounds, PlanNode **root);
/* PARTITION BY of the table in TABLE(SESSION(TABLE t PARTITION BY ...)); may be empty. */
const ExprList *table_partition(const Relation *relation);
/* Whether it names that column. */
bool is_partitioned_by(const Relation *relation, const Expr *expr);
/* Other windows do not have it. */
Status refuse_partition(Binder *binder, const Relation *relation);

/* ---- plan/bind_values.c */

/* One row without columns, for SELECT without FROM. */
Status bind_one_row(Binder *binder, Position at, PlanNode **out, Scope *scope);
/* The columns of rows that the program gives, as JSON records: plan/fixed_rows.h. */
Status bind_fixed_rows(Binder *binder, Str name, const Field *fields, uint32_t count, Str records,
		       Position at, PlanNode **out);
/* VALUES (...), ...: columns column1, column2, ... */
Status bind_values(Binder *binder, const QueryBody *body, PlanNode **out);
/* t(a, b): as many names as there are columns and each once, or none. */
Status check_names(Binder *binder, const NameList *names, uint32_t count);
/* WITH t(a, b): other names for all columns of a query; none leave it as it is. */
Status rename_columns(Binder *binder, const NameList *names, PlanNode **node);
/* AS t(a, b): other names for all visible columns of a relation. */
Status rename_scope(Binder *binder, const NameList *names, Scope *scope);

/* ---- plan/bind_unnest.c */

/* UNNEST alone in FROM. */
Status bind_unnest(Binder *binder, const Relation *relation, PlanNode **out, Scope *scope);
/* A join whose right side is UNNEST over columns of its left side, which is bound already. */
Status bind_unnest_join(Binder *binder, const Relation *relation, PlanNode *left,
			const Scope *left_scope, PlanNode **out, Scope *scope);

/* ---- plan/bind_order.c */

/* ORDER BY, bound. */
typedef struct Sorting {
	OverKey *keys;
	uint32_t count;
	uint32_t visible; /* columns of the select list; those behind them serve ORDER BY only */
	uint32_t named;   /* of them, those that can be named: not the headers behind them */
} Sorting;

/* Binds ORDER BY over the columns of `scope` and of the select list that `project` is; it may add
 * hidden columns to that.  Its last `headers` columns are none of the record. */
Status bind_order(Binder *binder, const Query *query, bool distinct, Scope *scope,
		  PlanNode *project, uint32_t headers, Sorting *out);
/* Puts DISTINCT, ORDER BY, OFFSET and LIMIT over *node, which is the select list. */
Status finish_order(Binder *binder, const Query *query, bool distinct, const Sorting *sorting,
		    PlanNode **node);

/* ---- plan/bind_over.c */

/* From now on window functions may stand in the scope, over the rows of `input`. */
void begin_over(Binder *binder, const Select *select, PlanNode *input, Scope *scope);
/* f(...) OVER (...): a column whose place is known after finish_over. */
Status bind_over(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* QUALIFY, which may also name columns of the select list. */
Status bind_qualify(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* While QUALIFY is bound: *out is set if the expression is a column of the select list. */
Status bind_select_alias(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* Puts the nodes of all calls between `project` and its input, whose schema is complete by now, and
 * the filter of QUALIFY (or NULL) over them. */
Status finish_over(Binder *binder, Scope *scope, BoundExpr *qualify, PlanNode *project);
/* HEADER() may have given the scan columns since the nodes above it were made. */
void refresh_schemas(PlanNode *node);

/* ---- plan/bind_semi_join.c */

/* Puts joins over *node for what WHERE says by [NOT] EXISTS and [NOT] IN of rows of a stream within
 * a time; the select keeps the other conditions. */
Status subqueries_to_joins(Binder *binder, const CteScope *ctes, Scope *scope,
			   const Select **select, PlanNode **node);

/* ---- plan/bind_subquery.c */

/* In a subquery's expressions: LOOKUP_COLUMN + i is the answer of a subquery inside it,
 * OUTER_COLUMN
 * + i the i-th column of the query around it. */
#define LOOKUP_COLUMN (UINT32_C(1) << 22)
#define OUTER_COLUMN  (UINT32_C(1) << 23)

/* What a subquery takes from the row of the query around it. */
struct Correlation {
	const Select *select; /* of the subquery */
	Scope *scope;         /* of the expression that it stands in */
	LookupKind kind;
	bool in_where; /* WHERE is being bound: only there columns of the outer query may stand */
	bool first;    /* LIMIT 1: the first row for each key */
	bool empty;    /* bind the query as if its WHERE were true for no row */
	BoundExpr **refs; /* columns of the outer query, over its rows */
	uint32_t ref_count;
	BoundExpr **outer; /* keys: over the outer query's rows, and */
	BoundExpr **inner; /* over the subquery's, to which they must be equal */
	BoundExpr *having; /* of aggregates without GROUP BY: selected behind the keys; or NULL */
	uint32_t *columns; /* grouped: where the keys are among the groups' columns */
	uint32_t key_count;
};

/* EXISTS, IN, ANY, ALL, a subquery as a value: a column of the scope's lookups. */
Status bind_subquery(Binder *binder, Scope *scope, const Expr *expr, BoundExpr **out);
/* A column of the outer query inside a subquery. */
Status add_outer_column(Binder *binder, Correlation *correlation, BoundExpr *column,
			BoundExpr **out);
/* Takes what depends on the outer query out of the bound WHERE; *where is NULL if nothing stays. */
Status take_correlation(Binder *binder, Correlation *correlation, BoundExpr **where);
/* LIMIT of a subquery that depends on the outer row. */
Status take_limit(Binder *binder, Correlation *correlation, const Query **query);
/* A scan without rows that yields the node's columns. */
Status bind_no_rows(Binder *binder, const PlanNode *like, PlanNode **out);
/* Puts the lookups below `bottom` and their columns into the expressions of all nodes from `top`
 * down to it. */
void place_lookups(Binder *binder, LookupList *list, PlanNode *top, PlanNode *bottom);
/* Calls `visit` for the expressions that the lookups evaluate. */
void walk_lookups(const LookupList *list, void (*visit)(BoundExpr *expr, void *context),
		  void *context);

/* ---- plan/settings.c */

/* Expand a WITH list's values and append the command line's settings. */
Status with_options(Binder *binder, const WithList *list, Options *out);
/* The options of `with` that apply to the object: "<name>.x" and "source.x" become "x" and come
 * last; `unprefixed` says whether plain names apply too. */
Options options_for(Arena *arena, const Options *with, EndpointRole role, Str name,
		    bool unprefixed);
/* Those of the first list and then those of the second, of which the last wins. */
Options join_options(Arena *arena, const Options *first, const Options *then);
/* "path" of "sink.path" (the role's) or "<name>.path"; {NULL, 0} if the key has no such prefix, or
 * if it is the name of an option as it stands. */
Str option_addressed_to(Str key, EndpointRole role, Str name);
/* Connector, codec and settings from the given options.  An empty `connector` option is an error
 * that says what to write. */
Status resolve_endpoint(Binder *binder, EndpointRole role, Str name, Position at, Options given,
			Endpoint **out);
/* What a declaration says is taken by either side of the endpoint: the stream may be read here and
 * written there. */
void take_declared(const Endpoint *endpoint, const CatalogEntry *entry);
/* Whether it is the name of an option, as it stands. */
bool is_option_name(Str key);
/* `key` without "<prefix>." in front, or {NULL, 0}. */
Str without_prefix(Str key, Str prefix);
/* An endpoint for a URI: 'file://trades.jsonl', 'kafka://host:9092/topic'. */
Status uri_options(Binder *binder, Str uri, Position at, Options *out);

/* SET entries and `given` behind them. */
Options with_session(Binder *binder, EndpointRole role, Str name, const Options *given);

/* ---- plan/unused.c */

/* After all objects of a statement took theirs: the first entry of the SQL that nobody used is an
 * error. */
Status check_unused(Binder *binder, const Options *with, const char *object);
/* The error of an entry that nobody takes, with what was meant instead. */
Status unknown_option(Binder *binder, const OptionEntry *entry, const char *object);

/* ---- plan/plan_sink.c */

/* The sink of CREATE ... AS; *out is NULL for a stream inside the process. */
Status create_sink(Binder *binder, Str name, Position at, Endpoint **out);
/* Where the rows of a plain SELECT go: the console, unless the caller says otherwise. */
Status select_sink(Binder *binder, Endpoint **out);
/* Converts the query's columns to the target's, by position or by the column list. */
Status assign_columns(Binder *binder, const CatalogEntry *target, const NameList *names,
		      Position at, PlanNode **node);
/* The sink of INSERT INTO; *node yields its columns afterwards. */
Status insert_sink(Binder *binder, const Target *target, const NameList *names, PlanNode **node,
		   Endpoint **out);
/* Where SendToDLQ writes: a file that is appended to, or a topic on the brokers in use. */
Status dead_letter_sink(Binder *binder, StatementPlan *plan);

/* ---- plan/check.c */

/* Faults of a finished plan that show only when it is to run: a pattern that is none, an unknown
 * unit, state without bounds that was not asked for. */
Status check_plan(Arena *arena, const StatementPlan *plan, Error *err);

/* ---- plan/session.c */

/* Checks a SET and puts it among the entries; UNSET takes it, or all, out. */
Status session_set(Binder *binder, const WithOption *option, Options *session);
Status session_unset(Binder *binder, Str key, Position at, Options *session);

/* ---- plan/show.c, plan/describe.c */

/* What SHOW and DESCRIBE answer, at this place of the script. */
typedef struct Report {
	const Field *fields;
	uint32_t field_count;
	Str records; /* unless it is known only when it runs: */
	ReportKind kind;
	const PlanNode *source; /* REPORT_PARTITIONS: its scan */
	Str name;               /* of the one statement that is asked for; no data: all */
} Report;

Status show_report(Binder *binder, const ScriptPlan *plan, const Statement *statement, Report *out);
Status describe_report(Binder *binder, const Statement *statement, Report *out);
/* Where a stream's records are, as far as it can be known without a statement that uses it; NULL if
 * it cannot, or if it is a query. */
Endpoint *catalog_endpoint(Binder *binder, const CatalogEntry *entry, EndpointRole role);

/* ---- plan/declare.c */

/* A declaration's WITH when it is met: what belongs to a job or to nothing at all is an error. */
Status check_declared_options(Binder *binder, const Options *given);
/* At the script's end, what its connector and format do not take is one; a declaration that no
 * statement used is resolved for that. */
Status check_declaration(Binder *binder, CatalogEntry *entry);

/* ---- plan/infer.c */

/* The fields of a source without declared columns. */
Status infer_schema(Binder *binder, const Endpoint *endpoint, Position at, Schema *out);
