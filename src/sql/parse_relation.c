/* sql/parse_relation.c -- FROM: streams, subqueries, table functions and joins. */
#include "sql/parse.h"

static Relation *
relation_new(Parser *p, RelationKind kind)
{
	Relation *relation = ARENA_NEW(p->arena, Relation);

	relation->kind = kind;
	relation->depth = 1;
	return relation;
}

static Status
relation_finish(Parser *p, Relation *relation, const Token *first)
{
	relation->text = parser_text_since(p, first);
	relation->position = parser_position_since(p, first);
	return parser_check_depth(p, relation->depth, p->token[-1].position);
}

static Status parse_relation(Parser *p, bool nested, WithList *trailing, Relation **out);

/* ---------------------------------------------------------------- table functions */

/* table_partition = PARTITION BY expr ; a row in parentheses is several */
static Status
parse_table_partition(Parser *p, TableArgument *argument)
{
	Expr *expr;

	if (!parser_accept_word(p, KEYWORD_PARTITION))
		return FERRIS_OK;
	TRY(parser_expect_word(p, KEYWORD_BY));
	TRY(parse_expr(p, &expr));
	if (expr->kind == EXPR_ROW)
		argument->partition = expr->list;
	else
		PARSER_APPEND(p, argument->partition.items, argument->partition.count, expr);
	return FERRIS_OK;
}

/* A query, or an expression that begins with one: (SELECT ...) || 'x'. */
static Status
parse_query_argument(Parser *p, TableArgument *argument)
{
	argument->kind = ARGUMENT_QUERY;
	if (!parser_at_query(p, false)) {
		TRY(parse_nested_query(p, &argument->query));
		return parse_table_partition(p, argument);
	}
	TRY(parse_expr(p, &argument->expr));
	if (argument->expr->kind != EXPR_SUBQUERY) {
		argument->kind = ARGUMENT_EXPR;
		return FERRIS_OK;
	}
	argument->query = argument->expr->query;
	argument->expr = NULL;
	return parse_table_partition(p, argument);
}

/* table_argument = [ name "=>" ] ( ( TABLE ( name | nested_query ) | nested_query )
 *                  [ table_partition ] | DESCRIPTOR "(" name_list ")" | expr ) ; */
static Status
parse_table_argument(Parser *p, TableArgument *argument)
{
	const Token *first = p->token;

	if (parser_at_name(p) && parser_sees(p, 1, TOKEN_ARROW)) {
		TRY(parse_name(p, "an argument's name", &argument->name));
		p->token++;
	}
	if (parser_accept_word(p, KEYWORD_TABLE)) {
		argument->kind = parser_at(p, TOKEN_OPEN) ? ARGUMENT_QUERY : ARGUMENT_TABLE;
		if (argument->kind == ARGUMENT_QUERY)
			TRY(parse_nested_query(p, &argument->query));
		else
			TRY(parse_name(p, "a stream's or table's name", &argument->table));
		TRY(parse_table_partition(p, argument));
	} else if (parser_at_query(p, true)) {
		TRY(parse_query_argument(p, argument));
	} else if (parser_sees_word(p, 0, KEYWORD_DESCRIPTOR) && parser_sees(p, 1, TOKEN_OPEN)) {
		const Token *open = p->token + 1;

		argument->kind = ARGUMENT_DESCRIPTOR;
		p->token += 2;
		TRY(parse_name_list(p, "a column's name", &argument->columns));
		TRY(parser_expect_close(p, open));
	} else {
		argument->kind = ARGUMENT_EXPR;
		TRY(parse_expr(p, &argument->expr));
	}
	argument->position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* table_function = name "(" [ table_argument { "," table_argument } ] ")" ; */
static Status
parse_table_function(Parser *p, Relation *relation)
{
	TRY(parse_name(p, "a table function's name", &relation->function.name));
	const Token *open = p->token;
	TRY(parser_expect(p, TOKEN_OPEN));
	if (parser_accept(p, TOKEN_CLOSE))
		return FERRIS_OK;
	do {
		TableArgument argument = {0};

		TRY(parse_table_argument(p, &argument));
		PARSER_APPEND(p, relation->function.args, relation->function.arg_count, argument);
	} while (parser_accept(p, TOKEN_COMMA));
	return parser_expect_close(p, open);
}

/* unnest = UNNEST "(" expr_list ")" [ WITH ORDINALITY ] ; */
static Status
parse_unnest(Parser *p, Relation *relation)
{
	const Token *open = p->token + 1;

	p->token += 2;
	TRY(parse_expr_list(p, &relation->unnest.arrays));
	TRY(parser_expect_close(p, open));
	if (parser_sees_word(p, 0, KEYWORD_WITH) && parser_sees_word(p, 1, KEYWORD_ORDINALITY)) {
		relation->unnest.with_ordinality = true;
		p->token += 2;
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- primaries */

/* relation_source = [ LATERAL ] ( name | string | nested_query | LATE nested_query | unnest
 *                 | table_function | TABLE "(" table_function ")" ) ; */
static Status
parse_source(Parser *p, Relation **out)
{
	bool call = parser_sees(p, 1, TOKEN_OPEN);
	Relation *relation = relation_new(p, RELATION_NAME);

	*out = relation;
	relation->lateral = parser_accept_word(p, KEYWORD_LATERAL);
	call = relation->lateral ? parser_sees(p, 1, TOKEN_OPEN) : call;
	if (parser_at(p, TOKEN_STRING)) {
		relation->kind = RELATION_URI;
		relation->name.quoted = true;
		relation->name.position = p->token->position;
		return parse_string(p, "a URI", &relation->name.text);
	}
	if (parser_at(p, TOKEN_OPEN)) {
		relation->kind = RELATION_QUERY;
		return parse_nested_query(p, &relation->query);
	}
	if (parser_sees_word(p, 0, KEYWORD_TABLE) && call) {
		const Token *open = p->token + 1;

		relation->kind = RELATION_FUNCTION;
		relation->function.in_table = true;
		p->token += 2;
		TRY(parse_table_function(p, relation));
		return parser_expect_close(p, open);
	}
	if (parser_sees_word(p, 0, KEYWORD_LATE) && call) {
		relation->kind = RELATION_LATE;
		p->token++;
		return parse_nested_query(p, &relation->query);
	}
	if (parser_sees_word(p, 0, KEYWORD_UNNEST) && call) {
		relation->kind = RELATION_UNNEST;
		return parse_unnest(p, relation);
	}
	if (call && parser_at_name(p)) {
		relation->kind = RELATION_FUNCTION;
		return parse_table_function(p, relation);
	}
	return parse_name(p, "a stream's or table's name", &relation->name);
}

/* Does the query go on, so that WITH (...) before this place was the relation's own? */
static bool
query_goes_on(const Parser *p, bool nested)
{
	switch (p->token->keyword) {
	case KEYWORD_WHERE:
	case KEYWORD_GROUP:
	case KEYWORD_HAVING:
	case KEYWORD_WINDOW:
	case KEYWORD_QUALIFY:
	case KEYWORD_ORDER:
	case KEYWORD_LIMIT:
	case KEYWORD_OFFSET:
	case KEYWORD_FETCH:
	case KEYWORD_EMIT:
	case KEYWORD_GRACE:
	case KEYWORD_INTO:
	case KEYWORD_UNION:
	case KEYWORD_INTERSECT:
	case KEYWORD_EXCEPT:
	case KEYWORD_WITH:
	case KEYWORD_JOIN:
	case KEYWORD_INNER:
	case KEYWORD_LEFT:
	case KEYWORD_RIGHT:
	case KEYWORD_FULL:
	case KEYWORD_CROSS:
	case KEYWORD_NATURAL:
	case KEYWORD_SEMI:
	case KEYWORD_ANTI:
	case KEYWORD_ASOF:
	case KEYWORD_ON:
	case KEYWORD_USING:
	case KEYWORD_WITHIN:
		return true;
	default:
		return nested || p->token->kind == TOKEN_COMMA;
	}
}

/* relation_alias = alias [ "(" name_list ")" ] ; */
static Status
parse_relation_alias(Parser *p, Relation *relation)
{
	const Token *open;

	TRY(parse_alias(p, &relation->alias));
	open = p->token;
	if (relation->alias.text.data == NULL || !parser_accept(p, TOKEN_OPEN))
		return FERRIS_OK;
	TRY(parse_name_list(p, "a column's name", &relation->column_aliases));
	return parser_expect_close(p, open);
}

/* relation_primary = relation_source [ FOR SYSTEM_TIME AS OF additive ] [ relation_alias ]
 *                    [ options ]
 *                  | "(" relation ")" ;
 *
 * SELECT * FROM t WITH (...) at the end of a statement: these are the query's options, as the guide
 * has it.  Only where the query goes on behind them are they the relation's. */
static Status
parse_relation_primary(Parser *p, bool nested, WithList *trailing, Relation **out)
{
	const Token *first = p->token;
	Relation *relation;

	if (parser_at(p, TOKEN_OPEN) && !parser_at_query(p, true)) {
		p->token++;
		TRY(parse_relation(p, true, NULL, out));
		return parser_expect_close(p, first);
	}
	TRY(parse_source(p, out));
	relation = *out;
	if (parser_accept_word(p, KEYWORD_FOR)) {
		TRY(parser_expect_word(p, KEYWORD_SYSTEM_TIME));
		TRY(parser_expect_word(p, KEYWORD_AS));
		TRY(parser_expect_word(p, KEYWORD_OF));
		TRY(parse_additive(p, &relation->as_of));
	}
	TRY(parse_relation_alias(p, relation));
	TRY(relation_finish(p, relation, first));
	if (!parser_at_word(p, KEYWORD_WITH))
		return FERRIS_OK;
	WithList options = {0};
	TRY(parse_options(p, &options));
	if (query_goes_on(p, nested)) {
		relation->options = options;
		return relation_finish(p, relation, first);
	}
	*trailing = options;
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- joins */

/* join_kind = [ ASOF ]
 *             [ INNER | ( LEFT | RIGHT | FULL ) [ OUTER ] | [ LEFT ] ( SEMI | ANTI ) ] JOIN ; */
static Status
parse_join_kind(Parser *p, Relation *join)
{
	static const struct {
		Keyword keyword;
		JoinKind kind;
	} kinds[] = {
		{KEYWORD_INNER, JOIN_INNER}, {KEYWORD_LEFT, JOIN_LEFT}, {KEYWORD_RIGHT, JOIN_RIGHT},
		{KEYWORD_FULL, JOIN_FULL},   {KEYWORD_SEMI, JOIN_SEMI}, {KEYWORD_ANTI, JOIN_ANTI},
		{KEYWORD_CROSS, JOIN_CROSS},
	};
	bool outer = false;

	join->join.kind = JOIN_INNER;
	join->join.natural = parser_accept_word(p, KEYWORD_NATURAL);
	join->join.asof = parser_accept_word(p, KEYWORD_ASOF);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (!parser_accept_word(p, kinds[i].keyword))
			continue;
		join->join.kind = kinds[i].kind;
		break;
	}
	if (join->join.kind == JOIN_LEFT || join->join.kind == JOIN_RIGHT ||
	    join->join.kind == JOIN_FULL)
		outer = parser_accept_word(p, KEYWORD_OUTER);
	if (join->join.kind == JOIN_LEFT && !outer) {
		if (parser_accept_word(p, KEYWORD_SEMI))
			join->join.kind = JOIN_SEMI;
		else if (parser_accept_word(p, KEYWORD_ANTI))
			join->join.kind = JOIN_ANTI;
	}
	return parser_expect_word(p, KEYWORD_JOIN);
}

/* within = WITHIN ( span | "(" span "," span ")" ) [ GRACE PERIOD span ] ; */
static Status
parse_within(Parser *p, Relation *join)
{
	const Token *open;

	if (!parser_accept_word(p, KEYWORD_WITHIN))
		return FERRIS_OK;
	open = p->token;
	if (parser_accept(p, TOKEN_OPEN)) {
		TRY(parse_duration(p, &join->join.within_before));
		TRY(parser_expect(p, TOKEN_COMMA));
		TRY(parse_duration(p, &join->join.within_after));
		TRY(parser_expect_close(p, open));
	} else {
		TRY(parse_duration(p, &join->join.within_before));
		join->join.within_after = join->join.within_before;
	}
	if (!parser_sees_word(p, 0, KEYWORD_GRACE) || !parser_sees_word(p, 1, KEYWORD_PERIOD))
		return FERRIS_OK;
	p->token += 2;
	return parse_duration(p, &join->join.grace);
}

/* A join must say how its rows meet, once. */
static Status
check_condition(Parser *p, const Relation *join)
{
	bool condition = join->join.on != NULL || join->join.using_columns.count > 0;
	bool none = join->join.kind == JOIN_CROSS || join->join.natural;

	if (join->join.natural && (join->join.kind == JOIN_CROSS || condition)) {
		error_set_at(p->err, FERRIS_ERR_SYNTAX, join->join.position,
			     "NATURAL together with CROSS, ON or USING");
		return error_hint(p->err,
				  "NATURAL itself is the condition: all columns of equal name");
	}
	if (join->join.kind == JOIN_CROSS && (condition || join->join.asof)) {
		error_set_at(p->err, FERRIS_ERR_SYNTAX, join->join.position,
			     join->join.asof ? "ASOF together with CROSS JOIN"
					     : "CROSS JOIN with a condition");
		return error_hint(p->err, "write JOIN … ON …");
	}
	if (condition || none)
		return FERRIS_OK;
	parser_fail(p, "ON or USING");
	return p->err->status;
}

/* join      = CROSS JOIN relation_primary
 *           | NATURAL join_kind relation_primary [ within ]
 *           | join_kind relation_primary ( [ within ] condition | condition within ) ;
 * condition = ON expr | USING "(" name_list ")" ; */
static Status
parse_join(Parser *p, bool nested, WithList *trailing, const Token *first, Relation **left)
{
	const Token *words = p->token;
	Relation *join = relation_new(p, RELATION_JOIN);

	join->join.left = *left;
	TRY(parse_join_kind(p, join));
	join->join.position = parser_position_since(p, words);
	TRY(parse_relation_primary(p, nested, trailing, &join->join.right));
	TRY(parse_within(p, join));
	if (parser_accept_word(p, KEYWORD_ON)) {
		TRY(parse_expr(p, &join->join.on));
	} else if (parser_accept_word(p, KEYWORD_USING)) {
		const Token *open = p->token;

		TRY(parser_expect(p, TOKEN_OPEN));
		TRY(parse_name_list(p, "a column's name", &join->join.using_columns));
		TRY(parser_expect_close(p, open));
	}
	TRY(check_condition(p, join));
	if (join->join.within_before == NULL)
		TRY(parse_within(p, join));
	join->depth = 1 + ((*left)->depth > join->join.right->depth ? (*left)->depth
								    : join->join.right->depth);
	*left = join;
	return relation_finish(p, join, first);
}

static bool
at_join(Parser *p)
{
	static const Keyword words[] = {
		KEYWORD_JOIN,  KEYWORD_INNER,   KEYWORD_LEFT, KEYWORD_RIGHT, KEYWORD_FULL,
		KEYWORD_CROSS, KEYWORD_NATURAL, KEYWORD_SEMI, KEYWORD_ANTI,  KEYWORD_ASOF,
	};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (parser_at_word(p, words[i]))
			return true;
	return false;
}

/* joined = relation_primary { join } ; */
static Status
parse_joined(Parser *p, bool nested, WithList *trailing, Relation **out)
{
	const Token *first = p->token;

	TRY(parse_relation_primary(p, nested, trailing, out));
	while (trailing->position.line == 0 && at_join(p))
		TRY(parse_join(p, nested, trailing, first, out));
	return FERRIS_OK;
}

/* relation = joined { "," joined } ; */
static Status
parse_relation(Parser *p, bool nested, WithList *trailing, Relation **out)
{
	const Token *first = p->token;
	WithList own = {0};

	TRY(parser_enter(p));
	trailing = trailing != NULL ? trailing : &own;
	TRY(parse_joined(p, nested, trailing, out));
	while (trailing->position.line == 0 && parser_at(p, TOKEN_COMMA)) {
		Relation *join = relation_new(p, RELATION_JOIN);

		join->join.kind = JOIN_CROSS;
		join->join.position = p->token->position;
		join->join.left = *out;
		p->token++;
		TRY(parse_joined(p, nested, trailing, &join->join.right));
		join->depth =
			1 + ((*out)->depth > join->join.right->depth ? (*out)->depth
								     : join->join.right->depth);
		*out = join;
		TRY(relation_finish(p, join, first));
	}
	p->nesting--;
	return FERRIS_OK;
}

/* from = FROM relation ; */
Status
parse_from(Parser *p, bool nested, Relation **from, WithList *trailing)
{
	if (!parser_accept_word(p, KEYWORD_FROM))
		return FERRIS_OK;
	return parse_relation(p, nested, trailing, from);
}
