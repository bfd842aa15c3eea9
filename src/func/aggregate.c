/* func/aggregate.c -- the list of aggregates: names, binding, and what all classes share. */
#include "func/aggregate.h"

#include <math.h>

#include "func/aggregate_state.h"
#include "func/function.h"
#include "func/overload.h"

#define METHODS_OPEN(family)                                                                       \
	.open = family##_open, .add = family##_add, .merge = family##_merge,                       \
	.save = family##_save, .load = family##_load
#define METHODS_PLAIN(family) METHODS_OPEN(family)
#define METHODS_SUMS(family)                                                                       \
	METHODS_OPEN(family), .retract = family##_retract, .unmerge = family##_unmerge
#define METHODS_HEAP(family)         METHODS_OPEN(family), .release = family##_release
#define METHODS_HEAP_RETRACT(family) METHODS_HEAP(family), .retract = family##_retract

static const AggregateClass classes[] = {
#define AGGREGATE(names, pattern, rule, family, kind, emitter, bits, call, sentence)               \
	{.name = names,                                                                            \
	 .arguments = pattern,                                                                     \
	 .result = rule,                                                                           \
	 .signature = call,                                                                        \
	 .doc = sentence,                                                                          \
	 .flags = bits,                                                                            \
	 .emit = emitter,                                                                          \
	 METHODS_##kind(family)},
#include "func/aggregate_list.h"
};
#define CLASS_COUNT (sizeof classes / sizeof classes[0])

static Overload
aggregate_overload(size_t i)
{
	const AggregateClass *class = &classes[i];

	return (Overload){class->name, class->arguments, class->result, class->signature, false};
}

const OverloadList aggregate_overloads = {aggregate_overload, CLASS_COUNT, &function_overloads};

const AggregateClass *
aggregate_row(size_t i)
{
	return i < CLASS_COUNT ? &classes[i] : NULL;
}

bool
aggregate_exists(Str name)
{
	return overload_exists(&aggregate_overloads, name);
}

bool
aggregate_takes_within(Str name)
{
	for (size_t i = 0; i < CLASS_COUNT; i++) {
		const char *list = classes[i].name;
		Str candidate;

		while ((classes[i].flags & AGGREGATE_WITHIN) &&
		       overload_next_name(&list, &candidate))
			if (str_eq_nocase(candidate, name))
				return true;
	}
	return false;
}

Status
aggregate_bind(Arena *arena, Str name, BoundExpr *const *args, uint32_t count, Position at,
	       AggregateCall **out, Error *err)
{
	OverloadCall found;

	TRY(overload_resolve(arena, &aggregate_overloads, name, args, count, at, &found, err));
	AggregateCall *call = ARENA_NEW(arena, AggregateCall);
	call->class = &classes[found.row];
	call->name = overload_first_name(call->class->name);
	call->type = found.type;
	call->args = found.args;
	call->arg_count = count;
	call->position = at;
	*out = call;
	return FERRIS_OK;
}

Status
aggregate_open(const AggregateCall *call, AggregateMemory *memory, Arena *arena, AggregateRun *out,
	       Error *err)
{
	*out = (AggregateRun){.call = call, .memory = memory};
	bool distinct = call->distinct || (call->class->flags & AGGREGATE_DISTINCT);
	Status status = distinct && call->arg_count > 0 ? aggregate_open_distinct(out, arena, err)
							: call->class->open(out, arena, err);
	if (status != FERRIS_OK && err->position.line == 0)
		err->position = call->position;
	return status;
}

static void
find_column(BoundExpr *expr, void *found)
{
	if (expr->kind == BOUND_COLUMN)
		*(bool *)found = true;
}

Status
aggregate_constant(Arena *arena, const AggregateCall *call, uint32_t arg, const char *what,
		   Value *out, Error *err)
{
	BoundExpr *expr = call->args[arg];
	bool varies = false;

	bound_walk(expr, find_column, &varies);
	if (varies) {
		error_set_at(err, FERRIS_ERR_ARGUMENTS, expr->position,
			     "the %s of %.*s must be a constant", what, STR_ARG(call->name));
		return error_hint(err, "it is called as %s", call->class->signature);
	}
	return bound_evaluate(arena, expr, out, err);
}

/* ---- bytes that a state owns ---- */

void *
aggregate_alloc(AggregateMemory *memory, size_t size)
{
	memory->bytes += size;
	return memory_zero(size);
}

void *
aggregate_resize(AggregateMemory *memory, void *p, size_t old_size, size_t size)
{
	memory->bytes += size - old_size;
	return memory_resize(p, size);
}

void
aggregate_free(AggregateMemory *memory, void *p, size_t size)
{
	if (p == NULL)
		return;
	memory->bytes -= size;
	memory_free(p);
}

/* ---- results ---- */

Status
aggregate_emit_decimal(const AggregateRun *run, DecimalResult result, Int128 value, Vector *out,
		       uint32_t row, Arena *heap, Str *message)
{
	const Type *type = out->type;
	Str what = run->call->text.len > 0 ? run->call->text : run->call->name;

	switch (result) {
	case DECIMAL_OK:
		VECTOR_DATA(out, Int128)[row] = value;
		return FERRIS_OK;
	case DECIMAL_DIVISION_BY_ZERO:
		*message = str_format(heap, "%.*s divides by zero", STR_ARG(what));
		vector_set_null(out, row);
		return FERRIS_ERR_DIVISION_BY_ZERO;
	default:
		*message = str_format(heap, "%.*s does not fit DECIMAL(%d,%d)", STR_ARG(what),
				      type->precision, type->scale);
		vector_set_null(out, row);
		return FERRIS_ERR_OUT_OF_RANGE;
	}
}

Status
aggregate_emit_finite(const AggregateRun *run, double value, Vector *out, uint32_t row, Arena *heap,
		      Str *message)
{
	Str what = run->call->text.len > 0 ? run->call->text : run->call->name;

	if (isinf(value)) {
		*message = str_format(heap, "%.*s does not fit DOUBLE", STR_ARG(what));
		vector_set_null(out, row);
		return FERRIS_ERR_OUT_OF_RANGE;
	}
	VECTOR_DATA(out, double)[row] = value;
	return FERRIS_OK;
}

/* ---- result types ---- */

Status
aggregate_result_sum(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
		     Error *err)
{
	(void)count, (void)err;
	*type = type_decimal(arena, DECIMAL_MAX_PRECISION, args[0]->type->scale);
	return FERRIS_OK;
}

Status
aggregate_result_average(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
			 Error *err)
{
	int scale = args[0]->type->scale;

	(void)count, (void)err;
	*type = type_decimal(arena, DECIMAL_MAX_PRECISION,
			     scale > DECIMAL_DIVISION_SCALE ? scale : DECIMAL_DIVISION_SCALE);
	return FERRIS_OK;
}

/* The type of the argument; arrays, maps and structs have no order. */
Status
aggregate_result_comparable(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
			    Error *err)
{
	(void)arena, (void)count, (void)err;
	if (args[0]->type->field_count == 0)
		*type = args[0]->type;
	return FERRIS_OK;
}
