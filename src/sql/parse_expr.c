/* sql/parse_expr.c -- operators, one function per level of precedence.
 *
 * Loosest first: OR, AND, NOT, IS, comparison, BETWEEN/IN/LIKE, + - ||, * / %, sign, then :: [] .
 * Comparisons do not chain: a < b < c is refused, it never means what it looks like. */
#include "sql/parse.h"

/* ---------------------------------------------------------------- nodes */

Expr *
expr_new(Parser *p, ExprKind kind)
{
	Expr *expr = ARENA_NEW(p->arena, Expr);

	expr->kind = kind;
	expr->depth = 1;
	return expr;
}

void
expr_adopt(Expr *parent, const Expr *child)
{
	if (child != NULL && child->depth >= parent->depth)
		parent->depth = child->depth + 1;
}

void
expr_adopt_list(Expr *parent, const ExprList *list)
{
	for (uint32_t i = 0; i < list->count; i++)
		expr_adopt(parent, list->items[i]);
}

Status
expr_finish(Parser *p, Expr *expr, const Token *first)
{
	expr->text = parser_text_since(p, first);
	expr->position = parser_position_since(p, first);
	return parser_check_depth(p, expr->depth, p->token[-1].position);
}

static Status
make_binary(Parser *p, BinaryOp op, Position op_position, const Token *first, Expr *right,
	    Expr **left)
{
	Expr *expr = expr_new(p, EXPR_BINARY);

	expr->binary.op = op;
	expr->binary.left = *left;
	expr->binary.right = right;
	expr->binary.op_position = op_position;
	expr_adopt(expr, *left);
	expr_adopt(expr, right);
	*left = expr;
	return expr_finish(p, expr, first);
}

/* expr_list = expr { "," expr } ; */
Status
parse_expr_list(Parser *p, ExprList *list)
{
	do {
		Expr *expr;

		TRY(parse_expr(p, &expr));
		PARSER_APPEND(p, list->items, list->count, expr);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- arithmetic */

/* unary = { "-" | "+" } postfix ; */
static Status
parse_unary(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	while (parser_at(p, TOKEN_MINUS) || parser_at(p, TOKEN_PLUS))
		p->token++;
	const Token *sign = p->token;
	TRY(parse_postfix(p, expr));
	while (sign-- > first) {
		Expr *unary = expr_new(p, EXPR_UNARY);

		unary->unary.op = sign->kind == TOKEN_MINUS ? UNARY_MINUS : UNARY_PLUS;
		unary->unary.operand = *expr;
		expr_adopt(unary, *expr);
		TRY(expr_finish(p, unary, sign));
		*expr = unary;
	}
	return FERRIS_OK;
}

/* multiplicative = unary { ( "*" | "/" | "%" ) unary } ; */
static Status
parse_multiplicative(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	TRY(parse_unary(p, expr));
	for (;;) {
		const Token *op = p->token;
		Expr *right;

		if (!parser_accept(p, TOKEN_STAR) && !parser_accept(p, TOKEN_SLASH) &&
		    !parser_accept(p, TOKEN_PERCENT))
			return FERRIS_OK;
		TRY(parse_unary(p, &right));
		TRY(make_binary(p,
				op->kind == TOKEN_STAR    ? BINARY_MULTIPLY
				: op->kind == TOKEN_SLASH ? BINARY_DIVIDE
							  : BINARY_REMAINDER,
				op->position, first, right, expr));
	}
}

/* additive = multiplicative { ( "+" | "-" | "||" ) multiplicative } ; */
Status
parse_additive(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	TRY(parse_multiplicative(p, expr));
	for (;;) {
		const Token *op = p->token;
		Expr *right;

		if (!parser_accept(p, TOKEN_PLUS) && !parser_accept(p, TOKEN_MINUS) &&
		    !parser_accept(p, TOKEN_CONCAT))
			return FERRIS_OK;
		TRY(parse_multiplicative(p, &right));
		TRY(make_binary(p,
				op->kind == TOKEN_PLUS    ? BINARY_ADD
				: op->kind == TOKEN_MINUS ? BINARY_SUBTRACT
							  : BINARY_CONCAT,
				op->position, first, right, expr));
	}
}

/* ---------------------------------------------------------------- predicates */

/* between = BETWEEN [ SYMMETRIC ] additive AND additive ; */
static Status
parse_between(Parser *p, bool negated, const Token *first, Expr **expr)
{
	Expr *between = expr_new(p, EXPR_BETWEEN);

	between->between.operand = *expr;
	between->between.negated = negated;
	TRY(parser_expect_word(p, KEYWORD_BETWEEN));
	between->between.symmetric = parser_accept_word(p, KEYWORD_SYMMETRIC);
	TRY(parse_additive(p, &between->between.low));
	TRY(parser_expect_word(p, KEYWORD_AND));
	TRY(parse_additive(p, &between->between.high));
	expr_adopt(between, *expr);
	expr_adopt(between, between->between.low);
	expr_adopt(between, between->between.high);
	*expr = between;
	return expr_finish(p, between, first);
}

/* in = IN ( nested_query | "(" expr_list ")" ) ; */
static Status
parse_in(Parser *p, bool negated, const Token *first, Expr **expr)
{
	Expr *in;
	bool query = parser_sees(p, 1, TOKEN_OPEN);

	TRY(parser_expect_word(p, KEYWORD_IN));
	query = query && parser_at_query(p, false);
	in = expr_new(p, query ? EXPR_IN_QUERY : EXPR_IN_LIST);
	if (query) {
		in->in_query.operand = *expr;
		in->in_query.negated = negated;
		TRY(parse_nested_query(p, &in->in_query.query));
		in->depth = in->in_query.query->depth + 1;
	} else {
		const Token *open = p->token;

		in->in_list.operand = *expr;
		in->in_list.negated = negated;
		TRY(parser_expect(p, TOKEN_OPEN));
		TRY(parse_expr_list(p, &in->in_list.list));
		TRY(parser_expect_close(p, open));
		expr_adopt_list(in, &in->in_list.list);
	}
	expr_adopt(in, *expr);
	*expr = in;
	return expr_finish(p, in, first);
}

/* like = ( LIKE | ILIKE | SIMILAR TO | REGEXP | RLIKE ) additive [ ESCAPE additive ] ; */
static Status
parse_like(Parser *p, bool negated, const Token *first, Expr **expr)
{
	Expr *like = expr_new(p, EXPR_LIKE);
	Keyword keyword = p->token->keyword;

	like->like.kind = keyword == KEYWORD_LIKE      ? LIKE_LIKE
			  : keyword == KEYWORD_ILIKE   ? LIKE_ILIKE
			  : keyword == KEYWORD_SIMILAR ? LIKE_SIMILAR
						       : LIKE_REGEXP;
	like->like.operand = *expr;
	like->like.negated = negated;
	p->token++;
	if (keyword == KEYWORD_SIMILAR)
		TRY(parser_expect_word(p, KEYWORD_TO));
	TRY(parse_additive(p, &like->like.pattern));
	if (parser_accept_word(p, KEYWORD_ESCAPE))
		TRY(parse_additive(p, &like->like.escape));
	expr_adopt(like, *expr);
	expr_adopt(like, like->like.pattern);
	expr_adopt(like, like->like.escape);
	*expr = like;
	return expr_finish(p, like, first);
}

/* predicate = additive [ [ NOT ] ( between | in | like ) ] ; */
static Status
parse_predicate(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	TRY(parse_additive(p, expr));
	bool negated = parser_accept_word(p, KEYWORD_NOT);
	if (parser_at_word(p, KEYWORD_BETWEEN))
		return parse_between(p, negated, first, expr);
	if (parser_at_word(p, KEYWORD_IN))
		return parse_in(p, negated, first, expr);
	if (parser_at_word(p, KEYWORD_LIKE) || parser_at_word(p, KEYWORD_ILIKE) ||
	    (parser_at_word(p, KEYWORD_SIMILAR) && parser_sees_word(p, 1, KEYWORD_TO)) ||
	    parser_at_word(p, KEYWORD_REGEXP) || parser_at_word(p, KEYWORD_RLIKE))
		return parse_like(p, negated, first, expr);
	return negated ? parser_fail(p, "BETWEEN, IN or LIKE after NOT") : FERRIS_OK;
}

/* compare_op = "=" | "<>" | "!=" | "<" | "<=" | ">" | ">=" ; */
static bool
accept_comparison(Parser *p, BinaryOp *op)
{
	switch (p->token->kind) {
	case TOKEN_EQUAL:
		*op = BINARY_EQUAL;
		break;
	case TOKEN_NOT_EQUAL:
		*op = BINARY_NOT_EQUAL;
		break;
	case TOKEN_LESS:
		*op = BINARY_LESS;
		break;
	case TOKEN_LESS_EQUAL:
		*op = BINARY_LESS_EQUAL;
		break;
	case TOKEN_GREATER:
		*op = BINARY_GREATER;
		break;
	case TOKEN_GREATER_EQUAL:
		*op = BINARY_GREATER_EQUAL;
		break;
	default:
		return false;
	}
	p->token++;
	return true;
}

/* quantifier = ( ANY | SOME | ALL ) ( nested_query | "(" expr ")" ) ; */
static Status
parse_quantified(Parser *p, BinaryOp op, const Token *first, Expr **left)
{
	Expr *expr = expr_new(p, EXPR_QUANTIFIED);

	expr->quantified.op = op;
	expr->quantified.left = *left;
	expr->quantified.all = p->token->keyword == KEYWORD_ALL;
	p->token++;
	const Token *open = p->token;
	if (parser_at_query(p, false)) {
		TRY(parse_nested_query(p, &expr->quantified.query));
		expr->depth = expr->quantified.query->depth + 1;
	} else {
		TRY(parser_expect(p, TOKEN_OPEN));
		TRY(parse_expr(p, &expr->quantified.array));
		TRY(parser_expect_close(p, open));
		expr_adopt(expr, expr->quantified.array);
	}
	expr_adopt(expr, *left);
	*left = expr;
	return expr_finish(p, expr, first);
}

static bool
at_quantifier(const Parser *p)
{
	return (parser_sees_word(p, 0, KEYWORD_ANY) || parser_sees_word(p, 0, KEYWORD_SOME) ||
		parser_sees_word(p, 0, KEYWORD_ALL)) &&
	       parser_sees(p, 1, TOKEN_OPEN);
}

/* comparison = predicate [ compare_op ( predicate | quantifier ) ] ; */
static Status
parse_comparison(Parser *p, Expr **expr)
{
	const Token *first = p->token;
	BinaryOp op;
	Expr *right;

	TRY(parse_predicate(p, expr));
	const Token *op_token = p->token;
	if (!accept_comparison(p, &op))
		return FERRIS_OK;
	if (at_quantifier(p)) {
		TRY(parse_quantified(p, op, first, expr));
	} else {
		TRY(parse_predicate(p, &right));
		TRY(make_binary(p, op, op_token->position, first, right, expr));
	}
	op_token = p->token;
	if (!accept_comparison(p, &op))
		return FERRIS_OK;
	error_set_at(p->err, FERRIS_ERR_SYNTAX, op_token->position, "comparisons do not chain");
	return error_hint(p->err, "write a < b AND b < c, or put one comparison in parentheses");
}

/* is_test = [ NOT ] ( NULL | TRUE | FALSE | UNKNOWN | DISTINCT FROM comparison ) ; */
static Status
parse_is_test(Parser *p, Position op_position, const Token *first, Expr **expr)
{
	static const struct {
		Keyword keyword;
		IsTest test;
	} tests[] = {
		{KEYWORD_NULL, IS_NULL},
		{KEYWORD_TRUE, IS_TRUE},
		{KEYWORD_FALSE, IS_FALSE},
		{KEYWORD_UNKNOWN, IS_UNKNOWN},
	};
	bool negated = parser_accept_word(p, KEYWORD_NOT);
	Expr *is, *right;

	if (parser_accept_word(p, KEYWORD_DISTINCT)) {
		TRY(parser_expect_word(p, KEYWORD_FROM));
		TRY(parse_comparison(p, &right));
		return make_binary(p, negated ? BINARY_NOT_DISTINCT : BINARY_DISTINCT, op_position,
				   first, right, expr);
	}
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) {
		if (!parser_accept_word(p, tests[i].keyword))
			continue;
		is = expr_new(p, EXPR_IS);
		is->is.operand = *expr;
		is->is.test = tests[i].test;
		is->is.negated = negated;
		expr_adopt(is, *expr);
		*expr = is;
		return expr_finish(p, is, first);
	}
	return parser_fail(p, negated ? "NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM"
				      : "NULL, NOT NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
}

/* is = comparison { IS is_test } ; */
static Status
parse_is(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	TRY(parse_comparison(p, expr));
	for (;;) {
		Position position = p->token->position;

		if (!parser_accept_word(p, KEYWORD_IS))
			return FERRIS_OK;
		TRY(parse_is_test(p, position, first, expr));
	}
}

/* ---------------------------------------------------------------- logic */

/* not = { NOT } is ; */
static Status
parse_not(Parser *p, Expr **expr)
{
	const Token *first = p->token;

	while (parser_accept_word(p, KEYWORD_NOT))
		;
	const Token *word = p->token;
	TRY(parse_is(p, expr));
	while (word-- > first) {
		Expr *unary = expr_new(p, EXPR_UNARY);

		unary->unary.op = UNARY_NOT;
		unary->unary.operand = *expr;
		expr_adopt(unary, *expr);
		TRY(expr_finish(p, unary, word));
		*expr = unary;
	}
	return FERRIS_OK;
}

/* and = not { AND not } ; */
static Status
parse_and(Parser *p, Expr **expr)
{
	const Token *first = p->token;
	Expr *chain;

	TRY(parse_not(p, expr));
	if (!parser_at_word(p, KEYWORD_AND))
		return FERRIS_OK;
	chain = expr_new(p, EXPR_AND);
	PARSER_APPEND(p, chain->list.items, chain->list.count, *expr);
	while (parser_accept_word(p, KEYWORD_AND)) {
		TRY(parse_not(p, expr));
		PARSER_APPEND(p, chain->list.items, chain->list.count, *expr);
	}
	expr_adopt_list(chain, &chain->list);
	*expr = chain;
	return expr_finish(p, chain, first);
}

/* or = and { OR and } ; */
static Status
parse_or(Parser *p, Expr **expr)
{
	const Token *first = p->token;
	Expr *chain;

	TRY(parse_and(p, expr));
	if (!parser_at_word(p, KEYWORD_OR))
		return FERRIS_OK;
	chain = expr_new(p, EXPR_OR);
	PARSER_APPEND(p, chain->list.items, chain->list.count, *expr);
	while (parser_accept_word(p, KEYWORD_OR)) {
		TRY(parse_and(p, expr));
		PARSER_APPEND(p, chain->list.items, chain->list.count, *expr);
	}
	expr_adopt_list(chain, &chain->list);
	*expr = chain;
	return expr_finish(p, chain, first);
}

/* expr = or ; */
Status
parse_expr(Parser *p, Expr **expr)
{
	TRY(parser_enter(p));
	TRY(parse_or(p, expr));
	p->nesting--;
	return FERRIS_OK;
}
