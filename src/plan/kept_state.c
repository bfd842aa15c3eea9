/* plan/kept_state.c -- the operators of a plan that keep state, numbered as exec/pipeline.c does.
 */
#include "plan/kept_state.h"

/* Counts up when the form of some operator's records changes. */
#define STATE_FORMAT 2

#define TEXT_LIMIT ((size_t)16 << 20)

/* ---------------------------------------------------------------- types */

static void
add_type(Arena *arena, Buffer *out, const Type *type)
{
	buffer_append_char(out, ' ');
	buffer_append_str(out, type_text(arena, type));
}

static void
add_schema(Arena *arena, Buffer *out, const Schema *schema)
{
	buffer_append_char(out, '\n');
	for (uint32_t i = 0; i < schema->count; i++)
		add_type(arena, out, schema->fields[i].type);
}

static void
add_exprs(Arena *arena, Buffer *out, BoundExpr *const *exprs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (exprs[i] != NULL)
			add_type(arena, out, exprs[i]->type);
}

static void
add_call(Arena *arena, Buffer *out, const AggregateCall *call)
{
	add_exprs(arena, out, call->args, call->arg_count);
	add_exprs(arena, out, &call->order, 1);
}

static void
add_window(Arena *arena, Buffer *out, const WindowPlan *window)
{
	if (window->shape == SHAPE_NONE)
		return;
	buffer_printf(out, " window %lld %lld %lld %d", (long long)window->size,
		      (long long)window->advance, (long long)window->offset, window->of_rows);
	add_exprs(arena, out, &window->time, 1);
}

static void
add_aggregate(Arena *arena, Buffer *out, const PlanNode *node)
{
	add_window(arena, out, &node->aggregate.window);
	for (uint32_t i = 0; i < node->aggregate.call_count; i++)
		add_call(arena, out, node->aggregate.calls[i]);
	for (uint32_t i = 0; i < node->aggregate.set_count; i++)
		buffer_printf(out, " set %llx", (unsigned long long)node->aggregate.sets[i]);
	buffer_printf(out, " %d %d", node->aggregate.retracts, node->aggregate.before);
}

static void
add_keys(Arena *arena, Buffer *out, const OverKey *keys, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		add_exprs(arena, out, &keys[i].expr, 1);
}

static void
add_over(Arena *arena, Buffer *out, const PlanNode *node)
{
	add_exprs(arena, out, node->over.partition, node->over.partition_count);
	add_keys(arena, out, node->over.order, node->over.order_count);
	for (uint32_t i = 0; i < node->over.call_count; i++) {
		const OverCall *call = &node->over.calls[i];

		add_exprs(arena, out, &call->value, 1);
		if (call->aggregate != NULL)
			add_call(arena, out, call->aggregate);
	}
	buffer_printf(out, " %d %d", node->over.numbered, node->over.number_read);
}

static void
add_own(Arena *arena, Buffer *out, const PlanNode *node)
{
	switch (node->kind) {
	case PLAN_WATERMARK:
		add_exprs(arena, out, &node->watermark.expr, 1);
		break;
	case PLAN_AGGREGATE:
		add_aggregate(arena, out, node);
		break;
	case PLAN_LATE:
		add_own(arena, out, node->late.window);
		break;
	case PLAN_OVER:
		add_over(arena, out, node);
		break;
	case PLAN_SORT:
		add_keys(arena, out, node->sort.keys, node->sort.count);
		break;
	case PLAN_TABLE:
		add_exprs(arena, out, node->table.keys, node->table.key_count);
		break;
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
		buffer_printf(out, " %u %d %d", node->stream_join.key_count,
			      node->stream_join.timed, node->stream_join.changes);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------- shapes */

static bool
keeps(const PlanNode *node)
{
	switch (node->kind) {
	case PLAN_WATERMARK:
	case PLAN_AGGREGATE:
	case PLAN_LATE:
	case PLAN_OVER:
	case PLAN_DISTINCT:
	case PLAN_SORT:
	case PLAN_LIMIT:
	case PLAN_UNION:
	case PLAN_SET:
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
	case PLAN_TABLE:
		return true;
	case PLAN_SCAN:
	case PLAN_FILTER:
	case PLAN_PROJECT:
	case PLAN_JOIN:
	case PLAN_UNNEST:
	case PLAN_WINDOW:
	case PLAN_LOOKUP:
		break;
	}
	return false;
}

static void
add_sources(Buffer *out, const PlanNode *node)
{
	for (; node != NULL; node = node->input) {
		if (node->kind == PLAN_SCAN)
			buffer_printf(out, " %.*s", STR_ARG(node->scan.endpoint->name));
		for (uint32_t i = 0; i < node->input_count; i++)
			add_sources(out, node->inputs[i]);
	}
}

static Str
taken(Arena *arena, Buffer *text)
{
	Str copy = str_copy(arena, (Str){text->data, (uint32_t)text->len});

	buffer_free(text);
	return copy;
}

static Str
shape_of(Arena *arena, const PlanNode *node, Str title)
{
	Buffer out;

	buffer_init(&out, TEXT_LIMIT);
	buffer_printf(&out, "%.*s\nof", STR_ARG(title));
	add_sources(&out, node);
	add_schema(arena, &out, &node->schema);
	for (uint32_t i = 0; i < node->input_count; i++)
		add_schema(arena, &out, &node->inputs[i]->schema);
	add_own(arena, &out, node);
	return taken(arena, &out);
}

/* Without the fields that are decoded: those for others do not matter here. */
static void
add_scan(Arena *arena, Buffer *out, const PlanNode *scan)
{
	buffer_printf(out, "Scan %.*s", STR_ARG(scan->scan.endpoint->name));
	for (uint32_t i = 0; i < scan->scan.predicate_count; i++)
		buffer_printf(out, " %.*s",
			      STR_ARG(bound_text(arena, scan->scan.predicate_exprs[i])));
}

static void
add_below(Arena *arena, Buffer *out, const PlanNode *node)
{
	for (; node != NULL; node = node->input) {
		if (node->kind == PLAN_SCAN)
			add_scan(arena, out, node);
		else
			buffer_append_str(out, plan_explain_node(arena, node));
		buffer_append_char(out, '\n');
		for (uint32_t i = 0; i < node->input_count; i++)
			add_below(arena, out, node->inputs[i]);
	}
}

Str
plan_state_input(Arena *arena, const KeptState *state)
{
	const PlanNode *node = state->node;
	Buffer out;

	buffer_init(&out, TEXT_LIMIT);
	add_below(arena, &out, node->input);
	for (uint32_t i = 0; i < node->input_count; i++)
		add_below(arena, &out, node->inputs[i]);
	return taken(arena, &out);
}

KeptState *
kept_states_add(Arena *arena, KeptStates *states)
{
	uint32_t n = states->count;

	if ((n & (n - 1)) == 0) { /* full at each power of two */
		KeptState *more = ARENA_ARRAY(arena, KeptState, n == 0 ? 1 : 2 * n);

		if (n > 0)
			memcpy(more, states->items, sizeof *more * n);
		states->items = more;
	}
	return &states->items[states->count++];
}

static void
add_state(Arena *arena, KeptStates *states, const PlanNode *node, uint32_t number)
{
	Str title = plan_explain_node(arena, node);

	*kept_states_add(arena, states) =
		(KeptState){number, title, shape_of(arena, node, title), node};
}

/* `*number` is that of the next operator; in the order of build_operators in exec/pipeline.c. */
static void
add_states(Arena *arena, KeptStates *states, const PlanNode *node, uint32_t *number)
{
	for (; node->kind != PLAN_SCAN; node = node->input) {
		if (keeps(node))
			add_state(arena, states, node, *number);
		++*number;
		for (uint32_t i = 0; i < node->input_count; i++)
			add_states(arena, states, node->inputs[i], number);
		if (node->input == NULL)
			return;
	}
}

KeptStates
plan_kept_states(Arena *arena, const StatementPlan *plan)
{
	const PlanNode *node = plan->root;
	KeptStates states = {0};
	uint32_t number = 1; /* 0 is the sink */

	if (node->kind == PLAN_LIMIT) /* the writer's */
		node = node->input;
	add_states(arena, &states, node, &number);
	return states;
}

uint64_t
plan_identity(Arena *arena, const StatementPlan *plan)
{
	KeptStates states = plan_kept_states(arena, plan);
	uint64_t identity = str_hash(plan_explain(arena, plan)) + STATE_FORMAT;

	for (uint32_t i = 0; i < states.count; i++)
		identity =
			identity * UINT64_C(0x9E3779B97F4A7C15) + str_hash(states.items[i].shape);
	return identity;
}

uint32_t *
plan_match_states(Arena *arena, const KeptStates *before, const KeptStates *now)
{
	uint32_t *matches = ARENA_ARRAY(arena, uint32_t, now->count + 1);
	bool *taken_over = ARENA_ARRAY(arena, bool, before->count + 1);

	for (uint32_t i = 0; i < now->count; i++) {
		matches[i] = UPGRADE_NONE;
		for (uint32_t k = 0; k < before->count && matches[i] == UPGRADE_NONE; k++)
			if (!taken_over[k] && str_eq(before->items[k].shape, now->items[i].shape)) {
				matches[i] = k;
				taken_over[k] = true;
			}
	}
	return matches;
}
