-- Kafka to Kafka, S2.  bench/kafka.py sets BROKERS, IN, OUT, GROUP and GUARANTEE.
CREATE STREAM trades (
	trade_id BIGINT, symbol STRING, price DECIMAL(18,4), quantity INTEGER, side STRING, account STRING,
	event_time TIMESTAMP, WATERMARK FOR event_time AS event_time
) WITH ('connector' = 'kafka', 'kafka.topic' = '${IN}', 'kafka.bootstrap.servers' = '${BROKERS}',
	'kafka.group.id' = '${GROUP}', 'format' = 'json');

CREATE STREAM out AS SELECT trade_id, symbol, price FROM trades WHERE price > 500
WITH ('connector' = 'kafka', 'kafka.topic' = '${OUT}', 'kafka.bootstrap.servers' = '${BROKERS}',
	'format' = 'json', 'delivery.guarantee' = '${GUARANTEE}');
