/* bench/native/hand_csv.c -- S1 to S7 over CSV with a header, written by hand.
 *
 *     hand_csv S1|...|S7 < trades.csv > out.csv */
#include "hand.h"

#define HEADER "trade_id,symbol,price,quantity,side,account,event_time\n"

static inline const char *
after_comma(const char *p)
{
	if (*p != ',')
		hand_fail("a comma is missing", p);
	return p + 1;
}

/* Reads up to the last field that the query needs; returns a place before the line's end. */
static inline __attribute__((always_inline)) const char *
row_read(Row *row, const char *p, const char *end, unsigned fields)
{
	row->symbol = p = after_comma(read_number(p, &row->id));
	p = memchr(p, ',', (size_t)(end - p));
	row->symbol_len = (size_t)(p - row->symbol);
	p++;
	p = fields & PRICE ? read_price(p, &row->price) : memchr(p, ',', (size_t)(end - p));
	if (fields & QUANTITY)
		p = read_number(after_comma(p), &row->quantity);
	if (fields & SIDE)
		row->buy = memcmp(after_comma(p), "BUY,", 4) == 0;
	if (fields & TIME) {
		p = memchr(p, '\n', (size_t)(end - p));
		row->time = read_time(after_comma(p - TIME_DIGITS - 1) + TIME_DIGITS);
	}
	return p;
}

static inline void
row_write(const Row *row, Output *out)
{
	output_reserve(out);
	output_number(out, row->id);
	OUTPUT_LITERAL(out, ",");
	output_text(out, row->symbol, row->symbol_len);
	OUTPUT_LITERAL(out, ",");
	output_decimal(out, row->price, 4);
	OUTPUT_LITERAL(out, "\n");
}

/* The first block begins behind the header. */
static bool
first_block(Lines *lines)
{
	if (!lines_next(lines) || strncmp(lines->begin, HEADER, sizeof HEADER - 1) != 0)
		hand_fail("not the header of the trades", lines->begin);
	lines->begin += sizeof HEADER - 1;
	return true;
}

static inline __attribute__((always_inline)) void
run_filter(int query)
{
	Lines lines = {0};
	Output out = {0};
	Row row = {0};

	output_reserve(&out);
	OUTPUT_LITERAL(&out, "trade_id,symbol,price\n");
	for (bool more = first_block(&lines); more; more = lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end,
				     query == 3 ? PRICE | QUANTITY | SIDE : PRICE);
			if (query == 1 || (query == 2 && row.price > 500 * SCALE) ||
			    (query == 3 && row.price > 100 * SCALE && row.quantity < 500 &&
			     row.buy))
				row_write(&row, &out);
		}
	output_flush(&out);
}

static void
run_group(void)
{
	static Group groups[GROUP_SLOTS];
	Lines lines = {0};
	Output out = {0};
	Row row = {0};

	for (bool more = first_block(&lines); more; more = lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end, PRICE | QUANTITY);
			group_add(group_find(groups, row.symbol, row.symbol_len), row.price,
				  row.price * row.quantity);
		}
	output_reserve(&out);
	OUTPUT_LITERAL(&out, "symbol,n,notional,average\n");
	for (const Group *group = groups; group < groups + GROUP_SLOTS; group++) {
		if (group->key == 0)
			continue;
		output_reserve(&out);
		output_text(&out, (const char *)&group->key, group->len);
		OUTPUT_LITERAL(&out, ",");
		output_number(&out, group->count);
		OUTPUT_LITERAL(&out, ",");
		output_decimal(&out, group->sum, 4);
		OUTPUT_LITERAL(&out, ",");
		output_decimal(&out, group_average(group), 6);
		OUTPUT_LITERAL(&out, "\n");
	}
	output_flush(&out);
}

/* Writes a window that is over, and empties it. */
static void
window_write(Group *groups, int64_t started, Output *out)
{
	for (Group *group = groups; group < groups + GROUP_SLOTS; group++) {
		if (group->key == 0)
			continue;
		output_reserve(out);
		output_text(out, (const char *)&group->key, group->len);
		OUTPUT_LITERAL(out, ",");
		output_number(out, started);
		OUTPUT_LITERAL(out, ",");
		output_number(out, group->count);
		OUTPUT_LITERAL(out, ",");
		output_number(out, group->sum);
		OUTPUT_LITERAL(out, ",");
		output_decimal(out, group_average(group), 6);
		OUTPUT_LITERAL(out, "\n");
	}
	memset(groups, 0, GROUP_SLOTS * sizeof *groups);
}

/* Writes the windows that end up to the watermark; returns where the older open one begins. */
static int64_t
windows_end(Group groups[2][GROUP_SLOTS], int64_t begin, int64_t watermark, Output *out)
{
	int64_t open = watermark / MINUTE * MINUTE;

	for (int i = 0; i < 2 && begin < open; i++, begin += MINUTE)
		window_write(groups[begin / MINUTE % 2], begin, out);
	return open;
}

/* The watermark is less than a minute behind: two windows at most are not over. */
static void
run_windows(void)
{
	static Group groups[2][GROUP_SLOTS];
	Lines lines = {0};
	Output out = {0};
	Row row = {0};
	int64_t begin = 0; /* of the older window */

	output_reserve(&out);
	OUTPUT_LITERAL(&out, "symbol,started,n,quantity,average\n");
	for (bool more = first_block(&lines); more; more = lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end, PRICE | QUANTITY | TIME);
			if (row.time - DELAY >= begin + MINUTE)
				begin = windows_end(groups, begin, row.time - DELAY, &out);
			if (row.time < begin)
				hand_fail("a late row", row.symbol);
			group_add(group_find(groups[row.time / MINUTE % 2], row.symbol,
					     row.symbol_len),
				  row.price, row.quantity);
		}
	windows_end(groups, begin, begin + 2 * MINUTE, &out);
	output_flush(&out);
}

static void
lag_write(const Held *held, Output *out)
{
	Group *group = held->group;

	output_reserve(out);
	output_number(out, held->id);
	OUTPUT_LITERAL(out, ",");
	output_text(out, (const char *)&group->key, group->len);
	OUTPUT_LITERAL(out, ",");
	output_decimal(out, held->price, 4);
	OUTPUT_LITERAL(out, ",");
	if (group->count > 0)
		output_decimal(out, group->price, 4);
	OUTPUT_LITERAL(out, ",");
	output_number(out, ++group->count);
	OUTPUT_LITERAL(out, "\n");
	group->price = held->price;
}

static void
run_lag(void)
{
	static Group groups[GROUP_SLOTS];
	static HeldRows rows;
	Lines lines = {0};
	Output out = {0};
	Row row = {0};
	const Held *held;

	output_reserve(&out);
	OUTPUT_LITERAL(&out, "trade_id,symbol,price,previous,number\n");
	for (bool more = first_block(&lines); more; more = lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end, PRICE | TIME);
			while ((held = rows_next(&rows, row.time - DELAY)) != NULL)
				lag_write(held, &out);
			rows_hold(&rows, &row, group_find(groups, row.symbol, row.symbol_len));
		}
	while ((held = rows_next(&rows, INT64_MAX - 1)) != NULL)
		lag_write(held, &out);
	output_flush(&out);
}

static void
run_join(void)
{
	static Group groups[GROUP_SLOTS];
	static Sector sectors[SECTORS_MAX]; /* 0 is that of symbols without one */
	Lines lines = {0};
	Output out = {0};
	Row row = {0};

	sectors_read(sectors, groups);
	for (bool more = first_block(&lines); more; more = lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end, QUANTITY);
			Group *group = group_find(groups, row.symbol, row.symbol_len);
			sectors[group->sector].quantity += row.quantity;
			sectors[group->sector].joined = true;
		}
	output_reserve(&out);
	OUTPUT_LITERAL(&out, "sector,quantity\n");

	for (const Sector *sector = sectors + 1; sector < sectors + SECTORS_MAX; sector++) {
		if (!sector->joined)
			continue;
		output_reserve(&out);
		output_text(&out, sector->name, strlen(sector->name));
		OUTPUT_LITERAL(&out, ",");
		output_number(&out, sector->quantity);
		OUTPUT_LITERAL(&out, "\n");
	}
	output_flush(&out);
}

int
main(int argc, char **argv)
{
	const char *query = argc == 2 ? argv[1] : "";

	if (strcmp(query, "S1") == 0)
		run_filter(1);
	else if (strcmp(query, "S2") == 0)
		run_filter(2);
	else if (strcmp(query, "S3") == 0)
		run_filter(3);
	else if (strcmp(query, "S4") == 0)
		run_group();
	else if (strcmp(query, "S5") == 0)
		run_windows();
	else if (strcmp(query, "S6") == 0)
		run_lag();
	else if (strcmp(query, "S7") == 0)
		run_join();
	else {
		fputs("usage: hand_csv S1|...|S7 < trades.csv > out.csv\n", stderr);
		return 2;
	}
	return 0;
}
