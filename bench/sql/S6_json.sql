-- S6, JSON to JSON: the price before, and a running number.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP,
	WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.jsonl', 'format' = 'json');

CREATE STREAM out AS
SELECT trade_id, symbol, price,
	LAG(price) OVER (PARTITION BY symbol ORDER BY event_time) AS previous,
	ROW_NUMBER() OVER (PARTITION BY symbol ORDER BY event_time) AS number
FROM trades
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json');
