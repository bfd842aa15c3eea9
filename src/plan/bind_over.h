/* plan/bind_over.h -- what the files that bind window functions share.
 *
 *     bind_over.c        windows, QUALIFY, the nodes
 *     bind_over_call.c   one call: the function and its arguments
 *     bind_over_frame.c  the rows it looks at */
#pragma once

#include "plan/bind.h"

/* A node to be. */
typedef struct Window {
	PlanNode node;
	uint32_t call_capacity;
	uint32_t *numbers; /* of its calls among all of the query */
	Position position;
	Position expire; /* of EXPIRE AFTER */
} Window;

struct OverList {
	const Select *select;
	PlanNode *input;
	Scope scope; /* below the windows */
	bool bounded;
	bool in_qualify;
	Window **windows;
	uint32_t window_count;
	uint32_t window_capacity;
	uint32_t call_count;
};

/* The call of `expr` over the rows below the windows; `node` has the keys of its window. */
Status bind_over_call(Binder *binder, OverList *list, const Expr *expr, const PlanNode *node,
		      const WindowSpec *spec, OverCall *call);
/* The frame that is written, or the default. */
Status bind_over_frame(Binder *binder, const OverList *list, const PlanNode *node,
		       const WindowSpec *spec, OverFrame *frame);
/* A constant whole number from `least` on; `what` names it in the error. */
Status bind_over_number(Binder *binder, const Expr *expr, const char *what, int64_t least,
			int64_t *out);
