/* sql/parse_create.c -- CREATE STREAM and CREATE TABLE. */
#include "sql/parse.h"

/* metadata = METADATA [ FROM string ] [ VIRTUAL ] ; */
static Status
parse_metadata(Parser *p, ColumnDef *column)
{
	column->metadata = true;
	if (parser_accept_word(p, KEYWORD_FROM))
		TRY(parse_string(p, "the metadata's key, a string", &column->metadata_key));
	column->is_virtual = parser_accept_word(p, KEYWORD_VIRTUAL);
	return FERRIS_OK;
}

/* key = PRIMARY KEY [ NOT ENFORCED ] ; */
static Status
parse_key(Parser *p)
{
	TRY(parser_expect_word(p, KEYWORD_KEY));
	if (parser_sees_word(p, 0, KEYWORD_NOT) && parser_sees_word(p, 1, KEYWORD_ENFORCED))
		p->token += 2;
	return FERRIS_OK;
}

/* constraints = [ NOT NULL | NULL ] [ key ] [ DEFAULT additive ] [ metadata ] ;
 * Any order is accepted. */
static Status
parse_constraints(Parser *p, ColumnDef *column)
{
	for (;;) {
		if (parser_accept_word(p, KEYWORD_NOT)) {
			TRY(parser_expect_word(p, KEYWORD_NULL));
			column->not_null = true;
		} else if (!column->not_null && parser_accept_word(p, KEYWORD_NULL)) {
			continue;
		} else if (!column->primary_key && parser_accept_word(p, KEYWORD_PRIMARY)) {
			TRY(parse_key(p));
			column->primary_key = true;
		} else if (column->default_value == NULL &&
			   parser_accept_word(p, KEYWORD_DEFAULT)) {
			TRY(parse_additive(p, &column->default_value));
		} else if (!column->metadata && parser_accept_word(p, KEYWORD_METADATA)) {
			TRY(parse_metadata(p, column));
		} else {
			return FERRIS_OK;
		}
	}
}

/* column_def = name ( AS expr | type constraints ) ; */
static Status
parse_column_def(Parser *p, Statement *statement)
{
	const Token *first = p->token;
	ColumnDef column = {0};

	TRY(parse_name(p, "a column's name", &column.name));
	if (parser_accept_word(p, KEYWORD_AS)) {
		TRY(parse_expr(p, &column.computed));
	} else {
		if (!parser_at_name(p))
			return parser_fail(p, "a type or AS");
		TRY(parse_type(p, &column.type));
		TRY(parse_constraints(p, &column));
	}
	column.position = parser_position_since(p, first);
	PARSER_APPEND(p, statement->create.columns, statement->create.column_count, column);
	return FERRIS_OK;
}

/* watermark = WATERMARK FOR name AS expr ; */
static Status
parse_watermark(Parser *p, Statement *statement)
{
	const Token *first = p->token;
	Watermark *watermark = &statement->create.watermark;

	if (watermark->expr != NULL) {
		error_set_at(p->err, FERRIS_ERR_SYNTAX, first->position, "WATERMARK stands twice");
		return error_hint(p->err, "a stream has one event time column");
	}
	p->token += 2;
	TRY(parse_name(p, "a column's name", &watermark->column));
	TRY(parser_expect_word(p, KEYWORD_AS));
	TRY(parse_expr(p, &watermark->expr));
	watermark->position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* table_key = PRIMARY KEY "(" name_list ")" [ NOT ENFORCED ] ; */
static Status
parse_table_key(Parser *p, Statement *statement)
{
	const Token *open = p->token + 2;

	if (statement->create.primary_key.count > 0)
		return error_set_at(p->err, FERRIS_ERR_SYNTAX, p->token->position,
				    "PRIMARY KEY stands twice");
	p->token += 3;
	TRY(parse_name_list(p, "a column's name", &statement->create.primary_key));
	TRY(parser_expect_close(p, open));
	if (parser_sees_word(p, 0, KEYWORD_NOT) && parser_sees_word(p, 1, KEYWORD_ENFORCED))
		p->token += 2;
	return FERRIS_OK;
}

/* column_defs = "(" column_def { "," column_def } [ "," table_key ] [ "," watermark ] ")" ;
 * Any order is accepted. */
static Status
parse_columns(Parser *p, Statement *statement)
{
	const Token *open = p->token;

	TRY(parser_expect(p, TOKEN_OPEN));
	do {
		if (parser_at_word(p, KEYWORD_WATERMARK) && parser_sees_word(p, 1, KEYWORD_FOR))
			TRY(parse_watermark(p, statement));
		else if (parser_at_word(p, KEYWORD_PRIMARY) &&
			 parser_sees_word(p, 1, KEYWORD_KEY) && parser_sees(p, 2, TOKEN_OPEN))
			TRY(parse_table_key(p, statement));
		else
			TRY(parse_column_def(p, statement));
	} while (parser_accept(p, TOKEN_COMMA));
	return parser_expect_close(p, open);
}

/* if_not_exists = IF NOT EXISTS ; */
static Status
parse_if_not_exists(Parser *p, bool *found)
{
	if (!parser_sees_word(p, 1, KEYWORD_NOT) || !parser_accept_word(p, KEYWORD_IF))
		return FERRIS_OK;
	*found = true;
	p->token++;
	return parser_expect_word(p, KEYWORD_EXISTS);
}

/* create = CREATE [ OR REPLACE ] ( STREAM | TABLE ) [ if_not_exists ] name
 *          ( column_defs [ options ] [ AS sink_query ] | [ options ] AS sink_query | options ) ; */
Status
parse_create(Parser *p, Statement *statement)
{
	TRY(parser_expect_word(p, KEYWORD_CREATE));
	statement->kind = STATEMENT_CREATE;
	if (parser_accept_word(p, KEYWORD_OR)) {
		TRY(parser_expect_word(p, KEYWORD_REPLACE));
		statement->create.or_replace = true;
	}
	statement->create.object = OBJECT_STREAM;
	if (parser_accept_word(p, KEYWORD_TABLE))
		statement->create.object = OBJECT_TABLE;
	else if (!parser_accept_word(p, KEYWORD_STREAM))
		return parser_fail(p, statement->create.or_replace ? "STREAM or TABLE"
								   : "STREAM, TABLE or OR REPLACE");
	TRY(parse_if_not_exists(p, &statement->create.if_not_exists));
	TRY(parse_name(p, "the name of the new stream or table", &statement->create.name));
	if (parser_at(p, TOKEN_OPEN))
		TRY(parse_columns(p, statement));
	if (parser_at_word(p, KEYWORD_WITH))
		TRY(parse_options(p, &statement->create.options));
	if (parser_accept_word(p, KEYWORD_AS))
		return parse_query(p, false, &statement->create.query);
	if (parser_at_word(p, KEYWORD_SELECT)) {
		parser_fail(p, "AS");
		return error_hint(p->err, "write CREATE … AS SELECT …");
	}
	if (statement->create.column_count > 0 || statement->create.options.position.line > 0)
		return FERRIS_OK;
	return parser_fail(p, "columns in parentheses, WITH (...) or AS and a query");
}
