/* func/text.h -- what the kernels on text share: limits, views of arguments, names in messages.
 *
 * Positions and lengths in SQL count code points; the kernels here turn them into bytes.  Text that
 * is not valid UTF-8 (BYTES cast without a check) gives a meaningless but never an unsafe result.
 *
 * Threads: pure, but for the heap of the call. */
#pragma once

#include "base/utf8.h"
#include "func/function.h"
#include "func/kernel.h"

/* No single text made by a function is longer: REPEAT('x', 2000000000) is a row error. */
#define TEXT_RESULT_MAX ((size_t)16 << 20)
/* Nor do all the texts of one batch together take more; that many long ones are a mistake too. */
#define TEXT_BATCH_MAX ((size_t)512 << 20)

#define KERNEL_WHAT_MAX 32
/* The function's name as messages give it: "LPAD". */
Str kernel_name(const KernelCall *call);
/* The same as a C string in `buffer`. */
const char *kernel_what(const KernelCall *call, char buffer[static KERNEL_WHAT_MAX]);
/* Room for a result of `size` bytes, or NULL and the row has failed. */
char *text_room(KernelCall *call, uint32_t row, size_t size);
/* Offset of the first `needle` at or after byte `from`, or -1; an empty one is at `from`. */
int64_t text_find(Str text, Str needle, size_t from);
/* Number of occurrences that do not overlap; the needle is not empty. */
size_t text_count(Str text, Str needle);

/* The result is bytes [offset, offset + len) of the view. */
static inline void
text_set_part(KernelCall *call, uint32_t row, StringView whole, size_t offset, size_t len)
{
	/* An empty text needs quotes in CSV, where an empty field is NULL. */
	uint32_t flags = len > 0 ? whole.flags : whole.flags & ~VIEW_CSV_CLEAN;

	kernel_set_view(call, row, whole.data + offset, len, flags);
}

/* Appends `s` at `p` and returns where to go on. */
static inline char *
text_put(char *p, Str s)
{
	return s.len > 0 ? mempcpy(p, s.data, s.len) : p;
}

/* Byte offset of code point n, 0 for a negative n, len for one past the end. */
static inline size_t
text_offset(Str text, int64_t n)
{
	return n <= 0 ? 0 : utf8_offset(text.data, text.len, (size_t)n);
}
