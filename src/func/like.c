/* func/like.c -- LIKE, ILIKE and || .
 *
 * A constant pattern is compiled when the query is planned.  Most are one literal with % at its
 * ends, or none; these are a comparison or a search of bytes.  The others are walked code point by
 * code point, going back to the last % on a mismatch. */
#include <utf8proc.h>

#include "base/utf8.h"
#include "func/text.h"

#define LIKE_ANY_ONE  UINT32_MAX         /* _ */
#define LIKE_ANY_MANY (UINT32_MAX - 1)   /* % */
#define LIKE_RAW_BYTE UINT32_C(0x200000) /* | a byte that is not UTF-8 */

typedef enum LikeShape {
	LIKE_EQUAL,
	LIKE_PREFIX,   /* abc% */
	LIKE_SUFFIX,   /* %abc */
	LIKE_CONTAINS, /* %abc% */
	LIKE_GENERAL,
} LikeShape;

typedef struct LikePattern {
	LikeShape shape;
	bool fold;          /* ILIKE */
	Str literal;        /* of the shapes but GENERAL */
	uint32_t *elements; /* GENERAL: code points, LIKE_ANY_ONE, LIKE_ANY_MANY */
	uint32_t count;
} LikePattern;

typedef struct LikeState {
	bool fold;
	bool ready; /* the pattern is constant and compiled */
	LikePattern pattern;
} LikeState;

/* The code point at text[at]; moves on. */
static uint32_t
next_point(Str text, uint32_t *at, bool fold)
{
	size_t size;
	uint8_t byte = (uint8_t)text.data[*at];

	if (byte < 0x80) {
		(*at)++;
		return fold && byte >= 'A' && byte <= 'Z' ? byte + 32u : byte;
	}
	uint32_t point = utf8_decode(text.data + *at, text.len - *at, &size);
	if (point == UTF8_INVALID) {
		(*at)++;
		return LIKE_RAW_BYTE | byte;
	}
	*at += (uint32_t)size;
	return fold ? (uint32_t)utf8proc_tolower((int32_t)point) : point;
}

/* The shape of a pattern without _, and its literal; the elements hold code points until then. */
static void
like_find_shape(Arena *arena, LikePattern *pattern)
{
	const uint32_t *elements = pattern->elements;
	uint32_t first = 0;
	uint32_t last = pattern->count;

	pattern->shape = LIKE_GENERAL;
	if (pattern->fold)
		return;
	while (first < last && elements[first] == LIKE_ANY_MANY)
		first++;
	while (last > first && elements[last - 1] == LIKE_ANY_MANY)
		last--;
	for (uint32_t i = first; i < last; i++)
		if (elements[i] == LIKE_ANY_ONE || elements[i] == LIKE_ANY_MANY ||
		    elements[i] & LIKE_RAW_BYTE)
			return;
	bool open_start = first > 0;
	bool open_end = last < pattern->count;
	char *literal = arena_alloc(arena, (size_t)(last - first) * UTF8_MAX_BYTES);
	uint32_t len = 0;
	for (uint32_t i = first; i < last; i++)
		len += (uint32_t)utf8_encode(elements[i], literal + len);
	pattern->literal = (Str){literal, len};
	pattern->shape = open_start && open_end ? LIKE_CONTAINS
			 : open_start           ? LIKE_SUFFIX
			 : open_end             ? (len == 0 ? LIKE_CONTAINS : LIKE_PREFIX)
						: LIKE_EQUAL;
}

/* False if the escape character stands at the end, where there is nothing to escape. */
static bool
like_compile(Arena *arena, Str text, uint32_t escape, bool fold, LikePattern *pattern)
{
	uint32_t at = 0;

	pattern->fold = fold;
	pattern->count = 0;
	pattern->elements = arena_alloc(arena, sizeof(uint32_t) * ((size_t)text.len + 1));
	while (at < text.len) {
		uint32_t raw_at = at;
		uint32_t raw = next_point(text, &raw_at, false);
		uint32_t point = next_point(text, &at, fold);

		if (raw == escape) {
			if (at == text.len)
				return false;
			point = next_point(text, &at, fold);
		} else if (raw == '%') {
			point = LIKE_ANY_MANY;
		} else if (raw == '_') {
			point = LIKE_ANY_ONE;
		}
		pattern->elements[pattern->count++] = point;
	}
	like_find_shape(arena, pattern);
	return true;
}

/* On a mismatch the last % takes one code point more, and matching goes on behind it. */
static bool
like_general(const LikePattern *pattern, Str text)
{
	uint32_t p = 0;
	uint32_t at = 0;
	uint32_t retry_p = UINT32_MAX;
	uint32_t retry_at = 0;

	while (at < text.len) {
		if (p < pattern->count && pattern->elements[p] == LIKE_ANY_MANY) {
			retry_p = ++p;
			retry_at = at;
			continue;
		}
		uint32_t after = at;
		uint32_t point = next_point(text, &after, pattern->fold);
		if (p < pattern->count &&
		    (pattern->elements[p] == LIKE_ANY_ONE || pattern->elements[p] == point)) {
			p++;
			at = after;
		} else if (retry_p != UINT32_MAX) {
			next_point(text, &retry_at, false);
			p = retry_p;
			at = retry_at;
		} else {
			return false;
		}
	}
	while (p < pattern->count && pattern->elements[p] == LIKE_ANY_MANY)
		p++;
	return p == pattern->count;
}

static bool
like_matches(const LikePattern *pattern, Str text)
{
	switch (pattern->shape) {
	case LIKE_EQUAL:
		return str_eq(text, pattern->literal);
	case LIKE_PREFIX:
		return str_starts_with(text, pattern->literal);
	case LIKE_SUFFIX:
		return pattern->literal.len == 0 || str_ends_with(text, pattern->literal);
	case LIKE_CONTAINS:
		return pattern->literal.len == 0 ||
		       (text.len > 0 && memmem(text.data, text.len, pattern->literal.data,
					       pattern->literal.len) != NULL);
	case LIKE_GENERAL:
		return like_general(pattern, text);
	}
	return false;
}

/* The escape character of the text, or none (empty text); false if it is more than one. */
static bool
escape_point(Str text, uint32_t *escape)
{
	uint32_t at = 0;

	*escape = LIKE_ANY_ONE; /* not a code point: never met */
	if (text.len == 0)
		return true;
	*escape = next_point(text, &at, false);
	return at == text.len;
}

static const char bad_escape[] = "the ESCAPE of LIKE must be one character";
static const char bad_end[] = "the pattern of LIKE ends with its escape character";

/* The pattern of one row, when it is not constant. */
static bool
row_pattern(KernelCall *call, uint32_t row, LikePattern *pattern)
{
	const LikeState *state = call->state;
	uint32_t escape = LIKE_ANY_ONE;

	if (call->arg_count == 3 && !escape_point(kernel_text(call, 2, row), &escape)) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "%s", bad_escape);
		return false;
	}
	if (!like_compile(call->heap, kernel_text(call, 1, row), escape, state->fold, pattern)) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT, "%s", bad_end);
		return false;
	}
	return true;
}

static void
like_kernel(KernelCall *call)
{
	const LikeState *state = call->state;
	LikePattern own;

	KERNEL_EACH_VALID(call, row)
	{
		if (state->ready)
			kernel_set_bool(call, row,
					like_matches(&state->pattern, kernel_text(call, 0, row)));
		else if (row_pattern(call, row, &own))
			kernel_set_bool(call, row, like_matches(&own, kernel_text(call, 0, row)));
	}
}

static Status
plan_like_pattern(Arena *arena, const BoundExpr *call, KernelPlan *plan, bool fold, Error *err)
{
	LikeState *state = ARENA_NEW(arena, LikeState);
	const Value *pattern = kernel_constant(call, 1);
	const Value *escape_text = kernel_constant(call, 2);
	uint32_t escape = LIKE_ANY_ONE;

	state->fold = fold;
	plan->kernel = like_kernel;
	plan->state = state;
	if (escape_text != NULL && !escape_point(escape_text->text, &escape))
		return error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[2]->position, "%s",
				    bad_escape);
	if (pattern == NULL || (call->arg_count == 3 && escape_text == NULL))
		return FERRIS_OK;
	if (!like_compile(arena, pattern->text, escape, fold, &state->pattern))
		return error_set_at(err, FERRIS_ERR_BAD_ARGUMENT, call->args[1]->position, "%s",
				    bad_end);
	state->ready = true;
	return FERRIS_OK;
}

Status
plan_like(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_like_pattern(arena, call, plan, false, err);
}

Status
plan_ilike(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_like_pattern(arena, call, plan, true, err);
}

/* ---- || ---- */

/* Of STRING with STRING or BYTES with BYTES. */
void
text_concat(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
	{
		StringView a = kernel_view(call, 0, row);
		StringView b = kernel_view(call, 1, row);
		char *room = text_room(call, row, (size_t)a.len + b.len);

		if (room == NULL)
			continue;
		char *end = text_put(text_put(room, (Str){a.data, a.len}), (Str){b.data, b.len});
		kernel_set_view(call, row, room, (size_t)(end - room), a.flags & b.flags);
	}
}
