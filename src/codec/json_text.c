/* codec/json_text.c -- scanning and checking of JSON text. */
#include "codec/json_text.h"

#include "base/utf8.h"
#include "codec/scan.h"

#define KEYS_FIRST 256
#define SHOW_BYTES 40
#define FEW_KEYS   16

static const char *
fault(JsonText *text, Status status, const char *at, const char *what)
{
	text->status = status;
	text->fault = what;
	text->fault_at = at;
	return NULL;
}

/* ---- skipping ---- */

const char *
json_skip_string(const char *p, const char *end)
{
	while ((p = scan_quote(p, end)) < end) {
		if (*p == '"')
			return p + 1;
		if (end - p < 2)
			return NULL;
		p += 2;
	}
	return NULL;
}

static const char *
skip_scalar(JsonText *text, const char *p)
{
	const char *start = p;

	while (p < text->end && json_is_scalar_byte(*p))
		p++;
	return p > start ? p : fault(text, FERRIS_ERR_BAD_RECORD, p, "a value is missing");
}

const char *
json_skip_value(JsonText *text, const char *p)
{
	const char *start = p;
	uint32_t depth = 0;

	if (p < text->end && *p != '"' && *p != '{' && *p != '[')
		return skip_scalar(text, p);
	while (p < text->end) {
		char c = *p++;

		if (c == '"') {
			p = json_skip_string(p, text->end);
			if (p == NULL)
				return fault(text, FERRIS_ERR_BAD_RECORD, start,
					     "a string has no end");
		} else if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		}
		if (depth == 0)
			return p;
	}
	return fault(text, FERRIS_ERR_BAD_RECORD, start, "a value has no end");
}

/* ---- strings ---- */

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The 16 bits after \u, or -1. */
static int32_t
hex4(const char *p, const char *end)
{
	int32_t value = 0;

	if (end - p < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

static bool
is_high_surrogate(int32_t unit)
{
	return unit >= 0xD800 && unit < 0xDC00;
}

static bool
is_low_surrogate(int32_t unit)
{
	return unit >= 0xDC00 && unit < 0xE000;
}

/* `p` is at the backslash; returns one past the escape (two escapes for a surrogate pair). */
static const char *
check_escape(JsonText *text, const char *p)
{
	const char *start = p++;

	if (p == text->end)
		return fault(text, FERRIS_ERR_BAD_RECORD, start, "a string has no end");
	char c = *p++;
	if (c != 'u') {
		if (c != '\0' && strchr("\"\\/bfnrt", c) != NULL)
			return p;
		return fault(text, FERRIS_ERR_BAD_RECORD, start, "an unknown escape in a string");
	}
	int32_t unit = hex4(p, text->end);
	if (unit < 0)
		return fault(text, FERRIS_ERR_BAD_RECORD, start,
			     "\\u wants four hexadecimal digits");
	p += 4;
	if (is_high_surrogate(unit)) {
		if (text->end - p >= 6 && p[0] == '\\' && p[1] == 'u' &&
		    is_low_surrogate(hex4(p + 2, text->end)))
			return p + 6;
		return fault(text, FERRIS_ERR_BAD_VALUE, start, "a lone surrogate in a string");
	}
	if (is_low_surrogate(unit))
		return fault(text, FERRIS_ERR_BAD_VALUE, start, "a lone surrogate in a string");
	return p;
}

const char *
json_check_string(JsonText *text, const char *p, JsonString *string)
{
	const char *start = p + 1;

	*string = (JsonString){.data = start, .ascii = true};
	p = start;
	for (;;) {
		p = scan_special(p, text->end);
		if (p >= text->end)
			return fault(text, FERRIS_ERR_BAD_RECORD, start - 1, "a string has no end");
		if (*p == '"') {
			string->len = (uint32_t)(p - start);
			return p + 1;
		}
		if (*p == '\\') {
			string->escaped = true;
			p = check_escape(text, p);
			if (p == NULL)
				return NULL;
		} else if ((unsigned char)*p < 0x20) {
			return fault(text, FERRIS_ERR_BAD_RECORD, p,
				     "a raw control character in a string");
		} else {
			const char *ascii = scan_ascii(p, text->end);

			if (!utf8_valid(p, (size_t)(ascii - p)))
				return fault(text, FERRIS_ERR_UTF8, start - 1,
					     "invalid UTF-8 in a string");
			string->ascii = false;
			p = ascii;
		}
	}
}

char *
json_unescape(const JsonString *string, char *out)
{
	const char *p = string->data;
	const char *end = p + string->len;

	while (p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));
		size_t plain = (size_t)((back != NULL ? back : end) - p);

		memcpy(out, p, plain);
		out += plain;
		if (back == NULL)
			break;
		p = back + 2;
		switch (back[1]) {
		case 'b':
			*out++ = '\b';
			break;
		case 'f':
			*out++ = '\f';
			break;
		case 'n':
			*out++ = '\n';
			break;
		case 'r':
			*out++ = '\r';
			break;
		case 't':
			*out++ = '\t';
			break;
		case 'u': {
			uint32_t code = (uint32_t)hex4(p, end);

			p += 4;
			if (is_high_surrogate((int32_t)code)) {
				uint32_t low = (uint32_t)hex4(p + 2, end);

				code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
				p += 6;
			}
			out += utf8_encode(code, out);
			break;
		}
		default:
			*out++ = back[1];
		}
	}
	return out;
}

Str
json_string_text(Arena *heap, const JsonString *string)
{
	if (!string->escaped)
		return (Str){string->data, string->len};
	char *out = arena_alloc(heap, string->len);
	return (Str){out, (uint32_t)(json_unescape(string, out) - out)};
}

/* ---- whole values ---- */

const char *
json_check_number(JsonText *text, const char *p, NumberScan *scan)
{
	const char *next = number_scan_json(p, text->end, scan);

	return next != NULL ? next : fault(text, FERRIS_ERR_BAD_RECORD, p, "not a JSON value");
}

const char *
json_check_word(JsonText *text, const char *p)
{
	static const Str words[] = {STR_INIT("true"), STR_INIT("false"), STR_INIT("null")};
	Str rest = {p, (uint32_t)(text->end - p)};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (str_starts_with(rest, words[i]))
			return p + words[i].len;
	return fault(text, FERRIS_ERR_BAD_RECORD, p, "not a JSON value");
}

static const char *
check_array(JsonText *text, const char *p, uint32_t depth, bool unique)
{
	p = json_skip_blanks(p + 1, text->end);
	if (p < text->end && *p == ']')
		return p + 1;
	for (;;) {
		p = json_check_value(text, p, depth + 1, unique);
		if (p == NULL)
			return NULL;
		p = json_skip_blanks(p, text->end);
		if (p < text->end && *p == ']')
			return p + 1;
		if (p >= text->end || *p != ',')
			return fault(text, FERRIS_ERR_BAD_RECORD, p,
				     "expected ',' or ']' in an array");
		p = json_skip_blanks(p + 1, text->end);
	}
}

/* The keys of an object so far: compared one by one while they are few, by hash from then on. */
typedef struct ObjectKeys {
	uint64_t object; /* in the key set; 0 while few */
	uint32_t count;
	Str few[FEW_KEYS];
} ObjectKeys;

/* False if the object has the key already. */
static bool
object_keys_add(JsonText *text, ObjectKeys *keys, Str key)
{
	if (keys->object == 0) {
		for (uint32_t i = 0; i < keys->count; i++)
			if (str_eq(keys->few[i], key))
				return false;
		if (keys->count < FEW_KEYS) {
			keys->few[keys->count++] = key;
			return true;
		}
		keys->object = json_keys_open(text);
		for (uint32_t i = 0; i < keys->count; i++)
			(void)json_keys_add(text, keys->object, keys->few[i]);
	}
	return json_keys_add(text, keys->object, key);
}

static const char *
check_object(JsonText *text, const char *p, uint32_t depth, bool unique)
{
	ObjectKeys keys;

	keys.object = 0;
	keys.count = 0;
	p = json_skip_blanks(p + 1, text->end);
	if (p < text->end && *p == '}')
		return p + 1;
	for (;;) {
		JsonString key;
		const char *start = p;

		if (p >= text->end || *p != '"')
			return fault(text, FERRIS_ERR_BAD_RECORD, p, "expected a key in quotes");
		p = json_check_string(text, p, &key);
		if (p == NULL)
			return NULL;
		if (unique && !object_keys_add(text, &keys, json_string_text(text->heap, &key)))
			return fault(text, FERRIS_ERR_BAD_RECORD, start, "a key stands twice");
		p = json_skip_blanks(p, text->end);
		if (p >= text->end || *p != ':')
			return fault(text, FERRIS_ERR_BAD_RECORD, p, "expected ':' after a key");
		p = json_check_value(text, json_skip_blanks(p + 1, text->end), depth + 1, unique);
		if (p == NULL)
			return NULL;
		p = json_skip_blanks(p, text->end);
		if (p < text->end && *p == '}')
			return p + 1;
		if (p >= text->end || *p != ',')
			return fault(text, FERRIS_ERR_BAD_RECORD, p,
				     "expected ',' or '}' in an object");
		p = json_skip_blanks(p + 1, text->end);
	}
}

const char *
json_check_value(JsonText *text, const char *p, uint32_t depth, bool unique)
{
	JsonString string;
	NumberScan scan;

	if (p >= text->end)
		return fault(text, FERRIS_ERR_BAD_RECORD, p, "a value is missing");
	switch (*p) {
	case '"':
		return json_check_string(text, p, &string);
	case '{':
	case '[':
		if (depth >= text->max_depth)
			return fault(text, FERRIS_ERR_BAD_RECORD, p,
				     "nested deeper than 'json.max.depth'");
		return *p == '{' ? check_object(text, p, depth, unique)
				 : check_array(text, p, depth, unique);
	case 't':
	case 'f':
	case 'n':
		return json_check_word(text, p);
	default:
		return json_check_number(text, p, &scan);
	}
}

/* ---- keys that stand twice ---- */

void
json_text_start(JsonText *text, const char *end)
{
	text->end = end;
	text->status = FERRIS_OK;
	text->fault = NULL;
	/* Keys of earlier records are dead: their objects get no more keys. */
	if (text->keys.used > text->keys.capacity / 4) {
		memset(text->keys.slots, 0, sizeof *text->keys.slots * text->keys.capacity);
		text->keys.used = 0;
	}
}

uint64_t
json_keys_open(JsonText *text)
{
	return ++text->keys.object;
}

static uint64_t
key_hash(uint64_t object, Str key)
{
	uint64_t hash = object * UINT64_C(0x9E3779B97F4A7C15);

	for (uint32_t i = 0; i < key.len; i++)
		hash = (hash ^ (unsigned char)key.data[i]) * UINT64_C(0x100000001B3);
	return hash ^ hash >> 32;
}

static void
keys_grow(JsonText *text)
{
	JsonKeySet *keys = &text->keys;
	JsonKeySet old = *keys;

	keys->capacity = old.capacity > 0 ? old.capacity * 2 : KEYS_FIRST;
	keys->slots = ARENA_ARRAY(text->heap, JsonKey, keys->capacity);
	for (uint32_t i = 0; i < old.capacity; i++)
		if (old.slots[i].object != 0) {
			uint32_t slot = (uint32_t)old.slots[i].hash & (keys->capacity - 1);

			while (keys->slots[slot].object != 0)
				slot = (slot + 1) & (keys->capacity - 1);
			keys->slots[slot] = old.slots[i];
		}
}

bool
json_keys_add(JsonText *text, uint64_t object, Str key)
{
	JsonKeySet *keys = &text->keys;
	uint64_t hash = key_hash(object, key);

	if (keys->used >= keys->capacity / 2)
		keys_grow(text);
	uint32_t slot = (uint32_t)hash & (keys->capacity - 1);
	for (; keys->slots[slot].object != 0; slot = (slot + 1) & (keys->capacity - 1)) {
		const JsonKey *there = &keys->slots[slot];

		if (there->object == object && there->hash == hash && str_eq(there->name, key))
			return false;
	}
	keys->slots[slot] = (JsonKey){object, hash, key};
	keys->used++;
	return true;
}

void
json_keys_forget(JsonText *text)
{
	text->keys.slots = NULL;
	text->keys.capacity = 0;
	text->keys.used = 0;
}

/* ---- messages ---- */

Str
json_show(char *out, const char *p, const char *end)
{
	size_t len = (size_t)(end - p);
	bool cut = len > SHOW_BYTES;
	char *start = out;

	if (cut) /* not in the middle of a character */
		for (len = SHOW_BYTES;
		     len > SHOW_BYTES - 4 && ((unsigned char)p[len] & 0xC0) == 0x80;)
			len--;
	bool valid = utf8_valid(p, len);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)p[i];

		*out++ = c < 0x20 || c == 0x7F || (c >= 0x80 && !valid) ? '?' : (char)c;
	}
	if (cut) {
		memcpy(out, "...", 3);
		out += 3;
	}
	return (Str){start, (uint32_t)(out - start)};
}
