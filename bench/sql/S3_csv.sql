-- S3, CSV to CSV: three conditions.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.csv', 'format' = 'csv');

CREATE STREAM out AS
SELECT trade_id, symbol, price FROM trades
WHERE price > 100 AND quantity < 500 AND side = 'BUY'
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'csv');
