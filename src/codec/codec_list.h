/* codec/codec_list.h -- the formats, one row each: CODEC(class variable). */
#ifndef CODEC
#error "define CODEC(variable) before including codec/codec_list.h"
#endif

CODEC(json_codec)
CODEC(csv_codec)
CODEC(raw_codec)
CODEC(table_codec)

#undef CODEC
