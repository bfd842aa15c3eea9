-- S7, CSV to CSV: a join with a table, then aggregates.  bench/bench.py sets DATA and OUT.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.csv', 'format' = 'csv');

CREATE TABLE symbols (symbol STRING PRIMARY KEY, name STRING, sector STRING, lot_size INTEGER)
WITH ('connector' = 'file', 'path' = '${DATA}/symbols.csv', 'format' = 'csv');

CREATE STREAM out AS
SELECT s.sector, SUM(t.quantity) AS quantity
FROM trades t JOIN symbols s ON t.symbol = s.symbol GROUP BY s.sector EMIT FINAL
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'csv');
