/* sql/parser.h -- SQL text to syntax tree (sql/ast.h).
 *
 * A hand-written recursive descent parser: sql/parse_*.c hold one function per production of
 * docs/grammar.md.  It reads any bytes: bad UTF-8, NUL bytes, missing ends and deep nesting are
 * errors with a position, never a crash.
 *
 * Owner: the tree lies in `arena`; its texts are views into the SQL text.
 * Threads: no state outside the arguments. */
#pragma once

#include "sql/ast.h"

/* Parentheses, subqueries, NOT, CASE ... inside each other. */
#define SQL_MAX_NESTING 200
/* Height of a tree, queries included: also counts a chain like 1 + 1 + 1 ..., which grows to the
 * left. AND and OR chains are flat and do not count.  Recursive readers of the tree rely on it. */
#define SQL_MAX_DEPTH 1000

typedef struct ErrorList {
	Error *items; /* in the arena, in the order of the text */
	uint32_t count;
} ErrorList;

/* Parse statements separated by semicolons.  A statement that does not parse adds one error to
 * `errors` and is left out of the script; parsing goes on behind its semicolon.  Returns the status
 * of the first error, or FERRIS_OK. */
Status sql_parse_script(Arena *arena, Str name, Str text, Script **script, ErrorList *errors);

/* Parse exactly one statement; a semicolon may follow. */
Status sql_parse_statement(Arena *arena, Str text, Statement **statement,
			   Error *err) FERRIS_MUST_CHECK;

/* Parse exactly one expression. */
Status sql_parse_expression(Arena *arena, Str text, Expr **expr, Error *err) FERRIS_MUST_CHECK;

/* Parse exactly one type, as CAST(x, 'DECIMAL(10,2)') or a schema file has it. */
Status sql_parse_type(Arena *arena, Str text, TypeName **type, Error *err) FERRIS_MUST_CHECK;
