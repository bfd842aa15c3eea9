/* plan/bind_set.c -- UNION, INTERSECT, EXCEPT.
 *
 * The columns of both sides meet by place; their names are the left side's, their types the common
 * ones.  UNION ALL hands on the rows of both sides as they come; UNION leaves out rows that were
 * there before.  INTERSECT and EXCEPT compare whole rows (exec/op_set.c). */
#include "plan/bind.h"

/* One side as a query of its own, with the options of the whole. */
static Status
bind_side(Binder *binder, const CteScope *ctes, const Query *query, QueryBody *body, PlanNode **out)
{
	Query *side = ARENA_NEW(binder->arena, Query);

	*side = (Query){.depth = query->depth,
			.position = body->position,
			.text = body->text,
			.body = body,
			.emit = query->emit,
			.emit_position = query->emit_position};
	return bind_nested(binder, ctes, side, out);
}

/* A Project over the side with the columns' common types. */
static Status
convert_side(Binder *binder, const Schema *schema, Position at, PlanNode **side)
{
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	const Schema *from = &(*side)->schema;

	*project =
		(PlanNode){.kind = PLAN_PROJECT, .input = *side, .position = at, .schema = *schema};
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, schema->count);
	project->project.key = ARENA_ARRAY(binder->arena, bool, schema->count);
	for (uint32_t i = 0; i < schema->count; i++)
		TRY(bound_cast(binder->arena,
			       bound_column(binder->arena, i, from->fields[i].type,
					    from->fields[i].name, at),
			       schema->fields[i].type, CAST_IMPLICIT, &project->project.exprs[i],
			       binder->err));
	*side = project;
	return FERRIS_OK;
}

static Status
common_schema(Binder *binder, const QueryBody *body, const Schema *left, const Schema *right,
	      Schema *out)
{
	if (left->count != right->count)
		return error_set_at(binder->err, FERRIS_ERR_ARGUMENTS, body->set.op_position,
				    "the left side has %u columns, the right side %u", left->count,
				    right->count);
	*out = (Schema){ARENA_ARRAY(binder->arena, Field, left->count), left->count};
	for (uint32_t i = 0; i < left->count; i++) {
		const Field *a = &left->fields[i];
		const Field *b = &right->fields[i];
		const Type *type = type_common(binder->arena, a->type, b->type);

		if (type == NULL)
			return error_set_at(binder->err, FERRIS_ERR_TYPE, body->set.right->position,
					    "column %u is %.*s on the left and %.*s on the right",
					    i + 1, STR_ARG(type_text(binder->arena, a->type)),
					    STR_ARG(type_text(binder->arena, b->type)));
		out->fields[i] = (Field){a->name, type, a->not_null && b->not_null};
	}
	return FERRIS_OK;
}

/* Whether what the node keeps grows for ever; EXCEPT without an end is refused. */
static Status
judge_endless(Binder *binder, PlanNode *node)
{
	bool left = !plan_is_bounded(node->inputs[0]);
	bool right = !plan_is_bounded(node->inputs[1]);

	node->set.endless = node->set.op == SET_INTERSECT ? left && right : left && !node->set.all;
	if (node->set.op == SET_INTERSECT || !right)
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, node->position,
		     "EXCEPT knows what the right side does not have when that ends, and this one "
		     "does not");
	return error_hint(binder->err,
			  "put a source that ends on the right; for streams, join them "
			  "within a time: LEFT ANTI JOIN ... WITHIN 1 HOUR ON ...");
}

Status
bind_set_operation(Binder *binder, const CteScope *ctes, const Query *query, PlanNode **out)
{
	const QueryBody *body = query->body;
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	Schema schema;

	node->kind = body->set.op == SET_UNION ? PLAN_UNION : PLAN_SET;
	node->position = body->set.op_position;
	node->inputs = ARENA_ARRAY(binder->arena, PlanNode *, 2);
	node->input_count = 2;
	TRY(bind_side(binder, ctes, query, body->set.left, &node->inputs[0]));
	TRY(bind_side(binder, ctes, query, body->set.right, &node->inputs[1]));
	TRY(common_schema(binder, body, &node->inputs[0]->schema, &node->inputs[1]->schema,
			  &schema));
	for (uint32_t i = 0; i < 2; i++)
		TRY(convert_side(binder, &schema, body->set.op_position, &node->inputs[i]));
	node->schema = schema;
	*out = node;
	if (node->kind == PLAN_SET) {
		node->set.op = body->set.op;
		node->set.all = body->set.all;
		return judge_endless(binder, node);
	}
	if (body->set.all)
		return FERRIS_OK;
	*out = ARENA_NEW(binder->arena, PlanNode);
	**out = (PlanNode){.kind = PLAN_DISTINCT,
			   .position = body->set.op_position,
			   .input = node,
			   .schema = schema};
	return FERRIS_OK;
}
