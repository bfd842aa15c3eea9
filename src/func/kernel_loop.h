/* func/kernel_loop.h -- the shapes of loops that hot kernels are made of.
 *
 * Dense batches and constant operands get loops of their own, without a test inside, which the
 * compiler turns into vector instructions.  BODY sees the operands `a` and `b` (or `a` alone) and
 * the row number `i`; it runs on every selected row, NULL or not, so it must not fail, follow a
 * pointer, or overflow a signed integer. */
#pragma once

#include "func/kernel.h"

#define BINARY_LOOP(call, A, B, BODY)                                                              \
	do {                                                                                       \
		const A *x_ = (call)->args[0]->data;                                               \
		const B *y_ = (call)->args[1]->data;                                               \
		const bool x_one_ = (call)->args[0]->constant;                                     \
		const bool y_one_ = (call)->args[1]->constant;                                     \
		const size_t n_ = (call)->count;                                                   \
		if (!(call)->dense || (x_one_ && y_one_)) {                                        \
			const uint16_t *sel_ = (call)->sel;                                        \
			const size_t x_mask_ = x_one_ ? 0 : SIZE_MAX;                              \
			const size_t y_mask_ = y_one_ ? 0 : SIZE_MAX;                              \
			for (size_t k_ = 0; k_ < n_; k_++) {                                       \
				const size_t i = (call)->dense ? k_ : sel_[k_];                    \
				const A a = x_[i & x_mask_];                                       \
				const B b = y_[i & y_mask_];                                       \
				BODY;                                                              \
			}                                                                          \
		} else if (y_one_) {                                                               \
			const B b = y_[0];                                                         \
			for (size_t i = 0; i < n_; i++) {                                          \
				const A a = x_[i];                                                 \
				BODY;                                                              \
			}                                                                          \
		} else if (x_one_) {                                                               \
			const A a = x_[0];                                                         \
			for (size_t i = 0; i < n_; i++) {                                          \
				const B b = y_[i];                                                 \
				BODY;                                                              \
			}                                                                          \
		} else {                                                                           \
			for (size_t i = 0; i < n_; i++) {                                          \
				const A a = x_[i];                                                 \
				const B b = y_[i];                                                 \
				BODY;                                                              \
			}                                                                          \
		}                                                                                  \
	} while (0)

#define UNARY_LOOP(call, arg, A, BODY)                                                             \
	do {                                                                                       \
		const A *x_ = (call)->args[arg]->data;                                             \
		const size_t n_ = (call)->count;                                                   \
		if (!(call)->dense || (call)->args[arg]->constant) {                               \
			const uint16_t *sel_ = (call)->sel;                                        \
			const size_t x_mask_ = (call)->args[arg]->constant ? 0 : SIZE_MAX;         \
			for (size_t k_ = 0; k_ < n_; k_++) {                                       \
				const size_t i = (call)->dense ? k_ : sel_[k_];                    \
				const A a = x_[i & x_mask_];                                       \
				BODY;                                                              \
			}                                                                          \
		} else {                                                                           \
			for (size_t i = 0; i < n_; i++) {                                          \
				const A a = x_[i];                                                 \
				BODY;                                                              \
			}                                                                          \
		}                                                                                  \
	} while (0)
