/* plan/explain.c -- a plan as text for people and as JSON for programs. */
#include "func/function.h"
#include "plan/effective.h"

#define EXPLAIN_LIMIT ((size_t)16 << 20)

/* ---------------------------------------------------------------- text */

static void
print_exprs(Arena *arena, Buffer *out, BoundExpr *const *exprs, uint32_t count, const char *between)
{
	for (uint32_t i = 0; i < count; i++)
		buffer_printf(out, "%s%.*s", i > 0 ? between : "",
			      STR_ARG(bound_text(arena, exprs[i])));
}

static void
print_scan(Arena *arena, Buffer *out, const PlanNode *scan, int indent)
{
	const Endpoint *endpoint = scan->scan.endpoint;
	uint32_t shown = 0;

	buffer_printf(out, "Scan %.*s (%s, %s)\n", STR_ARG(endpoint->name),
		      endpoint->connector->name, endpoint->codec->name);
	buffer_printf(out, "%*sdecodes: ", indent + 2, "");
	for (uint32_t i = 0; i < scan->scan.decode_count; i++) {
		const DecodeColumn *column = &scan->scan.decode[i];

		if (column->target == DECODE_NO_TARGET)
			continue;
		buffer_printf(out, "%s%.*s%s", shown++ > 0 ? ", " : "", STR_ARG(column->name),
			      column->form == FORM_TEXT ? " as text" : "");
	}
	buffer_printf(out, "%s of %u fields\n", shown == 0 ? "nothing" : "",
		      scan->scan.record->count);
	if (scan->scan.predicate_count > 0) {
		buffer_printf(out, "%*sskips a record unless: ", indent + 2, "");
		print_exprs(arena, out, scan->scan.predicate_exprs, scan->scan.predicate_count,
			    " AND ");
		buffer_append_char(out, '\n');
	}
}

static void
print_project(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Project "));
	for (uint32_t i = 0; i < node->schema.count; i++) {
		Str text = bound_text(arena, node->project.exprs[i]);
		Str name = node->schema.fields[i].name;

		buffer_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(text));
		if (!str_eq(text, name))
			buffer_printf(out, " AS %.*s", STR_ARG(name));
	}
	buffer_append_char(out, '\n');
}

static void
print_window(Arena *arena, Buffer *out, const WindowPlan *window)
{
	static const char *const shapes[] = {[SHAPE_NONE] = "",
					     [SHAPE_HOP] = "HOP",
					     [SHAPE_CUMULATE] = "CUMULATE",
					     [SHAPE_SESSION] = "SESSION"};

	buffer_printf(out, " %s(%.*s, %lld", shapes[window->shape],
		      STR_ARG(bound_text(arena, window->time)), (long long)window->size);
	if (window->advance != window->size)
		buffer_printf(out, ", %lld", (long long)window->advance);
	buffer_append_char(out, ')');
}

static void
print_aggregate(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Aggregate"));
	if (node->aggregate.key_count > 0) {
		buffer_append_str(out, STR(" by "));
		print_exprs(arena, out, node->aggregate.keys,
			    node->aggregate.key_count - node->aggregate.marker_count, ", ");
	}
	if (node->aggregate.set_count > 1)
		buffer_printf(out, " in %u grouping sets", node->aggregate.set_count);
	if (node->aggregate.window.shape != SHAPE_NONE)
		print_window(arena, out, &node->aggregate.window);
	buffer_append_str(out, STR(": "));
	for (uint32_t i = 0; i < node->aggregate.call_count; i++)
		buffer_printf(out, "%s%.*s", i > 0 ? ", " : "",
			      STR_ARG(node->aggregate.calls[i]->text));
	buffer_printf(out, " EMIT %s\n",
		      node->aggregate.emit == EMIT_ONCE_FINAL ? "FINAL" : "CHANGES");
}

static void
print_over(Arena *arena, Buffer *out, const PlanNode *node)
{
	static const char *const modes[] = {[OVER_ARRIVAL] = "in order of arrival",
					    [OVER_TIME] = "in order of event time",
					    [OVER_SORTED] = "sorted at the end",
					    [OVER_BATCHES] = "sorted when the window closes"};

	buffer_append_str(out, STR("Over"));
	if (node->over.partition_count > 0) {
		buffer_append_str(out, STR(" partition by "));
		print_exprs(arena, out, node->over.partition, node->over.partition_count, ", ");
	}
	for (uint32_t i = 0; i < node->over.order_count; i++)
		buffer_printf(out, "%s%.*s%s", i > 0 ? ", " : " order by ",
			      STR_ARG(bound_text(arena, node->over.order[i].expr)),
			      node->over.order[i].descending ? " DESC" : "");
	if (node->over.mode == OVER_TOP)
		buffer_printf(out, ", the first %llu kept: ", (unsigned long long)node->over.top);
	else
		buffer_printf(out, " %s: ", modes[node->over.mode]);
	for (uint32_t i = 0; i < node->over.call_count; i++)
		buffer_printf(out, "%s%.*s", i > 0 ? ", " : "", STR_ARG(node->over.calls[i].text));
	buffer_append_char(out, '\n');
}

/* What bounds the state of an Over node. */
static const char *
over_state(const PlanNode *node)
{
	switch (node->over.mode) {
	case OVER_TIME:
		return "rows until the watermark passes them, and the rows of open frames of each "
		       "partition";
	case OVER_ARRIVAL:
		return "the rows of open frames of each partition";
	case OVER_TOP:
		return "the first rows of each partition";
	case OVER_SORTED:
		return "all rows until the input ends";
	case OVER_BATCHES:
		return "the rows of one window";
	}
	return "";
}

static void print_node(Arena *arena, Buffer *out, const PlanNode *node, int indent);

static const char *const shape_names[] = {
	[SHAPE_INNER] = "",     [SHAPE_LEFT] = " LEFT", [SHAPE_RIGHT] = " RIGHT",
	[SHAPE_FULL] = " FULL", [SHAPE_SEMI] = " SEMI", [SHAPE_ANTI] = " ANTI",
};

static void
print_stream_join(Arena *arena, Buffer *out, const PlanNode *node)
{
	const PlanNode *left = node->inputs[0];
	const PlanNode *right = node->inputs[1];
	uint32_t keys = node->stream_join.key_count;

	buffer_printf(out, "StreamJoin%s", shape_names[node->stream_join.shape]);
	for (uint32_t i = 0; i < keys; i++)
		buffer_printf(out, "%s%.*s = %.*s", i > 0 ? " AND " : " on ",
			      STR_ARG(left->schema.fields[i].name),
			      STR_ARG(right->schema.fields[i].name));
	if (node->stream_join.timed)
		buffer_printf(out, "%s%.*s - %.*s from %lld to %lld", keys > 0 ? " AND " : " on ",
			      STR_ARG(right->schema.fields[keys].name),
			      STR_ARG(left->schema.fields[keys].name),
			      (long long)node->stream_join.low, (long long)node->stream_join.high);
	if (node->stream_join.residual != NULL)
		buffer_printf(out, " if %.*s",
			      STR_ARG(bound_text(arena, node->stream_join.residual)));
	buffer_append_char(out, '\n');
}

static void
print_versioned_join(Buffer *out, const PlanNode *node)
{
	static const char *const versions[] = {
		[VERSION_UP_TO] = ">=", [VERSION_BEFORE] = ">", [VERSION_FROM] = "<=",
		[VERSION_AFTER] = "<",  [VERSION_LATEST] = "",
	};
	const Field *left = node->inputs[0]->schema.fields;
	const Field *right = node->inputs[1]->schema.fields;
	uint32_t keys = node->stream_join.key_count;

	buffer_printf(out, "VersionedJoin%s", shape_names[node->stream_join.shape]);
	for (uint32_t i = 0; i < keys + node->stream_join.timed; i++)
		buffer_printf(out, "%s%.*s %s %.*s", i > 0 ? " AND " : " on ",
			      STR_ARG(left[i].name),
			      i < keys ? "=" : versions[node->stream_join.version],
			      STR_ARG(right[i].name));
	buffer_append_str(out, node->stream_join.timed ? STR("\n") : STR(" with the table\n"));
}

/* What a VersionedJoin keeps. */
static const char *
version_state(const PlanNode *node)
{
	switch (node->stream_join.version) {
	case VERSION_UP_TO:
	case VERSION_BEFORE:
		return "rows until the watermark of both sides passes them, and one row of the "
		       "right for each key";
	case VERSION_FROM:
	case VERSION_AFTER:
		return "rows until the watermark of both sides passes them, and those of the left "
		       "until a row of their key comes";
	case VERSION_LATEST:
		return "the last row of each key of the table";
	}
	return "";
}

static void
print_join(Arena *arena, Buffer *out, const PlanNode *node, int indent)
{
	buffer_printf(out, "Join%s", shape_names[node->join.shape]);
	for (uint32_t i = 0; i < node->join.key_count; i++)
		buffer_printf(out, "%s%.*s = %.*s", i > 0 ? " AND " : " on ",
			      STR_ARG(bound_text(arena, node->join.keys[i])),
			      STR_ARG(node->join.right->schema.fields[i].name));
	buffer_append_str(out, STR(" with the table"));
	if (node->join.residual != NULL)
		buffer_printf(out, " if %.*s", STR_ARG(bound_text(arena, node->join.residual)));
	buffer_append_char(out, '\n');
	print_node(arena, out, node->join.right, indent + 2);
}

static void
print_unnest(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, node->unnest.outer ? STR("Unnest LEFT ") : STR("Unnest "));
	print_exprs(arena, out, node->unnest.arrays, node->unnest.array_count, ", ");
	buffer_append_str(out, STR(" as "));
	for (uint32_t i = node->unnest.left_count; i < node->schema.count; i++)
		buffer_printf(out, "%s%.*s", i > node->unnest.left_count ? ", " : "",
			      STR_ARG(node->schema.fields[i].name));
	if (node->unnest.column_count == 0)
		buffer_append_str(out, STR("nothing"));
	buffer_append_char(out, '\n');
}

static void
print_lookup(Arena *arena, Buffer *out, const PlanNode *node, int indent)
{
	buffer_append_str(out, STR("Lookup\n"));
	for (uint32_t i = 0; i < node->lookup.call_count; i++) {
		const Lookup *call = &node->lookup.calls[i];

		buffer_printf(out, "%*s%.*s", indent + 2, "", STR_ARG(call->text));
		for (uint32_t k = 0; k < call->key_count; k++)
			buffer_printf(out, "%s%.*s = %.*s", k > 0 ? " AND " : " on ",
				      STR_ARG(bound_text(arena, call->args[k])),
				      STR_ARG(call->query->schema.fields[k].name));
		buffer_append_str(out, STR(" reads\n"));
		print_node(arena, out, call->query, indent + 4);
	}
}

static void
print_sort(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Sort by "));
	for (uint32_t i = 0; i < node->sort.count; i++) {
		const OverKey *key = &node->sort.keys[i];

		buffer_printf(out, "%s%.*s%s%s", i > 0 ? ", " : "",
			      STR_ARG(bound_text(arena, key->expr)), key->descending ? " DESC" : "",
			      key->nulls_first == key->descending ? ""
			      : key->nulls_first                  ? " NULLS FIRST"
								  : " NULLS LAST");
	}
	buffer_append_char(out, '\n');
}

static const char *const set_names[] = {
	[SET_UNION] = "Union", [SET_INTERSECT] = "Intersect", [SET_EXCEPT] = "Except"};

static void
print_filter(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Filter "));
	print_exprs(arena, out, node->filter.conjuncts, node->filter.count, " AND ");
	buffer_append_char(out, '\n');
}

static void
print_late(Arena *arena, Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Late rows of "));
	if (node->late.window->kind == PLAN_OVER)
		print_over(arena, out, node->late.window);
	else
		print_aggregate(arena, out, node->late.window);
}

static void
print_limit(Buffer *out, const PlanNode *node)
{
	buffer_append_str(out, STR("Limit"));
	if (node->limit.count != INT64_MAX)
		buffer_printf(out, " %lld", (long long)node->limit.count);
	if (node->limit.offset > 0)
		buffer_printf(out, " offset %lld", (long long)node->limit.offset);
	buffer_append_char(out, '\n');
}

/* The node without its inputs. */
static void
print_itself(Arena *arena, Buffer *out, const PlanNode *node, int indent)
{
	buffer_printf(out, "%*s", indent, "");
	switch (node->kind) {
	case PLAN_SCAN:
		print_scan(arena, out, node, indent);
		break;
	case PLAN_FILTER:
		print_filter(arena, out, node);
		break;
	case PLAN_PROJECT:
		print_project(arena, out, node);
		break;
	case PLAN_WATERMARK:
		buffer_printf(out, "Watermark %.*s\n",
			      STR_ARG(bound_text(arena, node->watermark.expr)));
		break;
	case PLAN_AGGREGATE:
		print_aggregate(arena, out, node);
		break;
	case PLAN_LATE:
		print_late(arena, out, node);
		break;
	case PLAN_JOIN:
		print_join(arena, out, node, indent);
		break;
	case PLAN_OVER:
		print_over(arena, out, node);
		break;
	case PLAN_WINDOW:
		buffer_append_str(out, STR("Window"));
		print_window(arena, out, &node->window.plan);
		buffer_append_char(out, '\n');
		break;
	case PLAN_UNNEST:
		print_unnest(arena, out, node);
		break;
	case PLAN_STREAM_JOIN:
		print_stream_join(arena, out, node);
		break;
	case PLAN_TABLE:
		buffer_append_str(out, STR("Table by "));
		print_exprs(arena, out, node->table.keys, node->table.key_count, ", ");
		buffer_append_str(out, node->table.final ? STR(", at its end\n") : STR("\n"));
		break;
	case PLAN_VERSIONED_JOIN:
		print_versioned_join(out, node);
		break;
	case PLAN_UNION:
		buffer_append_str(out, STR("Union\n"));
		break;
	case PLAN_SET:
		buffer_printf(out, "%s%s\n", set_names[node->set.op], node->set.all ? " ALL" : "");
		break;
	case PLAN_LOOKUP:
		print_lookup(arena, out, node, indent);
		break;
	case PLAN_DISTINCT:
		buffer_append_str(out, STR("Distinct\n"));
		break;
	case PLAN_SORT:
		print_sort(arena, out, node);
		break;
	case PLAN_LIMIT:
		print_limit(out, node);
		break;
	}
}

Str
plan_explain_node(Arena *arena, const PlanNode *node)
{
	Buffer out;

	buffer_init(&out, EXPLAIN_LIMIT);
	print_itself(arena, &out, node, 0);
	Str text = str_copy(arena, str_trim((Str){out.data, (uint32_t)out.len}));
	buffer_free(&out);
	return text;
}

static void
print_node(Arena *arena, Buffer *out, const PlanNode *node, int indent)
{
	print_itself(arena, out, node, indent);
	if (node->input != NULL)
		print_node(arena, out, node->input, indent + 2);
	for (uint32_t i = 0; i < node->input_count; i++)
		print_node(arena, out, node->inputs[i], indent + 2);
}

/* What the operator keeps, and what bounds it; returns whether it keeps anything. */
static bool
print_node_state(Buffer *out, const PlanNode *node)
{
	switch (node->kind) {
	case PLAN_JOIN:
		buffer_append_str(out, STR("    state: Join keeps the table\n"));
		return true;
	case PLAN_TABLE:
		buffer_append_str(out, STR("    state: Table keeps the row of each key\n"));
		return true;
	case PLAN_STREAM_JOIN:
		buffer_printf(out, "    state: StreamJoin keeps the rows of both sides until %s\n",
			      node->stream_join.changes ? "they are taken back"
			      : node->stream_join.timed
				      ? "the watermark of the other passes what they can meet"
				      : "the other ends");
		return true;
	case PLAN_SET:
		buffer_printf(out,
			      "    state: %s keeps the rows of both sides and how often they "
			      "came\n",
			      set_names[node->set.op]);
		return true;
	case PLAN_LOOKUP:
		buffer_append_str(out, STR("    state: Lookup keeps the rows of its subqueries\n"));
		return true;
	case PLAN_VERSIONED_JOIN:
		buffer_printf(out, "    state: VersionedJoin keeps %s\n", version_state(node));
		return true;
	case PLAN_OVER:
		buffer_printf(out, "    state: Over keeps %s\n", over_state(node));
		return true;
	case PLAN_LATE:
		if (node->late.window->kind != PLAN_AGGREGATE ||
		    node->late.window->aggregate.window.shape != SHAPE_SESSION)
			return false;
		buffer_append_str(out, STR("    state: Late keeps the open sessions\n"));
		return true;
	case PLAN_DISTINCT:
		buffer_append_str(out, STR("    state: Distinct keeps the rows it has put out\n"));
		return true;
	case PLAN_SORT:
		if (node->sort.keep == INT64_MAX)
			buffer_append_str(out, STR("    state: Sort keeps all rows until the input "
						   "ends\n"));
		else
			buffer_printf(out, "    state: Sort keeps the first %lld rows\n",
				      (long long)node->sort.keep);
		return true;
	case PLAN_AGGREGATE:
		buffer_printf(out, "    state: Aggregate keeps its groups%s\n",
			      node->aggregate.window.shape != SHAPE_NONE
				      ? " until the watermark passes their window"
				      : "; as many as there are keys");
		return true;
	default:
		return false;
	}
}

static bool
print_state(Buffer *out, const PlanNode *node)
{
	bool any = false;

	for (; node != NULL; node = node->input) {
		any = print_node_state(out, node) || any;
		for (uint32_t i = 0; i < node->input_count; i++)
			any = print_state(out, node->inputs[i]) || any;
	}
	return any;
}

Str
plan_explain(Arena *arena, const StatementPlan *plan)
{
	Buffer out;

	buffer_init(&out, EXPLAIN_LIMIT);
	buffer_printf(&out, "%.*s\n  Sink %.*s (%s, %s)", STR_ARG(plan->name),
		      STR_ARG(plan->sink->name), plan->sink->connector->name,
		      plan->sink->codec->name);
	for (uint32_t i = 0; i < plan->key_count; i++)
		buffer_printf(&out, "%s%.*s", i == 0 ? " key " : ", ",
			      STR_ARG(plan->root->schema.fields[plan->key_columns[i]].name));
	for (uint32_t i = 0; i < plan->header_count; i++)
		buffer_printf(&out, ", %s header %.*s",
			      plan->headers[i].removed ? "removes" : "sets",
			      STR_ARG(plan->headers[i].name));
	buffer_append_char(&out, '\n');
	print_node(arena, &out, plan->root, 4);
	if (!print_state(&out, plan->root))
		buffer_append_str(&out, STR("    state: none\n"));
	Str text = str_copy(arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return text;
}

/* ---------------------------------------------------------------- JSON */

typedef struct OptionPrinter {
	Buffer *out;
	uint32_t count;
} OptionPrinter;

static void
print_option(void *context, const EffectiveOption *option)
{
	OptionPrinter *printer = context;
	Buffer *out = printer->out;

	buffer_printf(out, "%s{\"scope\":\"%s\",\"object\":", printer->count++ > 0 ? "," : "",
		      option->scope);
	buffer_append_json(out, option->object);
	buffer_printf(out, ",\"connector\":\"%s\",\"name\":", option->connector);
	buffer_append_json(out, effective_bare_name(option));
	buffer_append_str(out, STR(",\"value\":"));
	buffer_append_json(out, option->value);
	bool is_place = strcmp(option->origin, ORIGIN_SET) == 0 ||
			strcmp(option->origin, ORIGIN_COMMAND_LINE) == 0;
	buffer_printf(out, ",\"origin\":\"%s\"", is_place ? ORIGIN_USER : option->origin);
	if (is_place)
		buffer_printf(out, ",\"place\":\"%s\"", option->origin);
	if (option->reason.data != NULL) {
		buffer_append_str(out, STR(",\"reason\":"));
		buffer_append_json(out, option->reason);
	}
	buffer_append_char(out, '}');
}

void
plan_options_json(const StatementPlan *plan, bool all, Buffer *out)
{
	OptionPrinter printer = {.out = out};

	buffer_append_char(out, '[');
	effective_statement(plan, all, print_option, &printer);
	buffer_append_char(out, ']');
}

Str
plan_explain_json(Arena *arena, const ScriptPlan *plan)
{
	Buffer out;

	buffer_init(&out, EXPLAIN_LIMIT);
	buffer_append_str(&out, STR("{\"statements\":["));
	for (uint32_t i = 0; i < plan->count; i++) {
		const StatementPlan *statement = plan->items[i];

		buffer_printf(&out, "%s{\"name\":", i > 0 ? "," : "");
		buffer_append_json(&out, statement->name);
		buffer_append_str(&out, STR(",\"plan\":{\"text\":"));
		buffer_append_json(&out, plan_explain(arena, statement));
		buffer_append_str(&out, STR("},\"options\":"));
		plan_options_json(statement, true, &out);
		buffer_append_char(&out, '}');
	}
	buffer_append_str(&out, STR("]}"));
	Str text = str_copy(arena, (Str){out.data, (uint32_t)out.len});
	buffer_free(&out);
	return text;
}
