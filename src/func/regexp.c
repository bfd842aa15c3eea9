/* func/regexp.c -- REGEXP_LIKE, _REPLACE, _EXTRACT and _COUNT by PCRE2, with its JIT compiler.
 *
 * A constant pattern is compiled when the query is planned; a pattern from a column is compiled
 * again only when it changes from row to row.
 *
 * No pattern can hang the engine.  Backtracking is counted (match limit), and a long text is
 * searched in windows of starting points with a look at the clock between them; whoever goes over
 * either limit is a row error.
 *
 * Owns: the compiled pattern and its match data, released with the program.
 * Threads: the state belongs to one program, so to one task. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "base/memory.h"
#include "func/similar.h"
#include "func/text.h"

#define REGEXP_STEPS_MAX 1000000u      /* backtracking steps of one search of a short text */
#define REGEXP_WINDOW ((size_t)4096)   /* starting points tried between looks at the clock */
#define REGEXP_NANOS_MAX INT64_C(1000000000)
#define REGEXP_STACK_MAX ((size_t)1 << 20)
#define REGEXP_HEAP_KIB_MAX 16384u

typedef struct Regexp {
	pcre2_general_context *memory;
	pcre2_compile_context *compile;
	pcre2_match_context *match;
	pcre2_jit_stack *stack;
	pcre2_code *code;       /* NULL: not compiled yet */
	pcre2_match_data *data;
	bool constant;          /* pattern and flags are: compiled by the planner */
	bool global;            /* flag g */
	bool similar;           /* the pattern is SIMILAR TO's, and the flags its ESCAPE */
	Str pattern;            /* of `code`; a copy */
	Str flags;
	char *copy;             /* holds both */
	Buffer scratch;         /* a result before its length is known */
} Regexp;

/* One search through one text. */
typedef struct RegexpScan {
	Regexp *regexp;
	Str text;
	int64_t deadline;  /* 0: no look at the clock yet */
	bool checked;      /* the text is known to be UTF-8 */
	bool after_empty;  /* the match before was empty: the next one here may not be */
} RegexpScan;

static void *
regexp_alloc(size_t size, void *context)
{
	(void)context;
	return memory_alloc(size);
}

static void
regexp_free(void *p, void *context)
{
	(void)context;
	memory_free(p);
}

static void
regexp_forget(Regexp *regexp)
{
	pcre2_match_data_free(regexp->data);
	pcre2_code_free(regexp->code);
	memory_free(regexp->copy);
	regexp->data = NULL;
	regexp->code = NULL;
	regexp->copy = NULL;
}

static void
regexp_release(void *state)
{
	Regexp *regexp = state;

	regexp_forget(regexp);
	buffer_free(&regexp->scratch);
	pcre2_jit_stack_free(regexp->stack);
	pcre2_match_context_free(regexp->match);
	pcre2_compile_context_free(regexp->compile);
	pcre2_general_context_free(regexp->memory);
}

static Regexp *
regexp_new(Arena *arena)
{
	Regexp *regexp = ARENA_NEW(arena, Regexp);

	regexp->memory = pcre2_general_context_create(regexp_alloc, regexp_free, NULL);
	regexp->compile = pcre2_compile_context_create(regexp->memory);
	regexp->match = pcre2_match_context_create(regexp->memory);
	regexp->stack = pcre2_jit_stack_create(32 << 10, REGEXP_STACK_MAX, regexp->memory);
	buffer_init(&regexp->scratch, TEXT_RESULT_MAX);
	pcre2_set_newline(regexp->compile, PCRE2_NEWLINE_LF);
	pcre2_set_heap_limit(regexp->match, REGEXP_HEAP_KIB_MAX);
	pcre2_jit_stack_assign(regexp->match, NULL, regexp->stack);
	return regexp;
}

/* ---- compiling ---- */

static Status
regexp_options(Str flags, uint32_t *options, bool *global, Error *err)
{
	*options = PCRE2_UTF | PCRE2_UCP | PCRE2_USE_OFFSET_LIMIT | PCRE2_NEVER_BACKSLASH_C;
	*global = false;
	for (uint32_t i = 0; i < flags.len; i++) {
		switch (flags.data[i]) {
		case 'g': *global = true; break;
		case 'i': *options |= PCRE2_CASELESS; break;
		case 'c': *options &= ~PCRE2_CASELESS; break;
		case 'm': *options |= PCRE2_MULTILINE; break;
		case 's': *options |= PCRE2_DOTALL; break;
		case 'x': *options |= PCRE2_EXTENDED; break;
		default:
			return error_set(err, FERRIS_ERR_BAD_ARGUMENT,
			                 "unknown flag '%c' of a regular expression; the flags "
			                 "are g (all matches), i (ignore case), c (heed case), m "
			                 "(^ and $ at lines), s (. matches a newline), x (blanks "
			                 "are ignored)",
			                 flags.data[i]);
		}
	}
	return FERRIS_OK;
}

static Status
regexp_compile(Regexp *regexp, Str pattern, Str flags, Error *err)
{
	uint32_t options;
	int code;
	PCRE2_SIZE offset;

	if (regexp->code != NULL && str_eq(pattern, regexp->pattern) &&
	    str_eq(flags, regexp->flags))
		return FERRIS_OK;
	regexp_forget(regexp);
	TRY(regexp_options(regexp->similar ? STR("s") : flags, &options, &regexp->global, err));
	Str source = pattern;
	if (regexp->similar) {
		TRY(similar_translate(pattern, flags, &regexp->scratch, err));
		source = (Str){regexp->scratch.data, (uint32_t)regexp->scratch.len};
	}
	regexp->code = pcre2_compile((PCRE2_SPTR)(source.len > 0 ? source.data : ""), source.len,
	                             options, &code, &offset, regexp->compile);
	if (regexp->code == NULL) {
		char text[160];
		pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
		return error_set(err, FERRIS_ERR_BAD_ARGUMENT,
		                 "'%.*s' is not a regular expression: %s, at byte %zu",
		                 (int)(source.len < 120 ? source.len : 120), source.data, text,
		                 (size_t)offset + 1);
	}
	/* Where there is no JIT (or it cannot do a pattern) the interpreter runs instead. */
	pcre2_jit_compile(regexp->code, PCRE2_JIT_COMPLETE);
	regexp->data = pcre2_match_data_create_from_pattern(regexp->code, regexp->memory);
	regexp->copy = memory_alloc((size_t)pattern.len + flags.len + 1);
	regexp->pattern = (Str){regexp->copy, pattern.len};
	regexp->flags = (Str){text_put(regexp->copy, pattern), flags.len};
	text_put(regexp->copy + pattern.len, flags);
	return FERRIS_OK;
}

/* The pattern of this row is in regexp->code, or the row has failed. */
static bool
regexp_prepare(KernelCall *call, uint32_t row, uint32_t flags_arg)
{
	Regexp *regexp = call->state;
	Str flags = {0};
	Error err = {0};

	if (regexp->constant)
		return true;
	if (call->arg_count > flags_arg)
		flags = kernel_text(call, flags_arg, row);
	if (regexp_compile(regexp, kernel_text(call, 1, row), flags, &err) == FERRIS_OK)
		return true;
	kernel_fail(call, row, err.status, "%s", err.message);
	return false;
}

static Status
plan_regexp(Arena *arena, const BoundExpr *call, uint32_t flags_arg, Kernel kernel, bool similar,
            KernelPlan *plan, Error *err)
{
	Regexp *regexp = regexp_new(arena);
	const Value *pattern = kernel_constant(call, 1);
	const Value *flags = kernel_constant(call, flags_arg);
	bool has_flags = call->arg_count > flags_arg;

	regexp->similar = similar;
	*plan = (KernelPlan){.kernel = kernel, .state = regexp, .release = regexp_release};
	if (pattern == NULL || (has_flags && flags == NULL))
		return FERRIS_OK;
	regexp->constant = true;
	if (regexp_compile(regexp, pattern->text, has_flags ? flags->text : (Str){0}, err) !=
	    FERRIS_OK) {
		regexp_release(regexp);
		*plan = (KernelPlan){0};
		err->position = call->args[1]->position;
		return err->status;
	}
	return FERRIS_OK;
}

static Status
regexp_plan(Arena *arena, const BoundExpr *call, uint32_t flags_arg, Kernel kernel,
            KernelPlan *plan, Error *err)
{
	return plan_regexp(arena, call, flags_arg, kernel, false, plan, err);
}

/* ---- searching ---- */

/* A step may walk along the text, so a long text gets fewer of them. */
static uint32_t
step_limit(size_t len)
{
	size_t steps = (size_t)4000000000u / (len + 1);

	if (steps > REGEXP_STEPS_MAX)
		return REGEXP_STEPS_MAX;
	return steps < 2 * REGEXP_WINDOW ? (uint32_t)(2 * REGEXP_WINDOW) : (uint32_t)steps;
}

/* PCRE2's result of searching from byte `from` on: > 0 found, PCRE2_ERROR_NOMATCH, other errors. */
static int
regexp_search(RegexpScan *scan, size_t from)
{
	Regexp *regexp = scan->regexp;
	uint32_t extra = scan->after_empty ? PCRE2_NOTEMPTY_ATSTART : 0;
	PCRE2_SPTR text = (PCRE2_SPTR)(scan->text.len > 0 ? scan->text.data : "");
	size_t len = scan->text.len;

	pcre2_set_match_limit(regexp->match, step_limit(len));
	for (;;) {
		bool whole = len - from <= REGEXP_WINDOW;
		size_t limit = whole ? PCRE2_UNSET
		                     : from + utf8_cut(scan->text.data + from, len - from,
		                                       REGEXP_WINDOW);

		pcre2_set_offset_limit(regexp->match, limit);
		int found = pcre2_match(regexp->code, text, len, from,
		                        extra | (scan->checked ? PCRE2_NO_UTF_CHECK : 0),
		                        regexp->data, regexp->match);
		scan->checked = true;
		if (found != PCRE2_ERROR_NOMATCH || whole)
			return found;
		extra = 0; /* a second window starts beyond the match before */
		from = limit;
		int64_t now = clock_thread_ns(); /* other programs must not fail a row */
		if (scan->deadline == 0)
			scan->deadline = now + REGEXP_NANOS_MAX;
		else if (now > scan->deadline)
			return PCRE2_ERROR_MATCHLIMIT;
	}
}

static void
regexp_fail(KernelCall *call, uint32_t row, int code)
{
	Str name = kernel_name(call);
	char text[160];

	switch (code) {
	case PCRE2_ERROR_MATCHLIMIT:
	case PCRE2_ERROR_DEPTHLIMIT:
	case PCRE2_ERROR_HEAPLIMIT:
	case PCRE2_ERROR_JIT_STACKLIMIT:
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
		            "%.*s takes too many steps on this text; write the pattern without "
		            "nested repetition such as (a+)+", STR_ARG(name));
		return;
	default:
		pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof text);
		kernel_fail(call, row,
		            code <= PCRE2_ERROR_UTF8_ERR1 && code >= PCRE2_ERROR_UTF8_ERR21
		                    ? FERRIS_ERR_UTF8 : FERRIS_ERR_BAD_ARGUMENT,
		            "%.*s: %s", STR_ARG(name), text);
	}
}

/* The next match at or after `*from`, which moves to its end; false if there is none or the row has
 * failed. */
static bool
regexp_next(KernelCall *call, uint32_t row, RegexpScan *scan, size_t *from, size_t *begin,
            size_t *end, bool *failed)
{
	int found = regexp_search(scan, *from);

	if (found < 0) {
		*failed = found != PCRE2_ERROR_NOMATCH;
		if (*failed)
			regexp_fail(call, row, found);
		return false;
	}
	const PCRE2_SIZE *range = pcre2_get_ovector_pointer(scan->regexp->data);
	/* \K in a lookahead can put the start behind the end, or the end before where we were. */
	*end = range[1] > *from ? range[1] : *from;
	*begin = range[0] < *end ? range[0] : *end;
	scan->after_empty = *begin == *end;
	*from = *end;
	return true;
}

/* ---- REGEXP_LIKE(s, pattern [, flags]), REGEXP ---- */

static void
regexp_like_rows(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		if (!regexp_prepare(call, row, 2))
			continue;
		RegexpScan scan = {.regexp = call->state, .text = kernel_text(call, 0, row)};
		int found = regexp_search(&scan, 0);
		if (found < 0 && found != PCRE2_ERROR_NOMATCH)
			regexp_fail(call, row, found);
		else
			kernel_set_bool(call, row, found >= 0);
	}
}

Status
plan_regexp_like(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return regexp_plan(arena, call, 2, regexp_like_rows, plan, err);
}

/* ---- s SIMILAR TO pattern [ESCAPE c] ---- */

Status
plan_similar(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return plan_regexp(arena, call, 2, regexp_like_rows, true, plan, err);
}

/* ---- REGEXP_COUNT(s, pattern [, flags]) ---- */

static void
regexp_count_rows(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		if (!regexp_prepare(call, row, 2))
			continue;
		RegexpScan scan = {.regexp = call->state, .text = kernel_text(call, 0, row)};
		size_t from = 0, begin, end;
		bool failed = false;
		int64_t count = 0;

		while (regexp_next(call, row, &scan, &from, &begin, &end, &failed))
			count++;
		if (!failed)
			kernel_set_int(call, row, count);
	}
}

Status
plan_regexp_count(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return regexp_plan(arena, call, 2, regexp_count_rows, plan, err);
}

/* ---- REGEXP_EXTRACT(s, pattern [, group]) ---- */

/* The whole match, or a group of it; NULL if nothing matches or the group took no part. */
static void
regexp_extract_rows(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Regexp *regexp = call->state;
		StringView s = kernel_view(call, 0, row);
		int64_t group = call->arg_count > 2 ? kernel_int(call, 2, row) : 0;
		uint32_t groups;

		/* The flags have no argument here: one past the last. */
		if (!regexp_prepare(call, row, 3))
			continue;
		pcre2_pattern_info(regexp->code, PCRE2_INFO_CAPTURECOUNT, &groups);
		if (group < 0 || group > groups) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "REGEXP_EXTRACT of group %lld of a pattern with %u",
			            (long long)group, groups);
			continue;
		}
		RegexpScan scan = {.regexp = regexp, .text = {s.data, s.len}};
		int found = regexp_search(&scan, 0);
		const PCRE2_SIZE *range = pcre2_get_ovector_pointer(regexp->data) + 2 * group;
		if (found < 0 && found != PCRE2_ERROR_NOMATCH)
			regexp_fail(call, row, found);
		else if (found < 0 || range[0] == PCRE2_UNSET || range[0] > range[1])
			vector_set_null(call->out, row);
		else
			text_set_part(call, row, s, range[0], range[1] - range[0]);
	}
}

Status
plan_regexp_extract(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return regexp_plan(arena, call, 3, regexp_extract_rows, plan, err);
}

/* ---- REGEXP_REPLACE(s, pattern, replacement [, flags]) ---- */

static void
append(Buffer *out, const char *data, size_t len)
{
	if (len > 0)
		buffer_append(out, data, len);
}

/* Appends the replacement: \0 or \& is the match, \1 .. \9 a group, \\ a backslash. */
static void
append_replacement(Buffer *out, Str replacement, Str text, const PCRE2_SIZE *range, uint32_t groups)
{
	for (uint32_t i = 0; i < replacement.len; i++) {
		Str piece = {replacement.data + i, 1};
		if (piece.data[0] == '\\' && i + 1 < replacement.len) {
			char c = replacement.data[i + 1];
			uint32_t group = c == '&' ? 0 : (uint32_t)(c - '0');
			if (c == '&' || (c >= '0' && c <= '9')) {
				const PCRE2_SIZE *part = range + (size_t)2 * group;
				piece.len = 0;
				if (group <= groups && part[0] != PCRE2_UNSET && part[0] < part[1])
					piece = (Str){text.data + part[0],
					              (uint32_t)(part[1] - part[0])};
				i++;
			} else if (c == '\\') {
				i++;
			}
		}
		append(out, piece.data, piece.len);
	}
}

/* The text with its match, or all of them, replaced, in regexp->scratch; false if there is no match
 * or the row has failed. */
static bool
replace_matches(KernelCall *call, uint32_t row, Regexp *regexp, Str text)
{
	RegexpScan scan = {.regexp = regexp, .text = text};
	Str replacement = kernel_text(call, 2, row);
	Buffer *out = &regexp->scratch;
	size_t from = 0, begin, end, kept = 0;
	bool failed = false;
	bool any = false;
	uint32_t groups;

	buffer_reset(out);
	pcre2_pattern_info(regexp->code, PCRE2_INFO_CAPTURECOUNT, &groups);
	while (!out->overflow && regexp_next(call, row, &scan, &from, &begin, &end, &failed)) {
		any = true;
		if (begin < kept) /* a lookbehind with \K */
			begin = kept;
		append(out, text.data + kept, begin - kept);
		append_replacement(out, replacement, text, pcre2_get_ovector_pointer(regexp->data),
		                   groups);
		kept = end > kept ? end : kept;
		if (!regexp->global)
			break;
	}
	if (failed || !any)
		return false;
	append(out, text.data + kept, text.len - kept);
	return true;
}

static void
regexp_replace_rows(KernelCall *call)
{
	Regexp *regexp = call->state;
	char what[KERNEL_WHAT_MAX];

	KERNEL_EACH_VALID(call, row) {
		if (!regexp_prepare(call, row, 3))
			continue;
		StringView s = kernel_view(call, 0, row);
		if (!replace_matches(call, row, regexp, (Str){s.data, s.len})) {
			/* Also where the row has failed: then it is not read. */
			text_set_part(call, row, s, 0, s.len);
			continue;
		}
		if (regexp->scratch.overflow) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "the result of %s has more bytes than the limit of %zu",
			            kernel_what(call, what), TEXT_RESULT_MAX);
			continue;
		}
		char *out = text_room(call, row, regexp->scratch.len);
		if (out == NULL)
			continue;
		text_put(out, (Str){regexp->scratch.data, (uint32_t)regexp->scratch.len});
		kernel_set_view(call, row, out, regexp->scratch.len, 0);
	}
}

Status
plan_regexp_replace(Arena *arena, const BoundExpr *call, KernelPlan *plan, Error *err)
{
	return regexp_plan(arena, call, 3, regexp_replace_rows, plan, err);
}
