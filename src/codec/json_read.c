/* codec/json_read.c -- JSON values to typed values. */
#include "codec/json_read.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/base64.h"
#include "base/utf8.h"
#include "codec/json_print.h"
#include "type/decimal.h"

#define TYPE_SHOW_MAX 64

typedef enum TokenKind {
	TOKEN_NULL,
	TOKEN_TRUE,
	TOKEN_FALSE,
	TOKEN_NUMBER,
	TOKEN_STRING,
	TOKEN_ARRAY,
	TOKEN_OBJECT,
} TokenKind;

/* A value in the input; arrays and objects are not gone through yet. */
typedef struct Token {
	TokenKind kind;
	const char *start;
	const char *end; /* one past it; of arrays and objects: unknown, NULL */
	NumberScan scan;
	JsonString string;
} Token;

bool
json_fail(JsonReader *reader, Status status, const char *format, ...)
{
	va_list args;

	reader->status = status;
	va_start(args, format);
	vsnprintf(reader->message, sizeof reader->message, format, args);
	va_end(args);
	return false;
}

bool
json_fail_text(JsonReader *reader)
{
	char show[JSON_SHOW_MAX];
	const JsonText *text = &reader->text;

	if (text->fault_at >= text->end)
		return json_fail(reader, text->status, "%s: the record ends here", text->fault);
	Str shown = json_show(show, text->fault_at, text->end);
	return json_fail(reader, text->status, "%s, at '%.*s'", text->fault, STR_ARG(shown));
}

/* The value as an error message shows it. */
static Str
show_token(const JsonReader *reader, const Token *token, char *out)
{
	const char *end = token->end != NULL ? token->end : reader->text.end;

	return json_show(out, token->start, end);
}

static bool
fail_value(JsonReader *reader, Status status, const Token *token, const Type *type, const char *why)
{
	char show[JSON_SHOW_MAX];
	Str shown = show_token(reader, token, show);
	Str name = type_text(reader->heap, type);

	/* "is not a" becomes "is not an". */
	const char *n = str_ends_with(str_from(why), STR(" a")) ? str_article(name) + 1 : "";

	return json_fail(reader, status, "'%.*s' %s%s %.*s", STR_ARG(shown), why, n,
			 name.len < TYPE_SHOW_MAX ? (int)name.len : TYPE_SHOW_MAX, name.data);
}

static bool
read_token(JsonReader *reader, const char *p, Token *token)
{
	JsonText *text = &reader->text;

	token->start = p;
	token->end = NULL;
	switch (p < text->end ? *p : '\0') {
	case '"':
		token->kind = TOKEN_STRING;
		token->end = json_check_string(text, p, &token->string);
		break;
	case 't':
		token->kind = TOKEN_TRUE;
		token->end = json_check_word(text, p);
		break;
	case 'f':
		token->kind = TOKEN_FALSE;
		token->end = json_check_word(text, p);
		break;
	case 'n':
		token->kind = TOKEN_NULL;
		token->end = json_check_word(text, p);
		break;
	case '[':
		token->kind = TOKEN_ARRAY;
		return true;
	case '{':
		token->kind = TOKEN_OBJECT;
		return true;
	default:
		token->kind = TOKEN_NUMBER;
		token->end = json_check_number(text, p, &token->scan);
	}
	return token->end != NULL || json_fail_text(reader);
}

static Str
token_text(const Token *token)
{
	return (Str){token->start, (uint32_t)(token->end - token->start)};
}

static bool
fail_decimal(JsonReader *reader, const Token *token, const Type *type, DecimalResult result)
{
	switch (result) {
	case DECIMAL_LOST_DIGITS:
		return fail_value(reader, FERRIS_ERR_DIGIT_LOSS, token, type,
				  "has more fractional digits than");
	case DECIMAL_OVERFLOW:
		return fail_value(reader, FERRIS_ERR_OUT_OF_RANGE, token, type,
				  "is outside the range of");
	default:
		return fail_value(reader, FERRIS_ERR_BAD_VALUE, token, type, "is not a");
	}
}

/* ---- scalars: a token or, for the keys of a MAP, text ---- */

static bool
read_integer(JsonReader *reader, const Token *token, const Type *type, Str text, int64_t *out)
{
	int64_t min, max;
	Int128 wide;

	if (int64_parse(text.data, text.len, out) != NUMBER_OK) {
		DecimalResult result = decimal_parse(text.data, text.len, DECIMAL_PRECISION_MAX, 0,
						     ROUND_EXACT, &wide);

		if (result != DECIMAL_OK)
			return fail_decimal(reader, token, type, result);
		if (wide > INT64_MAX || wide < INT64_MIN)
			return fail_decimal(reader, token, type, DECIMAL_OVERFLOW);
		*out = (int64_t)wide;
	}
	type_integer_range(type->kind, &min, &max);
	if (*out < min || *out > max)
		return fail_decimal(reader, token, type, DECIMAL_OVERFLOW);
	return true;
}

static bool
read_decimal(JsonReader *reader, const Token *token, const Type *type, Str text, Vector *vector,
	     uint32_t row)
{
	DecimalResult result;

	if (type->precision <= DECIMAL_MAX_PRECISION_64)
		result = decimal_parse64(text.data, text.len, type->precision, type->scale,
					 ROUND_EXACT, &VECTOR_DATA(vector, int64_t)[row]);
	else
		result = decimal_parse(text.data, text.len, type->precision, type->scale,
				       ROUND_EXACT, &VECTOR_DATA(vector, Int128)[row]);
	return result == DECIMAL_OK || fail_decimal(reader, token, type, result);
}

static bool
read_double(JsonReader *reader, const Token *token, const Type *type, Str text, double *out)
{
	NumberResult result;

	if (type->kind == TYPE_FLOAT) {
		float narrow = 0;

		result = float_parse(text.data, text.len, &narrow);
		*out = (double)narrow;
	} else {
		result = double_parse(text.data, text.len, out);
	}
	if (result == NUMBER_OVERFLOW)
		return fail_decimal(reader, token, type, DECIMAL_OVERFLOW);
	return result == NUMBER_OK || fail_decimal(reader, token, type, DECIMAL_SYNTAX);
}

static bool
fail_temporal(JsonReader *reader, const Token *token, const Type *type, TemporalResult result)
{
	switch (result) {
	case TEMPORAL_RANGE:
		return fail_value(reader, FERRIS_ERR_OUT_OF_RANGE, token, type,
				  "is outside the range of");
	case TEMPORAL_LOST_DIGITS:
		return fail_value(reader, FERRIS_ERR_DIGIT_LOSS, token, type,
				  "is finer than the microseconds of");
	default:
		return fail_value(reader, FERRIS_ERR_BAD_VALUE, token, type, "is not a");
	}
}

static bool
read_temporal(JsonReader *reader, const Token *token, const Type *type, Str text, Vector *vector,
	      uint32_t row)
{
	int64_t *out = type->kind != TYPE_INTERVAL ? &VECTOR_DATA(vector, int64_t)[row] : NULL;
	TemporalResult result;
	int32_t days = 0;

	switch (type->kind) {
	case TYPE_DATE:
		result = date_parse(text.data, text.len, &days);
		*out = days;
		break;
	case TYPE_TIME:
		result = time_parse(text.data, text.len, out);
		break;
	case TYPE_INTERVAL:
		result = interval_parse_text(text.data, text.len,
					     &VECTOR_DATA(vector, Interval)[row]);
		break;
	default:
		if (token->kind == TOKEN_NUMBER)
			result = timestamp_style_read_number(&reader->style, text, out);
		else
			result = timestamp_style_read_text(&reader->style, text, out);
	}
	return result == TEMPORAL_OK || fail_temporal(reader, token, type, result);
}

static bool
read_bytes(JsonReader *reader, const Token *token, const Type *type, Str text, StringView *out)
{
	char *bytes = arena_alloc(reader->heap, BASE64_DECODED(text.len));
	size_t len;

	if (!base64_decode(text.data, text.len, bytes, &len))
		return fail_value(reader, FERRIS_ERR_BAD_VALUE, token, type, "is not base64 for");
	*out = (StringView){.data = bytes, .len = (uint32_t)len};
	return true;
}

static unsigned
string_flags(const JsonString *string)
{
	return string->ascii && !string->escaped ? VIEW_JSON_CLEAN : 0;
}

/* An array or object is gone through, so that its end is known. */
static bool
close_token(JsonReader *reader, Token *token, uint32_t depth)
{
	if (token->end == NULL) {
		token->end = json_check_value(&reader->text, token->start, depth, false);
		if (token->end == NULL)
			return json_fail_text(reader);
	}
	return true;
}

/* A STRING column takes any value: a string's text, or the JSON text of what else is there. */
static bool
read_string(JsonReader *reader, Token *token, uint32_t depth, StringView *out)
{
	if (token->kind == TOKEN_STRING) {
		Str text = json_string_text(reader->heap, &token->string);

		*out = (StringView){text.data, text.len, string_flags(&token->string)};
		return true;
	}
	if (!close_token(reader, token, depth))
		return false;
	Str text = token_text(token);
	bool plain = token->kind != TOKEN_ARRAY && token->kind != TOKEN_OBJECT;
	*out = (StringView){text.data, text.len, plain ? VIEW_JSON_CLEAN : 0};
	return true;
}

static bool
read_json(JsonReader *reader, Token *token, uint32_t depth, StringView *out)
{
	if (!close_token(reader, token, depth))
		return false;
	Str text = token_text(token);
	*out = (StringView){.data = text.data, .len = text.len};
	return true;
}

/* Which tokens a type reads, as bits of 1 << TokenKind. */
static unsigned
tokens_of(const Type *type)
{
	switch (type->kind) {
	case TYPE_BOOLEAN:
		return 1u << TOKEN_TRUE | 1u << TOKEN_FALSE;
	case TYPE_DECIMAL:
	case TYPE_TIMESTAMP:
		return 1u << TOKEN_NUMBER | 1u << TOKEN_STRING;
	case TYPE_STRING:
	case TYPE_JSON:
		return ~0u;
	case TYPE_BYTES:
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_INTERVAL:
		return 1u << TOKEN_STRING;
	case TYPE_ARRAY:
		return 1u << TOKEN_ARRAY;
	case TYPE_MAP:
	case TYPE_STRUCT:
		return 1u << TOKEN_OBJECT;
	case TYPE_NULL:
		return 0;
	default:
		return 1u << TOKEN_NUMBER;
	}
}

/* `text` is the token's own text, or that inside its quotes. */
static bool
read_scalar(JsonReader *reader, Token *token, Str text, uint32_t depth, Vector *vector,
	    uint32_t row)
{
	const Type *type = vector->type;

	switch (type->kind) {
	case TYPE_BOOLEAN:
		VECTOR_DATA(vector, uint8_t)[row] = token->kind == TOKEN_TRUE;
		return true;
	case TYPE_DECIMAL:
		return read_decimal(reader, token, type, text, vector, row);
	case TYPE_FLOAT:
	case TYPE_DOUBLE:
		return read_double(reader, token, type, text, &VECTOR_DATA(vector, double)[row]);
	case TYPE_STRING:
		return read_string(reader, token, depth, &VECTOR_DATA(vector, StringView)[row]);
	case TYPE_JSON:
		return read_json(reader, token, depth, &VECTOR_DATA(vector, StringView)[row]);
	case TYPE_BYTES:
		return read_bytes(reader, token, type, text, &VECTOR_DATA(vector, StringView)[row]);
	case TYPE_DATE:
	case TYPE_TIME:
	case TYPE_TIMESTAMP:
	case TYPE_INTERVAL:
		return read_temporal(reader, token, type, text, vector, row);
	default:
		return read_integer(reader, token, type, text, &VECTOR_DATA(vector, int64_t)[row]);
	}
}

/* ---- arrays and objects ---- */

/* One past `close` or `,` behind an element; *more tells which. */
static const char *
next_element(JsonReader *reader, const char *p, char close, bool *more)
{
	JsonText *text = &reader->text;

	p = json_skip_blanks(p, text->end);
	*more = p < text->end && *p == ',';
	if (*more)
		return json_skip_blanks(p + 1, text->end);
	if (p < text->end && *p == close)
		return p + 1;
	text->status = FERRIS_ERR_BAD_RECORD;
	text->fault = close == ']' ? "expected ',' or ']' in an array"
				   : "expected ',' or '}' in an object";
	text->fault_at = p;
	json_fail_text(reader);
	return NULL;
}

/* A key and its colon; returns the place of the value. */
static const char *
read_key(JsonReader *reader, const char *p, Token *key, Str *name)
{
	JsonText *text = &reader->text;

	key->kind = TOKEN_STRING;
	key->start = p;
	text->status = FERRIS_ERR_BAD_RECORD;
	text->fault = "expected a key in quotes";
	text->fault_at = p;
	p = p < text->end && *p == '"' ? json_check_string(text, p, &key->string) : NULL;
	if (p != NULL) {
		key->end = p;
		p = json_skip_blanks(p, text->end);
		if (p < text->end && *p == ':') {
			*name = json_string_text(reader->heap, &key->string);
			return json_skip_blanks(p + 1, text->end);
		}
		text->fault = "expected ':' after a key";
		text->fault_at = p;
	}
	json_fail_text(reader);
	return NULL;
}

static const char *
read_array(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	Vector *element = &vector->children[0];
	uint32_t first = vector->child_len;
	bool more = true;

	p = json_skip_blanks(p + 1, reader->text.end);
	if (p < reader->text.end && *p == ']') {
		more = false;
		p++;
	}
	while (more) {
		uint32_t at = vector_list_append(vector, 1);

		p = json_read_value(reader, p, depth + 1, element, at);
		if (p == NULL)
			return NULL;
		p = next_element(reader, p, ']', &more);
		if (p == NULL)
			return NULL;
	}
	VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, vector->child_len - first};
	return p;
}

/* A key of a MAP from the text of the JSON key. */
static bool
read_map_key(JsonReader *reader, Token *key, Str name, Vector *keys, uint32_t at)
{
	const Type *type = keys->type;

	vector_set_valid(keys, at);
	if (type->kind == TYPE_BOOLEAN) {
		key->kind = str_eq(name, STR("true")) ? TOKEN_TRUE : TOKEN_FALSE;
		if (key->kind == TOKEN_FALSE && !str_eq(name, STR("false")))
			return fail_value(reader, FERRIS_ERR_BAD_VALUE, key, type, "is not a");
	} else if (type->field_count > 0) {
		return fail_value(reader, FERRIS_ERR_BAD_VALUE, key, type, "is not a");
	}
	return read_scalar(reader, key, name, 0, keys, at);
}

static const char *
read_map(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	uint32_t first = vector->child_len;
	uint64_t object = json_keys_open(&reader->text);
	bool more = true;

	p = json_skip_blanks(p + 1, reader->text.end);
	if (p < reader->text.end && *p == '}') {
		more = false;
		p++;
	}
	while (more) {
		Token key;
		Str name;

		p = read_key(reader, p, &key, &name);
		if (p == NULL)
			return NULL;
		if (json_keys_add(&reader->text, object, name)) {
			uint32_t at = vector_list_append(vector, 1);

			if (!read_map_key(reader, &key, name, &vector->children[0], at))
				return NULL;
			p = json_read_value(reader, p, depth + 1, &vector->children[1], at);
		} else {
			p = json_check_value(&reader->text, p, depth + 1, false);
			if (p == NULL)
				json_fail_text(reader);
		}
		p = p != NULL ? next_element(reader, p, '}', &more) : NULL;
		if (p == NULL)
			return NULL;
	}
	VECTOR_DATA(vector, ListEntry)[row] = (ListEntry){first, vector->child_len - first};
	return p;
}

void
json_set_null(Vector *vector, uint32_t row)
{
	vector_set_null(vector, row);
	if (type_physical(vector->type) == PHYSICAL_STRUCT)
		for (uint32_t i = 0; i < vector->child_count; i++)
			json_set_null(&vector->children[i], row);
}

static bool
struct_field(const Type *type, Str name, uint32_t hint, uint32_t *index)
{
	for (uint32_t i = 0; i < type->field_count; i++) {
		*index = hint + i < type->field_count ? hint + i : hint + i - type->field_count;
		if (str_eq(type->fields[*index].name, name))
			return true;
	}
	return false;
}

static const char *
read_struct(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	const Type *type = vector->type;
	uint64_t *seen = ARENA_ARRAY(reader->heap, uint64_t, BITMAP_WORDS(type->field_count));
	uint32_t hint = 0;
	bool more = true;

	p = json_skip_blanks(p + 1, reader->text.end);
	if (p < reader->text.end && *p == '}') {
		more = false;
		p++;
	}
	while (more) {
		Token key;
		Str name;
		uint32_t index;

		p = read_key(reader, p, &key, &name);
		if (p == NULL)
			return NULL;
		if (struct_field(type, name, hint, &index) && !bitmap_get(seen, index)) {
			hint = index + 1 < type->field_count ? index + 1 : 0;
			bitmap_set(seen, index);
			p = json_read_value(reader, p, depth + 1, &vector->children[index], row);
		} else {
			p = json_check_value(&reader->text, p, depth + 1, false);
			if (p == NULL)
				json_fail_text(reader);
		}
		p = p != NULL ? next_element(reader, p, '}', &more) : NULL;
		if (p == NULL)
			return NULL;
	}
	for (uint32_t i = 0; i < type->field_count; i++) {
		if (!bitmap_get(seen, i))
			json_set_null(&vector->children[i], row);
		if (type->fields[i].not_null && vector_is_null(&vector->children[i], row)) {
			json_fail(reader, FERRIS_ERR_NOT_NULL, "field '%.*s' is NULL or missing",
				  STR_ARG(type->fields[i].name));
			return NULL;
		}
	}
	return p;
}

const char *
json_read_value(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	Token token;

	if (!read_token(reader, p, &token))
		return NULL;
	if (token.kind == TOKEN_NULL) {
		json_set_null(vector, row);
		return token.end;
	}
	if ((tokens_of(vector->type) >> token.kind & 1) == 0) {
		fail_value(reader, FERRIS_ERR_BAD_VALUE, &token, vector->type, "is not a");
		return NULL;
	}
	vector_set_valid(vector, row);
	if (vector->type->field_count > 0) {
		if (depth >= reader->text.max_depth) {
			json_fail(reader, FERRIS_ERR_BAD_RECORD,
				  "nested deeper than 'json.max.depth' = %u",
				  reader->text.max_depth);
			return NULL;
		}
		if (vector->type->kind == TYPE_ARRAY)
			return read_array(reader, p, depth, vector, row);
		if (vector->type->kind == TYPE_MAP)
			return read_map(reader, p, depth, vector, row);
		return read_struct(reader, p, depth, vector, row);
	}
	Str text = {NULL, 0};
	if (token.kind == TOKEN_STRING && vector->type->kind != TYPE_STRING &&
	    vector->type->kind != TYPE_JSON)
		text = json_string_text(reader->heap, &token.string);
	else if (token.end != NULL)
		text = token_text(&token);
	return read_scalar(reader, &token, text, depth, vector, row) ? token.end : NULL;
}

/* ---- TEXT form ---- */

static bool
is_boolean(const Token *token)
{
	return token->kind == TOKEN_TRUE || token->kind == TOKEN_FALSE;
}

/* True if the number's own text is what the type prints. */
static bool
is_canonical(const Token *token, const Type *type)
{
	const NumberScan *scan = &token->scan;
	Str text = token_text(token);

	if (token->kind != TOKEN_NUMBER || scan->kind == NUMBER_EXPONENT)
		return false;
	if (type_is_integer(type)) /* a digit less than the range's limits have is in range */
		return scan->kind == NUMBER_INTEGER && !str_eq(text, STR("-0")) &&
		       scan->integer_digits < (uint32_t)type_integer_digits(type->kind);
	if (scan->fraction_digits != type->scale ||
	    scan->integer_digits > (uint32_t)(type->precision - type->scale))
		return false;
	for (uint32_t i = 1; scan->negative && i < text.len; i++)
		if (text.data[i] > '0')
			return true;
	return !scan->negative;
}

/* A number in other words than the type prints: 1.5 in a DECIMAL(18,4), 1e3 in a BIGINT. */
static bool
print_exact(JsonReader *reader, const Token *token, const Type *type, StringView *out)
{
	bool quoted = token->kind == TOKEN_STRING && type->kind == TYPE_DECIMAL;
	Str text = quoted ? json_string_text(reader->heap, &token->string) : token_text(token);
	char *print = arena_alloc(reader->heap, DECIMAL_TEXT_MAX);
	int64_t integer;
	Int128 wide;

	if (token->kind != TOKEN_NUMBER && !quoted)
		return fail_value(reader, FERRIS_ERR_BAD_VALUE, token, type, "is not a");
	if (type_is_integer(type)) {
		if (!read_integer(reader, token, type, text, &integer))
			return false;
		wide = integer;
	} else {
		DecimalResult result = decimal_parse(text.data, text.len, type->precision,
						     type->scale, ROUND_EXACT, &wide);

		if (result != DECIMAL_OK)
			return fail_decimal(reader, token, type, result);
	}
	char *end = decimal_print128(print, wide, type->scale);
	*out = (StringView){print, (uint32_t)(end - print), VIEW_JSON_CLEAN | VIEW_CSV_CLEAN};
	return true;
}

/* Types whose text is made of their value alone, without the encoder. */
static bool
print_common(const Vector *value, Arena *heap, StringView *out)
{
	TypeKind kind = value->type->kind;
	char *text, *end;

	if (kind != TYPE_TIMESTAMP && kind != TYPE_DOUBLE)
		return false;
	text = arena_alloc(heap, DOUBLE_TEXT_MAX > TIMESTAMP_TEXT_MAX ? DOUBLE_TEXT_MAX
								      : TIMESTAMP_TEXT_MAX);
	end = kind == TYPE_DOUBLE ? double_print(text, VECTOR_DATA(value, double)[0])
				  : timestamp_print(text, VECTOR_DATA(value, int64_t)[0]);
	*out = (StringView){text, (uint32_t)(end - text), VIEW_JSON_CLEAN};
	return true;
}

/* Any other type, as the encoder would print it. */
static bool
print_rare(JsonReader *reader, const Vector *value, StringView *out)
{
	static const TimestampStyle iso = {.kind = TIMESTAMP_ISO8601};
	JsonPrintError error = {FERRIS_OK, NULL};
	Buffer text;

	buffer_init(&text, UINT32_MAX);
	bool done = json_print_value(&text, &iso, value, 0, &error);
	if (done) {
		/* Of types that JSON quotes, the text is what lies between the quotes. */
		uint32_t quote = text.data[0] == '"' ? 1 : 0;
		uint32_t len = (uint32_t)text.len - 2 * quote;

		*out = (StringView){arena_copy(reader->heap, text.data + quote, len), len,
				    quote == 1 ? VIEW_JSON_CLEAN : 0};
	} else {
		json_fail(reader, error.status, "%s", error.what);
	}
	buffer_free(&text);
	return done;
}

/* Decodes the value as a VALUE and prints it. */
static const char *
print_text(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	StringView *out = &VECTOR_DATA(vector, StringView)[row];
	bool nested = vector->type->field_count > 0;
	uint64_t valid;
	Int128 data[1]; /* room for any scalar */
	Vector value = {.type = vector->type, .capacity = 1, .data = data, .valid = &valid};

	if (nested)
		vector_init(&value, vector->type, FORM_VALUE, 1);
	p = json_read_value(reader, p, depth, &value, 0);
	if (p != NULL && vector_is_null(&value, 0)) {
		vector_set_null(vector, row);
	} else if (p != NULL) {
		vector_set_valid(vector, row);
		if (!print_common(&value, reader->heap, out) && !print_rare(reader, &value, out))
			p = NULL;
	}
	if (nested)
		vector_free(&value);
	return p;
}

const char *
json_read_text(JsonReader *reader, const char *p, uint32_t depth, Vector *vector, uint32_t row)
{
	const Type *type = vector->type;
	StringView *out = &VECTOR_DATA(vector, StringView)[row];
	Token token;
	bool done = true;

	if (!read_token(reader, p, &token))
		return NULL;
	if (token.kind == TOKEN_NULL) {
		vector_set_null(vector, row);
		return token.end;
	}
	if (type->kind == TYPE_STRING) {
		done = read_string(reader, &token, depth, out);
	} else if (type->kind == TYPE_JSON) {
		done = read_json(reader, &token, depth, out);
	} else if (type_is_exact(type) && !is_canonical(&token, type)) {
		done = print_exact(reader, &token, type, out);
	} else if (type_is_exact(type) || (type->kind == TYPE_BOOLEAN && is_boolean(&token))) {
		Str text = token_text(&token);

		*out = (StringView){text.data, text.len, VIEW_JSON_CLEAN | VIEW_CSV_CLEAN};
	} else {
		return print_text(reader, p, depth, vector, row);
	}
	vector_set_valid(vector, row);
	return done ? token.end : NULL;
}
