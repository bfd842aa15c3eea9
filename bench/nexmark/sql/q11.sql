-- q11: how many bids a bidder makes without a pause of ten seconds.
CREATE STREAM result AS
SELECT bidder, COUNT(*) AS bid_count, SESSION_START(date_time, INTERVAL '10' SECOND) AS starttime,
	SESSION_END(date_time, INTERVAL '10' SECOND) AS endtime
FROM bid GROUP BY bidder, SESSION(date_time, INTERVAL '10' SECOND)
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
