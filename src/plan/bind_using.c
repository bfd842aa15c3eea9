/* plan/bind_using.c -- NATURAL JOIN, and what USING makes of the columns it names.
 *
 * Each of them is one column of the join and stands first: the value of the side whose rows all
 * come out, of a FULL join that of the side that is there.  Without a relation's name before it,
 * its name means that column; with one, the side's own. */
#include "plan/bind_join.h"

/* ---------------------------------------------------------------- NATURAL */

static const ScopeColumn *
find_visible(const Scope *scope, Str name)
{
	for (uint32_t i = 0; i < scope->count; i++)
		if (!scope->columns[i].hidden && !scope->columns[i].shadowed &&
		    str_eq_nocase(scope->columns[i].name, name))
			return &scope->columns[i];
	return NULL;
}

Relation *
natural_as_using(Binder *binder, const Relation *relation, const Scope *left, const Scope *right)
{
	Relation *copy = ARENA_NEW(binder->arena, Relation);
	NameList *names = &copy->join.using_columns;

	*copy = *relation;
	if (!relation->join.natural)
		return copy;
	names->items = ARENA_ARRAY(binder->arena, Name, left->count + 1);
	for (uint32_t i = 0; i < left->count; i++) {
		const ScopeColumn *column = &left->columns[i];

		if (find_visible(left, column->name) == column &&
		    find_visible(right, column->name) != NULL)
			names->items[names->count++] =
				(Name){.text = column->name, .position = relation->join.position};
	}
	return copy;
}

/* ---------------------------------------------------------------- one column of two */

/* The two columns of that name, of the left and the right side. */
static bool
find_pair(Scope *scope, Str name, ScopeColumn *pair[2])
{
	uint32_t count = 0;

	for (uint32_t i = 0; i < scope->count && count < 2; i++)
		if (!scope->columns[i].hidden && !scope->columns[i].shadowed &&
		    str_eq_nocase(scope->columns[i].name, name))
			pair[count++] = &scope->columns[i];
	return count == 2;
}

/* A Project over the join that hands on all columns and has room for `more`. */
static PlanNode *
project_over(Binder *binder, PlanNode *join, uint32_t more)
{
	PlanNode *project = ARENA_NEW(binder->arena, PlanNode);
	uint32_t count = join->schema.count;
	Field *fields = ARENA_ARRAY(binder->arena, Field, count + more);

	*project = (PlanNode){.kind = PLAN_PROJECT, .input = join, .position = join->position};
	project->project.exprs = ARENA_ARRAY(binder->arena, BoundExpr *, count + more);
	project->project.key = ARENA_ARRAY(binder->arena, bool, count + more);
	for (uint32_t i = 0; i < count; i++) {
		fields[i] = join->schema.fields[i];
		project->project.exprs[i] = bound_column(binder->arena, i, fields[i].type,
							 fields[i].name, join->position);
	}
	project->schema = (Schema){fields, count};
	return project;
}

/* COALESCE(left, right) as a further column of the Project; the merged column is that one. */
static Status
add_coalesced(Binder *binder, PlanNode *project, ScopeColumn *const pair[2], const Name *name,
	      ScopeColumn *merged)
{
	const Type *type = type_common(binder->arena, pair[0]->type, pair[1]->type);
	uint32_t at = project->schema.count++;
	BoundExpr *args[2];

	for (int i = 0; i < 2; i++)
		TRY(bound_cast(binder->arena,
			       bound_column(binder->arena, pair[i]->index, pair[i]->type,
					    pair[i]->name, name->position),
			       type, CAST_IMPLICIT, &args[i], binder->err));
	project->project.exprs[at] =
		bound_node(binder->arena, BOUND_COALESCE, type, args, 2, name->position);
	project->schema.fields[at] = (Field){.name = pair[0]->name, .type = type};
	merged->index = at;
	merged->type = type;
	return FERRIS_OK;
}

Status
merge_using(Binder *binder, const Relation *relation, PlanNode **node, Scope *scope)
{
	const NameList *names = &relation->join.using_columns;
	JoinKind kind = relation->join.kind;
	PlanNode *project = NULL;
	ScopeColumn *columns;

	if (names->count == 0 || kind == JOIN_SEMI || kind == JOIN_ANTI)
		return FERRIS_OK;
	if (kind == JOIN_FULL)
		*node = project = project_over(binder, *node, names->count);
	columns = ARENA_ARRAY(binder->arena, ScopeColumn, scope->count + names->count);
	for (uint32_t i = 0; i < names->count; i++) {
		ScopeColumn *pair[2];

		if (!find_pair(scope, names->items[i].text, pair))
			return error_set_at(
				binder->err, FERRIS_ERR_DUPLICATE_NAME, names->items[i].position,
				"'%.*s' stands twice in USING", STR_ARG(names->items[i].text));
		columns[i] = *pair[kind == JOIN_RIGHT];
		columns[i].qualifier = (Str){"", 0};
		if (kind == JOIN_FULL)
			TRY(add_coalesced(binder, project, pair, &names->items[i], &columns[i]));
		pair[0]->shadowed = true;
		pair[1]->shadowed = true;
	}
	memcpy(columns + names->count, scope->columns, sizeof *columns * scope->count);
	scope->columns = columns;
	scope->count += names->count;
	return FERRIS_OK;
}
