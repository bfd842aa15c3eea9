/* bench/native/gen_trades.c -- the trades that every benchmark reads, the same bytes every time.
 *
 *     gen_trades N        N trades as JSON lines on stdout
 *     gen_trades N csv    as CSV with a header
 *
 * 750 symbols used unevenly, prices with 4 decimals, two trades a millisecond; event times are
 * up to 199 ms behind the largest one before them, so a watermark of 1 s loses none. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_EVENT_TIME INT64_C(1700000000000)

typedef struct Trade {
	int64_t id;
	int symbol;
	int64_t price; /* ten-thousandths */
	int quantity;
	const char *side;
	int account;
	int64_t event_time;
} Trade;

/* xorshift64 */
static uint64_t
random_next(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static Trade
trade_make(uint64_t *state, int64_t id)
{
	Trade trade = {.id = id};
	int number = (int)(random_next(state) % 1000);

	trade.symbol = number * number / 1000; /* low numbers are frequent */
	trade.price = 10000 + (int64_t)(random_next(state) % 9990000);
	trade.quantity = 1 + (int)(random_next(state) % 1000);
	trade.side = (random_next(state) & 1) != 0 ? "BUY" : "SELL";
	trade.account = (int)(random_next(state) % 10000);
	trade.event_time = FIRST_EVENT_TIME + id / 2 + (int64_t)(random_next(state) % 200) - 100;
	return trade;
}

static void
trade_print(const Trade *trade, bool csv)
{
	static const char json_format[] =
		"{\"trade_id\":%" PRId64 ",\"symbol\":\"SYM%03d\",\"price\":%" PRId64 ".%04" PRId64
		",\"quantity\":%d,\"side\":\"%s\",\"account\":\"ACC%05d\",\"event_time\":%" PRId64
		"}\n";
	static const char csv_format[] =
		"%" PRId64 ",SYM%03d,%" PRId64 ".%04" PRId64 ",%d,%s,ACC%05d,%" PRId64 "\n";

	if (csv)
		printf(csv_format, trade->id, trade->symbol, trade->price / 10000,
		       trade->price % 10000, trade->quantity, trade->side, trade->account,
		       trade->event_time);
	else
		printf(json_format, trade->id, trade->symbol, trade->price / 10000,
		       trade->price % 10000, trade->quantity, trade->side, trade->account,
		       trade->event_time);
}

int
main(int argc, char **argv)
{
	static char buffer[1 << 20];
	bool csv = argc == 3 && strcmp(argv[2], "csv") == 0;
	uint64_t state = UINT64_C(88172645463325252);
	char *end = NULL;
	int64_t count = argc >= 2 ? strtoll(argv[1], &end, 10) : -1;

	if (count < 0 || *end != '\0' || (argc > 2 && !csv) || argc > 3) {
		fputs("usage: gen_trades N [csv]\n", stderr);
		return 2;
	}
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
	if (csv)
		puts("trade_id,symbol,price,quantity,side,account,event_time");
	for (int64_t id = 0; id < count; id++) {
		Trade trade = trade_make(&state, id);

		trade_print(&trade, csv);
	}
	return fflush(stdout) == 0 ? 0 : 3;
}
