-- S4, JSON to JSON: aggregates by symbol, once at the end.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.jsonl', 'format' = 'json');

CREATE STREAM out AS
SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS notional, AVG(price) AS average
FROM trades GROUP BY symbol EMIT FINAL
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json');
