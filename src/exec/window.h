/* exec/window.h -- arithmetic of windows of time. */
#pragma once

#include "plan/plan.h"

/* The greatest multiple of `step` from `offset` that is not above `time`. */
static inline int64_t
window_align(int64_t time, int64_t offset, int64_t step)
{
	int64_t rest = (time - offset) % step;

	return time - (rest < 0 ? rest + step : rest);
}

/* Whether every time belongs to one window only: TUMBLE. */
static inline bool
window_is_single(const WindowPlan *window)
{
	return window->shape == SHAPE_HOP && window->advance == window->size;
}
