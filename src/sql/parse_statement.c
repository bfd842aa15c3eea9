/* sql/parse_statement.c -- every statement but CREATE and the query itself. */
#include "sql/parse.h"

/* ---------------------------------------------------------------- INSERT, UPDATE, DELETE, DROP */

/* insert = INSERT INTO target [ "(" name_list ")" ] sink_query ; */
static Status
parse_insert(Parser *p, Statement *statement)
{
	const Token *open;

	statement->kind = STATEMENT_INSERT;
	p->token++;
	TRY(parser_expect_word(p, KEYWORD_INTO));
	TRY(parse_target(p, "the name of a stream or table", &statement->insert.target));
	open = p->token;
	if (!parser_at_query(p, true) && parser_accept(p, TOKEN_OPEN)) {
		TRY(parse_name_list(p, "a column's name", &statement->insert.columns));
		TRY(parser_expect_close(p, open));
	}
	if (!parser_at(p, TOKEN_OPEN) && !parser_at_word(p, KEYWORD_SELECT) &&
	    !parser_at_word(p, KEYWORD_WITH) && !parser_at_word(p, KEYWORD_VALUES))
		return parser_fail(p, statement->insert.columns.count > 0
					      ? "SELECT or VALUES"
					      : "SELECT, VALUES or columns in parentheses");
	return parse_query(p, false, &statement->insert.query);
}

/* where = WHERE expr ; */
static Status
parse_where(Parser *p, Expr **where)
{
	return parser_accept_word(p, KEYWORD_WHERE) ? parse_expr(p, where) : FERRIS_OK;
}

/* update = UPDATE name SET name "=" expr { "," name "=" expr } [ where ] ; */
static Status
parse_update(Parser *p, Statement *statement)
{
	NameList *columns = &statement->update.columns;
	ExprList *values = &statement->update.values;

	statement->kind = STATEMENT_UPDATE;
	p->token++;
	TRY(parse_name(p, "a table's name", &statement->update.name));
	TRY(parser_expect_word(p, KEYWORD_SET));
	do {
		Name column;
		Expr *value;

		TRY(parse_name(p, "a column's name", &column));
		TRY(parser_expect(p, TOKEN_EQUAL));
		TRY(parse_expr(p, &value));
		PARSER_APPEND(p, columns->items, columns->count, column);
		PARSER_APPEND(p, values->items, values->count, value);
	} while (parser_accept(p, TOKEN_COMMA));
	return parse_where(p, &statement->update.where);
}

/* delete = DELETE FROM name [ where ] ; */
static Status
parse_delete(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_DELETE;
	p->token++;
	TRY(parser_expect_word(p, KEYWORD_FROM));
	TRY(parse_name(p, "a table's name", &statement->delete_from.name));
	return parse_where(p, &statement->delete_from.where);
}

/* drop = DROP ( STREAM | TABLE | JOB ) [ IF EXISTS ] name ; */
static Status
parse_drop(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_DROP;
	p->token++;
	if (parser_accept_word(p, KEYWORD_STREAM))
		statement->drop.object = OBJECT_STREAM;
	else if (parser_accept_word(p, KEYWORD_TABLE))
		statement->drop.object = OBJECT_TABLE;
	else if (parser_accept_word(p, KEYWORD_JOB))
		statement->drop.object = OBJECT_JOB;
	else
		return parser_fail(p, "STREAM, TABLE or JOB");
	if (parser_sees_word(p, 0, KEYWORD_IF) && parser_sees_word(p, 1, KEYWORD_EXISTS)) {
		statement->drop.if_exists = true;
		p->token += 2;
	}
	return parse_name(p, "a name", &statement->drop.name);
}

/* ---------------------------------------------------------------- SHOW, DESCRIBE, EXPLAIN */

/* Whether a name follows: never, perhaps, always, or a type and a name. */
typedef enum ShowArgument { NO_NAME, MAY_NAME, MUST_NAME, TYPE_AND_NAME } ShowArgument;

static const struct {
	Keyword keyword;
	ShowKind kind;
	ShowArgument argument;
} shows[] = {
	{KEYWORD_STREAMS, SHOW_STREAMS, NO_NAME},
	{KEYWORD_TABLES, SHOW_TABLES, NO_NAME},
	{KEYWORD_TOPICS, SHOW_TOPICS, NO_NAME},
	{KEYWORD_FUNCTIONS, SHOW_FUNCTIONS, NO_NAME},
	{KEYWORD_JOBS, SHOW_JOBS, NO_NAME},
	{KEYWORD_STATUS, SHOW_STATUS, MAY_NAME},
	{KEYWORD_VERSIONS, SHOW_VERSIONS, MUST_NAME},
	{KEYWORD_METRICS, SHOW_METRICS, MAY_NAME},
	{KEYWORD_SCHEMA, SHOW_SCHEMA, MUST_NAME},
	{KEYWORD_PROPERTIES, SHOW_PROPERTIES, TYPE_AND_NAME},
	{KEYWORD_PARTITIONS, SHOW_PARTITIONS, MUST_NAME},
	{KEYWORD_CONFIG, SHOW_CONFIG, MAY_NAME},
	{KEYWORD_WATERMARKS, SHOW_WATERMARKS, MAY_NAME},
};

/* properties_type = TABLE | name ; */
static Status
parse_properties_type(Parser *p, Name *type)
{
	if (!parser_at_word(p, KEYWORD_TABLE))
		return parse_name(p, "STREAM, TABLE or JOB", type);
	*type = (Name){parser_token_text(p, p->token), p->token->position, false};
	p->token++;
	return FERRIS_OK;
}

/* show = ( SHOW | LIST ) ( STREAMS | TABLES | TOPICS | FUNCTIONS | JOBS
 *      | ( STATUS | METRICS | CONFIG | WATERMARKS ) [ name ]
 *      | ( VERSIONS | SCHEMA | PARTITIONS ) name | PROPERTIES properties_type name ) [ [ LIKE ]
 * string ] ; */
static Status
parse_show(Parser *p, Statement *statement)
{
	size_t i, count = sizeof shows / sizeof *shows;

	statement->kind = STATEMENT_SHOW;
	p->token++;
	for (i = 0; i < count && !parser_accept_word(p, shows[i].keyword); i++)
		;
	if (i == count) {
		parser_fail(p, "what to show");
		if (p->err->hint[0] == '\0')
			error_hint(p->err,
				   "SHOW knows STREAMS, TABLES, TOPICS, FUNCTIONS, JOBS, STATUS, "
				   "VERSIONS, METRICS, SCHEMA, PROPERTIES, PARTITIONS, CONFIG, "
				   "WATERMARKS");
		return p->err->status;
	}
	statement->show.kind = shows[i].kind;
	if (shows[i].argument == TYPE_AND_NAME)
		TRY(parse_properties_type(p, &statement->show.type));
	if (shows[i].argument >= MUST_NAME || (shows[i].argument == MAY_NAME && parser_at_name(p)))
		TRY(parse_name(p, "a name", &statement->show.name));
	if (parser_accept_word(p, KEYWORD_LIKE) || parser_at(p, TOKEN_STRING))
		return parse_string(p, "a pattern, a string", &statement->show.pattern);
	return FERRIS_OK;
}

/* describe = ( DESCRIBE | DESC ) [ EXTENDED ] name ; */
static Status
parse_describe(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_DESCRIBE;
	p->token++;
	if (parser_sees_word(p, 0, KEYWORD_EXTENDED) && p->token[1].kind != TOKEN_SEMICOLON &&
	    p->token[1].kind != TOKEN_END) {
		statement->describe.extended = true;
		p->token++;
	}
	return parse_name(p, "the name of a stream, table or job", &statement->describe.name);
}

/* explain = EXPLAIN [ ANALYZE ] statement ; */
static Status
parse_explain(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_EXPLAIN;
	p->token++;
	statement->explain.analyze = parser_accept_word(p, KEYWORD_ANALYZE);
	return parse_statement(p, &statement->explain.statement);
}

/* ---------------------------------------------------------------- SET */

/* setting = string | name { ( "." | "-" ) name } ; */
static Status
parse_setting(Parser *p, Str *key, Position *position)
{
	const Token *first = p->token;
	Name name;

	*position = first->position;
	if (first->kind == TOKEN_STRING)
		return parse_string(p, "a setting's name", key);
	do
		TRY(parse_name(p, "a setting's name", &name));
	while (parser_accept(p, TOKEN_DOT) || parser_accept(p, TOKEN_MINUS));
	*key = parser_text_since(p, first);
	*position = parser_position_since(p, first);
	return FERRIS_OK;
}

/* set = SET setting ( "=" | TO ) option_value ; */
static Status
parse_set(Parser *p, Statement *statement)
{
	WithOption *option = &statement->set.option;

	statement->kind = STATEMENT_SET;
	p->token++;
	TRY(parse_setting(p, &option->key, &option->key_position));
	if (!parser_accept_word(p, KEYWORD_TO))
		TRY(parser_expect(p, TOKEN_EQUAL));
	return parse_option_value(p, option);
}

/* unset = ( UNSET | RESET ) ( ALL | setting ) ; */
static Status
parse_unset(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_UNSET;
	p->token++;
	statement->unset.key_position = p->token->position;
	if (parser_accept_word(p, KEYWORD_ALL))
		return FERRIS_OK;
	return parse_setting(p, &statement->unset.key, &statement->unset.key_position);
}

/* replay = REPLAY DLQ string INTO name ; */
static Status
parse_replay(Parser *p, Statement *statement)
{
	statement->kind = STATEMENT_REPLAY;
	p->token++;
	TRY(parser_expect_word(p, KEYWORD_DLQ));
	TRY(parse_string(p, "the topic of the dead letters in quotes", &statement->replay.topic));
	TRY(parser_expect_word(p, KEYWORD_INTO));
	return parse_name(p, "the name of a stream", &statement->replay.into);
}

/* ---------------------------------------------------------------- jobs */

/* job_statement = create | insert | sink_query ; */
static Status
parse_job_statement(Parser *p, Statement **out)
{
	const Token *first = p->token;

	TRY(parse_statement(p, out));
	switch ((*out)->kind) {
	case STATEMENT_CREATE:
	case STATEMENT_INSERT:
	case STATEMENT_QUERY:
		return FERRIS_OK;
	default:
		error_set_at(p->err, FERRIS_ERR_SYNTAX, first->position,
			     "a job cannot run this statement");
		return error_hint(p->err,
				  "a job is a SELECT, a CREATE … AS SELECT or an INSERT INTO");
	}
}

/* version = VERSION ( string | plain_number ) ; */
static Status
parse_version(Parser *p, Str *version)
{
	TRY(parser_expect_word(p, KEYWORD_VERSION));
	if (!parser_at(p, TOKEN_INTEGER) && !parser_at(p, TOKEN_DECIMAL))
		return parse_string(p, "a version such as '2.1.0', a string", version);
	*version = parser_token_text(p, p->token);
	p->token++;
	return FERRIS_OK;
}

/* strategy = STRATEGY ( BLUE_GREEN | CANARY "(" additive ")" | ROLLING | REPLACE ) ; */
static Status
parse_strategy(Parser *p, Statement *statement)
{
	const Token *open;

	if (!parser_accept_word(p, KEYWORD_STRATEGY))
		return FERRIS_OK;
	if (parser_accept_word(p, KEYWORD_BLUE_GREEN)) {
		statement->job.strategy = DEPLOY_BLUE_GREEN;
	} else if (parser_accept_word(p, KEYWORD_ROLLING)) {
		statement->job.strategy = DEPLOY_ROLLING;
	} else if (parser_accept_word(p, KEYWORD_REPLACE)) {
		statement->job.strategy = DEPLOY_REPLACE;
	} else if (parser_accept_word(p, KEYWORD_CANARY)) {
		statement->job.strategy = DEPLOY_CANARY;
		open = p->token;
		TRY(parser_expect(p, TOKEN_OPEN));
		TRY(parse_additive(p, &statement->job.percent));
		return parser_expect_close(p, open);
	} else {
		return parser_fail(p, "BLUE_GREEN, CANARY(percent), ROLLING or REPLACE");
	}
	return FERRIS_OK;
}

static Status
parse_job_options(Parser *p, Statement *statement)
{
	return parser_at_word(p, KEYWORD_WITH) ? parse_options(p, &statement->job.options)
					       : FERRIS_OK;
}

/* start  = START JOB name [ AS job_statement [ options ] ] ;
 * deploy = DEPLOY JOB name version AS job_statement [ options ] [ strategy ] ; */
static Status
parse_start(Parser *p, Statement *statement)
{
	if (statement->kind == STATEMENT_DEPLOY) {
		TRY(parse_version(p, &statement->job.version));
		if (!parser_at_word(p, KEYWORD_AS))
			return parser_fail(p, "AS and a query");
	}
	if (!parser_accept_word(p, KEYWORD_AS))
		return FERRIS_OK;
	TRY(parse_job_statement(p, &statement->job.statement));
	TRY(parse_job_options(p, statement));
	return statement->kind == STATEMENT_DEPLOY ? parse_strategy(p, statement) : FERRIS_OK;
}

/* job = start | deploy | STOP JOB name [ FORCE ] | PAUSE JOB name | RESUME JOB name
 *     | ROLLBACK JOB name [ version ] ; */
static Status
parse_job(Parser *p, StatementKind kind, Statement *statement)
{
	statement->kind = kind;
	p->token++;
	TRY(parser_expect_word(p, KEYWORD_JOB));
	TRY(parse_name(p, "a job's name", &statement->job.name));
	switch (kind) {
	case STATEMENT_START:
	case STATEMENT_DEPLOY:
		return parse_start(p, statement);
	case STATEMENT_STOP:
		statement->job.force = parser_accept_word(p, KEYWORD_FORCE);
		return FERRIS_OK;
	case STATEMENT_ROLLBACK:
		return parser_at_word(p, KEYWORD_VERSION)
			       ? parse_version(p, &statement->job.version)
			       : FERRIS_OK;
	default:
		return FERRIS_OK;
	}
}

/* ---------------------------------------------------------------- the choice */

typedef Status (*ParseStatement)(Parser *p, Statement *statement);

static const struct {
	Keyword keyword;
	ParseStatement parse;
	StatementKind kind; /* of a job statement, if `parse` is NULL */
} statements[] = {
	{KEYWORD_CREATE, parse_create, 0},
	{KEYWORD_INSERT, parse_insert, 0},
	{KEYWORD_UPDATE, parse_update, 0},
	{KEYWORD_DELETE, parse_delete, 0},
	{KEYWORD_DROP, parse_drop, 0},
	{KEYWORD_SHOW, parse_show, 0},
	{KEYWORD_LIST, parse_show, 0},
	{KEYWORD_DESCRIBE, parse_describe, 0},
	{KEYWORD_DESC, parse_describe, 0},
	{KEYWORD_EXPLAIN, parse_explain, 0},
	{KEYWORD_SET, parse_set, 0},
	{KEYWORD_UNSET, parse_unset, 0},
	{KEYWORD_RESET, parse_unset, 0},
	{KEYWORD_REPLAY, parse_replay, 0},
	{KEYWORD_START, NULL, STATEMENT_START},
	{KEYWORD_STOP, NULL, STATEMENT_STOP},
	{KEYWORD_PAUSE, NULL, STATEMENT_PAUSE},
	{KEYWORD_RESUME, NULL, STATEMENT_RESUME},
	{KEYWORD_DEPLOY, NULL, STATEMENT_DEPLOY},
	{KEYWORD_ROLLBACK, NULL, STATEMENT_ROLLBACK},
};

static Status
parse_choice(Parser *p, Statement *statement)
{
	size_t count = sizeof statements / sizeof *statements;

	if (parser_at_word(p, KEYWORD_SELECT) || parser_at_word(p, KEYWORD_WITH) ||
	    parser_at_word(p, KEYWORD_VALUES) || parser_at(p, TOKEN_OPEN)) {
		statement->kind = STATEMENT_QUERY;
		return parse_query(p, false, &statement->query);
	}
	for (size_t i = 0; i < count; i++) {
		if (!parser_at_word(p, statements[i].keyword))
			continue;
		if (statements[i].parse != NULL)
			return statements[i].parse(p, statement);
		return parse_job(p, statements[i].kind, statement);
	}
	return parser_fail(p, "a statement");
}

/* statement = sink_query | create | insert | update | delete | drop | show | describe | explain |
 * set | unset | replay | job ; */
Status
parse_statement(Parser *p, Statement **out)
{
	const Token *first = p->token;
	Statement *statement = ARENA_NEW(p->arena, Statement);

	TRY(parser_enter(p));
	TRY(parse_choice(p, statement));
	statement->text = parser_text_since(p, first);
	statement->position = parser_position_since(p, first);
	p->nesting--;
	*out = statement;
	return FERRIS_OK;
}
