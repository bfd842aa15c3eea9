/* exec/op_lookup.c -- LOOKUP: each row with the answers of the subqueries in its expressions.
 *
 * A subquery's rows are read when the operator opens, before the input begins, and kept as far as
 * the answers need them: by key, whether there is a row; the values themselves (IN); the least and
 * the greatest of them (<, > ANY); the one value (a scalar).  Each answer is one more column beside
 * the batch's own.
 *
 * SQL's three-valued logic: x IN (...) is NULL where x is and there is a row, and where x is not
 * found but a value is NULL.  Of rows of several values, (a, b) IN (...), those with a NULL are
 * compared one by one.
 *
 * Owns:    the kept rows.
 * Threads: one operator belongs to one task. */
#include "base/memory.h"
#include "exec/subplan.h"
#include "func/compare.h"
#include "state/group_table.h"

#define FIRST_ROWS 64
#define COLUMN_MAX 128 /* keys and values of a subquery */

typedef enum Truth {
	TRUTH_FALSE,
	TRUTH_TRUE,
	TRUTH_NULL,
} Truth;

/* The payload of a key.  Rows are numbered from 1; 0: none. */
typedef struct Answers {
	uint32_t rows;  /* 0, 1, or 2 for more */
	uint32_t first; /* SCALAR: the row; ANY =: the first of a chain; else: with the least value
			 */
	uint32_t last;  /* ANY =: the last of it; else: the row with the greatest value */
	bool has_null;
} Answers;

typedef struct LookupOp LookupOp;

typedef struct LookupTable {
	LookupOp *op;
	const Lookup *plan;
	GroupTable *keys;
	GroupTable *members; /* ANY =: keys and values */
	Vector *values;      /* of the kept rows, one vector each */
	uint32_t *next;      /* the next row of a chain */
	uint32_t row_count;
	uint32_t row_capacity;
	Answers nothing;     /* where no row has the keys */
	const Vector **args; /* of the batch */
	Vector answer;
} LookupTable;

struct LookupOp {
	Operator base;
	TaskContext *task;
	Program *program; /* the columns that come out, then the args of each lookup */
	const Vector **results;
	LookupTable *tables;
	uint32_t table_count;
	Arena bytes; /* of the kept texts */
	Vector *columns;
	char **payloads;
};

/* ---------------------------------------------------------------- keeping rows */

static uint32_t
keep_values(LookupTable *table, const Vector *values, uint32_t row)
{
	if (table->row_count == table->row_capacity) {
		uint32_t capacity = table->row_capacity > 0 ? table->row_capacity * 2 : FIRST_ROWS;

		table->next = memory_resize(table->next, sizeof *table->next * capacity);
		for (uint32_t c = 0; c < table->plan->value_count; c++)
			vector_reserve(&table->values[c], capacity);
		table->row_capacity = capacity;
	}
	for (uint32_t c = 0; c < table->plan->value_count; c++)
		vector_copy(&table->values[c], table->row_count, &values[c], row,
			    &table->op->bytes);
	table->next[table->row_count] = 0;
	return ++table->row_count;
}

static uint32_t
at(const Vector *vector, uint32_t row)
{
	return vector->constant ? 0 : row;
}

/* The least and the greatest value of a key have a row each as soon as they differ. */
static void
keep_extremes(LookupTable *table, Answers *answers, const Vector *value, uint32_t row)
{
	Vector *kept = &table->values[0];

	if (answers->first == 0) {
		answers->first = answers->last = keep_values(table, value, row);
		return;
	}
	bool least = vector_compare(value, at(value, row), kept, answers->first - 1) < 0;
	bool greatest = vector_compare(value, at(value, row), kept, answers->last - 1) > 0;
	uint32_t *place = least ? &answers->first : &answers->last;
	if (!least && !greatest)
		return;
	if (answers->first == answers->last)
		*place = keep_values(table, value, row);
	else
		vector_copy(kept, *place - 1, value, row, &table->op->bytes);
}

/* The row's key and values as one key; rows of several values also stand in a chain. */
static Status
keep_member(LookupTable *table, Answers *answers, const Batch *batch, uint16_t row, Error *err)
{
	const Vector *columns[COLUMN_MAX];
	uint32_t key_count = table->plan->key_count;
	uint32_t first_new;
	char *payload;

	for (uint32_t c = 0; c < key_count + table->plan->value_count; c++)
		columns[c] = &batch->columns[c];
	TRY(group_table_find(table->members, columns, &row, 1, &payload, &first_new, err));
	if (table->plan->value_count == 1 || first_new == group_table_count(table->members))
		return FERRIS_OK;
	uint32_t number = keep_values(table, &batch->columns[key_count], row);
	if (answers->first == 0)
		answers->first = number;
	else
		table->next[answers->last - 1] = number;
	answers->last = number;
	return FERRIS_OK;
}

static bool
is_true(const Vector *vector, uint32_t row)
{
	return !vector_is_null(vector, row) && VECTOR_DATA(vector, uint8_t)[at(vector, row)];
}

static Status
keep_row(LookupTable *table, const Batch *batch, uint16_t row, Error *err)
{
	const Lookup *plan = table->plan;
	const Vector *columns[COLUMN_MAX];
	uint32_t first_new;
	char *payload;

	for (uint32_t c = 0; c < plan->key_count + plan->value_count; c++)
		columns[c] = &batch->columns[c];
	if (any_null(columns, plan->key_count, row))
		return FERRIS_OK;
	TRY(group_table_find(table->keys, columns, &row, 1, &payload, &first_new, err));
	if (plan->guarded && !is_true(&batch->columns[plan->key_count + plan->value_count], row))
		return FERRIS_OK;
	Answers *answers = (Answers *)(void *)payload;
	const Vector *values = &batch->columns[plan->key_count];
	bool null = any_null(columns + plan->key_count, plan->value_count, row);

	answers->rows += answers->rows < 2;
	answers->has_null |= null;
	if (plan->kind == LOOKUP_SCALAR && answers->first == 0)
		answers->first = keep_values(table, values, row);
	if (plan->kind != LOOKUP_ANY)
		return FERRIS_OK;
	if (plan->op == COMPARE_EQ)
		return keep_member(table, answers, batch, row, err);
	if (!null)
		keep_extremes(table, answers, values, row);
	return FERRIS_OK;
}

static Status
check_size(const LookupOp *op, Error *err)
{
	size_t bytes = arena_bytes(&op->bytes);

	for (uint32_t i = 0; i < op->table_count; i++) {
		const LookupTable *table = &op->tables[i];

		bytes += group_table_bytes(table->keys) +
			 table->row_capacity * sizeof(StringView) * table->plan->value_count;
		if (table->members != NULL)
			bytes += group_table_bytes(table->members);
	}
	if (bytes <= op->task->state_limit)
		return FERRIS_OK;
	error_set(err, FERRIS_ERR_LIMIT, "the rows of the subqueries do not fit into %zu bytes",
		  op->task->state_limit);
	return error_hint(err, "raise 'state.memory.limit', or let the subquery yield fewer rows");
}

static Status
keep_batch(void *context, Batch *batch, Error *err)
{
	LookupTable *table = context;

	for (uint32_t i = 0; i < batch->sel_count; i++)
		TRY(keep_row(table, batch, batch->sel[i], err));
	return check_size(table->op, err);
}

static Status
keep_nothing(void *context, Batch *batch, Error *err)
{
	LookupTable *table = context;

	(void)err;
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		table->nothing.rows++;
		table->nothing.first = keep_values(table, batch->columns, batch->sel[i]);
	}
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- opening */

static Status
read_query(LookupTable *table, TaskContext *task, Error *err)
{
	const Lookup *plan = table->plan;
	Subplan query = {.root = plan->query,
			 .need = "a subquery needs every row it reads: correct the record",
			 .collect = keep_batch,
			 .collector = table};

	TRY(subplan_run(&query, task, err));
	if (plan->nothing != NULL) {
		query.root = plan->nothing;
		query.collect = keep_nothing;
		TRY(subplan_run(&query, task, err));
	}
	if (plan->kind != LOOKUP_SCALAR || plan->key_count > 0 ||
	    group_table_count(table->keys) == 0 ||
	    ((Answers *)(void *)group_table_payload(table->keys, 0))->rows < 2)
		return FERRIS_OK;
	error_set_at(err, FERRIS_ERR_SEVERAL_ROWS, plan->position,
		     "the subquery yields more than one row where one value is needed");
	return error_hint(err, "give it an aggregate, LIMIT 1, or a WHERE that leaves one row");
}

static void
make_table(LookupOp *self, LookupTable *table, const Lookup *plan)
{
	Arena *arena = self->task->arena;
	uint32_t count = plan->key_count + plan->value_count;
	const Type **types = ARENA_ARRAY(arena, const Type *, count);

	for (uint32_t c = 0; c < count; c++)
		types[c] = plan->query->schema.fields[c].type;
	GroupTableSpec spec = {.key_types = types,
			       .key_count = plan->key_count,
			       .payload_size = sizeof(Answers),
			       .byte_limit = self->task->state_limit};
	table->op = self;
	table->plan = plan;
	table->keys = group_table_new(&spec);
	spec.key_count = count;
	if (plan->kind == LOOKUP_ANY && plan->op == COMPARE_EQ)
		table->members = group_table_new(&spec);
	table->values = ARENA_ARRAY(arena, Vector, plan->value_count);
	for (uint32_t c = 0; c < plan->value_count; c++)
		vector_init(&table->values[c], types[plan->key_count + c], FORM_VALUE, FIRST_ROWS);
	vector_init(&table->answer, plan->type, FORM_VALUE, BATCH_CAPACITY);
}

static Status
lookup_open(Operator *op, TaskContext *task, Error *err)
{
	LookupOp *self = (LookupOp *)op;
	const PlanNode *plan = op->plan;
	uint32_t left = plan->lookup.left_count;
	uint32_t count = left;

	self->task = task;
	arena_init(&self->bytes, 0);
	self->tables = ARENA_ARRAY(task->arena, LookupTable, plan->lookup.call_count);
	self->columns = ARENA_ARRAY(task->arena, Vector, plan->schema.count);
	self->payloads = ARENA_ARRAY(task->arena, char *, BATCH_CAPACITY);
	for (uint32_t i = 0; i < plan->lookup.call_count; i++)
		count += lookup_arg_count(&plan->lookup.calls[i]);
	BoundExpr **exprs = ARENA_ARRAY(task->arena, BoundExpr *, count);
	self->results = ARENA_ARRAY(task->arena, const Vector *, count);
	memcpy(exprs, plan->lookup.left, sizeof *exprs * left);
	count = left;
	for (uint32_t i = 0; i < plan->lookup.call_count; i++) {
		const Lookup *call = &plan->lookup.calls[i];
		uint32_t args = lookup_arg_count(call);

		make_table(self, &self->tables[i], call);
		self->table_count++;
		self->tables[i].args = self->results + count;
		memcpy(exprs + count, call->args, sizeof *exprs * args);
		count += args;
	}
	TRY(program_compile(task->arena, exprs, count, &self->program, err));
	for (uint32_t i = 0; i < self->table_count; i++)
		TRY(read_query(&self->tables[i], task, err));
	return FERRIS_OK;
}

/* ---------------------------------------------------------------- answers */

/* The row's values with those of a kept row. */
static Truth
compare(const LookupTable *table, uint32_t row, uint32_t number)
{
	const Vector *const *values = table->args + table->plan->key_count;
	Truth truth = TRUTH_TRUE;

	for (uint32_t c = 0; c < table->plan->value_count; c++) {
		const Vector *kept = &table->values[c];

		if (vector_is_null(values[c], row) || vector_is_null(kept, number - 1))
			truth = TRUTH_NULL;
		else if (!compare_holds(
				 table->plan->op,
				 vector_compare(values[c], at(values[c], row), kept, number - 1)))
			return TRUTH_FALSE;
	}
	return truth;
}

/* x = ANY: a look into the members; where a NULL is about, rows of several values one by one. */
static Truth
is_member(const LookupTable *table, const Answers *answers, uint32_t row, bool null)
{
	if (!null && group_table_get(table->members, table->args, row) != NULL)
		return TRUTH_TRUE;
	if (!null && !answers->has_null)
		return TRUTH_FALSE;
	if (table->plan->value_count == 1)
		return TRUTH_NULL;
	for (uint32_t n = answers->first; n != 0; n = table->next[n - 1])
		if (compare(table, row, n) == TRUTH_NULL)
			return TRUTH_NULL;
	return TRUTH_FALSE;
}

static Truth
compares_with_any(const LookupTable *table, const Answers *answers, uint32_t row)
{
	if (answers->rows == 0)
		return TRUTH_FALSE;
	if (answers == &table->nothing)
		return compare(table, row, answers->first);
	bool null = any_null(table->args + table->plan->key_count, table->plan->value_count, row);
	if (table->plan->op == COMPARE_EQ)
		return is_member(table, answers, row, null);
	if (null)
		return TRUTH_NULL;
	if (answers->first != 0 && (compare(table, row, answers->first) == TRUTH_TRUE ||
				    compare(table, row, answers->last) == TRUTH_TRUE))
		return TRUTH_TRUE;
	return answers->has_null ? TRUTH_NULL : TRUTH_FALSE;
}

/* False: the row is an error. */
static bool
put_answer(LookupTable *table, Batch *batch, const Answers *answers, uint32_t row)
{
	const Lookup *plan = table->plan;
	Truth truth = answers->rows > 0 ? TRUTH_TRUE : TRUTH_FALSE;

	if (plan->kind == LOOKUP_SCALAR) {
		if (answers->rows == 0) {
			vector_set_null(&table->answer, row);
			return true;
		}
		if (answers->rows > 1 && !plan->first) {
			batch_add_error(batch, batch->records[row], FERRIS_ERR_SEVERAL_ROWS,
					plan->text,
					"the subquery yields more than one row for this one");
			return false;
		}
		vector_copy(&table->answer, row, &table->values[0], answers->first - 1, NULL);
		return true;
	}
	if (plan->kind == LOOKUP_ANY)
		truth = compares_with_any(table, answers, row);
	VECTOR_DATA(&table->answer, uint8_t)[row] = truth == TRUTH_TRUE;
	if (truth == TRUTH_NULL)
		vector_set_null(&table->answer, row);
	else
		vector_set_valid(&table->answer, row);
	return true;
}

/* Nobody has a key with a NULL in it: such rows were not kept. */
static void
answer(LookupTable *table, Batch *batch)
{
	char **payloads = table->op->payloads;
	uint32_t kept = 0;

	if (table->plan->key_count > 0)
		group_table_get_many(table->keys, table->args, batch->sel, batch->sel_count,
				     payloads);
	vector_reset(&table->answer);
	for (uint32_t i = 0; i < batch->sel_count; i++) {
		uint16_t row = batch->sel[i];
		char *payload = payloads[i];

		if (table->plan->key_count == 0)
			payload = group_table_count(table->keys) > 0
					  ? group_table_payload(table->keys, 0)
					  : NULL;
		const Answers *answers =
			payload != NULL ? (const Answers *)(void *)payload : &table->nothing;
		batch->sel[kept] = row;
		kept += put_answer(table, batch, answers, row);
	}
	batch->dense = batch->dense && kept == batch->sel_count;
	batch->sel_count = kept;
}

static Status
lookup_push(Operator *op, Batch *batch, Error *err)
{
	LookupOp *self = (LookupOp *)op;
	uint32_t left = op->plan->lookup.left_count;

	program_run(self->program, batch, NULL, self->results);
	for (uint32_t i = 0; i < self->table_count; i++)
		answer(&self->tables[i], batch);
	for (uint32_t i = 0; i < left; i++)
		self->columns[i] = *self->results[i];
	for (uint32_t i = 0; i < self->table_count; i++)
		self->columns[left + i] = self->tables[i].answer;
	return operator_push_columns(op->next, batch, self->columns, op->plan->schema.count, err);
}

static void
lookup_close(Operator *op)
{
	LookupOp *self = (LookupOp *)op;

	for (uint32_t i = 0; i < self->table_count; i++) {
		LookupTable *table = &self->tables[i];

		group_table_destroy(table->keys);
		if (table->members != NULL)
			group_table_destroy(table->members);
		for (uint32_t c = 0; c < table->plan->value_count; c++)
			vector_free(&table->values[c]);
		vector_free(&table->answer);
		memory_free(table->next);
	}
	arena_free(&self->bytes);
	program_free(self->program);
}

const OperatorClass lookup_class = {
	.name = "Lookup",
	.size = sizeof(LookupOp),
	.open = lookup_open,
	.push = lookup_push,
	.close = lookup_close,
	.stateless = true, /* what it looks into is read when it opens */
};
