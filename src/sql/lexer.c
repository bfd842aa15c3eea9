/* sql/lexer.c -- cut SQL text into tokens. */
#include "sql/lexer.h"

#include "base/utf8.h"

typedef struct Lexer {
	Arena *arena;
	Str text;
	uint32_t at; /* offset of the next byte */
	uint32_t line;
	uint32_t line_start; /* offset of the line's first byte */
	Lexed out;
} Lexer;

/* ---------------------------------------------------------------- keywords */

static const Str keyword_names[KEYWORD_COUNT] = {
#define KEYWORD(name, class) [KEYWORD_##name] = {#name, sizeof #name - 1},
#include "sql/keyword_list.h"
};

static const unsigned char keyword_classes[KEYWORD_COUNT] = {
#define KEYWORD(name, class) [KEYWORD_##name] = KEYWORD_CLASS_##class,
#include "sql/keyword_list.h"
};

Keyword
keyword_find(Str word)
{
	unsigned low = 1, high = KEYWORD_COUNT;

	while (low < high) {
		unsigned middle = (low + high) / 2;
		Str name = keyword_names[middle];
		uint32_t shorter = word.len < name.len ? word.len : name.len;
		int order = strncasecmp(word.data, name.data, shorter);

		if (order == 0)
			order = (word.len > name.len) - (word.len < name.len);
		if (order == 0)
			return (Keyword)middle;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return KEYWORD_NONE;
}

Str
keyword_name(Keyword keyword)
{
	return keyword_names[keyword];
}

KeywordClass
keyword_class(Keyword keyword)
{
	return (KeywordClass)keyword_classes[keyword];
}

/* ---------------------------------------------------------------- helpers */

void *
lexer_grow(Arena *arena, void *items, uint32_t count, size_t size)
{
	/* Full exactly when the count is 0 or a power of two, so no capacity is kept. */
	if (count != 0 && (count & (count - 1)) != 0)
		return items;
	void *bigger = arena_alloc(arena, size * (count == 0 ? 1 : (size_t)count * 2));
	if (count > 0)
		memcpy(bigger, items, size * count);
	return bigger;
}

Str
lexer_unquote(Arena *arena, Str quoted)
{
	char quote = quoted.data[0];
	Str inside = {quoted.data + 1, quoted.len - 2};

	if (memchr(inside.data, quote, inside.len) == NULL)
		return inside;
	char *copy = arena_alloc(arena, inside.len);
	uint32_t len = 0;
	for (uint32_t i = 0; i < inside.len; i++) {
		copy[len++] = inside.data[i];
		if (inside.data[i] == quote)
			i++;
	}
	return (Str){copy, len};
}

static bool
is_digit(int c)
{
	return c >= '0' && c <= '9';
}

static bool
is_word_start(int c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool
is_word(int c)
{
	return is_word_start(c) || is_digit(c) || c == '$';
}

/* The byte `ahead` places on, or -1 behind the end. */
static int
peek(const Lexer *lexer, uint32_t ahead)
{
	uint32_t at = lexer->at + ahead;

	return at < lexer->text.len ? (unsigned char)lexer->text.data[at] : -1;
}

/* Bytes of the well-formed UTF-8 character at the current place, 0 if it is not one. */
static uint32_t
utf8_length(const Lexer *lexer)
{
	size_t size = 1;
	const char *data = lexer->text.data + lexer->at;

	if (peek(lexer, 0) < 0x80)
		return 1;
	bool valid = utf8_decode(data, lexer->text.len - lexer->at, &size) != UTF8_INVALID;
	return valid ? (uint32_t)size : 0;
}

static Position
position_at(const Lexer *lexer, uint32_t offset, uint32_t length)
{
	return (Position){lexer->line, offset - lexer->line_start + 1, length};
}

static Token *
add_token(Lexer *lexer, TokenKind kind, uint32_t start, Position position)
{
	Lexed *out = &lexer->out;

	out->tokens = lexer_grow(lexer->arena, out->tokens, out->token_count, sizeof *out->tokens);
	Token *token = &out->tokens[out->token_count++];
	*token = (Token){.kind = kind, .position = position, .offset = start};
	token->position.length = lexer->at - start;
	return token;
}

static void
add_problem(Lexer *lexer, TokenProblem problem, uint32_t start, Position position)
{
	Token *token = add_token(lexer, TOKEN_ERROR, start, position);

	token->problem = problem;
	token->position.length = position.length;
}

/* Step over one character inside a string or comment, counting lines.  The first bad one is noted
 * in `problem` and `bad`. */
static void
skip_character(Lexer *lexer, TokenProblem *problem, Position *bad)
{
	int c = peek(lexer, 0);
	uint32_t length = utf8_length(lexer);

	if ((length == 0 || c == '\0') && *problem == PROBLEM_NONE) {
		*problem = c == '\0' ? PROBLEM_NUL : PROBLEM_UTF8;
		*bad = position_at(lexer, lexer->at, 1);
	}
	lexer->at += length > 0 ? length : 1;
	if (c == '\n') {
		lexer->line++;
		lexer->line_start = lexer->at;
	}
}

/* ---------------------------------------------------------------- comments */

static void
add_comment(Lexer *lexer, uint32_t start, uint32_t end, Position position, bool is_line)
{
	Lexed *out = &lexer->out;

	out->comments =
		lexer_grow(lexer->arena, out->comments, out->comment_count, sizeof *out->comments);
	out->comments[out->comment_count++] = (Comment){
		.text = {lexer->text.data + start, end - start},
		.position = position,
		.token = out->token_count,
		.is_line = is_line,
	};
}

/* "--" up to the end of the line */
static void
read_line_comment(Lexer *lexer)
{
	uint32_t start = lexer->at;
	Position position = position_at(lexer, start, 2), bad;
	TokenProblem problem = PROBLEM_NONE;

	while (peek(lexer, 0) >= 0 && peek(lexer, 0) != '\n')
		skip_character(lexer, &problem, &bad);
	position.length = lexer->at - start;
	add_comment(lexer, start + 2, lexer->at, position, true);
	if (problem != PROBLEM_NONE)
		add_problem(lexer, problem, start, bad);
}

/* Block comments nest. */
static void
read_block_comment(Lexer *lexer)
{
	uint32_t start = lexer->at, depth = 0;
	Position position = position_at(lexer, start, 2), bad;
	TokenProblem problem = PROBLEM_NONE;

	do {
		if (peek(lexer, 0) == '/' && peek(lexer, 1) == '*') {
			depth++;
			lexer->at += 2;
		} else if (peek(lexer, 0) == '*' && peek(lexer, 1) == '/') {
			depth--;
			lexer->at += 2;
		} else {
			skip_character(lexer, &problem, &bad);
		}
	} while (depth > 0 && peek(lexer, 0) >= 0);
	if (depth > 0) {
		add_problem(lexer, PROBLEM_COMMENT, start, position);
		return;
	}
	position.length = lexer->at - start;
	add_comment(lexer, start + 2, lexer->at - 2, position, false);
	if (problem != PROBLEM_NONE)
		add_problem(lexer, problem, start, bad);
}

/* ---------------------------------------------------------------- tokens */

static void
read_quoted(Lexer *lexer, TokenKind kind, TokenProblem unterminated)
{
	uint32_t start = lexer->at++;
	int quote = (unsigned char)lexer->text.data[start];
	Position position = position_at(lexer, start, 1), bad;
	TokenProblem problem = PROBLEM_NONE;

	for (;; skip_character(lexer, &problem, &bad)) {
		if (peek(lexer, 0) < 0) {
			add_problem(lexer, unterminated, start, position);
			return;
		}
		if (peek(lexer, 0) != quote)
			continue;
		if (peek(lexer, 1) != quote)
			break;
		lexer->at++;
	}
	lexer->at++;
	if (problem == PROBLEM_NONE && kind == TOKEN_QUOTED_NAME && lexer->at - start == 2) {
		problem = PROBLEM_EMPTY_NAME;
		bad = (Position){position.line, position.column, 2};
	}
	if (problem != PROBLEM_NONE)
		add_problem(lexer, problem, start, bad);
	else
		add_token(lexer, kind, start, position);
}

/* What follows the digits of a number: nothing, a unit of time (5m), or an error (12abc). */
static TokenKind
number_suffix(const Str suffix, TokenKind kind)
{
	static const Str units[] = {
		{"ns", 2}, {"us", 2}, {"ms", 2}, {"s", 1}, {"m", 1}, {"h", 1}, {"d", 1}, {"w", 1},
	};

	if (suffix.len == 0)
		return kind;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (str_eq_nocase(suffix, units[i]) && kind != TOKEN_DOUBLE)
			return TOKEN_DURATION;
	return TOKEN_ERROR;
}

static void
skip_digits(Lexer *lexer)
{
	while (is_digit(peek(lexer, 0)))
		lexer->at++;
}

/* 12, 1.5, .5, 1., 1e10, 1.5E-3, 5m */
static void
read_number(Lexer *lexer)
{
	uint32_t start = lexer->at;
	TokenKind kind = TOKEN_INTEGER;

	skip_digits(lexer);
	if (peek(lexer, 0) == '.') {
		kind = TOKEN_DECIMAL;
		lexer->at++;
		skip_digits(lexer);
	}
	if ((peek(lexer, 0) | 0x20) == 'e') {
		uint32_t sign = peek(lexer, 1) == '+' || peek(lexer, 1) == '-';

		if (is_digit(peek(lexer, 1 + sign))) {
			kind = TOKEN_DOUBLE;
			lexer->at += 1 + sign;
			skip_digits(lexer);
		}
	}
	uint32_t suffix = lexer->at;
	while (is_word(peek(lexer, 0)) && utf8_length(lexer) > 0)
		lexer->at += utf8_length(lexer);
	Position position = position_at(lexer, start, lexer->at - start);
	kind = number_suffix((Str){lexer->text.data + suffix, lexer->at - suffix}, kind);
	if (kind == TOKEN_ERROR)
		add_problem(lexer, PROBLEM_NUMBER, start, position);
	else
		add_token(lexer, kind, start, position);
}

static void
read_word(Lexer *lexer)
{
	uint32_t start = lexer->at;

	while (is_word(peek(lexer, 0))) {
		uint32_t length = utf8_length(lexer);

		if (length == 0) {
			Position bad = position_at(lexer, lexer->at, 1);

			lexer->at++;
			add_problem(lexer, PROBLEM_UTF8, lexer->at - 1, bad);
			return;
		}
		lexer->at += length;
	}
	Token *token = add_token(lexer, TOKEN_WORD, start, position_at(lexer, start, 0));
	token->keyword = keyword_find((Str){lexer->text.data + start, lexer->at - start});
}

/* The longest operator that the text starts with. */
static void
read_operator(Lexer *lexer)
{
	static const struct {
		char text[3];
		unsigned char length;
		TokenKind kind;
	} operators[] = {
		{"<>", 2, TOKEN_NOT_EQUAL},   {"!=", 2, TOKEN_NOT_EQUAL},
		{"<=", 2, TOKEN_LESS_EQUAL},  {">=", 2, TOKEN_GREATER_EQUAL},
		{"||", 2, TOKEN_CONCAT},      {"::", 2, TOKEN_DOUBLE_COLON},
		{"=>", 2, TOKEN_ARROW},       {"==", 2, TOKEN_ERROR},
		{"(", 1, TOKEN_OPEN},         {")", 1, TOKEN_CLOSE},
		{"[", 1, TOKEN_OPEN_BRACKET}, {"]", 1, TOKEN_CLOSE_BRACKET},
		{",", 1, TOKEN_COMMA},        {".", 1, TOKEN_DOT},
		{";", 1, TOKEN_SEMICOLON},    {"+", 1, TOKEN_PLUS},
		{"-", 1, TOKEN_MINUS},        {"*", 1, TOKEN_STAR},
		{"/", 1, TOKEN_SLASH},        {"%", 1, TOKEN_PERCENT},
		{"=", 1, TOKEN_EQUAL},        {"<", 1, TOKEN_LESS},
		{">", 1, TOKEN_GREATER},
	};
	uint32_t start = lexer->at;
	Position position = position_at(lexer, start, 1);

	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		unsigned char length = operators[i].length;

		if (peek(lexer, 0) != operators[i].text[0] ||
		    (length == 2 && peek(lexer, 1) != operators[i].text[1]))
			continue;
		lexer->at += length;
		position.length = length;
		if (operators[i].kind == TOKEN_ERROR)
			add_problem(lexer, PROBLEM_DOUBLE_EQUAL, start, position);
		else
			add_token(lexer, operators[i].kind, start, position);
		return;
	}
	lexer->at++;
	add_problem(lexer, peek(lexer, (uint32_t)-1) == 0 ? PROBLEM_NUL : PROBLEM_CHARACTER, start,
		    position);
}

static void
skip_blanks(Lexer *lexer)
{
	for (;; lexer->at++) {
		int c = peek(lexer, 0);

		if (c != ' ' && c != '\t' && c != '\r' && c != '\n' && c != '\f' && c != '\v')
			return;
		if (c == '\n') {
			lexer->line++;
			lexer->line_start = lexer->at + 1;
		}
	}
}

Lexed
lexer_run(Arena *arena, Str text)
{
	Lexer lexer = {.arena = arena, .text = text, .line = 1};

	/* A byte order mark is no part of the text. */
	if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0)
		lexer.at = lexer.line_start = 3;
	for (skip_blanks(&lexer); peek(&lexer, 0) >= 0; skip_blanks(&lexer)) {
		int c = peek(&lexer, 0);
		int next = peek(&lexer, 1);

		if (c == '-' && next == '-')
			read_line_comment(&lexer);
		else if (c == '/' && next == '*')
			read_block_comment(&lexer);
		else if (c == '\'')
			read_quoted(&lexer, TOKEN_STRING, PROBLEM_STRING);
		else if (c == '"' || c == '`')
			read_quoted(&lexer, TOKEN_QUOTED_NAME, PROBLEM_QUOTED_NAME);
		else if (is_digit(c) || (c == '.' && is_digit(next)))
			read_number(&lexer);
		else if (is_word_start(c))
			read_word(&lexer);
		else
			read_operator(&lexer);
	}
	add_token(&lexer, TOKEN_END, lexer.at, position_at(&lexer, lexer.at, 0));
	return lexer.out;
}
