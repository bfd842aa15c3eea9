/* sql/print_expr.c -- names, types and expressions as SQL text. */
#include "sql/print.h"

#include "sql/lexer.h"

#define put(out, text) buffer_append_str((out), STR(text))

/* ---------------------------------------------------------------- names and literals */

static void
print_quoted(Buffer *out, Str text, char quote)
{
	buffer_append_char(out, quote);
	for (uint32_t i = 0; i < text.len; i++) {
		if (text.data[i] == quote)
			buffer_append_char(out, quote);
		buffer_append_char(out, text.data[i]);
	}
	buffer_append_char(out, quote);
}

void
sql_print_string(Buffer *out, Str value)
{
	print_quoted(out, value, '\'');
}

void
sql_print_name(Buffer *out, const Name *name)
{
	if (name->quoted)
		print_quoted(out, name->text, '"');
	else
		buffer_append_str(out, name->text);
}

void
sql_print_names(Buffer *out, const NameList *names)
{
	for (uint32_t i = 0; i < names->count; i++) {
		if (i > 0)
			put(out, ", ");
		sql_print_name(out, &names->items[i]);
	}
}

/* A column of one part that is spelt like the beginning of something else is quoted. */
static void
print_column(Buffer *out, const NameList *column)
{
	for (uint32_t i = 0; i < column->count; i++) {
		Name name = column->items[i];

		if (i > 0)
			buffer_append_char(out, '.');
		switch (name.quoted || column->count > 1 ? KEYWORD_NONE : keyword_find(name.text)) {
		case KEYWORD_ARRAY:
		case KEYWORD_MAP:
		case KEYWORD_INTERVAL:
		case KEYWORD_BOTH:
		case KEYWORD_LEADING:
		case KEYWORD_TRAILING:
		case KEYWORD_SYMMETRIC:
		case KEYWORD_UNBOUNDED:
		case KEYWORD_CURRENT:
			name.quoted = true;
			break;
		default:
			break;
		}
		sql_print_name(out, &name);
	}
}

/* A calling name that is spelt like an operator or clause is quoted. */
static void
print_call_name(Buffer *out, Name name)
{
	switch (name.quoted ? KEYWORD_NONE : keyword_find(name.text)) {
	case KEYWORD_ANY:
	case KEYWORD_SOME:
	case KEYWORD_ROLLUP:
	case KEYWORD_CUBE:
	case KEYWORD_DESCRIPTOR:
		name.quoted = true;
		break;
	default:
		break;
	}
	sql_print_name(out, &name);
}

static void
print_part(Buffer *out, int64_t count, const char *unit, bool *any)
{
	if (count == 0)
		return;
	buffer_printf(out, "%s%lld %s", *any ? " " : "", (long long)count, unit);
	*any = true;
}

/* INTERVAL '5' MINUTE, or INTERVAL '1 MONTH 2 DAY' when it has several parts. */
static void
print_interval(Buffer *out, const IntervalValue *value)
{
	static const struct {
		const char *name;
		int64_t micros;
	} units[] = {
		{"HOUR", INT64_C(3600000000)}, {"MINUTE", 60000000}, {"SECOND", 1000000},
		{"MILLISECOND", 1000},         {"MICROSECOND", 1},
	};
	int64_t micros = value->micros;
	unsigned unit = 0;
	bool any = false;

	while (micros % units[unit].micros != 0)
		unit++;
	micros /= units[unit].micros;
	if ((value->months != 0) + (value->days != 0) + (micros != 0) > 1) {
		put(out, "INTERVAL '");
		print_part(out, value->months, "MONTH", &any);
		print_part(out, value->days, "DAY", &any);
		print_part(out, micros, units[unit].name, &any);
		put(out, "'");
		return;
	}
	buffer_printf(out, "INTERVAL '%lld' %s", (long long)(value->months + value->days + micros),
		      value->months != 0 ? "MONTH"
		      : value->days != 0 ? "DAY"
		      : micros == 0      ? "SECOND"
					 : units[unit].name);
}

/* ---------------------------------------------------------------- types */

void
sql_print_type(Buffer *out, const TypeName *type)
{
	Str first = type->name.text, rest = {"", 0};

	/* TIMESTAMP(3) WITH TIME ZONE: the digits stand behind the first word. */
	for (uint32_t i = 0; i < first.len && !type->name.quoted; i++) {
		if (first.data[i] == ' ' && str_ends_with(first, STR("TIME ZONE"))) {
			rest = str_skip(first, i);
			first.len = i;
		}
	}
	sql_print_name(out, &(Name){.text = first, .quoted = type->name.quoted});
	for (uint32_t i = 0; i < type->number_count; i++)
		buffer_printf(out, "%s%.*s", i == 0 ? "(" : ", ", STR_ARG(type->numbers[i]));
	if (type->number_count > 0)
		put(out, ")");
	buffer_append_str(out, rest);
	for (uint32_t i = 0; i < type->arg_count; i++) {
		buffer_append_str(out, i == 0 ? STR("<") : STR(", "));
		sql_print_type(out, type->args[i]);
	}
	for (uint32_t i = 0; i < type->field_count; i++) {
		buffer_append_str(out, i == 0 ? STR("<") : STR(", "));
		sql_print_name(out, &type->fields[i].name);
		put(out, " ");
		sql_print_type(out, type->fields[i].type);
		if (type->fields[i].not_null)
			put(out, " NOT NULL");
	}
	if (type->arg_count + type->field_count > 0)
		put(out, ">");
}

/* ---------------------------------------------------------------- precedence */

/* The levels of sql/parse_expr.c, loosest first. */
typedef enum Level {
	LEVEL_OR,
	LEVEL_AND,
	LEVEL_NOT,
	LEVEL_IS,
	LEVEL_COMPARISON,
	LEVEL_PREDICATE,
	LEVEL_ADDITIVE,
	LEVEL_MULTIPLICATIVE,
	LEVEL_UNARY,
	LEVEL_POSTFIX,
} Level;

static const struct {
	Str text;
	Level level;
} operators[] = {
	[BINARY_ADD] = {{"+", 1}, LEVEL_ADDITIVE},
	[BINARY_SUBTRACT] = {{"-", 1}, LEVEL_ADDITIVE},
	[BINARY_MULTIPLY] = {{"*", 1}, LEVEL_MULTIPLICATIVE},
	[BINARY_DIVIDE] = {{"/", 1}, LEVEL_MULTIPLICATIVE},
	[BINARY_REMAINDER] = {{"%", 1}, LEVEL_MULTIPLICATIVE},
	[BINARY_CONCAT] = {{"||", 2}, LEVEL_ADDITIVE},
	[BINARY_EQUAL] = {{"=", 1}, LEVEL_COMPARISON},
	[BINARY_NOT_EQUAL] = {{"<>", 2}, LEVEL_COMPARISON},
	[BINARY_LESS] = {{"<", 1}, LEVEL_COMPARISON},
	[BINARY_LESS_EQUAL] = {{"<=", 2}, LEVEL_COMPARISON},
	[BINARY_GREATER] = {{">", 1}, LEVEL_COMPARISON},
	[BINARY_GREATER_EQUAL] = {{">=", 2}, LEVEL_COMPARISON},
	[BINARY_DISTINCT] = {{"IS DISTINCT FROM", 16}, LEVEL_IS},
	[BINARY_NOT_DISTINCT] = {{"IS NOT DISTINCT FROM", 20}, LEVEL_IS},
};

static Level
expr_level(const Expr *expr)
{
	switch (expr->kind) {
	case EXPR_OR:
		return LEVEL_OR;
	case EXPR_AND:
		return LEVEL_AND;
	case EXPR_UNARY:
		return expr->unary.op == UNARY_NOT ? LEVEL_NOT : LEVEL_UNARY;
	case EXPR_IS:
		return LEVEL_IS;
	case EXPR_BINARY:
		return operators[expr->binary.op].level;
	case EXPR_QUANTIFIED:
		return LEVEL_COMPARISON;
	case EXPR_BETWEEN:
	case EXPR_IN_LIST:
	case EXPR_IN_QUERY:
	case EXPR_LIKE:
		return LEVEL_PREDICATE;
	default:
		return LEVEL_POSTFIX;
	}
}

static void print_node(Buffer *out, const Expr *expr);

/* In parentheses if it binds looser than `level`. */
static void
print_at(Buffer *out, const Expr *expr, Level level)
{
	bool parentheses = expr_level(expr) < level;

	if (parentheses)
		put(out, "(");
	print_node(out, expr);
	if (parentheses)
		put(out, ")");
}

void
sql_print_expr(Buffer *out, const Expr *expr)
{
	print_at(out, expr, LEVEL_OR);
}

void
sql_print_exprs(Buffer *out, const ExprList *list)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (i > 0)
			put(out, ", ");
		sql_print_expr(out, list->items[i]);
	}
}

/* ---------------------------------------------------------------- function calls */

void
sql_print_order(Buffer *out, const OrderList *order)
{
	for (uint32_t i = 0; i < order->count; i++) {
		const OrderItem *item = &order->items[i];

		buffer_append_str(out, i == 0 ? STR("ORDER BY ") : STR(", "));
		sql_print_expr(out, item->expr);
		if (item->descending)
			put(out, " DESC");
		if (item->nulls != NULLS_ORDER_DEFAULT)
			buffer_append_str(out, item->nulls == NULLS_ORDER_FIRST
						       ? STR(" NULLS FIRST")
						       : STR(" NULLS LAST"));
	}
}

static void
print_bound(Buffer *out, const FrameBound *bound)
{
	switch (bound->kind) {
	case FRAME_UNBOUNDED_PRECEDING:
		put(out, "UNBOUNDED PRECEDING");
		return;
	case FRAME_UNBOUNDED_FOLLOWING:
		put(out, "UNBOUNDED FOLLOWING");
		return;
	case FRAME_CURRENT_ROW:
		put(out, "CURRENT ROW");
		return;
	case FRAME_PRECEDING:
	case FRAME_FOLLOWING:
		print_at(out, bound->offset, LEVEL_ADDITIVE);
		buffer_append_str(out, bound->kind == FRAME_PRECEDING ? STR(" PRECEDING")
								      : STR(" FOLLOWING"));
	}
}

/* Two parts of a window specification are parted by a blank. */
static void
separate(Buffer *out, size_t start)
{
	if (out->len > start)
		put(out, " ");
}

void
sql_print_window_spec(Buffer *out, const WindowSpec *spec)
{
	static const char *const units[] = {
		[FRAME_ROWS] = "ROWS", [FRAME_RANGE] = "RANGE", [FRAME_GROUPS] = "GROUPS"};

	put(out, "(");
	size_t start = out->len;
	if (spec->buffer_rows != NULL)
		buffer_printf(out, "ROWS WINDOW BUFFER %.*s ROWS",
			      STR_ARG(spec->buffer_rows->literal));
	if (spec->base.text.data != NULL) {
		separate(out, start);
		sql_print_name(out, &spec->base);
	}
	if (spec->partition.count > 0) {
		separate(out, start);
		put(out, "PARTITION BY ");
		sql_print_exprs(out, &spec->partition);
	}
	if (spec->order.count > 0) {
		separate(out, start);
		sql_print_order(out, &spec->order);
	}
	if (spec->unit != FRAME_NONE) {
		separate(out, start);
		buffer_printf(out, "%s BETWEEN ", units[spec->unit]);
		print_bound(out, &spec->start);
		put(out, " AND ");
		print_bound(out, &spec->end);
	}
	if (spec->emit != EMIT_DEFAULT) {
		separate(out, start);
		buffer_append_str(out, spec->emit == EMIT_FINAL ? STR("EMIT FINAL")
								: STR("EMIT CHANGES"));
	}
	if (spec->expire != EXPIRE_DEFAULT) {
		separate(out, start);
		put(out, "EXPIRE AFTER ");
		if (spec->expire == EXPIRE_NEVER)
			put(out, "NEVER");
		else
			sql_print_expr(out, spec->expire_after);
	}
	put(out, ")");
}

static void
print_arguments(Buffer *out, const FunctionCall *call)
{
	/* The first argument of POSITION must not swallow an IN. */
	Level level = str_eq_nocase(call->name.text, STR("POSITION")) ? LEVEL_ADDITIVE : LEVEL_OR;

	if (call->distinct)
		put(out, "DISTINCT ");
	if (call->star)
		put(out, "*");
	for (uint32_t i = 0; i < call->arg_count; i++) {
		if (i > 0)
			put(out, ", ");
		if (call->args[i].name.text.data != NULL) {
			sql_print_name(out, &call->args[i].name);
			put(out, " => ");
		}
		print_at(out, call->args[i].value, i == 0 ? level : LEVEL_OR);
	}
	if (call->order.count > 0)
		put(out, " ");
	sql_print_order(out, &call->order);
}

static void
print_function(Buffer *out, const FunctionCall *call)
{
	print_call_name(out, call->name);
	if (!call->bare) {
		put(out, "(");
		print_arguments(out, call);
		put(out, ")");
	}
	if (call->nulls != NULLS_DEFAULT)
		buffer_append_str(out, call->nulls == NULLS_IGNORE ? STR(" IGNORE NULLS")
								   : STR(" RESPECT NULLS"));
	if (call->within_group.count > 0) {
		put(out, " WITHIN GROUP (");
		sql_print_order(out, &call->within_group);
		put(out, ")");
	}
	if (call->filter != NULL) {
		put(out, " FILTER (WHERE ");
		sql_print_expr(out, call->filter);
		put(out, ")");
	}
	if (call->over == NULL)
		return;
	put(out, " OVER ");
	if (call->over->is_reference)
		sql_print_name(out, &call->over->base);
	else
		sql_print_window_spec(out, call->over);
}

/* ---------------------------------------------------------------- nodes */

static void
print_query_in_parentheses(Buffer *out, const Query *query)
{
	put(out, "(");
	sql_print_query(out, query);
	put(out, ")");
}

static void
print_chain(Buffer *out, const ExprList *list, Str word, Level level)
{
	for (uint32_t i = 0; i < list->count; i++) {
		if (i > 0)
			buffer_append_str(out, word);
		print_at(out, list->items[i], level);
	}
}

static void
print_unary(Buffer *out, const Expr *expr)
{
	const Expr *operand = expr->unary.operand;

	switch (expr->unary.op) {
	case UNARY_NOT:
		put(out, "NOT ");
		print_at(out, operand, LEVEL_NOT);
		return;
	case UNARY_PLUS:
		put(out, "+");
		break;
	case UNARY_MINUS:
		put(out, "-");
		break;
	}
	if (operand->kind == EXPR_UNARY) /* two minus signs would begin a comment */
		put(out, " ");
	print_at(out, operand, LEVEL_UNARY);
}

static void
print_binary(Buffer *out, const Expr *expr)
{
	Level level = operators[expr->binary.op].level;
	/* Comparisons do not chain, all others associate to the left. */
	Level left = level == LEVEL_COMPARISON ? LEVEL_PREDICATE : level;

	print_at(out, expr->binary.left, left);
	put(out, " ");
	buffer_append_str(out, operators[expr->binary.op].text);
	put(out, " ");
	print_at(out, expr->binary.right, level + 1);
}

static void
print_predicate(Buffer *out, const Expr *expr)
{
	static const char *const likes[] = {
		[LIKE_LIKE] = "LIKE",
		[LIKE_ILIKE] = "ILIKE",
		[LIKE_SIMILAR] = "SIMILAR TO",
		[LIKE_REGEXP] = "REGEXP",
	};

	switch (expr->kind) {
	case EXPR_BETWEEN:
		print_at(out, expr->between.operand, LEVEL_ADDITIVE);
		buffer_printf(out, "%s BETWEEN %s", expr->between.negated ? " NOT" : "",
			      expr->between.symmetric ? "SYMMETRIC " : "");
		print_at(out, expr->between.low, LEVEL_ADDITIVE);
		put(out, " AND ");
		print_at(out, expr->between.high, LEVEL_ADDITIVE);
		return;
	case EXPR_IN_LIST:
		print_at(out, expr->in_list.operand, LEVEL_ADDITIVE);
		buffer_printf(out, "%s IN (", expr->in_list.negated ? " NOT" : "");
		sql_print_exprs(out, &expr->in_list.list);
		put(out, ")");
		return;
	case EXPR_IN_QUERY:
		print_at(out, expr->in_query.operand, LEVEL_ADDITIVE);
		buffer_printf(out, "%s IN ", expr->in_query.negated ? " NOT" : "");
		print_query_in_parentheses(out, expr->in_query.query);
		return;
	default:
		print_at(out, expr->like.operand, LEVEL_ADDITIVE);
		buffer_printf(out, "%s %s ", expr->like.negated ? " NOT" : "",
			      likes[expr->like.kind]);
		print_at(out, expr->like.pattern, LEVEL_ADDITIVE);
		if (expr->like.escape == NULL)
			return;
		put(out, " ESCAPE ");
		print_at(out, expr->like.escape, LEVEL_ADDITIVE);
	}
}

static void
print_case(Buffer *out, const Expr *expr)
{
	put(out, "CASE");
	if (expr->case_when.operand != NULL) {
		put(out, " ");
		sql_print_expr(out, expr->case_when.operand);
	}
	for (uint32_t i = 0; i < expr->case_when.when_count; i++) {
		put(out, " WHEN ");
		sql_print_expr(out, expr->case_when.whens[i].when);
		put(out, " THEN ");
		sql_print_expr(out, expr->case_when.whens[i].then);
	}
	if (expr->case_when.otherwise != NULL) {
		put(out, " ELSE ");
		sql_print_expr(out, expr->case_when.otherwise);
	}
	put(out, " END");
}

static void
print_quantified(Buffer *out, const Expr *expr)
{
	print_at(out, expr->quantified.left, LEVEL_PREDICATE);
	buffer_printf(out, " %.*s %s", STR_ARG(operators[expr->quantified.op].text),
		      expr->quantified.all ? "ALL " : "ANY ");
	if (expr->quantified.query != NULL) {
		print_query_in_parentheses(out, expr->quantified.query);
		return;
	}
	put(out, "(");
	sql_print_expr(out, expr->quantified.array);
	put(out, ")");
}

/* .name behind anything but a call would be read as part of a column or number. */
static void
print_field(Buffer *out, const Expr *expr)
{
	ExprKind kind = expr->field.operand->kind;
	bool safe = kind == EXPR_FUNCTION || kind == EXPR_SUBSCRIPT || kind == EXPR_FIELD;

	if (!safe)
		put(out, "(");
	print_node(out, expr->field.operand);
	buffer_append_str(out, safe ? STR(".") : STR(")."));
	sql_print_name(out, &expr->field.name);
}

static void
print_is(Buffer *out, const Expr *expr)
{
	static const char *const tests[] = {[IS_NULL] = "NULL",
					    [IS_TRUE] = "TRUE",
					    [IS_FALSE] = "FALSE",
					    [IS_UNKNOWN] = "UNKNOWN"};

	print_at(out, expr->is.operand, LEVEL_IS);
	buffer_printf(out, " IS %s%s", expr->is.negated ? "NOT " : "", tests[expr->is.test]);
}

static void
print_list(Buffer *out, const char *open, const ExprList *list, const char *close)
{
	buffer_printf(out, "%s", open);
	sql_print_exprs(out, list);
	buffer_printf(out, "%s", close);
}

static void
print_cast(Buffer *out, const Expr *expr)
{
	buffer_append_str(out, expr->cast.is_try ? STR("TRY_CAST(") : STR("CAST("));
	sql_print_expr(out, expr->cast.operand);
	put(out, " AS ");
	sql_print_type(out, expr->cast.type);
	put(out, ")");
}

static void
print_typed(Buffer *out, const Expr *expr)
{
	static const char *const kinds[] = {
		[TYPED_DATE] = "DATE ", [TYPED_TIME] = "TIME ", [TYPED_TIMESTAMP] = "TIMESTAMP "};

	buffer_printf(out, "%s", kinds[expr->typed.kind]);
	sql_print_string(out, expr->typed.value);
}

/* What has no operands; false if `expr` has some. */
static bool
print_leaf(Buffer *out, const Expr *expr)
{
	switch (expr->kind) {
	case EXPR_NULL:
		put(out, "NULL");
		return true;
	case EXPR_BOOLEAN:
		buffer_append_str(out, expr->boolean ? STR("TRUE") : STR("FALSE"));
		return true;
	case EXPR_INTEGER:
	case EXPR_DECIMAL:
	case EXPR_DOUBLE:
		buffer_append_str(out, expr->literal);
		return true;
	case EXPR_STRING:
		sql_print_string(out, expr->literal);
		return true;
	case EXPR_INTERVAL:
		print_interval(out, &expr->interval);
		return true;
	case EXPR_TYPED:
		print_typed(out, expr);
		return true;
	case EXPR_COLUMN:
		print_column(out, &expr->column);
		return true;
	case EXPR_STAR:
		print_column(out, &expr->column);
		buffer_append_str(out, expr->column.count > 0 ? STR(".*") : STR("*"));
		return true;
	default:
		return false;
	}
}

static void
print_operation(Buffer *out, const Expr *expr)
{
	switch (expr->kind) {
	case EXPR_UNARY:
		print_unary(out, expr);
		return;
	case EXPR_BINARY:
		print_binary(out, expr);
		return;
	case EXPR_AND:
		print_chain(out, &expr->list, STR(" AND "), LEVEL_NOT);
		return;
	case EXPR_OR:
		print_chain(out, &expr->list, STR(" OR "), LEVEL_AND);
		return;
	case EXPR_IS:
		print_is(out, expr);
		return;
	case EXPR_CASE:
		print_case(out, expr);
		return;
	case EXPR_CAST:
		print_cast(out, expr);
		return;
	case EXPR_QUANTIFIED:
		print_quantified(out, expr);
		return;
	default:
		print_predicate(out, expr);
	}
}

static void
print_node(Buffer *out, const Expr *expr)
{
	switch (expr->kind) {
	case EXPR_TRY:
		print_list(out, "TRY(", &(ExprList){(Expr *[]){expr->operand}, 1}, ")");
		return;
	case EXPR_FUNCTION:
		print_function(out, &expr->function);
		return;
	case EXPR_ARRAY:
		print_list(out, "ARRAY[", &expr->list, "]");
		return;
	case EXPR_ROW:
		print_list(out, "ROW(", &expr->list, ")");
		return;
	case EXPR_SUBSCRIPT:
		print_at(out, expr->subscript.operand, LEVEL_POSTFIX);
		print_list(out, "[", &(ExprList){(Expr *[]){expr->subscript.index}, 1}, "]");
		return;
	case EXPR_FIELD:
		print_field(out, expr);
		return;
	case EXPR_EXISTS:
		put(out, "EXISTS ");
		print_query_in_parentheses(out, expr->query);
		return;
	case EXPR_SUBQUERY:
		print_query_in_parentheses(out, expr->query);
		return;
	default:
		if (!print_leaf(out, expr))
			print_operation(out, expr);
	}
}
