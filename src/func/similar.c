/* func/similar.c -- the pattern of SIMILAR TO as a regular expression.
 *
 * % and _ are those of LIKE; | * + ? {m} {m,} {m,n} ( ) and [...] with ^, a-z and [:alpha:] mean
 * what they do in a regular expression; every other character stands for itself.  PCRE2 has more
 * meanings for some: a second + or ? behind a repetition, (?, [^], \\ in brackets.  They are
 * refused or escaped here. */
#include "func/similar.h"

#include "base/utf8.h"

typedef struct Similar {
	Str pattern;
	Str escape;
	uint32_t at;
	uint32_t depth;  /* of parentheses */
	bool repeatable; /* what stands before can be repeated */
	Buffer *out;
	Error *err;
} Similar;

static Status
bad_pattern(Similar *self, const char *why)
{
	return error_set(self->err, FERRIS_ERR_BAD_ARGUMENT,
			 "the pattern of SIMILAR TO at byte %u: %s", self->at + 1, why);
}

static bool
at_escape(const Similar *self)
{
	return self->escape.len > 0 &&
	       str_starts_with(str_skip(self->pattern, self->at), self->escape);
}

/* The character here for itself; moves on. */
static void
put_literal(Similar *self)
{
	char c = self->pattern.data[self->at++];

	if (strchr("\\^$.|?*+()[]{}-", c) != NULL && c != '\0')
		buffer_append_char(self->out, '\\');
	buffer_append_char(self->out, c);
}

static Status
put_escaped(Similar *self)
{
	self->at += self->escape.len;
	if (self->at == self->pattern.len)
		return bad_pattern(self, "it ends with its escape character");
	put_literal(self);
	return FERRIS_OK;
}

/* [:alpha:], as it is. */
static bool
put_class(Similar *self)
{
	Str rest = str_skip(self->pattern, self->at);
	const char *end;

	if (!str_starts_with(rest, STR("[:")))
		return false;
	end = memmem(rest.data + 2, rest.len - 2, ":]", 2);
	if (end == NULL)
		return false;
	buffer_append(self->out, rest.data, (size_t)(end + 2 - rest.data));
	self->at += (uint32_t)(end + 2 - rest.data);
	return true;
}

/* [...] or [^...]. */
static Status
put_brackets(Similar *self)
{
	uint32_t first;

	buffer_append_char(self->out, '[');
	self->at++;
	if (self->at < self->pattern.len && self->pattern.data[self->at] == '^') {
		buffer_append_char(self->out, '^');
		self->at++;
	}
	for (first = self->at; self->at < self->pattern.len;) {
		char c = self->pattern.data[self->at];

		if (c == ']' && self->at > first) {
			buffer_append_char(self->out, ']');
			self->at++;
			return FERRIS_OK;
		}
		if (c == ']')
			return bad_pattern(self, "[] without characters");
		if (at_escape(self)) {
			TRY(put_escaped(self));
		} else if (c == '-') {
			buffer_append_char(self->out, c);
			self->at++;
		} else if (!put_class(self)) {
			put_literal(self);
		}
	}
	return bad_pattern(self, "']' is missing");
}

/* * + ? {m} {m,} {m,n}. */
static Status
put_repetition(Similar *self)
{
	Str rest = str_skip(self->pattern, self->at);
	uint32_t len = 1;

	if (!self->repeatable)
		return bad_pattern(self, "nothing to repeat");
	if (rest.data[0] == '{') {
		uint32_t digits = len;

		while (len < rest.len && rest.data[len] >= '0' && rest.data[len] <= '9')
			len++;
		bool has_digits = len > digits;
		if (has_digits && len < rest.len && rest.data[len] == ',')
			len++;
		while (len < rest.len && rest.data[len] >= '0' && rest.data[len] <= '9')
			len++;
		if (!has_digits || len == rest.len || rest.data[len] != '}')
			return bad_pattern(self, "{ begins {m}, {m,} or {m,n}");
		len++;
	}
	buffer_append(self->out, rest.data, len);
	self->at += len;
	self->repeatable = false;
	return FERRIS_OK;
}

static Status
put_element(Similar *self)
{
	char c = self->pattern.data[self->at];

	if (at_escape(self)) {
		self->repeatable = true;
		return put_escaped(self);
	}
	if (strchr("*+?{", c) != NULL && c != '\0')
		return put_repetition(self);
	self->repeatable = c != '(' && c != '|';
	if (c == '[')
		return put_brackets(self);
	if (c != '%' && c != '_' && c != '(' && c != ')' && c != '|') {
		/* A character of several bytes is repeated as a whole. */
		do
			put_literal(self);
		while (self->at < self->pattern.len &&
		       ((uint8_t)self->pattern.data[self->at] & 0xC0) == 0x80);
		return FERRIS_OK;
	}
	if (c == ')' && self->depth == 0)
		return bad_pattern(self, "')' without its '('");
	self->depth += c == '(';
	self->depth -= c == ')';
	self->at++;
	if (c == '%')
		buffer_append_str(self->out, STR("(?:.*)"));
	else if (c == '(')
		buffer_append_str(self->out, STR("(?:"));
	else
		buffer_append_char(self->out, c == '_' ? '.' : c);
	return FERRIS_OK;
}

Status
similar_translate(Str pattern, Str escape, Buffer *out, Error *err)
{
	Similar self = {.pattern = pattern, .escape = escape, .out = out, .err = err};
	size_t size;

	if (escape.len > 0 &&
	    (utf8_decode(escape.data, escape.len, &size) == UTF8_INVALID || size != escape.len))
		return error_set(err, FERRIS_ERR_BAD_ARGUMENT,
				 "the ESCAPE of SIMILAR TO must be one character");
	buffer_reset(out);
	buffer_append_str(out, STR("\\A(?:"));
	while (self.at < pattern.len)
		TRY(put_element(&self));
	if (self.depth > 0)
		return bad_pattern(&self, "')' is missing");
	buffer_append_str(out, STR(")\\z"));
	return FERRIS_OK;
}
