/* func/branch.c -- AND, OR, CASE, COALESCE, TRY: what computes its arguments on some rows only.
 *
 * Each narrows the selection it was given into node->open and node->taken; rows that are decided
 * leave.  Splitting writes both lists without a branch. */
#include "func/program_node.h"

#include <assert.h>

/* Three-valued logic, one byte per row. */
typedef enum Truth {
	TRUTH_FALSE = 0,
	TRUTH_TRUE = 1,
	TRUTH_NULL = 2,
} Truth;

static uint8_t
truth_at(const Vector *v, uint32_t row)
{
	if (vector_is_null(v, row))
		return TRUTH_NULL;
	return VECTOR_DATA(v, const uint8_t)[v->constant ? 0 : row];
}

static uint32_t
row_at(Selection sel, uint32_t i)
{
	return sel.dense ? i : sel.rows[i];
}

/* `count` of the rows of `from`. */
static Selection
narrowed(const uint16_t *rows, uint32_t count, Selection from)
{
	return (Selection){rows, count, from.dense && count == from.count};
}

/* AND: FALSE decides, NULL outlasts TRUE.  OR: the same with TRUE and FALSE exchanged. */
const Vector *
branch_run_logic(Run *run, Node *node, Selection sel)
{
	uint8_t decides = node->expr->kind == BOUND_AND ? TRUTH_FALSE : TRUTH_TRUE;
	uint8_t *truth = node->truth;
	uint8_t *data = node->reg.data;
	Selection open = sel;

	for (uint32_t i = 0; i < sel.count; i++)
		truth[row_at(sel, i)] = !decides;
	for (uint32_t k = 0; k < node->expr->arg_count && open.count > 0; k++) {
		const Vector *arg = node_run(run, node->args[k], open);
		uint32_t left = 0;

		for (uint32_t i = 0; i < open.count; i++) {
			uint32_t row = row_at(open, i);
			uint8_t t = truth_at(arg, row);

			truth[row] = t == decides || t == TRUTH_NULL ? t : truth[row];
			node->open[left] = (uint16_t)row;
			left += t != decides;
		}
		open = narrowed(node->open, left, open);
	}
	vector_reset(&node->reg);
	for (uint32_t i = 0; i < sel.count; i++) {
		uint32_t row = row_at(sel, i);

		data[row] = truth[row] & 1;
		if (truth[row] == TRUTH_NULL)
			vector_set_null(&node->reg, row);
	}
	return &node->reg;
}

#define COPY_ROWS(CType)                                                                           \
	do {                                                                                       \
		const CType *source = from->data;                                                  \
		CType *target = to->data;                                                          \
		if (from->constant)                                                                \
			for (uint32_t i = 0; i < sel.count; i++)                                   \
				target[row_at(sel, i)] = source[0];                                \
		else                                                                               \
			for (uint32_t i = 0; i < sel.count; i++)                                   \
				target[row_at(sel, i)] = source[row_at(sel, i)];                   \
	} while (0)

static void
copy_rows(Vector *to, const Vector *from, Selection sel)
{
	switch (type_physical(to->type)) {
	case PHYSICAL_BOOL:
		COPY_ROWS(uint8_t);
		break;
	case PHYSICAL_INT64:
		COPY_ROWS(int64_t);
		break;
	case PHYSICAL_INT128:
		COPY_ROWS(Int128);
		break;
	case PHYSICAL_DOUBLE:
		COPY_ROWS(double);
		break;
	case PHYSICAL_VIEW:
		COPY_ROWS(StringView);
		break;
	case PHYSICAL_INTERVAL:
		COPY_ROWS(Interval);
		break;
	case PHYSICAL_LIST:
	case PHYSICAL_STRUCT:
		for (uint32_t i = 0; i < sel.count; i++)
			vector_copy(to, row_at(sel, i), from, row_at(sel, i), NULL);
		return;
	default:
		assert(false && "a column has one of these");
	}
	if (from->has_null)
		for (uint32_t i = 0; i < sel.count; i++)
			if (vector_is_null(from, row_at(sel, i)))
				vector_set_null(to, row_at(sel, i));
}

const Vector *
branch_run_case(Run *run, Node *node, Selection sel)
{
	Selection open = sel;
	uint32_t k = 0;

	vector_reset(&node->reg);
	for (; k + 1 < node->expr->arg_count && open.count > 0; k += 2) {
		const Vector *condition = node_run(run, node->args[k], open);
		uint32_t taken = 0;
		uint32_t left = 0;

		for (uint32_t i = 0; i < open.count; i++) {
			uint32_t row = row_at(open, i);
			bool is_true = truth_at(condition, row) == TRUTH_TRUE;

			node->taken[taken] = (uint16_t)row;
			node->open[left] = (uint16_t)row;
			taken += is_true;
			left += !is_true;
		}
		Selection chosen = narrowed(node->taken, taken, open);
		open = narrowed(node->open, left, open);
		if (taken > 0)
			copy_rows(&node->reg, node_run(run, node->args[k + 1], chosen), chosen);
	}
	if (open.count > 0)
		copy_rows(&node->reg, node_run(run, node->args[node->expr->arg_count - 1], open),
			  open);
	return &node->reg;
}

const Vector *
branch_run_coalesce(Run *run, Node *node, Selection sel)
{
	Selection open = sel;

	vector_reset(&node->reg);
	for (uint32_t k = 0; k < node->expr->arg_count && open.count > 0; k++) {
		const Vector *arg = node_run(run, node->args[k], open);
		uint32_t taken = 0;
		uint32_t left = 0;

		for (uint32_t i = 0; i < open.count; i++) {
			uint32_t row = row_at(open, i);
			bool null = vector_is_null(arg, row);

			node->taken[taken] = (uint16_t)row;
			node->open[left] = (uint16_t)row;
			taken += !null;
			left += null;
		}
		copy_rows(&node->reg, arg, narrowed(node->taken, taken, open));
		open = narrowed(node->open, left, open);
	}
	for (uint32_t i = 0; i < open.count; i++)
		vector_set_null(&node->reg, row_at(open, i));
	return &node->reg;
}

/* Failures since the TRY began are forgotten, and their rows are NULL.  A row that had failed
 * before stays failed. */
const Vector *
branch_run_try(Run *run, Node *node, Selection sel)
{
	Failures *failures = run->failures;
	uint32_t before = failures->count;
	const Vector *arg = node_run(run, node->args[0], sel);

	vector_reset(&node->reg);
	copy_rows(&node->reg, arg, sel);
	while (failures->count > before) {
		uint32_t row = failures->list[--failures->count].row;

		bitmap_clear(failures->failed, row);
		vector_set_null(&node->reg, row);
	}
	return &node->reg;
}
