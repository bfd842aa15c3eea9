/* base/str.h -- Str, a length-counted view of bytes that somebody else owns.
 *
 * A Str is passed by value and never freed.  It is not NUL-terminated; str_copy (base/arena.h)
 * makes a terminated copy. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

typedef struct Str {
	const char *data;
	uint32_t len;
} Str;

#define STR(literal) ((Str)STR_INIT(literal))
/* The same as an initialiser, for static tables. */
#define STR_INIT(literal)                                                                          \
	{                                                                                          \
		(literal), sizeof(literal) - 1                                                     \
	}
/* For printf: "%.*s", STR_ARG(s) */
#define STR_ARG(s) (int)(s).len, (s).data

static inline Str
str_from(const char *text)
{
	return (Str){text, (uint32_t)strlen(text)};
}

/* FNV-1a: the same on every machine and in every version, so it may be stored. */
static inline uint64_t
str_hash(Str s)
{
	uint64_t hash = UINT64_C(0xCBF29CE484222325);

	for (uint32_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.data[i]) * UINT64_C(0x100000001B3);
	return hash;
}

/* By bytes: below 0, 0 or above 0. */
static inline int
str_compare(Str a, Str b)
{
	uint32_t len = a.len < b.len ? a.len : b.len;
	int order = len > 0 ? memcmp(a.data, b.data, len) : 0;

	return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static inline bool
str_eq(Str a, Str b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

/* ASCII case does not matter. */
static inline bool
str_eq_nocase(Str a, Str b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.data, b.data, a.len) == 0);
}

static inline bool
str_starts_with(Str s, Str prefix)
{
	return s.len >= prefix.len && memcmp(s.data, prefix.data, prefix.len) == 0;
}

static inline bool
str_ends_with(Str s, Str suffix)
{
	return s.len >= suffix.len &&
	       memcmp(s.data + (s.len - suffix.len), suffix.data, suffix.len) == 0;
}

/* s without its first `count` bytes; count <= s.len. */
static inline Str
str_skip(Str s, uint32_t count)
{
	return (Str){s.data + count, s.len - count};
}

/* Without blanks at both ends. */
Str str_trim(Str s);
/* Number of single-character insertions, deletions and replacements from a to b, case ignored
 * (Levenshtein); for "did you mean".  Lengths above 64 count as far apart. */
unsigned str_distance(Str a, Str b);
/* "an" before a word that begins with a vowel, else "a". */
const char *str_article(Str word);
/* The nearest of `count` candidates to `wanted`, or {NULL, 0} if none is near enough to suggest. */
Str str_nearest(Str wanted, const Str *candidates, size_t count);
