/* connector/generator_list.h -- the kinds of generated records and their fields, one row each.
 *
 * KIND(kind, name, keys, first, share, of, step, doc)
 *   keys               how many different keys there are unless 'keys' says otherwise
 *   first, share, of   of each `of` events of a suite, `share` from number `first` on are of this
 *                      kind; a kind of its own has 0, 1, 1
 *   step               microseconds of event time from event to event without a rate
 *
 * FIELD(kind, name, type, precision, scale, make, text, low, count, digits)
 *   type, precision, scale   the SQL type, TYPE_<type>
 *   make                     how the value is made, MAKE_<make>:
 *     SEQUENCE     the number of the record, from `low`
 *     KEY          `text` and the key's number in `digits` digits or more; low numbers are frequent
 *     CODE         the same with a number below `count`, all equally frequent
 *     NUMBER       low <= value < low + count, in units of the last digit of the scale
 *     ABOVE        the same, added to the value of the field before it
 *     WORD         one of the words of `text`, separated by '|'
 *     TIME         event time, epoch milliseconds
 *     STATION      the name of one of 'keys' stations
 *     TEMPERATURE  around the mean of the record's station
 *     PRICE        from `low` to a million times as much, evenly in its logarithm
 *     RESERVE      the same, added to the price before it
 *     SELLER, BIDDER, AUCTION   ids of Nexmark's people and auctions, some of them hot
 *     EXPIRY       event time at which an auction ends
 *     NAME, EMAIL, CARD         of a person
 *     CHANNEL, URL              where a bid comes from
 *     PROSE        3 characters or more but fewer than `count`, with blanks
 *     FILLER       low <= letters < low + count
 *
 * A kind's fields stand together in the order of the record.
 *
 * STATION(name, mean)  a weather station and its mean temperature in tenths of a degree */
#ifndef KIND
#define KIND(kind, name, keys, first, share, of, step, doc)
#endif
#ifndef FIELD
#define FIELD(kind, name, type, precision, scale, make, text, low, count, digits)
#endif
#ifndef STATION
#define STATION(name, mean)
#endif

KIND(TRADES, "trades", 1000, 0, 1, 1, 500, "Trades of shares.")
FIELD(TRADES, "trade_id", BIGINT, 0, 0, SEQUENCE, "", 0, 0, 0)
FIELD(TRADES, "symbol", STRING, 0, 0, KEY, "SYM", 0, 0, 3)
FIELD(TRADES, "price", DECIMAL, 18, 4, NUMBER, "", 10000, 9990000, 0)
FIELD(TRADES, "quantity", INTEGER, 0, 0, NUMBER, "", 1, 1000, 0)
FIELD(TRADES, "side", STRING, 0, 0, WORD, "SELL|BUY", 0, 0, 0)
FIELD(TRADES, "account", STRING, 0, 0, CODE, "ACC", 0, 10000, 5)
FIELD(TRADES, "event_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)

KIND(ORDERS, "orders", 5000, 0, 1, 1, 500, "Orders of a shop.")
FIELD(ORDERS, "order_id", BIGINT, 0, 0, SEQUENCE, "", 1, 0, 0)
FIELD(ORDERS, "customer_id", STRING, 0, 0, KEY, "CUST", 0, 0, 5)
FIELD(ORDERS, "product_id", STRING, 0, 0, CODE, "PROD", 0, 500, 4)
FIELD(ORDERS, "quantity", INTEGER, 0, 0, NUMBER, "", 1, 10, 0)
FIELD(ORDERS, "price", DECIMAL, 18, 2, NUMBER, "", 99, 49901, 0)
FIELD(ORDERS, "status", STRING, 0, 0, WORD, "created|paid|shipped|delivered|cancelled", 0, 0, 0)
FIELD(ORDERS, "region", STRING, 0, 0, WORD, "north|south|east|west", 0, 0, 0)
FIELD(ORDERS, "event_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)

KIND(MARKET_DATA, "market_data", 500, 0, 1, 1, 500, "Quotes of shares.")
FIELD(MARKET_DATA, "symbol", STRING, 0, 0, KEY, "SYM", 0, 0, 3)
FIELD(MARKET_DATA, "exchange", STRING, 0, 0, WORD, "NYSE|NASDAQ|LSE|XETRA", 0, 0, 0)
FIELD(MARKET_DATA, "bid", DECIMAL, 18, 4, NUMBER, "", 10000, 4990000, 0)
FIELD(MARKET_DATA, "ask", DECIMAL, 18, 4, ABOVE, "", 1, 500, 0)
FIELD(MARKET_DATA, "bid_size", INTEGER, 0, 0, NUMBER, "", 1, 5000, 0)
FIELD(MARKET_DATA, "ask_size", INTEGER, 0, 0, NUMBER, "", 1, 5000, 0)
FIELD(MARKET_DATA, "volume", BIGINT, 0, 0, NUMBER, "", 0, 1000000, 0)
FIELD(MARKET_DATA, "event_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)

KIND(IOT, "iot", 1000, 0, 1, 1, 500, "Readings of sensors.")
FIELD(IOT, "device_id", STRING, 0, 0, KEY, "device-", 0, 0, 4)
FIELD(IOT, "site", STRING, 0, 0, CODE, "site-", 0, 20, 2)
FIELD(IOT, "temperature", DECIMAL, 7, 2, NUMBER, "", -2000, 10000, 0)
FIELD(IOT, "humidity", DECIMAL, 5, 2, NUMBER, "", 0, 10001, 0)
FIELD(IOT, "pressure", DECIMAL, 7, 2, NUMBER, "", 95000, 10000, 0)
FIELD(IOT, "battery", INTEGER, 0, 0, NUMBER, "", 0, 101, 0)
FIELD(IOT, "status", STRING, 0, 0, WORD, "ok|ok|ok|ok|ok|ok|warning|error", 0, 0, 0)
FIELD(IOT, "event_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)

KIND(STATIONS, "stations", 413, 0, 1, 1, 500, "Weather stations, as in the one billion row challenge.")
FIELD(STATIONS, "station", STRING, 0, 0, STATION, "", 0, 0, 0)
FIELD(STATIONS, "temperature", DECIMAL, 4, 1, TEMPERATURE, "", 0, 0, 0)

KIND(NEXMARK_PERSON, "nexmark_person", 0, 0, 1, 50, 100, "The people of Nexmark's auctions.")
FIELD(NEXMARK_PERSON, "id", BIGINT, 0, 0, SEQUENCE, "", 1000, 0, 0)
FIELD(NEXMARK_PERSON, "name", STRING, 0, 0, NAME, "", 0, 0, 0)
FIELD(NEXMARK_PERSON, "email_address", STRING, 0, 0, EMAIL, "", 0, 0, 0)
FIELD(NEXMARK_PERSON, "credit_card", STRING, 0, 0, CARD, "", 0, 0, 0)
FIELD(NEXMARK_PERSON, "city", STRING, 0, 0, WORD,
      "Phoenix|Los Angeles|San Francisco|Boise|Portland|Bend|Redmond|Seattle|Kent|Cheyenne", 0, 0, 0)
FIELD(NEXMARK_PERSON, "state", STRING, 0, 0, WORD, "AZ|CA|ID|OR|WA|WY", 0, 0, 0)
FIELD(NEXMARK_PERSON, "date_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)
FIELD(NEXMARK_PERSON, "extra", STRING, 0, 0, FILLER, "", 111, 56, 0)

KIND(NEXMARK_AUCTION, "nexmark_auction", 1000, 1, 3, 50, 100, "Nexmark's auctions.")
FIELD(NEXMARK_AUCTION, "id", BIGINT, 0, 0, SEQUENCE, "", 1000, 0, 0)
FIELD(NEXMARK_AUCTION, "item_name", STRING, 0, 0, PROSE, "", 0, 20, 0)
FIELD(NEXMARK_AUCTION, "description", STRING, 0, 0, PROSE, "", 0, 100, 0)
FIELD(NEXMARK_AUCTION, "initial_bid", BIGINT, 0, 0, PRICE, "", 100, 0, 0)
FIELD(NEXMARK_AUCTION, "reserve", BIGINT, 0, 0, RESERVE, "", 100, 0, 0)
FIELD(NEXMARK_AUCTION, "date_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)
FIELD(NEXMARK_AUCTION, "expires", TIMESTAMP, 0, 0, EXPIRY, "", 0, 0, 0)
FIELD(NEXMARK_AUCTION, "seller", BIGINT, 0, 0, SELLER, "", 0, 0, 0)
FIELD(NEXMARK_AUCTION, "category", BIGINT, 0, 0, NUMBER, "", 10, 5, 0)
FIELD(NEXMARK_AUCTION, "extra", STRING, 0, 0, FILLER, "", 312, 156, 0)

KIND(NEXMARK_BID, "nexmark_bid", 1000, 4, 46, 50, 100, "The bids in Nexmark's auctions.")
FIELD(NEXMARK_BID, "auction", BIGINT, 0, 0, AUCTION, "", 0, 0, 0)
FIELD(NEXMARK_BID, "bidder", BIGINT, 0, 0, BIDDER, "", 0, 0, 0)
FIELD(NEXMARK_BID, "price", BIGINT, 0, 0, PRICE, "", 100, 0, 0)
FIELD(NEXMARK_BID, "channel", STRING, 0, 0, CHANNEL, "", 0, 0, 0)
FIELD(NEXMARK_BID, "url", STRING, 0, 0, URL, "", 0, 0, 0)
FIELD(NEXMARK_BID, "date_time", TIMESTAMP, 0, 0, TIME, "", 0, 0, 0)
FIELD(NEXMARK_BID, "extra", STRING, 0, 0, FILLER, "", 54, 28, 0)

STATION("Abha", 180)
STATION("Abidjan", 260)
STATION("Ab\xC3\xA9" "ch\xC3\xA9", 294)
STATION("Accra", 264)
STATION("Addis Ababa", 160)
STATION("Adelaide", 173)
STATION("Aden", 291)
STATION("Ahvaz", 254)
STATION("Albuquerque", 140)
STATION("Alexandra", 110)
STATION("Alexandria", 200)
STATION("Algiers", 182)
STATION("Alice Springs", 210)
STATION("Almaty", 100)
STATION("Amsterdam", 102)
STATION("Anadyr", -69)
STATION("Anchorage", 28)
STATION("Andorra la Vella", 98)
STATION("Ankara", 120)
STATION("Antananarivo", 179)
STATION("Antsiranana", 252)
STATION("Arkhangelsk", 13)
STATION("Ashgabat", 171)
STATION("Asmara", 156)
STATION("Assab", 305)
STATION("Astana", 35)
STATION("Athens", 192)
STATION("Atlanta", 170)
STATION("Auckland", 152)
STATION("Austin", 207)
STATION("Baghdad", 228)
STATION("Baguio", 195)
STATION("Baku", 151)
STATION("Baltimore", 131)
STATION("Bamako", 278)
STATION("Bangkok", 286)
STATION("Bangui", 260)
STATION("Banjul", 260)
STATION("Barcelona", 182)
STATION("Bata", 251)
STATION("Batumi", 140)
STATION("Beijing", 129)
STATION("Beirut", 209)
STATION("Belgrade", 125)
STATION("Belize City", 267)
STATION("Benghazi", 199)
STATION("Bergen", 77)
STATION("Berlin", 103)
STATION("Bilbao", 147)
STATION("Birao", 265)
STATION("Bishkek", 113)
STATION("Bissau", 270)
STATION("Blantyre", 222)
STATION("Bloemfontein", 156)
STATION("Boise", 114)
STATION("Bordeaux", 142)
STATION("Bosaso", 300)
STATION("Boston", 109)
STATION("Bouak\xC3\xA9", 260)
STATION("Bratislava", 105)
STATION("Brazzaville", 250)
STATION("Bridgetown", 270)
STATION("Brisbane", 214)
STATION("Brussels", 105)

#undef KIND
#undef FIELD
#undef STATION
