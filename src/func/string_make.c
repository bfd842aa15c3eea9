/* func/string_make.c -- functions that make new text: case, padding, replacing, joining, coding.
 *
 * Each first finds the exact size of its result, or a safe bound, then asks text_room for it, so a
 * result beyond the limit is a row error before a byte of it is written. */
#include <utf8proc.h>

#include "func/text.h"

/* ---- case ---- */

typedef enum LetterCase { CASE_UPPER, CASE_LOWER, CASE_INITIAL } LetterCase;

/* Simple (one to one) case mapping; the long s and the like may change their number of bytes. */
static uint32_t
map_case(uint32_t code_point, bool upper)
{
	if (code_point == 0xDF) /* sharp s has no capital in common use */
		return code_point;
	return (uint32_t)(upper ? utf8proc_toupper((utf8proc_int32_t)code_point)
	                        : utf8proc_tolower((utf8proc_int32_t)code_point));
}

static bool
is_word_character(uint32_t code_point)
{
	switch (utf8proc_category((utf8proc_int32_t)code_point)) {
	case UTF8PROC_CATEGORY_LU:
	case UTF8PROC_CATEGORY_LL:
	case UTF8PROC_CATEGORY_LT:
	case UTF8PROC_CATEGORY_LM:
	case UTF8PROC_CATEGORY_LO:
	case UTF8PROC_CATEGORY_MN: /* an accent of its own does not end a word */
	case UTF8PROC_CATEGORY_MC:
	case UTF8PROC_CATEGORY_ND:
	case UTF8PROC_CATEGORY_NL:
	case UTF8PROC_CATEGORY_NO:
		return true;
	default:
		return false;
	}
}

static void
ascii_case(char *out, Str s, LetterCase wanted)
{
	bool upper = wanted != CASE_LOWER;

	for (uint32_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.data[i];
		unsigned char letter = (unsigned char)((c | 0x20u) - 'a');

		if (letter < 26)
			out[i] = (char)(upper ? c & ~0x20u : c | 0x20u);
		else
			out[i] = (char)c;
		if (wanted == CASE_INITIAL)
			upper = !(letter < 26 || (c >= '0' && c <= '9'));
	}
}

/* Bytes that are not UTF-8 stay as they are. */
static size_t
unicode_case(char *out, Str s, LetterCase wanted)
{
	bool upper = wanted != CASE_LOWER;
	size_t used = 0;

	for (size_t i = 0, size; i < s.len; i += size) {
		uint32_t code_point = utf8_decode(s.data + i, s.len - i, &size);

		if (code_point == UTF8_INVALID) {
			memcpy(out + used, s.data + i, size);
			used += size;
			continue;
		}
		used += utf8_encode(map_case(code_point, upper), out + used);
		if (wanted == CASE_INITIAL)
			upper = !is_word_character(code_point);
	}
	return used;
}

static void
case_rows(KernelCall *call, LetterCase wanted)
{
	KERNEL_EACH_VALID(call, row) {
		StringView view = kernel_view(call, 0, row);
		Str s = {view.data, view.len};
		bool ascii = utf8_is_ascii(s.data, s.len);
		/* No mapping makes more of two bytes than three; the tests try all of them. */
		size_t room = ascii ? s.len : s.len + s.len / 2;
		char *out = text_room(call, row, room);

		if (out == NULL)
			continue;
		if (ascii)
			ascii_case(out, s, wanted);
		else
			room = unicode_case(out, s, wanted);
		/* Neither alphabet nor case decides about quotes and escapes. */
		kernel_set_view(call, row, out, room, view.flags);
	}
}

void
string_upper(KernelCall *call)
{
	case_rows(call, CASE_UPPER);
}

void
string_lower(KernelCall *call)
{
	case_rows(call, CASE_LOWER);
}

void
string_initcap(KernelCall *call)
{
	case_rows(call, CASE_INITIAL);
}

/* ---- rearranging ---- */

void
string_reverse(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		char *out = text_room(call, row, s.len);

		if (out == NULL)
			continue;
		for (size_t i = 0, size; i < s.len; i += size) {
			utf8_decode(s.data + i, s.len - i, &size);
			memcpy(out + (s.len - i - size), s.data + i, size);
		}
		kernel_set_view(call, row, out, s.len, s.flags);
	}
}

void
string_repeat(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		int64_t count = kernel_int(call, 1, row);
		size_t size;

		if (count <= 0 || s.len == 0) {
			text_set_part(call, row, s, 0, 0);
			continue;
		}
		if (__builtin_mul_overflow((size_t)s.len, (size_t)count, &size))
			size = SIZE_MAX;
		char *out = text_room(call, row, size);
		if (out == NULL)
			continue;
		memcpy(out, s.data, s.len);
		for (size_t done = s.len; done < size;) { /* doubling what is there */
			size_t more = done < size - done ? done : size - done;
			memcpy(out + done, out, more);
			done += more;
		}
		kernel_set_view(call, row, out, size, s.flags);
	}
}

/* Bytes of the first `count` characters of `fill` repeated for ever. */
static size_t
padding_bytes(Str fill, size_t fill_count, size_t count)
{
	size_t rest = utf8_offset(fill.data, fill.len, count % fill_count);
	size_t bytes;

	if (__builtin_mul_overflow(count / fill_count, (size_t)fill.len, &bytes) ||
	    __builtin_add_overflow(bytes, rest, &bytes))
		return SIZE_MAX;
	return bytes;
}

static void
write_padding(char *out, Str fill, size_t bytes)
{
	for (size_t done = 0; done < bytes; done += fill.len)
		memcpy(out + done, fill.data, bytes - done < fill.len ? bytes - done : fill.len);
}

static void
pad_row(KernelCall *call, uint32_t row, bool left)
{
	StringView s = kernel_view(call, 0, row);
	Str text = {s.data, s.len};
	int64_t wanted = kernel_int(call, 1, row);
	Str fill = call->arg_count > 2 ? kernel_text(call, 2, row) : STR(" ");
	size_t count = utf8_count(s.data, s.len);
	size_t fill_count = utf8_count(fill.data, fill.len);
	size_t size;

	/* Both cut a text that is too long at its end. */
	if (wanted <= (int64_t)count || fill_count == 0) {
		text_set_part(call, row, s, 0, text_offset(text, wanted));
		return;
	}
	size_t padding = padding_bytes(fill, fill_count, (size_t)wanted - count);
	if (__builtin_add_overflow(padding, (size_t)s.len, &size))
		size = SIZE_MAX;
	char *out = text_room(call, row, size);
	if (out == NULL)
		return;
	write_padding(left ? out : out + s.len, fill, padding);
	text_put(left ? out + padding : out, text);
	kernel_set_view(call, row, out, size, 0);
}

void
string_lpad(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		pad_row(call, row, true);
}

void
string_rpad(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		pad_row(call, row, false);
}

/* ---- replacing ---- */

void
string_replace(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		Str old = kernel_text(call, 1, row);
		Str new = kernel_text(call, 2, row);
		size_t count = old.len > 0 ? text_count(text, old) : 0;

		if (count == 0) {
			text_set_part(call, row, s, 0, s.len);
			continue;
		}
		size_t added;
		size_t size = SIZE_MAX;
		if (!__builtin_mul_overflow(count, (size_t)new.len, &added))
			size = s.len - count * old.len + added;
		char *out = text_room(call, row, size);
		if (out == NULL)
			continue;
		char *p = out;
		size_t from = 0;
		for (int64_t at; (at = text_find(text, old, from)) >= 0; from = at + old.len) {
			p = mempcpy(p, text.data + from, (size_t)at - from);
			p = text_put(p, new);
		}
		memcpy(p, text.data + from, text.len - from);
		kernel_set_view(call, row, out, size, 0);
	}
}

/* What one character becomes: a range of `to`, possibly empty; false if it is not in `from`. */
static bool
translate_find(Str from, Str to, const char *data, size_t size, Str *found)
{
	size_t j = 0;

	for (size_t i = 0, step; i < from.len; i += step) {
		size_t to_step = 0;

		utf8_decode(from.data + i, from.len - i, &step);
		if (j < to.len)
			utf8_decode(to.data + j, to.len - j, &to_step);
		if (step == size && memcmp(from.data + i, data, size) == 0) {
			*found = (Str){to.data + j, (uint32_t)to_step};
			return true;
		}
		j += to_step;
	}
	return false;
}

/* Each character of `from` becomes the one at its place in `to`, or vanishes if `to` is shorter. */
void
string_translate(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		Str from = kernel_text(call, 1, row);
		Str to = kernel_text(call, 2, row);
		char *out = text_room(call, row, (size_t)s.len * UTF8_MAX_BYTES);

		if (out == NULL)
			continue;
		char *p = out;
		for (size_t i = 0, size; i < s.len; i += size) {
			Str put;
			utf8_decode(s.data + i, s.len - i, &size);
			if (!translate_find(from, to, s.data + i, size, &put))
				put = (Str){s.data + i, (uint32_t)size};
			p = text_put(p, put);
		}
		kernel_set_view(call, row, out, (size_t)(p - out), 0);
	}
}

/* ---- joining ---- */

/* The arguments from `first` on that are not NULL, with `separator` between them. */
static void
concat_row(KernelCall *call, uint32_t row, uint32_t first, Str separator)
{
	size_t size = 0;
	bool any = false;

	for (uint32_t k = first; k < call->arg_count; k++) {
		if (kernel_is_null(call, k, row))
			continue;
		size += kernel_view(call, k, row).len + (any ? separator.len : 0);
		any = true;
	}
	char *out = text_room(call, row, size);
	if (out == NULL)
		return;
	char *p = out;
	any = false;
	for (uint32_t k = first; k < call->arg_count; k++) {
		if (kernel_is_null(call, k, row))
			continue;
		Str s = kernel_text(call, k, row);
		if (any)
			p = text_put(p, separator);
		p = text_put(p, s);
		any = true;
	}
	kernel_set_view(call, row, out, size, 0);
}

void
string_concat(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row)
		concat_row(call, row, 0, STR(""));
}

void
string_concat_ws(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		if (kernel_is_null(call, 0, row))
			vector_set_null(call->out, row);
		else
			concat_row(call, row, 1, kernel_text(call, 0, row));
	}
}

/* ---- single characters ---- */

void
string_chr(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		int64_t code_point = kernel_int(call, 0, row);
		char *out = kernel_bytes(call, UTF8_MAX_BYTES);
		size_t size = 0;

		if (code_point > 0 && code_point <= 0x10FFFF)
			size = utf8_encode((uint32_t)code_point, out);
		if (size == 0)
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "CHR of %lld, which is not a Unicode character",
			            (long long)code_point);
		else
			kernel_set_view(call, row, out, size, 0);
	}
}

/* ---- codings of bytes ---- */

static const char hex_digits[] = "0123456789ABCDEF";

void
string_hex(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		char *out = text_room(call, row, (size_t)s.len * 2);

		if (out == NULL)
			continue;
		for (uint32_t i = 0; i < s.len; i++) {
			unsigned char c = (unsigned char)s.data[i];
			out[2 * i] = hex_digits[c >> 4];
			out[2 * i + 1] = hex_digits[c & 15];
		}
		kernel_set_view(call, row, out, (size_t)s.len * 2, 0);
	}
}

/* Without leading zeros; a negative number in two's complement. */
void
string_hex_integer(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		uint64_t v = (uint64_t)kernel_int(call, 0, row);
		char *out = kernel_bytes(call, 16);
		int digits = v == 0 ? 1 : (67 - __builtin_clzll(v)) / 4;

		for (int i = digits - 1; i >= 0; i--, v >>= 4)
			out[i] = hex_digits[v & 15];
		kernel_set_view(call, row, out, (size_t)digits, 0);
	}
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void
string_unhex(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		char *out = text_room(call, row, s.len / 2);
		uint32_t i = 0;

		if (out == NULL)
			continue;
		for (; i + 1 < s.len; i += 2) {
			int high = hex_value(s.data[i]);
			int low = hex_value(s.data[i + 1]);
			if (high < 0 || low < 0)
				break;
			out[i / 2] = (char)(high * 16 + low);
		}
		if (i < s.len)
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "UNHEX of a text that is not pairs of hexadecimal digits, "
			            "at byte %u", i + 1);
		else
			kernel_set_view(call, row, out, s.len / 2, 0);
	}
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
string_to_base64(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		const unsigned char *in = (const unsigned char *)s.data;
		size_t size = ((size_t)s.len + 2) / 3 * 4;
		char *out = text_room(call, row, size);
		char *p = out;

		if (out == NULL)
			continue;
		for (uint32_t i = 0; i < s.len; i += 3) {
			uint32_t left = s.len - i;
			uint32_t bits = (uint32_t)in[i] << 16 | (left > 1 ? in[i + 1] << 8 : 0) |
			                (left > 2 ? in[i + 2] : 0);
			*p++ = base64_digits[bits >> 18];
			*p++ = base64_digits[bits >> 12 & 63];
			*p++ = left > 1 ? base64_digits[bits >> 6 & 63] : '=';
			*p++ = left > 2 ? base64_digits[bits & 63] : '=';
		}
		kernel_set_view(call, row, out, size, 0);
	}
}

static int
base64_value(char c)
{
	const char *at = c != '\0' ? strchr(base64_digits, c) : NULL;

	return at == NULL ? -1 : (int)(at - base64_digits);
}

/* Decodes into `out`, which has room for 3/4 of the text; false if it is not base64.  Padding may
 * be left out, line ends may stand anywhere. */
static bool
base64_decode(Str s, char *out, size_t *size)
{
	uint32_t bits = 0;
	unsigned digits = 0;
	unsigned padding = 0;
	size_t used = 0;

	for (uint32_t i = 0; i < s.len; i++) {
		char c = s.data[i];
		if (c == '\n' || c == '\r')
			continue;
		if (c == '=') {
			padding++;
			continue;
		}
		int value = base64_value(c);
		if (value < 0 || padding > 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
		if (++digits % 4 != 0)
			continue;
		out[used++] = (char)(bits >> 16);
		out[used++] = (char)(bits >> 8);
		out[used++] = (char)bits;
	}
	unsigned rest = digits % 4;
	if (rest == 1 || (padding > 0 && (rest == 0 || rest + padding != 4)))
		return false;
	if (rest >= 2)
		out[used++] = (char)(bits >> (rest == 2 ? 4 : 10));
	if (rest == 3)
		out[used++] = (char)(bits >> 2);
	*size = used;
	return true;
}

void
string_from_base64(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		char *out = text_room(call, row, (size_t)s.len / 4 * 3 + 3);
		size_t size;

		if (out == NULL)
			continue;
		if (base64_decode(s, out, &size))
			kernel_set_view(call, row, out, size, 0);
		else
			kernel_fail(call, row, FERRIS_ERR_BAD_ARGUMENT,
			            "FROM_BASE64 of a text that is not base64");
	}
}

/* ---- HASH ---- */

/* FNV-1a over the bytes, then the finaliser of MurmurHash3: the same on every machine and in every
 * version, so it may be stored. */
void
string_hash(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		Str s = kernel_text(call, 0, row);
		uint64_t h = str_hash(s);

		h = (h ^ h >> 33) * UINT64_C(0xFF51AFD7ED558CCD);
		h = (h ^ h >> 33) * UINT64_C(0xC4CEB9FE1A85EC53);
		kernel_set_int(call, row, (int64_t)(h ^ h >> 33));
	}
}

/* ---- SPLIT ---- */

Status
result_string_array(Arena *arena, BoundExpr *const *args, uint32_t count, const Type **type,
                    Error *err)
{
	(void)args, (void)count, (void)err;
	*type = type_array(arena, TYPE_OF(STRING));
	return FERRIS_OK;
}

/* The parts are views of the text.  An empty delimiter splits into characters. */
void
string_split(KernelCall *call)
{
	KERNEL_EACH_VALID(call, row) {
		StringView s = kernel_view(call, 0, row);
		Str text = {s.data, s.len};
		Str delimiter = kernel_text(call, 1, row);
		size_t count = delimiter.len > 0 ? text_count(text, delimiter) + 1
		                                 : utf8_count(s.data, s.len);
		uint32_t first = vector_list_append(call->out, (uint32_t)count);
		StringView *parts = VECTOR_DATA(&call->out->children[0], StringView);
		size_t begin = 0;

		for (size_t i = 0; i < count; i++) {
			size_t end = s.len;
			if (i + 1 < count && delimiter.len > 0)
				end = (size_t)text_find(text, delimiter, begin);
			else if (i + 1 < count)
				end = begin + utf8_offset(s.data + begin, s.len - begin, 1);
			uint32_t flags = end > begin ? s.flags : s.flags & ~VIEW_CSV_CLEAN;
			parts[first + i] = (StringView){s.data + begin, (uint32_t)(end - begin),
			                                flags};
			begin = end + delimiter.len;
		}
		VECTOR_DATA(call->out, ListEntry)[row] = (ListEntry){first, (uint32_t)count};
	}
}
