/* bench/native/hand_json.c -- S1 to S4 over JSON lines, written by hand.
 *
 *     hand_json S1|S2|S3|S4 < trades.jsonl > out.jsonl */
#include "hand.h"

/* One comparison for a whole key with its punctuation. */
#define KEY(p, text)                                                                               \
	(memcmp(p, text, sizeof text - 1) == 0 ? (p) + sizeof text - 1 : (hand_fail("keys", p), p))

typedef struct Row {
	int64_t id, price, quantity;
	const char *symbol;
	size_t symbol_len;
	bool buy;
} Row;

/* Reads up to the last field that the query needs; returns a place before the line's end. */
static inline __attribute__((always_inline)) const char *
row_read(Row *row, const char *p, const char *end, bool quantity, bool side)
{
	p = read_number(KEY(p, "{\"trade_id\":"), &row->id);
	row->symbol = p = KEY(p, ",\"symbol\":\"");
	p = memchr(p, '"', (size_t)(end - p));
	row->symbol_len = (size_t)(p - row->symbol);
	p = read_price(KEY(p, "\",\"price\":"), &row->price);
	if (quantity)
		p = read_number(KEY(p, ",\"quantity\":"), &row->quantity);
	if (side)
		row->buy = memcmp(KEY(p, ",\"side\":\""), "BUY\"", 4) == 0;
	return p;
}

static inline void
row_write(const Row *row, Output *out)
{
	output_reserve(out);
	OUTPUT_LITERAL(out, "{\"trade_id\":");
	output_number(out, row->id);
	OUTPUT_LITERAL(out, ",\"symbol\":\"");
	output_text(out, row->symbol, row->symbol_len);
	OUTPUT_LITERAL(out, "\",\"price\":");
	output_decimal(out, row->price, 4);
	OUTPUT_LITERAL(out, "}\n");
}

static inline __attribute__((always_inline)) void
run_filter(int query)
{
	Lines lines = {0};
	Output out = {0};
	Row row = {0};

	while (lines_next(&lines))
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

	while (lines_next(&lines))
		for (const char *p = lines.begin; p < lines.end; p = next_line(p, lines.end)) {
			p = row_read(&row, p, lines.end, true, false);
			group_add(group_find(groups, row.symbol, row.symbol_len), row.price,
				  row.quantity);
		}
	for (const Group *group = groups; group < groups + GROUP_SLOTS; group++) {
		if (group->key == 0)
			continue;
		output_reserve(&out);
		OUTPUT_LITERAL(&out, "{\"symbol\":\"");
		output_text(&out, (const char *)&group->key, group->len);
		OUTPUT_LITERAL(&out, "\",\"n\":");
		output_number(&out, group->count);
		OUTPUT_LITERAL(&out, ",\"notional\":");
		output_decimal(&out, group->notional, 4);
		OUTPUT_LITERAL(&out, ",\"average\":");
		output_decimal(&out, group_average(group), 6);
		OUTPUT_LITERAL(&out, "}\n");
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
		fputs("usage: hand_json S1|S2|S3|S4 < trades.jsonl > out.jsonl\n", stderr);
		return 2;
	}
	return 0;
}
