/* sql/print.c -- statements as SQL text. */
#include "sql/print.h"

#define put(out, text) buffer_append_str((out), STR(text))

static void
print_option_value(Buffer *out, const WithOption *option)
{
	if (option->kind == WITH_STRING)
		sql_print_string(out, option->value);
	else
		buffer_append_str(out, option->value);
}

void
sql_print_options(Buffer *out, const WithList *options)
{
	if (options->position.line == 0)
		return;
	put(out, " WITH (");
	for (uint32_t i = 0; i < options->count; i++) {
		if (i > 0)
			put(out, ", ");
		sql_print_string(out, options->items[i].key);
		put(out, " = ");
		print_option_value(out, &options->items[i]);
	}
	put(out, ")");
}

void
sql_print_target(Buffer *out, const Target *target)
{
	if (target->is_uri)
		sql_print_string(out, target->name.text);
	else
		sql_print_name(out, &target->name);
}

static const char *const objects[] = {
	[OBJECT_STREAM] = "STREAM ", [OBJECT_TABLE] = "TABLE ", [OBJECT_JOB] = "JOB "};

/* ---------------------------------------------------------------- CREATE */

static void
print_column_def(Buffer *out, const ColumnDef *column)
{
	sql_print_name(out, &column->name);
	if (column->computed != NULL) {
		put(out, " AS ");
		sql_print_expr(out, column->computed);
		return;
	}
	put(out, " ");
	sql_print_type(out, column->type);
	if (column->not_null)
		put(out, " NOT NULL");
	if (column->primary_key)
		put(out, " PRIMARY KEY");
	if (column->default_value != NULL) {
		put(out, " DEFAULT (");
		sql_print_expr(out, column->default_value);
		put(out, ")");
	}
	if (column->metadata)
		put(out, " METADATA");
	if (column->metadata_key.data != NULL) {
		put(out, " FROM ");
		sql_print_string(out, column->metadata_key);
	}
	if (column->is_virtual)
		put(out, " VIRTUAL");
}

static void
print_create(Buffer *out, const Statement *statement)
{
	const char *separator = " (";

	buffer_printf(out, "CREATE %s%s%s", statement->create.or_replace ? "OR REPLACE " : "",
		      objects[statement->create.object],
		      statement->create.if_not_exists ? "IF NOT EXISTS " : "");
	sql_print_name(out, &statement->create.name);
	for (uint32_t i = 0; i < statement->create.column_count; i++, separator = ", ") {
		buffer_printf(out, "%s", separator);
		print_column_def(out, &statement->create.columns[i]);
	}
	if (statement->create.primary_key.count > 0) {
		buffer_printf(out, "%sPRIMARY KEY (", separator);
		sql_print_names(out, &statement->create.primary_key);
		put(out, ")");
		separator = ", ";
	}
	if (statement->create.watermark.expr != NULL) {
		buffer_printf(out, "%sWATERMARK FOR ", separator);
		sql_print_name(out, &statement->create.watermark.column);
		put(out, " AS ");
		sql_print_expr(out, statement->create.watermark.expr);
		separator = ", ";
	}
	if (separator[0] == ',')
		put(out, ")");
	sql_print_options(out, &statement->create.options);
	if (statement->create.query != NULL) {
		put(out, " AS ");
		sql_print_query(out, statement->create.query);
	}
}

/* ---------------------------------------------------------------- the others */

static void
print_insert(Buffer *out, const Statement *statement)
{
	put(out, "INSERT INTO ");
	sql_print_target(out, &statement->insert.target);
	if (statement->insert.columns.count > 0) {
		put(out, " (");
		sql_print_names(out, &statement->insert.columns);
		put(out, ")");
	}
	put(out, " ");
	sql_print_query(out, statement->insert.query);
}

static void
print_where(Buffer *out, const Expr *where)
{
	if (where == NULL)
		return;
	put(out, " WHERE ");
	sql_print_expr(out, where);
}

static void
print_update(Buffer *out, const Statement *statement)
{
	put(out, "UPDATE ");
	sql_print_name(out, &statement->update.name);
	for (uint32_t i = 0; i < statement->update.columns.count; i++) {
		buffer_append_str(out, i == 0 ? STR(" SET ") : STR(", "));
		sql_print_name(out, &statement->update.columns.items[i]);
		put(out, " = ");
		sql_print_expr(out, statement->update.values.items[i]);
	}
	print_where(out, statement->update.where);
}

static void
print_show(Buffer *out, const Statement *statement)
{
	static const char *const kinds[] = {
		[SHOW_STREAMS] = "STREAMS",
		[SHOW_TABLES] = "TABLES",
		[SHOW_TOPICS] = "TOPICS",
		[SHOW_FUNCTIONS] = "FUNCTIONS",
		[SHOW_JOBS] = "JOBS",
		[SHOW_STATUS] = "STATUS",
		[SHOW_VERSIONS] = "VERSIONS",
		[SHOW_METRICS] = "METRICS",
		[SHOW_SCHEMA] = "SCHEMA",
		[SHOW_PROPERTIES] = "PROPERTIES",
		[SHOW_PARTITIONS] = "PARTITIONS",
		[SHOW_CONFIG] = "CONFIG",
		[SHOW_WATERMARKS] = "WATERMARKS",
	};

	buffer_printf(out, "SHOW %s", kinds[statement->show.kind]);
	if (statement->show.type.text.data != NULL) {
		put(out, " ");
		sql_print_name(out, &statement->show.type);
	}
	if (statement->show.name.text.data != NULL) {
		put(out, " ");
		sql_print_name(out, &statement->show.name);
	}
	if (statement->show.pattern.data != NULL) {
		put(out, " LIKE ");
		sql_print_string(out, statement->show.pattern);
	}
}

static void
print_unset(Buffer *out, const Statement *statement)
{
	put(out, "UNSET ");
	if (statement->unset.key.data == NULL)
		put(out, "ALL");
	else
		sql_print_string(out, statement->unset.key);
}

static void
print_strategy(Buffer *out, const Statement *statement)
{
	const Expr *percent = statement->job.percent;

	switch (statement->job.strategy) {
	case DEPLOY_BLUE_GREEN:
		put(out, " STRATEGY BLUE_GREEN");
		return;
	case DEPLOY_ROLLING:
		put(out, " STRATEGY ROLLING");
		return;
	case DEPLOY_REPLACE:
		put(out, " STRATEGY REPLACE");
		return;
	case DEPLOY_CANARY:
		put(out, " STRATEGY CANARY");
		/* A parenthesised operand stands where only a tight expression may. */
		buffer_append_str(out, percent->kind <= EXPR_COLUMN ? STR("(") : STR("(("));
		sql_print_expr(out, percent);
		buffer_append_str(out, percent->kind <= EXPR_COLUMN ? STR(")") : STR("))"));
		return;
	}
}

static void
print_job(Buffer *out, const Statement *statement)
{
	static const char *const verbs[] = {
		[STATEMENT_START] = "START",   [STATEMENT_STOP] = "STOP",
		[STATEMENT_PAUSE] = "PAUSE",   [STATEMENT_RESUME] = "RESUME",
		[STATEMENT_DEPLOY] = "DEPLOY", [STATEMENT_ROLLBACK] = "ROLLBACK",
	};

	buffer_printf(out, "%s JOB ", verbs[statement->kind]);
	sql_print_name(out, &statement->job.name);
	if (statement->job.force)
		put(out, " FORCE");
	if (statement->job.version.data != NULL) {
		put(out, " VERSION ");
		sql_print_string(out, statement->job.version);
	}
	if (statement->job.statement != NULL) {
		put(out, " AS ");
		sql_print_statement(out, statement->job.statement);
	}
	sql_print_options(out, &statement->job.options);
	if (statement->kind == STATEMENT_DEPLOY)
		print_strategy(out, statement);
}

void
sql_print_statement(Buffer *out, const Statement *statement)
{
	switch (statement->kind) {
	case STATEMENT_CREATE:
		print_create(out, statement);
		return;
	case STATEMENT_DROP:
		buffer_printf(out, "DROP %s%s", objects[statement->drop.object],
			      statement->drop.if_exists ? "IF EXISTS " : "");
		sql_print_name(out, &statement->drop.name);
		return;
	case STATEMENT_INSERT:
		print_insert(out, statement);
		return;
	case STATEMENT_UPDATE:
		print_update(out, statement);
		return;
	case STATEMENT_DELETE:
		put(out, "DELETE FROM ");
		sql_print_name(out, &statement->delete_from.name);
		print_where(out, statement->delete_from.where);
		return;
	case STATEMENT_QUERY:
		sql_print_query(out, statement->query);
		return;
	case STATEMENT_SHOW:
		print_show(out, statement);
		return;
	case STATEMENT_DESCRIBE:
		put(out, "DESCRIBE ");
		if (statement->describe.extended)
			put(out, "EXTENDED ");
		sql_print_name(out, &statement->describe.name);
		return;
	case STATEMENT_EXPLAIN:
		put(out, "EXPLAIN ");
		if (statement->explain.analyze)
			put(out, "ANALYZE ");
		sql_print_statement(out, statement->explain.statement);
		return;
	case STATEMENT_SET:
		put(out, "SET ");
		sql_print_string(out, statement->set.option.key);
		put(out, " = ");
		print_option_value(out, &statement->set.option);
		return;
	case STATEMENT_UNSET:
		print_unset(out, statement);
		return;
	case STATEMENT_REPLAY:
		put(out, "REPLAY DLQ ");
		sql_print_string(out, statement->replay.topic);
		put(out, " INTO ");
		sql_print_name(out, &statement->replay.into);
		return;
	case STATEMENT_START:
	case STATEMENT_STOP:
	case STATEMENT_PAUSE:
	case STATEMENT_RESUME:
	case STATEMENT_DEPLOY:
	case STATEMENT_ROLLBACK:
		print_job(out, statement);
		return;
	}
}
