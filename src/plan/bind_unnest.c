/* plan/bind_unnest.c -- UNNEST: the elements of arrays and maps as rows.
 *
 * UNNEST stands alone in FROM, over constants, or on the right of a join, over the columns of the
 * left side.  Its columns are the elements; those of an ARRAY<STRUCT> are the struct's fields,
 * those of a MAP are key and value. */
#include "plan/bind.h"

/* The columns of the node while they are collected. */
typedef struct Elements {
	PlanNode *node;
	Field *fields;
	uint32_t capacity;
	const NameList *names; /* AS u(a, b) */
} Elements;

static void
add_element(Binder *binder, Elements *elements, UnnestColumn column, Str name, const Type *type)
{
	PlanNode *node = elements->node;
	uint32_t at = node->unnest.column_count;

	if (at == elements->capacity) {
		uint32_t capacity = at > 0 ? at * 2 : 16;
		UnnestColumn *columns = ARENA_ARRAY(binder->arena, UnnestColumn, capacity);
		Field *fields = ARENA_ARRAY(binder->arena, Field, capacity);

		if (at > 0) {
			memcpy(columns, node->unnest.columns, sizeof *columns * at);
			memcpy(fields, elements->fields, sizeof *fields * at);
		}
		node->unnest.columns = columns;
		elements->fields = fields;
		elements->capacity = capacity;
	}
	if (at < elements->names->count)
		name = elements->names->items[at].text;
	node->unnest.columns[at] = column;
	elements->fields[at] = (Field){.name = name, .type = type};
	node->unnest.column_count++;
}

static Status
add_array(Binder *binder, Elements *elements, Scope *scope, const Expr *expr, Str name)
{
	PlanNode *node = elements->node;
	uint32_t array = node->unnest.array_count;
	BoundExpr *bound;

	TRY(bind_expr(binder, scope, expr, &bound));
	node->unnest.arrays[node->unnest.array_count++] = bound;
	const Type *type = bound->type;
	if (type->kind == TYPE_MAP) {
		add_element(binder, elements, (UnnestColumn){array, 0, -1}, STR("key"),
			    type->fields[0].type);
		add_element(binder, elements, (UnnestColumn){array, 1, -1}, STR("value"),
			    type->fields[1].type);
		return FERRIS_OK;
	}
	if (type->kind != TYPE_ARRAY) {
		error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			     "UNNEST takes an ARRAY or a MAP, not %.*s",
			     STR_ARG(type_text(binder->arena, type)));
		return error_hint(binder->err, "UNNEST(ARRAY[1, 2]), UNNEST(t.items)");
	}
	const Type *element = type->fields[0].type;
	if (element->kind != TYPE_STRUCT) {
		add_element(binder, elements, (UnnestColumn){array, 0, -1}, name, element);
		return FERRIS_OK;
	}
	for (uint32_t i = 0; i < element->field_count; i++)
		add_element(binder, elements, (UnnestColumn){array, 0, (int32_t)i},
			    element->fields[i].name, element->fields[i].type);
	return FERRIS_OK;
}

/* Columns of the input, as they are. */
static void
pass_columns(Binder *binder, PlanNode *node, const Schema *input)
{
	node->unnest.left = ARENA_ARRAY(binder->arena, BoundExpr *, input->count);
	node->unnest.left_count = input->count;
	for (uint32_t i = 0; i < input->count; i++)
		node->unnest.left[i] = bound_column(binder->arena, i, input->fields[i].type,
						    input->fields[i].name, node->position);
}

/* The input's columns, then the elements'; a field may be missing, so nothing is NOT NULL. */
static void
finish_schema(Binder *binder, PlanNode *node, const Elements *elements)
{
	const Schema *input = &node->input->schema;
	uint32_t count = input->count + node->unnest.column_count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);

	for (uint32_t i = 0; i < input->count; i++)
		fields[i] = input->fields[i];
	for (uint32_t i = 0; i < node->unnest.column_count; i++)
		fields[input->count + i] = elements->fields[i];
	node->schema = (Schema){fields, count};
}

static void
add_to_scope(Binder *binder, const PlanNode *node, const Scope *left, Str qualifier, Scope *out)
{
	Scope scope = *left;

	/* HEADER('k') would widen a scan behind the node's back. */
	scope.scan = NULL;
	scope.columns =
		ARENA_ARRAY(binder->arena, ScopeColumn, left->count + node->unnest.column_count);
	if (left->count > 0)
		memcpy(scope.columns, left->columns, sizeof *scope.columns * left->count);
	for (uint32_t i = node->unnest.left_count; i < node->schema.count; i++)
		scope.columns[scope.count++] = (ScopeColumn){
			.qualifier = qualifier,
			.name = node->schema.fields[i].name,
			.type = node->schema.fields[i].type,
			.index = i,
		};
	*out = scope;
}

/* The node over `input`, whose columns `left` names. */
static Status
unnest_over(Binder *binder, const Relation *relation, bool outer, PlanNode *input,
	    const Scope *left, PlanNode **out, Scope *scope)
{
	const ExprList *arrays = &relation->unnest.arrays;
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	Elements elements = {.node = node, .names = &relation->column_aliases};
	bool named = relation->alias.text.data != NULL;
	Str qualifier = named ? relation->alias.text : STR("unnest");
	Scope names = *left;

	*node = (PlanNode){.kind = PLAN_UNNEST, .input = input, .position = relation->position};
	node->unnest.outer = outer;
	node->unnest.arrays = ARENA_ARRAY(binder->arena, BoundExpr *, arrays->count);
	pass_columns(binder, node, &input->schema);
	names.what = "UNNEST";
	names.scan = NULL;
	for (uint32_t i = 0; i < arrays->count; i++)
		TRY(add_array(binder, &elements, &names, arrays->items[i],
			      arrays->count == 1 ? qualifier
						 : str_format(binder->arena, "%.*s_%u",
							      STR_ARG(qualifier), i + 1)));
	if (relation->unnest.with_ordinality)
		add_element(binder, &elements, (UnnestColumn){.array = UNNEST_ORDINALITY},
			    STR("ordinality"), TYPE_OF(BIGINT));
	TRY(check_names(binder, &relation->column_aliases, node->unnest.column_count));
	finish_schema(binder, node, &elements);
	add_to_scope(binder, node, left, qualifier, scope);
	*out = node;
	return FERRIS_OK;
}

Status
bind_unnest(Binder *binder, const Relation *relation, PlanNode **out, Scope *scope)
{
	PlanNode *row;
	Scope none;

	TRY(bind_one_row(binder, relation->position, &row, &none));
	return unnest_over(binder, relation, false, row, &none, out, scope);
}

static Status
refuse_join(Binder *binder, const Relation *relation)
{
	const Relation *right = relation->join.right;
	JoinKind kind = relation->join.kind;

	if (right->as_of == NULL && !relation->join.asof && !relation->join.natural &&
	    relation->join.using_columns.count == 0 && relation->join.within_after == NULL &&
	    (kind == JOIN_INNER || kind == JOIN_CROSS || kind == JOIN_LEFT))
		return FERRIS_OK;
	error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, relation->join.position,
		     "UNNEST is joined by CROSS JOIN, by JOIN with a condition or by LEFT JOIN ON "
		     "TRUE");
	return error_hint(binder->err, "FROM t CROSS JOIN UNNEST(t.items) AS u(item)");
}

Status
bind_unnest_join(Binder *binder, const Relation *relation, PlanNode *left, const Scope *left_scope,
		 PlanNode **out, Scope *scope)
{
	const Expr *on = relation->join.on;
	bool outer = relation->join.kind == JOIN_LEFT;
	bool always = on == NULL || (on->kind == EXPR_BOOLEAN && on->boolean);
	BoundExpr *predicate;

	TRY(refuse_join(binder, relation));
	TRY(unnest_over(binder, relation->join.right, outer, left, left_scope, out, scope));
	if (always)
		return FERRIS_OK;
	if (outer) {
		error_set_at(binder->err, FERRIS_ERR_NOT_SUPPORTED, on->position,
			     "LEFT JOIN UNNEST takes no condition but TRUE");
		return error_hint(binder->err, "choose among the elements in a CASE, or among the "
					       "rows in WHERE");
	}
	scope->what = "ON";
	TRY(bind_predicate(binder, scope, on, "ON", &predicate));
	*out = filter_over(binder, *out, predicate);
	return FERRIS_OK;
}
