/* codec/json_frame.c -- where records begin and end in a file. */
#include "codec/json_decode.h"

size_t
json_frame(const Setting *settings, const char *data, size_t len, bool last)
{
	const char *end = data + len;
	const char *whole = data;

	if (last)
		return len;
	if (settings[JSON_FRAMING].integer == JSON_FRAMING_LINES) {
		const char *newline = len > 0 ? memrchr(data, '\n', len) : NULL;

		return newline != NULL ? (size_t)(newline - data) + 1 : 0;
	}
	for (;;) {
		const char *start = json_values_skip(whole, end);
		const char *next = start < end ? json_values_next(start, end) : end;

		/* What reaches the end may go on behind it. */
		if (next == end &&
		    (start == end || end[-1] != '}' || !json_values_closed(start, end)))
			return (size_t)((start == end ? end : whole) - data);
		whole = next;
	}
}

/* What stands between two values goes with the first one. */
size_t
json_cut(const Setting *settings, const char *data, size_t len, size_t most, uint32_t *count)
{
	const char *end = data + len;
	uint32_t limit = *count, n = 0;

	if (settings[JSON_FRAMING].integer == JSON_FRAMING_LINES)
		return codec_cut_lines(settings, data, len, most, count);
	const char *p = json_values_skip(data, end);
	for (; p < end && (limit == 0 || n < limit); n++) {
		const char *next = json_values_skip(json_values_next(p, end), end);

		if ((size_t)(next - data) > most && n > 0)
			break;
		p = next;
	}
	*count = n;
	return (size_t)(p - data);
}

const char *
json_values_skip(const char *p, const char *end)
{
	while (p < end && (json_is_blank(*p) || *p == ',' || *p == '[' || *p == ']'))
		p++;
	return p;
}

/* The end of the brackets that open at p, or NULL. */
static const char *
brackets_end(const char *p, const char *end)
{
	uint32_t depth = 0;

	while (p < end) {
		char c = *p++;

		if (c == '"') {
			p = json_skip_string(p, end);
			if (p == NULL)
				return NULL;
		} else if (c == '{' || c == '[') {
			depth++;
		} else if ((c == '}' || c == ']') && --depth == 0) {
			return p;
		}
	}
	return NULL;
}

bool
json_values_closed(const char *p, const char *end)
{
	return *p == '{' && brackets_end(p, end) == end;
}

const char *
json_values_next(const char *p, const char *end)
{
	if (*p == '{') {
		const char *next = brackets_end(p, end);

		return next != NULL ? next : end;
	}
	/* No object: an error of its own, up to where an object may start. */
	while (p < end && *p != '{' && *p != '\n')
		p = *p == '"' && json_skip_string(p + 1, end) != NULL ? json_skip_string(p + 1, end)
								      : p + 1;
	return p;
}

/* Nothing but a byte order mark may stand before the first record. */
Status
json_header(const DecodeSpec *spec, const char *data, size_t len, bool last, size_t *skip,
	    Error *err)
{
	static const char mark[] = "\xEF\xBB\xBF";
	size_t there = len < 3 ? len : 3;

	(void)spec;
	(void)err;
	if (memcmp(data, mark, there) != 0 || (there < 3 && last))
		*skip = 0;
	else
		*skip = there == 3 ? 3 : HEADER_INCOMPLETE;
	return FERRIS_OK;
}
