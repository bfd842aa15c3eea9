/* codec/json_codec.c -- the format 'json': its options and its functions. */
#include "codec/json_decode.h"
#include "codec/json_encode.h"

#define MAX_DEPTH_LIMIT 1000 /* each level takes some stack */

static const OptionRow decode_rows[JSON_DECODE_OPTION_COUNT] = {
	[JSON_VALIDATE] =
		{
			.name = "json.validate",
			.type = OPTION_CHOICE,
			.initial = "needed",
			.choices = "needed|full",
			.doc = "Check only what is read (and that each record is one object in "
			       "braces), or "
			       "every byte.",
		},
	[JSON_FRAMING] =
		{
			.name = "json.framing",
			.type = OPTION_CHOICE,
			.initial = "lines",
			.choices = "lines|values",
			.doc = "One object a line, or objects separated by any white space or in "
			       "one "
			       "top-level array.",
		},
	[JSON_MAX_DEPTH] =
		{
			.name = "json.max.depth",
			.type = OPTION_INTEGER,
			.initial = "256",
			.min = 1,
			.max = MAX_DEPTH_LIMIT,
			.doc = "How deep arrays and objects may be nested.",
		},
	[JSON_SIMD] =
		{
			.name = "json.simd",
			.type = OPTION_CHOICE,
			.initial = "auto",
			.choices = "auto|portable",
			.doc = "Use the CPU's wide registers where it has them, or plain C with "
			       "the same "
			       "results.",
		},
	[JSON_TIMESTAMP_FORMAT] = TIMESTAMP_STYLE_OPTION("read"),
};

static const OptionRow encode_rows[JSON_ENCODE_OPTION_COUNT] = {
	[JSON_OUT_TIMESTAMP_FORMAT] = TIMESTAMP_STYLE_OPTION("written"),
};

const CodecClass json_codec = {
	.name = "json",
	.doc = "JSON objects (RFC 8259): one a line in files, one a record in topics.",
	.decode_options = {"json", decode_rows, JSON_DECODE_OPTION_COUNT},
	.encode_options = {"json", encode_rows, JSON_ENCODE_OPTION_COUNT},
	.decoder_open = json_decoder_open,
	.decode = json_decode,
	.frame = json_frame,
	.cut = json_cut,
	.header = json_header,
	.infer = json_infer,
	.encoder_open = json_encoder_open,
	.encode = json_encode,
};
