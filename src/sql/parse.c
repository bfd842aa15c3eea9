/* sql/parse.c -- the parser's hands on the token stream, its error messages, and the entry points.
 *
 * The messages know three things: what was expected, which keywords the grammar tried at that
 * place (for "did you mean"), and which name was last taken for an alias, because a misspelt
 * keyword mostly becomes one: in SELECT a FORM t, FORM is an alias and the error shows at t. */
#include "sql/parse.h"

#include <stdio.h>

#define FOUND_MAX 40 /* bytes of a token shown in a message */

void
parser_init(Parser *p, Arena *arena, Str text, Error *err)
{
	*p = (Parser){.arena = arena, .text = text, .err = err};
	p->lexed = lexer_run(arena, text);
	p->token = p->lexed.tokens;
}

Str
parser_token_text(const Parser *p, const Token *token)
{
	return (Str){p->text.data + token->offset, token->position.length};
}

bool
parser_at(const Parser *p, TokenKind kind)
{
	return p->token->kind == kind;
}

bool
parser_at_word(Parser *p, Keyword keyword)
{
	if (p->expected_at != p->token) {
		p->expected_at = p->token;
		memset(p->expected, 0, sizeof p->expected);
	}
	p->expected[keyword / 64] |= UINT64_C(1) << (keyword % 64);
	return p->token->keyword == keyword;
}

bool
parser_sees(const Parser *p, uint32_t ahead, TokenKind kind)
{
	const Token *last = &p->lexed.tokens[p->lexed.token_count - 1];

	return ahead <= (size_t)(last - p->token) && p->token[ahead].kind == kind;
}

bool
parser_sees_word(const Parser *p, uint32_t ahead, Keyword keyword)
{
	return parser_sees(p, ahead, TOKEN_WORD) && p->token[ahead].keyword == keyword;
}

bool
parser_accept(Parser *p, TokenKind kind)
{
	if (p->token->kind != kind || kind == TOKEN_END)
		return false;
	p->token++;
	return true;
}

bool
parser_accept_word(Parser *p, Keyword keyword)
{
	if (!parser_at_word(p, keyword))
		return false;
	p->token++;
	return true;
}

Str
parser_text_since(const Parser *p, const Token *first)
{
	const Token *last = p->token > first ? p->token - 1 : first;

	return (Str){p->text.data + first->offset,
		     last->offset + last->position.length - first->offset};
}

Position
parser_position_since(const Parser *p, const Token *first)
{
	Position position = first->position;

	position.length = parser_text_since(p, first).len;
	return position;
}

/* ---------------------------------------------------------------- messages */

static const char *const token_names[] = {
	[TOKEN_END] = "end of text",    [TOKEN_WORD] = "a name",
	[TOKEN_QUOTED_NAME] = "a name", [TOKEN_STRING] = "a string",
	[TOKEN_INTEGER] = "a number",   [TOKEN_DECIMAL] = "a number",
	[TOKEN_DOUBLE] = "a number",    [TOKEN_DURATION] = "a duration",
	[TOKEN_OPEN] = "'('",           [TOKEN_CLOSE] = "')'",
	[TOKEN_OPEN_BRACKET] = "'['",   [TOKEN_CLOSE_BRACKET] = "']'",
	[TOKEN_COMMA] = "','",          [TOKEN_DOT] = "'.'",
	[TOKEN_SEMICOLON] = "';'",      [TOKEN_PLUS] = "'+'",
	[TOKEN_MINUS] = "'-'",          [TOKEN_STAR] = "'*'",
	[TOKEN_SLASH] = "'/'",          [TOKEN_PERCENT] = "'%'",
	[TOKEN_CONCAT] = "'||'",        [TOKEN_EQUAL] = "'='",
	[TOKEN_NOT_EQUAL] = "'<>'",     [TOKEN_LESS] = "'<'",
	[TOKEN_LESS_EQUAL] = "'<='",    [TOKEN_GREATER] = "'>'",
	[TOKEN_GREATER_EQUAL] = "'>='", [TOKEN_DOUBLE_COLON] = "'::'",
	[TOKEN_ARROW] = "'=>'",         [TOKEN_ERROR] = "an error",
};

/* The first bytes of `text` that fit into a message: one line, whole characters. */
static Str
excerpt(Str text)
{
	uint32_t len = 0;

	while (len < text.len && len < FOUND_MAX && (unsigned char)text.data[len] >= 0x20)
		len++;
	while (len > 0 && len < text.len && ((unsigned char)text.data[len] & 0xC0) == 0x80)
		len--;
	return (Str){text.data, len};
}

/* "'foo'", "the string 'abc'", "end of text" */
static void
describe_token(const Parser *p, const Token *token, char *buffer, size_t size)
{
	Str text = parser_token_text(p, token);
	Str shown = excerpt(text);
	const char *rest = shown.len < text.len ? "…" : "";

	if (token->kind == TOKEN_END)
		snprintf(buffer, size, "end of text");
	else if (token->kind == TOKEN_STRING)
		snprintf(buffer, size, "the string %.*s%s", STR_ARG(shown), rest);
	else if (token->kind == TOKEN_QUOTED_NAME)
		snprintf(buffer, size, "the name %.*s%s", STR_ARG(shown), rest);
	else if (token->keyword != KEYWORD_NONE &&
		 keyword_class(token->keyword) != KEYWORD_CLASS_FREE)
		snprintf(buffer, size, "%.*s", STR_ARG(keyword_name(token->keyword)));
	else
		snprintf(buffer, size, "'%.*s%s'", STR_ARG(shown), rest);
}

/* A character that SQL does not have. */
static Status
fail_character(Parser *p, const Token *token)
{
	Str text = parser_token_text(p, token);
	unsigned char c = (unsigned char)text.data[0];
	Str rest = {text.data, p->text.len - token->offset};

	if (c < 0x20 || c == 0x7F)
		return error_set_at(p->err, FERRIS_ERR_LEX, token->position,
				    "control character 0x%02x in the SQL", c);
	error_set_at(p->err, FERRIS_ERR_LEX, token->position,
		     "character '%c' has no meaning in SQL", c);
	if (str_starts_with(rest, STR("&&")))
		error_hint(p->err, "write AND");
	else if (str_starts_with(rest, STR("|")) || c == '!')
		error_hint(p->err, c == '!' ? "write NOT" : "write OR, or || to join strings");
	else if (c == '$')
		error_hint(p->err, "${VAR} is replaced only inside the values of WITH (...)");
	return FERRIS_ERR_LEX;
}

static Status
fail_problem(Parser *p, const Token *token)
{
	Str text = excerpt(parser_token_text(p, token));
	const char *message = NULL, *hint = NULL;

	switch (token->problem) {
	case PROBLEM_STRING:
		message = "string without its closing quote";
		hint = "end it with ', and write '' for a quote inside";
		break;
	case PROBLEM_QUOTED_NAME:
		message = "quoted name without its closing quote";
		hint = "names take double quotes, strings take single quotes";
		break;
	case PROBLEM_COMMENT:
		message = "comment without its end";
		hint = "every /* needs a */, also inside a comment";
		break;
	case PROBLEM_EMPTY_NAME:
		message = "name without a character between its quotes";
		hint = "an empty string is written ''";
		break;
	case PROBLEM_NUL:
		message = "NUL byte in the SQL";
		hint = "is this file UTF-16, or no text?";
		break;
	case PROBLEM_UTF8:
		message = "bytes that are not valid UTF-8";
		hint = "save the file as UTF-8";
		break;
	case PROBLEM_DOUBLE_EQUAL:
		error_set_at(p->err, FERRIS_ERR_SYNTAX, token->position,
			     "expected '=', found '=='");
		return error_hint(p->err, "SQL compares with a single =");
	case PROBLEM_NUMBER:
		error_set_at(p->err, FERRIS_ERR_LEX, token->position,
			     "'%.*s' is neither a number nor a duration", STR_ARG(text));
		return error_hint(p->err, "units of a duration are ns, us, ms, s, m, h, d, w; "
					  "a name that starts with a digit needs double quotes");
	case PROBLEM_NONE:
	case PROBLEM_CHARACTER:
		return fail_character(p, token);
	}
	error_set_at(p->err, FERRIS_ERR_LEX, token->position, "%s", message);
	return error_hint(p->err, "%s", hint);
}

/* The keyword that `token` may have been meant for, of those the grammar tried at this place. */
static Str
nearest_expected(Parser *p, const Token *token, uint32_t shortest)
{
	Str candidates[KEYWORD_COUNT];
	size_t count = 0;

	if (token->kind != TOKEN_WORD || token->position.length < shortest ||
	    p->expected_at != p->token)
		return (Str){NULL, 0};
	for (unsigned k = 1; k < KEYWORD_COUNT; k++)
		if (p->expected[k / 64] >> (k % 64) & 1)
			candidates[count++] = keyword_name((Keyword)k);
	return str_nearest(parser_token_text(p, token), candidates, count);
}

static bool
starts_clause(Keyword keyword)
{
	switch (keyword) {
	case KEYWORD_FROM:
	case KEYWORD_WHERE:
	case KEYWORD_GROUP:
	case KEYWORD_HAVING:
	case KEYWORD_WINDOW:
	case KEYWORD_QUALIFY:
	case KEYWORD_ORDER:
	case KEYWORD_LIMIT:
	case KEYWORD_OFFSET:
	case KEYWORD_EMIT:
	case KEYWORD_GRACE:
	case KEYWORD_INTO:
	case KEYWORD_WITH:
		return true;
	default:
		return false;
	}
}

static bool
starts_statement(Keyword keyword)
{
	switch (keyword) {
	case KEYWORD_SELECT:
	case KEYWORD_CREATE:
	case KEYWORD_INSERT:
	case KEYWORD_DROP:
	case KEYWORD_UPDATE:
	case KEYWORD_DELETE:
	case KEYWORD_SHOW:
	case KEYWORD_DESCRIBE:
	case KEYWORD_EXPLAIN:
	case KEYWORD_START:
	case KEYWORD_STOP:
	case KEYWORD_DEPLOY:
		return true;
	default:
		return false;
	}
}

static bool
starts_operand(const Token *token)
{
	switch (token->kind) {
	case TOKEN_WORD:
		return token->keyword == KEYWORD_NONE ||
		       keyword_class(token->keyword) != KEYWORD_CLASS_RESERVED;
	case TOKEN_QUOTED_NAME:
	case TOKEN_STRING:
	case TOKEN_INTEGER:
	case TOKEN_DECIMAL:
	case TOKEN_DOUBLE:
	case TOKEN_DURATION:
		return true;
	default:
		return false;
	}
}

/* Does what follows a reserved word show that it was meant as a column? */
static bool
is_used_as_name(const Token *token)
{
	switch (token[1].kind) {
	case TOKEN_COMMA:
	case TOKEN_CLOSE:
	case TOKEN_DOT:
	case TOKEN_EQUAL:
	case TOKEN_NOT_EQUAL:
	case TOKEN_LESS:
	case TOKEN_LESS_EQUAL:
	case TOKEN_GREATER:
	case TOKEN_GREATER_EQUAL:
	case TOKEN_PLUS:
	case TOKEN_MINUS:
	case TOKEN_SLASH:
	case TOKEN_PERCENT:
	case TOKEN_CONCAT:
		return true;
	default:
		return token[1].keyword == KEYWORD_FROM || token[1].keyword == KEYWORD_AS;
	}
}

/* What the message alone does not tell: the likeliest cause, if one is visible. */
static void
add_hint(Parser *p, const char *what, const char *found)
{
	const Token *token = p->token;
	bool after_comma = token > p->lexed.tokens && token[-1].kind == TOKEN_COMMA;
	Str nearest = nearest_expected(p, token, 2);
	Keyword keyword = token->keyword;
	bool reserved = keyword != KEYWORD_NONE && keyword_class(keyword) == KEYWORD_CLASS_RESERVED;

	if (nearest.data != NULL && !reserved)
		error_hint(p->err, "did you mean %.*s?", STR_ARG(nearest));
	else if (after_comma && (reserved || token->kind == TOKEN_CLOSE))
		error_hint(p->err, "remove the ',' before %s", found);
	else if (token->kind == TOKEN_QUOTED_NAME && strstr(what, "string") != NULL)
		error_hint(p->err, "strings take single quotes, double quotes are for names");
	else if (token->kind == TOKEN_STRING && strstr(what, "name") != NULL)
		error_hint(p->err, "names take double quotes, single quotes are for strings");
	else if (reserved && (strstr(what, "name") != NULL || is_used_as_name(token)))
		error_hint(p->err, "%s is a reserved word; as a name write \"%.*s\"", found,
			   STR_ARG(parser_token_text(p, token)));
	else if (strncmp(what, "end of", 6) == 0 && starts_clause(keyword))
		error_hint(p->err,
			   "the order of clauses is SELECT, FROM, WHERE, GROUP BY, HAVING and "
			   "WINDOW, QUALIFY, ORDER BY, LIMIT, EMIT, GRACE PERIOD, INTO, WITH; "
			   "each stands once");
	else if (token > p->lexed.tokens && token[-1].kind == TOKEN_SEMICOLON)
		error_hint(p->err, "only one statement can stand here");
	else if (strncmp(what, "end of", 6) == 0 && starts_statement(keyword))
		error_hint(p->err, "is a ';' missing before %s?", found);
	else if (strncmp(what, "',' or", 6) == 0 && starts_operand(token))
		error_hint(p->err, "is a ',' missing before %s?", found);
	else if (strncmp(what, "end of", 6) == 0 && starts_operand(token))
		error_hint(p->err, "is a ',' or an operator missing before %s?", found);
}

Status
parser_fail(Parser *p, const char *what)
{
	const Token *token = p->token;
	char found[FOUND_MAX + 32];

	if (token->kind == TOKEN_ERROR)
		return fail_problem(p, token);
	if (p->alias != NULL && p->alias + 1 == token) {
		Str nearest = nearest_expected(p, p->alias, 4);

		if (nearest.data != NULL) {
			describe_token(p, p->alias, found, sizeof found);
			error_set_at(p->err, FERRIS_ERR_SYNTAX, p->alias->position,
				     "expected %.*s, found %s", STR_ARG(nearest), found);
			return error_hint(p->err, "did you mean %.*s?", STR_ARG(nearest));
		}
	}
	describe_token(p, token, found, sizeof found);
	error_set_at(p->err, FERRIS_ERR_SYNTAX, token->position, "expected %s, found %s", what,
		     found);
	add_hint(p, what, found);
	return FERRIS_ERR_SYNTAX;
}

/* ---------------------------------------------------------------- expectations */

Status
parser_expect(Parser *p, TokenKind kind)
{
	return parser_accept(p, kind) ? FERRIS_OK : parser_fail(p, token_names[kind]);
}

Status
parser_expect_word(Parser *p, Keyword keyword)
{
	char what[32];

	if (parser_accept_word(p, keyword))
		return FERRIS_OK;
	snprintf(what, sizeof what, "%.*s", STR_ARG(keyword_name(keyword)));
	return parser_fail(p, what);
}

Status
parser_expect_close(Parser *p, const Token *open)
{
	bool bracket = open->kind == TOKEN_OPEN_BRACKET;

	if (parser_accept(p, bracket ? TOKEN_CLOSE_BRACKET : TOKEN_CLOSE))
		return FERRIS_OK;
	parser_fail(p, bracket ? "',' or ']'" : "',' or ')'");
	if (p->err->hint[0] == '\0' && p->token->kind != TOKEN_ERROR)
		error_hint(p->err, "the '%c' at line %u, column %u is not closed",
			   bracket ? '[' : '(', open->position.line, open->position.column);
	return p->err->status;
}

Status
parser_expect_end(Parser *p, bool semicolon)
{
	if (semicolon && parser_accept(p, TOKEN_SEMICOLON))
		return FERRIS_OK;
	if (p->token->kind == TOKEN_END)
		return FERRIS_OK;
	return parser_fail(p, semicolon ? "end of statement" : "end of text");
}

Status
parser_enter(Parser *p)
{
	if (++p->nesting <= SQL_MAX_NESTING)
		return FERRIS_OK;
	error_set_at(p->err, FERRIS_ERR_NESTING, p->token->position,
		     "nested more than %d levels deep", SQL_MAX_NESTING);
	return error_hint(p->err, "put inner parts into a WITH query of their own");
}

Status
parser_check_depth(Parser *p, uint32_t depth, Position position)
{
	if (depth > p->deepest)
		p->deepest = depth;
	if (depth <= SQL_MAX_DEPTH)
		return FERRIS_OK;
	error_set_at(p->err, FERRIS_ERR_NESTING, position,
		     "more than %d operators or queries build on each other", SQL_MAX_DEPTH);
	return error_hint(p->err,
			  "split the chain with parentheses, or use IN (...) or CONCAT(...)");
}

/* ---------------------------------------------------------------- names and options */

bool
parser_at_name(const Parser *p)
{
	Keyword keyword = p->token->keyword;

	return p->token->kind == TOKEN_QUOTED_NAME ||
	       (p->token->kind == TOKEN_WORD &&
		(keyword == KEYWORD_NONE || keyword_class(keyword) != KEYWORD_CLASS_RESERVED));
}

/* name = word | quoted_name ; */
Status
parse_name(Parser *p, const char *what, Name *name)
{
	Str text = parser_token_text(p, p->token);
	bool quoted = p->token->kind == TOKEN_QUOTED_NAME;

	if (!parser_at_name(p))
		return parser_fail(p, what);
	*name = (Name){quoted ? lexer_unquote(p->arena, text) : text, p->token->position, quoted};
	p->token++;
	return FERRIS_OK;
}

/* name_list = name { "," name } ; */
Status
parse_name_list(Parser *p, const char *what, NameList *names)
{
	do {
		Name name;

		TRY(parse_name(p, what, &name));
		PARSER_APPEND(p, names->items, names->count, name);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* alias = [ AS ] name ; */
Status
parse_alias(Parser *p, Name *alias)
{
	const Token *token = p->token;

	if (parser_accept_word(p, KEYWORD_AS))
		return parse_name(p, "a name", alias);
	if (!parser_at_name(p) || (token->keyword != KEYWORD_NONE &&
				   keyword_class(token->keyword) == KEYWORD_CLASS_CLAUSE))
		return FERRIS_OK;
	if (token->kind == TOKEN_WORD)
		p->alias = token;
	return parse_name(p, "a name", alias);
}

Status
parse_string(Parser *p, const char *what, Str *value)
{
	if (p->token->kind != TOKEN_STRING)
		return parser_fail(p, what);
	*value = lexer_unquote(p->arena, parser_token_text(p, p->token));
	p->token++;
	return FERRIS_OK;
}

/* target = name | string ; */
Status
parse_target(Parser *p, const char *what, Target *target)
{
	if (p->token->kind != TOKEN_STRING)
		return parse_name(p, what, &target->name);
	target->is_uri = true;
	target->name.quoted = true;
	target->name.position = p->token->position;
	return parse_string(p, what, &target->name.text);
}

/* option_value = string | [ "-" ] number | TRUE | FALSE ; */
Status
parse_option_value(Parser *p, WithOption *option)
{
	const Token *first = p->token;
	TokenKind kind;

	option->value_position = first->position;
	if (first->kind == TOKEN_STRING)
		return parse_string(p, "a value", &option->value);
	if (parser_at_word(p, KEYWORD_TRUE) || parser_at_word(p, KEYWORD_FALSE)) {
		option->kind = WITH_BOOLEAN;
		option->value = first->keyword == KEYWORD_TRUE ? STR("true") : STR("false");
		p->token++;
		return FERRIS_OK;
	}
	parser_accept(p, TOKEN_MINUS);
	kind = p->token->kind;
	if (kind != TOKEN_INTEGER && kind != TOKEN_DECIMAL && kind != TOKEN_DOUBLE)
		return parser_fail(p, "a value: a string, a number, TRUE or FALSE");
	p->token++;
	option->kind = WITH_NUMBER;
	option->value_position = parser_position_since(p, first);
	option->value = parser_text_since(p, first);
	if (p->token - first > 1) /* blanks may stand behind the minus */
		option->value =
			str_format(p->arena, "-%.*s", STR_ARG(parser_token_text(p, p->token - 1)));
	return FERRIS_OK;
}

/* option = string "=" option_value ; */
static Status
parse_option(Parser *p, WithOption *option)
{
	option->key_position = p->token->position;
	TRY(parse_string(p, "an option's name, a string", &option->key));
	TRY(parser_expect(p, TOKEN_EQUAL));
	return parse_option_value(p, option);
}

/* options = WITH "(" [ option { "," option } ] ")" ; */
Status
parse_options(Parser *p, WithList *options)
{
	options->position = p->token->position;
	TRY(parser_expect_word(p, KEYWORD_WITH));
	const Token *open = p->token;
	TRY(parser_expect(p, TOKEN_OPEN));
	if (parser_accept(p, TOKEN_CLOSE))
		return FERRIS_OK;
	do {
		WithOption option = {0};

		TRY(parse_option(p, &option));
		PARSER_APPEND(p, options->items, options->count, option);
	} while (parser_accept(p, TOKEN_COMMA));
	return parser_expect_close(p, open);
}

/* ---------------------------------------------------------------- entry points */

Status
sql_parse_statement(Arena *arena, Str text, Statement **statement, Error *err)
{
	Parser p;

	parser_init(&p, arena, text, err);
	TRY(parse_statement(&p, statement));
	parser_accept(&p, TOKEN_SEMICOLON);
	return parser_expect_end(&p, false);
}

Status
sql_parse_expression(Arena *arena, Str text, Expr **expr, Error *err)
{
	Parser p;

	parser_init(&p, arena, text, err);
	TRY(parse_expr(&p, expr));
	return parser_expect_end(&p, false);
}

Status
sql_parse_type(Arena *arena, Str text, TypeName **type, Error *err)
{
	Parser p;

	parser_init(&p, arena, text, err);
	TRY(parse_type(&p, type));
	return parser_expect_end(&p, false);
}
