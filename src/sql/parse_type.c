/* sql/parse_type.c -- the names of types.
 *
 * Which names exist is plan's business; here a type is a name with numbers, element types or
 * fields.  Element types stand in <...> or (...). */
#include "sql/parse.h"

/* integers = "(" integer { "," integer } ")" ; */
static Status
parse_numbers(Parser *p, TypeName *type)
{
	const Token *open = p->token;

	if (!parser_accept(p, TOKEN_OPEN))
		return FERRIS_OK;
	do {
		if (!parser_at(p, TOKEN_INTEGER))
			return parser_fail(p, "a number");
		PARSER_APPEND(p, type->numbers, type->number_count, parser_token_text(p, p->token));
		p->token++;
	} while (parser_accept(p, TOKEN_COMMA));
	return parser_expect_close(p, open);
}

/* Take "<" or "("; the token that closes it goes to `close`. */
static Status
parse_open_angle(Parser *p, TokenKind *close)
{
	*close = parser_at(p, TOKEN_LESS) ? TOKEN_GREATER : TOKEN_CLOSE;
	if (parser_accept(p, TOKEN_LESS) || parser_accept(p, TOKEN_OPEN))
		return FERRIS_OK;
	return parser_fail(p, "'<' and the types of the elements");
}

/* array_args = "<" type ">" | "(" type ")" ;
 * map_args   = "<" type "," type ">" | "(" type "," type ")" ; */
static Status
parse_type_args(Parser *p, TypeName *type, uint32_t count)
{
	TokenKind close;

	TRY(parse_open_angle(p, &close));
	for (uint32_t i = 0; i < count; i++) {
		TypeName *arg;

		if (i > 0)
			TRY(parser_expect(p, TOKEN_COMMA));
		TRY(parse_type(p, &arg));
		PARSER_APPEND(p, type->args, type->arg_count, arg);
	}
	return parser_expect(p, close);
}

/* field = name type [ NOT NULL ] ; */
static Status
parse_field(Parser *p, TypeField *field)
{
	TRY(parse_name(p, "a field's name", &field->name));
	TRY(parse_type(p, &field->type));
	field->not_null = parser_accept_word(p, KEYWORD_NOT);
	return field->not_null ? parser_expect_word(p, KEYWORD_NULL) : FERRIS_OK;
}

/* fields = "<" field { "," field } ">" | "(" field { "," field } ")" ; */
static Status
parse_fields(Parser *p, TypeName *type)
{
	TokenKind close;

	TRY(parse_open_angle(p, &close));
	do {
		TypeField field = {0};

		TRY(parse_field(p, &field));
		PARSER_APPEND(p, type->fields, type->field_count, field);
	} while (parser_accept(p, TOKEN_COMMA));
	if (parser_accept(p, close))
		return FERRIS_OK;
	return parser_fail(p, close == TOKEN_GREATER ? "',' or '>'" : "',' or ')'");
}

static void
add_word(Parser *p, TypeName *type, const char *word)
{
	type->name.text = str_format(p->arena, "%.*s %s", STR_ARG(type->name.text), word);
}

/* time_zone = ( WITH | WITHOUT ) [ LOCAL ] TIME ZONE ; */
static Status
parse_time_zone(Parser *p, TypeName *type)
{
	bool with = parser_sees_word(p, 0, KEYWORD_WITH);
	bool time = parser_sees_word(p, 1, KEYWORD_TIME) || parser_sees_word(p, 1, KEYWORD_LOCAL);

	/* WITH may also begin the options of the query around. */
	if (!time || (!with && !parser_sees_word(p, 0, KEYWORD_WITHOUT)))
		return FERRIS_OK;
	p->token++;
	type->name.text =
		keyword_name(type->name.position.length == 4 ? KEYWORD_TIME : KEYWORD_TIMESTAMP);
	add_word(p, type, with ? "WITH" : "WITHOUT");
	if (parser_accept_word(p, KEYWORD_LOCAL))
		add_word(p, type, "LOCAL");
	TRY(parser_expect_word(p, KEYWORD_TIME));
	TRY(parser_expect_word(p, KEYWORD_ZONE));
	add_word(p, type, "TIME ZONE");
	return FERRIS_OK;
}

/* type_base = ARRAY array_args | MAP map_args | ( STRUCT | ROW ) fields
 *           | ( TIME | TIMESTAMP ) [ integers ] [ time_zone ]
 *           | DOUBLE [ PRECISION ] | CHARACTER [ VARYING ] [ integers ] | name [ integers ] ; */
static Status
parse_type_base(Parser *p, TypeName *type)
{
	Keyword keyword = p->token->keyword;

	TRY(parse_name(p, "a type", &type->name));
	switch (keyword) {
	case KEYWORD_ARRAY:
		return parse_type_args(p, type, 1);
	case KEYWORD_MAP:
		return parse_type_args(p, type, 2);
	case KEYWORD_STRUCT:
	case KEYWORD_ROW:
		return parse_fields(p, type);
	case KEYWORD_TIME:
	case KEYWORD_TIMESTAMP:
		TRY(parse_numbers(p, type));
		return parse_time_zone(p, type);
	case KEYWORD_DOUBLE:
		if (parser_accept_word(p, KEYWORD_PRECISION))
			type->name.text = STR("DOUBLE PRECISION");
		return FERRIS_OK;
	case KEYWORD_CHARACTER:
		if (parser_accept_word(p, KEYWORD_VARYING))
			type->name.text = STR("CHARACTER VARYING");
		return parse_numbers(p, type);
	default:
		return parse_numbers(p, type);
	}
}

/* type = type_base { "[" "]" } ; */
Status
parse_type(Parser *p, TypeName **out)
{
	const Token *first = p->token;
	TypeName *type = ARENA_NEW(p->arena, TypeName);
	uint32_t nesting = p->nesting;

	TRY(parser_enter(p));
	TRY(parse_type_base(p, type));
	type->text = parser_text_since(p, first);
	type->position = parser_position_since(p, first);
	while (parser_sees(p, 0, TOKEN_OPEN_BRACKET) && parser_sees(p, 1, TOKEN_CLOSE_BRACKET)) {
		TypeName *array = ARENA_NEW(p->arena, TypeName);

		TRY(parser_enter(p));
		p->token += 2;
		array->name = (Name){STR("ARRAY"), type->name.position, false};
		PARSER_APPEND(p, array->args, array->arg_count, type);
		array->text = parser_text_since(p, first);
		array->position = parser_position_since(p, first);
		type = array;
	}
	p->nesting = nesting;
	*out = type;
	return FERRIS_OK;
}
