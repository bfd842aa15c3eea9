/* func/program_node.h -- the nodes of a compiled program; private to func/program.c and branch.c.
 */
#pragma once

#include "func/kernel.h"
#include "func/program.h"

typedef struct Node Node;
struct Node {
	const BoundExpr *expr;
	Node **args;
	const Vector **inputs; /* the results of args, for a kernel */
	KernelPlan plan;       /* CALL, CAST */
	bool strict;           /* NULL in, NULL out: the kernel sees only the rest */
	bool has_reg;
	Vector reg;      /* what the node computes into */
	Vector view;     /* FIELD, CAST without a kernel: somebody else's data */
	uint64_t *words; /* FIELD: the merged validity */
	uint8_t *truth;  /* AND, OR: a Truth per row */
	uint16_t *open;  /* rows that are still undecided */
	uint16_t *taken; /* rows of the branch being computed */
	Node *next;      /* of the program */
};

/* Rows to compute: ascending; dense if they are 0, 1, ... count-1. */
typedef struct Selection {
	const uint16_t *rows;
	uint32_t count;
	bool dense;
} Selection;

typedef struct Run {
	Batch *batch;
	Failures *failures;
} Run;

/* The node's value on the selected rows; valid until the node runs again. */
const Vector *node_run(Run *run, Node *node, Selection sel);

const Vector *branch_run_logic(Run *run, Node *node, Selection sel);
const Vector *branch_run_case(Run *run, Node *node, Selection sel);
const Vector *branch_run_coalesce(Run *run, Node *node, Selection sel);
const Vector *branch_run_try(Run *run, Node *node, Selection sel);
