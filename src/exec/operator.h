/* exec/operator.h -- what every operator is: it is pushed batches and pushes them on.
 *
 * One operator, one file, the same functions in the same order: open, push, close, and the class
 * at the end.  The plan node is read-only and shared; the operator holds all state and belongs to
 * one task.  A filter narrows the batch's selection vector; a projection puts its own vectors in
 * the place of the batch's columns while the operators below it run. */
#pragma once

#include "func/program.h"
#include "plan/plan.h"

typedef struct Operator Operator;
typedef struct TaskContext TaskContext;

typedef struct OperatorClass {
	const char *name;
	size_t size; /* of the operator's struct */
	Status (*open)(Operator *op, TaskContext *task, Error *err);
	/* The batch has at least one selected row. */
	Status (*push)(Operator *op, Batch *batch, Error *err);
	void (*close)(Operator *op);
} OperatorClass;

/* First member of every operator. */
struct Operator {
	const OperatorClass *class;
	const PlanNode *plan; /* NULL for the sink */
	Operator *next;       /* NULL for the sink */
	uint64_t rows_in;
};

/* What the operators of one task share. */
struct TaskContext {
	Arena *arena; /* lives as long as the task */
	const StatementPlan *plan;
	const Chunk *chunk;   /* being decoded */
	const Reader *reader; /* for the names of its splits */
	Output *output;       /* where the sink encodes to */
	bool keyed;           /* the output has keys, headers, timestamps */
};

static inline Status
operator_push(Operator *op, Batch *batch, Error *err)
{
	if (batch->sel_count == 0)
		return FERRIS_OK;
	op->rows_in += batch->sel_count;
	return op->class->push(op, batch, err);
}

extern const OperatorClass filter_class;
extern const OperatorClass project_class;
extern const OperatorClass sink_class;
