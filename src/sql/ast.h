/* sql/ast.h -- what the parser makes of SQL text: statements, queries, expressions, types.
 *
 * Every node lies in the arena that was given to the parser and is read-only afterwards.  Names and
 * texts are views into the SQL text, or copies in the arena where an escape was resolved; the SQL
 * text must live as long as the tree.  Children are arrays (pointer and count), never linked
 * lists; an optional child is NULL, an optional Name has no data.
 *
 * A node's position starts at its first byte and its length is that of its whole text.  Nothing
 * here is resolved: names, types, functions and options are looked up in plan/.
 *
 * Notations that mean the same become the same node:
 *     EXTRACT(YEAR FROM t), EXTRACT('YEAR', t)    EXPR_FUNCTION EXTRACT('YEAR', t)
 *     SUBSTRING(s FROM a FOR b)                   EXPR_FUNCTION SUBSTRING(s, a, b)
 *     TRIM([BOTH] c FROM s), TRIM(LEADING FROM s) EXPR_FUNCTION TRIM(s, c), LTRIM(s)
 *     POSITION(a IN s)                            EXPR_FUNCTION POSITION(a, s)
 *     MAP[k, v]                                   EXPR_FUNCTION MAP(k, v)
 *     x::t, CAST(x, 'T'), CAST(x AS t)            EXPR_CAST
 *     5m, INTERVAL '5' MINUTE                     EXPR_INTERVAL
 *     a AND b AND c                               one EXPR_AND with three operands */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "base/str.h"

typedef struct Expr Expr;
typedef struct Query Query;
typedef struct Relation Relation;
typedef struct Statement Statement;
typedef struct TypeName TypeName;

/* ---------------------------------------------------------------- names and options */

/* `text` is without quotes, as written (case kept); data == NULL means "no name given". */
typedef struct Name {
	Str text;
	Position position;
	bool quoted;
} Name;

/* Where rows come from or go to: the name of a stream, or 'kafka://…', 'file://…'. */
typedef struct Target {
	Name name; /* a URI is in name.text, decoded, with name.quoted */
	bool is_uri;
} Target;

typedef enum WithValueKind { WITH_STRING, WITH_NUMBER, WITH_BOOLEAN } WithValueKind;

/* 'key' = 'value' of a WITH list.  ${VAR:default} in a value is not yet replaced. */
typedef struct WithOption {
	Str key;
	Str value; /* the digits of a number; "true" or "false" */
	WithValueKind kind;
	Position key_position;
	Position value_position;
} WithOption;

typedef struct WithList {
	WithOption *items;
	uint32_t count;
	Position position; /* of the word WITH; line 0 = no WITH was written */
} WithList;

/* A comment that means something: -- @key: value, -- Name: value, -- Property: k=v, ... */
typedef struct Annotation {
	Str key; /* as written, with the @ */
	Str value;
	Position position;
} Annotation;

typedef struct AnnotationList {
	Annotation *items;
	uint32_t count;
} AnnotationList;

/* ---------------------------------------------------------------- types */

typedef struct TypeField {
	Name name;
	TypeName *type;
	bool not_null;
} TypeField;

/* DECIMAL(18,4), VARCHAR(20), ARRAY<t>, MAP<k,v>, STRUCT<a t, ...>, t[] (= ARRAY<t>).
 * Several words become one name in upper case: "DOUBLE PRECISION", "TIMESTAMP WITH TIME ZONE". */
struct TypeName {
	Position position;
	Str text;
	Name name;
	Str *numbers; /* digits between the parentheses */
	uint32_t number_count;
	TypeName **args;
	uint32_t arg_count;
	TypeField *fields; /* STRUCT and ROW */
	uint32_t field_count;
};

/* ---------------------------------------------------------------- expressions */

typedef enum ExprKind {
	EXPR_NULL,
	EXPR_BOOLEAN,    /* boolean */
	EXPR_INTEGER,    /* literal: the digits, no sign */
	EXPR_DECIMAL,    /* literal: digits with a point */
	EXPR_DOUBLE,     /* literal: with an exponent */
	EXPR_STRING,     /* literal: decoded */
	EXPR_INTERVAL,   /* interval */
	EXPR_TYPED,      /* typed: DATE '...', TIME '...', TIMESTAMP '...' */
	EXPR_COLUMN,     /* column: a, t.a, t.a.b */
	EXPR_STAR,       /* column: the qualifier of t.*, none for * */
	EXPR_UNARY,      /* unary */
	EXPR_BINARY,     /* binary */
	EXPR_AND,        /* list, two or more operands */
	EXPR_OR,         /* list, two or more operands */
	EXPR_IS,         /* is */
	EXPR_BETWEEN,    /* between */
	EXPR_IN_LIST,    /* in_list */
	EXPR_IN_QUERY,   /* in_query */
	EXPR_LIKE,       /* like */
	EXPR_CASE,       /* case_when */
	EXPR_CAST,       /* cast */
	EXPR_TRY,        /* operand */
	EXPR_FUNCTION,   /* function */
	EXPR_ARRAY,      /* list: ARRAY[...] */
	EXPR_ROW,        /* list: ROW(...) or (a, b) */
	EXPR_SUBSCRIPT,  /* subscript: a[i], m['k'] */
	EXPR_FIELD,      /* field: of something that is not a plain column reference, f(x).a */
	EXPR_EXISTS,     /* query */
	EXPR_SUBQUERY,   /* query: scalar */
	EXPR_QUANTIFIED, /* quantified: x = ANY (query or array) */
} ExprKind;

typedef enum UnaryOp { UNARY_PLUS, UNARY_MINUS, UNARY_NOT } UnaryOp;

typedef enum BinaryOp {
	BINARY_ADD,
	BINARY_SUBTRACT,
	BINARY_MULTIPLY,
	BINARY_DIVIDE,
	BINARY_REMAINDER,
	BINARY_CONCAT,
	BINARY_EQUAL,
	BINARY_NOT_EQUAL,
	BINARY_LESS,
	BINARY_LESS_EQUAL,
	BINARY_GREATER,
	BINARY_GREATER_EQUAL,
	BINARY_DISTINCT,     /* IS DISTINCT FROM */
	BINARY_NOT_DISTINCT, /* IS NOT DISTINCT FROM */
} BinaryOp;

typedef enum IsTest { IS_NULL, IS_TRUE, IS_FALSE, IS_UNKNOWN } IsTest;
typedef enum LikeKind { LIKE_LIKE, LIKE_ILIKE, LIKE_SIMILAR, LIKE_REGEXP } LikeKind;
typedef enum TypedKind { TYPED_DATE, TYPED_TIME, TYPED_TIMESTAMP } TypedKind;
typedef enum NullTreatment { NULLS_DEFAULT, NULLS_RESPECT, NULLS_IGNORE } NullTreatment;

typedef struct ExprList {
	Expr **items;
	uint32_t count;
} ExprList;

typedef struct NameList {
	Name *items;
	uint32_t count;
} NameList;

/* All three parts may be non-zero: INTERVAL '1 month 2 days 3 hours'. */
typedef struct IntervalValue {
	int64_t months;
	int64_t days;
	int64_t micros;
} IntervalValue;

typedef struct OrderItem {
	Expr *expr; /* an integer literal is an ordinal */
	bool descending;
	enum { NULLS_ORDER_DEFAULT, NULLS_ORDER_FIRST, NULLS_ORDER_LAST } nulls;
} OrderItem;

typedef struct OrderList {
	OrderItem *items;
	uint32_t count;
} OrderList;

typedef struct CaseWhen {
	Expr *when;
	Expr *then;
} CaseWhen;

/* ---- OVER */

typedef enum FrameUnit { FRAME_NONE, FRAME_ROWS, FRAME_RANGE, FRAME_GROUPS } FrameUnit;
typedef enum FrameBoundKind {
	FRAME_UNBOUNDED_PRECEDING,
	FRAME_PRECEDING, /* offset */
	FRAME_CURRENT_ROW,
	FRAME_FOLLOWING, /* offset */
	FRAME_UNBOUNDED_FOLLOWING,
} FrameBoundKind;

typedef struct FrameBound {
	FrameBoundKind kind;
	Expr *offset;
	Position position;
} FrameBound;

typedef enum ExpireKind { EXPIRE_DEFAULT, EXPIRE_AFTER, EXPIRE_NEVER } ExpireKind;
typedef enum EmitKind { EMIT_DEFAULT, EMIT_CHANGES, EMIT_FINAL } EmitKind;

/* OVER w, OVER (w ...), OVER (PARTITION BY ... ORDER BY ... ROWS ...),
 * OVER (ROWS WINDOW BUFFER 100 ROWS PARTITION BY ... EXPIRE AFTER ...). */
typedef struct WindowSpec {
	Position position;
	Name base;         /* a named window */
	bool is_reference; /* OVER w without parentheses: only `base` is set */
	Expr *buffer_rows; /* ROWS WINDOW BUFFER n ROWS; else NULL */
	ExprList partition;
	OrderList order;
	FrameUnit unit; /* FRAME_NONE: no frame was written, start and end are not set */
	FrameBound start;
	FrameBound end; /* CURRENT ROW when only a start was written */
	EmitKind emit;
	ExpireKind expire;
	Expr *expire_after; /* EXPIRE_AFTER: an interval */
} WindowSpec;

typedef struct NamedWindow {
	Name name;
	WindowSpec *spec;
} NamedWindow;

/* An argument: `value`, `name => value`, `value AS name` (in STRUCT). */
typedef struct Argument {
	Name name; /* no data if not named */
	Expr *value;
} Argument;

typedef struct FunctionCall {
	Name name;
	Argument *args;
	uint32_t arg_count;
	bool star; /* COUNT(*) */
	bool distinct;
	bool bare;              /* CURRENT_TIMESTAMP without parentheses */
	NullTreatment nulls;    /* IGNORE NULLS, RESPECT NULLS */
	OrderList order;        /* f(x ORDER BY y) */
	OrderList within_group; /* f(x) WITHIN GROUP (ORDER BY y) */
	Expr *filter;           /* FILTER (WHERE ...) */
	WindowSpec *over;       /* NULL: not a window function call */
} FunctionCall;

struct Expr {
	ExprKind kind;
	uint32_t depth; /* 1 for a leaf; never above SQL_MAX_DEPTH (sql/parser.h) */
	Position position;
	Str text; /* source text: names a column that has no alias */
	union {
		bool boolean;
		Str literal;
		IntervalValue interval;
		struct {
			TypedKind kind;
			Str value;
			Position position; /* of the string, for errors inside it */
		} typed;
		NameList column;
		Expr *operand;
		ExprList list;
		Query *query;
		FunctionCall function;
		struct {
			UnaryOp op;
			Expr *operand;
		} unary;
		struct {
			BinaryOp op;
			Expr *left;
			Expr *right;
			Position op_position;
		} binary;
		struct {
			Expr *operand;
			IsTest test;
			bool negated;
		} is;
		struct {
			Expr *operand;
			Expr *low;
			Expr *high;
			bool negated;
			bool symmetric;
		} between;
		struct {
			Expr *operand;
			ExprList list;
			bool negated;
		} in_list;
		struct {
			Expr *operand;
			Query *query;
			bool negated;
		} in_query;
		struct {
			LikeKind kind;
			Expr *operand;
			Expr *pattern;
			Expr *escape; /* or NULL */
			bool negated;
		} like;
		struct {
			Expr *operand; /* CASE x WHEN ...; NULL for CASE WHEN ... */
			CaseWhen *whens;
			uint32_t when_count;
			Expr *otherwise; /* or NULL */
		} case_when;
		struct {
			Expr *operand;
			TypeName *type;
			bool is_try; /* TRY_CAST */
		} cast;
		struct {
			Expr *operand;
			Expr *index;
		} subscript;
		struct {
			Expr *operand;
			Name name;
		} field;
		struct {
			BinaryOp op;
			Expr *left;
			bool all;     /* ALL; else ANY or SOME */
			Query *query; /* one of these two */
			Expr *array;
		} quantified;
	};
};

/* ---------------------------------------------------------------- relations */

typedef enum RelationKind {
	RELATION_NAME,     /* name */
	RELATION_URI,      /* name.text is the URI */
	RELATION_QUERY,    /* query */
	RELATION_LATE,     /* query: its late rows */
	RELATION_FUNCTION, /* function */
	RELATION_UNNEST,   /* unnest */
	RELATION_JOIN,     /* join */
} RelationKind;

typedef enum JoinKind {
	JOIN_INNER,
	JOIN_LEFT,
	JOIN_RIGHT,
	JOIN_FULL,
	JOIN_CROSS, /* CROSS JOIN, or a comma */
	JOIN_SEMI,
	JOIN_ANTI,
} JoinKind;

typedef enum TableArgumentKind {
	ARGUMENT_EXPR,       /* expr */
	ARGUMENT_TABLE,      /* TABLE name: relation */
	ARGUMENT_QUERY,      /* TABLE (query), (query): query */
	ARGUMENT_DESCRIPTOR, /* DESCRIPTOR(a, b): columns */
} TableArgumentKind;

/* An argument of a function in FROM, as TUMBLE(DATA => TABLE t, DESCRIPTOR(ts), INTERVAL ...). */
typedef struct TableArgument {
	Name name; /* no data if not named */
	TableArgumentKind kind;
	Position position;
	Expr *expr;
	Name table;
	Query *query;
	NameList columns;
	ExprList partition; /* TABLE, QUERY: PARTITION BY; or empty */
} TableArgument;

struct Relation {
	RelationKind kind;
	uint32_t depth;
	Position position;
	Str text;
	Name alias;              /* no data if none */
	NameList column_aliases; /* AS t(a, b) */
	bool lateral;
	Expr *as_of;      /* FOR SYSTEM_TIME AS OF ...; or NULL */
	WithList options; /* FROM t WITH (...) followed by more of the query */
	union {
		Name name;
		Query *query;
		struct {
			Name name;
			TableArgument *args;
			uint32_t arg_count;
			bool in_table; /* TABLE(f(...)) rather than f(...) */
		} function;
		struct {
			ExprList arrays;
			bool with_ordinality;
		} unnest;
		struct {
			JoinKind kind;
			bool asof;
			bool natural;
			Relation *left;
			Relation *right;
			Expr *on; /* or NULL */
			NameList using_columns;
			/* WITHIN d: both; WITHIN (before, after): how much older and newer the
			 * right row may be than the left one; NULL without WITHIN. */
			Expr *within_before;
			Expr *within_after;
			Expr *grace;       /* GRACE PERIOD d; or NULL */
			Position position; /* of the join's own words */
		} join;
	};
};

/* ---------------------------------------------------------------- queries */

typedef struct SelectItem {
	Expr *expr;
	Name alias;       /* no data if none */
	bool primary_key; /* col PRIMARY KEY: part of the Kafka key */
} SelectItem;

typedef enum GroupKind { GROUP_EXPR, GROUP_SETS, GROUP_ROLLUP, GROUP_CUBE } GroupKind;

/* One element of GROUP BY.  GROUP_EXPR has one set of one expression; the others have one set per
 * written element: ROLLUP(a, (b, c)) has the sets {a} and {b, c}. */
typedef struct GroupItem {
	GroupKind kind;
	Position position;
	ExprList *sets;
	uint32_t set_count;
} GroupItem;

typedef enum WindowKind {
	WINDOW_NONE,
	WINDOW_TUMBLING, /* size */
	WINDOW_SLIDING,  /* size, advance; also spelt HOPPING and HOP */
	WINDOW_SESSION,  /* gap in `size` */
	WINDOW_CUMULATE, /* step in `advance`, at most `size` */
} WindowKind;

/* WINDOW TUMBLING([time,] size), SLIDING([time,] size, advance), SESSION([time,] gap [, key ...]),
 * CUMULATE([time,] step, size).  Durations are EXPR_INTERVAL: a bare number has become seconds. */
typedef struct WindowClause {
	WindowKind kind;
	Position position;
	Expr *time; /* the event time column; NULL: the stream's */
	Expr *size;
	Expr *advance;
	ExprList keys;
} WindowClause;

typedef struct Select {
	bool distinct;
	ExprList distinct_on; /* DISTINCT ON (...) */
	SelectItem *items;
	uint32_t item_count;
	Relation *from; /* NULL: no FROM */
	Expr *where;
	GroupItem *groups;
	uint32_t group_count;
	Expr *having;
	WindowClause window;
	NamedWindow *named_windows;
	uint32_t named_window_count;
	Expr *qualify;
	Expr *grace; /* GRACE PERIOD, after WINDOW or after EMIT; or NULL */
} Select;

typedef enum SetOp { SET_UNION, SET_INTERSECT, SET_EXCEPT } SetOp;
typedef enum BodyKind { BODY_SELECT, BODY_VALUES, BODY_SET, BODY_QUERY } BodyKind;
typedef struct QueryBody QueryBody;

struct QueryBody {
	BodyKind kind;
	uint32_t depth;
	Position position;
	Str text;
	union {
		Select select;
		struct {
			ExprList *rows;
			uint32_t count;
		} values;
		struct {
			SetOp op;
			bool all;
			QueryBody *left;
			QueryBody *right;
			Position op_position;
		} set;
		Query *query; /* in parentheses */
	};
};

typedef struct Cte {
	Name name;
	NameList columns;
	Query *query;
} Cte;

struct Query {
	uint32_t depth; /* height of the highest node inside, plus one; as Expr.depth */
	Position position;
	Str text;
	bool recursive;
	Cte *ctes;
	uint32_t cte_count;
	QueryBody *body;
	OrderList order;
	Expr *limit; /* also FETCH FIRST n ROWS ONLY */
	Expr *offset;
	EmitKind emit;
	Position emit_position;
	Target into;      /* name.text.data == NULL: no INTO */
	WithList options; /* the trailing WITH; only of a query that is not inside another */
};

/* ---------------------------------------------------------------- statements */

typedef enum StatementKind {
	STATEMENT_CREATE,   /* create */
	STATEMENT_DROP,     /* drop */
	STATEMENT_INSERT,   /* insert */
	STATEMENT_UPDATE,   /* update */
	STATEMENT_DELETE,   /* delete_from */
	STATEMENT_QUERY,    /* query */
	STATEMENT_SHOW,     /* show */
	STATEMENT_DESCRIBE, /* describe */
	STATEMENT_EXPLAIN,  /* explain */
	STATEMENT_SET,      /* set */
	STATEMENT_UNSET,    /* unset */
	STATEMENT_START,    /* job */
	STATEMENT_STOP,     /* job */
	STATEMENT_PAUSE,    /* job */
	STATEMENT_RESUME,   /* job */
	STATEMENT_DEPLOY,   /* job */
	STATEMENT_ROLLBACK, /* job */
	STATEMENT_REPLAY,   /* replay */
} StatementKind;

typedef enum ObjectKind { OBJECT_STREAM, OBJECT_TABLE, OBJECT_JOB } ObjectKind;

typedef struct ColumnDef {
	Name name;
	TypeName *type;      /* NULL only for a computed column, `c AS expr` */
	Expr *computed;      /* or NULL */
	Expr *default_value; /* or NULL */
	bool not_null;
	bool primary_key;
	bool metadata;    /* METADATA [FROM 'key'] [VIRTUAL] */
	bool is_virtual;  /* not written by a sink */
	Str metadata_key; /* no data: the column's name is the key */
	Position position;
} ColumnDef;

typedef struct Watermark {
	Name column; /* no data: none declared */
	Expr *expr;
	Position position;
} Watermark;

typedef enum ShowKind {
	SHOW_STREAMS,
	SHOW_TABLES,
	SHOW_TOPICS,
	SHOW_FUNCTIONS,
	SHOW_JOBS,
	SHOW_STATUS,     /* [name] */
	SHOW_VERSIONS,   /* name */
	SHOW_METRICS,    /* [name] */
	SHOW_SCHEMA,     /* name */
	SHOW_PROPERTIES, /* STREAM | TABLE | JOB | SINK | SOURCE ... name */
	SHOW_PARTITIONS, /* name */
	SHOW_CONFIG,     /* [name] */
	SHOW_WATERMARKS, /* [name] */
} ShowKind;

typedef enum DeployStrategy {
	DEPLOY_BLUE_GREEN, /* default */
	DEPLOY_CANARY,     /* percent */
	DEPLOY_ROLLING,
	DEPLOY_REPLACE,
} DeployStrategy;

struct Statement {
	StatementKind kind;
	Position position;
	Str text;                   /* without the semicolon */
	AnnotationList annotations; /* comments directly before it */
	union {
		Query *query;
		struct {
			ObjectKind object;
			bool or_replace;
			bool if_not_exists;
			Name name;
			ColumnDef *columns;
			uint32_t column_count;
			NameList primary_key; /* PRIMARY KEY (a, b) as an element of its own */
			Watermark watermark;
			WithList options; /* those before AS; those of the query are in query */
			Query *query;     /* or NULL */
		} create;
		struct {
			ObjectKind object;
			bool if_exists;
			Name name;
		} drop;
		struct {
			Target target;
			NameList columns;
			Query *query; /* VALUES is a query with BODY_VALUES */
		} insert;
		struct {
			Name name;
			NameList columns; /* SET columns[i] = values.items[i] */
			ExprList values;
			Expr *where;
		} update;
		struct {
			Name name;
			Expr *where;
		} delete_from;
		struct {
			ShowKind kind;
			Name type;   /* SHOW PROPERTIES type name */
			Name name;   /* no data if none */
			Str pattern; /* [LIKE] 'pattern'; no data if none */
		} show;
		struct {
			Str topic; /* of the dead letters */
			Name into; /* the stream whose topic they go back to */
		} replay;
		struct {
			Name name;
			bool extended;
		} describe;
		struct {
			bool analyze;
			Statement *statement;
		} explain;
		struct {
			WithOption option; /* a key without quotes is its dotted text */
		} set;
		struct {
			Str key; /* no data: UNSET ALL */
			Position key_position;
		} unset;
		struct {
			Name name;
			bool force;  /* STOP */
			Str version; /* DEPLOY, ROLLBACK; no data if none */
			Statement
				*statement; /* START, DEPLOY: a query, CREATE or INSERT; or NULL */
			WithList options;   /* those after the statement, if it did not take them */
			DeployStrategy strategy;
			Expr *percent; /* CANARY(percent) */
		} job;
	};
};

/* A file of statements. */
typedef struct Script {
	Str name; /* of the file, for messages */
	Str text;
	Statement **statements; /* those without a syntax error */
	uint32_t statement_count;
	AnnotationList metadata; /* -- SQL Application:, Version:, ..., and early @annotations */
} Script;
