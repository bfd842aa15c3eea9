/* codec/codec.c -- the list of formats, and what several of them have. */
#include "codec/codec.h"

#define CODEC(variable) extern const CodecClass variable;
#include "codec/codec_list.h"

static const CodecClass *const classes[] = {
#define CODEC(variable) &variable,
#include "codec/codec_list.h"
};

size_t
codec_classes(const CodecClass *const **out)
{
	*out = classes;
	return sizeof classes / sizeof *classes;
}

const CodecClass *
codec_find(Str name)
{
	for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
		if (str_eq_nocase(name, str_from(classes[i]->name)))
			return classes[i];
	return NULL;
}

size_t
codec_cut_lines(const Setting *settings, const char *data, size_t len, size_t most, uint32_t *count)
{
	uint32_t limit = *count, n = 0;
	size_t end = 0;

	(void)settings;
	for (; end < len && (limit == 0 || n < limit); n++) {
		const char *newline = memchr(data + end, '\n', len - end);
		size_t next = newline != NULL ? (size_t)(newline - data) + 1 : len;

		if (next > most && n > 0)
			break;
		end = next;
	}
	*count = n;
	return end;
}
