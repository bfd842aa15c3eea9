/* bench/native/hand.h -- what the hand-written programs share: blocks of lines in, digits out.
 *
 * These programs answer one question: how fast could this one query be on this machine?  They know
 * the data of gen_trades: its order of keys, its four decimals, times of 13 digits that are never
 * behind the watermark, no escapes, no NULL.  Anything else ends them with a message instead of a
 * wrong answer. */
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
#define TIME_DIGITS    13    /* of milliseconds since 1970 */
#define DELAY          1000  /* the watermark is so far behind the largest time */
#define MINUTE         60000

/* What a query needs beyond trade_id and symbol. */
enum { PRICE = 1, QUANTITY = 2, SIDE = 4, TIME = 8 };

typedef struct Row {
	int64_t id, price, quantity, time;
	const char *symbol;
	size_t symbol_len;
	bool buy;
} Row;

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

static inline int64_t
read_eight_digits(const char *p)
{
	uint64_t n;

	memcpy(&n, p, sizeof n);
	n -= UINT64_C(0x3030303030303030);
	if (((n + UINT64_C(0x7676767676767676)) | n) & UINT64_C(0x8080808080808080))
		hand_fail("not a digit", p);
	n = n * 10 + (n >> 8); /* pairs, then fours, then all eight */
	n = (n & UINT64_C(0x00ff00ff00ff00ff)) * 100 + (n >> 16 & UINT64_C(0x00ff00ff00ff00ff));
	return (int64_t)((n & 0xffff) * 10000 + (n >> 32 & 0xffff));
}

/* A time in front of end; its last eight digits and its first eight overlap. */
static inline int64_t
read_time(const char *end)
{
	return read_eight_digits(end - TIME_DIGITS) / 1000 * 100000000 + read_eight_digits(end - 8);
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
	uint32_t len;
	uint32_t sector; /* S7: its number, from 1 */
	int64_t count;
	int64_t sum;   /* S4: of price * quantity; S5: of quantity */
	int64_t price; /* S4, S5: the sum; S6: the last one */
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
			groups[at].len = (uint32_t)len;
			return &groups[at];
		}
	}
}

static inline void
group_add(Group *group, int64_t price, int64_t number)
{
	group->count++;
	group->sum += number;
	group->price += price;
}

/* The average with six decimals, half up. */
static inline int64_t
group_average(const Group *group)
{
	return (group->price * 100 * 2 + group->count) / (group->count * 2);
}

/* Rows that wait for the watermark, in order of time: a list for each millisecond of its delay. */
#define HELD_TIMES 1024u
_Static_assert(HELD_TIMES >= DELAY, "two times of the delay would share a list");

typedef struct Held {
	struct Held *next;
	Group *group;
	int64_t id, price;
} Held;

typedef struct HeldRows {
	Held *first[HELD_TIMES], *last[HELD_TIMES];
	Held *spare;
	size_t count;
	int64_t from; /* all rows before this time are out */
} HeldRows;

/* The next row up to this time, valid until rows_hold; NULL when there is none. */
static inline Held *
rows_next(HeldRows *rows, int64_t until)
{
	for (; rows->count > 0 && rows->from <= until; rows->from++) {
		Held **first = &rows->first[rows->from % HELD_TIMES], *held = *first;

		if (held != NULL) {
			*first = held->next;
			held->next = rows->spare;
			rows->spare = held;
			rows->count--;
			return held;
		}
	}
	if (rows->from <= until)
		rows->from = until + 1;
	return NULL;
}

static inline void
rows_hold(HeldRows *rows, const Row *row, Group *group)
{
	Held **first = &rows->first[row->time % HELD_TIMES];
	Held **last = &rows->last[row->time % HELD_TIMES];
	Held *held = rows->spare;

	if (row->time < rows->from)
		hand_fail("a late row", row->symbol);
	if (held != NULL)
		rows->spare = held->next;
	else
		held = malloc(sizeof *held);
	*held = (Held){.group = group, .id = row->id, .price = row->price};
	if (*first == NULL)
		*first = held;
	else
		(*last)->next = held;
	*last = held;
	rows->count++;
}

#define SECTORS_MAX 64

typedef struct Sector {
	char name[32];
	bool joined;
	int64_t quantity;
} Sector;

/* Reads symbols.csv in folder DATA: the group of each symbol gets the number of its sector. */
static inline void
sectors_read(Sector *sectors, Group *groups)
{
	char path[4096], symbol[9], name[sizeof sectors->name], *line = NULL;
	size_t size = 0;

	snprintf(path, sizeof path, "%s/symbols.csv",
		 getenv("DATA") != NULL ? getenv("DATA") : ".");
	FILE *file = fopen(path, "r");
	if (file == NULL || getline(&line, &size, file) < 0 ||
	    strcmp(line, "symbol,name,sector,lot_size\n") != 0)
		hand_fail("not the table of symbols", path);
	while (getline(&line, &size, file) > 0) {
		uint32_t number = 1;

		if (sscanf(line, "%8[^,],%*[^,],%31[^,],", symbol, name) != 2)
			hand_fail("not a symbol", line);
		while (number < SECTORS_MAX && sectors[number].name[0] != '\0' &&
		       strcmp(sectors[number].name, name) != 0)
			number++;
		if (number == SECTORS_MAX)
			hand_fail("too many sectors", line);
		memcpy(sectors[number].name, name, sizeof name);
		group_find(groups, symbol, strlen(symbol))->sector = number;
	}
	free(line);
	fclose(file);
}
