/* func/program.c -- compile expressions to nodes with registers, and run them on batches.
 *
 * Each node owns the vector it computes into, so that running allocates nothing; a node returns a
 * pointer to its result, which for a column is the batch's own vector.  Rows keep their numbers
 * everywhere: row r of a result belongs to row r of the batch.
 *
 * AND, OR, CASE, COALESCE and TRY compute their arguments on narrowed selections, func/branch.c.
 * A row that fails is noted in `failures` and is NULL from there on; what is done with the notes is
 * decided at the end of each expression (here), or at a TRY around it. */
#include "func/program.h"

#include <assert.h>
#include <stdlib.h>

#include "func/cast.h"
#include "func/program_node.h"

struct Program {
	Node **roots;
	uint32_t count;
	Failures failures;
	uint32_t conjunct_count; /* the roots with their ANDs taken apart */
	Node **conjuncts;
	Node *nodes; /* all, by `next` */
};

/* ---- compile ---- */

typedef struct Compiler {
	Arena *arena;
	Error *err;
	Node *nodes; /* all of them, for program_free */
} Compiler;

static Status
compile_constant(Node *node, const BoundExpr *expr)
{
	vector_init(&node->reg, expr->type, FORM_VALUE, 1);
	node->has_reg = true;
	value_to_vector(&expr->constant, &node->reg, 0);
	node->reg.constant = true;
	return FERRIS_OK;
}

static void
node_register(Node *node)
{
	vector_init(&node->reg, node->expr->type, FORM_VALUE, BATCH_CAPACITY);
	node->has_reg = true;
}

/* What a node needs beside its arguments. */
static Status
compile_self(Compiler *compiler, Node *node)
{
	const BoundExpr *expr = node->expr;
	Arena *arena = compiler->arena;

	switch (expr->kind) {
	case BOUND_CONSTANT:
		return compile_constant(node, expr);
	case BOUND_COLUMN:
		return FERRIS_OK;
	case BOUND_FIELD:
		node->words = ARENA_ARRAY(arena, uint64_t, BITMAP_WORDS(BATCH_CAPACITY));
		return FERRIS_OK;
	case BOUND_CALL:
		if (expr->function->planner != NULL)
			TRY(expr->function->planner(arena, expr, &node->plan, compiler->err));
		else
			node->plan.kernel = expr->function->kernel;
		node->strict = expr->function->flags & SCALAR_STRICT;
		break;
	case BOUND_CAST:
		TRY(cast_plan(arena, expr, &node->plan, compiler->err));
		if (node->plan.kernel == NULL)
			return FERRIS_OK;
		node->strict = true;
		break;
	case BOUND_AND:
	case BOUND_OR:
		node->truth = ARENA_ARRAY(arena, uint8_t, BATCH_CAPACITY);
		break;
	case BOUND_CASE:
	case BOUND_COALESCE:
	case BOUND_TRY:
		break;
	}
	if (expr->kind != BOUND_CALL && expr->kind != BOUND_CAST) {
		node->open = ARENA_ARRAY(arena, uint16_t, BATCH_CAPACITY);
		node->taken = ARENA_ARRAY(arena, uint16_t, BATCH_CAPACITY);
	}
	node_register(node);
	return FERRIS_OK;
}

static Status
compile_node(Compiler *compiler, const BoundExpr *expr, Node **out)
{
	Node *node = ARENA_NEW(compiler->arena, Node);

	node->expr = expr;
	node->next = compiler->nodes;
	compiler->nodes = node;
	node->args = ARENA_ARRAY(compiler->arena, Node *, expr->arg_count);
	node->inputs = ARENA_ARRAY(compiler->arena, const Vector *, expr->arg_count);
	for (uint32_t i = 0; i < expr->arg_count; i++)
		TRY(compile_node(compiler, expr->args[i], &node->args[i]));
	TRY(compile_self(compiler, node));
	*out = node;
	return FERRIS_OK;
}

static void
free_nodes(Node *nodes)
{
	for (Node *node = nodes; node != NULL; node = node->next) {
		if (node->plan.release != NULL)
			node->plan.release(node->plan.state);
		if (node->has_reg)
			vector_free(&node->reg);
	}
}

static uint32_t
count_conjuncts(const Node *node)
{
	uint32_t count = 0;

	if (node->expr->kind != BOUND_AND)
		return 1;
	for (uint32_t i = 0; i < node->expr->arg_count; i++)
		count += count_conjuncts(node->args[i]);
	return count;
}

static void
collect_conjuncts(Program *program, Node *node)
{
	if (node->expr->kind != BOUND_AND) {
		program->conjuncts[program->conjunct_count++] = node;
		return;
	}
	for (uint32_t i = 0; i < node->expr->arg_count; i++)
		collect_conjuncts(program, node->args[i]);
}

Status
program_compile(Arena *arena, BoundExpr *const *exprs, uint32_t count, Program **out, Error *err)
{
	Program *program = ARENA_NEW(arena, Program);
	Compiler compiler = {.arena = arena, .err = err};
	uint32_t conjuncts = 0;

	program->roots = ARENA_ARRAY(arena, Node *, count);
	program->count = count;
	for (uint32_t i = 0; i < count; i++) {
		Status status = compile_node(&compiler, exprs[i], &program->roots[i]);

		program->nodes = compiler.nodes;
		if (status != FERRIS_OK) {
			program_free(program);
			return status;
		}
		conjuncts += count_conjuncts(program->roots[i]);
	}
	program->conjuncts = ARENA_ARRAY(arena, Node *, conjuncts);
	for (uint32_t i = 0; i < count; i++)
		collect_conjuncts(program, program->roots[i]);
	*out = program;
	return FERRIS_OK;
}

void
program_free(Program *program)
{
	if (program == NULL)
		return;
	free_nodes(program->nodes);
	program->nodes = NULL;
}

/* ---- evaluate ---- */

bool
kernel_merge_nulls(KernelCall *call)
{
	uint32_t rows = call->count > 0 ? kernel_row(call, call->count - 1) + 1 : 0;
	size_t words = BITMAP_WORDS(rows);
	Vector *out = call->out;

	out->has_null = false;
	for (uint32_t i = 0; i < call->arg_count; i++) {
		const Vector *arg = call->args[i];

		if (!arg->has_null)
			continue;
		if (arg->constant) {
			if (vector_is_null(arg, 0)) {
				bitmap_fill(out->valid, BATCH_CAPACITY, false);
				out->has_null = true;
				return false;
			}
		} else if (!out->has_null) {
			memcpy(out->valid, arg->valid, words * sizeof *out->valid);
			out->has_null = true;
		} else {
			for (size_t w = 0; w < words; w++)
				out->valid[w] &= arg->valid[w];
		}
	}
	return true;
}

static const Vector *
run_kernel(Run *run, Node *node, Selection sel)
{
	uint32_t count = node->expr->arg_count;

	for (uint32_t i = 0; i < count; i++)
		node->inputs[i] = node_run(run, node->args[i], sel);
	vector_reset(&node->reg);
	KernelCall call = {
		.out = &node->reg,
		.args = node->inputs,
		.arg_count = count,
		.sel = sel.rows,
		.count = sel.count,
		.dense = sel.dense,
		.heap = &run->batch->heap,
		.expr = node->expr,
		.state = node->plan.state,
		.now = &run->batch->now,
		.failures = run->failures,
	};
	if (!node->strict || kernel_merge_nulls(&call))
		node->plan.kernel(&call);
	return &node->reg;
}

/* The same data under another type. */
static const Vector *
run_relabel(Run *run, Node *node, Selection sel)
{
	node->view = *node_run(run, node->args[0], sel);
	node->view.type = node->expr->type;
	return &node->view;
}

/* A field of a STRUCT is NULL where the STRUCT is. */
static const Vector *
run_field(Run *run, Node *node, Selection sel)
{
	const Vector *parent = node_run(run, node->args[0], sel);
	const Vector *field = &parent->children[node->expr->column];

	if (!parent->has_null)
		return field;
	node->view = *field;
	node->view.valid = node->words;
	memcpy(node->words, parent->valid, BITMAP_WORDS(run->batch->row_count) * sizeof(uint64_t));
	if (field->has_null)
		for (size_t w = 0; w < BITMAP_WORDS(run->batch->row_count); w++)
			node->words[w] &= field->valid[w];
	node->view.has_null = true;
	return &node->view;
}

const Vector *
node_run(Run *run, Node *node, Selection sel)
{
	switch (node->expr->kind) {
	case BOUND_CONSTANT:
		return &node->reg;
	case BOUND_COLUMN:
		return &run->batch->columns[node->expr->column];
	case BOUND_CALL:
		return run_kernel(run, node, sel);
	case BOUND_CAST:
		return node->plan.kernel != NULL ? run_kernel(run, node, sel)
						 : run_relabel(run, node, sel);
	case BOUND_FIELD:
		return run_field(run, node, sel);
	case BOUND_AND:
	case BOUND_OR:
		return branch_run_logic(run, node, sel);
	case BOUND_CASE:
		return branch_run_case(run, node, sel);
	case BOUND_COALESCE:
		return branch_run_coalesce(run, node, sel);
	case BOUND_TRY:
		return branch_run_try(run, node, sel);
	}
	assert(false && "every kind is listed");
	return NULL;
}

/* ---- failures ---- */

void
kernel_fail(KernelCall *call, uint32_t row, Status status, const char *format, ...)
{
	Failures *failures = call->failures;
	va_list args;

	vector_set_null(call->out, row);
	if (bitmap_get(failures->failed, row))
		return;
	bitmap_set(failures->failed, row);
	va_start(args, format);
	Str message = str_vformat(call->heap, format, args);
	va_end(args);
	failures->list[failures->count++] = (RowFailure){
		.row = (uint16_t)row,
		.status = status,
		.column = failures->column,
		.message = message,
	};
}

static int
by_row(const void *a, const void *b)
{
	return ((const RowFailure *)a)->row - ((const RowFailure *)b)->row;
}

/* Takes the failed rows out of the selection. */
static void
drop_failed(Failures *failures, Batch *batch)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];

		batch->sel[kept] = row;
		kept += !bitmap_get(failures->failed, row);
	}
	if (kept < batch->sel_count)
		batch->dense = false;
	batch->sel_count = kept;
}

/* Hands the failures over to the batch, in order of row. */
static void
report_failures(Failures *failures, Batch *batch)
{
	if (failures->count == 0)
		return;
	qsort(failures->list, failures->count, sizeof failures->list[0], by_row);
	for (uint32_t i = 0; i < failures->count; i++) {
		const RowFailure *failure = &failures->list[i];

		batch_add_error(batch, batch->records[failure->row], failure->status,
				failure->column, "%.*s", STR_ARG(failure->message));
		bitmap_clear(failures->failed, failure->row);
	}
	failures->count = 0;
}

/* ---- run ---- */

void
program_run(Program *program, Batch *batch, const Str *names, const Vector **results)
{
	Run run = {.batch = batch, .failures = &program->failures};

	for (uint32_t i = 0; i < program->count; i++) {
		Selection sel = {batch->sel, batch->sel_count, batch->dense};
		uint32_t failed = program->failures.count;

		program->failures.column = names != NULL ? names[i] : (Str){NULL, 0};
		results[i] = node_run(&run, program->roots[i], sel);
		if (program->failures.count > failed)
			drop_failed(&program->failures, batch);
	}
	report_failures(&program->failures, batch);
}

/* Compacts `sel` to the rows that are true and not NULL.  Branch-free: at a selectivity of one
 * half a branch would be mispredicted half the time. */
static uint32_t
select_true(const Vector *truth, uint16_t *sel, uint32_t count, bool dense)
{
	const uint8_t *data = truth->data;
	uint32_t kept = 0;

	if (truth->constant)
		return data[0] && !vector_is_null(truth, 0) ? count : 0;
	if (truth->has_null) {
		for (uint32_t i = 0; i < count; i++) {
			uint16_t row = sel[i];

			sel[kept] = row; /* kept <= i: the write never overtakes the read */
			kept += data[row] & bitmap_get(truth->valid, row);
		}
		return kept;
	}
	if (dense) {
		for (uint32_t i = 0; i < count; i++) {
			sel[kept] = (uint16_t)i;
			kept += data[i];
		}
		return kept;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint16_t row = sel[i];

		sel[kept] = row;
		kept += data[row];
	}
	return kept;
}

void
program_filter(Program *program, Batch *batch)
{
	Run run = {.batch = batch, .failures = &program->failures};
	uint32_t before = batch->sel_count;

	program->failures.column = (Str){NULL, 0};
	for (uint32_t i = 0; i < program->conjunct_count && batch->sel_count > 0; i++) {
		Selection sel = {batch->sel, batch->sel_count, batch->dense};
		uint32_t failed = program->failures.count;
		const Vector *truth = node_run(&run, program->conjuncts[i], sel);

		if (program->failures.count > failed)
			drop_failed(&program->failures, batch);
		uint32_t kept = select_true(truth, batch->sel, batch->sel_count, batch->dense);
		if (kept < batch->sel_count)
			batch->dense = false;
		batch->sel_count = kept;
	}
	batch->filtered += before - batch->sel_count - program->failures.count;
	report_failures(&program->failures, batch);
}

/* ---- failures that several kernels share ---- */

void
kernel_fail_decimal(KernelCall *call, uint32_t row, DecimalResult result, const char *what)
{
	const char *type = type_text(call->heap, call->out->type).data;

	switch (result) {
	case DECIMAL_OK:
		break;
	case DECIMAL_SYNTAX:
		kernel_fail(call, row, FERRIS_ERR_BAD_VALUE, "%s: not a number", what);
		break;
	case DECIMAL_OVERFLOW:
		kernel_fail(call, row, FERRIS_ERR_OUT_OF_RANGE, "%s: the result does not fit %s",
			    what, type);
		break;
	case DECIMAL_LOST_DIGITS:
		kernel_fail(call, row, FERRIS_ERR_DIGIT_LOSS, "%s: a digit would be lost as %s",
			    what, type);
		break;
	case DECIMAL_DIVISION_BY_ZERO:
		kernel_fail(call, row, FERRIS_ERR_DIVISION_BY_ZERO, "%s: division by zero", what);
		break;
	}
}

void
kernel_fail_temporal(KernelCall *call, uint32_t row, TemporalResult result, const char *what)
{
	static const char *const reasons[] = {
		[TEMPORAL_SYNTAX] = "the text is not of the form wanted",
		[TEMPORAL_RANGE] = "a field or the result is out of range",
		[TEMPORAL_LOST_DIGITS] = "a fraction finer than a microsecond would be lost",
		[TEMPORAL_PATTERN] = "the pattern has a letter that does not exist",
		[TEMPORAL_UNIT] = "the unit does not exist or cannot be used here",
		[TEMPORAL_SPACE] = "the text is too long",
	};
	Status status = result == TEMPORAL_RANGE         ? FERRIS_ERR_OUT_OF_RANGE
			: result == TEMPORAL_LOST_DIGITS ? FERRIS_ERR_DIGIT_LOSS
			: result == TEMPORAL_SYNTAX      ? FERRIS_ERR_BAD_VALUE
							 : FERRIS_ERR_BAD_ARGUMENT;

	if (result != TEMPORAL_OK)
		kernel_fail(call, row, status, "%s: %s", what, reasons[result]);
}
