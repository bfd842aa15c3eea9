/* bench/native/hand.h -- what the hand-written programs share: blocks of lines in, digits out.
 *
 * These programs answer one question: how fast could this one query be on this machine?  They know
 * the data of gen_trades: its order of keys, its four decimals, no escapes, no NULL.  Anything else
 * ends them with a message instead of a wrong answer. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_SIZE     ((size_t)256 << 10)
#define LINE_MAX_BYTES 4096
#define SCALE          10000 /* prices have four decimals */

typedef struct Lines {
	const char *begin; /* whole lines, the last byte is a newline */
	const char *end;
	char *data;
	size_t filled;
} Lines;

typedef struct Output {
	char *data;
	char *at;
} Output;

__attribute__((noreturn, cold)) static inline void
hand_fail(const char *why, const char *line)
{
	fprintf(stderr, "hand-written program: %s: %.60s\n", why, line);
	exit(1);
}

/* The next block of whole lines from standard input; false at the end. */
static inline bool
lines_next(Lines *lines)
{
	if (lines->data == NULL)
		lines->data = malloc(BLOCK_SIZE + LINE_MAX_BYTES);
	size_t used = lines->end != NULL ? (size_t)(lines->end - lines->data) : 0;
	size_t rest = lines->filled - used;
	if (rest > LINE_MAX_BYTES)
		hand_fail("a line is too long", lines->end);
	memmove(lines->data, lines->data + used, rest);
	ssize_t got = read(STDIN_FILENO, lines->data + rest, BLOCK_SIZE);
	if (got < 0)
		hand_fail("cannot read", "");
	lines->filled = rest + (size_t)got;
	const char *last = memrchr(lines->data, '\n', lines->filled);
	if (last == NULL && lines->filled > 0)
		hand_fail("no newline at the end", lines->data);
	lines->begin = lines->data;
	lines->end = last != NULL ? last + 1 : lines->data;
	return last != NULL;
}

static inline void
output_flush(Output *out)
{
	for (const char *p = out->data; p < out->at;) {
		ssize_t put = write(STDOUT_FILENO, p, (size_t)(out->at - p));

		if (put <= 0)
			hand_fail("cannot write", "");
		p += put;
	}
	out->at = out->data;
}

/* Room for one line. */
static inline void
output_reserve(Output *out)
{
	if (out->data == NULL)
		out->at = out->data = malloc(BLOCK_SIZE + LINE_MAX_BYTES);
	if (out->at - out->data >= (long)BLOCK_SIZE)
		output_flush(out);
}

static inline void
output_text(Output *out, const char *text, size_t len)
{
	memcpy(out->at, text, len);
	out->at += len;
}

#define OUTPUT_LITERAL(out, text) output_text(out, text, sizeof text - 1)

static inline void
output_number(Output *out, int64_t number)
{
	static const char pairs[] =
		"0001020304050607080910111213141516171819202122232425262728293031323334353637383940"
		"4142434445464748495051525354555657585960616263646566676869707172737475767778798081"
		"828384858687888990919293949596979899";
	char digits[20], *p = digits + sizeof digits;
	uint64_t n = (uint64_t)number;

	while (n >= 100) {
		p -= 2;
		memcpy(p, pairs + n % 100 * 2, 2);
		n /= 100;
	}
	if (n >= 10) {
		p -= 2;
		memcpy(p, pairs + n * 2, 2);
	} else {
		*--p = (char)('0' + n);
	}
	output_text(out, p, (size_t)(digits + sizeof digits - p));
}

/* Numbers here are never negative. */
static inline void
output_decimal(Output *out, int64_t number, int decimals)
{
	int64_t power = decimals == 6 ? 1000000 : SCALE;

	output_number(out, number / power);
	char *point = out->at;
	output_number(out, power + number % power); /* a 1 in front keeps the zeros */
	*point = '.';
}

static inline const char *
read_number(const char *p, int64_t *out)
{
	int64_t number = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		number = number * 10 + (*p - '0');
	*out = number;
	return p;
}

/* A number with exactly four decimals, as ten-thousandths. */
static inline const char *
read_price(const char *p, int64_t *out)
{
	const char *point;
	int64_t whole, part;

	point = read_number(p, &whole);
	if (*point != '.')
		hand_fail("a price without a point", p);
	p = read_number(point + 1, &part);
	if (p - point != 5)
		hand_fail("a price without four decimals", point);
	*out = whole * SCALE + part;
	return p;
}

static inline const char *
next_line(const char *p, const char *end)
{
	return (const char *)memchr(p, '\n', (size_t)(end - p)) + 1;
}

/* Groups by a symbol of at most eight bytes. */
#define GROUP_SLOTS 4096u

typedef struct Group {
	uint64_t key; /* the symbol's bytes; 0 is a free slot */
	size_t len;
	int64_t count, notional, price;
} Group;

static inline Group *
group_find(Group *groups, const char *symbol, size_t len)
{
	uint64_t key = 0;

	if (len == 0 || len > sizeof key)
		hand_fail("a symbol is not 1 to 8 bytes long", symbol);
	memcpy(&key, symbol, len);
	for (size_t at = key * UINT64_C(0x9E3779B97F4A7C15) >> 52;; at = (at + 1) % GROUP_SLOTS) {
		if (groups[at].key == key)
			return &groups[at];
		if (groups[at].key == 0) {
			groups[at].key = key;
			groups[at].len = len;
			return &groups[at];
		}
	}
}

static inline void
group_add(Group *group, int64_t price, int64_t quantity)
{
	group->count++;
	group->notional += price * quantity;
	group->price += price;
}

/* The average with six decimals, half up. */
static inline int64_t
group_average(const Group *group)
{
	return (group->price * 100 * 2 + group->count) / (group->count * 2);
}
