/* func/kernel.h -- what every scalar function and operator implements.
 *
 * A kernel is a loop over the selected rows of a batch: it reads args[k] at a row and writes `out`
 * at the same row.  Which kernel runs is written in func/scalar_list.h, one row per overload; the
 * declarations of all kernels, planners and result rules come from that list (end of this file).
 *
 * NULL.  If the row of the list says STRICT, the rows where any argument is NULL are NULL in `out`
 * before the kernel runs.  A kernel that can neither fail nor follow a pointer may compute garbage
 * on them (KERNEL_EACH_ROW); all others skip them (KERNEL_EACH_VALID).  The data of a NULL row is
 * undefined.  Without STRICT `out` starts without NULLs and the kernel decides for itself with
 * vector_is_null and vector_set_null.
 *
 * Failure.  A row that cannot be computed is handed to kernel_fail and is NULL afterwards; the
 * loop goes on.  Say FALLIBLE in the list.
 *
 * Memory.  Text made by a kernel lives in call->heap (kernel_bytes); text that is part of an
 * argument may be returned as a view of it.  Nothing else is allocated per row.
 *
 * Threads: a KernelCall and a planner's state belong to one program, so to one task. */
#pragma once

#include "func/bound.h"
#include "type/decimal.h"
#include "type/temporal.h"
#include "type/vector.h"

/* Row failures of one program run. */
typedef struct RowFailure {
	uint16_t row;
	Status status;
	Str column;  /* output column whose expression failed; may be empty */
	Str message; /* in the batch's heap */
} RowFailure;

typedef struct Failures {
	uint64_t failed[BITMAP_WORDS(BATCH_CAPACITY)]; /* bit 1: the row has failed */
	uint32_t count;
	Str column;                      /* of the expression being computed */
	RowFailure list[BATCH_CAPACITY]; /* each row at most once, in order of failing */
} Failures;

typedef struct KernelCall {
	Vector *out;               /* room for BATCH_CAPACITY rows; never constant */
	const Vector *const *args; /* each may be constant: its row 0 stands for all rows */
	uint32_t arg_count;
	const uint16_t *sel; /* the rows to compute, ascending */
	uint32_t count;
	bool dense;            /* the rows are 0, 1, ... count-1; sel need not be read */
	Arena *heap;           /* bytes of results; lives as long as the batch */
	const BoundExpr *expr; /* the call, for its types and position */
	void *state;           /* what the planner left, or NULL */
	int64_t *now;          /* the batch's reading of the clock; 0: none yet */
	Failures *failures;
} KernelCall;

typedef void (*Kernel)(KernelCall *call);

/* What a planner decides once, when the program is compiled. */
typedef struct KernelPlan {
	Kernel kernel;
	void *state;
	void (*release)(
		void *state); /* frees what the arena does not hold, or NULL; program_free */
} KernelPlan;

/* Chooses the kernel by the argument types and prepares what depends on constant arguments alone
 * (a compiled pattern).  State goes into the arena; it is not shared between programs.  An error is
 * reported when the query is planned. */
typedef Status (*KernelPlanner)(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err);

/* The result type for arguments that have been cast already.  Leaving *type as it is (NULL) says
 * that the overload does not fit. */
typedef Status (*ResultRule)(Arena *arena, BoundExpr *const *args, uint32_t count,
			     const Type **type, Error *err);

/* The row fails with that message (formatted into the heap) and is NULL; only the first failure
 * of a row counts. */
void kernel_fail(KernelCall *call, uint32_t row, Status status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- flags of scalar_list.h ---- */

#define SCALAR_STRICT   1u /* NULL if any argument is NULL */
#define SCALAR_VOLATILE 2u /* not the same for the same arguments: never folded */
#define SCALAR_FALLIBLE 4u /* may call kernel_fail */
#define SCALAR_OPERATOR 8u /* has a syntax of its own; cannot be called by name in SQL */

/* ---- reading and writing rows ---- */

/* for each selected row: KERNEL_EACH_ROW(call, row) { ... } */
#define KERNEL_EACH_ROW(call, row)                                                                 \
	for (uint32_t row##_i = 0, row;                                                            \
	     row##_i < (call)->count && (row = kernel_row((call), row##_i), true); row##_i++)
/* for each selected row that is not NULL in `out` */
#define KERNEL_EACH_VALID(call, row)                                                               \
	KERNEL_EACH_ROW(call, row)                                                                 \
	if (!vector_is_null((call)->out, row))

static inline uint32_t
kernel_row(const KernelCall *call, uint32_t i)
{
	return call->dense ? i : call->sel[i];
}

/* Where the argument keeps the value for `row`. */
static inline uint32_t
kernel_at(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return call->args[arg]->constant ? 0 : row;
}

static inline bool
kernel_is_null(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return vector_is_null(call->args[arg], row);
}

static inline bool
kernel_bool(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const uint8_t)[kernel_at(call, arg, row)];
}

/* Integers, DATE, TIME, TIMESTAMP, DECIMAL to 18 digits. */
static inline int64_t
kernel_int(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const int64_t)[kernel_at(call, arg, row)];
}

/* A DECIMAL or integer of any width. */
static inline Int128
kernel_wide(const KernelCall *call, uint32_t arg, uint32_t row)
{
	const Vector *v = call->args[arg];

	if (type_physical(v->type) == PHYSICAL_INT128)
		return VECTOR_DATA(v, const Int128)[kernel_at(call, arg, row)];
	return VECTOR_DATA(v, const int64_t)[kernel_at(call, arg, row)];
}

static inline double
kernel_real(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const double)[kernel_at(call, arg, row)];
}

static inline StringView
kernel_view(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const StringView)[kernel_at(call, arg, row)];
}

static inline Str
kernel_text(const KernelCall *call, uint32_t arg, uint32_t row)
{
	StringView view = kernel_view(call, arg, row);

	return (Str){view.data, view.len};
}

static inline Interval
kernel_interval(const KernelCall *call, uint32_t arg, uint32_t row)
{
	return VECTOR_DATA(call->args[arg], const Interval)[kernel_at(call, arg, row)];
}

static inline void
kernel_set_bool(KernelCall *call, uint32_t row, bool v)
{
	VECTOR_DATA(call->out, uint8_t)[row] = v;
}

static inline void
kernel_set_int(KernelCall *call, uint32_t row, int64_t v)
{
	VECTOR_DATA(call->out, int64_t)[row] = v;
}

/* Into a DECIMAL of either width; the caller has checked that it fits the type. */
static inline void
kernel_set_wide(KernelCall *call, uint32_t row, Int128 v)
{
	if (type_physical(call->out->type) == PHYSICAL_INT128)
		VECTOR_DATA(call->out, Int128)[row] = v;
	else
		VECTOR_DATA(call->out, int64_t)[row] = (int64_t)v;
}

static inline void
kernel_set_real(KernelCall *call, uint32_t row, double v)
{
	VECTOR_DATA(call->out, double)[row] = v;
}

/* `flags` is what is known of the text: 0, or those of the argument it is a part of. */
static inline void
kernel_set_view(KernelCall *call, uint32_t row, const char *data, size_t len, uint32_t flags)
{
	VECTOR_DATA(call->out, StringView)[row] = (StringView){data, (uint32_t)len, flags};
}

static inline void
kernel_set_text(KernelCall *call, uint32_t row, Str text)
{
	kernel_set_view(call, row, text.data, text.len, 0);
}

static inline void
kernel_set_interval(KernelCall *call, uint32_t row, Interval v)
{
	VECTOR_DATA(call->out, Interval)[row] = v;
}

/* Room for the bytes of a result. */
static inline char *
kernel_bytes(KernelCall *call, size_t size)
{
	return arena_alloc(call->heap, size);
}

/* An argument of the call that is a constant and not NULL, or NULL: for planners. */
static inline const Value *
kernel_constant(const BoundExpr *call, uint32_t arg)
{
	if (arg >= call->arg_count || call->args[arg]->kind != BOUND_CONSTANT ||
	    call->args[arg]->constant.is_null)
		return NULL;
	return &call->args[arg]->constant;
}

/* Makes the rows NULL in `out` where any argument is, as is done for STRICT.  False if that is all
 * of them. */
bool kernel_merge_nulls(KernelCall *call);

/* Row failures for the results of type/decimal.h and type/temporal.h that are not OK; `what` is
 * the operation, as in "price * quantity" or "DATE_TRUNC". */
void kernel_fail_decimal(KernelCall *call, uint32_t row, DecimalResult result, const char *what);
void kernel_fail_temporal(KernelCall *call, uint32_t row, TemporalResult result, const char *what);

/* ---- the row of the list, as the rest of func/ sees it ---- */

struct ScalarFunction {
	const char *name;      /* "CEIL|CEILING": the first is the canonical one */
	const char *arguments; /* the pattern, see scalar_list.h */
	ResultRule result;
	Kernel kernel; /* or NULL if there is a planner or a node kind */
	KernelPlanner planner;
	int node; /* the BoundKind it becomes, or -1 */
	unsigned flags;
	const char *category;
	const char *signature;
	const char *doc;
};

/* Row i of the list, or NULL at its end. */
const ScalarFunction *function_row(size_t i);
/* Result rules that several functions share, in func/function.c. */
#define SHARED_RESULT_LIST(RESULT)                                                                 \
	RESULT(boolean, BOOLEAN)                                                                   \
	RESULT(integer, INTEGER)                                                                   \
	RESULT(bigint, BIGINT)                                                                     \
	RESULT(double, DOUBLE)                                                                     \
	RESULT(string, STRING)                                                                     \
	RESULT(bytes, BYTES)                                                                       \
	RESULT(json, JSON)                                                                         \
	RESULT(date, DATE)                                                                         \
	RESULT(time, TIME)                                                                         \
	RESULT(timestamp, TIMESTAMP)                                                               \
	RESULT(interval, INTERVAL)

/* result_first, result_second, result_last: the type of that argument. */
#define RESULT(name, kind)                                                                         \
	Status result_##name(Arena *arena, BoundExpr *const *args, uint32_t count,                 \
			     const Type **type, Error *err);
SHARED_RESULT_LIST(RESULT)
RESULT(first, )
RESULT(second, )
RESULT(last, )
#undef RESULT

#define SCALAR(name, arguments, result, kernel, flags, category, signature, doc)                   \
	Status result(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,     \
		      Error *err);                                                                 \
	void kernel(KernelCall *call);
#define SCALAR_PLAN(name, arguments, result, planner, flags, category, signature, doc)             \
	Status result(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,     \
		      Error *err);                                                                 \
	Status planner(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err);
#define SCALAR_NODE(name, arguments, result, kind, category, signature, doc)                       \
	Status result(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,     \
		      Error *err);
#include "func/scalar_list.h"
