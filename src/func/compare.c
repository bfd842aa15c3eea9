/* func/compare.c -- = <> < <= > >= and IS [NOT] DISTINCT FROM.
 *
 * All types order as ORDER BY sorts them: text by bytes, FALSE before TRUE, intervals with a month
 * as 30 days, NaN equal to itself and after every other number.  Decimals of different scales
 * compare exactly; a constant is brought to the scale of the other side when the query is planned,
 * so that price > 500 is one comparison of 64-bit integers. */
#include "func/compare.h"

#include <assert.h>

#include "func/kernel_loop.h"

typedef enum CompareOp {
	COMPARE_EQ,
	COMPARE_NE,
	COMPARE_LT,
	COMPARE_LE,
	COMPARE_GT,
	COMPARE_GE,
	COMPARE_COUNT
} CompareOp;

typedef struct CompareState {
	CompareOp op;
	int a_scale, b_scale;
	uint32_t column;  /* CONSTANT kernels: which argument is not the constant */
	int64_t constant; /* in the column's scale */
	Kernel inner;     /* DISTINCT */
	void *inner_state;
	bool negated;
} CompareState;

/* Is `order` (-1, 0, 1) what op wants? */
static bool
order_fits(CompareOp op, int order)
{
	static const bool fits[COMPARE_COUNT][3] = {
		[COMPARE_EQ] = {false, true, false}, [COMPARE_NE] = {true, false, true},
		[COMPARE_LT] = {true, false, false}, [COMPARE_LE] = {true, true, false},
		[COMPARE_GT] = {false, false, true}, [COMPARE_GE] = {false, true, true},
	};

	return fits[op][order + 1];
}

int
text_compare(StringView a, StringView b)
{
	uint32_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	if (order == 0)
		return (a.len > b.len) - (a.len < b.len);
	return order < 0 ? -1 : 1;
}

static inline bool
text_equal(StringView a, StringView b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ---- kernels by type and operator ---- */

#define FIXED_KERNEL(type, CType, name, test)                                                      \
	static void type##_##name(KernelCall *call)                                                \
	{                                                                                          \
		uint8_t *restrict z = call->out->data;                                             \
		BINARY_LOOP(call, CType, CType, z[i] = (test));                                    \
	}

#define PLAIN_KERNELS(type, CType)                                                                 \
	FIXED_KERNEL(type, CType, eq, a == b)                                                      \
	FIXED_KERNEL(type, CType, ne, a != b)                                                      \
	FIXED_KERNEL(type, CType, lt, a < b)                                                       \
	FIXED_KERNEL(type, CType, le, a <= b)                                                      \
	FIXED_KERNEL(type, CType, gt, a > b)                                                       \
	FIXED_KERNEL(type, CType, ge, a >= b)

PLAIN_KERNELS(boolean, uint8_t)
PLAIN_KERNELS(int64, int64_t)
PLAIN_KERNELS(int128, Int128)

/* NaN is the largest number and equal to itself. */
FIXED_KERNEL(double, double, eq, (a == b) | ((a != a) & (b != b)))
FIXED_KERNEL(double, double, ne, !((a == b) | ((a != a) & (b != b))))
FIXED_KERNEL(double, double, lt, (a < b) | ((a == a) & (b != b)))
FIXED_KERNEL(double, double, le, (a <= b) | (b != b))
FIXED_KERNEL(double, double, gt, (a > b) | ((a != a) & (b == b)))
FIXED_KERNEL(double, double, ge, (a >= b) | (a != a))

/* One side is state->constant. */
#define CONSTANT_KERNEL(name, op)                                                                  \
	static void constant_##name(KernelCall *call)                                              \
	{                                                                                          \
		const CompareState *state = call->state;                                           \
		const int64_t b = state->constant;                                                 \
		uint8_t *restrict z = call->out->data;                                             \
		UNARY_LOOP(call, state->column, int64_t, z[i] = a op b);                           \
	}
CONSTANT_KERNEL(eq, ==)
CONSTANT_KERNEL(ne, !=)
CONSTANT_KERNEL(lt, <)
CONSTANT_KERNEL(le, <=)
CONSTANT_KERNEL(gt, >)
CONSTANT_KERNEL(ge, >=)

#define SHORT_TEXT_MAX 8

static inline uint64_t
load_part(const char *data, uint32_t at, uint32_t len)
{
	uint64_t part = 0;

	memcpy(&part, data + at, len == 4 ? 4 : 1);
	return part;
}

/* 1 to 8 bytes in one word: two halves that may overlap, or three single bytes.  Texts of one
 * length are equal if their words are. */
static inline uint64_t
load_short(const char *data, uint32_t len)
{
	if (len >= 4)
		return load_part(data, 0, 4) | load_part(data, len - 4, 4) << 32;
	return load_part(data, 0, 1) | load_part(data, len / 2, 1) << 8 |
	       load_part(data, len - 1, 1) << 16;
}

/* Nearly every query compares a text with a short constant. */
static void
text_equal_short(KernelCall *call, StringView b, bool wanted)
{
	const StringView *x = call->args[0]->data;
	uint8_t *z = call->out->data;
	const uint64_t word = load_short(b.data, b.len);

	KERNEL_EACH_VALID(call, row)
	z[row] = (x[row].len == b.len && load_short(x[row].data, b.len) == word) == wanted;
}

static void
text_equality(KernelCall *call, bool wanted)
{
	const StringView *x = call->args[0]->data;
	const StringView *y = call->args[1]->data;
	uint8_t *z = call->out->data;

	if (call->args[1]->constant && !call->args[0]->constant && y[0].len > 0 &&
	    y[0].len <= SHORT_TEXT_MAX) {
		text_equal_short(call, y[0], wanted);
		return;
	}
	KERNEL_EACH_VALID(call, row)
	z[row] = text_equal(x[kernel_at(call, 0, row)], y[kernel_at(call, 1, row)]) == wanted;
}

static void
text_eq(KernelCall *call)
{
	text_equality(call, true);
}

static void
text_ne(KernelCall *call)
{
	text_equality(call, false);
}

static void
text_order(KernelCall *call)
{
	const CompareState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	kernel_set_bool(call, row,
			order_fits(state->op, text_compare(kernel_view(call, 0, row),
							   kernel_view(call, 1, row))));
}

static void
interval_order(KernelCall *call)
{
	const CompareState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	kernel_set_bool(call, row,
			order_fits(state->op, interval_compare(kernel_interval(call, 0, row),
							       kernel_interval(call, 1, row))));
}

/* Scales differ. */
static void
decimal64_order(KernelCall *call)
{
	const CompareState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	kernel_set_bool(
		call, row,
		order_fits(state->op, decimal_compare64(kernel_int(call, 0, row), state->a_scale,
							kernel_int(call, 1, row), state->b_scale)));
}

static void
decimal128_order(KernelCall *call)
{
	const CompareState *state = call->state;

	KERNEL_EACH_VALID(call, row)
	kernel_set_bool(call, row,
			order_fits(state->op,
				   decimal_compare128(kernel_wide(call, 0, row), state->a_scale,
						      kernel_wide(call, 1, row), state->b_scale)));
}

#define BY_OP(type)                                                                                \
	{                                                                                          \
		type##_eq, type##_ne, type##_lt, type##_le, type##_gt, type##_ge                   \
	}
static const Kernel kernels[PHYSICAL_COUNT][COMPARE_COUNT] = {
	[PHYSICAL_BOOL] = BY_OP(boolean),
	[PHYSICAL_INT64] = BY_OP(int64),
	[PHYSICAL_INT128] = BY_OP(int128),
	[PHYSICAL_DOUBLE] = BY_OP(double),
	[PHYSICAL_VIEW] = {text_eq, text_ne, text_order, text_order, text_order, text_order},
	[PHYSICAL_INTERVAL] = {interval_order, interval_order, interval_order, interval_order,
			       interval_order, interval_order},
};
static const Kernel constant_kernels[COMPARE_COUNT] = BY_OP(constant);

/* ---- planning ---- */

static int
scale_of(const Type *type)
{
	return type->kind == TYPE_DECIMAL ? type->scale : 0;
}

/* column op constant with the constant in the column's scale.  If it has more digits than that,
 * it lies between two values k and k + 1 of the column: x < c means x <= k, x > c means x > k.
 * False if it cannot be done (then the general kernel serves). */
static bool
plan_constant(const BoundExpr *call, CompareState *state, KernelPlan *plan)
{
	/* 5 < x is x > 5 */
	static const CompareOp mirrored[COMPARE_COUNT] = {
		[COMPARE_EQ] = COMPARE_EQ, [COMPARE_NE] = COMPARE_NE, [COMPARE_LT] = COMPARE_GT,
		[COMPARE_LE] = COMPARE_GE, [COMPARE_GT] = COMPARE_LT, [COMPARE_GE] = COMPARE_LE,
	};
	uint32_t at = kernel_constant(call, 1) != NULL ? 1 : 0;
	const Value *value = kernel_constant(call, at);
	const BoundExpr *column = call->args[1 - at];
	CompareOp op = at == 1 ? state->op : mirrored[state->op];
	Int128 v;

	if (value == NULL || type_physical(column->type) != PHYSICAL_INT64)
		return false;
	v = type_physical(value->type) == PHYSICAL_INT128 ? value->int128 : value->int64;
	int from = scale_of(value->type);
	int to = scale_of(column->type);
	if (decimal_rescale128(v, from, DECIMAL_PRECISION_MAX, to, ROUND_EXACT, &v) != DECIMAL_OK) {
		if (op == COMPARE_EQ || op == COMPARE_NE ||
		    decimal_rescale128(v, from, DECIMAL_PRECISION_MAX, to, ROUND_FLOOR, &v) !=
			    DECIMAL_OK)
			return false;
		op = op == COMPARE_LT || op == COMPARE_LE ? COMPARE_LE : COMPARE_GT;
	}
	if (v > INT64_MAX || v < INT64_MIN)
		return false;
	state->constant = (int64_t)v;
	state->column = 1 - at;
	plan->kernel = constant_kernels[op];
	return true;
}

static void
plan_exact(const BoundExpr *call, CompareState *state, KernelPlan *plan)
{
	Physical a = type_physical(call->args[0]->type);
	Physical b = type_physical(call->args[1]->type);

	state->a_scale = scale_of(call->args[0]->type);
	state->b_scale = scale_of(call->args[1]->type);
	if (plan_constant(call, state, plan))
		return;
	if (state->a_scale == state->b_scale && a == b)
		plan->kernel = kernels[a][state->op];
	else if (a == PHYSICAL_INT64 && b == PHYSICAL_INT64)
		plan->kernel = decimal64_order;
	else
		plan->kernel = decimal128_order;
}

static void
plan_compare(Arena *arena, const BoundExpr *call, CompareOp op, KernelPlan *plan)
{
	CompareState *state = ARENA_NEW(arena, CompareState);

	state->op = op;
	plan->state = state;
	if (type_is_exact(call->args[0]->type) && type_is_exact(call->args[1]->type))
		plan_exact(call, state, plan);
	else
		plan->kernel = kernels[type_physical(call->args[0]->type)][op];
}

#define PLAN_COMPARE(name, op)                                                                     \
	Status plan_compare_##name(Arena *arena, const BoundExpr *call, KernelPlan *plan,          \
				   Error *err)                                                     \
	{                                                                                          \
		(void)err;                                                                         \
		plan_compare(arena, call, op, plan);                                               \
		return FERRIS_OK;                                                                  \
	}
PLAN_COMPARE(eq, COMPARE_EQ)
PLAN_COMPARE(ne, COMPARE_NE)
PLAN_COMPARE(lt, COMPARE_LT)
PLAN_COMPARE(le, COMPARE_LE)
PLAN_COMPARE(gt, COMPARE_GT)
PLAN_COMPARE(ge, COMPARE_GE)

/* Nothing else of a type can be compared: JSON has many texts for one value. */
Status
result_comparison(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		  Error *err)
{
	(void)arena, (void)err;
	for (uint32_t i = 0; i < count; i++) {
		Physical physical = type_physical(args[i]->type);

		if (args[i]->type->kind == TYPE_JSON || physical == PHYSICAL_LIST ||
		    physical == PHYSICAL_STRUCT)
			return FERRIS_OK;
	}
	*type = TYPE_OF(BOOLEAN);
	return FERRIS_OK;
}

/* ---- IS [NOT] DISTINCT FROM ---- */

/* The comparison where both sides are known; where one is NULL the answer is whether the other is.
 */
static void
distinct_kernel(KernelCall *call)
{
	CompareState *state = call->state;
	Vector *out = call->out;

	kernel_merge_nulls(call);
	KernelCall inner = *call;
	inner.state = state->inner_state;
	state->inner(&inner);
	if (!out->has_null)
		return;
	KERNEL_EACH_ROW(call, row)
	{
		bool a = kernel_is_null(call, 0, row);
		bool b = kernel_is_null(call, 1, row);

		if (a || b)
			kernel_set_bool(call, row, state->negated ? a == b : a != b);
	}
	out->has_null = false;
}

static Status
plan_distinct(Arena *arena, const BoundExpr *call, KernelPlan *plan, bool negated)
{
	CompareState *state = ARENA_NEW(arena, CompareState);
	KernelPlan inner = {0};

	plan_compare(arena, call, negated ? COMPARE_EQ : COMPARE_NE, &inner);
	state->inner = inner.kernel;
	state->inner_state = inner.state;
	state->negated = negated;
	plan->kernel = distinct_kernel;
	plan->state = state;
	return FERRIS_OK;
}

Status
plan_is_distinct(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	return plan_distinct(arena, call, plan, false);
}

Status
plan_is_not_distinct(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	(void)err;
	return plan_distinct(arena, call, plan, true);
}

/* ---- one pair of rows ---- */

int
vector_compare(const Vector *a, uint32_t a_row, const Vector *b, uint32_t b_row)
{
	uint32_t i = a->constant ? 0 : a_row;
	uint32_t k = b->constant ? 0 : b_row;

#define ORDER(CType)                                                                               \
	((VECTOR_DATA(a, const CType)[i] > VECTOR_DATA(b, const CType)[k]) -                       \
	 (VECTOR_DATA(a, const CType)[i] < VECTOR_DATA(b, const CType)[k]))
	switch (type_physical(a->type)) {
	case PHYSICAL_BOOL:
		return ORDER(uint8_t);
	case PHYSICAL_INT64:
		return ORDER(int64_t);
	case PHYSICAL_INT128:
		return ORDER(Int128);
	case PHYSICAL_DOUBLE: {
		double x = VECTOR_DATA(a, const double)[i];
		double y = VECTOR_DATA(b, const double)[k];

		if (x != x || y != y)
			return (x != x) - (y != y);
		return ORDER(double);
	}
	case PHYSICAL_VIEW:
		return text_compare(VECTOR_DATA(a, const StringView)[i],
				    VECTOR_DATA(b, const StringView)[k]);
	case PHYSICAL_INTERVAL:
		return interval_compare(VECTOR_DATA(a, const Interval)[i],
					VECTOR_DATA(b, const Interval)[k]);
	default:
		assert(false && "result_comparison has refused it");
		return 0;
	}
#undef ORDER
}
