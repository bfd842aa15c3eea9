/* codec/codec.c -- the list of formats. */
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
