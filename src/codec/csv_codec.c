/* codec/csv_codec.c -- the class of CSV. */
#include "codec/csv_format.h"

const CodecClass csv_codec = {
	.name = "csv",
	.doc = "Comma-separated values by RFC 4180.",
	.decode_options = {"csv", csv_decode_rows, CSV_IN_COUNT},
	.encode_options = {"csv", csv_encode_rows, CSV_OUT_COUNT},
	.decoder_open = csv_decoder_open,
	.decode = csv_decode,
	.frame = csv_frame,
	.cut = csv_cut,
	.header = csv_header,
	.infer = csv_infer,
	.encoder_open = csv_encoder_open,
	.encode = csv_encode,
	.preamble = csv_preamble,
};
