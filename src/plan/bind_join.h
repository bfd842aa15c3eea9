/* plan/bind_join.h -- what the joins with a table and those of two streams have in common. */
#pragma once

#include "plan/bind.h"

/* The two sides.  With a table: as they are executed, the input streams by, the table is kept.  Of
 * two streams the left is the input, and nothing is turned. */
typedef struct Sides {
	PlanNode *input;
	PlanNode *table;
	Scope input_scope;
	Scope table_scope;
	bool turned; /* the table is written on the left */
} Sides;

typedef struct KeyList {
	BoundExpr **input; /* over the input's columns */
	BoundExpr **table; /* over the table's columns */
	uint32_t count;
	uint32_t capacity;
} KeyList;

/* Input columns first, then the table's: as the join puts them out. */
Scope joined_scope(Binder *binder, const Sides *sides, bool with_table);
/* Binds ON over the joined scope; equalities of the sides go to the keys, the other conjuncts to
 * `rest`. */
Status bind_on(Binder *binder, const Relation *relation, const Sides *sides, KeyList *keys,
	       BoundExpr ***rest, uint32_t *rest_count);
/* The same of a condition that is bound over the joined scope. */
Status split_condition(Binder *binder, const Sides *sides, BoundExpr *on, KeyList *keys,
		       BoundExpr ***rest, uint32_t *rest_count);
Status bind_using(Binder *binder, const NameList *names, const Sides *sides, KeyList *keys);
/* A copy of the join whose USING names what both sides have, if it is NATURAL. */
Relation *natural_as_using(Binder *binder, const Relation *relation, const Scope *left,
			   const Scope *right);
/* The columns that USING names become one each, the first of the scope. */
Status merge_using(Binder *binder, const Relation *relation, PlanNode **node, Scope *scope);
/* The conjunction of the parts; NULL if there are none. */
BoundExpr *all_of(Arena *arena, BoundExpr **parts, uint32_t count);

/* ---- plan/bind_stream_join.c */

/* An input of a join of two inputs: the keys, the time or NULL, all columns of the side. */
PlanNode *join_input(Binder *binder, PlanNode *side, BoundExpr *const *keys, uint32_t key_count,
		     BoundExpr *time);
/* The columns of both sides, as the shape has them. */
void set_join_schema(Binder *binder, const Sides *sides, PlanNode *node);

/* Binds the join if it is one of two streams: its sides say how far apart in time rows meet, or
 * neither can be a table.  *out is NULL if it is not. */
Status bind_stream_join(Binder *binder, const Relation *relation, Sides *sides, PlanNode **out,
			Scope *scope);

/* A SEMI or ANTI join of two streams, whose condition is bound over the joined scope; *out is NULL
 * if that does not bound the time between rows on both sides, or if the table ends and could be
 * looked up by equality alone.  `trial`: nothing is made, *out is only not NULL. */
Status bind_semi_join(Binder *binder, const Relation *relation, Sides *sides, BoundExpr *on,
		      bool trial, PlanNode **out);

/* ---- plan/bind_versioned_join.c */

/* Whether rows of the right are wanted as versions, by their time. */
bool wants_versions(const Relation *join);

/* Binds the join if it gives each row of the left one row of the right: ASOF, FOR SYSTEM_TIME AS
 * OF, or a table that changes.  *out is NULL if it does not. */
Status bind_versioned_join(Binder *binder, const Relation *relation, Sides *sides, PlanNode **out,
			   Scope *scope);
