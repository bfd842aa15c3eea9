/* sql/print.h -- a syntax tree back to SQL text.
 *
 * The text is canonical: keywords in upper case, one blank between words, parentheses only where
 * precedence needs them, names and numbers as they were written.  Parsing it gives the same tree
 * (print(parse(print(t))) = print(t); tests/unit/test_parser.c).  EXPLAIN and SHOW use it.
 *
 * Threads: no state outside the arguments. */
#pragma once

#include "base/buffer.h"
#include "sql/ast.h"

void sql_print_statement(Buffer *out, const Statement *statement);
void sql_print_query(Buffer *out, const Query *query);
void sql_print_expr(Buffer *out, const Expr *expr);
void sql_print_type(Buffer *out, const TypeName *type);
void sql_print_order(Buffer *out, const OrderList *order); /* ORDER BY ...; nothing if empty */
void sql_print_window_spec(Buffer *out, const WindowSpec *spec);
/* With double quotes if it was written with quotes. */
void sql_print_name(Buffer *out, const Name *name);
void sql_print_names(Buffer *out, const NameList *names);
void sql_print_exprs(Buffer *out, const ExprList *list);
/* In single quotes, quotes inside doubled. */
void sql_print_string(Buffer *out, Str value);
void sql_print_target(Buffer *out, const Target *target);
/* " WITH (...)"; nothing if no WITH was written. */
void sql_print_options(Buffer *out, const WithList *options);
