-- The three streams of Nexmark straight from the generator: EVENTS of them together.
CREATE STREAM person (
	id BIGINT, name STRING, email_address STRING, credit_card STRING, city STRING, state STRING,
	date_time TIMESTAMP, extra STRING,
	WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH ('connector' = 'generator', 'kind' = 'nexmark_person', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}');

CREATE STREAM auction (
	id BIGINT, item_name STRING, description STRING, initial_bid BIGINT, reserve BIGINT,
	date_time TIMESTAMP, expires TIMESTAMP, seller BIGINT, category BIGINT, extra STRING,
	WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH ('connector' = 'generator', 'kind' = 'nexmark_auction', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}');

CREATE STREAM bid (
	auction BIGINT, bidder BIGINT, price BIGINT, channel STRING, url STRING, date_time TIMESTAMP,
	extra STRING,
	WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH ('connector' = 'generator', 'kind' = 'nexmark_bid', 'rows' = '${EVENTS}', 'seed' = '${SEED:42}');

CREATE TABLE side_input (key BIGINT PRIMARY KEY, value STRING)
WITH ('connector' = 'file', 'path' = '${DATA}/side_input.csv', 'format' = 'csv');
