/* sql/parse.h -- private to sql/parse*.c: the parser's state, its hands on the token stream, and
 * one function per production of docs/grammar.md.
 *
 * Above each parse function stands its production:
 *     UPPER a keyword · "x" a token · lower another production · [ ] optional · { } repeated · |
 * A parse function starts at p->token and on success leaves it behind what it took.  On failure
 * the error is set and the statement is given up, so nothing is ever taken back. */
#pragma once

#include "sql/lexer.h"
#include "sql/parser.h"

typedef struct Parser {
	Arena *arena;
	Str text;
	Lexed lexed;
	const Token *token;       /* the next one */
	const Token *alias;       /* the last name that became an alias without AS */
	uint32_t nesting;         /* parentheses, subqueries, ... around this place */
	uint32_t deepest;         /* height of the highest node since the query began */
	const Token *expected_at; /* which token `expected` is about */
	uint64_t expected[(KEYWORD_COUNT + 63) / 64]; /* keywords that could have stood there */
	Error *err;
} Parser;

/* Append `value` to an array and its count, in the arena. */
#define PARSER_APPEND(p, items, count, ...)                                                        \
	((items) = lexer_grow((p)->arena, (items), (count), sizeof *(items)),                      \
	 (items)[(count)++] = (__VA_ARGS__))

/* ---------------------------------------------------------------- the token stream (parse.c) */

void parser_init(Parser *p, Arena *arena, Str text, Error *err);
Str parser_token_text(const Parser *p, const Token *token);
bool parser_at(const Parser *p, TokenKind kind);
/* Also notes that the keyword could stand here, for "did you mean". */
bool parser_at_word(Parser *p, Keyword keyword);
/* Without the note; `ahead` 0 is the next token. */
bool parser_sees(const Parser *p, uint32_t ahead, TokenKind kind);
bool parser_sees_word(const Parser *p, uint32_t ahead, Keyword keyword);
/* Take the next token if it is the one. */
bool parser_accept(Parser *p, TokenKind kind);
bool parser_accept_word(Parser *p, Keyword keyword);
Status parser_expect(Parser *p, TokenKind kind);
Status parser_expect_word(Parser *p, Keyword keyword);
/* The closing parenthesis of a list that began at `open`. */
Status parser_expect_close(Parser *p, const Token *open);
/* "expected <what>, found <the next token>", with the hints that fit. */
Status parser_fail(Parser *p, const char *what);
/* The end of a statement, or of the whole text. */
Status parser_expect_end(Parser *p, bool semicolon);
/* One more level of nesting; undone by p->nesting--. */
Status parser_enter(Parser *p);
/* What stands between `first` and the next token. */
Str parser_text_since(const Parser *p, const Token *first);
Position parser_position_since(const Parser *p, const Token *first);
/* Note a node's height; an error if it is too high. */
Status parser_check_depth(Parser *p, uint32_t depth, Position position);

/* ---------------------------------------------------------------- names and options (parse.c) */

/* May the next token be a name (a word that is not reserved, or quoted)? */
bool parser_at_name(const Parser *p);
Status parse_name(Parser *p, const char *what, Name *name);
Status parse_name_list(Parser *p, const char *what, NameList *names);
/* [ AS ] name; without AS a word that may start a clause is no alias. */
Status parse_alias(Parser *p, Name *alias);
Status parse_string(Parser *p, const char *what, Str *value);
Status parse_target(Parser *p, const char *what, Target *target);
Status parse_option_value(Parser *p, WithOption *option);
Status parse_options(Parser *p, WithList *options);

/* ---------------------------------------------------------------- productions */

Status parse_statement(Parser *p, Statement **statement);  /* parse_statement.c */
Status parse_create(Parser *p, Statement *statement);      /* parse_create.c */
Status parse_query(Parser *p, bool nested, Query **query); /* parse_select.c */
/* "(" query ")" */
Status parse_nested_query(Parser *p, Query **query);
bool parser_at_query(const Parser *p, bool bare);
Status parse_from(Parser *p, bool nested, Relation **from,
		  WithList *trailing);     /* parse_relation.c */
Status parse_expr(Parser *p, Expr **expr); /* parse_expr.c */
Status parse_additive(Parser *p, Expr **expr);
Status parse_expr_list(Parser *p, ExprList *list);
Status parse_order_by(Parser *p, OrderList *order);
Status parse_postfix(Parser *p, Expr **expr);  /* parse_primary.c */
Status parse_function(Parser *p, Expr **expr); /* parse_function.c */
bool parser_at_function(const Parser *p);
Status parse_window_spec(Parser *p, WindowSpec **spec);
Status parse_interval(Parser *p, Expr **expr); /* parse_interval.c */
bool parser_at_duration(const Parser *p);
/* INTERVAL '5' MINUTE | 5m | 5 MINUTES | 5 (seconds): always EXPR_INTERVAL. */
Status parse_duration(Parser *p, Expr **expr);
Status parse_type(Parser *p, TypeName **type); /* parse_type.c */

/* ---------------------------------------------------------------- expression nodes (parse_expr.c)
 */

Expr *expr_new(Parser *p, ExprKind kind);
/* Make `parent` higher than `child` (which may be NULL). */
void expr_adopt(Expr *parent, const Expr *child);
void expr_adopt_list(Expr *parent, const ExprList *list);
/* Set text and position from `first` to the last token taken, and check the height. */
Status expr_finish(Parser *p, Expr *expr, const Token *first);
