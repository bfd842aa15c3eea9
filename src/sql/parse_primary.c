/* sql/parse_primary.c -- literals, columns, parentheses, CASE, CAST, and what hangs on behind. */
#include "sql/parse.h"

/* ---------------------------------------------------------------- literals */

/* literal = NULL | TRUE | FALSE | number | string ;
 * number  = integer | decimal | double ; */
static Status
parse_literal(Parser *p, Expr **expr)
{
	const Token *token = p->token++;

	switch (token->kind) {
	case TOKEN_INTEGER:
		*expr = expr_new(p, EXPR_INTEGER);
		break;
	case TOKEN_DECIMAL:
		*expr = expr_new(p, EXPR_DECIMAL);
		break;
	case TOKEN_DOUBLE:
		*expr = expr_new(p, EXPR_DOUBLE);
		break;
	case TOKEN_STRING:
		*expr = expr_new(p, EXPR_STRING);
		break;
	default:
		*expr = expr_new(p, token->keyword == KEYWORD_NULL ? EXPR_NULL : EXPR_BOOLEAN);
		(*expr)->boolean = token->keyword == KEYWORD_TRUE;
		return expr_finish(p, *expr, token);
	}
	(*expr)->literal = parser_token_text(p, token);
	if (token->kind == TOKEN_STRING)
		(*expr)->literal = lexer_unquote(p->arena, (*expr)->literal);
	return expr_finish(p, *expr, token);
}

/* typed = ( DATE | TIME | TIMESTAMP ) string ; */
static Status
parse_typed(Parser *p, Expr **out)
{
	const Token *first = p->token++;
	Expr *expr = expr_new(p, EXPR_TYPED);

	expr->typed.kind = first->keyword == KEYWORD_DATE   ? TYPED_DATE
			   : first->keyword == KEYWORD_TIME ? TYPED_TIME
							    : TYPED_TIMESTAMP;
	expr->typed.position = p->token->position;
	TRY(parse_string(p, "a string", &expr->typed.value));
	*out = expr;
	return expr_finish(p, expr, first);
}

/* ---------------------------------------------------------------- names */

/* label = name | keyword ; */
static Status
parse_label(Parser *p, Name *name)
{
	/* Directly behind a dot a reserved word is a name: t.order, but not "t. FROM". */
	if (p->token->kind != TOKEN_WORD || p->token->offset != p->token[-1].offset + 1)
		return parse_name(p, "a name", name);
	*name = (Name){parser_token_text(p, p->token), p->token->position, false};
	p->token++;
	return FERRIS_OK;
}

/* column = name { "." label } ; */
static Status
parse_column(Parser *p, Expr **out)
{
	const Token *first = p->token;
	Expr *expr = expr_new(p, EXPR_COLUMN);
	Name name;

	TRY(parse_name(p, "an expression", &name));
	PARSER_APPEND(p, expr->column.items, expr->column.count, name);
	while (parser_accept(p, TOKEN_DOT)) {
		TRY(parse_label(p, &name));
		PARSER_APPEND(p, expr->column.items, expr->column.count, name);
	}
	*out = expr;
	return expr_finish(p, expr, first);
}

/* ---------------------------------------------------------------- parentheses and lists */

/* parentheses = "(" expr { "," expr } ")" ; */
static Status
parse_parentheses(Parser *p, Expr **out)
{
	const Token *open = p->token;
	ExprList list = {0};

	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_expr_list(p, &list));
	TRY(parser_expect_close(p, open));
	if (list.count == 1) {
		/* No node of its own, but the text of a column name includes the parentheses. */
		*out = list.items[0];
		return expr_finish(p, *out, open);
	}
	*out = expr_new(p, EXPR_ROW);
	(*out)->list = list;
	expr_adopt_list(*out, &list);
	return expr_finish(p, *out, open);
}

/* array = ARRAY "[" [ expr_list ] "]" ;
 * row   = ROW "(" expr_list ")" ; */
static Status
parse_constructor(Parser *p, ExprKind kind, Expr **out)
{
	const Token *first = p->token++;
	const Token *open = p->token++;
	TokenKind close = kind == EXPR_ARRAY ? TOKEN_CLOSE_BRACKET : TOKEN_CLOSE;
	Expr *expr = expr_new(p, kind);

	if (kind == EXPR_ROW || !parser_at(p, close))
		TRY(parse_expr_list(p, &expr->list));
	TRY(parser_expect_close(p, open));
	expr_adopt_list(expr, &expr->list);
	*out = expr;
	return expr_finish(p, expr, first);
}

/* map = MAP "[" [ expr "," expr { "," expr "," expr } ] "]" ; */
static Status
parse_map(Parser *p, Expr **out)
{
	const Token *first = p->token++;
	const Token *open = p->token++;
	Expr *expr = expr_new(p, EXPR_FUNCTION);
	ExprList list = {0};

	expr->function.name = (Name){parser_token_text(p, first), first->position, false};
	if (!parser_at(p, TOKEN_CLOSE_BRACKET))
		TRY(parse_expr_list(p, &list));
	if (list.count % 2 != 0 && parser_at(p, TOKEN_CLOSE_BRACKET))
		return parser_fail(p, "',' and the value of the last key");
	TRY(parser_expect_close(p, open));
	for (uint32_t i = 0; i < list.count; i++)
		PARSER_APPEND(p, expr->function.args, expr->function.arg_count,
			      (Argument){.value = list.items[i]});
	expr_adopt_list(expr, &list);
	*out = expr;
	return expr_finish(p, expr, first);
}

/* subquery = nested_query ;
 * exists   = EXISTS nested_query ; */
static Status
parse_subquery(Parser *p, ExprKind kind, Expr **out)
{
	const Token *first = p->token;
	Expr *expr = expr_new(p, kind);

	if (kind == EXPR_EXISTS)
		p->token++;
	TRY(parse_nested_query(p, &expr->query));
	expr->depth = expr->query->depth + 1;
	*out = expr;
	return expr_finish(p, expr, first);
}

/* ---------------------------------------------------------------- CASE, CAST, TRY */

/* case = CASE [ expr ] WHEN expr THEN expr { WHEN expr THEN expr } [ ELSE expr ] END ; */
static Status
parse_case(Parser *p, Expr **out)
{
	const Token *first = p->token;
	Expr *expr = expr_new(p, EXPR_CASE);

	TRY(parser_expect_word(p, KEYWORD_CASE));
	if (!parser_at_word(p, KEYWORD_WHEN))
		TRY(parse_expr(p, &expr->case_when.operand));
	TRY(parser_expect_word(p, KEYWORD_WHEN));
	do {
		CaseWhen when;

		TRY(parse_expr(p, &when.when));
		TRY(parser_expect_word(p, KEYWORD_THEN));
		TRY(parse_expr(p, &when.then));
		expr_adopt(expr, when.when);
		expr_adopt(expr, when.then);
		PARSER_APPEND(p, expr->case_when.whens, expr->case_when.when_count, when);
	} while (parser_accept_word(p, KEYWORD_WHEN));
	if (parser_accept_word(p, KEYWORD_ELSE))
		TRY(parse_expr(p, &expr->case_when.otherwise));
	if (!parser_accept_word(p, KEYWORD_END)) {
		parser_fail(p, "WHEN, ELSE or END");
		if (p->token->kind == TOKEN_END || p->token->kind == TOKEN_SEMICOLON)
			error_hint(p->err, "the CASE at line %u, column %u has no END",
				   first->position.line, first->position.column);
		return p->err->status;
	}
	expr_adopt(expr, expr->case_when.operand);
	expr_adopt(expr, expr->case_when.otherwise);
	*out = expr;
	return expr_finish(p, expr, first);
}

/* A type in a string, CAST(x, 'DECIMAL(10,2)'): an error in it is shown at the string. */
static Status
parse_type_in_string(Parser *p, TypeName **type)
{
	const Token *token = p->token;
	Str text;

	TRY(parse_string(p, "a type in a string, such as 'INTEGER'", &text));
	if (sql_parse_type(p->arena, text, type, p->err) == FERRIS_OK) {
		(*type)->position = token->position;
		return FERRIS_OK;
	}
	p->err->position = token->position;
	return p->err->status;
}

/* cast = ( CAST | TRY_CAST ) "(" expr ( AS type | "," type_text ) ")" ; */
static Status
parse_cast(Parser *p, Expr **out)
{
	const Token *first = p->token++;
	const Token *open = p->token;
	Expr *expr = expr_new(p, EXPR_CAST);

	expr->cast.is_try = first->keyword == KEYWORD_TRY_CAST;
	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_expr(p, &expr->cast.operand));
	if (parser_accept(p, TOKEN_COMMA))
		TRY(parse_type_in_string(p, &expr->cast.type));
	else if (parser_accept_word(p, KEYWORD_AS))
		TRY(parse_type(p, &expr->cast.type));
	else
		return parser_fail(p, "AS and a type");
	if (!parser_at(p, TOKEN_CLOSE))
		return parser_fail(p, "')'");
	TRY(parser_expect_close(p, open));
	expr_adopt(expr, expr->cast.operand);
	*out = expr;
	return expr_finish(p, expr, first);
}

/* try = TRY "(" expr ")" ; */
static Status
parse_try(Parser *p, Expr **out)
{
	const Token *first = p->token++;
	const Token *open = p->token;
	Expr *expr = expr_new(p, EXPR_TRY);

	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_expr(p, &expr->operand));
	TRY(parser_expect_close(p, open));
	expr_adopt(expr, expr->operand);
	*out = expr;
	return expr_finish(p, expr, first);
}

/* ---------------------------------------------------------------- the choice */

/* Words that begin something of their own only with the right token behind them. */
static Status
parse_word(Parser *p, bool *done, Expr **expr)
{
	bool open = parser_sees(p, 1, TOKEN_OPEN);
	bool bracket = parser_sees(p, 1, TOKEN_OPEN_BRACKET);
	bool string = parser_sees(p, 1, TOKEN_STRING);

	*done = true;
	switch (p->token->keyword) {
	case KEYWORD_NULL:
	case KEYWORD_TRUE:
	case KEYWORD_FALSE:
		return parse_literal(p, expr);
	case KEYWORD_CASE:
		return parse_case(p, expr);
	case KEYWORD_CAST:
		return parse_cast(p, expr);
	case KEYWORD_EXISTS:
		return parse_subquery(p, EXPR_EXISTS, expr);
	case KEYWORD_TRY_CAST:
		if (open)
			return parse_cast(p, expr);
		break;
	case KEYWORD_TRY:
		if (open)
			return parse_try(p, expr);
		break;
	case KEYWORD_ROW:
		if (open)
			return parse_constructor(p, EXPR_ROW, expr);
		break;
	case KEYWORD_ARRAY:
		if (bracket)
			return parse_constructor(p, EXPR_ARRAY, expr);
		break;
	case KEYWORD_MAP:
		if (bracket)
			return parse_map(p, expr);
		break;
	case KEYWORD_DATE:
	case KEYWORD_TIME:
	case KEYWORD_TIMESTAMP:
		if (string)
			return parse_typed(p, expr);
		break;
	case KEYWORD_INTERVAL:
		if (parser_at_duration(p))
			return parse_interval(p, expr);
		break;
	default:
		break;
	}
	*done = false;
	return FERRIS_OK;
}

/* primary = literal | duration | interval | typed | column | function | parentheses | subquery
 *         | exists | case | cast | try | array | map | row ; */
static Status
parse_primary(Parser *p, Expr **expr)
{
	bool done;

	switch (p->token->kind) {
	case TOKEN_INTEGER:
	case TOKEN_DECIMAL:
	case TOKEN_DOUBLE:
	case TOKEN_STRING:
		return parse_literal(p, expr);
	case TOKEN_DURATION:
		return parse_duration(p, expr);
	case TOKEN_OPEN:
		return parser_at_query(p, false) ? parse_subquery(p, EXPR_SUBQUERY, expr)
						 : parse_parentheses(p, expr);
	case TOKEN_WORD:
		TRY(parse_word(p, &done, expr));
		if (done)
			return FERRIS_OK;
		break;
	default:
		break;
	}
	if (parser_at_function(p))
		return parse_function(p, expr);
	return parse_column(p, expr);
}

/* subscript = "[" expr "]" ; */
static Status
parse_subscript(Parser *p, const Token *first, Expr **expr)
{
	const Token *open = p->token++;
	Expr *subscript = expr_new(p, EXPR_SUBSCRIPT);

	subscript->subscript.operand = *expr;
	TRY(parse_expr(p, &subscript->subscript.index));
	TRY(parser_expect_close(p, open));
	expr_adopt(subscript, *expr);
	expr_adopt(subscript, subscript->subscript.index);
	*expr = subscript;
	return expr_finish(p, subscript, first);
}

/* postfix = primary { "::" type | subscript | "." label } ; */
Status
parse_postfix(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	TRY(parse_primary(p, expr));
	for (;;) {
		Expr *outer;

		if (parser_at(p, TOKEN_OPEN_BRACKET)) {
			TRY(parse_subscript(p, first, expr));
			continue;
		}
		if (parser_accept(p, TOKEN_DOUBLE_COLON)) {
			outer = expr_new(p, EXPR_CAST);
			outer->cast.operand = *expr;
			TRY(parse_type(p, &outer->cast.type));
		} else if (parser_accept(p, TOKEN_DOT)) {
			outer = expr_new(p, EXPR_FIELD);
			outer->field.operand = *expr;
			TRY(parse_label(p, &outer->field.name));
		} else {
			return FERRIS_OK;
		}
		expr_adopt(outer, *expr);
		*expr = outer;
		TRY(expr_finish(p, outer, first));
	}
}
