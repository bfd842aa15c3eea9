/* codec/json_text.h -- JSON text by RFC 8259: blanks, strings, numbers, whole values.
 *
 * Two ways of going over a value: json_check_* reads every byte and accepts nothing that the RFC
 * does not; json_skip_* finds the end of a value that nobody reads, and looks at no more bytes
 * than it needs for that.
 *
 * Functions return one past what they read, or NULL after noting the fault in the JsonText.
 * Nothing is read at or beyond `end`.
 *
 * Threads: a JsonText belongs to one task. */
#pragma once

#include "base/arena.h"
#include "base/error.h"
#include "type/number.h"

/* Keys of the objects of one record, to notice one that stands twice. */
typedef struct JsonKey {
	uint64_t object; /* serial number of the object it belongs to; 0: free slot */
	uint64_t hash;
	Str name;
} JsonKey;

typedef struct JsonKeySet {
	JsonKey *slots;    /* open addressing; in the heap of the batch */
	uint32_t capacity; /* a power of two, 0 = none yet */
	uint32_t used;
	uint64_t object; /* serial number given last */
} JsonKeySet;

typedef struct JsonText {
	const char *end;      /* of the text */
	uint32_t max_depth;   /* of nested arrays and objects */
	Status status;        /* of the fault */
	const char *fault;    /* what was wrong, for the message */
	const char *fault_at; /* where */
	Arena *heap;          /* for keys with escapes */
	JsonKeySet keys;
} JsonText;

/* The inside of a string, without its quotes. */
typedef struct JsonString {
	const char *data;
	uint32_t len;
	bool escaped; /* holds a backslash */
	bool ascii;
} JsonString;

static inline bool
json_is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const char *
json_skip_blanks(const char *p, const char *end)
{
	while (p < end && json_is_blank(*p))
		p++;
	return p;
}

/* A byte of true, false, null or a number, as far as skipping cares. */
static inline bool
json_is_scalar_byte(char c)
{
	return (c >= '-' && c <= '9') || c == '+' || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z');
}

/* `p` is behind the opening quote; returns one past the closing one, or NULL (no fault noted). */
const char *json_skip_string(const char *p, const char *end);
/* One value; brackets are counted, not matched. */
const char *json_skip_value(JsonText *text, const char *p);

/* `p` is at the opening quote. */
const char *json_check_string(JsonText *text, const char *p, JsonString *string);
const char *json_check_number(JsonText *text, const char *p, NumberScan *scan);
/* true, false or null at `p`. */
const char *json_check_word(JsonText *text, const char *p);
/* One value whose brackets lie inside `depth` others; a key that stands twice is a fault if
 * `unique` is set. */
const char *json_check_value(JsonText *text, const char *p, uint32_t depth, bool unique);
/* A checked string's text; it takes at most string->len bytes.  Returns one past the last. */
char *json_unescape(const JsonString *string, char *out);
/* The same as a Str: in place if there is no escape, else in the heap. */
Str json_string_text(Arena *heap, const JsonString *string);

/* Before each record; `end` is that of the record. */
void json_text_start(JsonText *text, const char *end);
/* A serial number for an object whose keys are to be told apart. */
uint64_t json_keys_open(JsonText *text);
/* False if the object has that key already. */
bool json_keys_add(JsonText *text, uint64_t object, Str key);
/* The set's memory is gone with the batch's heap. */
void json_keys_forget(JsonText *text);

/* A value shortened and made printable for a message; returns its length. */
#define JSON_SHOW_MAX 64
Str json_show(char *out, const char *p, const char *end);
