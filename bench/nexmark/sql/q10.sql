-- q10: the bids for a log, with day and minute (all in one file).
CREATE STREAM result AS
SELECT auction, bidder, price, date_time, extra,
	DATE_FORMAT(date_time, '%Y-%m-%d') AS dt, DATE_FORMAT(date_time, '%H:%M') AS hm
FROM bid
WITH ('connector' = 'file', 'path' = '${OUT}', 'format' = 'json', 'timestamp.format' = 'epoch_millis');
