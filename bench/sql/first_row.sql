-- The time from the start of the process to its first row.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP
) WITH ('connector' = 'file', 'path' = '${DATA}/trades.jsonl', 'format' = 'json');

SELECT trade_id, symbol, price FROM trades LIMIT 1;
