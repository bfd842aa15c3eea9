/* codec/json_encode.h -- the JSON encoder, for json_codec.c. */
#pragma once

#include "codec/codec.h"

typedef enum JsonEncodeOption {
	JSON_OUT_TIMESTAMP_FORMAT,
	JSON_ENCODE_OPTION_COUNT
} JsonEncodeOption;

Status json_encoder_open(const EncodeSpec *spec, Arena *arena, Encoder **out, Error *err);
Status json_encode(Encoder *encoder, Batch *batch, Output *out, Error *err);
