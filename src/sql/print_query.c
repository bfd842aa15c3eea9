/* sql/print_query.c -- relations and queries as SQL text. */
#include "sql/print.h"

#define put(out, text) buffer_append_str((out), STR(text))

static void print_relation(Buffer *out, const Relation *relation);

static void
print_nested(Buffer *out, const Query *query)
{
	put(out, "(");
	sql_print_query(out, query);
	put(out, ")");
}

static void
print_clause(Buffer *out, const char *words, const Expr *expr)
{
	if (expr == NULL)
		return;
	buffer_printf(out, " %s ", words);
	sql_print_expr(out, expr);
}

/* additive positions take looser expressions in parentheses only */
static void
print_tight(Buffer *out, const char *words, const Expr *expr)
{
	bool loose;

	if (expr == NULL)
		return;
	switch (expr->kind) {
	case EXPR_OR:
	case EXPR_AND:
	case EXPR_IS:
	case EXPR_BETWEEN:
	case EXPR_IN_LIST:
	case EXPR_IN_QUERY:
	case EXPR_LIKE:
	case EXPR_QUANTIFIED:
		loose = true;
		break;
	case EXPR_UNARY:
		loose = expr->unary.op == UNARY_NOT;
		break;
	case EXPR_BINARY:
		loose = expr->binary.op >= BINARY_EQUAL;
		break;
	default:
		loose = false;
	}
	buffer_printf(out, "%s%s", words, loose ? "(" : "");
	sql_print_expr(out, expr);
	if (loose)
		put(out, ")");
}

/* ---------------------------------------------------------------- relations */

/* What could begin with a subquery is put in parentheses, or it would be read as a table. */
static void
print_argument_expr(Buffer *out, const Expr *expr)
{
	bool plain = expr->kind <= EXPR_COLUMN || expr->kind == EXPR_FUNCTION;

	buffer_append_str(out, plain ? STR("") : STR("("));
	sql_print_expr(out, expr);
	buffer_append_str(out, plain ? STR("") : STR(")"));
}

static void
print_table_partition(Buffer *out, const ExprList *partition)
{
	if (partition->count == 0)
		return;
	put(out, " PARTITION BY ");
	if (partition->count > 1)
		put(out, "ROW(");
	sql_print_exprs(out, partition);
	if (partition->count > 1)
		put(out, ")");
}

static void
print_table_argument(Buffer *out, const TableArgument *argument)
{
	if (argument->name.text.data != NULL) {
		sql_print_name(out, &argument->name);
		put(out, " => ");
	}
	switch (argument->kind) {
	case ARGUMENT_EXPR:
		print_argument_expr(out, argument->expr);
		break;
	case ARGUMENT_TABLE:
		put(out, "TABLE ");
		sql_print_name(out, &argument->table);
		print_table_partition(out, &argument->partition);
		break;
	case ARGUMENT_QUERY:
		put(out, "TABLE ");
		print_nested(out, argument->query);
		print_table_partition(out, &argument->partition);
		break;
	case ARGUMENT_DESCRIPTOR:
		put(out, "DESCRIPTOR(");
		sql_print_names(out, &argument->columns);
		put(out, ")");
		break;
	}
}

static void
print_table_function(Buffer *out, const Relation *relation)
{
	if (relation->function.in_table)
		put(out, "TABLE(");
	sql_print_name(out, &relation->function.name);
	put(out, "(");
	for (uint32_t i = 0; i < relation->function.arg_count; i++) {
		if (i > 0)
			put(out, ", ");
		print_table_argument(out, &relation->function.args[i]);
	}
	put(out, ")");
	if (relation->function.in_table)
		put(out, ")");
}

static void
print_within(Buffer *out, const Relation *join)
{
	const Expr *before = join->join.within_before, *after = join->join.within_after;

	if (before == NULL)
		return;
	if (before == after) {
		print_clause(out, "WITHIN", before);
	} else {
		put(out, " WITHIN (");
		sql_print_expr(out, before);
		put(out, ", ");
		sql_print_expr(out, after);
		put(out, ")");
	}
	print_clause(out, "GRACE PERIOD", join->join.grace);
}

static void
print_join(Buffer *out, const Relation *join)
{
	static const char *const kinds[] = {
		[JOIN_INNER] = "",       [JOIN_LEFT] = "LEFT ", [JOIN_RIGHT] = "RIGHT ",
		[JOIN_FULL] = "FULL ",   [JOIN_SEMI] = "SEMI ", [JOIN_ANTI] = "ANTI ",
		[JOIN_CROSS] = "CROSS ",
	};
	const Relation *right = join->join.right;

	print_relation(out, join->join.left);
	buffer_printf(out, " %s%s%sJOIN ", join->join.natural ? "NATURAL " : "",
		      join->join.asof ? "ASOF " : "", kinds[join->join.kind]);
	if (right->kind == RELATION_JOIN)
		put(out, "(");
	print_relation(out, right);
	if (right->kind == RELATION_JOIN)
		put(out, ")");
	print_within(out, join);
	print_clause(out, "ON", join->join.on);
	if (join->join.using_columns.count > 0) {
		put(out, " USING (");
		sql_print_names(out, &join->join.using_columns);
		put(out, ")");
	}
}

static void
print_relation(Buffer *out, const Relation *relation)
{
	/* In parentheses a WITH list cannot be mistaken for that of the query. */
	bool parentheses = relation->options.position.line > 0;

	if (parentheses)
		put(out, "(");
	if (relation->lateral)
		put(out, "LATERAL ");
	switch (relation->kind) {
	case RELATION_NAME:
		sql_print_name(out, &relation->name);
		break;
	case RELATION_URI:
		sql_print_string(out, relation->name.text);
		break;
	case RELATION_QUERY:
		print_nested(out, relation->query);
		break;
	case RELATION_LATE:
		put(out, "LATE");
		print_nested(out, relation->query);
		break;
	case RELATION_FUNCTION:
		print_table_function(out, relation);
		break;
	case RELATION_UNNEST:
		put(out, "UNNEST(");
		sql_print_exprs(out, &relation->unnest.arrays);
		put(out, ")");
		if (relation->unnest.with_ordinality)
			put(out, " WITH ORDINALITY");
		break;
	case RELATION_JOIN:
		print_join(out, relation);
		return;
	}
	print_tight(out, " FOR SYSTEM_TIME AS OF ", relation->as_of);
	if (relation->alias.text.data != NULL) {
		put(out, " AS ");
		sql_print_name(out, &relation->alias);
	}
	if (relation->column_aliases.count > 0) {
		put(out, "(");
		sql_print_names(out, &relation->column_aliases);
		put(out, ")");
	}
	sql_print_options(out, &relation->options);
	if (parentheses)
		put(out, ")");
}

/* ---------------------------------------------------------------- SELECT */

static void
print_items(Buffer *out, const Select *select)
{
	for (uint32_t i = 0; i < select->item_count; i++) {
		const SelectItem *item = &select->items[i];

		if (i > 0)
			put(out, ", ");
		sql_print_expr(out, item->expr);
		if (item->primary_key)
			put(out, " PRIMARY KEY");
		if (item->alias.text.data != NULL) {
			put(out, " AS ");
			sql_print_name(out, &item->alias);
		}
	}
}

static void
print_group_set(Buffer *out, const ExprList *set)
{
	if (set->count != 1)
		put(out, "(");
	sql_print_exprs(out, set);
	if (set->count != 1)
		put(out, ")");
}

static void
print_groups(Buffer *out, const Select *select)
{
	static const char *const kinds[] = {
		[GROUP_EXPR] = "",
		[GROUP_SETS] = "GROUPING SETS (",
		[GROUP_ROLLUP] = "ROLLUP(",
		[GROUP_CUBE] = "CUBE(",
	};

	for (uint32_t i = 0; i < select->group_count; i++) {
		const GroupItem *item = &select->groups[i];

		buffer_printf(out, "%s%s", i == 0 ? " GROUP BY " : ", ", kinds[item->kind]);
		for (uint32_t j = 0; j < item->set_count; j++) {
			if (j > 0)
				put(out, ", ");
			print_group_set(out, &item->sets[j]);
		}
		if (item->kind != GROUP_EXPR)
			put(out, ")");
	}
}

static void
print_stream_window(Buffer *out, const Select *select)
{
	static const char *const kinds[] = {
		[WINDOW_TUMBLING] = "TUMBLING",
		[WINDOW_SLIDING] = "SLIDING",
		[WINDOW_SESSION] = "SESSION",
		[WINDOW_CUMULATE] = "CUMULATE",
	};
	const WindowClause *window = &select->window;
	bool cumulate = window->kind == WINDOW_CUMULATE;

	if (window->kind == WINDOW_NONE)
		return;
	buffer_printf(out, " WINDOW %s(", kinds[window->kind]);
	if (window->time != NULL) {
		/* Anything but a column could begin like a duration. */
		bool column = window->time->kind == EXPR_COLUMN;

		buffer_append_str(out, column ? STR("") : STR("("));
		sql_print_expr(out, window->time);
		buffer_append_str(out, column ? STR(", ") : STR("), "));
	}
	sql_print_expr(out, cumulate ? window->advance : window->size);
	if (window->advance != NULL) {
		put(out, ", ");
		sql_print_expr(out, cumulate ? window->size : window->advance);
	}
	if (window->keys.count > 0)
		put(out, ", ");
	sql_print_exprs(out, &window->keys);
	put(out, ")");
	print_clause(out, "GRACE PERIOD", select->grace);
}

static void
print_select(Buffer *out, const Select *select)
{
	put(out, "SELECT ");
	if (select->distinct)
		put(out, "DISTINCT ");
	if (select->distinct_on.count > 0) {
		put(out, "ON (");
		sql_print_exprs(out, &select->distinct_on);
		put(out, ") ");
	}
	print_items(out, select);
	if (select->from != NULL) {
		put(out, " FROM ");
		print_relation(out, select->from);
	}
	print_clause(out, "WHERE", select->where);
	print_groups(out, select);
	print_clause(out, "HAVING", select->having);
	print_stream_window(out, select);
	for (uint32_t i = 0; i < select->named_window_count; i++) {
		buffer_append_str(out, i == 0 ? STR(" WINDOW ") : STR(", "));
		sql_print_name(out, &select->named_windows[i].name);
		put(out, " AS ");
		sql_print_window_spec(out, select->named_windows[i].spec);
	}
	print_clause(out, "QUALIFY", select->qualify);
}

/* ---------------------------------------------------------------- queries */

static void
print_body(Buffer *out, const QueryBody *body)
{
	static const char *const ops[] = {
		[SET_UNION] = "UNION", [SET_INTERSECT] = "INTERSECT", [SET_EXCEPT] = "EXCEPT"};

	switch (body->kind) {
	case BODY_SELECT:
		print_select(out, &body->select);
		return;
	case BODY_VALUES:
		for (uint32_t i = 0; i < body->values.count; i++) {
			buffer_append_str(out, i == 0 ? STR("VALUES (") : STR(", ("));
			sql_print_exprs(out, &body->values.rows[i]);
			put(out, ")");
		}
		return;
	case BODY_SET:
		print_body(out, body->set.left);
		buffer_printf(out, " %s%s ", ops[body->set.op], body->set.all ? " ALL" : "");
		print_body(out, body->set.right);
		return;
	case BODY_QUERY:
		print_nested(out, body->query);
		return;
	}
}

static void
print_ctes(Buffer *out, const Query *query)
{
	for (uint32_t i = 0; i < query->cte_count; i++) {
		const Cte *cte = &query->ctes[i];

		buffer_append_str(out, i > 0              ? STR(", ")
				       : query->recursive ? STR("WITH RECURSIVE ")
							  : STR("WITH "));
		sql_print_name(out, &cte->name);
		if (cte->columns.count > 0) {
			put(out, "(");
			sql_print_names(out, &cte->columns);
			put(out, ")");
		}
		put(out, " AS ");
		print_nested(out, cte->query);
	}
	if (query->cte_count > 0)
		put(out, " ");
}

/* Is it just another query in parentheses? */
static bool
is_bare(const Query *query)
{
	return query->body->kind == BODY_QUERY && query->cte_count == 0 &&
	       query->order.count == 0 && query->limit == NULL && query->offset == NULL &&
	       query->emit == EMIT_DEFAULT && query->into.name.text.data == NULL &&
	       query->options.position.line == 0;
}

void
sql_print_query(Buffer *out, const Query *query)
{
	while (is_bare(query))
		query = query->body->query;

	const QueryBody *body = query->body;
	print_ctes(out, query);
	print_body(out, body);
	if (query->order.count > 0)
		put(out, " ");
	sql_print_order(out, &query->order);
	print_tight(out, " LIMIT ", query->limit);
	print_tight(out, " OFFSET ", query->offset);
	if (query->emit != EMIT_DEFAULT)
		buffer_append_str(out, query->emit == EMIT_FINAL ? STR(" EMIT FINAL")
								 : STR(" EMIT CHANGES"));
	/* With a window it was printed behind that. */
	if (body->kind == BODY_SELECT && body->select.window.kind == WINDOW_NONE)
		print_clause(out, "GRACE PERIOD", body->select.grace);
	if (query->into.name.text.data != NULL) {
		put(out, " INTO ");
		sql_print_target(out, &query->into);
	}
	sql_print_options(out, &query->options);
}
