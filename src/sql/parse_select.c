/* sql/parse_select.c -- queries: SELECT, VALUES, set operations, and the clauses around them. */
#include "sql/parse.h"

/* ---------------------------------------------------------------- ORDER BY, LIMIT */

/* order_item = expr [ ASC | DESC ] [ NULLS ( FIRST | LAST ) ] ; */
static Status
parse_order_item(Parser *p, OrderItem *item)
{
	TRY(parse_expr(p, &item->expr));
	item->descending = parser_accept_word(p, KEYWORD_DESC);
	if (!item->descending)
		parser_accept_word(p, KEYWORD_ASC);
	if (!parser_accept_word(p, KEYWORD_NULLS))
		return FERRIS_OK;
	if (parser_accept_word(p, KEYWORD_FIRST))
		item->nulls = NULLS_ORDER_FIRST;
	else if (parser_accept_word(p, KEYWORD_LAST))
		item->nulls = NULLS_ORDER_LAST;
	else
		return parser_fail(p, "FIRST or LAST");
	return FERRIS_OK;
}

/* order_by = ORDER BY order_item { "," order_item } ; */
Status
parse_order_by(Parser *p, OrderList *order)
{
	if (!parser_accept_word(p, KEYWORD_ORDER))
		return FERRIS_OK;
	TRY(parser_expect_word(p, KEYWORD_BY));
	do {
		OrderItem item = {0};

		TRY(parse_order_item(p, &item));
		PARSER_APPEND(p, order->items, order->count, item);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* fetch = FETCH ( FIRST | NEXT ) [ additive ] ( ROW | ROWS ) ONLY ; */
static Status
parse_fetch(Parser *p, Query *query)
{
	if (!parser_accept_word(p, KEYWORD_FIRST) && !parser_accept_word(p, KEYWORD_NEXT))
		return parser_fail(p, "FIRST or NEXT");
	if (parser_sees_word(p, 1, KEYWORD_ONLY)) {
		query->limit = expr_new(p, EXPR_INTEGER);
		query->limit->literal = query->limit->text = STR("1");
		query->limit->position = p->token->position;
	} else {
		TRY(parse_additive(p, &query->limit));
	}
	if (!parser_accept_word(p, KEYWORD_ROW))
		TRY(parser_expect_word(p, KEYWORD_ROWS));
	return parser_expect_word(p, KEYWORD_ONLY);
}

/* limit       = limit_count [ offset ] | offset [ limit_count ] ;
 * limit_count = LIMIT ( ALL | additive ) | fetch ;
 * offset      = OFFSET additive [ ROW | ROWS ] ; */
static Status
parse_limit(Parser *p, Query *query)
{
	for (;;) {
		if (query->limit == NULL && parser_accept_word(p, KEYWORD_LIMIT)) {
			if (!parser_accept_word(p, KEYWORD_ALL))
				TRY(parse_additive(p, &query->limit));
		} else if (query->offset == NULL && parser_accept_word(p, KEYWORD_OFFSET)) {
			TRY(parse_additive(p, &query->offset));
			if (!parser_accept_word(p, KEYWORD_ROWS))
				parser_accept_word(p, KEYWORD_ROW);
		} else if (query->limit == NULL && parser_accept_word(p, KEYWORD_FETCH)) {
			TRY(parse_fetch(p, query));
		} else {
			return FERRIS_OK;
		}
	}
}

/* ---------------------------------------------------------------- GROUP BY */

/* group_set = expr | "(" [ expr_list ] ")" ; */
static Status
parse_group_set(Parser *p, ExprList *set)
{
	const Token *open = p->token;
	Expr *expr;

	if (parser_sees(p, 1, TOKEN_CLOSE) && parser_accept(p, TOKEN_OPEN))
		return parser_expect_close(p, open);
	TRY(parse_expr(p, &expr));
	if (expr->kind == EXPR_ROW && open->kind == TOKEN_OPEN)
		*set = expr->list;
	else
		PARSER_APPEND(p, set->items, set->count, expr);
	return FERRIS_OK;
}

/* group_item = ( GROUPING SETS | ROLLUP | CUBE ) "(" group_set { "," group_set } ")" | expr ; */
static Status
parse_group_item(Parser *p, GroupItem *item)
{
	const Token *first = p->token;
	bool open = parser_sees(p, 1, TOKEN_OPEN);

	if (parser_sees_word(p, 0, KEYWORD_GROUPING) && parser_sees_word(p, 1, KEYWORD_SETS)) {
		item->kind = GROUP_SETS;
		p->token++;
	} else if (parser_sees_word(p, 0, KEYWORD_ROLLUP) && open) {
		item->kind = GROUP_ROLLUP;
	} else if (parser_sees_word(p, 0, KEYWORD_CUBE) && open) {
		item->kind = GROUP_CUBE;
	} else {
		ExprList set = {0};
		Expr *expr;

		TRY(parse_expr(p, &expr));
		PARSER_APPEND(p, set.items, set.count, expr);
		PARSER_APPEND(p, item->sets, item->set_count, set);
		item->position = expr->position;
		return FERRIS_OK;
	}
	p->token++;
	const Token *open_token = p->token;
	TRY(parser_expect(p, TOKEN_OPEN));
	do {
		ExprList set = {0};

		TRY(parse_group_set(p, &set));
		PARSER_APPEND(p, item->sets, item->set_count, set);
	} while (parser_accept(p, TOKEN_COMMA));
	TRY(parser_expect_close(p, open_token));
	item->position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* group_by = GROUP BY group_item { "," group_item } ; */
static Status
parse_group_by(Parser *p, Select *select)
{
	if (!parser_accept_word(p, KEYWORD_GROUP))
		return FERRIS_OK;
	TRY(parser_expect_word(p, KEYWORD_BY));
	do {
		GroupItem item = {0};

		TRY(parse_group_item(p, &item));
		PARSER_APPEND(p, select->groups, select->group_count, item);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- WINDOW */

static bool
accept_window_kind(Parser *p, WindowKind *kind)
{
	static const struct {
		Keyword keyword;
		WindowKind kind;
	} kinds[] = {
		{KEYWORD_TUMBLING, WINDOW_TUMBLING}, {KEYWORD_TUMBLE, WINDOW_TUMBLING},
		{KEYWORD_SLIDING, WINDOW_SLIDING},   {KEYWORD_HOPPING, WINDOW_SLIDING},
		{KEYWORD_HOP, WINDOW_SLIDING},       {KEYWORD_SESSION, WINDOW_SESSION},
		{KEYWORD_CUMULATE, WINDOW_CUMULATE},
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (parser_accept_word(p, kinds[i].keyword)) {
			*kind = kinds[i].kind;
			return true;
		}
	}
	return false;
}

/* grace = GRACE PERIOD span ; */
static Status
parse_grace(Parser *p, Expr **grace)
{
	if (!parser_accept_word(p, KEYWORD_GRACE))
		return FERRIS_OK;
	TRY(parser_expect_word(p, KEYWORD_PERIOD));
	return parse_duration(p, grace);
}

/* stream_window = ( TUMBLING | TUMBLE ) "(" [ time "," ] span ")"
 *               | ( SLIDING | HOPPING | HOP | CUMULATE ) "(" [ time "," ] span "," span ")"
 *               | SESSION "(" [ time "," ] span { "," expr } ")" ;
 * time          = column | function | cast | parentheses ; */
static Status
parse_stream_window(Parser *p, WindowClause *window)
{
	const Token *first = p->token;
	bool two;

	if (!accept_window_kind(p, &window->kind))
		return parser_fail(
			p, "TUMBLING, SLIDING, SESSION, CUMULATE or a window's name and AS");
	TRY(parser_expect(p, TOKEN_OPEN));
	two = window->kind == WINDOW_SLIDING || window->kind == WINDOW_CUMULATE;
	if (!parser_at_duration(p)) {
		TRY(parse_expr(p, &window->time));
		if (!parser_accept(p, TOKEN_COMMA))
			return parser_fail(p, "',' and a duration such as 5m");
	}
	TRY(parse_duration(p, window->kind == WINDOW_CUMULATE ? &window->advance : &window->size));
	if (two) {
		if (!parser_accept(p, TOKEN_COMMA))
			return parser_fail(p, window->kind == WINDOW_CUMULATE
						      ? "',' and the largest size of the window"
						      : "',' and how far the window advances");
		TRY(parse_duration(p, window->kind == WINDOW_CUMULATE ? &window->size
								      : &window->advance));
	}
	while (window->kind == WINDOW_SESSION && parser_accept(p, TOKEN_COMMA)) {
		Expr *key;

		TRY(parse_expr(p, &key));
		PARSER_APPEND(p, window->keys.items, window->keys.count, key);
	}
	if (!parser_accept(p, TOKEN_CLOSE))
		return parser_fail(p, "')'");
	window->position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* named_window = name AS window_spec ; */
static Status
parse_named_windows(Parser *p, Select *select)
{
	do {
		NamedWindow window;

		TRY(parse_name(p, "a window's name", &window.name));
		TRY(parser_expect_word(p, KEYWORD_AS));
		TRY(parse_window_spec(p, &window.spec));
		PARSER_APPEND(p, select->named_windows, select->named_window_count, window);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* windows       = stream_clause [ named_clause ] | named_clause ;
 * stream_clause = WINDOW stream_window [ grace ] ;
 * named_clause  = WINDOW named_window { "," named_window } ; */
static Status
parse_window(Parser *p, Select *select)
{
	bool named = parser_sees_word(p, 2, KEYWORD_AS);

	if (named ? select->named_window_count > 0 : select->window.kind != WINDOW_NONE) {
		error_set_at(p->err, FERRIS_ERR_SYNTAX, p->token->position, "WINDOW stands twice");
		return error_hint(p->err, named ? "separate named windows with ','"
						: "a query has one window over its stream");
	}
	p->token++;
	if (named)
		return parse_named_windows(p, select);
	TRY(parse_stream_window(p, &select->window));
	return parse_grace(p, &select->grace);
}

/* ---------------------------------------------------------------- SELECT */

/* star = [ name "." { name "." } ] "*" ; */
static bool
accept_star(Parser *p, Expr **out)
{
	const Token *first = p->token;
	const Token *token = first;
	Expr *expr;

	while ((token->kind == TOKEN_WORD || token->kind == TOKEN_QUOTED_NAME) &&
	       token[1].kind == TOKEN_DOT)
		token += 2;
	if (token->kind != TOKEN_STAR || (token > first && !parser_at_name(p)))
		return false;
	expr = expr_new(p, EXPR_STAR);
	for (; p->token < token; p->token += 2) {
		Str text = parser_token_text(p, p->token);
		bool quoted = p->token->kind == TOKEN_QUOTED_NAME;

		text = quoted ? lexer_unquote(p->arena, text) : text;
		PARSER_APPEND(p, expr->column.items, expr->column.count,
			      (Name){text, p->token->position, quoted});
	}
	p->token++;
	*out = expr;
	return true;
}

/* select_item = star | expr ( [ PRIMARY KEY ] [ alias ] | alias PRIMARY KEY ) ; */
static Status
parse_select_item(Parser *p, SelectItem *item)
{
	const Token *first = p->token;

	if (accept_star(p, &item->expr))
		return expr_finish(p, item->expr, first);
	TRY(parse_expr(p, &item->expr));
	for (int i = 0; i < 2; i++) {
		if (!item->primary_key && parser_accept_word(p, KEYWORD_PRIMARY)) {
			TRY(parser_expect_word(p, KEYWORD_KEY));
			item->primary_key = true;
		}
		if (i == 0)
			TRY(parse_alias(p, &item->alias));
	}
	return FERRIS_OK;
}

/* distinct = ALL | DISTINCT [ ON "(" expr_list ")" ] ; */
static Status
parse_distinct(Parser *p, Select *select)
{
	if (parser_accept_word(p, KEYWORD_ALL))
		return FERRIS_OK;
	select->distinct = parser_accept_word(p, KEYWORD_DISTINCT);
	if (!select->distinct || !parser_accept_word(p, KEYWORD_ON))
		return FERRIS_OK;
	const Token *open = p->token;
	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_expr_list(p, &select->distinct_on));
	return parser_expect_close(p, open);
}

/* having_window = HAVING expr [ windows ] | windows [ HAVING expr ] ; */
static Status
parse_having_window(Parser *p, Select *select)
{
	for (;;) {
		if (parser_at_word(p, KEYWORD_WINDOW)) {
			TRY(parse_window(p, select));
		} else if (select->having == NULL && parser_accept_word(p, KEYWORD_HAVING)) {
			TRY(parse_expr(p, &select->having));
		} else {
			return FERRIS_OK;
		}
	}
}

/* select = SELECT [ distinct ] select_item { "," select_item } [ from ] [ WHERE expr ] [ group_by ]
 *          [ having_window ] [ QUALIFY expr ] ; */
static Status
parse_select(Parser *p, bool nested, Select *select, WithList *trailing)
{
	TRY(parser_expect_word(p, KEYWORD_SELECT));
	TRY(parse_distinct(p, select));
	do {
		SelectItem item = {0};

		TRY(parse_select_item(p, &item));
		PARSER_APPEND(p, select->items, select->item_count, item);
	} while (parser_accept(p, TOKEN_COMMA));
	TRY(parse_from(p, nested, &select->from, trailing));
	if (trailing->position.line > 0)
		return FERRIS_OK;
	if (parser_accept_word(p, KEYWORD_WHERE))
		TRY(parse_expr(p, &select->where));
	TRY(parse_group_by(p, select));
	TRY(parse_having_window(p, select));
	return parser_accept_word(p, KEYWORD_QUALIFY) ? parse_expr(p, &select->qualify) : FERRIS_OK;
}

/* ---------------------------------------------------------------- query bodies */

static Status
body_finish(Parser *p, QueryBody *body, const Token *first)
{
	body->text = parser_text_since(p, first);
	body->position = parser_position_since(p, first);
	return parser_check_depth(p, body->depth, p->token[-1].position);
}

/* values = VALUES "(" expr_list ")" { "," "(" expr_list ")" } ; */
static Status
parse_values(Parser *p, QueryBody *body)
{
	TRY(parser_expect_word(p, KEYWORD_VALUES));
	do {
		const Token *open = p->token;
		ExprList row = {0};

		TRY(parser_expect(p, TOKEN_OPEN));
		TRY(parse_expr_list(p, &row));
		TRY(parser_expect_close(p, open));
		PARSER_APPEND(p, body->values.rows, body->values.count, row);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* body_primary = select | values | nested_query ; */
static Status
parse_body_primary(Parser *p, bool nested, WithList *trailing, QueryBody **out)
{
	const Token *first = p->token;
	QueryBody *body = ARENA_NEW(p->arena, QueryBody);

	body->depth = 1;
	if (parser_at(p, TOKEN_OPEN)) {
		body->kind = BODY_QUERY;
		TRY(parse_nested_query(p, &body->query));
		body->depth = body->query->depth + 1;
	} else if (parser_at_word(p, KEYWORD_VALUES)) {
		body->kind = BODY_VALUES;
		TRY(parse_values(p, body));
	} else if (parser_at_word(p, KEYWORD_SELECT)) {
		body->kind = BODY_SELECT;
		TRY(parse_select(p, nested, &body->select, trailing));
	} else {
		return parser_fail(p, "SELECT");
	}
	*out = body;
	return body_finish(p, body, first);
}

static Status
make_set(Parser *p, SetOp op, const Token *first, const Token *word, bool all, QueryBody *right,
	 QueryBody **left)
{
	QueryBody *set = ARENA_NEW(p->arena, QueryBody);

	set->kind = BODY_SET;
	set->set.op = op;
	set->set.all = all;
	set->set.left = *left;
	set->set.right = right;
	set->set.op_position = word->position;
	set->depth = 1 + ((*left)->depth > right->depth ? (*left)->depth : right->depth);
	*left = set;
	return body_finish(p, set, first);
}

/* set_quantifier = ALL | DISTINCT ; */
static bool
accept_all(Parser *p)
{
	if (parser_accept_word(p, KEYWORD_ALL))
		return true;
	parser_accept_word(p, KEYWORD_DISTINCT);
	return false;
}

/* intersection = body_primary { INTERSECT [ set_quantifier ] body_primary } ; */
static Status
parse_intersection(Parser *p, bool nested, WithList *trailing, QueryBody **out)
{
	const Token *first = p->token;

	TRY(parse_body_primary(p, nested, trailing, out));
	for (;;) {
		const Token *word = p->token;
		QueryBody *right;

		if (trailing->position.line > 0 || !parser_accept_word(p, KEYWORD_INTERSECT))
			return FERRIS_OK;
		bool all = accept_all(p);
		TRY(parse_body_primary(p, nested, trailing, &right));
		TRY(make_set(p, SET_INTERSECT, first, word, all, right, out));
	}
}

/* body = intersection { ( UNION | EXCEPT ) [ set_quantifier ] intersection } ; */
static Status
parse_body(Parser *p, bool nested, WithList *trailing, QueryBody **out)
{
	const Token *first = p->token;

	TRY(parse_intersection(p, nested, trailing, out));
	for (;;) {
		const Token *word = p->token;
		QueryBody *right;

		if (trailing->position.line > 0 || (!parser_accept_word(p, KEYWORD_UNION) &&
						    !parser_accept_word(p, KEYWORD_EXCEPT)))
			return FERRIS_OK;
		bool all = accept_all(p);
		TRY(parse_intersection(p, nested, trailing, &right));
		TRY(make_set(p, word->keyword == KEYWORD_UNION ? SET_UNION : SET_EXCEPT, first,
			     word, all, right, out));
	}
}

/* ---------------------------------------------------------------- queries */

/* cte = name [ "(" name_list ")" ] AS nested_query ; */
static Status
parse_cte(Parser *p, Cte *cte)
{
	const Token *open;

	TRY(parse_name(p, "the name of a WITH query", &cte->name));
	open = p->token;
	if (parser_accept(p, TOKEN_OPEN)) {
		TRY(parse_name_list(p, "a column's name", &cte->columns));
		TRY(parser_expect_close(p, open));
	}
	TRY(parser_expect_word(p, KEYWORD_AS));
	return parse_nested_query(p, &cte->query);
}

/* ctes = WITH [ RECURSIVE ] cte { "," cte } ; */
static Status
parse_ctes(Parser *p, Query *query)
{
	if (!parser_accept_word(p, KEYWORD_WITH))
		return FERRIS_OK;
	query->recursive = parser_accept_word(p, KEYWORD_RECURSIVE);
	do {
		Cte cte = {0};

		TRY(parse_cte(p, &cte));
		PARSER_APPEND(p, query->ctes, query->cte_count, cte);
	} while (parser_accept(p, TOKEN_COMMA));
	return FERRIS_OK;
}

/* emit = EMIT ( CHANGES | FINAL ) ; */
static Status
parse_emit(Parser *p, Query *query)
{
	const Token *first = p->token;

	if (!parser_accept_word(p, KEYWORD_EMIT))
		return FERRIS_OK;
	if (parser_accept_word(p, KEYWORD_CHANGES))
		query->emit = EMIT_CHANGES;
	else if (parser_accept_word(p, KEYWORD_FINAL))
		query->emit = EMIT_FINAL;
	else
		return parser_fail(p, "CHANGES or FINAL");
	query->emit_position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* A GRACE PERIOD at the end belongs to the SELECT before it. */
static Status
parse_tail_grace(Parser *p, Query *query)
{
	const Token *first = p->token;
	Expr *grace = NULL;

	TRY(parse_grace(p, &grace));
	if (grace == NULL)
		return FERRIS_OK;
	if (query->body->kind == BODY_SELECT && query->body->select.grace == NULL) {
		query->body->select.grace = grace;
		return FERRIS_OK;
	}
	error_set_at(p->err, FERRIS_ERR_SYNTAX, parser_position_since(p, first),
		     query->body->kind == BODY_SELECT ? "GRACE PERIOD stands twice"
						      : "GRACE PERIOD belongs to one SELECT");
	return error_hint(p->err, "write it behind the window it is for");
}

/* sink = [ INTO target ] [ options ] ; */
static Status
parse_sink(Parser *p, bool nested, Query *query)
{
	const Token *word = p->token;

	if (nested &&
	    (parser_sees_word(p, 0, KEYWORD_INTO) || parser_sees_word(p, 0, KEYWORD_WITH))) {
		parser_fail(p, "')'");
		return error_hint(p->err,
				  "INTO and WITH (...) stand at the end of the whole query");
	}
	if (parser_accept_word(p, KEYWORD_INTO))
		TRY(parse_target(p, "the name of a sink", &query->into));
	if (!parser_at_word(p, KEYWORD_WITH))
		return FERRIS_OK;
	word = p->token;
	if (query->options.position.line > 0) {
		error_set_at(p->err, FERRIS_ERR_SYNTAX, word->position, "WITH (...) stands twice");
		return error_hint(p->err, "join the two lists");
	}
	return parse_options(p, &query->options);
}

/* query      = [ ctes ] body [ order_by ] [ limit ] [ emit ] [ grace ] ;
 * sink_query = query sink ; */
Status
parse_query(Parser *p, bool nested, Query **out)
{
	const Token *first = p->token;
	Query *query = ARENA_NEW(p->arena, Query);
	uint32_t outer = p->deepest;

	TRY(parser_enter(p));
	p->deepest = 0;
	TRY(parse_ctes(p, query));
	TRY(parse_body(p, nested, &query->options, &query->body));
	if (query->options.position.line == 0) {
		TRY(parse_order_by(p, &query->order));
		TRY(parse_limit(p, query));
		TRY(parse_emit(p, query));
		TRY(parse_tail_grace(p, query));
		TRY(parse_sink(p, nested, query));
	}
	query->text = parser_text_since(p, first);
	query->position = parser_position_since(p, first);
	query->depth = p->deepest + 1;
	p->deepest = outer;
	TRY(parser_check_depth(p, query->depth, p->token[-1].position));
	p->nesting--;
	*out = query;
	return FERRIS_OK;
}

/* nested_query = "(" query ")" ; */
Status
parse_nested_query(Parser *p, Query **query)
{
	const Token *open = p->token;

	TRY(parser_expect(p, TOKEN_OPEN));
	TRY(parse_query(p, true, query));
	if (parser_accept(p, TOKEN_CLOSE))
		return FERRIS_OK;
	parser_fail(p, "')' at the end of the query");
	if (p->token->kind == TOKEN_END || p->token->kind == TOKEN_SEMICOLON)
		error_hint(p->err, "the '(' at line %u, column %u is not closed",
			   open->position.line, open->position.column);
	return p->err->status;
}

/* The token behind the parenthesis that closes `open`, or the last one. */
static const Token *
behind_parentheses(const Token *open)
{
	const Token *token = open;
	uint32_t depth = 0;

	for (; token->kind != TOKEN_END && token->kind != TOKEN_SEMICOLON; token++) {
		depth += token->kind == TOKEN_OPEN;
		depth -= token->kind == TOKEN_CLOSE;
		if (depth == 0)
			return token + 1;
	}
	return token;
}

/* At "(" of a query?  "((SELECT ...) UNION ..." is one, "((SELECT ...) + 1)" is none.
 * "((SELECT ...))" is one only if `bare`: in an expression it is a subquery in parentheses. */
bool
parser_at_query(const Parser *p, bool bare)
{
	for (const Token *open = p->token; open->kind == TOKEN_OPEN; open++) {
		const Token *behind;

		if (open[1].keyword == KEYWORD_SELECT || open[1].keyword == KEYWORD_WITH ||
		    open[1].keyword == KEYWORD_VALUES)
			return true;
		if (open[1].kind != TOKEN_OPEN)
			return false;
		behind = behind_parentheses(open + 1);
		switch (behind->keyword) {
		case KEYWORD_UNION:
		case KEYWORD_INTERSECT:
		case KEYWORD_EXCEPT:
		case KEYWORD_ORDER:
		case KEYWORD_LIMIT:
		case KEYWORD_OFFSET:
		case KEYWORD_FETCH:
		case KEYWORD_EMIT:
		case KEYWORD_GRACE:
			return true;
		default:
			if (!bare || behind->kind != TOKEN_CLOSE)
				return false;
		}
	}
	return false;
}
