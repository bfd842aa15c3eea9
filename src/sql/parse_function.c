/* sql/parse_function.c -- function calls and what SQL lets stand in and behind them: words between
 * arguments, DISTINCT, ORDER BY, WITHIN GROUP, FILTER, OVER. */
#include "sql/parse.h"

/* ---------------------------------------------------------------- OVER */

/* frame_start = UNBOUNDED PRECEDING | additive PRECEDING | CURRENT ROW ;
 * frame_end   = UNBOUNDED FOLLOWING | additive FOLLOWING ; */
static Status
parse_bound(Parser *p, FrameBound *bound)
{
	const Token *first = p->token;
	bool unbounded = parser_sees_word(p, 0, KEYWORD_UNBOUNDED) &&
			 (parser_sees_word(p, 1, KEYWORD_PRECEDING) ||
			  parser_sees_word(p, 1, KEYWORD_FOLLOWING));

	if (parser_sees_word(p, 0, KEYWORD_CURRENT) && parser_sees_word(p, 1, KEYWORD_ROW)) {
		bound->kind = FRAME_CURRENT_ROW;
		p->token += 2;
		bound->position = parser_position_since(p, first);
		return FERRIS_OK;
	}
	if (unbounded)
		p->token++;
	else
		TRY(parse_additive(p, &bound->offset));
	if (parser_accept_word(p, KEYWORD_PRECEDING))
		bound->kind = unbounded ? FRAME_UNBOUNDED_PRECEDING : FRAME_PRECEDING;
	else if (parser_accept_word(p, KEYWORD_FOLLOWING))
		bound->kind = unbounded ? FRAME_UNBOUNDED_FOLLOWING : FRAME_FOLLOWING;
	else
		return parser_fail(p, "PRECEDING or FOLLOWING");
	bound->position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* frame         = ( ROWS | RANGE | GROUPS ) ( frame_start | BETWEEN frame_between ) ;
 * frame_between = frame_start AND ( CURRENT ROW | frame_end )
 *               | ( UNBOUNDED | additive ) PRECEDING AND additive PRECEDING
 *               | additive FOLLOWING AND frame_end ; */
static Status
parse_frame(Parser *p, WindowSpec *spec)
{
	if (parser_accept_word(p, KEYWORD_ROWS))
		spec->unit = FRAME_ROWS;
	else if (parser_accept_word(p, KEYWORD_RANGE))
		spec->unit = FRAME_RANGE;
	else if (parser_accept_word(p, KEYWORD_GROUPS))
		spec->unit = FRAME_GROUPS;
	else
		return FERRIS_OK;
	bool between = parser_accept_word(p, KEYWORD_BETWEEN);
	TRY(parse_bound(p, &spec->start));
	spec->end = (FrameBound){.kind = FRAME_CURRENT_ROW, .position = spec->start.position};
	if (between) {
		TRY(parser_expect_word(p, KEYWORD_AND));
		TRY(parse_bound(p, &spec->end));
	}
	if (spec->start.kind <= spec->end.kind && spec->start.kind != FRAME_UNBOUNDED_FOLLOWING &&
	    spec->end.kind != FRAME_UNBOUNDED_PRECEDING)
		return FERRIS_OK;
	error_set_at(p->err, FERRIS_ERR_SYNTAX, spec->start.position,
		     "the frame ends before it starts");
	return error_hint(p->err,
			  between ? "exchange the two bounds" : "write BETWEEN CURRENT ROW AND …");
}

/* row_buffer = ROWS WINDOW BUFFER integer ROWS ; */
static Status
parse_row_buffer(Parser *p, WindowSpec *spec)
{
	if (!parser_sees_word(p, 0, KEYWORD_ROWS) || !parser_sees_word(p, 1, KEYWORD_WINDOW))
		return FERRIS_OK;
	p->token += 2;
	TRY(parser_expect_word(p, KEYWORD_BUFFER));
	const Token *number = p->token;
	if (!parser_accept(p, TOKEN_INTEGER))
		return parser_fail(p, "a number of rows");
	spec->buffer_rows = expr_new(p, EXPR_INTEGER);
	spec->buffer_rows->literal = parser_token_text(p, number);
	TRY(expr_finish(p, spec->buffer_rows, number));
	return parser_expect_word(p, KEYWORD_ROWS);
}

/* expire = EXPIRE AFTER ( NEVER | span [ INACTIVITY ] ) ; */
static Status
parse_expire(Parser *p, WindowSpec *spec)
{
	if (!parser_accept_word(p, KEYWORD_EXPIRE))
		return FERRIS_OK;
	TRY(parser_expect_word(p, KEYWORD_AFTER));
	if (parser_accept_word(p, KEYWORD_NEVER)) {
		spec->expire = EXPIRE_NEVER;
		return FERRIS_OK;
	}
	spec->expire = EXPIRE_AFTER;
	TRY(parse_duration(p, &spec->expire_after));
	parser_accept_word(p, KEYWORD_INACTIVITY);
	return FERRIS_OK;
}

static bool
at_base_window(const Parser *p)
{
	switch (p->token->keyword) {
	case KEYWORD_PARTITION:
	case KEYWORD_ROWS:
	case KEYWORD_RANGE:
	case KEYWORD_GROUPS:
	case KEYWORD_EMIT:
	case KEYWORD_EXPIRE:
		return false;
	default:
		return parser_at_name(p);
	}
}

/* window_spec = "(" [ row_buffer ] [ name ] [ PARTITION BY expr_list ] [ order_by ] [ frame ]
 *               [ EMIT ( CHANGES | FINAL ) ] [ expire ] ")" ; */
Status
parse_window_spec(Parser *p, WindowSpec **out)
{
	const Token *open = p->token;
	WindowSpec *spec = ARENA_NEW(p->arena, WindowSpec);

	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_row_buffer(p, spec));
	if (at_base_window(p))
		TRY(parse_name(p, "a window's name", &spec->base));
	if (parser_accept_word(p, KEYWORD_PARTITION)) {
		TRY(parser_expect_word(p, KEYWORD_BY));
		TRY(parse_expr_list(p, &spec->partition));
	}
	TRY(parse_order_by(p, &spec->order));
	TRY(parse_frame(p, spec));
	if (parser_accept_word(p, KEYWORD_EMIT)) {
		spec->emit = parser_accept_word(p, KEYWORD_FINAL) ? EMIT_FINAL : EMIT_CHANGES;
		if (spec->emit == EMIT_CHANGES && !parser_accept_word(p, KEYWORD_CHANGES))
			return parser_fail(p, "CHANGES or FINAL");
	}
	TRY(parse_expire(p, spec));
	if (!parser_accept(p, TOKEN_CLOSE))
		return parser_fail(p, "PARTITION BY, ORDER BY, a frame or ')'");
	spec->position = parser_position_since(p, open);
	*out = spec;
	return FERRIS_OK;
}

/* over = OVER ( name | window_spec ) ; */
static Status
parse_over(Parser *p, WindowSpec **spec)
{
	TRY(parser_expect_word(p, KEYWORD_OVER));
	if (!parser_at_name(p))
		return parse_window_spec(p, spec);
	*spec = ARENA_NEW(p->arena, WindowSpec);
	(*spec)->position = p->token->position;
	(*spec)->is_reference = true;
	return parse_name(p, "a window's name", &(*spec)->base);
}

/* ---------------------------------------------------------------- arguments */

static void
add_argument(Parser *p, Expr *call, Name name, Expr *value)
{
	PARSER_APPEND(p, call->function.args, call->function.arg_count,
		      (Argument){.name = name, .value = value});
	expr_adopt(call, value);
}

/* argument = name "=>" expr | expr [ AS name ] ; */
static Status
parse_argument(Parser *p, Expr *call)
{
	Name name = {0};
	Expr *value;

	if (parser_at_name(p) && parser_sees(p, 1, TOKEN_ARROW)) {
		TRY(parse_name(p, "an argument's name", &name));
		p->token++;
	}
	TRY(parse_expr(p, &value));
	if (name.text.data == NULL && parser_accept_word(p, KEYWORD_AS))
		TRY(parse_name(p, "a field's name", &name));
	add_argument(p, call, name, value);
	return FERRIS_OK;
}

/* arguments = argument { "," argument } ; */
static Status
parse_argument_list(Parser *p, Expr *call)
{
	do
		TRY(parse_argument(p, call));
	while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* null_treatment = ( IGNORE | RESPECT ) NULLS ; */
static void
accept_null_treatment(Parser *p, FunctionCall *call)
{
	if (!parser_sees_word(p, 1, KEYWORD_NULLS))
		return;
	if (parser_sees_word(p, 0, KEYWORD_IGNORE))
		call->nulls = NULLS_IGNORE;
	else if (parser_sees_word(p, 0, KEYWORD_RESPECT))
		call->nulls = NULLS_RESPECT;
	else
		return;
	p->token += 2;
}

static Status
parse_rest_of_arguments(Parser *p, Expr *call)
{
	return parser_accept(p, TOKEN_COMMA) ? parse_argument_list(p, call) : FERRIS_OK;
}

/* extract_arguments = ( name | string ) FROM expr ; */
static Status
parse_extract_arguments(Parser *p, Expr *call)
{
	const Token *first = p->token;
	Expr *part, *value;

	if (!parser_sees_word(p, 1, KEYWORD_FROM) ||
	    (!parser_at_name(p) && !parser_at(p, TOKEN_STRING)))
		return parse_argument_list(p, call);
	part = expr_new(p, EXPR_STRING);
	part->literal = parser_token_text(p, first);
	if (first->kind != TOKEN_WORD)
		part->literal = lexer_unquote(p->arena, part->literal);
	p->token++;
	TRY(expr_finish(p, part, first));
	p->token++;
	TRY(parse_expr(p, &value));
	add_argument(p, call, (Name){0}, part);
	add_argument(p, call, (Name){0}, value);
	return FERRIS_OK;
}

/* substring_arguments = expr [ FROM additive ] [ FOR additive ] ; */
static Status
parse_substring_arguments(Parser *p, Expr *call)
{
	Expr *value, *start, *length;

	TRY(parse_expr(p, &value));
	add_argument(p, call, (Name){0}, value);
	bool from = parser_accept_word(p, KEYWORD_FROM);
	if (from) {
		TRY(parse_additive(p, &start));
		add_argument(p, call, (Name){0}, start);
	}
	if (!parser_accept_word(p, KEYWORD_FOR))
		return from ? FERRIS_OK : parse_rest_of_arguments(p, call);
	if (!from) {
		start = expr_new(p, EXPR_INTEGER);
		start->literal = STR("1");
		start->text = start->literal;
		start->position = p->token[-1].position;
		add_argument(p, call, (Name){0}, start);
	}
	TRY(parse_additive(p, &length));
	add_argument(p, call, (Name){0}, length);
	return FERRIS_OK;
}

/* position_arguments = additive IN additive ; */
static Status
parse_position_arguments(Parser *p, Expr *call)
{
	Expr *wanted, *text;

	TRY(parse_additive(p, &wanted));
	add_argument(p, call, (Name){0}, wanted);
	if (!parser_accept_word(p, KEYWORD_IN))
		return parse_rest_of_arguments(p, call);
	TRY(parse_additive(p, &text));
	add_argument(p, call, (Name){0}, text);
	return FERRIS_OK;
}

/* trim_arguments = [ BOTH | LEADING | TRAILING ] [ expr ] FROM expr ; */
static Status
parse_trim_arguments(Parser *p, Expr *call)
{
	Keyword side = p->token->keyword;
	bool sided =
		(side == KEYWORD_BOTH || side == KEYWORD_LEADING || side == KEYWORD_TRAILING) &&
		!parser_sees(p, 1, TOKEN_CLOSE) && !parser_sees(p, 1, TOKEN_COMMA) &&
		!parser_sees(p, 1, TOKEN_DOT);
	Expr *characters = NULL, *text;

	if (sided)
		p->token++;
	if (!parser_at_word(p, KEYWORD_FROM))
		TRY(parse_expr(p, &characters));
	if (!sided && !parser_at_word(p, KEYWORD_FROM)) {
		add_argument(p, call, (Name){0}, characters);
		return parse_rest_of_arguments(p, call);
	}
	TRY(parser_expect_word(p, KEYWORD_FROM));
	TRY(parse_expr(p, &text));
	add_argument(p, call, (Name){0}, text);
	if (characters != NULL)
		add_argument(p, call, (Name){0}, characters);
	if (sided && side != KEYWORD_BOTH)
		call->function.name.text = side == KEYWORD_LEADING ? STR("LTRIM") : STR("RTRIM");
	return FERRIS_OK;
}

/* plain_arguments = [ DISTINCT | ALL ] arguments [ order_by ] [ null_treatment ] ; */
static Status
parse_plain_arguments(Parser *p, Expr *call)
{
	call->function.distinct = parser_accept_word(p, KEYWORD_DISTINCT);
	if (!call->function.distinct)
		parser_accept_word(p, KEYWORD_ALL);
	TRY(parse_argument_list(p, call));
	TRY(parse_order_by(p, &call->function.order));
	accept_null_treatment(p, &call->function);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- calls */

static void
adopt_order(Expr *call, const OrderList *order)
{
	for (uint32_t i = 0; i < order->count; i++)
		expr_adopt(call, order->items[i].expr);
}

/* call_tail = [ null_treatment ] [ WITHIN GROUP "(" order_by ")" ] [ FILTER "(" WHERE expr ")" ]
 *             [ null_treatment ] [ over ] ; */
static Status
parse_call_tail(Parser *p, Expr *call)
{
	FunctionCall *function = &call->function;

	accept_null_treatment(p, function);
	if (parser_sees_word(p, 0, KEYWORD_WITHIN) && parser_sees_word(p, 1, KEYWORD_GROUP)) {
		p->token += 2;
		TRY(parser_expect(p, TOKEN_OPEN));
		if (!parser_at_word(p, KEYWORD_ORDER))
			return parser_fail(p, "ORDER BY");
		TRY(parse_order_by(p, &function->within_group));
		TRY(parser_expect(p, TOKEN_CLOSE));
	}
	if (parser_at_word(p, KEYWORD_FILTER) && parser_sees(p, 1, TOKEN_OPEN)) {
		p->token += 2;
		TRY(parser_expect_word(p, KEYWORD_WHERE));
		TRY(parse_expr(p, &function->filter));
		TRY(parser_expect(p, TOKEN_CLOSE));
		expr_adopt(call, function->filter);
	}
	accept_null_treatment(p, function);
	if (parser_at_word(p, KEYWORD_OVER))
		TRY(parse_over(p, &function->over));
	adopt_order(call, &function->order);
	adopt_order(call, &function->within_group);
	if (function->over != NULL) {
		expr_adopt_list(call, &function->over->partition);
		adopt_order(call, &function->over->order);
		expr_adopt(call, function->over->start.offset);
		expr_adopt(call, function->over->end.offset);
	}
	return FERRIS_OK;
}

/* bare_function = CURRENT_DATE | CURRENT_TIME | CURRENT_TIMESTAMP | LOCALTIMESTAMP ; */
static bool
is_bare_function(Keyword keyword)
{
	return keyword == KEYWORD_CURRENT_DATE || keyword == KEYWORD_CURRENT_TIME ||
	       keyword == KEYWORD_CURRENT_TIMESTAMP || keyword == KEYWORD_LOCALTIMESTAMP;
}

bool
parser_at_function(const Parser *p)
{
	Keyword keyword = p->token->keyword;
	bool named = parser_at_name(p) || keyword == KEYWORD_LEFT || keyword == KEYWORD_RIGHT ||
		     keyword == KEYWORD_JOIN;

	return is_bare_function(keyword) || (named && parser_sees(p, 1, TOKEN_OPEN));
}

/* call      = EXTRACT "(" extract_arguments ")" | SUBSTRING "(" substring_arguments ")"
 *           | POSITION "(" position_arguments ")" | TRIM "(" trim_arguments ")"
 *           | call_name "(" [ "*" | plain_arguments ] ")" ;
 * call_name = name | LEFT | RIGHT | JOIN ; */
static Status
parse_call_arguments(Parser *p, Keyword keyword, Expr *call)
{
	if (parser_at(p, TOKEN_CLOSE))
		return FERRIS_OK;
	if (parser_sees(p, 1, TOKEN_CLOSE) && parser_accept(p, TOKEN_STAR)) {
		call->function.star = true;
		return FERRIS_OK;
	}
	switch (keyword) {
	case KEYWORD_EXTRACT:
		return parse_extract_arguments(p, call);
	case KEYWORD_SUBSTRING:
		return parse_substring_arguments(p, call);
	case KEYWORD_POSITION:
		return parse_position_arguments(p, call);
	case KEYWORD_TRIM:
		return parse_trim_arguments(p, call);
	default:
		return parse_plain_arguments(p, call);
	}
}

/* function = call call_tail | bare_function [ "(" [ integer ] ")" ] ; */
Status
parse_function(Parser *p, Expr **out)
{
	const Token *first = p->token++;
	Expr *call = expr_new(p, EXPR_FUNCTION);
	Str text = parser_token_text(p, first);
	bool quoted = first->kind == TOKEN_QUOTED_NAME;

	call->function.name =
		(Name){quoted ? lexer_unquote(p->arena, text) : text, first->position, quoted};
	*out = call;
	const Token *open = p->token;
	if (is_bare_function(first->keyword) && open->kind != TOKEN_OPEN) {
		call->function.bare = true;
		return expr_finish(p, call, first);
	}
	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_call_arguments(p, first->keyword, call));
	TRY(parser_expect_close(p, open));
	TRY(parse_call_tail(p, call));
	return expr_finish(p, call, first);
}
