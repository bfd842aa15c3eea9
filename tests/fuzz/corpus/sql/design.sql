CREATE STREAM trades (
    trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
    event_time TIMESTAMP,
    WATERMARK FOR event_time AS event_time - INTERVAL '1' SECOND
) WITH ('connector' = 'file', 'path' = 'trades.jsonl', 'format' = 'json');

CREATE TABLE symbols (symbol STRING PRIMARY KEY, name STRING, sector STRING, lot_size INTEGER)
WITH ('connector' = 'file', 'path' = 'symbols.csv', 'format' = 'csv', 'csv.header' = 'true');

CREATE STREAM big_trades AS SELECT trade_id, symbol, price * quantity AS notional FROM trades WHERE price > 500
WITH ('connector' = 'kafka', 'kafka.topic' = 'big', 'kafka.bootstrap.servers' = 'localhost:9092', 'format' = 'json');

INSERT INTO big_trades SELECT trade_id, symbol, price * quantity FROM trades;
SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS notional FROM trades GROUP BY symbol EMIT FINAL;
