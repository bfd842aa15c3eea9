/* sql/parse_script.c -- a file of statements, its header and its annotations.
 *
 * An application file carries data in line comments.  "-- SQL Application: x", "-- Version: 1.0",
 * Description, Author, Dependencies and Tag are about the file wherever they stand.  "-- Name: x",
 * "-- Property: k=v" and "-- @key: value" are about the statement they stand before; those @keys
 * and properties that stand above the first statement and an empty line are about the file. */
#include "sql/parse.h"

#define ERRORS_MAX 100 /* errors of one script; each is over 1 KiB */

/* ---------------------------------------------------------------- annotations */

static bool
is_one_of(Str key, const Str *keys, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_eq_nocase(key, keys[i]))
			return true;
	return false;
}

static bool
is_file_key(Str key)
{
	static const Str keys[] = {
		{"SQL Application", 15}, {"Version", 7},       {"Description", 11},
		{"Author", 6},           {"Dependencies", 12}, {"Tag", 3},
	};

	return is_one_of(key, keys, sizeof keys / sizeof *keys);
}

static bool
is_statement_key(Str key)
{
	static const Str keys[] = {{"Name", 4}, {"Property", 8}};

	return is_one_of(key, keys, sizeof keys / sizeof *keys);
}

/* "key: value" of a line comment; false if it is prose. */
static bool
read_annotation(const Comment *comment, Annotation *annotation)
{
	Str text = str_trim(comment->text);
	const char *colon = text.len > 0 ? memchr(text.data, ':', text.len) : NULL;
	Str key = text, value = {NULL, 0};

	if (!comment->is_line)
		return false;
	if (colon != NULL) {
		key = str_trim((Str){text.data, (uint32_t)(colon - text.data)});
		value = str_trim(str_skip(text, (uint32_t)(colon - text.data) + 1));
	}
	if (key.len > 1 && key.data[0] == '@') {
		/* A key has no blank in it. */
		if (memchr(key.data, ' ', key.len) != NULL)
			return false;
	} else if (colon == NULL || (!is_file_key(key) && !is_statement_key(key))) {
		return false;
	}
	*annotation = (Annotation){key, value, comment->position};
	return true;
}

/* Is there an empty line between comment `index` and what it stands before? */
static bool
is_set_apart(const Parser *p, uint32_t index)
{
	const Lexed *lexed = &p->lexed;
	uint32_t token = lexed->comments[index].token;
	uint32_t line = lexed->comments[index].position.line;

	for (index++; index < lexed->comment_count && lexed->comments[index].token == token;
	     index++) {
		if (lexed->comments[index].position.line > line + 1)
			return true;
		line = lexed->comments[index].position.line;
	}
	return lexed->tokens[token].position.line > line + 1;
}

/* Give the comments in front of `first` to the script or to the statement. */
static void
collect_annotations(Parser *p, const Token *first, Script *script, AnnotationList *own,
		    uint32_t *comment)
{
	uint32_t token = (uint32_t)(first - p->lexed.tokens);
	bool opening = token == 0;

	for (; *comment < p->lexed.comment_count; ++*comment) {
		const Comment *text = &p->lexed.comments[*comment];
		Annotation annotation;

		if (text->token > token)
			return;
		if (!read_annotation(text, &annotation))
			continue;
		bool either = annotation.key.data[0] == '@' ||
			      str_eq_nocase(annotation.key, STR("Property"));
		if (is_file_key(annotation.key) || (opening && either && is_set_apart(p, *comment)))
			PARSER_APPEND(p, script->metadata.items, script->metadata.count,
				      annotation);
		else if (text->token == token) /* inside a statement it means nothing */
			PARSER_APPEND(p, own->items, own->count, annotation);
	}
}

/* ---------------------------------------------------------------- statements */

static void
skip_statement(Parser *p)
{
	while (p->token->kind != TOKEN_END && !parser_accept(p, TOKEN_SEMICOLON))
		p->token++;
}

static void
add_error(Parser *p, ErrorList *errors, const Error *err)
{
	PARSER_APPEND(p, errors->items, errors->count, *err);
}

static Status
parse_next(Parser *p, Statement **statement)
{
	p->nesting = 0;
	p->deepest = 0;
	p->alias = NULL;
	TRY(parse_statement(p, statement));
	return parser_expect_end(p, true);
}

/* script = { [ statement ] ";" } [ statement ] ; */
Status
sql_parse_script(Arena *arena, Str name, Str text, Script **out, ErrorList *errors)
{
	Parser p;
	Error err;
	Script *script = ARENA_NEW(arena, Script);
	uint32_t comment = 0;

	*errors = (ErrorList){0};
	*script = (Script){.name = name, .text = text};
	*out = script;
	parser_init(&p, arena, text, &err);
	while (errors->count < ERRORS_MAX) {
		Statement *statement;
		AnnotationList annotations = {0};
		const Token *first = p.token;

		collect_annotations(&p, first, script, &annotations, &comment);
		if (p.token->kind == TOKEN_END)
			break;
		if (parser_accept(&p, TOKEN_SEMICOLON))
			continue;
		if (parse_next(&p, &statement) != FERRIS_OK) {
			add_error(&p, errors, &err);
			skip_statement(&p);
			continue;
		}
		statement->annotations = annotations;
		PARSER_APPEND(&p, script->statements, script->statement_count, statement);
	}
	return errors->count > 0 ? errors->items[0].status : FERRIS_OK;
}
