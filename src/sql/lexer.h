/* sql/lexer.h -- SQL text to an array of tokens.
 *
 * The whole text is cut up before parsing starts, so the parser can look as far ahead as it likes.
 * What is not SQL becomes a TOKEN_ERROR that the parser reports when it gets there; the lexer
 * itself never fails.  Comments are no tokens, they are listed apart (annotations live in them).
 *
 * Owner: the arrays lie in the arena, tokens point into the text by offset. */
#pragma once

#include "base/arena.h"
#include "base/error.h"

typedef enum Keyword {
	KEYWORD_NONE = 0,
#define KEYWORD(name, class) KEYWORD_##name,
#include "sql/keyword_list.h"
	KEYWORD_COUNT
} Keyword;

typedef enum KeywordClass {
	KEYWORD_CLASS_FREE,
	KEYWORD_CLASS_CLAUSE,
	KEYWORD_CLASS_RESERVED
} KeywordClass;

typedef enum TokenKind {
	TOKEN_END,
	TOKEN_WORD,        /* unquoted name or keyword */
	TOKEN_QUOTED_NAME, /* "x" or `x` */
	TOKEN_STRING,
	TOKEN_INTEGER,
	TOKEN_DECIMAL,
	TOKEN_DOUBLE,
	TOKEN_DURATION, /* 5m, 1.5h */
	TOKEN_OPEN,
	TOKEN_CLOSE,
	TOKEN_OPEN_BRACKET,
	TOKEN_CLOSE_BRACKET,
	TOKEN_COMMA,
	TOKEN_DOT,
	TOKEN_SEMICOLON,
	TOKEN_PLUS,
	TOKEN_MINUS,
	TOKEN_STAR,
	TOKEN_SLASH,
	TOKEN_PERCENT,
	TOKEN_CONCAT,
	TOKEN_EQUAL,
	TOKEN_NOT_EQUAL,
	TOKEN_LESS,
	TOKEN_LESS_EQUAL,
	TOKEN_GREATER,
	TOKEN_GREATER_EQUAL,
	TOKEN_DOUBLE_COLON,
	TOKEN_ARROW, /* => */
	TOKEN_ERROR, /* problem */
} TokenKind;

/* Why a token is a TOKEN_ERROR. */
typedef enum TokenProblem {
	PROBLEM_NONE,
	PROBLEM_STRING,      /* '... without its end */
	PROBLEM_QUOTED_NAME, /* "... without its end */
	PROBLEM_COMMENT,     /* slash-star without its end */
	PROBLEM_EMPTY_NAME,  /* "" */
	PROBLEM_NUMBER,      /* 12abc */
	PROBLEM_CHARACTER,
	PROBLEM_DOUBLE_EQUAL, /* == */
	PROBLEM_NUL,
	PROBLEM_UTF8,
} TokenProblem;

typedef struct Token {
	TokenKind kind;
	TokenProblem problem;
	Keyword keyword;
	Position position;
	uint32_t offset; /* in the text; position.length bytes long */
} Token;

/* A line comment (after its dashes) or a block comment. */
typedef struct Comment {
	Str text;
	Position position;
	uint32_t token; /* index of the first token behind it */
	bool is_line;
} Comment;

typedef struct Lexed {
	Token *tokens; /* the last one is TOKEN_END */
	uint32_t token_count;
	Comment *comments;
	uint32_t comment_count;
} Lexed;

Lexed lexer_run(Arena *arena, Str text);

/* KEYWORD_NONE if the word is none; case does not matter. */
Keyword keyword_find(Str word);
/* In upper case. */
Str keyword_name(Keyword keyword);
KeywordClass keyword_class(Keyword keyword);

/* The text between the quotes of a string or quoted name, doubled quotes made single. */
Str lexer_unquote(Arena *arena, Str quoted);

/* `items` with room for one more element behind `count`; grows by doubling in the arena. */
void *lexer_grow(Arena *arena, void *items, uint32_t count, size_t size);
