/* plan/slots.c -- which expressions a node of a plan has. */
#include "plan/slots.h"

static void
add_slots(Slots *slots, BoundExpr **exprs, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (exprs[i] != NULL)
			slots->items[slots->count++] = &exprs[i];
}

static void
add_over_slots(Arena *arena, Slots *slots, PlanNode *node)
{
	uint32_t count =
		node->over.left_count + node->over.partition_count + node->over.order_count + 2;

	for (uint32_t i = 0; i < node->over.call_count; i++)
		count += 5 + (node->over.calls[i].aggregate != NULL
				      ? node->over.calls[i].aggregate->arg_count + 2
				      : 0);
	slots->items = ARENA_ARRAY(arena, BoundExpr **, count);
	add_slots(slots, node->over.left, node->over.left_count);
	add_slots(slots, node->over.partition, node->over.partition_count);
	add_slots(slots, &node->over.idle, 1);
	add_slots(slots, &node->over.number, 1);
	for (uint32_t i = 0; i < node->over.order_count; i++)
		add_slots(slots, &node->over.order[i].expr, 1);
	for (uint32_t i = 0; i < node->over.call_count; i++) {
		OverCall *call = &node->over.calls[i];

		add_slots(slots, &call->value, 1);
		add_slots(slots, &call->otherwise, 1);
		add_slots(slots, &call->frame.key, 1);
		add_slots(slots, &call->frame.low, 1);
		add_slots(slots, &call->frame.high, 1);
		if (call->aggregate == NULL)
			continue;
		add_slots(slots, call->aggregate->args, call->aggregate->arg_count);
		add_slots(slots, &call->aggregate->filter, 1);
		add_slots(slots, &call->aggregate->order, 1);
	}
}

static void
add_lookup_slots(Arena *arena, Slots *slots, PlanNode *node)
{
	uint32_t count = node->lookup.left_count;

	for (uint32_t i = 0; i < node->lookup.call_count; i++)
		count += lookup_arg_count(&node->lookup.calls[i]);
	slots->items = ARENA_ARRAY(arena, BoundExpr **, count);
	add_slots(slots, node->lookup.left, node->lookup.left_count);
	for (uint32_t i = 0; i < node->lookup.call_count; i++) {
		Lookup *call = &node->lookup.calls[i];

		add_slots(slots, call->args, lookup_arg_count(call));
	}
}

static void
add_aggregate_slots(Arena *arena, Slots *slots, PlanNode *node)
{
	uint32_t count = node->aggregate.key_count + 1;

	for (uint32_t i = 0; i < node->aggregate.call_count; i++)
		count += node->aggregate.calls[i]->arg_count + 2;
	slots->items = ARENA_ARRAY(arena, BoundExpr **, count);
	add_slots(slots, node->aggregate.keys, node->aggregate.key_count);
	add_slots(slots, &node->aggregate.window.time, 1);
	for (uint32_t i = 0; i < node->aggregate.call_count; i++) {
		AggregateCall *call = node->aggregate.calls[i];

		add_slots(slots, call->args, call->arg_count);
		add_slots(slots, &call->filter, 1);
		add_slots(slots, &call->order, 1);
	}
}

Slots
slots_of(Arena *arena, PlanNode *node)
{
	Slots slots = {0};

	switch (node->kind) {
	case PLAN_FILTER:
		slots.items = ARENA_ARRAY(arena, BoundExpr **, node->filter.count);
		add_slots(&slots, node->filter.conjuncts, node->filter.count);
		break;
	case PLAN_PROJECT:
		slots.items = ARENA_ARRAY(arena, BoundExpr **, node->schema.count);
		add_slots(&slots, node->project.exprs, node->schema.count);
		break;
	case PLAN_WATERMARK:
		slots.items = ARENA_ARRAY(arena, BoundExpr **, 1);
		add_slots(&slots, &node->watermark.expr, 1);
		break;
	case PLAN_AGGREGATE:
		add_aggregate_slots(arena, &slots, node);
		break;
	case PLAN_JOIN:
		slots.items = ARENA_ARRAY(arena, BoundExpr **,
					  node->join.key_count + node->join.left_count);
		add_slots(&slots, node->join.keys, node->join.key_count);
		add_slots(&slots, node->join.left, node->join.left_count);
		break;
	case PLAN_OVER:
		add_over_slots(arena, &slots, node);
		break;
	case PLAN_LATE:
		return slots_of(arena, node->late.window);
	case PLAN_WINDOW:
		slots.items = ARENA_ARRAY(arena, BoundExpr **, node->window.left_count + 1);
		add_slots(&slots, node->window.left, node->window.left_count);
		add_slots(&slots, &node->window.plan.time, 1);
		break;
	case PLAN_UNNEST:
		slots.items = ARENA_ARRAY(arena, BoundExpr **,
					  node->unnest.left_count + node->unnest.array_count);
		add_slots(&slots, node->unnest.left, node->unnest.left_count);
		add_slots(&slots, node->unnest.arrays, node->unnest.array_count);
		break;
	case PLAN_TABLE:
		slots.items = ARENA_ARRAY(arena, BoundExpr **,
					  node->table.left_count + node->table.key_count + 1);
		add_slots(&slots, node->table.left, node->table.left_count);
		add_slots(&slots, node->table.keys, node->table.key_count);
		add_slots(&slots, &node->table.deleted, 1);
		break;
	case PLAN_LOOKUP:
		add_lookup_slots(arena, &slots, node);
		break;
	case PLAN_SORT:
		slots.items = ARENA_ARRAY(arena, BoundExpr **, node->sort.count);
		for (uint32_t i = 0; i < node->sort.count; i++)
			add_slots(&slots, &node->sort.keys[i].expr, 1);
		break;
	case PLAN_SCAN:
	case PLAN_LIMIT:
	case PLAN_DISTINCT:
	case PLAN_UNION:
	case PLAN_SET:
	case PLAN_STREAM_JOIN:
	case PLAN_VERSIONED_JOIN:
		break;
	}
	return slots;
}
