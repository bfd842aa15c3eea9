/* plan/rule.h -- what the files of the rules share.
 *
 *     rules.c         the rules in their order
 *     rule_exprs.c    expressions over other columns
 *     rule_merge.c    nodes that become one
 *     rule_filter.c   conditions on their way down
 *     rule_columns.c  the columns of the scan, and those that are asked for as text
 *     rule_prune.c    the columns of the nodes above it
 *
 * A path is the nodes above one whose columns are looked at, the nearest first, through the first
 * that makes columns of its own. */
#pragma once

#include "plan/rules.h"

/* ---- rule_exprs.c */

/* All of an array, which is copied, by bound_substitute. */
void substitute_all(Arena *arena, BoundExpr ***exprs, uint32_t count,
		    BoundExpr *const *replacements);
/* Adds to uses[c] how often the expression reads column c. */
void count_columns(const BoundExpr *expr, uint32_t *uses);
uint32_t *uses_of(Arena *arena, BoundExpr *const *exprs, uint32_t count, uint32_t columns);

/* ---- rule_merge.c */

/* From the scan upwards, so that each node meets an input that is merged already. */
PlanNode *merge_nodes(Arena *arena, PlanNode *node);
/* Filter over Filter -> one Filter; the inner conjuncts run first. */
void join_filters(Arena *arena, PlanNode *filter);

/* ---- rule_filter.c: *link is a filter; it is replaced if nothing of it stays */

/* Moves what the decoder can decide from the filter into the scan. */
void push_predicates(Arena *arena, PlanNode *filter, PlanNode *scan);
/* A filter over a node that hands on columns, but Over: conjuncts that read only these go below. */
void push_below(Arena *arena, PlanNode **link);
/* Of rows numbered by ROW_NUMBER alone the filter above lets the first n pass: no more are kept. */
void keep_top(PlanNode **link);
/* A filter over a union goes into each of its inputs; so it does over INTERSECT and EXCEPT, whose
 * rows are equal in all columns. */
void push_below_union(Arena *arena, PlanNode **link);
/* A filter over a join of two streams: what reads one side alone goes to that side, unless rows of
 * it come out with NULLs, or which of its rows comes out depends on all of them. */
void push_below_stream_join(Arena *arena, PlanNode **link);

/* ---- rule_columns.c */

typedef struct Columns {
	uint32_t *values; /* how often an expression reads it */
	uint32_t *passes; /* how often it goes to the sink as it is */
} Columns;

/* Whether the node yields columns of its own rather than its input's. */
bool makes_columns(const PlanNode *node);
/* The path from `scan`, or another node, to the root; returns its length. */
uint32_t scan_path(Arena *arena, PlanNode *root, const PlanNode *scan, PlanNode ***path);
/* Whether all columns are read, whatever the expressions of the path say. */
bool needs_all(PlanNode *const *path, uint32_t depth);
/* How the nodes of the path use the scan's columns. */
Columns scan_uses(Arena *arena, PlanNode *const *path, uint32_t depth, const PlanNode *scan,
		  bool to_sink);
/* The nodes of the path read the columns of `node` under their new numbers. */
void renumber(Arena *arena, PlanNode *const *path, uint32_t depth, const PlanNode *node,
	      BoundExpr *const *renumbered);
/* What an Over node only hands on, or takes from another row, and the select list above it only
 * gives to the sink, nobody reads. */
void pass_through_over(Arena *arena, const PlanNode *over, const PlanNode *project, Columns *uses);
/* Keeps the columns in use, numbers them anew, and writes the decoder's list. */
void prune_scan(Arena *arena, PlanNode *scan, const Columns *uses, BoundExpr **renumbered);

/* ---- rule_prune.c */

/* Whether the node hands on columns of its input, first among its own: these. */
bool passes_columns(const PlanNode *node);
BoundExpr **left_columns(const PlanNode *node);
uint32_t *left_column_count(PlanNode *node);
/* Keep the columns of a join that its own condition and the nodes of the path read. */
void prune_join(Arena *arena, PlanNode *join, PlanNode *const *path, uint32_t depth);
/* The same of an Over, Window or Lookup node. */
void prune_left(Arena *arena, PlanNode *node, PlanNode *const *path, uint32_t depth);
void prune_unnest(Arena *arena, PlanNode *unnest, PlanNode *const *path, uint32_t depth);
/* Sessions keep only those columns of their rows that their Unnest has. */
void prune_sessions(Arena *arena, PlanNode *unnest);
/* Joins of two streams, whose inputs have columns of their own. */
bool is_join_leaf(const PlanNode *node);
/* The columns that come out, and those that the rest of the condition reads. */
void prune_stream_join(Arena *arena, PlanNode *leaf, const Columns *uses, BoundExpr **renumbered);
/* Each input yields only the columns that the nodes above the leaf read. */
void prune_inputs(Arena *arena, PlanNode *leaf, const Columns *uses, BoundExpr **renumbered);
