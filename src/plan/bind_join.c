/* plan/bind_join.c -- joins of a stream with a table.
 *
 * One side must be bounded: it is the table, read before the other side begins, and every row of it
 * is kept (1:N keeps all rows).  Rows meet by equality of the keys that ON or USING name; further
 * conditions of an inner join become a filter over it, those of other joins are checked for each
 * pair.  A join whose table is written on the left
 * is turned round; the columns keep the order in which they are written. */
#include "plan/bind_join.h"

#include "func/function.h"

/* ---------------------------------------------------------------- which side is the table */

static Status
refuse_forms(Binder *binder, const Relation *relation)
{
	if (relation->join.asof && relation->join.natural)
		return not_yet(binder, relation->join.position, "NATURAL together with ASOF",
			       "name the columns, the time last: ASOF JOIN q USING (symbol, ts)");
	return FERRIS_OK;
}

static void
choose_sides(const Relation *relation, PlanNode *left, PlanNode *right, Sides *sides)
{
	JoinKind kind = relation->join.kind;
	bool can_turn = kind == JOIN_INNER || kind == JOIN_CROSS;

	sides->turned = kind == JOIN_RIGHT || (can_turn && !plan_is_bounded(right));
	sides->input = sides->turned ? right : left;
	sides->table = sides->turned ? left : right;
}

/* ---------------------------------------------------------------- the columns */

Scope
joined_scope(Binder *binder, const Sides *sides, bool with_table)
{
	const Scope *parts[2] = {&sides->input_scope, &sides->table_scope};
	uint32_t shift[2] = {0, sides->input->schema.count};
	Scope scope = {.time = sides->input_scope.time};

	scope.columns = ARENA_ARRAY(binder->arena, ScopeColumn, parts[0]->count + parts[1]->count);
	for (int i = 0; i < 2; i++) {
		int part = sides->turned ? !i : i;

		if (part == 1 && !with_table)
			continue;
		for (uint32_t c = 0; c < parts[part]->count; c++) {
			ScopeColumn column = parts[part]->columns[c];

			/* There is one _offset, ...: that of the stream. */
			if (part == 1 && column.hidden)
				continue;
			column.index += shift[part];
			scope.columns[scope.count++] = column;
		}
	}
	return scope;
}

/* 1: only columns of the input, 2: only of the table, 3: both, 0: none. */
static int
sides_of(const BoundExpr *expr, uint32_t input_count)
{
	int sides = 0;

	if (expr->kind == BOUND_COLUMN)
		return expr->column < input_count ? 1 : 2;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		sides |= sides_of(expr->args[i], input_count);
	return sides;
}

/* The expression with its columns numbered from the table's first. */
static BoundExpr *
over_table(Arena *arena, const BoundExpr *expr, uint32_t input_count)
{
	BoundExpr *copy = ARENA_NEW(arena, BoundExpr);

	*copy = *expr;
	if (expr->kind == BOUND_COLUMN)
		copy->column -= input_count;
	copy->args = ARENA_ARRAY(arena, BoundExpr *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		copy->args[i] = over_table(arena, expr->args[i], input_count);
	return copy;
}

/* ---------------------------------------------------------------- the keys */

static Status
add_key(Binder *binder, KeyList *keys, BoundExpr *input, BoundExpr *table, Position at)
{
	const Type *type = type_common(binder->arena, input->type, table->type);

	if (type == NULL)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, at,
				    "%.*s and %.*s cannot be equal",
				    STR_ARG(type_text(binder->arena, input->type)),
				    STR_ARG(type_text(binder->arena, table->type)));
	if (keys->count == keys->capacity)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, at,
				    "more than %u keys in a join", keys->capacity);
	TRY(bound_cast(binder->arena, input, type, CAST_IMPLICIT, &keys->input[keys->count],
		       binder->err));
	TRY(bound_cast(binder->arena, table, type, CAST_IMPLICIT, &keys->table[keys->count],
		       binder->err));
	keys->count++;
	return FERRIS_OK;
}

/* A conjunct of ON: a key if it equates the sides, else it goes to `rest`. */
static Status
take_conjunct(Binder *binder, const Sides *sides, BoundExpr *conjunct, KeyList *keys,
	      BoundExpr **rest, uint32_t *rest_count)
{
	uint32_t count = sides->input->schema.count;

	if (conjunct->kind == BOUND_CALL && conjunct->arg_count == 2 &&
	    str_eq(function_name(conjunct->function), STR("="))) {
		BoundExpr *a = bound_without_cast(conjunct->args[0]);
		BoundExpr *b = bound_without_cast(conjunct->args[1]);

		if (sides_of(a, count) == 2 && sides_of(b, count) == 1) {
			BoundExpr *other = a;

			a = b;
			b = other;
		}
		if (sides_of(a, count) == 1 && sides_of(b, count) == 2)
			return add_key(binder, keys, a, over_table(binder->arena, b, count),
				       conjunct->position);
	}
	rest[(*rest_count)++] = conjunct;
	return FERRIS_OK;
}

static uint32_t
count_conjuncts(const BoundExpr *expr)
{
	uint32_t count = 0;

	if (expr->kind != BOUND_AND)
		return 1;
	for (uint32_t i = 0; i < expr->arg_count; i++)
		count += count_conjuncts(expr->args[i]);
	return count;
}

static Status
take_conjuncts(Binder *binder, const Sides *sides, BoundExpr *expr, KeyList *keys, BoundExpr **rest,
	       uint32_t *rest_count)
{
	if (expr->kind != BOUND_AND)
		return take_conjunct(binder, sides, expr, keys, rest, rest_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		TRY(take_conjuncts(binder, sides, expr->args[i], keys, rest, rest_count));
	return FERRIS_OK;
}

Status
split_condition(Binder *binder, const Sides *sides, BoundExpr *on, KeyList *keys,
		BoundExpr ***rest, uint32_t *rest_count)
{
	*rest = ARENA_ARRAY(binder->arena, BoundExpr *, count_conjuncts(on));
	*rest_count = 0;
	return take_conjuncts(binder, sides, on, keys, *rest, rest_count);
}

Status
bind_on(Binder *binder, const Relation *relation, const Sides *sides, KeyList *keys,
	BoundExpr ***rest, uint32_t *rest_count)
{
	Scope scope = joined_scope(binder, sides, true);
	BoundExpr *on;

	TRY(bind_predicate(binder, &scope, relation->join.on, "ON", &on));
	return split_condition(binder, sides, on, keys, rest, rest_count);
}

BoundExpr *
all_of(Arena *arena, BoundExpr **parts, uint32_t count)
{
	if (count == 0)
		return NULL;
	return count == 1 ? parts[0]
			  : bound_node(arena, BOUND_AND, TYPE_OF(BOOLEAN), parts, count,
				       parts[0]->position);
}

/* The conditions of a join with a table that are no equalities; NULL: there are none.  Those that
 * read the table alone say which rows it has, for rows of the input that meet nothing too. */
static Status
bind_table_on(Binder *binder, const Relation *relation, Sides *sides, KeyList *keys,
	      BoundExpr **rest)
{
	uint32_t input_count = sides->input->schema.count;
	BoundExpr **parts;
	uint32_t count;
	uint32_t kept = 0;

	TRY(bind_on(binder, relation, sides, keys, &parts, &count));
	for (uint32_t i = 0; i < count; i++)
		if (relation->join.kind != JOIN_INNER && sides_of(parts[i], input_count) == 2)
			sides->table =
				filter_over(binder, sides->table,
					    over_table(binder->arena, parts[i], input_count));
		else
			parts[kept++] = parts[i];
	*rest = all_of(binder->arena, parts, kept);
	return FERRIS_OK;
}

static Status
find_using(Binder *binder, const Scope *scope, const Name *name, BoundExpr **out)
{
	*out = NULL;
	for (uint32_t i = 0; i < scope->count; i++) {
		const ScopeColumn *column = &scope->columns[i];

		if (column->shadowed || !str_eq_nocase(column->name, name->text))
			continue;
		if (*out != NULL)
			return error_set_at(binder->err, FERRIS_ERR_AMBIGUOUS, name->position,
					    "column '%.*s' is ambiguous", STR_ARG(name->text));
		*out = bound_column(binder->arena, column->index, column->type, column->name,
				    name->position);
	}
	return *out != NULL ? FERRIS_OK : unknown_column(binder, scope, name);
}

Status
bind_using(Binder *binder, const NameList *names, const Sides *sides, KeyList *keys)
{
	for (uint32_t i = 0; i < names->count; i++) {
		BoundExpr *input, *table;

		TRY(find_using(binder, &sides->input_scope, &names->items[i], &input));
		TRY(find_using(binder, &sides->table_scope, &names->items[i], &table));
		TRY(add_key(binder, keys, input, table, names->items[i].position));
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- the node */

/* The table's plan: its keys, then all of its columns. */
static PlanNode *
table_plan(Binder *binder, const Sides *sides, const KeyList *keys)
{
	const Schema *schema = &sides->table->schema;
	uint32_t count = keys->count + schema->count;
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	Field *fields = ARENA_ARRAY(binder->arena, Field, count);
	BoundExpr **exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	for (uint32_t i = 0; i < keys->count; i++) {
		exprs[i] = keys->table[i];
		fields[i] = (Field){.name = bound_text(binder->arena, exprs[i]),
				    .type = exprs[i]->type};
	}
	for (uint32_t i = 0; i < schema->count; i++) {
		exprs[keys->count + i] =
			bound_column(binder->arena, i, schema->fields[i].type,
				     schema->fields[i].name, sides->table->position);
		fields[keys->count + i] = schema->fields[i];
	}
	*project = (PlanNode){.kind = PLAN_PROJECT,
			      .input = sides->table,
			      .position = sides->table->position,
			      .schema = {fields, count}};
	project->project.exprs = exprs;
	project->project.key = ARENA_ARRAY(binder->arena, bool, count);
	return project;
}

static PlanNode *
join_node(Binder *binder, const Relation *relation, const Sides *sides, const KeyList *keys,
	  BoundExpr *residual)
{
	static const JoinShape shapes[] = {
		[JOIN_INNER] = SHAPE_INNER, [JOIN_LEFT] = SHAPE_LEFT,   [JOIN_RIGHT] = SHAPE_LEFT,
		[JOIN_FULL] = SHAPE_LEFT,   [JOIN_CROSS] = SHAPE_INNER, [JOIN_SEMI] = SHAPE_SEMI,
		[JOIN_ANTI] = SHAPE_ANTI,
	};
	PlanNode *node = ARENA_NEW(binder->arena, PlanNode);
	const Schema *input = &sides->input->schema;
	const Schema *table = &sides->table->schema;
	uint32_t right = relation->join.kind == JOIN_SEMI || relation->join.kind == JOIN_ANTI
				 ? 0
				 : table->count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, input->count + right);

	node->kind = PLAN_JOIN;
	node->input = sides->input;
	node->position = relation->join.position;
	node->join.shape = shapes[relation->join.kind];
	node->join.right = table_plan(binder, sides, keys);
	node->join.keys = keys->input;
	node->join.key_count = keys->count;
	node->join.left = ARENA_ARRAY(binder->arena, BoundExpr *, input->count);
	node->join.left_count = input->count;
	node->join.right_count = residual != NULL ? table->count : right;
	node->join.residual = residual;
	for (uint32_t i = 0; i < input->count; i++) {
		fields[i] = input->fields[i];
		node->join.left[i] = bound_column(binder->arena, i, fields[i].type, fields[i].name,
						  node->position);
	}
	for (uint32_t i = 0; i < right; i++) {
		fields[input->count + i] = table->fields[i];
		fields[input->count + i].not_null = false;
	}
	node->schema = (Schema){fields, input->count + right};
	return node;
}

Status
bind_join(Binder *binder, const CteScope *ctes, const Relation *relation, PlanNode **out,
	  Scope *scope)
{
	Sides sides;
	KeyList keys = {.capacity = 64};
	PlanNode *left, *right;
	Scope left_scope, right_scope;
	BoundExpr *rest = NULL;
	bool inner = relation->join.kind == JOIN_INNER;

	TRY(refuse_forms(binder, relation));
	TRY(refuse_as_of(binder, relation->join.left));
	TRY(bind_from(binder, ctes, relation->join.left, &left, &left_scope));
	if (relation->join.right->kind == RELATION_UNNEST)
		return bind_unnest_join(binder, relation, left, &left_scope, out, scope);
	const Endpoint *source = binder->source;
	bool outside = binder->versions;
	binder->versions = wants_versions(relation);
	TRY(bind_from(binder, ctes, relation->join.right, &right, &right_scope));
	binder->versions = outside;
	/* HEADER('k') would widen a scan behind the join's back. */
	left_scope.scan = NULL;
	right_scope.scan = NULL;
	relation = natural_as_using(binder, relation, &left_scope, &right_scope);
	sides = (Sides){left, right, left_scope, right_scope, false};
	TRY(bind_versioned_join(binder, relation, &sides, out, scope));
	if (*out == NULL)
		TRY(bind_stream_join(binder, relation, &sides, out, scope));
	if (*out != NULL)
		return merge_using(binder, relation, out, scope);
	choose_sides(relation, left, right, &sides);
	if (!sides.turned)
		binder->source = source;
	sides.input_scope = sides.turned ? right_scope : left_scope;
	sides.table_scope = sides.turned ? left_scope : right_scope;
	keys.input = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	keys.table = ARENA_ARRAY(binder->arena, BoundExpr *, keys.capacity);
	if (relation->join.on != NULL)
		TRY(bind_table_on(binder, relation, &sides, &keys, &rest));
	TRY(bind_using(binder, &relation->join.using_columns, &sides, &keys));
	*out = join_node(binder, relation, &sides, &keys, inner ? NULL : rest);
	*scope = joined_scope(binder, &sides, (*out)->schema.count > (*out)->join.left_count);
	if (inner && rest != NULL)
		*out = filter_over(binder, *out, rest);
	return merge_using(binder, relation, out, scope);
}
