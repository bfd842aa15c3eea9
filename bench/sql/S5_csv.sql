-- S5, CSV to CSV: one-minute windows by symbol.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP,
	WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.csv', 'format' = 'csv');

CREATE STREAM out AS
SELECT symbol, TUMBLE_START(event_time, INTERVAL '1' MINUTE) AS started, COUNT(*) AS n,
	SUM(quantity) AS quantity, AVG(price) AS average
FROM trades GROUP BY symbol, TUMBLE(event_time, INTERVAL '1' MINUTE)
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'csv', 'timestamp.format' = 'epoch_millis');
