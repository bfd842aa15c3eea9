/* sql/parse_interval.c -- literals of a span of time: INTERVAL '5' MINUTE, 5m, '1 day 02:30:00'.
 *
 * A span is exact: months, days and microseconds are kept apart, and what is finer than a
 * microsecond, or half a month, is refused rather than rounded. */
#include "sql/parse.h"

#define MICROS_PER_SECOND INT64_C(1000000)
#define MICROS_PER_MINUTE (60 * MICROS_PER_SECOND)
#define MICROS_PER_HOUR   (60 * MICROS_PER_MINUTE)

typedef enum UnitField { FIELD_MONTHS, FIELD_DAYS, FIELD_MICROS } UnitField;

/* One unit is `factor` / `divisor` of its field. */
typedef struct Unit {
	Str name; /* the singular; a plural s may follow */
	Str abbreviation;
	UnitField field;
	int64_t factor;
	int64_t divisor;
} Unit;

static const Unit units[] = {
	{{"NANOSECOND", 10}, {"NS", 2}, FIELD_MICROS, 1, 1000},
	{{"MICROSECOND", 11}, {"US", 2}, FIELD_MICROS, 1, 1},
	{{"MILLISECOND", 11}, {"MS", 2}, FIELD_MICROS, 1000, 1},
	{{"SECOND", 6}, {"S", 1}, FIELD_MICROS, MICROS_PER_SECOND, 1},
	{{"MINUTE", 6}, {"M", 1}, FIELD_MICROS, MICROS_PER_MINUTE, 1},
	{{"HOUR", 4}, {"H", 1}, FIELD_MICROS, MICROS_PER_HOUR, 1},
	{{"DAY", 3}, {"D", 1}, FIELD_DAYS, 1, 1},
	{{"WEEK", 4}, {"W", 1}, FIELD_DAYS, 7, 1},
	{{"MONTH", 5}, {"MON", 3}, FIELD_MONTHS, 1, 1},
	{{"QUARTER", 7}, {"Q", 1}, FIELD_MONTHS, 3, 1},
	{{"YEAR", 4}, {"Y", 1}, FIELD_MONTHS, 12, 1},
};

enum {
	UNIT_SECOND = 3,
	UNIT_MINUTE = 4,
	UNIT_HOUR = 5,
	UNIT_DAY = 6,
	UNIT_MONTH = 8,
	UNIT_YEAR = 10
};

static const Unit *
unit_find(Str word)
{
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		Str name = units[i].name;
		Str singular = {word.data, word.len > 0 ? word.len - 1 : 0};
		bool plural = word.len == name.len + 1 && (word.data[name.len] | 0x20) == 's';

		if (str_eq_nocase(word, name) || str_eq_nocase(word, units[i].abbreviation) ||
		    (plural && str_eq_nocase(singular, name)))
			return &units[i];
	}
	return NULL;
}

/* ---------------------------------------------------------------- the value */

/* The text of an interval being read, and what it has come to. */
typedef struct Span {
	Parser *parser;
	Str rest;
	Position position; /* of the whole literal, for errors */
	IntervalValue value;
} Span;

static Status
fail_range(const Span *span)
{
	return error_set_at(span->parser->err, FERRIS_ERR_NUMBER_LITERAL, span->position,
			    "interval is longer than can be counted in 64 bits");
}

/* Add `number` ("12", "1.5") of `unit` to the span. */
static Status
span_add(Span *span, Str number, bool negative, const Unit *unit)
{
	int64_t *fields[] = {&span->value.months, &span->value.days, &span->value.micros};
	int64_t *sum = fields[unit->field];
	int64_t digits = 0, divisor = unit->divisor;
	bool overflow = false, fraction = false;

	for (uint32_t i = 0; i < number.len; i++) {
		if (number.data[i] == '.') {
			fraction = true;
			continue;
		}
		overflow |= __builtin_mul_overflow(digits, 10, &digits);
		overflow |= __builtin_add_overflow(digits, number.data[i] - '0', &digits);
		overflow |= fraction && __builtin_mul_overflow(divisor, 10, &divisor);
	}
	overflow |= __builtin_mul_overflow(digits, unit->factor, &digits);
	if (overflow)
		return fail_range(span);
	if (digits % divisor != 0) {
		error_set_at(span->parser->err, FERRIS_ERR_SYNTAX, span->position,
			     "'%.*s %.*s' is not a whole number of %s", STR_ARG(number),
			     STR_ARG(unit->name),
			     unit->field == FIELD_MICROS ? "microseconds"
			     : unit->field == FIELD_DAYS ? "days"
							 : "months");
		return error_hint(span->parser->err, "use a smaller unit");
	}
	digits = negative ? -(digits / divisor) : digits / divisor;
	/* Without INT64_MIN every interval can be negated and printed. */
	overflow = __builtin_add_overflow(*sum, digits, sum) || *sum == INT64_MIN;
	return overflow ? fail_range(span) : FERRIS_OK;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static Str
take_digits(Span *span, bool point)
{
	Str taken = {span->rest.data, 0};

	while (span->rest.len > 0 && (is_digit(span->rest.data[0]) ||
				      (point && span->rest.data[0] == '.' && taken.len > 0))) {
		point = point && span->rest.data[0] != '.';
		span->rest = str_skip(span->rest, 1);
		taken.len++;
	}
	return taken;
}

static bool
take_char(Span *span, char c)
{
	if (span->rest.len == 0 || span->rest.data[0] != c)
		return false;
	span->rest = str_skip(span->rest, 1);
	return true;
}

static Str
take_word(Span *span)
{
	Str word = {span->rest.data, 0};

	while (word.len < span->rest.len && ((word.data[word.len] | 0x20) >= 'a') &&
	       ((word.data[word.len] | 0x20) <= 'z'))
		word.len++;
	span->rest = str_skip(span->rest, word.len);
	return word;
}

static Status
fail_text(const Span *span, Str text)
{
	error_set_at(span->parser->err, FERRIS_ERR_SYNTAX, span->position,
		     "'%.*s' is not an interval", STR_ARG(text));
	return error_hint(span->parser->err,
			  "write INTERVAL '5' MINUTE, INTERVAL '1 day 2 hours' or "
			  "INTERVAL '1 02:30:00' DAY TO SECOND");
}

/* The rest of 02:30, 02:30:15.25, or with `minutes` 30:15, behind its first number. */
static Status
span_add_clock(Span *span, Str first, bool negative, bool minutes)
{
	Str second = take_digits(span, minutes);
	unsigned unit = minutes ? UNIT_MINUTE : UNIT_HOUR;

	TRY(span_add(span, first, negative, &units[unit]));
	TRY(span_add(span, second, negative, &units[unit - 1]));
	if (minutes || !take_char(span, ':'))
		return FERRIS_OK;
	return span_add(span, take_digits(span, true), negative, &units[UNIT_SECOND]);
}

/* Read the text in the quotes.  `from` and `to` are the units behind it, or NULL. */
static Status
span_read(Span *span, const Unit *from, const Unit *to)
{
	Str text = span->rest;
	bool any = false;

	for (;; any = true) {
		while (take_char(span, ' '))
			;
		if (span->rest.len == 0)
			return any ? FERRIS_OK : fail_text(span, text);
		bool negative = take_char(span, '-');
		if (!negative)
			take_char(span, '+');
		Str number = take_digits(span, true);
		if (number.len == 0 || number.len > 40)
			return fail_text(span, text);
		if (take_char(span, ':')) {
			TRY(span_add_clock(span, number, negative,
					   from == &units[UNIT_MINUTE] && to != NULL));
			continue;
		}
		if (from == &units[UNIT_YEAR] && to == &units[UNIT_MONTH] && take_char(span, '-')) {
			TRY(span_add(span, number, negative, from));
			TRY(span_add(span, take_digits(span, false), negative, to));
			continue;
		}
		while (take_char(span, ' '))
			;
		Str word = take_word(span);
		const Unit *unit = word.len > 0 ? unit_find(word) : from;
		if (unit == NULL || (word.len == 0 && any))
			return fail_text(span, text);
		TRY(span_add(span, number, negative, unit));
	}
}

/* ---------------------------------------------------------------- productions */

static Status
finish(Parser *p, const Span *span, const Token *first, bool negative, Expr **out)
{
	Expr *expr = expr_new(p, EXPR_INTERVAL);

	expr->interval = span->value;
	if (negative)
		expr->interval = (IntervalValue){-span->value.months, -span->value.days,
						 -span->value.micros};
	*out = expr;
	return expr_finish(p, expr, first);
}

/* The unit that the next word names, taken; else NULL. */
static const Unit *
accept_unit(Parser *p)
{
	const Unit *unit =
		p->token->kind == TOKEN_WORD ? unit_find(parser_token_text(p, p->token)) : NULL;
	if (unit != NULL)
		p->token++;
	return unit;
}

static bool
at_number(const Parser *p)
{
	return parser_at(p, TOKEN_INTEGER) || parser_at(p, TOKEN_DECIMAL);
}

/* Is it digits only, so that a unit must follow? */
static bool
is_number(Str text)
{
	for (uint32_t i = 0; i < text.len; i++)
		if (!is_digit(text.data[i]) && text.data[i] != '.' && text.data[i] != '-')
			return false;
	return text.len > 0;
}

static Status
fail_unit(Parser *p)
{
	parser_fail(p, "a unit of time");
	return error_hint(p->err,
			  "units are YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, "
			  "MILLISECOND, MICROSECOND, NANOSECOND");
}

/* interval     = INTERVAL [ "-" | "+" ]
 *                ( interval_text [ unit [ TO unit ] ] | plain_number unit | duration ) ;
 * plain_number = integer | decimal ; */
Status
parse_interval(Parser *p, Expr **expr)
{
	const Token *first = p->token;
	Span span = {.parser = p};
	const Unit *from, *to = NULL;

	TRY(parser_expect_word(p, KEYWORD_INTERVAL));
	bool negative = parser_accept(p, TOKEN_MINUS);
	if (!negative)
		parser_accept(p, TOKEN_PLUS);
	span.position = p->token->position;
	if (at_number(p) || parser_at(p, TOKEN_DURATION)) {
		const Token *number = p->token;
		Expr *duration;

		if (at_number(p) && (number[1].kind != TOKEN_WORD ||
				     unit_find(parser_token_text(p, &number[1])) == NULL)) {
			p->token++;
			return fail_unit(p);
		}
		TRY(parse_duration(p, &duration));
		span.value = duration->interval;
		return finish(p, &span, first, negative, expr);
	}
	TRY(parse_string(p, "a string such as '5' and a unit", &span.rest));
	from = accept_unit(p);
	if (from != NULL && parser_accept_word(p, KEYWORD_TO)) {
		to = accept_unit(p);
		if (to == NULL)
			return fail_unit(p);
	}
	if (from == NULL && is_number(span.rest))
		return fail_unit(p);
	TRY(span_read(&span, from, to));
	return finish(p, &span, first, negative, expr);
}

bool
parser_at_duration(const Parser *p)
{
	if (parser_sees_word(p, 0, KEYWORD_INTERVAL))
		return parser_sees(p, 1, TOKEN_STRING) || parser_sees(p, 1, TOKEN_INTEGER) ||
		       parser_sees(p, 1, TOKEN_DECIMAL) || parser_sees(p, 1, TOKEN_DURATION) ||
		       parser_sees(p, 1, TOKEN_MINUS) || parser_sees(p, 1, TOKEN_PLUS);
	return parser_at(p, TOKEN_DURATION) || at_number(p);
}

/* span = interval | duration | plain_number [ unit ] ; */
Status
parse_duration(Parser *p, Expr **expr)
{
	const Token *first = p->token;
	Span span = {.parser = p, .position = first->position};

	if (parser_at_word(p, KEYWORD_INTERVAL))
		return parse_interval(p, expr);
	if (!parser_at_duration(p))
		return parser_fail(p, "a duration such as 5m or INTERVAL '5' MINUTE");
	span.rest = parser_token_text(p, first);
	p->token++;
	Str number = span.rest;
	const Unit *unit;
	if (first->kind == TOKEN_DURATION) {
		number = take_digits(&span, true);
		if (number.len == 0) { /* .5h */
			span.rest = str_skip(span.rest, 1);
			number = take_digits(&span, false);
			number = (Str){number.data - 1, number.len + 1};
		}
		unit = unit_find(span.rest);
	} else {
		unit = accept_unit(p);
	}
	TRY(span_add(&span, number, false, unit != NULL ? unit : &units[UNIT_SECOND]));
	return finish(p, &span, first, false, expr);
}
