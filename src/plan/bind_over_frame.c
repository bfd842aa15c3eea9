/* plan/bind_over_frame.c -- window functions: the rows that a call looks at.
 *
 * Offsets of ROWS and GROUPS are numbers.  Those of RANGE are added to the ORDER BY, so that the
 * ends of a frame are values to compare it with, whatever its type. */
#include "func/function.h"
#include "plan/bind_over.h"

Status
bind_over_number(Binder *binder, const Expr *expr, const char *what, int64_t least, int64_t *out)
{
	Scope none = {.what = what};
	Binder quiet = *binder;
	Error ignored;
	BoundExpr *bound;

	quiet.err = &ignored;
	if (bind_expr(&quiet, &none, expr, &bound) == FERRIS_OK && bound->kind == BOUND_CONSTANT &&
	    type_is_integer(bound->type) && !bound->constant.is_null &&
	    bound->constant.int64 >= least) {
		*out = bound->constant.int64;
		return FERRIS_OK;
	}
	return error_set_at(binder->err, FERRIS_ERR_TYPE, expr->position,
			    "%s needs a whole number from %lld", what, (long long)least);
}

static bool
has_offset(const FrameBound *bound)
{
	return bound->kind == FRAME_PRECEDING || bound->kind == FRAME_FOLLOWING;
}

static bool
is_negative(const Value *value)
{
	switch (type_physical(value->type)) {
	case PHYSICAL_INT64:
		return value->int64 < 0;
	case PHYSICAL_INT128:
		return value->int128 < 0;
	case PHYSICAL_DOUBLE:
		return !(value->real >= 0);
	case PHYSICAL_INTERVAL:
		return value->interval.months < 0 || value->interval.days < 0 ||
		       value->interval.micros < 0;
	default:
		return true;
	}
}

/* The order key plus or minus the offset of one end of a RANGE frame. */
static Status
bind_range_end(Binder *binder, const OverKey *key, const FrameBound *bound, int64_t *delay,
	       BoundExpr **out)
{
	Scope none = {.what = "a frame"};
	bool minus = (bound->kind == FRAME_PRECEDING) != key->descending;
	BoundExpr *offset;

	TRY(bind_expr(binder, &none, bound->offset, &offset));
	if (offset->kind != BOUND_CONSTANT || offset->constant.is_null ||
	    is_negative(&offset->constant))
		return error_set_at(
			binder->err, FERRIS_ERR_TYPE, bound->offset->position,
			"a RANGE needs a constant from 0: a number, or an INTERVAL over time");
	if (delay != NULL && bound->kind == FRAME_FOLLOWING) {
		if (offset->type->kind == TYPE_INTERVAL)
			*delay = offset->constant.interval.months != 0
					 ? INT64_MAX
					 : offset->constant.interval.days * MICROS_PER_DAY +
						   offset->constant.interval.micros;
		else
			*delay = type_is_integer(offset->type) ? offset->constant.int64 : INT64_MAX;
	}
	BoundExpr *args[] = {key->expr, offset};
	return function_bind(binder->arena, minus ? STR("-") : STR("+"), args, 2,
			     bound->offset->position, out, binder->err);
}

static Status
bind_range(Binder *binder, const PlanNode *node, const WindowSpec *spec, OverFrame *frame)
{
	const Type *type;

	if (node->over.order_count != 1)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, spec->start.position,
				    "RANGE with an offset needs one expression in ORDER BY");
	const OverKey *key = &node->over.order[0];
	type = key->expr->type;
	if (has_offset(&spec->start))
		TRY(bind_range_end(binder, key, &spec->start, NULL, &frame->low));
	if (has_offset(&spec->end))
		TRY(bind_range_end(binder, key, &spec->end, &frame->delay, &frame->high));
	BoundExpr **ends[] = {&frame->low, &frame->high};
	for (int i = 0; i < 2 && type != NULL; i++)
		if (*ends[i] != NULL)
			type = type_common(binder->arena, type, (*ends[i])->type);
	if (type == NULL)
		return error_set_at(binder->err, FERRIS_ERR_TYPE, spec->start.position,
				    "the RANGE has another type than the ORDER BY");
	TRY(bound_cast(binder->arena, key->expr, type, CAST_IMPLICIT, &frame->key, binder->err));
	for (int i = 0; i < 2; i++)
		if (*ends[i] != NULL)
			TRY(bound_cast(binder->arena, *ends[i], type, CAST_IMPLICIT, ends[i],
				       binder->err));
	return FERRIS_OK;
}

static Status
bind_row_end(Binder *binder, const FrameBound *bound, int64_t *out)
{
	*out = 0;
	if (!has_offset(bound))
		return FERRIS_OK;
	TRY(bind_over_number(binder, bound->offset, "a frame", 0, out));
	if (*out > UINT32_MAX)
		return error_set_at(binder->err, FERRIS_ERR_LIMIT, bound->offset->position,
				    "a frame of more than %u rows", UINT32_MAX);
	if (bound->kind == FRAME_PRECEDING)
		*out = -*out;
	return FERRIS_OK;
}

/* Without ORDER BY all rows of a partition are peers; an endless partition is taken as it comes. */
static void
default_frame(const OverList *list, const PlanNode *node, OverFrame *frame)
{
	*frame = (OverFrame){
		.unit = FRAME_RANGE, .start = FRAME_UNBOUNDED_PRECEDING, .end = FRAME_CURRENT_ROW};
	if (node->over.order_count > 0)
		return;
	frame->unit = FRAME_ROWS;
	if (list->bounded)
		frame->end = FRAME_UNBOUNDED_FOLLOWING;
}

Status
bind_over_frame(Binder *binder, const OverList *list, const PlanNode *node, const WindowSpec *spec,
		OverFrame *frame)
{
	bool offset =
		spec->unit != FRAME_NONE && (has_offset(&spec->start) || has_offset(&spec->end));

	default_frame(list, node, frame);
	if (spec->buffer_rows != NULL) {
		int64_t rows;

		if (spec->unit != FRAME_NONE)
			return error_set_at(
				binder->err, FERRIS_ERR_OPTION_CONFLICT, spec->start.position,
				"ROWS WINDOW BUFFER is a frame: there cannot be another one");
		TRY(bind_over_number(binder, spec->buffer_rows, "ROWS WINDOW BUFFER", 1, &rows));
		*frame = (OverFrame){.unit = FRAME_ROWS,
				     .start = FRAME_PRECEDING,
				     .end = FRAME_CURRENT_ROW,
				     .first = 1 - rows};
		return FERRIS_OK;
	}
	if (spec->unit == FRAME_NONE)
		return FERRIS_OK;
	frame->unit = spec->unit;
	frame->start = spec->start.kind;
	frame->end = spec->end.kind;
	if (spec->unit == FRAME_RANGE && offset)
		return bind_range(binder, node, spec, frame);
	TRY(bind_row_end(binder, &spec->start, &frame->first));
	TRY(bind_row_end(binder, &spec->end, &frame->last));
	if (spec->unit == FRAME_ROWS || node->over.order_count > 0)
		return FERRIS_OK;
	if (offset)
		return error_set_at(binder->err, FERRIS_ERR_SYNTAX, spec->start.position,
				    "GROUPS with an offset needs an ORDER BY");
	default_frame(list, node, frame);
	return FERRIS_OK;
}
