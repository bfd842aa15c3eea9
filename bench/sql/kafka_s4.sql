-- Kafka to Kafka, S4, whose groups cannot be final: a row for each record.  bench/kafka.py sets BROKERS, IN, OUT, GROUP and GUARANTEE.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP, WATERMARK FOR event_time AS event_time
) WITH ('connector' = 'kafka', 'kafka.topic' = '${IN}', 'kafka.bootstrap.servers' = '${BROKERS}',
	'kafka.group.id' = '${GROUP}', 'format' = 'json');

CREATE STREAM out AS SELECT symbol, COUNT(*) AS n, SUM(price * quantity) AS notional, AVG(price) AS mean FROM trades
GROUP BY symbol EMIT CHANGES
WITH ('connector' = 'kafka', 'kafka.topic' = '${OUT}', 'kafka.bootstrap.servers' = '${BROKERS}',
	'format' = 'json', 'delivery.guarantee' = '${GUARANTEE}');
