/* func/string.c -- functions that measure text, search it or return a part of it.
 *
 * None of them makes bytes: what they return is a view of their argument.  Functions that make new
 * text are in func/string_make.c. */
#include "func/text.h"

/* ---- shared with the other text kernels (func/text.h) ---- */

Str
kernel_name(const KernelCall *call)
{
	return function_name(call->expr->function);
}

const char *
kernel_what(const KernelCall *call, char buffer[static KERNEL_WHAT_MAX])
{
	Str name = kernel_name(call);

	snprintf(buffer, KERNEL_WHAT_MAX, "%.*s", STR_ARG(name));
	return buffer;
}

char *
text_room(KernelCall *call, uint32_t row, size_t size)
{
	Str name = kernel_name(call);

	if (size > TEXT_RESULT_MAX) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
		            "the result of %.*s has %zu bytes, more than the limit of %zu",
		            STR_ARG(name), size, TEXT_RESULT_MAX);
		return NULL;
	}
	if (size > 4096 && arena_bytes(call->heap) + size > TEXT_BATCH_MAX) {
		kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
		            "the results of %.*s in one batch take more than %zu bytes",
		            STR_ARG(name), TEXT_BATCH_MAX);
		return NULL;
	}
	return kernel_bytes(call, size > 0 ? size : 1); /* not NULL for an empty text */
}

int64_t
text_find(Str text, Str needle, size_t from)
{
	if (from > text.len || text.len - from < needle.len)
		return -1;
	if (needle.len == 0)
		return (int64_t)from;
	const char *at = memmem(text.data + from, text.len - from, needle.data, needle.len);
	return at == NULL ? -1 : at - text.data;
}

size_t
text_count(Str text, Str needle)
{
	size_t count = 0;

	for (int64_t at = 0; (at = text_find(text, needle, (size_t)at)) >= 0; at += needle.len)
		count++;
	return count;
}

/* ---- measures ---- */

void
string_length(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);

		kernel_set_int(call, row, (int64_t)utf8_count(s.data, s.len));
	}
}

void
string_octet_length(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_int(call, row, kernel_view(call, 0, row).len);
}

void
string_bit_length(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_int(call, row, (int64_t)kernel_view(call, 0, row).len * 8);
}

/* The first code point; 0 of an empty text. */
void
string_ascii(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		size_t size;
		uint32_t code_point = s.len > 0 ? utf8_decode(s.data, s.len, &size) : 0;

		if (code_point == UTF8_INVALID)
			kernel_fail(call, row, FERRIS_ERR_UTF8, "ASCII of text that is not UTF-8");
		else
			kernel_set_int(call, row, code_point);
	}
}

/* ---- parts ---- */

/* Characters first .. first + count - 1 counted from 1; those before the text do not exist, but
 * count: SUBSTRING('abc', -1, 3) is 'a'. */
void
string_substring(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		int64_t first = kernel_int(call, 1, row);
		int64_t end = INT64_MAX;

		if (call->arg_count > 2) {
			int64_t count = kernel_int(call, 2, row);
			if (count < 0) {
				kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
				            "SUBSTRING with the negative length %lld",
				            (long long)count);
				continue;
			}
			if (__builtin_add_overflow(first, count, &end))
				end = INT64_MAX;
		}
		size_t begin = first > 1 ? text_offset(text, first - 1) : 0;
		size_t stop = begin;
		if (end == INT64_MAX)
			stop = text.len;
		else if (end > 1 && end > first) /* the second: first - 1 must not wrap */
			stop = first > 1 ? begin + text_offset(str_skip(text, (uint32_t)begin),
			                                       end - first)
			                 : text_offset(text, end - 1);
		text_set_part(call, row, s, begin, stop - begin);
	}
}

/* n < 0: all but the last -n characters. */
void
string_left(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		int64_t n = kernel_int(call, 1, row);

		if (n < 0)
			n += (int64_t)utf8_count(s.data, s.len);
		text_set_part(call, row, s, 0, text_offset(text, n));
	}
}

/* n < 0: all but the first -n characters. */
void
string_right(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		int64_t n = kernel_int(call, 1, row);
		int64_t skip;

		if (n >= 0)
			skip = (int64_t)utf8_count(s.data, s.len) - n;
		else
			skip = n == INT64_MIN ? INT64_MAX : -n;
		size_t begin = text_offset(text, skip);
		text_set_part(call, row, s, begin, s.len - begin);
	}
}

/* ---- trimming ---- */

#define TRIM_LEFT 1u
#define TRIM_RIGHT 2u

/* The characters that are trimmed, prepared once for all rows with the same set. */
typedef struct TrimSet {
	Str chars;
	bool ascii;
	bool member[128];
} TrimSet;

static void
trim_set_init(TrimSet *set, Str chars)
{
	*set = (TrimSet){.chars = chars, .ascii = utf8_is_ascii(chars.data, chars.len)};
	for (uint32_t i = 0; set->ascii && i < chars.len; i++)
		set->member[(unsigned char)chars.data[i]] = true;
}

/* A whole code point is looked for in the set, so that no character is cut in two. */
static bool
trim_has(const TrimSet *set, const char *data, size_t size)
{
	if (set->ascii)
		return size == 1 && (unsigned char)data[0] < 128 &&
		       set->member[(unsigned char)data[0]];
	for (size_t i = 0, step; i < set->chars.len; i += step) {
		utf8_decode(set->chars.data + i, set->chars.len - i, &step);
		if (step == size && memcmp(set->chars.data + i, data, size) == 0)
			return true;
	}
	return false;
}

static void
trim_text(KernelCall *call, uint32_t row, const TrimSet *set, unsigned sides)
{
	StringView s = kernel_view(call, 0, row);
	size_t begin = 0;
	size_t end = s.len;
	size_t size;

	while ((sides & TRIM_LEFT) && begin < end) {
		utf8_decode(s.data + begin, end - begin, &size);
		if (!trim_has(set, s.data + begin, size))
			break;
		begin += size;
	}
	while ((sides & TRIM_RIGHT) && end > begin) {
		size_t start = begin + utf8_previous(s.data + begin, end - begin);
		if (!trim_has(set, s.data + start, end - start))
			break;
		end = start;
	}
	text_set_part(call, row, s, begin, end - begin);
}

static void
trim_rows(KernelCall *call, unsigned sides)
{
	TrimSet set;
	Str last = STR(" ");

	trim_set_init(&set, last);
	KERNEL_EACH_VALID(call, row) {
		if (call->arg_count > 1) {
			Str chars = kernel_text(call, 1, row);
			if (chars.data != last.data || chars.len != last.len) {
				trim_set_init(&set, chars);
				last = chars;
			}
		}
		trim_text(call, row, &set, sides);
	}
}

void
string_trim(KernelCall *call)
{
	trim_rows(call, TRIM_LEFT | TRIM_RIGHT);
}

void
string_ltrim(KernelCall *call)
{
	trim_rows(call, TRIM_LEFT);
}

void
string_rtrim(KernelCall *call)
{
	trim_rows(call, TRIM_RIGHT);
}

/* ---- searching ---- */

static int64_t
position_of(Str text, Str needle, size_t from)
{
	int64_t at = text_find(text, needle, from);

	return at < 0 ? 0 : (int64_t)utf8_count(text.data, (size_t)at) + 1;
}

/* POSITION(part, text [, from]) */
void
string_position(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str needle = kernel_text(call, 0, row);
		Str text = kernel_text(call, 1, row);
		int64_t from = call->arg_count > 2 ? kernel_int(call, 2, row) : 1;

		if (from < 1) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "POSITION from %lld: characters are counted from 1",
			            (long long)from);
			continue;
		}
		size_t offset = text_offset(text, from - 1);
		/* One past the end is a place for an empty part, beyond it is none. */
		if (offset == text.len && from > 1 &&
		    (uint64_t)from > utf8_count(text.data, text.len) + 1)
			kernel_set_int(call, row, 0);
		else
			kernel_set_int(call, row, position_of(text, needle, offset));
	}
}

/* STRPOS(text, part) */
void
string_strpos(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_int(call, row, position_of(kernel_text(call, 0, row),
		                                      kernel_text(call, 1, row), 0));
}

void
string_starts_with(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_bool(call, row, str_starts_with(kernel_text(call, 0, row),
		                                           kernel_text(call, 1, row)));
}

void
string_ends_with(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_bool(call, row, str_ends_with(kernel_text(call, 0, row),
		                                         kernel_text(call, 1, row)));
}

void
string_contains(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		kernel_set_bool(call, row, text_find(kernel_text(call, 0, row),
		                                     kernel_text(call, 1, row), 0) >= 0);
}

/* ---- SPLIT_PART ---- */

/* The bytes of part n (from 1); false if there are fewer parts. */
static bool
split_find(Str text, Str delimiter, int64_t n, size_t *begin, size_t *end)
{
	*begin = 0;
	for (;;) {
		int64_t at = text_find(text, delimiter, *begin);
		*end = at < 0 ? text.len : (size_t)at;
		if (--n == 0)
			return true;
		if (at < 0)
			return false;
		*begin = (size_t)at + delimiter.len;
	}
}

void
string_split_part(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		Str delimiter = kernel_text(call, 1, row);
		int64_t n = kernel_int(call, 2, row);
		size_t begin = 0;
		size_t end = s.len;

		if (n == 0) {
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "SPLIT_PART with part 0: parts are counted from 1, or from the "
			            "end by a negative number");
			continue;
		}
		if (delimiter.len == 0) { /* never found: the whole text is the one part */
			end = n == 1 || n == -1 ? s.len : 0;
		} else {
			if (n < 0)
				n += (int64_t)text_count(text, delimiter) + 2;
			if (n <= 0 || !split_find(text, delimiter, n, &begin, &end))
				begin = end = 0;
		}
		text_set_part(call, row, s, begin, end - begin);
	}
}
