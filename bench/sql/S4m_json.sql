-- S4m, JSON to JSON: S4 with a million groups, met in no order.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.jsonl', 'format' = 'json');

CREATE STREAM out AS
SELECT trade_id * 7919 % 1000003 AS bucket, COUNT(*) AS n, SUM(price * quantity) AS notional, AVG(price) AS average
FROM trades GROUP BY trade_id * 7919 % 1000003 EMIT FINAL
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json');
