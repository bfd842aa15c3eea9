/* codec/json_fast_portable.c -- the fast path in plain C. */
#include "codec/json_decode.h"
#include "codec/scan_padded.h"
#include "type/decimal.h"

#define FAST(name) name##_portable
#include "codec/json_fast_impl.h"
