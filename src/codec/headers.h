/* codec/headers.h -- the headers of a record as bytes, in the form of ChunkRecord:
 * u32 name length, name, u32 value length (RECORD_NULL: a null value), value, and the next. */
#pragma once

#include "codec/chunk.h"

/* One header; value.data is NULL for a null value. */
typedef struct Header {
	Str name;
	Str value;
} Header;

/* Takes the next header from *bytes; false at their end. */
bool header_next(Str *bytes, Header *header);
/* Puts one more behind the others; false, and nothing is put, at the buffer's limit. */
bool header_append(Buffer *out, const Header *header);
