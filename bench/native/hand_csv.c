/* bench/native/hand_csv.c -- S1 to S4 over CSV with a header, written by hand.
 *
 *     hand_csv S1|S2|S3|S4 < trades.csv > out.csv */
#include "hand.h"

#define HEADER "trade_id,symbol,price,quantity,side,account,event_time\n"

typedef struct Row {
	int64_t id, price, quantity;
	const char *symbol;
	size_t symbol_len;
	bool buy;
} Row;

static inline const char *
after_comma(const char *p)
{
	if (*p != ',')
		hand_fail("a comma is missing", p);
	return p + 1;
}

/* Reads up to the last field that the query needs; returns a place before the line's end. */
static inline __attribute__((always_inline)) const char *
row_read(Row *row, const char *p, const char *end, bool quantity, bool side)
{
	row->symbol = p = after_comma(read_number(p, &row->id));
	p = memchr(p, ',', (size_t)(end - p));
	row->symbol_len = (size_t)(p - row->symbol);
	p = read_price(p + 1, &row->price);
	if (quantity)
		p = read_number(after_comma(p), &row->quantity);
	if (side)
		row->buy = memcmp(after_comma(p), "BUY,", 4) == 0;
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
			p = row_read(&row, p, lines.end, query == 3, query == 3);
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
			p = row_read(&row, p, lines.end, true, false);
			group_add(group_find(groups, row.symbol, row.symbol_len), row.price,
				  row.quantity);
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
		output_decimal(&out, group->notional, 4);
		OUTPUT_LITERAL(&out, ",");
		output_decimal(&out, group_average(group), 6);
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
	else {
		fputs("usage: hand_csv S1|S2|S3|S4 < trades.csv > out.csv\n", stderr);
		return 2;
	}
	return 0;
}
