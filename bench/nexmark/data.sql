-- Writes EVENTS events to the folder DATA, byte for byte as the generator makes them.
CREATE STREAM person_lines (line STRING)
WITH ('connector' = 'generator', 'kind' = 'nexmark_person', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}', 'format' = 'raw');
CREATE STREAM auction_lines (line STRING)
WITH ('connector' = 'generator', 'kind' = 'nexmark_auction', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}', 'format' = 'raw');
CREATE STREAM bid_lines (line STRING)
WITH ('connector' = 'generator', 'kind' = 'nexmark_bid', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}', 'format' = 'raw');

CREATE STREAM person AS SELECT line FROM person_lines
WITH ('connector' = 'file', 'path' = '${DATA}/person.jsonl', 'format' = 'raw');
CREATE STREAM auction AS SELECT line FROM auction_lines
WITH ('connector' = 'file', 'path' = '${DATA}/auction.jsonl', 'format' = 'raw');
CREATE STREAM bid AS SELECT line FROM bid_lines
WITH ('connector' = 'file', 'path' = '${DATA}/bid.jsonl', 'format' = 'raw');
