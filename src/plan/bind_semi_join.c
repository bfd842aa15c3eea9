/* plan/bind_semi_join.c -- subqueries of WHERE over streams, as joins of two streams.
 *
 *     WHERE EXISTS (SELECT 1 FROM s WHERE s.k = t.k AND s.ts BETWEEN t.ts AND t.ts + INTERVAL '1'
 * HOUR) FROM t SEMI JOIN s ON s.k = t.k AND s.ts BETWEEN t.ts AND t.ts + INTERVAL '1' HOUR
 *
 * So is x IN (SELECT y ...), with x = y beside the conditions; NOT EXISTS and NOT IN are an ANTI
 * JOIN.  That needs a bound in time on both sides.  Without one the subquery is read before the
 * statement begins (plan/bind_subquery.c), which an endless source cannot be. */
#include "func/function.h"
#include "plan/bind_join.h"

/* A condition of WHERE that may become a join. */
typedef struct SemiJoin {
	const Select *select; /* the subquery's */
	const Expr *operand;  /* of IN, over the outer query; or NULL */
	bool negated;
	Position position;
} SemiJoin;

/* ---------------------------------------------------------------- which conditions */

/* A plain SELECT of one relation, which only WHERE says more about. */
static bool
is_plain(const Query *query, const Expr *operand)
{
	const Select *select = &query->body->select;
	uint32_t wanted = operand != NULL && operand->kind == EXPR_ROW ? operand->list.count : 1;

	if (query->body->kind != BODY_SELECT || query->cte_count > 0 || query->limit != NULL ||
	    query->offset != NULL || select->from == NULL || select->where == NULL ||
	    select->from->kind == RELATION_JOIN || select->from->kind == RELATION_UNNEST ||
	    is_grouped(select) || select->qualify != NULL)
		return false;
	if (operand != NULL && select->item_count != wanted)
		return false;
	for (uint32_t i = 0; operand != NULL && i < select->item_count; i++)
		if (select->items[i].expr->kind == EXPR_STAR)
			return false;
	return true;
}

static bool
as_semi_join(const Expr *condition, SemiJoin *out)
{
	const Query *query;

	*out = (SemiJoin){.position = condition->position};
	for (; condition->kind == EXPR_UNARY && condition->unary.op == UNARY_NOT;
	     condition = condition->unary.operand)
		out->negated = !out->negated;
	if (condition->kind == EXPR_IN_QUERY) {
		query = condition->in_query.query;
		out->operand = condition->in_query.operand;
		out->negated ^= condition->in_query.negated;
	} else if (condition->kind == EXPR_EXISTS) {
		query = condition->query;
	} else {
		return false;
	}
	out->select = &query->body->select;
	return is_plain(query, out->operand);
}

/* ---------------------------------------------------------------- names */

static bool
has_name(const Scope *scope, Str name)
{
	for (uint32_t i = 0; i < scope->count; i++)
		if (str_eq_nocase(scope->columns[i].name, name))
			return true;
	return false;
}

/* In the subquery a name is first one of its own relation. */
static void
shadow_outer(Binder *binder, Sides *sides)
{
	Scope *outer = &sides->input_scope;
	Scope *inner = &sides->table_scope;
	ScopeColumn *columns = ARENA_ARRAY(binder->arena, ScopeColumn, outer->count);
	Str qualifier = inner->count > 0 ? inner->columns[0].qualifier : (Str){"", 0};

	memcpy(columns, outer->columns, sizeof *columns * outer->count);
	for (uint32_t i = 0; i < outer->count; i++) {
		columns[i].shadowed = columns[i].shadowed || has_name(inner, columns[i].name);
		if (str_eq_nocase(columns[i].qualifier, qualifier))
			columns[i].qualifier = (Str){"", 0};
	}
	outer->columns = columns;
	/* System columns of the relation can be named here as well. */
	for (uint32_t i = 0; i < inner->count; i++)
		inner->columns[i].hidden = false;
}

/* ---------------------------------------------------------------- conditions */

/* x = y of the i-th value of IN, over the columns of both sides. */
static Status
bind_equality(Binder *binder, Scope *outer, Scope *both, const SemiJoin *join, uint32_t i,
	      BoundExpr **out)
{
	const Expr *x =
		join->operand->kind == EXPR_ROW ? join->operand->list.items[i] : join->operand;
	Scope rows = *outer;
	BoundExpr *args[2];

	rows.lookups = NULL;
	TRY(bind_expr(binder, &rows, x, &args[0]));
	TRY(bind_expr(binder, both, join->select->items[i].expr, &args[1]));
	return function_bind(binder->arena, STR("="), args, 2, x->position, out, binder->err);
}

/* All equalities of IN; negated, a NULL among the values counts as met: NOT IN is unknown then. */
static Status
bind_equalities(Binder *binder, Scope *outer, Scope *both, const SemiJoin *join, BoundExpr **out)
{
	uint32_t count = join->select->item_count;
	BoundExpr **parts = ARENA_ARRAY(binder->arena, BoundExpr *, count);

	for (uint32_t i = 0; i < count; i++)
		TRY(bind_equality(binder, outer, both, join, i, &parts[i]));
	*out = all_of(binder->arena, parts, count);
	if (!join->negated)
		return FERRIS_OK;
	return function_bind(binder->arena, STR("IS NOT FALSE"), (BoundExpr *[]){*out}, 1,
			     join->position, out, binder->err);
}

/* What a row of the subquery's relation must be for the outer one. */
static Status
bind_condition(Binder *binder, Scope *outer, const Sides *sides, const SemiJoin *join,
	       BoundExpr **out)
{
	Scope both = joined_scope(binder, sides, true);
	BoundExpr *parts[2];
	uint32_t count = 0;

	both.what = "the subquery's WHERE";
	TRY(bind_predicate(binder, &both, join->select->where, "WHERE", &parts[count++]));
	if (join->operand != NULL)
		TRY(bind_equalities(binder, outer, &both, join, &parts[count++]));
	*out = all_of(binder->arena, parts, count);
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- joins */

/* *out is NULL if it is no join; `trial`: else the node that comes in. */
static Status
try_join(Binder *binder, const SemiJoin *join, Scope *scope, PlanNode *node, bool trial,
	 PlanNode **out)
{
	Relation relation = {.kind = RELATION_JOIN, .position = join->position};
	Sides sides = {.input = node, .input_scope = *scope};
	const Endpoint *source = binder->source;
	BoundExpr *condition;

	*out = NULL;
	relation.join.kind = join->negated ? JOIN_ANTI : JOIN_SEMI;
	relation.join.position = join->position;
	TRY(bind_from(binder, scope->ctes, join->select->from, &sides.table, &sides.table_scope));
	binder->source = source;
	shadow_outer(binder, &sides);
	TRY(bind_condition(binder, scope, &sides, join, &condition));
	return bind_semi_join(binder, &relation, &sides, condition, trial, out);
}

/* As a trial first: what cannot be a join may be a subquery, and is to report its errors so. */
static Status
take_condition(Binder *binder, const Expr *condition, Scope *scope, PlanNode **node, bool *taken)
{
	Error ignored = {0};
	Binder quiet = *binder;
	SemiJoin join;
	PlanNode *out;

	*taken = false;
	if (!as_semi_join(condition, &join))
		return FERRIS_OK;
	quiet.err = &ignored;
	if (try_join(&quiet, &join, scope, *node, true, &out) != FERRIS_OK || out == NULL)
		return FERRIS_OK;
	*taken = true;
	return try_join(binder, &join, scope, *node, false, node);
}

Status
subqueries_to_joins(Binder *binder, const CteScope *ctes, Scope *scope, const Select **select,
		    PlanNode **node)
{
	Expr *where = (*select)->where;
	uint32_t kept = 0;

	if (where == NULL || binder->correlation != NULL)
		return FERRIS_OK;
	scope->ctes = ctes;
	ExprList all = conjuncts_of(&where);
	ExprList rest = {.items = ARENA_ARRAY(binder->arena, Expr *, all.count)};
	for (uint32_t i = 0; i < all.count; i++) {
		bool taken;

		TRY(take_condition(binder, all.items[i], scope, node, &taken));
		if (!taken)
			rest.items[kept++] = all.items[i];
	}
	if (kept == all.count)
		return FERRIS_OK;
	Select *copy = ARENA_NEW(binder->arena, Select);
	*copy = **select;
	rest.count = kept;
	copy->where = joined_conditions(binder, &rest, where);
	*select = copy;
	/* HEADER('k') would widen a scan behind the join's back. */
	scope->scan = NULL;
	return FERRIS_OK;
}
