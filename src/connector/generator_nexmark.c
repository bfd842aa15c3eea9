/* connector/generator_nexmark.c -- the values of Nexmark's people, auctions and bids.
 *
 * Nexmark is a suite of queries over an auction site (Tucker, Tufte, Papadimos and Maier, 2002);
 * proportions, hot keys and sizes are those of the generator of Apache Beam.  Its events have one
 * numbering for all three streams: of 50 events one is a person, three are auctions, the others
 * bids.  Everything that links them follows from the event's number alone, so each stream is made
 * for itself and still fits the others. */
#include <math.h>

#include "connector/generator_make.h"
#include "type/number.h"

#define FIRST_ID      1000 /* of people and of auctions */
#define EVENTS        50   /* in a round: */
#define AUCTIONS      3    /* beside one person, and the bids */
#define HOT_BATCH     100  /* one of so many people or auctions is the hot one of its time */
#define LEAD          10   /* so many ids may be used before they come */
#define OPEN_AUCTIONS 100  /* bids go to the last so many */
#define HOT_AUCTIONS  2    /* all but one of so many bids go to the hot auction */
#define HOT_PEOPLE    4    /* all but one of so many auctions and bids are by a hot person */
#define CHANNELS      10000
#define HOT_CHANNELS  4
#define FILLER_SIZE   32768
#define PRICE_BITS    24
#define PRICE_PART    8 /* bits for each table */
#define LETTER_BITS   5
#define URL_WORDS     3

typedef double PriceTable[1 << PRICE_PART];

struct Nexmark {
	PriceTable *price;
	char *filler;
	uint32_t channel; /* of this bid; below HOT_CHANNELS: one of the hot ones */
	uint64_t seed;
};

/* 10^(6u) for u of 24 binary digits is a product of a factor for each digit; each is the root of
 * the one before.  Roots and products are rounded alike on every machine; pow() is not. */
static void
init_prices(Nexmark *nexmark, Arena *arena)
{
	double factor[PRICE_BITS]; /* of the lowest bit first */
	double power = 1e6;

	nexmark->price = ARENA_ARRAY(arena, PriceTable, PRICE_BITS / PRICE_PART);
	for (int bit = PRICE_BITS - 1; bit >= 0; bit--)
		factor[bit] = power = sqrt(power);
	for (int table = 0; table < PRICE_BITS / PRICE_PART; table++)
		for (uint32_t i = 0; i < 1 << PRICE_PART; i++) {
			double product = 1;

			for (int bit = 0; bit < PRICE_PART; bit++)
				if (i >> bit & 1)
					product *= factor[table * PRICE_PART + bit];
			nexmark->price[table][i] = product;
		}
}

void
nexmark_init(Generator *generator, Arena *arena)
{
	Nexmark *nexmark = ARENA_NEW(arena, Nexmark);

	nexmark->seed = generator->spec.seed;
	nexmark->filler = arena_alloc(arena, FILLER_SIZE);
	for (size_t i = 0; i < FILLER_SIZE; i++)
		nexmark->filler[i] = (char)('a' + random_below(generator, 26));
	init_prices(nexmark, arena);
	generator->nexmark = nexmark;
}

/* From `low` on, over six powers of ten, evenly in the logarithm. */
static int64_t
make_price(Generator *generator, int64_t low)
{
	PriceTable *table = generator->nexmark->price;
	uint32_t u = next_random(generator);

	return (int64_t)((double)low * table[0][u & 255] * table[1][u >> 8 & 255] *
				 table[2][u >> 16 & 255] +
			 0.5);
}

/* People come one in a round, so the last one's number is that of the round. */
static int64_t
make_person(Generator *generator, uint32_t hot_one)
{
	uint64_t last = generator->event / EVENTS;
	uint32_t people = generator->keys;

	if (random_below(generator, HOT_PEOPLE) > 0)
		return (int64_t)(FIRST_ID + last / HOT_BATCH * HOT_BATCH + hot_one);
	if (last + 1 < people)
		people = (uint32_t)last + 1;
	return (int64_t)(FIRST_ID + last + 1 - people + random_below(generator, people + LEAD));
}

static int64_t
make_auction(Generator *generator)
{
	uint64_t last = generator->event / EVENTS * AUCTIONS + AUCTIONS - 1;
	uint32_t open = last < OPEN_AUCTIONS ? (uint32_t)last : OPEN_AUCTIONS;

	if (random_below(generator, HOT_AUCTIONS) > 0)
		return (int64_t)(FIRST_ID + last / HOT_BATCH * HOT_BATCH);
	return (int64_t)(FIRST_ID + last - open + random_below(generator, open + 1 + LEAD));
}

/* On average an auction is open until as many new ones have come as may be open. */
static int64_t
make_expiry(Generator *generator)
{
	double events = OPEN_AUCTIONS * EVENTS / AUCTIONS;
	double most = 2 * events * generator->spec.step_ms;

	return generator->time_ms + 1 +
	       random_below(generator, most < 1     ? 1
				       : most > 4e9 ? 4000000000
						    : (uint32_t)most);
}

/* `count` letters of an alphabet of 32 by five bits each; at most 12. */
static char *
put_letters(char *out, uint64_t bits, uint32_t count, const char alphabet[32])
{
	for (; count > 0; count--, bits >>= LETTER_BITS)
		*out++ = alphabet[bits & 31];
	return out;
}

static const char frequent[] = "abcdefghijklmnopqrstuvwxyzaeinot";
static const char spaced[] = "abcdefghijklmnopqrstuvwxyz   eio";
static const char underlined[] = "abcdefghijklmnopqrstuvwxyz__aeio";

/* 3 to `longest` - 1 characters, with blanks inside. */
static char *
put_prose(Generator *generator, char *out, uint32_t longest)
{
	uint32_t len = 3 + random_below(generator, longest - 3);
	char *end = out + len;
	char *first = out;

	for (; len > 0; len -= len < 12 ? len : 12)
		out = put_letters(out, next_random64(generator), len < 12 ? len : 12, spaced);
	if (*first == ' ')
		*first = 'a';
	if (end[-1] == ' ')
		end[-1] = 's';
	return end;
}

static char *
put_name(Generator *generator, char *out)
{
	static const Str first[] = {STR_INIT("Peter"),  STR_INIT("Paul"),  STR_INIT("Luke"),
				    STR_INIT("John"),   STR_INIT("Saul"),  STR_INIT("Vicky"),
				    STR_INIT("Kate"),   STR_INIT("Julie"), STR_INIT("Sarah"),
				    STR_INIT("Deiter"), STR_INIT("Walter")};
	static const Str last[] = {STR_INIT("Shultz"), STR_INIT("Abrams"),  STR_INIT("Spencer"),
				   STR_INIT("White"),  STR_INIT("Bartels"), STR_INIT("Walton"),
				   STR_INIT("Smith"),  STR_INIT("Jones"),   STR_INIT("Noris")};

	out = put(out, first[random_below(generator, sizeof first / sizeof *first)]);
	*out++ = ' ';
	return put(out, last[random_below(generator, sizeof last / sizeof *last)]);
}

static char *
put_email(Generator *generator, char *out)
{
	uint64_t bits = next_random64(generator);

	out = put_letters(out, bits, 3 + (uint32_t)(bits >> 62), frequent);
	*out++ = '@';
	out = put_letters(out, bits >> 30, 3 + (uint32_t)(bits >> 61 & 1), frequent);
	return put(out, STR(".com"));
}

static char *
put_card(Generator *generator, char *out)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			*out++ = ' ';
		out = digits_print(out, random_below(generator, 10000), 4);
	}
	return out;
}

static char *
put_channel(Generator *generator, char *out)
{
	static const Str hot[HOT_CHANNELS] = {STR_INIT("Google"), STR_INIT("Facebook"),
					      STR_INIT("Baidu"), STR_INIT("Apple")};
	uint32_t *channel = &generator->nexmark->channel;

	if (random_below(generator, 2) > 0) {
		*channel = random_below(generator, HOT_CHANNELS);
		return put(out, hot[*channel]);
	}
	*channel = HOT_CHANNELS + random_below(generator, CHANNELS);
	return uint64_print(put(out, STR("channel-")), *channel - HOT_CHANNELS);
}

/* A channel has one address; nine of ten that are not hot have an id in it. */
static char *
put_url(const Nexmark *nexmark, char *out)
{
	uint64_t bits = random_of(nexmark->seed ^ (uint64_t)nexmark->channel << 32);

	out = put(out, STR("https://www.nexmark.com/"));
	for (uint32_t word = 0; word < URL_WORDS; word++, bits >>= 4 * LETTER_BITS + 1) {
		out = put_letters(out, bits, 3 + (uint32_t)(bits >> 4 * LETTER_BITS & 1),
				  underlined);
		*out++ = '/';
	}
	out = put(out, STR("item.htm?query=1"));
	if (nexmark->channel < HOT_CHANNELS || nexmark->channel % 10 == 0)
		return out;
	return uint64_print(put(out, STR("&channel_id=")),
			    nexmark->channel * UINT32_C(2654435761) >> 1);
}

static char *
put_filler(Generator *generator, const GeneratorField *field, char *out)
{
	uint32_t len = (uint32_t)field->low + random_below(generator, field->count);

	memcpy(out, generator->nexmark->filler + random_below(generator, FILLER_SIZE - len), len);
	return out + len;
}

char *
nexmark_value(Generator *generator, const GeneratorField *field, char *out)
{
	switch (field->make) {
	case MAKE_PRICE:
		generator->last = make_price(generator, field->low);
		return int64_print(out, generator->last);
	case MAKE_RESERVE:
		return int64_print(out, generator->last + make_price(generator, field->low));
	case MAKE_SELLER: /* the hot seller is not the hot bidder */
		return int64_print(out, make_person(generator, 0));
	case MAKE_BIDDER:
		return int64_print(out, make_person(generator, 1));
	case MAKE_AUCTION:
		return int64_print(out, make_auction(generator));
	case MAKE_EXPIRY:
		return int64_print(out, make_expiry(generator));
	case MAKE_NAME:
		return put_name(generator, out);
	case MAKE_EMAIL:
		return put_email(generator, out);
	case MAKE_CARD:
		return put_card(generator, out);
	case MAKE_CHANNEL:
		return put_channel(generator, out);
	case MAKE_URL:
		return put_url(generator->nexmark, out);
	case MAKE_PROSE:
		return put_prose(generator, out, field->count);
	default:
		break;
	}
	return put_filler(generator, field, out);
}
