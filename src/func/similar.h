/* func/similar.h -- the pattern of SIMILAR TO as a regular expression. */
#pragma once

#include "base/buffer.h"
#include "base/error.h"

/* To `out`, a pattern of PCRE2 for the whole text, where . matches every character.  `escape` is
 * one character or empty.  FERRIS_ERR_BAD_ARGUMENT where the pattern is not one of SIMILAR TO. */
Status similar_translate(Str pattern, Str escape, Buffer *out, Error *err);
