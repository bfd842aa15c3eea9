/* exec/op_project.c -- PROJECT: the select list over the batch's columns.
 *
 * The results take the place of the batch's columns while the operators below run.  A column that
 * is selected as it is stays the decoder's own vector; only its header (pointers) is copied.
 *
 * Owns:    the compiled expressions and the array of result headers.
 * Threads: one operator belongs to one task. */
#include "exec/operator.h"

typedef struct ProjectOp {
	Operator base;
	Program *program;
	Str *names; /* of the output columns, for row errors */
	const Vector **results;
	Vector *columns; /* copies of the results' headers */
	uint32_t count;
} ProjectOp;

static Status
project_open(Operator *op, TaskContext *task, Error *err)
{
	ProjectOp *self = (ProjectOp *)op;
	const Schema *schema = &op->plan->schema;

	self->count = schema->count;
	self->names = ARENA_ARRAY(task->arena, Str, self->count);
	self->results = ARENA_ARRAY(task->arena, const Vector *, self->count);
	self->columns = ARENA_ARRAY(task->arena, Vector, self->count);
	for (uint32_t i = 0; i < self->count; i++)
		self->names[i] = schema->fields[i].name;
	return program_compile(task->arena, op->plan->project.exprs, self->count, &self->program,
			       err);
}

static Status
project_push(Operator *op, Batch *batch, Error *err)
{
	ProjectOp *self = (ProjectOp *)op;

	program_run(self->program, batch, self->names, self->results);
	for (uint32_t i = 0; i < self->count; i++)
		self->columns[i] = *self->results[i];
	return operator_push_columns(op->next, batch, self->columns, self->count, err);
}

static void
project_close(Operator *op)
{
	program_free(((ProjectOp *)op)->program);
}

const OperatorClass project_class = {
	.name = "Project",
	.size = sizeof(ProjectOp),
	.open = project_open,
	.push = project_push,
	.stateless = true,
	.close = project_close,
};
